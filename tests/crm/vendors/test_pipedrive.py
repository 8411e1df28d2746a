"""What is peculiar to Pipedrive: a removal that says gone and success, ids that are numbers, offsets."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from switchboard.crm.dialect import Answer
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.pipedrive import CRM
from switchboard.crm.wire import Response, dig
from tests.crm.samples import CASES
from tests.crm.shared import document
from tests.crm.voices import minutes
from tests.talk import ok, script

CASE = CASES["pipedrive-leads"]
PIPEDRIVE = CRM.dialect
LEADS = CASE.resource
LEAD = CASE.said.id(1)


class TestIds:
    @pytest.mark.parametrize("field", ["owner", "contact", "account"])
    def test_an_id_goes_out_as_a_number(self, field: str) -> None:
        columns = {"owner": "owner_id", "contact": "person_id", "account": "organization_id"}
        body = CASE.draft({"title": "x", "contact": {"id": "1"}, field: {"id": "25760681"}}).body
        assert body[columns[field]] == 25760681

    @pytest.mark.parametrize("id", ["abc", "1.5", "-1", "٣"])
    def test_an_id_that_is_no_number_is_refused_before_anything_is_sent(self, id: str) -> None:
        with pytest.raises(Problem) as caught:
            CASE.draft({"title": "x", "contact": {"id": id}})
        [fault] = caught.value.faults
        assert (caught.value.kind, fault.field) == (Kind.INVALID, "contact.id")

    @pytest.mark.parametrize("id", ["archived", "search", "1", "1/2", "", "٣"])
    def test_a_word_in_place_of_an_id_is_asked_for_nowhere(self, id: str) -> None:
        """`GET /leads/archived` answers a list."""
        partner = script()
        for talk in (PIPEDRIVE.get(LEADS, id), PIPEDRIVE.delete(LEADS, id)):
            with pytest.raises(Problem) as caught:
                partner.hold(talk)
            assert caught.value.kind is Kind.CRM_BAD_ID


class TestComplaint:
    def test_a_2xx_that_says_no_is_a_refusal(self) -> None:
        with pytest.raises(Problem) as caught:
            script(ok({"success": False, "error": "No."})).hold(PIPEDRIVE.create(LEADS, CASE.draft()))
        assert (caught.value.kind, caught.value.outcome) == (Kind.CRM_REJECTED, Outcome.REFUSED)

    def test_the_wait_of_a_throttle_is_told_by_its_header(self) -> None:
        for headers, seconds in (({"x-ratelimit-reset": "2"}, 2), ({"x-ratelimit-reset": "soon"}, None), ({}, None)):
            with pytest.raises(Problem) as caught:
                script(Response(429, headers, None)).hold(PIPEDRIVE.get(LEADS, LEAD))
            assert caught.value.retry_after == seconds

    def test_the_rate_is_told_where_all_of_it_is(self) -> None:
        headers = {"x-ratelimit-limit": "80", "x-ratelimit-remaining": "79", "x-ratelimit-reset": "2"}
        rate = PIPEDRIVE.rate(Response(200, headers))
        assert rate
        assert (rate.limit, rate.remaining, rate.reset) == (80, 79, 2)
        assert PIPEDRIVE.rate(Response(200, {"x-ratelimit-limit": "80"})) is None


class TestFind:
    @pytest.mark.parametrize(
        ("item", "query"),
        [
            ({"contact": {"id": "1"}}, {"person_id": "1"}),
            ({"account": {"id": "2"}}, {"organization_id": "2"}),
            ({"contact": {"id": "1"}, "account": {"id": "2"}}, {"person_id": "1"}),
        ],
    )
    def test_the_newest_leads_of_the_person_or_organization_are_looked_at(
        self, item: dict[str, Any], query: dict[str, str]
    ) -> None:
        partner = script(ok({"success": True, "data": []}))
        partner.hold(PIPEDRIVE.find(LEADS, CASE.draft({"title": "x"} | item), minutes(0)))
        [request] = partner.requests
        assert request.path == "/api/v1/leads", "a list, not the search, which lags behind"
        assert dict(request.query) == {"limit": "100", "sort": "add_time DESC"} | query


class TestList:
    @pytest.mark.parametrize("pagination", [None, {}, {"more_items_in_collection": False, "next_start": 5}], ids=repr)
    def test_a_list_that_promises_no_more_goes_on_with_what_was_archived_and_ends(self, pagination: Any) -> None:
        body = {"success": True, "data": None, "additional_data": {"pagination": pagination}}
        partner = script(ok(body), ok(body))
        first = partner.hold(PIPEDRIVE.list(LEADS, limit=5))
        last = partner.hold(PIPEDRIVE.list(LEADS, cursor=first.cursor, limit=5))
        assert [request.path for request in partner.requests] == ["/api/v1/leads", "/api/v1/leads/archived"]
        assert (first.answers, last.answers, last.cursor) == ([], [], None)

    def test_a_list_that_promises_more_and_does_not_say_where_does_not_begin_again(self) -> None:
        pagination = {"more_items_in_collection": True}
        body = {"success": True, "data": [{"id": "1"}], "additional_data": {"pagination": pagination}}
        page = script(ok(body)).hold(PIPEDRIVE.list(LEADS, limit=5))
        if page.cursor is not None:
            request = next(PIPEDRIVE.list(LEADS, cursor=page.cursor, limit=5))
            assert request.query["start"].isdecimal()
            assert int(request.query["start"]) > 0

    def test_what_was_archived_is_walked_plainly_and_told_where_it_changed_since(self) -> None:
        """That list has no `updated_since`: sent all the same, it would be ignored and every page be the first one."""
        told = [("a", minutes(9)), ("b", minutes(0)), ("c", minutes(7))]
        full = [{"id": id, "update_time": CASE.said.moment(when)} for id, when in told]
        more = {"more_items_in_collection": True, "start": 0, "limit": 3, "next_start": 3}
        bodies = [([], {}), (full, more), (full[:1], {})]
        partner = script(*(
            ok({"success": True, "data": data, "additional_data": {"pagination": place}}) for data, place in bodies
        ))  # fmt: skip
        cursor: Any = None
        found: list[str] = []
        for _ in bodies:
            page = partner.hold(PIPEDRIVE.list(LEADS, since=minutes(5), cursor=cursor, limit=3))
            cursor, found = page.cursor, [*found, *(answer.item["id"] for answer in page.answers)]
        assert (cursor, found) == (None, ["c", "a", "a"])
        assert "updated_since" in partner.requests[0].query
        assert [dict(request.query) for request in partner.requests[1:]] == [
            {"sort": "add_time ASC", "start": start, "limit": "3"} for start in ("0", "3")
        ]

    def test_a_pipeline_has_its_stages_however_many_there_are(self) -> None:
        """Five hundred come at once; those behind them were once left out."""
        many = [{"id": n, "name": str(n), "pipeline_id": 1} for n in range(500)]
        partner = script(
            ok({"success": True, "data": {"id": 1, "name": "Sales"}}),
            ok({"success": True, "data": many, "additional_data": {"next_cursor": "c2"}}),
            ok({"success": True, "data": [{"id": 500, "name": "last", "pipeline_id": 1}]}),
        )
        answer = partner.hold(PIPEDRIVE.get(CASES["pipedrive-pipelines"].resource, "1"))
        assert len(answer.item["stages"]) == 501
        assert dict(partner.requests[2].query) == {"limit": "500", "cursor": "c2"}


class TestRefusals:
    def problem(self, response: Response) -> Problem:
        with pytest.raises(Problem) as caught:
            script(response).hold(PIPEDRIVE.get(LEADS, LEAD))
        return caught.value

    def test_the_page_of_the_proxy_in_front_is_a_limit_and_no_missing_right(self) -> None:
        problem = self.problem(Response(403, {}, "<html>", readable=False))
        assert problem.kind is Kind.CRM_RATE_LIMITED
        assert problem.retry_after

    def test_a_closed_company_account_is_a_refusal_that_may_end(self) -> None:
        assert self.problem(Response(402, {}, {"success": False})).kind is Kind.CRM_FORBIDDEN

    def test_a_spent_day_is_not_over_in_two_seconds(self) -> None:
        headers = {"x-ratelimit-reset": "2", "x-daily-ratelimit-token-remaining": "0"}
        assert (self.problem(Response(429, headers, {"success": False})).retry_after or 0) > 60
        assert self.problem(Response(429, {"x-ratelimit-reset": "2"}, {"success": False})).retry_after == 2

    def test_a_list_of_a_callers_own_does_not_pass_for_our_envelope(self) -> None:
        with pytest.raises(Problem) as caught:
            CASE.draft({}, {"data": {"title": "x", "person_id": 1}})
        assert caught.value.kind is Kind.MISSING_FIELD


CONTACTS, COMPANIES, DEALS, USERS = (
    CASES[f"pipedrive-{plural}"].resource for plural in ("contacts", "companies", "deals", "users")
)
OBJECTS = {"contacts": CONTACTS, "companies": COMPANIES, "deals": DEALS, "users": USERS}
PATHS = {
    "contacts": "/api/v2/persons/1",
    "companies": "/api/v2/organizations/1",
    "deals": "/api/v2/deals/1",
    "users": "/api/v1/users/1",
}
HASH = CASE.voice.custom


def recorded(name: str, path: str = "response.body") -> Any:
    """A part of a recorded exchange."""
    return dig(document(f"fixtures/pipedrive/{name}.json"), path)


def problem(talk: Any, *replies: Response) -> Problem:
    with pytest.raises(Problem) as caught:
        script(*replies).hold(talk)
    return caught.value


class TestRecorded:
    @pytest.mark.parametrize("name", ["person.get-v2.200", "person.create-v2.200", "person.update-v2.200"])
    def test_a_contact(self, name: str) -> None:
        assert PIPEDRIVE.item(CONTACTS, recorded(name)) == {
            "id": "1",
            "name": "Person Name",
            "first_name": "Person",
            "last_name": "Name",
            "title": "Manager",
            "emails": [{"email": "email1@email.com", "type": "work"}, {"email": "email2@email.com", "type": "home"}],
            "phones": [{"number": "12345", "type": "work"}, {"number": "54321", "type": "home"}],
            "addresses": [
                {
                    "street_1": "123 Main St",
                    "street_2": "Apt 1",
                    "city": "Sunnyvale",
                    "state": "CA",
                    "postal_code": "94085",
                    "country": "USA",
                }
            ],
            "description": "Notes from contact sync",
            "company": {"id": "1"},
            "owner": {"id": "1"},
            "created_at": "2021-01-01T00:00:00Z",
            "updated_at": "2021-01-01T00:00:00Z",
        }

    @pytest.mark.parametrize("name", ["organization.get-v2.200", "organization.create-v2.200"])
    def test_a_company(self, name: str) -> None:
        assert PIPEDRIVE.item(COMPANIES, recorded(name)) == {
            "id": "1",
            "name": "Organization Name",
            "addresses": [
                {
                    "street_1": "123 Main St",
                    "street_2": "123A",
                    "city": "Sunnyvale",
                    "state": "CA",
                    "postal_code": "94085",
                    "country": "USA",
                }
            ],
            "owner": {"id": "1"},
            "created_at": "2021-01-01T00:00:00Z",
            "updated_at": "2021-01-01T00:00:00Z",
        }

    def test_a_deal(self) -> None:
        assert PIPEDRIVE.item(DEALS, recorded("deal.get-v2.200")) == {
            "id": "1",
            "name": "Acme Corp - Enterprise License",
            "amount": 25000,
            "currency": "USD",
            "pipeline": {"id": "1"},
            "stage": {"id": "3"},
            "status": "open",
            "probability": 65,
            "company": {"id": "1"},
            "contact": {"id": "1"},
            "owner": {"id": "25760681"},
            "created_at": "2026-05-15T09:55:02Z",
            "updated_at": "2026-05-15T10:16:44Z",
        }

    @pytest.mark.parametrize("name", ["deal.create-v2.200", "deal.update-v2.200"])
    def test_a_deal_that_was_made_or_changed(self, name: str) -> None:
        assert PIPEDRIVE.item(DEALS, recorded(name)) == {
            "id": "1",
            "name": "Deal Title",
            "amount": 200,
            "currency": "USD",
            "pipeline": {"id": "1"},
            "stage": {"id": "1"},
            "status": "open",
            "probability": 90,
            "close_date": "2021-01-01",
            "closed_at": "2021-01-01T00:00:00Z",
            "company": {"id": "1"},
            "contact": {"id": "1"},
            "owner": {"id": "1"},
            "created_at": "2021-01-01T00:00:00Z",
            "updated_at": "2021-01-01T00:00:00Z",
        }

    def test_a_user(self) -> None:
        """v1 writes its times without a zone: they are in UTC."""
        assert PIPEDRIVE.item(USERS, recorded("user.get.200")) == {
            "id": "25760681",
            "name": "Nango",
            "email": "user12@example.com",
            "active": True,
            "created_at": "2026-05-15T09:12:14Z",
            "updated_at": "2026-05-15T09:46:05Z",
        }


class TestObjects:
    @pytest.mark.parametrize("plural", OBJECTS)
    def test_a_read_is_one_request_that_asks_for_the_names_of_labels(self, plural: str) -> None:
        partner = script(ok({"success": True, "data": {"id": 1}}))
        assert partner.hold(PIPEDRIVE.get(OBJECTS[plural], "1")).item == {"id": "1"}
        [request] = partner.requests
        assert (request.method, request.path) == ("GET", PATHS[plural])
        assert dict(request.query) == ({} if plural == "users" else {"include_labels": "true"})

    def test_every_parameter_is_one_of_the_specification(self) -> None:
        paths = document("specs/pipedrive/v2.json")["paths"]
        for resource in (CONTACTS, COMPANIES, DEALS):
            operation = paths[resource.path.removeprefix("/api/v2") + "/{id}"]["get"]
            assert set(PIPEDRIVE.view(resource)) <= {each["name"] for each in operation["parameters"]}

    @pytest.mark.parametrize("labels", [[{"id": 5, "label": "Hot"}], ["Hot"]], ids=["objects", "texts"])
    def test_labels_are_tags_by_their_names(self, labels: Any) -> None:
        for resource in (CONTACTS, COMPANIES, DEALS):
            body = {"success": True, "data": {"id": 1, "label_ids": [5], "labels": labels}}
            assert PIPEDRIVE.item(resource, body)["tags"] == ["Hot"]

    def test_custom_fields_are_told_by_their_hashes(self) -> None:
        told = {HASH: {"value": 7, "currency": "EUR"}, "0" * 40: None, "name": "x"}
        for resource in (CONTACTS, COMPANIES, DEALS):
            body = {"success": True, "data": {"id": 1, "custom_fields": told}}
            assert PIPEDRIVE.item(resource, body)["custom_fields"] == {HASH: {"value": 7, "currency": "EUR"}}

    def test_the_primary_address_is_told_first_and_an_empty_one_is_none(self) -> None:
        ways = [("a@x.example", "home", False), ("", "work", False), ("b@x.example", "work", True)]
        told = [{"value": value, "label": label, "primary": primary} for value, label, primary in ways]
        body = {"success": True, "data": {"id": 1, "emails": told, "phones": [{"value": "", "primary": True}]}}
        assert PIPEDRIVE.item(CONTACTS, body) == {
            "id": "1",
            "emails": [{"email": "b@x.example", "type": "work"}, {"email": "a@x.example", "type": "home"}],
        }

    def test_an_address_that_was_not_understood_is_one_line(self) -> None:
        address = {"value": "12 Dorset Street, London", "country": None, "route": None}
        item = PIPEDRIVE.item(COMPANIES, {"success": True, "data": {"id": 1, "address": address}})
        assert item["addresses"] == [{"street_1": "12 Dorset Street, London"}]

    @pytest.mark.parametrize(
        ("expected", "actual", "day"),
        [("2026-12-31", None, "2026-12-31"), (None, "2026-11-30", "2026-11-30"), (None, None, None)],
    )
    def test_a_deal_that_was_expected_on_no_day_has_the_one_on_which_it_closed(
        self, expected: str | None, actual: str | None, day: str | None
    ) -> None:
        data = {"id": 1, "status": "won", "expected_close_date": expected, "local_close_date": actual}
        assert PIPEDRIVE.item(DEALS, {"success": True, "data": data}).get("close_date") == day

    def test_what_is_not_there_is_not_found(self) -> None:
        for resource in OBJECTS.values():
            for name in ("entity.not-found-v2.404", "user.get.not-found.404"):
                assert problem(PIPEDRIVE.get(resource, "1"), Response(404, {}, recorded(name))).kind is (
                    Kind.CRM_NOT_FOUND
                )

    def test_what_was_removed_is_not_found_though_it_is_told_for_thirty_days(self) -> None:
        for resource in (CONTACTS, COMPANIES, DEALS):
            removed = ok({"success": True, "data": {"id": 1, "is_deleted": True}})
            assert problem(PIPEDRIVE.get(resource, "1"), removed).kind is Kind.CRM_NOT_FOUND

    @pytest.mark.parametrize("name", ["error.no-permission.403", "error.scope-mismatch.403"])
    def test_what_the_user_may_not_see_is_forbidden(self, name: str) -> None:
        for resource in OBJECTS.values():
            answer = Response(403, {}, recorded(name))
            assert problem(PIPEDRIVE.get(resource, "1"), answer).kind is Kind.CRM_FORBIDDEN

    @pytest.mark.parametrize("id", ["me", "search", "archived", "0", "1/2", "1.5", "", "٣", "9" * 20, LEAD])
    def test_a_word_or_an_id_of_a_lead_is_no_id(self, id: str) -> None:
        """`GET /users/me` answers somebody."""
        for resource in OBJECTS.values():
            assert problem(PIPEDRIVE.get(resource, id)).kind is Kind.CRM_BAD_ID


class TestBothWays:
    """What is written is read again as it was."""

    def turned(self, plural: str, item: Record) -> tuple[Record, Record]:
        record, ignored = OBJECTS[plural].table.out(item)
        assert ignored == []
        return record, OBJECTS[plural].table.into(record)

    def test_a_contact(self) -> None:
        item = {
            "name": "Ada Lovelace",
            "emails": [{"email": "a@x.example", "type": "work"}, {"email": "b@x.example", "type": "home"}],
            "phones": [{"number": "2", "type": "primary"}, {"number": "1", "type": "mobile"}],
            "company": {"id": "8"},
            "owner": {"id": "9"},
            "custom_fields": {HASH: "teal"},
        }
        record, back = self.turned("contacts", item)
        assert back == item
        assert [each["primary"] for each in record["emails"]] == [True, False]
        assert (record["org_id"], record["owner_id"], record["custom_fields"]) == (8, 9, {HASH: "teal"})

    def test_the_way_of_the_type_primary_is_the_primary_one(self) -> None:
        phones = [{"number": "1", "type": "work"}, {"number": "2", "type": "primary"}]
        record, back = self.turned("contacts", {"phones": phones})
        assert [each["primary"] for each in record["phones"]] == [False, True]
        assert back == {"phones": phones[::-1]}

    def test_a_company(self) -> None:
        address = {"street_1": "12 Dorset Street", "city": "London", "postal_code": "W1", "country": "United Kingdom"}
        item = {
            "name": "Analytical Engines",
            "addresses": [address],
            "owner": {"id": "9"},
            "custom_fields": {HASH: "teal"},
        }
        record, back = self.turned("companies", item)
        assert back == item
        assert record["address"]["value"] == "12 Dorset Street, London, W1, United Kingdom"

    def test_a_deal(self) -> None:
        item = {
            "name": "Engine no. 2",
            "amount": 12500,
            "currency": "GBP",
            "pipeline": {"id": "1"},
            "stage": {"id": "2"},
            "status": "won",
            "probability": 20,
            "close_date": date(2026, 12, 31),
            "company": {"id": "8"},
            "contact": {"id": "7"},
            "owner": {"id": "9"},
            "custom_fields": {HASH: "teal"},
        }
        record, back = self.turned("deals", item)
        assert back == {**item, "close_date": "2026-12-31"}
        assert (record["person_id"], record["expected_close_date"]) == (7, "2026-12-31")

    def test_what_is_written_is_in_the_specification(self) -> None:
        paths = document("specs/pipedrive/v2.json")["paths"]
        for resource in (CONTACTS, COMPANIES, DEALS):
            schema = paths[resource.path.removeprefix("/api/v2")]["post"]["requestBody"]["content"]["application/json"]
            allowed = set(schema["schema"]["properties"])
            columns = {row.place.columns[0].partition(".")[0] for row in resource.table.rows if not row.read_only}
            assert columns <= allowed

    def test_a_name_that_is_no_hash_is_no_custom_field(self) -> None:
        with pytest.raises(Problem) as caught:
            DEALS.table.out({"custom_fields": {"colour": "teal"}})
        assert caught.value.kind is Kind.INVALID


class TestRelated:
    DEAL = Answer(
        {"id": "1", **{name: {"id": "4"} for name in ("company", "contact", "owner", "stage", "pipeline")}}, {}
    )

    @pytest.mark.parametrize(
        ("name", "plural", "path"),
        [
            ("company", "companies", "/api/v2/organizations/4"),
            ("contact", "contacts", "/api/v2/persons/4"),
            ("owner", "users", "/api/v1/users/4"),
            ("stage", "stages", "/api/v2/stages/4"),
            ("pipeline", "pipelines", "/api/v2/pipelines/4"),
        ],
    )
    def test_each_is_one_request(self, name: str, plural: str, path: str) -> None:
        """Even a pipeline, which comes without its stages here: they are a list of their own."""
        partner = script(ok({"success": True, "data": {"id": 4, "name": "Sales"}}))
        found = partner.hold(PIPEDRIVE.related(DEALS, self.DEAL, name, CASES[f"pipedrive-{plural}"].resource))
        assert found
        assert (found.item["id"], found.item["name"]) == ("4", "Sales")
        assert [request.path for request in partner.requests] == [path]

    @pytest.mark.parametrize(
        "answer", [Response(404, {}, {"success": False}), ok({"success": True, "data": {"id": 4, "is_deleted": True}})]
    )
    def test_one_that_is_gone_is_none(self, answer: Response) -> None:
        for name, plural in (("pipeline", "pipelines"), ("company", "companies")):
            other = CASES[f"pipedrive-{plural}"].resource
            assert script(answer).hold(PIPEDRIVE.related(DEALS, self.DEAL, name, other)) is None

    def test_one_that_is_not_named_costs_no_request(self) -> None:
        other = CASES["pipedrive-pipelines"].resource
        assert script().hold(PIPEDRIVE.related(DEALS, Answer({"id": "1"}, {}), "pipeline", other)) is None


def test_a_pod_is_made_of_these_objects_in_this_order() -> None:
    assert list(CRM.pods.items()) == [("deals", "deals"), ("contacts", "contacts")]


class TestListOfContacts:
    """Persons in the order of their change; the vendor's cursor leads over one second alone."""

    EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)

    def answered(self, *persons: tuple[int, str | None], after: str | None = None) -> Response:
        data = [{"id": id, "name": f"Person {id}", "update_time": at} for id, at in persons]
        return ok({"success": True, "data": data, "additional_data": {"next_cursor": after}})

    def walk(self, *replies: Response, since: datetime | None) -> tuple[list[list[str]], list[dict[str, str]]]:
        """The ids of each page, and what was asked for beside the names of labels and the order."""
        partner = script(*replies)
        pages: list[list[str]] = []
        cursor: Any = None
        while cursor is not None or not pages:
            page = partner.hold(PIPEDRIVE.list(CONTACTS, since=since, cursor=cursor, limit=2000))
            pages.append([answer.item["id"] for answer in page.answers])
            cursor = json.loads(json.dumps(page.cursor))
        common = {"include_labels": "true", "sort_by": "update_time", "limit": "500"}
        for request in partner.requests:
            assert request.path == "/api/v2/persons"
            assert common.items() <= dict(request.query).items()
        return pages, [
            {name: value for name, value in each.query.items() if name not in common} for each in partner.requests
        ]

    @pytest.mark.parametrize("since", [None, EVERYTHING], ids=["all", "since ever"])
    def test_where_everything_is_wanted_those_come_as_well_that_never_changed(self, since: datetime | None) -> None:
        pages, asked = self.walk(
            self.answered((1, None), (2, None), after="c1"),
            self.answered((3, None), (4, "2026-05-01T12:00:00Z"), after="c2"),
            self.answered((4, "2026-05-01T12:00:00Z"), (5, "2026-05-01T12:00:01Z")),
            since=since,
        )
        assert pages == [["1", "2"], ["3", "4"], ["5"]]
        assert asked == [{}, {"cursor": "c1"}, {"updated_since": "2026-05-01T12:00:00Z"}]

    def test_a_page_begins_anew_at_the_last_moment_of_the_one_before(self) -> None:
        pages, asked = self.walk(
            self.answered((1, "2026-05-01T12:05:00Z"), (2, "2026-05-01T12:06:00Z"), after="c1"),
            self.answered((2, "2026-05-01T12:06:00Z"), (3, "2026-05-01T12:07:00Z"), after="c2"),
            self.answered((3, "2026-05-01T12:07:00Z"), (1, "2026-05-01T12:08:00Z")),
            since=datetime(2026, 5, 1, 12, 5, 0, 400_000, tzinfo=UTC),
        )
        assert pages == [["1", "2"], ["3"], ["1"]], "who changed meanwhile comes again"
        moments = ["2026-05-01T12:05:00Z", "2026-05-01T12:06:00Z", "2026-05-01T12:07:00Z"]
        assert asked == [{"updated_since": moment} for moment in moments]

    def test_within_one_second_the_vendors_cursor_leads_on(self) -> None:
        moment = "2026-05-01T12:05:00Z"
        pages, asked = self.walk(
            self.answered((1, moment), (2, moment), after="c1"),
            self.answered((3, moment), (4, moment), after="c2"),
            self.answered((5, moment)),
            since=minutes(5),
        )
        assert pages == [["1", "2"], ["3", "4"], ["5"]]
        assert [each.get("cursor") for each in asked] == [None, "c1", "c2"]
        assert {each["updated_since"] for each in asked} == {moment}

    def test_a_cursor_that_leads_nowhere_ends_the_list(self) -> None:
        moment = "2026-05-01T12:05:00Z"
        pages, _ = self.walk(
            self.answered((1, moment), after="c1"), self.answered((2, moment), after="c1"), since=minutes(5)
        )
        assert pages == [["1"], ["2"]]

    def test_who_was_deleted_is_told_as_gone_should_the_list_hold_such(self) -> None:
        data = [{"id": 1, "is_deleted": True}, {"id": 2, "is_deleted": False}]
        page = script(ok({"success": True, "data": data})).hold(PIPEDRIVE.list(CONTACTS, limit=5))
        assert ([each.item["id"] for each in page.answers], list(page.gone)) == (["2"], ["1"])
        assert CONTACTS.deletions == "swept", "no document says that it does"

    def test_a_list_tells_what_a_read_tells(self) -> None:
        [listed] = script(ok(recorded("persons.list-v2.200"))).hold(PIPEDRIVE.list(CONTACTS, limit=5)).answers
        read = script(ok(recorded("person.get-v2.200"))).hold(PIPEDRIVE.get(CONTACTS, "1"))
        assert listed.item == read.item

    def test_every_parameter_is_one_of_the_specification(self) -> None:
        request = next(PIPEDRIVE.list(CONTACTS, since=minutes(0), limit=5))
        operation = document("specs/pipedrive/v2.json")["paths"]["/persons"]["get"]
        assert set(request.query) <= {each["name"] for each in operation["parameters"]}
