"""What a data set's truth must keep, as far as it is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from genbench.contracts.datasets import F64, ROUNDING, open_once, sample
from genbench.contracts.densities import rejection
from genbench.contracts.rules import Case, Cases, expect, expect_tensor, left_alone, rule
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.points.tokens import n_gram_law

#: standard errors that a mean may lie off
ERRORS = 5.0
#: points in a test of fit, on so many squares by as many, and where it rejects
SAMPLES, SQUARES, LEAST_CHANCE = 5000, 20, 1e-4
#: points in a mean
DRAWS = 20_000
#: the most bits whose words are summed over
MOST_BITS = 16
#: the error of entropies that were themselves estimated, in nats
ENTROPY_ERROR = 0.005


def knows(*fields: str) -> Cases:
    """Returns what chooses data sets whose truth has these fields."""

    def cases(name: str) -> list[Case]:
        truth = open_once(name).truth
        present = truth is not None and all(getattr(truth, field) is not None for field in fields)
        return [()] if present else []

    return cases


def truth_of(name: str) -> Truth:
    """Returns what is known of a data set."""
    truth = open_once(name).truth
    assert truth is not None
    return truth


@rule("dataset", knows("log_prob"))
def log_prob_is_one_number_per_point(name: str) -> None:
    """`truth.log_prob` maps (…, *event) to (…), and gives every true point a positive density."""
    x = sample(open_once(name), [0, 1])
    log_prob: Any = truth_of(name).log_prob
    with left_alone("truth.log_prob", x):
        nats = log_prob(x)
    expect_tensor(nats, "truth.log_prob", x.shape[:2], fix="return nats per point")


def in_the_plane(name: str) -> Sequence[Case]:
    """Returns one case for data sets with a density in the plane and a box that holds it."""
    spec = open_once(name).spec
    plane = spec.kind == "continuous" and spec.event == (2,)
    return knows("log_prob", "box")(name) if plane else []


@rule("dataset", in_the_plane)
def the_density_is_one_and_points_follow_it(name: str) -> None:
    """In the plane the density integrates to one over the box, and points fall where it is."""
    mass, low, side = _masses(truth_of(name))
    expect(
        abs(mass.sum().item() - 1) <= 0.01,
        f"truth.log_prob needs to integrate to 1 over the box, got {mass.sum():.4f}",
    )
    x = sample(open_once(name), [0], SAMPLES)[0]
    index = ((x - low) / side).floor().long().clamp(0, SQUARES - 1)
    counts = (index[:, 0] * SQUARES + index[:, 1]).bincount(minlength=SQUARES**2)
    chance = rejection(counts, len(x) * mass.flatten())
    expect(
        chance > LEAST_CHANCE,
        f"points need to follow truth.log_prob, got counts of probability {chance:.2g}",
    )


def _masses(truth: Truth) -> tuple[Tensor, float, float]:
    """The masses of squares of the box, its low end, and the squares' side."""
    assert truth.box is not None
    assert truth.log_prob is not None
    low, high = truth.box
    fine = 3 * (high - low) / truth.std if truth.std else 0.0
    steps = math.ceil(min(max(fine, 1000.0), 4000.0) / SQUARES)
    axis = low + (high - low) * (torch.arange(SQUARES * steps, dtype=F64) + 0.5) / (
        SQUARES * steps
    )
    rows = [
        truth.log_prob(torch.cartesian_prod(part, axis)).exp().view(len(part), SQUARES, -1).sum(-1)
        for part in axis.split(steps)
    ]
    area = ((high - low) / (SQUARES * steps)) ** 2
    mass = torch.stack([part.sum(0) for part in rows]) * area
    return mass, low, (high - low) / SQUARES


def countable(name: str) -> Sequence[Case]:
    """Returns one case for data sets of few enough words to sum over, with known probabilities."""
    spec = open_once(name).spec
    few = spec.kind == "binary" and spec.size <= MOST_BITS
    return knows("log_prob")(name) if few else []


@rule("dataset", countable)
def probabilities_sum_to_one(name: str) -> None:
    """Over all words of at most 16 bits, probabilities sum to one."""
    spec, log_prob = open_once(name).spec, truth_of(name).log_prob
    assert log_prob is not None
    bits = torch.arange(2**spec.size).unsqueeze(1) >> torch.arange(spec.size) & 1
    total = log_prob(bits.to(F64).view(-1, *spec.event)).exp().sum().item()
    expect(abs(total - 1) <= 1e-9, f"truth.log_prob needs to sum to 1, got {total:.9f}")


