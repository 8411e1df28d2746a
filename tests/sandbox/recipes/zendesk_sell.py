"""A lead of Zendesk Sell, which wants to know who asks."""

from tests.sandbox.recipes import Recipe, bearer

RECIPE = Recipe(
    "/v2/leads",
    None,
    lambda _: {"data": {"last_name": "Lovelace", "organization_name": "Engines"}},
    lambda body: str(body["data"]["id"]),
    made=200,
    sign=lambda grant: bearer(grant) | {"User-Agent": "sandbox"},
)
