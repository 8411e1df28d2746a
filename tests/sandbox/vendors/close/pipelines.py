"""Statuses of leads, and pipelines with their stages, which Close calls opportunity statuses.

https://developer.close.com/resources/pipelines
https://developer.close.com/resources/opportunity-statuses
"""

from datetime import UTC, datetime
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.close.fields import (
    Reader,
    cleaned,
    filled,
    many,
    nested,
    new_id,
    one_of,
    reference,
    refused,
    text,
)
from tests.sandbox.vendors.close.organization import FULL_ACCESS, ORGANIZATION, V1, Organization, chosen

LEAD_STATUSES = ("Potential", "Bad Fit", "Qualified", "Customer", "Interested", "Canceled", "Not Interested")
STAGES = (
    ("Demo Completed", "active"),
    ("Proposal Sent", "active"),
    ("Contract Sent", "active"),
    ("Won", "won"),
    ("Lost", "lost"),
)
LABEL: dict[str, Reader] = {"label": filled(text)}
STAGE: dict[str, Reader] = LABEL | {"type": one_of("active", "won", "lost")}


class Pipelines(Organization):
    def clear(self) -> None:
        super().clear()
        self.lead_statuses: dict[str, dict[str, Json]] = {}
        self.stages: dict[str, dict[str, Json]] = {}
        self.pipelines: dict[str, dict[str, Json]] = {}
        self.opportunities: dict[str, dict[str, Json]] = {}
        """As they are stored; one of them stands in the way of its stage's deletion."""
        for label in LEAD_STATUSES:
            self.add_lead_status(label, new_id("stat_", label))
        sales = self.add_pipeline("Sales", new_id("pipe_", "Sales"))
        for label, kind in STAGES:
            self.add_stage(sales, {"label": label, "type": kind}, new_id("stat_", f"{kind} {label}"))

    # Statuses of leads.

    @route("GET", f"{V1}/status/lead/", label="lead_statuses", scope=FULL_ACCESS)
    def list_lead_statuses(self, request: Request) -> Answer:
        return Answer(200, {"data": list(self.lead_statuses.values())})

    @route("POST", f"{V1}/status/lead/", label="lead_statuses", scope=FULL_ACCESS)
    def create_lead_status(self, request: Request) -> Answer:
        label = cleaned(self.body(request), LABEL, *LABEL)["label"]
        self.unique(label, self.lead_statuses)
        return Answer(200, self.lead_statuses[self.add_lead_status(label)])

    @route("PUT", f"{V1}/status/lead/<id>/", label="lead_statuses/{{id}}", scope=FULL_ACCESS)
    def update_lead_status(self, request: Request) -> Answer:
        return self.rename(request, self.among(self.lead_statuses, request), self.lead_statuses)

    @route("DELETE", f"{V1}/status/lead/<id>/", label="lead_statuses/{{id}}", scope=FULL_ACCESS)
    def delete_lead_status(self, request: Request) -> Answer:
        """Leads that have it stand in the way; the first that is left is the default, so one has to be left."""
        status = self.among(self.lead_statuses, request)["id"]
        if self.status_is_used(status) or len(self.lead_statuses) == 1:
            raise refused({}, "This status is used.")
        del self.lead_statuses[status]
        return Answer(200, {})

    def status_is_used(self, status_id: str) -> bool:
        raise NotImplementedError

    def add_lead_status(self, label: str, status_id: str | None = None) -> str:
        status_id = status_id or new_id("stat_")
        self.lead_statuses[status_id] = {"id": status_id, "label": label, "organization_id": ORGANIZATION}
        return status_id

    # Stages.

    @route("GET", f"{V1}/status/opportunity/", label="opportunity_statuses", scope=FULL_ACCESS)
    def list_stages(self, request: Request) -> Answer:
        return Answer(200, {"data": [chosen(request, self.shown(row)) for row in self.stages.values()]})

    @route("POST", f"{V1}/status/opportunity/", label="opportunity_statuses", scope=FULL_ACCESS)
    def create_stage(self, request: Request) -> Answer:
        readers = STAGE | {"pipeline_id": filled(reference(self.pipelines))}
        values = cleaned(self.body(request), readers, *readers)
        pipeline = values.pop("pipeline_id")
        self.unique(values["label"], self.of_pipeline(pipeline))
        return Answer(200, self.shown(self.stages[self.add_stage(pipeline, values)]))

    @route("PUT", f"{V1}/status/opportunity/<id>/", label="opportunity_statuses/{{id}}", scope=FULL_ACCESS)
    def update_stage(self, request: Request) -> Answer:
        """Only the label changes; a stage changes its pipeline by the pipeline's own PUT."""
        stage, body = self.among(self.stages, request), self.body(request)
        fixed = [name for name in ("type", "pipeline_id") if name in body and body[name] != stage[name]]
        if fixed:
            raise refused(dict.fromkeys(fixed, "Value cannot be changed."))
        return self.rename(request, stage, self.of_pipeline(stage["pipeline_id"]))

    @route("DELETE", f"{V1}/status/opportunity/<id>/", label="opportunity_statuses/{{id}}", scope=FULL_ACCESS)
    def delete_stage(self, request: Request) -> Answer:
        stage = self.among(self.stages, request)["id"]
        if any(row.get("status_id") == stage for row in self.opportunities.values()):
            raise refused({}, "This status is used.")
        pipeline = self.pipelines[self.stages.pop(stage)["pipeline_id"]]
        pipeline["statuses"].remove(stage)
        return Answer(200, {})

    def of_pipeline(self, pipeline_id: str) -> dict[str, dict[str, Json]]:
        return {stage_id: self.stages[stage_id] for stage_id in self.pipelines[pipeline_id]["statuses"]}

    def add_stage(self, pipeline_id: str, values: dict[str, Json], stage_id: str | None = None) -> str:
        stage_id = stage_id or new_id("stat_")
        self.stages[stage_id] = {"id": stage_id, "pipeline_id": pipeline_id} | values
        self.pipelines[pipeline_id]["statuses"].append(stage_id)
        return stage_id

    @staticmethod
    def shown(stage: dict[str, Json]) -> dict[str, Json]:
        """Which pipeline it is in, a stage does not tell; the pipeline does."""
        return {name: stage[name] for name in ("id", "label", "type")} | {"organization_id": ORGANIZATION}

    # What both kinds of statuses share.

    def rename(self, request: Request, row: dict[str, Json], siblings: dict[str, dict[str, Json]]) -> Answer:
        values = cleaned(self.body(request), LABEL)
        if values.get("label", row["label"]) != row["label"]:
            self.unique(values["label"], siblings)
        row |= values
        return Answer(200, self.shown(row) if "type" in row else row)

    @staticmethod
    def unique(label: str, siblings: dict[str, dict[str, Json]]) -> None:
        """Not documented either way; two of the same name could not be told apart."""
        if any(row["label"] == label for row in siblings.values()):
            raise refused({"label": "This label is already in use."})

    # Pipelines.

    @route("GET", f"{V1}/pipeline/", label="pipelines", scope=FULL_ACCESS)
    def list_pipelines(self, request: Request) -> Answer:
        """All at once, without has_more."""
        return Answer(200, {"data": [self.piped(row) for row in self.pipelines.values()]})

    @route("POST", f"{V1}/pipeline/", label="pipelines", scope=FULL_ACCESS)
    def create_pipeline(self, request: Request) -> Answer:
        """201, unlike everything else; a pipeline may be empty."""
        readers: dict[str, Reader] = {"name": filled(text), "statuses": many(nested(STAGE))}
        values = cleaned(self.body(request), readers, "name")
        labels = [stage["label"] for stage in values.get("statuses", [])]
        if len(set(labels)) < len(labels):
            raise refused({"statuses": "This label is already in use."})
        pipeline = self.add_pipeline(values["name"])
        for stage in values.get("statuses", []):
            self.add_stage(pipeline, stage)
        return Answer(201, self.piped(self.pipelines[pipeline]))

    @route("GET", f"{V1}/pipeline/<id>/", label="pipelines/{{id}}", scope=FULL_ACCESS)
    def get_pipeline(self, request: Request) -> Answer:
        """Not in the stored OpenAPI, but in the vendor's page index: /api/resources/pipelines/get."""
        return Answer(200, self.piped(self.among(self.pipelines, request)))

    @route("PUT", f"{V1}/pipeline/<id>/", label="pipelines/{{id}}", scope=FULL_ACCESS)
    def update_pipeline(self, request: Request) -> Answer:
        """Renames, puts its stages in another order, and takes in a stage of another pipeline."""
        pipeline = self.among(self.pipelines, request)
        known = nested({"id": filled(reference(self.stages))})
        values = cleaned(self.body(request), {"name": filled(text), "statuses": many(known)})
        if "statuses" in values:
            self.reorder(pipeline, [stage["id"] for stage in values.pop("statuses")])
        pipeline |= values | {"date_updated": self.naive_now(), "updated_by": self.me}
        return Answer(200, self.piped(pipeline))

    @route("DELETE", f"{V1}/pipeline/<id>/", label="pipelines/{{id}}", scope=FULL_ACCESS)
    def delete_pipeline(self, request: Request) -> Answer:
        """204, unlike every other delete, and only when it is empty."""
        pipeline = self.among(self.pipelines, request)
        if pipeline["statuses"]:
            raise refused({}, "A pipeline that has statuses cannot be deleted.")
        del self.pipelines[pipeline["id"]]
        return Answer(204)

    def reorder(self, pipeline: dict[str, Json], stages: list[str]) -> None:
        """What happens to a stage that the list leaves out is not documented: here it may not be left out."""
        if len(set(stages)) < len(stages) or not set(pipeline["statuses"]) <= set(stages):
            raise refused({"statuses": "Every status of the pipeline is named once."})
        for stage in stages:
            before = self.pipelines[self.stages[stage]["pipeline_id"]]
            before["statuses"] = [one for one in before["statuses"] if one != stage]
            self.stages[stage]["pipeline_id"] = pipeline["id"]
        pipeline["statuses"] = stages

    def add_pipeline(self, name: str, pipeline_id: str | None = None) -> str:
        pipeline_id, now = pipeline_id or new_id("pipe_"), self.naive_now()
        by = self.me if self.pipelines else None
        row: dict[str, Any] = {"id": pipeline_id, "name": name, "organization_id": ORGANIZATION, "statuses": []}
        row |= {"created_by": by, "updated_by": by, "date_created": now, "date_updated": now}
        self.pipelines[pipeline_id] = row
        return pipeline_id

    def piped(self, pipeline: dict[str, Json]) -> dict[str, Json]:
        stages = [{name: stage[name] for name in ("id", "label", "type")} for stage in self.staged(pipeline)]
        return pipeline | {"statuses": stages}

    def staged(self, pipeline: dict[str, Json]) -> list[dict[str, Json]]:
        return list(self.of_pipeline(pipeline["id"]).values())

    def naive_now(self) -> str:
        """UTC without saying so."""
        return datetime.fromtimestamp(self.clock(), UTC).replace(tzinfo=None).isoformat(timespec="microseconds")

    def described(self) -> dict[str, Json]:
        """The organization inside /me/ names its statuses and pipelines, too."""
        pipelines = [self.piped(row) for row in self.pipelines.values()]
        return super().described() | {
            "lead_statuses": [{"id": row["id"], "label": row["label"]} for row in self.lead_statuses.values()],
            "opportunity_statuses": [stage for row in pipelines for stage in row["statuses"]],
            "pipelines": pipelines,
        }
