"""Replies: one Problem, and what the clients of each surface find in it."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from switchboard.api import reply
from switchboard.api.call import Call, Surface
from switchboard.api.reply import PODS_STATUSES, STATUSES, Reply, refusal, result, status_of
from switchboard.crm.problem import Fault, Kind, Outcome, Problem, Remote

PATHS = {
    Surface.UNIFIED: "/unified/crm/leads",
    Surface.PODS: "/v1/pods",
    Surface.RECORDS: "/v1/contacts",
}
SURFACES = pytest.mark.parametrize("surface", Surface)
KINDS = pytest.mark.parametrize("kind", Kind)


def told(problem: Problem, surface: Surface = Surface.UNIFIED) -> tuple[Reply, Any]:
    """The reply to a problem, and its body."""
    found = refusal(Call("POST", PATHS[surface], "", {}, b"", "0123456789abcdef"), problem)
    return found, json.loads(found.body)


def test_every_kind_has_a_status() -> None:
    assert set(STATUSES) == set(Kind)


@KINDS
@SURFACES
def test_every_problem_is_one_of_rfc_9457_on_every_surface(kind: Kind, surface: Surface) -> None:
    found, body = told(Problem(kind, "It went wrong."), surface)
    assert found.headers["content-type"] == "application/problem+json"
    assert body["type"] == reply.TYPES + kind
    own = PODS_STATUSES if surface is Surface.PODS else {}
    assert body["status"] == found.status == own.get(kind, STATUSES[kind])
    assert body["detail"] == "It went wrong."
    assert body["instance"] == PATHS[surface]
    assert body["trace_id"] == "0123456789abcdef"
    assert body["title"]


@KINDS
def test_a_title_is_a_phrase_of_its_own_and_the_same_each_time(kind: Kind) -> None:
    one, other = (told(Problem(kind, detail))[1]["title"] for detail in ("a", "b"))
    assert one == other
    assert one[0].isupper()
    assert "-" not in one


@KINDS
def test_a_title_writes_abbreviations_in_capitals(kind: Kind) -> None:
    words = told(Problem(kind, "x"))[1]["title"].split()
    assert not {word for word in words if word.upper() in ("CRM", "API") and not word.isupper()}


def test_no_two_kinds_share_a_title() -> None:
    assert len({told(Problem(kind, "x"))[1]["title"] for kind in Kind}) == len(Kind)


def test_the_members_of_a_problem_on_the_unified_surface() -> None:
    _, body = told(Problem(Kind.NOT_FOUND, "There is none."))
    assert (body["statusCode"], body["error"], body["message"]) == (404, "Not Found", "There is none.")
    assert not {"truto_is_remote_error", "raw_response", "truto_error_insight", "success"} & set(body)


def test_the_members_of_a_problem_on_the_pods_surface() -> None:
    _, body = told(Problem(Kind.NOT_FOUND, "Brand not found"), Surface.PODS)
    assert (body["success"], body["error"]) == (False, "Brand not found")
    assert not {"statusCode", "message"} & set(body)


def test_the_members_of_a_problem_on_the_records_surface() -> None:
    _, body = told(Problem(Kind.NOT_FOUND, "x"), Surface.RECORDS)
    assert set(body) == {"type", "title", "status", "detail", "instance", "trace_id"}


@SURFACES
def test_every_fault_stands_in_errors(surface: Surface) -> None:
    faults = (Fault("a.b", "required", "is required", "#/a/b"), Fault("limit", "out_of_range", "1 to 100", "limit"))
    _, body = told(Problem(Kind.INVALID, "x", faults=faults), surface)
    assert body["errors"] == [
        {"pointer": "#/a/b", "field": "a.b", "code": "required", "detail": "is required"},
        {"pointer": "limit", "field": "limit", "code": "out_of_range", "detail": "1 to 100"},
    ]


REMOTE = Remote(
    status=422,
    code="invalid",
    message="Email is invalid",
    body={"errors": [{"field": "email"}]},
    headers={"x-request-id": "r-1", "x-acme-limit": "10"},
    request_id="r-1",
    existing_id="77",
)


def test_what_a_crm_said_stands_where_truto_s_clients_look_for_it() -> None:
    found, body = told(
        Problem(Kind.CRM_REJECTED, "It refused.", crm="acme", remote=REMOTE, insight={"remote_error": 1})
    )
    assert (found.status, body["statusCode"], body["error"]) == (422, 422, HTTPStatus(422).phrase)
    assert body["truto_is_remote_error"] is True
    assert body["raw_response"] == REMOTE.body
    assert body["message"] == "Email is invalid"
    assert body["detail"] == "It refused."
    assert body["truto_error_insight"] == {"remote_error": 1}
    assert {"x-request-id": "r-1", "x-acme-limit": "10"}.items() <= found.headers.items()


@SURFACES
def test_what_a_crm_said_is_told_in_our_own_members_everywhere(surface: Surface) -> None:
    _, body = told(Problem(Kind.CRM_CONFLICT, "x", crm="acme", remote=REMOTE), surface)
    assert body["crm"] == "acme"
    assert body["crm_status"] == 422
    assert body["crm_code"] == "invalid"
    assert body["crm_request_id"] == "r-1"
    assert body["existing_id"] == "77"


def test_what_a_crm_did_not_say_is_left_out() -> None:
    _, body = told(Problem(Kind.CRM_REJECTED, "x", remote=Remote(400)))
    assert not {"crm", "crm_code", "crm_request_id", "existing_id"} & set(body)
    assert body["message"] == "x"
    assert body["raw_response"] is None


@KINDS
def test_the_remote_flag_is_for_what_is_the_crms_doing(kind: Kind) -> None:
    _, body = told(Problem(kind, "x"))
    theirs = kind.startswith("crm-") or kind is Kind.NEEDS_REAUTH
    assert ("truto_is_remote_error" in body) is theirs


@pytest.mark.parametrize("surface", [Surface.PODS, Surface.RECORDS])
def test_other_surfaces_do_not_carry_the_vendors_body(surface: Surface) -> None:
    found, body = told(Problem(Kind.CRM_REJECTED, "x", remote=Remote(400, body="vendor's words")), surface)
    assert "raw_response" not in body
    assert b"vendor's words" not in found.body


# --- statuses --------------------------------------------------------------------------------------------------------


def test_a_refusal_of_the_crm_keeps_its_class_of_status() -> None:
    found = {status_of(Problem(Kind.CRM_REJECTED, "x", remote=Remote(status))) // 100 for status in range(400, 500)}
    assert found == {4}


@pytest.mark.parametrize("status", [418, 420, 430, 440, 449, 477, 498, 499, 520, 525, 529, 599])
@pytest.mark.parametrize("kind", [Kind.CRM_REJECTED, Kind.CRM_UNAVAILABLE])
def test_a_status_without_a_registered_name_can_be_answered(kind: Kind, status: int) -> None:
    found, body = told(Problem(kind, "x", remote=Remote(status)))
    assert found.status == body["statusCode"]
    assert isinstance(body["error"], str)


@pytest.mark.parametrize("status", [400, 402, 405, 409, 410, 412, 413, 415, 422, 423])
def test_a_refusal_keeps_its_number_where_nothing_speaks_against_it(status: int) -> None:
    assert status_of(Problem(Kind.CRM_REJECTED, "x", remote=Remote(status))) == status


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429])
def test_a_refusal_never_takes_a_number_that_means_something_of_ours(status: int) -> None:
    assert status_of(Problem(Kind.CRM_REJECTED, "x", remote=Remote(status))) == 400


@pytest.mark.parametrize(
    ("kind", "vendor", "ours"),
    [
        (Kind.CRM_REJECTED, 200, 400),
        (Kind.CRM_REJECTED, 302, 400),
        (Kind.CRM_UNAVAILABLE, 500, 502),
        (Kind.CRM_UNAVAILABLE, 502, 502),
        (Kind.CRM_UNAVAILABLE, 503, 503),
        (Kind.CRM_UNAVAILABLE, 523, 502),
        (Kind.CRM_TIMEOUT, 504, 504),
        (Kind.CRM_TIMEOUT, 408, 504),
        (Kind.CRM_CONFLICT, 400, 409),
        (Kind.CRM_RATE_LIMITED, 403, 429),
        (Kind.CRM_NOT_FOUND, 410, 404),
        (Kind.NEEDS_REAUTH, 403, 401),
    ],
)
def test_a_kind_decides_where_the_vendors_status_does_not_say_it(kind: Kind, vendor: int, ours: int) -> None:
    assert status_of(Problem(kind, "x", remote=Remote(vendor))) == ours


# --- headers ---------------------------------------------------------------------------------------------------------


@SURFACES
@pytest.mark.parametrize("kind", [Kind.RATE_LIMITED, Kind.CRM_RATE_LIMITED])
def test_every_429_says_when_to_come_back(kind: Kind, surface: Surface) -> None:
    found, _ = told(Problem(kind, "x"), surface)
    assert found.status == 429
    assert int(found.headers["retry-after"]) > 0


def test_our_own_wait_is_told_in_seconds() -> None:
    assert told(Problem(Kind.IN_PROGRESS, "x", retry_after=3))[0].headers["retry-after"] == "3"


def test_the_vendors_own_wait_is_passed_on() -> None:
    problem = Problem(Kind.CRM_RATE_LIMITED, "x", remote=Remote(429, headers={"retry-after": "42"}))
    assert told(problem)[0].headers["retry-after"] == "42"


def test_what_a_vendors_policy_says_is_better_than_its_header() -> None:
    problem = Problem(Kind.CRM_RATE_LIMITED, "x", remote=Remote(429, headers={"retry-after": "42"}), retry_after=1)
    assert told(problem)[0].headers["retry-after"] == "1"


@pytest.mark.parametrize("written", ["Sat, 21 Nov 2026 09:31:00 GMT", "soon", "-1", "1.5", ""])
def test_the_wait_of_a_429_is_whole_seconds_also_where_the_vendor_writes_it_otherwise(written: str) -> None:
    problem = Problem(Kind.CRM_RATE_LIMITED, "x", remote=Remote(429, headers={"retry-after": written}))
    assert told(problem)[0].headers["retry-after"].isdecimal()


def test_a_refused_key_is_told_which_scheme_is_asked_for() -> None:
    assert told(Problem(Kind.API_KEY, "x"))[0].headers["www-authenticate"] == "Bearer"


def test_credentials_that_the_crm_refused_are_not_ours_to_ask_for() -> None:
    assert "www-authenticate" not in told(Problem(Kind.NEEDS_REAUTH, "x"))[0].headers


def test_a_result_is_json_as_short_as_it_can_be() -> None:
    found = result(201, {"a": "café", "b": [1, None]}, {"x": "y"})
    assert (found.status, found.body) == (201, '{"a":"café","b":[1,null]}'.encode())
    assert found.headers == {"content-type": "application/json", "x": "y"}


def test_a_reply_is_an_event_of_payload_2() -> None:
    assert result(201, {"a": "é"}).event("abc") == {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "x-trace-id": "abc"},
        "body": '{"a":"é"}',
        "isBase64Encoded": False,
    }


def test_a_problem_tells_nothing_of_itself_but_its_words() -> None:
    problem = Problem(Kind.CRM_TIMEOUT, "x", outcome=Outcome.UNKNOWN)
    problem.__cause__ = RuntimeError("marker-in-the-cause")
    assert b"marker-in-the-cause" not in told(problem)[0].body
