"""How far another test set would move what claims compare; adds to baselines/measurement_error.json.

Of every column by which a claim compares models, and of which the file knows nothing yet, the models are
trained once, as the claim trains them, and scored with halves of the test points (the jackknife that leaves
half out). What the halves do to the difference of two models is what more seeds cannot reduce. Columns of
features on images of another data set have that one's errors, and are not measured here.

    python tests/proof/claim_measurement_error.py [--halves 20] [--work .measurement-error]
        [--to baselines/measurement_error.json]

What was scored is kept in the folder `--work`, so that a run that was killed goes on.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from measurement_error import COLUMNS, DATASETS, UNBOUNDED, spread

import genbench
from genbench.core.claim import CLAIMS
from genbench.core.dataset import resolve_options
from genbench.core.model import only_seed
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.evaluation.evaluator import Evaluator, draw
from genbench.evaluation.requests import EXTRACTED, SPACES, looks_through, make_requests
from genbench.running.build import prepare_model
from genbench.running.claim_cells import find_metric, run_key, suite_of
from genbench.running.dependencies import find_dependences
from genbench.running.measured_noise import has_test_set, name_data
from genbench.store.documents import reviewable
from genbench.store.measurement_error import FILE, MeasurementErrors, read_measurement_errors

ABOUT = (
    "columns that claims compare: as claims train models, one seed each, {halves} halves of the "
    "test points"
)


def list_needed():
    """By data and column the runs that claims compare by it, but for what the other script measures."""
    needed = defaultdict(dict)
    for name in CLAIMS:
        for dependence in find_dependences(CLAIMS.get(name)):
            if not dependence.effect.judged:
                continue
            for run, column in dependence.compared:
                by_points = has_test_set(find_metric(run, column), column)
                if by_points and not is_measured_there(run, column):
                    needed[name_data(run), column][run_key(run)] = run
    return needed


def is_measured_there(run, column):
    """Whether `measurement_error.py` measures a column on the data set, or on the one its images are of."""
    base = resolve_options(run.dataset, run.dataset_options).get("of")
    if column not in COLUMNS or (base or run.dataset) not in DATASETS:
        return False
    return base is None or SPACES.get(find_metric(run, column).view) in EXTRACTED


def halve(dataset, rows):
    """The data set with some of its test points alone, and those of what it is made from."""
    half = copy.copy(dataset)

    def cut(function):
        def of(split):
            values = function(split)
            return values[rows] if split == "test" and values is not None else values

        return of

    half.points, half.labels = cut(dataset.points), cut(dataset.labels)
    if dataset.given is not None:
        half.given = halve(dataset.given, rows)
    return half


def score_halves(run, columns, halves):
    """A run's columns beside every half of the test points: {column: [a score a half]}.

    `columns` gives the run that asks for each, since claims ask for other metrics of the same models.
    """
    trained = genbench.train(
        {"name": run.model, "options": dict(run.options)},
        {"name": run.dataset, "options": dict(run.dataset_options)},
        seeds=1,
        suite=suite_of(run),
    )
    dataset = trained.dataset
    names = {find_metric(own, column).name for column, own in columns.items()}
    asked = {r.metric.name: r for own in columns.values() for r in make_requests(own.parts)}
    requests = [asked[name] for name in sorted(names)]
    n = min(run.samples, len(dataset.points("test")))
    order, found = np.random.default_rng(0), defaultdict(list)
    with trained._stack.trainer.averaged() as model:
        rng = trained._stack.rng
        fake = draw(model, dataset, n, rng.fork("sample"))[0]
        single = only_seed(model, prepare_model(trained.job.specs[0], dataset, rng), 0).eval()
        whole = Evaluator(dataset, requests, samples=n)
        for _ in range(halves):
            rows = torch.from_numpy(np.sort(order.permutation(n)[: n // 2]))
            half = halve(dataset, rows)
            evaluator = Evaluator(half, requests, samples=len(rows))
            if any(looks_through(request.metric) for request in requests):
                evaluator.__dict__["extractor"] = whole.extractor  # of the same training points
            own = fake[rows] if dataset.given is not None else fake
            for measured in evaluator.score(own, Trained(single, half), Rng([0]), beside=False):
                if measured.id in columns and measured.split == "test":
                    found[measured.id].append(measured.value)
    return found


def score_all(needed, halves, work):
    """By run, what `score_halves` gives of the columns needed of it; what is in the folder is read."""
    columns, runs = defaultdict(dict), {}
    for (_, column), own in needed.items():
        for key, run in own.items():
            columns[key][column] = run
            runs[key] = run
    scores = {}
    for k, (key, run) in enumerate(runs.items(), 1):
        name = hashlib.sha256(f"{key} {sorted(columns[key])} {halves}".encode()).hexdigest()[:16]
        path = work / f"{name}.json"
        if not path.is_file():
            found = score_halves(run, columns[key], halves)
            path.write_text(json.dumps(found))
        scores[key] = json.loads(path.read_text())
        print(f"{k} of {len(runs)}: {run}: {', '.join(scores[key])}", flush=True)
    return scores


def find_spreads(needed, scores):
    """By data and column the errors, of those that at least two runs have numbers of."""
    errors = defaultdict(dict)
    for (data, column), runs in needed.items():
        own = {key: scores[key].get(column, []) for key in runs}
        table = {
            key: [{column: value} for value in values]
            for key, values in own.items()
            if values and None not in values
        }
        if len(table) < 2:
            print(f"{data}: {column}: fewer than two models have it", flush=True)
            continue
        entry = {"test": spread(table, [column])[column]}
        errors[data][column] = entry | ({"unbounded": True} if column in UNBOUNDED else {})
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--halves", type=int, default=20)
    parser.add_argument("--work", type=Path, default=Path(".measurement-error"))
    parser.add_argument("--to", type=Path, default=FILE)
    chosen = parser.parse_args()
    chosen.work.mkdir(exist_ok=True)
    before = read_measurement_errors(chosen.to) if chosen.to.is_file() else MeasurementErrors()
    needed = list_needed()
    scores = score_all(needed, chosen.halves, chosen.work)
    errors = before.model_dump(exclude_none=True, exclude_defaults=True).get("errors", {})
    for data, columns in find_spreads(needed, scores).items():
        errors[data] = errors.get(data, {}) | columns
    about = ABOUT.format(halves=chosen.halves)
    parts = [
        part
        for part in before.about.split("; ")
        if part and not part.startswith("columns that claims")
    ]
    content = {"schema": 1, "about": "; ".join([*parts, about]), "errors": errors}
    MeasurementErrors.model_validate(content)
    chosen.to.write_text(reviewable(json.loads(json.dumps(content))) + "\n")


if __name__ == "__main__":
    main()
