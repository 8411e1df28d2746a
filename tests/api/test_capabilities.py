"""Every key may ask what can be done where."""

import pytest

from switchboard.api import capabilities
from switchboard.api.call import Call
from switchboard.api.reply import Reply, refusal
from switchboard.crm.problem import Problem
from switchboard.models.schema import verbs
from tests.worlds import CRMS, TRACE, World, parsed


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
    assert found["acme"]["pods"] == ["leads"]
    assert found["closed"]["pods"] == []
