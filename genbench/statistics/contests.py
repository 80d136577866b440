"""Intervals of the best of one side against the best of the other, and of single effects."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import replace
from typing import Any

from genbench.core.effect import Contest, Effect, Scores, Values, fill_failed, fill_row, noise_of
from genbench.core.rare import rare_of
from genbench.statistics.flattered import OpenEnd
from genbench.statistics.intervals import LEVEL, Estimate, find_unit
from genbench.statistics.moments import RowMoments, are_equal, mean_arms, moderate, summarise
from genbench.statistics.rooms import find_rooms

#: fewer seeds than this decide nothing: no rank test of five reaches 5 %
LEAST = 6


def estimate(effect: Effect, level: float = LEVEL, open_ends: Container[OpenEnd] = ()) -> Estimate:
    """Returns an effect's mean over seeds with its interval at a level.

    It is Student's interval of one row of values, or Welch's where the best of two sides are compared, with
    a longer arm on the side where values are drawn out (`mean_arms`); wider by what more seeds do not reduce
    (`Noise`), by a rare event that so few seeds need not show (`jump`, or of the family: `RareEvent`), and
    never narrower than the measure's resolution allows. A seed that failed counts as the worst of all that
    completed. An exact effect is its own interval. Values that are all equal have an
    interval without width, since nothing says how far another seed would be, unless the measure's
    resolution is known.

    Arguments:
        effect: The effect.
        level: The two-sided coverage.
        open_ends: Ends of a contest's pairs that may lie anywhere (`find_unbounded`, `flattered`).
    """
    effect, unit = scale_down(effect)
    contest = find_contest(effect)
    interval = (
        _estimate_row(effect, level)
        if contest is None
        else compare_sides(effect, contest, level, open_ends)
    )
    numbers = (interval.mean, interval.low, interval.high)
    mean, low, high = (None if number is None else number * unit for number in numbers)
    return replace(interval, mean=mean, low=low, high=high)


def scale_down(effect: Effect) -> tuple[Effect, float]:
    """Returns an effect with its contest in a unit in which sums do not overflow, and that unit.

    It is 1 but for values as huge as a diverging model's.
    """
    contest = find_contest(effect)
    sides = [{"": effect.values}] if contest is None else contest.sides
    unit = find_unit([v for side in sides for row in side.values() for v in row.values()])
    if unit == 1:
        return effect, unit

    def shrink(row: Values) -> Scores:
        marks: dict[str, Any] = {n: getattr(row, n, ()) for n in ("beyond", "failed")}
        marks["rare"] = [event.shrunk(unit) for event in rare_of(row)]
        return Scores({seed: v / unit for seed, v in row.items()}, noise_of(row) / unit, **marks)

    if contest is not None:
        ours, theirs = ({n: shrink(row) for n, row in side.items()} for side in contest.sides)
        contest = replace(contest, sides=(ours, theirs))
    sizes = {name: getattr(effect, name) / unit for name in ("bar", "resolution", "jump")}
    return replace(effect, values=shrink(effect.values), contest=contest, **sizes), unit


def _estimate_row(effect: Effect, level: float) -> Estimate:
    """The interval of one row of values."""
    values = fill_row(effect.values)
    if not values:
        return Estimate(0)
    row = summarise(values, effect.resolution)
    equal = row.n < 2 or are_equal(list(values.values()))
    if equal and (effect.exact or (row.n > 1 and not effect.resolution)):
        return Estimate(row.n, row.mean, row.mean, row.mean, "constant")
    if row.n < 2:
        return Estimate(row.n, row.mean)
    below, above = mean_arms((row,), noise_of(effect.values), level)
    rooms = find_rooms(effect.values, jump=effect.jump, seeds=row.n)
    low, high = row.mean - below - rooms[0], row.mean + above + rooms[1]
    return Estimate(row.n, row.mean, low, high, "constant" if equal else "t")


def summarise_row(effect: Effect) -> RowMoments | None:
    """Returns the moments of one row of values, failures filled in, or None where no seed completed."""
    values = fill_row(effect.values)
    return summarise(values, effect.resolution) if values else None


def find_contest(effect: Effect) -> Contest | None:
    """Returns the contest that an effect's values are of; a difference of independent rows is one, too."""
    if effect.contest is not None:
        return effect.contest if any(effect.contest.sides) else None
    sides = getattr(effect.values, "sides", None)
    if sides is None or not all(sides):
        return None
    noise = noise_of(effect.values)
    ours, theirs = (Scores(row, noise, rare=rare_of(row)) for row in sides)
    return Contest("ours", "theirs", {}, ({"ours": ours}, {"theirs": theirs}))


