"""What the document says of the records surface: contacts of all connected CRMs, and the search for them."""

import json
from collections.abc import Iterator
from typing import Any

from switchboard import models
from switchboard.api.call import Call
from switchboard.api.capabilities import readable
from switchboard.api.openapi import terms
from switchboard.api.openapi.terms import (
    LIMITS,
    MOMENT,
    REST,
    TEXT,
    TRACE,
    Json,
    answer,
    content,
    enum,
    header,
    listed,
    parameter,
    parameters,
    record,
    ref,
    wanting,
)
from switchboard.api.openapi.unified import ACCOUNT
from switchboard.api.records import contacts
from switchboard.api.records.envelope import CONTRACTS
from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.problem import Kind
from switchboard.models.values import RFC3339
from switchboard.pods import starters
from switchboard.ports import Checkpoint, Owner, Stored
from switchboard.search import filters
from switchboard.search.contact import linked, shown
from switchboard.search.fields import ALIASES, CUSTOM, CUSTOM_NAME, FIELDS, OPERATORS, ORDERS, PARTS
from switchboard.search.fields import Kind as Compared
from switchboard.search.filters import MANY, NONE
from switchboard.search.keeping import Whose, stored
from switchboard.search.sources import USUAL, Scope

PROBLEM_REF: Json = {"$ref": "#/components/responses/records_problem"}
STRICT: Json = {"additionalProperties": False}
TAG = "contacts of all accounts"
TOLD = (*LIMITS, "version")
"""The headers of every answer to a caller with a key and a `Version`."""

# --- examples --------------------------------------------------------------------------------------------------------

SEARCH: Json = {
    "filters": [
        {"field": "owner.email", "operator": "eq", "value": "tom.okafor@example.com"},
        {"field": "created_at", "operator": "gte", "value": "2026-09-01T00:00:00Z"},
        {
            "group": "or",
            "filters": [
                {"field": "domain", "operator": "in", "values": ["harbourandpine.example", "harbourandpine.com"]},
                {"field": "company.name", "operator": "starts_with", "value": "Harbour"},
            ],
        },
    ],
    "search_text": "maya lind",
    "order_by": "updated_at",
    "sort_direction": "desc",
    "limit": 25,
}
WRONG: Json = {"filters": [{"field": "shoe_size", "operator": "eq", "value": "42"}], "limit": 1_000}
"""A search with two faults."""
SYNCED_AT = 1_795_253_400.0
PATH = "/v1/contacts/search"


def connected() -> tuple[CRM, Resource]:
    """The CRM that the examples come from, and its contacts."""
    for crm in map(registry.load, registry.NAMES):
        found = crm.resources["contacts"]
        if isinstance(found, Resource) and found.link:
            return crm, found
    raise LookupError("no CRM tells where its contacts are to be seen")


def kept() -> Stored:
    """The contact of the examples: the one that templates are tried with, as this CRM would tell it."""
    crm, resource = connected()
    known = {name.partition(".")[0] for name in readable(resource)}
    item = {name: value for name, value in starters.sample()["contact"].items() if name in known}
    whose = Whose("", ACCOUNT, crm.name)
    return stored(whose, linked(item, resource, f"https://acme.{crm.hosts['api'].domains[0]}"))


def scope() -> Scope:
    """The account that the contact is of, and who owns contacts there."""
    owner = starters.sample()["contact"]["owner"]
    synced = Checkpoint("", ACCOUNT, connected()[0].name, synced_at=SYNCED_AT)
    return Scope("", {ACCOUNT: synced}, {ACCOUNT: {owner["id"]: Owner(owner["name"], owner["email"])}})


def contact() -> Json:
    """The contact as it is told."""
    return shown(kept(), scope().of(ACCOUNT))


def page() -> Json:
    """What the search finds."""
    cursor = {"next": None, "has_more": False}
    return {"data": [contact()], "meta": {"cursor": cursor, "total": 1, "synced_at": contacts.freshness(scope())}}


# --- what is sent ----------------------------------------------------------------------------------------------------

