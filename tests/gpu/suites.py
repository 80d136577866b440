"""How long the suites for a GPU take: rounds per second of every model that they train, and hours.

    python tests/gpu/suites.py [--device cuda] [--only SUITE]... [--seeds N] [--seconds S] [--graphs]

Every suite of benchmarks.yaml whose name ends in `_gpu`: a stack of its seeds, or of N, is trained for a few
rounds at its batch size, and timed for S seconds or more. Hours are the suite's rounds at that pace, without
the scores and the points of the learning curve, one cell after the other.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch
from measure import rate

from genbench.core.dataset import DATASETS, Dataset
from genbench.core.rng import Rng
from genbench.core.spec import CellSpec, Suite
from genbench.running.build import prepare_model
from genbench.running.cells import cell_specs
from genbench.store.documents import load_suites
from genbench.training.trainer import Trainer

SUITES = Path(__file__).parents[2] / "benchmarks.yaml"


def stacks(suite: Suite) -> Iterator[list[CellSpec]]:
    """Yields the cells of one model on one data set, for all its seeds."""
    for cells in suite.cells:
        for dataset, model in product(cells.datasets, cells.models):
            yield cell_specs(suite, cells, model, dataset, autocast=False)


def time_rounds(
    specs: list[CellSpec], dataset: Dataset, device: torch.device, seconds: float, graphs: bool
) -> tuple[float, str | None] | None:
    """Returns rounds per second of a stack and why no graph was captured; None of what is not trained."""
    spec, rng = specs[0], Rng([s.seed for s in specs], device=device)
    model = prepare_model(spec, dataset, rng)
    trainer = Trainer(
        model,
        dataset,
        spec.budget,
        batch=spec.batch,
        rng=rng,
        training=spec.training,
        graphs=graphs,
    )
    if not trainer.players:
        return None
    model.train()
    calls = rate(trainer.advance, device, seconds)
    return calls, getattr(trainer.advance, "reason", None)


def main() -> None:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", action="append", default=[], metavar="SUITE")
    parser.add_argument("--seeds", type=int, help="seeds in a stack; the suite's if absent")
    parser.add_argument("--seconds", type=float, default=1.0, help="timed for a cell")
    parser.add_argument("--graphs", action="store_true", help="replay rounds as CUDA graphs")
    chosen = parser.parse_args()
    device = torch.device(chosen.device)
    warnings.simplefilter("ignore")
    suites = {k: s for k, s in load_suites(SUITES).items() if k.endswith("_gpu")}
    for name in chosen.only or suites:
        suite, hours, began = suites[name], 0.0, time.perf_counter()
        if chosen.seeds is not None:
            suite = suite.model_copy(update={"seeds": chosen.seeds})
        datasets: dict[str, Dataset] = {}
        for specs in stacks(suite):
            spec = specs[0]
            key = repr((spec.dataset, spec.dataset_options))
            if key not in datasets:
                datasets[key] = DATASETS.get(spec.dataset)(**spec.dataset_options)
            timed = time_rounds(specs, datasets[key], device, chosen.seconds, chosen.graphs)
            if timed is None:
                continue
            calls, reason = timed
            needs = (spec.budget.steps or 0) / calls / 3600
            hours += needs
            told = {k: v for k, v in spec.options.items() if k in TOLD}
            note = f" (no graph: {reason})" if reason else ""
            print(
                f"   {spec.model} {told} on {spec.dataset}: {calls:.1f} rounds/s of {len(specs)} "
                f"seeds, {needs:.2f} h{note}",
                flush=True,
            )
        took = time.perf_counter() - began
        print(
            f"## {name}: {hours:.2f} h at {len(suite.seed_list)} seeds ({took:.0f} s)", flush=True
        )


#: options that tell rows of a suite apart
TOLD = (
    "content",
    "judge",
    "loss",
    "l1",
    "network",
    "cycle",
    "identity",
    "exemplar",
    "adversary",
    "match",
    "image",
)


if __name__ == "__main__":
    main()
