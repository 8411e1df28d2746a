"""Variables: what a text mentions, what it may mention, and what that stands for in a record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from switchboard import models
from switchboard.crm.wire import many
from switchboard.pods.blocks import TEXT, Said
from switchboard.pods.language import REMEMBERED, TextError, cleaned, parsed

ROOTS = {"deal": "deals", "company": "companies", "contact": "contacts", "lead": "leads", "owner": "users"}
"""What a text may speak of, and the resource that each is."""
VENDOR = "crm"
"""What stands below it are fields of the record by the vendor's own names."""
SHORT = {"email": ("emails", "email_addresses"), "phone": ("phones", "phone_numbers")}
"""What most have one of: the first of a list, by the names that lists of it have."""
NAME = 200
"""So long the name of a variable may be."""
ITEMS = 100
"""So many items of a list of the vendor's are spoken of."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A variable that a text mentions: `company.name` is the root `company` and the way `("name",)` below it."""

    root: str
    way: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.root, *self.way))


def fields(root: str) -> list[str]:
    """The fields of what a text may speak of."""
    return sorted(_fields(root))


@cache
def _fields(root: str) -> frozenset[str]:
    names = frozenset(models.load(ROOTS[root]).readable)
    return names | {short for short, lists in SHORT.items() if names & set(lists)}


@lru_cache(maxsize=REMEMBERED)
def mentions(text: str, said: Said) -> frozenset[Mention]:
    """The variables that a text mentions. Raises TextError for one that there is not."""
    if "{" not in text:
        return frozenset()
    found, analysis = set[Mention](), parsed(text, said).analyze(include_partials=False)
    for told in analysis.globals.values():
        for each in told:
            if any(isinstance(step, list) for step in each.segments):
                raise TextError(f"{str(each)[:NAME]} is worked out: say the name itself")
            found.add(_known([step for step in each.segments if isinstance(step, str)]))
    return frozenset(found)


def named(name: str) -> Mention:
    """The variable of that name. Raises TextError where there is none."""
    root, *way = name[: NAME + 1].split(".")
    if not all(way):
        raise TextError(f"{name[:NAME]} is no variable")
    return _known([root, ".".join(way)] if root == VENDOR and way else [root, *way])


def _known(way: list[str]) -> Mention:
    root, *below = way or [""]
    if len(".".join(way)) > NAME:
        raise TextError(f"{root[:20]} has a name of more than {NAME} characters")
    if root == VENDOR:
        if not below:
            raise TextError("crm alone says nothing: name one of the CRM's fields, as crm.field")
        return Mention(root, (below[0],))
    if root not in ROOTS:
        raise TextError(f"{root} is no variable; there are {', '.join(ROOTS)} and {VENDOR}")
    if not below:
        raise TextError(f"{root} alone says nothing: name one of its fields, as {root}.{_example(root)}")
    if below[0] not in _fields(root):
        raise TextError(f"{root}.{below[0]} is no variable; {root} has {', '.join(fields(root))}")
    return Mention(root, tuple(below))


def _example(root: str) -> str:
    return "name" if "name" in _fields(root) else "id"


def spoken(item: Mapping[str, Any]) -> dict[str, Any]:
    """A record of ours as texts speak of it: clean, and with the short names of what there is mostly one of."""
    found = {name: _clean(value) for name, value in item.items()}
    for short, lists in SHORT.items():
        key = "number" if short == "phone" else "email"
        first = next((each[key] for name in lists for each in many(found, name) if each.get(key)), None)
        if first and not found.get(short):
            found[short] = first
    return found


def spoken_of(value: Any) -> Any:
    """A value of the vendor's as texts speak of it: a text, a number, a list of such; None for anything else."""
    match value:
        case str():
            return _clean(value) or None
        case bool() | int() | float():
            return value
        case list():
            told = [spoken_of(each) for each in value[:ITEMS] if not isinstance(each, list)]
            return [each for each in told if each is not None] or None
        case _:
            return None


def _clean(value: Any) -> Any:
    match value:
        case str():
            return cleaned(value[: 2 * TEXT])[:TEXT]
        case dict():
            return {name: _clean(each) for name, each in value.items()}
        case list():
            return [_clean(each) for each in value]
        case _:
            return value


def value(values: Mapping[str, Any], mention: Mention) -> Any:
    """What a variable stands for; None where it has no value."""
    found: Any = values.get(mention.root)
    for step in mention.way:
        found = found.get(step) if isinstance(found, Mapping) else None
    return None if found in ("", [], {}) else found


def missing(values: Mapping[str, Any], mentioned: Iterable[Mention]) -> list[str]:
    """The variables that have no value, by name."""
    return sorted({str(each) for each in mentioned if value(values, each) is None})


def laid_over(values: Mapping[str, Any], overrides: Mapping[str, str]) -> dict[str, Any]:
    """Values with some of them said otherwise, by the names of their variables."""
    found = {name: dict(each) if isinstance(each, Mapping) else each for name, each in values.items()}
    for name, said in overrides.items():
        mention = named(name)
        part = found.setdefault(mention.root, {})
        for step in mention.way[:-1]:
            inner = part.get(step)
            part[step] = dict(inner) if isinstance(inner, Mapping) else {}
            part = part[step]
        part[mention.way[-1]] = cleaned(said)
    return found
