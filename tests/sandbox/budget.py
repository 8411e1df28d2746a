"""Counting windows: the vendors' rate limits."""

from collections import deque
from collections.abc import Callable


class Window:
    """At most `limit` units in any `seconds`; rolling, as the vendors count."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self.clock = clock
        self.spent: deque[tuple[float, int]] = deque()
        self.total = 0

    def spend(self, limit: int, cost: int = 1) -> int | None:
        """What is left after this request, or None when it does not fit any more."""
        now = self.clock()
        while self.spent and self.spent[0][0] <= now - self.seconds:
            self.total -= self.spent.popleft()[1]
        if self.total + cost > limit:
            return None
        self.spent.append((now, cost))
        self.total += cost
        return limit - self.total
