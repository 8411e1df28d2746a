"""A lead of Pipedrive, with a person."""

from tests.sandbox.recipes import Recipe

RECIPE = Recipe(
    "/api/v1/leads",
    ("persons", {"name": "Ada Lovelace"}),
    lambda person: {"title": "Ada", "person_id": person},
    lambda body: body["data"]["id"],
)
