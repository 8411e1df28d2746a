"""The owner's pages are the contract: what they require, support and answer, CRM by CRM and field by field.

Every test here is made from the text of shared/seeds/truto-create-*.txt, and held with the CRM's fake.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from switchboard import models
from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from tests.crm import seeds
from tests.crm.samples import below, filled, leaves, texts
from tests.crm.seeds import Line, page
from tests.crm.voices import voice
from tests.local.partner import Partner
from tests.local.samples import Body
from tests.local.tenant import SAMPLES

pytestmark = pytest.mark.skipif(not seeds.available(), reason="shared/seeds is absent")

BUILT = {crm.title: crm for crm in map(registry.load, registry.NAMES)}


def cases(section: str) -> Iterator[Any]:
    """(partner, field, what the page says of it) for every CRM and field of every page."""
    for plural in seeds.PLURALS if seeds.available() else ():
        for title in page(plural).crms:
            crm = BUILT.get(title)
            for name, line in getattr(page(plural), section).items():
                if crm is not None:
                    yield pytest.param((crm.name, crm.resources[plural]), name, line, id=f"{crm.name}-{plural}-{name}")


each_field_of_a_request = pytest.mark.parametrize(
    ("partner", "name", "line"), list(cases("request")), indirect=["partner"]
)
each_field_of_an_answer = pytest.mark.parametrize(
    ("partner", "name", "line"), list(cases("response")), indirect=["partner"]
)


def full(partner: Partner) -> Body:
    """A request that this CRM takes, with every field that its page lists."""
    return SAMPLES[partner.crm.name].full(partner.resource.plural, partner.vendor.plant)


class TestThePages:
    def test_they_are_read_to_their_ends(self) -> None:
        assert page("leads").crms == [
            "HubSpot", "Insightly", "Nutshell", "Pipedrive", "Pipeliner", "Salesforce", "Zendesk Sell", "Zoho CRM",
        ]  # fmt: skip
        assert page("leads").request["title"] == Line(
            ["Nutshell", "Pipedrive"], ["HubSpot", "Insightly", "Salesforce", "Zendesk Sell", "Zoho CRM"]
        )
        assert page("leads").request["name"] == Line(["Pipeliner"], [])
        assert page("leads").response["urls"] == Line([], ["Pipedrive"])
        assert (page("pipelines").crms, page("stages").crms) == (["Close"], ["Pipeliner"])
        assert page("pipelines").request == {"name": Line(["Close"], [])}
        assert page("stages").response["status"] == Line([], ["Pipeliner"])

    @pytest.mark.parametrize("plural", seeds.PLURALS)
    def test_their_fields_are_those_of_our_records(self, plural: str) -> None:
        schema = models.load(plural)
        additive = {"leads": set[str](), "pipelines": {"stages"}, "stages": {"pipeline"}}[plural]
        assert set(page(plural).request) == schema.writable - additive
        assert set(page(plural).response) == set(schema.readable)

    @pytest.mark.parametrize("plural", seeds.PLURALS)
    def test_a_crm_of_a_page_that_is_built_creates(self, plural: str) -> None:
        for title in page(plural).crms:
            crm: CRM | None = BUILT.get(title)
            if crm is None:
                continue
            resource = crm.resources[plural]
            assert isinstance(resource, Resource)
            assert "create" in resource.verbs


@each_field_of_a_request
def test_a_field_of_a_request_is_treated_as_the_page_says(partner: Partner, name: str, line: Line) -> None:
    title, dialect, resource = partner.crm.title, partner.crm.dialect, partner.resource
    if title in line.required:
        without = {key: value for key, value in full(partner).items() if key != name}
        with pytest.raises(Problem) as caught:
            dialect.draft(resource, partner.checked(without))
        assert caught.value.kind is Kind.MISSING_FIELD
        assert [fault.field for fault in caught.value.faults if below(fault.field, name)]
    listed = title in line.required + line.supported
    value = full(partner)[name] if listed else anything(partner)[name]
    least = {key: each for key, each in full(partner).items() if is_needed(partner, key) or key == name}
    draft = dialect.draft(resource, partner.checked(least | {name: value}))

    told = ""
    if name in partner.sample.refused:
        with pytest.raises(Problem) as caught:
            partner.hold(dialect.create(resource, draft))
        assert caught.value.kind is Kind.CRM_REJECTED
    else:
        told = "\n".join(texts(partner.hold(dialect.create(resource, draft)).item.get(name)))

    sent = "\n".join([*(request.path for request in partner.requests), *texts([r.json for r in partner.requests])])
    said = [str(each) for path, each in leaves(value) if not path.endswith("type")]
    if listed:
        assert name not in draft.ignored
        # What goes by its id, which was looked up, is told by its name again.
        assert any(each in sent or each in told for each in said), f"none of {said} in {sent}"
    else:
        assert name in draft.ignored
        assert not [each for each in said if each in sent]


@each_field_of_an_answer
def test_a_field_of_an_answer_can_be_read(partner: Partner, name: str, line: Line) -> None:
    readable = {each.split(".")[0] for each in partner.resource.table.names(readable=True)}
    if partner.resource.link:
        readable.add("urls")
    assert partner.crm.title not in line.supported or name in readable
    assert "id" in readable, "though the page forgets it for some"


def is_needed(partner: Partner, name: str) -> bool:
    """Whether a create is refused without it."""
    table = partner.resource.table
    needed = [*table.names(required=True), *(group[0] for group in partner.resource.any_of)]
    needed += [row.ours for row in table.rows if row.key and not row.read_only][:1]  # to be told from others
    return any(below(each, name) for each in needed) or name in partner.sample.needs


def anything(partner: Partner) -> Record:
    """A value for every field of the schema, told apart by its number."""
    count = iter(range(730_001, 731_000))
    found = filled(partner.resource.table.schema.request, voice(partner.crm.name), lambda: next(count))
    return found | ({"created_at": "2026-01-02T03:04:05Z"} if "created_at" in found else {})
