"""What is peculiar to Pipeliner: stages written with their pipeline, relations told twice, dates of a lead's own.

No answer about a lead, a step or a pipeline was ever recorded: these are shaped like the vendor's specification.
"""

import json
import re
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest

from switchboard.crm.catalog import Resource
from switchboard.crm.dialect import Answer
from switchboard.crm.paging import OLDEST
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.pipeliner import CRM
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES
from tests.crm.shared import document
from tests.crm.test_specs import body_schema, problems
from tests.crm.voices import minutes
from tests.sandbox import exchange
from tests.sandbox.vendors.pipeliner import FAKE
from tests.talk import Partner, Reply, ok, script

LEAD, PIPELINE, STAGE = (CASES[f"pipeliner-{plural}"] for plural in ("leads", "pipelines", "stages"))
PIPELINER = CRM.dialect
LEADS, PIPELINES, STAGES = LEAD.resource, PIPELINE.resource, STAGE.resource
SPACE = "/api/v100/rest/spaces/{space}"
P, Q = "98baf008-2c96-0831-cb6d-0fa7a5660225", "3e046e52-00e4-097b-b2a4-b58af0381541"
A, B, NEW = (f"0000000{n}-ffdd-4fff-9109-843e45e9609c" for n in (1, 2, 3))
STEPS = {A: "Qualify", B: "Propose", NEW: "Sign"}
NOWHERE = Response(404, {}, {"message": "invalid ID", "http_status": 404, "success": False})


def uri(entity: str, id: str) -> str:
    return f"https://eu-central.api.pipelinersales.com/api/v100/rest/spaces/fr_Myself/entities/{entity}/{id}"


def one(**record: Any) -> Response:
    return ok({"success": True, "data": record})


def listed(*records: Record, after: str | None = None, more: bool = False) -> Response:
    info = {"start_cursor": "WyIwIl0=", "end_cursor": after, "has_previous_page": False, "has_next_page": more}
    return ok({"success": True, "total": 9, "page_info": info, "data": list(records)})


def pipeline(*steps: str, revision: int = 7, expanded: bool = True) -> Response:
    told = [{"id": each, "name": STEPS[each]} if expanded else uri("Steps", each) for each in steps]
    return one(id=P, name="Renewals", revision=revision, is_deleted=False, steps=told)


def step(**more: Any) -> Response:
    return one(**{"id": NEW, "name": "Sign", "pipeline_id": P, "pipeline": {"id": P, "name": "Renewals"}, **more})


def problem(partner: Partner, item: Record) -> Problem:
    """What becomes of the create of a stage."""
    with pytest.raises(Problem) as caught:
        partner.hold(PIPELINER.create(STAGES, STAGE.draft(item)))
    return caught.value


class TestLead:
    def test_a_lead_may_be_given_a_date_of_its_own(self) -> None:
        item = {"name": "Big one", "description": "x", "owner": {"id": A}, "created_at": minutes(0)}
        sent = {"name": "Big one", "description": "x", "owner_id": A, "created": "2026-05-01T12:00:00Z"}
        assert LEAD.draft(item).body == sent

    @pytest.mark.parametrize("expanded", [True, False])
    def test_a_related_record_is_an_address_or_stands_there_in_full(self, expanded: bool) -> None:
        contact = {"id": A, "first_name": "Ada"} if expanded else uri("Contacts", A)
        item = PIPELINER.item(LEADS, {"id": B, "name": "x", "primary_contact": contact, "primary_account": None})
        assert item == {"id": B, "title": "x", "contact": {"id": A}}

    def test_a_source_is_told_by_its_name_and_the_answer_to_a_create_has_only_its_address(self) -> None:
        made = {"id": A, "name": "x", "lead_source": uri("Data", B)}
        partner = script(one(**made), one(**made | {"lead_source": {"id": B, "option_name": "Fair"}}))
        answer = partner.hold(PIPELINER.create(LEADS, LEAD.draft({"name": "x"}, {"lead_source_id": B})))
        assert answer.item["lead_source"] == "Fair"
        assert [request.method for request in partner.requests] == ["POST", "GET"]
        assert dict(partner.requests[1].query) == {"expand": "lead_source"}

    def test_a_lead_without_a_source_is_not_read_back(self) -> None:
        partner = script(one(id=A, name="x", lead_source=None, primary_contact=uri("Contacts", B)))
        assert partner.hold(PIPELINER.create(LEADS, LEAD.draft({"name": "x"}))).item["contact"] == {"id": B}

    @pytest.mark.parametrize(
        ("created", "modified", "found"),
        [
            (-9000, 11, True),  # as given, and stored just now
            (11, 11, True),  # the vendor kept its own date
            (-9000, 9, False),  # a namesake of the same date, stored before
            (-8000, 11, False),  # an old one, changed just now
        ],
    )
    def test_a_lead_of_a_past_date_is_recognised_by_when_it_was_stored(
        self, created: float, modified: float, found: bool
    ) -> None:
        at = {name: str(minutes(when)) for name, when in (("created", created), ("modified", modified))}
        draft = LEAD.draft({"name": "Big one", "created_at": minutes(-9000) + timedelta(microseconds=123_456)})
        talk = PIPELINER.find(LEADS, draft, minutes(10))
        assert script(listed({"id": A, "name": "Big one", **at})).hold(talk) == (A if found else None)

    @pytest.mark.parametrize(
        ("told", "source"),
        [
            ([{"id": A, "name": "x", "lead_source": {"option_name": "Fair"}}], "Fair"),
            ([{"id": B, "name": "another", "lead_source": {"option_name": "Web"}}], None),
            ([], None),
        ],
        ids=["expanded", "filter not heeded", "not listed"],
    )
    def test_a_read_that_does_not_expand_is_made_up_for_by_the_list(self, told: list[Record], source: Any) -> None:
        partner = script(one(id=A, name="x", lead_source=uri("Data", B)), listed(*told))
        item = partner.hold(PIPELINER.get(LEADS, A)).item
        assert (item["id"], item["title"], item.get("lead_source")) == (A, "x", source)
        assert dict(partner.requests[1].query) == {"filter[id]": A, "expand": "lead_source"}

    def test_what_was_removed_and_is_still_read_is_not_there(self) -> None:
        with pytest.raises(Problem) as caught:
            script(one(id=A, name="x", is_deleted=True)).hold(PIPELINER.get(LEADS, A))
        assert (caught.value.kind, caught.value.outcome) == (Kind.CRM_NOT_FOUND, Outcome.NOTHING)


