"""Measurements of cell nuclei of benign and malignant tumours, a table from scikit-learn's own package."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import Dataset, DataSpec, dataset
from genbench.core.rng import Rng

ROWS = {"train": slice(0, 300), "validation": slice(300, 369), "test": slice(369, 569)}


@dataset("breast_cancer")
class BreastCancer(Dataset):
    """569 tumours of two classes, 30 measurements each, from scikit-learn (300 / 69 / 200).

    Models see every column less its mean and divided by its deviation, of the training rows.

    References:
        | Nuclear Feature Extraction for Breast Tumor Diagnosis (Street et al., 1993), UCI repository
    """

    paper = "Street et al., 1993"
    spec = DataSpec("breast_cancer", (30,), classes=2)

    @cached_property
    def table(self) -> tuple[Tensor, Tensor]:
        """The rows in a fixed random order, float32 (569, 30), and their classes, int64 (569,)."""
        from sklearn.datasets import load_breast_cancer

        data: Any = load_breast_cancer()
        order = Rng([0]).fork("dataset", self.name).permutation(len(data.target))[0]
        x = torch.as_tensor(data.data, dtype=torch.float32)
        return x[order], torch.as_tensor(data.target).long()[order]

    def points(self, split: str) -> Tensor:
        """Returns a split's rows, shape (N, 30), float32."""
        return self.table[0][ROWS[split]]

    def labels(self, split: str) -> Tensor:
        """Returns a split's classes, shape (N,), int64: 1 for benign."""
        return self.table[1][ROWS[split]]

    @cached_property
    def scale(self) -> tuple[Constant, Constant]:
        """Mean and deviation of every column of the training rows, (30,) each, float64."""
        x = self.points("train").double()
        return Constant(x.mean(0)), Constant(x.std(0))

    def to_model(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        """Subtracts the columns' means and divides by their deviations."""
        mean, deviation = (value.like(x) for value in self.scale)
        return (x - mean) / deviation

    def to_data(self, y: Tensor) -> Tensor:
        """Undoes `to_model`."""
        mean, deviation = (value.like(y) for value in self.scale)
        return y * deviation + mean

    @property
    def log_volume(self) -> float:
        """Minus the sum of the deviations' logarithms."""
        return -float(self.scale[1].x.log().sum())
