"""Tunes models: rounds of trials, each planned from the scores of those before."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genbench.core.asked import require_counts
from genbench.core.errors import SpecError, unknown
from genbench.core.spec import Budget, Tuning
from genbench.running.executor import Executor
from genbench.running.job import RunSettings
from genbench.running.plan import Plan, Redo
from genbench.running.run_result import RunResult
from genbench.running.suites import Listener, RunOptions, execute_plan
from genbench.running.tuning_cost import CostBook
from genbench.running.tuning_filing import drop_states
from genbench.running.tuning_job import TuneJob
from genbench.running.tuning_plans import check_data, check_space, refuse_idle, tuned_models
from genbench.running.tuning_rule import (
    brackets,
    choose_plans,
    find_changed,
    find_failed,
    frontier,
    make_rule,
    make_trial,
    pending,
    specs_of_trial,
)
from genbench.running.tuning_samplers import SAMPLERS, propose
from genbench.running.unused import refuse_unused_options
from genbench.store import Store
from genbench.store.documents import load_tuning
from genbench.store.suites import suite_file
from genbench.store.tuning import TuningResult, TuningRule
from genbench.store.tunings import Tunings, examine

#: models that are tuned side by side at least, so that one's last rungs leave no worker idle
AT_ONCE = 4
#: a trial as it was before any rung
UNSCORED: dict[str, Any] = {"rungs": [], "failures": {}}
#: names of what says what is to be tuned
CAMPAIGN = ("models", "datasets", "trials", "steps", "sampler", "config")


@dataclass(frozen=True)
class Campaign:
    """What is to be tuned.

    Arguments:
        rules: A rule per model and data set.
        trials: By the file of a rule, how many trials its model gets.
    """

    rules: Sequence[TuningRule]
    trials: Mapping[str, int]


@dataclass
class _Rounds:
    """Plans the next round of trials from what is on disk."""

    campaign: Campaign
    store: Store
    settings: RunSettings
    redo: Redo
    again: set[tuple[str, int]] = field(default_factory=set)

    def jobs(self, rules: Sequence[TuningRule]) -> list[TuneJob]:
        """Returns the trials of some rules that can be trained now, each to its next rung."""
        return [job for rule in rules for job in self._of(rule)]

    def _of(self, rule: TuningRule) -> Iterator[TuneJob]:
        file = Tunings(self.store.root).read(rule)
        if changed := find_changed(file):
            raise SpecError(changed)
        begun = {k: t.model_copy(update=UNSCORED) for k, t in file.by_number.items()}
        trials = file.by_number
        if self.redo == "failed":
            failed = {k for k, t in trials.items() if t.failures}
            trials = {k: t for k, t in trials.items() if k not in failed - self._tried(rule)}
        every = brackets(rule, self.campaign.trials[rule.file])
        alive = {k for members in every for k in frontier(rule, trials, members)[1]}
        drop_states(self.store.root, rule, alive)
        for members in every:
            todo = pending(rule, trials, members)
            points = propose(rule, file, members) if {k for k, _ in todo} - begun.keys() else {}
            for k, rung in todo:
                # what was begun keeps its options, though a sampler might now propose others
                trial = begun.get(k) or make_trial(rule, k, points.get(k))
                self.again.add((rule.file, k))
                specs = tuple(specs_of_trial(rule, trial))
                yield TuneJob(
                    settings=self.settings, rule=rule, trial=trial, rung=rung, specs=specs
                )
            if todo and rule.sampler != "random":
                return  # the next bracket is proposed from this one's scores

    def _tried(self, rule: TuningRule) -> set[int]:
        return {k for name, k in self.again if name == rule.file}


def find_campaign(
    *, config: Path | None = None, steps: int | None = None, **what: Any
) -> Campaign:
    """Returns what is to be tuned by the plans of a suite file.

    Arguments:
        config: The suite file; by default benchmarks.yaml here, else the one that genbench ships.
        steps: Every trial trains for so many rounds, in place of the plans' budgets.
        what: As in `make_campaign`.
    """
    require_counts(steps=steps)
    file = suite_file(config)
    plans = load_tuning(file)
    if not plans:
        raise SpecError(
            f"tune needs plans under tuning in the suite file, {file} has none; leave out --config, and "
            "those that genbench ships are taken"
        )
    if steps:
        change = {"budget": Budget(steps=steps)}
        plans = {name: plan.model_copy(update=change) for name, plan in plans.items()}
    return make_campaign(plans, **what)


def make_campaign(
    plans: Mapping[str, Tuning],
    *,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    trials: int | None = None,
    sampler: str = "random",
    data_dir: Path | None = None,
) -> Campaign:
    """Returns what is to be tuned.

    Arguments:
        plans: By name, how a data set is tuned.
        models: Only these, if any are named.
        datasets: Only these plans, if any are named, by their own names or their data sets'.
        trials: So many trials a model, in place of the plans' own.
        sampler: `random` or `tpe`.
        data_dir: A folder with data sets' files.

    Raises:
        UnknownName: For a data set without a plan, or a model or a sampler that is not there.
        SpecError: If there are no trials, a plan asks for what is not there or cannot be measured, or a
            model that is named cannot be tuned.
        DataError: If a data set has no validation split.
    """
    require_counts(trials=trials)
    if sampler not in SAMPLERS:
        raise unknown("sampler", sampler, SAMPLERS)
    chosen = choose_plans(plans, datasets)
    refuse_idle(chosen, models, datasets)
    counts: dict[str, int] = {}
    rules: list[TuningRule] = []
    for name, plan in chosen.items():
        dataset = plan.dataset or name
        for model in tuned_models(dataset, plan, models):
            check_space(model)
            rule = make_rule(model, dataset, plan, sampler)
            if rule.file not in counts:  # another plan may say the same
                rules.append(rule)
            counts[rule.file] = max(trials or plan.trials, counts.get(rule.file, 0))
            brackets(rule, counts[rule.file])
    check_data(rules, data_dir)
    return Campaign(rules, counts)


def run_tuning(
    campaign: Campaign, options: RunOptions | None = None, *, listener: Listener | None = None
) -> RunResult:
    """Trains and scores the trials that a results folder still lacks, rung by rung.

    No test point is read. Ctrl-C ends a run with `plan.stopped`; what is scored is kept, and the same
    call goes on from there to the same trials.

    Arguments:
        campaign: What is to be tuned.
        options: How and where; `redo` `failed` tries again what failed.
        listener: Told of the run as it goes on.

    Raises:
        SpecError: If the options ask for what trials do not take.
        GenbenchError: If the results folder cannot be written.
    """
    options, listener = options or RunOptions(), listener or Listener()
    refuse_unused_options(options)
    store = Store(options.root)
    result = RunResult(store)
    with closing(options.make_executor()) as executor:
        settings = RunSettings(
            device=options.device,
            data_dir=options.data_dir,
            offline=options.offline,
            plugins=options.plugins,
            workers=executor.workers,
            timeout=options.timeout,
        )
        rounds = _Rounds(campaign, store, settings, options.redo)
        many = max(AT_ONCE, executor.workers)
        for at in range(0, len(campaign.rules), many):
            if not _tune(campaign.rules[at : at + many], rounds, result, executor, listener):
                break
    tried = {one.rule.file for one in result.results if isinstance(one, TuningResult)}
    files = (Tunings(store.root).read(rule) for rule in campaign.rules if rule.file not in tried)
    result.failed_before += [problem for file in files if (problem := find_failed(file))]
    return result


def _tune(
    rules: Sequence[TuningRule],
    rounds: _Rounds,
    result: RunResult,
    executor: Executor,
    listener: Listener,
) -> bool:
    """Makes all rounds of trials of a few models; returns whether the run goes on."""
    busy: set[str] = set()
    places: set[tuple[str, int, int]] = set()
    costs = CostBook(rounds.store)
    while True:
        jobs = [job for job in rounds.jobs(rules) if job.rule.file not in busy]
        jobs = [job for job in jobs if _place(job) not in places]
        if not jobs:
            return True
        places |= {_place(job) for job in jobs}  # once each, whatever comes of it
        jobs.sort(key=lambda job: -costs.expect(job.rule, job.rung))
        plan = Plan(jobs=[*jobs])
        plan.damaged += find_damaged(rounds.store, rules)
        result.plans.append(plan)
        listener.planned(plan)
        result.results += execute_plan(plan, rounds.store, executor, listener)
        if plan.stopped is not None:
            return False
        busy |= {job.rule.file for job in plan.busy if isinstance(job, TuneJob)}


def find_damaged(store: Store, rules: Iterable[TuningRule]) -> list[str]:
    """Returns a sentence for every file that stands in the place of some rules' trials and holds none."""
    paths = [path for rule in rules if os.path.lexists(path := Tunings(store.root).path(rule))]
    return [problem for path in paths if (problem := examine(path)[1])]


def _place(job: TuneJob) -> tuple[str, int, int]:
    return job.rule.file, job.trial.k, job.rung
