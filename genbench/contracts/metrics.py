"""What every metric must keep, on points of eight modes in the plane, whatever its view."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch

from genbench.contracts.planted import SHAPED, N, draw, measure
from genbench.contracts.rules import Case, Unchecked, expect, expect_equal, rule
from genbench.core.errors import DataError
from genbench.core.metric import METRICS, PAIRED, Metric, Score, columns
from genbench.core.model import ABILITIES
from genbench.core.rng import Rng

#: units of clock time, in which two calls differ
TIMED = ("ms", "samples/s", "calibrations")
#: what `needs` may name besides abilities of models
TRUTHS = (
    *("log_prob", "entropy", "centres", "std", "box", "distance", "n_grams", "modes"),
    *("answers", "degrade", "hidden", "described"),
)
#: the first two arguments, by view
ARGUMENTS = {
    "truth": ["fake", "truth"],
    "model": ["trained", "test"],
    "memory": ["train", "test"],
    "pairs": ["source", "real"],
    "judged": ["source", "real"],
}
RUNGS = {"noise": (0.0, 0.3, 1.0, 3.0), "modes": (8, 4, 2, 1)}
BAD = {
    "three axes": torch.zeros(40, 2, 1),
    "one axis": torch.zeros(40),
    "other dimension": torch.zeros(40, 3),
    "nothing": torch.zeros(0, 2),
    "not a number": torch.full((40, 2), torch.nan),
    "infinite": torch.full((40, 2), torch.inf),
}


@rule("metric", first=True)
def it_is_called_as_its_view_says(name: str) -> None:
    """Its arguments are those of its view, a keyword `rng`, and typed keywords with defaults."""
    entry = METRICS.get(name)
    parameters = inspect.signature(entry.function).parameters
    first = ARGUMENTS.get(entry.view, ["real", "fake"])
    expect(
        list(parameters)[:2] == first,
        f"view {entry.view!r} needs the arguments {', '.join(first)}, got "
        f"{', '.join(list(parameters)[:2])}; rename them",
    )
    rng = parameters.get("rng")
    expect(
        rng is not None and rng.kind is rng.KEYWORD_ONLY, "it needs a keyword rng; put it after *"
    )
    for option in entry.options:
        expect(
            parameters[option].annotation is not inspect.Parameter.empty,
            f"the option {option} needs a type, got none; annotate it",
        )


@rule("metric")
def what_it_needs_is_known(name: str) -> None:
    """`needs` names abilities of models or fields of a Truth."""
    strange = set(METRICS.get(name).needs) - {*ABILITIES, *TRUTHS}
    allowed = ", ".join((*ABILITIES, *TRUTHS))
    expect(not strange, f"needs may name {allowed}; got {', '.join(sorted(strange))}")


@rule("metric")
def its_columns_are_its_own(name: str) -> None:
    """No other metric fills a column of the same name."""
    for column in METRICS.get(name).columns:
        others = [n for n, e in METRICS.all().items() if n != name and column in e.columns]
        expect(not others, f"the column {column!r} is {', '.join(others)}'s too; rename it")
        expect(columns()[column][0].name == name, f"the column {column!r} is another metric's")


@rule("metric")
def columns_declared_are_those_returned(name: str) -> None:
    """It returns the columns that it declares, each with a unit and a text, finite or with a reason."""
    entry = METRICS.get(name)
    scores = measure(entry, draw(N, 2))
    expect(
        set(scores) == set(entry.columns),
        f"it needs to return the columns {sorted(entry.columns)}, got {sorted(scores)}",
    )
    for column, score in scores.items():
        meaning = entry.columns[column]
        expect(meaning.unit and meaning.doc, f"the column {column!r} needs a unit and a doc")
        expect(
            (score.value is None) == bool(score.reason),
            f"{column!r} needs either a value or a reason, got {score.value} and {score.reason!r}",
        )
        expect(
            score.value is None or math.isfinite(score.value),
            f"{column!r} needs a finite value, got {score.value}; return Score(None, reason=…)",
        )


def expect_numbers(entry: Metric, *measured: Mapping[str, Score]) -> None:
    """Raises Unchecked where every planted score is null, so that a rule about numbers says nothing.

    Raises:
        Unchecked: With the metric's reason.
    """
    scores = [score for scores in measured for score in scores.values()]
    if scores and all(score.value is None for score in scores):
        planted = "a density" if entry.view == "model" else "points"
        planted += " and images" if entry.view in SHAPED else ""
        raise Unchecked(
            f"not checked: every score of {planted} planted here is null, since {scores[0].reason}; "
            "test the metric's numbers yourself"
        )


def on_ideals(name: str) -> list[Case]:
    """Returns one case for metrics with a column that declares an ideal, none for others."""
    return [()] if any(c.ideal is not None for c in METRICS.get(name).columns.values()) else []


def on_quality(name: str) -> list[Case]:
    """Returns one case for metrics that a better model has a better score of, none for others."""
    entry = METRICS.get(name)
    directed = any(column.better != "none" for column in entry.columns.values())
    return [()] if directed and quality_decides(entry) else []


def quality_decides(entry: Metric) -> bool:
    """Returns whether a metric's columns depend on how good samples are."""
    return entry.view != "model" or "density" in entry.needs


