"""Saying what went otherwise than it should, where no test runner does."""

from typing import Any


def expect(seen: Any, wanted: Any, what: str) -> None:
    """Raise AssertionError with what was expected and what was seen."""
    if seen != wanted:
        raise AssertionError(f"{what}: {wanted!r} was expected, {seen!r} was seen"[:300])
