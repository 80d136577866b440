"""Effects: what a claim comes down to, one value per seed, and the arithmetic that leads there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from types import MappingProxyType
from typing import Any, Literal

from genbench.core.errors import ContractError
from genbench.core.noise import Noise, find_level, map_noise
from genbench.core.rare import RareEvent, rare_of

#: on which side of a bar a claim may hold, and which way a measure may be better
SIDES, DIRECTIONS = ("above", "below"), ("lower", "higher")

#: one value per seed; a seed that failed has an infinite one, on the side that is worse
Values = Mapping[int, float]


class Scores(dict[int, float]):
    """Values per seed that know where they come from.

    Arguments:
        values: The values.
        noise: A `Noise`, or once two models are compared a number on that scale.
        independent: Whether seeds of two models share nothing, as those of cells do, so that it says nothing
            that they have the same number. Seeds of an experiment share data, and are compared pair by pair.
        sides: Of a difference, the two rows that it is between, where they are independent.
        beyond: Seeds whose true value is not that which they count as, with the side on which it lies: the
            logarithm of what is not positive lies below all numbers, and what failed where no side is worse
            may lie anywhere.
        origin: What they were measured on. Two columns of one run are of the same samples, and compared seed
            by seed.
        failed: Of differences in which failures were filled in, the seeds that failed, with the side on which
            the true difference lies.
        rare: Events that any of the seeds may have, and few have.
    """

    def __init__(
        self,
        values: Values = MappingProxyType({}),
        noise: Noise | float = 0.0,
        *,
        independent: bool = False,
        sides: tuple[Values, Values] | None = None,
        beyond: Iterable[tuple[int, int]] = (),
        origin: object = None,
        failed: Iterable[tuple[int, int]] = (),
        rare: Iterable[RareEvent] = (),
    ) -> None:
        super().__init__(values)
        self.noise, self.independent, self.sides = noise, independent, sides
        self.beyond, self.origin = frozenset(beyond), origin
        self.failed = frozenset(failed)
        self.rare = tuple(rare)


@dataclass(frozen=True)
class Contest:
    """The best of one side against the best of the other.

    Arguments:
        ours: Who has our side's best mean, or "" without values.
        theirs: Who has the other's.
        pairs: For each of ours and theirs, by how much ours is better, one value per seed.
        sides: The rows of both sides, on the scale of the comparison, higher being better.
        independent: Whether seeds of different rows share nothing; else they are compared pair by pair.
        absent: Who has no value yet, where others have: who is best is not known without them.
    """

    ours: str
    theirs: str
    pairs: Mapping[tuple[str, str], Values]
    sides: tuple[Mapping[str, Values], Mapping[str, Values]] = ({}, {})
    independent: bool = True
    absent: tuple[str, ...] = ()

    @property
    def values(self) -> Values:
        """By how much our best is better than theirs."""
        return self.pairs.get((self.ours, self.theirs), {})

    @property
    def beyond(self) -> set[tuple[int, int]]:
        """The seeds of any row that lie beyond what they count as, and where that puts our advantage."""
        signs = zip((1, -1), self.sides, strict=True)
        rows = ((sign, row) for sign, side in signs for row in side.values())
        return {own for sign, row in rows for own in _beyond(row, sign)}

    @property
    def who(self) -> str:
        """Who they are, in brackets."""
        return f" ({self.ours} against {self.theirs})" if self.values else ""


@dataclass(frozen=True)
class Effect:
    """A measured effect, and the bar beyond which it supports the claim.

    Arguments:
        name: What it is, e.g. "fid of the best other family over that of the best GAN, log".
        values: One value per seed; none where nothing has been measured.
        bar: The smallest effect of interest: the claim holds on one side of it and not on the other.
        wanted: On which side of the bar the claim holds.
        unit: Of the values, "" for pure numbers.
        exact: The value is not random (a closed form, a count), so that one seed says all.
        judged: Whether the verdict rests on it; others are listed beside.
        contest: Where the values are of the best of several, all of them, so that the interval
            accounts for the choice.
        by_definition: It is true by construction, so that its measurement checks the code and is no
            evidence.
        resolution: The finest step that the measure can tell: values that agree are not taken to vary by
            less than a uniform error of that width.
        jump: How far a rare event may move one seed's value, e.g. all modes lost; intervals leave room
            for one that so few seeds need not show.
        data: The data set that it was measured on, where a claim is read on several.
        tried: The seeds with which all that it reads was tried, whether they have a value or not; None where
            nobody says, which is taken as all up to the last value.
        planned: How many seeds what it reads plans at first, where that is less than its claim plans.
    """

    name: str
    values: Values
    bar: float = 0.0
    wanted: Literal["above", "below"] = "above"
    unit: str = ""
    exact: bool = False
    judged: bool = True
    contest: Contest | None = None
    by_definition: bool = False
    resolution: float = 0.0
    jump: float = 0.0
    data: str = ""
    tried: frozenset[int] | None = None
    planned: int | None = None

    def __post_init__(self) -> None:
        if self.wanted not in SIDES:
            raise ContractError(
                f"effect {self.name!r} needs wanted = 'above' or 'below', got {self.wanted!r}"
            )
        for name, least in (("bar", -math.inf), ("resolution", 0.0), ("jump", 0.0)):
            size = getattr(self, name)
            if not isinstance(size, Real) or not math.isfinite(size) or size < least:
                what = "a finite bar" if name == "bar" else f"a {name} of 0 or more"
                raise ContractError(f"effect {self.name!r} needs {what}, got {size!r}")
        if not isinstance(self.values, Mapping) or not all(
            isinstance(value, Real) for value in self.values.values()
        ):
            raise ContractError(
                f"effect {self.name!r} needs values by seed, {{seed: number}}, got {self.values!r}"
            )

    @property
    def tried_seeds(self) -> frozenset[int]:
        """The seeds with which it was tried, as far as that is known."""
        if self.tried is not None:
            return self.tried
        return frozenset(range(max(self.values, default=-1) + 1))

    @property
    def beyond(self) -> set[int]:
        """The sides, -1 and 1, on which it may lie farther than its values say: no bar there is safe."""
        own = _beyond(self.values) if self.contest is None else self.contest.beyond
        return {side for _, side in own}

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Who of a contest has not been measured yet, so that nothing can be decided."""
        return self.contest.absent if self.contest is not None else ()