@rule("metric", on_ideals)
def real_against_real_is_near_the_ideal(name: str) -> None:
    """Fresh points of the truth score near the ideal that a column declares."""
    entry = METRICS.get(name)
    noise = 0.0 if entry.view == "model" else 3.0
    good = measure(entry, draw(N, 2))
    bad = [measure(entry, draw(N, 2, noise=noise)), measure(entry, draw(N, 2, modes=1))]
    expect_numbers(entry, good)
    for column, meaning in entry.columns.items():
        value = good[column].value
        if meaning.ideal is None or value is None:
            continue
        rest = [b[column].value for b in bad]
        worst = max(abs(b - meaning.ideal) for b in rest if b is not None)
        expect(
            abs(value - meaning.ideal) <= max(0.15 * worst, 0.06),
            f"{column!r} needs to be near {meaning.ideal} for perfect samples, got {value:.4g}; "
            "declare another ideal, or None",
        )


@rule("metric", on_quality)
def worse_samples_score_worse(name: str, diversity: Collection[str] | None = None) -> None:
    """Scores worsen in the declared direction as noise grows, or else as modes are lost.

    Arguments:
        name: The metric.
        diversity: The columns that lost modes are to worsen, and noise all others; if None, it is
            enough that one of the two does.
    """
    entry = METRICS.get(name)
    if not quality_decides(entry):
        return
    noise = [measure(entry, draw(N, 2, noise=w), noise=w) for w in RUNGS["noise"]]
    modes = [measure(entry, draw(N, 2, modes=k)) for k in RUNGS["modes"]]
    expect_numbers(entry, *noise, *modes)
    for column, meaning in entry.columns.items():
        if meaning.better == "none":
            continue
        ladders = {"noise": noise, "lost modes": modes}
        if diversity is not None:
            del ladders["noise" if column in diversity else "lost modes"]
        values = {what: [rung[column].value for rung in rungs] for what, rungs in ladders.items()}
        if any(None in row for row in values.values()):
            first = next(iter(ladders.values()))[0][column]
            expect(first.reason, f"{column!r} needs a reason where it has no value")
            continue
        expect(
            any(worsens(row, meaning.better) for row in values.values()),
            f"{column!r} (better: {meaning.better}) needs to worsen, got "
            + "; ".join(f"{numbers(row)} under growing {what}" for what, row in values.items()),
        )


def worsens(values: Sequence[Any], better: str) -> bool:
    """Returns whether values worsen from first to last, but for small steps back."""
    sign = 1 if better == "lower" else -1
    whole = values[-1] - values[0]
    steps = [sign * (b - a) for a, b in pairwise(values)]
    return min(steps) >= -0.02 * abs(whole) and sign * whole > 0


def numbers(values: Sequence[Any]) -> str:
    """Returns values in words."""
    return ", ".join(f"{value:.3g}" for value in values)


