"""Small pictures of samples that are kept in git beside the records: sheets, scatters, lines of text."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from genbench.core.asked import require_seconds
from genbench.core.dataset import Dataset
from genbench.core.errors import DataError, GenbenchError, StoreError, WriteError
from genbench.core.files import list_folder, read_file, read_text, write_bytes
from genbench.evaluation.evaluator import draw
from genbench.points.images import decode
from genbench.report.groups import Group
from genbench.report.site import samples
from genbench.report.site.lines import write_lines
from genbench.report.site.tiles import cut_out
from genbench.report.tables import Table
from genbench.running.build import open_dataset
from genbench.running.job import RunSettings, StackJob, Stage
from genbench.running.stack import train_stack
from genbench.store import Record, Store

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

#: where they lie in a results folder, by data set and model
FOLDER = "pictures"
#: the most bytes of one that is drawn, and of one that a page shows
MOST, LARGEST = 10_000, 2**20
#: pixels of a scatter's side, and of a dot's
SIDE, DOT = 200, 2
#: points or images that are drawn of a model that is trained again
POINTS = 1000
KINDS = {".webp": "image/webp", ".png": "image/png"}


@dataclass(frozen=True)
class Drawing:
    """What became of a row: the file of its picture, or why there is none.

    Arguments:
        group: The row.
        path: The file, perhaps of before, or None.
        remark: How it was drawn, or why not.
        new: Whether it was drawn just now.
        failed: Whether it was to be drawn and could not.
    """

    group: Group
    path: Path | None
    remark: str
    new: bool = False
    failed: bool = False


def find_picture(store: Store, group: Group) -> Path | None:
    """Returns the file of a row's picture, or None.

    Raises:
        StoreError: If the folder of pictures cannot be read.
    """
    spec = group.first.spec
    folder = store.root / FOLDER / spec.dataset / spec.model
    try:
        paths = list_folder(folder)
    except OSError as error:
        raise StoreError(f"{folder} cannot be read: {error.strerror}") from error
    names = (path for path in paths if path.name.startswith(f"{group.id}-"))
    return next((path for path in names if path.suffix in (*KINDS, ".txt")), None)


def read_picture(path: Path, label: str) -> samples.Panel:
    """Returns a picture as a panel; one that cannot be read is an empty panel that says so."""
    seed = path.stem.rpartition("-")[2]
    try:
        content = read_file(path, LARGEST)
        if path.suffix == ".txt":
            return samples.Panel(label, f"seed {seed}", text=content.decode().rstrip("\n"))
        _, height, width = decode(content, path.name)[0].shape
    except (OSError, ValueError, DataError):
        return samples.Panel(label, "its picture cannot be read")
    png = samples.to_uri(content, KINDS[path.suffix])
    return samples.Panel(label, f"seed {seed}", png=png, size=(width, height))


def read_images(store: Store, group: Group, event: tuple[int, ...]) -> np.ndarray | None:
    """Returns the images on a row's sheet, (N, C, H, W) in [0, 1]; None where it has no sheet of such images.

    Arguments:
        store: The results folder.
        group: The row.
        event: The shape of one image, (C, H, W).
    """
    try:
        path = find_picture(store, group)
        if path is None or path.suffix == ".txt":
            return None
        sheet = decode(read_file(path, LARGEST), path.name)[0]
    except (OSError, ValueError, DataError, StoreError):
        return None
    images = cut_out(sheet, *event[1:])
    return None if images is None else images / 255


def read_lines(store: Store, group: Group) -> list[str] | None:
    """Returns the lines of a row's picture that is text, or None where it has none."""
    try:
        path = find_picture(store, group)
        if path is None or path.suffix != ".txt":
            return None
        return read_text(path, LARGEST).rstrip("\n").split("\n")
    except (OSError, ValueError, StoreError):
        return None


def draw_pictures(
    store: Store,
    tables: Sequence[Table],
    settings: RunSettings,
    *,
    again: bool = False,
    at_most: float | None = None,
    tell: Callable[[Drawing], None] = lambda drawing: None,
) -> list[Drawing]:
    """Draws the picture of every row that has none, of stored samples or of a seed that is trained again.

    Arguments:
        store: The results folder; pictures are written into it.
        tables: The rows.
        settings: Where models are trained and data sets lie.
        again: Whether rows that have a picture are drawn again.
        at_most: Rows without samples are trained again only where their stack took no more seconds than this.
        tell: Told of every row at once.

    Raises:
        SpecError: For seconds that are none.
    """
    require_seconds(at_most=at_most)
    drawings = []
    for table in tables:
        for group in table.groups:
            old = None
            try:
                old = find_picture(store, group)
                if old is not None and not again:
                    drawing = Drawing(group, old, "has one")
                else:
                    drawing = _draw_row(store, table, group, settings, at_most)
            except GenbenchError as error:  # the other rows go on
                drawing = Drawing(group, None, str(error), failed=True)
            if drawing.path is None:  # one that could not be drawn anew stays
                drawing = replace(drawing, path=old)
            tell(drawing)
            drawings.append(drawing)
    return drawings


