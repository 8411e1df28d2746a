"""ActiveCampaign's peculiarities, and its recorded answers."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.caller import Caller, Reply

CRM = "activecampaign"
COLOUR, TIER, CONTRACT_END, SCORE, INTERESTS, CALL_AT = (str(number) for number in range(1, 7))

type Recorded = Callable[[str], Any]


def contact(api: Caller, **attributes: Any) -> Reply:
    return api.post("/api/3/contacts", {"contact": {"email": "ada@example.com"} | attributes})


def made(api: Caller, **attributes: Any) -> str:
    return contact(api, **attributes).json["contact"]["id"]


def listed(api: Caller, **query: Any) -> list[str]:
    return [row["id"] for row in api.get("/api/3/contacts", query=query).json["contacts"]]


def code(reply: Reply) -> str:
    [error] = reply.json["errors"]
    return error["code"]


def shape(value: Any) -> Any:
    """Keys and types, down to the last; of a list the first item tells."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return [shape(one) for one in value[:1]] if isinstance(value, list) else None


def test_a_bad_token_is_403_and_says_no_more_than_a_missing_permission(crm: Caller, recorded: Recorded) -> None:
    was = recorded("activecampaign/error_fields_forbidden_403.json")
    refused = [
        crm.get("/api/3/contacts"),
        crm.get("/api/3/contacts", headers={"Api-Token": "nobody"}),
        crm.get("/api/3/contacts", headers={"Authorization": f"Bearer {crm.grant(kind='api_key')['api_key']}"}),
        crm.get("/api/3/contacts", headers={"Authorization": f"Bearer {crm.grant(expires_in=100)['access_token']}"}),
        crm.authorised(scopes=["deals"]).get("/api/3/contacts"),
    ]
    for reply in refused:
        assert (reply.status, reply.json) == (was["status"], was["body"])


def test_any_key_may_ask_for_its_own_user_and_not_for_all(crm: Caller, recorded: Recorded) -> None:
    api = crm.authorised(scopes=["contacts"])
    assert shape(api.get("/api/3/users/me").json) == shape(recorded("activecampaign/user_me.json")["body"])
    assert api.get("/api/3/users").status == 403
    admin = crm.authorised()
    assert shape(admin.get("/api/3/users").json) == shape(recorded("activecampaign/users_list.json")["body"])
    assert shape(admin.get("/api/3/users/2").json) == shape(recorded("activecampaign/user_get.json")["body"])
    assert admin.get("/api/3/users/email/sten@example.com").json["user"]["id"] == "2"
    assert admin.get("/api/3/users/99").status == 404


def test_a_revoked_key_is_refused(crm: Caller) -> None:
    key = crm.grant(kind="api_key")["api_key"]
    assert crm.get("/api/3/users/me", headers={"Api-Token": key}).status == 200
    crm.post("/_sandbox/grants/revoke", {"token": key})
    assert crm.get("/api/3/users/me", headers={"Api-Token": key}).status == 403


def test_the_answer_to_a_create_is_a_part_of_the_contact(api: Caller, recorded: Recorded) -> None:
    reply = contact(api, firstName="Ada")
    assert reply.status == 201
    assert reply.json.keys() == {"contact"}
    assert len(reply.json["contact"]) == 11
    got = api.get(f"/api/3/contacts/{reply.json['contact']['id']}").json
    was = recorded("activecampaign/contact_get.json")["body"]
    assert got.keys() == was.keys()
    assert got["contact"].keys() == was["contact"].keys()
    assert got["contact"]["links"].keys() == was["contact"]["links"].keys()
    assert reply.json["contact"].items() <= got["contact"].items()


def test_an_email_address_is_there_once_whatever_its_case(api: Caller, recorded: Recorded) -> None:
    first, other = made(api), made(api, email="bob@example.com")
    was = recorded("activecampaign/error_contact_duplicate_422.json")
    again = contact(api, email="ADA@example.com")
    assert (again.status, again.json) == (was["status"], was["body"])
    assert api.put(f"/api/3/contacts/{other}", {"contact": {"email": "ada@example.com"}}).json == was["body"]
    assert api.put(f"/api/3/contacts/{first}", {"contact": {"email": "ada@example.com"}}).status == 200
    api.delete(f"/api/3/contacts/{first}")
    assert contact(api).status == 201


def test_an_address_that_a_fault_calls_taken_belongs_to_a_contact_from_then_on(api: Caller, recorded: Recorded) -> None:
    was = recorded("activecampaign/error_contact_duplicate_422.json")
    api.fault("duplicate", method="POST", route="contacts", times=2)
    for _ in range(3):  # the last one without a fault
        refused = contact(api, email="new@example.com", firstName="Ada")
        assert (refused.status, refused.json) == (was["status"], was["body"])
    [holder] = listed(api, email="NEW@example.com")
    assert [row["id"] for row in api.stored("contacts")] == [holder]
    api.fault("duplicate", method="POST", route="contacts", times=2)
    assert code(contact(api, email="ada")) == "field_invalid"
    assert contact(api, email="", allowNullEmail=True, phone="1").status == 201


def test_an_email_address_is_required_unless_a_phone_stands_in(api: Caller) -> None:
    for attributes in ({"email": ""}, {"email": "", "phone": "1"}, {"email": "", "allowNullEmail": True}):
        refused = contact(api, **attributes)
        assert (refused.status, code(refused)) == (422, "field_missing")
        assert refused.json["errors"][0]["source"]["pointer"] == "/data/attributes/email"
    assert contact(api, email="", allowNullEmail=True, phone="1").status == 201
    assert contact(api, email="", allowNullEmail=True, phone="2").status == 201
    mine = made(api)
    assert code(api.put(f"/api/3/contacts/{mine}", {"contact": {"email": ""}})) == "field_missing"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"email": "ada"}, "field_invalid"),
        ({"firstName": 5}, "field_invalid"),
        ({"phone": None}, "field_invalid"),
        ({"owner": 1}, "field_invalid"),
        ({"jobTitle": "Countess"}, "field_invalid"),
        ({"deleted": True}, "field_invalid"),
        ({"fieldValues": {COLOUR: "red"}}, "field_invalid"),
        ({"fieldValues": [{"id": COLOUR, "value": "red"}]}, "field_invalid"),
        ({"fieldValues": [{"field": "99", "value": "red"}]}, "related_missing"),
        ({"orgid": 7}, "related_missing"),
    ],
)
def test_a_contact_that_does_not_fit_is_422(
    api: Caller, recorded: Recorded, attributes: dict[str, Any], expected: str
) -> None:
    refused = contact(api, **attributes)
    assert (refused.status, code(refused)) == (422, expected)
    assert shape(refused.json) == shape(recorded("activecampaign/error_contact_duplicate_422.json")["body"])
    assert api.stored("contacts") == []


def test_unknown_attributes_can_be_dropped_in_silence_instead(crm: Caller, api: Caller) -> None:
    crm.adjust(unknown_attributes_refused=False)
    reply = contact(api, owner=1)
    assert reply.status == 201
    assert "owner" not in api.stored("contacts")[0]


