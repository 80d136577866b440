"""A regression with two answers to every question, learnt by squared error and by an adversary."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.experiments.training import fail, train_players
from genbench.families.adversarial import cross_entropy, non_saturating
from genbench.nn.losses import r1
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam

#: draws n questions with their answers
Draw = Callable[[int, Rng], Tensor]
#: the deviation of an answer's noise; the two answers to a question are at least twenty of it apart
STD = 0.05
LATENT, HIDDEN, BATCH = 2, (64, 64), 256
#: the usual weight of the discriminator's slope on points without a range
PENALTY = 0.1
#: questions that are tried, and how many answers each gets where the choice among them counts
QUESTIONS, TRIES = 4096, 16


def answer(c: Tensor) -> Tensor:
    """Returns the positive of the two answers +a and -a to questions c."""
    return 1 + 0.5 * torch.sin(math.pi * c)


def chance(c: Tensor) -> Tensor:
    """Returns the probability of the positive answer."""
    return 0.5 + 0.25 * c


def mean(c: Tensor) -> Tensor:
    """Returns E[y | c], the answer with the least squared error."""
    return (2 * chance(c) - 1) * answer(c)


def least_error() -> float:
    """Returns the least mean squared error, E Var[y | c], by the midpoint rule."""
    c = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 10_000 - 1
    return float((answer(c).square() - mean(c).square()).mean()) + STD**2


def draw(n: int, rng: Rng) -> Tensor:
    """Returns questions and answers side by side, shape (S, n, 2)."""
    c = rng.uniform(n, 1, low=-1.0, high=1.0)
    sign = 2 * rng.bernoulli(chance(c)) - 1
    return torch.cat([c, sign * answer(c) + STD * rng.normal(n, 1)], dim=-1)


@dataclass
class Answerer:
    """A network from a question of Q numbers and noise to an answer."""

    net: MLP

    @classmethod
    def create(cls, rng: Rng, numbers: int = 1) -> Answerer:
        """Draws its weights, for questions of so many numbers."""
        return cls(MLP(numbers + LATENT, 1, HIDDEN, rng.fork("generator")))

    def __call__(self, c: Tensor, rng: Rng) -> Tensor:
        """Maps questions (S, B, Q) to answers (S, B, 1)."""
        return self.net(torch.cat([c, rng.normal(c.shape[1], LATENT)], dim=-1))


def train_by_squared_error(rounds: int, rng: Rng, draw: Draw = draw, numbers: int = 1) -> Answerer:
    """Returns networks trained by the mean squared error.

    Arguments:
        rounds: Of training.
        rng: Draws weights, minibatches and noise.
        draw: Returns n questions and answers side by side, (S, n, numbers + 1).
        numbers: How many a question has.
    """
    network, data = Answerer.create(rng, numbers), rng.fork("data")

    def loss(batch: Batch, noise: Rng) -> Tensor:
        c, y = batch.x[..., :-1], batch.x[..., -1:]
        return (network(c, noise) - y).square().mean((1, 2))

    player = Player("regression", network.net, loss, adam(1e-3))
    train_players([player], lambda _: Batch(draw(BATCH, data)), rounds, rng)
    return network


def train_by_adversary(rounds: int, rng: Rng, draw: Draw = draw, numbers: int = 1) -> Answerer:
    """Returns the same networks trained against discriminators that see question and answer."""
    network, data = Answerer.create(rng, numbers), rng.fork("data")
    critic = MLP(numbers + 1, 1, HIDDEN, rng.fork("discriminator"), activation="leaky_relu")

    def logits(c: Tensor, y: Tensor) -> Tensor:
        return critic(torch.cat([c, y], dim=-1)).squeeze(-1)

    def discriminate(batch: Batch, noise: Rng) -> Tensor:
        c = batch.x[..., :-1]
        with torch.no_grad():
            fake = network(c, noise)
        loss = cross_entropy(critic(batch.x).squeeze(-1), logits(c, fake))
        return loss + r1(critic, batch.x, PENALTY)

    def generate(batch: Batch, noise: Rng) -> Tensor:
        c = batch.x[..., :-1]
        return non_saturating(logits(c, network(c, noise)))

    optimizer = adam(1e-3, (0.5, 0.999))
    players = (
        Player("discriminator", critic, discriminate, optimizer),
        Player("generator", network.net, generate, optimizer),
    )
    train_players(players, lambda _: Batch(draw(BATCH, data)), rounds, rng)
    return network


@torch.no_grad()
def measure(network: Answerer, rng: Rng) -> dict[str, Tensor]:
    """Returns where the outputs lie, shape (S,) each; infinitely far off where they are not finite."""
    c, y = draw(QUESTIONS, rng).split(1, dim=-1)
    out, best = network(c, rng), answer(c)
    few = c[:, : QUESTIONS // TRIES].repeat_interleave(TRIES, dim=1)
    tries = network(few, rng).unflatten(1, (-1, TRIES))
    hits = [
        ((tries - sign * answer(few).unflatten(1, (-1, TRIES))).abs() < 3 * STD).any(2)
        for sign in (-1, 1)
    ]
    shares = {
        "near": (torch.minimum((out - best).abs(), (out + best).abs()) < 3 * STD)
        .double()
        .mean((1, 2)),
        "both": (hits[0] & hits[1]).double().mean((1, 2)),
    }
    distances = {
        "error": (out - y).square().double().mean((1, 2)),
        "from_mean": (out - mean(c)).square().double().mean((1, 2)).sqrt(),
    }
    return {
        key: fail(row, out, worst)
        for rows, worst in ((shares, -math.inf), (distances, math.inf))
        for key, row in rows.items()
    }


def experiment(rng: Rng, *, rounds: int = 4000) -> dict[str, list[float]]:
    """Returns, by loss, how near outputs are to an answer and to the mean, and their squared error."""
    rows = {"least_error": [least_error()] * len(rng)}
    for name, train in (("squared", train_by_squared_error), ("adversarial", train_by_adversary)):
        measures = measure(train(rounds, rng.fork("networks")), rng.fork("watch"))
        rows |= {f"{name}_{key}": row.tolist() for key, row in measures.items()}
    return rows
