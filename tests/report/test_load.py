"""A report over 5,000 records: how large it is, and how soon its pages can be read in a browser."""

import pytest
from browsing import ARGS, CHROMIUM, needs_browser
from report_records import FAMILIES, record

from genbench.report.leaderboard import read_leaderboard
from genbench.report.site.build import write_report
from genbench.store import Store

DATASETS = ("ring", "grid", "digits", "moons", "circle")
#: variants of a model, which differ in an option: 5 x 6 x 21 x 8 records are 5,040
VARIANTS, SEEDS = 21, 8
DURATION = "performance.getEntriesByType('navigation')[0].duration"
BYTES, SECONDS = 20e6, 2.0
pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("results"))
    made = [
        record(store, model, dataset, seed, options={"hidden": [64 + variant]})
        for dataset in DATASETS
        for model in FAMILIES
        for variant in range(VARIANTS)
        for seed in range(SEEDS)
    ]
    assert len(made) >= 5_000
    for each in made:
        store.write(each)
    return write_report(read_leaderboard(store), tmp_path_factory.mktemp("report")).parent


def test_the_folder_is_small(folder):
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{size / 1e6:.1f} MB of {BYTES / 1e6:.0f}")
    assert size <= BYTES


@pytest.mark.parametrize("name", ["index.html", "data-digits.html", "model-gan.html"])
def test_pages_load_in_two_seconds(folder, name):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        page = browser.new_page()
        page.goto((folder / "environment.html").as_uri())
        times = []
        for _ in range(3):
            page.goto((folder / name).as_uri(), wait_until="load")
            times.append(page.evaluate(DURATION))
        browser.close()
    seconds = min(times) / 1e3
    print(f"{name}: {seconds:.2f} s of {SECONDS}")
    assert 0 < seconds <= SECONDS
