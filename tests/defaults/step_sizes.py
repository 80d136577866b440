"""Step sizes of all families beside their defaults, judged by validation points: what a default should be.

    python tests/defaults/step_sizes.py FOLDER [--models gan vae] [--factors 0.3 1 3] [--steps 3000]

Every model is trained with multiples of its default step sizes; samples are held against points that are
neither trained on nor tested with, by the exact KID: of a classifier's features where there is one, else
of the points. Finished cells are kept in FOLDER, so that a stopped run goes on.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import numpy
import torch

from genbench.core import options
from genbench.core.dataset import Dataset, open_named
from genbench.core.model import MODELS
from genbench.core.rng import Rng
from genbench.core.spec import Budget, Cells, Part, Suite
from genbench.evaluation.extractors import default_features, make_extractor
from genbench.evaluation.requests import to_space
from genbench.executors.processes import Processes
from genbench.metrics import kid
from genbench.running.driver import run_plan
from genbench.running.sorter import make_plan, make_settings
from genbench.store import Record, Store

#: what is compared in the suites `toys` and `images`, but for reference rows, which have no step size
FAMILIES = "gan gan_minimax lsgan hinge_sn r1_gan wgan_gp pacgan bigan gmmn vae beta_vae iwae nice realnvp"
FAMILIES += " maf made rbm gsn ddpm flow_matching"
#: points of a stream that samples are held against
HELD_OUT = 2500


def part_of(model: str, factor: float) -> Part:
    """A model with its default step sizes times a factor."""
    known = options.defaults(MODELS.get(model))
    sizes = {name: known.get(name) for name in ("lr", "discriminator_lr")}
    return Part(name=model, options={n: v * factor for n, v in sizes.items() if v is not None})


def suite_of(given: argparse.Namespace) -> Suite:
    """All models at all factors."""
    parts = [part_of(name, factor) for name in given.models for factor in given.factors]
    cells = Cells(
        models=parts,
        datasets=[Part(name=name) for name in given.datasets],
        budget=Budget(steps=given.steps),
        batch=given.batch,
    )
    return Suite(
        description="step sizes",
        seeds=given.seeds,
        metrics=[Part(name="mmd")],
        samples=HELD_OUT,
        curve=0,
        cells=[cells],
    )


class Judge:
    """The exact KID of samples to a data set's validation points."""

    def __init__(self, dataset: Dataset) -> None:
        self.extractor = make_extractor(default_features(dataset), dataset)
        self.real = to_space("features", dataset.points("validation")[:HELD_OUT], self.extractor)

    def __call__(self, record: Record, store: Store) -> float:
        content = store.content(record.artifacts["samples"])
        assert content is not None, f"the samples of {record.cell} are gone"
        with numpy.load(io.BytesIO(content), allow_pickle=False) as held:
            fake = to_space("features", torch.from_numpy(held["samples"]), self.extractor)
        return kid.kid(self.real, fake, rng=Rng([0]), subsets=0)["kid"].value


def main() -> int:
    """Prints a row a model and data set: mean KID and its standard error by factor."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", default=FAMILIES.split())
    parser.add_argument("--datasets", nargs="+", default=["ring", "digits"])
    parser.add_argument("--factors", nargs="+", type=float, default=[0.3, 1.0, 3.0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    store, suite = Store(given.folder), suite_of(given)
    made = make_plan(
        suite, store, make_settings(suite, given.folder, device="cpu", workers=given.jobs)
    )
    for record in run_plan(made, store, Processes(given.jobs), lambda index, progress: None):
        print(f"  {record.spec.model} on {record.spec.dataset}: {record.status}", flush=True)
    judges = {name: Judge(open_named(name)) for name in given.datasets}
    values: dict[tuple[str, str, float], list[float]] = defaultdict(list)
    for record in store.records():
        spec = record.spec
        lr = options.defaults(MODELS.get(spec.model))["lr"]
        factor = round(spec.options["lr"] / lr, 6)
        score = judges[spec.dataset](record, store) if record.status == "ok" else float("inf")
        values[spec.model, spec.dataset, factor].append(score)
    for name in given.models:
        for dataset in given.datasets:
            row = [values[name, dataset, factor] for factor in given.factors]
            cells = [f"x {f:g}: {told(v)}" for f, v in zip(given.factors, row, strict=True) if v]
            print(f"{name:14s} {dataset:8s} {'   '.join(cells)}")
    return 0


def told(values: list[float]) -> str:
    """Mean and standard error."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{statistics.mean(values):9.4g} ± {error:.2g}"


if __name__ == "__main__":
    sys.exit(main())
