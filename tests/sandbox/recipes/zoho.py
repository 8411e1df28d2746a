"""A lead of Zoho: a record of the module Leads, in an array; the header's scheme is Zoho's own."""

from tests.sandbox.recipes import Recipe

RECIPE = Recipe(
    "/crm/v8/Leads",
    None,
    lambda _: {"data": [{"Last_Name": "Lovelace", "Company": "Engines"}]},
    lambda body: body["data"][0]["details"]["id"],
    sign=lambda grant: {"Authorization": f"Zoho-oauthtoken {grant['access_token']}"},
    statuses={"missing_scope": 401},
)
