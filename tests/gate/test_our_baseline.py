"""The baselines that this repository is guarded by fit their suites and the models' versions."""

from pathlib import Path

import pytest

from genbench.report.gate.baseline import load_baseline
from genbench.running.cells import groups_of
from genbench.store.documents import load_suites

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["ci", "pairs_ci"])
def test_the_accepted_baseline_is_that_of_the_suite_as_it_is(name):
    suite = load_suites(ROOT / "benchmarks.yaml")[name]
    path = f"baselines/{name}.json"
    held = load_baseline(ROOT / path)
    again = f"genbench run {name}, then genbench baseline accept --suite {name} --to {path}"
    assert {cell.group for cell in held.cells} == groups_of(suite), f"make it anew: {again}"
    seeds = suite.seeds if isinstance(suite.seeds, int) else len(suite.seeds)
    counts = {score.n for cell in held.cells for score in cell.scores}
    assert counts <= {seeds, 1}  # one of what no seed moves
    assert seeds in counts
