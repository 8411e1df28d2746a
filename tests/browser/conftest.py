"""One headless Chromium for all of these tests, a tab of its own for each, and a site that holds pods."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.browser.eyes import CHROMIUM, DRIVER, Eyes, browser
from tests.browser.site import Site, Stand


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """The browser, with a profile of its own. It reaches this machine alone."""
    for needed in (CHROMIUM, DRIVER):
        if not needed.exists():
            pytest.skip(f"there is no {needed}: what people see is not tested here")
    driver = browser(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def driver(chromium: WebDriver) -> Iterator[WebDriver]:
    """A new tab, which knows nothing of the others."""
    first = chromium.current_window_handle
    chromium.switch_to.new_window("tab")
    chromium.get_log("browser")
    yield chromium
    chromium.close()
    chromium.switch_to.window(first)


@pytest.fixture
def eyes(driver: WebDriver) -> Eyes:
    """A look at that tab, at a desk by day."""
    eyes = Eyes(driver)
    eyes.window(1280, 800)
    return eyes


@pytest.fixture
def stand() -> Iterator[Stand]:
    """The stand, for what has to be seen or changed behind a page's back."""
    with Stand() as stand:
        yield stand


@pytest.fixture
def site(stand: Stand) -> Site:
    """Where pods are. Tests that ask for no more than this would pass at any other site of ours."""
    return stand
