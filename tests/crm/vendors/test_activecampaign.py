"""What is peculiar to ActiveCampaign: a 403 of three meanings, records in envelopes, moments that nobody can trust."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest

from switchboard.crm.catalog import Emulated, Resource
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.activecampaign import CRM
from switchboard.crm.vendors.activecampaign.rows import early
from switchboard.crm.wire import Response, passing
from tests.crm.samples import CASES
from tests.crm.shared import document
from tests.crm.voices import minutes
from tests.talk import Partner, ok, script

LEAD, PIPELINE, STAGE = (CASES[f"activecampaign-{plural}"] for plural in ("leads", "pipelines", "stages"))
ACTIVECAMPAIGN = CRM.dialect
LEADS, PIPELINES, STAGES = LEAD.resource, PIPELINE.resource, STAGE.resource
CONTACTS, COMPANIES, DEALS, USERS = (
    CASES[f"activecampaign-{plural}"].resource for plural in ("contacts", "companies", "deals", "users")
)

ADA = {"first_name": "Ada", "email_addresses": [{"email": "ada@example.com"}]}
FORBIDDEN = Response(403, {}, {"message": "Forbidden"})
TAKEN = Response(422, {}, {"errors": [{"title": "Email address already exists in the system", "code": "duplicate"}]})


def recorded(name: str) -> Any:
    return document(f"fixtures/activecampaign/{name}.json")


def told(name: str) -> Any:
    return recorded(name)["response"]["body"]


def refused(partner: Partner, talk: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        partner.hold(talk)
    return caught.value


class TestForbidden:
    """Whether the key is bad or a right is missing is seen by asking whose key it is."""

    @pytest.mark.parametrize(
        ("whose", "kind"),
        [
            (ok({"user": {"id": "1"}}), Kind.CRM_FORBIDDEN),
            (FORBIDDEN, Kind.NEEDS_REAUTH),
            (Response(403, {}, "", readable=False), Kind.NEEDS_REAUTH),
            (Response(429), Kind.CRM_FORBIDDEN),
            (Problem(Kind.CRM_TIMEOUT, "No answer."), Kind.CRM_FORBIDDEN),
        ],
        ids=["a good key", "a bad key", "a bad key and no body", "no answer to that", "no answer at all"],
    )
    def test_a_403_is_a_bad_key_only_if_that_is_403_as_well(self, whose: Response | Problem, kind: Kind) -> None:
        partner = script(FORBIDDEN, whose)
        problem = refused(partner, ACTIVECAMPAIGN.create(LEADS, LEAD.draft(ADA)))
        assert (problem.kind, problem.outcome) == (kind, Outcome.REFUSED)
        assert problem.remote
        assert (problem.remote.status, problem.remote.message) == (403, "Forbidden")
        assert [(each.method, each.path) for each in partner.requests] == [
            ("POST", "/api/3/contacts"),
            ("GET", "/api/3/users/me"),
        ]
        assert len(partner.unsafe) == 1

    def test_a_403_that_says_not_found_asks_nothing_more(self) -> None:
        partner = script(Response(403, {}, told("error_note_not_found_403")))
        problem = refused(partner, ACTIVECAMPAIGN.get(LEADS, "1"))
        assert (problem.kind, problem.outcome) == (Kind.CRM_NOT_FOUND, Outcome.NOTHING)

    def test_a_key_that_was_replaced_is_worth_a_look(self) -> None:
        assert ACTIVECAMPAIGN.expired(FORBIDDEN)
        for body in (None, {}, {"message": "You are not allowed to do this"}, told("error_fields_forbidden_403")):
            assert ACTIVECAMPAIGN.expired(Response(403, {}, body)), body
        assert ACTIVECAMPAIGN.expired(Response(403, {}, "Forbidden", readable=False))
        assert not ACTIVECAMPAIGN.expired(Response(403, {}, told("error_note_not_found_403")))
        assert not ACTIVECAMPAIGN.expired(Response(404, {}, {"message": "Forbidden"}))


class TestCreate:
    def test_the_contact_we_create_is_the_one_that_the_vendor_shows(self) -> None:
        shown = recorded("error_contact_duplicate_422")["request"]
        item = {
            "first_name": "John",
            "last_name": "Doe",
            "email_addresses": [{"email": "johndoe@example.com"}],
            "phone_numbers": [{"number": "7223224241", "type": "mobile"}],
            "custom_fields": {"1": "The Value for First Field", "6": "2008-01-20"},
        }
        draft = LEAD.draft(item)
        request = next(ACTIVECAMPAIGN.create(LEADS, draft))
        assert (request.method, request.path, request.json) == (shown["method"], shown["path"], shown["body"])
        assert draft.ignored == ("phone_numbers[0].type",)

    def test_it_is_read_back_because_the_answer_is_not_whole(self) -> None:
        partner = script(ok({"contact": {"id": "7"}}, 201), ok(told("contact_get")))
        answer = partner.hold(ACTIVECAMPAIGN.create(LEADS, LEAD.draft(ADA)))
        assert partner.requests[1].path == "/api/3/contacts/7"
        assert answer.item == {
            "id": "1",
            "first_name": "API Test",
            "email_addresses": [{"email": "api@nango.dev", "type": "primary"}],
            "created_at": "2026-05-28T08:05:54Z",
            "updated_at": "2026-05-28T10:07:18Z",
        }

    def test_a_custom_field_is_named_by_its_number(self) -> None:
        with pytest.raises(Problem) as caught:
            LEAD.draft({**ADA, "custom_fields": {"Colour": "red"}})
        [fault] = caught.value.faults
        assert (caught.value.kind, fault.code, fault.pointer) == (
            Kind.INVALID, "not_custom", "#/custom_fields/Colour",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("given", "sent"),
        [
            (["Boats", "Cars"], "||Boats||Cars||"),
            (["Boats"], "||Boats||"),
            (7, "7"),
            (1.5, "1.5"),
            (True, "true"),
            ("", ""),
        ],
    )
    def test_every_custom_value_is_sent_as_a_text(self, given: Any, sent: str) -> None:
        body = LEAD.draft({**ADA, "custom_fields": {"5": given}}).body
        assert body["contact"]["fieldValues"] == [{"field": "5", "value": sent}]

    @pytest.mark.parametrize("given", [{}, {"a": 1}, [], ["a||b"], [1], [None], None])
    def test_a_custom_value_that_has_no_text_is_refused(self, given: Any) -> None:
        with pytest.raises(Problem) as caught:
            LEAD.draft({**ADA, "custom_fields": {"5": given}})
        [fault] = caught.value.faults
        assert (caught.value.kind, fault.code) == (Kind.INVALID, "invalid_value")
        assert (fault.field, fault.pointer) == ("custom_fields.5", "#/custom_fields/5")

    def test_custom_values_stand_beside_the_contact_that_has_only_their_ids(self) -> None:
        beside = [
            {"field": "6", "value": "2008-01-20", "id": "11"},
            {"field": "7", "value": None},
            {"field": "8", "value": ""},
        ]
        item = ACTIVECAMPAIGN.item(LEADS, {"fieldValues": beside, "contact": {"id": "1", "fieldValues": ["11", "12"]}})
        assert item == {"id": "1", "custom_fields": {"6": "2008-01-20"}}


class TestTaken:
    @pytest.mark.parametrize(
        ("found", "existing"),
        [
            (ok({"contacts": [{"id": "3", "email": "ADA@example.com"}]}), "3"),
            (ok({"contacts": [{"id": "3", "email": "other@example.com"}]}), None),
            (ok({"contacts": []}), None),
            (Response(500), None),
        ],
        ids=["it is there", "another", "nobody", "no answer"],
    )
    def test_who_has_the_address_is_looked_up(self, found: Response, existing: str | None) -> None:
        partner = script(TAKEN, found)
        problem = refused(partner, ACTIVECAMPAIGN.create(LEADS, LEAD.draft(ADA)))
        assert (problem.kind, problem.outcome) == (Kind.CRM_CONFLICT, Outcome.REFUSED)
        assert problem.remote
        assert problem.remote.existing_id == existing
        assert dict(partner.requests[1].query) == {"email": "ada@example.com"}

    def test_who_else_has_a_stage_is_not(self) -> None:
        partner = script(TAKEN)
        draft = STAGE.draft({"name": "Won", "pipeline": {"id": "1"}})
        assert refused(partner, ACTIVECAMPAIGN.create(STAGES, draft)).kind is Kind.CRM_CONFLICT


class TestComplaint:
    @pytest.mark.parametrize(
        ("name", "message", "fields"),
        [
            ("error_contact_duplicate_422", "Email address already exists in the system", ["email"]),
            ("error_contact_tag_contact_not_found_404", "Not Found: Contact not found", []),
            ("error_deal_bulk_owner_missing_422", "ownerId is required for a deal '1'.", []),
            ("error_contact_delete_not_found_404", "No result found for contact with id 1", []),
        ],
    )
    def test_the_sentence_and_the_fields_are_found(self, name: str, message: str, fields: list[str]) -> None:
        shown = recorded(name)["response"]
        complaint = ACTIVECAMPAIGN.complaint(Response(shown["status"], {}, shown["body"]))
        assert complaint
        assert (complaint.message, list(complaint.fields)) == (message, fields)

    def test_an_error_may_be_a_bare_sentence_and_blame_two_fields(self) -> None:
        bare = ACTIVECAMPAIGN.complaint(Response(422, {}, {"errors": ["No."]}))
        both = ACTIVECAMPAIGN.complaint(Response(422, {}, told("error_contact_has_account_422")))
        assert bare
        assert both
        assert (bare.message, both.fields) == ("No.", ("account", "contact"))

    def test_the_limit_and_the_wait_stand_in_the_headers(self) -> None:
        shown = recorded("error_rate_limited_429")["response"]
        response = Response(429, {name.lower(): value for name, value in shown["headers"].items()})
        rate = ACTIVECAMPAIGN.rate(response)
        assert rate
        assert (rate.limit, rate.remaining, rate.reset) == (5, None, 30)
        problem = refused(script(response), ACTIVECAMPAIGN.get(LEADS, "1"))
        assert (problem.kind, problem.retry_after) == (Kind.CRM_RATE_LIMITED, 30)


class TestFind:
    def test_a_lost_contact_is_found_by_its_address(self) -> None:
        made = {"id": "5", "email": "Ada@Example.com", "firstName": "Ada", "cdate": "2026-05-01T07:00:01-05:00"}
        partner = script(ok({"contacts": [made]}))
        assert partner.hold(ACTIVECAMPAIGN.find(LEADS, LEAD.draft(ADA), minutes(0))) == "5"
        [request] = partner.requests
        assert (request.path, dict(request.query)) == ("/api/3/contacts", {"email": "ada@example.com"})

    def test_one_that_was_there_before_is_not_it(self) -> None:
        old = {"id": "5", "email": "ada@example.com", "firstName": "Ada", "cdate": "2026-05-01T06:59:59-05:00"}
        partner = script(ok({"contacts": [old]}))
        assert partner.hold(ACTIVECAMPAIGN.find(LEADS, LEAD.draft(ADA), minutes(0))) is None


class TestChanges:
    @pytest.mark.parametrize("hours", range(-12, 15))
    def test_no_change_is_left_out_whether_the_filter_reads_a_moment_a_clock_or_a_day(self, hours: int) -> None:
        written = early(minutes(0))
        asked, zone = datetime.fromisoformat(written), timezone(timedelta(hours=hours))
        behind_the_day = datetime.fromisoformat(written[:10]).replace(tzinfo=zone) + timedelta(days=1)
        assert max(asked, asked.replace(tzinfo=zone), behind_the_day) < minutes(0)

    @pytest.mark.parametrize(
        ("since", "written"),
        [
            (minutes(0), "2026-04-29T22:00:00.000Z"),
            (minutes(0).astimezone(timezone(timedelta(hours=5))), "2026-04-29T22:00:00.000Z"),
            (datetime.min.replace(tzinfo=UTC), "1970-01-01T00:00:00.000Z"),
        ],
    )
    def test_it_is_written_as_it_was_recorded(self, since: datetime, written: str) -> None:
        assert early(since) == written

    def test_what_came_too_early_is_dropped_and_the_walk_goes_on_behind_it(self) -> None:
        moments = ["2026-05-01T06:59:59-05:00", "2026-05-01T07:00:00-05:00", None]
        contacts = [{"id": str(n), "udate": each} for n, each in enumerate(moments, 1)]
        partner = script(ok({"contacts": contacts}), ok({"contacts": []}))
        since = minutes(0) + timedelta(milliseconds=500)
        first = partner.hold(ACTIVECAMPAIGN.list(LEADS, since=since, limit=3))
        last = partner.hold(ACTIVECAMPAIGN.list(LEADS, since=since, cursor=first.cursor, limit=3))
        assert [answer.item["id"] for answer in first.answers] == ["2", "3"]
        assert last.cursor is None
        queries = [dict(request.query) for request in partner.requests]
        common = {"orders[id]": "ASC", "filters[updated_after]": "2026-04-29T22:00:00.000Z", "limit": "3"}
        assert queries == [common, common | {"id_greater": "3"}]


class TestRemoved:
    def test_a_contact_that_says_it_was_deleted_is_not_there(self) -> None:
        gone = {"id": "1", "email": "ada@example.com", "deleted": "1"}
        page = script(ok({"contacts": [gone]})).hold(ACTIVECAMPAIGN.list(LEADS, limit=5))
        assert page.answers == []
        problem = refused(script(ok({"contact": gone})), ACTIVECAMPAIGN.get(LEADS, "1"))
        assert (problem.kind, problem.outcome) == (Kind.CRM_NOT_FOUND, Outcome.NOTHING)


class TestPipelines:
    def test_each_has_its_own_of_the_stages_beside_them(self) -> None:
        page = script(ok(told("pipelines_list"))).hold(ACTIVECAMPAIGN.list(PIPELINES, limit=5))
        first, second = (answer.item for answer in page.answers)
        assert first == {
            "id": "3",
            "name": "Nango Test Pipeline 1779959097648",
            "entity": "opportunity",
            "stages": [{"id": "7", "name": "To Contact", "pipeline": {"id": "3"}}],
            "created_at": "2026-05-28T09:04:57Z",
        }
        assert [each["id"] for each in second["stages"]] == ["10", "11", "12"]
        read = script(ok(told("pipeline_get"))).hold(ACTIVECAMPAIGN.get(PIPELINES, "3"))
        assert read.item == first

    def test_a_new_one_takes_the_currency_of_the_first(self) -> None:
        partner = script(ok(told("pipelines_list")), ok({"dealGroup": {"id": "9", "title": "New"}}, 201))
        answer = partner.hold(ACTIVECAMPAIGN.create(PIPELINES, PIPELINE.draft({"name": "New"})))
        assert partner.unsafe == [partner.requests[1]]
        assert partner.unsafe[0].json == {"dealGroup": {"title": "New", "currency": "usd"}}
        assert answer.item["id"] == "9"
        assert isinstance(PIPELINES.offer("create"), Emulated)

    def test_a_currency_that_was_given_is_kept_and_none_is_guessed(self) -> None:
        draft = PIPELINE.draft({"name": "New"}, {"dealGroup": {"currency": "eur"}})
        assert next(ACTIVECAMPAIGN.create(PIPELINES, draft)).json == {"dealGroup": {"title": "New", "currency": "eur"}}
        partner = script(ok({"dealGroups": []}))
        problem = refused(partner, ACTIVECAMPAIGN.create(PIPELINES, PIPELINE.draft({"name": "New"})))
        assert (problem.kind, problem.outcome) == (Kind.INVALID, Outcome.NOTHING)
        assert problem.faults[0].pointer == "#/remote_data/dealGroup/currency"


class TestStages:
    def test_one_is_made_in_its_pipeline_and_answered_whole(self) -> None:
        made = {"title": "Sent", "group": "3", "order": 3, "cdate": "2026-05-28T05:07:58-05:00", "id": "23"}
        partner = script(ok({"dealGroups": [{"id": "3"}], "dealStage": made}, 201))
        draft = STAGE.draft({"name": "Sent", "pipeline": {"id": "3"}})
        answer = partner.hold(ACTIVECAMPAIGN.create(STAGES, draft))
        [request] = partner.requests
        assert (request.path, request.json) == ("/api/3/dealStages", {"dealStage": {"title": "Sent", "group": "3"}})
        assert answer.item == {
            "id": "23",
            "name": "Sent",
            "pipeline": {"id": "3"},
            "position": 3,
            "created_at": "2026-05-28T10:07:58Z",
        }

    def test_a_position_is_a_number_though_it_is_told_as_a_text(self) -> None:
        read = script(ok(told("stage_get"))).hold(ACTIVECAMPAIGN.get(STAGES, "1"))
        assert read.item == {"id": "1", "name": "To Contact", "pipeline": {"id": "1"}, "position": 1}


HOLDERS = pytest.mark.parametrize(
    ("resource", "path", "filter_", "name"),
    [
        (PIPELINES, "/api/3/dealGroups/7", "filters[group]", "pipeline"),
        (STAGES, "/api/3/dealStages/7", "filters[stage]", "stage"),
    ],
    ids=["pipelines", "stages"],
)


class TestDelete:
    """The vendor deletes the deals with what holds them, and no answer of it tells."""

    @HOLDERS
    def test_what_holds_deals_stays(self, resource: Resource, path: str, filter_: str, name: str) -> None:
        deals = told("deals_list_updated_after")
        assert deals["deals"][0]["isDisabled"], "one that the user may not see counts as well"
        partner = script(ok(deals))
        problem = refused(partner, ACTIVECAMPAIGN.delete(resource, "7"))
        assert (problem.kind, problem.outcome) == (Kind.CRM_CONFLICT, Outcome.NOTHING)
        assert problem.detail == f"The {name} holds deals, which would be deleted with it."
        [request] = partner.requests
        assert (request.method, request.path) == ("GET", "/api/3/deals")
        assert dict(request.query) == {filter_: "7", "limit": "1"}
        assert isinstance(resource.offer("delete"), Emulated)

    @HOLDERS
    def test_what_holds_none_goes(self, resource: Resource, path: str, filter_: str, name: str) -> None:
        partner = script(ok({"deals": [], "meta": {"total": 0}}), ok({}))
        partner.hold(ACTIVECAMPAIGN.delete(resource, "7"))
        assert [(each.method, each.path) for each in partner.requests] == [("GET", "/api/3/deals"), ("DELETE", path)]

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (ok({}), Kind.CRM_UNAVAILABLE),
            (ok({"deals": None}), Kind.CRM_UNAVAILABLE),
            (ok(None), Kind.CRM_UNAVAILABLE),
            (Response(400, {}, {}), Kind.CRM_REJECTED),
            (Response(404, {}, {"message": "Not Found"}), Kind.CRM_NOT_FOUND),
        ],
    )
    def test_nothing_is_deleted_until_the_deals_are_told(self, answer: Response, kind: Kind) -> None:
        partner = script(answer)
        problem = refused(partner, ACTIVECAMPAIGN.delete(STAGES, "7"))
        assert (problem.kind, problem.outcome) == (kind, Outcome.NOTHING)
        assert [each.method for each in partner.requests] == ["GET"]

    @pytest.mark.parametrize("id", ["first", "", "7/x", "-1", "٣"])
    def test_an_id_that_is_no_number_is_not_asked_for(self, id: str) -> None:
        for resource in (LEADS, PIPELINES, STAGES, CONTACTS, COMPANIES, DEALS, USERS):
            for talk in (ACTIVECAMPAIGN.delete(resource, id), ACTIVECAMPAIGN.get(resource, id)):
                partner = script()
                assert refused(partner, talk).kind is Kind.CRM_BAD_ID
                assert partner.requests == []

    def test_what_a_caller_passes_on_does_not_narrow_the_look_at_the_deals(self) -> None:
        passed = (("filters[stage]", "0"), ("limit", "0"))
        partner = script(ok({"deals": []}), ok({}))
        partner.hold(passing(ACTIVECAMPAIGN.delete(PIPELINES, "7"), passed, reads=False))
        assert [(each.method, each.passed) for each in partner.requests] == [("GET", ()), ("DELETE", passed)]

    def test_a_contact_goes_unasked(self) -> None:
        partner = script(ok({}))
        partner.hold(ACTIVECAMPAIGN.delete(LEADS, "7"))
        assert [(each.method, each.path) for each in partner.requests] == [("DELETE", "/api/3/contacts/7")]


class TestHosts:
    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            ("https://acme.api-us1.com", True),
            ("https://acme.activehosted.com", True),
            ("https://api-us1.com", False),
            ("https://acme.api-us1.com.example.com", False),
            ("http://acme.api-us1.com", False),
        ],
    )
    def test_an_account_lives_below_the_vendors_domains(self, origin: str, allowed: bool) -> None:
        assert CRM.hosts["api"].allows(origin) is allowed
        assert CRM.hosts["api"].default is None


class TestObjects:
    """Contacts, accounts, deals and users, each read by its id in one request."""

    LINK: ClassVar = {"id": "7", "account": "9", "contact": "1", "jobTitle": "Head of Programmes"}

    def test_a_recorded_contact_is_read(self) -> None:
        partner = script(ok(told("contact_get")))
        assert partner.hold(ACTIVECAMPAIGN.get(CONTACTS, "1")).item == {
            "id": "1",
            "first_name": "API Test",
            "name": "API Test",
            "emails": [{"email": "api@nango.dev", "type": "primary"}],
            "created_at": "2026-05-28T08:05:54Z",
            "updated_at": "2026-05-28T10:07:18Z",
        }
        assert [(each.path, each.query) for each in partner.requests] == [("/api/3/contacts/1", {})]

    def test_the_company_of_a_contact_and_its_title_there_stand_beside_it(self) -> None:
        body = told("contact_get")
        values = [{"field": "1", "value": "Brass"}]
        body |= {"accountContacts": [self.LINK], "fieldValues": values}
        body["contact"] |= {"accountContacts": ["7"], "lastName": "Lovelace", "phone": "+44 20 7946 0001"}
        item = ACTIVECAMPAIGN.item(CONTACTS, body)
        assert (item["company"], item["title"], item["name"]) == (
            {"id": "9"},
            "Head of Programmes",
            "API Test Lovelace",
        )
        assert item["phones"] == [{"number": "+44 20 7946 0001", "type": "primary"}]
        assert item["custom_fields"] == {"1": "Brass"}

    def test_a_title_that_was_left_empty_is_none(self) -> None:
        item = ACTIVECAMPAIGN.item(CONTACTS, told("contact_get") | told("contact_account_contacts_list"))
        assert item["company"] == {"id": "9"}
        assert "title" not in item

    def test_a_recorded_account_is_read(self) -> None:
        partner = script(ok(told("account_get")))
        assert partner.hold(ACTIVECAMPAIGN.get(COMPANIES, "1")).item == {
            "id": "1",
            "name": "Nango Test Corp",
            "website": "https://nango.dev",
            "owner": {"id": "1"},
            "created_at": "2026-05-28T08:43:35Z",
            "updated_at": "2026-05-28T08:43:35Z",
        }
        assert [(each.path, each.query) for each in partner.requests] == [("/api/3/accounts/1", {})]

    def test_the_answer_to_a_create_of_an_account_is_read(self) -> None:
        assert ACTIVECAMPAIGN.item(COMPANIES, told("account_create")) == {
            "id": "14",
            "name": "Nango Test Account Final",
            "owner": {"id": "1"},
            "created_at": "2026-05-28T09:05:48Z",
            "updated_at": "2026-05-28T09:05:48Z",
        }

    def test_a_deal_of_the_vendors_pages_is_read_in_units_of_its_currency(self) -> None:
        partner = script(ok(told("deal_get_with_pipeline_permission")))
        assert partner.hold(ACTIVECAMPAIGN.get(DEALS, "46")).item == {
            "id": "46",
            "name": "Able Hyena",
            "amount": 18721.51,
            "currency": "USD",
            "pipeline": {"id": "1"},
            "stage": {"id": "2"},
            "status": "open",
            "probability": 44,
            "description": "Article do skill hope.",
            "company": {"id": "20"},
            "contact": {"id": "39"},
            "owner": {"id": "1"},
            "created_at": "2019-09-06T16:29:48Z",
            "updated_at": "2019-09-06T16:29:48Z",
        }
        assert [(each.path, each.query) for each in partner.requests] == [("/api/3/deals/46", {})]

    def test_the_answer_to_a_create_of_a_deal_is_read_though_its_numbers_are_no_texts(self) -> None:
        assert ACTIVECAMPAIGN.item(DEALS, told("deal_create")) == {
            "id": "15",
            "name": "Nango Test Deal",
            "amount": 100,
            "currency": "USD",
            "pipeline": {"id": "4"},
            "stage": {"id": "10"},
            "status": "open",
            "contact": {"id": "1"},
            "owner": {"id": "1"},
            "created_at": "2026-05-28T09:05:28Z",
            "updated_at": "2026-05-28T09:05:28Z",
        }

    @pytest.mark.parametrize(("theirs", "ours"), [("0", "open"), (1, "won"), ("2", "lost"), ("3", None), (None, None)])
    def test_a_deal_is_open_won_or_lost(self, theirs: Any, ours: str | None) -> None:
        assert ACTIVECAMPAIGN.item(DEALS, {"deal": {"id": "1", "status": theirs}}).get("status") == ours

    def test_nobody_is_a_zero(self) -> None:
        nobody = {"id": "1", "title": "x", "contact": "0", "owner": 0, "account": "0", "group": "1"}
        assert ACTIVECAMPAIGN.item(DEALS, {"deal": nobody}) == {"id": "1", "name": "x", "pipeline": {"id": "1"}}

    @pytest.mark.parametrize(
        "name", ["deal_get_without_pipeline_permission", "deal_get_without_pipeline_permission_doc"]
    )
    def test_a_deal_of_which_a_part_is_told_may_not_be_seen(self, name: str) -> None:
        """It is no dead key either: nothing more is asked."""
        partner = script(ok(told(name)))
        problem = refused(partner, ACTIVECAMPAIGN.get(DEALS, "1"))
        assert (problem.kind, problem.outcome, len(partner.requests)) == (Kind.CRM_FORBIDDEN, Outcome.NOTHING, 1)

    def test_a_user_of_the_vendors_pages_is_read(self) -> None:
        partner = script(ok(told("user_get")))
        assert partner.hold(ACTIVECAMPAIGN.get(USERS, "1")).item == {
            "id": "1",
            "first_name": "John",
            "last_name": "Doe",
            "name": "John Doe",
            "email": "johndoe@example.com",
        }
        assert [(each.path, each.query) for each in partner.requests] == [("/api/3/users/1", {})]

    def test_a_contact_comes_back_as_it_was_written(self) -> None:
        item = {
            "first_name": "Ada",
            "last_name": "Lovelace",
            "emails": [{"email": "ada@example.com", "type": "primary"}],
            "phones": [{"number": "+442079460001", "type": "primary"}],
            "custom_fields": {"1": "Brass"},
        }
        drafted = ACTIVECAMPAIGN.draft(CONTACTS, {**item, "title": "Countess"})
        assert drafted.ignored == ("title",)
        assert ACTIVECAMPAIGN.item(CONTACTS, drafted.body) == {**item, "name": "Ada Lovelace"}

    def test_an_account_comes_back_as_it_was_written(self) -> None:
        item = {
            "name": "Engines",
            "website": "https://engines.example",
            "owner": {"id": "1"},
            "custom_fields": {"9": "500-1000"},
        }
        drafted = ACTIVECAMPAIGN.draft(COMPANIES, item)
        assert drafted.body == {
            "account": {
                "name": "Engines",
                "accountUrl": "https://engines.example",
                "owner": 1,
                "fields": [{"customFieldId": 9, "fieldValue": "500-1000"}],
            }
        }
        assert (drafted.ignored, ACTIVECAMPAIGN.item(COMPANIES, drafted.body)) == ((), item)

    def test_a_deal_is_written_in_cents_and_small_letters(self) -> None:
        item = {
            "name": "Engine no. 2",
            "amount": 12500.5,
            "currency": "GBP",
            "pipeline": {"id": "4"},
            "stage": {"id": "10"},
            "status": "won",
            "description": "One engine.",
            "company": {"id": "9"},
            "contact": {"id": "1"},
            "owner": {"id": "1"},
            "custom_fields": {"2": "Difference"},
        }
        drafted = ACTIVECAMPAIGN.draft(DEALS, {**item, "close_date": date(2026, 12, 31)})
        assert drafted.body == {
            "deal": {
                "title": "Engine no. 2",
                "value": 1250050,
                "currency": "gbp",
                "group": "4",
                "stage": "10",
                "status": 1,
                "description": "One engine.",
                "account": "9",
                "contact": "1",
                "owner": "1",
                "fields": [{"customFieldId": 2, "fieldValue": "Difference"}],
            }
        }
        assert drafted.ignored == ("close_date",)
        assert ACTIVECAMPAIGN.item(DEALS, drafted.body) == item

    def test_the_deal_that_was_recorded_as_made_is_the_one_that_we_would_write(self) -> None:
        sent = recorded("deal_create")["request"]["body"]
        refs = {name: {"id": id} for name, id in (("contact", "1"), ("owner", "1"), ("pipeline", "4"), ("stage", "10"))}
        item = {"name": "Nango Test Deal", "amount": 100, "currency": "USD", **refs}
        assert ACTIVECAMPAIGN.draft(DEALS, item).body == sent

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS, USERS])
    def test_a_read_that_fails_says_why(self, resource: Resource) -> None:
        missing, odd = told("error_contact_not_found_404"), told("error_note_not_found_403")
        for status, body, kind in ((404, missing, Kind.CRM_NOT_FOUND), (403, odd, Kind.CRM_NOT_FOUND)):
            partner = script(Response(status, {}, body))
            assert refused(partner, ACTIVECAMPAIGN.get(resource, "1")).kind is kind
            assert len(partner.requests) == 1
        partner = script(FORBIDDEN, ok({"user": {"id": "1"}}))
        assert refused(partner, ACTIVECAMPAIGN.get(resource, "1")).kind is Kind.CRM_FORBIDDEN

    @pytest.mark.parametrize("body", [None, {}, {"message": "Bad Request"}])
    def test_a_user_who_is_not_there_may_be_a_bad_request(self, body: Any) -> None:
        """The document has a 400 for users, with an empty example, and no 404; of other records a 400 says nothing."""
        assert refused(script(Response(400, {}, body)), ACTIVECAMPAIGN.get(USERS, "9")).kind is Kind.CRM_NOT_FOUND
        deal = script(ok(told("deal_get_with_pipeline_permission"))).hold(ACTIVECAMPAIGN.get(DEALS, "46"))
        partner = script(Response(400, {}, body))
        assert partner.hold(ACTIVECAMPAIGN.related(DEALS, deal, "owner", USERS)) is None
        assert refused(script(Response(400, {}, body)), ACTIVECAMPAIGN.get(DEALS, "9")).kind is Kind.CRM_REJECTED

    def test_a_contact_that_was_deleted_is_not_found(self) -> None:
        partner = script(ok({"contact": {"id": "1", "email": "ada@example.com", "deleted": "1"}}))
        assert refused(partner, ACTIVECAMPAIGN.get(CONTACTS, "1")).kind is Kind.CRM_NOT_FOUND

    def test_related_records_are_read_by_the_ids_that_were_told(self) -> None:
        deal = script(ok(told("deal_get_with_pipeline_permission"))).hold(ACTIVECAMPAIGN.get(DEALS, "46"))
        expected = {
            "company": (COMPANIES, ok({"account": {"id": "20"}}), "/api/3/accounts/20"),
            "contact": (CONTACTS, ok({"contact": {"id": "39"}}), "/api/3/contacts/39"),
            "owner": (USERS, ok({"user": {"id": "1"}}), "/api/3/users/1"),
            "stage": (STAGES, ok({"dealStage": {"id": "2"}}), "/api/3/dealStages/2"),
            "pipeline": (PIPELINES, ok({"dealGroup": {"id": "1"}}), "/api/3/dealGroups/1"),
        }
        for name, (other, reply, path) in expected.items():
            partner = script(reply)
            found = partner.hold(ACTIVECAMPAIGN.related(DEALS, deal, name, other))
            assert found
            assert found.item["id"] == deal.item[name]["id"]
            assert [each.path for each in partner.requests] == [path]

    def test_a_pod_is_made_of_contacts_deals_or_companies(self) -> None:
        assert list(CRM.pods.items()) == [(each, each) for each in ("contacts", "deals", "companies")]


class TestListOfContacts:
    """By their ids, with what stands in other tables beside them."""

    EVER = datetime(1970, 1, 1, tzinfo=UTC)
    COMMON: ClassVar[dict[str, str]] = {
        "orders[id]": "ASC",
        "include": "fieldValues,accountContacts",
        "limit": "100",
    }

    def person(self, id: int, **more: Any) -> dict[str, Any]:
        return {"id": str(id), "email": f"{id}@example.com", "udate": "2026-05-01T07:00:00-05:00", **more}

    @pytest.mark.parametrize("since", [None, EVER], ids=["all", "since ever"])
    def test_all_are_walked_by_their_ids_a_hundred_at_once_also_who_says_no_moment(
        self, since: datetime | None
    ) -> None:
        people = [self.person(id, udate=None if id % 2 else "0000-00-00 00:00:00") for id in range(1, 151)]
        partner = script(ok({"contacts": people[:100]}), ok({"contacts": people[100:]}))
        first = partner.hold(ACTIVECAMPAIGN.list(CONTACTS, since=since, limit=2000))
        cursor = json.loads(json.dumps(first.cursor))
        last = partner.hold(ACTIVECAMPAIGN.list(CONTACTS, since=since, cursor=cursor, limit=2000))
        assert [len(first.answers), len(last.answers), last.cursor] == [100, 50, None]
        assert [(each.path, dict(each.query)) for each in partner.requests] == [
            ("/api/3/contacts", self.COMMON),
            ("/api/3/contacts", self.COMMON | {"id_greater": "100"}),
        ]

    def test_what_changed_is_asked_for_too_early_and_what_did_not_is_left_out(self) -> None:
        people = [self.person(1, udate="2026-05-01T06:59:59-05:00"), self.person(2)]
        partner = script(ok({"contacts": people}))
        page = partner.hold(ACTIVECAMPAIGN.list(CONTACTS, since=minutes(0), limit=2000))
        assert [each.item["id"] for each in page.answers] == ["2"]
        [request] = partner.requests
        assert dict(request.query) == self.COMMON | {"filters[updated_after]": "2026-04-29T22:00:00.000Z"}

    def test_each_is_given_its_own_as_a_read_tells_it(self) -> None:
        values = [{"contact": "1", "field": "7", "value": "teal"}, {"contact": "2", "field": "7", "value": ""}]
        links = [{"contact": "1", "account": "4", "jobTitle": "Countess"}]
        body = {
            "contacts": [self.person(1, accountContacts=["9"], fieldValues=["5"]), self.person(2)],
            "fieldValues": values,
            "accountContacts": links,
        }
        partner = script(
            ok(body),
            ok({"contact": self.person(1), "fieldValues": values[:1], "accountContacts": links}),
            ok({"contact": self.person(2), "fieldValues": values[1:], "accountContacts": []}),
        )
        page = partner.hold(ACTIVECAMPAIGN.list(CONTACTS, limit=2000))
        read = [partner.hold(ACTIVECAMPAIGN.get(CONTACTS, id)).item for id in ("1", "2")]
        assert [each.item for each in page.answers] == read
        assert read[0]["custom_fields"] == {"7": "teal"}
        assert (read[0]["company"], read[0]["title"]) == ({"id": "4"}, "Countess")

    def test_a_list_that_passes_over_the_wish_is_read_as_far_as_it_goes(self) -> None:
        body = told("contacts_list_default")
        page = script(ok(body)).hold(ACTIVECAMPAIGN.list(CONTACTS, since=self.EVER, limit=2000))
        assert [each.item["id"] for each in page.answers] == [each["id"] for each in body["contacts"]]
        assert page.answers[1].item["updated_at"] == "2026-05-28T08:44:23Z"

    def test_who_was_deleted_is_told_as_gone_should_the_list_hold_such(self) -> None:
        page = script(ok({"contacts": [self.person(1, deleted="1"), self.person(2)]})).hold(
            ACTIVECAMPAIGN.list(CONTACTS, since=minutes(0), limit=9)
        )
        assert ([each.item["id"] for each in page.answers], list(page.gone)) == (["2"], ["1"])
        assert CONTACTS.deletions == "swept", "the vendor's lists leave them out"
