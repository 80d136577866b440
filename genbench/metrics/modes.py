"""Modes that a model captures, where the modes are known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Annotated

import torch
from torch import Tensor

from genbench.core.allowed import Count, above
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Classified, Truth
from genbench.metrics import _checks

NO_HIGH_QUALITY = "no sample is of high quality, so there is no histogram of modes"
#: of fewer samples than these the first-order bias is off by more than a hundredth
RARE = 10
#: modes that are nearer to each other, in standard deviations, take points of each other
APART = 6
#: how many exact points tell how many, and how many points are looked at at once
EXACT, ROWS = 2**19, 4096
#: a share of exact points below which their modes cannot be counted by any number of them that is usual
RAREST = 1e-4
ALL_COUNT = "a classifier gives every sample a mode, whatever its quality"
COLUMNS = {
    "modes": Column(
        "higher",
        "modes",
        None,
        "modes with at least one high-quality sample",
        headline=30,
        resolution=1.0,
    ),
    "modes_strict": Column(
        "higher", "modes", None, "modes with a tenth of their share or more", resolution=1.0
    ),
    "high_quality": Column(
        "higher",
        "share",
        1 - math.exp(-4.5),
        "samples within 3 std of a mode; 0.989 in 2-D",
        headline=40,
    ),
    "reverse_kl": Column(
        "lower",
        "nats",
        0.0,
        "KL of the modes' histogram to their weights",
        worst_if=(NO_HIGH_QUALITY,),
    ),
    "reverse_kl_corrected": Column(
        "lower",
        "nats",
        0.0,
        "the same less its Miller-Madow bias",
        guarded=False,
        worst_if=(NO_HIGH_QUALITY,),
    ),
}


@metric(
    "modes",
    view="truth",
    columns=COLUMNS,
    needs=("modes",),
    at_most="samples",
    paper="Srivastava et al., 2017; Lin et al., 2018",
)
def modes(
    fake: Tensor,
    truth: Truth,
    *,
    rng: Rng,
    samples: Count = 2500,
    within: Annotated[float, above(0.001, 100)] = 3.0,
) -> dict[str, Score]:
    r"""Returns how many modes are captured, how well, and how evenly.

    A sample belongs to its nearest centre and is of high quality within `within` standard deviations
    of it (<=). A mode of probability w_k (1/K where all are equally likely) is captured by one
    high-quality sample, strictly by a tenth of its expected n w_k. With p the share of high-quality
    samples that each of K modes has,

    .. math:: \mathrm{reverse\_kl} = \sum_k p_k \ln (p_k / w_k)

    which on exact samples is about (K-1)/2n above 0; the corrected column takes that off. Where n exact
    samples may miss modes, the floors are what these score on average: fewer modes than K, and more nats.
    Where modes overlap (are less than 6 standard deviations apart) w_k is how often exact points are
    nearest to a centre, by half a million of them.

    Where a classifier tells the modes apart (a thousand stacks of digits) every sample counts, however
    sure the classifier is, as in PacGAN; 26,000 are usual, on which exact samples have 0.0194 nats.

    Noise captures modes too: of the 25-mode grid 2,500 points uniform on [-5, 5]^2 capture about 20.7
    at 1.8 % high quality, so read `modes` beside `high_quality` or use `modes_strict`.

    References:
        | VEEGAN: Reducing Mode Collapse in GANs (Srivastava et al., 2017), section 4.1
        | PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018), section 4.1
        | Note on the Bias of Information Estimates (Miller, 1955)

    Arguments:
        fake: Generated points, shape (M, D).
        truth: The modes' centres and their standard deviation, or their classifier, and their weights
            unless equal. A truth with a rule of high quality of its own takes the place of `within`, and
            the protocol says so.
        rng: Not used.
        samples: How many points count, the first ones (of points from elsewhere some at random); all where
            there are fewer.
        within: The radius of high quality, in standard deviations.

    Returns:
        Scores, with what exact samples would have as their floor: in 2-D 98.9 % are of high quality,
        and more is too narrow.
    """
    fake = _checks.points("modes", "fake", fake)[:samples].double()
    if truth.classified is not None:
        return _classified(fake, truth, truth.classified)
    if truth.centres is None or truth.std is None:
        raise DataError("modes needs a truth with centres and std, got none; use a mixture")
    centres = truth.centres.to(fake)
    if centres.shape[1] != fake.shape[1]:
        raise DataError(
            f"modes needs fake points of {centres.shape[1]} coordinates, got {fake.shape[1]}; "
            f"give points in data space"
        )
    # the share of an isotropic Gaussian's mass that lies within the radius
    half = torch.tensor([fake.shape[1] / 2, within**2 / 2], dtype=torch.float64)
    radius, ideal, protocol = within * truth.std, float(torch.special.gammainc(*half)), {}
    if truth.high_quality is not None:
        radius, ideal = truth.high_quality
        protocol = {"within": f"{radius / truth.std:.4g}"}
    if ideal < RAREST:
        raise DataError(
            f"modes needs a wider radius, got within={within:g}, in which {ideal:.2g} of exact points are; "
            f"the usual is 3"
        )
    if len(centres) > 1 and float(torch.pdist(centres).min()) < APART * truth.std:
        truth, ideal = _seen(truth, radius)
    return _scores(_histogram(fake, centres, radius), len(fake), ideal, truth, protocol)


@lru_cache(maxsize=4)
def _seen(truth: Truth, radius: float) -> tuple[Truth, float]:
    """A truth whose weights are how often exact points are nearest to each centre, and how many are within.

    Modes that overlap take points of each other, the likely ones more than they lose.
    """
    assert truth.centres is not None
    assert truth.std is not None
    assert truth.shares is not None
    rng, centres = Rng([0]).fork("modes", "exact points"), truth.centres.double().cpu()
    edges, counts = truth.shares.cpu().cumsum(0)[:-1], torch.zeros(len(centres))
    for part in range(EXACT // ROWS):
        own = rng.fork("draw", part)
        which = torch.searchsorted(edges, own.uniform(ROWS)[0].double(), right=True)
        x = centres[which] + truth.std * own.fork("noise").normal(ROWS, centres.shape[1])[0]
        counts += _histogram(x, centres, radius)
    weights = counts.double().clamp_min(1e-3)
    return replace(truth, weights=weights / weights.sum()), float(counts.sum() / EXACT)


def _classified(fake: Tensor, truth: Truth, modes: Classified) -> dict[str, Score]:
    """Every column where all samples count; an exact sample's mode is seen as the classifier can."""
    counts = torch.bincount(modes.mode_of(fake), minlength=modes.count)
    protocol = {"within": "all", "by": modes.protocol()}
    scores = _scores(counts, len(fake), 1.0, truth, protocol)
    return {**scores, "high_quality": Score(None, reason=ALL_COUNT, protocol=protocol)}


