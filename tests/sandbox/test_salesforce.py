"""Salesforce's peculiarities, and its recorded answers."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.local.samples.salesforce import SAMPLE
from tests.sandbox.caller import Caller, Reply
from tests.sandbox.shape import fits
from tests.sandbox.vendors.salesforce import ids

CRM = "salesforce"
DATA = "/services/data/v66.0"
LEADS = f"{DATA}/sobjects/Lead"

type Recorded = Callable[[str], Any]


def query(api: Caller, soql: str, **options: Any) -> Reply:
    return api.get(f"{DATA}/query", query={"q": soql}, **options)


def ago(**delta: float) -> str:
    return (datetime.now(UTC) - timedelta(**delta)).isoformat(timespec="seconds").replace("+00:00", "Z")


def lead(api: Caller, **fields: Any) -> Reply:
    return api.post(LEADS, {"LastName": "Lovelace", "Company": "Engines"} | fields)


def test_ids_have_the_vendors_checksum() -> None:
    for recorded_id in ("001dM00003kRs59QAC", "005dM00000aYf0qQAC", "003ak00000luKU1AAM", "00Qak00000696HFEAY"):
        assert recorded_id[:15] + ids.checksum(recorded_id[:15]) == recorded_id
        assert ids.normal(recorded_id[:15]) == recorded_id
    assert ids.normal("001dM00003kRs59QAD") is None


def test_a_lead_is_created_read_changed_and_deleted(api: Caller, recorded: Recorded) -> None:
    made = lead(api, FirstName="Ada", City="London", Favourite_Colour__c="red")
    was = recorded("salesforce/account.create.201.json")
    assert (made.status, made.json.keys()) == (201, was["body"].keys())
    assert made.headers["location"] == f"{LEADS}/{made.json['id']}"
    assert set(was["headers"]) <= set(made.headers)
    assert made.json["id"].startswith("00Q")
    assert len(made.json["id"]) == 18
    path = f"{LEADS}/{made.json['id']}"
    row = api.get(path).json
    assert (row["Name"], row["Status"], row["Favourite_Colour__c"]) == ("Ada Lovelace", "Open - Not Contacted", "red")
    assert row["Address"]["city"] == "London"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000", row["CreatedDate"])
    assert api.patch(path, {"city": None, "Rating": "Hot"}).status == 204
    asked = api.get(f"{LEADS}/{made.json['id'][:15]}", query={"fields": "Rating,City,Address,Owner.Name"}).json
    assert asked.keys() == {"attributes", "Rating", "City", "Address", "Owner"}
    assert (asked["Rating"], asked["City"], asked["Address"], asked["Owner"]["Name"]) == (
        "Hot",
        None,
        None,
        "Ada Admin",
    )
    assert api.delete(path).status == 204
    for reply in (api.get(path), api.delete(path), api.patch(path, {})):
        assert (reply.status, reply.json[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"LastName": None}, "REQUIRED_FIELD_MISSING", ["LastName"]),
        ({"LastName": "", "Company": ""}, "REQUIRED_FIELD_MISSING", ["LastName", "Company"]),
        ({"Nonsense": 1}, "INVALID_FIELD", None),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG", ["LastName"]),
        ({"Email": "nobody"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"OwnerId": "somebody"}, "MALFORMED_ID", ["OwnerId"]),
        ({"OwnerId": ids.made("Account", 1)}, "MALFORMED_ID", ["OwnerId"]),
        ({"OwnerId": ids.made("User", 1)}, "INVALID_CROSS_REFERENCE_KEY", ["OwnerId"]),
        ({"Status": "Asleep"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Status"]),
        ({"Name": "Ada"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Name"]),
        ({"Address": {"city": "x"}}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Address"]),
        ({"Id": ids.made("Lead", 1)}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Id"]),
        ({"Phone": 12345}, "JSON_PARSER_ERROR", None),
        ({"NumberOfEmployees": "12"}, "JSON_PARSER_ERROR", None),
        ({"Contract_End__c": "soon"}, "JSON_PARSER_ERROR", None),
    ],
)
def test_a_lead_that_does_not_fit_is_refused(
    api: Caller, fields: dict[str, Any], code: str, named: list[str] | None
) -> None:
    reply = lead(api, **fields)
    assert reply.status == 400
    assert (reply.json[0]["errorCode"], reply.json[0].get("fields")) == (code, named)
    assert api.stored("leads") == []


def test_unrestricted_picklists_take_anything(api: Caller) -> None:
    assert lead(api, LeadSource="Carrier pigeon").status == 201


def test_refusals_look_as_recorded(crm: Caller, api: Caller, recorded: Recorded) -> None:
    account = f"{DATA}/sobjects/Account"
    cases = {
        "error.required-field-missing.400": api.post(account, {}),
        "record.get.not-found.404": api.get(f"{account}/23foo"),
        "describe.not-found.404": api.get(f"{DATA}/sobjects/Unicorn/describe"),
        "error.expired-session.401": crm.authorised(expired=True).get(f"{DATA}/limits"),
        "query.unknown-object.400": query(api, "SELECT Name,BillingCity,IsDeleted FROM Accout"),
        "oauth.refresh.invalid-grant.400": refresh(crm, crm.grant(), refresh_token="x"),
        "collections.create.empty.400": api.post(f"{DATA}/composite/sobjects", {"records": []}),
        "record.write.field-not-writeable.400": lead(api, IsConverted=True),
        "error.restricted-picklist.400": lead(api, Tier__c="Tin"),
    }
    crm.fault("missing_scope")
    cases["record.delete.no-permission.403"] = api.delete(f"{account}/{ids.made('Account', 1)}")
    crm.adjust(daily_requests=0)
    cases["error.request-limit.403"] = api.get(f"{DATA}/limits")
    for name, reply in cases.items():
        was = recorded(f"salesforce/{name}.json")
        assert reply.status == was["status"], name
        if isinstance(was["body"], dict):
            assert reply.json == was["body"], name
            continue
        assert reply.json[0].keys() == was["body"][0].keys(), name
        assert reply.json[0]["errorCode"] == was["body"][0]["errorCode"], name
    for name in ("error.required-field-missing.400", "record.get.not-found.404", "error.request-limit.403"):
        assert cases[name].json[0]["message"] == recorded(f"salesforce/{name}.json")["body"][0]["message"]


def refresh(crm: Caller, grant: dict[str, Any], **changes: str) -> Reply:
    form = {name: grant[name] for name in ("client_id", "client_secret", "refresh_token")} | changes
    return crm.post("/services/oauth2/token", form=form | {"grant_type": "refresh_token"})


def test_a_refresh_gives_the_instance_and_no_lifetime(crm: Caller) -> None:
    body = refresh(crm, crm.grant()).json
    assert body["instance_url"].endswith(".my.salesforce.com")
    assert body["issued_at"].isdigit()
    assert not {"expires_in", "refresh_token"} & body.keys()


def test_the_duplicate_rule_names_the_match_and_can_be_overridden(crm: Caller, api: Caller, recorded: Recorded) -> None:
    crm.adjust(duplicate_rule=True)
    first = lead(api, Email="ada@example.com").json["id"]
    again = lead(api, Email="ADA@example.com")
    was = recorded("salesforce/contact.create.duplicates-detected.400.json")
    assert again.status == was["status"]
    assert shape(again.json) == shape(was["body"])
    [match] = again.json[0]["duplicateResut"]["matchResults"][0]["matchRecords"]
    assert match["record"]["Id"] == first
    body = {"LastName": "L", "Company": "E", "Email": "ada@example.com"}
    override = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert api.post(LEADS, body, headers=override).status == 201


def shape(value: Any) -> Any:
    """The keys of a body, all the way down."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else None


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Email = 'A@example.com'", "a"),
        ("Email != 'a@example.com'", "bc"),
        ("Email = null", "c"),
        ("LastName LIKE 'b%'", "b"),
        ("LastName LIKE '_y'", "c"),
        (r"LastName LIKE '%\%'", "a"),
        ("NumberOfEmployees > 5 AND NumberOfEmployees <= 10", "b"),
        ("LastName IN ('Bob', 'Cy')", "bc"),
        ("LastName NOT IN ('Bob', 'Cy')", "a"),
        ("NOT (LastName = 'Bob' OR Email = null)", "a"),
        ("(LastName = 'Bob' AND Email != null) OR (LastName = 'Cy')", "bc"),
        ("Owner.LastName = 'Seller'", "b"),
        ("CreatedDate >= 2020-01-01T00:00:00Z AND SystemModstamp < 2100-01-01T00:00:00.000+02:00", "abc"),
        ("Contract_End__c < 2027-01-01", "c"),
        ("IsConverted = FALSE", "abc"),
        (r"Company = 'O\'Brien \\ Sons'", "c"),
        ("Name = 'ada 100%'", "a"),
    ],
)
def test_soql_filters(api: Caller, where: str, found: str) -> None:
    seller = next(row["Id"] for row in api.stored("users") if row["LastName"] == "Seller")
    a = api.plant("Lead", {"FirstName": "Ada", "LastName": "100%", "Email": "a@example.com", "NumberOfEmployees": 5})
    b = api.plant("Lead", {"LastName": "Bob", "Email": "b@example.com", "NumberOfEmployees": 10, "OwnerId": seller})
    c = api.plant("Lead", {"LastName": "Cy", "Company": "O'Brien \\ Sons", "Contract_End__c": "2026-12-31"})
    reply = query(api, f"SELECT Id FROM Lead WHERE {where} ORDER BY Id")
    assert reply.status == 200, reply.text
    assert "".join({a: "a", b: "b", c: "c"}[row["Id"]] for row in reply.json["records"]) == found


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE LastName = 'x", "MALFORMED_QUERY"),
        (r"SELECT Id FROM Lead WHERE LastName = 'a\d'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE LastName = 'a' OR Email = 'b' AND City = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead; DROP TABLE Lead", "MALFORMED_QUERY"),
        ("SELECT * FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Nonsense FROM Lead", "INVALID_FIELD"),
        ("SELECT Boss.Name FROM Lead", "INVALID_FIELD"),
        ("SELECT Id, id FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE LastName = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Unicorn", "INVALID_TYPE"),
        ("SELECT Id FROM Lead LIMIT 5 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT FIELDS(ALL) FROM Lead", "MALFORMED_QUERY"),
    ],
)
def test_soql_that_cannot_be_answered_is_refused(api: Caller, soql: str, code: str) -> None:
    reply = query(api, soql)
    assert (reply.status, reply.json[0]["errorCode"]) == (400, code)


