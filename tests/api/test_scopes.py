"""Scopes and roles: the whole table, and what a caller who may not is told."""

import pytest

from switchboard.api import scopes
from switchboard.api.keys import Caller
from switchboard.api.scopes import ACTIONS, RESOURCES, Action, allows, permit
from switchboard.crm.problem import Kind, Problem
from switchboard.ports import Admission
from tests.worlds import World, parsed

# The contract: admin, manager, member, viewer; read = GET and search, write = create, PATCH and actions.
MAY: dict[str, set[str]] = {
    "admin": {"read", "write", "delete"},
    "manager": {"read", "write", "delete"},
    "member": {"read", "write"},
    "viewer": {"read"},
    "": set(),
    "owner": set(),
    "Admin": set(),
}


def caller(role: str, *held: str) -> Caller:
    return Caller(Admission("acme01", "key-1", "user-1", role, frozenset(held), 500, 1), 0)


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("held", ["read", "write", "delete", "all"])
def test_a_caller_may_what_both_scope_and_role_allow(role: str, action: Action, held: str) -> None:
    expected = action in MAY[role] and held in (action, "all")
    assert allows([f"lead.{held}"], role, "lead", action) is expected


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_scope_is_good_for_its_own_resource_only(resource: str) -> None:
    others = [f"{other}.all" for other in RESOURCES if other != resource]
    assert not any(allows(others, "admin", resource, action) for action in ACTIONS)
    assert all(allows([f"{resource}.all"], "admin", resource, action) for action in ACTIONS)


@pytest.mark.parametrize("action", ACTIONS)
def test_without_scopes_nothing_is_allowed(action: Action) -> None:
    assert not allows([], "admin", "lead", action)


@pytest.mark.parametrize("held", ["lead", "lead.", "lead.*", "*", "all", "lead.All", "LEAD.all", "leads.all", ".write"])
def test_what_merely_looks_like_a_scope_opens_nothing(held: str) -> None:
    assert not allows([held], "admin", "lead", "write")
    assert held not in scopes.SCOPES


def test_create_pod_is_the_right_to_write_pods_and_no_more() -> None:
    assert "CreatePod" in scopes.SCOPES
    assert allows(["CreatePod"], "member", "pod", "write")
    assert not allows(["CreatePod"], "member", "pod", "read")
    assert not allows(["CreatePod"], "admin", "pod", "delete")
    assert not allows(["CreatePod"], "viewer", "pod", "write")
    assert not allows(["CreatePod"], "admin", "template", "write")


def test_every_resource_of_the_contract_has_its_four_scopes() -> None:
    named = ["contact", "company", "deal", "task", "note", "activity", "lead", "pipeline", "stage", "pod", "template"]
    named += ["user"]  # who owns records is read like them
    assert {f"{name}.{action}" for name in named for action in ("read", "write", "delete", "all")} < scopes.SCOPES
    assert len(scopes.SCOPES) == 12 * 4 + 1


def test_rights_from_several_scopes_add_up() -> None:
    held = ["lead.read", "deal.write"]
    assert allows(held, "admin", "lead", "read")
    assert allows(held, "admin", "deal", "write")
    assert not allows(held, "admin", "lead", "write")


def test_who_lacks_a_scope_is_told_its_name() -> None:
    with pytest.raises(Problem) as raised:
        permit(caller("admin", "lead.read"), "lead", "write")
    assert raised.value.kind is Kind.FORBIDDEN
    assert "lead.write" in raised.value.detail
    assert raised.value.insight["forbidden_error"]["value"] == {"missing_scopes": ["lead.write"]}


def test_who_lacks_the_role_is_told_that_it_is_the_role() -> None:
    with pytest.raises(Problem) as raised:
        permit(caller("viewer", "lead.all"), "lead", "write")
    assert "role" in raised.value.detail
    assert "lacks the scope" not in raised.value.detail


def test_a_caller_who_may_passes() -> None:
    permit(caller("member", "lead.write"), "lead", "write")


def test_the_403_of_the_unified_surface_names_the_missing_scope(world: World) -> None:
    reply = world.post(key=world.issue(["lead.read", "deal.all"]))
    body = parsed(reply)
    assert (reply.status, body["error"]) == (403, "Forbidden")
    assert "lead.write" in body["message"]
    assert body["truto_error_insight"]["forbidden_error"]["value"]["missing_scopes"] == ["lead.write"]
    assert "truto_is_remote_error" not in body
    assert world.crm.sent == []


def test_a_viewer_creates_nothing_whatever_the_key_holds(world: World) -> None:
    assert world.post(key=world.issue(["lead.all"], role="viewer")).status == 403
    assert world.crm.sent == []
