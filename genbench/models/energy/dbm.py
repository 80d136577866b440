"""The deep Boltzmann machine of two hidden layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.allowed import Amount, Count, Decay, Positive, Share, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import Choice, LogUniform
from genbench.families.energy import BoltzmannModel, Start
from genbench.families.search import SCHEDULE
from genbench.nn.boltzmann import CHUNK, BernoulliBoltzmann, LogZEstimator, binary_states
from genbench.nn.mlp import flat

#: machines with at most so many units in the first hidden layer are summed exactly
ENUMERABLE = 16


@model("dbm")
class DBM(BoltzmannModel):
    r"""Creates a deep Boltzmann machine, trained by mean field and persistent chains.

    .. math::
        p(v, h, g) \propto \exp(b^\top v + c^\top h + d^\top g + v^\top W h + h^\top U g)

    The middle layer h alone touches the outer ones, so the machine is a restricted one whose visible
    units are (v, g): its block Gibbs step, free energy and normaliser are those. The data's part of
    the gradient takes g at its mean-field rate, which raises a lower bound on log p(v). With at most
    16 units in h every log probability is summed exactly (`bound` is then `exact`); otherwise it is
    the mean-field lower bound less log Z estimated by annealed importance sampling.

    References:
        | Deep Boltzmann Machines (Salakhutdinov and Hinton, 2009), sections 2 and 3
        | On the Quantitative Analysis of Deep Belief Networks (Salakhutdinov and Murray, 2008)

    Differences: pretraining of the layers is an option, and both are pretrained at once; Adam with a
    falling step size and clipped gradients in place of SGD; evaluation uses a running average of the
    weights; annealing starts at the data's base rates; no discriminative fine-tuning.

    Arguments:
        hidden: The numbers of units of the two hidden layers, the middle one first.
        mean_field: Rounds of the mean-field updates.
        steps: Gibbs steps of the persistent chains for one gradient.
        chains: The number of persistent chains per seed.
        lr: Adam's step size, falling linearly to zero.
        average: The decay of the weights' running average for evaluation, or None.
        pretrain: The share of the budget in which the layers are trained one by one as restricted
            machines by CD-1, both at once, with inputs doubled.
        start: Where samples' chains start: at independent draws at the `base` rates, or at states
            of the training's `chains`, drawn with replacement.
        gibbs_steps: Gibbs steps from a chain's start to a sample.
        ais_chains: Chains of the estimate of log Z.
        ais_temperatures: Temperatures of the estimate of log Z.
    """

    version = 2
    paper = "Salakhutdinov and Hinton, 2009"
    year = 2009
    search = {
        "lr": LogUniform(5e-4, 5e-2),
        **SCHEDULE,
        "mean_field": Choice((5, 10)),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: Widths = (128, 64),
        mean_field: Amount = 10,
        steps: Count = 5,
        chains: Count = 256,
        lr: Positive = 2e-2,
        average: Decay | None = 0.999,
        pretrain: Share = 0.0,
        start: Start = "base",
        gibbs_steps: Count = 200,
        ais_chains: Count = 100,
        ais_temperatures: Count = 2000,
    ) -> None:
        super().__init__(spec, rng)
        if len(hidden) != 2:
            raise SpecError(
                f"dbm needs the sizes of two hidden layers, got {hidden}; give e.g. (128, 64)"
            )
        self.mean_field, self.steps, self.lr, self.average = mean_field, steps, lr, average
        self.pretrain, self.start, self.gibbs_steps = pretrain, start, gibbs_steps
        self.top = hidden[1]
        self.machine = BernoulliBoltzmann(spec.size + self.top, hidden[0], rng.fork("machine"))
        self.register_buffer("fantasies", torch.zeros(self.seeds, chains, self.machine.visible))
        self.bound = "exact" if hidden[0] <= ENUMERABLE else "estimate"
        self.log_z = LogZEstimator(
            self.machine,
            exact=self.bound == "exact",
            chains=ais_chains,
            temperatures=ais_temperatures,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """The units are binary."""
        return None if spec.kind == "binary" else f"needs binary data, {spec.name} is {spec.kind}"

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Sets the visible units' base rates and starts the chains there."""
        x = flat(batch.x)
        x = x[:1] if x.stride(0) == 0 else x
        rate = (x.sum(1, keepdim=True) + 0.5) / (x.shape[1] + 1)
        self.machine.base_logit[..., : self.spec.size] = torch.logit(rate)
        with torch.no_grad():
            self.fantasies.copy_(self.machine.base(self.fantasies.shape[1], rng))

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns F(v, mean-field g) - F(chain), whose gradient is the paper's, shape (S,)."""
        v = flat(batch.x)
        if batch.progress < self.pretrain:
            return self.layers_loss(v, rng)
        with torch.no_grad():
            outer = torch.cat([v, self.rates(v)[1]], dim=-1)
        chain = self.machine.chain(self.fantasies, self.steps, rng)
        self.fantasies.copy_(chain)
        return self.machine.free_energy(outer).mean(-1) - self.machine.free_energy(chain).mean(-1)

    def layers_loss(self, v: Tensor, rng: Rng) -> Tensor:
        """Returns what has the gradient of contrastive divergence in each layer, shape (S,).

        What a layer will be given by the one that is not there yet is made up for by doubling its
        other input.
        """
        size, machine = self.spec.size, self.machine
        lower, upper = machine.weight[:, :size], machine.weight[:, size:].mT
        bias = machine.base_logit + machine.visible_bias
        below, above, middle = bias[..., :size], bias[..., size:], machine.hidden_bias
        with torch.no_grad():
            h = torch.sigmoid(middle + 2 * v @ lower)
            bits = rng.bernoulli(h)
            v_chain = rng.bernoulli(torch.sigmoid(below + bits @ lower.mT))
            h_low = torch.sigmoid(middle + 2 * v_chain @ lower)
            g = torch.sigmoid(above + bits @ upper)
            h_chain = rng.bernoulli(torch.sigmoid(middle + 2 * rng.bernoulli(g) @ upper.mT))
            g_chain = torch.sigmoid(above + h_chain @ upper)
        return (
            pair_energy(lower, below, middle, v, h)
            - pair_energy(lower, below, middle, v_chain, h_low)
            + pair_energy(upper, middle, above, bits, g)
            - pair_energy(upper, middle, above, h_chain, g_chain)
        )

    def rates(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the mean-field rates of h, (S, B, H), and of g, (S, B, G), for bits (S, B, D)."""
        size, machine = self.spec.size, self.machine
        below = torch.baddbmm(machine.hidden_bias, v, machine.weight[:, :size])
        upper, bias = machine.weight[:, size:], machine.visible_bias[..., size:]
        g = torch.full_like(bias.expand(-1, v.shape[1], -1), 0.5)
        h = torch.sigmoid(below)
        for _ in range(self.mean_field):
            h = torch.sigmoid(below + g @ upper)
            g = torch.sigmoid(bias + h @ upper.mT)
        return h, g

    def chain_start(self, n: int, rng: Rng) -> Tensor:
        """Returns the visible part of chains' starts, shape (S, n, *event)."""
        return self.points(self.starts(n, rng))

    @torch.no_grad()
    def chain_step(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the points after a Gibbs step, g drawn at its mean-field rate first."""
        v = flat(x)
        outer = torch.cat([v, rng.bernoulli(self.rates(v)[1])], dim=-1)
        return self.points(self.machine.gibbs(outer, rng))

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns the last states of n chains, which carry g along, shape (S, n, *event)."""
        return self.points(self.machine.chain(self.starts(n, rng), self.gibbs_steps, rng))

    @torch.no_grad()
    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns completions by Gibbs steps with the observed entries fixed, shape (S, B, *event)."""
        top = (0, self.top)
        fixed, free = (
            functional.pad(flat(x), top),
            functional.pad(~flat(observed), top, value=True),
        )
        outer = torch.where(free, self.machine.base(x.shape[1], rng), fixed)
        return self.points(self.machine.chain(outer, self.gibbs_steps, rng, free=free))

    @torch.no_grad()
    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(v) in nats, exact or the mean-field bound with log Z estimated, (S, B)."""
        v = flat(x)
        log_weight = self.summed(v) if self.bound == "exact" else self.lower(v)
        return (log_weight - self.log_z(rng).value.unsqueeze(1)).to(x.dtype)

    def lower(self, v: Tensor) -> Tensor:
        """Returns the mean-field lower bound on log p(v) + log Z, shape (S, B), float64."""
        h, g = self.rates(v)
        outer = torch.cat([v, g], dim=-1)
        energy = (outer * (self.machine.base_logit + self.machine.visible_bias)).sum(-1)
        energy = energy + (h * self.machine.hidden_input(outer)).sum(-1)
        return energy.double() + entropy(h) + entropy(g)

    def summed(self, v: Tensor) -> Tensor:
        """Returns log p(v) + log Z, summed over all states of h, shape (S, B), float64."""
        size, machine = self.spec.size, self.machine
        rows = max(1, CHUNK // (self.seeds * max(v.shape[1], machine.visible)))
        below = torch.baddbmm(machine.hidden_bias, v, machine.weight[:, :size]).double()
        total = torch.full(v.shape[:2], -math.inf, dtype=torch.float64, device=v.device)
        for states in binary_states(machine.hidden, rows):
            h = states.to(below).expand(self.seeds, -1, -1)
            net = machine.visible_bias[..., size:] + h @ machine.weight[:, size:].double().mT
            log_term = below @ h.mT + functional.softplus(net).sum(-1).unsqueeze(1)
            total = torch.logaddexp(total, log_term.logsumexp(-1))
        bias = (machine.base_logit + machine.visible_bias)[..., :size]
        return total + (v * bias).sum(-1)

    def points(self, outer: Tensor) -> Tensor:
        """Returns the visible part of states (v, g), shape (S, B, *event)."""
        return outer[..., : self.spec.size].unflatten(-1, self.spec.event)


def entropy(rate: Tensor) -> Tensor:
    """Returns the entropy of independent bits in nats, shape (S, B), float64."""
    p = rate.double()
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum(-1)


def pair_energy(weight: Tensor, bias_a: Tensor, bias_b: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Returns the mean energy of layers a and b joined by weights, with their biases, (S,)."""
    joint = ((a @ weight + bias_b) * b).sum(-1) + (a * bias_a).sum(-1)
    return -joint.mean(-1)
