"""Samples that were made from sources: which row of one side belongs to which row of another."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any
from unicodedata import normalize

from genbench.core.errors import DataError, SpecError
from genbench.evaluation.batches import ReadOptions, Source
from genbench.evaluation.side import Side
from genbench.evaluation.sides import is_held_out
from genbench.evaluation.sources import open_source, open_split
from genbench.points.images import ImageReader

#: what the sides are called where there are sources
PAIRED = ("reference", "samples", "source")


def open_sources(source: Any, opened: Mapping[str, Source], options: ReadOptions) -> Source | None:
    """Returns what samples were made from, a row for each of the reference, or None where nobody says.

    A split of a data set that has sources brings its own, as long as there are as many samples as
    points: `evaluate` reads them without being told.

    Arguments:
        source: As for `open_source`, or None. A split of a data set that has sources means those, and
            brings the map to them.
        opened: The other sides.
        options: How they are opened.

    Raises:
        SpecError, DataError: If there is no reference, or its data set has sources of its own.
    """
    reference = opened.get("reference")
    own = None if reference is None else _own_sources(reference)
    if source is None:
        if (
            own is None
            or _are_of_others(opened)
            or not _fit([own, opened["samples"]], options.limit)
        ):
            return None
        return own
    if reference is None:
        raise SpecError("--source needs --reference, the true points of the sources; name both")
    if own is not None:
        raise SpecError(
            f"{reference.label} has sources of its own, with which samples are compared; leave "
            f"--source out"
        )
    source_data = open_source(source, options, label="sources")
    own = _own_sources(source_data)
    return source_data if own is None else replace(own, whole=source_data.dataset)


def find_limit(opened: Mapping[str, Source], limit: int | None) -> int | None:
    """Returns how many of the first pairs are taken: no more than a cell holds, which has the first alone."""
    samples = opened["samples"]
    counts = [limit, _count(samples) if samples.translated else None]
    return min((count for count in counts if count is not None), default=None)


def explain_lack(opened: Mapping[str, Source]) -> str:
    """Returns why samples have no sources though the data set of the reference has; "" if it has none."""
    reference, samples = opened.get("reference"), opened["samples"]
    own = None if reference is None else _own_sources(reference)
    if reference is None or own is None:
        return ""
    if _are_of_others(opened):
        return (
            f"{samples.label} was made of the test sources of its data set, not of those of "
            f"{reference.label}; leave the reference out"
        )
    count = "an unknown number of" if _count(samples) is None else _count(samples)
    return (
        f"{reference.label} has {_count(own)} for {count} samples of {samples.label}; give one sample for "
        f"each, in their order"
    )


def match_rows(opened: Mapping[str, Source], limit: int | None = None) -> dict[str, Source]:
    """Returns the sides with rows that belong together, before anything is read.

    Files of folders or archives belong together by their names, without the suffix, and are put into the
    order of the reference's; all else belongs together by its order, that of files being their names', 9
    before 10, which a note says.

    Arguments:
        opened: The sides.
        limit: How many of the first pairs are taken, or None for all: what lies behind them may differ.

    Raises:
        DataError: Naming the first name that another side lacks, or the counts.
    """
    sides = [side for side in PAIRED if side in opened]
    named = {side: _names(opened[side]) for side in sides}
    whole = {side: names for side, names in named.items() if names is not None}
    for side, names in whole.items():
        for other, others in whole.items():
            _refuse_other_names((opened[side].label, names), (opened[other].label, others))
    _refuse_counts({opened[side].label: _count(opened[side]) for side in sides}, limit)
    order = next(iter(whole.values()), [])
    ordered = {
        side: replace(opened[side], content=_reorder(opened[side], order)) for side in whole
    }
    nameless = [opened[side].label for side in sides if side not in whole]
    if order and nameless:
        _tell_order(next(iter(ordered.values())), order, nameless)
    return {**opened, **ordered}


def refuse_other_counts(sides: Mapping[str, Side]) -> None:
    """Refuses sides of different numbers of points once they have been read, as far as a limit lets them.

    Sides without sources may have any number.

    Raises:
        DataError: With the counts.
    """
    if "source" in sides:
        _refuse_counts({sides[side].label: sides[side].count for side in PAIRED if side in sides})


def _are_of_others(opened: Mapping[str, Source]) -> bool:
    """Whether samples are of a cell whose sources are not those of the reference."""
    samples, reference = opened["samples"], opened["reference"]
    if not samples.translated or samples.dataset is None or reference.dataset is None:
        return False
    same = samples.dataset.name, dict(samples.options)
    return not is_held_out(reference) or same != (reference.dataset.name, dict(reference.options))


def _fit(sources: Sequence[Source], limit: int | None) -> bool:
    """Whether sources of known length have as many points, as far as a limit lets them be read."""
    counts = {_clip(_count(source), limit) for source in sources}
    return len(counts) == 1 and None not in counts


def _clip(count: int | None, limit: int | None) -> int | None:
    return count if count is None or limit is None else min(count, limit)


def _refuse_other_names(one: tuple[str, list[str]], two: tuple[str, list[str]]) -> None:
    (label, names), (other, others) = one, two
    missing = sorted(set(names) - set(others), key=names.index)
    if not missing:
        return
    if len(missing) == len(names) == len(others):
        raise DataError(
            f"pairs need files of the same names, {label} and {other} have none in common: {names[0]} and "
            f"{others[0]} are the first; name a sample, its true point and its source alike, or give arrays, "
            f"which belong together by their order"
        )
    raise DataError(
        f"pairs need files of the same names, {missing[0]} of {label} is not in {other}; leave it out or add "
        f"the other"
    )


def _refuse_counts(counts: Mapping[str, int | None], limit: int | None = None) -> None:
    if len({_clip(count, limit) for count in counts.values() if count is not None}) > 1:
        texts = ", ".join(f"{count} of {label}" for label, count in counts.items())
        raise DataError(
            f"pairs need a sample and a true point for every source, got {texts}; give those that "
            f"belong together"
        )


def _tell_order(named: Source, order: Sequence[str], nameless: Sequence[str]) -> None:
    """Notes by which order files were matched with points that have no names."""
    reader = named.content
    assert isinstance(reader, ImageReader)
    reader.remarks.append(
        f"its pictures were matched by their order, {order[0]} first and {order[-1]} last, as "
        f"{' and '.join(nameless)} {'has' if len(nameless) == 1 else 'have'} no names"
    )


def _own_sources(source: Source) -> Source | None:
    """The sources of a data set's split."""
    data = source.dataset
    if data is None or data.given is None or not source.split:
        return None
    return open_split(data.given, source.label.rpartition(":")[2])


