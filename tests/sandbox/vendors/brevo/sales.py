"""The CRM beside contacts: pipelines, which can only be read, and companies and deals as far as they are read.

https://developers.brevo.com/reference/get_crm-pipeline-details-all - no call writes a pipeline or a stage.
"""

import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.brevo.account import OWNERS, V3, invalid, not_found
from tests.sandbox.vendors.brevo.contacts import Contacts

KINDS = '<any("companies", "deals"):kind>'
PIPELINE = f"{V3}/crm/pipeline/details"
STAGES = ("New", "Qualifying", "Demo Scheduled", "Pending Commitment", "In Negotiation", "Won", "Lost")
MOST = 1000
LINKED = {"companies": "linkedDealsIds", "deals": "linkedCompaniesIds"}
CHANGED = {"companies": "last_updated_at", "deals": "last_updated_date"}
QUERY = ("modifiedSince", "createdSince", "limit", "sort", "sortBy")
FILTERS = {
    "companies": ("filters[attributes.name]", "linkedContactsIds", "linkedDealsIds"),
    "deals": (
        "filters[attributes.deal_name]",
        "filters[attributes.deal_owner]",
        "filters[attributes.deal_stage]",
        "filters[attributes.pipeline]",
        "filters[linkedContactsIds]",
        "filters[linkedCompaniesIds]",
    ),
}
ATTRIBUTES = {
    "companies": (
        ("name", "text"),
        ("domain", "text"),
        ("website", "text"),
        ("linkedin", "text"),
        ("industry", "text"),
        ("phone_number", "text"),
        ("owner", "user"),
        ("number_of_employees", "number"),
        ("revenue", "number"),
        ("number_of_contacts", "number"),
        ("owner_assign_date", "date"),
        ("created_at", "date"),
        ("last_updated_at", "date"),
    ),
    "deals": (
        ("deal_name", "text"),
        ("deal_owner", "user"),
        ("amount", "number"),
        ("close_date", "date"),
        ("pipeline", "text"),
        ("deal_stage", "text"),
        ("number_of_contacts", "number"),
        ("created_at", "date"),
        ("last_updated_date", "date"),
        ("stage_updated_at", "date"),
    ),
}
READ_ONLY = ("number_of_contacts", "owner_assign_date", "created_at", *CHANGED.values(), "stage_updated_at")


