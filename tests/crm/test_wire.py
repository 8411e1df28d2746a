"""What travels: total readers of JSON, and what makes a request safe."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.crm.wire import Request, Response, Talk, delete, dig, get, inside, many, merged, passing, plant, post
from tests.talk import Partner

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc0"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


class TestDig:
    @pytest.mark.parametrize(
        ("path", "value"),
        [("a", {"b": [{"c": 1}, 2]}), ("a.b.0.c", 1), ("a.b.1", 2), ("a.b.2", None), ("a.x", None), ("a.b.-1", None)],
    )
    def test_it_follows_a_path_as_far_as_it_leads(self, path: str, value: Any) -> None:
        assert dig({"a": {"b": [{"c": 1}, 2]}}, path) == value

    @pytest.mark.parametrize("json", [None, "text", b"bytes", 7, [], {}])
    def test_a_path_that_leaves_the_document_leads_to_nothing(self, json: Any) -> None:
        assert dig(json, "0.a") is None

    @given(json=JSON, path=st.lists(st.text("abc01²٣.-", max_size=2), min_size=1, max_size=4).map(".".join))
    def test_it_never_raises(self, json: Any, path: str) -> None:
        dig(json, path)

    @given(json=OBJECTS, value=JSON)
    def test_what_was_planted_is_dug_up(self, json: dict[str, Any], value: Any) -> None:
        plant(json, "new.deep", value)
        assert dig(json, "new.deep") == value


class TestMany:
    @given(json=JSON)
    def test_it_answers_objects_only(self, json: Any) -> None:
        assert all(isinstance(each, dict) for each in many({"a": json}, "a"))

    def test_it_leaves_out_what_is_no_object(self) -> None:
        assert many({"a": [{"b": 1}, None, 2, "x", [3]]}, "a") == [{"b": 1}]
        assert many({"a": {"b": 1}}, "a") == []


class TestInside:
    def test_a_record_is_taken_out_of_its_envelope(self) -> None:
        assert inside({"data": {"id": 1}}, "data") == {"id": 1}
        assert inside({"data": {"id": 1}, "success": True}, "data", "success") == {"id": 1}

    @pytest.mark.parametrize("body", [None, "x", [1], {"id": 1}, {"data": None}, {"data": [1]}], ids=repr)
    def test_what_is_in_none_is_the_body_itself(self, body: Any) -> None:
        assert inside(body, "data") == body

    def test_a_record_that_has_such_a_key_is_no_envelope(self) -> None:
        assert inside({"data": {"id": 1}}, "data", "success") == {"data": {"id": 1}}


class TestMerged:
    def test_objects_merge_and_everything_else_is_replaced(self) -> None:
        under = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
        assert merged(under, {"a": {"c": [3]}, "d": {"e": 1}}) == {"a": {"b": 1, "c": [3]}, "d": {"e": 1}}
        assert under == {"a": {"b": 1, "c": [1, 2]}, "d": 1}

    @given(under=OBJECTS, over=OBJECTS)
    def test_what_is_laid_over_wins(self, under: Any, over: Any) -> None:
        both = merged(under, over)
        assert merged(both, over) == both
        assert {**both, **dict.fromkeys(over)} == {**under, **dict.fromkeys(over)}

    @given(under=OBJECTS)
    def test_nothing_laid_over_changes_nothing(self, under: Any) -> None:
        assert merged(under, {}) == under


class TestRequest:
    def test_a_read_and_a_removal_may_be_repeated_and_a_write_may_not(self) -> None:
        assert get("/a").safe
        assert delete("/a").safe
        assert not post("/a", {}).safe
        assert post("/a", {}, safe=True).safe
        assert not Request("PATCH", "/a").safe

    def test_a_request_is_for_the_api_unless_it_says_otherwise(self) -> None:
        assert get("/a").to == "api"

    def test_a_2xx_is_ok(self) -> None:
        assert [status for status in range(100, 600) if Response(status).ok] == list(range(200, 300))


def test_what_is_looked_at_before_a_change_is_not_narrowed_by_a_caller() -> None:
    def talk() -> Talk[None]:
        yield get("/deals")
        yield delete("/pipelines/1")

    partner = Partner(lambda _: Response(200))
    partner.hold(passing(talk(), (("a", "b"),), reads=False))
    assert [request.passed for request in partner.requests] == [(), (("a", "b"),)]
    partner.requests.clear()
    partner.hold(passing(talk(), (("a", "b"),)))
    assert [request.passed for request in partner.requests] == [(("a", "b"),), ()]
