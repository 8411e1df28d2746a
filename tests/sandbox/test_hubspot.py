"""HubSpot's peculiarities, and its recorded answers."""

from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.local.samples.hubspot import SAMPLE
from tests.sandbox import spec
from tests.sandbox.caller import Caller, Reply
from tests.sandbox.shape import fits

CRM = "hubspot"
V3, DATED = "/crm/v3/objects", "/crm/objects/2026-09"

type Recorded = Callable[[str], Any]


def to(record_id: str, *type_ids: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id} for type_id in type_ids]
    return {"to": {"id": record_id}, "types": types}


def lead(api: Caller, *links: dict[str, Any], path: str = V3, **properties: Any) -> Reply:
    body = {"properties": {"hs_lead_name": "Ada"} | properties, "associations": list(links)}
    return api.post(f"{path}/leads", body)


@pytest.fixture
def contact(api: Caller) -> str:
    return api.plant("contacts", {"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace"})


@pytest.mark.parametrize("path", [V3, "/crm/objects/2026-03", DATED])
@pytest.mark.parametrize("type_id", [578, 608])
def test_a_lead_is_created_with_its_contact_and_says_nothing_about_it(
    api: Caller, contact: str, path: str, type_id: int
) -> None:
    made = lead(api, to(contact, type_id), path=path, hs_lead_label="HOT")
    assert made.status == 201
    assert "associations" not in made.json
    assert made.headers["location"].endswith(made.json["id"])
    asked = {"properties": "hs_lead_label,hs_associated_contact_email,nonsense", "associations": "contacts,companies"}
    got = api.get(f"{path}/leads/{made.json['id']}", query=asked).json
    assert got["properties"]["hs_lead_label"] == "HOT"
    assert got["properties"]["hs_associated_contact_email"] == "ada@example.com"
    assert "nonsense" not in got["properties"]
    assert {row["id"] for row in got["associations"]["contacts"]["results"]} == {contact}
    assert "companies" not in got["associations"]


def test_a_lead_needs_a_name_and_an_existing_contact(api: Caller, contact: str) -> None:
    company = api.plant("companies", {"name": "Engines"})
    no_name = api.post(f"{V3}/leads", {"properties": {}, "associations": [to(contact, 578)]})
    assert no_name.status == 400
    assert no_name.json["context"]["properties"] == ["hs_lead_name"]
    for links in ([], [to(company, 580)], [to("999", 578)], [to(contact, 279)]):
        reply = lead(api, *links)
        assert (reply.status, reply.json["category"]) == (400, "VALIDATION_ERROR")
    assert lead(api, to(contact, 578), to(company, 580)).status == 201


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"no_such_thing": "x"}, "PROPERTY_DOESNT_EXIST"),
        ({"hs_lead_label": "LUKEWARM"}, "INVALID_OPTION"),
        ({"hs_createdate": "2026-01-01"}, "READ_ONLY_VALUE"),
        ({"hs_associated_contact_email": "x@example.com"}, "READ_ONLY_VALUE"),
        ({"hubspot_owner_id": "1"}, "INVALID_OWNER_ID"),
        ({"contract_end": "soon"}, "INVALID_DATE"),
        ({"contract_end": 1_700_000_000}, "INVALID_DATE"),
        ({"preferred_channels": "email;pigeon"}, "INVALID_OPTION"),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    api: Caller, contact: str, recorded: Recorded, properties: dict[str, Any], code: str
) -> None:
    reply = lead(api, to(contact, 578), **properties)
    assert reply.status == 400
    assert [error["code"] for error in reply.json["errors"]] == [code]
    assert reply.json["errors"][0]["context"] == {"propertyName": list(properties)}
    body = recorded("hubspot/contacts.batch-create.invalid-properties.400.json")["body"]
    assert reply.json.keys() == body.keys()
    assert reply.json["errors"][0].keys() == body["errors"][0].keys()
    assert reply.json["message"].split("[")[0] == body["message"].split("[")[0]


@pytest.mark.parametrize("value", [True, None, ["x"], {"x": 1}])
def test_values_are_strings_or_numbers(api: Caller, contact: str, value: Any) -> None:
    assert lead(api, to(contact, 578), favourite_colour=value).status == 400


def test_values_are_stored_as_strings(api: Caller, contact: str) -> None:
    made = lead(
        api, to(contact, 578), favourite_colour=7, contract_end="2026-12-31", preferred_channels="email;chat",
        hubspot_owner_id=88842095,
    )  # fmt: skip
    assert made.status == 201
    kept = {name: made.json["properties"][name] for name in ("favourite_colour", "contract_end", "hubspot_owner_id")}
    assert kept == {"favourite_colour": "7", "contract_end": "2026-12-31", "hubspot_owner_id": "88842095"}
    patched = api.patch(f"{V3}/leads/{made.json['id']}", {"properties": {"favourite_colour": ""}}).json
    assert patched["properties"]["favourite_colour"] is None


def test_a_second_contact_with_the_same_email_is_a_conflict_as_recorded(
    api: Caller, contact: str, recorded: Recorded
) -> None:
    reply = api.post(f"{V3}/contacts", {"properties": {"email": "ADA@example.com"}})
    was = recorded("hubspot/contact.create.conflict.409.json")
    assert (reply.status, reply.json.keys()) == (was["status"], was["body"].keys())
    assert reply.json["message"] == was["body"]["message"].rsplit(" ", 1)[0] + f" {contact}"


def test_objects_look_as_recorded(api: Caller, contact: str, recorded: Recorded) -> None:
    made = api.post(f"{V3}/contacts", {"properties": {"email": "b@example.com", "firstname": "B"}})
    was = recorded("hubspot/contact.create.201.json")
    assert (made.status, made.json.keys()) == (201, was["body"].keys())
    got = api.get(f"{V3}/contacts/{contact}", query={"properties": "email,firstname,lastname"})
    was = recorded("hubspot/contact.get.200.json")
    assert got.json.keys() == was["body"].keys()
    assert got.json["properties"].keys() == was["body"]["properties"].keys()
    deal = api.post(f"{V3}/deals", {"properties": {"dealname": "D", "amount": 10_000}})
    assert deal.json["properties"]["amount"] == recorded("hubspot/deal.create.201.json")["body"]["properties"]["amount"]
    owners = api.get("/crm/v3/owners/").json
    assert owners["results"][0].keys() == recorded("hubspot/owners.list.200.json")["body"]["results"][0].keys()
    listed = api.get(f"{V3}/contacts", query={"limit": 1})
    was = recorded("hubspot/contacts.list.200.json")
    assert set(was["headers"]) <= set(listed.headers)


