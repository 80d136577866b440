"""What it costs to draw samples in units of the machine's own speed at that moment."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from genbench.core.allowed import Count, Weight
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._clock import MOST, finish

BATCHES = (1, 1024)
#: the calibration: layers of a fixed sampler, their width, and draws in one call
LAYERS, WIDTH, DRAWS = 4, 32, 2
#: where Linux counts the nanoseconds for which this thread was ready and no core was free
WAITED = Path("/proc/thread-self/schedstat")
COLUMNS = {
    f"relative_latency_{batch}": Column(
        "lower",
        "calibrations",
        None,
        f"a call for {batch} over calls of a fixed sampler around it, median of turns",
    )
    for batch in BATCHES
}


@metric("relative_latency", view="model", columns=COLUMNS, version=2)
@torch.no_grad()
def relative_latency(
    trained: Trained, test: Tensor, *, rng: Rng, seconds: Weight = 0.5, repeats: Count = 5
) -> dict[str, Score]:
    """Returns how long one seed's model takes to sample, in calls of a fixed sampler.

    Calls of the model's sampler and of the fixed one take turns, so that what slows the machine slows both:
    a shared runner, another of the same kind, a neighbour who comes and goes. On Linux the time for which
    a call was ready and had no core is taken off, which would strike long calls alone. The fixed sampler
    draws noise and passes it through four modules of 32 units and a leaky ReLU: like the samplers that
    it stands beside it is mostly Python and small kernels, which a busy neighbour slows by more than
    products of matrices. The median over turns of the ratio is what the gate compares; absolute times
    are `latency`'s. `tests/gate/times.py` counts its false alarms.

    Arguments:
        trained: A model of one seed and its data set.
        test: Not used.
        rng: Draws the samples.
        seconds: How long to go on timing each batch size, once `repeats` turns are made.
        repeats: The fewest turns for each batch size.

    Returns:
        The ratio, lower is better; the protocol names device and threads.
    """
    protocol = {"device": rng.device.type}
    if rng.device.type == "cpu":
        protocol["threads"] = str(torch.get_num_threads())
    scores = {}
    for batch in BATCHES:
        draw = partial(trained.sample, batch, rng.fork("latency", batch))
        ratio = statistics.median(
            _take_turns(draw, _calibration(batch, rng.device), rng.device, repeats, seconds)
        )
        scores[f"relative_latency_{batch}"] = Score(ratio, kind="estimate", protocol=protocol)
    return scores


def _calibration(batch: int, device: torch.device) -> Callable[[], None]:
    """Returns a call of the fixed sampler, which runs nothing of this package's own code."""
    fixed = Rng([0], device=device).fork("calibration")
    modules: list[nn.Module] = []
    for i in range(LAYERS):
        layer = nn.Linear(WIDTH, WIDTH, device="meta").to_empty(device=device)  # draws nothing
        layer.weight.copy_(fixed.fork(i).normal(WIDTH, WIDTH)[0] / WIDTH**0.5)
        layer.bias.zero_()
        modules += [layer, nn.LeakyReLU(0.2)]
    network = nn.Sequential(*modules)
    if device.type == "cpu":
        draw = partial(torch.randn, batch, WIDTH, generator=torch.Generator().manual_seed(0))
    else:  # on others a draw is a kernel like any other
        draw = fixed.fork("points").normal(batch, WIDTH)[0].clone

    def call() -> None:
        for _ in range(DRAWS):
            network(draw())

    return call


def _take_turns(
    draw: Callable[[], object],
    calibrate: Callable[[], object],
    device: torch.device,
    repeats: int,
    seconds: float,
) -> list[float]:
    """Returns a turn's time of the one over the median of five of the other, after a warm-up."""
    ratios: list[float] = []
    draw()
    calibrate()
    end = time.perf_counter() + seconds
    while len(ratios) < repeats or (time.perf_counter() < end and len(ratios) < MOST):
        before = [_span(calibrate, device) for _ in range(2)]
        span = _span(draw, device)
        after = [_span(calibrate, device) for _ in range(3)]
        ratios.append(span / statistics.median((*before, *after)))
    return ratios


def _span(call: Callable[[], object], device: torch.device) -> float:
    """The seconds of a call, without those in which it waited for a core."""
    finish(device)
    waited, began = _seconds_waited(), time.perf_counter()
    call()
    finish(device)
    took = time.perf_counter() - began
    return took - min(_seconds_waited() - waited, 0.999 * took)


def _seconds_waited() -> float:
    try:
        return int(WAITED.read_bytes().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0  # another system than Linux
