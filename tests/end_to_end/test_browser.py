"""Pods in a browser, from the CRM's record to the page: what readers see, and what people do on the edit page."""

from dataclasses import dataclass
from typing import Any

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.browser.editor import Editor
from tests.browser.eyes import Eyes
from tests.end_to_end.test_pods import make
from tests.local.story import COMPANY
from tests.local.tenant import Tenant

WINDOWS = ((320, 640), (768, 1024), (1440, 900))
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
TURNED = "\u202egnp.exe\u202c \u2066a\u2069"
LONG = "W" * 10_000
FAMILY = "\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308"
HOSTILE: dict[str, Any] = {
    "name": "What the CRM says",
    "title": "{{ contact.first_name }}",
    "description": "{{ crm.favourite_colour }}",
    "blocks": [
        {"type": "text", "text": "{{ contact.first_name }}\n\n{{ contact.last_name }}\n\n{{ contact.title }}"},
        {"type": "contacts", "people": [{"name": "{{ contact.first_name }}", "title": "{{ contact.title }}"}]},
        {"type": "button", "text": "{{ crm.favourite_colour }}", "url": "{{ contact.first_name }}"},
    ],
}


@dataclass(frozen=True)
class Ours:
    """The stack, as somebody with the tenant's key finds it."""

    url: str
    key: str


@pytest.fixture
def ours(tenant: Tenant) -> Ours:
    return Ours(tenant.url, tenant.key.secret)


@pytest.fixture
def room(tenant: Tenant) -> dict[str, str]:
    """A deal room about the deal that HubSpot's fake holds: its id and its two addresses."""
    answer = make(tenant, "hubspot", "deals", tenant.story("hubspot")["deals"], "deal-room")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def fits(eyes: Eyes) -> None:
    """A page fits windows of every size, and everybody can use it."""
    for window in WINDOWS:
        eyes.window(*window)
        assert eyes.sticks_out() == [], window
        assert eyes.faults() == [], window


def test_the_page_of_a_deal_reads_well_everywhere(room: dict[str, str], driver: WebDriver, eyes: Eyes) -> None:
    driver.get(room["live_url"])
    assert eyes.status() == 200
    assert eyes.text("h1") == f"A plan for {COMPANY['name']}"
    assert "Hello Ada," in eyes.text()
    assert "£12,500" in eyes.text()
    fits(eyes)
    assert eyes.complaints() == []


def test_what_is_changed_on_the_edit_page_is_on_the_live_page(
    ours: Ours, room: dict[str, str], driver: WebDriver, eyes: Eyes
) -> None:
    """At once, for who has seen it before it was changed as well."""
    driver.get(room["live_url"])
    assert "Hello Ada," in eyes.text()
    editor = Editor(ours, driver, room["id"])
    assert driver.current_url == room["edit_url"]
    editor.opened()
    assert editor.shown("company.name") == f"{COMPANY['name']} from the record"
    editor.write("#/blocks/0/text", "Good morning, {{ contact.first_name }} <b>and all</b>")
    editor.write("#/variables/company.name", "The Engine Works")
    editor.press("Save")
    editor.says("Saved.")
    assert editor.shown("company.name") == f"The Engine Works your own From the record: {COMPANY['name']}"
    fits(eyes)
    assert eyes.complaints() == []
    driver.get(str(editor.find(".way a").get_attribute("href")))
    assert driver.current_url == room["live_url"]
    assert eyes.text(".prose") == "Good morning, Ada <b>and all</b>"
    assert eyes.text("h1") == "A plan for The Engine Works"


def test_a_record_that_means_harm_is_text_on_both_pages(
    ours: Ours, tenant: Tenant, driver: WebDriver, eyes: Eyes
) -> None:
    record = {"firstname": MARKUP, "lastname": TURNED, "jobtitle": LONG, "favourite_colour": FAMILY}
    id = tenant.vendors["hubspot"].plant("contacts", **record)
    layout = tenant.ask("POST", "/v1/templates", HOSTILE)
    answer = make(tenant, "hubspot", "contacts", id, layout.json()["data"]["id"])
    assert answer.status_code == 200, answer.text
    pod = answer.json()["data"]
    driver.get(pod["live_url"])
    assert eyes.text("h1") == MARKUP
    assert eyes.text(".cover p") == FAMILY
    assert eyes.text(".prose").split() == [*MARKUP.split(), "gnp.exe", "a", LONG]
    assert eyes.text(".name") == MARKUP
    assert eyes.harm() == {"scripts": 0, "handlers": [], "links": []}
    assert not driver.execute_script("return document.links.length")
    fits(eyes)
    editor = Editor(ours, driver, pod["id"]).opened()
    assert MARKUP in eyes.text("h1")
    assert editor.shown("contact.first_name") == f"{MARKUP} from the record"
    assert editor.shown("contact.title") == f"{LONG} from the record"
    assert editor.shown("crm.favourite_colour") == f"{FAMILY} from the record"
    assert driver.execute_script("return document.querySelectorAll('img, [onerror], script:not([src])').length") == 0
    fits(eyes)
    assert eyes.complaints() == []


def test_a_pod_that_is_deleted_on_the_edit_page_is_gone_for_readers(
    ours: Ours, tenant: Tenant, room: dict[str, str], driver: WebDriver, eyes: Eyes
) -> None:
    driver.get(room["live_url"])
    assert eyes.status() == 200
    editor = Editor(ours, driver, room["id"]).opened()
    editor.press("Delete pod")
    editor.find("dialog[open] button.bad").click()
    editor.says("The pod is deleted", "h1")
    for address in (room["live_url"], room["edit_url"]):
        driver.get(address)
        assert eyes.status() == 404
        assert eyes.text("h1") == "There is no page here"
        fits(eyes)
    assert tenant.ask("GET", f"/v1/pods/{room['id']}").status_code == 404
