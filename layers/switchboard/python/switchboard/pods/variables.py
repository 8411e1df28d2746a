"""Liquid variables: what a text mentions, what it may mention, and what it says of a record.

The language is Liquid (https://shopify.github.io/liquid/), as python-liquid speaks it, with the tags and filters that
make text, and with limits on depth, loops, size and time: a template is a stranger's program.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cache, lru_cache
from string import punctuation
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import UnknownCurrencyError, format_currency, format_decimal
from liquid import BoundTemplate, Environment, RenderContext
from liquid.builtin.output import Output, OutputNode
from liquid.exceptions import LiquidError
from liquid.filter import with_context
from liquid.stringify import to_liquid_string

from switchboard import models
from switchboard.crm.codecs import utc
from switchboard.crm.wire import many
from switchboard.pods.blocks import TEXT, Said

LOOPS = 2_000
OUTPUT = 40_000
"""So many bytes one text may come to."""
NESTING = 8
HELD = 100_000
"""Bytes of what a text may keep under names of its own."""
REMEMBERED = 500
"""So many texts stay understood in one process."""
TAKEN = 20_000
"""The longest that a filter takes; what is given beside it may be a hundredth of that."""

INNER = ("content", "output", "illegal")
"""What the language is made of, under the names that python-liquid gives it."""
TAGS = ("if", "unless", "case", "for", "break", "continue", "assign", "comment", "#")
"""Logic, and nothing that makes HTML, reads other templates or says a value without its being escaped."""

FILTERS = (
    "abs", "append", "at_least", "at_most", "capitalize", "ceil", "compact", "concat", "default", "divided_by",
    "downcase", "first", "floor", "join", "last", "map", "minus", "modulo", "plus", "prepend", "remove", "replace",
    "reverse", "round", "size", "slice", "sort", "split", "strip", "strip_newlines", "sum", "times", "truncate",
    "truncatewords", "uniq", "upcase", "url_encode", "where",
)  # fmt: skip

ROOTS = {"deal": "deals", "company": "companies", "contact": "contacts", "lead": "leads", "owner": "users"}
"""What a text may speak of, and the resource that each is."""
VENDOR = "crm"
"""What stands below it are fields of the record by the vendor's own names."""
SHORT = {"email": ("emails", "email_addresses"), "phone": ("phones", "phone_numbers")}
"""What most have one of: the first of a list, by the names that lists of it have."""

OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the order of what follows, beyond the text that holds them."""
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
MARKS = str.maketrans({mark: f"\\{mark}" for mark in punctuation})
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


class TextError(Exception):
    """A text that cannot be used, in a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A variable that a text mentions: `company.name` is the root `company` and the way `("name",)` below it."""

    root: str
    way: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.root, *self.way))


class _Escaped(OutputNode):
    """Says a value so that nothing in it is taken for Markdown."""

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return buffer.write(escaped(to_liquid_string(self.expression.evaluate(context), autoescape=False)))


class _EscapedOutput(Output):
    node_class = _Escaped


class _Plain(Environment):
    """Liquid for text that is not Markdown."""

    loop_iteration_limit = LOOPS
    output_stream_limit = OUTPUT
    local_namespace_limit = HELD
    block_nesting_limit = NESTING
    context_depth_limit = NESTING

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: tag for name, tag in self.tags.items() if name in (*TAGS, *INNER)}
        self.filters = {name: bounded(self.filters[name]) for name in FILTERS}
        self.filters |= {"date": date, "money": money, "number": number}


class _Prose(_Plain):
    """Liquid for Markdown."""

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.add_tag(_EscapedOutput)


def bounded(filter: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that takes nothing so long that what it makes could fill the memory."""

    def checked(left: Any, *rest: Any, **named: Any) -> Any:
        if _length(left) > TAKEN or any(_length(each) > TAKEN // 100 for each in (*rest, *named.values())):
            raise TextError("is given more than a filter takes")
        return filter(left, *rest, **named)

    for name in ("with_context", "with_environment"):  # how python-liquid tells what a filter wants to be given
        if hasattr(filter, name):
            setattr(checked, name, getattr(filter, name))
    return checked


def _length(value: Any) -> int:
    match value:
        case range():
            return len(value) * 10
        case list() | tuple():
            return sum(_length(each) + 1 for each in value)
        case int():
            return value.bit_length() // 3
        case _:
            return len(str(value))


@with_context
def date(value: Any, style: Any = "long", *, context: RenderContext) -> str:
    """A day in the words of the page's language; `style` is short, medium, long or full."""
    when = utc(value if isinstance(value, str) else None)
    if when is None:
        return to_liquid_string(value, autoescape=False)
    return format_date(when, style if style in ("short", "medium", "long", "full") else "long", _locale(context))


@with_context
def money(value: Any, currency: Any = None, *, context: RenderContext) -> str:
    """A sum as the page's language writes it, whole where it is; without a currency it is a number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return to_liquid_string(value, autoescape=False)
    if not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)):
        return format_decimal(value, locale=_locale(context))
    whole = float(value).is_integer()
    locale = _locale(context)
    try:
        pattern = re.sub(r"0[.,]0+", "0", locale.currency_formats["standard"].pattern) if whole else None
        return format_currency(value, currency, pattern, locale, currency_digits=not whole)
    except UnknownCurrencyError:
        return f"{currency} {format_decimal(value, locale=locale)}"


@with_context
def number(value: Any, *, context: RenderContext) -> str:
    """A number as the page's language writes it."""
    return money(value, context=context)


def _locale(context: RenderContext) -> Locale:
    return locale(str(context.resolve("language", default="en"))) or Locale("en")


@cache
def locale(language: str) -> Locale | None:
    """What is known of a language; None where nothing is."""
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def cleaned(text: str) -> str:
    """A text without characters that no reader sees and that do something all the same."""
    return CONTROLS.sub("", OVERRIDES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def escaped(text: str) -> str:
    """A text as Markdown that says it, letter for letter."""
    return INDENT.sub("", text).translate(MARKS)


@cache
def _liquid(said: Said) -> Environment:
    return (_Prose if said is Said.PROSE else _Plain)()


def filters() -> list[str]:
    """The filters that a text may use."""
    return sorted(_liquid(Said.LINE).filters)


def fields(root: str) -> list[str]:
    """The fields of what a text may speak of."""
    return sorted(_fields(root))


@cache
def _fields(root: str) -> frozenset[str]:
    names = frozenset(models.load(ROOTS[root]).readable)
    return names | {short for short, lists in SHORT.items() if names & set(lists)}


@lru_cache(maxsize=REMEMBERED)
def parsed(text: str, said: Said) -> BoundTemplate:
    """A text that was understood, remembered for the next pod. Raises TextError with what is wrong in it."""
    try:
        return _liquid(said).from_string(text)
    except LiquidError as fault:
        line = getattr(getattr(fault, "token", None), "start_index", None)
        where = f" at line {text.count(chr(10), 0, line) + 1}" if isinstance(line, int) else ""
        raise TextError(f"is not Liquid{where}: {fault.message or type(fault).__name__}") from None
    except RecursionError:
        raise TextError("nests too deep") from None


@lru_cache(maxsize=REMEMBERED)
def mentions(text: str, said: Said) -> frozenset[Mention]:
    """The variables that a text mentions. Raises TextError for one that there is not."""
    if "{" not in text:
        return frozenset()
    found, analysis = set[Mention](), parsed(text, said).analyze(include_partials=False)
    if strange := sorted(analysis.filters.keys() - set(filters())):
        raise TextError(f"{strange[0]} is no filter; there are {', '.join(filters())}")
    for variables in analysis.globals.values():
        for each in variables:
            way = [step for step in each.segments if isinstance(step, str)]
            if len(way) < len(each.segments) and any(isinstance(step, list) for step in each.segments):
                raise TextError(f"{each} is worked out: say the name itself")
            found.add(_known(way))
    return frozenset(found)


def named(name: str) -> Mention:
    """The variable of that name. Raises TextError where there is none."""
    root, *way = name.split(".")
    if not all(way):
        raise TextError(f"{name} is no variable")
    return _known([root, ".".join(way)] if root == VENDOR and way else [root, *way])


def _known(way: list[str]) -> Mention:
    root, *below = way
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


def render(text: str, said: Said, values: Mapping[str, Any], language: str = "en") -> str:
    """A text with its variables filled in: a line of plain text, Markdown, or an address. Raises TextError."""
    if "{" in text:
        try:
            text = parsed(text, said).render(**{**values, "language": language})
        except LiquidError as fault:
            raise TextError(f"cannot be filled in: {fault.message or type(fault).__name__}") from None
        except (ArithmeticError, ValueError, RecursionError):
            raise TextError("cannot be filled in") from None
    return text if said is Said.PROSE else " ".join(text.split())


def spoken(item: Mapping[str, Any]) -> dict[str, Any]:
    """A record of ours as texts speak of it: clean, and with the short names of what there is mostly one of."""
    found = {name: _clean(value) for name, value in item.items()}
    for short, lists in SHORT.items():
        key = "number" if short == "phone" else "email"
        first = next((each[key] for name in lists for each in many(found, name) if each.get(key)), None)
        if first and not found.get(short):
            found[short] = first
    return found


def _clean(value: Any) -> Any:
    match value:
        case str():
            return cleaned(value)[:TEXT]
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
        root, way = mention.root, mention.way
        part = found.setdefault(root, {})
        for step in way[:-1]:
            inner = part.get(step)
            part[step] = dict(inner) if isinstance(inner, Mapping) else {}
            part = part[step]
        part[way[-1]] = cleaned(said)
    return found


def roots(mentioned: Set[Mention]) -> set[str]:
    """The roots that are spoken of."""
    return {each.root for each in mentioned}
