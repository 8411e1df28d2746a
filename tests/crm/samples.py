"""Requests to try: every field of a resource, any of its fields, and what becomes of each part."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from random import Random
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel

from switchboard.crm import dialect, registry
from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.dialect import Draft
from switchboard.crm.places import Record
from switchboard.crm.wire import Request, Response, dig, get, plant
from switchboard.models.schema import Schema
from tests.crm.voices import FullVoice, Voice, minutes, voice
from tests.talk import Partner, Reply, ok

PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
"""Text that survives being one line among others."""


@dataclass(frozen=True, repr=False)
class Case:
    """One resource of one CRM."""

    crm: CRM
    plural: str
    resource: Resource
    voice: Voice

    def __repr__(self) -> str:
        return f"{self.crm.name}-{self.plural}"

    @property
    def said(self) -> FullVoice:
        """The voice of a CRM whose every word is known."""
        assert isinstance(self.voice, FullVoice)
        return self.voice

    @property
    def schema(self) -> Schema:
        return self.resource.table.schema

    def sample(self, seed: int = 1) -> Record:
        """A request with every field; its values are told apart by their number, other seeds have none in common."""
        count = iter(range(seed * 1000, seed * 1000 + 999))
        return filled(self.schema.request, self.voice, lambda: next(count))

    def least(self, seed: int = 1) -> Record:
        """A request with no more than this CRM requires, and a name to know the record by."""
        full, item = self.sample(seed), dict[str, Any]()
        table = self.resource.table
        keys = [each.ours for each in table.rows if each.key and not each.read_only][:1]
        for name in dict.fromkeys([*table.names(required=True), *(group[0] for group in self.resource.any_of), *keys]):
            plant(item, name, dig(full, name))
        return item

    def draft(self, item: Record | None = None, remote_data: Record | None = None) -> Draft:
        return self.crm.dialect.draft(self.resource, self.sample() if item is None else item, remote_data)

    def record(self, item: Record, id: str, **read_only: datetime) -> Any:
        """The body of a record made from a request, as the CRM lists it."""
        columns, _ = self.resource.table.out(item)
        return self.stamped(columns, id, **read_only)

    def stamped(self, columns: Record, id: str, **read_only: datetime) -> Any:
        """A body with an id and times."""
        for name, value in {"id": id, **read_only}.items():
            row = self.resource.table.row(name)
            if row is not None:
                row.place.put(columns, value if isinstance(value, str) else self.said.moment(value))
        return self.said.bare(columns)

    def answers(self, id: str, record: Any = None, read_back: Reply | None = None) -> Partner:
        """A CRM that takes every create, makes a record of this id, and reads it back."""
        whole = self.record(self.least(), id) if record is None else record

        def answer(request: Request) -> Reply:
            if not request.safe:
                return ok(self.said.made(id), 201)
            if request.path == self.crm.dialect.member(self.resource, id):
                return read_back or ok(self.said.one(whole))
            return ok(self.said.aside(request))

        return Partner(answer)

    def looks_up(self, bodies: list[Any]) -> Partner:
        """A CRM that holds these records, as far as a search for a lost create goes."""
        return Partner(lambda request: ok(self.said.lookup(request, bodies)))


CASES = {
    f"{name}-{plural}": Case(crm, plural, resource, voice(name))
    for name in registry.NAMES
    for crm in [registry.load(name)]
    for plural, resource in crm.resources.items()
    if isinstance(resource, Resource)
}
"""Every resource of every CRM, by a name for it."""

SPOKEN = {name: case for name, case in CASES.items() if case.plural == "leads" and isinstance(case.voice, FullVoice)}
"""The leads of the CRMs whose every word is known."""


def filled(model: type[BaseModel], voice: Voice, number: Callable[[], int]) -> Record:
    """Every field of a model, with a value that tells its number."""
    return {name: _value(name, each.annotation, voice, number) for name, each in model.model_fields.items()}


def _value(name: str, kind: Any, voice: Voice, number: Callable[[], int]) -> Any:
    kind = plain(kind)
    if get_origin(kind) is list:
        return [_value(name, get_args(kind)[0], voice, number)]
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if get_origin(kind) is dict:
        return {voice.custom: f"value {number()}"}
    if issubclass(kind, BaseModel):
        return filled(kind, voice, number)
    if kind is date:
        return date(2026, 1 + number() % 12, 1 + number() % 28)
    if kind is float:
        return number()
    if kind is datetime:
        return datetime(2026, 1, 1, 0, 0, number() % 60, tzinfo=UTC)
    if kind is int or name == "id":
        return number() if kind is int else voice.ref(number())
    return "primary" if name == "type" else f"{name} {number()}"


def plain(kind: Any) -> Any:
    """A type without None and without what pydantic adds to it."""
    while get_origin(kind) in (Union, UnionType, Annotated):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    return datetime if kind is AwareDatetime else kind


def items(case: Case) -> st.SearchStrategy[Record]:
    """Any request for a resource, as it is after it was checked."""
    return _some(case.schema.request, case.voice)


def _some(model: type[BaseModel], voice: Voice) -> st.SearchStrategy[Record]:
    fields = {name: _any(name, each.annotation, voice) for name, each in model.model_fields.items()}
    required = {name: fields.pop(name) for name, each in model.model_fields.items() if each.is_required()}
    return st.fixed_dictionaries(required, optional=fields)


def _any(name: str, kind: Any, voice: Voice) -> st.SearchStrategy[Any]:
    kind = plain(kind)
    if get_origin(kind) is list:
        inner = get_args(kind)[0]
        least = 1 if plain(inner) is str else 0  # no words at all are said by leaving them out
        return st.lists(_any(name, inner, voice), min_size=least, max_size=3)
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is dict:
        return st.dictionaries(st.just(voice.custom), PLAIN)
    if issubclass(kind, BaseModel):
        return _some(kind, voice)
    if kind is date:
        return st.dates(date(1970, 1, 2), date(2100, 1, 1))
    if kind is float:
        return st.integers(1, 10**6)
    if kind is datetime:
        return st.datetimes(timezones=st.just(UTC))
    if kind is int or name == "id":
        number = st.integers(1, 10**12)
        return number if kind is int else number.map(voice.ref)
    return st.sampled_from(["primary", "work", "home", "mobile"]) if name == "type" else PLAIN


CHOICES = ("open", "won", "lost")
"""Words of ours that stand for themselves."""


def marked(item: Any, count: Iterator[int], voice: Voice, name: str = "") -> Any:
    """The same request, in which no two texts and no two ids are alike or part of each other."""
    match item:
        case dict():
            return {key: marked(value, count, voice, key) for key, value in item.items()}
        case list():
            return [marked(each, count, voice, name) for each in item]
        case str() if name == "id":
            return voice.ref(10**9 + next(count))
        case str() if name != "type" and item not in CHOICES:
            return f"<{next(count)}>"
        case _:
            return item


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The parts of a request that say something, by the paths that the list of ignored fields uses."""
    match value:
        case dict():
            for key, each in value.items():
                yield from leaves(each, f"{path}.{key}" if path else str(key))
        case list():
            for index, each in enumerate(value):
                yield from leaves(each, f"{path}[{index}]")
        case None | "":
            return
        case _:
            yield path, value


