"""Turns a trained model, or two arrays, into measurements with their protocols and floors."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from genbench.core import options
from genbench.core.dataset import Dataset, Truth
from genbench.core.errors import ContractError
from genbench.core.feature import EXTRACTORS, Extractor, Logits
from genbench.core.metric import Column, Metric, Score, Trained, find
from genbench.core.model import ABILITIES, Model
from genbench.core.rng import Rng
from genbench.core.spec import Part, canonical
from genbench.core.tokens import n_gram_law
from genbench.store import Measurement

CHUNK = 2500
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


def ask(parts: Sequence[Part], *, samples: int = 0, features: str | None = None) -> list[Ask]:
    """Returns what a list of metrics with options asks, each metric once, options checked."""
    asks: dict[tuple[str, str], Ask] = {}
    for part in parts:
        for entry in find([part.name]):
            chosen = options.resolve(entry.function, part.options, who=f"metric {part.name}")
            chosen.pop("rng", None)
            asks[entry.name, canonical(chosen)] = Ask(entry, chosen, samples, features)
    return list(asks.values())


def draw(model: Model, dataset: Dataset, n: int, rng: Rng) -> Tensor:
    """Returns n samples a seed in data space on the CPU, shape (S, n, *event), in chunks."""
    with torch.no_grad():
        parts = [
            dataset.to_data(model.sample(min(CHUNK, n - at), rng)).cpu()
            for at in range(0, n, CHUNK)
        ]
    return torch.cat(parts, dim=1)


class Evaluator:
    """Scores samples of one data set; everything that does not depend on the model is done once.

    Held-out points are the reference; the same number of points is taken from the model. Each score
    of two samples stands beside its floor, the same metric between the reference and as many real
    points that are not in it (a fresh draw of a stream, training points of a fixed set).

    Arguments:
        dataset: The data set.
        asks: The metrics with their options.
        samples: The largest number of points compared.
        features: The extractor's name; None takes `classifier` for labelled images, else `identity`.
    """

    def __init__(
        self, dataset: Dataset, asks: Sequence[Ask], *, samples: int, features: str | None = None
    ) -> None:
        self.dataset, self.asks = dataset, list(asks)
        self.references = {"test": dataset.points("test")[:samples]}
        self.n = len(self.references["test"])
        train = dataset.points("train")
        chosen = Rng([0]).fork("evaluator", "train").permutation(len(train))[0]
        if len(train) >= self.n:
            self.references["train"] = train[chosen[: self.n]]
        spare = dataset.points("validation") if dataset.stream else train[chosen.flip(0)]
        self.floor_points = spare[: self.n] if len(spare) >= self.n else None
        self.truth = known_truth(dataset)
        self.features_name = features or default_features(dataset)
        self._extractor: Extractor | None = None
        self._spaces: dict[tuple[str, str], Tensor] = {}
        self._floors: dict[str, dict[str, Score]] = {}

    @property
    def extractor(self) -> Extractor:
        """The feature extractor, made on first use (it may have to be trained)."""
        if self._extractor is None:
            self._extractor = EXTRACTORS.get(self.features_name)(self.dataset)
        return self._extractor

    def score(
        self,
        fake: Tensor,
        trained: Trained | None,
        rng: Rng,
        *,
        asks: Sequence[Ask] | None = None,
        beside: bool = True,
    ) -> list[Measurement]:
        """Returns all measurements of one seed.

        Arguments:
            fake: Samples in data space, shape (M, *event), M at least the reference's size.
            trained: The model, for metrics of view "model"; None leaves them null with a reason.
            rng: One seed's, for metrics that subsample.
            asks: Fewer metrics than the evaluator's, for re-scoring.
            beside: Whether floors and scores against training data are wanted too.
        """
        fake = fake[: self.n].to(self.references["test"].dtype)  # as samples are stored
        views = {"events": fake}
        out: list[Measurement] = []
        for ask in self.asks if asks is None else asks:
            splits = ["test"]
            if beside and ask.metric.train_reference and "train" in self.references:
                splits.append("train")
            for split in splits:
                floors = self._floor(ask) if beside and split == "test" else {}
                out += self._score_one(ask, split, views, trained, rng, floors)
        return out

    def _score_one(
        self,
        ask: Ask,
        split: str,
        views: dict[str, Tensor],
        trained: Trained | None,
        rng: Rng,
        floors: Mapping[str, Score],
    ) -> list[Measurement]:
        began = time.perf_counter()
        metric = ask.metric
        missing = self._missing(metric, trained)
        if missing:
            scores = dict.fromkeys(metric.columns, Score(None, reason=missing))
        elif metric.view == "model":
            assert trained is not None
            test = self.dataset.points("test")
            trained = replace(trained, extractor=lambda: self.extractor)
            scores = call(ask, trained, test, rng=rng.fork("metric", metric.name))
        else:
            space = SPACES[metric.view]
            if space not in views:
                views[space] = enter(space, views["events"], self.extractor_of(space))
            scores = self._compare(ask, split, views[space], rng)
        seconds = (time.perf_counter() - began) / len(scores)
        heads = self._heads(ask)
        return [
            measurement(
                ask,
                column,
                scores[column],
                heads=heads,
                split=split,
                floor=floors[column].value if column in floors else None,
                n_real=self.n if metric.view not in ("truth", "model") else None,
                n_fake=self.n if metric.view != "model" else None,
                seconds=seconds,
            )
            for column in metric.columns
        ]

    def _missing(self, metric: Metric, trained: Trained | None) -> str | None:
        if metric.view == "model" and trained is None:
            return f"{metric.name} needs a model, got samples alone"
        if self.dataset.spec.kind == "tokens" and metric.view not in ("truth", "model"):
            return f"{metric.name} compares numbers, {self.dataset.name} holds tokens"
        if metric.view == "logits" and not isinstance(self.extractor, Logits):
            return f"the extractor {self.features_name} has no class logits"
        if metric.view == "memory" and self.dataset.stream:
            return f"{self.dataset.name} is a stream without end, so nothing can be memorised"
        return self._lacking(metric, trained)

    def _lacking(self, metric: Metric, trained: Trained | None) -> str | None:
        for need in metric.needs:
            if need in ABILITIES:
                if trained is None or not isinstance(trained.model, ABILITIES[need]):
                    return (
                        f"{trained.model.name if trained else 'a folder of samples'} has no {need}"
                    )
            elif getattr(self.truth, need, None) is None:
                return f"{self.dataset.name} has no known {need}"
        return None

    def _compare(self, ask: Ask, split: str, given: Tensor, rng: Rng) -> dict[str, Score]:
        metric = ask.metric
        stream = rng.to("cpu").fork("metric", metric.name, split)
        if metric.view == "truth":
            return call(ask, given, self.truth, rng=stream)
        space = SPACES[metric.view]
        test = self._reference(space, split)
        if metric.view == "memory":
            return call(ask, self._reference(space, "all"), test, given, rng=stream)
        return call(ask, test, given, rng=stream)

    def _reference(self, space: str, split: str) -> Tensor:
        """Points of a split (`all`: the whole training set; `floor`) in a space; extracted once."""
        known = {**self.references, "floor": self.floor_points}
        points = self.dataset.points("train") if split == "all" else known[split]
        assert points is not None
        if space not in EXTRACTED:
            return enter(space, points, None)
        if (space, split) not in self._spaces:
            self._spaces[space, split] = enter(space, points, self.extractor)
        return self._spaces[space, split]

    def extractor_of(self, space: str) -> Extractor | None:
        """Returns the extractor for a space that depends on one, else None (it may not be made)."""
        return self.extractor if space in EXTRACTED else None

    def _floor(self, ask: Ask) -> dict[str, Score]:
        key = ask.key
        # what a memory metric has of real points it knows itself; spare ones may be of training
        knows = ask.metric.view in ("model", "memory")
        if knows or self.floor_points is None or self._missing(ask.metric, None):
            return {}
        if key not in self._floors:
            points = self._reference(SPACES[ask.metric.view], "floor")
            self._floors[key] = self._compare(ask, "test", points, Rng([0]).fork("floor"))
        return self._floors[key]

    def _heads(self, ask: Ask) -> list[str]:
        view = ask.metric.view
        heads = [self.extractor.protocol] if SPACES.get(view) in EXTRACTED else []
        return heads if view in ("truth", "model") else [*heads, f"n={self.n}/{self.n}"]


def known_truth(dataset: Dataset) -> Truth | None:
    """Returns a data set's truth; for tokens without a known law, with n-grams counted in held-out points."""
    truth, tokens = dataset.truth, dataset.spec.tokens
    if tokens is None or (truth is not None and truth.n_grams is not None):
        return truth
    held = dataset.points("test").flatten(1)
    return replace(truth or Truth(), n_grams=lambda n: n_gram_law(held, n, tokens), counted=True)


