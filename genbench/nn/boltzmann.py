"""Restricted Boltzmann machines, stacked: energies, block Gibbs steps and normalisers."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.errors import SpecError
from genbench.core.rng import Rng

#: how many numbers an enumeration holds at once
CHUNK = 1 << 22


class Boltzmann(nn.Module, ABC):
    r"""Creates S machines of D visible and H binary hidden units, joined pairwise across.

    Every quantity takes an inverse temperature beta, which leads from the machine without hidden
    units' influence (beta = 0, the base rate, whose normaliser is known) to the machine itself (1).

    References:
        | On the Quantitative Analysis of Deep Belief Networks (Salakhutdinov and Murray, 2008), section 4

    Arguments:
        visible: The number of visible units, D.
        hidden: The number of hidden units, H.
        rng: Draws the weights, normal with standard deviation `scale`; biases start at zero.
        scale: The initial weights' standard deviation.
    """

    def __init__(self, visible: int, hidden: int, rng: Rng, *, scale: float = 0.01) -> None:
        super().__init__()
        self.visible, self.hidden = visible, hidden
        self.weight = nn.Parameter(scale * rng.fork("weight").normal(visible, hidden))
        self.visible_bias = nn.Parameter(
            torch.zeros_like(self.weight[:, :1, :1].expand(-1, 1, visible))
        )
        self.hidden_bias = nn.Parameter(torch.zeros_like(self.weight[:, :1]))

    @abstractmethod
    def visible_term(self, v: Tensor, beta: float) -> Tensor:
        """Returns the part of -energy that v has without hidden units, shape (S, B)."""

    @abstractmethod
    def drive(self, v: Tensor) -> Tensor:
        """Returns what the weights see of v, shape (S, B, D)."""

    @abstractmethod
    def draw_visible(self, pull: Tensor, rng: Rng, beta: float) -> Tensor:
        """Returns v given the hidden units' pull h W^T, shape (S, B, D)."""

    @abstractmethod
    def log_integral(self, pull: Tensor) -> Tensor:
        """Returns the log of exp(-energy) summed (integrated) over v given the pull, (S, B)."""

    @abstractmethod
    def log_base(self) -> Tensor:
        """Returns the log normaliser at beta = 0, shape (S,)."""

    def hidden_input(self, v: Tensor) -> Tensor:
        """Returns the hidden units' net input, shape (S, B, H)."""
        return torch.baddbmm(self.hidden_bias, self.drive(v), self.weight)

    def log_weight(self, v: Tensor, beta: float = 1.0) -> Tensor:
        """Returns log of the unnormalised probability of v, i.e. minus its free energy, (S, B)."""
        soft = functional.softplus(beta * self.hidden_input(v)).sum(-1)
        return self.visible_term(v, beta) + soft

    def free_energy(self, v: Tensor) -> Tensor:
        """Returns F(v) with p(v) proportional to exp(-F(v)), shape (S, B)."""
        return -self.log_weight(v)

    def base(self, n: int, rng: Rng) -> Tensor:
        """Returns n draws per seed of v at beta = 0, shape (S, n, D)."""
        return self.draw_visible(torch.zeros_like(self.visible_bias).expand(-1, n, -1), rng, 0.0)

    def gibbs(self, v: Tensor, rng: Rng, beta: float = 1.0) -> Tensor:
        """Returns v after one block Gibbs step: hidden given v, then v given hidden."""
        h = rng.bernoulli(torch.sigmoid(beta * self.hidden_input(v)))
        return self.draw_visible(h @ self.weight.mT, rng, beta)

    @torch.no_grad()
    def chain(self, v: Tensor, steps: int, rng: Rng, *, free: Tensor | None = None) -> Tensor:
        """Returns v after block Gibbs steps in which only entries that are `free` (bool) move."""
        for _ in range(steps):
            moved = self.gibbs(v, rng)
            v = moved if free is None else torch.where(free, moved, v)
        return v

    @torch.no_grad()
    def enumerated_log_z(self) -> Tensor:
        """Returns the exact log normaliser, shape (S,), float64, summed over all hidden states."""
        exact = copy.deepcopy(self).double()

        def log_terms(h: Tensor) -> Tensor:
            return (h * exact.hidden_bias).sum(-1) + exact.log_integral(h @ exact.weight.mT)

        return exact.log_sum(self.hidden, log_terms)

    def log_sum(self, units: int, log_terms: Callable[[Tensor], Tensor]) -> Tensor:
        """Returns the log of terms, (S, B), summed over all states (S, B, units) of units, (S,)."""
        rows = max(1, CHUNK // (len(self.weight) * (self.visible + self.hidden)))
        total = torch.full((len(self.weight),), -math.inf).to(self.weight)
        for states in binary_states(units, rows):
            terms = log_terms(states.to(self.weight).expand(len(total), -1, -1))
            total = torch.logaddexp(total, terms.logsumexp(-1))
        return total

    @torch.no_grad()
    def annealed_log_z(self, rng: Rng, *, chains: int, temperatures: int) -> LogZ:
        """Returns an annealed importance sampling estimate of log Z, at evenly spaced temperatures."""
        v = self.base(chains, rng)
        log_w = torch.zeros(v.shape[:2], dtype=torch.float64, device=v.device)
        for step in range(temperatures):
            low, high = step / temperatures, (step + 1) / temperatures
            a = self.hidden_input(v)
            log_w += self.visible_term(v, high) - self.visible_term(v, low)
            log_w += (functional.softplus(high * a) - functional.softplus(low * a)).sum(-1)
            h = rng.bernoulli(torch.sigmoid(high * a))
            v = self.draw_visible(h @ self.weight.mT, rng, high)
        log_mean = log_w.logsumexp(-1) - math.log(chains)
        relative = (log_w - log_mean.unsqueeze(-1)).exp()
        return LogZ(self.log_base() + log_mean, relative.std(-1) / math.sqrt(chains))


@dataclass(frozen=True)
class LogZ:
    """A log normaliser and the standard error of its estimate, float64, shape (S,) each.

    Arguments:
        value: Log Z, or the log of an unbiased estimate of Z.
        error: The estimate's standard error over the estimate, which is that of its log where it is
            small; zero where Z is summed. Weights so uneven that few chains count understate it.
    """

    value: Tensor
    error: Tensor

    def interval(self, width: float = 1.96) -> tuple[Tensor, Tensor]:
        """Returns log(Z - width standard errors) and log(Z + the same); 1.96 are 95 %."""
        below = (1 - width * self.error).clamp_min(0.0).log()
        return self.value + below, self.value + torch.log1p(width * self.error)


class LogZEstimator:
    """Gives log Z of a machine, summed or estimated, and keeps it until weights or seeds change.

    The estimate's noise depends on the seeds alone, not on earlier draws.

    Arguments:
        machine: The machine.
        exact: Whether all states of a layer are summed.
        chains: Chains of the estimate.
        temperatures: Temperatures of the estimate.
    """

    def __init__(self, machine: Boltzmann, *, exact: bool, chains: int, temperatures: int) -> None:
        if not exact and (chains < 2 or temperatures < 1):
            raise SpecError(
                f"an estimate of log Z needs ais_chains >= 2 and ais_temperatures >= 1, got {chains} and "
                f"{temperatures}; the usual are 100 and 2000"
            )
        self.machine, self.exact = machine, exact
        self.chains, self.temperatures = chains, temperatures
        self._last: tuple[list[Tensor], tuple[int, ...], LogZ] | None = None

    def __call__(self, rng: Rng) -> LogZ:
        """Returns log Z of every seed."""
        weights = [*self.machine.parameters(), *self.machine.buffers()]
        if self._last is not None:
            old, seeds, log_z = self._last
            if seeds == rng.seeds and all(map(torch.equal, old, weights)):
                return log_z
        log_z = self._estimate(rng)
        self._last = [w.detach().clone() for w in weights], rng.seeds, log_z
        return log_z

    def _estimate(self, rng: Rng) -> LogZ:
        if self.exact:
            value = self.machine.enumerated_log_z()
            return LogZ(value, torch.zeros_like(value))
        own = Rng(rng.seeds, device=rng.device, dtype=rng.dtype, path=("log_z",))
        return self.machine.annealed_log_z(own, chains=self.chains, temperatures=self.temperatures)


class BernoulliBoltzmann(Boltzmann):
    r"""Creates machines on bits.

    .. math:: -E(v, h) = (a + b)^\top v + c^\top h + v^\top W h

    where a, the buffer `base_logit`, holds the base rates' logits (set it before training) and b is
    learnt.
    """

    base_logit: Tensor

    def __init__(self, visible: int, hidden: int, rng: Rng, *, scale: float = 0.01) -> None:
        super().__init__(visible, hidden, rng, scale=scale)
        self.register_buffer("base_logit", torch.zeros_like(self.visible_bias.detach()))

    def visible_term(self, v: Tensor, beta: float) -> Tensor:
        """Returns (a + beta b) v."""
        return (v * (self.base_logit + beta * self.visible_bias)).sum(-1)

    def drive(self, v: Tensor) -> Tensor:
        """Returns v."""
        return v

    def draw_visible(self, pull: Tensor, rng: Rng, beta: float) -> Tensor:
        """Returns bits."""
        return rng.bernoulli(torch.sigmoid(self.base_logit + beta * (self.visible_bias + pull)))

    def log_integral(self, pull: Tensor) -> Tensor:
        """Returns the sum of softplus over visible units."""
        return functional.softplus(self.base_logit + self.visible_bias + pull).sum(-1)

    def log_base(self) -> Tensor:
        """Returns that of independent bits, times 2^H."""
        free = functional.softplus(self.base_logit.double()).sum((1, 2))
        return free + self.hidden * math.log(2)

    @torch.no_grad()
    def enumerated_log_z(self) -> Tensor:
        """Returns the exact log normaliser, summed over the smaller of the two layers."""
        if self.hidden <= self.visible:
            return super().enumerated_log_z()
        exact = copy.deepcopy(self).double()
        return exact.log_sum(self.visible, exact.log_weight)


class GaussianBoltzmann(Boltzmann):
    r"""Creates machines on real numbers of about unit variance, with learnt variances.

    .. math:: -E(v, h) = -\sum_i \frac{(v_i - b_i)^2}{2\sigma_i^2} + c^\top h
        + \sum_{ij} \frac{v_i}{\sigma_i^2} W_{ij} h_j

    so that v given h is normal with mean b + W h and standard deviations sigma = exp(log_std).

    References:
        | Improved Learning of Gaussian-Bernoulli Restricted Boltzmann Machines (Cho et al., 2011), section 3
    """

    def __init__(self, visible: int, hidden: int, rng: Rng, *, scale: float = 0.01) -> None:
        super().__init__(visible, hidden, rng, scale=scale)
        self.log_std = nn.Parameter(torch.zeros_like(self.visible_bias))

    def visible_term(self, v: Tensor, beta: float) -> Tensor:
        """Returns the mixture, in the exponent, of a standard normal and the machine's own term."""
        own = ((v - self.visible_bias) * torch.exp(-self.log_std)).square()
        return -0.5 * ((1 - beta) * v.square() + beta * own).sum(-1)

    def drive(self, v: Tensor) -> Tensor:
        """Returns v over its variance."""
        return v * torch.exp(-2 * self.log_std)

    def draw_visible(self, pull: Tensor, rng: Rng, beta: float) -> Tensor:
        """Returns normal draws."""
        precision = beta * torch.exp(-2 * self.log_std)
        variance = 1 / (1 - beta + precision)
        noise = rng.normal(*pull.shape[1:])
        return variance * precision * (self.visible_bias + pull) + variance.sqrt() * noise

    def log_integral(self, pull: Tensor) -> Tensor:
        """Returns the Gaussian integral, by completing the square."""
        square = (self.visible_bias + pull).square() - self.visible_bias.square()
        term = 0.5 * square * torch.exp(-2 * self.log_std) + self.log_std
        return (term + 0.5 * math.log(2 * math.pi)).sum(-1)

    def log_base(self) -> Tensor:
        """Returns that of a standard normal, times 2^H."""
        nats = 0.5 * self.visible * math.log(2 * math.pi) + self.hidden * math.log(2)
        return torch.full(
            (len(self.weight),), nats, dtype=torch.float64, device=self.weight.device
        )


def binary_states(units: int, rows: int) -> Iterator[Tensor]:
    """Yields all 2^units binary words in chunks of at most `rows`, int64, shape (rows, units)."""
    bits = torch.arange(units)
    for start in range(0, 1 << units, rows):
        words = torch.arange(start, min(start + rows, 1 << units)).unsqueeze(-1)
        yield (words >> bits) & 1