CONTACTS, COMPANIES, DEALS, USERS = (
    CASES[f"pipeliner-{plural}"].resource for plural in ("contacts", "companies", "deals", "users")
)
TIMES = {"created": "2026-02-05 00:13:56.718423+00:00", "modified": "2026-02-06 00:13:56.718423+00:00"}
TOLD = {"created_at": "2026-02-05T00:13:56.718Z", "updated_at": "2026-02-06T00:13:56.718Z"}
OWNER = {"id": Q, "name": "Rita Book", "formatted_name": "Rita Book", "email": "rita@example.com"}
ADA = {
    "id": A,
    **TIMES,
    "formatted_name": "Lovelace Ada",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "title": "Lady",
    "position": "CTO",
    "email1": "ada@engines.example",
    "email2": "",
    "email3": "a@b.example",
    "phone1": "1",
    "address": "St James 1\nBack door",
    "city": "London",
    "country": "",
    "comments": "Says much.",
    "owner_id": Q,
    "shoe_size": 37,
    "nickname": "",
    "tags": [],
    "revision": 7,
}
ADA_READ = {
    "id": A,
    "first_name": "Ada",
    "last_name": "Lovelace",
    "name": "Ada Lovelace",
    "title": "CTO",
    "emails": [{"email": "ada@engines.example"}, {"email": "a@b.example"}],
    "phones": [{"number": "1"}],
    "company": {"id": B},
    "owner": {"id": Q},
    "addresses": [{"street_1": "St James 1", "street_2": "Back door", "city": "London"}],
    "description": "Says much.",
    "custom_fields": {"shoe_size": 37},
    **TOLD,
}
ENGINE = {
    "id": A,
    **TIMES,
    "name": "Engine no. 2",
    "description": "",
    "value": {"base_value": "12500.50", "currency_id": P, "value_foreign": 10000},
    "closing_date": "2026-12-31",
    "status": 3,
    "won_date": "2026-12-30 10:00:00+00:00",
    "lost_date": None,
    "owner_id": Q,
    "step_id": B,
    "favourite_colour": "teal",
}
ENGINE_READ = {
    "id": A,
    "name": "Engine no. 2",
    "amount": 12500.5,
    "stage": {"id": B},
    "status": "won",
    "close_date": "2026-12-31",
    "company": {"id": B},
    "contact": {"id": NEW},
    "owner": {"id": Q},
    "custom_fields": {"favourite_colour": "teal"},
    "closed_at": "2026-12-30T10:00:00Z",
    **TOLD,
}


def read(resource: Resource, **record: Any) -> tuple[Record, Request]:
    """What is told of a record that is read by its id, and the one request that it takes."""
    partner = script(one(**record))
    item = partner.hold(PIPELINER.get(resource, record["id"])).item
    [request] = partner.requests
    return item, request


