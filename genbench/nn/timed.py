"""Stacked networks of a point and a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.mlp import MLP, Linear


def waves(x: Tensor, frequencies: Tensor) -> Tensor:
    """Returns sines and cosines of every coordinate at every frequency, (…, D) to (…, 2 D F)."""
    phase = (x.unsqueeze(-1) * frequencies).flatten(-2)
    return torch.cat([phase.sin(), phase.cos()], dim=-1)


def wave_count(spec: DataSpec) -> int:
    """Returns how many frequencies a coordinate needs: 6 for a few coordinates, none for images.

    Without them a network is too smooth to tell points apart that are nearer than a narrow mode.
    """
    return 6 if spec.size <= 3 else 0


class TimedMLP(nn.Module):
    """Creates S multi-layer perceptrons, one per seed, of points (S, B, D) and times in [0, 1].

    Inputs are the point, its sines and cosines at the frequencies 1, 2, 4, …, and those of the time
    at geometrically spaced frequencies, all the same for every seed. To the perceptron's output each
    coordinate of the point is added, times a factor linear in the time's waves: what a narrow layer
    cannot let through, a nearly noiseless image, still passes.

    References:
        | Attention Is All You Need (Vaswani et al., 2017), section 3.5, for the time
        | Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains
          (Tancik et al., 2020), for the point

    Arguments:
        inputs: The size D of a point and of the output.
        hidden: The widths of the hidden layers.
        rng: Draws the weights.
        frequencies: The number of the point's frequencies.
        times: The number of the time's frequencies.
        fastest: The time's largest frequency, in radians.
        last_gain: Scales the last layer's weights at first.
    """

    frequencies: Tensor
    rates: Tensor

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        frequencies: int = 0,
        times: int = 16,
        fastest: float = 100.0,
        last_gain: float = 1.0,
    ) -> None:
        super().__init__()
        size = inputs * (1 + 2 * frequencies) + 2 * times
        self.network = MLP(size, inputs, hidden, rng, activation="silu", last_gain=last_gain)
        self.pass_on = Linear(2 * times, inputs, rng.fork("pass_on"), gain=last_gain)
        octaves = 2.0 ** torch.arange(frequencies, dtype=torch.float64)
        steps = torch.linspace(0, 1, times, dtype=torch.float64)
        self.register_buffer("frequencies", octaves.to(rng.dtype), persistent=False)
        self.register_buffer("rates", (fastest**steps).to(rng.dtype), persistent=False)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Maps points (S, B, D) and times, of a shape that expands to (S, B, 1), to (S, B, D)."""
        time = waves(t, self.rates).expand(*x.shape[:-1], -1)
        inputs = [x, waves(x, self.frequencies), time] if len(self.frequencies) else [x, time]
        return torch.addcmul(self.network(torch.cat(inputs, dim=-1)), self.pass_on(time), x)


def timed_network(
    spec: DataSpec, hidden: Sequence[int], rng: Rng, frequencies: int | None
) -> TimedMLP:
    """Returns a network of the points of a data set; None takes `wave_count` frequencies."""
    count = wave_count(spec) if frequencies is None else frequencies
    return TimedMLP(spec.size, hidden, rng, frequencies=count)
