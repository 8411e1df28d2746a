"""What is peculiar to Zoho: a status per record, lists by query and ids, pipelines by layout, stages of a picklist,
which deals tell by their names."""

from collections.abc import Callable
from datetime import date, timedelta, timezone
from typing import Any, ClassVar

import pytest

from switchboard.crm.auth import OAuth2
from switchboard.crm.paging import OLDEST
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.zoho import CRM
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES, Case
from tests.crm.shared import document
from tests.crm.voices import BEGINNING, minutes
from tests.talk import Partner, ok, script

ZOHO = CRM.dialect
LEADS, PIPELINES, STAGES = (CASES[f"zoho-{name}"] for name in ("leads", "pipelines", "stages"))
CONTACTS, COMPANIES, DEALS, USERS = (CASES[f"zoho-{name}"] for name in ("contacts", "companies", "deals", "users"))
OBJECTS = pytest.mark.parametrize("case", [CONTACTS, COMPANIES, DEALS, USERS], ids=repr)
ADA = {"first_name": "Ada", "last_name": "Lovelace"}
NONE = Response(204)


def recorded(name: str) -> Any:
    return document(f"fixtures/zoho/{name}.json")


def answer(name: str) -> Response:
    told = recorded(name)["response"]
    return Response(told["status"], {key.lower(): value for key, value in told["headers"].items()}, told["body"])


