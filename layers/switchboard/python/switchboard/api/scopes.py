"""What a caller may do: the scopes of its key, cut by the role of the user behind it."""

from collections.abc import Iterable
from typing import Literal

from switchboard.api.keys import Caller
from switchboard.crm.problem import Kind, Problem

type Action = Literal["read", "write", "delete"]

RESOURCES = (
    "contact", "company", "deal", "task", "note", "activity", "lead", "pipeline", "stage", "user", "pod", "template",
)  # fmt: skip
ACTIONS: tuple[Action, ...] = ("read", "write", "delete")

ROLES: dict[str, tuple[Action, ...]] = {
    "admin": ("read", "write", "delete"),
    "manager": ("read", "write", "delete"),
    "member": ("read", "write"),
    "viewer": ("read",),
}
"""What a role may do, with whatever the key's scopes name."""

ALIASES = {"CreatePod": "pod.write"}

SCOPES = frozenset({f"{resource}.{action}" for resource in RESOURCES for action in (*ACTIONS, "all")} | ALIASES.keys())
"""Every scope that a key may hold."""


def allows(scopes: Iterable[str], role: str, resource: str, action: Action) -> bool:
    """Whether these scopes, in this role, allow an action on a resource."""
    held = {ALIASES.get(scope, scope) for scope in scopes}
    return action in ROLES.get(role, ()) and not held.isdisjoint({f"{resource}.{action}", f"{resource}.all"})


def permit(caller: Caller, resource: str, action: Action) -> None:
    """Raise `insufficient-permissions` unless scope and role both allow it."""
    admission = caller.admission
    if allows(admission.scopes, admission.role, resource, action):
        return
    if allows(admission.scopes, "admin", resource, action):
        detail = f"The role of the user behind this API key does not allow {resource}.{action}."
        raise Problem(Kind.FORBIDDEN, detail, insight={"forbidden_error": {"description": detail}})
    detail = f"This API key lacks the scope {resource}.{action}."
    lacking = {"missing_scopes": [f"{resource}.{action}"]}
    raise Problem(Kind.FORBIDDEN, detail, insight={"forbidden_error": {"description": detail, "value": lacking}})