def test_a_body_without_its_envelope_or_of_another_kind_is_400_with_an_empty_object(api: Caller) -> None:
    bare = {"email": "ada@example.com"}
    refused = [
        api.post("/api/3/contacts", bare),
        api.post("/api/3/contacts", {"contact": [bare]}),
        api.post("/api/3/contacts", [bare]),
        api.post("/api/3/contacts", form=bare),
        api.post("/api/3/contacts", {"contact": bare}, headers={"Content-Type": "text/plain"}),
    ]
    assert [(reply.status, reply.json) for reply in refused] == [(400, {})] * len(refused)
    assert api.stored("contacts") == []


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (TIER, "Gold", "Platinum"),
        (CONTRACT_END, "2026-12-31", "31.12.2026"),
        (SCORE, "7.5", "seven"),
        (INTERESTS, "||Boats||Cars||", "Boats"),
        (INTERESTS, "||Boats||", "||Planes||"),
        (CALL_AT, "2026-12-31T10:00:00-05:00", "2026-12-31"),
        (COLOUR, "red", 5),
    ],
)
def test_custom_values_are_strings_that_fit_their_field(
    api: Caller, recorded: Recorded, field: str, good: str, bad: Any
) -> None:
    refused = contact(api, fieldValues=[{"field": field, "value": bad}])
    assert refused.status == 422
    was = recorded("activecampaign/error_deal_custom_field_value_422.json")["body"]
    assert shape(refused.json) == shape(was)
    reply = contact(api, fieldValues=[{"field": field, "value": good}])
    assert reply.status == 201
    [value] = reply.json["fieldValues"]
    assert (value["field"], value["value"]) == (field, good)
    mine = reply.json["contact"]["id"]
    assert api.get(f"/api/3/contacts/{mine}").json["contact"]["fieldValues"] == [value["id"]]
    cleared = api.put(f"/api/3/contacts/{mine}", {"contact": {"fieldValues": [{"field": field, "value": ""}]}})
    assert [one["value"] for one in cleared.json["fieldValues"]] == [""]
    assert len(api.get(f"/api/3/contacts/{mine}/fieldValues").json["fieldValues"]) == 1


def test_custom_values_can_be_written_on_their_own_and_a_missing_one_is_403(api: Caller) -> None:
    mine = made(api)
    for value in ("red", "blue"):
        body = {"fieldValue": {"contact": int(mine), "field": int(COLOUR), "value": value}}
        reply = api.post("/api/3/fieldValues", body)
        assert (reply.status, reply.json["fieldValue"]["contact"]) == (200, int(mine))
    [value] = api.get("/api/3/fieldValues", query={"filters[val]": "blue"}).json["fieldValues"]
    assert (value["contact"], value["owner"], value["field"]) == (mine, mine, COLOUR)
    assert api.get("/api/3/fieldValues").json["meta"] == {"total": "1"}
    body = {"fieldValue": {"contact": mine, "field": COLOUR, "value": "green"}}
    changed = api.put(f"/api/3/fieldValues/{value['id']}", body)
    assert (changed.status, changed.json["fieldValue"]["value"]) == (200, "green")
    body["fieldValue"] |= {"field": SCORE, "value": "7"}
    assert code(api.put(f"/api/3/fieldValues/{value['id']}", body)) == "field_invalid"
    assert api.delete(f"/api/3/fieldValues/{value['id']}").json == {}
    gone = api.get(f"/api/3/fieldValues/{value['id']}")
    assert (gone.status, gone.json) == (403, {"message": f"No Result found for FieldValue with id {value['id']}"})
    refused = api.post("/api/3/fieldValues", {"fieldValue": {"contact": 99, "field": 1, "value": "x"}})
    assert (refused.status, code(refused)) == (422, "related_missing")


def test_fields_lie_beside_their_options(api: Caller, recorded: Recorded) -> None:
    was = recorded("activecampaign/contact_fields_list.json")["body"]
    body = api.get("/api/3/fields").json
    assert body.keys() == was.keys()
    assert body["fields"][0].keys() == was["fields"][0].keys()
    assert body["fieldOptions"][0].keys() == was["fieldOptions"][0].keys()
    assert body["fieldRels"][0].keys() == was["fieldRels"][0].keys()
    tier = api.get(f"/api/3/fields/{TIER}").json
    assert tier["field"]["options"] == [one["id"] for one in tier["fieldOptions"]]
    assert [one["value"] for one in tier["fieldOptions"]] == ["Gold", "Silver", "Bronze"]
    planted = api.plant("fields", {"title": "Region", "type": "dropdown", "options": ["North"]})
    [found] = api.get("/api/3/fields", query={"filters[perstag]": "REGION"}).json["fields"]
    assert found["id"] == planted
    assert api.get("/api/3/fields/99").json == {"message": "No Result found for Field with id 99"}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_update_is_partial_and_leaves_dates_of_zeros(api: Caller, recorded: Recorded, method: str) -> None:
    mine = made(api, firstName="Ada", phone="1")
    reply = api.send(method, f"/api/3/contacts/{mine}", {"contact": {"lastName": "Lovelace"}})
    was = recorded("activecampaign/contact_update.json")
    assert (reply.status, reply.json.keys()) == (was["status"], was["body"].keys())
    assert reply.json["contact"].keys() == was["body"]["contact"].keys()
    assert reply.json["contact"].items() >= {"firstName": "Ada", "lastName": "Lovelace", "phone": "1"}.items()
    assert reply.json["contact"]["sms_consent_updated_at"] == "0000-00-00 00:00:00"
    assert api.send(method, f"/api/3/contacts/{mine}", {"contact": {"lastName": 5}}).status == 422


def test_a_contact_that_is_not_there_is_404_in_two_wordings(api: Caller, recorded: Recorded) -> None:
    was = recorded("activecampaign/error_contact_not_found_404.json")
    for reply in (api.get("/api/3/contacts/1"), api.put("/api/3/contacts/1", {"contact": {}})):
        assert (reply.status, reply.json) == (was["status"], was["body"])
    was = recorded("activecampaign/error_contact_delete_not_found_404.json")
    reply = api.delete("/api/3/contacts/1")
    assert (reply.status, reply.json) == (was["status"], was["body"])


def test_a_deleted_contact_is_gone_from_the_lists_and_perhaps_readable(
    crm: Caller, api: Caller, recorded: Recorded
) -> None:
    mine = made(api)
    was = recorded("activecampaign/contact_delete.json")
    reply = api.delete(f"/api/3/contacts/{mine}")
    assert (reply.status, reply.json) == (was["status"], was["body"])
    assert listed(api) == []
    assert [api.get(f"/api/3/contacts/{mine}").status, api.delete(f"/api/3/contacts/{mine}").status] == [404, 404]
    crm.adjust(deleted_contacts_readable=True)
    assert api.get(f"/api/3/contacts/{mine}").json["contact"]["deleted"] == "1"


def test_the_upsert_goes_by_the_address(api: Caller, recorded: Recorded) -> None:
    first = api.post("/api/3/contact/sync", {"contact": {"email": "ada@example.com", "firstName": "Ada"}})
    assert (first.status, first.json["contact"]["email_empty"]) == (201, False)
    again = api.post("/api/3/contact/sync", {"contact": {"email": "Ada@example.com", "lastName": "Lovelace"}})
    assert (again.status, again.json["contact"]["id"]) == (200, first.json["contact"]["id"])
    assert again.json["contact"]["firstName"] == "Ada"
    was = recorded("activecampaign/contact_update.json")["body"]["contact"]
    assert again.json["contact"].keys() == was.keys()
    assert code(api.post("/api/3/contact/sync", {"contact": {"firstName": "Ada"}})) == "field_missing"


