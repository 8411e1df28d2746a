"""Nutshell's peculiarities, and its recorded answers."""

import base64
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local.samples.nutshell import SAMPLE
from tests.sandbox import spec
from tests.sandbox.caller import Caller, Reply

CRM = "nutshell"
PATCH = {"Content-Type": "application/json-patch+json"}

type Recorded = Callable[[str], Any]


@pytest.fixture
def contact(api: Caller) -> str:
    return api.plant("contacts", {"name": "Ada Lovelace", "emails": [{"value": "ada@example.com"}]})


def post_lead(api: Caller, **fields: Any) -> Reply:
    return api.post("/rest/leads", {"leads": [{"description": "Engine"} | fields]})


def made_lead(api: Caller, **fields: Any) -> dict[str, Any]:
    reply = post_lead(api, **fields)
    assert reply.status == 201, reply.text
    return reply.json["leads"][0]


def patch(api: Caller, kind: str, record_id: str, *patches: dict[str, Any]) -> Reply:
    return api.patch(f"/rest/{kind}/{record_id}", list(patches), headers=PATCH)


def lead_now(api: Caller, lead_id: str) -> dict[str, Any]:
    return api.get(f"/rest/leads/{lead_id}").json["leads"][0]


def names(reply: Reply, kind: str = "leads") -> list[str]:
    assert reply.status == 200, reply.text
    return [row["name"] for row in reply.json[kind]]


def follow(api: Caller, link: str) -> Reply:
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc) == ("https", "app.nutshell.com")
    return api.get(f"{parts.path}?{parts.query}")


# Records.


def test_a_lead_is_called_by_its_description_and_stands_at_the_first_stage(api: Caller, contact: str) -> None:
    reply = post_lead(api, links={"contacts": [contact], "owner": "2-users", "sources": ["1-sources"]})
    assert reply.status == 201
    assert reply.json.keys() == {"meta", "links", "leads"}
    [lead] = reply.json["leads"]
    assert (lead["name"], lead["description"], lead["status"]) == ("Engine", "Engine", "open")
    assert lead["createdTime"].keys() == {"absoluteLocalizedString", "timestamp", "value"}
    assert lead["createdTime"]["timestamp"] == pytest.approx(time.time(), abs=5)
    assert isinstance(lead["number"], str)
    assert lead["number"] != lead["id"].partition("-")[0]
    links = lead["links"]
    assert (links["contacts"], links["owner"], links["sources"]) == ([contact], "2-users", ["1-sources"])
    assert (links["creator"], links["stageset"], links["stage"]) == ("1-users", "1-stagesets", "101-stages")
    assert api.get(f"/rest/leads/{lead['id']}").json == reply.json


def test_a_lead_without_a_description_is_called_by_its_number(api: Caller) -> None:
    [lead] = api.post("/rest/leads", {"leads": [{}]}).json["leads"]
    assert (lead["name"], lead["description"]) == (f"Lead–{lead['number']}", None)


def test_every_property_of_the_document_lies_on_a_lead(api: Caller) -> None:
    document = spec.document(CRM, "nutshell-rest-2.0.0.excerpt.openapi.json")
    if document is None:
        pytest.skip(f"no documents at {spec.FOLDER}")
    schemas = document["components"]["schemas"]
    lead = made_lead(api, manualValue="999.99")
    assert schemas["FullLead"]["properties"].keys() <= lead.keys()
    assert lead["value"] == {"amount": "999.99", "currency": "USD", "formatted": "$999.99"}
    stage = api.get("/rest/stages").json["stages"][0]
    assert {"id", "name", "description", "position", "numSteps", "links"} <= stage.keys()
    assert schemas["Stageset"]["properties"].keys() <= api.get("/rest/stagesets").json["stagesets"][0].keys()
    assert schemas["LeadOutcome"]["properties"].keys() <= api.get("/rest/outcomes").json["outcomes"][0].keys()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "Engine"}, "name"),
        ({"title": "Engine"}, "title"),
        ({"status": "won"}, "status"),
        ({"description": 5}, "description"),
        ({"manualValue": 999.99}, "manualValue"),
        ({"manualValue": "a lot"}, "manualValue"),
        ({"dueTime": 1_800_000_000}, "dueTime"),
        ({"customFields": {"Favorite Number": 12}}, "customFields"),
        ({"customFields": {"Shoe Size": "12"}}, "customFields.Shoe Size"),
        ({"customFields": {"Tier": "Bronze"}}, "customFields.Tier"),
        ({"links": {"contacts": "3-contacts"}}, "links.contacts"),
        ({"links": {"contacts": ["99-contacts"]}}, "links.contacts"),
        ({"links": {"contacts": [{"name": "Ada"}]}}, "links.contacts"),
        ({"links": {"accounts": ["3-contacts"]}}, "links.accounts"),
        ({"links": {"owner": "99-users"}}, "links.owner"),
        ({"links": {"owner": ["1-users"]}}, "links.owner"),
        ({"links": {"sources": ["Google"]}}, "links.sources"),
        ({"links": {"stage": "101-stages"}}, "links.stage"),
    ],
)
def test_a_lead_that_does_not_fit_is_400(
    api: Caller, contact: str, recorded: Recorded, fields: dict[str, Any], field: str
) -> None:
    reply = post_lead(api, **fields)
    was = recorded("nutshell/error_400_create.json")
    assert reply.status == was["status"]
    assert reply.json.keys() == {*was["body"].keys() - {"accounts"}, "leads"}
    [error] = reply.json["errors"]
    assert error.keys() == was["body"]["errors"][0].keys()
    # What breaks the document is told with the path in the body, what it leaves open with the attribute alone.
    assert field.split(".", maxsplit=1)[0] in error["field"]
    assert error["detail"]
    assert reply.json["leads"] == api.stored("leads") == []


