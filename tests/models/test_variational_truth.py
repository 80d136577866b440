"""Bounds of the variational models against likelihoods integrated on a fine grid of codes."""

import functools
import math

import pytest
import torch
from torch.nn import functional

from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.trainer import Trainer

OPTIONS = {"latent": 2, "hidden": (32,), "lr": 5e-3}


def words():
    """All 2^9 images of 3×3 bits, (512, 1, 3, 3)."""
    return ((torch.arange(512).unsqueeze(1) >> torch.arange(9)) & 1).double().view(-1, 1, 3, 3)


@functools.cache
def trained(name):
    source, rng = DATASETS.get("bars_and_stripes")(size=3), Rng([0, 1], dtype=torch.float64)
    model = build(name, source.spec, rng, OPTIONS)
    Trainer(model, source, Budget(steps=400), batch=64, rng=rng).run()
    return model, source, rng


def patterns(source):
    """The fourteen images that the data set has, each once."""
    return source.points("test").unique(dim=0).double()


def exact(model, x):
    """log p(x) of points (N, 1, 3, 3), integrated over codes on a square grid, shape (S, N)."""
    side = torch.linspace(-6, 6, 141, dtype=torch.float64)
    z = torch.cartesian_prod(side, side).expand(model.seeds, -1, -1)
    log_prior = (-0.5 * z.square().sum(-1)).log_softmax(-1)
    with torch.no_grad():
        logits = model.autoencoder.output(z)
    each = logits @ x.flatten(1).T - functional.softplus(logits).sum(-1, keepdim=True)
    return (each + log_prior.unsqueeze(-1)).logsumexp(1)


def bound(model, x, draws, rng):
    """The mean of 400 bounds a point and its standard error, (S, N) each."""
    many = x.repeat_interleave(400, 0).expand(model.seeds, -1, -1, -1, -1)
    values = model.autoencoder.bound(many, draws, rng.fork("bound", draws)).unflatten(1, (-1, 400))
    return values.mean(-1), values.std(-1) / 20


@pytest.mark.parametrize("name", ["vae", "beta_vae", "iwae"])
def test_the_likelihood_of_all_words_sums_to_one(name):
    model, _, _ = trained(name)
    total = exact(model, words()).exp().sum(-1)
    torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["vae", "beta_vae", "iwae"])
def test_bounds_lie_below_the_likelihood_and_rise_to_it_with_the_draws(name):
    model, source, rng = trained(name)
    x = patterns(source)
    truth = exact(model, x)
    means, errors = zip(*(bound(model, x, draws, rng) for draws in (1, 5, 50)), strict=True)
    for mean, error in zip(means, errors, strict=True):
        assert (mean < truth + 4 * error).all()
    for i in (0, 1):
        assert (means[i].mean(-1) < means[i + 1].mean(-1)).all()
        assert (means[i] < means[i + 1] + 4 * (errors[i] + errors[i + 1])).all()
    assert (truth.mean(-1) - means[2].mean(-1) < 0.05).all()


def test_what_iwae_trains_on_is_tighter_than_what_vae_trains_on():
    gaps, values = {}, {}
    for name, draws in (("vae", 1), ("iwae", 5)):
        model, source, rng = trained(name)
        x = patterns(source)
        values[name] = bound(model, x, draws, rng)[0].mean(-1)
        gaps[name] = exact(model, x).mean(-1) - values[name]
    assert (gaps["iwae"] < 0.7 * gaps["vae"]).all()
    assert (values["iwae"] > values["vae"]).all()
    assert (values["iwae"] < -math.log(14)).all()


def test_a_heavier_kl_keeps_codes_nearer_to_the_prior():
    kl = {}
    for name in ("vae", "beta_vae"):
        model, source, _ = trained(name)
        with torch.no_grad():
            mean, log_std = model.autoencoder.posterior(patterns(source).expand(2, -1, -1, -1, -1))
        each = 0.5 * (mean.square() + (2 * log_std).exp() - 1) - log_std
        kl[name] = each.sum(-1).mean(-1)
    assert (kl["beta_vae"] < 0.5 * kl["vae"]).all()
