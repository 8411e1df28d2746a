"""Insightly: lead_update, error_404_plan_no_access, and what was recorded of its second version."""

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice

KINDS = {
    "error_404_plan_no_access": Kind.CRM_FORBIDDEN,
    "legacy_v21_error_400_server_exception": Kind.CRM_REJECTED,
    "legacy_v21_error_404_no_record": Kind.CRM_NOT_FOUND,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = Voice(
    custom="Hobby__c",
    made=lambda id: {"LEAD_ID": int(id), "LEAD_SOURCE_ID": None, "CUSTOMFIELDS": [], "TAGS": [], "LINKS": []},
    refusal=lambda code, message: f"{message} ({code})",
    kinds=KINDS,
)
