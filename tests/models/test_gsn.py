import math

import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.minibatches import training_set
from genbench.training.trainer import Trainer

PLANE = DataSpec("plane", (2,))
BITS = DataSpec("bits", (8,), kind="binary")


def test_the_chain_has_the_distribution_of_its_linear_gaussian_steps():
    """With f(x) = a x the chain is autoregressive, of variance (a² n² + s²) / (1 - a²)."""
    rng = Rng([0, 1], dtype=torch.float64)
    model = build("gsn", PLANE, rng, {"hidden_noise": 0.0, "chain_steps": 60})
    log_std = torch.full((2, 1, 2), -1.0).double()
    model.reconstruction = lambda state, rng: torch.cat(
        [0.8 * state, log_std.expand_as(state)], dim=-1
    )
    expected = (0.64 * model.noise**2 + math.exp(-2)) / 0.36
    fake = model.sample(40_000, rng.fork("sample"))
    assert torch.allclose(fake.var(1), torch.tensor(expected).double(), rtol=0.03)


def test_salt_and_pepper_replaces_bits_by_fair_coins():
    rng = Rng([0, 1])
    model = build("gsn", BITS, rng, {"salt": 0.4})
    ones = torch.ones(2, 20_000, 8)
    assert model.corrupted(ones, rng).mean().item() == pytest.approx(0.8, abs=0.01)
    assert build("gsn", BITS, rng, {"salt": 0.0}).corrupted(ones, rng).eq(1).all()


def test_every_walkback_step_starts_where_the_chain_went_and_aims_at_the_data():
    rng = Rng([0, 1])
    model = build("gsn", PLANE, rng, {"walkback": 3, "noise": 0.0})
    batch, seen, aims = Batch(rng.normal(5, 2)), [], []
    plain = model.log_likelihood
    model.reconstruction = lambda state, rng: (
        seen.append(state) or torch.cat([state + 1, torch.zeros_like(state)], dim=-1)
    )
    model.draw = lambda out, rng: out[..., :2]
    model.log_likelihood = lambda x, out: aims.append(x) or plain(x, out)
    loss = model.loss(batch, rng)
    assert [torch.allclose(s, batch.x + k) for k, s in enumerate(seen)] == [True] * 3
    assert all(torch.equal(aim, batch.x) for aim in aims)
    # a unit normal k away in both coordinates
    expected = math.log(2 * math.pi) + (1 + 4 + 9) / 3
    assert torch.allclose(loss, torch.full((2,), expected))


def test_a_reconstruction_of_real_numbers_has_a_width_of_its_own():
    rng = Rng([0, 1], dtype=torch.float64)
    model = build("gsn", PLANE, rng, {})
    out = model.reconstruction(rng.normal(400, 2), rng)
    mean, log_std = out.chunk(2, dim=-1)
    assert mean.shape == log_std.shape == (2, 400, 2)
    assert log_std.std(1).min() > 0.01
    draws = model.draw(out[:, :1].expand(-1, 50_000, -1), rng)
    assert torch.allclose(draws.std(1), log_std[:, 0].exp(), rtol=0.03)
    assert torch.allclose(draws.mean(1), mean[:, 0], atol=0.03)


def test_inpainting_has_the_distribution_of_the_clamped_chain():
    """Two bits with P their true posterior: the free one's distribution is that of its two-state chain."""
    rng = Rng([0, 1], dtype=torch.float64)
    model = build("gsn", DataSpec("two", (2,), kind="binary"), rng, {"salt": 0.6})
    model.chain_steps, model.offset[:] = 40, 0.5
    p = torch.tensor([[0.4, 0.1], [0.15, 0.35]]).double()
    flip = torch.tensor([[0.7, 0.3], [0.3, 0.7]]).double()  # P(corrupted | bit) at salt 0.6
    joint = torch.einsum("ab,ax,by->xyab", p, flip, flip)
    posterior = joint / joint.sum((2, 3), keepdim=True)

    def draw(state, rng):
        edges = posterior[*state.long().unbind(-1)].flatten(-2).cumsum(-1)
        pick = (rng.uniform(*state.shape[1:-1], 1) > edges[..., :3]).sum(-1)
        return torch.stack([pick // 2, pick % 2], dim=-1).to(state)

    model.reconstruction, model.draw = (lambda state, rng: state), draw
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]]).double().repeat(10_000, 1).expand(2, -1, -1)
    observed = torch.tensor([True, False]).expand_as(x)
    filled = model.inpaint(x, observed, rng.fork("fill"))
    assert torch.equal(filled[observed], x[observed])
    step = torch.einsum("by,aycd->abd", flip, posterior)
    expected = step[:, 0, 1] / (step[:, 0, 1] + step[:, 1, 0])
    rate = filled[..., 1].unflatten(1, (-1, 2)).mean(1)
    assert (expected[1] - expected[0]) > 0.1
    assert torch.allclose(rate, expected.expand(2, -1), atol=0.02)


def test_too_little_is_refused():
    with pytest.raises(SpecError, match="'walkback' needs a whole number of 1 or more, got 0"):
        build("gsn", PLANE, Rng([0]), {"walkback": 0})
    with pytest.raises(SpecError, match="gsn needs a hidden layer"):
        build("gsn", PLANE, Rng([0]), {"hidden": ()})


def test_training_makes_bars_and_stripes_and_completes_them():
    rng, data = Rng([0, 1]), DATASETS.get("bars_and_stripes")(size=3)
    model = build(
        "gsn", data.spec, rng, {"hidden": (64,), "chain_steps": 50, "salt": 0.1, "lr": 3e-3}
    )
    model.prepare(training_set(data, type(model), rng), rng.fork("prepare"))
    Trainer(model, data, Budget(steps=800), batch=64, rng=rng).run()
    possible = data.truth.log_prob(model.sample(2000, rng.fork("sample"))).isfinite()
    assert (possible.double().mean(1) > 4 * 14 / 512).all()
    real = data.draw(500, rng.fork("real"))
    observed = torch.ones_like(real, dtype=torch.bool)
    observed[..., 1, 1] = False
    filled = model.inpaint(real, observed, rng.fork("fill"))
    assert (filled == real)[~observed].double().mean() > 0.75
