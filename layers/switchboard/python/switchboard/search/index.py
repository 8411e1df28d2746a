"""The lists in which a contact stands.

A list holds positions: what it is sorted by, and the contact's id. Lists by equality (`email=ada@engines.example`)
are sorted by when contacts were made, so that the usual order needs no sorting and a change touches only what changed;
lists of an order (`by#updated_at`) and of words are sorted by value, for ranges and beginnings of words. Nothing else
of the contact stands in them: whatever changes is written once, with the contact, and an update of a field that nobody
searches by costs no index. The record itself is looked at before it is shown.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from switchboard.crm.codecs import utc
from switchboard.ports import Posting, Stored
from switchboard.search.contact import fold
from switchboard.search.fields import CUSTOM, FIELDS, ORDERS, Field, comparable, field

MARK = "\x1f"
"""Stands between the parts of a position: below every character of a text that was folded."""
LOWEST, HIGHEST = "\x00", "\U0010ffff"
"""Below and above every position."""

VALUE = 120
"""So many characters of a value stand in the name of a list; a longer one is named by its hash."""
KEY = 64
"""So many characters of a text are sorted by."""
WORDS = 16
"""By so many words of a text a contact is found: by the first."""
EDGE = 3
"""So many first characters of a word have a list of their own, in the usual order."""

WORD = re.compile(r"[^\W_]+")
NOBODY = ""
"""The owner of those that have none."""


def words(text: str) -> list[str]:
    """The words of a text, as they are compared."""
    return WORD.findall(fold(text))


def moment_key(value: Any) -> str:
    """A moment as it is sorted, to the millisecond; nothing comes before everything."""
    when = utc(value)
    return when.isoformat(timespec="milliseconds")[:23] if when else ""


def text_key(value: Any) -> str:
    """A text as it is sorted."""
    return fold(str(value))[:KEY] if value else ""


def order_key(order: str, stored: Stored) -> str:
    """What a contact is sorted by."""
    value = stored.body.get(order)
    return moment_key(value) if FIELDS[order].kind == "moment" else text_key(value)


def position(key: str, id: str) -> str:
    """A place in a list."""
    return key + MARK + id


def id_at(place: str) -> str:
    """Whose place it is."""
    return place.rpartition(MARK)[2]


def term(each: Field, value: Any, account: str) -> str:
    """The name of a list by equality; `account` counts where each has its own."""
    told = str(comparable(each.kind, value))
    if len(told) > VALUE:
        told = "~" + sha256(told.encode()).hexdigest()[:40]
    return f"{each.term}#{account}={told}" if each.broad else f"{each.term}={told}"


def by(order: str, account: str) -> str:
    """The name of the list of an account in an order."""
    return f"by#{order}#{account}"


def leads_to_all(posting: Posting) -> bool:
    """Whether a place stands in the list by which all contacts of an account are found."""
    return posting.list.startswith("by#created_at#")


def word_list(account: str) -> str:
    """The name of the list of an account's words."""
    return f"words#{account}"


def edge(word: str, account: str) -> str:
    """The name of the list of those that have a word with this beginning."""
    return f"edge#{account}={word[:EDGE]}"


def postings(stored: Stored, searchable: Iterable[str] = ()) -> tuple[Posting, ...]:
    """Where a contact has to stand, in a steady order. `searchable`: custom fields with an index."""
    return tuple(sorted(set(_postings(stored, searchable))))


def _postings(stored: Stored, searchable: Iterable[str]) -> Iterator[Posting]:
    account = stored.account
    usual = position(order_key("created_at", stored), stored.id)
    for order in ORDERS:
        yield Posting(by(order, account), position(order_key(order, stored), stored.id))
    own = [found for name in searchable if (found := field(CUSTOM + name))]
    for each in (*FIELDS.values(), *own):
        if each.term is None:
            continue
        values = each.values(stored, {})
        for value in values or ([NOBODY] if each.term == "owner" else []):
            if value == NOBODY or comparable(each.kind, value) is not None:
                yield Posting(term(each, value, account), usual)
    for word in word_set(stored):
        yield Posting(word_list(account), position(word, stored.id))
        yield Posting(edge(word, account), usual)


def word_set(stored: Stored) -> Sequence[str]:
    """The words by which a contact is found: of its names, its company, its addresses of e-mail."""
    told = [value for each in FIELDS.values() if each.words for value in each.values(stored, {})]
    return list(dict.fromkeys(word[:KEY] for value in told for word in words(str(value))[:WORDS]))
