"""The gate: what a baseline holds, what fails and in which words, and how it is told."""

import io
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from held_cells import held_file
from report_records import HOSTILE, failed, record
from rich.console import Console
from scipy import stats

from genbench.core.errors import StoreError, WriteError
from genbench.core.tolerance import Tolerance
from genbench.report.gate import text
from genbench.report.gate.accept import accept, accept_results, update_baseline
from genbench.report.gate.baseline import load_baseline, to_text
from genbench.report.gate.check import check, check_results
from genbench.report.gate.regression_test import worsening_p
from genbench.report.gate.result import HEADS
from genbench.store import Store, locks

MODELS = ("gan", "wgan_gp", "real_nvp")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("gate"))
    return [
        record(store, model, dataset, seed, with_samples=False)
        for model in MODELS
        for dataset in ("ring", "digits")
        for seed in range(6)
    ]


def accepted(records, **given):
    about = {"suite": "ci", "by": "Ada", "when": "2026-11-21T10:00:00+00:00", "note": "first"}
    about["times"] = True
    return accept(records, **(about | given))


@pytest.fixture(scope="module")
def baseline(records):
    return accepted(records)


def changed(records, model, change, dataset="ring"):
    """The records with one group's put through a change; None drops a record."""
    found = []
    for r in records:
        mine = (r.spec.model, r.spec.dataset) == (model, dataset)
        found.append(change(r) if mine else r)
    return [r for r in found if r is not None]


def measuring(**by_id):
    """A change of measurements: id → what becomes of (measurement, seed)."""

    def change(r):
        metrics = [
            by_id[m.id](m, r.spec.seed) if m.id in by_id and m.split == "test" else m
            for m in r.metrics
        ]
        return r.model_copy(update={"metrics": [m for m in metrics if m is not None]})

    return change


def scaled(factor):
    return lambda m, seed: m.model_copy(update={"value": m.value * factor})


def put(**fields):
    return lambda m, seed: m.model_copy(update=fields)


def bad(outcome):
    return [(row.dataset, row.model, row.column, row.verdict) for row in outcome.rows if row.bad]


# what a baseline is


def test_a_baseline_holds_directed_columns_against_held_out_data_with_provenance(baseline):
    assert (baseline.suite, baseline.accepted.by, baseline.accepted.note) == ("ci", "Ada", "first")
    assert baseline.measured.environment["torch"] == ["2.13.0"]
    assert baseline.measured.commits == ['{"commit": "0123abc", "dirty": false}']
    assert [(c.dataset, c.model) for c in baseline.cells] == sorted(
        (d, m) for d in ("ring", "digits") for m in MODELS
    )
    (cell,) = [c for c in baseline.cells if (c.dataset, c.model) == ("ring", "gan")]
    assert {s.split for s in cell.scores} == {"test"}
    assert "nll" not in {s.id for s in cell.scores}, "a GAN has none"
    (mmd,) = [s for s in cell.scores if s.id == "mmd"]
    assert (mmd.n, list(mmd.values)) == (6, list(range(6)))
    assert mmd.mean == pytest.approx(np.mean(list(mmd.values.values())))
    assert mmd.spread == pytest.approx(np.std(list(mmd.values.values()), ddof=1))
    assert baseline.tolerances["latency_1_min_ms"].ratio == 1.5


def test_a_file_is_read_as_it_was_written_and_the_same_for_the_same_scores(
    baseline, records, tmp_path
):
    path = tmp_path / "ci.json"
    path.write_text(to_text(baseline))
    assert load_baseline(path) == baseline
    assert to_text(accepted(list(reversed(records)))) == to_text(baseline)
    assert max(map(len, path.read_text().splitlines())) <= 160


def test_what_people_set_is_kept_and_an_unchanged_baseline_stays(baseline, records):
    mine = baseline.model_copy(
        update={"level": 0.01, "tolerances": baseline.tolerances | {"mmd": Tolerance(relative=1)}}
    )
    again = accepted(records, by="Grace", when="2027-01-01")
    assert update_baseline(mine, again) is mine
    other = accepted(changed(records, "gan", measuring(mmd=scaled(2))), by="Grace")
    new = update_baseline(mine, other)
    assert (new.accepted.by, new.level, new.tolerances["mmd"].relative) == ("Grace", 0.01, 1)


