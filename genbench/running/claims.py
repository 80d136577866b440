"""What claims still need, and what has been measured of them: cells by way of suites, and trials."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from genbench.core import options
from genbench.core.claim import Claim, Run, find
from genbench.core.effect import Effect
from genbench.core.rng import Rng
from genbench.core.spec import Budget, Cells, CellSpec, Part, Suite, canonical
from genbench.evaluation.requests import ask
from genbench.running.environment import choose_device, environment
from genbench.running.job import now
from genbench.running.plan import Plan, cell_specs
from genbench.store import FAILURES, Record, Store
from genbench.store.trial import Trial, Trials

#: what a budget is multiplied by; `quick` also takes fewer seeds and the experiments' quick options
SCALES = {"quick": 0.125, "half": 0.5, "default": 1.0, "double": 2.0}
QUICK_SEEDS = 6
#: points on the learning curves of cells that claims train
CURVE = 10
#: stands for a claim's experiment where runs are named
EXPERIMENT = "its experiment"


@dataclass(frozen=True)
class Scale:
    """How thorough a pass over the claims is.

    Arguments:
        budget: A name in `SCALES`.
        seeds: How many seeds, or None for what every claim asks.
    """

    budget: str = "default"
    seeds: int | None = None

    @property
    def words(self) -> list[str]:
        """What asks for this scale on a command line."""
        words = [] if self.budget == "default" else ["--budget-scale", self.budget]
        return words if self.seeds is None else [*words, "--seeds", str(self.seeds)]

    def run(self, run: Run) -> Run:
        """Returns a run at this scale."""
        return replace(
            run,
            steps=max(1, round(run.steps * SCALES[self.budget])),
            seeds=self.count(run.seeds),
        )

    def count(self, seeds: int) -> int:
        """Returns how many seeds to take where so many are asked for."""
        return self.seeds or (min(seeds, QUICK_SEEDS) if self.budget == "quick" else seeds)

    def options(self, claim: Claim) -> dict[str, Any]:
        """Returns all options of a claim's experiment."""
        assert claim.experiment is not None
        given = claim.quick if self.budget == "quick" else {}
        chosen = options.resolve(claim.experiment, given, who=f"claim {claim.id}")
        if self.budget != "quick":
            for name in claim.scaled:
                chosen[name] = max(1, round(chosen[name] * SCALES[self.budget]))
        return chosen


def suites_of(runs: Iterable[Run]) -> list[list[Suite]]:
    """Returns the cells of runs as suites, in rounds to be done one after the other.

    Runs of the same cells are one: the most of their seeds, all of their metrics. A cell that is asked
    with several numbers of samples is trained in the first round and measured again in the next.
    """
    cells: dict[str, dict[int, Run]] = {}
    for run in runs:
        known = cells.setdefault(_settings(run), {})
        before = known.get(run.samples, replace(run, metrics=()))
        metrics = tuple(dict.fromkeys((*before.metrics, *run.metrics)))
        known[run.samples] = replace(run, metrics=metrics, seeds=max(run.seeds, before.seeds))
    rounds = max(map(len, cells.values()), default=0)
    return [
        _suites([[*k.values()][i] for k in cells.values() if len(k) > i]) for i in range(rounds)
    ]


def _settings(run: Run) -> str:
    """What decides a run's weights, but for the seeds."""
    chosen = {f.name: getattr(run, f.name) for f in fields(run)}
    for other in ("metrics", "samples", "seeds"):
        del chosen[other]
    return canonical(chosen | {"options": dict(run.options)})


def _suites(runs: Sequence[Run]) -> list[Suite]:
    alike: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        alike.setdefault((frozenset(run.metrics), run.samples, run.seeds), []).append(run)
    return [suite_of(*group) for group in alike.values()]


def suite_of(*runs: Run) -> Suite:
    """Returns the suite of runs that share metrics, samples and seeds."""
    first = runs[0]
    return Suite(
        description="what the claims need",
        seeds=first.seeds,
        metrics=[Part(name=name) for name in first.metrics],
        samples=first.samples,
        seeds_at_once=None,
        curve=CURVE,
        cells=[
            Cells(
                models=[Part(name=run.model, options=dict(run.options))],
                datasets=[Part(name=run.dataset)],
                budget=Budget(steps=run.steps),
                batch=run.batch,
                labelled=run.labelled,
            )
            for run in runs
        ],
    )


def merged(plans: Sequence[Plan]) -> Plan:
    """Returns several plans as one; no two of them may hold the same cell."""
    whole = Plan()
    for one in plans:
        for name in ("jobs", "done", "failed", "skipped", "cells", "damaged", "scaled"):
            getattr(whole, name).extend(getattr(one, name))
        whole.stamps |= one.stamps
    return whole


def specs_of(run: Run) -> list[CellSpec]:
    """Returns the cells of a run, a seed each."""
    suite = suite_of(run)
    cells = suite.cells[0]
    return cell_specs(suite, cells, cells.models[0], cells.datasets[0], autocast=False)


def rescaled(groups: Collection[str]) -> set[str]:
    """Returns which groups are claims' cells at another budget than the claims', beside those at theirs.

    They show what a verdict hangs on; in a leaderboard they would compete with themselves.
    """
    asked = [replace(run, seeds=1) for claim in find().values() for run in claim.runs]
    runs = {specs_of(one)[0].group: one for one in asked}
    held = [one for group, one in runs.items() if group in groups]
    others = {specs_of(Scale(name).run(one))[0].group for one in held for name in SCALES}
    return (others & set(groups)) - runs.keys()


