"""Insightly: plain records whose errors are texts. Only a search knows what changed, and of its order nothing is told.

Reference https://api.na1.insightly.com/v3.1/Help
Overview  https://api.na1.insightly.com/v3.1/
Leads     https://api.na1.insightly.com/v3.1/Help#!/Leads

A lead names its source by an id, and has one e-mail address; no contact and no account can be linked to it.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Basic
from switchboard.crm.catalog import Host, Resource, alone, fixed
from switchboard.crm.codecs import choice, moment, number, number_id, text
from switchboard.crm.dialect import DETAILS, SOURCE, Complaint, Dialect, Rate, sentence, whole
from switchboard.crm.mapping import Each, Listed, Postal, Record, Slots, Table, chosen, nested, row
from switchboard.crm.paging import Cursor, Offset, Since, Stretch, bodies, just_before, reached, second
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Request, Response, Talk, word
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE

API = "/v3.1"

MOST = 500

OVERLAP = 20
"""So many records before a page are asked for again with it."""

LIMITS = ("x-ratelimit-limit", "x-ratelimit-remaining")
"""What the vendor's limit is, and what is left of it; when it begins anew is not told."""

NOT_FOUND = 404

CHANGED = "DATE_UPDATED_UTC"

SHUT = re.compile(r"does not have access to ", re.IGNORECASE)
"""So the vendor says of what the plan or the user has no part in: under a 403, or under the 404 of a missing record."""

MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
LONGEST = 4000
"""Letters of an error page; what was refused is told in its head."""


CUSTOM = Listed("CUSTOMFIELDS", "FIELD_NAME", "FIELD_VALUE", lambda name: name.endswith("__c"), "they end with __c")

PHONES = {"primary": "PHONE", "work": "PHONE", "mobile": "MOBILE", "fax": "FAX"}

ADDRESS = (f"ADDRESS_{part}" for part in ("STREET", "CITY", "STATE", "POSTCODE", "COUNTRY"))

lead = Table(
    LEAD,
    row("id", "LEAD_ID", text, read_only=True),
    row("title", "TITLE", text, key=True),
    row("owner.id", "OWNER_USER_ID", number_id),
    row("first_name", "FIRST_NAME", text, key=True),
    row("last_name", "LAST_NAME", text, required=True, key=True),
    row("lead_source", SOURCE, text),
    row("email_addresses", Slots("email", {"primary": "EMAIL"}), key=True),
    row("phone_numbers", Slots("number", PHONES)),
    row("addresses", Postal(*ADDRESS)),
    row("custom_fields", CUSTOM),
    row("last_activity_at", "LAST_ACTIVITY_DATE_UTC", moment, read_only=True),
    row("converted_at", "CONVERTED_DATE_UTC", moment, read_only=True),
    row("converted_contact", "CONVERTED_CONTACT_ID", text, read_only=True),
    row("converted_account", "CONVERTED_ORGANISATION_ID", text, read_only=True),
    row("created_at", "DATE_CREATED_UTC", moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)

STEPS = {"id": "STAGE_ID", "name": "STAGE_NAME", "pipeline.id": "PIPELINE_ID"}

pipeline = Table(
    PIPELINE,
    row("id", "PIPELINE_ID", text, read_only=True),
    row("name", "PIPELINE_NAME", text, read_only=True),
    # One of projects alone is of nothing that we have a word for.
    row("entity", "FOR_OPPORTUNITIES", choice({"opportunity": True}), read_only=True),
    row("stages", Each("stages", STEPS), read_only=True),
)

stage = Table(
    STAGE,
    row("id", "STAGE_ID", text, read_only=True),
    row("name", "STAGE_NAME", text, read_only=True),
    row("pipeline.id", "PIPELINE_ID", text, read_only=True),
    row("position", "STAGE_ORDER", number, read_only=True),
)


def state(body: Record) -> str:
    """A lead as it was at a moment."""
    return f"{body.get('LEAD_ID')} {body.get(CHANGED)}"


@dataclass(frozen=True, slots=True)
class Overlapping(Offset):
    """Offsets into a list that may move while it is read: what is deleted, or put elsewhere in an order that is not
    told, draws others over the edge of a page. So a page is asked for with the end of the one before, and what was
    given there is not given again, unless it has changed. Where nothing of it is found, more has moved than that, and
    the page before is asked for again. How many records a page has says nothing: the list ends where nothing is new."""

    def _page(self, cursor: Cursor, limit: int) -> tuple[int, int]:
        """Where a page really begins, and how many records it may have."""
        overlap = min(OVERLAP, int(cursor.get("start", 0)))
        return int(cursor.get("start", 0)) - overlap, min(limit, self.most - OVERLAP) + overlap

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        start, size = self._page(cursor, limit)
        return Offset.ask(self, since, {"start": start}, size)

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        start, _ = self._page(cursor, limit)
        found, seen = bodies(response.body, self.items), cursor.get("seen", ())
        fresh = [(place, each) for place, each in enumerate(found, start) if state(each) not in seen]
        if start and len(fresh) == len(found):
            return [], {"start": max(start - min(limit, self.most - OVERLAP), 0), "seen": seen}
        if not fresh:
            return [], None
        given, rest = fresh[:limit], fresh[limit:]
        onward = max(rest[0][0], int(cursor.get("start", 0))) if rest else start + len(found)
        known = [*seen, *(state(each) for _, each in given)]
        return [each for _, each in given], {"start": onward, "seen": known[-2 * OVERLAP :]}


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

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """What was asked for too early is left out."""
        found, following = super().page(resource, response, since, cursor, limit)
        return reached(found, CHANGED, since), following


SEE = "https://api.na1.insightly.com/v3.1/Help"
FIXED = fixed("Pipelines and their stages can only be read by the API; an administrator makes them.", SEE)

LIST = Offset(start="skip", size="top", most=MOST)

leads = Resource(
    lead,
    f"{API}/Leads",
    paging=Overlapping(
        start="skip", size="top", most=MOST, since=Since("updated_after_utc", lambda when: second(just_before(when)))
    ),
    listed=f"{API}/Leads/Search",  # the list itself knows no moments; the search does, and without one it gives all
)
STAGES_BESIDE = "Its stages are found in the list of all of them."
pipelines = Resource(
    pipeline,
    f"{API}/Pipelines",
    paging=LIST,
    lacks=FIXED,
    emulates=dict.fromkeys(("list", "get"), STAGES_BESIDE),
)
stages = Resource(stage, f"{API}/PipelineStages", paging=LIST, lacks=FIXED)

CRM = catalog.CRM(
    name="insightly",
    title="Insightly",
    docs=SEE,
    # Users are told the host of their pod, `api.na1.insightly.com`; the one without a pod is good for all.
    hosts=alone(Host("https://api.insightly.com", ("insightly.com",))),
    auth={"api_key": Basic()},
    dialect=Insightly(),
    resources={"leads": leads, "pipelines": pipelines, "stages": stages},
)
