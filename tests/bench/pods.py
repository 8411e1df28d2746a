"""Pods: what a view and a making cost, against the least that they could."""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from functions.create_pod.app import handler as create_pod
from functions.view_pod.app import handler as view_pod
from switchboard import app
from switchboard.api.reply import Reply
from switchboard.crm import registry
from tests.bench.costs import Meter
from tests.local.inside import Invocation
from tests.local.tenant import Tenant

ROUNDS = 200
ROOM = "deal-room"
DEALS = {"hubspot": "deals", "pipedrive": "deals", "salesforce": "Opportunity"}


def event(method: str, path: str, key: str = "", body: Any = None) -> dict[str, Any]:
    """What API Gateway hands over."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}", "accept-encoding": "identity"}
    http = {"method": method, "path": path}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": http, "domainName": "api.example.com"},
        "body": json.dumps(body) if body is not None else "",
        "isBase64Encoded": False,
    }


def made(tenant: Tenant, crm: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """A pod by the handler; anything else ends the benchmark."""
    order = {"crm_type": crm, "crm_object": DEALS[crm], "crm_id": ids["deals"], "template_id": ROOM}
    answer = create_pod(event("POST", "/v1/pods", tenant.key.secret, order), Invocation())
    if answer["statusCode"] != 200:
        raise RuntimeError(answer["body"])
    return json.loads(answer["body"])["data"]


def views(tenant: Tenant) -> Iterator[tuple[str, ...]]:
    """Rows: a live view; the read of a table that is in it; a static file of the same size by the same handler."""
    pod = made(tenant, "hubspot", tenant.story("hubspot"))
    asked = event("GET", f"/pods/{pod['id']}/live")
    page = view_pod(asked, Invocation())
    assert page["statusCode"] == 200, page
    with TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(page["body"])
        headers = {name: value for name, value in page["headers"].items() if name != "x-trace-id"}
        static = app.handler(lambda _, __: Reply(200, headers, file.read_bytes()))
        pods = app.services().pods
        view, read, floor = medians(
            lambda: view_pod(asked, Invocation()), lambda: pods.page(pod["id"]), lambda: static(asked, Invocation())
        )
    size = f"{len(page['body'].encode()) / 1024:.1f} KB"
    yield size, ms(view), ms(read), ms(floor), f"{view / floor:.1f}", f"{max(view - read, 0) / floor:.1f}"


def creations(tenant: Tenant, meter: Meter) -> Iterator[tuple[str, ...]]:
    """Rows: a pod by the handler, and the same reads of the CRM sent by a client of its own."""
    return (creation(tenant, meter, crm) for crm in DEALS)


def creation(tenant: Tenant, meter: Meter, crm: str) -> tuple[str, ...]:
    """The row of one CRM."""
    ids, vendor = tenant.story(crm), tenant.vendors[crm]
    made(tenant, crm, ids)  # the first reads the credentials
    before = len(vendor.control("GET", "requests"))
    with meter.reading() as found:
        made(tenant, crm, ids)
    aws = ", ".join(f"{number} {name}" for name, number in sorted(found.items()))
    reads = [each for each in vendor.control("GET", "requests")[before:] if each["method"] == "GET"]
    headers = registry.load(crm).auth["oauth2"].sign(vendor.sample.credentials(vendor.grant()))
    with httpx.Client(verify=False, trust_env=False) as client:
        ours, floor = medians(lambda: made(tenant, crm, ids), lambda: bare(client, vendor.url, reads, headers))
    return crm, str(len(reads)), aws, ms(ours), ms(floor), f"{ours / floor:.1f}"


def bare(client: httpx.Client, url: str, reads: list[dict[str, Any]], headers: Mapping[str, str]) -> None:
    """The reads alone."""
    for each in reads:
        client.get(url + each["path"], params=each.get("query") or {}, headers=headers).raise_for_status()


def medians(*works: Callable[[], object]) -> list[float]:
    """Median seconds of each, taken in turn, so that a slow moment of the machine falls on all."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for held, work in zip(taken, works, strict=True):
            started = time.perf_counter()
            work()
            held.append(time.perf_counter() - started)
    return [statistics.median(each) for each in taken]


def ms(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{seconds * 1000:.2f} ms"
