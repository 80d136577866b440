"""The doctor's test of metrics: honest ones see the harm, planted ones are found out."""

from __future__ import annotations

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.metric import METRICS, Column, Metric
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.requests import make_requests
from genbench.evaluation.selftest import (
    blur,
    collapse,
    find_harms,
    find_verdicts,
    ladders,
    make_ladder,
    noise,
    shift,
    swap,
)

X = Rng([0]).normal(400, 2)[0] * torch.tensor([1.0, 3.0]) + 5


@pytest.fixture
def planted(monkeypatch):
    """Two metrics that fail: one of the wrong direction, one that is constant."""

    def wrong(real, fake, *, rng):
        return (real.mean(0) - fake.mean(0)).norm() + (real.std(0) - fake.std(0)).norm()

    def constant(real, fake, *, rng):
        return 1.0

    for name, function in (("wrong", wrong), ("constant", constant)):
        column = {name: Column("higher", "1")}
        METRICS.add(name, Metric(name, function, "points", column))
    yield ["wrong", "constant", "mmd", "prdc"]
    for name in ("wrong", "constant"):
        del METRICS._objects[name]


def test_noise_keeps_mean_and_variance_and_a_shift_moves_by_spreads():
    worse = noise(X, None, 0.7, Rng([1]))
    torch.testing.assert_close(worse.std(0), X.std(0), rtol=0.1, atol=0)
    torch.testing.assert_close(worse.mean(0), X.mean(0), rtol=0, atol=0.5)
    torch.testing.assert_close(shift(X, None, 0.5, Rng([1])), X + 0.5 * X.std())


def test_a_collapse_keeps_the_number_of_points_and_fewer_classes():
    labels = torch.arange(400) % 4
    kept = collapse(labels.float().unsqueeze(1), labels, 0.5, Rng([1]))
    assert kept.shape == (400, 1)
    assert kept.unique().tolist() == [0, 1]
    assert len(collapse(X, None, 1.0, Rng([1])).unique(dim=0)) == 1


def test_text_gets_typing_errors():
    text = DATASETS.get("markov_text")()
    harm = find_harms(text)["noise"]
    x = text.points("test")[:200]
    changed = (harm(x, None, 0.5, Rng([1])) != x).double().mean()
    tokens = text.spec.tokens
    assert changed == pytest.approx(0.5 * (1 - 1 / tokens), abs=0.03)


@pytest.mark.parametrize(
    ("values", "better", "moved"),
    [
        ((1.0, 2.0), "lower", 1),
        ((1.0, 2.0), "higher", -1),
        ((1.0, 0.2), "higher", 1),
        ((1.0, 1.02), "lower", 0),
        ((1.0, 9.0), "none", 0),
        ((1.0, None), "lower", 0),
    ],
)
def test_a_ladder_is_judged_by_the_spread_of_real_points(values, better, moved):
    assert make_ladder("c", "d", "noise", values, [0.99, 1.0, 1.01], better).moved == moved


def test_metrics_that_see_no_harm_fail_and_sound_ones_pass(planted):
    requests = make_requests([Part(name=name) for name in planted])
    found = list(ladders(requests, ("grid",), n=200))
    assert {entry.how for entry in found} == {"noise", "shift", "collapse", "fewer"}
    told = find_verdicts(found)
    assert told["wrong"] == "FAIL: sees none of the harms"
    assert told["constant"] == "FAIL: sees none of the harms"
    assert told["mmd"].startswith("ok: sees")
    assert "collapse" in told["recall"]
    worst = next(e for e in found if (e.column, e.how) == ("recall", "collapse")).values[-1]
    assert worst < 0.1
    precise = next(e for e in found if (e.column, e.how) == ("precision", "collapse")).values[-1]
    assert precise > 0.8


def test_a_swap_keeps_the_points_and_a_blur_their_size():
    x = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 1, 6, 6)
    swapped = swap(x, None, 0.5, Rng([0]))
    assert (swapped != x).flatten(1).any(1).tolist() == [True] * 4 + [False] * 4
    assert swapped[:, 0, 0, 0].sort().values.tolist() == list(range(8))
    spot = torch.zeros(1, 1, 9, 9)
    spot[..., 4, 4] = 1
    assert blur(spot, None, 0.25, Rng([0]))[0, 0, 3:6, 3:6].sum() == pytest.approx(1)
    assert blur(spot, None, 1.0, Rng([0])).shape == spot.shape


def test_metrics_of_pairs_see_what_is_done_to_true_points():
    """Only a metric that compares rows sees outputs of other sources; others are not asked of pairs."""
    requests = make_requests([Part(name=n) for n in ("psnr", "error_over_least", "near_answer")])
    rows = list(ladders(requests, ("moving_digits",), n=100))
    assert {entry.how for entry in rows} == {"noise", "shift", "blur", "swap", "fewer"}
    columns = {entry.column for entry in rows}
    assert columns == {"psnr", "error_over_least", "mean_over_least", "near_answer"}
    verdicts = find_verdicts(rows)
    for column in ("psnr", "near_answer"):
        assert verdicts[column].startswith("ok: sees"), verdicts
        assert "swap" in verdicts[column]
