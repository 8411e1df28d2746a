"""The edit page: opened with a key, used by hand and by keyboard, and honest about what goes wrong."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from switchboard.pods import blocks, starters
from tests.browser.editor import Editor
from tests.browser.eyes import Eyes
from tests.browser.site import Site, Stand
from tests.worlds import BRAND

LAYOUT: dict[str, Any] = {
    "title": "For {{ company.name | default: 'you' }}",
    "description": "What we said",
    "blocks": [
        {"type": "heading", "text": "Hello"},
        {"type": "text", "text": "To {{ contact.first_name }} from **us**"},
        {"type": "button", "text": "Write", "url": "mailto:a@b.example"},
    ],
}
VALUES: dict[str, Any] = {"company": {"id": "1", "name": "Acme"}, "contact": {"id": "2", "first_name": None}}


def begun(site: Site, driver: WebDriver, layout: dict[str, Any] = LAYOUT, values: dict[str, Any] = VALUES) -> Editor:
    """The edit page of a new pod."""
    return Editor(site, driver, site.pod(layout, values))


@pytest.fixture
def editor(site: Site, driver: WebDriver, eyes: Eyes) -> Editor:
    """A pod that was opened with the right key."""
    return begun(site, driver).opened()


@pytest.fixture
def watched(stand: Stand, driver: WebDriver, eyes: Eyes) -> Editor:
    """The same at the stand, for what has to be seen or changed behind the page's back."""
    return begun(stand, driver).opened()


class TestKey:
    def test_it_opens_the_pod_and_is_kept_in_this_tab_alone(self, stand: Stand, watched: Editor) -> None:
        driver, key = watched.driver, stand.key
        assert driver.execute_script("return [sessionStorage.length, localStorage.length, document.cookie]") == [
            1,
            0,
            "",
        ]
        assert key not in driver.current_url
        assert key not in driver.page_source
        assert not [each for each in stand.asked if key in each]
        driver.refresh()
        assert watched.at("#/title").get_attribute("value") == LAYOUT["title"]
        here = driver.current_window_handle
        driver.switch_to.new_window("tab")
        driver.get(f"{stand.url}/pods/edit/{watched.id}")
        assert watched.find("#key").get_attribute("value") == ""
        driver.close()
        driver.switch_to.window(here)

    def test_its_field_hides_it_and_is_filled_in_by_nobody_else(self, site: Site, driver: WebDriver) -> None:
        field = begun(site, driver).find("#key")
        assert field.get_attribute("type") == "password"
        assert field.get_attribute("autocomplete") == "off"
        assert field.get_attribute("name") in (None, "")

    @pytest.mark.parametrize("key", ["trpt_abc123_wrong", "two words", "schlüssel"])
    def test_a_wrong_one_is_asked_for_again_and_not_kept(self, site: Site, driver: WebDriver, key: str) -> None:
        editor = begun(site, driver)
        editor.unlock(key)
        editor.says("key", "#key-error")
        WebDriverWait(driver, 5).until(lambda it: it.find_element(By.ID, "key-error").text)
        assert driver.execute_script("return sessionStorage.length") == 0

    def test_it_is_forgotten_on_demand(self, editor: Editor) -> None:
        editor.press("Forget key")
        editor.find("#key")
        assert editor.driver.execute_script("return sessionStorage.length") == 0
        editor.driver.refresh()
        editor.find("#key")

    def test_one_that_was_revoked_meanwhile_is_asked_for_again_and_nothing_is_lost(
        self, stand: Stand, watched: Editor
    ) -> None:
        watched.write("#/title", "Mine")
        old = stand.revoke()
        watched.press("Save")
        watched.says("not accepted", "#key-error")
        watched.unlock()
        watched.says("still here")
        assert watched.at("#/title").get_attribute("value") == "Mine"
        watched.press("Save")
        watched.says("Saved")
        assert watched.pod()["title"] == "Mine"
        assert old not in watched.driver.execute_script("return Object.values(sessionStorage).join()")

    def test_a_pod_that_is_not_there_says_so(self, editor: Editor) -> None:
        editor.driver.get(f"{editor.site.url}/pods/edit/{'0' * 24}")
        editor.says("no page here", "h1")

    def test_one_of_another_brand_finds_no_such_pod(self, stand: Stand, driver: WebDriver) -> None:
        editor = begun(stand, driver)
        editor.unlock(stand.world.issue(("pod.all",), brand="other1"))
        editor.says("no such pod", "h1")

    def test_one_without_the_scope_says_what_is_missing(self, stand: Stand, driver: WebDriver) -> None:
        editor = begun(stand, driver)
        editor.unlock(stand.world.issue(("template.all",)))
        editor.says("Insufficient permissions", "#key-error")

    def test_one_whose_calls_are_used_up_says_when_to_go_on(self, stand: Stand, watched: Editor) -> None:
        stand.world.record(stand.key).limit = 0
        watched.write("#/title", "Mine")
        watched.press("Save")
        watched.says("Not saved. Too many requests. Try again in")
        assert watched.at("#/title").get_attribute("value") == "Mine"


