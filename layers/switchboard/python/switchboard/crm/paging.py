"""How lists are walked: by offset, by page, by key, by token, or in one piece. And how what changed is walked.

A position is a small JSON object that a later call can go on from; it never holds a URL.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from switchboard.crm.codecs import utc
from switchboard.crm.wire import Response, Talk, dig, many

type Cursor = Mapping[str, Any]
"""A position in a list."""

type Stretch = tuple[list[Any], Cursor | None]
"""The bodies of a stretch of a list, and where the next one begins; None at the end."""

OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


SEEN = 100
"""So many ids of one moment are kept in a position."""


def second(when: datetime) -> str:
    """A moment in UTC, in whole seconds, with `Z`."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def just_before(when: datetime) -> datetime:
    """A second before a moment: for filters of which it is not told whether they take in the moment itself.

    `reached` leaves out what they then give too early.
    """
    return max(when, OLDEST) - timedelta(seconds=1)


def reached(found: list[Any], path: str, since: datetime | None) -> list[Any]:
    """Of these, those whose moment at the path is not before that one, in whole seconds as vendors tell them; or is
    not told."""
    if since is None:
        return found
    start = since.replace(microsecond=0)
    return [each for each in found if (utc(dig(each, path)) or start) >= start]


def every(step: Callable[[Cursor], Talk[Stretch]]) -> Talk[list[Any]]:
    """All of a list, of which `step` reads the stretch at a position."""
    found: list[Any] = []
    cursor: Cursor | None = {}
    while cursor is not None:
        part, cursor = yield from step(cursor)
        found += part
    return found


def bodies(json: Any, path: str) -> list[Any]:
    """The objects in the list at a path; an empty path is the answer itself."""
    return many({"items": json}, "items") if not path else many(json, path)


def changed(found: list[Any], path: str | None, since: datetime | None) -> list[Any]:
    """Of these, those that changed since then, oldest change first, where the path of that moment is known."""
    if since is None or path is None:
        return found
    dated = [(when, each) for each in found if (when := utc(dig(each, path))) and when >= since]
    return [each for _, each in sorted(dated, key=lambda pair: pair[0])]


def sliced(found: list[Any], cursor: Cursor, limit: int) -> Stretch:
    """A stretch of what came in one piece."""
    start = int(cursor.get("skip", 0))
    end = start + limit
    return found[start:end], {"skip": end} if end < len(found) else None


def window(
    found: list[Any],
    following: Any,
    cursor: Cursor,
    *,
    since: str,
    write: Callable[[datetime], str],
    at: tuple[str, ...],
    id: str = "id",
) -> Stretch:
    """A stretch of a list that is sorted by change, where a position is an offset (`following`, None at the end).
    `at` are the paths at which a record's moment of change may stand, `id` is that of its id.

    A record that changes meanwhile moves to the end, and the one behind it would be passed over. So every page begins
    the list anew at its last moment, without the ids already given there; only within one moment, as fine as the
    vendor's filter is (`write`), is the offset used.
    """
    seen = cursor.get("seen", ())
    fresh = [each for each in found if dig(each, id) not in seen]
    moments = [next((when for path in at if (when := utc(dig(each, path)))), None) for each in found]
    if following is None or not moments:
        return fresh, None
    start = cursor.get("from") or since
    edge = start if moments[-1] is None else write(moments[-1])
    here = [dig(each, id) for each, moment in zip(found, moments, strict=True) if moment and write(moment) == edge]
    if edge != start:
        return fresh, {"from": edge, "seen": here}
    # The offset does the work here; more ids than these would outgrow a cursor.
    return fresh, {"from": edge, "start": following, "seen": list(dict.fromkeys([*seen, *here]))[-SEEN:]}


class Paging(Protocol):
    """A way of walking a list."""

    @property
    def changes(self) -> bool:
        """Whether it can be narrowed to what changed since a moment."""
        ...

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        """The query that asks for a stretch."""
        ...

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        """The stretch that was answered."""
        ...


@dataclass(frozen=True, slots=True)
class Since:
    """How a list is asked for what changed since a moment.

    param: of the query. write: the moment as the vendor takes it.
    at: path of the moment of change in a record, where the list is sorted by it; `query` makes it so, oldest first.
    """

    param: str
    write: Callable[[datetime], str] = second
    at: str | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Whole:
    """The vendor answers everything at once; we give it out in stretches. `at`: path of the moment of change."""

    items: str = ""
    at: str | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def changes(self) -> bool:
        """Whether a record says when it changed."""
        return self.at is not None

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        """The query that asks for everything."""
        return dict(self.query)

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        """A stretch of everything."""
        return sliced(changed(bodies(response.body, self.items), self.at, since), cursor, limit)


