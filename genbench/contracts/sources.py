"""What data sets whose points are made from something must keep."""

from __future__ import annotations

import torch

from genbench.contracts.datasets import DATA_DIR, N, open_once, splits
from genbench.contracts.rules import Case, expect, expect_close, expect_equal, expect_tensor, rule
from genbench.core.dataset import DATASETS, Dataset
from genbench.core.options import defaults
from genbench.core.rng import Rng

#: rounding of averages and of chances
ROUNDING = 1e-5


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
        shape = (len(x), *source_data.spec.event)
        expect_tensor(
            source_data.points(split), f"sources of {split}", shape, fix="one source per point"
        )
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


@rule("dataset", with_sources)
def sources_survive_their_model_space(name: str) -> None:
    """`given.to_data(given.to_model(s))` is s."""
    source_data = open_once(name).given
    assert source_data is not None
    source = source_data.points("test")[:N].unsqueeze(0)
    back = source_data.to_data(source_data.to_model(source))
    expect_close(back, source, "sources after model space and back", ROUNDING, fix="undo to_model")


@rule("dataset", with_sources)
def the_known_map_gives_the_sources(name: str) -> None:
    """Where `degrade` is known, it makes of every test point its source, whatever is mapped beside."""
    expect_known_map(open_once(name))


def expect_known_map(dataset: Dataset) -> None:
    """Raises Broken if a map from points to sources is known that is not that of the test points."""
    if dataset.given is None or dataset.truth is None or dataset.truth.degrade is None:
        return
    levels = dataset.given.spec.levels
    # sources lie on a grid, to which the map may leave the rounding
    slack = ROUNDING if levels is None else 0.5 / (levels - 1) + ROUNDING
    for n in (N, N // 3):
        source = dataset.given.points("test")[:n]
        away = float((dataset.degrade(dataset.points("test")[:n]) - source).abs().max())
        what = f"degrade needs to give the sources, got a difference of {away:.3g}"
        expect(away <= slack, f"{what}; map every point by itself, and as those of the split were")


@rule("dataset", with_sources)
def the_right_answers_are_right(name: str) -> None:
    """Where answers are known, their chances sum to 1, the true point is one of them as often as it is
    said to be, and their average is near none of them.
    """
    dataset = open_once(name)
    if dataset.given is None or dataset.truth is None or dataset.truth.answers is None:
        return
    points, source = dataset.points("test"), dataset.given.points("test")
    answers, chances = dataset.truth.answers(source)
    count = answers.shape[1]
    expect_tensor(
        answers, "answers", (len(points), count, *dataset.spec.event), fix="all right answers"
    )
    expect_tensor(chances, "chances", (len(points), count), fix="one per answer")
    ones = torch.ones_like(chances[:, 0])
    expect_close(chances.sum(1), ones, "the sum of chances", ROUNDING, fix="normalise them")
    right = ((answers - points.unsqueeze(1)).abs().flatten(2).amax(-1) <= ROUNDING).double()
    expect((right.sum(1) >= 1).all(), "each true point needs to be among the answers; list all")
    gap = (right.mean(0) - chances.double().mean(0)).abs().max()
    expect(
        gap <= 4 * (0.25 / len(points)) ** 0.5,
        f"answers need the chances that are said, got shares that differ by {gap:.3g}",
    )


@rule("dataset", with_sources)
def unpaired_training_shows_no_pair(name: str) -> None:
    """Of an unpaired data set no training point is shown whose own source is shown; its tests stay pairs.

    Where `paired` is an option, the rule holds with either value.
    """
    dataset, cls = open_once(name), DATASETS.get(name)
    expect_no_pair(dataset)
    if "paired" not in defaults(cls):
        return
    # a plugin's own class, of whose options the base knows none
    other: Dataset = cls(paired=not dataset.paired, data_dir=DATA_DIR.get(), offline=True)  # type: ignore[call-arg]
    expect(
        other.paired is not dataset.paired,
        f"paired={not dataset.paired} needs a spec of that, got {other.spec.paired}; hand it on to DataSpec",
    )
    expect_no_pair(other)
    expect_known_map(other)


def expect_no_pair(dataset: Dataset) -> None:
    """Raises Broken if unpaired training shows a point and its own source."""
    if dataset.paired or dataset.stream:
        return
    rows, others = dataset.unpaired_rows()
    shared = set(rows.tolist()) & set(others.tolist())
    same = dataset.given is not None and len(dataset.given.points("train")) == len(
        dataset.points("train")
    )
    expect(
        len(rows) and len(others) and not (same and shared),
        f"unpaired_rows needs two sets of rows without a common one, got {len(shared)} common",
    )
