"""A contact of ActiveCampaign, which knows no leads and lets an e-mail address be there only once."""

from itertools import count

from tests.sandbox.recipes import Recipe

numbers = count(1)

RECIPE = Recipe(
    "/api/3/contacts",
    None,
    lambda _: {"contact": {"email": f"ada.{next(numbers)}@example.com", "firstName": "Ada", "lastName": "Lovelace"}},
    lambda body: body["contact"]["id"],
    noun="contacts",
    kind="api_key",
    sign=lambda grant: {"Api-Token": grant["api_key"]},
    statuses={"revoked_token": 403},
)
