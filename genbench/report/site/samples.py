"""Pictures of samples: point clouds in 2-D, sheets of images as PNG, lines of text."""

from __future__ import annotations

import base64
import io
import math
import zipfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from genbench.core.dataset import Dataset, open_named
from genbench.report.groups import Group
from genbench.report.site.lines import LINES, write_lines
from genbench.report.site.side_by_side import PairSheet, is_common, lay_out_pairs
from genbench.report.site.tiles import lay_out
from genbench.report.tables import Table
from genbench.report.text import counted
from genbench.store import Record, Store

if TYPE_CHECKING:
    import numpy as np

POINTS = 1000
#: the most pixels on one sheet, so that pages with many models stay small
SHEET = 64 * 28 * 28


@dataclass(frozen=True)
class Panel:
    """One model's samples.

    Arguments:
        label: The row's label.
        about: What is shown, e.g. which seed; or why nothing is.
        points: Base64 of little-endian uint16 pairs in the panel's box, or empty.
        png: A data URI of a sheet of images, or empty.
        size: The sheet's width and height in pixels of the images.
        text: Sequences of tokens as characters, one a line, or empty.
        columns: What the sheet's columns are, left to right, of one whose rows belong together.
        inputs: Its rows' inputs, where they are words.
        outputs: Columns of words to its right, each with its name and its rows.
    """

    label: str
    about: str
    points: str = ""
    png: str = ""
    size: tuple[int, int] = (0, 0)
    text: str = ""
    columns: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def drawn(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.points or self.png or self.text)


@dataclass(frozen=True)
class Gallery:
    """The panels of a data set, drawn on common axes.

    Arguments:
        panels: Real points first, where the data set is at hand.
        box: (x low, x high, y low, y high), for point clouds.
        centres: The true modes' centres in the box, as `Panel.points`.
    """

    panels: tuple[Panel, ...]
    box: tuple[float, float, float, float] = (-1.0, 1.0, -1.0, 1.0)
    centres: str = ""


def _nothing(group: Group, about: str) -> Panel:
    return Panel(group.label, about)


def make_gallery(
    store: Store,
    table: Table,
    *,
    pixels: int = SHEET,
    dots: int = POINTS,
    absent: Callable[[Group, str], Panel] = _nothing,
    kept: Callable[[Group, tuple[int, ...]], np.ndarray | None] = lambda group, event: None,
    written: Callable[[Group], list[str] | None] = lambda group: None,
) -> Gallery:
    """Returns pictures of every row's samples: those of the lowest seed that has any.

    Records travel without their artifacts, so that a panel may only say that none are here.

    Arguments:
        store: The results folder.
        table: The data set's leaderboard.
        pixels: The most pixels on a sheet of images.
        dots: The most points of a scatter.
        absent: Makes the panel of a row whose samples are not here, from the row and why.
        kept: Finds the first images of such a row, (N, C, H, W) in [0, 1], by their shape.
        written: Finds its first lines of text.
    """
    data = dataset_of(table)
    arrays_by_group = {group.id: _samples(store, group) for group in table.groups}
    real = _real(data)
    arrays = [
        a for a, _ in [(real, ""), *arrays_by_group.values()] if a is not None and a.ndim == 2
    ]
    box = make_box(data, arrays)
    panels = (
        [] if real is None else [_panel("held-out data", real, "real", box, data, pixels, dots)]
    )
    rows = [(group, arrays_by_group[group.id][0]) for group in table.groups]
    pairs = lay_out_pairs(data, rows, kept, written)
    if pairs is not None:
        panels.insert(0, draw_pairs(pairs))
    elif data is not None and (sources := _real(data.given)) is not None:
        panels.insert(0, _panel("input", sources, "in order", box, data.given, pixels, dots))
    for group in table.groups:
        array, about = arrays_by_group[group.id]
        if array is None:
            panels.append(absent(group, about))
        else:
            panels.append(_panel(group.label, array, about, box, data, pixels, dots))
    truth = getattr(data, "truth", None)
    if truth is None or truth.centres is None or truth.centres.shape[1] != 2:
        return Gallery(tuple(panels), box)
    return Gallery(tuple(panels), box, _packed(truth.centres.double().numpy(), box))


