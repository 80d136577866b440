"""Models that are trained in Python and stay in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.api.door import front_door
from genbench.core.asked import as_path, list_seeds, require_counts
from genbench.core.dataset import SPLITS
from genbench.core.errors import DataError, SpecError
from genbench.core.model import Density, only_seed, parameter_count
from genbench.core.spec import MOST_SEEDS, Criterion, Suite
from genbench.core.splits import check_splits
from genbench.core.trained import Trained
from genbench.evaluation.evaluate import (
    PartLike,
    make_part,
    parse_parts,
    request_names,
    request_parts,
)
from genbench.evaluation.evaluator import draw
from genbench.evaluation.streams import read_tensor
from genbench.report.leaderboard import Leaderboard
from genbench.running.build import open_dataset, prepare_model
from genbench.running.cells import cell_specs, find_refusal
from genbench.running.changed_suites import change_suite
from genbench.running.job import Outcome, RunSettings, StackJob, Stage
from genbench.running.stack import evaluate_stack, train_stack
from genbench.running.usual_metrics import add_usual
from genbench.store import Record
from genbench.store.documents import read_suite
from genbench.store.suites import find_suite


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
        check_splits(self.dataset, SPLITS)
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

    @front_door()
    def sample(self, n: int) -> Tensor:
        """Returns n samples per seed in data space on the CPU, shape (S, n, *event).

        They are always the same ones: those that are scored and stored with a cell's record.
        """
        require_counts(n=n or 0)  # None is no count
        with self._stack.trainer.averaged() as model:
            return draw(model, self.dataset, n, self._stack.rng.fork("sample"))

    @front_door()
    def log_prob(self, x: Any) -> Tensor:
        """Returns log p(x) in nats for points in data space, float64, shape (S, N).

        The values are exact, lower bounds or estimates, as the model's `bound` says.

        Arguments:
            x: Points, shape (N, *event): an array, a tensor, a table, or anything that makes one.

        Raises:
            DataError: If the model has no density, or the points have another shape or are no numbers.
        """
        points = read_tensor(x, "log_prob")
        if not len(points) or points.shape[1:] != self.dataset.spec.event:
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

    @front_door()
    def evaluate(
        self,
        metrics: str | Iterable[PartLike] | None = None,
        *,
        samples: int | None = None,
        features: PartLike | None = None,
    ) -> Leaderboard:
        """Scores every seed as `genbench run` does, and returns the leaderboard of this model alone.

        Arguments:
            metrics: Names with options, as in `evaluate`, which the leaderboard then shows whatever they
                are; None takes the suite's.
            samples: Points compared; None takes the suite's.
            features: The extractor; None takes the suite's, else what suits the data set.
        """
        require_counts(samples=samples)
        settings = self.job.settings
        named: list[str] = []
        if metrics is not None:
            parts = parse_parts(metrics)
            settings = replace(settings, metrics=tuple(request_parts(parts)))
            named = sorted(request_names(parts))
        if features is not None:
            settings = replace(settings, features=make_part(features))
        settings = replace(settings, samples=samples or settings.samples)
        outcome = Outcome()
        evaluate_stack(replace(self.job, settings=settings), self._stack, self._stage, outcome)
        records = (r for r in outcome.results if isinstance(r, Record))
        self._records = tuple(r.model_copy(update={"named": named}) for r in records)
        return Leaderboard(self._records)

    @property
    def records(self) -> tuple[Record, ...]:
        """A record per seed, with the measurements of the last `evaluate` (the suite's without any)."""
        if self._records is None:
            self.evaluate()
        assert self._records is not None
        return self._records


@front_door()
def train(
    model: PartLike,
    dataset: PartLike,
    *,
    seeds: int | Sequence[int] = 1,
    steps: int | None = None,
    batch: int | None = None,
    labelled: int | None = None,
    tuned_by: Criterion | None = None,
    suite: str | Suite | Mapping[str, Any] | None = None,
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
        tuned_by: "samples" or "density": take the options that tuning chose so on the data set, of a model
            that can be tuned; None leaves it to the suite.
        suite: Whose settings hold for all that is not named here; a pair that it has is trained as there,
            with tuned options where it takes them. None takes `demo`, and measures beside what that does
            what the data set's `quality` names and, of images that are made from something, psnr and ssim.
        device: auto, cpu, cuda or cuda:N.
        data_dir: A folder with data sets' files.
        offline: Whether downloads are forbidden.

    Raises:
        UnknownName, SpecError: If there is no such model, data set, option or suite, or the model cannot
            take the data.
        DataError: If the data set cannot be had.
    """
    require_counts(batch=batch)
    numbers = list_seeds(seeds, MOST_SEEDS)
    pair = [make_part(model)], [make_part(dataset)]
    if isinstance(suite, Mapping):
        suite = read_suite(suite)
    chosen = suite if isinstance(suite, Suite) else find_suite(suite or "demo")
    chosen = change_suite(chosen, *pair, steps=steps, labelled=labelled, tuned_by=tuned_by)
    files = None if data_dir is None else as_path(data_dir, "data_dir")
    if suite is None:
        chosen = add_usual(chosen, data_dir=files, offline=offline)
    cells = chosen.cells[0]
    batch = batch or cells.batch or chosen.batch
    chosen = chosen.model_copy(update={"seeds": numbers, "batch": batch})
    cells = cells.model_copy(update={"batch": batch})
    specs = cell_specs(chosen, cells, cells.models[0], cells.datasets[0], autocast=False)
    settings = RunSettings(
        device=device,
        data_dir=files,
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
