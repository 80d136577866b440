"""How many threads a round takes: chosen by time, and without effect on the weights."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.nn.conv import Conv2d
from genbench.nn.mlp import Linear
from genbench.training import threads
from genbench.training.minibatches import prepare
from genbench.training.threads import ThreadChoice
from genbench.training.trainer import Trainer


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


class Clock:
    """Stands in for `time`; a round takes what the number of threads says."""

    def __init__(self, seconds: dict[int, float]) -> None:
        self.now, self.seconds = 100.0, seconds

    def perf_counter(self) -> float:
        return self.now

    def round(self) -> None:
        self.now += self.seconds[torch.get_num_threads()]


def run(choice: ThreadChoice, clock: Clock, rounds: int) -> list[int]:
    """Returns with how many threads each round ran."""
    counts = []
    for _ in range(rounds):
        with choice.timed():
            counts.append(torch.get_num_threads())
            clock.round()
    return counts


@pytest.mark.parametrize(("one", "two", "best"), [(0.01, 0.02, 1), (0.02, 0.01, 2)])
def test_the_faster_number_is_kept(
    two_threads: None, monkeypatch: pytest.MonkeyPatch, one: float, two: float, best: int
) -> None:
    clock = Clock({1: one, 2: two})
    monkeypatch.setattr(threads, "time", clock)
    choice = ThreadChoice(Linear(2, 2, Rng([0])))
    assert set(run(choice, clock, 30)) == {1, 2}
    assert set(run(choice, clock, 50)) == {best}
    choice.close()
    assert torch.get_num_threads() == 2


def test_a_neighbour_that_comes_is_noticed(
    two_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock({1: 0.02, 2: 0.01})
    monkeypatch.setattr(threads, "time", clock)
    choice = ThreadChoice(Linear(2, 2, Rng([0])))
    assert run(choice, clock, 100)[-1] == 2
    clock.seconds = {1: 0.03, 2: 0.2}
    run(choice, clock, int(threads.AGAIN / 0.03) + 30)
    assert run(choice, clock, 1) == [1]


def test_networks_that_sum_over_threads_keep_theirs(two_threads: None) -> None:
    assert not ThreadChoice(Conv2d(1, 1, 3, Rng([0]))).free
    assert ThreadChoice(Linear(2, 2, Rng([0]))).free


def test_one_thread_leaves_no_choice() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert not ThreadChoice(Linear(2, 2, Rng([0]))).free
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    "name", ["gan", "vae", "realnvp", "made", "wgan_gp", "rbm", "ddpm", "gsn"]
)
def test_weights_do_not_depend_on_the_number_of_threads(name: str) -> None:
    dataset: Any = DATASETS.get("binary_digits" if name == "rbm" else "digits")()
    before, states = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            rng = Rng(range(4))
            model = prepare(build(name, dataset.spec, rng.fork("init")), dataset, rng)
            trainer = Trainer(model, dataset, Budget(steps=3), batch=64, rng=rng)
            for _ in range(3):
                trainer.round()
            states.append({key: x.clone() for key, x in model.state_dict().items()})
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
