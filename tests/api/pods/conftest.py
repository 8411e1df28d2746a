"""A world with a shop for each test."""

import pytest

from tests.api.pods.shop import ShopWorld, install


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> ShopWorld:
    found = ShopWorld()
    install(monkeypatch, found)
    return found
