"""The lists in which a contact stands: always the same, sorted as the values are, whatever script they are in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from switchboard.ports import Posting, Stored
from switchboard.search import index
from switchboard.search.contact import CUSTOM_BYTES, EACH, TEXT_BYTES, contact_id, fold, kept
from switchboard.search.fields import FIELDS, field
from switchboard.search.keeping import Whose, stored
from tests.store import packed

WHOSE = Whose("acme01", "acc-1", "acme", ("score",))
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)
MOMENTS = st.datetimes(timezones=st.just(UTC))


def person(**given: Any) -> Stored:
    return stored(WHOSE, {"id": "r1", **given})


def lists(contact: Stored) -> set[str]:
    return {each.list for each in contact.postings}


# --- texts -----------------------------------------------------------------------------------------------------------


@given(TEXTS)
@example("J\u0323\u030c")
@example("ß\u0301")
@example("İ\u0307")
def test_a_folded_text_is_folded(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("one", ["José", "jose\u0301", "JOSÉ", "  José\t", "Ｊｏｓé"])
def test_texts_are_one_whatever_their_case_width_and_white_space(one: str) -> None:
    assert fold(one) == "josé"


@given(TEXTS, TEXTS)
@example("ada", "ada b")
@example("z", "é")
@example("\uffff", "\U0001f600")
def test_texts_stand_in_a_list_as_they_are_sorted(one: str, other: str) -> None:
    """By code points, which is the order of UTF-8 too."""
    keys = [index.text_key(each) for each in (one, other)]
    places = [index.position(key, "con_1") for key in keys]
    if keys[0] != keys[1] and not any(letter < index.MARK for key in keys for letter in key):
        assert (places[0] < places[1]) is (keys[0] < keys[1])
    assert (places[0] < places[1]) is (places[0].encode() < places[1].encode())


@given(TEXTS)
@example("\U0010ffff")
@example("")
def test_every_place_lies_between_the_lowest_and_the_highest(text: str) -> None:
    place = index.position(index.text_key(text), "con_1")
    assert index.LOWEST < place < index.HIGHEST


@given(TEXTS, st.integers(0, 80))
def test_what_begins_with_a_text_stands_between_it_and_its_end(text: str, length: int) -> None:
    whole = fold(text)
    beginning = whole[:length][: index.KEY]
    assert beginning <= index.position(index.text_key(text), "con_1") < beginning + index.HIGHEST


@given(TEXTS, st.from_regex(r"con_[0-9a-f]{24}", fullmatch=True))
def test_a_place_tells_whose_it_is(text: str, id: str) -> None:
    assert index.id_at(index.position(index.text_key(text), id)) == id


@given(TEXTS)
def test_no_place_is_longer_than_a_sort_key_of_dynamodb(text: str) -> None:
    contact = person(
        name=text * 100, emails=[{"email": text * 100}], tags=[text * 100], custom_fields={"score": text * 100}
    )
    for each in contact.postings:
        assert 0 < len(each.at.encode()) <= 1024
        assert len(f"acme01#{each.list}".encode()) <= 2048


# --- moments ---------------------------------------------------------------------------------------------------------


@given(MOMENTS, MOMENTS)
@example(datetime(202, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC))
@example(datetime(999, 12, 31, tzinfo=UTC), datetime(1000, 1, 1, tzinfo=UTC))
def test_moments_stand_in_a_list_as_they_are_sorted(one: datetime, other: datetime) -> None:
    def whole(moment: datetime) -> datetime:
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    keys = [index.moment_key(each.isoformat()) for each in (one, other)]
    assert (keys[0] < keys[1]) is (whole(one) < whole(other))
    assert (keys[0] == keys[1]) is (whole(one) == whole(other))


def test_a_moment_is_the_same_in_every_zone_and_a_millisecond_counts() -> None:
    noon = "2026-05-01T12:00:00.000"
    for told in (
        "2026-05-01T12:00:00Z",
        "2026-05-01T14:00:00+02:00",
        "2026-05-01T12:00:00",
        "2026-05-01T12:00:00.0009Z",
    ):
        assert index.moment_key(told) == noon
    assert index.moment_key("2026-05-01T12:00:00.001Z") > noon


@pytest.mark.parametrize("told", [None, "", "soon", 7])
def test_what_is_no_moment_comes_before_every_moment(told: Any) -> None:
    assert index.moment_key(told) == ""
    earliest = index.moment_key(datetime.min.replace(tzinfo=UTC).isoformat())
    assert index.LOWEST < index.position("", "con_z") < index.position(earliest, "con_a")


# --- lists -----------------------------------------------------------------------------------------------------------

FULL: dict[str, Any] = {
    "first_name": "Ada",
    "name": "Ada Lovelace",
    "emails": [{"email": "Ada@Engines.example"}, {"email": "ada@home.example"}],
    "phones": [{"number": "+1 (555) 0100"}, {"number": "none"}],
    "company": {"id": "C1", "name": "Analytical Engines"},
    "owner": {"id": "o1"},
    "tags": ["VIP", "vip", "Lead Gen"],
    "lead_status": "Open",
    "custom_fields": {"score": 7, "plan": "gold"},
    "created_at": "2026-05-01T12:00:00Z",
    "updated_at": "2026-05-02T12:00:00Z",
}


def test_a_contact_stands_in_the_lists_of_its_values() -> None:
    found = lists(person(**FULL))
    assert found == {
        *(f"by#{order}#acc-1" for order in ("name", "created_at", "updated_at", "last_activity_at")),
        "email=ada@engines.example", "email=ada@home.example", "domain=engines.example", "domain=home.example",
        "phone=15550100", "company=C1", "owner#acc-1=o1", "tag#acc-1=vip", "tag#acc-1=lead gen", "status#acc-1=open",
        "custom_fields.score#acc-1=7", "words#acc-1",
        *(f"edge#acc-1={word}" for word in ("ada", "lov", "eng", "exa", "hom", "ana")),
    }  # fmt: skip


def test_a_contact_with_nothing_stands_where_all_do_and_with_those_of_nobody() -> None:
    assert lists(person()) == {
        *(f"by#{order}#acc-1" for order in ("name", "created_at", "updated_at", "last_activity_at")),
        "owner#acc-1=",
    }


def test_lists_by_equality_are_sorted_by_when_contacts_were_made() -> None:
    contact = person(**FULL)
    places = {each.at for each in contact.postings if "=" in each.list}
    assert places == {index.position("2026-05-01T12:00:00.000", contact.id)}


@given(st.permutations(sorted(FULL)), st.permutations(FULL["tags"]))
def test_postings_and_digest_do_not_hang_on_the_order_of_what_a_crm_says(names: list[str], tags: list[str]) -> None:
    contact, same = person(**FULL), person(**{**{name: FULL[name] for name in names}, "tags": tags})
    assert same.postings == contact.postings == tuple(sorted(set(contact.postings)))
    if tags == FULL["tags"]:
        assert same.digest == contact.digest


@pytest.mark.parametrize("name", ["title", "description", "last_name", "custom_fields"])
def test_the_digest_tells_of_every_change(name: str) -> None:
    changed = {"custom_fields": {"score": 7, "plan": "silver"}}.get(name, "another")
    assert person(**{**FULL, name: changed}).digest != person(**FULL).digest


def test_the_digest_changes_where_an_index_is_added_so_that_old_contacts_come_into_it() -> None:
    item = {"id": "r1", **FULL}
    wider = Whose("acme01", "acc-1", "acme", ("score", "plan"))
    assert stored(wider, item).digest != stored(WHOSE, item).digest
    assert "custom_fields.plan#acc-1=gold" in lists(stored(wider, item))


@pytest.mark.parametrize("length", [1, index.VALUE - 1, index.VALUE, index.VALUE + 1, 5000])
def test_a_long_value_has_a_list_of_its_own_with_a_short_name(length: int) -> None:
    one, other = (index.term(FIELDS["tags"], "x" * length + end, "acc-1") for end in "ab")
    assert one != other
    assert len(one) <= len("tag#acc-1=") + index.VALUE
    assert one == index.term(FIELDS["tags"], "X" * length + "A", "acc-1")


def test_accounts_share_lists_of_what_few_have_and_no_others() -> None:
    here, there = (lists(stored(Whose("acme01", account, "acme"), {"id": "r1", **FULL})) for account in ("a", "b"))
    assert {each.partition("=")[0] for each in here & there} == {"email", "domain", "phone", "company"}


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), ("High", "hIGH "), (0, -0.0)])
def test_values_of_a_custom_field_that_are_equal_share_a_list(one: Any, other: Any) -> None:
    score = field("custom_fields.score")
    assert score
    assert index.term(score, one, "a") == index.term(score, other, "a")


def test_a_custom_field_with_several_values_stands_in_a_list_of_each() -> None:
    found = lists(person(custom_fields={"score": ["a", "B", None, {"x": 1}, ""]}))
    assert {each for each in found if each.startswith("custom")} == {
        "custom_fields.score#acc-1=a", "custom_fields.score#acc-1=b"
    }  # fmt: skip


def test_a_list_leads_to_all_contacts_of_an_account() -> None:
    assert sum(index.leads_to_all(each) for each in person(**FULL).postings) == 1
    assert not index.leads_to_all(Posting("by#updated_at#acc-1", "x"))


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "found"), [
    ("Ada Lovelace", ["ada", "lovelace"]),
    ("O'Neill-Smith", ["o", "neill", "smith"]),
    ("ada.l_2@engines.example", ["ada", "l", "2", "engines", "example"]),
    ("李 小龙", ["李", "小龙"]),
    ("ＡＤＡ", ["ada"]),
    ("Straße", ["strasse"]),
    ("\U0001f600 — !", []),
    ("", []),
])  # fmt: skip
def test_the_words_of_a_text(text: str, found: list[str]) -> None:
    assert index.words(text) == found


@given(st.lists(TEXTS, max_size=5))
def test_words_are_their_own_words(texts: list[str]) -> None:
    for word in index.words(" ".join(texts)):
        assert index.words(word) == [word]


def test_a_contact_is_found_by_so_many_words_of_such_a_length() -> None:
    many = person(last_name=" ".join(f"w{number}" for number in range(200)), first_name="x" * 200)
    assert index.word_set(many) == ["x" * index.KEY, *(f"w{number}" for number in range(index.WORDS))]


# --- ids and what is kept --------------------------------------------------------------------------------------------


@given(st.tuples(TEXTS, TEXTS).filter(lambda pair: pair[0] != pair[1]))
def test_ids_are_of_one_record_each(remote: tuple[str, str]) -> None:
    one, other = (contact_id("acme01", "acc-1", each) for each in remote)
    assert one != other
    assert one == contact_id("acme01", "acc-1", remote[0])
    assert one.removeprefix("con_").isalnum()
    assert len(one) == 28


def test_what_fits_of_custom_fields_is_kept() -> None:
    big = {f"field{number}": "x" * (CUSTOM_BYTES // 4) for number in range(8)}
    found = kept({"id": "1", "custom_fields": big})["custom_fields"]
    assert list(found) == list(big)[:3]


def test_a_short_custom_field_is_kept_beside_one_that_is_too_long() -> None:
    assert kept({"id": "1", "custom_fields": {"long": "x" * CUSTOM_BYTES, "short": "y"}})["custom_fields"] == {
        "short": "y"
    }


def test_custom_fields_are_measured_in_bytes() -> None:
    big = {f"field{number}": "李" * (CUSTOM_BYTES // 4) for number in range(8)}
    assert list(kept({"id": "1", "custom_fields": big})["custom_fields"]) == list(big)[:1]


def text(random: Random, size: int, first: int = 0x4E00, last: int = 0x9FFF) -> str:
    return "".join(chr(random.randrange(first, last)) for _ in range(size))


def monster(seed: int, *, told: bool) -> dict[str, Any]:
    """A record of which nothing can be compressed, and no field knows any measure."""
    random = Random(seed)

    def words(count: int, size: int) -> str:
        return ".".join(text(random, size, 0x61, 0x7A) for _ in range(count))

    names = {name: words(100, 12) for name in ("name", "first_name", "last_name", "title", "lead_status")}
    return {
        "id": "1",
        **names,
        "owner": {"id": "o1"},
        "company": {"id": "c1", "name": words(100, 12)},
        "emails": [{"email": f"{words(15, 10)}@{words(1, 60)}"} for _ in range(500)],
        "phones": [{"number": str(random.randrange(10**15))} for _ in range(500)],
        "tags": [text(random, 30) for _ in range(500)],
        "custom_fields": {
            **{f"f{number}": text(random, 500) for number in range(300)},
            **{f"m{number}": [words(1, 100) for _ in range(500)] for number in range(10)},
        },
        "updated_at": "2026-05-01T12:00:00Z",
        **({"description": text(random, 30_000)} if told else {}),
    }


@pytest.mark.parametrize("told", [True, False])
def test_no_contact_is_larger_than_an_item_may_be(*, told: bool) -> None:
    """It would stop the sync of its account for ever. While it changes, it holds the places of both states."""
    indexed = tuple(f"m{number}" for number in range(10))
    whose = Whose("acme01", "62f44730-dd91-461e-bd6a-aedd9e0ad79d", "acme", indexed)
    one, other = (stored(whose, monster(seed, told=told)) for seed in (1, 2))
    assert packed(replace(one, drops=other.postings)) < 400_000
    assert (one.body["owner"], one.updated_at) == ({"id": "o1"}, "2026-05-01T12:00:00Z")
    assert len(one.postings) < 10_000


def test_what_is_kept_of_many_values_stands_in_lists_and_no_more_is_kept() -> None:
    whose = Whose("acme01", "acc-1", "acme")
    found = stored(whose, {"id": "1", "tags": [f"tag {number}" for number in range(10_000)]})
    assert len(found.body["tags"]) == EACH
    assert {each.list for each in found.postings if each.list.startswith("tag#")} == {
        f"tag#acc-1=tag {number}" for number in range(EACH)
    }


def test_a_text_is_cut_between_its_characters() -> None:
    found = kept({"id": "1", "description": "x" + "李" * TEXT_BYTES})["description"]
    assert found == "x" + "李" * ((TEXT_BYTES - 1) // 3)


def test_nothing_is_kept_of_what_a_crm_does_not_say() -> None:
    assert kept({"id": "1", "name": None, "tags": [], "custom_fields": {}, "remote_data": {"a": 1}, "urls": []}) == {}


def test_owners_are_kept_by_their_ids_alone() -> None:
    assert kept({"id": "1", "owner": {"id": "o1", "name": "Ada"}}) == {"owner": {"id": "o1"}}


def test_the_future_is_sorted_too() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    keys = [index.moment_key((now + timedelta(days=days)).isoformat()) for days in range(0, 4000, 7)]
    assert keys == sorted(keys)
