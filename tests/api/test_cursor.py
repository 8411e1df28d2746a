"""A cursor is ours, whole, and of one list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.api.cursor import LENGTH, seal, unseal
from switchboard.crm.problem import Kind, Problem

KEY, WHERE = b"a key", ["acme01", "an account", "leads", None, False, None, 25]


def refused(cursor: str, key: bytes = KEY, where: object = WHERE) -> None:
    with pytest.raises(Problem) as caught:
        unseal(key, where, cursor)
    assert caught.value.kind is Kind.INVALID
    assert [fault.field for fault in caught.value.faults] == ["next_cursor"]


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text() | st.lists(st.text(), max_size=3), max_size=4))
def test_a_position_comes_back_as_it_was(position: dict[str, object]) -> None:
    assert unseal(KEY, WHERE, seal(KEY, WHERE, position)) == position


@given(st.text(max_size=60))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    refused(text)


def test_a_cursor_of_which_one_character_is_changed_is_refused() -> None:
    cursor = seal(KEY, WHERE, {"start": 25})
    for index, letter in enumerate(cursor[:-1]):
        refused(cursor[:index] + ("A" if letter != "A" else "B") + cursor[index + 1 :])


@pytest.mark.parametrize("index", range(7))
def test_a_cursor_is_good_for_the_list_that_it_began_with(index: int) -> None:
    other = [*WHERE]
    other[index] = "other"
    refused(seal(KEY, WHERE, {"start": 25}), where=other)


def test_a_cursor_is_good_while_the_key_stands() -> None:
    refused(seal(KEY, WHERE, {"start": 25}), key=b"another")


def test_what_is_far_too_long_is_not_looked_at() -> None:
    refused("A" * (LENGTH + 1))


def test_a_cursor_stands_in_an_url_as_it_is() -> None:
    cursor = seal(KEY, WHERE, {"at": "2026-05-01T12:00:00+00:00", "seen": ["ü/?"]})
    assert cursor.replace("-", "").replace("_", "").isalnum()
