"""What the tests of pages in a browser share."""

from pathlib import Path
from urllib.parse import unquote

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
AXE = "4.14.1"
needs_browser = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}; the Makefile installs it"
)


class Watch:
    """Opens pages, and holds what they said on the console and asked of the network."""

    def __init__(self, browser, folder):
        self.browser, self.folder, self.pages, self.said, self.asked = browser, folder, [], [], []

    def open(self, name, width=1280, scheme="light"):
        page = self.browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.pages.append(page)
        page.on("console", lambda m: self.said.append(m.text) if m.type != "log" else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("requestfailed", lambda request: self.said.append(f"failed: {request.url}"))
        page.on("request", lambda request: self.asked.append(unquote(request.url)))
        page.goto(f"{self.folder.as_uri()}/{name}")
        return page

    def close(self):
        """Nothing may have gone wrong, or out of the folder."""
        for page in self.pages:
            page.close()
        home = self.folder.as_uri() + "/"
        assert self.said == []
        assert [url for url in self.asked if not url.startswith((home, "data:"))] == []


def draw(page):
    """Scrolls to every plot and waits for it."""
    for i in range(page.locator(".plot").count()):
        plot = page.locator(".plot").nth(i)
        plot.scroll_into_view_if_needed()
        plot.locator("svg.main-svg").first.wait_for()


def grave(page, axe):
    """What axe-core calls serious or critical on a page."""
    page.evaluate(axe + "; undefined")
    asked = "axe.run(document, { resultTypes: ['violations'], preload: false })"
    return [
        (v["id"], v["nodes"][0]["html"], v["nodes"][0]["failureSummary"])
        for v in page.evaluate(asked)["violations"]
        if v["impact"] in ("serious", "critical")
    ]