def test_contacts_are_listed_in_pages_of_twenty_by_id(api: Caller, recorded: Recorded) -> None:
    ids = [api.plant("contacts", {"email": f"{number}@example.com"}) for number in range(25)]
    body = api.get("/api/3/contacts").json
    was = recorded("activecampaign/contacts_list_default.json")["body"]
    assert body.keys() == was.keys()
    assert body["contacts"][0].keys() == was["contacts"][0].keys()
    assert shape(body["meta"]) == shape(was["meta"])
    assert body["meta"]["total"] == "25"
    assert [row["id"] for row in body["contacts"]] == ids[:20]
    assert listed(api, limit=100, offset=20) == ids[20:]
    assert listed(api, offset=40) == []
    assert listed(api, **{"orders[id]": "ASC", "id_greater": ids[3], "limit": 2}) == ids[4:6]
    assert listed(api, **{"orders[id]": "DESC", "limit": 1}) == ids[-1:]


def test_a_limit_above_a_hundred_is_refused_or_cut(crm: Caller, api: Caller) -> None:
    for number in range(101):
        api.plant("contacts", {"email": f"{number}@example.com"})
    assert api.get("/api/3/contacts?limit=101").status == 400
    crm.adjust(over_cap_refused=False)
    assert len(listed(api, limit=101)) == 100


def test_contacts_are_found_by_what_is_known_of_them(api: Caller) -> None:
    ada = made(api, firstName="Ada", lastName="Lovelace", phone="+372 55")
    bob = made(api, email="bob@example.org", firstName="Bob")
    for query, expected in (
        ({"email": "ADA@example.com"}, [ada]),
        ({"email": "ada@example"}, []),
        ({"email_like": "example"}, [ada, bob]),
        ({"phone": "+372"}, [ada]),
        ({"phone": "55"}, []),
        ({"search": "ada love"}, [ada]),
        ({"search": "example.org"}, [bob]),
        ({"ids[]": bob}, [bob]),
        ({"status": -1}, [ada, bob]),
        ({"status": 1}, []),
        ({"listid": 3}, []),
        ({"orders[first_name]": "desc"}, [bob, ada]),
    ):
        assert listed(api, **query) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "many"},
        {"limit": 0},
        {"offset": -1},
        {"id_greater": "x"},
        {"filters[updated_after]": "yesterday"},
        {"filters[updated_since]": "2026-01-01"},
        {"orders[udate]": "ASC"},
        {"orders[id]": "upwards"},
    ],
)
def test_a_question_that_cannot_be_answered_is_400(api: Caller, query: dict[str, Any]) -> None:
    refused = api.get("/api/3/contacts", query=query)
    assert (refused.status, refused.json) == (400, {})


def test_updated_after_leaves_the_moment_itself_out_unless_set_otherwise(crm: Caller, api: Caller) -> None:
    mine = made(api)
    moment = datetime.fromisoformat(api.stored("contacts")[0]["udate"])
    for text, found in (
        ("1970-01-01T00:00:00.000Z", True),
        ("2026-01-01", True),
        ((moment - timedelta(seconds=1)).isoformat(), True),
        ((moment - timedelta(seconds=1)).astimezone(UTC).isoformat(), True),
        (moment.replace(tzinfo=None).isoformat(), False),
        (moment.isoformat(), False),
    ):
        assert listed(api, **{"filters[updated_after]": text}) == ([mine] if found else []), text
        assert listed(api, **{"filters[created_before]": text}) == [], text
    crm.adjust(dates_inclusive=True)
    assert listed(api, **{"filters[updated_after]": moment.isoformat()}) == [mine]


def test_dates_carry_the_accounts_zone_and_utc_timestamps_lie(api: Caller) -> None:
    made(api)
    [row] = api.stored("contacts")
    assert row["udate"].endswith("-05:00")
    assert datetime.fromisoformat(row["udate"]).timestamp() == pytest.approx(time.time(), abs=5)
    assert row["updated_utc_timestamp"] == row["udate"][:19].replace("T", " ")


def test_accounts_look_as_recorded_and_have_names_of_their_own(api: Caller, recorded: Recorded) -> None:
    reply = api.post("/api/3/accounts", {"account": {"name": "Engines"}})
    was = recorded("activecampaign/account_create.json")
    assert (reply.status, shape(reply.json)) == (was["status"], shape(was["body"]))
    mine = reply.json["account"]["id"]
    was = recorded("activecampaign/account_get.json")["body"]
    assert shape(api.get(f"/api/3/accounts/{mine}").json) == shape(was)
    body = {"account": {"accountUrl": "https://engines.example.com", "owner": 2}}
    was = recorded("activecampaign/account_update.json")["body"]
    assert shape(api.put(f"/api/3/accounts/{mine}", body).json) == shape(was)
    assert api.patch(f"/api/3/accounts/{mine}", {"account": {}}).json["account"]["owner"] == "2"
    [listed_one] = api.get("/api/3/accounts?search=ENG").json["accounts"]
    assert (listed_one["id"], listed_one["contactCount"]) == (mine, "0")
    assert api.get("/api/3/accounts?search=cars").json == {"accounts": [], "meta": {"total": "0"}}
    was = recorded("activecampaign/error_account_name_duplicate_422.json")
    api.plant("accounts", {"name": "Example Account"})
    again = api.post("/api/3/accounts", {"account": {"name": "Example Account"}})
    assert (again.status, again.json) == (was["status"], was["body"])
    was = recorded("activecampaign/error_account_name_missing_422.json")
    nameless = api.post("/api/3/accounts", {"account": {}})
    assert (nameless.status, nameless.json) == (was["status"], was["body"])
    assert code(api.post("/api/3/accounts", {"account": {"name": "X", "owner": 99}})) == "related_missing"
    assert code(api.post("/api/3/accounts", {"account": {"name": "X", "owner": "1"}})) == "field_invalid"
    assert api.get("/api/3/accounts", query={"filters[updated_after]": "2026-01-01"}).status == 400
    assert api.delete(f"/api/3/accounts/{mine}").json == {}
    assert api.get(f"/api/3/accounts/{mine}").status == 404


def test_a_contact_has_one_account(api: Caller, recorded: Recorded) -> None:
    mine = made(api)
    first, second = (api.plant("accounts", {"name": name}) for name in ("Engines", "Looms"))
    body = {"account": int(first), "contact": int(mine), "jobTitle": "Countess"}
    reply = api.post("/api/3/accountContacts", {"accountContact": body})
    was = recorded("activecampaign/account_contact_create.json")
    assert (reply.status, shape(reply.json)) == (was["status"], shape(was["body"]))
    assert body.items() <= reply.json["accountContact"].items()
    again = api.post("/api/3/accountContacts", {"accountContact": body | {"account": int(second)}})
    was = recorded("activecampaign/error_contact_has_account_422.json")
    assert (again.status, again.json) == (was["status"], was["body"])
    link = reply.json["accountContact"]["id"]
    [row] = api.get("/api/3/accountContacts", query={"filters[contact]": mine}).json["accountContacts"]
    assert (row["account"], row["contact"]) == (first, mine)
    assert api.get(f"/api/3/contacts/{mine}/accountContacts").json == {"accountContacts": [row]}
    assert api.get(f"/api/3/contacts/{mine}").json["accountContacts"] == [row]
    page = api.get("/api/3/contacts").json
    assert (page["accountContacts"], page["contacts"][0]["accountContacts"]) == ([row], [link])
    changed = api.put(f"/api/3/accountContacts/{link}", {"accountContact": {"jobTitle": "Analyst"}})
    assert changed.json["accountContact"]["jobTitle"] == "Analyst"
    assert api.get("/api/3/accounts").json["accounts"][0]["contactCount"] == "1"


