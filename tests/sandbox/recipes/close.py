"""A lead of Close: a company with one contact in it, and 200 for its creation."""

from tests.sandbox.recipes import Recipe

CONTACT = {"name": "Ada Lovelace", "emails": [{"email": "ada@example.com", "type": "office"}]}

RECIPE = Recipe(
    "/api/v1/lead/", None, lambda _: {"name": "Engines", "contacts": [CONTACT]}, lambda body: body["id"], made=200
)
