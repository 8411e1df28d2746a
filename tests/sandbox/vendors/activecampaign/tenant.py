"""An ActiveCampaign account: API keys, the limit, users, and what all resources have in common.

https://developers.activecampaign.com/reference/authentication
https://developers.activecampaign.com/reference/rate-limits
https://developers.activecampaign.com/reference/pagination
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Any, ClassVar

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import Standing
from tests.sandbox.vendors.activecampaign.attributes import ATTRIBUTES, fits
from tests.sandbox.vendors.activecampaign.refusals import (
    FORBIDDEN,
    absent,
    bad_request,
    invalid,
    malformed,
    name_taken,
)

HOST = "https://sandbox.api-us1.com"
PREFIX = "/api/3"
MOST = 100
WRITES = ("POST", "PUT", "PATCH")
LOCAL = timezone(timedelta(hours=-5))
"""The account's own time zone: dates carry it, and the "utc" timestamps hold it without saying so."""

LINKS: dict[str, tuple[str, ...]] = {
    "users": ("lists", "userGroup", "dealGroupTotals", "dealGroupUsers", "configs"),
    "contacts": (
        "bounceLogs", "contactAutomations", "contactData", "contactGoals", "contactLists", "contactLogs", "contactTags",
        "contactDeals", "deals", "fieldValues", "geoIps", "notes", "organization", "plusAppend", "trackingLogs",
        "scoreValues", "accountContacts", "automationEntryCounts",
    ),
    "fields": ("options", "relations"),
    "fieldOptions": ("field",),
    "fieldValues": ("owner", "field"),
    "accounts": ("notes", "accountCustomFieldData", "accountContacts", "emailActivities", "contactEmails", "owner"),
    "accountContacts": ("account", "contact"),
    "dealGroups": ("stages", "dealGroupUsers", "dealGroupGroups", "winProbabilityFeatures"),
    "dealGroupUsers": ("dealGroup", "user"),
    "dealStages": ("group",),
    "deals": (
        "dealActivities", "contact", "contactDeals", "group", "nextTask", "notes", "account", "customerAccount",
        "organization", "owner", "scoreValues", "stage", "tasks", "dealCustomFieldData",
    ),
    "contactDeals": ("deal", "contact"),
    "dealCustomFieldMeta": ("dealCustomFieldData",),
    "dealCustomFieldData": ("deal", "dealCustomFieldMetum"),
    "accountCustomFieldMeta": ("accountCustomFieldData",),
    "accountCustomFieldData": ("account", "accountCustomFieldMetum"),
}  # fmt: skip
"""Everything that is stored, and the sub-resources that its `links` name."""

type Row = dict[str, Json]


def plain(moment: str) -> str:
    """Without a zone, as some members tell their moments."""
    return moment[:19].replace("T", " ")


