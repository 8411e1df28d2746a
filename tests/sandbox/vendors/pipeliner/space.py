"""A Pipeliner space: the application's key pair, its role, the settings, and the refusals that any path can give.

https://developers.pipelinersales.com/api-docs/core-api-concepts/authentication
"""

import base64
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route
from tests.sandbox.grants import Standing
from tests.sandbox.vendors.pipeliner.entities import ENTITIES, Entity

SERVICE = "https://eu-central.api.pipelinersales.com"
SPACE = "fr_Sandbox_1"
USER = "fr_Sandbox_1_K7QX2ZPV0M"
BASE = "/api/v100/rest/spaces"
DOCUMENT = "pipeliner-cloud-v100.cut.openapi.json"
ANY = f"{BASE}/<space>/entities/<kind>"

NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check your spelling and "
    "try again."
)


def uri(noun: str, record_id: str) -> str:
    return f"{SERVICE}{BASE}/{SPACE}/entities/{ENTITIES[noun].name}/{record_id}"


def refusal(status: int, message: str, code: int | None = None, name: str | None = None) -> Answer:
    """The usual envelope. Code and name are left out where nobody has recorded them: only the other two are sure."""
    known = {} if code is None else {"code": code, "name": name}
    return Answer(status, known | {"message": message, "http_status": status, "success": False})


def outside(status: int, message: str) -> Answer:
    """The other form, given by the server before the API has seen the request."""
    return Answer(status, {"status": status, "message": message, "errorcode": None, "traceback": None})


