"""The contract of every registered claim, whoever wrote it."""

import math
from pathlib import Path

import pytest

from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.metric import METRICS
from genbench.core.model import MODELS
from genbench.running.evidence import ClaimEvidence, Scale, specs_of
from genbench.running.plan import groups_of
from genbench.statistics.verdicts import judge
from genbench.store import Store
from genbench.store.documents import load_suites

ALL = CLAIMS.all()
SUITES = Path(__file__).parents[2] / "benchmarks.yaml"
#: cells that no suite has
OWN = {"thin_manifold"}
OWN_RUNS = {
    ("vae_blur", "sample_mean"),
    ("inverse_mapping", "steps=1"),
    ("mmd_training", "kernel"),
    ("mmd_training", "mmd_gan"),
    ("staged_generation", "levels"),
}


class Spy:
    """Evidence that notes what is requested, and answers with the same values to everything."""

    def __init__(self):
        self.scored, self.measured_columns = [], []

    def scores(self, run, column):
        self.scored.append((run, column))
        return {seed: 1.0 + seed / 10 for seed in range(run.seeds)}

    def finished(self, run):
        return list(range(run.seeds))

    def measured(self, column):
        self.measured_columns.append(column)
        return {seed: 1.0 + seed / 10 for seed in range(8)}


@pytest.mark.parametrize("name", ALL)
def test_it_says_what_a_reader_needs(name):
    claim = ALL[name]
    assert claim.id == name.replace("_", "-")
    assert all((claim.statement, claim.source, claim.why, claim.literature, claim.threats))
    assert claim.statement.endswith(".")
    assert claim.runs or claim.experiment
    assert claim.seeds >= 8
    assert all(run.seeds >= 8 for run in claim.runs)


@pytest.mark.parametrize("name", ALL)
def test_its_runs_can_be(name):
    for run in ALL[name].runs:
        spec = DATASETS.get(run.dataset)().spec
        assert MODELS.get(run.model).refuses(spec) is None, run
        assert run.labelled is None or spec.classes is not None
        assert len(specs_of(run)) == run.seeds
        assert specs_of(run)[0].budget.steps == run.steps


@pytest.mark.parametrize("name", ALL)
def test_it_reads_what_it_asks_for(name):
    spy = Spy()
    effects = ALL[name].function(spy)
    assert any(effect.judged for effect in effects)
    names = [effect.name for effect in effects]
    assert len(set(names)) == len(names)
    assert all(math.isfinite(effect.bar) for effect in effects)
    for run, column in spy.scored:
        assert run in ALL[name].runs, run
        columns = [c for metric in run.metrics for c in METRICS.get(metric).columns]
        assert column in columns, f"{run} has no {column}"
    assert bool(spy.measured_columns) == (ALL[name].experiment is not None)
    unread = [run for run in ALL[name].runs if run not in [run for run, _ in spy.scored]]
    assert unread == []


@pytest.mark.parametrize("name", ALL)
def test_without_measurements_it_is_inconclusive(name, tmp_path):
    claim = ClaimEvidence(ALL[name], Store(tmp_path))
    verdict = judge(claim.effects())
    assert (verdict.outcome, verdict.because) == ("inconclusive", "nothing has been measured yet")
    cells = {(str(run), run.steps): run.seeds for run in ALL[name].runs}
    assert len(claim.missing()) >= len({run for run, _ in cells}) or ALL[name].experiment
    assert claim.failed() == {}


@pytest.mark.parametrize("name", ALL)
def test_a_quick_pass_is_an_eighth(name):
    scale = Scale("quick")
    for run in ALL[name].runs:
        assert scale.run(run).steps == max(1, round(run.steps / 8))
        assert scale.run(run).seeds == 6
    if ALL[name].experiment is not None:
        assert set(ALL[name].quick) <= set(scale.options(ALL[name]))


@pytest.fixture(scope="module")
def suite_groups():
    return {group for suite in load_suites(SUITES).values() for group in groups_of(suite)}


@pytest.mark.parametrize("name", [n for n, c in ALL.items() if c.runs and n not in OWN])
def test_its_cells_are_those_of_suites(name, suite_groups):
    """Otherwise they would be trained twice; a change of a suite must change the claim too."""
    strange = {
        str(run)
        for run in ALL[name].runs
        if specs_of(run)[0].group not in suite_groups
        and not any(
            name == n and what in {*run.options, run.model, f"steps={run.steps}"}
            for n, what in OWN_RUNS
        )
    }
    assert strange == set()
