"""Pipelines and stages (v2): order_nr is read-only, deletion is soft, a new pipeline has no stages.

https://developers.pipedrive.com/docs/api/v1/Pipelines
"""

from itertools import count

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.pipedrive.company import Company, done, not_found, schema_failed, v2
from tests.sandbox.vendors.pipedrive.fields import FieldError, Reader, flag, integer, text

KINDS = '<any("pipelines", "stages"):kind>'
FIELDS: dict[str, dict[str, Reader]] = {
    "pipelines": {"name": text, "is_deal_probability_enabled": flag},
    "stages": {
        "name": text,
        "pipeline_id": integer,
        "deal_probability": integer,
        "is_deal_rot_enabled": flag,
        "days_to_rotten": integer,
    },
}
REQUIRED = {"pipelines": ("name",), "stages": ("name", "pipeline_id")}
STAGES = ("Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started")


class Pipelines(Company):
    def clear(self) -> None:
        super().clear()
        self.flows: dict[str, dict[int, dict[str, Json]]] = {"pipelines": {}, "stages": {}}
        self.flow_numbers = {"pipelines": count(1), "stages": count(1)}
        self.insert_flow("pipelines", {"name": "Pipeline"})
        for name in STAGES:
            self.insert_flow("stages", {"name": name, "pipeline_id": 1})

    @route("GET", *v2(f"/{KINDS}"), label="{kind}", scope="deals:read")
    def list_flows(self, request: Request) -> Answer:
        rows = [row for row in self.flows[request.args["kind"]].values() if not row["is_deleted"]]
        wanted = request.query.get("pipeline_id")
        if wanted is not None and request.args["kind"] == "stages":
            rows = [row for row in rows if str(row["pipeline_id"]) == wanted]
        return done(rows, additional_data={"next_cursor": None})

    @route("POST", *v2(f"/{KINDS}"), label="{kind}", scope="admin")
    def create_flow(self, request: Request) -> Answer:
        kind = request.args["kind"]
        values = self.flow_values(kind, self.body(request))
        if missing := [name for name in REQUIRED[kind] if values.get(name) in (None, "")]:
            raise schema_failed(f"{missing[0]}: is required")
        return done(self.insert_flow(kind, values))

    @route("GET", *v2(f"/{KINDS}/<id>"), label="{kind}/{{id}}", scope="deals:read")
    def get_flow(self, request: Request) -> Answer:
        return done(self.flow(request))

    @route("PATCH", *v2(f"/{KINDS}/<id>"), label="{kind}/{{id}}", scope="admin")
    def update_flow(self, request: Request) -> Answer:
        row = self.flow(request)
        row |= self.flow_values(request.args["kind"], self.body(request)) | {"update_time": self.now()}
        return done(row)

    @route("DELETE", *v2(f"/{KINDS}/<id>"), label="{kind}/{{id}}", scope="admin")
    def delete_flow(self, request: Request) -> Answer:
        row = self.flow(request)
        again = row["is_deleted"]
        row["is_deleted"] = True
        return done({"id": row["id"]}, 410 if again else 200)

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
        parent = self.flows["pipelines"].get(body.get("pipeline_id", 1))
        if parent is None or parent["is_deleted"]:
            raise schema_failed(f"pipeline_id: pipeline {body['pipeline_id']} was not found")
        return body

    def insert_flow(self, kind: str, values: dict[str, Json]) -> dict[str, Json]:
        row: dict[str, Json] = {
            "id": next(self.flow_numbers[kind]),
            "name": None,
            "order_nr": len(self.flows[kind]) + 1,
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
        if stage_id is not None and stage is None:
            return f"stage_id: stage {stage_id} was not found"
        if pipeline_id is not None and pipeline_id not in self.flows["pipelines"]:
            return f"pipeline_id: pipeline {pipeline_id} was not found"
        if stage and pipeline_id is not None and stage["pipeline_id"] != pipeline_id:
            return "stage_id: the stage is not in the pipeline"
        return None

    def placed(self, values: dict[str, Json]) -> dict[str, Json]:
        """pipeline_id and stage_id of a deal, completed from one another."""
        stage = self.flows["stages"].get(values.get("stage_id") or 0)
        if stage:
            return {"stage_id": stage["id"], "pipeline_id": stage["pipeline_id"]}
        pipeline_id = values.get("pipeline_id") or 1
        first = next((row["id"] for row in self.flows["stages"].values() if row["pipeline_id"] == pipeline_id), None)
        return {"stage_id": first, "pipeline_id": pipeline_id}