def _count(source: Source) -> int | None:
    content: Any = source.content
    return len(content) if hasattr(content, "take") else None


def _names(source: Source) -> list[str] | None:
    """The names of pictures below the folder that all are in, without suffixes; None of what is no folder.

    Raises:
        DataError: If two pictures share one.
    """
    reader = source.content
    if not isinstance(reader, ImageReader):
        return None
    names = _stems(reader)
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise DataError(
            f"pairs need one picture of a name, {source.label} has several of {twice}; rename them"
        )
    return names


def _stems(reader: ImageReader) -> list[str]:
    """Pictures' names without suffix, and without the folder that all lie in, as archives often have one.

    One letter has one spelling, as systems store two.
    """
    paths = [PurePath(name).relative_to(reader.label).with_suffix("") for name in reader.names]
    folder = os.path.commonpath([path.parent for path in paths]) if paths else ""
    return [normalize("NFC", str(path.relative_to(folder))) for path in paths]


def _reorder(source: Source, order: Sequence[str]) -> ImageReader:
    """The pictures of a source in the order of names."""
    reader = source.content
    assert isinstance(reader, ImageReader)
    places = {name: row for row, name in enumerate(_stems(reader))}
    rows = [places[name] for name in order]
    if rows == sorted(rows):
        return reader
    return ImageReader(
        reader.label,
        [reader.names[row] for row in rows],
        lambda row: reader.load(rows[row]),
        source=reader.source,
        labels=None if reader.labels is None else reader.labels[rows],
        remarks=reader.remarks,
    )
