"""Where to look: which lists of the index hold all contacts that meet a condition, and how these lists are sorted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from switchboard.ports import Checkpoint, Owner, Span
from switchboard.search import index
from switchboard.search.contact import ID_DIGITS, PREFIX, contact_id, fold
from switchboard.search.fields import CUSTOM, FIELDS, Field
from switchboard.search.filters import Clause, Condition, Either, Spoken

USUAL = "created_at"
"""What lists by equality are sorted by."""
TRIED = 3
"""So many words of a text are ways to find it."""
LONGEST = len(PREFIX) + ID_DIGITS
"""So long an id of ours is."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The accounts whose contacts are looked through, by id; and all owners that are known, by account and id."""

    brand: str
    accounts: Mapping[str, Checkpoint]
    owners: Mapping[str, Mapping[str, Owner]]

    def of(self, account: str) -> Mapping[str, Owner]:
        """The owners of an account."""
        return self.owners.get(account, {})


@dataclass(frozen=True, slots=True)
class Source:
    """Lists that together hold every contact that meets a condition, and others maybe. `order`: what they are sorted
    by; None where that is nothing a search is sorted by. `ids`: the contacts themselves, where they are known."""

    spans: tuple[Span, ...] = ()
    order: str | None = None
    ids: tuple[str, ...] | None = None


def everything(scope: Scope, order: str) -> Source:
    """All contacts, in an order."""
    return Source(tuple(_all(index.by(order, account)) for account in scope.accounts), order)


def sources(clause: Clause, scope: Scope) -> list[Source]:
    """The ways to find what meets a condition; none where only a look at every contact tells."""
    match clause:
        case Condition():
            return list(_condition(clause, scope))
        case Spoken():
            return list(_words(clause.words, scope, begun=clause.words))
        case Either():
            return list(_either(clause, scope))


def _either(clause: Either, scope: Scope) -> Iterable[Source]:
    """Together they are found where each is found, if the lists are sorted alike."""
    ways = [sources(each, scope) for each in clause.conditions]
    if ways and all(any(way.ids is not None for way in each) for each in ways):
        yield Source(ids=tuple(id for each in ways for way in each for id in way.ids or ()))
    for order in (USUAL, *(each.name for each in FIELDS.values() if each.order and each.name != USUAL)):
        alike = [next((way for way in each if way.order == order), None) for each in ways]
        spans = [span for way in alike if way for span in way.spans]
        if alike and all(alike):
            yield Source(tuple(dict.fromkeys(spans)), order)


def narrowed(clauses: Sequence[Clause], scope: Scope) -> tuple[tuple[Clause, ...], Scope]:
    """The accounts that conditions leave, and the conditions that are left then."""
    left, accounts = list[Clause](), dict(scope.accounts)
    for clause in clauses:
        whose = isinstance(clause, Condition) and clause.operator in ("eq", "in") and ACCOUNTS.get(clause.field.name)
        if isinstance(clause, Condition) and whose:
            accounts = {id: each for id, each in accounts.items() if whose(each) in clause.values}
        else:
            left.append(clause)
    return tuple(left), Scope(scope.brand, accounts, scope.owners)


ACCOUNTS: Mapping[str, Callable[[Checkpoint], str]] = {
    "source.integrated_account_id": lambda checkpoint: checkpoint.account,
    "source.crm": lambda checkpoint: checkpoint.crm,
}
"""What accounts are told apart by."""


def _condition(clause: Condition, scope: Scope) -> Iterable[Source]:
    field, values = clause.field, clause.values
    match clause.operator:
        case "eq" | "in":
            yield from _equal(field, values, scope)
        case "starts_with" if field.words:
            yield from _beginning(field, values, scope, whole=False)
        case "is_empty" if field.name == "owner.id":
            yield _terms(field, [index.NOBODY], scope)
        case "gt" | "gte" | "lt" | "lte" | "between" if field.kind == "moment":
            yield _ranged(clause, scope)
        case _:
            pass


