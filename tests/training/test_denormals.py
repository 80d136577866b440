"""Training rounds denormal numbers to 0: the caller's arithmetic stays, and no weight gets another bit."""

from contextlib import nullcontext

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training import trainer
from genbench.training.denormals import TINY, flush_denormals
from genbench.training.minibatches import prepare

pytestmark = pytest.mark.skipif(
    not torch.set_flush_denormal(False), reason="this processor cannot flush denormal numbers"
)


def shrink() -> float:
    """A denormal product."""
    return float(torch.tensor(TINY) * 0.5)


def test_the_callers_arithmetic_is_given_back():
    with flush_denormals():
        assert shrink() == 0.0
    with pytest.raises(KeyError), flush_denormals():
        raise KeyError
    assert shrink() > 0.0
    torch.set_flush_denormal(True)
    try:
        with flush_denormals():
            assert shrink() == 0.0
        assert shrink() == 0.0
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.parametrize("name", ["made", "gan", "vae", "realnvp"])
def test_no_weight_gets_another_bit(name, monkeypatch):
    def train():
        dataset, rng = DATASETS.get("digits")(), Rng([0, 1])
        model = prepare(build(name, dataset.spec, rng.fork("init")), dataset, rng)
        trainer.Trainer(model, dataset, Budget(steps=20), rng=rng, batch=32).run()
        return model.state_dict()

    flushed = train()
    monkeypatch.setattr(trainer, "flush_denormals", nullcontext)
    plain = train()
    assert all(torch.equal(flushed[key], value) for key, value in plain.items())
