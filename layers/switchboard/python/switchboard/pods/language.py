"""The language of templates: Liquid (https://shopify.github.io/liquid/), as python-liquid speaks it, and no more of it
than makes text.

A template is a stranger's program. There are no ranges, no assignments and no other templates, so that what it mentions
can be told by reading it; and there are limits on length, depth, loops, size and time. Some python-liquid would look at
too late, or not at all: those are looked at here before it sees the text, or inside what it calls.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from decimal import Decimal
from functools import cache, lru_cache
from string import punctuation
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import UnknownCurrencyError, format_currency, format_decimal
from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.arguments import KeywordArgument
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.filter import with_context
from liquid.stringify import to_liquid_string

from switchboard.crm.codecs import utc
from switchboard.pods.blocks import Said

LOOPS = 2_000
"""So often the loops of one text go round, all together."""
OUTPUT = 40_000
"""So many bytes one text may come to."""
NESTING = 8
REMEMBERED = 500
"""So many texts stay understood in one process."""
TAKEN = 20_000
"""The longest that a filter takes; what is given beside it may be a hundredth of that."""
MARKUP = 1_000
"""So long one `{{ ... }}` may be, and so many of them one text may hold."""
SPACES = re.compile(r"\s{50}|\w{201}")
"""What takes python-liquid's reader a time that grows with its square."""

INNER = ("content", "output", "illegal")
"""What the language is made of, under the names that python-liquid gives it."""
TAGS = ("if", "unless", "case", "for", "break", "continue", "comment", "#")
"""Logic, and nothing that makes HTML, gives names to values, reads other templates or says a value unescaped."""

FILTERS = (
    "abs", "append", "at_least", "at_most", "capitalize", "ceil", "compact", "concat", "default", "divided_by",
    "downcase", "first", "floor", "last", "map", "minus", "modulo", "plus", "prepend", "remove", "replace", "reverse",
    "round", "size", "slice", "sort", "split", "strip", "strip_newlines", "times", "truncate", "truncatewords",
    "upcase", "url_encode", "where",
)  # fmt: skip

LANGUAGE = " language"
"""Where the language of the page stands for filters: under a name that no text can say."""
SAYS = ("name", "email", "number", "street_1", "url")
"""What a value of several parts is said by: the first of these that it has."""

OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the order of what follows, beyond the text that holds them."""
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
MARKS = str.maketrans({mark: f"\\{mark}" for mark in punctuation})
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)

type Left = Callable[[], float]
"""The seconds that are left for it."""


class TextError(Exception):
    """A text that cannot be used, in a sentence that says why."""


def always() -> float:
    """There is time."""
    return 1.0


_left: ContextVar[Left] = ContextVar("left", default=always)


def _hurry() -> None:
    if _left.get()() <= 0:
        raise TextError("takes too long to fill in")


class _Rounds(RenderContext):
    """Counts the rounds of all loops together; python-liquid counts those within each other."""

    def raise_for_loop_limit(self, length: int = 1) -> None:
        super().raise_for_loop_limit(length)
        self.rounds: int = getattr(self, "rounds", 0) + length
        if self.rounds > LOOPS:
            raise TextError(f"goes round more than {LOOPS} times")
        _hurry()


class _Text(BoundTemplate):
    context_class = _Rounds


class _Saying(OutputNode):
    """Says a value in words."""

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return buffer.write(said_in_words(self.expression.evaluate(context)))


class _Escaping(OutputNode):
    """Says a value so that nothing in it is taken for Markdown."""

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return buffer.write(escaped(said_in_words(self.expression.evaluate(context))))


class _SayingOutput(Output):
    node_class = _Saying


class _EscapingOutput(Output):
    node_class = _Escaping


class _Plain(Environment):
    """Liquid for text that is not Markdown."""

    loop_iteration_limit = LOOPS
    output_stream_limit = OUTPUT
    block_nesting_limit = NESTING
    context_depth_limit = NESTING
    template_class = _Text
    output: type[Output] = _SayingOutput

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: tag for name, tag in self.tags.items() if name in (*TAGS, *INNER)}
        self.add_tag(self.output)
        self.filters = {name: bounded(self.filters[name]) for name in FILTERS}
        own = {"date": date, "join": join, "money": money, "number": number, "sum": total, "uniq": uniq}
        self.filters |= {name: bounded(filter) for name, filter in own.items()}


class _Prose(_Plain):
    """Liquid for Markdown."""

    output = _EscapingOutput


def said_in_words(value: Any) -> str:
    """A value as a reader may be told it: of several parts the one that names it, of a list all that have a name."""
    match value:
        case dict():
            named: dict[str, Any] = value
            return next((said_in_words(named[part]) for part in SAYS if named.get(part)), "")
        case list() | tuple():
            told = (said_in_words(each) for each in value)
            return ", ".join(each for each in told if each)
        case _:
            return to_liquid_string(value, autoescape=False)


def bounded(filter: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that takes nothing so long that what it makes could fill the memory, nor begins when time is over."""

    def checked(left: Any, *rest: Any, **named: Any) -> Any:
        _hurry()
        given = (*rest, *(value for name, value in named.items() if name not in ("context", "environment")))
        if _length(left) > TAKEN or any(_length(each) > TAKEN // 100 for each in given):
            raise TextError("is given more than a filter takes")
        return filter(left, *rest, **named)

    for name in ("with_context", "with_environment"):  # how python-liquid tells what a filter wants to be given
        if hasattr(filter, name):
            setattr(checked, name, getattr(filter, name))
    return checked


def _length(value: Any) -> int:
    match value:
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
        return said_in_words(value)
    return format_date(when, style if style in ("short", "medium", "long", "full") else "long", _locale(context))


@with_context
def money(value: Any, currency: Any = None, *, context: RenderContext) -> str:
    """A sum as the page's language writes it, whole where it is; without a currency it is a number."""
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        return said_in_words(value)
    locale = _locale(context)
    if not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)):
        return format_decimal(value, locale=locale)
    whole = value == int(value)
    try:
        pattern = re.sub(r"0[.,]0+", "0", locale.currency_formats["standard"].pattern) if whole else None
        return format_currency(value, currency, pattern, locale, currency_digits=not whole)
    except UnknownCurrencyError:
        return f"{currency} {format_decimal(value, locale=locale)}"


