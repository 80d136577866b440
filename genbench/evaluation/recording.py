"""Scores of samples from elsewhere as records, which stand beside those of trained models."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from genbench.core.dataset import DATASETS, resolve_options, version_of
from genbench.core.declarations import NAME
from genbench.core.device import choose_device
from genbench.core.errors import DataError, SpecError, nearest
from genbench.core.files import natural_order
from genbench.core.metric import column_of
from genbench.core.model import MODELS
from genbench.core.spec import CellSpec, NoBudget
from genbench.evaluation.result import Evaluation
from genbench.evaluation.single import Setup
from genbench.evaluation.streams import is_array
from genbench.store import EXTERNAL, Measurement, Record, Store
from genbench.store.environment import environment, now
from genbench.store.measurement_error import estimate_score, read_measurement_errors


def record_samples(setup: Setup, samples: Any, name: str, as_dataset: str | None) -> Evaluation:
    """Scores samples of several seeds, records each, and returns the means.

    Nothing is written unless all could be scored. A cell's id is a hash of the samples' numbers; a group,
    of the name and the data set, whose seeds are those of one model.

    Arguments:
        setup: What is done to every set of samples.
        samples: One set, or a list or pattern of names, or a mapping from seeds to sets.
        name: What the model is called.
        as_dataset: The data set that the records belong to; None takes that of the points.

    Raises:
        SpecError: If the name is that of a model of genbench, or another seed's samples are in its place.
        DataError: If samples repeat, or cannot be scored.
    """
    _check_names(name, as_dataset)
    sources = list_seeds(samples)
    if as_dataset and as_dataset in DATASETS and setup.reference is None:
        setup = replace(setup, reference=f"{as_dataset}:test")
    home = as_dataset or _find_dataset(setup, next(iter(sources.values())))
    setup = replace(setup, record_as=home)
    started = now()
    results = {seed: setup.score(source) for seed, source in sources.items()}
    _refuse_repeats(results)
    _refuse_other_counts(results)
    records = [
        _make_record(setup, seed, result, name, home, started) for seed, result in results.items()
    ]
    store = Store(setup.options.results)
    records = [_join_with_earlier(store, record) for record in records]
    for record in records:
        store.write(record)
    return _summarise(list(results.values()), records, store)


def list_seeds(samples: Any) -> dict[int, Any]:
    """Returns sets of samples by seed.

    Raises:
        SpecError: If a pattern fits nothing, seeds are no whole numbers, or arrays in a list may be seeds
            or batches.
    """
    if isinstance(samples, Mapping):
        wrong = [seed for seed in samples if not isinstance(seed, int) or seed < 0]
        if wrong or not samples:
            raise SpecError(f"record needs samples by seed, 0, 1, …, got {wrong or 'none'}")
        return dict(samples)
    if isinstance(samples, str) and glob.has_magic(samples) and not Path(samples).exists():
        names = sorted(glob.glob(samples), key=natural_order)
        if not names:
            raise SpecError(f"no file fits {samples!r}; give one file or folder for each seed")
        return dict(enumerate(names))
    several = isinstance(samples, Sequence) and not isinstance(samples, str)
    if several and samples and all(isinstance(part, str | Path) for part in samples):
        return dict(enumerate(samples))
    pair = isinstance(samples, tuple)  # of points and labels
    if several and not pair and len(samples) > 1 and all(map(is_array, samples)):
        raise SpecError(
            "record needs to know whether arrays of a list are seeds or batches of one; name seeds by a "
            "mapping, {0: first, 1: second}, and join batches"
        )
    return {0: samples}


def _check_names(name: str, as_dataset: str | None) -> None:
    for what, text in (("--record", name), ("--as-dataset", as_dataset)):
        if text is not None and not (isinstance(text, str) and NAME.fullmatch(text)):
            raise SpecError(f"{what} needs a name of letters, digits, _ . -, got {text!r}")
    if name in MODELS:
        raise SpecError(
            f"{name} is a model of genbench, whose cells are trained here; name what comes from "
            f"elsewhere otherwise, --record my-{name}"
        )


def _find_dataset(setup: Setup, samples: Any) -> str:
    reference = setup.reference
    named = str(reference if reference is not None else samples).partition(":")[0]
    if named in DATASETS:
        return named
    raise SpecError(
        f"--record needs the data set that the samples belong to; name it, of genbench's or your own: "
        f"--as-dataset NAME{nearest(named, DATASETS)}"
    )


def _refuse_repeats(results: Mapping[int, Evaluation]) -> None:
    """Two seeds with the same samples would make an interval look narrow that is not."""
    by_digest: dict[str, int] = {}
    for seed, result in results.items():
        digest = result.samples.digest
        if digest in by_digest:
            raise DataError(
                f"seeds {by_digest[digest]} and {seed} are the same samples, {result.samples.label}; "
                f"give a file or folder of its own for each seed"
            )
        by_digest[digest] = seed


def _refuse_other_counts(results: Mapping[int, Evaluation]) -> None:
    """Scores of few points are biased otherwise than those of many, so that a mean would be of neither."""
    counts = {seed: result.samples.count for seed, result in results.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(map(str, list(counts.values())[:8]))
        raise DataError(
            f"--record needs as many samples of each seed, got {listed}; leave out what one has more than "
            f"another"
        )


def _make_record(
    setup: Setup, seed: int, result: Evaluation, name: str, home: str, started: str
) -> Record:
    result.refuse_nothing(f" of {result.samples.label}")
    chosen = _find_options(result, home)
    spec = CellSpec(
        model=name,
        model_version=1,
        options={},
        dataset=home,
        dataset_version=version_of(home, resolve_options(home, chosen)) if home in DATASETS else 1,
        dataset_options=chosen,
        budget=NoBudget(),
        batch=0,
        seed=seed,
        samples=result.samples.digest,
    )
    return Record(
        cell=spec.cell,
        group=spec.group,
        status="ok",
        spec=spec,
        taxonomy=EXTERNAL,
        data_hashes={"reference": result.reference.digest},
        metrics=list(result.rows),
        named=sorted(setup.named),
        environment=environment(choose_device(setup.device, mps=True)),
        started=started,
        finished=now(),
    )


def _find_options(result: Evaluation, home: str) -> dict[str, Any]:
    """All options of the records' data set where the reference is of one that is not the default."""
    own = result.dataset is not None and result.dataset.name == home
    usual = resolve_options(home, {}) if own and result.options else {}
    return dict(result.options) if own and usual != result.options else {}