class TestObjects:
    def test_the_recorded_company_is_read(self) -> None:
        [body] = document("fixtures/pipeliner/accounts_list_expand.json")["response"]["body"]["data"]
        item, request = read(COMPANIES, **body)
        assert item == {
            "id": "0f4daaff-ffdd-4fff-9109-843e45e9609c",
            "name": "Green Inc.",
            "website": "www.greeninc.green",
            "phones": [{"number": "888-777-8888"}],
            "industry": "Agriculture",
            "owner": {"id": "00000000-0000-0000-0000-000000008e97"},
            "addresses": [{"street_1": "1200 Green St.", "street_2": "Green City\nCA 90009"}],
            "created_at": "2026-02-05T00:13:56.718Z",
            "updated_at": "2026-02-05T00:13:56.718Z",
        }
        assert request.path == f"{SPACE}/entities/Accounts/{body['id']}"
        assert dict(request.query) == {"expand": "owner,industry,tags.tag"}

    def test_a_contact_is_read_in_one_request_with_names_as_far_as_it_expands(self) -> None:
        item, request = read(CONTACTS, **ADA, owner=uri("Clients", Q), primary_account=uri("Accounts", B))
        assert item == ADA_READ
        assert request.path == f"{SPACE}/entities/Contacts/{A}"
        assert dict(request.query) == {"expand": "owner,primary_account,tags.tag"}
        full, _ = read(CONTACTS, **ADA, owner=OWNER, primary_account={"id": B, "name": "Engines"})
        assert full == ADA_READ | {
            "company": {"id": B, "name": "Engines"},
            "owner": {"id": Q, "name": "Rita Book", "email": "rita@example.com"},
        }

    def test_a_deal_is_read_in_one_request_with_names_as_far_as_it_expands(self) -> None:
        bare = {"owner": uri("Clients", Q), "step": uri("Steps", B), "primary_account": uri("Accounts", B)}
        item, request = read(DEALS, **ENGINE, **bare, primary_contact=uri("Contacts", NEW))
        assert item == ENGINE_READ
        assert request.path == f"{SPACE}/entities/Opportunities/{A}"
        assert dict(request.query) == {"expand": "owner,step.pipeline,primary_account,primary_contact,tags.tag"}
        full, _ = read(
            DEALS,
            **ENGINE,
            owner=OWNER,
            step={"id": B, "name": "Sign", "pipeline_id": P, "pipeline": {"id": P, "name": "Renewals"}},
            primary_account={"id": B, "name": "Engines"},
            primary_contact={"id": NEW, "first_name": "Ada", "last_name": "Lovelace"},
        )
        assert full == ENGINE_READ | {
            "pipeline": {"id": P, "name": "Renewals"},
            "stage": {"id": B, "name": "Sign"},
            "company": {"id": B, "name": "Engines"},
            "contact": {"id": NEW, "name": "Ada Lovelace"},
            "owner": {"id": Q, "name": "Rita Book", "email": "rita@example.com"},
        }

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS], ids=lambda each: each.plural)
    @pytest.mark.parametrize(
        ("tags", "names"),
        [
            ([{"id": A, "tag": {"id": P, "name": "steam"}}, {"id": B, "tag": {"name": "gears"}}], ["steam", "gears"]),
            ([uri("TagRelations", A)], None),
            ([{"id": A, "tag": uri("Tags", P), "tag_id": P}], None),
            ([None, {"tag": None}, {"tag": {"name": 7}}], None),
            ([], None),
            ("steam", None),
            (None, None),
        ],
        ids=repr,
    )
    def test_tags_are_told_by_their_names_as_far_as_they_expand(self, resource: Any, tags: Any, names: Any) -> None:
        item, _ = read(resource, id=A, tags=tags)
        assert item.get("tags") == names

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS], ids=lambda each: each.plural)
    def test_what_is_asked_for_has_a_relation_in_the_specification(self, resource: Any) -> None:
        schemas = document("specs/pipeliner/pipeliner-cloud-v100.cut.openapi.json")["components"]["schemas"]
        first = {"contacts": "Contact", "companies": "Account", "deals": "Opportunity"}[resource.plural]
        for path in PIPELINER.view(resource)["expand"].split(","):
            schema = first
            for step in path.split("."):
                described = schemas[schema]["properties"][step]
                schema = described.get("items", described)["x-relation"]

    @pytest.mark.parametrize(("status", "word"), [(1, "open"), (2, "lost"), (3, "won"), (4, None), ("x", None)])
    def test_a_deal_is_open_lost_or_won(self, status: Any, word: str | None) -> None:
        assert DEALS.table.into({"status": status}).get("status") == word

    def test_a_user_is_read_in_one_request(self) -> None:
        rita = {**OWNER, **TIMES, "first_name": "Rita", "last_name": "Book", "position": "Sales", "phone": ""}
        item, request = read(USERS, **rita)
        assert item == {
            "id": Q,
            "name": "Rita Book",
            "first_name": "Rita",
            "last_name": "Book",
            "email": "rita@example.com",
            "title": "Sales",
            **TOLD,
        }
        assert (request.path, dict(request.query)) == (f"{SPACE}/entities/Clients/{Q}", {})

    def test_a_documented_user_of_few_columns_is_read_as_far_as_it_goes(self) -> None:
        body = document("fixtures/pipeliner/doc_client_by_email.json")["response"]["body"]
        assert PIPELINER.item(USERS, body) == {"id": "00000000-0000-0000-0000-000000011a7d"}

    WRITABLE: ClassVar = {
        CONTACTS.plural: {k: v for k, v in ADA_READ.items() if k not in ("id", "name", *TOLD)},
        COMPANIES.plural: {
            "name": "Engines",
            "website": "engines.example",
            **{k: ADA_READ[k] for k in ("phones", "description", "owner", "addresses", "custom_fields")},
        },
        DEALS.plural: {
            k: v for k, v in ENGINE_READ.items() if k not in ("id", "status", "close_date", "closed_at", *TOLD)
        },
    }

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS], ids=lambda each: each.plural)
    def test_the_rows_go_both_ways(self, resource: Any) -> None:
        item = self.WRITABLE[resource.plural]
        columns, ignored = resource.table.out(item)
        back = resource.table.into(columns)
        back.pop("name", None) if resource is CONTACTS else None
        assert (back, ignored) == (item, [])

    def test_the_day_on_which_a_deal_is_to_close_goes_both_ways(self) -> None:
        columns, _ = DEALS.table.out({"close_date": date(2026, 12, 31)})
        assert columns == {"closing_date": "2026-12-31"}
        assert DEALS.table.into(columns) == {"close_date": "2026-12-31"}

    def test_what_a_record_belongs_to_is_written_as_a_relation(self) -> None:
        columns, _ = DEALS.table.out({"company": {"id": A}, "contact": {"id": B}})
        assert columns == {
            "account_relations": [{"account_id": A, "is_primary": True}],
            "contact_relations": [{"contact_id": B, "is_primary": True}],
        }

    @pytest.mark.parametrize(
        ("relations", "id"),
        [
            ([{"account_id": A}, {"account_id": B, "is_primary": True}], B),
            ([{"account_id": A, "is_primary": False}], None),
            ([uri("ContactAccountRelations", A)], None),
            (None, None),
        ],
    )
    def test_without_a_word_of_which_is_primary_the_relations_tell(self, relations: Any, id: str | None) -> None:
        item = CONTACTS.table.into({"primary_account": None, "account_relations": relations})
        assert item == ({"company": {"id": id}} if id else {})

    def test_there_is_room_for_five_numbers_and_no_types(self) -> None:
        phones = [{"number": str(n), "type": "work" if n == 2 else None} for n in range(1, 8)]
        columns, ignored = CONTACTS.table.out({"phones": phones})
        assert columns == {f"phone{n}": str(n) for n in range(1, 6)}
        assert sorted(ignored) == ["phones[1].type", "phones[5]", "phones[6]"]

    def test_a_column_of_the_vendors_is_no_custom_field(self) -> None:
        with pytest.raises(Problem) as caught:
            CONTACTS.table.out({"custom_fields": {"owner_id": Q}})
        assert caught.value.faults[0].field == "custom_fields.owner_id"

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS], ids=lambda each: each.plural)
    def test_no_specified_column_is_told_as_a_custom_field(self, resource: Any) -> None:
        spec = document("specs/pipeliner/pipeliner-cloud-v100.cut.openapi.json")
        name = {"contacts": "Contact", "companies": "Account", "deals": "Opportunity"}[resource.plural]
        record = dict.fromkeys(spec["components"]["schemas"][name]["properties"], "x")
        assert "custom_fields" not in resource.table.into(record)

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS], ids=lambda each: each.plural)
    def test_what_the_rows_make_is_in_the_specification(self, resource: Any) -> None:
        spec = document("specs/pipeliner/pipeliner-cloud-v100.cut.openapi.json")
        item = {k: v for k, v in self.WRITABLE[resource.plural].items() if k != "custom_fields"}
        columns, _ = resource.table.out(item | {"close_date": date(2026, 12, 31)} if resource is DEALS else item)
        path = f"/entities/{resource.path.rpartition('/')[2]}"
        schema = schema_of(spec, body_schema(spec["paths"][path]["post"]))
        assert set(columns) <= set(schema["properties"])
        assert set(schema["required"]) <= set(columns)
        assert not [name for name in columns if schema["properties"][name].get("readOnly")]

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS, USERS], ids=lambda each: each.plural)
    def test_refusals_are_told_apart(self, resource: Any) -> None:
        forbidden = Response(403, {}, {"message": "No.", "http_status": 403, "success": False})
        answers = [
            (NOWHERE, Kind.CRM_NOT_FOUND),
            (one(id=A, is_deleted=True), Kind.CRM_NOT_FOUND),
            (forbidden, Kind.CRM_FORBIDDEN),
            (Response(403), Kind.CRM_FORBIDDEN),
        ]
        for answer, kind in answers:
            with pytest.raises(Problem) as caught:
                script(answer).hold(PIPELINER.get(resource, A))
            assert caught.value.kind is kind
        with pytest.raises(Problem) as caught:
            script().hold(PIPELINER.get(resource, "merge"))
        assert caught.value.kind is Kind.CRM_BAD_ID

    @pytest.mark.parametrize(
        ("name", "other", "path"),
        [
            ("company", COMPANIES, f"Accounts/{B}"),
            ("contact", CONTACTS, f"Contacts/{NEW}"),
            ("owner", USERS, f"Clients/{Q}"),
            ("stage", STAGES, f"Steps/{B}"),
        ],
    )
    def test_what_a_deal_names_takes_one_request_each(self, name: str, other: Any, path: str) -> None:
        partner = script(one(id=Q, name="x"))
        found = partner.hold(PIPELINER.related(DEALS, Answer(ENGINE_READ, {}), name, other))
        assert found
        assert [request.path for request in partner.requests] == [f"{SPACE}/entities/{path}"]