@pytest.mark.parametrize("side", ["accounts", "contacts"])
def test_an_association_goes_with_either_side(api: Caller, side: str) -> None:
    ids = {"contacts": made(api), "accounts": api.plant("accounts", {"name": "Engines"})}
    api.plant("accountContacts", {"account": ids["accounts"], "contact": ids["contacts"]})
    assert api.delete(f"/api/3/{side}/{ids[side]}").json == {}
    assert api.get("/api/3/accountContacts").json == {"accountContacts": [], "meta": {"total": "0"}}


def test_an_association_needs_both_and_both_must_be_there(api: Caller, recorded: Recorded) -> None:
    mine, account = made(api), api.plant("accounts", {"name": "Engines"})
    was = recorded("activecampaign/error_account_contact_missing_account_422.json")
    reply = api.post("/api/3/accountContacts", {"accountContact": {"contact": int(mine)}})
    assert (reply.status, reply.json) == (was["status"], was["body"])
    for wrong, expected in (
        ({"account": int(account), "contact": 99}, "related_missing"),
        ({"account": 99, "contact": int(mine)}, "related_missing"),
        ({"account": account, "contact": int(mine)}, "field_invalid"),
    ):
        assert code(api.post("/api/3/accountContacts", {"accountContact": wrong})) == expected
    was = recorded("activecampaign/error_account_contact_not_found_404.json")
    missing = api.delete("/api/3/accountContacts/100")
    assert (missing.status, missing.json) == (was["status"], was["body"])


def test_pipelines_and_stages_are_read_as_recorded(api: Caller, recorded: Recorded) -> None:
    for path, fixture in (
        ("dealGroups", "pipelines_list"),
        ("dealGroups/1", "pipeline_get"),
        ("dealStages", "stages_list"),
        ("dealStages/1", "stage_get"),
    ):
        was = recorded(f"activecampaign/{fixture}.json")
        reply = api.get(f"/api/3/{path}")
        assert (reply.status, shape(reply.json)) == (was["status"], shape(was["body"])), path
    listing = api.get("/api/3/dealGroups").json
    assert [stage["title"] for stage in listing["dealStages"]] == ["To Contact", "In Contact", "Follow Up"]
    assert listing["dealGroups"][0]["stages"] == [stage["id"] for stage in listing["dealStages"]]
    assert listing["meta"] == {"total": 1}
    missing = api.get("/api/3/dealGroups/99")
    assert (missing.status, missing.json) == (404, {"message": "No Result found for DealGroup with id 99"})
    assert api.get("/api/3/dealGroups/1/nothing").status == 404
    assert api.patch("/api/3/dealGroups/1", {"dealGroup": {"title": "X"}}).status == 405


def test_a_new_pipeline_brings_three_stages_and_numbers_come_back_as_sent(api: Caller) -> None:
    body = {"title": "Renewals", "currency": "eur", "autoassign": 1, "users": ["2"]}
    reply = api.post("/api/3/dealGroups", {"dealGroup": body})
    assert (reply.status, len(reply.json["dealStages"])) == (201, 3)
    group = reply.json["dealGroup"]
    assert (group["autoassign"], group["dealGroupUsers"]) == (1, [reply.json["dealGroupUsers"][0]["id"]])
    read = api.get(f"/api/3/dealGroups/{group['id']}").json
    assert (read["dealGroup"]["autoassign"], read["dealGroup"]["allgroups"]) == ("1", "1")
    assert read["dealGroup"]["stages"] == group["stages"]
    renamed = api.put(f"/api/3/dealGroups/{group['id']}", {"dealGroup": {"title": "Renewed"}}).json
    assert renamed.keys() == {"dealGroup"}
    assert (renamed["dealGroup"]["title"], renamed["dealGroup"]["currency"]) == ("Renewed", "eur")
    assert "stages" not in renamed["dealGroup"]
    emptied = api.put(f"/api/3/dealGroups/{group['id']}", {"dealGroup": {"currency": ""}})
    assert (emptied.status, code(emptied)) == (422, "field_missing")
    [found] = api.get("/api/3/dealGroups", query={"filters[title]": "Renewed"}).json["dealGroups"]
    assert found["id"] == group["id"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("dealGroups", {"currency": "eur"}, "field_missing"),
        ("dealGroups", {"title": "X"}, "field_missing"),
        ("dealGroups", {"title": "X", "currency": "EUR"}, "field_invalid"),
        ("dealGroups", {"title": "X", "currency": "eur", "autoassign": "1"}, "field_invalid"),
        ("dealGroups", {"title": "X", "currency": "eur", "allusers": 2}, "field_invalid"),
        ("dealGroups", {"title": "X", "currency": "eur", "users": [1]}, "field_invalid"),
        ("dealGroups", {"title": "X", "currency": "eur", "users": ["99"]}, "related_missing"),
        ("dealGroups", {"title": "X", "currency": "eur", "name": "X"}, "field_invalid"),
        ("dealStages", {"group": "1"}, "field_missing"),
        ("dealStages", {"title": "X"}, "field_missing"),
        ("dealStages", {"title": "X", "group": 1}, "field_invalid"),
        ("dealStages", {"title": "X", "group": "99"}, "related_missing"),
        ("dealStages", {"title": "X", "group": "1", "order": "2"}, "field_invalid"),
        ("dealStages", {"title": "X", "group": "1", "color": "#ff0000"}, "field_invalid"),
        ("dealStages", {"title": "X", "group": "1", "probability": 50}, "field_invalid"),
    ],
)
def test_a_pipeline_or_stage_that_does_not_fit_is_422(
    api: Caller, path: str, body: dict[str, Any], expected: str
) -> None:
    before = api.stored(path)
    refused = api.post(f"/api/3/{path}", {path.removesuffix("s"): body})
    assert (refused.status, code(refused)) == (422, expected)
    assert api.stored(path) == before


def test_a_stage_goes_to_the_end_and_shifts_the_others_only_when_asked(api: Caller) -> None:
    reply = api.post("/api/3/dealStages", {"dealStage": {"title": "Won", "group": "1"}})
    assert reply.status == 201
    assert (reply.json["dealStage"]["order"], reply.json["dealStage"]["width"]) == (4, 280)
    assert "stages" not in reply.json["dealGroups"][0]
    assert api.get(f"/api/3/dealStages/{reply.json['dealStage']['id']}").json["dealStage"]["order"] == "4"
    first = api.post("/api/3/dealStages?reorder=1", {"dealStage": {"title": "New", "group": "1", "order": 1}})
    stages = api.get("/api/3/dealGroups/1").json["dealStages"]
    assert [(row["title"], row["order"]) for row in stages[:3]] == [
        ("New", "1"),
        ("To Contact", "2"),
        ("In Contact", "3"),
    ]
    by_id = api.get("/api/3/dealStages", query={"filters[d_groupid]": "1"}).json["dealStages"]
    assert by_id[-1]["id"] == first.json["dealStage"]["id"]
    api.post("/api/3/dealStages", {"dealStage": {"title": "Twin", "group": "1", "order": 1}})
    orders = [row["order"] for row in api.get("/api/3/dealGroups/1").json["dealStages"]]
    assert orders.count("1") == 2


