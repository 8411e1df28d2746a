"""A lead of Insightly: a last name is enough; the key is the user name of HTTP Basic."""

import base64
from typing import Any

from tests.sandbox.recipes import Recipe


def basic(grant: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{grant['api_key']}:".encode()).decode()}


RECIPE = Recipe(
    "/v3.1/Leads",
    None,
    lambda _: {"LAST_NAME": "Lovelace"},
    lambda body: str(body["LEAD_ID"]),
    kind="api_key",
    sign=basic,
    statuses={"missing_scope": 404},
)
