"""How each CRM answers, in as few words as the contract suite needs: one module per CRM, found by its name.

The bodies are shaped like the recorded exchanges in shared/fixtures, and written without a look at our adapters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from switchboard.crm.places import Record
from switchboard.crm.problem import Kind
from switchboard.crm.wire import Request, Response

BEGINNING = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def minutes(count: float) -> datetime:
    """A moment, so many minutes after the beginning."""
    return BEGINNING + timedelta(minutes=count)


@dataclass(frozen=True)
class Voice:
    """What a CRM says, in as few words as possible.

    custom: the name of a custom field. made: the answer to the create of a lead, or of what stands for one.
    refusal: an error body with a code and a message.
    kinds: what each refusal is that was recorded in shared/fixtures, by the name of its file.
    ref: the id of the n-th record that a request refers to, where not any number will do.
    """

    custom: str
    made: Callable[[str], Any]
    refusal: Callable[[str, str], Any]
    kinds: Mapping[str, Kind]
    ref: Callable[[int], str] = field(default=str, kw_only=True)


@dataclass(frozen=True)
class FullVoice(Voice):
    """What a CRM says about leads, in full.

    id: the n-th id of a record, growing. moment: a time as the CRM writes it.
    bare: a flat record of the vendor's columns, as it stands in a list. one: a bare body as a read of one answers it.
    aside: the answer to a read that a create needs beforehand.
    lookup: the answer to a read that looks for a record which may have been made; these bodies are all there are.
    listing: the answer to a request for a stretch of a list; these bodies are all there are, oldest change first.
    """

    id: Callable[[int], str]
    moment: Callable[[datetime], str]
    bare: Callable[[Record], Any]
    one: Callable[[Any], Any]
    aside: Callable[[Request], Any]
    lookup: Callable[[Request, list[Any]], Any]
    listing: Callable[[Request, list[Any]], Response]


def voice(name: str) -> Voice:
    """The voice of a CRM. A CRM without one cannot be tested: write tests/crm/voices/<name>.py."""
    return import_module(f"tests.crm.voices.{name}").VOICE
