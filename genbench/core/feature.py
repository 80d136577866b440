"""Feature extractors: maps from points to the space in which samples are compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeVar

from torch import Tensor, nn

from genbench.core.dataset import Dataset
from genbench.core.declarations import FLAG, VERSION
from genbench.core.registry import Registry, registrar


class Extractor(ABC):
    """A fixed map from data space to features, the same for every model and every run.

    Arguments:
        dataset: The data set whose points it will see, or None for arrays of no known origin.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    #: whether it is a network, for which a device and a precision matter
    computes: ClassVar[bool] = True

    def __init__(self, dataset: Dataset | None = None) -> None:
        self.dataset = dataset

    @classmethod
    def fetch(cls, *, offline: bool = False) -> str:
        """Downloads what the extractor needs, and says what it did."""
        return "needs no download"

    @property
    @abstractmethod
    def protocol(self) -> str:
        """What a reader must know: name, version and, where trained, held-out accuracy and hash."""

    @abstractmethod
    def extract(self, x: Tensor) -> Tensor:
        """Maps points (N, *event) in data space to features (N, F), float32 or float64."""


class Logits(ABC):
    """An extractor's ability to tell classes apart, which metrics of view `logits` ask for."""

    @abstractmethod
    def logits(self, x: Tensor) -> Tensor:
        """Maps points (N, *event) in data space to class logits (N, classes)."""


class HiddenImages(ABC):
    """An extractor's ability to show its network's hidden images, for losses and distances of pairs."""

    #: which of them are looked at, by the network's own numbers
    taps: ClassVar[tuple[int, ...]]

    @property
    @abstractmethod
    def digest(self) -> str:
        """The sha256 of the network's weights."""

    @abstractmethod
    def perceptual_network(self, *, side: int | None = None) -> nn.Module:
        """Returns a frozen network from images (N, 1 or 3, H, W) in [0, 1] to vectors (N, F), with gradients.

        The squared distance between two vectors is the mean over hidden images of the mean over places of
        the squared distance between their channels at unit length.

        Arguments:
            side: The height and width to which images are resized before; None leaves them.
        """


EXTRACTORS: Registry[type[Extractor]] = Registry("extractor", "genbench.features")

E = TypeVar("E", bound=type[Extractor])


def extractor(name: str) -> Callable[[E], E]:
    """Returns a decorator that registers an Extractor class under a name, its file's name."""
    return registrar(EXTRACTORS, name, Extractor, {"version": VERSION, "computes": FLAG})
