"""Accounts, which are the companies, and the one account that a contact may have.

https://developers.activecampaign.com/reference/create-an-account-new and its siblings
"""

from collections.abc import Callable

from tests.sandbox.exchange import Answer, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.activecampaign.pipelines import Pipelines
from tests.sandbox.vendors.activecampaign.refusals import dangling, invalid, missing, name_taken
from tests.sandbox.vendors.activecampaign.tenant import PREFIX, Row

ONE_ACCOUNT = (
    "This contact is already associated with an account. We currently do not support contacts on multiple accounts."
)
SAVED: Row = {"customFieldSaveStatus": {"status": "success"}, "fields": []}


class Companies(Pipelines):
    def makers(self) -> dict[str, Callable[[Row], Row]]:
        return super().makers() | {"accounts": self.insert_account, "accountContacts": self.insert_association}

    @route("GET", PREFIX + "/accounts", label="accounts", scope="accounts")
    def list_accounts(self, request: Request) -> Answer:
        """No filter of dates and no order: `search` looks into the name alone."""
        self.permit("companies")
        self.filters(request)
        search = request.query.get("search", "").lower()
        rows = [row for row in self.rows["accounts"].values() if search in row["name"].lower()]
        rows = self.ordered(request, rows, {})
        shown = [
            row
            | {"contactCount": str(len(self.associations("account", row["id"])))}
            | {"dealCount": str(len(self.deals_in("account", row["id"])))}
            for row in self.page(request, rows)
        ]
        return Answer(200, {"accounts": shown, "meta": {"total": str(len(rows))}})

    @route("GET", PREFIX + "/accounts/<id>", label="accounts/{{id}}", scope="accounts")
    def get_account(self, request: Request) -> Answer:
        """Without the counts of the list, and without custom values, which have a table of their own."""
        return Answer(200, {"account": self.account(request)})

    @route("POST", PREFIX + "/accounts", label="accounts", scope="accounts")
    def create_account(self, request: Request) -> Answer:
        """The answer has the URL only when it was sent."""
        values = self.account_values(request, None)
        if "name" not in values:
            raise missing("account", "name")
        row = self.insert_account(values)
        answered = {name: value for name, value in row.items() if name != "accountUrl"}
        return Answer(201, {"account": answered | values | SAVED})

    @route("PUT", PREFIX + "/accounts/<id>", label="accounts/{{id}}", scope="accounts")
    @route("PATCH", PREFIX + "/accounts/<id>", label="accounts/{{id}}", scope="accounts")
    def update_account(self, request: Request) -> Answer:
        row = self.account(request)
        values = self.account_values(request, row["id"])
        row |= self.as_account(values) | {"updatedTimestamp": self.now()}
        return Answer(200, {"account": row | values | SAVED})

    @route("DELETE", PREFIX + "/accounts/<id>", label="accounts/{{id}}", scope="accounts")
    def delete_account(self, request: Request) -> Answer:
        row = self.account(request)
        self.dissociate("account", row["id"])
        del self.rows["accounts"][row["id"]]
        return Answer(200, {})

    @route("GET", PREFIX + "/accountContacts", label="accountContacts", scope="accounts")
    def list_associations(self, request: Request) -> Answer:
        asked = self.filters(request, "contact", "account")
        rows = list(self.rows["accountContacts"].values())
        rows = [row for row in rows if all(row[name] == value for name, value in asked.items())]
        return Answer(200, {"accountContacts": self.page(request, rows), "meta": {"total": str(len(rows))}})

    @route("GET", PREFIX + "/accountContacts/<id>", label="accountContacts/{{id}}", scope="accounts")
    def get_association(self, request: Request) -> Answer:
        return Answer(200, {"accountContact": self.association(request)})

    @route("POST", PREFIX + "/accountContacts", label="accountContacts", scope="accounts")
    def associate(self, request: Request) -> Answer:
        """Ids are numbers in the answer, and strings when read."""
        values = self.attributes(request, "accountContact")
        for name in ("account", "contact"):
            if name not in values:
                raise missing("accountContact", name)
        self.check_association(values, None)
        row = self.insert_association(values)
        return Answer(201, {"accountContact": row | values})

    @route("PUT", PREFIX + "/accountContacts/<id>", label="accountContacts/{{id}}", scope="accounts")
    def update_association(self, request: Request) -> Answer:
        row, values = self.association(request), self.attributes(request, "accountContact")
        self.check_association(values, row)
        row |= {name: str(value) for name, value in values.items()} | {"updatedTimestamp": self.now()}
        return Answer(200, {"accountContact": row})

    @route("DELETE", PREFIX + "/accountContacts/<id>", label="accountContacts/{{id}}", scope="accounts")
    def delete_association(self, request: Request) -> Answer:
        del self.rows["accountContacts"][self.association(request)["id"]]
        return Answer(200, {})

    def account(self, request: Request) -> Row:
        self.permit("companies")
        return self.row("accounts", request.args["id"], "CustomerAccount")

    def association(self, request: Request) -> Row:
        return self.row("accountContacts", request.args["id"], "CustomerAccountSubscriber")

    def associations(self, side: str, record_id: str) -> list[Row]:
        return [row for row in self.rows["accountContacts"].values() if row[side] == record_id]

    def dissociate(self, side: str, record_id: str) -> None:
        for row in self.associations(side, record_id):
            del self.rows["accountContacts"][row["id"]]

    def alive(self, contact: str) -> bool:
        return self.rows["contacts"].get(contact, {"deleted": "1"})["deleted"] == "0"

    def account_values(self, request: Request, mine: str | None) -> Row:
        """Names are unique. Custom values of accounts are read here, and written by the control plane alone."""
        values = self.attributes(request, "account")
        name = values.get("name")
        if name is not None and not name.strip():
            raise missing("account", "name")
        taken = (row for row in self.rows["accounts"].values() if row["id"] != mine)
        if name is not None and any(row["name"].lower() == name.lower() for row in taken):
            raise RefusalError(name_taken(name))
        if "owner" in values and str(values["owner"]) not in self.rows["users"]:
            raise dangling("owner")
        if values.pop("fields", None):
            raise dangling("customField")
        return values

    def check_association(self, values: Row, mine: Row | None) -> None:
        if "account" in values and str(values["account"]) not in self.rows["accounts"]:
            raise dangling("account")
        if "contact" in values and not self.alive(str(values["contact"])):
            raise dangling("contact")
        if "contact" in values and [row for row in self.associations("contact", str(values["contact"])) if row != mine]:
            raise invalid("accountContact", "account,contact", ONE_ACCOUNT)

    @staticmethod
    def as_account(values: Row) -> Row:
        return {name: str(value) if name == "owner" else value for name, value in values.items()}

    def insert_account(self, values: Row) -> Row:
        now = self.now()
        usual = {"name": "", "accountUrl": None, "createdTimestamp": now, "updatedTimestamp": now, "owner": "1"}
        return self.add("accounts", usual | self.as_account(values))

    def insert_association(self, values: Row) -> Row:
        now = self.now()
        texts = {name: str(value) for name, value in values.items()}
        usual = {"account": None, "contact": None, "jobTitle": "", "createdTimestamp": now, "updatedTimestamp": now}
        return self.add("accountContacts", usual | texts)