def test_a_deleted_contact_is_linked_no_more(api: Caller, contact: str) -> None:
    assert api.delete(f"/rest/contacts/{contact}").status == 200
    reply = post_lead(api, links={"contacts": [contact]})
    assert (reply.status, reply.json["errors"][0]["field"]) == (400, "links.contacts")


def test_unknown_fields_may_be_dropped_and_a_link_be_wanted(api: Caller, contact: str) -> None:
    api.adjust(drops_unknown_fields=True, lead_needs_contact_or_account=True)
    assert made_lead(api, name="dropped", links={"contacts": [contact]})["name"] == "Engine"
    assert post_lead(api).status == 400


@pytest.mark.parametrize("body", [{}, {"accounts": []}, {"accounts": [{"name": "A"}, {"name": "B"}]}, {"data": {}}])
def test_a_post_holds_exactly_one_record(api: Caller, recorded: Recorded, body: dict[str, Any]) -> None:
    reply, was = api.post("/rest/accounts", body), recorded("nutshell/error_400_create.json")
    assert (reply.status, reply.json["errors"]) == (was["status"], was["body"]["errors"])
    assert api.stored("accounts") == []


def test_the_documents_own_lead_is_taken(api: Caller) -> None:
    """Its ids exist here as soon as they are planted."""
    account, contact = api.plant("accounts", {"name": "A"}), api.plant("contacts", {"name": "B"})
    links = {"accounts": [account], "contacts": [contact], "owner": "1-users", "tags": ["1-tags"]}
    due = {"timestamp": 1_900_000_000}
    lead = made_lead(api, manualValue="999.99", dueTime=due, customFields={"Favorite Number": "12"}, links=links)
    assert lead["dueTime"]["timestamp"] == 1_900_000_000
    assert links.items() <= lead["links"].items()


def test_accounts_and_contacts_look_as_recorded(api: Caller, recorded: Recorded) -> None:
    reply, was = (
        api.post("/rest/accounts", {"accounts": [{"name": "Strawberry"}]}),
        recorded("nutshell/account_create.json"),
    )
    assert reply.status == 201
    assert reply.json.keys() == was["body"].keys()
    [account] = reply.json["accounts"]
    [expected] = was["body"]["accounts"]
    assert (account.keys(), account["links"].keys()) == (expected.keys(), expected["links"].keys())
    body = {"name": "Ada King Lovelace", "phones": [{"value": "+44 20 1234"}], "emails": [{"value": "ada@example.com"}]}
    body |= {"addresses": [{"value": {"city": "London", "country": "GB"}}], "links": {"accounts": [account["id"]]}}
    reply, expected = api.post("/rest/contacts", {"contacts": [body]}), recorded("nutshell/contact_record.json")["body"]
    assert reply.status == 200
    [contact] = reply.json["contacts"]
    assert (contact.keys(), contact["links"].keys()) == (expected.keys(), expected["links"].keys())
    assert (contact["firstName"], contact["lastName"]) == ("Ada", "King Lovelace")
    assert contact["emails"] == [{"isPrimary": True, "name": "email", "value": "ada@example.com"}]
    assert contact["addresses"][0]["value"].keys() == expected["addresses"][0]["value"].keys()
    assert contact["phones"][0]["value"]["number"] == "44201234"
    assert api.get(f"/rest/accounts/{account['id']}").json["accounts"][0]["links"]["contacts"] == [contact["id"]]
    for wrong in ({"firstName": "Ada"}, {"name": "Ada", "jobTitle": "Countess"}, {"emails": ["ada@example.com"]}):
        assert api.post("/rest/contacts", {"contacts": [wrong]}).status == 400


# One record by its id.


@pytest.fixture
def story(crm: Caller) -> dict[str, str]:
    """The customer of the local stack, by the plural of what each of its records is."""
    return dict(SAMPLE.story(lambda noun, **fields: str(crm.plant(noun, fields))))


READ = {"companies": "accounts", "contacts": "contacts", "deals": "leads", "leads": "leads", "users": "users"}


def one(api: Caller, kind: str, number: str) -> dict[str, Any]:
    """The only record in the envelope."""
    reply = api.get(f"/rest/{kind}/{number}")
    assert (reply.status, {"meta", kind} <= reply.json.keys()) == (200, True)
    [row] = reply.json[kind]
    assert (row["id"], row["type"]) == (number, kind)
    return row


@pytest.mark.parametrize(
    ("noun", "was"), [("contacts", "contact_record"), ("companies", "account_record_with_address")]
)
def test_a_record_is_read_as_recorded(
    api: Caller, recorded: Recorded, story: dict[str, str], noun: str, was: str
) -> None:
    shown, older = one(api, READ[noun], story[noun]), recorded(f"nutshell/{was}.json")["body"]
    assert (shown.keys(), shown["links"].keys()) == (older.keys(), older["links"].keys())
    for name, value in older.items():
        assert None in (value, shown[name]) or type(value) is type(shown[name]), name
    assert shown["addresses"][0].keys() == older["addresses"][0].keys()


@pytest.mark.parametrize(("noun", "schemas"), [("deals", ["Lead"]), ("users", ["User", "Avatarable"])])
def test_what_was_never_recorded_is_as_the_document_has_it(
    api: Caller, story: dict[str, str], noun: str, schemas: list[str]
) -> None:
    document = spec.document(CRM, "nutshell-rest-1.0.1.cut.openapi.json")
    if document is None:
        pytest.skip(f"no documents at {spec.FOLDER}")
    shown = one(api, READ[noun], story[noun])
    for schema in schemas:
        assert document["components"]["schemas"][schema]["properties"].keys() <= shown.keys()


