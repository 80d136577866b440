import itertools
import math

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import SpecError
from genbench.core.rng import Rng


def make(**options):
    return DATASETS.get("ar_wave")(**options)


def test_a_law_that_does_not_come_to_rest_is_refused():
    """Its stationary state was where 10,000 steps had led, and its entropy and spectrum were wrong."""
    with pytest.raises(SpecError, match="needs to come to rest"):
        make(radius=0.999, period=4, noise=0.2)


def test_probabilities_of_all_waves_sum_to_one_and_have_the_entropy():
    data = make(length=4)
    x = torch.tensor(list(itertools.product(range(16), repeat=4))).float() / 15
    p = data.truth.log_prob(x).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-12)
    assert torch.special.entr(p).sum().item() == pytest.approx(data.truth.entropy, abs=1e-10)


def test_the_table_is_of_the_rounded_process():
    """An independent simulation: two levels, a step of the recursion, rounding."""
    law = make(radius=0.75, period=10.0, noise=1.5).law
    older, newer = 4, 11
    pull = 1.5 * math.cos(2 * math.pi / 10), -(0.75**2)
    mean = pull[0] * (newer - 7.5) + pull[1] * (older - 7.5)
    draws = mean + 1.5 * Rng([0]).normal(400_000)[0].double()
    levels = (draws + 7.5).round().clamp(0, 15).long()
    share = torch.bincount(levels, minlength=16) / len(levels)
    p = law.table[older * 16 + newer]
    assert ((share - p).abs() < 5 * (p / len(levels)).sqrt() + 1e-5).all()
    # the other way round it is the same
    assert law.table[(15 - older) * 16 + 15 - newer].flip(0) == pytest.approx(p, abs=1e-12)


def test_nats_a_sample_are_those_of_the_law():
    data = make(length=1000)
    x = data.draw(200, Rng([3, 4]))
    assert x.shape == (2, 200, 1000)
    nats = -data.truth.log_prob(x)
    error = nats.std().item() / math.sqrt(nats.numel())
    assert nats.mean().item() == pytest.approx(data.truth.entropy, abs=4 * error)
    assert data.truth.entropy / 1000 == pytest.approx(data.law.rate(), abs=0.01)
    assert data.law.rate() < math.log(16) - 0.5


def test_the_spectrum_is_the_mean_periodogram():
    data = make(length=128)
    steps = data.draw(4000, Rng([0]))[0].double() * 15 - 7.5
    found = torch.fft.rfft(steps).abs().square().mean(0) / 128
    ratio = (found / data.spectrum()).log()
    assert ratio.abs().max().item() < 5 / math.sqrt(2000)
    assert data.spectrum().argmax().item() in (12, 13)  # a period of ten samples
    assert steps.square().mean().item() == pytest.approx(
        data.law.autocovariance(torch.arange(16) - 7.5, 1).item(), rel=0.02
    )


def test_long_waves_are_fewer_and_strange_options_are_refused():
    assert make(length=16_000).points("test").shape == (32, 16_000)
    for options in ({"length": 2}, {"radius": 1.0}, {"period": 2.0}, {"noise": 0.0}):
        with pytest.raises(SpecError, match="the usual are 256"):
            make(**options)