def match_effects(effects: Sequence[Effect], others: Sequence[Effect]) -> list[int | None]:
    """Returns for every effect the place of its counterpart among others, None where it has none.

    They are matched by place, as names may tell who is the best; by name where there are more or fewer.
    """
    if len(effects) == len(others):
        return list(range(len(effects)))
    places = {effect.name: k for k, effect in enumerate(others)}
    return [places.get(effect.name) for effect in effects]


def noise_of(values: Values) -> float:
    """Returns the standard deviation that more seeds cannot reduce, of an effect's values."""
    noise = getattr(values, "noise", 0.0)
    return noise if isinstance(noise, float) else 0.0


def difference(a: Values, b: Values) -> Scores:
    """Returns a - b over the seeds that both have, failures counted as `fill_failed` has it."""
    return _pairs(a, b, log=False)


def log_ratio(a: Values, b: Values) -> Scores:
    """Returns log(a / b) over the seeds that both have, failures likewise.

    What is not positive is less than all that is: it counts as the least that was measured, and `beyond`
    says so.
    """
    return _pairs(a, b, log=True)


def map_values(function: Callable[[float], float], values: Values) -> Scores:
    """Returns a function of every value, by seed."""
    mapped = {seed: function(value) for seed, value in values.items()}
    # whichever way the function goes
    beyond = {(seed, side) for seed, _ in _beyond(values) for side in (-1, 1)}
    way = _find_way(values, mapped)
    failed = {(seed, way * side) for seed, side in _failed(values) if way}
    failed |= {(seed, side) for seed, _ in _failed(values) for side in (-1, 1) if not way}
    about: dict[str, Any] = {"independent": _independent(values), "origin": _origin(values)}
    finite = [v for v in values.values() if math.isfinite(v)]
    noise = map_noise(function, finite, getattr(values, "noise", 0.0))
    about["rare"] = [event.mapped(function, finite, way) for event in rare_of(values)]
    return Scores(mapped, noise, beyond=beyond, failed=failed, **about)


def _find_way(before: Values, after: Values) -> int:
    """Whether a function rises over all of a row (1), falls (-1), or does neither (0)."""
    pairs = sorted((v, after[seed]) for seed, v in before.items() if math.isfinite(v))
    steps = [(b[0] - a[0]) * (b[1] - a[1]) for a, b in itertools.pairwise(pairs)]
    if len({value for value, _ in pairs}) < 2:
        return 0
    return 1 if min(steps) >= 0 else -1 if max(steps) <= 0 else 0


def compare_best(
    ours: Mapping[str, Values],
    theirs: Mapping[str, Values],
    better: Literal["lower", "higher"],
    *,
    log: bool = False,
) -> Contest:
    """Compares the best of one side with the best of the other; positive where ours is better.

    Arguments:
        ours: By name, one value per seed; rows without values wait, and nothing is decided without them.
        theirs: The other side's.
        better: Which way is better.
        log: Whether differences are of logarithms, so that they are ratios.
    """
    if better not in DIRECTIONS:
        raise ContractError(f"compare_best needs better = 'lower' or 'higher', got {better!r}")
    take = log_ratio if log else difference
    sign = 1.0 if better == "higher" else -1.0
    scaled = tuple({n: _scale(row, sign, log) for n, row in s.items()} for s in (ours, theirs))
    apart = all(_independent(row) for side in (ours, theirs) for row in side.values() if row)
    pairs = {
        (a, b): _scale(take(ours[a], theirs[b]), sign, log=False)
        for a in ours
        for b in theirs
        if ours[a] and theirs[b]
    }
    sides = fill_failed(*({n: row for n, row in side.items() if row} for side in scaled))
    absent = tuple(name for side in (ours, theirs) for name, row in side.items() if not row)
    one, other = (_best(filled or side) for filled, side in zip(sides, scaled, strict=True))
    return Contest(one, other, pairs, (scaled[0], scaled[1]), apart, absent if pairs else ())


