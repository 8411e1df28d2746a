"""Pipelines of the Deals layout. A stage is an option of the field Stage, which a pipeline maps at a place.

https://www.zoho.com/crm/developer/docs/api/v8/get-pipelines.html
https://www.zoho.com/crm/developer/docs/api/v8/create-pipeline.html
https://www.zoho.com/crm/developer/docs/api/v8/transfer-and-delete-pipeline.html
"""

from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import Route, route
from tests.sandbox.vendors.zoho.metadata import LONGEST_OPTION, Metadata
from tests.sandbox.vendors.zoho.org import BASE
from tests.sandbox.vendors.zoho.refusals import (
    at,
    bad_id,
    bad_parameter,
    fault,
    mandatory,
    parameter_missing,
    refused,
    success,
)

HERE = f"{BASE}/settings/pipeline"
PATH = "$.pipeline[0]"


class Pipelines(Metadata):
    def clear(self) -> None:
        super().clear()
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, float] = {}
        self.insert_pipeline("Standard (Standard)", [stage["id"] for stage in self.stages], default=True)

    @route("GET", HERE, label="pipelines", scope="ZohoCRM.settings.pipeline.READ")
    def list_pipelines(self, request: Request) -> Answer:
        self.enter(request)
        return Answer(200, {"pipeline": [self.shown_pipeline(row) for row in self.pipelines.values()]})

    @route("GET", f"{HERE}/<id>", label="pipelines/{{id}}", scope="ZohoCRM.settings.pipeline.READ")
    def get_pipeline(self, request: Request) -> Answer:
        self.enter(request)
        row = self.pipelines.get(request.args["id"])
        return Answer(200, {"pipeline": [self.shown_pipeline(row)]}) if row else Answer(204)

    @route("POST", HERE, label="pipelines", scope="ZohoCRM.settings.pipeline.CREATE")
    def create_pipeline(self, request: Request) -> Answer:
        """The stages have to be there already: their ids come from the field Stage."""
        self.enter(request)
        [item] = self.entries(request, "pipeline", 1)
        for name in ("display_value", "maps"):
            if not item.get(name):
                raise refused(mandatory(PATH, name), within="pipeline")
        self.check_label(item["display_value"], None)
        stages = self.mapped([], self.objects(item, "maps"))
        pipeline_id = self.insert_pipeline(item["display_value"], stages, default=bool(item.get("default")))
        return Answer(201, {"pipeline": [success("Pipeline created successfully", {"id": pipeline_id})]})

    @route("PATCH", HERE, label="pipelines", scope="ZohoCRM.settings.pipeline.UPDATE")
    @route("PUT", HERE, label="pipelines", scope="ZohoCRM.settings.pipeline.UPDATE")
    def update_pipelines(self, request: Request) -> Answer:
        self.enter(request)
        [item] = self.entries(request, "pipeline", 1)
        if "id" not in item:
            raise refused(mandatory(PATH, "id"), within="pipeline")
        if item["id"] not in self.pipelines:
            raise refused(fault("INVALID_DATA", "invalid pick_list_values id", id=item["id"]), within="pipeline")
        return self.change(self.pipelines[item["id"]], item)

    @route("PATCH", f"{HERE}/<id>", label="pipelines/{{id}}", scope="ZohoCRM.settings.pipeline.UPDATE")
    @route("PUT", f"{HERE}/<id>", label="pipelines/{{id}}", scope="ZohoCRM.settings.pipeline.UPDATE")
    def update_pipeline(self, request: Request) -> Answer:
        self.enter(request)
        if request.args["id"] not in self.pipelines:
            raise bad_id(2, "invalid pick_list_values id")
        [item] = self.entries(request, "pipeline", 1)
        return self.change(self.pipelines[request.args["id"]], item)

    def change(self, row: dict[str, Any], item: dict[str, Json]) -> Answer:
        """PUT and PATCH alike: what is left out stays, `_delete` removes."""
        if row["id"] in self.jobs:
            details = at(PATH, "pipeline", value=row["id"])
            running = fault("ALREADY_SCHEDULED", "Scheduler already running for this pipeline", **details)
            raise refused(running, within="pipeline")
        if "_delete" in item:
            if row["default"]:
                what = fault("CANNOT_DELETE", "Cannot delete the default pipeline", **at(PATH, "id"))
                raise refused(what, within="pipeline")
            del self.pipelines[row["id"]]
        else:
            label = item.get("display_value", row["display_value"])
            self.check_label(label, row["id"])
            stages = self.mapped(row["stages"], self.objects(item, "maps")) if "maps" in item else row["stages"]
            row |= {"display_value": label, "stages": stages}
            if item.get("default"):
                self.make_default(row)
        return Answer(200, {"pipeline": [success("Pipeline updated", {"id": row["id"]})]})

    def check_label(self, label: Json, own_id: str | None) -> None:
        if not isinstance(label, str) or not label.strip():
            raise refused(mandatory(PATH, "display_value"), within="pipeline")
        if len(label) > LONGEST_OPTION:
            details = at(PATH, "display_value", maximum_length=LONGEST_OPTION)
            raise refused(fault("INVALID_DATA", "invalid data", **details))
        others = [row for row in self.pipelines.values() if row["id"] != own_id]
        if any(row["display_value"].lower() == label.lower() for row in others):
            what = fault("DUPLICATE_DATA", "Duplicate pipeline label found", **at(PATH, "display_value"))
            raise refused(what, within="pipeline")

    def mapped(self, before: list[str], maps: list[dict[str, Json]]) -> list[str]:
        """The ids of the stages in their order, after these changes."""
        known = {option["id"] for option in self.stages}
        stages = [] if self.settings["maps_replace"] else list(before)
        placed: dict[str, int] = {}
        for place, one in enumerate(maps):
            path = f"{PATH}.maps[{place}]"
            if "id" not in one:
                raise refused(mandatory(path, "id"), within="pipeline")
            if one["id"] not in known or one["id"] in placed:
                raise refused(fault("INVALID_DATA", "Invalid child option id", **at(path, "id")), within="pipeline")
            if "_delete" in one:
                if one["id"] not in before:
                    raise refused(fault("INVALID_DATA", "No mapping found "), within="pipeline")
                stages = [stage for stage in stages if stage != one["id"]]
            elif "sequence_number" in one:
                placed[one["id"]] = one["sequence_number"]
            elif one["id"] not in stages:
                raise refused(mandatory(path, "sequence_number"), within="pipeline")
        stages = [stage for stage in stages if stage not in placed]
        for stage in sorted(placed, key=lambda stage: placed[stage]):
            stages.insert(max(placed[stage] - 1, 0), stage)
        if not stages:
            what = "Cannot delete the last stage associated with the pipeline"
            raise refused(fault("CANNOT_DELETE", what, **at(f"{PATH}.maps[{len(maps) - 1}]", "id")), within="pipeline")
        return stages

    @route("POST", f"{HERE}/actions/transfer", label="pipelines/transfer", scope="ZohoCRM.settings.pipeline.CREATE")
    def transfer(self, request: Request) -> Answer:
        """A job that moves the deals to other stages and then deletes the pipeline."""
        self.enter(request)
        [item] = self.entries(request, "transfer_pipeline", 1)
        path = "$.transfer_pipeline[0]"
        for name in ("pipeline", "stages"):
            if not item.get(name):
                raise refused(mandatory(path, name), within="transfer_pipeline")
        ends, moves = item["pipeline"], self.objects(item, "stages")
        for name in ("from", "to"):
            if ends.get(name) not in self.pipelines:
                self.misdirected(f"{path}.pipeline[0]", name)  # the vendor writes an index here, too
        if ends["from"] == ends["to"]:
            self.misdirected(f"{path}.pipeline[0]", "to", "Both from_id and to_id cannot be same ")
        if ends["from"] in self.jobs:
            details = {"api_name": "cvid", "value": ends["from"]}
            running = fault("ALREADY_SCHEDULED", "Scheduler already running for this pipeline", **details)
            raise refused(running, within="transfer_pipeline")
        moved: dict[str, int] = {}
        for place, move in enumerate(moves):
            here = f"{path}.stages[{place}]"
            for name in ("from", "to"):
                if move.get(name) not in self.pipelines[ends[name]]["stages"]:
                    self.misdirected(here, name)
            if move["from"] in moved:
                first = {"json_path": f"{path}.stages[{moved[move['from']]}].from"}
                again = fault("ALREADY_USED", "from id is mapped more than once", **at(here, "from", exists_in=first))
                raise refused(again, within="transfer_pipeline")
            moved[move["from"]] = place
        if self.pipelines[ends["from"]]["default"]:
            self.make_default(self.pipelines[ends["to"]])
        self.jobs[ends["from"]] = self.clock() + self.settings["transfer_seconds"]
        done = success("transfer pipeline scheduled successfully", {"job_id": self.new_id()})
        return Answer(200, {"transfer_pipeline": [done]})

    @staticmethod
    def misdirected(path: str, name: str, message: str = "") -> None:
        what = fault("INVALID_DATA", message or f"Invalid {name} id", **at(path, name))
        raise refused(what, within="transfer_pipeline")

    def enter(self, request: Request) -> None:
        """What every path of pipelines asks first; jobs whose time has come are done by then."""
        if not self.settings["pipelines_enabled"]:
            what = "permission denied to customize Zoho CRM"
            raise refused(fault("NO_PERMISSION", what, permissions="Crm_Implied_Customize_Zoho_CRM"), 403)
        if "layout_id" not in request.query:
            raise parameter_missing("layout_id")
        if request.query["layout_id"] != self.layouts["deals"]:
            raise bad_parameter("layout_id", "Invalid layoutid")
        for pipeline_id in [number for number, due in self.jobs.items() if due <= self.clock()]:
            del self.jobs[pipeline_id], self.pipelines[pipeline_id]

    def insert_pipeline(self, label: str, stages: list[str], *, default: bool) -> str:
        row: dict[str, Any] = {
            "id": self.new_id(),
            "display_value": label,
            "actual_value": label,
            "default": default,
            "stages": stages,
        }
        self.pipelines[row["id"]] = row
        if default:
            self.make_default(row)
        return row["id"]

    def make_default(self, row: dict[str, Any]) -> None:
        for other in self.pipelines.values():
            other["default"] = other is row

    def shown_pipeline(self, row: dict[str, Any]) -> dict[str, Json]:
        """A stage without a colour does not show one."""
        stages = {option["id"]: option for option in self.stages}
        names = ("id", "display_value", "actual_value", "forecast_category", "forecast_type", "colour_code")
        maps = [
            {name: stages[stage][name] for name in names if stages[stage][name] is not None}
            | {"sequence_number": place}
            for place, stage in enumerate(row["stages"], start=1)
        ]
        return {name: row[name] for name in ("id", "display_value", "actual_value", "default")} | {"maps": maps}

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        if label.startswith("pipelines"):
            what = fault("DUPLICATE_DATA", "Duplicate pipeline label found", **at(PATH, "display_value"))
            return refused(what, within="pipeline").answer
        return super().duplicate(found, request, label, existing)
