"""What carrying computed parts along saves: the samplers of autoregressive models against whole passes.

The naive sampler takes D passes of the whole network. Where all of them would take longer than LIMIT
seconds, TIMED passes are timed and their median is multiplied (every pass costs the same); those
times have a ~. In float32 a rounding may now and then flip a bit, and then the rest of its point.
Medians, one thread, untrained networks with default options; run it on an otherwise idle machine:
python tests/speed/samplers.py [--quick] [--model NAME] [--side 28] [--batch 64]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import MODELS, Autoregressive, Model, build
from genbench.core.rng import Rng
from genbench.families.raster import whole_passes

SIDES, BATCHES = (4, 8, 16, 28), (1, 16, 64, 256)
QUICK_SIDES, QUICK_BATCHES = (4, 8), (1, 64)
REPEATS, LIMIT, TIMED = 5, 20.0, 8
#: (model, side, batch): the least ratio that is wanted
WANTED = {
    ("pixelcnn", 28, 64): 100,
    ("pixelcnn", 8, 64): 5,
    ("wavenet", 28, 64): 50,
    ("made", 28, 64): 12,
}
#: wider than the default, which is meant for 8×8
OPTIONS = {"made": {"hidden": (500,)}, "nade": {"hidden": 500}}


def median(call: Callable[[], object], repeats: int) -> float:
    """Returns the median of the seconds that a call takes, after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def bits(side: int) -> DataSpec:
    """Returns what is known of binary images of side×side pixels."""
    return DataSpec("bits", (1, side, side), kind="binary", range=(0.0, 1.0))


@torch.no_grad()
def one_pass(model: Model, n: int) -> float:
    """Returns the seconds of one pass of the network, as the naive sampler makes it."""
    network, distribution = getattr(model, "network", model), model.distribution  # type: ignore[attr-defined]
    step = whole_passes(network, distribution, n, Rng([0]))
    last = torch.zeros(1, n, distribution.inputs)
    return median(lambda: step(1, last), TIMED)


def row(name: str, side: int, n: int) -> tuple[float, float, int | None]:
    """Returns naive and cached seconds and how many points differ, None if the first is estimated."""
    rng = Rng([0])
    model = build(name, bits(side), rng, OPTIONS.get(name, {})).eval()
    assert isinstance(model, Autoregressive)
    drawn: list[Tensor] = []
    cached = median(lambda: drawn.append(model.sample(n, rng.fork("sample"))), REPEATS)
    each = one_pass(model, n)
    naive = each * side**2
    if naive > LIMIT:
        return naive, cached, None
    began = time.perf_counter()
    other = model.sample_naive(n, rng.fork("sample"))
    naive = time.perf_counter() - began
    return naive, cached, int((other != drawn[0]).flatten(2).any(-1).sum())


def main() -> int:
    """Prints the table; returns 1 if more than a stray sample differs or a ratio is below what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [name for name in MODELS.names() if issubclass(MODELS.get(name), Autoregressive)]
    parser.add_argument("--quick", action="store_true", help="small images, two batch sizes")
    parser.add_argument("--model", action="append", choices=names, help="these models alone")
    parser.add_argument("--side", type=int, action="append", help="these images alone")
    parser.add_argument("--batch", type=int, action="append", help="these batch sizes alone")
    asked = parser.parse_args()
    sides = asked.side or (QUICK_SIDES if asked.quick else SIDES)
    batches = asked.batch or (QUICK_BATCHES if asked.quick else BATCHES)
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread, medians of {REPEATS}, float32")
    print(
        f"{'model':9} {'D':>4} {'batch':>5} {'naive s':>10} {'cached s':>9} {'ratio':>7}  samples"
    )
    failed = False
    for name in asked.model or names:
        for side in sides:
            for n in batches:
                naive, cached, differ = row(name, side, n)
                ratio, wanted = naive / cached, WANTED.get((name, side, n), 0)
                failed |= (differ or 0) > max(1, n // 50) or ratio < wanted
                told = "not compared" if differ is None else f"{differ} differ"
                about = "~" if differ is None else " "
                least = f"  (wanted {wanted})" if wanted else ""
                print(
                    f"{name:9} {side**2:4} {n:5} {about}{naive:9.4f} {cached:9.4f} {ratio:7.1f}"
                    f"  {told}{least}",
                    flush=True,
                )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
