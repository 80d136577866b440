"""Classes of the sides of an evaluation, brought to the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy
import torch

from genbench.evaluation.side import Side

#: as many classes are listed in a note
LISTED = 12


def number_classes(
    sides: Mapping[str, Side], labels: Mapping[str, numpy.ndarray | None]
) -> tuple[dict[str, Side], list[str]]:
    """Returns sides with the class of each point, and notes on what the numbers mean.

    Numbers stay as they are. Names, those of class folders, are numbered in their order over all sides.
    Names on one side and numbers on another cannot be compared, and both sides say why.

    Arguments:
        sides: By name: samples, reference, train.
        labels: Of each, int64 or texts, shape (count,), or None.
    """
    # labels beside a data set of which nobody knows how many points were read are cut to those read
    arrays = {
        side: array[: sides[side].count]
        for side, array in labels.items()
        if array is not None and len(array) >= sides[side].count
    }
    kinds = {
        side: "names" if array.dtype.kind == "U" else "numbers" for side, array in arrays.items()
    }
    if len(set(kinds.values())) > 1:
        text = ", ".join(f"{sides[side].label} has {kind}" for side, kind in kinds.items())
        return {name: replace(side, unlabelled=text) for name, side in sides.items()}, []
    notes = []
    if "names" in kinds.values():
        names, codes = numpy.unique(numpy.concatenate(list(arrays.values())), return_inverse=True)
        ends = numpy.cumsum([len(array) for array in arrays.values()])
        arrays = dict(zip(arrays, numpy.split(codes, ends[:-1]), strict=True))
        listed = [f"{k} {name}" for k, name in enumerate(names[:LISTED].tolist())]
        more = ["…"] if len(names) > LISTED else []
        notes.append(f"classes by their number: {', '.join([*listed, *more])}")
    notes += _note_strangers(sides, arrays)
    labelled = {
        name: torch.from_numpy(array.astype(numpy.int64)) for name, array in arrays.items()
    }
    return {name: replace(side, labels=labelled.get(name)) for name, side in sides.items()}, notes


def _note_strangers(sides: Mapping[str, Side], arrays: Mapping[str, numpy.ndarray]) -> list[str]:
    """Which samples have classes that the reference has not, and so count for nothing."""
    if not {"samples", "reference"} <= set(arrays):
        return []
    strange = ~numpy.isin(arrays["samples"], arrays["reference"])
    classes = numpy.unique(arrays["samples"][strange]).tolist()
    if not classes:
        return []
    listed = ", ".join(map(str, classes[:LISTED]))
    return [
        f"{sides['samples'].label}: {int(strange.sum())} points of classes that the reference has not "
        f"({listed}) were left out of what is compared class by class"
    ]
