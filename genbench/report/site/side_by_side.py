"""Sheets of what was given, what every model made of it, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from genbench.core.dataset import Dataset
from genbench.core.model import MODELS, Translator
from genbench.report.groups import Group

if TYPE_CHECKING:
    import numpy as np

#: test sources on the sheet, the first ones
SHOWN = 8


def is_translator(model: str) -> bool:
    """Returns whether a model's stored samples are made of the test sources, in order.

    False where this installation lacks the model, or its plugin is broken: the report goes on.
    """
    try:
        return issubclass(MODELS.get(model), Translator)
    except Exception:
        return False


def pair_images(
    data: Dataset | None,
    arrays: Sequence[tuple[Group, np.ndarray | None]],
    kept: Callable[[Group, tuple[int, ...]], np.ndarray | None],
) -> tuple[np.ndarray, list[str]] | None:
    """Returns a grid of images, one row a test source, and the names of its columns; None without images.

    Arguments:
        data: The data set, or None.
        arrays: Each row of the table with its stored samples, (N, C, H, W) in data space.
        kept: Finds the first of those of a row that has none here, by their shape.

    Returns:
        Images (rows, columns, C, H, W) in [0, 1]: the source (one column for each frame where it has
        other than 1 or 3 channels), every translator's output, the truth, or any real image if there is none.
    """
    import numpy as np

    if data is None or data.given is None:
        return None
    try:
        truth = data.points("test")[:SHOWN].numpy()
        source = data.given.points("test")[:SHOWN].numpy()
    except Exception:  # files of the data set that are not on this machine
        return None
    if truth.ndim != 4 or source.ndim != 4 or truth.shape[1] not in (1, 3):
        return None
    whole = source.shape[1] in (1, 3)
    frames = [source] if whole else [source[:, k : k + 1] for k in range(source.shape[1])]
    columns = [("input" if whole else f"input {k + 1}", x) for k, x in enumerate(frames)]
    for group, samples in arrays:
        outputs = None
        if is_translator(group.model):
            outputs = kept(group, truth.shape[1:]) if samples is None else samples
        if outputs is not None and len(outputs) >= len(truth):
            columns.append((group.label, outputs[: len(truth)]))
    columns.append(("truth" if data.matched else "any real one", truth))
    images = [_fitted(x, truth.shape[1:]) for _, x in columns]
    return np.stack(images, 1), [name for name, _ in columns]


def _fitted(x: np.ndarray, event: tuple[int, ...]) -> np.ndarray:
    """Images (N, c, h, w) in the channels, height and width of (C, H, W), nearest neighbour."""
    import numpy as np

    channels, height, width = event
    rows = np.arange(height) * x.shape[2] // height
    columns = np.arange(width) * x.shape[3] // width
    x = x[:, :, rows][:, :, :, columns].astype(np.float64)
    return x if x.shape[1] == channels else np.repeat(x.mean(1, keepdims=True), channels, 1)
