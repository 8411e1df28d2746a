"""What is read of a record and of those that it names: one request each, and only what is mentioned."""

from typing import Any

import pytest

from switchboard.crm.catalog import Resource
from switchboard.crm.problem import Problem
from switchboard.crm.wire import Response
from switchboard.pods.blocks import Said
from switchboard.pods.subject import KEPT_BYTES, kept, read, wanted
from switchboard.pods.variables import Mention, mentions
from tests.api.pods.shop import RECORDS, SHOP
from tests.talk import Partner


def asks(plural: str, text: str) -> tuple[dict[str, set[str]], tuple[str, ...]]:
    found = wanted(plural, mentions(text, Said.LINE))
    return {name: set(fields) for name, fields in found.related.items()}, found.vendor


@pytest.mark.parametrize(
    ("plural", "text", "related", "vendor"),
    [
        ("deals", "{{ deal.name }} {{ deal.id }}", {}, ()),
        ("deals", "{{ company.name }} {{ company.domain }}", {"company": {"name", "domain"}}, ()),
        ("deals", "{{ deal.company.name }} {{ deal.stage.name }}", {"company": {"name"}, "stage": {"name"}}, ()),
        ("companies", "{{ company.name }} {{ company.owner.email }}", {"owner": {"email"}}, ()),
        ("contacts", "{{ contact.name }} {{ crm.b }} {{ crm.a }}", {}, ("a", "b")),
        ("contacts", "{{ contact.emails.first.email }}", {}, ()),
    ],
)
def test_what_is_mentioned_decides_what_is_read(plural: str, text: str, related: Any, vendor: tuple[str, ...]) -> None:
    assert asks(plural, text) == (related, vendor)


def values(text: str, records: dict[str, Any] = RECORDS, plural: str = "deals", id: str = "1") -> tuple[Any, list[str]]:
    def answer(request: Any) -> Response:
        found = records.get(request.path)
        return (
            found if isinstance(found, Response) else Response(200 if found else 404, {}, found or {"message": "No."})
        )

    partner, resource = Partner(answer), SHOP.resources[plural]
    assert isinstance(resource, Resource)
    told = partner.hold(read(SHOP, resource, id, wanted(plural, mentions(text, Said.LINE))))
    return told, [each.path for each in partner.requests]


def test_the_record_stands_under_its_own_name_and_others_under_theirs() -> None:
    told, asked = values("{{ company.description }} {{ owner.name }}")
    assert told["deal"]["name"] == "Engine no. 2"
    assert told["company"]["description"] == "Builders of engines."
    assert told["owner"]["name"] == "Charles Babbage"
    assert told["deal"]["company"]["description"] == "Builders of engines."
    assert "contact" not in told
    assert asked == ["/deals/1", "/companies/2", "/users/4"]


def test_a_record_that_names_nobody_asks_for_nobody() -> None:
    records = {**RECORDS, "/deals/1": {"id": "1", "name": "Alone"}}
    told, asked = values("{{ company.name }} {{ contact.email }} {{ owner.name }}", records)
    assert asked == ["/deals/1"]
    assert set(told) == {"deal"}


def test_an_answer_that_is_no_record_is_not_taken_for_one() -> None:
    with pytest.raises(Problem) as raised:
        values("x", {"/deals/1": {"deals": [{"id": "1"}]}})
    assert raised.value.kind == "crm-unavailable"


@pytest.mark.parametrize("status", [500, 429, 401])
def test_trouble_with_another_record_is_trouble(status: int) -> None:
    with pytest.raises(Problem):
        values("{{ company.name }}", {**RECORDS, "/companies/2": Response(status, {}, {"message": "x"})})


def test_a_record_too_large_to_keep_is_kept_as_far_as_it_is_mentioned() -> None:
    large = {"deal": {"name": "A", "description": "x" * KEPT_BYTES}}
    assert kept(large, {Mention("deal", ("name",))}) == {"deal": {"name": "A"}}
    assert kept({"deal": {"name": "A", "amount": 1}}, set()) == {"deal": {"name": "A", "amount": 1}}
