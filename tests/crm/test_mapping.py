"""Places and tables: where a value lives at a vendor, and what is refused when a table is declared."""

from typing import Any

import pytest
from pydantic import BaseModel

from switchboard.crm import codecs
from switchboard.crm.mapping import Bag, Table, called, chosen, nested, next_place, row
from switchboard.crm.places import At, First, Listed, Named, Postal, Record, Slots
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


class TestFirst:
    PLACE = First(("own.name", "name", "title"))

    def test_the_first_that_is_told_is_read(self) -> None:
        assert self.PLACE.get({"own": {"name": ""}, "name": None, "title": "x"}) == "x"
        assert self.PLACE.get({"own": {"name": "a"}, "title": "x"}) == "a"
        assert self.PLACE.get({}) is None

    def test_it_is_written_once(self) -> None:
        assert put(self.PLACE, "a") == ({"own": {"name": "a"}}, [])
        assert self.PLACE.columns == ("own.name", "name", "title")


class TestListed:
    PLACE = Listed("fields", "name", "value", str.isdecimal, "they are numbers")

    def test_custom_fields_are_a_list_of_names_and_values(self) -> None:
        written = {"fields": [{"name": "1", "value": "a"}, {"name": "2", "value": 0}]}
        assert put(self.PLACE, {"1": "a", "2": 0}) == (written, [])
        assert self.PLACE.get(written) == {"1": "a", "2": 0}
        assert self.PLACE.columns == ("fields",)

    def test_nothing_is_written_of_none(self) -> None:
        assert put(self.PLACE, {}) == ({}, [])

    @pytest.mark.parametrize("told", [None, "x", [], [{"name": "1", "value": ""}], [{"value": "a"}, 7]], ids=repr)
    def test_what_has_no_name_or_no_value_is_left_out(self, told: Any) -> None:
        assert self.PLACE.get({"fields": told}) is None

    def test_a_number_of_the_vendors_is_a_name(self) -> None:
        assert self.PLACE.get({"fields": [{"name": 1, "value": "a"}]}) == {"1": "a"}

    def test_what_cannot_be_the_name_of_one_is_refused(self) -> None:
        with pytest.raises(Problem, match="they are numbers") as caught:
            put(self.PLACE, {"a/b": "x"})
        assert caught.value.faults[0].pointer == "#/custom_fields/a~1b"


class TestBag:
    BAG = Bag("properties", ("id", "links"))

    def test_what_was_sealed_is_opened(self) -> None:
        record = {"name": "x", "links": [1]}
        assert self.BAG.seal(record) == {"properties": {"name": "x"}, "links": [1]}
        assert self.BAG.open(self.BAG.seal(record)) == record

    def test_an_empty_object_is_not_sent(self) -> None:
        assert self.BAG.seal({"links": [1]}) == {"links": [1]}

    @pytest.mark.parametrize("body", [None, "x", [], {}, {"properties": "x"}, {"id": None}], ids=repr)
    def test_a_body_of_another_form_is_an_empty_record(self, body: Any) -> None:
        assert self.BAG.open(body) == {}


def test_records_get_a_list_of_those_that_name_them() -> None:
    stages = [{"id": 1, "of": {"id": "a"}}, {"id": 2, "of": {"id": "b"}}, {"id": 3, "of": {"id": "a"}}, {"id": 4}]
    [first, second] = nested([{"id": "a"}, {"id": "c"}], "stages", stages, by="of.id")
    assert first == {"id": "a", "stages": [stages[0], stages[2]]}
    assert second == {"id": "c", "stages": []}


@pytest.mark.parametrize(
    ("siblings", "place"),
    [([], 1), ([{"at": 1}, {"at": 7}, {"at": 3}], 8), ([{"at": None}, {"at": "9"}, {}], 1)],
    ids=repr,
)
def test_a_new_one_comes_behind_all_others(siblings: list[Record], place: int) -> None:
    assert next_place(siblings, "at", 1) == place


class TestChosen:
    OPTIONS = ((7, ("Web", "Netz")), (0, (" Trade fair",)), (9, ()))

    @pytest.mark.parametrize(
        ("name", "option"), [("web", 7), (" NETZ ", 7), ("trade fair", 0), ("x", None), (None, None)]
    )
    def test_one_is_found_by_any_of_its_names_whatever_their_case(self, name: Any, option: int | None) -> None:
        assert called(name, self.OPTIONS) == option

    def test_what_is_found_may_be_nothing_much(self) -> None:
        assert chosen("lead_source", "Trade Fair", self.OPTIONS) == 0

    def test_a_name_that_is_not_there_is_refused_and_told_which_are(self) -> None:
        with pytest.raises(Problem, match="has to be one of Web, Trade fair") as caught:
            chosen("lead_source", "Radio", self.OPTIONS)
        [fault] = caught.value.faults
        assert (fault.field, fault.code, fault.pointer) == ("lead_source", "unknown_value", "#/lead_source")

    def test_where_there_are_none_it_says_so(self) -> None:
        with pytest.raises(Problem, match="nothing to choose from"):
            chosen("lead_source", "Radio", [])


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
