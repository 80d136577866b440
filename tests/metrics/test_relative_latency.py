"""Sampling time in calls of a fixed sampler: a slower sampler shows, a slower machine does not."""

import time
from typing import Any

import pytest
import torch
from torch import Tensor

from genbench.core.dataset import DATASETS
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics import relative_latency as module
from genbench.metrics.relative_latency import relative_latency


class Clock:
    """Stands in for `time`: a machine on which a unit of work takes `unit` seconds."""

    def __init__(self, unit: float) -> None:
        self.now, self.unit = 0.0, unit

    def perf_counter(self) -> float:
        return self.now

    def work(self, amount: float) -> None:
        self.now += amount * self.unit


class Sampler(Trained):
    """Samples in so many units of work."""

    amount: float
    clock: Clock

    def sample(self, n: int, rng: Rng) -> Tensor:
        self.clock.work(self.amount)
        return torch.zeros(n, 2)


def measure(monkeypatch: pytest.MonkeyPatch, amount: float, unit: float) -> dict[str, float]:
    clock = Clock(unit)
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "_seconds_waited", lambda: 0.0)
    monkeypatch.setattr(module, "_calibration", lambda batch, device: lambda: clock.work(2.0))
    dataset: Any = DATASETS.get("ring")()
    trained = Sampler(build("uniform", dataset.spec, Rng([0])), dataset)
    object.__setattr__(trained, "amount", amount)
    object.__setattr__(trained, "clock", clock)
    scores = relative_latency(trained, torch.empty(0), rng=Rng([0]), seconds=0.0)
    return {id: score.value or 0.0 for id, score in scores.items()}


def test_the_machine_s_speed_cancels_and_the_sampler_s_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    once = measure(monkeypatch, 3.0, 1e-3)
    assert once == pytest.approx({"relative_latency_1": 1.5, "relative_latency_1024": 1.5})
    assert measure(monkeypatch, 3.0, 7e-3) == pytest.approx(once)
    assert measure(monkeypatch, 6.0, 1e-3) == pytest.approx({k: 2 * v for k, v in once.items()})


def test_a_sampler_that_sleeps_is_slower_than_one_that_does_not() -> None:
    dataset: Any = DATASETS.get("ring")()

    class Sleepy(Trained):
        def sample(self, n: int, rng: Rng) -> Tensor:
            time.sleep(0.02)
            return super().sample(n, rng)

    model = build("gaussian", dataset.spec, Rng([0]))
    values = []
    for kind in (Trained, Sleepy):
        trained = kind(model, dataset)
        trained.sample(1, Rng([0]))
        scores = relative_latency(trained, torch.empty(0), rng=Rng([0]), seconds=0.0, repeats=3)
        assert set(scores) == {"relative_latency_1", "relative_latency_1024"}
        assert scores["relative_latency_1"].protocol["device"] == "cpu"
        values.append(scores["relative_latency_1"].value)
    before, after = (float(value or 0) for value in values)
    assert after > 3 * before > 0


def test_waiting_for_a_core_is_no_work_of_the_sampler_s(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1e-3)
    waited = 0.0

    def call() -> None:
        nonlocal waited
        clock.work(3.0)
        clock.now += 0.5
        waited += 0.5

    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "_seconds_waited", lambda: waited)
    assert module._span(call, torch.device("cpu")) == pytest.approx(3e-3)


def test_no_repeats_are_refused() -> None:
    dataset: Any = DATASETS.get("ring")()
    trained = Trained(build("uniform", dataset.spec, Rng([0])), dataset)
    with pytest.raises(SpecError, match="'repeats' needs a whole number of 1 or more"):
        relative_latency(trained, torch.empty(0), rng=Rng([0]), repeats=0)
