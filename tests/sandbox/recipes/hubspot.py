"""A lead of HubSpot, with the contact that it has to have."""

from typing import Any

from tests.sandbox.recipes import Recipe


def lead(contact: str) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}]
    return {"properties": {"hs_lead_name": "Ada"}, "associations": [{"to": {"id": contact}, "types": types}]}


RECIPE = Recipe("/crm/objects/2026-09/leads", ("contacts", {"firstname": "Ada"}), lead, lambda body: body["id"])