class TestSaving:
    def test_what_is_changed_is_on_the_live_page(self, editor: Editor, eyes: Eyes) -> None:
        editor.write("#/blocks/0/text", "Hello, <b>you</b>")
        editor.click(editor.find("input[value=plum]"))
        assert editor.driver.title.startswith("* ")
        editor.press("Save")
        editor.says("Saved.")
        assert not editor.driver.title.startswith("* ")
        link = editor.find(".way a")
        editor.driver.get(str(link.get_attribute("href")))
        assert eyes.text("h2") == "Hello, <b>you</b>"
        assert eyes.text("h1") == "For Acme"
        assert editor.driver.find_element(By.TAG_NAME, "body").get_attribute("class") == "accent-plum"

    def test_only_what_was_changed_is_sent(self, stand: Stand, watched: Editor) -> None:
        kept = stand.world.pods.pods
        pod = kept[BRAND, watched.id]
        kept[BRAND, watched.id] = replace(pod, layout={**pod.layout, "description": "Set behind the page's back"})
        watched.write("#/title", "Other")
        watched.press("Save")
        watched.says("Saved.")
        assert watched.pod()["description"] == "Set behind the page's back"

    def test_the_keyboard_is_enough_and_keeps_its_place(self, editor: Editor) -> None:
        field = editor.at("#/blocks/1/text")
        field.send_keys(Keys.END, " and them", Keys.CONTROL, "s")
        editor.says("Saved.")
        assert editor.pod()["blocks"][1]["text"].endswith("**us** and them")
        assert editor.focus() == "#/blocks/1/text"

    def test_nothing_is_sent_where_nothing_has_changed(self, stand: Stand, watched: Editor) -> None:
        watched.press("Save")
        watched.says("Nothing has changed")
        assert not [each for each in stand.asked if each.startswith("PATCH")]

    def test_leaving_with_unsaved_changes_is_held_up(self, editor: Editor) -> None:
        leaving = (
            "const it = new Event('beforeunload', {cancelable: true}); dispatchEvent(it); return it.defaultPrevented"
        )
        assert editor.driver.execute_script(leaving) is False
        editor.write("#/title", "Other")
        assert editor.driver.execute_script(leaving) is True
        editor.press("Save")
        editor.says("Saved.")
        assert editor.driver.execute_script(leaving) is False

    def test_changes_can_be_dropped(self, editor: Editor) -> None:
        editor.write("#/title", "Other")
        editor.press("Drop changes")
        editor.find("dialog[open] button.bad").click()
        editor.says("dropped")
        assert editor.at("#/title").get_attribute("value") == LAYOUT["title"]

    def test_errors_stand_at_their_fields_and_go_when_these_are_changed(self, editor: Editor) -> None:
        editor.write("#/blocks/0/text", "{{ nobody.name }}")
        editor.write("#/blocks/2/url", "javascript:alert(1)")
        editor.write("#/language", "xx")
        editor.press("Save")
        editor.says("3 places need another look")
        assert "nobody is no variable" in editor.error_at("#/blocks/0/text")
        assert "https, mailto or tel" in editor.error_at("#/blocks/2/url")
        assert editor.at("#/blocks/0/text").get_attribute("aria-invalid") == "true"
        assert editor.focus() in ("#/language", "#/blocks/0/text")
        editor.write("#/blocks/0/text", "Hello")
        assert editor.at("#/blocks/0/text").get_attribute("aria-invalid") is None
        assert editor.error_at("#/blocks/0/text") == ""

    def test_an_error_of_a_part_stands_at_that_part(self, editor: Editor) -> None:
        for index in (2, 1, 0):
            editor.click(editor.at(f"#/blocks/{index}|remove"))
        editor.press("Save")
        editor.says("another look")
        assert "at least 1" in editor.find("#blocks .error:not([hidden])").text

    def test_somebody_elses_version_can_be_loaded(self, editor: Editor) -> None:
        editor.write("#/title", "Mine")
        self._theirs(editor)
        editor.press("Save")
        editor.find("dialog[open] button.main").click()
        editor.says("their version")
        assert editor.at("#/title").get_attribute("value") == "Theirs"
        editor.write("#/title", "Mine after theirs")
        editor.press("Save")
        editor.says("Saved.")
        assert editor.pod()["title"] == "Mine after theirs"

    def test_or_be_written_over_or_left_for_later(self, editor: Editor) -> None:
        editor.write("#/title", "Mine")
        self._theirs(editor)
        editor.press("Save")
        editor.find("dialog[open]").send_keys(Keys.ESCAPE)
        editor.says("Not saved")
        assert editor.at("#/title").get_attribute("value") == "Mine"
        assert editor.pod()["title"] == "Theirs"
        editor.press("Save")
        editor.find("dialog[open]")
        editor.press("Save mine over theirs")
        editor.says("Saved.")
        assert editor.pod()["title"] == "Mine"

    @staticmethod
    def _theirs(editor: Editor) -> None:
        headers = {"authorization": f"Bearer {editor.site.key}", "if-match": '"1"'}
        answer = httpx.patch(f"{editor.site.url}/v1/pods/{editor.id}", headers=headers, json={"title": "Theirs"})
        assert answer.status_code == 200

    def test_no_answer_loses_nothing(self, editor: Editor) -> None:
        editor.write("#/title", "Mine")
        editor.driver.execute_script("window.fetch = () => Promise.reject(new TypeError('offline'))")
        editor.press("Save")
        editor.says("No answer")
        assert editor.at("#/title").get_attribute("value") == "Mine"


