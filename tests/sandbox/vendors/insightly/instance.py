"""An Insightly instance: API keys, plans, limits, users, and the refusals that any path can give. Errors are no JSON.

https://api.na1.insightly.com/v3.1/ (introduction); bodies of most refusals were never recorded, see `error_texts`.
"""

import base64
import binascii
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import Standing
from tests.sandbox.vendors.insightly.fields import KINDS

BASE = "/v3.1"
OBJECTS = (
    "Leads", "Contacts", "Organisations", "Opportunities", "Users", "LeadSources", "LeadStatuses", "Pipelines",
    "PipelineStages",
)  # fmt: skip
RIGHTS = ("read", "create", "edit", "delete")
STARTS = {
    "leads": 78_563_840, "contacts": 366_638_973, "organisations": 151_204_377, "opportunities": 38_117_020,
    "users": 2_240_727,
}  # fmt: skip
SERVER_ERROR = (
    b"<!DOCTYPE html>\r\n<html><head><title>Runtime Error</title></head><body><h1>Server Error</h1></body></html>"
)


def plain(status: int, message: str) -> Answer:
    return Answer(status, message.encode(), {"Content-Type": "text/plain; charset=utf-8"})


def object_name(noun: str) -> str:
    """leadSources -> LeadSources, as paths and refusals write it."""
    return noun[:1].upper() + noun[1:]


