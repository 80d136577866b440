"""What autoregressive networks owe their samplers: outputs in one pass, and step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from genbench.core.rng import Rng

#: maps (d, what is seen of entry d - 1 (S, n, I), zeros at d = 0) to the outputs of d, (S, n, P)
Step = Callable[[int, Tensor], Tensor]
#: applied to the features that a layer adds, in training
Drop = Callable[[Tensor], Tensor]


class AutoregressiveNetwork(Protocol):
    """A network whose outputs of entry d depend on the entries before d alone."""

    def __call__(self, y: Tensor, /, drop: Drop | None = None) -> Tensor:
        """Maps what is seen of all entries (S, B, D, I) to all outputs (S, B, D, P)."""
        ...

    def steps(self, n: int) -> Step:
        """Returns a function, to be called for d = 0, 1, …, that carries along what it computed."""
        ...


def dropout(share: float, rng: Rng) -> Drop | None:
    """Returns a map that sets a share of features to 0 and scales the others up; None for share 0.

    References:
        | Dropout: A Simple Way to Prevent Neural Networks from Overfitting (Srivastava et al., 2014)
    """
    if share == 0:
        return None
    return lambda x: x * ((rng.uniform(*x.shape[1:]) >= share).to(x) / (1 - share))
