"""One local stack for all of these tests, and a new brand for each."""

from collections.abc import Iterator

import pytest

from switchboard.admin import Admin
from tests.local import inside
from tests.local.stack import Stack
from tests.local.tenant import LEADS, Tenant, operator

HERE = [pytest.mark.local, pytest.mark.xdist_group("local")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the stack, and shares one."""
    for item in items:
        if "tests/end_to_end" in item.path.as_posix():
            for mark in HERE:
                item.add_marker(mark)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The functions from source, eight copies of each at the most."""
    with Stack(workers=8) as running:
        yield running


@pytest.fixture(scope="session")
def admin(stack: Stack) -> Iterator[Admin]:
    """The operator of the stack."""
    admin = operator(stack)
    yield admin
    admin.dynamodb.close()
    admin.secretsmanager.close()


@pytest.fixture
def tenant(stack: Stack, admin: Admin) -> Iterator[Tenant]:
    """A brand of its own, with an account in every fake CRM; no fault is left behind."""
    tenant = Tenant.on(stack, admin)
    yield tenant
    tenant.client.close()
    for url in stack.vendors.values():
        Tenant.quiet(url)


@pytest.fixture(params=sorted(LEADS))
def crm(request: pytest.FixtureRequest) -> str:
    """Each CRM in turn."""
    return request.param


@pytest.fixture(scope="module")
def process(stack: Stack) -> Iterator[None]:
    """This process as one that runs CreateLead."""
    with inside.process(stack):
        yield
