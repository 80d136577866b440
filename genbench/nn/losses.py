"""Terms that several models' losses share; each returns one value per seed."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.stacked import differentiable_twice


def normal_log_prob(
    x: Tensor, mean: Tensor | float = 0.0, log_std: Tensor | float = 0.0
) -> Tensor:
    """Returns log N(x; mean, exp(log_std)^2) in nats, elementwise."""
    rate = torch.exp(-log_std) if isinstance(log_std, Tensor) else math.exp(-log_std)
    return -0.5 * ((x - mean) * rate).square() - log_std - 0.5 * math.log(2 * math.pi)


def slopes(score: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Returns the norm of the gradient of a score at each point, shape (S, B), differentiably.

    Arguments:
        score: Maps (S, B, *event) to (S, B, 1) or (S, B), each point on its own.
        x: Points, shape (S, B, *event).
    """
    x = x.detach().requires_grad_()
    with differentiable_twice():
        (gradient,) = torch.autograd.grad(score(x).sum(), x, create_graph=True)
    return gradient.flatten(2).square().sum(-1).clamp_min(1e-24).sqrt()


def usual_penalty(spec: DataSpec) -> float:
    """Returns the weight of `r1` that small networks need: 0.1 on points without a range, else 0.25.

    A quarter in the units of the data, on [0, 1], is one in those that networks see, on [-1, 1].
    """
    return 0.1 if spec.range is None else 0.25


def r1(score: Callable[[Tensor], Tensor], real: Tensor, weight: float) -> Tensor:
    r"""Returns the penalty weight/2 E |grad D(x)|^2 at real points, shape (S,); weight 0 costs nothing.

    References:
        | Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018), equation 9
    """
    if weight == 0:
        return real.new_zeros(len(real))
    return 0.5 * weight * slopes(score, real).square().mean(-1)


def between(real: Tensor, fake: Tensor, rng: Rng) -> Tensor:
    """Returns points uniformly on the segments from real to fake, (S, B, *event)."""
    weight = rng.uniform(real.shape[1], *(1 for _ in real.shape[2:]))
    return torch.lerp(real, fake, weight)
