"""README says what the code says."""

import re

import pytest

from switchboard.api.scopes import ACTIONS, ALIASES, RESOURCES
from switchboard.crm.problem import Kind
from tests import docs
from tests.local.process import ROOT

README = docs.README.read_text()


def test_what_is_derived_is_up_to_date() -> None:
    assert docs.written(README) == README, "make docs"
    assert docs.OPENAPI.read_text() == docs.specification(), "make docs"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_problem_has_its_heading(kind: Kind) -> None:
    assert re.search(rf"^#+ {kind}$", README, re.MULTILINE)


@pytest.mark.parametrize("word", [*RESOURCES, *ACTIONS, *ALIASES])
def test_every_part_of_a_scope_is_named(word: str) -> None:
    assert f"`{word}`" in README


def environment() -> set[str]:
    sources = (ROOT / "layers" / "switchboard" / "python" / "switchboard").rglob("*.py")
    return {name for path in sources for name in re.findall(r"SWITCHBOARD_[A-Z]+(?:_[A-Z]+)*_?", path.read_text())}


@pytest.mark.parametrize("name", sorted(environment()))
def test_every_variable_of_the_environment_is_documented(name: str) -> None:
    assert f"`{name}" in README


@pytest.mark.parametrize("target", re.findall(r"`make (\w+)`", README))
def test_every_make_target_that_readme_names_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
