"""Searching contacts and reading one: what is asked, what is answered, who sees what."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest

from switchboard.api.records.contacts import BODY, CURSOR_SECONDS, MOST, PAGE, TEXT
from switchboard.ports import Deadline, Owner
from switchboard.search import finding
from switchboard.search.fields import ORDERS
from tests.api.records.conftest import Answer, Desk
from tests.worlds import BRAND, START

OTHER = "other1"
NOT_CTO = {"field": "title", "operator": "neq", "value": "CTO"}


def crowd(desk: Desk, size: int = 30) -> list[str]:
    """So many contacts; their ids, the newest first."""
    return [desk.keep(str(number), name=f"Ada {number:02d}").id for number in range(size)][::-1]


def walked(desk: Desk, body: dict[str, Any], **how: Any) -> list[str]:
    """All pages."""
    found, following = list[str](), None
    while True:
        answer = desk.search({**body, "cursor": following}, **how)
        assert answer.status == 200, answer.body
        found += answer.ids
        following = answer.cursor
        if following is None:
            return found


# --- what is answered ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, {}, {"filters": None}, {"filters": [], "search_text": ""}, dict.fromkeys(BODY)])
def test_who_asks_for_nothing_gets_the_newest(desk: Desk, body: Any) -> None:
    ids = crowd(desk)
    found = desk.search(body)
    assert found.status == 200
    assert found.ids == ids[:PAGE]


def test_a_page_says_whether_there_is_more(desk: Desk) -> None:
    ids = crowd(desk)
    first = desk.search({"limit": 20})
    second = desk.search({"limit": 20, "cursor": first.cursor})
    assert first.body["meta"]["cursor"]["has_more"] is True
    assert second.body["meta"]["cursor"] == {"next": None, "has_more": False}
    assert [*first.ids, *second.ids] == ids


def test_nothing_found_is_an_empty_page(desk: Desk) -> None:
    assert desk.search().body == {
        "data": [],
        "meta": {"cursor": {"next": None, "has_more": False}, "total": 0, "synced_at": None},
    }


def test_a_total_is_told_where_it_is_known(desk: Desk) -> None:
    crowd(desk, 5)
    assert desk.search().body["meta"]["total"] == 5
    assert "total" not in desk.search({"limit": 2}).body["meta"]


@pytest.mark.parametrize("order", ORDERS)
def test_pages_of_every_order_lead_through_all(desk: Desk, order: str) -> None:
    crowd(desk, 9)
    up, down = (
        walked(desk, {"order_by": order, "sort_direction": direction, "limit": 2}) for direction in ("asc", "desc")
    )
    assert up == down[::-1]
    assert len(set(up)) == 9


def test_the_limit_may_change_between_pages(desk: Desk) -> None:
    ids = crowd(desk, 9)
    first = desk.search({"limit": 2})
    assert desk.search({"limit": 100, "cursor": first.cursor}).ids == ids[2:]


def test_a_page_for_which_the_budget_was_spent_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "BUDGET", 5)
    ids = crowd(desk, 12)
    asked = {"filters": [{"field": "name", "operator": "contains", "value": "00"}], "limit": 2}
    found = desk.search(asked)
    assert found.body["data"] == []
    assert found.body["meta"]["partial"] is True
    assert found.body["meta"]["cursor"]["has_more"] is True
    assert walked(desk, asked) == ids[-1:]
    assert "partial" not in desk.search({"limit": 2}).body["meta"]


def test_a_search_in_a_hurry_answers_what_it_has(desk: Desk) -> None:
    crowd(desk, 30)
    desk.world.seconds = 1
    asked = {"filters": [{"field": "title", "operator": "eq", "value": "CTO"}], "limit": 2}
    assert desk.search(asked).body["meta"]["partial"] is True
    assert isinstance(desk.world.deadline, Deadline)


SYNCS: list[tuple[dict[str, float], str | None]] = [
    ({"a": START, "b": START - 60}, "2026-11-21T09:29:00Z"),
    ({"a": START}, "2026-11-21T09:30:00Z"),
    ({"a": START, "b": 0}, None),
    ({}, None),
]


@pytest.mark.parametrize(("syncs", "told"), SYNCS)
def test_freshness_is_that_of_the_account_synced_longest_ago(desk: Desk, syncs: dict[str, float], told: Any) -> None:
    for account, moment in syncs.items():
        desk.sync(account, synced_at=moment)
    assert desk.search().body["meta"]["synced_at"] == told


def test_freshness_is_that_of_the_accounts_that_were_asked_for(desk: Desk) -> None:
    desk.sync("a", synced_at=START)
    desk.sync("b", synced_at=START - 60)
    asked = {"filters": [{"field": "integrated_account_id", "operator": "eq", "value": "a"}]}
    assert desk.search(asked).body["meta"]["synced_at"] == "2026-11-21T09:30:00Z"


def test_a_contact_has_every_field_whatever_the_crm_says(desk: Desk) -> None:
    bare, full = desk.keep("1", created_at=None), desk.keep("2", emails=[{"email": "a@b.example"}], owner={"id": "o1"})
    desk.own("acc-1", {"o1": Owner("Charles", "charles@example.com")})
    told = desk.get(bare.id).body
    assert told == {
        "id": bare.id, "first_name": None, "last_name": None, "name": None, "title": None, "emails": [], "phones": [],
        "company": None, "owner": None, "addresses": [], "tags": [], "lead_status": None, "description": None,
        "custom_fields": {},
        "source": {"crm": "acme", "integrated_account_id": "acc-1", "remote_id": "1", "url": None},
        "created_at": None, "updated_at": None, "last_activity_at": None,
    }  # fmt: skip
    more = desk.get(full.id).body
    assert more.keys() == told.keys()
    assert more["owner"] == {"id": "o1", "name": "Charles"}


def test_one_contact_is_told_as_a_search_tells_it(desk: Desk) -> None:
    [id] = crowd(desk, 1)
    assert desk.search().body["data"] == [desk.get(id).body]


def test_contacts_of_all_accounts_are_found_and_of_one(desk: Desk) -> None:
    here, there = desk.keep("1", account="a"), desk.keep("2", account="b")
    asked = {"filters": [{"field": "integrated_account_id", "operator": "eq", "value": "a"}]}
    assert desk.search().ids == [there.id, here.id]
    assert desk.search(asked).ids == [here.id]


def test_words_that_were_typed_are_joined_to_the_filters(desk: Desk) -> None:
    ada, _ = desk.keep("1", name="Ada Lovelace", title="CTO"), desk.keep("2", name="Ada Byron", title="CEO")
    desk.keep("3", name="Charles", title="CTO")
    asked = {"filters": [{"field": "title", "operator": "eq", "value": "cto"}], "search_text": "ada"}
    assert desk.search(asked).ids == [ada.id]


# --- faults of the body ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "faults"), [
    ({"limit": 0}, [("#/limit", "out_of_range")]),
    ({"limit": MOST + 1}, [("#/limit", "out_of_range")]),
    ({"limit": -1}, [("#/limit", "out_of_range")]),
    ({"limit": True}, [("#/limit", "wrong_type")]),
    ({"limit": "25"}, [("#/limit", "wrong_type")]),
    ({"limit": 2.5}, [("#/limit", "wrong_type")]),
    ({"limit": 10**400}, [("#/limit", "out_of_range")]),
    ({"order_by": "title"}, [("#/order_by", "unknown_value")]),
    ({"order_by": ["name"]}, [("#/order_by", "unknown_value")]),
    ({"sort_direction": "up"}, [("#/sort_direction", "unknown_value")]),
    ({"sort_direction": {}}, [("#/sort_direction", "unknown_value")]),
    ({"search_text": 7}, [("#/search_text", "wrong_type")]),
    ({"search_text": "x" * (TEXT + 1)}, [("#/search_text", "too_long")]),
    ({"search_text": "..."}, [("#/search_text", "invalid_value")]),
    ({"filters": {}}, [("#/filters", "wrong_type")]),
    ({"filters": [{"field": "shoe", "operator": "eq", "value": "a"}]}, [("#/filters/0/field", "unknown_field")]),
    ({"filter": []}, [("#/filter", "unknown_field")]),
    ({"a/b": 1}, [("#/a~1b", "unknown_field")]),
    ({"cursor": 7}, [("#/cursor", "wrong_type")]),
    ({"x": 1, "limit": 0, "order_by": "x", "sort_direction": "x", "search_text": 7, "filters": 7, "cursor": 7},
     [("#/x", "unknown_field"), ("#/filters", "wrong_type"), ("#/search_text", "wrong_type"),
      ("#/order_by", "unknown_value"), ("#/sort_direction", "unknown_value"), ("#/limit", "out_of_range"),
      ("#/cursor", "wrong_type")]),
])  # fmt: skip
def test_every_fault_of_a_body_is_named(desk: Desk, body: Any, faults: list[tuple[str, str]]) -> None:
    found = desk.search(body)
    assert (found.status, found.body["type"].partition("#")[2]) == (422, "validation")
    assert found.faults == faults


@pytest.mark.parametrize(("body", "status"), [
    (b"{", 400), (b"[]", 400), (b"7", 400), (b'{"limit": 1, "limit": 2}', 400), (b'{"limit": NaN}', 400),
    (b"\xff", 400), (b'{"search_text": "\\ud800"}', 400), (b"{}" + b" " * 1024 * 1024, 413),
])  # fmt: skip
def test_what_is_no_json_object_is_refused_as_everywhere(desk: Desk, body: bytes, status: int) -> None:
    assert desk.search(body).status == status


def test_a_body_has_to_say_that_it_is_json(desk: Desk) -> None:
    assert desk.search({}, content_type="text/plain").status == 415
    assert desk.search(None, content_type="text/plain").status == 200


@pytest.mark.parametrize("limit", [1, MOST])
def test_as_few_and_as_many_as_allowed_are_given(desk: Desk, limit: int) -> None:
    crowd(desk, 3)
    assert len(desk.search({"limit": limit}).ids) == min(limit, 3)


# --- cursors ---------------------------------------------------------------------------------------------------------

FILTERS = [{"field": "name", "operator": "starts_with", "value": "ada"}]


def begun(desk: Desk, **more: Any) -> tuple[dict[str, Any], str]:
    """A search, and where its second page begins."""
    crowd(desk, 9)
    asked = {"filters": FILTERS, "limit": 2, **more}
    following = desk.search(asked).cursor
    assert following
    return asked, following


def refused(answer: Answer, code: str = "invalid_value") -> None:
    assert (answer.status, answer.body["type"].partition("#")[2]) == (422, "validation")
    assert answer.faults == [("#/cursor", code)]


@pytest.mark.parametrize("other", [
    {"filters": []}, {"filters": [*FILTERS, *FILTERS]}, {"filters": [{**FILTERS[0], "value": "bea"}]},
    {"search_text": "ada"}, {"order_by": "name"}, {"sort_direction": "asc"},
])  # fmt: skip
def test_a_cursor_is_of_the_search_that_it_began_with(desk: Desk, other: dict[str, Any]) -> None:
    asked, following = begun(desk)
    refused(desk.search({**asked, **other, "cursor": following}))
    assert desk.search({**asked, "cursor": following}).status == 200


def test_what_was_meant_from_the_start_may_be_said_later(desk: Desk) -> None:
    asked, following = begun(desk)
    same = {**asked, "order_by": "created_at", "sort_direction": "desc", "cursor": following}
    assert desk.search(same).status == 200


def test_a_cursor_with_any_letter_changed_is_refused(desk: Desk) -> None:
    asked, following = begun(desk)
    desk.key = desk.issue(limit=10**6)
    for place, letter in enumerate(following[:-1]):
        changed = following[:place] + ("A" if letter != "A" else "B") + following[place + 1 :]
        refused(desk.search({**asked, "cursor": changed}))


@pytest.mark.parametrize("given", ["", "x", "ü", "A" * 10_000, "e30", "=" * 8])
def test_what_is_no_cursor_is_refused(desk: Desk, given: str) -> None:
    asked, _ = begun(desk)
    refused(desk.search({**asked, "cursor": given}))


@pytest.mark.parametrize("place", [0, 15, 16, 30, -1])
def test_a_place_that_somebody_wrote_is_refused(desk: Desk, place: int) -> None:
    asked, following = begun(desk)
    raw = bytearray(read(following))
    raw[place] ^= 1
    refused(desk.search({**asked, "cursor": urlsafe_b64encode(raw).decode().rstrip("=")}))


def test_a_cursor_tells_nothing_of_the_contact_at_which_a_page_ends(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may end at a contact that only others may see: where the budget was spent."""
    monkeypatch.setattr(finding, "BUDGET", 5)
    monkeypatch.setattr(finding, "GATHERED", 0)
    hidden = [desk.keep(str(number), name=f"Ada {number:02d}", owner={"id": "o2"}) for number in range(20)]
    for number in range(20, 40):
        desk.keep(str(number), name=f"Zoe {number}")
    desk.own("acc-1", {"o2": Owner("Charles", "charles@example.com")})
    desk.user("u3", "grace@example.com", "member")
    desk.access.users = desk.world.access.users
    desk.access.sight[BRAND] = "own"
    key = desk.issue(role="member", owner="u3")
    asked = {"order_by": "name", "sort_direction": "asc", "filters": [NOT_CTO], "limit": 2}
    found = desk.search(asked, key=key)
    assert (found.ids, found.body["meta"]["partial"]) == ([], True)
    told = read(found.cursor or "").decode(errors="replace")
    assert not [each for each in hidden if each.id in told or str(each.body["name"]).casefold() in told]


