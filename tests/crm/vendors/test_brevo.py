"""What is peculiar to Brevo: attributes that have to exist, contacts told apart by e-mail or phone, lists in a read."""

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from switchboard.crm.auth import OAuth2
from switchboard.crm.paging import OLDEST
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.brevo import CRM
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES
from tests.crm.shared import document
from tests.crm.voices import minutes
from tests.talk import Partner, ok, script

BREVO = CRM.dialect
LEADS, PIPELINES, STAGES = (CASES[f"brevo-{plural}"].resource for plural in ("leads", "pipelines", "stages"))
CONTACTS, COMPANIES, DEALS, USERS = (
    CASES[f"brevo-{plural}"].resource for plural in ("contacts", "companies", "deals", "users")
)
DEAL_ID, OWNER_ID = "6abee6c3c7e81b8eebb3a4df", "6abbf6c2ce2b3e2509040bd6"
EMAIL: dict[str, Any] = {"email_addresses": [{"email": "ada@example.com"}]}
BOTH: dict[str, Any] = {**EMAIL, "phone_numbers": [{"number": "+33612345678"}]}

FUNNEL: dict[str, Any] = {
    "pipeline": "6abbf6c91b0b941f05b2e76d",
    "pipeline_name": "Deals",
    "stages": [
        {"id": "8ab5e68732874c66bfbeea06c2c2a880", "name": "New", "winProbability": 100},
        {"id": "9e577ff7-8e42-4ab3-be26-2b5e01b42518", "name": "Lost", "winProbability": 0},
    ],
}


def draft(remote_data: Any = None, **fields: Any) -> Any:
    return BREVO.draft(LEADS, fields, remote_data)


def attributes(*names: str, **types: str) -> Response:
    """The account's attributes: texts, and some of other types; a type of "calculated" is a category."""
    listed = [{"name": name, "category": "normal", "type": "text"} for name in names]
    for name, kind in types.items():
        category = kind if kind == "calculated" else "normal"
        listed.append({"name": name, "category": category, "type": kind})
    return ok({"attributes": listed})


def contact(**told: Any) -> dict[str, Any]:
    """Shaped like contact_get_after_update."""
    times = {"createdAt": "2026-05-01T14:01:00.000+02:00", "modifiedAt": "2026-05-01T14:01:51.717+02:00"}
    beside = {"emailBlacklisted": False, "smsBlacklisted": False, "listIds": [], "subscriptions": {}}
    return {"id": 7, "email": "ada@example.com", "attributes": {}, **times, **beside, **told}


def refused(*replies: Response, remote_data: Any = None, **fields: Any) -> tuple[Problem, Partner]:
    partner = script(*replies)
    with pytest.raises(Problem) as caught:
        partner.hold(BREVO.create(LEADS, draft(remote_data, **fields)))
    return caught.value, partner


def checked(status: int, body: Any, headers: dict[str, str] | None = None) -> Problem:
    with pytest.raises(Problem) as caught:
        BREVO.check(Request("POST", "/v3/contacts"), Response(status, headers or {}, body))
    return caught.value


