"""Rates of wrong verdicts where a skewed wide row meets a tight one or runs rarely fail, and power beside."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from judge_rows import ALLOWED, FIVE, LOOKS, SIX, Row, contest_of, make_row
from scipy import stats

from genbench.core.effect import Effect, Scores, compare_best
from genbench.statistics.decisions import decide, outcome_of
from genbench.statistics.ranking import make_ranking

#: log-normal of sigma 1: of skewness 6.2, which eight values show less than a fifth of
SHAPES = ("exponential", "log-normal")
TAKEN, BEFORE = "room for skewness (taken)", "Student's or Welch's t (before)"


def standard(rng: np.random.Generator, shape: str, n: int) -> np.ndarray:
    """Values of mean 0 and standard deviation 1."""
    if shape == "exponential":
        return rng.exponential(size=n) - 1
    if shape == "log-normal":
        return (rng.lognormal(size=n) - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e)
    return rng.normal(size=n)


def as_row(values: np.ndarray) -> dict[int, float]:
    return dict(enumerate(values.tolist()))


def duel(ours: np.ndarray, theirs: np.ndarray, **about) -> Effect:
    return contest_of({"a": as_row(ours)}, {"v": as_row(theirs)}, **about)


def paired_duel(ours: np.ndarray, theirs: np.ndarray) -> Effect:
    gap = compare_best({"a": Scores(as_row(ours))}, {"v": Scores(as_row(theirs))}, "higher")
    return Effect("gap", gap.values, contest=gap)


def before(p: np.ndarray) -> list[str]:
    """What p-values of a t test say; on which side is of no account here."""
    return ["supported" if value < ALLOWED else "inconclusive" for value in p]


def tight_against_wide(repeats: int) -> list[Row]:
    """Equal means; the wider row is skewed."""
    table = []
    for shape in SHAPES:
        kind = "error" if shape == "exponential" else "shown"
        for n, ratio in ((8, 3), (8, 10), (16, 10), (64, 10)):
            rng = np.random.default_rng(21)
            draws = [(rng.normal(size=n), ratio * standard(rng, shape, n)) for _ in range(repeats)]
            case = f"one against one, n = {n}: spreads 1:{ratio}, the wide one {shape}"
            a, b = (np.stack(side) for side in zip(*draws, strict=True))
            p = stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue
            table.append(make_row(case, BEFORE, "shown", before(p)))
            table.append(make_row(case, TAKEN, kind, [outcome_of(duel(*pair)) for pair in draws]))
    return table


def say_looks(rng: np.random.Generator, shape: str) -> str:
    wide = 3 * standard(rng, shape, 64)
    return decide([duel(rng.normal(size=64), wide)], LOOKS)[0][0]


def say_row(rng: np.random.Generator, shape: str) -> str:
    return decide([Effect("mean", as_row(standard(rng, shape, 64)))], LOOKS)[0][0]


def say_pair(rng: np.random.Generator, shape: str) -> str:
    wide = 3 * standard(rng, shape, 8)
    return outcome_of(paired_duel(rng.normal(size=8), wide))


def say_ranks(rng: np.random.Generator, shape: str, tight: int) -> str:
    rows = [15 * standard(rng, shape, 8), *rng.normal(size=(tight, 8))]
    found = make_ranking({str(k): as_row(row) for k, row in enumerate(rows)}, "higher")
    return "supported" if any(found.above.values()) else "inconclusive"


def other_comparisons(repeats: int) -> list[Row]:
    """The same in looks, pair by pair, of one row and in ranks."""
    cases = {
        "up to 64 seeds: one against one, spreads 1:3, the wide one {}": say_looks,
        "up to 64 seeds: one row, {}": say_row,
        "pair by pair, n = 8: spreads 1:3, the wide one {}": say_pair,
        "ranks of two, n = 8: spreads 1:15, the wide one {}": partial(say_ranks, tight=1),
        "ranks of ten, n = 8: spreads 1:15, the wide one {}": partial(say_ranks, tight=9),
    }
    table = []
    for shape in SHAPES:
        kind = "error" if shape == "exponential" else "shown"
        for case, say in cases.items():
            rng = np.random.default_rng(22)
            said = [say(rng, shape) for _ in range(repeats)]
            table.append(make_row(case.format(shape), TAKEN, kind, said))
    return table


def best_of_many(repeats: int) -> list[Row]:
    """Six alike against five of which one is as good, skewed and wide, and four are far below."""
    table = []
    for shape in SHAPES:
        for ratio in (3, 10):
            rng, said = np.random.default_rng(23), {0.95: [], LOOKS.level(0): []}
            for _ in range(repeats):
                ours = {name: as_row(rng.normal(size=8)) for name in SIX}
                theirs = {name: as_row(rng.normal(size=8) - 60) for name in FIVE}
                theirs[FIVE[0]] = as_row(ratio * standard(rng, shape, 8))
                for level, outcomes in said.items():
                    outcomes.append(outcome_of(contest_of(ours, theirs), level))
            case = f"6 against 5, n = 8: their best {shape}, {ratio} times as wide"
            for level, at in ((0.95, "alone"), (LOOKS.level(0), "first of four looks")):
                kind = "error" if shape == "exponential" and at != "alone" else "shown"
                table.append(make_row(case, f"{TAKEN}, {at}", kind, said[level]))
    return table


def rare_failures(repeats: int) -> list[Row]:
    """One run of ten fails, by ten where others vary by .1; and outcomes that are 0 or 1."""
    table = []
    for rule, jump in (("no jump declared", 0.0), ("its size declared as jump (taken)", 10.0)):
        rng, said = np.random.default_rng(24), []
        for _ in range(repeats):
            failing = 0.1 * rng.normal(size=64) - 10.0 * (rng.random(64) < 0.1)
            steady = 0.1 * rng.normal(size=64) - 1
            said.append(decide([duel(failing, steady, jump=jump)], LOOKS)[0][0])
        case = "up to 64 seeds: one run of ten fails, by 10, against a steady row of the same mean"
        table.append(make_row(case, rule, "error" if jump else "shown", said))
    for rule, about in (
        ("no resolution declared", {}),
        ("resolution of 1 declared (taken)", {"resolution": 1.0}),
    ):
        rng, said = np.random.default_rng(25), []
        for _ in range(repeats):
            outcomes, steady = (rng.random(8) < 0.9) * 1.0, 0.9 + 0.01 * rng.normal(size=8)
            said.append(outcome_of(duel(outcomes, steady, **about)))
        case = "n = 8: outcomes of 0 or 1, of mean .9, against a steady .9"
        table.append(make_row(case, rule, "error" if about else "shown", said))
    return [*table, *shares(repeats)]


def shares(repeats: int) -> list[Row]:
    """Shares of runs on their bars, of outcomes that are 0 or 1: rarely all alike, and then no proof."""
    table = []
    for seeds, chance in ((8, 0.9), (8, 0.75), (8, 0.65), (16, 0.85), (32, 0.92)):
        rng, said = np.random.default_rng(27), []
        for _ in range(repeats):
            row = dict(enumerate(((rng.random(seeds) < chance) * 1.0).tolist()))
            said.append(outcome_of(Effect("share", row, chance, resolution=1.0)))
        case = f"n = {seeds}: share of outcomes of 0 or 1, {chance:g}, on its bar"
        table.append(make_row(case, "resolution of 1 declared (taken)", "error", said))
    return table


def power(repeats: int) -> list[Row]:
    """Normal values, one against one: what the room for skewness costs."""
    table = []
    for shift in (2, 3):
        rng = np.random.default_rng(26)
        draws = [(shift + rng.normal(size=8), rng.normal(size=8)) for _ in range(repeats)]
        case = f"one against one, n = 8, normal: {shift} sd apart"
        a, b = (np.stack(side) for side in zip(*draws, strict=True))
        p = stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue
        table.append(make_row(case, f"{BEFORE}, alone", "shown", before(p)))
        for level, at in ((0.95, "alone"), (LOOKS.level(0), "first of four looks")):
            said = [outcome_of(duel(*pair), level) for pair in draws]
            kind = "power" if shift == 3 else "shown"
            table.append(make_row(case, f"{TAKEN}, {at}", kind, said))
    return table


def list_rows(repeats: int) -> list[Row]:
    """All of these."""
    return [
        *tight_against_wide(repeats),
        *other_comparisons(repeats),
        *best_of_many(repeats),
        *rare_failures(repeats),
        *power(repeats),
    ]
