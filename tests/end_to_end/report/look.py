"""What a person with a keyboard or a screen reader meets on a page, as JSON: run as a process of its own.

    python -m tests.end_to_end.report.look CHROMIUM URL [URL ...]

In: the browser's command and the addresses of pages. Out, on standard output: for each page axe's findings in light and
dark, and what the Tab key reaches. A process of its own, because Playwright brings its own event loop, and other tests
patch the interpreter's.
"""

import json
import os
import sys
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

# High enough that all charts are near, and so drawn.
WINDOW = {"width": 1200, "height": 12_000}
TABS_MAX = 120
PATIENCE_MS = 120_000
FOCUSED = """() => {
  const it = document.activeElement, style = getComputedStyle(it);
  const label = it.labels && it.labels[0] ? it.labels[0].innerText : "";
  const shown = it.labels && it.labels[0] ? getComputedStyle(it.nextElementSibling || it) : style;
  return {tag: it.tagName.toLowerCase(), name: it.getAttribute("aria-label") || label || it.innerText || it.value || "",
          outlined: shown.outlineStyle !== "none" && shown.outlineWidth !== "0px"};
}"""


def look(browser: Browser, url: str) -> dict[str, Any]:
    """Of one page: `findings` by colour scheme, and `tabs`, the elements that the Tab key reaches, in their order."""
    found: dict[str, Any] = {"findings": {}}
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport=WINDOW, color_scheme=scheme)
        page.goto(url)
        wait_for_charts(page)
        violations = Axe().run(page).response["violations"]
        found["findings"][scheme] = [
            {"id": one["id"], "impact": one["impact"], "nodes": [node["html"][:200] for node in one["nodes"]][:5]}
            for one in violations
        ]
        if scheme == "light":
            found["tabs"] = list(_tabs(page))
            found["chosen"] = _choose_with_arrows(page)
        page.close()
    return found


def wait_for_charts(page: Page) -> None:
    """Until every chart of the page is drawn."""
    charts = page.locator(".plot").count()
    if charts:
        page.locator(f"html[data-drawn='{charts}']").wait_for(state="attached", timeout=PATIENCE_MS)


def _tabs(page: Page) -> list[dict[str, Any]]:
    seen = []
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused["tag"] == "body":
            break
        seen.append(focused)
    return seen


def _choose_with_arrows(page: Page) -> str | None:
    """The type that the filter shows after one arrow key."""
    if not page.locator("#filter").count():
        return None
    page.locator("#filter input").first.focus()
    page.keyboard.press("ArrowRight")
    return str(page.evaluate("() => document.querySelector('#filter input:checked').value"))


def main() -> None:
    command, *urls = sys.argv[1:]
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=command, args=sandbox)
        print(json.dumps([look(browser, url) for url in urls]))
        browser.close()


if __name__ == "__main__":
    main()
