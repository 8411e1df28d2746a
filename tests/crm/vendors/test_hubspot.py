"""What is peculiar to HubSpot: names of leads, typed associations, a search that ends at 10,000, errors in prose."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors import hubspot
from switchboard.crm.vendors.hubspot import CRM, Linked
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES
from tests.crm.voices import hubspot as voices
from tests.crm.voices import minutes
from tests.talk import Partner, ok, script

CASE = CASES["hubspot-leads"]
HUBSPOT = CRM.dialect
LEADS = CASE.resource
END = 1000
NAMELESS = {"contact": {"id": "7"}, "account": {"id": "8"}}


class TestName:
    """HubSpot refuses a lead without a name; the contract asks for none."""

    def made(self, contact: dict[str, Any], item: dict[str, Any] | None = None) -> tuple[str, list[Request]]:
        partner = script(
            ok({"id": "7", "properties": contact}), ok({"id": "1", "properties": {}}, 201), ok({"id": "1"})
        )
        partner.hold(HUBSPOT.create(LEADS, CASE.draft(item or NAMELESS)))
        [created] = partner.unsafe
        return created.json["properties"]["hs_lead_name"], partner.requests

    @pytest.mark.parametrize(
        ("contact", "name"),
        [
            ({"firstname": "Ada", "lastname": "Lovelace", "email": "ada@example.com"}, "Ada Lovelace"),
            ({"firstname": "Ada", "lastname": None}, "Ada"),
            ({"firstname": "", "lastname": "Lovelace"}, "Lovelace"),
            ({"firstname": None, "lastname": None, "email": "ada@example.com"}, "ada@example.com"),
            ({}, "Contact 7"),
        ],
    )
    def test_a_lead_without_a_title_is_named_after_its_contact(self, contact: dict[str, Any], name: str) -> None:
        told, requests = self.made(contact)
        assert told == name
        assert requests[0].path.endswith("/contacts/7")

    def test_the_rest_of_the_lead_stays_as_it_was(self) -> None:
        draft = CASE.draft(NAMELESS | {"lead_type": "NEW"})
        partner = script(ok({"properties": {"firstname": "Ada"}}), ok({"id": "1"}, 201), ok({"id": "1"}))
        partner.hold(HUBSPOT.create(LEADS, draft))
        [created] = partner.unsafe
        assert created.json["associations"] == draft.body["associations"]
        assert created.json["properties"] == {"hs_lead_type": "NEW", "hs_lead_name": "Ada"}

    @pytest.mark.parametrize("item", [NAMELESS | {"title": "Big deal"}])
    def test_a_title_that_is_given_costs_no_request(self, item: dict[str, Any]) -> None:
        partner = script(ok({"id": "1"}, 201), ok({"id": "1"}))
        partner.hold(HUBSPOT.create(LEADS, CASE.draft(item)))
        assert [request.method for request in partner.requests] == ["POST", "GET"]

    def test_a_contact_that_is_not_there_is_told_before_anything_is_made(self) -> None:
        partner = script(Response(404, {}, {"status": "error", "message": "resource not found"}))
        with pytest.raises(Problem) as caught:
            partner.hold(HUBSPOT.create(LEADS, CASE.draft(NAMELESS)))
        assert caught.value.kind is Kind.CRM_NOT_FOUND
        assert not partner.unsafe

    def test_associations_of_remote_data_without_a_contact_are_never_asked_about(self) -> None:
        """They replace ours; there is no contact `None`."""
        company = {"to": {"id": "8"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 580}]}
        partner = CASE.answers("1")
        try:
            partner.hold(HUBSPOT.create(LEADS, CASE.draft(NAMELESS, {"associations": [company]})))
        except Problem as problem:
            assert problem.kind in (Kind.INVALID, Kind.MISSING_FIELD, Kind.CRM_REJECTED)  # noqa: PT017
        assert not [request for request in partner.requests if "None" in request.path]


class TestAssociations:
    def test_a_contact_and_a_company_are_written_with_their_primary_types(self) -> None:
        body = CASE.draft(NAMELESS | {"title": "x"}).body
        types = {link["to"]["id"]: link["types"][0]["associationTypeId"] for link in body["associations"]}
        assert types == {"7": 578, "8": 580}
        assert "associations" not in body["properties"]

    def test_they_are_read_under_the_plural_of_their_objects(self) -> None:
        body = {"id": "1", "properties": {}, "associations": {"contacts": {"results": [{"id": "7"}, {"id": "9"}]}}}
        assert HUBSPOT.item(LEADS, body) == {"id": "1", "contact": {"id": "7"}}

    def test_a_read_asks_for_them_by_name(self) -> None:
        view = HUBSPOT.view(LEADS, ["favourite_colour", "associations"])
        assert view["associations"] == "contacts,companies"
        assert view["properties"].split(",")[-1] == "favourite_colour"
        assert "id" not in view["properties"].split(",")

    @pytest.mark.parametrize("links", [None, 5, "x", [], [None], [{"types": []}], {"contacts": None}], ids=repr)
    def test_links_of_any_shape_are_read_as_far_as_they_go(self, links: Any) -> None:
        assert Linked("contacts", 578, 608).get({"associations": links}) is None

    def test_custom_fields_that_were_sent_are_read_back(self) -> None:
        partner = CASE.answers("1")
        partner.hold(HUBSPOT.create(LEADS, CASE.draft()))
        assert CASE.voice.custom in partner.requests[-1].query["properties"].split(",")


class TestSearch:
    """Past its end a search is begun anew at the last moment that was seen. Here it ends at 1,000, for our patience."""

    @pytest.fixture(autouse=True)
    def _ends_early(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert hubspot.SEARCH_END == voices.SEARCH_END == 10_000
        monkeypatch.setattr(hubspot, "SEARCH_END", END)
        monkeypatch.setattr(voices, "SEARCH_END", END)

    def body(self, number: int, at: float) -> Any:
        when = CASE.said.moment(minutes(at))
        return {"id": CASE.said.id(number), "properties": {"hs_lastmodifieddate": when}}

    def walk(self, bodies: list[Any], limit: int) -> tuple[list[str], list[Request]]:
        partner = Partner(lambda request: CASE.said.listing(request, bodies))
        cursor: Mapping[str, Any] | None = None
        found: list[str] = []
        for _ in range(2 * len(bodies) // limit + 10):
            page = partner.hold(HUBSPOT.list(LEADS, since=minutes(-1), cursor=cursor, limit=limit))
            found += [answer.item["id"] for answer in page.answers]
            cursor = page.cursor
            if cursor is None:
                return found, partner.requests
        raise AssertionError("the list does not end")

    def test_more_records_than_a_search_gives_are_listed_once(self) -> None:
        bodies = [self.body(n, n / 100) for n in range(END + 450)]
        found, requests = self.walk(bodies, 200)
        assert len(found) == len(set(found)) == len(bodies)
        values = {request.json["filterGroups"][0]["filters"][0]["value"] for request in requests}
        assert len(values) > 2, "every page begins at the last moment of the one before"

    @pytest.mark.parametrize("limit", [150, 170])
    def test_a_page_that_would_reach_past_the_end_is_not_asked_for(self, limit: int) -> None:
        """`after` and `limit` together may not pass the end."""
        bodies = [self.body(n, n / 100) for n in range(END + 450)]
        found, requests = self.walk(bodies, limit)
        assert len(found) == len(set(found)) == len(bodies)
        assert max(int(request.json["after"]) + request.json["limit"] for request in requests) <= END

    def test_records_of_one_moment_on_the_last_page_are_not_repeated(self) -> None:
        last = END - 50
        bodies = [self.body(n, min(n, last) / 100) for n in range(END + 60)]
        found, _ = self.walk(bodies, 200)
        assert len(found) == len(set(found)) == len(bodies)

    def test_records_of_one_moment_on_several_pages_are_not_repeated(self) -> None:
        """An import changes more records at once than a page holds."""
        first = END - 500
        bodies = [self.body(n, min(n, first) / 100) for n in range(END + 60)]
        found, _ = self.walk(bodies, 200)
        assert set(found) == {body["id"] for body in bodies}
        assert len(found) == len(bodies)

    @pytest.mark.parametrize("after", ["x", "", {}, [], -1, 9.5, None], ids=repr)
    def test_a_position_that_cannot_be_read_ends_in_a_page_or_a_problem(self, after: Any) -> None:
        for when in ("2026-05-01T12:00:00Z", None, "soon"):
            body = {"id": "1", "properties": {"hs_lastmodifieddate": when}}
            for position in (after, str(END)):
                partner = script(ok({"results": [body], "paging": {"next": {"after": position}}}))
                try:
                    page = partner.hold(HUBSPOT.list(LEADS, since=minutes(0), limit=5))
                except Problem:
                    continue
                assert [answer.item["id"] for answer in page.answers] == ["1"]

    def test_the_window_is_told_in_milliseconds(self) -> None:
        request = next(HUBSPOT.list(LEADS, since=datetime.fromisoformat("2026-05-01T12:00:00.120Z"), limit=5))
        [condition] = request.json["filterGroups"][0]["filters"]
        assert condition == {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1777636800120"}


class TestFind:
    """The leads of a contact are read from its associations: the search index lags behind writes."""

    def test_all_of_a_contacts_leads_are_read_a_hundred_at_a_time(self) -> None:
        links = [{"toObjectId": n, "associationTypes": []} for n in range(1, 251)]
        partner = script(ok({"results": [*links, *links]}), *[ok({"results": []})] * 3)
        assert partner.hold(HUBSPOT.find(LEADS, CASE.draft(), minutes(0))) is None
        asked = [request.json["inputs"] for request in partner.requests[1:]]
        assert [len(inputs) for inputs in asked] == [100, 100, 50]
        assert {each["id"] for inputs in asked for each in inputs} == {str(n) for n in range(1, 251)}

    def test_associations_are_read_page_by_page(self) -> None:
        first = {"results": [{"toObjectId": 1}, {"toObjectId": 2}], "paging": {"next": {"after": "2"}}}
        partner = script(ok(first), ok({"results": [{"toObjectId": "3"}]}), ok({}))
        assert partner.hold(HUBSPOT.find(LEADS, CASE.draft(), minutes(0))) is None
        assert [each["id"] for each in partner.requests[2].json["inputs"]] == ["1", "2", "3"]

    def test_a_contact_without_leads_costs_no_second_request(self) -> None:
        partner = script(ok({"results": []}))
        assert partner.hold(HUBSPOT.find(LEADS, CASE.draft(), minutes(0))) is None


class TestComplaint:
    @pytest.mark.parametrize("odd", [7, True, "text", {"a": 1}, None], ids=repr)
    def test_an_error_of_any_shape_is_a_complaint(self, odd: Any) -> None:
        for body in (
            {"errors": [{"context": {"propertyName": odd}}]},
            {"context": {"requiredScopes": odd}},
            {"context": {"requiredGranularScopes": odd}},
            {"message": odd, "category": odd, "policyName": odd},
        ):
            complaint = HUBSPOT.complaint(Response(400, {}, body))
            assert complaint
            assert all(len(name) > 1 for name in (*complaint.fields, *complaint.missing_scopes)), "no single letters"

    @pytest.mark.parametrize("odd", [7, ["x"], {"a": 1}, None], ids=repr)
    def test_a_correlation_id_that_is_no_text_is_none(self, odd: Any) -> None:
        assert HUBSPOT.request_id(Response(400, {}, {"correlationId": odd})) is None
        assert HUBSPOT.request_id(Response(400, {}, {"correlationId": "c-1"})) == "c-1"

    @pytest.mark.parametrize("status", [423, 477])
    def test_a_record_that_is_locked_for_a_moment_is_not_refused_for_good(self, status: int) -> None:
        """The vendor's page on errors: wait two seconds or more, and try again."""
        with pytest.raises(Problem) as caught:
            script(Response(status, {"retry-after": "5"}, None)).hold(HUBSPOT.create(LEADS, CASE.draft()))
        assert caught.value.kind in (Kind.CRM_UNAVAILABLE, Kind.CRM_RATE_LIMITED)

    def test_the_rate_is_told_in_whole_seconds(self) -> None:
        names = ("max", "remaining", "interval-milliseconds")
        headers = {
            f"x-hubspot-ratelimit-{name}": figure for name, figure in zip(names, ("110", "7", "10001"), strict=True)
        }
        rate = HUBSPOT.rate(Response(200, headers))
        assert rate
        assert (rate.limit, rate.remaining, rate.reset) == (110, 7, 11)
        assert HUBSPOT.rate(Response(200, headers | {"x-hubspot-ratelimit-max": "²"})) is None
        assert HUBSPOT.rate(Response(200, {})) is None

    @pytest.mark.parametrize("properties", ["text", 7, [1], True, None], ids=repr)
    def test_a_record_whose_properties_are_no_object_is_read_as_far_as_it_goes(self, properties: Any) -> None:
        assert HUBSPOT.item(LEADS, {"id": "1", "properties": properties}) == {"id": "1"}
