"""Five questions of a new reader, each answered above the fold of the first screen."""

import re

import pytest
from browsing import Watch, grave, needs_browser
from report_claims import fill_claims
from report_records import fill

from genbench.report.leaderboard import read_leaderboard
from genbench.report.site.build import write_report

pytestmark = needs_browser
FOLD = 900
WIDTHS = (1280, 380)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    store = fill_claims(root)
    return write_report(read_leaderboard(fill(store)), tmp_path_factory.mktemp("report")).parent


@pytest.fixture
def opened(browser, folder):
    watch = Watch(browser, folder)
    yield watch.open
    watch.close()


def above(locator):
    """The text of what can be seen without scrolling."""
    locator = locator.first
    assert locator.is_visible()
    box = locator.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= FOLD, f"{box} is below the fold"
    return locator.inner_text()


def board(page, name="digits"):
    page.locator("#choice").select_option(name)
    return page.locator(f".choice[data-name='{name}']")


@pytest.mark.parametrize("width", WIDTHS)
def test_which_family_wins_on_digits(opened, width):
    rows = board(opened("index.html", width=width)).locator("tbody tr")
    assert above(rows.nth(0).locator("th")).startswith("autoregressive pixelcnn")


@pytest.mark.parametrize("width", WIDTHS)
def test_how_sure(opened, width):
    page = opened("index.html", width=width)
    assert re.search(
        r"pixelcnn is .*(significantly better|cannot be distinguished)",
        above(board(page).locator(".sure")),
    )


def test_at_what_cost(opened):
    table = board(opened("index.html"))
    heads = table.locator("thead th").all_inner_texts()
    cells = table.locator("tbody tr").nth(0).locator("th, td")
    for head in ("a sample, ms", "training, s per seed"):
        (place,) = [i for i, text in enumerate(heads) if text == head]
        assert float(above(cells.nth(place))) > 0


@pytest.mark.parametrize("width", WIDTHS)
def test_the_verdict_of_mode_collapse(opened, width):
    page = opened("index.html", width=width)
    row = page.locator(".scoreboard dl div", has=page.locator("a", has_text="mode-collapse"))
    above(row.locator("a", has_text="mode-collapse"))
    assert "not measured" in row.locator("dt").inner_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_how_to_reproduce_the_number(opened, width):
    page = opened("index.html", width=width)
    command = above(board(page).locator(".again code"))
    assert re.fullmatch(r"genbench run row-\w+ -c reproduce.yaml", command)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_picture_and_the_verdict(opened, width):
    page = opened("index.html", width=width)
    assert "autoregressive" in above(page.locator(".answer"))
    panels = page.locator("svg.panel")
    assert panels.count() == 3
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    if width == 1280:
        above(panels.last)
        labels = page.locator("svg.panel .label").all_inner_texts()
        assert set(labels) <= {"autoregressive", "flow", "adversarial", "variational"}
        assert labels


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
