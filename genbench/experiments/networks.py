"""Networks of four architectures from vectors to images and from images to numbers."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.image import ConvDecoder, ConvEncoder
from genbench.nn.mlp import MLP, Linear
from genbench.nn.recurrent import GRUCell

#: units of a hidden layer, and channels of a convolution's largest image
UNITS, CHANNELS = 64, 8


class Residual(nn.Module):
    """Creates S networks of fully connected residual blocks, from (S, B, …) to (S, B, outputs)."""

    def __init__(self, inputs: int, outputs: int, rng: Rng, *, blocks: int = 2) -> None:
        super().__init__()
        self.first = Linear(inputs, UNITS, rng.fork("first"))
        self.blocks = nn.ModuleList(
            MLP(UNITS, UNITS, (UNITS,), rng.fork("block", i)) for i in range(blocks)
        )
        self.last = Linear(UNITS, outputs, rng.fork("last"))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, …) to (S, B, outputs)."""
        x = self.first(x.flatten(2))
        for block in self.blocks:
            x = x + block(functional.relu(x))
        return self.last(functional.relu(x))


class RowWriter(nn.Module):
    """Creates S recurrent networks that write an image row by row; every step is given the vector."""

    def __init__(self, inputs: int, spec: DataSpec, rng: Rng) -> None:
        super().__init__()
        channels, self.height, columns = spec.event
        self.cell = GRUCell(inputs, UNITS, rng.fork("cell"))
        self.last = Linear(UNITS, channels * columns, rng.fork("last"))

    def forward(self, z: Tensor) -> Tensor:
        """Maps (S, B, inputs) to rows one after the other, (S, B, height x row)."""
        states = self.cell.run(z.unsqueeze(2).expand(-1, -1, self.height, -1))
        return self.last(states.flatten(1, 2)).unflatten(1, states.shape[1:3]).flatten(2)


class RowReader(nn.Module):
    """Creates S recurrent networks that read an image row by row."""

    def __init__(self, spec: DataSpec, rng: Rng) -> None:
        super().__init__()
        channels, _, columns = spec.event
        self.cell = GRUCell(channels * columns, UNITS, rng.fork("cell"))
        self.last = Linear(UNITS, 1, rng.fork("last"))

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (S, B, C, H, W) to numbers (S, B, 1)."""
        return self.last(self.cell.run(x.transpose(2, 3).flatten(3))[:, :, -1])


class Flat(MLP):
    """Creates S multi-layer perceptrons of images."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, …) to (S, B, outputs)."""
        return super().forward(x.flatten(2))


GENERATORS: dict[str, Callable[[int, DataSpec, Rng], nn.Module]] = {
    "mlp": lambda inputs, spec, rng: MLP(inputs, spec.size, (UNITS, UNITS), rng),
    "conv": lambda inputs, spec, rng: ConvDecoder(inputs, spec, CHANNELS, rng, norm=False),
    "residual": lambda inputs, spec, rng: Residual(inputs, spec.size, rng),
    "recurrent": RowWriter,
}
DISCRIMINATORS: dict[str, Callable[[DataSpec, Rng], nn.Module]] = {
    "mlp": lambda spec, rng: Flat(spec.size, 1, (UNITS, UNITS), rng, activation="leaky_relu"),
    "conv": lambda spec, rng: ConvEncoder(spec, 1, CHANNELS, rng, norm=False),
    "residual": lambda spec, rng: Residual(spec.size, 1, rng),
    "recurrent": RowReader,
}
