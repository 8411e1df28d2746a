"""Links between records: what belongs to a record is a list under it.

https://support.sugarcrm.com (Developer Guide: /<module>/:record/link/:link_name GET)
"""

from tests.sandbox.exchange import Answer, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.sugarcrm.instance import BASE, refused
from tests.sandbox.vendors.sugarcrm.modules import KINDS, Modules
from tests.sandbox.vendors.sugarcrm.query import QueryError, Row

LINKS = {
    ("accounts", "contacts"),
    ("accounts", "opportunities"),
    ("contacts", "accounts"),
    ("contacts", "opportunities"),
    ("opportunities", "accounts"),
    ("opportunities", "contacts"),
}
"""Module and link. A link to an account is a field of the other side; opportunities and contacts have a table."""


class Links(Modules):
    def clear(self) -> None:
        self.participants: list[tuple[str, str]] = []
        """Opportunity and contact."""
        super().clear()

    @route("GET", f"{BASE}/{KINDS}/<id>/link/<link>", label="{kind}/{{id}}/link/{link}", scope="{kind}:view")
    def list_linked(self, request: Request) -> Answer:
        """A list like any other, of the linked module."""
        kind, link = request.args["kind"], request.args["link"]
        row = self.row(request)
        if (kind, link) not in LINKS:
            raise refused(404, "not_found", f"There is no link {link}.")
        try:
            return self.page(link, self.parameters(request), self.linked(kind, row, link))
        except QueryError as bad:
            raise self.bad_query(bad) from bad

    def linked(self, kind: str, row: Row, link: str) -> list[Row]:
        if link == "accounts":
            return [self.rows[link][row["account_id"]]] if row["account_id"] in self.rows[link] else []
        if kind == "accounts":
            return [other for other in self.rows[link].values() if other["account_id"] == row["id"]]
        ends = [pair if kind == "opportunities" else pair[::-1] for pair in self.participants]
        return [self.rows[link][far] for near, far in ends if near == row["id"]]
