"""`python -m tests.browser` takes the pictures of the starters that README shows."""

from base64 import b64decode
from pathlib import Path
from tempfile import TemporaryDirectory

from switchboard.pods import starters
from tests.browser.eyes import Eyes, browser
from tests.browser.site import Stand

PICTURES = Path(__file__).with_name("screenshots")


def main() -> None:
    """One picture of each, of the top of its page at a desk."""
    PICTURES.mkdir(exist_ok=True)
    with Stand() as site, TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = browser(Path(profile))
        Eyes(driver).window(1280, 900)
        for id, starter in starters.load().items():
            driver.get(f"{site.url}/pods/{site.pod(starter, starters.sample())}/live")
            taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": False})
            (PICTURES / f"{id}.png").write_bytes(b64decode(taken["data"]))
        driver.quit()


if __name__ == "__main__":
    main()
