"""Stacked bijections of images: checkerboard and channel-wise couplings on several scales."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.allowed import Positive
from genbench.core.rng import Rng
from genbench.nn.conv import Conv2d, ResidualBlock


class ResidualNet(nn.Module):
    """Creates S networks from images to images of the same sides: convolutions and residual blocks.

    Arguments:
        inputs: The channels of the input.
        outputs: The channels of the output, zero at first.
        width: The channels between.
        blocks: The number of residual blocks.
        rng: Draws the weights.
    """

    def __init__(self, inputs: int, outputs: int, width: int, blocks: int, rng: Rng) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Conv2d(inputs, width, 3, rng.fork("first")),
            *(ResidualBlock(width, width, rng.fork("block", i)) for i in range(blocks)),
            nn.ReLU(),
            Conv2d(width, outputs, 1, rng.fork("last"), gain=0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs, H, W) to (S, B, outputs, H, W)."""
        return self.layers(x)


class CheckerboardCoupling(nn.Module):
    r"""Creates S maps y = b x + (1 - b)(x exp(s(b x)) + t(b x)) for b a checkerboard of 0 and 1.

    References:
        | Density Estimation Using Real NVP (Dinh et al., 2017), section 3.4

    Arguments:
        channels: The channels of the image.
        odd: Whether b is 1 where row + column is odd, else where it is even.
        width: The channels of the network.
        blocks: The network's residual blocks.
        limit: The bound on the log-scale.
        rng: Draws the weights.
    """

    def __init__(
        self, channels: int, odd: bool, width: int, blocks: int, limit: float, rng: Rng
    ) -> None:
        super().__init__()
        self.odd, self.limit = int(odd), limit
        self.network = ResidualNet(channels + 1, 2 * channels, width, blocks, rng)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns y, shape (S, B, C, H, W), and the log-determinant, shape (S, B)."""
        log_scale, shift = self._affine(x)
        return torch.addcmul(shift, x, log_scale.exp()), log_scale.flatten(2).sum(-1)

    def inverse(self, y: Tensor) -> Tensor:
        """Returns x, shape (S, B, C, H, W)."""
        log_scale, shift = self._affine(y)
        return (y - shift) * torch.exp(-log_scale)

    def _affine(self, x: Tensor) -> tuple[Tensor, Tensor]:
        rows, columns = (torch.arange(side, device=x.device) for side in x.shape[-2:])
        fixed = ((rows.unsqueeze(-1) + columns) % 2 == self.odd).to(x)
        board = fixed.expand(*x.shape[:2], 1, -1, -1)
        raw, shift = self.network(torch.cat([x * fixed, board], dim=2)).chunk(2, dim=2)
        return self.limit * torch.tanh(raw) * (1 - fixed), shift * (1 - fixed)


class ChannelCoupling(nn.Module):
    """Creates S maps that move one half of an image's channels, given the other half.

    References:
        | Density Estimation Using Real NVP (Dinh et al., 2017), section 3.4

    Arguments:
        channels: The channels of the image, an even number.
        odd: Whether the first half moves, else the second.
        width: The channels of the network.
        blocks: The network's residual blocks.
        limit: The bound on the log-scale.
        rng: Draws the weights.
    """

    def __init__(
        self, channels: int, odd: bool, width: int, blocks: int, limit: float, rng: Rng
    ) -> None:
        super().__init__()
        self.odd, self.limit = odd, limit
        self.network = ResidualNet(channels // 2, channels, width, blocks, rng)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns y, shape (S, B, C, H, W), and the log-determinant, shape (S, B)."""
        fixed, moved = self._parts(x)
        log_scale, shift = self._affine(fixed)
        moved = torch.addcmul(shift, moved, log_scale.exp())
        return self._whole(fixed, moved), log_scale.flatten(2).sum(-1)

    def inverse(self, y: Tensor) -> Tensor:
        """Returns x, shape (S, B, C, H, W)."""
        fixed, moved = self._parts(y)
        log_scale, shift = self._affine(fixed)
        return self._whole(fixed, (moved - shift) * torch.exp(-log_scale))

    def _affine(self, fixed: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.network(fixed).chunk(2, dim=2)
        return self.limit * torch.tanh(raw), shift

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first, second = x.chunk(2, dim=2)
        return (second, first) if self.odd else (first, second)

    def _whole(self, fixed: Tensor, moved: Tensor) -> Tensor:
        return torch.cat([moved, fixed] if self.odd else [fixed, moved], dim=2)


class ImageCouplings(nn.Module):
    """Creates S multi-scale flows of images: three checkerboards, a squeeze, three channel-wise couplings.

    While both sides are even and at least 8, an image is moved so, squeezed to half its sides and four
    times its channels, and half of these channels are final; four checkerboards move what is left.

    References:
        | Density Estimation Using Real NVP (Dinh et al., 2017), sections 3.4 to 3.6

    Arguments:
        event: The shape (C, H, W) of an image.
        width: The channels of the couplings' networks.
        blocks: The residual blocks of the couplings' networks.
        rng: Draws the weights.
        limit: The bound on the log-scales.
    """

    def __init__(
        self,
        event: tuple[int, ...],
        width: int,
        blocks: int,
        rng: Rng,
        *,
        limit: Positive = 2.0,
    ) -> None:
        super().__init__()
        self.event = event
        self.scales: Any = nn.ModuleList()
        channels, height, columns = event
        while height % 2 == columns % 2 == 0 and min(height, columns) >= 8:
            here = rng.fork("scale", len(self.scales))
            self.scales.append(
                nn.ModuleList(
                    [
                        *_chain(CheckerboardCoupling, 3, channels, width, blocks, limit, here),
                        *_chain(ChannelCoupling, 3, 4 * channels, width, blocks, limit, here),
                    ]
                )
            )
            channels, height, columns = 2 * channels, height // 2, columns // 2
        self.last: Any = nn.ModuleList(
            _chain(CheckerboardCoupling, 4, channels, width, blocks, limit, rng.fork("last"))
        )
        self.smallest = (channels, height, columns)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps flat images (S, B, D) to codes (S, B, D) and log-determinants (S, B)."""
        total, final = x.new_zeros(x.shape[:2]), []
        x = x.unflatten(-1, self.event)
        for scale in self.scales:
            for i, coupling in enumerate(scale):
                x = squeezed(x) if i == 3 else x
                x, log_det = coupling(x)
                total = total + log_det
            done, x = x.chunk(2, dim=2)
            final.append(done.flatten(2))
        for coupling in self.last:
            x, log_det = coupling(x)
            total = total + log_det
        return torch.cat([*final, x.flatten(2)], dim=-1), total

    def inverse(self, z: Tensor) -> Tensor:
        """Maps codes (S, B, D) to flat images (S, B, D)."""
        channels, height, columns = self.smallest
        size = channels * height * columns
        rest, x = z[..., :-size], z[..., -size:].unflatten(-1, self.smallest)
        for coupling in reversed(self.last):
            x = coupling.inverse(x)
        for scale in reversed(self.scales):
            size = x[0, 0].numel()
            rest, done = rest[..., :-size], rest[..., -size:].reshape(x.shape)
            x = torch.cat([done, x], dim=2)
            for i, coupling in reversed(list(enumerate(scale))):
                x = coupling.inverse(x)
                x = unsqueezed(x) if i == 3 else x
        return x.flatten(2)


def squeezed(x: Tensor) -> Tensor:
    """Moves every 2×2 pixels into channels: (S, B, C, H, W) to (S, B, 4 C, H / 2, W / 2)."""
    s, b, c, h, w = x.shape
    blocks = x.reshape(s, b, c, h // 2, 2, w // 2, 2)
    return blocks.permute(0, 1, 4, 6, 2, 3, 5).reshape(s, b, 4 * c, h // 2, w // 2)


def unsqueezed(y: Tensor) -> Tensor:
    """Undoes `squeezed`."""
    s, b, c, h, w = y.shape
    blocks = y.reshape(s, b, 2, 2, c // 4, h, w)
    return blocks.permute(0, 1, 4, 5, 2, 6, 3).reshape(s, b, c // 4, 2 * h, 2 * w)


def _chain(
    kind: type[CheckerboardCoupling] | type[ChannelCoupling],
    count: int,
    channels: int,
    width: int,
    blocks: int,
    limit: float,
    rng: Rng,
) -> list[nn.Module]:
    """Couplings of one kind whose fixed and moved parts swap from one to the next."""
    return [
        kind(channels, i % 2 == 1, width, blocks, limit, rng.fork(kind.__name__, i))
        for i in range(count)
    ]
