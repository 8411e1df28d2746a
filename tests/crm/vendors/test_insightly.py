"""What is peculiar to Insightly: texts for errors, sources by id, moments without a zone, a list in no known order."""

import json
from datetime import date, timedelta
from typing import Any, ClassVar

import pytest

from switchboard.crm.dialect import Rate
from switchboard.crm.paging import OLDEST, OVERLAP
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.insightly import CRM
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES, Case
from tests.crm.shared import document
from tests.crm.voices import BEGINNING, minutes
from tests.talk import Partner, ok, script

CASE = CASES["insightly-leads"]
INSIGHTLY = CRM.dialect
LEADS = CASE.resource
PIPELINES, STAGES = (CASES[f"insightly-{each}"].resource for each in ("pipelines", "stages"))
CONTACTS, COMPANIES, DEALS, USERS = (CASES[f"insightly-{each}"] for each in ("contacts", "companies", "deals", "users"))
OBJECTS = pytest.mark.parametrize("case", [CONTACTS, COMPANIES, DEALS, USERS], ids=repr)


def recorded(name: str) -> Any:
    return document(f"fixtures/insightly/{name}.json")


def sources(*names: str) -> Response:
    return ok([{"LEAD_SOURCE_ID": 830626 + place, "LEAD_SOURCE": name} for place, name in enumerate(names)])


def text(status: int, body: str, **headers: str) -> Response:
    """An error as the vendor writes it."""
    return Response(status, {"content-type": "text/plain"} | headers, body, readable=False)


def problem(*replies: Response, talk: Any = None) -> Problem:
    with pytest.raises(Problem) as caught:
        script(*replies).hold(talk or INSIGHTLY.get(LEADS, "1"))
    return caught.value


class TestReading:
    def test_a_recorded_lead_is_read(self) -> None:
        shown = recorded("lead_update")["response"]["body"]
        partner = script(ok(shown), ok([{"LEAD_SOURCE_ID": 3794750, "LEAD_SOURCE": "Web"}]))
        answer = partner.hold(INSIGHTLY.get(LEADS, "78572651"))
        assert [request.path for request in partner.requests] == ["/v3.1/Leads/78572651", "/v3.1/LeadSources"]
        assert answer.raw == shown
        assert answer.item == {
            "id": "78572651",
            "first_name": "Henrietta",
            "last_name": "Sloan",
            "owner": {"id": "2240727"},
            "lead_source": "Web",
            "addresses": [{"country": "United States"}],
            "created_at": "2025-04-19T00:57:06Z",
            "updated_at": "2025-04-19T00:59:03Z",
        }

    def test_recorded_custom_fields_are_read_by_their_names(self) -> None:
        [shown] = recorded("contacts_list_custom_fields")["response"]["body"]
        assert INSIGHTLY.item(LEADS, shown)["custom_fields"] == {
            "Hobby__c": "Skiing",
            "Interests__c": "Music;Sports;Travel",
            "Newsletter_Subscription__c": True,
            "Preferred_Contact_Method__c": "SMS",
        }

    def test_what_became_of_a_lead_is_told(self) -> None:
        record = {"CONVERTED_DATE_UTC": "2025-04-20 01:02:03", "CONVERTED_CONTACT_ID": 7}
        assert INSIGHTLY.item(LEADS, record | {"CONVERTED_ORGANISATION_ID": 8}) == {
            "converted_at": "2025-04-20T01:02:03Z",
            "converted_contact": "7",
            "converted_account": "8",
        }

    def test_one_look_up_names_the_sources_of_a_whole_page(self) -> None:
        shown = recorded("leads_list_page1")["response"]["body"]
        partner = script(ok([*shown, {"LEAD_ID": 1}]), ok([{"LEAD_SOURCE_ID": 3794750, "LEAD_SOURCE": "Web"}]))
        page = partner.hold(INSIGHTLY.list(LEADS, limit=5))
        assert [answer.item.get("lead_source") for answer in page.answers] == ["Web", "Web", None]

    def test_leads_without_sources_need_no_look_up(self) -> None:
        assert script(ok([{"LEAD_ID": 1}])).hold(INSIGHTLY.list(LEADS, limit=5)).answers[0].item == {"id": "1"}

    @pytest.mark.parametrize("id", ["Search", "SearchByTag", "abc", "1.5", "-1", "٣", "²"])
    @pytest.mark.parametrize("verb", ["get", "delete"])
    def test_a_word_in_place_of_an_id_is_refused_without_a_question(self, id: str, verb: str) -> None:
        told = problem(talk=getattr(INSIGHTLY, verb)(LEADS, id))
        assert (told.kind, told.outcome) == (Kind.CRM_BAD_ID, Outcome.NOTHING)

    def test_a_removal_is_the_recorded_one(self) -> None:
        shown = recorded("lead_delete")
        partner = script(Response(shown["response"]["status"]))
        partner.hold(INSIGHTLY.delete(LEADS, "78572266"))
        [request] = partner.requests
        assert (request.method, request.path) == (shown["request"]["method"], shown["request"]["path"])


