"""What is peculiar to Nutshell: links for relations, envelopes of every spelling, a change log that runs backwards."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from switchboard.crm.dialect import Answer
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.nutshell import CRM
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES
from tests.crm.shared import document
from tests.talk import Partner, ok, script

CASE = CASES["nutshell-leads"]
NUTSHELL = CRM.dialect
LEADS, PIPELINES, STAGES = (CASES[f"nutshell-{plural}"].resource for plural in ("leads", "pipelines", "stages"))
CONTACTS, COMPANIES, DEALS, USERS = (
    CASES[f"nutshell-{plural}"].resource for plural in ("contacts", "companies", "deals", "users")
)
META = {"instanceId": "379104", "siteId": "6smEpVK1"}
BEGIN = 1755113219

# As it was recorded: providers/nutshell/test/read/events/1-first-page.json of amp-labs/connectors, in part.
RECORDED: dict[str, Any] = {
    "id": "1003-leads",
    "type": "leads",
    "deletedTime": None,
    "name": "Your first lead",
    "value": {"amount": 0, "currency": "USD", "formatted": ""},
    "number": "1000",
    "description": "Your first lead",
    "createdTime": {"absoluteLocalizedString": "August 13, 2025", "timestamp": BEGIN, "value": "Yesterday"},
    "closedTime": None,
    "status": "open",
    "lastContactedTime": None,
    "htmlUrl": "https://app.nutshell.com/lead/1000",
    "links": {
        "accounts": ["3-accounts"],
        "contacts": ["3-contacts"],
        "tags": [],
        "sources": [],
        "owner": "1-users",
        "stage": "101-stages",
        "stageset": "1-stagesets",
    },
}


def record(number: int = 1003, **fields: Any) -> dict[str, Any]:
    return RECORDED | {"id": f"{number}-leads", **fields}


def envelope(*records: Any, key: str = "leads", **more: Any) -> Response:
    return ok({"meta": META, "links": {}, key: list(records), **more})


def problem(call: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


class TestRecords:
    def test_the_lead_we_create_is_the_one_that_the_vendor_shows(self) -> None:
        shown = document("fixtures/nutshell/doc_lead_create_request.json")["request"]
        item = {
            "title": "Car Wash Inc.",
            "owner": {"id": "1-users"},
            "contact": {"id": "1-contacts"},
            "account": {"id": "1-accounts"},
            "custom_fields": {"Favorite Number": 12},
        }
        extra = {"manualValue": "999.99", "links": {"sources": ["1-sources"], "tags": ["1-tags"]}}
        partner = script(envelope(RECORDED))
        partner.hold(NUTSHELL.create(LEADS, CASE.draft(item, extra)))
        [request] = partner.requests
        assert (request.method, request.path, request.json) == ("POST", shown["path"], shown["body"])
        assert not request.safe

    def test_the_recorded_lead_is_read(self) -> None:
        assert script(envelope(RECORDED)).hold(NUTSHELL.get(LEADS, "1003-leads")).item == {
            "id": "1003-leads",
            "title": "Your first lead",
            "owner": {"id": "1-users"},
            "contact": {"id": "3-contacts"},
            "account": {"id": "3-accounts"},
            "status": "open",
            "urls": [{"url": "https://app.nutshell.com/lead/1000", "type": "record"}],
            "created_at": "2025-08-13T19:26:59Z",
        }

    @pytest.mark.parametrize("described", ["", None, "Something else"])
    def test_a_lead_goes_by_its_name(self, described: str | None) -> None:
        body = record(name="Lead-1533", description=described)
        assert NUTSHELL.item(LEADS, body)["title"] == "Lead-1533"

    @pytest.mark.parametrize(
        "time", [{"timestamp": BEGIN, "value": "Yesterday"}, BEGIN, str(BEGIN), "2025-08-13T19:26:59Z"]
    )
    def test_a_moment_is_read_in_every_form(self, time: Any) -> None:
        item = NUTSHELL.item(LEADS, record(lastContactedTime=time, createdTime=time))
        assert (item["last_activity_at"], item["created_at"]) == ("2025-08-13T19:26:59Z", "2025-08-13T19:26:59Z")

    @pytest.mark.parametrize("time", [10**30, 10**400, {"value": "Yesterday"}, "Yesterday", True, []])
    def test_what_is_no_moment_is_left_out(self, time: Any) -> None:
        assert "created_at" not in NUTSHELL.item(LEADS, record(createdTime=time))

    def test_custom_fields_are_texts(self) -> None:
        given = {"Favorite Number": 12, "Is Hot": True, "Colour": "teal", "Nothing": None}
        body = CASE.draft({"title": "x", "custom_fields": given}).body
        assert body["customFields"] == {"Favorite Number": "12", "Is Hot": "true", "Colour": "teal"}

    def test_a_custom_field_that_is_no_text_is_refused_before_anything_is_sent(self) -> None:
        told = problem(lambda: CASE.draft({"title": "x", "custom_fields": {"Colours": ["teal"]}}))
        assert (told.kind, told.faults[0].field) == (Kind.INVALID, "custom_fields")

    def test_a_bare_answer_to_a_create_is_read_as_well(self) -> None:
        """The specification describes it so; the recordings have an envelope."""
        made = script(ok(RECORDED, 201)).hold(NUTSHELL.create(LEADS, CASE.draft()))
        assert (made.item["id"], made.item["title"], made.partial) == ("1003-leads", "Your first lead", False)

    def test_an_answer_to_a_create_without_links_is_read_again(self) -> None:
        partner = script(envelope({"id": "1003-leads", "name": "x"}), envelope(RECORDED))
        made = partner.hold(NUTSHELL.create(LEADS, CASE.draft()))
        assert [request.path for request in partner.requests] == ["/rest/leads", "/rest/leads/1003-leads"]
        assert made.item["contact"] == {"id": "3-contacts"}


ANN_ARBOR = {
    "street_1": "206 E Huron St",
    "city": "Ann Arbor",
    "state": "MI",
    "postal_code": "48103",
    "country": "US",
    "type": "address",
}
ANDY = {
    "id": "3-contacts",
    "name": "Andy Fowler",
    "first_name": "Andy",
    "last_name": "Fowler",
    "title": "CEO, Nutshell",
    "emails": [{"email": "andy@nutshell.com", "type": "email"}],
    "company": {"id": "3-accounts"},
    "addresses": [ANN_ARBOR],
    "description": "CEO / cofounder @ Nutshell. Building growth software, wrangling beagles 🐶",
    "urls": [{"url": "https://app.nutshell.com/person/3-andy-fowler", "type": "record"}],
}
NUTSHELL_ITSELF = {
    "id": "3-accounts",
    "name": "Nutshell",
    "description": "The friendly company behind the screens you\u2019re using right now",
    "addresses": [ANN_ARBOR],
    "urls": [{"url": "https://app.nutshell.com/company/3-nutshell", "type": "record"}],
}
FIRST = {
    "id": "1003-leads",
    "name": "Your first lead",
    "amount": 0,
    "currency": "USD",
    "pipeline": {"id": "1-stagesets"},
    "stage": {"id": "101-stages"},
    "status": "open",
    "company": {"id": "3-accounts"},
    "contact": {"id": "3-contacts"},
    "owner": {"id": "1-users"},
    "urls": [{"url": "https://app.nutshell.com/lead/1000", "type": "record"}],
    "created_at": "2025-08-13T19:26:59Z",
}
# By the specification, of which no recording is known.
RITA = {
    "id": "1-users",
    "name": "Rita Book",
    "firstName": "Rita",
    "emails": ["rita@example.com"],
    "isEnabled": True,
    "modifiedTime": BEGIN,
}
STAGE = {"id": "101-stages", "name": "Qualify", "links": {"stageset": "1-stagesets"}}
STAGESET = {"id": "1-stagesets", "name": "Sales"}


def recorded(name: str) -> Any:
    return document(f"fixtures/nutshell/{name}.json")["response"]["body"]


class TestObjects:
    @pytest.mark.parametrize(
        ("resource", "key", "name", "item"),
        [
            (CONTACTS, "contacts", "contact_record", ANDY),
            (COMPANIES, "accounts", "account_record_with_address", NUTSHELL_ITSELF),
        ],
    )
    @pytest.mark.parametrize("bare", [False, True])
    def test_the_recorded_one_is_read_in_one_request(
        self, resource: Any, key: str, name: str, item: dict[str, Any], bare: bool
    ) -> None:
        body = recorded(name)
        partner = script(ok(body) if bare else envelope(body, key=key))
        answer = partner.hold(NUTSHELL.get(resource, item["id"]))
        [request] = partner.requests
        assert (request.method, request.path, dict(request.query)) == ("GET", f"/rest/{key}/{item['id']}", {})
        assert (answer.item, answer.partial) == (item, False)

    def test_the_recorded_answer_to_a_create_is_read(self) -> None:
        assert NUTSHELL.item(COMPANIES, recorded("account_create")) == {
            "id": "23-accounts",
            "name": "Blueberry",
            "owner": {"id": "1-users"},
            "urls": [{"url": "https://app.nutshell.com/company/23-blueberry", "type": "record"}],
        }

    def test_a_lead_is_the_deal(self) -> None:
        partner = script(envelope(RECORDED | {"links": {**RECORDED["links"], "sources": ["7-sources"]}}))
        assert partner.hold(NUTSHELL.get(DEALS, "1003-leads")).item == FIRST
        assert [request.path for request in partner.requests] == ["/rest/leads/1003-leads"]

    def test_a_deal_that_was_won_tells_when_and_for_how_much(self) -> None:
        won = record(
            status="won",
            value={"amount": "12500.50", "currency": "GBP", "formatted": "£12,500.50"},
            closedTime={"timestamp": BEGIN, "value": "Yesterday"},
            anticipatedClosedTime={"timestamp": BEGIN + 10**6, "value": "Soon"},
            confidence=100,
        )
        item = NUTSHELL.item(DEALS, won)
        assert (item["status"], item["amount"], item["currency"]) == ("won", 12500.5, "GBP")
        assert (item["close_date"], item["closed_at"]) == ("2025-08-13", "2025-08-13T19:26:59Z")
        assert item["probability"] == 100

    @pytest.mark.parametrize("told", [{"timestamp": BEGIN}, BEGIN, "2025-08-13", "2025-08-13T19:26:59Z"])
    def test_the_day_on_which_a_deal_will_close_is_read_in_every_form(self, told: Any) -> None:
        item = NUTSHELL.item(DEALS, record(closedTime=None, anticipatedClosedTime=told))
        assert (item["close_date"], "closed_at" in item) == ("2025-08-13", False)

    @pytest.mark.parametrize("status", ["cancelled", 12, None, {}])
    def test_a_status_that_we_have_no_word_for_is_left_out(self, status: Any) -> None:
        assert "status" not in NUTSHELL.item(DEALS, record(status=status))

    def test_names_are_told_as_far_as_the_answer_holds_the_records(self) -> None:
        beside: dict[str, Any] = {
            "accounts": [{"id": "3-accounts", "name": "Nutshell"}],
            "contacts": [{"id": "7-contacts", "name": "Someone"}, {"id": "3-contacts", "name": "Andy Fowler"}],
            "owners": [RITA],
            "stages": [STAGE],
            "stagesets": [STAGESET],
        }
        item = script(envelope(RECORDED, **beside)).hold(NUTSHELL.get(DEALS, "1003-leads")).item
        assert item == FIRST | {
            "company": {"id": "3-accounts", "name": "Nutshell"},
            "contact": {"id": "3-contacts", "name": "Andy Fowler"},
            "owner": {"id": "1-users", "name": "Rita Book", "email": "rita@example.com"},
            "stage": {"id": "101-stages", "name": "Qualify"},
            "pipeline": {"id": "1-stagesets", "name": "Sales"},
        }

    def test_a_company_tells_its_size(self) -> None:
        body = {"id": "3-accounts", "employeeCount": 12, "revenue": {"amount": "8675309.00"}}
        item = {"id": "3-accounts", "number_of_employees": 12, "annual_revenue": 8675309}
        assert NUTSHELL.item(COMPANIES, body) == item

    def test_a_user_is_read_in_one_request(self) -> None:
        partner = script(envelope(RITA, key="users"))
        assert partner.hold(NUTSHELL.get(USERS, "1-users")).item == {
            "id": "1-users",
            "name": "Rita Book",
            "first_name": "Rita",
            "email": "rita@example.com",
            "active": True,
            "updated_at": "2025-08-13T19:26:59Z",
        }
        assert [request.path for request in partner.requests] == ["/rest/users/1-users"]

    @pytest.mark.parametrize("emails", [["a@b.c"], [{"value": "a@b.c", "isPrimary": True}]])
    def test_the_address_of_a_user_is_a_text_or_an_object(self, emails: Any) -> None:
        assert NUTSHELL.item(USERS, RITA | {"emails": emails})["email"] == "a@b.c"

    @pytest.mark.parametrize(
        ("value", "phone"),
        [
            ("123-456-7890", {"number": "123-456-7890"}),
            ({"countryCode": "1", "number": "7341234567"}, {"number": "7341234567"}),
            (
                {"number": "7341234567", "E164": "+17341234567", "countryCodeAndNumber": "+1 734-123-4567"}
                | {"extension": "12", "numberFormatted": "734-123-4567"},
                {"number": "+1 734-123-4567", "extension": "12"},
            ),
            ({"extension": "12"}, None),
            (None, None),
        ],
    )
    def test_a_number_is_a_text_or_parts(self, value: Any, phone: Any) -> None:
        for resource in (CONTACTS, COMPANIES):
            told = resource.table.into({"phones": [{"name": "office", "value": value}]})
            assert told == ({"phones": [{**phone, "type": "office"}]} if phone else {})

    def test_a_number_is_written_as_each_kind_of_record_is_shown_to_take_it(self) -> None:
        item = {"phones": [{"number": "1", "type": "work", "extension": "2"}]}
        parts, rest = CONTACTS.table.out(item)
        assert (parts, rest) == ({"phones": [{"name": "work", "value": {"number": "1", "extension": "2"}}]}, [])
        line, rest = COMPANIES.table.out(item)
        assert (line, rest) == ({"phones": [{"name": "work", "value": "1"}]}, ["phones[0].extension"])

    @pytest.mark.parametrize(
        ("urls", "site"),
        [
            (["@nutshell"], None),
            (["@nutshell", "http://www.nutshell.com"], "http://www.nutshell.com"),
            ([None, {}], None),
            ("http://", None),
        ],
    )
    def test_a_name_at_another_place_is_no_website(self, urls: Any, site: str | None) -> None:
        listed = [{"value": each} for each in urls] if isinstance(urls, list) else urls
        assert COMPANIES.table.into({"urls": listed}).get("website") == site

    def test_of_several_websites_the_primary_one_is_told(self) -> None:
        urls = [{"value": "http://a"}, {"value": "http://b", "isPrimary": True}]
        assert COMPANIES.table.into({"urls": urls})["website"] == "http://b"

    def test_the_company_that_the_rows_make_is_the_one_that_the_vendor_shows(self) -> None:
        shown = document("fixtures/nutshell/doc_account_create_request.json")["request"]
        item = {
            "website": "http://www.nutshell.com",
            "phones": [{"number": "123-456-7890"}],
            "addresses": [{"street_1": "123 Main St", "city": "Ann Arbor", "state": "MI"}],
            "custom_fields": {"Favorite Number": 12},
        }
        record, ignored = COMPANIES.table.out(item)
        request = NUTSHELL.making(COMPANIES, record)
        emails = {"emails": shown["body"]["accounts"][0]["emails"]}
        assert (request.path, ignored) == (shown["path"], [])
        assert request.json == {"accounts": [{**record}]}
        assert record | emails == shown["body"]["accounts"][0]

    ROOM: ClassVar = {
        "description": "Says much.",
        "owner": {"id": "1-users"},
        "addresses": [{k: v for k, v in ANN_ARBOR.items() if k != "street_2"}],
        "phones": [{"number": "1", "type": "work"}],
    }

    @pytest.mark.parametrize(
        ("resource", "item"),
        [
            (CONTACTS, {**ROOM, "name": "Andy", "emails": ANDY["emails"], "company": {"id": "3-accounts"}}),
            (COMPANIES, {**ROOM, "name": "Nutshell", "website": "http://www.nutshell.com"}),
            (
                DEALS,
                {
                    "name": "Engine",
                    "amount": 12500.5,
                    "company": {"id": "3-accounts"},
                    "contact": {"id": "3-contacts"},
                    "owner": {"id": "1-users"},
                },
            ),
        ],
    )
    def test_the_rows_go_both_ways(self, resource: Any, item: dict[str, Any]) -> None:
        columns, ignored = resource.table.out(item)
        assert (resource.table.into(columns), ignored) == (item, [])

    def test_the_sum_of_a_deal_is_sent_as_a_text(self) -> None:
        assert DEALS.table.out({"amount": 999.99})[0] == {"manualValue": "999.99"}


EACH = pytest.mark.parametrize(
    ("resource", "key"), [(CONTACTS, "contacts"), (COMPANIES, "accounts"), (DEALS, "leads"), (USERS, "users")]
)


class TestNoObject:
    @EACH
    def test_refusals_are_told_apart(self, resource: Any, key: str) -> None:
        page = document("fixtures/nutshell/error_404_html.json")["response"]["body"]
        for answer, kind in (
            (Response(404, {}, page, readable=False), Kind.CRM_NOT_FOUND),
            (Response(403, {}, None), Kind.CRM_FORBIDDEN),
            (envelope(key=key), Kind.CRM_NOT_FOUND),
            (envelope({"id": f"7-{key}", "deletedTime": BEGIN}, key=key), Kind.CRM_NOT_FOUND),
        ):
            told = problem(lambda answer=answer: script(answer).hold(NUTSHELL.get(resource, f"7-{key}")))
            assert told.kind is kind

    @EACH
    @pytest.mark.parametrize("id", ["7-notes", "7-contacts,9-contacts", "list", "", "7/customfields"])
    def test_what_is_no_id_is_asked_for_nowhere(self, resource: Any, key: str, id: str) -> None:
        assert problem(lambda: script().hold(NUTSHELL.get(resource, id))).kind is Kind.CRM_BAD_ID


class TestRelated:
    def related(self, item: dict[str, Any], name: str, other: Any, *replies: Response) -> tuple[Any, list[str]]:
        partner = script(*replies)
        found = partner.hold(NUTSHELL.related(DEALS, Answer(item, {}), name, other))
        return found and found.item, [request.path for request in partner.requests]

    @pytest.mark.parametrize(
        ("name", "other", "key"), [("company", COMPANIES, "accounts"), ("contact", CONTACTS, "contacts")]
    )
    def test_what_a_deal_links_takes_one_request(self, name: str, other: Any, key: str) -> None:
        found = self.related(FIRST, name, other, envelope({"id": f"3-{key}", "name": "x"}, key=key))
        assert found == ({"id": f"3-{key}", "name": "x"}, [f"/rest/{key}/3-{key}"])

    def test_the_stage_and_the_pipeline_take_one_request_each(self) -> None:
        stage = {"id": "101-stages", "name": "Qualify", "pipeline": {"id": "1-stagesets"}}
        assert self.related(FIRST, "stage", STAGES, envelope(STAGE, key="stages")) == (stage, ["/rest/stages"])
        answer = envelope({"id": "5-stagesets"}, STAGESET, key="stageSets")
        pipeline = {"id": "1-stagesets", "name": "Sales", "entity": "opportunity"}
        assert self.related(FIRST, "pipeline", PIPELINES, answer) == (pipeline, ["/rest/stagesets"])
        assert self.related(FIRST, "pipeline", PIPELINES, envelope(key="stagesets"))[0] is None

    def test_what_is_not_linked_is_not_asked_for(self) -> None:
        assert self.related({"id": "1-leads"}, "pipeline", PIPELINES) == (None, [])
        assert self.related({"id": "1-leads"}, "owner", USERS) == (None, [])

    def test_a_team_that_owns_a_record_is_no_user(self) -> None:
        assert self.related({"id": "1-leads", "owner": {"id": "3-teams"}}, "owner", USERS) == (None, [])


class TestSources:
    def test_the_names_of_all_sources_are_looked_up_at_once(self) -> None:
        leads = [
            record(n, links=RECORDED["links"] | {"sources": sources})
            for n, sources in ((3, ["7-sources", "3-sources"]), (7, []), (11, ["9-sources"]))
        ]
        sources = [{"id": "3-sources", "name": "Web"}, {"id": "7-sources", "name": "Referral"}]
        partner = script(envelope(*leads), envelope(*sources, key="sources"))
        page = partner.hold(NUTSHELL.list(LEADS, limit=5))
        assert [answer.item.get("lead_source") for answer in page.answers] == ["Referral", None, None]
        assert [answer.raw for answer in page.answers] == leads
        assert [request.path for request in partner.requests] == ["/rest/leads", "/rest/sources"]

    @pytest.mark.parametrize(
        "failure", [Response(403, {}, None), Response(500, {}, None), Problem(Kind.CRM_TIMEOUT, "late")], ids=repr
    )
    def test_a_lead_is_told_without_the_name_of_its_source_where_that_cannot_be_read(
        self, failure: Response | Problem
    ) -> None:
        body = record(links=RECORDED["links"] | {"sources": ["7-sources"]})
        answer = script(envelope(body), failure).hold(NUTSHELL.get(LEADS, "1003-leads"))
        assert (answer.item["id"], answer.partial) == ("1003-leads", False)
        assert "lead_source" not in answer.item


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "body", "message"),
        [
            (400, {"errors": [{"title": "Invalid filter", "detail": "No page -1"}]}, "Invalid filter: No page -1"),
            (400, {"errors": [{"title": None, "detail": "No."}]}, "No."),
            (400, "application/json-patch+json is required", "application/json-patch+json is required"),
            (405, "Internal Error", "Internal Error"),
            (500, {"code": 500, "message": "Internal Server Error"}, "Internal Server Error"),
            (409, None, None),
        ],
    )
    def test_the_vendors_words_are_found_in_each_form(self, status: int, body: Any, message: str | None) -> None:
        told = problem(lambda: script(Response(status, {}, body)).hold(NUTSHELL.get(LEADS, "1-leads")))
        assert told.remote
        assert told.remote.message == message

    @pytest.mark.parametrize(("status", "kind"), [(401, Kind.NEEDS_REAUTH), (404, Kind.CRM_NOT_FOUND)])
    def test_a_page_of_html_is_known_by_its_status(self, status: int, kind: Kind) -> None:
        page = Response(status, {}, "<title>An Error Occurred</title>", readable=False)
        assert problem(lambda: script(page).hold(NUTSHELL.get(LEADS, "1-leads"))).kind is kind

    def test_the_field_and_the_request_are_named(self) -> None:
        error = {"title": "No.", "code": 17, "field": "links.owner"}
        response = Response(400, {"x-nutshell-request-id": "r-1"}, {"leads": [], "errors": [error]})
        told = problem(lambda: script(response).hold(NUTSHELL.create(LEADS, CASE.draft())))
        assert told.remote
        assert (told.remote.code, told.remote.request_id, told.outcome) == ("17", "r-1", Outcome.REFUSED)
        assert [fault.field for fault in told.faults] == ["links.owner"]

    def test_a_2xx_with_errors_is_a_refusal(self) -> None:
        answer = envelope(errors=[{"title": "No."}])
        told = problem(lambda: script(answer).hold(NUTSHELL.create(LEADS, CASE.draft())))
        assert (told.kind, told.outcome) == (Kind.CRM_REJECTED, Outcome.REFUSED)

    def test_the_wait_of_a_throttle_is_heeded_should_there_ever_be_one(self) -> None:
        throttle = Response(429, {"retry-after": "7"}, None)
        assert problem(lambda: script(throttle).hold(NUTSHELL.get(LEADS, "1-leads"))).retry_after == 7


class TestOne:
    @pytest.mark.parametrize("bodies", [[], [record(deletedTime="2025-08-14T00:00:00Z")]], ids=["none", "deleted"])
    def test_a_lead_that_was_removed_is_not_found(self, bodies: list[Any]) -> None:
        told = problem(lambda: script(envelope(*bodies)).hold(NUTSHELL.get(LEADS, "1003-leads")))
        assert told.kind is Kind.CRM_NOT_FOUND

    @pytest.mark.parametrize("id", ["1-leads,3-leads", "list", "3-contacts", "3-", "-leads", "", "٣", "3-leads/stages"])
    def test_what_is_not_the_id_of_a_lead_is_asked_for_nowhere(self, id: str) -> None:
        """`GET /rest/leads/list` answers something else, and `3-contacts` would remove the lead of that number."""
        partner = script()
        for talk in (NUTSHELL.get(LEADS, id), NUTSHELL.delete(LEADS, id)):
            with pytest.raises(Problem) as caught:
                partner.hold(talk)
            assert caught.value.kind is Kind.CRM_BAD_ID
        assert partner.requests == []

    @pytest.mark.parametrize("id", ["3-leads", "3"])
    def test_the_type_may_be_left_out(self, id: str) -> None:
        assert next(NUTSHELL.get(LEADS, id)).path == f"/rest/leads/{id}"


STAGESETS = [{"id": "1-stagesets", "name": "Sales"}, {"id": "5-stagesets", "name": "Renewals"}]
STEPS = [
    {"id": "101-stages", "name": "Qualify", "position": 1, "links": {"stageset": "1-stagesets"}},
    {"id": "105-stages", "name": "Renew", "position": 1, "links": [{"stageset": "5-stagesets"}]},
]


class TestPipelines:
    @pytest.mark.parametrize("key", ["stagesets", "stageSets", "stages", None])
    @pytest.mark.parametrize("inner", ["stages", None])
    def test_they_are_read_under_any_key_with_their_stages(self, key: str | None, inner: str | None) -> None:
        answers = [envelope(*told, key=name) if name else ok(told) for told, name in ((STAGESETS, key), (STEPS, inner))]
        page = script(*answers).hold(NUTSHELL.list(PIPELINES, limit=5))
        assert [answer.item for answer in page.answers] == [
            {
                "id": pipeline,
                "name": name,
                "entity": "opportunity",
                "stages": [{"id": stage, "name": step, "pipeline": {"id": pipeline}}],
            }
            for pipeline, name, stage, step in (
                ("1-stagesets", "Sales", "101-stages", "Qualify"),
                ("5-stagesets", "Renewals", "105-stages", "Renew"),
            )
        ]

    def test_records_that_come_along_are_not_taken_for_the_list(self) -> None:
        page = script(ok({"actors": [{"id": "1-users"}], "stages": STEPS})).hold(NUTSHELL.list(STAGES, limit=5))
        assert [answer.item["id"] for answer in page.answers] == ["101-stages", "105-stages"]

    def test_the_links_of_a_stage_are_read_as_recorded_and_as_specified(self) -> None:
        page = script(ok(STEPS)).hold(NUTSHELL.list(STAGES, limit=5))
        assert [answer.item["pipeline"] for answer in page.answers] == [{"id": "1-stagesets"}, {"id": "5-stagesets"}]

    def test_one_is_found_in_the_list_of_all(self) -> None:
        found = script(ok(STEPS)).hold(NUTSHELL.get(STAGES, "105-stages"))
        assert (found.item["name"], found.raw) == ("Renew", STEPS[1])
        assert problem(lambda: script(ok(STEPS)).hold(NUTSHELL.get(STAGES, "7-stages"))).kind is Kind.CRM_NOT_FOUND


@dataclass
class Log:
    """The change log of an instance, of whose bounds the vendor does not say whether they are in it or out.

    events: (number, second, lead, action), oldest first. most: the longest page, whatever is asked for.
    """

    events: list[tuple[int, int, int, str]]
    most: int = 300
    inclusive: bool = True
    silent: frozenset[int] = frozenset()
    """Leads whose records do not come with the events."""

    def answer(self, request: Request) -> Response:
        if request.path != "/rest/events":
            return envelope(*(record(int(id.partition("-")[0])) for id in request.path.split("/")[-1].split(",")))
        query, edge = request.query, 0 if self.inclusive else 1
        assert query["filters[payload][]"] == "leads"
        last = int(query.get("max_id", "999999-events").removesuffix("-events"))
        since, until = int(query["since_time"]), int(query.get("max_time", 10**12))
        found = [
            event for event in self.events[::-1] if since + edge <= event[1] <= until - edge and event[0] <= last - edge
        ][: min(self.most, int(query["limit"]))]
        events = [
            {
                "id": f"{number}-events",
                "createdTime": second,
                "payloadType": "leads",
                "action": action,
                "links": {"payloads": [f"{lead}-leads"]},
            }
            for number, second, lead, action in found
        ]
        told = {lead: record(lead, deletedTime=action == "delete" or None) for _, _, lead, action in found}
        return ok({"events": events, "payloads": [told[lead] for lead in told if lead not in self.silent]})

    def since(self, second: int, limit: int) -> tuple[list[str], int]:
        """The ids of leads that changed since then, page by page, and how many requests that took."""
        partner, cursor, found = Partner(self.answer), None, list[str]()
        for _ in range(500):
            when = datetime.fromtimestamp(second, UTC)
            page = partner.hold(NUTSHELL.list(LEADS, since=when, cursor=cursor, limit=limit))
            assert len(page.answers) <= limit
            found += [answer.item["id"].removesuffix("-leads") for answer in page.answers]
            if page.cursor is None:
                return found, len(partner.requests)
            cursor = json.loads(json.dumps(page.cursor))
            assert "://" not in json.dumps(cursor)
        raise AssertionError("the list does not end")


each_reading = pytest.mark.parametrize("inclusive", [True, False], ids=["inclusive", "exclusive"])


class TestChanges:
    @each_reading
    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_each_lead_comes_once_in_the_order_of_its_last_change(self, inclusive: bool, limit: int) -> None:
        changes = [(1, 3), (1, 7), (2, 11), (2, 3), (5, 15), (9, 7)]
        events = [(4 * n + 3, BEGIN + at, lead, "edit") for n, (at, lead) in enumerate(changes)]
        before = [(1, BEGIN - 1, 99, "create"), (2, BEGIN - 60, 95, "create")]
        found, _ = Log(sorted(before) + events, inclusive=inclusive).since(BEGIN, limit)
        assert found == ["11", "3", "15", "7"]

    @each_reading
    def test_pages_that_are_shorter_than_asked_for_are_walked_to_their_end(self, inclusive: bool) -> None:
        events = [(n, BEGIN + n, n, "create") for n in range(1, 61)]
        found, _ = Log(events, most=20, inclusive=inclusive).since(BEGIN, 25)
        assert found == [str(n) for n in range(1, 61)]

    @each_reading
    def test_a_time_with_too_much_in_it_is_halved(self, inclusive: bool) -> None:
        """A week with many changes: no page of ours takes a walk through all of it."""
        events = [(n, BEGIN + 300 * n, n, "create") for n in range(1, 2001)]
        found, requests = Log(events, most=50, inclusive=inclusive).since(BEGIN, 100)
        assert found == [str(n) for n in range(1, 2001)]
        assert requests < 400

    @each_reading
    def test_a_second_with_too_much_in_it_is_walked_through(self, inclusive: bool) -> None:
        events = [(n, BEGIN + 7, n, "create") for n in range(1, 301)] + [(301, BEGIN + 90, 301, "create")]
        found, _ = Log(events, most=20, inclusive=inclusive).since(BEGIN, 100)
        assert sorted(map(int, found)) == list(range(1, 302))

    def test_an_event_that_bears_an_earlier_time_than_its_neighbours_does_not_end_the_walk(self) -> None:
        events = [(n, BEGIN + n, n, "create") for n in range(1, 10)]
        log = Log([*events, (10, BEGIN - 1, 10, "create"), (11, BEGIN + 11, 11, "create")], most=3)
        assert log.since(BEGIN, 100)[0] == [*(str(n) for n in range(1, 10)), "11"]

    def test_what_was_deleted_is_not_told(self) -> None:
        events = [(3, BEGIN, 3, "create"), (7, BEGIN + 1, 7, "create"), (11, BEGIN + 2, 3, "delete")]
        assert Log(events).since(BEGIN, 5)[0] == ["7"]
        assert Log(events, silent=frozenset({3})).since(BEGIN, 5)[0] == ["7"]

    def test_a_record_that_did_not_come_along_is_asked_for_by_its_id(self) -> None:
        events = [(3, BEGIN, 3, "create"), (7, BEGIN + 1, 7, "edit"), (11, BEGIN + 2, 11, "edit")]
        log = Log(events, silent=frozenset({3, 11}))
        partner = Partner(log.answer)
        page = partner.hold(NUTSHELL.list(LEADS, since=datetime.fromtimestamp(BEGIN, UTC), limit=5))
        assert [answer.item["id"] for answer in page.answers] == ["3-leads", "7-leads", "11-leads"]
        assert partner.requests[-1].path == "/rest/leads/3-leads,11-leads"

    def test_a_record_that_is_there_no_more_is_left_out_and_takes_no_other_with_it(self) -> None:
        log = Log([(n, BEGIN + n, n, "edit") for n in (3, 7, 11)], silent=frozenset({3, 7}))
        lost = Response(404, {}, "<title>Not Found</title>", readable=False)
        partner = Partner(lambda request: lost if "7-leads" in request.path else log.answer(request))
        page = partner.hold(NUTSHELL.list(LEADS, since=datetime.fromtimestamp(BEGIN, UTC), limit=5))
        assert [answer.item["id"] for answer in page.answers] == ["3-leads", "11-leads"]
        tried = [request.path.removeprefix("/rest/leads/") for request in partner.requests[2:]]
        assert tried == ["3-leads,7-leads", "3-leads", "7-leads"]

    def test_a_lead_that_changes_while_the_list_is_read_hides_no_other(self) -> None:
        log = Log([(n, BEGIN + n, n, "create") for n in range(1, 5)])
        partner, since = Partner(log.answer), datetime.fromtimestamp(BEGIN, UTC)
        first = partner.hold(NUTSHELL.list(LEADS, since=since, limit=2))
        log.events += [(5, BEGIN + 9, 1, "edit"), (6, BEGIN + 9, 3, "edit")]
        rest = partner.hold(NUTSHELL.list(LEADS, since=since, cursor=first.cursor, limit=9))
        assert [answer.item["id"] for answer in first.answers] == ["1-leads", "2-leads"]
        assert [answer.item["id"] for answer in rest.answers] == ["4-leads", "1-leads", "3-leads"]


class TestFind:
    DRAFT = CASE.draft({"title": "Your first lead", "contact": {"id": "3-contacts"}})

    @pytest.mark.parametrize(
        ("contacts", "found"),
        [
            (["3-contacts"], "3-leads"),
            (["9-contacts", "3-contacts"], "3-leads"),
            (["9-contacts"], None),
            ([], None),
        ],
    )
    def test_only_a_lead_of_the_same_contact_is_the_one(self, contacts: list[str], found: str | None) -> None:
        body = record(3, links=RECORDED["links"] | {"contacts": contacts})
        event = {"id": "3-events", "createdTime": BEGIN, "action": "create", "links": {"payloads": ["3-leads"]}}
        answers = [ok({"events": [event], "payloads": [body]})] * 2
        made = script(envelope(), *answers).hold(
            NUTSHELL.find(LEADS, self.DRAFT, datetime.fromtimestamp(BEGIN - 5, UTC))
        )
        assert made == found

    def test_the_list_knows_of_it_as_well_whatever_the_zone_of_its_filter_is(self) -> None:
        """How soon the change log tells of a lead is not known."""
        partner = script(envelope(record(3)), ok({"events": [], "payloads": []}))
        made = partner.hold(NUTSHELL.find(LEADS, self.DRAFT, datetime.fromtimestamp(BEGIN - 5, UTC)))
        assert made == "3-leads"
        assert partner.requests[0].path == "/rest/leads"
        assert partner.requests[0].query["filter[createdTime]"] == "2025-08-12T19:26:54 TO 2025-08-15T19:26:54"

    def test_where_the_filter_is_refused_the_change_log_decides(self) -> None:
        event = {"id": "3-events", "createdTime": BEGIN, "action": "create", "links": {"payloads": ["3-leads"]}}
        answers = [ok({"events": [event], "payloads": [record(3)]})] * 2
        refused = Response(400, {}, {"leads": [], "errors": [{"title": "Invalid filter"}]})
        since = datetime.fromtimestamp(BEGIN - 5, UTC)
        assert script(refused, *answers).hold(NUTSHELL.find(LEADS, self.DRAFT, since)) == "3-leads"
        assert problem(lambda: script(Response(503)).hold(NUTSHELL.find(LEADS, self.DRAFT, since)))

    def test_a_lead_that_was_deleted_is_not_the_one(self) -> None:
        partner = script(envelope(record(3, deletedTime="2025-08-14T00:00:00Z")), ok({"events": [], "payloads": []}))
        assert partner.hold(NUTSHELL.find(LEADS, self.DRAFT, datetime.fromtimestamp(BEGIN - 5, UTC))) is None


class TestDeleted:
    SINCE = datetime.fromtimestamp(BEGIN, UTC)

    def answer(self, *seconds: int, previous: str | None = None) -> Response:
        events = [
            {"id": f"{at}-events", "createdTime": at, "action": "delete", "links": {"payloads": [f"{at}-leads"]}}
            for at in seconds
        ]
        return ok({"meta": META | {"previous": previous}, "events": events})

    def test_what_was_deleted_before_is_left_out(self) -> None:
        partner = script(self.answer(BEGIN + 5, BEGIN, BEGIN - 1))
        gone = partner.hold(NUTSHELL.deleted(LEADS, since=self.SINCE))
        assert gone
        assert (gone.ids, gone.cursor) == ([f"{BEGIN + 5}-leads", f"{BEGIN}-leads"], None)
        assert partner.requests[0].query["filter[types]"] == "leads"

    def test_a_log_that_goes_on_is_read_on_by_its_position(self) -> None:
        link = "https://app.nutshell.com/rest/events/deleted?limit=20&max_id=19-events&max_time=1754971251"
        partner = script(self.answer(BEGIN + 5, previous=link), self.answer(BEGIN + 5, previous=link))
        first = partner.hold(NUTSHELL.deleted(LEADS, since=self.SINCE))
        assert first
        assert first.cursor == {"max_id": "19-events"}
        last = partner.hold(NUTSHELL.deleted(LEADS, since=self.SINCE, cursor=first.cursor))
        assert partner.requests[1].query["max_id"] == "19-events"
        assert last
        assert last.cursor is None, "a log that leads to itself ends"


def test_leads_are_listed_by_pages_from_zero() -> None:
    partner = script(envelope(record(3), record(7)), envelope())
    first = partner.hold(NUTSHELL.list(LEADS, limit=2))
    last = partner.hold(NUTSHELL.list(LEADS, cursor=first.cursor, limit=2))
    asked = [(request.query["page[page]"], request.query["page[limit]"]) for request in partner.requests]
    assert asked == [("0", "2"), ("1", "2")]
    assert (last.answers, last.cursor) == ([], None)


@dataclass
class People:
    """The list of contacts, the oldest first; `before` disturbs each request."""

    ids: list[int]
    before: Callable[[], None] = lambda: None
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def answer(self, request: Request) -> Response:
        self.before()
        assert request.path == "/rest/contacts"
        query = dict(request.query)
        self.asked.append(query)
        assert query["sort"] == "createdTime"
        page, size = int(query["page[page]"]), int(query["page[limit]"])
        assert size <= 500
        shown = self.ids[page * size : (page + 1) * size]
        return envelope(*({"id": f"{n}-contacts", "name": str(n), "links": {}} for n in shown), key="contacts")

    def all(self, limit: int, since: datetime | None = None) -> list[int]:
        partner, cursor, found = Partner(self.answer), None, list[int]()
        for _ in range(1000):
            page = partner.hold(NUTSHELL.list(CONTACTS, since=since, cursor=cursor, limit=limit))
            assert len(page.answers) <= limit
            found += [int(each.item["id"].removesuffix("-contacts")) for each in page.answers]
            if page.cursor is None:
                return found
            assert len(json.dumps(page.cursor)) < 600
            cursor = json.loads(json.dumps(page.cursor))
        raise AssertionError("the list does not end")


class TestListOfContacts:
    """All are read from the list, what changed since a moment from the log."""

    EVER = datetime(1970, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize("since", [None, EVER], ids=["all", "since ever"])
    def test_a_page_has_five_hundred_and_the_next_begins_with_its_end(self, since: datetime | None) -> None:
        people = People(list(range(1, 1001)))
        assert people.all(2000, since) == list(range(1, 1001))
        assert [(each["page[page]"], each["page[limit]"]) for each in people.asked] == [
            ("0", "500"),
            ("1", "480"),
            ("2", "470"),
        ]

    @pytest.mark.parametrize("limit", [1, 7, 50, 100, 499])
    @pytest.mark.parametrize("count", [0, 1, 79, 80, 81, 500, 777])
    def test_each_comes_once(self, count: int, limit: int) -> None:
        assert People(list(range(count))).all(limit) == list(range(count))

    @pytest.mark.parametrize("gone", [1, 25, 470])
    @pytest.mark.parametrize("turn", [2, 3])
    def test_those_that_are_deleted_meanwhile_draw_no_other_over_the_edge(self, turn: int, gone: int) -> None:
        people = People(list(range(1400)))

        def delete() -> None:
            if len(people.asked) == turn - 1:
                del people.ids[:gone]

        people.before = delete
        found = people.all(2000)
        assert set(range(1400)) <= set(found)
        assert len(found) == len(set(found))

    def test_where_those_that_were_given_last_are_deleted_the_list_begins_anew(self) -> None:
        people = People(list(range(1500)))

        def delete() -> None:
            if len(people.asked) == 1:
                del people.ids[470:510]

        people.before = delete
        found = people.all(2000)
        assert set(people.ids) <= set(found)

    def test_names_are_told_as_far_as_the_list_holds_the_records_and_are_no_part_of_what_it_gave(self) -> None:
        body = {"id": "3-contacts", "name": "Ada", "links": {"accounts": ["5-accounts"], "owner": "1-users"}}
        beside = {"accounts": [{"id": "5-accounts", "name": "Engines"}], "users": [{"id": "1-users", "name": "Piet"}]}
        [answer] = script(envelope(body, key="contacts", **beside)).hold(NUTSHELL.list(CONTACTS, limit=9)).answers
        read = script(envelope(body, key="contacts", **beside)).hold(NUTSHELL.get(CONTACTS, "3-contacts"))
        assert answer.item == read.item
        assert answer.item["company"] == {"id": "5-accounts", "name": "Engines"}
        assert answer.raw == body

    def test_one_that_is_told_as_deleted_is_gone(self) -> None:
        bodies = [{"id": "3-contacts", "deletedTime": BEGIN}, {"id": "4-contacts"}]
        page = script(envelope(*bodies, key="contacts")).hold(NUTSHELL.list(CONTACTS, limit=9))
        assert ([each.item["id"] for each in page.answers], list(page.gone)) == (["4-contacts"], ["3-contacts"])

    def test_what_changed_is_read_from_the_log(self) -> None:
        def event(number: int, id: int, action: str = "edit") -> dict[str, Any]:
            links = {"payloads": [f"{id}-contacts", "1-leads"]}
            return {"id": f"{number}-events", "createdTime": BEGIN + number, "action": action, "links": links}

        log = {
            "events": [event(15, 4), event(11, 3), event(7, 5, "delete")],
            "payloads": [{"id": "4-contacts", "name": "Ada"}],
        }
        partner = script(ok(log), ok({"events": []}), envelope({"id": "3-contacts", "name": "Bea"}, key="contacts"))
        since = datetime.fromtimestamp(BEGIN, UTC)
        page = partner.hold(NUTSHELL.list(CONTACTS, since=since, limit=2000))
        assert [each.item["name"] for each in page.answers] == ["Bea", "Ada"]
        assert page.cursor is None
        times = {"filters[payload][]": "contacts", "limit": "300", "since_time": str(BEGIN - 1)}
        assert [(each.path, dict(each.query)) for each in partner.requests] == [
            ("/rest/events", times),
            ("/rest/events", times | {"max_id": "7-events"}),
            ("/rest/contacts/3-contacts", {}),
        ]

    def test_many_that_the_log_does_not_bring_along_are_asked_for_in_several_stretches(self) -> None:
        """Whether the log brings records along that are deleted by now, is told nowhere."""
        links = [{"payloads": [f"{n}-contacts"]} for n in range(1, 121)]
        log = {
            "events": [
                {"id": f"{n}-events", "createdTime": BEGIN + n, "action": "edit", "links": each}
                for n, each in enumerate(links, 1)
            ],
            "payloads": [{"id": "1-contacts", "name": "Ada"}],
        }

        def answer(request: Request) -> Response:
            if request.path == "/rest/events":
                return ok({"events": []} if "max_id" in request.query else log)
            named = request.path.removeprefix("/rest/contacts/").split(",")
            return envelope(*({"id": id, "name": "Bea"} for id in named), key="contacts")

        partner, found, cursor = Partner(answer), [], None
        for _ in range(4):
            since = datetime.fromtimestamp(BEGIN, UTC)
            page = partner.hold(NUTSHELL.list(CONTACTS, since=since, cursor=cursor, limit=2000))
            found.append([each.item["id"] for each in page.answers])
            if (cursor := page.cursor) is None:
                break
        assert [len(each) for each in found] == [51, 50, 19]
        assert [id for each in found for id in each] == [f"{n}-contacts" for n in range(1, 121)]
        asked = [each.path.count(",") + 1 for each in partner.requests if each.path.startswith("/rest/contacts/")]
        assert asked == [50, 50, 19]

    def test_who_was_restored_is_not_told_as_deleted(self) -> None:
        """The log of deletions goes on telling of them; the record beside the event makes us ask."""
        events = [
            {"id": f"{n}-events", "createdTime": BEGIN + n, "links": {"payloads": [f"{n}-contacts"]}} for n in (3, 2, 1)
        ]
        beside = [{"id": "3-contacts", "deletedTime": BEGIN + 3}, {"id": "2-contacts"}, {"id": "1-contacts"}]
        lost = Response(404, {}, "<title>Not Found</title>", readable=False)

        def answer(request: Request) -> Response:
            if request.path == "/rest/events/deleted":
                return ok({"meta": META, "events": events, "payloads": beside})
            return envelope({"id": "2-contacts"}, key="contacts") if request.path.endswith("/2-contacts") else lost

        partner = Partner(answer)
        gone = partner.hold(NUTSHELL.deleted(CONTACTS, since=datetime.fromtimestamp(BEGIN, UTC)))
        assert gone
        assert gone.ids == ["3-contacts", "1-contacts"]
        paths = [each.path for each in partner.requests[1:]]
        assert paths == [f"/rest/contacts/{ids}" for ids in ("2-contacts,1-contacts", "2-contacts", "1-contacts")]

    def test_who_was_deleted_is_told_by_the_log_of_deletions(self) -> None:
        events = [
            {"id": f"{n}-events", "createdTime": BEGIN + n, "links": {"payloads": [f"{n}-contacts"]}}
            for n in (9, 0, -1)
        ]
        partner = script(ok({"meta": META | {"previous": None}, "events": events}))
        gone = partner.hold(NUTSHELL.deleted(CONTACTS, since=datetime.fromtimestamp(BEGIN, UTC)))
        assert gone
        assert (gone.ids, gone.cursor) == (["9-contacts", "0-contacts"], None)
        assert dict(partner.requests[0].query) == {"filter[types]": "contacts", "sort": "-change_time"}
        assert CONTACTS.deletions == "listed"
        assert script().hold(NUTSHELL.deleted(COMPANIES, since=datetime.fromtimestamp(BEGIN, UTC))) is None
