"""Kills every verb that writes, at seeded moments: what is lost (nothing), and what goes on wrong (nothing).

A process that has imported genbench forks one for each run, so that a run costs what it does and not what
imports do. It is ended by SIGKILL, SIGTERM or SIGINT, half of the time after a share of the time that an
undisturbed run takes, half of the time as it is about to open, sync, rename or remove its n-th file. Then the
folder must be valid, with all that was recorded before, bit for bit; the command, repeated until it ends,
must come to what an undisturbed run comes to. `campaign.py` beside it kills worker processes.

    python tests/faults/kills.py [--kills 200] [--only VERB] [--seed 0]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from genbench.cli import VERBS, main
from genbench.core.registry import REGISTRIES
from genbench.store import Store, contents
from genbench.store.trial import Trials
from genbench.store.tuning import Tunings

SMALL = {"options": {"hidden": [16]}}
MODELS = ["gaussian", {"name": "gan", **SMALL}, {"name": "vae", **SMALL}]
#: settings of the suite's cells
CELLS = {
    "description": "small networks on a ring",
    "batch": 16,
    "budget": {"steps": 60},
    "samples": 100,
    "metrics": ["fid"],
    "curve": 2,
    "seeds_at_once": 1,
    "cells": [{"models": MODELS, "datasets": ["ring"]}],
}
CONFIG = {
    "schema": 1,
    "suites": {
        "small": {"seeds": 2, **CELLS},
        "fewer": {"seeds": 1, **CELLS},
    },
    "tuning": {
        "ring": {
            "budget": {"steps": 16},
            "batch": 16,
            "criteria": {"samples": "mmd", "density": {"name": "nll", "options": {"points": 50}}},
            "samples": 60,
            "trials": 5,
        }
    },
}
#: claims whose experiments take moments
PLUGIN = """
from genbench.core.claim import claim
from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.experiments.training import Discrepancy, draw_samples, train


def make(name):
    def experiment(rng, *, rounds: int = 20):
        data = DATASETS.get("ring")()
        trainer = train(build(name, data.spec, rng, {"hidden": (16,)}), data, rounds, rng, batch=16)
        distance = Discrepancy(data.points("test")[:200])
        return {"mmd": distance(draw_samples(trainer, data, 200, rng.fork("look"))).tolist()}

    return experiment


for name in ("gan", "vae", "lsgan", "wgan"):
    about = dict(statement="s", source="s", why="w", seeds=2, experiment=make(name))
    claim(f"killed_{name}", **about)(lambda evidence: [])
"""
#: seconds after which a run hangs
PATIENCE = 300.0
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
#: what a run may end with after a signal: done before it, stopped, or ended by it
AFTER = {0, 130, -signal.SIGTERM, -signal.SIGINT}
#: what the audit hook counts; `os.fsync` raises no event of its own
EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "tests.fsync"}

Facts = dict[str, Any]


@dataclass
class Scene:
    """A verb that writes.

    Arguments:
        name: In the table.
        command: Its command line.
        root: What it writes to, which starts as a copy of `root`.before where there is one.
        tell: Returns what it has come to, without times.
    """

    name: str
    command: str
    root: str
    tell: Callable[[Path], Facts]

    @property
    def args(self) -> list[str]:
        """The words of its command line."""
        return self.command.split()


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


def tell_results(root: Path) -> Facts:
    """Returns what records, trials and tuning of a folder say, but for times and machines."""
    facts: Facts = {f"cell {r.cell}": contents(r) for r in Store(root).records()}
    for path, trial, problem in Trials(root).scan():
        facts[f"trial {path.name}"] = problem if trial is None else trial.columns
    return facts | tell_rungs(root)


def tell_rungs(root: Path) -> Facts:
    """Returns the scores of trials of tuning, by file, trial, rung, criterion and seed."""
    return {
        f"tuning {file.rule.file} {trial.k} {rung.step} {criterion} {seed}": value
        for file in Tunings(root).files()
        for trial in file.trials
        for rung in trial.rungs
        for criterion, values in rung.scores.items()
        for seed, value in values.items()
    }


def tell_baseline(path: Path) -> Facts:
    """Returns a baseline's cells and tolerances, or nothing where there is none."""
    if not path.exists():
        return {}
    held = json.loads(path.read_text())
    return {key: json.dumps(held[key], sort_keys=True) for key in ("cells", "tolerances", "level")}