class TestCreate:
    def made(self, item: dict[str, Any], *replies: Response, remote: Any = None) -> list[Request]:
        partner = script(*replies, ok({"LEAD_ID": 7}, 201))
        assert partner.hold(INSIGHTLY.create(LEADS, CASE.draft(item, remote))).item["id"] == "7"
        return partner.requests

    def test_it_is_sent_bare(self) -> None:
        phones = [{"number": "1", "type": "work"}, {"number": "2", "type": "mobile"}, {"number": "3", "type": "fax"}]
        address = {"street_1": "12 Dorset Street", "street_2": "Flat 2", "city": "London", "postal_code": "W1"}
        item = {"last_name": "Sloan", "owner": {"id": "2240727"}, "phone_numbers": phones, "addresses": [address]}
        [request] = self.made(item | {"custom_fields": {"Hobby__c": "Skiing"}})
        assert (request.method, request.path) == ("POST", "/v3.1/Leads")
        assert request.json == {
            "LAST_NAME": "Sloan",
            "OWNER_USER_ID": 2240727,
            "PHONE": "1",
            "MOBILE": "2",
            "FAX": "3",
            "ADDRESS_STREET": "12 Dorset Street\nFlat 2",
            "ADDRESS_CITY": "London",
            "ADDRESS_POSTCODE": "W1",
            "CUSTOMFIELDS": [{"FIELD_NAME": "Hobby__c", "FIELD_VALUE": "Skiing"}],
        }

    def test_a_recorded_answer_is_told_whole(self) -> None:
        """The status and the form are those of the second version; the names of the columns have changed since."""
        shown = recorded("legacy_v21_lead_create")["response"]
        partner = script(Response(shown["status"], {}, shown["body"]), sources("Web"))
        answer = partner.hold(INSIGHTLY.create(LEADS, CASE.draft({"last_name": "Test"})))
        assert (answer.item["id"], answer.partial, answer.raw) == ("7246496", False, shown["body"])

    @pytest.mark.parametrize("name", ["Phone Enquiry", " phone enquiry", "PHONE ENQUIRY"])
    def test_a_source_is_sent_as_its_id(self, name: str) -> None:
        shown = recorded("legacy_v21_lead_sources")["response"]["body"]
        look, create = self.made({"last_name": "x", "lead_source": name}, ok(shown))
        assert (look.method, look.path, look.safe) == ("GET", "/v3.1/LeadSources", True)
        assert create.json == {"LAST_NAME": "x", "LEAD_SOURCE_ID": 830627}

    @pytest.mark.parametrize("names", [("Web", "Partner Referral"), ()], ids=["some", "none"])
    def test_a_source_that_nobody_knows_is_refused_before_anything_is_made(self, names: tuple[str, ...]) -> None:
        talk = INSIGHTLY.create(LEADS, CASE.draft({"last_name": "x", "lead_source": "Telex"}))
        told = problem(sources(*names), talk=talk)
        [fault] = told.faults
        assert (told.kind, fault.field, fault.code) == (Kind.INVALID, "lead_source", "unknown_value")
        assert all(name in fault.detail for name in names)

    def test_an_id_that_the_caller_gave_for_the_source_stands(self) -> None:
        [create] = self.made({"last_name": "x", "lead_source": "Web"}, remote={"LEAD_SOURCE_ID": 5})
        assert create.json == {"LAST_NAME": "x", "LEAD_SOURCE_ID": 5}

    @pytest.mark.parametrize("name", ["Hobby", "LAST_NAME", "__c__"])
    def test_a_name_that_does_not_end_as_custom_fields_do_is_refused(self, name: str) -> None:
        with pytest.raises(Problem) as caught:
            CASE.draft({"last_name": "x", "custom_fields": {name: "x"}})
        assert [(fault.field, fault.code) for fault in caught.value.faults] == [(f"custom_fields.{name}", "not_custom")]

    def test_a_lead_has_one_address_for_e_mails(self) -> None:
        draft = CASE.draft({"last_name": "x", "email_addresses": [{"email": "a@b.c"}, {"email": "d@e.f"}]})
        assert (draft.body["EMAIL"], draft.ignored) == ("a@b.c", ("email_addresses[1]",))


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [("error_404_plan_no_access", Kind.CRM_FORBIDDEN), ("legacy_v21_error_404_no_record", Kind.CRM_NOT_FOUND)],
    )
    def test_a_404_says_what_it_means(self, name: str, kind: Kind) -> None:
        shown = recorded(name)["response"]
        told = problem(text(shown["status"], shown["body"]))
        assert told.kind is kind
        assert told.remote
        assert told.remote.message == shown["body"]

    def test_the_text_of_a_page_is_told_without_its_markup(self) -> None:
        page = "<html><head><title>Oops</title><style>b {}</style></head><body><b>It\n broke.</b></body></html>"
        told = problem(text(500, page))
        assert told.remote
        assert (told.kind, told.remote.message) == (Kind.CRM_UNAVAILABLE, "Oops It broke.")

    def test_an_error_may_be_an_object_all_the_same(self) -> None:
        told = problem(Response(400, {}, {"Message": "LAST_NAME is required."}))
        assert told.remote
        assert (told.kind, told.remote.message) == (Kind.CRM_REJECTED, "LAST_NAME is required.")

    def test_a_plan_without_room_for_another_record_is_no_fault_of_the_request(self) -> None:
        talk = INSIGHTLY.create(LEADS, CASE.draft({"last_name": "x"}))
        told = problem(text(402, "Record limit reached."), talk=talk)
        assert (told.kind, told.outcome) == (Kind.CRM_FORBIDDEN, Outcome.REFUSED)

    @pytest.mark.parametrize("body", ["", "No Lead with ID = 0", "API User does not have access to Leads."])
    def test_a_404_of_all_leads_says_that_the_plan_has_none(self, body: str) -> None:
        for talk in (INSIGHTLY.create(LEADS, CASE.draft({"last_name": "x"})), INSIGHTLY.list(LEADS, limit=5)):
            told = problem(text(404, body), talk=talk)
            assert told.kind is Kind.CRM_FORBIDDEN
            assert "does not let" in told.detail
        assert problem(text(404, "")).kind is Kind.CRM_NOT_FOUND

    def test_what_is_left_of_the_vendors_limit_is_told(self) -> None:
        limits = {"x-ratelimit-limit": "40000", "x-ratelimit-remaining": "39990"}
        assert INSIGHTLY.rate(Response(200, limits)) == Rate(40000, 39990)
        assert INSIGHTLY.rate(Response(200, {"x-ratelimit-limit": "40000"})) is None
        assert INSIGHTLY.forward(Response(200, limits | {"x-other": "1"})) == limits

    @pytest.mark.parametrize(("headers", "seconds"), [({"retry-after": "6"}, 6), ({}, None)], ids=["told", "not told"])
    def test_the_wait_of_a_throttle_is_told_if_ever_the_vendor_tells_it(
        self, headers: dict[str, str], seconds: int | None
    ) -> None:
        told = problem(text(429, "Too many requests.", **headers))
        assert (told.kind, told.retry_after) == (Kind.CRM_RATE_LIMITED, seconds)


