"""How far another test set and another extractor would move scores; writes baselines/measurement_error.json.

Models are trained, and their samples scored again with halves of the test points (the jackknife that leaves
half out, whose spread is that of the whole set) and with classifiers of other first weights and orders.

    python tests/proof/measurement_error.py [--data digits …] [--to baselines/measurement_error.json]

Data sets that are not named keep what the file has of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import genbench
from genbench.core.dataset import open_named
from genbench.core.metric import METRICS, Score
from genbench.core.rng import Rng
from genbench.features._network import ClassifierNetwork, train
from genbench.store.documents import reviewable
from genbench.store.measurement_error import FILE, MeasurementErrors, read_measurement_errors


@dataclass(frozen=True)
class Settings:
    """How a data set is measured: models, the suite whose budget and tuned options they have, their points,
    and repetitions of both kinds.

    Errors grow with a distance, and in proportion to it they are larger the better a model is, so that the
    models are as good as those that claims compare.
    """

    models: tuple[str, ...]
    suite: str
    points: int | None
    halves: int
    extractors: int

    def __str__(self) -> str:
        return (
            f"{', '.join(self.models)} as in the suite {self.suite}, one seed each, "
            f"{self.points or 'as many'} points beside the test points; {self.halves} halves of those, "
            f"{self.extractors} classifiers"
        )


#: Fashion-MNIST has thirty times the test points of digits, which repeat themselves less
DATASETS = {
    "digits": Settings(("gan", "wgan_gp", "vae", "realnvp", "made"), "images", None, 40, 6),
    "fashion_mnist": Settings(
        ("r1_gan", "wgan_gp", "vae", "realnvp"), "fashion_claims", 2500, 20, 5
    ),
}
#: metrics with the options that leave out what no claim reads
METRIC_OPTIONS = {"fid": {}, "kid": {"subsets": 0}, "mmd": {}, "prdc": {}, "sharpness": {}}
#: distances, whose errors grow with them, and shares and ratios
UNBOUNDED = ("fid", "kid", "mmd")
COLUMNS = (
    *(*UNBOUNDED, "precision", "recall", "density", "coverage"),
    *("sharpness", "high_frequency"),
)


def make_features(dataset, seed):
    """A classifier as the extractor `classifier` trains it, from another seed; 0 is that one's own."""
    rng = Rng([seed]).fork("classifier", dataset.name, 1)
    network = ClassifierNetwork(dataset.spec.event, dataset.spec.classes, rng.fork("init"))
    labels = dataset.labels("train")
    train(network, dataset.points("train").float(), labels, rng.fork("order"))
    network.eval()
    with torch.no_grad():
        return lambda x: network.features(x.reshape(-1, *dataset.spec.event).float()).detach()


def score(views, names=tuple(METRIC_OPTIONS)):
    """All columns of metrics, of pairs of real and fake points by the view that a metric asks for."""
    values = {}
    for name in names:
        entry = METRICS.get(name)
        result = entry.function(*views[entry.view], rng=Rng([0]), **METRIC_OPTIONS[name])
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


def measure(name, settings):
    """Errors by column, from halves of the test points and from other classifiers."""
    dataset = open_named(name)
    test = dataset.points("test")
    samples = train_models(dataset, settings)
    networks = [make_features(dataset, seed) for seed in range(settings.extractors)]
    print(f"{name}: {len(networks)} classifiers trained", flush=True)
    seen = [net(test) for net in networks]
    by_features = tuple(m for m in METRIC_OPTIONS if METRICS.get(m).view == "features")
    by_half, by_network = {}, {}
    for model, fake in samples.items():
        by_half[model] = score_halves(dataset, settings, networks[0], fake)
        by_network[model] = [
            score({"features": (real, net(fake))}, by_features)
            for net, real in zip(networks, seen, strict=True)
        ]
        print(f"{name}: {model} scored, {by_half[model][0]}", flush=True)
    columns = list(by_half[settings.models[0]][0])
    from_test = spread(by_half, columns)
    from_network = spread(by_network, [c for c in columns if metric_of(c) in by_features])
    floors = measure_floors(dataset, settings, networks[0])
    return {
        column: {"test": from_test[column], "floor": floors[column]}
        | ({"unbounded": True} if column in UNBOUNDED else {})
        | ({"extractor": from_network[column]} if column in from_network else {})
        for column in columns
    }


def score_halves(dataset, settings, network, fake):
    """All columns of points beside every half of the test points."""
    test = dataset.points("test")
    n, order = len(test), np.random.default_rng(0)
    halves = [torch.from_numpy(order.permutation(n)[: n // 2]) for _ in range(settings.halves)]
    seen, own = network(test), network(fake)
    return [
        score(
            {
                "features": (seen[h], own),
                "points": (test[h].flatten(1), fake.flatten(1)),
                "events": (test[h], fake),
            }
        )
        for h in halves
    ]


def measure_floors(dataset, settings, network):
    """By column, how far another test set would move what real points score: training points are scored."""
    real = dataset.points("train")[: settings.points]
    scores = score_halves(dataset, settings, network, real)
    return {c: float(f"{np.std([s[c] for s in scores], ddof=1):.3g}") for c in scores[0]}


def train_models(dataset, settings):
    """Points of every model, (N, *event), in data space."""
    n = settings.points or len(dataset.points("test"))
    samples = {}
    for model in settings.models:
        trained = genbench.train(model, dataset.name, seeds=1, suite=settings.suite)
        samples[model] = trained.sample(n).reshape(n, *dataset.spec.event)
        print(f"{dataset.name}: {model} trained", flush=True)
    return samples


def metric_of(column):
    return next(m for m in METRIC_OPTIONS if column in METRICS.get(m).columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--to", type=Path, default=FILE)
    chosen = parser.parse_args()
    before = read_measurement_errors(chosen.to) if chosen.to.is_file() else MeasurementErrors()
    errors = before.model_dump(exclude_none=True, exclude_defaults=True).get("errors", {})
    errors |= {name: measure(name, DATASETS[name]) for name in chosen.data}
    about = "; ".join(f"{name}: {DATASETS[name]}" for name in DATASETS if name in errors)
    content = {
        "schema": 1,
        "about": f"{about}; made by tests/proof/measurement_error.py",
        "errors": errors,
    }
    MeasurementErrors.model_validate(content)
    spreads = [c["test"]["own"] for columns in errors.values() for c in columns.values()]
    assert not math.isnan(sum(spreads))
    chosen.to.write_text(reviewable(json.loads(json.dumps(content))) + "\n")


if __name__ == "__main__":
    main()