class TestList:
    def test_a_page_is_asked_for_with_all_that_was_asked_for_before(self) -> None:
        partner = script(listed({"id": A}, after="WyIwMSJd", more=True), listed({"id": B}, after="WyIwMiJd"))
        first = partner.hold(PIPELINER.list(LEADS, since=minutes(5), limit=1000))
        last = partner.hold(PIPELINER.list(LEADS, since=minutes(5), cursor=first.cursor, limit=1000))
        query = {
            "expand": "lead_source",
            "filter[modified]": "2026-05-01T12:05:00Z",
            "filter-op[modified]": "gte",
            "order-by": "modified",
            "first": "100",
        }
        assert [dict(request.query) for request in partner.requests] == [query, {**query, "after": "WyIwMSJd"}]
        assert last.cursor is None, "the last page has a cursor as well"

    @pytest.mark.parametrize(("name", "ends"), [("page1", False), ("page2", False), ("end", True)])
    def test_a_recorded_page_leads_on_or_ends(self, name: str, ends: bool) -> None:
        body = document(f"fixtures/pipeliner/profiles_list_{name}.json")["response"]["body"]
        page = script(ok(body)).hold(PIPELINER.list(LEADS, limit=100))
        assert [answer.item["id"] for answer in page.answers] == [each["id"] for each in body["data"]]
        assert page.cursor == (None if ends else {"after": body["page_info"]["end_cursor"]})

    def test_what_was_deleted_is_told_to_the_end_of_the_list(self) -> None:
        gone, there = {"id": A, "is_deleted": True}, {"id": B, "is_deleted": False}
        partner = script(listed(gone, there, after="WyIwMSJd", more=True), listed({**gone, "id": NEW}))
        first = partner.hold(PIPELINER.deleted(LEADS, since=minutes(0)))
        assert first
        last = partner.hold(PIPELINER.deleted(LEADS, since=minutes(0), cursor=first.cursor))
        assert last
        assert (first.ids, last.ids, last.cursor) == ([A], [NEW], None)
        assert [request.query["include-deleted"] for request in partner.requests] == ["true", "true"]


class TestPipeline:
    def sent(self, item: Record, remote_data: Record | None = None) -> Any:
        partner = script(one(id=P, name="x", steps=[]))
        partner.hold(PIPELINER.create(PIPELINES, PIPELINE.draft(item, remote_data)))
        return partner.requests[0].json

    def test_it_begins_with_a_color_and_a_step(self) -> None:
        assert self.sent({"name": "x"}) == {"name": "x", "color": 0, "steps": [{"name": "Open"}]}

    def test_what_is_given_is_taken(self) -> None:
        item = {"name": "x", "stages": [{"name": "In"}, {"name": "Out"}]}
        assert self.sent(item, {"color": 3}) == {"name": "x", "color": 3, "steps": [{"name": "In"}, {"name": "Out"}]}

    def test_its_steps_are_read_back_where_the_answer_has_their_addresses(self) -> None:
        partner = script(pipeline(A, expanded=False), pipeline(A))
        answer = partner.hold(PIPELINER.create(PIPELINES, PIPELINE.draft({"name": "Renewals"})))
        assert answer.item["stages"] == [{"id": A, "name": "Qualify", "pipeline": {"id": P}}]


