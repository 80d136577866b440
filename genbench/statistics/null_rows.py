"""Gates: a metric by which a row that has learned nothing counts as good says nothing on that data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import fmean
from typing import Literal

from genbench.core.rounding import three_digits
from genbench.statistics.intervals import mean_interval

#: the share of what real points score from which on a score counts as good
GOOD = 0.9
#: up to so many times the distance between sets of real points, distances count as good
NEAR = 2.0
#: and up to so many standard errors beyond it
SURE = 2.0
#: units of logarithms, which have no true zero; a divergence has one nevertheless, its ideal
LOGARITHMS = ("nats", "bits")


@dataclass(frozen=True)
class Bar:
    """From where to where scores count as good; None is without an end.

    Arguments:
        low: The least such score.
        high: The largest.
    """

    low: float | None
    high: float | None

    def admits(self, values: Sequence[float]) -> bool:
        """Returns whether the mean of values over seeds may count as good: their interval reaches the bar."""
        interval = mean_interval(values)
        if interval.mean is None:
            return False
        least = interval.mean if interval.low is None else interval.low
        most = interval.mean if interval.high is None else interval.high
        low, high = self.low, self.high
        return (low is None or most >= low) and (high is None or least <= high)

    def __str__(self) -> str:
        ends = [three_digits(end) for end in (self.low, self.high) if end is not None]
        if len(ends) == 2:
            return " to ".join(ends)
        return f"{'<=' if self.low is None else '>='} {ends[0]}"


@dataclass(frozen=True)
class Gate:
    """What null rows make of a metric on a data set.

    Arguments:
        passed: The null rows that count as good, or may given their seeds, with their means; without any
            the gate is open.
        rows: How many null rows were looked at.
        bar: From where on scores count as good, or None where that is not known.
        extractors: Where scores rest on features of different networks, these; they do not compare then.
        why: Why there is no bar or no null row, where that is known.
    """

    passed: Mapping[str, float]
    rows: int
    bar: Bar | None
    extractors: tuple[str, ...] = ()
    why: str = ""

    @property
    def closed(self) -> bool:
        """Whether the metric is not judged."""
        return bool(self.passed or self.extractors)

    @property
    def checked(self) -> bool:
        """Whether there were a null row and a bar, so that the gate could have closed."""
        return self.rows > 0 and self.bar is not None

    @property
    def reason(self) -> str:
        """Why the metric is not judged, or why it was not checked, in a phrase; "" of an open gate."""
        if self.extractors:
            names = " and ".join(self.extractors)
            return f"scores by {names} do not compare; run again with --force what has the older"
        if self.why and not self.checked:
            return self.why
        if self.bar is None:
            return "there is no score of real points that says what is good"
        if self.closed:
            rows = ", ".join(
                f"{name} with {three_digits(mean)}" for name, mean in self.passed.items()
            )
            sure = any(self.bar.admits([mean]) for mean in self.passed.values())
            one = len(self.passed) == 1
            verb = ("passes" if one else "pass") if sure else "may, given the seeds, pass"
            return f"{'a null row' if one else 'null rows'} {verb} as good ({self.bar}): {rows}"
        return "" if self.rows else "no null row has it"


def make_bar(
    better: Literal["lower", "higher", "none"],
    ideal: float | None,
    floor: float | None,
    unit: str = "",
    *,
    error: float = 0.0,
    points: int | None = None,
) -> Bar | None:
    """Returns from where on scores count as good, or None where neither real points nor the ideal tell.

    What is better higher is good from nine tenths of what real points score on (of the ideal, where they
    were not measured), a distance up to twice theirs or two standard errors beyond it, a ratio of ideal 1
    within a tenth of it. A distance whose floor is 0, or below as of an unbiased estimate, has a bar only if
    its error is known: nothing random is expected to be exactly 0. Numbers without a true zero, such as
    nats, have no such bar: a row that has learned nothing and is likely is good in their sense.

    Arguments:
        better: Which way is better.
        ideal: The value of a perfect model, or None.
        floor: What real points score beside real points, or None.
        unit: That of the scores: shares of nats or bits mean nothing.
        error: The standard error of what real points score, in the unit; 0 where it is not known.
        points: How many points a share is counted of, which says how exactly it is known.
    """
    if better == "higher" and unit not in LOGARITHMS:
        best = ideal if floor is None else floor
        return Bar(GOOD * best, None) if best is not None and best > 0 else None
    if better == "lower":
        return _make_upper_bar(floor, unit, error, points) if ideal == 0.0 else None
    if better == "higher":
        return None
    return Bar(GOOD * ideal, ideal / GOOD) if ideal is not None and ideal > 0 else None


def _make_upper_bar(
    floor: float | None, unit: str, error: float, points: int | None
) -> Bar | None:
    """Up to where a distance or a share of what is wrong counts as good."""
    if floor is None:
        return None
    own = max(floor, 0.0)  # an unbiased distance of real points may be below 0
    if unit == "share" and points:
        share = min((own * points + 1) / (points + 2), 1.0)  # no failure of n is not a chance of 0
        error = hypot(error, sqrt(share * (1 - share) / points))
    high = max(NEAR * own, own + SURE * error)
    return Bar(None, high) if high > 0 else None


def check_nulls(rows: Mapping[str, Sequence[float]], bar: Bar | None) -> Gate:
    """Returns the gate of a metric on a data set.

    Arguments:
        rows: By null row, its scores, one per seed; rows without any are left out.
        bar: From where on scores count as good.
    """
    rows = {name: values for name, values in rows.items() if len(values)}
    if bar is None:
        return Gate({}, len(rows), None)
    passed = {name: fmean(values) for name, values in rows.items() if bar.admits(values)}
    return Gate(passed, len(rows), bar)
