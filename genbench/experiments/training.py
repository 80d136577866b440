"""Training within experiments, by the one training loop, and how far samples are from the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.dataset import Dataset
from genbench.core.errors import ContractError
from genbench.core.model import Batch, Model, Optimizer, Player
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.nn.kernels import gaussian_sum
from genbench.nn.optim import Adam
from genbench.training.minibatches import prepare
from genbench.training.trainer import Listener, Trainer

#: maps a model's player to the one that trains in its place
Change = Callable[[Player], Player]
#: maps a model's players to those that train, in the order they move
Arrange = Callable[[Sequence[Player]], list[Player]]


def train(
    model: Model,
    dataset: Dataset,
    rounds: int,
    rng: Rng,
    *,
    batch: int,
    change: Change | None = None,
    arrange: Arrange = list,
    listener: Listener | None = None,
) -> Trainer:
    """Prepares a built model and trains it on a data set, bit for bit as a cell of it is trained.

    Arguments:
        model: As `build` returns it.
        dataset: What it learns.
        rounds: How many times every player makes its `steps` updates.
        rng: The stack's, with which the model was built.
        batch: Points per seed in a minibatch.
        change: Maps each of the model's players to the one that trains in its place.
        arrange: Maps all of them to those that train, in the order they move.
        listener: Called after every round.

    Returns:
        The trainer, done, with the model in eval mode.
    """
    prepare(model, dataset, rng)
    players = arrange([change(player) if change else player for player in model.players()])
    budget = Budget(steps=rounds)
    trainer = Trainer(
        model, dataset, budget, rng=rng, batch=batch, players=players, listener=listener
    )
    return trainer.run()


def train_players(
    players: Sequence[Player],
    minibatches: Callable[[float], Batch],
    rounds: int,
    rng: Rng,
    *,
    listener: Listener | None = None,
) -> None:
    """Trains players that belong to no model, and leaves averages for weights where they keep them.

    Arguments:
        players: In the order they move.
        minibatches: Draws a minibatch, given the share of rounds that is over.
        rounds: How many times every player makes its `steps` updates.
        rng: The stack's; forked for the losses' own noise.
        listener: Called after every round.
    """
    modules: Any = nn.ModuleList(player.module for player in players)
    trainer = Trainer(
        modules, minibatches, Budget(steps=rounds), rng=rng, players=players, listener=listener
    )
    trainer.run().finish()


@torch.no_grad()
def draw_samples(trainer: Trainer, dataset: Dataset, n: int, rng: Rng) -> Tensor:
    """Returns n samples per seed in data space, (S, n, *event), under the weights' averages."""
    with trainer.averaged() as model:
        return dataset.to_data(model.sample(n, rng))


def fail(values: Tensor, samples: Tensor, worst: float) -> Tensor:
    """Returns values with the worst one for seeds whose samples are not all finite.

    Arguments:
        values: Of each seed, shape (S, …).
        samples: What they were measured on, shape (S, …).
        worst: Infinity on the side that is worse.
    """
    finite = samples.isfinite().flatten(1).all(1) if samples.dim() > 1 else samples.isfinite()
    return torch.where(finite.view(-1, *[1] * (values.dim() - 1)), values, worst)


class Discrepancy:
    """Measures samples by the squared MMD to fixed points, Gaussian kernels at and around their median.

    The estimate is the biased one, positive, and for equal distributions of the order of 1/n; logarithms of
    it differ less the nearer samples come. The unbiased one leaves pairs of a point with itself out, is 0 on
    average for equal distributions, and may be negative.

    References:
        | A Kernel Two-Sample Test (Gretton et al., 2012), equations 3 and 5

    Arguments:
        real: Points in data space, shape (N, *event).
        unbiased: Which of the two.
    """

    def __init__(self, real: Tensor, *, unbiased: bool = False) -> None:
        self.unbiased = unbiased
        self.real = real.flatten(1).unsqueeze(0)
        median = float(torch.pdist(self.real[0, :1000]).median())
        self.sigmas = tuple(factor * median for factor in (0.25, 0.5, 1.0))
        self.within = self._mean_within(self.real)

    def __call__(self, fake: Tensor) -> Tensor:
        """Returns the squared MMD of samples (S, n, *event), shape (S,), infinite where one is not finite."""
        real, rows = self.real.to(fake), fake.flatten(2).split(1)
        parts = [self._mean_within(y) - 2 * self._mean(real, y) for y in rows]
        squares = self.within.to(fake) + torch.stack(parts)
        return fail(squares, fake, math.inf)

    def _mean_within(self, a: Tensor) -> Tensor:
        """The mean over pairs of one set's points; a kernel of a point with itself is 1."""
        n, mean = a.shape[1], self._mean(a, a)
        return (mean * n - 1) / (n - 1) if self.unbiased else mean

    def _mean(self, a: Tensor, b: Tensor) -> Tensor:
        return gaussian_sum(a, b, self.sigmas).mean() / len(self.sigmas)


def draw_gaussian(dataset: Dataset, n: int, rng: Rng) -> Tensor:
    """Returns draws of the Gaussian with the training set's mean and covariance, (S, n, *event).

    They are on the grid and in the range of the data, as every model's samples are.
    """
    points = dataset.points("train")
    x = dataset.to_model(points.unsqueeze(0), Rng([0]).fork("gaussian")).flatten(2)[0].double()
    root = torch.linalg.cholesky(torch.cov(x.T) + 1e-9 * torch.eye(x.shape[1]).double())
    draws = x.mean(0) + rng.normal(n, x.shape[1]).double() @ root.T.to(rng.device)
    return dataset.to_data(draws.to(rng.dtype).unflatten(-1, points.shape[1:]))


def draw_independent(dataset: Dataset, n: int, rng: Rng) -> Tensor:
    """Returns draws of independent Gaussian coordinates, each like the training set's, (S, n, *event)."""
    points = dataset.points("train")
    x = dataset.to_model(points.unsqueeze(0), Rng([0]).fork("gaussian"))[0]
    mean, std = (row.to(rng.device) for row in (x.mean(0), x.std(0)))
    return dataset.to_data(mean + std * rng.normal(n, *points.shape[1:]))


def retune(player: Player, *, rate: float = 1.0, beta1: float | None = None) -> Player:
    """Returns a player whose Adam has a multiple of its step size, and another first decay."""

    def optimizer(weights: Iterable[nn.Parameter]) -> Optimizer:
        adam = player.optimizer(weights)
        if not isinstance(adam, Adam):
            raise ContractError(f"{player.name} needs Adam here, got {type(adam).__name__}")
        adam.param_groups[0]["lr"] *= rate
        adam.betas = (adam.betas[0] if beta1 is None else beta1, adam.betas[1])
        return adam

    return replace(player, optimizer=optimizer)
