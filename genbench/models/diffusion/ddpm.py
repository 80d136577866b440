"""The denoising diffusion probabilistic model."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Density, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn.losses import normal_log_prob
from genbench.nn.mlp import flat
from genbench.nn.optim import adam, linear_decay
from genbench.nn.output import centred, uncentred
from genbench.nn.timed import TimedMLP, wave_count


@model("ddpm")
class DDPM(Model, Density):
    r"""Creates a diffusion model that predicts the noise, trained by the unweighted bound.

    .. math::
        x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\epsilon, \qquad
        L = E \|\epsilon - \epsilon(x_t, t)\|^2

    A sample starts at a standard normal and takes T steps of p(x_{t-1} | x_t), whose variance is that
    of q(x_{t-1} | x_t, x_0), and beta_1 in the last. `log_prob` is one draw, per step, of the
    variational bound on that chain's density, which few steps leave loose by nats; of data with a
    range, before samples are clamped to it.

    References:
        | Denoising Diffusion Probabilistic Models (Ho et al., 2020), sections 2 and 3
        | https://arxiv.org/abs/2006.11239

    Differences: 100 steps in place of 1000, with betas that still end at nearly pure noise; a
    multi-layer perceptron with Fourier features of the time, and for a few coordinates of the point,
    in place of a U-Net; the last step adds its noise, so that samples follow the law whose density is
    bounded; no discretised decoder; a step size falling linearly to zero.

    Arguments:
        hidden: The widths of the network's hidden layers.
        frequencies: Frequencies of the point's Fourier features; None takes 6 up to three coordinates.
        steps: The number T of steps.
        betas: The first and the last of the linearly spaced variances.
        variances: Of the reverse steps: of the `posterior` q(x_{t-1} | x_t, x_0), or the `forward` beta_t.
        lr: Adam's step size.
        average: The decay of the weights' running average for evaluation, or None.
    """

    taxonomy = "explicit/approximate/variational"
    paper = "Ho et al., 2020"
    year = 2020
    bound = "lower"
    beta: Tensor
    kept: Tensor

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: tuple[int, ...] = (128, 128, 128),
        frequencies: int | None = None,
        steps: int = 100,
        betas: tuple[float, float] = (1e-4, 0.1),
        variances: Literal["posterior", "forward"] = "posterior",
        lr: float = 2e-3,
        average: float | None = 0.999,
    ) -> None:
        super().__init__(spec, rng)
        if steps < 2 or not 0 < betas[0] <= betas[-1] < 1:
            raise SpecError(
                f"ddpm needs at least 2 steps and 0 < first beta <= last beta < 1, got {steps} and "
                f"{betas}; the usual are 100 and (1e-4, 0.1)"
            )
        self.steps, self.lr, self.average = steps, lr, average
        self.variances = variances
        beta = torch.linspace(betas[0], betas[-1], steps, dtype=torch.float64)
        self.register_buffer("beta", beta.to(rng.dtype), persistent=False)
        #: alpha bar at t = 0 … T, so kept[0] = 1
        kept = torch.cat([torch.ones(1).double(), (1 - beta).cumprod(0)])
        self.register_buffer("kept", kept.to(rng.dtype), persistent=False)
        self.noise = TimedMLP(
            spec.size,
            hidden,
            rng.fork("noise"),
            frequencies=wave_count(spec) if frequencies is None else frequencies,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points do not diffuse by Gaussian noise."""
        return (
            None
            if spec.kind == "continuous"
            else f"needs continuous data, {spec.name} is {spec.kind}"
        )

    def players(self) -> tuple[Player, ...]:
        """The network that predicts the noise."""
        return (
            Player(
                "noise",
                self.noise,
                self.loss,
                adam(self.lr),
                schedule=linear_decay(),
                average=self.average,
            ),
        )

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean squared error a coordinate of the noise, shape (S,)."""
        data = flat(centred(batch.x, self.spec))
        t = rng.integers(self.steps, data.shape[1], 1) + 1
        x, noise = self.diffuse(data, self.kept[t], rng)
        error = self.noise(x, t.to(x.dtype) / self.steps) - noise
        return error.square().mean((1, 2))

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
        last = self.kept[-1]
        bound = -gaussian_kl(last.sqrt() * data, 1 - last, torch.zeros_like(data), torch.ones(()))
        for t in range(self.steps, 1, -1):
            noisy, noise = self.diffuse(data, self.kept[t], rng)
            target, mean = self.mean(noisy, t, noise), self.mean(noisy, t)
            bound = bound - gaussian_kl(target, self.posterior(t), mean, self.variance(t))
        noisy, _ = self.diffuse(data, self.kept[1], rng)
        decoded = normal_log_prob(data, self.mean(noisy, 1), self.variance(1).log() / 2)
        low, high = self.spec.range or (-1.0, 1.0)
        return bound + decoded.sum(-1) - self.spec.size * math.log((high - low) / 2)

    def diffuse(self, data: Tensor, kept: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns x_t for a share alpha bar of signal and the noise in it, (S, B, D) each."""
        noise = rng.normal(*data.shape[1:])
        return kept.sqrt() * data + (1 - kept).sqrt() * noise, noise

    def mean(self, x: Tensor, t: int, noise: Tensor | None = None) -> Tensor:
        """Returns the mean of x_{t-1} given x_t and its noise (None: as predicted), (S, B, D)."""
        predicted = (
            self.noise(x, torch.full_like(x[:, :1, :1], t / self.steps))
            if noise is None
            else noise
        )
        beta = self.beta[t - 1]
        return (x - beta / (1 - self.kept[t]).sqrt() * predicted) / (1 - beta).sqrt()

    def variance(self, t: int) -> Tensor:
        """Returns the variance of the reverse step from t to t - 1."""
        forward = t == 1 or self.variances == "forward"
        return self.beta[t - 1] if forward else self.posterior(t)

    def posterior(self, t: int) -> Tensor:
        """Returns the variance of q(x_{t-1} | x_t, x_0)."""
        return self.beta[t - 1] * (1 - self.kept[t - 1]) / (1 - self.kept[t])


def gaussian_kl(mean: Tensor, variance: Tensor, other: Tensor, other_variance: Tensor) -> Tensor:
    """Returns KL(N(mean, variance) || N(other, other_variance)) in nats, shape (S, B)."""
    ratio = variance / other_variance
    square = (mean - other).square() / other_variance
    return 0.5 * (square + ratio - 1 - ratio.log()).sum(-1)