def test_refusals_look_as_recorded(crm: Caller, api: Caller, recorded: Recorded) -> None:
    cases = {
        "error.expired-token.401": crm.authorised(expired=True).get(f"{V3}/leads"),
        "error.missing-scopes.403": crm.authorised(scopes=["oauth"]).get(f"{V3}/leads"),
        "error.not-found.404": api.get(f"{V3}/leads/123456"),
        "association.no-body.400": api.put("/crm/v4/objects/contacts/1/associations/company/2"),
    }
    crm.adjust(requests_per_interval=0, searches_per_second=0)
    cases["error.rate-limit.ten-secondly.429"] = api.get(f"{V3}/leads")
    cases["error.rate-limit.secondly-search.429"] = api.post(f"{V3}/leads/search", {})
    for name, reply in cases.items():
        was = recorded(f"hubspot/{name}.json")
        assert (reply.status, reply.json.keys()) == (was["status"], was["body"].keys()), name
        for word in ("category", "policyName", "status"):
            assert reply.json.get(word) == was["body"].get(word), name
    context = cases["error.missing-scopes.403"].json["context"]
    assert context["requiredGranularScopes"] == ["crm.objects.leads.read"]
    assert "x-hubspot-ratelimit-max" not in cases["error.rate-limit.secondly-search.429"].headers


def test_a_missing_record_and_an_impossible_id_are_told_apart(api: Caller) -> None:
    assert "category" not in api.get(f"{V3}/leads/123").json
    assert api.get(f"{V3}/leads/abc").json["category"] == "OBJECT_NOT_FOUND"
    assert api.get(f"{V3}/unicorns/1").status == 400
    assert api.get("/crm/v9/objects/leads").status == 404
    assert api.put(f"{V3}/leads", {}).status == 405


def test_deleting_is_204_whatever_is_deleted(api: Caller, contact: str) -> None:
    for wanted in (contact, contact, "42"):
        assert api.delete(f"{V3}/contacts/{wanted}").status == 204
    assert api.get(f"{V3}/contacts/{contact}").status == 404
    assert api.get(f"{V3}/contacts/{contact}?archived=true").json["archived"] is True
    assert [row["id"] for row in api.get(f"{V3}/contacts?archived=true").json["results"]] == [contact]


def test_lists_are_paged_and_capped(api: Caller) -> None:
    ids = [api.plant("contacts", {"firstname": str(number)}) for number in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while query:
        page = api.get(f"{V3}/contacts", query=query).json
        seen += [row["id"] for row in page["results"]]
        query = {"limit": 2, "after": page["paging"]["next"]["after"]} if "paging" in page else {}
    assert seen == ids
    assert api.get(f"{V3}/contacts?limit=101").status == 400


def test_search_lags_behind_reading(crm: Caller, api: Caller, contact: str) -> None:
    crm.adjust(search_lag=2.0)
    made = lead(api, to(contact, 578)).json["id"]
    by_name = {"filterGroups": [{"filters": [{"propertyName": "hs_lead_name", "operator": "EQ", "value": "ada"}]}]}
    assert api.get(f"{V3}/leads/{made}").status == 200
    assert api.post(f"{V3}/leads/search", by_name).json == {"total": 0, "results": []}
    crm.adjust(search_lag=0)
    api.patch(f"{V3}/leads/{made}", {"properties": {"hs_lead_label": "COLD"}})
    reply = api.post(f"{V3}/leads/search", by_name | {"properties": ["hs_lead_label"]})
    assert reply.json["results"][0]["properties"]["hs_lead_label"] == "COLD"
    assert not any(name.startswith("x-hubspot-ratelimit") for name in reply.headers)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"propertyName": "firstname", "operator": "EQ", "value": "ADA"}, "a"),
        ({"propertyName": "firstname", "operator": "NEQ", "value": "Ada"}, "bc"),
        ({"propertyName": "firstname", "operator": "IN", "values": ["ada", "bob"]}, "ab"),
        ({"propertyName": "firstname", "operator": "IN", "values": ["Ada"]}, ""),
        ({"propertyName": "loyalty_points", "operator": "GT", "value": "9"}, "b"),
        ({"propertyName": "loyalty_points", "operator": "BETWEEN", "value": "1", "highValue": "9"}, "a"),
        ({"propertyName": "loyalty_points", "operator": "NOT_HAS_PROPERTY"}, "c"),
        ({"propertyName": "lastname", "operator": "CONTAINS_TOKEN", "value": "love*"}, "a"),
        ({"propertyName": "lastmodifieddate", "operator": "GTE", "value": "2026-01-02T00:00:00Z"}, "bc"),
    ],
)
def test_search_filters(api: Caller, condition: dict[str, Any], found: str) -> None:
    a = api.plant(
        "contacts", {"firstname": "Ada", "lastname": "Lovelace", "loyalty_points": 5, "updated": 1_767_225_600}
    )
    b = api.plant("contacts", {"firstname": "Bob", "loyalty_points": 10})
    c = api.plant("contacts", {"firstname": "Cy"})
    body = {"filterGroups": [{"filters": [condition]}], "sorts": [{"propertyName": "hs_object_id"}], "limit": "200"}
    names = {a: "a", b: "b", c: "c"}
    reply = api.post(f"{V3}/contacts/search", body)
    assert "".join(names[row["id"]] for row in reply.json["results"]) == found


def test_search_is_capped(api: Caller) -> None:
    some = {"filters": [{"propertyName": "email", "operator": "HAS_PROPERTY"}]}
    for body in (
        {"limit": 201},
        {"limit": 100, "after": "9950"},
        {"filterGroups": [some] * 6},
        {"filterGroups": [{"filters": some["filters"] * 11}]},
        {"filterGroups": [{"filters": [{"propertyName": "nonsense", "operator": "EQ", "value": "1"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "SOUNDS_LIKE", "value": "1"}]}]},
    ):
        assert api.post(f"{V3}/contacts/search", body).status == 400, body
    assert api.post(f"{V3}/contacts/search", {"limit": 100, "after": "9900"}).status == 200


def test_batches_read_create_and_tell_what_is_missing(api: Caller, contact: str, recorded: Recorded) -> None:
    made = api.post(f"{DATED}/contacts/batch/create", {"inputs": [{"properties": {"firstname": "B"}}]})
    assert made.status == 201
    other = made.json["results"][0]["id"]
    ids = {"inputs": [{"id": contact}, {"id": other}, {"id": "9"}], "properties": ["firstname"]}
    reply = api.post(f"{DATED}/contacts/batch/read", ids)
    was = recorded("hubspot/contacts.batch-update.partial.207.json")["body"]
    assert (reply.status, reply.json.keys()) == (207, was.keys())
    assert reply.json["errors"][0].keys() == was["errors"][0].keys()
    assert [row["properties"]["firstname"] for row in reply.json["results"]] == ["Ada", "B"]
    twice = api.post(f"{DATED}/contacts/batch/update", {"inputs": [{"id": contact, "properties": {}}] * 2})
    assert (twice.status, twice.json["context"]) == (400, {"ids": [contact]})
    assert api.post(f"{DATED}/contacts/batch/read", {"inputs": [{"id": "1"}] * 101}).status == 400


