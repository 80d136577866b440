"""Rates of wrong verdicts where one run of a family in many fails, and what room for that costs."""

from __future__ import annotations

import numpy as np
from judge_rows import LOOKS, Row, contest_of, make_row
from judge_skew import as_row

from genbench.core.effect import Effect, Scores
from genbench.core.rare import RareEvent
from genbench.statistics.decisions import decide, outcome_of
from genbench.statistics.looks import Looks

#: how far an event moves a seed, in standard deviations, and which share of a family's runs have one, as FIDs
#: of GANs have (`baselines/rare_events.json`)
FAMILIES = ((20.0, 0.012), (20.0, 0.035), (100.0, 0.035))
#: how sizes of events vary and how unlike models are: the first is what the rule takes them for
ALIKE, OTHERS = ("alike", 0.5), (("exponential", 0.5), ("alike", 0.2), ("alike", 2.0))
NONE, TAKEN = "seeds alone (before)", "the family's rare events (taken)"


def failing_contest(values, steady, share: float, size: float, known: bool) -> Effect:
    """A row whose runs may fail against a steady one; whether the family's share and size are known."""
    rare = [RareEvent(share, size, size, -1)] if known else []
    return contest_of({"a": Scores(as_row(values), rare=rare)}, {"v": as_row(steady)})


def wrong_verdicts(repeats: int) -> list[Row]:
    """Rows that rarely fail against steady ones of the same mean, up to 64 seeds."""
    table = []
    for planned in (8, 32):
        for size, share in FAMILIES:
            case = f"{planned} to 64 seeds: {share:.1%} of a family's runs fail, by {size:g} sd"
            for rule, known in ((NONE, False), (TAKEN, True)):
                said = _say(repeats, Looks(planned), size, share, ALIKE, known)
                table.append(make_row(case, rule, "error" if known else "shown", said))
    for sizes, unlike in OTHERS:
        said = _say(repeats, LOOKS, *FAMILIES[-1], (sizes, unlike), known=True)
        case = f"8 to 64 seeds: the same, events {sizes}, chances of models beta({unlike:g}, ·)"
        table.append(make_row(case, TAKEN, "error", said))
    return table


def _say(
    repeats: int, looks: Looks, size: float, share: float, kind: tuple[str, float], known: bool
) -> list[str]:
    rng, said, (sizes, unlike) = np.random.default_rng(31), [], kind
    for _ in range(repeats):
        chance = rng.beta(unlike, unlike * (1 - share) / share)
        drawn = rng.exponential(size=64) if sizes == "exponential" else np.ones(64)
        failing = rng.normal(size=64) - size * drawn * (rng.random(64) < chance)
        steady = rng.normal(size=64) - size * chance
        effect = failing_contest(failing, steady, share, size, known)
        said.append(decide([effect], looks)[0][0])
    return said


def power(repeats: int) -> list[Row]:
    """Normal values of a family that rarely fails, 3 sd above another: what the room costs."""
    rng, (size, share) = np.random.default_rng(32), FAMILIES[0]
    draws = [(3 + rng.normal(size=8), rng.normal(size=8)) for _ in range(repeats)]
    table = []
    for rule, known in ((NONE, False), (TAKEN, True)):
        effects = [failing_contest(*pair, share, size, known) for pair in draws]
        said = [outcome_of(effect, LOOKS.level(0)) for effect in effects]
        case = f"n = 8, first of four looks: 3 sd apart, {share:.1%} of a family's runs fail, by {size:g} sd"
        table.append(make_row(case, rule, "shown", said))
    return table


def list_rows(repeats: int) -> list[Row]:
    """All of these."""
    return [*wrong_verdicts(repeats), *power(repeats)]
