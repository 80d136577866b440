"""How long the suites for a GPU take: rounds per second of every model that they train, and hours.

    python tests/gpu/suites.py [--device cuda] [--only SUITE]... [--seeds N] [--seconds S] [--graphs]
                               [--data-dir FOLDER]

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
from typing import Any

import torch
from measure import rate

from genbench.core.dataset import Dataset, open_named
from genbench.core.rng import Rng
from genbench.core.spec import CellSpec, Suite, canonical
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


def measure_suite(
    suite: Suite, device: torch.device, seconds: float, *, graphs: bool, data_dir: Path | None
) -> float:
    """Prints the pace of every model that a suite trains; returns the hours that all take."""
    rows, hours = list(stacks(suite)), 0.0
    datasets: dict[str, Dataset] = {}
    for specs in rows:
        spec = specs[0]
        key = canonical([spec.dataset, spec.dataset_options])
        if key not in datasets:
            datasets[key] = open_named(spec.dataset, data_dir=data_dir, **spec.dataset_options)
        timed = time_rounds(specs, datasets[key], device, seconds, graphs)
        if timed is None:
            continue
        calls, reason = timed
        share = (spec.budget.steps or 0) / calls / 3600
        hours += share
        note = f" (no graph: {reason})" if reason else ""
        print(
            f"   {spec.model} {tell_apart(spec, [other[0] for other in rows])} on {spec.dataset}: "
            f"{calls:.1f} rounds/s of {len(specs)} seeds, {share:.2f} h{note}",
            flush=True,
        )
    return hours


def tell_apart(spec: CellSpec, others: list[CellSpec]) -> dict[str, Any]:
    """Returns the options of a cell that others of its model have otherwise."""
    rows = [other.options for other in others if other.model == spec.model]
    return {k: v for k, v in spec.options.items() if any(row[k] != v for row in rows)}


def main() -> None:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", action="append", default=[], metavar="SUITE")
    parser.add_argument("--seeds", type=int, help="seeds in a stack; the suite's if absent")
    parser.add_argument("--seconds", type=float, default=1.0, help="timed for a cell")
    parser.add_argument("--graphs", action="store_true", help="replay rounds as CUDA graphs")
    parser.add_argument("--data-dir", type=Path, help="a folder with data sets' files")
    chosen = parser.parse_args()
    device = torch.device(chosen.device)
    warnings.simplefilter("ignore")
    suites = {k: s for k, s in load_suites(SUITES).items() if k.endswith("_gpu")}
    for name in chosen.only or suites:
        suite, began = suites[name], time.perf_counter()
        if chosen.seeds is not None:
            suite = suite.model_copy(update={"seeds": chosen.seeds})
        how = {"graphs": chosen.graphs, "data_dir": chosen.data_dir}
        hours = measure_suite(suite, device, chosen.seconds, **how)
        took, seeds = time.perf_counter() - began, len(suite.seed_list)
        print(f"## {name}: {hours:.2f} h at {seeds} seeds ({took:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
