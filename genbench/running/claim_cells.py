"""The cells and measurements that the runs of claims stand for."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal

from genbench.core.claim import Run
from genbench.core.dataset import resolve_options
from genbench.core.errors import SpecError
from genbench.core.metric import METRICS, Column, Metric
from genbench.core.spec import Budget, Cells, CellSpec, Part, Suite, Training, canonical
from genbench.evaluation.requests import make_requests
from genbench.running.cells import cell_specs
from genbench.store.tuned_options import UnusableTuning, find_tuned

#: points on the learning curves of cells that claims train
CURVE = 10


def suite_of(*runs: Run) -> Suite:
    """Returns the suite of runs that share metrics, samples and seeds."""
    first = runs[0]
    return Suite(
        description="what the claims need",
        seeds=list_seeds(first) if first.first_seed else first.seeds,
        metrics=first.parts,
        samples=first.samples,
        seeds_at_once=None,
        curve=CURVE,
        cells=[
            Cells(
                models=[Part(name=run.model, options=dict(run.options))],
                datasets=[Part(name=run.dataset, options=dict(run.dataset_options))],
                budget=Budget(steps=run.steps),
                batch=run.batch,
                labelled=run.labelled,
                tuned=resolve_tuned(run),
            )
            for run in runs
        ],
    )


def list_seeds(run: Run) -> list[int]:
    """Returns the seeds of a run."""
    return list(range(run.first_seed, run.first_seed + run.seeds))


def resolve_tuned(run: Run) -> bool | Literal["density"]:
    """Returns which tuned options a run takes, none where there are none and its defaults may stand in."""
    if not run.tuned or run.untuned == "refuse":
        return run.tuned
    try:
        return run.tuned if find_choice(run) is not None else False
    except UnusableTuning:  # which its defaults may not hide
        return run.tuned


def find_choice(run: Run) -> tuple[dict[str, Any], Training | None] | None:
    """Returns the options and the training that tuning chose for a run, or None if it was not tuned.

    Raises:
        UnusableTuning: If it was tuned at another version, or not together with others that count.
    """
    criterion = "density" if run.tuned == "density" else "samples"
    own = resolve_options(run.dataset, run.dataset_options)
    where = run.model, run.dataset, Budget(steps=run.steps), run.batch, criterion
    try:
        return find_tuned(*where, dataset_options=own)
    except UnusableTuning:
        raise
    except SpecError:
        return None


def specs_of(run: Run) -> list[CellSpec]:
    """Returns the cells of a run, one per seed."""
    suite = suite_of(run)
    cells = suite.cells[0]
    return cell_specs(suite, cells, cells.models[0], cells.datasets[0], autocast=False)


def run_key(run: Run) -> str:
    """Returns what decides a run's weights, but for the seeds, as text."""
    chosen = {f.name: getattr(run, f.name) for f in fields(run)}
    for other in ("metrics", "metric_options", "samples", "seeds", "quick_steps"):
        del chosen[other]
    parts = {name: dict(getattr(run, name)) for name in ("options", "dataset_options")}
    return canonical(chosen | parts)


def find_column(run: Run, column: str) -> Column | None:
    """Returns what a run's metrics, or those beside them, say of a column; None where none fills it."""
    metric = find_metric(run, column)
    return None if metric is None else metric.columns[column]


def find_companions(run: Run, column: str) -> list[str]:
    """Returns the columns beside which a run's column must be read: its metric's own, and other metrics'."""
    metric = find_metric(run, column)
    if metric is None:
        return []
    others = [next(iter(METRICS.get(name).columns)) for name in metric.beside]
    return [*metric.columns[column].beside, *others]


def find_metric(run: Run, column: str) -> Metric | None:
    """Returns which of a run's metrics, or of those beside them, fills a column, or None."""
    metrics = (request.metric for request in make_requests(run.parts, samples=run.samples))
    return next((metric for metric in metrics if column in metric.columns), None)


def keys_of(run: Run) -> set[str]:
    """Returns what a run's measurements are keyed by."""
    return {request.key for request in make_requests(run.parts, samples=run.samples)}
