"""Pipedrive's peculiarities, and its recorded answers."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.local.samples.pipedrive import SAMPLE
from tests.sandbox.caller import Caller, Reply
from tests.sandbox.shape import fits
from tests.sandbox.vendors.pipedrive.fields import DEAL_CUSTOM

CRM = "pipedrive"
COLOUR, TIER, CONTRACT_END, SCORE, BUDGET = (field.key for field in DEAL_CUSTOM)

# With contact sync only (fact sheet); the example's org_id of an organization is its own id by another name.
ABSENT = {"notes", "im", "birthday", "job_title", "postal_address"}

type Recorded = Callable[[str], Any]


@pytest.fixture
def person(api: Caller) -> int:
    return api.plant("persons", {"name": "Ada Lovelace", "emails": [{"value": "ada@example.com", "primary": True}]})


def lead(api: Caller, **fields: Any) -> Reply:
    return api.post("/api/v1/leads", {"title": "Ada"} | fields)


@pytest.mark.parametrize("prefix", ["/api/v1", "/v1"])
def test_a_lead_looks_as_recorded(api: Caller, person: int, recorded: Recorded, prefix: str) -> None:
    reply = api.post(f"{prefix}/leads", {"title": "Ada", "person_id": person})
    was = recorded("pipedrive/lead.create.201.json")
    assert reply.status == 201
    assert reply.json.keys() == was["body"].keys()
    assert reply.json["data"].keys() == was["body"]["data"].keys()
    got = api.get(f"{prefix}/leads/{reply.json['data']['id']}")
    was = recorded("pipedrive/lead.get.200.json")
    assert got.json["data"] == reply.json["data"]
    assert set(was["headers"]) <= set(got.headers)


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""},
        {"title": None},
        {"title": 5},
        {"person_id": None},
        {"person_id": "1"},
        {"person_id": 99},
        {"organization_id": 99},
        {"owner_id": 99},
        {"value": {"amount": 5}},
        {"value": {"amount": "5", "currency": "EUR"}},
        {"value": 5},
        {"visible_to": 3},
        {"visible_to": "2"},
        {"expected_close_date": "31.12.2026"},
        {"label_ids": ["hot"]},
        {"was_seen": "true"},
        {"nonsense": 1},
        {"f" * 40: "x"},
        {TIER: "Gold"},
        {CONTRACT_END: "soon"},
        {SCORE: "7"},
    ],
)
def test_a_lead_that_does_not_fit_is_400(api: Caller, person: int, recorded: Recorded, fields: dict[str, Any]) -> None:
    reply = lead(api, **{"person_id": person} | fields)
    assert reply.status == 400
    assert reply.json.keys() == recorded("pipedrive/error.no-permission.403.json")["body"].keys()
    assert api.stored("leads") == []


def test_custom_fields_of_deals_lie_at_the_root_of_a_lead(api: Caller, person: int) -> None:
    custom = {COLOUR: "red", TIER: 2, CONTRACT_END: "2026-12-31", SCORE: 7.5, BUDGET: 100, f"{BUDGET}_currency": "EUR"}
    made = lead(api, person_id=person, **custom).json["data"]
    assert custom.items() <= made.items()
    changed = api.patch(f"/api/v1/leads/{made['id']}", {COLOUR: None, "value": {"amount": 1, "currency": "EUR"}}).json
    assert COLOUR not in changed["data"]
    assert changed["data"]["value"]["amount"] == 1
    fields = {row["key"]: row for row in api.get("/v1/leadFields").json["data"]}
    assert fields[TIER]["options"] == [
        {"id": 1, "label": "Gold"},
        {"id": 2, "label": "Silver"},
        {"id": 3, "label": "Bronze"},
    ]


def test_a_lead_keeps_a_person_or_an_organization(api: Caller, person: int) -> None:
    organization = api.plant("organizations", {"name": "Engines"})
    made = lead(api, organization_id=organization).json["data"]["id"]
    assert api.patch(f"/api/v1/leads/{made}", {"organization_id": None}).status == 400
    assert api.patch(f"/api/v1/leads/{made}", {"organization_id": None, "person_id": person}).status == 200


def test_leads_are_listed_filtered_sorted_and_archived(api: Caller, person: int, recorded: Recorded) -> None:
    other = api.plant("persons", {"name": "Bob"})
    made = [lead(api, title=title, person_id=who).json["data"]["id"] for title, who in (("b", person), ("a", other))]
    made.append(lead(api, title="c", person_id=person).json["data"]["id"])
    page = api.get("/api/v1/leads", query={"limit": 2, "sort": "title ASC"}).json
    assert [row["title"] for row in page["data"]] == ["a", "b"]
    assert page["additional_data"]["pagination"] == {
        "start": 0, "limit": 2, "more_items_in_collection": True, "next_start": 2,
    }  # fmt: skip
    rest = api.get("/api/v1/leads", query={"limit": 2, "start": 2, "sort": "title ASC"}).json
    assert [row["title"] for row in rest["data"]] == ["c"]
    assert rest["additional_data"] == {"pagination": {"start": 2, "limit": 2, "more_items_in_collection": False}}
    assert rest.keys() == recorded("pipedrive/leads.list.page.200.json")["body"].keys()
    assert len(api.get("/api/v1/leads", query={"person_id": person}).json["data"]) == 2
    assert api.get("/api/v1/leads", query={"updated_since": "2100-01-01T00:00:00Z"}).json["data"] == []
    api.patch(f"/api/v1/leads/{made[0]}", {"is_archived": True})
    assert len(api.get("/api/v1/leads").json["data"]) == 2
    assert [row["id"] for row in api.get("/api/v1/leads/archived").json["data"]] == [made[0]]
    assert api.get("/api/v1/leads?limit=501").status == 400
    assert api.get("/api/v1/leads?sort=colour").status == 400


def test_archived_leads_cannot_be_narrowed_to_what_changed(api: Caller, person: int) -> None:
    """The contract of that list has no such parameter."""
    since = {"updated_since": "2026-01-01T00:00:00Z"}
    assert api.get("/api/v1/leads", query=since).status == 200
    assert api.get("/api/v1/leads/archived", query=since).status == 400


def test_deleting_twice_is_410_with_success_in_v2_and_404_for_leads(
    api: Caller, person: int, recorded: Recorded
) -> None:
    lead_id = lead(api, person_id=person).json["data"]["id"]
    assert api.delete(f"/api/v1/leads/{lead_id}").json == {"success": True, "data": {"id": lead_id}}
    again = api.delete(f"/api/v1/leads/{lead_id}")
    was = recorded("pipedrive/lead.get.not-found.404.json")
    assert (again.status, again.json) == (was["status"], was["body"])
    assert api.delete(f"/api/v2/persons/{person}").status == 200
    again = api.delete(f"/api/v2/persons/{person}")
    was = recorded("pipedrive/person.delete-again.410.json")
    assert (again.status, again.json.keys(), again.json["success"]) == (was["status"], was["body"].keys(), True)
    assert lead(api, person_id=person).status == 400
    assert api.get("/api/v2/persons").json["data"] == []


@pytest.mark.parametrize(
    ("kind", "body", "fixture"),
    [
        ("persons", {"name": "A B"}, "person"),
        ("organizations", {"name": "E"}, "organization"),
        ("deals", {"title": "D"}, "deal"),
    ],
)
def test_v2_records_look_as_specified(
    api: Caller, recorded: Recorded, kind: str, body: dict[str, Any], fixture: str
) -> None:
    reply = api.post(f"/api/v2/{kind}", body)
    was = recorded(f"pipedrive/{fixture}.create-v2.200.json")
    assert reply.status == was["status"]
    expected = was["body"]["data"].keys() - ABSENT - ({"org_id"} if kind == "organizations" else set[str]())
    assert reply.json["data"].keys() == expected
    record_id = reply.json["data"]["id"]
    assert api.get(f"/api/v2/{kind}/{record_id}").json == reply.json
    assert api.patch(f"/api/v2/{kind}/{record_id}", {"visible_to": 7}).json["data"]["visible_to"] == 7


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("persons", {}),
        ("persons", {"name": "A", "first_name": "A"}),
        ("persons", {"name": "A", "emails": "a@example.com"}),
        ("persons", {"name": "A", "org_id": "1"}),
        ("persons", {"name": "A", "org_id": 99}),
        ("persons", {"name": "A", "visible_to": "3"}),
        ("persons", {"name": "A", "custom_fields": {"f" * 40: "x"}}),
        ("persons", {"name": "A", COLOUR: "at the root"}),
        ("organizations", {"title": "E"}),
        ("deals", {"title": "D", "value": "5"}),
        ("deals", {"title": "D", "status": "asleep"}),
        ("deals", {"title": "D", "custom_fields": {TIER: "Gold"}}),
    ],
)
def test_v2_is_strict(api: Caller, kind: str, body: dict[str, Any]) -> None:
    reply = api.post(f"/api/v2/{kind}", body)
    assert (reply.status, reply.json["code"]) == (400, "ERR_SCHEMA_VALIDATION_FAILED")


def test_v2_lists_follow_a_cursor(api: Caller) -> None:
    planted = [api.plant("persons", {"name": str(number)}) for number in range(5)]
    for direction in ("asc", "desc"):
        seen: list[int] = []
        query: dict[str, Any] = {"limit": 2, "sort_by": "update_time", "sort_direction": direction}
        while query:
            page = api.get("/api/v2/persons", query=query).json
            seen += [row["id"] for row in page["data"]]
            cursor = page["additional_data"]["next_cursor"]
            query = query | {"cursor": cursor} if cursor else {}
        assert seen == (planted if direction == "asc" else planted[::-1])
    assert api.get("/api/v2/persons?updated_since=2026-01-01T00:00:00.5Z").status == 400
    assert api.get("/api/v2/persons?cursor=nonsense").status == 400
    assert api.get("/api/v2/persons?limit=501").status == 400
    assert len(api.get("/api/v2/persons", query={"updated_since": "2026-01-01T00:00:00Z"}).json["data"]) == 5


def test_search_wraps_its_items(api: Caller, person: int, recorded: Recorded) -> None:
    query = {"term": "ADA@example.com", "fields": "email", "exact_match": "true"}
    reply = api.get("/api/v2/persons/search", query=query).json
    [found] = reply["data"]["items"]
    was = recorded("pipedrive/persons.search-v2.200.json")["body"]
    assert found["item"].keys() >= was["data"]["items"][0]["item"].keys()
    assert (found["item"]["id"], found["item"]["emails"]) == (person, ["ada@example.com"])
    assert api.get("/api/v2/persons/search?term=a").status == 400
    lead(api, title="Difference engine", person_id=person)
    [found] = api.get("/api/v2/leads/search?term=engine").json["data"]["items"]
    was = recorded("pipedrive/leads.search-v2.200.json")["body"]["data"]["items"][0]["item"]
    assert found["item"].keys() == was.keys()
    assert api.get("/api/v2/organizations/search?term=engine").json["data"]["items"] == []


def test_users_labels_and_fields_are_listed(api: Caller, recorded: Recorded) -> None:
    users = api.get("/v1/users").json["data"]
    got = api.get(f"/v1/users/{users[0]['id']}")
    assert got.json["data"].keys() == recorded("pipedrive/user.get.200.json")["body"]["data"].keys()
    assert api.get("/v1/users/me").json["data"]["is_you"] is True
    was = recorded("pipedrive/user.get.not-found.404.json")
    missing = api.get("/v1/users/1")
    assert (missing.status, missing.json) == (was["status"], was["body"])
    labels = api.get("/v1/leadLabels").json["data"]
    assert labels[0].keys() == recorded("pipedrive/lead-labels.list.200.json")["body"]["data"][0].keys()
    assert any(row["is_custom_field"] for row in api.get("/api/v2/dealFields").json["data"])


def test_refusals_look_as_recorded(crm: Caller, api: Caller, recorded: Recorded) -> None:
    cases = {
        "error.unauthorized.401": crm.get("/v1/leads"),
        "error.scope-mismatch.403": crm.authorised(scopes=["deals:full"]).get("/v1/leads"),
        "entity.not-found-v2.404": api.get("/api/v2/persons/99"),
    }
    for name, reply in cases.items():
        was = recorded(f"pipedrive/{name}.json")
        assert (reply.status, reply.json) == (was["status"], was["body"]), name
    assert crm.authorised(scopes=["leads:full"]).get("/v1/leads").status == 200
    crm.adjust(requests_per_burst=1)
    api.get("/v1/leads")
    limited = api.get("/v1/leads")
    assert (limited.status, limited.headers["x-ratelimit-remaining"]) == (429, "0")
    assert "retry-after" not in limited.headers


def test_tokens_want_http_basic(crm: Caller, recorded: Recorded) -> None:
    grant = crm.grant()
    form = {"grant_type": "refresh_token", "refresh_token": grant["refresh_token"]}
    in_body = {"client_id": grant["client_id"], "client_secret": grant["client_secret"]}
    assert crm.post("/oauth/token", form=form | in_body).status == 400
    basic = base64.b64encode(f"{grant['client_id']}:{grant['client_secret']}".encode()).decode()
    body = crm.post("/oauth/token", form=form, headers={"Authorization": f"Basic {basic}"}).json
    assert body.keys() == {*recorded("pipedrive/oauth.refresh.success.200.json")["body"], "api_domain"}
    assert body["expires_in"] == 3600
    assert body["refresh_token"] == grant["refresh_token"]


def test_pipelines_and_stages_look_as_recorded_and_place_deals(api: Caller, recorded: Recorded) -> None:
    pipeline = api.post("/api/v2/pipelines", {"name": "Renewals"}).json["data"]
    assert pipeline.keys() == recorded("pipedrive/pipeline.create-v2.200.json")["body"]["data"].keys()
    assert api.get("/api/v2/stages", query={"pipeline_id": pipeline["id"]}).json["data"] == []
    made = api.post("/v2/stages", {"name": "Open", "pipeline_id": pipeline["id"]})
    was = recorded("pipedrive/stage.create-v2.200.json")
    assert (made.status, made.json["data"].keys()) == (was["status"], was["body"]["data"].keys())
    deal = api.post("/api/v2/deals", {"title": "D", "stage_id": made.json["data"]["id"]}).json["data"]
    assert deal["pipeline_id"] == pipeline["id"]
    wrong = {"title": "D", "stage_id": made.json["data"]["id"], "pipeline_id": 1}
    assert api.post("/api/v2/deals", wrong).status == 400
    assert api.post("/api/v2/stages", {"name": "Lost"}).status == 400
    assert api.patch(f"/api/v2/pipelines/{pipeline['id']}", {"order_nr": 1}).status == 400
    assert [api.delete(f"/api/v2/pipelines/{pipeline['id']}").status for _ in range(2)] == [200, 410]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("pipelines", {}),
        ("pipelines", {"name": ""}),
        ("pipelines", {"name": None}),
        ("pipelines", {"name": 5}),
        ("pipelines", {"name": "R", "is_deal_probability_enabled": 1}),
        ("pipelines", {"name": "R", "order_nr": 1}),
        ("pipelines", {"name": "R", "stages": []}),
        ("stages", {"name": "Open"}),
        ("stages", {"pipeline_id": 1}),
        ("stages", {"name": " ", "pipeline_id": 1}),
        ("stages", {"name": "Open", "pipeline_id": "1"}),
        ("stages", {"name": "Open", "pipeline_id": 99}),
        ("stages", {"name": "Open", "pipeline_id": 1, "deal_probability": 101}),
        ("stages", {"name": "Open", "pipeline_id": 1, "deal_probability": "50"}),
        ("stages", {"name": "Open", "pipeline_id": 1, "days_to_rotten": None}),
        ("stages", {"name": "Open", "pipeline_id": 1, "days_to_rotten": 0}),
        ("stages", {"name": "Open", "pipeline_id": 1, "order_nr": 1}),
    ],
)
def test_a_pipeline_or_stage_that_does_not_fit_is_400(api: Caller, kind: str, body: dict[str, Any]) -> None:
    before = api.stored(kind)
    reply = api.post(f"/api/v2/{kind}", body)
    assert (reply.status, reply.json["code"]) == (400, "ERR_SCHEMA_VALIDATION_FAILED")
    assert api.stored(kind) == before


def test_pipelines_and_stages_are_changed_and_keep_their_order(api: Caller, recorded: Recorded) -> None:
    pipeline = api.patch("/api/v2/pipelines/1", {"name": "Sales"}).json["data"]
    assert pipeline.keys() == recorded("pipedrive/pipeline.update-v2.200.json")["body"]["data"].keys()
    assert pipeline["name"] == "Sales"
    twin = api.post("/api/v2/pipelines", {"name": "Sales", "is_deal_probability_enabled": True}).json["data"]
    assert (twin["order_nr"], twin["is_deal_probability_enabled"]) == (2, True)
    made = [api.post("/api/v2/stages", {"name": name, "pipeline_id": twin["id"]}).json["data"] for name in "AB"]
    assert [stage["order_nr"] for stage in made] == [1, 2]
    path = f"/api/v2/stages/{made[0]['id']}"
    changed = api.patch(path, {"is_deal_rot_enabled": True, "days_to_rotten": 5, "deal_probability": 0}).json["data"]
    assert (changed["days_to_rotten"], changed["deal_probability"], changed["name"]) == (5, 0, "A")
    for body in ({"name": ""}, {"order_nr": 2}, {"pipeline_id": 99}, {"is_deleted": True}):
        assert api.patch(path, body).status == 400
    assert api.patch(path, {"pipeline_id": 1}).json["data"]["pipeline_id"] == 1
    for kind in ("pipelines", "stages"):
        missing = api.get(f"/api/v2/{kind}/99")
        was = recorded("pipedrive/entity.not-found-v2.404.json")
        assert (missing.status, missing.json) == (was["status"], was["body"])


@pytest.mark.parametrize("kind", ["pipelines", "stages"])
def test_pipelines_and_stages_follow_a_cursor(api: Caller, recorded: Recorded, kind: str) -> None:
    for name in ("C", "B", "A"):
        api.post(f"/api/v2/{kind}", {"name": name} | ({"pipeline_id": 1} if kind == "stages" else {}))
    everything = [row["id"] for row in api.stored(kind)]
    for direction in ("asc", "desc"):
        seen: list[int] = []
        query: dict[str, Any] = {"limit": 3, "sort_by": "add_time", "sort_direction": direction}
        while query:
            page = api.get(f"/api/v2/{kind}", query=query).json
            seen += [row["id"] for row in page["data"]]
            cursor = page["additional_data"]["next_cursor"]
            query = query | {"cursor": cursor} if cursor else {}
        assert seen == (everything if direction == "asc" else everything[::-1])
    for wrong in ("limit=501", "limit=0", "cursor=x", "sort_by=name", "sort_direction=up"):
        assert api.get(f"/api/v2/{kind}?{wrong}").json["code"] == "ERR_SCHEMA_VALIDATION_FAILED", wrong
    assert len(api.get(f"/api/v2/{kind}?limit=500").json["data"]) == len(everything)
    assert api.get(f"/api/v2/{kind}").json.keys() == recorded("pipedrive/pipelines.list-v2.200.json")["body"].keys()


def test_only_stages_are_sorted_by_their_order_and_told_by_their_pipeline(api: Caller) -> None:
    other = api.post("/api/v2/pipelines", {"name": "Other"}).json["data"]["id"]
    stage = api.post("/api/v2/stages", {"name": "Open", "pipeline_id": other}).json["data"]["id"]
    ordered = api.get("/api/v2/stages?sort_by=order_nr&sort_direction=desc").json["data"]
    assert [row["order_nr"] for row in ordered] == sorted((row["order_nr"] for row in ordered), reverse=True)
    assert api.get("/api/v2/pipelines?sort_by=order_nr").status == 400
    assert [row["id"] for row in api.get(f"/api/v2/stages?pipeline_id={other}").json["data"]] == [stage]
    assert api.get("/api/v2/stages?pipeline_id=other").status == 400


def test_a_deleted_pipeline_takes_its_stages_along(api: Caller) -> None:
    pipeline = api.post("/api/v2/pipelines", {"name": "Renewals"}).json["data"]["id"]
    stages = [
        api.post("/api/v2/stages", {"name": name, "pipeline_id": pipeline}).json["data"]["id"] for name in ("A", "B")
    ]
    path = f"/api/v2/stages/{stages[0]}"
    assert api.delete(path).json == {"success": True, "data": {"id": stages[0]}}
    assert (api.delete(path).status, api.delete(path).json["success"]) == (410, True)
    assert api.get(path).json["data"]["is_deleted"] is True
    assert api.patch(path, {"name": "C"}).status == 404
    assert [row["id"] for row in api.get(f"/api/v2/stages?pipeline_id={pipeline}").json["data"]] == stages[1:]
    assert api.post("/api/v2/deals", {"title": "D", "stage_id": stages[0]}).status == 400
    assert api.post("/api/v2/deals", {"title": "D", "pipeline_id": pipeline}).json["data"]["stage_id"] == stages[1]
    assert api.delete(f"/api/v2/pipelines/{pipeline}").status == 200
    assert api.get(f"/api/v2/stages?pipeline_id={pipeline}").json["data"] == []
    for body in ({"stage_id": stages[1]}, {"pipeline_id": pipeline}):
        assert api.post("/api/v2/deals", {"title": "D"} | body).status == 400
    assert api.post("/api/v2/stages", {"name": "C", "pipeline_id": pipeline}).status == 400
    assert api.delete("/api/v2/pipelines/99").status == 404


def test_a_company_without_its_first_pipeline_makes_others(api: Caller) -> None:
    assert api.delete("/api/v2/pipelines/1").status == 200
    made = api.post("/api/v2/pipelines", {"name": "Renewals"})
    assert made.status == 200
    assert [row["id"] for row in api.get("/api/v2/pipelines").json["data"]] == [made.json["data"]["id"]]
    assert api.post("/api/v2/deals", {"title": "D"}).json["data"]["pipeline_id"] == made.json["data"]["id"]


def test_pipelines_are_read_with_the_scopes_of_deals_and_written_by_admins(crm: Caller) -> None:
    for scope, statuses in (("deals:read", (200, 403)), ("deals:full", (200, 403)), ("admin", (200, 200))):
        api = crm.authorised(scopes=[scope])
        replies = (api.get("/api/v2/stages"), api.post("/api/v2/pipelines", {"name": "R"}))
        assert tuple(reply.status for reply in replies) == statuses, scope
    assert crm.authorised(scopes=["leads:full"]).get("/api/v2/pipelines").status == 403


def test_a_lead_is_not_made_archived_and_keeps_its_origin(api: Caller, person: int) -> None:
    assert lead(api, person_id=person, is_archived=True).status == 400
    made = lead(api, person_id=person, origin_id="form-7").json["data"]
    assert made["origin_id"] == "form-7"
    assert api.patch(f"/api/v1/leads/{made['id']}", {"origin_id": "form-8"}).status == 400


def test_a_spent_day_is_told_by_the_daily_headers_alone(crm: Caller, api: Caller) -> None:
    crm.adjust(daily_tokens=20)
    assert api.get("/v1/leads").headers["x-daily-ratelimit-token-remaining"] == "0"
    spent = api.get("/v1/leads")
    assert (spent.status, spent.headers["x-daily-ratelimit-token-remaining"]) == (429, "0")
    assert int(spent.headers["x-ratelimit-remaining"]) > 0
    assert "retry-after" not in spent.headers


def test_an_api_token_that_ignores_its_limit_is_blocked(crm: Caller) -> None:
    key = Caller(crm.url, {"x-api-token": crm.grant(kind="api_key")["api_key"]})
    oauth = crm.authorised()
    crm.adjust(requests_per_burst=0, refusals_until_block=2)
    assert [key.get("/v1/leads").status for _ in range(3)] == [429, 429, 403]
    blocked = key.get("/v1/leads")
    assert blocked.headers["content-type"].startswith("text/html")
    assert oauth.get("/v1/leads").status == 429
    crm.adjust(requests_per_burst=100)
    assert key.get("/v1/leads").status == 200


def test_refused_refreshes_have_the_documented_messages_and_perhaps_a_code(crm: Caller) -> None:
    grant = crm.grant()

    def refused(secret: str, token: str) -> dict[str, Any]:
        basic = base64.b64encode(f"{grant['client_id']}:{secret}".encode()).decode()
        form = {"grant_type": "refresh_token", "refresh_token": token}
        reply = crm.post("/oauth/token", form=form, headers={"Authorization": f"Basic {basic}"})
        assert reply.status == 400
        return reply.json

    dead, stranger = refused(grant["client_secret"], "x"), refused("x", grant["refresh_token"])
    assert (dead["error"], dead["message"]) == ("invalid_grant", "Invalid grant: refresh_token is invalid")
    assert (stranger["error"], stranger["message"]) == ("invalid_client", "Invalid client: client is invalid")
    crm.adjust(token_error_codes=False)
    assert refused("x", "x") == {"success": False, "message": "Invalid client: client is invalid"}


# Reading one record.

PATHS = {
    "contacts": "/api/v2/persons",
    "companies": "/api/v2/organizations",
    "deals": "/api/v2/deals",
    "leads": "/api/v1/leads",
    "users": "/api/v1/users",
}
V2 = ("contacts", "companies", "deals")


@pytest.fixture
def told(crm: Caller) -> dict[str, str]:
    """The customer of the story, by our plurals."""
    return dict(SAMPLE.story(lambda noun, **fields: str(crm.plant(noun, fields))))


@pytest.mark.parametrize(
    ("noun", "fixture"),
    [
        ("contacts", "person.get-v2.200"),
        ("companies", "organization.get-v2.200"),
        ("deals", "deal.get-v2.200"),
        ("leads", "lead.get.200"),
        ("leads", "lead.get.spec.200"),
        ("users", "user.get.200"),
    ],
)
def test_each_object_is_read_by_its_id_as_recorded(
    api: Caller, told: dict[str, str], recorded: Recorded, noun: str, fixture: str
) -> None:
    got = api.get(f"{PATHS[noun]}/{told[noun]}")
    was = recorded(f"pipedrive/{fixture}.json")
    assert (got.status, str(got.json["data"]["id"])) == (200, told[noun])
    absent = {"contacts": {"notes", "im", "birthday"}, "companies": {"org_id"}}.get(noun, set[str]())
    fits({key: value for key, value in was["body"]["data"].items() if key not in absent}, got.json["data"])


def test_links_are_plain_ids_and_nothing_is_embedded(api: Caller, told: dict[str, str]) -> None:
    links = {
        "contacts": {"org_id": "companies", "owner_id": "users"},
        "companies": {"owner_id": "users"},
        "deals": {"person_id": "contacts", "org_id": "companies", "owner_id": "users"},
        "leads": {"person_id": "contacts", "organization_id": "companies", "owner_id": "users"},
    }
    for noun, names in links.items():
        row = api.get(f"{PATHS[noun]}/{told[noun]}").json["data"]
        assert {name: row[name] for name in names} == {name: int(told[to]) for name, to in names.items()}, noun
    deal = api.get(f"{PATHS['deals']}/{told['deals']}").json["data"]
    assert (deal["value"], deal["currency"], deal["expected_close_date"]) == (12500, "GBP", "2026-12-31")
    made = api.get(f"{PATHS['leads']}/{told['leads']}").json["data"]
    assert (made["value"], made[COLOUR]) == ({"amount": 12500, "currency": "GBP"}, "teal")


def test_custom_fields_of_v2_all_come_and_are_null_where_unset(crm: Caller, api: Caller, told: dict[str, str]) -> None:
    path = f"{PATHS['deals']}/{told['deals']}"
    unset = dict.fromkeys((TIER, CONTRACT_END, SCORE, BUDGET))
    assert api.get(path).json["data"]["custom_fields"] == {COLOUR: "teal"} | unset
    assert api.get(path, query={"custom_fields": TIER}).json["data"]["custom_fields"] == {TIER: None}
    api.patch(path, {"custom_fields": {TIER: 2}})
    named = api.get(path, query={"include_option_labels": "true"}).json["data"]["custom_fields"]
    assert named[TIER] == {"id": 2, "label": "Silver"}
    assert api.get(path, query={"custom_fields": ",".join(["x"] * 16)}).status == 400
    crm.adjust(has_custom_fields=False)
    assert api.get(path).json["data"]["custom_fields"] is None


@pytest.mark.parametrize("noun", V2)
def test_more_fields_come_only_on_demand(api: Caller, told: dict[str, str], noun: str) -> None:
    path = f"{PATHS[noun]}/{told[noun]}"
    asked = {"include_fields": "notes_count,next_activity_id", "include_labels": "true"}
    plain, more = api.get(path).json["data"], api.get(path, query=asked).json["data"]
    assert more.keys() - plain.keys() == {"notes_count", "next_activity_id", "labels"}
    for wrong in ({"include_fields": "colour"}, {"include_labels": "yes"}):
        assert api.get(path, query=wrong).json["code"] == "ERR_SCHEMA_VALIDATION_FAILED"


@pytest.mark.parametrize("noun", PATHS)
def test_what_is_not_there_and_what_is_no_id_are_told_apart(
    crm: Caller, api: Caller, told: dict[str, str], recorded: Recorded, noun: str
) -> None:
    fixtures = {"leads": "lead.get.not-found.404", "users": "user.get.not-found.404"}
    was = recorded(f"pipedrive/{fixtures.get(noun, 'entity.not-found-v2.404')}.json")
    unknown = "00000000-0000-0000-0000-000000000000" if noun == "leads" else "424242"
    missing = api.get(f"{PATHS[noun]}/{unknown}")
    assert (missing.status, missing.json) == (was["status"], was["body"])
    bad = api.get(f"{PATHS[noun]}/nobody")
    assert bad.status == (404 if noun == "users" else 400)
    assert bad.json.get("code") == ("ERR_SCHEMA_VALIDATION_FAILED" if noun in V2 else None)
    crm.adjust(bad_id_status=404)
    assert api.get(f"{PATHS[noun]}/nobody").status == 404


@pytest.mark.parametrize("noun", [*V2, "leads"])
def test_what_was_deleted_is_shown_as_such_or_gone(crm: Caller, api: Caller, told: dict[str, str], noun: str) -> None:
    path = f"{PATHS[noun]}/{told[noun]}"
    assert api.delete(path).status == 200
    if noun in V2:
        assert api.get(path).json["data"]["is_deleted"] is True
        crm.adjust(deleted_records="gone")
    assert api.get(path).status == 404


@pytest.mark.parametrize("noun", PATHS)
def test_what_is_forbidden_is_403_and_a_user_is_simply_not_there(
    crm: Caller, api: Caller, told: dict[str, str], recorded: Recorded, noun: str
) -> None:
    crm.adjust(forbidden=[noun])
    was = recorded(f"pipedrive/{'user.get.not-found.404' if noun == 'users' else 'error.no-permission.403'}.json")
    reply = api.get(f"{PATHS[noun]}/{told[noun]}")
    assert (reply.status, reply.json) == (was["status"], was["body"])
    assert api.get(PATHS[noun]).status == 403
    other = "deals" if noun != "deals" else "leads"
    assert api.get(f"{PATHS[other]}/{told[other]}").status == 200
    assert api.get("/api/v1/users/me").status == 200


@pytest.mark.parametrize(
    ("noun", "scope"),
    [("contacts", "contacts"), ("companies", "contacts"), ("deals", "deals"), ("leads", "leads"), ("users", "users")],
)
def test_each_object_has_its_scope(crm: Caller, told: dict[str, str], noun: str, scope: str) -> None:
    path = f"{PATHS[noun]}/{told[noun]}"
    assert crm.authorised(scopes=[f"{scope}:read"]).get(path).status == 200
    assert crm.authorised(scopes=["base", "products:read"]).get(path).json["error"] == "Scope and URL mismatch"


# What there is, what changed, what was deleted.

LONG_AGO = "2020-01-01T00:00:00Z"


def walked(api: Caller, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every row of a v2 list, page after page."""
    rows: list[dict[str, Any]] = []
    while True:
        reply = api.get(path, query=query)
        assert reply.status == 200, reply.text
        rows += reply.json["data"]
        cursor = reply.json["additional_data"]["next_cursor"]
        if cursor is None:
            return rows
        query |= {"cursor": cursor}


