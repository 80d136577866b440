"""The room of intervals for rare events: how much, on which side, and what it does to verdicts."""

import numpy as np
import pytest
from scipy import stats

from genbench.core.effect import Effect, Scores, compare_best
from genbench.core.rare import RareEvent
from genbench.statistics.contests import estimate
from genbench.statistics.power import count_needed_seeds
from genbench.statistics.rooms import PRONE, UNLIKE, find_rooms, likely_chance, unseen_chance
from genbench.statistics.subsets import keep_seeds

DOWN = RareEvent(share=0.02, plain=5.0, log=5.0, side=-1)


def row(mean=0.0, n=8, rare=(), seed=0):
    values = mean + 0.1 * np.random.default_rng(seed).normal(size=n)
    return Scores(dict(enumerate(values.tolist())), independent=True, rare=rare)


def contest(ours, theirs, bar=0.0):
    gap = compare_best(ours, theirs, "higher")
    return Effect("gap", gap.values, bar, contest=gap)


def test_what_is_likely_is_the_posterior_s_quantile():
    rng = np.random.default_rng(1)
    chances = rng.beta(UNLIKE, UNLIKE * 0.98 / 0.02, size=400_000)
    unseen = chances[rng.random(len(chances)) < (1 - chances) ** 8]
    assert likely_chance(8, 0.02) == pytest.approx(np.quantile(unseen, 1 - PRONE), rel=0.03)


def test_more_seeds_and_steadier_families_make_events_less_likely():
    by_seeds = [likely_chance(n, 0.02) for n in (8, 16, 32, 64)]
    assert by_seeds == sorted(by_seeds, reverse=True)
    assert likely_chance(8, 0.001) < likely_chance(8, 0.02) < likely_chance(8, 0.2)
    assert likely_chance(8, 0.2) < unseen_chance(8), "a family says more than nothing does"
    assert likely_chance(8, 0.0) == 0


def test_room_lies_on_the_side_to_which_events_lead():
    ours, theirs = row(rare=[DOWN]), row(1.0, rare=[DOWN], seed=1)
    size = likely_chance(8, 0.02) * 5
    assert find_rooms(ours) == (pytest.approx(size), 0.0)
    assert find_rooms(row(), theirs) == (0.0, pytest.approx(size))
    assert find_rooms(ours, theirs) == (pytest.approx(size), pytest.approx(size))
    assert find_rooms(ours, seeds=64)[0] == pytest.approx(5 * likely_chance(64, 0.02))
    assert find_rooms(ours, jump=5.0) == (5 * unseen_chance(8),) * 2, "the larger of both"
    either = row(rare=[RareEvent(0.02, 5.0, 5.0, 0)])
    assert find_rooms(either) == (pytest.approx(size),) * 2


@pytest.mark.parametrize("shape", ["contest", "difference", "one row"])
def test_intervals_are_longer_by_the_room_on_that_side_alone(shape):
    def make(rare):
        if shape == "one row":
            return Effect("a", row(rare=rare))
        if shape == "contest":
            return contest({"a": row(rare=rare)}, {"b": row(seed=1)})
        gap = compare_best({"a": row(rare=rare)}, {"b": row(seed=1)}, "higher")
        ours, theirs = (next(iter(side.values())) for side in gap.sides)
        values = Scores(gap.values, sides=(ours, theirs))
        return Effect("a", values)

    plain, rare = estimate(make(())), estimate(make([DOWN]))
    size = likely_chance(8, 0.02) * 5
    assert rare.low == pytest.approx(plain.low - size)
    assert (rare.mean, rare.high) == (plain.mean, plain.high)


def test_of_huge_values_and_of_some_seeds_the_room_is_in_proportion():
    many = Scores(
        {s: 1e200 * v for s, v in row().items()},
        independent=True,
        rare=[RareEvent(0.02, 5e200, 5.0, -1)],
    )
    assert estimate(Effect("a", many)).low == pytest.approx(
        1e200 * estimate(Effect("a", row(rare=[DOWN]))).low
    )
    some = keep_seeds(contest({"a": row(n=16, rare=[DOWN])}, {"b": row(n=16)}), range(8))
    assert find_rooms(some.contest.sides[0]["a"])[0] == pytest.approx(5 * likely_chance(8, 0.02))


def test_the_seeds_that_decide_are_more_where_rare_events_may_lead_to_the_bar():
    def needed(rare, mean=0.2):
        return count_needed_seeds(contest({"a": row(mean, rare=rare)}, {"b": row(seed=1)}), 0.05)

    assert needed(()) < needed([DOWN])
    assert needed([DOWN], mean=9.0) == needed((), mean=9.0)
    away = [RareEvent(0.02, 5.0, 5.0, 1)]
    assert needed(away) == needed(())


def test_a_row_that_a_family_s_runs_say_may_fall_supports_less():
    """Eight tight seeds a tenth above the bar, in a family one of whose fifty runs falls by five."""
    steady = contest({"a": row(0.3)}, {"b": row(seed=1)})
    prone = contest({"a": row(0.3, rare=[DOWN])}, {"b": row(seed=1)})
    assert estimate(steady).low > 0 > estimate(prone).low
    chance = stats.beta(UNLIKE, UNLIKE * 0.98 / 0.02 + 8).ppf(1 - PRONE)
    assert estimate(steady).low - estimate(prone).low == pytest.approx(5 * chance)
