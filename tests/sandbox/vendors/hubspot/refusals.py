"""HubSpot's sentences of refusal: {status, message, correlationId, category?, errors?, context?, subCategory?}.

https://developers.hubspot.com/docs/api-reference/error-handling
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.sandbox.exchange import Answer, Json, RefusalError


@dataclass(frozen=True)
class Invalid:
    """One property value that is refused."""

    name: str
    code: str
    message: str


def refusal(status: int, message: str, category: str | None = None, **more: Json) -> Answer:
    body = {"status": "error", "message": message, "correlationId": str(uuid.uuid4())} | more
    return Answer(status, body | ({"category": category} if category else {}))


def validation(message: str, **more: Json) -> RefusalError:
    return RefusalError(refusal(400, message, "VALIDATION_ERROR", **more))


def invalid_values(faults: list[Invalid]) -> RefusalError:
    """The message embeds a JSON array; `errors` tells the same once more in a readable form."""
    embedded = [
        {"isValid": False, "message": fault.message, "error": fault.code, "name": fault.name} for fault in faults
    ]
    return validation(
        f"Property values were not valid: {json.dumps(embedded, separators=(',', ':'))}",
        errors=[
            {"message": fault.message, "code": fault.code, "context": {"propertyName": [fault.name]}}
            for fault in faults
        ],
    )


def required_unset(kind: str, names: list[str]) -> RefusalError:
    singular = {"companies": "COMPANY"}.get(kind, kind.upper().removesuffix("S"))
    message = f"Error creating {singular}. Some required properties were not set."
    return validation(message, context={"properties": names})


def not_found(numeric: bool) -> RefusalError:
    """A numeric id says only that nothing is there; another one is an object lookup that failed."""
    return RefusalError(
        refusal(404, "resource not found") if numeric else refusal(404, "Object not found", OBJECT_NOT_FOUND)
    )


OBJECT_NOT_FOUND = "OBJECT_NOT_FOUND"


def conflict(existing: str) -> Answer:
    """The id of the existing record is nowhere but in the text."""
    return refusal(409, f"Contact already exists. Existing ID: {existing}", "CONFLICT")


def expired(at: float, now: float) -> Answer:
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    seconds = max(0, int(now - at))
    message = f"The OAuth token used to make this call expired {seconds} second(s) ago."
    return refusal(401, message, "EXPIRED_AUTHENTICATION", context={"expire time": [moment]})


def missing_scopes(scope: str) -> Answer:
    return refusal(
        403,
        "One or more of the following scopes are required.",
        "MISSING_SCOPES",
        context={"requiredGranularScopes": [scope], "links": ["https://developers.hubspot.com/scopes"]},
    )


def rate_limited(policy: str | None) -> Answer:
    """429 has an errorType and a policy, no category and no Retry-After."""
    body: dict[str, Json] = {"status": "error", "errorType": "RATE_LIMIT", "correlationId": str(uuid.uuid4())}
    match policy:
        case None:
            body["message"] = "You have reached your limit."
        case "TEN_SECONDLY_ROLLING":
            body |= {"policyName": policy, "groupName": "publicapi:private-apps-api-calls-ten-secondly"}
            body["message"] = "You have reached your ten_secondly_rolling limit."
        case _:
            body |= {"policyName": policy, "requestId": str(uuid.uuid4())}
            body["message"] = f"You have reached your {policy.lower()} limit."
    return Answer(429, body)
