"""What a run's scores leave uncertain beside seeds: test set, extractor, and rare events of its family."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

from genbench.core.catalogue import family_of
from genbench.core.claim import Run
from genbench.core.dataset import resolve_options
from genbench.core.effect import Noise
from genbench.core.metric import Metric
from genbench.core.rare import RareEvent
from genbench.core.spec import canonical
from genbench.evaluation.requests import EXTRACTED, SPACES, make_requests
from genbench.running.claim_cells import find_metric
from genbench.store.measurement_error import ColumnError, read_measurement_errors
from genbench.store.rare_events import RareRuns, read_rare_events
from genbench.store.record import OF_TIME, Measurement


def find_noise(run: Run, column: str, rows: Sequence[Measurement]) -> Noise:
    """Returns what lies between two models' scores of a column, beside their seeds.

    It is what was measured on the data set, or on the one that its images are of. Where that was not, means
    over test points tell it by their standard errors: those of two models count as if independent, which is
    too much for scores that are high and low on the same points, and never too little.

    Arguments:
        run: What was scored.
        column: The column.
        rows: The measurements, one a seed.
    """
    values = [m.value for m in rows if m.value is not None]
    level = fmean(values) if values else 0.0
    error = find_error(run, column)
    if error is not None:
        return Noise(error.deviation_between(level, level), error.total("log"))
    own = find_standard_error(run, column, rows)
    if own is None:
        return Noise()
    between = math.sqrt(2) * own
    return Noise(between, between / abs(level) if level else 0.0)


def name_data(run: Run) -> str:
    """Returns by which name errors of a run's data set are kept: with all of its options, if it has any."""
    return name_data_set(run.dataset, run.dataset_options)


def name_data_set(name: str, options: Mapping[str, Any]) -> str:
    """Returns the name of a data set with all of its options, if it has any."""
    resolved = sorted(resolve_options(name, options).items())
    chosen = ", ".join(f"{option}={value}" for option, value in resolved)
    return f"{name}({chosen})" if chosen else name


def find_error(run: Run, column: str) -> ColumnError | None:
    """Returns the measured errors of a run's column, of its data set or of the one its images are of."""
    errors = read_measurement_errors()
    own = errors.find(name_data(run), column)
    base = resolve_options(run.dataset, run.dataset_options).get("of")
    metric = find_metric(run, column)
    if own is not None or not isinstance(base, str) or metric is None:
        return own
    return errors.find(base, column) if SPACES.get(metric.view) in EXTRACTED else None


def find_rare(run: Run, column: str) -> list[RareEvent]:
    """Returns the rare events that a run's column may show, of which runs of its family have shown some."""
    return [RareEvent(e.share, e.plain, e.log, side) for e, side in find_rare_sides(run, column)]


def find_rare_sides(run: Run, column: str) -> list[tuple[RareRuns, int]]:
    """Returns what was counted of a run's family, with the side: 1 above its like, -1 below."""
    own = read_rare_events().find(name_data(run), family_of(run.model), column)
    return [(e, side) for e, side in ((own.above, 1), (own.below, -1)) if e is not None]


def digest_errors(run: Run) -> str:
    """Returns 12 digits of the sha256 of the errors of a run's columns, or "none" where none has any."""
    errors = {column: find_error(run, column) for column in _list_columns(run)}
    return _digest(
        {c: e.model_dump(exclude_none=True) for c, e in errors.items() if e is not None}
    )


def digest_rare(run: Run) -> str:
    """Returns the same of the rare events of a run's columns."""
    events = {column: find_rare(run, column) for column in _list_columns(run)}
    return _digest({c: [asdict(event) for event in some] for c, some in events.items() if some})


def _list_columns(run: Run) -> list[str]:
    metrics = [request.metric for request in make_requests(run.parts, samples=run.samples)]
    return sorted({column for metric in metrics for column in metric.columns})


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:12] if content else "none"


def find_standard_error(run: Run, column: str, rows: Sequence[Measurement]) -> float | None:
    """Returns the standard error over test points of one model's score, or None where none is known."""
    known = [m.stderr for m in rows if m.stderr is not None and m.value is not None]
    complete = len(known) == sum(m.value is not None for m in rows)
    return (
        fmean(known)
        if known and complete and has_test_set(find_metric(run, column), column)
        else None
    )


def has_test_set(metric: Metric | None, column: str) -> bool:
    """Returns whether another test set would give other scores: not of times, or of a known truth."""
    if metric is None or metric.view == "truth":
        return False
    return metric.columns[column].unit not in OF_TIME
