"""Fabricates the records and the measurements of a claim, one value a seed."""

from unittest import mock

import numpy as np

from genbench.core.claim import CLAIMS, Evidence
from genbench.core.spec import Part
from genbench.evaluation.requests import ask
from genbench.running.evidence import Scale, specs_of
from genbench.running.job import RunSettings, TrialJob
from genbench.running.work import run_job
from genbench.statistics.verdicts import judge
from genbench.store import Measurement, Record
from genbench.store.trial import Trials


def write(store, run, scale=None, status="ok", noise=0.01, **columns):
    """Writes the finished cells of a run; a column's value is its mean, or a list, one a seed."""
    asks = ask([Part(name=name) for name in run.metrics], samples=run.samples)
    for spec in specs_of((scale or Scale()).run(run)):
        rng = np.random.default_rng([spec.seed, sum(map(ord, str(run)))])
        rows = [
            Measurement(
                id=column,
                metric=each.metric.name,
                version=each.metric.version,
                key=each.key,
                protocol="fabricated",
                value=value_of(columns.get(column), spec.seed, noise * rng.normal()),
                reason=None if column in columns else "not planted",
            )
            for each in asks
            for column in each.metric.columns
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
