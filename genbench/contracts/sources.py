"""What data sets whose points are made from something must keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from genbench.contracts.datasets import DATA_DIR, N, expect_points, open_once, splits
from genbench.contracts.models import expect_in_range
from genbench.contracts.rules import (
    Broken,
    Case,
    expect,
    expect_close,
    expect_equal,
    expect_tensor,
    left_alone,
    rule,
)
from genbench.core.dataset import DATASETS, Dataset
from genbench.core.errors import ContractError
from genbench.core.options import defaults
from genbench.core.rng import Rng
from genbench.training.honesty import draw_halves

#: rounding of averages and of chances
ROUNDING = 1e-5
#: standard errors that a share may lie off
ERRORS = 4.0


def with_sources(name: str) -> list[Case]:
    """Returns one case for data sets that have sources, none for others."""
    dataset = open_once(name)
    return [] if dataset.given is None and dataset.spec.source is None else [()]


@rule("dataset", with_sources)
def sources_belong_to_points_row_by_row(name: str) -> None:
    """Every split has as many sources as points, as the spec says, and a draw of both follows its rng."""
    dataset = open_once(name)
    source_data = dataset.given
    expect(source_data is not None, "spec.source and given need each other; set both")
    assert source_data is not None
    expect(
        source_data.spec == dataset.spec.source,
        f"spec.source needs to be the spec of what is given, got {dataset.spec.source}",
    )
    for split, x in splits(dataset).items():
        source, what = source_data.points(split), f"sources of {split}"
        expect_tensor(source, what, (len(x), *source_data.spec.event), fix="one source per point")
        expect_points(source, source_data.spec, what)
    if dataset.stream:
        x, source = dataset.draw_pairs(N, Rng([4, 7]))
        expect_tensor(x, "points drawn", (2, N, *dataset.spec.event), fix="in data space")
        expect_tensor(
            source, "sources drawn", (2, N, *source_data.spec.event), fix="in data space"
        )
        alone = dataset.draw_pairs(N, Rng([7]))
        fix = "draw from the rng, whose leading axis is the seed, and from nothing else"
        for one, two in zip((x, source), alone, strict=True):
            expect_equal(one[1:], two, "pairs of a seed in a stack and alone", fix=fix)


def pairs_of(dataset: Dataset, n: int = N) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yields where pairs are from, points and sources: every split, spread over it, and draws of a stream."""
    assert dataset.given is not None
    for split, x in splits(dataset).items():
        rows = torch.linspace(0, len(x) - 1, min(n, len(x))).long()
        yield split, x[rows], dataset.given.points(split)[rows]
    if dataset.stream:
        x, source = dataset.draw_pairs(n, Rng([11]))
        yield "draw_pairs", x[0], source[0]