def test_owner_company_and_people_are_ids_in_links(api: Caller, story: dict[str, str]) -> None:
    company, contact, deal = (one(api, READ[noun], story[noun])["links"] for noun in ("companies", "contacts", "deals"))
    assert {links["owner"] for links in (company, contact, deal)} == {story["users"]}
    assert (deal["accounts"], deal["contacts"]) == ([story["companies"]], [story["contacts"]])
    assert (contact["accounts"], company["contacts"]) == ([story["companies"]], [story["contacts"]])
    industries = {row["id"]: row["name"] for row in api.get("/rest/industries").json["industries"]}
    assert industries[company["industry"]] == "Machinery"


def test_a_lead_tells_money_in_parts_and_times_as_objects(api: Caller, story: dict[str, str]) -> None:
    lead = one(api, "leads", story["deals"])
    assert lead["value"] == {"amount": "12500.00", "currency": "GBP", "formatted": "£12,500.00"}
    assert lead["dueTime"] == lead["anticipatedClosedTime"]
    assert lead["dueTime"]["timestamp"] == 1_798_675_200
    assert (lead["status"], lead["links"]["stage"], lead["links"]["stageset"]) == ("open", "101-stages", "1-stagesets")


def test_custom_values_take_a_second_call(api: Caller, story: dict[str, str]) -> None:
    for kind, number in (("leads", story["deals"]), ("contacts", story["contacts"])):
        assert "customFields" not in one(api, kind, number)
        values = api.get(f"/rest/{kind}/{number}/customfields").json["customFields"]
        assert {row["title"]: row["value"] for row in values} == {"Favorite Number": "12", "Tier": None}


def test_one_record_may_come_bare_or_with_others_beside_it(api: Caller, story: dict[str, str]) -> None:
    account = f"/rest/accounts/{story['companies']}"
    assert api.get(account).json.keys() == {"meta", "links", "accounts"}
    api.adjust(sideloads=True)
    beside = api.get(account).json
    assert [row["name"] for row in beside["owners"]] == ["Charles Babbage"]
    assert [row["id"] for row in beside["contacts"]] == [story["contacts"]]
    api.adjust(bare_records=True)
    assert api.get(account).json["id"] == story["companies"]


@pytest.mark.parametrize("noun", READ)
def test_no_record_and_no_id_are_the_page_of_a_wrong_path(api: Caller, noun: str) -> None:
    for wanted in (f"999-{READ[noun]}", "ada", "5"):
        reply = api.get(f"/rest/{READ[noun]}/{wanted}")
        assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (404, "text/html")
        assert api.get(f"/rest/{READ[noun]}/{wanted}/customfields").status == 404


def test_a_removed_record_is_read_only_where_the_instance_shows_it(api: Caller, story: dict[str, str]) -> None:
    for noun in ("companies", "contacts", "deals"):
        path = f"/rest/{READ[noun]}/{story[noun]}"
        assert [api.delete(path).status, api.get(path).status] == [200, 404]
    api.adjust(shows_deleted=True)
    assert one(api, "leads", story["deals"])["deletedTime"] is not None


@pytest.mark.parametrize("noun", READ)
def test_what_the_user_may_not_view_is_403(crm: Caller, api: Caller, story: dict[str, str], noun: str) -> None:
    crm.adjust(forbidden=[noun])
    refused = api.get(f"/rest/{READ[noun]}/{story[noun]}")
    assert (refused.status, refused.headers["content-type"].partition(";")[0]) == (403, "text/html")
    others = [other for other in READ if READ[other] != READ[noun]]
    assert {api.get(f"/rest/{READ[other]}/{story[other]}").status for other in others} == {200}
    crm.adjust(forbidden=[])
    outsider = crm.authorised(scopes=["canAccessSetup"])
    status = 200 if noun == "users" else 403
    assert outsider.get(f"/rest/{READ[noun]}/{story[noun]}").status == status


# Patches.


def test_a_patch_needs_its_own_media_type(api: Caller, recorded: Recorded) -> None:
    lead, was = made_lead(api), recorded("nutshell/error_400_media_type.json")
    patches = [{"op": "replace", "path": "/leads/0/description", "value": "New"}]
    reply = api.patch(f"/rest/leads/{lead['id']}", patches)
    assert (reply.status, reply.json) == (was["status"], was["body"])
    assert lead_now(api, lead["id"])["name"] == "Engine"
    assert patch(api, "leads", lead["id"], *patches).status == 204
    assert lead_now(api, lead["id"])["name"] == "New"
    empty = patch(api, "leads", lead["id"])
    assert (empty.status, empty.json["errors"][0]["title"]) == (400, "No patches sent")