class Tenant(Fake):
    name = "activecampaign"
    token_path = ""
    token_lifetime = 0.0
    """There is no OAuth: no token endpoint, no expiry."""
    key_prefix = ""
    defaults: ClassVar[dict[str, Any]] = {
        "requests_per_second": 1_000_000,
        "throttled_status": 429,
        "unknown_attributes_refused": True,
        "over_cap_refused": True,
        "dates_inclusive": False,
        "deleted_contacts_readable": False,
        "stages_outlive_pipelines": True,
        "reduced_deals_tell_status": True,
        "missing_user_status": 404,
        "include_is_heeded": True,
        "forbidden": [],
    }
    nouns: ClassVar[dict[str, str]] = {"companies": "accounts", "pipelines": "dealGroups", "stages": "dealStages"}
    """The vendor's own number is 5 a second, for all keys of an account together.

    throttled_status: 503 was seen in place of 429 by an older client. unknown_attributes_refused, over_cap_refused (a
    limit above 100), dates_inclusive (filters[updated_after] and the like), deleted_contacts_readable: not documented,
    the stricter is the default. stages_outlive_pipelines: recorded - the stages of a pipeline whose deletion was
    answered with 200 were still listed an hour later. reduced_deals_tell_status: recorded so; the vendor's example of a
    deal in a pipeline that the user may not see has no status. missing_user_status: the document declares 400 for
    users, with an empty example, and no 404. include_is_heeded: side-loading is in the vendor's guide and many clients
    use it on lists of contacts, but the reference of the list does not name the parameter: False passes it over.
    forbidden: contacts, companies, users are 403 for the key's user; deals are reduced instead, as recorded.
    """
    specs: ClassVar[dict[str, str]] = {"activecampaign-v3.cut.openapi.json": PREFIX}

    def clear(self) -> None:
        self.second = Window(1, self.clock)
        self.rows: dict[str, dict[str, Row]] = {noun: {} for noun in LINKS}
        self.numbers = {noun: count(1) for noun in LINKS}
        for name, first, last in (("admin", "Ada", "Admin"), ("sten", "Sten", "Seller")):
            self.insert_user({"username": name, "firstName": first, "lastName": last, "email": f"{name}@example.com"})

    def amended(self, file: str, document: dict[str, Any]) -> dict[str, Any]:
        """`required` goes, for the fake has the vendor's own words; ids and values become what the examples show.

        PATCH does as PUT does on contacts and accounts (recorded), and is not in the document.
        """
        paths = document["paths"]
        for operation in (operation for path in paths.values() for operation in path.values()):
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for entity in content.get("schema", {}).get("properties", {}).values():
                entity.pop("required", None)
                members = entity.get("properties", {})
                if "field" in members and "value" in members:
                    members |= {key: {"type": ["string", "integer"]} for key in ("contact", "field")}
                if "customFieldId" in members.get("fields", {}).get("items", {}).get("properties", {}):
                    members["fields"]["items"]["properties"]["fieldValue"] = {}
        for path in ("/contacts/{id}", "/accounts/{id}"):
            paths[path]["patch"] = paths[path]["put"]
        return document

    def api_key(self, request: Request) -> str | None:
        """Never None: a bearer token opens nothing here."""
        return request.headers.get("api-token", "")

    def grant_facts(self) -> dict[str, str]:
        """The URL that the customer finds under Settings > Developer."""
        return {"api_url": HOST}

    def permit(self, noun: str) -> None:
        """Permissions are those of the groups of the key's user."""
        if noun in self.settings["forbidden"]:
            raise RefusalError(Answer(403, FORBIDDEN))

    # Rows.

    def add(self, noun: str, values: Row) -> Row:
        record_id = str(next(self.numbers[noun]))
        links = {name: f"{HOST}{PREFIX}/{noun}/{record_id}/{name}" for name in LINKS[noun]}
        row = values | {"links": links, "id": record_id}
        self.rows[noun][record_id] = row
        return row

    def row(self, noun: str, record_id: str, model: str, status: int = 404) -> Row:
        row = self.rows[noun].get(record_id)
        if row is None:
            raise absent(model, record_id, status)
        return row

    def now(self) -> str:
        return datetime.fromtimestamp(self.clock(), LOCAL).isoformat(timespec="seconds")

    @staticmethod
    def local(text: str) -> str:
        """A moment as an account tells it; one without a zone is in the account's."""
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=LOCAL)).astimezone(LOCAL).isoformat(timespec="seconds")

    def misdated(self) -> str:
        """UTC under the local label, as recorded where the deletion of a stage touched its pipeline."""
        return datetime.fromtimestamp(self.clock(), UTC).replace(tzinfo=LOCAL).isoformat(timespec="seconds")

    # Reading a request.

    def check(self, request: Request) -> None:
        if request.body and not request.headers.get("content-type", "").startswith("application/json"):
            raise bad_request("the content type must be application/json")
        super().check(request)

    def attributes(self, request: Request, entity: str, *foreign: str) -> Row:
        """What lies in the envelope, none of it `foreign`; a body without its envelope is malformed."""
        values = self.body(request).get(entity)
        if not isinstance(values, dict):
            raise bad_request(f"the body must be {{{entity!r}: {{...}}}}")
        known: Row = {}
        for name, value in values.items():
            kind = ATTRIBUTES[entity].get(name) if name not in foreign else None
            if kind is None and self.settings["unknown_attributes_refused"]:
                raise invalid(entity, name)
            if kind is None:
                continue
            if not fits(value, kind):
                raise invalid(entity, name)
            known[name] = value
        return known

    def filters(self, request: Request, *names: str) -> dict[str, str]:
        """filters[name]=value; one that does not exist would list everything, so it is refused."""
        asked = {name[8:-1]: value for name, value in request.query.items() if name.startswith("filters[")}
        if unknown := asked.keys() - set(names):
            raise bad_request(f"no such filters: {sorted(unknown)}")
        return asked

    def ordered(self, request: Request, rows: list[Row], keys: Mapping[str, Callable[[Row], Any]]) -> list[Row]:
        """orders[name]=ASC, the first counts most; by id where nothing is asked."""
        asked = {name[7:-1]: way.lower() for name, way in request.query.items() if name.startswith("orders[")}
        rows = sorted(rows, key=lambda row: int(row["id"]))
        for name, way in reversed(asked.items()):
            if name not in keys or way not in ("asc", "desc"):
                raise bad_request(f"no such order: {name} {way}")
            rows.sort(key=keys[name], reverse=way == "desc")
        return rows

    def page(self, request: Request, rows: list[Row]) -> list[Row]:
        """20 by default; an offset past the end gives nothing."""
        limit, offset = (request.query.get(name, usual) for name, usual in (("limit", "20"), ("offset", "0")))
        if not limit.isdigit() or not offset.isdigit() or int(limit) < 1:
            raise bad_request("limit or offset is no number")
        if int(limit) > MOST and self.settings["over_cap_refused"]:
            raise bad_request(f"limit is above {MOST}")
        return rows[int(offset) : int(offset) + min(int(limit), MOST)]

    # Users; the vendor can write them, too, which nothing here needs.

    @route("GET", PREFIX + "/users", label="users", scope="users")
    def list_users(self, request: Request) -> Answer:
        self.permit("users")
        users = list(self.rows["users"].values())
        return Answer(200, {"users": self.page(request, users), "meta": {"total": str(len(users))}})

    @route("GET", PREFIX + "/users/me", label="users/me")
    def get_me(self, request: Request) -> Answer:
        """Any key may ask for its own user: it is the vendor's connection test."""
        return Answer(200, {"user": self.rows["users"]["1"]})

    @route("GET", PREFIX + "/users/<id>", label="users/{{id}}", scope="users")
    def get_user(self, request: Request) -> Answer:
        self.permit("users")
        return Answer(200, {"user": self.user(request.args["id"])})

    @route("GET", PREFIX + '/users/<any("email", "username"):by>/<value>', label="users/{by}", scope="users")
    def find_user(self, request: Request) -> Answer:
        self.permit("users")
        by, wanted = request.args["by"], request.args["value"]
        found = next((row for row in self.rows["users"].values() if row[by].lower() == wanted.lower()), None)
        if found is None:
            raise absent("User", wanted)
        return Answer(200, {"user": found})

    def user(self, user_id: str) -> Row:
        if user_id not in self.rows["users"] and self.settings["missing_user_status"] == 400:
            raise bad_request("no such user")
        return self.row("users", user_id, "User")

    def insert_user(self, values: Row) -> Row:
        usual = dict.fromkeys(("username", "firstName", "lastName", "email", "phone"), "")
        return self.add("users", usual | {"signature": None} | values)

    # The control plane.

    def plant(self, noun: str, fields: Row) -> str | int:
        """As the body of a create; a contact may be given its `cdate` and `udate` besides."""
        makers = self.makers()
        if noun not in makers:
            raise LookupError(f"ActiveCampaign has no {noun} here: {', '.join(makers)}")
        return makers[noun](dict(fields))["id"]

    def makers(self) -> dict[str, Callable[[Row], Row]]:
        return {"users": self.insert_user}

    def stored(self, noun: str) -> list[Json]:
        if noun not in self.rows:
            raise LookupError(f"ActiveCampaign has no {noun} here: {', '.join(self.rows)}")
        return list(self.rows[noun].values())

    # Limits and refusals.

    def admit(self, request: Request, label: str) -> dict[str, str]:
        """Only refusals carry headers of the limit: no recorded success does."""
        if self.second.spend(self.settings["requests_per_second"]) is None:
            raise RefusalError(self.rate_limited(1, label))
        return {}

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        """The body is not documented: there is none."""
        headers = {"RateLimit-Limit": str(self.settings["requests_per_second"]), "RateLimit-Remaining": "0"}
        if wait is not None:
            headers["Retry-After"] = str(math.ceil(wait))
        return Answer(self.settings["throttled_status"], None, headers)

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        """403, not 401, and no other words than for a missing permission."""
        return Answer(403, FORBIDDEN)

    def missing_scope(self, scope: str) -> Answer:
        """Keys have no scopes, but their users have groups, and groups permissions: the scopes stand for those."""
        return Answer(403, FORBIDDEN)

    def server_error(self, status: int) -> Answer:
        return Answer(status, {"message": "Internal Server Error"})

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """Which record is in the way is not told; what may be there twice, and an upsert, go on as usual."""
        resource, _, _ = label.partition("/")
        if request.method not in WRITES or resource != "accounts":
            return self.handle(found, request, label)
        try:
            return name_taken(self.attributes(request, "account").get("name", ""))
        except RefusalError as refused:
            return refused.answer

    def route_unknown(self, request: Request) -> Answer:
        return Answer(404, {"message": "Not Found"})

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        return Answer(405, {"message": "Method Not Allowed"}, {"Allow": ", ".join(allowed)})

    def bad_json(self, detail: str) -> Answer:
        return malformed(detail)

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        entity, _, name = where.partition(".")
        return invalid(entity, name.split(".")[0]).answer if name else malformed(f"{where}: {detail}")
