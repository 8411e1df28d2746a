"""Brevo: contact_create, error_contact_duplicate_400."""

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice

KINDS = {
    "error_contact_duplicate_400": Kind.CRM_CONFLICT,
    "error_contact_duplicate_old_400": Kind.CRM_CONFLICT,
    "error_contact_not_found_404": Kind.CRM_NOT_FOUND,
    "error_contact_update_conflict_400": Kind.CRM_CONFLICT,
    "error_contact_update_conflict_new_400": Kind.CRM_CONFLICT,
    "error_invalid_parameter_400": Kind.CRM_REJECTED,
    "error_method_not_allowed_405": Kind.CRM_REJECTED,
    "error_rate_limited_429": Kind.CRM_RATE_LIMITED,
    "error_unauthorized_401": Kind.NEEDS_REAUTH,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = Voice(
    custom="JOB_TITLE",
    made=lambda id: {"id": int(id)},
    refusal=lambda code, message: {"code": code, "message": message},
    kinds=KINDS,
)
