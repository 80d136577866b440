"""The pages in a real browser, from disk."""

import shutil

import pytest
from browsing import Watch, draw, grave, needs_browser
from report_records import HOSTILE, failed, record

from genbench.report.leaderboard import read_leaderboard, write_leaderboards
from genbench.report.site.build import write_report
from genbench.report.tables import make_leaderboards
from genbench.store import CurvePoint, Store

pytestmark = needs_browser
PAGES = (
    *("index.html", "data-ring.html", "data-digits.html", "model-gan.html", "compare.html"),
    *("failures.html", "environment.html", "fairness.html", "public/index.html"),
)


@pytest.fixture(scope="module")
def folder(store, site, tmp_path_factory):
    made = shutil.copytree(site, tmp_path_factory.mktemp("report") / "site")
    write_leaderboards(make_leaderboards(store.records()), made / "public", title="public")
    return made


@pytest.fixture
def opened(browser, folder):
    watch = Watch(browser, folder)
    yield watch.open
    watch.close()


@pytest.fixture(scope="module")
def ring(browser, folder):
    """One page that several tests read, each in another part."""
    watch = Watch(browser, folder)
    page = watch.open("data-ring.html")
    draw(page)
    yield page
    watch.close()


def column(table, name):
    """The head of a column, and a function that reads its values."""
    head = table.locator("thead th", has_text=name).first
    place = head.evaluate("th => [...th.parentNode.children].indexOf(th)")
    read = f"rows => rows.map(row => row.children[{place}].dataset.v)"
    return head, lambda: table.locator("tbody tr").evaluate_all(read)


def test_plots_and_pictures_are_drawn_and_no_hostile_text_runs(ring, opened):
    page = ring
    assert page.locator(".curves .scatterlayer .trace").count() >= 6
    canvas = page.locator("canvas[data-points]").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_function("c => c.width > 100", arg=canvas.element_handle())
    inked = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
    assert canvas.evaluate(inked)
    assert page.evaluate("window.hacked") is None
    page = opened("data-digits.html")
    picture = page.locator(".gallery img").first
    picture.scroll_into_view_if_needed()
    page.wait_for_function("i => i.complete && i.naturalWidth > 20", arg=picture.element_handle())


def test_tables_sort_by_number_and_back_by_keyboard(ring):
    page = ring
    head, values = column(page.locator("#board"), "latency_1_p50_ms")
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    found = [float(v) for v in values() if v]
    assert found == sorted(found)
    assert len(found) == 7
    head.locator("button").press("Space")
    assert head.get_attribute("aria-sort") == "descending"
    assert [float(v) for v in values() if v] == sorted(found, reverse=True)


def test_rows_without_a_value_sort_last(opened):
    page = opened("data-digits.html")
    head, values = column(page.locator("#board"), "bits_per_dim")
    for _ in range(2):
        head.locator("button").click()
        cells = values()
        assert cells[0] != ""
        assert cells[1:] == [""] * (len(cells) - 1)


def test_the_filter_leaves_rows_that_hold_every_word(ring):
    page = ring
    rows = page.locator("#board tbody tr:visible")
    assert rows.count() == 7
    page.locator("input.filter").fill("implicit WGAN")
    assert rows.count() == 1
    assert page.locator("#board-count").inner_text() == "1 of 7 rows"
    page.locator("input.filter").fill("")
    assert rows.count() == 7


def test_the_theme_follows_the_system_and_the_button(opened):
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(255, 255, 255)", "rgb(20, 23, 26)"
    page = opened("index.html", scheme="dark")
    assert page.evaluate(paper) == dark
    page.locator("#theme").press("Enter")
    assert page.evaluate(paper) == light
    page = opened("data-ring.html")
    draw(page)
    plot = page.locator(".curves").element_handle()
    before = plot.evaluate("p => p.layout.font.color")
    page.locator("#theme").press("Enter")
    assert page.evaluate(paper) == dark
    page.wait_for_function("([p, old]) => p.layout.font.color !== old", arg=[plot, before])


def test_curves_switch_between_quantities_and_axes(ring):
    page = ring
    plot = page.locator(".curves").first
    bar = page.locator(".bar", has=page.locator(".quantity")).first
    bar.locator(".axis").select_option("seconds")
    title = "([p, key, text]) => p.layout[key].title.text === text"

    def wait(key, text):
        page.wait_for_function(title, arg=[plot.element_handle(), key, text])

    wait("xaxis", "seconds of training, a seed's share")
    assert plot.evaluate("p => Math.max(...p.data[1].x)") == pytest.approx(1.0)
    bar.locator(".quantity").select_option(label="loss of the critic")
    wait("yaxis", "loss of the critic")
    bar.locator(".quantity").select_option(label="mmd")
    wait("yaxis", "mmd")
    assert plot.evaluate("p => p.layout.yaxis.type") == "log"
    bar.locator(".log").uncheck()
    page.wait_for_function("p => p.layout.yaxis.type !== 'log'", arg=plot.element_handle())