@dataclass
class Held:
    """The evidence for one claim that a results folder holds.

    Arguments:
        claim: The claim.
        store: The folder.
        scale: How thorough the pass is; runs and options are those of that scale.
    """

    claim: Claim
    store: Store
    scale: Scale = field(default_factory=Scale)
    _records: dict[str, list[Record]] = field(default_factory=dict)
    _trial: Trial | None = None

    def scores(self, run: Run, column: str) -> dict[int, float]:
        """Returns a column of a run's finished cells, as asked by the run's own metrics and samples."""
        records = self._finished(run)
        keys = _keys(run) if records else set()
        found: dict[int, float] = {}
        for record in records:
            for m in record.metrics:
                if (m.id, m.split) == (column, "test") and m.key in keys and m.value is not None:
                    found[record.spec.seed] = m.value
        return found

    def records(self, run: Run) -> list[Record]:
        """Returns the records of a run's cells, failures too, as far as there are any."""
        key = _settings(run)
        if key not in self._records:
            some = self.store.has(run.dataset, run.model)
            specs = specs_of(self.scale.run(run)) if some else []
            found = (self.store.read(spec) for spec in specs)
            self._records[key] = [record for record in found if record is not None]
        return self._records[key]

    def finished(self, run: Run) -> list[int]:
        """Returns the seeds of a run that were trained to the end and measured."""
        records = self._finished(run)
        keys = _keys(run) if records else set()
        held = [r for r in records if keys <= {m.key for m in r.metrics}]
        return [record.spec.seed for record in held]

    def measured(self, column: str) -> dict[int, float]:
        """Returns a column of the experiment, over the scale's seeds."""
        rows, seeds = self.trial().columns.get(column, {}), self.scale.count(self.claim.seeds)
        return {s: v for s, v in rows.items() if v is not None and s < seeds}

    def trial(self) -> Trial:
        """Returns what the claim's experiment has measured at this scale."""
        self._trial = self._trial or self._read()
        return self._trial

    def effects(self) -> list[Effect]:
        """Returns the claim's effects, as far as there is evidence."""
        return list(self.claim.function(self))

    def missing(self) -> dict[str, list[int]]:
        """Returns, by run, the seeds that are still to be trained or measured."""
        found: dict[str, list[int]] = {}
        for run in self.claim.runs:
            records = self.records(run)
            settled = {r.spec.seed for r in records if r.status not in ("ok", *FAILURES)}
            done = settled | set(self.finished(run))
            seeds = [s for s in range(self.scale.run(run).seeds) if s not in done]
            found |= {str(run): seeds} if seeds else {}
        if self.claim.experiment is not None and (left := self.untried()):
            found[EXPERIMENT] = left
        return found

    def failed(self) -> dict[str, int]:
        """Returns, by run, how many seeds ended badly: they give no value, which flatters the rest."""
        counts = {
            str(run): sum(r.status not in ("ok", "skipped") for r in self.records(run))
            for run in self.claim.runs
        }
        failures = self.trial().failures if self.claim.experiment is not None else {}
        counts[EXPERIMENT] = sum(s < self.scale.count(self.claim.seeds) for s in failures)
        return {name: count for name, count in counts.items() if count}

    def untried(self) -> list[int]:
        """Returns the seeds that the experiment was not made with yet."""
        return sorted(set(range(self.scale.count(self.claim.seeds))) - self._read().seeds)

    def _read(self) -> Trial:
        kept = Trials(self.store.root).read(self.claim, self.scale.options(self.claim))
        return kept or Trial(claim=self.claim.name, version=self.claim.version)

    def _finished(self, run: Run) -> list[Record]:
        return [record for record in self.records(run) if record.status == "ok"]


def tried(held: Held, seeds: Sequence[int], device: str = "cpu") -> Trial:
    """Makes a claim's experiment for seeds; an exception becomes failures.

    Arguments:
        held: The claim at its scale.
        seeds: The seeds.
        device: Where it is made.
    """
    claim, chosen = held.claim, held.scale.options(held.claim)
    place = choose_device(device)
    began, started = time.perf_counter(), now()
    try:
        columns = claim.measure(Rng(seeds, device=place).fork("claim", claim.name), **chosen)
    except Exception as error:
        lost = failed_trial(held, seeds, f"{type(error).__name__}: {error}")
        spent = {"seconds": time.perf_counter() - began, "started": started}
        return lost.model_copy(update={**spent, "environment": environment(place)})
    rows = {name: {s: _finite(v) for s, v in row.items()} for name, row in columns.items()}
    return Trial(
        claim=claim.name,
        version=claim.version,
        options=chosen,
        columns=rows,
        seconds=time.perf_counter() - began,
        environment=environment(place),
        started=started,
        finished=now(),
    )


def failed_trial(held: Held, seeds: Sequence[int], reason: str) -> Trial:
    """Returns the trial of an experiment that gave nothing for these seeds, and why in a sentence."""
    return Trial(
        claim=held.claim.name,
        version=held.claim.version,
        options=held.scale.options(held.claim),
        failures=dict.fromkeys(seeds, reason),
        environment=environment(choose_device("cpu")),
        finished=now(),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _keys(run: Run) -> set[str]:
    """What a run's measurements are keyed by."""
    parts = [Part(name=name) for name in run.metrics]
    return {asked.key for asked in ask(parts, samples=run.samples)}
