"""What every test of syncs stands on."""

import pytest

from tests import worlds
from tests.sync.book import BOOKS, Syncs, peopled


@pytest.fixture(autouse=True)
def _crms(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, crm in BOOKS.items():
        monkeypatch.setitem(worlds.CRMS, name, crm)
    worlds.install(monkeypatch)


@pytest.fixture
def world(_crms: None) -> Syncs:
    """An account with eight contacts, at a CRM that lists what was deleted."""
    return peopled()
