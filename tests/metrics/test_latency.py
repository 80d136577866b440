"""Latency: that it measures what a call takes, within its budget."""

import time

import pytest

from genbench.core.dataset import DATASETS
from genbench.core.errors import SpecError
from genbench.core.model import Model
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics.latency import COLUMNS, latency

RNG = Rng([0])


class Slow(Model):
    """Takes a known time a call, longer for many samples."""

    name = "slow"
    taxonomy = "reference"

    def __init__(self, spec, rng):
        super().__init__(spec, rng)
        self.calls = []

    def players(self):
        return ()

    def sample(self, n, rng):
        self.calls.append(n)
        time.sleep(0.02 if n == 1 else 0.05)
        return rng.normal(n, *self.spec.event)

    def sequential_steps(self):
        return 7


def measured(**options):
    data = DATASETS.get("ring")()
    model = Slow(data.spec, Rng([0]))
    return latency(Trained(model, data), data.points("test"), rng=RNG, **options), model


def test_times_are_those_of_the_calls():
    scores, model = measured(seconds=0.3)
    value = {name: score.value for name, score in scores.items()}
    assert set(value) == set(COLUMNS)
    assert 20 <= value["latency_1_p50_ms"] < 50
    assert 50 <= value["latency_1024_p50_ms"] < 100
    for batch in (1, 1024):
        of_batch = [value[f"latency_{batch}_{rank}_ms"] for rank in ("min", "p50", "p95")]
        assert of_batch == sorted(of_batch)
    assert value["samples_per_s"] == pytest.approx(1.024e6 / value["latency_1024_p50_ms"])
    assert value["sequential_steps"] == 7
    assert set(model.calls) == {1, 1024}
    assert scores["samples_per_s"].protocol["device"] == "cpu"


def test_repeats_follow_the_budget_and_one_call_warms_up():
    assert len(measured(seconds=0.0, repeats=4)[1].calls) == 2 * 5
    began = time.perf_counter()
    calls = measured(seconds=0.2, repeats=1)[1].calls
    assert time.perf_counter() - began < 1.0
    assert 4 <= calls.count(1) <= 12


def test_options_are_checked():
    with pytest.raises(SpecError, match="'repeats' needs a whole number of 1 or more, got 0"):
        measured(repeats=0)
