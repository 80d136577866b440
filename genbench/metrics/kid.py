"""Kernel Inception Distance: a squared MMD under the cubic kernel."""

from __future__ import annotations

import math
from typing import Annotated

import numpy

from genbench.core.allowed import Seed, Several, whole
from genbench.core.metric import Alias, Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._cubic import cubic_mmd, subsets_of
from genbench.points.pairwise import Cloud, Steps, pairwise

#: what torch-fidelity takes unless told otherwise
TAKEN = {"subsets": 100, "subset_size": 1000, "subset_seed": 2020}
COLUMNS = {
    "kid": Column("lower", "squared MMD", 0.0, "exact unbiased estimate over all points"),
    "kid_subsets": Column(
        *("lower", "squared MMD", 0.0, "mean of estimates over random subsets"),
        guarded=False,
        alias=Alias("kernel_inception_distance_mean", TAKEN),
    ),
    "kid_subsets_std": Column(
        *("none", "squared MMD", None, "the estimates' standard deviation"),
        alias=Alias("kernel_inception_distance_std", TAKEN),
    ),
}


@metric("kid", view="features", columns=COLUMNS, version=2, paper="Binkowski et al., 2018")
@pairwise
def kid(
    real: Cloud,
    fake: Cloud,
    *,
    rng: Rng,
    subsets: Annotated[int, whole(0, 100_000)] = 100,
    subset_size: Several = 1000,
    subset_seed: Seed = 2020,
) -> Steps[dict[str, Score]]:
    r"""Returns the unbiased squared MMD under k(x, y) = (x'y/F + 1)^3, over all points and by subsets.

    .. math:: \frac{\sum_{i \ne j} k(x_i, x_j)}{N(N-1)} + \frac{\sum_{i \ne j} k(y_i, y_j)}{M(M-1)}
        - \frac{2 \sum_{ij} k(x_i, y_j)}{NM}

    Both are unbiased and so may be negative; the sign is kept. The subsets are those that
    torch-fidelity draws under the same seed, of generated points as its first input. Standard errors
    are the subsets' spread as a delete-d jackknife reads it, std sqrt(s / (N - s)); `kid_subsets` adds
    its own noise, std / sqrt(subsets). `kid_subsets_std` is the plain spread that other tools print.

    References:
        | Demystifying MMD GANs (Binkowski et al., 2018), section 4
        | A General Theory for Jackknife Variance Estimation (Shao and Wu, 1989)

    Arguments:
        real: Held-out features, shape (N, F).
        fake: Generated features, shape (M, F).
        rng: Not used: the subsets are the same in every run.
        subsets: How many subsets; 0 leaves their columns empty.
        subset_size: Points of each kind in a subset; where there are no more than these, half of the
            smaller set is taken. The protocol says what was.
        subset_seed: The seed of the subsets.

    Returns:
        Scores, lower is better.
    """
    _checks.clouds("kid", real, fake)
    fewer = min(len(real), len(fake))
    size = subset_size if subset_size < fewer else max(2, fewer // 2)
    chosen = subsets_of((len(real), len(fake)), subsets, size, subset_seed)
    whole, *parts = yield from cubic_mmd(real, fake, chosen)
    if not parts:
        empty = Score(None, reason="switched off by subsets=0")
        return {"kid": Score(whole), "kid_subsets": empty, "kid_subsets_std": empty}
    mean, spread = float(numpy.mean(parts)), float(numpy.std(parts))
    error = spread * math.sqrt(size / (fewer - size)) if fewer > size else None
    both = None if error is None else math.hypot(error, spread / math.sqrt(subsets))
    protocol = {"subset_size": size, "subsets": subsets}
    return {
        "kid": Score(whole, error),
        "kid_subsets": Score(mean, both, kind="estimate", protocol=protocol),
        "kid_subsets_std": Score(spread, kind="estimate", protocol=protocol),
    }
