"""`POST /v1/contacts/search` and `GET /v1/contacts/{id}`."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from switchboard.api import cursor
from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.records.envelope import answered
from switchboard.api.reply import Reply, result
from switchboard.crm.codecs import rfc3339
from switchboard.crm.problem import Fault, Kind, Problem, pointed, pointer
from switchboard.ports import Deadline, Services
from switchboard.search import filters, index
from switchboard.search.contact import fold, shown
from switchboard.search.fields import FIELDS, ORDERS
from switchboard.search.filters import Clause, Condition, Either, Spoken
from switchboard.search.finding import Finder, Wanted
from switchboard.search.index import order_key, position
from switchboard.search.sources import USUAL, Scope, narrowed

BODY = ("filters", "search_text", "order_by", "sort_direction", "limit", "cursor")
PAGE, MOST = 25, 100
TEXT = 255
ANSWER_BYTES = 3_000_000
"""A page ends where it would hold more than this: Lambda gives no answer of more than 6 MB, and writes it as a text, in
which every quotation mark takes two bytes."""
CURSOR_SECONDS = 24 * 3600
"""So long a cursor leads on."""
OWN = "own"
NARROWED = ("member", "viewer")
"""Roles that a brand may keep to their own contacts."""

ID_FORM = re.compile(r"con_[A-Za-z0-9]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was asked for. `bound`: what a cursor of it is good for."""

    clauses: tuple[Clause, ...]
    order: str
    descending: bool
    limit: int
    cursor: str | None
    bound: list[Any]


def search(call: Call, services: Services, deadline: Deadline) -> Reply:
    """A page of contacts."""

    def work(caller: Caller) -> Reply:
        asked = read(call, caller.brand)
        mine = visible(caller, services)
        bound = [*asked.bound, caller.admission.owner] if mine else asked.bound
        key = services.secrets.signing()
        after = _place(key, bound, asked.cursor, services.clock.now())
        clauses, scope = narrowed((*asked.clauses, *mine), known(caller.brand, services))
        wanted = Wanted(clauses, asked.order, asked.descending, asked.limit, after)
        found = Finder(services.contacts, scope, wanted, deadline).page()
        call.notes.update(examined=found.examined)
        data = [shown(each, scope.of(each.account)) for each in found.contacts]
        if (fitting := _fitting(data)) < len(data):
            last = found.contacts[fitting - 1]
            data, found = data[:fitting], replace(found, after=position(order_key(asked.order, last), last.id))
        following = None
        if found.after is not None:
            until = int(services.clock.now()) + CURSOR_SECONDS
            following = cursor.seal(key, bound, {"after": found.after, "until": until})
        meta: dict[str, Any] = {"cursor": {"next": following, "has_more": following is not None}}
        if found.total is not None:
            meta["total"] = found.total
        if found.partial:
            meta["partial"] = True
        meta["synced_at"] = freshness(scope)
        return result(200, {"data": data, "meta": meta})

    return answered(call, services, "contact", "read", work)


def _fitting(data: Sequence[Any]) -> int:
    """So many of these, from the first on, fit into an answer; one at the least."""
    left = ANSWER_BYTES
    for place, each in enumerate(data):
        left -= len(json.dumps(each, ensure_ascii=False).encode())
        if left < 0:
            return max(1, place)
    return len(data)


def get(call: Call, services: Services) -> Reply:
    """One contact."""

    def work(caller: Caller) -> Reply:
        id = call.path.removeprefix("/v1/contacts/")
        if not ID_FORM.fullmatch(id):
            raise absent()
        stored = services.contacts.contacts(caller.brand, [id]).get(id)
        scope = known(caller.brand, services)
        if stored is None or stored.gone_until or stored.account not in scope.accounts:
            raise absent()
        owners = scope.of(stored.account)
        if not all(clause.holds(stored, owners) for clause in visible(caller, services)):
            raise absent()
        return result(200, shown(stored, owners))

    return answered(call, services, "contact", "read", work)


def absent() -> Problem:
    """There is no such contact that the caller may see; which of the two is not told."""
    return Problem(Kind.NOT_FOUND, "There is no such contact.")


