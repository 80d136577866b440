"""Authenticity and C_T: what copies, what is fresh, and what fell off the data."""

import numpy
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.evaluator import Evaluator
from genbench.evaluation.requests import make_requests
from genbench.metrics.authenticity import authenticity
from genbench.metrics.c_t import c_t
from genbench.points import pairwise

RNG = Rng([0])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


TRAIN, TEST, FRESH = draws(500, 3), draws(300, 3, seed=1), draws(400, 3, seed=2)
COPIES = TRAIN[:400] + 1e-3 * draws(400, 3, seed=3)


def plain_authenticity(train, fake):
    within, across = cdist(train, train), cdist(fake, train)
    numpy.fill_diagonal(within, numpy.inf)
    return numpy.mean([row.min() > within[row.argmin()].min() for row in across])


FAR = torch.cat([FRESH, torch.full((1, 3), 1e8)])


@pytest.mark.parametrize(
    "fake", [FRESH, COPIES, 3 * FRESH, FAR], ids=["fresh", "copies", "wide", "one far out"]
)
def test_authenticity_is_its_double_loop(fake, monkeypatch):
    score = authenticity(TRAIN, TEST, fake, rng=RNG)
    assert score.value == pytest.approx(plain_authenticity(TRAIN.numpy(), fake.numpy()), abs=1e-12)
    assert score.floor == pytest.approx(plain_authenticity(TRAIN.numpy(), TEST.numpy()), abs=1e-12)
    monkeypatch.setattr(pairwise, "BLOCK", 70)
    monkeypatch.setattr(pairwise, "WHOLE", 0)
    assert authenticity(TRAIN, TEST, fake, rng=RNG) == score


def test_copies_are_not_authentic_and_fresh_points_are_as_much_so_as_held_out_ones():
    assert authenticity(TRAIN, TEST, COPIES, rng=RNG).value < 0.02
    assert authenticity(TRAIN, TEST, TRAIN, rng=RNG).value == 0
    fresh = authenticity(TRAIN, TEST, FRESH, rng=RNG)
    assert abs(fresh.value - fresh.floor) < 4 * fresh.stderr
    same = torch.zeros(50, 3)
    assert authenticity(same, same, same, rng=RNG).value == 0


def test_c_t_is_scipys_mann_whitney_test():
    far = [cdist(x.numpy(), TRAIN.numpy()).min(1) for x in (TEST, FRESH)]
    peer = mannwhitneyu(far[1], far[0], method="asymptotic", use_continuity=False)
    found = c_t(TRAIN, TEST, FRESH, rng=RNG).value
    from scipy.stats import norm

    assert 2 * norm.sf(abs(found)) == pytest.approx(peer.pvalue, rel=1e-9)


def test_c_t_has_a_standard_normal_law_for_fresh_points_and_tells_copies_by_its_sign():
    values = [
        c_t(TRAIN, draws(200, 3, seed=2 * k + 10), draws(200, 3, seed=2 * k + 11), rng=RNG).value
        for k in range(60)
    ]
    assert abs(numpy.mean(values)) < 4 / 60**0.5
    assert numpy.std(values) == pytest.approx(1, abs=0.35)
    assert c_t(TRAIN, TEST, COPIES, rng=RNG).value < -10
    assert c_t(TRAIN, TEST, 3 * FRESH, rng=RNG).value > 10


def test_cells_are_weighted_by_held_out_points_and_small_ones_are_left_out():
    left = torch.cat([TRAIN, TRAIN + 100])
    test, fake = torch.cat([TEST, FRESH[:100] + 100]), torch.cat([COPIES, FRESH[200:210] + 100])
    score = c_t(left, test, fake, rng=RNG, cells=2)
    assert score.protocol == {"kept": 0.75}
    assert score.value == pytest.approx(c_t(TRAIN, TEST, COPIES, rng=RNG).value, rel=1e-6)
    assert c_t(TRAIN[:9], TEST[:9], FRESH, rng=RNG).value is None


def test_streams_have_nothing_to_memorise_and_finite_sets_are_compared_whole():
    ring, digits = DATASETS.get("ring")(), DATASETS.get("digits")()
    requests = make_requests([Part(name="c_t"), Part(name="authenticity")])
    for row in Evaluator(ring, requests, samples=60).score(ring.points("train")[:60], None, RNG):
        assert "stream without end" in row.reason
    evaluator = Evaluator(digits, requests, samples=200, features=Part(name="identity"))
    copies = {row.id: row for row in evaluator.score(digits.points("train")[-200:], None, RNG)}
    assert copies["authenticity"].value == 0
    assert 0.3 < copies["authenticity"].floor < 0.8
    assert copies["c_t"].value < -10


def test_what_cannot_be_is_refused():
    with pytest.raises(SpecError, match="'cells' needs a whole number of 1 or more, got 0"):
        c_t(TRAIN, TEST, FRESH, rng=RNG, cells=0)
    with pytest.raises(DataError, match="c_t needs as many training points as cells, got"):
        c_t(TRAIN, TEST, FRESH, rng=RNG, cells=10**6)
    for function in (c_t, authenticity):
        with pytest.raises(DataError, match="needs points of one dimension"):
            function(TRAIN, TEST[:, :2], FRESH, rng=RNG)
