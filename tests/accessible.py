"""What axe-core says of a page: contrast, names, roles, the order of the tab key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import Browser

#: rules of WCAG 2.2 up to level AA, and what axe-core's authors hold to be good practice
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def axe_source() -> str:
    """axe-core's script, from where npm put it; skips without it."""
    for folder in filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep)):
        script = Path(folder) / "axe-core" / "axe.min.js"
        if script.is_file():
            return script.read_text(encoding="utf-8")
    pytest.skip("axe-core is not in NODE_PATH: tox run -e pages fetches it from npm")


def axe_problems(browser: Browser) -> list[str]:
    """Every violation on the page that is shown: rule, element and why."""
    browser.run(axe_source())
    browser.driver.set_script_timeout(180)
    found = browser.driver.execute_async_script(
        """
        const [rules, done] = arguments;
        axe.run(document, {runOnly: rules, resultTypes: ["violations"]})
            .then((result) => done(result.violations), (error) => done(String(error)));
        """,
        list(RULES),
    )
    assert isinstance(found, list), found
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for rule in found
        for node in rule["nodes"]
    ]


def tab_order(browser: Browser, most: int = 400) -> list[list[float]]:
    """Top, bottom, left and right of what the tab key reaches, in its order, in pixels."""
    return browser.run(
        """
        const fields = "a[href], button, input, select, summary, [tabindex='0']";
        const shown = [...document.querySelectorAll(fields)].filter((f) => f.checkVisibility());
        // a positive tabindex would jump the queue
        if (shown.some((f) => f.tabIndex > 0)) throw new Error("positive tabindex");
        return shown.slice(0, arguments[0]).map((f) => {
          const box = f.getBoundingClientRect();
          return [box.top + scrollY, box.bottom + scrollY, box.left, box.right];
        });
        """,
        most,
    )
