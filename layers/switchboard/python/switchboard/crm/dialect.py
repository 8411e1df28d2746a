"""How a CRM speaks. The conversations are written once; a vendor overrides the sentences they are made of."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from switchboard.crm import wire
from switchboard.crm.catalog import Resource
from switchboard.crm.codecs import plain, utc
from switchboard.crm.complaint import BY_STATUS, DETAILS, Complaint, absent, insight, misshapen, sentence
from switchboard.crm.paging import Cursor, Paging, Stretch, bodies, changed, every, sliced
from switchboard.crm.places import Record
from switchboard.crm.problem import Fault, Kind, Outcome, Problem, Remote, pointed
from switchboard.crm.wire import Pairs, Request, Response, Talk, dig, merged, word

OUTER = "_outer"
"""Where a record that stands within another has that other one, for its rows."""

NO_CONTENT = 204

SOURCE = "_source"
"""Where a lead that names its source by an id has the name of it, for its rows."""

type Bodies = list[Any]
"""Records as a CRM gave them."""

LOOK_PAGE = 100
"""So many records of a list are looked through at once."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A CRM's own limit as it told it: calls per window, calls left, seconds until the window opens again."""

    limit: int | None = None
    remaining: int | None = None
    reset: int | None = None


def whole(text: str | None) -> int | None:
    """A number of digits alone, as headers hold it, and no more of them than anything is counted in."""
    return int(text) if text and len(text) <= 18 and text.isascii() and text.isdecimal() else None


def rate(response: Response, limit: str, remaining: str, reset: str) -> Rate | None:
    """A vendor's limit from three headers; None unless all are there."""
    told = [whole(response.headers.get(name)) for name in (limit, remaining, reset)]
    return None if None in told else Rate(*told)


@dataclass(frozen=True, slots=True)
class Draft:
    """A create that is ready to be sent: the whole body, and what of the request found no place in it."""

    body: Any
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A record as a CRM gave it: in our form, and as its own body."""

    item: Record
    raw: Any
    partial: bool = False
    """The record exists, but only its id could be learnt."""


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list. `cursor` resumes behind it: a position that holds no URL, None at the end.

    gone: ids of records that the list tells of although they were removed.
    """

    answers: Sequence[Answer]
    cursor: Cursor | None = None
    gone: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """Ids of records that were deleted, and where the list goes on; `cursor` as in a Page."""

    ids: Sequence[str]
    cursor: Cursor | None = None


