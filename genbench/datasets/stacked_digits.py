"""A thousand modes: stacks of three real handwritten digits."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import DATASETS, DataSpec, ImageDataset, dataset
from genbench.core.feature import EXTRACTORS
from genbench.core.quality import Beside, Quality
from genbench.core.rng import Rng
from genbench.core.truth import Classified, Truth
from genbench.datasets._digits import LEVELS, SIZES, digit_splits

CLASSES = 10


@dataset("stacked_digits")
class StackedDigits(ImageDataset):
    """Images of three channels, each a random digit of 8×8 pixels: 1,000 modes, equally likely.

    A stream: every draw stacks other digits of the training split; the validation and test splits are
    fixed draws of stacks of their own digits. Which mode a point belongs to is said by the classifier
    that genbench trains on `digits`, for each channel; what it makes of real stacks of unseen digits
    is the floor that scores are to be read against. It names noise too: a Gaussian of the data's mean and
    covariance reaches nine modes in ten, so read counts of modes beside that row.

    References:
        | Unrolled Generative Adversarial Networks (Metz et al., 2017), section 3.3.1
        | PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018),
        | section 4.2

    Differences: scikit-learn's digits of 8×8 pixels in place of MNIST's; a digit's class is drawn
    before the digit, so that modes are equally likely where the published stacks follow MNIST's
    uneven classes; the classifier is our own.
    """

    stream = True
    stream_size = 26_000
    paper = "Metz et al., 2017; Lin et al., 2018"
    levels = LEVELS
    #: as published: the divergence of the modes' histogram, and nearly all modes
    quality = Quality(("reverse_kl",), (Beside("modes_strict", 0.9),))
    spec = DataSpec(
        "stacked_digits", (3, 8, 8), range=(0.0, 1.0), levels=LEVELS, dequantisation="uniform"
    )

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        modes = Classified(CLASSES**3, self.mode_of, lambda: self.classifier.protocol)
        self.truth = Truth(box=(0.0, 1.0), classified=modes)

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns a fixed draw of `stream_size` stacks per split, with their modes' numbers."""
        splits = {}
        for split in SIZES:
            rng = Rng([0]).fork("dataset", self.name, split)
            pixels, modes = self._stack(split, self.stream_size, rng)
            splits[split] = pixels[0], modes[0]
        return splits

    def labels(self, split: str) -> Tensor | None:
        """Returns None: models are not told the modes."""
        return None

    def modes(self, split: str) -> Tensor:
        """Returns the true modes of a split's stacks, 100 a + 10 b + c, int64, shape (N,)."""
        return self._splits[split][1]

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n stacks of training digits per seed, shape (S, n, 3, 8, 8)."""
        return self._stack("train", n, rng)[0].to(rng.dtype) / (LEVELS - 1)

    @cached_property
    def classifier(self) -> Any:
        """The extractor that classifies single digits, trained on first use."""
        return EXTRACTORS.get("classifier")(DATASETS.get("digits")())

    def mode_of(self, x: Tensor) -> Tensor:
        """Returns the modes that the classifier sees in points (N, 3, 8, 8) or (N, 192), shape (N,)."""
        digits = self.classifier.logits(x.reshape(-1, 1, 8, 8).float()).argmax(-1).view(-1, 3)
        return number_of(digits)

    @cached_property
    def _by_class(self) -> dict[str, tuple[Constant, ...]]:
        """Each split's digits sorted by class, with every class's first row and number of rows."""
        classes = {}
        for split, (pixels, labels) in digit_splits().items():
            counts = torch.bincount(labels, minlength=CLASSES)
            rows = pixels[labels.argsort(stable=True), 0]
            parts = rows, counts.cumsum(0) - counts, counts
            classes[split] = tuple(map(Constant, parts))
        return classes

    def _stack(self, split: str, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Levels (S, n, 3, 8, 8), uint8, and modes (S, n) of stacks of a split's digits."""
        pixels, first, counts = (part.on(rng.device) for part in self._by_class[split])
        kind = rng.integers(CLASSES, n, 3)
        rows = first[kind] + (rng.uniform(n, 3) * counts[kind]).long().clamp_max(counts[kind] - 1)
        return pixels[rows], number_of(kind)


def number_of(digits: Tensor) -> Tensor:
    """Returns 100 a + 10 b + c of three digits, shape (…, 3) to (…)."""
    a, b, c = digits.unbind(-1)
    return 100 * a + 10 * b + c