def test_associations_of_many_are_read_at_once(api: Caller, contact: str) -> None:
    company = api.plant("companies", {"name": "Engines"})
    whole = lead(api, to(contact, 578), to(company, 580)).json["id"]
    half = lead(api, to(contact, 578)).json["id"]
    inputs = {"inputs": [{"id": whole}, {"id": half}]}
    contacts = api.post("/crm/v4/associations/leads/contacts/batch/read", inputs)
    assert contacts.status == 200
    told = {row["from"]["id"]: [each["toObjectId"] for each in row["to"]] for row in contacts.json["results"]}
    assert told == {whole: [int(contact)], half: [int(contact)]}
    companies = api.post("/crm/v4/associations/leads/companies/batch/read", inputs)
    assert companies.status == 207
    assert [row["from"]["id"] for row in companies.json["results"]] == [whole]
    assert companies.json["numErrors"] == 1
    many = {"inputs": [{"id": str(n)} for n in range(1001)]}
    assert api.post("/crm/v4/associations/leads/contacts/batch/read", many).status == 400


def test_associations_are_read_set_and_cut(api: Caller, contact: str) -> None:
    lead_id = lead(api, to(contact, 578)).json["id"]
    company = api.plant("companies", {"name": "Engines"})
    path = f"/crm/v4/objects/leads/{lead_id}/associations"
    [row] = api.get(f"{path}/contacts").json["results"]
    assert row["toObjectId"] == int(contact)
    assert {kind["typeId"]: kind["label"] for kind in row["associationTypes"]} == {578: "Primary", 608: None}
    assert api.put(f"{path}/company/{company}", to(company, 580)["types"]).status == 201
    assert api.put(f"{path}/default/company/{company}").status == 200
    assert len(api.get(f"/crm/v4/objects/companies/{company}/associations/leads").json["results"]) == 1
    assert api.put(f"{path}/company/{company}", to(company, 4)["types"]).status == 400
    assert api.delete(f"{path}/company/{company}").status == 204
    assert api.get(f"{path}/companies").json["results"] == []


def test_the_properties_api_shows_options_and_custom_properties(api: Caller) -> None:
    rows = {row["name"]: row for row in api.get("/crm/v3/properties/leads").json["results"]}
    assert [option["value"] for option in rows["hs_lead_label"]["options"]] == ["WARM", "HOT", "COLD"]
    assert rows["favourite_colour"]["hubspotDefined"] is False
    assert rows["hs_object_id"]["modificationMetadata"]["readOnlyValue"] is True
    assert {option["value"] for option in rows["hubspot_owner_id"]["options"]} == {"88842095", "32900489"}
    assert api.get("/crm/properties/2026-09/0-136/hs_lead_label").json["type"] == "enumeration"


def test_refused_refreshes_carry_the_old_status_and_the_new_error(crm: Caller) -> None:
    reply = crm.post("/oauth/v1/token", form={"grant_type": "refresh_token", "client_id": "x"})
    assert (reply.status, reply.json["status"]) == (400, "BAD_CLIENT_ID")
    assert "error" not in reply.json
    grant = crm.grant()
    form = {"client_id": grant["client_id"], "client_secret": grant["client_secret"], "refresh_token": "x"}
    reply = crm.post("/oauth/2026-09/token", form=form | {"grant_type": "refresh_token"})
    assert (reply.json["status"], reply.json["error"]) == ("BAD_REFRESH_TOKEN", "invalid_grant")
    exchanged = crm.post("/oauth/v1/token", form=form | {"grant_type": "authorization_code", "code": grant["code"]})
    assert exchanged.json["expires_in"] == 1800
    introspected = crm.post("/oauth/2026-09/token/introspect", form={"token": "nobody"})
    assert introspected.json == {"active": False}


def test_pipelines_and_stages_are_made_and_used(api: Caller, recorded: Recorded) -> None:
    was = recorded("hubspot/pipelines.list.200.json")["body"]["results"][0]
    [default] = api.get("/crm/pipelines/2026-09/deals").json["results"]
    assert default.keys() == was.keys()
    assert default["stages"] == was["stages"]
    stages = [{"label": "Open", "displayOrder": 0, "metadata": {"probability": "0.5"}}]
    wanted = {"label": "Renewals", "displayOrder": 1, "stages": stages}
    made = api.post("/crm/v3/pipelines/deals", wanted)
    was = recorded("hubspot/pipeline.create.spec.201.json")
    assert (made.status, made.json.keys()) == (was["status"], was["body"].keys())
    assert made.json["stages"][0].keys() == default["stages"][0].keys() >= was["body"]["stages"][0].keys()
    path = f"/crm/v3/pipelines/deals/{made.json['id']}"
    assert api.post("/crm/v3/pipelines/deals", wanted).status == 400
    assert api.post(f"{path}/stages", {"label": "Won", "displayOrder": 1}).status == 400
    won = api.post(f"{path}/stages", {"label": "Won", "displayOrder": 1, "metadata": {"probability": "1.0"}})
    assert (won.status, won.json["metadata"]["isClosed"]) == (201, "true")
    assert api.patch(f"{path}/stages/{won.json['id']}", {"label": "Signed"}).json["label"] == "Signed"
    deal = {"dealname": "D", "pipeline": made.json["id"], "dealstage": won.json["id"]}
    assert api.post(f"{V3}/deals", {"properties": deal}).status == 201
    assert api.post(f"{V3}/deals", {"properties": deal | {"dealstage": "asleep"}}).status == 400
    assert api.delete(path).status == 204
    assert api.get(path).status == 404


PIPELINES, DATED_PIPELINES = "/crm/v3/pipelines", "/crm/pipelines/2026-09"


def deal_stage(label: str, order: int = 0, probability: str = "0.5", **more: Any) -> dict[str, Any]:
    return {"label": label, "displayOrder": order, "metadata": {"probability": probability}} | more


def renewals(api: Caller, path: str = PIPELINES) -> dict[str, Any]:
    stages = [deal_stage("Open"), deal_stage("Won", 1, "1.0")]
    made = api.post(f"{path}/deals", {"label": "Renewals", "displayOrder": 1, "stages": stages})
    assert made.status == 201, made.text
    return made.json


