"""What holds for every CRM. The suite takes its cases from the registry: a CRM is covered by being declared.

What it cannot know by itself, the words in which a CRM answers, stands in tests/crm/voices.
"""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource, Unsupported
from switchboard.crm.codecs import rfc3339
from switchboard.crm.dialect import Answer, Complaint, Rate
from switchboard.crm.mapping import Named, Postal, Record, Row, Slots
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Request, Response, Talk, dig, get, plant, post
from tests.crm.samples import CASES, Case, below, garbage, items, leaves, marked, records, responses, texts
from tests.crm.voices import minutes, voice
from tests.talk import Partner, Reply, ok, script

CRMS = {name: registry.load(name) for name in registry.NAMES}
READ, WRITE = get("/read"), post("/write", {})
HTML = "<!doctype html><title>Sorry</title>"
STATUSES = range(300, 600)

anything = settings(max_examples=100)
"""Nonsense is cheap to make, and most of it gets nowhere."""

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
each_crm = pytest.mark.parametrize("crm", CRMS.values(), ids=CRMS)
creating = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if "create" in case.resource.verbs], ids=[*CASES]
)


def writable(case: Case) -> list[Row]:
    return [row for row in case.resource.table.rows if not row.read_only]


def rows(case: Case, **properties: bool) -> list[Row]:
    return [row for row in case.resource.table.rows if all(getattr(row, k) is v for k, v in properties.items())]


