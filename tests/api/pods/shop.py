"""A world with a CRM that keeps deals, companies, contacts and users, and callers of the pods surface."""

import json
from dataclasses import replace
from typing import Any

import pytest

from switchboard.api.call import Call
from switchboard.api.pods import creation, keeping, pages, templates
from switchboard.api.pods.envelope import Means
from switchboard.api.reply import Reply, refusal
from switchboard.crm import catalog, registry
from switchboard.crm.auth import Header
from switchboard.crm.catalog import Host, Resource, alone
from switchboard.crm.codecs import boolean, day, number, text
from switchboard.crm.mapping import Table, row
from switchboard.crm.places import Slots
from switchboard.crm.problem import Problem
from switchboard.crm.wire import Request, Response
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.user import USER
from switchboard.ports import Account, Deadline, Services
from tests import worlds
from tests.worlds import ACCOUNT, BRAND, AcmeDialect, World

ID = row("id", "id", text, read_only=True)
SHOP = catalog.CRM(
    name="shop",
    title="Shop",
    docs="https://docs.shop.example",
    hosts=alone(Host("https://api.shop.example")),
    auth={"api_key": Header()},
    dialect=AcmeDialect(),
    pace=catalog.Pace(1000, 1),
    resources={
        "deals": Resource(
            Table(
                DEAL,
                ID,
                row("name", "name", text, key=True),
                row("amount", "amount", number),
                row("currency", "currency", text),
                row("close_date", "closes", day),
                row("stage.id", "stage", text),
                row("company.id", "company", text),
                row("company.name", "company_name", text, read_only=True),
                row("contact.id", "contact", text),
                row("owner.id", "owner", text),
            ),
            "/deals",
        ),
        "companies": Resource(
            Table(COMPANY, ID, row("name", "name", text, key=True), row("description", "about", text)), "/companies"
        ),
        "contacts": Resource(
            Table(
                CONTACT,
                ID,
                row("first_name", "first", text),
                row("last_name", "last", text),
                row("emails", Slots("email", {"work": "email"})),
                row("company.id", "company", text),
                row("owner.id", "owner", text),
            ),
            "/contacts",
        ),
        "users": Resource(
            Table(
                USER,
                ID,
                row("name", "name", text, read_only=True),
                row("email", "email", text, read_only=True),
                row("active", "active", boolean, read_only=True),
            ),
            "/users",
        ),
    },
    pods={"Deal": "deals", "Company": "companies", "Contact": "contacts"},
)
RECORDS: dict[str, dict[str, Any]] = {
    "/deals/1": {
        "id": "1",
        "name": "Engine no. 2",
        "amount": 12500,
        "currency": "GBP",
        "closes": "2026-12-31",
        "company": "2",
        "contact": "3",
        "owner": "4",
        "x_colour": "teal",
    },
    "/companies/2": {"id": "2", "name": "Analytical Engines", "about": "Builders of engines."},
    "/contacts/3": {"id": "3", "first": "Ada", "last": "Lovelace", "email": "ada@engines.example", "company": "2"},
    "/users/4": {"id": "4", "name": "Charles Babbage", "email": "charles@example.com", "active": True},
}
ORDER = {"crm_type": "shop", "crm_object": "Deal", "crm_id": "1", "template_id": "t1"}
LAYOUT = {
    "name": "Offer",
    "title": "{{ deal.name }} for {{ company.name | default: 'you' }}",
    "blocks": [{"type": "text", "text": "It costs {{ deal.amount | money: deal.currency }}."}],
}