def compare_sides(
    effect: Effect,
    contest: Contest,
    level: float = LEVEL,
    open_ends: Container[OpenEnd] = (),
) -> Estimate:
    """Returns the interval of our best less their best, both chosen by the same data.

    Below: one of ours beats all of theirs, by Welch's intervals each with Bonferroni's level for the choice
    among ours; there is none for theirs, since all of them have to be beaten. Above: the same from their
    side. Seeds of independent rows are not paired, and the variances of rows lean on each other as far as
    they are alike (`moderate`); rows whose seeds share data are compared seed by seed.

    References:
        | Multiparameter Hypothesis Testing and Acceptance Sampling (Berger, 1982), for the intersection

    Arguments:
        effect: The effect.
        contest: Its contest.
        level: The two-sided coverage.
        open_ends: Ends of pairs that may lie anywhere.
    """
    ours, theirs = summarise_sides(effect, contest)
    paired = {} if contest.independent else compare_pairs(effect, contest)
    n = min((m.n for side in (ours, theirs) for m in side.values()), default=0)
    if contest.ours not in ours or contest.theirs not in theirs:
        return Estimate(n)
    mean = ours[contest.ours].mean - theirs[contest.theirs].mean
    if n < LEAST:
        return Estimate(n, mean)
    noise = noise_between(contest)

    def arms(a: str, b: str, choices: int) -> tuple[float, float]:
        rows = (paired[a, b],) if paired else (ours[a], theirs[b])
        below, above = mean_arms(rows, noise, 1 - (1 - level) / choices)
        rooms = find_rooms(contest.sides[0][a], contest.sides[1][b], jump=effect.jump)
        return (
            math.inf if (a, b, -1) in open_ends else below + rooms[0],
            math.inf if (a, b, 1) in open_ends else above + rooms[1],
        )

    def gap(a: str, b: str) -> float:
        return ours[a].mean - theirs[b].mean

    low = max(min(gap(a, b) - arms(a, b, len(ours))[0] for b in theirs) for a in ours)
    high = min(max(gap(a, b) + arms(a, b, len(theirs))[1] for a in ours) for b in theirs)
    return Estimate(n, mean, low, high, "welch")


def find_unbounded(effect: Effect, contest: Contest) -> set[OpenEnd]:
    """Returns both ends of pairs whose difference may be anything, as values all equal show no spread.

    Those are the values of either row, failures filled in, or the differences where seeds share data. There
    are no such pairs where the measure's resolution is known; a row that failed throughout is known to be
    worst.
    """
    if effect.resolution:
        return set()
    if not contest.independent:
        gaps = _list_gaps(contest)
        pairs = {pair for pair, gap in gaps.items() if are_equal(list(gap.values()))}
    else:
        filled = fill_failed(*contest.sides)
        equal = [
            {
                name
                for name, row in rows.items()
                if are_equal(list(row.values())) and any(map(math.isfinite, side[name].values()))
            }
            for side, rows in zip(contest.sides, filled, strict=True)
        ]
        ours, theirs = filled
        pairs = {(a, b) for a in ours for b in theirs if a in equal[0] or b in equal[1]}
    return {(*pair, side) for pair in pairs for side in (-1, 1)}


def summarise_sides(effect: Effect, contest: Contest) -> list[dict[str, RowMoments]]:
    """Returns the moments of both sides' rows, failures filled in and variances moderated.

    Rows that failed throughout say nothing of how others vary.
    """
    sides = [
        {name: summarise(row, effect.resolution) for name, row in side.items()}
        for side in fill_failed(*contest.sides)
    ]
    places = [
        (k, name)
        for k, side in enumerate(sides)
        for name in side
        if any(map(math.isfinite, contest.sides[k][name].values()))
    ]
    moderated = moderate([sides[k][name] for k, name in places])
    for (k, name), moments in zip(places, moderated, strict=True):
        sides[k][name] = moments
    return sides


def all_failed(effect: Effect) -> bool:
    """Returns whether seeds were tried, on both sides of a contest, and none completed."""
    contest = find_contest(effect)
    sides = [{"": effect.values}] if contest is None else contest.sides
    rows = [[v for row in side.values() for v in row.values()] for side in sides]
    return all(rows) and not any(math.isfinite(v) for row in rows for v in row)


def compare_pairs(effect: Effect, contest: Contest) -> dict[tuple[str, str], RowMoments]:
    """Returns the moments of every pair's differences by seed, where seeds share data."""
    gaps = _list_gaps(contest)
    return {pair: summarise(gap, effect.resolution) for pair, gap in gaps.items()}


def _list_gaps(contest: Contest) -> dict[tuple[str, str], Values]:
    """Every pair's differences by seed, failures filled in."""
    ours, theirs = fill_failed(*contest.sides)
    return {
        (a, b): {s: x[s] - y[s] for s in x if s in y}
        for a, x in ours.items()
        for b, y in theirs.items()
    }


def noise_between(contest: Contest) -> float:
    """Returns the standard deviation that more seeds cannot reduce, the largest of a contest's rows."""
    return max((noise_of(row) for side in contest.sides for row in side.values()), default=0.0)
