"""The classifier test: level, power, and each of its classifiers."""

import numpy
import pytest
import torch
from scipy.stats import norm

from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.metrics.c2st import c2st


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def found(real, fake, seed=0, **options):
    return {k: s.value for k, s in c2st(real, fake, rng=Rng([seed]), **options).items()}


@pytest.mark.parametrize("classifier", ["neighbours", "logistic", "network"])
def test_accuracy_nears_that_of_the_best_classifier_of_two_gaussians(classifier):
    shift = 1.0
    best = norm.cdf(shift / 2)
    values = found(
        draws(1000, 2), draws(1000, 2, seed=1) + torch.tensor([shift, 0]), classifier=classifier
    )
    assert values["c2st"] == pytest.approx(best, abs=0.04)
    assert values["c2st_p"] < 1e-10


def test_one_law_is_told_apart_by_chance_only():
    values = [
        found(draws(150, 3, seed=2 * k), draws(150, 3, seed=2 * k + 1), k) for k in range(30)
    ]
    assert numpy.mean([v["c2st"] for v in values]) == pytest.approx(0.5, abs=0.02)
    assert numpy.mean([v["c2st_p"] < 0.1 for v in values]) < 0.3


def test_sets_of_unequal_size_are_balanced_and_far_ones_told_apart():
    scores = c2st(draws(900, 2), draws(60, 2, seed=1) + 30, rng=Rng([0]))
    assert scores["c2st"].value == 1
    assert scores["c2st"].protocol == {"points": 60}
    p = scores["c2st_p"].value
    assert p == pytest.approx(norm.sf(np_root(120)), rel=1e-9)
    assert found(torch.zeros(90, 2), torch.zeros(90, 2))["c2st"] == pytest.approx(0.5, abs=0.1)


def np_root(n):
    return 2 * n**0.5 * 0.5


def test_what_cannot_be_is_refused():
    with pytest.raises(DataError, match="c2st needs at least 10 points of each kind, got 9"):
        found(draws(9, 2), draws(50, 2))
    with pytest.raises(SpecError, match="'logistic' or 'network', got 'forest'"):
        found(draws(50, 2), draws(50, 2), classifier="forest")