def test_a_patch_changes_values_custom_fields_and_relations(api: Caller, contact: str) -> None:
    other = api.plant("contacts", {"name": "Bob"})
    lead = made_lead(api, links={"contacts": [contact]})["id"]
    reply = patch(
        api, "leads", lead,
        {"op": "replace", "path": "/leads/0/manualValue", "value": "50"},
        {"op": "add", "path": "/leads/0/Favorite Number", "value": "7"},
        {"op": "add", "path": "/leads/0/links/contacts/-", "value": other},
        {"op": "add", "path": "/leads/0/links/contacts/-", "value": other},
        {"op": "remove", "path": f"/leads/0/links/contacts/{contact}"},
        {"op": "replace", "path": "/leads/0/links/owner", "value": "2-users"},
    )  # fmt: skip
    assert (reply.status, reply.text) == (204, "")
    got = lead_now(api, lead)
    assert (got["value"]["amount"], got["links"]["contacts"], got["links"]["owner"]) == ("50.00", [other], "2-users")
    assert "customFields" not in got
    values = api.get(f"/rest/leads/{lead}/customfields").json["customFields"]
    assert {row["title"]: row["value"] for row in values} == {"Favorite Number": "7", "Tier": None}
    api.adjust(updates_answer_record=True)
    reply = patch(api, "leads", lead, {"op": "replace", "path": "/leads/0/valueToProductMode", "value": True})
    assert (reply.status, reply.json["leads"][0]["value"]["amount"]) == (200, "0.00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"op": "replace", "path": "/leads/0/name", "value": "x"},
        {"op": "replace", "path": "/description", "value": "x"},
        {"op": "replace", "path": "/contacts/0/description", "value": "x"},
        {"op": "replace", "path": "/leads/0", "value": {}},
        {"op": "replace", "path": "/leads/0/description", "value": 5},
        {"op": "replace", "path": "/leads/0/description"},
        {"op": "replace", "path": "/leads/0/customFields/Tier", "value": "Gold"},
        {"op": "replace", "path": "/leads/0/Tier", "value": "Bronze"},
        {"op": "replace", "path": "/leads/0/Shoe Size", "value": "7"},
        {"op": "replace", "path": "/leads/0/links/stage", "value": "105-stages"},
        {"op": "replace", "path": "/leads/0/links/contacts", "value": ["3-contacts"]},
        {"op": "add", "path": "/leads/0/links/contacts/-", "value": "99-contacts"},
        {"op": "remove", "path": "/leads/0/links/contacts/3-contacts"},
        {"op": "test", "path": "/leads/0/description", "value": "Engine"},
        "replace",
    ],
)
def test_a_patch_that_does_not_fit_spoils_all_of_them(api: Caller, contact: str, wrong: Any) -> None:
    lead = made_lead(api)
    reply = patch(api, "leads", lead["id"], {"op": "replace", "path": "/leads/0/description", "value": "New"}, wrong)
    assert reply.status == 400
    assert reply.json["errors"][0]["detail"]
    assert lead_now(api, lead["id"]) == lead


def test_lists_of_a_contact_are_replaced_as_a_whole(api: Caller, contact: str) -> None:
    account = api.plant("accounts", {"name": "A"})
    phones = {"op": "replace", "path": "/contacts/0/phones", "value": [{"value": "1"}, {"value": "2"}]}
    accounts = {"op": "replace", "path": "/contacts/0/links/accounts", "value": [account]}
    assert patch(api, "contacts", contact, phones, accounts).status == 204
    got = api.get(f"/rest/contacts/{contact}").json["contacts"][0]
    assert [(one["value"]["number"], one["isPrimary"]) for one in got["phones"]] == [("1", True), ("2", False)]
    assert got["links"]["accounts"] == [account]


# Reading.


def test_pages_begin_at_zero_and_end_with_an_empty_one(api: Caller, recorded: Recorded) -> None:
    for name in ("Cherry", "Apple", "Banana"):
        api.plant("accounts", {"name": name})
    page = api.get("/rest/accounts", query={"page[limit]": 2})
    assert names(page, "accounts") == ["Apple", "Banana"]
    assert page.json["meta"].keys() == recorded("nutshell/accounts_list_page1.json")["body"]["meta"].keys()
    assert names(api.get("/rest/accounts", query={"page[limit]": 2, "page[page]": 1}), "accounts") == ["Cherry"]
    end, was = (
        api.get("/rest/accounts", query={"page[limit]": 2, "page[page]": 2}),
        recorded("nutshell/accounts_list_end.json"),
    )
    assert end.json.keys() == was["body"].keys()
    assert (end.json["accounts"], end.json["meta"]["total"]) == ([], 3)
    bad = api.get("/rest/accounts", query={"page[page]": -1})
    error = bad.json["errors"][0]
    assert (bad.status, error["title"], error["detail"]) == (400, "Invalid filter", "Invalid page number: -1")
    assert api.get("/rest/accounts", query={"page[limit]": 10_001}).status == 400


def test_leads_are_found_by_text_number_relation_and_time(api: Caller, contact: str) -> None:
    first = made_lead(api, links={"contacts": [contact]})
    made_lead(api, description="Loom")
    api.plant("leads", {"description": "Abacus", "createdTime": 1_700_000_000})

    def found(**query: str) -> list[str]:
        return names(api.get("/rest/leads", query=query))

    assert found() == ["Abacus", "Engine", "Loom"]
    assert found(q="loom") == ["Loom"]
    assert found(sort="-age")[0] == "Abacus"
    assert found(**{"filter[number]": first["number"]}) == ["Engine"]
    assert found(**{"filter[contacts][]": contact}) == ["Engine"]
    assert found(**{"filter[createdTime]": "2023-11-14T00:00:00 TO 2023-11-15T00:00:00"}) == ["Abacus"]
    assert found(**{"filter[createdTime]": "2023-11-14T22:13:20Z 2023-11-14T22:13:20Z"}) == ["Abacus"]
    assert names(api.get("/rest/contacts", query={"filter[leads][]": first["id"]}), "contacts") == ["Ada Lovelace"]
    for query in (
        {"filter[createdTime]": "2023-11-14"}, {"filter[modifiedTime]": "2023-11-14 TO 2023-11-15"},
        {"filter[colour]": "red"}, {"sort": "colour"},
    ):  # fmt: skip
        assert api.get("/rest/leads", query=query).status == 400, query


