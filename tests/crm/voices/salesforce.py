"""Salesforce: account.create.201, contacts.query.200, error.expired-session.401."""

import re
from datetime import UTC, datetime
from typing import Any

from switchboard.crm.places import Record
from switchboard.crm.problem import Kind
from switchboard.crm.wire import Request, Response
from tests.crm.voices import FullVoice


def moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def bare(record: Record) -> Any:
    """The columns as they are; the time stamp of the system also moves where nobody changed the record."""
    columns = {name: value for name, value in record.items() if not name.startswith("_")}
    return {"attributes": {"type": "Lead"}, "SystemModstamp": "2026-06-01T00:00:00.000+0000", **columns}


def listing(request: Request, bodies: list[Any]) -> Response:
    """As much of SOQL as keyset paging takes; all fields come at most 200 records at once."""
    query = request.query["q"]
    assert query.startswith("SELECT FIELDS(ALL) FROM ")
    at = {name: datetime.fromisoformat(body["LastModifiedDate"]) for body in bodies if (name := body["Id"])}
    if after := re.search(r"LastModifiedDate > (\S+) OR \(LastModifiedDate = \S+ AND Id > '(\w+)'\)", query):
        last = (datetime.fromisoformat(after[1]), after[2])
        bodies = [body for body in bodies if (at[body["Id"]], body["Id"]) > last]
    elif since := re.search(r"LastModifiedDate >= (\S+)", query):
        bodies = [body for body in bodies if at[body["Id"]] >= datetime.fromisoformat(since[1])]
    elif beyond := re.search(r"Id > '(\w+)'", query):
        bodies = [body for body in bodies if body["Id"] > beyond[1]]
    limit = int(query.rpartition("LIMIT ")[2])
    assert limit <= 200
    return Response(200, {}, {"totalSize": len(bodies), "done": True, "records": bodies[:limit]})


def refusal(code: str, message: str) -> Any:
    record = {"attributes": {"type": "Lead"}, "Id": "00Q000000000000077"}
    duplicates = {"allowSave": True, "matchResults": [{"matchRecords": [{"record": record}]}]}
    return [{"message": message, "errorCode": code, "fields": ["LastName"], "duplicateResut": duplicates}]


KINDS = {
    "collections.create.empty.400": Kind.CRM_REJECTED,
    "contact.create.duplicates-detected.400": Kind.CRM_CONFLICT,
    "describe.not-found.404": Kind.CRM_NOT_FOUND,
    "error.cross-reference-access.400": Kind.CRM_FORBIDDEN,
    "error.expired-session.401": Kind.NEEDS_REAUTH,
    "error.request-limit.403": Kind.CRM_RATE_LIMITED,
    "error.required-field-missing.400": Kind.CRM_REJECTED,
    "error.restricted-picklist.400": Kind.CRM_REJECTED,
    "oauth.password.invalid-grant.400": Kind.NEEDS_REAUTH,
    "oauth.refresh.invalid-grant.400": Kind.NEEDS_REAUTH,
    "query.aggregate-no-more.400": Kind.CRM_REJECTED,
    "query.unknown-object.400": Kind.CRM_REJECTED,
    "record.delete.no-permission.403": Kind.CRM_FORBIDDEN,
    "record.get.not-found.404": Kind.CRM_NOT_FOUND,
    "record.upsert.multiple-match.300": Kind.CRM_REJECTED,
    "record.write.field-not-writeable.400": Kind.CRM_REJECTED,
    "record.write.success-false.200": Kind.CRM_REJECTED,
    "sosl.malformed.400": Kind.CRM_REJECTED,
}
"""By the fact sheet, section on errors: what each recorded refusal is."""

VOICE = FullVoice(
    custom="Colour__c",
    id=lambda n: f"00Q{n:015d}",
    moment=moment,
    bare=bare,
    one=lambda body: body,
    made=lambda id: {"id": id, "success": True, "errors": []},
    refusal=refusal,
    kinds=KINDS,
    aside=lambda request: {"attributes": {"type": "Account"}, "Name": "Acme"},
    lookup=lambda request, bodies: {"totalSize": len(bodies), "done": True, "records": bodies},
    listing=listing,
)