def texts(value: Any) -> Iterator[str]:
    """Every value in a vendor's JSON, as text."""
    return (str(each) for _, each in leaves(value))


def below(path: str, name: str) -> bool:
    """Whether a path is the named one, or leads below it."""
    return path == name or path.startswith((f"{name}.", f"{name}["))


@cache
def constants(name: str) -> list[str]:
    """The short texts in a vendor's modules and in the dialect."""
    package = import_module(f"switchboard.crm.vendors.{name}")
    inner = [import_module(f"{package.__name__}.{each.name}") for each in iter_modules(package.__path__)]
    sources = (package, *inner, dialect)
    return sorted({
        node.value
        for source in sources
        for node in ast.walk(ast.parse(inspect.getsource(source)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 60
    })  # fmt: skip


@cache
def words(name: str) -> list[str]:
    """Every word in those texts: keys that the vendor's dialect may look for."""
    found = {word for text in constants(name) for word in re.findall(r"\w+", text)}
    return sorted(word for word in found if not word.isdecimal())


@cache
def header_names(name: str) -> list[str]:
    """The headers that the vendor's dialect may look for, also where it puts their names together."""
    parts = [text for text in constants(name) if re.fullmatch(r"[a-z]+(-[a-z]+)*-?", text)]
    whole = [part for part in parts if "-" in part and not part.endswith("-")]
    return whole + [first + last for first in parts if first.endswith("-") for last in parts if last[-1] != "-"]


SCALARS = ("", "?", "1", "²", "2026-05-01T12:00:00.000Z", "0001-01-01T00:00:00+14:00", 0, 1, -1, 1.5, True, False, None)


def nonsense(random: Random, keys: Sequence[str], depth: int = 3) -> Any:
    """Some JSON, built of keys that mean something, so that it gets as far in as it can."""
    match random.randrange(4 if depth else 2):
        case 0:
            return random.choice(SCALARS)
        case 1:
            return random.choice(keys)
        case 2:
            return [nonsense(random, keys, depth - 1) for _ in range(random.randrange(3))]
        case _:
            return {random.choice(keys): nonsense(random, keys, depth - 1) for _ in range(random.randrange(6))}


def bent(random: Random, keys: Sequence[str], body: Any) -> Any:
    """A body in which one part, at any depth, is nonsense."""
    if isinstance(body, dict) and body and random.randrange(8):
        key = random.choice(list(body))
        return {**body, key: bent(random, keys, body[key])}
    if isinstance(body, list) and body and random.randrange(8):
        index = random.randrange(len(body))
        return [*body[:index], bent(random, keys, body[index]), *body[index + 1 :]]
    return nonsense(random, keys)


SEEDS = st.integers(0, 2**32).map(Random)


def garbage(crm: CRM, *bodies: Any) -> st.SearchStrategy[Any]:
    """Any JSON, or one of these bodies with a part of it turned into nonsense."""
    keys = words(crm.name)

    def draw(random: Random) -> Any:
        return bent(random, keys, random.choice(bodies)) if bodies and random.randrange(4) else nonsense(random, keys)

    return SEEDS.map(draw)


def records(case: Case) -> list[Any]:
    """What a CRM answers when all is well."""
    said, bare = case.said, case.record(case.sample(), case.said.id(1), created_at=minutes(1), updated_at=minutes(1))
    found = [case.crm.dialect.list(case.resource, since=since, limit=5) for since in (None, minutes(0))]
    pages = [said.listing(next(talk), [bare] * 9).body for talk in found] if "list" in case.resource.verbs else []
    looked = [said.lookup(get("/x"), [bare])]
    return [bare, said.one(bare), said.made(said.id(1)), said.aside(get("/x")), *pages, *looked]


def responses(crm: CRM, *bodies: Any, only_ok: bool = False) -> st.SearchStrategy[Response]:
    """Any answer: any status, body and headers."""
    said = voice(crm.name)
    own = [said.refusal(code, "Existing ID: 7") for code in crm.dialect.codes] + [said.made("1")]
    names = [*header_names(crm.name), "retry-after", *crm.dialect.request_id_headers, "x"]

    def draw(random: Random) -> Response:
        body = garbage_of(random)
        headers = {random.choice(names): random.choice(["", "1", "²", "٣", "x", "9" * 30]) for _ in range(6)}
        if only_ok:
            return Response(random.choice([200, 201]), headers, body)
        return Response(random.randrange(200, 600), headers, body, random.random() < 0.9)

    def garbage_of(random: Random) -> Any:
        chosen = random.choice([*own, *bodies] if not only_ok else bodies)
        return bent(random, words(crm.name), chosen) if random.randrange(4) else nonsense(random, words(crm.name))

    return SEEDS.map(draw)
