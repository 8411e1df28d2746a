"""Reading and removing through the unified surface, with a CRM in memory."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.api.reading import STRETCHES
from switchboard.api.reply import Reply
from switchboard.crm.catalog import Resource
from switchboard.crm.codecs import text
from switchboard.crm.mapping import Table, row
from switchboard.models.stage import STAGE
from tests.worlds import CRMS, LIST, PATH, AcmeDialect, World, answers, parsed, refuses_connection, vendor


@pytest.fixture
def world() -> World:
    return World()


def fill(world: World, number: int) -> list[str]:
    """So many leads, a minute apart."""
    made: list[str] = []
    for index in range(number):
        world.clock.pass_(60)
        made.append(world.crm.store({"title": f"Lead {index}"})["id"])
    return made


def listed(world: World, query: str = "", **how: Any) -> list[str]:
    """The ids of all pages, each of which is checked."""
    ids, cursor = list[str](), ""
    while True:
        reply = world.read("list", query=query + (f"&next_cursor={cursor}" if cursor else ""), **how)
        assert reply.status == 200, reply.body
        page = parsed(reply)
        assert set(page) == {"result", "next_cursor", "prev_cursor", "result_count", "is_partial_response"}
        assert page["result_count"] == len(page["result"])
        ids += [each["id"] for each in page["result"]]
        if page["next_cursor"] is None:
            return ids
        assert page["result"], "an empty page with a cursor ends some clients' loops"
        cursor = page["next_cursor"]


def faults(reply: Reply) -> list[str]:
    assert reply.status == 400, reply.body
    return [each["field"] for each in parsed(reply)["errors"]]


class TestGet:
    def test_a_record_is_told_as_it_is_unwrapped(self, world: World) -> None:
        [id] = fill(world, 1)
        reply = world.read("get", id)
        told = parsed(reply)
        assert (reply.status, told["id"], told["title"]) == (200, id, "Lead 0")
        assert told["remote_data"] == world.crm.records[id]

    def test_it_comes_in_the_form_that_was_asked_for(self, world: World) -> None:
        [id] = fill(world, 1)
        assert parsed(world.read("get", id, "truto_response_format=raw")) == world.crm.records[id]
        normalized = parsed(world.read("get", id, "truto_response_format=normalized"))
        assert normalized["converted_at"] is None
        assert "remote_data" not in normalized
        assert "title" not in parsed(world.read("get", id, "truto_exclude_fields[]=title"))

    def test_what_is_not_there_is_the_crms_404(self, world: World) -> None:
        reply = world.read("get", "77")
        assert (reply.status, parsed(reply)["truto_is_remote_error"]) == (404, True)

    @pytest.mark.parametrize("id", ["..", "%2e%2e", "a%2Fb", "a%20b", "%00", "a?b", "x" * 256])
    def test_an_id_that_can_be_none_is_not_found_and_not_sent(self, world: World, id: str) -> None:
        assert world.read("get", id).status == 404
        assert world.crm.sent == []

    def test_remote_query_reaches_the_crm(self, world: World) -> None:
        [id] = fill(world, 1)
        world.read("get", id, "remote_query[depth]=2")
        assert world.crm.sent[-1].request.passed == (("depth", "2"),)

    def test_a_parameter_that_nobody_knows_is_named(self, world: World) -> None:
        assert faults(world.read("get", "1", "limit=5&x=1")) == ["limit", "x"]

    @pytest.mark.parametrize("body", [{}, {"items": []}, [], None, "OK"])
    def test_an_answer_without_a_record_is_no_record(self, world: World, body: Any) -> None:
        """Behind some ids stands another page of the CRM's, such as its search."""
        world.crm.turns.append(answers(200, body))
        reply = world.read("get", "search")
        assert (reply.status, parsed(reply)["type"].rpartition("#")[2]) == (502, "crm-unavailable")

    def test_a_wait_that_the_crm_told_on_the_way_is_not_told_of_a_record(self, world: World) -> None:
        world.crm.turns.append(answers(200, {"id": "1"}, {"retry-after": "7"}))
        assert "retry-after" not in world.read("get", "1").headers


