"""The unified pipeline: the way that deals take, in stages."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from switchboard.models.schema import Schema
from switchboard.models.values import MOST, RefOut, Strict, Text, Told


class StageName(Strict):
    """A stage that a new pipeline begins with."""

    name: Text


class PipelineInput(Strict):
    """What callers may send. `stages` is there for CRMs that make no pipeline without any."""

    name: Text | None = None
    stages: list[StageName] | None = Field(None, max_length=MOST)


class PipelineStage(Told):
    """A stage as a pipeline tells of it; `status` is what a deal there is (open, won, lost), in the vendor's word."""

    id: str
    name: str | None = None
    status: str | None = None
    pipeline: RefOut | None = None


class Pipeline(Told):
    """What callers get back."""

    id: str
    name: str | None = None
    entity: Literal["contact", "account", "opportunity"] | None = None
    stages: list[PipelineStage] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    remote_data: dict[str, Any] | None = None


PIPELINE = Schema("pipeline", "pipelines", PipelineInput, Pipeline)
