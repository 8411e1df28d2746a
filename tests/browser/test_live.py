"""The live page, and the page for what is not there, as a browser shows them."""

from itertools import pairwise
from typing import Any

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from switchboard.pods import starters
from tests.browser.eyes import Eyes
from tests.browser.site import Site, Stand
from tests.pods.samples import HOSTILE, MARKDOWN, ODD, SCRIPTS, kitchen

WINDOWS = pytest.mark.parametrize("window", [(320, 640), (768, 1024), (1440, 900)], ids=lambda it: f"{it[0]}x{it[1]}")
DARK = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
SAID = "Four words and a-long-one"
TITLE = "Said"
NONE = {"scripts": 0, "handlers": [], "links": []}


def live(site: Site, id: str) -> str:
    return f"{site.url}/pods/{id}/live"


@WINDOWS
@DARK
def test_every_kind_of_block_fits_the_window_and_can_be_used_by_everybody(
    site: Site, driver: WebDriver, eyes: Eyes, window: tuple[int, int], dark: bool
) -> None:
    eyes.window(*window, dark=dark)
    driver.get(live(site, site.pod(kitchen(SAID), {})))
    assert eyes.text().count(SAID) > 60
    assert eyes.sticks_out() == []
    assert eyes.faults() == []


@pytest.mark.parametrize("id", starters.IDS)
@DARK
def test_a_starter_reads_well_with_a_record_and_without(
    site: Site, driver: WebDriver, eyes: Eyes, id: str, dark: bool
) -> None:
    for values in (starters.sample(), {}):
        driver.get(live(site, site.pod(starters.load()[id], values)))
        for width in (320, 1280):
            eyes.window(width, 800, dark=dark)
            assert eyes.sticks_out() == []
        assert eyes.faults() == []
        assert "{{" not in eyes.text()
        assert eyes.complaints() == []


@pytest.mark.parametrize("accent", ["blue", "green", "plum", "rust", "slate"])
@DARK
def test_every_accent_can_be_read(site: Site, driver: WebDriver, eyes: Eyes, accent: str, dark: bool) -> None:
    eyes.window(1280, 800, dark=dark)
    driver.get(live(site, site.pod(kitchen(SAID, accent=accent), {})))
    assert eyes.faults() == []


def test_a_page_in_a_language_from_right_to_left_is_laid_out_that_way(
    site: Site, driver: WebDriver, eyes: Eyes
) -> None:
    said = "\u05e9\u05dc\u05d5\u05dd \u05dc\u05db\u05d5\u05dc\u05dd"
    driver.get(live(site, site.pod(kitchen(said, language="he"), {})))
    box = driver.execute_script("return document.querySelector('h1').getBoundingClientRect().toJSON()")
    assert driver.execute_script("return getComputedStyle(document.querySelector('h1')).direction") == "rtl"
    assert box["right"] > 1000
    assert eyes.sticks_out() == []
    assert eyes.faults() == []


@pytest.mark.parametrize("said", [*SCRIPTS, *ODD], ids=range(len(SCRIPTS) + len(ODD)))
def test_a_record_that_means_harm_is_text(site: Site, driver: WebDriver, eyes: Eyes, said: str) -> None:
    """The record says it in every field; the template puts it into lines, prose and addresses alike."""
    eyes.window(320, 640)
    names = ("first_name", "last_name", "name", "title", "description", "lead_status")
    record = {"id": "1", **dict.fromkeys(names, said), "emails": [{"email": said}], "phones": [{"number": said}]}
    visible = " ".join(
        said.replace("\u202e", "").replace("\u202c", "").replace("\u2066", "").replace("\u2069", "").split()
    )
    headings, proses = set[str](), set[str]()
    for shown in _mentioning("{{ contact.name }}", apart=len(said) > 500):
        driver.get(live(site, site.pod(shown, {"contact": record})))
        assert eyes.harm() == NONE
        assert eyes.sticks_out() == []
        headings.add(eyes.text("h1"))
        proses |= {each.text for each in driver.find_elements(By.CSS_SELECTOR, ".prose")}
    assert {" ".join(each.split()) for each in headings - {TITLE}} == {visible.replace("\x0b", "")}
    assert {" ".join(each.split()) for each in proses} == {visible.replace("\x0b", "")}


def _mentioning(name: str, *, apart: bool) -> list[dict[str, Any]]:
    """Everything that a page is made of, saying a variable: on one page, or where that would be larger than a page may
    be, block by block, alone and in a column."""
    whole = kitchen(name)
    button = {"type": "button", "text": name, "url": name}
    if not apart:
        return [{**whole, "blocks": [*whole["blocks"], button]}]
    blocks = [*(each for each in whole["blocks"] if each["type"] != "columns"), button]
    blocks += [{"type": "columns", "columns": [[each], []]} for each in blocks]
    plain = {**whole, "title": TITLE, "description": ""}
    covers = [{**plain, "title": name}, {**plain, "description": name}]
    return [{**each, "blocks": blocks[:1]} for each in covers] + [{**plain, "blocks": [each]} for each in blocks]


@pytest.mark.parametrize("said", HOSTILE, ids=range(len(HOSTILE)))
def test_an_author_who_means_harm_can_do_none(site: Site, driver: WebDriver, eyes: Eyes, said: str) -> None:
    """What stands in the pod itself may be Markdown, and nothing more."""
    literal = said[:400].replace("{{", "{")
    driver.get(live(site, site.pod(kitchen(literal), {})))
    assert eyes.harm() == NONE
    if said in MARKDOWN:
        assert not driver.execute_script('return document.querySelector(\'a[href*="evil"], a[href^="http:"]\')')


def test_the_page_asks_for_nothing_of_ours_but_itself(stand: Stand, driver: WebDriver) -> None:
    id = stand.pod(starters.load()["deal-room"], starters.sample())
    driver.get(live(stand, id))
    assert [each for each in stand.asked if "favicon" not in each] == [f"GET /pods/{id}/live"]


def test_what_is_not_there_says_so(site: Site, driver: WebDriver, eyes: Eyes) -> None:
    for dark in (False, True):
        eyes.window(320, 640, dark=dark)
        driver.get(live(site, "0" * 24))
        assert "There is no page here" in eyes.text("h1")
        assert eyes.sticks_out() == []
        assert eyes.faults() == []


def test_the_parts_are_what_readers_of_other_kinds_expect(site: Site, driver: WebDriver) -> None:
    driver.get(live(site, site.pod(kitchen(SAID), {})))
    levels = driver.execute_script(
        "return [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((each) => Number(each.localName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for css in (
        "header",
        "main",
        "figure > img[alt]",
        "ol > li.done",
        "ol > li.next",
        "ul > li address a",
        "video[controls]",
    ):
        assert driver.execute_script("return document.querySelector(arguments[0]) !== null", css), css


def test_the_page_prints_without_its_colours(site: Site, driver: WebDriver) -> None:
    driver.get(live(site, site.pod(kitchen(SAID), {})))
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shade = driver.execute_script("return getComputedStyle(document.querySelector('.cover')).backgroundColor")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shade == "rgba(0, 0, 0, 0)"
