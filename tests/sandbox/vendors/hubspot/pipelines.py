"""Pipelines and their stages, of deals, leads and tickets.

https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide
https://developers.hubspot.com/docs/api-reference/latest/crm/pipelines/guide (2026-09: deleting validates by itself)
"""

import re
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
TICKET_STAGES = (("1", "New"), ("2", "Waiting on contact"), ("3", "Waiting on us"), ("4", "Closed"))
STAGE_OF = {"deals": "dealstage", "leads": "hs_pipeline_stage"}
MOST_STAGES = {"leads": 30, "deals": 100, "tickets": 100}
FLAGS = ("validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete")


def under(rest: str = "") -> tuple[str, str]:
    return f"/crm/v3/pipelines/<kind>{rest}", f"/crm/pipelines/{DATED}/<kind>{rest}"


class Pipelines(Account):
    def clear(self) -> None:
        super().clear()
        self.pipeline_ids = count(812_723_471)
        deal_stages = [
            stage(stage_id, label, order, LONG_AGO, deal_metadata(float(probability)))
            for order, (stage_id, label, probability) in enumerate(DEAL_STAGES)
        ]
        lead_stages = [
            stage(stage_id, stage_id.split("-")[0].capitalize(), order, LONG_AGO, {})
            for order, stage_id in enumerate(LEAD_STAGES)
        ]
        ticket_stages = [
            stage(stage_id, label, order, LONG_AGO, {"ticketState": "CLOSED" if label == "Closed" else "OPEN"})
            for order, (stage_id, label) in enumerate(TICKET_STAGES)
        ]
        deals = entry("default", "Sales Pipeline", 0, LONG_AGO) | {"stages": deal_stages}
        leads = entry("lead-pipeline-id", "Lead pipeline", 0, LONG_AGO) | {"stages": lead_stages}
        tickets = entry("0", "Support Pipeline", 0, LONG_AGO) | {"stages": ticket_stages}
        self.pipelines: dict[str, list[dict[str, Json]]] = {"deals": [deals], "leads": [leads], "tickets": [tickets]}

    @route("GET", *under(), label="pipelines/{kind}", scope=READ)
    def list_pipelines(self, request: Request) -> Answer:
        """All at once, stages inside, no paging, and in no order but that of their making."""
        return Answer(200, {"results": self.piped(request)})

    @route("POST", *under(), label="pipelines/{kind}", scope=WRITE)
    def create_pipeline(self, request: Request) -> Answer:
        """How an account's plan refuses one pipeline more was never recorded: here it is a value that does not fit."""
        siblings, body = self.piped(request), self.body(request)
        if len(siblings) >= self.settings["most_pipelines"]:
            raise refusals.validation("The account has as many pipelines as its plan allows")
        made = self.new_pipeline(request, body, None)
        siblings.append(made)
        return Answer(201, made)

    def new_pipeline(self, request: Request, body: dict[str, Any], old: dict[str, Json] | None) -> dict[str, Json]:
        """A pipeline needs a stage. What is sent replaces the old one but for its id, and for stages that are named."""
        self.demand(body, "label", "displayOrder", "stages")
        self.pipeline_label(request, body["label"], old)
        others = {row["id"] for rows in self.pipelines.values() for row in rows if row is not old}
        made = self.numbered(request, body, "pipelineId", others) | {"stages": []}
        kept = {row["id"]: row for row in old["stages"]} if old else {}
        made |= {"id": old["id"], "createdAt": old["createdAt"]} if old else {}
        for one in self.objects(body, "stages"):
            known = kept.get(str(one.get("stageId")), {}) if "version" in request.args else {}
            fresh = self.new_stage(request, made["stages"], one, known.get("id"))
            made["stages"].append(fresh | {name: known[name] for name in ("id", "createdAt") if name in known})
        if not made["stages"]:
            raise refusals.validation("Pipeline must have at least one stage")
        return made

    @route("GET", *under("/<id>"), label="pipelines/{kind}/{{id}}", scope=READ)
    def get_pipeline(self, request: Request) -> Answer:
        return Answer(200, self.pipeline(request))

    @route("PATCH", *under("/<id>"), label="pipelines/{kind}/{{id}}", scope=WRITE)
    def update_pipeline(self, request: Request) -> Answer:
        row, body = self.pipeline(request), self.changes(request)
        if "label" in body:
            self.pipeline_label(request, body["label"], row)
        return self.changed(row, {name: body[name] for name in ("label", "displayOrder") if name in body})

    @route("PUT", *under("/<id>"), label="pipelines/{kind}/{{id}}", scope=WRITE)
    def replace_pipeline(self, request: Request) -> Answer:
        row = self.pipeline(request)
        made = self.new_pipeline(request, self.body(request), row)
        staying = {one["id"] for one in made["stages"]}
        self.only_unused(request, [one["id"] for one in row["stages"] if one["id"] not in staying])
        return self.changed(row, made)

    @route("DELETE", *under("/<id>"), label="pipelines/{kind}/{{id}}", scope=WRITE)
    def delete_pipeline(self, request: Request) -> Answer:
        row = self.pipeline(request)
        self.only_unused(request, [one["id"] for one in row["stages"]])
        self.piped(request).remove(row)
        return Answer(204)

    def only_unused(self, request: Request, stage_ids: list[str]) -> None:
        """Refused where records are in the stages: when asked for, and since 2026-09 unless one asks not to.

        In 2026-09 each object has a flag of its own. The DELETE of a stage takes none in v3. The bin does not count.
        """
        kind = request.args["kind"]
        if request.args.get("version") == "2026-09":
            wanted = request.query.get(FLAGS[kind == "deals"]) != "false"
        else:
            wanted = "stage" not in request.args and any(request.query.get(flag) == "true" for flag in FLAGS)
        records = self.store.records.get(kind, {}).values() if wanted else ()
        used = [row for row in records if row.archived_at is None and row.properties.get(STAGE_OF[kind]) in stage_ids]
        if used:
            stages, ids = f"[{', '.join(stage_ids)}]", f"[{', '.join(row.id for row in used)}]"
            raise refusals.validation(
                f"Stage IDs: {stages} are being referenced by object IDs: {ids}",
                context={"stageIds": [stages], "objectIds": [ids]},
                subCategory="PipelineError.STAGE_ID_IN_USE",
            )

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
        siblings, row, body = self.pipeline(request)["stages"], self.stage(request), self.changes(request)
        if "label" in body:
            self.stage_label(siblings, body["label"], row)
        if "metadata" in body:
            body["metadata"] = self.metadata(request, body)
        return self.changed(row, {name: body[name] for name in ("label", "displayOrder", "metadata") if name in body})

    @route("PUT", *under("/<id>/stages/<stage>"), label="pipelines/{kind}/{{id}}/stages/{{id}}", scope=WRITE)
    def replace_stage(self, request: Request) -> Answer:
        siblings, row, body = self.pipeline(request)["stages"], self.stage(request), self.body(request)
        self.demand(body, "label", "displayOrder")
        self.stage_label(siblings, body["label"], row)
        facts = {"label": body["label"], "displayOrder": body["displayOrder"]}
        return self.changed(row, facts | {"metadata": self.metadata(request, body)})

    @route("DELETE", *under("/<id>/stages/<stage>"), label="pipelines/{kind}/{{id}}/stages/{{id}}", scope=WRITE)
    def delete_stage(self, request: Request) -> Answer:
        stages, row = self.pipeline(request)["stages"], self.stage(request)
        self.only_unused(request, [row["id"]])
        if len(stages) == 1:
            raise refusals.validation("Pipeline must have at least one stage")
        stages.remove(row)
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

    def new_stage(
        self, request: Request, siblings: list[dict[str, Json]], body: dict[str, Any], own_id: str | None = None
    ) -> dict[str, Json]:
        self.demand(body, "label", "displayOrder")
        self.stage_label(siblings, body["label"])
        if len(siblings) >= MOST_STAGES[request.args["kind"]]:
            raise refusals.validation(f"A pipeline has at most {MOST_STAGES[request.args['kind']]} stages")
        taken = {row["id"] for pipeline in self.piped(request) for row in pipeline["stages"] if row["id"] != own_id}
        row = self.numbered(request, body, "stageId", taken | {row["id"] for row in siblings})
        return stage(row["id"], row["label"], row["displayOrder"], row["createdAt"], self.metadata(request, body))

    def metadata(self, request: Request, body: dict[str, Any]) -> dict[str, Json]:
        """A deal's stage needs a probability, as text; what is certain is closed. A ticket's is open or closed."""
        metadata: dict[str, Json] = body.get("metadata") or {}
        if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):  # type: ignore[reportUnnecessaryIsInstance]
            raise refusals.validation("metadata must be an object of strings")
        match request.args["kind"]:
            case "deals":
                probability = str(metadata.get("probability"))
                if not re.fullmatch(r"\d+(\.\d+)?", probability) or float(probability) > 1:
                    raise refusals.validation('A stage needs a metadata.probability from "0.0" to "1.0"')
                return deal_metadata(float(probability))
            case "tickets":
                state = metadata.get("ticketState", "OPEN")
                if state not in ("OPEN", "CLOSED"):
                    raise refusals.validation("metadata.ticketState is OPEN or CLOSED")
                return {"ticketState": state}
            case _:
                return metadata

    def changes(self, request: Request) -> dict[str, Json]:
        """The body of a PATCH. `archived` is for what was archived, and nothing here is: deleting is for good."""
        body = self.body(request)
        if "archived" in body:
            raise refusals.validation("archived can only be changed of what is archived")
        self.demand(body, *(name for name in ("label", "displayOrder") if name in body))
        return body

    def changed(self, row: dict[str, Json], facts: dict[str, Json]) -> Answer:
        row |= facts | {"updatedAt": iso(self.clock())}
        return Answer(200, row)

    def numbered(self, request: Request, body: dict[str, Any], name: str, taken: set[str]) -> dict[str, Json]:
        """An id of HubSpot's making, or in the dated paths the one that is sent, if it is free."""
        wanted = body.get(name) if "version" in request.args else None
        if wanted is not None and (not isinstance(wanted, str) or not wanted or wanted in taken):
            raise refusals.validation(f"{name} {wanted} is taken")
        row_id = wanted or str(next(self.pipeline_ids))
        return entry(row_id, body["label"], body["displayOrder"], iso(self.clock()))

    @staticmethod
    def demand(body: dict[str, Any], *names: str) -> None:
        if missing := [name for name in names if name not in body]:
            raise refusals.validation(f"Some required fields were not set: {missing}")
        label, order = body.get("label", "-"), body.get("displayOrder", 0)
        if not isinstance(label, str) or not label.strip():
            raise refusals.validation("label must be a string that is not blank")
        if isinstance(order, bool) or not isinstance(order, int) or order < 0:
            raise refusals.validation("displayOrder must be a number from 0")

    def pipeline_label(self, request: Request, label: str, own: dict[str, Json] | None) -> None:
        """Unique per account; `labels_unique_per` "object" is what others saw. The body was never recorded."""
        per_account = self.settings["labels_unique_per"] == "account"
        everything = [row for rows in self.pipelines.values() for row in rows]
        if any(
            same(row["label"], label) for row in (everything if per_account else self.piped(request)) if row is not own
        ):
            raise refusals.validation(f"An active pipeline with label {label} already exists")

    @staticmethod
    def stage_label(siblings: list[dict[str, Json]], label: str, own: dict[str, Json] | None = None) -> None:
        """Unique per pipeline."""
        if any(same(row["label"], label) for row in siblings if row is not own):
            sub_category = "PipelineError.STAGE_LABEL_EXISTS"
            raise refusals.validation(f"A stage with label {label} already exists", subCategory=sub_category)


def same(one: str, other: str) -> bool:
    """Whether case and white space count is not documented: here they do not."""
    return one.strip().casefold() == other.strip().casefold()


def deal_metadata(probability: float) -> dict[str, Json]:
    return {"isClosed": "true" if probability in (0.0, 1.0) else "false", "probability": str(probability)}


def stage(row_id: str, label: str, order: int, now: str, metadata: dict[str, Json]) -> dict[str, Json]:
    row = entry(row_id, label, order, now) | {"metadata": metadata}
    return row | {"writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"}


def entry(row_id: str, label: str, order: int, now: str) -> dict[str, Json]:
    return {
        "label": label,
        "displayOrder": order,
        "id": row_id,
        "createdAt": now,
        "updatedAt": now,
        "archived": False,
    }