class TestBlocks:
    @pytest.mark.parametrize(
        "kind", ["heading", "text", "image", "video", "button", "callout", "contacts", "timeline", "columns"]
    )
    def test_every_kind_can_be_added_and_is_what_the_api_takes(self, editor: Editor, kind: str) -> None:
        editor.at("#/blocks|kind").send_keys(kind.capitalize())
        editor.click(editor.at("#/blocks|add"))
        assert editor.focus() == "#/blocks/3|head"
        fields = editor.driver.find_elements(By.CSS_SELECTOR, '[data-at^="#/blocks/3/"]:is(input[type=text], textarea)')
        for field in fields:
            address = "url" in str(field.get_attribute("data-at")) or "poster" in str(field.get_attribute("data-at"))
            field.send_keys("https://a.example/b.png" if address else "Said")
        editor.press("Save")
        editor.says("Saved.")
        made = editor.pod()["blocks"][3]
        assert made["type"] == kind
        blocks.Layout.model_validate(editor.kept())
        texts = [
            text
            for where, _, text in blocks.texts(blocks.Layout.model_validate(editor.kept()))
            if where[:2] == ("blocks", 3)
        ]
        assert len(texts) == len(fields)
        assert all(texts)

    def test_they_are_moved_removed_and_brought_back(self, editor: Editor) -> None:
        editor.click(editor.at("#/blocks/0|down"))
        assert editor.focus() == "#/blocks/1|down"
        editor.says("place 2 of 3")
        editor.click(editor.at("#/blocks/2|remove"))
        editor.says("removed")
        editor.press("Undo")
        editor.click(editor.at("#/blocks/0|remove"))
        editor.press("Save")
        editor.says("Saved.")
        assert [each["type"] for each in editor.pod()["blocks"]] == ["heading", "button"]

    def test_columns_hold_blocks_and_steps_can_be_done(self, editor: Editor) -> None:
        editor.at("#/blocks|kind").send_keys("Columns")
        editor.click(editor.at("#/blocks|add"))
        editor.click(editor.at("#/blocks/3/columns|add"))
        editor.at("#/blocks/3/columns/2|kind").send_keys("Timeline")
        editor.click(editor.at("#/blocks/3/columns/2|add"))
        editor.write("#/blocks/3/columns/2/0/steps/0/title", "First")
        editor.click(editor.at("#/blocks/3/columns/2/0/steps/0/done"))
        editor.click(editor.at("#/blocks/3/columns/2/0/steps|add"))
        editor.write("#/blocks/3/columns/2/0/steps/1/title", "Second")
        editor.press("Save")
        editor.says("Saved.")
        columns = editor.pod()["blocks"][3]["columns"]
        assert [len(column) for column in columns] == [0, 0, 1]
        steps = columns[2][0]["steps"]
        assert [(step["title"], step["done"]) for step in steps] == [("First", True), ("Second", False)]
        assert len(editor.driver.find_elements(By.CSS_SELECTOR, '[data-at="#/blocks/3/columns|add"]')) == 0

    def test_a_choice_is_of_the_type_that_the_api_takes(self, editor: Editor) -> None:
        editor.at("#/blocks/0/level").send_keys("Small")
        editor.press("Save")
        editor.says("Saved.")
        assert editor.pod()["blocks"][0]["level"] == 3


