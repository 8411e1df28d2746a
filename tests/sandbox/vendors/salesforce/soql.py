"""A parser of SOQL's SELECT: fields, queries of children, WHERE with semi-joins, ORDER BY, LIMIT, OFFSET. It knows
words, not fields.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
"""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

TOKENS = re.compile(
    r"""\s*(?:
      (?P<string>'(?:\\.|[^'\\])*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*)
    | (?P<operator><=|>=|!=|<>|=|<|>)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
RESERVED = {"select", "from", "where", "and", "or", "not", "order", "by", "limit", "offset", "like", "in", "null"}


class MalformedQueryError(Exception):
    """The text is no SOQL."""


@dataclass(frozen=True)
class Literal:
    """A value and how it was written: string, datetime, date, number, boolean or null."""

    type: str
    value: Any


@dataclass(frozen=True)
class Comparison:
    field: str
    operator: str
    value: "Literal | tuple[Literal, ...] | Query"


@dataclass(frozen=True)
class Not:
    inner: "Condition"


@dataclass(frozen=True)
class Junction:
    word: str
    parts: tuple["Condition", ...]


type Condition = Comparison | Not | Junction


@dataclass(frozen=True)
class Order:
    field: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    sobject: str
    fields: "tuple[str | Query, ...]"
    counts: bool = False
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
        self.place = 0

    def _tokens(self) -> list[Token]:
        tokens: list[Token] = []
        at = 0
        while self.text[at:].strip():
            match = TOKENS.match(self.text, at)
            if match is None or match.lastgroup is None:
                at += len(self.text[at:]) - len(self.text[at:].lstrip())
                self.refuse(f"line 1:{at} no viable alternative at character '{self.text[at]}'", at)
            tokens.append(Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
            at = match.end()
        return [*tokens, Token("end", "<EOF>", len(self.text))]

    def refuse(self, why: str, at: int) -> NoReturn:
        """The vendor shows the text around the place, an arrow and the place."""
        around = self.text[max(0, at - 30) : at + 30]
        arrow = " " * min(at, 30) + "^"
        raise MalformedQueryError(f"\n{around}\n{arrow}\nERROR at Row:1:Column:{at + 1}\n{why}")

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def took(self, *words: str) -> bool:
        """Takes these words or marks when they come next."""
        ahead = self.tokens[self.place : self.place + len(words)]
        if [token.text.lower() for token in ahead if token.kind in ("name", "mark", "operator")] != list(words):
            return False
        self.place += len(words)
        return True

    def need(self, word: str) -> None:
        if not self.took(word):
            self.unexpected()

    def unexpected(self) -> NoReturn:
        self.refuse(f"unexpected token: '{self.next.text}'", self.next.at)

    def name(self) -> str:
        if self.next.kind != "name" or self.next.text.lower() in RESERVED:
            self.unexpected()
        return self.take().text

    def query(self) -> Query:
        query = self.selection()
        if self.next.kind != "end":
            self.unexpected()
        return query

    def selection(self) -> Query:
        self.need("select")
        counts = self.took("count", "(", ")")
        fields = [] if counts else [self.column()]
        while not counts and self.took(","):
            fields.append(self.column())
        self.need("from")
        sobject = self.name()
        where = self.condition() if self.took("where") else None
        order = self.ordering() if self.took("order", "by") else ()
        limit = self.whole() if self.took("limit") else None
        offset = self.whole() if self.took("offset") else 0
        return Query(sobject, tuple(fields), counts, where, order, limit, offset)

    def column(self) -> str | Query:
        """A field, a group of them, or in parentheses a query of children; those have none of their own here."""
        if self.took("("):
            inner = self.selection()
            self.need(")")
            return inner
        if self.took("fields", "("):
            group = self.name().upper()
            self.need(")")
            return f"FIELDS({group})"
        return self.name()

    def whole(self) -> int:
        if self.next.kind != "number" or not self.next.text.isdigit():
            self.unexpected()
        return int(self.take().text)

    def ordering(self) -> tuple[Order, ...]:
        orders = [self.one_order()]
        while self.took(","):
            orders.append(self.one_order())
        return tuple(orders)

    def one_order(self) -> Order:
        field = self.name()
        descending = self.took("desc")
        if not descending:
            self.took("asc")
        nulls_last = self.took("nulls", "last")
        if not nulls_last:
            self.took("nulls", "first")
        return Order(field, descending, nulls_last)

    def condition(self) -> Condition:
        """AND and OR may not be mixed without parentheses."""
        first = self.term()
        for word in ("and", "or"):
            parts = [first]
            while self.took(word):
                parts.append(self.term())
            if len(parts) > 1:
                if self.next.text.lower() in ("and", "or"):
                    self.unexpected()
                return Junction(word, tuple(parts))
        return first

    def term(self) -> Condition:
        if self.took("not"):
            return Not(self.term())
        if self.took("("):
            inner = self.condition()
            self.need(")")
            return inner
        field = self.name()
        if self.took("not", "in"):
            return Comparison(field, "not in", self.values())
        if self.took("in"):
            return Comparison(field, "in", self.values())
        if self.took("like"):
            return Comparison(field, "like", self.literal(like=True))
        if self.next.kind != "operator":
            self.unexpected()
        operator = self.take().text
        return Comparison(field, "!=" if operator == "<>" else operator, self.literal())

    def values(self) -> tuple[Literal, ...] | Query:
        """Literals, or a query that gives the values; that one is neither counted, ordered nor limited."""
        self.need("(")
        if self.next.text.lower() == "select":
            at, inner = self.next.at, self.selection()
            if inner.counts or inner.order or inner.limit is not None or inner.offset:
                self.refuse("semi join sub-selects cannot be counted, ordered or limited", at)
            self.need(")")
            return inner
        values = [self.literal()]
        while self.took(","):
            values.append(self.literal())
        self.need(")")
        return tuple(values)

    def literal(self, *, like: bool = False) -> Literal:
        token = self.next
        word = token.text.lower()
        if token.kind == "name" and word in ("true", "false", "null"):
            self.take()
            return Literal("null", None) if word == "null" else Literal("boolean", word == "true")
        if token.kind not in ("string", "datetime", "date", "number"):
            self.unexpected()
        self.take()
        if token.kind == "string":
            return Literal("string", self.unescaped(token, like=like))
        return Literal(token.kind, float(token.text) if token.kind == "number" else token.text)

    def unescaped(self, token: Token, *, like: bool) -> str:
        """Backslash sequences; in LIKE the escaped wildcards keep their backslash for the matcher."""

        def letter(match: re.Match[str]) -> str:
            char = match.group(1)
            if char in "_%" and like:
                return "\\" + char
            if char not in ESCAPES:
                self.refuse(f"Invalid string literal {token.text}. Illegal character sequence '\\{char}'", token.at)
            return "\\\\" if like and char == "\\" else ESCAPES[char]

        return re.sub(r"\\(.)", letter, token.text[1:-1], flags=re.DOTALL)