class TestCreate:
    def test_the_contact_we_create_is_the_one_that_was_recorded(self) -> None:
        recorded = document("fixtures/brevo/contact_create.json")
        fields = {"first_name": "Nango", "last_name": "Test"}
        email = [{"email": "nango-create-contact-test@example.com"}]
        partner = script(
            attributes("FIRSTNAME", "LASTNAME"), Response(200, {}, recorded["response"]["body"]), ok(contact(id=4))
        )
        made = partner.hold(BREVO.create(LEADS, draft(**fields, email_addresses=email)))
        [sent] = partner.unsafe
        assert (sent.method, sent.path, sent.json) == tuple(recorded["request"][k] for k in ("method", "path", "body"))
        assert (made.item["id"], made.partial) == ("4", False)
        assert partner.requests[-1].path == "/v3/contacts/4"

    @pytest.mark.parametrize("names", [("FIRSTNAME", "LASTNAME"), ("PRENOM", "NOM"), ("FNAME", "LNAME")])
    def test_names_are_written_and_read_as_the_account_calls_them(self, names: tuple[str, str]) -> None:
        told = dict(zip(names, ("Ada", "Lovelace"), strict=True))
        partner = script(attributes(*names), ok({"id": 7}), ok(contact(attributes=told)))
        made = partner.hold(BREVO.create(LEADS, draft(first_name="Ada", last_name="Lovelace", **EMAIL)))
        [sent] = partner.unsafe
        assert sent.json == {"email": "ada@example.com", "attributes": told}
        assert (made.item["first_name"], made.item["last_name"]) == ("Ada", "Lovelace")
        assert "custom_fields" not in made.item

    def test_a_name_that_the_account_has_no_attribute_for_is_refused(self) -> None:
        problem, partner = refused(attributes("VORNAME"), first_name="Ada", **EMAIL)
        [fault] = problem.faults
        assert (problem.kind, problem.outcome, partner.unsafe) == (Kind.INVALID, Outcome.NOTHING, [])
        assert (fault.field, fault.pointer) == ("first_name", "#/first_name")
        assert "VORNAME" in fault.detail

    @pytest.mark.parametrize("known", [attributes("JOB_TITLE"), attributes(SHOE_SIZE="calculated"), ok({}), ok(None)])
    def test_a_custom_field_that_would_be_dropped_is_refused(self, known: Response) -> None:
        problem, partner = refused(known, custom_fields={"SHOE_SIZE": 37}, **EMAIL)
        [fault] = problem.faults
        assert (problem.kind, fault.code, partner.unsafe) == (Kind.INVALID, "unknown_value", [])
        assert (fault.field, fault.pointer) == ("custom_fields.SHOE_SIZE", "#/custom_fields/SHOE_SIZE")

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("float", "tall"), ("float", True), ("date", "soon"), ("date", 5), ("date", "31/12/2025 junk"),
            ("boolean", "yes"), ("boolean", 1), ("text", 7), ("text", True), ("text", ["x"]),
            ("multiple-choice", "Web"), ("multiple-choice", {"Web": 1}),
        ],
    )  # fmt: skip
    def test_a_value_that_its_attribute_cannot_hold_is_refused(self, kind: str, value: Any) -> None:
        problem, partner = refused(attributes(SCORE=kind), custom_fields={"SCORE": value}, **EMAIL)
        assert (problem.kind, problem.faults[0].code, partner.unsafe) == (Kind.INVALID, "invalid_value", [])

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("float", 1.5),
            ("float", "1,5"),
            ("float", ""),
            ("date", "2026-10-01"),
            ("date", "01/10/2026"),
            ("date", None),
            ("boolean", True),
            ("multiple-choice", ["Web"]),
        ],
    )
    def test_a_value_that_its_attribute_may_hold_is_sent_as_it_is(self, kind: str, value: Any) -> None:
        partner = script(attributes(SCORE=kind), ok({"id": 7}), ok(contact()))
        partner.hold(BREVO.create(LEADS, draft(custom_fields={"SCORE": value}, **EMAIL)))
        assert partner.unsafe[0].json["attributes"] == {"SCORE": value}

    @pytest.mark.parametrize(
        ("name", "value", "fits"),
        [("TIER", 2, True), ("TIER", "2", True), ("TIER", 3, False), ("TIER", "Gold", False), ("TIER", [1], False),
         ("CHANNELS", ["Web", "Fair"], True), ("CHANNELS", ["Moon"], False)],
    )  # fmt: skip
    def test_what_is_chosen_has_to_be_on_offer(self, name: str, value: Any, fits: bool) -> None:
        tiers = [{"value": n, "label": label} for n, label in enumerate(("Gold", "Silver"), 1)]
        channels = {"category": "normal", "type": "multiple-choice", "multiCategoryOptions": ["Fair", "Web"]}
        tier = {"name": "TIER", "category": "category", "enumeration": tiers}
        partner = script(ok({"attributes": [tier, {"name": "CHANNELS", **channels}]}), ok({"id": 7}), ok(contact()))
        talk = BREVO.create(LEADS, draft(custom_fields={name: value}, **EMAIL))
        if fits:
            partner.hold(talk)
            assert partner.unsafe[0].json["attributes"] == {name: value}
            return
        with pytest.raises(Problem) as caught:
            partner.hold(talk)
        [fault] = caught.value.faults
        assert (fault.field, fault.code, partner.unsafe) == (f"custom_fields.{name}", "invalid_value", [])

    @pytest.mark.parametrize("number", ["+33 6 12-34.56(78)", "+33612345678"])
    def test_a_phone_number_is_sent_bare_and_compared_so(self, number: str) -> None:
        found = draft(phone_numbers=[{"number": number}])
        assert found.body == {"attributes": {"SMS": "+33612345678"}}
        partner = script(ok(contact(email=None, attributes={"SMS": "33612345678"})))
        assert partner.hold(BREVO.find(LEADS, found, minutes(0))) == "7"

    @pytest.mark.parametrize("verb", ["get", "delete"])
    def test_a_number_is_said_to_be_an_id(self, verb: str) -> None:
        partner = script(ok(contact()))
        partner.hold(getattr(BREVO, verb)(LEADS, "7"))
        assert [request.query for request in partner.requests] == [{"identifierType": "contact_id"}]

    def test_a_custom_field_in_small_letters_is_refused_before_anything_is_read(self) -> None:
        problem, partner = refused(custom_fields={"job_title": "x"}, **EMAIL)
        assert (problem.kind, problem.faults[0].code, partner.requests) == (Kind.INVALID, "not_custom", [])

    def test_no_attributes_are_read_where_none_is_given_but_the_phone(self) -> None:
        partner = script(ok({"id": 7}), ok(contact(email=None, attributes={"SMS": "33612345678"})))
        made = partner.hold(BREVO.create(LEADS, draft(phone_numbers=[{"number": "+33612345678"}])))
        assert partner.requests[0].json == {"attributes": {"SMS": "+33612345678"}}
        assert made.item["phone_numbers"] == [{"number": "+33612345678", "type": "mobile"}]

    def test_who_wants_an_update_is_told_the_id(self) -> None:
        partner = script(ok({"id": 7}), ok(contact()))
        partner.hold(BREVO.create(LEADS, draft({"updateEnabled": True}, **EMAIL)))
        assert partner.unsafe[0].json == {"email": "ada@example.com", "updateEnabled": True, "getId": True}

    def test_a_second_phone_number_has_no_place_and_is_named(self) -> None:
        phones = [{"number": "1", "type": "mobile"}, {"number": "2", "type": "work"}]
        found = draft(phone_numbers=phones)
        assert found.body == {"attributes": {"SMS": "1"}}
        assert found.ignored == ("phone_numbers[1]",)


