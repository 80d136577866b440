"""Discriminators between two distributions that stand still, trained from fresh draws of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.experiments.training import train_players
from genbench.families.adversarial import cross_entropy
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam
from genbench.training.trainer import Listener

#: draws n points of both distributions, shapes (S, n, D)
DrawPair = Callable[[int, Rng], tuple[Tensor, Tensor]]
#: maps outputs on real and on generated points, (S, B) each, to one loss per seed
Loss = Callable[[Tensor, Tensor], Tensor]


def train_discriminator(
    draw: DrawPair,
    size: int,
    rounds: int,
    rng: Rng,
    *,
    loss: Loss = cross_entropy,
    batch: int = 256,
    hidden: Sequence[int] = (32, 32),
    activation: str = "tanh",
    lr: float = 1e-2,
    falling: bool = True,
    look: Callable[[int, MLP], None] | None = None,
) -> MLP:
    """Trains S discriminators on fresh draws; returns them, outputs of shape (S, B, 1).

    Arguments:
        draw: Draws points of both distributions, of `size` dimensions.
        size: The number of dimensions.
        rounds: Updates, each on a fresh minibatch.
        rng: The stack's.
        loss: Of the outputs on real and on generated points.
        batch: Points of either distribution in a minibatch.
        hidden: Widths of the hidden layers.
        activation: A name in `nn.stacked.ACTIVATIONS`.
        lr: Adam's step size.
        falling: Whether it falls to 0 in a straight line.
        look: Called after every round with the number of rounds and the networks.
    """
    net = MLP(size, 1, hidden, rng.fork("init"), activation=activation).to(rng.device)
    data = rng.fork("pairs")

    def minibatch(progress: float) -> Batch:
        return Batch(torch.cat(draw(batch, data), 1), progress=progress)

    def discriminator_loss(points: Batch, noise: Rng) -> Tensor:
        return loss(*net(points.x).squeeze(-1).split(batch, 1))

    player = Player(
        "discriminator",
        net,
        discriminator_loss,
        adam(lr),
        schedule=(lambda progress: 1 - progress) if falling else None,
    )
    listener: Listener | None = None if look is None else (lambda t: look(t.step, net))
    train_players([player], minibatch, rounds, rng, listener=listener)
    return net


@torch.no_grad()
def measure_accuracy(real: Tensor, fake: Tensor, threshold: float = 0.0) -> Tensor:
    """Returns the mean of both shares told rightly, by outputs (S, N) and (S, M), shape (S,), float64."""
    return ((real > threshold).double().mean(1) + (fake <= threshold).double().mean(1)) / 2