def test_quality_is_plotted_against_every_cost(ring):
    page = ring
    plot = page.locator(".pareto")
    costs = page.locator("select.cost option").all_inner_texts()
    assert costs == ["latency of one sample, ms", "training, s per seed", "parameters"]
    page.locator("select.cost").select_option(label="parameters")
    page.wait_for_function(
        "p => p.layout.xaxis.title.text === 'parameters'", arg=plot.element_handle()
    )
    assert "pixelcnn" in plot.get_attribute("aria-label")


def test_all_columns_can_be_shown(ring):
    page = ring
    hidden = page.locator(".board th.extra").first
    assert not hidden.is_visible()
    page.locator(".all-columns").first.check()
    assert hidden.is_visible()


def test_two_models_are_compared_over_common_seeds(opened, store):
    from scipy.stats import ttest_rel

    page = opened("compare.html#a=wgan_gp&b=vae")
    assert page.locator("#a").input_value() == "wgan_gp"
    assert page.locator("#b").input_value() == "vae"
    board = page.locator("#compared section", has_text="ring").last
    row = board.locator("tr", has_text="mmd").first
    (table,) = [t for t in make_leaderboards(store.records()) if t.name == "ring"]
    mmd = next(c for c in table.columns if c.id == "mmd" and c.split == "test")
    a, b = (
        list(table.cell(next(g for g in table.groups if g.label == name), mmd).values.values())
        for name in ("wgan_gp", "vae")
    )
    ends = ttest_rel(a, b).confidence_interval(0.95)
    mid, half = row.locator("td").nth(2).inner_text().split(" ± ")
    assert float(mid) == pytest.approx((ends.low + ends.high) / 2, rel=0.01)
    assert float(half) == pytest.approx((ends.high - ends.low) / 2, rel=0.01)
    assert row.locator("td").nth(4).inner_text() == "wgan_gp is better"
    page.locator("#b").select_option(label="real_nvp")
    assert "b=real_nvp" in page.url
    assert page.locator("#compared figcaption b").nth(1).inner_text() == "real_nvp"


def test_no_two_rows_of_a_plot_look_the_same(browser, tmp_path):
    store = Store(tmp_path / "results")
    for width in range(50):
        store.write(record(store, "gan", "ring", 0, with_samples=False, options={"width": width}))
    watch = Watch(browser, write_report(read_leaderboard(store), tmp_path / "out").parent)
    page = watch.open("data-ring.html")
    draw(page)
    lines = "p => p.data.filter(t => t.name).map(t => [t.name, t.line.color, t.line.dash])"
    marks = "p => p.data.filter(t => t.name).map(t => [t.name, t.marker.color, t.marker.symbol])"
    looks = []
    for kind, read in ((".curves", lines), (".pareto", marks)):
        rows = page.locator(kind).evaluate(read)
        assert len(rows) == 50
        assert len({tuple(look) for _, *look in rows}) == 50
        looks.append({name: colour for name, colour, _ in rows})
    assert looks[0] == looks[1], "a row has one colour on a page"
    watch.close()


def test_rows_that_differ_in_their_last_option_alone_have_other_names_in_plots(browser, tmp_path):
    store = Store(tmp_path / "results")
    for network, width in (("convolutional", 1), ("convolutional", 2), ("perceptron", 2)):
        options = {"network": network, "width": width}
        store.write(record(store, "gan", "ring", 0, with_samples=False, options=options))
    watch = Watch(browser, write_report(read_leaderboard(store), tmp_path / "out").parent)
    page = watch.open("data-ring.html")
    draw(page)
    labels = {
        group.label for (table,) in [make_leaderboards(store.records())] for group in table.groups
    }
    assert min(map(len, labels)) > 28
    for kind in (".curves", ".pareto"):
        names = page.locator(kind).evaluate("p => p.data.map(t => t.name).filter(name => name)")
        assert {name.replace("<br>", " ") for name in names} == labels
    watch.close()


def test_narrow_plots_have_the_legend_above_and_wide_ones_their_height_back(opened):
    page = opened("data-ring.html", width=380)
    draw(page)
    plot = page.locator(".curves").first
    legend = plot.locator(".legend").bounding_box()
    area = plot.locator(".cartesianlayer").first.bounding_box()
    assert legend["y"] + legend["height"] <= area["y"] + 1
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_function("p => p.style.height === ''", arg=plot.element_handle())