class TestDelete:
    def test_what_is_removed_is_told_by_its_id_and_gone(self, world: World) -> None:
        gone, stays = fill(world, 2)
        reply = world.read("delete", gone)
        assert (reply.status, parsed(reply)) == (200, {"id": gone})
        assert list(world.crm.records) == [stays]
        assert world.read("delete", gone).status == 404

    def test_it_takes_a_right_of_its_own(self, world: World) -> None:
        [id] = fill(world, 1)
        for scope in ("lead.read", "lead.write", "stage.all"):
            assert world.read("delete", id, key=world.issue(scopes=[scope])).status == 403
        assert world.read("delete", id, key=world.issue(scopes=["lead.delete"], role="member")).status == 403
        assert world.read("delete", id, key=world.issue(scopes=["lead.delete"])).status == 200


class TestList:
    @pytest.mark.parametrize(("number", "limit"), [(0, 3), (1, 3), (3, 3), (4, 3), (7, 3), (60, 50), (120, 100)])
    def test_every_record_is_listed_once(self, world: World, number: int, limit: int) -> None:
        ids = fill(world, number)
        assert listed(world, f"limit={limit}") == ids

    def test_a_page_holds_twenty_five_where_nothing_is_said(self, world: World) -> None:
        fill(world, 30)
        assert parsed(world.read("list"))["result_count"] == 25

    def test_it_takes_the_right_to_read(self, world: World) -> None:
        assert world.read("list", key=world.issue(scopes=["lead.write"])).status == 403
        assert world.read("list", key=world.issue(scopes=["lead.read"], role="viewer")).status == 200

    def test_what_changed_since_a_moment_is_after_it_or_at_it_too(self, world: World) -> None:
        ids = fill(world, 5)
        moment = world.crm.records[ids[2]]["updated"]
        assert listed(world, f"updated_at[gt]={moment}") == ids[3:]
        assert listed(world, f"updated_at[gte]={moment}&limit=2") == ids[2:]
        assert listed(world, f"updated_at%5Bgte%5D={moment.replace('Z', '%2B00:00')}") == ids[2:]

    def test_a_crm_that_does_not_tell_when_is_said_so(self) -> None:
        world = World("brief")
        reply = world.read("list", query="updated_at[gt]=2026-01-01T00:00:00Z")
        assert faults(reply) == ["updated_at"]
        assert parsed(reply)["type"].endswith("#unsupported-by-crm")
        assert world.crm.sent == []

    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ("limit=0", ["limit"]),
            ("limit=101", ["limit"]),
            ("limit=99999", ["limit"]),
            ("limit=x", ["limit"]),
            ("limit=²", ["limit"]),
            ("limit=00505", ["limit"]),
            ("limit=0001" + "0" * 5000, ["limit"]),
            ("limit[]=5", ["limit"]),
            ("updated_at=2026-01-01T00:00:00Z", ["updated_at"]),
            ("updated_at[lt]=2026-01-01T00:00:00Z", ["updated_at"]),
            ("updated_at[gt]=1", ["updated_at[gt]"]),
            ("updated_at[gt]=2026-01", ["updated_at[gt]"]),
            ("updated_at[gt]=2026-01-01T00:00:00 02:00", ["updated_at[gt]"]),
            ("updated_at[gt]=2026-13-01T00:00:00Z", ["updated_at[gt]"]),
            ("status=open&created_at[gt]=2026-01-01T00:00:00Z", ["status", "created_at"]),
            ("pipeline[id]=7", ["pipeline"]),
            ("truto_key_by=colour", ["truto_key_by"]),
            ("truto_key_by=owner", ["truto_key_by"]),
            ("truto_key_by=email_addresses", ["truto_key_by"]),
            ("truto_key_by=custom_fields", ["truto_key_by"]),
            ("truto_response_format=xml&limit=0", ["truto_response_format", "limit"]),
            ("next_cursor=forged", ["next_cursor"]),
            ("next_cursor[]=a", ["next_cursor"]),
        ],
    )
    def test_a_wrong_parameter_is_named_and_nothing_is_sent(self, world: World, query: str, named: list[str]) -> None:
        assert faults(world.read("list", query=query)) == named
        assert world.crm.sent == []

    def test_a_cursor_holds_nothing_but_for_its_own_list(self, world: World) -> None:
        fill(world, 5)
        cursor = parsed(world.read("list", query="limit=2"))["next_cursor"]
        for other in ("updated_at[gt]=2026-01-01T00:00:00Z", "remote_query[status]=open"):
            assert faults(world.read("list", query=f"limit=2&{other}&next_cursor={cursor}")) == ["next_cursor"]
        other = world.connect("acme", "11111111-2222-3333-4444-555555555555")
        world.account = other
        assert faults(world.read("list", query=f"limit=2&next_cursor={cursor}")) == ["next_cursor"]

    def test_what_was_passed_to_the_crm_is_a_filter_of_the_list(self, world: World) -> None:
        ids = fill(world, 5)
        query = "limit=2&remote_query[status]=open"
        cursor = parsed(world.read("list", query=query))["next_cursor"]
        assert faults(world.read("list", query=f"limit=2&next_cursor={cursor}")) == ["next_cursor"]
        assert listed(world, query) == ids

    def test_a_cursor_knows_how_many_records_a_page_has(self, world: World) -> None:
        ids = fill(world, 5)
        cursor = parsed(world.read("list", query="limit=2"))["next_cursor"]
        page = parsed(world.read("list", query=f"next_cursor={cursor}"))
        assert [each["id"] for each in page["result"]] == ids[2:4]
        assert faults(world.read("list", query=f"limit=3&next_cursor={cursor}")) == ["limit"]

    def test_a_cursor_is_looked_at_before_the_account(self, world: World) -> None:
        world.account = "11111111-2222-3333-4444-555555555555"
        assert faults(world.read("list", query="next_cursor=forged")) == ["next_cursor"]
        assert world.read("list").status == 404

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("2026-11-21T09:35:00", "2026-11-21T09:35:00Z"),
            ("2026-11-21T09:35:00.000000", "2026-11-21T09:35:00Z"),
            ("2026-11-21", "2026-11-21T00:00:00Z"),
            ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ],
    )
    def test_a_moment_may_be_written_as_known_clients_write_it(self, world: World, written: str, meant: str) -> None:
        fill(world, 8)
        assert listed(world, f"updated_at[gt]={written}") == listed(world, f"updated_at[gt]={meant}")
        assert len({sent.request.query["since"] for sent in world.crm.sent}) == 1

    @pytest.mark.parametrize("operator", ["gt", "gte"])
    def test_a_moment_finer_than_records_tell_passes_over_nothing(self, world: World, operator: str) -> None:
        changed = {"id": "7", "updated": "2026-11-21T09:31:00.123789Z"}
        world.crm.turns.append(answers(200, {"leads": [changed]}))
        assert listed(world, f"updated_at[{operator}]=2026-11-21T09:31:00.123456Z") == ["7"]

    def test_a_list_may_be_keyed_by_a_field(self, world: World) -> None:
        ids = fill(world, 3)
        found = parsed(world.read("list", query="truto_key_by=id"))
        assert {key: each["id"] for key, each in found["result"].items()} == {id: id for id in ids}
        assert found["result_count"] == 3

    def test_of_records_with_one_key_the_last_is_told_and_those_without_have_one_too(self, world: World) -> None:
        for body in ({"first": "Ada"}, {"first": "Bob"}, {"first": "Ada"}, {}):
            last = world.crm.store(body)["id"]
        found = parsed(world.read("list", query="truto_key_by=first_name"))
        assert {key: each["id"] for key, each in found["result"].items()} == {"Ada": "3", "Bob": "2", "null": last}
        assert found["result_count"] == len(found["result"]) == 3

    def test_each_record_comes_in_the_form_that_was_asked_for(self, world: World) -> None:
        [id] = fill(world, 1)
        assert parsed(world.read("list", query="truto_response_format=raw"))["result"] == [world.crm.records[id]]
        [only] = parsed(world.read("list", query="truto_ignore_remote_data=true"))["result"]
        assert "remote_data" not in only

    def test_an_empty_stretch_of_the_crm_is_read_past(self, world: World) -> None:
        """What is left out on our side must not make an empty page that goes on."""
        ids = fill(world, 6)
        for id in ids[:4]:
            world.crm.records[id]["updated"] = world.crm.records[ids[0]]["updated"]
        moment = world.crm.records[ids[0]]["updated"]
        assert listed(world, f"updated_at[gt]={moment}&limit=2") == ids[4:]

    def test_a_list_that_the_time_for_one_call_does_not_suffice_for_says_so(self, world: World) -> None:
        ids = fill(world, 3 * STRETCHES)
        moment = world.crm.records[ids[-1]]["updated"]
        for id in ids:
            world.crm.records[id]["updated"] = moment
        page = parsed(world.read("list", query=f"updated_at[gt]={moment}&limit=1"))
        assert (page["result"], page["is_partial_response"]) == ([], True)
        assert page["next_cursor"]

    def test_a_record_without_an_id_has_no_address_and_is_told_all_the_same(self) -> None:
        world = World("brief")
        world.crm.turns.append(answers(200, {"leads": [{"title": "Who am I?"}]}))
        reply = world.read("list")
        assert reply.status == 200
        assert parsed(reply)["result"] == [{"title": "Who am I?", "remote_data": {"title": "Who am I?"}}]

    def test_the_one_live_try_of_an_account_is_good_for_the_whole_list(self, world: World) -> None:
        ids = fill(world, 6)
        for id in ids[:4]:
            world.crm.records[id]["updated"] = world.crm.records[ids[0]]["updated"]
        world.crm.turns.append(answers(401, {"message": "Who are you?"}))
        assert world.read("list").status == 401
        world.clock.pass_(100)
        reply = world.read("list", query=f"limit=2&updated_at[gt]={world.crm.records[ids[0]]['updated']}")
        assert [each["id"] for each in parsed(reply)["result"]] == ids[4:]
        assert world.status == "active"
        assert [each["status"] for each in world.access.marks] == ["needs_reauth", "active"]

    def test_the_crms_limit_is_passed_on(self, world: World) -> None:
        headers = {"x-acme-limit": "10", "x-acme-remaining": "9", "x-acme-reset": "8"}
        world.crm.turns.append(answers(200, {"leads": []}, headers))
        reply = world.read("list")
        assert (reply.headers["ratelimit-limit"], reply.headers["ratelimit-reset"]) == ("10", "8")

    def test_a_crm_that_refuses_the_token_costs_the_account_its_standing(self, world: World) -> None:
        world.crm.turns.append(answers(401, {"message": "Who are you?"}))
        assert world.read("list").status == 401
        assert world.status == "needs_reauth"
        world.clock.pass_(100)
        assert world.read("list").status == 200
        assert world.status == "active"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "limit",
                    "next_cursor",
                    "updated_at[gt]",
                    "updated_at[gte]",
                    "updated_at",
                    "truto_key_by",
                    "remote_query[a]",
                    "remote_query[]",
                    "truto_exclude_fields[]",
                    "truto_response_format",
                    "x",
                ]
            ),
            st.text(max_size=9)
            | st.integers(-1, 10**12).map(str)
            | st.datetimes().map(str)
            | st.sampled_from(["1" + "0" * 5000, "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00+23:59"])
            | st.sampled_from(["raw", "normalized", "id", "title", "updated_at", "owner"]),
        ),
        max_size=4,
    )
)
def test_whatever_is_asked_is_a_list_or_a_refusal(params: list[tuple[str, str]]) -> None:
    world = World()
    fill(world, 3)
    reply = world.read("list", query=urlencode(params))
    assert reply.status in (200, 400), reply.body
    assert bool(world.crm.sent) == (reply.status == 200)


