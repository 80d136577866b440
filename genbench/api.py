"""The Python front door: what the command line offers, as functions; it parses, calls this and prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.core.errors import DataError, SpecError
from genbench.core.files import RUNS
from genbench.core.metric import Trained
from genbench.core.model import Density, only_seed, parameter_count
from genbench.core.spec import Part, Suite
from genbench.evaluation.batches import ReadOptions
from genbench.evaluation.evaluate import PartLike, make_part, request_metrics
from genbench.evaluation.evaluate import evaluate as _evaluate
from genbench.evaluation.evaluator import draw
from genbench.evaluation.sources import open_points
from genbench.report.cards import Card, make_cards
from genbench.report.evaluation import show_itself
from genbench.report.gate.check import check_results as check
from genbench.report.leaderboard import Leaderboard, load_leaderboard
from genbench.report.results import results
from genbench.running.build import open_dataset, prepare_model
from genbench.running.claims import run_claims, run_until_decided
from genbench.running.evidence import Scale
from genbench.running.job import Outcome, RunSettings, StackJob, Stage
from genbench.running.plan import cell_specs, find_refusal
from genbench.running.stack import evaluate_stack, train_stack
from genbench.running.suites import (
    Listener,
    RunOptions,
    RunResult,
    change_suite,
    find_pairs,
    run_suite,
)
from genbench.running.tuning import CAMPAIGN, find_campaign, run_tuning
from genbench.running.tuning_cost import CostBook, CostEstimate
from genbench.statistics.looks import LAST
from genbench.store import Record, Store
from genbench.store.documents import read_suite
from genbench.store.suites import find_suite

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


evaluate = show_itself(_evaluate)


class TrainedModel:
    """A model of several seeds, trained in one stack; `train` makes it.

    Its weights, samples and scores are, bit for bit, those of the cells that `genbench run` records for
    the same settings.

    Arguments:
        job: The cells.
        suite: Says what `evaluate` measures unless told otherwise.
    """

    def __init__(self, job: StackJob, suite: Suite) -> None:
        self.job, self.suite = job, suite
        self.dataset = open_dataset(job.specs[0], job.settings)
        self._stage = Stage()
        self._stack = train_stack(job, self.dataset, self._stage)
        self._records: tuple[Record, ...] | None = None

    def __repr__(self) -> str:
        return f"TrainedModel({self.name!r}, {self.dataset.name!r}, seeds={self.seeds})"

    @property
    def name(self) -> str:
        """The model's name."""
        return self.job.specs[0].model

    @property
    def seeds(self) -> list[int]:
        """The seeds, in the order of the first axis of what the methods return."""
        return self.job.seeds

    @property
    def parameters(self) -> int:
        """The number of trained weights of one seed."""
        return parameter_count(self._stack.trainer.model)

    @property
    def diverged(self) -> list[int]:
        """The seeds whose loss became infinite or not a number."""
        steps = self._stack.trainer.diverged.tolist()
        return [seed for seed, step in zip(self.seeds, steps, strict=True) if step >= 0]

    def sample(self, n: int) -> Tensor:
        """Returns n samples per seed in data space on the CPU, shape (S, n, *event).

        They are always the same ones: those that are scored and stored with a cell's record.
        """
        with self._stack.trainer.averaged() as model:
            return draw(model, self.dataset, n, self._stack.rng.fork("sample"))

    def log_prob(self, x: Any) -> Tensor:
        """Returns log p(x) in nats for points in data space, float64, shape (S, N).

        The values are exact, lower bounds or estimates, as the model's `bound` says.

        Arguments:
            x: Points, shape (N, *event): an array, a tensor, or anything that makes one.

        Raises:
            DataError: If the model has no density, or the points have another shape.
        """
        points = torch.as_tensor(x)
        if points.shape[1:] != self.dataset.spec.event:
            raise DataError(
                f"log_prob needs points of shape (N, {', '.join(map(str, self.dataset.spec.event))}), "
                f"got {tuple(points.shape)}; give points in data space, such as .sample returns"
            )
        if not isinstance(self._stack.trainer.model, Density):
            raise DataError(f"{self.name} has no density; see: genbench list models")
        rows = []
        with self._stack.trainer.averaged() as model:
            for k, spec in enumerate(self.job.specs):
                rng = self._stack.rng.only(k)
                single = only_seed(model, prepare_model(spec, self.dataset, rng), k).eval()
                rows.append(Trained(single, self.dataset).log_prob(points, rng.fork("log_prob")))
        return torch.stack(rows).cpu()

    def evaluate(
        self,
        metrics: str | Iterable[PartLike] | None = None,
        *,
        samples: int | None = None,
        features: PartLike | None = None,
    ) -> Leaderboard:
        """Scores every seed as `genbench run` does, and returns the leaderboard of this model alone.

        Arguments:
            metrics: Names with options, as in `evaluate`; None takes the suite's.
            samples: Points compared; None takes the suite's.
            features: The extractor; None takes the suite's, else what suits the data set.
        """
        settings = self.job.settings
        if metrics is not None:
            parts = tuple(
                Part(name=request.metric.name, options=dict(request.options))
                for request in request_metrics(metrics)
            )
            settings = replace(settings, metrics=parts)
        if features is not None:
            settings = replace(settings, features=make_part(features))
        settings = replace(settings, samples=samples or settings.samples)
        outcome = Outcome()
        evaluate_stack(replace(self.job, settings=settings), self._stack, self._stage, outcome)
        self._records = tuple(r for r in outcome.results if isinstance(r, Record))
        return Leaderboard(self._records)

    @property
    def records(self) -> tuple[Record, ...]:
        """A record per seed, with the measurements of the last `evaluate` (the suite's without any)."""
        if self._records is None:
            self.evaluate()
        assert self._records is not None
        return self._records


