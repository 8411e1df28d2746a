"""`make bench`: all of it, or the part that is named: calls, search or sync. Search may be told how many contacts."""

import argparse
import json
import logging
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from switchboard.crm import registry
from tests.bench import search, sync
from tests.bench.costs import Meter, costs, create
from tests.bench.pods import creations, views
from tests.bench.speed import init, mapped, warm
from tests.bench.tables import table
from tests.local.inside import process
from tests.local.process import ROOT
from tests.local.stack import Stack
from tests.local.tenant import Tenant, operator

BUILT = ROOT / ".aws-sam" / "build"
VENDORS = ROOT / "layers/switchboard/python/switchboard/crm/vendors"
SHAPES = ("hubspot", "pipedrive", "salesforce")
"""Whose creates are timed: the work is ours, and these three are all there is of kinds."""


def bare_post(tenant: Tenant, crm: str) -> Callable[[httpx.Client], None]:
    """The same create as a client of the CRM itself would send it: the body that we sent, with a token."""
    vendor = tenant.vendors[crm]
    create(tenant, crm, tenant.lead(crm))
    arrived = [each for each in vendor.control("GET", "requests") if each["method"] == "POST"]
    sent: Any = next(each for each in reversed(arrived) if each["route"] == vendor.sample.noun("leads"))
    scheme = registry.load(crm).auth["oauth2"]
    url, headers = vendor.url + sent["path"], scheme.sign(vendor.sample.credentials(vendor.grant()))
    body = sent["body"] if not isinstance(sent["body"], str) else json.loads(sent["body"])

    def post(client: httpx.Client) -> None:
        client.post(url, json=body, headers=headers).raise_for_status()

    return post


def sizes() -> Iterable[tuple[str, str, str]]:
    """Every function and the layer: bytes as a zip and unpacked."""
    with TemporaryDirectory() as folder:
        for built in sorted(path for path in BUILT.iterdir() if path.is_dir()):
            archive = Path(folder) / f"{built.name}.zip"
            files = [path for path in built.rglob("*") if path.is_file()]
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
                for path in files:
                    packed.write(path, path.relative_to(built))
            plain = sum(path.stat().st_size for path in files)
            yield built.name, f"{archive.stat().st_size / 1024:,.1f} KB", f"{plain / 1024:,.1f} KB"


def calls() -> None:
    """What calls cost, and how large everything is."""
    with Stack() as stack, process(stack):
        tenant, meter = Tenant.on(stack, operator(stack)), Meter()
        print("Calls per warm create\n")
        table(("CRM", "call", "DynamoDB", "Secrets", "CRM calls", "which"), costs(tenant, meter))

        ours, floor = init(stack.environment["CreateLead"])
        print("Init: the handler, against import boto3 + one DynamoDB client + pydantic + httpx\n")
        figures = (f"{ours * 1000:.0f} ms", f"{floor * 1000:.0f} ms", f"{ours / floor:.2f}")
        table(("handler", "baseline", "ratio"), [figures])

        print("Warm: a create by the handler, against a bare POST of the same body to the same fake CRM\n")
        rows: list[tuple[str, ...]] = []
        for crm in SHAPES:
            ours, floor = warm(tenant, crm, bare_post(tenant, crm))
            rows.append((crm, f"{ours * 1000:.1f} ms", f"{floor * 1000:.1f} ms", f"{ours / floor:.1f}"))
        table(("CRM", "handler", "bare POST", "ratio"), rows)

        print("A live view by the handler; the one read in it; a static file of the same size by the same handler\n")
        table(("page", "view", "read", "static", "ratio", "ratio without the read"), views(tenant))

        print("A pod of a deal, its company, contact and owner, against the same reads of the same fake CRM alone\n")
        table(("CRM", "CRM calls", "AWS calls", "handler", "bare reads", "ratio"), creations(tenant, meter))

        print("Records mapped per second and core\n")
        rows = []
        for crm in sorted(tenant.accounts):
            raw = json.loads(create(tenant, crm, tenant.lead(crm))["body"])["remote_data"]
            rows.append((crm, f"{mapped(crm, raw):,.0f}"))
        table(("CRM", "records/s"), rows)
    print("Lines per vendor module; the house has at most 400 in each\n")
    lengths = {
        crm: {path.stem: len(path.read_text().splitlines()) for path in sorted((VENDORS / crm).glob("*.py"))}
        for crm in registry.NAMES
    }
    parts = {crm: ", ".join(f"{name} {lines}" for name, lines in held.items()) for crm, held in lengths.items()}
    totals = {crm: sum(held.values()) for crm, held in lengths.items()}
    table(("CRM", "lines", "modules"), [(crm, str(total), parts[crm]) for crm, total in totals.items()])
    longest = max(lines for held in lengths.values() for lines in held.values())
    print(f"median {median(totals.values()):.0f} a CRM, longest module {longest}\n")

    print("Sizes\n")
    table(("", "zip", "unpacked"), sizes())


def main(parts: Sequence[str], contacts: int) -> list[str]:
    """Print every table; answers what is not as it has to be."""
    logging.disable(logging.INFO)
    faults: list[str] = []
    if "calls" in parts:
        calls()
    if "search" in parts:
        faults += search.main(contacts)
    if "sync" in parts:
        faults += sync.main()
    return faults


PARTS = ("calls", "search", "sync")

if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("parts", nargs="*", choices=PARTS)
    asked.add_argument("--contacts", type=int, default=search.SIZES[-1])
    given = asked.parse_args()
    sys.exit("\n".join(main(given.parts or PARTS, given.contacts)) or None)
