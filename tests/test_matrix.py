"""What can be done where: every CRM says it of every resource, and all who tell it tell the same."""

from typing import Any

import pytest

from switchboard import models
from switchboard.api import capabilities
from switchboard.crm import registry
from switchboard.crm.catalog import VERBS, Emulated, Native, Unsupported
from tests import matrix


def cells(found: Any) -> dict[tuple[str, str, str], Any]:
    return {
        (each["crm"], plural, verb): told
        for each in found
        for plural, verbs in each["resources"].items()
        for verb, told in verbs.items()
    }


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_crm_is_told_in_full(name: str) -> None:
    told = capabilities.of(registry.load(name))
    assert set(told["resources"]) == set(models.MODULES)
    for plural, verbs in told["resources"].items():
        assert tuple(verbs) == VERBS
        for verb, cell in verbs.items():
            match registry.load(name).offer(plural, verb):
                case Native():
                    assert cell["support"] == "native"
                case Emulated(how):
                    assert (cell["support"], cell["how"]) == ("emulated", how)
                case Unsupported(why, see):
                    assert cell == {"support": "impossible", "why": why, "see": see}


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
    assert sum(figures) == len(registry.NAMES) * len(models.MODULES) * len(VERBS)
    assert last.endswith(" 0 blank")
