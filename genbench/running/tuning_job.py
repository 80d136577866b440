"""A trial of tuning, from one rung to the next: what travels, and how it is done."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.core.device import choose_device
from genbench.core.model import Model, only_seed
from genbench.core.rng import Rng
from genbench.core.spec import CellSpec, Part
from genbench.core.trained import Trained
from genbench.evaluation.evaluator import draw
from genbench.evaluation.requests import make_requests
from genbench.evaluation.validation import ValidationScorer, WithoutTest
from genbench.running.build import DTYPES, open_dataset, prepare_model
from genbench.running.interrupts import Stopped, stop_requested
from genbench.running.job import Job, Outcome, Result, RunSettings, Stage, classify
from genbench.running.tuning_rule import list_sources
from genbench.store.environment import environment
from genbench.store.record import Measurement, finite
from genbench.store.tuning import Rung, TuningResult, TuningRule, TuningTrial
from genbench.training.checkpoint import Checkpoint
from genbench.training.trainer import Trainer

#: the kind of artifact in which a trial's state travels back
STATE = "state"


@dataclass(frozen=True, kw_only=True)
class TuneJob(Job):
    """A trial to be trained to a rung and scored there on the validation split.

    Arguments:
        rule: What all trials of the file have in common.
        trial: The trial, without rungs.
        rung: The place of the rung in the rule.
        specs: Its cells, one per seed.
        state: Its checkpoint at an earlier rung; None: it is trained from the start, to the same bits.
    """

    rule: TuningRule
    trial: TuningTrial
    rung: int
    specs: tuple[CellSpec, ...]
    state: bytes | None = None

    @property
    def title(self) -> str:
        """The model, the data set, the trial and the rung."""
        share = self.rule.rungs[self.rung]
        return f"{self.rule.model} on {self.rule.data}, trial {self.trial.k} to {share:g}"

    @property
    def seeds(self) -> list[int]:
        """The seeds of the stack, in order."""
        return [spec.seed for spec in self.specs]

    def with_seeds(self, seeds: Collection[int]) -> TuneJob:
        """Returns the trial with some of its seeds, without its state."""
        some = tuple(spec for spec in self.specs if spec.seed in seeds)
        return replace(self, specs=some, state=None)

    def with_state(self, state: bytes | None) -> TuneJob:
        """Returns the trial as it goes on from a checkpoint."""
        return replace(self, state=state)

    def failures(self, error: BaseException, stage: Stage) -> list[Result]:
        """Returns the trial with a reason for each of its seeds."""
        reason = classify(error)[1]
        failed = {"failures": dict.fromkeys(self.seeds, reason)}
        return [self.result(stage, trial=self.trial.model_copy(update=failed))]

    def result(self, stage: Stage, **about: Any) -> TuningResult:
        """Returns what there is to be written."""
        where = environment(choose_device(self.settings.device), self.settings.workers)
        where |= {"sources": sources} if (sources := list_sources(self.rule)) else {}
        about = {"rule": self.rule, "rung": self.rung, "environment": where} | about
        return TuningResult(started=stage.started, **about)


def run_tune_job(job: TuneJob, stage: Stage, outcome: Outcome) -> None:
    """Trains a trial to its rung, scores it, and puts that and its state into an outcome."""
    stage.enter("data")
    scorer = scorer_for(job.rule, job.specs[0], job.settings)
    stage.enter("build")
    spec, device = job.specs[0], choose_device(job.settings.device)
    rng = Rng(job.seeds, device=device, dtype=DTYPES[spec.precision])
    model = prepare_model(spec, scorer.dataset, rng)
    stage.enter("train")
    trainer, spent = _train(job, model, scorer.dataset, rng, stage)
    stage.enter("evaluate")
    began = time.perf_counter()
    rows, reasons = _score(job, trainer, scorer, rng)
    scores = {
        name: {seed: rows[seed].get(criterion.column) for seed in job.seeds}
        for name, criterion in job.rule.criteria.items()
    }
    rung = Rung(
        step=trainer.step,
        examples=trainer.examples,
        seconds=trainer.seconds,
        scoring=time.perf_counter() - began,
        spent=spent,
        scores=scores,
        reasons=reasons,
    )
    floors, protocols = _facts(job.rule, scorer)
    trial = job.trial.model_copy(update={"rungs": [rung]})
    outcome.results.append(job.result(stage, trial=trial, floors=floors, protocols=protocols))
    if job.rung + 1 < len(job.rule.rungs) and trainer.players:
        outcome.artifacts[trial.hash] = {STATE: (pack(trainer, job.seeds), ".safetensors")}


def pack(trainer: Trainer, seeds: Sequence[int]) -> bytes:
    """Returns a trainer's state as a checkpoint's bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.safetensors"
        Checkpoint(path, 0.0, seeds).save(trainer)
        return path.read_bytes()


