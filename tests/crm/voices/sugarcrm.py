"""SugarCRM: account_create, error_not_found_404 and the other stock exceptions."""

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice

KINDS = {
    "error_bad_credentials_401": Kind.NEEDS_REAUTH,
    "error_edit_conflict_409": Kind.CRM_CONFLICT,
    "error_fatal_500": Kind.CRM_UNAVAILABLE,
    "error_invalid_grant_401": Kind.NEEDS_REAUTH,
    "error_need_login_401": Kind.NEEDS_REAUTH,
    "error_no_method_404": Kind.CRM_REJECTED,
    "error_not_found_404": Kind.CRM_NOT_FOUND,
    "error_permission_403": Kind.CRM_FORBIDDEN,
    "error_token_expired_401": Kind.NEEDS_REAUTH,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = Voice(
    custom="favourite_colour_c",
    made=lambda id: {"id": id, "deleted": False, "description": "", "email": [], "_acl": {"fields": {}}},
    refusal=lambda code, message: {"error": code, "error_message": message},
    kinds=KINDS,
)
