"""What stands around every answer of the records surface: who asks, by which contract, how often, and in which order
that is looked at."""

import json
from itertools import combinations
from typing import Any

import pytest

from switchboard.api.records.envelope import CONTRACTS
from switchboard.api.reply import TYPES
from tests.api.records.conftest import TODAY, Answer, Desk
from tests.worlds import START, TRACE

WRONG: dict[str, tuple[int, dict[str, Any]]] = {
    "key": (401, {"key": "trpt_acme01_nothing"}),
    "limit": (429, {}),
    "version": (400, {"version": None}),
    "scope": (403, {}),
    "body": (422, {"body": {"limit": 0}}),
}
"""What may be wrong with a search, in the order in which it is looked at; and the status that it ends in."""

BOTH = pytest.mark.parametrize("method", ["POST", "GET"])


def asked(desk: Desk, method: str, **how: Any) -> Answer:
    """A search, or one contact that is there."""
    return desk.search(**how) if method == "POST" else desk.get(desk.keep().id, **how)


def wrong(desk: Desk, *names: str) -> Answer:
    """A search with these things wrong."""
    desk.key = desk.issue(
        *(["lead.all"] if "scope" in names else ["contact.read"]), limit=0 if "limit" in names else 500
    )
    how: dict[str, Any] = {}
    for name in names:
        how |= WRONG[name][1]
    return desk.search(**how)


@pytest.mark.parametrize("name", WRONG)
def test_each_fault_alone_has_its_status(desk: Desk, name: str) -> None:
    assert wrong(desk, name).status == WRONG[name][0]


@pytest.mark.parametrize(("first", "second"), [*combinations(WRONG, 2)])
def test_of_two_faults_the_one_that_is_looked_at_first_is_told(desk: Desk, first: str, second: str) -> None:
    assert wrong(desk, first, second).status == WRONG[first][0]


def test_the_store_is_not_looked_at_before_all_is_well(desk: Desk) -> None:
    desk.keep()
    for name in WRONG:
        before = len(desk.world.journal.lines)
        wrong(desk, name)
        assert not {"contacts", "places", "checkpoints", "owners"} & set(desk.world.journal.lines[before:])


# --- the version -----------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("version", [CONTRACTS[0], "2026-06-02", TODAY, "2026-11-22"])
def test_a_caller_gets_the_newest_contract_that_is_no_younger_than_it(desk: Desk, method: str, version: str) -> None:
    found = asked(desk, method, version=version)
    assert found.status == 200
    assert found.headers["version"] == max(each for each in CONTRACTS if each <= version)


@BOTH
@pytest.mark.parametrize("version", [
    None, "", "1", "2026-6-1", "20260601", "2026-06-31", "2026-06-01T00:00:00Z", " 2026-06-01", "v2026-06-01",
    "٢٠٢٦-٠٦-٠١", "2026-W23-1", "0000-00-00", "2026-05-31", "0001-01-01", "2026-11-23", "9999-12-31",
])  # fmt: skip
def test_any_other_version_is_refused(desk: Desk, method: str, version: str | None) -> None:
    found = asked(desk, method, version=version)
    assert found.status == 400
    assert found.faults == [("Version", "invalid_header")]
    assert "version" not in found.headers


def test_before_the_first_contract_all_contracts_are_told(desk: Desk) -> None:
    assert all(each in desk.search(version="2020-01-01").body["detail"] for each in CONTRACTS)


def test_the_day_is_that_of_the_clock(desk: Desk) -> None:
    desk.world.clock.pass_(15 * 3600)  # past midnight, UTC
    assert desk.search(version="2026-11-23").status == 200


def test_a_refusal_by_what_comes_after_tells_the_contract_too(desk: Desk) -> None:
    for name in ("scope", "body"):
        assert wrong(desk, name).headers["version"] == CONTRACTS[-1]
    assert desk.get("con_0").headers["version"] == CONTRACTS[-1]


# --- limits ----------------------------------------------------------------------------------------------------------


@BOTH
def test_every_answer_tells_what_is_left_of_the_limit(desk: Desk, method: str) -> None:
    desk.key = desk.issue(limit=3)
    told = [asked(desk, method).headers for _ in range(4)]
    ends = str((int(START) // 10 + 1) * 10)
    assert [each["x-ratelimit-remaining"] for each in told] == ["2", "1", "0", "0"]
    assert {(each["x-ratelimit-limit"], each["x-ratelimit-reset"]) for each in told} == {("3", ends)}
    assert 0 < int(told[3]["retry-after"]) <= 10


@pytest.mark.parametrize("name", ["version", "scope", "body"])
def test_a_refusal_tells_it_too_and_counts(desk: Desk, name: str) -> None:
    assert wrong(desk, name).headers["x-ratelimit-remaining"] == "499"


def test_the_limit_of_records_is_not_that_of_other_surfaces(desk: Desk) -> None:
    desk.key = desk.issue("contact.read", "lead.all", limit=1)
    assert desk.search().status == 200
    assert desk.world.post(key=desk.key).status == 201


# --- who may ---------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(("scopes", "role", "status"), [
    (("contact.read",), "admin", 200), (("contact.all",), "viewer", 200), (("contact.read",), "member", 200),
    (("contact.read",), "manager", 200), (("contact.write",), "admin", 403), (("contact.delete",), "admin", 403),
    (("lead.all", "company.all"), "admin", 403), (("contact.all",), "stranger", 403),
])  # fmt: skip
def test_scope_and_role_decide_who_may_read(desk: Desk, method: str, scopes: Any, role: str, status: int) -> None:
    assert asked(desk, method, key=desk.issue(*scopes, role=role)).status == status


def test_a_revoked_key_is_refused_as_one_that_never_was(desk: Desk) -> None:
    desk.world.record(desk.key).revoked = True
    revoked, unknown = desk.search(), desk.search(key="trpt_acme01_x")
    assert revoked.status == unknown.status == 401
    assert revoked.reply.body == unknown.reply.body
    assert revoked.headers == unknown.headers


# --- the form of a refusal -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRONG)
def test_a_refusal_is_a_problem_of_rfc_9457_and_nothing_more(desk: Desk, name: str) -> None:
    found = wrong(desk, name)
    assert found.headers["content-type"] == "application/problem+json"
    assert found.body.keys() - {"errors"} == {"type", "title", "status", "detail", "instance", "trace_id"}
    assert found.body["type"].startswith(TYPES)
    assert (found.body["status"], found.body["instance"], found.body["trace_id"]) == (
        found.status, "/v1/contacts/search", TRACE
    )  # fmt: skip


def test_an_answer_is_json_and_carries_its_trace(desk: Desk) -> None:
    found = desk.search()
    assert found.headers["content-type"] == "application/json"
    assert found.reply.event(TRACE)["headers"]["x-trace-id"] == TRACE
    assert json.loads(found.reply.event(TRACE)["body"]) == found.body


def test_the_line_in_the_log_says_whose_call_it_was_and_what_it_cost(desk: Desk) -> None:
    desk.keep()
    call = desk.call("POST", "/v1/contacts/search")
    assert desk.answer(call).status == 200
    assert call.notes.keys() == {"brand", "key_id", "examined"}
    assert call.notes["examined"] == 1
