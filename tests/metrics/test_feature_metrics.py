"""Metrics of features beside plain transcriptions of their authors' code, and closed forms."""

from __future__ import annotations

import math

import numpy
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from genbench.core.errors import DataError, SpecError
from genbench.core.metric import METRICS
from genbench.core.rng import Rng
from genbench.metrics.alpha_precision import alpha_precision
from genbench.metrics.cmmd import cmmd
from genbench.metrics.fd import fd
from genbench.metrics.fid import fid
from genbench.metrics.fld import fld
from genbench.metrics.intra_fid import intra_fid
from genbench.metrics.mind import mind
from genbench.metrics.realism import realism
from genbench.metrics.vendi import vendi

RNG = Rng([0])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


REAL, FAKE = draws(300, 8), 1.2 * draws(260, 8, seed=1) + 0.2


def test_fd_is_fids_number_under_its_own_name():
    assert fd(REAL, FAKE, rng=RNG) == fid(REAL, FAKE, rng=RNG) > 0.1
    assert fd(REAL[:6], FAKE[:5], rng=RNG) == fid(REAL[:6], FAKE[:5], rng=RNG)
    assert METRICS.get("fd").columns["fd"].alias is None
    with pytest.raises(DataError, match="fd needs features whose variance is below"):
        fd(1e80 * REAL, 1e80 * FAKE, rng=RNG)


def test_cmmd_is_the_sum_in_its_authors_code():
    real, fake = (x / x.norm(dim=1, keepdim=True) for x in (REAL, FAKE))

    def mean(x, y):
        return numpy.exp(-cdist(x, y, "sqeuclidean") / (2 * 10**2)).mean()

    want = 1000 * (mean(real, real) + mean(fake, fake) - 2 * mean(real, fake))
    assert cmmd(real, fake, rng=RNG).value == pytest.approx(want, rel=1e-8)
    assert want > 0.05
    assert cmmd(real, real, rng=RNG).value == pytest.approx(0, abs=1e-9)
    wide = cmmd(real, fake, rng=RNG, sigma=20.0, scale=1.0).value
    assert wide == pytest.approx(want / 4000, rel=0.05)
    # two points a side: 2 (1 - k) with k of orthogonal ones
    pair = torch.eye(2, dtype=torch.float64)[:1].repeat(2, 1), torch.eye(2)[1:].repeat(2, 1)
    assert cmmd(*pair, rng=RNG).value == pytest.approx(2000 * (1 - math.exp(-0.01)))
    with pytest.raises(SpecError, match="'sigma' needs a number above 1e-06 and"):
        cmmd(real, fake, rng=RNG, sigma=0.0)


def vendi_loop(x, order=1.0):
    """By the matrix of all similarities."""
    x = x.numpy() / numpy.linalg.norm(x.numpy(), axis=1, keepdims=True)
    values = numpy.linalg.eigvalsh(x @ x.T / len(x))
    p = values[values > 1e-14]
    if order == 1:
        return math.exp(-(p * numpy.log(p)).sum())
    return (p**order).sum() ** (1 / (1 - order))


@pytest.mark.parametrize("shape", [(200, 5), (20, 50), (300, 140)], ids=str)
@pytest.mark.parametrize("order", [1.0, 0.5, 2.0])
def test_vendi_is_the_entropy_of_all_similarities(shape, order):
    x = draws(*shape) + 0.3
    found = vendi(REAL[:, :1].repeat(1, shape[1]), x, rng=RNG, order=order)
    assert found.value == pytest.approx(vendi_loop(x, order), rel=1e-8)


def test_vendi_of_copies_and_of_orthogonal_points():
    eye = torch.eye(6)
    found = vendi(eye, eye[:3].repeat(5, 1), rng=RNG)
    assert found.value == pytest.approx(3)
    assert found.floor == pytest.approx(6)
    alike = torch.linspace(-1, 1, 64).repeat(200, 1)
    assert vendi(torch.eye(64), alike, rng=RNG, order=0.1).value == pytest.approx(1)
    assert vendi(eye, 1e-200 * eye[:1].double().repeat(5, 1), rng=RNG).value == pytest.approx(1)
    with pytest.raises(
        DataError, match="vendi needs fake points that have a direction, got 2 of 3"
    ):
        vendi(eye, torch.stack([eye[0], 0 * eye[0], 0 * eye[0]]), rng=RNG)


def test_mind_is_torch_fidelitys_sum_for_sets_of_one_size():
    real, fake = REAL[:250].float(), FAKE[:250].float()
    directions = torch.randn(1000, 8, generator=torch.Generator().manual_seed(2020))
    directions = directions / directions.norm(dim=1, keepdim=True)
    places = [(x @ directions.T).sort(dim=0).values for x in (real, fake)]
    want = 3 * 8 * float(((places[0] - places[1]) ** 2).mean())
    assert mind(real, fake, rng=RNG).value == pytest.approx(want, rel=1e-5)


