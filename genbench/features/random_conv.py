"""Features of a convolutional network that nobody trains."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.feature import Extractor, extractor
from genbench.core.rng import Rng
from genbench.features._images import images

ROWS = 256
WIDTHS = (32, 64, 128)


@extractor("random_conv")
class RandomConv(Extractor):
    """Three strided 3×3 convolutions of fixed random weights, each layer's mean and spread per channel.

    It needs neither labels nor training nor a download, so that it works on any images and cannot
    have seen any; He-normal weights from one fixed seed, leaky ReLU, 448 features.

    References:
        | Reliable Fidelity and Diversity Metrics for Generative Models (Naeem et al., 2020), on
        | embeddings by networks of random weights

    Arguments:
        dataset: Its image shape lets flattened points be given; None for arrays (N, C, H, W).
    """

    def __init__(self, dataset: Dataset | None = None) -> None:
        super().__init__(dataset)
        if dataset is not None and not dataset.spec.is_image:
            raise DataError(
                f"random_conv needs images, got {dataset.name} of shape {dataset.spec.event}; "
                f"use the identity extractor"
            )

    @property
    def protocol(self) -> str:
        """Name and version: the weights follow from them."""
        return f"{self.name}@{self.version}"

    @torch.no_grad()
    def extract(self, x: Tensor) -> Tensor:
        """Maps images (N, C, H, W) in [0, 1], 1 or 3 channels, to features (N, 448), float32."""
        x = images(self.name, x, self.dataset)
        colour = x.float().expand(-1, 3, -1, -1) if x.shape[1] == 1 else x.float()
        return torch.cat([self._features(part) for part in colour.split(ROWS)])

    def _features(self, x: Tensor) -> Tensor:
        x, moments = 2 * x - 1, []
        for i, weight in enumerate(self._weights):
            x = functional.conv2d(x, weight.to(x.device), padding=1, stride=1 if i == 0 else 2)
            x = functional.leaky_relu(x, 0.2)
            moments += [x.mean((2, 3)), x.var((2, 3), correction=0).sqrt()]
        return torch.cat(moments, dim=1)

    @cached_property
    def _weights(self) -> list[Tensor]:
        rng, inputs, weights = Rng([0]).fork("random_conv", self.version), 3, []
        for i, outputs in enumerate(WIDTHS):
            weight = rng.fork("layer", i).normal(outputs, inputs, 3, 3)[0]
            weights.append(weight * (2 / (9 * inputs)) ** 0.5)
            inputs = outputs
        return weights
