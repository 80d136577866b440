"""Autoregressive models: a network, the distribution of one entry, and samplers entry after entry."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genbench.core.allowed import Decay
from genbench.core.dataset import DataSpec
from genbench.core.model import Autoregressive, Batch, Density, Inpainter, Model, Player
from genbench.core.rng import Rng
from genbench.nn.autoregressive import AutoregressiveNetwork, Drop, Step, dropout
from genbench.nn.distributions import Distribution, discrete
from genbench.nn.mlp import flat
from genbench.nn.optim import Maker, linear_decay


class RasterModel(Model, Density, Autoregressive, Inpainter):
    r"""The skeleton of autoregressive models: all but the network and the distribution of an entry.

    .. math::
        \log p(x) = \sum_d \log p(x_d \mid x_1, \dots, x_{d-1})

    It is trained by maximum likelihood, on a step size that falls linearly to a fiftieth.
    A concrete model sets `network` after the call of this constructor.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        optimizer: Makes the optimiser.
        distribution: Of an entry given those before it; None takes the `discrete` one.
        dropout: The share of features that training drops.
        clip: The largest gradient norm.
        average: The decay of the weights' running average for evaluation, or None.
    """

    taxonomy = "explicit/tractable/fully visible"
    #: a module that is an `AutoregressiveNetwork`
    network: Any

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        optimizer: Maker,
        *,
        distribution: Distribution | None = None,
        dropout: float,
        clip: float,
        average: Decay | None = None,
    ) -> None:
        super().__init__(spec, rng)
        self.distribution = distribution or discrete(spec, rng.dtype)
        self.optimizer, self.dropout = optimizer, dropout
        self.clip, self.average = clip, average

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
        return -self._log_prob(batch.x, dropout(self.dropout, rng)).mean(-1)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x) in nats, exact, shape (S, B)."""
        return self._log_prob(x, None)

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns points drawn entry after entry, shape (S, n, *event)."""
        return self.distribution.points(self._unroll(self.network.steps(n), n, rng), rng)

    @torch.no_grad()
    def sample_naive(self, n: int, rng: Rng) -> Tensor:
        """Returns the points of `sample` by a pass of the whole network for each entry.

        The noise is drawn in the order of `sample`, so that the points are the same but for rounding:
        numbers agree to about D units of the last place; bits, levels and tokens agree exactly unless a
        uniform number falls between two roundings of one probability, once in some 10^12 points of
        D = 784 in float64 and in some 10^3 in float32.
        """
        step = whole_passes(self.network, self.distribution, n, rng)
        return self.distribution.points(self._unroll(step, n, rng), rng)

    @torch.no_grad()
    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns points, (S, B, *event), drawn with observed entries put in where their turn comes.

        An unknown entry sees the observed ones before it, not those after, so that the completions
        follow the conditional distribution only where all that is observed comes first.
        """
        n, fixed = x.shape[1], (self.distribution.entries(x), flat(observed))
        entries = self._unroll(self.network.steps(n), n, rng, fixed)
        return torch.where(observed, x, self.distribution.points(entries, rng))

    def sequential_steps(self) -> int:
        """Returns D: an entry waits for those before it."""
        return self.spec.size

    def _log_prob(self, x: Tensor, drop: Drop | None) -> Tensor:
        """Log densities in model space, exact, shape (S, B), of points (S, B, *event)."""
        entries = self.distribution.entries(x)
        outputs = self.network(self.distribution.as_inputs(entries), drop)
        return self.distribution.log_prob(entries, outputs).sum(-1)

    def _unroll(
        self, step: Step, n: int, rng: Rng, fixed: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """Drawn entries, (S, n, D), by the outputs of a step.

        `fixed` are entries (S, n, D), and where (bool) they replace the drawn ones; the streams of rng
        move alike whatever `step` and `fixed` are.
        """
        last = torch.zeros(
            len(rng), n, self.distribution.inputs, dtype=rng.dtype, device=rng.device
        )
        entries = []
        for d in range(self.spec.size):
            entry = self.distribution.draw(step(d, last), rng)
            if fixed is not None:
                entry = torch.where(fixed[1][..., d], fixed[0][..., d], entry)
            entries.append(entry)
            last = self.distribution.as_inputs(entry)
        return torch.stack(entries, dim=-1)


def one_channel(spec: DataSpec) -> str | None:
    """Returns why a network over the pixels of grey images refuses data, or None if it does not."""
    if not spec.is_image or spec.event[0] != 1:
        return f"needs images of one channel, {spec.name} has points of shape {spec.event}"
    if spec.kind == "tokens":
        return (
            f"needs bits or grey levels, {spec.name} is tokens, which are no numbers to convolve"
        )
    return None


def whole_passes(
    network: AutoregressiveNetwork, distribution: Distribution, n: int, rng: Rng
) -> Step:
    """Returns a step that carries nothing along: a pass of the whole network for each entry."""
    size = distribution.spec.size
    y = torch.zeros(len(rng), n, size, distribution.inputs, dtype=rng.dtype, device=rng.device)

    def step(d: int, last: Tensor) -> Tensor:
        if d:
            y[:, :, d - 1] = last
        return network(y)[:, :, d]

    return step
