"""Seeds that diverge in experiments: marked apart from what does not exist, and counted as the worst."""

from __future__ import annotations

import json
import math
import zlib

import pytest
import torch

from genbench.claims import d_g_balance, discriminator_range, half_accuracy_stop, mmd_criterion
from genbench.claims._ranks import compare_extremes
from genbench.core.claim import CLAIMS, Claim
from genbench.core.dataset import DATASETS
from genbench.core.effect import Effect, Scores
from genbench.core.rng import Rng
from genbench.experiments import curves, multimodal_output, stability
from genbench.experiments.training import Discrepancy, fail
from genbench.running.evidence import EXPERIMENT, ClaimEvidence
from genbench.running.evidence_log import CompletedSeeds, EvidenceLog
from genbench.running.job import Outcome, RunSettings, Stage, TrialJob
from genbench.running.work import run_experiment
from genbench.statistics.verdicts import judge
from genbench.store import Store
from genbench.store.trial import Trials

SEEDS = 16


class Failing:
    """Evidence in which two seeds of every run failed, and of every column of an experiment."""

    def scores(self, run, column):
        # a spread is a part of an error
        part = 0.1 if "spread" in column else 1.0
        row = self._values(str(run), run.seeds)
        return Scores({seed: part * value for seed, value in row.items()}, independent=True)

    def finished(self, run):
        return list(range(run.seeds))

    def measured(self, column):
        return self._values(column, SEEDS)

    def _values(self, name, seeds):
        shift = zlib.crc32(name.encode())
        row = {seed: 1.0 + (seed * (3 + shift % 7) % 11) / 10 for seed in range(seeds)}
        return row | {(shift + k) % seeds: math.inf for k in (0, 1)}


@pytest.mark.parametrize("name", CLAIMS.names())
def test_no_effect_of_a_failed_seed_is_undefined(name):
    effects = CLAIMS.get(name).function(Failing())
    undefined = [e.name for e in effects if any(map(math.isnan, e.values.values()))]
    assert not undefined
    assert judge(effects).parts


class Planted:
    def __init__(self, columns):
        self.columns = columns

    def measured(self, column):
        return self.columns.get(column, {})


def rows(**levels):
    """Rows of sixteen seeds around levels; a level that is infinite fails in half of them."""
    return {
        name: {
            s: math.inf
            if math.isinf(level) and s % 2
            else (1.0 if math.isinf(level) else level) * (1 + 0.01 * (s * k % 5))
            for s in range(16)
        }
        for k, (name, level) in enumerate(levels.items(), 1)
    }


def test_a_classifier_that_diverges_half_of_the_time_has_no_gain_from_the_other_half():
    """The others' best is four times as near where it completes, and fails in every second seed."""
    steady = rows(logistic=4.0, hinge=4.4, least_squares=4.4, wasserstein=1.0)
    fails = steady | rows(a=1.0, b=1.0, c=1.0, wasserstein=math.inf)
    for judges, gains in ((steady, True), (fails, False)):
        columns = {f"{data}_{n}": judges[n] for data in discriminator_range.DATA for n in steady}
        parts = [
            p for p in CLAIMS.get("discriminator_range").function(Planted(columns)) if p.judged
        ]
        assert len(parts) == len(discriminator_range.DATA)
        assert (judge(parts).outcome == "supported") == gains


def test_extremes_count_failures_as_the_worst_of_all_rows():
    gap = compare_extremes({"a": {0: 1.0, 1: 1.0, 2: math.inf}, "b": dict.fromkeys(range(3), 2.0)})
    assert gap.ours == "b over a"
    assert gap.values == pytest.approx({0: math.log(2), 1: math.log(2), 2: 0.0})
    never = dict.fromkeys(range(8), math.inf)
    for other in (never, {}):
        gap = compare_extremes({"a": never, "b": other})
        verdict = judge([Effect("e", gap.values, 0.1, contest=gap)])
        assert verdict.outcome == "inconclusive"


def test_a_pace_whose_runs_diverged_has_failed_and_leaves_the_median_alone():
    level = {"k_1": {s: 1.0 for s in range(8)}, "k_2": dict.fromkeys(range(8), math.inf)}
    level["k_1"] |= {6: math.inf, 7: math.inf}
    columns = {f"ring_{pace}": level.get(pace, {}) for pace in d_g_balance.PACES}
    assert d_g_balance.failed(Planted(columns), "ring", "k_2").values == dict.fromkeys(
        range(8), 1.0
    )
    one = d_g_balance.failed(Planted(columns), "ring", "k_1").values
    assert [one[s] for s in (0, 6)] == [0.0, 1.0]


def test_grids_of_runs_count_divergence_as_a_failure_of_every_kind():
    columns = {"vae_constant": dict.fromkeys(range(4), 5.0)}
    for place in stability.GRID:
        head = stability.column("vae", *place)
        finite = {s: float(s > 0) for s in range(4)}
        last = {s: 1.0 if s else math.inf for s in range(4)}
        columns |= {f"{head}_last": last, f"{head}_least": last, f"{head}_finite": finite}
    shares = stability.failures(Planted(columns), "vae")
    for kind in ("any", *stability.KINDS):
        assert [shares[kind][s] for s in range(4)] == [1.0, 0.0, 0.0, 0.0], kind
    assert stability.spread(Planted(columns), "vae") == {0: math.inf, 1: 0.0, 2: 0.0, 3: 0.0}


