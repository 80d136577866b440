"""The panels of the overview: who is named, and that noise does not fill an axis."""

import pytest
from report_records import measured, spec

from genbench.report.floors import NO_BOUND, describe_floors, is_bound
from genbench.report.formats import to_markdown
from genbench.report.site.front import summarise
from genbench.report.site.frontier import find_cost, find_front, is_cheaper
from genbench.report.site.panorama import (
    NOBODY,
    WIDTH,
    make_axis,
    make_panel,
    place_labels,
)
from genbench.report.site.templating import to_breakable
from genbench.report.tables import make_leaderboards
from genbench.report.winners import make_sheet
from genbench.statistics.intervals import Estimate
from genbench.store import Record

CLASSIFIER = "classifier:digits@1, n=500/500"
NOISE = (-0.03, 0.01, 0.02, -0.01, 0.03, -0.02, 0.015, -0.015)


def make_table(rows, dataset="digits", hashes=None):
    """A data set with rows of eight seeds; each has an FID, a latency, and perhaps a recall that fails."""
    records = []
    for place, (model, (fid, latency, *worse)) in enumerate(rows.items()):
        for seed in range(8):
            own = spec(model, dataset, seed, options={})
            scores = [
                measured("fid", fid * (1 + NOISE[(seed + 3 * place) % 8]), CLASSIFIER, floor=11.4),
                measured("recall", *(worse or [0.9]), CLASSIFIER, better="higher", floor=0.95),
                measured("latency_1_p50_ms", latency * (1 + NOISE[(3 * seed + place) % 8]), "cpu", unit="ms"),
            ]  # fmt: skip
            records.append(
                Record(
                    cell=own.cell, group=own.group, status="ok", spec=own, taxonomy="implicit/direct",
                    metrics=scores, data_hashes=hashes or {"test": "0"},
                    family=f"family of {model}",
                )
            )  # fmt: skip
    (table,) = make_leaderboards(records)
    return table


def front_of(table):
    _, price = find_cost(table)
    rows = [(e, price(e.group)) for e in table.standings.entrants]
    return [e.group.model for e in find_front(rows, table.standings.ranking)]


def test_named_is_who_is_better_than_every_other_in_quality_or_in_cost():
    table = make_table({"gan": (30.0, 1.0), "vae": (10.0, 9.0), "made": (20.0, 20.0)})
    assert front_of(table) == ["gan", "vae"], "made is worse than vae, and dearer"
    assert make_panel(table)["remark"] == ""


@pytest.mark.parametrize(("tuned", "remark"), [("vae", "tuned unequally"), ("gan", "")])
def test_a_panel_says_where_the_first_was_tuned_and_a_rival_was_not(monkeypatch, tuned, remark):
    monkeypatch.setattr("genbench.report.groups.Group.tuned", property(lambda g: g.model == tuned))
    rows = {"gan": (30.0, 1.0), "vae": (10.0, 9.0), "made": (20.0, 20.0)}
    assert make_panel(make_table(rows))["remark"] == remark


def test_differences_within_intervals_name_nobody():
    table = make_table({"gan": (10.0, 0.750), "vae": (10.05, 0.755)})
    assert front_of(table) == []
    panel = make_panel(table)
    assert (panel["labels"], panel["front"], panel["remark"]) == ([], "", NOBODY)
    assert panel["words"].endswith("in quality or in cost: none.")


def test_of_two_alike_neither_is_named_beside_one_that_is_cheaper():
    table = make_table({"gan": (10.0, 5.0), "vae": (10.05, 5.02), "made": (30.0, 1.0)})
    assert front_of(table) == ["made"]


@pytest.mark.parametrize(
    ("one", "other", "cheaper"),
    [
        (Estimate(8, 1.0, 0.9, 1.1), Estimate(8, 1.3, 1.2, 1.4), True),
        (Estimate(8, 1.0, 0.9, 1.25), Estimate(8, 1.3, 1.2, 1.4), False),
        (Estimate(1, 1.0), Estimate(1, 1.05), False),
        (Estimate(1, 1.0), Estimate(1, 1.3), True),
        (Estimate(0), Estimate(1, 1.3), False),
    ],
)
def test_cheaper_is_apart_and_not_near(one, other, cheaper):
    assert is_cheaper(one, other) is cheaper


def test_an_axis_is_no_shorter_than_asked_and_holds_its_values():
    axis = make_axis([0.750, 0.755], 0, 100, least_span=0.3)
    assert (axis.low, axis.high) == pytest.approx((0.6025, 0.9025))
    assert axis.at(0.755) - axis.at(0.750) < 3
    assert make_axis([1.0, 2.0], 0, 100, least_span=0.3).low == pytest.approx(0.94)
    assert make_axis([1.0, 100.0], 0, 100, least_span=0.3).log


def test_a_name_too_long_for_either_side_does_not_cover_its_mark():
    for y in (24.0, 70.0, 118.0):
        point = {"name": "cyclegan (identity=0.0)", "x": WIDTH / 2, "y": y}
        (label,) = place_labels([point], [point])
        assert not label["y"] - 11 < y < label["y"], "the mark lies within the letters"
        assert 0 <= label["x"] <= WIDTH - label["wide"]


PAIRS = {"test": "points", "test sources": "sources"}


def test_on_data_of_pairs_floors_of_two_samples_are_no_bounds_and_tables_say_so():
    rows = {"pix2pix": (5.0, 1.0), "regression": (30.0, 2.0)}
    pairs = make_table(rows, "super_resolution", PAIRS)
    fid = pairs.standings.column
    assert not is_bound(pairs, fid)
    assert describe_floors(pairs, pairs.columns) == [NO_BOUND]
    assert NO_BOUND in to_markdown([pairs], title="").replace("\\", "")
    assert make_panel(pairs)["floor"] is None
    plain = make_table(rows)
    assert is_bound(plain, plain.standings.column)
    assert describe_floors(plain, plain.columns) == []
    assert NO_BOUND not in to_markdown([plain], title="").replace("\\", "")
    unmatched = make_table(rows, "attribute", PAIRS)
    assert is_bound(unmatched, unmatched.standings.column), "no test point is a right answer"


def test_who_is_alone_is_no_clear_winner():
    clear = make_table({"gan": (10.0, 1.0), "vae": (30.0, 2.0)})
    near = make_table({"gan": (10.0, 1.0), "vae": (10.05, 2.0)})
    alone = make_table({"gan": (10.0, 1.0), "vae": (5.0, 2.0, 0.1)})
    names = {"digits": "digits"}
    assert summarise([alone], names)["alone"] == [(alone.standings.first.name, ["digits"])]
    assert make_sheet([alone]).rows[0][2].emphasis == "", (
        "bold is who is better than others that pass"
    )
    assert make_sheet([clear]).rows[0][2].emphasis == "best"
    assert list(summarise([clear], names)) == ["sure", "alone", "shared"]
    first = clear.standings.first.name
    assert summarise([clear], names)["sure"] == [(first, ["digits"])]
    assert summarise([near], names)["shared"] == [(near.standings.first.name, ["digits"])]


def test_labels_break_behind_what_joins_words_and_not_in_numbers():
    assert to_breakable("gaussian_mixture") == "gaussian_<wbr>mixture"
    assert to_breakable("gan (budget=4,000 <b>)") == "gan (budget=<wbr>4,000 &lt;b&gt;)"
