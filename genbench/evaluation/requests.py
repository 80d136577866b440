"""What is asked: metrics with their options, and the spaces in which they compare points."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from genbench.core import options
from genbench.core.dataset import Dataset
from genbench.core.feature import Extractor, Logits
from genbench.core.metric import Metric, find
from genbench.core.spec import Part, canonical

#: the space in which metrics of a view compare points
SPACES = {
    "points": "points",
    "truth": "points",
    "events": "events",
    "features": "features",
    "memory": "features",
    "logits": "logits",
}
#: spaces that depend on the extractor
EXTRACTED = ("features", "logits")


@dataclass(frozen=True)
class Ask:
    """A metric with its options, all of them resolved, and the points and features it is asked of."""

    metric: Metric
    options: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 0
    features: str | None = None

    @property
    def key(self) -> str:
        """12 hexadecimal digits that are the same whenever the same question is asked."""
        question = {
            "metric": self.metric.name,
            "version": self.metric.version,
            "options": dict(self.options),
            "samples": self.samples,
            "features": self.features if SPACES.get(self.metric.view) in EXTRACTED else None,
        }
        return hashlib.sha256(canonical(question).encode()).hexdigest()[:12]

    @property
    def older(self) -> set[str]:
        """The keys of the same question under the metric's earlier versions."""
        versions = range(1, self.metric.version)
        return {replace(self, metric=replace(self.metric, version=v)).key for v in versions}


def ask(parts: Sequence[Part], *, samples: int = 0, features: str | None = None) -> list[Ask]:
    """Returns what a list of metrics with options asks, each metric once, options checked."""
    asks: dict[tuple[str, str], Ask] = {}
    for part in parts:
        for entry in find([part.name]):
            chosen = options.resolve(entry.function, part.options, who=f"metric {part.name}")
            chosen.pop("rng", None)
            asks[entry.name, canonical(chosen)] = Ask(entry, chosen, samples, features)
    return list(asks.values())


def enter(space: str, x: Tensor, extractor: Extractor | None) -> Tensor:
    """Returns points (N, *event) in a space of `SPACES`."""
    if space == "logits" and isinstance(extractor, Logits):
        return extractor.logits(x)
    if space == "features" and extractor is not None:
        return extractor.extract(x)
    return x.flatten(1) if space == "points" else x


def default_features(dataset: Dataset) -> str:
    """Returns the extractor for a data set: its own classifier for labelled images, else identity."""
    return "classifier" if dataset.spec.is_image and dataset.spec.classes else "identity"
