"""What records refer to: users, lead sources and statuses, custom fields; pipelines and stages, which are read-only.

https://developer.zendesk.com/api-reference/sales-crm/resources/pipelines
https://developer.zendesk.com/api-reference/sales-crm/resources/lead-sources
"""

from itertools import count

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.zendesk_sell.account import Flaw
from tests.sandbox.vendors.zendesk_sell.fields import CUSTOM
from tests.sandbox.vendors.zendesk_sell.lists import RESOURCES, Lists, Row

READ_ONLY = (
    '<any("users", "lead_statuses", "lead_unqualified_reasons", "deal_sources", "loss_reasons", '
    '"deal_unqualified_reasons", "pipelines", "stages"):kind>'
)
NAMED = '<any("deal_sources", "loss_reasons", "deal_unqualified_reasons"):kind>'
SINGLES = '<any("lead", "contact", "deal"):single>'
BLANKS: dict[str, Row] = {
    "users": {
        "name": None, "email": None, "phone_number": None, "timezone": None, "confirmed": True, "deleted_at": None,
        "role": "user", "roles": [], "status": "active", "invited": True, "team_name": None, "group": None,
        "reports_to": None, "confirmation_token": None,
    },
    "lead_sources": {"name": None, "creator_id": None, "resource_type": "lead"},
    "lead_statuses": {"name": None},
    "lead_unqualified_reasons": {"name": None, "creator_id": None},
    "deal_sources": {"name": None, "creator_id": None, "resource_type": "deal"},
    "loss_reasons": {"name": None, "creator_id": None},
    "deal_unqualified_reasons": {"name": None, "creator_id": None},
    "pipelines": {"name": None, "disabled": False},
    "stages": {
        "name": None, "category": "in_progress", "position": 1, "likelihood": 50, "active": True, "pipeline_id": None,
    },
}  # fmt: skip
STAGES = (
    ("Incoming", "incoming", 0),
    ("Qualified", "in_progress", 20),
    ("Quote", "in_progress", 50),
    ("Closure", "in_progress", 80),
    ("Won", "won", 100),
    ("Unqualified", "unqualified", 0),
    ("Lost", "lost", 0),
)


