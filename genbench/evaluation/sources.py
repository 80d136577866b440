"""Points from anywhere: finds the file, folder, split, cell or object that somebody means."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from genbench.core.dataset import DATASETS, SPLITS, Dataset, open_named, resolve_options
from genbench.core.errors import DataError, nearest
from genbench.core.guard import blamed
from genbench.core.model import MODELS, Translator, build
from genbench.core.options import defaults
from genbench.core.registry import named_callable
from genbench.core.rng import Rng
from genbench.core.spec import CellSpec, Part, parse_part
from genbench.evaluation.batches import Points, ReadOptions, Source, normalise
from genbench.evaluation.files import KEYED, open_file, open_member, open_place
from genbench.evaluation.streams import name_object, open_object
from genbench.points.readers import ArrayReader
from genbench.store import Record, Store

#: what separates two options of a data set, which a colon does too
COMMA = re.compile(r",(?=[A-Za-z_]\w*=)")
#: what a drive's letter looks like
DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def open_points(
    source: Any, options: ReadOptions, *, label: str = "samples", side: str = "samples"
) -> Points:
    """Returns the points that somebody means, in data space.

    Arguments:
        source: As for `open_source`.
        options: How it is opened.
        label: What an array or an iterable is called, which has no name of its own.
        side: Whose declared range counts: samples, reference or train.

    Raises:
        DataError: If nothing of that name is found or it cannot be used.
    """
    opened = open_source(source, options, label=label)
    return normalise(opened, options, opened.dataset, side)


def open_source(source: Any, options: ReadOptions, *, label: str = "samples") -> Source:
    """Opens what somebody means.

    Arguments:
        source: A path, `file.npz:array`, `dataset:split`, `dataset:option=value,option=value:split`, a
            cell's id, `module:callable`, an array, a tensor (on any device), a pair of points and labels,
            or something that yields batches: an iterable, a data loader, or a function that returns one.
        options: How it is opened.
        label: What an array or an iterable is called, which has no name of its own.

    Raises:
        DataError: If nothing of that name is found or it cannot be used.
    """
    if isinstance(source, str | bytes | os.PathLike):
        return _open_named(os.fsdecode(source), options, label)
    name = name_object(source, label)
    return Source(name, open_object(source, name))


def parse_dataset(text: str) -> Part:
    """Returns a data set written as `name` or `name:option=value,option=value`; values are checked later."""
    return parse_part(COMMA.sub(":", text))


def open_dataset(part: Part, options: ReadOptions) -> tuple[Dataset, dict[str, Any]]:
    """Creates a data set with its options; returns all that decide its points too.

    Raises:
        UnknownName: With the nearest match.
        SpecError: For an option that it does not have, or a value that it refuses.
    """
    own = resolve_options(part.name, part.options)
    where = {"data_dir": options.data_dir, "offline": options.offline}
    return open_named(part.name, **where, **own), own


def open_split(dataset: Dataset, split: str, options: Mapping[str, Any] | None = None) -> Source:
    """Opens a data set's split.

    Arguments:
        dataset: The data set.
        split: The split's name.
        options: Those that the data set was created with; the label names what is not their default.

    Raises:
        DataError: If it has no such split.
    """
    name, options = dataset.name, dict(options or {})
    if split not in SPLITS:
        raise DataError(f"{name} has no split {split!r}{nearest(split, SPLITS)}")
    with blamed(f"data set {name!r}", type(dataset)):
        points, labels = dataset.points(split), dataset.labels(split)
        if len(points) < 2:
            raise DataError(f"{name} has no {split} split; take another of {', '.join(SPLITS)}")
        known_by = f"{name}@{dataset.version}:{dataset.hashes[split]}"

    def digest() -> str:
        return hashlib.sha256(known_by.encode()).hexdigest()

    usual = defaults(type(dataset)) if options else {}
    own = [f"{key}={value}" for key, value in options.items() if value != usual.get(key)]
    label = ":".join(filter(None, (name, ",".join(own), split)))
    reader = ArrayReader(
        label,
        points.numpy(),
        None if labels is None else labels.numpy(),
        source=digest,
    )
    return Source(label, reader, dataset, split=True, options=options)


def _open_named(source: str, options: ReadOptions, label: str) -> Source:
    if not source.strip() or "\0" in source:
        raise DataError(
            f"{label} needs a name, got {source!r}; give a file, a folder or digits:test"
        )
    try:
        path = Path(source).expanduser()
    except RuntimeError:  # nobody knows of such a home
        path = Path(source)
    if path.is_dir():
        return Source(str(path), open_place(path))
    if path.exists() or path.suffix.lower() in (".npy", ".npz"):
        return Source(str(path), open_file(path))
    stem, _, key = source.rpartition(":")
    if key and Path(stem).suffix.lower() in KEYED and Path(stem).is_file():
        return Source(source, open_member(Path(stem), key))
    if DRIVE.match(source) or source.startswith((".", "/", "~")) or source.endswith(("/", "\\")):
        raise DataError(f"{source} does not exist; give a file, a folder or digits:test")
    return _open_by_name(source, options)


def _open_by_name(source: str, options: ReadOptions) -> Source:
    """A split, a callable or a cell."""
    head, _, split = source.rpartition(":")
    part, (name, _, rest) = parse_dataset(head), source.partition(":")
    if rest and (name in DATASETS or (split in SPLITS and ":" not in part.name)):
        if "=" in split:
            raise DataError(f"{source} names no split; say {source}:test")
        dataset, own = open_dataset(part, options)
        return open_split(dataset, split, own)
    if rest:
        return Source(source, open_object(named_callable(source), source, named=True))
    record = Store(options.results).find(source)
    if record is not None:
        return _open_cell(record, options)
    hint = f"; did you mean {source}:test?" if source in DATASETS else "; give one of these"
    raise DataError(
        f"{source} is not a file, folder, split (digits:test), cell of {options.results}/ or "
        f"module:callable{hint}"
    )


def _open_cell(record: Record, options: ReadOptions) -> Source:
    spec, reference = record.spec, record.artifacts.get("samples")
    path = Store(options.results).artifact(reference) if reference else None
    if path is None:
        raise DataError(
            f"cell {record.cell} has no samples beside its record; run it here: "
            f"genbench run -m {spec.model} -d {spec.dataset}"
        )
    if not spec.external and spec.model not in MODELS:
        raise DataError(
            f"cell {record.cell} is of the model {spec.model}, which is not installed, so that nobody knows "
            f"what its loss looks through; import its file by --plugin FILE, in Python as a module"
        )
    dataset, own = open_dataset(Part(name=spec.dataset, options=spec.dataset_options), options)
    label = f"{record.cell} ({spec.model} on {spec.dataset}, seed {spec.seed})"
    networks = partial(_find_loss_networks, spec, dataset)
    cls = None if spec.external else MODELS.get(spec.model)
    translated = cls is not None and issubclass(cls, Translator)
    return Source(
        *(label, open_file(path), dataset),
        options=own,
        loss_networks=networks,
        translated=translated,
    )


def _find_loss_networks(spec: CellSpec, dataset: Dataset) -> tuple[str, ...]:
    """The extractors in the loss of a cell's model, which says so once it is built; none of a foreign one."""
    if spec.external:
        return ()
    rng = Rng([spec.seed])
    with blamed(f"model {spec.model!r}", MODELS.get(spec.model)):
        return build(spec.model, dataset.spec, rng, dict(spec.options)).loss_networks