def _histogram(fake: Tensor, centres: Tensor, radius: float) -> Tensor:
    """The number of high-quality samples by nearest centre, shape (K,)."""
    exact = "donot_use_mm_for_euclid_dist"
    near = [torch.cdist(part, centres, compute_mode=exact).min(dim=1) for part in fake.split(ROWS)]
    mode = torch.cat([nearest.indices[nearest.values <= radius] for nearest in near])
    return torch.bincount(mode, minlength=len(centres))


def _scores(
    counts: Tensor,
    n: int,
    ideal: float,
    truth: Truth,
    protocol: Mapping[str, str] | None = None,
) -> dict[str, Score]:
    """Every column from the high-quality samples by mode, shape (K,), of n samples."""
    modes, good = len(counts), int(counts.sum())
    assert truth.shares is not None
    weights = truth.shares.to(counts.device)
    score = partial(Score, protocol={"samples": n, **(protocol or {})})
    # a tenth exactly is enough, however weights were rounded
    least = (1 - 1e-6) * 0.1 * n * weights
    floors = _floors(n, ideal, truth, least.cpu())
    share = good / n
    error = math.sqrt(share * (1 - share) / n)
    scores = {
        "modes": score(float((counts > 0).sum()), floor=floors["modes"]),
        "modes_strict": score(float((counts >= least).sum()), floor=floors["modes_strict"]),
        "high_quality": score(share, error, floor=ideal),
    }
    if good == 0:
        empty = score(None, reason=NO_HIGH_QUALITY)
        return {**scores, "reverse_kl": empty, "reverse_kl_corrected": empty}
    captured = counts > 0
    shares = counts[captured].double() / good
    ratios = shares * modes if truth.weights is None else shares / weights[captured]
    plain = float((shares * ratios.log()).sum())
    corrected = plain - (len(shares) - 1) / (2 * good)
    return {
        **scores,
        "reverse_kl": score(max(0.0, plain), floor=floors["reverse_kl"]),
        "reverse_kl_corrected": score(
            corrected, kind="estimate", floor=floors["reverse_kl_corrected"]
        ),
    }


def _floors(n: int, ideal: float, truth: Truth, least: Tensor) -> dict[str, float]:
    """What n exact samples score on average: counts of modes, and biases, which rare modes make larger."""
    assert truth.shares is not None
    shares = truth.shares.cpu()
    modes, good = len(shares), n * ideal
    rare = shares[good * shares < RARE]
    divergence = (modes - 1) / (2 * good)
    floors = {
        "modes": float(modes),
        "modes_strict": float(modes),
        "reverse_kl": divergence,
        "reverse_kl_corrected": 0.0,
    }
    if truth.weights is not None or len(rare):
        floors["modes"] = _expected(n, ideal * shares, 0 * least)
        floors["modes_strict"] = _expected(n, ideal * shares, least)
    if len(rare):
        divergence += _terms(max(1, round(good)), rare) - float((1 - rare).sum()) / (2 * good)
        floors["reverse_kl"] = divergence
        floors["reverse_kl_corrected"] = divergence - (floors["modes"] - 1) / (2 * good)
    return floors


def _terms(n: int, rare: Tensor) -> float:
    """What rare modes add to the divergence of n exact samples on average, summed over the modes."""
    from scipy.stats import binom

    # of a mode that expects fewer than 10 samples 100 are never seen
    counts = torch.arange(1, min(n, 10 * RARE) + 1, dtype=torch.float64).unsqueeze(1)
    chances = torch.from_numpy(binom.pmf(counts.numpy(), n, rare.numpy()))
    return float((chances * counts / n * (counts / (n * rare)).log()).sum())


def _expected(n: int, chances: Tensor, least: Tensor) -> float:
    """How many modes have so many of n exact samples, and at least one, on average."""
    from scipy.stats import binom

    tails = binom.sf(least.ceil().clamp_min(1).numpy() - 1, n, chances.numpy())
    return float(tails.sum())
