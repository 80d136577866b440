"""Data sets: points, their splits, and the maps between data space and model space."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from torch import Tensor

from genbench.core import options
from genbench.core.declarations import (
    FLAG,
    TEXT,
    VERSION,
    Need,
    check_values,
    check_whole,
    instance_of,
)
from genbench.core.errors import DataError
from genbench.core.guard import blamed, is_own
from genbench.core.quality import PICTURES, Quality
from genbench.core.registry import Registry, registrar
from genbench.core.rng import Rng
from genbench.core.splits import check_splits
from genbench.core.truth import Truth as Truth

SPLITS = ("train", "validation", "test")
#: options that say where files are, and decide no point
PLACES = ("data_dir", "offline")
#: what ends the names of the hashes of sources
SOURCES = " sources"


@dataclass(frozen=True)
class DataSpec:
    """What a model is told of a data set: the shape and kind of a point *in model space*.

    Arguments:
        name: The data set's registered name.
        event: The shape of one point, (D,) or (C, H, W).
        kind: `continuous` (real numbers), `binary` (0 or 1) or `tokens` (class indices, int64).
        range: The interval that holds every coordinate, or None where there is no bound.
        levels: How many grey levels a pixel has, where values are quantised.
        classes: How many labels there are, or None without labels.
        tokens: The size of the alphabet, for kind `tokens`.
        dequantisation: How grey levels became continuous: `uniform` noise, or None.
        binarisation: How grey levels became bits: `fixed` (once), `threshold`, or None.
        source: The spec of what a point is to be made from, or None where points stand alone.
        paired: Whether training shows a point beside its own source, not beside another point's.
        hole: The rows and columns of an image that its source does not show, the first and the one past the
            last of each, where a source is the image but for them, or None.
    """

    name: str
    event: tuple[int, ...]
    kind: Literal["continuous", "binary", "tokens"] = "continuous"
    range: tuple[float, float] | None = None
    levels: int | None = None
    classes: int | None = None
    tokens: int | None = None
    dequantisation: Literal["uniform"] | None = None
    binarisation: Literal["fixed", "threshold"] | None = None
    source: DataSpec | None = None
    paired: bool = True
    hole: tuple[tuple[int, int], tuple[int, int]] | None = None

    @property
    def size(self) -> int:
        """The number of coordinates of one point, D."""
        return math.prod(self.event)

    @property
    def is_image(self) -> bool:
        """Whether a point is an image, (C, H, W)."""
        return len(self.event) == 3


class Dataset(ABC):
    """A source of points in *data space*, and the maps between data space and model space.

    Data space is where metrics measure: 2-D coordinates as published, pixels in [0, 1] on a grid of
    `levels`. Model space is where models live: unit scale in 2-D; dequantised pixels in [0, 1].
    A data set is either fixed (splits of one finite array) or a stream (exact samples without end).

    Where points are to be made from something, `given` holds it: a data set whose points are, split by
    split and row by row, the sources of this one's, with maps between spaces of its own.

    Arguments:
        data_dir: A folder to look in first, for data sets that come as files.
        offline: Whether downloads are forbidden.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    stream: ClassVar[bool] = False
    paper: ClassVar[str] = ""
    #: what decides which model is better; None: the first headline of the leaderboard
    quality: ClassVar[Quality | None] = None
    #: whether a test point is a right answer to its source; if not, none is known
    matched: bool = True
    spec: DataSpec
    truth: Truth | None = None
    #: what tokens stand for, characters or words, so that reports can show text; empty otherwise
    alphabet: Sequence[str] = ""
    #: the sources of the points, or None
    given: Dataset | None = None
    #: the data set whose points these are like, so that its classifier judges both; None: none but itself
    base: Dataset | None = None

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        self.data_dir, self.offline = data_dir, offline

    @abstractmethod
    def points(self, split: str) -> Tensor:
        """Returns a split in data space, shape (N, *event), float32 (int64 for tokens).

        For a stream the splits are fixed draws of `Dataset.stream_size` points, for evaluation only.
        """

    def labels(self, split: str) -> Tensor | None:
        """Returns a split's labels, shape (N,), int64, or None without labels."""
        return None

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n fresh exact samples per seed in data space, shape (S, n, *event); streams only.

        Raises:
            DataError: If the data set is fixed.
        """
        raise DataError(f"{self.name} is a fixed data set and cannot be drawn from; use points()")

    def draw_pairs(self, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns n fresh points per seed with their sources, (S, n, *event) and (S, n, *source.event).

        Both are in data space; streams with sources only.

        Raises:
            DataError: If the data set is fixed, or has no sources.
        """
        raise DataError(f"{self.name} draws no pairs; use points() of it and of what is given")

    @property
    def paired(self) -> bool:
        """Whether training shows a point beside its own source; a test always does."""
        return self.spec.paired

    def unpaired_rows(self) -> tuple[Tensor, Tensor]:
        """Returns the rows of the training points, and of the training sources, that unpaired training shows.

        They are two halves, drawn once for all by the data set's name, so that no point is shown whose own
        source is shown.
        """
        count = len(self.points("train"))
        order = Rng([0]).fork("dataset", self.name, "halves").permutation(count)[0]
        return order[: count // 2], order[count // 2 :]

    def degrade(self, x: Tensor) -> Tensor:
        """Maps points (N, *event) in data space to their sources, where the map is known.

        Raises:
            DataError: If it is not.
        """
        if self.truth is None or self.truth.degrade is None:
            raise DataError(f"{self.name} knows no map from a point to its source")
        return self.truth.degrade(x)

    def to_model(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        """Maps data space to model space; dequantisation noise comes from rng."""
        return x

    def to_data(self, y: Tensor) -> Tensor:
        """Maps model space to data space: clipped and quantised where the data are."""
        return y

    @property
    def log_volume(self) -> float:
        """The constant c in log p_data(x) = log p_model(to_model(x)) + c, in nats."""
        return 0.0

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The sha256 of every split's bytes, shortened; they pin the split in every record.

        Splits of a user's data set are checked first: no score of those that break the contract is right.
        """
        check_splits(self, SPLITS)
        own = {split: _digest(self.points(split)) for split in SPLITS if len(self.points(split))}
        sources = {} if self.given is None else self.given.hashes
        return own | {f"{split}{SOURCES}": digest for split, digest in sources.items()}


class QuantisedDataset(Dataset):
    """Points whose coordinates are levels: the two spaces of them.

    Data space: v/(levels-1) in [0, 1]. Model space: (v + u)/levels in [0, 1) with u uniform,
    drawn afresh for every minibatch (uniform dequantisation), so that a density there bounds the
    probability of the quantised point (Theis et al., 2016, section 3.1).
    """

    levels: ClassVar[int] = 256
    quality: ClassVar[Quality | None] = PICTURES

    def to_model(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        """Dequantises: (v + u)/levels; without an rng u is 1/2."""
        noise = rng.uniform(*x.shape[1:]).to(x) if rng is not None else 0.5
        return ((x * (self.levels - 1)).round() + noise) / self.levels

    def to_data(self, y: Tensor) -> Tensor:
        """Clips to [0, 1] and quantises to the nearest lower level."""
        levels = (y * self.levels).floor().clamp(0, self.levels - 1)
        return levels / (self.levels - 1)

    @property
    def log_volume(self) -> float:
        """-D log levels: a density on cells of width 1/levels as a probability of the level."""
        return -self.spec.size * math.log(self.levels)


class ImageDataset(QuantisedDataset):
    """A fixed set of quantised images; subclasses load integers, this class does the rest."""

    @abstractmethod
    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns {split: (pixels (N, C, H, W) uint8 in {0, …, levels-1}, labels (N,) int64)}."""

    def with_validation(
        self, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], held_out: int
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the splits of a published training and test set, for `load`.

        Arguments:
            train: Images and labels, of which some are held out at random, in an order fixed by the name.
            test: Images and labels, kept as they are.
            held_out: How many are the validation split.
        """
        order = Rng([0]).fork("dataset", self.name).permutation(len(train[0]))[0]
        training, validation = order[held_out:], order[:held_out]
        return {
            "train": (train[0][training], train[1][training]),
            "validation": (train[0][validation], train[1][validation]),
            "test": test,
        }

    @cached_property
    def _splits(self) -> dict[str, tuple[Tensor, Tensor]]:
        return self.load()

    @cached_property
    def _images(self) -> dict[str, Tensor]:
        """By split the images in [0, 1], those that were asked for: four times the bytes of pixels."""
        return {}

    def points(self, split: str) -> Tensor:
        """Returns a split's images in [0, 1], float32, shape (N, C, H, W)."""
        if split not in self._images:
            self._images[split] = self._splits[split][0].float() / (self.levels - 1)
        return self._images[split]

    def labels(self, split: str) -> Tensor | None:
        """Returns a split's labels, int64, shape (N,)."""
        return self._splits[split][1]


DATASETS: Registry[type[Dataset]] = Registry("dataset", "genbench.datasets")

D = TypeVar("D", bound=type[Dataset])

SPEC = instance_of(DataSpec, what="a genbench.DataSpec")
#: what a data set's class says of itself, and what is allowed
DECLARED: dict[str, Need] = {
    "version": VERSION,
    "stream": FLAG,
    "paper": TEXT,
    "quality": instance_of(Quality, type(None), what="a genbench.core.quality.Quality, or None"),
}


def dataset(name: str) -> Callable[[D], D]:
    """Returns a decorator that registers a Dataset class under a name, its file's name."""
    return registrar(DATASETS, name, Dataset, DECLARED)


def open_named(name: str, **chosen: Any) -> Dataset:
    """Creates a registered data set with its options.

    Raises:
        UnknownName: With the nearest match.
        ContractError: If it has no spec.
    """
    cls: Any = DATASETS.get(name)
    check_whole("dataset", name, cls)
    with blamed(f"data set {name!r}", cls):
        data = cls(**chosen)
        if not is_own(cls):
            check_values("dataset", name, cls, {"spec": SPEC}, of=data)
    return data


def resolve_options(name: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all options of a data set that decide its points, checked and filled in.

    Raises:
        UnknownName: With the nearest match.
        SpecError: For an option that it does not have, or a value of the wrong type.
    """
    own = {k: v for k, v in chosen.items() if k not in PLACES}
    resolved = options.resolve(DATASETS.get(name), own, who=f"data set {name}")
    return {k: v for k, v in resolved.items() if k not in PLACES}


def version_of(name: str, chosen: Mapping[str, Any]) -> int:
    """Returns the version of a data set's points with these options.

    Where the option `of` names a data set that points are made of, what that one's version is above 1 adds
    to its own, so that either's rise is a rise.
    """
    own = DATASETS.get(name).version
    of = chosen.get("of")
    if not isinstance(of, str) or of not in DATASETS or of == name:
        return own
    return own + version_of(of, {}) - 1


def has_sources(hashes: Iterable[str]) -> bool:
    """Returns whether the data set whose `hashes` have these names makes its points from sources."""
    return any(name.endswith(SOURCES) for name in hashes)


def _digest(x: Tensor) -> str:
    return hashlib.sha256(x.contiguous().numpy().tobytes()).hexdigest()[:16]


def describe(cls: type[Dataset]) -> dict[str, Any]:
    """Returns a data set's one-line description for `list` and `show`."""
    return {
        "name": cls.name,
        "version": cls.version,
        "stream": cls.stream,
        "paper": cls.paper,
        "summary": (cls.__doc__ or "").strip().split("\n")[0],
    }
