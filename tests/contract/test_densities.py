"""Whether densities are true: their sums, and whether samples follow them."""

from __future__ import annotations

import functools

import pytest
import torch
from integrals import counts, masses
from scipy.stats import chi2
from test_models import DENSITIES, data_set, small, trained

from genbench.core.model import build
from genbench.core.rng import Rng

#: samples to a test of fit
SAMPLES = 5000
#: where a test rejects
LEVEL = 0.01
#: steps of training: enough that models differ from where they started
STEPS = 100


@functools.cache
def exact(name, data, steps=STEPS):
    """A trained model of one seed, with the weights that are evaluated, and its rng."""
    made, rng, trainer = trained(name, data, [0], steps)
    with trainer.averaged():
        kept = {key: value.clone() for key, value in made.state_dict().items()}
    made.load_state_dict(kept)
    return made.eval(), rng


def density(made, rng):
    """Maps points (N, *event) to log densities (N,), in chunks."""

    def log_prob(points):
        with torch.no_grad():
            parts = [made.log_prob(p[None], rng.fork("density"))[0] for p in points.split(20_000)]
        return torch.cat(parts).double()

    return log_prob


def rejection(seen, expected):
    """The probability of counts as far off as those seen, by chi-squared; few expected are pooled."""
    seen, expected = seen.double(), expected.double()
    rare = expected < 5
    seen = torch.cat([seen[~rare], (SAMPLES - seen[~rare].sum()).view(1)])
    expected = torch.cat([expected[~rare], (SAMPLES - expected[~rare].sum()).view(1)])
    if expected[-1] < 1:  # too little to be tested by itself
        seen, expected = (torch.cat([x[:-2], x[-2:].sum().view(1)]) for x in (seen, expected))
    statistic = ((seen - expected).square() / expected).sum().item()
    return float(chi2.sf(statistic, len(expected) - 1))


def words():
    """All words of bars_and_stripes, shape (512, 1, 3, 3)."""
    return ((torch.arange(512).unsqueeze(1) >> torch.arange(9)) & 1).float().view(512, 1, 3, 3)


def word_counts(x):
    """How often each word is among samples (N, 1, 3, 3)."""
    return (x.flatten(1).long() << torch.arange(9)).sum(1).bincount(minlength=512)


def of(data):
    """The models whose small versions have an exact density on a data set, machines among them."""
    spec, rng = data_set(data).spec, Rng([0])
    given = [name for name, taken in DENSITIES if taken == data]
    return [name for name in given if build(name, spec, rng, small(name)).bound == "exact"]


@pytest.mark.parametrize("name", of("bars_and_stripes"))
def test_probabilities_sum_to_one_and_samples_follow_them(name):
    made, rng = exact(name, "bars_and_stripes")
    p = density(made, rng)(words()).exp()
    assert p.sum().item() == pytest.approx(1.0, abs=1e-4)
    with torch.no_grad():
        fake = made.sample(SAMPLES, rng.fork("sample"))[0]
    assert rejection(word_counts(fake), SAMPLES * p) > LEVEL


def follows_its_density(name, data, steps, n):
    """Whether samples in the plane fit the masses of squares, by cells split into n×n."""
    made, rng = exact(name, data, steps)
    mass = masses(density(made, rng), n=n)
    assert mass.sum() < 1.01
    with torch.no_grad():
        fake = made.sample(SAMPLES, rng.fork("sample"))[0]
    return rejection(counts(fake), SAMPLES * mass) > LEVEL


@pytest.mark.parametrize("name", of("ring"))
def test_samples_follow_the_density_in_the_plane(name):
    assert follows_its_density(name, "ring", STEPS, n=8)


@pytest.mark.slow
@pytest.mark.parametrize("name", of("ring"))
@pytest.mark.parametrize("data", ["ring", "grid"])
def test_samples_follow_the_density_of_a_longer_trained_model(name, data):
    assert follows_its_density(name, data, 2000, n=20)


def test_the_tests_reject_what_another_model_drew():
    made, rng = exact("made", "bars_and_stripes")
    p = density(made, rng)(words()).exp()
    other = data_set("bars_and_stripes").draw(SAMPLES, Rng([0]))[0]
    assert rejection(word_counts(other), SAMPLES * p) < 1e-6
    made, rng = exact("gaussian", "ring")
    mass = masses(density(made, rng))
    fake = 1.1 * made.sample(SAMPLES, rng.fork("sample"))[0]
    assert rejection(counts(fake), SAMPLES * mass) < LEVEL
