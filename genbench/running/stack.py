"""One stack of seeds from start to finish: build, train, sample, measure."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy
import torch
from safetensors.torch import load, save
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import WriteError
from genbench.core.metric import Trained
from genbench.core.model import Model, only_seed, parameter_count
from genbench.core.registry import load_plugin
from genbench.core.rng import Rng
from genbench.evaluation.evaluator import Evaluator, draw
from genbench.evaluation.requests import ask
from genbench.running.build import DTYPES, checkpoint_path, evaluator_for, prepared
from genbench.running.environment import (
    choose_device,
    environment,
    peak_memory,
    reset_peak_memory,
)
from genbench.running.interrupts import OutOfTime, Stopped, deadline, stop_requested
from genbench.running.job import Job, Outcome, Progress, Report, Setting, Stage, failed, now
from genbench.store import CurvePoint, Record, Used
from genbench.training.checkpoint import Checkpoint
from genbench.training.trainer import Point, Probe, Trainer


def run_job(job: Job, report: Report = lambda progress: None) -> Outcome:
    """Trains and evaluates a stack; what a model, a metric or the machine does becomes a record."""
    stage, outcome = Stage(report), Outcome([])
    error: BaseException
    try:
        with deadline(job.setting.timeout):
            for plugin in job.setting.plugins:
                load_plugin(plugin)
            (_rescore if job.rescore else _run)(job, stage, outcome)
        return outcome
    except Stopped:
        return Outcome([], stopped=True)
    except WriteError as full:
        return Outcome([], full=str(full))
    except (Exception, OutOfTime) as why:
        error = why
    done = {record.cell for record in outcome.records}
    outcome.records += [failed(spec, error, stage) for spec in job.specs if spec.cell not in done]
    error.__traceback__ = None  # its frames hold the tensors of the stack
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return outcome


def _run(job: Job, stage: Stage, outcome: Outcome) -> None:
    setting, spec = job.setting, job.specs[0]
    device = choose_device(setting.device)
    stage.enter("data")
    evaluator = evaluator_for(spec, setting)
    dataset = evaluator.dataset
    stage.enter("build")
    rng = Rng(job.seeds, device=device, dtype=DTYPES[spec.precision])
    reset_peak_memory(device)
    model = prepared(spec, dataset, rng)
    stage.enter("train")
    path = checkpoint_path(job)
    checkpoint = Checkpoint(path, setting.checkpoint_every, job.seeds) if path else None
    trainer = _train(job, model, evaluator, rng, stage, checkpoint)
    memory = peak_memory(device)
    stage.enter("evaluate")
    try:
        _evaluate(job, trainer, evaluator, rng, stage, outcome, memory)
    except Stopped:
        if checkpoint is not None and trainer.players:
            checkpoint.save(trainer)
        raise


def _evaluate(
    job: Job,
    trainer: Trainer,
    evaluator: Evaluator,
    rng: Rng,
    stage: Stage,
    outcome: Outcome,
    memory: int,
) -> None:
    """Puts a record of every seed into an outcome."""
    model, dataset, device = trainer.model, evaluator.dataset, rng.device
    with trainer.averaged() as final:
        fakes = draw(final, dataset, evaluator.n, rng.fork("sample"))
        for k, each in enumerate(job.specs):
            if stop_requested():
                raise Stopped
            record = Record(
                cell=each.cell,
                group=each.group,
                status="ok",
                spec=each,
                taxonomy=type(model).taxonomy,
                parameters=parameter_count(model),
                data_hashes=dataset.hashes,
                used=Used(
                    steps=trainer.step,
                    examples=trainer.examples,
                    seconds=trainer.seconds,
                    seeds_sharing=len(rng),
                    peak_memory_bytes=memory,
                ),
                curve=_curve(trainer, k),
                sequential_steps=model.sequential_steps(),
                environment=environment(device, job.setting.workers),
                started=stage.started,
            )
            if not _diverged(record, trainer, fakes[k], k):
                record = _measure(
                    record, outcome, final, evaluator, fakes[k], rng.only(k), k, stage
                )
            record.finished = now()
            outcome.records.append(record)
            stage.tell((k + 1) / len(job.specs), trainer.step)


def _train(
    job: Job,
    model: Model,
    evaluator: Evaluator,
    rng: Rng,
    stage: Stage,
    checkpoint: Checkpoint | None,
) -> Trainer:
    setting, spec = job.setting, job.specs[0]

    def listen(trainer: Trainer) -> None:
        stage.tell(trainer.progress, trainer.step, lambda: _score(trainer.points))
        stop = stop_requested()
        if checkpoint is not None:
            checkpoint(trainer, now=stop)
        if stop:
            raise Stopped

    trainer = Trainer(
        model,
        evaluator.dataset,
        spec.budget,
        batch=spec.batch,
        rng=rng,
        labelled=spec.labelled,
        autocast=spec.autocast == "bf16",
        curve=setting.curve,
        probe=_probe(evaluator.dataset, setting, rng),
        listener=listen,
    )
    if checkpoint is not None and trainer.players and checkpoint.restore(trainer):
        stage.report(Progress("resumed", trainer.progress, trainer.step))
    return trainer.run()


def _score(points: Sequence[Point]) -> tuple[str, float] | None:
    """The mean over seeds of the newest number on the learning curve; a loss where no score is."""
    if not points:
        return None
    for values in (points[-1].metrics, points[-1].losses):
        for name, by_seed in values.items():
            known = [v for v in by_seed if v is not None and math.isfinite(v)]
            if known:
                return name, math.fsum(known) / len(known)
    return None


def _probe(dataset: Dataset, setting: Setting, rng: Rng) -> Probe | None:
    """Returns a probe that puts cheap metrics on the learning curve, or None without any."""
    if not setting.curve_metrics:
        return None
    n = setting.curve_samples
    asks = [a for a in ask(setting.curve_metrics, samples=n) if a.metric.view != "model"]
    evaluator = Evaluator(dataset, asks, samples=n, features=setting.features)

    def probe(model: Model) -> dict[str, list[float | None]]:
        fakes = draw(model, dataset, evaluator.n, rng.fork("curve"))
        found: dict[str, list[float | None]] = {}
        for k, fake in enumerate(fakes):
            usable = bool(fake.isfinite().all())
            rows = evaluator.score(fake, None, rng.only(k), beside=False) if usable else []
            values = {m.id: m.value for m in rows}
            for column in (c for a in asks for c in a.metric.columns):
                found.setdefault(column, []).append(values.get(column))
        return found

    return probe


def _curve(trainer: Trainer, k: int) -> list[CurvePoint]:
    return [
        CurvePoint(
            step=point.step,
            seconds=point.seconds,
            losses={name: _finite(values[k]) for name, values in point.losses.items()},
            metrics={name: values[k] for name, values in point.metrics.items()},
        )
        for point in trainer.points
    ]


def _diverged(record: Record, trainer: Trainer, fake: Tensor, k: int) -> bool:
    """Marks a record whose seed went to infinity; returns whether it did."""
    step = int(trainer.diverged[k])
    if step >= 0:
        record.phase, record.reason = "train", f"the loss is not finite from step {step} on"
    elif not bool(fake.isfinite().all()):
        record.phase, record.reason = "evaluate", "samples are not finite"
    else:
        return False
    share = step / max(trainer.step, 1) if step >= 0 else 1.0
    record.status, record.failed_after_s = "diverged", round(share * trainer.seconds, 3)
    return True


def _measure(
    record: Record,
    outcome: Outcome,
    model: Model,
    evaluator: Evaluator,
    fake: Tensor,
    rng: Rng,
    k: int,
    stage: Stage,
) -> Record:
    """Fills a record with its measurements; a metric that fails makes the cell an error."""
    try:
        single = only_seed(model, prepared(record.spec, evaluator.dataset, rng), k).eval()
        weights = {key: value.cpu().contiguous() for key, value in single.state_dict().items()}
        record.metrics = evaluator.score(fake, Trained(single, evaluator.dataset), rng)
        outcome.artifacts[record.cell] = {
            "samples": (_pack(fake), ".npz"),
            "weights": (save(weights), ".safetensors"),
        }
        return record
    except WriteError:
        raise
    except Exception as error:
        return failed(record.spec, error, stage)


def _rescore(job: Job, stage: Stage, outcome: Outcome) -> None:
    """Measures what finished cells lack, from their stored weights and samples."""
    setting = job.setting
    device = choose_device(setting.device)
    stage.enter("evaluate")
    for done, stored in enumerate(job.stored):
        if stop_requested():
            raise Stopped
        record, spec = stored.record, stored.record.spec
        evaluator = evaluator_for(spec, setting)
        rng = Rng([spec.seed], device=device, dtype=DTYPES[spec.precision])
        model = prepared(spec, evaluator.dataset, rng)
        model.load_state_dict(load(stored.weights))
        with numpy.load(io.BytesIO(stored.samples), allow_pickle=False) as held:
            fake = torch.from_numpy(held["samples"])
        if len(fake) < evaluator.n:
            fake = draw(model.eval(), evaluator.dataset, evaluator.n, rng.fork("sample"))[0]
        known = {m.key for m in record.metrics}
        asks = [a for a in evaluator.asks if a.key not in known]
        older = {key for a in asks for key in a.older}
        record.metrics = [m for m in record.metrics if m.key not in older]
        record.metrics += evaluator.score(
            fake, Trained(model.eval(), evaluator.dataset), rng, asks=asks
        )
        record.finished = now()
        outcome.records.append(record)
        stage.tell((done + 1) / len(job.specs))


def _pack(samples: Tensor) -> bytes:
    held = io.BytesIO()
    numpy.savez_compressed(held, samples=samples.float().numpy())
    return held.getvalue()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