def known(brand: str, services: Services) -> Scope:
    """The accounts of a brand, and who owns contacts there."""
    accounts = {each.account: each for each in services.checkpoints.checkpoints(brand) if each.stage != "purge"}
    return Scope(brand, accounts, services.checkpoints.owners(brand))


def visible(caller: Caller, services: Services) -> tuple[Clause, ...]:
    """What a contact has to meet so that the caller may see it: a brand may keep members to their own contacts, and to
    those of nobody."""
    admission = caller.admission
    if admission.role not in NARROWED or services.access.brand(caller.brand).members_see != OWN:
        return ()
    user = services.access.user(caller.brand, id=admission.owner)
    nobody = Condition(FIELDS["owner.id"], "is_empty")
    mine = (Condition(FIELDS["owner.email"], "eq", (fold(user.email),)),) if user else ()
    return (Either((*mine, nobody)),)


def freshness(scope: Scope) -> str | None:
    """When the account that was synced longest ago was synced; None where one never was to its end."""
    moments = [each.synced_at for each in scope.accounts.values()]
    return rfc3339(datetime.fromtimestamp(min(moments), UTC)) if moments and all(moments) else None


def read(call: Call, brand: str) -> Asked:
    """What a request asks for. Raises `invalid-request` with every fault of the body."""
    body = call.json() if call.content else {}
    faults = [
        Fault(name, "unknown_field", f"is none of {', '.join(BODY)}", pointer(name))
        for name in body
        if name not in BODY
    ]
    clauses = filters.read(body.get("filters"), faults)
    spoken = _spoken(body.get("search_text"), faults)
    order = _one_of(body, "order_by", ORDERS, USUAL, faults)
    direction = _one_of(body, "sort_direction", ("desc", "asc"), "desc", faults)
    limit = _limit(body.get("limit"), faults)
    given = body.get("cursor")
    if given is not None and not isinstance(given, str):
        faults.append(_fault("cursor", "wrong_type", "has to be a string"))
    if faults:
        detail = f"{faults[0].field}: {faults[0].detail}" if len(faults) == 1 else f"{len(faults)} fields are wrong."
        raise Problem(Kind.INVALID, detail, faults=tuple(faults))
    bound = [brand, "contacts", body.get("filters"), body.get("search_text"), order, direction]
    return Asked((*clauses, *spoken), order, direction == "desc", limit, given, bound)


def _place(key: bytes, bound: list[Any], given: str | None, now: float) -> str | None:
    """The place at which a page begins."""
    if given is None:
        return None
    told = cursor.unseal(key, bound, given, "cursor")
    if told["until"] < now:
        detail = "is more than a day old; begin the search anew"
        raise Problem(Kind.INVALID, f"cursor: {detail}", faults=(_fault("cursor", "expired", detail),))
    return told["after"]


def _spoken(given: Any, faults: list[Fault]) -> tuple[Clause, ...]:
    if given is None or given == "":
        return ()
    if not isinstance(given, str):
        faults.append(_fault("search_text", "wrong_type", "has to be a string"))
    elif len(given) > TEXT:
        faults.append(_fault("search_text", "too_long", f"has more than {TEXT} characters"))
    elif words := index.words(given):
        return (Spoken(tuple(word[: index.KEY] for word in words)),)
    else:
        faults.append(_fault("search_text", "invalid_value", "holds no word"))
    return ()


def _one_of(body: Mapping[str, Any], name: str, known: tuple[str, ...], default: str, faults: list[Fault]) -> str:
    given = body.get(name)
    if given is None:
        return default
    if given not in known:
        faults.append(_fault(name, "unknown_value", f"has to be one of {', '.join(known)}"))
        return default
    return str(given)


def _limit(given: Any, faults: list[Fault]) -> int:
    if given is None:
        return PAGE
    if isinstance(given, bool) or not isinstance(given, int):
        faults.append(_fault("limit", "wrong_type", "has to be a whole number"))
    elif not 1 <= given <= MOST:
        faults.append(_fault("limit", "out_of_range", f"has to be from 1 to {MOST}"))
    else:
        return given
    return PAGE


def _fault(name: str, code: str, detail: str) -> Fault:
    return Fault(name, code, detail, pointed(name))
