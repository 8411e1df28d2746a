"""Zoho CRM: records in an array with a status each, queries for what changed, stages that are values of a picklist.

Records   https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
Queries   https://www.zoho.com/crm/developer/docs/api/v8/COQL-Limitations.html
Pipelines https://www.zoho.com/crm/developer/docs/api/v8/update-pipeline.html
Tokens    https://www.zoho.com/crm/developer/docs/api/v8/refresh.html
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Credentials, Header, OAuth2, Token, said
from switchboard.crm.catalog import Host, Pace, Resource
from switchboard.crm.complaint import DETAILS, Complaint, absent
from switchboard.crm.dialect import OUTER, Answer, Draft, Gone, Rate, bare, whole
from switchboard.crm.mapping import called, chosen, next_place
from switchboard.crm.paging import OLDEST, Cursor, Stretch, just_before, reached
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Outcome, Problem, Remote, invalid
from switchboard.crm.vendors.zoho.changes import NOT_MODIFIED, Changing, second
from switchboard.crm.vendors.zoho.rows import (
    JOINT,
    PIPELINES,
    SETTINGS,
    companies,
    contacts,
    deals,
    leads,
    pipelines,
    stages,
    users,
)
from switchboard.crm.wire import Pairs, Request, Response, Talk, dig, many, texts, word

DEALS = {"module": "Deals"}

ENVELOPES = ("data", "users", "pipeline", "fields", "transfer_pipeline")  # hold records, or what became of each
BESIDE = ("trigger", "lar_id", "apply_feature_execution", "skip_feature_execution")  # what a create may say besides
UNLISTED = ("$", "Converted_")  # so begin columns of a single read; whether a list may be asked for them is not known
REPEATED = {"pipelines": "ALREADY_SCHEDULED", "stages": "No mapping found"}  # the answer to a removal that was done


def joint(pipeline: Any, place: Any) -> str | None:
    """The id of a stage, from its pipeline and its place there."""
    outer, inner = word(pipeline, "id"), word(place, "id")
    return f"{outer}-{inner}" if outer and inner else None


def failed(body: Any) -> list[Record]:
    """What of an answer says that it failed: the answer, a record in it, or each of the faults of a record."""
    told = [body, *(each for name in ENVELOPES for each in many(body, name))]
    found = [each for each in told if isinstance(each, dict) and each.get("status") == "error"]
    return [fault for each in found for fault in many(each, "details.errors") or [each]]


def shown(values: list[Record]) -> list[tuple[Record, list[str]]]:
    """The values of a picklist, each with its name, to choose from."""
    return [(each, [name]) for each in values if (name := word(each, "display_value"))]


def told_as(name: str, values: list[Record]) -> Record | None:
    """The value that a record tells by this name: by that under which it is shown, or else by that under which it was
    made, if that is what records keep."""
    options = ([(each, texts(each, key)) for each in values] for key in ("display_value", "actual_value"))
    return next((found for each in options if (found := called(name, each))), None)


def mapping(outer: Record, *more: Record, without: str | None = None) -> Request:
    """The request that gives stages to a pipeline, or takes one. It names all: what becomes of others is not known."""
    known = [{name: each.get(name) for name in ("id", "sequence_number")} for each in many(outer, "maps")]
    kept = [{**each, "_delete": {"permanent": None}} if each["id"] == without else each for each in known]
    body = {"pipeline": [{"display_value": outer.get("display_value"), "maps": [*kept, *more]}]}
    return Request("PATCH", f"{PIPELINES}/{wire.segment(outer.get('id'))}", json=body)


class Zoho(Changing):
    """`{data: [...]}` both ways: each record of an answer has a status of its own, and 204 says that there is none.

    A draft is the bare record. `trigger` is sent only if a caller does: workflows run as they do by default."""

    codes = {  # noqa: RUF012
        "DUPLICATE_DATA": Kind.CRM_CONFLICT,
        "INVALID_TOKEN": Kind.NEEDS_REAUTH,
        "OAUTH_SCOPE_MISMATCH": Kind.CRM_FORBIDDEN,
        "NO_PERMISSION": Kind.CRM_FORBIDDEN,
        "AUTHORIZATION_FAILED": Kind.CRM_FORBIDDEN,
        "INVALID_URL_PATTERN": Kind.CRM_REJECTED,  # a wrong path or host; no record is missing
    }
    whole_answers = False  # a write answers the id, and of a lead when it was
    lag = 10  # that lists and queries tell of a change at once is told nowhere; nobody has seen the contrary either
    forwarded = ("x-api-credits-",)
    ids = re.compile(r"[0-9]+(-[0-9]+)?")  # words in its place lead elsewhere, such as to what was deleted

    def open(self, resource: Resource, body: Any) -> Record:
        """The one record of an envelope, or what a write tells of it; bare as lists and our drafts hold it."""
        record = super().open(resource, body)
        for name in ENVELOPES:
            if isinstance(dig(body, name), list):
                record = next(iter(many(body, name)), {})
        if record.get("status") == "success" and isinstance(details := record.get("details"), dict):
            return details
        if resource is pipelines:
            return {**record, "maps": [{**each, OUTER: {"id": joint(record, each)}} for each in many(record, "maps")]}
        return {**record, JOINT: joint(record.get(OUTER), record)} if resource is stages else record

    def making(self, resource: Resource, body: Any) -> Request:
        if resource is pipelines:
            return wire.post(resource.path, {"pipeline": [body]})
        beside = {name: body[name] for name in BESIDE if name in body}
        record = {name: value for name, value in body.items() if name not in beside}
        return wire.post(resource.path, {"data": [record], **beside})

    def complaint(self, response: Response) -> Complaint | None:
        if not (faults := failed(response.body)) and response.ok:
            return None
        first = faults[0] if faults else response.body
        code, details = word(first, "code"), dig(first, "details")
        twin = (word(details, "duplicate_record.id") or word(details, "id")) if code == "DUPLICATE_DATA" else None
        fields = tuple(name for each in faults for name in texts(each, "details.api_name"))
        # There is no 404 for a record: its id is called invalid, by its place in the path.
        missing = code == "INVALID_DATA" and dig(details, "resource_path_index") is not None
        return Complaint(code, word(first, "message"), fields, twin, kind=Kind.CRM_NOT_FOUND if missing else None)

    def expired(self, response: Response) -> bool:
        """A new token helps against one code alone; not where a scope is missing."""
        return response.status == 401 and word(response.body, "code") in (None, "INVALID_TOKEN")

    def rate(self, response: Response) -> Rate | None:
        """What is left of a day's credits: told from half of them on, and never when they come back."""
        left = whole(response.headers.get("x-api-credits-remaining"))
        return None if left is None else Rate(remaining=left)

    def exchange(self, request: Request) -> Talk[Response]:
        """Pipelines are kept by layout: every request about them names that of deals, which has to be read, or is told
        by a deal."""
        if request.path.startswith(PIPELINES) and "layout_id" not in request.query:
            answer = yield from self.ask(wire.get(f"{SETTINGS}/layouts", DEALS))
            layouts = [each for each in many(answer.body, "layouts") if word(each, "id")]
            default = next((each for each in layouts if each.get("generated_type") == "default"), dig(layouts, "0"))
            if default is None:
                raise Problem(Kind.CRM_REJECTED, "The CRM shows no layout of deals, by which it keeps its pipelines.")
            request = replace(request, query={**request.query, "layout_id": default["id"]})
        return (yield from super().exchange(request))

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        if resource is pipelines:
            return {**body, "maps": (yield from self._maps(many(body, "maps")))}
        if resource is not leads:
            return body
        name = " ".join(part for part in (word(body, "First_Name"), word(body, "Last_Name")) if part)
        return {"Company": name, **body}

    def _maps(self, wanted: list[Record]) -> Talk[list[Record]]:
        """The stages of a new pipeline by their ids: of those that are named, else those of the default pipeline."""
        _, known = yield from (self._picklist() if wanted else self._pipelines())
        found = [
            each if each.get("id") else chosen(f"stages[{place}].name", each.get("display_value"), shown(known))
            for place, each in enumerate(wanted)
        ] or many(known, "0.maps")
        return [{"id": dig(each, "id"), "sequence_number": place} for place, each in enumerate(found, 1)]

    def create(self, resource: Resource, draft: Draft, *, passed: Pairs = (), whole: bool = True) -> Talk[Answer]:
        """A stage is made by putting a value of the picklist into a pipeline, which answers no id but its own."""
        if resource is not stages:
            return (yield from super().create(resource, draft, passed=passed, whole=whole))
        name, about = draft.body.get("display_value"), dig(draft.body, f"{OUTER}.id")
        outer, _ = yield from self._pipelines(about)
        if outer is None:
            raise invalid("pipeline.id", "unknown_value", "is not the id of a pipeline of the default layout of deals")
        if called(name, shown(many(outer, "maps"))):
            raise Problem(Kind.CRM_CONFLICT, DETAILS[Kind.CRM_CONFLICT])
        field, values = yield from self._picklist()
        if not called(name, shown(values)):
            # The new one alone: ten are taken at once, and those that are left out stay.
            picklist = {"fields": [{"pick_list_values": [{"actual_value": name, **bare(draft.body)}]}]}
            try:
                # Safe: a value is no stage before a pipeline has it, and one that is there is not added again.
                path = f"{SETTINGS}/fields/{wire.segment(field)}"
                yield from self.ask(Request("PATCH", path, DEALS, picklist, safe=True))
            except Problem as problem:
                if problem.kind is not Kind.CRM_CONFLICT:
                    raise
            _, values = yield from self._picklist()
        if (value := dig(called(name, shown(values)), "id")) is None:
            raise Problem(Kind.CRM_UNAVAILABLE, "The CRM took the name of the stage, and does not show it.")
        place = {"id": value, "sequence_number": next_place(many(outer, "maps"), "sequence_number", 1)}
        response = yield from self.ask(replace(mapping(outer, place), passed=passed))
        told = Answer(self.item(resource, {**place, "display_value": name, OUTER: outer}), response.body)
        try:
            now, _ = yield from self._pipelines(about)
        except Problem:
            return replace(told, partial=whole)
        after = {id: each for each in many(now, "maps") if (id := word(each, "id"))}
        if lost := [id for each in [*many(outer, "maps"), place] if (id := word(each, "id")) and id not in after]:
            detail = f"While the stage was added, the pipeline lost stages: {', '.join(lost)}."
            raise Problem(Kind.CRM_CONFLICT, detail, remote=self.remote(response), outcome=Outcome.UNKNOWN)
        return (yield from self.answer(resource, {**after[value], OUTER: now})) if whole else told

    def _picklist(self) -> Talk[tuple[str | None, list[Record]]]:
        """The id of the field that is the stage of a deal, and its values."""
        answer = yield from self.ask(wire.get(f"{SETTINGS}/fields", DEALS))
        field = next((each for each in many(answer.body, "fields") if each.get("api_name") == "Stage"), {})
        return word(field, "id"), [each for each in many(field, "pick_list_values") if word(each, "id")]

    def _pipelines(self, id: Any = None) -> Talk[tuple[Record | None, list[Record]]]:
        """The pipeline of this id, and the others, of which the default one comes first."""
        found = many((yield from self.ask(wire.get(PIPELINES))).body, "pipeline")
        others = sorted((each for each in found if each.get("id") != id), key=lambda each: not each.get("default"))
        return next((each for each in found if each.get("id") == id), None), others

    def removed(self, resource: Resource, body: Any) -> bool:
        """Users that were deleted can still be read."""
        return resource is users and self.open(resource, body).get("status") == "deleted"

    def related(self, resource: Resource, answer: Answer, name: str, other: Resource) -> Talk[Answer | None]:
        """A deal tells its pipeline and its stage by their names. One list has both: that of the pipelines of its
        layout, which the deal tells by its id. A deal that names no pipeline is taken to be in the default one."""
        if resource is not deals or other not in (pipelines, stages):
            return (yield from super().related(resource, answer, name, other))
        record = self.open(resource, answer.raw)
        if (wanted := word(record, "Stage")) is None:
            return None
        layout = word(record, "$layout_id.id")
        told = yield from self.look(wire.get(PIPELINES, {"layout_id": layout} if layout else {}))
        known = many(told, "pipeline")
        default = next((each for each in known if each.get("default")), None)
        its = told_as(within, known) if (within := word(record, "Pipeline")) else default
        found = its if other is pipelines else told_as(wanted, many(its, "maps"))
        if its is None or found is None:
            return None
        return (yield from self.answer(other, its if other is pipelines else {**found, OUTER: its}))

    def removal(self, resource: Resource, id: str, outer: Record | None) -> Request:
        """A stage is taken out of its pipeline; the value stays in the picklist, for the deals that have it."""
        plain = super().removal(resource, id, outer)
        return replace(mapping(outer, without=id.rpartition("-")[2]), safe=True) if outer else plain

    def delete(self, resource: Resource, id: str) -> Talk[None]:
        """A removal may be sent twice: the second refusal then says that the first was heard."""
        try:
            yield from (self._transfer(id) if resource is pipelines else super().delete(resource, id))
        except Problem as problem:
            told = f"{problem.remote.code} {problem.remote.message}" if problem.remote else ""
            if resource.plural not in REPEATED or REPEATED[resource.plural] not in told:
                raise

    def _transfer(self, id: str) -> Talk[None]:
        """A pipeline is removed by moving its deals to another: each to the same stage, else to one of its kind."""
        old, others = yield from self._pipelines(id)
        if old is None:
            raise absent()
        if old.get("default"):
            raise Problem(Kind.CRM_REJECTED, "This is the default pipeline, which takes the deals of all others.")
        heirs = [to for to in many(others, "0.maps") if word(to, "id")]
        moves: list[Record] = []
        for place in many(old, "maps"):
            like = (to for key in ("id", "forecast_type") for to in heirs if to.get(key) == place.get(key))
            if (to := next(like, None)) is None:
                raise Problem(Kind.CRM_REJECTED, "No other pipeline has a stage for all deals that may be in this one.")
            moves.append({"from": place.get("id"), "to": to["id"]})
        body = {"transfer_pipeline": [{"pipeline": {"from": id, "to": dig(others, "0.id")}, "stages": moves}]}
        yield from self.ask(wire.post(f"{PIPELINES}/actions/transfer", body, safe=True))

    def stretch(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Talk[Stretch]:
        """A query tells the next ids, and leads are read by them: so a position outlives the day of a page token, no
        number of pages ends a list, and a column that the user may not see fails no query. A position is an id, and of
        what changed its moment, too: what changes meanwhile comes again, at the end.

        Contacts are many, and two calls for fifty would be too many: they come by a list, in the order of changes.
        """
        if resource is contacts:
            return (yield from self.changed(resource, since, cursor, limit, extra))
        if resource is not leads:
            return (yield from super().stretch(resource, since, cursor, limit, extra))
        columns, where, order = "id", f"id > '{cursor.get('last', 0)}'", "id asc"
        if since:
            columns, order, at = "id, Modified_Time", "Modified_Time asc, id asc", cursor.get("at")
            further = f"(Modified_Time > '{at}') or (Modified_Time = '{at}' and {where})"
            where = further if at else f"Modified_Time >= '{second(since)}'"
        rows, more = yield from self.queried(columns, "Leads", where, order, limit)
        if not rows:
            return [], None
        if since and None in rows.values():
            raise Problem(Kind.CRM_UNAVAILABLE, "The CRM did not tell when a lead was changed.")
        names = [name for name in resource.table.columns if not name.startswith(UNLISTED)]
        found = yield from self.by_ids(resource, list(rows), {"fields": ",".join(names), "converted": "both"})
        last, at = list(rows.items())[-1]
        return found, {"last": last, "at": at and second(at)} if more else None

    def deleted(self, resource: Resource, *, since: datetime, cursor: Cursor | None = None) -> Talk[Gone | None]:
        """The recycle bin, and what left it within 120 days. Whether the moment itself is meant is not told."""
        if resource not in (leads, contacts):
            return None
        page = int((cursor or {}).get("page", 1))
        headers = {"if-modified-since": second(just_before(since))} if since > OLDEST else {}
        query = {"type": "all", "page": str(page), "per_page": "200"}
        request = Request("GET", f"{resource.path}/deleted", query, headers=headers, safe=True)
        response = yield from self.exchange(request)
        if response.status != NOT_MODIFIED:
            self.check(request, response)
        bodies = many(response.body, "data")
        ids = [id for each in reached(bodies, "deleted_time", since) if (id := word(each, "id"))]
        return Gone(ids, {"page": page + 1} if bodies and dig(response.body, "info.more_records") is True else None)


class Login(OAuth2):
    """A refusal may come with a 200, and a throttle with a 400."""

    def refresh(self, credentials: Credentials, app: Credentials) -> Talk[Token]:
        """A token goes to its own data centre alone, which an account outside the United States has to name."""
        origin = credentials.get("origin") or app.get("origin") or ".zohoapis.com"
        if not str(origin).rstrip("/").endswith(".zohoapis.com") and not app.get("token_origin"):
            raise Problem(Kind.CRM_UNAVAILABLE, "This account names no accounts server of its own data centre.")
        return (yield from super().refresh(credentials, app))

    def refusal(self, response: Response) -> Problem:
        if "too many requests" in said(response):  # ten tokens in ten minutes; when the next is due, is not told
            detail = "The CRM's token endpoint is throttling this account."
            return Problem(Kind.CRM_RATE_LIMITED, detail, remote=Remote(response.status), retry_after=60)
        if (code := word(response.body, "error")) == "invalid_code":
            return Problem(Kind.NEEDS_REAUTH, DETAILS[Kind.NEEDS_REAUTH], remote=Remote(response.status, code))
        return super().refusal(response)


class Accounts(Host):
    """Tokens come from the accounts server of a data centre, and from nothing else below its domain."""

    def allows(self, origin: str) -> bool:
        return origin.removesuffix("/") in [f"https://accounts.{domain}" for domain in self.domains]


SIGNED = Header(prefix="Zoho-oauthtoken ", field="access_token")
DOMAINS = ("com", "eu", "in", "com.au", "com.cn", "jp", "sa")  # the data centres; Canada's has a name of its own

CRM = catalog.CRM(
    name="zoho",
    title="Zoho CRM",
    docs="https://www.zoho.com/crm/developer/docs/api/v8/",
    hosts={
        "api": Host("https://www.zohoapis.com", (*(f"zohoapis.{each}" for each in DOMAINS), "zohocloud.ca")),
        "token": Accounts("https://accounts.zoho.com", (*(f"zoho.{each}" for each in DOMAINS), "zohocloud.ca")),
    },
    auth={"oauth2": Login("/oauth/v2/token", lifetime=3600, origin="api_domain", header=SIGNED)},
    dialect=Zoho(),
    # Credits of a day in the Standard edition, of which a list costs one; 250 more for each user. How many in a second
    # is limited by none but the ten that may run at once: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
    pace=Pace(5, 1, daily=50_000),
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
