"""Stacked networks from sources to points, and how they see both."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.nn.conv import Conv2d, ResidualBlock
from genbench.nn.mlp import MLP, flat
from genbench.nn.output import centred
from genbench.nn.super_resolution import EnlargingNetwork, find_scale

#: how often a U-Net or an encoder–decoder halves the image
DEPTH = 3
#: the weights of a last layer at first, so that outputs start near the training mean
LAST_GAIN = 0.1


class SourceNetwork(nn.Module):
    """Creates S networks from sources, and noise beside them, to as many real numbers as a point has.

    Noise enters a convolutional network as constant channels. Convolutions see sources on [-1, 1]; a
    perceptron sees them less their training mean (`centre`), since a black background at -1 in most of its
    inputs would drown both what is lit and the noise.

    References:
        | Image-to-Image Translation with Conditional Adversarial Networks (Isola et al., 2017), section
        | 3.2.1, for the U-Net and the encoder–decoder; Perceptual Losses (Johnson et al., 2016), for
        | residual blocks

    Arguments:
        spec: The data; `spec.source` is what is given.
        network: `mlp`; or for images `unet`, `encoder_decoder` (the same without skips), `resnet`, or
            `enlarging` where sources are smaller.
        hidden: The widths of the hidden layers of an MLP.
        width: The channels of the first hidden image of the others; they double as the image is halved.
        blocks: The number of residual blocks.
        noise: The dimension of the noise, 0 for none.
        rng: Draws the weights.
    """

    def __init__(
        self,
        spec: DataSpec,
        network: str,
        hidden: Sequence[int],
        width: int,
        blocks: int,
        noise: int,
        rng: Rng,
    ) -> None:
        super().__init__()
        source = source_of(spec)
        self.spec, self.source = spec, source
        self.mean: Tensor | None
        self.register_buffer("mean", None, persistent=False)
        if network == "mlp":
            sizes = source.size * (source.tokens or 1) + noise, spec.size, hidden
            self.network: nn.Module = MLP(*sizes, rng, last_gain=LAST_GAIN)
            return
        refuse_without_images(f"network={network}", spec)
        inputs, outputs = source.event[0] + noise, spec.event[0]
        self.enlarges = network == "enlarging"
        if self.enlarges:
            scale = find_scale(source.event, spec.event)
            self.network = EnlargingNetwork(inputs, outputs, scale, width, blocks, rng)
        elif network == "resnet":
            self.network = ResidualNetwork(inputs, outputs, width, blocks, rng)
        else:
            self.network = Hourglass(inputs, outputs, width, rng, skips=network == "unet")

    def centre(self, source: Tensor | None) -> None:
        """Takes the training mean of sources, (S, 1, *source.event), which a perceptron takes off."""
        if isinstance(self.network, MLP):
            self.mean = source

    def forward(self, source: Tensor, z: Tensor | None = None) -> Tensor:
        """Maps sources (S, B, *source.event) and noise (S, B, noise) to (S, B, *event)."""
        source = as_numbers(source, self.source, next(self.parameters()).dtype, self.mean)
        if isinstance(self.network, MLP):
            x = flat(source) if z is None else torch.cat([flat(source), z], -1)
            return self.network(x).unflatten(-1, self.spec.event)
        x = source if self.enlarges else fit(source, self.spec.event)
        if z is not None:
            channels = z[..., None, None].expand(*z.shape, *x.shape[-2:])
            x = torch.cat([x, channels], 2)
        return self.network(x)


class Hourglass(nn.Module):
    """Creates S networks that halve an image thrice and double it again, with or without skips.

    Arguments:
        inputs: The channels of the input.
        outputs: The channels of the output.
        width: The channels before the first halving.
        rng: Draws the weights.
        skips: Whether each image on the way up sees the one of its size on the way down.
    """

    def __init__(self, inputs: int, outputs: int, width: int, rng: Rng, *, skips: bool) -> None:
        super().__init__()
        widths = [width * 2 ** min(i, 2) for i in range(DEPTH + 1)]
        self.skips = skips
        self.first = Conv2d(inputs, width, 3, rng.fork("first"))
        self.down = nn.ModuleList(
            Conv2d(widths[i], widths[i + 1], 3, rng.fork("down", i), stride=2)
            for i in range(DEPTH)
        )
        self.up = nn.ModuleList(
            Conv2d(widths[i + 1] + skips * widths[i], widths[i], 3, rng.fork("up", i))
            for i in range(DEPTH)
        )
        self.last = Conv2d(width, outputs, 3, rng.fork("last"), gain=LAST_GAIN)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (S, B, inputs, H, W) to (S, B, outputs, H, W)."""
        images = [functional.leaky_relu(self.first(x), 0.2)]
        for layer in self.down:
            images.append(functional.leaky_relu(layer(images[-1]), 0.2))
        y = images.pop()
        for layer in reversed(list(self.up)):
            before = images.pop()
            y = resize(y, before.shape[-2:])
            y = functional.relu(layer(torch.cat([y, before], 2) if self.skips else y))
        return self.last(y)