def parameter_invalid(message: str) -> RefusalError:
    return RefusalError(refusal(400, message, 117, "ERROR_PARAMETER_INVALID"))


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field, or with the record when it names none."""

    field: str | None
    message: str
    code: int = 117
    name: str = "ERROR_PARAMETER_INVALID"


def missing(field: str | None, message: str = "is required") -> Problem:
    return Problem(field, message, 119, "ERROR_PARAMETER_MISSING")


class Space(Fake):
    name = "pipeliner"
    key_prefix = ""
    defaults: ClassVar[dict[str, Any]] = {
        "patch_drops_missing_steps": True,
        "patch_drops_missing_relations": True,
        "steps_may_be_empty": False,
        "level_8_places_steps": False,
        "revision_is_checked": True,
        "unknown_fields_are_ignored": False,
        "nested_relations_need_the_lead": False,
        "delete_moves_modified": False,
        "single_get_expands": True,
        "required_by_form": {},
        "forbidden": [],
    }
    """Each switch stands for something that nobody has confirmed.

    patch_drops_...: whether members of a nested list that a PATCH leaves out are removed.
    level_8_places_steps: whether `validation-level=8` lets a new step name its pipeline_id, which is read-only.
    revision_is_checked: whether a write that sends a revision other than the record's own is refused.
    unknown_fields_are_ignored: whether a member that cannot be written is dropped in silence.
    nested_relations_need_the_lead: the document requires lead_oppty_id inside a create, where nobody can know it.
    delete_moves_modified: whether a deletion is among what changed; if it is not, only `include-deleted` with a filter
    of is_deleted tells of it.
    single_get_expands: the document gives `expand` and `load-only` to lists alone.
    required_by_form: noun -> fields that this space's own forms require, e.g. {"leads": ["quick_email"]}.
    forbidden: nouns ("deals") that the application's role may not read, whatever the scopes of its key are.
    """
    nouns: ClassVar[dict[str, str]] = {noun.lower(): noun for noun in ENTITIES} | {
        "companies": "accounts", "deals": "opportunities", "users": "clients",
    }  # fmt: skip
    specs: ClassVar[dict[str, str]] = {DOCUMENT: f"{BASE}/{SPACE}"}

    def api_key(self, request: Request) -> str | None:
        """HTTP Basic, nothing else: whatever does not fit is a key that nobody has."""
        header = request.headers.get("authorization")
        if header is None:
            return None
        scheme, _, encoded = header.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return ""
        return password if scheme.lower() == "basic" and user == USER else ""

    def grant_facts(self) -> dict[str, str]:
        return {"service_url": SERVICE, "space_id": SPACE, "username": USER}

    def authenticate(self, request: Request, scope: str | None) -> None:
        """An application belongs to one space; its role allows reading and writing per entity."""
        if request.args["space"] != SPACE:
            raise RefusalError(self.unauthenticated(Standing.UNKNOWN))
        super().authenticate(request, scope)

    def check(self, request: Request) -> None:
        """The entity's name and the kind of body come before what is in it."""
        entity = self.entity(request)
        if request.method == "GET" and request.args["kind"] in map(self.noun, self.settings["forbidden"]):
            raise RefusalError(self.missing_scope(f"{request.args['kind']}:read"))
        if request.method != "GET" and entity.read_only:
            raise RefusalError(self.method_not_allowed(request, ["GET"]))
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method in ("POST", "PATCH") and media_type != "application/json":
            raise RefusalError(self.bad_json(""))

    def compare(self, request: Request) -> None:
        """The body with the vendor's document, once the fake itself has found nothing: it tells all that is wrong."""
        super().check(request)

    @staticmethod
    def entity(request: Request) -> Entity:
        """The exact plural; the singular or another spelling is an unknown type."""
        entity = ENTITIES.get(request.args["kind"])
        word = request.path.split("/entities/", 1)[1].split("/")[0]
        if entity is None or entity.name != word:
            message = f"cannot determine entity type from {word}"
            raise RefusalError(refusal(404, message, 2006, "ERROR_UNKNOWN_TYPE"))
        return entity

    # Refusals.

    def invalid(
        self, noun: str, problems: list[Problem], record_id: str | None = None, index: int | None = None
    ) -> RefusalError:
        """422. A relation is named twice, by its URI member and by its id."""
        singular = ENTITIES[noun].singular
        lines = [f"{problem.field or singular}: {problem.message}" for problem in problems]
        body = {
            "code": 40000,
            "name": "ERROR_ENTITY_VALIDATION",
            "message": "\n" + "\n".join(lines),
            "entity_id": record_id,
            "entity_name": singular,
            "entity_errors": [
                {"code": problem.code, "name": problem.name, "message": problem.message}
                for problem in problems
                if problem.field is None
            ],
            "field_errors": [
                self.field_error(noun, name, problem)
                for problem in problems
                if problem.field
                for name in dict.fromkeys((problem.field.removesuffix("_id"), problem.field))
            ],
            "step_checklist_errors": [],
            "entity_index": index,
        }
        return RefusalError(Answer(422, body | {"http_status": 422, "success": False}))

    def field_error(self, noun: str, name: str, problem: Problem) -> Json:
        named = {"field_id": self.field_id(noun, problem.field or name), "field_name": name}
        error = {"code": problem.code, "name": problem.name, "message": f"{name}: {problem.message}"} | named
        return named | {"name": "ERROR_FIELD_VALIDATION", "code": 40002, "errors": [error]}

    def field_id(self, noun: str, name: str) -> str | None:
        """Of the row in Fields that describes it."""
        raise NotImplementedError

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        if not where:
            return self.bad_json(detail)
        return self.invalid(request.args["kind"], [Problem(where.partition(".")[0], detail)]).answer

    def bad_json(self, detail: str) -> Answer:
        return refusal(400, "Missing or invalid JSON data.", 117, "ERROR_PARAMETER_INVALID")

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        answer = refusal(401, "Unauthorized")
        answer.headers = {"WWW-Authenticate": 'Basic realm="restapi"'}
        return answer

    def missing_scope(self, scope: str) -> Answer:
        return refusal(403, f"The role of this application does not allow {scope}")

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        """Nothing is documented, no limit and no header; Retry-After is what HTTP itself has for it."""
        answer = refusal(429, "Too many requests")
        answer.headers = {} if wait is None else {"Retry-After": f"{wait:g}"}
        return answer

    def server_error(self, status: int) -> Answer:
        return refusal(status, "unexpected error")

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """Pipeliner knows no conflict: what is there already is made once more, and that is a success."""
        return self.handle(found, request, label)

    def route_unknown(self, request: Request) -> Answer:
        return outside(404, NOT_FOUND)

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        """Never recorded; the 404 beside it is Werkzeug's own sentence, and so is this."""
        answer = outside(405, "The method is not allowed for the requested URL.")
        answer.headers = {"Allow": ", ".join(allowed)}
        return answer

    def amended(self, file: str, document: dict[str, Any]) -> dict[str, Any]:
        """Known errors: unset relations are null although no type says so; label_flag is a string that lists integers.

        lead_oppty_id is required in a nested relation, before there is a lead. All that is required, and what may be
        null, is therefore left to the columns of the fake.
        """
        for name, schema in document["components"]["schemas"].items():
            if not name.endswith("Input"):
                continue
            schema.pop("required", None)
            schema["type"] = "object"
            for member, described in schema["properties"].items():
                if member == "label_flag":
                    schema["properties"][member] = {"type": "integer"}
                elif member == "value":  # the tutorial sends one of its numbers; the other is worked out
                    described.pop("required", None)
                elif "type" in described and "enum" not in described:
                    described["type"] = [described["type"], "null"]
        return document
