"""Pipedrive: lead.create.201, leads.list.200, error.no-permission.403."""

from datetime import datetime
from typing import Any

from switchboard.crm.problem import Kind
from switchboard.crm.wire import Request, Response
from tests.crm.voices import FullVoice


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z"


def listing(request: Request, bodies: list[Any]) -> Response:
    bodies = [] if request.path.endswith("/archived") else bodies
    start, limit = int(request.query["start"]), int(request.query["limit"])
    if since := request.query.get("updated_since"):
        at = datetime.fromisoformat(since)
        bodies = [body for body in bodies if datetime.fromisoformat(body["update_time"]) >= at]
    more = start + limit < len(bodies)
    pagination: dict[str, Any] = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more:
        pagination["next_start"] = start + limit
    body = {"success": True, "data": bodies[start : start + limit], "additional_data": {"pagination": pagination}}
    return Response(200, {}, body)


KINDS = {
    "deal.create.plan-limit.403": Kind.CRM_FORBIDDEN,
    "entity.not-found-v2.404": Kind.CRM_NOT_FOUND,
    "error.no-permission.403": Kind.CRM_FORBIDDEN,
    "error.rate-limit.429": Kind.CRM_RATE_LIMITED,
    "error.scope-mismatch.403": Kind.CRM_FORBIDDEN,
    "error.unauthorized.401": Kind.NEEDS_REAUTH,
    "lead.get.not-found.404": Kind.CRM_NOT_FOUND,
    "person.delete-again.410": Kind.CRM_NOT_FOUND,
    "user.get.not-found.404": Kind.CRM_NOT_FOUND,
    "webhook.create.invalid-url.400": Kind.CRM_REJECTED,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = FullVoice(
    custom="0123456789abcdef0123456789abcdef01234567",
    id=lambda n: f"{n:08x}-5044-11f1-8f4f-d7944c9e4f3a",
    moment=moment,
    bare=lambda record: record,
    one=lambda body: {"success": True, "data": body},
    made=lambda id: {"success": True, "data": {"id": id}},
    kinds=KINDS,
    refusal=lambda code, message: {"success": False, "error": message, "data": None, "code": code},
    aside=lambda request: {"success": True, "data": {}},
    lookup=lambda request, bodies: {"success": True, "data": bodies[::-1]},
    listing=listing,
)