def train(
    model: PartLike,
    dataset: PartLike,
    *,
    seeds: int | Sequence[int] = 1,
    steps: int | None = None,
    batch: int | None = None,
    labelled: int | None = None,
    suite: str | Suite = "demo",
    device: str = "auto",
    data_dir: Path | str | None = None,
    offline: bool = False,
) -> TrainedModel:
    """Trains a model on a data set, all seeds at once; nothing is written down.

    With the same arguments it is what `genbench run -m MODEL -d DATASET` trains.

    Arguments:
        model: A model's name, perhaps with options: "gan", "gan:lr=0.003", or
            {"name": "gan", "options": {"lr": 0.003}}.
        dataset: A data set's, likewise.
        seeds: How many, from 0 on, or which.
        steps: Rounds of training; None takes the suite's budget.
        batch: Points per seed in a minibatch; None takes the suite's.
        labelled: How many training labels a seed sees; None shows all.
        suite: Whose settings hold for all that is not named here.
        device: auto, cpu, cuda or cuda:N.
        data_dir: A folder with data sets' files.
        offline: Whether downloads are forbidden.

    Raises:
        UnknownName, SpecError: If there is no such model, data set, option or suite, or the model cannot
            take the data.
        DataError: If the data set cannot be had.
    """
    pair = [make_part(model)], [make_part(dataset)]
    chosen = suite if isinstance(suite, Suite) else find_suite(suite)
    chosen = change_suite(chosen, *pair, steps=steps, labelled=labelled)
    numbers = seeds if isinstance(seeds, int) else list(seeds)
    chosen = chosen.model_copy(update={"seeds": numbers, "batch": batch or chosen.batch})
    cells = chosen.cells[0]
    specs = cell_specs(chosen, cells, cells.models[0], cells.datasets[0], autocast=False)
    settings = RunSettings(
        device=device,
        data_dir=Path(data_dir) if data_dir else None,
        offline=offline,
        metrics=tuple(chosen.metrics),
        samples=chosen.samples,
        features=chosen.features,
        curve=0,
    )
    refusal = find_refusal(specs[0], open_dataset(specs[0], settings))
    if refusal is not None:
        raise SpecError(f"train needs data that the model can do: {refusal}")
    return TrainedModel(StackJob(specs=tuple(specs), settings=settings), chosen)