class ShopWorld(World):
    """One brand with an account in the shop."""

    public_url = ""

    def __init__(self) -> None:
        super().__init__()
        self.access.accounts.clear()
        self.secrets.accounts.clear()
        self.shelf = {path: dict(each) for path, each in RECORDS.items()}
        self.asked: list[str] = []
        self.answers: dict[str, Response | Problem] = {}
        self.key = self.issue(("pod.all", "template.all"))
        self.account = self.connect_shop()

    def connect_shop(self, id: str = ACCOUNT, *, brand: str = BRAND, crm: str = "shop", **more: Any) -> str:
        """An account in the shop, or in another CRM."""
        self.access.accounts[brand, id] = Account(brand, id, crm, "api_key", **more)
        self.secrets.accounts[brand, id] = {"api_key": "shop-key"}
        return id

    def serve(self, request: Request, _origin: str, _deadline: Deadline) -> Response:
        """The shop."""
        self.asked.append(request.path)
        given = self.answers.get(request.path)
        if isinstance(given, Problem):
            raise given
        if given is not None:
            return given
        found = self.shelf.get(request.path)
        return Response(200, {}, found) if found else Response(404, {}, {"message": "No such record."})

    @property
    def services(self) -> Services:
        return replace(super().services, public_url=self.public_url)

    @property
    def means(self) -> Means:
        return Means(self.services, self.tokens, self.deadline)

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Reply:
        """The reply to a call of this surface, a refusal too."""
        given = {"content-type": "application/json"}
        if not path.startswith("/pods/"):
            given["authorization"] = f"Bearer {self.key if key is None else key}"
        call = Call(
            method=method,
            path=path,
            query="",
            headers=given | {name.replace("_", "-"): value for name, value in headers.items()},
            content=body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode(),
            trace_id=worlds.TRACE,
            domain="pods.example.com",
        )
        return self.answer(call)

    def answer(self, call: Call) -> Reply:
        """The reply to a call as it came, a refusal too."""
        try:
            return self._answer(call)
        except Problem as problem:
            return refusal(call, problem)

    def _answer(self, call: Call) -> Reply:
        match call.method, call.path.split("/")[1:]:
            case "POST", ["v1", "pods"] | ["api", "v1", "pods", "new"]:
                return creation.create(call, self.means)
            case "POST", ["v1", "pods", "search"]:
                return keeping.search(call, self.services)
            case "POST", ["v1", "pods", _, "refresh"]:
                return keeping.refresh(call, self.means)
            case "GET", ["v1", "pods", _]:
                return keeping.get(call, self.services)
            case "PATCH", ["v1", "pods", _]:
                return keeping.change(call, self.services, self.deadline)
            case "DELETE", ["v1", "pods", _]:
                return keeping.delete(call, self.services)
            case "POST", ["v1", "templates"]:
                return templates.create(call, self.services, self.deadline)
            case "GET", ["v1", "templates"]:
                return templates.list_(call, self.services)
            case "POST", ["v1", "templates", _, "preview"]:
                return templates.preview(call, self.means)
            case "GET", ["v1", "templates", _]:
                return templates.get(call, self.services)
            case "PATCH", ["v1", "templates", _]:
                return templates.change(call, self.services)
            case "DELETE", ["v1", "templates", _]:
                return templates.delete(call, self.services)
            case _:
                return pages.view(call, self.pods)

    def template(self, **changes: Any) -> str:
        """A template; answers its id."""
        reply = self.send("POST", "/v1/templates", {**LAYOUT, **changes})
        assert reply.status == 201, reply.body
        return json.loads(reply.body)["data"]["id"]

    def pod(self, template: str | None = None, **changes: Any) -> dict[str, Any]:
        """A pod in full."""
        order = {**ORDER, "template_id": template or self.template(), **changes}
        reply = self.send("POST", "/v1/pods", order)
        assert reply.status == 200, reply.body
        return self.fetch(json.loads(reply.body)["data"]["id"])

    def fetch(self, id: str) -> dict[str, Any]:
        """A pod as a GET tells it."""
        reply = self.send("GET", f"/v1/pods/{id}")
        assert reply.status == 200, reply.body
        return json.loads(reply.body)["data"]

    def live(self, id: str) -> str:
        """The page of a pod."""
        return self.send("GET", f"/pods/{id}/live").body.decode()


def install(patch: pytest.MonkeyPatch, world: ShopWorld) -> None:
    """Let the registry know the shop, and the world send to it."""
    known = {**worlds.CRMS, "shop": SHOP}
    patch.setattr(registry, "NAMES", tuple(sorted(known)))
    patch.setattr(registry, "load", known.__getitem__)
    patch.setattr(world, "crm", world.serve)


def told(reply: Reply) -> Any:
    """The JSON of a reply."""
    return json.loads(reply.body)


def without(order: dict[str, Any], name: str) -> dict[str, Any]:
    """A body that lacks a field."""
    return {key: value for key, value in order.items() if key != name}
