"""All of the evaluator on healthy and on sick sets, against peers where they are right, else by loops."""

import math
import re
import sys
import warnings
from pathlib import Path

import pytest
import torch
from prdc import compute_prdc

from genbench.core.errors import DataError
from genbench.core.metric import METRICS, Score
from genbench.core.rng import Rng
from genbench.metrics._kernels import Kernel
from genbench.metrics.fid import fid
from genbench.metrics.kid import kid
from genbench.metrics.mmd import squared_mmd
from genbench.metrics.prdc import prdc
from genbench.points.vision import torchvision

sys.path.insert(0, str(Path(__file__).parents[1] / "speed"))
from agreement import closed_balls, double_loop

RNG = Rng([0])
SIZE = 24


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


HEALTHY = draws(300, SIZE)
CASES = {
    "healthy": (HEALTHY, 1.1 * draws(250, SIZE, seed=1) + 0.1),
    "n < D": (draws(20, SIZE), draws(15, SIZE, seed=1)),
    "one point": (HEALTHY, draws(1, SIZE, seed=1).repeat(200, 1)),
    "ten points": (HEALTHY, draws(10, SIZE, seed=1).repeat(20, 1)),
    "identical": (HEALTHY, HEALTHY.clone()),
    "integers": ((2 * draws(300, 3)).round().long(), (2 * draws(300, 3, seed=1)).round().long()),
    "far from 0": (HEALTHY + 1e3, draws(250, SIZE, seed=1) + 1e3),
    "rectified": (HEALTHY.relu(), (draws(250, SIZE, seed=1) - 1).relu()),
}
sick = pytest.mark.parametrize("case", CASES)


@pytest.fixture(scope="module")
def peers():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchvision()
        from torch_fidelity.metric_kid import kid_features_to_metric
        from torchmetrics.image.fid import _compute_fid
        from torchmetrics.image.kid import poly_mmd
    return kid_features_to_metric, _compute_fid, poly_mmd


@sick
def test_fid_is_torchmetrics(case, peers):
    real, fake = (x.double() for x in CASES[case])
    moments = [m for x in (real, fake) for m in (x.mean(0), torch.cov(x.T))]
    peer, found = float(peers[1](*moments)), fid(real, fake, rng=RNG)
    # a root of rounding, 1e-16, is an error of 1e-8 in the peer's trace where covariances are singular
    scale = float(moments[1].trace() + moments[3].trace())
    assert found == pytest.approx(peer, rel=1e-6, abs=1e-6 * scale)


@sick
def test_kid_is_its_peers(case, peers):
    real, fake = (x.double() for x in CASES[case])
    n = min(len(real), len(fake))
    peer = float(peers[2](real[:n], fake[:n]))
    scale = float((real @ real.T / real.shape[1] + 1).pow(3).abs().mean())
    found = kid(real[:n], fake[:n], rng=RNG, subsets=0)["kid"].value
    assert found == pytest.approx(peer, rel=1e-8, abs=1e-10 * scale)
    size = n // 2
    options = {"kid_subsets": 5, "kid_subset_size": size, "rng_seed": 2020, "verbose": False}
    theirs = peers[0](fake, real, **options)["kernel_inception_distance_mean"]
    ours = kid(real, fake, rng=RNG, subsets=5, subset_size=size)["kid_subsets"].value
    assert ours == pytest.approx(theirs, rel=1e-8, abs=1e-10 * scale)


@sick
def test_mmd_is_a_double_loop(case):
    real, fake = (x.double() for x in CASES[case])
    real, fake = real[:40], fake[:35]
    width = 2.0

    exact = double_loop(real, fake, width)
    centre = real.mean(0)
    found = squared_mmd(real - centre, fake - centre, Kernel("rbf", width))
    assert found == pytest.approx(exact, rel=1e-9, abs=1e-10)


@sick
def test_prdc_is_the_authors_package_where_nothing_ties_and_a_loop_of_closed_balls_where_it_does(
    case,
):
    real, fake = (x.double().numpy() for x in CASES[case])
    exact = closed_balls(real, fake)
    found = {k: s.value for k, s in prdc(*CASES[case], rng=RNG).items()}
    # what lies on a ball's edge only by rounding is not counted on
    if case != "far from 0":
        assert found == pytest.approx(exact, abs=1e-12)
    if case in ("healthy", "n < D", "rectified", "far from 0"):
        peer = compute_prdc(real, fake, nearest_k=5)
        assert found == pytest.approx({k: float(v) for k, v in peer.items()}, abs=1e-12)


ANY = [
    e.name
    for e in METRICS.all().values()
    if e.view in ("points", "features", "events", "logits", "memory")
]
EVEN_SICKER = {
    **CASES,
    "one true point": (torch.ones(60, 3), draws(60, 3)),
    "one point against itself": (torch.ones(60, 3), torch.ones(60, 3)),
    "subnormal": (1e-310 * draws(60, 3), 1e-310 * draws(60, 3, seed=1)),
    "huge": (1e100 * draws(60, 3), 1e100 * draws(60, 3, seed=1)),
    "half": (draws(60, 3).half(), draws(60, 3, seed=1).half()),
    "bits": (draws(60, 9) > 0, draws(60, 9, seed=1) > 0),
}


@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize("case", EVEN_SICKER)
def test_every_metric_gives_a_number_a_reason_or_a_refusal(case, name):
    entry, (real, fake) = METRICS.get(name), EVEN_SICKER[case]
    small = {"wasserstein": {"points": 60}, "mmd_test": {"points": 60, "permutations": 20}}
    given = (real, real.flip(0), fake) if entry.view == "memory" else (real, fake)
    try:
        found = entry.function(*given, rng=Rng([0]), **small.get(name, {}))
    except DataError as refusal:
        refused = str(refusal)
    else:
        refused = None
    if refused is not None:
        assert re.match(rf"{name.removesuffix('_infinity')}\w* needs .*, got .*; ", refused)
        return
    scores = found if isinstance(found, dict) else {name: found}
    for score in scores.values():
        score = score if isinstance(score, Score) else Score(float(score))
        assert score.value is not None or score.reason
        # numbers that are not finite become null, with a reason, in the record
        assert case == "huge" or score.value is None or math.isfinite(score.value)