def test_a_stage_is_renamed_and_moved_to_another_pipeline(api: Caller) -> None:
    other = api.plant("dealGroups", {"title": "Renewals"})
    reply = api.put("/api/3/dealStages/1", {"dealStage": {"title": "First", "group": other}})
    assert (reply.status, reply.json["dealStage"]["order"]) == (200, "1")
    assert "1" not in api.get("/api/3/dealGroups/1").json["dealGroup"]["stages"]
    assert "1" in api.get(f"/api/3/dealGroups/{other}").json["dealGroup"]["stages"]
    assert code(api.put("/api/3/dealStages/1", {"dealStage": {"group": "99"}})) == "related_missing"
    old = "2020-01-01T00:00:00-05:00"
    stale = api.plant("dealGroups", {"title": "Old", "udate": old})
    beside = api.put("/api/3/dealStages/2", {"dealStage": {"group": stale}}).json["dealGroups"]
    assert [(row["id"], row["udate"]) for row in beside] == [(stale, old)]  # as it was before the change
    assert api.get(f"/api/3/dealGroups/{stale}").json["dealGroup"]["udate"] > old
    assert code(api.put("/api/3/dealStages/1", {"dealStage": {"title": ""}})) == "field_missing"
    assert api.put("/api/3/dealStages/99", {"dealStage": {"title": "X"}}).status == 404


def test_deleting_a_stage_closes_the_gap_and_misdates_the_rest(api: Caller) -> None:
    assert api.delete("/api/3/dealStages/1").json == {}
    body = api.get("/api/3/dealGroups/1").json
    assert [(row["id"], row["order"]) for row in body["dealStages"]] == [("2", "1"), ("3", "2")]
    for row in (body["dealGroup"], *body["dealStages"]):
        ahead = datetime.fromisoformat(row["udate"]).timestamp() - time.time()
        assert ahead == pytest.approx(5 * 3600, abs=5)
    assert [api.get("/api/3/dealStages/1").status, api.delete("/api/3/dealStages/1").status] == [404, 404]


@pytest.mark.parametrize("outlive", [True, False])
def test_stages_outlive_their_pipeline_in_the_list_of_stages(crm: Caller, api: Caller, outlive: bool) -> None:
    crm.adjust(stages_outlive_pipelines=outlive)
    assert api.delete("/api/3/dealGroups/1").json == {}
    assert api.get("/api/3/dealGroups").json == {"dealStages": [], "dealGroups": [], "meta": {"total": 0}}
    assert len(api.get("/api/3/dealStages").json["dealStages"]) == (3 if outlive else 0)
    assert api.delete("/api/3/dealGroups/1").status == 404


def test_deals_are_listed_by_pipeline_and_by_stage(api: Caller, recorded: Recorded) -> None:
    other = api.plant("dealGroups", {"title": "Renewals"})
    first, second = (api.plant("deals", fields) for fields in ({"group": other, "value": "250"}, {"stage": 2}))
    third = api.plant("deals", {"stage": "2", "isDisabled": True})
    body = api.get("/api/3/deals").json
    was = recorded("activecampaign/deals_list_updated_after.json")["body"]
    whole, reduced = was["deals"][-2], was["deals"][0]
    assert body.keys() == was.keys()
    assert [row.keys() for row in body["deals"]] == [whole.keys(), whole.keys(), reduced.keys()]
    assert body["deals"][0]["links"].keys() == whole["links"].keys()
    assert shape(body["meta"]) == shape(was["meta"])
    assert (body["meta"]["total"], body["meta"]["currencies"]["USD"]["value"]) == (3, "250")
    stages = api.get(f"/api/3/dealGroups/{other}").json["dealGroup"]["stages"]
    for query, found in (
        ({"filters[group]": other}, [first]),
        ({"filters[group]": 1}, [second, third]),
        ({"filters[stage]": stages[0]}, [first]),
        ({"filters[stage]": 2}, [second, third]),
        ({"filters[stage]": 1}, []),
        ({"filters[group]": other, "filters[stage]": 2}, []),
        ({"filters[group]": 99}, []),
    ):
        body = api.get("/api/3/deals", query=query).json
        assert ([row["id"] for row in body["deals"]], body["meta"]["total"]) == (found, len(found)), query
    cut = api.get("/api/3/deals", query={"filters[stage]": 2, "limit": 1}).json
    assert ([row["id"] for row in cut["deals"]], cut["meta"]["total"]) == ([second], 2)
    assert [row["count"] for row in api.get("/api/3/dealGroups").json["dealGroups"]] == ["2", "1"]
    for query in ({"filters[group]": "first"}, {"filters[pipeline]": 1}, {"orders[mdate]": "ASC"}, {"limit": 101}):
        assert api.get("/api/3/deals", query=query).status == 400, query
    assert api.post("/_sandbox/records/deals", {"group": "1", "stage": stages[0]}).status == 400


@pytest.mark.parametrize("path", ["dealGroups/1", "dealStages/2"])
def test_deals_are_deleted_with_what_holds_them_and_no_answer_tells(api: Caller, path: str) -> None:
    other = api.plant("dealGroups", {"title": "Renewals"})
    stays, _ = api.plant("deals", {"group": other}), api.plant("deals", {"stage": "2"})
    reply = api.delete(f"/api/3/{path}")
    assert (reply.status, reply.json) == (200, {})
    assert [row["id"] for row in api.get("/api/3/deals").json["deals"]] == [stays]


# Reading one record with what belongs to it.


def customer(api: Caller) -> dict[str, str]:
    """A company, its contact and a deal of one planted user, in the words of the rest of the sandbox."""
    user = api.plant("users", {"firstName": "Charles", "lastName": "Babbage", "email": "charles@example.com"})
    company = api.plant("companies", {"name": "Engines", "accountUrl": "https://engines.example", "owner": user})
    person = api.plant("contacts", {"email": "ada@engines.example", "fieldValues": [{"field": "1", "value": "Brass"}]})
    api.plant("accountContacts", {"account": company, "contact": person, "jobTitle": "Head"})
    links = {"contact": person, "account": company, "owner": int(user), "stage": 2}
    deal = api.plant("deals", {"title": "No. 2", "value": 1250000, "currency": "gbp"} | links)
    return {"users": user, "companies": company, "contacts": person, "deals": deal}


def same_types(told: Any, was: Any) -> bool:
    """What was recorded is told, too, and as JSON of the same type; null is of any."""
    if told is None or was is None:
        return True
    if isinstance(was, dict):
        found: dict[str, Any] = was
        return isinstance(told, dict) and all(name in told and same_types(told[name], found[name]) for name in found)
    return isinstance(told, type(was))


def test_a_deal_tells_its_links_by_id_and_its_money_in_cents(api: Caller, recorded: Recorded) -> None:
    ids = customer(api)
    body = api.get(f"/api/3/deals/{ids['deals']}").json
    assert same_types(body, recorded("activecampaign/deal_get_with_pipeline_permission.json")["body"])
    whole = recorded("activecampaign/contact_get.json")["body"]["deals"][-1]
    assert body["deal"].keys() == whole.keys()
    assert body.keys() == {"deal"}
    told = {name: body["deal"][name] for name in ("contact", "account", "customerAccount", "organization", "owner")}
    assert told == {"contact": ids["contacts"], "owner": ids["users"]} | dict.fromkeys(
        ("account", "customerAccount", "organization"), ids["companies"]
    )
    assert [body["deal"][name] for name in ("value", "currency", "status", "group", "stage")] == [
        "1250000", "gbp", "0", "1", "2",
    ]  # fmt: skip