class TestStage:
    ITEM: Record = {"name": "Sign", "pipeline": {"id": P}}  # noqa: RUF012

    @pytest.mark.parametrize("expanded", [True, False])
    def test_it_is_written_behind_all_others_of_its_pipeline(self, expanded: bool) -> None:
        before, after = pipeline(A, B, expanded=expanded), pipeline(A, B, NEW, revision=8, expanded=expanded)
        partner = script(before, one(id=P), after, step())
        talk = PIPELINER.create(STAGES, STAGE.draft(self.ITEM, {"percent": 90}), passed=(("validation-level", "2"),))
        answer = partner.hold(talk)
        assert answer.item == {"id": NEW, "name": "Sign", "pipeline": {"id": P, "name": "Renewals"}}
        assert not answer.partial
        [write] = partner.unsafe
        assert (write.method, write.path) == ("PATCH", f"{SPACE}/entities/Pipelines/{P}")
        assert write.json == {"revision": 7, "steps": [{"id": A}, {"id": B}, {"name": "Sign", "percent": 90}]}
        assert write.passed == (("validation-level", "2"),)

    def test_without_a_pipeline_it_goes_to_the_oldest(self) -> None:
        oldest = pipeline(A).body["data"]
        partner = script(listed(oldest), one(id=P), pipeline(A, NEW), step())
        assert partner.hold(PIPELINER.create(STAGES, STAGE.draft({"name": "Sign"}))).item["pipeline"]["id"] == P
        assert dict(partner.requests[0].query) == {"first": "1", "order-by": "created", "expand": "steps"}

    def test_a_space_without_pipelines_is_told_of(self) -> None:
        refused = problem(partner := script(listed()), {"name": "Sign"})
        assert (refused.kind, refused.faults[0].field) == (Kind.INVALID, "pipeline.id")
        assert not partner.unsafe

    def test_the_id_of_a_lead_process_is_one_too(self) -> None:
        process = {"lead_process_id": Q, "pipeline_id": None, "pipeline": None}
        partner = script(NOWHERE, one(id=Q, name="Leads", steps=[]), step(**process))
        answer = partner.hold(PIPELINER.create(STAGES, STAGE.draft({"name": "Sign", "pipeline": {"id": Q}})))
        assert answer.item["pipeline"] == {"id": Q}
        [write] = partner.unsafe
        assert (write.path, write.json) == (f"{SPACE}/entities/Steps", {"name": "Sign", "lead_process_id": Q})

    def test_an_id_of_nothing_is_refused_before_anything_is_sent(self) -> None:
        refused = problem(partner := script(NOWHERE, NOWHERE), self.ITEM)
        assert (refused.kind, refused.outcome) == (Kind.INVALID, Outcome.NOTHING)
        assert refused.faults[0].field == "pipeline.id"
        assert [request.path.split("/")[-2] for request in partner.requests] == ["Pipelines", "LeadProcesses"]

    @pytest.mark.parametrize("kind", ["lead_process_id", "quote_process_id"])
    def test_a_process_in_remote_data_wins(self, kind: str) -> None:
        partner = script(step(**{"pipeline_id": None, "pipeline": None, kind: Q}))
        answer = partner.hold(PIPELINER.create(STAGES, STAGE.draft(self.ITEM, {kind: Q})))
        assert answer.item["pipeline"] == {"id": Q}
        assert partner.requests[0].json == {"name": "Sign", kind: Q}

    @pytest.mark.parametrize("kind", ["lead_process_id", "quote_process_id"])
    def test_a_stage_of_a_process_is_found_again_though_a_pipeline_was_named(self, kind: str) -> None:
        made = {"id": NEW, "name": "Sign", kind: Q, "pipeline_id": None, "created": str(minutes(1))}
        talk = PIPELINER.find(STAGES, STAGE.draft(self.ITEM, {kind: Q}), minutes(0))
        assert script(listed(made)).hold(talk) == NEW

    def test_a_stale_revision_is_a_conflict(self) -> None:
        refusal = {"code": 40000, "name": "ERROR_ENTITY_VALIDATION", "message": "\nchanged", "success": False}
        for status in (409, 412, 422):
            partner = script(pipeline(A), Response(status, {}, refusal), pipeline(A, B, revision=8))
            refused = problem(partner, self.ITEM)
            assert (refused.kind, refused.outcome) == (Kind.CRM_CONFLICT, Outcome.REFUSED)
            assert "changed by somebody else" in refused.detail
            assert refused.remote
            assert refused.remote.status == status
            assert len(partner.unsafe) == 1

    @pytest.mark.parametrize("look", [pipeline(A), NOWHERE, Response(503)], ids=["as before", "gone", "unread"])
    def test_another_refusal_is_what_it_is(self, look: Reply) -> None:
        errors = [{"field_name": "percent", "errors": [{"message": "required"}]}]
        body = {"name": "ERROR_ENTITY_VALIDATION", "message": "\n", "field_errors": errors, "success": False}
        refused = problem(script(pipeline(A), Response(422, {}, body), look), self.ITEM)
        assert (refused.kind, refused.faults[0].field) == (Kind.CRM_REJECTED, "percent")

    def test_a_stage_that_another_took_out_at_once_leaves_a_doubt(self) -> None:
        refused = problem(script(pipeline(A, B), one(id=P), pipeline(A, B)), self.ITEM)
        assert (refused.kind, refused.outcome) == (Kind.OUTCOME_UNKNOWN, Outcome.UNKNOWN)

    @pytest.mark.parametrize("expanded", [True, False])
    def test_a_stage_that_the_answer_to_the_write_tells_was_made(self, expanded: bool) -> None:
        partner = script(pipeline(A), pipeline(A, NEW, expanded=expanded), pipeline(A), NOWHERE)
        answer = partner.hold(PIPELINER.create(STAGES, STAGE.draft(self.ITEM)))
        assert (answer.item["id"], answer.partial) == (NEW, True)

    def test_of_two_stages_of_one_name_ours_is_the_one_that_the_answer_to_the_write_tells(self) -> None:
        twin = {"id": B, "name": "Sign"}
        after = one(id=P, steps=[{"id": A}, {"id": NEW, "name": "Sign"}, twin])
        partner = script(pipeline(A), pipeline(A, NEW, expanded=False), after)
        assert partner.hold(PIPELINER.create(STAGES, STAGE.draft(self.ITEM), whole=False)).item["id"] == NEW

    @pytest.mark.parametrize(
        ("name", "found"), [("Sign", True), (" SIGN", True), (None, True), ("Another", False)], ids=repr
    )
    def test_of_new_stages_the_one_of_its_name_is_told(self, name: str | None, found: bool) -> None:
        new = {"id": NEW} if name is None else {"id": NEW, "name": name}
        partner = script(pipeline(A), one(id=P), one(id=P, steps=[{"id": A, "name": "Qualify"}, new]), step())
        if found:
            assert partner.hold(PIPELINER.create(STAGES, STAGE.draft(self.ITEM))).item["id"] == NEW
        else:
            assert problem(partner, self.ITEM).outcome is Outcome.UNKNOWN

    def test_the_raw_answer_is_that_of_the_write(self) -> None:
        partner = script(pipeline(A), one(id=P, revision=8), pipeline(A, NEW))
        answer = partner.hold(PIPELINER.create(STAGES, STAGE.draft(self.ITEM), whole=False))
        assert (answer.item["id"], answer.raw) == (NEW, one(id=P, revision=8).body)

    def test_a_stage_that_was_lost_meanwhile_is_named(self) -> None:
        refused = problem(script(pipeline(A, B), one(id=P), pipeline(B, NEW)), self.ITEM)
        assert (refused.kind, refused.outcome) == (Kind.CRM_CONFLICT, Outcome.UNKNOWN)
        assert A in refused.detail
        assert B not in refused.detail

    @pytest.mark.parametrize("look", [Response(503), NOWHERE, one(id=P)], ids=["down", "gone", "stepless"])
    def test_a_pipeline_that_cannot_be_read_again_leaves_a_doubt(self, look: Reply) -> None:
        refused = problem(script(pipeline(A), one(id=P), look), self.ITEM)
        assert (refused.kind, refused.outcome) == (Kind.OUTCOME_UNKNOWN, Outcome.UNKNOWN)

    @pytest.mark.parametrize("steps", [None, "x", [None], [{"name": "nameless"}]], ids=repr)
    def test_a_pipeline_that_does_not_tell_its_stages_is_not_written(self, steps: Any) -> None:
        refused = problem(partner := script(one(id=P, steps=steps)), self.ITEM)
        assert (refused.kind, refused.outcome) == (Kind.CRM_UNAVAILABLE, Outcome.NOTHING)
        assert not partner.unsafe

    def test_a_step_that_was_removed_is_not_written_again(self) -> None:
        before = one(id=P, revision=7, steps=[{"id": A, "is_deleted": True}, {"id": B}])
        partner = script(before, one(id=P), pipeline(B, NEW), step())
        partner.hold(PIPELINER.create(STAGES, STAGE.draft(self.ITEM)))
        assert partner.unsafe[0].json["steps"] == [{"id": B}, {"name": "Sign"}]

    def test_a_stage_that_was_made_is_told_though_it_cannot_be_read(self) -> None:
        partner = script(pipeline(A), one(id=P), pipeline(A, NEW), Response(503))
        answer = partner.hold(PIPELINER.create(STAGES, STAGE.draft(self.ITEM)))
        assert (answer.item, answer.partial) == ({"id": NEW, "name": "Sign"}, True)


