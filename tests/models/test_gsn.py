import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.harness.source import training_set
from genbench.harness.train import Trainer

PLANE = DataSpec("plane", (2,))
BITS = DataSpec("bits", (8,), kind="binary")


def test_the_chain_has_the_law_of_its_linear_gaussian_steps():
    """With f(x) = a x the chain is autoregressive, of variance (a² n² + s²) / (1 - a²)."""
    rng = Rng([0, 1], dtype=torch.float64)
    made = build("gsn", PLANE, rng, {"hidden_noise": 0.0, "chain_steps": 60})
    made.reconstruction = lambda state, rng: 0.8 * state
    std = made.log_std[0, 0, 0].exp().item()
    wanted = (0.64 * made.noise**2 + std**2) / 0.36
    fake = made.sample(40_000, rng.fork("sample"))
    assert torch.allclose(fake.var(1), torch.tensor(wanted).double(), rtol=0.03)


def test_salt_and_pepper_replaces_bits_by_fair_coins():
    rng = Rng([0, 1])
    made = build("gsn", BITS, rng, {"salt": 0.4})
    ones = torch.ones(2, 20_000, 8)
    assert made.corrupted(ones, rng).mean().item() == pytest.approx(0.8, abs=0.01)
    assert build("gsn", BITS, rng, {"salt": 0.0}).corrupted(ones, rng).eq(1).all()


def test_every_walkback_step_starts_where_the_chain_went_and_aims_at_the_data():
    rng = Rng([0, 1])
    made = build("gsn", PLANE, rng, {"walkback": 3, "noise": 0.0})
    batch, seen, aims = Batch(rng.normal(5, 2)), [], []
    plain = made.log_likelihood
    made.reconstruction = lambda state, rng: seen.append(state) or state + 1
    made.draw = lambda out, rng: out
    made.log_likelihood = lambda x, out: aims.append(x) or plain(x, out)
    loss = made.loss(batch, rng)
    assert [torch.allclose(s, batch.x + k) for k, s in enumerate(seen)] == [True] * 3
    assert all(torch.equal(aim, batch.x) for aim in aims)
    total = sum(plain(batch.x, batch.x + k).mean(-1) for k in (1, 2, 3))
    assert torch.allclose(loss, -total / 3)


def test_too_little_is_refused():
    with pytest.raises(SpecError, match="gsn needs a hidden layer"):
        build("gsn", PLANE, Rng([0]), {"walkback": 0})


def test_training_makes_bars_and_stripes_and_completes_them():
    rng, data = Rng([0, 1]), DATASETS.get("bars_and_stripes")(size=3)
    made = build(
        "gsn", data.spec, rng, {"hidden": (64,), "chain_steps": 50, "salt": 0.1, "lr": 3e-3}
    )
    made.prepare(training_set(data, type(made), rng), rng.fork("prepare"))
    Trainer(made, data, Budget(steps=800), batch=64, rng=rng).run()
    possible = data.truth.log_prob(made.sample(2000, rng.fork("sample"))).isfinite()
    assert (possible.double().mean(1) > 4 * 14 / 512).all()
    real = data.draw(500, rng.fork("real"))
    known = torch.ones_like(real, dtype=torch.bool)
    known[..., 1, 1] = False
    filled = made.inpaint(real, known, rng.fork("fill"))
    assert (filled == real)[~known].double().mean() > 0.75
