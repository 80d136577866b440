"""What runs were given: matched weights, and scores at equal rounds, examples and seconds by hand."""

from dataclasses import replace

import pytest

from genbench.core.claim import Run
from genbench.core.spec import Budget, CellSpec
from genbench.report.fairness import ReadCells, compare_terms, read_at
from genbench.statistics.intervals import mean_interval
from genbench.store import Record, Used
from genbench.store.record import CurvePoint, Measurement


def make_record(model, seed, *, steps, batch, seconds, weights, sharing=1, status="ok", **columns):
    """A record whose score falls as 100 over the round, at four points and at the end."""
    spec = CellSpec(
        model=model, model_version=1, options={}, dataset="ring", dataset_version=1,
        budget=Budget(steps=steps), batch=batch, seed=seed,
    )  # fmt: skip
    rounds = [steps * k // 4 for k in (1, 2, 3, 4)]
    scores = [
        Measurement(id=id, metric=id, version=1, key=id, protocol="p", value=value)
        for id, value in columns.items()
    ]
    return Record(
        cell=spec.cell, group=spec.group, status=status, spec=spec, parameters=weights,
        used=Used(steps=steps, examples=steps * batch, seconds=seconds, seeds_sharing=sharing),
        curve=[CurvePoint(step=n, seconds=seconds * n / steps, metrics={"mmd": 100 / n}) for n in rounds],
        metrics=scores,
    )  # fmt: skip


def read(model, records, column="mmd", seeds=2):
    return ReadCells(
        Run(model, "ring", ("mmd",)), seeds, tuple(records), {column: mean_interval([1.0])}
    )


@pytest.fixture
def cells():
    """A quick model of 400 rounds and a slow one of 100 larger rounds, two seeds each."""
    quick = [
        make_record("gan", s, steps=400, batch=10, seconds=8.0, weights=1000, sharing=2)
        for s in (0, 1)
    ]
    slow = [
        make_record("vae", s, steps=100, batch=80, seconds=4.0, weights=1500, sharing=2)
        for s in (0, 1)
    ]
    return [read("gan", quick), read("vae", slow)]


def test_amounts_are_a_seed_s_and_weights_are_compared_with_the_median(cells):
    gan, vae = compare_terms(cells)
    assert dict(gan.amounts) == {"rounds": 400, "examples": 4000, "seconds": 4.0}
    assert dict(vae.amounts) == {"rounds": 100, "examples": 8000, "seconds": 2.0}
    assert (gan.ratio, vae.ratio) == (0.8, 1.2)
    assert gan.matched
    assert vae.matched
    larger = replace(
        cells[1],
        records=tuple(r.model_copy(update={"parameters": 4000}) for r in cells[1].records),
    )
    gan, vae = compare_terms([cells[0], larger])
    assert (gan.matched, vae.matched) == (False, False), "0.4 and 1.6 times the median"


def test_scores_are_read_at_the_least_that_any_run_has(cells):
    gan, vae = compare_terms(cells)
    # 100 rounds: the first of gan's points; 4,000 examples: half of vae's; 2 s a seed: half of gan's
    assert dict(gan.at_equal) == {"rounds": 1.0, "examples": 0.25, "seconds": 0.5}
    assert dict(vae.at_equal) == {"rounds": 1.0, "examples": 2.0, "seconds": 1.0}


def test_seconds_of_stacks_of_other_sizes_or_machines_are_marked(cells):
    for changed in (
        {"used": Used(steps=100, examples=8000, seconds=16.0, seeds_sharing=8)},
        {"environment": {"cpu": "another"}},
    ):
        slow = tuple(r.model_copy(update=changed) for r in cells[1].records)
        gan, vae = compare_terms([cells[0], replace(cells[1], records=slow)])
        assert (gan.alike, vae.alike) == (False, False)
        assert dict(gan.at_equal) == {"rounds": 1.0, "examples": 0.25, "seconds": 0.5}
        assert vae.at_equal["seconds"] == 1.0
        assert vae.amounts["seconds"] == 2.0
    assert [row.alike for row in compare_terms(cells)] == [True, True]


def test_a_column_without_a_curve_is_read_only_where_all_training_is_within(cells):
    scored = [
        make_record("gan", s, steps=400, batch=10, seconds=8.0, weights=1, fid=5.0 + s)
        for s in (0, 1)
    ]
    one = read("gan", scored, "fid")
    assert read_at(one, "fid", "rounds", 400) == 5.5
    assert read_at(one, "fid", "rounds", 399) is None
    half = read(
        "gan", [scored[0], make_record("gan", 1, steps=400, batch=10, seconds=8.0, weights=1)]
    )
    assert read_at(half, "fid", "rounds", 400) is None, "a mean over fewer seeds is another mean"


def test_failed_seeds_count_for_no_amount_and_are_told(cells):
    lost = make_record("gan", 1, steps=4, batch=10, seconds=0.1, weights=1000, status="diverged")
    one = read("gan", [cells[0].records[0], lost], seeds=3)
    assert one.status == "1 ok, 1 diverged, 1 not run"
    (row,) = compare_terms([one])
    assert row.amounts["rounds"] == 400


def test_where_no_curve_has_it_the_largest_shorter_pass_within_the_amount_is_read(cells):
    def scored(model, steps, batch, value, seeds=(0, 1)):
        return read(
            model,
            [
                make_record(
                    model, s, steps=steps, batch=batch, seconds=8.0, weights=1, fid=value + s
                )
                for s in seeds
            ],
            "fid",
        )

    own = [scored("gan", 400, 10, 5.0), scored("vae", 100, 80, 9.0)]
    passes = {"half": scored("gan", 200, 10, 7.0), "quick": scored("gan", 50, 10, 30.0)}
    gan, vae = compare_terms(own, [passes, {}])
    # 100 rounds: the pass of 50; 4,000 examples: all of gan's; vae has twice those and no shorter pass
    assert gan.at_equal["rounds"] == 30.5
    assert dict(gan.passes) == {"rounds": "quick, 50% of it"}
    assert (gan.at_equal["examples"], vae.at_equal["rounds"]) == (5.5, 9.5)
    assert (vae.at_equal["examples"], dict(vae.passes)) == (None, {})
    exact = compare_terms(own, [{"quick": scored("gan", 100, 10, 20.0)}, {}])[0]
    assert (exact.at_equal["rounds"], exact.passes["rounds"]) == (20.5, "quick")
    failed = scored("gan", 50, 10, 30.0)
    broken = failed.records[1].model_copy(update={"status": "diverged", "metrics": []})
    failed = replace(failed, records=(failed.records[0], broken))
    assert compare_terms(own, [{"quick": failed}, {}])[0].at_equal["rounds"] is None
