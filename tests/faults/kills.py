"""Kills run, tune, merge and baseline accept at seeded moments: what is lost, or goes on wrong (nothing).

A process that has imported genbench forks one for each run, so that a run costs what it does and not what
imports do. It is ended by SIGKILL, SIGTERM or SIGINT, half of the time after a share of the time that an
undisturbed run takes, half of the time as it is about to open, sync, rename or remove its n-th file. Then the
folder must be valid, with all that was recorded before, bit for bit; the command, repeated until it ends,
must come to what an undisturbed run comes to. `campaign.py` beside it kills worker processes.

    python tests/faults/kills.py [--kills 200] [--only VERB] [--seed 0]
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from child_process import run_child
from kill_scenes import CONFIG, EARLIER, PLUGIN, SCENES, Facts, Scene, list_recorded

from genbench.cli import VERBS
from genbench.core.registry import REGISTRIES
from genbench.store import Store

#: seconds after which a run hangs
PATIENCE = 300.0
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
#: what a run may end with after a signal: done before it, stopped, or ended by it
AFTER = {0, 130, -signal.SIGTERM, -signal.SIGINT}


@dataclass
class Row:
    """A line of the table."""

    runs: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    partly: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def fault(self, kind: str, note: str) -> None:
        """Counts a fault and says what it was."""
        self.counts[kind] += 1
        self.notes.append(f"{kind}: {note}")


class Campaign:
    """Runs and kills verbs in the working folder.

    Arguments:
        seed: Of moments and signals.
    """

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.log, self.tally = Path("log").resolve(), Path("tally").resolve()

    def do(self, args: list[str], row: Row, sign: int | None = None, **when: Any) -> int:
        """Runs a command line, killed or not; returns its code, negative where a signal ended it.

        Arguments:
            args: The command line.
            row: Where hangs, tracebacks and wrong exits are counted.
            sign: The signal, None where it is left alone.
            when: `after` so many seconds, or `at` the n-th access to a file.
        """
        self.tally.unlink(missing_ok=True)
        pid = os.fork()
        if pid == 0:
            run_child(
                args, self.log, (sign, when["at"]) if sign and "at" in when else None, self.tally
            )
        if sign and "after" in when:
            time.sleep(when["after"])
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                os.kill(pid, sign)
                row.kills[signal.Signals(sign).name] += 1
        row.runs += 1
        code = self._await(pid, row, args)
        accesses = int(self.tally.read_text()) if self.tally.exists() else when.get("at", 0)
        if sign and "at" in when and accesses >= when["at"]:
            row.kills[signal.Signals(sign).name] += 1
        allowed = AFTER | {-signal.SIGKILL} if sign else {0}
        said = self.log.read_text(errors="replace")
        if code not in allowed or "Traceback (most recent" in said:
            row.fault("unhelpful", f"exit {code} of {' '.join(args)}: {said.strip()[-300:]}")
        return code

    def _await(self, pid: int, row: Row, args: list[str]) -> int:
        """Waits for a process to end; kills one that hangs."""
        until = time.monotonic() + PATIENCE
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() > until:
                row.fault("hang", " ".join(args))
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.002)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def prepare(self) -> None:
        """Makes what verbs start from: two folders that overlap, their union, a baseline of fewer cells."""
        Path("suites.yaml").write_text(yaml.safe_dump(CONFIG))
        Path("killed.py").write_text(PLUGIN)
        row = Row()
        for number, name in enumerate(("small", "fewer")):
            root = ("all", "two")[number]
            self.do(["run", name, "-c", "suites.yaml", "-o", root, "--device", "cpu", "-q"], row)
        for verb in SCENES[1:3]:
            self.do([("all" if word == verb.root else word) for word in verb.args], row)
        shutil.copytree("all", "one")
        for path in Store("one").files()[::2]:
            path.unlink()
        # the target of the merge has half of the records of `two` already
        shutil.copytree("two", "both.before")
        for path in Store("both.before").files()[::2]:
            path.unlink()
        Path("base.before").mkdir()
        self.do(EARLIER.split(), row)
        assert not row.notes, row.notes

    def start(self, scene: Scene) -> Path:
        """Puts a scene's folder back to where it starts."""
        root, before = Path(scene.root), Path(f"{scene.root}.before")
        shutil.rmtree(root, ignore_errors=True)
        if before.exists():
            shutil.copytree(before, root)
        else:
            root.mkdir()
        return root

    def attack(self, scene: Scene, kills: int, row: Row) -> None:
        """Kills a verb so many times, and lets it come to its end between."""
        root = self.start(scene)
        began = time.monotonic()
        self.do(scene.args, row)
        seconds, accesses = time.monotonic() - began, int(self.tally.read_text())
        whole = scene.tell(root)
        while row.kills.total() < kills:
            root = self.start(scene)
            first, ended = scene.tell(root), False
            while not ended and row.kills.total() < kills:
                recorded = list_recorded(root)
                ended = self._disturb(scene, seconds, accesses, row)
                self._check(scene, root, recorded, row)
                row.partly += scene.tell(root) not in (first, whole)
            for path in root.rglob(
                ".*.tmp"
            ):  # two hours go by, after which nobody can be writing it
                os.utime(path, (time.time() - 7200,) * 2)
            self.do(scene.args, row)
            self._compare(scene, root, whole, row)

    def _disturb(self, scene: Scene, seconds: float, accesses: int, row: Row) -> bool:
        """Runs a verb that is killed somewhere; returns whether it came to its end all the same."""
        sign = self.draw.choice(SIGNALS)
        if self.draw.random() < 0.5:
            return self.do(scene.args, row, sign, after=self.draw.uniform(0, seconds)) == 0
        return self.do(scene.args, row, sign, at=self.draw.randint(1, accesses)) == 0

    def _check(self, scene: Scene, root: Path, recorded: Facts, row: Row) -> None:
        """Counts what was recorded and is no more, or is something else; the folder must be valid."""
        now = list_recorded(root)
        for key, value in recorded.items():
            if key not in now:
                row.fault("lost", f"{key} of {scene.name}")
            elif now[key] != value:
                row.fault("wrong", f"{key} of {scene.name} has changed")
        if scene.name == "baseline accept":
            return
        if self.do(["validate", scene.root], row) != 0:
            row.fault("wrong", f"{scene.name}: {self.log.read_text()[-300:]}")
        row.runs -= 1

    def _compare(self, scene: Scene, root: Path, whole: Facts, row: Row) -> None:
        """Compares a folder with that of a run that nobody disturbed, and looks for what is left behind."""
        found = scene.tell(root)
        for key in whole.keys() - found.keys():
            row.fault("lost", f"{key} of {scene.name}, at the end")
        for key, value in found.items():
            if whole.get(key) != value:
                row.fault("wrong", f"{key} of {scene.name} is not that of an undisturbed run")
        left = [*root.rglob("*.tmp"), *root.rglob(".set-aside/**/*"), *root.glob(".checkpoints/*")]
        if left:
            row.fault("left behind", f"{scene.name}: {', '.join(map(str, left[:3]))}")


