"""The denoising diffusion probabilistic model."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from genbench.core.allowed import Amount, Decay, Positive, Several, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Density, Model, Player, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.regression import regression
from genbench.families.search import density_space
from genbench.nn.losses import normal_log_prob
from genbench.nn.mlp import flat
from genbench.nn.output import centred, only_continuous, uncentred
from genbench.nn.timed import timed_network

#: the decay, a visit of a step, of the running average of the error of its predicted noise
DECAY = 0.999


@model("ddpm")
class DDPM(Model, Density):
    r"""Creates a diffusion model that predicts the noise, trained by the unweighted bound.

    .. math::
        x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\epsilon, \qquad
        L = E \|\epsilon - \epsilon(x_t, t)\|^2

    A sample starts at a standard normal and takes T steps of p(x_{t-1} | x_t), the last with its noise.
    Signal falls to noise by equal steps of the log of their ratio, for which L, unweighted, is the
    variational bound but for a factor. The variance of a reverse step adds to that of
    q(x_{t-1} | x_t, x_0) what the network does not know of x_0: the mean squared error of its noise,
    averaged in training. The network gives the noise beyond its share in x_t, scaled so that a small
    output errs little at any step. `log_prob` is one draw, per step, of the variational bound on the
    chain's density; of data with a range, before samples are clamped to it.

    References:
        | Denoising Diffusion Probabilistic Models (Ho et al., 2020), sections 2 and 3
        | https://arxiv.org/abs/2006.11239
        | Variational Diffusion Models (Kingma et al., 2021), section 5, for the schedule `log_snr`
        | Progressive Distillation (Salimans and Ho, 2022), section 4, for the network's scaling
        | Analytic-DPM (Bao et al., 2022), theorem 1, for the variances `fitted`

    Differences: 100 steps in place of 1000, evenly spaced in log signal-to-noise, and fitted variances,
    for which so few suffice (`linear` with 1000 steps, betas to 0.02 and `posterior` are the paper's); a
    multi-layer perceptron with Fourier features of the time, and for a few coordinates of the point,
    in place of a U-Net; the last step adds its noise, so that samples follow the distribution whose
    density is bounded; no discretised decoder; a step size falling linearly to zero.

    Arguments:
        hidden: The widths of the network's hidden layers.
        frequencies: Frequencies of the point's Fourier features; None takes 6 up to three coordinates.
        steps: The number T of steps.
        schedule: `log_snr`, between `log_snrs`, or `linear`, variances between `betas`.
        log_snrs: The log of signal to noise, in variances, after the first and after the last step;
            None takes (11, -6), with which modes 1/100 wide are told apart, and (7, -5) with a range.
        betas: The first and the last of the linearly spaced variances.
        variances: Of the reverse steps: `fitted`, of the `posterior` q(x_{t-1} | x_t, x_0), or the
            `forward` beta_t.
        lr: Adam's step size.
        average: The decay of the weights' running average for evaluation, or None.
    """

    version = 2
    taxonomy = "explicit/approximate/variational"
    paper = "Ho et al., 2020"
    year = 2020
    search = {
        **density_space(),
        "hidden": Choice(((128, 128, 128), (112, 112, 112, 112))),
    }
    bound = "lower"
    beta: Tensor
    signal: Tensor
    error: Tensor

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: Widths = (128, 128, 128),
        frequencies: Amount | None = None,
        steps: Several = 100,
        schedule: Literal["log_snr", "linear"] = "log_snr",
        log_snrs: tuple[float, float] | None = None,
        betas: tuple[float, float] = (1e-4, 0.1),
        variances: Literal["fitted", "posterior", "forward"] = "fitted",
        lr: Positive = 2e-3,
        average: Decay | None = 0.999,
    ) -> None:
        super().__init__(spec, rng)
        log_snrs = log_snrs or ((11.0, -6.0) if spec.range is None else (7.0, -5.0))
        if not 0 < betas[0] <= betas[1] < 1 or log_snrs[0] <= log_snrs[1]:
            raise SpecError(
                f"ddpm needs 0 < first beta <= last beta < 1 and falling log_snrs, "
                f"got {betas} and {log_snrs}; the usual are (1e-4, 0.1) and (11, -6)"
            )
        self.steps, self.variances, self.lr, self.average = steps, variances, lr, average
        beta = betas_of(log_snrs, steps) if schedule == "log_snr" else evenly(betas, steps)
        self.register_buffer("beta", beta.to(rng.dtype), persistent=False)
        #: alpha bar at t = 0 … T, so signal[0] = 1
        signal = torch.cat([torch.ones(1).double(), (1 - beta).cumprod(0)])
        ends = f"log_snrs={log_snrs}" if schedule == "log_snr" else f"betas={betas}"
        refuse_unresolved(beta, signal, rng.dtype, f"{ends}, steps={steps}")
        self.register_buffer("signal", signal.to(rng.dtype), persistent=False)
        #: a coordinate's mean squared error of the noise predicted at t = 1 … T
        self.register_buffer("error", torch.ones(self.seeds, steps))
        self.noise = timed_network(spec, hidden, rng.fork("noise"), frequencies)

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points do not diffuse by Gaussian noise."""
        return only_continuous(spec)

    def players(self) -> tuple[Player, ...]:
        """The network that predicts the noise."""
        return regression("noise", self.noise, self.loss, lr=self.lr, average=self.average)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean squared error per coordinate of the noise, shape (S,)."""
        data = flat(centred(batch.x, self.spec))
        step = rng.integers(self.steps, data.shape[1], 1)
        x, noise = self.diffuse(data, self.signal[step + 1], rng)
        error = (self.predicted(x, step + 1) - noise).square().mean(-1)
        self.note(step.squeeze(-1), error.detach())
        return error.mean(1)

    def note(self, step: Tensor, error: Tensor) -> None:
        """Moves the running averages at steps t - 1 by their errors, (S, B) each."""
        visits = torch.zeros_like(self.error).scatter_add(1, step, torch.ones_like(error))
        total = torch.zeros_like(self.error).scatter_add(1, step, error)
        mean = total / visits.clamp_min(1)
        self.error.copy_(torch.lerp(mean, self.error, DECAY**visits))

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns the ends of n reverse chains, shape (S, n, *event)."""
        x = rng.normal(n, self.spec.size)
        for t in range(self.steps, 0, -1):
            x = self.mean(x, t) + self.variance(t).sqrt() * rng.normal(n, self.spec.size)
        return uncentred(x, self.spec).unflatten(-1, self.spec.event)

    def sequential_steps(self) -> int:
        """Returns T."""
        return self.steps

    @torch.no_grad()
    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns a draw of the variational lower bound in nats, shape (S, B); T evaluations."""
        data = flat(centred(x, self.spec))
        last = self.signal[-1]
        bound = -gaussian_kl(last.sqrt() * data, 1 - last, torch.zeros_like(data), torch.ones(()))
        for t in range(self.steps, 1, -1):
            noisy, noise = self.diffuse(data, self.signal[t], rng)
            target, mean = self.mean(noisy, t, noise), self.mean(noisy, t)
            bound = bound - gaussian_kl(target, self.posterior(t), mean, self.variance(t))
        noisy, _ = self.diffuse(data, self.signal[1], rng)
        decoded = normal_log_prob(data, self.mean(noisy, 1), self.variance(1).log() / 2)
        low, high = self.spec.range or (-1.0, 1.0)
        return bound + decoded.sum(-1) - self.spec.size * math.log((high - low) / 2)

    def diffuse(self, data: Tensor, signal: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns x_t for a share alpha bar of signal and the noise in it, (S, B, D) each."""
        noise = rng.normal(*data.shape[1:])
        return signal.sqrt() * data + (1 - signal).sqrt() * noise, noise

    def predicted(self, x: Tensor, t: Tensor) -> Tensor:
        """Returns the noise in x_t, (S, B, D), at steps of a shape that expands to (S, B, 1), int64."""
        signal = self.signal[t]
        learnt = self.noise(x, t.to(x.dtype) / self.steps)
        return (1 - signal).sqrt() * x + signal.sqrt() * learnt

    def mean(self, x: Tensor, t: int, noise: Tensor | None = None) -> Tensor:
        """Returns the mean of x_{t-1} given x_t and its noise (None: as predicted), (S, B, D)."""
        if noise is None:
            noise = self.predicted(x, torch.full_like(x[:, :1, :1], t, dtype=torch.int64))
        beta = self.beta[t - 1]
        return (x - beta / (1 - self.signal[t]).sqrt() * noise) / (1 - beta).sqrt()

    def variance(self, t: int) -> Tensor:
        """Returns the variance of the reverse step from t to t - 1, shape (S, 1, 1)."""
        beta, error = self.beta[t - 1], self.error[:, t - 1].view(-1, 1, 1)
        if self.variances == "fitted":
            unknown = beta.square() / ((1 - self.signal[t]) * (1 - beta))
            return self.posterior(t) + unknown * error
        # the posterior of the last step would be none at all
        forward = t == 1 or self.variances == "forward"
        return (beta if forward else self.posterior(t)).expand_as(error)

    def posterior(self, t: int) -> Tensor:
        """Returns the variance of q(x_{t-1} | x_t, x_0)."""
        return self.beta[t - 1] * (1 - self.signal[t - 1]) / (1 - self.signal[t])


def refuse_unresolved(beta: Tensor, signal: Tensor, dtype: torch.dtype, got: str) -> None:
    """Refuses steps whose noise, or what they leave of the signal, is lost in a type's rounding.

    Arguments:
        beta: The steps' variances, shape (T,), float64.
        signal: Alpha bar at t = 0 … T, float64.
        dtype: That in which a model holds 1 - signal and 1 - beta.
        got: The options that set the steps, for the error.

    Raises:
        SpecError: Where either is rounded by over half a per cent; where they round to 0 all is NaN.
    """
    least = 50 * torch.finfo(dtype).eps
    noise, rest = (1 - signal[1]).item(), (1 - beta).min().item()
    if noise < least or rest < least:
        raise SpecError(
            f"ddpm needs noise of a variance of {least:.1g} or more after the first step, and a share of the "
            f"signal of as much past every step, for {dtype} to hold them, got {noise:.2g} and {rest:.2g} "
            f"by {got}; the usual are log_snrs=(11, -6), betas=(1e-4, 0.1), steps=100"
        )


def evenly(ends: tuple[float, float], steps: int) -> Tensor:
    """Returns evenly spaced numbers from the first end to the last, shape (T,), float64."""
    return torch.linspace(*ends, steps, dtype=torch.float64)


def betas_of(log_snrs: tuple[float, float], steps: int) -> Tensor:
    """Returns the variances whose log signal-to-noise ratios are evenly spaced, (T,), float64."""
    signal = torch.sigmoid(evenly(log_snrs, steps))
    return 1 - signal / torch.cat([torch.ones(1).double(), signal[:-1]])


def gaussian_kl(mean: Tensor, variance: Tensor, other: Tensor, other_variance: Tensor) -> Tensor:
    """Returns KL(N(mean, variance) || N(other, other_variance)) in nats, shape (S, B)."""
    ratio = variance / other_variance
    square = (mean - other).square() / other_variance
    return 0.5 * (square + ratio - 1 - ratio.log()).sum(-1)
