"""How one value changes on its way: out with a sentence when it cannot, in as far as it goes."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.crm.codecs import Codec, moment, number, number_id, plain, ref, rfc3339, same, text, utc

CODECS = {
    "same": same,
    "text": text,
    "number": number,
    "number_id": number_id,
    "moment": moment,
    "ref": ref(),
    "ref id": ref("x", text),
}
ANYTHING: list[Any] = [
    None, True, False, 0, -1, 1.5, float("nan"), float("inf"), "", "x", "9" * 30, [], [1], {}, {"id": None},
    {"id": {"id": 1}}, b"x", "2026-13-01", "20260501", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "2026-05-01T12:00:00+99:99", 10**400,
]  # fmt: skip


class TestMoment:
    @pytest.mark.parametrize(
        ("told", "read"),
        [
            ("2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z"),
            ("2026-05-01T12:00:00.000+0000", "2026-05-01T12:00:00Z"),
            ("2026-05-01T12:00:00.120Z", "2026-05-01T12:00:00.120Z"),
            ("2026-05-01T14:00:00+02:00", "2026-05-01T12:00:00Z"),
            ("2026-05-01 12:00:00", "2026-05-01T12:00:00Z"),
            ("2026-05-01", "2026-05-01T00:00:00Z"),
            ("soon", None),
            ("", None),
            (None, None),
            (1773300826615, None),
        ],
    )
    def test_a_vendors_time_is_read_as_rfc_3339_in_utc(self, told: Any, read: str | None) -> None:
        assert moment.into(told) == read

    @given(when=st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - naive by design
    def test_a_time_goes_out_in_utc_and_comes_back_the_same(self, when: datetime) -> None:
        out = moment.out(when)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", out)
        back = utc(out)
        assert back
        assert abs(back - when) < timedelta(milliseconds=1)
        assert moment.into(out) == out

    def test_milliseconds_are_told_only_where_there_are_some(self) -> None:
        assert rfc3339(datetime(2026, 5, 1, tzinfo=UTC)) == "2026-05-01T00:00:00Z"
        assert rfc3339(datetime(2026, 5, 1, microsecond=1000, tzinfo=UTC)) == "2026-05-01T00:00:00.001Z"

    def test_a_time_without_a_zone_is_utc(self) -> None:
        assert utc("2026-05-01T12:00:00") == datetime(2026, 5, 1, 12, tzinfo=UTC)
        assert utc("2026-05-01T12:00:00+02:00") == datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))

    @pytest.mark.parametrize("told", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_a_time_beyond_the_calendar_is_no_moment(self, told: str) -> None:
        assert utc(told) is None


class TestIds:
    @given(number=st.integers(0, 10**19 - 1))
    def test_a_number_goes_out_as_a_number_and_comes_back_as_text(self, number: int) -> None:
        assert number_id.out(str(number)) == number
        assert number_id.into(number) == str(number)

    @pytest.mark.parametrize("given_", ["", "x", "-1", "1.0", " 1", "1_0", "٣", "²", "9" * 20, None, 7, True])
    def test_what_is_no_whole_number_is_refused_in_a_sentence(self, given_: Any) -> None:
        with pytest.raises(ValueError, match="be a whole number"):
            number_id.out(given_)

    def test_a_reference_is_wrapped_and_unwrapped(self) -> None:
        assert ref().out("5") == {"id": "5"}
        assert ref().into({"id": 5}) == "5"
        assert ref("value", number_id).out("5") == {"value": 5}
        assert ref().into("5") is None


@pytest.mark.parametrize(("one", "other"), [("Web", " WEB\n"), ("Straße", "STRASSE"), (7, "7")])
def test_names_are_alike_whatever_their_case(one: Any, other: Any) -> None:
    assert plain(one) == plain(other)


class TestText:
    @pytest.mark.parametrize(("told", "read"), [(1, "1"), (1.5, "1.5"), (True, "true"), ("x", "x"), (None, None)])
    def test_a_plain_value_is_written_out(self, told: Any, read: str | None) -> None:
        assert text.into(told) == read


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("told", ANYTHING, ids=repr)
def test_reading_never_raises(codec: Codec, told: Any) -> None:
    codec.into(told)


@pytest.mark.parametrize("codec", [text, number_id, moment, ref()], ids=["text", "number_id", "moment", "ref"])
@pytest.mark.parametrize("told", [{"a": 1}, [1], {"id": {"x": 1}}], ids=repr)
def test_what_is_no_plain_value_is_not_written_out_as_python(codec: Codec, told: Any) -> None:
    assert codec.into(told) is None