@pytest.mark.parametrize(
    "body",
    [
        {"displayOrder": 1, "stages": [deal_stage("Open")]},
        {"label": "R", "stages": [deal_stage("Open")]},
        {"label": "R", "displayOrder": 1},
        {"label": "R", "displayOrder": 1, "stages": []},
        {"label": "R", "displayOrder": 1, "stages": {}},
        {"label": " ", "displayOrder": 1, "stages": [deal_stage("Open")]},
        {"label": 5, "displayOrder": 1, "stages": [deal_stage("Open")]},
        {"label": "R", "displayOrder": "1", "stages": [deal_stage("Open")]},
        {"label": "R", "displayOrder": -1, "stages": [deal_stage("Open")]},
        {"label": "sales pipeline ", "displayOrder": 1, "stages": [deal_stage("Open")]},
        {"label": "Support Pipeline", "displayOrder": 1, "stages": [deal_stage("Open")]},
        {"label": "R", "displayOrder": 1, "stages": [deal_stage("Open"), deal_stage("OPEN", 1)]},
        {"label": "R", "displayOrder": 1, "stages": [{"label": "Open", "metadata": {"probability": "0.5"}}]},
        {"label": "R", "displayOrder": 1, "stages": [{"label": "Open", "displayOrder": 0}]},
        {"label": "R", "displayOrder": 1, "stages": [{"label": "Open", "displayOrder": 0, "metadata": {}}]},
        {"label": "R", "displayOrder": 1, "stages": [deal_stage("Open", probability="1.1")]},
        {"label": "R", "displayOrder": 1, "stages": [deal_stage("Open", probability="likely")]},
        {"label": "R", "displayOrder": 1, "stages": [deal_stage("Open", metadata={"probability": 0.5})]},
        {"label": "R", "displayOrder": 1, "stages": [deal_stage(str(number), number) for number in range(101)]},
    ],
)
def test_a_pipeline_that_does_not_fit_is_400_and_not_made(api: Caller, body: dict[str, Any]) -> None:
    before = api.stored("pipelines")
    for path in (PIPELINES, DATED_PIPELINES):
        reply = api.post(f"{path}/deals", body)
        assert (reply.status, reply.json["category"]) == (400, "VALIDATION_ERROR")
    assert api.stored("pipelines") == before


def test_labels_are_unique_per_account_and_per_pipeline(crm: Caller, api: Caller) -> None:
    made = renewals(api)
    path = f"{PIPELINES}/deals/{made['id']}"
    again = api.post(f"{path}/stages", deal_stage(" open ", 2))
    assert (again.status, again.json["subCategory"]) == (400, "PipelineError.STAGE_LABEL_EXISTS")
    assert api.patch(f"{path}/stages/{made['stages'][0]['id']}", {"label": "Won"}).status == 400
    assert api.patch(f"{path}/stages/{made['stages'][0]['id']}", {"label": "OPEN"}).json["label"] == "OPEN"
    assert api.post(f"{path}/stages", deal_stage("Contract Sent", 2)).status == 201
    assert api.patch(path, {"label": "Sales Pipeline"}).status == 400
    assert api.patch(path, {"label": "RENEWALS"}).json["label"] == "RENEWALS"
    crm.adjust(labels_unique_per="object")
    assert api.patch(path, {"label": "Sales Pipeline"}).status == 400
    assert api.patch(path, {"label": "Support Pipeline"}).status == 200


def test_a_patch_changes_what_it_names(api: Caller) -> None:
    made = renewals(api)
    path = f"{PIPELINES}/deals/{made['id']}"
    changed = api.patch(path, {"displayOrder": 7, "metadata": {"probability": "0.1"}, "stages": []})
    assert changed.json == made | {"displayOrder": 7, "updatedAt": changed.json["updatedAt"]}
    stage = f"{path}/stages/{made['stages'][0]['id']}"
    moved = api.patch(stage, {"displayOrder": 3}).json
    assert (moved["displayOrder"], moved["label"], moved["metadata"]) == (3, "Open", made["stages"][0]["metadata"])
    closed = api.patch(stage, {"metadata": {"probability": "0"}}).json["metadata"]
    assert closed == {"isClosed": "true", "probability": "0.0"}
    assert api.patch(stage, {"metadata": {"probability": "0.25", "isClosed": "true"}}).json["metadata"] == {
        "isClosed": "false", "probability": "0.25",
    }  # fmt: skip
    for refused in ({"archived": False}, {"label": ""}, {"displayOrder": True}):
        assert api.patch(path, refused).status == 400
        assert api.patch(stage, refused).status == 400
    assert api.patch(stage, {"metadata": {}}).status == 400
    assert api.patch(f"{PIPELINES}/deals/{made['id']}x", {"label": "X"}).status == 404
    assert api.get(f"{path}/stages/{made['stages'][0]['id']}x").status == 404


def test_a_put_replaces_everything(api: Caller) -> None:
    made = renewals(api, DATED_PIPELINES)
    path = f"{DATED_PIPELINES}/deals/{made['id']}"
    kept, gone = (stage["id"] for stage in made["stages"])
    body = {
        "label": "New",
        "displayOrder": 2,
        "stages": [deal_stage("Begun", stageId=kept), deal_stage("Lost", 1, "0.0")],
    }
    assert api.put(path, {"label": "New", "displayOrder": 2}).status == 400
    replaced = api.put(path, body).json
    assert (replaced["id"], replaced["label"], replaced["createdAt"]) == (made["id"], "New", made["createdAt"])
    assert [stage["label"] for stage in replaced["stages"]] == ["Begun", "Lost"]
    assert replaced["stages"][0]["id"] == kept
    assert replaced["stages"][1]["id"] not in (kept, gone)
    assert api.get(f"{path}/stages/{gone}").status == 404
    stage = f"{path}/stages/{kept}"
    assert api.put(stage, {"label": "Open", "displayOrder": 0}).status == 400
    assert api.put(stage, deal_stage("Open", 5, "0.9")).json["metadata"]["probability"] == "0.9"
    older = api.put(f"{PIPELINES}/deals/{made['id']}", body).json
    assert older["stages"][0]["id"] != kept  # v3 knows no stageId


@pytest.mark.parametrize(("kind", "mine", "other"), [("deals", 1, 0), ("leads", 0, 1)])
def test_deleting_what_is_in_use_is_refused_on_demand_and_since_2026_09_by_itself(
    api: Caller, contact: str, kind: str, mine: int, other: int
) -> None:
    flags = ("validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete")
    stage = deal_stage("Open")
    ids: list[str] = []
    for label in ("A", "B"):
        made = api.post(
            f"{PIPELINES}/{kind}", {"label": label, "displayOrder": 1, "stages": [stage, deal_stage("X", 1)]}
        )
        ids.append(made.json["id"])
        used, spare = (one["id"] for one in made.json["stages"])
        if kind == "deals":
            properties = {"dealname": "D", "pipeline": ids[-1], "dealstage": used}
            record = api.post(f"{V3}/deals", {"properties": properties}).json["id"]
        else:
            record = lead(api, to(contact, 578), hs_pipeline=ids[-1], hs_pipeline_stage=used).json["id"]
        for path, query in (
            (f"{PIPELINES}/{kind}/{ids[-1]}", {flags[0]: "true"}),
            (f"{PIPELINES}/{kind}/{ids[-1]}", {flags[1]: "true"}),
            (f"{DATED_PIPELINES}/{kind}/{ids[-1]}", {}),
            (f"{DATED_PIPELINES}/{kind}/{ids[-1]}", {flags[other]: "false"}),
            (f"{DATED_PIPELINES}/{kind}/{ids[-1]}/stages/{used}", {}),
        ):
            reply = api.delete(path, query=query)
            assert (reply.status, reply.json["subCategory"]) == (400, "PipelineError.STAGE_ID_IN_USE"), (path, query)
            assert reply.json["context"]["objectIds"] == [f"[{record}]"]
        new = {"label": f"New {label}", "displayOrder": 1, "stages": [stage]}
        assert api.put(f"{DATED_PIPELINES}/{kind}/{ids[-1]}", new).status == 400
        assert api.delete(f"{DATED_PIPELINES}/{kind}/{ids[-1]}/stages/{spare}").status == 204
    assert api.delete(f"{PIPELINES}/{kind}/{ids[0]}").status == 204
    assert api.delete(f"{DATED_PIPELINES}/{kind}/{ids[1]}", query={flags[mine]: "false"}).status == 204
    made = renewals(api) if kind == "deals" else None
    if made:
        properties = {"dealname": "D", "pipeline": made["id"], "dealstage": made["stages"][0]["id"]}
        record = api.post(f"{V3}/deals", {"properties": properties}).json["id"]
        path = f"{DATED_PIPELINES}/deals/{made['id']}"
        assert api.delete(path).status == 400
        api.delete(f"{V3}/deals/{record}")
        assert api.delete(path).status == 204  # what is in the bin does not count
        assert api.delete(path).status == 404


