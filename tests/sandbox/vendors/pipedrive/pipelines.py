"""Pipelines and stages (v2): order_nr is read-only, deletion is soft, a new pipeline has no stages, names may be equal.

https://developers.pipedrive.com/docs/api/v1/Pipelines
"""

from itertools import count

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.pipedrive.company import done, not_found, schema_failed, v2
from tests.sandbox.vendors.pipedrive.fields import FieldError, Reader, flag, integer, text, wrong
from tests.sandbox.vendors.pipedrive.pages import Pages

KINDS = '<any("pipelines", "stages"):kind>'
READ, WRITE = "deals:read|admin", "admin"
SORTED_BY = {"pipelines": ("id", "update_time", "add_time"), "stages": ("id", "update_time", "add_time", "order_nr")}


def filled(value: Json) -> object:
    return value if str(text(value)).strip() else wrong("is not allowed to be empty")


def percentage(value: Json) -> object:
    return value if integer(value) in range(101) else wrong("must be between 0 and 100")


def days(value: Json) -> object:
    """Unset in answers by null, which the specification does not let in."""
    return value if int(str(integer(value))) > 0 else wrong("must be greater than 0")


FIELDS: dict[str, dict[str, Reader]] = {
    "pipelines": {"name": filled, "is_deal_probability_enabled": flag},
    "stages": {
        "name": filled,
        "pipeline_id": integer,
        "deal_probability": percentage,
        "is_deal_rot_enabled": flag,
        "days_to_rotten": days,
    },
}
REQUIRED = {"pipelines": ("name",), "stages": ("name", "pipeline_id")}
STAGES = ("Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started")


class Pipelines(Pages):
    def clear(self) -> None:
        super().clear()
        self.flows: dict[str, dict[int, dict[str, Json]]] = {"pipelines": {}, "stages": {}}
        self.flow_numbers = {"pipelines": count(1), "stages": count(1)}
        self.insert_flow("pipelines", {"name": "Pipeline"})
        for name in STAGES:
            self.insert_flow("stages", {"name": name, "pipeline_id": 1})

    @route("GET", *v2(f"/{KINDS}"), label="{kind}", scope=READ)
    def list_flows(self, request: Request) -> Answer:
        kind, wanted = request.args["kind"], request.query.get("pipeline_id")
        rows = [row for row in self.flows[kind].values() if self.alive(kind, row["id"])]
        if wanted is not None and kind == "stages":
            if not wanted.isdigit():
                raise schema_failed("pipeline_id: must be an integer")
            rows = [row for row in rows if row["pipeline_id"] == int(wanted)]
        return self.sorted_page(request, rows, *SORTED_BY[kind])

    @route("POST", *v2(f"/{KINDS}"), label="{kind}", scope=WRITE)
    def create_flow(self, request: Request) -> Answer:
        kind = request.args["kind"]
        values = self.flow_values(kind, self.body(request))
        if missing := [name for name in REQUIRED[kind] if values.get(name) in (None, "")]:
            raise schema_failed(f"{missing[0]}: is required")
        return done(self.insert_flow(kind, values))

    @route("GET", *v2(f"/{KINDS}/<id>"), label="{kind}/{{id}}", scope=READ)
    def get_flow(self, request: Request) -> Answer:
        return done(self.flow(request))

    @route("PATCH", *v2(f"/{KINDS}/<id>"), label="{kind}/{{id}}", scope=WRITE)
    def update_flow(self, request: Request) -> Answer:
        kind, row = request.args["kind"], self.flow(request)
        if not self.alive(kind, row["id"]):
            raise not_found("Entity was not found")
        row |= self.flow_values(kind, self.body(request)) | {"update_time": self.now()}
        return done(row)

    @route("DELETE", *v2(f"/{KINDS}/<id>"), label="{kind}/{{id}}", scope=WRITE)
    def delete_flow(self, request: Request) -> Answer:
        """Soft; the update_time is that of the deletion. Once more is 410, as is recorded for persons."""
        row = self.flow(request)
        again = row["is_deleted"]
        if not again:
            row |= {"is_deleted": True, "update_time": self.now()}
        return done({"id": row["id"]}, 410 if again else 200)

    def alive(self, kind: str, row_id: Json) -> bool:
        """Whether it is there and not deleted; a stage goes with its pipeline."""
        row = self.flows[kind].get(row_id)
        if row is None or row["is_deleted"]:
            return False
        return kind == "pipelines" or self.alive("pipelines", row["pipeline_id"])

    def flow(self, request: Request) -> dict[str, Json]:
        wanted = request.args["id"]
        row = self.flows[request.args["kind"]].get(int(wanted)) if wanted.isdigit() else None
        if row is None:
            raise not_found("Entity was not found")
        return row

    def flow_values(self, kind: str, body: dict[str, Json]) -> dict[str, Json]:
        for name, value in body.items():
            if name not in FIELDS[kind]:
                raise schema_failed(f'"{name}" is not allowed')
            try:
                FIELDS[kind][name](value)
            except FieldError as bad:
                raise schema_failed(f"{name}: {bad}") from bad
        if "pipeline_id" in body and not self.alive("pipelines", body["pipeline_id"]):
            raise schema_failed(f"pipeline_id: pipeline {body['pipeline_id']} was not found")
        return body

    def insert_flow(self, kind: str, values: dict[str, Json]) -> dict[str, Json]:
        parent = values.get("pipeline_id")
        siblings = [row for row in self.flows[kind].values() if row.get("pipeline_id") == parent]
        row: dict[str, Json] = {
            "id": next(self.flow_numbers[kind]),
            "name": None,
            "order_nr": max((row["order_nr"] for row in siblings), default=0) + 1,
        }
        if kind == "pipelines":
            row |= {"is_deal_probability_enabled": False}
        else:
            row |= {"pipeline_id": None, "deal_probability": 100, "is_deal_rot_enabled": False, "days_to_rotten": None}
        row |= {"is_deleted": False, "add_time": self.now(), "update_time": self.now()} | values
        self.flows[kind][row["id"]] = row
        return row

    def misplaced(self, values: dict[str, Json]) -> str | None:
        """A deal's stage and pipeline have to be there and to agree; a stage alone brings its pipeline."""
        stage_id, pipeline_id = values.get("stage_id"), values.get("pipeline_id")
        stage = self.flows["stages"].get(stage_id) if stage_id is not None else None
        if stage_id is not None and not self.alive("stages", stage_id):
            return f"stage_id: stage {stage_id} was not found"
        if pipeline_id is not None and not self.alive("pipelines", pipeline_id):
            return f"pipeline_id: pipeline {pipeline_id} was not found"
        if stage and pipeline_id is not None and stage["pipeline_id"] != pipeline_id:
            return "stage_id: the stage is not in the pipeline"
        return None

    def placed(self, values: dict[str, Json]) -> dict[str, Json]:
        """pipeline_id and stage_id of a deal, completed from one another."""
        stage = self.flows["stages"].get(values.get("stage_id") or 0)
        if stage:
            return {"stage_id": stage["id"], "pipeline_id": stage["pipeline_id"]}
        pipelines = (key for key in self.flows["pipelines"] if self.alive("pipelines", key))
        pipeline_id = values.get("pipeline_id") or next(pipelines, None)
        stages = self.flows["stages"].values()
        mine = [row for row in stages if row["pipeline_id"] == pipeline_id and self.alive("stages", row["id"])]
        first = min(mine, key=lambda row: row["order_nr"], default=None)
        return {"stage_id": first["id"] if first else None, "pipeline_id": pipeline_id}
