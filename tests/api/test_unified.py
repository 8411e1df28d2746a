"""The unified surface: every fault of a request at once, and the three forms of an answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.api import unified
from switchboard.api.unified import FAULTS, HEADER_LENGTH, MEMBERS, Order, listed, order, shape
from switchboard.crm.dialect import Answer
from switchboard.crm.problem import Kind, Problem
from switchboard.models.lead import LEAD
from tests.worlds import ACCOUNT, World, parsed

ID = f"integrated_account_id={ACCOUNT}"
WORLD = World()


def read(body: Any = None, query: str = ID, **headers: str) -> Order:
    """The order in a call."""
    return order(WORLD.call({} if body is None else body, query=query, **headers), LEAD)


def faults(body: Any = None, query: str = ID) -> dict[str, str]:
    """The pointers and codes of everything wrong with a call."""
    with pytest.raises(Problem) as raised:
        read(body, query)
    assert raised.value.kind is Kind.INVALID
    assert all(fault.field in raised.value.detail for fault in raised.value.faults)
    return {fault.pointer: fault.code for fault in raised.value.faults}


# --- the query -------------------------------------------------------------------------------------------------------


def test_what_is_not_said_has_its_default() -> None:
    found = read({"title": "x"})
    assert (found.account_id, found.form, found.ignore_remote_data) == (ACCOUNT, "unified", False)
    assert (found.exclude, found.remote_query, found.remote_data, found.strict) == (frozenset(), (), {}, False)
    assert found.item == {"title": "x"}


@pytest.mark.parametrize("form", ["unified", "normalized", "raw"])
def test_there_are_three_forms(form: str) -> None:
    assert read(query=f"{ID}&truto_response_format={form}").form == form


@pytest.mark.parametrize("form", ["stream", "Raw", "", "raw&truto_response_format=raw"])
def test_another_form_is_a_fault_that_names_the_three(form: str) -> None:
    with pytest.raises(Problem) as raised:
        read(query=f"{ID}&truto_response_format={form}")
    assert "unified, normalized, raw" in raised.value.detail
    assert [fault.field for fault in raised.value.faults] == ["truto_response_format"]


def test_a_missing_account_is_told_as_the_clients_parse_it() -> None:
    with pytest.raises(Problem) as raised:
        read(query="")
    assert raised.value.insight["missing_required_query_parameters"]["value"] == ["integrated_account_id"]


@pytest.mark.parametrize(
    "given", ["", "7", "nope", ACCOUNT[:-1], ACCOUNT + "0", f"{ACCOUNT}&integrated_account_id={ACCOUNT}"]
)
def test_an_account_is_named_by_one_uuid(given: str) -> None:
    assert faults(query=f"integrated_account_id={given}") == {"integrated_account_id": "wrong_type"}


def test_an_account_in_capitals_is_the_same_account() -> None:
    assert read(query=f"integrated_account_id={ACCOUNT.upper()}").account_id == ACCOUNT


@pytest.mark.parametrize(("given", "ignored"), [("true", True), ("false", False)])
def test_a_boolean_is_true_or_false(given: str, ignored: bool) -> None:
    assert read(query=f"{ID}&truto_ignore_remote_data={given}").ignore_remote_data is ignored


@pytest.mark.parametrize("given", ["1", "yes", "True", "", "true&truto_ignore_remote_data=true"])
def test_anything_else_is_no_boolean(given: str) -> None:
    assert faults(query=f"{ID}&truto_ignore_remote_data={given}") == {"truto_ignore_remote_data": "wrong_type"}


EXCLUDED = [
    "truto_exclude_fields[]=id&truto_exclude_fields[]=title",
    "truto_exclude_fields[0]=id&truto_exclude_fields[1]=title",
    "truto_exclude_fields%5B%5D=id&truto_exclude_fields%5B%5D=title",
    "truto_exclude_fields=id&truto_exclude_fields=title",
    "truto_exclude_fields=id,title",
    "truto_exclude_fields=id,%20title,",
    "truto_exclude_fields[]=id,title",
]


@pytest.mark.parametrize("spelling", EXCLUDED)
def test_fields_are_excluded_in_every_spelling(spelling: str) -> None:
    assert read(query=f"{ID}&{spelling}").exclude == {"id", "title"}


@pytest.mark.parametrize("spelling", ["truto_exclude_fields[a]=id", "truto_exclude_fields[][a]=id"])
def test_what_is_no_list_of_names_excludes_nothing(spelling: str) -> None:
    assert faults(query=f"{ID}&{spelling}") == {"truto_exclude_fields": "wrong_type"}


def test_a_remote_query_is_taken_as_an_object_and_made_flat_again() -> None:
    found = read(query=f"{ID}&remote_query[foo][bar]=x&remote_query[dry]=1")
    assert found.remote_query == (("foo[bar]", "x"), ("dry", "1"))


@pytest.mark.parametrize("given", ["remote_query=x", "remote_query[]=x"])
def test_a_remote_query_that_is_no_object_is_a_fault(given: str) -> None:
    assert faults(query=f"{ID}&{given}") == {"remote_query": "wrong_type"}


@pytest.mark.parametrize(("header", "strict"), [("handling=strict", True), ("handling=lenient", False)])
def test_the_caller_may_ask_for_strictness(header: str, strict: bool) -> None:
    assert read(prefer=header).strict is strict


# --- the body --------------------------------------------------------------------------------------------------------

FULL: dict[str, Any] = {
    "title": "Fifty seats",
    "owner": {"id": "1"},
    "contact": {"id": "2"},
    "account": {"id": "3"},
    "custom_fields": {"anything": [1, {"deep": None}]},
    "first_name": "Ada",
    "last_name": "Lovelace",
    "lead_source": "web",
    "email_addresses": [{"email": "ada@example.com", "type": "work"}, {"email": "a@example.com"}],
    "phone_numbers": [{"number": "+351 1", "extension": "7", "type": "work", "email": "x", "is_primary": "true"}],
    "addresses": [{"street_1": "a", "street_2": "b", "city": "c", "state": "d", "postal_code": "e", "country": "f"}],
    "converted_contact": {"id": "4"},
    "converted_account": {"id": "5"},
    "description": "d",
    "industry": "i",
    "website": "w",
    "number_of_employees": 12,
    "name": "n",
    "lead_type": "NEW_BUSINESS",
    "status": "open",
}


def test_every_field_of_the_contract_is_taken() -> None:
    assert read(FULL).item == FULL
    assert set(FULL) == LEAD.writable - {"created_at"}


def test_a_field_that_is_not_given_is_not_made_up() -> None:
    assert read({"title": None}).item == {"title": None}


@pytest.mark.parametrize("field", ["converted_contact", "converted_account"])
@pytest.mark.parametrize("given", ["4", {"id": "4"}])
def test_a_converted_record_is_named_by_a_string_or_an_object(field: str, given: Any) -> None:
    assert read({field: given}).item == {field: {"id": "4"}}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"title": 7}, "#/title"),
    ({"title": True}, "#/title"),
    ({"title": ["x"]}, "#/title"),
    ({"owner": "1"}, "#/owner"),
    ({"owner": {"id": 1}}, "#/owner/id"),
    ({"contact": {"id": 50601}}, "#/contact/id"),
    ({"contact": {"id": ""}}, "#/contact/id"),
    ({"contact": {"id": "../admin"}}, "#/contact/id"),
    ({"contact": {"id": "a/b"}}, "#/contact/id"),
    ({"contact": {"id": "a?b"}}, "#/contact/id"),
    ({"contact": {"id": "x" * 256}}, "#/contact/id"),
    ({"contact": {}}, "#/contact/id"),
    ({"converted_contact": {"id": 4}}, "#/converted_contact/id"),
    ({"email_addresses": "ada@example.com"}, "#/email_addresses"),
    ({"email_addresses": [{"email": "ok"}, {"email": 1}]}, "#/email_addresses/1/email"),
    ({"email_addresses": [{}]}, "#/email_addresses/0/email"),
    ({"phone_numbers": [{"number": "1", "type": "car"}]}, "#/phone_numbers/0/type"),
    ({"custom_fields": []}, "#/custom_fields"),
    ({"number_of_employees": "many"}, "#/number_of_employees"),
    ({"number_of_employees": 1.5}, "#/number_of_employees"),
    ({"number_of_employees": True}, "#/number_of_employees"),
    ({"created_at": "yesterday"}, "#/created_at"),
    ({"created_at": "2026-11-21T09:30:00"}, "#/created_at"),
    ({"created_at": 1_795_253_400}, "#/created_at"),
    ({"remote_data": "x"}, "#/remote_data"),
    ({"remote_data": 7}, "#/remote_data"),
    ({"remote_data": [1]}, "#/remote_data"),
]


@pytest.mark.parametrize(("body", "pointer"), WRONG, ids=[json.dumps(body)[:40] for body, _ in WRONG])
def test_nothing_is_coerced_and_the_fault_points_at_its_place(body: dict[str, Any], pointer: str) -> None:
    assert list(faults(body)) == [pointer]


@pytest.mark.parametrize("empty", [[], "", 0, False])
def test_remote_data_that_is_empty_and_no_object_is_a_fault_like_any_other(empty: Any) -> None:
    assert list(faults({"remote_data": empty})) == ["#/remote_data"]


def test_remote_data_may_be_null() -> None:
    assert read({"remote_data": None}).remote_data == {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"teapot": 1}, "#/teapot"),
        ({"Title": "x"}, "#/Title"),
        ({"id": "1"}, "#/id"),
        ({"a/b~c": 1}, "#/a~1b~0c"),
        ({"owner": {"id": "1", "name": "x"}}, "#/owner/name"),
        ({"email_addresses": [{"email": "x", "label": "y"}]}, "#/email_addresses/0/label"),
    ],
)
def test_a_field_that_is_unknown_is_a_fault(body: dict[str, Any], pointer: str) -> None:
    assert faults(body) == {pointer: "unknown_field"}


def test_every_fault_of_query_and_body_is_told_at_once() -> None:
    body = {"title": 7, "teapot": 1, "contact": {"id": 5}, "email_addresses": [{"email": 1}], "remote_data": "x"}
    query = (
        "integrated_account_id=x&truto_response_format=stream&truto_ignore_remote_data=2"
        "&truto_exclude_fields[a]=1&remote_query=x"
    )
    assert set(faults(body, query)) == {
        "integrated_account_id",
        "truto_response_format",
        "truto_ignore_remote_data",
        "truto_exclude_fields",
        "remote_query",
        "#/remote_data",
        "#/title",
        "#/teapot",
        "#/contact/id",
        "#/email_addresses/0/email",
    }


def test_the_reply_holds_every_fault_with_its_four_members() -> None:
    reply = World().post({"title": 7, "teapot": 1}, query="")
    body = parsed(reply)
    assert reply.status == 400
    assert [set(each) for each in body["errors"]] == [{"pointer", "field", "code", "detail"}] * 3
    assert {each["field"] for each in body["errors"]} == {"integrated_account_id", "title", "teapot"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "email", "x"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*sorted(LEAD.writable), "remote_data", "x"]), VALUES))
def test_whatever_the_body_holds_the_answer_is_an_order_or_a_problem(body: dict[str, Any]) -> None:
    try:
        found = read(json.dumps(body, allow_nan=False).encode())
    except (Problem, ValueError):  # ValueError: infinity, of our own json.dumps
        return
    assert set(found.item) <= LEAD.writable


# --- the answer ------------------------------------------------------------------------------------------------------

RAW = {"id": 7, "name": "x", "Extra": [1]}
ANSWER = Answer({"id": "7", "title": "x", "created_at": "2026-11-21T09:30:00Z", "not_ours": 1}, RAW)


def shaped(query: str = "") -> Any:
    return shape(ANSWER, LEAD, read(query=f"{ID}&{query}"))


def test_unified_is_the_mapped_fields_and_the_vendors_record() -> None:
    assert shaped() == {
        "id": "7",
        "title": "x",
        "created_at": "2026-11-21T09:30:00Z",
        "remote_data": RAW,
    }


def test_unified_leaves_the_vendors_record_out_where_that_was_asked() -> None:
    assert "remote_data" not in shaped("truto_ignore_remote_data=true")


def test_normalized_has_every_field_of_the_schema_and_null_where_there_is_nothing() -> None:
    found = shaped("truto_response_format=normalized")
    assert set(found) == set(LEAD.response.model_fields) - {"remote_data"}
    assert {name for name, value in found.items() if value is not None} == {"id", "title", "created_at"}


def test_raw_is_the_vendors_record_and_nothing_else() -> None:
    assert shaped("truto_response_format=raw") == RAW


def test_excluded_fields_are_gone_and_the_id_may_be_one_of_them() -> None:
    assert set(shaped("truto_exclude_fields=id,remote_data")) == {"title", "created_at"}
    normalized = shaped("truto_response_format=normalized&truto_exclude_fields[]=id")
    assert "id" not in normalized
    assert "title" in normalized


def test_raw_knows_nothing_of_our_fields_so_none_is_excluded() -> None:
    assert shaped("truto_response_format=raw&truto_exclude_fields=id") == RAW


def test_the_parsed_query_and_body_are_kept_for_the_fingerprint() -> None:
    found = read({"title": "x"}, f"{ID}&a[]=1")
    assert found.said == ({"integrated_account_id": ACCOUNT, "a": ["1"]}, {"title": "x"})


def test_the_forms_are_those_of_the_seed() -> None:
    assert unified.FORMS == ("unified", "normalized", "raw")


def test_a_list_of_what_a_person_has_a_few_of_has_an_end() -> None:
    problem = refused({"email_addresses": [1] * 200_000})
    assert len(problem.faults) <= FAULTS
    assert any(fault.field == "email_addresses" and fault.code == "too_long" for fault in problem.faults)


def test_more_faults_than_anybody_reads_are_counted_and_not_told() -> None:
    problem = refused({f"field_{number}": 1 for number in range(300)})
    assert len(problem.faults) == FAULTS
    assert problem.detail.endswith("and 200 more")


def test_a_body_with_more_members_than_any_resource_has_is_refused_at_once() -> None:
    assert len(refused({f"field_{number}": 1 for number in range(MEMBERS + 1)}).faults) == 0


def test_a_list_of_names_for_a_header_is_cut_where_clients_would_choke() -> None:
    names = [f"email_addresses[{number}].type" for number in range(300)]
    shown = listed(names)
    assert len(shown) < HEADER_LENGTH + 20
    assert shown.startswith("email_addresses[0].type, ")
    assert shown.endswith("more")
    assert listed(names[:2]) == "email_addresses[0].type, email_addresses[1].type"


def refused(body: dict[str, Any]) -> Problem:
    with pytest.raises(Problem) as raised:
        read(body)
    return raised.value