def test_failures_are_not_accepted_unless_told(records):
    broken = changed(
        records, "gan", lambda r: failed(r, "diverged", "train", "nan") if r.spec.seed == 1 else r
    )
    with pytest.raises(
        StoreError, match=r"1 did not complete \(first gan on ring, seed 1: diverged, nan\)"
    ):
        accepted(broken)
    known = accepted(broken, with_failures=True)
    (cell,) = [c for c in known.cells if (c.dataset, c.model) == ("ring", "gan")]
    assert cell.failed == {1: "diverged"}
    assert check(known, broken).ok
    worse = changed(
        broken, "gan", lambda r: failed(r, "oom", "train", "no room") if r.spec.seed == 4 else r
    )
    outcome = check(known, worse)
    assert (outcome.exit_code, bad(outcome)) == (3, [("ring", "gan", None, "failed")])
    (why,) = [row.why for row in outcome.rows if row.bad]
    assert why == "2 of 6 seeds failed (1 in the baseline); seed 4 oom in train: no room"
    with pytest.raises(StoreError, match="a baseline needs scores"):
        accepted([])


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["level"], 0.7, r":\d+: level: Input should be less than 0.5, got 0.7"),
        (["tolerences"], {}, r":\d+: tolerences: unknown key 'tolerences'"),
        (["cells", 0, "scores", 0, "mean"], 9e9, r":\d+: cells.0.scores.0: mean needs to be that"),
        (["cells", 1, "model"], "vae", r":\d+: cells.1: dataset and model need to be those"),
        (
            ["tolerances", "density"],
            {"relative": True},
            r"relative: Input should be a number, got True$",
        ),
        (["tolerances", "density"], {"spreads": -1}, r"spreads: .* equal to 0, got -1$"),
        (["tolerances"], {}, r"tolerances need a line for every column, 'density' has none$"),
        (["tolerances", "densty"], None, r"know no column 'densty'; did you mean 'density'\?$"),
        (
            ["tolerances", "density"],
            {"ratio": 2.0, "relative": 0.1},
            "ratio stands alone; leave it out",
        ),
        (["tolerances", "density"], "5%", r"needs a mapping of absolute, relative.*, got '5%'$"),
        (["schema"], "genbench.baseline/9", r":2: schema: Input should be 'genbench.baseline/1'"),
    ],
)
def test_errors_name_file_line_and_key(baseline, tmp_path, path, value, told):
    data = json.loads(to_text(baseline))
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    file = tmp_path / "edited.json"
    file.write_text(json.dumps(data, indent=1))
    with pytest.raises(StoreError, match=f"edited.json.*{told}"):
        load_baseline(file)


def test_what_is_no_json_is_told_with_its_line(tmp_path):
    file = tmp_path / "b.json"
    with pytest.raises(StoreError, match=r"cannot read the baseline .* genbench baseline accept"):
        load_baseline(file)
    file.write_text('{\n "schema": 1,\n oops')
    with pytest.raises(StoreError, match=r"b\.json:3: not valid JSON"):
        load_baseline(file)
    file.write_text('{"level": NaN}')
    with pytest.raises(StoreError, match="NaN is not a number"):
        load_baseline(file)


# the test


def test_the_paired_and_the_pooled_test_are_scipys():
    rng = np.random.default_rng(0)
    b, c = rng.normal(size=6), rng.normal(size=6) + 0.5
    base, now = dict(enumerate(b)), dict(enumerate(c))
    paired = stats.ttest_rel(c, b, alternative="greater").pvalue
    pooled = stats.ttest_ind(c, b, alternative="greater").pvalue
    scale = np.arcsinh((np.stack([b, c]) - b.mean()) / b.std(ddof=1))
    folded = stats.ttest_ind(scale[1], scale[0], alternative="greater").pvalue
    assert worsening_p(base, now, 1.0) == pytest.approx(3 * min(paired, pooled, folded))
    other = {seed + 10: v for seed, v in now.items()}
    assert worsening_p(base, other, 1.0) == pytest.approx(2 * min(pooled, folded))
    less = stats.ttest_ind(c, b, alternative="less").pvalue
    assert worsening_p(base, other, -1.0) > less > 0.5


