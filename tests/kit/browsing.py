"""A browser without a window, for tests of pages; whoever imports this is skipped where there is none.

With ELBO_NEEDS_BROWSER=1 in the environment it fails there, so that where a browser has to be nobody's tests are
skipped unseen.
"""

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

MISSING = "to run these: apt-get install chromium chromium-driver, and pip install selenium"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
if not CHROMIUM or not DRIVER or not find_spec("selenium"):
    if os.environ.get("ELBO_NEEDS_BROWSER") == "1":
        pytest.fail(f"ELBO_NEEDS_BROWSER=1, but there is no browser; {MISSING}", pytrace=False)
    pytest.skip(MISSING, allow_module_level=True)

from selenium import webdriver  # noqa: E402
from selenium.common.exceptions import NoAlertPresentException  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webdriver import WebDriver  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

__all__ = ["By", "Keys", "NoAlertPresentException", "Select", "WebDriver", "accessible", "browser", "screenshot"]

OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"  # no page may need the network
FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-extensions", OFFLINE)


@contextmanager
def browser(profile: Path) -> Iterator[WebDriver]:
    """Start a browser that keeps its things in a directory, and end it."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def screenshot(driver: WebDriver, file: Path, tallest: int) -> tuple[int, int]:
    """Write a picture of the whole page, down to so many pixels, and return how wide and high it is laid out."""
    page = "document.documentElement"
    wide, high = driver.execute_script(f"return [{page}.clientWidth, {page}.scrollHeight]")
    clip = {"x": 0, "y": 0, "width": wide, "height": min(high, tallest), "scale": 1}
    asked = {"format": "png", "captureBeyondViewport": True, "clip": clip}
    file.write_bytes(base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"]))
    return wide, high


def accessible(driver: WebDriver) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what a screen reader is told of a page in its order: role, name and properties of each thing."""
    driver.execute_cdp_cmd("Accessibility.enable", {})
    nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [
        (
            node["role"]["value"],
            node.get("name", {}).get("value", "").strip(),
            {each["name"]: each["value"].get("value") for each in node.get("properties", [])},
        )
        for node in nodes
        if not node.get("ignored")
    ]
