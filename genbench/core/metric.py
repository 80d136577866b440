"""Metrics: pure functions from real and generated points (or a model) to named numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from genbench.core import options
from genbench.core.declarations import (
    FLAG,
    TEXT,
    TEXTS,
    VERSION,
    WHOLE,
    Need,
    check_values,
    instance_of,
    module_of,
    one_of,
    where,
)
from genbench.core.errors import ContractError, GenbenchError, SpecError, nearest
from genbench.core.registry import Registry
from genbench.core.tolerance import Tolerance

Better = Literal["lower", "higher", "none"]
View = Literal[
    "points",
    "events",
    "features",
    "logits",
    "labelled",
    "memory",
    "truth",
    "pairs",
    "judged",
    "model",
]


#: what intervals are worked out on, as `statistics.intervals` has it
IntervalScale = Literal["linear", "log", "logit"]
#: the scales of units whose numbers are bounded by what they are
SCALES: dict[str, IntervalScale] = {"share": "logit", "ms": "log"}


@dataclass(frozen=True)
class Score:
    """One measured number.

    Arguments:
        value: The number, or None where it does not apply; then `reason` says why.
        stderr: Its standard error given the model (not over seeds), or None.
        kind: Whether the number is exact (given the samples), a bound or an estimate.
        reason: Why there is no value.
        protocol: What a reader must know to compare it, e.g. {"bandwidth": 0.3}.
        floor: The value that a perfect model would have, where the metric itself knows it (the
            entropy for a likelihood); for metrics of two samples the evaluator measures it.
        note: What casts doubt on the number, as a loaded machine does on times; tables mark it.
    """

    value: float | None
    stderr: float | None = None
    kind: Literal["exact", "bound", "estimate"] = "exact"
    reason: str | None = None
    protocol: Mapping[str, Any] = field(default_factory=dict)
    floor: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class Alias:
    """torch-fidelity's key for the same number, and what makes it the same.

    Arguments:
        key: The key that torch-fidelity prints.
        options: The options that the number must have been computed with, as its protocol says.
        features: The extractor that it must be of, with whatever weights.
    """

    key: str
    options: Mapping[str, Any] = field(default_factory=dict)
    features: str = "inception-v3-compat"

    def fits(self, protocol: str) -> bool:
        """Tells whether a number of a protocol, as `evaluation` writes it, is that of the key."""
        head, *rest = protocol.split(", ")
        options = {f"{name}={value}" for name, value in self.options.items()}
        return (head == self.features or head.startswith(f"{self.features} ")) and options <= set(
            rest
        )


@dataclass(frozen=True)
class Column:
    """What a number means, and what reports and the gate make of it.

    Arguments:
        better: Which way is better.
        unit: The unit.
        ideal: The value for a perfect model, where it is known.
        doc: What it is, in a phrase.
        headline: Its place in compact tables, the lowest first; None: it stands in full tables alone.
        orders: Whether leaderboards order their rows by it; of several such columns the first headline.
        cost: What plots of quality against cost call it, with the unit; "" where it is no cost.
        learned: Whether it needs learned features: of the points themselves it sees too little to be a
            headline.
        guarded: Whether the gate compares it; not where it repeats another column or is mostly noise.
        tolerance: How much worse the gate lets it get; None: as much as is usual for its unit.
        scale: What intervals of its means are worked out on: "log" of distances and times, which are never
            negative, "logit" of shares in [0, 1], else "linear"; None: as `interval_scale` says.
        beside: Columns of the same metric that are printed wherever this one is, since it must not be read
            alone.
        alias: torch-fidelity's key of the same number, and when it is the same; None where it has none.
        resolution: The finest step that it can tell, 1 of counts; 0 where that is not known, so that seeds
            that are all alike tell nothing.
        worst_if: What the reason of a null says where the model is as bad as can be, so that the number does
            not exist, e.g. "no sample is near a mode". Such a null counts as a seed that failed does.
    """

    better: Better
    unit: str
    ideal: float | None = None
    doc: str = ""
    headline: int | None = None
    orders: bool = False
    cost: str = ""
    learned: bool = False
    guarded: bool = True
    tolerance: Tolerance | None = None
    alias: Alias | None = None
    scale: IntervalScale | None = None
    resolution: float = 0.0
    beside: tuple[str, ...] = ()
    worst_if: tuple[str, ...] = ()

    @property
    def worst(self) -> float | None:
        """What a seed that failed scores: infinitely much or little, or nothing where no side is better."""
        return {"lower": math.inf, "higher": -math.inf}.get(self.better)

    def is_worst(self, reason: str | None) -> bool:
        """Returns whether a null with this reason is the model's own fault, and as bad as can be."""
        if self.worst is None or reason is None:
            return False
        return reason.endswith(f" is {self.worst}") or any(
            part in reason for part in self.worst_if
        )

    @property
    def interval_scale(self) -> IntervalScale:
        """The scale of its intervals: the declared one, else its unit's; of what is 0 at best, "log"."""
        distance = self.better == "lower" and self.ideal == 0.0
        return self.scale or SCALES.get(self.unit, "log" if distance else "linear")