def test_equal_values_never_reject_and_five_seeds_are_needed():
    same = dict(enumerate([0.1, 0.2, 0.3, 0.4, 0.5]))
    assert worsening_p(same, same, 1.0) == 1.0
    assert worsening_p(same, dict(list(same.items())[:4]), 1.0) is None
    constant = dict.fromkeys(range(5), 1.0)
    assert worsening_p(constant, dict.fromkeys(range(5), 2.0), 1.0) == 0.0
    assert worsening_p(constant, dict.fromkeys(range(5), 2.0), -1.0) == 1.0


def test_counts_that_happen_to_agree_are_not_certain():
    eights, sevens = dict.fromkeys(range(5), 8.0), dict(enumerate([7.0, 7, 7, 7, 6]))
    assert worsening_p(eights, sevens, -1.0) < 1e-3
    assert worsening_p(eights, sevens, -1.0, resolution=0.5) > 3e-3
    assert worsening_p(eights, dict.fromkeys(range(5), 1.0), -1.0, resolution=0.5) < 1e-6


def test_collapsing_seeds_are_seen_in_spite_of_their_spread():
    tight = dict(enumerate([1.0, 1.1, 0.9, 1.05, 0.95]))
    wild = dict(enumerate([3.0, 300.0, 12.0, 45.0, 7.0]))
    pooled = stats.ttest_ind(list(wild.values()), list(tight.values()), alternative="greater")
    assert pooled.pvalue > 0.1
    assert worsening_p(tight, wild, 1.0) < 2e-3


# the gate


def test_the_same_records_pass_and_everything_was_tested(baseline, records):
    outcome = check(baseline, records)
    assert (outcome.ok, outcome.exit_code, bad(outcome)) == (True, 0, [])
    assert outcome.tested == len(outcome.rows) == sum(len(c.scores) for c in baseline.cells)
    assert outcome.remarks == ()
    assert 2 < outcome.sees < 6


def test_a_worse_score_is_a_regression_and_a_better_one_is_not(baseline, records):
    worse = check(baseline, changed(records, "gan", measuring(mmd=scaled(4))))
    assert (worse.exit_code, bad(worse)) == (1, [("ring", "gan", "mmd", "regression")])
    (row,) = [row for row in worse.rows if row.bad]
    assert row.worse == pytest.approx(3 * row.baseline)
    assert row.p < 0.05
    assert check(baseline, changed(records, "gan", measuring(mmd=scaled(0.2)))).ok
    assert check(baseline, changed(records, "gan", measuring(recall=scaled(1.3)))).ok
    lower = check(baseline, changed(records, "gan", measuring(recall=scaled(0.1))))
    assert bad(lower) == [("ring", "gan", "recall", "regression")]


def test_a_shift_within_the_tolerance_is_no_regression_however_sure(baseline, records):
    shift = changed(
        records, "real_nvp", measuring(nll=lambda m, s: put(value=m.value + 0.01)(m, s))
    )
    outcome = check(baseline, shift)
    (row,) = [
        r for r in outcome.rows if (r.dataset, r.model, r.column) == ("ring", "real_nvp", "nll")
    ]
    assert (row.verdict, row.p) == ("ok", pytest.approx(0.0, abs=1e-9))
    assert 0 < row.worse < row.tolerance


def test_a_shift_that_may_be_chance_is_no_regression_however_large(baseline, records):
    wild = measuring(mmd=lambda m, s: put(value=m.value * (30 if s == 3 else 1))(m, s))
    outcome = check(baseline, changed(records, "gan", wild))
    (row,) = [r for r in outcome.rows if (r.dataset, r.model, r.column) == ("ring", "gan", "mmd")]
    assert row.worse > row.tolerance
    assert (row.verdict, row.p > 0.05, outcome.ok) == ("ok", True, True)


def test_the_correction_is_holms_over_the_whole_gate(baseline, records):
    shift = changed(records, "gan", measuring(mmd=scaled(1.3)))
    outcome = check(baseline, shift)
    alone = baseline.model_copy(
        update={"cells": [c for c in baseline.cells if (c.dataset, c.model) == ("ring", "gan")]}
    )
    p, few = (
        next(r.p for r in o.rows if (r.dataset, r.model, r.column) == ("ring", "gan", "mmd"))
        for o in (outcome, check(alone, shift))
    )
    assert few < p
    assert p / few == pytest.approx(outcome.tested / len(alone.cells[0].scores), rel=0.2)


