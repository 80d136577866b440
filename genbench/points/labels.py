"""Classes of points: whole numbers, or names where somebody sorted files into folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy


def as_classes(labels: Any) -> numpy.ndarray | None:
    """Returns labels (N,) as int64, or as texts where they are names; None where they are neither.

    Names that are all whole numbers, as of folders 0 to 9, are those numbers.
    """
    if labels is None:
        return None
    array = numpy.asarray(labels)
    if array.ndim != 1 or not len(array):
        return None
    if array.dtype.kind in "iub":
        return array.astype(numpy.int64)
    texts = array.tolist()
    if not all(isinstance(text, str) for text in texts):
        return None
    if all(text.isdecimal() and text.isascii() and len(text) < 18 for text in texts):
        return numpy.array([int(text) for text in texts], dtype=numpy.int64)
    return numpy.array(texts)


def name_by_folder(files: Sequence[PurePath]) -> numpy.ndarray | None:
    """Returns each file's folder, from where the folders part; None where all lie in one."""
    folders = [file.parent.parts for file in files]
    if len(set(folders)) < 2:
        return None
    first, last = min(folders), max(folders)
    shared = next(
        (k for k, (one, other) in enumerate(zip(first, last, strict=False)) if one != other),
        min(len(first), len(last)),
    )
    return numpy.array(["/".join(folder[shared:]) or "." for folder in folders])


def join_classes(parts: Sequence[numpy.ndarray | None]) -> numpy.ndarray | None:
    """Returns the classes of points that came in parts; None unless all have some, of one kind."""
    whole = [part for part in parts if part is not None]
    if not whole or len(whole) < len(parts) or len({part.dtype.kind for part in whole}) > 1:
        return None
    return numpy.concatenate(whole)
