"""ActiveCampaign: contact_get, error_contact_duplicate_422."""

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice

KINDS = {
    "error_account_contact_missing_account_422": Kind.CRM_REJECTED,
    "error_account_contact_not_found_404": Kind.CRM_NOT_FOUND,
    "error_account_name_duplicate_422": Kind.CRM_CONFLICT,
    "error_account_name_missing_422": Kind.CRM_REJECTED,
    "error_contact_deal_contact_missing_422": Kind.CRM_REJECTED,
    "error_contact_deal_exists_422": Kind.CRM_REJECTED,
    "error_contact_deal_not_found_404": Kind.CRM_NOT_FOUND,
    "error_contact_deal_related_missing_422": Kind.CRM_REJECTED,
    "error_contact_delete_not_found_404": Kind.CRM_NOT_FOUND,
    "error_contact_duplicate_422": Kind.CRM_CONFLICT,
    "error_contact_has_account_422": Kind.CRM_REJECTED,
    "error_contact_not_found_404": Kind.CRM_NOT_FOUND,
    "error_contact_tag_contact_not_found_404": Kind.CRM_NOT_FOUND,
    "error_deal_bulk_owner_missing_422": Kind.CRM_REJECTED,
    "error_deal_bulk_owner_not_found_422": Kind.CRM_REJECTED,
    "error_deal_custom_field_value_422": Kind.CRM_REJECTED,
    "error_deal_field_meta_not_found_404": Kind.CRM_NOT_FOUND,
    "error_field_duplicate_422": Kind.CRM_CONFLICT,
    "error_fields_forbidden_403": Kind.CRM_FORBIDDEN,
    "error_note_not_found_403": Kind.CRM_NOT_FOUND,
    "error_rate_limited_429": Kind.CRM_RATE_LIMITED,
    "error_stage_other_pipeline_422": Kind.CRM_REJECTED,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = Voice(
    custom="7",
    made=lambda id: {"contact": {"id": id}},
    refusal=lambda code, message: {"errors": [{"title": message, "detail": "", "code": code}]},
    kinds=KINDS,
)
