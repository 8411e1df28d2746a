"""A lead of Nutshell, with a contact; its description is its name."""

import base64
from typing import Any

from tests.sandbox.recipes import Recipe


def basic(grant: dict[str, Any]) -> dict[str, str]:
    pair = f"{grant['username']}:{grant['api_key']}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


RECIPE = Recipe(
    "/rest/leads",
    ("contacts", {"name": "Ada Lovelace"}),
    lambda contact: {"leads": [{"description": "Ada", "links": {"contacts": [contact]}}]},
    lambda body: body["leads"][0]["id"],
    kind="api_key",
    sign=basic,
)
