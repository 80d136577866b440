"""The network of WaveNet: dilated causal gated convolutions of sequences."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.rng import Rng
from genbench.models.autoregressive._gated import Head, gate
from genbench.nn.autoregressive import Drop, Step
from genbench.nn.mlp import Linear


class DilatedStack(nn.Module):
    """Creates S stacks of causal convolutions of kernel 2: outputs of an entry see those before it.

    Layer l sees its input at an entry and 2^(l mod cycle) entries earlier, passes it through a gate
    and adds to the next layer's input and to the features of the outputs. The input of the first
    layer is moved on by one entry and has a learnt vector for each place added.

    References:
        | WaveNet: A Generative Model for Raw Audio (van den Oord et al., 2016), sections 2.1 to 2.5
        | Fast Wavenet Generation Algorithm (Paine et al., 2016), for `steps`

    Arguments:
        size: The number D of entries.
        inputs: What is seen of an entry, I.
        outputs: The number of outputs of an entry, P.
        rng: Draws the weights.
        channels: The number of channels of the layers.
        skip: The number of features of the outputs.
        cycle: The number of dilations, 1, 2, 4, …, before they start again.
        stacks: The number of cycles.
    """

    def __init__(
        self,
        size: int,
        inputs: int,
        outputs: int,
        rng: Rng,
        *,
        channels: int,
        skip: int,
        cycle: int,
        stacks: int,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.dilations = [2 ** (i % cycle) for i in range(cycle * stacks)]
        self.first = Linear(inputs, channels, rng.fork("first"))
        places = rng.fork("places").uniform(size, channels, low=-1, high=1)
        self.places = nn.Parameter(places * channels**-0.5)
        self.convs: Any = nn.ModuleList(
            Linear(2 * channels, 2 * channels, rng.fork("conv", i))
            for i in range(len(self.dilations))
        )
        self.outs: Any = nn.ModuleList(
            Linear(channels, channels + skip, rng.fork("out", i))
            for i in range(len(self.dilations))
        )
        self.head = Head(skip, skip, outputs, rng.fork("head"))

    def forward(self, y: Tensor, drop: Drop | None = None) -> Tensor:
        """Maps what is seen of entries (S, B, D, I) to outputs (S, B, D, P)."""
        shape = y.shape[1:3]
        x = self.first(_later(y, 1).flatten(1, 2)).unflatten(1, shape) + self.places.unsqueeze(1)
        total: Tensor | float = 0.0
        for dilation, conv, out in zip(self.dilations, self.convs, self.outs, strict=True):
            both = torch.cat([_later(x, dilation), x], dim=-1)
            hidden = gate(conv(both.flatten(1, 2)))
            added = out(hidden if drop is None else drop(hidden)).unflatten(1, shape)
            x = x + added[..., : self.channels]
            total = total + added[..., self.channels :]
        return self.head(total)  # type: ignore[arg-type]

    def steps(self, n: int) -> Step:
        """Returns a step that keeps a queue of each layer's last inputs, as many as its dilation.

        A dilation beyond the first entry sees zeros alone, as a queue of all entries does.
        """
        head, seeds, size = self.head.steps(), len(self.places), self.places.shape[1]
        queues = [
            self.places.new_zeros(min(dilation, size), seeds, n, self.channels)
            for dilation in self.dilations
        ]

        def step(d: int, last: Tensor) -> Tensor:
            x = self.first(last) + self.places[:, d : d + 1]
            total: Tensor | float = 0.0
            for queue, conv, out in zip(queues, self.convs, self.outs, strict=True):
                place = queue[d % len(queue)]
                both = torch.cat([place, x], dim=-1)
                place.copy_(x)
                added = out(gate(conv(both)))
                x = x + added[..., : self.channels]
                total = total + added[..., self.channels :]
            return head(total)  # type: ignore[arg-type]

        return step


def _later(x: Tensor, by: int) -> Tensor:
    """Moves (S, B, D, C) on by so many entries, zeros coming in."""
    earlier = x[:, :, : max(x.shape[2] - by, 0)]
    return torch.cat([torch.zeros_like(x[:, :, :by]), earlier], dim=2)
