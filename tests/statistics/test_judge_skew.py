"""The judge where values are skewed, spreads are uneven or scores are huge."""

import numpy as np
import pytest

from genbench.core.effect import Effect, Scores, compare_best, difference
from genbench.statistics.contests import LEAST
from genbench.statistics.decisions import decide
from genbench.statistics.looks import Looks
from genbench.statistics.moments import moderate, summarise
from genbench.statistics.verdicts import judge


def normal(seed, n=8, mean=0.0, sd=1.0):
    return dict(enumerate((mean + sd * np.random.default_rng(seed).normal(size=n)).tolist()))


def contest(ours, theirs):
    gap = compare_best(ours, theirs, "higher")
    return Effect("gap", gap.values, contest=gap)


def cells(values):
    return Scores(values, independent=True)


@pytest.mark.parametrize("compare", ["cells", "pairs", "one row"])
@pytest.mark.parametrize("looks", [None, Looks(8)])
def test_a_skewed_wide_row_is_rarely_told_from_a_tight_one_of_the_same_mean(compare, looks):
    rng, repeats = np.random.default_rng(11), 300
    said = []
    for _ in range(repeats):
        wide = dict(enumerate((rng.exponential(size=64 if looks else 8) - 1).tolist()))
        tight = {seed: 0.2 * rng.normal() for seed in wide}
        one = Effect("e", wide)
        if compare != "one row":
            wrap = cells if compare == "cells" else Scores
            one = contest({"a": wrap(tight)}, {"b": wrap(wide)})
        said.append(decide([one], looks)[0][0])
    assert 1 - said.count("inconclusive") / repeats <= 0.075


def test_a_wide_row_keeps_its_spread_among_tight_ones():
    rows = [summarise(normal(k)) for k in range(10)]
    wide = summarise({s: 9 * v for s, v in normal(10).items()})
    *_, last = moderate([*rows, wide])
    assert last.variance == pytest.approx(wide.variance)
    assert last.skewness == wide.skewness


@pytest.mark.parametrize("size", [1e160, 1e300])
def test_huge_scores_are_judged(size):
    rows = [{s: size * v for s, v in normal(k, 8, 9.0 * k).items()} for k in range(3)]
    tame = normal(5)
    effects = [
        Effect("row", rows[1], size),
        Effect("row", rows[1], 0.0, jump=size, resolution=size / 100),
        contest({"a": cells(rows[2])}, {"b": cells(rows[0]), "c": cells(tame)}),
        contest({"a": cells(rows[2])}, {"b": cells(rows[0]), "c": cells(rows[1])}),
        contest({"a": rows[2]}, {"b": rows[1]}),
        Effect("d", difference(cells(rows[1]), cells(tame))),
    ]
    for effect in effects:
        (part,) = judge([effect], looks=Looks(8)).parts
        assert part.outcome == "supported", effect
        assert part.needed == LEAST
    assert judge([contest({"a": cells(rows[0])}, {"b": cells(rows[0])})]).outcome == "inconclusive"