class TestRead:
    def test_a_recorded_contact_is_read(self) -> None:
        body = document("fixtures/brevo/contact_get_after_update.json")["response"]["body"]
        assert script(ok(body)).hold(BREVO.get(LEADS, "7")).item == {
            "id": "7",
            "first_name": "Nango",
            "last_name": "Updated",
            "email_addresses": [{"email": "nango-update-target@example.com", "type": "primary"}],
            "created_at": "2026-09-29T22:07:43.774Z",
            "updated_at": "2026-09-29T22:07:51.717Z",
        }

    @pytest.mark.parametrize("id", ["attributes", "ada@example.com", "-1", "٣", ".."])
    def test_an_id_that_is_no_number_names_no_contact(self, id: str) -> None:
        """The path would take an e-mail address, and other lists lie beside the contacts."""
        for talk in (BREVO.get(LEADS, id), BREVO.delete(LEADS, id)):
            partner = script()
            with pytest.raises(Problem) as caught:
                partner.hold(talk)
            assert (caught.value.kind, partner.requests) == (Kind.CRM_BAD_ID, [])

    def test_a_recorded_list_is_read_and_asked_for_as_the_vendor_wants(self) -> None:
        recorded = document("fixtures/brevo/contacts_list.json")
        partner = script(ok(recorded["response"]["body"]))
        page = partner.hold(BREVO.list(LEADS, limit=100))
        [request] = partner.requests
        assert recorded["request"]["path"] == request.path
        assert recorded["request"]["query"].items() <= request.query.items()
        assert ([answer.item["id"] for answer in page.answers], page.cursor) == (["1"], None)

    @pytest.mark.parametrize(
        ("since", "written"),
        [
            (minutes(0), "2026-05-01T11:59:59.999Z"),
            (datetime(1, 1, 1, tzinfo=UTC), "1970-01-01T00:00:00.000Z"),
        ],
    )
    def test_changes_are_asked_for_in_milliseconds(self, since: datetime, written: str) -> None:
        request = next(BREVO.list(LEADS, since=since, limit=5))
        assert request.query["modifiedSince"] == written

    def test_what_is_asked_is_declared_by_the_vendor(self) -> None:
        operations = document("specs/brevo/brevo-crm-from-sdk-5.1.0.json")["operations"]
        declared = {(each["method"], re.sub(r"\{\w+\}", "{id}", each["path"])): each for each in operations}
        partner = Partner(lambda request: ok({"id": 7, "pipeline": "7", "attributes": [{"name": "FIRSTNAME"}]}))
        made = draft(first_name="Ada", **EMAIL)
        for talk in (
            BREVO.create(LEADS, made),
            BREVO.find(LEADS, made, minutes(0)),
            BREVO.list(LEADS, since=minutes(0), limit=5),
            BREVO.delete(LEADS, "7"),
            BREVO.list(STAGES, limit=5),
        ):
            partner.hold(talk)
        partner.requests.append(next(BREVO.get(PIPELINES, "7")))
        for request in partner.requests:
            path = request.path.removeprefix("/v3")
            if (request.method, path) not in declared:
                path = path.rpartition("/")[0] + "/{id}"
            operation = declared[request.method, path]
            assert set(request.query) <= set(operation["query"] or ())
            assert set(request.json or ()) <= set(operation["body"] or ())


class TestFind:
    @pytest.mark.parametrize(
        ("fields", "path", "kind"),
        [
            ({"email_addresses": [{"email": "a+b@example.com"}]}, "a%2Bb%40example.com", "email_id"),
            ({"phone_numbers": [{"number": "0033612345678"}]}, "%2B33612345678", "phone_id"),
        ],
    )
    def test_a_contact_is_looked_for_by_what_tells_it_from_all_others(
        self, fields: dict[str, Any], path: str, kind: str
    ) -> None:
        email = dict(*fields.get("email_addresses", ())).get("email")
        found = contact(email=email, attributes={"SMS": "33612345678"})
        partner = script(ok(found))
        assert partner.hold(BREVO.find(LEADS, draft(**fields), minutes(0))) == "7"
        [request] = partner.requests
        assert (request.path, request.query) == (f"/v3/contacts/{path}", {"identifierType": kind})

    def test_who_was_there_before_was_not_made_by_us(self) -> None:
        partner = script(ok(contact()))
        assert partner.hold(BREVO.find(LEADS, draft(**EMAIL), minutes(2))) is None

    def test_nobody_is_nobody_and_an_outage_is_no_answer(self) -> None:
        missing = document("fixtures/brevo/error_contact_not_found_404.json")["response"]
        assert script(Response(404, {}, missing["body"])).hold(BREVO.find(LEADS, draft(**EMAIL), minutes(0))) is None
        with pytest.raises(Problem):
            script(Response(503)).hold(BREVO.find(LEADS, draft(**EMAIL), minutes(0)))