def _draw_row(
    store: Store, table: Table, group: Group, settings: RunSettings, at_most: float | None
) -> Drawing:
    dataset = samples.dataset_of(table)
    record, array, remark = _find_samples(store, group)
    if record is not None and dataset is None:
        lack = "no such data set here; name what brings it by --plugin"
        return Drawing(group, None, lack, failed=not record.spec.external)
    if array is None and record is not None:
        array, remark = _train_again(record, settings, at_most)
    if array is None or record is None or dataset is None:
        return Drawing(group, None, remark)
    content, suffix = make_picture(array, dataset)
    spec = group.first.spec
    name = f"{group.id}-{record.spec.seed}{suffix}"
    path = store.root / FOLDER / spec.dataset / spec.model / name
    old = find_picture(store, group)
    write_bytes(path, content)
    if old is not None and old != path:
        try:
            old.unlink()
        except OSError as error:
            raise WriteError(f"cannot remove {old}: {error.strerror}; delete it") from error
    return Drawing(group, path, f"{remark}, {len(content) / 1000:.1f} kB", new=True)


def _find_samples(store: Store, group: Group) -> tuple[Record | None, np.ndarray | None, str]:
    """The record that stands for a row, with its stored samples where they are here."""
    for record in group.ok:
        array = samples.read_samples(store, record)
        if array is not None:
            return record, array, "from stored samples"
    if not group.ok:
        return None, None, "no run completed"
    return group.ok[0], None, "no samples are here"


def _train_again(
    record: Record, settings: RunSettings, at_most: float | None
) -> tuple[np.ndarray | None, str]:
    """The samples of one seed that is trained once more, with how long that took."""
    if record.spec.external:
        return None, "its samples come from elsewhere and are not here"
    if at_most is not None and record.used.seconds > at_most:
        return None, f"its training took {record.used.seconds:.3g} s, more than --at-most"
    began, stage = time.monotonic(), Stage()
    dataset = open_dataset(record.spec, settings)
    trained = train_stack(StackJob(specs=(record.spec,), settings=settings), dataset, stage)
    with trained.trainer.averaged() as model:
        points = draw(model, dataset, POINTS, trained.rng.fork("sample"))[0]
    return points.numpy(), f"trained again in {time.monotonic() - began:.3g} s"


def make_picture(array: np.ndarray, data: Dataset) -> tuple[bytes, str]:
    """Returns the bytes of a picture of samples and its suffix: no more than 10 kB.

    Arguments:
        array: Samples in data space: images (N, C, H, W), sequences (N, L) or points (N, D), D >= 2.
        data: Their data set.

    Raises:
        DataError: If they cannot be drawn.
    """
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return encode_small([samples.lay_out_first(array, data, side) for side in (8, 7, 6, 5, 4)])
    if array.ndim == 2 and data.alphabet:
        return (write_lines(array, data) + "\n").encode(), ".txt"
    if array.ndim == 2 and array.shape[1] >= 2:
        return _scatter(array, data), ".png"
    raise DataError(f"pictures needs images, sequences or points, got samples {array.shape[1:]}")


def encode_small(sheets: Sequence[np.ndarray]) -> tuple[bytes, str]:
    """Returns the first of sheets (H, W, C) that fits into 10 kB as WebP, without loss if it can be."""
    from PIL import Image

    content = b""
    for sheet in sheets:
        image = Image.fromarray(sheet[:, :, 0] if sheet.shape[2] == 1 else sheet).convert("RGB")
        for content in _encodings(image):
            if len(content) <= MOST:
                return content, ".webp"
    return content, ".webp"


def _encodings(image: Image) -> Iterator[bytes]:
    for options in ({"lossless": True}, {"quality": 80}, {"quality": 50}):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", method=6, **options)
        yield buffer.getvalue()


def _scatter(array: np.ndarray, data: Dataset) -> bytes:
    """A scatter of the first points in the true box as PNG, on a transparent ground."""
    import numpy as np
    from PIL import Image, ImageDraw

    box = samples.make_box(data, [array])
    low, high = np.asarray(box[::2]), np.asarray(box[1::2])
    image = Image.new("P", (SIDE, SIDE), 0)
    image.putpalette([255, 255, 255, 0x1F, 0x83, 0xC4, 0xD5, 0x5E, 0x00])
    pen = ImageDraw.Draw(image)
    truth = data.truth
    if truth is not None and truth.centres is not None and truth.centres.shape[1] == 2:
        for x, y in (truth.centres.double().numpy() - low) / (high - low) * SIDE:
            pen.ellipse((x - 4, SIDE - y - 4, x + 4, SIDE - y + 4), outline=2)
    points = array[:POINTS, :2].astype(np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    for x, y in (points - low) / (high - low) * SIDE:
        pen.rectangle((x, SIDE - y, x + DOT - 1, SIDE - y + DOT - 1), fill=1)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, transparency=0)
    return buffer.getvalue()