def test_the_last_stage_stays(api: Caller) -> None:
    made = renewals(api)
    paths = [f"{PIPELINES}/deals/{made['id']}/stages/{stage['id']}" for stage in made["stages"]]
    assert [api.delete(path).status for path in paths] == [204, 400]
    assert len(api.get(f"{PIPELINES}/deals/{made['id']}").json["stages"]) == 1


def test_v3_validates_pipelines_and_no_stage(api: Caller) -> None:
    made = renewals(api)
    properties = {"dealname": "D", "pipeline": made["id"], "dealstage": made["stages"][0]["id"]}
    api.post(f"{V3}/deals", {"properties": properties})
    path, flag = f"{PIPELINES}/deals/{made['id']}", {"validateDealStageUsagesBeforeDelete": "true"}
    assert api.delete(path, query=flag).status == 400
    assert api.delete(f"{path}/stages/{made['stages'][0]['id']}", query=flag).status == 204


def test_stages_of_leads_and_tickets_have_metadata_of_their_own(api: Caller) -> None:
    [tickets] = api.get(f"{PIPELINES}/tickets").json["results"]
    assert {stage["metadata"]["ticketState"] for stage in tickets["stages"]} == {"OPEN", "CLOSED"}
    path = f"{PIPELINES}/0-5/{tickets['id']}/stages"
    plain = {"label": "Asked", "displayOrder": 4}
    assert api.post(path, plain).json["metadata"] == {"ticketState": "OPEN"}
    assert api.post(path, plain | {"label": "B", "metadata": {"ticketState": "closed"}}).status == 400
    [leads] = api.get(f"{PIPELINES}/leads").json["results"]
    made = api.post(f"{PIPELINES}/leads/{leads['id']}/stages", plain)
    assert (made.status, made.json["metadata"]) == (201, {})
    full = [plain | {"label": str(number)} for number in range(31)]
    assert api.post(f"{PIPELINES}/leads", {"label": "L", "displayOrder": 1, "stages": full}).status == 400
    assert api.post(f"{PIPELINES}/leads", {"label": "L", "displayOrder": 1, "stages": full[:30]}).status == 201
    assert api.get(f"{PIPELINES}/unicorns").status == 400


def test_ids_may_be_chosen_in_the_dated_paths(api: Caller) -> None:
    body = {"label": "A", "displayOrder": 1, "pipelineId": "renewals", "stages": [deal_stage("Open", stageId="open")]}
    made = api.post(f"{DATED_PIPELINES}/deals", body).json
    assert (made["id"], made["stages"][0]["id"]) == ("renewals", "open")
    for change in ({"pipelineId": "default"}, {"stages": [deal_stage("Open", stageId="closedwon")]}):
        assert api.post(f"{DATED_PIPELINES}/deals", body | {"label": "B", "pipelineId": "b"} | change).status == 400
    older = api.post(f"{PIPELINES}/deals", body | {"label": "C"}).json
    assert older["id"].isdigit()
    assert older["stages"][0]["id"].isdigit()


def test_a_plan_allows_so_many_pipelines(crm: Caller, api: Caller) -> None:
    crm.adjust(most_pipelines=2)
    renewals(api)
    body = {"label": "One more", "displayOrder": 2, "stages": [deal_stage("Open")]}
    assert api.post(f"{PIPELINES}/deals", body).status == 400
    assert api.post(f"{PIPELINES}/leads", body).status == 201


def test_pipelines_want_the_scopes_of_their_object(crm: Caller) -> None:
    reader = crm.authorised(scopes=["crm.objects.deals.read"])
    assert reader.get(f"{PIPELINES}/deals").status == 200
    assert reader.get(f"{PIPELINES}/leads").status == 403
    for reply in (reader.post(f"{PIPELINES}/deals", {}), reader.delete(f"{PIPELINES}/deals/default")):
        assert reply.json["context"]["requiredGranularScopes"] == ["crm.objects.deals.write"]


def test_rules_of_admins_bind_only_the_newest_version(crm: Caller, api: Caller, contact: str) -> None:
    crm.adjust(required_properties={"leads": ["hs_lead_label"]})
    assert lead(api, to(contact, 578), path=DATED).status == 400
    assert lead(api, to(contact, 578), path=DATED, hs_lead_label="HOT").status == 201
    assert lead(api, to(contact, 578), path="/crm/objects/2026-03").status == 201


def test_search_finds_leads_by_their_contact(crm: Caller, api: Caller, contact: str) -> None:
    crm.adjust(search_lag=0)
    other = api.plant("contacts", {"email": "bob@example.com"})
    mine = lead(api, to(contact, 578)).json["id"]
    lead(api, to(other, 578))
    for name, value in (("associations.contact", contact), ("hs_associated_contact_email", "ada@example.com")):
        filters = [{"propertyName": name, "operator": "EQ", "value": value}]
        found = api.post(f"{V3}/leads/search", {"filterGroups": [{"filters": filters}]}).json["results"]
        assert [row["id"] for row in found] == [mine], name


def test_an_association_type_is_one_of_its_category(api: Caller, contact: str) -> None:
    foreign = to(contact, 578)
    foreign["types"][0]["associationCategory"] = "USER_DEFINED"
    reply = lead(api, foreign)
    assert (reply.status, reply.json["category"]) == (400, "VALIDATION_ERROR")
    made = lead(api, to(contact, 578)).json["id"]
    company = api.plant("companies", {"name": "Engines"})
    kind = to(company, 580)["types"][0] | {"associationCategory": "USER_DEFINED"}
    assert api.put(f"/crm/v4/objects/leads/{made}/associations/company/{company}", [kind]).status == 400


