"""Leads, contacts, accounts, opportunities and users: records, lists, filters, duplicates, drop-down lists, metadata.

https://support.sugarcrm.com (Developer Guide: Endpoints, /<module>)
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.sugarcrm.fields import (
    ADDRESS,
    BARE_LEADS_LACK,
    BASE_CURRENCY,
    CUSTOM,
    FIELDS,
    FLAGS,
    LISTS,
    Field,
    FieldError,
    emails,
    read,
)
from tests.sandbox.vendors.sugarcrm.instance import BASE, NAMES, USERS, Instance, error, invalid, missing, refused
from tests.sandbox.vendors.sugarcrm.query import (
    PARAMETERS,
    USUAL,
    Filter,
    QueryError,
    Row,
    brackets,
    iso,
    names,
    sort,
    switched_on,
    whole,
)

KINDS = '<any("Leads", "Contacts", "Accounts", "Users", "Opportunities"):kind>'
CURRENCIES = '<any("Currencies"):kind>'
ALWAYS = ("id", "date_modified")
VIEWS = ("list", "record")
MODULE = {name.lower(): name for name in (*NAMES, "Currencies")}
CLOSED = ("Closed Won", "Closed Lost")


class Modules(Instance):
    def clear(self) -> None:
        super().clear()
        self.rows: dict[str, dict[str, Row]] = {kind: {} for kind in FIELDS}
        self.custom = {kind: dict(CUSTOM.get(kind, {})) for kind in FIELDS}
        self.lists = {name: dict(entries) for name, entries in LISTS.items()}
        dollar = {"name": "US Dollar", "symbol": "$", "iso4217": "USD", "conversion_rate": "1", "status": "Active"}
        self.plant("currencies", {"id": BASE_CURRENCY} | dollar)
        for key, (user_name, first, last, _) in USERS.items():
            self.plant("users", {"id": key, "user_name": user_name, "first_name": first, "last_name": last})

    # Records.

    @route("POST", f"{BASE}/{KINDS}", label="{kind}", scope="{kind}:edit")
    def create(self, request: Request) -> Answer:
        """200 with the whole record."""
        kind = request.args["kind"]
        values = self.values(kind, self.body(request))
        for name, field in self.fields(kind).items():
            if field.required and not values.get(name):
                raise missing(name)
        return Answer(200, self.shown(kind, self.insert(kind, values)))

    @route("GET", f"{BASE}/{KINDS}/<id>", f"{BASE}/{CURRENCIES}/<id>", label="{kind}/{{id}}", scope="{kind}:view")
    def get(self, request: Request) -> Answer:
        """The record without a wrapper, whole or with the fields asked for; a view of it has them all here."""
        kind, row = request.args["kind"], self.row(request)
        try:
            if request.query.get("view", "record") not in VIEWS:
                raise QueryError("view is unknown")
            asked = names(request.query["fields"]) if "fields" in request.query else None
            return Answer(200, self.shown(kind, row, asked))
        except QueryError as bad:
            raise self.bad_query(bad) from bad

    @route("PUT", f"{BASE}/{KINDS}/<id>", label="{kind}/{{id}}", scope="{kind}:edit")
    def update(self, request: Request) -> Answer:
        """Changes what is sent. A stale write conflicts only where the client says what it has read."""
        kind, row = request.args["kind"], self.row(request)
        values = self.values(kind, self.body(request))
        seen = request.headers.get(self.settings["conflict_header"])
        if seen is not None and seen != self.stamp(row["date_modified"]):
            raise refused(409, "edit_conflict", "The record has changed meanwhile.")
        for name, field in self.fields(kind).items():
            if field.required and name in values and not values[name]:
                raise missing(name)
        self.touch(row, values)
        return Answer(200, self.shown(kind, row))

    @route("DELETE", f"{BASE}/{KINDS}/<id>", label="{kind}/{{id}}", scope="{kind}:delete")
    def delete(self, request: Request) -> Answer:
        """Soft: a list may still ask for it with `deleted`."""
        if request.args["kind"] == "users":
            raise RefusalError(self.missing_scope(""))
        row = self.row(request)
        self.touch(row, {"deleted": True})
        return Answer(200, {"id": row["id"]})

    # Lists.

    @route("GET", f"{BASE}/{KINDS}", label="{kind}", scope="{kind}:list")
    def list_page(self, request: Request) -> Answer:
        """The filter is in the brackets of the query string."""
        try:
            return self.page(request.args["kind"], self.parameters(request))
        except QueryError as bad:
            raise self.bad_query(bad) from bad

    @route("POST", f"{BASE}/{KINDS}/filter", label="{kind}/filter", scope="{kind}:list")
    def filter_page(self, request: Request) -> Answer:
        body = self.body(request)
        try:
            unknown = body.keys() - PARAMETERS - {"favorites", "my_items"}
            if unknown:
                raise QueryError(f"{sorted(unknown)[0]} is no parameter")
            return self.page(request.args["kind"], body)
        except QueryError as bad:
            raise self.bad_query(bad) from bad

    @route("GET", f"{BASE}/{KINDS}/count", label="{kind}/count", scope="{kind}:list")
    def count(self, request: Request) -> Answer:
        try:
            return Answer(200, {"record_count": len(self.found(request.args["kind"], self.parameters(request)))})
        except QueryError as bad:
            raise self.bad_query(bad) from bad

    @route("POST", f"{BASE}/{KINDS}/duplicateCheck", label="{kind}/duplicateCheck", scope="{kind}:list")
    def check_duplicates(self, request: Request) -> Answer:
        """Records of the same name. A create asks for none of this."""
        kind = request.args["kind"]
        values = self.values(kind, self.body(request))
        keys = ("name",) if kind in ("accounts", "opportunities") else ("first_name", "last_name")
        same = [
            self.shown(kind, row)
            for row in self.rows[kind].values()
            if not row["deleted"] and all(row[key] == values.get(key, "") for key in keys)
        ]
        return Answer(200, {"next_offset": -1, "records": same})

    def parameters(self, request: Request) -> dict[str, Json]:
        """What a query string asks for; what it has besides is ignored."""
        return {name: value for name, value in brackets(request.query_string).items() if name in PARAMETERS}

    def found(self, kind: str, asked: Mapping[str, Json], among: list[Row] | None = None) -> list[Row]:
        """Of all records of a module, or of those that are linked to one."""
        self.permit(kind)
        if kind == "users" and self.settings["users_are_closed"]:
            raise RefusalError(self.missing_scope(""))
        fields, clauses, term = self.fields(kind), asked.get("filter") or [], asked.get("q")
        if clauses and term:
            raise QueryError("q and filter exclude each other")
        if asked.get("view", "list") not in VIEWS:
            raise QueryError("view is unknown")
        chosen = Filter(fields, self.settings["email_filters"], self.clock())
        # Once against nothing, so that a wrong filter is refused of an empty module, too.
        blank: Row = {name: field.empty for name, field in fields.items()}
        chosen.every(clauses, blank)
        rows = list(self.rows[kind].values()) if among is None else among
        rows = [row for row in rows if chosen.every(clauses, row)]
        if term:
            rows = [row for row in rows if str(term).lower() in text_of(row)]
        if not switched_on(asked.get("deleted")):
            rows = [row for row in rows if not row["deleted"]]
        sort(rows, str(asked.get("order_by") or ""), fields)
        return rows

    def page(self, kind: str, asked: Mapping[str, Json], among: list[Row] | None = None) -> Answer:
        """`next_offset` is -1 at the end. The administrator's cap cuts a page without a word."""
        rows = self.found(kind, asked, among)
        size = min(whole(asked.get("max_num", USUAL), "max_num", 1), self.settings["largest_page"])
        start = whole(asked.get("offset", 0), "offset", 0)
        fields = names(asked["fields"]) if asked.get("fields") else None
        records = [self.shown(kind, row, fields) for row in rows[start : start + size]]
        return Answer(200, {"next_offset": start + size if len(rows) > start + size else -1, "records": records})

    def bad_query(self, bad: QueryError) -> RefusalError:
        if self.settings["bad_filters_are_fatal"]:
            return RefusalError(self.server_error(500))
        return invalid(str(bad))

    # What describes the modules.

    @route("GET", f"{BASE}/me", label="me")
    def get_me(self, request: Request) -> Answer:
        user = self.shown("users", self.rows["users"][self.acting])
        wanted = ("id", "user_name", "full_name", "email")
        return Answer(200, {"current_user": {"type": "user", "module_list": list(NAMES)} | pick(user, wanted)})

    @route("GET", f"{BASE}/{KINDS}/enum/<field>", label="{kind}/enum/{field}")
    def get_enum(self, request: Request) -> Answer:
        """Keys and labels of a drop-down list; those of sales_stage are the stages."""
        field = self.fields(request.args["kind"]).get(request.args["field"])
        if field is None or field.type != "enum":
            raise RefusalError(error(404, "not_found", "There is no such list."))
        return Answer(200, self.lists[field.options])

    @route("GET", f"{BASE}/metadata", label="metadata")
    def get_metadata(self, request: Request) -> Answer:
        """The fields of modules, if only these are asked for."""
        types = request.many("type_filter") or ["modules"]
        wanted = request.many("module_filter") or list(NAMES)
        if "modules" not in types:
            return Answer(200, {"_hash": uuid.uuid4().hex})
        modules = {
            module: {"fields": {name: described(name, field) for name, field in self.fields(module.lower()).items()}}
            for module in wanted
            if module in NAMES
        }
        return Answer(200, {"modules": modules, "_hash": uuid.uuid4().hex})

    # Reading and writing.

    def fields(self, kind: str) -> Mapping[str, Field]:
        lacking = BARE_LEADS_LACK if kind == "leads" and self.settings["bare_leads"] else frozenset[str]()
        stock = {name: field for name, field in FIELDS[kind].items() if name not in lacking}
        return stock | self.custom[kind]

    def row(self, request: Request) -> Row:
        kind, wanted = request.args["kind"], request.args["id"]
        self.permit(kind)
        if kind == "users" and self.settings["users_are_closed"] and wanted != self.acting:
            raise RefusalError(self.missing_scope(""))
        row = self.rows[kind].get(wanted)
        hidden = wanted == BASE_CURRENCY and not self.settings["base_currency_readable"]
        if row is None or row["deleted"] or hidden:
            raise refused(404, "not_found", f"There is no record {wanted}.")
        return row

    def values(self, kind: str, body: Mapping[str, Json]) -> dict[str, Json]:
        """What a body writes. Users are written by administrators, elsewhere."""
        if kind == "users":
            raise RefusalError(self.missing_scope(""))
        fields, values = self.fields(kind), dict[str, Json]()
        for name, value in body.items():
            if name == "email1":
                continue
            field = fields.get(name)
            if field is None or field.own:
                if self.settings["drops_unknown_fields"]:
                    continue
                raise invalid(f"{name} is not a field to be written")
            try:
                values[name] = read(field, value, self.lists)
            except FieldError as bad:
                raise invalid(f"{name} {bad}") from bad
            if field.module and values[name] and not self.there(field.module, values[name]):
                raise invalid(f"{name} names no record")
        if body.get("email1") is not None:
            values["email"] = self.with_first(values.get("email", []), body["email1"])
        return values

    def with_first(self, others: list[dict[str, Json]], first: Json) -> list[dict[str, Json]]:
        """`email1` is a way to write the primary address; "" takes it away."""
        if first == "":
            return []
        if not isinstance(first, str) or not ADDRESS.fullmatch(first):
            raise invalid("email1 is no valid address")
        rest = [one | {"primary_address": False} for one in others if one["email_address"] != first]
        return [*emails([{"email_address": first, "primary_address": True}]), *rest]

    def there(self, kind: str, key: str) -> bool:
        return key in self.rows[kind] and not self.rows[kind][key]["deleted"]

    def insert(self, kind: str, values: dict[str, Json]) -> Row:
        now, key = int(self.clock()), str(values.get("id") or uuid.uuid4())
        row: Row = {name: field.empty for name, field in {**FIELDS[kind], **self.custom[kind]}.items()}
        row |= {"date_entered": now, "date_modified": now, "created_by": self.acting, "modified_user_id": self.acting}
        row |= {"assigned_user_id": self.acting} | values | {"id": key}
        self.rows[kind][key] = row
        self.derive(row)
        return row

    def touch(self, row: Row, values: dict[str, Json]) -> None:
        row |= values | {"date_modified": int(self.clock()), "modified_user_id": self.acting}
        self.derive(row)

    def derive(self, row: Row) -> None:
        """The name of a person follows from its parts, much of an opportunity from its stage, amount and currency."""
        if "last_name" in row:
            row["full_name"] = row["name"] = f"{row['first_name']} {row['last_name']}".strip()
        if "sales_stage" in row:
            row["currency_id"] = row["currency_id"] or BASE_CURRENCY
            rate = row["base_rate"] = self.rows["currencies"][row["currency_id"]]["conversion_rate"]
            for name in ("best_case", "worst_case"):
                row[name] = row["amount"] if row[name] is None else row[name]
            row["amount_usdollar"] = (
                None if row["amount"] is None else str(round(Decimal(row["amount"]) / Decimal(rate), 2))
            )
            row["sales_status"] = row["sales_stage"] if row["sales_stage"] in CLOSED else "New"
            at = datetime.fromisoformat(f"{row['date_closed']}T00:00:00Z").timestamp() if row["date_closed"] else None
            row["date_closed_timestamp"] = None if at is None else str(int(at))

    def stamp(self, seconds: Json) -> str:
        return iso(seconds, self.settings["utc_offset_minutes"])

    def shown(self, kind: str, row: Row, asked: list[str] | None = None) -> dict[str, Json]:
        """A record as it goes out: names beside ids, times with an offset. A deleted one is hardly more than its id."""
        fields = self.fields(kind)
        unknown = [name for name in asked or [] if name not in fields]
        if unknown:
            raise QueryError(f"{unknown[0]} is no field")
        whole_row = {name: row.get(name, field.empty) for name, field in fields.items()}
        for name, field in fields.items():
            if field.type == "datetime" and whole_row[name] is not None:
                whole_row[name] = self.stamp(whole_row[name])
            if field.type == "email":
                whole_row[name] = [self.written(one) for one in whole_row[name]]
            if field.type == "decimal" and self.settings["decimals_as_numbers"] and whole_row[name] is not None:
                whole_row[name] = float(whole_row[name])
        whole_row |= {
            f"{who}_name": self.name_of("users", row[of])
            for who, of in (("modified_by", "modified_user_id"), ("created_by", "created_by"))
        }
        whole_row["assigned_user_name"] = self.name_of("users", row["assigned_user_id"])
        if kind == "opportunities" and row["currency_id"] != BASE_CURRENCY:
            currency = self.rows["currencies"][row["currency_id"]]
            whole_row |= {"currency_name": currency["name"], "currency_symbol": currency["symbol"]}
        if kind in ("contacts", "opportunities"):
            whole_row["account_name"] = self.name_of("accounts", row["account_id"])
        if kind == "accounts":
            whole_row["parent_name"] = self.name_of("accounts", row["parent_id"])
        if row["deleted"]:
            whole_row = pick(whole_row, (*ALWAYS, "deleted"))
        elif asked is not None:
            whole_row = pick(whole_row, (*ALWAYS, *asked))
        return whole_row | {"_acl": {"fields": {}}, "_module": MODULE[kind]}

    def written(self, one: dict[str, Json]) -> dict[str, Json]:
        as_text = self.settings["email_flags_as_text"]
        return one | {name: str(int(one[name])) if as_text else one[name] for name in FLAGS}

    def name_of(self, kind: str, key: str) -> str:
        return self.rows[kind][key]["name"] if key in self.rows[kind] else ""


def pick(row: dict[str, Json], wanted: tuple[str, ...]) -> dict[str, Json]:
    return {name: row[name] for name in wanted}


def text_of(row: Row) -> str:
    """What `q` looks into."""
    return " ".join([row["name"], *(one["email_address"] for one in row.get("email", []))]).lower()


def described(name: str, field: Field) -> dict[str, Json]:
    plain: dict[str, Json] = {"name": name, "vname": f"LBL_{name.upper()}", "type": field.type}
    if field.type in ("varchar", "name", "phone", "url", "enum"):
        plain["len"] = field.len
    if field.options:
        plain["options"] = field.options
    if field.required:
        plain["required"] = True
    return plain | ({"readonly": True} if field.own else {})
