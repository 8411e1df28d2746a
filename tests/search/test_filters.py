"""Conditions: what each operator means for each kind of field, and every fault of a request at its place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.crm.problem import Fault
from switchboard.ports import Owner, Stored
from switchboard.search import filters, index
from switchboard.search.fields import ALIASES, CUSTOM_NAME, FIELDS, OPERATORS, Kind, field
from switchboard.search.filters import LENGTH, MOST, MOST_VALUES, Either, Spoken
from switchboard.search.keeping import Whose, stored

WHOSE = Whose("acme01", "acc-1", "acme")
OWNERS = {"o1": Owner("Charles Babbage", "Charles@Engines.example")}


def person(**given: Any) -> Stored:
    return stored(WHOSE, {"id": "r1", **given})


def condition(name: Any, operator: Any, *value: Any, **more: Any) -> dict[str, Any]:
    """A condition as a caller writes it."""
    given = {"value": value[0]} if value else {}
    return {"field": name, "operator": operator, **given, **more}


def read(given: Any) -> tuple[Any, list[Fault]]:
    faults: list[Fault] = []
    return filters.read(given, faults), faults


def holds(asked: dict[str, Any], contact: Stored) -> bool:
    clauses, faults = read([asked])
    assert not faults, faults
    return all(each.holds(contact, OWNERS) for each in clauses)


FULL = person(
    first_name="Ada",
    name="Ada Lovelace",
    emails=[{"email": "Ada@Engines.example"}, {"email": "al@home.example"}],
    phones=[{"number": "+1 (555) 0100"}],
    company={"id": "C1", "name": "Analytical  Engines"},
    owner={"id": "o1", "name": "as it was"},
    tags=["VIP", "Lead Gen"],
    lead_status="Open",
    addresses=[{"city": "London", "country": "UK"}, {"city": "Paris"}],
    custom_fields={
        "score": 7,
        "ratio": 2.0,
        "won": True,
        "plan": "Gold",
        "many": ["a", "B"],
        "none": "",
        "deep": {"a": 1},
    },
    created_at="2026-05-01T12:00:00Z",
    updated_at="2026-05-02T12:00:00.5Z",
)
EMPTY = person()


def many(name: str, operator: str, *values: Any) -> dict[str, Any]:
    return {"field": name, "operator": operator, "values": list(values)}


MEANT: dict[Kind, list[tuple[dict[str, Any], bool]]] = {
    "text": [
        (condition("first_name", "eq", "ADA"), True),
        (condition("first_name", "eq", "Ad"), False),
        (condition("first_name", "neq", "ada"), False),
        (condition("first_name", "neq", "Bea"), True),
        (many("first_name", "in", "Bea", "ada"), True),
        (many("first_name", "in", "Bea", "Cy"), False),
        (many("first_name", "not_in", "Bea", "ada"), False),
        (many("first_name", "not_in", "Bea", "Cy"), True),
        (condition("company.name", "eq", "analytical engines"), True),
        (condition("company.name", "contains", "CAL ENG"), True),
        (condition("company.name", "contains", "steam"), False),
        (condition("company.name", "not_contains", "cal eng"), False),
        (condition("company.name", "not_contains", "steam"), True),
        (condition("company.name", "starts_with", "analytical e"), True),
        (condition("company.name", "starts_with", "engines"), False),
        (condition("tags", "eq", "vip"), True),
        (condition("tags", "neq", "vip"), False),
        (condition("tags", "starts_with", "lead"), True),
        (condition("tags", "is_not_empty"), True),
        (condition("tags", "is_empty"), False),
        (condition("title", "is_empty"), True),
        (condition("title", "is_not_empty"), False),
        (condition("title", "eq", "CTO"), False),
        (condition("title", "neq", "CTO"), True),
        (condition("title", "not_contains", "CTO"), True),
        (condition("emails", "eq", "al@home.example"), True),
        (condition("email", "eq", "ADA@engines.example"), True),
        (condition("domain", "eq", "home.example"), True),
        (condition("domain", "eq", "ada@engines.example"), False),
        (condition("addresses.city", "eq", "paris"), True),
        (condition("owner.name", "eq", "charles babbage"), True),
        (condition("owner.name", "eq", "as it was"), False),
        (condition("owner.email", "eq", "charles@engines.example"), True),
    ],
    "id": [
        (condition("company.id", "eq", "C1"), True),
        (condition("company.id", "eq", "c1"), False),
        (condition("company.id", "neq", "C1"), False),
        (condition("company.id", "neq", "c1"), True),
        (many("owner.id", "in", "o2", "o1"), True),
        (many("owner.id", "not_in", "o2", "o3"), True),
        (many("owner.id", "not_in", "o1"), False),
        (condition("owner.id", "is_empty"), False),
        (condition("owner.id", "is_not_empty"), True),
        (condition("id", "eq", FULL.id), True),
        (condition("source.crm", "eq", "acme"), True),
        (condition("source.integrated_account_id", "eq", "acc-1"), True),
        (condition("integrated_account_id", "eq", "acc-2"), False),
        (condition("source.remote_id", "eq", "r1"), True),
    ],
    "digits": [
        (condition("phones", "eq", "1-555-0100"), True),
        (condition("phones", "eq", "555-0100"), False),
        (condition("phone", "contains", "555 01"), True),
        (condition("phones", "not_contains", "999"), True),
        (condition("phones", "starts_with", "+1 5"), True),
        (condition("phones", "neq", "15550100"), False),
        (many("phones", "in", "1", "15550100"), True),
        (many("phones", "not_in", "15550100"), False),
        (condition("phones", "is_empty"), False),
        (condition("phones", "is_not_empty"), True),
    ],
    "moment": [
        (condition("created_at", "eq", "2026-05-01T14:00:00+02:00"), True),
        (condition("created_at", "neq", "2026-05-01T12:00:00Z"), False),
        (condition("created_at", "gt", "2026-05-01T12:00:00Z"), False),
        (condition("created_at", "gt", "2026-05-01T11:59:59.999Z"), True),
        (condition("created_at", "gte", "2026-05-01T12:00:00Z"), True),
        (condition("created_at", "lt", "2026-05-01T12:00:00Z"), False),
        (condition("created_at", "lt", "2026-05-01T12:00:00.001Z"), True),
        (condition("created_at", "lte", "2026-05-01T12:00:00Z"), True),
        (many("created_at", "between", "2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z"), True),
        (many("created_at", "between", "2026-05-02T00:00:00Z", "2026-05-01T00:00:00Z"), False),
        (many("updated_at", "in", "2026-05-02T12:00:00.500Z", "2026-05-01T12:00:00Z"), True),
        (many("updated_at", "not_in", "2026-05-02T12:00:00.500Z"), False),
        (condition("last_activity_at", "is_empty"), True),
        (condition("last_activity_at", "is_not_empty"), False),
        (condition("last_activity_at", "lt", "2030-01-01T00:00:00Z"), False),
    ],
    "custom": [
        (condition("custom_fields.score", "eq", 7), True),
        (condition("custom_fields.score", "eq", 7.0), True),
        (condition("custom_fields.score", "eq", "7"), False),
        (condition("custom_fields.score", "neq", 7), False),
        (condition("custom_fields.score", "gt", 6.5), True),
        (condition("custom_fields.score", "gt", "6"), False),
        (condition("custom_fields.score", "gte", 7), True),
        (condition("custom_fields.score", "lt", 7), False),
        (condition("custom_fields.score", "lte", 7), True),
        (many("custom_fields.score", "between", 1, 10), True),
        (many("custom_fields.score", "between", "1", 10), False),
        (many("custom_fields.score", "in", 1, 7), True),
        (many("custom_fields.score", "not_in", 1, 7), False),
        (condition("custom_fields.score", "contains", "7"), True),
        (condition("custom_fields.ratio", "eq", 2), True),
        (condition("custom_fields.won", "eq", True), True),
        (condition("custom_fields.won", "eq", 1), False),
        (condition("custom_fields.won", "starts_with", "TR"), True),
        (condition("custom_fields.plan", "eq", "GOLD"), True),
        (condition("custom_fields.plan", "gt", "Fold"), True),
        (condition("custom_fields.plan", "not_contains", "old"), False),
        (condition("custom_fields.many", "eq", "b"), True),
        (condition("custom_fields.none", "is_empty"), True),
        (condition("custom_fields.deep", "is_empty"), True),
        (condition("custom_fields.never", "is_empty"), True),
        (condition("custom_fields.won", "is_not_empty"), True),
    ],
}


@pytest.mark.parametrize(("asked", "meant"), [each for told in MEANT.values() for each in told], ids=str)
def test_what_an_operator_means(asked: dict[str, Any], *, meant: bool) -> None:
    assert holds(asked, FULL) is meant


@pytest.mark.parametrize("kind", OPERATORS)
def test_every_operator_of_every_kind_is_held_against_a_contact(kind: Kind) -> None:
    assert {asked["operator"] for asked, _ in MEANT[kind]} == set(OPERATORS[kind])


def asked_of(name: str, operator: str) -> dict[str, Any]:
    """Some condition of that field."""
    kind = found.kind if (found := field(name)) else "text"
    value = {"moment": "2026-05-01T12:00:00Z", "digits": "15550100"}.get(kind, "a")
    if operator in filters.NONE:
        return condition(name, operator)
    count = 2 if operator == "between" else 1
    return many(name, operator, *[value] * count) if operator in filters.MANY else condition(name, operator, value)


EVERY = [(name, operator) for name in (*FIELDS, *ALIASES, "custom_fields.x") for operator in OPERATORS["custom"]]


@pytest.mark.parametrize(("name", "operator"), EVERY)
def test_every_field_takes_the_operators_of_its_kind_and_no_others(name: str, operator: Any) -> None:
    known = field(name)
    assert known
    clauses, faults = read([asked_of(name, operator)])
    if operator in OPERATORS[known.kind]:
        assert (len(clauses), faults) == (1, [])
    else:
        assert [(each.field, each.code, each.pointer) for each in faults] == [
            ("filters[0].operator", "unknown_operator", "#/filters/0/operator")
        ]
        assert all(each in faults[0].detail for each in OPERATORS[known.kind])


NEGATIONS = ("neq", "not_in", "not_contains", "is_empty")
LACKING = [(name, each) for name in FIELDS if not name.startswith(("source.", "id")) for each in FIELDS[name].operators]


@pytest.mark.parametrize(("name", "operator"), LACKING)
def test_who_has_no_value_meets_every_negation_and_nothing_else(name: str, operator: str) -> None:
    assert holds(asked_of(name, operator), EMPTY) is (operator in NEGATIONS)


# --- groups ----------------------------------------------------------------------------------------------------------

YES, NO = condition("first_name", "eq", "ada"), condition("first_name", "eq", "bea")


@pytest.mark.parametrize(("asked", "meant"), [
    ([], True), ([YES, YES], True), ([YES, NO], False),
    ([{"group": "or", "filters": [NO, YES]}], True), ([{"group": "or", "filters": [NO, NO]}], False),
    ([{"group": "and", "filters": [YES, YES]}], True), ([{"group": "and", "filters": [YES, NO]}], False),
    ([YES, {"group": "or", "filters": [NO, YES]}], True), ([NO, {"group": "or", "filters": [YES, YES]}], False),
    ([{"group": "or", "filters": [YES]}, {"group": "or", "filters": [NO]}], False),
])  # fmt: skip
def test_filters_are_joined_by_and_and_groups_by_what_they_say(asked: list[Any], *, meant: bool) -> None:
    clauses, faults = read(asked)
    assert not faults
    assert all(each.holds(FULL, OWNERS) for each in clauses) is meant


def test_a_group_of_and_is_as_if_it_were_not_there() -> None:
    assert read([{"group": "and", "filters": [YES, NO]}]) == read([YES, NO])
    assert isinstance(read([{"group": "or", "filters": [YES, NO]}])[0][0], Either)


# --- faults ----------------------------------------------------------------------------------------------------------

TOO_LONG = "custom_fields." + "x" * (CUSTOM_NAME + 1)
MOMENT = "has to be a moment in RFC 3339, such as 2026-06-01T00:00:00Z"
FAULTS: list[tuple[Any, str, str, str]] = [
    ("all", "", "wrong_type", "filters"),
    ({}, "", "wrong_type", "filters"),
    (["x"], "/0", "wrong_type", "filters[0]"),
    ([None], "/0", "wrong_type", "filters[0]"),
    ([{}], "/0/field", "required", "filters[0].field"),
    ([condition("shoe", "eq", "a")], "/0/field", "unknown_field", "filters[0].field"),
    ([condition(7, "eq", "a")], "/0/field", "unknown_field", "filters[0].field"),
    ([condition("custom_fields.", "eq", "a")], "/0/field", "unknown_field", "filters[0].field"),
    ([condition(TOO_LONG, "eq", "a")], "/0/field", "unknown_field", "filters[0].field"),
    ([condition("name", "like", "a")], "/0/operator", "unknown_operator", "filters[0].operator"),
    ([condition("name", None, "a")], "/0/operator", "unknown_operator", "filters[0].operator"),
    ([condition("name", ["eq"], "a")], "/0/operator", "unknown_operator", "filters[0].operator"),
    ([condition("name", "eq")], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("name", "eq", 7)], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("name", "eq", ["a"])], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("name", "eq", " ")], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("name", "eq", "\U0010ffff")], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("name", "eq", "x" * (LENGTH + 1))], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("phones", "eq", "none")], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("created_at", "gt", "2026-06-01")], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("created_at", "gt", "2026-13-01T00:00:00Z")], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("created_at", "gt", 1_795_253_400)], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("custom_fields.a", "eq", None)], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("custom_fields.a", "eq", {"b": 1})], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("custom_fields.a", "contains", 7)], "/0/value", "wrong_type", "filters[0].value"),
    ([condition("name", "eq", "a", values=["a"])], "/0/values", "unexpected", "filters[0].values"),
    ([condition("name", "in", "a", values=["a"])], "/0/value", "unexpected", "filters[0].value"),
    ([condition("name", "is_empty", "a")], "/0/value", "unexpected", "filters[0].value"),
    ([condition("name", "is_empty", values=[])], "/0/values", "unexpected", "filters[0].values"),
    ([condition("name", "in")], "/0/values", "wrong_type", "filters[0].values"),
    ([condition("name", "in", values=[])], "/0/values", "wrong_type", "filters[0].values"),
    ([condition("name", "in", values="a")], "/0/values", "wrong_type", "filters[0].values"),
    ([many("name", "in", "a", 7)], "/0/values/1", "wrong_type", "filters[0].values[1]"),
    ([many("name", "in", *["a"] * (MOST_VALUES + 1))], "/0/values", "too_many", "filters[0].values"),
    ([many("created_at", "between", "2026-06-01T00:00:00Z")], "/0/values", "invalid_value", "filters[0].values"),
    ([many("created_at", "between", *["2026-06-01T00:00:00Z"] * 3)], "/0/values", "invalid_value", "filters[0].values"),
    ([{**YES, "negate": True}], "/0/negate", "unknown_field", "filters[0].negate"),
    ([{**YES, "a/b~c.d[0]": 1}], "/0/a~1b~0c.d[0]", "unknown_field", "filters[0].a/b~c.d[0]"),
    ([{"group": "xor", "filters": [YES]}], "/0/group", "unknown_value", "filters[0].group"),
    ([{"group": None, "filters": [YES]}], "/0/group", "unknown_value", "filters[0].group"),
    ([{"group": "or"}], "/0/filters", "wrong_type", "filters[0].filters"),
    ([{"group": "or", "filters": []}], "/0/filters", "wrong_type", "filters[0].filters"),
    ([{"group": "or", "filters": {}}], "/0/filters", "wrong_type", "filters[0].filters"),
    ([{"group": "or", "filters": ["x"]}], "/0/filters/0", "wrong_type", "filters[0].filters[0]"),
    ([{"group": "or", "filters": [YES], "field": "name"}], "/0/field", "unknown_field", "filters[0].field"),
    ([{"group": "or", "filters": [YES, {"group": "or", "filters": [YES]}]}], "/0/filters", "too_deep",
     "filters[0].filters"),
    ([{"group": "or", "filters": [YES, condition("x", "eq", "a")]}], "/0/filters/1/field", "unknown_field",
     "filters[0].filters[1].field"),
    ([YES] * (MOST + 1), "", "too_many", "filters"),
    ([{"group": "or", "filters": [YES] * MOST}, YES], "", "too_many", "filters"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "pointer", "code", "name"), FAULTS)
def test_a_fault_is_named_at_its_place(asked: Any, pointer: str, code: str, name: str) -> None:
    _, faults = read(asked)
    assert [(each.pointer, each.code, each.field) for each in faults] == [(f"#/filters{pointer}", code, name)]
    assert faults[0].detail


def test_all_faults_are_told_at_once() -> None:
    wrong = [each[0][0] for each in FAULTS if isinstance(each[0], list) and len(each[0]) == 1]
    for start in range(0, len(wrong), MOST // 4):
        part = wrong[start : start + MOST // 4]
        _, faults = read([YES, *part])
        assert len(faults) == len(part)
        assert {each.pointer.split("/")[2] for each in faults} == {str(place + 1) for place in range(len(part))}


def test_every_value_of_several_is_looked_at() -> None:
    _, faults = read([many("created_at", "in", "x", "2026-06-01T00:00:00Z", "y")])
    assert [each.pointer for each in faults] == ["#/filters/0/values/0", "#/filters/0/values/2"]
    assert {each.detail for each in faults} == {MOMENT}


@pytest.mark.parametrize("asked", [None, [], [YES] * MOST, [{"group": "or", "filters": [YES] * MOST}],
                                   [condition("name", "eq", "x" * LENGTH)], [many("name", "in", *["a"] * MOST_VALUES)],
                                   [condition("name", "eq", "a", values=None)],
                                   [condition("custom_fields." + "x" * CUSTOM_NAME, "eq", 0)]])  # fmt: skip
def test_as_much_as_is_allowed_is_taken(asked: Any) -> None:
    assert read(asked)[1] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.sampled_from(
        ["or", "and", "name", "custom_fields.x", "created_at", "phones", "eq", "in", "between", "2026-06-01T00:00:00Z"]
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["field", "operator", "value", "values", "group", "filters", "x"]), inner, max_size=5
    ),
    max_leaves=25,
)  # fmt: skip


@given(JSON)
def test_whatever_is_sent_is_read_or_refused(asked: Any) -> None:
    clauses, faults = read(asked)
    assert all(each.pointer.startswith("#/filters") for each in faults)
    if not faults:
        assert isinstance([each.holds(FULL, OWNERS) for each in clauses], list)


# --- what was typed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "meant"), [
    ("ada", True), ("ad lov", True), ("love ada", True), ("engines", True), ("analyt", True), ("home", True),
    ("da", False), ("ada bea", False), ("london", False), ("vip", False),
])  # fmt: skip
def test_every_word_that_was_typed_begins_one_of_the_contact(typed: str, *, meant: bool) -> None:
    assert Spoken(tuple(index.words(typed))).holds(FULL, OWNERS) is meant
