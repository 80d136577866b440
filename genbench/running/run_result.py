"""What a run did, and its documented JSON objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from genbench.running.job import Result
from genbench.running.plan import Plan
from genbench.store import FAILURES, Record, Store
from genbench.store.trial import Trial, Trials, claim_id


@dataclass
class RunResult:
    """What a run did.

    Arguments:
        store: The results folder.
        plans: What was to be done, one after the other; they say what was done before, and why the run
            stopped. A suite has one; claims have one of experiments that measure times, one of the others,
            and one per round of cells.
        results: The new records and trials, in the order in which they came.
        failed_before: A sentence for every search of tuning with trials that failed before and were not tried
            again.
    """

    store: Store
    plans: list[Plan] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    failed_before: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        stopped = "" if self.stopped is None else f", stopped={self.stopped!r}"
        counts = f"{len(self.records)} new records, {len(self.trials)} new trials"
        return f"RunResult({str(self.store.root)!r}, {counts}, failed={self.failed}{stopped})"

    @property
    def records(self) -> list[Record]:
        """The new records."""
        return [result for result in self.results if isinstance(result, Record)]

    @property
    def trials(self) -> list[Trial]:
        """The new trials of claims' experiments."""
        return [result for result in self.results if isinstance(result, Trial)]

    @property
    def stopped(self) -> str | None:
        """Why the run ended before its end, or None."""
        return next((plan.stopped for plan in self.plans if plan.stopped is not None), None)

    @property
    def failed(self) -> bool:
        """Whether any cell failed, now or before, or any experiment or trial of tuning now.

        A seed that diverged has not: it is a result, which another attempt would not change.
        """
        before = any(plan.failed for plan in self.plans)
        failures = any(record.status in FAILURES for record in self.records)
        others = [result for result in self.results if not isinstance(result, Record)]
        return before or failures or any(result.failures for result in others)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The documented JSON objects: new trials, then all cells of the plans, in order, each once."""
        newest = {record.cell: record for record in self.records}
        cells: dict[str, dict[str, Any]] = {}
        for spec in (spec for plan in self.plans for spec in plan.cells):
            record = newest.get(spec.cell) or self.store.read(spec)
            if record is not None:
                cells[spec.cell] = describe_cell(record, self.store)
        return [*(describe_trial(trial, self.store) for trial in self.trials), *cells.values()]


def describe_cell(record: Record, store: Store) -> dict[str, Any]:
    """Returns the documented JSON object of a cell."""
    return {
        "cell": record.cell,
        "model": record.spec.model,
        "dataset": record.spec.dataset,
        "seed": record.spec.seed,
        "status": record.status,
        "reason": record.reason,
        "seconds": record.used.seconds,
        "record": str(store.path(record.spec)),
    }


def describe_trial(trial: Trial, store: Store) -> dict[str, Any]:
    """Returns the documented JSON object of what an experiment gave."""
    reason = next(iter(trial.failures.values()), None)
    path = Trials(store.root).path_of(trial.claim, trial.version, trial.options)
    return {
        "claim": claim_id(trial.claim),
        "seeds": sorted(trial.seeds),
        "status": "error" if reason else "ok",
        "reason": reason,
        "seconds": trial.seconds,
        "record": str(path),
    }