def test_samples_that_are_not_finite_are_infinitely_far_off(monkeypatch):
    dataset = DATASETS.get("ring")()
    fakes = dataset.points("test")[:200].expand(3, -1, -1).clone()
    fakes[1, 0, 0], fakes[2, 5, 1] = math.nan, -math.inf
    assert Discrepancy(dataset.points("test")[:500])(fakes).isfinite().tolist() == [
        True,
        False,
        False,
    ]
    monkeypatch.setattr(curves, "draw_samples", lambda *about: fakes)
    measure = curves.make_quality(dataset, "js_to_truth")
    values = curves.measure_samples(None, dataset, measure, Rng([0, 1, 2]))
    assert math.isfinite(values[0])
    assert values[1:] == [math.inf, math.inf]
    shares = fail(torch.ones(3, 2), fakes, -math.inf)
    assert shares.tolist() == [[1.0, 1.0], [-math.inf] * 2, [-math.inf] * 2]


def test_outputs_that_are_not_finite_are_no_answers():
    def network(c, rng):
        return torch.where(
            torch.tensor([False, True]).view(-1, 1, 1), math.nan, 0 * c[..., :1] + 1
        )

    measured = multimodal_output.measure(network, Rng([0, 1]))
    worst = {key: row[1].item() for key, row in measured.items()}
    assert worst == {
        "near": -math.inf,
        "both": -math.inf,
        "error": math.inf,
        "from_mean": math.inf,
    }
    assert all(row[0].isfinite() for row in measured.values())


def test_a_rule_that_never_stops_has_no_value_and_one_that_keeps_a_diverged_look_the_worst():
    accuracy = torch.tensor([[0.9] * 5, [0.5] * 5, [0.5] * 5, [0.5] * 5])
    true = torch.tensor([[1.0] * 5, [2.0, 1, 1, 1, 1], [math.inf] * 5, [1.0, 1, 1, 1, math.inf]])
    summary = half_accuracy_stop.summarise(accuracy.double(), true.double())
    never, stopped, diverged, later = summary["over_last"].tolist()
    assert math.isnan(never)
    assert stopped == pytest.approx(math.log(2))
    assert (diverged, later) == (math.inf, -math.inf)
    assert summary["over_best"][2] == math.inf
    assert summary["reached"].tolist() == [0.0, 1.0, 1.0, 1.0]


def test_a_discrepancy_says_nothing_of_a_game_that_diverged():
    true = torch.tensor([[3.0, 2.0, 1.0, 4.0, 5.0], [math.inf] * 5]).double()
    summary = mmd_criterion.summarise(true.clone(), true)
    assert summary["rank"].tolist() == [pytest.approx(1.0), -math.inf]
    assert summary["over_last"].tolist() == [pytest.approx(math.log(1 / 5)), math.inf]
    assert summary["over_best"].tolist() == [pytest.approx(0.0), math.inf]
    measure = mmd_criterion.make_chosen(DATASETS.get("ring")())
    ratio, width = measure(torch.full((100, 2), math.nan), Rng([0]))
    assert ratio == math.inf
    assert math.isnan(width)


@pytest.fixture
def evidence(tmp_path, monkeypatch):
    """A claim whose experiment diverged for two of eight seeds, and whose event never came for another."""

    def experiment(rng, *, steps: int = 3):
        return {
            "distance": [math.inf if s in (2, 5) else 1.0 + s / 10 for s in rng.seeds],
            "share": [-math.inf if s == 2 else 0.5 for s in rng.seeds],
            "rounds": [math.nan if s == 7 else 3.0 for s in rng.seeds],
        }

    def effects(evidence):
        return [Effect("e", evidence.measured("distance"), 2.0, "below")]

    about = {"statement": "s.", "source": "s", "why": "w", "seeds": 8}
    claim = Claim("a_claim", effects, experiment=experiment, **about)
    monkeypatch.setitem(CLAIMS._objects, "a_claim", claim)
    store, outcome = Store(tmp_path), Outcome()
    for seeds in ((0, 1, 2, 3), (4, 5, 6, 7)):
        about = {"claim": "a_claim", "version": 1, "options": {"steps": 3}}
        job = TrialJob(**about, trial_seeds=seeds, settings=RunSettings())
        run_experiment(job, Stage(lambda progress: None), outcome)
    for trial in outcome.results:
        Trials(store.root).write(trial)
    return ClaimEvidence(claim, store)


def test_evidence_has_the_failures_of_an_experiment_on_the_side_that_is_worse(evidence):
    distance = evidence.measured("distance")
    assert {s for s, v in distance.items() if v == math.inf} == {2, 5}
    assert len(distance) == 8
    assert evidence.measured("share")[2] == -math.inf
    assert set(evidence.measured("rounds")) == set(range(7))
    part = judge(evidence.effects()).parts[0]
    assert part.estimate.n == 8
    assert part.estimate.mean == pytest.approx((1 + 1.1 + 1.3 + 1.4 + 1.6 + 1.7 + 2 * 1.7) / 8)


def test_seeds_that_diverged_are_counted_as_failed(evidence):
    assert evidence.failed() == {EXPERIMENT: 2}
    assert evidence.missing() == {}


def test_figures_leave_failures_out(evidence):
    completed = CompletedSeeds(EvidenceLog(evidence))
    assert set(completed.measured("distance")) == {0, 1, 3, 4, 6, 7}


def test_the_file_says_which_values_are_infinite(evidence):
    (path,) = Trials(evidence.store.root).root.iterdir()
    held = json.loads(path.read_text())
    assert held["columns"]["distance"]["2"] is None
    assert held["infinite"] == {"distance": {"2": 1, "5": 1}, "share": {"2": -1}}