def test_other_seeds_are_compared_too(baseline, records):
    moved = []
    for r in records:
        spec = r.spec.model_copy(update={"seed": r.spec.seed + 50})
        moved.append(r.model_copy(update={"spec": spec, "cell": spec.cell}))
    assert check(baseline, moved).ok
    assert check(baseline, changed(moved, "gan", measuring(mmd=scaled(6)))).exit_code == 1


@pytest.mark.parametrize(
    ("change", "verdict", "why", "code"),
    [
        (lambda r: None, "missing", "no record of this cell", 3),
        (lambda r: r if r.spec.seed else None, "missing", "5 seeds, the baseline has 6", 3),
        (
            lambda r: failed(r, "error", "train", "ZeroDivisionError: oops"),
            "failed",
            "6 of 6 seeds failed; seed 0 error in train: ZeroDivisionError: oops",
            3,
        ),
        (measuring(mmd=lambda m, s: None), "missing", "mmd was not measured", 3),
        (
            measuring(mmd=put(value=None, reason="samples are not finite")),
            "missing",
            "0 of 6 seeds have a value: samples are not finite",
            3,
        ),
        (
            measuring(mmd=lambda m, s: put(value=None, reason="late")(m, s) if s == 2 else m),
            "missing",
            "5 of 6 seeds have a value: late",
            3,
        ),
        (measuring(mmd=put(version=2)), "not comparable", "version 1 → 2", 4),
        (measuring(mmd=put(n_fake=500)), "not comparable", "n_fake 2000 → 500", 4),
        (
            measuring(recall=put(protocol="k=3")),
            "not comparable",
            "protocol k=5, identity → k=3",
            4,
        ),
        (measuring(recall=put(better="lower")), "not comparable", "better higher → lower", 4),
        (
            lambda r: r.model_copy(update={"data_hashes": {"test": "other"}}),
            "not comparable",
            "test data ring-digest → other",
            4,
        ),
    ],
)
def test_what_cannot_be_compared_fails_in_its_own_words(
    baseline, records, change, verdict, why, code
):
    outcome = check(baseline, changed(records, "gan", change))
    rows = [row for row in outcome.rows if row.bad]
    assert [(r.dataset, r.model, r.verdict, r.why) for r in rows] == [
        ("ring", "gan", verdict, why)
    ]
    assert (outcome.exit_code, outcome.ok) == (code, False)


def test_a_score_that_the_baseline_lacks_for_some_seeds_may_lack_for_others(records):
    def undefined(*seeds):
        gone = put(value=None, reason="no sample near a mode")
        return measuring(mmd=lambda m, s: gone(m, s) if s in seeds else m)

    known = accepted(changed(records, "gan", undefined(2)))
    outcome = check(known, changed(records, "gan", undefined(4)))
    (row,) = [r for r in outcome.rows if (r.dataset, r.model, r.column) == ("ring", "gan", "mmd")]
    assert (row.verdict, row.n, outcome.ok) == ("ok", (5, 5), True)
    outcome = check(known, changed(records, "gan", undefined(*range(6))))
    assert [(r.column, r.verdict) for r in outcome.rows if r.bad] == [("mmd", "missing")]


@pytest.mark.parametrize("lost", [(0, 1), (0, 1, 2, 3, 4)], ids=len)
def test_a_score_that_more_seeds_lack_than_in_the_baseline_is_missing(records, lost):
    """A model that is so bad that a number is undefined was let through where the baseline had a gap."""

    def undefined(*seeds):
        gone = put(value=None, reason="no sample near a mode")
        return measuring(mmd=lambda m, s: gone(m, s) if s in seeds else m)

    known = accepted(changed(records, "gan", undefined(2)))
    outcome = check(known, changed(records, "gan", undefined(*lost)))
    assert [(r.column, r.verdict) for r in outcome.rows if r.bad] == [("mmd", "missing")]
    assert outcome.exit_code == 3


