"""Pipeliner: error_400_invalid_json, error_404_unknown_entity, note_delete. None about a lead was recorded."""

from typing import Any

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice

KINDS = {
    "error_400_invalid_json": Kind.CRM_REJECTED,
    "error_404_unknown_entity": Kind.CRM_REJECTED,
    "error_404_url": Kind.CRM_REJECTED,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""


def refusal(code: str, message: str) -> Any:
    return {"code": 117, "name": code, "message": message, "http_status": 400, "success": False}


VOICE = Voice(
    custom="cf_colour",
    made=lambda id: {"success": True, "data": {"id": id}},
    refusal=refusal,
    kinds=KINDS,
)
