"""What is peculiar to Close: a company with a person in it, a search that walks by dates, pipelines read as a list."""

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from switchboard.crm.auth import OAuth2
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors import close
from switchboard.crm.vendors.close import CRM
from switchboard.crm.wire import Request, Response, dig
from tests.crm.samples import CASES, Case
from tests.crm.shared import document
from tests.crm.voices import minutes
from tests.talk import Partner, ok, script

CASE, PIPELINES, STAGES = (CASES[f"close-{plural}"] for plural in ("leads", "pipelines", "stages"))
CONTACTS, COMPANIES, DEALS, USERS = (CASES[f"close-{each}"] for each in ("contacts", "companies", "deals", "users"))
CLOSE = CRM.dialect
LEADS = CASE.resource
FIRST = "lead_9aTFsVklXmPMJZQBx1D11jXIg9ofDDLHBSltkWIK00k"
EMAIL = {"email_addresses": [{"email": "ada@example.com"}]}
ADA = {"first_name": "Ada", "last_name": "Lovelace"}


def recorded(name: str) -> dict[str, Any]:
    return document(f"fixtures/close/{name}.json")


def told(name: str) -> Response:
    response = recorded(name)["response"]
    return Response(response["status"], response["headers"], response["body"])


def problem_of(response: Response) -> Problem:
    with pytest.raises(Problem) as caught:
        script(response).hold(CLOSE.create(LEADS, CASE.draft()))
    return caught.value


class TestName:
    """Close takes a lead without a name; nobody would find it again."""

    @pytest.mark.parametrize(
        ("item", "name"),
        [
            ({"name": "Engines", "title": "Countess"} | ADA | EMAIL, "Engines"),
            ({"title": "Engine no. 2"} | ADA | EMAIL, "Engine no. 2"),
            (ADA | EMAIL, "Ada Lovelace"),
            ({"last_name": "Lovelace"}, "Lovelace"),
            (EMAIL, "ada@example.com"),
        ],
    )
    def test_it_is_the_name_else_the_title_else_the_persons(self, item: dict[str, Any], name: str) -> None:
        assert CASE.draft(item).body["name"] == name

    def test_nothing_to_call_it_by_is_refused(self) -> None:
        with pytest.raises(Problem) as caught:
            CASE.draft({"description": "x", "phone_numbers": [{"number": "+14155551234"}]})
        assert caught.value.kind is Kind.MISSING_FIELD

    @pytest.mark.parametrize(
        "item",
        [{"name": "Engines"}, {"title": "Engines"}, {"name": "x", "title": "Engines"}, ADA | {"title": "Engines"}],
    )
    def test_a_title_reads_as_it_was_given_and_a_lead_without_one_by_its_name(self, item: dict[str, Any]) -> None:
        assert CLOSE.item(LEADS, CASE.draft(item).body)["title"] == "Engines"

    def test_the_recorded_lead_is_called_by_the_title_of_its_first_contact(self) -> None:
        item = CLOSE.item(LEADS, told("lead.get.200").body)
        assert (item["title"], item["first_name"], item["last_name"]) == ("VP of Engineering", "Alice", "Johnson")
        assert CLOSE.item(LEADS, told("lead.create.200").body)["title"] == "Nango Test Lead"


class TestContact:
    def test_the_person_is_the_one_contact_in_the_lead(self) -> None:
        phone = {"number": "+14155551234", "type": "mobile"}
        [contact] = CASE.draft({"name": "Engines", "title": "Countess", "phone_numbers": [phone]} | ADA | EMAIL).body[
            "contacts"
        ]
        assert contact == {
            "name": "Ada Lovelace",
            "title": "Countess",
            "emails": [{"email": "ada@example.com", "type": "office"}],
            "phones": [{"phone": "+14155551234", "type": "mobile"}],
        }

    @pytest.mark.parametrize("item", [{"name": "Engines"}, {"title": "Engines"}, {"name": "x", "email_addresses": []}])
    def test_a_company_alone_has_no_contact_made_up_for_it(self, item: dict[str, Any]) -> None:
        assert "contacts" not in CASE.draft(item).body

    @pytest.mark.parametrize(
        ("name", "first", "last"),
        [("Ludwig  van Beethoven", "Ludwig", "van Beethoven"), ("Gob", "Gob", None), ("", None, None), (7, None, None)],
    )
    def test_one_name_is_split_behind_its_first_word(self, name: Any, first: str | None, last: str | None) -> None:
        item = CLOSE.item(LEADS, {"id": "1", "contacts": [{"name": name}, {"name": "Another One"}]})
        assert (item.get("first_name"), item.get("last_name")) == (first, last)

    def test_a_type_that_close_lacks_is_named_and_its_value_sent(self) -> None:
        given = [{"email": "a@example.com", "type": "billing"}, {"email": "b@example.com", "type": "home"}]
        draft = CASE.draft({"name": "x", "email_addresses": given})
        assert draft.ignored == ("email_addresses[0].type",)
        assert draft.body["contacts"][0]["emails"] == [
            {"email": "a@example.com", "type": "office"},
            {"email": "b@example.com", "type": "home"},
        ]

    def test_what_the_vendor_wrote_in_its_own_way_is_told(self) -> None:
        item = CLOSE.item(LEADS, told("lead.get.200").body)
        assert item["email_addresses"] == [{"email": "alice@acme.com", "type": "work"}]
        assert item["phone_numbers"] == [{"number": "+14155551234", "type": "work"}]
        [address] = item["addresses"]
        assert address["street_1"] == "123 Main St"
        assert "street_2" not in address, "an empty line is none"


