"""Every key may ask what can be done where."""

from dataclasses import replace
from typing import Any

import pytest

from switchboard.api import capabilities
from switchboard.api.call import Call
from switchboard.api.reply import Reply, refusal
from switchboard.crm.catalog import Deletions, Pace, Resource
from switchboard.crm.problem import Problem
from switchboard.models.schema import verbs
from tests.worlds import CRMS, TABLE, TRACE, World, parsed


def ask(world: World, query: str = "", key: str | None = None) -> Reply:
    headers = {"authorization": f"Bearer {world.key if key is None else key}"}
    call = Call("GET", "/unified/crm/capabilities", query, headers, b"", TRACE)
    try:
        return capabilities.walk(call, world.services)
    except Problem as problem:
        return refusal(call, problem)


def test_a_key_is_wanted_and_no_scope(world: World) -> None:
    assert ask(world, key="").status == 401
    reply = ask(world, key=world.issue(scopes=[]))
    assert reply.status == 200
    assert [each["crm"] for each in parsed(reply)["result"]] == sorted(CRMS)
    assert [each["crm"] for each in parsed(ask(world, "crm=acme"))["result"]] == ["acme"]


@pytest.mark.parametrize(("query", "named"), [("crm=nobody", ["crm"]), ("crm[]=acme", ["crm"]), ("limit=5", ["limit"])])
def test_a_wrong_parameter_is_named(world: World, query: str, named: list[str]) -> None:
    reply = ask(world, query)
    assert reply.status == 400
    assert [each["field"] for each in parsed(reply)["errors"]] == named


def test_a_crm_tells_of_each_resource_its_own_methods_and_of_what_a_pod_is_made(world: World) -> None:
    found = {each["crm"]: each for each in parsed(ask(world))["result"]}
    for name, crm in CRMS.items():
        assert found[name]["pods"] == list(crm.pods)
        assert {plural: tuple(told) for plural, told in found[name]["resources"].items()} == {
            plural: verbs(plural) for plural in crm.resources
        }
        assert found[name]["syncs"] == {}
    assert found["acme"]["pods"] == ["leads"]
    assert found["closed"]["pods"] == []


def syncing(deletions: Deletions, pace: Pace, *, changes: bool) -> dict[str, Any]:
    """What is told of the sync of contacts at such a CRM."""
    contacts = Resource(TABLE, "/people", asks_for_changes=changes, deletions=deletions)
    crm = replace(CRMS["brief"], pace=pace, resources={"contacts": contacts})
    return capabilities.of(crm)["syncs"]["contacts"]


def test_a_crm_tells_how_its_contacts_are_synced() -> None:
    assert syncing("listed", Pace(5, 1, 250_000), changes=True) == {
        "changes": "since",
        "deletions": "listed",
        "lag_seconds": CRMS["brief"].dialect.lag,
        "pace": {"calls": 5, "seconds": 1, "daily": 250_000},
        "every_seconds": 300,
        "deletions_every_seconds": 3600,
    }
    assert syncing("listed", Pace(5, 1), changes=False)["changes"] == "all"


@pytest.mark.parametrize(
    ("deletions", "daily", "changes", "every", "looked"),
    [
        ("told", None, True, 300, 300),
        ("swept", None, True, 300, 22 * 3600),
        ("swept", 3_000, True, 900, 22 * 3600),
        ("swept", 500, True, 3600, 22 * 3600),
        ("swept", 200, True, 4 * 3600, 24 * 3600),
        ("listed", 200, True, 4 * 3600, 4 * 3600),
        ("swept", None, False, 300, 300),
        ("swept", 250_000, False, 900, 900),
    ],
)
def test_deletions_are_looked_for_with_changes_and_no_more_often_than_planned(
    deletions: Deletions, daily: int | None, changes: bool, every: int, looked: int
) -> None:
    told = syncing(deletions, Pace(5, 1, daily), changes=changes)
    assert (told["every_seconds"], told["deletions_every_seconds"]) == (every, looked)
