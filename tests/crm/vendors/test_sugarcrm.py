"""What is peculiar to SugarCRM: windows of a filter, deleted records in lists, tokens asked for in JSON, options."""

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from switchboard.crm.auth import OAuth2
from switchboard.crm.catalog import Resource
from switchboard.crm.paging import OLDEST
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.sugarcrm import CRM
from switchboard.crm.wire import Request, Response
from switchboard.models.values import ID
from tests.crm.samples import CASES
from tests.crm.shared import document
from tests.crm.voices import minutes
from tests.talk import Partner, ok, script

CASE = CASES["sugarcrm-leads"]
SUGAR = CRM.dialect
LEADS = CASE.resource
STAGES = CASES["sugarcrm-stages"].resource
CONTACTS, COMPANIES, DEALS, USERS = (
    CASES[f"sugarcrm-{plural}"].resource for plural in ("contacts", "companies", "deals", "users")
)
DEAL_ID = "da6a3741-2a81-ba7f-f249-512d0932e94e"

APP = {"client_id": "sugar", "client_secret": "", "platform": "base"}


def recorded(name: str) -> Any:
    return document(f"fixtures/sugarcrm/{name}.json")


def path(shown: str) -> str:
    """A path as the vendor shows it, for the version of an account."""
    return shown.replace("/v11/", "/{version}/").replace("/v10/", "/{version}/")


def problem(*replies: Response, talk: Any = None) -> Problem:
    with pytest.raises(Problem) as caught:
        script(*replies).hold(talk or SUGAR.get(LEADS, "1"))
    return caught.value


class TestReading:
    def test_what_an_example_of_the_vendor_has_in_common_with_a_lead_is_read(self) -> None:
        shown = recorded("opportunity_record")["response"]["body"]
        assert SUGAR.item(LEADS, shown) == {
            "id": "da6a3741-2a81-ba7f-f249-512d0932e94e",
            "owner": {"id": "seed_max_id"},
            "account": {"id": "181461c6-dc81-1115-1fe0-512d092e8f15"},
            "lead_source": "Campaign",
            "created_at": "2013-02-26T19:12:00Z",
            "updated_at": "2013-02-26T19:12:00Z",
        }

    def test_a_moment_with_the_users_offset_is_told_in_utc(self) -> None:
        shown = recorded("account_create")["response"]["body"]
        assert SUGAR.item(LEADS, shown)["created_at"] == "2016-04-06T17:07:41Z"

    def test_of_several_addresses_the_primary_one_comes_first_however_its_flag_is_written(self) -> None:
        shown = recorded("contact_email_shape")["response"]["body"]["email"]
        second, first = ({**each, "email_address": f"{place}@example.com"} for place, each in enumerate(shown))
        expected = [{"email": "1@example.com", "type": "primary"}, {"email": "0@example.com"}]
        for flag, other in (("1", "0"), (True, False)):
            email = [{**second, "primary_address": other}, {**first, "primary_address": flag}]
            assert SUGAR.item(LEADS, {"email": email}) == {"email_addresses": expected}

    @pytest.mark.parametrize("converted", [True, "1", "true"])
    def test_what_a_lead_became_is_told_of_one_that_was_converted(self, converted: Any) -> None:
        related = {"contact": {"id": "c"}, "account": {"id": "a"}}
        became = {"converted_contact": "c", "converted_account": "a"}
        record = {"contact_id": "c", "account_id": "a"}
        assert SUGAR.item(LEADS, record | {"converted": converted}) == related | became
        for other in (False, "0", "", None):
            assert SUGAR.item(LEADS, record | {"converted": other}) == related

    def test_an_empty_text_is_nothing(self) -> None:
        assert SUGAR.item(LEADS, {"id": "1", "title": "", "contact_id": "", "colour_c": ""}) == {"id": "1"}

    @pytest.mark.parametrize("id", ["filter", "count", "MassUpdate", "duplicateCheck", "enum"])
    @pytest.mark.parametrize("verb", ["get", "delete"])
    def test_a_route_of_the_module_is_no_record(self, id: str, verb: str) -> None:
        for resource in (LEADS, CONTACTS, COMPANIES, DEALS, USERS):
            told = problem(talk=getattr(SUGAR, verb)(resource, id))
            assert (told.kind, told.outcome) == (Kind.CRM_BAD_ID, Outcome.NOTHING)

    @pytest.mark.parametrize("id", ["1", "seed_max_id", "e8c641ca-1b8c-74c1-d08d-56fedbdd3187"])
    def test_an_id_is_whatever_the_vendor_calls_a_record(self, id: str) -> None:
        partner = script(ok({"id": id}))
        assert partner.hold(SUGAR.get(LEADS, id)).item == {"id": id}
        assert partner.requests[0].path == "/rest/{version}/Leads/" + id