class TestLead:
    def test_the_lead_we_create_is_the_one_that_was_recorded(self) -> None:
        asked, given = recorded("lead.create.200")["request"], recorded("lead.create.200")["request"]["body"]
        item = {"name": given["name"], "description": given["description"], "website": given["url"]}
        partner = script(told("lead.create.200"))
        answer = partner.hold(CLOSE.create(LEADS, CASE.draft(item | {"status": given["status_id"]})))
        [request] = partner.requests
        assert (request.method, request.path, request.json) == (asked["method"], asked["path"], given)
        assert answer.item == {
            "id": FIRST,
            "title": "Nango Test Lead",
            "status": "Potential",
            "urls": [
                {"url": f"https://app.close.com/lead/{FIRST}/", "type": "record"},
                {"url": "https://example.com", "type": "website"},
            ],
            "created_at": "2026-06-19T12:05:28.327Z",
            "updated_at": "2026-06-19T12:05:28.327Z",
        }

    def test_a_status_is_an_id_or_a_label_and_never_both(self) -> None:
        for status, column in (("stat_x", "status_id"), ("Potential", "status")):
            body = CASE.draft({"name": "x", "status": status}).body
            assert {name for name in body if name.startswith("status")} == {column}
            assert body[column] == status

    def test_nothing_is_sent_that_close_would_pass_over(self) -> None:
        draft = CASE.draft()
        known = {"name", "url", "description", "status", "contacts", "addresses", CASE.voice.custom}
        assert set(draft.body) == known
        assert {"owner", "contact", "account", "lead_source", "industry"} <= set(draft.ignored)

    @pytest.mark.parametrize("plural", ["leads", "pipelines", "stages"])
    def test_every_path_ends_with_a_slash_and_is_in_the_specification(self, plural: str) -> None:
        case, spec = CASES[f"close-{plural}"], document("specs/close/close-crm.json")
        partner = Partner(lambda _: ok({"id": "x", "data": [{"id": "x", "statuses": [{"id": "x"}]}]}))
        for talk in (CLOSE.create(case.resource, case.draft()), CLOSE.get(case.resource, "x")):
            partner.hold(talk)
        partner.hold(CLOSE.delete(case.resource, "x"))
        assert len(partner.unsafe) == 1
        for request in partner.requests:
            path = re.sub(r"/x/$", "/{id}/", request.path.removeprefix("/api/v1"))
            assert request.method.lower() in spec["paths"][path]


def of(number: int, at: float) -> dict[str, Any]:
    moment = minutes(at).isoformat()
    return {"id": f"lead_{number}", "name": "x", "date_created": moment, "date_updated": moment}


class Search:
    """Advanced Filtering: a filter and a cursor, which leads through the answers to one and the same query."""

    def __init__(self, leads: list[dict[str, Any]]) -> None:
        self.leads = leads
        self.partner = Partner(self.answer)

    def answer(self, request: Request) -> Response:
        assert (request.method, request.path, request.safe) == ("POST", "/api/v1/data/search/", True)
        body = request.json
        [sort] = body["sort"]
        column, since = sort["field"]["field_name"], dig(body, "query.queries.1.condition.on_or_after.value")
        fits = [each for each in self.leads if not since or each[column] >= since]
        fits.sort(key=lambda each: each[column])
        start, end = int(body.get("cursor", "0")), int(body.get("cursor", "0")) + body["_limit"]
        return ok({"data": fits[start:end], "cursor": str(end) if end < len(fits) else None})

    def walk(self, limit: int, since: datetime | None = None) -> list[str]:
        found, cursor = list[str](), None
        for _ in range(100):
            page = self.partner.hold(CLOSE.list(LEADS, since=since, cursor=cursor, limit=limit))
            assert 0 < len(page.answers) <= limit
            found += [each.item["id"] for each in page.answers]
            if (cursor := page.cursor) is None:
                return found
            assert {"from", "seen"} <= set(cursor) <= {"from", "seen", "skip"}, "the vendor's own dies in 30 seconds"
            assert len(cursor["seen"]) <= 100, "each is of 48 characters"
        raise AssertionError("the list does not end")


