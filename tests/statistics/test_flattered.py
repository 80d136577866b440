"""Seeds that failed never count in their own favour; parts of fewer seeds have looks of their own."""

import math
from unittest import mock

import numpy as np
import pytest

from genbench.core.effect import (
    Effect,
    Scores,
    compare_best,
    difference,
    failures_of,
    log_ratio,
    map_values,
)
from genbench.statistics.contests import scale_down
from genbench.statistics.looks import Looks
from genbench.statistics.open_parts import ALIKE, FLATTERED
from genbench.statistics.subsets import keep_values
from genbench.statistics.verdicts import judge

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
    paired = difference(row([INF, *FID[1:]], apart=False), row(FID + NEAR, apart=False))
    assert paired.failed == {(0, 1)}
    assert map_values(math.exp, paired).failed == {(0, 1)}
    assert map_values(lambda v: -v, paired).failed == {(0, -1)}
    assert map_values(lambda v: math.sin(9 * v), paired).failed == {(0, 1), (0, -1)}
    assert keep_values(paired, range(4)).failed == {(0, 1)}
    assert keep_values(paired, range(1, 8)).failed == frozenset()
    fight = compare_best({"a": paired}, {"b": row(NEAR, apart=False)}, "lower")
    assert failures_of(fight.sides[0]["a"]) == {(0, -1)}
    huge, _ = scale_down(Effect("huge", Scores({0: 1e200, 1: 2e200}, failed={(0, 1)})))
    assert huge.values.failed == {(0, 1)}


@pytest.mark.parametrize("contest", [False, True], ids=["difference", "contest"])
def test_seeds_that_failed_on_both_sides_decide_nothing(contest):
    """Their difference counts as 0, which would be "no worse" and "not better" alike."""
    close = 0.02 * RNG.normal(size=32)
    ours, theirs = (
        row([*[-INF] * 26, *(np.full(6, mean) + close[:6])], apart=False) for mean in (-0.3, 0.0)
    )
    for bar in (-0.2, 0.2):
        fight = compare_best({"a": ours}, {"b": theirs}, "higher")
        values = fight.values if contest else difference(ours, theirs)
        effect = Effect("gap", values, bar, contest=fight if contest else None)
        assert judge([effect]).outcome == "inconclusive"
    whole = difference(
        row(np.full(8, -0.3) + close[:8], apart=False), row(close[8:16], apart=False)
    )
    assert judge([Effect("gap", whole, -0.2)]).outcome == "refuted"


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
    asked = []
    with mock.patch.object(Looks, "level", lambda self, look, alpha: asked.append(self) or 0.95):
        judge([few, many], looks=looks)
    assert {one.first for one in asked} == {8, 16}


def test_a_part_past_its_own_look_gets_the_share_of_what_is_decided_later():
    looks = Looks(16)
    sure = Effect("sure", row(5 + 0.1 * RNG.normal(size=16)), 0.0)
    for shift in np.linspace(0.6, 1.0, 21):
        few = Effect(
            "few",
            row(np.linspace(-1, 1, 8) + shift),
            0.0,
            planned=8,
            tried=frozenset(range(8)),
        )
        alone = judge([few], looks=looks).parts[0].outcome
        assert judge([few, sure], looks=looks).parts[0].outcome == alone


def test_an_exact_value_that_failed_has_no_number_of_seeds():
    exact = Effect("exact", row([0.5, INF]), 1.0, wanted="below", exact=True)
    part = judge([exact]).parts[0]
    assert (part.outcome, part.needed) == ("inconclusive", None)


def test_the_reason_names_the_part_whose_seeds_all_failed():
    parts = [Effect("p1", row([INF] * 8), 2.0, "below"), Effect("p2", row(NEAR), 1.0)]
    assert judge(parts).because.startswith("p1: all seeds failed")
