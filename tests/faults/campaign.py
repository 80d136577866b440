"""Kills, full disks, folders that may not be written, damaged files: what a suite loses (nothing).

A suite is run again and again while its driver and workers are killed at random moments; it must come
to the records of a run that nobody disturbed, bit for bit but for times. Every cell is a stack of its
own, so that a stack that is cut in halves after many deaths cannot change bits. Prints a table:
python tests/faults/campaign.py [--kills 200] [--suite small|ci] [--seed 0]
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from genbench.store import Store, contents

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "description": "small networks on a ring",
    "seeds": 2,
    "batch": 32,
    "budget": {"steps": 600},
    "samples": 500,
    "metrics": ["fid", "mmd"],
    "curve": 4,
    "cells": [
        {
            "models": [
                {"name": "gan", "options": {"hidden": [16]}},
                {"name": "vae", "options": {"hidden": [16]}},
                {"name": "made", "options": {"hidden": [16]}},
                "gaussian",
            ],
            "datasets": ["ring"],
        }
    ],
}
#: a run that takes longer hangs: many times what suite ci takes on two cores, a seed at a time
PATIENCE = 3600.0


@dataclass
class Row:
    """A line of the table."""

    scenario: str
    runs: int = 0
    kills: int = 0
    lost: int = 0
    wrong: int = 0
    unhelpful: int = 0
    notes: list[str] = field(default_factory=list)


class Campaign:
    """Runs one suite in a folder of its own and compares with a run that nobody disturbed.

    Arguments:
        folder: Where everything goes.
        suite: The suite's settings.
        seed: Of the random moments and damages.
    """

    def __init__(self, folder: Path, suite: dict[str, Any], seed: int) -> None:
        self.folder, self.draw = folder, random.Random(seed)
        held = {"schema": 1, "suites": {"campaign": {**suite, "seeds_at_once": 1}}}
        (folder / "suites.yaml").write_text(yaml.safe_dump(held))
        self.rows: list[Row] = []
        self.shown = 0
        self.whole: dict[str, Any] = {}

    def row(self, scenario: str) -> Row:
        """Begins a line of the table."""
        self.rows.append(Row(scenario))
        return self.rows[-1]

    def show(self) -> None:
        """Prints the lines that are not printed yet."""
        for row in self.rows[self.shown :]:
            numbers = f"{row.runs:>6}{row.kills:>7}{row.lost:>6}{row.wrong:>7}{row.unhelpful:>11}"
            print(f"{row.scenario:<34}{numbers}")
            for note in row.notes[:5]:
                print(f"    {note}", flush=True)
        self.shown = len(self.rows)

    def start(self, root: Path, *args: str, **how: Any) -> subprocess.Popen[str]:
        """Starts a driver with two workers."""
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        own = {"PYTHONPATH": os.pathsep.join(paths), "GENBENCH_CACHE": str(self.folder / "cache")}
        command = [sys.executable, "-m", "genbench", "run", "campaign", "-c", "suites.yaml"]
        command += ["-o", str(root), "--device", "cpu", "--checkpoint-every", "0.2"]
        command += ["--executor", "processes", "--jobs", "2", "--retry-failed", *args]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **own},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **how,
        )

    def end(self, run: subprocess.Popen[str], row: Row, *expected: int) -> str:
        """Waits for a driver, and notes an end that helps nobody; returns what it said."""
        row.runs += 1
        try:
            _, said = run.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            run.kill()
            said = run.communicate()[1] + "Traceback: it hung"
        if run.returncode not in expected or "Traceback" in said:
            row.unhelpful += 1
            row.notes.append(f"exit {run.returncode}: {said.strip()[-300:]}")
        return said

    def finish(self, root: Path, row: Row) -> None:
        """Runs a folder to its end, undisturbed, and compares it with the whole."""
        self.end(self.start(root), row, 0)
        self.compare(root, row)

    def compare(self, root: Path, row: Row) -> None:
        """Counts cells that are lost, and cells that tell something else than the whole run."""
        found = told(root)
        row.lost += len(self.whole.keys() - found.keys())
        row.wrong += sum(self.whole.get(cell) != held for cell, held in found.items())
        problems = Store(root).problems()
        row.wrong += len(problems)
        row.notes += problems

    def baseline(self) -> None:
        """Makes the records that every disturbed run must come to."""
        row = self.row("undisturbed, twice")
        for name in ("whole", "again"):
            self.end(self.start(self.folder / name), row, 0)
            self.whole = self.whole or told(self.folder / name)
        self.compare(self.folder / "again", row)

    def kills(self, wanted: int) -> None:
        """Kills drivers and workers at random moments until the suite is done, again and again."""
        row, root = self.row("SIGKILL of drivers and workers"), self.folder / "killed"
        while row.kills < wanted:
            shutil.rmtree(root, ignore_errors=True)
            sound: dict[str, Any] = {}
            while row.kills < wanted:
                run = self.start(root)
                ended = self._disturb(run, row, wanted)
                found = told(root)
                row.lost += sum(found.get(cell) != held for cell, held in sound.items())
                sound = found
                if ended:
                    break
            self.finish(root, row)

    def _disturb(self, run: subprocess.Popen[str], row: Row, wanted: int) -> bool:
        """Kills until the driver is killed or has ended; returns whether it came to its end."""
        while row.kills < wanted:
            time.sleep(self.draw.uniform(0.3, 6.0))
            if run.poll() is not None:
                self.end(run, row, 0, 3)
                return True
            workers = children(run.pid)
            target = self.draw.choice([run.pid, *workers, *workers])
            row.kills += 1
            kill(target)
            if target == run.pid:
                row.runs += 1
                run.communicate()
                await_end(workers)
                return False
        self.end(run, row, 0, 3)
        return True

    def full_disk(self, times: int) -> None:
        """Lets no file grow beyond a few kilobytes, and where possible fills a small file system."""
        row, root = self.row("full disk (file size limit)"), self.folder / "limited"
        for _ in range(times):
            shutil.rmtree(root, ignore_errors=True)
            limit = self.draw.randint(500, 4_000)
            self.end(self.start(root, preexec_fn=limited(limit)), row, 3)
            row.wrong += len(Store(root).problems())
            self.finish(root, row)
        small = self.folder / "small"
        small.mkdir()
        mounted = ["mount", "-t", "tmpfs", "-o", "size=64k", "genbench", str(small)]
        row = self.row("full disk (tmpfs of 64 KB)")
        if subprocess.run(mounted, capture_output=True).returncode != 0:
            row.notes.append("no tmpfs can be mounted here: not run")
            return
        try:
            self.end(self.start(small / "r"), row, 3)
            shutil.copytree(small / "r", self.folder / "moved")
        finally:
            subprocess.run(["umount", str(small)], check=True)
        row.wrong += len(Store(self.folder / "moved").problems())
        self.finish(self.folder / "moved", row)

    def read_only(self) -> None:
        """Gives a folder that may not be written."""
        row, root = self.row("read-only folder"), self.folder / "readonly"
        root.mkdir()
        root.chmod(0o555)
        began = time.monotonic()
        said = self.end(self.start(root, preexec_fn=obey_modes), row, 2)
        if said.count("\n") != 1 or "choose another folder" not in said:
            row.unhelpful += 1
            row.notes.append(said[-300:])
        row.notes.append(f"refused after {time.monotonic() - began:.0f} s, before training")
        root.chmod(0o755)

    def damages(self, times: int) -> None:
        """Truncates records or flips bits in them, and in the checkpoints of a killed run."""
        row, root = self.row("damaged records"), self.folder / "damaged"
        shutil.copytree(self.folder / "whole", root)
        for _ in range(times):
            paths = Store(root).files()
            for path in self.draw.sample(paths, min(3, len(paths))):
                self.damage(path)
            self.finish(root, row)
        row = self.row("damaged checkpoints")
        for _ in range(times):
            shutil.rmtree(root, ignore_errors=True)
            run = self.start(root)
            held: list[Path] = []
            while not held and run.poll() is None:
                time.sleep(0.05)
                held = list((root / ".checkpoints").glob("*.safetensors"))
            workers = children(run.pid)
            kill(run.pid)
            run.communicate()
            await_end(workers)
            row.runs, row.kills = row.runs + 1, row.kills + 1
            for path in (root / ".checkpoints").glob("*.safetensors"):
                self.damage(path)
            self.finish(root, row)

    def damage(self, path: Path) -> None:
        """Cuts a file short, or flips one of its bits."""
        content = bytearray(path.read_bytes())
        at = self.draw.randrange(len(content))
        if self.draw.random() < 0.5:
            del content[at:]
        else:
            content[at] ^= 1 << self.draw.randrange(8)
        path.write_bytes(bytes(content))


def told(root: Path) -> dict[str, Any]:
    """Returns what the finished cells of a folder tell, but for times and failures."""
    records = [r for r in Store(root).records() if r.status in ("ok", "diverged", "skipped")]
    return {record.cell: contents(record) for record in records}


def children(parent: int) -> list[int]:
    """Returns the worker processes of a driver."""
    try:
        listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return []
    return [int(pid) for pid in listed if b"spawn_main" in _command(int(pid))]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def kill(pid: int) -> None:
    """Kills a process, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def await_end(pids: list[int]) -> None:
    """Waits until workers have followed their driver."""
    until = time.monotonic() + 30
    while any(b"spawn_main" in _command(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)


def limited(size: int) -> Callable[[], None]:
    """Returns what limits the size of files in a process to be."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def obey_modes() -> None:
    """Takes from root the right to write where a folder's mode forbids it; others have no such right."""
    drop_from_bounding_set, override = 24, 1
    ctypes.CDLL(None).prctl(drop_from_bounding_set, override, 0, 0, 0)


def suite_named(name: str) -> dict[str, Any]:
    """Returns the settings of the small suite, or of one of benchmarks.yaml."""
    if name == "small":
        return SMALL
    return yaml.safe_load((ROOT / "benchmarks.yaml").read_text())["suites"][name]


def main() -> int:
    """Runs the campaign; returns 1 if anything was lost, wrong or unhelpful."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--suite", default="small", help="small, or one of benchmarks.yaml")
    parser.add_argument("--times", type=int, default=5, help="of every other damage")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genbench-faults-") as folder:
        campaign = Campaign(Path(folder), suite_named(given.suite), given.seed)
        print(f"{'scenario':<34}{'runs':>6}{'kills':>7}{'lost':>6}{'wrong':>7}{'unhelpful':>11}")
        campaign.baseline()
        campaign.show()
        campaign.kills(given.kills)
        campaign.show()
        campaign.full_disk(given.times)
        campaign.read_only()
        campaign.show()
        campaign.damages(given.times)
        campaign.show()
    return int(any(row.lost or row.wrong or row.unhelpful for row in campaign.rows))


if __name__ == "__main__":
    sys.exit(main())
