"""A pool of points made earlier, of which a discriminator is shown some in place of new ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genbench.core.rng import Rng


class History(nn.Module):
    """Creates a pool for each of S seeds. It is part of a model's state, and of no player's weights.

    References:
        | Learning from Simulated and Unsupervised Images through Adversarial Training (Shrivastava et al.,
        | 2017), section 2.3

    Arguments:
        size: How many points a seed's pool holds, at least 1.
        event: The shape of one.
        rng: Has the seeds, the device and the type.
    """

    points: Tensor
    filled: Tensor

    def __init__(self, size: int, event: Sequence[int], rng: Rng) -> None:
        super().__init__()
        zeros = torch.zeros(len(rng), size, *event, device=rng.device, dtype=rng.dtype)
        self.register_buffer("points", zeros)
        self.register_buffer("filled", zeros.new_zeros(len(rng), 1))

    @torch.no_grad()
    def mix(self, fresh: Tensor, rng: Rng) -> Tensor:
        """Returns points (S, B, *event), half of which are older ones, whose places fresh ones take.

        The first call fills the pool and returns the points as they are.
        """
        size, count = self.points.shape[1], fresh.shape[1]
        few = min(size, count)
        places = rng.uniform(size).argsort(1)[:, :few]
        swap = (rng.uniform(few) < 0.5) & (self.filled > 0)
        index, swap = _as(places, fresh), _as(swap, fresh)
        old, new = self.points.gather(1, index.expand(-1, -1, *fresh.shape[2:])), fresh[:, :few]
        first = fresh[:, torch.arange(size, device=fresh.device) % count]
        pool = self.points.scatter(1, index.expand_as(old), torch.where(swap, new, old))
        self.points.copy_(torch.where(_as(self.filled > 0, fresh), pool, first))
        self.filled.fill_(1)
        return torch.cat([torch.where(swap, old, new), fresh[:, few:]], 1)


def _as(x: Tensor, like: Tensor) -> Tensor:
    """A tensor (S, K) with as many axes as another."""
    return x.view(*x.shape, *(1 for _ in like.shape[2:]))
