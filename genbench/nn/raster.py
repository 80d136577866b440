"""Autoregressive models: one network and one law; samplers that draw entry after entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import Autoregressive, Batch, Density, Inpainter, Model, Player
from genbench.core.rng import Rng
from genbench.nn.laws import Law
from genbench.nn.mlp import flat
from genbench.nn.optim import adam, linear_decay

#: maps (d, what is seen of entry d - 1 (S, n, I), zeros at d = 0) to the outputs of d, (S, n, P)
Step = Callable[[int, Tensor], Tensor]
#: applied to the features that a layer adds, in training
Drop = Callable[[Tensor], Tensor]


class Network(Protocol):
    """A network whose outputs of entry d depend on the entries before d alone."""

    def __call__(self, y: Tensor, /, drop: Drop | None = None) -> Tensor:
        """Maps what is seen of all entries (S, B, D, I) to all outputs (S, B, D, P)."""
        ...

    def steps(self, n: int) -> Step:
        """Returns a function, to be called for d = 0, 1, …, that carries along what it computed."""
        ...


class RasterModel(Model, Density, Autoregressive, Inpainter):
    r"""The skeleton of autoregressive models: all but the network and the law of an entry.

    .. math::
        \log p(x) = \sum_d \log p(x_d \mid x_1, \dots, x_{d-1})

    It is trained by maximum likelihood with AdamW, on a step size that falls linearly to a fiftieth.
    A concrete model sets `law` and `network` after the call of this constructor.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        dropout: The share of features that training drops.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay.
        clip: The largest gradient norm.
        average: The decay of the weights' running average for evaluation, or None.
    """

    #: of one entry given those before it
    law: Law
    #: a module that is a `Network`
    network: Any

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        dropout: float,
        lr: float,
        weight_decay: float,
        clip: float,
        average: float | None = None,
    ) -> None:
        super().__init__(spec, rng)
        self.dropout, self.clip, self.average = dropout, clip, average
        self.optimizer = adam(lr, weight_decay=weight_decay)

    def players(self) -> tuple[Player, ...]:
        """One, by maximum likelihood."""
        return (
            Player(
                "density",
                self.network,
                self.loss,
                self.optimizer,
                clip=self.clip,
                schedule=linear_decay(0.02),
                average=self.average,
            ),
        )

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean negative log-likelihood, shape (S,)."""
        drop = dropout(self.dropout, rng)
        return -log_prob(self.network, self.law, batch.x, drop).mean(-1)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x) in nats, exact, shape (S, B)."""
        return log_prob(self.network, self.law, x)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns points drawn entry after entry, shape (S, n, *event)."""
        return sample(self.network, self.law, n, rng)

    def sample_naive(self, n: int, rng: Rng) -> Tensor:
        """Returns the points of `sample` by a pass of the whole network an entry."""
        return sample_naive(self.network, self.law, n, rng)

    def inpaint(self, x: Tensor, known: Tensor, rng: Rng) -> Tensor:
        """Returns completions in which an entry sees what is known before it, (S, B, *event)."""
        return inpaint(self.network, self.law, x, known, rng)

    def sequential_steps(self) -> int:
        """Returns D: an entry waits for those before it."""
        return self.spec.size


def one_channel(spec: DataSpec) -> str | None:
    """Returns why a network over the pixels of grey images refuses data, or None if it does not."""
    if not spec.is_image or spec.event[0] != 1:
        return f"needs images of one channel, {spec.name} has points of shape {spec.event}"
    return None


def log_prob(network: Network, law: Law, x: Tensor, drop: Drop | None = None) -> Tensor:
    """Returns log p(x) in model space, exact, shape (S, B), for x of shape (S, B, *event)."""
    entries = law.entries(x)
    return law.log_prob(entries, network(law.seen(entries), drop)).sum(-1)


def dropout(share: float, rng: Rng) -> Drop | None:
    """Returns a map that sets a share of features to 0 and scales the others up; None for share 0.

    References:
        | Dropout: A Simple Way to Prevent Neural Networks from Overfitting (Srivastava et al., 2014)
    """
    if share == 0:
        return None
    return lambda x: x * ((rng.uniform(*x.shape[1:]) >= share).to(x) / (1 - share))


@torch.no_grad()
def sample(network: Network, law: Law, n: int, rng: Rng) -> Tensor:
    """Returns n points a seed, (S, n, *event), each network's part computed once."""
    return law.points(unroll(network.steps(n), law, n, rng), rng)


@torch.no_grad()
def sample_naive(network: Network, law: Law, n: int, rng: Rng) -> Tensor:
    """Returns n points a seed, (S, n, *event), by D passes of the whole network.

    The noise is drawn in the order of `sample`, so that the points are the same but for rounding:
    numbers agree to about D units of the last place; bits, levels and tokens agree exactly unless a
    uniform number falls between two roundings of one probability, once in some 10^12 points of
    D = 784 in float64 and in some 10^3 in float32.
    """
    return law.points(unroll(passes(network, law, n, rng), law, n, rng), rng)


@torch.no_grad()
def inpaint(network: Network, law: Law, x: Tensor, known: Tensor, rng: Rng) -> Tensor:
    """Returns points, (S, B, *event), drawn with known entries put in where their turn comes.

    An unknown entry sees the known ones before it, not those after, so that the completions follow
    the conditional law only where all that is known comes first.
    """
    held = (law.entries(x), flat(known))
    n = x.shape[1]
    return torch.where(known, x, law.points(unroll(network.steps(n), law, n, rng, held), rng))


def unroll(
    step: Step, law: Law, n: int, rng: Rng, held: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Returns drawn entries, (S, n, D).

    Arguments:
        step: Gives the outputs of an entry.
        law: Draws it.
        n: The number of points a seed.
        rng: Its streams move alike whatever `step` and `held` are.
        held: Entries (S, n, D), and where (bool) they replace the drawn ones.
    """
    last = torch.zeros(len(rng), n, law.inputs, dtype=rng.dtype, device=rng.device)
    drawn = []
    for d in range(law.spec.size):
        entry = law.draw(step(d, last), rng)
        if held is not None:
            entry = torch.where(held[1][..., d], held[0][..., d], entry)
        drawn.append(entry)
        last = law.seen(entry)
    return torch.stack(drawn, dim=-1)


def passes(network: Network, law: Law, n: int, rng: Rng) -> Step:
    """Returns a step that carries nothing along: a pass of the whole network an entry."""
    y = torch.zeros(len(rng), n, law.spec.size, law.inputs, dtype=rng.dtype, device=rng.device)

    def step(d: int, last: Tensor) -> Tensor:
        if d:
            y[:, :, d - 1] = last
        return network(y)[:, :, d]

    return step
