"""Insightly: plain records whose errors are texts. Only a search knows what changed, and of its order nothing is told.

Reference https://api.na1.insightly.com/v3.1/Help
Overview  https://api.na1.insightly.com/v3.1/
Leads     https://api.na1.insightly.com/v3.1/Help#!/Leads
Contacts  https://api.na1.insightly.com/v3.1/Help#!/Contacts
Deals     https://api.na1.insightly.com/v3.1/Help#!/Opportunities
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Basic
from switchboard.crm.catalog import Host, Pace, Resource, alone
from switchboard.crm.codecs import number, text
from switchboard.crm.complaint import DETAILS, Complaint, sentence
from switchboard.crm.dialect import SOURCE, Answer, Dialect, Rate, bare, whole
from switchboard.crm.mapping import chosen, nested
from switchboard.crm.paging import Cursor, Stretch, bodies, reached
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors.insightly.rows import (
    API,
    CHANGED,
    MOST,
    SEE,
    companies,
    contacts,
    deals,
    leads,
    pipelines,
    stages,
    users,
)
from switchboard.crm.wire import Request, Response, Talk, dig, word

LIMITS = ("x-ratelimit-limit", "x-ratelimit-remaining")
"""What the vendor's limit is, and what is left of it; when it begins anew is not told."""

NOT_FOUND = 404

DROPBOX = "EMAIL_DROPBOX"

SHUT = re.compile(r"does not have access to ", re.IGNORECASE)
"""So the vendor says of what the plan or the user has no part in: under a 403, or under the 404 of a missing record."""

MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
LONGEST = 4000
"""Letters of an error page; what was refused is told in its head."""


def plain(body: Any) -> str | None:
    """The text of an error, without the markup of a page."""
    told = " ".join(MARKUP.sub(" ", body[:LONGEST]).split()) if isinstance(body, str) else None
    return told or sentence(body) or word(body, "Message")


class Insightly(Dialect):
    """Records and lists come bare, and errors as plain texts."""

    ids = re.compile(r"[0-9]+")  # words in its place lead elsewhere, such as to the search
    statuses = {402: Kind.CRM_FORBIDDEN}  # noqa: RUF012 - the plan has no room for another record
    lag = 60  # a search alone knows what is new; that it reads the records themselves is told nowhere

    def open(self, resource: Resource, body: Any) -> Record:
        """Some of what is not set is told as an empty text."""
        return {name: value for name, value in super().open(resource, body).items() if value != ""}

    def written_id(self, resource: Resource, response: Response) -> str | None:
        return self.item(resource, response.body).get("id")

    forwarded = LIMITS

    def rate(self, response: Response) -> Rate | None:
        told = [whole(response.headers.get(name)) for name in LIMITS]
        return None if None in told else Rate(*told)

    def check(self, request: Request, response: Response) -> None:
        """A 404 of a path without an id is of no record, but of all that the plan or the user has no part in."""
        try:
            super().check(request, response)
        except Problem as told:
            if told.kind is Kind.CRM_NOT_FOUND and request.path.startswith(API) and not request.path[-1].isdigit():
                told.kind, told.detail = Kind.CRM_FORBIDDEN, DETAILS[Kind.CRM_FORBIDDEN]
            raise

    def complaint(self, response: Response) -> Complaint | None:
        """A 404 is of a record that is not there, or of records that the plan or the user has no part in: it says."""
        if response.ok:
            return None
        message = plain(response.body)
        shut = response.status == NOT_FOUND and SHUT.search(message or "")
        return Complaint(
            message=message,
            kind=Kind.CRM_FORBIDDEN if shut else None,
        )

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """The id of the source that a lead names. An id that the caller gave stands."""
        name = text.into(body.get(SOURCE))
        rest = {column: value for column, value in body.items() if column != SOURCE}
        if name is None or "LEAD_SOURCE_ID" in rest:
            return rest
        return rest | {"LEAD_SOURCE_ID": chosen("lead_source", name, (yield from self._sources()))}

    def _sources(self) -> Talk[list[tuple[Any, list[str]]]]:
        """The ids of all lead sources, each with its name."""
        found = yield from self._every("/LeadSources")
        told = [(each.get("LEAD_SOURCE_ID"), word(each, "LEAD_SOURCE")) for each in found]
        return [(id, [name]) for id, name in told if text.into(id) and name]

    def _every(self, path: str) -> Talk[list[Record]]:
        """All that there is of what there are a few."""
        return bodies((yield from self.ask(wire.get(API + path, {"top": str(MOST)}))).body, "")

    def enrich(self, resource: Resource, bodies: list[Any]) -> Talk[list[Any]]:
        """A lead does not hold the name of its source, nor a pipeline its stages."""
        records = [self.open(resource, body) for body in bodies]
        if resource is leads and any(record.get("LEAD_SOURCE_ID") for record in records):
            names = {text.into(id): name for id, [name] in (yield from self._sources())}
            return [record | {SOURCE: names.get(text.into(record.get("LEAD_SOURCE_ID")))} for record in records]
        if resource is pipelines and records:
            found = yield from self._every("/PipelineStages")
            steps = sorted(found, key=lambda each: number.into(each.get("STAGE_ORDER")) or 0)
            return nested(records, "stages", steps, by="PIPELINE_ID", id="PIPELINE_ID")
        return bodies

    def answer(self, resource: Resource, body: Any) -> Talk[Answer]:
        """Of a user, without the address to which mail is sent to be kept: whoever knows it may write there."""
        found = yield from super().answer(resource, body)
        if resource is not users or not isinstance(body, dict):
            return found
        return replace(found, raw={name: each for name, each in body.items() if not name.startswith(DROPBOX)})

    def related(self, resource: Resource, answer: Answer, name: str, other: Resource) -> Talk[Answer | None]:
        """A pipeline by itself: its stages, which it does not hold, would be another request."""
        if other is not pipelines or (id := dig(answer.item, f"{name}.id")) is None:
            return (yield from super().related(resource, answer, name, other))
        body = yield from self.look(wire.get(self.member(other, id)))
        return None if body is None else Answer(self.item(other, body), bare(body))

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """What was asked for too early is left out."""
        found, following = super().page(resource, response, since, cursor, limit)
        return reached(found, CHANGED, since), following


CRM = catalog.CRM(
    name="insightly",
    title="Insightly",
    docs=SEE,
    # Users are told the host of their pod, `api.na1.insightly.com`; the one without a pod is good for all.
    hosts=alone(Host("https://api.insightly.com", ("insightly.com",))),
    auth={"api_key": Basic()},
    dialect=Insightly(),
    # A second, of all plans; a day, of Plus, the smallest on sale. Older plans have the half of it:
    # https://github.com/airbytehq/airbyte/blob/master/airbyte-integrations/connectors/source-insightly/bootstrap.md
    pace=Pace(10, 1, daily=40_000),
    resources={
        "contacts": contacts,
        "companies": companies,
        "deals": deals,
        "users": users,
        "leads": leads,
        "pipelines": pipelines,
        "stages": stages,
    },
)
