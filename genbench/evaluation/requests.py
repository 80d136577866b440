"""What is asked for: metrics with their options, and the spaces in which they compare points."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from genbench.core import options
from genbench.core.errors import ContractError
from genbench.core.feature import Extractor, Logits
from genbench.core.guard import blamed, is_own, unchanged
from genbench.core.metric import Metric, find
from genbench.core.spec import Part, canonical
from genbench.evaluation.extractors import features_key
from genbench.evaluation.provenance import tag_code

#: the space in which metrics of a view compare points
SPACES = {
    "points": "points",
    "truth": "points",
    "events": "events",
    "pairs": "events",
    "judged": "events",
    "features": "features",
    "labelled": "features",
    "memory": "features",
    "logits": "logits",
}
#: spaces that depend on the extractor
EXTRACTED = ("features", "logits")


def looks_through(metric: Metric) -> bool:
    """Returns whether a metric's number depends on the extractor, whatever the user asks for."""
    return metric.view == "judged" or SPACES.get(metric.view) in EXTRACTED


def describe_code(metric: Metric) -> dict[str, str]:
    """Returns what tells a user's metric from what another source of it was; nothing for genbench's own."""
    code = tag_code(metric.function)
    return {"code": code} if code else {}


@dataclass(frozen=True)
class MetricRequest:
    """A metric with its options, all of them resolved, and the points and features it is asked of.

    Arguments:
        metric: The metric.
        options: All of them.
        samples: The largest number of points compared.
        features: The extractor, or None for what suits the data set.
        brought: Whether nobody asked for it: it stands beside a metric that must not be read alone.
    """

    metric: Metric
    options: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 0
    features: str | None = None
    brought: bool = False

    @property
    def key(self) -> str:
        """12 hexadecimal digits that are the same whenever the same is asked, of the same code."""
        request = {
            "metric": self.metric.name,
            "version": self.metric.version,
            "options": dict(self.options),
            "samples": self.samples,
            "features": self.features if looks_through(self.metric) else None,
        } | describe_code(self.metric)
        return hashlib.sha256(canonical(request).encode()).hexdigest()[:12]

    @property
    def older_keys(self) -> set[str]:
        """The keys of the same request under the metric's earlier versions."""
        versions = range(1, self.metric.version)
        return {replace(self, metric=replace(self.metric, version=v)).key for v in versions}


def make_requests(
    parts: Sequence[Part], *, samples: int = 0, features: Part | None = None
) -> list[MetricRequest]:
    """Returns what a list of metrics with options asks for, each once, options checked.

    Metrics that must not be read alone bring those that stand beside them, with default options unless
    they are asked for.

    Arguments:
        parts: Metrics, or columns, which stand for their metrics.
        samples: The largest number of points compared.
        features: The extractor, or None for what suits the data set.

    Raises:
        SpecError, UnknownName: For a metric, an option or an extractor that is not there.
    """
    key = None if features is None else features_key(features)
    requests: dict[tuple[str, str], MetricRequest] = {}
    metrics = find([part.name for part in parts])
    names = {name for metric in metrics for name in metric.beside} - {m.name for m in metrics}
    for part in [*parts, *(Part(name=name) for name in sorted(names))]:
        for metric in find([part.name]):
            values = options.resolve(metric.function, part.options, who=f"metric {part.name}")
            values.pop("rng", None)
            request = MetricRequest(metric, values, samples, key, metric.name in names)
            requests[metric.name, canonical(values)] = request
    return list(requests.values())


def find_space(metric: Metric, *, through_features: bool = False) -> str | None:
    """Returns the space in which a metric compares points, or None where it compares none.

    Arguments:
        metric: The metric.
        through_features: Whether the user named an extractor, which distances between points are then of too;
            densities stay those of the points.
    """
    density = any(column.unit == "nats" for column in metric.columns.values())
    return (
        "features"
        if through_features and metric.view == "points" and not density
        else SPACES.get(metric.view)
    )


def find_spaces(
    requests: Sequence[MetricRequest], extractor: Extractor, *, through_features: bool = False
) -> set[str]:
    """Returns the spaces in which metrics compare points, as far as the extractor can make them.

    Arguments:
        requests: The metrics.
        extractor: What makes features.
        through_features: Whether metrics of points look at features too.
    """
    places = {
        find_space(request.metric, through_features=through_features) for request in requests
    }
    spaces = {space for space in places if space is not None}
    return spaces if isinstance(extractor, Logits) else spaces - {"logits"}


def to_space(space: str, x: Tensor, extractor: Extractor | None) -> Tensor:
    """Maps points (N, *event) to a space of `SPACES`."""
    if space == "logits" and isinstance(extractor, Logits):
        return _extract(extractor, extractor.logits, x)
    if space == "features" and extractor is not None:
        return _extract(extractor, extractor.extract, x)
    return x.flatten(1) if space == "points" else x


def _extract(extractor: Extractor, function: Callable[[Tensor], Any], x: Tensor) -> Tensor:
    """What an extractor makes of points, which it must leave as they are.

    A copy is kept of what a user's extractor returns, which may be the same buffer every time.
    """
    code: Any = extractor
    while (inner := getattr(code, "inner", None) or getattr(code, "function", None)) is not None:
        code = inner
    who = f"extractor {getattr(extractor, 'name', '') or extractor.protocol}"
    with blamed(who, code), unchanged(who, [x], code=code):
        features = function(x)
    if not isinstance(features, Tensor) or features.dim() != 2 or len(features) != len(x):
        got = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise ContractError(f"{who} needs to return a tensor ({len(x)}, F), got {got}")
    return features if is_own(code) else features.clone()