@dataclass(frozen=True)
class Metric:
    """A registered metric: a function, the columns that it fills and what it is to be given.

    Arguments:
        name: The registered name, its file's name.
        function: Called by `view`:
            points, features: f(real, fake, *, rng, **options), arrays (N, D) and (M, D);
            events: the same with points in their own shape, (N, *event), for images;
            logits: the same with class logits, (N, classes), of extractors that have them;
            labelled: f(real, fake, real_labels, fake_labels, *, rng, **options), features (N, F) and
            (M, F) with the class of each point, (N,) and (M,), where both are known;
            memory: f(train, test, fake, *, rng, **options), features of the whole training set,
            of held-out and of generated points; of data sets whose training set is finite;
            truth: f(fake, truth, *, rng, **options), fake (M, D) in data space;
            pairs: f(source, real, fake, truth, *, rng, **options), whose rows belong together: sources
            (N, *source.event), their true points and what was made of them, both (N, *event), in data
            space; of models that translate, and of points that the user says were made of sources;
            judged: f(source, real, fake, labels, judge, *, rng, **options), the same with the classes of
            the true points, (N,), or None, and the evaluation's extractor;
            model: f(trained, test, *, rng, **options), a Trained model of one seed and the held-out
            points (N, *event) in data space.
            `rng` is an Rng of one seed.
            Returns a float, a Score, or {column: float | Score}.
        columns: Column id → Column; a metric of one column names it as itself.
        needs: What the model or data set must have: names of abilities ("density"), or of a Truth's
            fields ("centres"); where one is missing the score is null with a reason.
        train_reference: Whether the score against training data is worth a row (memorisation).
        version: Raised whenever a change may move values.
        matrices: How many matrices of dimensions by dimensions (of points, where they are fewer) it
            holds in float64; all else that it holds does not grow with the points.
        moments: The same from f(real_mean, real_cov, fake_mean, fake_cov, **options), (F,) and (F, F),
            float64, where no more than that is needed; None where points are.
        beside: Metrics that are measured wherever this one is, since it must not be read alone.
        networks: The extractors, by name, that it judges by itself; of models that have one in their loss
            the score is null.
        matched: Whether it takes the real points for right answers, of metrics of pairs; data sets that
            know none have no such score.
        at_most: The option that says how many points count at most, where these are the first ones, of a
            metric of view points or truth; of points whose order may mean something as many are drawn.
    """

    name: str
    function: Callable[..., Any]
    view: View
    columns: Mapping[str, Column]
    needs: tuple[str, ...] = ()
    train_reference: bool = False
    version: int = 1
    paper: str = ""
    matrices: int = 0
    moments: Callable[..., Any] | None = None
    beside: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    matched: bool = True
    at_most: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """The metric's options and their defaults; they are part of every protocol."""
        return {k: v for k, v in options.defaults(self.function).items() if k != "rng"}


#: views whose rows belong together
PAIRED: tuple[View, ...] = ("pairs", "judged")
NUMBER = instance_of(int, float, type(None), what="a number, or None")
#: what a metric says of itself, and what is allowed
DECLARED: dict[str, Need] = {
    "view": one_of(get_args(View)),
    "columns": (lambda value: isinstance(value, Mapping) and bool(value), "columns, {id: Column}"),
    "needs": TEXTS,
    "train_reference": FLAG,
    "version": VERSION,
    "paper": TEXT,
    "matrices": WHOLE,
    "beside": TEXTS,
    "networks": TEXTS,
    "matched": FLAG,
    "at_most": TEXT,
    "moments": (lambda value: value is None or callable(value), "a function, or None"),
}
#: likewise a column
COLUMN_DECLARED: dict[str, Need] = {
    "better": one_of(get_args(Better)),
    "unit": TEXT,
    "ideal": NUMBER,
    "doc": TEXT,
    "headline": NUMBER,
    "orders": FLAG,
    "cost": TEXT,
    "learned": FLAG,
    "guarded": FLAG,
    "beside": TEXTS,
    "worst_if": TEXTS,
    "tolerance": instance_of(
        Tolerance, type(None), what="a genbench.core.tolerance.Tolerance, or None"
    ),
    "alias": instance_of(Alias, type(None), what="a genbench.core.metric.Alias, or None"),
    "scale": (
        lambda value: value is None or value in get_args(IntervalScale),
        "one of 'linear', 'log', 'logit', or None",
    ),
    "resolution": (
        lambda value: isinstance(value, (int, float)) and 0 <= value < math.inf,
        "a number, 0 or more",
    ),
}
METRICS: Registry[Metric] = Registry("metric", "genbench.metrics")