def fill_failed(*sides: Mapping[str, Values]) -> list[dict[str, dict[int, float]]]:
    """Returns rows in which a seed that failed has the worst value that any completed seed has.

    Arguments:
        sides: Rows by name, failures infinite on the side that is worse; a failure is an event of the
            whole comparison's worst size, since nothing larger was measured. A row that failed throughout
            has the worst value in every seed, and there are no rows where all failed throughout.
    """
    finite = [
        v for side in sides for row in side.values() for v in row.values() if math.isfinite(v)
    ]
    if not finite:
        return [{} for _ in sides]
    low, high = min(finite), max(finite)
    return [
        {
            name: {seed: min(max(v, low), high) for seed, v in row.items()}
            for name, row in side.items()
            if row
        }
        for side in sides
    ]


def fill_row(row: Values) -> Values:
    """Returns a row in which a seed that failed, on either side, has the farthest value that completed there.

    What is not a number does not exist, and is left out. It is empty where no seed completed.
    """
    row = {seed: v for seed, v in row.items() if not math.isnan(v)}
    completed = [v for v in row.values() if math.isfinite(v)]
    if not completed:
        return {}
    low, high = min(completed), max(completed)
    ends = {seed: high if v > 0 else low for seed, v in row.items() if not math.isfinite(v)}
    return {**row, **ends}


def failures_of(row: Values, sign: int = 1) -> set[tuple[int, int]]:
    """Returns the seeds of a row that failed, with the side, times the sign, on which the true value lies."""
    infinite = {(seed, sign if v > 0 else -sign) for seed, v in row.items() if math.isinf(v)}
    return infinite | _failed(row, sign)


def _best(rows: Mapping[str, Values]) -> str:
    # each value divided, as sums of values of 1e308 have no number
    means = {n: math.fsum(v / len(row) for v in row.values()) for n, row in rows.items() if row}
    return max(means, key=means.__getitem__, default="")


def _scale(row: Values, sign: float, log: bool) -> Scores:
    """A row on the scale of a comparison; what is not a number is left out."""
    values = {seed: sign * (_log(v) if log else v) for seed, v in row.items()}
    noise = getattr(row, "noise", 0.0)
    if isinstance(noise, Noise):
        own = noise.log if log else noise.plain
    else:
        own = noise / find_level([*row.values()]) if log and noise else noise
    values = {seed: v for seed, v in values.items() if not math.isnan(v)}
    side = 1 if sign > 0 else -1
    beyond = _beyond(row, side)
    if log:
        beyond |= {(seed, -side) for seed, v in row.items() if math.isfinite(v) and v <= 0}
    about: dict[str, Any] = {"independent": _independent(row), "origin": _origin(row)}
    about["rare"] = [event.of_logs() if log else event for event in rare_of(row, side)]
    return Scores(values, own, beyond=beyond, failed=_failed(row, side), **about)


def _log(value: float) -> float:
    """The logarithm; failures stay what they are, and what is not positive lies below all numbers."""
    if not math.isfinite(value):
        return value
    return math.log(value) if value > 0 else -math.inf


def _beyond(row: Values, sign: int = 1) -> set[tuple[int, int]]:
    return {(seed, sign * side) for seed, side in getattr(row, "beyond", ())}


def _failed(row: Values, sign: int = 1) -> set[tuple[int, int]]:
    return {(seed, sign * side) for seed, side in getattr(row, "failed", ())}


def _pairs(a: Values, b: Values, *, log: bool) -> Scores:
    one, other = sides = _scale(a, 1.0, log), _scale(b, 1.0, log)
    alone = one.origin is None or one.origin != other.origin
    independent = one.independent and other.independent and alone
    # of rows compared pair by pair an interval sees differences alone, in which failures have no place
    x, y = sides if independent else _fill_pair(*sides)
    # where both failed, as two columns of one run do, that stays a failure
    values = {
        seed: x[seed] if math.isinf(x[seed]) and x[seed] == y[seed] else x[seed] - y[seed]
        for seed in sorted(x)
        if seed in y
    }
    noise = max(noise_of(row) for row in sides)
    about: dict[str, Any] = {"beyond": _beyond(one) | _beyond(other, -1)}
    # where both failed nothing says which is worse, and the difference may lie on either side
    moved = failures_of(one) | failures_of(other, -1)
    about["failed"] = {(seed, side) for seed, side in moved if seed in values}
    rare = (*rare_of(one), *rare_of(other, -1))
    about["rare"] = (
        rare if log else [event.beside(find_level([*values.values()])) for event in rare]
    )
    return Scores(values, noise, sides=sides if independent else None, **about)


def _fill_pair(a: Values, b: Values) -> tuple[Values, Values]:
    """Two rows, failures filled in; as they are where no seed of either completed."""
    first, second = fill_failed({"": a}, {"": b})
    return first.get("", a), second.get("", b)


def _independent(row: Values) -> bool:
    return bool(getattr(row, "independent", False))


def _origin(row: Values) -> object:
    return getattr(row, "origin", None)
