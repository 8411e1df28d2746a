"""Pages that overlap: how all of Nutshell's contacts are listed.

https://developers.nutshell.com/reference/get_contacts
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from switchboard.crm.paging import Cursor, Stretch, bodies
from switchboard.crm.places import Record
from switchboard.crm.wire import Response, many, word

MOST = 500
"""Ten thousand were seen to be given, but an answer may have 2 MB."""

OVERLAP = 20
"""So many of those that were given last are looked for again."""


def listed(body: Any, name: str) -> list[Record]:
    """The records in an answer: a bare array, or the list under their name, which is spelt in more than one way."""
    if not isinstance(body, dict):
        return bodies(body, "")
    keys = sorted(body, key=lambda key: key.lower() != name)
    return next((many(body, key) for key in keys if isinstance(body[key], list)), [])


@dataclass(frozen=True, slots=True)
class Overlapping:
    """Pages of records, the oldest first, so that a new one displaces none that is still to come. One that is deleted
    draws those behind it over the edge of a page: so a page begins with the end of the one before. Where nothing of
    that is on it, more was deleted, and the page before is read. A position is a number of records, and the ids of
    those that were given last.

    name: of the list in an answer. The vendor takes the number of a page, not that of a record: the size of the page
    is chosen so that it begins shortly before the record that is wanted.
    """

    name: str

    @property
    def changes(self) -> bool:
        """It cannot be asked for what changed."""
        return False

    def _place(self, cursor: Cursor, limit: int) -> tuple[int, int]:
        """The page with those that were given last, and with as many behind them as can be; and its size."""
        rank = max(0, int(cursor.get("start", 0)) - len(cursor.get("seen", ())))
        most = max(min(limit, MOST), 4 * OVERLAP)
        size = max(range(most // 2 + 1, most + 1), key=lambda size: (size - rank % size, size))
        return rank // size, size

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        """The query that asks for a stretch."""
        page, size = self._place(cursor, limit)
        return {"sort": "createdTime", "page[page]": str(page), "page[limit]": str(size)}

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        """The stretch that was answered; an empty one where the page before has to be read."""
        page, size = self._place(cursor, limit)
        seen, begin = cursor.get("seen", ()), page * size
        found = listed(response.body, self.name)
        ids = [word(each, "id") for each in found]
        known = [place for place, id in enumerate(ids) if id in seen]
        if seen and begin and not known:
            # A page holds more than this from the record on for which it was chosen: nothing lies between the two.
            return [], {"start": max(0, begin - size // 2) + len(seen), "seen": seen}
        first = known[-1] + 1 if known else 0
        part = found[first : first + limit]
        end = first + len(part)
        last = [id for id in [*seen, *ids[first:end]] if id][-OVERLAP:]
        return part, None if end == len(found) < size else {"start": begin + end, "seen": last}