class TestCreate:
    def test_it_is_sent_as_the_vendor_shows_and_answered_whole(self) -> None:
        shown = recorded("account_create")
        emails = [{"email": "b@example.com", "type": "work"}, {"email": "a@example.com", "type": "primary"}]
        draft = CASE.draft({"last_name": "Lovelace", "owner": {"id": "seed_max_id"}, "email_addresses": emails})
        partner = script(Response(shown["response"]["status"], {}, shown["response"]["body"]))
        answer = partner.hold(SUGAR.create(LEADS, draft))
        [request] = partner.requests
        assert (request.method, request.path) == ("POST", path(shown["request"]["path"]).replace("Accounts", "Leads"))
        assert request.json == {
            "last_name": "Lovelace",
            "assigned_user_id": "seed_max_id",
            "email": [
                {"email_address": "a@example.com", "primary_address": True},
                {"email_address": "b@example.com", "primary_address": False},
            ],
        }
        assert draft.ignored == ("email_addresses[0].type",)
        assert (answer.item["id"], answer.raw, answer.partial) == (
            "ab2222df-73da-0e92-6887-5705428f4d68",
            shown["response"]["body"],
            False,
        )

    def test_a_number_for_which_a_lead_has_no_field_is_named(self) -> None:
        kinds = ("work", "fax", "secondary")
        draft = CASE.draft({"last_name": "x", "phone_numbers": [{"number": each, "type": each} for each in kinds]})
        assert draft.body == {"last_name": "x", "phone_work": "work"}
        assert draft.ignored == ("phone_numbers[1]", "phone_numbers[2]")

    @pytest.mark.parametrize("name", ["colour", "last_name", "_acl"])
    def test_a_name_that_does_not_end_as_custom_fields_do_is_refused(self, name: str) -> None:
        with pytest.raises(Problem) as caught:
            CASE.draft({"last_name": "x", "custom_fields": {name: "x"}})
        assert [fault.code for fault in caught.value.faults] == ["not_custom"]

    def test_what_a_lead_became_is_not_to_be_written(self) -> None:
        draft = CASE.draft({"last_name": "x", "converted_contact": {"id": "c"}})
        assert (draft.body, draft.ignored) == ({"last_name": "x"}, ("converted_contact",))


def lead(number: int, minute: int, **columns: Any) -> dict[str, Any]:
    return {"id": f"lead-{number}", "date_modified": minutes(minute).isoformat(), **columns}


class Module:
    """A module of an instance, filtered as documented; pages are never longer than the administrator set."""

    def __init__(self, *records: dict[str, Any], longest: int = 1000, name: str = "Leads") -> None:
        self.records = list(records)
        self.longest = longest
        self.path = f"/rest/{{version}}/{name}/filter"
        self.bodies: list[dict[str, Any]] = []

    def answer(self, request: Request) -> Response:
        assert (request.method, request.path, request.safe) == ("POST", self.path, True)
        body = request.json
        self.bodies.append(body)
        [clause] = body.get("filter", [{"date_modified": {"$gte": ""}}])
        assert body["order_by"] == "date_modified:ASC,id:ASC"
        start, size = body["offset"], min(body["max_num"], self.longest)
        shown = sorted(
            (each for each in self.records if body.get("deleted") or not each.get("deleted")),
            key=lambda each: (each["date_modified"], each["id"]),
        )
        found = [each for each in shown if each["date_modified"] >= clause["date_modified"]["$gte"]]
        end = start + size
        return ok({"next_offset": end if end < len(found) else -1, "records": found[start:end]})

    def walk(self, talk: Any, part: str = "answers", turns: int = 50) -> list[str]:
        """The ids of all pages."""
        given: list[str] = []
        cursor: Any = {}
        for _ in range(turns):
            page = Partner(self.answer).hold(talk(cursor))
            found: Sequence[Any] = getattr(page, part)
            given += [each if isinstance(each, str) else each.item["id"] for each in found]
            if page.cursor is None:
                return given
            cursor = json.loads(json.dumps(page.cursor))
        raise AssertionError("it does not end")


