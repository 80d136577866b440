"""Flow matching along straight paths."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from genbench.core.allowed import Amount, Count, Decay, Positive, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Model, Player, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.regression import regression
from genbench.families.search import density_space
from genbench.nn.mlp import flat
from genbench.nn.output import centred, only_continuous, uncentred
from genbench.nn.timed import timed_network


@model("flow_matching")
class FlowMatching(Model):
    r"""Creates a continuous flow whose velocity is learnt by regression on straight paths.

    .. math::
        x_t = (1 - t) x_0 + t x_1, \qquad L = E \|v(x_t, t) - (x_1 - x_0)\|^2, \qquad
        \dot x = v(x, t)

    with x_0 standard normal, x_1 data and t uniform on [0, 1]. A sample is x at t = 1, by steps of
    Heun's or Euler's method. The flow has a density, an integral of the velocity's divergence, which
    its fixed steps would only approximate and in many coordinates only estimate: it has no `log_prob`.

    References:
        | Flow Matching for Generative Modeling (Lipman et al., 2023), section 4.1, example II
        | https://arxiv.org/abs/2210.02747

    Differences: the optimal transport path with sigma_min = 0; a multi-layer perceptron with Fourier
    features of the time, and for a few coordinates of the point, in place of a U-Net; fixed steps of
    Heun's method in place of an adaptive solver; a step size falling linearly to zero.

    Arguments:
        hidden: The widths of the velocity's hidden layers.
        frequencies: Frequencies of the point's Fourier features; None takes 6 up to three coordinates.
        steps: The number of steps from noise to a sample.
        solver: `heun`, two evaluations per step, or `euler`, one.
        lr: Adam's step size.
        average: The decay of the weights' running average for evaluation, or None.
    """

    version = 2
    taxonomy = "explicit/tractable/change of variables"
    paper = "Lipman et al., 2023"
    year = 2022
    search = {
        **density_space(),
        "hidden": Choice(((128, 128, 128), (112, 112, 112, 112))),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: Widths = (128, 128, 128),
        frequencies: Amount | None = None,
        steps: Count = 50,
        solver: Literal["heun", "euler"] = "heun",
        lr: Positive = 2e-3,
        average: Decay | None = 0.999,
    ) -> None:
        super().__init__(spec, rng)
        self.steps, self.solver, self.lr, self.average = steps, solver, lr, average
        self.velocity = timed_network(spec, hidden, rng.fork("velocity"), frequencies)

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no straight path from noise."""
        return only_continuous(spec)

    def players(self) -> tuple[Player, ...]:
        """The velocity alone."""
        return regression("velocity", self.velocity, self.loss, lr=self.lr, average=self.average)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean squared error per coordinate of the velocity, shape (S,)."""
        data = flat(centred(batch.x, self.spec))
        noise, t = rng.normal(*data.shape[1:]), rng.uniform(data.shape[1], 1)
        error = self.velocity(torch.lerp(noise, data, t), t) - (data - noise)
        return error.square().mean((1, 2))

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns normal draws carried along the flow, shape (S, n, *event)."""
        x = self.carry(rng.normal(n, self.spec.size))
        return uncentred(x, self.spec).unflatten(-1, self.spec.event)

    def sequential_steps(self) -> int:
        """Returns the solver's evaluations of the velocity."""
        return self.steps * (2 if self.solver == "heun" else 1)

    def carry(self, x: Tensor) -> Tensor:
        """Maps the flow's points at t = 0 to those at t = 1, (S, B, D) each."""
        times = torch.linspace(0, 1, self.steps + 1, dtype=x.dtype, device=x.device)
        width = 1 / self.steps
        for now, then in zip(times[:-1].view(-1, 1), times[1:].view(-1, 1), strict=True):
            slope = self.velocity(x, now)
            if self.solver == "heun":
                slope = (slope + self.velocity(x + width * slope, then)) / 2
            x = x + width * slope
        return x
