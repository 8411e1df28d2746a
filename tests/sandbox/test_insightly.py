"""Insightly's peculiarities, and its recorded answers."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.local.samples.insightly import SAMPLE
from tests.sandbox import spec
from tests.sandbox.caller import Caller, Reply

CRM = "insightly"
LEADS = "/v3.1/Leads"

type Recorded = Callable[[str], Any]


def lead(api: Caller, **fields: Any) -> Reply:
    return api.post(LEADS, {"LAST_NAME": "Lovelace"} | fields)


def custom(name: str, value: Any) -> dict[str, Any]:
    return {"CUSTOMFIELDS": [{"FIELD_NAME": name, "FIELD_VALUE": value}]}


def test_a_lead_needs_a_last_name_only_and_looks_as_recorded(api: Caller, recorded: Recorded) -> None:
    reply = lead(api)
    was = recorded("insightly/leads_list_page1.json")["body"][0]
    assert reply.status == 201
    assert reply.json.keys() == was.keys()
    for name, value in was.items():
        if value is not None:
            assert type(reply.json[name]) is type(value) or reply.json[name] is None, name
    empty = ("EMAIL", "EMPLOYEE_COUNT", "PHONE", "EMAIL_OPTED_OUT", "ADDRESS_COUNTRY", "VISIBLE_TO")
    assert [reply.json[name] for name in empty] == [was[name] for name in empty]
    assert api.get(f"{LEADS}/{reply.json['LEAD_ID']}").json == reply.json
    for name, path in (("LEAD_SOURCE_ID", "LeadSources"), ("LEAD_STATUS_ID", "LeadStatuses")):
        [default] = [row[name] for row in api.get(f"/v3.1/{path}").json if any(v is True for v in row.values())]
        assert reply.json[name] == default


def test_the_status_of_a_create_can_be_that_of_the_live_clients_tests(api: Caller) -> None:
    api.adjust(created_status=200)
    assert lead(api).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"LAST_NAME": ""},
        {"LAST_NAME": None},
        {"LAST_NAME": 5},
        {"LAST_NAME": "x" * 256},
        {"SALUTATION": "x" * 51},
        {"EMAIL": "nobody"},
        {"EMPLOYEE_COUNT": "7"},
        {"EMPLOYEE_COUNT": 2**31},
        {"EMAIL_OPTED_OUT": "true"},
        {"OWNER_USER_ID": 1},
        {"RESPONSIBLE_USER_ID": "2240727"},
        {"LEAD_SOURCE_ID": 1},
        {"LEAD_STATUS_ID": 1},
        {"CONVERTED": True},
        {"CONVERTED_CONTACT_ID": 1},
        {"DATE_CREATED_UTC": "2026-01-01 00:00:00"},
        {"TAGS": [{"TAG_NAME": "hot"}]},
        {"LINKS": []},
        {"ORGANISATION_ID": 1},
        {"ORGANIZATION_NAME": "Engines"},
        {"PIPELINE_ID": 1},
        {"nonsense": 1},
        {"CUSTOMFIELDS": {"Tier__c": "Gold"}},
        custom("Hobby__c", "of contacts, not of leads"),
        custom("Tier__c", "Platinum"),
        custom("Interests__c", "Music;Chess"),
        custom("Newsletter__c", "yes"),
        custom("Score__c", "7"),
        custom("Renewal__c", "2026-12-31"),
        {"CUSTOMFIELDS": [{"CUSTOM_FIELD_ID": "Tier__c", "FIELD_VALUE": "Gold"}]},
    ],
)
def test_a_lead_that_does_not_fit_is_400_in_plain_text(api: Caller, fields: dict[str, Any]) -> None:
    reply = lead(api, **fields)
    assert (reply.status, reply.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert reply.text
    assert api.stored("leads") == []


def test_the_status_that_a_conversion_sets_is_listed_on_demand_and_set_by_nobody(api: Caller) -> None:
    usual = api.get("/v3.1/LeadStatuses").json
    [converted] = [
        row for row in api.get("/v3.1/LeadStatuses", query={"include_converted": "true"}).json if row not in usual
    ]
    assert lead(api, LEAD_STATUS_ID=converted["LEAD_STATUS_ID"]).status == 400


def test_custom_fields_come_back_with_their_id_and_only_those_that_have_a_value(api: Caller) -> None:
    values = {"Favourite_Colour__c": "red", "Tier__c": "Gold", "Interests__c": "Music;Travel", "Newsletter__c": True}
    values |= {"Score__c": 7.5, "Renewal__c": "2026-12-31 00:00:00"}
    sent = [{"FIELD_NAME": name, "FIELD_VALUE": value} for name, value in values.items()]
    made = lead(api, CUSTOMFIELDS=sent).json
    assert made["CUSTOMFIELDS"] == [row | {"CUSTOM_FIELD_ID": row["FIELD_NAME"]} for row in sent]
    changed = {"LEAD_ID": made["LEAD_ID"]} | custom("Tier__c", None)
    after = api.put(f"{LEADS}/{made['LEAD_ID']}", changed).json["CUSTOMFIELDS"]
    assert {row["FIELD_NAME"] for row in after} == values.keys() - {"Tier__c"}
    api.adjust(custom_fields_replaced=True)
    changed = {"LEAD_ID": made["LEAD_ID"]} | custom("Tier__c", "Silver")
    after = api.put(f"{LEADS}/{made['LEAD_ID']}", changed).json["CUSTOMFIELDS"]
    assert [row["FIELD_VALUE"] for row in after] == ["Silver"]


def test_an_update_changes_what_is_sent_and_null_clears(api: Caller, recorded: Recorded) -> None:
    made = lead(api, FIRST_NAME="Ada", PHONE="1", EMAIL="ada@example.com", EMPLOYEE_COUNT=7).json
    sent = {"LEAD_ID": str(made["LEAD_ID"]), "FIRST_NAME": "Henrietta", "PHONE": None, "EMAIL": None}
    reply = api.put(f"{LEADS}/{made['LEAD_ID']}", sent)
    was = recorded("insightly/lead_update.json")
    assert (reply.status, reply.json.keys()) == (was["status"], was["body"].keys())
    expected = made | {"FIRST_NAME": "Henrietta", "PHONE": None, "EMAIL": ""}
    assert reply.json == expected | {"DATE_UPDATED_UTC": reply.json["DATE_UPDATED_UTC"]}
    by_body = api.put(LEADS, {"LEAD_ID": made["LEAD_ID"], "TITLE": "Countess"})
    assert (by_body.status, by_body.json["TITLE"], by_body.json["EMPLOYEE_COUNT"]) == (201, "Countess", 7)


def test_an_update_without_the_id_or_of_what_has_to_have_a_value_is_400(api: Caller) -> None:
    made = lead(api).json
    one = f"{LEADS}/{made['LEAD_ID']}"
    assert api.put(one, {"FIRST_NAME": "Ada"}).status == 400
    assert api.put(one, {"LEAD_ID": made["LEAD_ID"] + 1}).status == 400
    assert api.put(LEADS, {"FIRST_NAME": "Ada"}).status == 400
    assert api.patch(one, {"LEAD_ID": made["LEAD_ID"]}).status == 405
    for name in ("LAST_NAME", "OWNER_USER_ID", "LEAD_SOURCE_ID", "LEAD_STATUS_ID"):
        assert api.put(one, {"LEAD_ID": made["LEAD_ID"], name: None}).status == 400, name
    assert api.get(one).json == made
    assert api.put(LEADS, {"LEAD_ID": 5}).status == 404


def test_a_deleted_lead_is_gone_and_the_answer_is_empty(api: Caller, recorded: Recorded) -> None:
    one = f"{LEADS}/{lead(api).json['LEAD_ID']}"
    api.adjust(deletes_fail=True)
    assert api.delete(one).status == 417
    api.adjust(deletes_fail=False)
    gone = api.delete(one)
    assert (gone.status, gone.text) == (recorded("insightly/lead_delete.json")["status"], "")
    again = api.get(one)
    was = recorded("insightly/legacy_v21_error_404_no_record.json")
    assert (again.status, again.headers["content-type"]) == (was["status"], was["headers"]["Content-Type"])
    assert again.text.split(" = ")[0] == was["body"].split(" = ")[0]
    assert api.delete(one).status == 404
    assert api.get(f"{LEADS}/abc").status == 400


def test_lists_are_bare_arrays_in_pages_and_their_total_is_a_header(api: Caller) -> None:
    made = [lead(api, LAST_NAME=str(number)).json["LEAD_ID"] for number in range(3)]
    first = api.get(LEADS, query={"top": 2, "count_total": "true"})
    rest = api.get(LEADS, query={"top": 2, "skip": 2})
    assert [row["LEAD_ID"] for row in first.json + rest.json] == made
    assert first.headers["x-total-count"] == "3"
    assert "x-total-count" not in rest.headers
    assert api.get(LEADS, query={"skip": 3}).json == []
    for query in ({"top": 501}, {"top": 0}, {"skip": -1}, {"brief": "perhaps"}):
        assert api.get(LEADS, query=query).status == 400, query
    api.adjust(newest_first=True)
    assert [row["LEAD_ID"] for row in api.get(LEADS).json] == made[::-1]


def test_a_page_holds_a_hundred_unless_told(api: Caller) -> None:
    api.post("/_sandbox/records/leads", [{"LAST_NAME": str(number)} for number in range(101)])
    assert len(api.get(LEADS).json) == 100
    assert len(api.get(f"{LEADS}/Search", query={"top": 500}).json) == 101


def test_brief_leaves_out_what_is_nested(api: Caller) -> None:
    whole = lead(api, **custom("Tier__c", "Gold")).json
    [brief] = api.get(LEADS, query={"brief": "true"}).json
    assert whole.keys() - brief.keys() == {"CUSTOMFIELDS", "TAGS", "LINKS"}


def test_only_search_knows_what_changed_since(api: Caller) -> None:
    api.plant("leads", {"LAST_NAME": "Old", "DATE_UPDATED_UTC": "2024-01-01 00:00:00"})
    new = api.plant("leads", {"LAST_NAME": "New", "DATE_UPDATED_UTC": "2024-03-04 08:22:57"})
    for since, found in (("2024-03-04T08:22:56Z", [new]), ("2024-03-04T08:22:57Z", [])):
        rows = api.get(f"{LEADS}/Search", query={"updated_after_utc": since}).json
        assert [row["LEAD_ID"] for row in rows] == found
    assert len(api.get(LEADS, query={"updated_after_utc": "2024-03-04T08:22:56Z"}).json) == 2
    assert len(api.get(f"{LEADS}/Search").json) == 2
    for since in ("2024-03-04 08:22:56", "2024-03-04", "1709540576", "2024-13-04T08:22:56Z"):
        assert api.get(f"{LEADS}/Search", query={"updated_after_utc": since}).status == 400, since


def test_search_compares_one_field(api: Caller) -> None:
    lead(api, EMAIL="bob@example.com")
    made = lead(api, EMAIL="ada@example.com", EMPLOYEE_COUNT=7).json
    for name, value in (("EMAIL", "ada@example.com"), ("EMPLOYEE_COUNT", "7"), ("LEAD_ID", made["LEAD_ID"])):
        found = api.get(f"{LEADS}/Search", query={"field_name": name, "field_value": value})
        assert found.json == [made]
    query = {"field_name": "EMAIL", "field_value": "ada@example.com", "updated_after_utc": "2100-01-01T00:00:00Z"}
    assert api.get(f"{LEADS}/Search", query=query).json == []
    assert api.get(f"{LEADS}/Search", query={"field_name": "EMAIL", "field_value": "ada"}).json == []
    for query in ({"field_name": "EMAIL"}, {"field_value": "x"}, {"field_name": "EMAIL_ADDRESS", "field_value": "x"}):
        assert api.get(f"{LEADS}/Search", query=query).status == 400, query


def test_tags_are_calls_of_their_own(api: Caller) -> None:
    one = f"{LEADS}/{lead(api).json['LEAD_ID']}"
    assert [api.post(f"{one}/Tags", {"TAG_NAME": tag}).status for tag in ("hot", "new", "hot")] == [201] * 3
    assert [tag["TAG_NAME"] for tag in api.get(one).json["TAGS"]] == ["new", "hot"]
    assert len(api.get(f"{LEADS}/SearchByTag", query={"tagName": "hot"}).json) == 1
    assert api.get(f"{LEADS}/SearchByTag").status == 400
    assert api.delete(f"{one}/Tags", body={"TAG_NAME": "hot"}).status == 202
    assert api.delete(f"{one}/Tags", body={"TAG_NAME": "hot"}).status == 417
    api.put(f"{one}/Tags", {"TAG_NAME": "cold"})
    assert api.get(f"{one}/Tags").json == [{"TAG_NAME": "cold"}]
    assert api.post(f"{one}/Tags", {"NAME": "hot"}).status == 400


def test_contacts_and_organisations_have_the_same_verbs(api: Caller, recorded: Recorded) -> None:
    organisation = api.post("/v3.1/Organisations", {"ORGANISATION_NAME": "Engines"}).json["ORGANISATION_ID"]
    body = {"FIRST_NAME": "Ada", "ORGANISATION_ID": organisation, "EMAIL_ADDRESS": "ada@example.com"}
    contact = api.post("/v3.1/Contacts", body)
    assert contact.json.keys() == recorded("insightly/contact_create.json")["body"].keys()
    found = api.get("/v3.1/Contacts/Search", query={"field_name": "EMAIL_ADDRESS", "field_value": "ada@example.com"})
    assert found.json == [contact.json]
    assert api.post("/v3.1/Contacts", {"LAST_NAME": "Lovelace"}).status == 400
    assert api.post("/v3.1/Contacts", {"FIRST_NAME": "Ada", "ORGANISATION_ID": organisation + 1}).status == 400
    assert api.delete(f"/v3.1/Organisations/{organisation}").status == 202


def test_pipelines_and_stages_can_be_read_and_nothing_else(api: Caller, recorded: Recorded) -> None:
    pipelines, stages = api.get("/v3.1/Pipelines").json, api.get("/v3.1/PipelineStages").json
    assert pipelines[0].keys() == recorded("insightly/legacy_v21_pipelines.json")["body"][0].keys()
    was = recorded("insightly/legacy_v21_pipeline_stages.json")["body"][0]
    assert stages[0].keys() == {*was, "ACTIVITYSET_ID"}
    other = api.plant("pipelines", {"PIPELINE_NAME": "Renewals"})
    mine = api.plant("pipelineStages", {"STAGE_NAME": "Due", "PIPELINE_ID": other})
    assert api.get(f"/v3.1/PipelineStages/{mine}").json["STAGE_ORDER"] == 1
    everything = api.get("/v3.1/PipelineStages", query={"pipeline_id": other}).json
    assert len(everything) == len(stages) + 1  # nothing filters by pipeline
    for method in ("POST", "PUT", "DELETE"):
        for path in ("Pipelines", "PipelineStages"):
            assert api.send(method, f"/v3.1/{path}", {"PIPELINE_NAME": "x"}).status == 405
    assert api.delete(f"/v3.1/Pipelines/{other}").status == 405
    assert api.get("/v3.1/Pipelines/5").text == "No Pipeline with ID = 5"


def test_the_pipeline_of_a_lead_takes_calls_of_their_own_and_is_not_shown(api: Caller) -> None:
    made = lead(api).json
    one, stages = f"{LEADS}/{made['LEAD_ID']}", api.get("/v3.1/PipelineStages").json
    pipeline, first, second = stages[0]["PIPELINE_ID"], stages[0]["STAGE_ID"], stages[1]["STAGE_ID"]
    foreign = api.plant("pipelineStages", {"PIPELINE_ID": api.plant("pipelines", {})})
    assert api.put(f"{one}/PipelineStage", {"STAGE_ID": first}).status == 400
    assert api.put(f"{one}/Pipeline", {"PIPELINE_ID": pipeline}).status == 400
    for stage in (foreign, 5):
        change = {"PIPELINE_ID": pipeline, "PIPELINE_STAGE_CHANGE": {"STAGE_ID": stage}}
        assert api.put(f"{one}/Pipeline", change).status == 404
    change = {"PIPELINE_ID": pipeline, "PIPELINE_STAGE_CHANGE": {"STAGE_ID": first}}
    assert api.put(f"{one}/Pipeline", change).status == 200
    assert api.put(f"{one}/PipelineStage", {"STAGE_ID": second}).json == [{"STAGE_ID": second}]
    [stored] = api.stored("leads")
    assert (stored["PIPELINE_ID"], stored["STAGE_ID"]) == (pipeline, second)
    assert api.get(one).json.keys() == made.keys()
    assert api.delete(f"{one}/Pipeline").status == 202


def test_sources_and_statuses_are_for_administrators(api: Caller, recorded: Recorded) -> None:
    sources = "/v3.1/LeadSources"
    was = recorded("insightly/legacy_v21_lead_sources.json")["body"][0]
    made = api.post(sources, {"LEAD_SOURCE": "Fair", "DEFAULT_VALUE": True})
    assert (made.status, made.json.keys()) == (201, was.keys())
    assert lead(api).json["LEAD_SOURCE_ID"] == made.json["LEAD_SOURCE_ID"]
    assert [row["LEAD_SOURCE"] for row in api.get(sources).json if row["DEFAULT_VALUE"]] == ["Fair"]
    renamed = api.put(sources, {"LEAD_SOURCE_ID": made.json["LEAD_SOURCE_ID"], "LEAD_SOURCE": "Trade fair"})
    assert (renamed.status, renamed.json["LEAD_SOURCE"]) == (200, "Trade fair")
    assert api.delete(sources, query={"id": made.json["LEAD_SOURCE_ID"]}).status == 409
    unused = api.get(sources).json[0]["LEAD_SOURCE_ID"]
    assert [api.delete(sources, query={"id": unused}).status for _ in range(2)] == [202, 404]
    assert api.post(sources, {"DEFAULT_VALUE": True}).status == 400
    statuses = api.get("/v3.1/LeadStatuses").json
    assert statuses[0].keys() == recorded("insightly/legacy_v21_lead_statuses.json")["body"][0].keys()
    last_closed = next(row["LEAD_STATUS_ID"] for row in statuses if row["LEAD_STATUS"] == "Closed - Disqualified")
    assert api.delete("/v3.1/LeadStatuses", query={"id": last_closed}).status == 409
    api.adjust(administrator=False)
    assert api.post(sources, {"LEAD_SOURCE": "Fair"}).status == 403
    assert api.get("/v3.1/Users/Me").json["ADMINISTRATOR"] is False
    api.adjust(lead_management=False)
    assert api.get(sources).status == 403


def test_custom_fields_are_described_and_those_of_all_objects_where_there_are_none(
    api: Caller, recorded: Recorded
) -> None:
    contacts = api.get("/v3.1/CustomFields/Contacts").json
    was = recorded("insightly/custom_fields_contacts.json")["body"]
    assert contacts[0].keys() == was[0].keys()
    leads = {row["FIELD_NAME"]: row for row in api.get("/v3.1/CustomFields/Leads").json}
    options = next(row["CUSTOM_FIELD_OPTIONS"] for row in was if row["CUSTOM_FIELD_OPTIONS"])
    assert leads["Tier__c"]["CUSTOM_FIELD_OPTIONS"][0].keys() == options[0].keys()
    assert {row["FIELD_FOR"] for row in leads.values()} == {"LEAD"}
    everything = {row["FIELD_FOR"] for row in api.get("/v3.1/CustomFields/Users").json}
    assert everything == {"LEAD", "CONTACT", "ORGANISATION", "OPPORTUNITY"}
    found = api.get("/v3.1/CustomFields/Leads/Search", query={"fieldName": "Tier__c"})
    assert found.json == leads["Tier__c"]
    api.plant("customFields", {"FIELD_NAME": "Size__c", "FIELD_TYPE": "NUMERIC"})
    assert lead(api, **custom("Size__c", 5)).status == 201


def test_a_user_is_read_by_id_and_by_e_mail(api: Caller) -> None:
    me = api.get("/v3.1/Users/Me").json
    assert api.get(f"/v3.1/Users/{me['USER_ID']}").json == me
    seller = api.plant("users", {"FIRST_NAME": "Grace", "EMAIL_ADDRESS": "grace@example.com"})
    query = {"field_name": "EMAIL_ADDRESS", "field_value": "grace@example.com"}
    assert [row["USER_ID"] for row in api.get("/v3.1/Users/Search", query=query).json] == [seller]
    assert lead(api, OWNER_USER_ID=seller).json["OWNER_USER_ID"] == seller
    assert api.post("/v3.1/Users", {"FIRST_NAME": "x"}).status == 405


# One record by its id.


@pytest.fixture
def story(crm: Caller) -> dict[str, str]:
    """The customer of the local stack, by the plural of what each of its records is."""
    return dict(SAMPLE.story(lambda noun, **fields: str(crm.plant(noun, fields))))


READ = {
    "companies": "Organisations", "contacts": "Contacts", "deals": "Opportunities", "leads": "Leads", "users": "Users",
}  # fmt: skip
OWN_ID = {
    "companies": "ORGANISATION_ID", "contacts": "CONTACT_ID", "deals": "OPPORTUNITY_ID", "leads": "LEAD_ID",
    "users": "USER_ID",
}  # fmt: skip
TYPES = {"integer": int, "number": (int, float), "string": str, "boolean": bool, "array": list}


@pytest.mark.parametrize("noun", READ)
def test_every_object_is_read_by_its_id_as_the_vendors_document_has_it(
    api: Caller, story: dict[str, str], noun: str
) -> None:
    reply = api.get(f"/v3.1/{READ[noun]}/{story[noun]}")
    assert (reply.status, reply.json[OWN_ID[noun]]) == (200, int(story[noun]))
    document = spec.document("insightly", "insightly-v3.1.cut.swagger.json")
    if document is None:
        pytest.skip("the vendor's documents are not there")
    described = document["paths"][f"/{READ[noun]}/{{id}}"]["get"]["responses"]["200"]["schema"]["properties"]
    assert described.keys() <= reply.json.keys()
    for name, schema in described.items():
        value = reply.json[name]
        assert value is None or isinstance(value, TYPES[schema["type"]]), name


@pytest.mark.parametrize(("noun", "was"), [("contacts", "contacts_list_custom_fields"), ("leads", "leads_list_page1")])
def test_what_was_recorded_has_no_member_that_is_missing_here(
    api: Caller, recorded: Recorded, story: dict[str, str], noun: str, was: str
) -> None:
    shown = api.get(f"/v3.1/{READ[noun]}/{story[noun]}").json
    for older in recorded(f"insightly/{was}.json")["body"]:
        assert older.keys() <= shown.keys()
        for name, value in older.items():
            assert None in (value, shown[name]) or type(value) is type(shown[name]), name


def test_owner_and_company_are_ids_and_the_contacts_of_a_deal_are_links(
    crm: Caller, api: Caller, story: dict[str, str]
) -> None:
    rows = {noun: api.get(f"/v3.1/{READ[noun]}/{story[noun]}").json for noun in READ}
    assert {rows[noun]["OWNER_USER_ID"] for noun in READ if noun != "users"} == {int(story["users"])}
    assert {rows[noun]["ORGANISATION_ID"] for noun in ("contacts", "deals")} == {int(story["companies"])}
    deal, contact = int(story["deals"]), int(story["contacts"])
    [link] = rows["deals"]["LINKS"]
    ends = ("OBJECT_NAME", "OBJECT_ID", "LINK_OBJECT_NAME", "LINK_OBJECT_ID")
    assert [link[name] for name in ends] == ["Opportunity", deal, "Contact", contact]
    assert [rows["contacts"]["LINKS"][0][name] for name in ends] == ["Contact", contact, "Opportunity", deal]
    assert api.get(f"/v3.1/Opportunities/{deal}/Links").json == [link]
    crm.adjust(links_turned=False)
    assert api.get(f"/v3.1/Contacts/{contact}").json["LINKS"] == [link]


def test_links_are_made_and_removed_by_calls_of_their_own(api: Caller, story: dict[str, str]) -> None:
    links = f"/v3.1/Opportunities/{story['deals']}/Links"
    made = api.post(links, {"LINK_OBJECT_NAME": "Organisation", "LINK_OBJECT_ID": int(story["companies"])})
    assert (made.status, made.json["OBJECT_ID"]) == (201, int(story["deals"]))
    assert api.post(links, {"LINK_OBJECT_NAME": "Contact", "LINK_OBJECT_ID": 5}).status == 400
    gone = f"{links}/{made.json['LINK_ID']}"
    assert [api.delete(gone).status, api.delete(gone).status] == [202, 404]
    api.delete(f"/v3.1/Contacts/{story['contacts']}")
    assert api.get(links).json == []


def test_a_deal_tells_money_as_a_number_its_day_as_midnight_and_its_stage_by_id(
    api: Caller, story: dict[str, str]
) -> None:
    deal = api.get(f"/v3.1/Opportunities/{story['deals']}").json
    assert (deal["BID_AMOUNT"], deal["BID_CURRENCY"], deal["OPPORTUNITY_VALUE"]) == (12500, "GBP", 12500)
    assert (deal["FORECAST_CLOSE_DATE"], deal["OPPORTUNITY_STATE"]) == ("2026-12-31 00:00:00", "OPEN")
    assert api.get(f"/v3.1/PipelineStages/{deal['STAGE_ID']}").json["PIPELINE_ID"] == deal["PIPELINE_ID"]
    assert deal["CUSTOMFIELDS"] == [
        {"FIELD_NAME": "Delivery__c", "FIELD_VALUE": "By cart", "CUSTOM_FIELD_ID": "Delivery__c"}
    ]


def test_a_deal_gets_its_pipeline_by_a_second_call(api: Caller) -> None:
    made = api.post("/v3.1/Opportunities", {"OPPORTUNITY_NAME": "Engine"})
    assert (made.status, made.json["PIPELINE_ID"], made.json["OPPORTUNITY_STATE"]) == (201, None, "OPEN")
    stage = api.get("/v3.1/PipelineStages").json[0]
    assert api.post("/v3.1/Opportunities", {"OPPORTUNITY_NAME": "E", "STAGE_ID": stage["STAGE_ID"]}).status == 400
    one = f"/v3.1/Opportunities/{made.json['OPPORTUNITY_ID']}"
    change = {"PIPELINE_ID": stage["PIPELINE_ID"], "PIPELINE_STAGE_CHANGE": {"STAGE_ID": stage["STAGE_ID"]}}
    assert api.put(f"{one}/Pipeline", change).status == 200
    assert api.get(one).json["STAGE_ID"] == stage["STAGE_ID"]


@pytest.mark.parametrize("noun", READ)
def test_no_record_and_no_number_are_refused_with_a_text(api: Caller, noun: str) -> None:
    one = READ[noun].removesuffix("s").replace("Opportunitie", "Opportunity")
    missing = api.get(f"/v3.1/{READ[noun]}/5")
    assert (missing.status, missing.text) == (404, f"No {one} with ID = 5")
    odd = api.get(f"/v3.1/{READ[noun]}/ada")
    assert (odd.status, odd.headers["content-type"].split(";")[0]) == (400, "text/plain")


def test_a_deleted_record_is_read_no_more(api: Caller, story: dict[str, str]) -> None:
    for noun in ("companies", "contacts", "deals", "leads"):
        path = f"/v3.1/{READ[noun]}/{story[noun]}"
        assert [api.delete(path).status, api.get(path).status] == [202, 404]


@pytest.mark.parametrize("noun", READ)
def test_what_the_profile_may_not_read_looks_as_if_it_were_not_there_but_for_its_text(
    crm: Caller, api: Caller, story: dict[str, str], noun: str
) -> None:
    crm.adjust(forbidden=[noun])
    refused = api.get(f"/v3.1/{READ[noun]}/{story[noun]}")
    assert (refused.status, refused.text) == (404, f"API User does not have access to {READ[noun]}.")
    crm.adjust(no_access_status=403)
    assert api.get(f"/v3.1/{READ[noun]}/{story[noun]}").status == 403
    others = [other for other in READ if other != noun]
    assert {api.get(f"/v3.1/{READ[other]}/{story[other]}").status for other in others} == {200}


# What is refused.


def test_an_object_out_of_reach_is_404_in_the_recorded_words(crm: Caller, api: Caller, recorded: Recorded) -> None:
    was = recorded("insightly/error_404_plan_no_access.json")
    api.adjust(without_access=["Leads"])
    refused = api.get(f"{LEADS}/Search")
    assert refused.status == was["status"]
    assert refused.text == was["body"].replace("CommunityComments", "Leads")
    assert refused.headers["content-type"].startswith(was["headers"]["Content-Type"])
    rights = {row["OBJECT_TYPE"]: row for row in api.get("/v3.1/Permissions").json["OBJECT_PERMISSIONS"]}
    assert (rights["Lead"]["CAN_READ"], rights["Contact"]["CAN_READ"]) == (False, True)
    api.adjust(access_texts=False)
    assert (lead(api).status, lead(api).text) == (404, "")
    api.adjust(no_access_status=403)
    assert lead(api).status == 403
    api.adjust(without_access=[])
    reader = crm.authorised(scopes=["leads:read"])
    assert (reader.get(LEADS).status, lead(reader).status) == (200, 403)
    rights = {row["OBJECT_TYPE"]: row for row in reader.get("/v3.1/Permissions").json["OBJECT_PERMISSIONS"]}
    assert (rights["Lead"]["CAN_READ"], rights["Lead"]["CAN_CREATE"]) == (True, False)


def test_a_closed_record_is_403_and_a_full_plan_402(api: Caller) -> None:
    made = lead(api).json["LEAD_ID"]
    api.adjust(closed_records=[made], record_limit=1)
    assert api.get(f"{LEADS}/{made}").status == 403
    assert lead(api).status == 402


def test_the_key_is_the_user_name_and_there_is_no_password(crm: Caller) -> None:
    key = crm.grant(kind="api_key")["api_key"]
    for credentials, status in ((f"{key}:", 200), (f"{key}:secret", 401), (key, 401), (f":{key}", 401)):
        basic = base64.b64encode(credentials.encode()).decode()
        assert crm.get(LEADS, headers={"Authorization": f"Basic {basic}"}).status == status, credentials
    for bearer in (key, crm.grant(kind="oauth2")["access_token"]):
        assert crm.get(LEADS, headers={"Authorization": f"Bearer {bearer}"}).status == 401
    crm.post("/_sandbox/grants/revoke", {"token": key})
    basic = base64.b64encode(f"{key}:".encode()).decode()
    assert crm.get(LEADS, headers={"Authorization": f"Basic {basic}"}).status == 401


def test_a_body_that_is_no_json_object_or_says_so_not_is_400(api: Caller) -> None:
    assert api.post(LEADS, [{"LAST_NAME": "Lovelace"}]).status == 400
    assert api.post(LEADS, form={"LAST_NAME": "Lovelace"}).status == 400
    assert api.post(LEADS, {"LAST_NAME": "Lovelace"}, headers={"Content-Type": "text/plain"}).status == 400
    assert api.post(LEADS).status == 400
    assert api.stored("leads") == []


def test_limits_are_429_without_a_word_of_when(crm: Caller, api: Caller) -> None:
    crm.adjust(daily_requests=1000)
    first, second = (api.get(LEADS).headers for _ in range(2))
    assert first["x-ratelimit-limit"] == "1000"
    assert int(first["x-ratelimit-remaining"]) - int(second["x-ratelimit-remaining"]) == 1
    crm.adjust(requests_per_second=0)
    limited = api.get(LEADS)
    assert (limited.status, "retry-after" in limited.headers) == (429, False)
    crm.adjust(tells_retry_after=True, error_texts=False)
    limited = api.get(LEADS)
    assert (limited.headers["retry-after"], limited.text) == ("1", "")
    crm.adjust(requests_per_second=100, daily_requests=0)
    assert api.get(LEADS).status == 429


def test_a_server_error_is_a_page(api: Caller) -> None:
    api.fault("server_error", route="leads")
    reply = lead(api)
    assert (reply.status, reply.headers["content-type"].split(";")[0]) == (500, "text/html")
    with pytest.raises(json.JSONDecodeError):
        _ = reply.json


def test_what_is_the_same_twice_is_there_twice(api: Caller) -> None:
    api.fault("duplicate", route="leads")
    assert lead(api, EMAIL="ada@example.com").status == 201
    assert len(api.stored("leads")) == 2


def test_what_v31_lacks_is_refused(api: Caller) -> None:
    one = f"{LEADS}/{lead(api).json['LEAD_ID']}"
    for path in (f"{one}/Convert", f"{one}/Links", "/v2.1/Leads", "/Leads"):
        assert api.post(path, {}).status == 404, path


# Contacts: all of them, what changed, what was deleted.

CONTACTS = "/v3.1/Contacts"


def walked(api: Caller, path: str = f"{CONTACTS}/Search", **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        reply = api.get(path, query={"top": 500, "skip": len(rows)} | query)
        assert reply.status == 200, reply.text
        rows += reply.json
        if not reply.json:
            return rows


def since(api: Caller, moment: str) -> list[int]:
    return [row["CONTACT_ID"] for row in walked(api, updated_after_utc=moment)]


def change(api: Caller, noun: str, number: int, **fields: Any) -> Reply:
    return api.patch(f"/_sandbox/records/{noun}/{number}", fields)


def vanish(api: Caller, noun: str, number: int) -> Reply:
    return api.delete(f"/_sandbox/records/{noun}/{number}")


def test_thousands_of_contacts_are_listed_once_each(api: Caller) -> None:
    planted = [{"FIRST_NAME": str(number), "DATE_CREATED_UTC": "2024-03-04T08:22:57Z"} for number in range(5000)]
    ids = api.post("/_sandbox/records/contacts", planted).json["ids"]
    for path in (CONTACTS, f"{CONTACTS}/Search"):
        rows = walked(api, path)
        assert [row["CONTACT_ID"] for row in rows] == ids
    assert {(row["DATE_CREATED_UTC"], row["DATE_UPDATED_UTC"]) for row in rows} == {("2024-03-04 08:22:57",) * 2}
    total = api.get(f"{CONTACTS}/Search", query={"top": 1, "count_total": "true"})
    assert (len(total.json), total.headers["x-total-count"]) == (1, "5000")
    assert api.get(f"{CONTACTS}/Search", query={"top": 501}).status == 400


def test_a_contact_of_a_list_looks_as_recorded(api: Caller, recorded: Recorded) -> None:
    api.plant("contacts", {"FIRST_NAME": "Ada"} | custom("Hobby__c", "Engines"))
    [row] = walked(api)
    was = recorded("insightly/contacts_list_custom_fields.json")["body"][0]
    assert was.keys() <= row.keys()
    assert row["CUSTOMFIELDS"][0].keys() == was["CUSTOMFIELDS"][0].keys()
    assert not {"CUSTOMFIELDS", "TAGS", "LINKS", "DATES"} & walked(api, brief="true")[0].keys()
    assert [field["FIELD_NAME"] for field in api.get("/v3.1/CustomFields/Contacts").json] == ["Hobby__c"]


def test_a_colleagues_change_moves_the_moment_of_change(api: Caller) -> None:
    old = {"DATE_CREATED_UTC": "2024-03-04 08:22:57"}
    first, second = (api.plant("contacts", old | {"FIRST_NAME": name}) for name in ("Ada", "Byron"))
    third = api.plant("contacts", old | {"FIRST_NAME": "King", "DATE_UPDATED_UTC": "2024-03-04T09:22:58+01:00"})
    assert since(api, "2024-03-04T08:22:56Z") == [first, second, third]
    assert since(api, "2024-03-04T08:22:57Z") == [third]  # not what changed in that very second
    assert change(api, "contacts", first, LAST_NAME="King", **custom("Hobby__c", "Engines")).status == 200
    [moved] = walked(api, updated_after_utc="2024-03-04T08:22:58Z")
    assert (moved["CONTACT_ID"], moved["LAST_NAME"], moved["DATE_CREATED_UTC"]) == (
        first,
        "King",
        "2024-03-04 08:22:57",
    )
    assert len(moved["DATE_UPDATED_UTC"]) == len("2024-03-04 08:22:57")
    assert moved["CUSTOMFIELDS"][0]["FIELD_VALUE"] == "Engines"
    assert change(api, "contacts", first, **custom("Hobby__c", None)).status == 200
    assert api.get(f"{CONTACTS}/{first}").json["CUSTOMFIELDS"] == []
    for number, fields in ((5, {}), (first, {"COLOUR": "red"}), (first, {"CONTACT_ID": 5})):
        assert change(api, "contacts", number, **fields).status == 400


def test_a_contact_that_a_colleague_deletes_vanishes_without_a_word(api: Caller) -> None:
    kept, lost = (api.plant("contacts", {"FIRST_NAME": name}) for name in ("Ada", "Byron"))
    deal = api.plant("deals", {"OPPORTUNITY_NAME": "Engine"})
    api.post(f"/v3.1/Opportunities/{deal}/Links", {"LINK_OBJECT_NAME": "Contact", "LINK_OBJECT_ID": lost})
    assert vanish(api, "contacts", lost).status == 200
    assert [row["CONTACT_ID"] for row in walked(api)] == [kept]
    assert since(api, "2024-03-04T08:22:57Z") == [kept]
    gone = api.get(f"{CONTACTS}/{lost}")
    assert (gone.status, gone.text) == (404, f"No Contact with ID = {lost}")
    assert api.get(f"/v3.1/Opportunities/{deal}/Links").json == []
    for noun, number in (("contacts", lost), ("pipelines", 3_724_795), ("users", 2_240_727)):
        assert vanish(api, noun, number).status == 400


def test_what_goes_between_two_pages_shifts_the_rest(api: Caller) -> None:
    ids = [api.plant("contacts", {"FIRST_NAME": str(number)}) for number in range(4)]
    first = api.get(f"{CONTACTS}/Search", query={"top": 2}).json
    vanish(api, "contacts", ids[0])
    rest = api.get(f"{CONTACTS}/Search", query={"top": 2, "skip": 2}).json
    assert [row["CONTACT_ID"] for row in first + rest] == [ids[0], ids[1], ids[3]]


def test_a_change_moves_a_contact_to_the_end_where_lists_are_in_that_order(crm: Caller, api: Caller) -> None:
    crm.adjust(latest_change_last=True)
    made = {"DATE_CREATED_UTC": "2024-03-04 08:22:57"}
    ids = [api.plant("contacts", made | {"FIRST_NAME": str(number)}) for number in range(3)]
    change(api, "contacts", ids[0], LAST_NAME="King")
    assert [row["CONTACT_ID"] for row in walked(api)] == [ids[1], ids[2], ids[0]]
    crm.adjust(newest_first=True)
    assert walked(api)[0]["CONTACT_ID"] == ids[0]
    assert [row["USER_ID"] for row in walked(api, "/v3.1/Users")]


def test_a_closed_contact_is_in_no_list(crm: Caller, api: Caller) -> None:
    kept, closed = (api.plant("contacts", {"FIRST_NAME": name}) for name in ("Ada", "Byron"))
    crm.adjust(closed_records=[closed])
    assert [row["CONTACT_ID"] for row in walked(api, CONTACTS) + walked(api)] == [kept, kept]
    assert api.get(f"{CONTACTS}/{closed}").status == 403


def test_every_object_is_changed_and_deleted_by_colleagues(api: Caller, story: dict[str, str]) -> None:
    fields = {"companies": "ORGANISATION_NAME", "contacts": "LAST_NAME", "deals": "OPPORTUNITY_NAME"}
    for noun, name in (fields | {"leads": "LAST_NAME"}).items():
        number, path = int(story[noun]), f"/v3.1/{READ[noun]}/{story[noun]}"
        assert change(api, noun, number, **{name: "Other"}).status == 200
        assert api.get(path).json[name] == "Other"
        assert vanish(api, noun, number).status == 200
        assert api.get(path).status == 404
    assert change(api, "users", int(story["users"]), ACTIVE=False).status == 200
    assert api.get(f"/v3.1/Users/{story['users']}").json["ACTIVE"] is False
