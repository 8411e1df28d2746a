"""Zendesk Sell's peculiarities, and its recorded answers."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local.samples.zendesk_sell import SAMPLE
from tests.sandbox.caller import Caller, Reply

CRM = "zendesk_sell"
LEADS = "/v2/leads"

type Recorded = Callable[[str], Any]


def lead(api: Caller, **fields: Any) -> Reply:
    return api.post(LEADS, {"data": {"last_name": "Lovelace"} | fields})


def errors(reply: Reply) -> list[tuple[str, str | None]]:
    return [(one["error"]["code"], one["error"].get("field")) for one in reply.json["errors"]]


def search(api: Caller, **data: Any) -> Any:
    reply = api.post("/v3/leads/search", {"items": [{"data": data}]})
    assert reply.status == 200, reply.text
    return reply.json["items"][0]


def test_a_lead_looks_as_recorded(api: Caller, recorded: Recorded) -> None:
    was = recorded("zendesk_sell/lead_record_full.json")["body"]
    made = lead(api, address={"line1": "1 St James's Square", "city": "London"}, tags=["maths"])
    assert made.status == recorded("zendesk_sell/lead_create.json")["status"]
    assert made.json["data"].keys() == was["data"].keys()
    assert made.json["data"]["address"].keys() == was["data"]["address"].keys()
    assert made.json["meta"] == was["meta"]
    assert made.json["data"]["status"] == "New"
    assert made.json["data"]["id"] > 2**32
    assert api.get(f"{LEADS}/{made.json['data']['id']}").json == made.json


def test_a_create_may_also_be_told_with_201(crm: Caller, api: Caller) -> None:
    crm.adjust(created_status=201)
    assert lead(api).status == 201


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"invalid_field": 1}, "unknown", "/invalid_field"),
        ({"contact_id": 1}, "unknown", "/contact_id"),
        ({"id": 1}, "unknown", "/id"),
        ({"owner_id": "1"}, "invalid_type", "/owner_id"),
        ({"owner_id": 1}, "incorrect_value", "/owner_id"),
        ({"owner_id": None}, "invalid_type", "/owner_id"),
        ({"source_id": 1}, "incorrect_value", "/source_id"),
        ({"status": "new"}, "incorrect_value", "/status"),
        ({"email": "nobody"}, "incorrect_value", "/email"),
        ({"phone": 1}, "invalid_type", "/phone"),
        ({"tags": "a,b"}, "invalid_type", "/tags"),
        ({"address": "London"}, "invalid_type", "/address"),
        ({"address": {"street": "1 St James's Square"}}, "unknown", "/address/street"),
        ({"address": {"city": 1}}, "invalid_type", "/address/city"),
        ({"custom_fields": []}, "invalid_type", "/custom_fields"),
        ({"custom_fields": {"favourite colour": "red"}}, "unknown", "/custom_fields/favourite colour"),
        ({"custom_fields": {"Tier": "Tin"}}, "incorrect_value", "/custom_fields/Tier"),
        ({"custom_fields": {"Tier": ["Gold"]}}, "invalid_type", "/custom_fields/Tier"),
        ({"custom_fields": {"Channels": "Email"}}, "invalid_type", "/custom_fields/Channels"),
        ({"custom_fields": {"Channels": ["Pigeon"]}}, "incorrect_value", "/custom_fields/Channels"),
        ({"custom_fields": {"Contract end": "31.12.2026"}}, "incorrect_value", "/custom_fields/Contract end"),
        ({"custom_fields": {"Called at": "2026-12-31T10:00:00"}}, "incorrect_value", "/custom_fields/Called at"),
        ({"custom_fields": {"Score": "many"}}, "incorrect_value", "/custom_fields/Score"),
        ({"custom_fields": {"Newsletter": "yes"}}, "invalid_type", "/custom_fields/Newsletter"),
        ({"custom_fields": {"Second address": {"street": "x"}}}, "unknown", "/custom_fields/Second address/street"),
    ],
)
def test_what_a_lead_does_not_take_is_422_with_a_pointer(
    api: Caller, recorded: Recorded, fields: dict[str, Any], code: str, field: str
) -> None:
    reply = lead(api, **fields)
    was = recorded("zendesk_sell/lead_create_error_422_unknown_attribute.json")
    assert (reply.status, errors(reply)) == (was["status"], [(code, field)])
    assert reply.json.keys() == was["body"].keys()
    assert reply.json["meta"].keys() == was["body"]["meta"].keys()
    assert reply.json["errors"][0]["error"].keys() == was["body"]["errors"][0]["error"].keys()
    assert reply.json["meta"]["http_status"] == was["body"]["meta"]["http_status"]
    assert reply.json["meta"]["logref"] == reply.headers["x-request-id"]
    assert api.stored("leads") == []


def test_all_flaws_come_at_once_and_older_answers_point_from_data(crm: Caller, api: Caller, recorded: Recorded) -> None:
    wrong = {"phone": 1, "nonsense": 1}
    assert set(errors(lead(api, **wrong))) == {("invalid_type", "/phone"), ("unknown", "/nonsense")}
    crm.adjust(older_errors=True)
    reply, was = lead(api, phone=1), recorded("zendesk_sell/error_422_product.json")["body"]
    assert reply.json["errors"][0]["error"]["field"] == "/data/phone"
    assert reply.json["meta"]["type"] == was["meta"]["type"]


def test_a_lead_has_a_last_name_or_an_organization(api: Caller) -> None:
    for data, code in (({}, "missing"), ({"first_name": "Ada"}, "missing"), ({"last_name": " "}, "blank")):
        reply = api.post(LEADS, {"data": data})
        assert (reply.status, errors(reply)) == (422, [(code, "/last_name")])
    made = api.post(LEADS, {"data": {"organization_name": "Engines"}})
    path = f"{LEADS}/{made.json['data']['id']}"
    assert errors(api.put(path, {"data": {"organization_name": None}})) == [("blank", "/organization_name")]
    assert api.put(path, {"data": {"organization_name": None, "last_name": "King"}}).status == 200


def test_a_body_is_json_in_an_envelope(api: Caller) -> None:
    for body in ({"last_name": "Lovelace"}, {"data": []}, {"data": {"last_name": "x"}, "extra": 1}):
        reply = api.post(LEADS, body)
        assert (reply.status, errors(reply)[0][0]) == (422, "incorrect_payload")
    assert errors(api.post(LEADS, ["data"])) == [("invalid_payload", None)]
    assert errors(api.post(LEADS, form={"last_name": "x"})) == [("invalid_header", None)]
    assert api.post(LEADS, {"data": {"last_name": "x"}, "meta": {"type": "lead"}}).status == 200


def test_who_does_not_say_who_asks_is_refused(crm: Caller) -> None:
    token = crm.grant()["access_token"]
    reply = crm.get(LEADS, headers={"Authorization": f"Bearer {token}"})
    assert (reply.status, errors(reply)) == (400, [("invalid_user_agent", None)])


def test_an_update_changes_what_is_sent_and_replaces_tags(crm: Caller, api: Caller) -> None:
    own = {"Tier": "Gold", "Score": 7, "Channels": ["Email", "Chat"], "Newsletter": True, "Contract end": "2026-12-31"}
    made = lead(api, phone="1", tags=["a", "b"], custom_fields=own).json["data"]
    assert made["custom_fields"] == own | {"Score": "7"}
    path = f"{LEADS}/{made['id']}"
    changed = api.put(path, {"data": {"tags": ["c"], "phone": None, "custom_fields": {"Tier": None}}}).json["data"]
    assert (changed["last_name"], changed["phone"], changed["tags"]) == ("Lovelace", None, ["c"])
    assert changed["custom_fields"] == {name: value for name, value in made["custom_fields"].items() if name != "Tier"}
    crm.adjust(custom_fields_replaced=True)
    changed = api.put(path, {"data": {"custom_fields": {"Tier": "Silver"}}}).json["data"]
    assert changed["custom_fields"] == {"Tier": "Silver"}


def test_a_deleted_lead_is_gone_without_a_trace(api: Caller, recorded: Recorded) -> None:
    path = f"{LEADS}/{lead(api).json['data']['id']}"
    gone = api.delete(path)
    assert (gone.status, gone.text) == (204, "")
    was = recorded("zendesk_sell/error_404_not_found.json")
    for reply in (api.get(path), api.put(path, {"data": {}}), api.delete(path), api.get(f"{LEADS}/abc")):
        assert (reply.status, errors(reply)) == (was["status"], [("not_found", None)])
        assert reply.json["errors"][0]["error"].keys() == was["body"]["errors"][0]["error"].keys()
        assert reply.json["errors"][0]["error"]["message"] == was["body"]["errors"][0]["error"]["message"]
    assert api.get(LEADS).json["items"] == []


def test_lists_are_paged_by_number_and_linked(api: Caller, recorded: Recorded) -> None:
    planted = [api.plant("leads", {"last_name": str(number)}) for number in range(5)]
    page = api.get(LEADS, query={"per_page": 2}).json
    was = recorded("zendesk_sell/contacts_list_full_envelope.json")["body"]
    assert page["meta"].keys() == was["meta"].keys()
    assert page["items"][0]["meta"].keys() == was["items"][0]["meta"].keys()
    assert page["meta"]["links"].keys() == {"self", "next_page"}
    seen = page["items"]
    while "next_page" in page["meta"]["links"]:
        link = urlsplit(page["meta"]["links"]["next_page"])
        assert f"{link.scheme}://{link.netloc}" == api.url
        page = api.get(f"{link.path}?{link.query}").json
        seen = [*seen, *page["items"]]
    assert [item["data"]["id"] for item in seen] == planted
    assert (page["meta"]["count"], page["meta"]["links"].keys()) == (1, {"self", "first_page", "prev_page"})
    beyond = api.get(LEADS, query={"per_page": 2, "page": 9}).json
    assert (beyond["items"], beyond["meta"]["count"]) == ([], 0)
    assert len(api.get(LEADS, query={"per_page": 100}).json["items"]) == 5


def test_a_page_is_at_most_100(api: Caller, recorded: Recorded) -> None:
    was, reply = recorded("zendesk_sell/error_400_per_page.json"), api.get(f"{LEADS}?per_page=200")
    assert (reply.status, reply.json["errors"]) == (was["status"], was["body"]["errors"])
    assert reply.json["meta"] == was["body"]["meta"]
    for query in ("per_page=0", "page=0", "page=-1", "page=x", "sort_by=shoe_size", "ids=a", "owner_id=me"):
        reply = api.get(f"{LEADS}?{query}")
        assert (reply.status, errors(reply)) == (400, [("invalid_param", None)]), query
    for number in range(26):
        api.plant("leads", {"last_name": str(number)})
    assert len(api.get(LEADS).json["items"]) == 25


def test_a_list_knows_equality_and_nothing_else(crm: Caller, api: Caller) -> None:
    [source, *_] = api.stored("lead_sources")
    seller = api.stored("users")[1]["id"]
    a = lead(api, email="a@example.com", source_id=source["id"], address={"city": "Paris"}).json["data"]["id"]
    b = lead(api, owner_id=seller, status="Working", custom_fields={"Favourite colour": "red"}).json["data"]["id"]
    c = lead(api, organization_name="Engines", custom_fields={"Tier": "Gold"}).json["data"]["id"]
    for query, found in (
        ({"email": "a@example.com"}, [a]),
        ({"email": "A@example.com"}, []),
        ({"source_id": source["id"]}, [a]),
        ({"address[city]": "Paris"}, [a]),
        ({"owner_id": seller}, [b]),
        ({"status": "Working"}, [b]),
        ({"custom_fields[Favourite colour]": "red"}, [b]),
        ({"organization_name": "Engines", "last_name": "Lovelace"}, [c]),
        ({"ids": f"{a},{c},1"}, [a, c]),
    ):
        items = api.get(LEADS, query={"sort_by": "id"} | query).json["items"]
        assert [item["data"]["id"] for item in items] == found, query
    assert api.get(LEADS, query={"custom_fields[Tier]": "Gold"}).status == 400
    since = {"updated_since": "2026-01-01T00:00:00Z"}
    assert errors(api.get(LEADS, query=since)) == [("invalid_param", None)]
    crm.adjust(unknown_parameters=True)
    assert len(api.get(LEADS, query=since).json["items"]) == 3


def test_the_default_order_differs_and_any_can_be_asked_for(api: Caller) -> None:
    old, new, middle = (
        api.plant("leads", {"last_name": name, "updated_at": f"2026-0{month}-01T00:00:00Z", "custom_fields": own})
        for name, month, own in (("B", 1, {}), ("A", 3, {"Score": "2"}), ("C", 2, {"Score": "1"}))
    )
    for query, order in (
        ({}, [old, middle, new]),
        ({"sort_by": "updated_at:desc"}, [new, middle, old]),
        ({"sort_by": "last_name"}, [new, old, middle]),
        ({"sort_by": "custom_fields:Score:desc"}, [new, middle, old]),
    ):
        assert [item["data"]["id"] for item in api.get(LEADS, query=query).json["items"]] == order, query
    people = [api.plant("contacts", {"last_name": name}) for name in "BA"]
    assert [item["data"]["id"] for item in api.get("/v2/contacts").json["items"]] == people[::-1]


def test_people_and_organizations_are_one_resource(api: Caller, recorded: Recorded) -> None:
    company = api.post("/v2/contacts", {"data": {"is_organization": True, "name": "Engines"}}).json["data"]
    body = {"first_name": "Ada", "last_name": "Lovelace", "contact_id": company["id"]}
    person = api.post("/v2/contacts", {"data": body}).json
    was = recorded("zendesk_sell/contacts_list_full_envelope.json")["body"]["items"][0]["data"]
    assert person["data"].keys() == was.keys() | {"parent_organization_id"}
    assert (person["data"]["name"], person["meta"]["type"]) == ("Ada Lovelace", "contact")
    companies = api.get("/v2/contacts?is_organization=true").json["items"]
    assert [item["data"]["id"] for item in companies] == [company["id"]]
    for data, code, field in (
        ({"is_organization": True, "last_name": "Engines"}, "missing", "/name"),
        ({"name": "Ada Lovelace"}, "missing", "/last_name"),
        ({"last_name": "King", "contact_id": person["data"]["id"]}, "incorrect_value", "/contact_id"),
        ({"last_name": "King", "prospect_status": "maybe"}, "incorrect_value", "/prospect_status"),
        ({"last_name": "King", "custom_fields": {"Tier": "Gold"}}, "unknown", "/custom_fields/Tier"),
    ):
        reply = api.post("/v2/contacts", {"data": data})
        assert (reply.status, errors(reply)) == (422, [(code, field)])
    path = f"/v2/contacts/{person['data']['id']}"
    assert errors(api.put(path, {"data": {"is_organization": True}})) == [("unknown", "/is_organization")]
    assert api.plant("companies", {"name": "Looms"}) in {row["id"] for row in api.stored("companies")}


def test_pipelines_and_stages_look_as_recorded_and_are_only_read(api: Caller, recorded: Recorded) -> None:
    for noun in ("pipelines", "stages"):
        items = api.get(f"/v2/{noun}").json["items"]
        was = recorded(f"zendesk_sell/{noun}_list.json")["body"]["items"][0]
        assert items[0]["data"].keys() == was["data"].keys()
        assert items[0]["meta"] == was["meta"]
        one = f"/v2/{noun}/{items[0]['data']['id']}"
        for refused in (
            api.post(f"/v2/{noun}", {"data": {"name": "x"}}),
            api.get(one),
            api.put(one, {"data": {"name": "x"}}),
            api.delete(one),
        ):
            assert (refused.status, errors(refused)) == (404, [("incorrect_path", None)])
    [pipeline] = api.get("/v2/pipelines", query={"name": "Sales Pipeline"}).json["items"]
    stages = [item["data"] for item in api.get(f"/v2/stages?pipeline_id={pipeline['data']['id']}").json["items"]]
    assert {stage["category"] for stage in stages} == {"incoming", "in_progress", "won", "lost", "unqualified"}
    assert [stage["position"] for stage in stages] == [*range(1, len(stages) + 1)]
    ended = {stage["category"] for stage in stages if not stage["active"]}
    assert ended == {"won", "lost", "unqualified"}
    assert api.get("/v2/stages?sort_by=id").status == 400
    assert [api.get(f"/v2/pipelines?sort_by={name}").status for name in ("id", "name", "updated_at")] == [200, 200, 400]


def test_stages_are_told_apart_by_filters(api: Caller) -> None:
    pipeline = api.plant("pipelines", {"name": "Renewals"})
    there = api.plant("stages", {"name": "Open", "pipeline_id": pipeline})
    gone = api.plant("stages", {"name": "Open", "pipeline_id": pipeline, "active": False})
    for query, found in (
        ({"pipeline_id": pipeline}, [there, gone]),
        ({"name": "Open", "active": "true"}, [there]),
        ({"ids": gone}, [gone]),
        ({"pipeline_id": 1}, []),
    ):
        assert [item["data"]["id"] for item in api.get("/v2/stages", query=query).json["items"]] == found, query
    assert api.get("/v2/stages?active=yes").status == 400


def test_lead_sources_are_made_once(api: Caller, recorded: Recorded) -> None:
    empty = api.get("/v2/lead_sources?name=Word").json
    was = recorded("zendesk_sell/lead_sources_empty.json")["body"]
    assert (empty["items"], empty["meta"].keys()) == (was["items"], was["meta"].keys())
    made = api.post("/v2/lead_sources", {"data": {"name": "Word"}})
    was = recorded("zendesk_sell/lead_source_get.json")["body"]
    path = f"/v2/lead_sources/{made.json['data']['id']}"
    assert api.get(path).json == made.json
    assert (made.json["data"].keys(), made.json["meta"]) == (was["data"].keys(), was["meta"])
    for data, code in (
        ({"name": "Word"}, "already_exists"),
        ({}, "missing"),
        ({"name": ""}, "blank"),
        ({"name": 5}, "invalid_type"),
    ):
        reply = api.post("/v2/lead_sources", {"data": data})
        assert (reply.status, errors(reply)) == (422, [(code, "/name")])
    assert errors(api.post("/v2/lead_sources", {"data": {"name": "y", "x": 1}})) == [("unknown", "/x")]
    assert api.put(path, {"data": {"name": "Wort"}}).json["data"]["name"] == "Wort"
    assert [api.delete(path).status, api.get(path).status] == [204, 404]


def test_users_statuses_and_custom_fields_are_listed(crm: Caller, api: Caller, recorded: Recorded) -> None:
    for noun, fixture in (("users", "users_list"), ("lead_statuses", "lead_statuses")):
        item, was = (
            api.get(f"/v2/{noun}").json["items"][0],
            recorded(f"zendesk_sell/{fixture}.json")["body"]["items"][0],
        )
        assert (item["data"].keys(), item["meta"]) == (was["data"].keys(), was["meta"])
    me = api.get("/v2/users/self").json
    assert api.get(f"/v2/users/{me['data']['id']}").json == me
    assert [item["data"]["name"] for item in api.get("/v2/users?status=inactive").json["items"]] == ["Gil Gone"]
    fields = {item["data"]["name"]: item["data"] for item in api.get("/v2/lead/custom_fields").json["items"]}
    assert [one["name"] for one in fields["Tier"]["choices"]] == ["Gold", "Silver", "Bronze"]
    crm.adjust(choices_named="options")
    fields = {item["data"]["name"]: item["data"] for item in api.get("/v2/contact/custom_fields").json["items"]}
    assert len(fields["Tier"]["options"]) == 3
    assert api.get("/v2/accounts/self").json["data"]["currency"] == "EUR"


# One record by its id.


@pytest.fixture
def story(crm: Caller) -> dict[str, str]:
    """The customer of the local stack, by the plural of what each of its records is."""
    return dict(SAMPLE.story(lambda noun, **fields: str(crm.plant(noun, fields))))


READ = {
    "companies": "/v2/contacts", "contacts": "/v2/contacts", "deals": "/v2/deals", "leads": LEADS, "users": "/v2/users",
}  # fmt: skip
TYPES = {"leads": "lead", "deals": "deal", "users": "user"}


@pytest.mark.parametrize(
    ("noun", "was", "place"),
    [
        ("companies", "contacts_list_full_envelope", 0),
        ("contacts", "contacts_list_full_envelope", 1),
        ("deals", "deal_record_full", None),
        ("deals", "deals_list", 0),
        ("leads", "lead_record_full", None),
        ("users", "users_list", 0),
    ],
)
def test_every_object_is_read_by_its_id_as_recorded(
    api: Caller, recorded: Recorded, story: dict[str, str], noun: str, was: str, place: int | None
) -> None:
    reply = api.get(f"{READ[noun]}/{story[noun]}")
    assert (reply.status, reply.json["data"]["id"]) == (200, int(story[noun]))
    assert reply.json["meta"] == {"type": TYPES.get(noun, "contact")}
    body, shown = recorded(f"zendesk_sell/{was}.json")["body"], reply.json["data"]
    older = (body if place is None else body["items"][place])["data"]
    assert older.keys() <= shown.keys()
    for name, value in older.items():
        number = isinstance(value, int | float) and isinstance(shown[name], int | float)
        assert number or None in (value, shown[name]) or type(value) is type(shown[name]), name


def test_owner_company_and_contact_are_ids_and_a_deals_company_is_that_of_its_contact(
    crm: Caller, api: Caller, story: dict[str, str]
) -> None:
    rows = {noun: api.get(f"{path}/{story[noun]}").json["data"] for noun, path in READ.items()}
    assert {rows[noun]["owner_id"] for noun in READ if noun != "users"} == {int(story["users"])}
    company, contact, deal = (int(story[noun]) for noun in ("companies", "contacts", "deals"))
    assert (rows["companies"]["is_organization"], rows["contacts"]["is_organization"]) == (True, False)
    assert (rows["contacts"]["contact_id"], rows["deals"]["contact_id"]) == (company, contact)
    assert rows["deals"]["organization_id"] == company
    assert api.get("/v2/deals", query={"organization_id": company}).json["meta"]["count"] == 1
    api.put(f"/v2/deals/{deal}", {"data": {"contact_id": company}})
    assert api.get(f"/v2/deals/{deal}").json["data"]["organization_id"] is None
    crm.adjust(organizations_own_deals=True)
    assert api.get(f"/v2/deals/{deal}").json["data"]["organization_id"] == company


def test_a_deal_tells_money_its_day_and_its_stage(crm: Caller, api: Caller, story: dict[str, str]) -> None:
    path = f"/v2/deals/{story['deals']}"
    deal = api.get(path).json["data"]
    assert (deal["value"], deal["currency"], deal["estimated_close_date"]) == (12500, "GBP", "2026-12-31")
    assert deal["custom_fields"] == {"Favourite colour": "teal"}
    [stage] = api.get("/v2/stages", query={"ids": deal["stage_id"]}).json["items"]
    assert stage["data"]["category"] == "incoming"
    crm.adjust(value_as_text=True)
    assert api.get(path).json["data"]["value"] == "12500.00"


def test_a_deal_needs_a_name_and_a_contact_and_moves_by_its_stage(api: Caller, story: dict[str, str]) -> None:
    assert errors(api.post("/v2/deals", {"data": {}})) == [("missing", "/name"), ("missing", "/contact_id")]
    body = {"name": "Engine", "contact_id": int(story["contacts"]), "value": "10.50"}
    assert errors(api.post("/v2/deals", {"data": body | {"organization_id": 1}})) == [("unknown", "/organization_id")]
    assert errors(api.post("/v2/deals", {"data": body | {"stage_id": 1}})) == [("incorrect_value", "/stage_id")]
    made = api.post("/v2/deals", {"data": body}).json["data"]
    assert (made["value"], made["hot"], made["currency"]) == (10.5, False, "EUR")
    won = next(stage["id"] for stage in api.stored("stages") if stage["category"] == "won")
    assert api.put(f"/v2/deals/{made['id']}", {"data": {"stage_id": won}}).json["data"]["stage_id"] == won


def test_further_people_of_a_deal_are_a_call_of_their_own(crm: Caller, api: Caller, story: dict[str, str]) -> None:
    people, other = f"/v2/deals/{story['deals']}/associated_contacts", crm.plant("contacts", {"last_name": "King"})
    assert api.get(people).json["items"] == []
    added = api.post(people, {"data": {"contact_id": other, "role": "involved"}}).json
    assert added["meta"]["type"] == "associated_contact"
    assert [item["data"]["contact_id"] for item in api.get(people).json["items"]] == [other]
    assert errors(api.post(people, {"data": {"contact_id": 1}})) == [("incorrect_value", "/contact_id")]
    assert [api.delete(f"{people}/{other}").status for _ in range(2)] == [204, 404]
    assert api.get("/v2/deals/5/associated_contacts").status == 404


@pytest.mark.parametrize("noun", READ)
def test_no_record_and_no_number_are_both_not_found(api: Caller, noun: str) -> None:
    for wanted in ("5", "ada"):
        reply = api.get(f"{READ[noun]}/{wanted}")
        [error] = reply.json["errors"]
        assert (reply.status, error["error"]["code"]) == (404, "not_found")
        assert error["error"]["resource"] == TYPES.get(noun, "contact")


def test_what_was_removed_is_read_no_more(api: Caller, story: dict[str, str]) -> None:
    for noun in ("deals", "leads", "contacts", "companies"):
        path = f"{READ[noun]}/{story[noun]}"
        assert [api.delete(path).status, api.get(path).status] == [204, 404]


@pytest.mark.parametrize("noun", READ)
def test_what_the_users_role_may_not_see_is_403_or_looks_as_if_it_were_not_there(
    crm: Caller, api: Caller, story: dict[str, str], noun: str
) -> None:
    crm.adjust(forbidden=[noun])
    path = f"{READ[noun]}/{story[noun]}"
    refused = api.get(path)
    assert (refused.status, errors(refused)) == (403, [("insufficient_scope", None)])
    crm.adjust(forbidden_status=404)
    refused = api.get(path)
    assert (refused.status, errors(refused)) == (404, [("not_found", None)])
    others = [other for other in READ if other != noun]
    assert {api.get(f"{READ[other]}/{story[other]}").status for other in others} == {200}
    assert int(story[noun]) not in [item["data"]["id"] for item in api.get(READ[noun]).json["items"]]


@pytest.mark.parametrize("noun", READ)
def test_a_record_of_others_looks_as_if_it_were_not_there(
    crm: Caller, api: Caller, story: dict[str, str], noun: str
) -> None:
    crm.adjust(foreign_records=[int(story[noun])])
    refused = api.get(f"{READ[noun]}/{story[noun]}")
    assert (refused.status, errors(refused)) == (404, [("not_found", None)])
    assert int(story[noun]) not in [item["data"]["id"] for item in api.get(READ[noun]).json["items"]]


def test_names_behind_the_ids_of_a_deal_are_read_one_by_one(api: Caller, recorded: Recorded) -> None:
    was = recorded("zendesk_sell/deal_sources_list.json")["body"]["items"][0]
    item = api.get("/v2/deal_sources").json["items"][0]
    assert (item["data"].keys(), item["meta"]) == (was["data"].keys(), was["meta"])
    assert api.get(f"/v2/deal_sources/{item['data']['id']}").json == item


# The Search API.


def test_search_has_names_of_its_own(crm: Caller, api: Caller) -> None:
    crm.adjust(search_lag=0)
    source = api.stored("lead_sources")[0]
    made = lead(
        api, first_name="Ada", organization_name="Engines", phone="1", source_id=source["id"],
        address={"line1": "1 St James's Square"}, custom_fields={"Favourite colour": "red"},
    ).json["data"]  # fmt: skip
    names = ("company_name", "display_name", "owner", "source", "phone_numbers", "address", "custom_fields", "uid")
    [item] = search(api, query={"projection": [{"name": name} for name in names]})["items"]
    row = item["data"]
    assert row["id"] == made["id"]
    assert (row["company_name"], row["display_name"]) == ("Engines", "Ada Lovelace")
    assert row["owner"] == {"id": made["owner_id"], "name": "Ada Admin"}
    assert row["source"] == {"id": source["id"], "name": source["name"]}
    assert (row["phone_numbers"]["phone"], row["address"]["street"]) == ("1", "1 St James's Square")
    assert ([*row["custom_fields"].values()], row["uid"]) == (["red"], None)
    [bare] = search(api, query={})["items"]
    assert bare["data"].keys() == {"id", "version"}
    schema = api.get("/v3/leads/schema").json["attributes"]
    assert set(names) <= schema.keys()


def test_search_goes_on_by_cursor_while_leads_change(crm: Caller, api: Caller) -> None:
    crm.adjust(search_lag=0)
    planted = [
        api.plant("leads", {"last_name": str(day), "updated_at": f"2026-01-0{day}T00:00:00Z"}) for day in range(1, 6)
    ]
    since = {"attribute": {"name": "updated_at"}, "parameter": {"range": {"gte": "2026-01-02T01:00:00+01:00"}}}
    query = {"filter": {"and": [{"filter": since}]}, "sort": [{"attribute": {"name": "updated_at"}}]}
    first = search(api, query=query, per_page=2, cursor=None)
    assert (first["meta"]["count"], first["meta"]["total_count"]) == (2, 4)
    api.put(f"{LEADS}/{planted[1]}", {"data": {"phone": "1"}})
    seen, page = [item["data"]["id"] for item in first["items"]], first
    while cursor := page["meta"]["links"].get("next_page"):
        page = search(api, query=query, per_page=2, cursor=cursor)
        seen += [item["data"]["id"] for item in page["items"]]
    assert seen == [*planted[1:], planted[1]]
    newest = search(api, query={"sort": [{"attribute": {"name": "updated_at"}, "order": "descending"}]}, per_page=1)
    assert newest["items"][0]["data"]["id"] == planted[1]
    second = search(api, query=query, per_page=3, page=1)
    assert [item["data"]["id"] for item in second["items"]] == [planted[1]]
    foreign = api.post("/v3/leads/search", {"items": [{"data": {"cursor": first["meta"]["links"]["next_page"]}}]})
    assert (foreign.status, errors(foreign)) == (422, [("incorrect_value", "/cursor")])


def test_search_lags_behind_reading(crm: Caller, api: Caller) -> None:
    crm.adjust(search_lag=2)
    lead_id = lead(api).json["data"]["id"]
    assert api.get(f"{LEADS}/{lead_id}").status == 200
    assert search(api, query={})["items"] == []
    crm.adjust(search_lag=0)
    api.put(f"{LEADS}/{lead_id}", {"data": {"email": "ada@example.com"}})
    by_email = {"filter": {"attribute": {"name": "email"}, "parameter": {"eq": "ada@example.com"}}}
    [found] = search(api, query={"filter": by_email})["items"]
    assert found["data"] == {"id": lead_id, "version": 2}
    api.delete(f"{LEADS}/{lead_id}")
    assert search(api, query={"filter": by_email})["items"] == []


@pytest.mark.parametrize(
    "data",
    [
        {"per_page": 201},
        {"per_page": "10"},
        {"page": -1},
        {"page": 1, "cursor": "WzFd"},
        {"cursor": "?"},
        {"limit": 5},
        {"query": "Ada"},
        {"query": {"projection": [{"name": "organization_name"}]}},
        {"query": {"projection": [{"name": "owner.email"}]}},
        {"query": {"sort": [{"attribute": {"name": "updated_at"}, "order": "desc"}]}},
        {"query": {"filter": {"updated_at": "2026-01-01"}}},
        {"query": {"filter": {"filter": {"attribute": {"name": "id"}, "parameter": {"like": 1}}}}},
        {"query": {"filter": {"filter": {"attribute": {"name": "updated_at"}, "parameter": {"range": {"gte": "x"}}}}}},
    ],
)
def test_a_search_that_cannot_be_answered_is_refused(api: Caller, data: dict[str, Any]) -> None:
    reply = api.post("/v3/leads/search", {"items": [{"data": data}]})
    assert reply.status == 422, reply.text
    assert errors(api.post("/v3/leads/search", data)) == [("incorrect_payload", None)]


def test_tokens_want_http_basic_and_a_form(crm: Caller, recorded: Recorded) -> None:
    grant = crm.grant()
    form = {"grant_type": "refresh_token", "refresh_token": grant["refresh_token"]}
    in_body = {"client_id": grant["client_id"], "client_secret": grant["client_secret"]}
    was, reply = recorded("zendesk_sell/oauth_error_401.json"), crm.post("/oauth2/token", form=form | in_body)
    assert (reply.status, reply.json) == (was["status"], was["body"])
    basic = base64.b64encode(f"{grant['client_id']}:{grant['client_secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    assert crm.post("/oauth2/token", form, headers=headers).status == 400
    was, reply = (
        recorded("zendesk_sell/oauth_refresh.json")["body"],
        crm.post("/oauth2/token", form=form, headers=headers),
    )
    assert reply.json.keys() == was.keys()
    assert (reply.json["expires_in"], reply.json["scope"]) == (was["expires_in"], was["scope"])
    again = crm.post("/oauth2/token", form=form, headers=headers)
    assert (again.status, again.json) == (401, {"error": "invalid_grant"})
    crm.adjust(refused_grant_status=400)
    assert crm.post("/oauth2/token", form=form, headers=headers).status == 400
    code = {"grant_type": "authorization_code", "code": grant["code"]}
    assert crm.post("/oauth2/token", form=code, headers=headers).status == 200
    assert crm.post("/oauth2/revoke", form={"token": reply.json["access_token"]}, headers=headers).status == 200
    assert crm.post("/oauth2/revoke", form={"token": reply.json["access_token"]}).status == 401
    used = {"Authorization": f"Bearer {reply.json['access_token']}", "User-Agent": "sandbox"}
    assert crm.get(LEADS, headers=used).status == 401


def test_a_personal_access_token_works_until_it_is_revoked(crm: Caller) -> None:
    key = crm.grant(kind="api_key")["api_key"]
    headers = {"Authorization": f"Bearer {key}", "User-Agent": "sandbox"}
    assert crm.get("/v2/users/self", headers=headers).status == 200
    crm.post("/_sandbox/grants/revoke", {"token": key})
    assert errors(crm.get("/v2/users/self", headers=headers)) == [("unauthorized", None)]


def test_reading_writing_and_the_profile_are_three_scopes(crm: Caller) -> None:
    for scopes, statuses in ((["read"], (200, 403, 403)), (["write"], (403, 200, 403)), (["profile"], (403, 403, 200))):
        api = crm.authorised(scopes=scopes)
        replies = (api.get(LEADS), lead(api), api.get("/v2/users/self"))
        assert tuple(reply.status for reply in replies) == statuses
        assert {errors(reply)[0][0] for reply in replies if reply.status == 403} == {"insufficient_scope"}


def test_an_hour_of_a_token_is_limited_and_nothing_tells_the_wait(crm: Caller, api: Caller, recorded: Recorded) -> None:
    crm.adjust(requests_per_hour=1)
    other = crm.authorised()
    assert api.get(LEADS).status == 200
    limited = api.get(LEADS)
    assert (limited.status, errors(limited)) == (429, [("rate_limit_exceeded", None)])
    assert not {name for name in limited.headers if "ratelimit" in name or name == "retry-after"}
    assert other.get(LEADS).status == 200
    crm.fault("rate_limited_silent")
    silent, was = api.get(LEADS), recorded("zendesk_sell/error_429_empty.json")
    assert (silent.status, silent.text) == (was["status"], was["body"])


def test_a_second_lead_is_a_second_lead_and_only_a_source_is_taken(api: Caller) -> None:
    api.fault("duplicate", method="POST", route="lead*")
    assert lead(api).status == 200
    assert len(api.stored("leads")) == 2
    api.fault("duplicate", method="POST", route="lead*")
    assert errors(api.post("/v2/lead_sources", {"data": {"name": "Word"}})) == [("already_exists", "/name")]


def test_a_path_that_is_not_there_is_told_from_a_record_that_is_not_there(api: Caller) -> None:
    for reply in (api.get("/v2/unicorns"), api.get("/v1/leads"), api.patch(f"{LEADS}/1", {"data": {}})):
        assert (reply.status, errors(reply)) == (404, [("incorrect_path", None)])
    api.fault("server_error", status=503)
    busy = api.get(LEADS)
    assert (busy.status, errors(busy)) == (503, [("temporarily_unavailable", None)])


# What there is, what changed, what was deleted.

CONTACTS = "/v2/contacts"


def asked(api: Caller, **query: Any) -> list[dict[str, Any]]:
    """Every contact of the search, by its cursor."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        data = {"query": query, "per_page": 200, "cursor": cursor}
        reply = api.post("/v3/contacts/search", {"items": [{"data": data}]})
        assert reply.status == 200, reply.text
        [page] = reply.json["items"]
        rows += [item["data"] for item in page["items"]]
        cursor = page["meta"]["links"].get("next_page")
        if cursor is None:
            return rows