class Dialect:
    """A REST API of JSON records, as plain as they come. Each vendor changes the sentences in which it differs."""

    ids: re.Pattern[str] | None = None
    """What an id looks like. Any other names no record, and might lead elsewhere in its place."""

    code_at = message_at = ""
    """Paths of the code and of the sentence of a refusal; a sentence under one of the usual names is found without."""

    codes: Mapping[str, Kind] = {}
    """The vendor's error codes that mean something else than their status says."""

    statuses: Mapping[int, Kind] = {}
    """Statuses of the vendor's own making."""

    forwarded: tuple[str, ...] = ()
    """Beginnings of the response headers that callers may see, in lower case."""

    request_id_headers: tuple[str, ...] = ("x-request-id", "x-correlation-id")
    request_id_at = ""
    """Where the vendor's id of an exchange stands: in one of these headers, else at this path of the body."""

    whole_answers = True
    """Whether the answer to a create holds every column, whatever was made."""

    headers: Mapping[str, str] = {}
    """What the vendor wants in the head of every request, in lower case."""

    lag = 0
    """Seconds after which a new record stands in the vendor's lists at the latest. Until then its "no" is no answer."""

    look_lag: int | None = None
    """The same of what `candidates` looks at, where that is another list than the one that tells of changes."""

    @property
    def looked_lag(self) -> int:
        """Seconds after which `find` knows of a new record at the latest."""
        return self.lag if self.look_lag is None else self.look_lag

    # --- sentences -------------------------------------------------------------------------------------------------

    def seal(self, resource: Resource, record: Record) -> Any:
        """The body that carries a record."""
        return record

    def open(self, resource: Resource, body: Any) -> Record:
        """The record that a body carries."""
        return body if isinstance(body, dict) else {}

    def member(self, resource: Resource, id: str) -> str:
        """The path of one record."""
        return f"{resource.path}/{wire.segment(self.known(id))}"

    def known(self, id: str) -> str:
        """An id that looks like one."""
        if self.ids and not self.ids.fullmatch(id):
            raise misshapen()
        return id

    def view(self, resource: Resource, extra: Sequence[str] = ()) -> dict[str, str]:
        """The query that asks for the columns of the table and these, where the vendor has to be asked for columns."""
        return {}

    def making(self, resource: Resource, body: Any) -> Request:
        """The request that makes a record of this body."""
        return wire.post(resource.path, body)

    def removal(self, resource: Resource, id: str, outer: Record | None) -> Request:
        """The request that removes a record; `outer` is the record that it stands within, if it stands within one."""
        return wire.delete(self.member(resource, id))

    def written_id(self, resource: Resource, response: Response) -> str | None:
        """The id of the record that a create made."""
        found = dig(self.open(resource, response.body), "id")
        return None if found is None else str(found)

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        """Whether the answer to a create holds every column; if not, the record is read back by its id."""
        return self.whole_answers

    def complaint(self, response: Response) -> Complaint | None:
        """What the vendor complains about; None if it did as asked. A 2xx may hold a complaint."""
        if response.ok:
            return None
        body = response.body
        return Complaint(word(body, self.code_at) or None, word(body, self.message_at) or sentence(body))

    def rate(self, response: Response) -> Rate | None:
        """The vendor's own limit, where it tells."""
        return None

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """The body of a create with what has to be read beforehand, such as the id of something given by its name."""
        yield from ()
        return body

    def enrich(self, resource: Resource, bodies: list[Any]) -> Talk[list[Any]]:
        """Records as they were answered, with what the vendor keeps elsewhere, such as the name of something it tells
        by id. One look-up for all of them."""
        yield from ()
        return bodies

    def removed(self, resource: Resource, body: Any) -> bool:
        """Whether a record was removed, where the vendor still tells of such."""
        return False

    def holder(self, resource: Resource, draft: Draft, refusal: Problem) -> Talk[str | None]:
        """The id of the record in the way of a create, where the refusal does not tell it and a look-up does."""
        yield from ()
        return None

    def expired(self, response: Response) -> bool:
        """Whether the vendor refused the access token, so that a new one may help."""
        return response.status == 401

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """Bodies of records that may be the one that a create of this draft made since then.

        They must come from a look-up that lags behind writes by no more than `lag`; a search index is none. Here it is
        the list, of what changed since then where the vendor can tell.
        """
        start = since if resource.changes else None
        return (yield from every(lambda cursor: self.stretch(resource, start, cursor, LOOK_PAGE)))

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Request:
        """The request for one stretch of a list, oldest change first where `since` is given; `extra` as in `view`."""
        path, query = resource.listed or resource.path, self._paging(resource).ask(since, cursor, limit)
        return wire.get(path, self.view(resource, extra) | query)

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """The bodies in an answer to `page_request`, and where the next stretch begins."""
        return self._paging(resource).read(response, since, cursor, limit)

    def _paging(self, resource: Resource) -> Paging:
        if resource.paging is None:
            raise NotImplementedError(f"{type(self).__name__} lists {resource.path} but does not say how")
        return resource.paging

    # --- conversations ---------------------------------------------------------------------------------------------

    def draft(self, resource: Resource, item: Record, remote_data: Record | None = None) -> Draft:
        """Everything that can be known about a create before anything is sent. Raises what the caller must mend."""
        record, ignored = resource.table.out(item)
        body = merged(self.seal(resource, record), remote_data or {})
        require(resource, item, self.open(resource, body))
        return Draft(body, tuple(ignored))

    def create(self, resource: Resource, draft: Draft, *, passed: Pairs = (), whole: bool = True) -> Talk[Answer]:
        """Make the record. `whole` asks for all its columns, by a read of its id where the answer lacks some."""
        body = yield from self.prepare(resource, draft.body)
        try:
            response = yield from self.ask(replace(self.making(resource, body), passed=passed))
        except Problem as problem:
            if problem.kind is Kind.CRM_CONFLICT and problem.remote and problem.remote.existing_id is None:
                holder = yield from self._holder(resource, draft, problem)
                problem.remote = replace(problem.remote, existing_id=holder)
            raise
        made = self.written_id(resource, response)
        if made is None:
            raise Problem(
                Kind.OUTCOME_UNKNOWN,
                "The CRM accepted the record and did not tell its id.",
                remote=self.remote(response),
                outcome=Outcome.UNKNOWN,
            )
        if not whole:
            return Answer({**self.item(resource, response.body), "id": made}, response.body)
        try:
            if self.answers_whole(resource, response):
                answer = yield from self.answer(resource, response.body)
                return replace(answer, item={**answer.item, "id": made})
            sent = [name for name in self.open(resource, body) if name not in resource.table.columns]
            return (yield from self.get(resource, made, sent))
        except Problem:
            # The record exists: a failed look at it must not make the caller create it again.
            return Answer({**self.item(resource, response.body), "id": made}, response.body, partial=True)

    def _holder(self, resource: Resource, draft: Draft, refusal: Problem) -> Talk[str | None]:
        try:
            return (yield from self.holder(resource, draft, refusal))
        except Problem:
            return None  # the refusal itself is what has to be told

    def get(self, resource: Resource, id: str, extra: Sequence[str] = ()) -> Talk[Answer]:
        """One record by its id, with the columns of the table and these."""
        if resource.within or resource.list_only:
            body = yield from self.locate(resource, id)
        else:
            response = yield from self.ask(wire.get(self.member(resource, id), self.view(resource, extra)))
            if response.status == NO_CONTENT:
                raise absent()
            body = response.body
        if self.removed(resource, body):
            raise absent()
        found = yield from self.answer(resource, body)
        # An answer without its id says nothing of the record, but the record is there.
        return found if "id" in found.item else replace(found, item={**found.item, "id": id}, partial=True)

    def related(self, resource: Resource, answer: Answer, name: str, other: Resource) -> Talk[Answer | None]:
        """The record that a record of this resource has as its company, contact, owner, stage or pipeline: one call.
        None where it has none, or one that is no longer there."""
        id = dig(answer.item, f"{name}.id")
        if id is None:
            return None
        try:
            return (yield from self.get(other, id))
        except Problem as problem:
            if problem.kind in (Kind.CRM_NOT_FOUND, Kind.CRM_BAD_ID):
                return None
            raise

    def delete(self, resource: Resource, id: str) -> Talk[None]:
        """Remove one record. A CRM that never says not-found answers the same for a record that never was."""
        outer: Record | None = None
        if resource.within:
            outer = (yield from self.locate(resource, id))[OUTER]
        yield from self.ask(self.removal(resource, id, outer))

    def custom(self, resource: Resource) -> Talk[Sequence[str]]:
        """The names of custom columns, where the vendor tells of them only to who asks for them by name."""
        yield from ()
        return ()

    def list(
        self,
        resource: Resource,
        *,
        since: datetime | None = None,
        cursor: Cursor | None = None,
        limit: int,
        extra: Sequence[str] = (),
    ) -> Talk[Page]:
        """One stretch of the list: of everything, or of what changed since then, oldest change first; with the columns
        of the table and these."""
        listed, following = yield from self.stretch(resource, since, cursor or {}, limit, extra)
        found = [body for body in listed if not self.removed(resource, body)]
        told = yield from self.enrich(resource, found)
        answers = [Answer(self.item(resource, full), bare(body)) for full, body in zip(told, found, strict=True)]
        items = (self.item(resource, body) for body in listed if self.removed(resource, body))
        return Page(answers, following, tuple(item["id"] for item in items if "id" in item))

    def deleted(
        self, resource: Resource, *, since: datetime, cursor: Mapping[str, Any] | None = None
    ) -> Talk[Gone | None]:
        """What was deleted since then; None where the CRM keeps no list of it, so that a sweep of ids has to tell."""
        yield from ()
        return None

    def find(self, resource: Resource, draft: Draft, since: datetime) -> Talk[str | None]:
        """The id of the record that a create of this draft made at or after `since`, or None if there is none.

        Told by the rows marked `key`; of several, the oldest. Where a vendor does not say when a record was made, the
        keys alone decide: such are stages and the like, of which nobody wants two of one name.
        """
        wanted = self.item(resource, draft.body)
        keys = [each.ours for each in resource.table.rows if each.key and not _blank(dig(wanted, each.ours))]
        if not keys:
            raise Problem(Kind.OUTCOME_UNKNOWN, "The request holds nothing by which the record could be recognised.")
        dated = resource.table.row("created_at") is not None
        found: list[tuple[datetime, str]] = []
        for body in (yield from self.candidates(resource, draft, since)):
            item = self.item(resource, body)
            made = utc(item.get("created_at")) if dated else since
            if (
                "id" in item
                and made
                and made >= since
                and all(_alike(dig(item, key), dig(wanted, key)) for key in keys)
            ):
                found.append((made, item["id"]))
        return min(found)[1] if found else None

    # --- what conversations are made with ----------------------------------------------------------------------------

    def stretch(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Talk[Stretch]:
        """One stretch of a list, as bodies; what stands within others is taken out of them."""
        if resource.within is None:
            response = yield from self.ask(self.page_request(resource, since, cursor, limit, extra))
            return self.page(resource, response, since, cursor, limit)
        outers, following = yield from self.stretch(resource.within.outer, None, cursor.get("outer", {}), limit)
        inner = [
            {**body, OUTER: outer}
            for outer in outers
            for body in bodies(self.open(resource.within.outer, outer), resource.within.items)
        ]
        part, rest = sliced(changed(inner, resource.within.at, since), cursor, limit)
        if rest is not None:
            return part, {**cursor, **rest}
        return part, None if following is None else {"outer": following}

    def locate(self, resource: Resource, id: str) -> Talk[Any]:
        """A record out of the list of all, with the one that it stands within, if any. Raises `crm-not-found`."""
        cursor: Cursor | None = {}
        while cursor is not None:
            part, cursor = yield from self.stretch(resource, None, cursor, LOOK_PAGE)
            if (body := self._of_id(resource, part, id)) is not None:
                return body
        raise absent()

    def pick(self, resource: Resource, bodies: Sequence[Any], id: str) -> Talk[Answer]:
        """The record of this id among these. Raises `crm-not-found`."""
        if (body := self._of_id(resource, bodies, id)) is None:
            raise absent()
        return (yield from self.answer(resource, body))

    def _of_id(self, resource: Resource, bodies: Sequence[Any], id: str) -> Any:
        return next((body for body in bodies if self.item(resource, body).get("id") == id), None)

    def gather(
        self,
        path: str,
        paging: Paging,
        query: Mapping[str, str] | None = None,
        *,
        since: datetime | None = None,
        limit: int = LOOK_PAGE,
    ) -> Talk[Bodies]:
        """All of a list, of which there is not much; so many at once."""

        def step(cursor: Cursor) -> Talk[Stretch]:
            asked = {**(query or {}), **paging.ask(since, cursor, limit)}
            return paging.read((yield from self.ask(wire.get(path, asked))), since, cursor, limit)

        return (yield from every(step))

    def look(self, request: Request) -> Talk[Any]:
        """What a request reads; None where the CRM has no such record."""
        try:
            return (yield from self.ask(request)).body
        except Problem as problem:
            if problem.kind in (Kind.CRM_NOT_FOUND, Kind.CRM_BAD_ID):
                return None
            raise

    def read_back(self, resource: Resource, made: Answer, whole: bool) -> Talk[Answer]:
        """A record that was made, with all its columns if these are wanted. It exists: a failed look at it must not
        make the caller create it again."""
        try:
            return (yield from self.get(resource, made.item["id"])) if whole else made
        except Problem:
            return replace(made, partial=True)

    def item(self, resource: Resource, body: Any) -> Record:
        """A body in our form."""
        return resource.table.into(self.open(resource, body))

    def answer(self, resource: Resource, body: Any) -> Talk[Answer]:
        """A body as a record of ours, with what the vendor keeps elsewhere."""
        [full] = yield from self.enrich(resource, [body])
        return Answer(self.item(resource, full), bare(body))

    def exchange(self, request: Request) -> Talk[Response]:
        """Send one request, in the way that the vendor wants every request."""
        return (yield replace(request, headers={**self.headers, **request.headers}))

    def ask(self, request: Request) -> Talk[Response]:
        """Send one request, and raise what its answer complains about."""
        response = yield from self.exchange(request)
        self.check(request, response)
        return response

    def check(self, request: Request, response: Response) -> None:
        """Raise the problem that an answer tells of."""
        complaint = self.complaint(response)
        if complaint is None:
            if response.readable:
                return
            complaint = Complaint(message="The answer could not be read.")
        kind = complaint.kind or self._kind(response, complaint)
        wait = complaint.retry_after
        # Who sends us elsewhere did nothing.
        refused = 300 <= response.status < 500 and response.status != 408
        certain = refused or (response.ok and response.readable)
        told = Outcome.REFUSED if certain else Outcome.UNKNOWN
        outcome = Outcome.NOTHING if request.safe else told
        raise Problem(
            kind,
            DETAILS[kind],
            faults=tuple(Fault(name, "crm_refused", complaint.message or "", "") for name in complaint.fields),
            remote=self.remote(response, complaint),
            retry_after=whole(response.headers.get("retry-after")) if wait is None else wait,
            outcome=outcome,
            insight=insight(kind, complaint),
        )

    def _kind(self, response: Response, complaint: Complaint) -> Kind:
        if complaint.code is not None and complaint.code in self.codes:
            return self.codes[complaint.code]
        if response.ok and response.readable:
            return Kind.CRM_REJECTED
        fallback = Kind.CRM_REJECTED if 300 <= response.status < 500 else Kind.CRM_UNAVAILABLE
        return {**BY_STATUS, **self.statuses}.get(response.status, fallback)

    def remote(self, response: Response, complaint: Complaint | None = None) -> Remote:
        """What the vendor said, as far as callers may see it."""
        complaint = complaint or Complaint()
        return Remote(
            status=response.status,
            code=complaint.code,
            message=complaint.message,
            body=response.body,
            headers=self.forward(response),
            request_id=self.request_id(response),
            existing_id=complaint.existing_id,
        )

    def request_id(self, response: Response) -> str | None:
        """The vendor's own id of the exchange, for its support."""
        told = (response.headers[name] for name in self.request_id_headers if name in response.headers)
        return next(told, None) or word(response.body, self.request_id_at)

    def forward(self, response: Response) -> dict[str, str]:
        """The vendor's headers that callers may see."""
        allowed = ("retry-after", *self.request_id_headers, *self.forwarded)
        return {name: value for name, value in response.headers.items() if name.startswith(allowed)}


def bare(body: Any) -> Any:
    """A body as the vendor gave it."""
    return {name: value for name, value in body.items() if name != OUTER} if isinstance(body, dict) else body


def require(resource: Resource, item: Record, record: Record) -> None:
    """Refuse a create that lacks a field this CRM requires, in our words. What `remote_data` supplied counts."""
    composed = resource.table.into(record)

    def given(ours: str) -> bool:
        row = resource.table.row(ours)
        told = dig(composed, ours)
        if row and row.write_only:  # no answer has it, but the body may
            told = dig(item, ours) or row.codec.into(row.place.get(record))
        return told not in (None, "", [], {})

    missing = [name for name in resource.table.names(required=True) if not given(name)]
    groups = [group for group in resource.any_of if not any(given(name) for name in group)]
    if not missing and not groups:
        return
    rules = {name: "at least one of " + ", ".join(group) for group in groups for name in group}
    insight: dict[str, Any] = {}
    if missing:
        insight["missing_required_body_fields"] = {"description": "This CRM requires these fields.", "value": missing}
    if rules:
        insight["conditionally_required_body_fields"] = {
            "description": "This CRM requires one of them.",
            "value": rules,
        }
    faults = [Fault(name, "required", "is required by this CRM", pointed(name)) for name in missing]
    faults += [
        Fault(name, "required", f"is required by this CRM: {rule}", pointed(name)) for name, rule in rules.items()
    ]
    sentences = [f"{name} is required" for name in missing] + sorted({f"{rule} is required" for rule in rules.values()})
    raise Problem(Kind.MISSING_FIELD, "; ".join(sentences) + ".", faults=tuple(faults), insight=insight)


def _blank(value: Any) -> bool:
    """Whether a vendor would keep nothing of a value."""
    return value is None or (isinstance(value, str) and not value.strip())


def _alike(theirs: Any, ours: Any) -> bool:
    """Whether two values are the same but for case, white space at the ends, the order of a list and what stands in
    it twice: all of which vendors normalise."""
    if isinstance(theirs, list) and isinstance(ours, list):
        found = [[_alike(one, other) for other in ours] for one in theirs]
        return all(any(row) for row in found) and all(any(row[place] for row in found) for place in range(len(ours)))
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return all(_alike(theirs.get(key), value) for key, value in ours.items())
    return plain(theirs) == plain(ours)