def run(
    suite: str | Suite | Mapping[str, Any] | None = None,
    *,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    seeds: int | None = None,
    steps: int | None = None,
    labelled: int | None = None,
    claims: Sequence[str] = (),
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
        models: Keep these models alone.
        datasets: Keep these data sets alone.
        seeds: So many seeds, from 0 on.
        steps: Every cell trains for so many rounds.
        labelled: Every seed sees only so many training labels.
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
        GenbenchError: If something named is not there, or the folder cannot be written.
    """
    chosen = RunOptions(root=Path(results), **options)
    how: dict[str, Any] = {"models": models, "datasets": datasets, "dry_run": dry_run}
    if suite == "claims" and until_decided:
        return run_until_decided(
            claims,
            chosen,
            scale=Scale(budget_scale),
            max_seeds=max_seeds or LAST,
            dry_run=dry_run,
            listener=listener,
        )
    if suite == "claims":
        return run_claims(
            claims, chosen, scale=Scale(budget_scale, seeds), listener=listener, **how
        )
    own = suite is None
    if suite is None or isinstance(suite, str):
        suite = find_suite(suite or "demo", config)
    elif not isinstance(suite, Suite):
        suite = read_suite(suite)
    pairs = find_pairs(suite, models, datasets) if own else ()
    suite = change_suite(suite, *pairs, seeds=seeds, steps=steps, labelled=labelled)
    return run_suite(suite, chosen, listener=listener, **how)


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
    options = RunOptions(root=Path(results), **about)
    return run_tuning(find_campaign(**what), options, listener=listener)


def tuning_costs(*, results: Path | str = RUNS, **what: Any) -> list[CostEstimate]:
    """Returns what tuning still costs, by model and data set, from a results folder's recorded seconds.

    Arguments:
        results: The results folder.
        what: What to tune, as in `tune`.
    """
    campaign, book = find_campaign(**what), CostBook(Store(Path(results)))
    return [book.estimate(rule, campaign.trials[rule.file]) for rule in campaign.rules]


def samples(cell: str, *, results: Path | str = RUNS) -> Tensor:
    """Returns the stored samples of a recorded cell, in data space, shape (N, *event).

    Arguments:
        cell: The cell's id, or enough of its beginning.
        results: The results folder.

    Raises:
        DataError: If there is no such cell, or it has no samples beside its record.
    """
    options = ReadOptions(results=Path(results))
    if Store(options.results).find(cell) is None:
        raise DataError(f"{cell} is not a cell of {results}/; see: genbench.results({results!r})")
    return torch.cat(list(open_points(cell, options).batches(options.batch)))


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
        SpecError: If folders and models are mixed, or there are several folders.
    """
    models = [source for source in sources if isinstance(source, TrainedModel)]
    folders = [source for source in sources if not isinstance(source, TrainedModel)]
    if models and not folders:
        return Leaderboard(tuple(record for model in models for record in model.records))
    if models or len(folders) > 1:
        raise SpecError(
            "leaderboard needs trained models or one results folder; unite folders with genbench merge"
        )
    return load_leaderboard(*folders, suite=suite, config=config, scale=scale)


def claims(
    *names: str,
    results: Path | str = RUNS,
    budget_scale: str | None = None,
    seeds: int | None = None,
) -> list[Card]:
    """Returns what the measurements of a results folder say of the literature's claims; trains nothing.

    Arguments:
        names: Claims; all of them without any.
        results: The results folder.
        budget_scale: quick, half, default or double; None takes the first that has measurements.
        seeds: How many seeds count; None takes what every claim asks for.
    """
    scale = Scale(budget_scale or "default", seeds) if budget_scale or seeds else None
    return make_cards(Store(results), names, scale, Path(results))
