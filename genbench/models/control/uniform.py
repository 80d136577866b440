"""Uniform noise: what a model that has learned nothing but the extent of the data would score."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Density, Model, Player, model
from genbench.core.rng import Rng

#: how much the box is larger than the training points' on every side, as a share of its width
MARGIN = 0.1


@model("uniform")
class UniformNoise(Model, Density):
    """Creates uniform noise in a box around the training points, a null to read scores by.

    The box is the training points' own, wider by a tenth on every side (on the grid about [-5, 5]²).
    Twenty-five narrow modes lie dense enough there that noise "covers" about twenty of them: a count
    of modes means something only beside this row. Of tokens every sequence is equally likely.

    References:
        | None; counts of modes by this null are derived in genbench's tests (tests/metrics/test_modes.py)

    Differences: none.
    """

    taxonomy = "reference"
    null = True
    paper = ""

    def __init__(self, spec: DataSpec, rng: Rng) -> None:
        super().__init__(spec, rng)
        self.tokens = spec.tokens
        shape = (self.seeds, 1, *spec.event)
        self.register_buffer("low", torch.zeros(shape))
        self.register_buffer("width", torch.ones(shape))
        self.low: Tensor
        self.width: Tensor

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """A box is an interval of real numbers."""
        if spec.kind in ("continuous", "tokens"):
            return None
        return f"needs continuous data or tokens, {spec.name} is {spec.kind}"

    def players(self) -> tuple[Player, ...]:
        """None: the box is found in `prepare`."""
        return ()

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Takes the range of the data where it has one, else the training points' box."""
        if self.tokens is not None:
            return
        if self.spec.range is not None:
            low, high = self.spec.range
            self.low.fill_(low)
            self.width.fill_(high - low)
            return
        low, high = batch.x.amin(1, keepdim=True), batch.x.amax(1, keepdim=True)
        margin = MARGIN * (high - low)
        self.low.copy_(low - margin)
        self.width.copy_(high - low + 2 * margin)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns uniform points of the box, or sequences, shape (S, n, *event)."""
        if self.tokens is not None:
            return rng.integers(self.tokens, n, *self.spec.event)
        return self.low + self.width * rng.uniform(n, *self.spec.event)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns minus the log volume inside the box (-inf outside) or of all sequences, exact, (S, B)."""
        if self.tokens is not None:
            nats = self.spec.size * math.log(self.tokens)
            return torch.full(x.shape[:2], -nats, dtype=rng.dtype, device=x.device)
        inside = ((x >= self.low) & (x <= self.low + self.width)).flatten(2).all(-1)
        volume = self.width.flatten(1).log().sum(-1, keepdim=True)
        return torch.where(inside, -volume, -torch.inf)
