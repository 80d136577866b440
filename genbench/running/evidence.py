"""What a results folder holds of a claim at a scale: scores of cells, trials, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from genbench.core.claim import Claim, Run
from genbench.core.effect import Effect, Scores
from genbench.core.errors import ContractError
from genbench.running.claim_cells import find_column, keys_of, list_seeds, run_key, specs_of
from genbench.running.measured_noise import find_noise, find_rare
from genbench.running.scale import Scale
from genbench.store import FAILURES, Record, Store
from genbench.store.trial import Trial, Trials
from genbench.store.tuned_options import UnusableTuning

#: statuses of cells that did not fail
COMPLETE = ("ok", "skipped")
#: stands for a claim's experiment where runs are named
EXPERIMENT = "its experiment"


@dataclass
class ClaimEvidence:
    """The evidence for one claim that a results folder holds.

    Arguments:
        claim: The claim.
        store: The folder.
        scale: How thorough the pass is; runs and options are those of that scale.
    """

    claim: Claim
    store: Store
    scale: Scale = field(default_factory=Scale)
    _records: dict[tuple[str, int], list[Record]] = field(default_factory=dict)
    _trial: Trial | None = None

    def scores(self, run: Run, column: str) -> Scores:
        """Returns a column of a run's finished cells, as asked by the run's own metrics and samples.

        Seeds count from the claim's first, which is 0. Those that diverged or failed, or whose model is so
        bad that the number does not exist, have an infinite value on the side that is worse. Where no side
        is, as of a spread, those that failed have none, and lie `beyond` on both: nothing is decided without
        them. The values know what test set and extractor leave uncertain, where that was measured, and which
        rare events runs of their family have shown.
        """
        records = self._finished(run)
        keys = keys_of(run) if records else set()
        rows = [
            (self._place(record.spec.seed), m)
            for record in records
            for m in record.metrics
            if (m.id, m.split) == (column, "test") and m.key in keys
        ]
        values = {seed: m.value for seed, m in rows if m.value is not None}
        about = find_column(run, column)
        if about is None:
            raise ContractError(
                f"claim {self.claim.id} reads {column!r} of {run}, which its metrics do not fill: "
                f"{', '.join(run.metrics)}; name the metric in the run"
            )
        lost = [seed for seed, m in rows if m.value is None and about.is_worst(m.reason)]
        failed = [r for r in self.records(run) if r.status not in ("ok", "skipped")]
        lost += [self._place(record.spec.seed) for record in failed]
        beyond = [(seed, side) for seed in lost for side in (-1, 1)]
        if about.worst is not None:
            values, beyond = values | dict.fromkeys(lost, about.worst), []
        noise = find_noise(run, column, [m for _, m in rows])
        # labels are a seed's own, and the same for all models
        apart = run.labelled is None
        rare = find_rare(run, column)
        return Scores(values, noise, independent=apart, beyond=beyond, origin=run, rare=rare)

    def records(self, run: Run) -> list[Record]:
        """Returns the records of a run's cells, failures too, as far as there are any."""
        key = run_key(run), run.seeds
        if key not in self._records:
            some = self.store.has(run.dataset, run.model)
            try:
                specs = specs_of(self.scale.run(run, self.claim.first_seed)) if some else []
            except UnusableTuning:  # of whose options there can be no cells
                specs = []
            records = (self.store.read(spec) for spec in specs)
            self._records[key] = [record for record in records if record is not None]
        return self._records[key]

    def finished(self, run: Run) -> list[int]:
        """Returns the seeds of a run that were trained to the end and measured."""
        records = self._finished(run)
        keys = keys_of(run) if records else set()
        some = (r for r in records if keys <= {m.key for m in r.metrics})
        return [self._place(record.spec.seed) for record in some]

    def measured(self, column: str) -> dict[int, float]:
        """Returns a column of the experiment, over the scale's seeds.

        What diverged is infinite on the side that is worse; what does not exist is left out.

        Raises:
            ContractError: If the claim has no experiment.
        """
        if self.claim.experiment is None:
            raise ContractError(
                f"claim {self.claim.id} reads {column!r} of an experiment and has none; declare experiment="
            )
        values = self.trial().values(column)
        return {self._place(s): v for s, v in values.items() if s in self.own_seeds}

    def trial(self) -> Trial:
        """Returns what the claim's experiment has measured at this scale."""
        self._trial = self._trial or self._read()
        return self._trial

    def effects(self) -> list[Effect]:
        """Returns the claim's effects, as far as there is evidence."""
        return list(self.claim.function(self))

    def missing(self) -> dict[str, list[int]]:
        """Returns, by run, the seeds that are still to be trained or measured."""
        missing: dict[str, list[int]] = {}
        for run in self.claim.all_runs:
            records = self.records(run)
            settled = {r.spec.seed for r in records if r.status not in ("ok", *FAILURES)}
            done = {self._place(seed) for seed in settled} | set(self.finished(run))
            own = list_seeds(self.scale.run(run, self.claim.first_seed))
            seeds = [seed for seed in own if self._place(seed) not in done]
            missing |= {str(run): seeds} if seeds else {}
        if self.claim.experiment is not None and (seeds := self.untried()):
            missing[EXPERIMENT] = seeds
        return missing

    def failed(self) -> dict[str, int]:
        """Returns, by run, how many seeds failed or diverged; they count as the worst that was measured.

        Seeds with which the whole experiment failed are among them, and have no values.
        """
        counts = {
            str(run): sum(r.status not in COMPLETE for r in self.records(run))
            for run in self.claim.all_runs
        }
        failed = self.trial().failed if self.claim.experiment is not None else set()
        counts[EXPERIMENT] = sum(seed in self.own_seeds for seed in failed)
        return {name: count for name, count in counts.items() if count}

    def failure_reasons(self) -> dict[str, str]:
        """Returns, by run, why seeds failed or diverged: the reasons that records give, each once."""
        reasons = {
            str(run): [r.reason or r.status for r in self.records(run) if r.status not in COMPLETE]
            for run in self.claim.all_runs
        }
        if self.claim.experiment is not None:
            failures = self.trial().failures
            reasons[EXPERIMENT] = [r for s, r in failures.items() if s in self.own_seeds]
        return {name: "; ".join(dict.fromkeys(some)) for name, some in reasons.items() if some}

    def untried(self) -> list[int]:
        """Returns the seeds that the experiment was not made with yet."""
        return sorted(set(self.own_seeds) - self._read().seeds)

    @property
    def own_seeds(self) -> range:
        """The seeds of the experiment at this scale."""
        first = self.claim.first_seed
        return range(first, first + self.scale.count(self.claim.seeds))

    def _place(self, seed: int) -> int:
        """A seed's place among the claim's."""
        return seed - self.claim.first_seed

    def _read(self) -> Trial:
        trial = Trials(self.store.root).read(self.claim, self.scale.options(self.claim))
        return trial or Trial(claim=self.claim.name, version=self.claim.version)

    def _finished(self, run: Run) -> list[Record]:
        return [record for record in self.records(run) if record.status == "ok"]


def widen_scale(claim: Claim, store: Store, scale: Scale) -> Scale:
    """Returns a scale with the most seeds of the looks (`--until-decided`) that are there, or as it is."""
    if scale.seeds is not None:
        return scale
    wider = scale
    for count in scale.looks(claim).counts[1:]:
        candidate = Scale(scale.budget, count)
        evidence = ClaimEvidence(claim, store, candidate)
        # most claims have no more seeds than they plan, which their first run tells
        first = claim.runs[:1]
        if any(len(evidence.records(run)) < count for run in first) or evidence.missing():
            break
        wider = candidate
    return wider
