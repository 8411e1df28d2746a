"""Brevo's peculiarities, and its recorded answers."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox import spec
from tests.sandbox.caller import Caller, Reply
from tests.sandbox.vendors.brevo.contacts import IDENTIFIERS, QUERY, WRITABLE

CRM = "brevo"
ADA = "ada+post@example.com"

type Recorded = Callable[[str], Any]


def contact(api: Caller, email: str = ADA, **members: Any) -> Reply:
    return api.post("/v3/contacts", {"email": email} | members)


def read(api: Caller, identifier: object = ADA, **query: Any) -> Reply:
    return api.get(f"/v3/contacts/{quote(str(identifier), safe='')}", query=query)


def listed(api: Caller, **query: Any) -> list[int]:
    reply = api.get("/v3/contacts", query=query)
    assert reply.status == 200, reply.text
    return [row["id"] for row in reply.json["contacts"]]


@pytest.fixture
def inventory() -> dict[str, Any]:
    found = spec.document(CRM, "brevo-crm-from-sdk-5.1.0.json")
    if found is None:
        pytest.skip(f"no inventory of the SDK at {spec.FOLDER}")
    return found


def test_a_contact_is_created_with_201_and_nothing_but_an_id(api: Caller, recorded: Recorded) -> None:
    made = contact(api, attributes={"FIRSTNAME": "Ada", "LASTNAME": "Lovelace"})
    was = recorded("brevo/contact_create.json")
    assert (made.status, made.json.keys()) == (201, was["body"].keys())  # the recorded 200 is a proxy's
    assert was["headers"].keys() <= made.headers.keys()
    got, was = read(api), recorded("brevo/contact_get_after_update.json")
    assert got.json.keys() == was["body"].keys()
    assert got.json["id"] == made.json["id"]
    assert got.json["attributes"] == {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace"}
    assert datetime.fromisoformat(got.json["createdAt"]).utcoffset() == timedelta(hours=2)


def test_bodies_and_queries_have_the_names_of_the_vendors_sdk(inventory: dict[str, Any]) -> None:
    operations = {row["name"]: row for row in inventory["operations"]}
    assert set(WRITABLE["create"]) == operations["create_contact"]["body"].keys()
    assert set(WRITABLE["update"]) == operations["update_contact"]["body"].keys()
    assert set(QUERY) == operations["get_contacts"]["query"].keys()
    for name in IDENTIFIERS:
        assert f'"{name}"' in inventory["models"]["UpdateContactRequestIdentifierType"]


def test_attributes_that_do_not_exist_or_do_not_fit_vanish_with_a_2xx(api: Caller) -> None:
    fitting = {"SCORE": 7.5, "IS_PARTNER": True, "CONTRACT_END": "2026-12-31", "CHANNELS": ["Web"], "TIER": 2}
    misfits: list[dict[str, Any]] = [
        {"COLOUR": "red", "firstname": "Ada", "EMAIL": "x@example.com"},
        {"FIRSTNAME": 5, "SCORE": "7", "IS_PARTNER": "yes", "CONTRACT_END": "31.12.2026"},
        {"CHANNELS": "Web", "TIER": 9, "FIRSTNAME": None, "BLACKLIST": "1", "ORDER_DATE": "2026-12-31"},
        {"CHANNELS": ["Pigeon"], "TIER": "Gold", "CONTRACT_END": "2026-02-30"},
    ]
    for attributes in misfits:
        assert contact(api, f"{len(api.stored('contacts'))}@example.com", attributes=attributes).status == 201
    assert [row["attributes"] for row in api.stored("contacts")] == [{}] * len(misfits)
    contact(api, attributes=fitting)
    assert read(api).json["attributes"] == fitting
    assert api.put(f"/v3/contacts/{quote(ADA)}", {"attributes": {"SCORE": "much", "TIER": 3}}).status == 204
    assert read(api).json["attributes"] == fitting | {"TIER": 3}


def test_attributes_are_listed_and_names_differ_between_accounts(crm: Caller, api: Caller) -> None:
    rows = {row["name"]: row for row in api.get("/v3/contacts/attributes").json["attributes"]}
    assert rows["FIRSTNAME"] == {"name": "FIRSTNAME", "category": "normal", "type": "text"}
    assert [option["label"] for option in rows["TIER"]["enumeration"]] == ["Gold", "Silver", "Bronze"]
    crm.adjust(name_attributes=["PRENOM", "NOM"])
    api.plant("attributes", {"name": "SHOE_SIZE", "type": "float"})
    contact(api, attributes={"FIRSTNAME": "Ada", "PRENOM": "Ada", "SHOE_SIZE": 38})
    assert read(api).json["attributes"] == {"PRENOM": "Ada", "SHOE_SIZE": 38}
    assert "FIRSTNAME" not in {row["name"] for row in api.get("/v3/contacts/attributes").json["attributes"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_parameter"),
        ({"attributes": {"FIRSTNAME": "Ada"}}, "missing_parameter"),
        ({"attributes": {"LANDLINE_NUMBER": "+4930123456"}}, "missing_parameter"),
        ({"email": "ada"}, "invalid_parameter"),
        ({"email": 5}, "invalid_parameter"),
        ({"email": ADA, "attributes": []}, "invalid_parameter"),
        ({"email": ADA, "attributes": {"SMS": "12"}}, "invalid_parameter"),
        ({"email": ADA, "listIds": [99]}, "invalid_parameter"),
        ({"email": ADA, "listIds": "2"}, "invalid_parameter"),
        ({"email": ADA, "updateEnabled": "true"}, "invalid_parameter"),
        ({"email": ADA, "firstName": "Ada"}, "invalid_parameter"),
    ],
)
def test_a_contact_that_does_not_fit_is_400(api: Caller, body: dict[str, Any], code: str) -> None:
    reply = api.post("/v3/contacts", body)
    assert (reply.status, reply.json["code"], reply.json.keys()) == (400, code, {"code", "message"})
    assert api.stored("contacts") == []


def test_an_email_is_taken_once_whatever_its_case(api: Caller, recorded: Recorded) -> None:
    contact(api)
    again, was = contact(api, ADA.upper()), recorded("brevo/error_contact_duplicate_400.json")
    assert (again.status, again.json) == (was["status"], was["body"])
    assert api.post("/v3/contacts", {"attributes": {"SMS": "+49 170 1234567"}}).status == 400
    api.post("/v3/contacts", {"attributes": {"SMS": "+491701234567"}, "ext_id": "x-1"})
    for body, identifier in (({"attributes": {"SMS": "00491701234567"}}, "SMS"), ({"ext_id": "x-1"}, "ext_id")):
        reply = api.post("/v3/contacts", body)
        assert (reply.status, reply.json["metadata"]) == (400, {"duplicate_identifiers": [identifier]})
    assert len(api.stored("contacts")) == 2


def test_an_email_that_a_fault_calls_taken_belongs_to_a_contact_from_then_on(api: Caller, recorded: Recorded) -> None:
    was = recorded("brevo/error_contact_duplicate_400.json")
    api.fault("duplicate", method="POST", route="contacts", times=2)
    for email in (ADA, ADA.upper(), ADA):  # the last one without a fault
        refused = contact(api, email, attributes={"FIRSTNAME": "Ada"})
        assert (refused.status, refused.json) == (was["status"], was["body"])
    assert [row["id"] for row in api.stored("contacts")] == [read(api).json["id"]]
    api.fault("duplicate", method="POST", route="contacts", times=2)
    assert contact(api, "ada").json["code"] == "invalid_parameter"
    assert api.post("/v3/contacts", {"attributes": {"SMS": "+491701234567"}}).status == 201


def test_a_create_may_update_and_may_merge_where_it_is_told_to(api: Caller) -> None:
    first = contact(api, attributes={"FIRSTNAME": "Ada"}).json["id"]
    updated = contact(api, attributes={"LASTNAME": "Lovelace"}, updateEnabled=True)
    assert (updated.status, updated.text) == (204, "")
    assert contact(api, updateEnabled=True, getId=True).json == {"id": first}
    assert read(api).json["attributes"] == {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace"}
    api.post("/v3/contacts", {"attributes": {"SMS": "+491701234567", "JOB_TITLE": "Countess"}})
    both: dict[str, Any] = {"attributes": {"SMS": "+491701234567"}, "updateEnabled": True}
    assert contact(api, **both).json["metadata"] == {"duplicate_identifiers": ["email", "SMS"]}
    assert contact(api, **both, forceMerge=True).status == 204
    [merged] = api.stored("contacts")
    assert (merged["id"], merged["attributes"]["JOB_TITLE"]) == (first, "Countess")


def test_a_contact_is_found_by_any_of_its_identifiers(api: Caller, recorded: Recorded) -> None:
    numbers = {"SMS": "+491701234567", "WHATSAPP": "+491701234568", "LANDLINE_NUMBER": "+4930123456"}
    made = contact(api, ext_id="x-1", attributes=numbers).json["id"]
    for identifier, kind in (
        (ADA, None),
        (made, None),
        (ADA, "email_id"),
        (made, "contact_id"),
        ("x-1", "ext_id"),
        ("+491701234567", "phone_id"),
        ("491701234568", "whatsapp_id"),
        ("+4930123456", "landline_number_id"),
    ):
        found = read(api, identifier, **({"identifierType": kind} if kind else {}))
        assert (found.status, found.json.get("id")) == (200, made), kind
    for identifier, kind in (("x-1", None), ("x-1", "contact_id"), (made, "name")):
        assert read(api, identifier, **({"identifierType": kind} if kind else {})).status == 400
    missing, was = read(api, "nobody@example.com"), recorded("brevo/error_contact_not_found_404.json")
    assert (missing.status, missing.json) == (was["status"], was["body"])
    assert read(api, 99).status == 404


def test_an_update_is_204_and_changes_the_email_by_an_attribute(api: Caller, recorded: Recorded) -> None:
    made = contact(api, attributes={"FIRSTNAME": "Ada"}, listIds=[2]).json["id"]
    path = f"/v3/contacts/{made}"
    asked = {"attributes": {"EMAIL": "countess@example.com", "FIRSTNAME": ""}, "unlinkListIds": [2]}
    changed = api.put(path, asked | {"emailBlacklisted": True})
    was = recorded("brevo/contact_update.json")
    assert (changed.status, changed.text) == (was["status"], was["body"])
    got = read(api, "countess@example.com").json
    assert (got["id"], got["attributes"], got["listIds"], got["emailBlacklisted"]) == (made, {}, [], True)
    assert api.put(path, {"email": "ada@example.com"}).status == 400
    assert api.put(path, {"attributes": {"EMAIL": "ada"}}).status == 400
    assert api.put("/v3/contacts/99", {}).status == 404
    assert api.patch(path, {}).status == 405


def test_an_update_to_anothers_identifier_has_a_code_of_its_own(crm: Caller, api: Caller, recorded: Recorded) -> None:
    contact(api)
    other = contact(api, "bob@example.com").json["id"]
    asked = {"attributes": {"EMAIL": ADA}}
    refused, was = api.put(f"/v3/contacts/{other}", asked), recorded("brevo/error_contact_update_conflict_new_400.json")
    assert (refused.status, refused.json) == (was["status"], was["body"])
    crm.adjust(update_conflict_code="duplicate_parameter")
    assert api.put(f"/v3/contacts/{other}", asked).json["code"] == "duplicate_parameter"
    assert api.put(f"/v3/contacts/{other}", asked | {"forceMerge": True}).status == 204
    assert [row["id"] for row in api.stored("contacts")] == [other]


def test_deleting_is_204_and_then_404(api: Caller) -> None:
    made = contact(api).json["id"]
    assert [api.delete(f"/v3/contacts/{made}").status for _ in range(2)] == [204, 404]
    assert api.stored("contacts") == []


def test_a_contact_that_is_just_being_written_is_425(crm: Caller, api: Caller) -> None:
    made = contact(api).json["id"]
    crm.adjust(contacts_in_process=True)
    path = f"/v3/contacts/{made}"
    for reply in (contact(api, "bob@example.com"), api.put(path, {}), api.delete(path)):
        assert (reply.status, reply.json["code"]) == (425, "account_in_process")
    assert api.get(path).status == 200


def test_contacts_are_paged_by_offset_the_newest_first(api: Caller, recorded: Recorded) -> None:
    made = [contact(api, f"{number}@example.com").json["id"] for number in range(5)]
    page, was = api.get("/v3/contacts?limit=2"), recorded("brevo/contacts_list.json")
    assert page.json.keys() == was["body"].keys()
    assert page.json["contacts"][0].keys() == was["body"]["contacts"][0].keys()
    assert page.json["count"] == 5
    assert listed(api, limit=2, offset=0) + listed(api, limit=2, offset=2) + listed(api, offset=4) == made[::-1]
    assert listed(api, sort="asc") == made
    assert listed(api, ids=f"{made[1]},{made[3]}", sort="asc") == [made[1], made[3]]
    for query, code in (
        ("limit=1001", "out_of_range"),
        ("limit=0", "out_of_range"),
        ("limit=many", "invalid_parameter"),
        ("sort=up", "invalid_parameter"),
        ("page=2", "invalid_parameter"),
        ("ids=x", "invalid_parameter"),
        ("segmentId=1", "invalid_parameter"),
        (f"ids={','.join(map(str, range(1, 22)))}", "out_of_range"),
    ):
        reply = api.get(f"/v3/contacts?{query}")
        assert (reply.status, reply.json["code"]) == (400, code), query


def test_contacts_are_found_by_change_and_by_an_attribute(api: Caller) -> None:
    first = contact(api, "1@example.com", attributes={"FIRSTNAME": "Ada", "TIER": 1}, listIds=[2]).json["id"]
    time.sleep(0.01)
    between = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    time.sleep(0.01)
    second = contact(api, "2@example.com", attributes={"FIRSTNAME": "Ada Maria"}).json["id"]
    assert listed(api, modifiedSince=between) == [second]
    api.put(f"/v3/contacts/{first}", {"attributes": {"LASTNAME": "Lovelace"}})
    assert listed(api, modifiedSince=between, sort="asc") == [first, second]
    assert listed(api, createdSince=between) == [second]
    assert listed(api, filter='equals(FIRSTNAME,"Ada")') == [first]
    assert listed(api, filter='equals(TIER,"1")') == [first]
    assert listed(api, listIds=2) == [first]
    for query in (
        "modifiedSince=yesterday",
        "modifiedSince=2026-01-01",
        "modifiedSince=2026-01-01T00:00:00+02:00",  # the plus is a blank, as it was not encoded
        'filter=equals(COLOUR,"red")',
        'filter=contains(FIRSTNAME,"Ada")',
        "filter=FIRSTNAME",
    ):
        assert api.get(f"/v3/contacts?{quote(query, safe='=+')}").status == 400, query


def test_pipelines_are_read_as_arrays_and_written_by_no_call(api: Caller) -> None:
    path = "/v3/crm/pipeline/details"
    [pipeline] = api.get(f"{path}/all").json
    assert pipeline.keys() == {"pipeline", "pipeline_name", "stages"}
    assert {stage["name"]: stage["winProbability"] for stage in pipeline["stages"]}["Lost"] == 0
    assert [(len(stage["id"]), stage["winProbability"]) for stage in pipeline["stages"]][:-1] == [(32, 100)] * 6
    assert api.get(f"{path}/{pipeline['pipeline']}").json == [pipeline]
    assert api.get(path).json == pipeline
    assert api.get(f"{path}/nowhere").status == 400
    planted = api.plant("pipelines", {"pipeline_name": "Renewals", "stages": [{"name": "Open"}]})
    assert [stage["name"] for stage in api.get(f"{path}/{planted}").json[0]["stages"]] == ["Open"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for place in (path, f"{path}/all", f"{path}/{planted}"):
            reply = api.send(method, place, {"pipeline_name": "Mine"})
            assert (reply.status, reply.json["code"]) == (405, "method_not_allowed")
    assert api.post("/v3/crm/pipelines", {}).status == 404


def test_companies_are_read_by_pages_and_deals_by_offsets(api: Caller, recorded: Recorded) -> None:
    person = contact(api).json["id"]
    links = {"linkedContactsIds": [person]}
    companies = [api.plant("companies", {"attributes": {"name": name}} | links) for name in ("A", "B", "C")]
    got, was = api.get(f"/v3/companies/{companies[0]}").json, recorded("brevo/company_get_doc.json")["body"]
    assert got.keys() == was.keys() | {"createdBy", "refs"}
    assert got["refs"]["linkedContacts"] == [{"id": person, "email": ADA}]
    pages = [api.get("/v3/companies", query={"limit": 2, "page": page, "sort": "asc"}).json for page in (1, 2)]
    assert [row["id"] for page in pages for row in page["items"]] == companies
    assert pages[0]["pager"].keys() == {"current", "limit", "from", "to", "count", "total", "max"}
    assert (pages[1]["pager"]["total"], pages[1]["pager"]["count"]) == (3, 1)
    [found] = api.get("/v3/companies", query={"filters[attributes.name]": "B", "linkedContactsIds": person}).json[
        "items"
    ]
    assert found["id"] == companies[1]
    deal = api.plant("deals", {"attributes": {"deal_name": "D"}, "linkedCompaniesIds": [companies[0]]})
    got, was = api.get(f"/v3/crm/deals/{deal}").json, recorded("brevo/deal_get_after_link.json")["body"]
    assert got.keys() == was.keys()
    assert api.get("/v3/crm/deals", query={"offset": 1}).json["items"] == []
    [found] = api.get("/v3/crm/deals", query={"filters[linkedCompaniesIds]": companies[0]}).json["items"]
    assert found["id"] == deal
    for path in ("/v3/companies?offset=1", "/v3/crm/deals?page=1", "/v3/companies?filters[linkedContactsIds]=1"):
        assert api.get(path).status == 400
    for path in (f"/v3/companies/{deal}", f"/v3/crm/deals/{companies[0]}"):
        assert (api.get(path).status, api.get(path).json["code"]) == (404, "document_not_found")


def customer(api: Caller) -> dict[str, Any]:
    """A company, a contact and a deal of one planted user."""
    user = api.plant("users", {"email": "charles@example.com"})
    person = contact(api).json["id"]
    own = {"name": "Engines", "domain": "engines.example", "phone_number": "+442079460000", "owner": user}
    company = api.plant("companies", {"attributes": own, "linkedContactsIds": [person]})
    own = {"deal_name": "No. 2", "amount": 1500, "deal_owner": user, "close_date": "2026-12-31T00:00:00Z"}
    links = {"linkedContactsIds": [person], "linkedCompaniesIds": [company]}
    deal = api.plant("deals", {"attributes": own} | links)
    return {"users": user, "contacts": person, "companies": company, "deals": deal}


def same_types(told: Any, was: Any) -> bool:
    """What was recorded is told, too, and as JSON of the same type; null is of any."""
    if told is None or was is None:
        return True
    if isinstance(was, dict):
        found: dict[str, Any] = was
        return isinstance(told, dict) and all(name in told and same_types(told[name], found[name]) for name in found)
    return isinstance(told, int | float) if isinstance(was, int | float) else isinstance(told, type(was))


def test_a_deal_tells_its_owner_its_stage_and_its_links_by_id(api: Caller, recorded: Recorded) -> None:
    made = customer(api)
    deal = api.get(f"/v3/crm/deals/{made['deals']}").json
    for name in ("deal_get_after_link", "deal_get_after_update"):
        assert same_types(deal, recorded(f"brevo/{name}.json")["body"])
    assert (deal["linkedContactsIds"], deal["linkedCompaniesIds"]) == ([made["contacts"]], [made["companies"]])
    attributes = deal["attributes"]
    assert (attributes["deal_owner"], attributes["amount"], attributes["number_of_contacts"]) == (
        made["users"],
        1500,
        1,
    )
    [pipeline] = api.get(f"/v3/crm/pipeline/details/{attributes['pipeline']}").json
    assert attributes["deal_stage"] == pipeline["stages"][0]["id"]
    assert api.get(f"/v3/crm/deals/{made['deals']}", query={"fields": "deal_name"}).json == deal
    assert (
        api.get("/v3/crm/deals?filters[attributes.deal_owner]=charles@example.com").json["items"][0]["id"] == deal["id"]
    )


def test_a_company_tells_its_owner_and_the_deals_that_link_to_it(api: Caller, recorded: Recorded) -> None:
    made = customer(api)
    company = api.get(f"/v3/companies/{made['companies']}").json
    was = recorded("brevo/company_get_doc.json")["body"]
    was["attributes"]["phone_number"] = "text"  # a number in the example, text in the recorded list of attributes
    was["attributes"].pop("revenue")  # told of those who have some
    assert same_types(company, was)
    assert (company["linkedContactsIds"], company["linkedDealsIds"]) == ([made["contacts"]], [made["deals"]])
    assert company["attributes"]["owner"] == made["users"]
    assert company["refs"] == {"linkedContacts": [{"id": made["contacts"], "email": ADA}]}


def test_a_contact_tells_no_company_but_companies_are_found_by_it(api: Caller, recorded: Recorded) -> None:
    made = customer(api)
    contact(api, "else@example.com")
    got = read(api, made["contacts"], identifierType="contact_id").json
    assert same_types(got, recorded("brevo/contact_get_after_update.json")["body"] | {"attributes": {}})
    assert not {"companyId", "linkedCompaniesIds", "owner"} & got.keys()
    for contact_id, found in ((made["contacts"], [made["companies"]]), (2, [])):
        rows = api.get("/v3/companies", query={"linkedContactsIds": contact_id}).json["items"]
        assert [row["id"] for row in rows] == found


def test_statistics_of_a_contact_are_bounded_by_two_days(api: Caller) -> None:
    made = contact(api).json["id"]
    days = {"startDate": "2026-10-01", "endDate": "2026-10-31"}
    assert read(api, made, **days).status == 200
    for odd in ({"startDate": "2026-10-01"}, days | {"endDate": "31.10.2026"}, days | {"endDate": "2026-09-01"}):
        assert (read(api, made, **odd).status, read(api, made, **odd).json["code"]) == (400, "invalid_parameter")


def test_the_id_of_a_user_is_an_option_of_the_owner(api: Caller) -> None:
    made = customer(api)
    for kind, name in (("companies", "owner"), ("deals", "deal_owner")):
        rows = {row["internalName"]: row for row in api.get(f"/v3/crm/attributes/{kind}").json}
        assert {"key": made["users"], "value": "charles@example.com"} in rows[name]["attributeOptions"]
    users = api.get("/v3/organization/invited/users").json["users"]
    assert ("charles@example.com", False) in [(user["email"], "id" in user) for user in users]


@pytest.mark.parametrize("path", ["/v3/companies", "/v3/crm/deals"])
def test_an_id_that_no_record_has_is_404_and_one_that_is_none_is_400(crm: Caller, api: Caller, path: str) -> None:
    made = customer(api)["companies" if path == "/v3/companies" else "deals"]
    missing, odd = api.get(f"{path}/{'0' * 24}"), api.get(f"{path}/x-1")
    assert (missing.status, missing.json["code"]) == (404, "document_not_found")
    assert (odd.status, odd.json["code"]) == (400, "invalid_parameter")
    crm.adjust(malformed_id_status=404)
    assert api.get(f"{path}/x-1").status == 404
    removed = api.delete(f"{path}/{made}")
    assert (removed.status, removed.text) == (204, "")
    assert (api.get(f"{path}/{made}").status, api.delete(f"{path}/{made}").status) == (404, 404)


def test_a_link_goes_with_what_it_led_to(api: Caller) -> None:
    made = customer(api)
    api.delete(f"/v3/companies/{made['companies']}")
    assert api.get(f"/v3/crm/deals/{made['deals']}").json["linkedCompaniesIds"] == []


@pytest.mark.parametrize("noun", ["contacts", "companies", "deals", "users"])
def test_what_the_user_may_not_see_is_403(crm: Caller, api: Caller, noun: str) -> None:
    made = customer(api)
    paths = {
        "contacts": f"/v3/contacts/{made['contacts']}",
        "companies": f"/v3/companies/{made['companies']}",
        "deals": f"/v3/crm/deals/{made['deals']}",
        "users": "/v3/organization/invited/users",
    }
    crm.adjust(forbidden=[noun])
    for name, path in paths.items():
        reply = api.get(path)
        assert reply.status == (403 if name == noun else 200)
        assert name != noun or reply.json["code"] == "permission_denied"


def test_users_have_no_id_but_an_attribute_tells_it(api: Caller, recorded: Recorded) -> None:
    users = api.get("/v3/organization/invited/users").json
    was = recorded("brevo/users_invited_list.json")["body"]
    assert users["users"][0].keys() == was["users"][0].keys()
    assert users["users"][0]["is_owner"] == "true"
    rows = api.get("/v3/crm/attributes/companies").json
    was = recorded("brevo/company_attributes_list.json")["body"]
    assert rows[0].keys() == was[0].keys()
    assert {row["internalName"]: row["attributeTypeName"] for row in rows}.items() <= {
        row["internalName"]: row["attributeTypeName"] for row in was
    }.items()
    owners = {row["internalName"]: row["attributeOptions"] for row in rows}["owner"]
    assert [one["value"] for one in owners] == [user["email"] for user in users["users"]]
    deals = {row["internalName"]: row for row in api.get("/v3/crm/attributes/deals").json}
    assert deals["deal_owner"]["attributeOptions"] == owners


def test_the_account_has_what_the_sdk_requires(api: Caller, inventory: dict[str, Any]) -> None:
    fields = inventory["models"]["GetAccountResponse"]
    required = {name for name, kind in fields.items() if not kind.startswith("Optional")}
    assert api.get("/v3/account").json.keys() == required


def test_refusals_look_as_recorded(crm: Caller, api: Caller, recorded: Recorded) -> None:
    nobody, was = crm.get("/v3/account"), recorded("brevo/error_unauthorized_401.json")
    assert (nobody.status, nobody.json) == (was["status"], was["body"])
    assert was["headers"].keys() <= nobody.headers.keys()
    assert "x-sib-ratelimit-limit" not in crm.get("/v3/contacts").headers
    wrong, was = api.post("/v3/contacts/1", {}), recorded("brevo/error_method_not_allowed_405.json")
    assert (wrong.status, wrong.json) == (was["status"], was["body"])
    assert api.get("/v3/leads").status == 404
    assert api.post("/v3/contacts", form={"email": ADA}).status == 415
    assert api.post("/v3/contacts", [{"email": ADA}]).status == 400


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("contacts:read", "/v3/contacts", 200),
        ("crm:read", "/v3/contacts", 403),
        ("crm:read", "/v3/crm/pipeline/details/all", 200),
        ("contacts:read", "/v3/companies", 403),
    ],
)
def test_a_token_reaches_what_its_scopes_name(crm: Caller, scope: str, path: str, status: int) -> None:
    reply = crm.authorised(scopes=[scope]).get(path)
    assert reply.status == status
    assert status == 200 or reply.json["code"] == "permission_denied"


def test_everything_but_contacts_shares_a_small_hour(crm: Caller, api: Caller, recorded: Recorded) -> None:
    crm.adjust(others_per_hour=2, contacts_per_second=3)
    paths = ("/v3/crm/pipeline/details/all", "/v3/account", "/v3/companies")
    replies = [api.get(path) for path in paths]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert "x-sib-ratelimit-limit" not in replies[0].headers
    was = recorded("brevo/error_rate_limited_429.json")["headers"]
    assert was.keys() <= replies[2].headers.keys()
    assert int(replies[2].headers["x-sib-ratelimit-reset"]) > 3000
    contacts = [api.get("/v3/contacts") for _ in range(4)]
    assert [reply.status for reply in contacts] == [200, 200, 200, 429]
    assert [reply.headers["x-sib-ratelimit-remaining"] for reply in contacts] == ["2", "1", "0", "0"]


def test_a_rate_limit_tells_its_wait_in_seconds_and_in_no_header_of_the_usual_name(api: Caller) -> None:
    api.fault("rate_limited", wait=7)
    api.fault("rate_limited_silent")
    told, silent = api.get("/v3/account"), api.get("/v3/account")
    assert (told.headers["x-sib-ratelimit-reset"], silent.status) == ("7", 429)
    assert "retry-after" not in told.headers
    assert not any("ratelimit" in name for name in silent.headers)


def test_keys_work_until_they_are_revoked_or_the_address_is_unknown(crm: Caller) -> None:
    key = crm.grant(kind="api_key")["api_key"]
    assert key.startswith("xkeysib-")
    headers = {"api-key": key}
    assert crm.get("/v3/account", headers=headers).status == 200
    assert crm.get("/v3/account", headers={"Authorization": f"Bearer {key}"}).status == 401
    crm.adjust(blocks_unknown_addresses=True)
    blocked = crm.get("/v3/account", headers=headers)
    assert (blocked.status, blocked.json["code"]) == (401, "unauthorized")
    assert crm.authorised().get("/v3/account").status == 200
    crm.adjust(blocks_unknown_addresses=False)
    crm.post("/_sandbox/grants/revoke", {"token": key})
    assert crm.get("/v3/account", headers=headers).status == 401


def test_a_refresh_need_not_tell_the_refresh_token_again(crm: Caller) -> None:
    grant = crm.grant()
    client = {name: grant[name] for name in ("client_id", "client_secret")}
    refresh = client | {"grant_type": "refresh_token", "refresh_token": grant["refresh_token"]}
    first = crm.post(grant["token_path"], form=refresh)
    assert (first.status, first.json["expires_in"], first.json["token_type"]) == (200, 3600, "Bearer")
    assert "refresh_token" not in first.json
    crm.adjust(returns_refresh_token=True)
    assert crm.post(grant["token_path"], form=refresh).json["refresh_token"] == grant["refresh_token"]
    code = client | {"grant_type": "authorization_code", "code": grant["code"]}
    made = [crm.post(grant["token_path"], form=code) for _ in range(2)]
    assert [reply.status for reply in made] == [200, 400]
    assert made[0].json["refresh_token"] == grant["refresh_token"]
    assert crm.post(grant["token_path"], refresh).json["error"] == "unsupported_grant_type"
    machine = client | {"grant_type": "client_credentials"}
    assert crm.post(grant["token_path"], form=machine).status == 400


def planted(api: Caller, rows: list[dict[str, Any]]) -> list[int]:
    return api.post("/_sandbox/records/contacts", rows).json["ids"]


def altered(api: Caller, noun: str, record: object, fields: dict[str, Any]) -> int:
    return api.patch(f"/_sandbox/records/{noun}/{record}", fields).status


def moved(api: Caller, record: object) -> str:
    return read(api, record, identifierType="contact_id").json["modifiedAt"]


def test_planted_contacts_have_the_moments_they_were_given(api: Caller) -> None:
    days = [f"2026-09-{day:02}T12:00:00.5+02:00" for day in (3, 1, 2)]
    made = planted(api, [{"email": f"{place}@example.com", "createdAt": day} for place, day in enumerate(days)])
    assert listed(api, sort="asc") == [made[1], made[2], made[0]]
    assert moved(api, made[1]) == "2026-09-01T12:00:00.500+02:00"
    assert listed(api, createdSince="2026-09-02T00:00:00Z", sort="asc") == [made[2], made[0]]
    [late] = planted(api, [{"email": "z@example.com", "createdAt": days[0], "modifiedAt": "2026-09-09T00:00:00.25Z"}])
    assert moved(api, late) == "2026-09-09T02:00:00.250+02:00"
    assert listed(api, modifiedSince="2026-09-05T00:00:00Z") == [late]


def test_since_a_moment_leaves_out_that_moment_unless_the_account_is_told_otherwise(crm: Caller, api: Caller) -> None:
    made = contact(api).json["id"]
    at = moved(api, made)
    assert listed(api, modifiedSince=at) == listed(api, createdSince=at) == []
    before = (datetime.fromisoformat(at) - timedelta(milliseconds=1)).isoformat(timespec="milliseconds")
    assert listed(api, modifiedSince=before) == [made]
    crm.adjust(since_includes_its_moment=True)
    assert listed(api, modifiedSince=at) == listed(api, createdSince=at) == [made]


def test_a_colleagues_change_moves_the_contact_into_what_changed(api: Caller) -> None:
    old = {"createdAt": "2026-01-01T00:00:00Z"}
    first, _ = planted(api, [{"email": "1@example.com"} | old, {"email": "2@example.com"} | old])
    since = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    time.sleep(0.002)
    assert listed(api, modifiedSince=since) == []
    fields = {"attributes": {"FAVOURITE_COLOUR": "green"}, "email": "new@example.com", "ext_id": "x-9"}
    assert altered(api, "contacts", first, fields) == 200
    assert listed(api, modifiedSince=since) == [first]
    got = read(api, "x-9", identifierType="ext_id").json
    assert (got["email"], got["attributes"]) == ("new@example.com", {"FAVOURITE_COLOUR": "green"})
    assert got["createdAt"] == "2026-01-01T02:00:00.000+02:00"
    assert altered(api, "contacts", first, {"attributes": {"FAVOURITE_COLOUR": ""}}) == 200
    assert read(api, first, identifierType="contact_id").json["attributes"] == {}


def test_a_contact_that_a_colleague_deletes_vanishes_without_a_trace(api: Caller) -> None:
    made = contact(api).json["id"]
    assert api.delete(f"/_sandbox/records/contacts/{made}").status == 200
    assert (listed(api), api.stored("contacts")) == ([], [])
    missing = read(api, made, identifierType="contact_id")
    assert (missing.status, missing.json["code"]) == (404, "document_not_found")
    assert contact(api).status == 201
    for noun, record in (("contacts", made), ("contacts", "x"), ("companies", "0" * 24), ("pipelines", "1")):
        assert altered(api, noun, record, {}) == 400
        assert api.delete(f"/_sandbox/records/{noun}/{record}").status == 400


def test_a_colleague_changes_and_deletes_companies_deals_and_users_too(api: Caller) -> None:
    made = customer(api)
    old = {"last_updated_at": "2020-01-01T00:00:00.000Z", "last_updated_date": "2020-01-01T00:00:00Z"}
    for noun, name in (("companies", "name"), ("deals", "deal_name")):
        path = "/v3/companies" if noun == "companies" else "/v3/crm/deals"
        record = api.plant(noun, {"attributes": {name: "Old"} | old})
        assert altered(api, noun, record, {"linkedContactsIds": [made["contacts"]]}) == 200  # links move nothing
        recent = {"modifiedSince": "2021-01-01T00:00:00Z"}
        assert record not in [row["id"] for row in api.get(path, query=recent).json["items"]]
        assert altered(api, noun, record, {"attributes": {name: "New"}}) == 200
        assert record in [row["id"] for row in api.get(path, query=recent).json["items"]]
        assert api.get(f"{path}/{record}").json["attributes"][name] == "New"
        assert api.delete(f"/_sandbox/records/{noun}/{record}").status == 200
        assert api.get(f"{path}/{record}").status == 404
    assert altered(api, "users", made["users"], {"email": "babbage@example.com"}) == 200
    assert "babbage@example.com" in [user["email"] for user in api.get("/v3/organization/invited/users").json["users"]]
    assert api.delete(f"/_sandbox/records/users/{made['users']}").status == 200
    assert made["users"] not in [
        option["key"] for row in api.get("/v3/crm/attributes/companies").json for option in row["attributeOptions"]
    ]


def test_five_thousand_contacts_are_five_pages(api: Caller) -> None:
    made = planted(api, [{"email": f"{place}@example.com", "attributes": {"SCORE": place}} for place in range(5000)])
    pages = [
        api.get("/v3/contacts", query={"limit": 1000, "offset": at, "sort": "asc"}).json for at in range(0, 6000, 1000)
    ]
    assert [len(page["contacts"]) for page in pages] == [1000] * 5 + [0]
    assert {page["count"] for page in pages} == {5000}
    assert [row["id"] for page in pages for row in page["contacts"]] == made
