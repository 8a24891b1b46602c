"""A headless Chromium that says what a page did: console, network, layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

LIGHT, DARK = "light", "dark"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Browser:
    """One window.

    Parameters
    ----------
    driver
        Of Selenium.
    """

    def __init__(self, driver):
        self.driver = driver

    def show(self, path: Path, width: int = 1280, scheme: str = LIGHT, anchor: str = "") -> None:
        """Open a file at some width and colour scheme; it is loaded, its scripts have run."""
        self.problems()
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        # another anchor alone would not load the page anew
        self.driver.get("about:blank")
        self.problems()
        address = path.resolve().as_uri() + anchor
        self.driver.get(address)
        # on a busy machine the driver comes back while the page is still being read
        self.wait_for(
            "return document.readyState === 'complete'"
            " && performance.getEntriesByType('navigation')[0]?.loadEventEnd > 0"
            f" && location.href.split('#')[0] === {json.dumps(address.split('#')[0])}",
            60,
        )

    def run(self, script: str, *arguments):
        """Run JavaScript and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def all(self, selector: str):
        """Elements that fit a CSS selector."""
        return self.driver.find_elements("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """Texts of the visible elements that fit a selector."""
        return [element.text for element in self.all(selector) if element.is_displayed()]

    def wait_for(self, script: str, seconds: float = 10.0):
        """Run JavaScript again and again until what it returns is true; return that."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, seconds, 0.05).until(
            lambda driver: driver.execute_script(script), f"never true: {script}"
        )

    def problems(self) -> list[str]:
        """What the console said and which requests left the disk, since the last call."""
        found = [f"console: {entry['message']}" for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith(("file:", "data:", "about:")):
                    found.append(f"request: {url}")
        return found

    def seconds_to_open(self, path: Path, tries: int = 3) -> float:
        """How long a page takes from the start to the end of its load event; the quickest try.

        Another program may have the processor.
        """
        found = []
        for _ in range(tries):
            self.show(path)
            # the event may still be going on
            self.driver.set_script_timeout(30)
            milliseconds = self.driver.execute_async_script(
                """
                const done = arguments[0];
                const look = () => {
                  const t = performance.getEntriesByType("navigation")[0];
                  if (t.loadEventEnd > 0) done(t.loadEventEnd - t.startTime);
                  else setTimeout(look, 10);
                };
                look();
                """
            )
            found.append(milliseconds / 1000)
        return min(found)

    def load_every_picture(self) -> None:
        """Fetch the pictures that wait until they are scrolled to."""
        self.driver.set_script_timeout(60)
        self.driver.execute_async_script(
            """
            const done = arguments[0];
            const pictures = [...document.images];
            for (const picture of pictures) picture.loading = "eager";
            Promise.allSettled(pictures.map((p) => p.decode())).then(() => done());
            """
        )


@pytest.fixture(scope="module")
def browser():
    """A Chromium for the tests of one file; skipped where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no Chromium with chromedriver here: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--disable-background-networking",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield Browser(made)
    finally:
        made.quit()


def assert_sound(browser: Browser, width: int) -> None:
    """No error, no request, no overflow, words for every picture, text that can be read."""
    browser.load_every_picture()
    assert not (found := browser.problems()), found
    assert browser.run("return document.documentElement.scrollWidth") <= width
    broken = "return [...document.images].filter((i) => !i.naturalWidth).map((i) => i.src)"
    assert browser.run(broken) == []
    silent = """
        const pictures = [...document.querySelectorAll("img, canvas, [role=img]")];
        const words = (p) => (p.getAttribute("alt") ?? p.getAttribute("aria-label") ?? "").trim();
        return pictures.filter((p) => !words(p)).map((p) => p.outerHTML);
    """
    assert browser.run(silent) == []
    unnamed = """
        const fields = [...document.querySelectorAll("input, select, button, a[href]")];
        const shown = fields.filter((f) => f.checkVisibility());
        return shown.filter((f) => !(f.labels?.length || f.textContent.trim() || f.title ||
            f.getAttribute("aria-label") || f.querySelector("img[alt]"))).map((f) => f.outerHTML);
    """
    assert browser.run(unnamed) == []


#: least contrast (WCAG 2.2, 1.4.3) between an element's text and what is behind it
CONTRAST = """
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const pen = canvas.getContext("2d", {willReadFrequently: true});
    function luminance(colour) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((c) => {
        const x = c / 255;
        return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }
    function behind(element) {
      for (let at = element; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (!/rgba\\(.*, 0\\)|transparent/.test(colour)) return colour;
      }
      return "white";
    }
    let least = [21, ""];
    for (const element of document.querySelectorAll(arguments[0])) {
      if (!element.checkVisibility() || !element.textContent.trim()) continue;
      const pair = [getComputedStyle(element).color, behind(element)].map(luminance);
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      if (ratio < least[0]) least = [ratio, element.outerHTML.slice(0, 120)];
    }
    return least;
"""