class Sales(Contacts):
    def clear(self) -> None:
        super().clear()
        self.pipelines: dict[str, dict[str, Json]] = {}
        self.crm: dict[str, dict[str, dict[str, Json]]] = {"companies": {}, "deals": {}}
        self.add_pipeline("Deals Pipeline", STAGES)

    # Pipelines.

    @route("GET", f"{PIPELINE}/all", label="pipelines", scope="crm:read")
    def list_pipelines(self, request: Request) -> Answer:
        """A bare array. Nothing says won or lost but the names, which anybody may change."""
        return Answer(200, list(self.pipelines.values()))

    @route("GET", f"{PIPELINE}/<id>", label="pipelines/{{id}}", scope="crm:read")
    def get_pipeline(self, request: Request) -> Answer:
        """An array of one. The contract declares no 404 here."""
        if request.args["id"] not in self.pipelines:
            raise invalid("Pipeline does not exist")
        return Answer(200, [self.pipelines[request.args["id"]]])

    @route("GET", PIPELINE, label="pipelines/default", scope="crm:read")
    def get_default_pipeline(self, request: Request) -> Answer:
        """Deprecated; the first one, no array."""
        return Answer(200, next(iter(self.pipelines.values())))

    def add_pipeline(self, name: str, stages: Iterable[str]) -> str:
        """Stages have longer ids than everything else, and all the same probability but the lost one."""
        pipeline = secrets.token_hex(12)
        rows = [
            {"id": secrets.token_hex(16), "name": stage, "winProbability": 0 if stage == "Lost" else 100}
            for stage in stages
        ]
        self.pipelines[pipeline] = {"pipeline": pipeline, "pipeline_name": name, "stages": rows}
        return pipeline

    # Companies and deals.

    @route("GET", f"{V3}/crm/attributes/{KINDS}", label="attributes/{kind}", scope="crm:read")
    def list_crm_attributes(self, request: Request) -> Answer:
        """The options of an attribute of users are the only place that tells a user's id."""
        people = [{"key": user_id, "value": user["email"]} for user_id, user in self.users.items()]
        rows = [
            {
                "internalName": name,
                "label": name.replace("_", " ").title(),
                "attributeTypeName": kind,
                "attributeOptions": people if kind == "user" else [],
                "required": False,
                "isValueReadonly": name in READ_ONLY,
            }
            for name, kind in ATTRIBUTES[request.args["kind"]]
        ]
        return Answer(200, rows)

    @route("GET", f"{V3}/companies/<id>", label="companies/{{id}}", scope="crm:read")
    def get_company(self, request: Request) -> Answer:
        row = self.crm_row("companies", request)
        return Answer(200, row | {"refs": self.refs([row])})

    @route("GET", f"{V3}/crm/deals/<id>", label="deals/{{id}}", scope="crm:read")
    def get_deal(self, request: Request) -> Answer:
        return Answer(200, self.crm_row("deals", request) | {"companyTimelineEnabledFrom": None, "refs": {}})

    @route("DELETE", f"{V3}/companies/<id>", label="companies/{{id}}", scope="crm:write")
    def delete_company(self, request: Request) -> Answer:
        return self.delete_crm("companies", request)

    @route("DELETE", f"{V3}/crm/deals/<id>", label="deals/{{id}}", scope="crm:write")
    def delete_deal(self, request: Request) -> Answer:
        return self.delete_crm("deals", request)

    def delete_crm(self, kind: str, request: Request) -> Answer:
        self.remove_crm(kind, self.crm_row(kind, request)["id"])
        return Answer(204)

    def remove_crm(self, kind: str, id: str) -> None:
        """The links to it go with it."""
        row = self.crm[kind].pop(id)
        for others, name in ((rows.values(), LINKED[other]) for other, rows in self.crm.items() if other != kind):
            for one in others:
                one[name] = [linked for linked in one[name] if linked != row["id"]]

    @route("GET", f"{V3}/companies", label="companies", scope="crm:read")
    def list_companies(self, request: Request) -> Answer:
        """By pages, the first is 1; only companies have them."""
        rows, limit = self.crm_rows("companies", request, "page"), self.counted(request, "limit", 50, MOST)
        page = self.counted(request, "page", 1)
        start = (page - 1) * limit
        shown = rows[start : start + limit]
        return Answer(200, {"items": shown, "pager": pager(page, limit, start, rows), "refs": self.refs(shown)})

    @route("GET", f"{V3}/crm/deals", label="deals", scope="crm:read")
    def list_deals(self, request: Request) -> Answer:
        """By offsets."""
        rows, limit = self.crm_rows("deals", request, "offset"), self.counted(request, "limit", MOST, MOST)
        start = self.counted(request, "offset", 0)
        found = pager(start // limit + 1, limit, start, rows)
        return Answer(200, {"items": rows[start : start + limit], "pager": found, "refs": {}})

    def crm_row(self, kind: str, request: Request) -> dict[str, Json]:
        """An id is 24 hexadecimal digits. Nothing says what else is in a query does: it is passed over."""
        self.permit(kind)
        text = request.args["id"]
        if not re.fullmatch(r"[0-9a-f]{24}", text) and self.settings["malformed_id_status"] == 400:
            raise invalid("Invalid object ID")
        found = self.crm[kind].get(text)
        if found is None:
            raise not_found("Company" if kind == "companies" else "Deal")
        return found

    def crm_rows(self, kind: str, request: Request, place: str) -> list[dict[str, Json]]:
        self.known_query(request, *QUERY, *FILTERS[kind], place)
        self.permit(kind)
        changed, made = self.later(request, "modifiedSince"), self.later(request, "createdSince")
        wanted = {name: value for name, value in request.query.items() if name in FILTERS[kind]}
        rows = [
            row
            for row in self.crm[kind].values()
            if changed(seconds(row["attributes"][CHANGED[kind]]))
            and made(seconds(row["attributes"]["created_at"]))
            and all(self.has(row, name, value) for name, value in wanted.items())
        ]
        rows.sort(key=lambda row: str(row["attributes"].get(request.query.get("sortBy", "created_at"), "")))
        return rows[::-1] if self.backwards(request) else rows

    def has(self, row: dict[str, Json], name: str, value: str) -> bool:
        """A filter on an attribute, the owner by e-mail, or on a list of links."""
        bare = name.removeprefix("filters[").removesuffix("]")
        if not bare.startswith("attributes."):
            return value in map(str, row[bare])
        own = str(row["attributes"].get(bare.removeprefix("attributes.")))
        owner = self.users.get(own) if bare.endswith("deal_owner") else None
        return (owner["email"] if owner else own) == value

    def refs(self, rows: list[dict[str, Json]]) -> dict[str, Json]:
        linked = {contact_id for row in rows for contact_id in row["linkedContactsIds"]}
        people = [one for one in self.contacts.values() if one.id in linked]
        return {"linkedContacts": [{"id": one.id, "email": one.email} for one in people]}

    def stamped(self, kind: str) -> str:
        """Now: in milliseconds for companies, in seconds for deals."""
        now = datetime.fromtimestamp(self.clock(), UTC)
        return now.isoformat(timespec="milliseconds" if kind == "companies" else "seconds").replace("+00:00", "Z")

    def add_crm(self, kind: str, fields: dict[str, Json]) -> str:
        """With what every row has, the first stage for a deal; a company and a deal that are linked both tell it."""
        at = self.stamped(kind)
        row: dict[str, Json] = {
            "id": secrets.token_hex(12),
            "attributes": {},
            "linkedContactsIds": [],
            LINKED[kind]: [],
        }
        row |= {"createdBy": OWNERS[0][0]} | fields
        first = next(iter(self.pipelines.values()))
        own = {"created_at": at, CHANGED[kind]: at} | (
            {"owner": OWNERS[0][0], "owner_assign_date": at}
            if kind == "companies"
            else {"deal_owner": OWNERS[0][0], "stage_updated_at": at}
            | {"pipeline": first["pipeline"], "deal_stage": first["stages"][0]["id"]}
        )
        row["attributes"] = own | row["attributes"] | {"number_of_contacts": len(row["linkedContactsIds"])}
        self.crm[kind][row["id"]] = row
        other = "deals" if kind == "companies" else "companies"
        for linked in row[LINKED[kind]]:
            if linked in self.crm[other]:
                self.crm[other][linked][LINKED[other]].append(row["id"])
        return row["id"]

    # The control plane.

    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        match noun:
            case "contacts":
                return self.plant_contact(fields)
            case "companies" | "deals":
                return self.add_crm(noun, fields)
            case "pipelines":
                return self.add_pipeline(fields["pipeline_name"], [stage["name"] for stage in fields.get("stages", [])])
            case "users":
                return self.add_user(fields)
            case "attributes":
                self.planted_attributes.append({"category": "normal", "type": "text"} | fields)
                return fields["name"]
            case "lists":
                self.lists[max(self.lists) + 1] = fields["name"]
                return max(self.lists)
            case _:
                raise LookupError(f"no {noun} here: contacts, companies, deals, pipelines, users, attributes, lists")

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """What links does not move the moment of change of a company or a deal, as it was recorded."""
        rows = self.held(noun)
        if id not in rows:
            raise LookupError(f"no {id} among {noun}")
        if noun == "contacts":
            self.overwrite(self.contacts[int(id)], {"attributes": {}} | fields, [])
            return
        row = rows[id]
        attributes = fields.get("attributes") or {}
        row |= {name: value for name, value in fields.items() if name != "attributes"}
        if noun in self.crm and attributes:
            row["attributes"] |= {CHANGED[noun]: self.stamped(noun)} | attributes

    def erase(self, noun: str, id: str) -> None:
        """Nothing tells of it afterwards: lists lack it, and by its id it is 404."""
        if id not in self.held(noun):
            raise LookupError(f"no {id} among {noun}")
        if noun == "contacts":
            del self.contacts[int(id)]
        elif noun == "users":
            del self.users[id]
        else:
            self.remove_crm(noun, id)

    def held(self, noun: str) -> dict[str, Json]:
        """What can be altered and erased, by the text of its id."""
        if noun == "contacts":
            return {str(number): one for number, one in self.contacts.items()}
        if noun not in (*self.crm, "users"):
            raise LookupError(f"no {noun} to change here: contacts, companies, deals, users")
        return self.users if noun == "users" else self.crm[noun]

    def stored(self, noun: str) -> list[Json]:
        if noun == "contacts":
            return [one.shown() | {"ext_id": one.ext_id} for one in self.contacts.values()]
        if noun in self.crm:
            return list(self.crm[noun].values())
        others: dict[str, list[Json]] = {"users": list(self.users.values()), "attributes": self.attributes()}
        others |= {"pipelines": list(self.pipelines.values())}
        if noun not in others:
            raise LookupError(f"no {noun} here: contacts, {', '.join([*self.crm, *others])}")
        return others[noun]


def pager(current: int, limit: int, start: int, rows: list[dict[str, Json]]) -> dict[str, Json]:
    """Its names are recorded, its numbers are not: they are read as they sound."""
    shown, total = len(rows[start : start + limit]), len(rows)
    edges = {"from": start + 1 if shown else 0, "to": start + shown}
    return {"current": current, "limit": limit} | edges | {"count": shown, "total": total, "max": -(-total // limit)}


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