def read(following: str) -> bytes:
    return urlsafe_b64decode(following + "=" * (-len(following) % 4))


def test_a_page_of_large_contacts_is_shorter_and_leads_on(desk: Desk) -> None:
    """Lambda gives no answer of more than 6 MB."""
    ids = [desk.keep(str(number), custom_fields={"notes": '"' * 99_000}).id for number in range(40)][::-1]
    found, following, pages = list[str](), None, 0
    while pages == 0 or following:
        answer = desk.search({"limit": 100, "cursor": following})
        assert len(json.dumps(answer.reply.event("0" * 16), ensure_ascii=False).encode()) < 6 * 1024 * 1024
        found, following, pages = found + answer.ids, answer.cursor, pages + 1
    assert found == ids
    assert pages > 1


def test_a_cursor_leads_on_for_a_day(desk: Desk) -> None:
    asked, following = begun(desk)
    desk.world.clock.pass_(CURSOR_SECONDS - 1)
    assert desk.search({**asked, "cursor": following}).status == 200
    desk.world.clock.pass_(2)
    refused(desk.search({**asked, "cursor": following}, version="2026-11-22"), "expired")


def test_a_cursor_of_another_brand_is_refused(desk: Desk) -> None:
    asked, following = begun(desk)
    desk.keep("1", brand=OTHER)
    refused(desk.search({**asked, "cursor": following}, key=desk.issue(brand=OTHER)))


