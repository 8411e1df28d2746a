"""Zoho's peculiarities, and its recorded answers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.local.samples.zoho import SAMPLE
from tests.sandbox.caller import Caller, Reply
from tests.sandbox.exchange import Request
from tests.sandbox.recipes import token_request
from tests.sandbox.vendors.zoho import FAKE

CRM = "zoho"
LEADS = "/crm/v8/Leads"
PIPELINES = "/crm/v8/settings/pipeline"
FIELDS = "/crm/v8/settings/fields"
ADA = {"Last_Name": "Lovelace", "Company": "Engines"}
NOWHERE = "6215078999999999999"

type Recorded = Callable[[str], Any]


def create(api: Caller, *leads: dict[str, Any], **more: Any) -> Reply:
    return api.post(LEADS, {"data": list(leads) or [ADA]} | more)


def made(api: Caller, **fields: Any) -> str:
    return create(api, ADA | fields).json["data"][0]["details"]["id"]


def listed(api: Caller, headers: dict[str, str] | None = None, **query: Any) -> Reply:
    return api.get(LEADS, query={"fields": "Last_Name,Modified_Time"} | query, headers=headers)


def coql(api: Caller, text: str) -> Reply:
    return api.post("/crm/v8/coql", {"select_query": text})


def same_shape(reply: Reply, was: dict[str, Any]) -> None:
    """As recorded: the status, and the names and kinds of values all the way down."""
    assert reply.status == was["status"]
    assert outline(reply.json) == outline(was["body"])


def outline(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: outline(one) for name, one in value.items()}
    if isinstance(value, list):
        return [outline(one) for one in value]
    return type(value).__name__


def differences(shown: dict[str, Any], was: dict[str, Any]) -> set[str]:
    """The recorded keys that are missing here, or whose value is of another kind where neither is null."""
    kinds = {str: "text", int: "number", float: "number"}

    def kind(value: Any) -> str:
        return kinds.get(type(value), type(value).__name__)

    missing = was.keys() - shown.keys()
    both = {name for name in was.keys() & shown.keys() if None not in (was[name], shown[name])}
    return missing | {name for name in both if kind(was[name]) != kind(shown[name])}


@pytest.fixture
def layout(api: Caller) -> str:
    return api.get("/crm/v8/settings/layouts", query={"module": "Deals"}).json["layouts"][0]["id"]


@pytest.fixture
def stages(api: Caller) -> dict[str, str]:
    fields = api.get(FIELDS, query={"module": "Deals"}).json["fields"]
    stage = next(field for field in fields if field["api_name"] == "Stage")
    return {option["display_value"]: option["id"] for option in stage["pick_list_values"]}


@pytest.fixture
def pipeline(crm: Caller) -> str:
    return crm.stored("pipelines")[0]["id"]


# Records.


def test_a_lead_is_created_read_changed_and_deleted_as_recorded(api: Caller, recorded: Recorded) -> None:
    created = create(api)
    same_shape(created, recorded("zoho/v8.lead.create.201.json"))
    number = created.json["data"][0]["details"]["id"]
    assert len(number) == 19
    got = api.get(f"{LEADS}/{number}")
    was = recorded("zoho/lead.get.200.json")
    assert got.json["data"][0].keys() >= was["body"]["data"][0].keys()
    assert set(was["headers"]) <= set(got.headers)
    changed = api.put(f"{LEADS}/{number}", {"data": [{"City": "London"}], "trigger": []})
    same_shape(changed, recorded("zoho/v8.lead.update.200.json"))
    assert api.stored("leads")[0]["City"] == "London"
    same_shape(api.delete(f"{LEADS}/{number}"), recorded("zoho/v8.record.delete.200.json"))


def test_a_record_that_is_not_there_is_204_to_read_and_400_to_write(
    crm: Caller, api: Caller, recorded: Recorded
) -> None:
    deleted = made(api)
    api.delete(f"{LEADS}/{deleted}")
    for number in (NOWHERE, deleted):
        nothing = api.get(f"{LEADS}/{number}")
        assert (nothing.status, nothing.text) == (204, "")
        refused = api.delete(f"{LEADS}/{number}")
        was = recorded("zoho/v8.record.delete.invalid-id.400.json")
        assert (refused.status, refused.json) == (was["status"], was["body"])
    invalid = recorded("zoho/v8.note.write.invalid-id.400.json")
    put = api.put(f"{LEADS}/{NOWHERE}", {"data": [{"City": "London"}]})
    assert (put.status, put.json) == (invalid["status"], invalid["body"])
    assert api.get(f"{LEADS}/ada").json == invalid["body"]
    crm.adjust(missing_record_status=400)
    assert api.get(f"{LEADS}/{NOWHERE}").status == 400


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"Company": 5}, {"expected_data_type": "text"}),
        ({"Last_Name": "x" * 81}, {"maximum_length": 80}),
        ({"Email": "ada"}, {"expected_data_type": "email"}),
        ({"No_of_Employees": "12"}, {"expected_data_type": "integer"}),
        ({"Annual_Revenue": "12.5"}, {"expected_data_type": "double"}),
        ({"Email_Opt_Out": "yes"}, {"expected_data_type": "boolean"}),
        ({"Contract_End": "31.12.2026"}, {"expected_data_type": "date"}),
        ({"Next_Visit": "2026-01-02T03:04:05.000+05:30"}, {"expected_data_type": "datetime"}),
        ({"Next_Visit": "2026-01-02T03:04:05Z"}, {"expected_data_type": "datetime"}),
        ({"Interests": "Looms"}, {"expected_data_type": "jsonarray"}),
        ({"Owner": NOWHERE}, {"expected_data_type": "jsonobject"}),
        ({"Industry": "Basket weaving"}, {}),
        ({"Tier": "gold"}, {}),
        ({"Colour": "red"}, {}),
    ],
)
def test_a_field_that_does_not_fit_is_400_in_its_own_result(
    api: Caller, fields: dict[str, Any], details: dict[str, Any]
) -> None:
    reply = create(api, ADA | fields)
    [name] = fields
    [result] = reply.json["data"]
    assert (reply.status, result["code"], result["status"]) == (400, "INVALID_DATA", "error")
    assert result["details"] == {"api_name": name, "json_path": f"$.data[0].{name}"} | details
    assert api.stored("leads") == []


def test_whom_a_lookup_names_has_to_be_there(crm: Caller, api: Caller) -> None:
    seller = crm.plant("users", {"first_name": "Sue", "last_name": "Sell"})
    number = made(api, Owner={"id": seller})
    assert api.get(f"{LEADS}/{number}").json["data"][0]["Owner"]["name"] == "Sue Sell"
    refused = create(api, ADA | {"Owner": {"id": NOWHERE}}).json["data"][0]
    assert refused["details"]["json_path"] == "$.data[0].Owner.id"
    by_email = ADA | {"Owner": {"email": "sue.sell@example.com"}}
    assert create(api, by_email).status == 400
    crm.adjust(owner_by_email=True)
    assert create(api, by_email).status == 201
    account = crm.plant("accounts", {"Account_Name": "Engines"})
    contact = {"Last_Name": "Byron", "Account_Name": {"id": account}}
    assert api.post("/crm/v8/Contacts", {"data": [contact]}).status == 201
    assert crm.stored("contacts")[0]["Account_Name"] == {"name": "Engines", "id": account}
    contact["Account_Name"] = {"id": seller}
    assert api.post("/crm/v8/Contacts", {"data": [contact]}).status == 400


def test_all_faults_of_a_record_are_told_at_once(api: Caller, recorded: Recorded) -> None:
    [result] = create(api, {"First_Name": "Ada", "No_of_Employees": "many"}).json["data"]
    was = recorded("zoho/v8.records.create.multiple-errors.400.json")["body"]["data"][0]
    assert result.keys() == was.keys()
    assert (result["code"], result["message"]) == (was["code"], was["message"])
    named = {one["details"]["api_name"]: one["code"] for one in result["details"]["errors"]}
    assert named == {
        "No_of_Employees": "INVALID_DATA", "Last_Name": "MANDATORY_NOT_FOUND", "Company": "MANDATORY_NOT_FOUND",
    }  # fmt: skip


def test_some_good_and_some_bad_are_207_and_the_good_ones_are_there(api: Caller, recorded: Recorded) -> None:
    same_shape(create(api, ADA, ADA | {"Colour": "red"}), recorded("zoho/v8.records.create.mixed.207.json"))
    [kept] = api.stored("leads")
    mixed = api.delete(LEADS, query={"ids": f"{kept['id']},{NOWHERE}"})
    assert (mixed.status, [one["code"] for one in mixed.json["data"]]) == (207, ["SUCCESS", "INVALID_DATA"])
    assert api.delete(LEADS, query={"ids": NOWHERE}).status == 400
    assert api.delete(LEADS).json["details"] == {"param_name": "ids"}


def test_a_hundred_records_fit_and_one_more_does_not(api: Caller) -> None:
    assert create(api, *[ADA] * 100).status == 201
    refused = create(api, *[ADA] * 101)
    assert (refused.status, refused.json["data"][0]["code"]) == (400, "LIMIT_EXCEEDED")
    assert len(api.stored("leads")) == 100


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        ({"trigger": []}, "MANDATORY_NOT_FOUND", "$.data"),
        ({"data": ADA}, "INVALID_DATA", "$.data"),
        ({"data": [ADA], "trigger": ["fireworks"]}, "INVALID_DATA", "$.trigger[0]"),
        ({"data": [ADA], "colour": "red"}, "INVALID_DATA", "$.colour"),
    ],
)
def test_the_envelope_is_checked(api: Caller, body: dict[str, Any], code: str, path: str) -> None:
    if not api.get("/_sandbox/health").json["spec_checks"]:
        pytest.skip("the vendor's documents are not there")
    reply = api.post(LEADS, body)
    assert (reply.status, reply.json["code"]) == (400, code)
    assert reply.json["details"]["json_path"] == path


def test_what_only_zoho_writes_is_passed_over_and_empty_text_unsets(crm: Caller, api: Caller) -> None:
    crm.adjust(unknown_fields_refused=False, picklists_closed=False)
    number = made(api, First_Name="Ada", Full_Name="Somebody Else", City="", Colour="red", Industry="Weaving")
    [row] = crm.stored("leads")
    assert (row["Full_Name"], row["City"], row["Industry"]) == ("Ada Lovelace", None, "Weaving")
    assert "Colour" not in row
    emptied = api.put(f"{LEADS}/{number}", {"data": [{"Last_Name": None}]}).json["data"][0]
    assert (emptied["code"], emptied["details"]["api_name"]) == ("MANDATORY_NOT_FOUND", "Last_Name")


def test_an_admins_rules_show_in_the_refusals(crm: Caller, api: Caller, recorded: Recorded) -> None:
    crm.adjust(layout_rules={"leads": ["Phone"]})
    same_shape(create(api), recorded("zoho/v8.records.create.mandatory-layout-rule.400.json"))
    crm.adjust(layout_rules={})
    assert made(api, Email="ada@example.com") != made(api, Email="ada@example.com")
    crm.adjust(unique_fields={"leads": ["Email"]})
    reply = create(api, ADA | {"Email": "ADA@example.com"})
    was = recorded("zoho/v8.records.create.duplicate.400.json")
    details = reply.json["data"][0]["details"]
    assert reply.status == was["status"]
    assert details.keys() == was["body"]["data"][0]["details"].keys()
    assert details["id"] == details["duplicate_record"]["id"] == crm.stored("leads")[0]["id"]


def test_a_duplicate_names_the_older_record(api: Caller) -> None:
    number = made(api)
    api.fault("duplicate", method="POST", route="leads")
    reply = create(api)
    assert (reply.status, reply.json["data"][0]["code"]) == (400, "DUPLICATE_DATA")
    assert reply.json["data"][0]["details"]["id"] == number
    assert len(api.stored("leads")) == 1


def test_an_upsert_says_what_it_did(api: Caller, recorded: Recorded) -> None:
    lead = {"data": [ADA | {"Email": "ada@example.com"}], "duplicate_check_fields": ["Email"]}
    first = api.post(f"{LEADS}/upsert", lead)
    was = recorded("zoho/lead.upsert.200.json")
    assert (first.status, first.json["data"][0].keys()) == (was["status"], was["body"]["data"][0].keys())
    assert (first.json["data"][0]["action"], first.json["data"][0]["duplicate_field"]) == ("insert", None)
    again = api.post(f"{LEADS}/upsert", lead).json["data"][0]
    assert (again["action"], again["duplicate_field"], again["message"]) == ("update", "Email", "record updated")
    assert len(api.stored("leads")) == 1
    assert api.post(f"{LEADS}/upsert", lead | {"duplicate_check_fields": ["Mail"]}).status == 400


def test_locked_and_outdated_records_are_not_changed(crm: Caller, api: Caller, recorded: Recorded) -> None:
    locked = crm.plant("leads", ADA | {"Locked__s": True})
    same_shape(
        api.put(f"{LEADS}/{locked}", {"data": [{"City": "London"}]}), recorded("zoho/v8.record.update.locked.400.json")
    )
    assert api.delete(f"{LEADS}/{locked}").json["data"][0]["code"] == "RECORD_LOCKED"
    number = made(api)
    unless = {"If-Unmodified-Since": "2020-01-01T00:00:00+00:00"}
    outdated = api.put(f"{LEADS}/{number}", {"data": [{"City": "London"}]}, headers=unless)
    was = recorded("zoho/v8.record.update.already-modified.412.json")
    assert (outdated.status, outdated.json["data"][0]["code"]) == (was["status"], "ALREADY_MODIFIED")
    assert outdated.json["data"][0]["details"].keys() == was["body"]["data"][0]["details"].keys()
    assert {row["City"] for row in crm.stored("leads")} == {None}


# One record by its id.


@pytest.fixture
def story(crm: Caller) -> dict[str, str]:
    """The customer of the local stack, by the plural of what each of its records is."""
    return dict(SAMPLE.story(lambda noun, **fields: str(crm.plant(noun, fields))))


READ = {
    "companies": "/crm/v8/Accounts", "contacts": "/crm/v8/Contacts", "deals": "/crm/v8/Deals", "leads": LEADS,
    "users": "/crm/v8/users",
}  # fmt: skip


@pytest.mark.parametrize(
    ("noun", "was"),
    [
        ("companies", "account.get.200"),
        ("companies", "accounts.list.200"),
        ("contacts", "contacts.list-page-info.200"),
        ("deals", "deal.get.200"),
        ("deals", "deals.list.200"),
        ("leads", "lead.get.200"),
        ("users", "users.list.200"),
    ],
)
def test_every_object_is_read_by_its_id_as_recorded(
    api: Caller, recorded: Recorded, story: dict[str, str], noun: str, was: str
) -> None:
    reply = api.get(f"{READ[noun]}/{story[noun]}")
    envelope = "users" if noun == "users" else "data"
    assert (reply.status, reply.json.keys()) == (200, {envelope})
    [row] = reply.json[envelope]
    assert row["id"] == story[noun]
    for older in recorded(f"zoho/{was}.json")["body"][envelope]:
        assert not differences(row, older)


def test_owners_and_lookups_are_objects_with_a_name(api: Caller, story: dict[str, str]) -> None:
    rows = {noun: api.get(f"{path}/{story[noun]}").json for noun, path in READ.items() if noun != "users"}
    owner = {"name": "Charles Babbage", "id": story["users"], "email": "charles@example.com"}
    assert all(row["data"][0]["Owner"] == owner for row in rows.values())
    company = {"name": "Analytical Engines", "id": story["companies"]}
    contact, deal = rows["contacts"]["data"][0], rows["deals"]["data"][0]
    assert contact["Account_Name"] == deal["Account_Name"] == company
    assert deal["Contact_Name"] == {"name": "Ada Lovelace", "id": story["contacts"]}


def test_a_deal_tells_its_stage_and_pipeline_by_name_and_its_money_as_numbers(
    crm: Caller, api: Caller, story: dict[str, str]
) -> None:
    path = f"/crm/v8/Deals/{story['deals']}"
    [deal] = api.get(path).json["data"]
    assert (deal["Stage"], deal["Pipeline"], deal["Probability"]) == ("Qualification", "Standard (Standard)", 10)
    assert (deal["Amount"], deal["Expected_Revenue"], deal["Closing_Date"]) == (12500, 1250, "2026-12-31")
    crm.adjust(pipelines_enabled=False)
    assert "Pipeline" not in api.get(path).json["data"][0]


def test_the_wanted_fields_come_with_the_id_and_unknown_ones_are_refused(
    crm: Caller, api: Caller, story: dict[str, str]
) -> None:
    path = f"/crm/v8/Contacts/{story['contacts']}"
    wanted = {"fields": "Email,Favourite_Colour"}
    shown = {"Email": "ada@engines.example", "Favourite_Colour": "teal", "id": story["contacts"]}
    assert api.get(path, query=wanted).json["data"] == [shown]
    unknown = {"fields": "Email,Shoe_Size"}
    assert (api.get(path, query=unknown).status, api.get(path, query={"wings": "2"}).status) == (400, 200)
    crm.adjust(unknown_fields_refused=False)
    assert api.get(path, query=unknown).json["data"] == [{"Email": "ada@engines.example", "id": story["contacts"]}]


@pytest.mark.parametrize("noun", READ)
def test_no_object_is_told_where_none_is_and_a_malformed_id_is_refused(
    crm: Caller, api: Caller, recorded: Recorded, noun: str
) -> None:
    path = READ[noun]
    nothing = api.get(f"{path}/{NOWHERE}")
    assert (nothing.status, nothing.text) == (204, "")
    invalid = recorded("zoho/v8.note.write.invalid-id.400.json")
    odd = api.get(f"{path}/ada")
    assert (odd.status, odd.json) == (invalid["status"], invalid["body"])
    crm.adjust(missing_record_status=400)
    assert api.get(f"{path}/{NOWHERE}").json == invalid["body"]


def test_what_lies_in_the_bin_is_not_read(api: Caller, story: dict[str, str]) -> None:
    for noun in ("companies", "contacts", "deals", "leads"):
        path = f"{READ[noun]}/{story[noun]}"
        assert (api.delete(path).status, api.get(path).status) == (200, 204)


def test_what_the_profile_may_not_view_is_403_by_its_module(
    crm: Caller, api: Caller, recorded: Recorded, story: dict[str, str]
) -> None:
    crm.adjust(forbidden=list(READ))
    was = recorded("zoho/error.no-permission.403.json")
    for noun, path in READ.items():
        module = path.rsplit("/", 1)[1].capitalize()
        reply = api.get(f"{path}/{story[noun]}")
        details = {"permissions": [f"Crm_Implied_View_{module}"]}
        assert (reply.status, reply.json) == (was["status"], was["body"] | {"details": details})
    assert coql(api, "select id from Deals where id > 1").status == 403
    crm.adjust(forbidden=["deals"])
    assert api.get(f"{LEADS}/{story['leads']}").status == 200


def test_each_module_has_a_scope_of_its_own(crm: Caller, story: dict[str, str]) -> None:
    api = crm.authorised(scopes=["ZohoCRM.modules.deals.READ"])
    assert api.get(f"{READ['deals']}/{story['deals']}").status == 200
    for noun in ("companies", "contacts", "leads", "users"):
        refused = api.get(f"{READ[noun]}/{story[noun]}")
        assert (refused.status, refused.json["code"]) == (401, "OAUTH_SCOPE_MISMATCH")


def test_a_deal_is_created_in_a_stage_and_a_pipeline_that_are_there(crm: Caller, api: Caller) -> None:
    deal = {"Deal_Name": "Engine", "Stage": "Qualification", "Closing_Date": "2026-12-31"}
    [missing] = api.post("/crm/v8/Deals", {"data": [deal]}).json["data"]
    assert (missing["code"], missing["details"]["api_name"]) == ("MANDATORY_NOT_FOUND", "Pipeline")
    elsewhere = deal | {"Pipeline": "Nowhere"}
    assert api.post("/crm/v8/Deals", {"data": [elsewhere]}).json["data"][0]["code"] == "INVALID_DATA"
    assert api.post("/crm/v8/Deals", {"data": [deal | {"Pipeline": "Standard (Standard)"}]}).status == 201
    crm.adjust(pipelines_enabled=False)
    assert api.post("/crm/v8/Deals", {"data": [deal]}).status == 201


def test_coql_and_search_find_deals_and_contacts(crm: Caller, api: Caller, story: dict[str, str]) -> None:
    crm.adjust(search_lag=0)
    found = coql(api, f"select Deal_Name, Account_Name from Deals where Contact_Name = '{story['contacts']}'")
    assert found.json["data"] == [{"Deal_Name": "Engine no. 2", "Account_Name": {"id": story["companies"]}}]
    hits = api.get("/crm/v8/Contacts/search", query={"email": "ada@engines.example"}).json["data"]
    assert [row["id"] for row in hits] == [story["contacts"]]


# Lists.


def test_a_list_wants_fields_and_is_204_when_empty(api: Caller, recorded: Recorded) -> None:
    assert listed(api).status == 204
    number = made(api)
    same_shape(api.get(LEADS), recorded("zoho/v8.records.list.fields-missing.400.json"))
    many = ",".join(["Last_Name"] * 51)
    same_shape(listed(api, fields=many), recorded("zoho/v8.records.list.too-many-fields.400.json"))
    reply = listed(api, fields="Last_Name")
    assert reply.json["data"] == [{"Last_Name": "Lovelace", "id": number}]
    assert reply.json["info"].keys() == recorded("zoho/v8.leads.list.200.json")["body"]["info"].keys()
    for name, value in {"fields": "Colour", "per_page": 201, "page": 0, "sort_by": "City", "cvid": NOWHERE}.items():
        assert api.get(LEADS, query={"fields": "Last_Name", name: value}).status == 400, name


def test_pages_end_and_tokens_go_on_with_the_same_parameters_only(crm: Caller, api: Caller, recorded: Recorded) -> None:
    planted = [crm.plant("leads", {"Last_Name": str(number)}) for number in range(5)]
    crm.adjust(records_by_page=4, records_by_token=4)
    first = listed(api, per_page=2).json
    assert [row["id"] for row in first["data"]] == planted[:2:-1]  # the newest first
    token = first["info"]["next_page_token"]
    crm.plant("leads", {"Last_Name": "newer"})
    second = listed(api, per_page=2, page_token=token).json
    assert [row["id"] for row in second["data"]] == planted[2:0:-1]
    assert second["info"]["page"] == 2
    for name, reply in {
        "over-2000": listed(api, per_page=2, page=3),
        "over-100000": listed(api, per_page=2, page_token=second["info"]["next_page_token"]),
        "page-token-mismatch": listed(api, per_page=1, page_token=token),
    }.items():
        same_shape(reply, recorded(f"zoho/v8.records.list.{name}.400.json"))
    assert listed(api, per_page=2, page=2, page_token=token).json["code"] == "AMBIGUITY_DURING_PROCESSING"
    rising = listed(api, per_page=2, sort_by="Modified_Time", sort_order="asc").json
    assert [row["id"] for row in rising["data"]] == planted[:2]


def test_what_was_not_modified_since_is_304(crm: Caller, api: Caller) -> None:
    for number, at in (("old", "2026-01-02T03:04:05+05:30"), ("new", "2026-01-02T03:04:06+05:30")):
        crm.plant("leads", {"Last_Name": number, "Modified_Time": at})
    since = {"If-Modified-Since": "2026-01-01T21:34:05+00:00"}  # the same second as the old one's
    assert [row["Last_Name"] for row in listed(api, since).json["data"]] == ["new"]
    later = {"If-Modified-Since": "2026-01-02T03:04:06+05:30"}
    assert (listed(api, later).status, listed(api, later).text) == (304, "")
    crm.adjust(unmodified_status=204)
    assert listed(api, later).status == 204
    assert listed(api, {"If-Modified-Since": "Fri, 02 Jan 2026 03:04:05 GMT"}).status == 400


def test_deleted_leads_lie_in_the_bin_for_60_days_and_are_told_for_120_more() -> None:
    now = 1_800_000_000.0
    fake = FAKE(lambda: now)
    headers = {"authorization": f"Zoho-oauthtoken {fake.control.mint(expires_in=1e9)['access_token']}"}

    def ask(path: str, **more: str) -> Any:
        delivery = fake.receive(Request("GET", path, headers | more))
        assert delivery.answer is not None
        return delivery.answer

    number = fake.plant("leads", {"Last_Name": "Lovelace"})
    fake.receive(Request("DELETE", f"{LEADS}/{number}", headers))
    [entry] = ask(f"{LEADS}/deleted?type=recycle").body["data"]
    assert (entry["id"], entry["display_name"], entry["type"]) == (number, "Lovelace", "recycle")
    assert entry["deleted_time"].endswith("+05:30")
    assert ask(f"{LEADS}/deleted?type=permanent").status == 204
    assert ask(f"{LEADS}/deleted", **{"if-modified-since": entry["deleted_time"]}).status == 304
    assert ask(f"{LEADS}/deleted?type=new").body["code"] == "PATTERN_NOT_MATCHED"
    now += 61 * 86_400
    [entry] = ask(f"{LEADS}/deleted").body["data"]
    assert (entry["type"], entry["display_name"]) == ("permanent", None)
    now += 120 * 86_400
    assert ask(f"{LEADS}/deleted").status == 204


def test_a_page_token_lives_a_day(recorded: Recorded) -> None:
    now = 1_800_000_000.0
    fake = FAKE(lambda: now)
    headers = {"authorization": f"Zoho-oauthtoken {fake.control.mint(expires_in=1e9)['access_token']}"}
    for name in ("a", "b"):
        fake.plant("leads", {"Last_Name": name})
    path = f"{LEADS}?fields=Last_Name&per_page=1"
    first = fake.receive(Request("GET", path, headers)).answer
    assert first is not None
    token = first.body["info"]["next_page_token"]
    now += 86_400
    late = fake.receive(Request("GET", f"{path}&page_token={token}", headers)).answer
    assert late is not None
    was = recorded("zoho/v8.records.list.page-token-expired.400.json")
    assert (late.status, late.body) == (was["status"], was["body"])


def test_coql_reads_by_time_and_id(crm: Caller, api: Caller) -> None:
    times = ("2026-01-02T03:04:05+05:30", "2026-01-02T03:04:06+05:30", "2026-01-02T03:04:06+05:30")
    ids = [crm.plant("leads", {"Last_Name": str(n), "Modified_Time": at}) for n, at in enumerate(times)]
    anchor = "2026-01-01T21:34:06+00:00"
    reply = coql(
        api,
        f"select id, Last_Name from Leads where Modified_Time >= '{anchor}' order by Modified_Time asc limit 0, 1",
    )
    assert reply.json == {"data": [{"id": ids[1], "Last_Name": "1"}], "info": {"count": 1, "more_records": True}}
    further = f"(Modified_Time = '{anchor}' and id > {ids[1]}) or Modified_Time > '{anchor}'"
    assert coql(api, f"select id from Leads where {further}").json["data"] == [{"id": ids[2]}]
    assert coql(api, f"select Owner from Leads where id in ('{ids[0]}')").json["data"][0]["Owner"].keys() == {"id"}
    assert coql(api, "select id from Leads where Last_Name = 'Nobody'").status == 204


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select id from Leads", "SYNTAX_ERROR"),
        ("select id from Leads where id > 1 and id < 9 and id != 5", "SYNTAX_ERROR"),
        ("select * from Leads where id > 1", "SYNTAX_ERROR"),
        (r"select id from Leads where Last_Name = 'O\'Hara'", "SYNTAX_ERROR"),
        ("select count(id) from Leads where id > 1", "SYNTAX_ERROR"),
        ("select Colour from Leads where id > 1", "INVALID_QUERY"),
        ("select id from Leads where Last_Name > 'A'", "INVALID_QUERY"),
        ("select id from Leads where Modified_Time > '2026-01-02T03:04:05Z'", "INVALID_QUERY"),
        ("select id from Leads where Modified_Time > '2026-01-02T03:04:05.5+00:00'", "INVALID_QUERY"),
        ("select id from Leads where id > 1 limit 0, 201", "LIMIT_EXCEEDED"),
        ("select id from Leads where id > 1 limit 9900, 200", "LIMIT_EXCEEDED"),
        ("select id from Unicorns where id > 1", "INVALID_MODULE"),
        ("select id, id from Leads where id > 1", "DUPLICATE_DATA"),
    ],
)
def test_coql_refuses_what_it_does_not_know(api: Caller, query: str, code: str) -> None:
    reply = coql(api, query)
    assert (reply.status, reply.json["code"]) == (400, code)
    nothing = api.post("/crm/v8/coql", {}).json
    assert (nothing["code"], nothing["details"]) == ("MANDATORY_NOT_FOUND", {"api_name": "select_query"})


def test_search_lags_and_equals_is_not_exact(crm: Caller, api: Caller) -> None:
    number = made(api, Email="ada@example.com", Phone="+44 20 7946", City="Ely (Cambs)")
    query = {"criteria": "((Email:equals:ADA@example.com)and(Last_Name:starts_with:Love))"}
    assert api.get(f"{LEADS}/search", query=query).status == 204
    crm.adjust(search_lag=0)
    made(api, Last_Name="Love")
    for found in (
        query,
        {"email": "ada@example.com"},
        {"phone": "+44-20-7946"},
        {"word": "cambs"},
        {"criteria": r"(City:equals:Ely \(Cambs\))"},
        {"criteria": "(Last_Name:equals:lovelace)"},
    ):
        reply = api.get(f"{LEADS}/search", query=found | {"fields": "Email"})
        assert [row["id"] for row in reply.json["data"]] == [number], found
    contained = api.get(f"{LEADS}/search", query={"criteria": "(Last_Name:equals:Love)"}).json
    assert contained["info"]["count"] == 2
    assert api.get(f"{LEADS}/search").json["code"] == "EXPECTED_PARAM_MISSING"
    assert api.get(f"{LEADS}/search", query={"word": "a", "page": 11}).json["code"] == "LIMIT_REACHED"
    for broken in ("Email:equals:a", "(Colour:equals:red)", "((Email:equals:a)(City:equals:b))"):
        assert api.get(f"{LEADS}/search", query={"criteria": broken}).status == 400, broken


# Settings.


def test_fields_and_layouts_are_described(api: Caller) -> None:
    fields = {row["api_name"]: row for row in api.get(FIELDS, query={"module": "Leads"}).json["fields"]}
    assert {name for name, row in fields.items() if row["custom_field"]} >= {"Favourite_Colour", "Tier"}
    assert [option["display_value"] for option in fields["Tier"]["pick_list_values"]] == [
        "-None-", "Gold", "Silver", "Bronze",
    ]  # fmt: skip
    assert (fields["Last_Name"]["system_mandatory"], fields["Company"]["system_mandatory"]) == (True, False)
    [layout] = api.get("/crm/v8/settings/layouts", query={"module": "Leads"}).json["layouts"]
    required = {row["api_name"] for row in layout["sections"][0]["fields"] if row["required"]}
    assert required == {"Last_Name", "Company"}
    field = fields["Tier"]["id"]
    assert api.get(f"{FIELDS}/{field}", query={"module": "Leads"}).json["fields"] == [fields["Tier"]]
    assert api.get(f"{FIELDS}/{field}", query={"module": "Contacts"}).status == 400
    assert api.get(FIELDS).json["details"] == {"param_name": "module"}
    assert api.get(FIELDS, query={"module": "Unicorns"}).json["code"] == "INVALID_MODULE"


def test_a_stage_is_added_to_the_pick_list_and_then_mapped(
    crm: Caller, api: Caller, layout: str, pipeline: str
) -> None:
    query = {"layout_id": layout}
    fields = api.get(FIELDS, query={"module": "Deals"}).json["fields"]
    stage = next(field for field in fields if field["api_name"] == "Stage")
    path = f"{FIELDS}/{stage['id']}?module=Deals"
    body = {"fields": [{"pick_list_values": [{"display_value": "Demo", "actual_value": "Demo"}]}]}
    added = api.patch(path, body)
    assert added.json["fields"][0]["details"] == {"id": stage["id"]}  # not the option's
    assert api.patch(path, body).json["fields"][0]["code"] == "DUPLICATE_DATA"
    option = next(row for row in crm.stored("stages") if row["display_value"] == "Demo")
    before = crm.stored("pipelines")[0]["maps"]
    assert option["id"] not in [row["id"] for row in before]
    change = {"pipeline": [{"maps": [{"id": option["id"], "sequence_number": 2}]}]}
    assert (
        api.patch(f"{PIPELINES}/{pipeline}", change, query=query).json["pipeline"][0]["message"] == "Pipeline updated"
    )
    maps = api.get(f"{PIPELINES}/{pipeline}", query=query).json["pipeline"][0]["maps"]
    assert [row["display_value"] for row in maps[:3]] == ["Qualification", "Demo", "Needs Analysis"]
    assert [row["sequence_number"] for row in maps] == list(range(1, len(before) + 2))
    crm.adjust(maps_replace=True)
    api.patch(f"{PIPELINES}/{pipeline}", change, query=query)
    assert [row["id"] for row in crm.stored("pipelines")[0]["maps"]] == [option["id"]]


def test_ten_options_are_taken_at_once_and_one_more_is_not(crm: Caller, api: Caller, stages: dict[str, str]) -> None:
    fields = api.get(FIELDS, query={"module": "Deals"}).json["fields"]
    stage = next(field for field in fields if field["api_name"] == "Stage")
    path = f"{FIELDS}/{stage['id']}?module=Deals"
    options = [{"display_value": f"Demo {number}", "actual_value": f"Demo {number}"} for number in range(11)]
    refused = api.patch(path, {"fields": [{"pick_list_values": options}]})
    assert (refused.status, refused.json["fields"][0]["code"]) == (400, "LIMIT_EXCEEDED")
    assert len(crm.stored("stages")) == len(stages)
    assert api.patch(path, {"fields": [{"pick_list_values": options[:10]}]}).status == 200
    assert len(crm.stored("stages")) == len(stages) + 10


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ({"display_value": "Demo"}, "MANDATORY_NOT_FOUND"),
        ({"actual_value": "Demo"}, "MANDATORY_NOT_FOUND"),
        ({"display_value": "closed won", "actual_value": "x"}, "DUPLICATE_DATA"),
        ({"display_value": "x" * 121, "actual_value": "x"}, "INVALID_DATA"),
        ({"display_value": "Demo", "actual_value": "Demo", "colour": "red"}, "INVALID_DATA"),
        ({"display_value": "Demo", "actual_value": "Demo", "forecast_type": "Maybe"}, "INVALID_DATA"),
        ({"id": NOWHERE, "display_value": "Demo"}, "INVALID_DATA"),
    ],
)
def test_an_option_that_does_not_fit_changes_nothing(
    crm: Caller, api: Caller, option: dict[str, Any], code: str
) -> None:
    fields = api.get(FIELDS, query={"module": "Deals"}).json["fields"]
    stage = next(field for field in fields if field["api_name"] == "Stage")
    good = {"display_value": "Good", "actual_value": "Good"}
    body = {"fields": [{"pick_list_values": [good, option]}]}
    reply = api.patch(f"{FIELDS}/{stage['id']}?module=Deals", body)
    assert (reply.status, reply.json["fields"][0]["code"]) == (400, code)
    assert crm.stored("stages") == stage["pick_list_values"]
    label = {"fields": [{"field_label": "Step"}]}
    assert api.patch(f"{FIELDS}/{stage['id']}?module=Deals", label).status == 400
    assert api.patch(f"{FIELDS}/{NOWHERE}?module=Deals", body).json["details"] == {"resource_path_index": 2}


def test_a_pipeline_is_created_of_stages_that_are_there(
    crm: Caller, api: Caller, layout: str, stages: dict[str, str]
) -> None:
    query = {"layout_id": layout}
    [standard] = api.get(PIPELINES, query=query).json["pipeline"]
    assert (standard["display_value"], standard["default"]) == ("Standard (Standard)", True)
    assert standard["maps"][3]["actual_value"] == "Id. Decision Makers"
    won = {"id": stages["Closed Won"], "sequence_number": 2}
    new = {"id": stages["Qualification"], "sequence_number": 1}
    created = api.post(PIPELINES, {"pipeline": [{"display_value": "Renewals", "maps": [won, new]}]}, query=query)
    assert (created.status, created.json["pipeline"][0]["details"].keys()) == (201, {"id"})
    assert [row["display_value"] for row in crm.stored("pipelines")[1]["maps"]] == ["Qualification", "Closed Won"]
    for item, code, name in (
        ({"maps": [won]}, "MANDATORY_NOT_FOUND", "display_value"),
        ({"display_value": "Other"}, "MANDATORY_NOT_FOUND", "maps"),
        ({"display_value": "renewals", "maps": [won]}, "DUPLICATE_DATA", "display_value"),
        ({"display_value": "Other", "maps": [won | {"id": NOWHERE}]}, "INVALID_DATA", "id"),
        ({"display_value": "Other", "maps": [{"id": won["id"]}]}, "MANDATORY_NOT_FOUND", "sequence_number"),
    ):
        reply = api.post(PIPELINES, {"pipeline": [item]}, query=query)
        assert (reply.status, reply.json["pipeline"][0]["code"]) == (400, code), item
        assert reply.json["pipeline"][0]["details"]["api_name"] == name
    assert len(crm.stored("pipelines")) == 2


def test_pipelines_want_their_layout_and_an_edition_that_has_them(crm: Caller, api: Caller, layout: str) -> None:
    assert api.get(PIPELINES).json["code"] == "REQUIRED_PARAM_MISSING"
    wrong = api.get(PIPELINES, query={"layout_id": NOWHERE}).json
    assert (wrong["code"], wrong["details"]) == ("INVALID_DATA", {"param_name": "layout_id"})
    assert api.get(f"{PIPELINES}/{NOWHERE}", query={"layout_id": layout}).status == 204
    unknown = api.patch(f"{PIPELINES}/{NOWHERE}", {"pipeline": [{"default": True}]}, query={"layout_id": layout})
    assert (unknown.status, unknown.json["details"]) == (400, {"resource_path_index": 2})
    crm.adjust(pipelines_enabled=False)
    refused = api.get(PIPELINES, query={"layout_id": layout})
    assert (refused.status, refused.json["code"]) == (403, "NO_PERMISSION")


def test_stages_leave_a_pipeline_but_the_last_one_stays(
    crm: Caller, api: Caller, layout: str, stages: dict[str, str]
) -> None:
    won, lost = stages["Closed Won"], stages["Closed Lost"]
    number = crm.plant("pipelines", {"display_value": "Renewals", "stages": [won, lost]})
    gone = {"_delete": {"permanent": None}}

    def change(item: dict[str, Any]) -> dict[str, Any]:
        return api.patch(f"{PIPELINES}/{number}", {"pipeline": [item]}, query={"layout_id": layout}).json["pipeline"][0]

    assert change({"maps": [gone | {"id": stages["Qualification"]}]})["message"] == "No mapping found "
    assert change({"maps": [gone | {"id": lost}]})["code"] == "SUCCESS"
    assert change({"maps": [gone | {"id": won}]})["code"] == "CANNOT_DELETE"
    assert change({"default": True, "display_value": "Again"})["code"] == "SUCCESS"
    assert [row["default"] for row in crm.stored("pipelines")] == [False, True]
    assert change(gone)["code"] == "CANNOT_DELETE"
    assert [row["display_value"] for row in crm.stored("pipelines")] == ["Standard (Standard)", "Again"]
    assert len(crm.stored("stages")) == len(stages)  # the pick list keeps what a pipeline lost


def test_a_pipeline_is_deleted_by_a_transfer(
    crm: Caller, api: Caller, layout: str, pipeline: str, stages: dict[str, str]
) -> None:
    won = stages["Closed Won"]
    number = crm.plant("pipelines", {"display_value": "Renewals", "stages": [won]})
    elsewhere = stages["Closed Lost"]

    def transfer(ends: tuple[str, str], *moves: tuple[str, str]) -> Reply:
        item = {
            "pipeline": dict(zip(("from", "to"), ends, strict=True)),
            "stages": [dict(zip(("from", "to"), move, strict=True)) for move in moves],
        }
        body = {"transfer_pipeline": [item]}
        return api.post(f"{PIPELINES}/actions/transfer", body, query={"layout_id": layout})

    for ends, moves, code in (
        ((NOWHERE, pipeline), [(won, won)], "INVALID_DATA"),
        ((number, NOWHERE), [(won, won)], "INVALID_DATA"),
        ((number, number), [(won, won)], "INVALID_DATA"),
        ((number, pipeline), [(elsewhere, won)], "INVALID_DATA"),
        ((number, pipeline), [(won, won), (won, elsewhere)], "ALREADY_USED"),
    ):
        reply = transfer(ends, *moves)
        assert (reply.status, reply.json["transfer_pipeline"][0]["code"]) == (400, code), (ends, moves)
    crm.adjust(transfer_seconds=60)
    done = transfer((number, pipeline), (won, won))
    assert (done.status, done.json["transfer_pipeline"][0]["details"].keys()) == (200, {"job_id"})
    again = transfer((number, pipeline), (won, won)).json["transfer_pipeline"][0]
    assert again["code"] == "ALREADY_SCHEDULED"
    other = crm.plant("pipelines", {"display_value": "Other", "stages": [won]})
    crm.adjust(transfer_seconds=0)
    transfer((other, pipeline), (won, won))
    left = api.get(PIPELINES, query={"layout_id": layout}).json["pipeline"]
    assert [row["id"] for row in left] == [pipeline, number]
    refused = api.delete(f"{PIPELINES}/{number}", query={"layout_id": layout})
    assert (refused.status, refused.json["code"]) == (400, "INVALID_REQUEST_METHOD")


def test_users_are_listed_by_type(crm: Caller, api: Caller, recorded: Recorded) -> None:
    crm.plant("users", {"first_name": "Gone", "last_name": "Away", "status": "disabled"})
    query = {"type": "AllUsers", "per_page": 2}
    page = api.get("/crm/v8/users", query=query).json
    was = recorded("zoho/users.list.200.json")["body"]
    assert not differences(page["users"][0], was["users"][0])
    assert page["info"] == {"per_page": 2, "count": 2, "page": 1, "more_records": True}
    assert len(api.get("/crm/v8/users", query={"type": "ActiveUsers"}).json["users"]) == 2
    [me] = api.get("/crm/v8/users", query={"type": "CurrentUser"}).json["users"]
    assert me["profile"]["name"] == "Administrator"
    assert api.get(f"/crm/v8/users/{me['id']}").json["users"] == [me]
    assert api.get(f"/crm/v8/users/{NOWHERE}").status == 204
    assert api.get("/crm/v8/users", query={"type": "Robots"}).status == 400


# Tokens, scopes, limits.


def test_a_refresh_gives_no_refresh_token_and_a_dead_one_is_200_with_an_error(crm: Caller) -> None:
    grant = crm.grant()
    fresh = token_request(crm, grant)
    assert fresh.json.keys() == {"access_token", "scope", "api_domain", "token_type", "expires_in"}
    form = {name: grant[name] for name in ("client_id", "client_secret", "code")} | {"grant_type": "authorization_code"}
    assert crm.post(grant["token_path"], query=form).json["refresh_token"] == grant["refresh_token"]
    for wrong, error in (("refresh_token", "invalid_code"), ("client_id", "invalid_client")):
        refused = token_request(crm, grant, **{wrong: "wrong"})
        assert (refused.status, refused.json) == (200, {"error": error})
    assert crm.post("/oauth/v2/token/revoke", query={"token": grant["refresh_token"]}).status == 200
    assert token_request(crm, grant).json == {"error": "invalid_code"}


def test_an_eleventh_refresh_in_ten_minutes_is_denied(crm: Caller, recorded: Recorded) -> None:
    grant = crm.grant()
    assert {token_request(crm, grant).status for _ in range(10)} == {200}
    same_shape(token_request(crm, grant), recorded("zoho/oauth.token.too-many-requests.400.json"))
    assert token_request(crm, crm.grant()).status == 200


def test_the_scheme_is_zohos_own(crm: Caller) -> None:
    token = crm.grant()["access_token"]
    assert crm.get(LEADS, headers={"Authorization": f"Bearer {token}"}).json["code"] == "AUTHENTICATION_FAILURE"
    assert crm.get(LEADS, headers={"Authorization": "Zoho-oauthtoken nobody"}).json["code"] == "INVALID_TOKEN"
    signed = crm.get("/crm/v8/users", headers={"Authorization": f"Zoho-oauthtoken {token}"})
    assert signed.headers["x-accesstoken-reset"].endswith("+05:30")


def test_refusals_look_as_recorded(crm: Caller, api: Caller, recorded: Recorded) -> None:
    narrow = crm.authorised(scopes=["ZohoCRM.modules.contacts.ALL"])
    cases = {"error.scope-mismatch.401": create(narrow), "error.invalid-url.404": api.get("/crm/v8/a/b/c")}
    crm.fault("rate_limited", wait=7)
    cases["error.rate-limit.429"] = create(api)
    crm.fault("server_error")
    cases["error.internal.500"] = create(api)
    for name, reply in cases.items():
        was = recorded(f"zoho/{name}.json")
        assert (reply.status, reply.json) == (was["status"], was["body"]), name
        assert "retry-after" not in reply.headers
    assert api.get("/crm/v8/Unicorns").json["code"] == "INVALID_MODULE"
    assert api.patch(LEADS, {}).json["code"] == "INVALID_REQUEST_METHOD"
    broken = api.send("POST", "/crm/v8/coql", "select id")
    assert (broken.status, broken.json["code"]) == (400, "INVALID_DATA")


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["ZohoCRM.modules.ALL"], [201, 204, 401]),
        (["ZohoCRM.modules.Leads.CREATE"], [201, 401, 401]),
        (["ZohoCRM.modules.leads.ALL", "ZohoSearch.securesearch.READ"], [201, 204, 204]),
        (["ZohoCRM.modules.READ"], [401, 204, 401]),
    ],
)
def test_scopes_are_wide_or_narrow_and_search_wants_a_second_one(
    crm: Caller, scopes: list[str], allowed: list[int]
) -> None:
    api = crm.authorised(scopes=scopes)
    replies = (create(api), api.get(f"{LEADS}/{NOWHERE}"), api.get(f"{LEADS}/search", query={"word": "zebra"}))
    assert [reply.status for reply in replies] == allowed


def test_credits_show_when_half_of_them_are_gone(crm: Caller, api: Caller) -> None:
    crm.adjust(credits_per_day=12)
    assert "x-api-credits-remaining" not in listed(api).headers
    assert create(api, *[ADA] * 100).headers["x-api-credits-remaining"] == "1"  # one for each ten records
    listed(api)
    spent = listed(api)
    assert (spent.status, spent.headers["x-api-credits-remaining"]) == (429, "0")
    crm.adjust(rate_limit_code="TOO_MANY_REQUESTS")
    assert listed(api).json["code"] == "TOO_MANY_REQUESTS"


# Contacts: all of them, what changed, what was deleted.

CONTACTS = "/crm/v8/Contacts"
SOME = {"fields": "Last_Name,Email,Owner,Account_Name,Favourite_Colour,Created_Time,Modified_Time"}


def walked(api: Caller, headers: dict[str, str] | None = None, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    token: dict[str, Any] = {}
    while True:
        reply = api.get(CONTACTS, query=SOME | query | token, headers=headers)
        assert reply.status == 200, reply.text
        rows += reply.json["data"]
        if not reply.json["info"]["more_records"]:
            return rows
        token = {"page_token": reply.json["info"]["next_page_token"]}


def change(api: Caller, noun: str, number: str, **fields: Any) -> Reply:
    return api.patch(f"/_sandbox/records/{noun}/{number}", fields)


def vanish(api: Caller, noun: str, number: str) -> Reply:
    return api.delete(f"/_sandbox/records/{noun}/{number}")


def test_thousands_of_contacts_are_listed_by_token_once_each(api: Caller) -> None:
    planted = [{"Last_Name": str(number), "Created_Time": "2024-01-02T03:04:05+00:00"} for number in range(5000)]
    ids = api.post("/_sandbox/records/contacts", planted).json["ids"]
    rows = walked(api, sort_by="Modified_Time", sort_order="asc")
    assert [row["id"] for row in rows] == ids
    assert {(row["Created_Time"], row["Modified_Time"]) for row in rows} == {("2024-01-02T08:34:05+05:30",) * 2}
    assert api.get(CONTACTS, query=SOME | {"page": 10, "per_page": 200}).status == 200
    refused = api.get(CONTACTS, query=SOME | {"page": 11, "per_page": 200})
    assert (refused.status, refused.json["code"]) == (400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED")
    assert api.get(CONTACTS, query=SOME | {"per_page": 201}).status == 400


def test_coql_walks_all_contacts_by_an_anchor_that_moves(api: Caller) -> None:
    planted = [{"Last_Name": str(number), "Created_Time": "2024-01-02T03:04:05+00:00"} for number in range(450)]
    ids = api.post("/_sandbox/records/contacts", planted).json["ids"]
    found: list[str] = []
    further = "Modified_Time >= '2024-01-02T03:04:05+00:00'"
    while True:
        page = coql(api, f"select id from Contacts where {further} order by Modified_Time asc, id asc limit 200").json
        found += [row["id"] for row in page["data"]]
        if not page["info"]["more_records"]:
            break
        at = "'2024-01-02T03:04:05+00:00'"
        further = f"(Modified_Time = {at} and id > '{found[-1]}') or Modified_Time > {at}"
    assert found == ids


def test_a_colleagues_change_moves_the_time_of_change(crm: Caller, api: Caller) -> None:
    old = {"Created_Time": "2024-01-02T03:04:05+00:00"}
    first, second = (crm.plant("contacts", old | {"Last_Name": name}) for name in ("Lovelace", "Byron"))
    third = crm.plant("contacts", old | {"Last_Name": "King", "Modified_Time": "2024-01-02T03:04:06Z"})
    since = {"If-Modified-Since": "2024-01-02T03:04:05+00:00"}
    assert [row["id"] for row in walked(api, since)] == [third]  # not what changed in that very second
    assert change(api, "contacts", first, Last_Name="King", Favourite_Colour="teal").status == 200
    rows = walked(api, since, sort_by="Modified_Time", sort_order="asc")
    assert [row["id"] for row in rows] == [third, first]
    assert (rows[1]["Last_Name"], rows[1]["Favourite_Colour"]) == ("King", "teal")
    assert rows[1]["Created_Time"] == "2024-01-02T08:34:05+05:30" < rows[1]["Modified_Time"]
    assert api.get(f"{CONTACTS}/{first}").json["data"][0]["Full_Name"] == "King"
    query = "select id from Contacts where Modified_Time > '2024-01-02T03:04:06+00:00'"
    assert coql(api, query).json["data"] == [{"id": first}]
    locked = crm.plant("contacts", {"Last_Name": "Locked", "Locked__s": True})
    assert change(api, "contacts", locked, Last_Name="Still locked").status == 200
    for number, fields in ((NOWHERE, {}), (second, {"Colour": "red"})):
        assert change(api, "contacts", number, **fields).status == 400


def test_a_contact_that_a_colleague_deletes_lies_in_the_bin(crm: Caller, api: Caller) -> None:
    kept, lost = (crm.plant("contacts", {"First_Name": "Ada", "Last_Name": name}) for name in ("King", "Byron"))
    before = {"If-Modified-Since": "2024-01-02T03:04:05+00:00"}
    assert api.get(f"{CONTACTS}/deleted").status == 204
    assert api.get(f"{CONTACTS}/deleted", headers=before).status == 304
    assert vanish(api, "contacts", lost).status == 200
    assert [row["id"] for row in walked(api)] == [kept]
    assert api.get(f"{CONTACTS}/{lost}").status == 204
    reply = api.get(f"{CONTACTS}/deleted", headers=before, query={"type": "all", "per_page": 200})
    [entry] = reply.json["data"]
    assert (entry["id"], entry["display_name"], entry["type"]) == (lost, "Ada Byron", "recycle")
    assert reply.json["info"] == {"per_page": 200, "count": 1, "page": 1, "more_records": False}
    assert api.get(f"{CONTACTS}/deleted", headers={"If-Modified-Since": entry["deleted_time"]}).status == 304
    assert coql(api, "select id from Contacts where id > 1").json["data"] == [{"id": kept}]
    assert (vanish(api, "contacts", lost).status, vanish(api, "pipelines", "1").status) == (400, 400)


def test_the_deleted_are_listed_in_pages(crm: Caller, api: Caller) -> None:
    ids = [crm.plant("contacts", {"Last_Name": str(number)}) for number in range(3)]
    for number in ids:
        vanish(api, "contacts", number)
    replies = [api.get(f"{CONTACTS}/deleted", query={"per_page": 2, "page": page}) for page in (1, 2, 3)]
    assert [reply.json["info"]["more_records"] for reply in replies[:2]] == [True, False]
    assert {row["id"] for reply in replies[:2] for row in reply.json["data"]} == set(ids)
    assert replies[2].status == 204
    assert api.get(f"{CONTACTS}/deleted", query={"per_page": 201}).status == 400


def test_every_object_is_changed_and_deleted_by_colleagues(api: Caller, story: dict[str, str]) -> None:
    fields = {"companies": "Account_Name", "contacts": "Last_Name", "deals": "Deal_Name", "leads": "Last_Name"}
    for noun, name in fields.items():
        assert change(api, noun, story[noun], **{name: "Other"}).status == 200
        assert api.get(f"{READ[noun]}/{story[noun]}").json["data"][0][name] == "Other"
    [contact] = walked(api)
    assert contact["Account_Name"] == {"name": "Other", "id": story["companies"]}
    moment = contact["Modified_Time"]
    assert change(api, "users", story["users"], last_name="King", status="disabled").status == 200
    [contact] = walked(api)
    assert (contact["Owner"]["name"], contact["Modified_Time"]) == ("Charles King", moment)
    assert vanish(api, "users", story["users"]).status == 200
    assert api.get(f"/crm/v8/users/{story['users']}").json["users"][0]["status"] == "deleted"
    for noun in fields:
        assert vanish(api, noun, story[noun]).status == 200
        assert [row["id"] for row in api.get(f"{READ[noun]}/deleted").json["data"]] == [story[noun]]


def test_custom_fields_of_contacts_are_told_by_the_settings(api: Caller) -> None:
    fields = api.get(FIELDS, query={"module": "Contacts"}).json["fields"]
    assert [row["api_name"] for row in fields if row["custom_field"]] == ["Favourite_Colour"]
