"""How far another test set and another extractor would move scores; writes baselines/measurement_error.json.

Models are trained, and their samples scored again with halves of the test points (the jackknife that leaves
half out, whose spread is that of the whole set) and with classifiers of other first weights and orders.

python tests/proof/measurement_error.py [--rounds 1500] [--to baselines/measurement_error.json]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from pathlib import Path

import numpy as np
import torch

import genbench
from genbench.core.dataset import open_named
from genbench.core.metric import METRICS, Score
from genbench.core.rng import Rng
from genbench.features._network import ClassifierNetwork, train
from genbench.store.documents import reviewable
from genbench.store.measurement_error import FILE, MeasurementErrors

MODELS = ("gan", "wgan_gp", "vae", "realnvp", "made")
DATASETS = ("digits",)
METRIC_NAMES = ("fid", "kid", "mmd", "prdc")
HALVES, EXTRACTORS = 40, 6
#: distances, whose errors grow with them, and shares
UNBOUNDED = ("fid", "kid", "mmd")
COLUMNS = (*UNBOUNDED, "precision", "recall", "density", "coverage")


def make_features(dataset, seed):
    """A classifier as the extractor `classifier` trains it, from another seed; 0 is that one's own."""
    rng = Rng([seed]).fork("classifier", dataset.name, 1)
    network = ClassifierNetwork(dataset.spec.event, dataset.spec.classes, rng.fork("init"))
    labels = dataset.labels("train")
    train(network, dataset.points("train").float(), labels, rng.fork("order"))
    network.eval()
    with torch.no_grad():
        return lambda x: network.features(x.reshape(-1, *dataset.spec.event).float()).detach()


def score(real, fake, points):
    """All columns of real and fake features (and points, for the metrics that look at those)."""
    values = {}
    for name in METRIC_NAMES:
        entry = METRICS.get(name)
        pair = points if entry.view == "points" else (real, fake)
        result = entry.function(*pair, rng=Rng([0]))
        scores = result if isinstance(result, dict) else {name: result}
        for column, one in scores.items():
            value = one.value if isinstance(one, Score) else one
            if value is not None and column in COLUMNS:
                values[column] = float(value)
    return values


def spread(table, columns):
    """Spreads over repetitions of one model's scores and of differences between two, root mean squares.

    `table[model]` is a list of scores by column, one a repetition.
    """

    def rms(values):
        return float(np.sqrt(np.mean(np.square(values))))

    spreads = {}
    for column in columns:
        rows = {m: np.array([s[column] for s in scores]) for m, scores in table.items()}
        pairs = list(itertools.combinations(rows, 2))
        own = rms([row.std(ddof=1) for row in rows.values()])
        plain = rms([(rows[a] - rows[b]).std(ddof=1) for a, b in pairs])
        entry = {"own": own, "plain": plain}
        if all((row > 0).all() for row in rows.values()):
            logs = {m: np.log(row) for m, row in rows.items()}
            entry["own_log"] = rms([row.std(ddof=1) for row in logs.values()])
            entry["log"] = rms([(logs[a] - logs[b]).std(ddof=1) for a, b in pairs])
        spreads[column] = {key: float(f"{value:.3g}") for key, value in entry.items()}
    return spreads


def measure(name, rounds):
    dataset = open_named(name)
    test = dataset.points("test")
    n = len(test)
    samples = {}
    for model in MODELS:
        trained = genbench.train(model, name, steps=rounds, seeds=1, batch=128)
        samples[model] = trained.sample(n).reshape(n, *dataset.spec.event)
        print(f"{name}: {model} trained", flush=True)
    networks = [make_features(dataset, seed) for seed in range(EXTRACTORS)]
    own = networks[0]
    order = np.random.default_rng(0)
    halves = [torch.from_numpy(order.permutation(n)[: n // 2]) for _ in range(HALVES)]
    by_half, by_network = {}, {}
    for model, fake in samples.items():
        flat = test.flatten(1), fake.flatten(1)
        by_half[model] = [score(own(test)[h], own(fake), (flat[0][h], flat[1])) for h in halves]
        by_network[model] = [score(net(test), net(fake), flat) for net in networks]
        print(f"{name}: {model} scored, {by_network[model][0]}", flush=True)
    columns = list(by_half[MODELS[0]][0])
    from_test, from_network = spread(by_half, columns), spread(by_network, columns)
    return {
        column: {"test": from_test[column]}
        | ({"unbounded": True} if column in UNBOUNDED else {})
        | (
            {"extractor": from_network[column]}
            if METRICS.get(metric_of(column)).view != "points"
            else {}
        )
        for column in columns
    }


def metric_of(column):
    return next(m for m in METRIC_NAMES if column in METRICS.get(m).columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1500)
    parser.add_argument("--to", type=Path, default=FILE)
    chosen = parser.parse_args()
    about = (
        f"{', '.join(MODELS)} after {chosen.rounds} rounds, one seed each; {HALVES} halves of the test "
        f"points, {EXTRACTORS} classifiers; made by tests/proof/measurement_error.py"
    )
    content = {
        "schema": 1,
        "about": about,
        "errors": {d: measure(d, chosen.rounds) for d in DATASETS},
    }
    MeasurementErrors.model_validate(content)
    chosen.to.write_text(reviewable(json.loads(json.dumps(content))) + "\n")
    assert not math.isnan(
        sum(v["test"]["own"] for e in content["errors"].values() for v in e.values())
    )


if __name__ == "__main__":
    main()
