"""Training within experiments: players' rounds, all seeds of a stack at once, as in the harness."""

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


class Game:
    """Players and what training gives them: optimisers and averages of weights, as the harness does.

    Arguments:
        players: In the order they move.
    """

    def __init__(self, players: Iterable[Player]) -> None:
        self.movers = [Mover(player) for player in players]

    def run(
        self,
        batch: Callable[[float], Batch],
        rounds: int,
        rng: Rng,
        after: Callable[[int], Any] = int,
    ) -> None:
        """Lets players make their updates in turn, each on a minibatch of its own.

        Arguments:
            batch: Draws a minibatch, given its `progress`, the share of rounds that is over.
            rounds: How many times every player makes its `steps` updates.
            rng: Draws the losses' own noise.
            after: Called after every round with the number done.
        """
        for i in range(rounds):
            for mover in self.movers:
                for _ in range(mover.player.steps):
                    mover.move(batch(i / rounds), rng)
            after(i + 1)

    def swap(self) -> None:
        """Exchanges the weights of players that keep an average with it."""
        for mover in self.movers:
            mover.swap()


class Mover:
    """A player, its optimiser and the average of its weights."""

    def __init__(self, player: Player) -> None:
        self.player, self.weights = player, [*player.module.parameters()]
        self.optimizer = player.optimizer(self.weights)
        self.rate = self.optimizer.param_groups[0]["lr"]
        kept = self.weights if player.average is not None else []
        self.average = [w.detach().clone() for w in kept]
        self.updates = 0
        #: whether every loss of a seed was a finite number so far, shape (S,) once there is one
        self.finite: Tensor | bool = True

    def move(self, batch: Batch, rng: Rng) -> None:
        """Makes one update."""
        player, loss = self.player, self.player.loss(batch, rng)
        self.finite = loss.detach().isfinite() & self.finite
        for w in self.weights:
            w.grad = None
        loss.sum().backward(inputs=self.weights)
        if player.clip is not None:
            clip_by_seed(self.weights, player.clip)
        if player.schedule is not None:
            factor = player.schedule(batch.progress)
            self.optimizer.param_groups[0]["lr"] = self.rate * factor
        self.optimizer.step()
        self.updates += 1
        with torch.no_grad():
            if player.project is not None:
                player.project()
            if player.average is not None:
                share = 1 - min(player.average, (1 + self.updates) / (10 + self.updates))
                torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], share)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchanges the weights with their average, where it is kept."""
        for weight, average in zip(self.weights, self.average, strict=False):
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)


def play(
    players: Sequence[Player], batch: Callable[[float], Batch], rounds: int, rng: Rng
) -> None:
    """Lets players make so many rounds, as `Game.run`; leaves averages for weights where they are kept."""
    game = Game(players)
    game.run(batch, rounds, rng)
    game.swap()


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
        players = model.players()
        self.game = Game(players if change is None else map(change, players))

    @property
    def finite(self) -> Tensor:
        """Whether every loss of a seed was a finite number so far, shape (S,)."""
        found = torch.ones(len(self.noise), dtype=torch.bool, device=self.noise.device)
        for mover in self.game.movers:
            found = found & mover.finite
        return found

    def run(
        self, rounds: int, marks: Sequence[int] = (), watch: Callable[[int], Any] = int
    ) -> None:
        """Trains for so many rounds in all; `watch` is called with the number done at every mark."""

        def batch(progress: float) -> Batch:
            return Batch(self._points(self.batch, self.draws), progress=progress)

        def after(done: int) -> None:
            if done in marks:
                watch(done)
                self.model.train()

        self.model.train()
        self.game.run(batch, rounds, self.noise, after)
        self.model.eval()

    @torch.no_grad()
    def samples(self, n: int, rng: Rng) -> Tensor:
        """Returns n samples a seed in data space, (S, n, *event), under the weights' averages."""
        self.model.eval()
        self.game.swap()
        made = self.dataset.to_data(self.model.sample(n, rng))
        self.game.swap()
        return made

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