def test_soql_sorts_by_several_fields_and_cuts(api: Caller) -> None:
    for last, city in (("B", "X"), ("A", "Y"), ("A", "X"), ("C", None)):
        api.plant("Lead", {"LastName": last, "City": city})
    ordered = query(api, "SELECT LastName, City FROM Lead ORDER BY City DESC NULLS LAST, LastName").json["records"]
    assert [row["LastName"] + (row["City"] or "-") for row in ordered] == ["AY", "AX", "BX", "C-"]
    cut = query(api, "SELECT LastName FROM Lead ORDER BY LastName DESC LIMIT 1 OFFSET 1").json["records"]
    assert [row["LastName"] for row in cut] == ["B"]
    counted = query(api, "SELECT COUNT() FROM Lead").json
    assert counted == {"totalSize": 4, "done": True, "records": []}


def test_queries_look_as_recorded_and_follow_their_next_page(crm: Caller, api: Caller, recorded: Recorded) -> None:
    assert query(api, "SELECT Id FROM Lead").json == recorded("salesforce/query.empty.200.json")["body"]
    planted = [api.plant("Account", {"Name": f"Account {number}"}) for number in range(5)]
    crm.adjust(largest_batch=2)
    page = query(api, "SELECT Id, Name FROM Account ORDER BY Name").json
    was = recorded("salesforce/accounts.query.page1.200.json")["body"]
    assert page.keys() == was.keys()
    assert page["records"][0].keys() == {"attributes", "Id", "Name"}
    assert page["records"][0]["attributes"].keys() == was["records"][0]["attributes"].keys()
    seen = page["records"]
    while not page["done"]:
        page = api.get(page["nextRecordsUrl"]).json
        seen = [*seen, *page["records"]]
    assert [row["Id"] for row in seen] == planted
    assert page.keys() == recorded("salesforce/accounts.query.page2.200.json")["body"].keys()
    assert api.get(f"{DATA}/query/0r8nonsense-2").json[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_caller_may_ask_for_smaller_pages(api: Caller) -> None:
    for number in range(201):
        api.plant("Account", {"Name": str(number)})
    page = query(api, "SELECT Id FROM Account", headers={"Sforce-Query-Options": "batchSize=50"}).json
    assert len(page["records"]) == 200  # never fewer than 200


def test_deleted_rows_are_in_query_all_and_in_deleted(api: Caller, recorded: Recorded) -> None:
    gone, there = lead(api).json["id"], lead(api).json["id"]
    api.delete(f"{LEADS}/{gone}")
    assert [row["Id"] for row in query(api, "SELECT Id FROM Lead").json["records"]] == [there]
    everything = api.get(f"{DATA}/queryAll", query={"q": "SELECT Id FROM Lead WHERE IsDeleted = true"}).json
    assert [row["Id"] for row in everything["records"]] == [gone]
    window = {"start": ago(days=1), "end": "2100-01-01T00:00:00+00:00"}
    deleted = api.get(f"{LEADS}/deleted/", query=window).json
    assert shape(deleted) == shape(recorded("salesforce/records.deleted.200.json")["body"])
    assert deleted["deletedRecords"][0]["id"] == gone
    assert api.get(f"{LEADS}/updated/", query=window).json["ids"] == [there]


def test_collections_fail_record_by_record(api: Caller, recorded: Recorded) -> None:
    records = [
        {"attributes": {"type": "Contact"}, "FirstName": "no last name"},
        {"attributes": {"type": "Contact"}, "LastName": "Lovelace"},
    ]
    path = f"{DATA}/composite/sobjects"
    partial = api.post(path, {"allOrNone": False, "records": records})
    assert (partial.status, [row["success"] for row in partial.json]) == (200, [False, True])
    strict = api.post(path, {"allOrNone": True, "records": records}).json
    assert strict == recorded("salesforce/collections.create.all-or-none.200.json")["body"]
    assert len(api.stored("contacts")) == 1
    unknown = {"attributes": {"type": "Contact"}, "id": ids.made("Contact", 7), "LastName": "x"}
    failed = api.send("PATCH", path, {"records": [unknown]}).json
    assert failed == recorded("salesforce/collections.update.per-record-error.200.json")["body"]
    deleted = api.delete(path, query={"ids": api.stored("contacts")[0]["Id"]}).json
    assert deleted[0]["success"] is True


def test_an_upsert_by_email_creates_updates_or_asks_which(api: Caller, recorded: Recorded) -> None:
    path = f"{DATA}/sobjects/Contact/Email/ada@example.com"
    made = api.patch(path, {"LastName": "Lovelace"})
    assert (made.status, made.json.keys()) == (
        201,
        recorded("salesforce/contact.upsert-by-email.201.json")["body"].keys(),
    )
    assert api.patch(path, {"LastName": "King"}).json["created"] is False
    api.plant("Contact", {"LastName": "Other", "Email": "ada@example.com"})
    assert api.patch(path, {"LastName": "Which"}).status == 300


def test_describe_tells_what_can_be_written(api: Caller) -> None:
    fields = {field["name"]: field for field in api.get(f"{LEADS}/describe").json["fields"]}
    assert fields["LastName"]["nillable"] is False
    assert fields["Address"]["createable"] is False
    assert fields["Favourite_Colour__c"]["custom"] is True
    assert [value["value"] for value in fields["Rating"]["picklistValues"]] == ["Hot", "Warm", "Cold"]
    assert fields["OwnerId"]["referenceTo"] == ["User"]


def test_versions_are_listed_retired_or_unknown(crm: Caller, api: Caller) -> None:
    versions = crm.get("/services/data").json
    assert versions[-1]["version"] == "67.0"
    assert api.get("/services/data/v25.0/limits").status == 410
    assert api.get("/services/data/v99.0/limits").status == 404
    assert api.get("/services/data/v31.0/limits").json["DailyApiRequests"].keys() == {"Max", "Remaining"}


def test_form_bodies_and_broken_json_are_refused(api: Caller) -> None:
    assert api.post(LEADS, form={"LastName": "x"}).status == 415
    assert api.post(LEADS, ["x"]).json[0]["errorCode"] == "JSON_PARSER_ERROR"
    assert api.put(LEADS, {}).json[0]["errorCode"] == "METHOD_NOT_ALLOWED"


def test_stages_are_data_that_only_metadata_can_change(api: Caller) -> None:
    soql = "SELECT ApiName, SortOrder, IsClosed, IsWon FROM OpportunityStage ORDER BY SortOrder"
    rows = query(api, soql).json["records"]
    assert (rows[0]["ApiName"], rows[-2]["IsWon"], rows[-1]["IsClosed"]) == ("Prospecting", True, True)
    names = ("Id", "ApiName", "MasterLabel", "SortOrder", "DefaultProbability", "ForecastCategoryName")
    soql = f"SELECT {', '.join(names)}, IsActive FROM OpportunityStage WHERE IsActive = true ORDER BY SortOrder"
    gone = api.plant("stages", {"ApiName": "Old", "MasterLabel": "Old", "SortOrder": 9, "IsActive": False})
    stages = query(api, soql).json["records"]
    assert stages[0].keys() == {"attributes", *names, "IsActive"}
    assert [stage["ApiName"] for stage in stages] == [row["ApiName"] for row in rows]
    assert gone in {row["Id"] for row in query(api, "SELECT Id FROM OpportunityStage").json["records"]}
    fields = {field["name"]: field for field in api.get(f"{DATA}/sobjects/Opportunity/describe").json["fields"]}
    assert [value["value"] for value in fields["StageName"]["picklistValues"]] == [row["ApiName"] for row in rows]


def test_lead_statuses_are_read_as_stages_are(api: Caller) -> None:
    soql = "SELECT ApiName, MasterLabel, IsDefault, IsConverted FROM LeadStatus ORDER BY SortOrder"
    rows = query(api, soql).json["records"]
    made = api.get(f"{LEADS}/{lead(api).json['id']}").json
    assert [row["ApiName"] for row in rows if row["IsDefault"]] == [made["Status"]]
    assert [row["ApiName"] for row in rows if row["IsConverted"]] == ["Closed - Converted"]


@pytest.mark.parametrize("sobject", ["OpportunityStage", "LeadStatus"])
def test_no_data_call_changes_a_stage_or_a_status(api: Caller, sobject: str) -> None:
    before = api.stored(sobject)
    path = f"{DATA}/sobjects/{sobject}"
    one = f"{path}/{before[0]['Id']}"
    assert api.get(one).json["ApiName"] == before[0]["ApiName"]
    for body in ({}, {"ApiName": "x", "MasterLabel": "x"}):
        for reply in (api.post(path, body), api.patch(one, body), api.delete(one)):
            assert (reply.status, reply.json[0]["errorCode"]) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    collection = f"{DATA}/composite/sobjects"
    record = {"attributes": {"type": sobject}}
    for reply in (
        api.post(collection, {"records": [record]}),
        api.patch(collection, {"records": [record | {"id": before[0]["Id"]}]}),
    ):
        assert reply.json[0]["errors"][0]["statusCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    assert api.delete(collection, query={"ids": before[0]["Id"]}).json[0]["success"] is False
    assert api.stored(sobject) == before
    described = api.get(f"{path}/describe").json
    assert (described["queryable"], described["createable"], described["deletable"]) == (True, False, False)
    reply = query(api, f"SELECT Id FROM {sobject} WHERE IsDeleted = false")
    assert (reply.status, reply.json[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_there_are_no_pipelines(api: Caller) -> None:
    assert query(api, "SELECT Id FROM Pipeline").json[0]["errorCode"] == "INVALID_TYPE"
    for reply in (api.get(f"{DATA}/sobjects/Pipeline"), api.post(f"{DATA}/sobjects/Pipeline", {"Name": "x"})):
        assert (reply.status, reply.json[0]["errorCode"]) == (404, "NOT_FOUND")


def test_an_opportunity_stands_in_a_stage_that_is_there(api: Caller) -> None:
    path = f"{DATA}/sobjects/Opportunity"
    deal = {"Name": "D", "CloseDate": "2026-12-31"}
    assert api.post(path, deal).json[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    wrong = api.post(path, deal | {"StageName": "Signed"})
    assert wrong.json[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    made = f"{path}/{api.post(path, deal | {'StageName': 'Prospecting'}).json['id']}"
    assert (api.get(made).json["IsClosed"], api.get(made).json["IsWon"]) == (False, False)
    assert api.patch(made, {"StageName": "Closed Won"}).status == 204
    assert (api.get(made).json["IsClosed"], api.get(made).json["IsWon"]) == (True, True)
    assert api.patch(made, {"IsWon": False}).json[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_hidden_field_can_neither_be_read_nor_written(crm: Caller, api: Caller) -> None:
    made = lead(api, Fax="1").json["id"]
    crm.adjust(hidden_fields={"Lead": ["Fax"]})
    assert "Fax" not in api.get(f"{LEADS}/{made}").json
    assert "Fax" not in {field["name"] for field in api.get(f"{LEADS}/describe").json["fields"]}
    assert "Fax" not in query(api, "SELECT FIELDS(STANDARD) FROM Lead").json["records"][0]
    for reply in (
        api.get(f"{LEADS}/{made}", query={"fields": "Id,Fax"}),
        query(api, "SELECT Id, Fax FROM Lead"),
        query(api, "SELECT Id FROM Lead WHERE fax = '1'"),
        query(api, "SELECT Id FROM Lead ORDER BY Fax"),
    ):
        assert (reply.status, reply.json[0]["errorCode"]) == (400, "INVALID_FIELD")
        assert "No such column" in reply.json[0]["message"]
    for reply in (lead(api, Fax="2"), api.patch(f"{LEADS}/{made}", {"Fax": "2"})):
        assert (reply.status, reply.json[0]["errorCode"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
        assert reply.json[0]["fields"] == ["Fax"]


def test_text_is_stored_without_white_space_at_its_ends(api: Caller) -> None:
    made = lead(api, FirstName=" Ada\n", Title="  ").json["id"]
    row = api.get(f"{LEADS}/{made}").json
    assert (row["FirstName"], row["Title"]) == ("Ada", None)
    assert lead(api, LastName=" ").json[0]["errorCode"] == "REQUIRED_FIELD_MISSING"


def test_a_refresh_that_meets_another_is_refused_like_a_dead_token(crm: Caller) -> None:
    grant = crm.grant()
    crm.adjust(busy_refreshes=1)
    busy = refresh(crm, grant)
    assert (busy.status, busy.json["error"]) == (400, "invalid_grant")
    assert busy.json["error_description"] == "token request is already being processed"
    assert refresh(crm, grant).status == 200


def test_what_is_deleted_is_listed_in_pages_too(crm: Caller, api: Caller) -> None:
    gone = [lead(api).json["id"] for _ in range(3)]
    for each in gone:
        api.delete(f"{LEADS}/{each}")
    crm.adjust(largest_batch=2)
    soql = "SELECT Id FROM Lead WHERE IsDeleted = true ORDER BY Id LIMIT 2000"
    page = api.get(f"{DATA}/queryAll", query={"q": soql}).json
    assert (len(page["records"]), page["done"]) == (2, False)
    rest = api.get(page["nextRecordsUrl"]).json
    assert [row["Id"] for row in page["records"] + rest["records"]] == gone


# Reading one record.

KINDS = {"companies": "Account", "contacts": "Contact", "deals": "Opportunity", "leads": "Lead", "users": "User"}


@pytest.fixture
def told(crm: Caller) -> dict[str, str]:
    """The customer of the story, by our plurals."""
    return dict(SAMPLE.story(lambda noun, **fields: crm.plant(noun, fields)))


@pytest.mark.parametrize(
    ("noun", "fixture"),
    [("companies", "accounts"), ("contacts", "contacts"), ("deals", "opportunities"), ("leads", "leads")],
)
def test_each_object_is_read_by_its_id_with_every_field_as_recorded(
    api: Caller, told: dict[str, str], recorded: Recorded, noun: str, fixture: str
) -> None:
    path = f"{DATA}/sobjects/{KINDS[noun]}/{told[noun]}"
    row = api.get(path).json
    assert row["attributes"] == {"type": KINDS[noun], "url": path}
    assert (row["Id"], row["OwnerId"], row["IsDeleted"]) == (told[noun], told["users"], False)
    assert row["Favourite_Colour__c"] in ("teal", None)
    file = f"salesforce/{fixture}.query{'.page1' if noun == 'companies' else ''}.200.json"
    was = recorded(file)["body"]["records"][0]
    fits(was, row)
    names = [name for name in was if name != "attributes"]
    assert api.get(path, query={"fields": ",".join(names)}).json.keys() == was.keys()
    assert api.get(path, query={"fields": "Id,NoSuch"}).json[0]["errorCode"] == "INVALID_FIELD"


def test_links_are_ids_and_the_names_behind_them_are_asked_for(api: Caller, told: dict[str, str]) -> None:
    deal = api.get(f"{DATA}/sobjects/Opportunity/{told['deals']}").json
    assert (deal["AccountId"], deal["ContactId"], deal["OwnerId"]) == (
        told["companies"],
        told["contacts"],
        told["users"],
    )
    assert (deal["Amount"], deal["CloseDate"], deal["IsClosed"]) == (12500, "2026-12-31", False)
    assert (deal["Probability"], deal["ExpectedRevenue"], deal["ForecastCategory"]) == (20, 2500.0, "Pipeline")
    soql = "SELECT Account.Name, Owner.Name, Owner.Email, (SELECT ContactId, Contact.Name, IsPrimary FROM "
    soql += f"OpportunityContactRoles) FROM Opportunity WHERE Id = '{told['deals']}'"
    [row] = query(api, soql).json["records"]
    assert (row["Account"]["Name"], row["Owner"]["Name"]) == ("Analytical Engines", "Charles Babbage")
    [role] = row["OpportunityContactRoles"]["records"]
    assert (role["ContactId"], role["IsPrimary"], role["Contact"]["Name"]) == (told["contacts"], True, "Ada Lovelace")


def test_children_are_a_result_inside_the_record_or_null(api: Caller, told: dict[str, str]) -> None:
    soql = "SELECT Id, (SELECT Id FROM Contacts), (SELECT Id FROM Opportunities) FROM Account ORDER BY Id"
    lone = api.plant("Account", {"Name": "Nobody's"})
    told_row, lone_row = query(api, soql).json["records"]
    assert told_row["Contacts"]["records"][0]["Id"] == told["contacts"]
    assert (lone_row["Id"], lone_row["Contacts"], lone_row["Opportunities"]) == (lone, None, None)
    reply = query(api, "SELECT Id, (SELECT Id FROM Bosses) FROM Account")
    assert (reply.status, reply.json[0]["errorCode"]) == (400, "INVALID_TYPE")


def test_the_contact_of_an_opportunity_is_that_of_its_primary_role(api: Caller, told: dict[str, str]) -> None:
    path = f"{DATA}/sobjects/Opportunity/{told['deals']}"
    other = api.plant("Contact", {"LastName": "Other"})
    late = api.patch(path, {"ContactId": other})
    assert (late.status, late.json[0]["errorCode"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    role = {"OpportunityId": told["deals"], "ContactId": other, "IsPrimary": True}
    made = api.post(f"{DATA}/sobjects/OpportunityContactRole", role).json["id"]
    assert made.startswith("00K")
    assert api.get(path).json["ContactId"] == other
    primary = "SELECT ContactId FROM OpportunityContactRole WHERE IsPrimary = true"
    assert [row["ContactId"] for row in query(api, primary).json["records"]] == [other]
    api.delete(f"{DATA}/sobjects/OpportunityContactRole/{made}")
    assert api.get(path).json["ContactId"] is None


def test_contacts_are_found_by_their_roles(crm: Caller, api: Caller, told: dict[str, str]) -> None:
    """A semi-join: ids that another query gives, of one column that holds ids."""
    roles = f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{told['deals']}'"
    api.plant("Contact", {"LastName": "Other"})
    [row] = query(api, f"SELECT FIELDS(ALL) FROM Contact WHERE Id IN ({roles}) ORDER BY Id LIMIT 1").json["records"]
    assert (row["Id"], row["Name"], row["AccountId"]) == (told["contacts"], "Ada Lovelace", told["companies"])
    [row] = query(api, f"SELECT Name FROM Contact WHERE Id NOT IN ({roles})").json["records"]
    assert row["Name"] == "Other"
    for wrong in (
        "Id IN (SELECT Role FROM OpportunityContactRole)",
        "Id IN (SELECT Id, ContactId FROM OpportunityContactRole)",
        "LastName IN (SELECT ContactId FROM OpportunityContactRole)",
        "Id IN (SELECT ContactId FROM OpportunityContactRole LIMIT 1)",
    ):
        assert query(api, f"SELECT Id FROM Contact WHERE {wrong}").json[0]["errorCode"] == "MALFORMED_QUERY", wrong
    crm.adjust(forbidden=["OpportunityContactRole"])
    assert query(api, f"SELECT Id FROM Contact WHERE Id IN ({roles})").json[0]["errorCode"] == "INVALID_TYPE"


def test_only_an_org_of_many_currencies_has_the_column(crm: Caller, api: Caller, told: dict[str, str]) -> None:
    path, asked = f"{DATA}/sobjects/Opportunity/{told['deals']}", {"fields": "Amount,CurrencyIsoCode"}
    assert "CurrencyIsoCode" not in api.get(path).json
    for reply in (
        api.get(path, query=asked),
        query(api, "SELECT CurrencyIsoCode FROM Opportunity"),
        api.patch(path, {"CurrencyIsoCode": "EUR"}),
    ):
        assert (reply.status, reply.json[0]["errorCode"]) == (400, "INVALID_FIELD")
    crm.adjust(multi_currency=True)
    assert api.get(path, query=asked).json["CurrencyIsoCode"] == "GBP"


def test_a_user_is_read_and_never_in_the_bin(api: Caller, told: dict[str, str]) -> None:
    user = api.get(f"{DATA}/sobjects/User/{told['users']}").json
    assert (user["Name"], user["Email"], user["IsActive"]) == ("Charles Babbage", "charles@example.com", True)
    assert not {"IsDeleted", "OwnerId"} & user.keys()
    assert query(api, "SELECT Id FROM User WHERE IsDeleted = false").json[0]["errorCode"] == "INVALID_FIELD"
    asked = f"SELECT Name, Username, UserType FROM User WHERE Id = '{told['users']}' AND UserType = 'Standard'"
    assert query(api, asked).json["totalSize"] == 1


@pytest.mark.parametrize("noun", KINDS)
def test_what_is_not_there_or_no_id_is_told_apart(api: Caller, told: dict[str, str], noun: str) -> None:
    base = f"{DATA}/sobjects/{KINDS[noun]}"
    other = told["leads" if noun == "users" else "users"]
    for wanted, status, code in (
        (ids.made(KINDS[noun], 424242), 404, "NOT_FOUND"),
        (other, 404, "NOT_FOUND"),
        ("23foo", 404, "NOT_FOUND"),
        (told[noun][:15] + "000", 400, "MALFORMED_ID"),
    ):
        reply = api.get(f"{base}/{wanted}")
        assert (reply.status, reply.json[0]["errorCode"]) == (status, code), wanted
    assert api.get(f"{base}/{told[noun][:15]}").json["Id"] == told[noun]
    if noun != "users":
        assert api.delete(f"{base}/{told[noun]}").status == 204
        assert api.get(f"{base}/{told[noun]}").json[0]["errorCode"] == "ENTITY_IS_DELETED"
    assert api.get(f"{DATA}/sobjects/{noun}/{told[noun]}").json[0]["errorCode"] == "NOT_FOUND"


@pytest.mark.parametrize("noun", KINDS)
def test_what_is_forbidden_is_refused_and_no_object_to_soql(
    crm: Caller, api: Caller, told: dict[str, str], recorded: Recorded, noun: str
) -> None:
    path = f"{DATA}/sobjects/{KINDS[noun]}/{told[noun]}"
    crm.adjust(forbidden=[noun])
    reply = api.get(path)
    was = recorded("salesforce/record.delete.no-permission.403.json")
    assert (reply.status, reply.json) == (was["status"], was["body"])
    crm.adjust(forbidden_status=404)
    assert (api.get(path).status, api.get(path).json[0]["errorCode"]) == (404, "NOT_FOUND")
    asked = query(api, f"SELECT Id FROM {KINDS[noun]}")
    assert (asked.status, asked.json[0]["errorCode"]) == (400, "INVALID_TYPE")
    other = "contacts" if noun == "leads" else "leads"
    assert api.get(f"{DATA}/sobjects/{KINDS[other]}/{told[other]}").status == 200
    crm.adjust(forbidden=["companies"])
    assert query(api, "SELECT Account.Name FROM Contact").json[0]["errorCode"] == "INVALID_FIELD"


# Lists of contacts, what changed in them, and what is gone.

CONTACTS = f"{DATA}/sobjects/Contact"
START = datetime(2026, 1, 1, tzinfo=UTC)


def stamp(seconds: int) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def edit(crm: Caller, noun: str, record_id: str, **fields: Any) -> None:
    assert crm.patch(f"/_sandbox/records/{noun}/{record_id}", fields).status == 200


def remove(crm: Caller, noun: str, record_id: str) -> None:
    assert crm.delete(f"/_sandbox/records/{noun}/{record_id}").status == 200


def many(crm: Caller, number: int) -> list[str]:
    rows = [{"LastName": f"No. {place}", "CreatedDate": stamp(place // 2)} for place in range(number)]
    return crm.post("/_sandbox/records/contacts", rows, timeout=30).json["ids"]


def found(api: Caller, soql: str, resource: str = "query") -> list[str]:
    page = api.get(f"{DATA}/{resource}", query={"q": soql}, timeout=30).json
    ids = [row["Id"] for row in page["records"]]
    while not page["done"]:
        page = api.get(page["nextRecordsUrl"]).json
        ids += [row["Id"] for row in page["records"]]
    return ids


def test_contacts_come_by_two_thousands_as_recorded(crm: Caller, api: Caller, recorded: Recorded) -> None:
    ids = many(crm, 4500)
    was = recorded("salesforce/contacts.query.200.json")["body"]
    fields = ", ".join(name for name in was["records"][0] if name != "attributes")
    soql = f"SELECT {fields} FROM Contact ORDER BY SystemModstamp, Id"
    page = query(api, soql, timeout=30).json
    assert (page["totalSize"], len(page["records"]), page["done"]) == (4500, 2000, False)
    assert page["nextRecordsUrl"].endswith("-2000")
    assert page["records"][0].keys() == was["records"][0].keys()
    assert found(api, soql) == ids
    few = query(api, f"SELECT Id FROM Contact WHERE Id > '{ids[4000]}' ORDER BY Id LIMIT 3").json
    assert (few["totalSize"], [row["Id"] for row in few["records"]]) == (3, ids[4001:4004])
    assert found(api, "SELECT Id FROM Contact ORDER BY Id LIMIT 2 OFFSET 2000") == ids[2000:2002]
    too_far = query(api, "SELECT Id FROM Contact LIMIT 2 OFFSET 2001")
    assert (too_far.status, too_far.json[0]["errorCode"]) == (400, "NUMBER_OUTSIDE_VALID_RANGE")


def test_the_pages_of_a_query_are_of_its_moment_and_expire(crm: Caller, api: Caller) -> None:
    ids = many(crm, 3)
    crm.adjust(largest_batch=2)
    page = query(api, "SELECT Id, LastName FROM Contact ORDER BY Id").json
    remove(crm, "contacts", ids[2])
    later = api.get(page["nextRecordsUrl"]).json
    assert [row["Id"] for row in later["records"]] == ids[2:]
    crm.adjust(cursor_lifetime=0)
    expired = api.get(page["nextRecordsUrl"])
    assert (expired.status, expired.json[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize(
    ("condition", "places"),
    [
        (f"SystemModstamp >= {stamp(1)}", [2, 3, 4]),
        (f"SystemModstamp > {stamp(1)}", [4]),
        ("SystemModstamp >= 2026-01-01T01:00:02+01:00", [4]),
        ("SystemModstamp >= 2026-01-01T00:00:01.500Z", [4]),
        (f"SystemModstamp >= {stamp(0)} AND SystemModstamp < {stamp(1)}", [0, 1]),
    ],
)
def test_what_changed_is_found_from_a_second_on(crm: Caller, api: Caller, condition: str, places: list[int]) -> None:
    ids = many(crm, 5)
    assert found(api, f"SELECT Id FROM Contact WHERE {condition} ORDER BY SystemModstamp, Id") == [
        ids[place] for place in places
    ]


def test_a_moment_may_be_split_by_id(crm: Caller, api: Caller) -> None:
    ids = many(crm, 5)
    behind = f"SystemModstamp > {stamp(0)} OR (SystemModstamp = {stamp(0)} AND Id > '{ids[0]}')"
    assert found(api, f"SELECT Id FROM Contact WHERE {behind} ORDER BY SystemModstamp, Id LIMIT 3") == ids[1:4]


def test_a_moment_is_written_without_quotes_and_with_a_zone(api: Caller) -> None:
    for literal, code in (
        ("'2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("2026-01-01", "INVALID_FIELD"),
        ("2026-01-01T00:00:00", "MALFORMED_QUERY"),
        ("2026-01-01T00:00:00 01:00", "MALFORMED_QUERY"),  # a plus that the URL made a blank
    ):
        reply = query(api, f"SELECT Id FROM Contact WHERE SystemModstamp >= {literal}")
        assert (reply.status, reply.json[0]["errorCode"]) == (400, code), literal


def test_a_contact_that_a_colleague_changes_moves_to_the_end(crm: Caller, api: Caller) -> None:
    first, second = many(crm, 2)
    was = api.get(f"{CONTACTS}/{first}").json
    assert was["CreatedDate"] == was["LastModifiedDate"] == was["SystemModstamp"] == "2026-01-01T00:00:00.000+0000"
    edit(crm, "contacts", first, lastname="Lovelace", Favourite_Colour__c="red", Title=None)
    row = api.get(f"{CONTACTS}/{first}").json
    assert (row["Name"], row["Favourite_Colour__c"], row["CreatedDate"]) == ("Lovelace", "red", was["CreatedDate"])
    assert row["SystemModstamp"] == row["LastModifiedDate"] > was["SystemModstamp"]
    assert row["SystemModstamp"].endswith(".000+0000")
    assert found(api, "SELECT Id FROM Contact ORDER BY SystemModstamp, Id") == [second, first]
    updated = api.get(f"{CONTACTS}/updated", query={"start": ago(days=29), "end": ago(minutes=-2)}).json
    assert updated["ids"] == [first]


def test_a_planted_moment_of_change_is_kept(api: Caller) -> None:
    dates = {"CreatedDate": stamp(0), "LastModifiedDate": stamp(1), "SystemModstamp": stamp(2)}
    for given, expected in (((0, 1, 2), (0, 1, 2)), ((0, 1), (0, 1, 1)), ((0,), (0, 0, 0)), ((2,), (2, 2, 2))):
        names = list(dates)
        planted = api.plant("contacts", {"LastName": "L"} | {names[place]: dates[names[place]] for place in given})
        row = api.get(f"{CONTACTS}/{planted}").json
        assert [row[name] for name in names] == [stamp(second)[:-1] + ".000+0000" for second in expected]


def test_what_a_colleague_deletes_is_in_the_bin_for_a_while(crm: Caller, api: Caller, recorded: Recorded) -> None:
    gone, there = many(crm, 2)
    remove(crm, "contacts", gone)
    reply = api.get(f"{CONTACTS}/{gone}")
    assert (reply.status, reply.json[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    everything = "SELECT Id FROM Contact ORDER BY Id"
    assert found(api, everything) == [there]
    assert found(api, everything, "queryAll") == [gone, there]
    assert found(api, "SELECT Id FROM Contact WHERE IsDeleted = true") == []
    since = f"SELECT Id FROM Contact WHERE IsDeleted = true AND SystemModstamp >= {ago(minutes=5)}"
    assert found(api, since, "queryAll") == [gone]
    window = {"start": ago(days=14), "end": ago(minutes=-2)}
    deleted = api.get(f"{CONTACTS}/deleted", query=window).json
    fits(recorded("salesforce/records.deleted.200.json")["body"], deleted)
    assert [row["id"] for row in deleted["deletedRecords"]] == [gone]
    crm.adjust(bin_days=0)
    assert found(api, everything, "queryAll") == [there]
    assert api.get(f"{CONTACTS}/deleted", query=window).json["deletedRecords"] == deleted["deletedRecords"]


@pytest.mark.parametrize(
    ("resource", "window"),
    [
        ("deleted", {"start": ago(days=16), "end": ago(days=1)}),
        ("updated", {"start": ago(days=31), "end": ago(days=1)}),
        ("deleted", {"start": ago(days=1), "end": ago(days=2)}),
        ("deleted", {"start": ago(days=1)[:17] + "10Z", "end": ago(days=1)[:17] + "50Z"}),
        ("deleted", {"start": "yesterday", "end": ago(days=1)}),
        ("updated", {"start": ago(days=1)}),
    ],
)
def test_a_window_of_changes_is_short_and_recent(api: Caller, resource: str, window: dict[str, str]) -> None:
    reply = api.get(f"{CONTACTS}/{resource}", query=window)
    assert (reply.status, reply.json[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")


def test_the_minute_of_the_end_may_not_be_covered(crm: Caller, api: Caller) -> None:
    [gone] = many(crm, 1)
    remove(crm, "contacts", gone)
    at = datetime.fromisoformat(crm.stored("contacts")[0]["SystemModstamp"])
    window = {"start": ago(days=1), "end": at.replace(second=59).isoformat()}
    assert api.get(f"{CONTACTS}/deleted", query=window).json["deletedRecords"] == []
    crm.adjust(end_minute_included=True)
    assert [row["id"] for row in api.get(f"{CONTACTS}/deleted", query=window).json["deletedRecords"]] == [gone]


def test_contacts_describe_their_custom_field(crm: Caller, api: Caller) -> None:
    fields = {field["name"]: field for field in api.get(f"{CONTACTS}/describe").json["fields"]}
    assert [name for name, field in fields.items() if field["custom"]] == ["Favourite_Colour__c"]
    api.plant("contacts", {"LastName": "L", "Favourite_Colour__c": "teal"})
    [row] = query(api, "SELECT FIELDS(CUSTOM), Id FROM Contact LIMIT 200").json["records"]
    assert row["Favourite_Colour__c"] == "teal"
    crm.adjust(hidden_fields={"Contact": ["Favourite_Colour__c"]})
    assert query(api, "SELECT Favourite_Colour__c FROM Contact").json[0]["errorCode"] == "INVALID_FIELD"


def test_nobody_changes_or_deletes_what_is_not_there(crm: Caller, api: Caller) -> None:
    [gone] = many(crm, 1)
    remove(crm, "contacts", gone)
    for noun, record_id in (("contacts", gone), ("contacts", "1"), ("unicorns", "1"), ("users", "1")):
        assert crm.patch(f"/_sandbox/records/{noun}/{record_id}", {}).status == 400
        assert crm.delete(f"/_sandbox/records/{noun}/{record_id}").status == 400


@pytest.mark.parametrize("noun", ["companies", "deals", "leads"])
def test_other_objects_are_changed_and_deleted_by_colleagues_too(
    crm: Caller, api: Caller, told: dict[str, str], noun: str
) -> None:
    path = f"{DATA}/sobjects/{KINDS[noun]}/{told[noun]}"
    edit(crm, noun, told[noun], Favourite_Colour__c="red")
    assert api.get(path).json["Favourite_Colour__c"] == "red"
    remove(crm, noun, told[noun])
    assert api.get(path).status == 404


def test_a_user_who_leaves_is_switched_off(crm: Caller, api: Caller, told: dict[str, str]) -> None:
    edit(crm, "users", told["users"], LastName="Byron")
    remove(crm, "users", told["users"])
    row = api.get(f"{DATA}/sobjects/User/{told['users']}").json
    assert (row["LastName"], row["IsActive"]) == ("Byron", False)
    assert told["users"] in found(api, "SELECT Id FROM User WHERE IsActive = false AND UserType = 'Standard'")


def test_lists_count_against_the_daily_allocation(crm: Caller, api: Caller) -> None:
    crm.adjust(daily_requests=2)
    assert query(api, "SELECT Id FROM Contact").headers["sforce-limit-info"] == "api-usage=1/2"
    assert api.get(f"{CONTACTS}/describe").status == 200
    spent = query(api, "SELECT Id FROM Contact")
    assert (spent.status, spent.json[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
