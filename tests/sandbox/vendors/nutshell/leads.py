"""What only leads have: pipelines and stages, outcomes, watchers, and the list of their filters.

https://developers.nutshell.com, "Leads" of its OpenAPI document. Moving a lead to a stage of one's choice is not in it.
"""

import copy
from typing import cast

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.nutshell import lists
from tests.sandbox.vendors.nutshell.fields import Written
from tests.sandbox.vendors.nutshell.instance import CRM, META, bad_request, enveloped
from tests.sandbox.vendors.nutshell.records import Records
from tests.sandbox.vendors.nutshell.shapes import Record

ACTIVE = 1


class Leads(Records):
    @route("GET", "/rest/leads/list/fields", label="leads/list/fields", scope=CRM)
    def list_filters(self, request: Request) -> Answer:
        """Whether a time of modification is among them is unconfirmed: a setting says so."""
        names = lists.filter_names("leads", modified=bool(self.settings["filters_by_modified_time"]))
        properties: dict[str, Json] = {}
        for name in sorted({*names, *lists.SORTS["leads"]}):
            facts = {"type": "string", "title": name, "isFilterable": name in names, "isAddable": True}
            facts |= {"format": "date-time"} if name in lists.TIMES else {}
            properties[name] = facts | {"isSortable": name in lists.SORTS["leads"]}
        return Answer(200, {"properties": properties})

    @route("GET", "/rest/leads/<id>/stages", label="leads/{{id}}/stages", scope=CRM)
    def list_stages_of_lead(self, request: Request) -> Answer:
        lead = self.record("leads", request.args["id"])
        stageset = self.lookups["stagesets"].get(lead.links["stageset"])
        stages = self.stages_of(lead.links["stageset"])
        return Answer(200, {"meta": META | {"stageset": stageset, "timeSpent": []}, "links": {}, "stages": stages})

    @route("POST", "/rest/leads/<id>/stageset", label="leads/{{id}}/stageset", scope=CRM)
    def choose_stageset(self, request: Request) -> Answer:
        """To the first stage of another pipeline; drafts and retired ones take no leads (unconfirmed)."""
        lead, wanted = self.lead_and_choice(request, "stageset")
        stageset = self.lookups["stagesets"].get(wanted)
        if stageset is None or stageset["status"] != ACTIVE or not stageset["canAccess"]:
            raise bad_request("leads", "Invalid value", f"{wanted} was not found", "stageset")
        stages = self.stages_of(wanted)
        links = {"stageset": wanted, "stage": stages[0]["id"] if stages else None}
        return self.changed(lead, "stagechange", links=links)

    @route("POST", "/rest/leads/<id>/status", label="leads/{{id}}/status", scope=CRM)
    def close(self, request: Request) -> Answer:
        """An outcome carries the status that it means."""
        lead, wanted = self.lead_and_choice(request, "outcomeId")
        outcome = self.lookups["outcomes"].get(wanted)
        if outcome is None:
            raise bad_request("leads", "Invalid value", f"{wanted} was not found", "outcomeId")
        values = {"status": outcome["status"], "closedTime": int(self.clock())}
        return self.changed(lead, "edit", values=values, links={"outcome": wanted})

    @route("POST", "/rest/leads/<id>/reopen", label="leads/{{id}}/reopen", scope=CRM)
    def reopen(self, request: Request) -> Answer:
        lead = self.record("leads", request.args["id"])
        return self.changed(lead, "edit", values={"status": "open", "closedTime": None}, links={"outcome": None})

    @route("POST", "/rest/leads/<id>/watch", label="leads/{{id}}/watch", scope=CRM)
    def watch(self, request: Request) -> Answer:
        lead = self.record("leads", request.args["id"])
        watchers = list(dict.fromkeys([*cast("list[str]", lead.links["watchers"]), self.acting]))
        return self.changed(lead, "edit", links={"watchers": watchers})

    def lead_and_choice(self, request: Request, member: str) -> tuple[Record, str]:
        self.wants_json(request)
        lead, wanted = self.record("leads", request.args["id"]), self.body(request).get(member)
        if not isinstance(wanted, str):
            raise bad_request("leads", "Invalid value", f"{member} is required", member)
        return lead, wanted

    def changed(
        self,
        lead: Record,
        action: str,
        values: dict[str, Json] | None = None,
        links: dict[str, Json] | None = None,
    ) -> Answer:
        content = copy.deepcopy(Written(lead.values, lead.links, lead.custom))
        content.values.update(values or {})
        content.links.update(links or {})
        self.rewrite(lead, content, action)
        return enveloped("leads", [self.tell(lead)])
