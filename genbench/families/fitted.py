"""Densities that are fitted before training, so that nothing is left to train."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from genbench.core.dataset import DataSpec
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
