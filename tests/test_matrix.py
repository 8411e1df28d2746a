"""What can be done where: every CRM says it of every resource, and all who tell it tell the same."""

from typing import Any

import pytest

from switchboard import models
from switchboard.api import capabilities
from switchboard.crm import registry
from switchboard.crm.catalog import Emulated, Native, Pace, Resource, Unsupported
from switchboard.models.schema import VERBS, verbs
from switchboard.sync import planning
from tests import matrix


def cells(found: Any) -> dict[tuple[str, str, str], Any]:
    return {
        (each["crm"], plural, verb): told
        for each in found
        for plural, methods in each["resources"].items()
        for verb, told in methods.items()
    }


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_crm_is_told_in_full(name: str) -> None:
    told = capabilities.of(registry.load(name))
    assert set(told["resources"]) == set(models.MODULES)
    for plural, methods in told["resources"].items():
        assert tuple(methods) == verbs(plural)
        for verb, cell in methods.items():
            match registry.load(name).offer(plural, verb):
                case Native():
                    assert cell["support"] == "native"
                case Emulated(how):
                    assert (cell["support"], cell["how"]) == ("emulated", how)
                case Unsupported(why, see):
                    assert cell == {"support": "impossible", "why": why, "see": see}


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_crm_says_what_a_pod_is_made_of(name: str) -> None:
    crm = registry.load(name)
    told = capabilities.of(crm)
    assert told["pods"] == list(crm.pods)
    assert told["pods"]
    for word in told["pods"]:
        assert told["resources"][crm.pods[word]]["get"]["support"] != "impossible"


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_crm_says_how_its_contacts_are_synced(name: str) -> None:
    crm = registry.load(name)
    contacts = crm.resources["contacts"]
    assert isinstance(contacts, Resource)
    told = capabilities.of(crm)["syncs"]
    assert set(told) == {"contacts"}
    sync = told["contacts"]
    assert sync["changes"] == ("since" if contacts.changes else "all")
    assert sync["deletions"] == contacts.deletions
    assert sync["lag_seconds"] == crm.dialect.lag
    assert Pace(**sync["pace"]) == crm.pace
    assert sync["every_seconds"] == planning.interval(crm, contacts, capabilities.SMALL)
    assert sync["every_seconds"] <= sync["deletions_every_seconds"] <= planning.DAY


def test_a_create_says_what_it_requires() -> None:
    lead = capabilities.of(registry.load("pipedrive"))["resources"]["leads"]["create"]
    assert lead["required"] == ["title"]
    assert lead["required_one_of"] == [["contact.id", "account.id"]]
    assert "owner.id" in lead["supported"]
    assert "title" not in lead["supported"]


def test_the_matrix_says_the_same() -> None:
    told = cells([capabilities.of(registry.load(name)) for name in registry.NAMES])
    assert matrix.cells() == told


def test_the_matrix_counts_its_cells() -> None:
    *_, last = matrix.lines()
    figures = [int(word) for word in last.replace(",", "").split() if word.isdecimal()]
    assert sum(figures) == len(registry.NAMES) * sum(len(verbs(plural)) for plural in models.MODULES)
    assert last.endswith(" 0 blank")


def test_the_matrix_has_a_row_for_every_crm_and_resource_and_a_cell_for_each_of_its_methods() -> None:
    head, *rows = [line for line in matrix.lines() if line][: 1 + len(registry.NAMES) * len(models.MODULES)]
    columns = {verb: head.index(verb) for verb in VERBS}
    plurals = [plural for _ in registry.NAMES for plural in models.MODULES]
    assert [row[30:].split()[0] for row in rows] == plurals
    for row, plural in zip(rows, plurals, strict=True):
        filled = [verb for verb, column in columns.items() if row[column : column + 18].strip()]
        assert filled == list(verbs(plural))
