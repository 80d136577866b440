"""Pages of pairs say how much a source leaves open, computed from their rows."""

import pytest
from report_records import FAMILIES, measured, record

from genbench.core.dataset import open_named
from genbench.metrics.psnr import psnr
from genbench.report.ambiguity import describe_ambiguity
from genbench.report.leaderboard import read_leaderboard
from genbench.report.site.build import write_report
from genbench.report.tables import make_leaderboards
from genbench.store import Store


@pytest.fixture(autouse=True)
def rows_without_networks(monkeypatch):
    for name in ("copy", "mean_answer"):
        monkeypatch.setitem(FAMILIES, name, ("reference", 0.5, 1))


def scored(store, model, dataset, decibels):
    for seed, value in enumerate(decibels):
        row = record(store, model, dataset, seed, with_samples=False)
        column = measured("psnr", value, "n=2000/2000", better="higher", unit="dB")
        yield row.model_copy(update={"metrics": [column]})


def test_the_share_is_of_the_best_rows_error_over_the_truths_variance(tmp_path):
    store, data = Store(tmp_path / "results"), open_named("edges")
    x = data.points("test")[:2000]
    mean = x.double().mean(0, keepdim=True).expand(len(x), -1, -1, -1)
    constant = psnr(x, x, mean, None, rng=None).value
    rows = [
        *scored(store, "copy", "edges", [8.0, 8.0]),
        *scored(store, "gan", "edges", [19.0, 21.0]),
    ]
    (table,) = make_leaderboards(rows)
    sentence = describe_ambiguity(table, data)
    assert f"{10 ** ((constant - 20) / 10):.1%} of the variance" in sentence
    assert "that of gan" in sentence
    assert "(20 dB, n=2000/2000)" in sentence
    # the average itself leaves all of it
    (table,) = make_leaderboards(scored(store, "mean_answer", "edges", [constant]))
    assert "100.0% of the variance" in describe_ambiguity(table, data)


def test_it_says_nothing_where_nothing_is_known(tmp_path):
    store = Store(tmp_path / "results")
    (table,) = make_leaderboards(scored(store, "gan", "edges", [20.0]))
    assert describe_ambiguity(table, None) is None
    assert describe_ambiguity(table, open_named("digits")) is None
    assert describe_ambiguity(table, open_named("attribute")) is None  # no truth to be near
    (table,) = make_leaderboards([record(store, "gan", "ring", 0, with_samples=False)])
    assert describe_ambiguity(table, open_named("edges")) is None


def test_the_page_of_a_data_set_shows_it(tmp_path):
    store = Store(tmp_path / "results")
    for row in scored(store, "gan", "moving_digits", [13.0] * 5):
        store.write(row)
    write_report(read_leaderboard(store), tmp_path / "report")
    (path,) = (tmp_path / "report").glob("data*moving*digits*.html")
    page = path.read_text()
    assert "What a source leaves open: the least squared error of the rows, that of gan" in page
    assert "what is open is known: error_over_least" in page
