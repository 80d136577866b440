import itertools
import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

SPEC = DataSpec("space", (3,))
BITS = DataSpec("bits", (4,), kind="binary")


def linear_vae(*, seeds=(0, 1), importance=64):
    """A VAE without hidden layers, p(x|z) = N(Wz + b, s^2), so that p(x) is a known Gaussian."""
    rng = Rng(seeds, dtype=torch.float64)
    options = {"hidden": (), "latent": 2, "log_std": -0.5, "importance": importance}
    model = build("vae", SPEC, rng, options)
    weight, bias = (
        model.autoencoder.decoder.layers[0].weight,
        model.autoencoder.decoder.layers[0].bias,
    )
    covariance = weight.mT @ weight + math.exp(-1.0) * torch.eye(3).double()
    return model, rng, bias.squeeze(1), covariance


def exact_posterior(model, covariance, bias):
    """Sets the encoder to the true posterior's mean and its best factorised standard deviation."""
    weight = model.autoencoder.decoder.layers[0].weight
    precision = torch.eye(2).double() + weight @ weight.mT * math.e
    gain = torch.linalg.solve(precision, weight) * math.e
    encoder = model.autoencoder.encoder.layers[0]
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.weight[..., :2] = gain.mT
        encoder.bias[..., :2] = -(bias.unsqueeze(1) @ gain.mT)
        encoder.bias[:, 0, 2:] = -0.5 * precision.diagonal(dim1=1, dim2=2).log()


def test_the_bound_lies_below_and_closes_in_on_the_exact_density():
    gaps = {}
    for importance in (1, 8, 512):
        model, rng, bias, covariance = linear_vae(importance=importance)
        exact_posterior(model, covariance, bias)
        x = rng.fork("x").normal(200, 3)
        distribution = torch.distributions.MultivariateNormal(
            bias.unsqueeze(1), covariance.unsqueeze(1)
        )
        gaps[importance] = (distribution.log_prob(x) - model.log_prob(x, rng.fork("bound"))).mean(
            -1
        )
    assert (gaps[1] > gaps[8]).all()
    assert (gaps[8] > gaps[512]).all()
    assert (gaps[512].abs() < 0.01).all()


def test_one_draw_is_the_elbo_and_the_loss_its_negative():
    model, rng, _, _ = linear_vae(importance=1)
    x = rng.fork("x").normal(1, 3).expand(-1, 100_000, -1)
    bound = model.log_prob(x, rng.fork("bound"))
    loss = model.loss(Batch(x, progress=1.0), rng.fork("loss"))
    error = 5 * bound.std(-1) / 100_000**0.5
    assert ((bound.mean(-1) + loss).abs() < error).all()


def test_the_kl_term_is_torchs_and_is_warmed_up():
    model, rng, _, _ = linear_vae()
    x = rng.fork("x").normal(5, 3)
    mean, log_std = model.autoencoder.posterior(x)
    kl = kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.0)).sum(-1).mean(-1)
    cold, half, warm = (
        model.loss(Batch(x, progress=p), rng.fork("loss")) for p in (0.0, 0.125, 0.9)
    )
    assert torch.allclose(warm - cold, kl)
    assert torch.allclose(half - cold, 0.5 * kl)


def test_chunks_do_not_depend_on_the_other_seeds(monkeypatch):
    from genbench.families import variational

    monkeypatch.setattr(variational, "CHUNK", 64 * 3 * 4)
    model, rng, _, _ = linear_vae(seeds=(3, 4))
    alone, _, _, _ = linear_vae(seeds=(4,))
    x = rng.fork("x").normal(10, 3)
    both = model.log_prob(x, rng.fork("bound"))
    one = alone.log_prob(x[1:], Rng([4], dtype=torch.float64).fork("bound"))
    assert torch.allclose(both[1:], one, atol=1e-12)


def test_samples_of_bits_follow_the_model():
    rng = Rng([0], dtype=torch.float64)
    model = build("vae", BITS, rng, {"hidden": (8,), "latent": 2, "importance": 5000})
    words = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64)
    bound = model.log_prob(words[None], rng.fork("bound"))[0].exp()
    assert bound.sum().item() == pytest.approx(1.0, abs=0.01)
    fake = model.sample(50_000, rng.fork("sample"))[0]
    code = (fake @ torch.tensor([8.0, 4, 2, 1]).double()).long()
    assert (code.bincount(minlength=16) / 50_000 - bound).abs().max() < 0.01


def test_samples_carry_the_decoders_noise_unless_told_not_to():
    spec = DataSpec("image", (1, 2, 2), range=(0.0, 1.0))
    rng = Rng([0])
    noisy = build("vae", spec, rng, {"log_std": -2.0})
    mean = build("vae", spec, rng, {"log_std": -2.0, "sample_mean": True})
    noise = noisy.sample(5000, rng.fork("sample")) - mean.sample(5000, rng.fork("sample"))
    assert noise.std().item() == pytest.approx(math.exp(-2), rel=0.05)
    wild = build("vae", spec, rng, {"log_std": 1.0}).sample(500, rng)
    assert wild.min() >= 0
    assert wild.max() <= 1


def test_codes_are_the_posteriors_mean():
    model, rng, _, _ = linear_vae()
    x = rng.fork("x").normal(6, 3)
    assert torch.equal(model.encode(x, rng), model.autoencoder.posterior(x)[0])
    assert model.encode(x, rng).shape == (2, 6, 2)


def test_training_beats_the_best_gaussian_on_two_clusters():
    rng = Rng([0, 1])
    spec = DataSpec("line", (1,))
    model = build("vae", spec, rng, {"latent": 1, "hidden": (32,), "lr": 5e-3})
    (player,) = model.players()
    optimizer = player.optimizer(list(model.parameters()))
    draws = rng.fork("data")
    for step in range(800):
        optimizer.param_groups[0]["lr"] = 5e-3 * player.schedule(step / 800)
        x = 2.0 * draws.integers(2, 128, 1) - 1 + 0.1 * draws.normal(128, 1)
        model.zero_grad()
        player.loss(Batch(x, progress=step / 800), draws).sum().backward()
        optimizer.step()
    fake = model.sample(4000, rng.fork("sample"))
    right = (fake > 0).double().mean((1, 2))
    assert ((right - 0.5).abs() < 0.3).all()
    gaussian, entropy = 0.5 * math.log(2 * math.pi * math.e * 1.01), -0.191
    nats = -model.log_prob(x, rng.fork("bound")).mean(-1)
    assert (nats < gaussian - 0.3).all()
    assert (nats > entropy - 0.2).all()
    assert (model.autoencoder.log_std < math.log(0.3)).all()