def test_mind_of_a_shift_is_three_times_its_square():
    """Along a direction u a shift s is |u s|², on average |s|² / F."""
    shift = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    x = draws(400, 3)
    found = mind(x, x + shift, rng=RNG, directions=4000)
    assert abs(found.value - 3 * float(shift @ shift)) < 4 * found.stderr
    # unequal sizes: every point twice is the same distribution
    assert mind(x, (x + shift).repeat(2, 1), rng=RNG, directions=4000).value == pytest.approx(
        found.value
    )


@pytest.mark.parametrize("neighbours", [1, 3])
def test_realism_is_the_papers_ratio(neighbours):
    within = numpy.sort(cdist(REAL, REAL), axis=1)[:, neighbours]
    ratios = within[:, None] / cdist(REAL, FAKE)
    want = numpy.median(ratios[within <= numpy.median(within)].max(axis=0))
    assert realism(REAL, FAKE, rng=RNG, neighbours=neighbours).value == pytest.approx(want)
    far = torch.cat([FAKE, torch.full((1, 8), 1e8)])
    want = numpy.median(numpy.append(ratios[within <= numpy.median(within)].max(axis=0), 0))
    assert realism(REAL, far, rng=RNG, neighbours=neighbours).value == pytest.approx(want)


def test_realism_of_copies_of_noise_and_of_repeated_points():
    near, far = (realism(REAL, REAL + s * FAKE.mean(), rng=RNG).value for s in (0.1, 30))
    assert near > 1 > far > 0
    assert realism(REAL, REAL, rng=RNG).value > 1e3
    point = torch.ones(20, 3)
    assert realism(point, point, rng=RNG).value == 1
    with pytest.raises(DataError, match="realism needs more than 3 real points, got 3"):
        realism(REAL[:3], FAKE, rng=RNG)


def alaa(real, fake, levels=30):
    """After compute_alpha_precision of the authors' metrics/evaluation.py, with the mean as centre."""
    alphas = numpy.linspace(0, 1, levels)
    radii = numpy.quantile(numpy.linalg.norm(real - real.mean(0), axis=1), alphas)
    distances = numpy.linalg.norm(fake - real.mean(0), axis=1)
    own, _ = NearestNeighbors(n_neighbors=2).fit(real).kneighbors(real)
    other, index = NearestNeighbors(n_neighbors=1).fit(fake).kneighbors(real)
    closest = numpy.linalg.norm(fake[index[:, 0]] - fake.mean(0), axis=1)
    closest_radii = numpy.quantile(closest, alphas)
    precision = [numpy.mean(distances <= r) for r in radii]
    recall = [numpy.mean((other[:, 0] <= own[:, 1]) * (closest <= r)) for r in closest_radii]
    return [
        1 - 2 * numpy.sum(numpy.abs(alphas - numpy.array(curve))) * (alphas[1] - alphas[0])
        for curve in (precision, recall)
    ]


FAR = torch.cat([0.3 * FAKE, torch.full((1, 8), 1e8)])


@pytest.mark.parametrize(
    "fake", [FAKE, 0.3 * FAKE, REAL + 0.01, FAR], ids=["wide", "narrow", "near", "one far out"]
)
def test_alpha_precision_and_beta_recall_are_the_authors(fake):
    found = alpha_precision(REAL, fake, rng=RNG)
    want = alaa(REAL.numpy(), fake.numpy())
    assert [score.value for score in found.values()] == pytest.approx(want, abs=1e-9)


