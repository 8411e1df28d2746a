"""The owner's page on creating leads is the contract: what it requires, supports and answers, CRM by CRM.

shared/seeds/truto-create-leads.txt is read in place, as it is.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from switchboard.crm import registry
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Request
from switchboard.models.lead import LEAD
from tests.crm.samples import CASES, Case, below, leaves, texts
from tests.crm.shared import SHARED, text
from tests.crm.voices import minutes

SEED = "seeds/truto-create-leads.txt"
TYPES = {"string", "object", "boolean", "array"}

pytestmark = pytest.mark.skipif(not (SHARED / SEED).is_file(), reason=f"{SHARED / SEED} is absent")


@dataclass
class Line:
    """What the page says about one field."""

    required: list[str] = field(default_factory=list[str])
    supported: list[str] = field(default_factory=list[str])


@dataclass
class Page:
    crms: list[str]
    request: dict[str, Line]
    response: dict[str, Line]


def fields(section: str) -> dict[str, Line]:
    """The fields of a section that say for which CRMs they are."""
    found: dict[str, Line] = {}
    name, listed = "", None
    for line in section.splitlines():
        bullet = re.fullmatch(r"\s+• (.+)", line)
        if bullet and listed is not None:
            listed.append(bullet[1])
        elif line in ("Required in", "Supported in"):
            told = found.setdefault(name, Line())
            listed = told.required if line == "Required in" else told.supported
        elif not bullet:
            listed = None
            if re.fullmatch(r"[a-z][a-z_0-9]*", line) and line not in TYPES:
                name = line
    return found


@cache
def page() -> Page:
    head, _, rest = text(SEED).partition("Request Body")
    request, _, response = rest.partition("Response Body")
    integrations = head.partition("Integrations supported")[2].partition("Query parameters")[0]
    return Page(re.findall(r"• (.+)", integrations), fields(request), fields(response))


def listed_crms() -> Iterator[Case]:
    """The CRMs of the page that are built."""
    for name, case in CASES.items():
        if name.endswith("-leads") and case.crm.title in page().crms:
            yield case


def requests_of(case: Case, item: dict[str, Any]) -> list[Request]:
    """Everything that a create of this sends."""
    record = case.record(case.least(), case.voice.id(1), created_at=minutes(0))
    partner = case.answers(case.voice.id(1), record)
    partner.hold(case.crm.dialect.create(case.resource, case.draft(item)))
    return partner.requests


each_crm = pytest.mark.parametrize(
    "case", list(listed_crms()) if (SHARED / SEED).is_file() else [], ids=lambda case: case.crm.name
)


class TestThePage:
    def test_it_is_read_to_its_end(self) -> None:
        assert page().crms == [
            "HubSpot", "Insightly", "Nutshell", "Pipedrive", "Pipeliner", "Salesforce", "Zendesk Sell", "Zoho CRM",
        ]  # fmt: skip
        assert page().request["title"] == Line(
            ["Nutshell", "Pipedrive"], ["HubSpot", "Insightly", "Salesforce", "Zendesk Sell", "Zoho CRM"]
        )
        assert page().request["name"] == Line(["Pipeliner"], [])
        assert page().response["urls"] == Line([], ["Pipedrive"])

    def test_its_fields_are_those_of_our_records(self) -> None:
        assert set(page().request) == LEAD.writable
        assert set(page().response) == set(LEAD.readable)

    def test_the_crms_that_are_built_are_among_its_own(self) -> None:
        assert {case.crm.name for case in listed_crms()} >= {"hubspot", "pipedrive", "salesforce"}
        titles = {registry.load(name).title for name in registry.NAMES}
        assert titles & set(page().crms)


class TestRequest:
    @each_crm
    def test_what_the_page_requires_is_refused_when_it_is_absent(self, case: Case) -> None:
        for name, line in page().request.items():
            item = {key: value for key, value in case.sample().items() if key != name}
            if case.crm.title in line.required:
                with pytest.raises(Problem) as caught:
                    case.draft(item)
                assert caught.value.kind is Kind.MISSING_FIELD
                [fault] = caught.value.faults
                assert below(fault.field, name)
            else:
                case.draft(item)

    @each_crm
    def test_what_the_page_supports_reaches_the_crm(self, case: Case) -> None:
        requests = requests_of(case, case.sample())
        sent = "\n".join([*(request.path for request in requests), *texts([request.json for request in requests])])
        for name, line in page().request.items():
            if case.crm.title not in line.required + line.supported:
                continue
            said = [str(value) for path, value in leaves(case.sample()[name]) if not path.endswith("type")]
            assert any(each in sent for each in said), name

    @each_crm
    def test_what_the_page_does_not_list_is_not_sent_and_is_named(self, case: Case) -> None:
        item = case.sample()
        sent = json.dumps([request.json for request in requests_of(case, item)])
        ignored = case.draft(item).ignored
        for name, line in page().request.items():
            if case.crm.title in line.required + line.supported:
                assert name not in ignored
                continue
            assert name in ignored
            for path, value in leaves(item[name]):
                assert path.endswith("type") or f'"{value}"' not in sent, name


class TestResponse:
    @each_crm
    def test_what_the_page_answers_can_be_read(self, case: Case) -> None:
        readable = {name.split(".")[0] for name in case.resource.table.names(readable=True)}
        if case.resource.link:
            readable.add("urls")
        for name, line in page().response.items():
            assert case.crm.title not in line.supported or name in readable, name

    @each_crm
    def test_the_id_can_be_read_though_the_page_forgets_it_for_some(self, case: Case) -> None:
        assert "id" in case.resource.table.names(readable=True)
