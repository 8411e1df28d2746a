"""Brands are strangers to each other: what one asks of the other's is answered as if it never was, on every route."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest

from switchboard.admin import Admin
from switchboard.api.routes import ROUTES
from switchboard.app import SystemClock
from switchboard.aws.contacts import ContactsTable
from switchboard.search.keeping import Keeper, Whose, stored
from tests.local.stack import Stack
from tests.local.tenant import Tenant

CRM = "hubspot"
VERSION = "2026-06-01"

type Ids = Mapping[str, str]
type Asked = tuple[str, Mapping[str, str], Any]
"""A path, its query and its body."""


def unified(plural: str, **body: Any) -> Callable[[Ids], Asked]:
    """A route of the unified surface: the brand's account, and a record of it."""
    return lambda ids: (
        f"/unified/crm/{plural}".format_map({name: quote(id, safe="") for name, id in ids.items()}),
        {"integrated_account_id": ids["account"]},
        body or None,
    )


def at(path: str, body: Any = None) -> Callable[[Ids], Asked]:
    """A route with an id in its path."""
    return lambda ids: (path.format_map(ids), {}, body)


ENTRIES: dict[tuple[str, str], Callable[[Ids], Asked]] = {
    ("GET", "/unified/crm/leads"): unified("leads"),
    ("POST", "/unified/crm/leads"): unified("leads", title="A lead", contact={"id": "1"}, account={"id": "1"}),
    ("GET", "/unified/crm/leads/{id}"): unified("leads/{leads}"),
    ("DELETE", "/unified/crm/leads/{id}"): unified("leads/{leads}"),
    ("GET", "/unified/crm/pipelines"): unified("pipelines"),
    ("POST", "/unified/crm/pipelines"): unified("pipelines", name="A pipeline"),
    ("GET", "/unified/crm/pipelines/{id}"): unified("pipelines/{pipelines}"),
    ("DELETE", "/unified/crm/pipelines/{id}"): unified("pipelines/{pipelines}"),
    ("GET", "/unified/crm/stages"): unified("stages"),
    ("POST", "/unified/crm/stages"): unified("stages", name="A stage"),
    ("GET", "/unified/crm/stages/{id}"): unified("stages/{stages}"),
    ("DELETE", "/unified/crm/stages/{id}"): unified("stages/{stages}"),
    ("GET", "/unified/crm/contacts"): unified("contacts"),
    ("GET", "/unified/crm/contacts/{id}"): unified("contacts/{contacts}"),
    ("GET", "/unified/crm/companies/{id}"): unified("companies/{companies}"),
    ("GET", "/unified/crm/deals/{id}"): unified("deals/{deals}"),
    ("GET", "/unified/crm/users/{id}"): unified("users/{users}"),
    ("POST", "/v1/pods"): lambda ids: ("/v1/pods", {}, order(ids)),
    ("POST", "/api/v1/pods/new"): lambda ids: ("/api/v1/pods/new", {}, order(ids)),
    ("POST", "/v1/pods/search"): lambda ids: ("/v1/pods/search", {}, where("template_id", ids["template"])),
    ("GET", "/v1/pods/{id}"): at("/v1/pods/{pod}"),
    ("PATCH", "/v1/pods/{id}"): at("/v1/pods/{pod}", {"title": "Mine now"}),
    ("DELETE", "/v1/pods/{id}"): at("/v1/pods/{pod}"),
    ("POST", "/v1/pods/{id}/refresh"): at("/v1/pods/{pod}/refresh", {}),
    ("GET", "/v1/templates/{id}"): at("/v1/templates/{template}"),
    ("PATCH", "/v1/templates/{id}"): at("/v1/templates/{template}", {"name": "Mine now"}),
    ("DELETE", "/v1/templates/{id}"): at("/v1/templates/{template}"),
    ("POST", "/v1/templates/{id}/preview"): lambda ids: (
        f"/v1/templates/{ids['template']}/preview", {}, {"crm_type": CRM, "crm_object": "contacts", "crm_id": "1"},
    ),
    ("POST", "/v1/contacts/search"): lambda ids: ("/v1/contacts/search", {}, where("id", ids["contact"])),
    ("GET", "/v1/contacts/{id}"): at("/v1/contacts/{contact}"),
}  # fmt: skip
"""How each route is asked for something that a brand has."""

NOBODYS: dict[tuple[str, str], str] = {
    ("GET", "/unified/crm/capabilities"): "tells of CRMs, not of a brand",
    ("GET", "/v1/templates"): "takes no id",
    ("POST", "/v1/templates"): "takes no id",
    ("GET", "/pods/{id}/live"): "is public",
    ("GET", "/pods/edit/{id}"): "is public: the page asks for a key and holds nothing",
    ("GET", "/pods/assets/{file}"): "is public",
}
"""Routes at which there is nothing to be a stranger to, and why."""


def where(name: str, value: str) -> dict[str, Any]:
    """A search for what has this value."""
    return {"filters": [{"field": name, "operator": "eq", "value": value}]}


def order(ids: Ids) -> dict[str, str]:
    """A pod made from the caller's own record, with a template."""
    return {"crm_type": CRM, "crm_object": "contacts", "crm_id": ids["contacts"], "template_id": ids["template"]}


