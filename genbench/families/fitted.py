"""Densities that are fitted before training, so that nothing is left to train."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Density, Model, Player
from genbench.core.rng import Rng
from genbench.nn.output import only_continuous


class FittedModel(Model, Density):
    """The skeleton of densities of real numbers without players."""

    taxonomy = "reference"

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """A density on real numbers says nothing of bits or tokens."""
        return only_continuous(spec)

    def players(self) -> tuple[Player, ...]:
        """None: the fit happens in `prepare`."""
        return ()

    @abstractmethod
    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Fits the training set."""

    @abstractmethod
    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns draws of the density, shape (S, n, D)."""

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns draws of the density, clamped to the data's range, shape (S, n, *event)."""
        x = self.draw(n, rng)
        x = x if self.spec.range is None else x.clamp(*self.spec.range)
        return x.unflatten(-1, self.spec.event)


def factored(covariance: Tensor, model: str, ridge: float) -> Tensor:
    """Returns the Cholesky factors of covariances (…, D, D), float64.

    Raises:
        SpecError: Where they are not positive for all that the ridge adds to their diagonals.
    """
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed.any():
        raise flat_covariance(model, ridge)
    return factor


def flat_covariance(model: str, ridge: float) -> SpecError:
    """Returns the error for a ridge that leaves points flat that fill fewer dimensions than they have."""
    return SpecError(
        f"{model} needs a ridge with which every covariance is positive to rounding, got ridge={ridge} on "
        f"points that fill fewer dimensions; raise it, e.g. to the default of 1e-06"
    )
