"""The two sides of a comparison, and the one place where metrics are given what they are called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset, Truth
from genbench.core.feature import Extractor, Logits
from genbench.core.metric import Metric, Trained
from genbench.core.model import ABILITIES
from genbench.core.rng import Rng
from genbench.evaluation.requests import EXTRACTED, SPACES, MetricRequest, to_space
from genbench.evaluation.scoring import Facts, MetricCall
from genbench.points.tokens import n_gram_law


@dataclass
class Side:
    """One side of a comparison: points, in every space in which a metric looks at them.

    Arguments:
        views: Rows by space of `requests.SPACES`. A space that is missing is made of `events` when it
            is first looked at.
        count: How many points there are.
        extractor: Returns the extractor, on the first look at a space that needs it.
        label: What the user called the points.
        head: The first points, (at most 64, *event), to look at.
    """

    views: dict[str, Tensor]
    count: int
    extractor: Callable[[], Extractor]
    label: str = ""
    head: Tensor = field(default_factory=lambda: torch.empty(0))

    @classmethod
    def of(cls, x: Tensor, extractor: Callable[[], Extractor]) -> Side:
        """Returns points (N, *event) that are in memory as a side."""
        return cls({"events": x}, len(x), extractor)

    def view(self, space: str) -> Tensor:
        """Returns the points in a space, one row per point."""
        if space not in self.views:
            extractor = self.extractor() if space in EXTRACTED else None
            self.views[space] = to_space(space, self.views["events"], extractor)
        return self.views[space]


@dataclass(frozen=True)
class Reference:
    """What samples are compared with: real points, and all that is known of where they come from.

    Arguments:
        real: Held-out points.
        dataset: Where the points come from, or None; its truth and its kind decide what applies.
        train: The training points, for metrics of memorisation, or None.
        without_train: Why there are no training points.
        split: What the real points are, `test` or `train`; empty where they come from anywhere. A
            metric's stream is forked by it.
        memory: The bytes that a metric's matrices may take, or None for no limit.
        sources: What the points are to be made from, row by row those of the real points and of any
            samples that metrics of view `pairs` see; or None.
    """

    real: Side
    dataset: Dataset | None = None
    train: Side | None = None
    without_train: str = ""
    split: str = ""
    memory: int | None = None
    sources: Side | None = None

    @property
    def extractor(self) -> Extractor:
        """What maps points to features, the same for all sides."""
        return self.real.extractor()

    @cached_property
    def truth(self) -> Truth | None:
        """What is known of the data set's distribution."""
        return None if self.dataset is None else known_truth(self.dataset)

    def make_call(
        self, request: MetricRequest, fake: Side, rng: Rng, trained: Trained | None = None
    ) -> MetricCall:
        """Returns what a metric is called with, or why it cannot be computed.

        Arguments:
            request: The metric with its options.
            fake: The generated points.
            rng: Of one seed, for metrics that subsample.
            trained: The model, for metrics of view `model`, or None.
        """
        metric, facts = request.metric, self._facts(request.metric, fake)
        reason = self.find_obstacle(metric, trained)
        if reason is not None:
            return MetricCall(request, reason=reason, facts=facts)
        stream = rng.fork("metric", metric.name)
        if metric.view != "model":
            forks = ("metric", metric.name, *filter(None, [self.split]))
            stream = rng.to("cpu").fork(*forks)
        return MetricCall(request, self._arguments(metric, fake, trained), stream, facts=facts)

    def find_obstacle(self, metric: Metric, trained: Trained | None = None) -> str | None:
        """Returns why a metric cannot be computed against this reference, or None."""
        if metric.view == "model" and trained is None:
            return f"{metric.name} needs a model, got samples alone"
        if metric.view == "truth" and self.dataset is None:
            return f"{metric.name} needs a data set whose truth is known as reference"
        if metric.view == "pairs" and self.sources is None:
            name = self.dataset.name if self.dataset is not None else "the reference"
            return f"{metric.name} needs sources that points are made from, {name} has none"
        tokens = self.dataset is not None and self.dataset.spec.kind == "tokens"
        if tokens and metric.view not in ("truth", "model"):
            assert self.dataset is not None
            return f"{metric.name} compares numbers, {self.dataset.name} holds tokens"
        if metric.view == "logits" and not isinstance(self.extractor, Logits):
            name = self.extractor.name or self.extractor.protocol
            return f"the extractor {name} has no class logits"
        if metric.view == "memory" and self.train is None:
            needs = f"{metric.name} needs the training points too; name them by --train"
            return self.without_train or needs
        return (
            self._find_lack(metric, trained)
            or self._find_partiality(metric, trained)
            or self._find_excess(metric)
        )

    def _find_partiality(self, metric: Metric, trained: Trained | None) -> str | None:
        """Why a metric may not judge a model: it looks through a network of the model's own loss."""
        own = () if trained is None else trained.model.loss_networks
        if trained is None or not own:
            return None
        judges = set(metric.networks)
        if SPACES.get(metric.view) in EXTRACTED:
            judges.add(self.extractor.name)
        shared = sorted(judges & set(own))
        if not shared:
            return None
        return (
            f"{metric.name} looks through {shared[0]}, a part of the loss of {trained.model.name}, "
            f"which it cannot judge therefore"
        )

    def _find_lack(self, metric: Metric, trained: Trained | None) -> str | None:
        """Which of a metric's needs neither the model nor the data set's truth meets, or None."""
        for need in metric.needs:
            # points that somebody made of sources stand for the model that made them
            if metric.view == "pairs" and need == "translator" and trained is None:
                continue
            if need in ABILITIES:
                if trained is None or not isinstance(trained.model, ABILITIES[need]):
                    return f"{trained.model.name if trained else 'a set of samples'} has no {need}"
            elif getattr(self.truth, need, None) is None:
                return (
                    f"{self.dataset.name if self.dataset else 'the reference'} has no known {need}"
                )
        return None

    def _find_excess(self, metric: Metric) -> str | None:
        """Why a metric's matrices of dimensions by dimensions do not fit into memory, or None."""
        if self.memory is None or not metric.matrices:
            return None
        x = self.real.view(SPACES[metric.view]).flatten(1)
        need = 8 * metric.matrices * min(x.shape) * x.shape[1]
        if need <= self.memory:
            return None
        return (
            f"{metric.name} needs {need / 2**30:.3g} GiB for matrices of {x.shape[1]} dimensions, "
            f"--memory has {self.memory / 2**30:.3g} GiB; raise it, or take features of fewer dimensions"
        )

    def _facts(self, metric: Metric, fake: Side) -> Facts:
        # points from anywhere come in any number, which every row says
        if self.split and metric.view == "model":
            return Facts(split=self.split)
        if self.split and metric.view == "truth":
            return Facts(split=self.split, n_fake=fake.count)
        heads = [self.extractor.protocol] if SPACES.get(metric.view) in EXTRACTED else []
        counts = self.real.count, fake.count
        return Facts([*heads, f"n={counts[0]}/{counts[1]}"], self.split, *counts)

    def _arguments(self, metric: Metric, fake: Side, trained: Trained | None) -> tuple[Any, ...]:
        """What a metric is called with, by its view, as `core.metric.Metric` says."""
        if metric.view == "model":
            assert trained is not None
            trained = replace(trained, extractor=lambda: self.extractor)
            return trained, trained.dataset.points("test")
        space = SPACES[metric.view]
        if metric.view == "truth":
            return fake.view(space), self.truth
        real, samples = self.real.view(space), fake.view(space)
        if metric.view == "pairs":
            assert self.sources is not None
            return self.sources.view(space), real, samples, self.truth
        if metric.view == "memory":
            assert self.train is not None
            return self.train.view(space), real, samples
        return real, samples


def known_truth(dataset: Dataset) -> Truth | None:
    """Returns a data set's truth; for tokens of unknown distribution, with n-grams of held-out points."""
    truth, tokens = dataset.truth, dataset.spec.tokens
    if tokens is None or (truth is not None and truth.n_grams is not None):
        return truth
    test = dataset.points("test").flatten(1)
    return replace(truth or Truth(), n_grams=lambda n: n_gram_law(test, n, tokens), counted=True)