def enter(space: str, x: Tensor, extractor: Extractor | None) -> Tensor:
    """Returns points (N, *event) in a space of `SPACES`."""
    if space == "logits" and isinstance(extractor, Logits):
        return extractor.logits(x)
    if space == "features" and extractor is not None:
        return extractor.extract(x)
    return x.flatten(1) if space == "points" else x


def call(ask: Ask, *given: Any, rng: Rng) -> dict[str, Score]:
    """Calls a metric and returns a Score a declared column.

    Raises:
        ContractError: If it returns other columns than it declares.
    """
    with torch.no_grad():
        result = ask.metric.function(*given, rng=rng, **ask.options)
    if not isinstance(result, Mapping):
        result = {ask.metric.name: result}
    if set(result) != set(ask.metric.columns):
        raise ContractError(
            f"metric {ask.metric.name!r} needs to return {sorted(ask.metric.columns)}, got {sorted(result)}"
        )
    return {
        key: value if isinstance(value, Score) else Score(float(value))
        for key, value in result.items()
    }


def measurement(
    ask: Ask,
    column: str,
    score: Score,
    *,
    heads: Sequence[str] = (),
    split: str = "test",
    floor: float | None = None,
    n_real: int | None = None,
    n_fake: int | None = None,
    seconds: float = 0.0,
) -> Measurement:
    """Returns the record's row for one score; numbers that are not finite become null.

    Its protocol is the `heads` (extractor, numbers of points), then every option and every fact of
    the score's own, each once: where both name a key, the score knows what was really used.
    """
    meaning: Column = ask.metric.columns[column]
    value, reason = score.value, score.reason
    if value is not None and not math.isfinite(value):
        value, reason = None, f"{column} is {value}"
    facts = {**dict(sorted(ask.options.items())), **score.protocol}
    return Measurement(
        id=column,
        metric=ask.metric.name,
        version=ask.metric.version,
        key=ask.key,
        protocol=", ".join([*heads, *(f"{key}={_short(item)}" for key, item in facts.items())]),
        split="train" if split == "train" else "test",
        value=value,
        stderr=score.stderr if value is not None else None,
        floor=floor if floor is not None else score.floor,
        reason=reason,
        n_real=n_real,
        n_fake=n_fake,
        better=meaning.better,
        unit=meaning.unit,
        kind=score.kind,
        seconds=seconds,
    )


def default_features(dataset: Dataset) -> str:
    """Returns the extractor for a data set: its own classifier for labelled images, else identity."""
    return "classifier" if dataset.spec.is_image and dataset.spec.classes else "identity"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
