"""The Python front door: what the command line offers, as functions; it parses, calls this and prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.api.door import HOW, front_door, make_options
from genbench.api.training import TrainedModel, train
from genbench.core.asked import as_path, list_names, require_counts
from genbench.core.errors import DataError, SpecError
from genbench.core.files import RUNS
from genbench.core.spec import Criterion, Suite
from genbench.evaluation.batches import ReadOptions
from genbench.evaluation.evaluate import PartLike, parse_parts, request_names, request_parts
from genbench.evaluation.evaluate import evaluate as _evaluate
from genbench.evaluation.sources import open_points
from genbench.report.cards import Card, make_cards
from genbench.report.evaluation import show_itself
from genbench.report.gate.check import check_results
from genbench.report.leaderboard import Leaderboard, load_leaderboard
from genbench.report.results import results as load_results
from genbench.running.changed_suites import change_suite, find_pairs
from genbench.running.claims import run_claims, run_until_decided
from genbench.running.plan import Redo
from genbench.running.run_result import RunResult
from genbench.running.scale import Scale
from genbench.running.suites import Listener, run_suite
from genbench.running.tuning import CAMPAIGN, find_campaign, run_tuning
from genbench.running.tuning_cost import CostBook, CostEstimate
from genbench.running.unused import refuse_unused
from genbench.running.usual_metrics import add_usual
from genbench.statistics.looks import LAST
from genbench.store import Record, Store
from genbench.store.absent import has_content, no_records
from genbench.store.documents import read_suite
from genbench.store.suites import CLAIMS, find_suite

__all__ = [
    "TrainedModel",
    "check",
    "claims",
    "evaluate",
    "leaderboard",
    "results",
    "run",
    "samples",
    "train",
    "tune",
    "tuning_costs",
]


evaluate = front_door()(show_itself(_evaluate))
check = front_door()(check_results)
results = front_door()(load_results)


@front_door(HOW)
def run(
    suite: str | Suite | Mapping[str, Any] | None = None,
    *,
    models: str | Sequence[str] = (),
    datasets: str | Sequence[str] = (),
    seeds: int | None = None,
    steps: int | None = None,
    labelled: int | None = None,
    tuned_by: Criterion | None = None,
    metrics: str | Iterable[PartLike] | None = None,
    claims: str | Sequence[str] = (),
    budget_scale: str = "default",
    until_decided: bool = False,
    max_seeds: int | None = None,
    config: Path | None = None,
    results: Path | str = RUNS,
    dry_run: bool = False,
    listener: Listener | None = None,
    **options: Any,
) -> RunResult:
    """Trains and scores what a suite still lacks, and records it, as `genbench run` does.

    Arguments:
        suite: A suite's name, "claims" for all that the claims need, or a suite as `benchmarks.yaml` has it.
            None takes the settings of `demo`: models and data sets together are its cells in place of its
            own, models alone are trained on its data sets, on data sets alone its models are.
        models: Of a suite that is named keep these models alone; otherwise names, perhaps with options, as
            in `train`.
        datasets: Likewise.
        seeds: So many seeds, from 0 on.
        steps: Every cell trains for so many rounds.
        labelled: Every seed sees only so many training labels.
        tuned_by: "samples" or "density": all models that can be tuned take the options that tuning chose so
            on the data set (`baselines/tuned.yaml`). None leaves it to the suite.
        metrics: Names with options, as in `evaluate`, measured in place of the suite's. None takes the
            suite's; of pairs of models and data sets, also what the data sets' `quality` names and, of
            images that are made from something, psnr and ssim.
        claims: With "claims": these alone.
        budget_scale: With "claims": quick, half, default or double.
        until_decided: With "claims": add seeds, at the declared looks, to those of which a part is open.
        max_seeds: Where `until_decided` gives up; by default after the last of the looks, 64.
        config: The suite file; by default benchmarks.yaml here, else the one that genbench ships.
        results: The results folder.
        dry_run: Plan alone.
        listener: Told of the run as it goes on.
        options: Fields of `genbench.running.suites.RunOptions`: device, executor, jobs, timeout, redo, …

    Raises:
        GenbenchError: If something named is not there, or would change nothing, or the folder cannot be
            written.
    """
    chosen = make_options(results, options)
    require_counts(max_seeds=max_seeds, seeds=seeds, steps=steps, labelled=labelled)
    models, datasets, claims = (list_names(names) for names in (models, datasets, claims))
    how: dict[str, Any] = {"dry_run": dry_run, "listener": listener}
    filters = {"models": models, "datasets": datasets}
    own_size = {"config": config, "steps": steps, "labelled": labelled, "metrics": metrics}
    own_size["tuned_by"] = tuned_by
    looks = {"until_decided": until_decided, "max_seeds": max_seeds}
    refuse_unused(suite, budget_scale, claims=claims, **filters, **own_size, **looks)
    if suite == "claims":
        scale = Scale(budget_scale, seeds)
        if until_decided:
            return run_until_decided(
                claims, chosen, scale=scale, max_seeds=max_seeds or LAST, **how
            )
        return run_claims(claims, chosen, scale=scale, **filters, **how)
    own = suite is None
    if suite is None or isinstance(suite, str):
        suite = find_suite(suite or "demo", config)
    elif not isinstance(suite, Suite):
        suite = read_suite(suite)
    pairs = find_pairs(suite, models, datasets) if own else ()
    names = [] if metrics is None else parse_parts(metrics)
    parts = [] if metrics is None else request_parts(names)
    size = {"seeds": seeds, "steps": steps, "labelled": labelled}
    suite = change_suite(suite, *pairs, metrics=parts, tuned_by=tuned_by, **size)
    chosen = replace(chosen, named=request_names(names))
    if not any(pairs):
        return run_suite(suite, chosen, **filters, **how)
    if not parts:
        suite = add_usual(suite, data_dir=chosen.data_dir, offline=chosen.offline)
    return run_suite(suite, chosen, **how)


@front_door((*CAMPAIGN, *HOW))
def tune(
    *, results: Path | str = RUNS, listener: Listener | None = None, **about: Any
) -> RunResult:
    """Trains and scores the trials of tuning that a results folder lacks, as `genbench tune` does.

    Arguments:
        results: The results folder.
        listener: Told of the run as it goes on.
        about: What to tune, `models`, `datasets`, `trials`, `steps`, `sampler` and `config`, and fields of
            `genbench.running.suites.RunOptions`.

    Raises:
        GenbenchError: If something named is not there, or the folder cannot be written.
    """
    what = {key: about.pop(key) for key in (*CAMPAIGN,) if key in about}
    what |= {key: list_names(what[key]) for key in ("models", "datasets") if key in what}
    options = make_options(results, about)
    campaign = find_campaign(**what, data_dir=options.data_dir)
    return run_tuning(campaign, options, listener=listener)


@front_door((*CAMPAIGN, "data_dir"))
def tuning_costs(
    *, results: Path | str = RUNS, redo: Redo = "missing", **what: Any
) -> list[CostEstimate]:
    """Returns what tuning still costs, by model and data set, from a results folder's recorded seconds.

    Arguments:
        results: The results folder.
        redo: With `failed`, what trials that failed cost again, too.
        what: What to tune, as in `tune`; `data_dir` is a folder with data sets' files.
    """
    what |= {key: list_names(what[key]) for key in ("models", "datasets") if key in what}
    campaign, book = find_campaign(**what), CostBook(Store(as_path(results)))
    return [book.estimate(rule, campaign.trials[rule.file], redo) for rule in campaign.rules]


@front_door()
def samples(cell: str, *, results: Path | str = RUNS) -> Tensor:
    """Returns the stored samples of a recorded cell, in data space, shape (N, *event).

    Arguments:
        cell: The cell's id, or enough of its beginning.
        results: The results folder.

    Raises:
        DataError: If there is no such cell, or it has no samples beside its record.
        StoreError: If the folder holds no records.
    """
    options = ReadOptions(results=as_path(results))
    store = Store(options.results)
    if not store.files():
        raise no_records(options.results)
    if store.find(str(cell)) is None:
        raise DataError(
            f"{cell} is not a cell of {options.results}/; see: "
            f"genbench.results({str(options.results)!r})"
        )
    return torch.cat(list(open_points(cell, options).batches(options.batch)))


@front_door()
def leaderboard(
    *sources: TrainedModel | Path | str,
    suite: str | None = None,
    config: Path | None = None,
    scale: str = "default",
) -> Leaderboard:
    """Returns leaderboards, one per data set, of a results folder or of models trained here.

    Arguments:
        sources: A results folder (by default `runs`), or trained models.
        suite: Of a folder: this suite's cells alone.
        config: The suite file; by default benchmarks.yaml here, else the one that genbench ships.
        scale: Of a folder: which scale of the claims' budgets is shown.

    Raises:
        StoreError: If the folder holds no records.
        SpecError: If folders and models are mixed, there are several folders, or one seed stands in two
            models.
    """
    models = [source for source in sources if isinstance(source, TrainedModel)]
    folders = [source for source in sources if not isinstance(source, TrainedModel)]
    if models and (suite is not None or config is not None or scale != "default"):
        raise SpecError("suite, config and scale are for a results folder; leave them out")
    if models and not folders:
        records = tuple(record for model in models for record in model.records)
        _refuse_twice(records)
        return Leaderboard(records)
    if models or len(folders) > 1:
        raise SpecError(
            "leaderboard needs trained models or one results folder; unite folders with genbench merge"
        )
    return load_leaderboard(*map(as_path, folders), suite=suite, config=config, scale=scale)


def _refuse_twice(records: Sequence[Record]) -> None:
    """Refuses a seed that would count twice."""
    counts = Counter(record.cell for record in records)
    for record in records:
        if counts[record.cell] > 1:
            spec = record.spec
            raise SpecError(
                f"leaderboard needs each seed once, but {spec.model} on {spec.dataset}, seed {spec.seed}, is "
                f"in two of the models; leave one of them out"
            )


@front_door()
def claims(
    *names: str,
    results: Path | str | None = None,
    budget_scale: str | None = None,
    seeds: int | None = None,
) -> list[Card]:
    """Returns what the measurements of a results folder say of the literature's claims; trains nothing.

    Arguments:
        names: Claims; all of them without any.
        results: The results folder, which must hold records or trials; without one `runs`, which need not.
        budget_scale: quick, half, default or double; None takes the first that has measurements.
        seeds: How many seeds count; None takes what every claim asks for.

    Raises:
        StoreError: If a folder is named that holds nothing.
    """
    usual = budget_scale is None and seeds is None
    scale = None if usual else Scale(budget_scale or "default", seeds)
    root = as_path(RUNS if results is None else results)
    if results is not None and not has_content(root):
        raise no_records(root, CLAIMS)
    every = [name for one in names for name in list_names(one)]
    return make_cards(Store(root), every, scale, root)
