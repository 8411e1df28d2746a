"""Places and tables: where a value lives at a vendor, and what is refused when a table is declared."""

from typing import Any

import pytest
from pydantic import BaseModel

from switchboard.crm import codecs
from switchboard.crm.mapping import At, Named, Postal, Record, Slots, Table, row
from switchboard.crm.problem import Kind, Problem
from switchboard.models.schema import Schema


class Asked(BaseModel):
    name: str | None = None
    owner: dict[str, Any] | None = None
    emails: list[dict[str, Any]] | None = None
    custom_fields: dict[str, Any] | None = None


class Told(BaseModel):
    id: str
    name: str | None = None
    owner: dict[str, Any] | None = None
    made_at: str | None = None


THING = Schema("thing", "things", Asked, Told)
EMAILS = Slots("email", {"primary": "Email", "work": "Email", "home": "HomeEmail"})
POSTAL = Postal("street", "city", "state", "zip", "country")


def put(place: Any, value: Any, record: Record | None = None) -> tuple[Record, list[str]]:
    record = {} if record is None else record
    return record, list(place.put(record, value))


class TestAt:
    def test_a_dotted_path_makes_the_objects_on_its_way(self) -> None:
        assert put(At("a.b"), 1) == ({"a": {"b": 1}}, [])
        assert At("a.b").get({"a": {"b": 1}}) == 1
        assert At("a.b").get({"a": None}) is None
        assert At("a.b").columns == ("a.b",)


class TestSlots:
    def test_each_type_has_its_column(self) -> None:
        given = [{"email": "a", "type": "home"}, {"email": "b", "type": "work"}]
        assert put(EMAILS, given) == ({"HomeEmail": "a", "Email": "b"}, [])

    def test_a_value_without_a_type_takes_the_first_column(self) -> None:
        assert put(EMAILS, [{"email": "a"}]) == ({"Email": "a"}, [])
        assert put(EMAILS, [{"email": "a", "type": None}]) == ({"Email": "a"}, [])

    def test_a_type_that_the_vendor_lacks_finds_no_place(self) -> None:
        assert put(EMAILS, [{"email": "a", "type": "fax"}, {"email": "b"}]) == ({"Email": "b"}, ["[0]"])

    def test_a_column_that_is_taken_is_not_written_twice(self) -> None:
        given = [{"email": "a", "type": "primary"}, {"email": "b", "type": "work"}, {"email": "c", "type": "primary"}]
        assert put(EMAILS, given) == ({"Email": "a"}, ["[1]", "[2]"])

    def test_what_else_is_said_of_a_value_finds_no_place(self) -> None:
        given = [{"email": "a", "type": "home", "extension": "7", "label": None}]
        assert put(EMAILS, given) == ({"HomeEmail": "a"}, ["[0].extension"])

    def test_a_column_is_read_as_the_first_of_its_types(self) -> None:
        read = EMAILS.get({"HomeEmail": "h", "Email": "e"})
        assert read == [{"email": "e", "type": "primary"}, {"email": "h", "type": "home"}]
        assert EMAILS.get({"Email": "", "HomeEmail": None}) is None
        assert EMAILS.columns == ("Email", "HomeEmail")


class TestPostal:
    def test_a_street_is_a_text_of_lines(self) -> None:
        given = [{"street_1": "1 High St", "street_2": "Flat 2", "city": "Ely"}]
        record, homeless = put(POSTAL, given)
        assert record == {"street": "1 High St\nFlat 2", "city": "Ely"}
        assert not homeless
        assert POSTAL.get(record) == given

    def test_further_lines_stay_with_the_second(self) -> None:
        assert POSTAL.get({"street": "a\nb\nc"}) == [{"street_1": "a", "street_2": "b\nc"}]

    @pytest.mark.parametrize("given", [{"street_1": "1 High St", "street_2": "Flat 2"}, {"street_2": "Flat 2"}])
    def test_a_second_line_with_a_column_of_its_own_stays_there(self, given: Record) -> None:
        place = Postal("line1", "city", "state", "zip", "country", "line2")
        record, homeless = put(place, [given])
        assert record == {name.replace("street_", "line"): line for name, line in given.items()}
        assert not homeless
        assert place.get(record) == [given]
        assert "line2" in place.columns

    def test_columns_may_lie_in_an_object(self) -> None:
        place = Postal("address.line1", "address.city", "address.state", "address.zip", "address.country")
        given = [{"street_1": "1 High St", "city": "Ely"}]
        assert put(place, given) == ({"address": {"line1": "1 High St", "city": "Ely"}}, [])
        assert place.get({"address": {"line1": "1 High St", "city": "Ely", "state": None}}) == given
        assert place.get({"address": "1 High St"}) is None

    def test_only_the_first_address_and_no_type_of_it_find_a_place(self) -> None:
        given = [{"city": "Ely", "type": "home"}, {"city": "Bath"}, {"city": "York"}]
        assert put(POSTAL, given) == ({"city": "Ely"}, ["[1]", "[2]", "[0].type"])

    def test_nothing_is_no_address(self) -> None:
        assert put(POSTAL, []) == ({}, [])
        assert put(POSTAL, [{}]) == ({}, [])
        assert POSTAL.get({}) is None
        assert POSTAL.get({"street": None, "city": ""}) is None

    @pytest.mark.parametrize("street", [7, {"a": 1}, ["x"], True], ids=repr)
    def test_a_street_that_is_no_text_is_read_as_far_as_it_goes(self, street: Any) -> None:
        [found] = POSTAL.get({"street": street, "city": "Ely"})
        assert found["city"] == "Ely"