def _equal(field: Field, values: Sequence[Any], scope: Scope) -> Iterable[Source]:
    if field.name == "id":
        yield Source(ids=tuple(each for each in values if each.startswith(PREFIX) and len(each) <= LONGEST))
    elif field.name == "source.remote_id":
        yield Source(ids=tuple(contact_id(scope.brand, account, each) for account in scope.accounts for each in values))
    elif whose := ACCOUNTS.get(field.name):
        accounts = [id for id, each in scope.accounts.items() if whose(each) in values]
        yield Source(tuple(_all(index.by(USUAL, id)) for id in accounts), USUAL)
    elif field.name in ("owner.name", "owner.email"):
        yield _owned(field.name.removeprefix("owner."), values, scope)
    elif field.term and _indexed(field, scope):
        yield _terms(field, values, scope)
    elif field.words:
        yield from _beginning(field, values, scope, whole=True)
    elif field.kind == "moment":
        spans = [_ranged(Condition(field, "eq", (each,)), scope).spans for each in values]
        yield Source(tuple(span for each in spans for span in each), field.name)


def _beginning(field: Field, values: Sequence[Any], scope: Scope, *, whole: bool) -> Iterable[Source]:
    """By the field's own order, if it has one, and by the words of the value."""
    if field.order:
        keys = [str(each)[: index.KEY] for each in values]
        yield Source(
            tuple(_from(index.by(field.name, account), key) for account in scope.accounts for key in keys), field.name
        )
    if len(values) == 1:
        words = index.words(values[0])
        begun = () if whole or len(words) > index.WORDS else words[-1:]
        yield from _words(words[: index.WORDS], scope, begun=begun)


def _ranged(clause: Condition, scope: Scope) -> Source:
    low, high = bounds(clause)
    order = clause.field.name
    accounts = scope.accounts if low <= high else ()
    return Source(tuple(Span(index.by(order, each), low, high) for each in accounts), order)


def _indexed(field: Field, scope: Scope) -> bool:
    """Whether a field has an index; a custom one has it where all accounts were told to make one."""
    if field.kind != "custom":
        return True
    name = field.name.removeprefix(CUSTOM)
    return all(name in each.indexed for each in scope.accounts.values())


def _terms(field: Field, values: Sequence[Any], scope: Scope) -> Source:
    accounts = list(scope.accounts) if field.broad else [""]
    names = [index.term(field, value, account) for value in values for account in accounts]
    return Source(tuple(map(_all, dict.fromkeys(names))), USUAL)


def _owned(part: str, values: Sequence[Any], scope: Scope) -> Source:
    """Owners are known by name; contacts name theirs by id."""
    owner = FIELDS["owner.id"]
    names = [
        index.term(owner, id, account)
        for account in scope.accounts
        for id, each in scope.of(account).items()
        if fold(str(getattr(each, part) or "")) in values
    ]
    return Source(tuple(map(_all, names)), USUAL)


def _words(words: Sequence[str], scope: Scope, *, begun: Sequence[str]) -> Iterable[Source]:
    """By each of the longest words: which of them is the rare one only their lists can tell. `begun`: words that may be
    the beginning of one: of a text its last, of what was typed all."""
    for word in sorted(dict.fromkeys(words), key=len, reverse=True)[:TRIED]:
        complete = word not in begun
        key = word[: index.KEY]
        end = index.MARK if complete else ""
        yield Source(tuple(_from(index.word_list(account), key + end) for account in scope.accounts))
        if complete or len(key) >= index.EDGE:
            yield Source(tuple(_all(index.edge(key, account)) for account in scope.accounts), USUAL)


def bounds(clause: Condition) -> tuple[str, str]:
    """The first and the last place that a range of moments may have in a list that is sorted by them."""
    low, high = index.LOWEST, index.HIGHEST
    first, last = (_moment(each) for each in (clause.values[0], clause.values[-1]))
    if clause.operator in ("eq", "gt", "gte", "between"):
        low = first
    if clause.operator in ("eq", "lt", "lte", "between"):
        high = last + index.HIGHEST
    return low, high


def _moment(value: datetime) -> str:
    return index.moment_key(value.isoformat())


def _all(name: str) -> Span:
    return Span(name, index.LOWEST, index.HIGHEST)


def _from(name: str, beginning: str) -> Span:
    return Span(name, beginning, beginning + index.HIGHEST)