class TestConflict:
    """A refusal does not say which contact is in the way."""

    @pytest.mark.parametrize(
        ("taken", "looked_up"),
        [
            ({"metadata": {"duplicate_identifiers": ["email"]}}, ["email_id"]),
            ({"metadata": {"duplicate_identifiers": ["SMS"]}}, ["phone_id"]),
            ({}, ["email_id", "phone_id"]),
            ({"metadata": {"duplicate_identifiers": ["ext_id"]}}, []),
        ],
    )
    def test_the_contact_in_the_way_is_looked_up_by_what_is_taken(
        self, taken: dict[str, Any], looked_up: list[str]
    ) -> None:
        body = {"code": "duplicate_parameter", "message": "Contact already exist", **taken}
        missing = [Response(404, {}, {"code": "document_not_found"})] * (len(looked_up) - 1)
        problem, partner = refused(Response(400, {}, body), *missing, ok(contact(id=9)), **BOTH)
        assert (problem.kind, problem.outcome) == (Kind.CRM_CONFLICT, Outcome.REFUSED)
        assert problem.remote
        assert problem.remote.existing_id == ("9" if looked_up else None)
        assert [request.query["identifierType"] for request in partner.requests[1:]] == looked_up

    def test_a_look_up_that_fails_leaves_the_refusal_as_it_is(self) -> None:
        body = document("fixtures/brevo/error_contact_duplicate_400.json")["response"]["body"]
        problem, _ = refused(Response(400, {}, body), Response(503), **EMAIL)
        assert problem.kind is Kind.CRM_CONFLICT
        assert problem.remote
        assert (problem.remote.existing_id, problem.remote.status) == (None, 400)


class TestPipelines:
    def test_a_pipeline_is_taken_out_of_its_list(self) -> None:
        other = {**FUNNEL, "pipeline": "5ea675e3da0dd085acaea610"}
        answer = script(ok([other, FUNNEL])).hold(BREVO.get(PIPELINES, FUNNEL["pipeline"]))
        assert answer.raw == FUNNEL
        ref = {"id": FUNNEL["pipeline"]}
        assert answer.item == {
            "id": FUNNEL["pipeline"],
            "name": "Deals",
            "entity": "opportunity",
            "stages": [{"id": each["id"], "name": each["name"], "pipeline": ref} for each in FUNNEL["stages"]],
        }

    @pytest.mark.parametrize("reply", [ok([]), ok(None), ok({}), Response(400, {}, {"code": "invalid_parameter"})])
    def test_a_pipeline_that_is_not_there_is_not_found(self, reply: Response) -> None:
        with pytest.raises(Problem) as caught:
            script(reply).hold(BREVO.get(PIPELINES, "5ea675e3da0dd085acaea610"))
        assert caught.value.kind is Kind.CRM_NOT_FOUND

    def test_a_bad_request_of_another_kind_is_no_missing_pipeline(self) -> None:
        with pytest.raises(Problem) as caught:
            script(Response(400, {}, {"code": "out_of_range"})).hold(BREVO.get(PIPELINES, "1"))
        assert caught.value.kind is Kind.CRM_REJECTED

    def test_another_refusal_of_a_pipeline_stays_what_it_is(self) -> None:
        with pytest.raises(Problem) as caught:
            script(Response(403, {}, {"code": "permission_denied"})).hold(BREVO.get(PIPELINES, "1"))
        assert caught.value.kind is Kind.CRM_FORBIDDEN

    def test_stages_are_those_of_all_pipelines(self) -> None:
        partner = script(ok([FUNNEL]), ok([FUNNEL]))
        page = partner.hold(BREVO.list(STAGES, limit=5))
        assert [answer.item["name"] for answer in page.answers] == ["New", "Lost"]
        one = partner.hold(BREVO.get(STAGES, FUNNEL["stages"][1]["id"]))
        assert one.item["pipeline"] == {"id": FUNNEL["pipeline"], "name": "Deals"}
        assert {request.path for request in partner.requests} == {"/v3/crm/pipeline/details/all"}