def test_the_links_of_a_deal_lead_to_records(api: Caller) -> None:
    ids = customer(api)
    path = f"/api/3/deals/{ids['deals']}"
    for name, member, found in (
        ("contact", "contact", ids["contacts"]),
        ("account", "account", ids["companies"]),
        ("customerAccount", "account", ids["companies"]),
        ("owner", "user", ids["users"]),
        ("stage", "dealStage", "2"),
        ("group", "dealGroup", "1"),
    ):
        reply = api.get(f"{path}/{name}")
        assert (reply.status, reply.json[member]["id"]) == (200, found), name
    lonely = api.plant("deals", {"title": "Nobody's", "group": "1"})
    assert api.get(f"/api/3/deals/{lonely}/account").status == 404


def test_more_contacts_take_part_in_a_deal(api: Caller, recorded: Recorded) -> None:
    ids = customer(api)
    other = made(api, email="other@example.com")
    joined = api.plant("contactDeals", {"deal": ids["deals"], "contact": other})
    body = api.get("/api/3/contactDeals").json
    assert shape(body) == shape(recorded("activecampaign/contact_deals_list.json")["body"])
    assert api.get(f"/api/3/contactDeals/{joined}").json["contactDeal"]["contact"] == other
    assert [row["id"] for row in api.get(f"/api/3/deals/{ids['deals']}/contactDeals").json["contactDeals"]] == [joined]
    missing, was = api.get("/api/3/contactDeals/100"), recorded("activecampaign/error_contact_deal_not_found_404.json")
    assert (missing.status, missing.json) == (was["status"], was["body"])
    for contact_id in (ids["contacts"], other):
        body = api.get(f"/api/3/contacts/{contact_id}/deals").json
        assert [row["id"] for row in body["deals"]] == [ids["deals"]]
        assert body["deals"][0].keys() == recorded("activecampaign/contact_deals_get.json")["body"]["deals"][0].keys()


def test_a_contact_comes_with_its_deals_its_account_and_its_custom_values(api: Caller, recorded: Recorded) -> None:
    ids = customer(api)
    body = api.get(f"/api/3/contacts/{ids['contacts']}").json
    was = recorded("activecampaign/contact_get.json")["body"]
    assert body.keys() == was.keys()
    assert same_types(body["contact"], was["contact"])
    [place] = body["accountContacts"]
    assert (place["account"], place["jobTitle"]) == (ids["companies"], "Head")
    assert [(one["field"], one["value"]) for one in body["fieldValues"]] == [("1", "Brass")]
    assert ([row["id"] for row in body["deals"]], body["contact"]["deals"]) == ([ids["deals"]], [ids["deals"]])
    assert not {"owner", "jobTitle"} & body["contact"].keys()


def test_an_account_tells_its_owner_and_counts_only_in_lists(api: Caller, recorded: Recorded) -> None:
    ids = customer(api)
    body = api.get(f"/api/3/accounts/{ids['companies']}").json
    was = recorded("activecampaign/account_get.json")["body"]
    assert same_types(body, was)
    assert body["account"].keys() == was["account"].keys()
    assert body["account"]["owner"] == ids["users"]
    [row] = api.get("/api/3/accounts").json["accounts"]
    assert (row["contactCount"], row["dealCount"]) == ("1", "1")


@pytest.mark.parametrize(("of", "holder", "noun"), [("deal", "dealId", "deals"), ("account", "accountId", "companies")])
def test_custom_values_of_deals_and_accounts_lie_in_tables_of_their_own(
    api: Caller, recorded: Recorded, of: str, holder: str, noun: str
) -> None:
    mine, other = customer(api)[noun], api.plant(noun, {"name": "Looms"} if of == "account" else {"group": "1"})
    fields = api.get(f"/api/3/{of}CustomFieldMeta").json
    assert same_types(
        fields[f"{of}CustomFieldMeta"][0],
        recorded(f"activecampaign/{of}_custom_fields_list.json")["body"][f"{of}CustomFieldMeta"][0]
        | {"fieldDefault": None},
    )
    for record_id in (mine, other):
        api.plant(f"{of}CustomFieldData", {holder: record_id, "customFieldId": 2, "fieldValue": "Difference"})
    query = {f"filters[{'customerAccountId' if of == 'account' else holder}]": mine}
    [value] = api.get(f"/api/3/{of}CustomFieldData", query=query).json[f"{of}CustomFieldData"]
    assert (value[holder], value["customFieldId"], value["fieldValue"]) == (int(mine), 2, "Difference")
    plural = "deals" if of == "deal" else "accounts"
    assert api.get(f"/api/3/{plural}/{mine}/{of}CustomFieldData").json == {f"{of}CustomFieldData": [value]}
    assert api.get(f"/api/3/{of}CustomFieldData/{value['id']}").json == {f"{of}CustomFieldDatum": value}
    missing, was = (
        api.get(f"/api/3/{of}CustomFieldMeta/99"),
        recorded("activecampaign/error_deal_field_meta_not_found_404.json"),
    )
    assert (missing.status, missing.json) == (was["status"], was["body"])
    assert len(api.get(f"/api/3/{of}CustomFieldData").json[f"{of}CustomFieldData"]) == 2
    assert api.get(f"/api/3/{of}CustomFieldData", query={f"filters[{of}]": mine}).status == 400


@pytest.mark.parametrize(
    ("path", "model"),
    [("deals", "Deal"), ("accounts", "CustomerAccount"), ("contacts", "Subscriber"), ("users", "User")],
)
@pytest.mark.parametrize("wanted", ["999", "e-mail"])
def test_what_is_not_there_is_told_by_the_name_of_its_model(api: Caller, path: str, model: str, wanted: str) -> None:
    reply = api.get(f"/api/3/{path}/{wanted}")
    assert (reply.status, reply.json) == (404, {"message": f"No Result found for {model} with id {wanted}"})


def test_a_user_that_is_not_there_may_be_400_as_declared(crm: Caller, api: Caller) -> None:
    crm.adjust(missing_user_status=400)
    assert (api.get("/api/3/users/999").status, api.get("/api/3/users/1").status) == (400, 200)


def test_a_deleted_deal_is_gone(api: Caller, recorded: Recorded) -> None:
    path = f"/api/3/deals/{customer(api)['deals']}"
    gone, was = api.delete(path), recorded("activecampaign/deal_delete.json")
    assert (gone.status, gone.json) == (was["status"], was["body"])
    assert (api.get(path).status, api.delete(path).status) == (404, 404)


@pytest.mark.parametrize("noun", ["contacts", "companies", "users"])
def test_what_the_user_may_not_see_is_403(crm: Caller, api: Caller, recorded: Recorded, noun: str) -> None:
    ids = customer(api)
    crm.adjust(forbidden=[noun])
    was = recorded("activecampaign/error_fields_forbidden_403.json")
    for name, path in {"contacts": "contacts", "companies": "accounts", "users": "users", "deals": "deals"}.items():
        for reply in (api.get(f"/api/3/{path}/{ids[name]}"), api.get(f"/api/3/{path}")):
            assert reply.status == (403 if name == noun else 200)
            assert name != noun or reply.json == was["body"]


