"""What holds for every CRM. The suite takes its cases from the registry: a CRM is covered by being declared.

What it cannot know by itself, the words in which a CRM answers, stands in tests/crm/voices.
"""

import json
import re
from copy import deepcopy
from datetime import date, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource, Unsupported
from switchboard.crm.codecs import rfc3339
from switchboard.crm.complaint import Complaint
from switchboard.crm.dialect import Rate
from switchboard.crm.mapping import Row
from switchboard.crm.places import Each, Postal, Record, Slots
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Response, dig, get, plant, post
from tests.crm.samples import CASES, CHOICES, Case, below, garbage, items, leaves, marked, responses, texts
from tests.crm.voices import voice
from tests.talk import ok

CRMS = {name: registry.load(name) for name in registry.NAMES}
READ, WRITE = get("/read"), post("/write", {})
HTML = "<!doctype html><title>Sorry</title>"
STATUSES = range(300, 600)

anything = settings(max_examples=100)
"""Nonsense is cheap to make, and most of it gets nowhere."""

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
each_crm = pytest.mark.parametrize("crm", CRMS.values(), ids=CRMS)
CREATABLE = {name: case for name, case in CASES.items() if "create" in case.resource.verbs}
creating = pytest.mark.parametrize("case", CREATABLE.values(), ids=CREATABLE)


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


def written(value: Any) -> Any:
    """A value as answers write it."""
    if isinstance(value, datetime):
        return rfc3339(value)
    return value.isoformat() if isinstance(value, date) else value


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
            if given is None or isinstance(row.place, Slots | Postal | Each):
                continue
            given = written(given)
            # A converted record is written as {id} and answered as a bare id.
            told = dig(back, row.ours)
            assert told == (given or None) or {"id": told} == given

    @each_case
    @given(data=st.data())
    def test_what_was_read_is_written_as_it_was_before(self, case: Case, data: st.DataObject) -> None:
        """The echo of places that fold values together: a first answer may differ from the request, not a second."""
        table = case.resource.table
        folded = [row.ours for row in rows(case) if isinstance(row.place, Each)]
        record, _ = table.out({name: value for name, value in data.draw(items(case)).items() if name not in folded})
        sent = {row.ours.split(".")[0] for row in writable(case)}
        read = {name: value for name, value in table.into(deepcopy(record)).items() if name in sent}
        again = {name: {"id": value} if name.startswith("converted_") else value for name, value in read.items()}
        again = {n: datetime.fromisoformat(str(v)) if n.endswith("_at") else v for n, v in again.items()}
        again = {n: date.fromisoformat(str(v)) if n.endswith("_date") else v for n, v in again.items()}
        kept = {name for row in rows(case, write_only=True) for name in row.place.columns or (case.voice.custom,)}
        resent, ignored = table.out(again)
        assert resent == {name: value for name, value in record.items() if name not in kept}
        assert not ignored

    @each_case
    @given(data=st.data())
    def test_nothing_given_is_lost_in_silence(self, case: Case, data: st.DataObject) -> None:
        item = marked(data.draw(items(case)), count(1), case.voice)
        record, ignored = case.resource.table.out(item)
        sent = "\n".join(texts(record))
        for path, value in leaves(item):
            told = any(below(path, name) for name in ignored)
            shown = [str(written(value)), str(value * 100)] if isinstance(value, int) else [str(written(value))]
            # The type of a value is told by the column that the value is sent in; a choice in the vendor's word.
            assert told or any(each in sent for each in shown) or path.endswith(".type") or value in CHOICES, path

    @each_case
    @given(data=st.data())
    def test_what_is_called_ignored_was_given_and_is_not_sent(self, case: Case, data: st.DataObject) -> None:
        item = marked(data.draw(items(case)), count(1), case.voice)
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
            assert not has_row or isinstance(has_row[0].place, Slots | Postal | Each), name

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
        for row in rows(case):  # a list of objects gets its ids from the vendor
            if isinstance(row.place, Each) and "id" in row.place.parts and row.ours in item:
                item[row.ours] = [{"id": "1", **each} for each in item[row.ours]]
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
            dated = "created_at" in table.names(readable=True)
            assert dated or case.plural in ("pipelines", "stages"), "nor could be said when the record was made"


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
        # ActiveCampaign says of a bad key what it says of a missing right.
        refused = {"activecampaign": [401, 403]}.get(crm.name, [401])
        assert [status for status in range(200, 600) if crm.dialect.expired(Response(status))] == refused

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
    def test_any_value_in_a_column_is_read_as_far_as_it_goes(self, case: Case, data: st.DataObject) -> None:
        columns = st.sampled_from(case.resource.table.columns)
        record = data.draw(st.dictionaries(columns, garbage(case.crm), max_size=8))
        json.dumps(case.resource.table.into(record))