class TestRefusals:
    def test_a_throttle_tells_the_seconds_that_are_left(self) -> None:
        headers = {"x-sib-ratelimit-limit": "20", "x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": "9"}
        assert checked(429, None, headers).retry_after == 9
        assert checked(429, None, {**headers, "retry-after": "3"}).retry_after == 3
        assert checked(400, None, headers).retry_after is None

    def test_a_contact_that_is_being_written_is_to_be_tried_later(self) -> None:
        problem = checked(425, {"code": "account_in_process", "message": "Contact is in process"})
        assert (problem.kind, problem.outcome) == (Kind.CRM_RATE_LIMITED, Outcome.REFUSED)
        assert checked(425, None).kind is Kind.CRM_RATE_LIMITED
        assert checked(425, None).retry_after

    def test_an_address_that_the_account_does_not_know_is_no_dead_key(self) -> None:
        body = {
            "code": "unauthorized",
            "message": "We have detected you are using an unrecognised IP address 192.0.2.1",
        }
        assert checked(401, body).kind is Kind.CRM_FORBIDDEN
        assert not BREVO.expired(Response(401, {}, body))
        assert BREVO.expired(Response(401, {}, {"code": "unauthorized", "message": "Key not found"}))

    def test_the_identifier_that_is_taken_is_named(self) -> None:
        body = document("fixtures/brevo/error_contact_duplicate_400.json")["response"]["body"]
        assert [fault.field for fault in checked(400, body).faults] == ["email"]

    def test_the_vendors_id_of_an_exchange_is_kept(self) -> None:
        told = document("fixtures/brevo/error_unauthorized_401.json")["response"]
        remote = checked(401, told["body"], told["headers"]).remote
        assert remote
        assert remote.request_id == "2dc45d44-da76-909c-8a3a-c4fa031d5e3a"


class TestAccess:
    def test_a_refresh_that_hands_out_no_new_refresh_token_leaves_the_old_one(self) -> None:
        scheme = CRM.auth["oauth2"]
        assert isinstance(scheme, OAuth2)
        partner = script(ok({"access_token": "new", "expires_in": 3600}))
        token = partner.hold(scheme.refresh({"refresh_token": "old"}, {"client_id": "i", "client_secret": "s"}))
        [request] = partner.requests
        assert (request.to, request.path) == ("token", "/realms/partner/oauth/token")
        assert (request.form or {}).items() >= {"client_id": "i", "client_secret": "s", "refresh_token": "old"}.items()
        assert (token.access_token, token.refresh_token, token.expires_in) == ("new", "old", 3600)

    def test_a_key_and_a_token_stand_in_different_headers(self) -> None:
        assert CRM.auth["api_key"].sign({"api_key": "xkeysib-1"}) == {"api-key": "xkeysib-1"}
        assert CRM.auth["oauth2"].sign({"access_token": "t"}) == {"authorization": "Bearer t"}

    def test_nothing_goes_to_the_old_host(self) -> None:
        assert CRM.hosts["api"].allows("https://api.brevo.com")
        assert not CRM.hosts["api"].allows("https://api.sendinblue.com")


def recorded(name: str) -> Any:
    """The body of a recorded answer."""
    return document(f"fixtures/brevo/{name}.json")["response"]["body"]


def failing(resource: Any, id: str, *replies: Response) -> tuple[Kind, int]:
    """The kind of problem with a read, and how many requests it took."""
    partner = script(*replies)
    with pytest.raises(Problem) as caught:
        partner.hold(BREVO.get(resource, id))
    return caught.value.kind, len(partner.requests)


