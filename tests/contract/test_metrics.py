"""What every built-in metric keeps: the rules of `test-plugin`, and what this repository asks."""

from contextlib import nullcontext, suppress

import pytest
from rule_cases import BUILT_IN, file_of, over_rules

from genbench.contracts.metrics import is_spread, worse_samples_score_worse
from genbench.contracts.planted import N, draw, measure
from genbench.contracts.rules import Unchecked
from genbench.core.metric import METRICS

NAMES = BUILT_IN["metric"]
#: columns that diversity alone moves: noise widens a fake set, so only lost modes make them worse
DIVERSITY = {
    "recall",
    "modes_strict",
    "modes",
    "reverse_kl",
    "reverse_kl_corrected",
    "inception_score",
    "vendi",
    "ms_ssim_excess",
}
#: metrics of abilities that the planted model lacks, or of a truth: `test-plugin` says that it does not check
#: their numbers, which tests/metrics does
UNPLANTED = {
    *("accuracy", "answers_hit", "bound_gap", "caption_nll", "class_accuracy", "code_accuracy"),
    *(
        "cycle_error",
        "inpainting",
        "manifold_distance",
        "pair_gap",
        "pair_spread",
        "reconstruction",
    ),
}
#: columns of the spread over random parts or pairs of the points, or of a part where there are more than it
#: takes
SPREADS = {"inception_score_std", "kid_subsets_std", "fld_gap", "ms_ssim"}


@over_rules("metric", without=["worse_samples_score_worse"])
def test_it_keeps_the_rules(rule, name, case):
    with unplanted(name):
        rule.check(name, *case)


def unplanted(name):
    """Lets a rule say that it could not be checked, of the metrics of which that is known."""
    return suppress(Unchecked) if name in UNPLANTED else nullcontext()


@pytest.mark.parametrize("name", NAMES)
def test_noise_worsens_all_columns_but_those_of_diversity(name):
    with unplanted(name):
        worse_samples_score_worse(name, DIVERSITY)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_points_moves_no_column_but_those_of_spreads(name):
    entry = METRICS.get(name)
    scores = measure(entry, draw(N, 2, noise=0.2))
    timed = {column for column, meaning in entry.columns.items() if meaning.unit == "ms"}
    spreads = {column for column in entry.columns if is_spread(entry, column, scores)}
    assert spreads - timed <= SPREADS


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_the_files(name):
    assert file_of(METRICS.get(name)) == name
