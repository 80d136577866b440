"""How many threads training takes: by shapes alone, so that weights do not depend on the machine's cores."""

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
from genbench.training.minibatches import prepare
from genbench.training.threads import limit_threads
from genbench.training.trainer import Trainer


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def threads_within(model: torch.nn.Module, batch: int) -> int:
    with limit_threads(model, batch):
        return torch.get_num_threads()


def test_small_stacks_take_one_thread_and_large_ones_all() -> None:
    layer = Linear(100, 99, Rng([0]))  # 10,000 weights less one
    assert threads_within(layer, 64) == 1
    assert threads_within(layer, 100_000) == 2
    assert torch.get_num_threads() == 2


def test_convolutions_and_unknown_minibatches_keep_all() -> None:
    assert threads_within(Conv2d(1, 1, 3, Rng([0])), 1) == 2
    assert threads_within(Linear(2, 2, Rng([0])), 0) == 2


def test_the_number_comes_back_after_an_error() -> None:
    def fail() -> None:
        with limit_threads(Linear(2, 2, Rng([0])), 1):
            raise KeyError(torch.get_num_threads())

    with pytest.raises(KeyError, match="1"):
        fail()
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("name", ["gan", "gmmn", "wgan_gp", "iwae"])
def test_weights_of_small_stacks_do_not_depend_on_the_number_of_threads(name: str) -> None:
    dataset: Any = DATASETS.get("ring")()
    states = []
    for count in (1, 2):
        torch.set_num_threads(count)
        rng = Rng(
            [0]
        )  # one seed of 256 points: sums over them are split where there are two threads
        model = prepare(build(name, dataset.spec, rng.fork("init")), dataset, rng)
        Trainer(model, dataset, Budget(steps=3), batch=256, rng=rng).run()
        states.append({key: x.clone() for key, x in model.state_dict().items()})
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
