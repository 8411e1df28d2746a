"""The templates to start with: understood by what takes templates, and good to read with any record."""

import re
from typing import Any

import pytest

from switchboard import models
from switchboard.pods import blocks, filling, page, starters, variables
from switchboard.pods.blocks import TemplateInput
from tests.pods.samples import started

IDS = pytest.mark.parametrize("id", starters.IDS)


def layout(id: str) -> TemplateInput:
    model, _ = filling.checked(
        TemplateInput, {name: part for name, part in starters.load()[id].items() if name != "id"}
    )
    return model


def mentioned(id: str) -> set[str]:
    return {str(each) for _, said, text in blocks.texts(layout(id)) for each in variables.mentions(text, said)}


def test_there_is_one_for_a_deal_a_company_and_a_contact() -> None:
    assert list(starters.load()) == ["deal-room", "company-introduction", "personal-page"]
    for id, root in zip(starters.IDS, ("deal.", "company.", "contact."), strict=True):
        assert [each for each in mentioned(id) if each.startswith(root)]


@IDS
def test_each_is_a_template_that_could_have_been_sent(id: str) -> None:
    assert starters.load()[id]["id"] == id
    assert layout(id).name


def test_between_them_they_use_every_kind_of_block() -> None:
    used = {part["type"] for id in starters.IDS for part in _parts(starters.load()[id]["blocks"])}
    assert used == set(page.DRAWN)


def _parts(many: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        inner for each in many for inner in (each, *(part for column in each.get("columns", ()) for part in column))
    ]


@IDS
def test_none_takes_anything_from_elsewhere(id: str) -> None:
    assert "https://" not in str(starters.load()[id]["blocks"])


@IDS
def test_with_the_sample_every_variable_has_a_value(id: str) -> None:
    values = {name: variables.spoken(each) for name, each in starters.sample().items()}
    found = {str(each) for _, said, text in blocks.texts(layout(id)) for each in variables.mentions(text, said)}
    assert variables.missing(values, {variables.Mention(*_split(each)) for each in found}) == []


def _split(name: str) -> tuple[str, tuple[str, ...]]:
    root, *way = name.split(".")
    return root, tuple(way)


@IDS
@pytest.mark.parametrize("values", [None, {}], ids=["sample", "nothing known"])
def test_no_sentence_has_a_hole(id: str, values: dict[str, Any] | None) -> None:
    """Where a value is missing there is a default, or the sentence is not there."""
    for _, _, text in blocks.texts(TemplateInput.model_validate({"name": "x", **_shown(id, values)})):
        assert "{{" not in text
        assert "{%" not in text
        assert not re.search(r" [,.!?;]|\( ?\)|  |\bNone\b|\bat \.|\*\*\*\*", text), text


def _shown(id: str, values: dict[str, Any] | None) -> dict[str, Any]:
    return {name: part for name, part in started(id, values).items() if name not in ("id", "url")}


@pytest.mark.parametrize(
    ("contact", "title", "greeting"),
    [
        ({"first_name": "Maya", "name": "Maya Lindqvist"}, "Maya, this page is for you", "Hello Maya,"),
        (
            {"first_name": None, "name": "Maya Lindqvist"},
            "Maya Lindqvist, this page is for you",
            "Hello Maya Lindqvist,",
        ),
        ({"first_name": "", "name": "Maya Lindqvist"}, "Maya Lindqvist, this page is for you", "Hello Maya Lindqvist,"),
        ({}, "Hello, this page is for you", "Hello and welcome,"),
    ],
)
def test_who_has_one_name_only_is_greeted_by_it(contact: dict[str, Any], title: str, greeting: str) -> None:
    assert started("personal-page", {"contact": contact})["title"] == title
    assert started("deal-room", {"contact": contact})["blocks"][0]["text"].partition("\n")[0] == greeting


@pytest.mark.parametrize("root", variables.ROOTS)
def test_the_sample_has_the_fields_that_our_records_have(root: str) -> None:
    schema = models.load(variables.ROOTS[root])
    assert set(starters.sample()[root]) <= set(schema.readable)
    schema.response.model_validate(starters.sample()[root])


def test_a_sample_may_be_changed_without_changing_the_next() -> None:
    starters.sample()["deal"]["name"] = "changed"
    assert starters.sample()["deal"]["name"] != "changed"


def test_the_starters_may_not_be_changed() -> None:
    with pytest.raises(TypeError):
        starters.load()["deal-room"]["title"] = "x"  # type: ignore[index]
