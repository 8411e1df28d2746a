"""README says what the code says."""

import re

import pytest

from switchboard.admin import SEARCHABLE
from switchboard.api.records import contacts
from switchboard.api.records.envelope import CONTRACTS
from switchboard.api.scopes import ACTIONS, ALIASES, RESOURCES
from switchboard.crm import registry
from switchboard.crm.catalog import Resource, Unsupported
from switchboard.crm.problem import Kind
from switchboard.search import filters
from switchboard.search.contact import CUSTOM_BYTES, ID_DIGITS, PREFIX
from switchboard.search.finding import BUDGET, GATHERED
from switchboard.search.sources import USUAL
from switchboard.sync import planning, running
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


@pytest.mark.parametrize("date", CONTRACTS)
def test_every_contract_is_named(date: str) -> None:
    assert date in section("Contacts")


def section(title: str) -> str:
    """A chapter, in one line."""
    return " ".join(README.partition(f"\n## {title}\n")[2].partition("\n## ")[0].split())


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("Contacts", f"{contacts.PAGE} if not said"),
        ("Contacts", f"1 to {contacts.MOST};"),
        ("Contacts", f"`{USUAL}` (if not said)"),
        ("Contacts", f"hold no more than {GATHERED} contacts"),
        ("Contacts", f"{CUSTOM_BYTES // 1000} KB of them"),
        ("Contacts", f"`{PREFIX}` and {ID_DIGITS} hex digits"),
        ("Syncs", f"one of up to {running.SOON // 60} minutes is spent in the queue"),
        (
            "Syncs",
            f"after {planning.backoff(1) // 60} minutes, then {planning.backoff(2) // 60}, 20, "
            f"up to {planning.BACKOFF_MOST // 3600} hours",
        ),
    ],
)
def test_a_figure_is_that_of_the_code(title: str, sentence: str) -> None:
    assert sentence in section(title)


def test_figures_in_words_are_those_of_the_code() -> None:
    assert (filters.MOST, BUDGET, contacts.CURSOR_SECONDS) == (20, 1_000, 24 * 3600)
    for words in ("Twenty conditions at most", "looks at a thousand contacts at most", "leads on for a day"):
        assert words in section("Contacts")
    assert (SEARCHABLE, planning.CHECK_SECONDS, planning.SHARE) == (10, 7 * 24 * 3600, 0.1)
    for words in ("up to ten of an account", "a sweep is made once a week", "no more than a tenth"):
        assert words in section("Syncs")


def test_the_crms_whose_leads_are_contacts_are_named() -> None:
    crms = [registry.load(name) for name in registry.NAMES]
    both = [(crm.title, crm.resources["leads"], crm.resources["contacts"]) for crm in crms]
    told = ", ".join(title for title, leads, contacts in both if path(leads) == path(contacts))
    assert f"A lead that is a contact ({told})" in section("Syncs")


def path(resource: Resource | Unsupported) -> str:
    """Where the records of a resource are."""
    return resource.path if isinstance(resource, Resource) else ""


def environment() -> set[str]:
    sources = (ROOT / "layers" / "switchboard" / "python" / "switchboard").rglob("*.py")
    return {name for path in sources for name in re.findall(r"SWITCHBOARD_[A-Z]+(?:_[A-Z]+)*_?", path.read_text())}


@pytest.mark.parametrize("name", sorted(environment()))
def test_every_variable_of_the_environment_is_documented(name: str) -> None:
    assert f"`{name}" in README


@pytest.mark.parametrize("target", re.findall(r"`make (\w+)`", README))
def test_every_make_target_that_readme_names_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