def raised(talk_or_call: Any, *arguments: Any, **named: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        talk_or_call(*arguments, **named)
    return caught.value


def telling(problem: Problem) -> str:
    """Everything that a problem says, put together."""
    return json.dumps([problem.__dict__, repr(problem), str(problem)], default=str)


def without(item: Record, name: str) -> Record:
    item = deepcopy(item)
    *way, last = name.split(".")
    (dig(item, ".".join(way)) if way else item).pop(last)
    return item


class TestRoundTrip:
    """The same rows write and read, so what was written is read again."""

    @each_case
    @given(data=st.data())
    def test_a_symmetric_field_comes_back_as_it_was_given(self, case: Case, data: st.DataObject) -> None:
        item = data.draw(items(case))
        record, _ = case.resource.table.out(item)
        back = case.resource.table.into(deepcopy(record))
        for row in rows(case, read_only=False, write_only=False):
            given = dig(item, row.ours)
            if given is None or isinstance(row.place, Slots | Postal):
                continue
            given = rfc3339(given) if isinstance(given, datetime) else given
            # A converted record is written as {id} and answered as a bare id.
            told = dig(back, row.ours)
            assert told == (given or None) or {"id": told} == given

    @each_case
    @given(data=st.data())
    def test_what_was_read_is_written_as_it_was_before(self, case: Case, data: st.DataObject) -> None:
        """The echo of places that fold values together: a first answer may differ from the request, not a second."""
        table = case.resource.table
        record, _ = table.out(data.draw(items(case)))
        read = table.into(deepcopy(record))
        again = {name: {"id": value} if name.startswith("converted_") else value for name, value in read.items()}
        again = {n: datetime.fromisoformat(str(v)) if n.endswith("_at") else v for n, v in again.items()}
        kept = {name for row in rows(case, write_only=True) for name in row.place.columns}
        resent, ignored = table.out(again)
        assert resent == {name: value for name, value in record.items() if name not in kept}
        assert not ignored

    @each_case
    @given(data=st.data())
    def test_nothing_given_is_lost_in_silence(self, case: Case, data: st.DataObject) -> None:
        item = marked(data.draw(items(case)), count(1))
        record, ignored = case.resource.table.out(item)
        sent = "\n".join(texts(record))
        for path, value in leaves(item):
            told = any(below(path, name) for name in ignored)
            shown = rfc3339(value) if isinstance(value, datetime) else str(value)
            # The type of a value is told by the column that the value is sent in.
            assert told or shown in sent or path.endswith(".type"), path

    @each_case
    @given(data=st.data())
    def test_what_is_called_ignored_was_given_and_is_not_sent(self, case: Case, data: st.DataObject) -> None:
        item = marked(data.draw(items(case)), count(1))
        record, ignored = case.resource.table.out(item)
        sent = "\n".join(texts(record))
        for name in ignored:
            hidden = [(path, value) for path, value in leaves(item) if below(path, name)]
            assert hidden or dig(item, re.sub(r"\[(\d+)\]", r".\1", name)) is not None
            assert not [path for path, value in hidden if isinstance(value, str) and value in sent and value[0] == "<"]

    @each_case
    def test_the_ignored_fields_are_those_that_no_row_covers(self, case: Case) -> None:
        item = case.sample()
        _, ignored = case.resource.table.out(item)
        covered = [row.ours for row in writable(case)]
        for path, _ in leaves(item):
            if not any(below(path, name) for name in covered):
                assert any(below(path, name) for name in ignored), path
        for name in ignored:
            has_row = [row for row in writable(case) if below(name, row.ours)]
            assert not has_row or isinstance(has_row[0].place, Slots | Postal), name

    @each_case
    def test_a_request_is_not_changed_by_being_written(self, case: Case) -> None:
        item = case.sample()
        before = deepcopy(item)
        case.draft(item, {"some": {"extra": 1}})
        assert item == before


class Recording(dict[str, Any]):
    """A record that remembers which of its columns were looked at by name."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return default

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        raise KeyError(key)


class TestColumns:
    """The columns that are asked for are the columns that are read."""

    @each_case
    def test_every_column_asked_for_is_read_and_every_column_read_is_asked_for(self, case: Case) -> None:
        record = Recording()
        case.resource.table.into(record)
        asked = {name.split(".")[0] for name in case.resource.table.columns}
        assert asked <= record.read
        # What is no column is a part of the record that the view asks for under its own name.
        assert record.read - asked <= set(case.crm.dialect.view(case.resource))

    @each_case
    def test_a_column_is_asked_for_once(self, case: Case) -> None:
        columns = case.resource.table.columns
        assert len(columns) == len(set(columns))

    @each_case
    def test_a_read_only_field_is_never_sent(self, case: Case) -> None:
        item: Record = {}
        for row in rows(case, read_only=True):
            plant(item, row.ours, "<marked>")
        record, ignored = case.resource.table.out(item)
        assert record == {}
        assert ignored == list(item)

    @each_case
    def test_a_write_only_field_is_never_answered(self, case: Case) -> None:
        record, _ = case.resource.table.out(case.sample())
        item = case.resource.table.into(record)
        assert [row.ours for row in rows(case, write_only=True) if dig(item, row.ours) is not None] == []

    @each_case
    def test_an_answer_holds_only_fields_of_the_contract(self, case: Case) -> None:
        record, _ = case.resource.table.out(case.sample())
        item = case.resource.table.into(record)
        case.schema.response.model_validate({"id": "1", **item})
        assert set(item) <= set(case.schema.readable)

    @each_case
    def test_a_record_without_anything_in_it_has_no_fields(self, case: Case) -> None:
        assert case.resource.table.into({}) == {}

    @each_case
    def test_a_column_that_the_vendor_left_empty_is_left_out(self, case: Case) -> None:
        assert case.resource.table.into(dict.fromkeys(case.resource.table.columns)) == {}

    @each_case
    def test_the_id_and_the_keys_can_be_read(self, case: Case) -> None:
        table = case.resource.table
        assert "id" in table.names(readable=True)
        assert not [row.ours for row in table.rows if row.key and row.write_only]
        if "create" in case.resource.verbs:
            assert [row for row in table.rows if row.key], "a lost create could not be recognised"
            assert "created_at" in table.names(readable=True), "nor could be said when the record was made"


class TestRequired:
    """What a CRM requires is asked for in our words, before anything is sent."""

    @creating
    def test_a_request_with_what_is_required_is_taken(self, case: Case) -> None:
        case.draft(case.least())

    @creating
    def test_each_required_field_is_named_when_it_is_absent(self, case: Case) -> None:
        for name in case.resource.table.names(required=True):
            for absent in (without(case.least(), name), without(case.sample(), name)):
                problem = raised(case.draft, absent)
                assert problem.kind is Kind.MISSING_FIELD
                assert [fault.field for fault in problem.faults] == [name]
                assert problem.faults[0].pointer == "#/" + name.replace(".", "/")
                assert problem.insight["missing_required_body_fields"]["value"] == [name]
                assert name in problem.detail
                assert problem.outcome is Outcome.NOTHING
                assert problem.remote is None

    @creating
    def test_an_empty_text_counts_as_absent(self, case: Case) -> None:
        for name in case.resource.table.names(required=True):
            if isinstance(dig(case.sample(), name), str) and not name.endswith("id"):
                item = case.least()
                plant(item, name, "")
                assert [fault.field for fault in raised(case.draft, item).faults] == [name]

    @creating
    def test_everything_that_is_missing_is_told_at_once(self, case: Case) -> None:
        missing = case.resource.table.names(required=True)
        if not missing and not case.resource.any_of:
            case.draft({})
            return
        problem = raised(case.draft, {})
        grouped = [name for group in case.resource.any_of for name in group]
        assert [fault.field for fault in problem.faults] == [*missing, *grouped]

    @creating
    def test_a_group_of_which_none_is_given_is_named_as_a_group(self, case: Case) -> None:
        for group in case.resource.any_of:
            item = case.sample()
            for name in group:
                item = without(item, name)
            problem = raised(case.draft, item)
            assert problem.kind is Kind.MISSING_FIELD
            assert {fault.field for fault in problem.faults} == set(group)
            assert set(problem.insight["conditionally_required_body_fields"]["value"]) == set(group)

    @creating
    def test_any_one_of_a_group_is_enough(self, case: Case) -> None:
        for group in case.resource.any_of:
            for kept in group:
                item = case.sample()
                for name in set(group) - {kept}:
                    item = without(item, name)
                case.draft(item)

    @creating
    def test_what_remote_data_supplies_counts_as_given(self, case: Case) -> None:
        dialect, table = case.crm.dialect, case.resource.table
        for name in [*table.names(required=True), *(group[0] for group in case.resource.any_of)]:
            # Arrays are replaced, so the body is supplied as a whole.
            body = dialect.seal(case.resource, table.out(case.least())[0])
            rest = without(case.least(), name)
            assert case.draft(rest, deepcopy(body)).body == body

    @creating
    @anything
    @given(data=st.data())
    def test_remote_data_of_any_shape_is_taken_or_refused(self, case: Case, data: st.DataObject) -> None:
        extra = data.draw(garbage(case.crm, case.draft().body).filter(lambda value: isinstance(value, dict)))
        try:
            case.draft(case.sample(), extra)
        except Problem as problem:
            assert problem.kind in (Kind.INVALID, Kind.MISSING_FIELD)  # noqa: PT017 - both ends are right

    @creating
    def test_remote_data_wins_and_leaves_the_rest(self, case: Case) -> None:
        plainly = case.draft(case.least())
        draft = case.draft(case.least(), {"added": {"deep": [1]}})
        assert draft.body == {**plainly.body, "added": {"deep": [1]}}


class TestUnsupported:
    @each_crm
    def test_what_a_crm_cannot_do_is_told_with_a_reason_and_a_page(self, crm: CRM) -> None:
        for offer in crm.resources.values():
            if isinstance(offer, Unsupported):
                assert len(offer.why) > 30
                assert offer.why.endswith(".")
                assert offer.see.startswith("https://")

    @each_crm
    def test_a_crm_names_itself_as_the_registry_does(self, crm: CRM) -> None:
        assert registry.load(crm.name) is crm
        assert crm.title
        assert crm.docs.startswith("https://")
        assert set(crm.hosts) == {"api", "token"}
        assert crm.auth

    @each_crm
    def test_a_crm_has_a_voice_to_be_tested_with(self, crm: CRM) -> None:
        assert voice(crm.name)

    @each_case
    def test_a_resource_stands_under_the_plural_of_its_records(self, case: Case) -> None:
        assert case.schema.plural == case.plural

    def test_those_who_can_create_a_resource_are_offered(self) -> None:
        for plural in {case.plural for case in CASES.values()}:
            expected = [
                crm.name
                for crm in CRMS.values()
                if isinstance(offer := crm.resources.get(plural), Resource) and "create" in offer.verbs
            ]
            assert [crm.name for crm in registry.offering(plural, "create")] == expected


class TestRefusals:
    """Every refusal is a Problem of some kind, and says what became of the CRM's data."""

    @each_crm
    @pytest.mark.parametrize("body", [None, HTML, "", [], {}, [None], {"error": {"code": 1}}], ids=repr)
    def test_every_status_is_classified(self, crm: CRM, body: Any) -> None:
        for status in STATUSES:
            response = Response(status, {}, body, readable=not isinstance(body, str))
            read, write = raised(crm.dialect.check, READ, response), raised(crm.dialect.check, WRITE, response)
            assert read.kind is write.kind
            assert write.kind.startswith("crm-") or write.kind is Kind.NEEDS_REAUTH
            assert write.remote
            assert write.remote.status == status

    @each_crm
    def test_the_class_of_a_status_is_kept(self, crm: CRM) -> None:
        outage = {Kind.CRM_UNAVAILABLE, Kind.CRM_TIMEOUT}
        for status in (*range(300, 309), *range(400, 419), 422, *range(500, 600)):  # beyond: a vendor's own inventions
            kind = raised(crm.dialect.check, WRITE, Response(status)).kind
            assert (kind in outage) is (status >= 500 or status == 408), status

    @each_crm
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (401, Kind.NEEDS_REAUTH),
            (403, Kind.CRM_FORBIDDEN),
            (404, Kind.CRM_NOT_FOUND),
            (408, Kind.CRM_TIMEOUT),
            (409, Kind.CRM_CONFLICT),
            (429, Kind.CRM_RATE_LIMITED),
            (400, Kind.CRM_REJECTED),
            (422, Kind.CRM_REJECTED),
            (500, Kind.CRM_UNAVAILABLE),
            (503, Kind.CRM_UNAVAILABLE),
            (504, Kind.CRM_TIMEOUT),
        ],
    )
    def test_a_status_alone_tells_the_kind(self, crm: CRM, status: int, kind: Kind) -> None:
        assert raised(crm.dialect.check, WRITE, Response(status, {}, None)).kind is kind

    @each_crm
    def test_every_code_is_heard_in_the_vendors_own_words(self, crm: CRM) -> None:
        said = voice(crm.name)
        for code, kind in crm.dialect.codes.items():
            for status in (400, 403, 500):
                problem = raised(crm.dialect.check, WRITE, Response(status, {}, said.refusal(code, "No.")))
                assert problem.kind is kind
                assert problem.remote
                assert (problem.remote.code, problem.remote.message) == (code, "No.")
                assert problem.outcome is (Outcome.UNKNOWN if status == 500 else Outcome.REFUSED)

    @each_crm
    def test_a_code_that_nobody_knows_leaves_the_word_to_the_status(self, crm: CRM) -> None:
        body = voice(crm.name).refusal("NEVER_HEARD_OF", "No.")
        assert raised(crm.dialect.check, WRITE, Response(404, {}, body)).kind is Kind.CRM_NOT_FOUND
        assert raised(crm.dialect.check, WRITE, Response(400, {}, body)).kind is Kind.CRM_REJECTED

    @each_crm
    def test_a_refused_write_did_nothing_and_a_broken_one_may_have_done_it(self, crm: CRM) -> None:
        for status in range(400, 600):
            outcome = raised(crm.dialect.check, WRITE, Response(status)).outcome
            assert outcome is (Outcome.REFUSED if status < 500 and status != 408 else Outcome.UNKNOWN), status

    @each_crm
    def test_a_failed_read_changed_nothing(self, crm: CRM) -> None:
        for status in STATUSES:
            assert raised(crm.dialect.check, READ, Response(status)).outcome is Outcome.NOTHING
        assert raised(crm.dialect.check, READ, Response(200, {}, HTML, readable=False)).outcome is Outcome.NOTHING

    @each_crm
    @pytest.mark.parametrize("status", [200, 201, 204])
    def test_a_write_whose_answer_cannot_be_read_has_an_unknown_outcome(self, crm: CRM, status: int) -> None:
        problem = raised(crm.dialect.check, WRITE, Response(status, {}, HTML, readable=False))
        assert problem.kind is Kind.CRM_UNAVAILABLE
        assert problem.outcome is Outcome.UNKNOWN

    @each_crm
    def test_a_clean_answer_is_no_problem(self, crm: CRM) -> None:
        for body in (None, {}, voice(crm.name).made("1")):
            crm.dialect.check(WRITE, ok(body))

    @each_crm
    def test_only_a_refused_token_is_worth_another_one(self, crm: CRM) -> None:
        assert [status for status in range(200, 600) if crm.dialect.expired(Response(status))] == [401]

    @each_crm
    @anything
    @given(data=st.data())
    def test_a_complaint_is_made_of_any_answer(self, crm: CRM, data: st.DataObject) -> None:
        response = data.draw(responses(crm))
        complaint = crm.dialect.complaint(response)
        assert complaint is None or isinstance(complaint, Complaint)
        if complaint:
            for said in (complaint.code, complaint.message, complaint.existing_id):
                assert said is None or isinstance(said, str)
            assert all(isinstance(name, str) for name in (*complaint.fields, *complaint.missing_scopes))

    @each_crm
    @anything
    @given(data=st.data())
    def test_a_check_of_any_answer_passes_or_is_a_problem(self, crm: CRM, data: st.DataObject) -> None:
        request, response = data.draw(st.sampled_from([READ, WRITE])), data.draw(responses(crm))
        try:
            crm.dialect.check(request, response)
        except Problem as problem:
            assert problem.remote  # noqa: PT017 - both ends are right
            json.dumps(problem.insight)

    @each_crm
    @anything
    @given(data=st.data())
    def test_the_headers_of_any_answer_are_read_or_left(self, crm: CRM, data: st.DataObject) -> None:
        response = data.draw(responses(crm))
        rate = crm.dialect.rate(response)
        assert rate is None or isinstance(rate, Rate)
        assert set(crm.dialect.forward(response)) <= set(response.headers)
        request_id = crm.dialect.request_id(response)
        assert request_id is None or isinstance(request_id, str)

    @each_crm
    def test_no_header_with_a_secret_is_passed_on(self, crm: CRM) -> None:
        names = ["authorization", "set-cookie", "x-api-token", "x-api-key", "www-authenticate"]
        headers: dict[str, str] = dict.fromkeys(names, "s")
        assert crm.dialect.forward(Response(200, headers)) == {}
        assert crm.dialect.forward(Response(429, {"retry-after": "3"})) == {"retry-after": "3"}

    @each_crm
    def test_our_own_words_hold_nothing_that_the_vendor_said(self, crm: CRM) -> None:
        """The vendor may repeat our credentials; the remote part is redacted by the one who knows them."""
        for status in (*STATUSES, 200):
            body = voice(crm.name).refusal("CODE", "your token <marked> is wrong")
            response = Response(status, {"x-echo": "<marked>"}, body, readable=status != 200)
            problem = raised(crm.dialect.check, WRITE, response)
            assert "<marked>" not in problem.detail + str(problem) + repr(problem)
            assert problem.remote
            assert "<marked>" not in str(problem.remote.headers)

    @each_case
    @anything
    @given(data=st.data())
    def test_any_record_is_read_as_far_as_it_goes(self, case: Case, data: st.DataObject) -> None:
        body = data.draw(garbage(case.crm, *records(case)))
        item = case.crm.dialect.answer(case.resource, body).item
        json.dumps(item)
        assert dig(item, "id") is None or isinstance(item["id"], str)

    @each_case
    @anything
    @given(data=st.data())
    def test_any_value_in_a_column_is_read_as_far_as_it_goes(self, case: Case, data: st.DataObject) -> None:
        columns = st.sampled_from(case.resource.table.columns)
        record = data.draw(st.dictionaries(columns, garbage(case.crm), max_size=8))
        json.dumps(case.resource.table.into(record))


