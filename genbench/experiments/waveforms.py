"""Waves of a known process, learnt by a WaveNet and by a GAN of convolutions."""

from __future__ import annotations

import math
import statistics
import time
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset, open_named
from genbench.core.model import Model, build
from genbench.core.rng import Rng
from genbench.experiments.training import draw_samples, fail, train

#: a WaveNet that sees sixteen samples back, of which the process asks two
WAVENET = {"channels": 16, "skip": 32, "cycle": 4}
GAN = "wavegan"
#: waves of a minibatch, and waves that are scored
BATCH, WAVES = 16, 1000
#: what spectra are drawn of
ROWS = ("exact", "wavenet", GAN, "white")
#: how many frequencies the figure has
DRAWN = 32


def periodogram(waves: Tensor, levels: int) -> Tensor:
    """Returns the power of waves (S, n, L) at frequencies j / L, in squared steps, (S, L // 2 + 1)."""
    steps = waves.double() * (levels - 1) - (levels - 1) / 2
    return torch.fft.rfft(steps).abs().square().mean(1) / waves.shape[-1]


def spectral_distance(spectrum: Tensor, law: Tensor) -> Tensor:
    """Returns the root mean square over frequencies of the spectra's ratio in decibels, shape (S,).

    It is infinite for the spectrum of waves that are not finite.
    """
    distance = (10 * (spectrum / law).log10()).square().mean(-1).sqrt()
    return fail(distance, spectrum, math.inf)


def average_bands(spectrum: Tensor) -> Tensor:
    """Returns means of (…, F) over neighbouring frequencies, without the zeroth, (…, DRAWN)."""
    return torch.stack([part.mean(-1) for part in spectrum[..., 1:].tensor_split(DRAWN, -1)], -1)


@torch.no_grad()
def measure_excess(model: Any, dataset: Any, waves: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
    """Returns nats a sample by a model over those by the process, and the latter, on waves (S, n, L).

    Both are of the same waves, so that the difference is an estimate of the divergence KL(process || model).
    """
    of_law = -dataset.truth.log_prob(waves).double()
    parts = [
        model.log_prob(dataset.to_model(part, rng), rng).double() for part in waves.split(100, 1)
    ]
    of_model = -(torch.cat(parts, 1) + dataset.log_volume)
    length = waves.shape[-1]
    return (of_model - of_law).mean(1) / length, of_law.mean(1) / length


def draw_white(waves: Tensor, rng: Rng) -> Tensor:
    """Returns the same samples in a random order, which have the process's levels and no memory."""
    order = rng.permutation(waves[0].numel())
    return waves.flatten(1).gather(1, order).view_as(waves)


@torch.no_grad()
def time_lengths(lengths: tuple[int, ...], seconds: float, rng: Rng) -> dict[str, list[float]]:
    """Returns milliseconds of one wave by untrained networks, and the exponents in the length."""
    rows: dict[str, list[float]] = {}
    for k in range(len(rng)):
        for name, settings in (("wavenet", WAVENET), (GAN, {})):
            times = {}
            for length in lengths:
                spec = open_named("ar_wave", length=length).spec
                model = build(name, spec, rng.only(k).fork(name, length), settings).eval()
                times[length] = _time(model, seconds, rng.only(k).fork("sample"))
                rows.setdefault(f"ms_{name}_{length}", []).append(times[length])
            x, y = [math.log(n) for n in times], [math.log(t) for t in times.values()]
            slope = statistics.linear_regression(x, y).slope
            rows.setdefault(f"exponent_{name}", []).append(slope)
    return rows


def _time(model: Model, seconds: float, rng: Rng) -> float:
    """The least time of a wave, in milliseconds, of as many as are made within so many seconds."""
    times: list[float] = []
    while not times or sum(times) < 1e3 * seconds:
        began = time.perf_counter()
        model.sample(1, rng)
        times.append(1e3 * (time.perf_counter() - began))
    return min(times)


def experiment(
    rng: Rng,
    *,
    length: int = 256,
    rounds: int = 500,
    gan_rounds: int = 2000,
    lengths: tuple[int, ...] = (256, 1024, 4096, 16_000),
    seconds: float = 0.5,
) -> dict[str, list[float]]:
    """Returns nats over the process's, spectra and their distances to the process's, times and exponents.

    Arguments:
        rng: The seeds'.
        length: Samples of the waves that are learnt.
        rounds: The WaveNet's.
        gan_rounds: The GAN's.
        lengths: Samples of the waves whose making is timed.
        seconds: How long each is made again and again; at least once.
    """
    dataset: Any = open_named("ar_wave", length=length)
    exact = dataset.draw(WAVES, rng.fork("exact"))
    waves = {"exact": exact, "white": draw_white(exact, rng.fork("white"))}
    columns: dict[str, Tensor] = {}
    for name, settings, many in (("wavenet", WAVENET, rounds), (GAN, {}, gan_rounds)):
        own = rng.fork(name)
        trainer = train(build(name, dataset.spec, own, settings), dataset, many, own, batch=BATCH)
        waves[name] = draw_samples(trainer, dataset, WAVES, own.fork("sample"))
        if name == "wavenet":
            with trainer.averaged() as model:
                excess, of_law = measure_excess(model, dataset, exact, own.fork("measure"))
            columns |= {"excess": fail(excess, waves[name], math.inf), "law": of_law}
    columns["law_error"] = (columns["law"] - dataset.truth.entropy / length).abs()
    columns |= compare_spectra(waves, dataset)
    rows = {name: row.tolist() for name, row in columns.items()}
    return rows | time_lengths(lengths, seconds, rng.fork("time"))


def compare_spectra(waves: dict[str, Tensor], dataset: Dataset) -> dict[str, Tensor]:
    """Returns the distance of every row's spectrum to the process's, and spectra in bands for the figure."""
    source: Any = dataset
    law, columns = source.spectrum(), {}
    for name in ROWS:
        spectrum = periodogram(waves[name], source.levels)
        columns[f"spectrum_{name}"] = spectral_distance(spectrum, law)
        for i, band in enumerate(average_bands(spectrum).unbind(-1)):
            columns[f"power_{name}_{i}"] = band
    seeds = len(waves["exact"])
    for i, band in enumerate(average_bands(law)):
        columns[f"power_law_{i}"] = band.expand(seeds)
    return columns
