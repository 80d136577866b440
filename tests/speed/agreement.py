"""Agreement with pip-installed peers and closed forms, on healthy and on sick sets; no clock is read.

Run it by make peers, or python tests/speed/agreement.py
--tiny takes fewer points so that the script itself can be tried in seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import math
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from prdc import compute_prdc
from scipy.spatial.distance import cdist
from torch import Tensor

from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._kernels import FACTORS, Kernel
from genbench.metrics.cmmd import cmmd
from genbench.metrics.fd import fd
from genbench.metrics.fid import fid, frechet
from genbench.metrics.fid_infinity import fid_infinity
from genbench.metrics.inception_score import inception_score
from genbench.metrics.kid import kid
from genbench.metrics.kl_to_truth import kl_to_truth
from genbench.metrics.mind import mind
from genbench.metrics.mmd import squared_mmd
from genbench.metrics.prdc import prdc
from genbench.metrics.vendi import vendi
from genbench.metrics.wasserstein import wasserstein
from genbench.points.vision import torchvision

sys.path.insert(0, str(Path(__file__).parents[1] / "metrics"))
from gaussian_model import Normal, ShiftedDensity

RNG = Rng([0])
REPEATS = 20


@dataclass
class Row:
    """Ours beside another's: `reason` says why this peer is not the judge of such data."""

    metric: str
    case: str
    peer: str
    ours: float
    theirs: float
    tolerance: float
    scale: float = 0.0
    reason: str = ""
    unit: float | None = None

    @property
    def apart(self) -> float:
        """In units, else relative to theirs or to the scale, whichever is larger."""
        unit = self.unit or max(abs(self.theirs), self.scale, 1e-300)
        return abs(self.ours - self.theirs) / unit

    @property
    def verdict(self) -> str:
        if self.apart <= self.tolerance:
            return "agrees"
        return f"peer off: {self.reason}" if self.reason else "DISAGREES"


