"""One stack of seeds from start to finish: build, train, sample, measure."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy
import torch
from safetensors.torch import load, save
from torch import Tensor

from genbench.core.catalogue import place_to_record
from genbench.core.dataset import Dataset
from genbench.core.device import choose_device
from genbench.core.errors import WriteError
from genbench.core.guard import ChangedInput
from genbench.core.model import MODELS, Model, only_seed, parameter_count
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.evaluation.evaluator import Evaluator, draw
from genbench.evaluation.provenance import hash_plugin
from genbench.running.build import (
    DTYPES,
    checkpoint_path,
    data_of,
    evaluator_for,
    hash_stack,
    prepare_model,
)
from genbench.running.curves import last_score, list_curve, make_probe
from genbench.running.interrupts import OutOfTime, Stopped, is_of_user, stop_requested
from genbench.running.job import (
    Outcome,
    Progress,
    StackJob,
    Stage,
    classify,
    failed,
    now,
)
from genbench.running.legs import Legs
from genbench.store import Record, Used
from genbench.store.environment import environment, peak_memory, reset_peak_memory
from genbench.store.record import drop_replaced, finite, take_times
from genbench.training.checkpoint import Checkpoint
from genbench.training.trainer import Trainer


def run_stack(job: StackJob, stage: Stage, outcome: Outcome) -> None:
    """Trains and evaluates a stack of cells, and puts a record of each into an outcome."""
    path = checkpoint_path(job)
    every = job.settings.checkpoint_every
    stage.enter("data")
    dataset = data_of(job)
    source = hash_stack(job.specs[0], dataset)
    legs = Legs(choose_device(job.settings.device), job.settings.workers)
    checkpoint = Checkpoint(path, every, job.seeds, source, legs.carry) if path else None
    trained = train_stack(job, dataset, stage, checkpoint, legs)
    try:
        evaluate_stack(job, trained, stage, outcome)
    except Stopped:
        if checkpoint is not None and trained.trainer.players:
            checkpoint.save(trained.trainer)
        raise


@dataclass(frozen=True)
class TrainedStack:
    """A stack of seeds that has been trained.

    Arguments:
        trainer: With the model in it.
        rng: The stack's, before any fork.
        memory: The most bytes that training took; None where that is unknown.
        source: A hash of a user's model and of what it imports from its own folder, or None.
        legs: Where it was trained, if it may have gone on from a checkpoint.
    """

    trainer: Trainer
    rng: Rng
    memory: int | None
    source: str | None = None
    legs: Legs | None = None


def train_stack(
    job: StackJob,
    dataset: Dataset,
    stage: Stage,
    checkpoint: Checkpoint | None = None,
    legs: Legs | None = None,
) -> TrainedStack:
    """Builds, prepares and trains the model of a stack of cells."""
    spec, device = job.specs[0], choose_device(job.settings.device)
    stage.enter("build")
    rng = Rng(job.seeds, device=device, dtype=DTYPES[spec.precision])
    reset_peak_memory(device)
    source = hash_plugin(MODELS.get(spec.model))
    model = prepare_model(spec, dataset, rng)
    stage.enter("train")
    trainer = _train(job, model, dataset, rng, stage, checkpoint, legs)
    memory = peak_memory(device) if legs is None else legs.measure()
    return TrainedStack(trainer, rng, memory, source, legs)


def evaluate_stack(job: StackJob, trained: TrainedStack, stage: Stage, outcome: Outcome) -> None:
    """Measures what a job's settings ask for, and puts a record of every seed into an outcome."""
    stage.enter("evaluate")
    evaluator = evaluator_for(job.specs[0], job.settings)
    trainer, rng, memory = trained.trainer, trained.rng, trained.memory
    model, dataset = trainer.model, evaluator.dataset
    here = environment(rng.device, job.settings.workers)
    where = here if trained.legs is None else trained.legs.environment(here)
    where |= {"source": trained.source} if trained.source is not None else {}
    with trainer.averaged() as final:
        fakes = draw(final, dataset, evaluator.n, rng.fork("sample"))
        for k, spec in enumerate(job.specs):
            if stop_requested():
                raise Stopped
            record = Record(
                cell=spec.cell,
                group=spec.group,
                status="ok",
                spec=spec,
                **place_to_record(spec.model),
                parameters=parameter_count(model),
                data_hashes=dataset.hashes,
                used=Used(
                    steps=trainer.step,
                    examples=trainer.examples,
                    seconds=trainer.seconds,
                    seeds_sharing=len(rng),
                    peak_memory_bytes=memory,
                    compiled=None if trainer.compiled is None else trainer.compiled.describe(),
                ),
                curve=list_curve(trainer, k),
                sequential_steps=model.sequential_steps(),
                environment=dict(where),
                started=stage.started,
            )
            if not _diverged(record, trainer, fakes[k], k):
                record = _measure(
                    record, outcome, final, evaluator, fakes[k], rng.only(k), k, stage
                )
            timed = record.model_copy(update={"environment": here})
            record.metrics = take_times(record.metrics, timed, where)
            record.finished = now()
            outcome.results.append(record)
            stage.tell((k + 1) / len(job.specs), trainer.step)


