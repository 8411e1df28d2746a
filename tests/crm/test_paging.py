"""How lists are walked, where several CRMs walk them alike."""

from datetime import UTC, datetime
from typing import Any

import pytest

from switchboard.crm.paging import SEEN, Cursor, Stretch, every, just_before, reached, second, window
from switchboard.crm.wire import Talk, get
from tests.talk import ok, script

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def test_a_moment_just_before_another_is_a_second_early() -> None:
    assert second(just_before(NOON)) == "2026-05-01T11:59:59Z"


def test_nothing_is_asked_for_much_before_the_clock_began() -> None:
    assert second(just_before(datetime(1, 1, 1, tzinfo=UTC))) == "1969-12-31T23:59:59Z"


class TestReached:
    FOUND = (
        {"id": 1, "at": {"when": "2026-05-01T11:59:59Z"}},
        {"id": 2, "at": {"when": "2026-05-01T12:00:00Z"}},
        {"id": 3, "at": {"when": None}},
        {"id": 4, "at": {"when": "2026-05-01T14:00:00+01:00"}},
    )

    def test_what_came_too_early_is_left_out_and_what_does_not_say_stays(self) -> None:
        left = reached(list(self.FOUND), "at.when", NOON)
        assert [each["id"] for each in left] == [2, 3, 4]

    def test_a_part_of_a_second_is_not_asked_for(self) -> None:
        assert len(reached(list(self.FOUND), "at.when", NOON.replace(microsecond=900_000))) == 3

    def test_without_a_moment_all_stay(self) -> None:
        assert len(reached(list(self.FOUND), "at.when", None)) == 4


@pytest.mark.parametrize("pages", [[[1, 2], [3]], [[], [1]], [[]]], ids=repr)
def test_every_stretch_is_read_until_the_last(pages: list[list[Any]]) -> None:
    def step(cursor: Cursor) -> Talk[Stretch]:
        place = int(cursor.get("page", 0))
        body = (yield get("/all", {"page": str(place)})).body
        return body, {"page": place + 1} if place + 1 < len(pages) else None

    partner = script(*(ok(page) for page in pages))
    assert partner.hold(every(step)) == [each for page in pages for each in page]
    assert [request.query["page"] for request in partner.requests] == [str(place) for place in range(len(pages))]


class TestWindow:
    """A list sorted by change, where a position is an offset."""

    def step(self, found: list[Any], cursor: Cursor, following: Any = 3) -> Stretch:
        return window(found, following, cursor, since="2026-05-01T12:00:00Z", write=second, at=("at",))

    def at(self, id: int, minute: int | None) -> dict[str, Any]:
        return {"id": str(id), "at": None if minute is None else f"2026-05-01T12:{minute:02}:00Z"}

    def test_a_page_begins_the_list_anew_at_its_last_moment(self) -> None:
        fresh, cursor = self.step([self.at(1, 1), self.at(2, 2), self.at(3, 2)], {})
        assert len(fresh) == 3
        assert cursor == {"from": "2026-05-01T12:02:00Z", "seen": ["2", "3"]}

    def test_within_one_moment_the_offset_goes_on_and_the_position_stays_small(self) -> None:
        cursor: Cursor = {"from": "2026-05-01T12:02:00Z", "seen": [str(id) for id in range(1000, 1000 + SEEN)]}
        fresh, following = self.step([self.at(id, 2) for id in range(1, 4)], cursor)
        assert len(fresh) == 3
        assert following is not None
        assert following["start"] == 3
        assert len(following["seen"]) == SEEN
        assert following["seen"][-3:] == ["1", "2", "3"]

    def test_a_page_whose_last_record_tells_no_moment_is_not_the_last_page(self) -> None:
        fresh, cursor = self.step([self.at(1, 1), self.at(2, None)], {})
        assert len(fresh) == 2
        assert cursor is not None
        assert cursor["start"] == 3

    def test_it_ends_where_nothing_follows(self) -> None:
        assert self.step([self.at(1, 1)], {}, None)[1] is None
        assert self.step([], {})[1] is None
