"""Completing points with models that have no density: by a search over codes, or by a chain."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from genbench.core.rng import Rng
from genbench.nn.optim import Adam


def latent_search(
    generate: Callable[[Tensor], Tensor],
    latent: int,
    x: Tensor,
    observed: Tensor,
    rng: Rng,
    *,
    restarts: int = 4,
    steps: int = 100,
    lr: float = 0.1,
) -> Tensor:
    r"""Returns completions by the generated points that fit the known entries best.

    .. math:: \hat z = \arg\min_z \sum_{i \text{ known}} (G(z)_i - x_i)^2

    The known entries are put back into G of the code that `fit_codes` returns.

    References:
        | Semantic Image Inpainting with Deep Generative Models (Yeh et al., 2017), section 3, without
        | the discriminator's term

    Arguments:
        generate: Maps codes (S, B, latent), a priori standard normal, to points (S, B, *event), each on
            its own (batch normalisation at rest).
        latent: The dimension of the code.
        x: Points, shape (S, B, *event).
        observed: Which entries are known, bool, same shape.
        rng: Draws the starts.
        restarts: How many starts per point.
        steps: Adam's steps.
        lr: Adam's step size.
    """
    codes = fit_codes(generate, latent, x, observed, rng, restarts=restarts, steps=steps, lr=lr)
    with torch.no_grad():
        return torch.where(observed, x, generate(codes))


def fit_codes(
    generate: Callable[[Tensor], Tensor],
    latent: int,
    x: Tensor,
    weights: Tensor,
    rng: Rng,
    *,
    restarts: int = 4,
    steps: int = 100,
    lr: float = 0.1,
) -> Tensor:
    r"""Returns codes (S, B, latent) whose generated points have the least weighted squared error to x.

    From several draws of the prior Adam descends that error, each point on its own; the best end is kept.
    Arguments are those of `latent_search`, but for the entries' weights, numbers or bools.
    """
    seeds, points = x.shape[:2]
    z = nn.Parameter(rng.normal(points * restarts, latent))
    target, fits = (part.repeat_interleave(restarts, 1) for part in (x, weights))

    def errors() -> Tensor:
        return ((generate(z) - target).square() * fits).flatten(2).sum(-1)

    optimizer = Adam([z], lr=lr)
    with torch.enable_grad():
        for _ in range(steps):
            (z.grad,) = torch.autograd.grad(errors().sum(), z)
            optimizer.step()
    with torch.no_grad():
        best = errors().view(seeds, points, restarts).argmin(-1)
        rows = best + restarts * torch.arange(points, device=x.device)
        return torch.stack([code[row] for code, row in zip(z, rows, strict=True)])


@torch.no_grad()
def chain(
    reconstruct: Callable[[Tensor], Tensor], start: Tensor, x: Tensor, observed: Tensor, steps: int
) -> Tensor:
    """Returns completions by a chain of reconstructions in which the known entries are put back.

    Arguments:
        reconstruct: Maps points (S, B, *event) to codes and back.
        start: What the unknown entries are at first, shape (S, B, *event).
        x: Points, same shape.
        observed: Which entries are known, bool, same shape.
        steps: How many reconstructions follow one another.
    """
    y = torch.where(observed, x, start)
    for _ in range(steps):
        y = torch.where(observed, x, reconstruct(y))
    return y
