import pytest

from genbench.core import options
from genbench.core.errors import SpecError
from genbench.core.metric import METRICS
from genbench.core.spec import Part, parse_part
from genbench.evaluation.requests import make_requests

NUMBERS = [
    (name, option)
    for name in METRICS
    for option, usual in METRICS.get(name).options.items()
    if isinstance(usual, (int, float))
]
#: no option of a metric means anything at these
NOWHERE = [-1, True, "nan", "inf", "1e400", "x", [], None, ""]
#: nor any that counts something at these
NO_COUNT = [10**30, "10000000000000000000000000", 2.5, "1e3"]


@pytest.mark.parametrize(("name", "option"), NUMBERS)
def test_no_number_that_means_nothing_reaches_a_metric(name, option):
    """They were refused, or taken, when points were compared: after hours of training, or never."""
    counts = isinstance(METRICS.get(name).options[option], int)
    for value in [*NOWHERE, *(NO_COUNT if counts else ())]:
        with pytest.raises(SpecError, match=f"metric {name} option '{option}' needs a"):
            make_requests([Part(name=name, options={option: value})])


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("manifold_distance", "tolerance", 1.5),
        ("near_answer", "tolerance", 0.25),
        ("modes", "within", 1e200),
        ("cmmd", "sigma", 1e-200),
        ("cmmd", "sigma", 1e200),
        ("js_to_truth", "cells", 10**6),
        ("sliced_wasserstein", "directions", 10**9),
        ("prdc", "neighbours", 2.5),
        ("prdc", "neighbours", "1e3"),
    ],
)
def test_what_everything_passes_or_no_memory_holds_is_refused(name, option, value):
    with pytest.raises(SpecError, match=f"'{option}' needs a"):
        make_requests([Part(name=name, options={option: value})])


def test_an_option_without_a_value_is_told_from_a_name():
    """`prdc:neighbours` was an unknown metric, like `reverse_kl_neighbours`."""
    needs = (
        "metric prdc needs options as OPTION=VALUE, got 'neighbours'; did you mean 'neighbours'"
    )
    with pytest.raises(SpecError, match=needs):
        make_requests([parse_part("prdc:neighbours")])


def test_a_metric_that_is_called_checks_its_options():
    with pytest.raises(SpecError, match="metric vendi option 'order' needs a number above 0, got"):
        METRICS.get("vendi").function(None, None, rng=None, order=0)
    assert options.defaults(METRICS.get("vendi").function) == {"order": 1.0}