class TestList:
    @pytest.mark.parametrize("since", [None, minutes(0)], ids=["all", "changed"])
    @pytest.mark.parametrize(("limit", "longest"), [(2, 1000), (3, 2), (100, 1)])
    def test_nothing_is_given_twice_and_nothing_left_out(self, since: Any, limit: int, longest: int) -> None:
        module = Module(*(lead(number, number // 4) for number in range(10)), longest=longest)
        found = module.walk(lambda cursor: SUGAR.list(LEADS, since=since, cursor=cursor, limit=limit))
        assert found == [f"lead-{number}" for number in range(10)]

    def test_a_lead_that_changes_meanwhile_draws_no_other_over_the_edge(self) -> None:
        module = Module(*(lead(number, number) for number in range(6)))
        first = Partner(module.answer).hold(SUGAR.list(LEADS, limit=3))
        module.records[0] = lead(0, 99)
        found = module.walk(lambda cursor: SUGAR.list(LEADS, cursor=cursor or first.cursor, limit=3))
        assert found == ["lead-3", "lead-4", "lead-5", "lead-0"]

    def test_what_changed_is_asked_for_as_a_client_of_the_vendors_does(self) -> None:
        partner = script(ok(recorded("list_empty")["response"]["body"]))
        page = partner.hold(SUGAR.list(LEADS, since=minutes(0), limit=50))
        assert (page.answers, page.cursor) == ([], None)
        assert partner.requests[0].json == {
            "filter": [{"date_modified": {"$gte": "2026-05-01T12:00:00+00:00"}}],
            "order_by": "date_modified:ASC,id:ASC",
            "offset": 0,
            "max_num": 50,
        }

    @pytest.mark.parametrize("told", [-1, "-1", 0, None, "soon", 1.5], ids=repr)
    def test_a_next_page_that_is_none_ends_the_list(self, told: Any) -> None:
        body = {"next_offset": told, "records": [lead(1, 1)]}
        assert script(ok(body)).hold(SUGAR.list(LEADS, limit=1)).cursor is None

    def test_a_lost_create_is_looked_for_among_what_changed_since(self) -> None:
        made = {"last_name": "Lovelace", "date_entered": minutes(1).isoformat()}
        module = Module(lead(1, 1, **made | {"last_name": "Byron"}), lead(2, 1, **made))
        partner = Partner(module.answer)
        assert partner.hold(SUGAR.find(LEADS, CASE.draft({"last_name": "Lovelace"}), minutes(0))) == "lead-2"

    def test_a_lost_create_is_known_by_its_addresses_in_whatever_order_and_but_once(self) -> None:
        emails = [{"email": "a@b.c", "type": "primary"}, {"email": "d@e.f"}, {"email": "A@b.c"}]
        draft = CASE.draft({"last_name": "Lovelace", "email_addresses": emails})
        kept = [{"email_address": "d@e.f", "primary_address": "0"}, {"email_address": "a@b.c", "primary_address": "1"}]
        made = {"last_name": "Lovelace", "date_entered": minutes(1).isoformat()}
        module = Module(lead(1, 1, **made, email=kept[:1]), lead(2, 1, **made, email=kept))
        assert Partner(module.answer).hold(SUGAR.find(LEADS, draft, minutes(0))) == "lead-2"


class TestDeleted:
    def test_those_that_were_deleted_since_are_found_among_what_changed(self) -> None:
        records = [lead(number, number, deleted=bool(number % 2)) for number in range(7)]
        module = Module(*records, longest=2)
        gone = module.walk(lambda cursor: SUGAR.deleted(LEADS, since=minutes(2), cursor=cursor), part="ids")
        assert gone == ["lead-3", "lead-5"]
        assert all((body["deleted"], body["fields"]) == (True, "id,date_modified,deleted") for body in module.bodies)

    def test_an_option_is_never_told_as_deleted(self) -> None:
        assert script().hold(SUGAR.deleted(STAGES, since=minutes(0))) is None


class TestContacts:
    """What changed of contacts has what was deleted, too."""

    def test_the_first_page_asks_for_all_that_ever_changed_and_for_what_was_deleted(self) -> None:
        request = next(SUGAR.list(CONTACTS, since=OLDEST, limit=2000))
        assert (request.method, request.path, request.safe) == ("POST", "/rest/{version}/Contacts/filter", True)
        assert request.json == {
            "filter": [{"date_modified": {"$gte": "1970-01-01T00:00:00+00:00"}}],
            "order_by": "date_modified:ASC,id:ASC",
            "offset": 0,
            "max_num": 200,
            "deleted": True,
        }

    def test_every_page_begins_at_the_last_moment_of_the_one_before(self) -> None:
        module = Module(*(lead(number, number) for number in range(5)), name="Contacts")
        first = Partner(module.answer).hold(SUGAR.list(CONTACTS, since=OLDEST, limit=2))
        assert first.cursor == {"from": "2026-05-01T12:01:00+00:00", "seen": ["lead-1"]}
        module.records[0] = lead(0, 99)
        found = module.walk(lambda cursor: SUGAR.list(CONTACTS, since=OLDEST, cursor=cursor or first.cursor, limit=2))
        assert found == ["lead-2", "lead-3", "lead-4", "lead-0"]
        assert module.bodies[1]["filter"] == [{"date_modified": {"$gte": "2026-05-01T12:01:00+00:00"}}]
        assert module.bodies[1]["offset"] == 0

    @pytest.mark.parametrize("limit", [2, 3, 100])
    def test_more_contacts_of_one_moment_than_a_page_has_are_given_once(self, limit: int) -> None:
        module = Module(*(lead(number, number // 7) for number in range(21)), name="Contacts")
        found = module.walk(lambda cursor: SUGAR.list(CONTACTS, since=OLDEST, cursor=cursor, limit=limit))
        assert sorted(found) == sorted(f"lead-{number}" for number in range(21))

    @pytest.mark.parametrize("flag", [True, "1"])
    def test_those_that_were_deleted_are_told_by_their_ids(self, flag: Any) -> None:
        module = Module(lead(1, 1, deleted=flag), lead(2, 2, deleted=False), lead(3, 3, deleted=flag), name="Contacts")
        page = Partner(module.answer).hold(SUGAR.list(CONTACTS, since=minutes(0), limit=5))
        assert ([answer.item["id"] for answer in page.answers], page.gone) == (["lead-2"], ("lead-1", "lead-3"))
        assert CONTACTS.deletions == "told"
        assert script().hold(SUGAR.deleted(CONTACTS, since=minutes(0))) is None

    def test_without_a_moment_only_those_that_are_there_come(self) -> None:
        request = next(SUGAR.list(CONTACTS, limit=5))
        assert request.json == {"order_by": "date_modified:ASC,id:ASC", "offset": 0, "max_num": 5}

    def test_an_item_of_the_list_is_that_of_a_read(self) -> None:
        """All fields come where none are named, custom ones and those of other records' names."""
        body = lead(
            1,
            1,
            date_entered="2013-02-26T19:12:00+00:00",
            account_id="a",
            account_name="Analytical Engines",
            assigned_user_id="seed_max_id",
            assigned_user_name="Max Jensen",
            colour_c="teal",
            size_c="",
            deleted=False,
        )
        [listed] = (
            script(ok({"next_offset": -1, "records": [body]})).hold(SUGAR.list(CONTACTS, since=OLDEST, limit=5)).answers
        )
        assert listed.item == script(ok(body)).hold(SUGAR.get(CONTACTS, "lead-1")).item
        assert listed.item["company"] == {"id": "a", "name": "Analytical Engines"}
        assert listed.item["custom_fields"] == {"colour_c": "teal"}
        assert (listed.item["created_at"], listed.item["updated_at"]) == (
            "2013-02-26T19:12:00Z",
            "2026-05-01T12:01:00Z",
        )


class TestTokens:
    def refreshed(self, app: dict[str, str], *replies: Response, **own: str) -> tuple[Any, Request]:
        scheme = CRM.auth["oauth2"]
        assert isinstance(scheme, OAuth2)
        partner = script(*replies)
        token = partner.hold(scheme.refresh({"refresh_token": "c1be5132-655b-1ca3-fb44-512e36709871"} | own, app))
        [request] = partner.requests
        return token, request

    def test_a_refresh_is_the_one_that_the_vendor_shows(self) -> None:
        shown = recorded("token_refresh_request")["request"]
        token, request = self.refreshed(APP, ok(recorded("token_password")["response"]["body"]))
        assert (request.method, request.path, request.to) == (shown["method"], path(shown["path"]), "token")
        assert (request.json, request.form) == (shown["body"], None)
        assert (token.refresh_token, token.expires_in) == ("cbc40e67-12bc-4b56-a1d9-533ef62f2601", 3600)

    def test_both_tokens_are_new(self) -> None:
        token, _ = self.refreshed(APP, ok(recorded("token_refresh_rotates")["response"]["body"]))
        assert (token.access_token, token.refresh_token) == ("AA1", "RR1")

    def test_the_platform_of_the_account_is_named(self) -> None:
        _, request = self.refreshed(APP | {"platform": "custom_api"}, ok({"access_token": "a"}))
        assert request.json["platform"] == "custom_api"

    def test_an_account_has_to_name_its_platform_and_none_is_named_in_its_place(self) -> None:
        assert CRM.settings["platform"].default is None
        _, request = self.refreshed({"client_id": "sugar", "client_secret": ""}, ok({"access_token": "a"}))
        assert "platform" not in request.json

    @pytest.mark.parametrize("status", [400, 422])
    def test_a_platform_that_is_not_registered_is_for_an_operator_to_mend(self, status: int) -> None:
        with pytest.raises(Problem, match=r"`platform`.* operator") as caught:
            self.refreshed(APP, Response(status, {}, {"error": "invalid_parameter", "error_message": "no"}))
        assert (caught.value.kind, caught.value.retry_after) == (Kind.CRM_REJECTED, None)

    def test_a_refresh_token_that_is_dead_wants_the_account_to_be_connected_again(self) -> None:
        with pytest.raises(Problem) as caught:
            self.refreshed(APP, Response(401, {}, recorded("error_bad_credentials_401")["response"]["body"]))
        assert caught.value.kind is Kind.NEEDS_REAUTH

    def test_a_client_of_the_accounts_own_goes_before_our_app(self) -> None:
        _, request = self.refreshed(APP, ok({"access_token": "a"}), client_id="theirs", client_secret="own")
        assert (request.json["client_id"], request.json["client_secret"]) == ("theirs", "own")
        assert request.json.keys() == recorded("token_refresh_request")["request"]["body"].keys()

    def test_a_request_is_signed_as_the_vendor_shows(self) -> None:
        shown = recorded("account_create")["request"]["headers"]
        signed = CRM.auth["oauth2"].sign({"access_token": "<access_token>", "refresh_token": "r"})
        assert signed == {name.lower(): value for name, value in shown.items()}

    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            ("https://acme.sugarondemand.com", True),
            ("https://acme.sugaropencloud.eu", True),
            ("https://crm.acme.com", False),
            ("https://acme.sugarondemand.com.evil.com", False),
        ],
    )
    def test_an_instance_in_the_vendors_cloud_hands_out_its_own_tokens(self, origin: str, allowed: bool) -> None:
        assert [CRM.hosts[party].allows(origin) for party in ("api", "token")] == [allowed, allowed]


class TestRefusals:
    def test_the_label_tells_the_kind_and_the_text_is_kept(self) -> None:
        body = recorded("error_bad_credentials_401")["response"]["body"]
        told = problem(Response(401, {}, body))
        assert told.remote
        assert (told.kind, told.remote.code, told.remote.message) == (
            Kind.NEEDS_REAUTH,
            "need_login",
            "Debe especificar un usuario y contraseña válidos.",
        )

    def test_a_path_that_is_not_there_says_nothing_of_a_record(self) -> None:
        assert problem(Response(404, {}, {"error": "no_method"})).kind is Kind.CRM_REJECTED
        assert problem(Response(404, {}, {"error": "not_found"})).kind is Kind.CRM_NOT_FOUND

    def test_a_version_that_is_not_served_is_not_followed_elsewhere(self) -> None:
        told = problem(Response(301, {"location": "/rest/v10"}, {"error": "incorrect_version"}))
        assert (told.kind, told.outcome) == (Kind.CRM_REJECTED, Outcome.NOTHING)

    def test_a_throttle_of_a_proxy_in_front_tells_its_wait(self) -> None:
        told = problem(Response(429, {"retry-after": "7"}, "<html>", readable=False))
        assert (told.kind, told.retry_after) == (Kind.CRM_RATE_LIMITED, 7)


class TestStages:
    OPTIONS = {"": "", "Prospecting": "Erstkontakt", "Proposal/Price Quote": "Angebot", "Closed Won": "Gewonnen"}  # noqa: RUF012

    def test_they_are_the_options_of_a_field_in_order(self) -> None:
        partner = script(ok(self.OPTIONS))
        found = partner.hold(SUGAR.list(STAGES, limit=2))
        assert partner.requests[0].path == "/rest/{version}/Opportunities/enum/sales_stage"
        assert found.answers[0].item == {"id": "Prospecting", "name": "Erstkontakt", "position": 1}
        assert len(found.answers) == 2
        rest = script(ok(self.OPTIONS)).hold(SUGAR.list(STAGES, cursor=found.cursor, limit=2))
        assert ([each.item["name"] for each in rest.answers], rest.cursor) == (["Gewonnen"], None)

    @pytest.mark.parametrize("key", [*list(OPTIONS)[1:], "a b", "a+b", "a~b", "ü", "100%", "a\\b?#"])
    def test_each_has_an_id_that_can_be_asked_for(self, key: str) -> None:
        [answer] = script(ok({key: "x"})).hold(SUGAR.list(STAGES, limit=2)).answers
        id = answer.item["id"]
        assert re.fullmatch(ID, id)
        read = script(ok({"other": "y", key: "x"})).hold(SUGAR.get(STAGES, id))
        assert (read.item["id"], read.item["name"], read.raw["key"]) == (id, "x", key)

    def test_what_is_no_option_is_not_found(self) -> None:
        told = problem(ok(self.OPTIONS), talk=SUGAR.get(STAGES, "Closed+Lost"))
        assert (told.kind, told.outcome) == (Kind.CRM_NOT_FOUND, Outcome.NOTHING)

    def test_options_whose_keys_are_numbers_may_come_as_an_array(self) -> None:
        answers = script(ok(["Open", "Won"])).hold(SUGAR.list(STAGES, limit=5)).answers
        assert [(each.item["id"], each.item["name"]) for each in answers] == [("0", "Open"), ("1", "Won")]
        assert script(ok([])).hold(SUGAR.list(STAGES, limit=5)).answers == []


class TestObjects:
    """Contacts, accounts, opportunities and users, each whole in one request."""

    @pytest.mark.parametrize(
        ("resource", "module"),
        [(CONTACTS, "Contacts"), (COMPANIES, "Accounts"), (DEALS, "Opportunities"), (USERS, "Users")],
    )
    def test_a_record_is_read_whole(self, resource: Resource, module: str) -> None:
        partner = script(ok({"id": "seed_max_id", "deleted": False}))
        assert partner.hold(SUGAR.get(resource, "seed_max_id")).item == {"id": "seed_max_id"}
        [request] = partner.requests
        assert (request.path, request.query) == (f"/rest/{{version}}/{module}/seed_max_id", {})

    def test_an_opportunity_of_the_vendors_pages_is_read(self) -> None:
        shown = recorded("opportunity_record")
        partner = script(ok(shown["response"]["body"]))
        assert partner.hold(SUGAR.get(DEALS, DEAL_ID)).item == {
            "id": DEAL_ID,
            "name": "Slender Broadband Inc - 1000 units",
            "amount": 25000,
            "stage": {"id": "Needs+Analysis"},
            "status": "open",
            "probability": 90,
            "close_date": "2013-02-27",
            "company": {"id": "181461c6-dc81-1115-1fe0-512d092e8f15", "name": "Slender Broadband Inc"},
            "owner": {"id": "seed_max_id", "name": "Max Jensen"},
            "created_at": "2013-02-26T19:12:00Z",
            "updated_at": "2013-02-26T19:12:00Z",
            "last_activity_at": "2013-02-28T18:36:00Z",
        }
        assert [each.path for each in partner.requests] == [path(shown["request"]["path"])]

    @pytest.mark.parametrize(
        ("told", "status"),
        [
            ({"sales_stage": "Closed Won"}, "won"),
            ({"sales_stage": "Closed Lost", "sales_status": "Closed Lost"}, "lost"),
            ({"sales_stage": "Abgesagt", "sales_status": "Closed Lost"}, "lost"),
            ({"sales_stage": "", "sales_status": "In Progress"}, "open"),
            ({"sales_stage": ""}, None),
        ],
    )
    def test_an_opportunity_is_closed_by_its_stage_or_its_state(self, told: Any, status: str | None) -> None:
        assert SUGAR.item(DEALS, told).get("status") == status

    def test_an_account_of_the_vendors_pages_is_read(self) -> None:
        assert SUGAR.item(COMPANIES, recorded("account_create")["response"]["body"]) == {
            "id": "ab2222df-73da-0e92-6887-5705428f4d68",
            "name": "Test Record",
            "created_at": "2016-04-06T17:07:41Z",
            "updated_at": "2016-04-06T17:07:41Z",
        }

    def test_a_contact_of_the_vendors_pages_is_read(self) -> None:
        body = recorded("opportunity_link_contact")["response"]["body"]["related_record"]
        assert SUGAR.item(CONTACTS, body) == {
            "id": "e689173e-c953-1e14-c215-512d0927e7a2",
            "first_name": "Gus",
            "last_name": "Dales",
            "name": "Gus Dales",
            "title": "Director Operations",
            "phones": [{"number": "(661) 120-2292", "type": "home"}],
            "company": {"id": "d43243c6-9b8e-2973-aee2-512d09bc34b4", "name": "Arts & Crafts Inc"},
            "owner": {"id": "seed_sally_id", "name": "Sally Bronsen"},
            "created_at": "2013-02-26T19:12:00Z",
            "updated_at": "2013-02-26T19:12:00Z",
        }

    def test_a_user_is_read(self) -> None:
        body = {
            "id": "seed_max_id",
            "user_name": "max",
            "first_name": "Max",
            "last_name": "Jensen",
            "full_name": "Max Jensen",
            "title": "",
            "status": "Active",
            "email": [
                {"email_address": "b@example.com", "primary_address": "0"},
                {"email_address": "a@example.com", "primary_address": "1"},
            ],
            "date_entered": "2016-04-06T13:07:41-04:00",
        }
        item = SUGAR.item(USERS, body)
        assert item == {
            "id": "seed_max_id",
            "name": "Max Jensen",
            "first_name": "Max",
            "last_name": "Jensen",
            "email": "a@example.com",
            "active": True,
            "created_at": "2016-04-06T17:07:41Z",
        }
        assert SUGAR.item(USERS, body | {"status": "Inactive"})["active"] is False
        assert "active" not in SUGAR.item(USERS, body | {"status": "Reserved"})

    @pytest.mark.parametrize(
        ("resource", "item", "body"),
        [
            (
                CONTACTS,
                {
                    "first_name": "Ada",
                    "last_name": "Lovelace",
                    "title": "Countess",
                    "emails": [{"email": "ada@example.com", "type": "primary"}],
                    "phones": [{"number": "1", "type": "mobile"}],
                    "company": {"id": "a"},
                    "owner": {"id": "seed_max_id"},
                    "addresses": [{"street_1": "12 Dorset Street", "city": "London"}],
                    "description": "Wants engines.",
                },
                {
                    "first_name": "Ada",
                    "last_name": "Lovelace",
                    "title": "Countess",
                    "email": [{"email_address": "ada@example.com", "primary_address": True}],
                    "phone_mobile": "1",
                    "account_id": "a",
                    "assigned_user_id": "seed_max_id",
                    "primary_address_street": "12 Dorset Street",
                    "primary_address_city": "London",
                    "description": "Wants engines.",
                },
            ),
            (
                COMPANIES,
                {
                    "name": "Engines",
                    "website": "https://engines.example",
                    "phones": [{"number": "1", "type": "primary"}, {"number": "2", "type": "fax"}],
                    "industry": "Machinery",
                    "description": "Builders.",
                    "number_of_employees": 12,
                    "annual_revenue": 5000,
                    "owner": {"id": "seed_max_id"},
                    "addresses": [{"street_1": "12 Dorset Street", "country": "UK"}],
                },
                {
                    "name": "Engines",
                    "website": "https://engines.example",
                    "phone_office": "1",
                    "phone_fax": "2",
                    "industry": "Machinery",
                    "description": "Builders.",
                    "employees": "12",
                    "annual_revenue": "5000",
                    "assigned_user_id": "seed_max_id",
                    "billing_address_street": "12 Dorset Street",
                    "billing_address_country": "UK",
                },
            ),
            (
                DEALS,
                {
                    "name": "Engine no. 2",
                    "amount": 12500,
                    "stage": {"id": "Closed+Won"},
                    "probability": 90,
                    "description": "One engine.",
                    "company": {"id": "a"},
                    "owner": {"id": "seed_max_id"},
                },
                {
                    "name": "Engine no. 2",
                    "amount": 12500,
                    "sales_stage": "Closed Won",
                    "probability": 90,
                    "description": "One engine.",
                    "account_id": "a",
                    "assigned_user_id": "seed_max_id",
                },
            ),
        ],
    )
    def test_what_is_written_comes_back(self, resource: Resource, item: dict[str, Any], body: dict[str, Any]) -> None:
        item = item | {"custom_fields": {"colour_c": "teal"}}
        drafted = SUGAR.draft(resource, item)
        assert (drafted.body, drafted.ignored) == (body | {"colour_c": "teal"}, ())
        whole = {CONTACTS.plural: {}, COMPANIES.plural: {}, DEALS.plural: {"status": "won"}}[resource.plural]
        assert SUGAR.item(resource, drafted.body) == item | whole

    def test_the_numbers_of_an_account_are_texts_both_ways(self) -> None:
        item = {"name": "Engines", "number_of_employees": 12, "annual_revenue": 5000.5}
        body = SUGAR.draft(COMPANIES, item | {"annual_revenue": 5000.0}).body
        assert (body["employees"], body["annual_revenue"]) == ("12", "5000")
        assert SUGAR.item(COMPANIES, SUGAR.draft(COMPANIES, item).body) == item

    def test_an_opportunity_is_written_with_its_day_and_linked_to_its_contact(self) -> None:
        item = {"name": "x", "close_date": date(2026, 12, 31), "contact": {"id": "c"}, "currency": "GBP"}
        drafted = SUGAR.draft(DEALS, item)
        assert drafted.body == {"name": "x", "date_closed": "2026-12-31", "contacts": {"add": ["c"]}}
        assert drafted.ignored == ("currency",)
        assert SUGAR.item(DEALS, drafted.body) == {"name": "x", "close_date": "2026-12-31"}

    @pytest.mark.parametrize("key", ["Closed Won", "a b", "a+b", "a~b", "ü", "100%", "a\\b?#"])
    def test_a_stage_is_written_under_the_key_that_it_was_read_under(self, key: str) -> None:
        item = SUGAR.item(DEALS, {"sales_stage": key})
        assert re.fullmatch(ID, item["stage"]["id"])
        assert SUGAR.draft(DEALS, {"name": "x", "stage": item["stage"]}).body["sales_stage"] == key

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS, USERS])
    def test_a_read_that_fails_says_why(self, resource: Resource) -> None:
        for name, status, kind in (
            ("error_not_found_404", 404, Kind.CRM_NOT_FOUND),
            ("error_permission_403", 403, Kind.CRM_FORBIDDEN),
            ("error_no_method_404", 404, Kind.CRM_REJECTED),
        ):
            refusal = Response(status, {}, recorded(name)["response"]["body"])
            assert problem(refusal, talk=SUGAR.get(resource, "1")).kind is kind
        assert problem(ok({"id": "1", "deleted": "1"}), talk=SUGAR.get(resource, "1")).kind is Kind.CRM_NOT_FOUND

    def test_related_records_are_read_by_the_ids_that_were_told(self) -> None:
        deal = script(ok(recorded("opportunity_record")["response"]["body"])).hold(SUGAR.get(DEALS, DEAL_ID))
        for name, other, module in (("company", COMPANIES, "Accounts"), ("owner", USERS, "Users")):
            id = deal.item[name]["id"]
            partner = script(ok({"id": id}))
            found = partner.hold(SUGAR.related(DEALS, deal, name, other))
            assert found
            assert found.item == {"id": id}
            assert [each.path for each in partner.requests] == [f"/rest/{{version}}/{module}/{id}"]

    def test_the_stage_of_an_opportunity_is_found_among_the_options(self) -> None:
        deal = script(ok(recorded("opportunity_record")["response"]["body"])).hold(SUGAR.get(DEALS, DEAL_ID))
        partner = script(ok({"": "", "Needs Analysis": "Bedarf"}))
        found = partner.hold(SUGAR.related(DEALS, deal, "stage", STAGES))
        assert found
        assert (found.item["id"], found.item["name"], len(partner.requests)) == ("Needs+Analysis", "Bedarf", 1)

    def test_the_contact_of_an_opportunity_is_the_first_behind_its_link(self) -> None:
        deal = script(ok(recorded("opportunity_record")["response"]["body"])).hold(SUGAR.get(DEALS, DEAL_ID))
        partner = script(ok(recorded("account_contacts_list")["response"]["body"]))
        found = partner.hold(SUGAR.related(DEALS, deal, "contact", CONTACTS))
        assert found
        assert (found.item["id"], found.item["name"]) == ("819f4149-b007-a6da-a5fa-56fedbf2de77", "Florine Marcus")
        [request] = partner.requests
        assert request.path == f"/rest/{{version}}/Opportunities/{DEAL_ID}/link/contacts"
        assert request.query == {"max_num": "1"}
        gone = Response(404, {}, recorded("error_not_found_404")["response"]["body"])
        for nobody in (ok({"next_offset": -1, "records": []}), ok(recorded("list_empty")["response"]["body"]), gone):
            assert script(nobody).hold(SUGAR.related(DEALS, deal, "contact", CONTACTS)) is None

    def test_a_pod_is_made_of_contacts_deals_or_companies(self) -> None:
        assert list(CRM.pods.items()) == [(each, each) for each in ("contacts", "deals", "companies")]