def everything(case: Case, partner: Partner) -> list[Talk[Any]]:
    """Every conversation that can be had about a resource."""
    dialect, resource, since = case.crm.dialect, case.resource, minutes(0)
    bare = case.draft(case.least())
    first = case.voice.id(1)
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
    first = case.voice.id(1)
    partner = case.answers(first)
    record = case.record(case.sample(), first, created_at=minutes(1), updated_at=minutes(1))

    def answer(request: Request) -> Reply:
        try:
            return case.voice.listing(request, [record])
        except (KeyError, TypeError, ValueError, AssertionError):
            return partner.answer(request)

    everyone = Partner(answer)
    for index, talk in enumerate(everything(case, everyone)):
        everyone.answer = case.looks_up([record]).answer if index == 2 else partner.answer if index < 5 else answer
        everyone.hold(talk)
    return everyone.requests


class TestRequests:
    """A request says where on a host, never which host."""

    @creating
    def test_a_path_begins_at_the_root_and_names_no_host(self, case: Case) -> None:
        for request in asked(case):
            assert request.path.startswith("/")
            assert not request.path.startswith("//")
            assert not set(request.path) & set("?#\\% ")
            assert "://" not in json.dumps([request.path, dict(request.query), request.json])
            assert ".." not in request.path
            assert request.to == "api"

    @creating
    def test_only_a_change_is_unsafe(self, case: Case) -> None:
        for request in asked(case):
            assert request.method in ("GET", "POST", "PUT", "PATCH", "DELETE")
            if request.method in ("GET", "DELETE"):
                assert request.safe

    @creating
    def test_no_request_signs_itself(self, case: Case) -> None:
        assert not [request for request in asked(case) if request.headers or request.form]

    @each_case
    def test_the_id_stands_at_the_end_of_a_members_path(self, case: Case) -> None:
        id = case.voice.id(9)
        assert case.crm.dialect.member(case.resource, id).rsplit("/", 1)[-1] == id

    @creating
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
                    partner = case.answers(case.voice.id(1))
                    draft = case.draft(without(nameless, row.ours), deepcopy(supplied))
                    partner.hold(talk(case.resource, draft))
                    assert not [each for each in partner.requests if hostile in each.path], row.ours
            except Problem:
                continue


