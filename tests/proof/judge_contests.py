"""Six entrants against five: rates of verdicts by the rule that is taken and by two that were not."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from judge_rows import BOOTSTRAPPED, FIVE, LOOKS, SIX, Row, contest_of, draw_rows, make_row

from genbench.core.effect import Effect, fill_failed
from genbench.statistics.decisions import outcome_of
from genbench.statistics.intervals import mean_interval
from genbench.statistics.moments import summarise

#: by how much the four weakest of theirs are far below
FAR = 40
UNEVEN = (0.2, 1.0, 5.0)
#: by case: by how much one of ours is better, spreads, shape, whether four of theirs are far below, and what
#: is asked
CASES = {
    "ours alike, one of theirs as good, four far below": (0.0, None, "normal", True, "error"),
    "the same, skewed": (0.0, None, "skewed", True, "error"),
    "the same, spreads 1:5:25": (0.0, UNEVEN, "normal", True, "error"),
    "all alike": (0.0, None, "normal", False, "error"),
    "one of ours 3 sd above all": (3.0, None, "normal", False, "power"),
    "one of ours 3 sd above all, skewed": (3.0, None, "skewed", False, "shown"),
}


def by_pairs(effect: Effect, level: float) -> str:
    """The contest as it was: seeds paired, bootstrap-t of every pair, Bonferroni's level for the choice."""
    contest = effect.contest
    ours, theirs = ({pair[k] for pair in contest.pairs} for k in (0, 1))

    def end(pairs, choices, which):
        rows = [list(contest.pairs[pair].values()) for pair in pairs]
        return [getattr(mean_interval(r, level=1 - (1 - level) / choices), which) for r in rows]

    low = min(end([(contest.ours, b) for b in theirs], len(ours), "low"))
    high = max(end([(a, contest.theirs) for a in ours], len(theirs), "high"))
    return "supported" if low > effect.bar else "refuted" if high < effect.bar else "inconclusive"


def by_pool(effect: Effect, level: float) -> str:
    """Student's t with one spread pooled over all entrants, Dunnett's quantile for the choice."""
    sides = fill_failed(*effect.contest.sides)
    moments = [{n: summarise(row) for n, row in side.items()} for side in sides]
    every = [m for side in moments for m in side.values()]
    freedom = sum(m.n - 1 for m in every)
    pooled = sum(m.variance * (m.n - 1) for m in every) / freedom

    def beats(ours, theirs, bar):
        critical = dunnett_quantile(len(ours), freedom, (1 - level) / 2)
        error = critical * math.sqrt(pooled * 2 / min(m.n for m in every))
        return (
            max(min(a.mean - b.mean for b in theirs.values()) for a in ours.values()) - error > bar
        )

    if beats(moments[0], moments[1], effect.bar):
        return "supported"
    return "refuted" if beats(moments[1], moments[0], -effect.bar) else "inconclusive"


QUANTILES: dict[tuple[int, int, float], float] = {}


def dunnett_quantile(choices: int, freedom: int, alpha: float) -> float:
    """Dunnett's one-sided quantile for equal sizes, by simulation of its own (a million draws)."""
    key = (choices, freedom, alpha)
    if key not in QUANTILES:
        rng = np.random.default_rng(5)
        z = rng.normal(size=(10**6, choices)) + rng.normal(size=(10**6, 1))
        largest = z.max(1) / math.sqrt(2) / np.sqrt(rng.chisquare(freedom, 10**6) / freedom)
        QUANTILES[key] = float(np.quantile(largest, 1 - alpha))
    return QUANTILES[key]


RULES: dict[str, Callable[[Effect, float], str]] = {
    "paired bootstrap-t (before)": by_pairs,
    "pooled t, Dunnett": by_pool,
    "Welch, moderated (taken)": outcome_of,
}


def draw_contest(rng, seeds, shift, spreads, shape, weak) -> Effect:
    """Draws rows of both sides; the first of ours is better by a shift."""
    ours = draw_rows(rng, SIX, seeds, 0.0, spreads, shape)
    ours |= draw_rows(rng, SIX[:1], seeds, shift, spreads, shape)
    theirs = draw_rows(rng, FIVE, seeds, 0.0, spreads, shape)
    if weak:
        theirs |= {n: {s: v - FAR for s, v in theirs[n].items()} for n in FIVE[1:]}
    return contest_of(ours, theirs)


def list_rows(repeats: int, seeds: int = 8) -> list[Row]:
    """All cases by all rules, each alone and at a first look."""
    table = []
    for case, (*about, kind) in CASES.items():
        for rule, decide_by in RULES.items():
            slow = decide_by is by_pairs
            for level, at in ((0.95, "alone"), (LOOKS.level(0), "first of four looks")):
                if slow and at != "alone":
                    continue
                rng = np.random.default_rng(1)
                outcomes = [
                    decide_by(draw_contest(rng, seeds, *about), level)
                    for _ in range(min(repeats, BOOTSTRAPPED) if slow else repeats)
                ]
                words = f"6 against 5, n = {seeds}: {case}", f"{rule}, {at}"
                table.append(make_row(*words, kind, outcomes))
    return table
