"""What a vendor module declares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from switchboard.crm.auth import Scheme
    from switchboard.crm.dialect import Dialect
    from switchboard.crm.mapping import Table
    from switchboard.crm.wire import Party

LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ORIGIN = re.compile(rf"https://({LABEL}(?:\.{LABEL})+)/?", re.ASCII)
"""An origin as plain as it can be: no user, no port, no path, nothing escaped."""

type Verb = Literal["create", "get", "list", "delete"]


@dataclass(frozen=True)
class Resource:
    """One resource of a CRM: its rows, where it lives, and what may be done with it.

    lacks: verbs that the CRM cannot do with this resource, each with its reason.
    any_of: groups of our fields of which a create needs at least one.
    link: path of the record's page in the vendor's own web app, under the account's host.
    """

    table: Table
    path: str
    verbs: tuple[Verb, ...] = ("create", "get", "list", "delete")
    lacks: Mapping[Verb, Unsupported] = field(default_factory=dict["Verb", "Unsupported"])
    any_of: tuple[tuple[str, ...], ...] = ()
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A resource that this CRM cannot offer, said out loud: why, and the vendor page that shows it."""

    why: str
    see: str


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


@dataclass(frozen=True)
class CRM:
    """One vendor. `resources` maps the plural of a resource to what can be said of it; absent means not built yet."""

    name: str
    title: str
    docs: str
    hosts: Mapping[Party, Host]
    auth: Mapping[str, Scheme]
    dialect: Dialect
    resources: Mapping[str, Resource | Unsupported] = field(default_factory=dict[str, "Resource | Unsupported"])
