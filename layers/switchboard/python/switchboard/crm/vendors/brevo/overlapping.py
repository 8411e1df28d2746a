"""Pages that overlap: how Brevo's contacts are listed, by offsets into the order in which they were made.

Contacts https://developers.brevo.com/reference/get-contacts
"""

from dataclasses import dataclass
from datetime import datetime

from switchboard.crm.paging import OLDEST, Cursor, Offset, Stretch, bodies
from switchboard.crm.wire import Response, dig

OVERLAP = 20
"""So many records before a page are asked for again with it."""


@dataclass(frozen=True, slots=True)
class Overlapping(Offset):
    """Offsets into a list from which records are deleted while it is read: those behind them move up, over the edge of
    a page. So a page is asked for with the end of the one before, and what was given there is not given again. Where
    nothing of it is found, more was deleted than that, and the page before is asked for again.

    more: path of the number of all records; where it is not told, the list ends where nothing is new.
    """

    def _page(self, cursor: Cursor, limit: int) -> tuple[int, int]:
        """Where a page really begins, and how many records it may have."""
        start = int(cursor.get("start", 0))
        overlap = min(OVERLAP, start)
        return start - overlap, min(limit + overlap, self.most)

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        start, size = self._page(cursor, limit)
        # Since the beginning is everything: whether all contacts have a moment of change, is told nowhere.
        moment = since if since and since > OLDEST else None
        return Offset.ask(self, moment, {"start": start}, size)

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        start, _ = self._page(cursor, limit)
        found, seen = bodies(response.body, self.items), cursor.get("seen", ())
        fresh = [(place, each) for place, each in enumerate(found, start) if dig(each, self.id) not in seen]
        lost, end = len(fresh) == len(found), start + len(found)
        if lost and start:
            return [], {"start": max(start - min(limit, self.most - OVERLAP), 0), "seen": seen, "back": True}
        given, rest = [each for _, each in fresh[:limit]], fresh[limit:]
        total = dig(response.body, self.more) if self.more else None
        ended = end <= int(cursor.get("start", 0)) or (isinstance(total, int) and end >= total)
        if ended and not rest:
            return given, None
        onward = rest[0][0] if rest else end
        # What was given further on must not be taken for what comes before.
        known = [
            *(() if lost and "back" in cursor else seen),
            *(dig(each, self.id) for each in found[: onward - start]),
        ]
        return given, {"start": onward, "seen": known[-2 * OVERLAP :]}