def test_a_cursor_is_good_for_every_key_of_the_brand_that_sees_the_same(desk: Desk) -> None:
    asked, following = begun(desk)
    assert desk.search({**asked, "cursor": following}, key=desk.issue(owner="user-2", role="member")).status == 200


def test_a_cursor_survives_what_comes_and_goes(desk: Desk) -> None:
    ids = crowd(desk, 9)
    first = desk.search({"limit": 3})
    desk.keep("59")
    desk.keep("0", name="changed")
    [last] = desk.world.contacts.contacts(BRAND, [first.ids[-1]]).values()
    desk.world.contacts.held[BRAND, last.id] = replace(last, gone_until=int(START) + 60)
    assert desk.search({"limit": 20, "cursor": first.cursor}).ids == ids[3:]


# --- who sees what ---------------------------------------------------------------------------------------------------


@pytest.fixture
def members(desk: Desk) -> dict[str, Any]:
    """A brand whose members see their own and nobody's: contacts of Ada, of Bea, of nobody, of an owner unknown."""
    desk.user("ada", "ada@example.com", "member")
    desk.user("bea", "bea@example.com", "member")
    desk.own("acc-1", {"o1": Owner("Ada", "ADA@Example.com"), "o2": Owner("Bea", "bea@example.com"), "o3": Owner("Cy")})
    owners = {"ada": "o1", "bea": "o2", "nameless": "o3", "unknown": "o9"}
    ids = {name: desk.keep(str(place), owner={"id": id}).id for place, (name, id) in enumerate(owners.items())}
    ids["nobody"] = desk.keep("10").id
    desk.access.sight[BRAND] = "own"
    return ids


