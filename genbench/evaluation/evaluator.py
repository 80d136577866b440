"""Turns a trained model's samples into measurements with their protocols and floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.feature import Extractor
from genbench.core.guard import join_rows, unchanged
from genbench.core.metric import Score
from genbench.core.model import Model, Translator
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.core.trained import Trained, translate
from genbench.evaluation.comparison import Reference
from genbench.evaluation.extractors import default_features, make_extractor
from genbench.evaluation.floors import measure_floors
from genbench.evaluation.requests import MetricRequest
from genbench.evaluation.scoring import measure
from genbench.evaluation.side import Side
from genbench.store import Measurement

CHUNK = 2500


def draw(model: Model, dataset: Dataset, n: int, rng: Rng) -> Tensor:
    """Returns n samples per seed in data space on the CPU, shape (S, n, *event), in chunks.

    A translator's are made of the first n test sources, in order.
    """
    if isinstance(model, Translator) and dataset.given is not None:
        sources = dataset.given.points("test")[:n]
        return translate(model, dataset, sources, rng, batch=CHUNK)
    with torch.no_grad():
        parts = (
            dataset.to_data(model.sample(min(CHUNK, n - at), rng)) for at in range(0, n, CHUNK)
        )
        return join_rows(parts, n, f"model {model.name!r}")


class Evaluator:
    """Scores samples of one data set; everything that does not depend on the model is done once.

    Held-out points are the reference; the same number of points is taken from the model. Each score
    of two samples stands beside its floor, the same metric between the reference and as many real
    points that are not in it (a fresh draw of a stream, training points of a fixed set). Features are
    those of the data set's `base`, where it has one, so that the points of both are judged alike.

    Arguments:
        dataset: The data set.
        requests: The metrics with their options.
        samples: The largest number of points compared.
        features: The extractor; None takes `classifier` for labelled images, otherwise `identity`.
    """

    def __init__(
        self,
        dataset: Dataset,
        requests: Sequence[MetricRequest],
        *,
        samples: int,
        features: Part | None = None,
    ) -> None:
        self.dataset, self.requests = dataset, list(requests)
        self.judged = dataset.base or dataset
        self.features = features or default_features(self.judged)
        test = dataset.points("test")[:samples]
        self.n, self.dtype = len(test), test.dtype
        with unchanged(f"data set {dataset.name!r}", [test], code=type(dataset)):
            train = dataset.points("train")
        order = Rng([0]).fork("evaluator", "train").permutation(len(train))[0]
        source_data, labels = dataset.given, dataset.labels("test")
        reason = f"{dataset.name} is a stream without end, so nothing can be memorised"
        self.test = Reference(
            self._side(test),
            dataset,
            None if dataset.stream else self._side(train),
            without_train=reason,
            without_sources=f"{dataset.name} has none",
            split="test",
            sources=source_data and self._side(source_data.points("test")[:samples]),
            classes=None if source_data is None or labels is None else labels[:samples],
        )
        #: the training points as a reference, or None where they are too few
        self.train: Reference | None = None
        if len(train) >= self.n:
            side = self._side(train[order[: self.n]])
            self.train = replace(self.test, real=side, split="train", sources=None, classes=None)
        spare = dataset.points("validation") if dataset.stream else train[order.flip(0)]
        #: real points that are not in the reference, or None where they are too few
        self.spare = self._side(spare[: self.n]) if len(spare) >= self.n else None
        self._floors: dict[str, dict[str, Score]] = {}

    @cached_property
    def extractor(self) -> Extractor:
        """The feature extractor, made on first use (it may have to be trained)."""
        return make_extractor(self.features, self.judged)

    def score(
        self,
        fake: Tensor,
        trained: Trained | None,
        rng: Rng,
        *,
        requests: Sequence[MetricRequest] | None = None,
        beside: bool = True,
    ) -> list[Measurement]:
        """Returns all measurements of one seed.

        Arguments:
            fake: Samples in data space, shape (M, *event), M at least the reference's size.
            trained: The model, for metrics of view "model"; None leaves them null with a reason.
            rng: One seed's, for metrics that subsample.
            requests: Fewer metrics than the evaluator's, for re-scoring.
            beside: Whether floors and scores against training data are wanted too.
        """
        side = self._side(fake[: self.n].to(self.dtype))  # as samples are stored
        requests = self.requests if requests is None else requests
        floors = self._measure_floors(requests) if beside else {}
        calls = []
        for request in requests:
            call = self.test.make_call(request, side, rng, trained)
            facts = replace(call.facts, floors=floors.get(request.key, {}))
            calls.append(replace(call, facts=facts))
            if beside and self.train is not None and request.metric.train_reference:
                calls.append(self.train.make_call(request, side, rng, trained))
        return measure(calls)

    def _side(self, x: Tensor) -> Side:
        return Side.of(x, lambda: self.extractor)

    def _measure_floors(self, requests: Sequence[MetricRequest]) -> dict[str, dict[str, Score]]:
        """The scores of spare real points by the requests' keys; measured once."""
        if self.spare is None:
            return {}
        new = [request for request in requests if request.key not in self._floors]
        self._floors |= measure_floors(self.test, self.spare, new)
        return self._floors