@pytest.mark.parametrize("tells_status", [True, False])
def test_a_deal_that_the_user_may_not_see_is_a_200_with_next_to_nothing(
    crm: Caller, api: Caller, recorded: Recorded, tells_status: bool
) -> None:
    ids = customer(api)
    crm.adjust(forbidden=["deals"], reduced_deals_tell_status=tells_status)
    name = "deal_get_without_pipeline_permission" + ("" if tells_status else "_doc")
    reply, was = api.get(f"/api/3/deals/{ids['deals']}"), recorded(f"activecampaign/{name}.json")
    assert (reply.status, shape(reply.json)) == (was["status"], shape(was["body"]))
    assert reply.json["deal"]["isDisabled"] is True
    [beside] = api.get(f"/api/3/contacts/{ids['contacts']}").json["deals"]
    assert beside == reply.json["deal"]
    assert api.get("/api/3/deals").json["deals"] == [beside]
    assert api.get(f"/api/3/deals/{ids['deals']}/contact").status == 403
    assert api.get(f"/api/3/deals/{ids['deals']}/dealCustomFieldData").status == 403


def test_too_many_requests_tell_the_wait_in_seconds_and_have_no_body(
    crm: Caller, api: Caller, recorded: Recorded
) -> None:
    crm.adjust(requests_per_second=5)
    replies = [api.get("/api/3/users/me") for _ in range(30)]
    limited = next(reply for reply in replies if reply.status != 200)
    was = recorded("activecampaign/error_rate_limited_429.json")
    assert (limited.status, limited.text) == (was["status"], "")
    assert {name.lower() for name in was["headers"]} <= limited.headers.keys()
    assert limited.headers["ratelimit-limit"] == was["headers"]["RateLimit-Limit"]
    assert "ratelimit-limit" not in replies[0].headers
    crm.adjust(requests_per_second=1_000, throttled_status=503)
    crm.fault("rate_limited", wait=30)
    old = api.get("/api/3/users/me")
    assert (old.status, old.headers["retry-after"]) == (503, "30")


def planted(api: Caller, rows: list[dict[str, Any]]) -> list[str]:
    return api.post("/_sandbox/records/contacts", rows).json["ids"]


def altered(api: Caller, noun: str, record: str, fields: dict[str, Any]) -> int:
    return api.patch(f"/_sandbox/records/{noun}/{record}", fields).status


def erased(api: Caller, noun: str, record: str) -> int:
    return api.delete(f"/_sandbox/records/{noun}/{record}").status


def test_planted_contacts_have_the_moments_they_were_given_in_the_accounts_zone(api: Caller) -> None:
    old, new = planted(
        api,
        [
            {"email": "1@example.com", "cdate": "2026-01-01T12:00:00Z", "udate": "2026-02-01T00:00:00.9+01:00"},
            {"email": "2@example.com", "cdate": "2026-03-01T00:00:00"},
        ],
    )
    rows = {row["id"]: row for row in api.get("/api/3/contacts").json["contacts"]}
    assert (rows[old]["cdate"], rows[old]["udate"]) == ("2026-01-01T07:00:00-05:00", "2026-01-31T18:00:00-05:00")
    assert rows[old]["updated_utc_timestamp"] == "2026-01-31 18:00:00"
    assert rows[new]["cdate"] == rows[new]["udate"] == "2026-03-01T00:00:00-05:00"
    assert listed(api, **{"filters[created_after]": "2026-02-01"}) == [new]
    assert listed(api, **{"filters[updated_after]": "2026-01-15", "filters[updated_before]": "2026-02-15"}) == [old]


def test_a_colleagues_change_moves_the_contact_by_whole_seconds(crm: Caller, api: Caller) -> None:
    first, _ = planted(api, [{"email": f"{place}@example.com", "cdate": "2026-01-01"} for place in range(2)])
    before = int(time.time())
    since = {"filters[updated_after]": datetime.fromtimestamp(before - 1, UTC).isoformat()}
    assert listed(api, **since) == []
    custom = [{"field": COLOUR, "value": "green"}]
    assert altered(api, "contacts", first, {"firstName": "Ada", "fieldValues": custom, "udate": "2020-01-01"}) == 200
    assert listed(api, **since) == [first]
    got = api.get(f"/api/3/contacts/{first}").json
    assert (got["contact"]["firstName"], got["contact"]["cdate"]) == ("Ada", "2026-01-01T00:00:00-05:00")
    assert [(one["field"], one["value"]) for one in got["fieldValues"]] == [(COLOUR, "green")]
    assert before <= datetime.fromisoformat(got["contact"]["udate"]).timestamp() <= time.time()
    # Who asks from that very second on does not see it, unless the account counts it in.
    assert listed(api, **{"filters[updated_after]": got["contact"]["udate"]}) == []
    crm.adjust(dates_inclusive=True)
    assert listed(api, **{"filters[updated_after]": got["contact"]["udate"]}) == [first]


def test_a_custom_value_that_a_colleague_changes_moves_its_contact(api: Caller) -> None:
    [mine] = planted(api, [{"email": "1@example.com", "cdate": "2026-01-01"}])
    value = api.plant("fieldValues", {"contact": mine, "field": COLOUR, "value": "red"})
    assert listed(api, **{"filters[updated_after]": "2026-02-01"}) == []
    assert altered(api, "fieldValues", value, {"value": "blue"}) == 200
    assert listed(api, **{"filters[updated_after]": "2026-02-01"}) == [mine]
    [told] = api.get(f"/api/3/contacts/{mine}/fieldValues").json["fieldValues"]
    assert (told["id"], told["value"]) == (value, "blue")
    assert erased(api, "fieldValues", value) == 200
    assert api.get(f"/api/3/contacts/{mine}/fieldValues").json["fieldValues"] == []


def test_a_contact_that_a_colleague_deletes_is_in_no_list(crm: Caller, api: Caller) -> None:
    mine, other = made(api), made(api, email="bob@example.com")
    account = api.plant("accounts", {"name": "Engines"})
    api.plant("accountContacts", {"account": account, "contact": mine})
    assert erased(api, "contacts", mine) == 200
    assert listed(api) == listed(api, **{"filters[updated_after]": "2026-01-01"}) == [other]
    assert listed(api, **{"ids[]": mine}) == listed(api, email="ada@example.com") == []
    assert api.get("/api/3/accountContacts").json["accountContacts"] == []
    assert api.get(f"/api/3/contacts/{mine}").json == {"message": f"No Result found for Subscriber with id {mine}"}
    crm.adjust(deleted_contacts_readable=True)
    assert api.get(f"/api/3/contacts/{mine}").json["contact"]["deleted"] == "1"
    assert [erased(api, "contacts", mine), altered(api, "contacts", mine, {}), altered(api, "leads", "1", {})] == [
        400
    ] * 3
    assert contact(api).status == 201


