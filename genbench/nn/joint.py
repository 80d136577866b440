"""Networks between points and vectors, dense or convolutional, that games of several networks share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.nn.image import ConvDecoder, ConvEncoder, NetworkKind, refuse_small
from genbench.nn.mlp import MLP, flat
from genbench.nn.output import centred, into_range


class Generator(nn.Module):
    """Creates S networks from vectors to points in the data's range.

    Arguments:
        spec: The data.
        inputs: The size of the vector.
        hidden: The widths of the hidden layers of an MLP.
        width: The channels of the last hidden image of a convolutional network.
        network: `mlp`, or `conv` with batch normalisation, for images.
        rng: Draws the weights.
    """

    def __init__(
        self,
        spec: DataSpec,
        inputs: int,
        hidden: Sequence[int],
        width: int,
        network: NetworkKind,
        rng: Rng,
    ) -> None:
        super().__init__()
        if network == "conv":
            refuse_small(spec)
        self.spec = spec
        self.network = (
            ConvDecoder(inputs, spec, width, rng)
            if network == "conv"
            else MLP(inputs, spec.size, hidden, rng)
        )

    def forward(self, z: Tensor) -> Tensor:
        """Maps (S, B, inputs) to points (S, B, *event)."""
        x = into_range(self.network(z), self.spec)
        return x.reshape(*x.shape[:2], *self.spec.event)


class PointEncoder(nn.Module):
    """Creates S leaky ReLU networks from points, and a vector beside each, to vectors.

    An MLP sees the vector beside the point; a convolutional network, which has no normalisation, beside
    the features of the image, before one more hidden layer.

    Arguments:
        spec: The data.
        outputs: The size of the result.
        hidden: The widths of the hidden layers of an MLP; the last one's is that of the features and of
            the hidden layer of a convolutional network.
        width: The channels of the first hidden image of a convolutional network.
        network: `mlp`, or `conv` for images.
        rng: Draws the weights.
        beside: The size of the vector beside the point.
    """

    def __init__(
        self,
        spec: DataSpec,
        outputs: int,
        hidden: Sequence[int],
        width: int,
        network: NetworkKind,
        rng: Rng,
        *,
        beside: int = 0,
    ) -> None:
        super().__init__()
        self.spec, self.images = spec, network == "conv"
        inputs = spec.size
        if self.images:
            refuse_small(spec)
            if not hidden:
                raise SpecError(
                    "network=conv needs the width of a hidden layer, got hidden=(); give one, e.g. (128,)"
                )
            inputs = hidden[-1]
            self.trunk = ConvEncoder(spec, inputs, width, rng.fork("trunk"), norm=False)
            hidden = (hidden[-1],)
        self.head = MLP(inputs + beside, outputs, hidden, rng, activation="leaky_relu")

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        """Maps points (S, B, *event) and vectors (S, B, beside) to (S, B, outputs)."""
        x = centred(x, self.spec)
        h = functional.leaky_relu(self.trunk(x), 0.2) if self.images else flat(x)
        return self.head(h if beside is None else torch.cat([h, beside], dim=-1))
