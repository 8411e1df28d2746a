"""A CRM as plain as they come: the conversations and sentences that a vendor inherits when it says nothing."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from switchboard.crm import wire
from switchboard.crm.catalog import Resource
from switchboard.crm.codecs import moment, text
from switchboard.crm.complaint import BY_STATUS, DETAILS, Complaint, sentence
from switchboard.crm.dialect import Answer, Dialect, Draft
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Offset
from switchboard.crm.places import Slots
from switchboard.crm.problem import Kind, Outcome, Problem, invalid
from switchboard.crm.wire import Response, Talk, many
from switchboard.models.lead import LEAD
from tests.talk import Partner, ok, script

LEADS = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "title", text, key=True),
    row("email_addresses", Slots("email", {"primary": "email"}), key=True),
    row("created_at", "made", moment, read_only=True),
)
RESOURCE = Resource(LEADS, "/leads")
SINCE = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


class Plain(Dialect):
    """A dialect that can look for what it made."""

    codes = {"DUPLICATE": Kind.CRM_CONFLICT}  # noqa: RUF012
    forwarded = ("x-limit-",)

    def complaint(self, response: Response) -> Complaint | None:
        if response.ok:
            return None
        body: Any = response.body if isinstance(response.body, dict) else {}
        return Complaint(
            code=body.get("code"),
            message=sentence(response.body),
            fields=tuple(body.get("fields", ())),
            missing_scopes=tuple(body.get("scopes", ())),
        )

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        return many((yield from self.ask(wire.get(resource.path))).body, "data")


PLAIN = Plain()
GIVEN = {"title": "Ada's lead", "email_addresses": [{"email": "ada@example.com"}]}


def refused(response: Response) -> Problem:
    with pytest.raises(Problem) as caught:
        PLAIN.check(wire.post("/leads", {}), response)
    return caught.value


def find(records: list[Any], item: dict[str, Any] | None = None) -> str | None:
    draft = PLAIN.draft(RESOURCE, GIVEN if item is None else item)
    return script(ok({"data": records})).hold(PLAIN.find(RESOURCE, draft, SINCE))


def record(id: Any = 1, made: str | None = "2026-05-01T12:00:00Z", **changes: Any) -> dict[str, Any]:
    return {"id": id, "title": "Ada's lead", "email": "ada@example.com", "made": made, **changes}


class TestSentences:
    def test_every_kind_that_a_refusal_may_have_has_its_sentence(self) -> None:
        assert {*BY_STATUS.values(), *PLAIN.codes.values(), Kind.CRM_REJECTED, Kind.CRM_UNAVAILABLE} <= set(DETAILS)
        assert all(detail.endswith(".") for detail in DETAILS.values())

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"message": "No.", "error": "E"}, "No."),
            ({"message": "", "error": "E"}, "E"),
            ({"message": {"deep": 1}, "detail": "D"}, "D"),
            ([{"message": "first"}, {"message": "second"}], "first"),
            ({"other": "x"}, None),
            ([], None),
            ("text", None),
            (None, None),
        ],
        ids=repr,
    )
    def test_the_sentence_of_an_error_is_found_under_its_usual_names(self, body: Any, said: str | None) -> None:
        assert sentence(body) == said

    def test_a_refusal_is_told_to_those_who_read_insights(self) -> None:
        assert refused(Response(400, {}, {"message": "No."})).insight == {"remote_error": {"description": "No."}}
        assert refused(Response(429, {}, None)).insight == {
            "rate_limit_error": {"description": DETAILS[Kind.CRM_RATE_LIMITED]}
        }
        forbidden = refused(Response(403, {}, {"message": "No.", "scopes": ["a"]})).insight
        assert forbidden == {"forbidden_error": {"description": "No.", "value": {"missing_scopes": ["a"]}}}

    def test_the_fields_that_the_vendor_names_are_faults(self) -> None:
        [fault] = refused(Response(400, {}, {"message": "too long", "fields": ["Name"]})).faults
        assert (fault.field, fault.code, fault.detail) == ("Name", "crm_refused", "too long")

    def test_headers_that_are_not_named_stay_here(self) -> None:
        headers = {"x-limit-left": "1", "retry-after": "2", "x-request-id": "r", "set-cookie": "s", "server": "x"}
        assert PLAIN.forward(Response(200, headers)) == {"x-limit-left": "1", "retry-after": "2", "x-request-id": "r"}
        assert PLAIN.request_id(Response(200, headers)) == "r"

    def test_a_dialect_that_lists_and_does_not_say_how_is_a_fault_of_ours(self) -> None:
        with pytest.raises(NotImplementedError, match="/leads"):
            script().hold(Dialect().list(RESOURCE, limit=1))


class TestCreate:
    def test_the_answer_is_the_record_where_it_is_whole(self) -> None:
        partner = script(ok(record(7), 201))
        answer = partner.hold(PLAIN.create(RESOURCE, PLAIN.draft(RESOURCE, GIVEN)))
        assert answer.item["id"] == "7"
        assert answer.raw == record(7)
        assert not answer.partial

    def test_an_id_of_zero_is_an_id(self) -> None:
        answer = script(ok(record(0), 201)).hold(PLAIN.create(RESOURCE, PLAIN.draft(RESOURCE, GIVEN)))
        assert answer.item["id"] == "0"

    def test_an_accepted_create_without_an_id_keeps_what_the_vendor_said(self) -> None:
        with pytest.raises(Problem) as caught:
            script(ok({"queued": True}, 202)).hold(PLAIN.create(RESOURCE, PLAIN.draft(RESOURCE, GIVEN)))
        assert caught.value.kind is Kind.OUTCOME_UNKNOWN
        assert caught.value.outcome is Outcome.UNKNOWN
        assert caught.value.remote
        assert caught.value.remote.body == {"queued": True}


class Careful(Dialect):
    """A dialect that knows its ids, tells of removed records and looks for who holds what is taken."""

    ids = re.compile("[0-9]+")
    code_at, message_at = "error.code", "error.text"
    codes = {"TAKEN": Kind.CRM_CONFLICT}  # noqa: RUF012
    request_id_at = "trace"
    whole_answers = False

    def removed(self, resource: Resource, body: Any) -> bool:
        return body.get("gone") is True

    def holder(self, resource: Resource, draft: Draft, refusal: Problem) -> Talk[str | None]:
        found = yield from self.look(wire.get("/holders"))
        return found and found["id"]


CAREFUL = Careful()
TAKEN = Response(400, {}, {"error": {"code": "TAKEN", "text": "no"}, "trace": "t1"})


def problem_of(conversation: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        conversation()
    return caught.value


class TestCareful:
    def test_what_does_not_look_like_an_id_names_no_record_and_is_not_asked_for(self) -> None:
        partner = script()
        for talk in (CAREFUL.get(RESOURCE, "count"), CAREFUL.delete(RESOURCE, "1,2")):
            assert problem_of(partial(partner.hold, talk)).kind is Kind.CRM_BAD_ID

    def test_a_record_that_was_removed_is_not_found(self) -> None:
        partner = script(ok(record(7) | {"gone": True}))
        assert problem_of(lambda: partner.hold(CAREFUL.get(RESOURCE, "7"))).kind is Kind.CRM_NOT_FOUND

    @pytest.mark.parametrize(
        ("answer", "holder"),
        [(ok({"id": "9"}), "9"), (Response(404), None), (Response(500), None)],
        ids=["told", "nobody", "no answer"],
    )
    def test_who_holds_what_is_taken_is_looked_up(self, answer: Response, holder: str | None) -> None:
        partner = script(TAKEN, answer)
        problem = problem_of(lambda: partner.hold(CAREFUL.create(RESOURCE, CAREFUL.draft(RESOURCE, GIVEN))))
        assert problem.remote
        assert (problem.kind, problem.remote.code, problem.remote.message) == (Kind.CRM_CONFLICT, "TAKEN", "no")
        assert (problem.remote.existing_id, problem.remote.request_id) == (holder, "t1")

    def test_a_record_is_read_back_where_answers_to_creates_hold_less(self) -> None:
        partner = script(ok({"id": 7}, 201), ok(record(7)))
        assert not partner.hold(CAREFUL.create(RESOURCE, CAREFUL.draft(RESOURCE, GIVEN))).partial
        assert partner.requests[1].path == "/leads/7"

    @pytest.mark.parametrize(
        ("told", "header", "wait"), [(None, "7", 7), (2, "7", 2), (0, "7", 0), (None, "soon", None), (None, None, None)]
    )
    def test_the_wait_is_the_complaints_or_that_of_the_header(
        self, told: int | None, header: str | None, wait: int | None
    ) -> None:
        class Told(Dialect):
            def complaint(self, response: Response) -> Complaint | None:
                return Complaint(retry_after=told)

        response = Response(429, {"retry-after": header} if header else {})
        assert problem_of(lambda: Told().check(wire.get("/"), response)).retry_after == wait


class TestWhatConversationsAreMadeWith:
    def test_a_failed_look_at_what_was_made_is_no_failure_of_making_it(self) -> None:
        made = Answer({"id": "7"}, {})
        assert script().hold(PLAIN.read_back(RESOURCE, made, whole=False)) is made
        assert script(ok(record(7))).hold(PLAIN.read_back(RESOURCE, made, whole=True)).item["title"] == "Ada's lead"
        lost = script(Response(500)).hold(PLAIN.read_back(RESOURCE, made, whole=True))
        assert (lost.item, lost.partial) == ({"id": "7"}, True)

    def test_one_of_several_is_picked_by_its_id(self) -> None:
        assert script().hold(PLAIN.pick(RESOURCE, [record(6), record(7)], "7")).raw == record(7)
        assert problem_of(lambda: script().hold(PLAIN.pick(RESOURCE, [record(6)], "7"))).kind is Kind.CRM_NOT_FOUND

    def test_a_list_is_gathered_to_its_end(self) -> None:
        partner = script(ok([1, {"id": 1}, {"id": 2}]), ok([{"id": 3}]))
        found = partner.hold(PLAIN.gather("/few", Offset(most=2), {"sort": "id"}))
        assert [each["id"] for each in found] == [1, 2, 3]
        assert [dict(request.query) for request in partner.requests] == [
            {"sort": "id", "offset": offset, "limit": "2"} for offset in ("0", "2")
        ]

    def test_a_list_may_have_a_path_of_its_own(self) -> None:
        resource = Resource(LEADS, "/leads", paging=Offset(), listed="/leads/search")
        partner = script(ok([]))
        partner.hold(PLAIN.list(resource, limit=1))
        assert partner.requests[0].path == "/leads/search"


class TestFind:
    def test_keys_are_compared_without_case_and_white_space_at_the_ends(self) -> None:
        assert find([record(title=" ADA'S LEAD ", email="Ada@Example.com")]) == "1"
        assert find([record(title="Ada's  lead")]) is None

    def test_every_key_that_was_given_has_to_agree(self) -> None:
        assert find([record(email="eve@example.com")]) is None
        assert find([record(email=None)]) is None

    def test_a_key_that_was_not_given_is_not_compared(self) -> None:
        assert find([record(email="eve@example.com")], {"title": "Ada's lead"}) == "1"

    def test_a_record_without_a_time_is_not_adopted(self) -> None:
        assert find([record(made=None), record(made="soon")]) is None

    def test_a_record_without_an_id_is_not_adopted(self) -> None:
        assert find([record(id=None), record(id=9, made="2026-05-01T13:00:00Z")]) == "9"

    def test_times_are_compared_as_moments(self) -> None:
        assert find([record(made="2026-05-01T13:59:59+02:00")]) is None
        assert find([record(made="2026-05-01T14:00:00+02:00")]) == "1"

    def test_of_two_made_at_once_the_same_is_adopted_every_time(self) -> None:
        records = [record(5), record(4)]
        assert find(records) == find(records[::-1]) == "4"


def test_a_fault_of_a_field_points_at_it() -> None:
    problem = invalid("owner.id", "wrong", "has to be right")
    assert (problem.kind, problem.detail) == (Kind.INVALID, "owner.id: has to be right")
    assert problem.faults[0].pointer == "#/owner/id"


def test_a_conversation_that_ends_at_once_sends_nothing() -> None:
    def nothing() -> Talk[int]:
        yield from ()
        return 7

    partner = Partner(lambda request: ok())
    assert partner.hold(nothing()) == 7
    assert partner.requests == []


class TestCertainty:
    """What a refusal of a change says of the CRM's data."""

    @pytest.mark.parametrize("status", [301, 302, 308])
    def test_a_redirect_did_nothing(self, status: int) -> None:
        assert refused(Response(status, {}, {"message": "Elsewhere."})).outcome is Outcome.REFUSED

    def test_a_5xx_leaves_it_open_whatever_code_it_comes_with(self) -> None:
        assert refused(Response(500, {}, {"code": "DUPLICATE"})).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("told", "alike"),
    [
        (["a@x.de", "b@x.de"], True),
        (["B@x.de ", "a@x.de"], True),
        (["a@x.de", "b@x.de", "A@x.de"], True),
        (["a@x.de"], False),
        (["a@x.de", "b@x.de", "c@x.de"], False),
        ([], False),
    ],
)
def test_addresses_are_the_same_in_another_order_and_told_twice(told: list[str], alike: bool) -> None:
    item = {"title": "Ada", "email_addresses": [{"email": each} for each in ("a@x.de", "b@x.de")]}

    class Several(Plain):
        def item(self, resource: Resource, body: Any) -> dict[str, Any]:
            return body

    draft = Draft({**item})
    body: dict[str, Any] = {"id": "1", "created_at": "2026-05-01T12:00:01Z", "title": "Ada"}
    body["email_addresses"] = [{"email": each} for each in told]
    partner = script(ok({"data": [body]}))
    assert (partner.hold(Several().find(RESOURCE, draft, SINCE)) == "1") is alike