class Lookups(Lists):
    def clear(self) -> None:
        super().clear()
        self.rows: dict[str, dict[int, Row]] = {noun: {} for noun in (*BLANKS, "leads", "contacts", "deals")}
        # Ids have 64 bits.
        self.numbers = {noun: count(5_000_000_001 + 100_000 * place) for place, noun in enumerate(self.rows)}
        for name, role, status in (
            ("Ada Admin", "admin", "active"),
            ("Sven Seller", "user", "active"),
            ("Gil Gone", "user", "inactive"),
        ):
            email = f"{name.split()[0]}@example.com".lower()
            self.add("users", {"name": name, "email": email, "role": role, "status": status})
        self.me = next(iter(self.rows["users"]))
        for noun, names in {
            "lead_statuses": ("New", "Working", "Unqualified"),
            "lead_sources": ("Our website", "Word of mouth"),
            "lead_unqualified_reasons": ("Not interested",),
            "deal_sources": ("Our website", "Word of mouth", "Referral"),
            "loss_reasons": ("Price",),
            "deal_unqualified_reasons": ("No budget",),
            "pipelines": ("Sales Pipeline",),
        }.items():
            for name in names:
                self.add(noun, {"name": name})
        [pipeline] = self.rows["pipelines"]
        for position, (name, category, likelihood) in enumerate(STAGES, start=1):
            facts = {"category": category, "likelihood": likelihood, "position": position, "pipeline_id": pipeline}
            # Not whether it is in use: a deal in a stage that ends it is none of the active ones.
            active = category not in ("won", "unqualified", "lost")
            self.add("stages", {"name": name, "active": active, **facts})

    def add(self, noun: str, values: Row) -> Row:
        now = self.now()
        row: Row = {"id": next(self.numbers[noun]), "created_at": now, "updated_at": now} | BLANKS[noun]
        if "creator_id" in row:
            row["creator_id"] = self.me
        row |= values
        self.rows[noun][row["id"]] = row
        return row

    # Reading.

    @route("GET", f"/v2/{READ_ONLY}", label="{kind}", scope="read")
    def list_lookup(self, request: Request) -> Answer:
        """Of pipelines and stages there is nothing else: neither one by id nor a way to write."""
        kind = request.args["kind"]
        return self.listed(request, kind, self.visible(kind))

    @route("GET", "/v2/users/<id>", label="users/{{id}}", scope="read")
    def get_user(self, request: Request) -> Answer:
        return self.one("users", self.row("users", request.args["id"]))

    @route("GET", f"/v2/{NAMED}/<id>", label="{kind}/{{id}}", scope="read")
    def get_named(self, request: Request) -> Answer:
        return self.one(request.args["kind"], self.row(request.args["kind"], request.args["id"]))

    @route("GET", "/v2/users/self", label="users/self", scope="profile")
    def get_self(self, request: Request) -> Answer:
        return self.one("users", self.rows["users"][self.me])

    @route("GET", "/v2/accounts/self", label="accounts/self", scope="profile")
    def get_account(self, request: Request) -> Answer:
        data = {"id": 42, "name": "Sandbox", "currency": "EUR", "phone": None, "time_format": "24H"}
        data |= {"timezone": "UTC", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
        return Answer(200, {"data": data, "meta": {"type": "account"}})

    @route(
        "GET", '/v2/<any("lead", "contact", "deal"):single>/custom_fields', label="{single}/custom_fields", scope="read"
    )
    def list_custom_fields(self, request: Request) -> Answer:
        fields = CUSTOM[self.noun(request.args["single"])]
        return self.listed(request, "custom_fields", [one.described(self.settings["choices_named"]) for one in fields])

    # Lead sources.

    @route("GET", "/v2/lead_sources", label="lead_sources", scope="read")
    def list_sources(self, request: Request) -> Answer:
        return self.listed(request, "lead_sources", self.rows["lead_sources"].values())

    @route("GET", "/v2/lead_sources/<id>", label="lead_sources/{{id}}", scope="read")
    def get_source(self, request: Request) -> Answer:
        return self.one("lead_sources", self.row("lead_sources", request.args["id"]))

    @route("POST", "/v2/lead_sources", label="lead_sources", scope="write")
    def create_source(self, request: Request) -> Answer:
        values = self.source(self.data(request), None)
        return self.one("lead_sources", self.add("lead_sources", values), self.settings["created_status"])

    @route("PUT", "/v2/lead_sources/<id>", label="lead_sources/{{id}}", scope="write")
    def update_source(self, request: Request) -> Answer:
        row = self.row("lead_sources", request.args["id"])
        row |= self.source(self.data(request), row) | {"updated_at": self.now()}
        return self.one("lead_sources", row)

    @route("DELETE", "/v2/lead_sources/<id>", label="lead_sources/{{id}}", scope="write")
    def delete_source(self, request: Request) -> Answer:
        row = self.row("lead_sources", request.args["id"])
        del self.rows["lead_sources"][row["id"]]
        return Answer(204)

    def source(self, data: Row, row: Row | None) -> Row:
        """A name is required, and taken once."""
        flaws = [
            Flaw("unknown", f"The attribute '/{name}' is not a known attribute.", name, "source")
            for name in data.keys() - {"name", "resource_type"}
        ]
        name = data.get("name", row["name"] if row else None)
        taken = any(other is not row and other["name"] == name for other in self.rows["lead_sources"].values())
        if "name" not in data and row is None:
            flaws.append(Flaw("missing", "The attribute '/name' has to be there.", "name", "source"))
        elif not isinstance(name, str):
            flaws.append(Flaw("invalid_type", "The attribute '/name' has to be a string.", "name", "source"))
        elif not name.strip():
            flaws.append(Flaw("blank", "The attribute '/name' is blank.", "name", "source"))
        elif taken:
            flaws.append(Flaw("already_exists", "A source of this name exists already.", "name", "source"))
        if data.get("resource_type", "lead") != "lead":
            details = "The attribute '/resource_type' is not included in the list."
            flaws.append(Flaw("incorrect_value", details, "resource_type", "source"))
        if flaws:
            raise self.refused(422, *flaws)
        return data

    # Bodies and rows.

    def data(self, request: Request) -> dict[str, Json]:
        """The record inside of `{"data": {...}}`; `meta` may stand beside it."""
        body = self.body(request)
        if not isinstance(body.get("data"), dict) or body.keys() - {"data", "meta"}:
            raise self.refused(422, Flaw("incorrect_payload", "The payload has to hold one object named 'data'."))
        return body["data"]

    def row(self, noun: str, wanted: str) -> Row:
        row = self.rows[noun].get(int(wanted)) if wanted.isascii() and wanted.isdigit() else None
        if row is not None and row["id"] in self.settings["foreign_records"]:
            row = None
        if row is not None and self.is_forbidden(noun, row):
            if self.settings["forbidden_status"] == 403:
                raise RefusalError(self.missing_scope("read"))
            row = None
        if row is None:
            raise self.missing_record(RESOURCES[noun].type, wanted)
        return row

    def is_forbidden(self, noun: str, row: Row) -> bool:
        """Whether the user may not see it; a contact that is an organization is one of the companies."""
        kind = "companies" if noun == "contacts" and row["is_organization"] else noun
        return kind in map(self.noun, self.settings["forbidden"])

    def visible(self, noun: str) -> list[Row]:
        foreign = self.settings["foreign_records"]
        rows = [row for row in self.rows[noun].values() if row["id"] not in foreign]
        return [row for row in rows if not self.is_forbidden(noun, row)]