class TestIntruder:
    """Somebody adds a stage of their own between our read of a pipeline and our write."""

    def space(self, meanwhile: Callable[[Any], object], **settings: bool) -> tuple[Any, Partner]:
        """The fake, and a line to it on which this happens right before the write."""
        fake = FAKE(time.time)
        fake.settings |= settings
        granted = fake.control.mint(kind="api_key")
        [scheme] = CRM.auth.values()
        proof = scheme.sign({"username": granted["username"], "api_key": granted["api_key"]})

        def answer(request: Request) -> Response:
            if not request.safe:
                meanwhile(fake)
            target = f"{request.path.replace('{space}', granted['space_id'])}?{urlencode(request.query)}"
            body = b"" if request.json is None else json.dumps(request.json).encode()
            headers = {**proof, "content-type": "application/json"}
            told = fake.receive(exchange.Request(request.method, target, headers, body)).answer
            assert told
            return Response(told.status, {}, json.loads(told.payload()))

        return fake, Partner(answer)

    def names(self, fake: Any) -> list[str]:
        return [each["name"] for each in fake.live("steps") if each["pipeline_id"]]

    def intrude(self, fake: Any) -> None:
        outer = fake.live("pipelines")[0]  # the oldest
        fake.plant("steps", {"name": "Theirs", "pipeline_id": outer["id"], "sort_order": 99})
        fake.change("pipelines", outer, {}, fake.tick())

    def test_where_the_revision_is_heeded_nothing_gets_lost(self) -> None:
        fake, partner = self.space(self.intrude)
        before = self.names(fake)
        refused = problem(partner, {"name": "Sign"})
        assert (refused.kind, refused.outcome) == (Kind.CRM_CONFLICT, Outcome.REFUSED)
        assert self.names(fake) == [*before, "Theirs"]

    @pytest.mark.parametrize("drops", [True, False])
    def test_where_it_is_not_ours_is_made_and_theirs_may_get_lost(self, drops: bool) -> None:
        fake, partner = self.space(self.intrude, revision_is_checked=False, patch_drops_missing_steps=drops)
        before = self.names(fake)
        made = partner.hold(PIPELINER.create(STAGES, STAGE.draft({"name": "Sign"})))
        assert (made.item["name"], made.partial) == ("Sign", False)
        assert fake.rows["steps"][made.item["id"]]["name"] == "Sign"
        assert set(self.names(fake)) == {*before, "Sign", *([] if drops else ["Theirs"])}
        assert "revision" in STAGES.emulates["create"], "what cannot be helped is said"


