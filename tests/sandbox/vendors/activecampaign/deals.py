"""Deals, as far as pipelines and stages go with them: they are listed, and deleted in silence with what holds them.

https://developers.activecampaign.com/reference/list-all-deals
https://developers.activecampaign.com/reference/delete-a-pipeline
https://developers.activecampaign.com/reference/delete-a-deal-stage
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable

from tests.sandbox.exchange import Answer, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.activecampaign.refusals import bad_request
from tests.sandbox.vendors.activecampaign.tenant import PREFIX, Row, Tenant

NULLS = (
    "contact", "organization", "nextdate", "nexttaskid", "winProbability", "winProbabilityMdate", "nextdealid",
    "edate", "account", "customerAccount",
)  # fmt: skip
DEAL: Row = {
    **dict.fromkeys(NULLS),
    "owner": "1",
    "title": "",
    "description": "",
    "percent": "0",
    "value": "0",
    "currency": "usd",
    "status": "0",
    "activitycount": "0",
    "isDisabled": False,
}
REDUCED = ("title", "status", "id", "isDisabled")
"""What is told of a deal whose pipeline the user may not see."""


class Deals(Tenant):
    def makers(self) -> dict[str, Callable[[Row], Row]]:
        return super().makers() | {"deals": self.insert_deal}

    @route("GET", PREFIX + "/deals", label="deals", scope="deals")
    def list_deals(self, request: Request) -> Answer:
        """`total` is a number, and the sums are strings."""
        rows, asked = list(self.rows["deals"].values()), self.filters(request, "group", "stage")
        for name, wanted in asked.items():
            if not wanted.isdigit():
                raise bad_request(f"filters[{name}] is no number")
            rows = [row for row in rows if row[name] == wanted]
        rows = self.ordered(request, rows, {"cdate": lambda row: row["cdate"], "value": lambda row: int(row["value"])})
        shown = [seen(row) for row in self.page(request, rows)]
        return Answer(200, {"deals": shown, "meta": {"currencies": currencies(rows), "total": len(rows)}})

    def deals_in(self, member: str, holder: str) -> list[Row]:
        """The deals of a pipeline (`group`) or of a stage."""
        return [row for row in self.rows["deals"].values() if row[member] == holder]

    def drop_deals(self, member: str, holder: str) -> None:
        for row in self.deals_in(member, holder):
            del self.rows["deals"][row["id"]]

    def insert_deal(self, values: Row) -> Row:
        """Given only a pipeline, it is at the first stage of that; given only a stage, in the pipeline of that."""
        given = {name: str(values[name]) for name in ("group", "stage") if name in values}
        fit = [
            row
            for row in self.rows["dealStages"].values()
            if given.get("group", row["group"]) == row["group"] and given.get("stage", row["id"]) == row["id"]
        ]
        if not fit:
            raise LookupError(f"no stage fits {given}")
        stage = min(fit, key=lambda row: (int(row["group"]), int(row["order"]), int(row["id"])))
        now = self.now()
        place = {"group": stage["group"], "stage": stage["id"]}
        row = self.add("deals", DEAL | {"cdate": now, "mdate": now} | values | place)
        row["hash"] = hashlib.md5(row["id"].encode(), usedforsecurity=False).hexdigest()[:8]
        return row


def seen(deal: Row) -> Row:
    return {name: deal[name] for name in REDUCED} if deal["isDisabled"] else deal


def currencies(deals: list[Row]) -> Row:
    """The deals' number and worth, by currency."""
    values: dict[str, list[int]] = defaultdict(list)
    for deal in deals:
        values[deal["currency"].upper()].append(int(deal["value"]))
    return {
        name: {"total": str(len(found)), "value": str(sum(found)), "currency": name, "isDisabled": False}
        for name, found in values.items()
    }
