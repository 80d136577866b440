"""Verdicts without one seed at a time."""

from __future__ import annotations

from collections.abc import Sequence

from genbench.core.claim import Outcome
from genbench.core.effect import Effect
from genbench.statistics.contests import LEAST
from genbench.statistics.looks import Looks
from genbench.statistics.subsets import keep_seeds
from genbench.statistics.verdicts import judge


def leave_one_out(
    effects: Sequence[Effect], *, refutes: bool = True, looks: Looks | None = None
) -> dict[int, Outcome]:
    """Returns, by seed, the verdict without that seed: one that depends on a single seed is shown so.

    Nothing is returned where too few would be left to decide anything.
    """
    seeds = sorted({seed for effect in effects if effect.judged for seed in effect.values})
    if len(seeds) <= LEAST:
        return {}
    rests = {seed: [other for other in seeds if other != seed] for seed in seeds}
    return {
        seed: judge([keep_seeds(e, rest) for e in effects], refutes=refutes, looks=looks).outcome
        for seed, rest in rests.items()
    }