class TestSearch:
    def test_what_is_asked_for_is_what_the_vendor_shows(self) -> None:
        shown = recorded("search.contacts.request-only")["request"]
        request = next(CLOSE.list(LEADS, since=minutes(0), limit=500))
        assert (request.method, request.path) == (shown["method"], shown["path"])
        kind, condition = request.json["query"]["queries"]
        assert kind == {"type": "object_type", "object_type": "lead"}
        assert set(condition) == set(shown["body"]["query"]["queries"][1])
        assert condition["field"] == request.json["sort"][0]["field"]
        since = {"type": "fixed_utc", "value": "2026-05-01T12:00:00+00:00"}
        assert condition["condition"] == {"type": "moment_range", "on_or_after": since}
        assert request.json["_limit"] == 200

    def test_no_field_is_asked_for_that_a_lead_was_never_seen_to_have(self) -> None:
        assert set(close.FIELDS["lead"]) <= set(told("leads.list.200").body["data"][0])
        places = {name.partition(".")[0] for name in LEADS.table.columns} - {"contact", "status"}
        assert places <= set(close.FIELDS["lead"])

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
    @pytest.mark.parametrize("since", [None, minutes(0)])
    def test_every_lead_is_told_once_also_where_many_have_one_moment(self, limit: int, since: datetime | None) -> None:
        leads = [of(n, at) for n, at in enumerate([0, 0, 0, 0, 1, 2, 2, 2, 3])]
        assert Search(leads).walk(limit, since) == [each["id"] for each in leads]

    @pytest.mark.parametrize("limit", [30, 50, 100, 200])
    def test_a_moment_of_more_leads_than_a_position_has_room_for_is_walked_to_its_end(self, limit: int) -> None:
        leads = [of(n, 0 if n < 450 else n) for n in range(460)]
        assert Search(leads).walk(limit, minutes(0)) == [each["id"] for each in leads]

    def test_leads_that_leave_such_a_moment_meanwhile_hide_no_other(self) -> None:
        search, found, cursor = Search([of(n, 0) for n in range(300)]), set[str](), None
        for turn in range(400):
            page = search.partner.hold(CLOSE.list(LEADS, since=minutes(0), cursor=cursor, limit=40))
            found |= {each.item["id"] for each in page.answers}
            if turn < 20:
                search.leads[turn * 3]["date_updated"] = minutes(turn + 1).isoformat()
            if (cursor := page.cursor) is None:
                break
        assert found == {each["id"] for each in search.leads}

    def test_a_lead_that_changes_meanwhile_hides_no_other(self) -> None:
        search = Search([of(n, n) for n in range(6)])
        page = search.partner.hold(CLOSE.list(LEADS, since=minutes(0), limit=3))
        search.leads[0]["date_updated"] = minutes(9).isoformat()
        rest = search.partner.hold(CLOSE.list(LEADS, since=minutes(0), cursor=page.cursor, limit=9))
        assert [each.item["id"] for each in rest.answers] == ["lead_3", "lead_4", "lead_5", "lead_0"]

    def test_a_plain_list_is_in_the_order_in_which_leads_were_made(self) -> None:
        """By offset it would end at 35,000, and what changes would move under it."""
        request = next(CLOSE.list(LEADS, limit=5))
        assert dig(request.json, "sort.0.field.field_name") == "date_created"
        assert len(request.json["query"]["queries"]) == 1

    def test_a_search_that_only_repeats_itself_ends(self) -> None:
        body = {"data": [of(1, 1)], "cursor": "again"}
        partner = script(*[ok(body)] * 4)
        page = partner.hold(CLOSE.list(LEADS, limit=5))
        assert partner.hold(CLOSE.list(LEADS, cursor=page.cursor, limit=5)).cursor is None


class TestFind:
    def test_a_lost_create_is_looked_for_by_when_it_was_made_and_by_its_name(self) -> None:
        item = {"name": "Engines", "title": "Countess"} | ADA
        made = [
            {**CASE.draft(item | {"name": name}).body, "id": f"lead_{n}", "date_created": minutes(n).isoformat()}
            for n, name in enumerate(["Engines", "Other", "  engines ", "Engines"])
        ]
        search = Search(made)
        assert search.partner.hold(CLOSE.find(LEADS, CASE.draft(item), minutes(1))) == "lead_2"
        assert search.partner.hold(CLOSE.find(LEADS, CASE.draft(item), minutes(4))) is None
        assert not search.partner.unsafe


SALES: dict[str, Any] = {
    "id": "pipe_4RR4Vuxbp8jRIcQEzEzcEJ",
    "name": "Sales",
    "date_created": "2026-06-19T09:22:10.931820",
    "date_updated": "2026-06-19T09:22:10.931820",
    "statuses": [{"id": "stat_1", "label": "Sent", "type": "active"}, {"id": "stat_2", "label": "Won", "type": "won"}],
}
LISTED = ok({"data": [SALES | {"id": "pipe_0", "statuses": []}, SALES]})


class TestPipelines:
    def test_one_is_found_in_the_list_and_says_when_it_was_made_in_utc(self) -> None:
        answer = script(LISTED).hold(CLOSE.get(PIPELINES.resource, SALES["id"]))
        assert answer.raw == SALES
        assert answer.item["created_at"] == "2026-06-19T09:22:10.931Z"
        assert answer.item["entity"] == "opportunity"
        assert answer.item["stages"][1] == {
            "id": "stat_2",
            "name": "Won",
            "status": "won",
            "pipeline": {"id": SALES["id"]},
        }

    def test_one_that_is_not_in_the_list_is_not_there(self) -> None:
        with pytest.raises(Problem) as caught:
            script(LISTED).hold(CLOSE.get(PIPELINES.resource, "pipe_9"))
        assert (caught.value.kind, caught.value.outcome) == (Kind.CRM_NOT_FOUND, Outcome.NOTHING)

    def test_its_stages_begin_active_and_none_are_made_up(self) -> None:
        assert PIPELINES.draft({"name": "x"}).body == {"name": "x"}
        first = [{"label": "New", "type": "active"}]
        assert PIPELINES.draft({"name": "x", "stages": [{"name": "New"}]}).body == {"name": "x", "statuses": first}


