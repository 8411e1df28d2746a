"""Every request that our adapters make is in the vendor's own specification, as far as one is published.

The specifications are read in place from shared/specs, mended where they are known to be wrong (the fakes' `amended`).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from switchboard.crm.problem import Problem
from switchboard.crm.wire import Request, Talk, segment
from tests.end_to_end.test_dialects import DECLARED
from tests.local.partner import Partner
from tests.sandbox import spec, vendors
from tests.sandbox.exchange import Request as Arrived

pytestmark = pytest.mark.skipif(not spec.available(), reason="shared/specs is absent")

SPECIFIED = {id: each for id, each in DECLARED.items() if vendors.load(each[0]).contracts} if spec.available() else {}

PAGING = "the sheet's section on pagination: every list takes it"
UNDECLARED: Mapping[str, Mapping[str, str]] = {
    "activecampaign": {
        "limit": PAGING,
        "offset": PAGING,
        "include": "declared for /activities; clients were seen to read contacts so",
    },
    "pipeliner": {"expand": "the vendor's page on parameters has it on single reads, too"},
}
"""Query parameters that a specification leaves out, with the source that has them, by CRM."""


def conversations(partner: Partner) -> Iterator[Talk[Any]]:
    """All that can be said about a resource."""
    dialect, resource, since = partner.crm.dialect, partner.resource, datetime.now(UTC) - timedelta(seconds=60)
    id = "1"
    if "create" in resource.verbs:
        item, draft = partner.draft()
        if resource.plural == "leads":
            draft = dialect.draft(resource, partner.checked({**partner.sample.more(partner.vendor.plant), **item}))
        yield dialect.create(resource, draft)
        yield dialect.find(resource, draft, since)
        id = partner.create()
    if "list" in resource.verbs:
        yield dialect.list(resource, limit=2)
        if resource.changes:
            yield dialect.list(resource, since=since, limit=2)
    if "get" in resource.verbs:
        yield dialect.get(resource, id)
    if "delete" in resource.verbs:
        yield dialect.delete(resource, id)
    yield dialect.deleted(resource, since=since)


def filled(partner: Partner, request: Request) -> str:
    """The path of a request with the account's settings in it."""
    path, settings = request.path, partner.sample.settings(partner.grant)
    for name, setting in partner.crm.settings.items():
        path = path.replace("{" + name + "}", segment(settings.get(name) or setting.default))
    return path


@pytest.mark.parametrize("partner", SPECIFIED.values(), ids=SPECIFIED, indirect=True)
def test_what_we_send_is_in_the_vendors_specification(partner: Partner) -> None:
    for talk in conversations(partner):
        with suppress(Problem):
            partner.hold(talk)
    fake, covered = vendors.load(partner.crm.name), 0
    for request in partner.requests:
        path = fake.spec_path(arrived(request.method, filled(partner, request)))
        found = [
            (contract, known) for contract in fake.contracts if (known := contract.operation(request.method, path))
        ]
        # Of several, the one that says most of the path: another may stand for any module.
        for contract, operation in sorted(found, key=lambda each: each[1][0].count("{"))[:1]:
            covered += 1
            template, verb = operation
            declared = contract.document["paths"][template]
            parameters = [*declared.get("parameters", []), *declared[verb].get("parameters", [])]
            names = {resolved(contract.document, each)["name"] for each in parameters}
            for name in request.query:
                known = name in names or name.partition("[")[0] in {each.partition("[")[0] for each in names}
                assert known or name in UNDECLARED.get(partner.crm.name, {}), f"{verb} {template} has no {name}"
            if request.json is not None:
                body = json.loads(json.dumps(request.json))
                assert contract.violation(operation, body) is None, f"{verb} {template}"
    assert covered, f"none of {sorted({(each.method, each.path) for each in partner.requests})} is specified"


def arrived(method: str, path: str) -> Arrived:
    """A request as the fake has it."""
    return Arrived(method, path, {})


def resolved(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    """A parameter, written out if it is a reference."""
    reference = parameter.get("$ref")
    if reference is None:
        return parameter
    *_, section, name = str(reference).split("/")
    return document["components"][section][name]
