"""A parser of the part of COQL that reads one module: fields, WHERE, ORDER BY, LIMIT. It knows words, not fields.

Not more than two conditions stand side by side: further ones are bracketed in pairs. No string holds a quote or a
backslash, since how to escape them is not documented. Aggregates, aliases, joins and subqueries are refused.

https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from tests.sandbox.vendors.zoho.refusals import fault, refused

TOKENS = re.compile(
    r"""\s*(?:
      (?P<string>'[^'\\]*')
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    | (?P<operator><=|>=|!=|=|<|>)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
RESERVED = {"select", "from", "where", "and", "or", "order", "by", "limit", "offset", "in", "not", "like", "is"}

type Literal = str | float


@dataclass(frozen=True)
class Comparison:
    field: str
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class Pair:
    word: str
    left: "Condition"
    right: "Condition"


type Condition = Comparison | Pair


@dataclass(frozen=True)
class Query:
    fields: tuple[str, ...]
    module: str
    where: Condition
    order: tuple[tuple[str, bool], ...]
    offset: int
    limit: int | None


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    return _Parser(text).query()


def comparisons(where: Condition) -> list[Comparison]:
    return [where] if isinstance(where, Comparison) else [*comparisons(where.left), *comparisons(where.right)]


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[Token] = []
        self.place = 0
        at = 0
        while text[at:].strip():
            match = TOKENS.match(text, at)
            if match is None or match.lastgroup is None:
                self.refuse(Token("odd", text[at:].split(maxsplit=1)[0], at))
            self.tokens.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        self.tokens.append(Token("end", "<EOF>", len(text)))

    def refuse(self, token: Token) -> NoReturn:
        raise refused(fault("SYNTAX_ERROR", "unexpected token", line=1, column=token.at + 1, near=token.text))

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self, kind: str) -> str:
        token = self.next
        if token.kind != kind or (kind == "name" and token.text.lower() in RESERVED):
            self.refuse(token)
        self.place += 1
        return token.text

    def took(self, *words: str) -> bool:
        ahead = self.tokens[self.place : self.place + len(words)]
        if [token.text.lower() for token in ahead if token.kind in ("name", "mark")] != list(words):
            return False
        self.place += len(words)
        return True

    def need(self, word: str) -> None:
        if not self.took(word):
            self.refuse(self.next)

    def query(self) -> Query:
        self.need("select")
        fields = [self.take("name")]
        while self.took(","):
            fields.append(self.take("name"))
        self.need("from")
        module = self.take("name")
        if not self.took("where"):
            raise refused(fault("SYNTAX_ERROR", "missing clause", clause="where"))
        where = self.condition()
        order = self.ordering() if self.took("order", "by") else ()
        offset, limit = self.limits() if self.took("limit") else (0, None)
        if self.next.kind != "end":
            self.refuse(self.next)
        return Query(tuple(fields), module, where, order, offset, limit)

    def condition(self) -> Condition:
        left = self.term()
        for word in ("and", "or"):
            if self.took(word):
                return Pair(word, left, self.term())
        return left

    def term(self) -> Condition:
        if self.took("("):
            inner = self.condition()
            self.need(")")
            return inner
        field = self.take("name")
        if self.took("in"):
            self.need("(")
            values = [self.literal()]
            while self.took(","):
                values.append(self.literal())
            self.need(")")
            return Comparison(field, "in", tuple(values))
        return Comparison(field, self.take("operator"), (self.literal(),))

    def literal(self) -> Literal:
        if self.next.kind == "string":
            return self.take("string")[1:-1]
        if self.next.kind == "name" and self.next.text.lower() in ("true", "false"):
            return self.take("name").lower() == "true"
        number = self.take("number")
        return float(number) if "." in number else int(number)

    def ordering(self) -> tuple[tuple[str, bool], ...]:
        orders: list[tuple[str, bool]] = []
        while not orders or self.took(","):
            field = self.take("name")
            descending = self.took("desc")
            if not descending:
                self.took("asc")
            orders.append((field, descending))
        return tuple(orders)

    def limits(self) -> tuple[int, int]:
        """`limit 20`, `limit 40, 20` (offset first) or `limit 20 offset 40`."""
        first = self.whole()
        if self.took(","):
            return first, self.whole()
        return (self.whole() if self.took("offset") else 0), first

    def whole(self) -> int:
        text = self.next.text
        if not text.isdigit():
            raise refused(fault("INVALID_QUERY", "limit given seems to be invalid", limit=text))
        self.place += 1
        return int(text)
