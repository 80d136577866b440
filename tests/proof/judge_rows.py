"""What the simulations of verdicts share: planted rows, rates, and rows of the table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from genbench.core.effect import Effect, Scores, compare_best
from genbench.statistics.looks import Looks

SIX, FIVE = "abcdef", "vwxyz"
LOOKS = Looks(8)
#: what is asked of a row; power is asked where values are normal, as logarithms of distances nearly are
WANTS = {
    "error": "<= 5 % wrong",
    "refuted": "<= 5 % refuted",
    "supported": "<= 5 % supported",
    "power": ">= 90 % supported",
    "shown": "shown for comparison",
}
#: a verdict may be wrong so often
ALLOWED = 0.05
#: a part that is so clear is to be supported so often
POWER = 0.9
#: simulated claims a row, and of the paired bootstrap, which is slow
REPEATS, BOOTSTRAPPED = 2000, 300


@dataclass
class Row:
    """What share of simulated verdicts were supported and refuted, and how many there were."""

    case: str
    rule: str
    supported: float
    refuted: float
    repeats: int
    wants: str
    holds: bool


def make_row(case: str, rule: str, kind: str, outcomes: list[str]) -> Row:
    """Returns the row of simulated verdicts, of which something is asked (`WANTS`)."""
    repeats = len(outcomes)
    yes, no = (outcomes.count(what) / repeats for what in ("supported", "refuted"))
    errors = {"error": yes + no, "refuted": no, "supported": yes}
    holds = yes >= POWER if kind == "power" else errors.get(kind, 0.0) <= find_limit(repeats)
    return Row(case, rule, yes, no, repeats, WANTS[kind], holds)


def find_limit(repeats: int) -> float:
    """The largest simulated rate that may still be one of 5 %: that and two of its standard errors."""
    return ALLOWED + 2 * math.sqrt(ALLOWED * (1 - ALLOWED) / repeats)


def draw_rows(rng, names, seeds, shift=0.0, spreads=None, shape="normal"):
    """Rows of normal or skewed values of mean `shift` and standard deviation 1 (or `spreads`)."""
    rows = {}
    for k, name in enumerate(names):
        if shape == "normal":
            values = rng.normal(size=seeds)
        else:  # log-normal of sigma 0.5, standardised: skewness 1.75
            raw = np.exp(0.5 * rng.normal(size=seeds))
            values = (raw - math.exp(0.125)) / math.sqrt((math.exp(0.25) - 1) * math.exp(0.25))
        rows[name] = dict(
            enumerate((shift + values * (spreads or [1.0])[k % len(spreads or [1])]).tolist())
        )
    return rows


def contest_of(ours, theirs, bar=0.0, **about) -> Effect:
    # rows of cells, whose seeds share nothing
    ours, theirs = (
        {
            n: Scores(
                row, getattr(row, "noise", 0.0), independent=True, rare=getattr(row, "rare", ())
            )
            for n, row in side.items()
        }
        for side in (ours, theirs)
    )
    gap = compare_best(ours, theirs, "higher")
    return Effect("gap", gap.values, bar, contest=gap, **about)
