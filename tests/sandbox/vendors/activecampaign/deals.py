"""Deals: they are read, listed, and deleted, in silence where what holds them is.

https://developers.activecampaign.com/reference/list-all-deals
https://developers.activecampaign.com/reference/retrieve-a-deal
https://developers.activecampaign.com/reference/delete-a-pipeline
https://developers.activecampaign.com/reference/delete-a-deal-stage
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable

from tests.sandbox.exchange import Answer, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.activecampaign.refusals import FORBIDDEN, bad_request
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


TEXTS = ("value", "status", "percent", "owner", "contact", "account")
"""Read as strings, also where a number was written."""
COMPANY = ("account", "customerAccount", "organization")
"""Three names of one id; the last is deprecated."""
RELATIONS = {
    "contact": ("contacts", "contact", "Subscriber"),
    "account": ("accounts", "account", "CustomerAccount"),
    "customerAccount": ("accounts", "account", "CustomerAccount"),
    "owner": ("users", "user", "User"),
    "stage": ("dealStages", "dealStage", "DealStage"),
    "group": ("dealGroups", "dealGroup", "DealGroup"),
}
RELATED = '<any("contact", "account", "customerAccount", "owner", "stage", "group"):related>'


class Deals(Tenant):
    def makers(self) -> dict[str, Callable[[Row], Row]]:
        return super().makers() | {"deals": self.insert_deal, "contactDeals": self.insert_participant}

    @route("GET", PREFIX + "/deals", label="deals", scope="deals")
    def list_deals(self, request: Request) -> Answer:
        """`total` is a number, and the sums are strings."""
        rows, asked = list(self.rows["deals"].values()), self.filters(request, "group", "stage")
        for name, wanted in asked.items():
            if not wanted.isdigit():
                raise bad_request(f"filters[{name}] is no number")
            rows = [row for row in rows if row[name] == wanted]
        rows = self.ordered(request, rows, {"cdate": lambda row: row["cdate"], "value": lambda row: int(row["value"])})
        shown = [self.seen(row) for row in self.page(request, rows)]
        return Answer(200, {"deals": shown, "meta": {"currencies": currencies(rows), "total": len(rows)}})

    @route("GET", PREFIX + "/deals/<id>", label="deals/{{id}}", scope="deals")
    def get_deal(self, request: Request) -> Answer:
        """Nothing lies beside it. Reduced, it is a 200 all the same."""
        return Answer(200, {"deal": self.seen(self.deal(request))})

    @route("DELETE", PREFIX + "/deals/<id>", label="deals/{{id}}", scope="deals")
    def delete_deal(self, request: Request) -> Answer:
        row = self.visible_deal(request)
        del self.rows["deals"][row["id"]]
        return Answer(200, {})

    @route("GET", PREFIX + "/contactDeals", label="contactDeals", scope="deals")
    def list_participants(self, request: Request) -> Answer:
        """No filter: those of one deal are under that deal."""
        self.filters(request)
        rows = list(self.rows["contactDeals"].values())
        return Answer(200, {"contactDeals": self.page(request, rows), "meta": {"total": str(len(rows))}})

    @route("GET", PREFIX + "/contactDeals/<id>", label="contactDeals/{{id}}", scope="deals")
    def get_participant(self, request: Request) -> Answer:
        return Answer(200, {"contactDeal": self.row("contactDeals", request.args["id"], "SubscriberDeal")})

    @route("GET", PREFIX + "/deals/<id>/contactDeals", label="deals/{{id}}/contactDeals", scope="deals")
    def list_participants_of_deal(self, request: Request) -> Answer:
        deal = self.visible_deal(request)["id"]
        rows = [row for row in self.rows["contactDeals"].values() if row["deal"] == deal]
        return Answer(200, {"contactDeals": rows})

    @route("GET", PREFIX + f"/deals/<id>/{RELATED}", label="deals/{{id}}/{related}", scope="deals")
    def get_related(self, request: Request) -> Answer:
        """What the `links` of a deal lead to. How an empty one answers is not told: as what is not there."""
        deal, (noun, member, model) = self.visible_deal(request), RELATIONS[request.args["related"]]
        return Answer(200, {member: self.row(noun, deal[request.args["related"]] or "0", model)})

    def deal(self, request: Request) -> Row:
        return self.row("deals", request.args["id"], "Deal")

    def visible_deal(self, request: Request) -> Row:
        row = self.deal(request)
        if self.reduced(row):
            raise RefusalError(Answer(403, FORBIDDEN))
        return row

    def reduced(self, deal: Row) -> bool:
        return deal["isDisabled"] or "deals" in self.settings["forbidden"]

    def seen(self, deal: Row) -> Row:
        """What is told of a deal depends on the permission to its pipeline."""
        if not self.reduced(deal):
            return deal
        told = {name: deal[name] for name in REDUCED if name != "status" or self.settings["reduced_deals_tell_status"]}
        return told | {"isDisabled": True}

    def deals_of(self, contact: str) -> list[Row]:
        """Those whose first contact it is, and those that it takes part in."""
        joined = {row["deal"] for row in self.rows["contactDeals"].values() if row["contact"] == contact}
        return [row for row in self.rows["deals"].values() if row["contact"] == contact or row["id"] in joined]

    def deals_in(self, member: str, holder: str) -> list[Row]:
        """The deals of a pipeline (`group`), of a stage, or of an account."""
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
        told = {name: str(value) if type(value) is int and name in TEXTS else value for name, value in values.items()}
        company = {name: told["account"] for name in COMPANY if "account" in told}
        row = self.add("deals", DEAL | {"cdate": now, "mdate": now} | told | company | place)
        row["hash"] = hashlib.md5(row["id"].encode(), usedforsecurity=False).hexdigest()[:8]
        return row

    def insert_participant(self, values: Row) -> Row:
        """A contact of a deal besides the first."""
        return self.add(
            "contactDeals", {name: str(values[name]) for name in ("deal", "contact")} | {"cdate": self.now()}
        )


def currencies(deals: list[Row]) -> Row:
    """The deals' number and worth, by currency."""
    values: dict[str, list[int]] = defaultdict(list)
    for deal in deals:
        values[deal["currency"].upper()].append(int(deal["value"]))
    return {
        name: {"total": str(len(found)), "value": str(sum(found)), "currency": name, "isDisabled": False}
        for name, found in values.items()
    }
