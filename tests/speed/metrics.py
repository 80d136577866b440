"""Agreement with pip-installed peers, and time and memory against them, side by side in one process.

Process CPU time on one thread, interleaved, medians of 5; memory is the rise of the resident peak (Linux).
Run it on an otherwise idle machine: make peers, or python tests/speed/metrics.py
Where a goal was missed, the products and exponentials that ours cannot do without are timed alone, too.
--tiny shrinks every size so that the script itself can be tried in seconds; --only PRDC runs some rows.
"""

from __future__ import annotations

import argparse
import gc
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.requests import make_requests
from genbench.evaluation.scoring import MetricCall, compute_scores
from genbench.metrics import _fourier, fid, kid, mmd, prdc
from genbench.metrics._kernels import FACTORS, Kernel
from genbench.points import pairwise
from genbench.points.pairwise import clouds
from genbench.points.vision import torchvision

RNG = Rng([0])
Run = Callable[[], Any]
#: the most that all metrics together may cost of the dearest alone, among a case's goals
ALL = "all"
#: the row of what a case cannot do without
BARE = "bare operations"


@dataclass
class Case:
    """One row: ours, its peers, how many times faster than each we mean to be, and how well all agree."""

    name: str
    ours: Run
    peers: dict[str, Run]
    goals: dict[str, float] = field(default_factory=dict)
    tolerance: float | None = 1e-6
    memory_goal: float | None = None
    #: the matrix products and elementwise functions that ours cannot do without, and nothing else
    bare: Run | None = None
    #: another way of ours to the same value, with its own goals
    another: tuple[str, Run, dict[str, float]] | None = None