def changed(**bounds: str) -> dict[str, Any]:
    since = {"filter": {"attribute": {"name": "updated_at"}, "parameter": {"range": bounds}}}
    return {"filter": since, "sort": [{"attribute": {"name": "updated_at"}, "order": "ascending"}]}


def colleague(crm: Caller, method: str, noun: str, record_id: int | str, fields: dict[str, Any] | None = None) -> Reply:
    return crm.send(method, f"/_sandbox/records/{noun}/{record_id}", fields)


def planted(crm: Caller, *moments: str) -> list[int]:
    return crm.post("/_sandbox/records/contacts", [{"last_name": one, "created_at": one} for one in moments]).json[
        "ids"
    ]


def ids(reply: Reply) -> list[int]:
    assert reply.status == 200, reply.text
    return [item["data"]["id"] for item in reply.json["items"]]


def test_contacts_are_listed_in_pages_of_100_by_their_last_names(crm: Caller, api: Caller, recorded: Recorded) -> None:
    moments = [f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z" for minute in range(250)]
    people = planted(crm, *moments[::-1])[::-1]
    pages = [api.get(CONTACTS, query={"per_page": 100, "page": page}) for page in (1, 2, 3, 4)]
    assert [one for page in pages for one in ids(page)] == people
    assert [page.json["meta"]["count"] for page in pages] == [100, 100, 50, 0]
    was = recorded("zendesk_sell/contacts_list_full_envelope.json")["body"]
    item = pages[0].json["items"][0]
    assert item.keys() == was["items"][0].keys()
    assert (item["data"]["created_at"], item["data"]["updated_at"]) == (moments[0], moments[0])
    assert len(ids(api.get(CONTACTS))) == 25
    for wrong in ("per_page=101", "per_page=0", "page=0", "sort_by=phone", "updated_since=2026-01-01", "limit=5"):
        assert errors(api.get(f"{CONTACTS}?{wrong}")) == [("invalid_param", None)], wrong


def test_the_newest_change_comes_first_and_pages_move_under_it(crm: Caller, api: Caller) -> None:
    people = planted(crm, *(f"2026-01-01T00:00:0{second}Z" for second in range(4)))
    query: dict[str, Any] = {"sort_by": "updated_at:desc", "per_page": 2}
    first = api.get(CONTACTS, query=query)
    assert ids(first) == [people[3], people[2]]
    assert colleague(crm, "PATCH", "contacts", people[0], {"phone": "1"}).status == 200
    assert ids(api.get(CONTACTS, query=query | {"page": 2})) == [people[2], people[1]]
    assert ids(api.get(CONTACTS, query=query))[0] == people[0]


def test_people_and_companies_are_told_apart_in_the_list(crm: Caller, api: Caller, story: dict[str, str]) -> None:
    person, company = int(story["contacts"]), int(story["companies"])
    assert {*ids(api.get(CONTACTS))} >= {person, company}
    assert person in ids(api.get(f"{CONTACTS}?is_organization=false&owner_id={story['users']}"))
    assert company not in ids(api.get(f"{CONTACTS}?is_organization=false"))
    assert ids(api.get(f"{CONTACTS}?contact_id={company}")) == [person]
    assert ids(api.get(f"{CONTACTS}?ids={person},{company},1&sort_by=id:desc")) == sorted((person, company))[::-1]


def test_search_walks_contacts_from_a_moment_that_belongs_to_it(crm: Caller, api: Caller) -> None:
    moments = [f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z" for minute in range(500)]
    people = planted(crm, *moments)
    rows = asked(api, projection=[{"name": "updated_at"}], **changed(gte=moments[50]))
    assert [(row["id"], row["updated_at"]) for row in rows] == [*zip(people[50:], moments[50:], strict=True)]
    assert [row["id"] for row in asked(api, **changed(gt=moments[1], lt=moments[3]))] == [people[2]]
    assert colleague(crm, "PATCH", "contacts", people[7], {"phone": "1"}).status == 200
    assert [row["id"] for row in asked(api, **changed(gt=moments[-1]))] == [people[7]]


def test_search_calls_what_contacts_have_by_other_names(crm: Caller, api: Caller, story: dict[str, str]) -> None:
    core = {noun: api.get(f"{CONTACTS}/{story[noun]}").json["data"] for noun in ("contacts", "companies")}
    described = {one["data"]["name"]: one["data"] for one in api.get("/v2/contact/custom_fields").json["items"]}
    names = (
        "is_organisation", "company", "company_id", "company_name", "display_name", "owner", "phone_numbers", "address",
        "custom_fields", "email", "tags",
    )  # fmt: skip
    by_kind = {"sort": [{"attribute": {"name": "is_organisation"}}]}
    person, company = asked(api, projection=[{"name": name} for name in names], **by_kind)
    assert (person["is_organisation"], company["is_organisation"]) == (False, True)
    assert person["company"] == {"id": int(story["companies"]), "name": core["companies"]["name"]}
    assert (person["company_id"], company["company_id"]) == (int(story["companies"]), None)
    assert person["owner"]["id"] == int(story["users"])
    assert (person["email"], person["phone_numbers"]["phone"]) == (core["contacts"]["email"], core["contacts"]["phone"])
    assert person["address"]["city"] == core["contacts"]["address"]["city"]
    assert person["custom_fields"] == {str(described["Favourite colour"]["id"]): "teal"}
    assert {*names} <= api.get("/v3/contacts/schema").json["attributes"].keys()
    people = {"attribute": {"name": "is_organisation"}, "parameter": {"eq": False}}
    assert [row["id"] for row in asked(api, filter={"filter": people})] == [int(story["contacts"])]
    by_owner = {"sort": [{"attribute": {"name": "owner"}}]}
    assert len(asked(api, **by_owner)) == 2
    for query in ({"projection": [{"name": "is_organization"}]}, {"sort": [{"attribute": {"name": "phone_numbers"}}]}):
        assert api.post("/v3/contacts/search", {"items": [{"data": {"query": query}}]}).status == 422
    crm.adjust(forbidden=["companies"])
    assert [row["id"] for row in asked(api)] == [int(story["contacts"])]


def test_what_a_colleague_changes_moves_and_the_rest_stays(crm: Caller, api: Caller, story: dict[str, str]) -> None:
    [old] = planted(crm, "2026-01-01T00:00:00.7+00:00")
    fields = {"first_name": "Ada", "address": {"city": "Bath"}, "custom_fields": {"Favourite colour": "red"}}
    assert colleague(crm, "PATCH", "contacts", old, fields).status == 200
    row = api.get(f"{CONTACTS}/{old}").json["data"]
    assert (row["created_at"], row["updated_at"] > "2026-01-02") == ("2026-01-01T00:00:00Z", True)
    assert (row["name"].split()[0], row["address"]["city"], row["address"]["line1"]) == ("Ada", "Bath", None)
    assert colleague(crm, "PATCH", "contacts", old, {"custom_fields": {}}).status == 200
    assert api.get(f"{CONTACTS}/{old}").json["data"]["custom_fields"] == {"Favourite colour": "red"}
    for noun, name in (("companies", "name"), ("deals", "name"), ("leads", "last_name"), ("users", "name")):
        assert colleague(crm, "PATCH", noun, story[noun], {name: "Changed"}).status == 200, noun
        assert api.get(f"{READ[noun]}/{story[noun]}").json["data"][name] == "Changed"
    for noun, record_id in (("contacts", "1"), ("companies", story["contacts"]), ("tickets", "1"), ("contacts", "x")):
        assert colleague(crm, "PATCH", noun, record_id, {}).status == 400


def test_a_deleted_contact_is_just_not_there_any_more(crm: Caller, api: Caller, story: dict[str, str]) -> None:
    gone, kept = planted(crm, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
    assert colleague(crm, "DELETE", "contacts", gone).status == 200
    assert gone not in ids(api.get(CONTACTS))
    assert ids(api.get(f"{CONTACTS}?ids={gone},{kept}")) == [kept]
    assert gone not in [row["id"] for row in asked(api)]
    assert errors(api.get(f"{CONTACTS}/{gone}")) == [("not_found", None)]
    assert colleague(crm, "DELETE", "contacts", gone).status == 400
    for noun in ("companies", "deals", "leads"):
        assert colleague(crm, "DELETE", noun, story[noun]).status == 200, noun
        assert api.get(f"{READ[noun]}/{story[noun]}").status == 404
    assert colleague(crm, "DELETE", "users", story["users"]).status == 200
    assert api.get(f"/v2/users/{story['users']}").json["data"]["status"] == "inactive"


def test_the_index_hears_late_of_what_a_colleague_does(crm: Caller, api: Caller) -> None:
    crm.adjust(search_lag=60)
    one, other = planted(crm, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
    colleague(crm, "PATCH", "contacts", one, {"phone": "1"})
    colleague(crm, "DELETE", "contacts", other)
    rows = asked(api, projection=[{"name": "updated_at"}], **changed(gte="2026-01-01T00:00:00Z"))
    assert [(row["id"], row["updated_at"][:10]) for row in rows] == [(one, "2026-01-01"), (other, "2026-01-01")]
    assert ids(api.get(CONTACTS)) == [one]
