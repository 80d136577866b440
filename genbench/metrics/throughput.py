"""How many samples a second a model can draw at its best batch size."""

from __future__ import annotations

import statistics

import torch
from torch import Tensor

from genbench.core.allowed import Count, Positive
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._clock import Load, call_seconds

COLUMN = Column("higher", "samples/s", None, "at the batch size where it is highest")


@metric("throughput", view="model", columns={"throughput": COLUMN})
def throughput(
    trained: Trained, test: Tensor, *, rng: Rng, seconds: Positive = 1.0, largest: Count = 16384
) -> Score:
    """Returns the highest rate of samples over batch sizes 1, 4, 16, …, one seed's model alone.

    Batches grow by four until the rate no longer rises by a tenth, the next might take longer than
    `seconds`, or the largest is reached; the rate of a batch size is by the median of three calls after
    one to warm up. Maps to data space are included; on a GPU the clock stops when the device is done.

    References:
        | MLPerf Inference Benchmark (Reddi et al., 2020), for throughput apart from latency

    Arguments:
        trained: A model of one seed and its data set.
        test: Not used.
        rng: Draws the samples.
        seconds: How long a call may take.
        largest: The largest batch.

    Returns:
        Samples a second, higher is better; the protocol has the batch size, device and threads, a note says
        so where the machine was loaded.
    """
    best, at, batch = 0.0, 1, 1
    load = Load.now()
    while batch <= largest:
        times = call_seconds(trained.sample, batch, rng.fork("throughput", batch))
        rate = batch / statistics.median(times)
        enough = rate < 1.1 * best or 4 * max(times) > seconds
        if rate > best:
            best, at = rate, batch
        if enough:
            break
        batch *= 4
    protocol = {"batch": at, "device": rng.device.type}
    if rng.device.type == "cpu":
        protocol["threads"] = torch.get_num_threads()
    return Score(best, kind="estimate", protocol=protocol, note=load.describe())