VALUE: Json = {"type": "string", "pattern": r"\S", "maxLength": filters.LENGTH}
VALUES: dict[Compared, Json] = {
    "text": VALUE,
    "id": VALUE,
    "digits": VALUE | {"pattern": "[0-9]"},
    "moment": MOMENT | {"pattern": f"^{RFC3339.pattern}"},
    "custom": {"anyOf": [VALUE, {"type": "number"}, {"type": "boolean"}]},
}
"""What fields of each kind are compared with."""
COMPARED: dict[Compared, str] = {
    "text": "Compared without case; white space at the ends, and more of it than one space, says nothing.",
    "id": "Compared to the letter.",
    "digits": "Compared by their digits alone, `+44 20 7946` as `44207946`.",
    "moment": "Moments in RFC 3339.",
    "custom": "Custom fields of the CRM, by their names there. A string is compared as a text, a number with numbers, "
    "`true` and `false` with each other.",
}
"""What callers are told of fields of each kind."""


def fields(kind: Compared) -> Json:
    """The names of the fields of a kind."""
    if kind == "custom":
        most = len(CUSTOM) + CUSTOM_NAME
        return {"type": "string", "pattern": f"^{CUSTOM.replace('.', '[.]')}.", "maxLength": most}
    names = [each.name for each in FIELDS.values() if each.kind == kind]
    return enum([*names, *(alias for alias, name in ALIASES.items() if name in names)])


def condition(kind: Compared) -> Json:
    """A condition on a field of a kind, by what its operator takes."""
    return {
        "type": "object",
        "description": COMPARED[kind],
        "required": ["field"],
        "properties": {"field": fields(kind)},
        "oneOf": list(_operators(kind)),
        "unevaluatedProperties": False,
    }


def _operators(kind: Compared) -> Iterator[Json]:
    value = VALUES[kind]
    shapes: dict[str, Json] = {}
    taken: dict[str, list[str]] = {}
    for each in OPERATORS[kind]:
        if each in NONE:
            name, shape = "none", dict[str, Any]()
        elif each == "between":
            name, shape = "two", {"values": listed(value, minItems=2, maxItems=2, description="The lower one first.")}
        elif each in MANY:
            name, shape = "many", {"values": listed(value, minItems=1, maxItems=filters.MOST_VALUES)}
        elif each in PARTS:
            name, shape = "part", {"value": VALUE if kind == "custom" else value}
        else:
            name, shape = "one", {"value": value}
        shapes[name] = shape
        taken.setdefault(name, []).append(each)
    for name, shape in shapes.items():
        yield record({"operator": enum(taken[name]), **shape})


def named(kind: Compared) -> str:
    """The name of the conditions on fields of a kind."""
    return f"{kind.capitalize()}Condition"


def schemas() -> Json:
    """The components."""
    every: Json = {"anyOf": [ref(named(kind)) for kind in OPERATORS]}
    told = (
        f"All have to hold; in a group one of them, or with `and` all. {filters.MOST} conditions at most, those in "
        "groups counted; groups do not nest. Of several values of a field one is enough; `neq`, `not_in` and "
        "`not_contains` want none of them."
    )
    group = record({"group": enum(("or", "and")), "filters": listed(every, minItems=1)}, **STRICT)
    words = f"The beginnings of words of names, companies and e-mail addresses, at most {contacts.TEXT} characters."
    cursor = "Where the page before said that the search goes on, within a day; filters and order as they were."
    known: Json = {
        "filters": listed({"anyOf": [*every["anyOf"], group]}, maxItems=filters.MOST, description=told),
        "search_text": {"type": "string", "maxLength": contacts.TEXT, "description": words},
        "order_by": enum(ORDERS, default=USUAL),
        "sort_direction": enum(("desc", "asc"), default="desc"),
        "limit": {"type": "integer", "minimum": 1, "maximum": contacts.MOST, "default": contacts.PAGE},
        "cursor": {"type": "string", "description": cursor},
    }
    search = record({name: known[name] for name in contacts.BODY}, known, **STRICT)
    return {"ContactSearch": search, "StoredContact": _contact()} | {named(kind): condition(kind) for kind in OPERATORS}


# --- what is told ----------------------------------------------------------------------------------------------------


