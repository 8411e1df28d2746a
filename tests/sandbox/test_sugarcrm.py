"""Sugar's peculiarities, and its recorded answers."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.local.samples.sugarcrm import SAMPLE
from tests.sandbox.caller import Caller, Reply
from tests.sandbox.shape import fits

CRM = "sugarcrm"
V11 = "/rest/v11"
LEADS = f"{V11}/Leads"
TOKEN = f"{V11}/oauth2/token"
STOCK = {"client_id": "sugar", "client_secret": ""}
PLATFORM = {"platform": "custom_api"}

type Recorded = Callable[[str], Any]


def lead(api: Caller, **fields: Any) -> Reply:
    return api.post(LEADS, {"last_name": "Lovelace"} | fields)


def found(api: Caller, *clauses: dict[str, Any], **more: Any) -> list[str]:
    reply = api.post(f"{LEADS}/filter", {"filter": list(clauses)} | more)
    assert reply.status == 200, reply.text
    return [row["last_name"] for row in reply.json["records"]]


def refused(reply: Reply, status: int, label: str) -> None:
    assert (reply.status, reply.json["error"]) == (status, label)
    assert reply.json.keys() == {"error", "error_message"}


# Tokens and sessions.


def log_in(crm: Caller, **changes: Any) -> Reply:
    account = crm.grant()
    body = {"grant_type": "password", "username": account["username"], "password": account["password"]}
    return crm.post(TOKEN, STOCK | body | {"platform": "custom_api"} | changes)


def test_a_login_answers_as_recorded(crm: Caller, recorded: Recorded) -> None:
    reply, was = log_in(crm), recorded("sugarcrm/token_password.json")
    assert (reply.status, reply.json.keys()) == (was["status"], was["body"].keys())
    for name in ("expires_in", "refresh_expires_in", "token_type", "scope"):
        assert reply.json[name] == was["body"][name]
    assert crm.get(LEADS, headers={"OAuth-Token": reply.json["access_token"]}).status == 200


@pytest.mark.parametrize(
    "changes",
    [{"username": "nobody"}, {"password": "wrong"}, {"password": None}, {"client_id": "x"}, {"client_secret": "x"}],
)
def test_a_wrong_login_is_need_login(crm: Caller, recorded: Recorded, changes: dict[str, Any]) -> None:
    was = recorded("sugarcrm/error_bad_credentials_401.json")
    refused(log_in(crm, **changes), was["status"], was["body"]["error"])


def test_a_login_on_a_platform_ends_the_one_before_and_an_unregistered_platform_is_refused(crm: Caller) -> None:
    first, elsewhere = log_in(crm).json, log_in(crm, platform="mobile").json
    second = log_in(crm).json
    refused(crm.get(LEADS, headers={"OAuth-Token": first["access_token"]}), 401, "invalid_grant")
    again = STOCK | PLATFORM | {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    refused(crm.post(TOKEN, again), 401, "need_login")
    for alive in (elsewhere, second):
        assert crm.get(LEADS, headers={"OAuth-Token": alive["access_token"]}).status == 200
    refused(log_in(crm, platform="toaster"), 422, "invalid_parameter")
    crm.adjust(platforms=["toaster"])
    assert log_in(crm, platform="toaster").status == 200


def test_a_refresh_renews_both_tokens_and_the_old_ones_are_dead(crm: Caller) -> None:
    old = log_in(crm).json
    body = STOCK | {"grant_type": "refresh_token", "refresh_token": old["refresh_token"], "platform": "custom_api"}
    new = crm.post(TOKEN, body)
    assert new.json.keys() == old.keys()
    assert new.json["refresh_token"] != old["refresh_token"]
    refused(crm.get(LEADS, headers={"OAuth-Token": old["access_token"]}), 401, "invalid_grant")
    refused(crm.post(TOKEN, body), 401, "need_login")
    assert crm.get(LEADS, headers={"OAuth-Token": new.json["access_token"]}).status == 200


def test_a_refresh_names_the_platform_of_its_session(crm: Caller) -> None:
    session, grant = log_in(crm, platform="mobile").json, crm.grant()
    stock = STOCK | {"refresh_token": session["refresh_token"]}
    own = {name: grant[name] for name in ("client_id", "client_secret", "refresh_token")}
    for body, wrong, right in ((stock, "custom_api", "mobile"), (own, "base", grant["platform"])):
        body |= {"grant_type": "refresh_token"}
        refused(crm.post(TOKEN, body | {"platform": wrong}), 401, "need_login")
        assert crm.post(TOKEN, body | {"platform": right}).status == 200


def test_an_address_that_is_given_twice_is_kept_once(api: Caller) -> None:
    given = [{"email_address": each} for each in ("a@example.com", "b@example.com", "A@example.com")]
    kept = [each["email_address"] for each in lead(api, email=given).json["email"]]
    assert kept == ["a@example.com", "b@example.com"]


def test_a_grant_of_the_control_plane_rotates_unless_told_not_to(crm: Caller) -> None:
    for wish, same in ({}, False), ({"rotates": False}, True):
        grant = crm.grant(**wish)
        body = {name: grant[name] for name in ("client_id", "client_secret", "refresh_token")}
        reply = crm.post(TOKEN, body | PLATFORM | {"grant_type": "refresh_token"})
        assert (reply.json["refresh_token"] == grant["refresh_token"]) is same


def test_a_refresh_token_dies_of_age(crm: Caller) -> None:
    old = log_in(crm).json
    crm.adjust(refresh_lifetime=0)
    body = STOCK | PLATFORM | {"grant_type": "refresh_token", "refresh_token": old["refresh_token"]}
    refused(crm.post(TOKEN, body), 401, "need_login")


def test_the_token_endpoint_reads_json_of_two_grant_types(crm: Caller) -> None:
    grant = crm.grant()
    body = {name: grant[name] for name in ("client_id", "client_secret", "refresh_token")}
    refused(crm.post(TOKEN, form=body | {"grant_type": "refresh_token"}), 422, "invalid_parameter")
    refused(crm.post(TOKEN, body | {"grant_type": "authorization_code"}), 422, "invalid_parameter")
    refused(crm.post(TOKEN, body), 422, "missing_parameter")
    assert crm.post(TOKEN, body | PLATFORM | {"grant_type": "refresh_token"}).status == 200


def test_single_sign_on_may_refuse_passwords(crm: Caller) -> None:
    crm.adjust(password_grant=False)
    refused(log_in(crm), 401, "need_login")


def test_a_logout_ends_the_session(crm: Caller) -> None:
    session = log_in(crm).json
    headers = {"OAuth-Token": session["access_token"]}
    assert crm.post(f"{V11}/oauth2/logout", headers=headers).json == {"success": True}
    refused(crm.get(LEADS, headers=headers), 401, "invalid_grant")
    body = STOCK | PLATFORM | {"grant_type": "refresh_token", "refresh_token": session["refresh_token"]}
    refused(crm.post(TOKEN, body), 401, "need_login")


def test_the_journal_keeps_no_password(crm: Caller) -> None:
    log_in(crm)
    text = crm.get("/_sandbox/requests").text
    assert crm.grant()["password"] not in text
    assert '"grant_type": "password"' in text


def test_the_header_is_sugars_own_and_the_usual_one_unconfirmed(crm: Caller, recorded: Recorded) -> None:
    token = crm.grant()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    was = recorded("sugarcrm/error_need_login_401.json")
    refused(crm.get(LEADS, headers=bearer), was["status"], was["body"]["error"])
    crm.adjust(bearer_accepted=True)
    assert crm.get(LEADS, headers=bearer).status == 200
    was = recorded("sugarcrm/error_token_expired_401.json")
    expired = crm.grant(expired=True)["access_token"]
    refused(crm.get(LEADS, headers={"OAuth-Token": expired}), was["status"], was["body"]["error"])


@pytest.mark.parametrize("version", ["v10", "v11_25", "v12", "v11_x", "v11_", "11"])
def test_a_version_that_is_not_served_is_a_301_to_nowhere(api: Caller, version: str) -> None:
    reply = api.get(f"/rest/{version}/Leads")
    refused(reply, 301, "incorrect_version")
    assert "location" not in reply.headers


@pytest.mark.parametrize("version", ["v11", "v11_4", "v11_24"])
def test_old_versions_keep_working(api: Caller, version: str) -> None:
    assert api.get(f"/rest/{version}/Leads").status == 200
    assert api.get(f"/rest/{version}/ping").json == "pong"


# Leads.


def test_a_lead_needs_a_last_name_only_and_comes_back_whole(api: Caller, recorded: Recorded) -> None:
    reply = lead(api, first_name="Ada", email1="ada@example.com")
    was = recorded("sugarcrm/tag_create.json")
    assert reply.status == was["status"] == 200
    common = {"id", "name", "date_entered", "date_modified", "modified_user_id", "modified_by_name", "deleted"}
    assert common <= was["body"].keys() & reply.json.keys()
    made = reply.json
    assert (made["name"], made["full_name"], made["_module"]) == ("Ada Lovelace", "Ada Lovelace", "Leads")
    assert (made["title"], made["account_id"], made["converted"], made["score_c"]) == ("", "", False, None)
    assert made["assigned_user_name"] == made["created_by_name"] == "Iris Interface"
    assert api.get(f"{LEADS}/{made['id']}").json == made
    entered = datetime.fromisoformat(made["date_entered"])
    assert made["date_entered"].endswith("-04:00")
    assert entered.timestamp() == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"last_name": ""}, "missing_parameter"),
        ({"last_name": None}, "missing_parameter"),
        ({"last_name": 5}, "invalid_parameter"),
        ({"last_name": "x" * 101}, "invalid_parameter"),
        ({"status": "Lukewarm"}, "invalid_parameter"),
        ({"lead_source": 3}, "invalid_parameter"),
        ({"do_not_call": "true"}, "invalid_parameter"),
        ({"assigned_user_id": "nobody"}, "invalid_parameter"),
        ({"contact_id": "nobody"}, "invalid_parameter"),
        ({"account_id": "nobody"}, "invalid_parameter"),
        ({"email1": "ada"}, "invalid_parameter"),
        ({"email": "ada@example.com"}, "invalid_parameter"),
        ({"email": [{"address": "ada@example.com"}]}, "invalid_parameter"),
        ({"email": [{"email_address": "ada@example.com", "opt_out": "no"}]}, "invalid_parameter"),
        ({"email": [{"email_address": f"{n}@a.de", "primary_address": True} for n in (1, 2)]}, "invalid_parameter"),
        ({"id": "mine"}, "invalid_parameter"),
        ({"full_name": "Ada Lovelace"}, "invalid_parameter"),
        ({"assigned_user_name": "Sam Seller"}, "invalid_parameter"),
        ({"converted": True}, "invalid_parameter"),
        ({"nonsense": 1}, "invalid_parameter"),
        ({"nonsense_c": 1}, "invalid_parameter"),
        ({"tier_c": "Gold"}, "invalid_parameter"),
        ({"score_c": "many"}, "invalid_parameter"),
        ({"renewal_c": "31.12.2026"}, "invalid_parameter"),
        ({"newsletter_c": 1}, "invalid_parameter"),
    ],
)
def test_a_lead_that_does_not_fit_is_422(api: Caller, fields: dict[str, Any], label: str) -> None:
    refused(lead(api, **fields), 422, label)
    assert api.stored("leads") == []


def test_what_is_no_field_may_be_dropped_in_silence(api: Caller) -> None:
    api.adjust(drops_unknown_fields=True)
    made = lead(api, nonsense=1, full_name="Grace Hopper")
    assert (made.status, made.json["full_name"], "nonsense" in made.json) == (200, "Lovelace", False)


def test_leads_may_lack_what_only_contacts_are_known_to_have(api: Caller) -> None:
    assert lead(api, primary_address_city="London", phone_home="1").status == 200
    api.adjust(bare_leads=True)
    refused(lead(api, primary_address_city="London"), 422, "invalid_parameter")
    assert "primary_address_city" not in lead(api).json
    assert api.post(f"{V11}/Contacts", {"last_name": "L", "primary_address_city": "London"}).status == 200


def test_a_body_that_is_no_json_object_or_says_so_not_is_422(api: Caller) -> None:
    refused(api.post(LEADS, [{"last_name": "L"}]), 422, "invalid_parameter")
    refused(api.post(LEADS, form={"last_name": "L"}), 422, "invalid_parameter")
    refused(api.post(LEADS, {"last_name": "L"}, headers={"Content-Type": "text/plain"}), 422, "invalid_parameter")
    refused(api.post(LEADS), 422, "invalid_parameter")


def test_custom_fields_end_in_c_and_decimals_are_strings(api: Caller) -> None:
    sent = {"favourite_colour_c": "red", "tier_c": "gold", "score_c": 7.5, "renewal_c": "2026-12-31"}
    made = lead(api, **sent, newsletter_c=True).json
    assert sent | {"score_c": "7.5"} == {name: made[name] for name in sent}
    assert made["newsletter_c"] is True
    api.plant("lists", {"list": "size_list", "key": "xl", "label": "Extra large"})
    size = {"module": "Leads", "name": "size_c", "type": "enum", "options": "size_list"}
    api.plant("customFields", size)
    assert lead(api, size_c="xl").json["size_c"] == "xl"
    refused(lead(api, size_c="Extra large"), 422, "invalid_parameter")


def test_addresses_are_a_list_with_flags_as_text(api: Caller, recorded: Recorded) -> None:
    sent = [{"email_address": "a@example.com"}, {"email_address": "b@example.com", "primary_address": "1"}]
    made = lead(api, email=sent).json["email"]
    was = recorded("sugarcrm/contact_email_shape.json")["body"]["email"][0]
    assert made[0].keys() == was.keys()
    assert [one["primary_address"] for one in made] == ["0", "1"]
    assert type(made[0]["opt_out"]) is type(was["opt_out"])
    api.adjust(email_flags_as_text=False)
    assert lead(api, email=sent[:1]).json["email"][0]["primary_address"] is True


def test_an_update_changes_what_is_sent_and_answers_the_whole(api: Caller) -> None:
    made = lead(api, first_name="Ada", title="Countess", status="New", email1="ada@example.com").json
    one = f"{LEADS}/{made['id']}"
    changed = api.put(one, {"first_name": "Augusta", "title": None, "email1": ""})
    expected = made | {"first_name": "Augusta", "title": "", "email": []}
    expected |= {"name": "Augusta Lovelace", "full_name": "Augusta Lovelace"}
    assert changed.status == 200
    assert changed.json == expected | {"date_modified": changed.json["date_modified"]}
    refused(api.put(one, {"last_name": ""}), 422, "missing_parameter")
    refused(api.put(f"{LEADS}/nobody", {"first_name": "Ada"}), 404, "not_found")
    refused(api.patch(one, {"first_name": "Ada"}), 404, "no_method")


def test_a_stale_write_conflicts_only_where_the_client_says_what_it_read(api: Caller, recorded: Recorded) -> None:
    made = lead(api).json
    one, was = f"{LEADS}/{made['id']}", recorded("sugarcrm/error_edit_conflict_409.json")
    stale = api.put(one, {"title": "x"}, headers={"X-TIMESTAMP": "2020-01-01T00:00:00-04:00"})
    refused(stale, was["status"], was["body"]["error"])
    assert api.put(one, {"title": "x"}, headers={"X-TIMESTAMP": made["date_modified"]}).status == 200


def test_a_deleted_lead_is_gone_but_a_list_can_ask_for_it(api: Caller, recorded: Recorded) -> None:
    made = lead(api).json["id"]
    assert api.delete(f"{LEADS}/{made}").json == {"id": made}
    for reply in (api.get(f"{LEADS}/{made}"), api.delete(f"{LEADS}/{made}"), api.put(f"{LEADS}/{made}", {})):
        refused(reply, 404, recorded("sugarcrm/error_not_found_404.json")["body"]["error"])
    assert api.get(LEADS).json == recorded("sugarcrm/list_empty.json")["body"]
    for reply in (api.get(LEADS, query={"deleted": "true"}), api.post(f"{LEADS}/filter", {"deleted": True})):
        [row] = reply.json["records"]
        assert (row["id"], row["deleted"]) == (made, True)
        assert row.keys() == {"id", "date_modified", "deleted", "_acl", "_module"}


# Lists and filters.


def test_fields_bring_more_than_they_name(api: Caller, recorded: Recorded) -> None:
    made = lead(api).json["id"]
    was = recorded("sugarcrm/accounts_filter_or.json")["body"]["records"][0]
    page = api.post(f"{LEADS}/filter", {"fields": "id"}).json
    assert page["records"][0].keys() == was.keys()
    one = api.get(f"{LEADS}/{made}", query={"fields": "id,title"}).json
    assert one.keys() == {*was, "title"}
    refused(api.get(f"{LEADS}/{made}", query={"fields": "colour"}), 422, "invalid_parameter")
    refused(api.post(f"{LEADS}/filter", {"fields": ["colour"]}), 422, "invalid_parameter")


def test_pages_go_by_offset_to_minus_one_and_a_cap_is_silent(api: Caller) -> None:
    api.post("/_sandbox/records/leads", [{"last_name": f"{number:02}"} for number in range(25)])
    assert len(api.get(LEADS).json["records"]) == 20
    api.adjust(largest_page=10)
    seen, offset = list[str](), 0
    while offset != -1:
        page = api.get(LEADS, query={"max_num": 500, "offset": offset, "order_by": "last_name:ASC"}).json
        assert len(page["records"]) <= 10
        seen += [row["last_name"] for row in page["records"]]
        offset = page["next_offset"]
    assert seen == [f"{number:02}" for number in range(25)]
    assert api.get(f"{LEADS}/count").json == {"record_count": 25}
    for query in ({"max_num": 0}, {"max_num": "all"}, {"offset": -1}, {"order_by": "colour"}, {"order_by": "id:UP"}):
        refused(api.get(LEADS, query=query), 422, "invalid_parameter")


def test_what_changed_last_comes_first_unless_an_order_is_asked_for(api: Caller) -> None:
    for year, name in ((2024, "b"), (2025, "a"), (2023, "a")):
        modified = f"{year}-01-01T00:00:00+00:00"
        api.plant("leads", {"last_name": name, "first_name": str(year), "date_modified": modified})
    assert [row["first_name"] for row in api.get(LEADS).json["records"]] == ["2025", "2024", "2023"]
    ordered = api.get(LEADS, query={"order_by": "last_name:DESC,date_modified:ASC"}).json["records"]
    assert [row["first_name"] for row in ordered] == ["2024", "2023", "2025"]


def test_leads_are_found_by_when_they_changed(api: Caller) -> None:
    for month in (1, 2, 3):
        api.plant("leads", {"last_name": str(month), "date_modified": f"2024-0{month}-01T00:00:00+00:00"})
    order = {"order_by": "date_modified:ASC"}
    assert found(api, {"date_modified": {"$gte": "2024-02-01T00:00:00+00:00"}}, **order) == ["2", "3"]
    assert found(api, {"date_modified": {"$gt": "2024-01-31T20:00:00-04:00"}}, **order) == ["3"]
    between = ["2024-01-15T00:00:00Z", "2024-02-15T00:00:00Z"]
    assert found(api, {"date_modified": {"$dateBetween": between}}, **order) == ["2"]
    assert found(api, {"date_modified": {"$dateRange": "last_7_days"}}) == []
    query = "filter[0][date_modified][$gte]=2024-02-01T00:00:00%2B00:00&order_by=date_modified:ASC"
    assert len(api.get(f"{LEADS}?{query}").json["records"]) == 2
    for wrong in ("2024-02-01T00:00:00", "yesterday", 1706745600, "2024-02-01T00:00:00 00:00"):
        body = {"filter": [{"date_modified": {"$gte": wrong}}]}
        refused(api.post(f"{LEADS}/filter", body), 422, "invalid_parameter")
    refused(api.get(f"{LEADS}?{query.replace('%2B', '+')}"), 422, "invalid_parameter")


def test_the_operators_compare(api: Caller) -> None:
    lead(api, first_name="Ada", status="New", score_c=9)
    lead(api, last_name="Hopper", first_name="Grace", score_c="10", email1="grace@example.com")
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"last_name": "Hopper"}, ["Hopper"]),
        ({"last_name": {"$equals": "hopper"}}, []),
        ({"last_name": {"$not_equals": "Hopper"}}, ["Lovelace"]),
        ({"last_name": {"$starts": "Love"}}, ["Lovelace"]),
        ({"last_name": {"$ends": "per"}}, ["Hopper"]),
        ({"last_name": {"$contains": "o"}}, ["Hopper", "Lovelace"]),
        ({"last_name": {"$in": ["Hopper", "Turing"]}}, ["Hopper"]),
        ({"last_name": {"$not_in": ["Hopper"]}}, ["Lovelace"]),
        ({"status": {"$is_null": ""}}, ["Hopper"]),
        ({"status": {"$not_null": ""}}, ["Lovelace"]),
        ({"score_c": {"$gt": "9"}}, ["Hopper"]),
        ({"score_c": {"$between": [9, 9.5]}}, ["Lovelace"]),
        ({"converted": False}, ["Hopper", "Lovelace"]),
        ({"email1": "grace@example.com"}, ["Hopper"]),
        ({"email_addresses.email_address": {"$ends": "example.com"}}, ["Hopper"]),
        ({"$or": [{"first_name": "Ada"}, {"first_name": "Grace"}]}, ["Hopper", "Lovelace"]),
        ({"$or": [{"$and": [{"first_name": "Ada"}, {"status": "New"}]}]}, ["Lovelace"]),
        ({"first_name": "Ada", "status": ""}, []),
    ]
    for clause, expected in cases:
        assert found(api, clause, order_by="last_name:ASC") == expected, clause
    assert found(api, {"first_name": "Ada"}, {"last_name": "Hopper"}) == []
    query = "filter[0][$or][0][first_name][$starts]=Ad&filter[0][$or][1][id][$in][]=nobody"
    assert [row["first_name"] for row in api.get(f"{LEADS}?{query}").json["records"]] == ["Ada"]


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {"last_name": "L"}},
        {"filter": ["last_name"]},
        {"filter": [{"colour": "red"}]},
        {"filter": [{"first_name": "nobody"}, {"colour": "red"}]},
        {"filter": [{"last_name": {"$like": "L"}}]},
        {"filter": [{"last_name": {"$in": "L"}}]},
        {"filter": [{"last_name": {"$is_null": True}}]},
        {"filter": [{"date_modified": {"$between": ["2024-01-01T00:00:00Z"]}}]},
        {"filter": [{"email": "ada@example.com"}]},
        {"filter": [{"last_name": "L"}], "q": "L"},
        {"filters": []},
        {"view": "card"},
    ],
)
def test_a_wrong_filter_is_refused_even_where_there_is_nothing_to_find(api: Caller, body: dict[str, Any]) -> None:
    refused(api.post(f"{LEADS}/filter", body), 422, "invalid_parameter")
    api.adjust(bad_filters_are_fatal=True)
    refused(api.post(f"{LEADS}/filter", body), 500, "fatal_error")


def test_looking_up_an_address_may_not_work_one_way_or_the_other(api: Caller) -> None:
    lead(api, email1="ada@example.com")
    api.adjust(email_filters=["email1"])
    other = {"filter": [{"email_addresses.email_address": "ada@example.com"}]}
    refused(api.post(f"{LEADS}/filter", other), 422, "invalid_parameter")
    assert found(api, {"email1": "ada@example.com"}) == ["Lovelace"]
    assert len(api.get(LEADS, query={"q": "ADA@example"}).json["records"]) == 1


def test_duplicates_are_told_when_asked_for_and_never_refused(api: Caller, recorded: Recorded) -> None:
    first = lead(api, first_name="Ada").json["id"]
    check = api.post(f"{LEADS}/duplicateCheck", {"first_name": "Ada", "last_name": "Lovelace"})
    was = recorded("sugarcrm/account_duplicate_check.json")
    assert (check.status, check.json.keys()) == (was["status"], was["body"].keys())
    assert [row["id"] for row in check.json["records"]] == [first]
    other = api.post(f"{LEADS}/duplicateCheck", {"first_name": "Bob", "last_name": "Lovelace"})
    assert other.json == {"next_offset": -1, "records": []}
    api.fault("duplicate", route="leads")
    assert lead(api, first_name="Ada").status == 200
    assert len(api.stored("leads")) == 3


# What a lead refers to.


def test_contacts_and_accounts_have_the_same_verbs_and_name_each_other(api: Caller, recorded: Recorded) -> None:
    account = api.post(f"{V11}/Accounts", {"name": "Engines", "email1": "info@example.com"})
    was = recorded("sugarcrm/account_create.json")
    assert account.status == was["status"]
    links = {"modified_user_link", "created_by_link", "facebook", "twitter", "googleplus"}
    assert was["body"].keys() - links <= account.json.keys()
    contact = api.post(f"{V11}/Contacts", {"last_name": "Lovelace", "account_id": account.json["id"]}).json
    assert contact["account_name"] == "Engines"
    refused(api.post(f"{V11}/Contacts", {"last_name": "L", "account_name": "Engines"}), 422, "invalid_parameter")
    refused(api.post(f"{V11}/Accounts", {"industry": "Banking"}), 422, "missing_parameter")
    made = lead(api, contact_id=contact["id"], account_id=account.json["id"], account_name="Any text").json
    assert (made["contact_id"], made["account_name"]) == (contact["id"], "Any text")
    assert api.delete(f"{V11}/Contacts/{contact['id']}").status == 200
    refused(lead(api, contact_id=contact["id"]), 422, "invalid_parameter")


def test_users_are_read_and_not_written(api: Caller) -> None:
    seller = api.plant("users", {"id": "seed_max_id", "user_name": "max", "first_name": "Max", "last_name": "Jensen"})
    assert lead(api, assigned_user_id=seller).json["assigned_user_name"] == "Max Jensen"
    query = {"fields": "id,user_name,full_name,email,status", "filter[0][user_name]": "max"}
    [row] = api.get(f"{V11}/Users", query=query).json["records"]
    assert (row["id"], row["full_name"], row["status"]) == ("seed_max_id", "Max Jensen", "Active")
    refused(api.post(f"{V11}/Users", {"last_name": "x"}), 403, "not_authorized")
    refused(api.delete(f"{V11}/Users/{seller}"), 403, "not_authorized")
    assert api.get(f"{V11}/me").json["current_user"]["user_name"] == api.grant()["username"]
    api.adjust(users_are_closed=True)
    refused(api.get(f"{V11}/Users"), 403, "not_authorized")


# Reading one record with what belongs to it.


def customer(api: Caller) -> dict[str, str]:
    """A company, its contact, a deal and a lead of one planted user, in the words of the rest of the sandbox."""
    user = api.plant("users", {"user_name": "charles", "first_name": "Charles", "last_name": "Babbage"})
    own = {"assigned_user_id": user}
    company = api.plant("companies", {"name": "Engines", "industry": "Machinery", "phone_office": "1"} | own)
    person = {"first_name": "Ada", "last_name": "Lovelace", "favourite_colour_c": "brass"} | own
    contact = api.plant("contacts", person | {"account_id": company, "email": [{"email_address": "ada@e.example"}]})
    sale = {"name": "No. 2", "amount": 12500, "date_closed": "2026-12-31", "sales_stage": "Prospecting"} | own
    deal = api.plant("deals", sale | {"account_id": company, "contacts": {"add": [contact]}, "probability": 10})
    lead_id = api.plant("leads", person | {"account_name": "Engines"})
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": lead_id}


MODULES = {"users": "Users", "companies": "Accounts", "contacts": "Contacts", "deals": "Opportunities"} | {
    "leads": "Leads"
}


def path_of(ids: dict[str, str], noun: str) -> str:
    return f"{V11}/{MODULES[noun]}/{ids[noun]}"


def test_a_deal_tells_its_account_and_owner_by_id_and_name(api: Caller, recorded: Recorded) -> None:
    ids = customer(api)
    row = api.get(path_of(ids, "deals")).json
    was = recorded("sugarcrm/opportunity_record.json")["body"]
    assert was.keys() - row.keys() == set()
    fits(was, row)
    fits(was["team_name"][0], row["team_name"][0])
    assert (row["account_id"], row["account_name"]) == (ids["companies"], "Engines")
    assert (row["assigned_user_id"], row["assigned_user_name"]) == (ids["users"], "Charles Babbage")
    assert (row["amount"], row["probability"], row["date_closed"]) == ("12500", "10", "2026-12-31")
    assert (row["sales_stage"], row["sales_status"], row["_module"]) == ("Prospecting", "New", "Opportunities")
    assert (row["currency_id"], row["currency_name"], row["base_rate"]) == ("-99", "", "1")
    assert not {"contacts", "contact_id"} & row.keys()


def test_decimals_may_be_numbers(crm: Caller, api: Caller) -> None:
    ids = customer(api)
    crm.adjust(decimals_as_numbers=True)
    row = api.get(path_of(ids, "deals"), query={"fields": "amount,probability"}).json
    assert (row["amount"], row["probability"]) == (12500, 10)


def test_another_currency_is_a_record_and_the_base_perhaps_none(crm: Caller, api: Caller) -> None:
    pound = api.plant("currencies", {"name": "Pound", "symbol": "£", "iso4217": "GBP", "conversion_rate": "0.8"})
    deal = api.plant("deals", {"name": "No. 2", "amount": "100", "currency_id": pound})
    row = api.get(f"{V11}/Opportunities/{deal}").json
    assert [row[name] for name in ("currency_id", "currency_name", "currency_symbol")] == [pound, "Pound", "£"]
    assert (row["amount"], row["base_rate"], float(row["amount_usdollar"])) == ("100", "0.8", 125)
    assert api.get(f"{V11}/Currencies/{pound}").json["iso4217"] == "GBP"
    refused(api.get(f"{V11}/Currencies/-99"), 404, "not_found")
    crm.adjust(base_currency_readable=True)
    assert api.get(f"{V11}/Currencies/-99").json["iso4217"] == "USD"


def test_the_contacts_of_a_deal_are_a_list_under_it(api: Caller, recorded: Recorded) -> None:
    ids = customer(api)
    api.plant("contacts", {"last_name": "Else", "account_id": ids["companies"]})
    body = api.get(f"{path_of(ids, 'deals')}/link/contacts").json
    was = recorded("sugarcrm/opportunity_link_contact.json")["body"]["related_record"]
    assert [row["id"] for row in body["records"]] == [ids["contacts"]]
    assert was.keys() - body["records"][0].keys() == set()
    fits(was, body["records"][0])
    few = api.get(f"{path_of(ids, 'deals')}/link/contacts", query={"fields": "full_name,title", "max_num": 1}).json
    assert few == {
        "next_offset": -1,
        "records": [
            {
                name: body["records"][0][name]
                for name in ("id", "date_modified", "full_name", "title", "_acl", "_module")
            }
        ],
    }
    api.delete(path_of(ids, "contacts"))
    assert api.get(f"{path_of(ids, 'deals')}/link/contacts").json["records"] == []


def test_links_lead_both_ways(api: Caller, recorded: Recorded) -> None:
    ids = customer(api)
    body = api.get(f"{path_of(ids, 'companies')}/link/contacts").json
    was = recorded("sugarcrm/account_contacts_list.json")["body"]
    assert body.keys() == was.keys()
    assert was["records"][0].keys() - body["records"][0].keys() == set()
    for noun, link, found in (
        ("companies", "contacts", "contacts"),
        ("companies", "opportunities", "deals"),
        ("contacts", "accounts", "companies"),
        ("contacts", "opportunities", "deals"),
        ("deals", "accounts", "companies"),
    ):
        reply = api.get(f"{path_of(ids, noun)}/link/{link}")
        assert [row["id"] for row in reply.json["records"]] == [ids[found]], (noun, link)
    refused(api.get(f"{path_of(ids, 'deals')}/link/colours"), 404, "not_found")
    refused(api.get(f"{path_of(ids, 'leads')}/link/contacts"), 404, "not_found")
    refused(api.get(f"{path_of(ids | {'deals': 'nobody'}, 'deals')}/link/contacts"), 404, "not_found")
    refused(api.get(f"{path_of(ids, 'deals')}/link/contacts", query={"fields": "colour"}), 422, "invalid_parameter")


@pytest.mark.parametrize("noun", MODULES)
def test_every_record_is_read_by_its_id_whole_or_in_part(api: Caller, noun: str) -> None:
    ids = customer(api)
    row = api.get(path_of(ids, noun)).json
    assert (row["id"], row["_module"], row["deleted"]) == (ids[noun], MODULES[noun], False)
    assert api.get(path_of(ids, noun), query={"view": "record", "nonsense": 1}).json == row
    few = api.get(path_of(ids, noun), query={"fields": "name,created_by_name"}).json
    assert few.keys() == {"id", "date_modified", "name", "created_by_name", "_acl", "_module"}
    refused(api.get(path_of(ids, noun), query={"fields": "colour"}), 422, "invalid_parameter")
    refused(api.get(path_of(ids, noun), query={"view": "colour"}), 422, "invalid_parameter")
    for nobody in ("11111111-2222-3333-4444-555555555555", "x"):
        refused(api.get(path_of({noun: nobody}, noun)), 404, "not_found")
    if noun != "users":
        assert api.delete(path_of(ids, noun)).json == {"id": ids[noun]}
        refused(api.get(path_of(ids, noun)), 404, "not_found")


@pytest.mark.parametrize("noun", MODULES)
def test_what_the_role_of_the_user_does_not_open_is_403(
    crm: Caller, api: Caller, recorded: Recorded, noun: str
) -> None:
    ids, was = customer(api), recorded("sugarcrm/error_permission_403.json")
    crm.adjust(forbidden=[noun])
    for name in MODULES:
        for reply in (api.get(path_of(ids, name)), api.get(f"{V11}/{MODULES[name]}")):
            assert reply.status == (was["status"] if name == noun else 200)
            assert name != noun or reply.json["error"] == was["body"]["error"]
    linked = api.get(f"{path_of(ids, 'deals')}/link/contacts")
    assert linked.status == (403 if noun in ("deals", "contacts") else 200)


def test_users_may_be_closed_but_for_ones_own(crm: Caller, api: Caller) -> None:
    ids = customer(api)
    crm.adjust(users_are_closed=True)
    refused(api.get(path_of(ids, "users")), 403, "not_authorized")
    assert api.get(f"{V11}/Users/seed_iris_id").json["full_name"] == "Iris Interface"


def test_deals_are_found_by_account_and_stage(api: Caller) -> None:
    ids = customer(api)
    api.plant("deals", {"name": "Other", "sales_stage": "Closed Won"})
    for clause in ({"account_id": ids["companies"]}, {"sales_stage": "Prospecting"}, {"amount": {"$gt": "12000"}}):
        reply = api.post(f"{V11}/Opportunities/filter", {"filter": [clause]})
        assert [row["name"] for row in reply.json["records"]] == ["No. 2"], clause
    refused(api.post(f"{V11}/Opportunities", {"name": "No. 3"}), 422, "missing_parameter")


def test_drop_down_lists_have_keys_and_labels_and_stages_are_one_of_them(api: Caller) -> None:
    stages = api.get(f"{V11}/Opportunities/enum/sales_stage").json
    assert {"Prospecting", "Closed Won", "Closed Lost"} <= stages.keys()
    api.plant("lists", {"list": "sales_stage_dom", "key": "demo", "label": "Demonstration"})
    assert api.get(f"{V11}/Opportunities/enum/sales_stage").json == stages | {"demo": "Demonstration"}
    assert api.get(f"{V11}/Leads/enum/tier_c").json["gold"] == "Gold"
    sources = api.get(f"{V11}/Leads/enum/lead_source").json
    assert lead(api, lead_source=list(sources)[1]).status == 200
    refused(api.get(f"{V11}/Leads/enum/last_name"), 404, "not_found")


def test_there_are_no_pipelines_and_a_stage_cannot_be_made(api: Caller, recorded: Recorded) -> None:
    for path in ("Pipelines", "Stages"):
        refused(api.get(f"{V11}/{path}"), 404, recorded("sugarcrm/error_not_found_404.json")["body"]["error"])
    for method in ("POST", "PUT", "DELETE"):
        reply = api.send(method, f"{V11}/Opportunities/enum/sales_stage", {"demo": "Demonstration"})
        refused(reply, 404, recorded("sugarcrm/error_no_method_404.json")["body"]["error"])


def test_metadata_describe_fields_and_their_lists(api: Caller, recorded: Recorded) -> None:
    was = recorded("sugarcrm/notes_metadata.json")["body"]["modules"]["Notes"]["fields"]["name"]
    query = {"type_filter": "modules", "module_filter": "Leads"}
    modules = api.get(f"{V11}/metadata", query=query).json["modules"]
    assert modules.keys() == {"Leads"}
    fields = modules["Leads"]["fields"]
    last_name, tier = fields["last_name"], fields["tier_c"]
    assert last_name.keys() <= was.keys()
    assert (last_name["required"], last_name["len"], tier["type"], tier["options"]) == (True, 100, "enum", "tier_list")
    assert lead(api).json.keys() - fields.keys() == {"_acl", "_module"}


# Refusals.


def test_refusals_have_a_label_and_a_status(crm: Caller, api: Caller, recorded: Recorded) -> None:
    reader = crm.authorised(scopes=["leads:list"])
    assert reader.get(LEADS).status == 200
    was = recorded("sugarcrm/error_permission_403.json")
    refused(lead(reader), was["status"], was["body"]["error"])
    api.fault("server_error", route="leads")
    was = recorded("sugarcrm/error_fatal_500.json")
    refused(lead(api), was["status"], was["body"]["error"])
    crm.adjust(largest_body=10)
    refused(lead(api), 413, "request_too_large")
    crm.adjust(maintenance=True)
    refused(api.get(LEADS), 503, "maintenance")


def test_a_limit_is_a_proxys_and_no_json(crm: Caller, api: Caller) -> None:
    crm.adjust(requests_per_minute=0)
    limited = api.get(LEADS)
    assert (limited.status, limited.headers["retry-after"]) == (429, "60")
    with pytest.raises(json.JSONDecodeError):
        _ = limited.json
    crm.adjust(requests_per_minute=1000)
    api.fault("rate_limited_silent")
    assert "retry-after" not in api.get(LEADS).headers


# Lists of contacts, what changed in them, and what is gone.

CONTACTS = f"{V11}/Contacts"
START = 1_767_225_600  # 2026-01-01 in epoch seconds


def utc(seconds: int) -> str:
    return datetime.fromtimestamp(START + seconds, UTC).isoformat()


def edit(crm: Caller, noun: str, record_id: str, **fields: Any) -> None:
    assert crm.patch(f"/_sandbox/records/{noun}/{record_id}", fields).status == 200


def remove(crm: Caller, noun: str, record_id: str) -> None:
    assert crm.delete(f"/_sandbox/records/{noun}/{record_id}").status == 200


def many(crm: Caller, number: int) -> list[str]:
    rows = [{"last_name": f"No. {place}", "date_entered": utc(place // 2)} for place in range(number)]
    return crm.post("/_sandbox/records/contacts", rows, timeout=30).json["ids"]


def contacts(api: Caller, *clauses: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    body = {"filter": list(clauses), "order_by": "date_modified:ASC", "offset": 0} | more
    while body["offset"] != -1:
        page = api.post(f"{CONTACTS}/filter", body)
        assert page.status == 200, page.text
        rows += page.json["records"]
        body["offset"] = page.json["next_offset"]
    return rows


def ids_of(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def since(seconds: int, operator: str = "$gte") -> dict[str, Any]:
    return {"date_modified": {operator: utc(seconds)}}


def test_contacts_come_by_twenties_and_the_cap_is_silent(crm: Caller, api: Caller) -> None:
    ids = many(crm, 50)
    assert len(api.get(CONTACTS).json["records"]) == 20
    assert ids_of(contacts(api)) == ids
    assert ids_of(contacts(api, max_num=7)) == ids
    crm.adjust(largest_page=10)
    page = api.get(CONTACTS, query={"max_num": 1000}).json
    assert (len(page["records"]), page["next_offset"]) == (10, 10)
    assert api.get(CONTACTS, query={"offset": 50}).json == {"next_offset": -1, "records": []}


def test_offsets_drift_while_contacts_change_and_go(crm: Caller, api: Caller) -> None:
    ids = many(crm, 4)
    query = {"max_num": 2, "order_by": "date_modified:ASC"}
    assert ids_of(api.get(CONTACTS, query=query).json["records"]) == ids[:2]
    remove(crm, "contacts", ids[0])
    rest = api.get(CONTACTS, query=query | {"offset": 2}).json
    assert (ids_of(rest["records"]), rest["next_offset"]) == (ids[3:], -1)
    newest_first = api.get(CONTACTS, query={"max_num": 2}).json
    edit(crm, "contacts", ids[1], title="Countess")
    again = api.get(CONTACTS, query={"max_num": 2, "offset": newest_first["next_offset"]}).json["records"]
    assert set(ids_of(again)) & set(ids_of(newest_first["records"]))


@pytest.mark.parametrize(
    ("clauses", "places"),
    [
        ([since(1)], [2, 3, 4]),
        ([since(1, "$gt")], [4]),
        ([since(1, "$lte")], [0, 1, 2, 3]),
        ([{"date_modified": {"$gte": "2025-12-31T20:00:02-04:00"}}], [4]),
        ([since(1), {"date_entered": {"$lt": utc(2)}}], [2, 3]),
        ([{"date_modified": {"$dateBetween": [utc(0), utc(1)]}}], [0, 1, 2, 3]),
    ],
)
def test_what_changed_is_found_from_a_second_on(
    crm: Caller, api: Caller, clauses: list[dict[str, Any]], places: list[int]
) -> None:
    ids = many(crm, 5)
    assert ids_of(contacts(api, *clauses)) == [ids[place] for place in places]


def test_a_moment_may_be_split_by_id(crm: Caller, api: Caller) -> None:
    ids = sorted(many(crm, 2))
    behind = {"$or": [since(0, "$gt"), {"$and": [{"date_modified": utc(0)}, {"id": {"$gt": ids[0]}}]}]}
    assert ids_of(contacts(api, behind, order_by="date_modified:ASC,id:ASC")) == ids[1:]


def test_times_have_the_offset_of_the_user_and_whole_seconds(crm: Caller, api: Caller) -> None:
    [one] = many(crm, 1)
    row = api.get(f"{CONTACTS}/{one}").json
    assert row["date_entered"] == row["date_modified"] == "2025-12-31T20:00:00-04:00"
    crm.adjust(utc_offset_minutes=600)
    assert api.get(f"{CONTACTS}/{one}").json["date_modified"] == "2026-01-01T10:00:00+10:00"
    other = api.plant("contacts", {"last_name": "L", "date_entered": utc(0), "date_modified": utc(60)})
    row = api.get(f"{CONTACTS}/{other}").json
    assert (row["date_entered"], row["date_modified"]) == ("2026-01-01T10:00:00+10:00", "2026-01-01T10:01:00+10:00")


def test_a_contact_that_a_colleague_changes_moves_to_the_end(crm: Caller, api: Caller) -> None:
    first, second = many(crm, 2)
    was = api.get(f"{CONTACTS}/{first}").json
    address = [{"email_address": "ada@example.com"}]
    edit(crm, "contacts", first, last_name="Lovelace", favourite_colour_c="red", title=None, email=address)
    row = contacts(api, fields=["name", "favourite_colour_c", "title", "email"])[-1]
    assert (row["id"], row["name"], row["favourite_colour_c"], row["title"]) == (first, "Lovelace", "red", "")
    assert row["email"][0]["email_address"] == "ada@example.com"
    assert row["date_modified"] > was["date_modified"]
    assert api.get(f"{CONTACTS}/{first}").json["date_entered"] == was["date_entered"]
    assert ids_of(contacts(api, since(1))) == [first]
    assert second in ids_of(contacts(api))


def test_what_a_colleague_deletes_is_told_to_lists_that_ask(crm: Caller, api: Caller) -> None:
    gone, there = many(crm, 2)
    remove(crm, "contacts", gone)
    refused(api.get(f"{CONTACTS}/{gone}"), 404, "not_found")
    assert ids_of(contacts(api)) == [there]
    told = contacts(api, deleted=True, fields="last_name,favourite_colour_c")
    assert ids_of(told) == [there, gone]
    assert told[1].keys() == {"id", "date_modified", "deleted", "_acl", "_module"}
    assert "deleted" not in told[0]
    changed = contacts(api, since(1), deleted=True)
    assert [(row["id"], row["deleted"]) for row in changed] == [(gone, True)]
    query = {"deleted": "true", "order_by": "date_modified:ASC"}
    assert ids_of(api.get(CONTACTS, query=query).json["records"]) == [there, gone]
    assert api.get(f"{CONTACTS}/count").json == {"record_count": 1}


def test_contacts_tell_their_custom_fields(crm: Caller, api: Caller) -> None:
    size = {"module": "Contacts", "name": "size_c", "type": "decimal"}
    one = api.plant("contacts", {"last_name": "L", "favourite_colour_c": "teal"})
    api.plant("customFields", size)
    query = {"type_filter": "modules", "module_filter": "Contacts"}
    fields = api.get(f"{V11}/metadata", query=query).json["modules"]["Contacts"]["fields"]
    assert {name: field["type"] for name, field in fields.items() if name.endswith("_c")} == {
        "favourite_colour_c": "varchar",
        "size_c": "decimal",
    }
    [whole] = contacts(api)
    assert (whole["id"], whole["favourite_colour_c"], whole["size_c"]) == (one, "teal", None)
    [part] = contacts(api, fields="last_name")
    assert "favourite_colour_c" not in part


def test_nobody_changes_or_deletes_what_is_not_there(crm: Caller, api: Caller) -> None:
    gone, there = many(crm, 2)
    remove(crm, "contacts", gone)
    for noun, record_id in (("contacts", gone), ("contacts", "1"), ("unicorns", "1"), ("users", "1")):
        assert crm.patch(f"/_sandbox/records/{noun}/{record_id}", {}).status == 400
        assert crm.delete(f"/_sandbox/records/{noun}/{record_id}").status == 400
    assert crm.patch(f"/_sandbox/records/contacts/{there}", {"colour": "red"}).status == 400
    assert ids_of(contacts(api, since(1))) == []


@pytest.mark.parametrize("noun", ["companies", "deals", "leads"])
def test_other_modules_are_changed_and_deleted_by_colleagues_too(crm: Caller, api: Caller, noun: str) -> None:
    told = dict(SAMPLE.story(lambda kind, **fields: crm.plant(kind, fields)))
    module = {"companies": "Accounts", "deals": "Opportunities", "leads": "Leads"}[noun]
    edit(crm, noun, told[noun], favourite_colour_c="red")
    assert api.get(f"{V11}/{module}/{told[noun]}").json["favourite_colour_c"] == "red"
    remove(crm, noun, told[noun])
    refused(api.get(f"{V11}/{module}/{told[noun]}"), 404, "not_found")


def test_a_user_changes_and_leaves(crm: Caller, api: Caller) -> None:
    one = api.plant("users", {"user_name": "ada", "first_name": "Ada", "last_name": "Lovelace"})
    edit(crm, "users", one, last_name="Byron")
    assert api.get(f"{V11}/Users/{one}").json["full_name"] == "Ada Byron"
    remove(crm, "users", one)
    assert one not in ids_of(api.get(f"{V11}/Users").json["records"])
    assert one in ids_of(api.get(f"{V11}/Users", query={"deleted": "true"}).json["records"])


def test_thousands_of_contacts_are_walked(crm: Caller, api: Caller) -> None:
    ids = many(crm, 5000)
    assert ids_of(contacts(api, since(0), max_num=200, fields="last_name")) == ids


def test_lists_count_against_a_proxys_limit(crm: Caller, api: Caller) -> None:
    crm.adjust(requests_per_minute=2)
    statuses = [api.get(CONTACTS).status, api.post(f"{CONTACTS}/filter", {}).status, api.get(CONTACTS).status]
    assert statuses == [200, 200, 429]
