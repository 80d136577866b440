"""Fabricates the records of a claim's runs, one value a seed, as a suite would have left them."""

import numpy as np

from genbench.core.claim import Evidence
from genbench.core.spec import Part
from genbench.harness.asks import ask
from genbench.harness.claims import Scale, specs_of
from genbench.store import Measurement, Record


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