def colleague(crm: Caller, method: str, noun: str, record_id: int | str, fields: dict[str, Any] | None = None) -> Reply:
    return crm.send(method, f"/_sandbox/records/{noun}/{record_id}", fields)


def test_thousands_of_contacts_are_listed_in_pages_of_500(crm: Caller, api: Caller, recorded: Recorded) -> None:
    moments = [f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z" for minute in range(1200)]
    crm.post("/_sandbox/records/contacts", [{"name": "A B", "add_time": moment} for moment in moments])
    page = api.get(PATHS["contacts"], query={"limit": 500}).json
    was = recorded("pipedrive/persons.list-v2.200.json")["body"]
    assert (page.keys(), page["additional_data"].keys()) == (was.keys(), was["additional_data"].keys())
    fits({key: value for key, value in was["data"][0].items() if key not in ABSENT}, page["data"][0])
    assert [row["add_time"] for row in walked(api, PATHS["contacts"], limit=500)] == moments
    assert len(api.get(PATHS["contacts"]).json["data"]) == 100
    backwards = walked(api, PATHS["contacts"], limit=500, sort_by="add_time", sort_direction="desc")
    assert [row["update_time"] for row in backwards] == moments[::-1]


def test_a_window_of_changes_takes_its_first_moment_in_and_its_last_not(crm: Caller, api: Caller) -> None:
    moments = [f"2026-01-01T00:00:0{second}Z" for second in range(4)]
    for moment in moments:
        crm.plant("contacts", {"name": moment, "add_time": LONG_AGO, "update_time": moment})
    window = {"updated_since": moments[1], "updated_until": "2026-01-01T02:00:03+02:00", "sort_by": "update_time"}
    assert [row["name"] for row in walked(api, PATHS["contacts"], **window)] == moments[1:3]
    assert [row["add_time"] for row in walked(api, PATHS["contacts"], **window)] == [LONG_AGO] * 2


def test_who_changes_while_pages_are_read_comes_again_at_the_end(crm: Caller, api: Caller) -> None:
    people = [crm.plant("contacts", {"name": "A", "add_time": f"2026-01-01T00:00:0{second}Z"}) for second in range(5)]
    query: dict[str, Any] = {"limit": 2, "sort_by": "update_time", "updated_since": "2026-01-01T00:00:00Z"}
    first = api.get(PATHS["contacts"], query=query).json
    assert colleague(crm, "PATCH", "contacts", people[0], {"name": "A C"}).status == 200
    rest = walked(api, PATHS["contacts"], **query, cursor=first["additional_data"]["next_cursor"])
    assert [row["id"] for row in [*first["data"], *rest]] == [*people, people[0]]


def test_a_cursor_belongs_to_its_order(api: Caller) -> None:
    for name in "AB":
        api.plant("contacts", {"name": name})
    cursor = api.get(PATHS["contacts"], query={"limit": 1}).json["additional_data"]["next_cursor"]
    for other in ({"sort_by": "update_time"}, {"sort_direction": "desc"}):
        assert api.get(PATHS["contacts"], query={"limit": 1, "cursor": cursor} | other).status == 400
    assert len(api.get(PATHS["contacts"], query={"limit": 1, "cursor": cursor}).json["data"]) == 1


def test_what_a_colleague_changes_moves_and_the_rest_stays(crm: Caller, api: Caller, told: dict[str, str]) -> None:
    for noun, fields in {
        "contacts": {"name": "Ada King", "custom_fields": {COLOUR: "red"}},
        "companies": {"name": "Engines Ltd", "address": {"value": "Bath"}},
        "deals": {"title": "Engine no. 3"},
        "leads": {"title": "Engine no. 3"},
    }.items():
        old = crm.plant(noun, {"name": "A", "title": "A", "add_time": LONG_AGO})
        assert colleague(crm, "PATCH", noun, old, fields).status == 200
        assert api.get(f"{PATHS[noun]}/{old}").json["data"]["update_time"] > "2026"
        before = api.get(f"{PATHS[noun]}/{told[noun]}").json["data"]
        assert colleague(crm, "PATCH", noun, told[noun], fields).status == 200, noun
        after = api.get(f"{PATHS[noun]}/{told[noun]}").json["data"]
        assert after["owner_id"] == before["owner_id"]
        assert after.get("name", after.get("title")) == fields.get("name", fields.get("title"))
    person = api.get(f"{PATHS['contacts']}/{told['contacts']}").json["data"]
    assert (person["first_name"], person["last_name"], person["custom_fields"]) == ("Ada", "King", {COLOUR: "red"})
    assert colleague(crm, "PATCH", "users", told["users"], {"name": "Charles B."}).status == 200
    assert api.get(f"{PATHS['users']}/{told['users']}").json["data"]["name"] == "Charles B."
    assert colleague(crm, "PATCH", "contacts", 424242, {}).status == 400
    assert colleague(crm, "PATCH", "tickets", 1, {}).status == 400


def test_a_deleted_person_leaves_every_list_and_is_told_by_its_id_alone(crm: Caller, api: Caller) -> None:
    gone, kept = (crm.plant("contacts", {"name": name, "add_time": LONG_AGO}) for name in ("A", "B"))
    assert colleague(crm, "DELETE", "contacts", gone).status == 200
    for query in ({}, {"updated_since": "2026-01-01T00:00:00Z"}, {"ids": f"{gone},{kept}"}):
        assert gone not in [row["id"] for row in walked(api, PATHS["contacts"], **query)]
    tombstone = api.get(f"{PATHS['contacts']}/{gone}").json["data"]
    assert tombstone["is_deleted"] is True
    assert tombstone["update_time"] > "2026-01-01"
    assert colleague(crm, "DELETE", "contacts", gone).status == 400
    old = crm.plant("contacts", {"name": "C", "is_deleted": True, "update_time": "2026-01-01T00:00:00Z"})
    assert api.get(f"{PATHS['contacts']}/{old}").status == 404


def test_a_deleted_deal_is_listed_as_such_for_thirty_days(crm: Caller, api: Caller) -> None:
    gone = crm.plant("deals", {"title": "A"})
    crm.plant("deals", {"title": "B", "is_deleted": True, "update_time": "2026-01-01T00:00:00Z"})
    assert colleague(crm, "DELETE", "deals", gone).status == 200
    assert [row["id"] for row in walked(api, PATHS["deals"], status="deleted")] == [gone]
    assert walked(api, PATHS["deals"]) == []
    assert api.get(f"{PATHS['deals']}?status=lost,won").status == 400


def test_a_deleted_lead_is_gone_and_a_deleted_user_deactivated(crm: Caller, api: Caller, told: dict[str, str]) -> None:
    assert colleague(crm, "DELETE", "leads", told["leads"]).status == 200
    assert api.get(f"{PATHS['leads']}/{told['leads']}").status == 404
    assert colleague(crm, "DELETE", "users", told["users"]).status == 200
    active = {str(row["id"]): row["active_flag"] for row in api.get(PATHS["users"]).json["data"]}
    assert active[told["users"]] is False


@pytest.mark.parametrize(
    "wrong",
    [
        "limit=0",
        "limit=501",
        "limit=all",
        "sort_by=name",
        "sort_direction=ASC",
        "cursor=",
        "ids=1,x",
        "ids=" + ",".join(map(str, range(101))),
        "owner_id=me",
        "updated_since=2026-01-01",
        "updated_since=2026-13-01T00:00:00Z",
        "updated_until=2026-01-01T00:00:00.000Z",
        "include_labels=1",
        "start=0",
        "updated_after=2026-01-01T00:00:00Z",
        "status=open",
    ],
)
def test_a_list_that_makes_no_sense_is_400(api: Caller, wrong: str) -> None:
    reply = api.get(f"{PATHS['contacts']}?{wrong}")
    assert (reply.status, reply.json["code"]) == (400, "ERR_SCHEMA_VALIDATION_FAILED")


def test_contacts_are_narrowed_by_ids_owner_company_and_deal(crm: Caller, api: Caller, told: dict[str, str]) -> None:
    crm.plant("contacts", {"name": "Other"})
    for name, noun in {"ids": "contacts", "owner_id": "users", "org_id": "companies", "deal_id": "deals"}.items():
        found = walked(api, PATHS["contacts"], **{name: told[noun]})
        assert [str(row["id"]) for row in found] == [told["contacts"]], name
    assert api.get(f"{PATHS['contacts']}?filter_id=1").status == 404


def test_custom_fields_of_persons_are_learnt_from_their_metadata(crm: Caller, api: Caller, recorded: Recorded) -> None:
    rows = walked(api, "/api/v2/personFields", limit=3)
    assert [row["field_code"] for row in rows if row["is_custom_field"]] == [COLOUR]
    was = recorded("pipedrive/deal-fields.list-v2.200.json")["body"]["data"][0]
    assert rows[0].keys() == was.keys() - {"ui_visibility", "important_fields", "required_fields", "description"}
    assert api.get(f"/api/v2/personFields/{COLOUR}").json["data"] == rows[-1]
    assert api.get("/api/v2/personFields/nothing").status == 404
    assert api.get("/api/v2/personFields?include_fields=required_fields").json["data"][0]["required_fields"]
    assert api.get("/api/v2/personFields?include_fields=colour").status == 400
    person = crm.plant("contacts", {"name": "A", "custom_fields": {COLOUR: "teal"}})
    assert [row["custom_fields"] for row in walked(api, PATHS["contacts"], ids=person)] == [{COLOUR: "teal"}]
    for scope, status in {"contacts:read": 200, "contact-fields:full": 200, "deals:read": 403}.items():
        assert crm.authorised(scopes=[scope]).get("/api/v2/personFields").status == status, scope


def test_searches_have_a_limit_of_their_own_and_cost_more(crm: Caller, api: Caller) -> None:
    crm.plant("contacts", {"name": "Ada Lovelace"})
    crm.adjust(searches_per_burst=1)
    path = f"{PATHS['contacts']}/search?term=ada"
    found = api.get(path)
    limited = api.get(path)
    assert (limited.status, limited.headers["x-ratelimit-limit"]) == (429, "1")
    listed = api.get(PATHS["contacts"])
    left = [int(reply.headers["x-daily-ratelimit-token-remaining"]) for reply in (found, listed)]
    assert (listed.status, left[0] - left[1]) == (200, 10)


@pytest.mark.parametrize("wrong", ["term=ada&fields=title", "term=ada&exact_match=1", "term=ada&cursor=x", "q=ada"])
def test_a_search_that_makes_no_sense_is_400(api: Caller, wrong: str) -> None:
    assert api.get(f"{PATHS['contacts']}/search?{wrong}").json["code"] == "ERR_SCHEMA_VALIDATION_FAILED"
