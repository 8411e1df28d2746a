"""A contact of Brevo, which knows no leads; its e-mail address is a new one every time."""

import uuid
from typing import Any

from tests.sandbox.recipes import Recipe


def contact(_: Any) -> dict[str, Any]:
    names = {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace"}
    return {"email": f"ada-{uuid.uuid4().hex}@example.com", "attributes": names}


RECIPE = Recipe("/v3/contacts", None, contact, lambda body: str(body["id"]), noun="contacts")