def unpack(state: bytes, trainer: Trainer, seeds: Sequence[int]) -> bool:
    """Brings a fresh trainer to a state; returns whether it could be used."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.safetensors"
        path.write_bytes(state)
        return Checkpoint(path, 0.0, seeds).restore(trainer)


def _train(
    job: TuneJob, model: Model, dataset: WithoutTest, rng: Rng, stage: Stage
) -> tuple[Trainer, float]:
    """Returns the trainer at the job's rung, and the seconds that it took from where it went on."""
    spec = job.specs[0]

    def listen(trainer: Trainer) -> None:
        stage.tell(trainer.progress, trainer.step)
        if stop_requested():
            raise Stopped

    trainer = Trainer(
        model,
        dataset,
        spec.budget,
        rng=rng,
        batch=spec.batch,
        training=spec.training,
        listener=listen,
    )
    if job.state is not None and trainer.players:
        unpack(job.state, trainer, job.seeds)
    before = trainer.seconds
    return trainer.run(job.rule.rungs[job.rung]), trainer.seconds - before


def _score(
    job: TuneJob, trainer: Trainer, scorer: ValidationScorer, rng: Rng
) -> tuple[dict[int, dict[str, float | None]], dict[int, str]]:
    """Returns each seed's values by column, and why a seed has none."""
    rows: dict[int, dict[str, float | None]] = {}
    reasons: dict[int, str] = {}
    with trainer.averaged() as final:
        fakes = draw(final, scorer.dataset, job.rule.samples, rng.fork("sample"))
        for k, spec in enumerate(job.specs):
            if stop_requested():
                raise Stopped
            reason = _diverged(trainer, fakes[k], k)
            rows[spec.seed] = {}
            if reason is not None:
                reasons[spec.seed] = reason
                continue
            alone = rng.only(k)
            single = only_seed(final, prepare_model(spec, scorer.dataset, alone), k).eval()
            measured = scorer.score(fakes[k], Trained(single, scorer.dataset), alone)
            rows[spec.seed] = {
                m.id: None if m.value is None else finite(m.value) for m in measured
            }
            if lacks := _find_lacks(job.rule, rows[spec.seed], measured):
                reasons[spec.seed] = lacks
    return rows, reasons


def _find_lacks(
    rule: TuningRule, row: Mapping[str, float | None], measured: Sequence[Measurement]
) -> str:
    """Why criteria have no value, or "" where all have one."""
    found = {m.id: m for m in measured}
    texts = []
    for column in (criterion.column for criterion in rule.criteria.values()):
        if row.get(column) is None:
            one = found.get(column)
            reason = None if one is None else one.reason or f"{column} is {one.value}"
            texts.append(f"{column}: {reason or 'it was not measured'}")
    return "; ".join(dict.fromkeys(texts))


def _diverged(trainer: Trainer, fake: Tensor, k: int) -> str | None:
    step = int(trainer.diverged[k])
    if step >= 0:
        return f"the loss is not finite from step {step} on"
    return None if bool(torch.isfinite(fake).all()) else "samples are not finite"


#: by data set and criteria, the last few: floors and the extractor serve all trials
_SCORERS: dict[str, ValidationScorer] = {}
KEPT_SCORERS = 4


def scorer_for(rule: TuningRule, spec: CellSpec, settings: RunSettings) -> ValidationScorer:
    """Returns the scorer of a rule; floors and the extractor are kept between jobs."""
    key = repr((rule.dataset, rule.dataset_options, rule.criteria, rule.samples, rule.features))
    key += repr((settings.data_dir, settings.offline, list_sources(rule)))
    if key not in _SCORERS:
        while len(_SCORERS) >= KEPT_SCORERS:
            del _SCORERS[next(iter(_SCORERS))]
        parts = [Part(name=c.metric, options=c.options) for c in rule.criteria.values()]
        features = Part(name=rule.features) if rule.features else None
        dataset = WithoutTest(open_dataset(spec, settings))
        requests = make_requests(parts, samples=rule.samples, features=features)
        _SCORERS[key] = ValidationScorer(
            dataset, requests, samples=rule.samples, features=features
        )
    return _SCORERS[key]


def _facts(
    rule: TuningRule, scorer: ValidationScorer
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Returns the floors and the protocols of the criteria that compare samples."""
    floors, protocols = {}, {}
    rows = {m.id: m for m in scorer.floors}
    for name, criterion in rule.criteria.items():
        row = rows.get(criterion.column)
        if row is not None and row.value is not None:
            floors[name], protocols[name] = row.value, row.protocol
    return floors, protocols
