"""Seeds that failed never count in their own favour; parts of fewer seeds have looks of their own."""

import math

import numpy as np
import pytest

from genbench.core.effect import Effect, Scores, compare_best, difference, log_ratio, map_values
from genbench.statistics.looks import Looks
from genbench.statistics.verdicts import ALIKE, FLATTERED, judge

INF = math.inf
RNG = np.random.default_rng(1)
FID = 30 + RNG.normal(0, 2, 8)
NEAR = 1 + 0.05 * RNG.normal(size=8)
MARGIN = math.log(1.5)


def row(values, *, apart=True):
    return Scores({seed: float(v) for seed, v in enumerate(values)}, independent=apart)


def no_worse(ours, theirs, *, contest=False):
    """That ours has no more than half more of a distance than theirs."""
    if contest:
        fight = compare_best({"a": ours}, {"b": theirs}, "lower", log=True)
        return Effect("no worse", fight.values, -MARGIN, contest=fight)
    return Effect("no worse", log_ratio(ours, theirs), MARGIN, wanted="below")


@pytest.mark.parametrize("contest", [False, True], ids=["difference", "contest"])
@pytest.mark.parametrize("apart", [True, False], ids=["apart", "paired"])
@pytest.mark.parametrize("failed", [8, 7, 1])
def test_a_side_that_fails_is_not_called_no_worse(failed, apart, contest):
    ours = row([*[INF] * failed, *FID[failed:]], apart=apart)
    verdict = judge([no_worse(ours, row(FID, apart=apart), contest=contest)])
    assert (verdict.outcome, verdict.because) == ("inconclusive", FLATTERED)
    assert verdict.parts[0].needed is None
    whole = judge([no_worse(row(FID + 1, apart=apart), row(FID, apart=apart), contest=contest)])
    assert whole.outcome == "supported"


def test_a_rival_that_fails_may_be_beaten_but_not_shown_to_be_near():
    theirs, ours = row([INF] * 8), row(FID)
    better = Effect("ours is better", log_ratio(theirs, ours), 0.0)
    assert judge([better]).outcome == "supported"
    far = Effect("ours is far better", log_ratio(theirs, ours), 2.0)
    assert judge([far]).outcome == "inconclusive"


@pytest.mark.parametrize("completed", [2, 7])
def test_failed_seeds_of_one_row_do_not_pass_its_bar(completed):
    share = row([*np.linspace(0.93, 0.95, completed), *[-INF] * (8 - completed)])
    assert judge([Effect("share", share, 0.8)]).outcome == "inconclusive"
    assert judge([Effect("share", share, 1.0)]).outcome == "refuted"
    lost = row([*np.linspace(0.93, 0.95, completed), *[INF] * (8 - completed)])
    assert judge([Effect("distance", lost, 0.8)]).outcome == "supported"


def test_what_failed_stays_known_where_differences_are_mapped_and_seeds_left_out():
    paired = difference(row([INF, *FID[1:]], apart=False), row(FID, apart=False))
    assert paired.failed == {(0, 1)}
    assert map_values(abs, paired).failed == {(0, 1), (0, -1)}
    both = difference(row([INF, *FID[1:]], apart=False), row([INF, *FID[1:]], apart=False))
    assert both.failed == frozenset()


@pytest.mark.parametrize("failed", [0, 1, 7])
def test_equal_values_decide_nothing_beside_failed_ones(failed):
    theirs = row([*[2.0] * (8 - failed), *[INF] * failed])
    fight = compare_best({"ours": row(NEAR)}, {"b": theirs}, "lower")
    for effect in (
        Effect("apart", difference(theirs, row(NEAR)), 0.5),
        Effect("contest", fight.values, 0.5, contest=fight),
    ):
        verdict = judge([effect])
        assert (verdict.outcome, verdict.because) == ("inconclusive", ALIKE)


def test_a_check_whose_seeds_failed_does_not_hold_by_definition():
    for values in ([INF] * 8, [*[1.0] * 7, INF]):
        verdict = judge([Effect("d", row(values), 0.0, by_definition=True)])
        assert verdict.outcome != "by definition"
    assert judge([Effect("d", row([1.0] * 8), 0.0, by_definition=True)]).outcome == "by definition"


def test_a_part_that_plans_fewer_seeds_is_looked_at_first_and_stays_decided():
    values = [*(2 + NEAR), *(0.2 * RNG.normal(size=24))]
    looks = Looks(16)
    few = Effect("few", row(values[:8]), 1.0, planned=8, tried=frozenset(range(8)))
    many = Effect("many", row(RNG.normal(size=16)), 0.0)
    first = judge([few, many], looks=looks)
    part = first.parts[0]
    assert (part.outcome, part.decided_at, part.planned) == ("supported", 8, 8)
    later = Effect("few", row(values), 1.0, planned=8)
    again = judge([later, Effect("many", row(RNG.normal(size=32)), 0.0)], looks=looks).parts[0]
    assert (again.outcome, again.decided_at) == ("supported", 8)
    assert looks.of(8).counts == (8, 16, 32, 64)
    assert looks.of(None) == looks.of(32) == looks


def test_the_reason_names_the_part_whose_seeds_all_failed():
    parts = [Effect("p1", row([INF] * 8), 2.0, "below"), Effect("p2", row(NEAR), 1.0)]
    assert judge(parts).because.startswith("p1: all seeds failed")
