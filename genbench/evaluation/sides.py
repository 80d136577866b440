"""The sides of an evaluation: opened, understood as points of one shape, and read in the spaces wanted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import torch

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError, SpecError
from genbench.core.feature import Extractor
from genbench.evaluation.batches import Points, ReadOptions, Source, normalise, peek
from genbench.evaluation.classes import number_classes
from genbench.evaluation.reading import read_points
from genbench.evaluation.side import Side
from genbench.evaluation.sources import open_source, open_split
from genbench.points.readers import note_other_names, refuse_other_order
from genbench.points.scales import refuse_other_scales

#: sides of real points, whose features are worth keeping
KEPT = ("reference", "train")


@dataclass
class Reading:
    """How the sides of one evaluation are read.

    Arguments:
        options: How their sources are opened and read.
        dataset: The data set that the points belong to, or None.
        extractor: Makes features and logits.
        spaces: Those in which metrics compare points.
        device: Where they are compared.
        cache: Whether features of real points are looked up and kept in the cache folder.
        labelled: Whether a metric wants the points' classes.
        hashed: Whether sides say a hash of their points.
        notes: What a reader of the result should know; complete after reading.
    """

    options: ReadOptions
    dataset: Dataset | None
    extractor: Extractor
    spaces: Collection[str]
    device: torch.device
    cache: bool = True
    labelled: bool = False
    hashed: bool = False
    notes: list[str] = field(default_factory=list)

    def read(self, opened: Mapping[str, Source]) -> dict[str, Side]:
        """Returns what was opened as sides, by the same names: samples, reference, train, source."""
        compared = {side: source for side, source in opened.items() if side != "source"}
        points = normalise_sides(compared, self.options, self.dataset)
        if "source" in opened:
            points["source"] = self._normalise_sources(opened["source"])
        read = {
            side: self._read_one(points[side], cache=self.cache and side in KEPT, side=side)
            for side in opened
        }
        for side in opened:
            self.notes += [f"{points[side].label}: {note}" for note in points[side].notes()]
        self.notes += _note_other_names(compared)
        if not self.labelled:
            return read
        read, notes = number_classes(read, {side: points[side].labels() for side in opened})
        self.notes += notes
        return read

    def read_training(self, reference: Source, count: int) -> Side | None:
        """Returns so many points of the data set that are not in a held-out reference, drawn at random.

        They are read as the reference was. None unless the reference is its data set's test split.
        """
        data = reference.dataset
        if data is None or not is_held_out(reference):
            return None
        split = "validation" if data.stream else "train"
        if len(data.points(split)) < 2:
            return None
        options = replace(self.options, limit=max(2, count), paired=False)
        points = normalise(open_split(data, split), options, self.dataset, "reference")
        side = self._read_one(points, cache=self.cache, options=options)
        labels = points.labels() if self.labelled else None
        return side if labels is None else replace(side, labels=torch.from_numpy(labels))

    def _read_one(
        self, points: Points, *, cache: bool, options: ReadOptions | None = None, side: str = ""
    ) -> Side:
        options = options or self.options
        # sources are of another kind, which the extractor need not know
        spaces = ("events",) if side == "source" else self.spaces
        read = read_points(
            points, spaces, self.extractor, options, cache=cache, hashed=self.hashed
        )
        return read.to(self.device)

    def _normalise_sources(self, source: Source) -> Points:
        """Sources in a space and a shape of their own, which no --resize or --channels changes."""
        options = replace(self.options, size=None, channels=None)
        return normalise(source, options, source.dataset, "source")


def _note_other_names(opened: Mapping[str, Source]) -> list[str]:
    """What to know of tables whose columns have other names than those of the first."""
    first = opened.get("reference", opened["samples"]).content
    notes = (note_other_names(source.content, first) for source in opened.values())
    return [note for note in notes if note]


def is_held_out(source: Source) -> bool:
    """Tells whether a source is the test split of its data set."""
    data = source.dataset
    return data is not None and source.split and source.label.endswith(":test")


def open_sides(
    samples: Any, reference: Any, train: Any, options: ReadOptions, *, alone: bool
) -> dict[str, Source]:
    """Returns what was opened, by side; the reference comes first, so that it lends its data set.

    Arguments:
        samples: As for `open_source`.
        reference: Likewise; None takes the test split of the data set that the samples belong to.
        train: Likewise, or None.
        options: How they are opened.
        alone: Whether the samples need no reference.

    Raises:
        SpecError, DataError: If something is missing or cannot be used.
    """
    fake = open_source(samples, options)
    opened: dict[str, Source] = {}
    if reference is not None:
        opened["reference"] = open_source(reference, options, label="reference")
    elif fake.dataset is not None and not alone:
        opened["reference"] = open_split(fake.dataset, "test", fake.options)
    elif not alone:
        raise SpecError(
            f"evaluate needs --reference for {fake.label}; give a folder, a file or digits:test"
        )
    opened["samples"] = fake
    if train is not None:
        opened["train"] = open_source(train, options, label="training points")
    for source in opened.values():
        refuse_other_order(opened.get("reference", fake).content, source.content)
    if options.ranges and all(source.split for source in opened.values()):
        raise SpecError("--range is for points of your own; data sets know theirs, leave it out")
    return opened


def normalise_sides(
    opened: Mapping[str, Source], options: ReadOptions, dataset: Dataset | None
) -> dict[str, Points]:
    """Returns points in data space by side, of one shape.

    Raises:
        DataError: If the shapes of a point differ, before anything is flattened or extracted.
    """
    sides, shapes, firsts = {}, {}, {}
    # what yields single pictures is understood by what holds whole ones
    streams = {side: not hasattr(opened[side].content, "take") for side in opened}
    for side in sorted(opened, key=streams.__getitem__):
        source = opened[side]
        like = next((shape[1:] for shape in shapes.values()), None)
        points = normalise(source, options, dataset, side, like)
        if not points.lost:
            first, points = peek(points, options.batch)
            if first is None:
                raise DataError(f"{points.label} needs at least two points, got 0")
            shapes[side] = points.count or "N", *first.shape[1:]
            firsts[side] = first
        sides[side] = points
    order = [side for side in ("samples", "reference", "train") if side in shapes]
    for side, other in combinations(order, 2):
        if shapes[side][1:] != shapes[other][1:]:
            _refuse_other_shape(side, shapes[side], other, shapes[other], sides)
    if dataset is None:
        refuse_other_scales({sides[side].label: (side, firsts[side]) for side in order})
    return sides


def _refuse_other_shape(
    side: str, shape: Any, other: str, reference: Any, sides: Mapping[str, Points]
) -> None:
    texts = [
        f"({', '.join(map(str, x))}){_tell_left(sides[name])}"
        for name, x in ((side, shape), (other, reference))
    ]
    raise DataError(
        f"evaluate needs points of one shape, got {side} {texts[0]} and {other} {texts[1]}; "
        f"{_advise(shape[1:], reference[1:])}"
    )


def _tell_left(points: Points) -> str:
    """What of a file is no part of its points, in brackets."""
    remarks = [note for note in points.notes() if "set aside" in note or "not read" in note]
    return f" ({'; '.join(remarks)})" if remarks else ""


def _advise(shape: tuple[int, ...], reference: tuple[int, ...]) -> str:
    """What to type so that two shapes of a point become one."""
    if len(shape) != 3 or len(reference) != 3:
        return "compare like with like"
    hints = []
    if shape[1:] != reference[1:]:
        hints.append(f"resize all with --resize {reference[2]}x{reference[1]}")
    if shape[0] != reference[0]:
        hints.append("read all as colour with --channels 3, or grey ones with --channels 1")
    return "; ".join(hints)
