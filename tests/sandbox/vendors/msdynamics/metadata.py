"""Definitions of tables, their columns and choices: custom columns, lead sources, statuses, and the sales stages.

There is no table of pipelines or stages to write to; the stages of a sale are the `salesstage` choice of opportunities.
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api
"""

import uuid
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.msdynamics.environment import API, NO_RECORD, NOT_UNDERSTOOD, SALES, Row, refused
from tests.sandbox.vendors.msdynamics.odata import Comparison, QueryError, condition, listed
from tests.sandbox.vendors.msdynamics.queries import Queries
from tests.sandbox.vendors.msdynamics.tables import DEFINED, Column, Table

DEFINITION = f"{API}/EntityDefinitions(LogicalName='<logical>')"
ATTRIBUTES = f"{DEFINITION}/Attributes"
CAST = "Microsoft.Dynamics.CRM.<any(PicklistAttributeMetadata,StateAttributeMetadata,StatusAttributeMetadata):cast>"
LANGUAGE = 1033


class Metadata(Queries):
    @route("GET", DEFINITION, label="EntityDefinitions/{logical}")
    def definition(self, request: Request) -> Answer:
        table = self.defined(request)
        body: Row = {
            "LogicalName": table.logical_name,
            "SchemaName": table.logical_name.capitalize(),
            "EntitySetName": table.entity_set,
            "PrimaryIdAttribute": table.key,
            "PrimaryNameAttribute": table.name_column,
            "ChangeTrackingEnabled": self.tracked(table),
            "MetadataId": identity(table.logical_name),
        }
        context = {"@odata.context": f"{self.service(request)}/$metadata#EntityDefinitions/$entity"}
        return Answer(200, context | self.selected(request, [body])[0])

    @route("GET", ATTRIBUTES, label="EntityDefinitions/{logical}/Attributes")
    def attributes(self, request: Request) -> Answer:
        table = self.defined(request)
        rows = [described(table, column) for column in table.columns.values()]
        rows += [described_lookup(table, name) for name in table.lookups]
        return self.collection(request, rows)

    @route("GET", f"{ATTRIBUTES}/{CAST}", label="EntityDefinitions/{logical}/Attributes")
    def choices(self, request: Request) -> Answer:
        """The columns of one kind; their options only for who expands them."""
        table = self.defined(request)
        return self.collection(
            request, [self.choice(request, table, column) for column in self.of_cast(request, table)]
        )

    @route(
        "GET",
        f"{ATTRIBUTES}(LogicalName='<attribute>')/{CAST}",
        label="EntityDefinitions/{logical}/Attributes/{attribute}",
    )
    def one_choice(self, request: Request) -> Answer:
        table = self.defined(request)
        name = request.args["attribute"]
        found = [column for column in self.of_cast(request, table) if column.name == name]
        if not found:
            raise refused(404, NO_RECORD, f"Attribute '{name}' of entity '{table.logical_name}' Does Not Exist")
        context = {"@odata.context": f"{self.context(request)}/$entity"}
        return Answer(200, context | self.selected(request, [self.choice(request, table, found[0])])[0])

    def defined(self, request: Request) -> Table:
        name = request.args["logical"]
        table = DEFINED.get(name)
        if table is None or (table.entity_set in SALES and not self.settings["sales_app"]):
            raise refused(404, NO_RECORD, f"Entity '{name}' Does Not Exist")
        return table

    def of_cast(self, request: Request, table: Table) -> list[Column]:
        kind = request.args["cast"].removesuffix("AttributeMetadata")
        return [column for column in table.columns.values() if column.type == kind]

    def choice(self, request: Request, table: Table, column: Column) -> Row:
        body = described(table, column)
        if request.query.get("$expand", "").startswith("OptionSet"):
            name = f"{table.logical_name}.{column.name}.options"
            body["OptionSet"] = {"MetadataId": identity(name), "Options": options(column)}
        return body

    def collection(self, request: Request, rows: list[Row]) -> Answer:
        rows = self.named(request, rows)
        return Answer(200, {"@odata.context": self.context(request), "value": self.selected(request, rows)})

    def context(self, request: Request) -> str:
        cast = request.args.get("cast")
        path = f"EntityDefinitions('{request.args['logical']}')/Attributes"
        return f"{self.service(request)}/$metadata#{path}" + (f"/Microsoft.Dynamics.CRM.{cast}" if cast else "")

    def named(self, request: Request, rows: list[Row]) -> list[Row]:
        """$filter with eq on one plain member, such as LogicalName; nothing else is needed of it here."""
        if "$filter" not in request.query:
            return rows
        try:
            wanted = condition(request.query["$filter"])
        except QueryError as odd:
            raise refused(400, NOT_UNDERSTOOD, str(odd)) from odd
        if not isinstance(wanted, Comparison) or wanted.operator != "eq":
            raise refused(400, NOT_UNDERSTOOD, "The $filter of definitions is not supported.")
        return [row for row in rows if row.get(wanted.path) == wanted.value.value]

    def selected(self, request: Request, rows: list[Row]) -> list[Row]:
        names = listed(request.query.get("$select", ""))
        for name in names:
            if any(name not in row for row in rows):
                raise refused(400, "0x0", f"Could not find a property named '{name}' on the metadata type.")
        always = {"@odata.type", "MetadataId", "OptionSet"}
        return [{name: value for name, value in row.items() if not names or name in {*names, *always}} for row in rows]


