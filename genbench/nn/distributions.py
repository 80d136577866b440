"""Distributions of one entry of a point given the entries before it, for autoregressive models."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.constant import Constant
from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.losses import normal_log_prob
from genbench.nn.mlp import flat
from genbench.nn.output import centred, uncentred

#: the smallest log standard deviation of a component, far below that of any data set's modes
FLOOR = -7.0


class Distribution(ABC):
    """A family of distributions of one entry, with what networks see of entries.

    Entries are what is drawn: bits, grey levels, indices of tokens, or numbers; a point has D.

    Arguments:
        spec: The data.
        inputs: How many numbers a network sees of an entry, I.
        outputs: How many numbers set the distribution of an entry, P.
        dtype: The networks' type.
    """

    def __init__(self, spec: DataSpec, inputs: int, outputs: int, dtype: torch.dtype) -> None:
        self.spec, self.inputs, self.outputs, self.dtype = spec, inputs, outputs, dtype

    @abstractmethod
    def entries(self, x: Tensor) -> Tensor:
        """Returns the entries of points in model space: (S, B, *event) to (S, B, D)."""

    @abstractmethod
    def as_inputs(self, entries: Tensor) -> Tensor:
        """Returns what a network sees of entries: (…) to (…, I)."""

    @abstractmethod
    def log_prob(self, entries: Tensor, outputs: Tensor) -> Tensor:
        """Returns log densities in model space, (…), of entries (…) given outputs (…, P)."""

    @abstractmethod
    def draw(self, outputs: Tensor, rng: Rng) -> Tensor:
        """Returns an entry per point, (S, B), for outputs (S, B, P)."""

    @abstractmethod
    def points(self, entries: Tensor, rng: Rng) -> Tensor:
        """Returns points in model space, (S, B, *event), that have entries (S, B, D)."""


class Bits(Distribution):
    """Bernoulli distributions of bits; P = 1, the logit.

    Arguments:
        spec: Binary data.
        dtype: The networks' type.
        off: What a network sees of a 0; of a 1 it sees 1.
    """

    def __init__(self, spec: DataSpec, dtype: torch.dtype, *, off: float = -1.0) -> None:
        super().__init__(spec, 1, 1, dtype)
        self.off = off

    def entries(self, x: Tensor) -> Tensor:
        """Returns the bits."""
        return flat(x)

    def as_inputs(self, entries: Tensor) -> Tensor:
        """Returns 1 or `off`."""
        return (entries * (1 - self.off) + self.off).unsqueeze(-1)

    def log_prob(self, entries: Tensor, outputs: Tensor) -> Tensor:
        """Returns log probabilities."""
        return functional.logsigmoid(outputs.squeeze(-1) * (2 * entries - 1))

    def draw(self, outputs: Tensor, rng: Rng) -> Tensor:
        """Returns bits, 1 where a uniform number is below the probability."""
        return rng.bernoulli(outputs.squeeze(-1).sigmoid())

    def points(self, entries: Tensor, rng: Rng) -> Tensor:
        """Returns the bits in the shape of the data."""
        return entries.unflatten(-1, self.spec.event)


class Categories(Distribution):
    """Softmax distributions of K categories by inversion of the cumulative sum; P = K."""

    def log_prob(self, entries: Tensor, outputs: Tensor) -> Tensor:
        """Returns log probabilities."""
        chosen = outputs.log_softmax(-1).gather(-1, entries.unsqueeze(-1))
        return chosen.squeeze(-1)

    def draw(self, outputs: Tensor, rng: Rng) -> Tensor:
        """Returns indices, int64."""
        cumulative = outputs.softmax(-1).cumsum(-1)
        below = cumulative <= rng.uniform(outputs.shape[1], 1)
        return below.sum(-1).clamp_max(self.outputs - 1)


class Tokens(Categories):
    """Softmax distributions of tokens, of which networks see one-hot vectors; I = P = the alphabet's size."""

    def __init__(self, spec: DataSpec, dtype: torch.dtype) -> None:
        size = spec.tokens or 1
        super().__init__(spec, size, size, dtype)

    def entries(self, x: Tensor) -> Tensor:
        """Returns the tokens."""
        return flat(x)

    def as_inputs(self, entries: Tensor) -> Tensor:
        """Returns one-hot vectors."""
        return functional.one_hot(entries, self.inputs).to(self.dtype)

    def points(self, entries: Tensor, rng: Rng) -> Tensor:
        """Returns the tokens in the shape of the data."""
        return entries.unflatten(-1, self.spec.event)


