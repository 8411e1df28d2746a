"""Whether a fake answers in the shape that was recorded."""

from typing import Any


def fits(was: Any, now: Any, where: str = "") -> None:
    """What was recorded is there now, each value of the same JSON type unless one of them is null."""
    if isinstance(was, dict) and now is not None:
        for key, value in was.items():
            assert key in now, f"{where}.{key}"
            fits(value, now[key], f"{where}.{key}")
    elif was is not None and now is not None:
        assert type(was) is type(now), where
        if isinstance(was, list) and was and now:
            fits(was[0], now[0], f"{where}[0]")
