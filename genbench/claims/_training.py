"""Training within experiments: all seeds of a stack at once, the loop that the harness has too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.dataset import Dataset
from genbench.core.errors import ContractError
from genbench.core.model import Batch, Model, Optimizer, Player
from genbench.core.rng import Rng
from genbench.nn.kernels import gaussian_sum
from genbench.nn.optim import Adam, clip_by_seed

#: maps a model's player to the one that trains in its place
Change = Callable[[Player], Player]
#: how many points of a stream a model is shown before training
SHOWN = 4096


class Training:
    """Trains a model's players in rounds, as the harness does, on minibatches of a data set.

    Arguments:
        model: Built; it is prepared here.
        dataset: What it learns.
        batch: Points a seed in a minibatch.
        rng: The stack's; forked for minibatches and the losses' own noise.
        change: Maps each of the model's players to the one that trains in its place.
    """

    def __init__(
        self, model: Model, dataset: Dataset, batch: int, rng: Rng, change: Change | None = None
    ) -> None:
        self.model, self.dataset, self.batch = model, dataset, batch
        self.draws, self.noise = rng.fork("data"), rng.fork("train")
        shown = self._points(SHOWN, rng.fork("prepare")) if dataset.stream else self._train(rng)
        model.prepare(Batch(shown), rng.fork("prepare-noise"))
        self.players = [(change or _same)(player) for player in model.players()]
        self.weights = [list(player.module.parameters()) for player in self.players]
        self.optimizers = [
            player.optimizer(weights)
            for player, weights in zip(self.players, self.weights, strict=True)
        ]
        self.rates = [optimizer.param_groups[0]["lr"] for optimizer in self.optimizers]
        self.averages = [
            [w.detach().clone() for w in weights] if player.average is not None else []
            for player, weights in zip(self.players, self.weights, strict=True)
        ]
        self.updates = [0] * len(self.players)
        #: whether every loss of a seed was a finite number so far, shape (S,)
        self.finite = torch.ones(len(rng), dtype=torch.bool, device=rng.device)

    def run(
        self, rounds: int, marks: Sequence[int] = (), watch: Callable[[int], Any] = int
    ) -> None:
        """Trains for so many rounds in all; `watch` is called with the number done at every mark."""
        self.model.train()
        for i in range(rounds):
            for k, player in enumerate(self.players):
                for _ in range(player.steps):
                    self._update(k, player, i / rounds)
            if i + 1 in marks:
                watch(i + 1)
                self.model.train()
        self.model.eval()

    @torch.no_grad()
    def samples(self, n: int, rng: Rng) -> Tensor:
        """Returns n samples a seed in data space, (S, n, *event), under the weights' averages."""
        self.model.eval()
        kept = [[w.detach().clone() for w in weights] for weights in self.weights]
        for weights, average in zip(self.weights, self.averages, strict=True):
            _copy(weights, average)
        made = self.dataset.to_data(self.model.sample(n, rng))
        for weights, old in zip(self.weights, kept, strict=True):
            _copy(weights, old)
        return made

    def _update(self, k: int, player: Player, progress: float) -> None:
        weights, optimizer = self.weights[k], self.optimizers[k]
        loss = player.loss(
            Batch(self._points(self.batch, self.draws), progress=progress), self.noise
        )
        self.finite &= loss.detach().isfinite()
        for w in weights:
            w.grad = None
        loss.sum().backward(inputs=weights)
        if player.clip is not None:
            clip_by_seed(weights, player.clip)
        if player.schedule is not None:
            optimizer.param_groups[0]["lr"] = self.rates[k] * player.schedule(progress)
        optimizer.step()
        self.updates[k] += 1
        with torch.no_grad():
            if player.project is not None:
                player.project()
            if player.average is not None:
                count = self.updates[k]
                share = 1 - min(player.average, (1 + count) / (10 + count))
                torch._foreach_lerp_(self.averages[k], [w.detach() for w in weights], share)

    def _points(self, n: int, rng: Rng) -> Tensor:
        """Returns points in model space, each seed's own, shape (S, n, *event)."""
        if self.dataset.stream:
            return self.dataset.to_model(self.dataset.draw(n, rng), rng)
        points = self.dataset.points("train").to(rng.device, rng.dtype)
        return self.dataset.to_model(points[rng.integers(len(points), n)], rng)

    def _train(self, rng: Rng) -> Tensor:
        """Returns the whole training set for every seed, dequantised once, shape (S, N, *event)."""
        once = Rng([0], device=rng.device, dtype=rng.dtype).fork("prepare")
        points = self.dataset.points("train").to(rng.device, rng.dtype)
        x = self.dataset.to_model(points.unsqueeze(0), once)
        return x.expand(len(rng), *x.shape[1:])


