"""The claims' page in a real browser, from disk."""

import pytest
from browsing import Watch, draw, grave, needs_browser
from report_claims import fill_claims, plant

from genbench.core.claim import CLAIMS
from genbench.report.leaderboard import read_leaderboard
from genbench.report.site.build import write_report

pytestmark = needs_browser
BARE = (
    "things => things.filter(t => !(t.getAttribute('aria-label') || t.getAttribute('alt'))).length"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    plant()
    store = fill_claims(tmp_path_factory.mktemp("results"))
    yield write_report(read_leaderboard(store), tmp_path_factory.mktemp("report")).parent
    CLAIMS._objects = {n: c for n, c in CLAIMS._objects.items() if not n.startswith("hostile")}


@pytest.fixture
def opened(browser, folder):
    watch = Watch(browser, folder)
    yield watch.open
    watch.close()


def test_plots_are_drawn_in_every_theme_and_no_hostile_text_runs(opened):
    page = opened("claims.html")
    draw(page)
    lines = page.locator("#claim-nash-oscillation .plot")
    assert lines.locator(".scatterlayer .trace").count() == 15
    assert page.locator("#claim-sample-quality .plot .boxlayer .trace").count() == 5
    assert page.locator("#claim-hostile-cloud .plot .scatterlayer .point").count() == 8
    kinds = lines.evaluate("p => [p.layout.xaxis.type, p.layout.yaxis.type]")
    assert kinds == ["linear", "log"]
    across = page.locator("#claim-hostile-strip .plot").evaluate(
        "p => p.layout.annotations[0].text"
    )
    assert across.startswith("&lt;script&gt;")
    assert page.evaluate("window.hacked") is None
    assert "{{ 7*7 }}" in page.locator("#claim-hostile-cloud").inner_text()
    before = lines.evaluate("p => p.layout.font.color")
    page.locator("#theme").press("Enter")
    changed = "([p, old]) => p.layout.font.color !== old"
    page.wait_for_function(changed, arg=[lines.element_handle(), before])


def test_the_overview_sorts_filters_and_leads_to_cards(opened):
    page = opened("claims.html")
    rows = page.locator("#overview tbody tr:visible")
    whole = rows.count()
    page.locator("input.filter").fill("sample supported")
    assert rows.count() == 1
    assert page.locator("#overview-count").inner_text() == f"1 of {whole} rows"
    page.locator("input.filter").fill("")
    page.locator("#overview thead button", has_text="verdict").press("Enter")
    said = page.locator("#overview tbody .verdict").all_inner_texts()
    assert said == sorted(said)
    page.locator("#overview a", has_text="nash-oscillation").press("Enter")
    assert page.url.endswith("#claim-nash-oscillation")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_pages_do_not_overflow_and_pictures_have_words(opened, axe, scheme):
    page = opened("claims.html", width=380, scheme=scheme)
    draw(page)
    for summary in page.locator("details summary").all():
        summary.click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 380
    assert page.locator("canvas, img, .plot, .forest svg").evaluate_all(BARE) == 0
    assert page.locator("figure").count() == page.locator("figure figcaption").count()
    assert grave(page, axe) == []


def test_the_overview_page_leads_to_a_claim(opened):
    page = opened("index.html")
    page.locator("a[href='claims.html#claim-sample-quality']").press("Enter")
    page.wait_for_url("**/claims.html#claim-sample-quality")
    assert page.locator("#claim-sample-quality h2 .verdict").inner_text() == "supported"