def leads(ids: list[int], **columns: Any) -> list[dict[str, Any]]:
    return [{"LEAD_ID": id, **columns} for id in ids]


class Listing:
    """Leads in an order of the vendor's; what happens between two pages is done to `ids`."""

    def __init__(self, ids: list[int], most: int = 500) -> None:
        self.ids = ids
        self.most = most
        self.cursor: Any = {}
        self.given: list[int] = []

    def answer(self, request: Request) -> Response:
        skip, top = int(request.query["skip"]), int(request.query["top"])
        assert top <= 500
        return ok(leads(self.ids[skip : skip + min(top, self.most)]))

    def turn(self, limit: int) -> None:
        page = Partner(self.answer).hold(INSIGHTLY.list(LEADS, cursor=self.cursor, limit=limit))
        assert len(page.answers) <= limit
        self.given += [int(answer.item["id"]) for answer in page.answers]
        self.cursor = json.loads(json.dumps(page.cursor))

    def rest(self, limit: int) -> list[int]:
        for _ in range(2000):
            if self.cursor is None:
                return self.given
            self.turn(limit)
        raise AssertionError("it does not end")


class TestList:
    @pytest.mark.parametrize("limit", [1, 7, 100, 500])
    def test_nothing_is_given_twice_and_nothing_left_out(self, limit: int) -> None:
        assert Listing(list(range(150))).rest(limit) == list(range(150))

    @pytest.mark.parametrize("limit", [3, 30])
    def test_what_others_delete_meanwhile_draws_nothing_over_the_edge(self, limit: int) -> None:
        listing = Listing(list(range(100)))
        listing.turn(limit)
        listing.turn(limit)
        gone = listing.given[-min(OVERLAP, 5) :]
        listing.ids = [id for id in listing.ids if id not in gone]
        assert sorted(listing.rest(limit)) == list(range(100))

    @pytest.mark.parametrize("limit", [3, 30])
    def test_what_comes_in_front_meanwhile_pushes_nothing_to_be_given_again(self, limit: int) -> None:
        listing = Listing(list(range(100)))
        listing.turn(limit)
        listing.ids = [*range(200, 210), *listing.ids]
        found = listing.rest(limit)
        assert len(found) == len(set(found))
        assert set(range(100)) <= set(found)

    @pytest.mark.parametrize("limit", [1, 30, 480])
    @pytest.mark.parametrize("count", [OVERLAP, OVERLAP + 1, 100, 590])
    def test_however_many_are_deleted_meanwhile_none_is_lost(self, limit: int, count: int) -> None:
        listing = Listing(list(range(1000)))
        while len(listing.given) < 600:
            listing.turn(limit)
        listing.ids = listing.ids[count:]
        assert set(listing.rest(limit)) == set(range(1000))

    @pytest.mark.parametrize("count", [OVERLAP + 1, 500])
    def test_however_many_come_in_front_meanwhile_it_goes_on_to_its_end(self, count: int) -> None:
        listing = Listing(list(range(300)))
        listing.turn(100)
        listing.ids = [*range(1000, 1000 + count), *listing.ids]
        assert set(listing.rest(100)) >= set(range(300))

    def test_a_page_that_is_shorter_than_asked_for_ends_nothing(self) -> None:
        listing = Listing(list(range(150)), most=40)
        assert listing.rest(100) == list(range(150))

    def test_a_lead_that_changes_meanwhile_is_given_again(self) -> None:
        bodies = [{"LEAD_ID": id, "DATE_UPDATED_UTC": "2026-05-01 12:00:00"} for id in range(4)]
        first = script(ok(bodies[:2])).hold(INSIGHTLY.list(LEADS, limit=2))
        moved = [bodies[1], bodies[2], bodies[3], bodies[0] | {"DATE_UPDATED_UTC": "2026-05-01 12:00:09"}]
        second = script(ok(moved)).hold(INSIGHTLY.list(LEADS, cursor=first.cursor, limit=2))
        last = script(ok(moved[:2] + moved[3:])).hold(INSIGHTLY.list(LEADS, cursor=second.cursor, limit=2))
        assert [[each.item["id"] for each in page.answers] for page in (second, last)] == [["2", "3"], ["0"]]

    def test_what_changed_is_searched_for_as_recorded_and_a_second_early(self) -> None:
        shown = recorded("leads_list_updated_since")["request"]
        partner = script(ok([]))
        partner.hold(INSIGHTLY.list(LEADS, since=minutes(0), limit=500))
        [request] = partner.requests
        assert (request.method, request.path) == (shown["method"], shown["path"])
        assert set(request.query) == set(shown["query"]) | {"skip"}
        assert request.query["updated_after_utc"] == "2026-05-01T11:59:59Z"

    def test_what_came_too_early_is_left_out(self) -> None:
        columns = [{"DATE_UPDATED_UTC": f"2026-05-01 {time}"} for time in ("11:59:59", "12:00:00", "12:00:01")]
        bodies = [{"LEAD_ID": place, **each} for place, each in enumerate(columns)]
        since = BEGINNING + timedelta(milliseconds=700)
        page = script(ok(bodies)).hold(INSIGHTLY.list(LEADS, since=since, limit=5))
        assert [answer.item["id"] for answer in page.answers] == ["1", "2"]

    def test_a_lost_create_is_looked_for_among_what_changed_since(self) -> None:
        made = {
            "LAST_NAME": "Sloan",
            "DATE_CREATED_UTC": "2026-05-01 12:00:05",
            "DATE_UPDATED_UTC": "2026-05-01 12:00:05",
        }
        found = ok([{"LEAD_ID": 1, **made, "LAST_NAME": "Huber"}, {"LEAD_ID": 2, **made}])
        partner = script(found, found)
        assert partner.hold(INSIGHTLY.find(LEADS, CASE.draft({"last_name": "Sloan"}), minutes(0))) == "2"
        assert "updated_after_utc" in partner.requests[0].query