class TestVariables:
    NAME = "#/variables/company.name"

    def test_they_are_listed_with_what_they_stand_for(self, editor: Editor, eyes: Eyes) -> None:
        table = eyes.text("#variables")
        assert "company.name" in table
        assert "Acme" in table
        assert "no value" in table
        assert "One variable has no value" in table

    def test_one_can_have_a_value_of_its_own_and_go_back_to_the_records(self, editor: Editor, eyes: Eyes) -> None:
        editor.write(self.NAME, "Other & Co")
        editor.press("Save")
        editor.says("Saved.")
        assert editor.pod()["overridden"] == ["company.name"]
        assert editor.shown("company.name") == "Other & Co your own From the record: Acme"
        assert "For Other & Co" in editor.driver.title
        editor.click(editor.find("#variables button:not(:disabled)"))
        editor.press("Save")
        editor.says("Saved.")
        assert editor.pod()["overridden"] == []
        assert "Acme" in eyes.text("#variables")
        assert editor.shown("company.name") == "Acme from the record"

    def test_the_records_value_is_told_beside_each_that_stands_instead_of_it(
        self, editor: Editor, eyes: Eyes, stand: Stand
    ) -> None:
        assert editor.shown("contact.first_name") == "no value"
        editor.write("#/variables/contact.first_name", "Ada")
        editor.write(self.NAME, "Acme")
        editor.press("Save")
        editor.says("Saved.")
        assert editor.shown("contact.first_name") == "Ada your own From the record: no value"
        assert editor.shown("company.name") == "Acme your own From the record: Acme"
        stand.world.shelf["/companies/2"]["name"] = "<b>Renamed</b>"
        editor.press("Refresh from CRM")
        editor.says("those of the record")
        assert editor.shown("company.name") == "Acme your own From the record: <b>Renamed</b>"
        for width in (320, 1280):
            eyes.window(width, 800)
            assert eyes.sticks_out() == []
            assert eyes.faults() == []


class TestPod:
    def test_the_record_can_be_read_again(self, stand: Stand, watched: Editor, eyes: Eyes) -> None:
        stand.world.shelf["/companies/2"]["name"] = "Renamed"
        watched.press("Refresh from CRM")
        watched.says("those of the record")
        assert "Renamed" in eyes.text("#variables")

    def test_what_the_crm_says_against_that_is_told(self, stand: Stand, watched: Editor, eyes: Eyes) -> None:
        del stand.world.shelf["/deals/1"]
        watched.press("Refresh from CRM")
        watched.says("CRM record not found")

    def test_not_over_unsaved_changes(self, stand: Stand, watched: Editor) -> None:
        watched.write("#/title", "Mine")
        watched.press("Refresh from CRM")
        watched.says("Save your changes first")
        assert not [each for each in stand.asked if each.startswith("POST")]

    def test_it_is_deleted_only_when_that_is_confirmed(self, editor: Editor) -> None:
        editor.press("Delete pod")
        editor.find("dialog[open] button:not(.bad)").click()
        assert editor.pod()["id"] == editor.id
        WebDriverWait(editor.driver, 5).until(lambda it: not it.find_elements(By.CSS_SELECTOR, "dialog"))
        editor.press("Delete pod")
        editor.find("dialog[open] button.bad").click()
        editor.says("The pod is deleted", "h1")
        editor.driver.get(f"{editor.site.url}/pods/{editor.id}/live")
        editor.says("no page here", "h1")


class TestSight:
    @pytest.mark.parametrize("window", [(320, 640), (1280, 800)], ids=["phone", "desk"])
    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_it_fits_the_window_and_can_be_used_by_everybody(
        self, site: Site, driver: WebDriver, eyes: Eyes, window: tuple[int, int], dark: bool
    ) -> None:
        eyes.window(*window, dark=dark)
        editor = begun(site, driver, dict(starters.load()["deal-room"]))
        editor.find("#key")
        assert eyes.faults() == []
        editor.unlock("trpt_abc123_wrong")
        editor.says("not accepted", "#key-error")
        assert eyes.faults() == []
        assert eyes.sticks_out() == []
        editor.opened()
        editor.write("#/title", "{{ nobody.name }}")
        editor.press("Save")
        editor.says("Not saved")
        assert eyes.sticks_out() == []
        assert eyes.faults() == []
        editor.driver.execute_script("scrollTo(0, document.body.scrollHeight)")
        editor.press("Delete pod")
        editor.find("dialog[open]")
        assert eyes.faults() == []

    def test_what_a_stranger_wrote_is_text_here_too(self, site: Site, driver: WebDriver, eyes: Eyes) -> None:
        harm = "<img src=x onerror=alert(1)><script>alert(2)</script>"
        said = {"title": harm, "description": "{{ company.name }}", "blocks": [{"type": "text", "text": harm}]}
        begun(site, driver, said, {"company": {"id": "1", "name": harm}}).opened()
        assert harm in eyes.text("h1")
        assert harm in eyes.text("#variables")
        assert driver.execute_script("return document.querySelectorAll('img, script:not([src])').length") == 0

    def test_its_own_script_breaks_no_rule_of_its_own(self, editor: Editor, eyes: Eyes) -> None:
        assert eyes.complaints() == []
