"""Modes: exact samples, the null of uniform noise, collapse, and the bias of the reverse KL."""

import math

import numpy
import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics.modes import modes

RNG = Rng([0])
GRID = DATASETS.get("grid")()
RING = DATASETS.get("ring")()


def of(fake, truth, **options):
    return {name: score.value for name, score in modes(fake, truth, rng=RNG, **options).items()}


def test_a_histogram_counted_by_hand():
    truth = Truth(centres=torch.tensor([[0.0, 0], [10, 0], [0, 10], [10, 10]]), std=1.0)
    # 6 at the first, 2 on the rim of the second, 1 just outside of it, 1 far away from all
    fake = torch.tensor([[0.0, 0]] * 6 + [[13.0, 0]] * 2 + [[13.01, 0], [5, 40]])
    found = of(fake, truth)
    assert (found["modes"], found["modes_strict"], found["high_quality"]) == (2, 2, 0.8)
    exact = 0.75 * math.log(4 * 0.75) + 0.25 * math.log(4 * 0.25)
    assert found["reverse_kl"] == pytest.approx(exact, rel=1e-12)
    assert found["reverse_kl_corrected"] == pytest.approx(exact - 1 / 16, rel=1e-12)


def test_a_stray_sample_captures_a_mode_but_not_strictly():
    truth = Truth(centres=torch.tensor([[0.0], [10.0]]), std=1.0)
    fake = torch.cat([torch.zeros(100, 1), torch.full((4, 1), 10.0)])
    found = of(fake, truth)
    assert (found["modes"], found["modes_strict"]) == (2, 1)


@pytest.mark.parametrize("data", [GRID, RING], ids=["grid", "ring"])
def test_exact_samples_meet_every_floor(data):
    scores = [modes(x, data.truth, rng=RNG) for x in data.draw(2500, Rng(range(60)))]

    def mean(column):
        return numpy.mean([score[column].value for score in scores])

    assert mean("modes") == mean("modes_strict") == len(data.centres)
    quality = scores[0]["high_quality"]
    assert quality.floor == pytest.approx(1 - math.exp(-4.5), rel=1e-12)
    assert quality.stderr == pytest.approx(0.0021, rel=0.2)
    assert mean("high_quality") == pytest.approx(quality.floor, abs=4 * 0.0021 / math.sqrt(60))
    assert mean("reverse_kl") == pytest.approx(scores[0]["reverse_kl"].floor, rel=0.2)
    assert abs(mean("reverse_kl_corrected")) < 0.2 * mean("reverse_kl")


@pytest.mark.parametrize(
    ("data", "reach", "captured", "quality"),
    [(GRID, 5.0, 20.7, 0.0177), (RING, 1.5, 4.35, 0.0025)],
    ids=["grid", "ring"],
)
def test_uniform_noise_captures_most_modes_at_hardly_any_quality(data, reach, captured, quality):
    """The null that published counts of modes are to be read against."""
    found = [of(x, data.truth) for x in Rng(range(100)).uniform(2500, 2, low=-reach, high=reach)]
    inside = len(data.centres) * math.pi * (3 * data.std) ** 2 / (2 * reach) ** 2
    assert inside == pytest.approx(quality, rel=0.01)
    assert numpy.mean([f["high_quality"] for f in found]) == pytest.approx(inside, rel=0.15)
    assert numpy.mean([f["modes"] for f in found]) == pytest.approx(captured, abs=0.5)
    assert numpy.mean([f["modes_strict"] for f in found]) < 0.1


def test_collapse_to_one_mode_costs_ln_k():
    fake = GRID.centres[3].float() + 0.05 * Rng([1]).normal(2500, 2)[0]
    found = of(fake, GRID.truth)
    assert (found["modes"], found["modes_strict"]) == (1, 1)
    assert found["reverse_kl"] == pytest.approx(math.log(25))


def test_without_high_quality_samples_there_is_no_divergence():
    scores = modes(torch.full((50, 2), 99.0), GRID.truth, rng=RNG)
    assert scores["modes"].value == scores["high_quality"].value == 0
    assert scores["reverse_kl"].value is None
    assert "no sample is of high quality" in scores["reverse_kl_corrected"].reason


def test_only_the_first_samples_count():
    x = GRID.points("test")
    assert modes(x, GRID.truth, rng=RNG) == modes(x[:2500], GRID.truth, rng=RNG)
    assert modes(x[:99], GRID.truth, rng=RNG)["modes"].protocol == {"samples": 99}


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="modes needs fake points of 2 coordinates, got 3"):
        of(torch.zeros(5, 3), GRID.truth)
    with pytest.raises(DataError, match="modes needs a truth with centres and std"):
        of(torch.zeros(5, 2), Truth())
    with pytest.raises(SpecError, match="'samples' needs a whole number of 1 or more, got 0"):
        of(torch.zeros(5, 2), GRID.truth, samples=0)
    with pytest.raises(DataError, match="modes needs a wider radius, got within="):
        of(torch.zeros(5, 2), GRID.truth, within=0.01)
