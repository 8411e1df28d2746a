"""A lead of Pipeliner, with a contact; HTTP Basic with the application's key pair."""

import base64
from typing import Any

from tests.sandbox.recipes import Recipe

SPACE = "fr_Sandbox_1"


def basic(grant: dict[str, Any]) -> dict[str, str]:
    pair = f"{grant['username']}:{grant['api_key']}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


RECIPE = Recipe(
    f"/api/v100/rest/spaces/{SPACE}/entities/Leads",
    ("contacts", {"first_name": "Ada", "last_name": "Lovelace"}),
    lambda contact: {"name": "Ada", "contact_relations": [{"contact_id": contact, "is_primary": True}]},
    lambda body: body["data"]["id"],
    kind="api_key",
    sign=basic,
)
