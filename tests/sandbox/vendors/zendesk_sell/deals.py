"""The people of a deal beside its contact: a sub-resource that is read and written by calls of its own.

https://developer.zendesk.com/api-reference/sales-crm/resources/associated-contacts
"""

from tests.sandbox.exchange import Answer, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.zendesk_sell.account import Flaw
from tests.sandbox.vendors.zendesk_sell.lists import Row
from tests.sandbox.vendors.zendesk_sell.records import Records

HERE = '/v2/<any("deals"):kind>/<id>/associated_contacts'
LABEL = "{kind}/{{id}}/associated_contacts"
ROLES = ("involved",)
"""The only one that the vendor's client names; the contact of the deal itself is not listed."""


class Deals(Records):
    def clear(self) -> None:
        super().clear()
        self.involved: dict[int, dict[int, Row]] = {}

    @route("GET", HERE, label=LABEL, scope="read")
    def list_associated(self, request: Request) -> Answer:
        deal = self.row("deals", request.args["id"])
        return self.listed(request, "associated_contacts", self.involved.get(deal["id"], {}).values())

    @route("POST", HERE, label=LABEL, scope="write")
    def associate(self, request: Request) -> Answer:
        deal, data = self.row("deals", request.args["id"]), self.data(request)
        flaws = [self.flaw("unknown", name) for name in data.keys() - {"contact_id", "role"}]
        if "contact_id" not in data:
            flaws.append(self.flaw("missing", "contact_id"))
        elif data["contact_id"] not in self.rows["contacts"]:
            flaws.append(self.flaw("incorrect_value", "contact_id"))
        if data.get("role", ROLES[0]) not in ROLES:
            flaws.append(self.flaw("incorrect_value", "role"))
        if flaws:
            raise self.refused(422, *flaws)
        return self.one("associated_contacts", self.involve(deal["id"], data["contact_id"]))

    @route("DELETE", f"{HERE}/<contact>", label=LABEL, scope="write")
    def dissociate(self, request: Request) -> Answer:
        deal, wanted = self.row("deals", request.args["id"]), request.args["contact"]
        people = self.involved.get(deal["id"], {})
        if not wanted.isdigit() or people.pop(int(wanted), None) is None:
            raise self.missing_record("associated_contact", wanted)
        return Answer(204)

    def involve(self, deal: int, contact: int) -> Row:
        now = self.now()
        row: Row = {"contact_id": contact, "role": ROLES[0], "created_at": now, "updated_at": now}
        return self.involved.setdefault(deal, {}).setdefault(contact, row)

    @staticmethod
    def flaw(code: str, name: str) -> Flaw:
        return Flaw(code, f"The attribute '/{name}' does not fit.", name, "associated_contact")

    def plant(self, noun: str, fields: Row) -> str | int:
        """`associated_contacts` of a deal are ids."""
        people = fields.pop("associated_contacts", []) if noun == "deals" else []
        number = super().plant(noun, fields)
        for contact in people:
            self.involve(int(number), int(contact))
        return number
