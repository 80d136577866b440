"""What `kills.py` runs: verbs that write, what they start from, and what a folder says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genbench.store import Store, contents
from genbench.store.trial import Trials
from genbench.store.tunings import Tunings

Facts = dict[str, Any]
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


#: makes the baseline that is replaced
EARLIER = "baseline accept --from two --to base.before/ci.json --by nobody"
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


def list_recorded(root: Path) -> Facts:
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
