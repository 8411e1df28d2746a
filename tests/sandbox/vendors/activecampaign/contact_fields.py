"""Custom fields of contacts: definitions in one table, values in another.

https://developers.activecampaign.com/reference/list-all-custom-fields
https://developers.activecampaign.com/reference/list-all-custom-field-values
"""

import re
from collections.abc import Callable

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.activecampaign.attributes import CUSTOM_FIELDS, fits_field
from tests.sandbox.vendors.activecampaign.companies import Companies
from tests.sandbox.vendors.activecampaign.refusals import dangling, unsaved
from tests.sandbox.vendors.activecampaign.tenant import PREFIX, Row, plain


class ContactFields(Companies):
    def clear(self) -> None:
        super().clear()
        self.valued: dict[tuple[str, str], Row] = {}
        for title, kind, options in CUSTOM_FIELDS:
            self.insert_field({"title": title, "type": kind, "options": options})

    def makers(self) -> dict[str, Callable[[Row], Row]]:
        mine: dict[str, Callable[[Row], Row]] = {
            "fields": self.insert_field,
            "fieldValues": lambda values: self.save_value(
                str(values["contact"]), str(values["field"]), values["value"]
            ),
        }
        return super().makers() | mine

    # The vendor can define them over the API, too, which nothing here needs.

    @route("GET", PREFIX + "/fields", label="fields", scope="contacts")
    def list_fields(self, request: Request) -> Answer:
        """Options are rows of their own, beside the fields."""
        perstag = self.filters(request, "perstag").get("perstag")
        rows = [row for row in self.rows["fields"].values() if perstag in (None, row["perstag"])]
        shown = self.page(request, rows)
        body = {"fieldOptions": self.options_of(shown), "fieldRels": [relation(row) for row in shown], "fields": shown}
        return Answer(200, body | {"meta": {"total": str(len(rows)), "selected": None}})

    @route("GET", PREFIX + "/fields/<id>", label="fields/{{id}}", scope="contacts")
    def get_field(self, request: Request) -> Answer:
        row = self.row("fields", request.args["id"], "Field")
        return Answer(200, {"fieldOptions": self.options_of([row]), "fieldRels": [relation(row)], "field": row})

    def values_of(self, contact: Row) -> list[Row]:
        return [row for row in self.rows["fieldValues"].values() if row["contact"] == contact["id"]]

    def options_of(self, fields: list[Row]) -> list[Row]:
        ids = {row["id"] for row in fields}
        return [row for row in self.rows["fieldOptions"].values() if row["field"] in ids]

    def check_value(self, field_id: str, value: Json) -> None:
        field = self.rows["fields"].get(field_id)
        if field is None:
            raise dangling("field")
        options = [row["value"] for row in self.options_of([field])]
        if not isinstance(value, str) or not fits_field(value, field["type"], options):
            raise unsaved(value, field["type"])

    def save_value(self, contact: str, field: str, value: str) -> Row:
        """A contact has one value of a field."""
        now = self.now()
        row = self.valued.get((contact, field))
        if row is None:
            fresh: Row = {"contact": contact, "field": field, "cdate": now, "created_by": None, "updated_by": None}
            row = self.valued[contact, field] = self.add("fieldValues", fresh | {"owner": contact})
        row |= {"value": value, "udate": now}
        return row

    def remove_value(self, row: Row) -> None:
        del self.rows["fieldValues"][row["id"]]
        del self.valued[row["contact"], row["field"]]

    def insert_field(self, values: Row) -> Row:
        now = self.now()
        options, title = values.pop("options", ()), values.get("title", "")
        usual: Row = {"title": title, "descript": None, "type": "text", "isrequired": "0"}
        usual |= {"perstag": re.sub(r"\W+", "_", title).upper(), "defval": None, "show_in_list": "0", "rows": "0"}
        usual |= {"cols": "0", "visible": "1", "service": "", "ordernum": str(len(self.rows["fields"]) + 1)}
        usual |= {"cdate": now, "udate": now, **dict.fromkeys(("created_timestamp", "updated_timestamp"), plain(now))}
        row = self.add("fields", usual | {"created_by": "1", "updated_by": "1"} | values)
        row |= {"options": [], "relations": [row["id"]]}
        for place, label in enumerate(options, start=1):
            option: Row = {"field": row["id"], "orderid": str(place), "value": label, "label": label}
            option |= {"isdefault": "0", "cdate": None, "udate": None}
            row["options"].append(self.add("fieldOptions", option)["id"])
        return row


def relation(field: Row) -> Row:
    """A field of all lists, which is relation 0."""
    member: Row = {"field": field["id"], "relid": "0", "dorder": "0"}
    return member | {"cdate": field["cdate"], "links": [], "id": field["relations"][0]}