def _contact() -> Json:
    """A contact: every field is there, null or empty where the CRM says nothing."""
    own = terms.described(told=[models.load("contacts").response])["Contact"]["properties"]
    plain = {name: {"type": ["string", "null"]} for name in ("id", "name")}
    source = {"crm": enum(registry.NAMES), "integrated_account_id": {"type": "string", "format": "uuid"}}
    link: Json = {"type": ["string", "null"], "description": "Its page at the CRM, where that is known."}
    told: Json = {
        "id": {"type": "string", "pattern": f"^{contacts.ID_FORM.pattern}$", "description": "Ours, not the CRM's."},
        "company": {"anyOf": [record(plain), {"type": "null"}]},
        "owner": {"anyOf": [record(plain), {"type": "null"}]},
        "source": record({**source, "remote_id": TEXT, "url": link}),
    }
    return record({name: told.get(name) or _given(own[name], value) for name, value in contact().items()})


def _given(schema: Json, value: Any) -> Json:
    """A field of the unified contact; a list or an object is empty rather than null."""
    told, *null = schema["anyOf"]
    return told if isinstance(value, list | dict) else {"anyOf": [told, *null]}


def _meta() -> Json:
    partial = "`true` where one request's work was done before the page was full; `cursor` goes on from there."
    total = "How many there are in all, where that is known without counting."
    synced = "Of the accounts that were searched, when the one was synced that was synced longest ago; null where one "
    return record(
        {
            "cursor": REST,
            "total": {"type": "integer", "description": total},
            "partial": {"type": "boolean", "description": partial},
            "synced_at": {"anyOf": [MOMENT, {"type": "null"}], "description": f"{synced}was never synced to its end."},
        },
        ("total", "partial"),
    )


def operation(path: str, method: str) -> Json:
    """What is done by this method at this path."""
    made = {(PATH, "POST"): _search, ("/v1/contacts/{id}", "GET"): _get}[path, method]
    return {"tags": [TAG], **made()}


def _search() -> Json:
    told = (
        "From what was synced, of all of the brand's accounts, newest first unless asked otherwise. A member may be "
        "kept to their own contacts and those of nobody."
    )
    found = record({"data": listed(ref("StoredContact")), "meta": _meta()})
    return {
        "operationId": "search_contacts",
        "summary": "Search contacts",
        "description": wanting(told, "contact.read"),
        "parameters": parameters("Version"),
        "requestBody": {"required": False, "content": content(ref("ContactSearch"), SEARCH)},
        "responses": {"200": answer("A page of them.", TOLD, content(found, page())), "default": PROBLEM_REF},
    }


def _get() -> Json:
    return {
        "operationId": "get_stored_contact",
        "summary": "Get a contact as it was synced",
        "description": wanting("One that the caller may not see is 404, like one that is not there.", "contact.read"),
        "parameters": parameters("contact_id", "Version"),
        "responses": {
            "200": answer("The contact.", TOLD, content(ref("StoredContact"), contact())),
            "default": PROBLEM_REF,
        },
    }


def problem() -> Json:
    """What is answered to a search with faults."""
    call = Call("POST", PATH, "", {"content-type": "application/json"}, json.dumps(WRONG).encode(), TRACE)
    found = terms.raised(lambda: contacts.read(call, ""))
    found.kind = Kind.VALIDATION  # as the envelope tells what is wrong with a body
    return terms.problem(PATH, found, TOLD)


PARAMETERS: dict[str, Json] = {
    "contact_id": parameter(
        "id", {"type": "string", "pattern": f"^{contacts.ID_FORM.pattern}$"}, "Our id of it.", "path", required=True
    ),
    "Version": parameter(
        "Version",
        {"type": "string", "format": "date"},
        "The day on which you integrated: the contract of that day is kept for you. There "
        f"{'are' if len(CONTRACTS) > 1 else 'is'} {', '.join(CONTRACTS)}.",
        "header",
        required=True,
        example=CONTRACTS[-1],
    ),
}
"""The parameters of this surface, by the names that components have."""

HEADERS: dict[str, Json] = {"version": header("The contract that the answer keeps.")}
"""The headers of this surface."""
