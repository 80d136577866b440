"""Small suites, and what two records have in common once times are left out."""

from contextlib import closing

import yaml

from genbench.core.dataset import DATASETS
from genbench.core.model import Batch, Model, Player, build
from genbench.core.rng import Rng
from genbench.executors.inline import Inline
from genbench.nn.mlp import MLP, flat
from genbench.nn.optim import adam
from genbench.running.driver import run_plan
from genbench.running.sorter import make_plan, make_settings
from genbench.store import Store
from genbench.store.documents import load_suites
from genbench.training.minibatches import training_set

TIMED = ("latency", "samples_per_s")
SUITE = {
    "description": "a test",
    "seeds": 2,
    "batch": 8,
    "budget": {"steps": 20},
    "samples": 100,
    "metrics": ["fid"],
    "curve": 2,
    "curve_metrics": ["fid"],
    "cells": [{"models": [{"name": "gan", "options": {"hidden": [16]}}], "datasets": ["ring"]}],
}


class Toy(Model):
    """One player on one network; what it does is decided by the test."""

    taxonomy = "reference"
    name = "toy"

    def __init__(self, spec, rng, *, loss=None, **player):
        super().__init__(spec, rng)
        self.net = MLP(spec.size, spec.size, (4,), rng)
        self.given = {"optimizer": adam(1e-2), **player}
        self.own = loss

    def players(self):
        return (Player("net", self.net, self.loss, **self.given),)

    def loss(self, batch: Batch, rng: Rng):
        if self.own is not None:
            return self.own(self, batch, rng)
        x = flat(batch.x)
        return (self.net(rng.normal(*x.shape[1:])) - x).square().mean((1, 2))

    def sample(self, n, rng):
        return self.net(rng.normal(n, self.spec.size)).unflatten(-1, self.spec.event)


def toy(seeds=(0, 1), **given):
    """A Toy on ring, its data set and its rng."""
    rng, dataset = Rng(seeds), DATASETS.get("ring")()
    return Toy(dataset.spec, rng.fork("init"), **given), dataset, rng


def built(name, dataset, seeds=(0, 1), **options):
    """A registered model, built and prepared, its data set and its rng."""
    rng, made = Rng(seeds), DATASETS.get(dataset)()
    model = build(name, made.spec, rng, options)
    model.prepare(training_set(made, type(model), rng), rng.fork("prepare"))
    return model, made, rng


def bits(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(one[k].equal(other[k]) for k in one)


def suite_of(folder, **changed):
    """A suite, by way of a YAML file."""
    path = folder / "suites.yaml"
    path.write_text(yaml.safe_dump({"schema": 1, "suites": {"tiny": SUITE | changed}}))
    return load_suites(path)["tiny"]


def do(suite, root, *, executor=None, report=None, **about):
    """Plans and runs a suite; returns the plan and the new records."""
    redo = about.pop("redo", "missing")
    store = Store(root)
    settings = make_settings(suite, root, device="cpu", **about)
    plan = make_plan(suite, store, settings, redo=redo)
    report = report or (lambda index, progress: None)
    with closing(executor or Inline()) as executor:
        return plan, list(run_plan(plan, store, executor, report))


def timeless(record):
    """All of a record but times, memory and what is measured in seconds."""
    kept = record.model_dump(exclude={"started", "first_started", "finished", "failed_after_s"})
    kept["environment"].pop("git", None)  # the source tree may change while tests run
    kept["used"] = {k: kept["used"][k] for k in ("steps", "examples", "seeds_sharing")}
    kept["curve"] = [{k: v for k, v in p.items() if k != "seconds"} for p in kept["curve"]]
    kept["metrics"] = [
        {k: v for k, v in m.items() if k != "seconds"}
        for m in kept["metrics"]
        if not m["id"].startswith(TIMED)
    ]
    return kept


def all_timeless(root):
    return {record.cell: timeless(record) for record in Store(root).records()}