class TestStages:
    DRAFT = STAGES.draft({"name": "Won", "pipeline": {"id": SALES["id"]}})

    def test_one_is_made_active_and_read_back_with_its_pipeline_and_place(self) -> None:
        partner = script(ok(SALES["statuses"][1]), LISTED)
        answer = partner.hold(CLOSE.create(STAGES.resource, self.DRAFT))
        [made] = partner.unsafe
        assert made.json == {"type": "active", "label": "Won", "pipeline_id": SALES["id"]}
        pipeline = {"id": SALES["id"], "name": "Sales"}
        assert answer.item == {"id": "stat_2", "name": "Won", "pipeline": pipeline, "position": 1}
        assert answer.raw == SALES["statuses"][1]

    def test_its_pipeline_is_told_where_an_answer_tells_it(self) -> None:
        made = {"id": "stat_9", "label": "Won", "pipeline_id": "pipe_7"}
        answer = script(ok(made), LISTED).hold(CLOSE.create(STAGES.resource, self.DRAFT))
        assert answer.item == {"id": "stat_9", "name": "Won", "pipeline": {"id": "pipe_7"}}

    def test_one_that_the_list_does_not_know_yet_is_told_as_far_as_it_was_answered(self) -> None:
        answer = script(ok({"id": "stat_9", "label": "Won"}), LISTED).hold(CLOSE.create(STAGES.resource, self.DRAFT))
        assert (answer.item, answer.partial) == ({"id": "stat_9", "name": "Won"}, True)

    def test_one_is_removed_without_a_look_at_the_pipelines(self) -> None:
        partner = script(ok({}))
        partner.hold(CLOSE.delete(STAGES.resource, "stat_1"))
        assert [request.path for request in partner.requests] == ["/api/v1/status/opportunity/stat_1/"]


class TestRefusals:
    def test_the_fields_that_were_refused_are_named_however_deep(self) -> None:
        flaw = {"errors": [], "field-errors": {"email": "Invalid."}}
        body = {
            "errors": ["No."],
            "field-errors": {"name": "Bad.", "contacts": {"errors": {"0": {"field-errors": {"emails": [flaw]}}}}},
        }
        problem = problem_of(Response(400, {}, body))
        assert [fault.field for fault in problem.faults] == ["name", "contacts.0.emails.email"]
        assert problem.remote
        assert problem.remote.message == "No.; name: Bad.; contacts.0.emails.email: Invalid."

    def test_the_words_of_the_recorded_refusals_are_kept(self) -> None:
        for name, words in (
            ("lead.create.bad-name-type.400", "name: Value must be of basestring type."),
            ("error.bad-json.400", "The request contains invalid JSON."),
            ("error.rate-limit.old-body.429", "API call count exceeded for this period"),
        ):
            remote = problem_of(told(name)).remote
            assert remote
            assert remote.message == words

    def test_a_limit_of_the_plan_is_a_refusal_that_may_end(self) -> None:
        assert problem_of(Response(402, {}, None)).kind is Kind.CRM_FORBIDDEN

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({"ratelimit": "limit=100, remaining=50, reset=5", "retry-after": "6"}, 5),
            ({"ratelimit": "limit=240; remaining=0; reset=1.2"}, 2),
            ({"retry-after": "3"}, 3),
            ({"ratelimit": "soon"}, None),
            ({}, None),
        ],
    )
    def test_the_wait_is_the_reset_else_the_other_header(self, headers: dict[str, str], seconds: int | None) -> None:
        assert problem_of(Response(429, headers, None)).retry_after == seconds

    def test_the_documented_rate_is_told_and_not_the_other_policy(self) -> None:
        rate = CLOSE.rate(told("users.list.200"))
        assert rate
        assert (rate.limit, rate.remaining, rate.reset) == (240, 239, 2)


