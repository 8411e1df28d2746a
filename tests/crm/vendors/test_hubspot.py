"""What is peculiar to HubSpot: names of leads, typed associations, a search that ends at 10,000, errors in prose."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest

from switchboard.crm.dialect import Answer
from switchboard.crm.paging import OLDEST
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors import hubspot
from switchboard.crm.vendors.hubspot import CRM
from switchboard.crm.vendors.hubspot.rows import Linked
from switchboard.crm.wire import Request, Response, dig
from tests.crm.samples import CASES
from tests.crm.shared import document
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
                return found, [request for request in partner.requests if request.path.endswith("/search")]
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
                partner = script(ok({"results": [body], "paging": {"next": {"after": position}}}), ok({}), ok({}))
                try:
                    page = partner.hold(HUBSPOT.list(LEADS, since=minutes(0), limit=5))
                except Problem:
                    continue
                assert [answer.item["id"] for answer in page.answers] == ["1"]

    def test_the_contacts_and_companies_of_what_is_found_are_read_at_once(self) -> None:
        """A search tells of no associations, whatever it is asked for."""
        bodies = [self.body(n, n) for n in (3, 7, 11)]
        first, second, third = (body["id"] for body in bodies)
        contacts = [
            {"from": {"id": first}, "to": [{"toObjectId": 15}, {"toObjectId": 19}]},
            {"from": {"id": third}, "to": [{"toObjectId": "23"}]},
        ]
        companies = [{"from": {"id": third}, "to": [{"toObjectId": 27}]}]
        partner = script(
            ok({"results": bodies}), ok({"results": contacts}, 207), ok({"results": companies, "errors": [{}]}, 207)
        )
        page = partner.hold(HUBSPOT.list(LEADS, since=minutes(0), limit=5))
        told = [tuple(answer.item.get(name) for name in ("contact", "account")) for answer in page.answers]
        assert told == [({"id": "15"}, None), (None, None), ({"id": "23"}, {"id": "27"})]
        assert [answer.raw for answer in page.answers] == bodies
        paths = [f"/crm/v4/associations/leads/{objects}/batch/read" for objects in ("contacts", "companies")]
        assert [request.path for request in partner.requests[1:]] == paths
        for request in partner.requests[1:]:
            assert request.json == {"inputs": [{"id": first}, {"id": second}, {"id": third}]}
            assert request.safe

    def test_a_search_that_finds_nothing_and_a_plain_list_cost_one_request(self) -> None:
        script(ok({"results": []})).hold(HUBSPOT.list(LEADS, since=minutes(0), limit=5))
        script(ok({"results": [self.body(3, 3)]})).hold(HUBSPOT.list(LEADS, limit=5))

    def test_the_window_is_told_in_milliseconds(self) -> None:
        request = next(HUBSPOT.list(LEADS, since=datetime.fromisoformat("2026-05-01T12:00:00.120Z"), limit=5))
        [condition] = request.json["filterGroups"][0]["filters"]
        assert condition == {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1777636800120"}


class TestPipelines:
    """HubSpot closes a stage whose probability is all or nothing."""

    def stages(self, *names: str, **remote: Any) -> list[tuple[str, str, int]]:
        case = CASES["hubspot-pipelines"]
        draft = case.draft({"name": "Sales", "stages": [{"name": name} for name in names]}, remote or None)
        partner = script(ok({"results": []}), ok({"id": "1", "label": "Sales"}, 201))
        partner.hold(HUBSPOT.create(case.resource, draft))
        [made] = partner.unsafe
        return [(each["label"], each["metadata"]["probability"], each["displayOrder"]) for each in made.json["stages"]]

    @pytest.mark.parametrize("number", [1, 2, 9, 10, 19, 20, 60])
    def test_no_stage_that_is_merely_named_is_closed_and_two_follow_that_are(self, number: int) -> None:
        *named, won, lost = self.stages(*(f"Step {n}" for n in range(number)))
        odds = [float(probability) for _, probability, _ in named]
        assert len(odds) == number
        assert odds == sorted(odds)
        assert 0.1 <= odds[0] <= odds[-1] <= 0.9
        assert (won, lost) == (("Won", "1.0", number), ("Lost", "0.0", number + 1))

    def test_stages_that_are_called_so_are_the_end_themselves(self) -> None:
        """The label of a stage is unique in its pipeline."""
        told = self.stages("Open", "won", "Lost")
        assert told == [("Open", "0.2", 0), ("won", "1.0", 1), ("Lost", "0.0", 2)]

    def test_an_end_that_remote_data_names_is_enough(self) -> None:
        done = {"label": "Done", "metadata": {"probability": "1.0"}}
        assert self.stages("Open", stages=[done]) == [("Done", "1.0", 0)]

    def test_what_is_in_use_is_not_removed(self) -> None:
        flags = {"validateReferencesBeforeDelete": "true", "validateDealStageUsagesBeforeDelete": "true"}
        request = next(HUBSPOT.delete(CASES["hubspot-pipelines"].resource, "default"))
        assert (request.path, request.query) == ("/crm/pipelines/2026-09/deals/default", flags)
        listed = ok({"results": [{"id": "default", "stages": [{"id": "closedwon", "label": "Won"}]}]})
        partner = script(listed, Response(204))
        partner.hold(HUBSPOT.delete(CASES["hubspot-stages"].resource, "closedwon"))
        assert partner.requests[1].path.endswith("/deals/default/stages/closedwon")
        assert partner.requests[1].query == {}, "its contract has no such parameter"


class TestIds:
    @pytest.mark.parametrize("id", ["search", "batch", "1-2", "1/2", "", "٣"])
    def test_a_word_in_place_of_a_leads_id_is_asked_for_nowhere(self, id: str) -> None:
        for talk in (HUBSPOT.get(LEADS, id), HUBSPOT.delete(LEADS, id)):
            with pytest.raises(Problem) as caught:
                script().hold(talk)
            assert caught.value.kind is Kind.CRM_BAD_ID

    @pytest.mark.parametrize("id", ["a/b", "..", "a?b", ""])
    def test_a_pipelines_id_is_one_word(self, id: str) -> None:
        for talk in (
            HUBSPOT.get(CASES["hubspot-pipelines"].resource, id),
            HUBSPOT.delete(CASES["hubspot-pipelines"].resource, id),
        ):
            with pytest.raises(Problem) as caught:
                script().hold(talk)
            assert caught.value.kind is Kind.CRM_BAD_ID


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


CONTACTS, COMPANIES, DEALS, USERS = (
    CASES[f"hubspot-{plural}"].resource for plural in ("contacts", "companies", "deals", "users")
)
OBJECTS = {"contacts": CONTACTS, "companies": COMPANIES, "deals": DEALS}


def recorded(name: str, path: str = "response.body") -> Any:
    """A part of a recorded exchange."""
    return dig(document(f"fixtures/hubspot/{name}.json"), path)


def page(record: str) -> list[Record]:
    return [{"url": f"https://app-eu1.hubspot.com/contacts/147893286/record/{record}", "type": "record"}]


class TestRecorded:
    """Numbers come as texts, and what was not asked for is not told."""

    def test_a_contact(self) -> None:
        assert HUBSPOT.item(CONTACTS, recorded("contact.get.200")) == {
            "id": "713492963559",
            "first_name": "Updated",
            "last_name": "TestUser",
            "name": "Updated TestUser",
            "emails": [{"email": "test-contact-2026@example.com", "type": "primary"}],
            "urls": page("0-1/713492963559"),
            "created_at": "2026-02-25T16:23:49.023Z",
            "updated_at": "2026-03-12T07:34:24.559Z",
        }

    def test_a_contact_that_was_made_tells_nothing_of_hubspots_own_as_custom(self) -> None:
        assert HUBSPOT.item(CONTACTS, recorded("contact.create.201")) == {
            "id": "734931097788",
            "first_name": "Test",
            "last_name": "Contact",
            "name": "Test Contact",
            "emails": [{"email": "test.contact.1741764800@example.com", "type": "primary"}],
            "phones": [{"number": "+1 555-1234", "type": "primary"}],
            "urls": page("0-1/734931097788"),
            "created_at": "2026-03-12T07:33:46.615Z",
            "updated_at": "2026-03-12T07:33:46.615Z",
        }

    def test_contacts_of_a_list(self) -> None:
        told = [HUBSPOT.item(CONTACTS, body) for body in recorded("contacts.list.200", "response.body.results")]
        assert [(each["name"], each.get("phones")) for each in told] == [
            ("Updated TestUser", [{"number": "+1234567890", "type": "primary"}]),
            ("Test Contact2", [{"number": "+1-555-123-4568", "type": "primary"}]),
            ("Brian Halligan (Sample Contact)", None),
        ]

    def test_a_company(self) -> None:
        assert HUBSPOT.item(COMPANIES, recorded("company.get.200")) == {
            "id": "421290981567",
            "name": "Test Company for Get Action",
            "domain": "test-get-action.com",
            "phones": [{"number": "+1-555-TEST", "type": "primary"}],
            "industry": "COMPUTER_SOFTWARE",
            "addresses": [{"city": "San Francisco", "state": "CA", "country": "USA"}],
            "urls": page("0-2/421290981567"),
            "created_at": "2026-03-12T07:35:26.564Z",
            "updated_at": "2026-03-12T07:35:30.805Z",
        }

    def test_a_company_that_was_made(self) -> None:
        assert HUBSPOT.item(COMPANIES, recorded("company.create.201")) == {
            "id": "421369711816",
            "name": "Test Company Inc",
            "domain": "testcompany.com",
            "website": "testcompany.com",
            "urls": page("0-2/421369711816"),
            "created_at": "2026-03-12T07:32:59.531Z",
            "updated_at": "2026-03-12T07:32:59.531Z",
        }

    def test_a_deal(self) -> None:
        assert HUBSPOT.item(DEALS, recorded("deal.get.200")) == {
            "id": "479475667160",
            "name": "Test Deal Updated via Action",
            "amount": 3000,
            "pipeline": {"id": "default"},
            "stage": {"id": "appointmentscheduled"},
            "urls": page("0-3/479475667160"),
            "created_at": "2026-02-25T16:26:25.880Z",
            "updated_at": "2026-03-09T20:29:45.981Z",
        }

    def test_a_deal_that_was_made(self) -> None:
        assert HUBSPOT.item(DEALS, recorded("deal.create.201")) == {
            "id": "493561802994",
            "name": "Test Deal for Validation",
            "amount": 10000,
            "status": "open",
            "urls": page("0-3/493561802994"),
            "created_at": "2026-03-12T07:34:03.846Z",
            "updated_at": "2026-03-12T07:34:03.846Z",
        }

    def test_a_deal_with_all_that_hubspot_works_out(self) -> None:
        """Its probability comes with fifty digits; the closing date of one that is open is no more than expected."""
        assert HUBSPOT.item(DEALS, recorded("deal.update.200")) == {
            "id": "493593663734",
            "name": "Updated Test Deal",
            "amount": 15000,
            "pipeline": {"id": "default"},
            "stage": {"id": "qualifiedtobuy"},
            "status": "open",
            "probability": 40,
            "close_date": "2026-12-31",
            "urls": page("0-3/493593663734"),
            "created_at": "2026-03-12T07:36:06.332Z",
            "updated_at": "2026-03-12T07:36:23.415Z",
        }

    def test_owners(self) -> None:
        first, second = (HUBSPOT.item(USERS, body) for body in recorded("owners.list.200", "response.body.results"))
        assert first == {
            "id": "32900489",
            "name": "Test Delete",
            "first_name": "Test",
            "last_name": "Delete",
            "email": "test-delete-action@example.com",
            "active": True,
            "created_at": "2026-03-12T07:37:29.818Z",
            "updated_at": "2026-03-12T07:37:29.818Z",
        }
        assert (second["id"], second["name"]) == ("88842095", "Owner Nango")


class TestContacts:
    """Contacts are searched for, two hundred at once, and nothing else is asked."""

    def body(self, number: int, at: float, **properties: Any) -> Any:
        when = CASE.said.moment(minutes(at))
        told = {"firstname": f"Ada {number}", "lastmodifieddate": when, **properties}
        return {"id": str(number), "properties": told, "createdAt": CASE.said.moment(minutes(0)), "updatedAt": when}

    def test_the_first_page_asks_for_all_that_ever_changed(self) -> None:
        """The dated API may take a small number for one of seconds; so the beginning is that of HubSpot itself."""
        talk = HUBSPOT.list(CONTACTS, since=OLDEST, limit=2000, extra=["favourite_colour", "email"])
        request = next(talk)
        assert (request.method, request.path, request.safe) == ("POST", "/crm/objects/2026-09/contacts/search", True)
        columns = request.json.pop("properties")
        assert request.json == {
            "filterGroups": [
                {"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1136073600000"}]}
            ],
            "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
            "limit": 200,
            "after": "0",
        }
        assert {"associatedcompanyid", "company", "hubspot_owner_id", "lastmodifieddate"} <= set(columns)
        assert columns[-1] == "favourite_colour"
        assert len(columns) == len(set(columns))

    def test_every_page_begins_at_the_last_moment_of_the_one_before(self) -> None:
        first = [self.body(n, n) for n in range(3)]
        moved = [first[2], *(self.body(n, n) for n in range(3, 5))]
        partner = script(
            ok({"results": first, "paging": {"next": {"after": "3"}}}),
            ok({"results": moved, "paging": {"next": {"after": "3"}}}),
        )
        page = partner.hold(HUBSPOT.list(CONTACTS, since=minutes(0), limit=3))
        assert [answer.item["id"] for answer in page.answers] == ["0", "1", "2"]
        page = partner.hold(HUBSPOT.list(CONTACTS, since=minutes(0), limit=3, cursor=page.cursor))
        assert [answer.item["id"] for answer in page.answers] == ["3", "4"]
        told = partner.requests[1].json
        [condition] = told["filterGroups"][0]["filters"]
        assert (condition["value"], told["after"]) == (str(int(minutes(2).timestamp() * 1000)), "0")
        assert page.cursor == {"from": str(int(minutes(4).timestamp() * 1000)), "seen": ["4"]}

    def test_an_item_of_the_list_is_that_of_a_read(self) -> None:
        told = {"associatedcompanyid": "8", "company": "Analytical Engines", "hubspot_owner_id": "9"}
        body = self.body(1, 3, favourite_colour="teal", hs_merged_object_ids=None, **told)
        [listed] = script(ok({"results": [body]})).hold(HUBSPOT.list(CONTACTS, since=OLDEST, limit=5)).answers
        link = {"companies": {"results": [{"id": "8", "type": "contact_to_company"}]}}
        read = script(ok({**body, "associations": link})).hold(HUBSPOT.get(CONTACTS, "1"))
        assert listed.item == read.item
        assert read.item["company"] == {"id": "8", "name": "Analytical Engines"}
        assert read.item["owner"] == {"id": "9"}
        assert (read.item["created_at"], read.item["updated_at"]) == ("2026-05-01T12:00:00Z", "2026-05-01T12:03:00Z")
        assert read.item["custom_fields"] == {"favourite_colour": "teal"}

    def test_a_company_that_is_a_mere_text_is_none(self) -> None:
        assert "company" not in HUBSPOT.item(CONTACTS, self.body(1, 3, company="Analytical Engines"))

    def test_the_more_properties_an_account_has_the_smaller_is_a_page(self) -> None:
        """An answer of more than 2 MB would be none at all."""
        names = [f"property_{n}" for n in range(960)]
        request = next(HUBSPOT.list(CONTACTS, since=OLDEST, limit=2000, extra=names))
        assert len(request.json["properties"]) * request.json["limit"] <= 20_000
        assert request.json["limit"] > 15

    def test_so_it_is_where_all_are_listed(self) -> None:
        names = [f"p{n}" for n in range(960)]
        query = next(HUBSPOT.list(CONTACTS, limit=2000, extra=names)).query
        assert 15 < int(query["limit"]) < 20_000 / len(query["properties"].split(",")) + 1
        assert next(HUBSPOT.list(CONTACTS, limit=2000)).query["limit"] == "100"

    def test_names_that_are_too_long_for_a_url_go_into_a_body(self) -> None:
        names = [f"property_{n}" for n in range(960)]
        listed, told = {"results": [{"id": "8"}, {"id": "7"}], "paging": {"next": {"after": "2"}}}, self.body(7, 3)
        partner = script(ok(listed), ok({"results": [told]}, 207), ok({"results": [told]}), ok({"results": []}, 207))
        page = partner.hold(HUBSPOT.list(CONTACTS, limit=2000, extra=names))
        assert ([answer.item["id"] for answer in page.answers], page.cursor) == (["7"], {"after": "2"})
        assert partner.hold(HUBSPOT.get(CONTACTS, "7", names)).item == page.answers[0].item
        with pytest.raises(Problem) as caught:
            partner.hold(HUBSPOT.get(CONTACTS, "8", names))
        assert caught.value.kind is Kind.CRM_NOT_FOUND
        first, *reads = partner.requests
        assert len(str(first.query)) < 200
        assert {each.path for each in reads} == {"/crm/objects/2026-09/contacts/batch/read"}
        assert {"email", "associatedcompanyid", *names} <= set(reads[0].json["properties"])
        assert [each.json["inputs"] for each in reads] == [[{"id": "8"}, {"id": "7"}], [{"id": "7"}], [{"id": "8"}]]
        assert all(each.safe for each in reads)

    def test_who_may_see_no_companies_may_see_contacts(self) -> None:
        """Associations want a scope of their own; whether they are refused or left out without it is not told."""
        assert "associations" not in next(HUBSPOT.list(CONTACTS, limit=5)).query
        refusal = Response(403, {}, recorded("error.missing-scopes.403"))
        partner = script(refusal, ok(self.body(7, 3, associatedcompanyid="8")))
        assert partner.hold(HUBSPOT.get(CONTACTS, "7")).item["company"] == {"id": "8"}
        first, second = (dict(request.query) for request in partner.requests)
        assert first.pop("associations") == "companies"
        assert second == first
        with pytest.raises(Problem) as caught:
            script(refusal, refusal).hold(HUBSPOT.get(CONTACTS, "7"))
        assert caught.value.kind is Kind.CRM_FORBIDDEN

    def test_custom_fields_are_the_properties_that_are_not_hubspots(self) -> None:
        told = [
            {"name": "email", "hubspotDefined": True},
            {"name": "favourite_colour", "hubspotDefined": False},
            {"name": "loyalty_points"},
            {"name": "hs_odd"},
            {"name": None},
        ]
        partner = script(ok({"results": told}))
        assert partner.hold(HUBSPOT.custom(CONTACTS)) == ("favourite_colour", "loyalty_points")
        assert partner.requests[0].path == "/crm/properties/2026-09/contacts"
        assert script().hold(HUBSPOT.custom(LEADS)) == ()

    def test_contacts_that_were_merged_into_another_are_gone(self) -> None:
        bodies = [self.body(1, 1, hs_merged_object_ids="5;6;2"), self.body(2, 2), self.body(3, 3)]
        page = script(ok({"results": bodies})).hold(HUBSPOT.list(CONTACTS, since=minutes(0), limit=5))
        assert (len(page.answers), page.gone) == (3, ("5", "6"))

    def test_deleted_contacts_stand_among_the_archived(self) -> None:
        archived = [
            {"id": str(n), "archived": True, "archivedAt": CASE.said.moment(minutes(n)), "properties": {}}
            for n in range(4)
        ]
        partner = script(ok({"results": archived, "paging": {"next": {"after": "4"}}}), ok({"results": []}))
        gone = partner.hold(HUBSPOT.deleted(CONTACTS, since=minutes(2)))
        assert gone
        assert (gone.ids, gone.cursor) == (["2", "3"], {"after": "4"})
        last = partner.hold(HUBSPOT.deleted(CONTACTS, since=minutes(2), cursor=gone.cursor))
        assert last
        assert (last.ids, last.cursor) == ([], None)
        asked = [(request.path, dict(request.query)) for request in partner.requests]
        path, query = "/crm/objects/2026-09/contacts", {"archived": "true", "limit": "100"}
        assert asked == [(path, query), (path, {**query, "after": "4"})]


class TestObjects:
    """Contacts, companies and deals: each in one request, with its links."""

    @pytest.mark.parametrize(
        ("plural", "some", "links"),
        [
            (
                "contacts",
                {"firstname", "lastname", "jobtitle", "email", "mobilephone"},
                "companies",
            ),
            ("companies", {"name", "domain", "numberofemployees", "address2", "zip", "hubspot_owner_id"}, None),
            ("deals", {"dealname", "hs_is_closed", "hs_is_closed_won", "closedate", "pipeline"}, "companies,contacts"),
        ],
    )
    def test_a_read_asks_for_all_of_it_at_once(self, plural: str, some: set[str], links: str | None) -> None:
        partner = script(ok({"id": "7", "properties": {"favourite_colour": "teal"}}))
        answer = partner.hold(HUBSPOT.get(OBJECTS[plural], "7", ["favourite_colour"]))
        [request] = partner.requests
        asked = request.query["properties"].split(",")
        assert (request.method, request.path) == ("GET", f"/crm/objects/2026-09/{plural}/7")
        assert some | {"favourite_colour"} <= set(asked)
        assert len(asked) == len(set(asked))
        assert not {"id", "url", "createdAt", "associations"} & set(asked), "these come by themselves"
        assert request.query.get("associations") == links
        assert answer.item == {"id": "7", "custom_fields": {"favourite_colour": "teal"}}

    def test_the_last_activity_is_told_once(self) -> None:
        body = {"id": "7", "properties": {"notes_last_updated": "2026-05-01T12:00:00Z"}}
        for resource in OBJECTS.values():
            assert HUBSPOT.item(resource, body) == {"id": "7", "last_activity_at": "2026-05-01T12:00:00Z"}

    def test_a_user_is_an_owner(self) -> None:
        partner = script(ok(recorded("owners.list.200", "response.body.results.0")))
        assert partner.hold(HUBSPOT.get(USERS, "32900489")).item["id"] == "32900489"
        [request] = partner.requests
        assert (request.path, dict(request.query)) == ("/crm/v3/owners/32900489", {})

    def test_the_primary_company_is_told_before_any_other(self) -> None:
        """It stands there once with its label and once without."""
        other, primary = "8", "9"
        links = [{"id": id, "type": "contact_to_company_unlabeled"} for id in (other, primary)]
        told = {"companies": {"results": [*links, {"id": primary, "type": "contact_to_company"}]}}
        assert HUBSPOT.item(CONTACTS, {"id": "7", "associations": told})["company"] == {"id": primary}
        assert HUBSPOT.item(CONTACTS, {"id": "7", "associations": {"companies": {"results": links}}})["company"] == {
            "id": other
        }

    @pytest.mark.parametrize(
        ("stage", "status"), [(("false", "false"), "open"), (("true", "true"), "won"), (("true", "false"), "lost")]
    )
    def test_what_became_of_a_deal_follows_its_stage(self, stage: tuple[str, str], status: str) -> None:
        properties = dict(zip(("hs_is_closed", "hs_is_closed_won"), stage, strict=True))
        body = {"id": "7", "properties": {**properties, "closedate": "2026-05-01T12:00:00Z"}}
        item = HUBSPOT.item(DEALS, body)
        assert (item["status"], item["close_date"]) == (status, "2026-05-01")
        assert item.get("closed_at") == (None if status == "open" else "2026-05-01T12:00:00Z")

    def test_what_was_removed_or_never_was_is_not_found(self) -> None:
        for resource in (*OBJECTS.values(), USERS):
            partner = script(Response(404, {}, recorded("error.not-found.404")))
            with pytest.raises(Problem) as caught:
                partner.hold(HUBSPOT.get(resource, "7"))
            assert caught.value.kind is Kind.CRM_NOT_FOUND

    def test_what_no_scope_allows_is_forbidden(self) -> None:
        partner = script(Response(403, {}, recorded("error.missing-scopes.403")))
        with pytest.raises(Problem) as caught:
            partner.hold(HUBSPOT.get(DEALS, "7"))
        assert caught.value.kind is Kind.CRM_FORBIDDEN

    def test_what_is_made_or_removed_is_the_object_and_no_pipeline_of_its_id(self) -> None:
        for plural, resource in OBJECTS.items():
            partner = script(Response(204, {}, None))
            partner.hold(HUBSPOT.delete(resource, "7"))
            assert [f"{each.method} {each.path}" for each in partner.requests] == [
                f"DELETE /crm/objects/2026-09/{plural}/7"
            ]
            assert script().hold(HUBSPOT.prepare(resource, {"properties": {}})) == {"properties": {}}

    @pytest.mark.parametrize("id", ["search", "ada@example.com", "1-2", "", "٣"])
    def test_a_word_is_no_id(self, id: str) -> None:
        """An e-mail address would be one for `idProperty`; owners and records have digits."""
        for resource in (*OBJECTS.values(), USERS):
            with pytest.raises(Problem) as caught:
                script().hold(HUBSPOT.get(resource, id))
            assert caught.value.kind is Kind.CRM_BAD_ID


class TestBothWays:
    """What is written is read again as it was."""

    def turned(self, plural: str, item: Record) -> tuple[Record, Record]:
        resource = OBJECTS[plural]
        record, ignored = resource.table.out(item)
        assert ignored == []
        return HUBSPOT.seal(resource, record), resource.table.into(record)

    def test_a_contact(self) -> None:
        item = {
            "first_name": "Ada",
            "last_name": "Lovelace",
            "title": "Head of Programmes",
            "emails": [{"email": "ada@engines.example", "type": "primary"}],
            "phones": [{"number": "1", "type": "primary"}, {"number": "2", "type": "mobile"}],
            "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
            "lead_status": "NEW",
            "company": {"id": "8"},
            "owner": {"id": "9"},
            "custom_fields": {"favourite_colour": "teal"},
        }
        body, back = self.turned("contacts", item)
        assert back == {**item, "name": "Ada Lovelace"}
        assert body["properties"]["mobilephone"] == "2"
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
        assert body["associations"] == [{"to": {"id": "8"}, "types": types}]

    def test_a_company(self) -> None:
        item = {
            "name": "Analytical Engines",
            "domain": "engines.example",
            "website": "https://engines.example",
            "phones": [{"number": "1", "type": "primary"}],
            "industry": "MACHINERY",
            "description": "Builders of engines.",
            "number_of_employees": 12,
            "annual_revenue": 1.5,
            "addresses": [{"street_1": "12 Dorset Street", "street_2": "Second floor", "postal_code": "W1"}],
            "owner": {"id": "9"},
            "custom_fields": {"favourite_colour": "teal"},
        }
        body, back = self.turned("companies", item)
        assert back == item
        assert body["properties"]["numberofemployees"] == 12

    def test_a_deal(self) -> None:
        item = {
            "name": "Engine no. 2",
            "amount": 12500,
            "currency": "GBP",
            "pipeline": {"id": "default"},
            "stage": {"id": "qualifiedtobuy"},
            "close_date": date(2026, 12, 31),
            "description": "One engine.",
            "company": {"id": "8"},
            "contact": {"id": "7"},
            "owner": {"id": "9"},
            "custom_fields": {"favourite_colour": "teal"},
        }
        body, back = self.turned("deals", item)
        assert back == {**item, "close_date": "2026-12-31"}
        assert body["properties"]["closedate"] == "2026-12-31T00:00:00Z"
        types = {link["to"]["id"]: link["types"][0]["associationTypeId"] for link in body["associations"]}
        assert types == {"8": 5, "7": 3}

    @pytest.mark.parametrize("name", ["hs_object_id", "lifecyclestage", "dealname"])
    def test_a_property_of_hubspots_own_is_no_custom_field(self, name: str) -> None:
        with pytest.raises(Problem) as caught:
            DEALS.table.out({"custom_fields": {name: "x"}})
        assert caught.value.kind is Kind.INVALID


class TestRelated:
    """A record tells the ids of all that it is linked with, so that each is one read."""

    @pytest.mark.parametrize(
        ("name", "plural", "path"),
        [
            ("company", "companies", "/crm/objects/2026-09/companies/8"),
            ("contact", "contacts", "/crm/objects/2026-09/contacts/7"),
            ("owner", "users", "/crm/v3/owners/9"),
            ("pipeline", "pipelines", "/crm/pipelines/2026-09/deals/default"),
        ],
    )
    def test_each_is_one_request(self, name: str, plural: str, path: str) -> None:
        links = {"companies": {"results": [{"id": "8"}]}, "contacts": {"results": [{"id": "7"}]}}
        body = {"id": "1", "properties": {"hubspot_owner_id": "9", "pipeline": "default"}, "associations": links}
        deal = Answer(HUBSPOT.item(DEALS, body), body)
        partner = script(ok({"id": path.rpartition("/")[2]}))
        found = partner.hold(HUBSPOT.related(DEALS, deal, name, CASES[f"hubspot-{plural}"].resource))
        assert found
        assert [request.path for request in partner.requests] == [path]

    def test_a_stage_is_found_in_the_list_of_all_pipelines(self) -> None:
        deal = Answer({"id": "1", "stage": {"id": "qualifiedtobuy"}}, {})
        partner = script(ok(recorded("pipelines.list.200")))
        found = partner.hold(HUBSPOT.related(DEALS, deal, "stage", CASES["hubspot-stages"].resource))
        assert found
        assert (found.item["name"], found.item["pipeline"]["name"]) == ("Qualified To Buy", "Sales Pipeline")

    def test_one_that_is_gone_is_none(self) -> None:
        deal = Answer({"id": "1", "company": {"id": "8"}}, {})
        partner = script(Response(404, {}, recorded("error.not-found.404")))
        assert partner.hold(HUBSPOT.related(DEALS, deal, "company", COMPANIES)) is None


def test_a_pod_is_made_of_these_objects_in_this_order() -> None:
    assert list(CRM.pods.items()) == [("contacts", "contacts"), ("deals", "deals"), ("companies", "companies")]