@rule("dataset", knows("log_prob", "entropy"))
def the_entropy_is_the_mean_of_minus_log_prob(name: str) -> None:
    """`truth.entropy` is the mean of -log_prob over points, within five standard errors."""
    truth, x = truth_of(name), sample(open_once(name), [0], DRAWS)[0]
    assert truth.log_prob is not None
    assert truth.entropy is not None
    nats = -truth.log_prob(x).double()
    slack = ERRORS * nats.std().item() / len(x) ** 0.5 + ENTROPY_ERROR
    expect(
        abs(nats.mean().item() - truth.entropy) <= slack,
        f"truth.entropy needs to be {nats.mean():.4f} ± {slack:.4f}, got {truth.entropy:.4f} nats",
    )


@rule("dataset", knows("box"))
def the_box_holds_the_points(name: str) -> None:
    """At most one coordinate in a thousand lies outside `truth.box`."""
    box, x = truth_of(name).box, sample(open_once(name), [0], DRAWS)
    assert box is not None
    outside = ((x < box[0]) | (x > box[1])).double().mean().item()
    expect(outside <= 1e-3, f"truth.box {box} needs to hold the data, got {outside:.2%} outside")


@rule("dataset", knows("distance"))
def points_lie_on_the_manifold(name: str) -> None:
    """`truth.distance` is 0 for true points, up to rounding, and positive away from them."""
    dataset, distance = open_once(name), truth_of(name).distance
    assert distance is not None
    x = sample(dataset, [0])
    scale = x.square().mean().sqrt().item()
    with left_alone("truth.distance", x):
        near = distance(x)
    expect_tensor(near, "truth.distance", x.shape[:2], fix="return one distance per point")
    expect(
        near.abs().max() <= ROUNDING * scale,
        f"true points need distance 0, got up to {near.abs().max():.3g}",
    )
    far = distance(x + scale * Rng([0], dtype=F64).normal(*x.shape[1:]))
    expect(far.mean() > 0, f"points with noise need a distance above 0, got {far.mean():.3g}")


@rule("dataset", knows("centres"))
def centres_are_modes(name: str) -> None:
    """`truth.centres` has shape (K, D), and each centre is nearest to some of the points."""
    truth = truth_of(name)
    assert truth.centres is not None
    assert truth.shares is not None
    shape = (len(truth.centres), open_once(name).spec.size)
    expect_tensor(truth.centres, "truth.centres", shape, fix="flatten each centre")
    counts = _count_nearest(name, truth.centres)
    # of modes that expect ten points, not one in 20,000 has none
    empty = int(((counts == 0) & (SAMPLES * truth.shares >= 10)).sum())
    expect(not empty, f"every centre needs points near it, got none at {empty} of {len(counts)}")


def separated(name: str) -> Sequence[Case]:
    """Returns one case for streams of modes so far apart that points belong to the nearest centre."""
    cases = knows("centres", "std")(name) if open_once(name).stream else []
    if not cases:
        return []
    truth = truth_of(name)
    assert truth.centres is not None
    assert truth.std is not None
    gaps = torch.nn.functional.pdist(truth.centres.double())
    return cases if len(gaps) and bool(gaps.min() >= 6 * truth.std) else []


@rule("dataset", separated)
def modes_are_as_likely_as_their_weights(name: str) -> None:
    """Points are nearest to each centre as often as `truth.weights` say, equally often without them."""
    truth = truth_of(name)
    assert truth.centres is not None
    assert truth.shares is not None
    chance = rejection(_count_nearest(name, truth.centres), SAMPLES * truth.shares)
    expect(
        chance > LEAST_CHANCE,
        f"points need to be shared out over modes as truth.weights say (equally where it is None), got "
        f"counts of probability {chance:.2g}; give the mixture's weights",
    )


def _count_nearest(name: str, centres: Tensor) -> Tensor:
    """How many of the points are nearest to each centre, shape (K,)."""
    x = sample(open_once(name), [0], SAMPLES)[0].flatten(1)
    return torch.cdist(x, centres.double()).argmin(1).bincount(minlength=len(centres))


@rule("dataset", knows("n_grams"))
def n_grams_are_frequencies(name: str) -> None:
    """`truth.n_grams(n)` has n axes of the alphabet, sums to one, and is what points show."""
    dataset, n_grams = open_once(name), truth_of(name).n_grams
    assert n_grams is not None
    size = dataset.spec.tokens or 0
    x = sample(dataset, [0], DRAWS)[0]
    for n in (1, 2):
        p = n_grams(n)
        expect_tensor(p, f"n_grams({n})", (size,) * n, F64, fix="return probabilities")
        expect(abs(p.sum().item() - 1) <= 1e-9, f"n_grams({n}) needs to sum to 1, got {p.sum()}")
        gap = (n_gram_law(x, n, size) - p).abs().sum().item() / 2
        expect(gap <= 0.02, f"n_grams({n}) needs the points' frequencies, got {gap:.1%} elsewhere")