def dataset_of(table: Table) -> Dataset | None:
    """Returns the table's data set, if this installation has it and it needs no download."""
    try:
        options = table.groups[0].first.spec.dataset_options
        return open_named(table.dataset, offline=True, **options)
    except Exception:  # a plugin of another machine, or one that is broken: the report goes on
        return None


def _real(data: Dataset | None) -> np.ndarray | None:
    if data is None:
        return None
    try:
        return data.points("test")[: 4 * POINTS].numpy()
    except Exception:  # files of the data set that are not on this machine
        return None


def _samples(store: Store, group: Group) -> tuple[np.ndarray | None, str]:
    why = "no samples were stored"
    for record in group.ok:
        reference = record.artifacts.get("samples")
        if reference is None:
            continue
        array = read_samples(store, record)
        if array is not None:
            return array, f"seed {record.spec.seed}"
        here = store.artifact(reference) is not None
        why = "the samples cannot be read" if here else "the samples are not beside these records"
    return None, why if group.ok else "no run completed"


def read_samples(store: Store, record: Record) -> np.ndarray | None:
    """Returns a record's stored samples in data space, (N, *event); None where they cannot be read here."""
    import numpy as np

    reference = record.artifacts.get("samples")
    path = store.artifact(reference) if reference is not None else None
    try:
        if path is None:
            return None
        with np.load(path, allow_pickle=False) as file:
            return np.asarray(file["samples"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _panel(
    label: str,
    array: np.ndarray,
    about: str,
    box: tuple[float, float, float, float],
    data: Dataset | None,
    pixels: int,
    dots: int,
) -> Panel:
    import numpy as np

    if array.dtype.kind not in "fiub" or not len(array):
        return Panel(label, "the samples are not numbers")
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return draw_sheet(label, array, about, data, pixels)
    if data is not None and data.alphabet and array.ndim == 2:
        return Panel(
            label,
            f"{about}, {counted(min(LINES, len(array)), 'sequence')}",
            text=write_lines(array, data),
        )
    if array.ndim != 2 or array.shape[1] < 2:
        return Panel(label, f"samples of shape {array.shape[1:]} cannot be drawn")
    points = array[:, :2].astype(np.float64)
    finite = points[np.isfinite(points).all(axis=1)]
    low, high = np.asarray(box[::2]), np.asarray(box[1::2])
    inside = finite[((finite >= low) & (finite <= high)).all(axis=1)]
    outside = 1 - len(inside) / len(points)
    about += ", first two coordinates" if array.shape[1] > 2 else ""
    about += f", {outside:.1%} outside the view" if outside else ""
    return Panel(label, about, points=_packed(inside[:dots], box))


def _packed(points: np.ndarray, box: tuple[float, float, float, float]) -> str:
    import numpy as np

    low, high = np.asarray(box[::2]), np.asarray(box[1::2])
    unit = ((points - low) / (high - low)).clip(0, 1)
    return base64.b64encode((unit * 65_535).round().astype("<u2").tobytes()).decode()


def make_box(
    data: Dataset | None, arrays: Sequence[np.ndarray]
) -> tuple[float, float, float, float]:
    """Returns the true box with a margin, else a square around what is drawn (1st to 99th percentile)."""
    import numpy as np

    truth = getattr(data, "truth", None)
    if truth is not None and truth.box is not None:
        low, high = truth.box
    else:
        flat = [a[:, :2].astype(np.float64).ravel() for a in arrays if a.dtype.kind in "fiub"]
        values = np.concatenate([v[np.isfinite(v)] for v in flat]) if flat else np.zeros(0)
        low, high = np.percentile(values, [1, 99]) if len(values) else (-1.0, 1.0)
    margin = 0.15 * (high - low) or 1.0
    low, high = float(low - margin), float(high + margin)
    return (low, high, low, high)


def draw_sheet(
    label: str, array: np.ndarray, about: str, data: Dataset | None, pixels: int = SHEET
) -> Panel:
    """Puts up to 8×8 images on one sheet with lines of one pixel between them."""
    height, width = array.shape[2:]
    side = max(1, min(8, math.isqrt(min(len(array), pixels // (height * width)))))
    sheet = lay_out_first(array, data, side)
    return Panel(label, f"{about}, {side * side} images", png=_encode(sheet), size=_size(sheet))


def lay_out_first(array: np.ndarray, data: Dataset | None, side: int) -> np.ndarray:
    """Returns a sheet (H, W, C), uint8, of the first images of (N, C, h, w), as many as a square holds."""
    side = max(1, min(side, math.isqrt(len(array))))
    return lay_out(_bytes(array[: side * side], data), side, side)


def draw_pairs(pairs: PairSheet) -> Panel:
    """A sheet of what was given, what was made of it, the truth."""
    images = pairs.images
    sheet = lay_out(_bytes(images.reshape(-1, *images.shape[2:]), None), *images.shape[:2])
    return Panel(
        "side by side",
        "the first test sources, a row each",
        png=_encode(sheet),
        size=_size(sheet),
        columns=tuple(pairs.columns),
        inputs=tuple(pairs.inputs),
        outputs=tuple((name, tuple(lines)) for name, lines in pairs.outputs.items()),
    )


def select_columns(panel: Panel, content: bytes, labels: Collection[str]) -> Panel | None:
    """Returns a sheet of pairs with the columns of some rows of the table alone, beside inputs and truth.

    Arguments:
        panel: The sheet.
        content: Its picture, a file.
        labels: The rows' labels.

    Returns:
        The panel with its picture as a data URI; None where it shows none of the rows.
    """
    import numpy as np
    from PIL import Image

    sheet = np.asarray(Image.open(io.BytesIO(content)))
    sheet = sheet[:, :, None] if sheet.ndim == 2 else sheet
    names = panel.columns
    width = (sheet.shape[1] + 1) // len(names)
    ours = [k for k, name in enumerate(names) if name in labels or is_common(name)]
    outputs = tuple((n, rows) for n, rows in panel.outputs if n in labels or is_common(n))
    if not any(n in labels for n in (*(names[k] for k in ours), *(n for n, _ in outputs))):
        return None
    parts = [sheet[:, k * width : (k + 1) * width] for k in ours]
    line = np.full((len(sheet), 1, sheet.shape[2]), 127, np.uint8)
    parts = [p if p.shape[1] == width else np.concatenate([p, line], 1) for p in parts]
    chosen = np.concatenate(parts, 1)[:, :-1]
    columns = tuple(names[k] for k in ours)
    picture = {"png": _encode(chosen), "size": _size(chosen)}
    return replace(panel, columns=columns, outputs=outputs, **picture)


def _size(sheet: np.ndarray) -> tuple[int, int]:
    return sheet.shape[1], sheet.shape[0]


def _encode(sheet: np.ndarray) -> str:
    """The data URI of a sheet as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    grey = sheet.shape[2] == 1
    Image.fromarray(sheet[:, :, 0] if grey else sheet).save(buffer, "PNG", optimize=True)
    return to_uri(buffer.getvalue(), "image/png")


def to_uri(content: bytes, kind: str) -> str:
    """Returns the data URI of a file."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _bytes(images: np.ndarray, data: Dataset | None) -> np.ndarray:
    """Grey levels 0 … 255 from floats in [0, 1], or from integer levels of the data set."""
    import numpy as np

    if images.dtype.kind == "f":
        unit: Any = np.nan_to_num(images.astype(np.float64))
    else:
        levels = data.spec.levels if data is not None else None
        unit = images / max(1, (levels or int(images.max()) + 1) - 1)
    return (unit.clip(0, 1) * 255).round().astype(np.uint8)