def is_spread(entry: Metric, column: str, scores: Mapping[str, Score]) -> bool:
    """Returns whether a column is the spread over random parts, which another order makes others."""
    about = entry.columns[column]
    chance = about.unit == "probability"  # a p-value, which the order of points must not change
    return about.better == "none" and scores[column].kind == "estimate" and not chance


@rule("metric")
def the_order_of_points_does_not_matter(name: str) -> None:
    """Points in another order give the same scores (an estimate, up to four standard errors).

    Pairs are put in another order together.
    """
    entry = METRICS.get(name)
    real, fake = draw(N, 1), draw(N, 2, noise=0.2)
    order = Rng([9]).permutation(N)[0]
    one = measure(entry, fake, real=real, whole=True)
    other = real[order] if entry.view in PAIRED else real.flip(0)
    two = measure(entry, fake[order], real=other, whole=True)
    expect_numbers(entry, one, two)
    for column, meaning in entry.columns.items():
        score, other = one[column], two[column].value
        if meaning.unit in TIMED or is_spread(entry, column, one) or score.value is None:
            continue
        # an estimate from random subsets sees other points
        slack = 4 * score.stderr if score.kind == "estimate" and score.stderr else 0.0
        expect(
            other is not None
            and abs(other - score.value) <= max(1e-6 * abs(score.value), 1e-9, slack),
            f"{column!r} needs one value in any order of points, got {score.value} and {other}; "
            "treat them as a set, or return an estimate with its stderr",
        )


@rule("metric")
def two_calls_agree_and_change_nothing(name: str) -> None:
    """Two calls with one rng agree, leave their input as it was, and the global generator alone."""
    entry = METRICS.get(name)
    real, fake = draw(N, 1), draw(N, 2)
    before = torch.get_rng_state()
    one, two = (measure(entry, fake, real=real) for _ in range(2))
    expect_equal(
        torch.get_rng_state(), before, "torch's global generator", fix="draw from the rng alone"
    )
    for column, meaning in entry.columns.items():
        expect(
            meaning.unit in TIMED or one[column] == two[column],
            f"{column!r} needs one value for one rng, got {one[column].value} and "
            f"{two[column].value}; draw from the rng alone",
        )
    expect_numbers(entry, one)


def bad_arrays(name: str) -> list[Case]:
    """Returns the bad arrays that a metric can see."""
    entry, cases = METRICS.get(name), list(BAD)
    if entry.view == "model":
        cases = cases[:4] if "density" in entry.needs else []
    # sequences may be of any length; a density or a manifold does not say of how many coordinates
    if entry.view == "truth" and "centres" not in entry.needs:
        cases.remove("other dimension")
    return [(case,) for case in cases]


@rule("metric", bad_arrays)
def bad_arrays_are_refused_with_advice(name: str, case: str) -> None:
    """Points of a wrong shape or number, or that are not finite, raise a DataError with advice."""
    entry = METRICS.get(name)
    try:
        if entry.view == "model":
            measure(entry, real=BAD[case])
        else:
            measure(entry, BAD[case])
    except DataError as error:
        text = str(error)
        parts = text.startswith(f"{name} needs "), ", got " in text, "; " in text
        expect(all(parts), f"the error needs the form '{name} needs …, got …; …', got {text!r}")
    else:
        expect(False, f"points with {case} need a DataError '{name} needs …, got …; …', got none")


def on_points(name: str) -> list[Case]:
    """Returns one case for metrics that are given points, none for those given a model."""
    return [] if METRICS.get(name).view == "model" else [()]


@rule("metric", on_points)
def integer_points_are_welcome(name: str) -> None:
    """Points of whole numbers are scored, or a reason is given."""
    entry = METRICS.get(name)
    scores = measure(entry, (10 * draw(N, 2)).long(), real=(10 * draw(N, 1)).long())
    expect(
        all(score.value is not None or score.reason for score in scores.values()),
        "whole numbers need a value or a reason; convert them by .double()",
    )
    expect_numbers(entry, scores)