def all_pairs_of(dataset: Dataset) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yields what `pairs_of` yields, and the whole of the test split."""
    assert dataset.given is not None
    yield from pairs_of(dataset)
    yield "test", dataset.points("test"), dataset.given.points("test")


@rule("dataset", with_sources)
def sources_survive_their_model_space(name: str) -> None:
    """`given.to_data(given.to_model(s))` is s; model space is as `given.spec` says."""
    source_data = open_once(name).given
    assert source_data is not None
    source = source_data.points("test")[:N].unsqueeze(0)
    with left_alone("given.to_model", source):
        y = source_data.to_model(source)
    expect_in_range(y, source_data.spec, "what given.to_model returns")
    with left_alone("given.to_data", y):
        back = source_data.to_data(y)
    expect_close(back, source, "sources after model space and back", ROUNDING, fix="undo to_model")


@rule("dataset", with_sources)
def the_known_map_gives_the_sources(name: str) -> None:
    """Where `degrade` is known, it makes of points of every split, and of those drawn, their sources,
    whatever is mapped beside; so it is with what a hole leaves.
    """
    expect_known_map(open_once(name))


def expect_known_map(dataset: Dataset) -> None:
    """Raises Broken if a map from points to sources is known that is not that of the data set's pairs."""
    if dataset.given is None:
        return
    levels = dataset.given.spec.levels
    # sources lie on a grid, to which the map may leave the rounding
    slack = ROUNDING if levels is None else 0.5 / (levels - 1) + ROUNDING
    if dataset.spec.hole is not None:
        expect_hole(dataset, slack)
    if dataset.truth is None or dataset.truth.degrade is None:
        return
    for what, x, source in all_pairs_of(dataset):
        for n in {len(x), max(len(x) // 3, 1), 1}:
            with left_alone("truth.degrade", x):
                one, two = dataset.degrade(x[:n]), dataset.degrade(x[:n])
            expect_equal(one, two, f"degrade of {what}, called twice", fix="map without noise")
            away = float((one - source[:n]).abs().max())
            expect(
                away <= slack,
                f"degrade needs to give the sources of {what}, got a difference of {away:.3g}; map "
                "every point by itself, as those of the split were, and keep each beside its own source",
            )


def expect_hole(dataset: Dataset, slack: float) -> None:
    """Raises Broken unless sources show their points all round the hole."""
    assert dataset.spec.hole is not None
    rows, columns = dataset.spec.hole
    around = torch.ones(dataset.spec.event, dtype=torch.bool)
    around[:, slice(*rows), slice(*columns)] = False
    for what, x, source in pairs_of(dataset):
        away = float((source[:, : x.shape[1]] - x)[:, around].abs().max())
        expect(
            away <= slack,
            f"sources of {what} need to show their points but for spec.hole, got a difference of {away:.3g}; "
            "keep each beside its own source",
        )


@rule("dataset", with_sources)
def the_right_answers_are_right(name: str) -> None:
    """Where answers are known, their chances sum to 1, none is below 0, and the true point, of every split or
    drawn, is one of them as often as it is said to be.
    """
    dataset = open_once(name)
    if dataset.given is None or dataset.truth is None or dataset.truth.answers is None:
        return
    for what, x, source in all_pairs_of(dataset):
        expect_answers(dataset, x, source, f"of {what}")


def expect_answers(dataset: Dataset, points: Tensor, source: Tensor, what: str) -> None:
    """Raises Broken unless points are among the known answers to their sources, as often as is said."""
    assert dataset.truth is not None
    assert dataset.truth.answers is not None
    with left_alone("truth.answers", source):
        answers, chances = dataset.truth.answers(source)
        again = dataset.truth.answers(source)
    shape = (len(points), answers.shape[1], *dataset.spec.event)
    expect_tensor(answers, "answers", shape, fix="all right answers")
    expect_tensor(chances, "chances", shape[:2], fix="one per answer")
    for one, two in zip((answers, chances), again, strict=True):
        expect_equal(
            one, two, f"truth.answers {what}, called twice", fix="tell them without noise"
        )
    expect(
        chances.min() >= 0,
        f"chances need to be 0 or more, got {chances.min():.3g}; they are probabilities",
    )
    ones = torch.ones_like(chances[:, 0])
    expect_close(chances.sum(1), ones, "the sum of chances", ROUNDING, fix="normalise them")
    right = ((answers - points.unsqueeze(1)).abs().flatten(2).amax(-1) <= ROUNDING).double()
    expect(
        (right.sum(1) >= 1).all(),
        f"each true point {what} needs to be among the answers to its source, got "
        f"{int((right.sum(1) < 1).sum())} of {len(points)} that are not; list all, and keep each beside "
        "its own source",
    )
    gap = (right.mean(0) - chances.double().mean(0)).abs().max()
    expect(
        gap <= ERRORS * (0.25 / len(points)) ** 0.5,
        f"answers {what} need the chances that are said, got shares that differ by {gap:.3g}; say how "
        "likely each is",
    )


@rule("dataset", with_sources)
def unpaired_training_shows_no_pair(name: str) -> None:
    """Of an unpaired data set no training point is shown whose own source is shown; its tests stay pairs.

    The rows are the same however often it is opened. Where `paired` is an option, the rule holds with either
    value.
    """
    dataset = open_once(name)
    cls: Any = DATASETS.get(name)  # of a plugin's own options the base knows none
    place = {"data_dir": DATA_DIR.get(), "offline": True}
    if not dataset.paired:
        expect_no_pair(dataset, cls(**place))
    if "paired" not in defaults(cls):
        return
    other, again = (cls(paired=not dataset.paired, **place) for _ in range(2))
    expect(
        other.paired is not dataset.paired,
        f"paired={not dataset.paired} needs a spec of that, got {other.spec.paired}; hand it on to DataSpec",
    )
    if not other.paired:
        expect_no_pair(other, again)
    expect_known_map(other)


def expect_no_pair(dataset: Dataset, again: Dataset) -> None:
    """Raises Broken if unpaired training shows a point and its own source, or others when opened again."""
    if dataset.stream:
        return
    try:
        rows, others = draw_halves(dataset)
    except ContractError as error:
        raise Broken(str(error)) from None
    fix = "draw them from Rng([0]).fork('dataset', self.name, …) alone"
    for one, two, three in zip(
        (rows, others), dataset.unpaired_rows(), again.unpaired_rows(), strict=True
    ):
        expect_equal(one, two, "unpaired_rows, called twice", fix=fix)
        expect_equal(one, three, "unpaired_rows, opened twice", fix=fix)
