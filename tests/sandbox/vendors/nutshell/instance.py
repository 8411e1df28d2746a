"""A Nutshell instance: HTTP Basic with an API key, the envelope, media types, and the refusals that any path can give.

https://developers.nutshell.com, the guides api-authentication and api-ids
"""

import base64
import binascii
import secrets
from typing import Any, ClassVar

from tests.sandbox.exchange import Answer, Delivery, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route
from tests.sandbox.grants import Standing

SITE = "https://app.nutshell.com"
META: dict[str, Json] = {"instanceId": "379999", "siteId": "sandBox1"}
PATCH_TYPE = "application/json-patch+json"
REQUEST_ID = "x-nutshell-request-id"

# A user's permissions in the vendor's document, and the one that its authentication guide names for keys.
CRM = "canAccessCrm"
SETUP = "canAccessSetup"
DELETING = "canDeleteEntities"
IMPERSONATION = "impersonation"


def html(status: int, phrase: str) -> Answer:
    """What the framework in front of the API answers in place of JSON."""
    text = (
        f'<!DOCTYPE html>\n<html><head><meta charset="UTF-8" /><title>An Error Occurred: {phrase}</title></head>\n'
        f'<body><h1>Oops! An Error Occurred</h1><h2>The server returned a "{status} {phrase}".</h2></body></html>'
    )
    return Answer(status, text.encode(), {"Content-Type": "text/html; charset=UTF-8"})


def enveloped(kind: str, rows: list[Json], status: int = 200, **meta: Json) -> Answer:
    return Answer(status, {"meta": meta | META, "links": {}, kind: rows})


def bad_request(kind: str, title: str, detail: str | None = None, field: str | None = None) -> RefusalError:
    """The envelope with nothing in it but an error; most of the error's members are null."""
    error = {"id": None, "type": "errors", "code": None, "detail": detail, "href": None, "status": "400"}
    body = {"meta": META, "links": {}, kind: [], "errors": [error | {"title": title, "field": field}]}
    return RefusalError(Answer(400, body))


def not_found() -> RefusalError:
    """A page. The form for a record that is not there is unconfirmed; only that for a path was recorded."""
    return RefusalError(html(404, "Not Found"))


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


