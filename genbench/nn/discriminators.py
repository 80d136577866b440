"""Stacked discriminators of points, each on its own or beside its source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.nn.conv import Conv2d
from genbench.nn.mlp import MLP, flat
from genbench.nn.translation import as_numbers, fit, refuse_without_images, source_of

#: strided layers of a discriminator, by the side in pixels of the patch that its outputs see
PATCHES = {1: 0, 4: 1, 10: 2, 22: 3}
Patch = Literal[1, 4, 10, 22]


class Discriminator(nn.Module):
    """Creates S discriminators of points, each on its own or beside its source.

    Convolutions see both on [-1, 1], a perceptron less their training means, as `SourceNetwork`.

    References:
        | Image-to-Image Translation with Conditional Adversarial Networks (Isola et al., 2017), section
        | 3.2.2, for discriminators of patches

    Arguments:
        spec: The data; `spec.source` is what is given.
        pairs: Whether it sees the source beside the point.
        hidden: The widths of an MLP's hidden layers, or None for convolutions.
        width: The channels of the first hidden image; they double with every stride.
        patch: The side in pixels of what one output of convolutions sees, of `PATCHES`; None: all.
        rng: Draws the weights.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        pairs: bool,
        hidden: Sequence[int] | None,
        width: int,
        patch: int | None,
        rng: Rng,
    ) -> None:
        super().__init__()
        source = source_of(spec)
        self.spec, self.source, self.pairs = spec, source, pairs
        self.dense = hidden is not None
        self.mean: Tensor | None
        self.source_mean: Tensor | None
        for name in ("mean", "source_mean"):
            self.register_buffer(name, None, persistent=False)
        if hidden is not None:
            inputs = spec.size + pairs * source.size
            self.network: nn.Module = MLP(inputs, 1, hidden, rng, activation="leaky_relu")
            return
        refuse_without_images("a discriminator of patches", spec)
        inputs = spec.event[0] + pairs * source.event[0]
        self.network = Patches(inputs, spec.event[1:], width, patch, rng)

    def centre(self, x: Tensor | None, source: Tensor | None) -> None:
        """Takes the training means of points and sources, (S, 1, …), which a perceptron takes off."""
        if self.dense:
            self.mean, self.source_mean = x, source

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        """Maps points (S, B, *event) and their sources to logits (S, B, P), one for each of P patches."""
        return self.network(self.inputs(x, source))

    def hidden(self, x: Tensor, source: Tensor) -> list[Tensor]:
        """Maps the same to the hidden images of convolutions, (S, B, C, h, w), the first layer's first."""
        return self.network.hidden(self.inputs(x, source))  # type: ignore[operator]

    def inputs(self, x: Tensor, source: Tensor) -> Tensor:
        """Returns what the network sees of points and sources: vectors, or images' channels."""
        source = as_numbers(source, self.source, x.dtype, self.source_mean)
        x = as_numbers(x, self.spec, x.dtype, self.mean)
        if self.dense:
            return torch.cat([flat(x), flat(source)], -1) if self.pairs else flat(x)
        return torch.cat([x, fit(source, x.shape[2:])], 2) if self.pairs else x


class Patches(nn.Module):
    """Creates S networks that tell real patches of an image from generated ones, or whole images.

    Arguments:
        inputs: The channels of the input.
        size: The image's height and width.
        width: The channels of the first hidden image.
        patch: A side in pixels of `PATCHES`; None looks at the image as a whole after two strides.
        rng: Draws the weights.
    """

    def __init__(
        self, inputs: int, size: Sequence[int], width: int, patch: int | None, rng: Rng
    ) -> None:
        super().__init__()
        strides = 2 if patch is None else PATCHES[patch]
        if min(size) < 2**strides:
            shape = "×".join(map(str, size))
            raise SpecError(
                f"patch={patch} needs images of at least {2**strides} pixels a side to tell apart, got "
                f"{shape}; take a smaller patch, or network=mlp"
            )
        kernel, stride = (4, 2) if strides else (1, 1)
        sides = [inputs, *(width * 2**i for i in range(max(strides, 1)))]
        self.layers = nn.ModuleList(
            Conv2d(a, b, kernel, rng.fork("layer", i), stride=stride)
            for i, (a, b) in enumerate(pairwise(sides))
        )
        rest = [math.floor(side / 2**strides) for side in size] if patch is None else [1, 1]
        last = (rest[0], rest[1])
        self.last = Conv2d(sides[-1], 1, last, rng.fork("last"), padding=0)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (S, B, inputs, H, W) to logits (S, B, P)."""
        return self.last(self.hidden(x)[-1]).flatten(2)

    def hidden(self, x: Tensor) -> list[Tensor]:
        """Maps the same to what leaves the layers but the last, (S, B, C, h, w)."""
        images = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.2)
            images.append(x)
        return images


def check_patch(patch: int | None, network: str) -> None:
    """Refuses patches of a side that no discriminator has, and patches of a perceptron's outputs.

    Raises:
        SpecError: Naming both.
    """
    if patch is not None and (patch not in PATCHES or network == "mlp"):
        raise SpecError(
            f"patch needs one of {', '.join(map(str, PATCHES))} and a convolutional network, got "
            f"patch={patch}, network={network}"
        )
