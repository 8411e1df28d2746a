"""A lead of Dynamics 365 Sales; without the Prefer header a create would answer with nothing but a header."""

from typing import Any

from tests.sandbox.recipes import Recipe, bearer


def sign(grant: dict[str, Any]) -> dict[str, str]:
    return bearer(grant) | {"Prefer": "return=representation", "OData-Version": "4.0", "OData-MaxVersion": "4.0"}


RECIPE = Recipe(
    "/api/data/v9.2/leads",
    None,
    lambda _: {"subject": "Engines", "lastname": "Lovelace"},
    lambda body: body["leadid"],
    sign=sign,
    always_rotates=True,
)