class TestCreate:
    @creating
    @pytest.mark.parametrize("whole", [True, False])
    def test_one_request_at_most_changes_anything(self, case: Case, whole: bool) -> None:
        for item in (case.sample(), case.least()):
            partner = case.answers(case.voice.id(1))
            partner.hold(case.crm.dialect.create(case.resource, case.draft(item), whole=whole))
            assert len(partner.unsafe) == 1

    @creating
    def test_the_draft_is_what_is_sent(self, case: Case) -> None:
        draft, partner = case.draft(), case.answers(case.voice.id(1))
        partner.hold(case.crm.dialect.create(case.resource, draft, passed=(("remote", "yes"),)))
        [request] = partner.unsafe
        assert request.path == case.resource.path
        assert request.passed == (("remote", "yes"),)
        hidden = {name for row in rows(case, write_only=True) for name in row.place.columns}
        for name, value in draft.body.items():
            assert name in hidden or request.json[name] == value

    @creating
    def test_the_answer_is_the_record_as_the_crm_has_it(self, case: Case) -> None:
        id = case.voice.id(1)
        record = case.record(case.sample(2), id, created_at=minutes(3), updated_at=minutes(4))
        answer = case.answers(id, record).hold(case.crm.dialect.create(case.resource, case.draft()))
        if any(request.safe for request in case.answers(id, record).requests):
            expected = case.crm.dialect.answer(case.resource, case.voice.one(record)).item
            assert answer.item == expected
        assert answer.item["id"] == id
        assert not answer.partial

    @creating
    @pytest.mark.parametrize("whole", [True, False])
    def test_the_id_is_always_told(self, case: Case, whole: bool) -> None:
        id = case.voice.id(7)
        answer = case.answers(id).hold(case.crm.dialect.create(case.resource, case.draft(), whole=whole))
        assert answer.item["id"] == id

    @creating
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
        id = case.voice.id(1)
        partner = case.answers(id, read_back=failure)
        answer = partner.hold(case.crm.dialect.create(case.resource, case.draft()))
        assert answer.item["id"] == id
        assert answer.partial or partner.requests[-1] in partner.unsafe

    @creating
    @pytest.mark.parametrize("body", [None, {}, [], "?", {"data": None}, {"properties": None}], ids=repr)
    def test_a_record_that_reads_back_as_nothing_still_has_its_id(self, case: Case, body: Any) -> None:
        id = case.voice.id(1)
        partner = case.answers(id, read_back=ok(body))
        answer = partner.hold(case.crm.dialect.create(case.resource, case.draft()))
        assert answer.item["id"] == id

    @creating
    @anything
    @given(data=st.data())
    def test_a_record_that_reads_back_as_anything_still_has_its_id(self, case: Case, data: st.DataObject) -> None:
        id = case.voice.id(1)
        partner = case.answers(id, read_back=data.draw(responses(case.crm, *records(case))))
        answer = partner.hold(case.crm.dialect.create(case.resource, case.draft()))
        assert isinstance(answer.item["id"], str)

    @creating
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

    @creating
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

    @creating
    def test_a_prerequisite_that_fails_leaves_the_crm_untouched(self, case: Case) -> None:
        for item in (case.sample(), case.least(), without(case.sample(), "title")):
            partner = Partner(lambda request: Response(503) if request.safe else ok(case.voice.made("1"), 201))
            try:
                partner.hold(case.crm.dialect.create(case.resource, case.draft(item)))
            except Problem as problem:
                if not partner.unsafe:
                    assert problem.outcome is Outcome.NOTHING  # noqa: PT017 - both ends are right

    @creating
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
        return case.record(case.sample(seed), case.voice.id(number), created_at=when, updated_at=when)

    @creating
    def test_a_record_with_the_same_keys_made_since_is_adopted(self, case: Case) -> None:
        assert self.look(case, [self.made(case, 1, 11)])[0] == case.voice.id(1)

    @creating
    def test_a_record_made_at_that_very_moment_is_adopted(self, case: Case) -> None:
        assert self.look(case, [self.made(case, 1, 10)])[0] == case.voice.id(1)

    @creating
    def test_a_record_made_before_is_not_adopted(self, case: Case) -> None:
        assert self.look(case, [self.made(case, 1, 9)])[0] is None

    @creating
    def test_a_record_with_other_keys_is_not_adopted(self, case: Case) -> None:
        assert self.look(case, [self.made(case, 1, 11, seed=2)])[0] is None

    @creating
    def test_nothing_is_found_where_there_is_nothing(self, case: Case) -> None:
        assert self.look(case, [])[0] is None

    @creating
    def test_of_several_the_oldest_is_adopted(self, case: Case) -> None:
        records = [
            self.made(case, 1, 5),
            self.made(case, 2, 11, seed=2),
            self.made(case, 3, 13),
            self.made(case, 4, 12),
            self.made(case, 5, 14),
        ]
        assert self.look(case, records)[0] == case.voice.id(4)
        assert self.look(case, records[::-1])[0] == case.voice.id(4)

    @creating
    def test_looking_changes_nothing(self, case: Case) -> None:
        for bodies in ([], [self.made(case, 1, 11)]):
            _, partner = self.look(case, bodies)
            assert partner.requests
            assert not partner.unsafe

    @creating
    def test_a_look_that_fails_does_not_say_that_there_is_no_record(self, case: Case) -> None:
        for reply in (Response(500), Response(429), Problem(Kind.CRM_TIMEOUT, "late"), ok(HTML)):
            failing = reply if not isinstance(reply, Response) else Response(reply.status, {}, HTML, readable=False)
            partner = Partner(lambda _, reply=failing: reply)
            raised(partner.hold, case.crm.dialect.find(case.resource, case.draft(), minutes(0)))

    @creating
    def test_a_record_without_a_time_or_an_id_is_not_adopted(self, case: Case) -> None:
        timeless = case.record(case.sample(), case.voice.id(1))
        assert self.look(case, [timeless])[0] is None

    @creating
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

    @creating
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


