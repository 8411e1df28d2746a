"""A lead of SugarCRM: a last name is enough; the token goes into a header of Sugar's own."""

from tests.sandbox.recipes import Recipe

RECIPE = Recipe(
    "/rest/v11/Leads",
    None,
    lambda _: {"last_name": "Lovelace"},
    lambda body: body["id"],
    made=200,
    sign=lambda grant: {"OAuth-Token": grant["access_token"]},
)
