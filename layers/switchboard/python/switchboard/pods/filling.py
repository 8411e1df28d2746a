"""From a layout and what is known of a record to what a page shows."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from switchboard.crm.problem import Fault, Kind, Problem, pointer
from switchboard.pods import blocks, language, prose, variables
from switchboard.pods.blocks import Layout
from switchboard.pods.language import TextError
from switchboard.pods.variables import Mention

PAGE_BYTES = 100 * 1024
"""A page is no larger, pictures and films apart."""
MOST_FAULTS = 100
LAYOUT_BYTES = 200_000
"""A layout is no larger: with what is kept of a record it has to fit into one item of a table."""
MENTIONED = 300
"""So many variables one layout may mention."""
FILL_SECONDS = 5.0
"""Filling in a page takes no longer."""


def checked[T: Layout](model: type[T], body: Mapping[str, Any]) -> tuple[T, set[Mention]]:
    """A layout as it was sent, and the variables that it mentions. Raises every fault at once, each with its place."""
    try:
        layout = model.model_validate(body)
    except ValidationError as fault:
        raise refused([_fault(each["loc"], each["type"], each["msg"]) for each in fault.errors()]) from None
    faults, mentioned = list[Fault](), set[Mention]()
    if len(json.dumps(layout.model_dump(), ensure_ascii=False).encode()) > LAYOUT_BYTES:
        raise refused([Fault("blocks", "too_large", f"make more than {LAYOUT_BYTES} bytes", "#/blocks")])
    if language.locale(layout.language) is None:
        faults.append(Fault("language", "unknown_value", "is no language that is known here", "#/language"))
    for where, said, text in blocks.texts(layout):
        try:
            mentioned |= variables.mentions(text, said)
        except TextError as wrong:
            faults.append(Fault(_dotted(where), "invalid_liquid", str(wrong), pointer(*where)))
            continue
        if said in (blocks.Said.LINK, blocks.Said.SOURCE) and text and "{" not in text and not allowed(text, said):
            kinds = "https" if said is blocks.Said.SOURCE else "https, mailto or tel"
            faults.append(Fault(_dotted(where), "invalid_url", f"has to be an address with {kinds}", pointer(*where)))
    if len(mentioned) > MENTIONED:
        faults.append(Fault("blocks", "too_many", f"mention more than {MENTIONED} variables", "#/blocks"))
    if faults:
        raise refused(faults)
    return layout, mentioned


def allowed(text: str, said: blocks.Said) -> bool:
    """Whether a page may lead to, or take something from, an address."""
    return prose.address(text, prose.TAKEN_FROM if said is blocks.Said.SOURCE else prose.LED_TO) is not None


def filled(layout: Layout, values: Mapping[str, Any], left: Callable[[], float]) -> dict[str, Any]:
    """The layout with all its variables filled in. `left` tells the seconds that there are for it; raises
    `invalid-request` where a text cannot be filled in, or takes too long."""
    shown, length, end = layout.model_dump(), 0, left() - FILL_SECONDS

    def within() -> float:
        now = left()
        return min(now, now - end)

    for where, said, text in blocks.texts(layout):
        if within() <= 0:
            raise refused([Fault(_dotted(where), "too_slow", "takes too long to fill in", pointer(*where))])
        try:
            filled = language.render(text, said, values, layout.language, within)
        except TextError as wrong:
            raise refused([Fault(_dotted(where), "invalid_liquid", str(wrong), pointer(*where))]) from None
        blocks.put(shown, where, filled)
        length += len(filled.encode())
        if length > PAGE_BYTES:  # before it is drawn: what takes long to draw is long
            raise refused([Fault("blocks", "too_large", f"say more than {PAGE_BYTES} bytes", "#/blocks")])
    return shown


def refused(faults: list[Fault]) -> Problem:
    """What is wrong with a request, all of it, up to a hundred."""
    told = faults[:MOST_FAULTS]
    return Problem(Kind.INVALID, "; ".join(f"{each.field}: {each.detail}" for each in told), faults=tuple(told))


def _fault(loc: tuple[str | int, ...], code: str, message: str) -> Fault:
    """A fault by its place in the body; where a block is known by its type, pydantic names that type in between."""
    where = [step for index, step in enumerate(loc) if not (isinstance(step, str) and _is_type(loc, index))]
    if code == "extra_forbidden":
        return Fault(_dotted(where), "unknown_field", "is not a field here", pointer(*where))
    if code == "missing":
        return Fault(_dotted(where), "required", "is required", pointer(*where))
    sentence = message.removeprefix("Value error, ")
    return Fault(_dotted(where) or "body", code, sentence[0].lower() + sentence[1:], pointer(*where))


def _is_type(loc: tuple[str | int, ...], index: int) -> bool:
    if index < 2 or not isinstance(loc[index - 1], int):
        return False
    return loc[index - 2] == "blocks" or isinstance(loc[index - 2], int)


def _dotted(where: "tuple[str | int, ...] | list[str | int]") -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where).lstrip(".")