SEES = {
    ("ada", "member"): {"ada", "nobody"},
    ("bea", "member"): {"bea", "nobody"},
    ("gone", "member"): {"nobody"},
    ("ada", "manager"): {"ada", "bea", "nameless", "unknown", "nobody"},
    ("ada", "viewer"): {"ada", "nobody"},
    ("ada", "admin"): {"ada", "bea", "nameless", "unknown", "nobody"},
}


@pytest.mark.parametrize(("who", "role"), SEES)
def test_members_see_their_own_and_nobodys_in_searches_and_one_by_one(
    desk: Desk, members: dict[str, str], who: str, role: str
) -> None:
    key, sees = desk.issue(role=role, owner=who), SEES[who, role]
    assert set(desk.search(key=key).ids) == {members[each] for each in sees}
    assert set(walked(desk, {"limit": 1, "order_by": "name"}, key=key)) == {members[each] for each in sees}
    by_id = {"filters": [{"field": "id", "operator": "in", "values": list(members.values())}]}
    assert set(desk.search(by_id, key=key).ids) == {members[each] for each in sees}
    for name, id in members.items():
        assert desk.get(id, key=key).status == (200 if name in sees else 404), name


def test_a_contact_that_a_member_may_not_see_is_as_one_that_never_was(desk: Desk, members: dict[str, str]) -> None:
    desk.key = desk.issue(role="member", owner="ada", limit=10**6)
    same_as_absent(desk, members["bea"])


