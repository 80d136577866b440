"""What built-in data sets keep whose files are here, and extractors and executors."""

import pytest
from rule_cases import BUILT_IN, file_of, over_rules

from genbench.contracts import extractors
from genbench.contracts.datasets import open_once
from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError
from genbench.core.feature import EXTRACTORS

#: what needs a download, or a package of the system
ELSEWHERE = {"mnist", "cifar10", "fashion_mnist"}
#: executors that are checked by the way in tests/executors: Ray takes long to start
SLOW = {"ray"}
#: its weights need a download
WEIGHTS = "inception_v3_compat"


def is_here(name):
    try:
        return len(open_once(name).points("train")) > 0
    except DataError:
        return False


HERE = [name for name in BUILT_IN["dataset"] if is_here(name)]
MAKEABLE = [name for name in BUILT_IN["extractor"] if extractors.taken(name)]


@over_rules("dataset", HERE)
def test_data_sets_keep_the_rules(rule, name, case):
    rule.check(name, *case)


@over_rules("extractor", MAKEABLE)
def test_extractors_keep_the_rules(rule, name, case):
    rule.check(name, *case)


@over_rules("executor", [name for name in BUILT_IN["executor"] if name not in SLOW])
def test_executors_keep_the_rules(rule, name, case):
    rule.check(name, *case)


def test_nothing_is_left_out_that_is_here():
    assert {*BUILT_IN["dataset"]} - {*HERE} <= ELSEWHERE
    assert {*BUILT_IN["extractor"]} - {*MAKEABLE} <= {WEIGHTS}


@pytest.mark.parametrize("name", BUILT_IN["dataset"])
def test_a_data_sets_name_is_the_files(name):
    assert file_of(DATASETS.get(name)) == name


@pytest.mark.parametrize("name", BUILT_IN["extractor"])
def test_an_extractors_name_is_the_files(name):
    assert file_of(EXTRACTORS.get(name)) == name
