"""Looks at growing numbers of seeds, and the levels that keep their errors together at 5 %."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

#: the chance of a wrong verdict, over all looks
ALPHA = 0.05
#: the number of seeds at which a claim is given up
LAST = 64
#: how early the errors are spent; chosen by simulation (`tests/proof/judge.py`)
GAMMA = 3.0
#: points of the grid on which the walk's density is kept
POINTS = 1201


@dataclass(frozen=True)
class Looks:
    """A declared sequence of looks: at `first` seeds, then at twice as many up to `last`.

    Arguments:
        first: The seeds that a claim plans.
        last: The most that are ever added.
    """

    first: int
    last: int = LAST

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of seeds at which it is judged."""
        counts = [self.first]
        while 0 < counts[-1] < self.last:
            counts.append(min(2 * counts[-1], self.last))
        return tuple(counts)

    def of(self, planned: int | None) -> Looks:
        """Returns those of a part that plans fewer seeds at first: its own first look comes earlier."""
        return self if planned is None else replace(self, first=min(planned, self.first))

    def level(self, look: int, alpha: float = ALPHA) -> float:
        """Returns the coverage, two-sided, of the interval that decides at a look, from 0 on."""
        return 1 - nominal_levels(self.counts, alpha)[look]


def spend(share: float, alpha: float = ALPHA, gamma: float = GAMMA) -> float:
    """Returns how much of the error may have been spent after a share of the seeds.

    References:
        | Group Sequential Designs Using a Family of Type I Error Probability Spending Functions
        | (Hwang, Shih and DeCani, 1990)

    Arguments:
        share: Of the seeds, in [0, 1].
        alpha: The error in all.
        gamma: 1 is near Pocock's spending, -4 near O'Brien and Fleming's; larger spends earlier.
    """
    if gamma == 0:
        return alpha * share
    return alpha * math.expm1(-gamma * share) / math.expm1(-gamma)


@lru_cache(maxsize=1024)
def nominal_levels(
    counts: tuple[int, ...], alpha: float = ALPHA, gamma: float = GAMMA
) -> tuple[float, ...]:
    """Returns the two-sided level of the test at every look, so that together they err with `alpha`.

    The walk of sums of seeds is followed from look to look by numerical integration, for normal values.

    References:
        | Discrete Sequential Boundaries for Clinical Trials (Lan and DeMets, 1983)
        | Repeated Significance Tests on Accumulating Data (Armitage, McPherson and Rowe, 1969)

    Arguments:
        counts: Seeds at every look, growing.
        alpha: The chance that any look errs.
        gamma: As for `spend`.
    """
    import numpy as np
    from scipy.optimize import brentq
    from scipy.special import ndtr

    levels: list[float] = []
    grid, mass, before, spent = np.zeros(1), np.ones(1), 0, 0.0
    for count in counts:
        target = spend(count / counts[-1], alpha, gamma) - spent
        step, root = math.sqrt(count - before), math.sqrt(count)

        def excess(z: float, walk: tuple[Any, ...] = (grid, mass, step, root, target)) -> float:
            grid, mass, step, root, target = walk
            tails = ndtr((grid - z * root) / step) + ndtr((-z * root - grid) / step)
            return float(mass @ tails) - target

        z = brentq(excess, 0.0, 12.0, xtol=1e-10)
        assert isinstance(z, float)
        levels.append(2 * float(ndtr(-z)))
        points = np.linspace(-z * root, z * root, POINTS)
        apart = (points[:, None] - grid) / step
        density = np.exp(-0.5 * apart**2) @ mass / (step * math.sqrt(2 * math.pi))
        weights = np.full(POINTS, points[1] - points[0])
        weights[[0, -1]] /= 2
        grid, mass, before, spent = points, density * weights, count, spent + target
    return tuple(levels)
