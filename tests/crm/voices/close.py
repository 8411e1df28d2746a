"""Close: lead.create.200, error.unauthorized.401, list.limit-too-high.400."""

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice

KINDS = {
    "error.bad-json.400": Kind.CRM_REJECTED,
    "error.rate-limit.headers.429": Kind.CRM_RATE_LIMITED,
    "error.rate-limit.old-body.429": Kind.CRM_RATE_LIMITED,
    "error.unauthorized.401": Kind.NEEDS_REAUTH,
    "lead.create.bad-name-type.400": Kind.CRM_REJECTED,
    "list.limit-too-high.400": Kind.CRM_REJECTED,
    "search.expired-cursor.400": Kind.CRM_REJECTED,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = Voice(
    custom="custom.cf_9aTFsVklXmPMJZQBx1D11jXIg9ofDDLHBSltkWIK00k",
    made=lambda id: {"id": id, "contacts": [], "custom": {}},
    refusal=lambda code, message: {"error": message},
    kinds=KINDS,
)
