"""Turns a trained model's samples into measurements with their protocols and floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.feature import EXTRACTORS, Extractor, Logits
from genbench.core.metric import Metric, Score, Trained
from genbench.core.model import ABILITIES, Model
from genbench.core.rng import Rng
from genbench.evaluation.requests import EXTRACTED, SPACES, Ask, default_features, enter
from genbench.evaluation.scoring import Question, answers, known_truth, measured
from genbench.store import Measurement

CHUNK = 2500


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
        chosen = self.asks if asks is None else asks
        floors = self._floors_of(chosen) if beside else {}
        questions: list[Question] = []
        for entry in chosen:
            asked = self._question(entry, "test", views, trained, rng)
            told = {**asked.told, "floors": floors.get(entry.key, {})}
            questions.append(replace(asked, told=told))
            if beside and entry.metric.train_reference and "train" in self.references:
                questions.append(self._question(entry, "train", views, trained, rng))
        return measured(questions)

    def _question(
        self,
        ask: Ask,
        split: str,
        views: dict[str, Tensor],
        trained: Trained | None,
        rng: Rng,
    ) -> Question:
        """What is asked of samples, whose views are made as they are needed."""
        metric = ask.metric
        told = {
            "heads": self._heads(ask),
            "split": split,
            "n_real": self.n if metric.view not in ("truth", "model") else None,
            "n_fake": self.n if metric.view != "model" else None,
        }
        missing = self._missing(metric, trained)
        if missing:
            return Question(ask, lacking=missing, told=told)
        if metric.view == "model":
            assert trained is not None
            test = self.dataset.points("test")
            trained = replace(trained, extractor=lambda: self.extractor)
            return Question(ask, (trained, test), rng.fork("metric", metric.name), told=told)
        space = SPACES[metric.view]
        if space not in views:
            views[space] = enter(space, views["events"], self.extractor_of(space))
        return replace(self._compared(ask, split, views[space], rng), told=told)

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

    def _compared(self, ask: Ask, split: str, fake: Tensor, rng: Rng) -> Question:
        """What is asked of points that are in the metric's space already."""
        metric = ask.metric
        stream = rng.to("cpu").fork("metric", metric.name, split)
        if metric.view == "truth":
            return Question(ask, (fake, self.truth), stream)
        space = SPACES[metric.view]
        test = self._reference(space, split)
        before = (self._reference(space, "all"),) if metric.view == "memory" else ()
        return Question(ask, (*before, test, fake), stream)

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

    def _floors_of(self, asks: Sequence[Ask]) -> dict[str, dict[str, Score]]:
        """The scores of spare real points by the asks' keys; measured once."""
        if self.floor_points is None:
            return {}
        # what a memory metric has of real points it knows itself; spare ones may be of training
        new = [
            entry
            for entry in asks
            if entry.key not in self._floors
            and entry.metric.view not in ("model", "memory")
            and not self._missing(entry.metric, None)
        ]
        stream = Rng([0]).fork("floor")
        questions = [
            self._compared(
                entry, "test", self._reference(SPACES[entry.metric.view], "floor"), stream
            )
            for entry in new
        ]
        for entry, (scores, _) in zip(new, answers(questions), strict=True):
            self._floors[entry.key] = scores
        return self._floors

    def _heads(self, ask: Ask) -> list[str]:
        view = ask.metric.view
        heads = [self.extractor.protocol] if SPACES.get(view) in EXTRACTED else []
        return heads if view in ("truth", "model") else [*heads, f"n={self.n}/{self.n}"]
