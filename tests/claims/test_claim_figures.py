"""Figures, other metrics, budgets and notes: what every claim may declare besides its effects."""

import pytest

from genbench.claims import (
    mmd_criterion,
    optimal_discriminator,
    sampling_speed,
    saturating_gradient,
    variational_bias,
)
from genbench.core import options
from genbench.core.claim import CLAIMS
from genbench.core.metric import METRICS
from genbench.core.rng import Rng
from genbench.experiments import curves
from genbench.report.site.claim_page import make_plot

ALL = CLAIMS.all()
#: options by which an experiment takes a second
SMALL = {
    "acgan_steadiness": {"rounds": 1, "batch": 4, "marks": 1},
    "any_generator": {"rounds": 1, "batch": 4, "fits": 2, "points": 9},
    "augmentation": {"each": 5, "made": 5, "rounds": 4, "steps": 2},
    "d_g_balance": {"updates": 1, "batch": 4},
    "discriminator_range": {"rounds": 1, "batch": 4},
    "half_accuracy_stop": {"steps": 30, "points": 30},
    "kl_direction": {"steps": 2},
    "imitation": {"rounds": 1},
    "interactive_editing": {"rounds": 1, "inpainter_rounds": 1, "edits": 80},
    "latent_arithmetic": {"rounds": 1, "pool": 60, "tasks": 2},
    "latent_dimension_free": {"rounds": 1, "batch": 8, "flow_rounds": 1, "samples": 50},
    "likelihood_game": {"draws": 200, "rounds": 1},
    "mixing_growth": {"rounds": 1},
    "mmd_criterion": {"steps": 2, "points": 2},
    "multimodal_output": {"rounds": 2},
    "no_partition_function": {"rounds": 1, "draws": 2},
    "perfect_discriminator": {"rounds": 1},
    "table_augmentation": {"each": 5, "made": 5, "rounds": 4, "steps": 2},
    "planning": {"rounds": 1},
    "training_stability": {"rounds": 1, "batch": 4, "marks": 1},
    "turns": {"rounds": 6, "batch": 4},
    "variational_bias": {"rounds": 1},
    "waveforms": {
        "length": 64,
        "rounds": 1,
        "gan_rounds": 1,
        "lengths": (64, 128),
        "seconds": 0.0,
    },
}


class Spy:
    """Evidence that notes what is requested, and answers with the same values to everything."""

    def __init__(self):
        self.scored = []

    def scores(self, run, column):
        self.scored.append((run, column))
        return {seed: 1.0 + seed / 10 for seed in range(run.seeds)}

    def finished(self, run):
        return list(range(run.seeds))

    def measured(self, column):
        return {seed: 1.0 + seed / 10 for seed in range(8)}


class Planted(Spy):
    """Evidence of an experiment just completed, which notes the columns that it lacks."""

    def __init__(self, columns):
        super().__init__()
        self.columns, self.missed = columns, set()

    def measured(self, column):
        if column not in self.columns:
            self.missed.add(column)
        return dict(enumerate(self.columns.get(column, ())))


def nothing(*about):
    return 0.0


class Means(Spy):
    """Eight seeds around the mean of an experiment's column, or of a run's, given by functions."""

    def __init__(self, measured=nothing, scores=nothing):
        super().__init__()
        self.means, self.scored_means = measured, scores

    def around(self, mean):
        return {seed: mean * (1 + (seed - 3.5) / 100) for seed in range(8)}

    def measured(self, column):
        return self.around(self.means(column))

    def scores(self, run, column):
        return self.around(self.scored_means(run, column))


def check_requests(claim, spy):
    for run, column in spy.scored:
        assert run in claim.all_runs, run
        assert column in [c for metric in run.metrics for c in METRICS.get(metric).columns], column


def draw(name, evidence):
    """What the page draws of a claim."""
    figure = ALL[name].figure
    assert figure is not None
    plot = make_plot(figure(evidence))
    assert plot is not None
    return plot


def medians(plot):
    """By series, medians at its places."""
    return {row["name"]: dict(zip(row["x"], row["mid"], strict=True)) for row in plot["series"]}


@pytest.mark.parametrize("name", ALL)
def test_a_figure_can_be_drawn_of_what_the_claim_reads(name):
    spy, draw_figure = Spy(), ALL[name].figure
    assert draw_figure is not None
    figure = draw_figure(spy)
    check_requests(ALL[name], spy)
    names = [series.name for series in figure.series]
    assert len(set(names)) == len(names)
    assert all(len(series.x) == len(series.y) for series in figure.series)
    words = [isinstance(x, str) for series in figure.series for x in series.x]
    assert all(words) if figure.kind == "strip" else not any(words)
    assert figure.y
    # the page cuts words after 27 letters, and what is cut alike is one row
    rows = {x for series in figure.series for x in series.x if isinstance(x, str)}
    assert all(len({word[:27] for word in kind}) == len(kind) for kind in (names, rows))
    assert len(draw(name, spy)["series"]) == len(names)


