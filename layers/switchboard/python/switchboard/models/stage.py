"""The unified stage: one step of a pipeline."""

from datetime import datetime
from typing import Any, Literal

from switchboard.models.schema import Schema
from switchboard.models.values import Ref, RefOut, Strict, Text, Told


class StageInput(Strict):
    """What callers may send. Most CRMs have to be told in which `pipeline` a stage belongs."""

    name: Text | None = None
    pipeline: Ref | None = None


class Stage(Told):
    """What callers get back. `position` counts as the vendor counts; only the order of positions means anything."""

    id: str
    name: str | None = None
    position: float | None = None
    status: Literal["active", "inactive"] | None = None
    pipeline: RefOut | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    remote_data: dict[str, Any] | None = None


STAGE = Schema("stage", "stages", StageInput, Stage)
