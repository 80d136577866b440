"""What the intervals of a claim's parts are made of beside values: noise, rare events, sides, pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genbench.core.claim import Claim
from genbench.core.effect import Effect, Values, noise_of
from genbench.core.rare import rare_of
from genbench.running.planted import (
    DIGITS,
    RANGES,
    UNREADABLE,
    PlantedEvidence,
    hash_text,
    read_planted,
    write_values,
)
from genbench.running.planted_extremes import read_extremes


def hash_intervals(claim: Claim, count: int) -> list[str]:
    """Returns, for each of so many judged parts, 12 digits of a hash of what its interval is made of.

    That are the noise of test sets, rare events, the rows that are compared, whether seed by seed, and
    values that lie beyond what they count as, of ordinary numbers and of those out of the ordinary.
    """
    rows = [_describe_all(effects) for effects in _read(claim)]
    return [
        hash_text([parts[k] if k < len(parts) else "none" for parts in rows]) for k in range(count)
    ]


def _read(claim: Claim) -> Iterator[list[Effect] | None]:
    for span in RANGES:
        yield read_planted(claim, PlantedEvidence(claim.runs, span))
    yield from read_extremes(claim).values()


def _describe_all(effects: list[Effect] | None) -> list[Any]:
    return [UNREADABLE] if effects is None else [_describe(effect) for effect in effects]


def _describe(effect: Effect) -> list[Any]:
    values, contest = effect.values, effect.contest
    if contest is None:
        sides = getattr(values, "sides", None) or ()
        return [_describe_row(values), [write_values(row) for row in sides]]
    return [contest.independent, *(sorted(map(_describe_row, s.values())) for s in contest.sides)]


def _describe_row(row: Values) -> list[Any]:
    rare = sorted([e.side, f"{e.plain:.{DIGITS}g}"] for e in rare_of(row))
    return [f"{noise_of(row):.{DIGITS}g}", write_values(row), _list_beyond(row), rare]


def _list_beyond(row: Values) -> list[list[int]]:
    return sorted([seed, side] for seed, side in getattr(row, "beyond", ()))
