"""The walk of a create: what is checked before what, what is sent, and what is answered."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from switchboard.api.reply import Reply
from switchboard.crm.auth import Basic
from switchboard.crm.complaint import Complaint
from switchboard.crm.wire import Response, dig
from tests.worlds import (
    ACCOUNT,
    CRMS,
    PATH,
    AcmeDialect,
    World,
    answers,
    drops,
    parsed,
    refuses_connection,
    serves,
    times_out,
)

STRANGER = "00000000-0000-4000-8000-000000000000"

# --- the order of checks ---------------------------------------------------------------------------------------------
# contract.md, section 2. Each row: what it is called, how a call comes to fail in it alone, and the answer it gets.

type Spoil = Callable[[World, dict[str, Any]], None]


def no_key(_: World, how: dict[str, Any]) -> None:
    how["key"] = "hello"


def used_up(world: World, how: dict[str, Any]) -> None:
    record = world.record(world.key)
    record.limit = 0
    how.setdefault("key", world.key)


def no_right(world: World, how: dict[str, Any]) -> None:
    world.record(world.key).scopes = frozenset({"lead.read"})


def bad_key(_: World, how: dict[str, Any]) -> None:
    how["idempotency"] = "two words"


def bad_body(_: World, how: dict[str, Any]) -> None:
    how["body"] = {"title": 7}


def no_account(_: World, how: dict[str, Any]) -> None:
    how["query"] = f"integrated_account_id={STRANGER}"


def bad_for_this_crm(_: World, how: dict[str, Any]) -> None:
    how.setdefault("body", {"first_name": "no title"})


def crm_down(world: World, _: dict[str, Any]) -> None:
    world.crm.turns.append(refuses_connection())


LADDER: list[tuple[str, Spoil, int, str]] = [
    ("no key", no_key, 401, "invalid-api-key"),
    ("own limit", used_up, 429, "rate-limited"),
    ("no right", no_right, 403, "insufficient-permissions"),
    ("idempotency key", bad_key, 400, "invalid-request"),
    ("body", bad_body, 400, "invalid-request"),
    ("account", no_account, 404, "not-found"),
    ("fields of this CRM", bad_for_this_crm, 400, "missing-required-field"),
    ("the CRM", crm_down, 502, "crm-unavailable"),
]
STEPS = {name: (spoil, status, kind) for name, spoil, status, kind in LADDER}


def spoiled(*names: str) -> tuple[World, Reply]:
    """The reply to a call that fails in all of these."""
    world, how = World(), dict[str, Any]()
    for name in names:
        STEPS[name][0](world, how)
    return world, world.post(**how)


def assert_is(reply: Reply, name: str) -> None:
    _, status, kind = STEPS[name]
    assert (reply.status, parsed(reply)["type"].rpartition("#")[2]) == (status, kind)


@pytest.mark.parametrize("name", STEPS)
def test_each_check_alone_refuses(name: str) -> None:
    assert_is(spoiled(name)[1], name)


@pytest.mark.parametrize(("first", "second"), list(pairwise(STEPS)))
def test_of_two_neighbouring_checks_the_first_answers(first: str, second: str) -> None:
    assert_is(spoiled(first, second)[1], first)


@pytest.mark.parametrize("first", range(len(LADDER)))
def test_of_all_the_checks_from_here_on_the_first_answers(first: int) -> None:
    names = list(STEPS)[first:]
    assert_is(spoiled(*names)[1], names[0])


@pytest.mark.parametrize("name", list(STEPS)[:-1])
def test_nothing_is_sent_or_claimed_or_unlocked_before_every_local_check_has_passed(name: str) -> None:
    world, _ = spoiled(name)
    assert world.crm.sent == []
    assert not [line for line in world.journal.lines if line.startswith(("claims.", "secrets.", "leases.", "send"))]


@pytest.mark.parametrize("name", list(STEPS)[:5])
def test_no_account_is_looked_up_for_a_call_that_is_wrong_in_itself(name: str) -> None:
    world, _ = spoiled(name)
    assert "access.account" not in world.journal.lines


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"body": b"x" * (1024 * 1024 + 1)}, 413),
        ({"content_type": "text/plain"}, 415),
        ({"body": b"{"}, 400),
        ({"body": b'{"title": "a", "title": "b"}'}, 400),
        ({"body": b"[]"}, 400),
        ({"query": "a=1&a[b]=2"}, 400),
    ],
)
def test_a_body_or_query_that_cannot_be_read_is_refused_after_the_rights_were_checked(
    how: dict[str, Any], status: int
) -> None:
    world = World()
    assert world.post(**how).status == status
    assert world.post(**how, key=world.issue(["lead.read"])).status == 403
    assert world.crm.sent == []


def test_a_warm_create_goes_through_four_ports_and_no_more() -> None:
    world = World()
    world.post()
    world.journal.lines.clear()
    world.post()
    assert world.journal.lines == ["access.admit", "access.account", f"send POST {PATH}"]


# --- the account -----------------------------------------------------------------------------------------------------


def test_an_unknown_account_and_that_of_another_brand_are_the_same_404() -> None:
    world = World()
    theirs = world.connect(id="11111111-1111-4111-8111-111111111111", brand="other1")
    replies = [world.post(query=f"integrated_account_id={id}") for id in (STRANGER, theirs)]
    assert [reply.status for reply in replies] == [404, 404]
    assert replies[0].body == replies[1].body


def test_an_account_of_an_unknown_host_is_refused_before_anything_is_sent() -> None:
    world = World("brief", origin="https://tenant.elsewhere.example")
    reply = world.post()
    assert (reply.status, parsed(reply)["type"].rpartition("#")[2]) == (502, "crm-unavailable")
    assert world.crm.sent == []


# --- what a CRM has not ----------------------------------------------------------------------------------------------


def test_a_crm_without_the_resource_is_refused_with_the_reason_and_the_crms_that_have_it() -> None:
    world = World("closed")
    reply = world.post()
    body = parsed(reply)
    assert (reply.status, body["crm"]) == (400, "closed")
    assert "Closed cannot create leads." in body["message"]
    assert "It keeps leads to itself." in body["message"]
    assert "https://docs.closed.example/leads" in body["message"]
    assert "possible with: Acme, Brief, Linked, Mute." in body["message"]
    assert "truto_is_remote_error" not in body


def test_a_crm_that_lacks_one_method_only_says_why_as_well() -> None:
    message = parsed(World("deaf").post())["message"]
    assert "Deaf cannot create leads. Its leads come from its own forms. See https://docs.deaf.example/leads" in message


@pytest.mark.parametrize("crm", ["deaf", "early"])
def test_a_crm_without_the_method_or_not_built_yet_is_refused_the_same_way(crm: str) -> None:
    world = World(crm)
    body = parsed(world.post())
    assert body["type"].endswith("#unsupported-by-crm")
    assert "possible with: Acme, Brief, Linked, Mute." in body["message"]
    assert world.crm.sent == []


def test_a_required_field_that_is_missing_is_told_as_the_clients_parse_it() -> None:
    body = parsed(World().post({"first_name": "Ada"}))
    assert body["statusCode"] == 400
    assert body["truto_error_insight"]["missing_required_body_fields"]["value"] == ["title"]
    assert body["errors"] == [
        {"pointer": "#/title", "field": "title", "code": "required", "detail": "is required by this CRM"}
    ]


def test_a_choice_of_required_fields_is_told_as_a_rule() -> None:
    body = parsed(World("linked").post({"title": "x"}))
    rules = body["truto_error_insight"]["conditionally_required_body_fields"]["value"]
    assert set(rules) == {"contact.id", "account.id"}
    assert "missing_required_body_fields" not in body["truto_error_insight"]
    assert World("linked").post({"title": "x", "account": {"id": "9"}}).status == 201


@pytest.mark.parametrize("title", ["", None])
def test_a_required_field_that_is_empty_is_missing(title: str | None) -> None:
    assert parsed(World().post({"title": title}))["type"].endswith("#missing-required-field")


def test_a_required_field_may_come_in_remote_data() -> None:
    world = World()
    assert world.post({"remote_data": {"title": "from below"}}).status == 201
    assert world.crm.sent[0].request.json == {"title": "from below"}


# --- fields without a place ------------------------------------------------------------------------------------------

HOMELESS = {
    "title": "x",
    "industry": "tea",
    "website": "w",
    "email_addresses": [{"email": "a"}, {"email": "b", "type": "car"}],
}


def test_a_field_that_the_crm_has_no_place_for_is_not_sent_and_is_named_in_a_header() -> None:
    world = World()
    reply = world.post(HOMELESS)
    assert reply.status == 201
    assert reply.headers["switchboard-ignored-fields"] == "industry, website, email_addresses[1]"
    assert world.crm.sent[0].request.json == {"title": "x", "email": "a"}


def test_without_such_a_field_there_is_no_header() -> None:
    assert "switchboard-ignored-fields" not in World().post().headers


def test_who_asks_for_strictness_is_refused_instead() -> None:
    world = World()
    reply = world.post(HOMELESS, prefer="handling=strict")
    body = parsed(reply)
    assert reply.status == 400
    assert [fault["field"] for fault in body["errors"]] == ["industry", "website", "email_addresses[1]"]
    assert "truto_is_remote_error" not in body
    assert world.crm.sent == []


def test_the_faults_of_a_strict_refusal_point_at_their_places_in_the_body() -> None:
    body = parsed(World().post(HOMELESS, prefer="handling=strict"))
    assert [fault["pointer"] for fault in body["errors"]] == ["#/industry", "#/website", "#/email_addresses/1"]


def test_strictness_takes_what_has_a_place() -> None:
    assert World().post(prefer="handling=strict").status == 201


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_remote_data_is_laid_over_the_mapped_body_and_wins() -> None:
    world = World()
    world.post({"title": "ours", "custom_fields": {"c_tags": [1, 2], "c_deep": {"a": 1, "b": {"c": 1}}},
                "remote_data": {"title": "theirs", "c_tags": [3], "c_deep": {"b": {"d": 2}}, "new": None}})  # fmt: skip
    assert world.crm.sent[0].request.json == {
        "title": "theirs",
        "c_tags": [3],
        "c_deep": {"a": 1, "b": {"c": 1, "d": 2}},
        "new": None,
    }


def test_remote_data_never_touches_credentials_path_host_or_account() -> None:
    world = World()
    hostile = {
        "authorization": "Bearer stolen",
        "headers": {"authorization": "Bearer stolen"},
        "path": "/elsewhere",
        "to": "token",
        "origin": "https://evil.example",
        "integrated_account_id": STRANGER,
        "method": "DELETE",
    }
    world.post({"title": "x", "remote_data": hostile})
    [sent] = world.crm.sent
    assert (sent.line, sent.origin, sent.bearer) == (f"POST {PATH}", "https://api.acme.example", "vendor-key")
    assert sent.request.to == "api"
    assert sent.request.json == {"title": "x", **hostile}


def test_a_remote_query_is_passed_to_the_crm() -> None:
    world = World()
    world.post(query=f"integrated_account_id={ACCOUNT}&remote_query[dry]=1&remote_query[a][b]=c%20d")
    assert world.crm.sent[0].request.passed == (("dry", "1"), ("a[b]", "c d"))


def test_none_of_our_own_parameters_reaches_the_crm() -> None:
    world = World()
    world.post(query=f"integrated_account_id={ACCOUNT}&truto_response_format=raw&truto_exclude_fields=id&limit=3")
    assert world.crm.sent[0].request.query == {}


def test_neither_the_key_of_the_caller_nor_its_headers_reach_the_crm() -> None:
    world = World()
    world.post(idempotency="abc", x_custom="y")
    shown = repr(world.crm.sent)
    assert world.key not in shown
    assert set(world.crm.sent[0].request.headers) == {"authorization"}


# --- what is answered ------------------------------------------------------------------------------------------------


def test_a_create_answers_201_with_the_record_of_the_crm() -> None:
    reply = World().post({"title": "A lead", "owner": {"id": "3"}})
    assert reply.status == 201
    assert reply.headers["content-type"] == "application/json"
    assert parsed(reply) == {
        "id": "1",
        "owner": {"id": "3"},
        "title": "A lead",
        "created_at": "2026-11-21T09:30:00Z",
        "updated_at": "2026-11-21T09:30:00Z",
        "remote_data": {
            "title": "A lead",
            "owner_id": "3",
            "id": "1",
            "created": "2026-11-21T09:30:00Z",
            "updated": "2026-11-21T09:30:00Z",
        },
    }


def test_fields_come_from_the_crm_and_never_from_the_request() -> None:
    world = World()
    world.crm.turns.append(answers(201, {"id": 7, "title": "as the CRM keeps it"}))
    found = parsed(world.post({"title": "as asked", "first_name": "Ada"}))
    assert found == {
        "id": "7",
        "title": "as the CRM keeps it",
        "remote_data": {"id": 7, "title": "as the CRM keeps it"},
    }


def test_raw_is_the_vendors_body_as_it_came() -> None:
    world = World()
    body = {"z": 1, "a": [None, True, "é"], "id": 7}
    world.crm.turns.append(answers(201, body))
    reply = world.post(query=f"integrated_account_id={ACCOUNT}&truto_response_format=raw")
    assert reply.body == '{"z":1,"a":[null,true,"é"],"id":7}'.encode()


def test_raw_asks_for_nothing_more_than_the_create() -> None:
    world = World("brief")
    world.post(query=f"integrated_account_id={ACCOUNT}&truto_response_format=raw")
    assert world.crm.lines == [f"POST {PATH}"]


def test_a_create_that_answers_only_an_id_is_read_back_by_that_id() -> None:
    world = World("brief")
    world.crm.turns.append(lambda crm, request: answers(201, {"id": crm.store(request.json)["id"]})(crm, request))
    found = parsed(world.post())
    assert world.crm.lines == [f"POST {PATH}", f"GET {PATH}/1"]
    assert (found["id"], found["title"]) == ("1", "A lead")
    assert found["urls"] == [{"url": "https://tenant.brief.example/show/1", "type": "record"}]


@pytest.mark.parametrize(
    "look",
    [
        answers(500, {"message": "x"}),
        answers(404, {}),
        answers(403, {}),
        answers(401, {}),
        answers(200, "<html>", readable=False),
        answers(200, {}),
        answers(200, None),
        refuses_connection(),
        drops(stored=False),
        times_out(),
    ],
    ids=["500", "404", "403", "401", "html", "empty object", "nothing", "no connection", "dropped", "time-out"],
)
def test_a_record_that_cannot_be_read_back_is_made_all_the_same_and_its_id_is_told(look: Any) -> None:
    world = World("brief")
    world.crm.turns += [answers(201, {"id": "77"}), look]
    reply = world.post(idempotency="k")
    assert reply.status == 201
    assert parsed(reply)["id"] == "77"
    assert world.claims.only.state == "settled"


RATE = {"x-acme-limit": "110", "x-acme-remaining": "109", "x-acme-reset": "10"}


def test_the_vendors_limit_is_told_in_seconds() -> None:
    world = World()
    world.crm.turns.append(serves(RATE))
    headers = world.post().headers
    assert headers["ratelimit-limit"] == "110"
    assert headers["ratelimit-remaining"] == "109"
    assert headers["ratelimit-reset"] == "10"


def test_where_the_vendor_is_silent_so_are_we() -> None:
    world = World()
    assert not [name for name in world.post().headers if "ratelimit" in name]


def test_our_own_limit_is_never_in_the_headers_of_the_unified_surface() -> None:
    world = World()
    world.crm.turns.append(serves(RATE))
    assert not [name for name in world.post().headers if name.startswith("x-ratelimit")]
    assert not [name for name in world.post(key=world.issue(limit=0)).headers if "ratelimit" in name]


def test_headers_of_the_vendor_are_passed_on_from_a_list_and_no_others() -> None:
    world = World()
    told = RATE | {
        "x-request-id": "r-1",
        "set-cookie": "a=b",
        "authorization": "x",
        "server": "y",
        "content-length": "3",
    }
    world.crm.turns.append(serves(told))
    headers = world.post().headers
    assert set(headers) == {*RATE, "x-request-id", "content-type", "ratelimit-limit", "ratelimit-remaining",
                            "ratelimit-reset"}  # fmt: skip


# --- what a CRM refuses ----------------------------------------------------------------------------------------------

REFUSALS: list[tuple[int, Any, int, str]] = [
    (400, {"message": "bad"}, 400, "crm-rejected"),
    (422, {"message": "bad"}, 422, "crm-rejected"),
    (402, {"message": "pay"}, 402, "crm-rejected"),
    (477, {"message": "moving"}, 477, "crm-rejected"),
    (403, {"message": "no"}, 403, "crm-forbidden"),
    (404, {"message": "gone"}, 404, "crm-not-found"),
    (409, {"message": "twice"}, 409, "crm-conflict"),
    (429, {"message": "slow"}, 429, "crm-rate-limited"),
    (400, {"code": "quota", "message": "slow"}, 429, "crm-rate-limited"),
    (401, {"message": "who"}, 401, "needs-reauth"),
    (403, {"code": "dead_token"}, 401, "needs-reauth"),
]


@pytest.mark.parametrize(("status", "told", "ours", "kind"), REFUSALS)
def test_a_refusal_of_the_crm_keeps_its_class_and_its_words(status: int, told: Any, ours: int, kind: str) -> None:
    world = World()
    world.crm.turns.append(answers(status, told, {"x-request-id": "r-9", "set-cookie": "no"}))
    reply = world.post()
    body = parsed(reply)
    assert (reply.status, body["type"].rpartition("#")[2]) == (ours, kind)
    assert body["truto_is_remote_error"] is True
    assert body["raw_response"] == told
    assert (body["crm"], body["crm_status"], body["crm_request_id"]) == ("acme", status, "r-9")
    assert reply.headers["x-request-id"] == "r-9"
    assert "set-cookie" not in reply.headers


def test_what_the_crm_said_besides_is_told_too() -> None:
    world = World()
    told = {"code": "dup", "message": "Twice", "existing": "55", "fields": [{"field": "title"}]}
    world.crm.turns.append(answers(409, told))
    body = parsed(world.post())
    assert (body["message"], body["crm_code"], body["existing_id"]) == ("Twice", "dup", "55")
    assert body["errors"][0]["field"] == "title"


def test_a_refusal_as_text_is_passed_on_as_text() -> None:
    world = World()
    world.crm.turns.append(answers(400, "<h1>No</h1>", readable=False))
    body = parsed(world.post())
    assert body["raw_response"] == "<h1>No</h1>"


def test_scopes_that_the_account_lacks_at_the_crm_are_named() -> None:
    world = World()
    world.crm.turns.append(answers(403, {"message": "no", "scopes": ["crm.write"]}))
    insight = parsed(world.post())["truto_error_insight"]
    assert insight["forbidden_error"]["value"] == {"missing_scopes": ["crm.write"]}
    assert world.status == "active"


@pytest.mark.parametrize(
    ("told", "headers", "wait"),
    [({"wait": 7}, {}, "7"), ({}, {"retry-after": "30"}, "30"), ({"wait": 7}, {"retry-after": "30"}, "7")],
)
def test_a_throttled_call_is_told_the_vendors_own_wait(told: Any, headers: Mapping[str, str], wait: str) -> None:
    world = World()
    world.crm.turns.append(answers(429, told, headers))
    reply = world.post()
    assert (reply.status, reply.headers["retry-after"]) == (429, wait)
    assert "rate_limit_error" in parsed(reply)["truto_error_insight"]


def test_a_throttled_call_without_a_wait_gets_one() -> None:
    world = World()
    world.crm.turns.append(answers(429, {}))
    assert int(world.post().headers["retry-after"]) > 0


SILENT = [
    *(answers(status) for status in (408, 500, 502, 503, 504)),
    answers(201, {}),
    answers(201, "<html>", readable=False),
    drops(stored=False),
    times_out(),
]


@pytest.mark.parametrize("turn", SILENT)
def test_a_create_whose_fate_the_crm_does_not_tell_is_504_outcome_unknown(turn: Any) -> None:
    world = World()
    world.crm.turns.append(turn)
    reply = world.post()
    assert (reply.status, parsed(reply)["type"].rpartition("#")[2]) == (504, "outcome-unknown")


def test_a_connection_that_was_refused_is_502_because_nothing_was_sent() -> None:
    world = World()
    world.crm.turns.append(refuses_connection())
    reply = world.post()
    assert (reply.status, parsed(reply)["type"].rpartition("#")[2]) == (502, "crm-unavailable")


def test_no_secret_is_in_any_reply_whatever_the_crm_repeats() -> None:
    secrets = {"access_token": "marker-access", "refresh_token": "marker-refresh"}
    for status in (400, 401, 403, 404, 409, 422, 429, 500, 503):
        world = World(credentials=secrets)
        told = {"message": "You sent marker-access", "echo": ["Bearer marker-access", {"r": "marker-refresh"}]}
        world.crm.turns += [answers(status, told)] * 2
        world.crm.token_turns.append(
            answers(400, {"error": "invalid_grant", "sent": "marker-refresh our-client-secret"})
        )
        reply = world.post()
        shown = reply.body.decode() + str(dict(reply.headers))
        assert "marker-" not in shown
        assert "our-client-secret" not in shown
        assert world.key not in shown


@pytest.mark.parametrize(
    ("status", "body", "readable"),
    [
        (400, {"message": "Basic YWRhOm1hcmtlci1rZXk= is no good"}, True),
        (500, ["YWRhOm1hcmtlci1rZXk="], True),
        (200, "<html>You sent marker-key</html>", False),
        (200, {"status": "error", "sent": "marker-key"}, True),
    ],
)
def test_no_secret_is_in_a_reply_as_it_stood_in_the_header_or_beside_a_200(
    monkeypatch: pytest.MonkeyPatch, status: int, body: Any, readable: bool
) -> None:
    class Odd(AcmeDialect):
        def complaint(self, response: Response) -> Complaint | None:
            return Complaint(message="odd") if dig(response.body, "status") == "error" else super().complaint(response)

    odd = replace(CRMS["acme"], auth={"api_key": Basic("username", "api_key")}, dialect=Odd())
    monkeypatch.setitem(CRMS, "acme", odd)
    world = World(credentials={"username": "ada", "api_key": "marker-key"})
    world.crm.turns.append(answers(status, body, readable=readable))
    reply = world.read("get", "1")
    assert reply.status >= 400
    shown = reply.body.decode() + str(dict(reply.headers))
    assert "raw_response" in shown
    assert "marker-" not in shown
    assert "YWRhOm1hcmtlci1rZXk=" not in shown


def test_the_test_crms_are_all_there() -> None:
    assert set(CRMS) == {"acme", "brief", "closed", "deaf", "early", "linked", "mute"}
