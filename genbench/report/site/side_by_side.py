"""Sheets of what was given, what every model made of it, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from genbench.core.dataset import Dataset
from genbench.core.model import MODELS, Translator
from genbench.report.groups import Group
from genbench.report.site.lines import write_lines

if TYPE_CHECKING:
    import numpy as np

#: test sources on the sheet, the first ones
SHOWN = 8
#: what columns that are of no model are called; one of several inputs has its number behind
INPUT, TRUTH, ANY = "input", "truth", "any real one"


def is_translator(model: str) -> bool:
    """Returns whether a model's stored samples are made of the test sources, in order.

    False where this installation lacks the model, or its plugin is broken: the report goes on.
    """
    try:
        return issubclass(MODELS.get(model), Translator)
    except Exception:
        return False


@dataclass(frozen=True)
class PairSheet:
    """What was given, what every model made of it, and the truth, one row a test source.

    Arguments:
        images: Those in [0, 1], shape (rows, columns, C, H, W).
        columns: The names of their columns.
        inputs: What was given, where that is words, a line per row.
        outputs: What was made, where that is words, lines by the names of further columns.
    """

    images: np.ndarray
    columns: list[str]
    inputs: list[str] = field(default_factory=list)
    outputs: dict[str, list[str]] = field(default_factory=dict)


def is_common(column: str) -> bool:
    """Returns whether a column is of no model: an input, the truth, or any real point."""
    return column in (INPUT, TRUTH, ANY) or column.startswith(f"{INPUT} ")


def lay_out_pairs(
    data: Dataset | None,
    arrays: Sequence[tuple[Group, np.ndarray | None]],
    kept: Callable[[Group, tuple[int, ...]], np.ndarray | None],
    written: Callable[[Group], list[str] | None] = lambda group: None,
) -> PairSheet | None:
    """Returns a sheet of inputs, every translator's outputs and the truth; None where nothing is an image.

    Where an input has other than 1 or 3 channels it is one column for each. Of data that know no truth the
    last column is any real point.

    Arguments:
        data: The data set, or None.
        arrays: Each row of the table with its stored samples, (N, *event) in data space.
        kept: Finds the first of those of a row that has none here, by their shape, where they are images.
        written: Finds the first lines of those, where they are words.
    """
    if data is None or data.given is None:
        return None
    try:
        truth = data.points("test")[:SHOWN].numpy()
        source = data.given.points("test")[:SHOWN].numpy()
    except Exception:  # files of the data set that are not on this machine
        return None
    last = TRUTH if data.matched else ANY
    if truth.ndim == 4 and truth.shape[1] in (1, 3):
        return _with_images(data, arrays, kept, source, (last, truth))
    if source.ndim == 4 and source.shape[1] in (1, 3) and truth.ndim == 2 and data.alphabet:
        outputs = {}
        for group, samples in arrays:
            if is_translator(group.model):
                lines = written(group) if samples is None else _lines(samples, data)
                outputs |= {group.label: lines[:SHOWN]} if lines and len(lines) >= SHOWN else {}
        outputs[last] = _lines(truth, data)
        return PairSheet(source[:, None].astype("float64"), [INPUT], outputs=outputs)
    return None


def _with_images(
    data: Dataset,
    arrays: Sequence[tuple[Group, np.ndarray | None]],
    kept: Callable[[Group, tuple[int, ...]], np.ndarray | None],
    source: np.ndarray,
    last: tuple[str, np.ndarray],
) -> PairSheet | None:
    """The sheet of outputs that are images, made from images or words."""
    assert data.given is not None
    name, truth = last
    inputs, columns = [], []
    if source.ndim == 4:
        columns = name_inputs(source)
    elif source.ndim == 2 and data.given.alphabet:
        inputs = _lines(source, data.given)
    else:
        return None
    for group, samples in arrays:
        outputs = None
        if is_translator(group.model):
            outputs = kept(group, truth.shape[1:]) if samples is None else samples
        if outputs is not None and len(outputs) >= len(truth):
            columns.append((group.label, outputs[: len(truth)]))
    return stack_columns([*columns, (name, truth)], inputs)


def name_inputs(source: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Returns inputs (N, C, H, W) as columns with names: one, or one a channel where it has not 1 or 3."""
    if source.shape[1] in (1, 3):
        return [(INPUT, source)]
    return [(f"{INPUT} {k + 1}", source[:, k : k + 1]) for k in range(source.shape[1])]


def stack_columns(
    columns: Sequence[tuple[str, np.ndarray]], inputs: Sequence[str] = ()
) -> PairSheet:
    """Returns the sheet of columns of images (N, C, H, W) with their names, all as large as the last one's.

    Arguments:
        columns: Names and images, row by row of the same test sources.
        inputs: A line per row, where inputs are words.
    """
    import numpy as np

    images = [_fitted(x, columns[-1][1].shape[1:]) for _, x in columns]
    return PairSheet(np.stack(images, 1), [name for name, _ in columns], list(inputs))


def _lines(array: np.ndarray, data: Dataset) -> list[str]:
    return write_lines(array[:SHOWN], data).split("\n")


def _fitted(x: np.ndarray, event: tuple[int, ...]) -> np.ndarray:
    """Images (N, c, h, w) in the channels, height and width of (C, H, W), nearest neighbour."""
    import numpy as np

    channels, height, width = event
    rows = np.arange(height) * x.shape[2] // height
    columns = np.arange(width) * x.shape[3] // width
    x = x[:, :, rows][:, :, :, columns].astype(np.float64)
    return x if x.shape[1] == channels else np.repeat(x.mean(1, keepdims=True), channels, 1)