SPOILS: list[tuple[str, int, str]] = [
    ("no key", 401, "invalid-api-key"),
    ("own limit", 429, "rate-limited"),
    ("no right", 403, "insufficient-permissions"),
    ("query", 400, "invalid-request"),
    ("account", 404, "not-found"),
    ("the CRM", 502, "crm-unavailable"),
]


@pytest.mark.parametrize("verb", ["list", "get", "delete"])
@pytest.mark.parametrize("first", range(len(SPOILS)))
def test_of_all_the_checks_from_here_on_the_first_answers(verb: Any, first: int) -> None:
    world, query, names = World(), "", [name for name, _, _ in SPOILS[first:]]
    scopes = ["stage.all"] if "no right" in names else ["lead.all"]
    key = world.issue(scopes=scopes, limit=0 if "own limit" in names else 9)
    if "query" in names:
        query = "colour=red"
    if "account" in names:
        world.account = "11111111-2222-3333-4444-555555555555"
    world.crm.turns.extend([refuses_connection()] * 3)
    reply = world.read(verb, "" if verb == "list" else "1", query, key="" if "no key" in names else key)
    _, status, kind = SPOILS[first]
    assert (reply.status, parsed(reply)["type"].rpartition("#")[2]) == (status, kind)
    assert bool(world.crm.sent) == (names == ["the CRM"])


