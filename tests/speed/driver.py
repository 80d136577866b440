"""What the driver costs: a cell handed out and recorded, and a report over many records.

Cells are trivial: the executor gives back made-up records at once, so that what is left is planning,
locking, checking and writing. Limits: 5 ms a cell and memory that does not grow with cells done; a
report over 100,000 records in 60 s and 2 GB (scaled down with --records). A second table lets 64 workers
of a simulated cluster, whose jobs take seconds of a simulated clock, take the same cells from the driver:
the time until the last is done must be near the least possible, the greater of the mean load and the
longest job:
python tests/speed/driver.py [--cells 10000] [--records 100000] [--only cells|cluster|report]
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from genbench.core.files import write_bytes
from genbench.core.metric import METRICS
from genbench.core.spec import Budget, Cells, Part, Suite
from genbench.evaluation.requests import make_requests
from genbench.running.driver import run_plan
from genbench.running.executor import Executor
from genbench.running.job import Outcome, now
from genbench.running.plan import Plan
from genbench.running.sorter import make_plan, make_settings
from genbench.store import CurvePoint, Measurement, Record, Store, Used
from genbench.store.form import to_bytes

ROOT = Path(__file__).resolve().parents[2]
FID, SAMPLES = Part(name="fid"), 500
SCORE = Measurement(
    id="fid",
    metric="fid",
    version=METRICS.get("fid").version,
    key=make_requests([FID], samples=SAMPLES)[0].key,
    protocol="identity, n=500/500",
    value=0.5,
)
MS_A_CELL, MB_GROWN = 5.0, 20.0
WORKERS, MAKESPAN = 64, 1.1
SECONDS, GIGABYTES, RECORDS = 60.0, 2.0, 100_000


class Nothing(Executor):
    """An executor that trains nothing."""

    def run(self, next_job, report) -> Iterator[tuple[int, Outcome]]:
        """Gives back made-up records."""
        while (assigned := next_job()) is not None:
            index, job = assigned
            yield index, Outcome([record(spec) for spec in job.specs])


class Cluster(Executor):
    """An executor of workers that compute nothing and take a simulated clock's time for it.

    A job takes the mean seconds of its model times its seeds, and a factor of its own; models differ
    a hundredfold, as ours do.
    """

    def __init__(self, workers: int) -> None:
        self.free = workers
        self.clock, self.work, self.longest = 0.0, 0.0, 0.0
        self.draws = random.Random(0)
        self.means: dict[str, float] = {}

    def seconds(self, specs: tuple) -> float:
        """Returns how long a job takes."""
        model = json.dumps(specs[0].options, sort_keys=True)
        mean = self.means.setdefault(model, 10 ** self.draws.uniform(0, 2))
        return mean * len(specs) * self.draws.uniform(0.8, 1.25)

    def run(self, next_job, report) -> Iterator[tuple[int, Outcome]]:
        """Gives made-up records back in the order in which the workers end."""
        running: list[tuple[float, int, object]] = []
        more = True
        while more or running:
            while more and len(running) < self.free:
                assigned = next_job()
                more = assigned is not None
                if assigned is not None:
                    index, job = assigned
                    seconds = self.seconds(job.specs)
                    self.work += seconds
                    self.longest = max(self.longest, seconds)
                    heapq.heappush(running, (self.clock + seconds, index, job))
            if running:
                self.clock, index, job = heapq.heappop(running)
                yield index, Outcome([record(spec) for spec in job.specs])


def record(spec) -> Record:
    """Returns a record as short as a real one of a toy with one metric."""
    return Record(
        cell=spec.cell,
        group=spec.group,
        status="ok",
        spec=spec,
        taxonomy="reference",
        used=Used(steps=10, examples=80, seconds=0.1),
        curve=[CurvePoint(step=10, seconds=0.1, losses={"net": 0.1})],
        metrics=[SCORE],
        environment={"torch": "none"},
        started=now(),
        finished=now(),
    )


def planned(cells: int, root: Path, models: int = 1) -> tuple[Plan, Store]:
    """Returns the plan of a suite of so many cells."""
    parts = [
        Part(name="gan", options={"lr": 0.001 * (k + 1), "hidden": [8]}) for k in range(models)
    ]
    suite = Suite(
        description="trivial",
        seeds=cells // models,
        seeds_at_once=1,
        budget=Budget(steps=10),
        metrics=[FID],
        samples=SAMPLES,
        cells=[Cells(models=parts, datasets=[Part(name="ring")])],
    )
    store = Store(root)
    return make_plan(suite, store, make_settings(suite, root, device="cpu")), store


def resident_mb() -> float:
    """Returns the memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def schedule(cells: int, folder: Path) -> bool:
    """Measures the driver over trivial cells; returns whether it keeps within the limits."""
    planned(10, folder / "warm")
    began = time.perf_counter()
    made, store = planned(cells, folder / "cells")
    planning = time.perf_counter() - began
    memory: list[float] = []
    began = time.perf_counter()
    for done, _ in enumerate(run_plan(made, store, Nothing(), lambda index, progress: None)):
        if done % max(cells // 10, 1) == 0:
            memory.append(resident_mb())
    running = time.perf_counter() - began
    each = 1e3 * (planning + running) / cells
    grown = memory[-1] - memory[1]
    began = time.perf_counter()
    again, _ = planned(cells, folder / "cells")
    assert not again.jobs
    second = 1e3 * (time.perf_counter() - began) / cells
    print(
        f"{cells} cells: {each:.2f} ms each (planning {1e3 * planning / cells:.2f}), limit {MS_A_CELL}"
    )
    print(f"a file of a record's size takes {floor(made, folder):.2f} ms to write and fsync")
    print(f"memory while running: {memory[1]:.0f} MB, then {grown:+.1f} MB, limit +{MB_GROWN:.0f}")
    print(f"a second run finds nothing to do in {second:.2f} ms a cell")
    return each <= MS_A_CELL and grown <= MB_GROWN


def simulate(cells: int, folder: Path) -> bool:
    """Measures the driver before 64 simulated workers; returns whether it keeps within the limits."""
    made, store = planned(cells, folder / "cluster", models=50)
    cluster = Cluster(WORKERS)
    began, computed = time.perf_counter(), time.process_time()
    done = sum(1 for _ in run_plan(made, store, cluster, lambda index, progress: None))
    each = 1e3 * (time.perf_counter() - began) / cells
    cpu = 1e3 * (time.process_time() - computed) / cells
    least = max(cluster.work / WORKERS, cluster.longest)
    print(
        f"{cells} cells in {done} jobs for {WORKERS} simulated workers: {each:.2f} ms of the driver each "
        f"({cpu:.2f} of CPU), limit {MS_A_CELL}; last job done after {cluster.clock:.0f} s, "
        f"least possible {least:.0f} s, ratio {cluster.clock / least:.3f}, limit {MAKESPAN}"
    )
    return each <= MS_A_CELL and cluster.clock <= MAKESPAN * least


def floor(made: Plan, folder: Path, repeats: int = 200) -> float:
    """Returns the milliseconds that writing a record's bytes to this disk takes."""
    content = to_bytes(record(made.cells[0]))
    began = time.perf_counter()
    for k in range(repeats):
        write_bytes(folder / "floor" / f"{k}.json", content)
    return 1e3 * (time.perf_counter() - began) / repeats


def report(records: int, folder: Path) -> bool:
    """Measures `genbench report` over made-up records of 100 groups."""
    made, store = planned(records, folder / "many", models=100)
    for spec in made.cells:
        path = store.path(spec)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_bytes(record(spec)))
    command = [sys.executable, "-m", "genbench", "report", "-o", str(store.root)]
    began = time.perf_counter()
    subprocess.run(
        [*command, "--to", str(folder / "page")],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    seconds = time.perf_counter() - began
    gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    limits = max(SECONDS * records / RECORDS, 15.0), max(GIGABYTES * records / RECORDS, 1.0)
    print(
        f"report over {records} records: {seconds:.1f} s of {limits[0]:.0f}, "
        f"{gigabytes:.2f} GB of {limits[1]:.1f}"
    )
    return seconds <= limits[0] and gigabytes <= limits[1]


def main() -> int:
    """Returns 1 if a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--only", choices=("cells", "cluster", "report"))
    given = parser.parse_args()
    tables = {
        "cells": partial(schedule, given.cells),
        "cluster": partial(simulate, given.cells),
        "report": partial(report, given.records),
    }
    good = True
    with tempfile.TemporaryDirectory(prefix="genbench-driver-") as folder:
        for name, measure in tables.items():
            if given.only in (None, name):
                good &= measure(Path(folder))
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
