"""Salesforce: account.create.201, contacts.query.200, error.expired-session.401."""

import re
from datetime import UTC, datetime
from typing import Any

from switchboard.crm.mapping import Record
from switchboard.crm.wire import Request, Response
from tests.crm.voices import Voice


def moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def bare(record: Record) -> Any:
    """The columns as they are; the time stamp of the system moves with every change."""
    columns = {name: value for name, value in record.items() if not name.startswith("_")}
    return {"attributes": {"type": "Lead"}, "SystemModstamp": record.get("LastModifiedDate"), **columns}


def listing(request: Request, bodies: list[Any]) -> Response:
    """As much of SOQL as keyset paging takes; of a record only the selected columns are answered."""
    query = request.query["q"]
    columns = [name.strip() for name in query.removeprefix("SELECT ").partition(" FROM ")[0].split(",")]
    at = {name: datetime.fromisoformat(body["SystemModstamp"]) for body in bodies if (name := body["Id"])}
    if after := re.search(r"SystemModstamp > (\S+) OR \(SystemModstamp = \S+ AND Id > '(\w+)'\)", query):
        last = (datetime.fromisoformat(after[1]), after[2])
        bodies = [body for body in bodies if (at[body["Id"]], body["Id"]) > last]
    elif since := re.search(r"SystemModstamp >= (\S+)", query):
        bodies = [body for body in bodies if at[body["Id"]] >= datetime.fromisoformat(since[1])]
    elif beyond := re.search(r"Id > '(\w+)'", query):
        bodies = [body for body in bodies if body["Id"] > beyond[1]]
    limit = int(query.rpartition("LIMIT ")[2])
    records = [{"attributes": body["attributes"]} | {name: body.get(name) for name in columns} for body in bodies]
    return Response(200, {}, {"totalSize": len(records), "done": True, "records": records[:limit]})


def refusal(code: str, message: str) -> Any:
    record = {"attributes": {"type": "Lead"}, "Id": "00Q000000000000077"}
    duplicates = {"allowSave": True, "matchResults": [{"matchRecords": [{"record": record}]}]}
    return [{"message": message, "errorCode": code, "fields": ["LastName"], "duplicateResut": duplicates}]


VOICE = Voice(
    custom="Colour__c",
    id=lambda n: f"00Q{n:015d}",
    moment=moment,
    bare=bare,
    one=lambda body: body,
    made=lambda id: {"id": id, "success": True, "errors": []},
    refusal=refusal,
    aside=lambda request: {"attributes": {"type": "Account"}, "Name": "Acme"},
    lookup=lambda request, bodies: {"totalSize": len(bodies), "done": True, "records": bodies},
    listing=listing,
)