def test_gaps_and_failures_of_more_seeds_are_counted_in_proportion(records):
    def twice(rows):
        more = [
            r.model_copy(update={"spec": s, "cell": s.cell}) for r in rows for s in (moved(r),)
        ]
        return [*rows, *more]

    def moved(r):
        return r.spec.model_copy(update={"seed": r.spec.seed + 6})

    def lose(*seeds):
        gone = put(value=None, reason="late")
        return measuring(mmd=lambda m, s: gone(m, s) if s in seeds else m)

    def fail(r):
        return failed(r, "diverged", "train", "loss") if r.spec.seed % 6 == 2 else r

    known = accepted(changed(records, "gan", lose(2)))
    assert check(known, twice(changed(records, "gan", lose(2)))).ok
    whole = changed(twice(records), "gan", lose(6, 7, 8))  # all of the baseline's seeds have one
    assert bad(check(known, whole)) == [("ring", "gan", "mmd", "missing")]
    known = accepted(changed(records, "gan", fail), with_failures=True)
    assert check(known, changed(twice(records), "gan", fail)).ok
    assert not check(known, changed(records, "gan", lambda r: fail(r) if r.spec.seed else None)).ok


def test_scores_whose_squares_have_no_number_are_accepted_and_checked(records):
    huge = changed(records, "gan", measuring(mmd=scaled(1e200)))
    known = accepted(huge)
    assert check(known, huge).ok
    assert check(known, records).better
    assert bad(check(accepted(records), huge)) == [("ring", "gan", "mmd", "regression")]


def test_scores_whose_sum_has_no_number_are_accepted_and_checked(records, tmp_path):
    largest = measuring(mmd=lambda m, seed: put(value=1.7e308 + 1e306 * seed)(m, seed))
    huge = changed(records, "gan", largest)
    known = accepted(huge)
    (tmp_path / "ci.json").write_text(to_text(known))
    assert load_baseline(tmp_path / "ci.json") == known
    assert check(known, huge).ok
    assert bad(check(accepted(records), huge)) == [("ring", "gan", "mmd", "regression")]


def test_a_small_level_is_not_told_as_none(baseline, records):
    outcome = check(baseline.model_copy(update={"level": 0.001}), records)
    assert any("has a chance of 0.1 % at most" in note for note in outcome.notes)


def test_other_options_are_named(baseline, records):
    def option(r):
        spec = r.spec.model_copy(update={"options": {"hidden": [32]}, "model_version": 2})
        return r.model_copy(update={"spec": spec, "cell": spec.cell, "group": spec.group})

    outcome = check(baseline, changed(records, "gan", option))
    (row,) = [row for row in outcome.rows if row.bad]
    assert row.why == "model_version 1 → 2; options.hidden [64, 64] → [32]"
    assert (row.verdict, outcome.exit_code) == ("not comparable", 4)
    assert outcome.remarks == ("1 groups of cells are not in the baseline and were not judged",)


def test_a_regression_outranks_failures_and_those_what_is_not_comparable(baseline, records):
    both = changed(records, "gan", measuring(mmd=put(version=2)))
    assert check(baseline, both).exit_code == 4
    both = changed(both, "wgan_gp", lambda r: None)
    assert check(baseline, both).exit_code == 3
    both = changed(both, "real_nvp", measuring(mmd=scaled(9)))
    assert check(baseline, both).exit_code == 1


def test_absolute_times_are_guarded_only_where_asked(records):
    assert "latency_1_min_ms" not in accepted(records, times=False).tolerances
    assert "latency_1_min_ms" in accepted(records).tolerances


def test_times_are_ratios_and_stay_on_their_machine(baseline, records):
    slower = changed(records, "gan", measuring(latency_1_min_ms=scaled(2)))
    outcome = check(baseline, slower)
    (row,) = [row for row in outcome.rows if row.bad]
    assert (row.column, row.verdict) == ("latency_1_min_ms", "regression")
    assert row.worse == pytest.approx(2, rel=1e-6)
    assert row.why == "worse by 2 times, 1.5 is allowed"
    assert check(baseline, changed(records, "gan", measuring(latency_1_min_ms=scaled(1.4)))).ok

    def elsewhere(r):
        return r.model_copy(update={"environment": r.environment | {"threads": 2}})

    moved = changed(slower, "gan", elsewhere)
    outcome = check(baseline, moved)
    assert (outcome.ok, outcome.exit_code) == (True, 0)
    (row,) = [row for row in outcome.rows if row.verdict == "not compared"]
    assert row.why == "times of another machine: device cpu, threads 1 → device cpu, threads 2"
    assert "1 times were measured on another machine" in outcome.remarks[0]
    assert check(baseline, moved, across_machines=True).exit_code == 1