def test_whether_leads_can_be_filtered_by_modification_is_told_by_their_fields(api: Caller) -> None:
    lead = api.plant("leads", {"description": "Old", "createdTime": 1_700_000_000})
    fields = api.get("/rest/leads/list/fields").json["properties"]
    assert fields["createdTime"]["isFilterable"] is True
    assert "modifiedTime" not in fields
    api.adjust(filters_by_modified_time=True)
    assert "modifiedTime" in api.get("/rest/leads/list/fields").json["properties"]
    patch(api, "leads", lead, {"op": "replace", "path": "/leads/0/description", "value": "New"})
    query = {"filter[modifiedTime]": "2025-01-01T00:00:00Z TO 2100-01-01T00:00:00Z"}
    assert names(api.get("/rest/leads", query=query)) == ["New"]


def test_contacts_are_found_by_their_exact_address(api: Caller, contact: str) -> None:
    assert names(api.get("/rest/contacts", query={"email": "ADA@example.com"}), "contacts") == ["Ada Lovelace"]
    assert names(api.get("/rest/contacts", query={"email": "ada@example"}), "contacts") == []
    assert names(api.get("/rest/contacts", query={"q": "lovelace"}), "contacts") == ["Ada Lovelace"]


def test_several_records_are_read_at_once_and_plain_numbers_are_no_ids(api: Caller, contact: str) -> None:
    other = api.plant("contacts", {"name": "Bob"})
    assert names(api.get(f"/rest/contacts/{other},{contact}"), "contacts") == ["Bob", "Ada Lovelace"]
    assert api.get(f"/rest/contacts/{contact},99-contacts").status == 404
    assert api.get("/rest/contacts/3").status == 404
    assert api.get(f"/rest/leads/{contact}").status == 404
    api.adjust(plain_ids=True)
    assert api.get("/rest/contacts/3").status == 200


# Deletion and the change log.


def test_a_deleted_lead_is_gone_until_it_is_restored(api: Caller) -> None:
    lead = made_lead(api)["id"]
    gone = api.delete(f"/rest/leads/{lead}")
    assert (gone.status, gone.json["leads"][0]["id"]) == (200, lead)
    assert gone.json["leads"][0]["deletedTime"] is not None
    assert names(api.get("/rest/leads")) == []
    touch = {"op": "replace", "path": "/leads/0/description", "value": "New"}
    statuses = [api.get(f"/rest/leads/{lead}").status, api.delete(f"/rest/leads/{lead}").status]
    assert [*statuses, patch(api, "leads", lead, touch).status] == [404, 404, 404]
    log = api.get("/rest/events/deleted", query={"filter[types]": "leads", "sort": "-change_time"}).json
    assert [event["links"]["payloads"] for event in log["events"]] == [[lead]]
    assert api.get("/rest/events/deleted", query={"filter[types]": "contacts"}).json["events"] == []
    assert api.get("/rest/events/deleted", query={"filter[types]": "unicorns"}).status == 400
    assert api.post(f"/rest/leads/{lead}/undelete").status == 200
    assert names(api.get("/rest/leads")) == ["Engine"]
    api.adjust(deletes_answer_nothing=True, shows_deleted=True)
    reply = api.delete(f"/rest/leads/{lead}")
    assert (reply.status, reply.text) == (200, "")
    assert lead_now(api, lead)["deletedTime"] is not None


def test_the_change_log_tells_what_was_done_newest_first_with_the_records_as_they_are(api: Caller) -> None:
    api.plant("contacts", {"name": "Bob"})
    lead = made_lead(api)["id"]
    patch(api, "leads", lead, {"op": "replace", "path": "/leads/0/description", "value": "New"})
    patch(api, "leads", lead, {"op": "replace", "path": "/leads/0/description", "value": "New"})
    stageset = api.plant("stagesets", {"name": "Renewals"})
    stage = api.plant("stages", {"name": "Due", "links": {"stageset": stageset}})
    api.post(f"/rest/leads/{lead}/stageset", {"stageset": stageset})
    log = api.get("/rest/events", query={"filters[payload][]": "leads"}).json
    assert [event["action"] for event in log["events"]] == ["stagechange", "edit", "create"]
    moved, edited, _ = log["events"]
    assert (moved["payloadType"], moved["actorType"], moved["links"]["payloads"]) == ("leads", "users", [lead])
    assert edited["changes"] == [{"attribute": "description", "oldValue": "Engine", "newValue": "New"}]
    [there] = [change["newValue"] for change in moved["changes"] if change["attribute"] == "stage"]
    assert (there["id"], there["name"]) == (stage, "Due")
    assert [row["id"] for row in log["payloads"]] == [lead] * 3
    assert {row["name"] for row in log["payloads"]} == {"New"}
    assert not {"modifiedTime", "customFields"} & log["payloads"][0].keys()
    assert [event["payloadType"] for event in api.get("/rest/events").json["events"]].count("contacts") == 1


def test_the_change_log_is_walked_by_ids(api: Caller) -> None:
    for number in range(5):
        api.plant("leads", {"description": str(number), "createdTime": 1_700_000_000 + number})

    def told(reply: Reply) -> str:
        return "".join(row["name"] for row in reply.json["payloads"])

    query = {"filters[payload][]": "leads", "limit": 2, "since_time": 1_700_000_001, "max_time": 1_700_000_003}
    first = api.get("/rest/events", query=query)
    meta = first.json["meta"]
    assert (told(first), meta["last"]) == ("32", first.json["events"][-1]["id"])
    older = follow(api, meta["previous"])
    assert told(older) == "10"  # since_time does not go with the link: whoever walks has to look
    end = follow(api, older.json["meta"]["previous"])
    assert end.json["events"] == []
    assert not {"next", "previous"} & end.json["meta"].keys()
    assert told(follow(api, meta["next"])) == "4"
    api.adjust(max_id_is_inclusive=True)
    assert told(follow(api, meta["previous"])) == "21"
    for wrong in ({"since_time": "yesterday"}, {"since_id": "x"}, {"limit": 0}, {"filters[payload][]": "unicorns"}):
        assert api.get("/rest/events", query=wrong).status == 400, wrong


