"""One local stack for all of these tests, and a new brand for each."""

from collections.abc import Callable, Iterator

import pytest

from switchboard.admin import Admin
from switchboard.app import SystemClock
from switchboard.crm import registry
from switchboard.sender import Sender
from tests.browser.conftest import chromium, driver, eyes
from tests.local import inside
from tests.local.partner import Partner
from tests.local.stack import Stack
from tests.local.tenant import SAMPLES, Tenant, Vendor, operator
from tests.sandbox import Sandbox

__all__ = ["chromium", "driver", "eyes"]  # fixtures, for the tests that look at pages

WITHOUT_STACK = ("test_dialects.py", "test_seeds.py", "test_specs.py", "test_story.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder that needs the stack shares one; what is held with the fakes alone does not."""
    for item in items:
        if "tests/end_to_end" in item.path.as_posix() and item.path.name not in WITHOUT_STACK:
            item.add_marker(pytest.mark.local)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The functions from source, eight copies of each at the most. Its logs are its own: another may run beside it."""
    with Stack(workers=8, logs=tmp_path_factory.mktemp("logs")) as running:
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


@pytest.fixture(params=sorted(SAMPLES))
def crm(request: pytest.FixtureRequest) -> str:
    """Each CRM in turn."""
    return request.param


@pytest.fixture(scope="module")
def process(stack: Stack) -> Iterator[None]:
    """This process as one that runs CreateLead."""
    with inside.process(stack):
        yield


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Callable[[str], Vendor]]:
    """The fakes, each begun when it is first asked for."""
    begun: dict[str, Sandbox] = {}

    def vendor(name: str) -> Vendor:
        if name not in begun:
            begun[name] = Sandbox((name,)).__enter__()
        found = Vendor(begun[name].urls[name], name)
        found.control("POST", "reset")
        lags = {setting: 0.0 for setting in found.control("GET", "settings") if setting.endswith("lag")}
        found.control("POST", "settings", lags)
        return found

    yield vendor
    for sandbox in begun.values():
        sandbox.__exit__(None, None, None)


@pytest.fixture
def partner(sandboxes: Callable[[str], Vendor], request: pytest.FixtureRequest) -> Iterator[Partner]:
    name, resource = request.param
    vendor, sender = sandboxes(name), Sender(SystemClock())
    yield Partner(registry.load(name), resource, vendor, vendor.grant(), sender)
    sender.close()