class TestAuth:
    def test_a_key_is_the_user_of_an_empty_password(self) -> None:
        assert CRM.auth["api_key"].sign({"api_key": "api_1"}) == {"authorization": "Basic YXBpXzE6"}

    def test_a_refresh_brings_another_refresh_token(self) -> None:
        scheme = CRM.auth["oauth2"]
        assert isinstance(scheme, OAuth2)
        told = {"access_token": "a2", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r2"}
        partner = script(ok(told))
        token = partner.hold(scheme.refresh({"refresh_token": "r1"}, {"client_id": "i", "client_secret": "s"}))
        [request] = partner.requests
        assert (request.path, request.to, request.safe) == ("/oauth2/token/", "token", False)
        assert request.form == {
            "grant_type": "refresh_token",
            "refresh_token": "r1",
            "client_id": "i",
            "client_secret": "s",
        }
        assert (token.access_token, token.refresh_token, token.expires_in) == ("a2", "r2", 3600)


def test_the_moment_of_a_search_is_written_with_its_fraction_and_zone() -> None:
    assert close.written(datetime(2026, 6, 19, 12, 5, 28, 327000, UTC)) == "2026-06-19T12:05:28.327000+00:00"


CONTACT_ID = "cont_WkCG7ujzTYPCoOTUcao7tRUj9TMChmWgeNXimiJT9eJ"
COMPANY_ID = "lead_mELh8FRqV6vRWJ5bgGdx7GpifIkEnoQFHg0hsxmQI1z"
DEAL_ID = "oppo_tXCqBlZiO3lVyPpcZRCleSzK4dNS8nqWOFgj96zQIzS"
USER_ID = "user_2okTTewuL7ni32DGaexRdm8OQ7uyx1IvkkWNmzEr6Wa"
COLOUR = "custom.cf_n37FLavMWyMxjEB4QhS1L5151WXupBeJ0jVqTjldhos"
OBJECTS = pytest.mark.parametrize(
    ("case", "id"),
    [(CONTACTS, CONTACT_ID), (COMPANIES, COMPANY_ID), (DEALS, DEAL_ID), (USERS, USER_ID)],
    ids=["contacts", "companies", "deals", "users"],
)
OWN = {"id": USER_ID, "name": "Nango Developer"}
SALE = {
    "id": "oppo_NC20Ht22ncwU1oUtdjUdONdjgRyUFhGFzEM29aqrrH1",
    "name": "Acme Corp: Test opportunity for delete action",
    "amount": 500,
    "currency": "USD",
    "pipeline": {"id": "pipe_4RR4Vuxbp8jRIcQEzEzcEJ", "name": "Sales"},
    "stage": {"id": "stat_YT79kszvqlYbs5HhEYBEtr0CkZ41Ey0RqXpLaUsr1li", "name": "Demo Completed"},
    "status": "open",
    "probability": 80,
    "description": "Test opportunity for delete action",
    "company": {"id": COMPANY_ID, "name": "Acme Corp"},
    "owner": OWN,
    "created_at": "2026-06-19T12:04:53.517Z",
    "updated_at": "2026-06-19T12:06:03.159Z",
}


class TestObjects:
    """Contacts, companies, deals and users."""

    @pytest.mark.parametrize(
        ("case", "name"),
        [
            (CONTACTS, "contact.get.200"),
            (COMPANIES, "lead.get.200"),
            (DEALS, "opportunity.get.200"),
            (USERS, "user.get.200"),
        ],
        ids=str,
    )
    def test_one_is_read_in_the_one_request_that_was_recorded(self, case: Case, name: str) -> None:
        shown, partner = recorded(name)["request"], script(told(name))
        found = partner.hold(CLOSE.get(case.resource, told(name).body["id"]))
        [request] = partner.requests
        assert (request.method, request.path, request.query) == (shown["method"], shown["path"], shown["query"])
        assert (found.partial, found.raw) == (False, told(name).body)

    def test_a_recorded_contact_is_read(self) -> None:
        assert CLOSE.item(CONTACTS.resource, told("contact.get.200").body) == {
            "id": CONTACT_ID,
            "first_name": "Alice",
            "last_name": "Johnson",
            "name": "Alice Johnson",
            "title": "VP of Engineering",
            "emails": [{"email": "alice@acme.com", "type": "work"}],
            "phones": [{"number": "+14155551234", "type": "work"}],
            "company": {"id": COMPANY_ID},
            "created_at": "2026-06-19T11:04:37.985Z",
            "updated_at": "2026-06-19T11:04:37.985Z",
        }
        assert CLOSE.item(CONTACTS.resource, told("contact.update.200").body)["title"] == "Senior VP Engineering"

    @pytest.mark.parametrize(
        ("name", "parts"),
        [
            ("Ludwig  van Beethoven", ("Ludwig", "van Beethoven")),
            (" Gob ", ("Gob", None)),
            ("", (None, None)),
            (None, (None, None)),
            (7, (None, None)),
        ],
    )
    def test_the_one_name_of_a_contact_is_split_behind_its_first_word(self, name: Any, parts: Any) -> None:
        item = CLOSE.item(CONTACTS.resource, {"name": name, "display_name": "ada@example.com"})
        assert (item.get("first_name"), item.get("last_name")) == parts

    @pytest.mark.parametrize(
        ("item", "name"),
        [
            ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace"),
            ({"last_name": "Lovelace", "first_name": "Ada"}, "Ada Lovelace"),
            ({"first_name": "", "last_name": "Lovelace"}, "Lovelace"),
            ({"first_name": "Ada", "last_name": "Lovelace", "name": "Countess of Lovelace"}, "Countess of Lovelace"),
            ({"first_name": "Ada", "name": ""}, "Ada"),
        ],
    )
    def test_both_names_are_sent_as_the_one_that_a_contact_has(self, item: dict[str, Any], name: str) -> None:
        draft = CONTACTS.draft({**item, "company": {"id": COMPANY_ID}})
        assert (draft.body["name"], draft.ignored) == (name, ())

    def test_the_web_addresses_of_a_contact_are_told(self) -> None:
        told = [{"url": "https://ada.example", "type": "url"}, {"url": None, "type": "url"}, None]
        item = CLOSE.item(CONTACTS.resource, {"id": CONTACT_ID, "urls": told})
        assert item["urls"] == [{"url": "https://ada.example", "type": "url"}]

    def test_a_recorded_lead_is_read_as_the_company_that_it_is(self) -> None:
        assert CLOSE.item(COMPANIES.resource, told("lead.get.200").body) == {
            "id": COMPANY_ID,
            "name": "Acme Corp",
            "website": "https://acme.com",
            "description": "Enterprise software company",
            "addresses": [
                {
                    "street_1": "123 Main St",
                    "city": "San Francisco",
                    "state": "CA",
                    "postal_code": "94105",
                    "country": "US",
                    "type": "office",
                }
            ],
            "urls": [
                {"url": f"https://app.close.com/lead/{COMPANY_ID}/", "type": "record"},
                {"url": "https://acme.com", "type": "website"},
            ],
            "created_at": "2026-06-19T11:04:15.763Z",
            "updated_at": "2026-06-19T12:04:01.697Z",
        }

    def test_a_recorded_deal_is_read(self) -> None:
        assert CLOSE.item(DEALS.resource, told("opportunity.get.200").body) == {
            "id": DEAL_ID,
            "name": "Globex Industries: Logistics integration project",
            "amount": 250,
            "currency": "USD",
            "pipeline": SALE["pipeline"],
            "stage": {"id": "stat_0Qs8BMX4nLGG27jBGPuPJeWG9G07vYGSq9El36wRPWz", "name": "Proposal Sent"},
            "status": "open",
            "probability": 50,
            "description": "Logistics integration project",
            "company": {"id": "lead_7IACfyrFUKx292gsVOhMBXwY7ntFoQuLPvnlOAf3VaW", "name": "Globex Industries"},
            "owner": OWN,
            "created_at": "2026-06-19T11:04:54.421Z",
            "updated_at": "2026-06-19T11:04:54.421Z",
        }
        assert CLOSE.item(DEALS.resource, told("opportunity.update.200").body) == SALE
        assert CLOSE.item(DEALS.resource, told("opportunities.list.200").body["data"][0]) == SALE

    def test_a_recorded_user_is_read(self) -> None:
        user = {
            **OWN,
            "first_name": "Nango",
            "last_name": "Developer",
            "email": "user12@example.com",
            "created_at": "2026-06-19T09:22:10.543Z",
            "updated_at": "2026-06-19T09:23:14.192Z",
        }
        assert CLOSE.item(USERS.resource, told("user.get.200").body) == user
        assert CLOSE.item(USERS.resource, told("users.list.200").body["data"][0]) == user

    def test_what_we_would_make_is_what_was_recorded(self) -> None:
        engineer = {"name": "Test Contact", "title": "Engineer", "emails": [{"email": "test@example.com"}]}
        contact = CONTACTS.draft({**engineer, "company": {"id": COMPANY_ID}})
        assert contact.body == recorded("contact.create.200")["request"]["body"]
        sale = {
            "company": {"id": "lead_aP7BJttwjy4UEimKWDq9JEnNl4Dfmr4cpP1m4H2Pkfe"},
            "contact": {"id": "cont_Rgw5hQGCD6WeTtXBAuTre2MNmWqSvUpvrj1ZusGFBrt"},
            "stage": {"id": "stat_YT79kszvqlYbs5HhEYBEtr0CkZ41Ey0RqXpLaUsr1li"},
            "description": "Test opportunity created by Nango action",
            "amount": 500,
        }
        deal = DEALS.draft(sale, {"value_period": "one_time"})
        assert deal.body == recorded("opportunity.create.200")["request"]["body"]
        made = CLOSE.item(DEALS.resource, told("opportunity.create.200").body)
        assert (made["amount"], made["contact"]["name"]) == (500, "Test Contact")
        status = {"status_id": "stat_o0QX2pdl7g3G8mTEBcQLUrb3xDeFzxZEjoH4ZvBOh61"}
        company = {"name": "Nango Test Lead", "website": "https://example.com"}
        draft = COMPANIES.draft({**company, "description": "Created via Nango dryrun"}, status)
        assert draft.body == recorded("lead.create.200")["request"]["body"]

    @pytest.mark.parametrize("case", [CONTACTS, DEALS], ids=repr)
    def test_nothing_is_made_without_a_company_for_close_would_make_one_up(self, case: Case) -> None:
        with pytest.raises(Problem) as caught:
            case.draft({"description": "x"})
        assert (caught.value.kind, caught.value.faults[0].field) == (Kind.MISSING_FIELD, "company.id")

    @pytest.mark.parametrize(
        ("case", "item"),
        [
            (
                CONTACTS,
                {
                    "name": "Ada Lovelace",
                    "title": "Head of Programmes",
                    "emails": [{"email": "a@b.example", "type": "work"}, {"email": "c@d.example", "type": "home"}],
                    "phones": [{"number": "+14155551234", "type": "mobile"}],
                    "company": {"id": COMPANY_ID},
                    "custom_fields": {COLOUR: "teal"},
                },
            ),
            (
                COMPANIES,
                {
                    "name": "Analytical Engines",
                    "website": "https://engines.example",
                    "description": "Builders.",
                    "addresses": [
                        {"street_1": "12 Dorset Street", "city": "London", "country": "GB", "type": "office"}
                    ],
                    "custom_fields": {COLOUR: "teal"},
                },
            ),
            (
                DEALS,
                {
                    "amount": 12.34,
                    "pipeline": {"id": "pipe_1"},
                    "stage": {"id": "stat_1"},
                    "probability": 60,
                    "description": "One engine.",
                    "company": {"id": COMPANY_ID},
                    "contact": {"id": CONTACT_ID},
                    "owner": {"id": USER_ID},
                    "custom_fields": {COLOUR: "teal"},
                },
            ),
        ],
        ids=repr,
    )
    def test_what_is_written_is_read_again(self, case: Case, item: Any) -> None:
        record, ignored = case.resource.table.out(item)
        back = case.resource.table.into(record)
        assert not ignored
        assert {name: back[name] for name in item} == item

    def test_a_sum_is_sent_in_whole_cents_and_a_day_as_a_day(self) -> None:
        draft = DEALS.draft({"company": {"id": COMPANY_ID}, "amount": 19.99, "close_date": date(2026, 12, 31)})
        assert draft.body == {"lead_id": COMPANY_ID, "value": 1999, "date_won": "2026-12-31"}
        assert type(draft.body["value"]) is int

    @pytest.mark.parametrize(("given", "sent"), [(40, 40), (40.0, 40), (39.6, 40)])
    def test_a_probability_is_sent_in_whole_per_cent(self, given: float, sent: int) -> None:
        body = DEALS.draft({"company": {"id": COMPANY_ID}, "probability": given}).body
        assert (body["confidence"], type(body["confidence"])) == (sent, int)

    @pytest.mark.parametrize(
        ("status", "state", "day", "closed"),
        [
            ("active", "open", "2026-12-31", None),
            ("won", "won", "2026-12-31", "2026-12-31T00:00:00Z"),
            ("lost", "lost", "2026-07-01", "2026-07-01T10:00:00Z"),
        ],
    )
    def test_a_deal_is_closed_when_it_was_won_or_lost_and_expected_to_be_until_then(
        self, status: str, state: str, day: str, closed: str | None
    ) -> None:
        body = {
            "id": DEAL_ID,
            "status_type": status,
            "date_won": "2026-12-31",
            "date_lost": "2026-07-01T10:00:00+00:00",
        }
        item = CLOSE.item(DEALS.resource, body)
        assert (item["status"], item["close_date"], item.get("closed_at")) == (state, day, closed)

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            ({"lead_name": "Acme", "note": "  Engine no. 2\nwith steam"}, "Acme: Engine no. 2"),
            ({"lead_name": "Acme", "note": ""}, "Acme"),
            ({"lead_name": None, "note": "Engine"}, "Engine"),
            ({"lead_name": None, "note": None}, None),
        ],
        ids=repr,
    )
    def test_a_deal_is_called_by_its_company_and_the_first_line_of_its_note(self, body: Any, name: str | None) -> None:
        assert CLOSE.item(DEALS.resource, body).get("name") == name

    @OBJECTS
    def test_a_record_that_is_not_there_is_not_found(self, case: Case, id: str) -> None:
        gone = Response(404, {}, {"error": "No such object."})
        with pytest.raises(Problem) as caught:
            script(gone).hold(CLOSE.get(case.resource, id))
        assert (caught.value.kind, caught.value.outcome) == (Kind.CRM_NOT_FOUND, Outcome.NOTHING)

    @OBJECTS
    @pytest.mark.parametrize("odd", ["me", "merge", "7", "stat_1", "x_1", "", "{id}-x"])
    def test_an_id_of_something_else_is_not_sent(self, case: Case, id: str, odd: str) -> None:
        with pytest.raises(Problem) as caught:
            script().hold(CLOSE.get(case.resource, odd.replace("{id}", id)))
        assert caught.value.kind is Kind.CRM_BAD_ID

    @OBJECTS
    @pytest.mark.parametrize("status", [402, 403])
    def test_what_the_user_or_the_plan_has_no_part_in_is_forbidden(self, case: Case, id: str, status: int) -> None:
        with pytest.raises(Problem) as caught:
            script(Response(status, {}, {"error": "No."})).hold(CLOSE.get(case.resource, id))
        assert caught.value.kind is Kind.CRM_FORBIDDEN

    @pytest.mark.parametrize(
        ("name", "case", "path"),
        [
            ("company", COMPANIES, "/api/v1/lead/lead_7IACfyrFUKx292gsVOhMBXwY7ntFoQuLPvnlOAf3VaW/"),
            ("owner", USERS, f"/api/v1/user/{USER_ID}/"),
        ],
    )
    def test_what_a_deal_names_is_read_by_its_id(self, name: str, case: Case, path: str) -> None:
        deal = script(told("opportunity.get.200")).hold(CLOSE.get(DEALS.resource, DEAL_ID))
        partner = script(ok({"id": path.split("/")[-2]}))
        assert partner.hold(CLOSE.related(DEALS.resource, deal, name, case.resource))
        assert [each.path for each in partner.requests] == [path]

    def test_the_stage_and_the_pipeline_of_a_deal_are_found_in_the_one_list_of_pipelines(self) -> None:
        body = {"id": DEAL_ID, "status_id": "stat_2", "pipeline_id": SALES["id"]}
        deal = script(ok(body)).hold(CLOSE.get(DEALS.resource, DEAL_ID))
        for name, case, id in (("stage", STAGES, "stat_2"), ("pipeline", PIPELINES, SALES["id"])):
            partner = script(LISTED)
            found = partner.hold(CLOSE.related(DEALS.resource, deal, name, case.resource))
            assert found
            assert (found.item["id"], len(partner.requests)) == (id, 1)

    def test_nobody_is_called_the_owner_of_a_company_or_a_contact(self) -> None:
        for case in (COMPANIES, CONTACTS):
            assert case.resource.table.row("owner.id") is None


