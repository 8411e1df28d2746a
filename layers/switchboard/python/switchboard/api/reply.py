"""Replies: results as JSON, problems as RFC 9457 with the members that the clients of each surface already parse."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import responses
from typing import Any

from switchboard.api.call import Call, Surface
from switchboard.crm.problem import Kind, Problem, Remote

TYPES = "urn:switchboard:problems#"
"""The `type` of a problem is this and its kind; README documents each under that heading."""

STATUSES = {
    Kind.MALFORMED: 400,
    Kind.TOO_LARGE: 413,
    Kind.MEDIA_TYPE: 415,
    Kind.API_KEY: 401,
    Kind.RATE_LIMITED: 429,
    Kind.FORBIDDEN: 403,
    Kind.INVALID: 400,
    Kind.VALIDATION: 422,
    Kind.MISSING_FIELD: 400,
    Kind.UNSUPPORTED: 400,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    Kind.IN_PROGRESS: 409,
    Kind.KEY_REUSED: 422,
    Kind.PRECONDITION: 412,
    Kind.OUTCOME_UNKNOWN: 504,
    Kind.NEEDS_REAUTH: 401,
    Kind.CRM_REJECTED: 400,
    Kind.CRM_FORBIDDEN: 403,
    Kind.CRM_NOT_FOUND: 404,
    Kind.CRM_BAD_ID: 404,
    Kind.CRM_CONFLICT: 409,
    Kind.CRM_RATE_LIMITED: 429,
    Kind.CRM_UNAVAILABLE: 502,
    Kind.CRM_TIMEOUT: 504,
    Kind.INTERNAL: 500,
}
"""The one table from kinds to statuses. A vendor's own 4xx and 503 are kept where the kind leaves it open."""

PODS_STATUSES = {Kind.NEEDS_REAUTH: 400}
"""Where the pods surface says it otherwise: there a 401 is about the API key alone."""

DETAIL, SENTENCE, NAME_LENGTH = 10_000, 1_000, 300
"""So many characters are told of what is wrong: in all, of one fault, and of its place. What was sent may be long."""

WAIT = "10"
"""Seconds to wait after a 429 of a CRM that does not say for how long."""

REMOTE = frozenset(kind for kind in Kind if kind.startswith("crm-")) | {Kind.NEEDS_REAUTH}
"""Kinds that are the CRM's doing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: header names in lower case, the body as bytes so that a replay is the same to the letter."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def event(self, trace_id: str) -> dict[str, Any]:
        """The reply as API Gateway takes it (payload 2.0): what is compressed as base64, all else as text."""
        binary = "content-encoding" in self.headers
        return {
            "statusCode": self.status,
            "headers": {**self.headers, "x-trace-id": trace_id},
            "body": b64encode(self.body).decode() if binary else self.body.decode(),
            "isBase64Encoded": binary,
        }


def result(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A result as JSON."""
    return Reply(status, {"content-type": "application/json", **(headers or {})}, _json(value))


def status_of(problem: Problem) -> int:
    """The status of a problem. A vendor's class of status is kept, and its number where nothing speaks against it."""
    told = problem.remote.status if problem.remote else 0
    if problem.kind is Kind.CRM_REJECTED and 400 <= told < 500 and told not in (401, 403, 404, 408, 429):
        return told
    if problem.kind is Kind.CRM_UNAVAILABLE and told == HTTPStatus.SERVICE_UNAVAILABLE:
        return told
    return STATUSES[problem.kind]


def refusal(call: Call, problem: Problem, surface: Surface | None = None) -> Reply:
    """A problem as the clients of the surface expect it."""
    surface = surface or call.surface
    status = status_of(problem) if surface is not Surface.PODS else PODS_STATUSES.get(problem.kind, status_of(problem))
    detail = problem.detail[:DETAIL]
    phrase = responses.get(status, "Client Error" if status < 500 else "Server Error")
    body: dict[str, Any] = {
        "type": TYPES + problem.kind,
        "title": title(problem.kind),
        "status": status,
        "detail": detail,
        "instance": call.path,
        "trace_id": call.trace_id,
    }
    if problem.faults:
        body["errors"] = [
            {
                "pointer": fault.pointer[:NAME_LENGTH],
                "field": fault.field[:NAME_LENGTH],
                "code": fault.code,
                "detail": fault.detail[:SENTENCE],
            }
            for fault in problem.faults
        ]
    if problem.crm:
        body["crm"] = problem.crm
    if problem.remote:
        body |= _remote(problem.remote)
    match surface:
        case Surface.PODS:
            body |= {"success": False, "error": problem.told or detail}
        case Surface.UNIFIED:
            body |= {"statusCode": status, "error": phrase, "message": detail}
            body |= _unified(problem)
        case Surface.RECORDS:
            pass
    return Reply(status, _headers(problem, status), _json(body))


def _headers(problem: Problem, status: int) -> dict[str, str]:
    told = problem.remote.headers if problem.remote else {}
    headers = {"content-type": "application/problem+json", **told, **problem.headers}
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    elif not headers.get("retry-after", "").isdecimal():  # a vendor's may be a date, or nothing that we promise
        headers.pop("retry-after", None)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            headers["retry-after"] = WAIT
    if problem.kind is Kind.API_KEY:
        headers["www-authenticate"] = "Bearer"
    return headers


def title(kind: Kind) -> str:
    """A kind as words."""
    words = " ".join({"crm": "CRM", "api": "API"}.get(word, word) for word in kind.split("-"))
    return words[0].upper() + words[1:]


def _remote(remote: Remote) -> dict[str, Any]:
    told = {
        "crm_status": remote.status,
        "crm_code": remote.code,
        "crm_request_id": remote.request_id,
        "existing_id": remote.existing_id,
    }
    return {name: value for name, value in told.items() if value is not None}


def _unified(problem: Problem) -> dict[str, Any]:
    """The members that Truto's clients parse."""
    members: dict[str, Any] = {}
    if problem.kind in REMOTE or problem.remote:
        members["truto_is_remote_error"] = True
    if problem.remote:
        members["raw_response"] = problem.remote.body
        if problem.remote.message:
            members["message"] = problem.remote.message
    if problem.insight:
        members["truto_error_insight"] = problem.insight
    return members


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
