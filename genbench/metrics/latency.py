"""What it costs to draw samples."""

from __future__ import annotations

from dataclasses import replace

import numpy
import torch
from torch import Tensor

from genbench.core.allowed import Count, Weight
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._clock import Load, call_seconds

BATCHES = (1, 1024)
COLUMNS = {
    "latency_1_min_ms": Column(
        "lower", "ms", None, "fastest call for one sample: least disturbed", guarded=False
    ),
    "latency_1024_min_ms": Column(
        "lower", "ms", None, "fastest call for 1024 at once", guarded=False
    ),
    "latency_1_p50_ms": Column(
        "lower",
        "ms",
        None,
        "median time to draw one sample",
        headline=120,
        cost="latency of one sample, ms",
        guarded=False,
    ),
    "latency_1_p95_ms": Column(
        "lower", "ms", None, "95th percentile for one sample", guarded=False
    ),
    "latency_1024_p50_ms": Column(
        "lower", "ms", None, "median time to draw 1024 at once", guarded=False
    ),
    "latency_1024_p95_ms": Column(
        "lower", "ms", None, "95th percentile for 1024 at once", guarded=False
    ),
    "samples_per_s": Column(
        "higher", "samples/s", None, "at 1024 at once, by the median time", guarded=False
    ),
    "sequential_steps": Column(
        "lower", "steps", 1.0, "evaluations that must follow one another", resolution=1.0
    ),
}


@metric("latency", view="model", columns=COLUMNS)
def latency(
    trained: Trained, test: Tensor, *, rng: Rng, seconds: Weight = 1.0, repeats: Count = 3
) -> dict[str, Score]:
    """Returns how long one seed's model takes to sample, one at a time and 1024 at once.

    Times are of whole calls, maps to data space included, after one call to warm up; on a GPU the
    clock stops when the device has finished.

    Arguments:
        trained: A model of one seed and its data set.
        test: Not used.
        rng: Draws the samples.
        seconds: How long to go on timing each batch size, once `repeats` calls are made.
        repeats: The fewest calls that are timed for each batch size.

    Returns:
        Milliseconds, samples a second and sequential steps; the protocol names device and threads. The
        fastest call is what another load on the machine moves least. The gate guards `relative_latency`
        in place of these, unless a baseline is accepted with `--times`. A note says so
        where the machine was loaded.
    """
    protocol = {"device": rng.device.type}
    if rng.device.type == "cpu":
        protocol["threads"] = str(torch.get_num_threads())
    scores, load = {}, Load.now()
    for batch in BATCHES:
        forked = rng.fork("latency", batch)
        times = call_seconds(trained.sample, batch, forked, repeats=repeats, seconds=seconds)
        fastest = Score(1e3 * min(times), kind="estimate", protocol=protocol)
        scores[f"latency_{batch}_min_ms"] = fastest
        for rank in (50, 95):
            value = 1e3 * float(numpy.percentile(times, rank))
            scores[f"latency_{batch}_p{rank}_ms"] = Score(
                value, kind="estimate", protocol=protocol
            )
    speed = 1e3 * BATCHES[-1] / scores[f"latency_{BATCHES[-1]}_p50_ms"].value
    scores["samples_per_s"] = Score(speed, kind="estimate", protocol=protocol)
    note = load.describe()
    scores = {column: replace(score, note=note) for column, score in scores.items()}
    scores["sequential_steps"] = Score(float(trained.model.sequential_steps()))
    return scores