def test_times_between_calibrations_are_compared_however_many_workers_shared_the_machine(records):
    def of(workers, factor=1, unit="calibrations", threads=1):
        def change(r):
            environment = r.environment | {"threads": threads, "workers": workers}
            metrics = [
                m.model_copy(update={"unit": unit, "value": m.value * factor})
                for m in r.metrics
                if m.id == "latency_1_min_ms"
            ]
            return r.model_copy(update={"environment": environment, "metrics": metrics})

        return [change(r) for r in records]

    calibrated = accepted(of(1))
    assert check(calibrated, of(2)).ok
    assert not [r for r in check(calibrated, of(2)).rows if r.verdict == "not compared"]
    assert check(calibrated, of(2, factor=2)).exit_code == 1
    other = check(calibrated, of(2, factor=2, threads=2))
    assert {row.verdict for row in other.rows} == {"not compared"}
    assert "another number of threads" in other.remarks[0]
    assert {r.verdict for r in check(accepted(of(1, unit="ms")), of(2, unit="ms")).rows} == {
        "not compared"
    }, "absolute times are of as many workers"


def test_too_few_seeds_to_ever_reject_is_said(records):
    few = [r for r in records if r.spec.seed < 3]
    outcome = check(accepted(few), changed(few, "gan", measuring(mmd=scaled(100))))
    assert {row.verdict for row in outcome.rows} == {"too few seeds"}
    assert outcome.rows[0].why == "3 seeds can never show a change; 5 are needed"
    assert "too few seeds to ever reject" in outcome.remarks[0]
    assert (outcome.ok, outcome.exit_code) == (False, 4), "a gate that cannot fail does not pass"


def test_a_column_without_tolerance_is_not_guarded(baseline, records):
    free = baseline.model_copy(update={"tolerances": baseline.tolerances | {"mmd": None}})
    assert check(free, changed(records, "gan", measuring(mmd=scaled(100)))).ok


# how it is told


def printed(result, width=80):
    out = io.StringIO()
    text.print_result(Console(file=out, width=width), result)
    return out.getvalue()


def test_what_is_better_is_counted_and_named(baseline, records):
    """By the standard by which others are worse; times as ratios."""
    result = check(baseline, changed(records, "gan", measuring(mmd=scaled(0.2))))
    (row,) = [row for row in result.rows if row.better]
    assert (row.column, row.verdict, result.exit_code) == ("mmd", "ok", 0)
    assert row.p_better is not None
    assert row.p_better < baseline.level
    assert result.summary.endswith("scores tested, 1 of them better than they were")
    shown = printed(result)
    assert "1 score is better than it was:" in shown
    assert "ring · gan · mmd" in shown
    passed = sum(row.verdict == "ok" for row in result.rows) - 1
    assert f"{passed} scores are as good as they were: --all lists them" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "ring · gan · mmd" in text.to_markdown(result).split("<details>")[0]
    assert result.to_dict()["rows"][0]["better"] is False
    same = check(baseline, records)
    assert not any(row.better for row in same.rows)
    assert "better" not in printed(same)
    faster = measuring(latency_1_min_ms=scaled(0.1))
    timed = check(baseline, changed(records, "gan", faster))
    assert {row.column for row in timed.rows if row.better} == {"latency_1_min_ms"}


def test_a_baseline_that_allows_everything_says_so(baseline, records):
    free = baseline.model_copy(update={"tolerances": dict.fromkeys(baseline.tolerances)})
    result = check(free, records)
    assert result.exit_code == 4
    assert result.summary.startswith(
        "nothing could be tested: every tolerance of the baseline is null"
    )
    assert "nothing worse" not in printed(result)
    few = check(accepted([r for r in records if r.spec.seed < 2]), records)
    assert "scores too few seeds" in few.summary


