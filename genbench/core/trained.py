"""A trained model as metrics see it: in data space, beside the data set it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.feature import Extractor
from genbench.core.guard import join_rows
from genbench.core.model import Density, Model, Translator
from genbench.core.rng import Rng


@dataclass(frozen=True)
class Trained:
    """A trained model of one seed and the data set it was trained on: what `model` metrics see.

    Arguments:
        model: Of one seed, in evaluation mode.
        dataset: What it was trained on.
        extractor: Gives the evaluation's feature extractor, made on the first call; None has none.
    """

    model: Model
    dataset: Dataset
    extractor: Callable[[], Extractor] | None = None

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns n samples in data space, shape (n, *event)."""
        return self.dataset.to_data(self.model.sample(n, rng))[0]

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns a point for each source, (N, *event) for (N, *source.event), both in data space.

        Raises:
            DataError: If the model is not a Translator.
        """
        return translate(self.model, self.dataset, source, rng)[0]

    @torch.no_grad()
    def log_prob(self, x: Tensor, rng: Rng, *, batch: int = 512) -> Tensor:
        """Returns log p(x) in nats for points in data space, shape (N, *event): float64, shape (N,).

        A value is exact, a bound or an estimate, as the model's `bound` says.

        Raises:
            DataError: If the model is not a Density.
        """
        if not isinstance(self.model, Density):
            raise DataError(f"log_prob needs a model that is a Density, got {self.model.name}")
        noise, own = rng.fork("dequantise"), rng.fork("model")
        values = []
        for part in x.split(batch):
            part = part.to(rng.device, rng.dtype if part.is_floating_point() else part.dtype)
            y = self.dataset.to_model(part.unsqueeze(0), noise)
            values.append(self.model.log_prob(y, own)[0].double() + self.dataset.log_volume)
        return torch.cat(values)


@torch.no_grad()
def translate(
    model: Model, dataset: Dataset, source: Tensor, rng: Rng, *, batch: int = 2500
) -> Tensor:
    """Returns what a model makes of sources, in data space on the CPU, shape (S, N, *event).

    Grey levels of sources go to the middles of their cells: no noise is drawn for them.

    Arguments:
        model: A Translator of S seeds.
        dataset: What it was trained on.
        source: In data space, shape (N, *source.event), the same for all seeds.
        rng: The model's own noise.
        batch: How many sources go through the model at once.

    Raises:
        DataError: If the model is not a Translator, or the data set has no sources.
    """
    if not isinstance(model, Translator) or dataset.given is None:
        raise DataError(f"{model.name} translates nothing on {dataset.name}; take a Translator")
    source_data = dataset.given

    def make(part: Tensor) -> Tensor:
        part = part.to(rng.device, rng.dtype if part.is_floating_point() else part.dtype)
        y = source_data.to_model(part.unsqueeze(0))
        return dataset.to_data(model.translate(y.expand(len(rng), *y.shape[1:]), rng))

    return join_rows(map(make, source.split(batch)), len(source), f"model {model.name!r}")
