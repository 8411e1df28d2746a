"""What lies beside the project and is read in place: recorded exchanges, vendors' specifications, the owner's seeds."""

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def files(folder: str) -> list[Path]:
    """The JSON files of a folder; none where it is absent."""
    return sorted((SHARED / folder).glob("*.json"))


def document(path: str) -> Any:
    """A JSON document; the test is skipped where it is absent."""
    return json.loads(text(path))


def text(path: str) -> str:
    """A file; the test is skipped where it is absent."""
    file = SHARED / path
    if not file.is_file():
        pytest.skip(f"{file} is not here")
    return file.read_text()
