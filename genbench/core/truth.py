"""What is known of the distribution behind a data set."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genbench.core.errors import DataError


@dataclass(frozen=True)
class Classified:
    """Modes that a classifier distinguishes.

    Arguments:
        count: The number K of modes.
        mode_of: Maps points (N, D) or (N, *event) in data space to their modes in {0, …, K-1}, (N,).
        protocol: Says which classifier it is.
    """

    count: int
    mode_of: Callable[[Tensor], Tensor]
    protocol: Callable[[], str]


@dataclass(frozen=True)
class Described:
    """What captions say of pictures, read from either side.

    Arguments:
        names: The K attributes.
        read: Maps points (N, *event) to their attributes, int64, (N, K); -1 where none can be read.
        wanted: Maps sources and true points, row by row, to the attributes that were asked for, (N, K).
        entropy: That of a point given its source, in nats, the least mean NLL; None where it is not known.
    """

    names: tuple[str, ...]
    read: Callable[[Tensor], Tensor]
    wanted: Callable[[Tensor, Tensor], Tensor]
    entropy: float | None = None


#: what may be known, in words, by the field of `Truth` that holds it
KNOWN = {
    "log_prob": "the density",
    "entropy": "its entropy",
    "modes": "modes",
    "distance": "the distance to the manifold",
    "n_grams": "n-grams",
    "answers": "all right answers to a source",
    "degrade": "the map from points to sources",
    "hidden": "what no source shows",
    "described": "what captions say",
}


@dataclass(frozen=True)
class Truth:
    """What is known of the distribution behind a data set, in data space.

    Arguments:
        log_prob: Maps points (…, *event) to exact log densities (…) in nats, or None.
        entropy: The differential (or discrete) entropy in nats: the best possible mean NLL.
        centres: The K modes' centres, shape (K, D), or None.
        std: The modes' standard deviation, a length (not a variance).
        weights: The modes' probabilities, shape (K,), in the order of `centres` or of `classified`; None
            for modes that are equally likely.
        box: The interval (low, high) that holds all but a negligible mass in every coordinate.
        distance: Maps points (…, *event) to their Euclidean distances (…) to the manifold that holds
            all the mass, or None where the distribution has a density.
        n_grams: Maps n to the distribution of n consecutive tokens at a uniformly drawn place, float64, shape
            (tokens, …, tokens) of n axes, or None.
        counted: Whether that distribution was counted in held-out points, for want of the true one.
        high_quality: The distance to its centre up to which a point is of high quality, and the share
            of exact points within; None for three standard deviations of noise in all coordinates.
        classified: The modes, where a classifier distinguishes them in place of centres.
        answers: Maps sources (N, *source.event) to all K right answers, (N, K, *event), and their chances,
            (N, K), which sum to 1; None where they are not known.
        degrade: Maps points (N, *event) to their sources (N, *source.event), or None.
        hidden: Which coordinates of a point no source shows, bool, (*event), or None.
        described: What points are said to show, where sources or points are captions, or None.
    """

    log_prob: Callable[[Tensor], Tensor] | None = None
    entropy: float | None = None
    centres: Tensor | None = None
    std: float | None = None
    box: tuple[float, float] | None = None
    distance: Callable[[Tensor], Tensor] | None = None
    n_grams: Callable[[int], Tensor] | None = None
    counted: bool = False
    high_quality: tuple[float, float] | None = None
    classified: Classified | None = None
    answers: Callable[[Tensor], tuple[Tensor, Tensor]] | None = None
    degrade: Callable[[Tensor], Tensor] | None = None
    hidden: Tensor | None = None
    described: Described | None = None
    weights: Tensor | None = None

    def __post_init__(self) -> None:
        if self.std is not None and not 0 < self.std < math.inf:
            raise DataError(f"Truth needs std, a length, above 0 and finite, got {self.std}")
        if self.entropy is not None and not math.isfinite(self.entropy):
            raise DataError(
                f"Truth needs a finite entropy, got {self.entropy}; None stands for unknown"
            )
        if self.box is not None and not self.box[0] < self.box[1]:
            raise DataError(f"Truth needs a box (low, high) with low < high, got {self.box}")
        if self.weights is not None:
            self._check_weights(self.weights)

    def _check_weights(self, weights: Tensor) -> None:
        w, modes = weights.double(), self.modes
        total = float(w.sum())
        if w.shape != (modes,) or not bool((w > 0).all()) or abs(total - 1) > 1e-6:
            raise DataError(
                f"Truth needs weights of {modes} modes, all positive, of sum 1, got shape "
                f"{tuple(w.shape)} and sum {total:.6g}; None stands for equal ones"
            )

    @property
    def known(self) -> list[str]:
        """What of all this is known, in words."""
        return [words for field, words in KNOWN.items() if getattr(self, field) is not None]

    @property
    def modes(self) -> int | None:
        """The number of modes, or None where none are known."""
        if self.classified is not None:
            return self.classified.count
        return None if self.centres is None else len(self.centres)

    @property
    def shares(self) -> Tensor | None:
        """The modes' probabilities, equal unless told otherwise, float64, shape (K,); None without modes."""
        if self.modes is None:
            return None
        if self.weights is None:
            return torch.full((self.modes,), 1 / self.modes, dtype=torch.float64)
        return self.weights.double() / self.weights.double().sum()
