"""Throughput, the cost of an effective sample and peak memory, against what is known of them."""

import sys
import time
from pathlib import Path

import pytest
import torch

from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._chain import autocorrelation_time
from genbench.metrics.effective_sample_cost import effective_sample_cost
from genbench.metrics.peak_memory import peak_memory
from genbench.metrics.throughput import throughput

sys.path.insert(0, str(Path(__file__).parent))
from gaussian_model import Autoregressive, Normal, Shifted

DATA = Normal(2)
RNG = Rng([0])


class Slow(Shifted):
    """Takes 4 ms and another 0.1 ms a sample: at best 10,000 samples a second."""

    def sample(self, n, rng):
        time.sleep(0.004 + 1e-4 * n)
        return super().sample(n, rng)

    def sequential_steps(self):
        return 7


def call(function, model, **options):
    return function(Trained(model, DATA), DATA.points("test"), rng=RNG, **options)


def test_throughput_is_the_rate_at_the_best_batch():
    score = call(throughput, Slow(DATA, RNG), seconds=10, largest=256)
    assert 2000 < score.value <= 10_000
    assert score.protocol["batch"] == 256
    small = call(throughput, Slow(DATA, RNG), seconds=0.001)
    assert small.protocol["batch"] == 1
    assert 20 < small.value <= 1 / 0.0041


@pytest.mark.parametrize("slope", [0.0, 0.5, 0.9, -0.5])
def test_autocorrelation_time_of_a_linear_chain_is_its_closed_form(slope):
    found = call(
        effective_sample_cost, Autoregressive(DATA, RNG, slope=slope), chains=100, steps=600
    )
    exact = (1 + slope) / (1 - slope)
    assert found["autocorrelation_time"].value == pytest.approx(exact, rel=0.15)
    assert found["autocorrelation_time"].kind == "estimate"
    assert found["effective_sample_steps"].value == found["autocorrelation_time"].value


def test_chains_that_are_stuck_give_a_bound_and_frozen_ones_a_reason():
    stuck = call(effective_sample_cost, Autoregressive(DATA, RNG, slope=1.0), chains=20, steps=60)
    assert stuck["autocorrelation_time"].kind == "bound"
    assert stuck["autocorrelation_time"].value > 30
    assert autocorrelation_time(torch.ones(50, 4, 2)) == (None, True)
    # two modes that chains never leave, though each forgets within its own
    modes = torch.tensor([-9.0, 9.0]).repeat(10)[:, None]
    within = modes + torch.randn(200, 20, 1, generator=torch.Generator().manual_seed(0))
    time_, seen = autocorrelation_time(within)
    assert time_ > 100
    assert not seen


def test_independent_samples_pay_their_own_evaluations():
    found = call(effective_sample_cost, Slow(DATA, RNG), chains=10)
    assert found["autocorrelation_time"].value == 1
    assert found["effective_sample_steps"].value == 7
    assert 0.5 <= found["effective_sample_ms"].value < 5


class Holder(Shifted):
    """Holds 3 MiB of weights, and while sampling 2 MiB, then 5 MiB, never both."""

    def __init__(self, dataset, rng):
        super().__init__(dataset, rng)
        self.weight = torch.nn.Parameter(torch.zeros(1, 3 * 2**18))

    def sample(self, n, rng):
        first = torch.zeros(2 * 2**18)
        del first
        second = torch.zeros(4 * 2**18)
        third = second[: 2**18] + 1
        second.view(2, -1).add_(1)
        assert third.numel()
        return rng.normal(n, *self.spec.event)


def test_peak_memory_counts_what_is_alive_at_once():
    found = call(peak_memory, Holder(DATA, RNG), batch=1)
    assert found.value == pytest.approx(3 + 5, abs=0.01)
    assert call(peak_memory, Holder(DATA, RNG), batch=1) == found
    many = call(peak_memory, Shifted(DATA, RNG), batch=2**17).value
    assert 2 <= many <= 5  # points of 1 MiB each in a few steps


def test_options_are_checked():
    with pytest.raises(SpecError, match="throughput option 'largest' needs a whole number of 1"):
        call(throughput, Shifted(DATA, RNG), largest=0)
    with pytest.raises(
        SpecError, match="effective_sample_cost option 'chains' needs a whole number of 2"
    ):
        call(effective_sample_cost, Shifted(DATA, RNG), chains=1)
    with pytest.raises(SpecError, match="peak_memory option 'batch' needs a whole number of 1"):
        call(peak_memory, Shifted(DATA, RNG), batch=0)
