"""Runs what claims still need: their experiments, then their cells by way of suites."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from genbench.core.claim import Claim, Run, find
from genbench.core.errors import SpecError
from genbench.core.spec import Suite, canonical
from genbench.evaluation.provenance import hash_plugin
from genbench.running.claim_cells import find_choice, specs_of, suite_of
from genbench.running.evidence import ClaimEvidence
from genbench.running.executor import Executor, make_executor
from genbench.running.job import RunSettings, TrialJob
from genbench.running.null_gates import NullRows, read_effects
from genbench.running.null_runs import make_null_runs
from genbench.running.plan import Plan, Redo, merge_plans
from genbench.running.run_result import RunResult
from genbench.running.scale import Scale
from genbench.running.suites import Listener, RunOptions, execute_plan
from genbench.statistics.looks import LAST
from genbench.store import Store
from genbench.store.trial import Trial, Trials, claim_id, examine


def run_claims(
    names: Sequence[str] = (),
    options: RunOptions | None = None,
    *,
    scale: Scale | None = None,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    dry_run: bool = False,
    listener: Listener | None = None,
) -> RunResult:
    """Makes the experiments that claims lack, and trains and scores the cells that they read.

    Null rows of the columns that the claims' judged effects read, which train nothing, are among them.
    Experiments that measure times are made alone, in this process; the others and the cells go to the
    executor. Ctrl-C is as in `run_suite`.

    Arguments:
        names: Claims; all of them without any.
        options: How and where.
        scale: How thorough the pass is.
        models: Only cells of these, and no experiments, if any are named.
        datasets: Only cells on these, and no experiments, if any are named.
        dry_run: Make the plans alone.
        listener: Told of the pass as it goes on.

    Raises:
        UnusableTuning: If tuned options of a run may not be taken.
        GenbenchError: For an unknown claim, or if the results folder cannot be written.
    """
    options, listener, scale = options or RunOptions(), listener or Listener(), scale or Scale()
    claims, store = find(names), Store(options.root)
    result = RunResult(store)
    for run in (run for one in claims.values() for run in one.all_runs if run.tuned):
        find_choice(run)  # options that may not be taken end the pass before any experiment
    with closing(options.make_executor()) as executor, closing(make_executor("inline")) as alone:
        if not (models or datasets):
            for timed, place in ((True, alone), (False, executor)):
                some = [claim for claim in claims.values() if claim.timed == timed]
                settings = options.trial_settings(place.workers)
                plan = plan_trials(some, scale, store, settings, options.redo)
                if plan.jobs and not _do(plan, result, place, listener, dry_run):
                    return result
        runs = [scale.run(run, one.first_seed) for one in claims.values() for run in one.all_runs]
        nulls = [run for claim in claims.values() for run in make_null_runs(claim, scale, store)]
        runs, nulls = (
            [run for run in some if _is_named(run, models, datasets)] for some in (runs, nulls)
        )
        had: dict[str, dict[str, str]] = {}
        for suites, null_suites in zip_longest(
            make_rounds(runs), make_rounds(nulls), fillvalue=[]
        ):
            # what trains nothing is the same at every budget
            marked = [(suite, scale.mark) for suite in suites] + [(s, None) for s in null_suites]
            plans = [
                options.plan_suite(suite, workers=executor.workers, scale=mark, had=had)
                for suite, mark in marked
            ]
            if not _do(merge_plans(plans), result, executor, listener, dry_run):
                return result
    return result


def _is_named(run: Run, models: Sequence[str], datasets: Sequence[str]) -> bool:
    """Whether a run is of the models and data sets that are named, or none are."""
    return (not models or run.model in models) and (not datasets or run.dataset in datasets)


def run_until_decided(
    names: Sequence[str] = (),
    options: RunOptions | None = None,
    *,
    scale: Scale | None = None,
    max_seeds: int = LAST,
    dry_run: bool = False,
    listener: Listener | None = None,
) -> RunResult:
    """Runs claims look by look, at twice as many seeds each time, until all their parts are decided.

    The looks are declared beforehand (`statistics/looks.py`), and every verdict is made at the level that
    they leave, so that stopping where it pleases gains nothing.

    Arguments:
        names: Claims; all of them without any.
        options: How and where.
        scale: The budget.
        max_seeds: Where to give up, at most the last of the declared looks.
        dry_run: Make the plans alone, of the first look that lacks anything.
        listener: Told of the pass as it goes on.

    Raises:
        SpecError: If `max_seeds` is beyond the declared looks, or before the first of a named claim, or the
            scale names seeds.
        GenbenchError: For an unknown claim, or if the results folder cannot be written.
    """
    if max_seeds > LAST:
        raise SpecError(
            f"--max-seeds needs {LAST} or fewer, the last of the declared looks, got {max_seeds}"
        )
    options, scale = options or RunOptions(), scale or Scale()
    claims, store, look = find(names), Store(options.root), 0
    refuse_seeds(claims, scale, max_seeds, named=bool(names))
    result = RunResult(store)
    while claims:
        by_count: dict[int, list[str]] = {}
        for claim in claims.values():
            counts = scale.looks(claim).counts
            if look < len(counts) and (look == 0 or counts[look] <= max_seeds):
                by_count.setdefault(counts[look], []).append(claim.name)
        for count, group in by_count.items():
            seeds = Scale(scale.budget, count if look else None)
            one = run_claims(group, options, scale=seeds, dry_run=dry_run, listener=listener)
            result.plans += one.plans
            result.results += one.results
            if any(plan.stopped is not None for plan in one.plans):
                return result
        if dry_run and any(plan.jobs for plan in result.plans):
            break
        seed_counts = {name: count for count, group in by_count.items() for name in group}
        claims = {
            id: claim
            for id, claim in claims.items()
            if claim.name in seed_counts
            and not is_decided(
                claim, store, Scale(scale.budget, seed_counts[claim.name] if look else None)
            )
        }
        look += 1
    return result


def refuse_seeds(
    claims: Mapping[str, Claim], scale: Scale, max_seeds: int, *, named: bool
) -> None:
    """Refuses numbers of seeds that declared looks leave no room for; of all claims some look must fit."""
    if scale.seeds is not None:
        raise SpecError(
            "--until-decided takes no --seeds, since its looks are declared; leave it out, and name the "
            "most seeds by --max-seeds"
        )
    firsts = {id: scale.looks(claim).counts[0] for id, claim in claims.items()}
    id = (max if named else min)(firsts, key=firsts.__getitem__)
    if max_seeds < firsts[id]:
        raise SpecError(
            f"--max-seeds needs {firsts[id]} or more, the first look of {id}, got {max_seeds}"
        )


def is_decided(claim: Claim, store: Store, scale: Scale) -> bool:
    """Returns whether no judged part of a claim is left open by what has been measured at a scale.

    Parts that rest on what null rows pass are not judged, and wait for no seeds.
    """
    evidence = ClaimEvidence(claim, store, scale)
    own = read_effects(lambda log: {"": claim.function(log)}, evidence, NullRows(store))
    return all(part.outcome != "inconclusive" for part in own.judge("", scale).judged)


def _do(
    plan: Plan, result: RunResult, executor: Executor, listener: Listener, dry_run: bool
) -> bool:
    """Does a plan; returns whether the pass goes on."""
    result.plans.append(plan)
    listener.planned(plan)
    if not dry_run:
        result.results += execute_plan(plan, result.store, executor, listener)
    return plan.stopped is None


def plan_trials(
    claims: Iterable[Claim], scale: Scale, store: Store, settings: RunSettings, redo: Redo
) -> Plan:
    """Returns the plan of the experiments that claims lack; side by side the longest come first.

    Arguments:
        claims: The claims; those without an experiment need nothing.
        scale: How thorough the pass is.
        store: Where trials are looked for.
        settings: What every job gets.
        redo: `missing` makes seeds that have not been tried, `failed` also all seeds of experiments of
            which any failed, `all` every seed.
    """
    jobs, damaged, stale = [], [], []
    for claim in (claim for claim in claims if claim.experiment is not None):
        evidence, chosen = ClaimEvidence(claim, store, scale), scale.options(claim)
        path = Trials(store.root).path(claim, chosen)
        trial, problem = examine(path)
        damaged += [problem] if problem and os.path.lexists(path) else []
        again = redo == "all" or (redo == "failed" and trial is not None and trial.failures)
        seeds = evidence.own_seeds if again else evidence.untried()
        stale += find_stale(claim, trial, seeds)
        apart = claim.seed_by_seed and not claim.timed
        jobs += [
            TrialJob(
                claim=claim.name,
                version=claim.version,
                options=chosen,
                trial_seeds=piece,
                redone=frozenset(trial.seeds if trial is not None else ()),
                settings=settings,
            )
            for piece in (
                [(seed,) for seed in seeds] if apart else [tuple(seeds)] if seeds else []
            )
        ]
    if settings.workers > 1:
        jobs.sort(key=lambda job: -len(job.seeds))
    return Plan(jobs=list(jobs), damaged=damaged, stale=stale)


def find_stale(claim: Claim, trial: Trial | None, seeds: Iterable[int]) -> list[str]:
    """Returns a user's claim's id for each seed that stays and was made with another source of it."""
    source = None if trial is None else trial.environment.get("source")
    if trial is None or source in (None, hash_plugin(claim.function)):
        return []
    return [claim_id(claim.name)] * len(trial.seeds.difference(seeds))


def make_rounds(runs: Iterable[Run]) -> list[list[Suite]]:
    """Returns the cells of runs as suites, in rounds to be done one after the other.

    Runs of the same cells are one, whatever chose their options: the most of their seeds, all of their
    metrics. A cell that is asked
    with several numbers of samples, or other options of metrics, is trained in the first round and
    measured again in the next.
    """
    cells: dict[tuple[str, int], dict[tuple[Any, ...], Run]] = {}
    for run in runs:
        ways = cells.setdefault((specs_of(run)[0].group, run.first_seed), {})
        way = run.samples, canonical({name: dict(own) for name, own in run.metric_options.items()})
        before = ways.get(way, replace(run, metrics=()))
        metrics = tuple(dict.fromkeys((*before.metrics, *run.metrics)))
        ways[way] = replace(run, metrics=metrics, seeds=max(run.seeds, before.seeds))
    rounds = max(map(len, cells.values()), default=0)
    return [
        _group_runs([[*c.values()][i] for c in cells.values() if len(c) > i])
        for i in range(rounds)
    ]


def _group_runs(runs: Sequence[Run]) -> list[Suite]:
    alike: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        metrics = frozenset(canonical(part.model_dump()) for part in run.parts)
        alike.setdefault((metrics, run.samples, run.seeds, run.first_seed), []).append(run)
    return [suite_of(*group) for group in alike.values()]