@dataclass(frozen=True)
class Strangers:
    """Two brands with accounts at the same CRM, and what the first of them has."""

    ada: Tenant
    bea: Tenant
    ids: Ids
    never: Ids

    def ask(self, method: str, whose: Tenant, asked: Asked) -> Any:
        path, query, body = asked
        whole = path + (f"?{urlencode(query)}" if query else "")
        return whose.ask(method, whole, body, {"version": VERSION})


def unlike(id: str) -> str:
    """An id of the same form that never was."""
    return re.sub(r"[0-9]", "7", id) if id.isdecimal() else re.sub(r"[0-9a-z](?=[0-9a-z]*$)", "0", id)


@pytest.fixture(scope="module")
def strangers(stack: Stack, admin: Admin) -> Iterator[Strangers]:
    ada, bea = (Tenant.on(stack, admin, (CRM,)) for _ in range(2))
    ids = {**ada.story(CRM), "account": ada.accounts[CRM]}
    for plural in ("leads", "pipelines", "stages"):
        made = ada.create(CRM, ada.sample(CRM, plural), plural=plural)
        assert made.status_code == 201, made.text
        ids[plural] = made.json()["id"]
    layout = {"name": "t", "title": "A pod", "blocks": [{"type": "text", "text": "Hello"}]}
    ids["template"] = ada.ask("POST", "/v1/templates", layout).json()["data"]["id"]
    ids["pod"] = ada.ask("POST", "/v1/pods", order(ids)).json()["data"]["id"]
    table = ContactsTable(admin.dynamodb, admin.contacts, SystemClock().sleep)
    contact = stored(Whose(ada.brand, ids["account"], CRM), {"id": ids["contacts"], "name": "Ada Lovelace"})
    Keeper(table, ada.brand, SystemClock().now()).keep([contact])
    ids["contact"] = contact.id
    never = {name: unlike(id) for name, id in ids.items()} | {"account": str(uuid4())}
    # What is asked for is the other's template; the record is one that the caller has as well.
    yield Strangers(ada, bea, ids, {**never, "contacts": ids["contacts"]} | {"pod": "0" * 24})
    for each in (ada, bea):
        each.client.close()


def test_every_route_has_an_entry_or_a_reason() -> None:
    routes = {(method, path) for path, methods in ROUTES.items() for method in methods}
    assert routes == ENTRIES.keys() | NOBODYS.keys()
    assert not ENTRIES.keys() & NOBODYS.keys()


SEARCHES = [each for each in ENTRIES if each[1].endswith("/search")]
READS = [each for each in ENTRIES if each[0] == "GET"]


def told(answer: Any) -> tuple[int, dict[str, str], Any]:
    """An answer but for what tells one call from another."""
    body = answer.json()
    headers = {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower() not in ("x-trace-id", "date") and not name.lower().startswith("x-ratelimit-")
    }
    return answer.status_code, headers, {n: each for n, each in body.items() if n not in ("trace_id", "instance")}


@pytest.mark.parametrize("route", READS, ids=" ".join)
def test_a_brand_reads_what_it_has(strangers: Strangers, route: tuple[str, str]) -> None:
    """Or nothing would be proved by what follows."""
    answer = strangers.ask(route[0], strangers.ada, ENTRIES[route](strangers.ids))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("route", ENTRIES, ids=" ".join)
def test_what_is_another_brands_is_as_what_never_was(strangers: Strangers, route: tuple[str, str]) -> None:
    method, entry = route[0], ENTRIES[route]
    theirs, nobodys = (
        told(strangers.ask(method, strangers.bea, entry(ids))) for ids in (strangers.ids, strangers.never)
    )
    assert theirs == nobodys
    assert theirs[0] == (200 if route in SEARCHES else 404), theirs


@pytest.mark.parametrize("route", READS, ids=" ".join)
def test_and_it_is_still_there(strangers: Strangers, route: tuple[str, str]) -> None:
    before = strangers.ask(route[0], strangers.ada, ENTRIES[route](strangers.ids))
    for (method, path), entry in ENTRIES.items():
        if path == route[1] and method in ("PATCH", "DELETE", "POST"):
            strangers.ask(method, strangers.bea, entry(strangers.ids))
    after = strangers.ask(route[0], strangers.ada, ENTRIES[route](strangers.ids))
    assert (before.status_code, before.json()) == (after.status_code, after.json()) == (200, before.json())


@pytest.mark.parametrize("route", SEARCHES, ids=" ".join)
def test_a_search_finds_what_the_brand_has_and_nothing_of_anothers(
    strangers: Strangers, route: tuple[str, str]
) -> None:
    asked = ENTRIES[route](strangers.ids)
    found, nothing = (strangers.ask("POST", whose, asked) for whose in (strangers.ada, strangers.bea))
    assert found.status_code == nothing.status_code == 200, (found.text, nothing.text)
    assert "data" in found.json()
    assert len(str(found.json()["data"])) > len(str(nothing.json()["data"]))
    assert strangers.ids["contact"] not in nothing.text
