"""Distances between images by the hidden images of a trained network; it has no axis of seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

#: added to the squared length of channels, which may all be zero
EPSILON = 1e-10


class PerceptualNetwork(nn.Module):
    r"""Creates a map from images to vectors whose squared distance is the perceptual distance.

    .. math::
        d(x, y) = \frac1T \sum_t \frac{1}{H_t W_t} \sum_{h, w} \| u_t(x)_{hw} - u_t(y)_{hw} \|^2

    for T hidden images, u_t with the channels of every place scaled to unit length.

    References:
        | The Unreasonable Effectiveness of Deep Features as a Perceptual Metric (Zhang et al., 2018),
        | equation 1
        | Perceptual Losses for Real-Time Style Transfer and Super-Resolution (Johnson et al., 2016)

    Differences: no weights of channels, which Zhang et al. fit to people's judgements.

    Arguments:
        network: A network in evaluation mode; its `maps(x, last)` are its hidden images up to one of them,
            (N, 3, H, W) to a list of (N, C, H', W').
        taps: Which of them are looked at.
        mean: What is taken off the pixels of each colour, which are in [0, 1].
        std: By what they are divided then.
        side: The height and width to which images are resized before, bilinear; None leaves them.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        taps: Sequence[int],
        *,
        mean: Sequence[float],
        std: Sequence[float],
        side: int | None = None,
    ) -> None:
        super().__init__()
        self.network, self.taps, self.side = network, tuple(taps), side
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (N, 1 or 3, H, W) in [0, 1] to vectors (N, F); grey is repeated."""
        if self.side is not None and tuple(x.shape[2:]) != (self.side, self.side):
            size = (self.side, self.side)
            x = functional.interpolate(x, size=size, mode="bilinear", antialias=True)
        x = (x.expand(-1, 3, -1, -1) - self.mean) / self.std
        maps = self.network.maps(x, max(self.taps))  # type: ignore[operator]
        return torch.cat([unit_vectors(maps[k]) / math.sqrt(len(self.taps)) for k in self.taps], 1)


def unit_vectors(x: Tensor) -> Tensor:
    """Returns hidden images as vectors (N, F): channels at unit length, over the root of the places.

    Arguments:
        x: Hidden images, shape (N, C, H, W).
    """
    length = (x.square().sum(1, keepdim=True) + EPSILON).sqrt()
    return (x / length).flatten(1) / math.sqrt(x.shape[2] * x.shape[3])