def identity(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def label(text: str, name: str) -> Row:
    one: Row = {
        "Label": text,
        "LanguageCode": LANGUAGE,
        "IsManaged": not name.startswith("cr123_"),
        "MetadataId": identity(f"{name}/{text}"),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}


def described(table: Table, column: Column) -> Row:
    kind = "DateTime" if column.type == "DateOnly" else column.type
    format_name = {"DateOnly": "DateOnly", "DateTime": "DateAndTime", "String": "Text", "Memo": "Text"}
    return {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
        "LogicalName": column.name,
        "SchemaName": column.schema_name or column.name.capitalize(),
        "AttributeOf": None,
        "Targets": None,
        "IsValidForCreate": column.creatable,
        "IsValidForUpdate": column.updatable,
        "IsCustomAttribute": column.name.startswith("cr123_"),
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "DisplayName": label(column.label or column.name.capitalize(), column.name),
        "Format": format_name.get(column.type, ""),
        "MetadataId": identity(f"{table.logical_name}.{column.name}"),
    }


def described_lookup(table: Table, name: str) -> Row:
    lookup = table.lookups[name]
    sets = [entity_set for targets in lookup.navigations.values() for entity_set in targets]
    names = {one.entity_set: one.logical_name for one in DEFINED.values()}
    kind = "Owner" if name == "ownerid" else "Customer" if len(lookup.navigations) > 1 else "Lookup"
    column = Column(name, kind, creatable=lookup.writable, updatable=lookup.writable)
    more: dict[str, Json] = {
        "@odata.type": "#Microsoft.Dynamics.CRM.LookupAttributeMetadata",
        "Targets": [names.get(one, one.removesuffix("s")) for one in sets],
        "Format": "None",
    }
    return described(table, column) | more


def options(column: Column) -> list[Row]:
    return [option(column, value, text) for value, text in column.options.items()]


def option(column: Column, value: int, text: str) -> Row:
    more: dict[str, Any] = {}
    if column.type == "Status":
        more = {"@odata.type": "#Microsoft.Dynamics.CRM.StatusOptionMetadata", "State": column.states[value]}
        more["TransitionData"] = None
    elif column.type == "State":
        more = {"@odata.type": "#Microsoft.Dynamics.CRM.StateOptionMetadata", "InvariantName": text}
        more["DefaultStatus"] = None
    return more | {
        "Value": value,
        "Color": None,
        "IsManaged": not column.name.startswith("cr123_"),
        "ExternalValue": None,
        "ParentValues": [],
        "Tag": None,
        "IsHidden": False,
        "MetadataId": None,
        "HasChanged": None,
        "Label": label(text, column.name),
        "Description": {"LocalizedLabels": [], "UserLocalizedLabel": None},
    }
