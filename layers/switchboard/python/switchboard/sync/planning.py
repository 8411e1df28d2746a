"""When which account is to be looked at. Pure: from checkpoints and what vendors grant, to messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from switchboard.crm.catalog import CRM, Resource
from switchboard.ports import Checkpoint

TIERS = (300, 900, 3600, 4 * 3600, 24 * 3600)
"""Seconds from one look at an account to the next: as often as its CRM's limits and its size allow."""
AHEAD = 60
"""An account is due so many seconds before its time: then the tick at its time takes it, and not the next one."""
SHARE = 0.1
"""So much of what a CRM grants in a day is spent on looking for changes; the rest is for those who work with it."""
LOOK_CALLS = 2
"""Calls of a look where nothing changed: a page of changes, a page of deletions."""
LIST_PAGE = 100
"""Records on a page, where a CRM cannot tell what changed and all of them have to be read."""
DAY = 24 * 3600

PATIENCE = 1800
"""An account that was put into the queue and not heard of is put in again after so many seconds."""
BACKOFF_SECONDS = 300
BACKOFF_MOST = 6 * 3600
"""After a failure an account is left alone for a while: twice as long each time, and no longer than this."""

DELETIONS_SECONDS = 3600
"""So often a CRM's list of deleted records is read."""
SWEEP_SECONDS = 22 * 3600
"""So often all contacts are listed where nothing else tells which were deleted; before a day is over."""
CHECK_SECONDS = 7 * 24 * 3600
"""So often they are listed where the CRM tells of deletions: to find what it may have forgotten to tell."""


@dataclass(frozen=True, slots=True)
class Message:
    """What waits in the queue: an account whose contacts are to be synced. due_at: the mark that the planner has left
    at its checkpoint; None where it comes from somebody else."""

    brand: str
    account: str
    due_at: float | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The message as JSON."""
        mark = {} if self.due_at is None else {"due_at": self.due_at}
        return {"brand": self.brand, "account": self.account, "resource": "contacts", **mark}


def plan(due: Sequence[Checkpoint], now: float) -> list[tuple[Checkpoint, Message, float]]:
    """Of those that are due: what to put into the queue, and when to look again if nothing comes of it."""
    until = now + PATIENCE
    return [(each, Message(each.brand, each.account, until), until) for each in due if each.due_at <= now]


def interval(crm: CRM, resource: Resource, size: int) -> int:
    """Seconds until the next look at an account of this size: a tier that leaves most of the CRM's limit to others."""
    calls = LOOK_CALLS if resource.changes else LOOK_CALLS + -(-size // LIST_PAGE)
    granted = crm.pace.calls / crm.pace.seconds * DAY
    daily = min(granted, crm.pace.daily) if crm.pace.daily else granted
    needed = calls * DAY / (SHARE * daily)
    return next((tier for tier in TIERS if tier >= needed), TIERS[-1])


def backoff(failures: int) -> int:
    """Seconds until the next try after so many failures in a row."""
    return min(BACKOFF_SECONDS * 2 ** max(0, failures - 1), BACKOFF_MOST)


def sweep_interval(resource: Resource, *, untold: bool = False) -> int:
    """Seconds from one sweep to the next; `untold`: this account is not told of deletions."""
    return SWEEP_SECONDS if untold or resource.deletions == "swept" else CHECK_SECONDS


def pacing(crm: CRM) -> float:
    """Seconds from one call to the next, for all workers of an account together: 95 in 100 of what the CRM grants."""
    return crm.pace.seconds / (crm.pace.calls * 0.95)
