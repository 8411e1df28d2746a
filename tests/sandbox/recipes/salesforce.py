"""A lead of Salesforce."""

from tests.sandbox.recipes import Recipe

RECIPE = Recipe(
    "/services/data/v66.0/sobjects/Lead",
    None,
    lambda _: {"LastName": "Lovelace", "Company": "Engines"},
    lambda body: body["id"],
    statuses={"rate_limited": 403, "rate_limited_silent": 403},
)