@pytest.mark.parametrize(
    ("high", "kind"), [(1.2, "linear"), (1.9, "log"), (40.0, "log"), (1e6, "log")]
)
def test_an_axis_of_curves_has_three_ticks(browser, tmp_path, high, kind):
    store = Store(tmp_path / "results")
    row = record(store, "gan", "ring", 0, with_samples=False)
    ends = [CurvePoint(step=i, seconds=i, metrics={"mmd": v}) for i, v in enumerate((1.0, high))]
    store.write(row.model_copy(update={"curve": ends}))
    watch = Watch(browser, write_report(read_leaderboard(store), tmp_path / "out").parent)
    page = watch.open("data-ring.html")
    draw(page)
    plot = page.locator(".curves")
    assert plot.evaluate("p => p._fullLayout.yaxis.type") == kind
    assert plot.locator(".ytick").count() >= 3
    watch.close()


def test_the_taxonomy_leads_to_models_by_keyboard(opened):
    page = opened("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator(".tree a", has_text="wgan_gp").press("Enter")
    page.wait_for_url("**/model-wgan_gp.html")
    assert page.locator("h1").inner_text() == "wgan_gp"


@pytest.mark.parametrize("name", PAGES)
def test_narrow_pages_do_not_overflow_and_pictures_have_words(opened, name):
    page = opened(name, width=380, scheme="dark")
    if name == "data-ring.html":
        draw(page)
    for summary in page.locator("details summary").all():
        summary.click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 380
    bare = "things => things.filter(t => !(t.getAttribute('aria-label') || t.getAttribute('alt')))"
    assert page.locator("canvas, img, .plot").evaluate_all(f"{bare}") == []
    assert page.locator("figure").count() == page.locator("figure figcaption").count()


def test_the_menu_of_data_sets_breaks_names_that_a_phone_is_too_narrow_for(opened):
    page = opened("index.html", width=380)
    first = page.locator(".top .datasets a").first
    assert not first.is_visible()
    first.evaluate(
        "a => { a.textContent = 'edges (coarse=4, of=fashion_mnist, pairs=1000, unseen)' }"
    )
    page.locator(".top .datasets summary").press("Enter")
    assert first.is_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 380


def test_long_quoted_and_right_to_left_texts_are_shown_as_text(browser, tmp_path):
    store = Store(tmp_path / "results")
    wild = f"{HOSTILE}\"'><img src=x onerror=window.hacked=true>\u202e\u05e9\u05dc{{{{ 7*7 }}}}"
    for options in ({"note": wild + "x" * 10_000}, {"note": wild}):
        for seed in range(2):
            good = record(store, "gan", "ring", seed, options=options)
            good = good.model_copy(update={"taxonomy": f"implicit/{wild}"})
            bad = failed(good, "error", "train", wild + "y" * 10_000)
            store.write(bad if seed else good)
    watch = Watch(
        browser, write_report(read_leaderboard(store), tmp_path / "out", title=wild).parent
    )
    for name in ("index.html", "data-ring.html", "model-gan.html", "compare.html"):
        page = watch.open(name, width=380)
        draw(page)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 380
        assert page.evaluate("window.hacked") is None
        assert "{{ 7*7 }}" in page.locator("body").inner_text()
    watch.close()


@pytest.mark.parametrize(
    ("name", "scheme"),
    [*((name, "light") for name in PAGES), ("index.html", "dark"), ("data-ring.html", "dark")],
)
def test_axe_finds_nothing_serious(opened, axe, name, scheme):
    page = opened(name, scheme=scheme)
    for summary in page.locator("details summary").all():
        summary.click()
    assert grave(page, axe) == []


def test_a_printed_page_has_every_plot_and_picture_and_nothing_behind_an_edge(opened):
    page = opened("data-ring.html", 794, "dark")
    page.emulate_media(media="print")
    for name in (".plot svg.main-svg", "canvas[data-points]"):
        page.locator(name).last.wait_for()
    plots = page.locator(".plot")
    assert plots.count() == page.locator(".plot:has(svg.main-svg)").count() > 0
    cut = (
        "all => all.filter(e => getComputedStyle(e).overflowX !== 'visible').map(e => e.className)"
    )
    assert page.locator(".scroll").evaluate_all(cut) == []
    assert page.locator(".bar input:visible, .bar select:visible").count() == 0
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.emulate_media(media="screen")
    page.wait_for_function(f"() => {paper} !== 'rgb(255, 255, 255)'")


def test_a_printed_page_of_a_model_has_its_scores(opened):
    page = opened("model-gan.html", 794)
    page.emulate_media(media="print")
    assert page.locator("details.scores td.num").first.is_visible()
