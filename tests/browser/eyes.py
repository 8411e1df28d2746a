"""What is seen of a page: in a window of some size, by day or by night, by people and by axe."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
"""Nothing of the browser's own business, and no other machine than this one."""

RULES = "node_modules/axe-core/axe.min.js"
RUN = """
const done = arguments[0];
const asked = {resultTypes: ["violations"], preload: {assets: ["cssom"]}};  // films are not waited for
axe.run(document, asked).then(done, (error) => done(String(error)));
"""


@cache
def _axe() -> str:
    found = find_spec("axe_selenium_python")
    assert found
    assert found.origin
    return (Path(found.origin).parent / RULES).read_text("utf-8")


def browser(profile: Path) -> WebDriver:
    """Headless Chromium with a profile of its own. Its driver is the one that is there: none is fetched."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    driver.set_script_timeout(60)
    return driver


@dataclass(frozen=True)
class Eyes:
    """A look at what a browser shows."""

    driver: WebDriver

    def window(self, width: int, height: int, *, dark: bool = False) -> None:
        """The size of the screen, and whether its owner likes it dark. Nothing moves, so that nothing is half seen."""
        wishes = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def sticks_out(self) -> list[str]:
        """What reaches beyond the window sideways."""
        return self.driver.execute_script("""
            const width = document.documentElement.clientWidth;
            const seen = [...document.body.querySelectorAll("*")].filter((each) => !each.closest(".unseen"));
            const beyond = seen.filter((each) => {
              const box = each.getBoundingClientRect();
              return box.width > 1 && (box.right > width + 1 || box.left < -1);
            });
            const scrolls = document.documentElement.scrollWidth > width ? ["the page scrolls"] : [];
            return [...scrolls, ...beyond.map((each) => each.outerHTML.slice(0, 120))];
        """)

    def faults(self) -> list[str]:
        """What axe has against the page: the rule, how bad it is, and where."""
        self.driver.execute_script(_axe())
        told: Any = self.driver.execute_async_script(RUN)
        assert isinstance(told, dict), told
        return [
            f"{each['impact']} {each['id']}: {[node['html'][:160] for node in each['nodes']]}"
            for each in told["violations"]
        ]

    def harm(self) -> dict[str, Any]:
        """What of a page could do something: how many scripts, frames and forms, which handlers, and which links lead
        where links may not lead."""
        return self.driver.execute_script("""
            const all = [...document.querySelectorAll("*")];
            return {
              scripts: document.querySelectorAll("script, iframe, object, embed, svg, base, form, input").length,
              handlers: all.flatMap((each) => each.getAttributeNames()).filter((it) => /^on|^style$|^srcdoc$/.test(it)),
              links: [...document.links].map((each) => each.protocol).filter((it) => !/^(https|mailto|tel):$/.test(it)),
            };
        """)

    def status(self) -> int:
        """What the page was answered with."""
        return self.driver.execute_script("return performance.getEntriesByType('navigation')[0].responseStatus")

    def text(self, css: str = "body") -> str:
        """What can be read."""
        return self.driver.execute_script("return document.querySelector(arguments[0]).innerText", css)

    def complaints(self) -> list[str]:
        """What the browser has written into its log since it was last asked."""
        return [each["message"] for each in self.driver.get_log("browser")]
