"""What every test of the talks with CRMs stands on."""

import pytest

from tests import worlds
from tests.worlds import World


@pytest.fixture(autouse=True)
def _crms(monkeypatch: pytest.MonkeyPatch) -> None:
    worlds.install(monkeypatch)


@pytest.fixture
def world() -> World:
    return World()