# Pipelines, look-up tables, custom fields.


def test_pipelines_and_stages_can_only_be_listed(api: Caller) -> None:
    [stageset] = api.get("/rest/stagesets").json["stagesets"]
    assert (stageset["id"], stageset["default"], stageset["status"]) == ("1-stagesets", True, 1)
    stages = api.get("/rest/stages").json["stages"]
    assert [stage["position"] for stage in stages] == [1, 2, 3, 4]
    assert {stage["links"]["stageset"] for stage in stages} == {"1-stagesets"}
    for path in ("/rest/stages", "/rest/stagesets"):
        refused = api.post(path, {path.rpartition("/")[2]: [{"name": "New"}]})
        assert (refused.status, refused.json) == (405, "Internal Error")
    for path in ("/rest/stages/101-stages", "/rest/stagesets/1-stagesets"):
        assert [api.send(verb, path).status for verb in ("GET", "PATCH", "DELETE")] == [404] * 3
    api.adjust(stagesets_key="stageSets")
    assert api.get("/rest/stagesets").json["stageSets"] == [stageset]
    api.adjust(bare_arrays=True)
    assert api.get("/rest/stages").json == stages


def test_a_lead_goes_to_another_pipeline_only_as_a_whole(api: Caller) -> None:
    lead = made_lead(api)["id"]
    draft = api.plant("stagesets", {"name": "Draft", "status": 2})
    for body in ({"stageset": draft}, {"stageset": "99-stagesets"}, {"stage": "105-stages"}, {}):
        assert api.post(f"/rest/leads/{lead}/stageset", body).status == 400, body
    told = api.get(f"/rest/leads/{lead}/stages").json
    assert (told["meta"]["stageset"]["id"], len(told["stages"])) == ("1-stagesets", 4)
    assert api.post(f"/rest/leads/{lead}/stages", {}).status == 405


def test_an_outcome_closes_a_lead(api: Caller) -> None:
    outcome = next(row for row in api.get("/rest/outcomes").json["outcomes"] if row["status"] == "lost")
    lead = made_lead(api)["id"]
    closed = api.post(f"/rest/leads/{lead}/status", {"outcomeId": outcome["id"]}).json["leads"][0]
    assert (closed["status"], closed["links"]["outcome"]) == ("lost", outcome["id"])
    assert closed["closedTime"] is not None
    assert api.post(f"/rest/leads/{lead}/status", {"outcomeId": "99-outcomes"}).status == 400
    assert api.post(f"/rest/leads/{lead}/status", {}).status == 400
    again = api.post(f"/rest/leads/{lead}/reopen").json["leads"][0]
    assert (again["status"], again["closedTime"], again["links"]["outcome"]) == ("open", None, None)
    assert api.post(f"/rest/leads/{lead}/watch").json["leads"][0]["isCurrentUserWatching"] is True


def test_sources_are_made_beside_leads_and_not_read_one_by_one(api: Caller) -> None:
    made = api.post("/rest/sources", {"sources": [{"name": "Podcast", "channel": 3}]})
    assert made.status == 201
    [source] = made.json["sources"]
    assert names(api.get("/rest/sources", query={"q": "podc"}), "sources") == ["Podcast"]
    assert api.get(f"/rest/sources/{source['id']}").status == 405
    for wrong in ({"channel": 1}, {"name": "X", "channel": 9}, {"name": "X", "colour": "red"}):
        assert api.post("/rest/sources", {"sources": [wrong]}).status == 400, wrong
    assert api.delete(f"/rest/sources/{source['id']}").status == 200
    assert names(api.get("/rest/sources", query={"q": "podc"}), "sources") == []
    assert post_lead(api, links={"sources": [source["id"]]}).status == 400


def test_custom_fields_are_defined_by_name_and_told_apart_from_the_record(api: Caller) -> None:
    body = {"name": "Size", "type": "Enum", "choices": ["S", "L"]}
    assert api.post("/rest/leads/customfield", body).status == 200
    for wrong in (body, {"name": "X", "type": "Colour"}, {"name": "X", "type": "Enum"}, {"type": "String"}):
        assert api.post("/rest/leads/customfield", wrong).status == 400, wrong
    fields = api.get("/rest/leads/customfields/attributes").json["customFields"]
    assert [row["title"] for row in fields] == ["Favorite Number", "Tier", "Size"]
    lead = made_lead(api, customFields={"Size": "L"})["id"]
    values = api.get(f"/rest/leads/{lead}/customfields").json["customFields"]
    assert values[-1] == fields[-1] | {"value": "L"}
    assert [row["title"] for row in api.get("/rest/contacts/customfields/attributes").json["customFields"]] == [
        "Favorite Number",
        "Tier",
    ]


# Credentials and refusals.