def test_a_brand_may_let_members_see_all(desk: Desk, members: dict[str, str]) -> None:
    desk.access.sight[BRAND] = "all"
    assert set(desk.search(key=desk.issue(role="member", owner="ada")).ids) == set(members.values())


def test_a_total_counts_only_what_is_seen(desk: Desk, members: dict[str, str]) -> None:
    assert desk.search(key=desk.issue(role="member", owner="ada")).body["meta"]["total"] == 2


@pytest.mark.parametrize("whose", ["bea", "user-1"])
def test_a_cursor_of_another_who_sees_otherwise_is_refused(desk: Desk, members: dict[str, str], whose: str) -> None:
    for number in range(20, 25):
        desk.keep(str(number))
    roles = {"bea": "member", "user-1": "admin"}
    following = desk.search({"limit": 1}, key=desk.issue(role=roles[whose], owner=whose)).cursor
    assert following
    refused(desk.search({"limit": 1, "cursor": following}, key=desk.issue(role="member", owner="ada")))


# --- ids -------------------------------------------------------------------------------------------------------------

NEVER = "con_" + "0" * 24


def same_as_absent(desk: Desk, id: str) -> None:
    """The answer is that to an id that never was, but for the path that it names."""
    found, absent = desk.get(id), desk.get(NEVER)
    assert found.status == absent.status == 404
    assert found.body == {**absent.body, "instance": f"/v1/contacts/{id}"}
    left = "x-ratelimit-remaining"
    assert {**found.headers, left: ""} == {**absent.headers, left: ""}


@pytest.mark.parametrize("id", [
    "", "con_", "cmp_" + "0" * 24, "CON_" + "0" * 24, "0" * 24, "con_" + "0" * 65, "con_" + "x" * 5000, "con_a/b",
    "con_%30", "con_a b", "con_a\n", "con_é", "con_#contact", "search/x",
])  # fmt: skip
def test_what_is_no_id_of_a_contact_is_not_found(desk: Desk, id: str) -> None:
    same_as_absent(desk, id)


def test_an_id_of_another_brand_is_not_found(desk: Desk) -> None:
    same_as_absent(desk, desk.keep("1", brand=OTHER).id)


def test_a_contact_that_is_gone_is_not_found(desk: Desk) -> None:
    gone = desk.keep("1")
    desk.world.contacts.held[BRAND, gone.id] = replace(gone, gone_until=int(START) + 60)
    same_as_absent(desk, gone.id)
    assert not desk.search().ids


@pytest.mark.parametrize("how", ["purge", "forgotten"])
def test_contacts_of_an_account_that_is_connected_no_more_are_not_found(desk: Desk, how: str) -> None:
    there = desk.keep("1")
    if how == "purge":
        desk.sync("acc-1", stage="purge")
    else:
        del desk.world.contacts.points[BRAND, "acc-1"]
    same_as_absent(desk, there.id)
    assert not desk.search().ids
    assert not desk.search({"filters": [{"field": "id", "operator": "eq", "value": there.id}]}).ids


def test_another_brand_finds_nothing_of_this_one(desk: Desk) -> None:
    ids, key = crowd(desk, 3), desk.issue(brand=OTHER)
    desk.sync("acc-1", brand=OTHER)
    assert not desk.search(key=key).ids
    assert not desk.search({"filters": [{"field": "id", "operator": "in", "values": ids}]}, key=key).ids
    assert not desk.search({"search_text": "ada"}, key=key).ids
