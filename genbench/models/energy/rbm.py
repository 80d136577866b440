"""The restricted Boltzmann machine."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Count, Decay, Positive
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import LogUniform
from genbench.families.energy import BoltzmannModel, Start
from genbench.families.search import SCHEDULE
from genbench.nn.boltzmann import BernoulliBoltzmann, GaussianBoltzmann, LogZEstimator
from genbench.nn.mlp import flat
from genbench.nn.output import numbers_or_bits

#: machines with at most so many units in one layer are normalised by enumeration
ENUMERABLE = 20


@model("rbm")
class RBM(BoltzmannModel):
    r"""Creates a restricted Boltzmann machine trained by (persistent) contrastive divergence.

    .. math::
        p(v) = e^{-F(v)} / Z, \qquad L = E_{data} F(v) - E_{chain} F(v)

    Bits have Bernoulli visible units; real numbers are standardised by the training set's mean and
    standard deviation and have Gaussian ones with learnt variances. log Z is summed exactly where a
    layer has at most 20 units (for real numbers, the hidden one), and the bound is then `exact`;
    otherwise it is estimated by annealed importance sampling from the base rates, once a set of weights.

    On real numbers the density is a mixture of 2^hidden Gaussians of one width, whose means are sums of
    weights. A handful of units can be a ring or a grid of narrow modes exactly, but is not learnt:
    a Gibbs chain crosses no gap of many widths, so that the modes' shares never reach the gradient,
    and as long as the chains mix the machine stays one wide Gaussian.

    A sample takes `gibbs_steps` steps one after the other, a few hundred times the cost of a network.

    References:
        | Training Products of Experts by Minimizing Contrastive Divergence (Hinton, 2002)
        | Training Restricted Boltzmann Machines using Approximations to the Likelihood Gradient
          (Tieleman, 2008)
        | On the Quantitative Analysis of Deep Belief Networks (Salakhutdinov and Murray, 2008)

    Differences: Adam with a falling step size and clipped gradients in place of SGD; evaluation
    uses a running average of the weights; samples of bounded data are clamped to the range.

    Arguments:
        hidden: The number of hidden units.
        persistent: Whether the negative chains go on from step to step (PCD) or start at the data (CD).
        steps: Gibbs steps k for one gradient.
        chains: The number of persistent chains per seed.
        lr: Adam's step size, falling linearly to zero.
        average: The decay of the weights' running average for evaluation, or None.
        gibbs_steps: Gibbs steps from a chain's start to a sample.
        start: Where samples' chains start: at draws at the `base` rates, so that samples are
            independent, or at states of the training's `chains` (to be persistent), drawn with
            replacement: nearer to the model's distribution, but samples of one ancestor resemble each other.
        ais_chains: Chains of the estimate of log Z.
        ais_temperatures: Temperatures of the estimate of log Z.
    """

    version = 2
    paper = "Smolensky, 1986; Hinton, 2002; Tieleman, 2008"
    year = 2002
    search = {
        "lr": LogUniform(5e-4, 5e-2),
        **SCHEDULE,
    }
    offset: Tensor
    scale: Tensor

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: Count = 256,
        persistent: bool = True,
        steps: Count = 1,
        chains: Count = 256,
        lr: Positive = 5e-3,
        average: Decay | None = 0.999,
        gibbs_steps: Count = 200,
        start: Start = "base",
        ais_chains: Count = 100,
        ais_temperatures: Count = 2000,
    ) -> None:
        super().__init__(spec, rng)
        if start == "chains" and not persistent:
            raise SpecError(
                "rbm with start=chains needs persistent chains, got persistent=False, which keeps none; take "
                "start=base"
            )
        self.persistent, self.steps, self.lr, self.average = persistent, steps, lr, average
        self.gibbs_steps, self.start = gibbs_steps, start
        self.binary = spec.kind == "binary"
        kind = BernoulliBoltzmann if self.binary else GaussianBoltzmann
        self.machine = kind(spec.size, hidden, rng.fork("machine"))
        self.register_buffer("offset", torch.zeros(self.seeds, 1, spec.size))
        self.register_buffer("scale", torch.ones(self.seeds, 1, spec.size))
        self.register_buffer("fantasies", torch.zeros(self.seeds, chains, spec.size))
        smallest = min(hidden, spec.size) if self.binary else hidden
        self.bound = "exact" if smallest <= ENUMERABLE else "estimate"
        self.log_z = LogZEstimator(
            self.machine,
            exact=self.bound == "exact",
            chains=ais_chains,
            temperatures=ais_temperatures,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Tokens would need softmax units."""
        return numbers_or_bits(spec)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Sets the base rates (mean, and for real numbers scale) and starts the chains there."""
        x = flat(batch.x)
        x = x[:1] if x.stride(0) == 0 else x
        mean = x.mean(1, keepdim=True).expand_as(self.offset)
        if isinstance(self.machine, BernoulliBoltzmann):
            rate = (mean * x.shape[1] + 0.5) / (x.shape[1] + 1)
            self.machine.base_logit.copy_(torch.logit(rate))
        else:
            self.offset.copy_(mean)
            self.scale.copy_(x.std(1, keepdim=True).clamp_min(1e-4))
        with torch.no_grad():
            self.fantasies.copy_(self.machine.base(self.fantasies.shape[1], rng))

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns F(data) - F(chain), whose gradient is the (persistent) CD-k estimate, shape (S,)."""
        v = self.standard(batch.x)
        chain = self.fantasies if self.persistent else v
        chain = self.machine.chain(chain, self.steps, rng)
        if self.persistent:
            self.fantasies.copy_(chain)
        return self.machine.free_energy(v).mean(-1) - self.machine.free_energy(chain).mean(-1)

    def chain_start(self, n: int, rng: Rng) -> Tensor:
        """Returns draws at the base rates, or of the training's chains, shape (S, n, *event)."""
        return self.points(self.starts(n, rng))

    def chain_step(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the points after one block Gibbs step; real numbers are not clamped."""
        return self.points(self.machine.gibbs(self.standard(x), rng))

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns the last states of n chains, clamped to the data's range, shape (S, n, *event)."""
        v = self.machine.chain(self.standard(self.chain_start(n, rng)), self.gibbs_steps, rng)
        return self.clamped(self.points(v))

    @torch.no_grad()
    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns completions by Gibbs steps with the observed entries fixed, shape (S, B, *event)."""
        fixed, free = self.standard(x), ~flat(observed)
        v = torch.where(free, self.machine.base(fixed.shape[1], rng), fixed)
        v = self.machine.chain(v, self.gibbs_steps, rng, free=free)
        return torch.where(observed, x, self.clamped(self.points(v)))

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns -F(v) - log Z in nats, shape (S, B)."""
        jacobian = self.scale.double().log().sum((1, 2)).unsqueeze(1)
        log_z = self.log_z(rng).value.unsqueeze(1)
        return (-self.machine.free_energy(self.standard(x)) - log_z - jacobian).to(x.dtype)

    def standard(self, x: Tensor) -> Tensor:
        """Maps points (S, B, *event) to visible units, (S, B, D)."""
        return (flat(x) - self.offset) / self.scale

    def points(self, v: Tensor) -> Tensor:
        """Maps visible units (S, B, D) to points, (S, B, *event)."""
        return (v * self.scale + self.offset).unflatten(-1, self.spec.event)

    def clamped(self, x: Tensor) -> Tensor:
        """Returns points in the data's range."""
        return x if self.spec.range is None or self.binary else x.clamp(*self.spec.range)
