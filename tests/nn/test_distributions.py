"""Distributions draw what their densities say, and points and entries are each other's inverse."""

import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.rng import Rng
from genbench.nn.distributions import Bits, Levels, Mixtures, Tokens, discrete, not_discrete

F64 = torch.float64
BITS = DataSpec("bits", (1, 2, 3), kind="binary", range=(0.0, 1.0))
GREYS = DataSpec("greys", (1, 2, 3), range=(0.0, 1.0), levels=17)
WORDS = DataSpec("words", (6,), kind="tokens", tokens=5)


def outputs(distribution, n=1):
    """The same outputs for n points, shape (1, n, P)."""
    return Rng([3], dtype=F64).normal(1, distribution.outputs).expand(-1, n, -1)


@pytest.mark.parametrize("spec", [BITS, GREYS, WORDS])
def test_draws_follow_the_probabilities(spec):
    distribution, rng = discrete(spec, F64), Rng([0], dtype=F64)
    draws = distribution.draw(outputs(distribution, 100_000), rng)[0].long()
    values = torch.arange(max(distribution.outputs, 2))
    every = values.unsqueeze(0) if distribution.outputs > 1 else values.unsqueeze(0).to(F64)
    p = distribution.log_prob(every, outputs(distribution, len(values)))[0].exp()
    p = p / (17 if spec.levels else 1)
    torch.testing.assert_close(p.sum(), torch.ones((), dtype=F64))
    share = draws.bincount(minlength=len(values)) / 100_000
    assert ((share - p).abs() < 5 * (p / 100_000).sqrt()).all()


@pytest.mark.parametrize("spec", [BITS, GREYS, WORDS])
def test_points_have_the_entries_they_are_made_of(spec):
    distribution, rng = discrete(spec, F64), Rng([0, 1], dtype=F64)
    entries = rng.integers(max(distribution.outputs, 2), 50, 6)
    entries = entries.to(F64) if isinstance(distribution, Bits) else entries
    points = distribution.points(entries, rng)
    assert points.shape == (2, 50, *spec.event)
    assert torch.equal(distribution.entries(points), entries)
    assert distribution.as_inputs(entries).shape == (2, 50, 6, distribution.inputs)
    assert distribution.as_inputs(entries).abs().max() <= 1


def test_levels_are_those_of_the_data_set():
    data = DATASETS.get("digits")()
    distribution, x = Levels(data.spec, F64), data.points("test")[:100]
    model = data.to_model(x.unsqueeze(0), Rng([0]))
    assert torch.equal(distribution.entries(model)[0].view_as(x), (x * 16).round().long())
    assert torch.equal(
        data.to_data(distribution.points(distribution.entries(model), Rng([0])))[0], x
    )


def test_a_mixture_integrates_to_one_and_is_what_is_drawn():
    distribution = Mixtures(DataSpec("line", (1,), range=(0.0, 4.0)), F64, 3)
    axis = (torch.arange(40_000, dtype=F64) + 0.5) * 1e-3 - 18
    p = distribution.log_prob(
        distribution.entries(axis.view(1, -1, 1))[..., 0], outputs(distribution, len(axis))
    )[0].exp()
    draws = (
        distribution.draw(outputs(distribution, 50_000), Rng([0], dtype=F64))[0]
        * distribution.unit
        + 2
    )
    assert p.sum().item() * 1e-3 == pytest.approx(1.0, abs=1e-6)
    for edge in (0.0, 1.5, 3.0):
        expected = p[axis < edge].sum() * 1e-3
        assert (draws < edge).double().mean() == pytest.approx(expected.item(), abs=0.012)


def test_real_numbers_are_told_from_discrete_data():
    assert [not_discrete(spec) for spec in (BITS, GREYS, WORDS)] == [None] * 3
    assert "plane has real numbers" in not_discrete(DataSpec("plane", (2,)))
    assert "wide has real numbers" in not_discrete(
        DataSpec("wide", (2,), range=(-1.0, 1.0), levels=5)
    )
    assert isinstance(discrete(WORDS, F64), Tokens)
