"""ActiveCampaign's shapes of refusal: `errors` for values, `message` for the rest, `{}` where nothing is documented.

https://developers.activecampaign.com/reference (the examples of each operation)
"""

from tests.sandbox.exchange import Answer, Json, RefusalError

FORBIDDEN = {"message": "Forbidden"}


def error(title: str, code: str, name: str) -> dict[str, Json]:
    return {"title": title, "detail": "", "code": code, "source": {"pointer": f"/data/attributes/{name}"}}


def unprocessable(*errors: dict[str, Json]) -> Answer:
    return Answer(422, {"errors": list(errors)})


def missing(entity: str, name: str) -> RefusalError:
    """The association's sentence differs from the others' (recorded for accounts, contactDeals and accountContacts)."""
    title = f"The {entity} {name} was not provided."
    if entity == "accountContact":
        title = f"The {name} attribute was not provided"
    return RefusalError(unprocessable(error(title, "field_missing", name)))


def invalid(entity: str, name: str, title: str | None = None) -> RefusalError:
    """Codes are documented, this sentence is not: it stands wherever the vendor's own is unknown."""
    return RefusalError(unprocessable(error(title or f"The {entity} {name} is invalid.", "field_invalid", name)))


def dangling(name: str) -> RefusalError:
    return RefusalError(unprocessable(error(f"The related {name} does not exist.", "related_missing", name)))


def unsaved(value: Json, kind: str) -> RefusalError:
    """Documented for the custom fields of deals; those of contacts are taken to be as strict."""
    detail = f"The custom field value `{value}` could not be saved to the custom field of type `{kind}`."
    return RefusalError(unprocessable({"detail": detail}))


def email_taken() -> Answer:
    return unprocessable(error("Email address already exists in the system", "duplicate", "email"))


def name_taken(name: str) -> Answer:
    title = f'An account named "{name}" already exists. Please choose a new name.'
    return unprocessable(error(title, "duplicate", "name"))


def absent(model: str, record_id: str, status: int = 404) -> RefusalError:
    """Names the vendor's inner model: Subscriber for a contact. Field values, like notes, answer 403 here."""
    return RefusalError(Answer(status, {"message": f"No Result found for {model} with id {record_id}"}))


def malformed(reason: str) -> Answer:
    """400 is declared nearly everywhere, with an empty object: the reason is for whoever debugs a test."""
    return Answer(400, {}, {"X-Sandbox-Reason": ascii(reason)[:200]})


def bad_request(reason: str) -> RefusalError:
    return RefusalError(malformed(reason))
