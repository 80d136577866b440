"""Values without a logarithm in comparisons by ratios: 0 is the worst share and the best distance."""

import math

import numpy as np
import pytest

from genbench.core.effect import Effect, Scores, compare_best, difference, log_ratio
from genbench.statistics.contests import estimate
from genbench.statistics.decisions import decide, outcome_of
from genbench.statistics.looks import Looks
from genbench.statistics.open_parts import BEYOND
from genbench.statistics.subsets import keep_seeds
from genbench.statistics.verdicts import judge

NOISE = 0.001 * np.random.default_rng(0).normal(size=(2, 16))
MOST, LESS = (list(mean + row) for mean, row in zip((0.9, 0.8), NOISE, strict=True))


def row(values, independent=True):
    return Scores(dict(enumerate(values)), independent=independent)


def contest(ours, theirs, better, **about):
    found = compare_best({"a": row(ours, **about)}, {"b": row(theirs, **about)}, better, log=True)
    return Effect("gap", found.values, contest=found)


def collapse(values, count=2, to=0.0):
    return [*values[:-count], *[to] * count]


@pytest.mark.parametrize("independent", [True, False])
@pytest.mark.parametrize("to", [0.0, -0.1])
def test_a_share_of_nothing_is_the_worst_and_supports_nothing(independent, to):
    ours = collapse(MOST[:8], to=to)
    effect = contest(ours, LESS[:8], "higher", independent=independent)
    verdict = judge([effect])
    assert (verdict.outcome, verdict.because) == ("inconclusive", BEYOND)
    assert (verdict.parts[0].estimate.n, effect.beyond) == (8, {-1})
    mean, clear = verdict.parts[0].estimate.mean, estimate(contest(MOST, LESS, "higher")).mean
    assert mean is not None
    assert clear is not None
    assert mean < clear
    assert outcome_of(contest(LESS[:8], ours, "higher")) == "inconclusive"
    lost = contest(collapse(LESS[:8]), MOST[:8], "higher", independent=independent)
    assert outcome_of(lost) == "refuted", "what is worse than the worst still loses"


@pytest.mark.parametrize("to", [0.0, -0.1])
def test_a_distance_of_nothing_is_the_best(to):
    better = contest(collapse(LESS[:8], to=to), MOST[:8], "lower")
    assert (outcome_of(better), better.beyond) == ("supported", {1})
    assert estimate(better).n == 8
    rival = contest(LESS[:8], collapse(MOST[:8], to=to), "lower")
    assert (outcome_of(rival), rival.beyond) == ("inconclusive", {-1})


def test_ratios_keep_what_lies_beyond_through_differences_and_looks():
    ratio = log_ratio(row(collapse(MOST, 1)), row(LESS))
    assert (len(ratio), ratio.beyond) == (16, {(15, -1)})
    assert log_ratio(row(LESS), row(collapse(MOST, 1))).beyond == {(15, 1)}
    assert difference(ratio, row(LESS)).beyond == {(15, -1)}
    assert difference(row(LESS), ratio).beyond == {(15, 1)}
    effect = Effect("ratio", ratio)
    assert keep_seeds(effect, range(15)).beyond == set()
    assert decide([effect], Looks(8)) == [("supported", 8)], "the first look saw no such value"
    assert decide([effect], Looks(16)) == [("inconclusive", None)]


def test_failures_and_what_is_not_a_number_are_what_they_were():
    worse = contest([*MOST[:7], math.inf], [2 * v for v in MOST[:8]], "lower")
    assert (worse.beyond, estimate(worse).n) == (set(), 8)
    short = contest([*LESS[:7], math.nan], MOST[:8], "lower")
    assert (short.beyond, estimate(short).n, outcome_of(short)) == (set(), 7, "supported")
