"""The gate on times: false alarms on a machine whose speed changes, and slower samplers that it must catch.

Models of suite ci are built, eight seeds each, and `relative_latency` times them: first as a baseline on
the machine as it is, then as candidates, in turn as it is and beside two busy loops, and so with a sampler
that makes every call twice. Every candidate goes through `genbench check`'s own function. Absolute times go
through it as well, to show what they would do:
python tests/gate/times.py [--gates 20]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from genbench.core.dataset import DATASETS
from genbench.core.metric import METRICS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget, CellSpec, Part
from genbench.core.trained import Trained
from genbench.evaluation.requests import make_requests
from genbench.report.gate.accept import accept
from genbench.report.gate.check import check
from genbench.store import Measurement, Record, Used
from genbench.store.environment import environment
from genbench.training.minibatches import prepare

#: of suite ci, without `rbm`, whose chain takes seconds a call
NAMES = ("gan", "vae", "realnvp", "made", "wgan_gp")
SEEDS, SECONDS = 8, 0.1
COLUMNS = {"relative_latency": "calibrations", "latency": "ms"}
#: a loop that ends with the process that began it, however that ends
BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: sum(range(10_000))"
FALSE, CAUGHT = 0, 1.0


class Twice(Trained):
    """A trained model whose sampler works twice for every call."""

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns n samples, after as many that are thrown away."""
        super().sample(n, rng)
        return super().sample(n, rng)


def models() -> Iterator[tuple[CellSpec, Trained]]:
    """Builds every model for every seed; training does not change how long sampling takes."""
    for name in NAMES:
        dataset = DATASETS.get("bars_and_stripes" if name in ("made",) else "ring")()
        for seed in range(SEEDS):
            rng = Rng([seed])
            model = prepare(build(name, dataset.spec, rng.fork("init")), dataset, rng).eval()
            spec = CellSpec(
                model=name,
                model_version=1,
                options={},
                dataset=dataset.name,
                dataset_version=1,
                budget=Budget(steps=1),
                batch=1,
                seed=seed,
            )
            yield spec, Trained(model, dataset)


def measure(cells: list[tuple[CellSpec, Trained]], kind: type[Trained] = Trained) -> list[Record]:
    """Times every model; returns records."""
    records = []
    for spec, trained in cells:
        rows = []
        for name, unit in COLUMNS.items():
            entry = METRICS.get(name)
            key = make_requests([Part(name=name, options={"seconds": SECONDS})], samples=1)[0].key
            own = kind(trained.model, trained.dataset)
            scores = entry.function(own, torch.empty(0), rng=Rng([spec.seed]), seconds=SECONDS)
            for id, score in scores.items():
                if entry.columns[id].unit == unit:
                    rows.append(
                        Measurement(
                            id=id,
                            metric=name,
                            version=entry.version,
                            key=key,
                            protocol=str(dict(score.protocol)),
                            value=score.value,
                            unit=unit,
                            kind="estimate",
                        )
                    )
        records.append(
            Record(
                cell=spec.cell,
                group=spec.group,
                status="ok",
                spec=spec,
                taxonomy="",
                used=Used(),
                metrics=rows,
                environment=environment(torch.device("cpu")),
                started="",
                finished="",
            )
        )
    return records


@contextmanager
def load(busy: bool) -> Iterator[None]:
    """Runs two busy loops beside, or none."""
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2 * busy)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()


def main() -> int:
    """Prints the table; returns 1 if a figure misses what is asked."""
    parser = argparse.ArgumentParser(description="The gate on times")
    parser.add_argument("--gates", type=int, default=20)
    gates = parser.parse_args().gates
    torch.set_num_threads(1)
    cells = list(models())
    accepted = accept(measure(cells), suite=None, by="times", when="", times=True)
    print(f"{gates} gates each; half of them beside two busy loops")
    print(f"{'candidate':<22}{'relative times: alarms':>24}{'absolute times: alarms':>24}")
    missed = False
    for name, kind in (("unchanged", Trained), ("sampler twice as slow", Twice)):
        alarms = dict.fromkeys(COLUMNS.values(), 0)
        for gate in range(gates):
            with load(busy=gate % 2 == 1):
                result = check(accepted, measure(cells, kind))
            for metric, unit in COLUMNS.items():
                bad = [
                    row
                    for row in result.rows
                    if row.verdict == "regression" and (row.column or "").startswith(metric)
                ]
                alarms[unit] += bool(bad)
        print(f"{name:<22}{alarms['calibrations']:>24}{alarms['ms']:>24}", flush=True)
        share = alarms["calibrations"] / gates
        missed |= share > FALSE if kind is Trained else share < CAUGHT
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
