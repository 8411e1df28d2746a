"""Pipelines (dealGroups) and stages (dealStages): a new pipeline brings three stages, and nothing guards a deletion.

What is deleted takes its deals along, and no answer tells of that.

https://developers.activecampaign.com/reference (Pipelines, Stages)
"""

import re
from collections.abc import Callable

from tests.sandbox.exchange import Answer, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.activecampaign.deals import Deals
from tests.sandbox.vendors.activecampaign.refusals import bad_request, dangling, invalid, missing
from tests.sandbox.vendors.activecampaign.tenant import PREFIX, Row

STAGES = (("To Contact", "19CCA3"), ("In Contact", "5487FF"), ("Follow Up", "FBD965"))
STAGE: Row = {
    "group": None,
    "title": "",
    "color": "3f3f3f",
    "order": "1",
    "width": "280",
    "dealOrder": "next-action DESC",
    "cardRegion1": "title",
    "cardRegion2": "next-action",
    "cardRegion3": "show-avatar",
    "cardRegion4": "contact-fullname-acctname",
    "cardRegion5": "value",
    "cdate": None,
    "udate": None,
}
PIPELINE: Row = {
    "title": "",
    "currency": "usd",
    "autoassign": "0",
    "allusers": "0",
    "allgroups": "1",
    "win_probability_initialize_date": None,
    "cdate": None,
    "udate": None,
    "source": "",
}
MADE = ("title", "currency", "source", "cdate", "udate", "autoassign", "links", "id")
FLAGS = ("allgroups", "allusers", "autoassign")


def texts(values: Row) -> Row:
    """As stored: what is sent as a number is read as a string."""
    return {name: str(value) if isinstance(value, int) else value for name, value in values.items()}


