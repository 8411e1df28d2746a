"""Keeping contacts: what has to be written for one that is new, changed or gone, and in which order.

The contact is written first, and says that it is not settled: where it stands from now on, and where no longer. Then
its new places in lists are written, old ones removed, and the contact is settled. Whoever meets one that is not goes on
there, so that a crash leaves nothing behind; until then a place too many does no harm, because who reads a list looks
at the contact. Every write of a contact names the version that was seen: of two writers one looks again, and who is
overtaken clears away what it has written; a place of a newer version is not removed by who is still busy with an older
one. A state that is older than the one kept is never believed, so that searches that lag behind, and messages that come
twice or late, change nothing.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from switchboard.crm.codecs import utc
from switchboard.crm.dialect import Record
from switchboard.ports import Contacts, Posting, Stored
from switchboard.search import index
from switchboard.search.contact import contact_id, kept

REMEMBERED = 3600
"""So many seconds an older state of a deleted contact is not believed: longer than any search of a CRM lags behind."""
AHEAD = 24 * 3600
"""A moment of change that lies further in the future than this, in seconds, is a mistake and tells nothing."""
ATTEMPTS = 5
"""So often a contact is looked at again that somebody else has just written."""


class BusyError(RuntimeError):
    """A contact is being written by others all the time."""


@dataclass(slots=True)
class Tally:
    """What became of contacts."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.gone + other.gone,
        )


@dataclass(frozen=True, slots=True)
class Whose:
    """Of which account contacts are, and which of its custom fields have an index."""

    brand: str
    account: str
    crm: str
    searchable: tuple[str, ...] = ()


def stored(whose: Whose, item: Record) -> Stored:
    """A CRM's record as it is to be kept, with its postings."""
    remote_id = str(item["id"])
    id = contact_id(whose.brand, whose.account, remote_id)
    bare = Stored(whose.brand, id, whose.account, whose.crm, remote_id, kept(item))
    postings = index.postings(bare, whose.searchable)
    told = json.dumps([bare.body, [(each.list, each.at) for each in postings]], sort_keys=True, ensure_ascii=False)
    return replace(bare, postings=postings, digest=sha256(told.encode()).hexdigest()[:32])


@dataclass(frozen=True, slots=True)
class Change:
    """One contact's writes: `kept` itself, then the places `added`, then `kept.drops` are removed."""

    seen: Stored | None
    kept: Stored
    added: tuple[Posting, ...] = ()

    @property
    def version_seen(self) -> int | None:
        """The version that has to stand there still."""
        return self.seen.version if self.seen else None


def change(seen: Stored | None, new: Stored, now: float) -> Change | None:
    """What has to be written so that `new` stands instead of what was seen; None if nothing has to be."""
    if seen is None:
        return Change(None, replace(new, settled=False), new.postings)
    if not believed(seen, new, now) or (seen.digest == new.digest and not seen.gone_until):
        return mended(seen)
    drops = {*seen.postings, *seen.drops}.difference(new.postings)
    whole = replace(new, version=seen.version + 1, drops=tuple(sorted(drops)), settled=False)
    # What another has not settled may not stand there yet.
    there = seen.postings if seen.settled else ()
    return Change(seen, whole, tuple(sorted(set(new.postings).difference(there))))


def mended(seen: Stored) -> Change | None:
    """What a broken-off change has left to do; None if nothing."""
    return None if seen.settled else Change(seen, replace(seen, version=seen.version + 1), seen.postings)


def removal(seen: Stored, now: float) -> Change | None:
    """What has to be written so that a contact is gone; None if it is."""
    if seen.gone_until:
        return mended(seen)
    gone = replace(
        seen,
        version=seen.version + 1,
        body={"updated_at": seen.updated_at} if seen.updated_at else {},
        digest="",
        postings=(),
        drops=tuple(sorted({*seen.postings, *seen.drops})),
        gone_until=int(now) + REMEMBERED,
        settled=False,
    )
    return Change(seen, gone)


def believed(seen: Stored, new: Stored, now: float) -> bool:
    """Whether a state that was just read may stand instead of the one that is kept."""
    old_moment, new_moment = _moment(seen, now), _moment(new, now)
    if seen.gone_until and seen.gone_until > now:
        return bool(old_moment and new_moment and new_moment > old_moment)
    return not (old_moment and new_moment and new_moment < old_moment)


