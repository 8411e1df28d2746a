"""Pages that overlap: how Insightly's leads and contacts are listed, whose order is told nowhere.

Search https://api.na1.insightly.com/v3.1/Help#!/Leads
"""

from dataclasses import dataclass
from datetime import datetime

from switchboard.crm.paging import OLDEST, Cursor, Offset, Stretch, bodies
from switchboard.crm.places import Record
from switchboard.crm.wire import Response

MOST = 500

OVERLAP = 20
"""So many records before a page are asked for again with it."""

CHANGED = "DATE_UPDATED_UTC"


@dataclass(frozen=True, slots=True)
class Overlapping(Offset):
    """Offsets into a list that may move while it is read: what is deleted, or put elsewhere in an order that is not
    told, draws others over the edge of a page. So a page is asked for with the end of the one before, and what was
    given there is not given again, unless it has changed. Where nothing of it is found, more has moved than that, and
    the page before is asked for again. How many records a page has says nothing: the list ends where nothing is new."""

    def _page(self, cursor: Cursor, limit: int) -> tuple[int, int]:
        """Where a page really begins, and how many records it may have."""
        overlap = min(OVERLAP, int(cursor.get("start", 0)))
        return int(cursor.get("start", 0)) - overlap, min(limit + overlap, self.most)

    def _state(self, body: Record) -> str:
        """A record as it was at a moment."""
        return f"{body.get(self.id)} {body.get(CHANGED)}"

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        start, size = self._page(cursor, limit)
        # Since the beginning is everything: a search without a moment gives all, whether it has one or not.
        moment = since if since and since > OLDEST else None
        return Offset.ask(self, moment, {"start": start}, size)

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        start, _ = self._page(cursor, limit)
        found, seen = bodies(response.body, self.items), cursor.get("seen", ())
        fresh = [(place, each) for place, each in enumerate(found, start) if self._state(each) not in seen]
        lost, end = len(fresh) == len(found), start + len(found)
        if lost and start:
            return [], {"start": max(start - min(limit, self.most - OVERLAP), 0), "seen": seen, "back": True}
        if not fresh and end <= int(cursor.get("start", 0)):
            return [], None
        given, rest = fresh[:limit], fresh[limit:]
        onward = rest[0][0] if rest else end
        # What was given further on must not be taken for what comes before.
        known = [*(() if lost and "back" in cursor else seen), *(self._state(each) for each in found[: onward - start])]
        return [each for _, each in given], {"start": onward, "seen": known[-2 * OVERLAP :]}
