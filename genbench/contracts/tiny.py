"""Data sets so small that densities given a source can be summed, or integrated in the plane."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from genbench.core.dataset import Dataset, DataSpec
from genbench.core.rng import Rng

#: letters of a word, words' length, the share of letters that are what the image says, and an image's side
LETTERS, LENGTH, TRUE, SIDE = 3, 3, 0.8, 8
#: the deviation of a point from its source
WIDTH = 0.3


class Shown(Dataset):
    """The sources of a tiny data set, in the same space for models.

    Arguments:
        whole: The data set.
        spec: Of a source.
    """

    def __init__(self, whole: Tiny, spec: DataSpec) -> None:
        super().__init__()
        self.whole, self.spec = whole, spec
        self.name = spec.name  # type: ignore[misc]

    def points(self, split: str) -> Tensor:
        """Returns the sources of a split."""
        return self.whole.pairs_of(split)[1]


class Tiny(Dataset):
    """A stream of pairs; subclasses set `name` and `spec`, with its source, and write `draw_pairs`."""

    stream: ClassVar[bool] = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        assert self.spec.source is not None
        self.given = Shown(self, self.spec.source)

    def pairs_of(self, split: str) -> tuple[Tensor, Tensor]:
        """Returns a fixed draw of points and sources."""
        x, source = self.draw_pairs(1000, Rng([0]).fork("dataset", self.name, split))
        return x[0], source[0]

    def points(self, split: str) -> Tensor:
        """Returns the points of a split."""
        return self.pairs_of(split)[0]

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n points per seed."""
        return self.draw_pairs(n, rng)[0]


class Letters(Tiny):
    """Words of three letters of three, each most often the one that the brightness of an image says."""

    name = "tiny_words"
    spec = DataSpec(
        name,
        (LENGTH,),
        "tokens",
        tokens=LETTERS,
        source=DataSpec(f"{name} sources", (1, SIDE, SIDE), range=(0.0, 1.0)),
    )

    def draw_pairs(self, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns n words per seed and their images, of one brightness but for noise."""
        letter, noise = rng.integers(LETTERS, n), rng.uniform(n, 1, SIDE, SIDE)
        free = rng.integers(LETTERS, n, LENGTH)
        words = torch.where(rng.uniform(n, LENGTH) < TRUE, letter.unsqueeze(-1), free)
        light = letter[..., None, None, None].to(rng.dtype) / LETTERS
        return words, light + noise / LETTERS


class Dots(Tiny):
    """Points of the plane about others."""

    name = "tiny_dots"
    spec = DataSpec(name, (2,), source=DataSpec(f"{name} sources", (2,)))

    def draw_pairs(self, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns n points per seed and the points, drawn from a normal distribution, that they are about."""
        source = rng.normal(n, 2)
        return source + WIDTH * rng.normal(n, 2), source


#: by name; no model is checked on them but where densities given a source are
TINY: dict[str, type[Tiny]] = {cls.name: cls for cls in (Letters, Dots)}