def _moment(stored: Stored, now: float) -> datetime | None:
    found = utc(stored.updated_at)
    return found if found and found.timestamp() <= now + AHEAD else None


@dataclass(slots=True)
class Keeper:
    """Writes contacts of one brand."""

    contacts: Contacts
    brand: str
    now: float

    def keep(self, incoming: Iterable[Stored]) -> Tally:
        """Store what was read from a CRM. Of several states of one contact the newest counts."""
        newest: dict[str, Stored] = {}
        for each in incoming:
            if each.id not in newest or believed(newest[each.id], each, self.now):
                newest[each.id] = each
        tally, left = Tally(), newest
        for _ in range(ATTEMPTS):
            known = self.contacts.contacts(self.brand, list(left))
            changes = [change(known.get(id), each, self.now) for id, each in left.items()]
            tally.unchanged += sum(each is None for each in changes)
            left = {id: newest[id] for id in self._write([each for each in changes if each], tally)}
            if not left:
                return tally
        raise BusyError(f"{len(left)} contacts are being written by others")

    def remove(self, ids: Sequence[str]) -> Tally:
        """Forget contacts that the CRM has no more."""
        tally, left = Tally(), list(ids)
        for _ in range(ATTEMPTS):
            known = self.contacts.contacts(self.brand, left)
            left = self._write([found for each in known.values() if (found := removal(each, self.now))], tally)
            if not left:
                return tally
        raise BusyError(f"{len(left)} contacts are being written by others")

    def _write(self, changes: Sequence[Change], tally: Tally) -> list[str]:
        """Carry changes out; answers the ids of those that somebody else was quicker with."""
        # First, where all contacts of an account are found: one that is half written is to be met again.
        places = [(posting, each.kept.version) for each in changes for posting in each.added]
        self.contacts.post(self.brand, [each for each in places if index.leads_to_all(each[0])])
        stored = self.contacts.put_all([(each.kept, each.version_seen) for each in changes])
        done = [each for each, ok in zip(changes, stored, strict=True) if ok]
        for each in done:
            _count(each, tally)
        places = [(posting, each.kept.version) for each in done for posting in each.added]
        self.contacts.post(self.brand, [each for each in places if not index.leads_to_all(each[0])])
        drops = [
            (posting, each.kept.version, each.kept.gone_until and index.leads_to_all(posting))
            for each in done
            for posting in each.kept.drops
        ]
        self.contacts.drop(self.brand, [(posting, version) for posting, version, last in drops if not last])
        # Last, for the same reason; but before it is settled, or it would stay after a crash.
        self.contacts.drop(self.brand, [(posting, version) for posting, version, last in drops if last])
        settled = self.contacts.put_all([(_settled(each.kept), each.kept.version) for each in done])
        overtaken = [each for each, ok in zip(done, settled, strict=True) if not ok]
        if overtaken:
            self._clear_away(overtaken)
        return [each.kept.id for each, ok in zip(changes, stored, strict=True) if not ok]

    def _clear_away(self, overtaken: Sequence[Change]) -> None:
        """Places that were written after somebody else had already moved the contact elsewhere; and those that it has
        again, which were written anew for an older version than it has by now."""
        left, seen = list(overtaken), dict[str, int]()
        for _ in range(ATTEMPTS):
            known = self.contacts.contacts(self.brand, [each.kept.id for each in left])
            left = [each for each in left if (kept := known.get(each.kept.id)) and seen.get(kept.id) != kept.version]
            if not left:
                return
            places = [(posting, each.kept, known[each.kept.id]) for each in left for posting in each.added]
            own = [(posting, now.version) for posting, _, now in places if posting in now.postings]
            self.contacts.post(self.brand, own)
            strays = [
                (posting, seen.get(then.id, then.version))
                for posting, then, now in places
                if posting not in now.postings
            ]
            self.contacts.drop(self.brand, strays)
            seen = {id: now.version for id, now in known.items()}


def _settled(kept: Stored) -> Stored:
    return replace(kept, version=kept.version + 1, drops=(), settled=True)


def _count(each: Change, tally: Tally) -> None:
    if each.kept.gone_until:
        tally.gone += not (each.seen and each.seen.gone_until)
    elif each.seen is None or each.seen.gone_until:
        tally.new += 1
    elif each.seen.digest == each.kept.digest:
        tally.unchanged += 1
    else:
        tally.changed += 1
