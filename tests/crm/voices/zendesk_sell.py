"""Zendesk Sell: lead_record_full, lead_create_error_422_unknown_attribute."""

from typing import Any

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice

MORE = {"more_info": "https://developers.getbase.com/docs/rest/articles/errors"}


def made(id: str) -> Any:
    times = {"created_at": "2026-05-01T12:00:00Z", "updated_at": "2026-05-01T12:00:00Z"}
    return {"data": {"id": int(id), "owner_id": 960788, "source_id": None, **times}, "meta": {"type": "lead"}}


def refusal(code: str, message: str) -> Any:
    error = {"resource": "lead", "field": "/data/status", "code": code, "message": "no", "details": message}
    meta = {"type": "errors", "http_status": "422 Unprocessable Entity", "logref": "b5hsh-1r4th-f13p6-4j7ag"}
    return {"errors": [{"error": error, "meta": {"type": "error", "links": MORE}}], "meta": {**meta, "links": MORE}}


KINDS = {
    "contact_create_error_422_unknown_attribute": Kind.CRM_REJECTED,
    "error_400_per_page": Kind.CRM_REJECTED,
    "error_404_not_found": Kind.CRM_NOT_FOUND,
    "error_422_product": Kind.CRM_REJECTED,
    "error_429_empty": Kind.CRM_RATE_LIMITED,
    "lead_create_error_422_unknown_attribute": Kind.CRM_REJECTED,
    "oauth_error_401": Kind.CRM_UNAVAILABLE,
    "task_create_error_422_resource_type": Kind.CRM_REJECTED,
}
"""By the fact sheet, section 9: what each recorded refusal is. The client that was refused is ours, not the account."""

VOICE = Voice(custom="Favourite Colour", made=made, refusal=refusal, kinds=KINDS)