class Levels(Categories):
    """Softmax distributions of grey levels, of which networks see numbers in [-1, 1].

    In model space, [0, 1), level v of K is the cell [v/K, (v+1)/K), on which the density is the
    probability of the level times K; a sample is (v + u)/K with u uniform on [0, 1).
    """

    def __init__(self, spec: DataSpec, dtype: torch.dtype) -> None:
        super().__init__(spec, 1, spec.levels or 1, dtype)

    def entries(self, x: Tensor) -> Tensor:
        """Returns the cells' indices, int64."""
        return (flat(x) * self.outputs).floor().clamp(0, self.outputs - 1).long()

    def as_inputs(self, entries: Tensor) -> Tensor:
        """Returns levels, scaled to [-1, 1]."""
        scaled = entries.to(self.dtype) * (2 / max(self.outputs - 1, 1))
        return (scaled - 1).unsqueeze(-1)

    def log_prob(self, entries: Tensor, outputs: Tensor) -> Tensor:
        """Returns log densities in model space."""
        return super().log_prob(entries, outputs) + math.log(self.outputs)

    def points(self, entries: Tensor, rng: Rng) -> Tensor:
        """Returns points uniformly in the entries' cells."""
        inside = rng.uniform(*entries.shape[1:])
        return ((entries + inside) / self.outputs).unflatten(-1, self.spec.event)


class Mixtures(Distribution):
    """Mixtures of K Gaussians of real numbers; P = 3 K: weights' logits, means, log deviations.

    Networks see data with a range scaled to [-1, 1]. The density is that of the real line; points
    that fall outside a range are moved to the nearer end.

    References:
        | RNADE: The real-valued neural autoregressive density-estimator (Uria et al., 2013), section 3
    """

    def __init__(self, spec: DataSpec, dtype: torch.dtype, components: int) -> None:
        super().__init__(spec, 1, 3 * components, dtype)
        self.components = components
        width = 2.0 if spec.range is None else spec.range[1] - spec.range[0]
        #: what one unit of the network's space is in model space
        self.unit = width / 2
        #: how far components' means spread at first
        self.reach = 2.0 if spec.range is None else 1.0
        self._spread = Constant(torch.linspace(-self.reach, self.reach, components))

    def entries(self, x: Tensor) -> Tensor:
        """Returns the numbers in the network's space."""
        return flat(centred(x, self.spec))

    def as_inputs(self, entries: Tensor) -> Tensor:
        """Returns the numbers."""
        return entries.unsqueeze(-1)

    def log_prob(self, entries: Tensor, outputs: Tensor) -> Tensor:
        """Returns log densities in model space."""
        log_weight, mean, log_std = self.parts(outputs)
        log_component = normal_log_prob(entries.unsqueeze(-1), mean, log_std)
        return torch.logsumexp(log_weight + log_component, -1) - math.log(self.unit)

    def draw(self, outputs: Tensor, rng: Rng) -> Tensor:
        """Returns numbers: a component by inversion, then a normal number."""
        log_weight, mean, log_std = self.parts(outputs)
        below = log_weight.exp().cumsum(-1) <= rng.uniform(outputs.shape[1], 1)
        which = below.sum(-1, keepdim=True).clamp_max(self.components - 1)
        mean, log_std = mean.gather(-1, which), log_std.gather(-1, which)
        return (mean + log_std.exp() * rng.normal(*outputs.shape[1:2], 1)).squeeze(-1)

    def points(self, entries: Tensor, rng: Rng) -> Tensor:
        """Returns the numbers in model space, in its range."""
        return uncentred(entries, self.spec).unflatten(-1, self.spec.event)

    def parts(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights, means and log standard deviations, each (…, K), means spread at first."""
        log_weight, mean, log_std = outputs.chunk(3, dim=-1)
        spread = self._spread.like(outputs)
        log_std = (log_std + math.log(2 * self.reach / self.components)).clamp_min(FLOOR)
        return log_weight.log_softmax(-1), mean + spread, log_std


def discrete(spec: DataSpec, dtype: torch.dtype) -> Distribution:
    """Returns the distribution of bits, tokens or grey levels."""
    distribution = {"binary": Bits, "tokens": Tokens, "continuous": Levels}[spec.kind]
    return distribution(spec, dtype)


def not_discrete(spec: DataSpec) -> str | None:
    """Returns why data are not bits, tokens or grey levels in [0, 1], or None if they are."""
    if spec.kind != "continuous" or (spec.levels and spec.range == (0.0, 1.0)):
        return None
    return f"needs bits, tokens or grey levels, {spec.name} has real numbers"
