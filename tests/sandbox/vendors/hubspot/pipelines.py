"""Pipelines and their stages, of deals and leads.

https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide
"""

from itertools import count
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.hubspot import refusals
from tests.sandbox.vendors.hubspot.account import DATED, Account
from tests.sandbox.vendors.hubspot.properties import LEAD_STAGES, PROPERTIES, iso

READ, WRITE = "crm.objects.{kind}.read", "crm.objects.{kind}.write"
LONG_AGO = "1970-01-01T00:00:00Z"

DEAL_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)


def under(rest: str = "") -> tuple[str, str]:
    return f"/crm/v3/pipelines/<kind>{rest}", f"/crm/pipelines/{DATED}/<kind>{rest}"


class Pipelines(Account):
    def clear(self) -> None:
        super().clear()
        self.pipeline_ids = count(812_723_471)
        deal_stages = [
            entry(stage_id, label, order, LONG_AGO) | {"metadata": deal_metadata(probability)}
            for order, (stage_id, label, probability) in enumerate(DEAL_STAGES)
        ]
        lead_stages = [
            entry(stage_id, stage_id.split("-")[0].capitalize(), order, LONG_AGO) | {"metadata": {}}
            for order, stage_id in enumerate(LEAD_STAGES)
        ]
        deals = entry("default", "Sales Pipeline", 0, LONG_AGO) | {"stages": deal_stages}
        leads = entry("lead-pipeline-id", "Lead pipeline", 0, LONG_AGO) | {"stages": lead_stages}
        self.pipelines: dict[str, list[dict[str, Json]]] = {"deals": [deals], "leads": [leads]}

    @route("GET", *under(), label="pipelines/{kind}", scope=READ)
    def list_pipelines(self, request: Request) -> Answer:
        """All at once, stages inside, no paging."""
        return Answer(200, {"results": self.piped(request)})

    @route("POST", *under(), label="pipelines/{kind}", scope=WRITE)
    def create_pipeline(self, request: Request) -> Answer:
        siblings, body = self.piped(request), self.body(request)
        self.demand(body, "label", "displayOrder", "stages")
        self.unique(siblings, body["label"])
        made = self.numbered(body) | {"stages": []}
        for stage in self.objects(body, "stages"):
            made["stages"].append(self.new_stage(request, made["stages"], stage))
        siblings.append(made)
        return Answer(201, made)

    @route("GET", *under("/<id>"), label="pipelines/{kind}/{{id}}", scope=READ)
    def get_pipeline(self, request: Request) -> Answer:
        return Answer(200, self.pipeline(request))

    @route("PATCH", *under("/<id>"), label="pipelines/{kind}/{{id}}", scope=WRITE)
    def update_pipeline(self, request: Request) -> Answer:
        return self.patched(request, self.piped(request), self.pipeline(request))

    @route("DELETE", *under("/<id>"), label="pipelines/{kind}/{{id}}", scope=WRITE)
    def delete_pipeline(self, request: Request) -> Answer:
        self.piped(request).remove(self.pipeline(request))
        return Answer(204)

    @route("GET", *under("/<id>/stages"), label="pipelines/{kind}/{{id}}/stages", scope=READ)
    def list_stages(self, request: Request) -> Answer:
        return Answer(200, {"results": self.pipeline(request)["stages"]})

    @route("POST", *under("/<id>/stages"), label="pipelines/{kind}/{{id}}/stages", scope=WRITE)
    def create_stage(self, request: Request) -> Answer:
        stages = self.pipeline(request)["stages"]
        stages.append(self.new_stage(request, stages, self.body(request)))
        return Answer(201, stages[-1])

    @route("GET", *under("/<id>/stages/<stage>"), label="pipelines/{kind}/{{id}}/stages/{{id}}", scope=READ)
    def get_stage(self, request: Request) -> Answer:
        return Answer(200, self.stage(request))

    @route("PATCH", *under("/<id>/stages/<stage>"), label="pipelines/{kind}/{{id}}/stages/{{id}}", scope=WRITE)
    def update_stage(self, request: Request) -> Answer:
        return self.patched(request, self.pipeline(request)["stages"], self.stage(request))

    @route("DELETE", *under("/<id>/stages/<stage>"), label="pipelines/{kind}/{{id}}/stages/{{id}}", scope=WRITE)
    def delete_stage(self, request: Request) -> Answer:
        self.pipeline(request)["stages"].remove(self.stage(request))
        return Answer(204)

    def options(self, kind: str) -> dict[str, tuple[str, ...]]:
        """Values of enumerations that live outside the property: owners, pipelines, stages."""
        pipelines = self.pipelines.get(kind, [])
        ids = tuple(pipeline["id"] for pipeline in pipelines)
        stages = tuple(stage["id"] for pipeline in pipelines for stage in pipeline["stages"])
        names = {"deals": ("pipeline", "dealstage"), "leads": ("hs_pipeline", "hs_pipeline_stage")}
        outside = dict(zip(names.get(kind, ()), (ids, stages), strict=False)) | {"hubspot_owner_id": tuple(self.owners)}
        return {name: prop.options for name, prop in PROPERTIES[kind].items()} | outside

    def piped(self, request: Request) -> list[dict[str, Json]]:
        if request.args["kind"] not in self.pipelines:
            raise refusals.validation(f"Unable to infer object type from: {request.args['kind']}")
        return self.pipelines[request.args["kind"]]

    def pipeline(self, request: Request) -> dict[str, Json]:
        return self.among(self.piped(request), request.args["id"])

    def stage(self, request: Request) -> dict[str, Json]:
        return self.among(self.pipeline(request)["stages"], request.args["stage"])

    @staticmethod
    def among(rows: list[dict[str, Json]], wanted: str) -> dict[str, Json]:
        found = next((row for row in rows if row["id"] == wanted), None)
        if found is None:
            raise refusals.not_found(numeric=True)
        return found

    def new_stage(self, request: Request, siblings: list[dict[str, Json]], body: dict[str, Any]) -> dict[str, Json]:
        self.demand(body, "label", "displayOrder")
        self.unique(siblings, body["label"])
        return self.numbered(body) | {"metadata": self.metadata(request, body)}

    def metadata(self, request: Request, body: dict[str, Any]) -> dict[str, Json]:
        """A deal's stage needs a probability, as text; what is certain is closed."""
        metadata: dict[str, Json] = body.get("metadata") or {}
        if not isinstance(metadata, dict):  # type: ignore[reportUnnecessaryIsInstance]
            raise refusals.validation("metadata must be an object")
        if request.args["kind"] != "deals":
            return metadata
        probability = metadata.get("probability")
        if probability not in [f"{tenth / 10:.1f}" for tenth in range(11)]:
            raise refusals.validation('A stage needs a metadata.probability from "0.0" to "1.0"')
        return metadata | deal_metadata(str(probability))

    def patched(self, request: Request, siblings: list[dict[str, Json]], row: dict[str, Json]) -> Answer:
        body = self.body(request)
        if "label" in body and body["label"] != row["label"]:
            self.unique(siblings, body["label"])
        if "metadata" in body:
            body["metadata"] = self.metadata(request, body)
        row |= {name: body[name] for name in ("label", "displayOrder", "metadata") if name in body}
        row["updatedAt"] = iso(self.clock())
        return Answer(200, row)

    def numbered(self, body: dict[str, Any]) -> dict[str, Json]:
        return entry(str(next(self.pipeline_ids)), body["label"], body["displayOrder"], iso(self.clock()))

    @staticmethod
    def demand(body: dict[str, Any], *names: str) -> None:
        if missing := [name for name in names if name not in body]:
            raise refusals.validation(f"Some required fields were not set: {missing}")

    @staticmethod
    def unique(siblings: list[dict[str, Json]], label: str) -> None:
        """Unique per account for pipelines, per pipeline for stages; the refusal's body was never recorded."""
        if any(row["label"] == label for row in siblings):
            raise refusals.validation(f"The label {label} is taken")


def deal_metadata(probability: str) -> dict[str, Json]:
    return {"isClosed": "true" if probability in ("0.0", "1.0") else "false", "probability": probability}


def entry(row_id: str, label: str, order: int, now: str) -> dict[str, Json]:
    return {
        "label": label,
        "displayOrder": order,
        "id": row_id,
        "createdAt": now,
        "updatedAt": now,
        "archived": False,
    }
