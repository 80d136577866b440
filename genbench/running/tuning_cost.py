"""What tuning will cost, from recorded seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from genbench.core.errors import SpecError
from genbench.core.model import MODELS
from genbench.core.options import defaults
from genbench.core.spec import canonical
from genbench.running.cell_costs import UNKNOWN, known_costs
from genbench.running.plan import Redo
from genbench.running.tuning_rule import brackets, find_changed, pending
from genbench.store import Store
from genbench.store.tuning import TuningFile, TuningRule, TuningTrial
from genbench.store.tunings import Tunings

#: how much longer a seed takes in a stack of two than in one of eight, as cells mostly are
SMALL_STACK = 1.5


@dataclass(frozen=True)
class CostEstimate:
    """What one model on one data set will cost.

    Arguments:
        rule: The model and the data set.
        trials: How many trials in all.
        full: Seconds that training one trial to its end takes, all of its seeds; None: unknown.
        scoring: Seconds that scoring one trial once takes.
        seconds: Seconds of everything that is still to be done, of one worker; None: unknown.
        source: Where that is known from: `trials`, or what a `Rate` of cells says.
    """

    rule: TuningRule
    trials: int
    full: float | None
    scoring: float
    seconds: float | None
    source: str


class CostBook:
    """Seconds of training and scoring, as a results folder's trials and cells have them.

    Arguments:
        store: The folder.
    """

    def __init__(self, store: Store) -> None:
        self.store, self.cells = store, known_costs(store)
        self.files = Tunings(store.root).files()
        self._rates: dict[str, tuple[float | None, str]] = {}

    def expect(self, rule: TuningRule, rung: int) -> float:
        """Returns the seconds that going on to a rung takes, training and scoring.

        Where nothing is known of training, they are those of scoring.
        """
        before = rule.rungs[rung - 1] if rung else 0.0
        return (rule.rungs[rung] - before) * (self.full(rule)[0] or 0.0) + self.scoring(rule)

    def full(self, rule: TuningRule) -> tuple[float | None, str]:
        """Returns the seconds of training a trial to its end, or None, and where they are known from."""
        rate, source = self._rate(rule)
        budget = rule.budget
        if budget.seconds is not None:
            return budget.seconds, "the budget"
        if rate is None:
            return None, source
        rounds = budget.steps or (budget.examples or 0) / rule.batch
        return rate * rule.seeds * rounds, source

    def scoring(self, rule: TuningRule) -> float:
        """Returns the seconds of scoring a trial once, 2 s a seed where nothing is known."""
        own = [
            rung.scoring
            for file in self.files
            if _pair(file.rule)[:3] == _pair(rule)[:3]
            for trial in file.trials
            for rung in trial.rungs
        ]
        return fmean(own) if own else 2.0 * rule.seeds

    def estimate(self, rule: TuningRule, trials: int, redo: Redo = "missing") -> CostEstimate:
        """Returns what a model on a data set still costs; with `redo` `failed`, failed trials again too."""
        full, source = self.full(rule)
        file = Tunings(self.store.root).read(rule)
        if changed := find_changed(file):
            raise SpecError(changed)
        rungs = [_left(rule, file, members, redo) for members in brackets(rule, trials)]
        left = [(r, many) for counts in rungs for r, many in enumerate(counts) if many]
        seconds = sum(self.expect(rule, r) * many for r, many in left)
        known = full is not None or not left
        return CostEstimate(
            rule, trials, full, self.scoring(rule), seconds if known else None, source
        )

    def _rate(self, rule: TuningRule) -> tuple[float | None, str]:
        """Seconds of a round of one seed in a stack of two, or None, and where they are known from."""
        key = rule.file
        if key not in self._rates:
            own = [r for f in self.files if _pair(f.rule) == _pair(rule) for r in _rates(f)]
            self._rates[key] = (fmean(own), "trials") if own else self._find_rate(rule)
        return self._rates[key]

    def _find_rate(self, rule: TuningRule) -> tuple[float | None, str]:
        options = {**defaults(MODELS.get(rule.model)), **rule.base}
        data = rule.dataset, rule.dataset_options
        rate = self.cells.rate(rule.model, options, *data, rule.batch)
        known = rate.source != UNKNOWN
        return SMALL_STACK * rate.seconds if known else None, rate.source


def _left(rule: TuningRule, file: TuningFile, members: Sequence[int], redo: Redo) -> list[float]:
    """How many trials of a bracket are still to go on to each rung.

    Those that failed and are tried again go from the first rung on; how far is not known before, so that
    they are counted as far as any of the bracket goes.
    """
    trials = file.by_number
    todo = pending(rule, trials, members)
    failed = sum(k in trials and bool(trials[k].failures) for k in members)
    again = failed if redo == "failed" else 0
    at = todo[0][1] if todo else len(rule.rungs)
    alive, counts = float(len(members)), []
    for rung in range(len(rule.rungs)):
        fresh = len(todo) if rung == at else alive if rung > at else 0.0
        counts.append(max(fresh, min(alive, fresh + again)))
        alive = math.ceil(rule.keep * alive)
    return counts


def _pair(rule: TuningRule) -> tuple[str, str, str, int]:
    return rule.model, rule.dataset, canonical(rule.dataset_options), rule.batch


def _rates(file: TuningFile) -> Iterator[float]:
    for trial in file.trials:
        last = _last(trial)
        if last is not None:
            yield last / len(trial.seeds)


def _last(trial: TuningTrial) -> float | None:
    rung = trial.rungs[-1] if trial.rungs else None
    return rung.seconds / rung.step if rung is not None and rung.step else None