def test_a_long_list_of_associations_is_cut_and_goes_on_elsewhere(crm: Caller, api: Caller, contact: str) -> None:
    crm.adjust(associations_per_page=2)
    made = [lead(api, to(contact, 578)).json["id"] for _ in range(3)]
    shown = api.get(f"{DATED}/contacts/{contact}", query={"associations": "leads"}).json["associations"]["leads"]
    assert {row["id"] for row in shown["results"]} == set(made[:2])
    after = shown["paging"]["next"]["after"]
    rest = api.get(f"{DATED}/contacts/{contact}/associations/leads", query={"after": after}).json
    assert [str(row["toObjectId"]) for row in rest["results"]] == made[2:]
    crm.adjust(associations_per_page=100)
    shown = api.get(f"{DATED}/contacts/{contact}", query={"associations": "leads"}).json["associations"]["leads"]
    assert "paging" not in shown


def test_only_a_private_app_has_an_allowance_for_the_day(crm: Caller, api: Caller, recorded: Recorded) -> None:
    key = Caller(crm.url, {"Authorization": f"Bearer {crm.grant(kind='api_key')['api_key']}"})
    crm.adjust(requests_per_day=1)
    first = key.get(f"{V3}/leads")
    assert (first.status, first.headers["x-hubspot-ratelimit-daily-remaining"]) == (200, "0")
    was, limited = recorded("hubspot/error.rate-limit.daily.429.json"), key.get(f"{V3}/leads")
    assert (limited.status, limited.json.keys()) == (was["status"], was["body"].keys())
    assert limited.json["policyName"] == "DAILY"
    told = api.get(f"{V3}/leads")
    assert (told.status, "x-hubspot-ratelimit-daily" in told.headers) == (200, False)


def test_an_account_that_is_being_moved_says_for_how_long(crm: Caller, api: Caller) -> None:
    for path in (f"{V3}/leads", "/oauth/2026-09/token"):
        crm.fault("server_error", status=477)
        reply = api.get(path) if path.startswith(V3) else crm.post(path, form={"grant_type": "refresh_token"})
        assert (reply.status, reply.headers["retry-after"]) == (477, "3600")


# Reading one record.


@pytest.fixture
def told(crm: Caller) -> dict[str, str]:
    """The customer of the story, by our plurals."""
    return dict(SAMPLE.story(lambda noun, **fields: crm.plant(noun, fields)))


@pytest.mark.parametrize("version", [V3, DATED])
@pytest.mark.parametrize(
    ("noun", "fixture"), [("contacts", "contact"), ("companies", "company"), ("deals", "deal"), ("leads", None)]
)
def test_each_object_is_read_by_its_id_as_recorded(
    api: Caller, told: dict[str, str], recorded: Recorded, version: str, noun: str, fixture: str | None
) -> None:
    plain = api.get(f"{version}/{noun}/{told[noun]}")
    assert (plain.status, plain.json["id"], plain.json["archived"]) == (200, told[noun], False)
    assert plain.json["properties"]["hs_object_id"] == told[noun]
    assert not {"associations", "archivedAt"} & plain.json.keys()
    asked = api.get(f"{version}/{noun}/{told[noun]}", query={"properties": "hubspot_owner_id,favourite_colour,no_such"})
    assert asked.json["properties"]["hubspot_owner_id"] == told["users"]
    assert "no_such" not in asked.json["properties"]
    if fixture:
        was = recorded(f"hubspot/{fixture}.get.200.json")["body"]
        names = ",".join(was["properties"])
        fits(was, api.get(f"{version}/{noun}/{told[noun]}", query={"properties": names}).json)


def test_values_are_text_and_what_is_not_set_is_null(api: Caller, told: dict[str, str]) -> None:
    names = "amount,deal_currency_code,closedate,pipeline,dealstage,hs_is_closed,closed_lost_reason,favourite_colour"
    got = api.get(f"{V3}/deals/{told['deals']}", query={"properties": names}).json["properties"]
    assert {name: got[name] for name in names.split(",")} == {
        "amount": "12500",
        "deal_currency_code": "GBP",
        "closedate": "2026-12-31T00:00:00.000Z",
        "pipeline": "default",
        "dealstage": "qualifiedtobuy",
        "hs_is_closed": "false",
        "closed_lost_reason": None,
        "favourite_colour": "teal",
    }


def test_whether_a_deal_is_won_or_lost_follows_its_stage(api: Caller, told: dict[str, str]) -> None:
    path = f"{V3}/deals/{told['deals']}"
    asked = {"properties": "hs_is_closed,hs_is_closed_won,hs_is_closed_lost,hs_deal_stage_probability"}
    for stage, expected in (
        ("closedwon", ("true", "true", "false", "1.0")),
        ("closedlost", ("true", "false", "true", "0.0")),
        ("contractsent", ("false", "false", "false", "0.9")),
    ):
        assert api.patch(path, {"properties": {"dealstage": stage}}).status == 200
        got = api.get(path, query=asked).json["properties"]
        assert tuple(got[name] for name in asked["properties"].split(",")) == expected
    refused = api.patch(path, {"properties": {"hs_is_closed_won": "true"}})
    assert refused.json["errors"][0]["code"] == "READ_ONLY_VALUE"


def test_associations_are_told_on_demand_from_either_side(api: Caller, told: dict[str, str]) -> None:
    everything = {"associations": "contacts,companies,deals,leads"}
    for noun, others in {
        "contacts": ("companies", "deals", "leads"),
        "companies": ("contacts", "deals", "leads"),
        "deals": ("contacts", "companies"),
        "leads": ("contacts", "companies"),
    }.items():
        shown = api.get(f"{DATED}/{noun}/{told[noun]}", query=everything).json["associations"]
        assert {to: {row["id"] for row in rows["results"]} for to, rows in shown.items()} == {
            to: {told[to]} for to in others
        }
    company = {"properties": "associatedcompanyid"}
    got = api.get(f"{V3}/contacts/{told['contacts']}", query=company).json["properties"]
    assert got["associatedcompanyid"] == told["companies"]
    assert api.get(f"{V3}/deals/{told['deals']}", query={"associations": "unicorns"}).status == 400


def test_an_owner_is_read_by_id_or_by_user_id(api: Caller, told: dict[str, str], recorded: Recorded) -> None:
    got = api.get(f"/crm/v3/owners/{told['users']}")
    assert got.status == 200
    fits(recorded("hubspot/owners.list.200.json")["body"]["results"][0], got.json)
    assert (got.json["firstName"], got.json["lastName"]) == ("Charles", "Babbage")
    api.plant("users", {"id": "777", "userId": 888, "email": "gone@example.com", "archived": True})
    assert api.get("/crm/v3/owners/777").status == 404
    assert api.get("/crm/v3/owners/777?archived=true").json["archived"] is True
    assert api.get("/crm/v3/owners/888?idProperty=userId&archived=true").json["id"] == "777"
    assert api.get("/crm/v3/owners/888?idProperty=email").status == 400
    assert "category" not in api.get("/crm/v3/owners/999").json
    assert api.get("/crm/v3/owners/nobody").json["category"] == "OBJECT_NOT_FOUND"


