"""What a job is made of: its data set, its model, its evaluator, and the place of its checkpoint."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from genbench.core.dataset import DATASETS, Dataset, open_named
from genbench.core.declarations import where
from genbench.core.device import choose_device
from genbench.core.errors import ContractError
from genbench.core.model import MODELS, Model, build
from genbench.core.rng import Rng
from genbench.core.spec import CellSpec, canonical
from genbench.core.splits import own_rng
from genbench.evaluation.evaluator import Evaluator
from genbench.evaluation.provenance import hash_plugin, tag_code
from genbench.evaluation.requests import make_requests
from genbench.running.job import RunSettings, StackJob
from genbench.training.minibatches import prepare

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def open_dataset(spec: CellSpec, settings: RunSettings) -> Dataset:
    """Creates a cell's data set where the setting says its files are."""
    files = {"data_dir": settings.data_dir, "offline": settings.offline}
    return open_named(spec.dataset, **files, **spec.dataset_options)


def prepare_model(spec: CellSpec, dataset: Dataset, rng: Rng) -> Model:
    """Builds a model for the seeds of an rng and shows it the training set."""
    model = build(spec.model, dataset.spec, rng, dict(spec.options))
    return prepare(model, dataset, rng, labelled=spec.labelled)


def hash_stack(spec: CellSpec, dataset: Dataset) -> str:
    """Returns a hash of a user's model, by its source, and of the points that it is trained on.

    What is trained halfway with others must not go on with these: neither need have raised its version.
    """
    parts = [hash_plugin(MODELS.get(spec.model)), dataset.hashes]
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def checkpoint_path(job: StackJob) -> Path | None:
    """Returns where a job's checkpoint lies, or None if it keeps none."""
    if job.settings.checkpoints is None:
        return None
    device = choose_device(job.settings.device).type
    stack = hashlib.sha256(canonical(job.seeds).encode()).hexdigest()[:8]
    return job.settings.checkpoints / f"{job.specs[0].group}-{device}-{stack}.safetensors"


#: by data set and setting; a few, so that a long run does not fill the memory
_EVALUATORS: dict[str, Evaluator] = {}
KEPT_EVALUATORS = 4


def forget_evaluators() -> None:
    """Lets go of data sets and evaluators whose points somebody has changed."""
    _EVALUATORS.clear()


def evaluator_for(spec: CellSpec, settings: RunSettings) -> Evaluator:
    """Returns the evaluator of a data set; floors and reference features are kept between jobs.

    One of another source of a plugin is another: a notebook may load a file anew that was edited.
    """
    requests = make_requests(
        settings.metrics, samples=settings.samples, features=settings.features
    )
    code = tag_code(DATASETS.get(spec.dataset)), [request.key for request in requests]
    key = repr((spec.dataset, sorted(spec.dataset_options.items()), settings, code))
    if key not in _EVALUATORS:
        while len(_EVALUATORS) >= KEPT_EVALUATORS:
            del _EVALUATORS[next(iter(_EVALUATORS))]
        _EVALUATORS[key] = Evaluator(
            open_dataset(spec, settings),
            requests,
            samples=settings.samples,
            features=settings.features,
        )
    return _EVALUATORS[key]


def data_of(job: StackJob) -> Dataset:
    """Returns a job's data set, of the points by which its run was planned.

    An evaluator that was kept of points that have changed since, as files of a user's may, is made anew.

    Raises:
        ContractError: If it has other points whenever it is opened.
    """
    spec = job.specs[0]
    if _find_moved(job, evaluator_for(spec, job.settings).dataset):
        forget_evaluators()
    dataset = evaluator_for(spec, job.settings).dataset
    if moved := _find_moved(job, dataset):
        raise ContractError(
            f"data set {spec.dataset!r} ({where(type(dataset))}) needs the same points each time it is "
            f"opened, got other ones of {', '.join(moved)} than when the run was planned; draw them from "
            f"{own_rng('split')} alone, and leave files as they are while a run goes on"
        )
    return dataset


def _find_moved(job: StackJob, dataset: Dataset) -> list[str]:
    """The splits whose points are not those of the plan; none where it read none."""
    return [name for name, digest in job.points.items() if dataset.hashes.get(name) != digest]