def draws(n: int, size: int, seed: int) -> Tensor:
    return torch.randn(n, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cases(n: int, size: int) -> dict[str, tuple[Tensor, Tensor]]:
    real, other = draws(n, size, 0), 1.1 * draws(n, size, 1) + 0.1
    few = size // 2
    return {
        "healthy": (real, other),
        "n < D": (draws(few, size, 0), draws(few, size, 1)),
        "one point": (real, other[:1].repeat(n, 1)),
        "ten points": (real, other[:10].repeat(n // 10, 1)),
        "identical": (real, real.clone()),
        "integers": ((3 * real).round(), (3 * other).round()),
    }


def frechet_rows(sets: dict[str, tuple[Tensor, Tensor]]) -> Iterator[Row]:
    """Beside both peers, and beside the trace norm of X'Y, which needs no root of a covariance."""
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torchmetrics.image.fid import _compute_fid

    for case, (real, fake) in sets.items():
        ours = float(fid(real, fake, rng=RNG))
        scale = float(sum(x.var(dim=0).sum() for x in (real, fake)))
        moments = [m for x in (real, fake) for m in (x.mean(0), torch.cov(x.T))]
        fidelity = fid_statistics_to_metric(
            *(fid_features_to_statistics(x) for x in (real, fake)), verbose=False
        )["frechet_inception_distance"]
        near = min(abs(ours), scale)  # of a distance that is zero, against the traces that cancel
        reason = "root of a singular covariance" if case not in ("healthy", "integers") else ""
        floor = scale if case == "identical" else near
        yield Row("fid", case, "trace norm", ours, trace_norm(real, fake), 1e-9, floor)
        yield Row("fid", case, "torch-fidelity", ours, fidelity, 1e-6, floor, reason)
        peer = float(_compute_fid(*moments))
        yield Row("fid", case, "torchmetrics", ours, peer, 1e-6, floor, reason)


def trace_norm(real: Tensor, fake: Tensor) -> float:
    """The distance by singular values of the product of both centred sets, reduced by QR first."""
    parts = [(x - x.mean(0)) / math.sqrt(len(x) - 1) for x in (real, fake)]
    roots = [torch.linalg.qr(x, mode="r").R for x in parts]
    cross = float(torch.linalg.svdvals(roots[0] @ roots[1].T).sum())
    means = float((real.mean(0) - fake.mean(0)).square().sum())
    return means + float(sum(x.square().sum() for x in parts)) - 2 * cross


def kernel_rows(sets: dict[str, tuple[Tensor, Tensor]]) -> Iterator[Row]:
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torchmetrics.image.kid import poly_mmd

    for case, (real, fake) in sets.items():
        scale = float((real @ real.T / real.shape[1] + 1).pow(3).abs().mean())
        size = min(len(real), len(fake)) // 2
        found = kid(real, fake, rng=RNG, subsets=10, subset_size=size)
        options = {"kid_subsets": 10, "kid_subset_size": size, "verbose": False}
        peer = kid_features_to_metric(fake, real, **options)
        for ours, theirs in (("kid_subsets", "mean"), ("kid_subsets_std", "std")):
            other = peer[f"kernel_inception_distance_{theirs}"]
            yield Row(ours, case, "torch-fidelity", found[ours].value, other, 1e-10, scale)
        whole = float(poly_mmd(real, fake))
        yield Row("kid", case, "torchmetrics", found["kid"].value, whole, 1e-10, scale)
        few = real[:60] - real.mean(0), fake[:50] - real.mean(0)
        width = math.sqrt(real.shape[1])
        ours = squared_mmd(*few, Kernel("rbf", width))
        yield Row("mmd", case, "double loop", ours, double_loop(*few, width), 1e-10, 1.0)


def double_loop(x: Tensor, y: Tensor, width: float) -> float:
    def mean(pairs: Iterator[tuple[list[float], list[float]]]) -> float:
        squares = [sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for p, q in pairs]
        each = [math.exp(-s / (2 * (c * width) ** 2)) for s in squares for c in FACTORS]
        return math.fsum(each) / len(each)

    own = [mean(itertools.permutations(z.tolist(), 2)) for z in (x, y)]
    return sum(own) - 2 * mean(itertools.product(x.tolist(), y.tolist()))


def neighbour_rows(sets: dict[str, tuple[Tensor, Tensor]]) -> Iterator[Row]:
    for case, (real, fake) in sets.items():
        found = prdc(real, fake, rng=RNG)
        with contextlib.redirect_stdout(io.StringIO()):
            peer = compute_prdc(real.numpy(), fake.numpy(), nearest_k=5)
        tied = case in ("one point", "ten points", "identical", "integers")
        for name, theirs in peer.items():
            ours = found[name].value
            reason = "open balls where points tie" if tied else ""
            yield Row(name, case, "prdc", ours, float(theirs), 1e-12, 1.0, reason)
        for name, exact in closed_balls(real.numpy(), fake.numpy()).items():
            yield Row(name, case, "closed balls", found[name].value, exact, 1e-12, 1.0)


def closed_balls(
    real: numpy.ndarray, fake: numpy.ndarray, neighbours: int = 5
) -> dict[str, float]:
    """The definition by whole matrices, with points on a ball's edge inside it."""
    across = cdist(real, fake)
    balls = [numpy.sort(cdist(x, x), axis=1)[:, neighbours] + 1e-9 for x in (real, fake)]
    inside = across <= balls[0][:, None]
    return {
        "precision": float(inside.any(0).mean()),
        "recall": float((across <= balls[1][None]).any(1).mean()),
        "density": float(inside.sum(0).mean() / neighbours),
        "coverage": float(inside.any(1).mean()),
    }


def ball_rows(sets: dict[str, tuple[Tensor, Tensor]]) -> Iterator[Row]:
    """Precision and recall beside torch-fidelity's, whose balls are closed too, in float32."""
    from torch_fidelity.metric_prc import prc_features_to_metric

    options = {"prc_neighborhood": 3, "prc_batch_size": 10_000, "verbose": False}
    for case, (real, fake) in sets.items():
        found = prdc(real, fake, rng=RNG, neighbours=3)
        peer = prc_features_to_metric(fake, real, **options)
        tied = case in ("one point", "ten points", "identical", "integers")
        reason = "rounding decides where points tie" if tied else ""
        for name in ("precision", "recall"):
            yield Row(name, case, "torch-fidelity", found[name].value, peer[name], 1e-6, 1, reason)


def vendi_rows(sets: dict[str, tuple[Tensor, Tensor]]) -> Iterator[Row]:
    """Beside the authors' package, by features and by the matrix of similarities."""
    from vendi_score.vendi import score_dual

    for case, (real, fake) in sets.items():
        ours = vendi(real, fake, rng=RNG).value
        yield Row("vendi", case, "vendi-score", ours, float(score_dual(fake.numpy())), 1e-6, 1.0)
        units = fake / fake.norm(dim=1, keepdim=True)
        p = torch.linalg.eigvalsh(units @ units.T / len(units))
        whole = float(torch.special.entr(p.clamp_min(0)).sum().exp())
        yield Row("vendi", case, "all similarities", ours, whole, 1e-6, 1.0)


def file_rows(sets: dict[str, tuple[Tensor, Tensor]]) -> Iterator[Row]:
    """Moments in a file as pytorch-fid writes it, read by both."""
    from pytorch_fid.fid_score import calculate_frechet_distance, compute_statistics_of_path

    real, fake = sets["healthy"]
    with tempfile.TemporaryDirectory() as folder:
        moments = []
        for name, x in (("real", real), ("fake", fake)):
            path = str(Path(folder, f"{name}.npz"))
            numpy.savez_compressed(path, mu=x.mean(0).numpy(), sigma=torch.cov(x.T).numpy())
            moments += compute_statistics_of_path(path, None, 1, 1, "cpu")
        theirs = float(calculate_frechet_distance(*moments))
        files = [numpy.load(Path(folder, f"{name}.npz")) for name in ("real", "fake")]
        ours = frechet(*(torch.from_numpy(file[k]) for file in files for k in ("mu", "sigma")))
        yield Row("fid", "file of moments", "pytorch-fid", ours, theirs, 1e-6)
        yield Row("fd", "file of moments", "from points", ours, fd(real, fake, rng=RNG), 1e-9)


def discrepancy_rows(sets: dict[str, tuple[Tensor, Tensor]]) -> Iterator[Row]:
    """CMMD and MIND beside whole matrices, as their authors' code has them."""
    for case, (real, fake) in sets.items():
        kernels = [
            numpy.exp(-cdist(x, y, "sqeuclidean") / 200).mean()
            for x, y in ((real, real), (fake, fake), (real, fake))
        ]
        want = 1000 * (kernels[0] + kernels[1] - 2 * kernels[2])
        ours = cmmd(real, fake, rng=RNG).value
        yield Row("cmmd", case, "whole matrices", ours, want, 1e-9, 1.0)
        size = real.shape[1]
        lines = torch.randn(1000, size, generator=torch.Generator().manual_seed(2020))
        lines = (lines / lines.norm(dim=1, keepdim=True)).double()
        places = [(x @ lines.T).sort(dim=0).values for x in (real, fake)]
        if len(real) == len(fake):
            want = 3 * size * float((places[0] - places[1]).square().mean())
            yield Row(
                "mind", case, "its definition", mind(real, fake, rng=RNG).value, want, 1e-9, 1.0
            )


def score_rows(n: int) -> Iterator[Row]:
    from torch_fidelity.metric_isc import isc_features_to_metric

    sure = 100 * torch.eye(10, dtype=torch.float64).repeat(n // 10, 1)
    sets = {"healthy": 3 * draws(n, 10, 0), "sure": sure, "one class": sure[:1].repeat(n, 1)}
    for case, logits in sets.items():
        found = inception_score(logits, logits, rng=RNG)
        peer = isc_features_to_metric(logits, splits=10, shuffle=True, rng_seed=2020)
        for ours, theirs in (("inception_score", "mean"), ("inception_score_std", "std")):
            other = float(peer[f"inception_score_{theirs}"])
            yield Row(ours, case, "torch-fidelity", found[ours].value, other, 1e-6, 1.0)


def closed_rows(n: int) -> Iterator[Row]:
    """Two Gaussians, 20 repeats: the mean's distance from the closed form in its standard errors.

    The Frechet distance is read at n = infinity, since it is biased at any other; so are Wasserstein
    distances, which are compared on a line, where the bias is far below the standard error.
    """
    found: dict[str, list[float]] = {name: [] for name in CLOSED}
    for k in range(REPEATS):
        real, fake = draws(n, SIZE, 2 * k), WIDE * draws(n, SIZE, 2 * k + 1) + SHIFT
        found["fid_infinity"].append(fid_infinity(real, fake, rng=Rng([k])).value or math.nan)
        found["mmd"].append(squared_mmd(real, fake, Kernel("rbf", WIDTH)))
        line = wasserstein(real[:, :1], WIDE * draws(n, 1, 2000 + k) + 3, rng=RNG)
        found["wasserstein_2"].append(line["wasserstein_2"].value or math.nan)
        data = Normal(SIZE)
        trained = Trained(ShiftedDensity(data, RNG, mean=SHIFT, std=WIDE), data)
        kl = kl_to_truth(trained, real.float(), rng=Rng([k]), points=n)
        for name in ("kl_to_truth", "reverse_kl_to_truth"):
            found[name].append(kl[name].value or math.nan)
    for name, values in found.items():
        error = float(numpy.std(values, ddof=1)) / math.sqrt(REPEATS)
        mean = float(numpy.mean(values))
        yield Row(
            name, "two Gaussians", "closed form, in s.e.", mean, CLOSED[name], 3.5, unit=error
        )


def mean_kernel(variance: float, square: float) -> float:
    """E k(x, y) where x - y is normal in SIZE dimensions, with a squared mean and a variance each."""
    sums = 0.0
    for c in FACTORS:
        own = (c * WIDTH) ** 2
        sums += (own / (own + variance)) ** (SIZE / 2) * math.exp(-square / (2 * (own + variance)))
    return sums / len(FACTORS)


#: of N(0, I) and N(SHIFT, WIDE² I) in SIZE dimensions; on a line of N(0, 1) and N(3, WIDE²)
SIZE, SHIFT, WIDE = 4, 0.5, 1.5
WIDTH = math.sqrt(SIZE)
CLOSED = {
    "fid_infinity": SIZE * (SHIFT**2 + (WIDE - 1) ** 2),
    "mmd": mean_kernel(2, 0)
    + mean_kernel(2 * WIDE**2, 0)
    - 2 * mean_kernel(1 + WIDE**2, SIZE * SHIFT**2),
    "wasserstein_2": math.hypot(3, WIDE - 1),
    "kl_to_truth": SIZE * (math.log(WIDE) + (1 + SHIFT**2) / (2 * WIDE**2) - 0.5),
    "reverse_kl_to_truth": SIZE * (-math.log(WIDE) + (WIDE**2 + SHIFT**2) / 2 - 0.5),
}


def main() -> int:
    """Prints one line a comparison; returns 1 if one disagrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="few points")
    tiny = parser.parse_args().tiny
    warnings.simplefilter("ignore")
    torchvision()
    sets = cases(100 if tiny else 2000, 16 if tiny else 64)
    parts: list[Callable[[], Iterator[Row]]] = [
        lambda: frechet_rows(sets),
        lambda: kernel_rows(sets),
        lambda: neighbour_rows(sets),
        lambda: ball_rows(sets),
        lambda: vendi_rows(sets),
        lambda: file_rows(sets),
        lambda: discrepancy_rows(sets),
        lambda: score_rows(100 if tiny else 5000),
        lambda: closed_rows(300 if tiny else 1000),
    ]
    wrong = 0
    head = f"{'ours':>15s}{'theirs':>15s}{'apart':>9s}{'asked':>9s}"
    print(f"{'metric':20s}{'case':17s}{'peer':20s}{head}")
    for part in parts:
        for r in part():
            wrong += r.verdict == "DISAGREES"
            print(
                f"{r.metric:20s}{r.case:17s}{r.peer:20s}{r.ours:15.8g}{r.theirs:15.8g}"
                f"{r.apart:9.1e}{r.tolerance:9.1e}  {r.verdict}"
            )
    print(f"{wrong} disagree")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