@pytest.mark.parametrize("noun", ["contacts", "companies", "deals", "leads"])
def test_what_is_not_there_is_404_and_the_bin_is_asked_for(api: Caller, told: dict[str, str], noun: str) -> None:
    for wanted, category in (("424242", None), ("nobody", "OBJECT_NOT_FOUND")):
        reply = api.get(f"{DATED}/{noun}/{wanted}")
        assert (reply.status, reply.json.get("category")) == (404, category)
    path = f"{DATED}/{noun}/{told[noun]}"
    assert api.get(path, query={"archived": "true"}).status == 404
    assert api.delete(path).status == 204
    assert api.get(path).status == 404
    assert {"archivedAt", "archived"} <= api.get(path, query={"archived": "true"}).json.keys()
    assert api.get(path, query={"idProperty": "hs_lead_name"}).status == 400


def test_a_contact_is_read_by_its_email_too(api: Caller, told: dict[str, str]) -> None:
    got = api.get(f"{DATED}/contacts/ada@engines.example", query={"idProperty": "email"})
    assert got.json["id"] == told["contacts"]


def test_a_url_of_more_than_8_kb_is_too_long(api: Caller, told: dict[str, str]) -> None:
    names = [f"property_{number}" for number in range(960)]
    assert api.get(f"{DATED}/contacts", query={"properties": ",".join(names)}).status == 414
    asked = {"properties": names, "inputs": [{"id": told["contacts"]}]}
    assert api.post(f"{DATED}/contacts/batch/read", asked).status == 200


@pytest.mark.parametrize("noun", ["contacts", "companies", "deals", "leads", "users"])
def test_what_is_forbidden_or_out_of_scope_is_403(
    crm: Caller, api: Caller, told: dict[str, str], recorded: Recorded, noun: str
) -> None:
    path = f"/crm/v3/owners/{told[noun]}" if noun == "users" else f"{DATED}/{noun}/{told[noun]}"
    scope = f"crm.objects.{'owners' if noun == 'users' else noun}.read"
    unscoped = crm.authorised(scopes=["oauth"]).get(path)
    crm.adjust(forbidden=[noun])
    for reply in (unscoped, api.get(path)):
        assert reply.status == 403
        fits(recorded("hubspot/error.missing-scopes.403.json")["body"], reply.json)
        assert reply.json["context"]["requiredGranularScopes"] == [scope]
    other = "companies" if noun == "contacts" else "contacts"
    assert api.get(f"{DATED}/{other}/{told[other]}").status == 200


def test_associations_to_what_is_forbidden_are_refused_or_left_out(
    crm: Caller, api: Caller, told: dict[str, str]
) -> None:
    crm.adjust(forbidden=["companies"])
    path, asked = f"{DATED}/contacts/{told['contacts']}", {"associations": "companies,deals"}
    assert api.get(path, query=asked).status == 403
    assert api.get(f"{path}/associations/companies").status == 403
    crm.adjust(forbidden_associations="left_out")
    assert api.get(path, query=asked).json["associations"].keys() == {"deals"}


@pytest.mark.parametrize("noun", ["contacts", "companies", "deals", "leads", "owners"])
def test_each_answer_fits_the_specification(api: Caller, told: dict[str, str], noun: str) -> None:
    document = spec.document(CRM, f"{noun}.v3.json")
    if document is None:
        pytest.skip("no specifications here")
    schema = document["components"]["schemas"][
        "PublicOwner" if noun == "owners" else "SimplePublicObjectWithAssociations"
    ]
    path = f"/crm/v3/owners/{told['users']}" if noun == "owners" else f"{V3}/{noun}/{told[noun]}"
    body = api.get(path, query={"associations": "contacts,companies"} if noun != "owners" else {}).json
    Draft202012Validator(spec.modern(schema, document["components"])).validate(body)


# Lists of contacts, what changed in them, and what is gone.

CONTACTS = f"{DATED}/contacts"
START = 1_767_225_600_000  # 2026-01-01 in epoch milliseconds


def in_search(api: Caller, *conditions: dict[str, Any], **body: Any) -> Any:
    whole = {"filterGroups": [{"filters": list(conditions)}], "sorts": [{"propertyName": "lastmodifieddate"}]} | body
    reply = api.post(f"{CONTACTS}/search", whole)
    assert reply.status == 200, reply.text
    return reply.json


def since(value: int | str, operator: str = "GTE") -> dict[str, Any]:
    return {"propertyName": "lastmodifieddate", "operator": operator, "value": str(value)}


def edit(crm: Caller, noun: str, record_id: str, **fields: Any) -> None:
    assert crm.patch(f"/_sandbox/records/{noun}/{record_id}", fields).status == 200


def remove(crm: Caller, noun: str, record_id: str) -> None:
    assert crm.delete(f"/_sandbox/records/{noun}/{record_id}").status == 200


def many(crm: Caller, number: int, **fields: Any) -> list[str]:
    rows = [{"lastname": f"No. {place}", "createdate": START + place * 1000, **fields} for place in range(number)]
    return crm.post("/_sandbox/records/contacts", rows, timeout=30).json["ids"]


def walked(api: Caller, **query: Any) -> list[str]:
    seen: list[str] = []
    while True:
        page = api.get(CONTACTS, query=query).json
        seen += [row["id"] for row in page["results"]]
        if "paging" not in page:
            return seen
        query["after"] = page["paging"]["next"]["after"]


@pytest.mark.parametrize("cursor", ["position", "id"])
def test_contacts_are_listed_by_tens_and_at_most_by_hundreds(crm: Caller, api: Caller, cursor: str) -> None:
    crm.adjust(list_cursor=cursor)
    ids = many(crm, 120)
    first = api.get(CONTACTS).json
    assert [row["id"] for row in first["results"]] == ids[:10]
    assert f"after={first['paging']['next']['after']}" in first["paging"]["next"]["link"]
    assert walked(api, limit=100) == ids
    for odd in ({"limit": 101}, {"limit": 0}, {"limit": "many"}, {"after": "begin"}):
        assert api.get(CONTACTS, query=odd).status == 400, odd


@pytest.mark.parametrize(("cursor", "hidden"), [("position", 1), ("id", 0)])
def test_a_deletion_during_a_walk_may_hide_another_contact(crm: Caller, api: Caller, cursor: str, hidden: int) -> None:
    crm.adjust(list_cursor=cursor)
    ids = many(crm, 4)
    first = api.get(CONTACTS, query={"limit": 2}).json
    remove(crm, "contacts", ids[0])
    rest = walked(api, limit=2, after=first["paging"]["next"]["after"])
    assert rest == ids[2 + hidden :]