class Instance(Fake):
    name = "insightly"
    token_path = ""
    token_lifetime = 0
    key_prefix = ""
    nouns: ClassVar[dict[str, str]] = {name.lower(): name[:1].lower() + name[1:] for name in OBJECTS} | {
        "customfields": "customFields",
        "companies": "organisations",
        "deals": "opportunities",
    }
    specs: ClassVar[dict[str, str]] = {"insightly-v3.1.cut.swagger.json": BASE}
    defaults: ClassVar[dict[str, Any]] = {
        "requests_per_second": 1_000_000,
        "daily_requests": 100_000_000,
        "tells_retry_after": False,
        "record_limit": 10_000_000,
        "created_status": 201,
        "custom_fields_replaced": False,
        "newest_first": False,
        "latest_change_last": False,
        "without_access": [],
        "no_access_status": 404,
        "closed_records": [],
        "lead_management": True,
        "administrator": True,
        "deletes_fail": False,
        "error_texts": True,
        "access_texts": True,
        "links_turned": True,
        "forbidden": [],
    }
    """The vendor's own numbers: 10 requests a second and a daily quota that depends on the plan.

    `created_status`: 201 in the vendor's document, 200 in the tests of a live client. `custom_fields_replaced`: whether
    CUSTOMFIELDS of an update are all there are, or only those to change; not documented. `newest_first`: the order of
    lists is not documented, the oldest comes first in the only recording; `latest_change_last`: a change moves a record
    to the end, so that the others move up between two pages. `without_access`: objects that the plan or
    the user's profile lacks ("Leads"), refused as recorded with 404, by other accounts with 403 (`no_access_status`).
    `closed_records`: ids that this user may not see, neither alone nor in lists. `error_texts`: whether refusals whose
    body was never recorded have one; `access_texts`: whether those for want of access do. `tells_retry_after`: no wait
    is documented. `forbidden`: as `without_access`, in plurals ("companies"). `links_turned`: whether the far end of a
    link sees itself as the object, or the link as it was made; not documented.
    """

    def clear(self) -> None:
        self.second = Window(1, self.clock)
        self.day = Window(86_400, self.clock)
        self.tables: dict[str, dict[int, dict[str, Json]]] = {self.noun(name): {} for name in OBJECTS}
        self.numbers = {noun: count(STARTS.get(noun, 3_724_795)) for noun in self.tables}
        self.me = self.insert_user({"FIRST_NAME": "Iris", "LAST_NAME": "Admin", "ACCOUNT_OWNER": True})
        self.insert_user({"FIRST_NAME": "Sam", "LAST_NAME": "Seller", "ADMINISTRATOR": False})

    def now(self) -> str:
        """UTC without a zone mark, whole seconds."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%d %H:%M:%S")

    # Keys.

    def api_key(self, request: Request) -> str | None:
        """The user name of HTTP Basic, with an empty password. There is nothing else: no bearer, no OAuth."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            key, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return key if scheme.lower() == "basic" and colon and not password else ""

    def grant_facts(self) -> dict[str, str]:
        return {"pod": "na1"}

    # Users and what the key may do.

    def insert_user(self, fields: dict[str, Json]) -> int:
        number = next(self.numbers["users"])
        name = str(fields.get("FIRST_NAME", "user")).lower()
        self.tables["users"][number] = {
            "USER_ID": number,
            "CONTACT_ID": 0,
            "FIRST_NAME": None,
            "LAST_NAME": None,
            "TIMEZONE_ID": "Europe/London",
            "EMAIL_ADDRESS": f"{name}@example.com",
            "EMAIL_DROPBOX_IDENTIFIER": f"{name}-SANDBOX",
            "EMAIL_DROPBOX_ADDRESS": f"{name}-SANDBOX@mailbox.insight.ly",
            "ADMINISTRATOR": True,
            "ACCOUNT_OWNER": False,
            "ACTIVE": True,
            "DATE_CREATED_UTC": self.now(),
            "DATE_UPDATED_UTC": self.now(),
            "USER_CURRENCY": "USD",
            "CONTACT_DISPLAY": "FIRST_LAST",
            "CONTACT_ORDER": "FIRST_NAME",
            "TASK_WEEK_START": 1,
            "INSTANCE_ID": 626_712,
            "PROFILE_ID": 1,
            "ROLE_ID": 1,
        } | fields
        return number

    @route("GET", f"{BASE}/Users/Me", label="users/me")
    def get_me(self, request: Request) -> Answer:
        return Answer(200, self.tables["users"][self.me] | {"ADMINISTRATOR": self.settings["administrator"]})

    @route("GET", f"{BASE}/Instance", label="instance")
    def get_instance(self, request: Request) -> Answer:
        names = {"INSTANCE_NAME": "Sandbox", "INSTANCE_SUBDOMAIN": "sandbox"}
        return Answer(200, names | {"PLAN_NAME": "Enterprise", "NEW_USER_EXPERIENCE_ENABLED": True})

    @route("GET", f"{BASE}/Permissions", label="permissions")
    def get_permissions(self, request: Request) -> Answer:
        """What the key may do with which object; an object that is out of reach says so here beforehand."""
        key = self.grants.key(self.api_key(request) or "")
        rows: list[Json] = []
        for noun, kind in KINDS.items():
            scopes = {right: key is None or key.scopes is None or f"{noun}:{right}" in key.scopes for right in RIGHTS}
            there = self.reachable(noun)
            rights = {f"CAN_{right.upper()}": there and allowed for right, allowed in scopes.items()}
            rows.append({"OBJECT_TYPE": kind.one, "PERMISSIONS_STATE": "ENABLED" if there else "DISABLED"} | rights)
        return Answer(200, {"PERMISSIONS_STATE": "ENABLED", "OBJECT_PERMISSIONS": rows})

    def reachable(self, noun: str) -> bool:
        """Whether plan and profile have the object; without lead management there are no leads."""
        disabled = noun == "leads" and not self.settings["lead_management"]
        forbidden = noun in map(self.noun, self.settings["forbidden"])
        return not disabled and not forbidden and object_name(noun) not in self.settings["without_access"]

    def must_reach(self, noun: str) -> None:
        if not self.reachable(noun):
            raise RefusalError(self.missing_scope(noun))

    def must_administrate(self, what: str) -> None:
        if not self.settings["administrator"]:
            raise self.refused(403, f"API User does not have permission to edit {what}.")

    # Limits.

    def admit(self, request: Request, label: str) -> dict[str, str]:
        """Headers as in "Working with the Insightly Web API"; here of the day. When it begins anew is not told."""
        most, left = self.settings["daily_requests"], self.day.spend(self.settings["daily_requests"])
        if left is None or self.second.spend(self.settings["requests_per_second"]) is None:
            raise RefusalError(self.rate_limited(1, label))
        return {"X-RateLimit-Limit": str(most), "X-RateLimit-Remaining": str(left)}

    # Refusals.

    def unrecorded(self, status: int, message: str) -> Answer:
        """A refusal whose body nobody has recorded in v3.1: text, as in v2.1, or nothing."""
        return plain(status, message) if self.settings["error_texts"] else Answer(status)

    def refused(self, status: int, message: str) -> RefusalError:
        return RefusalError(self.unrecorded(status, message))

    def invalid(self, message: str) -> RefusalError:
        return self.refused(400, message)

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        answer = self.unrecorded(429, "API rate limit exceeded.")
        if wait is not None and self.settings["tells_retry_after"]:
            answer.headers["Retry-After"] = f"{wait:g}"
        return answer

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        return self.unrecorded(401, "Authentication failed.")

    def missing_scope(self, scope: str) -> Answer:
        """Text, and 404 rather than 403: it looks like a record that is not there, but for its sentence."""
        name = object_name(scope.partition(":")[0]) or "Leads"
        text = f"API User does not have access to {name}." if self.settings["access_texts"] else ""
        return plain(self.settings["no_access_status"], text)

    def server_error(self, status: int) -> Answer:
        return Answer(status, SERVER_ERROR, {"Content-Type": "text/html; charset=utf-8"})

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """Insightly knows no duplicates: the record is silently created twice, and both answers say success."""
        self.handle(found, request, label)
        return self.handle(found, request, label)

    def route_unknown(self, request: Request) -> Answer:
        return plain(404, "No HTTP resource was found that matches the request URI.")

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        answer = plain(405, f"The requested resource does not support http method '{request.method}'.")
        answer.headers["Allow"] = ", ".join(allowed)
        return answer

    def bad_json(self, detail: str) -> Answer:
        return self.unrecorded(400, f"The request body is invalid: {detail}")

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        return self.unrecorded(400, f"Data validation error. {where}: {detail}" if where else detail)

    def body(self, request: Request) -> dict[str, Json]:
        """JSON that says so; what another content type does is not documented, so that it is refused."""
        if not request.headers.get("content-type", "").lower().startswith("application/json"):
            raise self.invalid("The Content-Type must be application/json.")
        return super().body(request)

    def amended(self, file: str, document: dict[str, Any]) -> dict[str, Any]:
        """Swagger 2.0 in OpenAPI 3's members, and without its errors.

        `required` names read-only ids and has to go; null clears; a live client sends the record's id as a string;
        the value of a custom field is no object; PUT with the id in the path, which works, is not in the document.
        """
        document["components"] = {"definitions": document["definitions"]}
        document["definitions"]["APICustomField"]["properties"]["FIELD_VALUE"] = {}
        for schema in document["definitions"].values():
            schema["additionalProperties"] = False
        for methods in document["paths"].values():
            for operation in methods.values():
                for parameter in operation.get("parameters", []):
                    if parameter["in"] == "body":
                        schema = tolerant(parameter["schema"])
                        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
        for noun in KINDS:
            one = document["paths"].get(f"/{object_name(noun)}/{{id}}")
            if one is not None:
                one["put"] = document["paths"][f"/{object_name(noun)}"]["put"]
        return document


def tolerant(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return schema
    members = {
        name: {key: value for key, value in member.items() if key != "maxLength" or member["type"] == "string"}
        | {"nullable": True}
        for name, member in schema["properties"].items()
    }
    for name in members:
        if schema["properties"][name].get("readOnly"):
            members[name] = {"type": ["integer", "string"]}
    return {"type": "object", "properties": members, "additionalProperties": False}
