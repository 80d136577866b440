"""What there is to do: the cells of a suite, or experiments, and the jobs that they are put into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from genbench.core.spec import CellSpec
from genbench.running.job import Job, StackJob
from genbench.store import Record

#: more jobs that are no stacks than this are told in one line
MANY = 12
#: which cells are done: those without a record, failures too, or all
Redo = Literal["missing", "failed", "all"]


@dataclass
class Plan:
    """The cells of a suite, sorted by what there is to do, or the experiments of claims.

    Arguments:
        jobs: Stacks to be trained, finished cells to be measured again, experiments to be made.
        done: Cells whose records are complete.
        failed: Records of earlier failures that are left as they are.
        skipped: Records of pairs of a model and a data set that cannot be.
        broken: Records of cells whose model or data set failed while they were planned.
        cells: Every cell of the suite, in order.
        damaged: A sentence for every file that stands in a record's place and is not one.
        stamps: By cell, when its record was written, so that a job sees what others did meanwhile.
        marks: Those of `done` whose records are to say otherwise what they are for, by field: made for claims
            at another budget and now asked for as such, or of metrics that are now named.
        changed: By model, cells of `done` that were made with another source of a user's plugin.
        stale: By claim's id, done seeds of its experiment that were made with another source than it has now.
        moved: By data set, cells of `done` that were made with other points than it has now.
        replaced: Old records of cells that were trained anew to other weights, where they lie now.
        owed: Those cells, each with a metric that its old record was scored by and its new one is not yet.
        busy: Jobs, or what is left of them, that another run on this folder has in hand.
        stopped: Why the run ended before its end, or None.
    """

    jobs: list[Job] = field(default_factory=list)
    done: list[CellSpec] = field(default_factory=list)
    failed: list[Record] = field(default_factory=list)
    skipped: list[Record] = field(default_factory=list)
    broken: list[Record] = field(default_factory=list)
    cells: list[CellSpec] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    stamps: dict[str, int] = field(default_factory=dict)
    marks: list[tuple[CellSpec, dict[str, Any]]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    replaced: list[Path] = field(default_factory=list)
    owed: list[tuple[str, str]] = field(default_factory=list)
    busy: list[Job] = field(default_factory=list)
    stopped: str | None = None

    @property
    def pending(self) -> int:
        """The number of cells, or seeds of experiments, that there is something to do for."""
        return sum(len(job.seeds) for job in self.jobs)

    def describe(self) -> str:
        """Returns a line about what there is to do, and one per experiment and damaged file."""
        rescored = [isinstance(job, StackJob) and job.rescore for job in self.jobs]
        score = sum(len(job.seeds) for job, old in zip(self.jobs, rescored, strict=True) if old)
        parts = [
            f"{len(self.cells)} cells",
            f"{len(self.done)} done",
            f"{self.pending - score} to train",
        ]
        if score:
            parts.append(f"{score} to measure again")
        if self.failed:
            parts.append(f"{len(self.failed)} failed before (again with --retry-failed)")
        if self.skipped:
            parts.append(f"{len(self.skipped)} that cannot be run")
        if self.broken:
            parts.append(f"{len(self.broken)} that fail before they start")
        cells = [", ".join(parts) + ("" if self.jobs else "; nothing to do")] if self.cells else []
        trials = [job for job in self.jobs if not isinstance(job, StackJob)]
        counts = Counter[str]()
        for job in trials:
            counts[job.title] += len(job.seeds)
        lines = [f"{title}: {count} seeds" for title, count in counts.items()]
        if len(lines) > MANY:
            lines = [f"{len(lines)} jobs, from {trials[0].title} to {trials[-1].title}"]
        lines += [*self.refusals, *self._list_broken()]
        aside = [f"damaged, done anew and the file set aside: {text}" for text in self.damaged]
        return "\n".join([*cells, *lines, *aside, *self._list_changed()])

    @property
    def refusals(self) -> list[str]:
        """A sentence per pair of a model and a data set that cannot be, with the reason."""
        pairs = ((f"{r.spec.model} on {r.spec.dataset}", r.reason) for r in self.skipped)
        return [f"{title} cannot be run: {reason}" for title, reason in dict.fromkeys(pairs)]

    def _list_broken(self) -> list[str]:
        """A sentence per pair of a model and a data set that fails before it starts, with the reason."""
        pairs = ((f"{r.spec.model} on {r.spec.dataset}", r.reason) for r in self.broken)
        return [f"{title} fails: {reason}" for title, reason in dict.fromkeys(pairs)]

    def _list_changed(self) -> list[str]:
        sources = [
            f"{count} done cells of {model} were made with another source than its file has now; train them "
            f"anew with --force, or raise the model's version, which keeps both"
            for model, count in sorted(Counter(self.changed).items())
        ]
        points = [
            f"{count} done cells on {dataset} were made with other points than it has now; train them anew "
            f"with --force, or raise the data set's version, which keeps both"
            for dataset, count in sorted(Counter(self.moved).items())
        ]
        experiments = [
            f"{count} done seeds of the experiment of {claim} were made with another source than its file "
            f"has now; make them anew with --force, or raise the claim's version, which keeps both"
            for claim, count in sorted(Counter(self.stale).items())
        ]
        return sources + points + experiments


def merge_plans(plans: Sequence[Plan]) -> Plan:
    """Returns several plans as one; no two of them may hold the same cell."""
    whole = Plan()
    for part in plans:
        for name in (f.name for f in fields(Plan) if f.name not in ("stamps", "stopped")):
            getattr(whole, name).extend(getattr(part, name))
        whole.stamps |= part.stamps
    return whole
