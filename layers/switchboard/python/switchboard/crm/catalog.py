"""What a vendor module declares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from switchboard.models.schema import verbs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from switchboard.crm.auth import Scheme
    from switchboard.crm.dialect import Dialect
    from switchboard.crm.mapping import Table
    from switchboard.crm.paging import Paging
    from switchboard.crm.wire import Party
    from switchboard.models.schema import Verb

SUBJECTS = ("contacts", "companies", "deals", "leads")
"""What a pod may be about."""

LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ORIGIN = re.compile(rf"https://({LABEL}(?:\.{LABEL})+)/?", re.ASCII)
"""An origin as plain as it can be: no user, no port, no path, nothing escaped."""


type Deletions = Literal["listed", "told", "swept"]
"""How it comes out that records were deleted: the vendor lists them; its list of changes tells of them as well; or all
that is there has to be looked through now and then."""


@dataclass(frozen=True)
class Resource:
    """One resource of a CRM: its rows, where it lives, and what may be done with it.

    lacks: verbs that the CRM cannot do with this resource, each with its reason; it can do all others.
    emulates: verbs that take more than the vendor's own call for it, each with how it is done.
    nearest: the vendor has no such object; what stands for it, in one sentence.
    any_of: groups of our fields of which a create needs at least one.
    link: path of the record's page in the vendor's own web app, under the account's host.
    paging: how its list is walked, where the dialect does not say.
    asks_for_changes: the dialect asks for what changed since a moment in a way of its own.
    within: the vendor tells of these records only inside those of another resource.
    list_only: the vendor reads none by its id; one is found in the list of all.
    listed: path of the list, where it is another than that of the records.
    deletions: how it comes out that records were deleted.
    """

    table: Table
    path: str
    lacks: Mapping[Verb, Unsupported] = field(default_factory=dict["Verb", "Unsupported"])
    emulates: Mapping[Verb, str] = field(default_factory=dict["Verb", str])
    nearest: str | None = None
    any_of: tuple[tuple[str, ...], ...] = ()
    link: str | None = None
    paging: Paging | None = None
    asks_for_changes: bool = False
    within: Within | None = None
    list_only: bool = False
    listed: str | None = None
    deletions: Deletions = "swept"

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What may be done with it."""
        return tuple(verb for verb in self.table.schema.verbs if verb not in self.lacks)

    @property
    def plural(self) -> str:
        """What it is called."""
        return self.table.schema.plural

    @property
    def changes(self) -> bool:
        """Whether its list can be narrowed to what changed since a moment."""
        if self.within:
            return self.within.at is not None
        return self.asks_for_changes or (self.paging is not None and self.paging.changes)

    def offer(self, verb: Verb) -> Native | Emulated | Unsupported:
        """In what way the CRM can do this."""
        if verb in self.lacks:
            return self.lacks[verb]
        sought = f"It is found in the list of all {self.plural}." if self.list_only and verb == "get" else None
        how = " ".join(part for part in (self.nearest, self.emulates.get(verb), sought) if part)
        return Emulated(how) if how else Native()


@dataclass(frozen=True, slots=True)
class Native:
    """The vendor has a call for it."""


@dataclass(frozen=True, slots=True)
class Emulated:
    """The vendor has no one call for it; how it is done all the same."""

    how: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """What this CRM cannot offer, said out loud: why, and the vendor page that shows it."""

    why: str
    see: str


def fixed(why: str, see: str) -> Mapping[Verb, Unsupported]:
    """What a resource lacks that the CRM only reads."""
    reason = Unsupported(why, see)
    return {"create": reason, "delete": reason}


@dataclass(frozen=True, slots=True)
class Within:
    """Where records are found that the vendor tells of only inside others.

    outer: the other resource. items: path of the list in it. at: path of the moment of change in a record.
    """

    outer: Resource
    items: str
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """Where a vendor may be reached. Nothing is ever sent to a host that is not named here.

    default: the origin for accounts that have none of their own. domains: account hosts may lie below these.
    """

    default: str | None
    domains: tuple[str, ...] = ()

    def allows(self, origin: str) -> bool:
        """Whether an account may live at this origin (`https://name`, no port, no path)."""
        form = ORIGIN.fullmatch(origin)
        if not form:
            return False
        return f"https://{form[1]}" == self.default or any(form[1].endswith("." + domain) for domain in self.domains)


def alone(host: Host) -> Mapping[Party, Host]:
    """The one host of a vendor: for its API, and for tokens if it has any."""
    return {"api": host, "token": host}


@dataclass(frozen=True, slots=True)
class Setting:
    """Something of an account that stands in the paths of its requests, where they hold its name in braces; or that
    its scheme tells the token endpoint.

    what: said to whoever connects an account. default: for accounts that do not say; None where each has its own.
    """

    what: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a vendor may be asked for lists: so many calls of one account in so many seconds; and in a day, where
    that is limited too. What its smallest paid plan grants."""

    calls: int
    seconds: float
    daily: int | None = None


@dataclass(frozen=True)
class CRM:
    """One vendor. `resources` maps the plural of each resource to what can be said of it; `pods` goes from the words by
    which callers name the objects that a pod is made from to those plurals. Left out, it is the plurals themselves."""

    name: str
    title: str
    docs: str
    hosts: Mapping[Party, Host]
    auth: Mapping[str, Scheme]
    dialect: Dialect
    pace: Pace
    resources: Mapping[str, Resource | Unsupported] = field(default_factory=dict[str, "Resource | Unsupported"])
    settings: Mapping[str, Setting] = field(default_factory=dict[str, "Setting"])
    pods: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if not self.pods:
            own = {plural: plural for plural in SUBJECTS if self.has(plural)}
            object.__setattr__(self, "pods", own)

    def has(self, plural: str) -> bool:
        """Whether it has this resource at all."""
        return isinstance(self.resources.get(plural), Resource)

    def offer(self, plural: str, verb: Verb) -> Native | Emulated | Unsupported:
        """In what way this CRM can do that with a resource; KeyError where nothing is said of it, or nobody asks."""
        if verb not in verbs(plural):
            raise KeyError(verb)
        found = self.resources[plural]
        return found if isinstance(found, Unsupported) else found.offer(verb)
