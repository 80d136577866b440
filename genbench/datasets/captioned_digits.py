"""Digits with captions, to be made from each other."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import DATASETS, Dataset, DataSpec, ImageDataset, dataset
from genbench.core.derived import Sources
from genbench.core.feature import EXTRACTORS
from genbench.core.quality import Beside, Quality
from genbench.core.rng import Rng
from genbench.core.truth import Described, Truth
from genbench.datasets._digits import LEVELS, SIZES, digit_splits

SIDE, SIZE = 8, 16
#: the words of a caption, place by place: those of one meaning stand together
PLACES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("the", "a"),),
    (("bright", "light"), ("dim", "dark")),
    tuple(
        (w,)
        for w in ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    ),
    (("at",),),
    (("upper", "top"), ("lower", "bottom")),
    (("left",), ("right",)),
)
#: the places of a caption that say an attribute
ATTRIBUTES = {"brightness": 1, "digit": 2, "vertical": 4, "horizontal": 5}
#: how many values each of them has
KINDS = tuple(len(PLACES[place]) for place in ATTRIBUTES.values())
WORDS = tuple(word for place in PLACES for meaning in place for word in meaning)
#: the free choices between two words of one meaning: article, brightness, vertical
ENTROPY = 3 * math.log(2)
#: the four brightest pixels of a bright digit have a mean above it, those of a dim one below
BRIGHT = 0.7


@dataset("captioned_digits")
class CaptionedDigits(Dataset):
    """A digit in a corner of 16×16 pixels, bright or dim, and a caption such as "a dim three at top left".

    A stream: a digit of the training split, corner and brightness are drawn afresh; captions of six words
    say all three, with synonyms at random, so that the entropy of a caption given its image is known, 3 ln 2
    = 2.079 nats. What an image shows is read from the brightest quadrant, its brightest pixels and, for the
    digit, by the classifier that genbench trains on `digits`; captions are read exactly.

    References:
        | Generative Adversarial Text to Image Synthesis (Reed et al., 2016), and Show and Tell (Vinyals et
        | al., 2015), for the tasks

    Differences: scikit-learn's digits and captions of a small grammar, whose meaning is known, in place of
    photographs of birds and sentences of people.

    Arguments:
        to: What is to be made: `image` from captions, `text` from images, or `image_of_attributes` from what
            captions say, an oracle's reading of them: 16 numbers, 0 or 1, for brightness, digit and corner.
    """

    quality = Quality(("fid", "caption_nll"), (Beside("caption_accuracy"),))

    stream = True
    stream_size = 10_000
    paper = "Reed et al., 2016"

    def __init__(
        self,
        *,
        to: Literal["image", "text", "image_of_attributes"] = "image",
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.to, words = to, to != "image_of_attributes"
        grey = {"range": (0.0, 1.0), "levels": LEVELS}
        text, event = {"kind": "tokens", "tokens": len(WORDS)}, (len(PLACES),)
        if to != "text":
            name = "captioned_digits sources"
            told = DataSpec(name, (sum(KINDS),), range=(0.0, 1.0))
            source = DataSpec(name, event, **text) if words else told
            self.spec = DataSpec(
                self.name, (1, SIZE, SIZE), **grey, dequantisation="uniform", source=source
            )
            self.given = _Captions(source, lambda split: self._say(self._pairs[split][1]))
            self.given.alphabet = WORDS if words else ""
            described = Described(
                tuple(ATTRIBUTES),
                self._see,
                lambda source, x: parse(source.cpu()) if words else decode(source),
            )
        else:
            source = DataSpec("captioned_digits sources", (1, SIZE, SIZE), **grey)
            self.spec = DataSpec(self.name, event, **text, source=source)
            self.alphabet = WORDS
            self.given = Sources(source, lambda: {k: x for k, (x, _) in self._pairs.items()})
            described = Described(
                tuple(ATTRIBUTES),
                lambda x: parse(x.cpu()),
                lambda source, x: parse(x.cpu()),
                entropy=ENTROPY,
            )
        self.truth = Truth(box=(0.0, 1.0) if to != "text" else None, described=described)
        self.pictures = _Pictures(self.spec if to != "text" else source)

    def points(self, split: str) -> Tensor:
        """Returns a fixed draw of `stream_size` points: images in [0, 1] or captions."""
        levels, words = self._pairs[split]
        return levels.float() / (LEVELS - 1) if self.to != "text" else words

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n points per seed, shape (S, n, *event)."""
        return self.draw_pairs(n, rng)[0]

    def draw_pairs(self, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns n points per seed with their sources, one of them images, the other captions."""
        levels, words = self._describe("train", n, rng)
        x = levels.to(rng.dtype) / (LEVELS - 1)
        return (x, self._say(words)) if self.to != "text" else (words, x)

    def to_model(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        """Dequantises images; captions stay."""
        return self.pictures.to_model(x, rng) if self.to != "text" else x

    def to_data(self, y: Tensor) -> Tensor:
        """Clips and quantises images; captions stay."""
        return self.pictures.to_data(y) if self.to != "text" else y

    @property
    def log_volume(self) -> float:
        """That of images; of captions 0."""
        return self.pictures.log_volume if self.to != "text" else 0.0

    @cached_property
    def classifier(self) -> Any:
        """The extractor that classifies single digits, trained on first use."""
        return EXTRACTORS.get("classifier")(DATASETS.get("digits")())

    @cached_property
    def _pairs(self) -> dict[str, tuple[Tensor, Tensor]]:
        """A fixed draw per split: images (N, 1, 16, 16), uint8, and captions (N, 6), int64."""
        pairs = {}
        for split in SIZES:
            rng = Rng([0]).fork("dataset", self.name, split)
            levels, words = self._describe(split, self.stream_size, rng)
            pairs[split] = levels[0], words[0]
        return pairs

    @cached_property
    def _digits(self) -> dict[str, tuple[Constant, Constant]]:
        return {
            split: (Constant(x[:, 0]), Constant(y)) for split, (x, y) in digit_splits().items()
        }

    def _describe(self, split: str, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Levels (S, n, 1, 16, 16), uint8, and captions (S, n, 6)."""
        pixels, labels = (part.on(rng.device) for part in self._digits[split])
        row, dim = rng.integers(len(pixels), n), rng.integers(2, n)
        corner = rng.integers(2, n, 2)
        digit = pixels[row]
        digit = torch.where(dim[..., None, None] > 0, digit // 2, digit)
        place = torch.arange(SIZE, device=rng.device) // SIDE
        down, right = (place == corner[..., k, None] for k in range(2))
        tiled = digit.repeat(1, 1, SIZE // SIDE, SIZE // SIDE)
        levels = torch.where(down.unsqueeze(-1) & right.unsqueeze(-2), tiled, 0).unsqueeze(2)
        free = rng.integers(2, n, 3)
        words = (
            free[..., 0],
            2 + 2 * dim + free[..., 1],
            6 + labels[row],
            torch.full_like(row, 16),
            17 + 2 * corner[..., 0] + free[..., 2],
            21 + corner[..., 1],
        )
        return levels.to(torch.uint8), torch.stack(words, -1)

    def _say(self, words: Tensor) -> Tensor:
        """Captions (…, 6) as sources: as they are, or what they say as numbers."""
        return encode(words) if self.to == "image_of_attributes" else words

    def _see(self, x: Tensor) -> Tensor:
        """The attributes of images (N, 1, 16, 16), (N, 4): brightness, digit, vertical, horizontal."""
        quadrants = x.cpu().float().unfold(2, SIDE, SIDE).unfold(3, SIDE, SIDE)[:, 0].flatten(1, 2)
        which = quadrants.sum((2, 3)).argmax(1)
        digit = quadrants[torch.arange(len(x)), which]
        dim = digit.flatten(1).topk(4).values.mean(1) < BRIGHT
        light = torch.where(dim[:, None, None], (2 * digit).clamp_max(1), digit)
        label = self.classifier.logits(light.unsqueeze(1)).argmax(-1).cpu()
        return torch.stack([dim.long(), label, which // 2, which % 2], -1)


class _Pictures(ImageDataset):
    """The two spaces of images, without any."""

    levels = LEVELS

    def __init__(self, spec: DataSpec) -> None:
        super().__init__()
        self.spec = spec

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns none."""
        return {}


class _Captions(Dataset):
    """Captions as sources.

    Arguments:
        spec: Of tokens, or of what they say.
        load: Maps a split to its captions.
    """

    def __init__(self, spec: DataSpec, load: Any) -> None:
        super().__init__()
        self.spec, self._load = spec, load
        self.name = spec.name  # type: ignore[misc]

    def points(self, split: str) -> Tensor:
        """Returns the captions of a split."""
        return self._load(split)


def _meanings() -> Tensor:
    """What every word says at every place, (6, 23); -1 where it is not of that place."""
    meanings, at = torch.full((len(PLACES), len(WORDS)), -1), 0
    for place, groups in enumerate(PLACES):
        for meaning, synonyms in enumerate(groups):
            meanings[place, at : at + len(synonyms)] = meaning
            at += len(synonyms)
    return meanings


MEANINGS = Constant(_meanings())


def parse(words: Tensor) -> Tensor:
    """Returns what captions (N, 6) say, int64, (N, 4); all -1 where a word is unknown or not of its place."""
    inside = (words >= 0) & (words < len(WORDS))
    meanings = MEANINGS.on(words.device)
    read = meanings.gather(1, words.where(inside, 0).T).T.where(inside, -1)
    broken = (read < 0).any(1, keepdim=True)
    attributes = torch.stack([read[:, place] for place in ATTRIBUTES.values()], 1)
    return attributes.masked_fill(broken, -1)


def encode(words: Tensor) -> Tensor:
    """Returns what captions (…, 6) say as numbers 0 or 1, one for every value of an attribute, (…, 16)."""
    read = parse(words.flatten(0, -2))
    parts = [
        values.unsqueeze(1) == torch.arange(count, device=words.device)
        for values, count in zip(read.T, KINDS, strict=True)
    ]
    return torch.cat(parts, 1).float().unflatten(0, words.shape[:-1])


def decode(numbers: Tensor) -> Tensor:
    """Returns the attributes that numbers (N, 16) stand for, int64, (N, 4)."""
    return torch.stack([part.argmax(1) for part in numbers.cpu().split(KINDS, dim=1)], 1)


def spell(words: Tensor) -> str:
    """Returns a caption (6,) in letters."""
    return " ".join(WORDS[int(word)] for word in words)