def show(rows: dict[str, Row]) -> None:
    """Prints the table."""
    kinds = ("lost", "wrong", "left behind", "unhelpful", "hang")
    heads = ("verb", "runs", "kills", "SIGKILL", "SIGTERM", "SIGINT", "partly", *kinds)
    print("| " + " | ".join(heads) + " |")
    print("|---" + "|--:" * (len(heads) - 1) + "|")
    total = Row()
    for row in rows.values():
        total.runs, total.partly = total.runs + row.runs, total.partly + row.partly
        total.kills += row.kills
        total.counts += row.counts
    for name, row in [*rows.items(), ("all", total)]:
        signs = [row.kills[s] for s in ("SIGKILL", "SIGTERM", "SIGINT")]
        numbers = [
            row.runs,
            row.kills.total(),
            *signs,
            row.partly,
            *(row.counts[k] for k in kinds),
        ]
        print("| " + " | ".join([name, *map(str, numbers)]) + " |")
    for row in rows.values():
        for note in row.notes[:10]:
            print(f"    {note}")


def run(kills: int, only: list[str], seed: int) -> dict[str, Row]:
    """Kills every verb its share of so many times, in the working folder; returns the rows."""
    for module, _ in VERBS.values():
        importlib.import_module(module)
    for module in ("api", "running.tuning", "store.merge", "store.validate", "report.gate.accept"):
        importlib.import_module(f"genbench.{module}")
    for registry in REGISTRIES.values():
        registry.names()
    campaign, rows = Campaign(seed), {}
    campaign.prepare()
    scenes = [scene for scene in SCENES if not only or scene.name in only]
    for k, scene in enumerate(scenes):
        rows[scene.name] = Row()
        share = kills // len(scenes) + (k < kills % len(scenes))
        campaign.attack(scene, share, rows[scene.name])
    return rows


def start() -> int:
    """Parses, runs the campaign, prints; returns 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--only", choices=[scene.name for scene in SCENES], action="append")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="genbench-kills-") as folder:
        os.environ["GENBENCH_CACHE"] = str(Path(folder, "cache"))
        os.chdir(folder)
        try:
            rows = run(given.kills, given.only or [], given.seed)
        finally:
            os.chdir(before)
    show(rows)
    return int(any(row.counts for row in rows.values()))


if __name__ == "__main__":
    sys.exit(start())
