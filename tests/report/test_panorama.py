"""The panels of the overview: who is named, and that noise does not fill an axis."""

import pytest
from report_records import measured, spec

from genbench.report.costs import Conditions, Cost
from genbench.report.floors import NO_BOUND, describe_floors, is_bound
from genbench.report.formats import to_markdown
from genbench.report.site.front import make_front, put_families_first, ranks_rows, summarise
from genbench.report.site.frontier import find_cost, find_front, is_cheaper
from genbench.report.site.pages import make_overview_page
from genbench.report.site.panorama import (
    NOBODY,
    WIDTH,
    make_axis,
    make_panel,
    place_labels,
)
from genbench.report.site.picture import draw_picture
from genbench.report.site.site import make_site
from genbench.report.site.templating import to_breakable
from genbench.report.tables import make_leaderboards
from genbench.report.winners import make_sheet
from genbench.store import Record, Store, Used

CLASSIFIER = "classifier:digits@1, n=500/500"
NOISE = (-0.03, 0.01, 0.02, -0.01, 0.03, -0.02, 0.015, -0.015)


def make_table(rows, dataset="digits", hashes=None):
    """A data set with rows of eight seeds; each has an FID, a latency, and perhaps a bad recall, or none."""
    records = []
    for place, (model, (fid, latency, *worse)) in enumerate(rows.items()):
        for seed in range(8):
            own = spec(model, dataset, seed, options={})
            scores = [
                measured("fid", fid * (1 + NOISE[(seed + 3 * place) % 8]), CLASSIFIER, floor=11.4),
                *[
                    measured("recall", recall, CLASSIFIER, better="higher", floor=0.95)
                    for recall in worse or [0.9] if recall is not None
                ],
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
    assert panel["words"].endswith("in quality or by more than a tenth in cost: none.")


def time_rows(table_rows):
    """A data set of rows without a sample's time: their FID and stacks: seeds, seconds, whether scored."""
    records = []
    for place, (model, (fid, *stacks)) in enumerate(table_rows.items()):
        for seeds, seconds, scored in stacks:
            for seed in seeds:
                own = spec(model, "digits", seed, options={})
                score = fid * (1 + NOISE[(seed + 3 * place) % 8])
                scores = [
                    measured("fid", score, CLASSIFIER, floor=11.4),
                    measured("recall", 0.9, CLASSIFIER, better="higher", floor=0.95),
                ]
                records.append(
                    Record(
                        cell=own.cell, group=own.group, status="ok", spec=own, taxonomy="implicit/direct",
                        metrics=scores if scored else [], data_hashes={"test": "0"},
                        family=f"family of {model}",
                        used=Used(seconds=seconds, seeds_sharing=len(seeds)),
                    )
                )  # fmt: skip
    (table,) = make_leaderboards(records)
    return table


def test_nobody_is_named_by_seconds_of_seeds_without_the_score():
    """As on the ring: a stack of 32 that was trained for something else made the cheaper one dearer."""
    made = (10.0, (range(8), 48.0, True), (range(100, 132), 256.0, False))
    table = time_rows({"made": made, "ddpm": (10.05, (range(8), 52.0, True))})
    assert front_of(table) == []
    panel = make_panel(table)
    assert panel["remark"] == NOBODY
    assert "against training, s per seed (in stacks of 8)." in panel["words"]
    assert " at 6;" in panel["words"]
    cheap = time_rows({"made": made, "ddpm": (10.05, (range(8), 54.0, True))})
    assert front_of(cheap) == ["made"], "6 and 6.75 s are more than a tenth apart"


def test_seconds_of_stacks_of_other_sizes_name_nobody():
    table = time_rows(
        {"made": (10.0, (range(8), 48.0, True)), "ddpm": (10.05, (range(16), 16.0, True))}
    )
    assert front_of(table) == []
    assert " at 6 (stack of 8);" in make_panel(table)["words"]


def test_a_sample_s_time_is_of_the_seeds_with_the_score_on_one_kind_of_machine():
    records = []
    for model, fid in (("made", 10.0), ("vae", 10.05), ("gan", 30.0)):
        for seed in range(16):
            own = spec(model, "digits", seed, options={})
            late = measured("latency_1_p50_ms", 1.0 if seed < 8 else 9.0, "cpu", unit="ms")
            score = measured("fid", fid * (1 + NOISE[seed % 8]), CLASSIFIER, floor=11.4)
            records.append(
                Record(
                    cell=own.cell, group=own.group, status="ok", spec=own, taxonomy="implicit/direct",
                    metrics=[late, score] if seed < 8 or model == "gan" else [late],
                    data_hashes={"test": "0"}, family=model,
                    environment={"cpu": "another" if model == "gan" and seed >= 8 else "one"},
                )
            )  # fmt: skip
    (table,) = make_leaderboards(records)
    cost, price = find_cost(table)
    assert cost.startswith("latency")
    assert {g.model: price(g).mean for g in table.groups} == {"made": 1.0, "vae": 1.0, "gan": 1.0}


def test_who_was_not_measured_by_what_must_be_passed_is_marked_and_never_named():
    rows = {"gan": (10.0, 9.0), "gsn": (30.0, 1.0, None)}
    table = make_table(rows)
    assert front_of(table) == ["gan"]
    panel = make_panel(table)
    assert {p["name"]: p["passes"] for p in panel["points"]} == {
        "adversarial": True,
        "chain": None,
    }
    assert "(recall not measured)" in panel["words"]
    picture = draw_picture([table]).decode()
    assert picture.count(">?<") == 2, "the mark, and what it means"
    assert "not measured by what must be passed" in picture
    assert "does not pass" not in picture
    nobody = make_panel(make_table({"gan": (10.0, 9.0, None), "gsn": (30.0, 1.0, None)}))
    assert (nobody["labels"], nobody["remark"]) == ([], "recall not measured")
    fails = draw_picture([make_table({"gan": (10.0, 9.0), "gsn": (30.0, 1.0, 0.01)})]).decode()
    assert ">does not pass<" in fails
    assert ">?<" not in fails


def test_who_may_pass_must_be_bettered_too():
    table = make_table({"gan": (10.0, 9.0), "gsn": (10.05, 9.1, None)})
    assert front_of(table) == []


def test_of_two_alike_neither_is_named_beside_one_that_is_cheaper():
    table = make_table({"gan": (10.0, 5.0), "vae": (10.05, 5.02), "made": (30.0, 1.0)})
    assert front_of(table) == ["made"]


SMALL, LARGE = Conditions(8, "cpu"), Conditions(32, "cpu")


@pytest.mark.parametrize(
    ("one", "other", "cheaper"),
    [
        (Cost(1.0, 0.9, 1.1), Cost(1.3, 1.2, 1.4), True),
        (Cost(1.0, 0.9, 1.25), Cost(1.3, 1.2, 1.4), False),
        (Cost(1.0), Cost(1.05), False),
        (Cost(1.0), Cost(1.3), True),
        (Cost(), Cost(1.3), False),
        (Cost(1.0, conditions=SMALL), Cost(1.3, conditions=SMALL), True),
        (Cost(1.0, conditions=LARGE), Cost(1.3, conditions=SMALL), False),
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


def test_families_come_before_data_of_pairs_and_are_answered_apart(tmp_path):
    rows = {"pix2pix": (5.0, 1.0), "regression": (30.0, 2.0)}
    pairs = make_table(rows, "edges", PAIRS)
    plain = make_table({"gan": (10.0, 1.0), "vae": (30.0, 2.0)}, "ring")
    assert (ranks_rows(pairs), ranks_rows(plain)) == (True, False)
    site = make_site(Store(tmp_path), [pairs, plain], [], "title")
    assert [page.table.dataset for page in put_families_first(site.pages)] == ["ring", "edges"]
    front = make_front(site)
    assert [panel["name"] for panel in front["panels"]] == [plain.name, pairs.name]
    assert [names for _, names in front["answer"]["sure"]] == [["ring"]]
    assert [names for _, names in front["of_rows"]["sure"]] == [["edges"]]
    html = make_overview_page(site, []).decode()
    drawn, _, folded = html.partition("What the entrants draw")[2].partition("<details")
    assert "ring</a></h3>" in drawn
    assert "edges</a></h3>" not in drawn
    assert "on 1 data set of pairs</summary>" in folded
    assert "edges</a></h3>" in folded
    alone = make_overview_page(make_site(Store(tmp_path), [pairs], [], "title"), []).decode()
    assert "edges</a></h3>" in alone
    assert "of pairs</summary>" not in alone