def draws(n: int, size: int, seed: int) -> Tensor:
    return torch.randn(n, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def frechet_cases(k: int) -> Iterator[Case]:
    """From moments, where both covariances have full rank, and from fewer points than dimensions."""
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torchmetrics.image.fid import _compute_fid

    for size, ours_over in ((64, 1.4), (768, 3.5), (2048, 3.5)):
        size = max(8, size // k)
        real, fake = draws(4 * size, size, 1), 1.1 * draws(4 * size, size, 2)
        moments = (*fid.statistics(real), *fid.statistics(fake))
        plain = [m.numpy() for m in moments]
        pairs = [dict(zip(("mu", "sigma"), plain[i : i + 2], strict=True)) for i in (0, 2)]
        peers: dict[str, Run] = {
            "torch-fidelity": lambda p=pairs: fid_statistics_to_metric(*p, False)[
                "frechet_inception_distance"
            ],
            "torchmetrics": lambda m=moments: _compute_fid(*m),
            **_root_peers(plain),
        }
        goals = dict.fromkeys(("torch-fidelity", "torchmetrics"), ours_over)
        goals |= dict.fromkeys(("pytorch-fid", "clean-fid"), {64: 2.5, 768: 6.0}.get(size, 10.0))
        yield Case(f"Frechet, moments, D={size}", lambda m=moments: fid.frechet(*m), peers, goals)
    for n, size, over in ((384, 768, 10.0), (1000, 2048, 15.0)):
        n, size = n // k, size // k
        real, fake = draws(n, size, 1), 1.1 * draws(n, size, 2)

        def peer(real: Tensor = real, fake: Tensor = fake) -> float:
            both = [fid_features_to_statistics(x) for x in (real, fake)]
            return fid_statistics_to_metric(*both, False)["frechet_inception_distance"]

        def ours(real: Tensor = real, fake: Tensor = fake) -> float:
            return fid.fid(real, fake, rng=RNG)

        # the peer's own error is up to 5e-6 here
        yield Case(
            f"Frechet, points, n={n} D={size}",
            ours,
            {"torch-fidelity": peer},
            {"torch-fidelity": over},
            1e-5,
        )


def _root_peers(plain: list[numpy.ndarray]) -> dict[str, Run]:
    """Peers by a matrix root, where they are installed; they are no dependency of the project."""
    found: dict[str, Run] = {}
    try:
        from pytorch_fid.fid_score import calculate_frechet_distance

        found["pytorch-fid"] = lambda: calculate_frechet_distance(*plain)
    except ImportError:
        pass
    try:
        from cleanfid.fid import frechet_distance

        found["clean-fid"] = lambda: frechet_distance(*plain)
    except ImportError:
        pass
    return found


def covariance_cases(k: int) -> Iterator[Case]:
    n, size = 50_000 // k, 2048 // k
    x = torch.randn(n, size, generator=torch.Generator().manual_seed(0))
    plain = x.numpy()
    yield Case(
        f"covariance, n={n} D={size}",
        lambda: fid.statistics(x)[1].sum(),
        {"numpy.cov": lambda: numpy.cov(plain.astype(numpy.float64), rowvar=False).sum()},
        {"numpy.cov": 1 / 1.1},
        memory_goal=0.25,
    )


def kid_cases(k: int) -> Iterator[Case]:
    """Exact over all points, where peers average 100 subsets of 1000: the values differ by design."""
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torchmetrics.image.kid import poly_mmd

    n, subset = 10_000 // k, max(20, 1000 // k)
    for size, over in ((2, 150.0), (64, 7.0), (2048 // k, 1.0)):
        real, fake = draws(n, size, 1), 1.05 * draws(n, size, 2)
        options = {"kid_subset_size": subset, "verbose": False}

        def every(real: Tensor = real, fake: Tensor = fake, subset: int = subset) -> float:
            values = []
            for _ in range(100):
                a, b = (x[torch.randperm(len(x))[:subset]] for x in (real, fake))
                values.append(float(poly_mmd(a, b)))
            return statistics.mean(values)

        peers: dict[str, Run] = {
            "torch-fidelity": lambda r=real, f=fake, o=options: kid_features_to_metric(r, f, **o)[
                "kernel_inception_distance_mean"
            ],
            "torchmetrics": every,
        }

        def ours(real: Tensor = real, fake: Tensor = fake) -> float:
            return kid.kid(real, fake, rng=RNG, subsets=0)["kid"].value

        title, goals = f"KID, all points, n={n} D={size}", dict.fromkeys(peers, over)
        # of few dimensions there is another way than products of all pairs
        bare = partial(bare_products, real, fake) if size == 2048 // k else None
        yield Case(title, ours, peers, goals, None, bare=bare)


def mmd_cases(k: int) -> Iterator[Case]:
    """Five bandwidths, in both regimes: modes so far apart that exp underflows, and one broad cloud."""
    n = 10_000 // k
    for size, regime in ((2, "modes"), (2, "cloud"), (64, "cloud")):
        real, fake = draws(n, size, 1), 1.05 * draws(n, size, 2)
        if regime == "modes":
            corners = 40 * (torch.arange(n, dtype=torch.float64).unsqueeze(1) % 5 - 2)
            real, fake = real + corners, fake + corners
        width = 1.0 if size == 2 else 8.0
        peers = mmd_peers(real, fake, width)
        # where nothing underflows peers do several times better
        over = 4.0 if (size, regime) == (2, "cloud") else {2: 25.0, 64: 12.0}[size]
        goals = {"scikit-learn": over, "torch-fidelity": over, "clamped naive": 4.0}
        title, tiles = (
            f"MMD, 5 widths, n={n} D={size}, {regime}",
            partial(by_tiles, real, fake, width),
        )
        another = None
        if size == 2:
            ours = partial(mmd.squared_mmd, real, fake, Kernel("rbf", width))
            # modes so far apart need more frequencies than are worth it: there both ways are tiles
            another = "Fourier", ours, dict.fromkeys(("scikit-learn", "torch-fidelity"), 80.0)
        bare = partial(bare_kernels, real, fake)
        yield Case(title, tiles, peers, goals, memory_goal=0.1, bare=bare, another=another)
    real, fake = draws(50_000 // k, 2, 1), 1.05 * draws(50_000 // k, 2, 2)
    ours = partial(mmd.squared_mmd, real, fake, Kernel("rbf", 1.0))
    yield Case(f"MMD, 5 widths, n={len(real)} D=2, Fourier (goal 1.2 s)", ours, {})


def bare_products(real: Tensor, fake: Tensor) -> None:
    """The products of all pairs, each within a set once, by tiles."""
    a, b = clouds(real, fake)
    for x, y in ((a, a), (b, b), (a, b)):
        for _ in pairwise.tiles(x, y):
            pass


def bare_kernels(real: Tensor, fake: Tensor, others: bool = False) -> None:
    """The same, and of each tile one exponential, four fourth powers and the sums of the five.

    Arguments:
        real: Points (N, D).
        fake: Points (M, D).
        others: Whether also a root and its sum, and two comparisons.
    """
    a, b = clouds(real, fake)
    for x, y in ((a, a), (b, b), (a, b)):
        for _, _, tile in pairwise.tiles(x, y):
            values = (tile * -1e-5).exp_()  # so near 1 that no power underflows
            values.sum()
            for _ in FACTORS[1:]:
                values.mul_(values).mul_(values).sum()
            if others:
                values.sqrt_().sum()
                _ = tile <= 1.0, tile <= 2.0


def bare_together(real: Tensor, fake: Tensor, subset: int) -> None:
    """What five metrics of the same points do: all that shares tiles, the median's pass, KID's subsets."""
    bare_kernels(real, fake, others=True)
    (a,) = clouds(real)
    for _ in pairwise.tiles(a, a):
        pass
    cubes, squares = (torch.empty(subset, subset, dtype=torch.float64) for _ in "ab")
    for _ in range(100):
        for x, y in ((real, real), (fake, fake), (real, fake)):
            torch.mm(x[:subset], y[:subset].T, out=cubes)
            cubes.mul_(torch.mul(cubes, cubes, out=squares)).sum()


def by_tiles(real: Tensor, fake: Tensor, width: float) -> float:
    """Our MMD with Fourier series switched off."""
    kept, _fourier.seconds = _fourier.seconds, lambda *_: math.inf
    try:
        return mmd.squared_mmd(real, fake, Kernel("rbf", width))
    finally:
        _fourier.seconds = kept


def mmd_peers(real: Tensor, fake: Tensor, width: float) -> dict[str, Run]:
    from sklearn.metrics.pairwise import rbf_kernel
    from torch_fidelity.metric_kid import kernel_mmd

    plain = [x.numpy() for x in (real, fake)]

    def scikit(a: numpy.ndarray, b: numpy.ndarray, w: float) -> Any:
        return rbf_kernel(a, b, gamma=0.5 / w**2)

    def clamped(a: Tensor, b: Tensor, w: float) -> Tensor:
        return torch.cdist(a, b).square_().mul_(-0.5 / w**2).clamp_min_(-80).exp_()

    def fidelity() -> float:
        options = [{"kid_kernel": "rbf", "kid_kernel_rbf_sigma": c * width} for c in FACTORS]
        return statistics.mean(float(kernel_mmd(*plain, **o)) for o in options)

    return {
        "scikit-learn": partial(_by_matrices, scikit, plain, width),
        "torch-fidelity": fidelity,
        "clamped naive": partial(_by_matrices, clamped, [real, fake], width),
    }


def _by_matrices(kernel: Callable[..., Any], sets: list[Any], width: float) -> float:
    real, fake = sets
    n, m, total = len(real), len(fake), 0.0
    for factor in FACTORS:
        within, other, across = (
            kernel(x, y, factor * width).sum()
            for x, y in ((real, real), (fake, fake), (real, fake))
        )
        total += (within - n) / (n * n - n) + (other - m) / (m * m - m) - 2 * across / (n * m)
    return float(total) / len(FACTORS)


def prdc_cases(k: int) -> Iterator[Case]:
    import contextlib
    import io

    from prdc import compute_prdc
    from torch_fidelity.metric_prc import prc_features_to_metric

    n = 10_000 // k
    for size, goals in ((64, (2.0, 3.5)), (2048 // k, (1.0, 1.6))):
        real, fake = draws(n, size, 1), 1.05 * draws(n, size, 2)

        def package(real: Tensor = real, fake: Tensor = fake) -> float:
            with contextlib.redirect_stdout(io.StringIO()):
                return float(compute_prdc(real.numpy(), fake.numpy(), nearest_k=5)["precision"])

        def fidelity(real: Tensor = real, fake: Tensor = fake) -> float:
            options = {"prc_neighborhood": 5, "verbose": False}
            return float(prc_features_to_metric(fake, real, **options)["precision"])

        yield Case(
            f"PRDC, n={n} D={size}",
            lambda r=real, f=fake: prdc.prdc(r, f, rng=RNG)["precision"].value,
            {"prdc": package, "torch-fidelity (P, R only)": fidelity},
            dict(zip(("prdc", "torch-fidelity (P, R only)"), goals, strict=True)),
            memory_goal=0.1,
        )


def together_cases(k: int) -> Iterator[Case]:
    """All metrics of one table in the evaluator's loop, beside each alone in it."""
    n = 10_000 // k
    for size in (64, 2048 // k):
        sets = draws(n, size, 1), 1.05 * draws(n, size, 2)

        def asked(*names: str, sets: tuple[Tensor, Tensor] = sets) -> None:
            requests = make_requests([Part(name=name) for name in names])
            compute_scores([MetricCall(request, sets, RNG) for request in requests])

        names = ("fid", "kid", "mmd", "prdc", "energy_distance")
        alone = {f"{name} alone": partial(asked, name) for name in names}
        title = f"{len(names)} metrics together (goal: the dearest alone x 1.3), n={n} D={size}"
        bare = partial(bare_together, *sets, max(20, 1000 // k)) if size == 64 else None
        yield Case(title, partial(asked, *names), alone, {ALL: 1.3}, None, bare=bare)


def seconds(run: Run) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def rise(run: Run) -> float:
    """MiB by which the resident peak of the process rises during a call; not a number elsewhere."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")
        before = _resident("VmRSS")
        run()
        return (_resident("VmHWM") - before) / 1024
    except OSError:
        run()
        return math.nan


def _resident(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith(key)).split()[1])


def measure(case: Case, repeats: int) -> bool:
    """Prints a case's rows; returns whether values agree and the goals are reached."""
    ways = {"genbench": (case.ours, case.goals)}
    if case.another is not None:
        ways[f"genbench, {case.another[0]}"] = case.another[1:]
    runs = {name: run for name, (run, _) in ways.items()} | case.peers
    runs |= {BARE: case.bare} if case.bare else {}
    values = {name: run() for name, run in runs.items()}
    memory, middle = interleave(runs, repeats)
    print(f"\n{case.name}")
    right = True
    for way, (_, goals) in ways.items():
        print(f"  {way} {middle[way]:.4g} s, +{memory[way]:.0f} MiB")
        for name in case.peers:
            line, well = beside(case, goals, way, name, middle, memory, values)
            right &= well
            print(line, flush=True)
    if BARE in middle:
        shares = (f"{name} {middle[name] / middle[BARE]:.2f}" for name in ways | case.peers)
        print(f"  {BARE} {middle[BARE]:.4g} s; in such units {', '.join(shares)}")
    if ALL in case.goals:
        dearest = max(middle[name] for name in case.peers)
        share = middle["genbench"] / dearest
        right &= share <= case.goals[ALL]
        told = "reached" if share <= case.goals[ALL] else "MISSED"
        print(f"  all cost {share:.2f} x the dearest {told}")
    return right


def interleave(runs: dict[str, Run], repeats: int) -> tuple[dict[str, float], dict[str, float]]:
    """Returns by name the MiB by which the resident peak rises, and the median seconds, in turn."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    with threadpool_limits(1):  # libraries that the first call has loaded, too
        memory = {name: rise(run) for name, run in runs.items()}
        for _ in range(repeats):
            for name, run in runs.items():
                times[name].append(seconds(run))
    return memory, {name: statistics.median(each) for name, each in times.items()}


def beside(
    case: Case,
    goals: dict[str, float],
    way: str,
    name: str,
    times: dict[str, float],
    memory: dict[str, float],
    values: dict[str, Any],
) -> tuple[str, bool]:
    """Returns a peer's line beside a way of ours, and whether it agrees and is as slow as we mean."""
    ratio, goal, right = times[name] / times[way], goals.get(name), True
    line = f"  {name:26s} {times[name]:9.4g} s  +{memory[name]:5.0f} MiB  ratio {ratio:8.2f}"
    if goal is not None:
        right &= ratio >= goal
        line += f"  goal {goal:.3g} {'reached' if ratio >= goal else 'MISSED'}"
    if case.tolerance is not None:
        ours, theirs = float(values[way]), float(values[name])
        apart = abs(ours - theirs) / max(abs(theirs), 1e-300)
        right &= apart <= case.tolerance
        line += f"  differs by {apart:.1e} {'' if apart <= case.tolerance else 'TOO MUCH'}"
    if case.memory_goal is not None and memory[name] > 0:
        share = memory[way] / memory[name]
        right &= share <= case.memory_goal
        line += f"  memory x{share:.2f} (goal {case.memory_goal})"
    return line, right


def main() -> int:
    """Prints agreement and speed; returns 1 if something disagrees or a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a twentieth of every size")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose title contains this")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    torchvision()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread, {given.repeats} repeats")
    kinds = (frechet_cases, covariance_cases, kid_cases, mmd_cases, prdc_cases, together_cases)
    right = True
    for kind in kinds:
        for case in kind(20 if given.tiny else 1):
            if given.tiny:
                case.goals, case.memory_goal = {}, None
                case.another = case.another and (*case.another[:2], {})
            if given.only.lower() in case.name.lower():
                right &= measure(case, given.repeats)
    return int(not right)


if __name__ == "__main__":
    sys.exit(main())
