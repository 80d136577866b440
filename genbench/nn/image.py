"""Stacked convolutional networks from vectors to images and back, for images of any usual size."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.nn.conv import BatchNorm, Conv2d, ConvTranspose2d
from genbench.nn.mlp import Linear

#: of networks between vectors and points: perceptrons, or strided convolutions for images
NetworkKind = Literal["mlp", "conv"]
#: the least side of an image that two strided convolutions leave something of
SMALLEST = 4


class ConvDecoder(nn.Module):
    """Creates S networks from vectors to images: a linear layer, then transposed convolutions.

    The image starts at a quarter of its sides (28: 7, 32: 8, 8: 2; sides that 4 does not divide are
    rounded up and cut) and doubles twice.

    References:
        | Unsupervised Representation Learning with DCGANs (Radford et al., 2016), figure 1

    Arguments:
        inputs: The size of the vector.
        spec: The data; its event is (C, H, W).
        width: The channels of the last hidden image; the first has twice as many.
        rng: Draws the weights.
        norm: Whether hidden images are batch normalised.
        last_gain: Scales the last layer's weights at first.
    """

    def __init__(
        self,
        inputs: int,
        spec: DataSpec,
        width: int,
        rng: Rng,
        *,
        norm: bool = True,
        last_gain: float = 1.0,
    ) -> None:
        super().__init__()
        channels, self.height, self.columns = spec.event
        self.start = (2 * width, -(-self.height // 4), -(-self.columns // 4))
        size = self.start[0] * self.start[1] * self.start[2]
        self.first = Linear(inputs, size, rng.fork("first"))
        self.up = ConvTranspose2d(2 * width, width, 4, rng.fork("up"), bias=not norm)
        self.last = ConvTranspose2d(width, channels, 4, rng.fork("last"), gain=last_gain)
        self.norms = nn.ModuleList(
            BatchNorm(c, rng) if norm else nn.Identity() for c in (2 * width, width)
        )

    def forward(self, z: Tensor) -> Tensor:
        """Maps (S, B, inputs) to real numbers (S, B, C, H, W)."""
        x = self.first(z).unflatten(-1, self.start)
        x = functional.relu(self.norms[0](x))
        x = functional.relu(self.norms[1](self.up(x)))
        return self.last(x)[..., : self.height, : self.columns]


class ConvEncoder(nn.Module):
    """Creates S networks from images to vectors: two strided convolutions, then a linear layer.

    References:
        | Unsupervised Representation Learning with DCGANs (Radford et al., 2016), section 3

    Arguments:
        spec: The data; its event is (C, H, W).
        outputs: The size of the vector.
        width: The channels of the first hidden image; the second has twice as many.
        rng: Draws the weights.
        norm: Whether the second hidden image is batch normalised (the first never is).
        inputs: The channels of the input, None takes the data's; more carry conditions or packs.
    """

    def __init__(
        self,
        spec: DataSpec,
        outputs: int,
        width: int,
        rng: Rng,
        *,
        norm: bool = True,
        inputs: int | None = None,
    ) -> None:
        super().__init__()
        channels, height, columns = spec.event
        self.down = nn.ModuleList(
            (
                Conv2d(inputs or channels, width, 4, rng.fork("down", 0), stride=2, padding=1),
                Conv2d(
                    width, 2 * width, 4, rng.fork("down", 1), stride=2, padding=1, bias=not norm
                ),
            )
        )
        self.norm = BatchNorm(2 * width, rng) if norm else nn.Identity()
        self.features = 2 * width * (height // 4) * (columns // 4)
        self.last = Linear(self.features, outputs, rng.fork("last"))

    def hidden(self, x: Tensor) -> Tensor:
        """Maps images (S, B, C, H, W) to the features before the last layer, (S, B, features)."""
        x = functional.leaky_relu(self.down[0](x), 0.2)
        return functional.leaky_relu(self.norm(self.down[1](x)), 0.2).flatten(2)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (S, B, C, H, W) to vectors (S, B, outputs)."""
        return self.last(self.hidden(x))


def small_image(spec: DataSpec) -> str | None:
    """Returns why two strided convolutions cannot take points, or None if they can."""
    if spec.is_image and min(spec.event[1:]) >= SMALLEST:
        return None
    least = f"{SMALLEST}×{SMALLEST}"
    return f"needs images of at least {least} pixels, {spec.name} has points of shape {spec.event}"


def refuse_small(spec: DataSpec) -> None:
    """Refuses points of which two strided convolutions leave nothing.

    Raises:
        SpecError: Naming their shape.
    """
    reason = small_image(spec)
    if reason is not None:
        raise SpecError(f"network=conv {reason}; take network=mlp")
