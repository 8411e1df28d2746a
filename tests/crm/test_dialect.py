"""A CRM as plain as they come: the conversations and sentences that a vendor inherits when it says nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from switchboard.crm import wire
from switchboard.crm.catalog import Resource
from switchboard.crm.codecs import moment, text
from switchboard.crm.dialect import BY_STATUS, DETAILS, Complaint, Dialect, Draft, sentence
from switchboard.crm.mapping import Slots, Table, row
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
