"""One record read by its id: whole, or the fields that were asked for.

https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
"""

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.zoho.fields import FIELDS
from tests.sandbox.vendors.zoho.records import KINDS, Records, Row
from tests.sandbox.vendors.zoho.refusals import bad_id, bad_parameter, fault, refused

MOST_COLUMNS = 50


class Reading(Records):
    @route("GET", f"{KINDS}/<id>", label="{kind}/{{id}}", scope="ZohoCRM.modules.{kind}.READ")
    def get_record(self, request: Request) -> Answer:
        """204 for a record that is not there, unless the setting says 400; never 404."""
        kind, number = request.args["kind"], request.args["id"]
        if not number.isdigit() or (not self.live(kind, number) and self.settings["missing_record_status"] == 400):
            raise bad_id(1)
        row = self.live(kind, number)
        if row is None:
            return Answer(204)
        if "fields" in request.query:
            return Answer(200, {"data": [cut(row, self.columns(kind, request.many("fields")))]})
        return Answer(200, {"data": [self.whole(kind, row)]})

    def whole(self, kind: str, row: Row) -> Row:
        """Deals have no pipeline where the edition has none."""
        hidden = {"Pipeline"} if kind == "deals" and not self.settings["pipelines_enabled"] else set[str]()
        return {name: value for name, value in row.items() if name not in hidden} | self.system_values(kind)

    def columns(self, kind: str, names: list[str]) -> list[str]:
        if len(names) > MOST_COLUMNS:
            raise refused(fault("LIMIT_EXCEEDED", "limit exceeded", limit=MOST_COLUMNS, param_name="fields"))
        unknown = [name for name in names if name not in FIELDS[kind]]
        if unknown and self.settings["unknown_fields_refused"]:
            raise bad_parameter("fields")
        return [name for name in names if name in FIELDS[kind]]

    def system_values(self, kind: str) -> dict[str, Json]:
        """What a whole record shows beside its fields."""
        steps = dict.fromkeys(("approve", "reject", "resubmit"), False)
        layout = {"display_label": "Standard", "name": "Standard", "id": self.layouts[kind]}
        values: dict[str, Json] = {
            "currency_symbol": "$", "field_states": None, "state": "save", "process_flow": False,
            "locked_for_me": False, "approved": True, "approval": steps | {"delegate": False, "takeover": False},
            "editable": True, "zia_owner_assignment": "owner_recommendation_unavailable", "review_process": steps,
            "layout_id": layout, "review": None, "orchestration": False, "in_merge": False,
            "approval_state": "approved",
        }  # fmt: skip
        values |= {"converted": False, "converted_detail": {}} if kind == "leads" else {}
        values |= {"is_duplicate": False} if kind == "accounts" else {}
        return {f"${name}": value for name, value in values.items()}


def cut(row: Row, names: list[str]) -> Row:
    """The wanted fields; the id is always there."""
    return {name: row[name] for name in [*names, "id"]}