class TestContactsThatChanged:
    """They are searched for as leads are."""

    PAGE: ClassVar = [
        {"CONTACT_ID": id, "FIRST_NAME": "Ada", "DATE_UPDATED_UTC": "2026-05-01 12:00:00"} for id in range(500)
    ]

    def test_a_page_is_as_large_as_can_be_and_begins_before_the_end_of_the_one_before(self) -> None:
        rest = [{**self.PAGE[0], "CONTACT_ID": 500}]
        partner = script(ok(self.PAGE), ok(self.PAGE[480:] + rest), ok(self.PAGE[481:] + rest))
        pages = [partner.hold(INSIGHTLY.list(CONTACTS.resource, since=minutes(0), limit=2000))]
        while (cursor := pages[-1].cursor) is not None:
            pages.append(partner.hold(INSIGHTLY.list(CONTACTS.resource, since=minutes(0), cursor=cursor, limit=2000)))
        assert [len(page.answers) for page in pages] == [500, 1, 0]
        since = {"updated_after_utc": "2026-05-01T11:59:59Z", "top": "500"}
        assert {(request.method, request.path) for request in partner.requests} == {("GET", "/v3.1/Contacts/Search")}
        assert [request.query for request in partner.requests] == [
            {**since, "skip": "0"},
            {**since, "skip": "480"},
            {**since, "skip": "481"},
        ]

    def test_a_position_is_a_number_and_the_last_states(self) -> None:
        page = script(ok(self.PAGE)).hold(INSIGHTLY.list(CONTACTS.resource, since=minutes(0), limit=2000))
        assert page.cursor
        assert page.cursor["start"] == 500
        assert page.cursor["seen"] == [f"{id} 2026-05-01 12:00:00" for id in range(460, 500)]

    def test_everything_is_asked_for_without_a_moment(self) -> None:
        partner = script(ok([{"CONTACT_ID": 7}]))
        page = partner.hold(INSIGHTLY.list(CONTACTS.resource, since=OLDEST, limit=2000))
        assert [answer.item["id"] for answer in page.answers] == ["7"]
        assert partner.requests[0].query == {"skip": "0", "top": "500"}

    def test_a_contact_that_goes_to_the_end_of_the_order_hides_no_other(self) -> None:
        bodies = self.PAGE[:60]
        first = script(ok(bodies[:30])).hold(INSIGHTLY.list(CONTACTS.resource, limit=30))
        moved = [*bodies[5:], *({**each, "DATE_UPDATED_UTC": "2026-05-01 12:00:09"} for each in bodies[:5])]
        second = script(ok(moved[10:60])).hold(INSIGHTLY.list(CONTACTS.resource, cursor=first.cursor, limit=50))
        assert [answer.item["id"] for answer in second.answers] == [str(id) for id in [*range(30, 60), *range(5)]]

    def test_a_recorded_contact_is_told_by_a_list_as_by_a_read(self) -> None:
        [shown] = recorded("contacts_list_custom_fields")["response"]["body"]
        [listed] = script(ok([shown])).hold(INSIGHTLY.list(CONTACTS.resource, since=OLDEST, limit=5)).answers
        assert listed == script(ok(shown)).hold(INSIGHTLY.get(CONTACTS.resource, "366638973"))
        assert {"created_at", "updated_at", "custom_fields"} <= set(listed.item)

    def test_nobody_tells_of_contacts_that_were_deleted(self) -> None:
        assert CONTACTS.resource.deletions == "swept"
        assert script().hold(INSIGHTLY.deleted(CONTACTS.resource, since=minutes(0))) is None