@pytest.mark.parametrize("name", [n for n, c in ALL.items() if c.by_metric is not None])
def test_other_metrics_give_effects_of_what_the_claim_reads(name):
    spy = Spy()
    others = ALL[name].by_metric
    assert others is not None
    rows = others(spy)
    check_requests(ALL[name], spy)
    assert rows
    assert all(any(effect.judged for effect in effects) for effects in rows.values())


@pytest.mark.parametrize("name", ALL)
def test_budgets_and_notes_name_what_there_is(name):
    claim = ALL[name]
    defaults = options.defaults(claim.experiment) if claim.experiment is not None else {}
    assert set(claim.scaled) <= set(defaults)
    assert set(claim.notes) <= {"supported", "refuted", "mixed", "inconclusive"}


def test_experiments_keep_what_their_figures_show():
    columns = saturating_gradient.experiment(Rng([0]), steps=101)
    plot = draw("saturating_gradient", Planted(columns))
    assert [series["name"] for series in plot["series"]] == [
        *("minimax", "non-saturating", "maximum-likelihood")
    ]
    assert [len(series["x"]) for series in plot["series"]] == [2, 2, 2]
    assert plot["series"][0]["x"][1] < plot["series"][0]["x"][0]
    columns = optimal_discriminator.experiment(Rng([0]), steps=2, batch=8)
    plot = draw("optimal_discriminator", Planted(columns))
    assert {len(series["x"]) for series in plot["series"]} == {len(optimal_discriminator.PLACES)}
    assert plot["series"][1]["mid"][14] == pytest.approx(0.5, abs=1e-4)
    columns = sampling_speed.experiment(Rng([0]), sides=(4, 8), batches=(1,), repeats=1)
    plot = draw("sampling_speed", Planted(columns))
    assert {series["name"]: series["x"] for series in plot["series"]}["gan"] == [16, 64]
    assert len(plot["series"]) == 6


@pytest.mark.parametrize("name", SMALL)
def test_figures_draw_columns_that_experiments_make(name, monkeypatch):
    monkeypatch.setattr(variational_bias, "SIZES", ((50, 8), (100, 8)))
    monkeypatch.setattr(variational_bias, "POINTS", 500)
    monkeypatch.setattr(mmd_criterion, "SAMPLES", 50)
    monkeypatch.setattr(curves, "SAMPLES", 50)
    claim = ALL[name]
    assert claim.experiment is not None
    columns = claim.experiment(Rng([0]), **SMALL[name])
    evidence = Planted(columns)
    assert claim.figure is not None
    claim.figure(evidence)
    assert evidence.missed == set()


def test_paces_are_drawn_over_the_balanced_game():
    factors = {"ahead_5": 2.0, "k_10": 3.0, "rate_4": 0.5}

    def mean_of(column):
        data, pace = column.split("_", 1)
        return factors.get(pace, 1.0) * (7 if data == "ring" else 1)

    values = medians(draw("d_g_balance", Means(mean_of)))
    assert values["ring, updates"] == pytest.approx({0.2: 2, 1: 1, 2: 1, 5: 1, 10: 3})
    assert values["digits, step size"] == pytest.approx({0.25: 1, 1: 1, 4: 0.5})


def test_distances_are_drawn_over_their_reference():
    plot = draw("latent_dimension_free", Means(lambda c: 4.0 if "gaussian" in c else 2.0))
    assert medians(plot)["circle"] == pytest.approx(dict.fromkeys((1, 2, 4, 8), 0.5))
    assert dict(plot["levels"])["half the distance"] == pytest.approx(0.25)
    means = {"squared_error": 1.5, "adversarial_error": 3.0, "least_error": 1.5}
    frames = {"near_answer": {"regression": 0.1, "pix2pix": 0.9}, "error_over_least": {}}
    scores = lambda run, column: frames[column].get(run.model, 1.75)  # noqa: E731
    plot = draw("multimodal_output", Means(lambda column: means.get(column, 0.5), scores))
    assert medians(plot) == {
        "squared error": pytest.approx({0.5: 1}),
        "adversarial": pytest.approx({0.5: 2}),
        "next frames, squared error": pytest.approx({0.1: 1.75}),
        "next frames, adversary": pytest.approx({0.9: 1.75}),
    }


def test_mean_completions_are_drawn_without_their_spread():
    errors = {"inpainting": 0.09, "inpainting_spread": 0.04, "inpainting_mean": 0.08}
    values = medians(draw("missing_pixels", Means(scores=lambda run, column: errors[column])))
    assert values["chains"] == pytest.approx({"rbm": 0.05, "gsn": 0.05})
    assert values["reference"] == pytest.approx({"training mean": 0.08})


def test_failures_are_drawn_as_they_are_judged():
    def mean_of(column):
        return float(not column.startswith("rbm_4_")) if "finite" in column else 1.0

    values = medians(draw("training_stability", Means(mean_of)))
    assert values["GAN"] == {"gan": 0}
    assert values["Boltzmann machines"] == pytest.approx({"rbm": 1 / 3, "dbm": 0}, abs=1e-4)
