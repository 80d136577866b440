import itertools

import pytest
import torch

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.models.energy import dbm

BITS = DataSpec("bits", (5,), kind="binary")


def words(n):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)), dtype=torch.float64)


def random_dbm(hidden=(4, 3), strength=0.7, spec=BITS, **options):
    """A DBM in float64 whose weights and biases are far from zero."""
    rng = Rng([0, 1], dtype=torch.float64)
    model = build("dbm", spec, rng, {"hidden": hidden, **options})
    draws = rng.fork("strong")
    with torch.no_grad():
        for p in model.machine.parameters():
            p.copy_(strength * draws.normal(*p.shape[1:]))
    model.prepare(Batch((draws.normal(50, spec.size) > 0).double()), rng.fork("prepare"))
    return model, rng


def joint(model, k):
    """-E of seed k over all v, h, g, shape (32, 16, 8), written out layer by layer."""
    machine, (v, h, g) = model.machine, (words(5), words(4), words(3))
    weight, bias = machine.weight[k], (machine.base_logit + machine.visible_bias)[k, 0]
    lower = v @ weight[:5] @ h.T + (v @ bias[:5])[:, None] + h @ machine.hidden_bias[k, 0]
    upper = h @ weight[5:].T @ g.T + g @ bias[5:]
    return lower[:, :, None] + upper[None]


def test_log_probabilities_are_those_of_the_three_layer_sum():
    model, rng = random_dbm()
    assert model.bound == "exact"
    actual = model.log_prob(words(5).expand(2, -1, -1), rng)
    for k in (0, 1):
        energy = joint(model, k)
        wanted = energy.logsumexp((1, 2)) - energy.logsumexp((0, 1, 2))
        assert torch.allclose(actual[k], wanted, atol=1e-10)


def test_mean_field_is_a_lower_bound_and_its_fixed_point():
    model, _ = random_dbm(mean_field=200)
    v = words(5).expand(2, -1, -1)
    gap = model.summed(v) - model.lower(v)
    assert (gap > 0).all()
    assert gap.max() < 1.0
    h, g = model.rates(v)
    below = model.machine.hidden_input(torch.cat([v, g], dim=-1))
    assert torch.allclose(h, torch.sigmoid(below), atol=1e-6)


def test_the_estimate_agrees_with_the_sum(monkeypatch):
    model, rng = random_dbm()
    exact = model.log_z(rng).value
    monkeypatch.setattr(dbm, "ENUMERABLE", 0)
    other, _ = random_dbm(ais_chains=200, ais_temperatures=500)
    assert other.bound == "estimate"
    actual = other.log_z(rng)
    assert ((actual.value - exact).abs() < 4 * actual.error).all()
    assert torch.equal(other.common_error(rng), actual.error)
    assert model.common_error(rng) is None


def test_the_bound_lies_under_the_likelihood_of_12_8_8_units():
    model, rng = random_dbm((8, 8), 0.3, DataSpec("bits", (12,), kind="binary"))
    v = words(12).expand(2, -1, -1)
    log_z = model.log_z(rng).value
    assert torch.allclose(model.summed(v).logsumexp(-1), log_z, atol=1e-9)
    gap = model.summed(v) - model.lower(v)
    assert (gap > 0).all()
    assert (gap.mean(-1) < 0.5).all()


def test_inpainting_follows_the_exact_conditional():
    model, rng = random_dbm(strength=1.0, gibbs_steps=50)
    x, observed = words(5).expand(2, -1, -1), torch.ones(2, 32, 5, dtype=torch.bool)
    observed[..., 4] = False
    filled = model.inpaint(x.repeat(1, 60, 1), observed.repeat(1, 60, 1), rng.fork("inpaint"))
    log_p = model.log_prob(x, rng).unflatten(1, (16, 2))
    rate = filled[..., 4].unflatten(1, (60, 32)).mean(1).unflatten(1, (16, 2)).mean(-1)
    expected = torch.sigmoid(log_p[..., 1] - log_p[..., 0])
    assert (rate - expected).abs().max() < 4.5 * 0.5 / 120**0.5
    assert (rate - expected).abs().mean() < 0.05


def test_pretraining_has_the_gradient_of_contrastive_divergence_in_each_layer():
    model, rng = random_dbm(pretrain=0.5)
    machine, x, noise = model.machine, words(5).expand(2, -1, -1), rng.fork("loss")
    drawn, plain = [], noise.bernoulli
    noise.bernoulli = lambda p: drawn.append(plain(p)) or drawn[-1]
    before = model.fantasies.clone()
    model.loss(Batch(x, progress=0.4), noise).sum().backward()
    h, v_chain, _, h_chain = drawn
    lower, upper = machine.weight[:, :5], machine.weight[:, 5:].mT
    rates = [torch.sigmoid(machine.hidden_bias + 2 * v @ lower) for v in (x, v_chain)]
    tops = [torch.sigmoid(machine.visible_bias[..., 5:] + k @ upper) for k in (h, h_chain)]
    wanted = (v_chain.mT @ rates[1] - x.mT @ rates[0]) / 32
    assert torch.allclose(machine.weight.grad[:, :5], wanted, atol=1e-12)
    wanted = (h_chain.mT @ tops[1] - h.mT @ tops[0]).mT / 32
    assert torch.allclose(machine.weight.grad[:, 5:], wanted, atol=1e-12)
    assert torch.equal(model.fantasies, before)
    model.loss(Batch(x, progress=0.5), noise)
    assert not torch.equal(model.fantasies, before)


def test_samples_follow_the_model():
    model, rng = random_dbm(strength=0.4, gibbs_steps=60)
    p = model.log_prob(words(5).expand(2, -1, -1), rng).exp()
    fake = model.sample(40_000, rng.fork("sample"))
    code = (fake @ torch.tensor([16.0, 8, 4, 2, 1]).double()).long()
    for k in (0, 1):
        assert (code[k].bincount(minlength=32) / 40_000 - p[k]).abs().max() < 0.015


def test_two_hidden_layers_are_asked_for():
    with pytest.raises(SpecError, match="two hidden layers"):
        build("dbm", BITS, Rng([0]), {"hidden": (8,)})
