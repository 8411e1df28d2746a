"""`make faults`: twelve things that go wrong, at every CRM; with a key, without one, and with a client that won't wait.

Prints what the caller was told, and ends with how many cells went otherwise than they should.
"""

import json
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from functions.create_lead.app import handler
from switchboard.admin import Admin
from switchboard.api import once
from switchboard.crm import registry
from switchboard.crm.auth import OAuth2
from tests.local import inside
from tests.local.inside import Invocation
from tests.local.stack import Stack
from tests.local.tenant import SAMPLES, Tenant, connect, operator

SECONDS = 4.0
"""What the function has at first; the deadline of the CRM lies below."""
LONG = 25.0
"""What it has when it is asked again."""


@dataclass(frozen=True)
class Case:
    """A fault, and what the caller is told first. Some faults are mended on the way: then it is the lead."""

    status: int
    type: str = ""
    crm_status: int | None = None
    given: Mapping[str, Any] | None = None


FAULTS: Mapping[str, Case] = {
    "refused": Case(201, given={"seconds": 0.3}),
    "dropped_before": Case(504, "outcome-unknown"),
    "dropped_after": Case(504, "outcome-unknown"),
    "stalled": Case(504, "outcome-unknown", given={"seconds": SECONDS}),
    "rate_limited": Case(429, "crm-rate-limited", given={"wait": 2}),
    "rate_limited_silent": Case(429, "crm-rate-limited"),
    "server_error": Case(504, "outcome-unknown", 500),
    "bad_gateway_html": Case(504, "outcome-unknown", 502),
    "truncated_json": Case(504, "outcome-unknown"),
    "revoked_token": Case(201),
    "missing_scope": Case(403, "crm-forbidden", 403),
    "duplicate": Case(409, "crm-conflict"),
}

REVOKED_KEY = Case(401, "needs-reauth")
"""An API key that is refused cannot be renewed: the account has to be connected again."""

TYPES = {201: "", 401: "needs-reauth", 403: "crm-forbidden", 409: "crm-conflict", 429: "crm-rate-limited"}

REFUSALS = (401, 403, 409)
"""What may be a client's last word: the CRM refused, and nothing was made."""


@dataclass(frozen=True)
class Client:
    """A way to call: with a key or without, and what is sent again."""

    key: str | None
    again: tuple[int, ...]


CLIENTS: Mapping[str, Client] = {
    "keyed": Client("one-key", (429, 502, 503, 504)),
    "unkeyed": Client(None, (429, 502, 503, 504)),
    "impatient": Client(None, (409, 429, 502, 503, 504)),
}
"""`impatient`: known clients send these again at once, without a key."""


@dataclass(frozen=True)
class Cell:
    """One fault at one CRM with one client: what was told first and last, and what went otherwise than it should."""

    crm: str
    fault: str
    client: str
    told: str
    wrong: str | None = None
    skipped: str | None = None


def expected(crm: str, fault: str) -> Case:
    """What is told first of a fault at this CRM."""
    sample = SAMPLES[crm]
    if fault in sample.refusals:
        status, _ = sample.refusals[fault]
        return Case(status, TYPES[status], given=FAULTS[fault].given)
    keyed = not isinstance(next(each for each in registry.load(crm).auth.values()), OAuth2)
    if fault == "revoked_token" and (keyed or sample.kind == "api_key"):
        return REVOKED_KEY
    return FAULTS[fault]


def cell(tenant: Tenant, crm: str, fault: str, client: str) -> Cell:
    """Let it go wrong once."""
    vendor, case, way = tenant.vendors[crm], expected(crm, fault), CLIENTS[client]
    if fault == "duplicate" and vendor.sample.duplicates:
        return Cell(crm, fault, client, "", skipped=vendor.sample.duplicates)
    account = connect(tenant.admin, tenant.brand, crm, vendor)
    event = tenant.with_accounts(**{crm: account}).event(crm, tenant.lead(crm), way.key)
    held = vendor.leads
    vendor.fault(fault, **(case.given or {}))
    try:
        first, last = exchange(lambda seconds: handler(event, Invocation(seconds)), way)
    finally:
        vendor.control("DELETE", "faults")
    planted = fault == "duplicate" and vendor.sample.unique is not None  # by the fault: the record in the way
    made = vendor.leads - held - planted
    told = f"{first['statusCode']}" if first is last else f"{first['statusCode']} then {last['statusCode']}"
    return Cell(crm, fault, client, f"{told}, {made} made", "; ".join(wrongs(case, first, last, made)) or None)