class TestPipelines:
    def test_recorded_ones_are_read_with_their_stages_in_order(self) -> None:
        shown, steps = (recorded(f"legacy_v21_{name}")["response"]["body"] for name in ("pipelines", "pipeline_stages"))
        other = {"PIPELINE_ID": 1, "STAGE_ID": 2, "STAGE_NAME": "Elsewhere", "STAGE_ORDER": 1}
        partner = script(ok(shown), ok([*steps[::-1], other]))
        [answer] = partner.hold(INSIGHTLY.list(PIPELINES, limit=5)).answers
        assert [request.path for request in partner.requests] == ["/v3.1/Pipelines", "/v3.1/PipelineStages"]
        assert (answer.item["name"], answer.item["entity"], answer.raw) == ("Awesome!", "opportunity", shown[0])
        assert [each["name"] for each in answer.item["stages"]] == [each["STAGE_NAME"] for each in steps]
        assert answer.item["stages"][0] == {"id": "377384", "name": "Awaiting quotes", "pipeline": {"id": "124170"}}

    def test_one_of_projects_is_of_no_entity(self) -> None:
        assert "entity" not in INSIGHTLY.item(PIPELINES, {"PIPELINE_ID": 1, "FOR_OPPORTUNITIES": False})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://api.insightly.com", True),
        ("https://api.na1.insightly.com", True),
        ("https://api.insightly.com.evil.com", False),
        ("https://insightly.com", False),
    ],
)
def test_a_pod_has_a_host_of_its_own(origin: str, allowed: bool) -> None:
    assert CRM.hosts["api"].allows(origin) is allowed