class TestStages:
    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> World:
        found = World()
        found.key = found.issue(["stage.all"])
        rows = (row("id", "id", text, read_only=True), row("name", "title", text))
        told = row("pipeline.id", "pipeline", text)
        for name, table in (("told", Table(STAGE, *rows, told)), ("flat", Table(STAGE, *rows))):
            crm = vendor(name, AcmeDialect(), None)
            monkeypatch.setitem(CRMS, name, replace(crm, resources={"stages": Resource(table, PATH, paging=LIST)}))
        for pipeline in "7878":
            found.crm.store({"title": "Won", "pipeline": pipeline})
        return found

    def test_those_of_one_pipeline_can_be_asked_for(self, world: World) -> None:
        world.connect("told")
        assert listed(world, "pipeline[id]=7", plural="stages") == ["1", "3"]
        assert listed(world, "pipeline[id]=8&limit=1", plural="stages") == ["2", "4"]

    @pytest.mark.parametrize("query", ["pipeline=7", "pipeline[id]=", "pipeline[name]=7", "pipeline[id][]=7"])
    def test_a_pipeline_is_named_by_its_id(self, world: World, query: str) -> None:
        world.connect("told")
        assert faults(world.read("list", query=query, plural="stages")) == ["pipeline"]

    def test_a_crm_that_does_not_tell_their_pipelines_is_said_so(self, world: World) -> None:
        world.connect("flat")
        reply = world.read("list", query="pipeline[id]=7", plural="stages")
        assert faults(reply) == ["pipeline[id]"]
        assert parsed(reply)["type"].endswith("#unsupported-by-crm")
        assert world.crm.sent == []


@pytest.mark.parametrize("verb", ["list", "get", "delete"])
def test_what_a_crm_lacks_is_refused_with_its_reason(verb: Any) -> None:
    world = World("closed")
    reply = world.read(verb, "" if verb == "list" else "1")
    assert reply.status == 400
    assert "keeps leads to itself" in json.loads(reply.body)["detail"]
    assert world.crm.sent == []