class TestNamed:
    PLACE = Named(lambda key: key.endswith("__c"), "names end with __c")

    def test_custom_fields_stand_beside_the_standard_ones(self) -> None:
        assert put(self.PLACE, {"a__c": 1}, {"Name": "x"}) == ({"Name": "x", "a__c": 1}, [])
        assert self.PLACE.get({"Name": "x", "a__c": 0, "b__c": None}) == {"a__c": 0}
        assert self.PLACE.get({"Name": "x"}) is None

    def test_a_standard_column_is_no_custom_field(self) -> None:
        with pytest.raises(Problem, match="names end with __c") as caught:
            put(self.PLACE, {"OwnerId": "5"})
        assert caught.value.kind is Kind.INVALID
        assert caught.value.faults[0].field == "custom_fields.OwnerId"
        assert caught.value.faults[0].pointer == "#/custom_fields/OwnerId"

    @pytest.mark.parametrize(
        ("name", "pointer"),
        [("a/b", "a~1b"), ("a~b", "a~0b"), ("a.b", "a.b"), ("", "")],
    )
    def test_a_fault_points_at_the_field_whatever_its_name(self, name: str, pointer: str) -> None:
        """RFC 6901: `~` is `~0` and `/` is `~1`; a dot is nothing special."""
        with pytest.raises(Problem) as caught:
            put(self.PLACE, {name: 1})
        assert caught.value.faults[0].pointer == f"#/custom_fields/{pointer}"


class TestTable:
    def test_a_field_is_declared_once(self) -> None:
        with pytest.raises(TypeError, match=r"twice: \['name'\]"):
            Table(THING, row("name", "a"), row("name", "b"))

    def test_a_field_that_no_request_has_has_to_be_read_only(self) -> None:
        Table(THING, row("made_at", "a", read_only=True))
        with pytest.raises(TypeError, match="read_only"):
            Table(THING, row("made_at", "a"))

    def test_a_field_that_no_answer_has_has_to_be_write_only(self) -> None:
        Table(THING, row("emails", EMAILS, write_only=True))
        with pytest.raises(TypeError, match="write_only"):
            Table(THING, row("emails", EMAILS))

    def test_a_part_of_a_field_that_no_row_takes_is_named_by_its_path(self) -> None:
        table = Table(THING, row("name", "n"), row("owner.id", "o"))
        item = {"name": "x", "owner": {"id": "5", "mood": "good"}, "emails": [], "custom_fields": None}
        assert table.out(item) == ({"n": "x", "o": "5"}, ["owner.mood", "emails"])

    def test_a_field_that_no_row_takes_is_named_as_a_whole(self) -> None:
        table = Table(THING, row("name", "n"))
        assert table.out({"owner": {"id": "5"}}) == ({}, ["owner"])

    def test_a_value_that_a_codec_refuses_is_told_by_the_name_of_its_field(self) -> None:
        table = Table(THING, row("owner.id", "o", codecs.number_id))
        with pytest.raises(Problem) as caught:
            table.out({"owner": {"id": "x"}})
        [fault] = caught.value.faults
        assert (caught.value.kind, fault.field, fault.pointer) == (Kind.INVALID, "owner.id", "#/owner/id")
        assert fault.detail == "must be a whole number written as a string"

    def test_names_are_told_by_their_properties(self) -> None:
        table = Table(
            THING,
            row("id", "i", read_only=True),
            row("name", "n", required=True),
            row("emails", EMAILS, write_only=True),
        )
        assert table.names() == ["id", "name", "emails"]
        assert table.names(required=True) == ["name"]
        assert table.names(writable=True) == ["name", "emails"]
        assert table.names(readable=True) == ["id", "name"]
        assert table.columns == ("i", "n")
        assert table.row("name") is table.rows[1]
        assert table.row("nobody") is None