def _join_with_earlier(store: Store, record: Record) -> Record:
    """A record with what was measured of the same samples before.

    Raises:
        SpecError: If the name stands for other samples of that seed already.
    """
    folder = store.path(record.spec).parent
    for path in sorted(folder.glob("*.json")):
        earlier, _ = store.parse(path)
        if earlier is None or (earlier.group, earlier.spec.seed) != (
            record.group,
            record.spec.seed,
        ):
            continue
        if earlier.cell != record.cell:
            raise SpecError(
                f"{record.spec.model} has other samples of seed {record.spec.seed} already, {path}; "
                f"record these under another name, or delete that file"
            )
        places = {(row.id, row.protocol, row.split) for row in record.metrics}
        rest = [m for m in earlier.metrics if (m.id, m.protocol, m.split) not in places]
        named = sorted({*earlier.named, *record.named})
        return record.model_copy(update={"metrics": [*rest, *record.metrics], "named": named})
    return record


def _summarise(
    results: Sequence[Evaluation], records: Sequence[Record], store: Store
) -> Evaluation:
    """The means over seeds, with intervals as notes."""
    first = results[0]
    notes = [note for result in results for note in result.notes]
    rows = list(first.rows)
    if len(results) > 1:
        intervals: list[str] = []
        dataset = records[0].spec.dataset
        rows = [_average(row, results, dataset, intervals) for row in rows]
        notes.append(
            f"means over {len(results)} seeds ± their standard error; 95 % intervals: "
            f"{', '.join(intervals)}, as on leaderboards with what test set and extractor leave uncertain, "
            "where that was measured"
        )
    folder = store.path(records[0].spec).parent
    cells = ", ".join(record.cell for record in records)
    notes.append(f"recorded in {folder}: {cells}")
    return replace(
        first, rows=tuple(rows), notes=tuple(dict.fromkeys(notes)), records=tuple(records)
    )


def _average(
    row: Measurement, results: Sequence[Evaluation], dataset: str, intervals: list[str]
) -> Measurement:
    """A column's mean over seeds, its standard error over seeds beside it."""
    place = row.id, row.protocol, row.split
    same = [m for r in results for m in r.rows if (m.id, m.protocol, m.split) == place]
    values = [m.value for m in same if m.value is not None]
    if len(values) < len(results):
        reason = row.reason or "not all seeds have a value of the same protocol"
        return row.model_copy(update={"value": None, "stderr": None, "reason": reason})
    meaning = column_of(row.metric, row.id)
    error = read_measurement_errors().find_of(dataset, row)
    estimate = estimate_score(values, meaning.interval_scale if meaning else "linear", error)
    if estimate.low is not None and estimate.high is not None:
        intervals.append(f"{row.id} [{estimate.low:.4g}, {estimate.high:.4g}]")
    floors = [m.floor for m in same if m.floor is not None]
    spread = torch.tensor(values, dtype=torch.float64).std() / len(values) ** 0.5
    floor = sum(floors) / len(floors) if floors else None
    return row.model_copy(update={"value": estimate.mean, "stderr": float(spread), "floor": floor})
