"""Custom fields of deals and accounts: definitions in one table, values in another, both with numbers for ids.

https://developers.activecampaign.com/reference/list-all-custom-field-values-for-deals
https://developers.activecampaign.com/reference/list-all-custom-account-field-values
"""

from collections.abc import Callable
from functools import partial

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.activecampaign.contacts import Contacts
from tests.sandbox.vendors.activecampaign.refusals import bad_request
from tests.sandbox.vendors.activecampaign.tenant import PREFIX, Row

KINDS = '<any("deal", "account"):of>'
HOLDERS = {"deal": "dealId", "account": "customerAccountId"}
"""The filters of values by their record; in the values of an account, the member is called accountId."""
FIELDS = {
    "deal": (("Forecasted Close Date", "date", None), ("Engine", "text", None)),
    "account": (
        ("Description", "textarea", None),
        ("City", "text", None),
        ("Industry/Vertical", "text", None),
        ("Phone Number", "text", None),
    ),
}
"""Label, type and options of what a new sandbox has; their ids begin at 1."""
FIELD: Row = {
    "fieldLabel": "",
    "fieldType": "text",
    "fieldOptions": None,
    "fieldDefault": None,
    "fieldDefaultCurrency": None,
    "isFormVisible": 0,
    "isRequired": 0,
    "displayOrder": 1,
    "personalization": "",
    "knownFieldId": None,
    "hideFieldFlag": 0,
}


class CustomData(Contacts):
    def clear(self) -> None:
        super().clear()
        for of, fields in FIELDS.items():
            for label, kind, options in fields:
                self.define(of, {"fieldLabel": label, "fieldType": kind, "fieldOptions": options})

    def makers(self) -> dict[str, Callable[[Row], Row]]:
        mine: dict[str, Callable[[Row], Row]] = {}
        for of in FIELDS:
            mine |= {f"{of}CustomFieldMeta": partial(self.define, of), f"{of}CustomFieldData": partial(self.put, of)}
        return super().makers() | mine

    @route("GET", PREFIX + f"/{KINDS}CustomFieldMeta", label="{of}CustomFieldMeta", scope="{of}s")
    def list_definitions(self, request: Request) -> Answer:
        noun = f"{request.args['of']}CustomFieldMeta"
        return Answer(200, {noun: self.page(request, list(self.rows[noun].values()))})

    @route("GET", PREFIX + f"/{KINDS}CustomFieldMeta/<id>", label="{of}CustomFieldMeta/{{id}}", scope="{of}s")
    def get_definition(self, request: Request) -> Answer:
        return self.one(request, "Meta", "Metum")

    @route("GET", PREFIX + f"/{KINDS}CustomFieldData", label="{of}CustomFieldData", scope="{of}s")
    def list_data(self, request: Request) -> Answer:
        """Of all records, unless a filter names one."""
        of = request.args["of"]
        asked = self.filters(request, HOLDERS[of])
        if not all(value.isdigit() for value in asked.values()):
            raise bad_request(f"filters[{HOLDERS[of]}] is no number")
        noun, wanted = f"{of}CustomFieldData", {int(value) for value in asked.values()}
        rows = [row for row in self.readable(of) if not wanted or row[f"{of}Id"] in wanted]
        return Answer(200, {noun: self.page(request, rows)})

    @route("GET", PREFIX + f"/{KINDS}CustomFieldData/<id>", label="{of}CustomFieldData/{{id}}", scope="{of}s")
    def get_datum(self, request: Request) -> Answer:
        return self.one(request, "Data", "Datum")

    @route("GET", PREFIX + "/deals/<id>/dealCustomFieldData", label="deals/{{id}}/dealCustomFieldData", scope="deals")
    def list_data_of_deal(self, request: Request) -> Answer:
        return Answer(200, {"dealCustomFieldData": self.data_of("deal", self.visible_deal(request))})

    @route(
        "GET",
        PREFIX + "/accounts/<id>/accountCustomFieldData",
        label="accounts/{{id}}/accountCustomFieldData",
        scope="accounts",
    )
    def list_data_of_account(self, request: Request) -> Answer:
        return Answer(200, {"accountCustomFieldData": self.data_of("account", self.account(request))})

    def readable(self, of: str) -> list[Row]:
        """The values of records that the user may see."""
        rows = list(self.rows[f"{of}CustomFieldData"].values())
        if of == "account":
            self.permit("companies")
            return rows
        deals = self.rows["deals"]
        return [row for row in rows if (deal := deals.get(str(row["dealId"]))) and not self.reduced(deal)]

    def data_of(self, of: str, holder: Row) -> list[Row]:
        return [row for row in self.readable(of) if str(row[f"{of}Id"]) == holder["id"]]

    def one(self, request: Request, plural: str, singular: str) -> Answer:
        """Not found in a shape of its own (documented)."""
        noun = f"{request.args['of']}CustomField{plural}"
        row = self.rows[noun].get(request.args["id"])
        if row is None:
            raise RefusalError(Answer(404, {"errors": [{"status": 404, "title": "Not Found"}]}))
        return Answer(200, {f"{request.args['of']}CustomField{singular}": row})

    # The control plane.

    def define(self, of: str, values: Row) -> Row:
        noun = f"{of}CustomFieldMeta"
        place: dict[str, Json] = {"displayOrder": len(self.rows[noun]) + 1}
        return self.add(noun, FIELD | place | self.plain_stamps() | values)

    def put(self, of: str, values: Row) -> Row:
        """Of the record's id, a definition's id (`customFieldId`), and `fieldValue`."""
        field = int(values["customFieldId"])
        if str(field) not in self.rows[f"{of}CustomFieldMeta"]:
            raise LookupError(f"no custom field {field} of {of}s")
        ids: Row = {f"{of}CustomFieldMetumId": field, f"{of}Id": int(values[f"{of}Id"]), "customFieldId": field}
        return self.add(f"{of}CustomFieldData", self.plain_stamps() | values | ids)

    def plain_stamps(self) -> Row:
        plain = self.now()[:19].replace("T", " ")
        return {"createdTimestamp": plain, "updatedTimestamp": plain}
