"""HubSpot: contact.create.201, contacts.list.200, contacts.search.page2.200, error.expired-token.401."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from switchboard.crm.places import Record
from switchboard.crm.problem import Kind
from switchboard.crm.wire import Request, Response
from tests.crm.voices import FullVoice

OBJECTS = {578: "contacts", 608: "contacts", 580: "companies", 610: "companies"}
SEARCH_END = 10_000


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z"


def bare(record: Record) -> Any:
    """Associations are read under the plural of their objects; their type is `lead_to_contact`."""
    outer = {name: record[name] for name in ("createdAt", "updatedAt") if name in record}
    properties = {name: value for name, value in record.items() if name not in ("id", "associations", *outer)}
    if "updatedAt" in outer:
        properties["hs_lastmodifieddate"] = outer["updatedAt"]
    links = {
        OBJECTS[link["types"][0]["associationTypeId"]]: {"results": [{"id": link["to"]["id"], "type": "lead_to_it"}]}
        for link in record.get("associations", ())
    }
    body = {"id": record.get("id"), "properties": properties, **outer, "archived": False}
    return body | ({"associations": links} if links else {})


def lookup(request: Request, bodies: list[Any]) -> Any:
    if request.method == "GET":
        kinds = [{"category": "HUBSPOT_DEFINED", "typeId": 579, "label": None}]
        return {"results": [{"toObjectId": int(body["id"]), "associationTypes": kinds} for body in bodies]}
    wanted = [each["id"] for each in request.json["inputs"]]
    found = [{k: v for k, v in body.items() if k != "associations"} for body in bodies if body["id"] in wanted]
    return {"status": "COMPLETE", "results": found}


def listing(request: Request, bodies: list[Any]) -> Response:
    if request.path.startswith("/crm/v4/associations/"):
        return Response(207, {}, {"status": "COMPLETE", "results": [], "numErrors": len(request.json["inputs"])})
    asked: Mapping[str, Any] = request.query if request.method == "GET" else request.json
    start, limit = int(asked.get("after") or 0), int(asked["limit"])
    if request.method == "POST":
        if start + limit > SEARCH_END:
            return Response(400, {}, refusal("VALIDATION_ERROR", "no more than 10000 results"))
        [group] = request.json["filterGroups"]
        [condition] = group["filters"]
        assert condition["operator"] == "GTE"
        bodies = [body for body in bodies if milliseconds(body) >= int(condition["value"])]
    results = bodies[start : start + limit]
    more = start + limit < len(bodies)
    paging = {"paging": {"next": {"after": str(start + limit), "link": "https://api.hubapi.com/x"}}} if more else {}
    return Response(200, {}, {"results": results} | paging)


def milliseconds(body: Any) -> int:
    return round(datetime.fromisoformat(body["properties"]["hs_lastmodifieddate"]).timestamp() * 1000)


def refusal(code: str, message: str) -> Any:
    error = {"message": message, "code": "INVALID_OPTION", "context": {"propertyName": ["hs_lead_type"]}}
    context = {"requiredGranularScopes": ["crm.objects.leads.write"]}
    body = {"status": "error", "message": message, "correlationId": "c-1", "category": code, "context": context}
    return body | {"errors": [error], "policyName": "SECONDLY"}


KINDS = {
    "association.no-body.400": Kind.CRM_REJECTED,
    "contact.create.conflict.409": Kind.CRM_CONFLICT,
    "contacts.batch-create.conflict.409": Kind.CRM_CONFLICT,
    "contacts.batch-create.invalid-properties.400": Kind.CRM_REJECTED,
    "contacts.batch-update.duplicate-ids.400": Kind.CRM_REJECTED,
    "error.expired-token.401": Kind.NEEDS_REAUTH,
    "error.missing-scopes.403": Kind.CRM_FORBIDDEN,
    "error.not-found.404": Kind.CRM_NOT_FOUND,
    "error.rate-limit.daily.429": Kind.CRM_RATE_LIMITED,
    "error.rate-limit.secondly-search.429": Kind.CRM_RATE_LIMITED,
    "error.rate-limit.ten-secondly.429": Kind.CRM_RATE_LIMITED,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = FullVoice(
    custom="favourite_colour",
    id=lambda n: str(500_000_000 + n),
    moment=moment,
    bare=bare,
    one=lambda body: body,
    made=lambda id: {"id": id, "properties": {"hs_object_id": id}, "archived": False},
    refusal=refusal,
    kinds=KINDS,
    aside=lambda request: {"id": "7", "properties": {"firstname": "Ada", "lastname": "Lovelace"}},
    lookup=lookup,
    listing=listing,
)