def test_the_user_name_is_the_address_of_somebody(crm: Caller) -> None:
    key = crm.grant(kind="api_key")["api_key"]
    keyed = crm.grant(kind="api_key", scopes=["canAccessCrm"])["api_key"]
    crm.plant("users", {"name": "Gone", "emails": ["gone@example.com"], "isEnabled": False})

    def as_user(email: str, password: str = key) -> Caller:
        return Caller(crm.url, {"Authorization": "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()})

    assert made_lead(as_user("sam@example.com"))["links"]["creator"] == "2-users"
    mine = made_lead(as_user("sam@example.com", keyed))["links"]
    assert (mine["creator"], mine["owner"]) == ("1-origins", None)
    for email, password in (
        ("sam@example.com", "x"),
        ("nobody@example.com", key),
        ("gone@example.com", key),
        ("", key),
    ):
        refused = as_user(email, password).get("/rest/users")
        assert refused.status == 401
        assert "<title>An Error Occurred: Unauthorized</title>" in refused.text
    lead = made_lead(as_user("sam@example.com"))["id"]
    assert as_user("sam@example.com", keyed).delete(f"/rest/leads/{lead}").status == 403
    bearer = Caller(crm.url, {"Authorization": f"Bearer {crm.grant()['access_token']}"})
    assert bearer.get("/rest/users").status == 401


def test_refusals_look_as_recorded_and_carry_a_request_id(api: Caller, recorded: Recorded) -> None:
    missing, was = api.get("/rest/unicorns"), recorded("nutshell/error_404_html.json")
    assert missing.status == was["status"]
    assert missing.headers["content-type"].startswith(was["headers"]["Content-Type"])
    title = "<title>An Error Occurred: Not Found</title>"
    assert title in was["body"]
    assert title in missing.text
    api.fault("server_error", route="leads")
    broken, was = api.get("/rest/leads"), recorded("nutshell/error_500.json")
    assert (broken.status, broken.json) == (was["status"], was["body"])
    wrong = api.put("/rest/leads", {})
    assert (wrong.status, wrong.json) == (405, "Internal Error")
    form = api.post("/rest/leads", form={"description": "Engine"})
    text = api.post("/rest/leads", {"leads": [{}]}, headers={"Content-Type": "text/plain"})
    patching = api.post("/rest/leads", {"leads": [{}]}, headers=PATCH)
    assert (form.status, text.status, patching.status) == (415, 415, 415)
    assert api.stored("leads") == []
    replies = (missing, broken, wrong, form, text, api.get("/rest/users"))
    assert len({reply.headers["x-nutshell-request-id"] for reply in replies}) == len(replies)


def test_no_limit_is_published_and_a_429_may_or_may_not_tell_its_wait(api: Caller) -> None:
    api.fault("rate_limited", wait=7)
    api.fault("rate_limited_silent")
    told, silent = api.get("/rest/leads"), api.get("/rest/leads")
    assert (told.status, told.headers["retry-after"]) == (429, "7")
    assert silent.status == 429
    assert not [name for reply in (silent, api.get("/rest/leads")) for name in reply.headers if "rate" in name]
    assert "retry-after" not in silent.headers


def test_the_same_request_twice_is_two_leads(api: Caller) -> None:
    api.fault("duplicate", method="POST", route="leads")
    assert post_lead(api).status == 201
    assert len(api.stored("leads")) == 2


# What a colleague does, and how a caller learns of it.


def planted(api: Caller, rows: list[dict[str, Any]], kind: str = "contacts") -> list[str]:
    return api.post(f"/_sandbox/records/{kind}", rows).json["ids"]


def altered(api: Caller, kind: str, record: str, fields: dict[str, Any]) -> int:
    return api.patch(f"/_sandbox/records/{kind}/{record}", fields).status


def erased(api: Caller, kind: str, record: str) -> int:
    return api.delete(f"/_sandbox/records/{kind}/{record}").status


def log_of_contacts(api: Caller, **query: Any) -> list[tuple[str, str]]:
    """(action, contact) of each event, newest first."""
    log = api.get("/rest/events", query={"filters[payload][]": "contacts"} | query).json
    return [(event["action"], event["links"]["payloads"][0]) for event in log["events"]]


def test_planted_contacts_have_the_moments_they_were_given(api: Caller) -> None:
    old, changed = planted(
        api,
        [
            {"name": "Old", "createdTime": 1_700_000_000},
            {"name": "Changed", "createdTime": 1_700_000_100, "modifiedTime": 1_700_000_200},
        ],
    )
    events = api.get("/rest/events", query={"filters[payload][]": "contacts"}).json["events"]
    assert [(event["action"], event["createdTime"]) for event in events] == [
        ("edit", 1_700_000_200),
        ("create", 1_700_000_100),
        ("create", 1_700_000_000),
    ]
    assert names(api.get("/rest/contacts", query={"sort": "-createdTime"}), "contacts") == ["Changed", "Old"]
    query = {"filter[createdTime]": "2023-11-14T22:15:00 TO 2023-11-14T22:16:00"}
    assert [row["id"] for row in api.get("/rest/contacts", query=query).json["contacts"]] == [changed]
    row = api.get(f"/rest/contacts/{old}").json["contacts"][0]
    assert not {"createdTime", "modifiedTime"} & row.keys()  # no record tells when it changed, the log does
    api.adjust(people_tell_created_time=True)
    assert api.get(f"/rest/contacts/{old}").json["contacts"][0]["createdTime"] == 1_700_000_000


def test_a_colleagues_change_is_an_event_with_the_contact_as_it_is_now(api: Caller) -> None:
    mine, other = planted(api, [{"name": name, "createdTime": 1_700_000_000} for name in ("Ada", "Bob")])
    before = int(time.time()) - 1
    assert log_of_contacts(api, since_time=before) == []
    account = api.plant("accounts", {"name": "Engines"})
    fields = {"name": "Ada Lovelace", "customFields": {"Favorite Number": "12"}, "links": {"accounts": [account]}}
    assert altered(api, "contacts", mine, fields) == 200
    assert altered(api, "contacts", mine, fields) == 200  # nothing is different any more
    assert log_of_contacts(api, since_time=before) == [("edit", mine)]
    log = api.get("/rest/events", query={"since_time": before, "filters[payload][]": "contacts"}).json
    [event], [told] = log["events"], log["payloads"]
    assert {change["attribute"] for change in event["changes"]} == {"name", "Favorite Number", "accounts"}
    assert event["links"]["actor"] == "2-users"
    assert (told["name"], told["links"]["accounts"]) == ("Ada Lovelace", [account])
    values = api.get(f"/rest/contacts/{mine}/customfields").json["customFields"]
    assert {one["title"]: one["value"] for one in values} == {"Favorite Number": "12", "Tier": None}
    assert altered(api, "contacts", mine, {"customFields": {"Favorite Number": None}}) == 200
    assert log_of_contacts(api, entity_id=mine)[:2] == [("edit", mine)] * 2
    assert log_of_contacts(api, entity_id=other) == [("create", other)]


def test_since_a_time_leaves_out_that_second_unless_the_instance_counts_it_in(api: Caller) -> None:
    [mine] = planted(api, [{"name": "Ada", "createdTime": 1_700_000_000}])
    assert log_of_contacts(api, since_time=1_700_000_000) == []
    assert log_of_contacts(api, since_time=1_699_999_999) == [("create", mine)]
    assert log_of_contacts(api, max_time=1_700_000_000) == [("create", mine)]
    api.adjust(since_time_is_inclusive=True)
    assert log_of_contacts(api, since_time=1_700_000_000) == [("create", mine)]


def test_a_contact_that_a_colleague_deletes_is_told_by_the_log_of_deletions_alone(api: Caller) -> None:
    mine, other = planted(api, [{"name": "Ada"}, {"name": "Bob"}])
    seen = api.get("/rest/events").json["events"][0]["id"]
    assert erased(api, "contacts", mine) == 200
    assert names(api.get("/rest/contacts"), "contacts") == ["Bob"]
    assert api.get(f"/rest/contacts/{mine}").status == 404
    assert log_of_contacts(api, since_id=seen) == []
    log = api.get("/rest/events/deleted", query={"filter[types]": "contacts"}).json
    [event], [told] = log["events"], log["payloads"]
    assert (event["action"], event["links"]["payloads"]) == ("delete", [mine])
    assert (told["id"], told["deletedTime"]) == (mine, event["createdTime"])
    assert api.get("/rest/events/deleted", query={"since_time": event["createdTime"]}).json["events"] == []
    assert [erased(api, "contacts", mine), altered(api, "contacts", mine, {"name": "Eve"})] == [400, 400]
    assert [erased(api, "unicorns", "1"), altered(api, "users", "99-users", {})] == [400, 400]
    assert altered(api, "contacts", other, {"name": "Bob"}) == 200


def test_the_log_of_deletions_goes_on_behind_its_links_or_comes_at_once(api: Caller) -> None:
    made = planted(api, [{"name": str(place)} for place in range(60)])
    for one in made:
        erased(api, "contacts", one)

    def gone(reply: Reply) -> list[str]:
        return [event["links"]["payloads"][0] for event in reply.json["events"]]

    first = api.get("/rest/events/deleted?filter[types]=contacts")
    assert gone(first) == made[:50]
    rest = follow(api, first.json["meta"]["next"])
    assert gone(rest) == made[50:]
    end = follow(api, rest.json["meta"]["next"])
    assert (gone(end), "next" in end.json["meta"]) == ([], False)
    newest = api.get("/rest/events/deleted?sort=-change_time&limit=20")
    assert gone(newest) == made[:39:-1]
    assert gone(follow(api, newest.json["meta"]["previous"])) == made[39:19:-1]
    api.adjust(deletions_are_paged=False)
    assert gone(api.get("/rest/events/deleted?limit=5")) == made


def test_a_colleague_changes_and_deletes_leads_accounts_and_users_too(api: Caller) -> None:
    lead, account = api.plant("leads", {"description": "Engine"}), api.plant("accounts", {"name": "Engines"})
    assert altered(api, "leads", lead, {"description": "Loom", "manualValue": "12.50"}) == 200
    assert (lead_now(api, lead)["name"], lead_now(api, lead)["value"]["amount"]) == ("Loom", "12.50")
    user = api.plant("users", {"name": "Charles Babbage", "emails": ["charles@example.com"]})
    assert altered(api, "users", user, {"name": "Carl Babbage"}) == 200
    [told] = api.get(f"/rest/users/{user}").json["users"]
    assert (told["name"], told["firstName"]) == ("Carl Babbage", "Carl")
    for kind, record in (("leads", lead), ("accounts", account), ("users", user)):
        assert erased(api, kind, record) == 200
        assert api.get(f"/rest/{kind}/{record}").status == 404
    assert erased(api, "sources", "1-sources") == 200
    assert names(api.get("/rest/sources"), "sources") == ["Trade fair"]


def test_five_thousand_contacts_are_listed_and_their_log_is_walked(api: Caller) -> None:
    rows = [{"name": f"{place:04}", "createdTime": 1_700_000_000 + place} for place in range(5000)]
    made = planted(api, rows)
    query: dict[str, Any] = {"page[limit]": 500, "sort": "createdTime"}
    pages = [api.get("/rest/contacts", query=query | {"page[page]": page}).json for page in range(11)]
    assert [row["id"] for page in pages for row in page["contacts"]] == made
    assert (pages[-1]["contacts"], pages[-1]["meta"]["total"]) == ([], 5000)
    log = api.get("/rest/events", query={"filters[payload][]": "contacts", "limit": 500})
    found: list[str] = []
    while log.json["events"]:
        found += [row["id"] for row in log.json["payloads"]]
        log = follow(api, log.json["meta"]["previous"])
    assert found == made[::-1]
