"""The unrolled generator on a game small enough to differentiate by hand."""

import pytest
import torch
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

LINE = DataSpec("line", (1,))
SEEDS = [0, 1]


def rng():
    return Rng(SEEDS, dtype=torch.float64)


def scalar_game(theta, weight, unroll, eta=0.3):
    """G(z) = theta whatever z is, D(x) = weight x: two numbers play against each other."""
    options = {"hidden": (), "latent": 1, "unroll": unroll, "inner_lr": eta}
    model = build("unrolled_gan", LINE, rng(), options)
    generator, judge = model.pair.generator.layers[0], model.pair.discriminator.layers[0]
    with torch.no_grad():
        generator.weight.zero_()
        generator.bias.fill_(theta)
        judge.weight.fill_(weight)
        judge.bias.zero_()
    return model, generator.bias


def by_hand(x, theta, weight, eta):
    """The generator's loss after one step of the discriminator, and its slope in theta.

    With s the logistic function and b the discriminator's bias,
    L(w, b, t) = softplus(-(w x + b)) + softplus(w t + b);
    dL/dw = -x s(-w x - b) + t s(w t + b), dL/db = -s(-w x - b) + s(w t + b).
    """
    s, d = torch.sigmoid, lambda a: torch.sigmoid(a) * torch.sigmoid(-a)
    on_real, on_fake = weight * x, weight * theta
    w = weight - eta * (-x * s(-on_real) + theta * s(on_fake))
    b = -eta * (-s(-on_real) + s(on_fake))
    dw = -eta * (s(on_fake) + theta * weight * d(on_fake))  # of the moved weight in theta
    db = -eta * weight * d(on_fake)
    loss = -(functional.softplus(-(w * x + b)) + functional.softplus(w * theta + b))
    real_part = s(-(w * x + b)) * (dw * x + db)
    fake_part = -s(w * theta + b) * (w + dw * theta + db)
    return loss, real_part + fake_part


def test_one_step_ahead_is_the_gradient_by_hand():
    theta, weight, eta, x = 0.7, -1.3, 0.3, torch.tensor(2.0, dtype=torch.float64)
    model, bias = scalar_game(theta, weight, unroll=1, eta=eta)
    batch = Batch(x.expand(2, 5, 1))
    loss = model.generator_loss(batch, rng())
    (slope,) = torch.autograd.grad(loss.sum(), bias)
    expected, by_theta = by_hand(
        x, torch.tensor(theta).double(), torch.tensor(weight).double(), eta
    )
    torch.testing.assert_close(loss, expected.expand(2))
    torch.testing.assert_close(slope.flatten(), by_theta.expand(2))


@pytest.mark.parametrize("name", ["gan_minimax", "unrolled_gan"])
def test_without_steps_ahead_it_is_the_minimax_game(name):
    options = {"hidden": (8,), "unroll": 0} if name == "unrolled_gan" else {"hidden": (8,)}
    model = build(name, LINE, rng(), options)
    batch = Batch(rng().fork("x").normal(16, 1))
    (slope,) = torch.autograd.grad(
        model.generator_loss(batch, rng()).sum(), model.pair.generator.layers[0].weight
    )
    logits = model.pair.fake_logits(batch, rng())
    saturating = -functional.softplus(logits).mean(-1).sum()
    (expected,) = torch.autograd.grad(saturating, model.pair.generator.layers[0].weight)
    torch.testing.assert_close(slope, expected)


def test_looking_far_ahead_approaches_the_best_response():
    """The value of the game against a linear discriminator that has converged: 0 for equal means."""
    model, _ = scalar_game(2.0, 0.5, unroll=200, eta=0.5)
    batch = Batch(torch.full((2, 5, 1), 2.0, dtype=torch.float64))
    loss = model.generator_loss(batch, rng())
    torch.testing.assert_close(
        loss, torch.full_like(loss, -2 * torch.log(torch.tensor(2.0)).item())
    )
