"""What many records cost: report, leaderboard, check, merge, validate and export of 20,000 real ones.

The records of a results folder are written again with other seeds until there are as many as asked, with
their curves and all that was measured. Every command runs in a process of its own, whose time and peak
memory are printed, the first time and once more; limits are those of 20,000 records:
python tests/speed/load.py [--records 20000] [--results results]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from genbench.store import Record, Store
from genbench.store.form import to_bytes

ROOT = Path(__file__).resolve().parents[2]
RECORDS = 20_000
#: by command, seconds and gigabytes for so many records; None is not limited
LIMITS: dict[str, tuple[float | None, float | None]] = {
    "report": (30.0, 1.0),
    "leaderboard": (None, None),
    "check": (10.0, 0.5),
    "merge": (None, None),
    "validate": (None, None),
    "export": (None, None),
}


def fill(source: Path, to: Path, count: int) -> int:
    """Writes records of one folder to another with other seeds, `count` in all; returns how many."""
    originals = [r for r in Store(source).records() if r.spec.samples is None]
    store, written = Store(to), 0
    while written < count:
        for original in originals[: count - written]:
            path = store.path((record := _reseed(original, written)).spec)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(to_bytes(record))
            written += 1
    return written


def _reseed(record: Record, at: int) -> Record:
    spec = record.spec.model_copy(update={"seed": record.spec.seed + 1000 * at})
    return record.model_copy(update={"spec": spec, "cell": spec.cell, "artifacts": {}})


def measure(arguments: list[str]) -> tuple[float, float]:
    """Returns the seconds and the peak gigabytes of a command of genbench."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "genbench", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    assert process.stderr is not None
    if (code := os.waitstatus_to_exitcode(status)) not in (0, 1):
        raise SystemExit(f"{arguments}: exit {code}: {process.stderr.read().decode()[-500:]}")
    process.stderr.close()
    return seconds, usage.ru_maxrss / 1e6


def main() -> int:
    """Prints the table; returns 1 if a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    asked = parser.parse_args()
    passed = True
    with tempfile.TemporaryDirectory(prefix="genbench-load-") as name:
        folder, scratch = Path(name) / "many", Path(name)
        count = fill(asked.results, folder, asked.records)
        baseline = str(scratch / "baseline.json")
        measure(["baseline", "accept", "--from", str(folder), "--to", baseline, "--with-failures"])
        commands = {
            "report": ["report", "-o", str(folder), "--to", str(scratch / "page")],
            "leaderboard": ["leaderboard", "-o", str(folder)],
            "check": ["check", "--baseline", baseline, "--candidate", str(folder)],
            "merge": ["merge", str(folder), "-o", str(scratch / "merged")],
            "validate": ["validate", str(folder)],
            "export": ["export", str(scratch / "all.csv"), "-o", str(folder)],
        }
        print(
            f"{count} records\n{'':<12}{'first':>9}{'again':>9}{'limit':>9}{'GB':>9}{'limit':>9}"
        )
        for command, arguments in commands.items():
            (first, one), (again, two) = measure(arguments), measure(arguments)
            limits = LIMITS[command]
            passed &= limits[0] is None or again <= limits[0]
            passed &= limits[1] is None or max(one, two) <= limits[1]
            shown = ["–" if limit is None else f"{limit:.1f}" for limit in limits]
            print(
                f"{command:<12}{first:>8.1f}s{again:>8.1f}s{shown[0]:>9}{max(one, two):>9.2f}{shown[1]:>9}",
                flush=True,
            )
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
