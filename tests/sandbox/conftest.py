"""One sandbox for the whole run; every test begins with an empty one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import Sandbox
from tests.sandbox.caller import Caller
from tests.sandbox.recipes import RECIPES, Recipe

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures"


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    for url in running.urls.values():
        Caller(url).post("/_sandbox/reset")
    return running


@pytest.fixture
def crm(sandbox: Sandbox, request: pytest.FixtureRequest) -> Caller:
    """The CRM that the test module or its parameter names."""
    name = getattr(request, "param", None) or request.module.CRM
    recipe = RECIPES[name]
    return Caller(sandbox.urls[name], kind=recipe.kind, sign=recipe.sign)


@pytest.fixture
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return RECIPES[request.node.callspec.params["crm"]]


@pytest.fixture
def api(crm: Caller) -> Caller:
    return crm.authorised()


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    """The response of a recorded exchange, read in place."""

    def read(path: str) -> Any:
        file = FIXTURES / path
        if not file.is_file():
            pytest.skip(f"no recorded exchanges at {FIXTURES}")
        return json.loads(file.read_text())["response"]

    return read