class TestListOfContacts:
    """Contacts are searched for as leads are; who was deleted stands in the log of events."""

    CONTACTS_ = CONTACTS.resource

    def walk(self, partner: Partner, since: datetime | None) -> list[str]:
        found, cursor = list[str](), None
        for _ in range(20):
            page = partner.hold(CLOSE.list(self.CONTACTS_, since=since, cursor=cursor, limit=2000))
            found += [each.item["id"] for each in page.answers]
            if (cursor := page.cursor) is None:
                return found
            cursor = json.loads(json.dumps(cursor))
        raise AssertionError("the list does not end")

    def test_they_are_searched_for_by_two_hundred_with_every_field_that_a_read_tells(self) -> None:
        request = next(CLOSE.list(self.CONTACTS_, since=datetime(1970, 1, 1, tzinfo=UTC), limit=2000))
        kind, condition = request.json["query"]["queries"]
        assert kind == {"type": "object_type", "object_type": "contact"}
        assert condition["field"] == {
            "type": "regular_field",
            "object_type": "contact",
            "field_name": "date_updated",
        }
        since = {"type": "fixed_utc", "value": "1970-01-01T00:00:00+00:00"}
        assert condition["condition"] == {"type": "moment_range", "on_or_after": since}
        assert request.json["sort"] == [{"direction": "asc", "field": condition["field"]}]
        assert request.json["_limit"] == 200
        assert request.json["_fields"] == {"contact": list(close.FIELDS["contact"])}
        assert set(close.FIELDS["contact"]) - {"custom"} <= set(told("contact.get.200").body)
        assert set(self.CONTACTS_.table.columns) - {"first", "last"} <= set(close.FIELDS["contact"])

    @pytest.mark.parametrize("since", [None, minutes(0)])
    def test_each_page_is_one_call_that_begins_at_the_last_moment_of_the_one_before(
        self, since: datetime | None
    ) -> None:
        search = Search([of(n, at) for n, at in enumerate([*range(500), *[500] * 30, 501])])
        assert self.walk(search.partner, since) == [each["id"] for each in search.leads]
        assert len(search.partner.requests) == 3
        for request in search.partner.requests:
            assert "cursor" not in request.json, "the vendor's own dies in 30 seconds"

    def test_a_list_tells_what_a_read_tells(self) -> None:
        body = told("contact.get.200").body
        found = {name: body[name] for name in close.FIELDS["contact"] if name in body} | {COLOUR: "teal"}
        [listed] = script(ok({"data": [found], "cursor": None})).hold(CLOSE.list(self.CONTACTS_, limit=9)).answers
        read = script(ok(body | {COLOUR: "teal"})).hold(CLOSE.get(self.CONTACTS_, CONTACT_ID))
        assert listed.item == read.item
        assert listed.item["custom_fields"] == {COLOUR: "teal"}

    def gone(self, number: int, at: float) -> dict[str, Any]:
        told = {"object_type": "contact", "action": "deleted", "object_id": f"cont_{number}"}
        return told | {"id": f"ev_{number}", "date_updated": minutes(at).isoformat(), "data": None}

    def test_who_was_deleted_is_told_by_the_log_newest_first_as_far_back_as_wanted(self) -> None:
        assert self.CONTACTS_.deletions == "listed"
        partner = script(
            ok({"data": [self.gone(1, 9), self.gone(2, 8)], "cursor_next": "ev_2", "cursor_previous": None}),
            ok({"data": [self.gone(3, 5), self.gone(4, 4)], "cursor_next": "ev_4"}),
        )
        first = partner.hold(CLOSE.deleted(self.CONTACTS_, since=minutes(10)))
        assert first is not None
        cursor = json.loads(json.dumps(first.cursor))
        last = partner.hold(CLOSE.deleted(self.CONTACTS_, since=minutes(10), cursor=cursor))
        assert last is not None
        assert (first.ids, last.ids, last.cursor) == (["cont_1", "cont_2"], ["cont_3"], None)
        common = {"object_type": "contact", "action": "deleted", "_limit": "50"}
        assert [(each.path, dict(each.query)) for each in partner.requests] == [
            ("/api/v1/event/", common | {"date_updated__gte": "2026-05-01T12:05:00+00:00"}),
            ("/api/v1/event/", common | {"_cursor": "ev_2"}),
        ]

    @pytest.mark.parametrize("following", [None, "", 7, "ev_2"])
    def test_a_log_that_does_not_go_on_ends(self, following: Any) -> None:
        partner = script(ok({"data": [self.gone(2, 8)], "cursor_next": following}))
        gone = partner.hold(CLOSE.deleted(self.CONTACTS_, since=minutes(0), cursor={"after": "ev_2"}))
        assert gone is not None
        assert (gone.ids, gone.cursor) == (["cont_2"], None)

    def test_of_leads_and_companies_no_deletions_are_told(self) -> None:
        for case in (CASE, COMPANIES):
            assert script().hold(CLOSE.deleted(case.resource, since=minutes(0))) is None