def test_a_colleague_changes_and_deletes_accounts_deals_users_and_fields(api: Caller) -> None:
    account, user = api.plant("accounts", {"name": "Engines"}), api.plant("users", {"firstName": "Charles"})
    deal = api.plant("deals", {"title": "No. 2", "value": 1500})
    assert altered(api, "accounts", account, {"name": "Looms", "owner": int(user)}) == 200
    assert altered(api, "deals", deal, {"value": 2500, "account": int(account)}) == 200
    assert altered(api, "users", user, {"firstName": "Ada"}) == 200
    told = api.get(f"/api/3/accounts/{account}").json["account"]
    assert (told["name"], told["owner"]) == ("Looms", user)
    told = api.get(f"/api/3/deals/{deal}").json["deal"]
    assert (told["value"], told["account"], told["customerAccount"]) == ("2500", account, account)
    assert api.get(f"/api/3/users/{user}").json["user"]["firstName"] == "Ada"
    field = api.plant("fields", {"title": "Shoe size", "type": "number"})
    mine = made(api, fieldValues=[{"field": field, "value": "38"}])
    assert altered(api, "fields", field, {"title": "Size"}) == 200
    assert api.get(f"/api/3/fields/{field}").json["field"]["title"] == "Size"
    for noun, record in (("accounts", account), ("deals", deal), ("users", user), ("fields", field)):
        assert erased(api, noun, record) == 200
        assert api.get(f"/api/3/{noun}/{record}").status == 404
    assert api.get(f"/api/3/contacts/{mine}").json["fieldValues"] == []


def test_five_thousand_contacts_are_fifty_pages_by_their_ids(api: Caller) -> None:
    account = api.plant("accounts", {"name": "Engines"})
    rows = [
        {"email": f"{place}@example.com", "fieldValues": [{"field": SCORE, "value": str(place)}]}
        for place in range(5000)
    ]
    mine = planted(api, rows)
    api.post("/_sandbox/records/accountContacts", [{"account": account, "contact": one} for one in mine])
    found: list[str] = []
    query: dict[str, Any] = {"orders[id]": "ASC", "limit": 100, "id_greater": 0}
    while page := api.get("/api/3/contacts", query=query).json["contacts"]:
        assert all(len(row["accountContacts"]) == 1 for row in page)
        found += [row["id"] for row in page]
        query["id_greater"] = found[-1]
    assert found == mine
    values = api.get("/api/3/fieldValues", query={"filters[fieldid]": SCORE, "limit": 100, "offset": 4900}).json
    assert (len(values["fieldValues"]), values["meta"]["total"]) == (100, "5000")


def with_everything(api: Caller, number: int) -> tuple[str, str, str]:
    """A contact with a custom value and an account, and the ids of these two."""
    mine = made(api, email=f"{number}@example.com")
    value = api.plant("fieldValues", {"contact": mine, "field": COLOUR, "value": f"red {number}"})
    account = api.plant("accounts", {"name": f"Engines {number}"})
    link = api.plant("accountContacts", {"account": account, "contact": mine, "jobTitle": "Countess"})
    return mine, value, link


def test_a_list_brings_along_what_include_names_for_the_contacts_of_its_page_alone(api: Caller) -> None:
    people = [with_everything(api, number) for number in range(4)]
    bare = made(api)
    body = api.get("/api/3/contacts?include=fieldValues,accountContacts&limit=2&offset=1").json
    assert [row["id"] for row in body["contacts"]] == [people[1][0], people[2][0]]
    assert [(row["fieldValues"], row["accountContacts"]) for row in body["contacts"]] == [
        ([value], [link]) for _, value, link in people[1:3]
    ]
    assert [(row["contact"], row["field"], row["value"]) for row in body["fieldValues"]] == [
        (people[1][0], COLOUR, "red 1"),
        (people[2][0], COLOUR, "red 2"),
    ]
    assert [(row["id"], row["jobTitle"]) for row in body["accountContacts"]] == [
        (people[1][2], "Countess"),
        (people[2][2], "Countess"),
    ]
    assert body["meta"]["total"] == "5"
    nothing = api.get("/api/3/contacts", query={"include": "fieldValues,accountContacts", "id_greater": people[3][0]})
    assert (nothing.json["fieldValues"], nothing.json["accountContacts"]) == ([], [])
    assert [(row["id"], row["fieldValues"]) for row in nothing.json["contacts"]] == [(bare, [])]


def test_include_goes_with_filters_and_without_it_no_custom_values_come(api: Caller) -> None:
    mine, value, _ = with_everything(api, 1)
    with_everything(api, 2)
    query = {"email": "1@example.com", "include": "fieldValues", "filters[updated_after]": "2020-01-01"}
    body = api.get("/api/3/contacts", query=query).json
    assert ([row["id"] for row in body["contacts"]], [row["id"] for row in body["fieldValues"]]) == ([mine], [value])
    plain = api.get("/api/3/contacts").json
    assert "fieldValues" not in plain
    assert all("fieldValues" not in row for row in plain["contacts"])


def test_a_dot_brings_along_what_the_related_refers_to(api: Caller) -> None:
    mine, _, _ = with_everything(api, 1)
    stage = api.plant("deals", {"title": "No. 2", "contact": mine})
    body = api.get("/api/3/contacts?include=accountContacts.account,fieldValues.field,deals.owner,contactTags.tag").json
    assert [row["name"] for row in body["accounts"]] == ["Engines 1"]
    assert body["accounts"][0]["id"] == body["accountContacts"][0]["account"]
    assert [row["id"] for row in body["fields"]] == [COLOUR]
    assert ([row["id"] for row in body["deals"]], body["contacts"][0]["deals"]) == ([stage], [stage])
    assert [row["id"] for row in body["users"]] == [body["deals"][0]["owner"]]
    assert (body["contactTags"], body["tags"], body["contacts"][0]["contactTags"]) == ([], [], [])


def test_a_contact_by_its_id_brings_along_more_where_that_is_asked(api: Caller, recorded: Recorded) -> None:
    mine, value, _ = with_everything(api, 1)
    was = recorded("activecampaign/contact_get.json")["body"]
    body = api.get(f"/api/3/contacts/{mine}?include=fieldValues,accountContacts.account").json
    assert body.keys() == was.keys() | {"accounts"}
    assert body["contact"].keys() == was["contact"].keys()
    assert ([row["id"] for row in body["fieldValues"]], body["accounts"][0]["name"]) == ([value], "Engines 1")


@pytest.mark.parametrize("include", ["fieldvalues", "fields", "fieldValues.colour", "accountContacts.account.owner"])
def test_a_relation_that_contacts_do_not_have_is_400(api: Caller, include: str) -> None:
    refused = api.get("/api/3/contacts", query={"include": include})
    assert (refused.status, refused.json) == (400, {})


def test_an_account_may_pass_include_over_in_silence(crm: Caller, api: Caller) -> None:
    mine, _, link = with_everything(api, 1)
    plain = api.get("/api/3/contacts").json
    crm.adjust(include_is_heeded=False)
    body = api.get("/api/3/contacts?include=fieldValues,accountContacts.account").json
    assert body.keys() == plain.keys()
    assert body["contacts"] == plain["contacts"]
    assert body["contacts"][0]["accountContacts"] == [link]
    assert api.get(f"/api/3/contacts/{mine}").json == api.get(f"/api/3/contacts/{mine}?include=nonsense").json


def test_five_thousand_contacts_bring_their_values_along_in_fifty_pages(api: Caller) -> None:
    rows = [
        {"email": f"{place}@example.com", "fieldValues": [{"field": SCORE, "value": str(place)}]}
        for place in range(5000)
    ]
    mine = planted(api, rows)
    values: dict[str, str] = {}
    query: dict[str, Any] = {"orders[id]": "ASC", "limit": 100, "id_greater": 0, "include": "fieldValues"}
    while (page := api.get("/api/3/contacts", query=query).json)["contacts"]:
        values |= {row["contact"]: row["value"] for row in page["fieldValues"]}
        query["id_greater"] = page["contacts"][-1]["id"]
    assert values == {one: str(place) for place, one in enumerate(mine)}
