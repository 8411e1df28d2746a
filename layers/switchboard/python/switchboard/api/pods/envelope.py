"""What every answer of the pods surface has around it: who may ask, how much of the limit is left, and `success`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from switchboard.api import door, scopes
from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.reply import Reply, result
from switchboard.api.scopes import Action
from switchboard.crm.codecs import rfc3339
from switchboard.crm.problem import Fault, Kind, Problem, pointed, pointer
from switchboard.ports import Deadline, Services
from switchboard.talks.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Means:
    """What a call that reaches a CRM is answered with."""

    services: Services
    tokens: Tokens
    deadline: Deadline


INSUFFICIENT = "Insufficient permissions"


def answered(call: Call, services: Services, resource: str, action: Action, work: Callable[[Caller], Reply]) -> Reply:
    """The reply to a caller who may do this. Whatever it is, it tells what is left of the caller's own limit."""
    caller = door.known(call, services)
    try:
        permit(caller, resource, action)
        reply = work(caller)
    except Problem as problem:
        problem.headers |= caller.limits
        raise
    return replace(reply, headers={**reply.headers, **caller.limits})


def permit(caller: Caller, resource: str, action: Action) -> None:
    """Raise `insufficient-permissions`, in this surface's own words, unless scope and role allow it."""
    try:
        scopes.permit(caller, resource, action)
    except Problem as problem:
        problem.told = INSUFFICIENT
        raise


def success(data: Any, headers: Mapping[str, str] | None = None, **beside: Any) -> Reply:
    """200, and what was asked for."""
    return result(200, {"success": True, "data": data, **beside}, headers)


def absent(what: str) -> Problem:
    """There is none of that in this brand; another brand's is not told apart from none at all."""
    return Problem(Kind.NOT_FOUND, f"{what} not found")


def fault(name: str, code: str, detail: str) -> Fault:
    """A fault of one field of the body."""
    return Fault(name, code, detail, pointed(name) if name else pointer())


def strangers(body: Mapping[str, Any], known: tuple[str, ...]) -> list[Fault]:
    """Fields that are none of this request's."""
    return [Fault(name, "unknown_field", "is not a field here", pointer(name)) for name in body if name not in known]


def text(body: Mapping[str, Any], name: str, faults: list[Fault], *, required: bool = True, most: int = 255) -> str:
    """A text of the body; an empty one counts as none."""
    value = body.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        if required:
            faults.append(fault(name, "required", "is required"))
        return ""
    if not isinstance(value, str):
        faults.append(fault(name, "wrong_type", f"has to be a string, not {_kind(value)}"))
        return ""
    if len(value) > most:
        faults.append(fault(name, "too_long", f"has more than {most} characters"))
        return ""
    return value


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case list():
            return "an array"
        case _:
            return "an object"


def moment(seconds: int) -> str:
    """A moment as answers tell it."""
    return rfc3339(datetime.fromtimestamp(seconds, UTC))


def version(call: Call) -> int | None:
    """The version that a caller wants to change, by `If-Match`; None where any is good."""
    if "if-match" not in call.headers or (given := call.headers["if-match"].strip().strip('"')) == "*":
        return None
    if not given.isascii() or not given.isdecimal() or len(given) > 9:
        raise changed()
    return int(given)


def changed() -> Problem:
    """It no longer stands as the caller saw it."""
    return Problem(Kind.PRECONDITION, "It was changed by somebody else in the meantime; read it again.")