def metric(
    name: str,
    *,
    view: View,
    columns: Mapping[str, Column],
    needs: tuple[str, ...] = (),
    train_reference: bool = False,
    version: int = 1,
    paper: str = "",
    matrices: int = 0,
    moments: Callable[..., Any] | None = None,
    beside: tuple[str, ...] = (),
    networks: tuple[str, ...] = (),
    matched: bool = True,
    at_most: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Returns a decorator that registers a metric function; a user's function itself is handed back.

    genbench's own check their options by the types of these whenever they are called.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        if module_of(function).startswith("genbench."):
            function = options.checked(function, who=f"metric {name}")
        more = needs, train_reference, version, paper, matrices, moments, beside, networks, matched
        entry = Metric(name, function, view, columns, *more, at_most)
        _check_declared(entry)
        _check_names(entry)
        METRICS.add(name, entry)
        return function

    return register


def _check_declared(entry: Metric) -> None:
    """Refuses what a metric or one of its columns says of itself and cannot be."""
    name, function = entry.name, entry.function
    check_values("metric", name, function, DECLARED, of=entry)
    for id, column in entry.columns.items():
        if not isinstance(column, Column) or not isinstance(id, str):
            raise ContractError(
                f"metric {name!r} ({where(function)}) needs a genbench.core.metric.Column for every column "
                f"id, got {column!r} for {id!r}"
            )
        part = f"the column {id!r} with "
        check_values("metric", name, function, COLUMN_DECLARED, of=column, part=part)


def _check_names(entry: Metric) -> None:
    """Refuses a user's metric whose name, or a column of which, is a column of another metric."""
    if module_of(entry.function).startswith("genbench."):
        return
    own = {entry.name, *entry.columns}
    built_in = [name for name in METRICS if METRICS.is_built_in(name)]
    others = {name: METRICS.get(name) for name in built_in} | METRICS.registered()
    for name, other in others.items():
        if name != entry.name and (taken := sorted(own & other.columns.keys())):
            raise ContractError(
                f"metric {entry.name!r} ({where(entry.function)}) needs a name and columns of its own, but "
                f"{taken[0]!r} is a column of the metric {name!r}; rename it"
            )


def columns() -> dict[str, tuple[Metric, Column]]:
    """Returns every column id with its metric and its meaning; imports every metric."""
    return {
        column: (entry, meaning)
        for entry in METRICS.all().values()
        for column, meaning in entry.columns.items()
    }


def column_of(metric: str, id: str) -> Column | None:
    """Returns what an installed metric says of its column; None where it is not installed or is broken.

    It imports that metric alone, so that records of a few metrics are read without all the others.
    """
    try:
        return METRICS.get(metric).columns.get(id) if metric in METRICS else None
    except GenbenchError:
        return None


def leader_of(metric: str, id: str) -> Column | None:
    """Returns the first headline of an installed metric that is never printed without a column, or None."""
    try:
        own = METRICS.get(metric).columns.values() if metric in METRICS else ()
    except GenbenchError:
        return None
    leaders = [c for c in own if id in c.beside and c.headline is not None]
    return min(leaders, key=lambda c: c.headline or 0, default=None)


def find(names: list[str]) -> list[Metric]:
    """Returns the metrics that fill the named columns (a metric's own name stands for all of its).

    Raises:
        UnknownName: With the nearest match among metrics and columns.
        SpecError: Where what follows a metric's name is no option with a value.
    """
    from genbench.core.errors import unknown

    metrics: dict[str, Metric] = {}
    for name in names:
        head, _, rest = name.partition(":")
        if rest and head in METRICS:
            near = nearest(rest.partition("=")[0], METRICS.get(head).options)
            raise SpecError(f"metric {head} needs options as OPTION=VALUE, got {rest!r}{near}")
        if name in METRICS:
            entry = METRICS.get(name)
        else:
            by_column = columns()
            if name not in by_column:
                raise unknown("metric", name, {*by_column, *METRICS.names()})
            entry = by_column[name][0]
        metrics[entry.name] = entry
    return list(metrics.values())
