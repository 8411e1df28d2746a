"""What every answer of the records surface has around it: the contract that the caller was written for, who may ask,
and how much of the limit is left."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from switchboard.api import door, scopes
from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.reply import Reply
from switchboard.api.scopes import Action
from switchboard.crm.problem import Fault, Kind, Problem
from switchboard.ports import Services

CONTRACTS = ("2026-06-01",)
"""Dates of the contracts, oldest first. A caller gets the newest that is no younger than its `Version`."""

FORM = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def answered(call: Call, services: Services, resource: str, action: Action, work: Callable[[Caller], Reply]) -> Reply:
    """The reply to a caller who may do this."""
    caller = door.known(call, services)
    headers = caller.limits
    try:
        headers["version"] = contract(call.headers.get("version"), services.clock.now())
        scopes.permit(caller, resource, action)
        reply = _worked(work, caller)
    except Problem as problem:
        problem.headers |= headers
        raise
    return replace(reply, headers={**reply.headers, **headers})


def _worked(work: Callable[[Caller], Reply], caller: Caller) -> Reply:
    """What is wrong with a body is 422 here."""
    try:
        return work(caller)
    except Problem as problem:
        if problem.kind is Kind.INVALID:
            problem.kind = Kind.VALIDATION
        raise


def contract(given: str | None, now: float) -> str:
    """The contract for a caller of this `Version`. Raises `invalid-request` where the header names none."""
    if given is None:
        raise _no_version("is required: the day on which you integrated, as YYYY-MM-DD")
    try:
        wanted = date.fromisoformat(given) if FORM.fullmatch(given) else None
    except ValueError:
        wanted = None
    if wanted is None:
        raise _no_version("has to be a day, as YYYY-MM-DD")
    tomorrow = datetime.fromtimestamp(now, UTC).date() + timedelta(days=1)
    if wanted > tomorrow:
        raise _no_version("is a day in the future")
    found = [each for each in CONTRACTS if date.fromisoformat(each) <= wanted]
    if not found:
        raise _no_version(f"is before the first contract; there are: {', '.join(CONTRACTS)}")
    return found[-1]


def _no_version(detail: str) -> Problem:
    fault = Fault("Version", "invalid_header", detail, "Version")
    return Problem(Kind.INVALID, f"The header Version {detail}.", faults=(fault,))
