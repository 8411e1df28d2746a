"""Pipeliner (Coevera): one grammar for every entity, and stages that are written with their pipeline.

Grammar   https://developers.pipelinersales.com/api-docs/core-api-concepts/api-parameters
Paging    https://developers.pipelinersales.com/api-docs/core-api-concepts/pagination
Login     https://developers.pipelinersales.com/api-docs/core-api-concepts/authentication
Contacts  https://developers.pipelinersales.com/api-docs/tutorials-and-articles/create-contact
Deals     https://developers.pipelinersales.com/api-docs/tutorials-and-articles/create-opportunity
Bodies    https://pipeliner.stoplight.io/docs/api-docs

A lead's `created_at` may be given: by the specification `created` is not read-only in leads, opportunities, accounts
and contacts, as it is in all else. The answer tells what the vendor made of it.
A pipeline here is one of opportunities. A stage belongs to one of those, or to a process of leads or of quotes.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Basic
from switchboard.crm.catalog import Host, Pace, Resource, Setting, alone
from switchboard.crm.codecs import plain, utc
from switchboard.crm.complaint import Complaint, sentence
from switchboard.crm.dialect import Answer, Dialect, Draft, Gone
from switchboard.crm.paging import Cursor, second
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Outcome, Problem, invalid
from switchboard.crm.vendors.pipeliner.rows import (
    ENTITIES,
    EXPANDED,
    LIST,
    companies,
    contacts,
    deals,
    leads,
    linked,
    pipelines,
    stages,
    users,
)
from switchboard.crm.wire import Pairs, Request, Response, Talk, dig, inside, many, word

PROCESSES = f"{ENTITIES}/LeadProcesses"

OBJECTS = (contacts, companies, deals, users)
"""What one request has to be enough for: a read that does not expand has all but names."""

DELETED_PAGE = 100

COLOR = 0
FIRST_STEPS = [{"name": "Open"}]
"""A pipeline is not made without a color and steps, and nobody has to name them to us."""

MOVED = "The pipeline was changed by somebody else at the same moment, so that the stage is not in it; ask again."


def steps_of(record: Record) -> dict[str, Record]:
    """The stages of a pipeline in their order, by their ids. One whose stages are not told cannot be written."""
    listed, found = record.get("steps"), dict[str, Record]()
    for each in listed if isinstance(listed, list) else [None]:
        id = linked.into(each)
        if id is None:
            raise Problem(Kind.CRM_UNAVAILABLE, "The CRM did not tell which stages the pipeline has.")
        found[id] = each if isinstance(each, dict) else {}
    return {id: each for id, each in found.items() if each.get("is_deleted") is not True}


class Pipeliner(Dialect):
    """Bodies are `{success, data}`; names of entities are plurals, and another name is a 404 of its own code."""

    ids = re.compile(r"[0-9a-fA-F-]+")  # UUIDs, those of users with many zeros
    codes = {"ERROR_UNKNOWN_TYPE": Kind.CRM_REJECTED}  # noqa: RUF012
    statuses = {412: Kind.CRM_CONFLICT}  # noqa: RUF012 - how a stale revision is refused is told nowhere

    lag = 10  # that lists tell of a change at once is told nowhere; nobody has seen the contrary either

    def open(self, resource: Resource, body: Any) -> Record:
        """A record in its envelope as answers carry it, or bare as lists and our own bodies do."""
        return super().open(resource, inside(body, "data", "success"))

    def view(self, resource: Resource, extra: Sequence[str] = ()) -> dict[str, str]:
        """All columns come by themselves; what has a name elsewhere is asked for with it."""
        return {"expand": EXPANDED[resource.plural]} if resource is not users else {}

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        """The answer to a create holds the columns, and of related records the web addresses."""
        return self._is_whole(resource, response.body)

    def _is_whole(self, resource: Resource, body: Any) -> bool:
        record = self.open(resource, body)
        related = [record.get(name) for name in EXPANDED[resource.plural].split(",")]
        flat = [each for value in related for each in (value if isinstance(value, list) else [value])]
        return not any(each and isinstance(each, str) for each in flat)

    def complaint(self, response: Response) -> Complaint | None:
        """A field may be told twice, as `owner` and as `owner_id`; and some are told of the entity alone."""
        body = response.body
        if response.ok and dig(body, "success") is not False:
            return None
        fields = many(body, "field_errors")
        told = [*fields, *(each for field in fields for each in many(field, "errors"))]
        told += [*many(body, "entity_errors"), *many(body, "step_checklist_errors")]
        names = dict.fromkeys(name for each in told if (name := word(each, "field_name")))
        messages = dict.fromkeys(said for each in told if (said := (word(each, "message") or "").strip()))
        # A missing record is told with `success`; without it the address was not known: the space or the path is wrong.
        unknown = response.status == 404 and isinstance(body, dict) and "success" not in body
        return Complaint(
            code=word(body, "name"),
            message=(sentence(body) or "").strip() or " ".join(messages) or None,
            fields=tuple(name for name in names if f"{name}_id" not in names),
            kind=Kind.CRM_REJECTED if unknown else None,
        )

    def removed(self, resource: Resource, body: Any) -> bool:
        """Whether a read still finds what was removed is told nowhere; if it does, the record says so."""
        return self.open(resource, body).get("is_deleted") is True

    def get(self, resource: Resource, id: str, extra: Sequence[str] = ()) -> Talk[Answer]:
        """By the page on parameters, not by the specification, a read of an id expands: if it does not, a list does."""
        found = yield from super().get(resource, id, extra)
        if resource in OBJECTS or self._is_whole(resource, found.raw):
            return found
        listed = yield from self.ask(wire.get(resource.path, {"filter[id]": id, **self.view(resource)}))
        full = next((each for each in many(listed.body, "data") if each.get("id") == id), None)
        return found if full is None else (yield from self.answer(resource, full))

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """What Pipeliner has to be told of a pipeline, and must not be told of a step."""
        yield from ()
        if resource is pipelines:
            return {"color": COLOR, **body, "steps": body.get("steps") or FIRST_STEPS}
        return {name: value for name, value in body.items() if resource is not stages or name != "pipeline_id"}

    def create(self, resource: Resource, draft: Draft, *, passed: Pairs = (), whole: bool = True) -> Talk[Answer]:
        """A stage of a process is made like anything else; one of a pipeline is written into the pipeline.

        Without a pipeline it goes to the oldest of the space. An id may be that of a pipeline or of a lead process.
        """
        process = resource is not stages or any(draft.body.get(f"{kind}_process_id") for kind in ("lead", "quote"))
        if process:
            return (yield from super().create(resource, draft, passed=passed, whole=whole))
        about = draft.body.get("pipeline_id")
        outer = (yield from self._existing(pipelines.path, about)) if about else (yield from self._oldest())
        if outer is not None:
            return (yield from self._add(outer, draft, passed, whole))
        if (yield from self._existing(PROCESSES, about)) is None:
            detail = "is the id neither of a pipeline of opportunities nor of a lead process"
            raise invalid("pipeline.id", "unknown_value", detail)
        within = replace(draft, body={**draft.body, "lead_process_id": about})
        return (yield from super().create(resource, within, passed=passed, whole=whole))

    def _existing(self, path: str, id: Any) -> Talk[Record | None]:
        """A pipeline or process with its steps; None where there is none of this id."""
        found = yield from self.look(wire.get(f"{path}/{wire.segment(id)}", self.view(pipelines)))
        return None if found is None or self.removed(pipelines, found) else self.open(pipelines, found)

    def _oldest(self) -> Talk[Record]:
        query = {"first": "1", "order-by": "created", **self.view(pipelines)}
        found = many((yield from self.ask(wire.get(pipelines.path, query))).body, "data")
        if not found:
            raise invalid("pipeline.id", "required", "is needed: the space has no pipeline of opportunities")
        return found[0]

    def _add(self, outer: Record, draft: Draft, passed: Pairs, whole: bool) -> Talk[Answer]:
        """Write a pipeline with all its stages and one more, and look whether they are all there.

        Whether stages that are left out are removed is told nowhere, so that none is; the revision makes the vendor
        refuse what was read too early, as far as it heeds it.
        """
        before, id = steps_of(outer), linked.into(outer)
        if id is None:
            raise Problem(Kind.CRM_UNAVAILABLE, "The CRM did not tell the id of the pipeline.")
        step = yield from self.prepare(stages, draft.body)
        revision = {} if outer.get("revision") is None else {"revision": outer["revision"]}
        body = {**revision, "steps": [*({"id": each} for each in before), step]}
        path = self.member(pipelines, id)
        try:
            written = yield from self.ask(Request("PATCH", path, json=body, passed=passed))
        except Problem as problem:
            if (yield from self._is_stale(problem, outer, id)):
                raise Problem(Kind.CRM_CONFLICT, MOVED, remote=problem.remote, outcome=problem.outcome) from problem
            raise
        made = yield from self._made(id, before, step, written)
        told = {"id": made, "name": step.get("name")}
        return (yield from self.read_back(stages, Answer(told, written.body), whole))

    def _is_stale(self, problem: Problem, outer: Record, id: str) -> Talk[bool]:
        """Whether a pipeline was refused because it has another revision by now."""
        if problem.outcome is not Outcome.REFUSED or problem.kind not in (Kind.CRM_REJECTED, Kind.CRM_CONFLICT):
            return False
        try:
            now = yield from self._existing(pipelines.path, id)
        except Problem:
            return False  # the refusal speaks for itself
        return now is not None and now.get("revision") != outer.get("revision")

    def _made(self, id: str, before: dict[str, Record], step: Record, written: Response) -> Talk[str]:
        """The id of the stage that was written into a pipeline, which has lost none of those before it."""
        remote = self.remote(written)
        try:
            now = yield from self._existing(pipelines.path, id)
            after = steps_of(now or {})
        except Problem as problem:
            detail = "The pipeline was written, and could not be read again."
            raise Problem(Kind.OUTCOME_UNKNOWN, detail, remote=remote, outcome=Outcome.UNKNOWN) from problem
        if lost := [each for each in before if each not in after]:
            detail = f"While the stage was added, the pipeline lost others: {', '.join(lost)}."
            raise Problem(Kind.CRM_CONFLICT, detail, remote=remote, outcome=Outcome.UNKNOWN)
        # The answer to the write tells best which is ours, if it tells; and the stage was made, if it is gone by now.
        listed = self.open(pipelines, written.body).get("steps")
        told = {id: each for each in (listed if isinstance(listed, list) else []) if (id := linked.into(each))}
        new = {id: each for id, each in (after | told | after).items() if id not in before}
        ours = [id for id, each in new.items() if plain(word(each, "name") or step["name"]) == plain(step["name"])]
        if not ours:
            detail = "The pipeline was written, and shows no new stage of this name."
            raise Problem(Kind.OUTCOME_UNKNOWN, detail, remote=remote, outcome=Outcome.UNKNOWN)
        return next((each for each in reversed(ours) if each in told), ours[-1])

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """A lead that was given a date of its own stands under that date: then its last change tells when it came."""
        found = yield from super().candidates(resource, draft, since)
        given = utc(draft.body.get("created"))
        if given is None:
            return found
        dated = [(utc(each.get("created")), each) for each in found]
        return [
            each | {"created": each.get("modified")} if at and second(at) == second(given) else each
            for at, each in dated
        ]

    def deleted(self, resource: Resource, *, since: datetime, cursor: Cursor | None = None) -> Talk[Gone | None]:
        """What is deleted stays in the list for who asks, in the order of ids. Whether deleting moves `modified` is
        told nowhere: all are given, those of long ago too."""
        query = {"include-deleted": "true", "filter[is_deleted]": "true", **LIST.ask(None, cursor or {}, DELETED_PAGE)}
        response = yield from self.ask(wire.get(resource.path, query))
        found, following = LIST.read(response, None, cursor or {}, DELETED_PAGE)
        ids = [id for each in found if each.get("is_deleted") is True and (id := word(each, "id"))]
        return Gone(ids, following)


CRM = catalog.CRM(
    name="pipeliner",
    title="Pipeliner",
    docs="https://developers.pipelinersales.com/api-docs",
    hosts=alone(Host(None, ("pipelinersales.com",))),  # {region}.api.pipelinersales.com, or without the api
    auth={"api_key": Basic("username", "api_key")},
    dialect=Pipeliner(),
    pace=Pace(2, 1),  # no limit is told anywhere, nor was one seen
    resources={each.plural: each for each in (leads, *OBJECTS, pipelines, stages)},
    settings={"space": Setting("The id of the space, as it stands beside the key pair of the application.")},
)