def test_contacts_are_listed_with_the_properties_asked_for_as_recorded(
    crm: Caller, api: Caller, told: dict[str, str], recorded: Recorded
) -> None:
    was = recorded("hubspot/contacts.list.200.json")["body"]["results"][0]
    query = {"limit": 100, "properties": ",".join(was["properties"]), "associations": "companies"}
    [row] = api.get(CONTACTS, query=query).json["results"]
    assert {row["id"] for row in row.pop("associations")["companies"]["results"]} == {told["companies"]}
    fits(was, row)
    [plain] = api.get(CONTACTS).json["results"]
    assert "favourite_colour" not in plain["properties"]
    [asked] = api.get(CONTACTS, query={"properties": "favourite_colour,loyalty_points,no_such"}).json["results"]
    assert asked["properties"]["favourite_colour"] == "teal"
    assert asked["properties"]["loyalty_points"] is None
    assert "no_such" not in asked["properties"]
    rows = {row["name"]: row for row in api.get("/crm/v3/properties/contacts").json["results"]}
    assert [name for name, row in rows.items() if not row["hubspotDefined"]] == ["favourite_colour", "loyalty_points"]


def test_what_changed_is_found_from_a_moment_on_to_the_millisecond(crm: Caller, api: Caller) -> None:
    early, late = (
        api.plant("contacts", {"lastname": name, "createdate": START, "lastmodifieddate": START + ms})
        for name, ms in (("Early", 1000), ("Late", 1001))
    )
    row = api.get(f"{CONTACTS}/{late}").json
    assert (row["createdAt"], row["updatedAt"]) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.001Z")
    assert row["properties"]["lastmodifieddate"] == row["updatedAt"]
    for condition, found in (
        (since(START + 1000), [early, late]),
        (since("2026-01-01T00:00:01.000Z"), [early, late]),
        (since("2026-01-01T01:00:01.001+01:00"), [late]),
        (since(START + 1000, "GT"), [late]),
        (since(START + 1000, "LTE"), [early]),
    ):
        assert [row["id"] for row in in_search(api, condition)["results"]] == found, condition
    other = {"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(START)}]}
    assert api.post(f"{CONTACTS}/search", {"filterGroups": [other]}).status == 400
    assert api.post(f"{CONTACTS}/search", {"filterGroups": [{"filters": [since(START // 1000)]}]}).status == 400


def test_a_contact_that_a_colleague_changes_moves_to_the_end(crm: Caller, api: Caller) -> None:
    first, second = many(crm, 2)
    before = api.get(f"{CONTACTS}/{first}").json
    edit(crm, "contacts", first, lastname="Lovelace", favourite_colour="red", loyalty_points=None)
    found = in_search(api, since(START), properties=["lastname", "favourite_colour"])
    assert [row["id"] for row in found["results"]] == [second, first]
    newest = found["results"][-1]
    assert newest["properties"]["lastname"] == "Lovelace"
    assert newest["properties"]["favourite_colour"] == "red"
    assert newest["createdAt"] == before["createdAt"]
    assert newest["updatedAt"] > before["updatedAt"]
    assert walked(api) == [first, second]


def test_search_learns_late_of_a_colleagues_change(crm: Caller, api: Caller) -> None:
    [one] = many(crm, 1)
    crm.adjust(search_lag=30)
    edit(crm, "contacts", one, lastname="Lovelace")
    assert api.get(f"{CONTACTS}/{one}").json["properties"]["lastname"] == "Lovelace"
    [row] = in_search(api, properties=["lastname"])["results"]
    assert row["properties"]["lastname"] == "No. 0"
    assert in_search(api, since(START + 1))["results"] == []


def test_what_a_colleague_deletes_is_only_in_the_list_of_the_archived(crm: Caller, api: Caller) -> None:
    gone, there = many(crm, 2)
    remove(crm, "contacts", gone)
    assert api.get(f"{CONTACTS}/{gone}").status == 404
    assert walked(api) == [there]
    assert [row["id"] for row in in_search(api)["results"]] == [there]
    [row] = api.get(CONTACTS, query={"archived": "true"}).json["results"]
    assert (row["id"], row["archived"]) == (gone, True)
    assert row["archivedAt"] > row["updatedAt"] == "2026-01-01T00:00:00.000Z"
    both = {"inputs": [{"id": gone}, {"id": there}]}
    for archived, known in (("true", gone), ("false", there)):
        reply = api.post(f"{CONTACTS}/batch/read?archived={archived}", both)
        assert (reply.status, [row["id"] for row in reply.json["results"]]) == (207, [known])


def test_nobody_changes_or_deletes_what_is_not_there(crm: Caller, api: Caller) -> None:
    [gone] = many(crm, 1)
    remove(crm, "contacts", gone)
    for noun, record_id in (("contacts", gone), ("contacts", "1"), ("unicorns", "1"), ("users", "1")):
        assert crm.patch(f"/_sandbox/records/{noun}/{record_id}", {}).status >= 400
        assert crm.delete(f"/_sandbox/records/{noun}/{record_id}").status >= 400


@pytest.mark.parametrize("noun", ["companies", "deals", "leads"])
def test_other_objects_are_changed_and_deleted_by_colleagues_too(
    crm: Caller, api: Caller, told: dict[str, str], noun: str
) -> None:
    edit(crm, noun, told[noun], favourite_colour="red")
    path = f"{DATED}/{noun}/{told[noun]}"
    assert api.get(path, query={"properties": "favourite_colour"}).json["properties"]["favourite_colour"] == "red"
    remove(crm, noun, told[noun])
    assert api.get(path).status == 404


def test_an_owner_changes_and_leaves(crm: Caller, api: Caller, told: dict[str, str]) -> None:
    path = f"/crm/v3/owners/{told['users']}"
    edit(crm, "users", told["users"], lastName="Byron")
    assert api.get(path).json["lastName"] == "Byron"
    remove(crm, "users", told["users"])
    assert api.get(path).status == 404
    assert told["users"] in [row["id"] for row in api.get("/crm/v3/owners?archived=true").json["results"]]


def test_a_search_ends_at_ten_thousand_while_its_total_does_not(crm: Caller, api: Caller) -> None:
    ids = many(crm, 10_050)
    page = in_search(api, limit=200, after="9800")
    assert (page["total"], len(page["results"])) == (10_050, 200)
    after = page["paging"]["next"]["after"]
    assert api.post(f"{CONTACTS}/search", {"limit": 200, "after": after}).status == 400
    newest = in_search(api, since(START + 10_000 * 1000), limit=200)
    assert [row["id"] for row in newest["results"]] == ids[10_000:]


def test_thousands_of_contacts_are_walked_in_either_way(crm: Caller, api: Caller) -> None:
    ids = many(crm, 5000)
    assert walked(api, limit=100, properties="email,favourite_colour") == ids
    found: list[str] = []
    after: str | None = "0"
    while after is not None:
        page = in_search(api, since(START), limit=200, after=after)
        found += [row["id"] for row in page["results"]]
        after = page["paging"]["next"]["after"] if "paging" in page else None
    assert found == ids


def test_searches_count_against_a_limit_of_their_own(crm: Caller, api: Caller) -> None:
    crm.adjust(searches_per_second=5)
    statuses = [api.post(f"{CONTACTS}/search", {}).status for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert api.get(CONTACTS).status == 200
    crm.adjust(requests_per_interval=0)
    limited = api.get(CONTACTS)
    assert (limited.status, limited.json["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
