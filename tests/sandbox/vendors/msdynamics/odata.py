"""The words of OData that are understood here: $filter, $orderby, $expand and the Prefer header. It knows no columns.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NoReturn

TOKENS = re.compile(
    r"""\s*(?:
      (?P<string>'(?:''|[^'])*')
    | (?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_]\w*(?:/[A-Za-z_]\w*)*)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le")
FUNCTIONS = ("contains", "startswith", "endswith")


class QueryError(Exception):
    """A query option that cannot be read."""


@dataclass(frozen=True)
class Literal:
    """A value and how it was written: string, guid, datetime, date, number, boolean or null."""

    type: str
    value: Any


@dataclass(frozen=True)
class Comparison:
    path: str
    operator: str
    value: Literal


@dataclass(frozen=True)
class Not:
    inner: "Condition"


@dataclass(frozen=True)
class Junction:
    word: str
    parts: tuple["Condition", ...]


type Condition = Comparison | Not | Junction


def condition(text: str) -> Condition:
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        self.place = 0
        at = 0
        while text[at:].strip():
            match = TOKENS.match(text, at)
            if match is None or match.lastgroup is None:
                self.refuse(at)
            self.tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        self.tokens.append(("end", "", len(text)))

    def refuse(self, at: int | None = None) -> NoReturn:
        place = self.tokens[self.place][2] if at is None else at
        raise QueryError(f"Syntax error at position {place} in '{self.text}'.")

    def took(self, word: str) -> bool:
        kind, text, _ = self.tokens[self.place]
        if kind not in ("name", "mark") or text != word:
            return False
        self.place += 1
        return True

    def need(self, word: str) -> None:
        if not self.took(word):
            self.refuse()

    def take(self, kind: str) -> str:
        if self.tokens[self.place][0] != kind:
            self.refuse()
        self.place += 1
        return self.tokens[self.place - 1][1]

    def whole(self) -> Condition:
        found = self.junction("or")
        if self.tokens[self.place][0] != "end":
            self.refuse()
        return found

    def junction(self, word: str) -> Condition:
        """`and` binds closer than `or`."""
        parts = [self.junction("and") if word == "or" else self.term()]
        while self.took(word):
            parts.append(self.junction("and") if word == "or" else self.term())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def term(self) -> Condition:
        if self.took("not"):
            return Not(self.term())
        if self.took("("):
            inner = self.junction("or")
            self.need(")")
            return inner
        name = self.take("name")
        if name in FUNCTIONS:
            self.need("(")
            path = self.take("name")
            self.need(",")
            text = self.literal()
            self.need(")")
            return Comparison(path, name, text)
        operator = self.take("name")
        if operator not in OPERATORS:
            self.place -= 1
            self.refuse()
        return Comparison(name, operator, self.literal())

    def literal(self) -> Literal:
        kind, text, _ = self.tokens[self.place]
        if kind in ("mark", "end") or (kind == "name" and text not in ("true", "false", "null")):
            self.refuse()
        self.place += 1
        match kind:
            case "name":
                return Literal("null", None) if text == "null" else Literal("boolean", text == "true")
            case "string":
                return Literal(kind, text[1:-1].replace("''", "'"))
            case "number":
                return Literal(kind, float(text))
            case _:
                return Literal(kind, text)


def ordering(text: str) -> list[tuple[str, bool]]:
    """Columns, and whether each goes down."""
    found: list[tuple[str, bool]] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\w+)(?:\s+(asc|desc))?\s*", part)
        if match is None:
            raise QueryError(f"Syntax error at position 0 in '{text}'.")
        found.append((match[1], match[2] == "desc"))
    return found


def expansion(text: str) -> dict[str, list[str]]:
    """`parentaccountid($select=name),owninguser` as navigation -> columns; none named means all."""
    found: dict[str, list[str]] = {}
    for part in re.split(r",(?![^(]*\))", text):
        match = re.fullmatch(r"\s*(\w+)(?:\(\$select=([\w,\s]+)\))?\s*", part)
        if match is None:
            raise QueryError(f"Syntax error at position 0 in '{text}'.")
        found[match[1]] = listed(match[2] or "")
    return found


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@dataclass(frozen=True)
class Preferences:
    """The Prefer header: several wishes in one, separated by commas."""

    representation: bool = False
    annotations: tuple[str, ...] = ()
    page_size: int | None = None
    tracks_changes: bool = False

    def wants(self, annotation: str) -> bool:
        return any(fnmatchcase(annotation, pattern) for pattern in self.annotations)


def preferences(header: str) -> Preferences:
    """Wishes that are not understood are not refused: that is what Prefer means (RFC 7240)."""
    found = re.findall(r'([\w.-]+)(?:\s*=\s*(?:"([^"]*)"|([^",;\s]*)))?', header)
    wishes = {name: quoted or plain for name, quoted, plain in found}
    size = wishes.get("odata.maxpagesize", "")
    return Preferences(
        representation=wishes.get("return") == "representation",
        annotations=tuple(listed(wishes.get("odata.include-annotations", ""))),
        page_size=int(size) if size.isdigit() and int(size) > 0 else None,
        tracks_changes="odata.track-changes" in wishes,
    )
