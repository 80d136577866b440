"""Times samplers of untrained networks over the dimension and the batch."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable

import torch

from genbench.core.claim import Evidence, claim
from genbench.core.dataset import DataSpec
from genbench.core.effect import Effect
from genbench.core.errors import ContractError
from genbench.core.figure import Figure, Series
from genbench.core.model import Model, build
from genbench.core.rng import Rng

GAN = "gan"
#: those that cache what they have computed, and one by whole passes of the network
VISIBLE = ("made", "nade", "wavenet", "pixelcnn")
NAIVE = "made by whole passes"
SIDES = (4, 8, 16, 32)


def describe_data(name: str, side: int) -> DataSpec:
    """Returns the description of images of side x side pixels: grey for the GAN, bits for the others."""
    kind = "continuous" if name == GAN else "binary"
    return DataSpec("images", (1, side, side), kind=kind, range=(0.0, 1.0))


def build_sampler(name: str, side: int, rng: Rng) -> tuple[Model, Callable[[int], object]]:
    """Returns a model of one seed, and what draws n samples of it."""
    model = build("made" if name == NAIVE else name, describe_data(name, side), rng).eval()
    if name != NAIVE:
        return model, lambda n: model.sample(n, rng.fork("sample"))
    naive = getattr(model, "sample_naive", None)
    if naive is None:
        raise ContractError("sampling-speed needs made to sample by whole passes too; repair it")
    return model, lambda n: naive(n, rng.fork("sample"))


@torch.no_grad()
def time_call(call: Callable[[int], object], n: int, repeats: int, device: str) -> float:
    """Returns the least time of a call of n samples, after one to warm up: other work only adds to it."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        call(n)
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - began))
    return min(times[1:])


def slope(pairs: dict[int, float]) -> float:
    """Returns the least-squares slope of log time on log dimension."""
    x, y = [math.log(d) for d in pairs], [math.log(t) for t in pairs.values()]
    return statistics.linear_regression(x, y).slope


def experiment(
    rng: Rng,
    *,
    sides: tuple[int, ...] = SIDES,
    batches: tuple[int, ...] = (1, 64, 1024),
    repeats: int = 3,
) -> dict[str, list[float]]:
    """Returns times by model, dimension and batch, sequential steps, and their exponents in D.

    Batches beyond the first are timed where D times the batch is at most 65,536 (an autoregressive
    sampler takes minutes beyond).
    """
    rows: dict[str, list[float]] = {}
    for k in range(len(rng)):
        for name in (GAN, *VISIBLE, NAIVE):
            single, steps = {}, {}
            for side in sides:
                model, call = build_sampler(name, side, rng.only(k).fork(name, side))
                steps[side**2] = float(model.sequential_steps())
                for n in batches:
                    if n > batches[0] and n * side**2 > 65_536:
                        continue
                    took = time_call(call, n, repeats, rng.device.type)
                    rows.setdefault(f"ms_{name}_{side**2}_{n}", []).append(took)
                    if n == batches[0]:
                        single[side**2] = took
                rows.setdefault(f"steps_{name}_{side**2}", []).append(steps[side**2])
            rows.setdefault(f"exponent_{name}", []).append(slope(single))
            rows.setdefault(f"steps_exponent_{name}", []).append(slope(steps))
        rows.setdefault("least_ratio", []).append(least_ratio(rows))
    return rows


def least_ratio(rows: dict[str, list[float]]) -> float:
    """Returns the least log ratio of any other sampler's last time to the GAN's, all D and batches."""
    head = f"ms_{GAN}_"
    return min(
        math.log(rows[f"ms_{name}_{place}"][-1] / times[-1])
        for key, times in rows.items()
        if key.startswith(head)
        for name in (*VISIBLE, NAIVE)
        for place in [key.removeprefix(head)]
    )


def figure(evidence: Evidence) -> Figure:
    """Draws the time of one sample against the dimension."""
    sizes = [side**2 for side in SIDES]
    series = [
        Series(name, sizes, [evidence.measured(f"ms_{name}_{size}_1") for size in sizes])
        for name in (GAN, *VISIBLE, NAIVE)
    ]
    about = "A slope of 1 is a time in proportion to the dimension."
    return Figure("lines", "dimensions", "time of one sample, ms", series, log="xy", note=about)


@claim(
    "sampling_speed",
    statement="A GAN samples in one pass and in parallel, faster than fully visible belief networks, "
    "whose samples cost as many steps as there are dimensions.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), sections 2.3.1 and 2.7",
    why="Times do not depend on the weights, so that untrained networks of the registry's default size "
    "are timed from 16 to 1,024 dimensions. Steps that must follow one another are counted separately, "
    "since caching makes a step cheap but removes none.",
    experiment=experiment,
    timed=True,
    quick={"sides": (4, 8, 16), "batches": (1, 64), "repeats": 3},
    null_exemptions={
        "its experiment": "times",
    },
    literature=(
        "PixelCNN++ takes 11 minutes for 16 images of 32 x 32 without caching; caching gains 2 times for "
        "one image, 183 times for 256 (Ramachandran et al., 2017): the slowness is partly the code's.",
        "Parallel WaveNet gives 500,000 samples a second, WaveNet 172 (van den Oord et al., 2018).",
    ),
    threats=(
        "Times are of the machine named in the trial, one process, whatever else it was doing.",
        "Default sizes: networks that are larger for the same D shift the ratio, not the steps.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Steps, exponents of time in D for one sample, and the least ratio anywhere."""
    grows = "exponent in D of the"
    parts = []
    for name in (GAN, *VISIBLE, NAIVE):
        side = "below" if name == GAN else "above"
        for what, column in (("steps", f"steps_exponent_{name}"), ("time", f"exponent_{name}")):
            text = f"{grows} {what} of {name}"
            counted = what == "steps"
            parts.append(Effect(text, evidence.measured(column), 0.5, side, by_definition=counted))
    text = "log of the least time of any other over the GAN's, all D and batches"
    return [*parts, Effect(text, evidence.measured("least_ratio"))]