def _train(
    job: StackJob,
    model: Model,
    dataset: Dataset,
    rng: Rng,
    stage: Stage,
    checkpoint: Checkpoint | None,
    legs: Legs | None,
) -> Trainer:
    settings, spec = job.settings, job.specs[0]

    def listen(trainer: Trainer) -> None:
        stage.tell(trainer.progress, trainer.step, lambda: last_score(trainer.points))
        stop = stop_requested()
        if checkpoint is not None:
            checkpoint(trainer, now=stop)
        if stop:
            raise Stopped

    trainer = Trainer(
        model,
        dataset,
        spec.budget,
        batch=spec.batch,
        rng=rng,
        labelled=spec.labelled,
        training=spec.training,
        autocast=spec.autocast == "bf16",
        graphs=settings.graphs,
        compiled=spec.compiled is not None,
        curve=settings.curve,
        probe=make_probe(dataset, settings, rng),
        listener=listen,
    )
    if checkpoint is not None and trainer.players and checkpoint.restore(trainer):
        if legs is not None:
            legs.go_on(checkpoint, trainer)
        stage.report(Progress("resumed", trainer.progress, trainer.step))
    return trainer.run()


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
        single = only_seed(model, prepare_model(record.spec, evaluator.dataset, rng), k).eval()
        weights = {key: value.cpu().contiguous() for key, value in single.state_dict().items()}
        record.metrics = evaluator.score(fake, Trained(single, evaluator.dataset), rng)
        record.learnt = _find_learnt(single)
        outcome.artifacts[record.cell] = {
            "samples": (_pack(fake), ".npz"),
            "weights": (save(weights), ".safetensors"),
        }
        return record
    except (WriteError, ChangedInput, Stopped, OutOfTime):
        raise
    except BaseException as error:  # which must not cost the other seeds what they have
        if is_of_user(error):
            raise
        if classify(error)[0] == "oom":
            outcome.oom.add(record.spec.seed)
        return failed(record.spec, error, stage)


def rescore_stack(job: StackJob, stage: Stage, outcome: Outcome) -> None:
    """Measures what finished cells lack, from their stored weights and samples."""
    settings = job.settings
    device = choose_device(settings.device)
    stage.enter("evaluate")
    data_of(job)
    for done, stored in enumerate(job.stored):
        if stop_requested():
            raise Stopped
        record, spec = stored.record, stored.record.spec
        evaluator = evaluator_for(spec, settings)
        rng = Rng([spec.seed], device=device, dtype=DTYPES[spec.precision])
        model = prepare_model(spec, evaluator.dataset, rng)
        model.load_state_dict(load(stored.weights))
        with numpy.load(io.BytesIO(stored.samples), allow_pickle=False) as arrays:
            fake = torch.from_numpy(arrays["samples"])
        if len(fake) < evaluator.n:
            fake = draw(model.eval(), evaluator.dataset, evaluator.n, rng.fork("sample"))[0]
        keys = {m.key for m in record.metrics}
        requests = [request for request in evaluator.requests if request.key not in keys]
        older = {key for request in requests for key in request.older_keys}
        kept = [m for m in record.metrics if m.key not in older]
        trained = Trained(model.eval(), evaluator.dataset)
        measured = evaluator.score(fake, trained, rng, requests=requests)
        record.metrics = [*drop_replaced(kept, measured), *measured]
        record.learnt = _find_learnt(model)
        record.finished = now()
        outcome.results.append(record)
        stage.tell((done + 1) / len(job.specs))


def _find_learnt(model: Model) -> dict[str, float | None]:
    """The numbers that training of one seed measured or learnt, by name."""
    return {name: finite(float(model.get_buffer(name))) for name in type(model).recorded}


def _pack(samples: Tensor) -> bytes:
    content = io.BytesIO()
    numpy.savez_compressed(content, samples=samples.float().numpy())
    return content.getvalue()
