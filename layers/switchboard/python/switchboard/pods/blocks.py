"""Templates and the blocks that they are made of, as callers write them.

Text may hold Liquid variables; each field says by its type what becomes of it on the page: a line of plain text, prose
in Markdown, or the address of something.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, cast

from pydantic import Field, StringConstraints, model_validator

from switchboard.models.values import Strict

MOST_BLOCKS = 100
TEXT = 20_000
LINE = 500
ACCENTS = ("blue", "green", "plum", "rust", "slate")
"""The colours of buttons and lines, each dark enough to be read on white."""


class Said(StrEnum):
    """What becomes of a text on the page."""

    LINE = "line"
    PROSE = "prose"
    LINK = "link"
    SOURCE = "source"


Line = Annotated[str, StringConstraints(max_length=LINE), Said.LINE]
"""Plain text in one line."""
Prose = Annotated[str, StringConstraints(max_length=TEXT), Said.PROSE]
"""Markdown; HTML in it is text like any other."""
Link = Annotated[str, StringConstraints(max_length=2_000), Said.LINK]
"""Where a reader is led: https, mailto or tel."""
Source = Annotated[str, StringConstraints(max_length=2_000), Said.SOURCE]
"""Where the page takes a picture or a film from: https alone."""


class Heading(Strict):
    """A heading; level 1 is the page's own."""

    type: Literal["heading"]
    text: Line
    level: Literal[2, 3] = 2


class Paragraphs(Strict):
    """Text in Markdown."""

    type: Literal["text"]
    text: Prose


class Image(Strict):
    """A picture; `alt` is what it says to those who cannot see it, empty where it only decorates."""

    type: Literal["image"]
    url: Source
    alt: Line
    caption: Line = ""


class Video(Strict):
    """A film: played on the page where the address is that of a file, else a link to where it plays."""

    type: Literal["video"]
    url: Source
    title: Line
    poster: Source = ""


class Button(Strict):
    """A link that stands out."""

    type: Literal["button"]
    text: Line
    url: Link


class Callout(Strict):
    """Something to be noticed."""

    type: Literal["callout"]
    text: Prose
    tone: Literal["note", "success", "warning"] = "note"


class Person(Strict):
    """Somebody to turn to."""

    name: Line
    title: Line = ""
    email: Line = ""
    phone: Line = ""


class Contacts(Strict):
    """A card of people."""

    type: Literal["contacts"]
    title: Line = ""
    people: list[Person] = Field(min_length=1, max_length=12)


class Step(Strict):
    """One step of a timeline."""

    title: Line
    date: Line = ""
    text: Prose = ""
    done: bool = False


class Timeline(Strict):
    """What happens when."""

    type: Literal["timeline"]
    title: Line = ""
    steps: list[Step] = Field(min_length=1, max_length=30)


type Plain = Heading | Paragraphs | Image | Video | Button | Callout | Contacts | Timeline
"""A block that stands in a column as well as alone."""


class Columns(Strict):
    """Blocks side by side; one below the other on a phone."""

    type: Literal["columns"]
    columns: list[list[Annotated[Plain, Field(discriminator="type")]]] = Field(min_length=2, max_length=3)


type Block = Annotated[
    Heading | Paragraphs | Image | Video | Button | Callout | Contacts | Timeline | Columns,
    Field(discriminator="type"),
]


BLOCKS: tuple[type[Strict], ...] = (
    Heading, Paragraphs, Image, Video, Button, Callout, Columns, Contacts, Timeline,
)  # fmt: skip
"""Every kind of block."""


class Layout(Strict):
    """What a page is made of: a template has one, and so has every pod.

    `language` is that of the words (BCP 47); dates and sums of money are written as it wants.
    """

    title: Line
    description: Line = ""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en"
    accent: Literal["blue", "green", "plum", "rust", "slate"] = "blue"
    blocks: list[Block] = Field(min_length=1, max_length=MOST_BLOCKS)

    @model_validator(mode="after")
    def _counted(self) -> "Layout":
        inner = sum(len(column) for each in self.blocks if isinstance(each, Columns) for column in each.columns)
        if len(self.blocks) + inner > MOST_BLOCKS:
            raise ValueError(f"has more than {MOST_BLOCKS} blocks, those in columns counted")
        return self


Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class TemplateInput(Layout):
    """What callers send to make a template; its name is for those who choose one."""

    name: Name


type Path = tuple[str | int, ...]


def texts(part: Strict, above: Path = ()) -> Iterator[tuple[Path, Said, str]]:
    """Every text of a layout that may hold variables: where it stands, what becomes of it, and what it says."""
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        said = next((each for each in field.metadata if isinstance(each, Said)), None)
        if said:
            yield (*above, name), said, value
        else:
            yield from _below(value, (*above, name))


def _below(value: Any, above: Path) -> Iterator[tuple[Path, Said, str]]:
    if isinstance(value, Strict):
        yield from texts(value, above)
    elif isinstance(value, list):
        for index, each in enumerate(cast("list[Any]", value)):
            yield from _below(each, (*above, index))


def put(layout: dict[str, Any], where: Path, value: str) -> None:
    """Set the text at a place of a layout."""
    part: Any = layout
    for step in where[:-1]:
        part = part[step]
    part[where[-1]] = value
