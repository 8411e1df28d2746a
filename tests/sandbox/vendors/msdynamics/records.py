"""Rows of tables: create, get, update or upsert, delete, and taking a lookup away.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/update-delete-entities-using-web-api
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/perform-conditional-operations-using-web-api
"""

import re
import uuid
from datetime import date, datetime

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.msdynamics.environment import (
    API,
    NOT_UNDERSTOOD,
    Environment,
    Row,
    no_property,
    payload,
    refused,
)
from tests.sandbox.vendors.msdynamics.odata import Preferences, QueryError, expansion, listed, preferences
from tests.sandbox.vendors.msdynamics.tables import CHOICES, TABLES, Column, Lookup, Table
from tests.sandbox.vendors.msdynamics.values import RejectedError, guid, moment, read

KINDS = f"{API}/<any({','.join(TABLES)}):kind>"
ONE = f"{KINDS}(<id>)"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
TARGET = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
NO_DUPLICATES_LOOKED_FOR = "true"


class Records(Environment):
    @route("POST", KINDS, label="{kind}", scope="prvCreate{table}")
    def create(self, request: Request) -> Answer:
        """204 and the id in a header; 201 and the row, but no such header, for who prefers a representation."""
        table = self.writable(request)
        row = self.created(table, self.body(request), request)
        return self.answered(request, table, row, 201)

    @route("GET", ONE, label="{kind}/{{id}}", scope="prvRead{table}")
    def get(self, request: Request) -> Answer:
        table = TABLES[request.args["kind"]]
        row = self.row(table, self.key(request))
        if request.headers.get("if-none-match") == etag(row):
            return Answer(304)
        return Answer(200, self.represented(request, table, row), {"ETag": etag(row)})

    @route("PATCH", ONE, label="{kind}/{{id}}", scope="prvWrite{table}")
    def update(self, request: Request) -> Answer:
        """Creates what is not there, unless If-Match says that it must be."""
        table = self.writable(request)
        record_id, body = self.key(request), self.body(request)
        row = self.rows[table.entity_set].get(record_id)
        if table.key in body:
            raise RefusalError(payload(table.entity_set, f"The property '{table.key}' cannot be updated."))
        if row is None and "if-match" not in request.headers:
            row = self.created(table, body | {table.key: record_id}, request)
            return self.answered(request, table, row, 201)
        if row is not None and request.headers.get("if-none-match") == "*":
            raise refused(412, "", "A record with matching key values already exists.")
        row = self.row(table, record_id)
        self.match(request, row)
        self.rewrite(table, row, body, request)
        return self.answered(request, table, row, 200)

    @route("DELETE", ONE, label="{kind}/{{id}}", scope="prvDelete{table}")
    def delete(self, request: Request) -> Answer:
        table = self.writable(request)
        row = self.row(table, self.key(request))
        self.match(request, row)
        self.remove(table, row)
        return Answer(204)

    @route("DELETE", f"{ONE}/<navigation>/$ref", label="{kind}/{{id}}/$ref", scope="prvWrite{table}")
    def disassociate(self, request: Request) -> Answer:
        table = self.writable(request)
        row = self.row(table, self.key(request))
        lookup = table.navigations.get(request.args["navigation"])
        if lookup is None or not lookup.writable or lookup.name == "ownerid":
            raise refused(400, NOT_UNDERSTOOD, f"'{request.args['navigation']}' cannot be disassociated.")
        self.store(table, row, {lookup.value: None})
        return Answer(204)

    # Which row.

    def writable(self, request: Request) -> Table:
        """Users, teams and currencies are made elsewhere."""
        table = TABLES[request.args["kind"]]
        if not table.writable:
            raise RefusalError(self.method_not_allowed(request, ["GET"]))
        return table

    def key(self, request: Request) -> str:
        """A GUID without quotes; alternate keys are not defined in this environment."""
        found = guid(request.args["id"])
        if found is None:
            raise refused(400, NOT_UNDERSTOOD, "Bad Request - Error in query syntax.")
        return found

    def row(self, table: Table, record_id: str) -> Row:
        row = self.rows[table.entity_set].get(record_id)
        if row is None:
            raise self.no_record(table.logical_name, record_id)
        return row

    def no_record(self, name: str, record_id: str) -> RefusalError:
        return refused(404, self.settings["missing_record_code"], f"{name} With Id = {record_id} Does Not Exist")

    def match(self, request: Request, row: Row) -> None:
        wanted = request.headers.get("if-match", "*")
        if wanted not in ("*", etag(row)):
            raise refused(412, "", "The version of the existing record doesn't match the RowVersion property provided.")

    # Writing.

    def created(self, table: Table, body: Row, request: Request) -> Row:
        values = self.values(table, body, creating=True)
        record_id = values.get(table.key)
        if record_id in self.rows[table.entity_set]:
            raise refused(412, "0x80040237", "A record with matching key values already exists.")
        self.demand(table, values, creating=True)
        self.look_for_duplicates(table, None, values, request)
        return self.insert(table, values)

    def rewrite(self, table: Table, row: Row, body: Row, request: Request) -> None:
        values = self.values(table, body, creating=False)
        if table.entity_set == "leads" and row["statecode"] != 0 and values.get("statecode") != 0:
            # Documented for the table; the code of the refusal is not.
            raise refused(400, "0x80040265", "A qualified or disqualified lead is read-only until it is reactivated.")
        self.demand(table, values, creating=False)
        self.look_for_duplicates(table, row, values, request)
        if "statecode" in table.columns:
            self.agree(table, row, values)
        self.store(table, row, values)

    def values(self, table: Table, body: Row, *, creating: bool) -> Row:
        found: Row = {}
        for name, value in body.items():
            base, at, annotation = name.partition("@")
            if annotation == "odata.bind":
                found |= self.bound(table, base, value)
            elif at and "." not in annotation:
                problem = "an instance annotation name must contain a period that is not at its start or end"
                raise RefusalError(payload(table.entity_set, f"'{annotation}' is no annotation: {problem}."))
            elif not at:
                found |= self.column(table, name, value, creating=creating)
        return found

    def column(self, table: Table, name: str, value: Json, *, creating: bool) -> Row:
        column = table.columns.get(name)
        if column is None:
            if name in table.lookups or name in table.values or name in table.navigations:
                inner = "CRM do not support direct update of Entity Reference properties, Use Navigation properties."
            else:
                inner = f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table.logical_name}'."
            raise RefusalError(payload(table.entity_set, inner))
        if not (column.creatable if creating else column.updatable):
            if self.settings["ignores_read_only_columns"]:
                return {}
            raise RefusalError(payload(table.entity_set, f"The property '{name}' cannot be written."))
        try:
            return {name: read(table, column, value)}
        except RejectedError as bad:
            if bad.code is None:
                raise RefusalError(payload(table.entity_set, str(bad))) from bad
            raise refused(400, bad.code, str(bad)) from bad

    def bound(self, table: Table, navigation: str, value: Json) -> Row:
        """`/accounts(guid)`, with or without its slash or the whole URL before it."""
        lookup = table.navigations.get(navigation)
        if lookup is None:
            inner = f"An undeclared property '{navigation}' which only has property annotations in the payload."
            raise RefusalError(payload(table.entity_set, inner))
        if not lookup.writable:
            raise RefusalError(payload(table.entity_set, f"The property '{navigation}' cannot be written."))
        if value is None and self.settings["null_unbinds"] and lookup.name != "ownerid":
            return {lookup.value: None}
        match = re.fullmatch(r"(?:https?://[^/]+/api/data/v9\.[012])?/?(\w+)\(([^)]*)\)", str(value))
        record_id = guid(match[2]) if match else None
        if not isinstance(value, str) or match is None or record_id is None:
            raise RefusalError(payload(table.entity_set, f"Invalid URI '{value}' for '{navigation}@odata.bind'."))
        entity_set = match[1]
        if entity_set not in lookup.navigations[navigation]:
            inner = f"A resource of '{entity_set}' is incompatible with the navigation property '{navigation}'."
            raise RefusalError(payload(table.entity_set, inner))
        if record_id not in self.rows.get(entity_set, {}):
            name = TABLES[entity_set].logical_name if entity_set in TABLES else entity_set
            raise self.no_record(name, record_id)
        return {lookup.value: record_id}

    def demand(self, table: Table, values: Row, *, creating: bool) -> None:
        for name in self.settings["required_columns"].get(table.entity_set, ()):
            if (creating or name in values) and values.get(name) is None:
                raise refused(400, "0x80040265", f"A plug-in of this environment asks for '{name}'.")

    def look_for_duplicates(self, table: Table, row: Row | None, values: Row, request: Request) -> None:
        """Off unless a header turns it on; the rules that come with an environment compare e-mail addresses."""
        asked = request.headers.get("mscrm.suppressduplicatedetection", NO_DUPLICATES_LOOKED_FOR).lower() == "false"
        email = str(values.get("emailaddress1") or "").casefold()
        if not asked or not email:
            return
        for other in self.rows[table.entity_set].values():
            if other is not row and str(other["emailaddress1"] or "").casefold() == email:
                raise RefusalError(self.already_there())

    def agree(self, table: Table, row: Row, values: Row) -> None:
        """Each status reason belongs to one state, and a state alone brings its first reason along."""
        states = table.columns["statuscode"].states
        state = values.get("statecode", row["statecode"])
        if "statecode" in values and "statuscode" not in values:
            values["statuscode"] = next(status for status, of in states.items() if of == state)
        status = values.get("statuscode", row["statuscode"])
        if states[status] != state:
            message = f"{status} is not a valid status code for state code {state} on {table.logical_name}."
            raise refused(400, "0x80048408", message)

    def insert(self, table: Table, values: Row) -> Row:
        record_id = values.get(table.key) or self.new_id(table)
        row: Row = dict.fromkeys([*table.columns, *table.values])
        row |= {table.key: record_id, "createdon": moment(self.clock())}
        row |= {column.name: False for column in table.columns.values() if column.type == "Boolean"}
        if "statecode" in row:
            row |= {"statecode": 0, "statuscode": 1}
            self.agree(table, row, values)
        if "ownerid" in table.lookups:
            row |= {"_ownerid_value": self.user_id, "_createdby_value": self.user_id}
        self.store(table, row, values)
        self.rows[table.entity_set][record_id] = row
        return row

    def new_id(self, table: Table) -> str:
        """Shuffled, so that the order of keys, which is that of lists, is not the order of creation."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{table.entity_set}/{next(self.numbers)}"))

    def store(self, table: Table, row: Row, values: Row) -> None:
        row |= {"modifiedon": moment(self.clock())} | values
        row["versionnumber"] = self.version()
        if table.name_column == "fullname" and not values.get("fullname"):
            row["fullname"] = " ".join(part for part in (row["firstname"], row["lastname"]) if part) or None
        if "ownerid" not in table.lookups:
            return
        owner = row["_ownerid_value"]
        of_a_user = owner in self.rows["systemusers"]
        row |= {"_modifiedby_value": self.user_id, "_owninguser_value": owner if of_a_user else None}
        row["_owningteam_value"] = None if of_a_user else owner
        amounts = [name for name, column in table.columns.items() if column.type == "Money" and f"{name}_base" in row]
        if row["_transactioncurrencyid_value"] is None and any(row[name] is not None for name in amounts):
            row["_transactioncurrencyid_value"] = self.base_currency
        currency = self.rows["transactioncurrencies"].get(row["_transactioncurrencyid_value"] or "")
        row["exchangerate"] = currency["exchangerate"] if currency else None
        for name in amounts:
            amount = row[name]
            row[f"{name}_base"] = (
                None if amount is None or not currency else round(amount / currency["exchangerate"], 4)
            )

    def remove(self, table: Table, row: Row) -> None:
        """What led to the row leads nowhere now; change tracking remembers it."""
        record_id = row[table.key]
        del self.rows[table.entity_set][record_id]
        self.gone[table.entity_set].append(row | {"versionnumber": self.version()})
        for entity_set, rows in self.rows.items():
            links = TABLES[entity_set].values
            for other in rows.values():
                if cleared := [value for value in links if other[value] == record_id]:
                    self.store(TABLES[entity_set], other, dict.fromkeys(cleared))

    # Showing.

    def answered(self, request: Request, table: Table, row: Row, status: int) -> Answer:
        if preferences(request.headers.get("prefer", "")).representation:
            return Answer(status, self.represented(request, table, row))
        url = f"{self.service(request)}/{table.entity_set}({row[table.key]})"
        return Answer(204, headers={"OData-EntityId": url})

    def represented(self, request: Request, table: Table, row: Row) -> Row:
        names, expanded = self.asked(request, table)
        chosen = f"({request.query['$select']})" if "$select" in request.query else ""
        context = f"{self.service(request)}/$metadata#{table.entity_set}{chosen}/$entity"
        wishes = preferences(request.headers.get("prefer", ""))
        return {"@odata.context": context} | self.shown(table, row, names, expanded, wishes)

    def asked(self, request: Request, table: Table) -> tuple[list[str], dict[str, list[str]]]:
        """What $select and $expand name, all of which exists."""
        try:
            expanded = expansion(request.query["$expand"]) if "$expand" in request.query else {}
        except QueryError as odd:
            raise refused(400, NOT_UNDERSTOOD, str(odd)) from odd
        for navigation, columns in expanded.items():
            lookup = table.navigations.get(navigation)
            if lookup is None:
                raise no_property(table, navigation)
            targets = [TABLES[name] for name in lookup.navigations[navigation] if name in TABLES]
            for target in targets:
                self.permit(target)
            if len(targets) != 1:
                # An owner is a user or a team, which share nothing but their id.
                raise refused(400, "0x0", f"'{navigation}' is polymorphic: it cannot be expanded.")
            self.known(targets[0], columns)
        return self.known(table, listed(request.query.get("$select", ""))), expanded

    def known(self, table: Table, names: list[str]) -> list[str]:
        for name in names:
            if name not in table.columns and name not in table.values:
                raise no_property(table, name)
        return names

    def shown(
        self, table: Table, row: Row, names: list[str], expanded: dict[str, list[str]], wishes: Preferences
    ) -> Row:
        """A row with its ETag and its key, asked for or not; a currency comes along with any amount."""
        names = list(dict.fromkeys(names)) or [*table.columns, *table.values]
        amounts = any(name in table.columns and table.columns[name].type == "Money" for name in names)
        more = ["_transactioncurrencyid_value"] if amounts else []
        body: Row = {"@odata.etag": etag(row)}
        for name in [*names, *(one for one in [*more, table.key] if one not in names)]:
            told = self.annotations(table, row, name)
            body |= {f"{name}@{term}": text for term, text in told.items() if wishes.wants(term)}
            body[name] = row[name]
        for navigation, columns in expanded.items():
            lookup = table.navigations[navigation]
            [target] = [TABLES[entity_set] for entity_set in lookup.navigations[navigation]]
            linked = self.rows[target.entity_set].get(row[lookup.value] or "")
            body[navigation] = self.shown(target, linked, columns, {}, wishes) if linked else None
        return body

    def annotations(self, table: Table, row: Row, name: str) -> dict[str, Json]:
        value = row[name]
        if value is None:
            return {}
        if name in table.columns:
            text = self.formatted(table.columns[name], row)
            return {} if text is None else {FORMATTED: text}
        navigation, target = self.end(table.values[name], value)
        named = self.rows[target.entity_set][value][target.name_column]
        return {FORMATTED: named, NAVIGATION: navigation, TARGET: target.logical_name}

    def end(self, lookup: Lookup, record_id: str) -> tuple[str, Table]:
        """The navigation that leads to the row, and the table that it is in."""
        return next(
            (navigation, TABLES[entity_set])
            for navigation, sets in lookup.navigations.items()
            for entity_set in sets
            if record_id in self.rows.get(entity_set, {})
        )

    def formatted(self, column: Column, row: Row) -> str | None:
        """As a person in the United States would see it."""
        value = row[column.name]
        if column.type in CHOICES:
            return column.options[value]
        match column.type:
            case "Boolean":
                return "Yes" if value else "No"
            case "Money":
                in_base = column.name.endswith("_base")
                currency = self.base_currency if in_base else row["_transactioncurrencyid_value"]
                return f"{self.rows['transactioncurrencies'][currency]['currencysymbol']}{value:,.2f}"
            case "DateOnly":
                day = date.fromisoformat(value)
                return f"{day.month}/{day.day}/{day.year}"
            case "DateTime":
                at = datetime.fromisoformat(value)
                return f"{at.month}/{at.day}/{at.year} {(at.hour - 1) % 12 + 1}:{at:%M %p}"
            case "Integer" | "BigInt":
                return f"{value:,}"
            case _:
                return None


def etag(row: Row) -> str:
    return f'W/"{row["versionnumber"]}"'