class Instance(Fake):
    name = "nutshell"
    token_path = ""
    token_lifetime = 0
    key_prefix = ""
    defaults: ClassVar[dict[str, Any]] = {
        "lead_needs_contact_or_account": False,
        "drops_unknown_fields": False,
        "updates_answer_record": False,
        "deletes_answer_nothing": False,
        "shows_deleted": False,
        "plain_ids": False,
        "bare_arrays": False,
        "stagesets_key": "stagesets",
        "filters_by_modified_time": False,
        "max_id_is_inclusive": False,
        "since_time_is_inclusive": False,
        "deletions_are_paged": True,
        "people_tell_created_time": False,
        "bare_records": False,
        "sideloads": False,
        "forbidden": [],
    }
    """Both sides of what is unconfirmed or told in two ways.

    `updates_answer_record`: 200 with the record (third-party recording) in place of 204 (the vendor's document).
    `deletes_answer_nothing`: 200 without a body (third-party) in place of the record (the document).
    `since_time_is_inclusive`: whether the change log tells what happened in that very second.
    `deletions_are_paged`: the document gives the log of deletions the links of the other log, but no parameters for
    them; the other side is all of it at once. `people_tell_created_time`: contacts and accounts have a createdTime in
    the document; those that were recorded have none.
    `bare_arrays`: look-up lists as the document shows them, in place of the keyed objects that were seen;
    `stagesets_key`: "stageSets" was seen, too. `plain_ids`: 1003 does for 1003-leads. `bare_records`: one record that
    is read comes as the document shows a lead, in place of the envelope that was recorded of a create; `sideloads`:
    whom an account leads to comes beside it, as the document has it; a recorded create has nothing there.
    `forbidden` (["deals"]): kinds that the user may not view; the refusal is that of a permission that a key lacks.
    """
    nouns: ClassVar[dict[str, str]] = {
        "companies": "accounts",
        "deals": "leads",
        "people": "contacts",
        "persons": "contacts",
        "pipelines": "stagesets",
        "accounttypes": "accountTypes",
        "customfields": "customFields",
    }
    specs: ClassVar[dict[str, str]] = {
        "nutshell-rest-2.0.0.excerpt.openapi.json": "/rest",
        "nutshell-rest-1.0.1.cut.openapi.json": "/rest",
    }
    """The newer one first: it wins where they differ."""

    def clear(self) -> None:
        self.acting = "1-users"

    # Credentials.

    def api_key(self, request: Request) -> str | None:
        """The password of HTTP Basic, if its user name is the e-mail of somebody; there is no other way in."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            email, _, key = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return key if scheme.lower() == "basic" and self.user_of(email) else ""

    def authenticate(self, request: Request, scope: str | None) -> None:
        """With the impersonation permission the e-mail says who acts; without it the key itself does."""
        super().authenticate(request, scope)
        encoded = request.headers["authorization"].partition(" ")[2]
        email, _, value = base64.b64decode(encoded).decode().partition(":")
        key = self.grants.key(value)
        impersonates = key is not None and (key.scopes is None or IMPERSONATION in key.scopes)
        self.acting = (self.user_of(email) or "") if impersonates else "1-origins"

    def user_of(self, email: str) -> str | None:
        """The id of the enabled user with that address."""
        raise NotImplementedError

    # Answers.

    def receive(self, request: Request) -> Delivery:
        """Every answer carries the vendor's request id, errors too; a gateway in front of it does not know it."""
        delivery = super().receive(request)
        if delivery.answer and delivery.answer.status != 502 and not request.path.startswith("/_sandbox"):
            delivery.answer.headers |= {REQUEST_ID: secrets.token_hex(8)}
        return delivery

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        return html(401, "Unauthorized")

    def missing_scope(self, scope: str) -> Answer:
        """Unconfirmed; the page of 401 and 404 with the status that belongs here."""
        return html(403, "Forbidden")

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        """No limit is published and no answer was ever seen: the 500's shape, and Retry-After if a wait is told."""
        headers = {} if wait is None else {"Retry-After": f"{wait:g}"}
        return Answer(429, {"code": 429, "message": "Too Many Requests"}, headers)

    def server_error(self, status: int) -> Answer:
        return Answer(status, {"code": status, "message": "Internal Server Error"})

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """Nutshell knows no conflict and no idempotency key: both requests make a record, and both say success."""
        self.handle(found, request, label)
        return self.handle(found, request, label)

    def route_unknown(self, request: Request) -> Answer:
        return html(404, "Not Found")

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        return Answer(405, "Internal Error")

    def bad_json(self, detail: str) -> Answer:
        """Unconfirmed; the object form."""
        return Answer(400, {"code": 400, "message": f"Bad Request: {detail}"})

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        return bad_request(self.kind_in(request), "Invalid value", detail, where or None).answer

    def kind_in(self, request: Request) -> str:
        return self.noun(request.path.removeprefix("/rest/").partition("/")[0])

    # Media types and the vendor's document.

    def check(self, request: Request) -> None:
        """What the user may not view comes first; what is no JSON by its type is refused for that."""
        if request.method == "GET" and self.kind_in(request) in map(self.noun, self.settings["forbidden"]):
            raise RefusalError(self.missing_scope(CRM))
        if media_type(request) in ("application/json", PATCH_TYPE):
            super().check(request)

    def wants_json(self, request: Request, *also: str) -> None:
        """Unconfirmed in its answer; a form or nothing is never taken."""
        if media_type(request) not in ("application/json", *also):
            raise RefusalError(html(415, "Unsupported Media Type"))

    def wants_patch(self, request: Request) -> None:
        if media_type(request) != PATCH_TYPE:
            raise RefusalError(Answer(400, f"{PATCH_TYPE} is required, see http://jsonapi.org"))

    def amended(self, file: str, document: dict[str, Any]) -> dict[str, Any]:
        """Known errors: contacts are posted as plain JSON, and their phones as text as well as in parts.

        Request bodies that are references are written out, for spec.py does not follow them. Patches are not checked
        against the document: it says that every value is a string, where lists and objects are meant, too.
        """
        shared = document.get("components", {}).get("requestBodies", {})
        for methods in document["paths"].values():
            for operation in methods.values():
                reference = operation.get("requestBody", {}).get("$ref")
                if reference:
                    operation["requestBody"] = shared[reference.rpartition("/")[2]]
        if "/contacts" in document["paths"]:
            content = document["paths"]["/contacts"]["post"]["requestBody"]["content"]
            content["application/json"] = content[PATCH_TYPE]
            phones = document["components"]["schemas"]["phones"]
            phones["items"]["properties"]["value"]["type"] = ["string", "object"]
        return document
