"""Complaints: what a CRM says when it does not do as asked, and what it means."""

from dataclasses import dataclass
from typing import Any

from switchboard.crm.problem import Kind, Problem

BY_STATUS = {
    401: Kind.NEEDS_REAUTH,
    403: Kind.CRM_FORBIDDEN,
    404: Kind.CRM_NOT_FOUND,
    408: Kind.CRM_TIMEOUT,
    409: Kind.CRM_CONFLICT,
    410: Kind.CRM_NOT_FOUND,
    423: Kind.CRM_RATE_LIMITED,
    429: Kind.CRM_RATE_LIMITED,
    504: Kind.CRM_TIMEOUT,
}
"""What a status means where the vendor's code says nothing else; other 4xx are `crm-rejected`, other 5xx outages."""


DETAILS = {
    Kind.NEEDS_REAUTH: "The CRM no longer accepts this account's credentials; the account has to be connected again.",
    Kind.CRM_FORBIDDEN: "The CRM does not let the connected user do this.",
    Kind.CRM_NOT_FOUND: "The CRM has no such record.",
    Kind.CRM_BAD_ID: "This is not what an id of the CRM's looks like.",
    Kind.CRM_CONFLICT: "The CRM already has such a record.",
    Kind.CRM_RATE_LIMITED: "The CRM is throttling this account, or is busy with the record.",
    Kind.CRM_UNAVAILABLE: "The CRM did not give a clean answer.",
    Kind.CRM_TIMEOUT: "The CRM did not answer in time.",
    Kind.CRM_REJECTED: "The CRM refused the request.",
}


MESSAGE_KEYS = ("message", "error_description", "error_info", "error", "detail", "description", "title", "msg")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a CRM said when it did not do as asked: its code, its sentence, its fields, the record in the way."""

    code: str | None = None
    message: str | None = None
    fields: tuple[str, ...] = ()
    existing_id: str | None = None
    retry_after: int | None = None
    """Seconds to wait, where the header `retry-after` does not tell them, or tells something else."""
    missing_scopes: tuple[str, ...] = ()
    kind: Kind | None = None
    """What it means, where neither code nor status tells."""


def sentence(body: Any) -> str | None:
    """The sentence in an error body, under the usual names."""
    body = body[0] if isinstance(body, list) and body else body
    if not isinstance(body, dict):
        return None
    return next((body[key] for key in MESSAGE_KEYS if isinstance(body.get(key), str) and body[key]), None)


def absent() -> Problem:
    """There is no such record, as far as the vendor's answers show."""
    return Problem(Kind.CRM_NOT_FOUND, DETAILS[Kind.CRM_NOT_FOUND])


def misshapen() -> Problem:
    """An id that none of the vendor's records can have."""
    return Problem(Kind.CRM_BAD_ID, DETAILS[Kind.CRM_BAD_ID])


def insight(kind: Kind, complaint: Complaint) -> dict[str, Any]:
    """What the unified surface's clients are told of it beside the problem itself."""
    match kind:
        case Kind.CRM_RATE_LIMITED:
            return {"rate_limit_error": {"description": complaint.message or DETAILS[kind]}}
        case Kind.CRM_FORBIDDEN if complaint.missing_scopes:
            value = {"missing_scopes": list(complaint.missing_scopes)}
            return {"forbidden_error": {"description": complaint.message or DETAILS[kind], "value": value}}
        case _:
            return {"remote_error": {"description": complaint.message or DETAILS[kind]}}