PAMELA = {
    "id": "366638973",
    "first_name": "Pamela",
    "last_name": "Huber",
    "name": "Pamela Huber",
    "emails": [{"email": "pamela@mail.com", "type": "primary"}],
    "owner": {"id": "2240727"},
    "created_at": "2025-04-19T00:49:32Z",
    "updated_at": "2025-04-19T00:49:33Z",
}
ORGANISATION = {
    "ORGANISATION_ID": 7,
    "ORGANISATION_NAME": "Analytical Engines",
    "BACKGROUND": "Builders.",
    "OWNER_USER_ID": 9,
    "PHONE": "1",
    "PHONE_FAX": "2",
    "WEBSITE": "https://engines.example",
    "ADDRESS_BILLING_CITY": "London",
    "ADDRESS_SHIP_CITY": "Leeds",
    "EMAILDOMAINS": [{"EMAIL_DOMAIN_ID": 1, "EMAIL_DOMAIN": "engines.example"}],
    "CUSTOMFIELDS": [{"FIELD_NAME": "Wheels__c", "FIELD_VALUE": 4}],
    "TAGS": [{"TAG_NAME": "steam"}],
    "DATE_CREATED_UTC": "2026-05-01 12:00:00",
    "DATE_UPDATED_UTC": "2026-05-01 12:00:01",
    "LAST_ACTIVITY_DATE_UTC": "2026-05-01 12:00:02",
}
OPPORTUNITY = {
    "OPPORTUNITY_ID": 5,
    "OPPORTUNITY_NAME": "Engine no. 2",
    "OPPORTUNITY_DETAILS": "One engine.",
    "OPPORTUNITY_STATE": "OPEN",
    "BID_CURRENCY": "GBP",
    "BID_AMOUNT": 12500.0,
    "PROBABILITY": 60,
    "FORECAST_CLOSE_DATE": "2026-12-31 00:00:00",
    "ACTUAL_CLOSE_DATE": None,
    "PIPELINE_ID": 124170,
    "STAGE_ID": 377384,
    "ORGANISATION_ID": 7,
    "OWNER_USER_ID": 9,
    "TAGS": [],
    "LINKS": [
        {
            "LINK_ID": 1,
            "OBJECT_NAME": "Opportunity",
            "OBJECT_ID": 5,
            "LINK_OBJECT_NAME": "Project",
            "LINK_OBJECT_ID": 3,
        },
        {
            "LINK_ID": 2,
            "OBJECT_NAME": "Opportunity",
            "OBJECT_ID": 5,
            "LINK_OBJECT_NAME": "Contact",
            "LINK_OBJECT_ID": 8,
        },
    ],
}


