"""Points from anywhere: arrays, folders of images, splits, recorded cells, and anybody's generator."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from genbench.core.dataset import DATASETS, SPLITS, Dataset, open_named
from genbench.core.errors import DataError, nearest
from genbench.core.registry import named_callable
from genbench.points import images, memmap
from genbench.points.arrays import open_array
from genbench.store import Record, Store


@dataclass(frozen=True)
class Points:
    """Points in data space, read a batch at a time.

    Arguments:
        label: What the user called them.
        batches: Maps a batch size to an iterator of tensors (at most that many, *event).
        count: How many there are, or None until they have been read.
        digest: A hash of their content, or None where none can be known beforehand.
        dataset: The data set they belong to, or None.
        note: What a reader should know (files that were left out), or empty.
        held: All of them, where they lie in a file as they are, else None.
    """

    label: str
    batches: Callable[[int], Iterator[Tensor]]
    count: int | None = None
    digest: str | None = None
    dataset: Dataset | None = None
    note: str = ""
    held: Tensor | None = None


@dataclass(frozen=True)
class Reading:
    """How sources are opened.

    Arguments:
        results: The folder in which cells are looked up.
        size: Resize images of folders to (height, width), or None.
        channels: 1 or 3 for images of folders, or None for what the first one has.
        data_dir: A folder with data sets' files.
        offline: Whether downloads are forbidden.
    """

    results: Path = Path("results")
    size: tuple[int, int] | None = None
    channels: int | None = None
    data_dir: Path | None = None
    offline: bool = False


def open_points(source: str, how: Reading) -> Points:
    """Returns the points that a name means: a path, `dataset:split`, a cell's id or `module:callable`.

    Raises:
        DataError: If nothing of that name is found or it cannot be used.
    """
    path = Path(source)
    if path.is_dir():
        return _folder(path, how)
    if path.exists() or path.suffix in (".npy", ".npz"):
        return _array(path)
    name, _, rest = source.partition(":")
    if rest in SPLITS or (rest and name in DATASETS):
        return _split(name, rest, how)
    if rest:
        return _generator(source)
    record = Store(how.results).find(source)
    if record is not None:
        return _cell(record, how)
    raise DataError(
        f"{source} is no file, folder, split (digits:test), cell of {how.results}/ or "
        f"module:callable; give one of these"
    )


def _array(path: Path, dataset: Dataset | None = None) -> Points:
    array = open_array(path)

    def batches(size: int) -> Iterator[Tensor]:
        for at in range(0, len(array), size):
            yield torch.from_numpy(array.read(at, at + size))

    plain = array.plain()
    held = None if plain is None else memmap.mapped(plain)
    return Points(str(path), batches, len(array), _file_digest(path), dataset, held=held)


def _folder(path: Path, how: Reading) -> Points:
    opened = images.folder(path, size=how.size, channels=how.channels)

    def batches(size: int) -> Iterator[Tensor]:
        for batch in opened.batches(size):
            yield torch.from_numpy(batch)

    known = hashlib.sha256(repr((opened.event, opened.resize)).encode())
    for file in opened.files:
        known.update(bytes.fromhex(_file_digest(file)))
    note = f"{opened.others} files that are no images were left out" if opened.others else ""
    return Points(str(path), batches, len(opened), known.hexdigest(), note=note)


def _split(name: str, split: str, how: Reading) -> Points:
    dataset = open_named(name, data_dir=how.data_dir, offline=how.offline)
    if split not in SPLITS:
        raise DataError(f"{name} has no split {split!r}{nearest(split, SPLITS)}")
    points = dataset.points(split)
    if len(points) < 2:
        raise DataError(f"{name} has no {split} split; take another of {', '.join(SPLITS)}")
    digest = hashlib.sha256(f"{name}@{dataset.version}:{dataset.hashes[split]}".encode())

    def batches(size: int) -> Iterator[Tensor]:
        yield from points.split(size)

    return Points(f"{name}:{split}", batches, len(points), digest.hexdigest(), dataset)


def _cell(record: Record, how: Reading) -> Points:
    reference = record.artifacts.get("samples")
    path = Store(how.results).artifact(reference) if reference else None
    if path is None:
        raise DataError(
            f"cell {record.cell} has no samples beside its record; run it here: "
            f"genbench run -m {record.spec.model} -d {record.spec.dataset}"
        )
    given = record.spec.dataset_options
    dataset = open_named(record.spec.dataset, data_dir=how.data_dir, offline=how.offline, **given)
    found = _array(path, dataset)
    label = f"{record.spec.model} on {record.spec.dataset}, seed {record.spec.seed}"
    return replace(found, label=f"{record.cell} ({label})")


def _generator(label: str) -> Points:
    """Points that a user's callable yields: arrays or tensors (B, *event), until it ends."""
    function = named_callable(label)

    def batches(size: int) -> Iterator[Tensor]:
        try:
            made = iter(function())
        except (Exception, SystemExit) as error:
            raise DataError(_blame(label, error)) from None
        for number in range(sys.maxsize):
            try:
                batch = next(made)
            except StopIteration:
                return
            except (Exception, SystemExit) as error:
                raise DataError(_blame(label, error)) from None
            yield from _checked(batch, f"batch {number} of {label}").split(size)

    return Points(label, batches)


def _blame(label: str, error: BaseException) -> str:
    """One sentence with the user's line in which the error arose."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    text = " ".join(str(error).split())[:200]
    return f"{label} failed: {type(error).__name__}: {text}{where}; repair it"


def _checked(batch: Any, label: str) -> Tensor:
    """A user's batch as a tensor of numbers, or an error that names it."""
    try:
        x = batch if isinstance(batch, Tensor) else torch.from_numpy(numpy.asarray(batch))
    except (TypeError, ValueError) as error:
        raise DataError(f"{label} needs to be an array of numbers: {error}") from None
    x = x.detach().cpu()
    if x.is_complex():
        raise DataError(f"{label} needs real numbers, got {x.dtype}; take their absolute values")
    if x.dim() < 2 or 0 in x.shape:
        raise DataError(f"{label} needs shape (B, D) or (B, C, H, W), got {tuple(x.shape)}")
    if x.dtype == torch.uint8 and x.dim() == 4:
        return x.float() / 255
    x = x if x.dtype in (torch.float32, torch.float64) else x.float()
    if not x.isfinite().all():
        bad = int((~x.isfinite()).sum())
        raise DataError(
            f"{label} holds {bad} numbers that are NaN or infinite; repair the generator"
        )
    return x


def _file_digest(path: Path) -> str:
    if path.exists() and not path.is_file():  # a pipe would never end
        raise DataError(f"{path} is no regular file; remove it")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
