"""Fabricates the records and the measurements of a claim, one value per seed."""

from unittest import mock

import numpy as np

from genbench.core.claim import CLAIMS, Evidence
from genbench.evaluation.requests import make_requests
from genbench.running.claim_cells import specs_of
from genbench.running.job import RunSettings, TrialJob
from genbench.running.scale import Scale
from genbench.running.work import run_job
from genbench.statistics.verdicts import judge
from genbench.store import Measurement, Record
from genbench.store.trial import Trials


def write(store, run, scale=None, status="ok", noise=0.01, **columns):
    """Writes the finished cells of a run, and of its counterparts on other data sets where claims read them.

    They are of the seeds with which claims read the run. A column's value is its mean, or a list, one a seed.
    """
    claims = CLAIMS.all().values()
    places = [(one, place) for one in claims for place in one.elsewhere]
    moved = [place.move(run) for one, place in places if run in one.runs]
    for each in [run, *(m for m in moved if any(m in one.runs for one, _ in places))]:
        for first in {one.first_seed for one in claims if each in one.all_runs} or {0}:
            _write_one(store, each, first, scale, status, noise, columns)


def _write_one(store, run, first, scale, status, noise, columns):
    requests = make_requests(run.parts, samples=run.samples)
    for spec in specs_of((scale or Scale()).run(run, first)):
        rng = np.random.default_rng([spec.seed, sum(map(ord, str(run)))])
        rows = [
            Measurement(
                id=column,
                metric=request.metric.name,
                version=request.metric.version,
                key=request.key,
                protocol="fabricated",
                value=value_of(columns.get(column), spec.seed - first, noise * rng.normal()),
                reason=None if column in columns else "not planted",
            )
            for request in requests
            for column in request.metric.columns
        ]
        store.write(
            Record(
                cell=spec.cell,
                group=spec.group,
                status=status,
                spec=spec,
                metrics=rows if status == "ok" else [],
            )
        )


def make_trial(evidence, seeds):
    """Makes a claim's experiment, registered or not, and writes its trial."""
    claim = evidence.claim
    job = TrialJob(
        claim=claim.name,
        version=claim.version,
        options=evidence.scale.options(claim),
        trial_seeds=tuple(seeds),
        settings=RunSettings(device="cpu"),
    )
    with mock.patch.dict(CLAIMS._objects, {claim.name: claim}):
        (trial,) = run_job(job).results
    Trials(evidence.store.root).write(trial)
    return trial


def value_of(planted, seed, noise):
    if planted is None:
        return None
    return planted[seed] if isinstance(planted, list) else planted * (1 + noise)


class Measured(Evidence):
    """Evidence of an experiment alone, without runs."""

    def scores(self, run, column):
        raise AssertionError(f"{run} is asked for {column}")

    def finished(self, run):
        raise AssertionError(f"{run} is asked for its seeds")


class PlantedColumns(Measured):
    """Evidence of an experiment, given its columns by seed."""

    def __init__(self, columns):
        self.columns = columns

    def measured(self, column):
        return dict(enumerate(self.columns[column]))


class Planted(Measured):
    """Evidence of an experiment: a mean by column, with a little noise over seeds."""

    def __init__(self, value_of, seeds=8, noise=0.01):
        self.value_of, self.seeds, self.noise = value_of, seeds, noise

    def measured(self, column):
        rng = np.random.default_rng(sum(map(ord, column)))
        value = self.value_of(column)
        if isinstance(value, dict):
            return value
        return {s: value * (1 + self.noise * rng.normal()) for s in range(self.seeds)}


def outcome(name, value_of, **about):
    return judge(CLAIMS.get(name).function(Planted(value_of, **about))).outcome
