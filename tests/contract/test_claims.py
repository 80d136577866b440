"""What every built-in claim keeps: the rules of `test-plugin`, and what this repository asks."""

from pathlib import Path

import pytest
from rule_cases import BUILT_IN, file_of, over_rules

from genbench.core.claim import CLAIMS
from genbench.running.cells import groups_of
from genbench.running.claim_cells import specs_of
from genbench.store.documents import load_suites

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


@over_rules("claim")
def test_it_keeps_the_rules(rule, name, case):
    rule.check(name, *case)


@pytest.mark.parametrize("name", BUILT_IN["claim"])
def test_the_name_is_the_files(name):
    assert file_of(CLAIMS.get(name)) == name


@pytest.fixture(scope="module")
def groups():
    return {group for suite in load_suites(SUITES).values() for group in groups_of(suite)}


@pytest.mark.parametrize(
    "name", [n for n in BUILT_IN["claim"] if CLAIMS.get(n).all_runs and n not in OWN]
)
def test_its_cells_are_those_of_suites(name, groups):
    """Else each would be trained twice; a suite that is changed must take the claim along."""
    strange = {
        str(run)
        for run in CLAIMS.get(name).all_runs
        if specs_of(run)[0].group not in groups
        and not any(
            name == n and what in {*run.options, run.model, f"steps={run.steps}"}
            for n, what in OWN_RUNS
        )
    }
    assert strange == set()
