"""What a unified resource is called and which fields it has, each way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pydantic import BaseModel

type Verb = Literal["create", "list", "get", "delete"]
VERBS: tuple[Verb, ...] = ("create", "list", "get", "delete")
READ: dict[str, tuple[Verb, ...]] = {
    "contacts": ("list", "get"),
    "companies": ("get",),
    "deals": ("get",),
    "users": ("get",),
}
"""What is only read so far, and how."""


def verbs(plural: str) -> tuple[Verb, ...]:
    """What may be done with records of a resource, where the CRM can."""
    return READ.get(plural, VERBS)


@dataclass(frozen=True)
class Schema:
    """A unified resource: its names, what callers may send and what they get back."""

    name: str
    plural: str
    request: type[BaseModel]
    response: type[BaseModel]

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What may be done with its records, where the CRM can."""
        return verbs(self.plural)

    @cached_property
    def writable(self) -> frozenset[str]:
        """The top-level fields of a request."""
        return frozenset(self.request.model_fields)

    @cached_property
    def readable(self) -> tuple[str, ...]:
        """The top-level fields of a response, in their order; `remote_data` is added by the reply, not by a CRM."""
        return tuple(name for name in self.response.model_fields if name != "remote_data")
