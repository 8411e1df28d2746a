"""Nutshell: account_create and error_400_create, whose envelope is the same for every type of record."""

from typing import Any

from switchboard.crm.problem import Kind
from tests.crm.voices import Voice

META = {"instanceId": "379104", "siteId": "6smEpVK1"}


def refusal(code: str, message: str) -> Any:
    error = {"id": None, "type": "errors", "code": code, "detail": None, "href": None, "status": "400"}
    return {"meta": META, "links": {}, "leads": [], "errors": [error | {"title": message, "field": None}]}


KINDS = {
    "error_400_create": Kind.CRM_REJECTED,
    "error_400_media_type": Kind.CRM_REJECTED,
    "error_404_html": Kind.CRM_NOT_FOUND,
    "error_500": Kind.CRM_UNAVAILABLE,
}
"""By the fact sheet, section 9: what each recorded refusal is."""

VOICE = Voice(
    custom="Favorite Number",
    made=lambda id: {"meta": META, "links": {}, "leads": [{"id": id, "type": "leads", "links": {}}]},
    refusal=refusal,
    kinds=KINDS,
)
