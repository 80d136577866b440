import numpy as np
import pytest
from report_records import failed, measured, record

from genbench.report.site import figures
from genbench.report.tables import make_leaderboards
from genbench.store import CurvePoint, Used


def table(rows):
    (found,) = make_leaderboards(rows)
    return found


def test_curves_are_medians_and_quartiles_over_the_seeds_that_ended_well(store):
    rows = []
    values = np.random.default_rng(0).normal(size=(7, 3))
    for seed, row in enumerate(values):
        curve = [
            CurvePoint(step=10 * i, seconds=i + seed, losses={"critic": v}, metrics={"mmd": None})
            for i, v in enumerate(row)
        ]
        good = record(store, "gan", "ring", seed, with_samples=False)
        rows.append(good.model_copy(update={"curve": curve}))
    bad = failed(rows[-1], "diverged", "train", "nan").model_copy(update={"curve": rows[0].curve})
    (quantity,) = figures.make_learning_curves(table([*rows[:-1], bad]))
    (trace,) = quantity["traces"]
    assert quantity["name"] == "loss of the critic"
    assert trace["step"] == [0, 10, 20]
    for key, share in (("low", 25), ("mid", 50), ("high", 75)):
        expected = np.percentile(values[:6], share, axis=0)
        assert trace[key] == pytest.approx(expected, rel=1e-3)
    assert trace["seconds"] == pytest.approx([2.5 / 8, 3.5 / 8, 4.5 / 8], rel=1e-3), (
        "a seed's share of its stack of eight, as in tables"
    )


def test_metrics_come_before_losses(store):
    rows = [record(store, "gan", "ring", 0), record(store, "vae", "ring", 0)]
    names = [q["name"] for q in figures.make_learning_curves(table(rows))]
    assert names == [
        "mmd",
        "recall",
        "loss of the critic",
        "loss of the density",
        "loss of the generator",
    ]


def test_long_curves_are_thinned_but_keep_their_ends(store):
    curve = [CurvePoint(step=i, seconds=i, losses={"g": 1.0}) for i in range(1000)]
    row = record(store, "gan", "ring", 0).model_copy(update={"curve": curve})
    (quantity,) = figures.make_learning_curves(table([row]))
    steps = quantity["traces"][0]["step"]
    assert len(steps) == figures.THIN
    assert (steps[0], steps[-1]) == (0, 999)


def test_the_front_holds_what_no_other_model_betters_in_both(store):
    def point(model, seed, latency, mmd):
        row = record(store, model, "ring", seed, with_samples=False)
        scores = [measured("mmd", mmd), measured("latency_1_p50_ms", latency, unit="ms")]
        return row.model_copy(update={"metrics": scores})

    rows = [
        point("gan", 0, 1.0, 5.0),
        point("vae", 0, 2.0, 6.0),
        point("pixelcnn", 0, 9.0, 1.0),
        point("resampler", 0, 0.5, 0.0),
    ]
    found = figures.compare_quality_and_cost(table(rows))
    assert found["quality"] == "mmd"
    latency = found["costs"][0]
    assert latency["front"] == ["gan", "pixelcnn"]
    assert {p["label"]: p["reference"] for p in latency["points"]}["resampler"]


def test_costs_are_of_the_seeds_with_the_score_and_compare_within_stacks_of_one_size(store):
    def rows(model, seeds, seconds, sharing, mmd=None):
        used = Used(seconds=seconds, seeds_sharing=sharing)
        scores = [] if mmd is None else [measured("mmd", mmd)]
        return [
            record(store, model, "ring", seed, with_samples=False).model_copy(
                update={"metrics": scores, "used": used}
            )
            for seed in seeds
        ]

    gan = [*rows("gan", range(4), 40.0, 4, 5.0), *rows("gan", range(100, 116), 320.0, 16)]
    vae = rows("vae", range(4), 48.0, 4, 6.0)
    alone = rows("pixelcnn", range(4), 30.0, 1, 9.0)
    found = figures.compare_quality_and_cost(table([*gan, *vae, *alone]))
    (training,) = [cost for cost in found["costs"] if cost["name"].startswith("training")]
    points = {p["label"]: p["x"] for p in training["points"]}
    assert points["gan"] == [10.0, None, None], "one timing of a stack has no interval"
    assert points["pixelcnn"][0] == 30.0
    assert training["front"] == ["gan", "pixelcnn"], (
        "what trained alone is bettered by nobody alike"
    )


def test_no_quality_makes_no_plot(store):
    row = record(store, "gan", "ring", 0).model_copy(update={"metrics": []})
    assert figures.compare_quality_and_cost(table([row])) is None
