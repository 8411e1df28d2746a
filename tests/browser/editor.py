"""The edit page, as somebody uses it."""

from typing import Any

import httpx
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from switchboard.pods import blocks
from tests.browser.site import Host


class Editor:
    """The edit page of a pod, as somebody uses it."""

    def __init__(self, site: Host, driver: WebDriver, id: str) -> None:
        self.site, self.driver, self.id = site, driver, id
        self.driver.get(f"{site.url}/pods/edit/{self.id}")

    def find(self, css: str) -> WebElement:
        return WebDriverWait(self.driver, 10).until(lambda driver: driver.find_element(By.CSS_SELECTOR, css))

    def at(self, pointer: str) -> WebElement:
        return self.find(f'[data-at="{pointer}"]')

    def click(self, element: WebElement) -> None:
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)  # not under the bar
        element.click()

    def press(self, text: str) -> None:
        self.click(self.driver.find_element(By.XPATH, f"//button[.={text!r}]"))

    def unlock(self, key: str | None = None) -> None:
        field = self.find("#key")
        field.clear()
        field.send_keys(self.site.key if key is None else key, Keys.ENTER)

    def opened(self) -> "Editor":
        self.unlock()
        self.find("#status")
        return self

    def write(self, pointer: str, text: str) -> None:
        field = self.at(pointer)
        field.clear()
        field.send_keys(text)

    def says(self, text: str, css: str = "#status") -> None:
        WebDriverWait(self.driver, 10).until(
            lambda driver: text in driver.find_element(By.CSS_SELECTOR, css).text,
            message=f"{text!r} in {self.driver.find_element(By.TAG_NAME, 'body').text[:400]!r}",
        )

    def error_at(self, pointer: str) -> str:
        field = self.at(pointer)
        told = (field.get_attribute("aria-describedby") or "").split()[-1]
        return self.find(f"#{told}").text

    def shown(self, name: str) -> str:
        """What the table of variables says of one, its own value in the field apart."""
        row = self.driver.find_element(By.XPATH, f"//*[@id='variables']//tr[th/code[.={name!r}]]")
        return " ".join(row.find_element(By.CSS_SELECTOR, "td").text.split())

    def focus(self) -> str:
        return self.driver.switch_to.active_element.get_attribute("data-at") or ""

    def pod(self) -> dict[str, Any]:
        """The pod as the API tells it."""
        headers = {"authorization": f"Bearer {self.site.key}"}
        return httpx.get(f"{self.site.url}/v1/pods/{self.id}", headers=headers).json()["data"]

    def kept(self) -> dict[str, Any]:
        """What of the pod is its layout."""
        return {name: part for name, part in self.pod().items() if name in blocks.Layout.model_fields}