class TestObjects:
    """Contacts, companies, deals and users. Only contacts were recorded; the others have the columns of the vendor's
    specification."""

    @pytest.mark.parametrize(
        ("case", "path", "column"),
        [
            (CONTACTS, "Contacts", "CONTACT_ID"),
            (COMPANIES, "Organisations", "ORGANISATION_ID"),
            (DEALS, "Opportunities", "OPPORTUNITY_ID"),
            (USERS, "Users", "USER_ID"),
        ],
        ids=repr,
    )
    def test_one_is_read_in_one_request_by_a_path_that_the_vendor_specifies(
        self, case: Case, path: str, column: str
    ) -> None:
        partner = script(ok({column: 7, "LEAD_SOURCE_ID": 1}))
        answer = partner.hold(INSIGHTLY.get(case.resource, "7"))
        [request] = partner.requests
        assert (answer.item["id"], answer.partial) == ("7", False)
        assert (request.method, request.path, request.query) == ("GET", f"/v3.1/{path}/7", {})
        spec = document("specs/insightly/insightly-v3.1.cut.swagger.json")
        assert "get" in spec["paths"][f"/{path}/{{id}}"]

    @pytest.mark.parametrize("name", ["contact_create", "contact_update"])
    def test_a_recorded_contact_is_read(self, name: str) -> None:
        shown = recorded(name)["response"]["body"]
        assert script(ok(shown)).hold(INSIGHTLY.get(CONTACTS.resource, "366638973")).item == PAMELA

    def test_a_recorded_contact_is_read_with_its_custom_fields(self) -> None:
        [shown] = recorded("contacts_list_custom_fields")["response"]["body"]
        assert INSIGHTLY.item(CONTACTS.resource, shown) == {
            **PAMELA,
            "updated_at": "2025-04-22T20:03:25Z",
            "custom_fields": {
                "Hobby__c": "Skiing",
                "Interests__c": "Music;Sports;Travel",
                "Newsletter_Subscription__c": True,
                "Preferred_Contact_Method__c": "SMS",
            },
        }

    def test_a_company_is_read(self) -> None:
        assert INSIGHTLY.item(COMPANIES.resource, ORGANISATION) == {
            "id": "7",
            "name": "Analytical Engines",
            "domain": "engines.example",
            "website": "https://engines.example",
            "phones": [{"number": "1", "type": "primary"}, {"number": "2", "type": "fax"}],
            "addresses": [{"city": "London"}],
            "description": "Builders.",
            "owner": {"id": "9"},
            "tags": ["steam"],
            "custom_fields": {"Wheels__c": 4},
            "created_at": "2026-05-01T12:00:00Z",
            "updated_at": "2026-05-01T12:00:01Z",
            "last_activity_at": "2026-05-01T12:00:02Z",
        }

    def test_a_deal_is_read(self) -> None:
        assert INSIGHTLY.item(DEALS.resource, OPPORTUNITY) == {
            "id": "5",
            "name": "Engine no. 2",
            "amount": 12500,
            "currency": "GBP",
            "pipeline": {"id": "124170"},
            "stage": {"id": "377384"},
            "status": "open",
            "probability": 60,
            "close_date": "2026-12-31",
            "description": "One engine.",
            "company": {"id": "7"},
            "contact": {"id": "8"},
            "owner": {"id": "9"},
        }

    @pytest.mark.parametrize(
        ("state", "status"),
        [("WON", "won"), ("Lost", "lost"), ("open", "open"), ("SUSPENDED", None), ("ABANDONED", None), (7, None)],
    )
    def test_a_state_is_told_where_we_have_a_word_for_it(self, state: Any, status: str | None) -> None:
        body = {"OPPORTUNITY_STATE": state, "ACTUAL_CLOSE_DATE": "2026-05-01 00:00:00"}
        item = INSIGHTLY.item(DEALS.resource, body)
        assert (item.get("status"), item["closed_at"]) == (status, "2026-05-01T00:00:00Z")

    @pytest.mark.parametrize(
        ("links", "contact"),
        [
            ([{"LINK_OBJECT_NAME": "CONTACT", "LINK_OBJECT_ID": 8}], {"id": "8"}),
            ([{"OBJECT_NAME": "Contact", "OBJECT_ID": 8, "LINK_OBJECT_NAME": "Opportunity"}], {"id": "8"}),
            ([{"LINK_OBJECT_NAME": "Organisation", "LINK_OBJECT_ID": 8}, {"LINK_OBJECT_NAME": "Contact"}], None),
            ([], None),
            (None, None),
        ],
        ids=repr,
    )
    def test_the_contact_of_a_deal_is_the_first_that_it_is_linked_with(self, links: Any, contact: Any) -> None:
        assert INSIGHTLY.item(DEALS.resource, {"LINKS": links}).get("contact") == contact

    def test_a_user_is_read_without_the_address_of_the_secret_inbox(self) -> None:
        body = {
            "USER_ID": 9,
            "FIRST_NAME": "Charles",
            "LAST_NAME": "Babbage",
            "EMAIL_ADDRESS": "charles@example.com",
            "ACTIVE": False,
            "DATE_CREATED_UTC": "2026-05-01 12:00:00",
        }
        secret = {"EMAIL_DROPBOX_IDENTIFIER": "hush", "EMAIL_DROPBOX_ADDRESS": "hush@mailbox.example"}
        answer = script(ok(body | secret)).hold(INSIGHTLY.get(USERS.resource, "9"))
        assert answer.raw == body
        assert answer.item == {
            "id": "9",
            "name": "Charles Babbage",
            "first_name": "Charles",
            "last_name": "Babbage",
            "email": "charles@example.com",
            "active": False,
            "created_at": "2026-05-01T12:00:00Z",
        }

    @pytest.mark.parametrize(
        ("case", "item"),
        [
            (
                CONTACTS,
                {
                    "first_name": "Ada",
                    "last_name": "Lovelace",
                    "title": "Head of Programmes",
                    "emails": [{"email": "a@b.example", "type": "primary"}],
                    "phones": [
                        {"number": "1", "type": "primary"},
                        {"number": "2", "type": "mobile"},
                        {"number": "3", "type": "secondary"},
                        {"number": "4", "type": "fax"},
                    ],
                    "addresses": [{"street_1": "12 Dorset Street", "city": "London", "postal_code": "W1U"}],
                    "description": "It weaves.",
                    "company": {"id": "7"},
                    "owner": {"id": "9"},
                    "custom_fields": {"Hobby__c": "Weaving"},
                },
            ),
            (
                COMPANIES,
                {
                    "name": "Analytical Engines",
                    "website": "https://engines.example",
                    "phones": [{"number": "1", "type": "primary"}, {"number": "2", "type": "fax"}],
                    "addresses": [{"city": "London", "country": "United Kingdom"}],
                    "description": "Builders.",
                    "owner": {"id": "9"},
                    "custom_fields": {"Wheels__c": 4},
                },
            ),
            (
                DEALS,
                {
                    "name": "Engine no. 2",
                    "amount": 12500,
                    "currency": "GBP",
                    "status": "won",
                    "probability": 60,
                    "description": "One engine.",
                    "company": {"id": "7"},
                    "owner": {"id": "9"},
                    "custom_fields": {"Delivery__c": "By cart"},
                },
            ),
        ],
        ids=repr,
    )
    def test_what_is_written_is_read_again_and_has_the_columns_of_the_specification(
        self, case: Case, item: Any
    ) -> None:
        record, ignored = case.resource.table.out(item)
        told = case.resource.table.into(record)
        assert not ignored
        assert {name: told[name] for name in item} == item
        spec = document("specs/insightly/insightly-v3.1.cut.swagger.json")
        path = case.resource.path.removeprefix("/v3.1")
        [body] = [each for each in spec["paths"][path]["post"]["parameters"] if each["in"] == "body"]
        known = body["schema"]["properties"]
        assert [name for name in record if known[name].get("readOnly")] == []

    def test_what_has_to_be_set_by_a_request_of_its_own_is_not_sent(self) -> None:
        item = {"name": "x", "stage": {"id": "1"}, "pipeline": {"id": "2"}, "contact": {"id": "3"}, "tags": ["steam"]}
        draft = DEALS.draft(item)
        assert (draft.body, set(draft.ignored)) == ({"OPPORTUNITY_NAME": "x"}, {"stage", "pipeline", "contact", "tags"})

    def test_a_day_is_sent_as_it_is_told(self) -> None:
        draft = DEALS.draft({"name": "x", "close_date": date(2026, 12, 31)})
        assert draft.body["FORECAST_CLOSE_DATE"] == OPPORTUNITY["FORECAST_CLOSE_DATE"]

    @pytest.mark.parametrize(("given", "sent"), [(40, 40), (40.0, 40), (39.6, 40)])
    def test_a_probability_is_sent_in_whole_per_cent(self, given: float, sent: int) -> None:
        body = DEALS.draft({"name": "x", "probability": given}).body
        assert (body["PROBABILITY"], type(body["PROBABILITY"])) == (sent, int)

    @OBJECTS
    def test_a_record_that_is_not_there_is_told_from_one_that_may_not_be_seen(self, case: Case) -> None:
        told = (
            (recorded("legacy_v21_error_404_no_record")["response"]["body"], 404, Kind.CRM_NOT_FOUND),
            (recorded("error_404_plan_no_access")["response"]["body"], 404, Kind.CRM_FORBIDDEN),
            ("API User does not have access to Record.", 403, Kind.CRM_FORBIDDEN),
        )
        for body, status, kind in told:
            found = problem(text(status, body), talk=INSIGHTLY.get(case.resource, "7"))
            assert (found.kind, found.outcome) == (kind, Outcome.NOTHING)

    @OBJECTS
    @pytest.mark.parametrize("id", ["Me", "Search", "SearchByTag", "abc", "1.5", ""])
    def test_a_word_is_no_id_of_an_object(self, case: Case, id: str) -> None:
        assert problem(talk=INSIGHTLY.get(case.resource, id)).kind is Kind.CRM_BAD_ID

    @pytest.mark.parametrize(
        ("name", "other", "path", "body"),
        [
            ("company", COMPANIES.resource, "/v3.1/Organisations/7", ORGANISATION),
            ("contact", CONTACTS.resource, "/v3.1/Contacts/8", {"CONTACT_ID": 8}),
            ("owner", USERS.resource, "/v3.1/Users/9", {"USER_ID": 9}),
            ("stage", STAGES, "/v3.1/PipelineStages/377384", {"STAGE_ID": 377384}),
            ("pipeline", PIPELINES, "/v3.1/Pipelines/124170", {"PIPELINE_ID": 124170, "PIPELINE_NAME": "Sales"}),
        ],
    )
    def test_what_a_deal_names_is_read_in_one_request(self, name: str, other: Any, path: str, body: Any) -> None:
        deal = script(ok(OPPORTUNITY)).hold(INSIGHTLY.get(DEALS.resource, "5"))
        partner = script(ok(body))
        found = partner.hold(INSIGHTLY.related(DEALS.resource, deal, name, other))
        assert found
        assert (found.item["id"], found.partial) == (path.rpartition("/")[2], False)
        assert [each.path for each in partner.requests] == [path]

    def test_a_deal_without_a_pipeline_or_with_one_that_is_gone_has_none(self) -> None:
        deal = script(ok(OPPORTUNITY)).hold(INSIGHTLY.get(DEALS.resource, "5"))
        gone = script(text(404, "No Pipeline with ID = 124170"))
        assert gone.hold(INSIGHTLY.related(DEALS.resource, deal, "pipeline", PIPELINES)) is None
        loose = script(ok(OPPORTUNITY | {"PIPELINE_ID": None})).hold(INSIGHTLY.get(DEALS.resource, "5"))
        assert script().hold(INSIGHTLY.related(DEALS.resource, loose, "pipeline", PIPELINES)) is None