class TestObjects:
    """Contacts, companies, deals and who owns them, each read by its id in one request."""

    def test_a_recorded_contact_is_read_with_its_whole_name(self) -> None:
        partner = script(ok(recorded("contact_get_after_update")))
        assert partner.hold(BREVO.get(CONTACTS, "7")).item == {
            "id": "7",
            "first_name": "Nango",
            "last_name": "Updated",
            "name": "Nango Updated",
            "emails": [{"email": "nango-update-target@example.com", "type": "primary"}],
            "created_at": "2026-09-29T22:07:43.774Z",
            "updated_at": "2026-09-29T22:07:51.717Z",
        }
        [request] = partner.requests
        assert (request.path, request.query) == ("/v3/contacts/7", {"identifierType": "contact_id"})

    @pytest.mark.parametrize("names", [("FIRSTNAME", "LASTNAME"), ("PRENOM", "NOM"), ("FNAME", "LNAME")])
    def test_a_contact_is_named_whatever_the_account_calls_its_names(self, names: tuple[str, str]) -> None:
        told = dict(zip(names, ("Ada", "Lovelace"), strict=True))
        more = {"SMS": "33612345678", "LANDLINE_NUMBER": "442079460001", "COLOUR": "Brass"}
        item = BREVO.item(CONTACTS, contact(attributes=told | more))
        assert (item["first_name"], item["last_name"], item["name"]) == ("Ada", "Lovelace", "Ada Lovelace")
        assert item["phones"] == [
            {"number": "+33612345678", "type": "mobile"},
            {"number": "+442079460001", "type": "work"},
        ]
        assert item["custom_fields"] == {"COLOUR": "Brass"}

    def test_a_company_of_the_vendors_pages_is_read(self) -> None:
        body = recorded("company_get_doc")
        partner = script(ok(body))
        assert partner.hold(BREVO.get(COMPANIES, body["id"])).item == {
            "id": "629475917295261d9b1f4403",
            "name": "text",
            "domain": "xyz",
            "phones": [{"number": "8171844192", "type": "primary"}],
            "annual_revenue": 10,
            "owner": {"id": "62260474111b1101704a9d85"},
            "created_at": "2022-01-13T13:34:24.376Z",
            "updated_at": "2022-04-01T13:17:48.283Z",
        }
        [request] = partner.requests
        assert (request.path, request.query) == (f"/v3/companies/{body['id']}", {})

    def test_a_recorded_deal_tells_what_it_is_linked_to(self) -> None:
        partner = script(ok(recorded("deal_get_after_link")))
        assert partner.hold(BREVO.get(DEALS, DEAL_ID)).item == {
            "id": DEAL_ID,
            "name": "Nango Link Unlink Test Deal",
            "pipeline": {"id": "6abbf6c91b0b941f05b2e76d"},
            "stage": {"id": "8ab5e68732874c66bfbeea06c2c2a880"},
            "company": {"id": "6abee6c7663f6f9656ead845"},
            "contact": {"id": "1"},
            "owner": {"id": OWNER_ID},
            "created_at": "2026-10-01T23:03:31Z",
            "updated_at": "2026-10-01T23:03:31Z",
        }
        [request] = partner.requests
        assert (request.path, request.query) == (f"/v3/crm/deals/{DEAL_ID}", {})

    def test_a_recorded_deal_without_links_has_an_amount(self) -> None:
        assert BREVO.item(DEALS, recorded("deal_get_after_update")) == {
            "id": "6abee5c7c7e81b8eebb3a485",
            "name": "Nango update-deal test deal (updated)",
            "amount": 1500,
            "pipeline": {"id": "6abbf6c91b0b941f05b2e76d"},
            "stage": {"id": "8ab5e68732874c66bfbeea06c2c2a880"},
            "owner": {"id": OWNER_ID},
            "created_at": "2026-10-01T22:59:19Z",
            "updated_at": "2026-10-01T23:00:29Z",
        }

    def test_a_deal_of_the_vendors_pages_tells_the_first_of_many_links(self) -> None:
        assert BREVO.item(DEALS, recorded("deal_get_doc")) == {
            "id": "629475917295261d9b1f4403",
            "name": "testname",
            "amount": 12,
            "pipeline": {"id": "6093d296ad1e9c5cf2140a58"},
            "stage": {"id": "9e577ff7-8e42-4ab3-be26-2b5e01b42518"},
            "company": {"id": "61a5ce58c5d4795761045990"},
            "contact": {"id": "1"},
            "owner": {"id": "6093d2425a9b436e9519d034"},
            "created_at": "2022-05-30T07:42:05.671Z",
            "updated_at": "2022-06-06T08:38:36.761Z",
            "last_activity_at": "2022-06-06T08:38:36Z",
        }

    def test_a_user_is_found_among_those_who_may_own_a_company(self) -> None:
        body = recorded("company_attributes_list")
        partner = script(ok(body))
        assert partner.hold(BREVO.get(USERS, OWNER_ID)).item == {"id": OWNER_ID, "email": "api@nango.dev"}
        assert [request.path for request in partner.requests] == ["/v3/crm/attributes/companies"]
        assert failing(USERS, DEAL_ID, ok(body)) == (Kind.CRM_NOT_FOUND, 1)
        assert failing(USERS, DEAL_ID, ok(None)) == (Kind.CRM_NOT_FOUND, 1)

    def test_a_company_is_written_with_its_name_beside_its_attributes(self) -> None:
        item = {
            "name": "Analytical Engines",
            "domain": "engines.example",
            "website": "https://engines.example",
            "phones": [{"number": "+442079460000", "type": "primary"}],
            "industry": "Machinery",
            "number_of_employees": 12,
            "annual_revenue": 250,
            "owner": {"id": OWNER_ID},
            "custom_fields": {"colour": "Brass"},
        }
        drafted = BREVO.draft(COMPANIES, item)
        assert drafted.body == {
            "name": "Analytical Engines",
            "attributes": {
                "domain": "engines.example",
                "website": "https://engines.example",
                "phone_number": "+442079460000",
                "industry": "Machinery",
                "number_of_employees": 12,
                "revenue": 250,
                "owner": OWNER_ID,
                "colour": "Brass",
            },
        }
        assert (drafted.ignored, BREVO.item(COMPANIES, drafted.body)) == ((), item)

    def test_a_deal_is_written_with_its_links_beside_its_attributes(self) -> None:
        item = {
            "name": "Engine no. 2",
            "amount": 12500,
            "pipeline": {"id": "6abbf6c91b0b941f05b2e76d"},
            "stage": {"id": "8ab5e68732874c66bfbeea06c2c2a880"},
            "company": {"id": "6abee6c7663f6f9656ead845"},
            "contact": {"id": "7"},
            "owner": {"id": OWNER_ID},
            "custom_fields": {"colour": "Brass"},
        }
        drafted = BREVO.draft(DEALS, {**item, "close_date": date(2026, 12, 31), "currency": "GBP"})
        assert drafted.body == {
            "name": "Engine no. 2",
            "linkedCompaniesIds": ["6abee6c7663f6f9656ead845"],
            "linkedContactsIds": [7],
            "attributes": {
                "amount": 12500,
                "pipeline": "6abbf6c91b0b941f05b2e76d",
                "deal_stage": "8ab5e68732874c66bfbeea06c2c2a880",
                "close_date": "2026-12-31",
                "deal_owner": OWNER_ID,
                "colour": "Brass",
            },
        }
        assert drafted.ignored == ("currency",)
        assert BREVO.item(DEALS, drafted.body) == {**item, "close_date": "2026-12-31"}

    def test_a_contact_comes_back_as_it_was_written(self) -> None:
        item = {
            "first_name": "Ada",
            "last_name": "Lovelace",
            "emails": [{"email": "ada@example.com", "type": "primary"}],
            "phones": [{"number": "+33612345678", "type": "mobile"}, {"number": "+442079460001", "type": "work"}],
            "custom_fields": {"COLOUR": "Brass"},
        }
        drafted = BREVO.draft(CONTACTS, item)
        assert drafted.ignored == ()
        assert BREVO.item(CONTACTS, drafted.body) == {**item, "name": "Ada Lovelace"}

    @pytest.mark.parametrize(("resource", "id"), [(CONTACTS, "7"), (COMPANIES, DEAL_ID), (DEALS, DEAL_ID)])
    def test_a_read_that_fails_says_why(self, resource: Any, id: str) -> None:
        missing = recorded("error_contact_not_found_404")
        assert failing(resource, id, Response(404, {}, missing)) == (Kind.CRM_NOT_FOUND, 1)
        assert failing(resource, id, Response(403, {}, {"code": "permission_denied"})) == (Kind.CRM_FORBIDDEN, 1)
        assert failing(resource, id, Response(400, {}, {"code": "invalid_parameter"})) == (Kind.CRM_BAD_ID, 1)
        assert failing(resource, id, Response(400, {}, {"code": "out_of_range"})) == (Kind.CRM_REJECTED, 1)

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS])
    @pytest.mark.parametrize("id", ["ada@example.com", "import", "attributes", "..", "6abee6c3c7e81b8eebb3a4dg"])
    def test_an_id_of_another_form_is_asked_of_nobody(self, resource: Any, id: str) -> None:
        assert failing(resource, id) == (Kind.CRM_BAD_ID, 0)

    def test_related_records_are_read_by_the_ids_in_a_deal(self) -> None:
        deal = script(ok(recorded("deal_get_after_link"))).hold(BREVO.get(DEALS, DEAL_ID))
        company = {"id": "6abee6c7663f6f9656ead845", "attributes": {"name": "Analytical Engines"}}
        replies = {
            "company": (COMPANIES, ok(company), "/v3/companies/6abee6c7663f6f9656ead845"),
            "contact": (CONTACTS, ok(contact(id=1)), "/v3/contacts/1"),
            "owner": (USERS, ok(recorded("company_attributes_list")), "/v3/crm/attributes/companies"),
            "stage": (STAGES, ok([FUNNEL]), "/v3/crm/pipeline/details/all"),
            "pipeline": (PIPELINES, ok([FUNNEL]), "/v3/crm/pipeline/details/6abbf6c91b0b941f05b2e76d"),
        }
        for name, (other, reply, path) in replies.items():
            partner = script(reply)
            found = partner.hold(BREVO.related(DEALS, deal, name, other))
            assert found
            assert found.item["id"] == deal.item[name]["id"]
            assert [request.path for request in partner.requests] == [path]

    def test_the_company_of_a_contact_is_the_one_that_is_linked_to_it(self) -> None:
        person = script(ok(contact())).hold(BREVO.get(CONTACTS, "7"))
        partner = script(ok({"items": [{"id": DEAL_ID, "attributes": {"name": "Engines"}, "linkedContactsIds": [7]}]}))
        found = partner.hold(BREVO.related(CONTACTS, person, "company", COMPANIES))
        assert found
        assert found.item == {"id": DEAL_ID, "name": "Engines"}
        [request] = partner.requests
        assert (request.path, request.query) == ("/v3/companies", {"linkedContactsIds": "7", "limit": "1"})
        assert script(ok({"items": []})).hold(BREVO.related(CONTACTS, person, "company", COMPANIES)) is None
        assert script().hold(BREVO.related(CONTACTS, person, "owner", USERS)) is None

    @pytest.mark.parametrize("links", [[8, 77], [], None, "7", [None]], ids=repr)
    def test_a_company_that_is_not_linked_to_the_contact_is_not_its_company(self, links: Any) -> None:
        """Should the filter be passed over, the list begins with anybody's."""
        person = script(ok(contact())).hold(BREVO.get(CONTACTS, "7"))
        items = [{"id": DEAL_ID, "attributes": {"name": "Strangers"}, "linkedContactsIds": links}]
        assert script(ok({"items": items})).hold(BREVO.related(CONTACTS, person, "company", COMPANIES)) is None

    def test_what_is_asked_for_an_object_is_declared_by_the_vendor(self) -> None:
        operations = document("specs/brevo/brevo-crm-from-sdk-5.1.0.json")["operations"]
        reads = {re.sub(r"\{\w+\}", "{id}", each["path"]): each for each in operations if each["method"] == "GET"}
        person = script(ok(contact())).hold(BREVO.get(CONTACTS, "7"))
        for talk in (
            BREVO.get(CONTACTS, "7"),
            BREVO.get(COMPANIES, DEAL_ID),
            BREVO.get(DEALS, DEAL_ID),
            BREVO.get(USERS, OWNER_ID),
            BREVO.related(CONTACTS, person, "company", COMPANIES),
        ):
            request = next(talk)
            path = request.path.removeprefix("/v3")
            declared = reads[path] if path in reads else reads[path.rpartition("/")[0] + "/{id}"]
            assert set(request.query) <= set(declared["query"] or ())

    def test_a_pod_is_made_of_deals_or_companies(self) -> None:
        assert list(CRM.pods.items()) == [("deals", "deals"), ("companies", "companies")]