class Pipelines(Deals):
    def clear(self) -> None:
        super().clear()
        self.insert_pipeline({"title": "Sales Pipeline"})

    def makers(self) -> dict[str, Callable[[Row], Row]]:
        return super().makers() | {"dealGroups": self.insert_pipeline, "dealStages": self.insert_stage}

    # Pipelines.

    @route("GET", PREFIX + "/dealGroups", label="dealGroups", scope="deals")
    def list_pipelines(self, request: Request) -> Answer:
        """The stages lie beside the pipelines; `total` is a number here and a string elsewhere."""
        rows, asked = list(self.rows["dealGroups"].values()), self.filters(request, "title", "have_stages")
        if "title" in asked:
            rows = [row for row in rows if row["title"] == asked["title"]]
        if "have_stages" in asked:
            rows = [row for row in rows if bool(self.stages_of(row)) is (asked["have_stages"] == "1")]
        rows = self.ordered(request, rows, {"title": lambda row: row["title"].lower(), "popular": lambda _: 0})
        shown = self.page(request, rows)
        stages = [stage for row in shown for stage in self.stages_of(row)]
        groups = [self.with_stages(row) | {"count": str(len(self.deals_in("group", row["id"])))} for row in shown]
        return Answer(200, {"dealStages": stages, "dealGroups": groups, "meta": {"total": len(rows)}})

    @route("GET", PREFIX + "/dealGroups/<id>", label="dealGroups/{{id}}", scope="deals")
    def get_pipeline(self, request: Request) -> Answer:
        row = self.pipeline(request)
        return Answer(200, {"dealStages": self.stages_of(row), "dealGroup": self.with_stages(row)})

    @route("POST", PREFIX + "/dealGroups", label="dealGroups", scope="pipelines")
    def create_pipeline(self, request: Request) -> Answer:
        """201 (recorded; 200 is documented). Numbers come back as they were sent, and as strings when read."""
        values = self.pipeline_values(request)
        for name in ("title", "currency"):
            if not values.get(name):
                raise missing("dealGroup", name)
        row = self.insert_pipeline(values)
        made = {name: row[name] for name in MADE} | self.echo(values)
        made["stages"] = [stage["id"] for stage in self.stages_of(row)]
        return Answer(201, {"dealStages": self.stages_of(row), **self.shared(row, made, values)})

    @route("PUT", PREFIX + "/dealGroups/<id>", label="dealGroups/{{id}}", scope="pipelines")
    def update_pipeline(self, request: Request) -> Answer:
        """Partial; the answer is without stages."""
        row, values = self.pipeline(request), self.pipeline_values(request)
        if emptied := [name for name in ("title", "currency") if values.get(name) == ""]:
            raise missing("dealGroup", emptied[0])
        row |= texts(self.echo(values)) | {"udate": self.now()}
        return Answer(200, self.shared(row, row | self.echo(values), values))

    @route("DELETE", PREFIX + "/dealGroups/<id>", label="dealGroups/{{id}}", scope="pipelines")
    def delete_pipeline(self, request: Request) -> Answer:
        """Its deals go with it; so do its stages, says the vendor's page, and they were recorded to stay."""
        row = self.pipeline(request)
        self.drop_deals("group", row["id"])
        if not self.settings["stages_outlive_pipelines"]:
            for stage in self.stages_of(row):
                del self.rows["dealStages"][stage["id"]]
        del self.rows["dealGroups"][row["id"]]
        return Answer(200, {})

    # Stages.

    @route("GET", PREFIX + "/dealStages", label="dealStages", scope="deals")
    def list_stages(self, request: Request) -> Answer:
        """By id, not by `order`."""
        rows, asked = list(self.rows["dealStages"].values()), self.filters(request, "title", "d_groupid")
        for name, member in (("title", "title"), ("d_groupid", "group")):
            if name in asked:
                rows = [row for row in rows if row[member] == asked[name]]
        rows = self.ordered(request, rows, {"title": lambda row: row["title"].lower()})
        return Answer(200, {"dealStages": self.page(request, rows), "meta": {"total": len(rows)}})

    @route("GET", PREFIX + "/dealStages/<id>", label="dealStages/{{id}}", scope="deals")
    def get_stage(self, request: Request) -> Answer:
        return Answer(200, {"dealStage": self.stage(request)})

    @route("POST", PREFIX + "/dealStages", label="dealStages", scope="pipelines")
    def create_stage(self, request: Request) -> Answer:
        """At the end unless `order` is given; two stages may have the same one, except with reorder=1."""
        values = self.attributes(request, "dealStage")
        for name in ("title", "group"):
            if not values.get(name):
                raise missing("dealStage", name)
        self.check_stage(values)
        pipeline = self.rows["dealGroups"][values["group"]]
        values = {"order": len(self.stages_of(pipeline)) + 1, "width": 280} | values
        self.make_room(request, pipeline, values)
        now = self.now()
        row = self.insert_stage(values | {"cdate": now, "udate": now})
        return self.placed(row | values, pipeline, now, 201)

    @route("PUT", PREFIX + "/dealStages/<id>", label="dealStages/{{id}}", scope="pipelines")
    def update_stage(self, request: Request) -> Answer:
        row, values = self.stage(request), self.attributes(request, "dealStage")
        if values.get("title") == "":
            raise missing("dealStage", "title")
        self.check_stage(values)
        pipeline = self.rows["dealGroups"].get(values.get("group", row["group"]))
        if pipeline and "order" in values:
            self.make_room(request, pipeline, values)
        now = self.now()
        row |= texts(values) | {"udate": now}
        return self.placed(row | values, pipeline, now)

    @route("DELETE", PREFIX + "/dealStages/<id>", label="dealStages/{{id}}", scope="pipelines")
    def delete_stage(self, request: Request) -> Answer:
        """Its deals go with it.

        The other stages close up, and they and the pipeline get a date of the wrong zone (recorded).
        """
        row = self.stage(request)
        self.drop_deals("stage", row["id"])
        del self.rows["dealStages"][row["id"]]
        if pipeline := self.rows["dealGroups"].get(row["group"]):
            pipeline["udate"] = self.misdated()
            for place, stage in enumerate(self.stages_of(pipeline), start=1):
                stage |= {"order": str(place), "udate": self.misdated()}
        return Answer(200, {})

    # What both need.

    def pipeline(self, request: Request) -> Row:
        return self.row("dealGroups", request.args["id"], "DealGroup")

    def stage(self, request: Request) -> Row:
        return self.row("dealStages", request.args["id"], "DealStage")

    def stages_of(self, pipeline: Row) -> list[Row]:
        mine = [row for row in self.rows["dealStages"].values() if row["group"] == pipeline["id"]]
        return sorted(mine, key=lambda row: (int(row["order"]), int(row["id"])))

    def with_stages(self, pipeline: Row) -> Row:
        return pipeline | {"stages": [stage["id"] for stage in self.stages_of(pipeline)]}

    @staticmethod
    def echo(values: Row) -> Row:
        return {name: value for name, value in values.items() if name not in ("users", "groups")}

    def shared(self, row: Row, answered: Row, values: Row) -> Row:
        """The pipeline, and whom it is opened to when the request said so."""
        if "users" not in values:
            return {"dealGroup": answered}
        old = [key for key, one in self.rows["dealGroupUsers"].items() if one["dealGroup"] == row["id"]]
        for key in old:
            del self.rows["dealGroupUsers"][key]
        users = [
            self.add("dealGroupUsers", {"cdate": None, "dealGroup": row["id"], "user": user})
            for user in values["users"]
        ]
        answered = answered | {"dealGroupUsers": [one["id"] for one in users], "dealGroupGroups": []}
        return {"dealGroup": answered, "dealGroupUsers": users, "dealGroupGroups": []}

    def pipeline_values(self, request: Request) -> Row:
        values = self.attributes(request, "dealGroup")
        if "currency" in values and not re.fullmatch(r"[a-z]{3}|", values["currency"]):
            raise invalid("dealGroup", "currency")
        for name in FLAGS:
            if values.get(name, 0) not in (0, 1):
                raise invalid("dealGroup", name)
        for name in ("users", "groups"):
            if not all(isinstance(one, str) for one in values.get(name, [])):
                raise invalid("dealGroup", name)
        if any(user not in self.rows["users"] for user in values.get("users", [])):
            raise dangling("user")
        return values

    def check_stage(self, values: Row) -> None:
        if "group" in values and values["group"] not in self.rows["dealGroups"]:
            raise dangling("group")
        if values.get("order", 1) < 0 or values.get("width", 1) < 1:
            raise invalid("dealStage", "order" if values.get("order", 1) < 0 else "width")
        if not re.fullmatch(r"[0-9A-Fa-f]{6}", values.get("color", "3f3f3f")):
            raise invalid("dealStage", "color")

    def make_room(self, request: Request, pipeline: Row, values: Row) -> None:
        reorder = request.query.get("reorder", "0")
        if reorder not in ("0", "1"):
            raise bad_request("reorder is 0 or 1")
        for stage in self.stages_of(pipeline) if reorder == "1" else ():
            if int(stage["order"]) >= values["order"]:
                stage["order"] = str(int(stage["order"]) + 1)

    def placed(self, stage: Row, pipeline: Row | None, now: str, status: int = 200) -> Answer:
        """Beside the stage lies its pipeline as it was before."""
        before = [dict(pipeline)] if pipeline else []
        if pipeline:
            pipeline["udate"] = now
        return Answer(status, {"dealGroups": before, "dealStage": stage})

    def insert_pipeline(self, values: Row) -> Row:
        now = self.now()
        row = self.add("dealGroups", PIPELINE | {"cdate": now, "udate": now} | texts(self.echo(values)))
        for place, (title, color) in enumerate(STAGES, start=1):
            self.insert_stage({"group": row["id"], "title": title, "color": color, "order": place})
        return row

    def insert_stage(self, values: Row) -> Row:
        return self.add("dealStages", STAGE | texts(values))
