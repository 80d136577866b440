"""The page in a real browser, from disk."""

from pathlib import Path

import pytest

from genbench.report.site import write_report

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}; the Makefile installs it"
)
ARGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def page_file(store, tmp_path_factory):
    return write_report(store, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, page_file):
    """Opens the page at a width; afterwards nothing may have gone wrong or out to the network."""
    said, asked, pages = [], [], []

    def open_at(width=1280, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on(
            "console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        return page

    yield open_at
    for page in pages:
        page.close()
    assert said == []
    assert [
        url for url in asked if url != page_file.as_uri() and not url.startswith("data:")
    ] == []


def shown(page, selector):
    thing = page.locator(selector).first
    thing.scroll_into_view_if_needed()
    return thing


def test_everything_is_drawn_and_no_hostile_text_runs(opened):
    page = opened()
    for selector in (".curves", ".pareto"):
        for i in range(page.locator(selector).count()):
            plot = page.locator(selector).nth(i)
            plot.scroll_into_view_if_needed()
            plot.locator("svg.main-svg").first.wait_for()
    assert page.locator(".curves .scatterlayer .trace").count() >= 15
    canvas = shown(page, "canvas[data-points]")
    page.wait_for_function("c => c.width > 100", arg=canvas.element_handle())
    inked = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
    assert canvas.evaluate(inked)
    assert page.evaluate("window.hacked") is None


def test_tables_sort_by_number_and_back(opened):
    page = opened()
    board = page.locator(".board table").first
    header = board.locator("thead th", has_text="latency_1_p50_ms")
    place = header.evaluate("th => [...th.parentNode.children].indexOf(th)")

    def values():
        cells = board.locator("tbody tr").evaluate_all(
            f"rows => rows.map(row => row.children[{place}].dataset.v)"
        )
        return [float(v) for v in cells if v]

    header.locator("button").press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert values() == sorted(values())
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert values() == sorted(values(), reverse=True)


def test_rows_without_a_value_sort_last(opened):
    page = opened()
    board = page.locator(".board table").first
    header = board.locator("thead th", has_text="bits_per_dim").first
    place = header.evaluate("th => [...th.parentNode.children].indexOf(th)")
    for _ in range(2):
        header.locator("button").click()
        cells = board.locator("tbody tr").evaluate_all(
            f"rows => rows.map(row => row.children[{place}].dataset.v)"
        )
        assert cells[0] != ""
        assert cells[1:] == [""] * (len(cells) - 1)


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_the_theme_follows_the_system_and_the_button(opened, scheme, other):
    page = opened(scheme=scheme)
    paper = "getComputedStyle(document.body).backgroundColor"
    plot = shown(page, ".curves")
    plot.locator("svg.main-svg").first.wait_for()
    ink = "p => p.layout.font.color"
    colours = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}
    assert page.evaluate(paper) == colours[scheme]
    before = plot.evaluate(ink)
    page.locator("#theme").click()
    assert page.evaluate(paper) == colours[other]
    assert plot.evaluate(ink) != before


def test_curves_switch_between_quantities_and_axes(opened):
    page = opened()
    plot = shown(page, ".curves")
    plot.locator("svg.main-svg").first.wait_for()
    bar = page.locator(".bar", has=page.locator(".quantity")).first
    bar.locator(".axis").select_option("seconds")
    assert plot.evaluate("p => p.layout.xaxis.title.text") == "seconds of training"
    assert plot.evaluate("p => Math.max(...p.data[1].x)") == pytest.approx(8.0)
    bar.locator(".quantity").select_option(label="loss of the critic")
    assert plot.evaluate("p => p.layout.yaxis.title.text") == "loss of the critic"


def test_all_columns_can_be_shown(opened):
    page = opened()
    hidden = page.locator(".board th.extra").first
    assert not hidden.is_visible()
    page.locator(".all-columns").first.check()
    assert hidden.is_visible()


@pytest.mark.parametrize("width", [380, 768])
def test_narrow_pages_do_not_overflow(opened, width):
    page = opened(width=width)
    for i in range(page.locator(".plot").count()):
        page.locator(".plot").nth(i).scroll_into_view_if_needed()
        page.locator(".plot").nth(i).locator("svg.main-svg").first.wait_for()
    page.locator("details summary").first.click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


def test_every_picture_has_words(opened):
    page = opened()
    bare = "things => things.filter(t => !(t.getAttribute('aria-label') || t.getAttribute('alt')))"
    assert page.locator("canvas, img, .plot").evaluate_all(f"{bare}") == []
    assert page.locator("figure").count() == page.locator("figure figcaption").count()
