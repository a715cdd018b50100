"""A headless Chromium for tests: what the page logged, what it asked for, and a screenshot."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless=new", "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--autoplay-policy=no-user-gesture-required", "--window-size=1400,1500", "--force-device-scale-factor=1",
)  # fmt: skip


@contextlib.contextmanager
def open_page(path: Path) -> Iterator[Any]:
    """Yield a selenium driver with the file loaded; skips where Chromium or its driver is not installed."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (extra: test)")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("Chromium and chromedriver are not installed (Debian: chromium chromium-driver)")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory() as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        browser = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
        try:
            browser.get(path.resolve().as_uri())
            yield browser
        finally:
            browser.quit()


def requests_made(browser: Any) -> list[str]:
    """URLs that our page (not the browser's own start page) asked for over any wire: not file:, data: or blob:."""
    urls = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        params = message.get("params", {})
        if message["method"] == "Network.requestWillBeSent" and params["documentURL"].startswith("file:"):
            urls.append(params["request"]["url"])
    assert urls, "not even the page itself was logged: the check would be blind"
    return [url for url in urls if not url.startswith(("file:", "data:", "blob:"))]


def console_errors(browser: Any) -> list[str]:
    """Everything the console logged as an error or warning, software-GL notices left out."""
    skip = ("GPU stall", "software WebGL", "swiftshader", "GroupMarkerNotSet")
    lines = [
        f"{e['level']} {e['message']}"
        for e in browser.get_log("browser")
        if e["level"] in ("SEVERE", "WARNING")
    ]
    return [line for line in lines if not any(s.lower() in line.lower() for s in skip)]
