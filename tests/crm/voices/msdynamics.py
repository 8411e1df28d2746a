"""Microsoft Dynamics 365 Sales: account_create_return_representation, error_unknown_entity_set_400."""

from uuid import UUID

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice

KINDS = {
    "error_duplicate_detected_500": Kind.CRM_CONFLICT,
    "error_etag_mismatch_412": Kind.CRM_CONFLICT,
    "error_prevent_update_412": Kind.CRM_CONFLICT,
    "error_rate_limited_concurrency_429": Kind.CRM_RATE_LIMITED,
    "error_rate_limited_requests_429": Kind.CRM_RATE_LIMITED,
    "error_rate_limited_time_429": Kind.CRM_RATE_LIMITED,
    "error_token_invalid_grant_400": Kind.NEEDS_REAUTH,
    "error_token_invalid_scope_400": Kind.CRM_UNAVAILABLE,
    "error_unknown_entity_set_400": Kind.CRM_REJECTED,
    "error_with_annotations_400": Kind.CRM_REJECTED,
    "not_modified_304": Kind.CRM_REJECTED,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = Voice(
    custom="new_colour",
    made=lambda id: {"@odata.etag": 'W/"536530"', "leadid": id},
    refusal=lambda code, message: {"error": {"code": code, "message": message}},
    kinds=KINDS,
    ref=lambda n: str(UUID(int=n)),
)