class Contacts:
    """Contacts in the order in which they were made; what happens between two pages is done to `ids`."""

    def __init__(self, *ids: int, counted: bool = True) -> None:
        self.ids, self.counted = list(ids), counted
        self.partner = Partner(self.answer)
        self.given: list[int] = []
        self.cursor: Any = None

    def answer(self, request: Request) -> Response:
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        assert limit <= 1000
        shown = [contact(id=id) for id in self.ids[offset : offset + limit]]
        return ok({"contacts": shown} | ({"count": len(self.ids)} if self.counted else {}))

    def turn(self, limit: int) -> None:
        page = self.partner.hold(BREVO.list(CONTACTS, since=minutes(0), cursor=self.cursor, limit=limit))
        assert len(page.answers) <= limit
        self.given += [int(answer.item["id"]) for answer in page.answers]
        self.cursor = json.loads(json.dumps(page.cursor))

    def rest(self, limit: int) -> list[int]:
        for _ in range(200):
            self.turn(limit)
            if self.cursor is None:
                return self.given
        raise AssertionError("it does not end")


class TestContactsThatChanged:
    def test_a_page_is_as_large_as_can_be_and_begins_before_the_end_of_the_one_before(self) -> None:
        listing = Contacts(*range(1, 1501))
        assert listing.rest(2000) == list(range(1, 1501))
        first, second = listing.partner.requests
        since = {"modifiedSince": "2026-05-01T11:59:59.999Z", "sort": "asc"}
        assert (first.method, first.path) == ("GET", "/v3/contacts")
        assert first.query == {**since, "offset": "0", "limit": "1000"}
        assert second.query == {**since, "offset": "980", "limit": "1000"}

    def test_a_position_is_a_number_and_the_last_ids(self) -> None:
        listing = Contacts(*range(1, 1501))
        listing.turn(2000)
        assert listing.cursor == {"start": 1000, "seen": list(range(961, 1001))}

    def test_everything_is_asked_for_without_a_moment(self) -> None:
        partner = script(ok({"contacts": [], "count": 0}))
        page = partner.hold(BREVO.list(CONTACTS, since=OLDEST, limit=2000))
        assert (page.answers, page.cursor) == ([], None)
        assert partner.requests[0].query == {"sort": "asc", "offset": "0", "limit": "1000"}

    @pytest.mark.parametrize("counted", [True, False])
    @pytest.mark.parametrize("limit", [1, 7, 100])
    def test_nothing_is_given_twice_and_nothing_left_out(self, limit: int, counted: bool) -> None:
        assert Contacts(*range(150), counted=counted).rest(limit) == list(range(150))

    def test_the_number_of_all_saves_a_last_look(self) -> None:
        for counted, calls in ((True, 2), (False, 3)):
            listing = Contacts(*range(100), counted=counted)
            listing.rest(50)
            assert len(listing.partner.requests) == calls

    @pytest.mark.parametrize("count", [1, 20, 21, 60])
    def test_what_is_deleted_meanwhile_draws_nothing_over_the_edge(self, count: int) -> None:
        listing = Contacts(*range(200))
        listing.turn(40)
        listing.turn(40)
        gone = listing.given[-count:]
        listing.ids = [id for id in listing.ids if id not in gone]
        assert set(listing.rest(40)) == set(range(200))

    def test_a_contact_is_told_by_a_list_as_by_a_read(self) -> None:
        told = contact(attributes={"FIRSTNAME": "Ada", "SMS": "33612345678", "COLOUR": "Brass"})
        [listed] = script(ok({"contacts": [told | {"listUnsubscribed": None}], "count": 1})).hold(
            BREVO.list(CONTACTS, since=OLDEST, limit=5, extra=script().hold(BREVO.custom(CONTACTS)))
        ).answers  # fmt: skip
        assert listed.item == script(ok(told | {"statistics": {}})).hold(BREVO.get(CONTACTS, "7")).item
        assert listed.item["updated_at"] == "2026-05-01T12:01:51.717Z"
        assert listed.item["custom_fields"] == {"COLOUR": "Brass"}

    def test_nobody_tells_of_contacts_that_were_deleted(self) -> None:
        assert CONTACTS.deletions == "swept"
        assert script().hold(BREVO.deleted(CONTACTS, since=minutes(0))) is None
