"""The proof that a refactoring moves no number: every model, on every data set it takes, before and after.

Two seeds train for 200 rounds in one stack, and every metric without a clock in it scores them, by way of the
command line alone, so that the script runs unchanged on both sides of any change inside the package.

    python tests/proof/same_bits.py run BEFORE            # in the old tree, with its own environment
    python tests/proof/same_bits.py run AFTER             # in the new one
    python tests/proof/same_bits.py compare BEFORE AFTER  # exit 1 where a cell, a score or a weight differs

`run` resumes where it was stopped. What is compared of a record is all but times, memory, versions of
software and the commit: the cell's name, its group, status and reason, every loss and score of the curve,
every measurement by metric, protocol and split (value, standard error, floor, reason), and the hashes of the
weights and of the samples, which are compared bit by bit therefore.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

#: what two machines, or two moments, measure differently
CLOCKED = {"latency", "relative_latency", "throughput", "peak_memory", "effective_sample_cost"}
SUITE = {"seeds": 2, "batch": 16, "budget": {"steps": 200}, "samples": 200, "curve": 2}
#: of a measurement, what is compared
PARTS = ("value", "stderr", "floor", "reason", "kind", "n_real", "n_fake")


def genbench(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the command line of this interpreter's own genbench."""
    return subprocess.run(
        [sys.executable, "-m", "genbench", *map(str, args)], capture_output=True, text=True
    )


def names(kind: str, key: str = "name") -> list[str]:
    """Returns the names of all plugins of a kind, each once."""
    rows = json.loads(genbench("list", kind, "--json").stdout)
    return list(dict.fromkeys(row[key] for row in rows))


def run(root: Path, datasets: list[str], models: list[str], steps: int, jobs: int) -> int:
    """Trains and scores what is missing; returns how many data sets ended with an unexpected code."""
    root.mkdir(parents=True, exist_ok=True)
    metrics = sorted(set(names("metrics", "metric")) - CLOCKED)
    bad = 0
    for dataset in datasets or names("datasets"):
        cells = {"models": models or names("models"), "datasets": [dataset]}
        suite = SUITE | {"budget": {"steps": steps}, "metrics": metrics, "cells": [cells]}
        suite |= {"description": "every model, briefly", "seeds_at_once": 2}
        config = root / f"{dataset}.json"
        config.write_text(json.dumps({"schema": 1, "suites": {"proof": suite}}))
        done = genbench(
            *("run", "proof", "-c", config, "-o", root / "results", "-q"),
            *("--executor", "processes", "-j", jobs),
        )
        print(f"{dataset}: exit {done.returncode} {done.stderr.strip()[-200:]}", flush=True)
        bad += done.returncode not in (0, 2, 3)
    return bad


def essence(path: Path) -> dict[str, object]:
    """Returns of a record what must not move, by name."""
    record = json.loads(path.read_text())
    facts: dict[str, object] = {
        key: json.dumps(record.get(key), sort_keys=True)
        for key in ("cell", "group", "status", "reason", "spec", "parameters", "data_hashes")
    }
    for point in record.get("curve") or []:
        for kind in ("losses", "metrics"):
            for name, value in point[kind].items():
                facts[f"curve {point['step']} {name}"] = value
    for m in record.get("metrics") or []:
        for part in PARTS:
            facts[f"{m['id']} [{m['protocol']}] {m['split']} {part}"] = m.get(part)
    for kind, held in (record.get("artifacts") or {}).items():
        facts[f"artifact {kind}"] = Path(str(held)).name
    return facts


def compare(before: Path, after: Path) -> int:
    """Prints what differs; returns how many records do."""
    ours, theirs = (
        {p.relative_to(root): p for p in sorted((root / "results").rglob("*.json"))}
        for root in (before, after)
    )
    lost, new = sorted(ours.keys() - theirs.keys()), sorted(theirs.keys() - ours.keys())
    facts = differing = 0
    status: dict[str, int] = {}
    for name in sorted(ours.keys() & theirs.keys()):
        old, now = essence(ours[name]), essence(theirs[name])
        facts += len(old)
        status[str(old["status"])] = status.get(str(old["status"]), 0) + 1
        moved = [key for key in old.keys() | now.keys() if old.get(key) != now.get(key)]
        differing += bool(moved)
        for key in sorted(moved)[:3]:
            print(f"{name}: {key}: {old.get(key)} -> {now.get(key)}")
    for name in [*lost, *new]:
        print(f"{name}: only {'before' if name in lost else 'after'}")
    counted = ", ".join(f"{count} {name}" for name, count in sorted(status.items()))
    print(f"{len(ours)} records before, {len(theirs)} after ({counted})")
    print(
        f"{facts} facts compared; records that differ: {differing}; on one side: {len(lost) + len(new)}"
    )
    return differing + len(lost) + len(new)


def main() -> None:
    """Parses, runs or compares."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    runs = verbs.add_parser("run")
    runs.add_argument("root", type=Path)
    runs.add_argument("-d", "--dataset", action="append", default=[])
    runs.add_argument("-m", "--model", action="append", default=[])
    runs.add_argument("--steps", type=int, default=200)
    runs.add_argument("-j", "--jobs", type=int, default=1)
    compares = verbs.add_parser("compare")
    compares.add_argument("before", type=Path)
    compares.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.verb == "run":
        sys.exit(bool(run(given.root, given.dataset, given.model, given.steps, given.jobs)))
    sys.exit(bool(compare(given.before, given.after)))


if __name__ == "__main__":
    main()
