"""What holds for every conversation with a CRM, held with a partner that says anything a vendor may say.

The words of three vendors, of three shapes, stand in full in tests/crm/voices. The conversations of all CRMs are held
with their fakes as well: tests/end_to_end/test_dialects.py.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.crm.codecs import rfc3339
from switchboard.crm.dialect import Answer
from switchboard.crm.places import Named
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Request, Response, Talk, dig
from tests.crm.samples import SPOKEN, Case, garbage, records, responses
from tests.crm.test_contract import raised, rows, without, writable
from tests.crm.voices import minutes
from tests.talk import Partner, Reply, ok, script

HTML = "<!doctype html><title>Sorry</title>"

anything = settings(max_examples=100)
"""Nonsense is cheap to make, and most of it gets nowhere."""

each_case = pytest.mark.parametrize("case", SPOKEN.values(), ids=SPOKEN)


class TestReading:
    @each_case
    @anything
    @given(data=st.data())
    def test_any_record_is_read_as_far_as_it_goes(self, case: Case, data: st.DataObject) -> None:
        body = data.draw(garbage(case.crm, *records(case)))
        item = case.crm.dialect.item(case.resource, body)
        json.dumps(item)
        assert dig(item, "id") is None or isinstance(item["id"], str)


def everything(case: Case, partner: Partner) -> list[Talk[Any]]:
    """Every conversation that can be had about a resource."""
    dialect, resource, since = case.crm.dialect, case.resource, minutes(0)
    bare = case.draft(case.least())
    first = case.said.id(1)
    talks: list[Talk[Any]] = [
        dialect.create(resource, case.draft(), passed=(("remote", "yes"),)),
        dialect.create(resource, bare, whole=False),
        dialect.find(resource, case.draft(), since),
    ]
    if "get" in resource.verbs:
        talks.append(dialect.get(resource, first))
    if "delete" in resource.verbs:
        talks.append(dialect.delete(resource, first))
    if "list" in resource.verbs:
        talks += [dialect.list(resource, limit=50), dialect.list(resource, since=since, limit=50)]
    return talks


def asked(case: Case) -> list[Request]:
    """The requests of all conversations about a resource, with plausible answers."""
    first = case.said.id(1)
    partner = case.answers(first)
    record = case.record(case.sample(), first, created_at=minutes(1), updated_at=minutes(1))

    def answer(request: Request) -> Reply:
        try:
            return case.said.listing(request, [record])
        except (KeyError, TypeError, ValueError, AssertionError):
            return partner.answer(request)

    everyone = Partner(answer)
    for index, talk in enumerate(everything(case, everyone)):
        everyone.answer = case.looks_up([record]).answer if index == 2 else partner.answer if index < 5 else answer
        everyone.hold(talk)
    return everyone.requests


class TestRequests:
    """A request says where on a host, never which host."""

    @each_case
    def test_a_path_begins_at_the_root_and_names_no_host(self, case: Case) -> None:
        for request in asked(case):
            assert request.path.startswith("/")
            assert not request.path.startswith("//")
            assert not set(request.path) & set("?#\\% ")
            assert "://" not in json.dumps([request.path, dict(request.query), request.json])
            assert ".." not in request.path
            assert request.to == "api"

    @each_case
    def test_only_a_change_is_unsafe(self, case: Case) -> None:
        for request in asked(case):
            assert request.method in ("GET", "POST", "PUT", "PATCH", "DELETE")
            if request.method in ("GET", "DELETE"):
                assert request.safe

    @each_case
    def test_no_request_signs_itself(self, case: Case) -> None:
        assert not [request for request in asked(case) if request.headers or request.form]

    @each_case
    def test_the_id_stands_at_the_end_of_a_members_path(self, case: Case) -> None:
        id = case.said.id(9)
        assert case.crm.dialect.member(case.resource, id).rsplit("/", 1)[-1] == id

    @each_case
    @pytest.mark.parametrize("hostile", ["../../oauth", "..", "1?archived=true", "1#x", "a/b", "%2e%2e", "1\r\nx: y"])
    def test_remote_data_reaches_no_path(self, case: Case, hostile: str) -> None:
        """An id in the body was checked; what remote_data puts into its place was not."""
        dialect, table = case.crm.dialect, case.resource.table
        nameless = without(case.sample(), "title")
        for row in writable(case):
            if not row.ours.endswith(".id"):
                continue
            record, _ = table.out(without(nameless, row.ours))
            try:
                row.place.put(record, hostile)
                supplied = dialect.seal(case.resource, record)
                for talk in (dialect.create, partial(dialect.find, since=minutes(0))):
                    partner = case.answers(case.said.id(1))
                    draft = case.draft(without(nameless, row.ours), deepcopy(supplied))
                    partner.hold(talk(case.resource, draft))
                    assert not [each for each in partner.requests if hostile in each.path], row.ours
            except Problem:
                continue


class TestCreate:
    @each_case
    @pytest.mark.parametrize("whole", [True, False])
    def test_one_request_at_most_changes_anything(self, case: Case, whole: bool) -> None:
        for item in (case.sample(), case.least()):
            partner = case.answers(case.said.id(1))
            partner.hold(case.crm.dialect.create(case.resource, case.draft(item), whole=whole))
            assert len(partner.unsafe) == 1

    @each_case
    def test_the_draft_is_what_is_sent(self, case: Case) -> None:
        draft, partner = case.draft(), case.answers(case.said.id(1))
        partner.hold(case.crm.dialect.create(case.resource, draft, passed=(("remote", "yes"),)))
        [request] = partner.unsafe
        assert request.path == case.resource.path
        assert request.passed == (("remote", "yes"),)
        hidden = {name for row in rows(case, write_only=True) for name in row.place.columns}
        for name, value in draft.body.items():
            assert name in hidden or request.json[name] == value

    @each_case
    def test_the_answer_is_the_record_as_the_crm_has_it(self, case: Case) -> None:
        id = case.said.id(1)
        record = case.record(case.sample(2), id, created_at=minutes(3), updated_at=minutes(4))
        answer = case.answers(id, record).hold(case.crm.dialect.create(case.resource, case.draft()))
        if any(request.safe for request in case.answers(id, record).requests):
            expected = case.crm.dialect.item(case.resource, case.said.one(record))
            assert answer.item == expected
        assert answer.item["id"] == id
        assert not answer.partial

    @each_case
    @pytest.mark.parametrize("whole", [True, False])
    def test_the_id_is_always_told(self, case: Case, whole: bool) -> None:
        id = case.said.id(7)
        answer = case.answers(id).hold(case.crm.dialect.create(case.resource, case.draft(), whole=whole))
        assert answer.item["id"] == id

    @each_case
    @pytest.mark.parametrize(
        "failure",
        [
            Problem(Kind.CRM_TIMEOUT, "The CRM did not answer in time."),
            Problem(Kind.CRM_UNAVAILABLE, "The CRM could not be reached."),
            Response(404, {}, None),
            Response(403, {}, {"message": "no"}),
            Response(429, {}, None),
            Response(500, {}, HTML, readable=False),
            Response(200, {}, HTML, readable=False),
        ],
        ids=["timeout", "unreachable", "404", "403", "429", "500", "unreadable"],
    )
    def test_a_record_that_was_made_is_told_though_it_cannot_be_read_back(self, case: Case, failure: Reply) -> None:
        id = case.said.id(1)
        partner = case.answers(id, read_back=failure)
        answer = partner.hold(case.crm.dialect.create(case.resource, case.draft()))
        assert answer.item["id"] == id
        assert answer.partial or partner.requests[-1] in partner.unsafe

    @each_case
    @pytest.mark.parametrize("body", [None, {}, [], "?", {"data": None}, {"properties": None}], ids=repr)
    def test_a_record_that_reads_back_as_nothing_still_has_its_id(self, case: Case, body: Any) -> None:
        id = case.said.id(1)
        partner = case.answers(id, read_back=ok(body))
        answer = partner.hold(case.crm.dialect.create(case.resource, case.draft()))
        assert answer.item["id"] == id

    @each_case
    @anything
    @given(data=st.data())
    def test_a_record_that_reads_back_as_anything_still_has_its_id(self, case: Case, data: st.DataObject) -> None:
        id = case.said.id(1)
        partner = case.answers(id, read_back=data.draw(responses(case.crm, *records(case))))
        answer = partner.hold(case.crm.dialect.create(case.resource, case.draft()))
        assert isinstance(answer.item["id"], str)

    @each_case
    @pytest.mark.parametrize("status", [200, 201, 204])
    @pytest.mark.parametrize("body", [None, {}, [], {"data": None}], ids=repr)
    def test_a_create_that_is_accepted_without_an_id_has_an_unknown_outcome(
        self, case: Case, status: int, body: Any
    ) -> None:
        aside = case.answers("1").answer
        partner = Partner(lambda request: aside(request) if request.safe else Response(status, {}, body))
        problem = raised(partner.hold, case.crm.dialect.create(case.resource, case.draft()))
        assert problem.outcome is Outcome.UNKNOWN
        assert len(partner.unsafe) == 1

    @each_case
    @pytest.mark.parametrize(
        ("reply", "outcome"),
        [
            (Response(400, {}, None), Outcome.REFUSED),
            (Response(409, {}, None), Outcome.REFUSED),
            (Response(500, {}, None), Outcome.UNKNOWN),
            (Response(200, {}, HTML, readable=False), Outcome.UNKNOWN),
            (Problem(Kind.CRM_TIMEOUT, "late", outcome=Outcome.UNKNOWN), Outcome.UNKNOWN),
            (Problem(Kind.CRM_UNAVAILABLE, "refused", outcome=Outcome.NOTHING), Outcome.NOTHING),
        ],
        ids=["400", "409", "500", "unreadable", "timeout", "not sent"],
    )
    def test_a_create_that_fails_is_not_tried_again(self, case: Case, reply: Reply, outcome: Outcome) -> None:
        aside = case.answers("1").answer
        partner = Partner(lambda request: aside(request) if request.safe else reply)
        problem = raised(partner.hold, case.crm.dialect.create(case.resource, case.draft()))
        assert problem.outcome is outcome
        assert len(partner.unsafe) == 1
        assert partner.requests[-1] == partner.unsafe[0]

    @each_case
    def test_a_prerequisite_that_fails_leaves_the_crm_untouched(self, case: Case) -> None:
        for item in (case.sample(), case.least(), without(case.sample(), "title")):
            partner = Partner(lambda request: Response(503) if request.safe else ok(case.said.made("1"), 201))
            try:
                partner.hold(case.crm.dialect.create(case.resource, case.draft(item)))
            except Problem as problem:
                if not partner.unsafe:
                    assert problem.outcome is Outcome.NOTHING  # noqa: PT017 - both ends are right

    @each_case
    @anything
    @given(data=st.data())
    def test_any_answer_to_a_create_ends_in_a_record_or_a_problem(self, case: Case, data: st.DataObject) -> None:
        answers = st.lists(responses(case.crm, *records(case)), min_size=6, max_size=6)
        partner = script(*data.draw(answers))
        try:
            answer = partner.hold(case.crm.dialect.create(case.resource, case.draft(without(case.sample(), "title"))))
        except Problem:
            return
        assert isinstance(answer, Answer)
        assert isinstance(answer.item["id"], str)


class TestFind:
    """Whether a create that was sent and not answered has arrived."""

    def look(self, case: Case, bodies: list[Any], since: datetime | None = None) -> tuple[str | None, Partner]:
        partner = case.looks_up(bodies)
        found = partner.hold(case.crm.dialect.find(case.resource, case.draft(), since or minutes(10)))
        return found, partner

    def made(self, case: Case, number: int, at: float, seed: int = 1) -> Any:
        when = minutes(at)
        return case.record(case.sample(seed), case.said.id(number), created_at=when, updated_at=when)

    @each_case
    def test_a_record_with_the_same_keys_made_since_is_adopted(self, case: Case) -> None:
        assert self.look(case, [self.made(case, 1, 11)])[0] == case.said.id(1)

    @each_case
    def test_a_record_made_at_that_very_moment_is_adopted(self, case: Case) -> None:
        assert self.look(case, [self.made(case, 1, 10)])[0] == case.said.id(1)

    @each_case
    def test_a_record_made_before_is_not_adopted(self, case: Case) -> None:
        assert self.look(case, [self.made(case, 1, 9)])[0] is None

    @each_case
    def test_a_record_with_other_keys_is_not_adopted(self, case: Case) -> None:
        assert self.look(case, [self.made(case, 1, 11, seed=2)])[0] is None

    @each_case
    def test_nothing_is_found_where_there_is_nothing(self, case: Case) -> None:
        assert self.look(case, [])[0] is None

    @each_case
    def test_of_several_the_oldest_is_adopted(self, case: Case) -> None:
        records = [
            self.made(case, 1, 5),
            self.made(case, 2, 11, seed=2),
            self.made(case, 3, 13),
            self.made(case, 4, 12),
            self.made(case, 5, 14),
        ]
        assert self.look(case, records)[0] == case.said.id(4)
        assert self.look(case, records[::-1])[0] == case.said.id(4)

    @each_case
    def test_looking_changes_nothing(self, case: Case) -> None:
        for bodies in ([], [self.made(case, 1, 11)]):
            _, partner = self.look(case, bodies)
            assert partner.requests
            assert not partner.unsafe

    @each_case
    def test_a_look_that_fails_does_not_say_that_there_is_no_record(self, case: Case) -> None:
        for reply in (Response(500), Response(429), Problem(Kind.CRM_TIMEOUT, "late"), ok(HTML)):
            failing = reply if not isinstance(reply, Response) else Response(reply.status, {}, HTML, readable=False)
            partner = Partner(lambda _, reply=failing: reply)
            raised(partner.hold, case.crm.dialect.find(case.resource, case.draft(), minutes(0)))

    @each_case
    def test_a_record_without_a_time_or_an_id_is_not_adopted(self, case: Case) -> None:
        timeless = case.record(case.sample(), case.said.id(1))
        assert self.look(case, [timeless])[0] is None

    @each_case
    def test_a_request_without_any_key_cannot_be_recognised(self, case: Case) -> None:
        keys = [row.ours for row in case.resource.table.rows if row.key]
        item = case.sample()
        for name in keys:
            item = without(item, name)
        try:
            draft = case.draft(item)
        except Problem:
            return  # this CRM requires a key
        problem = raised(script().hold, case.crm.dialect.find(case.resource, draft, minutes(0)))
        assert problem.kind is Kind.OUTCOME_UNKNOWN

    @each_case
    @anything
    @given(data=st.data())
    def test_any_answer_to_a_look_ends_in_an_id_or_a_problem(self, case: Case, data: st.DataObject) -> None:
        partner = script(
            *data.draw(st.lists(responses(case.crm, *records(case), only_ok=True), min_size=4, max_size=4))
        )
        try:
            found = partner.hold(case.crm.dialect.find(case.resource, case.draft(), minutes(0)))
        except Problem:
            return
        assert found is None or isinstance(found, str)


class TestList:
    def records(self, case: Case, number: int, apart: float = 1) -> list[Any]:
        return [
            case.record(case.least(), case.said.id(n), created_at=minutes(0), updated_at=minutes(n * apart))
            for n in range(1, number + 1)
        ]

    def walk(
        self, case: Case, bodies: list[Any], *, limit: int, since: datetime | None = None
    ) -> tuple[list[list[str]], list[Request]]:
        """The ids of each page until the end; each stretch is begun anew from the cursor as it was stored."""
        partner = Partner(lambda request: case.said.listing(request, bodies))
        pages: list[list[str]] = []
        cursor: Mapping[str, Any] | None = None
        while True:
            page = partner.hold(case.crm.dialect.list(case.resource, since=since, cursor=cursor, limit=limit))
            pages.append([answer.item["id"] for answer in page.answers])
            if page.cursor is None:
                return pages, partner.requests
            stored = json.dumps(page.cursor)
            assert "://" not in stored
            assert "//" not in stored
            cursor = json.loads(stored)
            assert len(pages) < 2000, "the list does not end"

    @each_case
    @pytest.mark.parametrize("since", [None, minutes(0)], ids=["all", "changed"])
    @pytest.mark.parametrize("number", [0, 1, 3, 4, 7, 8])
    def test_every_record_is_listed_once(self, case: Case, since: datetime | None, number: int) -> None:
        pages, requests = self.walk(case, self.records(case, number), limit=4, since=since)
        assert [id for page in pages for id in page] == [case.said.id(n) for n in range(1, number + 1)]
        assert all(len(page) <= 4 for page in pages)
        assert all(request.safe for request in requests)

    @each_case
    def test_a_record_that_changes_while_the_list_is_read_hides_no_other(self, case: Case) -> None:
        bodies = self.records(case, 8)

        def answer(request: Request) -> Response:
            told = case.said.listing(request, bodies)
            if len(partner.requests) == 1:  # when the first page is read, its first record becomes the newest
                changed = case.record(case.least(), case.said.id(1), created_at=minutes(0), updated_at=minutes(100))
                bodies[:] = [*bodies[1:], changed]
            return told

        partner = Partner(answer)
        dialect, cursor, found = case.crm.dialect, None, set[str]()
        for _ in range(20):
            page = partner.hold(dialect.list(case.resource, since=minutes(0), cursor=cursor, limit=3))
            found |= {each.item["id"] for each in page.answers}
            if (cursor := page.cursor) is None:
                break
        assert found == {case.said.id(n) for n in range(1, 9)}

    @each_case
    def test_records_changed_at_one_moment_are_all_listed_once(self, case: Case) -> None:
        pages, _ = self.walk(case, self.records(case, 7, apart=0), limit=3, since=minutes(0))
        assert [id for page in pages for id in page] == [case.said.id(n) for n in range(1, 8)]

    @each_case
    def test_since_is_in_the_request_and_what_was_changed_before_is_not_in_the_answer(self, case: Case) -> None:
        pages, requests = self.walk(case, self.records(case, 7), limit=3, since=minutes(5))
        assert [id for page in pages for id in page] == [case.said.id(n) for n in (5, 6, 7)]
        plainly, _ = self.walk(case, self.records(case, 0), limit=3)
        assert not any(plainly)
        for request in requests:
            if request.path.endswith("/archived"):
                continue  # a list of Pipedrive's that knows no since
            told = json.dumps([dict(request.query), request.json])
            assert "2026-05-01T12:" in told or str(int(minutes(5).timestamp() * 1000)) in told

    @each_case
    def test_a_moment_within_a_second_loses_nothing(self, case: Case) -> None:
        since = datetime(2026, 5, 1, 12, 5, 0, 400_000, tzinfo=UTC)
        records = [
            case.record(case.least(), case.said.id(n), created_at=minutes(0), updated_at=at)
            for n, at in enumerate([since, minutes(6)], 1)
        ]
        pages, _ = self.walk(case, records, limit=3, since=since)
        assert [id for page in pages for id in page][-2:] == [case.said.id(1), case.said.id(2)]

    @each_case
    def test_a_limit_beyond_the_vendors_own_is_cut_to_it(self, case: Case) -> None:
        for since in (None, minutes(0)):
            _, requests = self.walk(case, self.records(case, 3), limit=1_000_000, since=since)
            assert not [request for request in requests if "1000000" in json.dumps([dict(request.query), request.json])]

    @each_case
    def test_a_refused_stretch_is_a_problem(self, case: Case) -> None:
        for reply in (Response(429), Response(500), Response(200, {}, HTML, readable=False)):
            problem = raised(script(reply).hold, case.crm.dialect.list(case.resource, limit=5))
            assert problem.outcome is Outcome.NOTHING

    @each_case
    @anything
    @given(data=st.data())
    def test_any_answer_to_a_list_ends_in_a_page_or_a_problem(self, case: Case, data: st.DataObject) -> None:
        since = data.draw(st.sampled_from([None, minutes(0)]))
        partner = script(data.draw(responses(case.crm, *records(case), only_ok=True)))
        try:
            page = partner.hold(case.crm.dialect.list(case.resource, since=since, limit=5))
        except Problem:
            return
        json.dumps(page.cursor)


class TestDeleted:
    """What was deleted since a moment, where the CRM keeps a list of it."""

    @each_case
    @anything
    @given(data=st.data())
    def test_any_answer_about_deletions_ends_in_ids_or_a_problem(self, case: Case, data: st.DataObject) -> None:
        partner = script(data.draw(responses(case.crm, *records(case), only_ok=True)))
        try:
            gone = partner.hold(case.crm.dialect.deleted(case.resource, since=minutes(0)))
        except Problem:
            return
        assert not partner.unsafe
        assert all(request.path.startswith("/") for request in partner.requests)
        if gone is not None:
            assert all(isinstance(id, str) for id in gone.ids)
            assert "://" not in json.dumps(gone.cursor)

    @each_case
    def test_a_refused_look_for_deletions_does_not_say_that_there_are_none(self, case: Case) -> None:
        partner = script(Response(503))
        try:
            assert partner.hold(case.crm.dialect.deleted(case.resource, since=minutes(0))) is None
        except Problem as problem:
            assert problem.outcome is Outcome.NOTHING  # noqa: PT017 - both ends are right
        else:
            assert not partner.requests, "None means that the CRM keeps no such list"


class TestGetAndDelete:
    @each_case
    def test_a_record_is_read_by_its_id(self, case: Case) -> None:
        id = case.said.id(3)
        record = case.record(case.sample(), id, created_at=minutes(1), updated_at=minutes(2))
        partner = script(ok(case.said.one(record)))
        answer = partner.hold(case.crm.dialect.get(case.resource, id))
        [request] = partner.requests
        assert (request.method, request.path) == ("GET", case.crm.dialect.member(case.resource, id))
        assert answer.item["id"] == id
        assert answer.raw == case.said.one(record)
        for name, at in (("created_at", minutes(1)), ("updated_at", minutes(2))):
            if case.resource.table.row(name):
                assert answer.item[name] == rfc3339(at)

    @each_case
    def test_custom_fields_that_were_answered_are_told(self, case: Case) -> None:
        if not any(isinstance(row.place, Named) for row in case.resource.table.rows):
            return
        record = case.record(case.sample(), case.said.id(3))
        item = case.crm.dialect.item(case.resource, case.said.one(record))
        assert item["custom_fields"] == case.sample()["custom_fields"]

    @each_case
    def test_a_record_that_is_not_there_is_not_found(self, case: Case) -> None:
        problem = raised(script(Response(404)).hold, case.crm.dialect.get(case.resource, case.said.id(3)))
        assert problem.kind is Kind.CRM_NOT_FOUND
        assert problem.outcome is Outcome.NOTHING

    @each_case
    def test_a_record_is_removed_by_its_id(self, case: Case) -> None:
        if "delete" not in case.resource.verbs:
            return
        id = case.said.id(3)
        for reply in (Response(204), ok(case.said.made(id))):
            partner = script(reply)
            assert partner.hold(case.crm.dialect.delete(case.resource, id)) is None
            [request] = partner.requests
            assert (request.method, request.path) == ("DELETE", case.crm.dialect.member(case.resource, id))

    @each_case
    @pytest.mark.parametrize("status", [401, 403, 429, 500])
    def test_a_refused_removal_is_a_problem(self, case: Case, status: int) -> None:
        if "delete" in case.resource.verbs:
            raised(script(Response(status)).hold, case.crm.dialect.delete(case.resource, case.said.id(3)))