class Discrepancy:
    """Measures samples by the squared MMD to fixed points, Gaussian kernels at and around their median.

    The estimate is the biased one, which is positive, and at equal laws of the order of 1/n.

    Arguments:
        real: Points in data space, shape (N, *event).
    """

    def __init__(self, real: Tensor) -> None:
        self.real = real.flatten(1).unsqueeze(0)
        median = float(torch.pdist(self.real[0, :1000]).median())
        self.sigmas = tuple(factor * median for factor in (0.25, 0.5, 1.0))
        self.within = self._mean(self.real, self.real)

    def __call__(self, fake: Tensor) -> Tensor:
        """Returns the squared MMD of samples (S, n, *event), shape (S,); not a number where they are."""
        real, rows = self.real.to(fake), fake.flatten(2).split(1)
        found = [self._mean(y, y) - 2 * self._mean(real, y) for y in rows]
        return self.within.to(fake) + torch.stack(found)

    def _mean(self, a: Tensor, b: Tensor) -> Tensor:
        return gaussian_sum(a, b, self.sigmas).mean() / len(self.sigmas)


def gaussian_like(dataset: Dataset, n: int, rng: Rng) -> Tensor:
    """Returns draws of the Gaussian with the training set's mean and covariance, (S, n, *event).

    They are on the grid and in the range of the data, as every model's samples are.
    """
    points = dataset.points("train")
    x = dataset.to_model(points.unsqueeze(0), Rng([0]).fork("gaussian")).flatten(2)[0].double()
    root = torch.linalg.cholesky(torch.cov(x.T) + 1e-9 * torch.eye(x.shape[1]).double())
    made = x.mean(0) + rng.normal(n, x.shape[1]).double() @ root.T.to(rng.device)
    return dataset.to_data(made.to(rng.dtype).unflatten(-1, points.shape[1:]))


def independent_like(dataset: Dataset, n: int, rng: Rng) -> Tensor:
    """Returns draws of independent Gaussian coordinates, each like the training set's, (S, n, *event)."""
    points = dataset.points("train")
    x = dataset.to_model(points.unsqueeze(0), Rng([0]).fork("gaussian"))[0]
    mean, std = (row.to(rng.device) for row in (x.mean(0), x.std(0)))
    return dataset.to_data(mean + std * rng.normal(n, *points.shape[1:]))


def optimised(player: Player, *, rate: float = 1.0, beta1: float | None = None) -> Player:
    """Returns a player whose Adam has a multiple of its step size, and another first decay."""
    made = player.optimizer

    def optimizer(weights: Iterable[nn.Parameter]) -> Optimizer:
        adam = made(weights)
        if not isinstance(adam, Adam):
            raise ContractError(f"{player.name} needs Adam here, got {type(adam).__name__}")
        adam.param_groups[0]["lr"] *= rate
        adam.betas = (adam.betas[0] if beta1 is None else beta1, adam.betas[1])
        return adam

    return replace(player, optimizer=optimizer)


def _same(player: Player) -> Player:
    return player


@torch.no_grad()
def _copy(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    for target, source in zip(targets, sources, strict=False):
        target.copy_(source)
