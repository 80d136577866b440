"""Five questions of a new reader, each answered above the fold of the first screen."""

import pytest
from browsing import Watch, grave, needs_browser
from claim_records import make_trial
from report_records import fill

from genbench.core.claim import CLAIMS
from genbench.report.leaderboard import read_leaderboard
from genbench.report.site.build import write_report
from genbench.report.site.panorama import NOBODY, NOT_MEASURED
from genbench.running.evidence import ClaimEvidence
from genbench.store import Store

pytestmark = needs_browser
FOLD = 900
WIDTHS = (1280, 380)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    store = fill(Store(tmp_path_factory.mktemp("results")))
    evidence = ClaimEvidence(CLAIMS.get("nash_oscillation"), store)
    make_trial(evidence, list(range(evidence.claim.seeds)))
    return read_leaderboard(store)


@pytest.fixture(scope="module")
def folder(shown, tmp_path_factory):
    return write_report(shown, tmp_path_factory.mktemp("report")).parent


@pytest.fixture(scope="module")
def digits(shown):
    (table,) = [t for t in shown.tables if t.name == "digits"]
    return table.standings


@pytest.fixture
def opened(browser, folder):
    watch = Watch(browser, folder)
    yield watch.open
    watch.close()


def above(locator):
    """The text of what can be seen without scrolling."""
    assert locator.is_visible()
    box = locator.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= FOLD, f"{box} is below the fold"
    return (
        locator.text_content()
        if locator.evaluate("e => e.tagName") == "svg"
        else locator.inner_text()
    )


def board(page, name="digits"):
    page.locator("#choice").select_option(name)
    return page.locator(f".choice[data-name='{name}']")


@pytest.mark.parametrize("width", WIDTHS)
def test_which_family_wins_on_digits(opened, digits, width):
    rows = board(opened("index.html", width=width)).locator("tbody tr")
    first = digits.first
    assert above(rows.nth(0).locator("th")).split()[:2] == [first.family, first.group.model]


@pytest.mark.parametrize("width", WIDTHS)
def test_how_sure(opened, digits, width):
    said = above(board(opened("index.html", width=width)).locator(".sure"))
    assert said.startswith(f"How sure: {digits.first.group.model}")
    assert digits.how_sure in said


def test_at_what_cost(opened):
    table = board(opened("index.html"))
    heads = table.locator("thead th").all_inner_texts()
    cells = table.locator("tbody tr").nth(0).locator("th, td")
    for head in ("a sample, ms", "training, s per seed"):
        (place,) = [i for i, text in enumerate(heads) if text == head]
        assert float(above(cells.nth(place))) > 0


def test_the_verdict_of_mode_collapse(opened):
    page = opened("index.html")
    row = page.locator(".scoreboard dl div", has=page.locator("a", has_text="mode-collapse"))
    above(row.locator("a", has_text="mode-collapse"))
    assert "not measured" in row.locator("dt").inner_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_how_to_reproduce_the_number(opened, digits, width):
    page = opened("index.html", width=width)
    command = above(board(page).locator(".again code"))
    assert command == f"genbench run row-{digits.first.group.id} -c reproduce.yaml"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_picture_and_the_verdict(opened, width):
    page = opened("index.html", width=width)
    assert " on " in above(page.locator(".answer"))
    panels = page.locator("svg.panel")
    assert panels.count() == 3
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    if width == 1280:
        above(panels.nth(2))
        digits, *plane = panels.all_text_contents()
        assert NOBODY in digits
        assert all(f"modes_strict{NOT_MEASURED}" in words for words in plane)
        assert "with ?: not measured" in above(page.locator(".panorama figcaption").first)


def test_the_selector_changes_the_table_by_keyboard(opened, axe):
    page = opened("index.html")
    assert page.locator(".choice:visible").count() == 1
    page.locator("#choice").focus()
    shown = page.locator("#choice").input_value()
    page.keyboard.press("ArrowDown" if shown == "digits" else "ArrowUp")
    page.wait_for_function("old => document.getElementById('choice').value !== old", arg=shown)
    assert page.locator(".choice:visible").get_attribute("data-name") != shown
    assert page.locator(".choice:visible").count() == 1
    assert grave(page, axe) == []


def test_a_data_page_is_six_screens_at_most_and_shows_costs(opened):
    page = opened("data-digits.html")
    assert page.evaluate("document.scrollingElement.scrollHeight") <= 6 * FOLD
    for head in ("training, s per seed", "parameters", "latency_1_p50_ms"):
        box = page.locator("#board thead th", has_text=head).first.bounding_box()
        assert box["x"] + box["width"] <= 1280