class ResidualNetwork(nn.Module):
    """Creates S networks of residual blocks that keep the image's size.

    Arguments:
        inputs: The channels of the input.
        outputs: The channels of the output.
        width: The channels between.
        blocks: The number of blocks.
        rng: Draws the weights.
    """

    def __init__(self, inputs: int, outputs: int, width: int, blocks: int, rng: Rng) -> None:
        super().__init__()
        self.first = Conv2d(inputs, width, 3, rng.fork("first"))
        self.blocks = nn.ModuleList(
            ResidualBlock(width, width, rng.fork("block", i)) for i in range(blocks)
        )
        self.last = Conv2d(width, outputs, 3, rng.fork("last"), gain=LAST_GAIN)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (S, B, inputs, H, W) to (S, B, outputs, H, W)."""
        y = self.first(x)
        for block in self.blocks:
            y = block(y)
        return self.last(functional.relu(y))


def source_of(spec: DataSpec) -> DataSpec:
    """Returns the spec of what points are made from.

    Raises:
        SpecError: If they are made from nothing.
    """
    if spec.source is None:
        raise SpecError(f"a translator needs sources, {spec.name} has none")
    return spec.source


def as_numbers(
    x: Tensor, spec: DataSpec, dtype: torch.dtype, mean: Tensor | None = None
) -> Tensor:
    """Returns points or sources as networks see them.

    Arguments:
        x: Numbers (S, B, *event), or tokens (S, B, L), which become indicators (S, B, L, K).
        spec: What is known of them.
        dtype: Of indicators.
        mean: Of the training points, which is taken off; without it numbers are brought to [-1, 1].
    """
    if spec.tokens is None:
        return centred(x, spec) if mean is None else x - mean
    return (x.unsqueeze(-1) == torch.arange(spec.tokens, device=x.device)).to(dtype)


def mean_of(x: Tensor) -> Tensor | None:
    """Returns the mean of training points or sources, (S, 1, *event); None of tokens, which have none."""
    return x.mean(1, keepdim=True) if x.is_floating_point() else None


def refuse_without_images(what: str, spec: DataSpec) -> None:
    """Refuses data whose points or sources are no images.

    Raises:
        SpecError: Naming both shapes.
    """
    source = source_of(spec)
    if not (spec.is_image and source.is_image):
        raise SpecError(
            f"{what} needs images of images, {spec.name} makes points of shape {spec.event} from "
            f"{source.event}; take network=mlp"
        )


def fit(x: Tensor, event: Sequence[int]) -> Tensor:
    """Returns images (S, B, C, h, w) in the height and width of an event (C', H, W), nearest neighbour."""
    return resize(x, event[1:])


def resize(x: Tensor, size: Sequence[int], mode: str = "nearest") -> Tensor:
    """Returns images (S, B, C, h, w) in another height and width, by `nearest` neighbour or `bicubic`."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    y = functional.interpolate(x.flatten(0, 1), size=(size[0], size[1]), mode=mode)
    return y.unflatten(0, x.shape[:2])
