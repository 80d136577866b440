"""The claims' page in a real browser, from disk."""

import pytest
from browsing import Watch, draw, grave, needs_browser

from genbench.report.site.templating import file_name

pytestmark = needs_browser
BARE = (
    "things => things.filter(t => !(t.getAttribute('aria-label') || t.getAttribute('alt'))).length"
)


@pytest.fixture(scope="module")
def folder(site_of_claims):
    return site_of_claims[1]


@pytest.fixture
def opened(browser, folder):
    watch = Watch(browser, folder)
    yield watch.open
    watch.close()


def test_plots_are_drawn_in_every_theme_and_no_hostile_text_runs(opened):
    page = opened(file_name("claim", "nash-oscillation"))
    draw(page)
    lines = page.locator(".plot")
    assert lines.locator(".scatterlayer .trace").count() == 15
    kinds = lines.evaluate("p => [p.layout.xaxis.type, p.layout.yaxis.type]")
    assert kinds == ["linear", "log"]
    before = lines.evaluate("p => p.layout.font.color")
    page.locator("#theme").press("Enter")
    changed = "([p, old]) => p.layout.font.color !== old"
    page.wait_for_function(changed, arg=[lines.element_handle(), before])
    page = opened(file_name("claim", "sample-quality"))
    draw(page)
    families = page.locator(".plot").evaluate_all(
        "plots => plots.map((p) => p.querySelectorAll('.boxlayer .trace').length)"
    )
    assert families == [5, 5]  # on digits and on Fashion-MNIST
    page = opened(file_name("claim", "hostile-cloud"))
    draw(page)
    assert page.locator(".plot .scatterlayer .point").count() == 8
    assert "{{ 7*7 }}" in page.locator("#claim-hostile-cloud").inner_text()
    assert page.evaluate("window.hacked") is None
    page = opened(file_name("claim", "hostile-strip"))
    draw(page)
    across = page.locator(".plot").evaluate("p => p.layout.annotations[0].text")
    assert across.startswith("&lt;script&gt;")
    assert page.evaluate("window.hacked") is None


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
    page.wait_for_url(f"**/{file_name('claim', 'nash-oscillation')}")


PAGES = ["claims.html", *(file_name("claim", id) for id in ("sample-quality", "hostile-strip"))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_narrow_pages_do_not_overflow_and_pictures_have_words(opened, axe, name, scheme):
    page = opened(name, width=380, scheme=scheme)
    draw(page)
    for summary in page.locator("details summary").all():
        summary.click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 380
    assert page.locator("canvas, img, .plot, .forest svg").evaluate_all(BARE) == 0
    assert page.locator("figure").count() == page.locator("figure figcaption").count()
    assert grave(page, axe) == []


def test_the_overview_page_leads_to_a_claim_whose_verdict_is_on_the_first_screen(opened):
    page = opened("index.html", width=380)
    page.locator(".scoreboard a", has_text="sample-quality").press("Enter")
    page.wait_for_url(f"**/{file_name('claim', 'sample-quality')}")
    verdict = page.locator("h1 .verdict")
    assert verdict.inner_text() == "supported"
    box = verdict.bounding_box()
    assert box["y"] + box["height"] <= 900