SCENES = [
    Scene(
        "run",
        "run small -c suites.yaml -o runs --device cpu --checkpoint-every 0 -q",
        "runs",
        tell_results,
    ),
    Scene(
        "run claims",
        "run claims --plugin killed.py --claim killed_gan --claim killed_vae --claim killed_lsgan "
        "--claim killed_wgan -o trials --device cpu -q",
        "trials",
        tell_results,
    ),
    Scene(
        "tune",
        "tune -m vae -m gan -d ring -c suites.yaml -o tuned --device cpu -q",
        "tuned",
        tell_results,
    ),
    Scene("merge", "merge one two -o both", "both", tell_results),
    Scene(
        "baseline accept",
        "baseline accept --from all --to base/ci.json --by nobody",
        "base",
        lambda root: tell_baseline(root / "ci.json"),
    ),
]


def run_child(args: list[str], log: Path, moment: tuple[int, int] | None, tally: Path) -> None:
    """Runs a command line in a forked process and ends it; kills itself at a moment.

    Arguments:
        args: The command line.
        log: Takes both streams.
        moment: The signal, and before which of its accesses to files it is sent.
        tally: Takes the number of accesses, at the end.
    """
    held = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(held, 1)
    os.dup2(held, 2)
    here, count = os.getcwd(), 0

    def hook(event: str, about: tuple[Any, ...]) -> None:
        nonlocal count
        if event not in EVENTS or (event != "tests.fsync" and not _writes(event, about, here)):
            return
        count += 1
        if moment is not None and count == moment[1]:
            os.kill(os.getpid(), moment[0])

    sync = os.fsync

    def fsync(descriptor: int) -> None:
        sys.audit("tests.fsync", descriptor)
        sync(descriptor)

    sys.addaudithook(hook)
    os.fsync = fsync
    code = 70
    try:
        main(args)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except KeyboardInterrupt:  # between the fork and `main`, or after it
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        moment = None
        tally.write_text(str(count))
        os._exit(code)


def _writes(event: str, about: tuple[Any, ...], here: str) -> bool:
    """Whether an event is the writing, moving or removing of a file in the campaign's folder."""
    name = (
        os.path.abspath(os.fsdecode(about[0]))
        if isinstance(about[0], (str, bytes, os.PathLike))
        else ""
    )
    if not name.startswith(here):
        return False
    if event != "open":
        return True
    mode, flags = about[1], about[2]
    return (
        bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if mode is None else mode[0] in "wax"
    )


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
        # the union of these two lacks nothing of `two`, whose records are shared or alone
        shutil.copytree("two", "both.before")
        for path in Store("both.before").files()[::2]:
            path.unlink()
        Path("base.before").mkdir()
        self.do(
            [
                "baseline",
                "accept",
                "--from",
                "two",
                "--to",
                "base.before/ci.json",
                "--by",
                "nobody",
            ],
            row,
        )
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
                recorded = bytes_of(root)
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
        now = bytes_of(root)
        for key, value in recorded.items():
            if key not in now:
                row.fault("lost", f"{key} of {scene.name}")
            elif now[key] != value:
                row.fault("wrong", f"{key} of {scene.name} has changed")
        if scene.name == "baseline accept":
            return
        kills = row.kills.copy()
        if self.do(["validate", scene.root], row) != 0:
            row.fault("wrong", f"{scene.name}: {self.log.read_text()[-300:]}")
        row.runs, row.kills = row.runs - 1, kills

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


def bytes_of(root: Path) -> Facts:
    """Returns what must never go or change: hashes of files, but of tuning, whose files grow, the scores.

    A baseline is replaced as a whole: it is the old one or the new, and either can be read.
    """
    if (root / "ci.json").exists():
        tell_baseline(root / "ci.json")
        return {"baseline": True}
    files = [
        p for p in root.rglob("*") if p.is_file() and "tuning" not in p.relative_to(root).parts
    ]
    visible = [p for p in files if not any(s.startswith(".") for s in p.relative_to(root).parts)]
    return tell_rungs(root) | {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in visible
    }


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
