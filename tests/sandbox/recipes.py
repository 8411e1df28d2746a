"""How a lead is made, and a token refreshed, in each CRM: what the tests of all CRMs need to know of one."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.caller import Caller, Reply


@dataclass(frozen=True)
class Recipe:
    """How a lead is made in one CRM."""

    path: str
    prerequisite: tuple[str, dict[str, Any]] | None
    body: Callable[[Any], dict[str, Any]]
    read_id: Callable[[Any], str]

    def create(self, api: Caller, **options: Any) -> Reply:
        needed = api.plant(*self.prerequisite) if self.prerequisite else None
        return api.post(self.path, self.body(needed), **options)


def hubspot_lead(contact: str) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}]
    return {"properties": {"hs_lead_name": "Ada"}, "associations": [{"to": {"id": contact}, "types": types}]}


RECIPES = {
    "hubspot": Recipe(
        "/crm/objects/2026-09/leads", ("contacts", {"firstname": "Ada"}), hubspot_lead, lambda body: body["id"]
    ),
    "salesforce": Recipe(
        "/services/data/v66.0/sobjects/Lead",
        None,
        lambda _: {"LastName": "Lovelace", "Company": "Engines"},
        lambda body: body["id"],
    ),
    "pipedrive": Recipe(
        "/api/v1/leads",
        ("persons", {"name": "Ada Lovelace"}),
        lambda person: {"title": "Ada", "person_id": person},
        lambda body: body["data"]["id"],
    ),
}
every_crm = pytest.mark.parametrize("crm", sorted(RECIPES), indirect=True)


def token_request(crm: Caller, grant: dict[str, Any], **changes: str) -> Reply:
    """Each vendor's way of showing the client: all three at once do no harm."""
    form = {name: grant[name] for name in ("client_id", "client_secret", "refresh_token")} | changes
    basic = base64.b64encode(f"{form['client_id']}:{form['client_secret']}".encode()).decode()
    form["grant_type"] = "refresh_token"
    return crm.post(grant["token_path"], form=form, headers={"Authorization": f"Basic {basic}"})
