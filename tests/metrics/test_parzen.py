"""The Parzen window against scikit-learn's kernel density and the fault it is known for."""

import numpy
import pytest
import torch
from sklearn.neighbors import KernelDensity

from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.metrics.parzen import Densities, parzen
from genbench.points import pairwise
from genbench.points.pairwise import Look, clouds, together

RNG = Rng([0])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def log_prob(x, centres, width):
    found, (centres, x) = Densities(len(x), [width], x), clouds(centres, x)

    def looks():
        yield [Look(x, centres, found.see)]

    together([looks()])
    return found.log_prob(centres)[0]


@pytest.mark.parametrize("width", [0.01, 0.3, 5.0])
def test_it_is_scikit_learns_kernel_density(width, monkeypatch):
    x, centres = draws(120, 5), draws(200, 5, seed=1)
    peer = KernelDensity(bandwidth=width, leaf_size=500).fit(centres).score_samples(x)
    numpy.testing.assert_allclose(log_prob(x, centres, width), peer, rtol=1e-9)
    monkeypatch.setattr(pairwise, "BLOCK", 70)
    numpy.testing.assert_allclose(log_prob(x, centres, width), peer, rtol=1e-9)


def test_the_width_is_chosen_on_one_half_and_the_value_is_of_the_other():
    real, fake = draws(400, 2), draws(400, 2, seed=1)
    score = parzen(real, fake, rng=RNG)
    order = RNG.fork().permutation(400)[0]
    halves = [real[order[:200]], real[order[200:]]]
    widths = float(real.var(0).mean().sqrt()) * 10 ** numpy.linspace(-2.5, 0, 16)
    peers = [KernelDensity(bandwidth=w, leaf_size=500).fit(fake) for w in widths]
    best = max(peers, key=lambda peer: peer.score_samples(halves[0]).mean())
    values = best.score_samples(halves[1])
    assert score.value == pytest.approx(values.mean(), rel=1e-6)
    assert score.stderr == pytest.approx(values.std(ddof=1) / 200**0.5, rel=1e-6)
    assert score.protocol["comparable"] == "no"


def test_centres_of_clusters_beat_true_samples_in_many_dimensions():
    """The fault of Theis et al. (2016): samples of no diversity score above those of the truth."""
    centres = 5 * draws(10, 100)
    real, true = (centres.repeat(40, 1) + draws(400, 100, seed=s) for s in (1, 2))
    assert parzen(real, centres.repeat(40, 1), rng=RNG).value > parzen(real, true, rng=RNG).value


def test_collapse_constants_and_bad_options():
    assert numpy.isfinite(parzen(draws(50, 3), torch.zeros(50, 3), rng=RNG).value)
    assert "are equal" in parzen(torch.zeros(9, 2), draws(9, 2), rng=RNG).reason
    # the mean of a thousand times 0.1 is not 0.1
    tenths = torch.full((1000, 3), 0.1, dtype=torch.float64)
    assert "are equal" in parzen(tenths, draws(9, 3), rng=RNG).reason
    with pytest.raises(DataError, match="parzen needs at least 4 real points, got 3"):
        parzen(draws(3, 2), draws(9, 2), rng=RNG)
    with pytest.raises(
        SpecError, match="'bandwidths' needs a whole number from 2 to 10000, got 0"
    ):
        parzen(draws(9, 2), draws(9, 2), rng=RNG, bandwidths=0)