listing = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if "list" in case.resource.verbs], ids=[*CASES]
)


class TestList:
    def records(self, case: Case, number: int, apart: float = 1) -> list[Any]:
        return [
            case.record(case.least(), case.voice.id(n), created_at=minutes(0), updated_at=minutes(n * apart))
            for n in range(1, number + 1)
        ]

    def walk(
        self, case: Case, bodies: list[Any], *, limit: int, since: datetime | None = None
    ) -> tuple[list[list[str]], list[Request]]:
        """The ids of each page until the end; each stretch is begun anew from the cursor as it was stored."""
        partner = Partner(lambda request: case.voice.listing(request, bodies))
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

    @listing
    @pytest.mark.parametrize("since", [None, minutes(0)], ids=["all", "changed"])
    @pytest.mark.parametrize("number", [0, 1, 3, 4, 7, 8])
    def test_every_record_is_listed_once(self, case: Case, since: datetime | None, number: int) -> None:
        pages, requests = self.walk(case, self.records(case, number), limit=4, since=since)
        assert [id for page in pages for id in page] == [case.voice.id(n) for n in range(1, number + 1)]
        assert all(len(page) <= 4 for page in pages)
        assert all(request.safe for request in requests)

    @listing
    def test_a_record_that_changes_while_the_list_is_read_hides_no_other(self, case: Case) -> None:
        bodies = self.records(case, 8)

        def answer(request: Request) -> Response:
            told = case.voice.listing(request, bodies)
            if len(partner.requests) == 1:  # when the first page is read, its first record becomes the newest
                changed = case.record(case.least(), case.voice.id(1), created_at=minutes(0), updated_at=minutes(100))
                bodies[:] = [*bodies[1:], changed]
            return told

        partner = Partner(answer)
        dialect, cursor, found = case.crm.dialect, None, set[str]()
        for _ in range(20):
            page = partner.hold(dialect.list(case.resource, since=minutes(0), cursor=cursor, limit=3))
            found |= {each.item["id"] for each in page.answers}
            if (cursor := page.cursor) is None:
                break
        assert found == {case.voice.id(n) for n in range(1, 9)}

    @listing
    def test_records_changed_at_one_moment_are_all_listed_once(self, case: Case) -> None:
        pages, _ = self.walk(case, self.records(case, 7, apart=0), limit=3, since=minutes(0))
        assert [id for page in pages for id in page] == [case.voice.id(n) for n in range(1, 8)]

    @listing
    def test_since_is_in_the_request_and_what_was_changed_before_is_not_in_the_answer(self, case: Case) -> None:
        pages, requests = self.walk(case, self.records(case, 7), limit=3, since=minutes(5))
        assert [id for page in pages for id in page] == [case.voice.id(n) for n in (5, 6, 7)]
        plainly, _ = self.walk(case, self.records(case, 0), limit=3)
        assert plainly == [[]]
        for request in requests:
            told = json.dumps([dict(request.query), request.json])
            assert "2026-05-01T12:" in told or str(int(minutes(5).timestamp() * 1000)) in told

    @listing
    def test_a_moment_within_a_second_loses_nothing(self, case: Case) -> None:
        since = datetime(2026, 5, 1, 12, 5, 0, 400_000, tzinfo=UTC)
        records = [
            case.record(case.least(), case.voice.id(n), created_at=minutes(0), updated_at=at)
            for n, at in enumerate([since, minutes(6)], 1)
        ]
        pages, _ = self.walk(case, records, limit=3, since=since)
        assert [id for page in pages for id in page][-2:] == [case.voice.id(1), case.voice.id(2)]

    @listing
    def test_a_limit_beyond_the_vendors_own_is_cut_to_it(self, case: Case) -> None:
        for since in (None, minutes(0)):
            _, requests = self.walk(case, self.records(case, 3), limit=1_000_000, since=since)
            assert not [request for request in requests if "1000000" in json.dumps([dict(request.query), request.json])]

    @listing
    def test_a_refused_stretch_is_a_problem(self, case: Case) -> None:
        for reply in (Response(429), Response(500), Response(200, {}, HTML, readable=False)):
            problem = raised(script(reply).hold, case.crm.dialect.list(case.resource, limit=5))
            assert problem.outcome is Outcome.NOTHING

    @listing
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
        id = case.voice.id(3)
        record = case.record(case.sample(), id, created_at=minutes(1), updated_at=minutes(2))
        partner = script(ok(case.voice.one(record)))
        answer = partner.hold(case.crm.dialect.get(case.resource, id))
        [request] = partner.requests
        assert (request.method, request.path) == ("GET", case.crm.dialect.member(case.resource, id))
        assert answer.item["id"] == id
        assert answer.raw == case.voice.one(record)
        for name, at in (("created_at", minutes(1)), ("updated_at", minutes(2))):
            if case.resource.table.row(name):
                assert answer.item[name] == rfc3339(at)

    @each_case
    def test_custom_fields_that_were_answered_are_told(self, case: Case) -> None:
        if not any(isinstance(row.place, Named) for row in case.resource.table.rows):
            return
        record = case.record(case.sample(), case.voice.id(3))
        answer = case.crm.dialect.answer(case.resource, case.voice.one(record))
        assert answer.item["custom_fields"] == case.sample()["custom_fields"]

    @each_case
    def test_a_record_that_is_not_there_is_not_found(self, case: Case) -> None:
        problem = raised(script(Response(404)).hold, case.crm.dialect.get(case.resource, case.voice.id(3)))
        assert problem.kind is Kind.CRM_NOT_FOUND
        assert problem.outcome is Outcome.NOTHING

    @each_case
    def test_a_record_is_removed_by_its_id(self, case: Case) -> None:
        if "delete" not in case.resource.verbs:
            return
        id = case.voice.id(3)
        for reply in (Response(204), ok(case.voice.made(id))):
            partner = script(reply)
            assert partner.hold(case.crm.dialect.delete(case.resource, id)) is None
            [request] = partner.requests
            assert (request.method, request.path) == ("DELETE", case.crm.dialect.member(case.resource, id))

    @each_case
    @pytest.mark.parametrize("status", [401, 403, 429, 500])
    def test_a_refused_removal_is_a_problem(self, case: Case, status: int) -> None:
        if "delete" in case.resource.verbs:
            raised(script(Response(status)).hold, case.crm.dialect.delete(case.resource, case.voice.id(3)))