def changed(number: int, at: str) -> Record:
    return {"id": f"{number:08}-ffdd-4fff-9109-843e45e9609c", "first_name": "Ada", "modified": at}


class TestContactsThatChanged:
    EXPANDED: ClassVar = {"expand": "owner,primary_account,tags.tag", "first": "100"}
    ORDER: ClassVar = {"filter-op[modified]": "gte", "order-by": "modified"}

    def test_a_page_begins_at_the_last_moment_of_the_one_before(self) -> None:
        at = ("2026-05-01 12:00:01.000001+00:00", "2026-05-01 12:00:02.5+00:00", "2026-05-01 12:00:02.9+00:00")
        told = [changed(number, moment) for number, moment in enumerate(at)]
        last = changed(3, "2026-05-01 12:00:04+00:00")
        partner = script(listed(*told, after="WyJhIl0=", more=True), listed(told[1], told[2], last))
        first = partner.hold(PIPELINER.list(CONTACTS, since=OLDEST, limit=2000))
        assert first.cursor == {"from": "2026-05-01T12:00:02Z", "seen": [told[1]["id"], told[2]["id"]]}
        second = partner.hold(PIPELINER.list(CONTACTS, since=OLDEST, cursor=first.cursor, limit=2000))
        assert [answer.item["id"] for answer in second.answers] == [last["id"]]
        assert second.cursor is None
        assert {(each.method, each.path) for each in partner.requests} == {("GET", f"{SPACE}/entities/Contacts")}
        assert [each.query for each in partner.requests] == [
            {**self.EXPANDED, **self.ORDER, "filter[modified]": "1970-01-01T00:00:00Z"},
            {**self.EXPANDED, **self.ORDER, "filter[modified]": "2026-05-01T12:00:02Z"},
        ]

    def test_within_one_second_the_vendors_cursor_leads_on(self) -> None:
        told = [changed(number, f"2026-05-01 12:00:00.{number}+00:00") for number in range(4)]
        partner = script(listed(*told[:2], after="x", more=True), listed(*told[2:], after="y", more=True), listed())
        first = partner.hold(PIPELINER.list(CONTACTS, since=minutes(0), limit=2))
        second = partner.hold(PIPELINER.list(CONTACTS, since=minutes(0), cursor=first.cursor, limit=2))
        assert second.cursor == {
            "from": "2026-05-01T12:00:00Z",
            "start": "y",
            "seen": [each["id"] for each in told],
        }
        third = partner.hold(PIPELINER.list(CONTACTS, since=minutes(0), cursor=second.cursor, limit=2))
        assert third.cursor is None
        assert [each.query.get("after") for each in partner.requests] == [None, "x", "y"]
        assert {each.query["filter[modified]"] for each in partner.requests} == {"2026-05-01T12:00:00Z"}

    def test_a_cursor_that_leads_nowhere_ends_the_list(self) -> None:
        again = listed(changed(1, "2026-05-01 12:00:00+00:00"), after="x", more=True)
        position = {"from": "2026-05-01T12:00:00Z", "start": "x", "seen": ()}
        assert script(again).hold(PIPELINER.list(CONTACTS, since=minutes(0), cursor=position, limit=2)).cursor is None

    def test_without_a_moment_the_list_is_in_the_order_of_ids(self) -> None:
        partner = script(listed(changed(1, "?"), after="x", more=True), listed(after="x"))
        first = partner.hold(PIPELINER.list(CONTACTS, limit=2000))
        partner.hold(PIPELINER.list(CONTACTS, cursor=first.cursor, limit=2000))
        assert first.cursor == {"after": "x"}
        assert [each.query for each in partner.requests] == [self.EXPANDED, {**self.EXPANDED, "after": "x"}]

    def test_a_contact_is_told_by_a_list_as_by_a_read_that_expands(self) -> None:
        full = ADA | {"owner": OWNER, "primary_account": {"id": B, "name": "Engines"}}
        [told] = script(listed(full)).hold(PIPELINER.list(CONTACTS, since=OLDEST, limit=5)).answers
        assert told.item == script(one(**full)).hold(PIPELINER.get(CONTACTS, A)).item
        assert told.item["company"] == {"id": B, "name": "Engines"}
        assert told.item["custom_fields"] == {"shoe_size": 37}
        assert told.item["updated_at"] == TOLD["updated_at"]

    def test_what_was_removed_and_is_listed_all_the_same_is_gone(self) -> None:
        page = script(listed({**ADA, "is_deleted": True})).hold(PIPELINER.list(CONTACTS, since=OLDEST, limit=5))
        assert (page.answers, page.gone) == ([], (A,))

    def test_deletions_are_listed_in_the_order_of_ids_whenever_they_were(self) -> None:
        assert CONTACTS.deletions == "listed"
        partner = script(listed({"id": A, "is_deleted": True}, {"id": B}, after="x", more=True), listed(after="x"))
        first = partner.hold(PIPELINER.deleted(CONTACTS, since=minutes(0)))
        assert first
        assert (first.ids, first.cursor) == ([A], {"after": "x"})
        last = partner.hold(PIPELINER.deleted(CONTACTS, since=minutes(0), cursor=first.cursor))
        assert last
        assert (last.ids, last.cursor) == ([], None)
        query = {"include-deleted": "true", "filter[is_deleted]": "true", "first": "100"}
        assert [each.query for each in partner.requests] == [query, {**query, "after": "x"}]


