"""A data set without its test split, and scores against its validation split: what tuning may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.feature import Extractor
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.core.splits import check_splits
from genbench.core.trained import Trained
from genbench.evaluation.comparison import Reference
from genbench.evaluation.extractors import default_features, make_extractor
from genbench.evaluation.requests import MetricRequest
from genbench.evaluation.scoring import measure
from genbench.evaluation.side import Side
from genbench.store import Measurement


class WithoutTest(Dataset):
    """A data set whose validation split stands in the test split's place; test points cannot be had.

    Arguments:
        dataset: The data set.

    Raises:
        DataError: If it has no validation split, or one with points that are not finite.
        ContractError: If it is a user's, and the splits that are seen break its contract.
    """

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(data_dir=dataset.data_dir, offline=dataset.offline)
        self.whole, self.spec, self.truth = dataset, dataset.spec, dataset.truth
        self.alphabet, self.matched = dataset.alphabet, dataset.matched
        self.given = None if dataset.given is None else WithoutTest(dataset.given)
        self.base = None if dataset.base is None else WithoutTest(dataset.base)
        for name in ("name", "version", "stream"):
            setattr(self, name, getattr(dataset, name))
        points = dataset.points("validation")
        if not len(points):
            raise DataError(
                f"{dataset.name} has no validation split, so nothing can be tuned on it"
            )
        broken = int((~points.isfinite()).flatten(1).any(1).sum())
        if broken:
            raise DataError(
                f"{dataset.name} has NaN or infinity in {broken} of {len(points)} validation points, so "
                "nothing can be tuned on it; leave these points out of the split"
            )
        check_splits(dataset, ("train", "validation"))

    def points(self, split: str) -> Tensor:
        """Returns the training or the validation split; `test` is the validation split too."""
        return self.whole.points(_seen(split))

    def labels(self, split: str) -> Tensor | None:
        """Returns labels, likewise."""
        return self.whole.labels(_seen(split))

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns the data set's own draws."""
        return self.whole.draw(n, rng)

    def draw_pairs(self, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns the data set's own draws with their sources."""
        return self.whole.draw_pairs(n, rng)

    def unpaired_rows(self) -> tuple[Tensor, Tensor]:
        """Returns the data set's own halves."""
        return self.whole.unpaired_rows()

    def to_model(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        """Maps as the data set does."""
        return self.whole.to_model(x, rng)

    def to_data(self, y: Tensor) -> Tensor:
        """Maps as the data set does."""
        return self.whole.to_data(y)

    @property
    def log_volume(self) -> float:
        """The data set's."""
        return self.whole.log_volume


class ValidationScorer:
    """Scores samples and models against the validation split.

    Samples may be more than the validation points: these are the same for all that is compared, while
    samples bring noise of their own.

    Arguments:
        dataset: Without its test split.
        requests: Metrics with their options.
        features: The extractor; None takes what suits the data.
        samples: The largest number of validation points compared, and that of generated ones.
    """

    def __init__(
        self,
        dataset: WithoutTest,
        requests: Sequence[MetricRequest],
        *,
        samples: int,
        features: Part | None = None,
    ) -> None:
        self.dataset, self.requests, self.samples = dataset, list(requests), samples
        self.judged = dataset.base or dataset
        self.features = features or default_features(self.judged)
        real = dataset.points("validation")[:samples]
        self.dtype = real.dtype
        self.reference = Reference(
            self._side(real), dataset, split="test", without_sources=f"{dataset.name} has none"
        )
        if dataset.given is not None:
            sources = self._side(dataset.given.points("validation")[:samples])
            labels = dataset.labels("validation")
            classes = None if labels is None else labels[:samples]
            self.reference = replace(self.reference, sources=sources, classes=classes)

    def score(self, fake: Tensor, trained: Trained | None, rng: Rng) -> list[Measurement]:
        """Returns the measurements of one seed: samples in data space, (M, *event), and its model."""
        side = self._side(fake.to(self.dtype))
        return measure(
            [self.reference.make_call(request, side, rng, trained) for request in self.requests]
        )

    @cached_property
    def floors(self) -> list[Measurement]:
        """Returns what training points score in place of samples: no model is better but by chance."""
        train = self.dataset.points("train")
        order = Rng([0]).fork("validation-floor").permutation(len(train))[0]
        return self.score(train[order[: self.samples]], None, Rng([0]).fork("validation-floor"))

    @cached_property
    def extractor(self) -> Extractor:
        """The feature extractor, made on first use."""
        return make_extractor(self.features, self.judged)

    def _side(self, x: Tensor) -> Side:
        return Side.of(x, lambda: self.extractor)


def _seen(split: str) -> str:
    return "validation" if split == "test" else split