def problem(call: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


def refused(response: Response) -> Problem:
    return problem(lambda: script(response).hold(ZOHO.create(LEADS.resource, LEADS.draft(ADA))))


class TestCreate:
    def test_the_lead_we_create_is_the_one_that_was_recorded(self) -> None:
        shown = recorded("lead.create.201")["request"]
        draft = LEADS.draft(
            {"first_name": "TestFirst", "last_name": "TestLast"},
            {"Company": "Test Company", "Email": "test@example.com"},
        )
        partner = script(answer("lead.create.201"))
        made = partner.hold(ZOHO.create(LEADS.resource, draft, whole=False))
        [request] = partner.requests
        assert (request.method, request.path.replace("v8", "v2"), request.json) == (
            "POST",
            shown["path"],
            shown["body"],
        )
        assert made.item == {
            "id": "7328395000000688016",
            "created_at": "2026-05-14T09:54:51Z",
            "updated_at": "2026-05-14T09:54:51Z",
        }

    def test_a_person_without_a_company_stands_for_one(self) -> None:
        partner = script(answer("v8.lead.create.201"), NONE)
        partner.hold(ZOHO.create(LEADS.resource, LEADS.draft(ADA | {"owner": {"id": "5725767000000411001"}})))
        assert partner.requests[0].json == {
            "data": [
                {
                    "Company": "Ada Lovelace",
                    "First_Name": "Ada",
                    "Last_Name": "Lovelace",
                    "Owner": {"id": "5725767000000411001"},
                }
            ]
        }

    def test_workflows_run_unless_a_caller_says_otherwise(self) -> None:
        partner = script(answer("v8.lead.create.201"), NONE)
        partner.hold(ZOHO.create(LEADS.resource, LEADS.draft(ADA, {"trigger": []})))
        assert partner.requests[0].json["trigger"] == []
        assert "trigger" not in partner.requests[0].json["data"][0]

    @pytest.mark.parametrize("status", [200, 201, 202, 207])
    def test_a_2xx_whose_record_says_no_is_a_refusal(self, status: int) -> None:
        fault = {"code": "MANDATORY_NOT_FOUND", "details": {"api_name": "Email"}, "message": "m", "status": "error"}
        found = refused(ok({"data": [fault]}, status))
        assert (found.kind, found.outcome) == (Kind.CRM_REJECTED, Outcome.REFUSED)
        assert [each.field for each in found.faults] == ["Email"]


class TestRefusals:
    def test_every_fault_of_a_record_is_named_and_the_record_in_the_way(self) -> None:
        found = refused(answer("v8.records.create.multiple-errors.400"))
        assert [each.field for each in found.faults] == ["Email", "Mobile"]
        assert found.remote
        assert (found.kind, found.remote.existing_id) == (Kind.CRM_CONFLICT, "4881139000000428295")

    @pytest.mark.parametrize(
        ("code", "worth"),
        [("INVALID_TOKEN", True), ("OAUTH_SCOPE_MISMATCH", False), ("AUTHENTICATION_FAILURE", False)],
    )
    def test_a_new_token_is_asked_for_only_where_it_helps(self, code: str, worth: bool) -> None:
        assert ZOHO.expired(Response(401, {}, {"code": code, "status": "error"})) is worth

    def test_the_credits_that_are_left_are_told_once_half_are_spent(self) -> None:
        rate = ZOHO.rate(Response(200, {"x-api-credits-remaining": "2400"}))
        assert rate
        assert (rate.limit, rate.remaining, rate.reset) == (None, 2400, None)
        assert ZOHO.rate(answer("leads.list.200")) is None


def ids(*found: str, more: bool = False) -> Response:
    return ok({"data": [{"id": id} for id in found], "info": {"count": len(found), "more_records": more}})


class TestList:
    def test_a_recorded_list_is_read(self) -> None:
        first = answer("leads.list.200").body["data"][0]
        assert ZOHO.item(LEADS.resource, first) == {
            "id": "7328395000000680100",
            "title": "Junior Executive",
            "owner": {"id": "7328395000000605001"},
            "first_name": "Chau",
            "last_name": "Kitzman (Sample)",
            "lead_source": "Advertisement",
            "phone_numbers": [
                {"number": "555-555-5555", "type": "primary"},
                {"number": "555-555-5555", "type": "mobile"},
            ],
            "addresses": [
                {
                    "street_1": "6649 N Blue Gum St",
                    "city": "New Orleans",
                    "state": "LA",
                    "postal_code": "70116",
                    "country": "United States",
                }
            ],
            "email_addresses": [{"email": "chau-kitzman@noemail.invalid", "type": "primary"}],
            "status": "Attempted to Contact",
            "last_activity_at": "2026-05-14T08:36:17Z",
            "created_at": "2026-05-14T08:36:10Z",
            "updated_at": "2026-05-14T08:36:17Z",
        }

    def test_a_query_tells_which_and_they_are_read_by_their_ids_in_its_order(self) -> None:
        read = ok({"data": [{"id": "3", "Last_Name": "C"}, {"id": "1", "Last_Name": "A"}]})
        partner = script(ids("1", "2", "3", more=True), read, ids("4"), NONE)
        page = partner.hold(ZOHO.list(LEADS.resource, limit=3))
        last = partner.hold(ZOHO.list(LEADS.resource, cursor=page.cursor, limit=3))
        assert [each.item["id"] for each in page.answers] == ["1", "3"], "the one between was removed meanwhile"
        assert (last.answers, last.cursor) == ([], None)
        first, reading, second, _ = partner.requests
        assert first.json == {"select_query": "select id from Leads where id > '0' order by id asc limit 3"}
        assert second.json == {"select_query": "select id from Leads where id > '3' order by id asc limit 3"}
        assert first.safe
        assert (reading.query["ids"], reading.query["converted"]) == ("1,2,3", "both")

    def test_a_list_asks_for_no_column_that_was_never_recorded(self) -> None:
        partner = script(ids("1"), NONE)
        partner.hold(ZOHO.list(LEADS.resource, limit=3))
        assert set(partner.requests[1].query["fields"].split(",")) <= set(answer("lead.get.200").body["data"][0])

    def test_what_changed_is_asked_for_in_whole_seconds_and_nothing_more_where_there_is_none(self) -> None:
        partner = script(NONE)
        assert LEADS.resource.changes
        page = partner.hold(ZOHO.list(LEADS.resource, since=minutes(0.001), limit=500))
        assert (page.answers, page.cursor) == ([], None)
        assert partner.requests[0].json["select_query"] == (
            "select id, Modified_Time from Leads where Modified_Time >= '2026-05-01T12:00:00+00:00' "
            "order by Modified_Time asc, id asc limit 50"
        )

    def test_what_changed_comes_in_the_order_of_its_changes_and_goes_on_behind_the_last(self) -> None:
        rows = [{"id": id, "Modified_Time": "2026-05-01T15:00:07+03:00"} for id in ("9", "12")]
        told = ok({"data": rows, "info": {"count": 2, "more_records": True}})
        partner = script(told, ok({"data": [{"id": "12"}, {"id": "9"}]}), NONE)
        page = partner.hold(ZOHO.list(LEADS.resource, since=minutes(0), limit=2))
        assert [each.item["id"] for each in page.answers] == ["9", "12"]
        partner.hold(ZOHO.list(LEADS.resource, since=minutes(0), cursor=page.cursor, limit=2))
        assert partner.requests[2].json["select_query"] == (
            "select id, Modified_Time from Leads where (Modified_Time > '2026-05-01T12:00:07+00:00') "
            "or (Modified_Time = '2026-05-01T12:00:07+00:00' and id > '12') order by Modified_Time asc, id asc limit 2"
        )

    def test_without_a_moment_there_is_no_position_among_what_changed(self) -> None:
        partner = script(ids("1", more=True))
        found = problem(lambda: partner.hold(ZOHO.list(LEADS.resource, since=minutes(0), limit=1)))
        assert (found.kind, found.outcome) == (Kind.CRM_UNAVAILABLE, Outcome.NOTHING)

    @pytest.mark.parametrize("id", ["deleted", "search", "1,2", "1-", ""])
    def test_a_word_is_no_id(self, id: str) -> None:
        for resource in (LEADS.resource, PIPELINES.resource):
            assert problem(lambda to=resource: script().hold(ZOHO.get(to, id))).kind is Kind.CRM_BAD_ID


class TestDeleted:
    def test_deletions_are_asked_for_from_a_second_before_and_then_chosen(self) -> None:
        times = {"7": "2026-05-01T14:59:59+03:00", "8": "2026-05-01T15:00:00+03:00", "9": "2026-05-01T15:01:00+03:00"}
        data = [{"id": id, "deleted_time": at, "type": "recycle"} for id, at in times.items()]
        partner = script(ok({"data": data, "info": {"page": 2, "more_records": True}}))
        gone = partner.hold(ZOHO.deleted(LEADS.resource, since=minutes(0), cursor={"page": 2}))
        assert gone
        assert (gone.ids, gone.cursor) == (["8", "9"], {"page": 3})
        assert partner.requests[0].headers == {"if-modified-since": "2026-05-01T11:59:59+00:00"}
        assert partner.requests[0].query == {"type": "all", "page": "2", "per_page": "200"}

    def test_contacts_have_a_bin_as_well_of_which_all_is_told_without_a_moment(self) -> None:
        assert CONTACTS.resource.deletions == "listed"
        partner = script(ok({"data": [{"id": "7", "deleted_time": noon(0), "type": "permanent"}]}))
        gone = partner.hold(ZOHO.deleted(CONTACTS.resource, since=OLDEST))
        assert gone
        assert (gone.ids, gone.cursor) == (["7"], None)
        [request] = partner.requests
        assert (request.path, request.headers) == ("/crm/v8/Contacts/deleted", {})

    @pytest.mark.parametrize("status", [204, 304])
    def test_nothing_new_is_no_deletion(self, status: int) -> None:
        gone = script(Response(status)).hold(ZOHO.deleted(LEADS.resource, since=minutes(0)))
        assert gone
        assert (gone.ids, gone.cursor) == ([], None)


def contact(number: int, at: int | float, **columns: Any) -> dict[str, Any]:
    """A contact that was changed so many seconds after noon, as told in another zone."""
    moment = (BEGINNING + timedelta(seconds=at)).astimezone(timezone(timedelta(hours=3)))
    return {"id": str(number), "Last_Name": "L", "Modified_Time": moment.isoformat(), **columns}


def page(*contacts: Any, more: bool = False) -> Response:
    return ok({"data": list(contacts), "info": {"count": len(contacts), "more_records": more, "page": 1}})


def noon(seconds: int) -> str:
    return (BEGINNING + timedelta(seconds=seconds)).isoformat()


class TestContactsThatChanged:
    COLUMNS = (
        "id,First_Name,Last_Name,Title,Email,Secondary_Email,Phone,Mobile,Fax,Mailing_Street,Mailing_City,Mailing_State,"
        "Mailing_Zip,Mailing_Country,Account_Name,Description,Owner,Tag,Last_Activity_Time,Created_Time,Modified_Time"
    )
    SORTED: ClassVar = {"sort_by": "Modified_Time", "sort_order": "asc", "page": "1"}

    def told(self, cursor: Any, *replies: Response, limit: int = 2000, extra: Any = ()) -> tuple[Any, Partner]:
        """The ids of a stretch with its position, and who was asked for it."""
        partner = script(*replies)
        found = partner.hold(
            ZOHO.list(CONTACTS.resource, since=minutes(0), cursor=cursor, limit=limit, extra=extra)
        )  # fmt: skip
        return ([each.item["id"] for each in found.answers], found.cursor), partner

    def test_everything_is_one_request_a_page_without_a_moment(self) -> None:
        for since in (OLDEST, None):
            partner = script(page(contact(1, 0), contact(2, 7), contact(3, 7), more=True))
            found = partner.hold(ZOHO.list(CONTACTS.resource, since=since, limit=2000))
            [request] = partner.requests
            assert (request.method, request.path, request.headers) == ("GET", "/crm/v8/Contacts", {})
            assert request.query == {**self.SORTED, "fields": self.COLUMNS, "per_page": "200"}
            assert [each.item["id"] for each in found.answers] == ["1", "2", "3"]
            assert found.cursor == {"from": noon(7), "seen": ["2", "3"]}

    def test_a_page_begins_at_the_last_moment_of_the_one_before(self) -> None:
        position = {"from": noon(7), "seen": ["2", "3"]}
        found, partner = self.told(position, page(contact(2, 7), contact(3, 7), contact(4, 7), contact(5, 9)))
        assert found == (["4", "5"], None)
        assert partner.requests[0].headers == {"if-modified-since": noon(6)}

    def test_what_changed_in_the_second_before_is_left_out_and_shows_that_the_moment_is_meant_too(self) -> None:
        first, _ = self.told(None, page(contact(1, -1), contact(2, 0.2), contact(3, 5), more=True))
        assert first == (["2", "3"], {"from": noon(5), "seen": ["3"], "exact": True})
        second, partner = self.told(first[1], page(contact(3, 5), contact(4, 6)))
        assert second == (["4"], None)
        assert partner.requests[0].headers == {"if-modified-since": noon(5)}

    def test_a_page_of_nothing_but_the_second_before_is_asked_for_again(self) -> None:
        position = {"from": noon(1), "seen": ["9"]}
        found, _ = self.told(position, page(contact(1, 0), contact(2, 0), more=True))
        assert found == ([], {**position, "exact": True})

    def test_a_second_in_which_more_changed_than_a_page_holds_is_read_by_ids(self) -> None:
        crowd = [contact(number, 0) for number in range(1, 4)]
        first, _ = self.told(None, page(*crowd[:2], more=True), limit=2)
        assert first == ([], {"at": noon(0)})
        second, partner = self.told(first[1], ids("1", "2", more=True), page(*reversed(crowd[:2])), limit=2)
        assert second == (["1", "2"], {"at": noon(0), "last": "2"})
        query, reading = partner.requests
        assert query.safe
        assert query.json == {
            "select_query": f"select id from Contacts where Modified_Time = '{noon(0)}' and id > '0' "
            "order by id asc limit 2"
        }
        assert (reading.path, reading.query) == ("/crm/v8/Contacts", {"ids": "1,2", "fields": self.COLUMNS})
        third, partner = self.told(second[1], ids("3"), page(crowd[2]))
        assert third == (["3"], {"from": noon(1)})
        assert "id > '2' order by id asc limit 50" in partner.requests[0].json["select_query"]

    def test_what_was_seen_of_the_vendor_is_kept_while_a_second_is_read(self) -> None:
        found, _ = self.told({"at": noon(0), "exact": True}, NONE)
        assert found == ([], {"from": noon(1), "exact": True})

    def test_a_vendor_that_heeds_no_moment_is_not_asked_for_ever(self) -> None:
        found, _ = self.told({"from": noon(5), "seen": [], "exact": True}, page(contact(1, 0), more=True))
        assert found == ([], {"at": noon(5), "exact": True})

    @pytest.mark.parametrize("status", [204, 304])
    def test_nothing_new_is_the_end(self, status: int) -> None:
        assert self.told(None, Response(status))[0] == ([], None)

    def test_without_a_moment_of_change_there_is_no_position(self) -> None:
        silent = page({"id": "1", "Last_Name": "L"}, more=True)
        found = problem(lambda: self.told(None, silent))
        assert (found.kind, found.outcome) == (Kind.CRM_UNAVAILABLE, Outcome.NOTHING)

    def test_a_contact_is_told_by_a_list_as_by_a_read(self) -> None:
        owner = {"name": "Patricia Boyle", "id": "4150868000000225013", "email": "patricia.boyle@example.com"}
        linked = {
            "Owner": owner,
            "Account_Name": {"id": "77", "name": "Engines"},
            "Tag": [{"name": "steam", "id": "8"}],
        }
        body = contact(7, 0, First_Name="Ada", Email="ada@example.com", Shoe_Size=37, **linked)
        body["Created_Time"] = body["Modified_Time"]
        partner = script(page(body))
        [told] = partner.hold(
            ZOHO.list(CONTACTS.resource, since=minutes(0), limit=5, extra=["Shoe_Size"])
        ).answers  # fmt: skip
        read = script(page({**body, "Full_Name": "Ada L", "$approved": True})).hold(ZOHO.get(CONTACTS.resource, "7"))
        assert told.item == read.item
        assert (told.item["company"], told.item["custom_fields"]) == (
            {"id": "77", "name": "Engines"},
            {"Shoe_Size": 37},
        )
        assert partner.requests[0].query["fields"] == f"{self.COLUMNS},Shoe_Size"

    def test_a_list_asks_for_no_more_columns_than_it_may(self) -> None:
        _, partner = self.told(None, NONE, extra=[f"F{number}" for number in range(99)])
        assert len(partner.requests[0].query["fields"].split(",")) == 50
        _, partner = self.told(None, NONE, extra=["F" * 500, "G" * 500, "H"])
        assert partner.requests[0].query["fields"] == ",".join([self.COLUMNS, "F" * 500, "H"])


class TestCustom:
    def test_the_custom_fields_of_contacts_are_told_by_the_settings(self) -> None:
        fields = [
            {"api_name": "New_Of_Zohos", "custom_field": False, "data_type": "text"},
            {"api_name": "Last_Name", "custom_field": False, "data_type": "text"},
            {"api_name": "Shoe_Size", "custom_field": True, "data_type": "integer"},
            {"api_name": "Children", "custom_field": True, "data_type": "subform"},
            {"api_name": "Enriched__s", "custom_field": False, "data_type": "text"},
            {"api_name": 7},
        ]
        partner = script(ok({"fields": fields}))
        assert partner.hold(ZOHO.custom(CONTACTS.resource)) == ["Shoe_Size", "New_Of_Zohos"]
        [request] = partner.requests
        assert (request.path, request.query) == ("/crm/v8/settings/fields", {"module": "Contacts"})

    def test_there_are_no_more_than_a_list_may_be_asked_for(self) -> None:
        fields = [{"api_name": f"F{number}", "custom_field": number > 9} for number in range(60)]
        found = script(ok({"fields": fields})).hold(ZOHO.custom(CONTACTS.resource))
        assert found == [f"F{number}" for number in range(10, 39)]

    def test_of_other_records_none_are_asked_for(self) -> None:
        assert script().hold(ZOHO.custom(LEADS.resource)) == ()


def place(id: str, name: str, order: int, kind: str = "Open") -> Any:
    return {"id": id, "display_value": name, "actual_value": name, "sequence_number": order, "forecast_type": kind}


FIRST, SECOND, WON = place("51", "First", 1), place("52", "Second", 2), place("53", "Won", 3, "Closed Won")
STANDARD = {"id": "11", "display_value": "Standard", "default": True, "maps": [FIRST, WON]}
OTHER = {"id": "12", "display_value": "Other", "default": False, "maps": [SECOND, WON]}


def organization(
    *pipelines: Any,
    values: list[Any] | None = None,
    picklist: Response | None = None,
    refusal: Response | None = None,
    after: Callable[[list[Any]], list[Any]] = lambda maps: maps,
) -> Partner:
    """Zoho's settings: these pipelines in the second layout, which is the default, and these stages.

    `refusal` is what writes of pipelines come to; `after` is what others make of the stages of one that was written.
    """
    held = {each["id"]: each for each in pipelines}
    values = [FIRST, SECOND, WON] if values is None else values
    layouts = [{"id": "1", "generated_type": "custom"}, {"id": "2", "generated_type": "default"}]
    done = {"code": "SUCCESS", "details": {"id": "12"}, "message": "done", "status": "success"}

    def settings(request: Request) -> Response:
        match request.method, request.path.removeprefix("/crm/v8/settings/").partition("/")[0]:
            case "GET", "layouts":
                return ok({"layouts": layouts})
            case "GET", "fields":
                return ok(
                    {
                        "fields": [
                            {"id": "8", "api_name": "Amount"},
                            {"id": "9", "api_name": "Stage", "pick_list_values": values},
                        ]
                    }
                )
            case "PATCH", "fields":
                values.append(place("99", request.json["fields"][0]["pick_list_values"][-1]["display_value"], 9))
                return picklist or ok({"fields": [done]})
            case "GET", _:
                assert request.query == {"layout_id": "2"}
                id = request.path.rpartition("/")[2]
                return ok({"pipeline": [each for each in held.values() if id in ("pipeline", each["id"])]})
            case _:
                assert request.query == {"layout_id": "2"}
                if refusal:
                    return refusal
                if request.method == "PATCH":
                    id, [change] = request.path.rpartition("/")[2], request.json["pipeline"]
                    named = {each["id"]: each for each in values}
                    maps = [{**named[each["id"]], **each} for each in change["maps"] if "_delete" not in each]
                    held[id] = {**held[id], "maps": after(maps)}
                return ok({"pipeline": [done], "transfer_pipeline": [done]})

    return Partner(settings)


class TestPipelines:
    def test_a_pipeline_begins_with_the_stages_of_the_default_one(self) -> None:
        partner = organization(OTHER, STANDARD)
        made = partner.hold(ZOHO.create(PIPELINES.resource, PIPELINES.draft({"name": "Other"})))
        [request] = partner.unsafe
        maps = [{"id": "51", "sequence_number": 1}, {"id": "53", "sequence_number": 2}]
        assert request.json == {"pipeline": [{"display_value": "Other", "maps": maps}]}
        assert (made.item["id"], made.item["entity"]) == ("12", "opportunity")

    def test_stages_are_found_by_their_names(self) -> None:
        partner = organization(STANDARD, OTHER)
        item = {"name": "Other", "stages": [{"name": "won"}, {"name": "Second"}]}
        partner.hold(ZOHO.create(PIPELINES.resource, PIPELINES.draft(item)))
        [request] = partner.unsafe
        assert [each["id"] for each in request.json["pipeline"][0]["maps"]] == ["53", "52"]

    def test_a_stage_that_there_is_not_is_told_with_those_there_are_before_anything_is_made(self) -> None:
        partner = organization(STANDARD)
        draft = PIPELINES.draft({"name": "Other", "stages": [{"name": "First"}, {"name": "Nowhere"}]})
        found = problem(lambda: partner.hold(ZOHO.create(PIPELINES.resource, draft)))
        assert (found.kind, found.faults[0].pointer) == (Kind.INVALID, "#/stages/1/name")
        assert "First, Second, Won" in found.detail
        assert partner.unsafe == []

    def test_where_there_is_no_layout_there_is_no_pipeline_to_ask_for(self) -> None:
        found = problem(lambda: script(NONE).hold(ZOHO.list(PIPELINES.resource, limit=5)))
        assert (found.kind, found.outcome) == (Kind.CRM_REJECTED, Outcome.NOTHING)

    def test_a_pipeline_is_removed_by_moving_its_deals_to_the_same_stage_or_one_of_its_kind(self) -> None:
        partner = organization(OTHER, STANDARD)
        partner.hold(ZOHO.delete(PIPELINES.resource, "12"))
        moves = [{"from": "52", "to": "51"}, {"from": "53", "to": "53"}]
        assert partner.requests[-1].path == "/crm/v8/settings/pipeline/actions/transfer"
        assert partner.requests[-1].json == {
            "transfer_pipeline": [{"pipeline": {"from": "12", "to": "11"}, "stages": moves}]
        }

    @pytest.mark.parametrize(("code", "done"), [("ALREADY_SCHEDULED", True), ("INVALID_DATA", False)])
    def test_a_removal_that_is_under_way_is_done(self, code: str, done: bool) -> None:
        fault = {"code": code, "details": {}, "message": "Scheduler already running", "status": "error"}
        partner = organization(STANDARD, OTHER, refusal=Response(400, {}, {"transfer_pipeline": [fault]}))
        if done:
            partner.hold(ZOHO.delete(PIPELINES.resource, "12"))
        else:
            assert problem(lambda: partner.hold(ZOHO.delete(PIPELINES.resource, "12"))).kind is Kind.CRM_REJECTED

    def test_the_default_pipeline_is_not_removed(self) -> None:
        partner = organization(STANDARD, OTHER)
        found = problem(lambda: partner.hold(ZOHO.delete(PIPELINES.resource, "11")))
        assert (found.kind, found.outcome) == (Kind.CRM_REJECTED, Outcome.NOTHING)
        assert {request.method for request in partner.requests} == {"GET"}

    @pytest.mark.parametrize("others", [[], [STANDARD | {"maps": [FIRST]}]])
    def test_deals_that_are_won_are_never_opened_again_by_a_removal(self, others: list[Any]) -> None:
        partner = organization(OTHER, *others)
        found = problem(lambda: partner.hold(ZOHO.delete(PIPELINES.resource, "12")))
        assert found.kind is Kind.CRM_REJECTED
        assert {request.method for request in partner.requests} == {"GET"}


class TestStages:
    def create(self, partner: Partner, name: str, pipeline: str = "12", whole: bool = False) -> Any:
        draft = STAGES.draft({"name": name, "pipeline": {"id": pipeline}})
        return partner.hold(ZOHO.create(STAGES.resource, draft, whole=whole))

    def test_a_stage_goes_by_its_pipeline_and_its_value_wherever_it_is_told(self) -> None:
        [told] = organization(OTHER).hold(ZOHO.list(PIPELINES.resource, limit=5)).answers
        listed = organization(OTHER).hold(ZOHO.list(STAGES.resource, limit=5)).answers
        assert [each["id"] for each in told.item["stages"]] == ["12-52", "12-53"]
        assert [each.item["id"] for each in listed] == ["12-52", "12-53"]
        assert [each.raw for each in listed] == [SECOND, WON], "the CRM's own words are left as they are"

    def test_a_new_name_is_put_into_the_picklist_and_then_into_the_pipeline(self) -> None:
        partner = organization(STANDARD, OTHER)
        made = self.create(partner, "Brand new")
        value, mapped = (request for request in partner.requests if request.method == "PATCH")
        assert (value.path, value.query, value.safe) == ("/crm/v8/settings/fields/9", {"module": "Deals"}, True)
        new = {"display_value": "Brand new", "actual_value": "Brand new"}
        assert value.json == {"fields": [{"pick_list_values": [new]}]}, "ten are taken at once, and the others stay"
        assert partner.unsafe == [mapped]
        order = {"52": 2, "53": 3, "99": 4}
        maps = [{"id": id, "sequence_number": place} for id, place in order.items()]
        assert mapped.json == {"pipeline": [{"display_value": "Other", "maps": maps}]}
        assert (made.item["id"], made.item["position"]) == ("12-99", 4)

    def test_a_name_that_is_in_the_picklist_is_not_put_there_again(self) -> None:
        partner = organization(STANDARD, OTHER)
        made = self.create(partner, "first")
        assert [request.path for request in partner.requests if request.method == "PATCH"] == [
            "/crm/v8/settings/pipeline/12"
        ]
        assert made.item["id"] == "12-51"

    def test_a_name_that_somebody_else_put_there_meanwhile_will_do(self) -> None:
        twin = {"code": "DUPLICATE_DATA", "details": {"api_name": "display_value"}, "message": "m", "status": "error"}
        made = self.create(organization(OTHER, picklist=Response(400, {}, {"fields": [twin]})), "Brand new")
        assert made.item["id"] == "12-99"

    def test_a_stage_that_is_there_is_in_the_way(self) -> None:
        partner = organization(OTHER)
        assert problem(lambda: self.create(partner, "second")).kind is Kind.CRM_CONFLICT
        assert partner.unsafe == []

    def test_a_pipeline_that_there_is_not_is_named(self) -> None:
        partner = organization(OTHER)
        found = problem(lambda: self.create(partner, "Brand new", "404"))
        assert (found.kind, found.faults[0].field) == (Kind.INVALID, "pipeline.id")
        assert {request.method for request in partner.requests} == {"GET"}

    @pytest.mark.parametrize("whole", [True, False])
    def test_a_stage_that_cannot_be_read_back_was_made(self, whole: bool) -> None:
        partner, held = organization(OTHER), organization(OTHER).answer
        partner.answer = lambda request: Response(503) if partner.unsafe and request.safe else held(request)
        made = self.create(partner, "First", whole=whole)
        assert (made.item["id"], made.partial) == ("12-51", whole)

    def test_a_stage_that_was_made_is_told_as_its_pipeline_has_it(self) -> None:
        made = self.create(organization(STANDARD, OTHER), "First", whole=True)
        assert not made.partial
        assert made.item == {
            "id": "12-51",
            "name": "First",
            "pipeline": {"id": "12", "name": "Other"},
            "position": 4,
            "status": "active",
        }

    @pytest.mark.parametrize("lost", ["52", "99"])
    def test_a_stage_that_was_lost_meanwhile_is_named(self, lost: str) -> None:
        partner = organization(OTHER, after=lambda maps: [each for each in maps if each["id"] != lost])
        found = problem(lambda: self.create(partner, "Brand new"))
        assert (found.kind, found.outcome) == (Kind.CRM_CONFLICT, Outcome.UNKNOWN)
        assert lost in found.detail
        assert "53" not in found.detail

    @pytest.mark.parametrize(
        ("message", "done"), [("No mapping found ", True), ("Invalid child option id", False)], ids=repr
    )
    def test_a_removal_that_was_done_before_is_done(self, message: str, done: bool) -> None:
        fault = {"code": "INVALID_DATA", "details": {}, "message": message, "status": "error"}
        partner = organization(OTHER, refusal=Response(400, {}, {"pipeline": [fault]}))
        if done:
            partner.hold(ZOHO.delete(STAGES.resource, "12-52"))
        else:
            assert problem(lambda: partner.hold(ZOHO.delete(STAGES.resource, "12-52"))).kind is Kind.CRM_REJECTED

    def test_a_removal_names_the_stages_that_stay(self) -> None:
        partner = organization(STANDARD, OTHER)
        partner.hold(ZOHO.delete(STAGES.resource, "12-52"))
        request = partner.requests[-1]
        assert (request.method, request.path, request.safe) == ("PATCH", "/crm/v8/settings/pipeline/12", True)
        gone = {"id": "52", "sequence_number": 2, "_delete": {"permanent": None}}
        assert request.json["pipeline"][0]["maps"] == [gone, {"id": "53", "sequence_number": 3}]


OWNER = {"id": "7328395000000605001", "name": "Nango Developer", "email": "user12@example.com"}
LAYOUT = "7328395000000091023"


class TestObjects:
    """Contacts, companies, deals and users."""

    @OBJECTS
    def test_one_is_read_in_one_request_that_asks_for_nothing_in_particular(self, case: Case) -> None:
        partner = script(answer("account.get.200"))
        partner.hold(ZOHO.get(case.resource, "7328395000000686003"))
        [request] = partner.requests
        path = {"contacts": "Contacts", "companies": "Accounts", "deals": "Deals", "users": "users"}[case.plural]
        assert (request.method, request.path, request.query) == ("GET", f"/crm/v8/{path}/7328395000000686003", {})

    def test_a_recorded_company_is_read(self) -> None:
        partner = script(answer("account.get.200"))
        found = partner.hold(ZOHO.get(COMPANIES.resource, "7328395000000686003"))
        assert partner.requests[0].path.replace("v8", "v2") == recorded("account.get.200")["request"]["path"]
        assert not found.partial
        assert found.item == {
            "id": "7328395000000686003",
            "name": "Test Account for Get Account Action",
            "owner": OWNER,
            "created_at": "2026-05-14T09:51:36Z",
            "updated_at": "2026-05-14T09:51:36Z",
        }

    def test_a_recorded_company_is_read_with_all_that_it_tells(self) -> None:
        first = answer("accounts.list.200").body["data"][0]
        assert ZOHO.item(COMPANIES.resource, first) == {
            "id": "7328395000000680055",
            "name": "King (Sample)",
            "website": "http://kingmanufacturing.com",
            "phones": [{"number": "555-555-5555", "type": "primary"}],
            "industry": "Manufacturing",
            "description": "King is a multinational electronics contract manufacturing company with its headquarters "
            "in Baltimore, United States.",
            "number_of_employees": 445,
            "annual_revenue": 850000,
            "addresses": [
                {
                    "street_1": "228 Runamuck Pl #2808",
                    "city": "Baltimore",
                    "state": "MD",
                    "postal_code": "21224",
                    "country": "United States",
                }
            ],
            "owner": OWNER,
            "last_activity_at": "2026-05-14T08:36:19Z",
            "created_at": "2026-05-14T08:36:09Z",
            "updated_at": "2026-05-14T08:36:17Z",
        }

    def test_a_recorded_deal_is_read(self) -> None:
        partner = script(answer("deal.get.200"))
        found = partner.hold(ZOHO.get(DEALS.resource, "7328395000000688003"))
        assert found.item == {
            "id": "7328395000000688003",
            "name": "Test Deal from Nango Action",
            "amount": 10000,
            "stage": {"name": "Qualification"},
            "probability": 10,
            "close_date": "2024-12-31",
            "description": "Test deal created via Nango action",
            "owner": OWNER,
            "created_at": "2026-05-14T09:52:27Z",
            "updated_at": "2026-05-14T09:52:27Z",
        }

    def test_a_recorded_deal_names_its_company_and_its_person(self) -> None:
        item = ZOHO.item(DEALS.resource, answer("deals.list.200").body["data"][0])
        assert item["company"] == {"id": "7328395000000680055", "name": "King (Sample)"}
        assert item["contact"] == {"id": "7328395000000680156", "name": "Kris Marrier (Sample)"}
        assert (item["amount"], item["close_date"], item["stage"]) == (
            60000,
            "2026-05-17",
            {"name": "Id. Decision Makers"},
        )

    def test_a_recorded_person_is_read(self) -> None:
        """No read of one person was recorded: a list that asked for few fields, and the fields of a lead."""
        first = answer("contacts.list-page-info.200").body["data"][0]
        assert ZOHO.item(CONTACTS.resource, first) == {
            "id": "6493490000001291001",
            "created_at": "2024-12-20T07:09:52Z",
        }

    def test_a_recorded_user_is_read(self) -> None:
        partner = script(ok({"users": answer("users.list.200").body["users"]}))
        found = partner.hold(ZOHO.get(USERS.resource, OWNER["id"]))
        assert found.item == {
            **OWNER,
            "first_name": "Nango",
            "last_name": "Developer",
            "active": True,
            "created_at": "2026-05-14T08:34:21Z",
            "updated_at": "2026-05-14T08:35:10Z",
        }

    def test_the_person_and_the_deals_we_would_make_are_those_that_were_recorded(self) -> None:
        person = {"first_name": "Test", "last_name": "TestContact"}
        made = CONTACTS.draft({**person, "emails": [{"email": "test.contact.1778752432@example.com"}]})
        assert [made.body] == recorded("contact.create.201")["request"]["body"]["data"]
        draft = DEALS.draft(
            {
                "name": "Bentley Systems - Annual License Renewal",
                "amount": 85000,
                "close_date": date(2026, 9, 30),
                "company": {"id": "5725767000007908001"},
                "contact": {"id": "5725767000011356002"},
                "owner": {"id": "5725767000000411001"},
                "description": "Renewal negotiation for enterprise licensing",
                "tags": ["Renewal"],
            }
        )
        [shown] = recorded("v8.deal.create.201")["request"]["body"]["data"]
        bare = {name: {"id": value["id"]} if isinstance(value, dict) else value for name, value in shown.items()}
        assert draft.body.items() <= bare.items()
        assert not draft.ignored

    @pytest.mark.parametrize(
        ("case", "name"), [(CONTACTS, "contact"), (COMPANIES, "account"), (DEALS, "deal")], ids=repr
    )
    def test_a_create_tells_the_id_of_the_record(self, case: Case, name: str) -> None:
        told = answer(f"{name}.create.201")
        assert ZOHO.written_id(case.resource, told) == told.body["data"][0]["details"]["id"]

    @pytest.mark.parametrize(
        ("case", "item"),
        [
            (
                CONTACTS,
                {
                    "first_name": "Ada",
                    "last_name": "Lovelace",
                    "title": "Head of Programmes",
                    "emails": [
                        {"email": "a@b.example", "type": "primary"},
                        {"email": "c@d.example", "type": "secondary"},
                    ],
                    "phones": [{"number": "1", "type": "primary"}, {"number": "2", "type": "mobile"}],
                    "addresses": [{"street_1": "12 Dorset Street", "city": "London", "postal_code": "W1U"}],
                    "company": {"id": "7"},
                    "owner": {"id": "8"},
                    "tags": ["one", "two"],
                    "description": "It weaves.",
                    "custom_fields": {"Favourite_Colour": "teal"},
                },
            ),
            (
                COMPANIES,
                {
                    "name": "Analytical Engines",
                    "website": "https://engines.example",
                    "phones": [{"number": "1", "type": "primary"}, {"number": "2", "type": "fax"}],
                    "industry": "Machinery",
                    "number_of_employees": 12,
                    "annual_revenue": 1.5,
                    "addresses": [{"city": "London", "country": "United Kingdom"}],
                    "owner": {"id": "8"},
                    "tags": ["one"],
                    "description": "Builders.",
                    "custom_fields": {"Wheels": 4},
                },
            ),
            (
                DEALS,
                {
                    "name": "Engine no. 2",
                    "amount": 12500,
                    "probability": 60,
                    "company": {"id": "7"},
                    "contact": {"id": "9"},
                    "owner": {"id": "8"},
                    "tags": ["one"],
                    "description": "One engine.",
                    "custom_fields": {"Industry": "a field of companies may be anybody's own in a deal"},
                },
            ),
        ],
        ids=repr,
    )
    def test_what_is_written_is_read_again(self, case: Case, item: Any) -> None:
        record, ignored = case.resource.table.out(item)
        told = case.resource.table.into(record)
        assert not ignored
        assert {name: told[name] for name in item} == item

    def test_a_probability_is_a_whole_number(self) -> None:
        assert repr(DEALS.draft({"name": "x", "probability": 60.0}).body["Probability"]) == "60"

    @pytest.mark.parametrize("name", ["Account_Name", "Mailing_Zip", "$layout_id", "Locked__s", "Full_Name"])
    def test_a_field_of_the_vendors_is_no_custom_field(self, name: str) -> None:
        assert ZOHO.item(CONTACTS.resource, {"id": "7", name: "x"}).get("custom_fields") is None
        found = problem(lambda: CONTACTS.draft({"last_name": "L", "custom_fields": {name: "x"}}))
        assert (found.kind, found.faults[0].code) == (Kind.INVALID, "not_custom")

    def test_nothing_that_was_recorded_is_taken_for_a_custom_field(self) -> None:
        told = [(COMPANIES, "account.get.200"), (COMPANIES, "accounts.list.200")]
        told += [(DEALS, "deal.get.200"), (DEALS, "deals.list.200")]
        for case, name in told:
            for each in answer(name).body["data"]:
                assert "custom_fields" not in case.resource.table.into(
                    {key: value or "x" for key, value in each.items()}
                )

    @OBJECTS
    def test_a_record_that_is_not_there_is_told_without_a_body_or_by_its_place_in_the_path(self, case: Case) -> None:
        for told in (NONE, answer("v8.record.delete.invalid-id.400"), answer("v8.note.write.invalid-id.400")):
            found = problem(lambda told=told: script(told).hold(ZOHO.get(case.resource, "7")))
            assert (found.kind, found.outcome) == (Kind.CRM_NOT_FOUND, Outcome.NOTHING)

    @OBJECTS
    def test_the_place_in_the_path_may_be_told_in_a_list(self, case: Case) -> None:
        for name in ("data", "users"):
            fault = answer("v8.note.write.invalid-id.400").body
            told = Response(400, {}, {name: [fault]})
            assert problem(lambda told=told: script(told).hold(ZOHO.get(case.resource, "7"))).kind is Kind.CRM_NOT_FOUND

    @OBJECTS
    @pytest.mark.parametrize("id", ["deleted", "search", "upsert", "1,2", "lead_1", ""])
    def test_a_word_is_no_id_of_an_object(self, case: Case, id: str) -> None:
        assert problem(lambda: script().hold(ZOHO.get(case.resource, id))).kind is Kind.CRM_BAD_ID

    @OBJECTS
    def test_what_the_user_may_not_see_is_forbidden(self, case: Case) -> None:
        for told in (
            answer("error.no-permission.403"),
            answer("error.scope-mismatch.401"),
            answer("v8.records.create.authorization-failed.400"),
        ):
            found = problem(lambda told=told: script(told).hold(ZOHO.get(case.resource, "7")))
            assert found.kind is Kind.CRM_FORBIDDEN

    @pytest.mark.parametrize(
        ("status", "active"), [("active", True), ("inactive", False), ("disabled", False), (None, None)]
    )
    def test_a_user_may_be_at_rest(self, status: Any, active: bool | None) -> None:
        told = ok(
            {"users": [{"id": "7", "full_name": "Charles Babbage", "status": status, "phone": "", "mobile": "1"}]}
        )
        item = script(told).hold(ZOHO.get(USERS.resource, "7")).item
        assert (item.get("active"), item["phone"]) == (active, "1")

    def test_a_user_that_was_deleted_is_not_found(self) -> None:
        told = ok({"users": [{"id": "7", "full_name": "Charles Babbage", "status": "deleted"}]})
        assert problem(lambda: script(told).hold(ZOHO.get(USERS.resource, "7"))).kind is Kind.CRM_NOT_FOUND


class TestRelated:
    def deal(self, **more: Any) -> Any:
        told = ok({"data": [{"id": "5", "Stage": "Won", "$layout_id": {"id": LAYOUT, "name": "Standard"}, **more}]})
        return script(told).hold(ZOHO.get(DEALS.resource, "5"))

    def test_the_company_the_person_and_the_owner_are_read_by_their_ids(self) -> None:
        deal = self.deal(Account_Name={"id": "7"}, Contact_Name={"id": "8"}, Owner={"id": "9"})
        told = {"7": "data", "8": "data", "9": "users"}
        partner = script(*(ok({envelope: [{"id": id}]}) for id, envelope in told.items()))
        for name, case in (("company", COMPANIES), ("contact", CONTACTS), ("owner", USERS)):
            assert partner.hold(ZOHO.related(DEALS.resource, deal, name, case.resource))
        assert [each.path for each in partner.requests] == [
            "/crm/v8/Accounts/7",
            "/crm/v8/Contacts/8",
            "/crm/v8/users/9",
        ]

    @pytest.mark.parametrize(("named", "stage"), [("Other", "12-53"), (None, "11-53")])
    def test_the_stage_and_the_pipeline_are_found_in_the_one_list_of_the_deals_layout(
        self, named: str | None, stage: str
    ) -> None:
        deal, listed = self.deal(Pipeline=named), ok({"pipeline": [OTHER, STANDARD]})
        partner = script(listed, listed)
        place = partner.hold(ZOHO.related(DEALS.resource, deal, "stage", STAGES.resource))
        pipeline = partner.hold(ZOHO.related(DEALS.resource, deal, "pipeline", PIPELINES.resource))
        assert place
        assert pipeline
        assert place.item["id"] == stage
        assert (place.item["name"], place.item["pipeline"]["name"]) == ("Won", named or "Standard")
        assert pipeline.item["id"] == stage.partition("-")[0]
        for request in partner.requests:
            assert (request.path, request.query) == ("/crm/v8/settings/pipeline", {"layout_id": LAYOUT})

    def test_a_deal_may_tell_the_name_under_which_a_value_was_made(self) -> None:
        """Recorded as "Id. Decision Makers"; that records have the display names is told without an example. Where two
        values could be meant, it is the one that is shown so."""
        renamed = {"id": "54", "display_value": "Identify", "actual_value": "Won", "sequence_number": 4}
        only = {**STANDARD, "display_value": "Sales", "actual_value": "Standard", "maps": [renamed]}
        for maps, stage in (([renamed], "11-54"), ([renamed, FIRST, WON], "11-53")):
            listed = script(ok({"pipeline": [OTHER, {**only, "maps": maps}]}))
            deal = self.deal(Pipeline="Standard")
            found = listed.hold(ZOHO.related(DEALS.resource, deal, "stage", STAGES.resource))
            assert found
            assert found.item["id"] == stage

    @pytest.mark.parametrize(
        ("more", "known"), [({"Pipeline": "Nowhere"}, [OTHER]), ({"Stage": "Lost"}, [STANDARD]), ({}, [])], ids=repr
    )
    def test_a_stage_that_is_no_longer_there_is_none(self, more: Any, known: list[Any]) -> None:
        partner = script(ok({"pipeline": known}))
        assert partner.hold(ZOHO.related(DEALS.resource, self.deal(**more), "stage", STAGES.resource)) is None

    def test_a_deal_without_a_stage_costs_no_request(self) -> None:
        assert script().hold(ZOHO.related(DEALS.resource, self.deal(Stage=None), "stage", STAGES.resource)) is None

    def test_a_deal_that_tells_no_layout_has_the_one_of_deals(self) -> None:
        deal, partner = self.deal(**{"$layout_id": None}), organization(STANDARD)
        found = partner.hold(ZOHO.related(DEALS.resource, deal, "stage", STAGES.resource))
        assert found
        assert found.item["id"] == "11-53"
        assert [each.path.rpartition("/")[2] for each in partner.requests] == ["layouts", "pipeline"]


class TestLogin:
    SCHEME = CRM.auth["oauth2"]

    def refresh(self, response: Response) -> Any:
        assert isinstance(self.SCHEME, OAuth2)
        app = {"client_id": "i", "client_secret": "s"}
        return script(response).hold(self.SCHEME.refresh({"refresh_token": "r"}, app))

    def test_a_refresh_tells_the_host_and_keeps_the_refresh_token(self) -> None:
        token = self.refresh(ok({"access_token": "a", "api_domain": "https://www.zohoapis.eu", "expires_in": 3600}))
        assert (token.access_token, token.refresh_token, token.expires_in) == ("a", "r", 3600)
        assert token.origin == "https://www.zohoapis.eu"

    @pytest.mark.parametrize(
        ("response", "kind"),
        [
            (ok({"error": "invalid_code"}), Kind.NEEDS_REAUTH),
            (Response(400, {}, {"error": "invalid_code"}), Kind.NEEDS_REAUTH),
            (ok({"error": "invalid_client"}), Kind.CRM_UNAVAILABLE),
            (ok({"error": "general_error"}), Kind.CRM_UNAVAILABLE),
        ],
    )
    def test_a_dead_refresh_token_is_told_by_the_body_alone(self, response: Response, kind: Kind) -> None:
        assert problem(lambda: self.refresh(response)).kind is kind

    def test_a_throttled_refresh_does_not_lose_the_account(self) -> None:
        found = problem(lambda: self.refresh(answer("oauth.token.too-many-requests.400")))
        assert (found.kind, found.retry_after) == (Kind.CRM_RATE_LIMITED, 60)

    def test_a_request_is_signed_in_the_vendors_own_scheme(self) -> None:
        assert self.SCHEME.sign({"access_token": "t"}) == {"authorization": "Zoho-oauthtoken t"}

    @pytest.mark.parametrize(
        ("api", "token"),
        [
            ("https://www.zohoapis.com.au", "https://accounts.zoho.com.au"),
            ("https://www.zohoapis.sa", "https://accounts.zoho.sa"),
            ("https://www.zohocloud.ca", "https://accounts.zohocloud.ca"),
        ],
    )
    def test_every_data_centre_has_hosts_of_its_own(self, api: str, token: str) -> None:
        assert CRM.hosts["api"].allows(api)
        assert CRM.hosts["token"].allows(token)
        assert not CRM.hosts["api"].allows(api + ".evil.example")
        assert not CRM.hosts["token"].allows(api), "tokens are not given where the API lives"
        assert not CRM.hosts["token"].allows(token.replace("accounts.", "www."))

    @pytest.mark.parametrize("where", ["credentials", "app"])
    @pytest.mark.parametrize(
        "origin", ["https://www.zohoapis.eu", "https://www.zohoapis.com.au", "https://www.zohocloud.ca/"]
    )
    def test_a_token_of_another_data_centre_is_not_sent_to_the_first(self, where: str, origin: str) -> None:
        scheme = self.SCHEME
        assert isinstance(scheme, OAuth2)
        credentials, app = {"refresh_token": "r"}, {"client_id": "i", "client_secret": "s"}
        (credentials if where == "credentials" else app)["origin"] = origin
        partner = script(ok({"access_token": "a"}))
        found = problem(lambda: partner.hold(scheme.refresh(credentials, app)))
        assert (found.kind, partner.requests) == (Kind.CRM_UNAVAILABLE, [])
        app["token_origin"] = "https://accounts.zoho.eu"
        assert partner.hold(scheme.refresh(credentials, app)).access_token == "a"

    @pytest.mark.parametrize("origin", ["https://www.zohoapis.com/", "https://sandbox.zohoapis.com"])
    def test_the_first_data_centre_has_not_to_be_named(self, origin: str) -> None:
        assert isinstance(self.SCHEME, OAuth2)
        app = {"client_id": "i", "client_secret": "s", "origin": origin}
        assert script(ok({"access_token": "a"})).hold(self.SCHEME.refresh({"refresh_token": "r"}, app)).access_token
