"""What callers may send, and what they may not."""

from typing import Any, get_args
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from switchboard.models.lead import LEAD, Lead, LeadInput
from switchboard.models.values import Count, Id, Moment

ID = TypeAdapter[str](Id)


def taken(**given_: Any) -> dict[str, Any]:
    return LeadInput.model_validate(given_).model_dump(exclude_unset=True)


def refused(**given_: Any) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        LeadInput.model_validate(given_)
    return [(fault["loc"], fault["type"]) for fault in caught.value.errors()]


def accepts(id: str) -> bool:
    try:
        ID.validate_python(id, strict=True)
    except ValidationError:
        return False
    return True


class TestIds:
    @given(id=st.text(max_size=20) | st.text("ab./?#\\% \n\t\x00\x7f", max_size=6))
    def test_an_id_never_leaves_its_place_in_a_path(self, id: str) -> None:
        if accepts(id):
            assert id
            assert not set(id) & set("/?#\\%")
            assert id not in (".", "..")
            assert not any(letter.isspace() for letter in id if letter.isprintable())

    def test_an_id_has_no_control_characters(self) -> None:
        """The sender's library refuses such an address with an error of its own."""
        codes = [*range(0x20), 0x7F, 0x85, 0xA0, 0x2028]
        assert [code for code in codes if accepts(f"1{chr(code)}2") or accepts(chr(code))] == []

    @pytest.mark.parametrize(
        "id", ["", ".", "..", ".hidden", "a/b", "../x", "a?b", "a#b", "a%2f", "a b", "a\n", "a\\b", "x" * 256]
    )
    def test_an_id_that_could_mean_another_place_is_refused(self, id: str) -> None:
        assert not accepts(id)

    @pytest.mark.parametrize(
        "id", ["1", "00Q5e00000abcde", "c750ba60-5048-11f1-bc07-9325c0fa40f5", "a.b", "a_b:c", "x" * 255]
    )
    def test_the_ids_of_vendors_are_taken(self, id: str) -> None:
        assert accepts(id)
        assert quote(id, safe=":") == id

    @pytest.mark.parametrize("id", [1, 1.5, True, None, ["1"], {"id": "1"}], ids=repr)
    def test_an_id_is_text(self, id: Any) -> None:
        assert refused(contact={"id": id})


class TestStrictness:
    def test_an_unknown_field_is_refused_at_every_depth(self) -> None:
        assert refused(nickname="x") == [(("nickname",), "extra_forbidden")]
        assert refused(owner={"id": "1", "name": "x"}) == [(("owner", "name"), "extra_forbidden")]
        assert refused(addresses=[{"planet": "x"}]) == [(("addresses", 0, "planet"), "extra_forbidden")]

    def test_every_fault_is_told_at_once(self) -> None:
        assert {where for where, _ in refused(title=1, owner="x", nickname=2)} == {
            ("title",),
            ("owner",),
            ("nickname",),
        }

    @pytest.mark.parametrize("field", ["title", "first_name", "description", "lead_source"])
    @pytest.mark.parametrize("value", [1, True, ["x"], {"x": 1}], ids=repr)
    def test_a_text_is_text(self, field: str, value: Any) -> None:
        assert refused(**{field: value})

    def test_a_fault_does_not_repeat_what_was_sent(self) -> None:
        with pytest.raises(ValidationError) as caught:
            LeadInput.model_validate({"title": 7_654_321, "owner": {"id": "secret/secret"}})
        assert "7654321" not in str(caught.value)
        assert "secret" not in str(caught.value)

    def test_an_absent_field_is_absent_and_null_is_null(self) -> None:
        assert taken() == {}
        assert taken(title=None) == {"title": None}

    def test_an_address_needs_no_part_and_an_email_needs_its_address(self) -> None:
        assert taken(addresses=[{}]) == {"addresses": [{}]}
        assert refused(email_addresses=[{"type": "work"}]) == [(("email_addresses", 0, "email"), "missing")]

    def test_a_phone_is_of_a_known_type(self) -> None:
        assert taken(phone_numbers=[{"number": "1", "type": "fax"}])
        assert refused(phone_numbers=[{"number": "1", "type": "pager"}])


class TestValues:
    @pytest.mark.parametrize(("told", "count"), [(7, 7), ("7", 7), ("007", 7), (0, 0)])
    def test_a_count_is_a_number_or_one_in_words(self, told: Any, count: int) -> None:
        assert taken(number_of_employees=told) == {"number_of_employees": count}

    @pytest.mark.parametrize("told", [True, 1.5, "x", "", "1.0", "-1", "٣", [1], "1_0"], ids=repr)
    def test_what_is_no_count_is_refused(self, told: Any) -> None:
        assert refused(number_of_employees=told)

    def test_a_count_in_words_is_not_too_long_to_be_read(self) -> None:
        assert refused(number_of_employees="9" * 5000)

    @pytest.mark.parametrize("told", ["2026-05-01T12:00:00Z", "2026-05-01T12:00:00+02:00", "2026-05-01T12:00:00.5Z"])
    def test_a_moment_has_a_zone(self, told: str) -> None:
        assert taken(created_at=told)["created_at"].tzinfo

    @pytest.mark.parametrize("told", ["2026-05-01", "2026-05-01T12:00:00", "soon", 1777636800, "1777636800", ""])
    def test_what_is_no_moment_in_words_with_a_zone_is_refused(self, told: Any) -> None:
        assert refused(created_at=told)

    @pytest.mark.parametrize("told", ["001A", {"id": "001A"}])
    def test_a_converted_record_is_named_either_way(self, told: Any) -> None:
        assert taken(converted_contact=told) == {"converted_contact": {"id": "001A"}}

    def test_the_kinds_of_values_are_what_they_say(self) -> None:
        assert get_args(Count)[0] is int
        assert get_args(Moment)[0]


class TestSchema:
    def test_what_may_be_sent_and_read_is_told_by_the_models(self) -> None:
        assert LEAD.writable == set(LeadInput.model_fields)
        assert (*LEAD.readable, "remote_data") == tuple(Lead.model_fields)
        assert (LEAD.name, LEAD.plural) == ("lead", "leads")

    def test_no_field_of_a_request_is_required_of_every_crm(self) -> None:
        assert not [name for name, each in LeadInput.model_fields.items() if each.is_required()]

    def test_an_answer_needs_an_id_and_nothing_else(self) -> None:
        assert [name for name, each in Lead.model_fields.items() if each.is_required()] == ["id"]
        assert issubclass(Lead, BaseModel)
