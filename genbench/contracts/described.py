"""What a data set's truth must keep that says what sources show and what points are of."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.contracts.datasets import open_once
from genbench.contracts.rules import expect, expect_equal, expect_tensor, left_alone, rule
from genbench.contracts.sources import pairs_of
from genbench.contracts.truths import knows, truth_of
from genbench.core.truth import Described

#: points that are looked at
N = 256
#: the least share of true points of which an attribute is read as it was asked for
READ = 0.8


@rule("dataset", knows("hidden"))
def what_is_hidden_is_a_part_of_a_point(name: str) -> None:
    """`truth.hidden` is bool, (*event), true somewhere; where `degrade` is known, sources do not show it."""
    dataset, truth = open_once(name), truth_of(name)
    assert truth.hidden is not None
    fix = "say of every coordinate whether no source shows it"
    expect_tensor(truth.hidden, "truth.hidden", dataset.spec.event, torch.bool, fix=fix)
    expect(truth.hidden.any(), "truth.hidden needs a coordinate that is hidden, got none; or None")
    if truth.degrade is None:
        return
    x = dataset.points("test")[:N]
    other = torch.where(truth.hidden, x.flip(0), x)
    what = "sources of points that differ in what is hidden"
    expect_equal(truth.degrade(other), truth.degrade(x), what, fix="hide what no source shows")


@rule("dataset", knows("described"))
def what_points_show_is_what_was_asked_for(name: str) -> None:
    """`truth.described` reads whole numbers (N, K) of its K names, of true points those that were wanted."""
    dataset, described = open_once(name), truth_of(name).described
    assert described is not None
    expect(dataset.given is not None, "described needs sources that say what is wanted; set given")
    for what, x, source in pairs_of(dataset, N):
        expect_read(described, x, source, f"of true points of {what}")
    entropy = described.entropy
    expect(
        entropy is None
        or (math.isfinite(entropy) and (entropy >= 0 or dataset.spec.kind == "continuous")),
        f"described.entropy needs nats of a point given its source, got {entropy}",
    )


def expect_read(described: Described, x: Tensor, source: Tensor, what: str) -> None:
    """Raises Broken unless what points show is read as their own sources asked for it."""
    shape, fix = (len(x), len(described.names)), "one whole number per name of described"
    with left_alone("described.wanted", source, x):
        targets = described.wanted(source, x)
    with left_alone("described.read", x):
        outputs = described.read(x)
    expect_tensor(targets, "described.wanted", shape, torch.int64, fix=fix)
    expect_tensor(outputs, "described.read", shape, torch.int64, fix=fix)
    expect(targets.min() >= 0, f"described.wanted needs numbers from 0, got {targets.min()}")
    right = _share(targets, outputs)
    expect(
        right.min() >= READ,
        f"described.read needs what was wanted {what} in {READ:.0%} or more, got {right.min():.0%} of "
        f"{described.names[int(right.argmin())]!r}; read them right, and keep each beside its own source",
    )
    chance = _share(targets, outputs.flip(0))
    expect(
        right.mean() > chance.mean(),
        f"described needs other numbers of other points, got {right.mean():.0%} right of the own and "
        f"{chance.mean():.0%} of another point; read the point",
    )


def _share(one: Tensor, two: Tensor) -> Tensor:
    """By attribute, how often two rows agree, shape (K,)."""
    return (one == two).double().mean(0)