class TestRefusals:
    def test_a_field_that_is_told_twice_is_named_once(self) -> None:
        missing = {"code": 119, "name": "ERROR_PARAMETER_MISSING", "message": "Owner is required."}
        fields = [{"field_name": name, "errors": [{**missing, "field_name": name}]} for name in ("owner", "owner_id")]
        body = {
            "code": 40000,
            "name": "ERROR_ENTITY_VALIDATION",
            "message": "\n",
            "entity_errors": [missing, {**missing, "message": "Tier is required."}],
            "field_errors": fields,
            "step_checklist_errors": [],
            "http_status": 422,
            "success": False,
        }
        with pytest.raises(Problem) as caught:
            script(Response(422, {}, body)).hold(PIPELINER.create(LEADS, LEAD.draft({"name": "x"})))
        assert [fault.field for fault in caught.value.faults] == ["owner_id"]
        remote = caught.value.remote
        assert remote
        assert remote.message == "Owner is required. Tier is required."

    def test_an_entity_that_the_vendor_does_not_know_is_no_missing_record(self) -> None:
        recorded = document("fixtures/pipeliner/error_404_unknown_entity.json")["response"]
        with pytest.raises(Problem) as caught:
            script(Response(404, {}, recorded["body"])).hold(PIPELINER.get(LEADS, A))
        assert caught.value.kind is Kind.CRM_REJECTED

    def test_an_address_that_the_vendor_does_not_know_is_no_missing_record(self) -> None:
        recorded = document("fixtures/pipeliner/error_404_url.json")["response"]
        for talk in (PIPELINER.get(LEADS, A), PIPELINER.create(STAGES, STAGE.draft(TestStage.ITEM))):
            with pytest.raises(Problem) as caught:
                script(Response(404, {}, recorded["body"])).hold(talk)
            assert (caught.value.kind, caught.value.outcome) == (Kind.CRM_REJECTED, Outcome.NOTHING)

    @pytest.mark.parametrize("id", ["batch-modify", "merge", "", f"{A}/x"])
    def test_a_word_is_no_id(self, id: str) -> None:
        with pytest.raises(Problem) as caught:
            script().hold(PIPELINER.get(LEADS, id))
        assert caught.value.kind is Kind.CRM_BAD_ID

    def test_a_2xx_that_says_no_is_a_refusal(self) -> None:
        with pytest.raises(Problem) as caught:
            script(ok({"success": False, "message": "No."})).hold(PIPELINER.create(LEADS, LEAD.draft({"name": "x"})))
        assert (caught.value.kind, caught.value.outcome) == (Kind.CRM_REJECTED, Outcome.REFUSED)


class TestSpecification:
    def asked(self) -> list[Request]:
        """The requests of every conversation, full and bare."""
        full = {"name": "x", "description": "y", "owner": {"id": A}, "created_at": minutes(0)}
        partners = [
            (script(one(id=A)), PIPELINER.create(LEADS, LEAD.draft(full))),
            (script(one(id=A)), PIPELINER.get(LEADS, A)),
            (script(listed()), PIPELINER.list(LEADS, since=minutes(0), cursor={"after": "x"}, limit=5)),
            (script(listed()), PIPELINER.deleted(LEADS, since=minutes(0))),
            (script(listed()), PIPELINER.list(CONTACTS, since=minutes(0), cursor={"start": "x"}, limit=5)),
            (script(listed()), PIPELINER.deleted(CONTACTS, since=minutes(0), cursor={"after": "x"})),
            (script(one(id=A)), PIPELINER.delete(LEADS, A)),
            (script(one(id=P)), PIPELINER.create(PIPELINES, PIPELINE.draft({"name": "x"}))),
            (script(listed()), PIPELINER.list(PIPELINES, limit=5)),
            (script(one(id=P)), PIPELINER.delete(PIPELINES, P)),
            (script(listed()), PIPELINER.list(STAGES, limit=5)),
            (script(one(id=A)), PIPELINER.delete(STAGES, A)),
            (
                script(NOWHERE, one(id=Q, steps=[]), step()),
                PIPELINER.create(STAGES, STAGE.draft({"name": "x", "pipeline": {"id": Q}})),
            ),
            (
                script(listed(pipeline(A).body["data"]), one(id=P), pipeline(A, NEW), step()),
                PIPELINER.create(STAGES, STAGE.draft({"name": "Sign"})),
            ),
        ]
        for partner, talk in partners:
            partner.hold(talk)
        return [request for partner, _ in partners for request in partner.requests]

    def test_every_request_is_in_the_specification(self) -> None:
        spec = document("specs/pipeliner/pipeliner-cloud-v100.cut.openapi.json")
        for request in self.asked():
            path = re.sub(r"/[0-9a-f-]{36}$", "/{id}", request.path.removeprefix(SPACE))
            operation = spec["paths"][path][request.method.lower()]
            declared = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
            # The specification has `expand` for lists alone; the page on parameters has it for a single read too.
            declared |= {"expand"} if request.method == "GET" else set()
            assert {name.partition("[")[0] for name in request.query} <= declared
            if request.json is not None:
                schema = body_schema(operation)
                assert problems(spec, schema, request.json) == []
                assert set(request.json) <= set(schema_of(spec, schema)["properties"])
                assert not [
                    name for name in request.json if schema_of(spec, schema)["properties"][name].get("readOnly")
                ]


def schema_of(spec: Any, schema: Any) -> Any:
    return spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def test_an_application_signs_with_its_key_pair() -> None:
    [scheme] = CRM.auth.values()
    sent = scheme.sign({"username": "app", "api_key": "key"})["authorization"]
    assert b64decode(sent.removeprefix("Basic ")) == b"app:key"


@pytest.mark.parametrize("name", ["eu-central.api.pipelinersales.com", "us-east.pipelinersales.com"])
def test_a_region_is_a_host_of_the_vendors(name: str) -> None:
    assert CRM.hosts["api"].allows(f"https://{name}")
    assert not CRM.hosts["api"].allows(f"https://{name}.example")