def jiralerspong(train, test, fake, epochs=50):
    """After fld/metrics/FLD.py and fld/MoG.py, by autograd, with halves as ours draws them."""

    def dists(x, y):
        return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2

    def pairwise(d, logs, dim):
        return -0.5 * d / torch.exp(logs) - dim / 2 * logs - dim / 2 * math.log(2 * math.pi)

    def fit(mus, x):
        d, dim = dists(x, mus), x.shape[1]
        logs = ((d.min(dim=0).values + 1e-3) / dim).log().requires_grad_()
        origin = torch.tensor(0.0, dtype=x.dtype, requires_grad=True)
        optimizer = torch.optim.Adam([logs, origin], lr=0.5)
        far = (1 - 0.1) ** 2 * dists(x, x.mean(0, keepdim=True))
        for _ in range(epochs):
            optimizer.zero_grad()
            terms = pairwise(d, logs, dim) - math.log(len(mus))
            lls = torch.logsumexp(torch.cat([terms, pairwise(far, origin, dim)], 1), 1)
            (-lls.mean() / dim).backward()
            optimizer.step()
            with torch.no_grad():
                logs.clamp_(-40, 20)
        return logs.detach()

    def nll(mus, logs, x):
        terms = pairwise(dists(x, mus), logs, x.shape[1]) - math.log(len(mus))
        return float(-torch.logsumexp(terms, 1).mean() / x.shape[1])

    mean, std = test.mean(0), test.std(0)
    train, test, fake = ((x - mean) / std for x in (train, test, fake))
    logs = fit(fake, train)
    half = min(len(fake), len(train) // 2)
    base = nll(train[:half], fit(train[:half], train[half:]), test)
    test_nll, train_nll = nll(fake, logs, test), nll(fake, logs, train)
    return 100 * (test_nll - base), 100 * (train_nll - test_nll)


def test_fld_and_its_gap_are_the_authors():
    train, test = draws(90, 5, seed=3), REAL[:80, :5]
    order = RNG.fork("train").permutation(len(train))[0]
    for fake in (FAKE[:70, :5], 0.5 * FAKE[:70, :5]):
        found = fld(train, test, fake, rng=RNG)
        want = jiralerspong(train[order], test, fake)
        assert [s.value for s in found.values()] == pytest.approx(want, rel=1e-3, abs=1e-3)


def test_fld_leaves_a_constant_feature_as_it_is():
    """The mean of 333 times 0.1 is not 0.1, so that its variance is rounding, by which nothing is divided."""
    sets = [draws(333, 4, seed=s) for s in (3, 4, 5)]
    for x in sets:
        x[:, 0] = 0.1
    want = fld(*sets, rng=RNG)["fld"].value
    sets[2][:, 0] += 1e-9
    assert fld(*sets, rng=RNG)["fld"].value == pytest.approx(want, abs=1e-3)


def test_fld_sees_noise_lost_modes_and_copies():
    train, test, fresh = draws(200, 4, seed=3), draws(200, 4, seed=4), draws(200, 4, seed=5)
    good = fld(train, test, fresh, rng=RNG)
    noisy = fld(train, test, fresh + 2 * draws(200, 4, seed=6), rng=RNG)
    copies = fld(train, test, train, rng=RNG)
    assert noisy["fld"].value > good["fld"].value + 4 * good["fld"].stderr
    two = [x + 8 * (torch.arange(200) % 2).unsqueeze(1) for x in (train, test, fresh)]
    both, one = (fld(*two[:2], fake, rng=RNG)["fld"] for fake in (two[2], two[2][::2]))
    assert one.value > both.value + 4 * both.stderr
    assert copies["fld_gap"].value < good["fld_gap"].value - 50
    assert copies["fld"].value > good["fld"].value + 50
    assert fld(train, test, fresh, rng=RNG, points=50)["fld"].protocol == {"used": "50/50"}
    with pytest.raises(DataError, match="fld needs at least 4 training points, got 3"):
        fld(train[:3], test, fresh, rng=RNG)


def test_intra_fid_is_the_mean_and_the_largest_over_classes():
    labels = torch.arange(300) % 3
    fake_labels = torch.arange(260) % 3
    found = intra_fid(REAL, FAKE, labels, fake_labels, rng=RNG)
    values = [fid(REAL[labels == c], FAKE[fake_labels == c], rng=RNG) for c in range(3)]
    assert found["intra_fid"].value == pytest.approx(sum(values) / 3)
    assert found["intra_fid_worst"].value == pytest.approx(max(values))
    assert found["intra_fid_worst"].protocol == {"classes": 3, "class": values.index(max(values))}


def test_intra_fid_sees_exchanged_classes_that_fid_does_not():
    labels = torch.arange(300) % 2
    real = REAL + 5 * labels.unsqueeze(1)
    right, wrong = (intra_fid(real, real, labels, to, rng=RNG) for to in (labels, 1 - labels))
    assert right["intra_fid"].value == pytest.approx(0, abs=1e-9)
    assert wrong["intra_fid"].value > 100
    missing = intra_fid(real, real[labels == 0], labels, labels[labels == 0], rng=RNG)
    assert missing["intra_fid"].value is None
    assert "of 1 classes (1)" in missing["intra_fid"].reason
    with pytest.raises(
        DataError, match=r"intra_fid needs one label per point, got \(5,\) for 300"
    ):
        intra_fid(real, real, labels[:5], labels, rng=RNG)


def test_vendi_of_large_orders_and_of_orders_near_one_is_its_limit():
    """Powers of an order of 1e30 were all 0, and the score infinite; near 1 it was of rounding."""
    x = torch.tensor([[1.0, 0.0]] * 3 + [[0.0, 1.0]])
    largest = vendi(x, x, rng=RNG, order=1e30).value
    assert largest == pytest.approx(4 / 3)
    assert vendi(x, x, rng=RNG, order=1 + 1e-15).value == vendi(x, x, rng=RNG).value
    assert vendi(x, x, rng=RNG, order=2).value == pytest.approx(1 / (0.75**2 + 0.25**2))
