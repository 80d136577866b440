"""What built-in data sets keep whose files are here, and extractors and executors."""

import pytest
from rule_cases import BUILT_IN, file_of, over_rules

from genbench.contracts import extractors
from genbench.contracts.datasets import open_once
from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError
from genbench.core.feature import EXTRACTORS

#: what needs a download, or a package of the system
ELSEWHERE = {"mnist", "cifar10", "fashion_mnist", "colourise", "photographs"}
#: executors that are checked by the way in tests/executors: Ray takes long to start
SLOW = {"ray"}
#: extractors whose weights need a download, or a package of the extra `features`
WEIGHTS = {"inception_v3_compat", "dinov2", "clip", "efficientnet_lite0", "vgg19"}
#: extractors that take minutes on a core
LARGE = {"efficientnet_lite0"}


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


@over_rules("extractor", [name for name in MAKEABLE if name not in LARGE])
def test_extractors_keep_the_rules(rule, name, case):
    rule.check(name, *case)


@pytest.mark.slow
@over_rules("extractor", [name for name in MAKEABLE if name in LARGE])
def test_large_extractors_keep_the_rules(rule, name, case):
    rule.check(name, *case)


@over_rules("executor", [name for name in BUILT_IN["executor"] if name not in SLOW])
def test_executors_keep_the_rules(rule, name, case):
    rule.check(name, *case)


def test_nothing_is_left_out_that_is_here():
    assert {*BUILT_IN["dataset"]} - {*HERE} <= ELSEWHERE
    assert {*BUILT_IN["extractor"]} - {*MAKEABLE} <= WEIGHTS


@pytest.mark.parametrize("name", BUILT_IN["dataset"])
def test_a_data_sets_name_is_the_files(name):
    assert file_of(DATASETS.get(name)) == name


@pytest.mark.parametrize("name", BUILT_IN["extractor"])
def test_an_extractors_name_is_the_files(name):
    assert file_of(EXTRACTORS.get(name)) == name