def wrongs(case: Case, first: Any, last: Any, made: int) -> Iterator[str]:
    """What went otherwise than it should."""
    body, final = json.loads(first["body"]), json.loads(last["body"])
    if first["statusCode"] != case.status:
        yield f"{case.status} was expected first, {first['body'][:300]} was told"
    kind = body.get("type", "").rpartition("#")[2]
    if kind != case.type:
        yield f"{case.type or 'no problem'} was expected, {kind or 'none'} was told"
    if case.crm_status and body.get("crm_status") != case.crm_status:
        yield f"the CRM's status is {body.get('crm_status')}, not {case.crm_status}"
    if case.type and case.type != "outcome-unknown" and not body.get("truto_is_remote_error"):
        yield "truto_is_remote_error is missing"
    if first["statusCode"] == 429 and int(first["headers"].get("retry-after", 0)) < 1:
        yield "a 429 without Retry-After"
    if case.type == "crm-conflict" and not body.get("existing_id"):
        yield "the record in the way is not named"
    if last["statusCode"] == 201:
        if made != 1:
            yield f"{made} leads were made"
        if not final.get("id"):
            yield "the lead has no id"
    elif last["statusCode"] not in REFUSALS:
        yield f"the last word is {last['body'][:300]}"
    elif made:
        yield f"{made} leads were made of a refused create"


def exchange(call: Callable[[float], dict[str, Any]], client: Client) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first answer, and the last that a client gets who sends it again as often as three times."""
    first = last = call(SECONDS)
    for _ in range(3):
        if last["statusCode"] not in client.again:
            break
        last = call(LONG)
    return first, last


@contextmanager
def hurried() -> Generator[None]:
    """The same rules with shorter waits: for how long a CRM's "no" is not believed, and how far its lists lag."""
    dialects = {type(registry.load(name).dialect) for name in registry.NAMES}
    before, lags = once.BROKEN_SECONDS, {each: each.lag for each in dialects}
    once.BROKEN_SECONDS = 0.5
    for each in dialects:
        each.lag = min(each.lag, 1)
    try:
        yield
    finally:
        once.BROKEN_SECONDS = before
        for each, lag in lags.items():
            each.lag = lag


def grid(stack: Stack, admin: Admin) -> list[Cell]:
    """Every cell. The CRMs go side by side, the cells of one CRM after each other. This process is the function."""
    tenant = Tenant.on(stack, admin)

    def column(crm: str) -> list[Cell]:
        return [cell(tenant, crm, fault, client) for fault in FAULTS for client in CLIENTS]

    with inside.process(stack), hurried(), ThreadPoolExecutor(len(SAMPLES)) as pool:
        columns = list(pool.map(column, SAMPLES))
    tenant.client.close()
    return [each for found in columns for each in found]


def table(cells: list[Cell]) -> Iterator[str]:
    """The cells as lines: a CRM and a fault, and what each client was told."""
    width = max(len(each.told) for each in cells) + 2
    yield f"{'':<16}{'':<22}" + "".join(f"{client:<{width}}" for client in CLIENTS)
    by_name = {(each.crm, each.fault, each.client): each for each in cells}
    for crm in SAMPLES:
        for fault in FAULTS:
            row = [by_name[crm, fault, client] for client in CLIENTS]
            shown = "".join(f"{each.told or '-':<{width}}" for each in row)
            yield f"{crm:<16}{fault:<22}{shown}{row[0].skipped or ''}".rstrip()
            yield from (f"  WRONG {each.client}: {each.wrong}" for each in row if each.wrong)


def main() -> int:
    """Print the grid; the exit status is 0 when no cell is wrong."""
    with Stack() as stack:
        cells = grid(stack, operator(stack))
    print("\n".join(table(cells)))
    wrong, run = [each for each in cells if each.wrong], [each for each in cells if not each.skipped]
    skipped = len(cells) - len(run)
    print(f"\n{skipped} cells do not apply: a create there never meets a record in its way.")
    print(f"faults: {len(run)} cells, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
