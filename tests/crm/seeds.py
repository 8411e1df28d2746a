"""The owner's pages on creating leads, pipelines and stages, read in place from shared/seeds as they are."""

import re
from dataclasses import dataclass, field
from functools import cache

from tests.crm.shared import SHARED, text

PLURALS = ("leads", "pipelines", "stages")
TYPES = {"string", "object", "boolean", "array", "number"}


def available() -> bool:
    return (SHARED / "seeds").is_dir()


@dataclass
class Line:
    """What the page says about one field."""

    required: list[str] = field(default_factory=list[str])
    supported: list[str] = field(default_factory=list[str])


@dataclass
class Page:
    crms: list[str]
    request: dict[str, Line]
    response: dict[str, Line]


def fields(section: str) -> dict[str, Line]:
    """The fields of a section that say for which CRMs they are."""
    found: dict[str, Line] = {}
    name, listed = "", None
    for line in section.splitlines():
        bullet = re.fullmatch(r"\s+• (.+)", line)
        if bullet and listed is not None:
            listed.append(bullet[1])
        elif line in ("Required in", "Supported in"):
            told = found.setdefault(name, Line())
            listed = told.required if line == "Required in" else told.supported
        elif not bullet:
            listed = None
            if re.fullmatch(r"[a-z][a-z_0-9]*", line) and line not in TYPES:
                name = line
    return found


@cache
def page(plural: str) -> Page:
    head, _, rest = text(f"seeds/truto-create-{plural}.txt").partition("Request Body")
    request, _, response = rest.partition("Response Body")
    integrations = head.partition("Integrations supported")[2].partition("Query parameters")[0]
    return Page(re.findall(r"• (.+)", integrations), fields(request), fields(response))
