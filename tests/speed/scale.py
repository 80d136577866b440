"""Memory and time of `genbench evaluate` as points become many: a limit that holds, and exponents.

Each size runs in a process of its own, on features of two files that are made first (mixtures, so that no
metric degenerates). Peak memory is the process's own maximum, Python and torch included. Run it on an
otherwise idle machine: make scale, or python tests/speed/scale.py
--tiny shows in a minute that the script works, with a limit in proportion.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy

ROOT = Path(__file__).resolve().parents[2]
#: every metric of two samples that holds for features of any kind
METRICS = "fid,fid_infinity,kid,mmd,mmd_test,prdc,energy_distance,sliced_wasserstein,c2st,wasserstein,parzen"
MIB = 2**20


def write(path: Path, n: int, size: int, seed: int, shift: float) -> None:
    """Writes float32 features of ten clusters to a file, a block at a time."""
    rng = numpy.random.default_rng(seed)
    centres = numpy.random.default_rng(0).normal(size=(10, size))
    array = numpy.lib.format.open_memmap(path, "w+", "float32", (n, size))
    for start in range(0, n, 4096):
        stop = min(start + 4096, n)
        chosen = centres[rng.integers(10, size=stop - start)]
        array[start:stop] = chosen + shift + rng.normal(size=chosen.shape)
    array.flush()


def evaluate(folder: Path, n: int, size: int, memory: str, metrics: str) -> dict:
    """Runs the verb in a process of its own; returns its answer, seconds and peak MiB."""
    for name, seed, shift in (("real", 1, 0.0), ("fake", 2, 0.05)):
        write(folder / f"{name}.npy", n, size, seed, shift)
    command = [sys.executable, __file__, "--child", "evaluate", str(folder / "fake.npy")]
    command += ["-r", str(folder / "real.npy"), "--metrics", metrics, "--memory", memory]
    command += ["--features", "identity", "--json"]
    began = time.perf_counter()
    ended = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
    )
    found = json.loads(ended.stdout)
    return {**found, "wall": time.perf_counter() - began}


def child(arguments: list[str]) -> None:
    """The verb, with the process's own peak added to its JSON: the parent cannot know it."""
    import contextlib
    import io

    import torch

    from genbench.cli import main as verb
    from genbench.core.metric import columns

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    import sklearn.neighbors  # what every run imports belongs to the base

    assert sklearn.neighbors
    base = peak_mib()
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        verb(arguments)
    peak = peak_mib()
    found = json.loads(told.getvalue())
    for name, row in found["metrics"].items():
        row["metric"] = columns()[name][0].name
    print(json.dumps({**found, "base": base, "peak": peak}))


def peak_mib() -> float:
    """Returns the largest memory that this process has held since it began (Linux)."""
    # getrusage's maximum would count the process that started this one, too
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def exponent(sizes: list[int], values: list[float]) -> float:
    """The slope of a straight line through the logarithms."""
    pairs = [(n, v) for n, v in zip(sizes, values, strict=True) if v > 0]
    if len(pairs) < 2:
        return math.nan
    x, y = numpy.log(numpy.array(pairs, dtype=float)).T
    return float(numpy.polyfit(x, y, 1)[0])


def main() -> int:
    """Prints peak memory and seconds by size with exponents; returns 1 if a limit is passed."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="up to 8,000 x 256 within 700 MB")
    parser.add_argument("--points", type=int, nargs="+", default=[12500, 25000, 50000, 100_000])
    parser.add_argument("--size", type=int, default=2048, help="features of a point")
    parser.add_argument("--megabytes", type=float, default=2000.0, help="the most of the process")
    parser.add_argument("--metrics", default=METRICS)
    given = parser.parse_args()
    if given.tiny:
        given.points, given.size, given.megabytes = [2000, 4000, 8000], 256, 700.0
    memory = f"{int(given.megabytes * 1e6 / MIB)}MiB"
    seconds: dict[str, list[float]] = {}
    peaks: list[float] = []
    print(
        f"{given.size} features, --memory {memory}; metrics in process seconds, shared passes split"
    )
    for n in given.points:
        with tempfile.TemporaryDirectory(prefix="genbench-scale-") as folder:
            found = evaluate(Path(folder), n, given.size, memory, given.metrics)
        peaks.append(found["peak"])
        held = 2 * n * given.size * 4 / MIB
        print(
            f"\nn={n}: {found['wall']:.1f} s; peak {found['peak']:.0f} MiB, of which "
            f"{found['base']:.0f} before; files {held:.0f} MiB"
        )
        spent: dict[str, float] = {}
        for name, row in found["metrics"].items():
            spent[row["metric"]] = spent.get(row["metric"], 0.0) + row["seconds"]
            told = f"{row['value']:.6g}" if row["value"] is not None else f"- ({row['reason']})"
            print(f"  {name:22s} {told}")
        for name, value in spent.items():
            seconds.setdefault(name, []).append(value)
    print("\nseconds, and their growth as a power of n")
    for name, values in seconds.items():
        shown = "".join(f"{value:10.2f}" for value in values)
        print(f"  {name:22s}{shown}   n^{exponent(given.points, values):.2f}")
    rise = [after - before for before, after in pairwise(peaks)]
    print(f"peak MiB {[round(p) for p in peaks]}, rise {[round(r) for r in rise]}")
    limit = given.megabytes * 1e6 / MIB
    print(f"limit {limit:.0f} MiB: {'kept' if max(peaks) <= limit else 'PASSED'}")
    return int(max(peaks) > limit)


if __name__ == "__main__":
    sys.exit(main())
