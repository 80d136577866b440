"""What samples are compared with, and the one place where metrics are given what they are called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.feature import Extractor, Logits
from genbench.core.metric import PAIRED, Metric
from genbench.core.model import ABILITIES
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.core.truth import Truth
from genbench.evaluation.provenance import tag_extractor
from genbench.evaluation.requests import (
    EXTRACTED,
    MetricRequest,
    find_space,
    looks_through,
)
from genbench.evaluation.scoring import Facts, MetricCall
from genbench.evaluation.side import Side
from genbench.points import memmap
from genbench.points.tokens import n_gram_law


@dataclass(frozen=True)
class Reference:
    """What samples are compared with: real points, and all that is known of where they come from.

    Arguments:
        real: Held-out points.
        dataset: Where the points come from, or None; its truth and its kind decide what applies.
        train: The training points, for metrics of memorisation, or None.
        without_train: Why there are no training points.
        through_features: Whether the user named the extractor, so that metrics of points look through it too.
        split: What the real points are, `test` or `train`; empty where they come from anywhere. A
            metric's stream is forked by it.
        memory: The bytes that a metric's matrices may take, or None for no limit.
        tag: What else protocols must say of it, or "".
        sources: What the points are to be made from, row by row those of the real points and of any
            samples that metrics of pairs see; or None.
        classes: The class of each real point, in the data set's numbers, for metrics of view `judged`; or
            None.
        without_sources: Why there are no sources, as the end of a sentence; "" where nobody named them.
        degrade: The map from points (N, *event) to their sources, where the data set does not know it; or
            None.
        known_by: What the user calls that map, which protocols of metrics that need it say; or "".
        changes: What was done to pictures before they are compared, which all protocols say.
        in_any_order: Whether the order of points may mean something, as in files that are sorted by class.
    """

    real: Side
    dataset: Dataset | None = None
    train: Side | None = None
    without_train: str = ""
    split: str = ""
    memory: int | None = None
    through_features: bool = False
    tag: str = ""
    sources: Side | None = None
    classes: Tensor | None = None
    without_sources: str = ""
    degrade: Callable[[Tensor], Tensor] | None = None
    known_by: str = ""
    changes: tuple[str, ...] = ()
    in_any_order: bool = False

    @property
    def extractor(self) -> Extractor:
        """What maps points to features, the same for all sides."""
        return self.real.extractor()

    @cached_property
    def truth(self) -> Truth | None:
        """What is known of the data set's distribution."""
        truth = None if self.dataset is None else known_truth(self.dataset)
        return truth if self.degrade is None else replace(truth or Truth(), degrade=self.degrade)

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
        reason = reason or self._find_partiality(metric, fake, trained)
        reason = reason or self._find_loss(metric, fake) or self._find_unlabelled(metric, fake)
        if reason is not None:
            return MetricCall(request, reason=reason, facts=facts)
        if metric.moments is not None and (self.real.moments or fake.moments):
            real, samples = self.real.summarise(), fake.summarise()
            arguments = real.mean, real.covariance, samples.mean, samples.covariance
            return MetricCall(request, arguments, facts=facts, function=metric.moments)
        stream = rng.fork("metric", metric.name)
        if metric.view != "model":
            forks = ("metric", metric.name, *filter(None, [self.split]))
            stream = rng.to("cpu").fork(*forks)
        arguments = self._arguments(metric, fake, trained)
        if metric.at_most and self.in_any_order:
            arguments = _drawn(arguments, request.options[metric.at_most], stream.fork("order"))
        return MetricCall(request, arguments, stream, facts=facts)

    def find_obstacle(self, metric: Metric, trained: Trained | None = None) -> str | None:
        """Returns why a metric cannot be computed against this reference, or None."""
        if metric.view == "model" and trained is None:
            return f"{metric.name} needs a model, got samples alone"
        if metric.view == "truth" and self.dataset is None:
            return f"{metric.name} needs a data set whose truth is known as reference"
        tokens = self.dataset is not None and self.dataset.spec.kind == "tokens"
        described = metric.view == "pairs" and "described" in metric.needs
        if tokens and metric.view not in ("truth", "model") and not described:
            assert self.dataset is not None
            return f"{metric.name} compares numbers, {self.dataset.name} holds tokens"
        if metric.view in PAIRED and self.sources is None:
            name = self.dataset.name if self.dataset is not None else "the reference"
            reason = self.without_sources or f"{name} has none; name them by --source IN"
            return f"{metric.name} needs sources that points are made from, {reason}"
        unmatched = self.dataset is not None and not self.dataset.matched
        if metric.view in PAIRED and metric.matched and unmatched:
            assert self.dataset is not None
            return f"{metric.name} needs right answers to sources, {self.dataset.name} knows none"
        if metric.view == "logits" and not isinstance(self.extractor, Logits):
            name = self.extractor.name or self.extractor.protocol
            return f"the extractor {name} has no class logits"
        if metric.view == "memory" and self.train is None:
            needs = f"{metric.name} needs the training points too; name them by --train"
            return self.without_train or needs
        return self._find_lack(metric, trained) or self._find_excess(metric)

    def _find_partiality(self, metric: Metric, fake: Side, trained: Trained | None) -> str | None:
        """Why a metric may not judge a model: it looks through a network of the model's own loss."""
        own = fake.loss_networks if trained is None else trained.model.loss_networks
        if not own:
            return None
        name = fake.label if trained is None else trained.model.name
        judges = set(metric.networks)
        if looks_through(metric) or self._space(metric) in EXTRACTED:
            judges.add(self.extractor.name)
        shared = sorted(judges & set(own))
        if "" in judges:  # a function or a file, which may hold any network
            return (
                f"{metric.name} looks through {self.extractor.protocol}, which may be a part of the loss of "
                f"{name}, as {own[0]} is; name a registered extractor"
            )
        if not shared:
            return None
        return (
            f"{metric.name} looks through {shared[0]}, a part of the loss of {name}, "
            f"which it cannot judge therefore"
        )

    def _find_unlabelled(self, metric: Metric, fake: Side) -> str | None:
        """Which side has no labels of those that a metric compares class by class, or None."""
        if metric.view != "labelled":
            return None
        for kind, side in (("the reference", self.real), ("the set of samples", fake)):
            if side.unlabelled:
                return f"{metric.name} needs classes of one kind on both sides; {side.unlabelled}"
            if side.labels is None:
                return f"{metric.name} needs labels of both sides, {side.label or kind} has none"
        return None

    def _find_lack(self, metric: Metric, trained: Trained | None) -> str | None:
        """Which of a metric's needs neither the model nor the data set's truth meets, or None."""
        for need in metric.needs:
            # points that somebody made of sources stand for the model that made them
            if metric.view in PAIRED and need == "translator" and trained is None:
                continue
            if need in ABILITIES:
                if trained is None or not isinstance(trained.model, ABILITIES[need]):
                    return f"{trained.model.name if trained else 'a set of samples'} has no {need}"
            elif getattr(self.truth, need, None) is None:
                name = self.dataset.name if self.dataset else "the reference"
                hint = "; name the data set that has it by --degrade NAME"
                hint = hint if need == "degrade" and not self.split else ""
                return f"{name} has no known {need}{hint}"
        return None

    def _find_loss(self, metric: Metric, fake: Side) -> str | None:
        """Why a metric cannot be computed of what is left of the points, or None."""
        sides = [side for side in (self.real, fake) if side.moments is not None]
        if metric.moments is not None or all(side.has_points for side in sides):
            return self._find_other_features(metric, fake) if metric.moments and sides else None
        if metric.view == "truth" and fake.has_points:
            return None
        label = next(side.label for side in sides if not side.has_points)
        return f"{metric.name} needs points, {label} holds a mean and a covariance alone"

    def _find_other_features(self, metric: Metric, fake: Side) -> str | None:
        """Why moments from a file are not those of these features, or None."""
        own = self.extractor.protocol
        sizes = []
        for side in (self.real, fake):
            moments = side.moments
            sizes.append(side.view("features").shape[1] if moments is None else len(moments.mean))
            if moments is not None and moments.features not in (None, own):
                return f"{side.label} holds statistics of {moments.features}, not of {own}"
        if len(set(sizes)) == 1:
            return None
        return f"{metric.name} needs features of one size, got {sizes[0]} and {sizes[1]} of {own}"

    def _find_excess(self, metric: Metric) -> str | None:
        """Why a metric's matrices of dimensions by dimensions do not fit into memory, or None."""
        if self.memory is None or not metric.matrices or not self.real.has_points:
            return None
        x = self.real.view(self._space(metric) or "").flatten(1)
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
        through_extractor = looks_through(metric) or self._space(metric) in EXTRACTED
        code = f" code={tag}" if (tag := tag_extractor(self.extractor)) else ""
        heads = [f"{self.extractor.protocol}{code}"] if through_extractor else []
        if metric.view == "points" and not self.split and not heads:
            heads = ["identity"]
        counts = self.real.count or None, fake.count or None
        heads.append(f"n={'/'.join(str(count or '?') for count in counts)}")
        if metric.moments is not None:
            files = [side.moments.label for side in (self.real, fake) if side.moments is not None]
            heads += [f"statistics of {label}" for label in files if label]
        heads += [self.tag] if self.tag else []
        if metric.view in PAIRED and self.tag and self.sources is not None:
            heads.append(f"sources={self.sources.digest[:8]}")
        heads += [f"map={self.known_by}"] if self.known_by and "degrade" in metric.needs else []
        heads += self.changes
        return Facts(heads, self.split, *counts)

    def _space(self, metric: Metric) -> str | None:
        return find_space(metric, through_features=self.through_features)

    def _arguments(self, metric: Metric, fake: Side, trained: Trained | None) -> tuple[Any, ...]:
        """What a metric is called with, by its view, as `core.metric.Metric` says."""
        if metric.view == "model":
            assert trained is not None
            trained = replace(trained, extractor=lambda: self.extractor)
            return trained, trained.dataset.points("test")
        space = self._space(metric) or ""
        if metric.view == "truth":
            return fake.view(space), self.truth
        real, samples = self.real.view(space), fake.view(space)
        if metric.view == "labelled":
            return real, samples, self.real.labels, fake.labels
        if metric.view == "pairs":
            assert self.sources is not None
            return self.sources.view(space), real, samples, self.truth
        if metric.view == "judged":
            assert self.sources is not None
            return self.sources.view(space), real, samples, self.classes, self.extractor
        if metric.view == "memory":
            assert self.train is not None
            return self.train.view(space), real, samples
        return real, samples


def _drawn(arguments: tuple[Any, ...], most: int, rng: Rng) -> tuple[Any, ...]:
    """A metric's arguments in which points are drawn at random where only the first ones would count.

    One more than count is kept, so that the metric sees that not all do; sets of one size are drawn alike.
    """
    least = min(most, *(len(x) for x in arguments if isinstance(x, Tensor)))
    return tuple(
        memmap.take(x, rng.fork("rows").permutation(len(x))[0][: least + 1])
        if isinstance(x, Tensor) and len(x) > least
        else x
        for x in arguments
    )


def known_truth(dataset: Dataset) -> Truth | None:
    """Returns a data set's truth; for tokens of unknown distribution, with n-grams of held-out points."""
    truth, tokens = dataset.truth, dataset.spec.tokens
    if tokens is None or (truth is not None and truth.n_grams is not None):
        return truth
    test = dataset.points("test").flatten(1)
    return replace(truth or Truth(), n_grams=lambda n: n_gram_law(test, n, tokens), counted=True)