@pytest.fixture(scope="module")
def outcome(baseline, records):
    worse = changed(records, "gan", measuring(mmd=scaled(4)))
    broken = changed(
        worse, "wgan_gp", lambda r: failed(r, "error", "train", f"{HOSTILE} | \x00 @all")
    )
    return check(baseline, broken)


def test_the_table_shows_what_fails_and_all_on_demand(baseline, outcome):
    told = [io.StringIO(), io.StringIO()]
    for held, everything in zip(told, (False, True), strict=True):
        console = Console(file=held, width=200)
        text.print_result(console, outcome, everything=everything)
    short, long = (held.getvalue() for held in told)
    assert "1 regression, 1 failed;" in short
    assert "✗ ring · gan · mmd" in short
    assert "failed, 1 row: 6 of 6 seeds failed; seed 0 error in train" in short
    assert "baseline of suite ci accepted by Ada on 2026-11-21" in short
    assert short.count("\n") < 25 < long.count("\n")
    assert "precision" not in short
    assert "precision" in long


def test_eighty_columns_hold_a_score_per_line(outcome):
    out = io.StringIO()
    text.print_result(Console(file=out, width=80), outcome, everything=True)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    scores = [line for line in lines if "→" in line and "·" in line]
    assert " p " in next(line for line in lines if "baseline → now" in line), "one block"
    assert len(scores) == sum(row.worse is not None for row in outcome.rows)
    assert "✗" in scores[0]
    assert "…" not in out.getvalue()


def test_markdown_is_a_comment_in_which_nothing_can_hide(baseline, outcome):
    made = text.to_markdown(outcome)
    assert made.startswith("### genbench check: failed\n\n1 regression, 1 failed; ")
    assert "| ring | gan | mmd |" in made
    assert "**regression**: worse by" in made
    assert "<script>" not in made
    assert "@all" not in made
    rows = [line for line in made.splitlines() if line.startswith("|")]
    bars = {line.replace("\\|", "").count("|") for line in rows}
    assert bars == {len(HEADS) + 1}
    assert made.count("<details>") == made.count("</details>") == 1


def test_junit_is_xml_with_a_case_a_row(outcome):
    suite = ElementTree.fromstring(text.to_junit(outcome).encode()).find("testsuite")
    cases = suite.findall("testcase")
    assert (suite.get("tests"), suite.get("failures")) == (str(len(outcome.rows)), "2")
    assert len(cases) == len(outcome.rows)
    failing = [case for case in cases if case.find("failure") is not None]
    assert {case.get("classname") for case in failing} == {"ring.gan", "ring.wgan_gp"}
    assert HOSTILE in failing[-1].find("failure").get("message")


def test_json_has_ok_and_rows(baseline, outcome):
    found = json.loads(json.dumps(outcome.to_dict(), allow_nan=False))
    assert (found["ok"], found["exit_code"], len(found["rows"])) == (False, 1, len(outcome.rows))
    assert {
        "dataset",
        "model",
        "column",
        "verdict",
        "why",
        "worse",
        "tolerance",
        "p",
        "bad",
    } <= set(found["rows"][0])


def test_a_folder_and_a_file_are_compared(baseline, records, tmp_path, monkeypatch):
    path, folder = tmp_path / "ci.json", tmp_path / "results"
    path.write_text(to_text(baseline))
    with pytest.raises(StoreError, match="is not a folder; make records with: genbench run ci"):
        check_results(folder, path)
    for r in changed(records, "gan", measuring(mmd=scaled(4))):
        Store(folder).write(r)
    result = check_results(folder, path)
    assert (result.ok, result.exit_code) == (False, 1)
    assert result.to_dict()["summary"].startswith("1 regression; ")
    assert "<strong>regression</strong>: worse by" in result._repr_html_()
    written, new = accept_results(folder, tmp_path / "new.json", by="Ada")
    assert new
    assert accept_results(folder, tmp_path / "new.json", by="Grace") == (written, False)
    assert check_results(folder, tmp_path / "new.json").ok
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with (
        held_file(tmp_path / "new.json"),
        pytest.raises(WriteError, match="another process has had it in hand"),
    ):
        accept_results(folder, tmp_path / "new.json", by="Ada")
