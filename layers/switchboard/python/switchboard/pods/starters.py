"""Templates to start with, for a deal, a company and a contact; and a record of each to see them with."""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

FOLDER = Path(__file__).with_name("starters")
IDS = ("deal-room", "company-introduction", "personal-page")
"""In the order in which they are offered."""


@cache
def load() -> Mapping[str, Mapping[str, Any]]:
    """The starters by id: each with its id, its name, and the layout of its page."""
    return MappingProxyType({id: MappingProxyType({"id": id, **_read(id)}) for id in IDS})


def sample() -> dict[str, Any]:
    """Made-up records under the names that templates speak of them by, to see a template with."""
    return deepcopy(_sample())


@cache
def _sample() -> dict[str, Any]:
    return _read("sample")


def _read(stem: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{stem}.json").read_text("utf-8"))
