"""How a lead is made, and a token refreshed, in each CRM: what the tests of all CRMs need to know of one.

One module per CRM, found by name; each says `RECIPE = Recipe(...)`.
"""

import base64
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.sandbox.caller import Caller, Reply


def bearer(grant: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {grant['access_token']}"}


STATUSES: Mapping[str, int] = {
    "rate_limited": 429,
    "rate_limited_silent": 429,
    "server_error": 500,
    "bad_gateway_html": 502,
    "revoked_token": 401,
    "missing_scope": 403,
}
"""What a vendor answers to a fault, where its recipe says nothing else."""


@dataclass(frozen=True)
class Recipe:
    """How a lead, or what comes nearest to one, is made in one CRM.

    noun: the vendor's plural for it, in labels and in the store. made: the status of a create that went well.
    kind: of the grant that authorises; sign: the headers made of it. statuses: where a refusal differs from STATUSES.
    always_rotates: every refresh gives a new refresh token and the old one lives on, whatever the grant asks for.
    """

    path: str
    prerequisite: tuple[str, dict[str, Any]] | None
    body: Callable[[Any], dict[str, Any]]
    read_id: Callable[[Any], str]
    noun: str = "leads"
    made: int = 201
    kind: str = "oauth2"
    sign: Callable[[dict[str, Any]], dict[str, str]] = bearer
    statuses: Mapping[str, int] = field(default_factory=dict[str, int])
    always_rotates: bool = False

    def refused(self, fault: str) -> int:
        return self.statuses.get(fault, STATUSES[fault])

    def create(self, api: Caller, **options: Any) -> Reply:
        needed = api.plant(*self.prerequisite) if self.prerequisite else None
        return api.post(self.path, self.body(needed), **options)


def load() -> dict[str, Recipe]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").RECIPE for name in names}


RECIPES = load()
every_crm = pytest.mark.parametrize("crm", sorted(RECIPES), indirect=True)
every_oauth = pytest.mark.parametrize(
    "crm", [name for name, recipe in RECIPES.items() if recipe.kind == "oauth2"], indirect=True
)


def token_request(crm: Caller, grant: dict[str, Any], **changes: str) -> Reply:
    """Each vendor's way of showing the client: all three at once do no harm. JSON and a scope where the grant says."""
    form = {name: grant[name] for name in ("client_id", "client_secret", "refresh_token")} | changes
    form |= {"scope": grant["token_scope"]} if "token_scope" in grant else {}
    basic = base64.b64encode(f"{form['client_id']}:{form['client_secret']}".encode()).decode()
    form["grant_type"] = "refresh_token"
    if grant.get("token_body") == "json":
        return crm.post(grant["token_path"], form)
    return crm.post(grant["token_path"], form=form, headers={"Authorization": f"Basic {basic}"})
