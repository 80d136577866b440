"""The baseline that this repository is guarded by fits its suite and its models' versions."""

from pathlib import Path

from genbench.report.gate.baseline import load_baseline
from genbench.running.cells import groups_of
from genbench.store.documents import load_suites

ROOT = Path(__file__).parents[2]


def test_the_accepted_baseline_is_that_of_the_suite_as_it_is():
    suite = load_suites(ROOT / "benchmarks.yaml")["ci"]
    held = load_baseline(ROOT / "baselines/ci.json")
    again = "genbench run ci, then genbench baseline accept --suite ci --to baselines/ci.json"
    assert {cell.group for cell in held.cells} == groups_of(suite), f"make it anew: {again}"
    seeds = suite.seeds if isinstance(suite.seeds, int) else len(suite.seeds)
    assert {score.n for cell in held.cells for score in cell.scores if score.n > 1} == {seeds}
