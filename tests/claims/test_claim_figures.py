"""Figures, other metrics, budgets and notes: what every claim may declare besides its effects."""

import pytest

from genbench.claims import optimal_discriminator, sampling_speed, saturating_gradient
from genbench.core import options
from genbench.core.claim import CLAIMS
from genbench.core.metric import METRICS
from genbench.core.rng import Rng
from genbench.report.claim_page import plotted

ALL = CLAIMS.all()


class Spy:
    """Evidence that notes what is asked, and answers with the same values to everything."""

    def __init__(self):
        self.scored = []

    def scores(self, run, column):
        self.scored.append((run, column))
        return {seed: 1.0 + seed / 10 for seed in range(run.seeds)}

    def finished(self, run):
        return list(range(run.seeds))

    def measured(self, column):
        return {seed: 1.0 + seed / 10 for seed in range(8)}


class Planted:
    """Evidence of an experiment just made."""

    def __init__(self, columns):
        self.columns = columns

    def measured(self, column):
        return dict(enumerate(self.columns.get(column, ())))


def asked_rightly(claim, spy):
    for run, column in spy.scored:
        assert run in claim.runs, run
        assert column in [c for metric in run.metrics for c in METRICS.get(metric).columns], column


@pytest.mark.parametrize("name", [n for n, c in ALL.items() if c.figure is not None])
def test_a_figure_can_be_drawn_of_what_the_claim_reads(name):
    spy = Spy()
    figure = ALL[name].figure(spy)
    asked_rightly(ALL[name], spy)
    names = [series.name for series in figure.series]
    assert len(set(names)) == len(names)
    assert all(len(series.x) == len(series.y) for series in figure.series)
    words = [isinstance(x, str) for series in figure.series for x in series.x]
    assert all(words) if figure.kind == "strip" else not any(words)
    assert figure.y
    plot = plotted(figure)
    assert len(plot["series"]) == len(names)


@pytest.mark.parametrize("name", [n for n, c in ALL.items() if c.by_metric is not None])
def test_other_metrics_give_effects_of_what_the_claim_reads(name):
    spy = Spy()
    rows = ALL[name].by_metric(spy)
    asked_rightly(ALL[name], spy)
    assert rows
    assert all(any(effect.judged for effect in effects) for effects in rows.values())


@pytest.mark.parametrize("name", ALL)
def test_budgets_and_notes_name_what_there_is(name):
    claim = ALL[name]
    known = options.defaults(claim.experiment) if claim.experiment is not None else {}
    assert set(claim.scaled) <= set(known)
    assert set(claim.notes) <= {"supported", "refuted", "mixed", "inconclusive"}


def test_experiments_keep_what_their_figures_show():
    made = saturating_gradient.experiment(Rng([0]), steps=101)
    plot = plotted(saturating_gradient.figure(Planted(made)))
    assert [series["name"] for series in plot["series"]] == [
        *("minimax", "non-saturating", "maximum-likelihood")
    ]
    assert [len(series["x"]) for series in plot["series"]] == [2, 2, 2]
    assert plot["series"][0]["x"][1] < plot["series"][0]["x"][0]
    made = optimal_discriminator.experiment(Rng([0]), steps=2, batch=8)
    plot = plotted(optimal_discriminator.figure(Planted(made)))
    assert {len(series["x"]) for series in plot["series"]} == {len(optimal_discriminator.PLACES)}
    assert plot["series"][1]["mid"][14] == pytest.approx(0.5, abs=1e-4)
    made = sampling_speed.experiment(Rng([0]), sides=(4, 8), batches=(1,), repeats=1)
    plot = plotted(sampling_speed.figure(Planted(made)))
    assert {series["name"]: series["x"] for series in plot["series"]}["gan"] == [16, 64]
    assert len(plot["series"]) == 6
