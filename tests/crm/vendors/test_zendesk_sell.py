"""What is peculiar to Zendesk Sell: envelopes, sources by id, and changes read off a list that moves meanwhile."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, ClassVar

import pytest

from switchboard.crm.auth import OAuth2
from switchboard.crm.catalog import Emulated, Resource
from switchboard.crm.dialect import Answer, Draft
from switchboard.crm.paging import second
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.zendesk_sell import CRM
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES
from tests.crm.shared import document
from tests.crm.voices import minutes
from tests.talk import Partner, ok, script

CASE = CASES["zendesk_sell-leads"]
ZENDESK = CRM.dialect
LEADS, PIPELINES, STAGES = (CASES[f"zendesk_sell-{plural}"].resource for plural in ("leads", "pipelines", "stages"))
CONTACTS, COMPANIES, DEALS, USERS = (
    CASES[f"zendesk_sell-{plural}"].resource for plural in ("contacts", "companies", "deals", "users")
)
EVERY = [LEADS, PIPELINES, STAGES, CONTACTS, COMPANIES, DEALS, USERS]
ADA = {"last_name": "Lovelace"}


def recorded(name: str) -> dict[str, Any]:
    return document(f"fixtures/zendesk_sell/{name}.json")


def told(name: str) -> Response:
    response = recorded(name)["response"]
    return Response(response["status"], {}, response["body"])


def listed(*records: dict[str, Any]) -> Response:
    items = [{"data": each, "meta": {"version": 2}} for each in records]
    return ok({"items": items, "meta": {"type": "collection", "count": len(items), "links": {}}})


def made(**fields: Any) -> Response:
    times = {"created_at": "2026-05-01T12:00:00Z", "updated_at": "2026-05-01T12:00:00Z"}
    return ok({"data": {"id": 7, "last_name": "Lovelace", **times, **fields}, "meta": {"type": "lead"}})


def problem_of(call: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


def problem_at(response: Response) -> Problem:
    return problem_of(lambda: script(response).hold(ZENDESK.create(LEADS, CASE.draft(ADA))))


class TestRecords:
    def test_the_lead_we_create_is_the_one_that_the_vendors_test_sends(self) -> None:
        shown = recorded("lead_create")["request"]
        fields = {"custom_fields": {"field1.one": "one", "address": {"line1": "Address"}}}
        item = ADA | fields | {"addresses": [{"street_1": "Street", "postal_code": "1234"}]}
        partner = script(made())
        extra = {"data": {"organization_name": "Base CRM", "tags": ["a", "b", "c"]}}
        partner.hold(ZENDESK.create(LEADS, CASE.draft(item, extra)))
        [request] = partner.requests
        assert (request.method, request.path) == (shown["method"], shown["path"])
        assert request.json == {"data": shown["body"]["data"] | ADA}

    def test_the_recorded_lead_is_read_with_the_name_of_its_source(self) -> None:
        source = recorded("lead_source_get")["response"]["body"]["data"] | {"id": 342382}
        partner = script(told("lead_record_full"), listed(source))
        assert partner.hold(ZENDESK.get(LEADS, "1903091207")).item == {
            "id": "1903091207",
            "title": "CTO",
            "owner": {"id": "960788"},
            "first_name": "John",
            "last_name": "Lead",
            "lead_source": "This is wunderbar",
            "email_addresses": [{"email": "j@email.com", "type": "primary"}],
            "phone_numbers": [
                {"number": "0208111222", "type": "work"},
                {"number": "077745456", "type": "mobile"},
                {"number": "0208111333", "type": "fax"},
            ],
            "addresses": [
                {
                    "street_1": "21 Lead street",
                    "city": "London",
                    "postal_code": "W3 L45",
                    "country": "United Kingdom",
                }
            ],
            "status": "New",
            "created_at": "2016-07-28T13:28:43Z",
            "updated_at": "2016-07-28T13:28:43Z",
        }

    def test_an_answer_that_was_cut_to_the_id_is_read_back(self) -> None:
        partner = script(told("lead_create"), made(id=100, first_name="Ada"))
        answer = partner.hold(ZENDESK.create(LEADS, CASE.draft(ADA)))
        assert [request.path for request in partner.requests] == ["/v2/leads", "/v2/leads/100"]
        assert (answer.item["id"], answer.item["first_name"], answer.partial) == ("100", "Ada", False)

    def test_custom_fields_without_a_value_are_neither_sent_nor_told(self) -> None:
        assert "custom_fields" not in CASE.draft(ADA | {"custom_fields": {}}).body["data"]
        fields = {"Tier": "Gold", "Score": None, "Channels": []}
        answer = script(made(custom_fields=fields)).hold(ZENDESK.get(LEADS, "7"))
        assert answer.item["custom_fields"] == {"Tier": "Gold", "Channels": []}

    @pytest.mark.parametrize("id", ["count", "upsert", "1,2", "²", "-1"])
    @pytest.mark.parametrize("resource", EVERY, ids=lambda each: each.plural)
    def test_what_is_no_number_is_no_id_and_leads_nowhere(self, resource: Any, id: str) -> None:
        partner = script()
        assert problem_of(lambda: partner.hold(ZENDESK.get(resource, id))).kind is Kind.CRM_BAD_ID
        assert problem_of(lambda: partner.hold(ZENDESK.delete(LEADS, id))).kind is Kind.CRM_BAD_ID
        assert partner.requests == []

    def test_a_record_outside_of_the_envelope_is_none(self) -> None:
        for extra in ({"data": None}, {"data": []}, {"data": 5, "last_name": "x"}, {"last_name": "x"}):
            assert problem_of(lambda extra=extra: CASE.draft({}, extra)).kind is Kind.MISSING_FIELD


TIMES = {"created_at": "2016-07-19T10:20:07Z", "updated_at": "2016-07-19T10:20:08Z"}
CHICAGO = {"street_1": "Suite 200 212 W. Superior", "city": "Chicago", "state": "IL", "country": "United States"}
BASE = {"id": "135906739", "name": "Base CRM", "owner": {"id": "960788"}, "addresses": [CHICAGO], **TIMES}
SUPPORT = {
    "id": "135906741",
    "first_name": "Support",
    "last_name": "Team",
    "name": "Support Team",
    "phones": [{"number": "+1 (800) 940-9650", "type": "work"}],
    "company": {"id": "135906739"},
    "owner": {"id": "960788"},
    "addresses": [CHICAGO],
    **TIMES,
}
HOT = {
    "id": "2",
    "name": "Hot Deal",
    "amount": 500,
    "currency": "GBP",
    "stage": {"id": "5550555"},
    "company": {"id": "135906739"},
    "contact": {"id": "135906741"},
    "owner": {"id": "960788"},
    "last_activity_at": "2016-07-27T08:48:07Z",
    "created_at": "2016-07-19T10:20:07Z",
    "updated_at": "2016-07-27T08:48:07Z",
}
UZI = {
    "id": "1089189",
    "name": "Uzi",
    "email": "uzi@getbase.com",
    "active": False,
    "created_at": "2017-02-08T14:59:16Z",
    "updated_at": "2017-06-29T06:57:35Z",
}


def items(name: str) -> list[Any]:
    return recorded(name)["response"]["body"]["items"]


def record(resource: Resource, item: dict[str, Any]) -> Response:
    """The answer to a read of a record that holds this."""
    body = ZENDESK.seal(resource, resource.table.out(item)[0] | {"id": 7})
    return ok({**body, "meta": {"type": resource.plural}})


class TestObjects:
    @pytest.mark.parametrize(
        ("resource", "item", "path"),
        [
            (COMPANIES, BASE, "/v2/contacts/135906739"),
            (CONTACTS, SUPPORT, "/v2/contacts/135906741"),
            (USERS, UZI, "/v2/users/1089189"),
        ],
    )
    def test_the_recorded_one_is_read_in_one_request(self, resource: Any, item: dict[str, Any], path: str) -> None:
        listed = [*items("contacts_list_full_envelope"), *items("users_list")]
        [found] = [each for each in listed if str(each["data"]["id"]) == item["id"]]
        partner = script(ok(found))
        answer = partner.hold(ZENDESK.get(resource, item["id"]))
        [request] = partner.requests
        assert (request.method, request.path, dict(request.query)) == ("GET", path, {})
        told = {**found, "data": {name: each for name, each in found["data"].items() if name != "confirmation_token"}}
        assert (answer.item, answer.raw, answer.partial) == (item, told, False)

    @pytest.mark.parametrize("body", [{"data": None}, {"data": []}, [], None, {}], ids=repr)
    def test_an_odd_answer_about_a_user_is_handed_on(self, body: Any) -> None:
        answer = script(ok(body)).hold(ZENDESK.get(USERS, "7"))
        assert (answer.item, answer.raw, answer.partial) == ({"id": "7"}, body, True)

    def test_the_token_by_which_a_user_is_confirmed_is_a_secret(self) -> None:
        invited = {"id": 7, "name": "Uzi", "confirmed": False, "confirmation_token": "hush"}
        answer = script(ok({"data": invited, "meta": {"type": "user"}})).hold(ZENDESK.get(USERS, "7"))
        assert answer.raw == {"data": {"id": 7, "name": "Uzi", "confirmed": False}, "meta": {"type": "user"}}

    def test_the_recorded_deal_is_read_in_one_request(self) -> None:
        partner = script(told("deal_record_full"))
        assert partner.hold(ZENDESK.get(DEALS, "2")).item == HOT
        assert [request.path for request in partner.requests] == ["/v2/deals/2"]

    def test_a_recorded_deal_without_an_organization_has_its_custom_fields_and_no_company(self) -> None:
        first, second = (ZENDESK.item(DEALS, each) for each in items("deals_list"))
        assert first["custom_fields"] == {"Very_Complicated.CustomField": "XX OO XX"}
        assert first["company"] == {"id": "204996235"}
        assert (second["amount"], second["contact"], "company" in second) == (0, {"id": "204996430"}, False)

    @pytest.mark.parametrize(
        ("resource", "name", "names"),
        [
            (CONTACTS, "contacts_list", ["Kuba Tutaj", "John Smith"]),
            (COMPANIES, "companies_list", ["Base CRM", "Zendesk"]),
        ],
    )
    def test_a_recorded_record_of_few_fields_is_read_as_far_as_it_goes(
        self, resource: Any, name: str, names: list[str]
    ) -> None:
        found = [ZENDESK.item(resource, each) for each in items(name)]
        assert [each["name"] for each in found] == names
        assert {each["owner"]["id"] for each in found} == {"1293487"}
        assert found[0].get("tags") == (["tag1", "tag2"] if resource is CONTACTS else None)

    @pytest.mark.parametrize(
        ("resource", "name", "item", "extra"),
        [
            (
                CONTACTS,
                "contact_person_create",
                {
                    "last_name": "John",
                    "addresses": [{"street_1": "Street", "postal_code": "1234"}],
                    "tags": ["a", "b", "c"],
                    "custom_fields": {"multi_select": ["A", "B"], "second_name": "Vito"},
                },
                {},
            ),
            (
                COMPANIES,
                "contact_company_create",
                {"name": "Base CRM", "addresses": [{"state": "WA"}]},
                {"parent_organization_id": 140},
            ),
            (
                DEALS,
                "deal_create",
                {
                    "name": "Deal Name",
                    "contact": {"id": "1234567"},
                    "stage": {"id": "2"},
                    "custom_fields": {"dropdown": "Value", "super_field": "Value1"},
                },
                {},
            ),
        ],
    )
    def test_the_rows_make_what_the_vendors_test_sends(
        self, resource: Any, name: str, item: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        draft = ZENDESK.draft(resource, item, {"data": extra})
        shown = recorded(name)["request"]
        request = ZENDESK.making(resource, draft.body)
        assert (request.method, request.path, request.json) == (shown["method"], shown["path"], shown["body"])

    PARTS: ClassVar = {
        "emails": [{"email": "ada@engines.example", "type": "primary"}],
        "phones": [{"number": "1", "type": "work"}, {"number": "2", "type": "mobile"}, {"number": "3", "type": "fax"}],
        "addresses": [{"street_1": "St James 1", "city": "London", "postal_code": "W1", "country": "GB"}],
        "tags": ["a", "b"],
        "custom_fields": {"Tier": "Gold"},
        "owner": {"id": "5"},
        "description": "Says much.",
    }

    @pytest.mark.parametrize(
        ("resource", "own", "lacks"),
        [
            (CONTACTS, {"first_name": "Ada", "last_name": "Lovelace", "title": "CTO", "company": {"id": "3"}}, ()),
            (COMPANIES, {"name": "Engines", "website": "engines.example", "industry": "Machinery"}, ("emails",)),
            (
                DEALS,
                {
                    "name": "No. 2",
                    "amount": 12500.5,
                    "currency": "GBP",
                    "stage": {"id": "4"},
                    "probability": 40,
                    "contact": {"id": "6"},
                },
                ("emails", "phones", "addresses", "description"),
            ),
        ],
    )
    def test_the_rows_go_both_ways(self, resource: Any, own: dict[str, Any], lacks: tuple[str, ...]) -> None:
        item = {**{name: value for name, value in self.PARTS.items() if name not in lacks}, **own}
        columns, ignored = resource.table.out(item)
        assert (resource.table.into(columns), ignored) == (item, [])

    def test_the_day_on_which_a_deal_is_to_close_goes_both_ways(self) -> None:
        columns, _ = DEALS.table.out({"close_date": date(2026, 12, 31)})
        assert columns == {"estimated_close_date": "2026-12-31"}
        assert DEALS.table.into(columns) == {"close_date": "2026-12-31"}
        assert DEALS.table.into({"estimated_close_date": "2026-12-31T00:00:00Z"}) == {"close_date": "2026-12-31"}

    def test_a_sum_that_is_written_as_a_text_is_a_number(self) -> None:
        assert DEALS.table.into({"value": "12500.50"}) == {"amount": 12500.5}

    @pytest.mark.parametrize(("given", "sent"), [(40, 40), (40.0, 40), (39.6, 40)])
    def test_a_probability_is_sent_in_whole_per_cent(self, given: float, sent: int) -> None:
        columns, _ = DEALS.table.out({"probability": given})
        assert (columns["customized_win_likelihood"], type(columns["customized_win_likelihood"])) == (sent, int)

    @pytest.mark.parametrize(("status", "active"), [("active", True), ("inactive", False), ("away", None), ({}, None)])
    def test_a_user_works_there_or_no_more(self, status: Any, active: bool | None) -> None:
        assert USERS.table.into({"status": status}).get("active") is active

    @pytest.mark.parametrize(
        ("resource", "body"),
        [
            (CONTACTS, {"is_organization": True}),
            (COMPANIES, {"is_organization": False}),
            (USERS, {"deleted_at": "2017-06-29T06:57:35Z"}),
        ],
        ids=["an organization", "a person", "who left"],
    )
    def test_a_record_of_another_kind_or_one_that_left_is_not_found(self, resource: Any, body: dict[str, Any]) -> None:
        answer = ok({"data": {"id": 7, **body}})
        assert problem_of(lambda: script(answer).hold(ZENDESK.get(resource, "7"))).kind is Kind.CRM_NOT_FOUND

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS, USERS], ids=lambda each: each.plural)
    def test_what_is_not_there_and_what_may_not_be_seen_are_told_apart(self, resource: Any) -> None:
        kinds = [
            problem_of(lambda told=told: script(told).hold(ZENDESK.get(resource, "7"))).kind
            for told in (told("error_404_not_found"), errors({"code": "insufficient_scope"}, status=403))
        ]
        assert kinds == [Kind.CRM_NOT_FOUND, Kind.CRM_FORBIDDEN]


class TestRelated:
    def related(self, item: dict[str, Any], name: str, other: Resource, *replies: Response) -> tuple[Any, list[str]]:
        partner = script(*replies)
        found = partner.hold(ZENDESK.related(DEALS, Answer(item, {}), name, other))
        return found, [request.path for request in partner.requests]

    def test_what_a_deal_names_takes_one_request_each(self) -> None:
        for name, other, path in (
            ("company", COMPANIES, "/v2/contacts/135906739"),
            ("contact", CONTACTS, "/v2/contacts/135906741"),
            ("owner", USERS, "/v2/users/960788"),
        ):
            found, paths = self.related(HOT, name, other, record(other, {}))
            assert (found.item["id"], paths) == ("7", [path])

    def test_the_stage_of_a_deal_is_found_by_its_id(self) -> None:
        found, paths = self.related(HOT, "stage", STAGES, listed({"id": 5550555, "name": "Won", "pipeline_id": 3}))
        assert found.item == {"id": "5550555", "name": "Won", "pipeline": {"id": "3"}}
        assert paths == ["/v2/stages"]

    def test_the_contact_of_a_deal_may_be_its_company(self) -> None:
        sold = {"id": "2", "contact": {"id": "7"}}
        found, paths = self.related(sold, "company", COMPANIES, record(COMPANIES, {"name": "Engines"}))
        assert (found.item["name"], paths) == ("Engines", ["/v2/contacts/7"])
        assert self.related(sold, "contact", CONTACTS, record(COMPANIES, {}))[0] is None

    def test_a_deal_of_a_person_without_a_company_has_none(self) -> None:
        sold = {"id": "2", "contact": {"id": "7"}}
        assert self.related(sold, "company", COMPANIES, record(CONTACTS, ADA)) == (None, ["/v2/contacts/7"])
        assert self.related({"id": "2"}, "company", COMPANIES) == (None, [])


WEB, FAIR = {"id": 11, "name": "Web"}, {"id": 12, "name": "Trade fair"}


class TestSources:
    def test_it_is_named_by_its_id(self) -> None:
        partner = script(listed(WEB), made(source_id=11), listed(WEB))
        answer = partner.hold(ZENDESK.create(LEADS, CASE.draft(ADA | {"lead_source": "Web"})))
        find, create, read = partner.requests
        assert (find.path, find.query["name"]) == ("/v2/lead_sources", "Web")
        assert create.json == {"data": ADA | {"source_id": 11}}
        assert (read.path, read.query["ids"]) == ("/v2/lead_sources", "11")
        assert answer.item["lead_source"] == "Web"

    @pytest.mark.parametrize("name", ["trade FAIR", " Trade fair "])
    def test_its_case_and_blanks_around_it_do_not_matter(self, name: str) -> None:
        partner = script(told("lead_sources_empty"), listed(WEB, FAIR), made())
        partner.hold(ZENDESK.create(LEADS, CASE.draft(ADA | {"lead_source": name})))
        assert partner.requests[-1].json == {"data": ADA | {"source_id": 12}}

    @pytest.mark.parametrize(
        ("known", "detail"),
        [([WEB, FAIR], "has to be one of Web, Trade fair"), ([], "there is nothing to choose from")],
    )
    def test_an_unknown_one_is_refused_before_anything_is_changed(self, known: list[Any], detail: str) -> None:
        partner = script(listed(), listed(*known))
        draft = CASE.draft(ADA | {"lead_source": "Radio"})
        problem = problem_of(lambda: partner.hold(ZENDESK.create(LEADS, draft)))
        [fault] = problem.faults
        assert (problem.kind, fault.field, fault.code) == (Kind.INVALID, "lead_source", "unknown_value")
        assert detail in fault.detail
        assert partner.unsafe == []

    @pytest.mark.parametrize(
        ("item", "extra", "sent"),
        [
            ({"lead_source": " "}, {}, {}),
            ({"lead_source": "Web"}, {"source_id": 12}, {"source_id": 12}),
            ({}, {"source_id": None}, {"source_id": None}),
        ],
    )
    def test_it_is_not_looked_for_where_it_is_not_named_or_its_id_is_given(
        self, item: dict[str, Any], extra: dict[str, Any], sent: dict[str, Any]
    ) -> None:
        partner = script(made())
        partner.hold(ZENDESK.create(LEADS, CASE.draft(ADA | item, {"data": extra})))
        assert partner.requests[0].json == {"data": ADA | sent}

    def test_a_page_takes_one_look_at_their_names(self) -> None:
        pairs = ((1, 12), (2, None), (3, 11), (4, 12), (5, 99))
        leads = [{"id": id, "source_id": source, "updated_at": second(minutes(id))} for id, source in pairs]
        partner = script(listed(*leads[::-1]), listed(WEB, FAIR))
        page = partner.hold(ZENDESK.list(LEADS, limit=10))
        names = [answer.item.get("lead_source") for answer in page.answers]
        assert names == ["Trade fair", None, "Web", "Trade fair", None]
        assert partner.requests[1].query["ids"] == "11,12,99"
        assert [answer.raw["data"] for answer in page.answers] == leads

    def test_nothing_is_looked_up_where_no_lead_has_one(self) -> None:
        partner = script(listed({"id": 1, "source_id": None, "updated_at": second(minutes(0))}))
        assert len(partner.hold(ZENDESK.list(LEADS, limit=10)).answers) == 1


def errors(*errors: dict[str, Any], status: int = 422, kind: str = "errors") -> Response:
    meta = {"type": kind, "http_status": f"{status}", "logref": "b5hsh-1r4th-f13p6-4j7ag"}
    return Response(
        status, {}, {"errors": [{"error": each, "meta": {"type": "error"}} for each in errors]} | {"meta": meta}
    )


class TestRefusals:
    @pytest.mark.parametrize("pointer", ["/address/city", "/data/address/city"])
    def test_a_field_is_named_alike_wherever_its_pointer_begins(self, pointer: str) -> None:
        problem = problem_at(errors({"code": "blank", "field": pointer, "message": "x"}))
        assert [fault.field for fault in problem.faults] == ["address.city"]

    def test_all_errors_are_told_in_english(self) -> None:
        first = {"code": "blank", "field": "/data/last_name", "message": "puste", "details": "It is blank."}
        problem = problem_at(errors(first, {"code": "unknown", "field": "/x", "message": "unknown attribute"}))
        assert problem.remote
        assert (problem.remote.code, problem.remote.message) == ("blank", "It is blank.; unknown attribute")
        assert [fault.field for fault in problem.faults] == ["last_name", "x"]
        assert (problem.kind, problem.outcome) == (Kind.CRM_REJECTED, Outcome.REFUSED)

    @pytest.mark.parametrize(("headers", "id"), [({}, "b5hsh-1r4th-f13p6-4j7ag"), ({"x-request-id": "r-1"}, "r-1")])
    def test_the_exchange_is_named_for_the_vendors_support(self, headers: dict[str, str], id: str) -> None:
        response = errors({"code": "blank"})
        problem = problem_at(Response(422, headers, response.body))
        assert problem.remote
        assert problem.remote.request_id == id

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (200, "blank", Kind.CRM_REJECTED),
            (404, "not_found", Kind.CRM_NOT_FOUND),
            (404, "incorrect_path", Kind.CRM_REJECTED),
            (403, "insufficient_scope", Kind.CRM_FORBIDDEN),
            (401, "unauthorized", Kind.NEEDS_REAUTH),
            (422, "already_exists", Kind.CRM_CONFLICT),
            (429, "rate_limit_exceeded", Kind.CRM_RATE_LIMITED),
        ],
    )
    @pytest.mark.parametrize("type", ["errors", "collection"])
    def test_a_refusal_is_known_by_its_errors(self, status: int, code: str, kind: Kind, type: str) -> None:
        problem = problem_at(errors({"code": code}, status=status, kind=type))
        assert (problem.kind, problem.outcome) == (kind, Outcome.REFUSED)

    def test_a_throttle_says_nothing_and_is_heard_if_it_does(self) -> None:
        assert problem_at(Response(429, {}, None)).retry_after is None
        assert problem_at(Response(429, {"retry-after": "7"}, "Slow down", readable=False)).retry_after == 7


@dataclass
class Book:
    """The leads of an account, or its contacts, by number, each with the second of its last change; `before` disturbs
    each request."""

    changes: dict[int, int]
    down: bool = True
    """Whether the greater id comes first, of those that changed in the same second."""
    before: Callable[[], None] = lambda: None
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    resource: Resource = LEADS

    def answer(self, request: Request) -> Response:
        self.before()
        assert request.path == self.resource.path
        query = request.query
        self.asked.append(dict(query))
        page, size = int(query["page"]), int(query["per_page"])
        assert page >= 1
        assert 1 <= size <= 100, "recorded: must be between 1 and 100"
        assert query["sort_by"] == "updated_at:desc"
        order = sorted(self.changes, key=lambda id: (-self.changes[id], -id if self.down else id))
        shown = order[(page - 1) * size : page * size]
        return listed(*({"id": id, "updated_at": second(self.at(self.changes[id]))} for id in shown))

    @staticmethod
    def at(seconds: float) -> Any:
        return minutes(0) + timedelta(seconds=seconds)

    def since(self, seconds: float | None, limit: int) -> list[int]:
        """The ids of the leads that changed since then, or of all, page by page."""
        partner, cursor, found = Partner(self.answer), None, list[int]()
        for _ in range(1000):
            since = None if seconds is None else self.at(seconds)
            page = partner.hold(ZENDESK.list(self.resource, since=since, cursor=cursor, limit=limit))
            assert len(page.answers) <= limit
            assert len(json.dumps(page.cursor)) < 5500, "sealed, it would outgrow what a cursor may be"
            found += [int(answer.item["id"]) for answer in page.answers]
            if page.cursor is None:
                return found
            cursor = json.loads(json.dumps(page.cursor))
        raise AssertionError("the list does not end")


each_order = pytest.mark.parametrize("down", [True, False], ids=["down", "up"])


class TestChanges:
    @pytest.mark.parametrize("limit", [1, 2, 50, 100])
    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 457])
    def test_each_comes_once_oldest_change_first(self, count: int, limit: int) -> None:
        old = {id: -id for id in range(1, 250)}
        assert Book(old | {1000 + n: n for n in range(count)}).since(0, limit) == [1000 + n for n in range(count)]

    def test_a_list_of_nothing_but_changes_is_read_from_its_end(self) -> None:
        assert Book({n: n for n in range(1, 301)}).since(0, 100) == list(range(1, 301))
        assert Book({}).since(0, 100) == []

    def test_the_second_of_a_moment_belongs_to_it(self) -> None:
        assert Book({1: -1, 2: 0, 3: 1}).since(0.9, 100) == [2, 3], "moments are told in whole seconds"

    @each_order
    @pytest.mark.parametrize("limit", [3, 70, 100])
    def test_many_changes_within_one_second_come_once_each(self, down: bool, limit: int) -> None:
        bulk = dict.fromkeys(range(1, 401), 5)
        found = Book({1001: 1, 1002: 9, 1003: -7} | bulk, down).since(0, limit)
        assert (found[0], found[-1], len(found)) == (1001, 1002, 402)
        assert sorted(found[1:-1]) == list(range(1, 401))

    @each_order
    @pytest.mark.parametrize("seed", range(20))
    def test_whatever_changes_comes_or_goes_meanwhile_nothing_is_passed_over(self, down: bool, seed: int) -> None:
        random = Random(seed)
        book = Book({n: n - 300 for n in range(1, 701)}, down)
        wanted = {n for n, at in book.changes.items() if at >= 0}
        clock = iter(range(1000, 10**6))

        def disturb() -> None:
            now = next(clock)
            if len(book.asked) > 200:
                return  # or it would never end
            for _ in range(random.randrange(3)):
                gone = random.choice(list(book.changes))
                del book.changes[gone]
                wanted.discard(gone)
            for _ in range(random.randrange(3)):
                edited = random.choice(list(book.changes))
                book.changes[edited] = now
                wanted.add(edited)
            if random.random() < 0.3:
                book.changes[now] = now
                wanted.add(now)

        book.before = disturb
        found = book.since(0, random.choice([7, 40, 100]))
        assert wanted <= set(found)

    def test_a_record_that_slips_over_the_edge_of_a_page_is_not_lost(self) -> None:
        """One of the first page is removed while the second is on its way, so that the first of that moves up."""
        for victim in range(1, 151):
            book = Book({n: n for n in range(-100, 151)})

            def remove(book: Book = book, victim: int = victim) -> None:
                if len(book.asked) == 1:
                    book.changes.pop(victim, None)

            book.before = remove
            assert book.since(1, 100) == [n for n in range(1, 151) if n != victim]

    def test_what_changed_since_a_short_while_takes_one_request(self) -> None:
        book = Book({n: -n for n in range(5000)})
        assert book.since(-20, 100) == list(range(20, -1, -1))
        assert len(book.asked) == 1

    def test_a_moment_long_ago_is_found_in_few_requests_and_each_page_from_there_in_one(self) -> None:
        book = Book({n: n for n in range(20_000)})
        cursor, expected = None, 100
        for requests in (25, 1, 1, 1):
            page = Partner(book.answer).hold(ZENDESK.list(LEADS, since=book.at(100), cursor=cursor, limit=50))
            ids = [int(answer.item["id"]) for answer in page.answers]
            assert ids == list(range(expected, expected + len(ids)))
            assert len(ids) > 40
            assert len(book.asked) <= requests
            cursor, expected = page.cursor, expected + len(ids)
            book.asked.clear()

    @pytest.mark.parametrize("come", [True, False], ids=["come", "go"])
    @pytest.mark.parametrize("when", range(10, 16))
    def test_thousands_that_come_or_go_amid_the_search_lead_it_nowhere_else(self, when: int, come: bool) -> None:
        book = Book({n: n for n in range(20_000)})

        def import_or_purge() -> None:
            if len(book.asked) == when:
                few = range(20_000, 25_000) if come else range(12_000, 20_000)
                for n in few:
                    if come:
                        book.changes[n] = n
                    else:
                        del book.changes[n]

        book.before = import_or_purge
        page = Partner(book.answer).hold(ZENDESK.list(LEADS, since=book.at(100), limit=5))
        assert [answer.item["id"] for answer in page.answers] == ["100", "101", "102", "103", "104"]

    def test_a_list_that_never_shows_its_end_is_given_up(self) -> None:
        page = [{"id": n, "updated_at": second(minutes(1))} for n in range(100)]
        partner = Partner(lambda request: listed(*page[: int(request.query["per_page"])]))
        problem = problem_of(lambda: partner.hold(ZENDESK.list(LEADS, since=minutes(0), limit=5)))
        assert problem.kind is Kind.CRM_UNAVAILABLE
        assert len(partner.requests) < 100

    def test_a_lost_create_is_looked_for_among_what_changed_since_and_not_in_the_search(self) -> None:
        times = {"created_at": "2026-05-01T12:00:01Z", "updated_at": "2026-05-01T12:00:02Z"}
        partner = script(listed({"id": 3, "last_name": "Byron"} | times, {"id": 2, "last_name": " lovelace"} | times))
        assert partner.hold(ZENDESK.find(LEADS, Draft({"data": ADA}), minutes(0))) == "2"
        [request] = partner.requests
        assert (request.method, request.path, request.query["sort_by"]) == ("GET", "/v2/leads", "updated_at:desc")


class TestList:
    """All leads are those that changed since ever."""

    @each_order
    @pytest.mark.parametrize("limit", [2, 60])
    def test_each_comes_once_whatever_changed_in_the_same_second(self, down: bool, limit: int) -> None:
        book = Book({n: n // 50 for n in range(150)}, down)
        assert sorted(book.since(None, limit)) == list(range(150))
        assert book.since(None, limit)[-1] >= 100

    @pytest.mark.parametrize("turn", [1, 2, 3])
    def test_one_that_is_removed_between_two_pages_draws_no_other_over_the_edge(self, turn: int) -> None:
        for victim in range(0, 150, 7):
            book = Book(dict.fromkeys(range(150), 0))

            def remove(book: Book = book, victim: int = victim) -> None:
                if len(book.asked) == turn:
                    book.changes.pop(victim, None)

            book.before = remove
            found = book.since(None, 40)
            assert len(found) == len(set(found))
            assert set(range(150)) - {victim} <= set(found)

    @each_order
    @pytest.mark.parametrize("gone", [0, 60, 200])
    def test_of_a_bulk_within_one_second_none_is_lost_though_a_position_cannot_name_all(
        self, down: bool, gone: int
    ) -> None:
        """Those that come, change or go meanwhile move it by less than what a position names."""
        book = Book(dict.fromkeys(range(3000), 5), down)

        def disturb() -> None:
            if len(book.asked) == 40:
                for n in (*range(1000, 1000 + gone), *range(2500, 2500 + gone)):
                    del book.changes[n]
                book.changes |= {9000 + n: 9 for n in range(gone * 2)}

        book.before = disturb
        found = book.since(None, 70)
        assert len(found) == len(set(found))
        assert set(book.changes) <= set(found)


class TestListOfContacts:
    """Persons are walked as leads are, out of the one list that they share with organizations."""

    EVER = datetime(1970, 1, 1, tzinfo=UTC)

    def test_what_is_asked_for_is_what_the_vendors_own_app_asks_for_and_persons_alone(self) -> None:
        shown = recorded("contacts_list")["request"]
        request = next(ZENDESK.list(CONTACTS, since=self.EVER, limit=2000))
        assert (request.method, request.path) == (shown["method"], shown["path"])
        assert dict(request.query) == shown["query"] | {"is_organization": "false"}

    @pytest.mark.parametrize("since", [None, EVER], ids=["all", "since ever"])
    def test_all_come_oldest_change_first_in_hardly_more_calls_than_pages(self, since: datetime | None) -> None:
        book = Book({n: n for n in range(5000)}, resource=CONTACTS)
        partner, cursor, found, pages = Partner(book.answer), None, list[str](), 0
        while pages == 0 or cursor is not None:
            page = partner.hold(ZENDESK.list(CONTACTS, since=since, cursor=cursor, limit=2000))
            found, cursor, pages = [*found, *(each.item["id"] for each in page.answers)], page.cursor, pages + 1
        assert found == [str(n) for n in range(5000)]
        assert len(book.asked) <= pages + 14, "the oldest is searched for once"
        assert pages <= 60, "as many as lie above the edge, of a hundred at the most"

    def test_one_that_is_removed_draws_no_other_over_the_edge_and_one_that_changes_comes_again(self) -> None:
        book = Book({n: n for n in range(300)}, resource=CONTACTS)

        def disturb() -> None:
            if len(book.asked) == 6:
                book.changes.pop(299)
                book.changes[0] = 400

        book.before = disturb
        found = book.since(-9, 2000)
        assert set(range(299)) <= set(found)
        assert found[-1] == 0
        assert found.count(0) == 2

    def test_a_list_tells_what_a_read_tells_and_an_organization_is_none_of_them(self) -> None:
        person = {"id": 1, "is_organization": False, "contact_id": 2, "custom_fields": {"Tier": "Gold"}, **TIMES}
        records = (person, {"id": 2, "is_organization": True, **TIMES})
        page = script(listed(*records)).hold(ZENDESK.list(CONTACTS, since=self.EVER, limit=2000))
        [answer] = page.answers
        read = script(ok({"data": person, "meta": {"type": "contact"}})).hold(ZENDESK.get(CONTACTS, "1"))
        assert answer.item == read.item
        assert answer.item["company"] == {"id": "2"}
        assert CONTACTS.deletions == "swept"


class TestPipelines:
    def test_the_recorded_ones_are_read_with_their_stages_in_order(self) -> None:
        stages = [each["data"] for each in recorded("stages_list")["response"]["body"]["items"]]
        mine = [each | {"pipeline_id": 789898} for each in stages[::-1]]
        partner = script(told("pipelines_list"), listed(*mine, {"id": 9, "name": "Won", "pipeline_id": 1}))
        first, second = partner.hold(ZENDESK.list(PIPELINES, limit=10)).answers
        place = {"pipeline": {"id": "789898"}}
        assert first.item == {
            "id": "789898",
            "name": "Sales pipeline",
            "entity": "opportunity",
            "stages": [
                {"id": "6524005", "name": "Prospecting", "status": "incoming"} | place,
                {"id": "6524006", "name": "Qualified", "status": "in_progress"} | place,
            ],
            "created_at": "2017-06-04T18:28:53Z",
            "updated_at": "2017-06-04T18:28:53Z",
        }
        assert (second.item["id"], "stages" in second.item) == ("739630", False)

    def test_the_stages_of_all_are_walked_to_their_end(self) -> None:
        steps = [{"id": n, "name": f"{n}", "pipeline_id": 1, "position": n} for n in range(130)]
        partner = script(listed({"id": 1, "name": "Sales"}), listed(*steps[:100]), listed(*steps[100:]))
        [answer] = partner.hold(ZENDESK.list(PIPELINES, limit=10)).answers
        assert [each["id"] for each in answer.item["stages"]] == [str(n) for n in range(130)]
        assert [request.query["page"] for request in partner.requests[1:]] == ["1", "2"]

    def test_one_stage_is_read_as_it_was_recorded(self) -> None:
        shown = recorded("stages_by_ids")
        partner = script(told("stages_by_ids"))
        assert partner.hold(ZENDESK.get(STAGES, "1234")).item == {
            "id": "1234",
            "name": "Incoming",
            "pipeline": {"id": "704704"},
            "position": 1,
            "created_at": "2016-12-07T08:09:14Z",
            "updated_at": "2017-03-23T12:42:21Z",
        }
        [request] = partner.requests
        assert request.path == shown["request"]["path"]
        assert request.query.items() >= shown["request"]["query"].items()
        assert "sort_by" not in request.query, "this list cannot be asked for an order"

    def test_a_stage_that_is_won_is_not_told_as_switched_off(self) -> None:
        body = {"data": {"id": 1, "name": "Won", "category": "won", "active": False}}
        assert ZENDESK.item(STAGES, body) == {"id": "1", "name": "Won"}

    def test_a_pipeline_changes_with_its_stages(self) -> None:
        flows = [{"id": n, "name": "x", "updated_at": second(minutes(at))} for n, at in ((1, -9), (2, 1), (3, -9))]
        changes = ((1, -5), (1, 5), (2, 0), (3, -8))
        steps = [{"id": 9, "name": "y", "pipeline_id": n, "updated_at": second(minutes(at))} for n, at in changes]
        partner = script(listed(*flows), listed(*steps), listed(*steps))
        answers = partner.hold(ZENDESK.list(PIPELINES, since=minutes(0), limit=10)).answers
        told = [(each.item["id"], each.item["updated_at"], each.raw["data"]) for each in answers]
        assert told == [("2", second(minutes(1)), flows[1]), ("1", second(minutes(5)), flows[0])]
        assert CRM.offer("pipelines", "list") == Emulated("Its stages are found in the list of all of them.")

    @pytest.mark.parametrize("found", [[], [{"id": 12345}, {"id": 123}]], ids=["none", "others"])
    @pytest.mark.parametrize("resource", [PIPELINES, STAGES], ids=["pipeline", "stage"])
    def test_one_that_is_not_in_the_answer_is_not_found(self, resource: Any, found: list[Any]) -> None:
        partner = script(listed(*found))
        assert problem_of(lambda: partner.hold(ZENDESK.get(resource, "1234"))).kind is Kind.CRM_NOT_FOUND

    def test_what_changed_since_comes_oldest_change_first(self) -> None:
        steps = [{"id": n, "updated_at": second(minutes(at))} for n, at in ((1, 9), (2, -1), (3, 4), (4, 0))]
        since = minutes(0) + timedelta(microseconds=5)
        first = script(listed(*steps)).hold(ZENDESK.list(STAGES, since=since, limit=2))
        last = script(listed(*steps)).hold(ZENDESK.list(STAGES, since=since, cursor=first.cursor, limit=2))
        assert [[each.item["id"] for each in page.answers] for page in (first, last)] == [["4", "3"], ["1"]]
        assert last.cursor is None


def test_every_refresh_brings_a_refresh_token_of_its_own() -> None:
    shown, scheme = recorded("oauth_refresh")["request"], CRM.auth["oauth2"]
    assert isinstance(scheme, OAuth2)
    partner = script(told("oauth_refresh"))
    app = {"client_id": "i", "client_secret": "s"}
    token = partner.hold(scheme.refresh({"refresh_token": "old_refresh_token"}, app))
    [request] = partner.requests
    assert (request.method, request.path, request.to) == (shown["method"], shown["path"], "token")
    assert (
        "&".join(f"{name}={value}" for name, value in sorted((request.form or {}).items(), reverse=True))
        == shown["body"]
    )
    assert request.headers == {"authorization": "Basic aTpz"}
    assert (token.access_token, token.refresh_token) == ("refreshed_access_token", "refreshed_refresh_token")
    assert token.expires_in == 3600
