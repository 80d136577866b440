"""50,000 pictures through an extractor by `evaluate`, streaming: seconds, pictures per second, peak memory.

Run it by make extraction, or python tests/speed/extraction.py [--pictures 2000] [--device cuda]
It exits 1 where the process took more than --limit of memory.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator

import numpy
import torch

from genbench.core.device import choose_device
from genbench.core.spec import parse_part
from genbench.evaluation.evaluate import request_metrics
from genbench.evaluation.extractors import make_extractor
from genbench.evaluation.reading import read_points
from genbench.evaluation.requests import find_spaces
from genbench.evaluation.sources import ReadOptions, open_points

CHUNK = 500


def pictures(count: int, side: int) -> Iterator[numpy.ndarray]:
    """Bytes (B, 3, side, side): smooth fields, drawn chunk by chunk, so that none are ever all held."""
    rng = numpy.random.default_rng(0)
    for at in range(0, count, CHUNK):
        coarse = rng.integers(0, 256, (min(CHUNK, count - at), 3, side // 8, side // 8))
        yield coarse.repeat(8, axis=2).repeat(8, axis=3).astype(numpy.uint8)


def main() -> int:
    """Prints what it took; returns 1 if it was more memory than allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=50_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--features", default="efficientnet_lite0")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--limit", type=float, default=2.0, help="GiB")
    asked = parser.parse_args()
    device = choose_device(asked.device, mps=True)
    place = {"device": str(device), "precision": asked.precision}
    extractor = make_extractor(parse_part(asked.features), None, **place)
    options = ReadOptions(memory=1 << 30)
    points = open_points(lambda: pictures(asked.pictures, asked.side), options)
    spaces = find_spaces(request_metrics("fd,kid"), extractor)
    extractor.extract(torch.zeros(1, 3, asked.side, asked.side))  # loads the weights
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    side = read_points(points, spaces, extractor, options)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    shape = tuple(side.views["features"].shape)
    print(
        f"{asked.features} on {device} ({asked.precision}, {torch.get_num_threads()} threads): "
        f"{shape[0]:,} pictures of {asked.side}×{asked.side} to {shape[1]:,} features in {seconds:.1f} s, "
        f"{shape[0] / seconds:.1f} a second; peak memory {peak:.2f} GiB, {before / 2**20:.2f} GiB of it "
        f"before the first picture"
    )
    return int(peak > asked.limit)


if __name__ == "__main__":
    sys.exit(main())
