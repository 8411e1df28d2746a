"""Zoho: v8.lead.create.201, v8.records.create.duplicate.400, error.scope-mismatch.401."""

from typing import Any

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice


def made(id: str) -> Any:
    user = {"name": "Nango Developer", "id": "7328395000000605001"}
    details = {"Created_Time": "2026-05-14T12:54:51+03:00", "id": id, "Created_By": user}
    return {"data": [{"code": "SUCCESS", "details": details, "message": "record added", "status": "success"}]}


def refusal(code: str, message: str) -> Any:
    details = {"api_name": "Unique_1", "json_path": "$.data[0].Unique_1", "id": "2008662000006256222"}
    return {"data": [{"code": code, "details": details, "message": message, "status": "error"}]}


KINDS = {
    "error.internal.500": Kind.CRM_UNAVAILABLE,
    "error.invalid-url.404": Kind.CRM_REJECTED,
    "error.no-permission.403": Kind.CRM_FORBIDDEN,
    "error.rate-limit.429": Kind.CRM_RATE_LIMITED,
    "error.scope-mismatch.401": Kind.CRM_FORBIDDEN,
    "oauth.token.too-many-requests.400": Kind.CRM_RATE_LIMITED,
    "v8.note.write.empty-note.400": Kind.CRM_REJECTED,
    "v8.note.write.id-missing.400": Kind.CRM_REJECTED,
    "v8.note.write.invalid-id.400": Kind.CRM_NOT_FOUND,
    "v8.note.write.no-permission.403": Kind.CRM_FORBIDDEN,
    "v8.record.delete.invalid-id.400": Kind.CRM_NOT_FOUND,
    "v8.record.update.already-modified.412": Kind.CRM_REJECTED,
    "v8.record.update.locked.400": Kind.CRM_REJECTED,
    "v8.records.create.authorization-failed.400": Kind.CRM_FORBIDDEN,
    "v8.records.create.duplicate.400": Kind.CRM_CONFLICT,
    "v8.records.create.invalid-data.400": Kind.CRM_REJECTED,
    "v8.records.create.invalid-type.400": Kind.CRM_REJECTED,
    "v8.records.create.mandatory-layout-rule.400": Kind.CRM_REJECTED,
    "v8.records.create.mixed.207": Kind.CRM_REJECTED,
    "v8.records.create.multiple-errors.400": Kind.CRM_CONFLICT,
    "v8.records.create.too-long.400": Kind.CRM_REJECTED,
    "v8.records.list.fields-missing.400": Kind.CRM_REJECTED,
    "v8.records.list.over-100000.400": Kind.CRM_REJECTED,
    "v8.records.list.over-2000.400": Kind.CRM_REJECTED,
    "v8.records.list.page-token-expired.400": Kind.CRM_REJECTED,
    "v8.records.list.page-token-mismatch.400": Kind.CRM_REJECTED,
    "v8.records.list.too-many-fields.400": Kind.CRM_REJECTED,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = Voice(custom="Custom_Field_1", made=made, refusal=refusal, kinds=KINDS)
