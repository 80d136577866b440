"""Verdicts without one seed at a time."""

from __future__ import annotations

from collections.abc import Sequence

from genbench.core.claim import Outcome
from genbench.core.effect import Effect
from genbench.statistics.contests import LEAST
from genbench.statistics.looks import Looks
from genbench.statistics.subsets import drop_seed
from genbench.statistics.verdicts import judge


def leave_one_out(
    effects: Sequence[Effect], *, refutes: bool = True, looks: Looks | None = None
) -> dict[int, Outcome]:
    """Returns, by seed, the verdict without that seed: one that depends on a single seed is shown so.

    It is judged at the same looks, each with one seed fewer. Nothing is returned where too few would be left
    to decide anything.
    """
    seeds = sorted({seed for effect in effects if effect.judged for seed in effect.values})
    if len(seeds) <= LEAST:
        return {}
    return {
        seed: judge([drop_seed(e, seed) for e in effects], refutes=refutes, looks=looks).outcome
        for seed in seeds
    }