@with_context
def number(value: Any, *, context: RenderContext) -> str:
    """A number as the page's language writes it."""
    return money(value, context=context)


def join(value: Any, mark: Any = " ") -> str:
    """A list in words, with a mark between them."""
    items = value if isinstance(value, list) else [value]
    return str(mark).join(said_in_words(each) for each in items)


def total(value: Any, part: Any = None) -> Any:
    """The sum of a list, or of a part of each of its items; what is no number counts nothing."""
    items = value if isinstance(value, list) else [value]
    told = (each.get(part) if part is not None and isinstance(each, dict) else each for each in items)
    return sum(each for each in told if isinstance(each, int | float | Decimal) and not isinstance(each, bool))


def uniq(value: Any) -> Any:
    """A list without what stands in it twice."""
    return list({repr(each): each for each in value}.values()) if isinstance(value, list) else value


def _locale(context: RenderContext) -> Locale:
    return locale(str(context.globals.get(LANGUAGE))) or Locale("en")


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
    return INDENT.sub("", cleaned(text)).translate(MARKS)


@cache
def _liquid(said: Said) -> Environment:
    return _Prose() if said is Said.PROSE else _Plain()


def filters() -> list[str]:
    """The filters that a text may use."""
    return sorted(_liquid(Said.LINE).filters)


@lru_cache(maxsize=REMEMBERED)
def parsed(text: str, said: Said) -> BoundTemplate:
    """A text that was understood, remembered for the next pod. Raises TextError with what is wrong in it."""
    _read_over(text)
    try:
        found = _liquid(said).from_string(text)
        for expression in _expressions(found.nodes, RenderContext(found)):
            _allowed(expression)
    except LiquidError as fault:
        place = getattr(getattr(fault, "token", None), "start_index", None)
        where = f" at line {text.count(chr(10), 0, place) + 1}" if isinstance(place, int) else ""
        raise TextError(f"is not Liquid{where}: {fault.message or type(fault).__name__}") from None
    except RecursionError:
        raise TextError("nests too deep") from None
    return found


def _read_over(text: str) -> None:
    """Refuse what python-liquid's reader would take long over: each opening has its end, soon, and few are enough."""
    place, count = -1, 0
    while (place := min(_found(text, "{{", place + 1), _found(text, "{%", place + 1))) < len(text):
        closing = "}}" if text.startswith("{{", place) else "%}"
        end, count = text.find(closing, place), count + 1
        line = text.count("\n", 0, place) + 1
        if end < 0:
            raise TextError(f"is not Liquid at line {line}: expected '{closing}', found end of file")
        if end - place > MARKUP or count > MARKUP:
            raise TextError(f"is not Liquid at line {line}: that is too long, or too many")
        if SPACES.search(text, place + 2, end):
            raise TextError(f"is not Liquid at line {line}: so many spaces, or a name so long, cannot be read")
        place = end


def _found(text: str, mark: str, start: int) -> int:
    place = text.find(mark, start)
    return len(text) if place < 0 else place


def _expressions(nodes: list[Node], context: RenderContext) -> Iterator[Expression]:
    for node in nodes:
        for each in node.expressions():
            yield from _inner(each)
        yield from _expressions(list(node.children(context, include_partials=False)), context)


def _inner(expression: Expression) -> Iterator[Expression]:
    yield expression
    for each in expression.children():
        yield from _inner(each)


def _allowed(expression: Expression) -> None:
    """Refuse what cannot be bounded, or would let a text say what is a filter's own."""
    if isinstance(expression, RangeLiteral):
        raise TextError("counts from one number to another: there are lists to go through, and no ranges")
    if isinstance(expression, FilteredExpression):
        for filter in expression.filters or ():
            if filter.name not in filters():
                raise TextError(f"{filter.name} is no filter; there are {', '.join(filters())}")
            named = [each.name for each in filter.args if isinstance(each, KeywordArgument)]
            if named and (filter.name, *named) != ("default", "allow_false"):
                raise TextError(f"{filter.name} takes nothing that is called {named[0]}")


def render(text: str, said: Said, values: Mapping[str, Any], language: str = "en", left: Left = always) -> str:
    """A text with its variables filled in: a line of plain text, Markdown, or an address. Raises TextError."""
    if "{" in text:
        before = _left.set(left)
        try:
            text = parsed(text, said).render(**{**values, LANGUAGE: language})
        except LiquidError as fault:
            raise TextError(f"cannot be filled in: {fault.message or type(fault).__name__}") from None
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
            raise TextError("cannot be filled in") from None
        finally:
            _left.reset(before)
    text = cleaned(text)
    return text if said is Said.PROSE else " ".join(text.split())
