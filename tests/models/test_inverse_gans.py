"""GANs whose encoder inverts the generator."""

import pytest
import torch
from planted_models import DATA
from torch.nn import functional

from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.minibatches import Minibatches
from genbench.training.trainer import Trainer

SEEDS = [0, 1]
NAMES = ["bigan", "ali"]


def make(name, **options):
    rng = Rng(SEEDS)
    return build(name, DATA.spec, rng, {"hidden": (32, 32), "latent": 3, **options}), rng


@pytest.mark.parametrize("name", NAMES)
def test_the_two_players_exchange_the_sides(name):
    model, rng = make(name, penalty=0.0)
    batch = Minibatches(DATA, rng.fork("data"), 32)()
    first, second = model.players()
    loss, turned = (p.loss(batch, rng.fork("train")) for p in (first, second))
    noise = rng.fork("train")
    code = model.game.code(batch.x, noise)
    z = model.game.prior(32, noise)
    real = model.game.logits(batch.x, code)
    fake = model.game.logits(model.game.generator(z), z)
    softplus = functional.softplus
    torch.testing.assert_close(loss, (softplus(-real) + softplus(fake)).mean(-1))
    torch.testing.assert_close(turned, (softplus(real) + softplus(-fake)).mean(-1))
    loss.sum().backward()
    assert all(p.grad is None for p in second.module.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_discriminator_sees_the_code(name):
    model, rng = make(name)
    x, z = rng.normal(8, 4), model.game.prior(8, rng)
    there = model.game.logits(x, z)
    assert (there != model.game.logits(x, z.roll(1, 1))).all()


def test_bigans_codes_are_sure_and_its_prior_fills_a_cube():
    model, rng = make("bigan")
    x = 3 * rng.normal(64, 4)
    codes = [model.encode(x, rng) for _ in range(2)]
    assert torch.equal(*codes)
    z = model.game.prior(2000, rng)
    assert z.abs().max() <= 1
    assert z.var() == pytest.approx(1 / 3, rel=0.05)


def test_alis_codes_are_draws_around_the_mean_that_is_reported():
    model, rng = make("ali")
    x = rng.normal(1, 4).expand(2, 4000, 4)
    draws, mean = model.game.code(x, rng), model.encode(x, rng)
    assert torch.equal(mean, model.encode(x, rng))
    std = model.game.encoder(x).chunk(2, -1)[1].sigmoid()
    torch.testing.assert_close(draws.mean(1), mean[:, 0], atol=0.1, rtol=0)
    torch.testing.assert_close(draws.std(1), std[:, 0], rtol=0.05, atol=0)
    assert model.game.prior(4000, rng).std() == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_trained_inverses_reconstruct_and_complete_better_than_chance(name):
    model, rng = make(name, lr=3e-3)
    Trainer(model, DATA, Budget(steps=600), batch=64, rng=rng).run()
    x = DATA.to_model(DATA.points("test")).expand(2, -1, -1)
    observed = torch.tensor([True, True, False, False]).expand(x.shape)
    with torch.no_grad():
        actual = {"again": model.reconstruct(x, rng), "filled": model.inpaint(x, observed, rng)}
    for what, y in actual.items():
        error, chance = (x - y).square().mean(), (x - y.roll(1, 1)).square().mean()
        # the third entry, hidden when completed, is that of the class that the first two tell
        assert error < 0.6 * chance, what


def test_completions_stay_near_the_data_where_the_encoder_has_seen_none():
    for name in NAMES:
        model, rng = make(name)
        x = 1e4 * torch.ones(2, 20, 4)
        observed = torch.tensor([True, False, False, False]).expand(x.shape)
        with torch.no_grad():
            filled = model.inpaint(x, observed, rng)
        assert filled[..., 1:].abs().max() < 10
