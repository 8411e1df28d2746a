"""A journal of what a process does to the world, which may let it die before or after any step."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal


class CrashError(BaseException):
    """The process is gone: not an Exception, for nothing in it may have a last word."""


class Journal:
    """The names of the calls through the ports, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.dead = False
        self._dies: tuple[int, Literal["before", "after"]] | None = None

    def die(self, at: int, when: Literal["before", "after"]) -> None:
        """Let the process die around the call of that number, counted from here."""
        self._dies = (len(self.lines) + at, when)

    def revive(self) -> None:
        """Begin a new process."""
        self.dead, self._dies = False, None

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        """One call through a port."""
        if self.dead:
            raise CrashError
        self.lines.append(name)
        number = len(self.lines) - 1
        self._maybe_die(number, "before")
        yield
        self._maybe_die(number, "after")

    def _maybe_die(self, number: int, when: Literal["before", "after"]) -> None:
        if self._dies == (number, when):
            self.dead = True
            raise CrashError


# --- the ports -------------------------------------------------------------------------------------------------------
