"""What is peculiar to Pipedrive: a removal that says gone and success, ids that are numbers, offsets."""

from typing import Any

import pytest

from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.pipedrive import CRM
from switchboard.crm.wire import Response
from tests.crm.samples import CASES
from tests.crm.voices import minutes
from tests.talk import ok, script

CASE = CASES["pipedrive-leads"]
PIPEDRIVE = CRM.dialect
LEADS = CASE.resource


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

    @pytest.mark.parametrize("id", ["archived", "search", "1/2", "", "٣"])
    def test_a_word_in_place_of_an_id_is_asked_for_nowhere(self, id: str) -> None:
        """`GET /leads/archived` answers a list."""
        partner = script()
        for talk in (PIPEDRIVE.get(LEADS, id), PIPEDRIVE.delete(LEADS, id)):
            with pytest.raises(Problem) as caught:
                partner.hold(talk)
            assert caught.value.kind is Kind.CRM_NOT_FOUND


class TestComplaint:
    def test_a_2xx_that_says_no_is_a_refusal(self) -> None:
        with pytest.raises(Problem) as caught:
            script(ok({"success": False, "error": "No."})).hold(PIPEDRIVE.create(LEADS, CASE.draft()))
        assert (caught.value.kind, caught.value.outcome) == (Kind.CRM_REJECTED, Outcome.REFUSED)

    def test_the_wait_of_a_throttle_is_told_by_its_header(self) -> None:
        for headers, seconds in (({"x-ratelimit-reset": "2"}, 2), ({"x-ratelimit-reset": "soon"}, None), ({}, None)):
            with pytest.raises(Problem) as caught:
                script(Response(429, headers, None)).hold(PIPEDRIVE.get(LEADS, "1"))
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
            script(response).hold(PIPEDRIVE.get(LEADS, "1"))
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
