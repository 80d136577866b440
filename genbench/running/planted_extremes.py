"""What a claim makes of made-up numbers out of the ordinary: failures, gaps, other signs and sizes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field

from genbench.core.claim import Claim, Run
from genbench.core.effect import Effect, Scores
from genbench.core.spec import canonical
from genbench.running.claim_cells import find_column
from genbench.running.planted import (
    DIGITS,
    SEEDS,
    UNREADABLE,
    PlantedEvidence,
    hash_text,
    list_rows,
    list_shares,
    make_rare,
    read_planted,
    write_values,
)
from genbench.statistics.looks import LAST


@dataclass(frozen=True)
class Plant:
    """One way to make numbers up.

    Arguments:
        exponents: Between which powers of ten their sizes lie.
        negative: The share of negative numbers.
        failed: The share of seeds that are infinite, on the side that is worse.
        wholly: The share of columns all of whose seeds are.
        absent: The share of seeds without a number.
        seeds: How many seeds.
        factor: On all numbers.
    """

    exponents: tuple[float, float] = (-1.3, 1.0)
    negative: float = 0.0
    failed: float = 0.0
    wholly: float = 0.0
    absent: float = 0.0
    seeds: int = SEEDS
    factor: float = 1.0


#: by name, hashed into registrations: another set needs another field there
PLANTS: Mapping[str, Plant] = {
    "shares of which some failed": Plant((-1.3, 0.0), failed=0.3),
    "numbers of which some failed": Plant(failed=0.3),
    "some failed wholly": Plant(wholly=0.4),
    "some absent": Plant(absent=0.3),
    "negative": Plant((-2.0, 2.0), negative=1.0),
    "of both signs": Plant((-2.0, 2.0), negative=0.5),
    "tiny": Plant((-9.0, -1.3)),
    "large": Plant((0.9, 9.0)),
    "many": Plant(seeds=LAST),
    "all equal": Plant((0.0, 0.0)),
    "all zero": Plant(factor=0.0),
}


@dataclass
class ExtremeEvidence(PlantedEvidence):
    """Evidence whose numbers are made up in one of these ways.

    Arguments:
        plant: The way.
    """

    plant: Plant = field(default_factory=Plant)

    def scores(self, run: Run, column: str) -> Scores:
        """Returns numbers of a run's column."""
        own = self._plant(_worse_side(run, column), self._name(run), column)
        about = canonical(astuple(self.plant)), self._name(run), column
        noise, rare = self._make_noise(*about), make_rare(*about)
        return Scores(own, noise, independent=run.labelled is None, origin=run, rare=rare)

    def finished(self, run: Run) -> list[int]:
        """Returns all seeds."""
        return list(range(self.plant.seeds))

    def measured(self, column: str) -> dict[int, float]:
        """Returns numbers of the experiment's column."""
        side = 1.0 if list_shares("its experiment", column)[0] < 0.5 else -1.0
        return self._plant(side, "its experiment", column)

    def _plant(self, side: float, *about: str) -> dict[int, float]:
        plant = self.plant
        if list_shares(*about)[1] < plant.wholly:
            return dict.fromkeys(range(plant.seeds), side * math.inf)
        values = {}
        low, high = plant.exponents
        for seed in range(plant.seeds):
            size, sign, failed, absent = list_shares(*about, str(seed))
            if absent >= plant.absent:
                own = math.copysign(10 ** (low + (high - low) * size), sign - plant.negative)
                values[seed] = side * math.inf if failed < plant.failed else plant.factor * own
        return values


def hash_extremes(claim: Claim, count: int) -> list[str]:
    """Returns, for each of so many judged parts, 12 digits of a hash of what it makes of all these numbers.

    Its bar and side are among that: a claim may look at its evidence before it sets them.
    """
    rows = {name: _describe_all(effects) for name, effects in read_extremes(claim).items()}
    return [
        hash_text({name: parts[k] if k < len(parts) else "none" for name, parts in rows.items()})
        for k in range(count)
    ]


def read_extremes(claim: Claim) -> dict[str, list[Effect] | None]:
    """Returns a claim's judged effects by each of these ways, None where it makes nothing of such numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of infinite numbers less infinite ones
        return {
            name: read_planted(claim, ExtremeEvidence(claim.runs, plant=plant))
            for name, plant in PLANTS.items()
        }


def _describe_all(effects: Sequence[Effect] | None) -> list[str]:
    return [UNREADABLE] if effects is None else [_describe(effect) for effect in effects]


def _describe(effect: Effect) -> str:
    rows = list_rows(effect, write_values)
    return canonical([rows, f"{effect.bar:.{DIGITS}g}", effect.wanted])


def _worse_side(run: Run, column: str) -> float:
    """On which side what failed is infinite, upwards where none is better."""
    about = find_column(run, column)
    return -1.0 if about is not None and about.better == "higher" else 1.0