@dataclass(frozen=True, slots=True)
class Offset:
    """A position is a number: of records to leave out, or of the page where `first` is given.

    items: path of the list. start, size: parameters. most: the vendor's largest page.
    more: path of what says that there is more (true, a number or a text); without it, a full page may have another.
    query: what is asked for besides; `plain` only where nothing is said of changes.
    """

    items: str = ""
    start: str = "offset"
    size: str = "limit"
    most: int = 100
    first: int | None = None
    more: str | None = None
    id: str = "id"
    since: Since | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    plain: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def changes(self) -> bool:
        """Whether the vendor can be asked for what changed."""
        return self.since is not None

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        """The query that asks for a stretch."""
        place = {self.start: str(cursor.get("start", self.first or 0)), self.size: str(min(limit, self.most))}
        if since is None or self.since is None:
            return {**self.query, **self.plain, **place}
        changed = {self.since.param: str(cursor.get("from") or self.since.write(since))}
        return {**self.query, **self.since.query, **changed, **place}

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        """The stretch that was answered."""
        found, size = bodies(response.body, self.items), min(limit, self.most)
        told = dig(response.body, self.more) if self.more else len(found) >= size
        here = int(cursor.get("start", self.first or 0))
        following = (here + 1 if self.first is not None else here + len(found)) if told and found else None
        spec = self.since
        if since is None or spec is None or spec.at is None:
            return found, None if following is None else {"start": following}
        return window(found, following, cursor, since=spec.write(since), write=spec.write, at=(spec.at,), id=self.id)


@dataclass(frozen=True, slots=True)
class Keyset:
    """A position is the id of the last record; the list is sorted by id, so that nothing moves while it is read."""

    items: str
    after: str
    size: str = "limit"
    most: int = 100
    id: str = "id"
    since: Since | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def changes(self) -> bool:
        """Whether the vendor can be asked for what changed."""
        return self.since is not None

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        """The query that asks for a stretch."""
        changed = {self.since.param: self.since.write(since)} if since and self.since else {}
        place = {self.after: str(cursor["last"])} if "last" in cursor else {}
        return {**self.query, **changed, **place, self.size: str(min(limit, self.most))}

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        """The stretch that was answered."""
        found = bodies(response.body, self.items)
        last = dig(found[-1], self.id) if len(found) >= min(limit, self.most) else None
        return found, None if last is None else {"last": str(last)}


@dataclass(frozen=True, slots=True)
class Token:
    """A position is a word of the vendor's, at the path `following` of an answer; `more` tells whether it leads on."""

    items: str
    after: str
    following: str
    size: str = "limit"
    most: int = 100
    more: str | None = None
    since: Since | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def changes(self) -> bool:
        """Whether the vendor can be asked for what changed."""
        return self.since is not None

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        """The query that asks for a stretch; what was asked for is asked for again with every position."""
        changed = {**self.since.query, self.since.param: self.since.write(since)} if since and self.since else {}
        place = {self.after: str(cursor["after"])} if "after" in cursor else {}
        return {**self.query, **changed, **place, self.size: str(min(limit, self.most))}

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        """The stretch that was answered."""
        found, after = bodies(response.body, self.items), dig(response.body, self.following)
        ends = not found or after in (None, "") or (self.more is not None and not dig(response.body, self.more))
        return found, None if ends or str(after) == cursor.get("after") else {"after": str(after)}


OVERLAP = 20
"""So many records before a page are asked for again with it."""


@dataclass(frozen=True, slots=True)
class Overlapping(Offset):
    """Offsets into a list that moves while it is read: what is deleted, or put elsewhere, draws others over the edge of
    a page. So a page is asked for with the end of the one before, and what was given there is not given again. Where
    nothing of it is found, more has moved than that, and the page before is asked for again.

    at: path of the moment of change, where a record that changes may move: then it is given again.
    more: path of the number of all records; where it is not told, the list ends where nothing is new.
    """

    at: str | None = None

    def _page(self, cursor: Cursor, limit: int) -> tuple[int, int]:
        """Where a page really begins, and how many records it may have."""
        start = int(cursor.get("start", 0))
        overlap = min(OVERLAP, start)
        return start - overlap, min(limit + overlap, self.most)

    def _state(self, body: Any) -> Any:
        """A record as it was at a moment."""
        return f"{dig(body, self.id)} {dig(body, self.at)}" if self.at else dig(body, self.id)

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        """The query that asks for a stretch. Since the beginning is everything, whether it has a moment or not."""
        start, size = self._page(cursor, limit)
        return Offset.ask(self, since if since and since > OLDEST else None, {"start": start}, size)

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        """The stretch that was answered; an empty one where the page before has to be asked for again."""
        start, _ = self._page(cursor, limit)
        found, seen = bodies(response.body, self.items), cursor.get("seen", ())
        fresh = [(place, each) for place, each in enumerate(found, start) if self._state(each) not in seen]
        lost, end = len(fresh) == len(found), start + len(found)
        if lost and start:
            return [], {"start": max(start - min(limit, self.most - OVERLAP), 0), "seen": seen, "back": True}
        given, rest = [each for _, each in fresh[:limit]], fresh[limit:]
        total = dig(response.body, self.more) if self.more else None
        over = end <= int(cursor.get("start", 0)) if self.more else not fresh and end <= int(cursor.get("start", 0))
        if not rest and (over or (isinstance(total, int) and end >= total)):
            return given, None
        onward = rest[0][0] if rest else end
        # What was given further on must not be taken for what comes before.
        known = [*(() if lost and "back" in cursor else seen), *(self._state(each) for each in found[: onward - start])]
        return given, {"start": onward, "seen": known[-2 * OVERLAP :]}
