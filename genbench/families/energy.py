"""Models whose weights are those of one Boltzmann machine."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal

from torch import Tensor

from genbench.core.model import Batch, Density, Inpainter, MarkovChain, Model, Player
from genbench.core.rng import Rng
from genbench.nn.boltzmann import LogZEstimator
from genbench.nn.optim import adam, linear_decay

#: where a model's chains start: at the base rates, or at states of the training's chains
Start = Literal["base", "chains"]


class BoltzmannModel(Model, Density, MarkovChain, Inpainter):
    """The skeleton of models of one Boltzmann machine: all but their loss and what its units are.

    A concrete model sets what is named here.
    """

    taxonomy = "explicit/approximate/markov chain"
    bound = "estimate"
    waits = {
        "log_prob": "weights are compared with those of the last log Z, which saves thousands of steps"
    }
    machine: Any
    log_z: LogZEstimator
    #: states of the training's chains, shape (S, chains, visible units)
    fantasies: Tensor
    #: Adam's step size, which falls linearly to zero
    lr: float
    #: the decay of the weights' running average for evaluation, or None
    average: float | None
    #: how many Gibbs steps a sample takes
    gibbs_steps: int
    start: Start

    @abstractmethod
    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns what has the likelihood's gradient, as the chains estimate it, shape (S,)."""

    def players(self) -> tuple[Player, ...]:
        """The machine alone, whose loss, between data and chains, is no likelihood."""
        return (
            Player(
                "machine",
                self.machine,
                self.loss,
                adam(self.lr, (0.5, 0.99)),
                clip=10.0,
                schedule=linear_decay(),
                average=self.average,
                objective=False,
            ),
        )

    def starts(self, n: int, rng: Rng) -> Tensor:
        """Returns the machine's states from which n chains start, shape (S, n, visible units)."""
        if self.start == "base":
            return self.machine.base(n, rng)
        rows = rng.integers(self.fantasies.shape[1], n).unsqueeze(-1)
        return self.fantasies.gather(1, rows.expand(-1, -1, self.machine.visible))

    def sequential_steps(self) -> int:
        """Returns the number of Gibbs steps."""
        return self.gibbs_steps

    def common_error(self, rng: Rng) -> Tensor | None:
        """Returns the standard error of log Z, shape (S,), None where it is summed."""
        return None if self.bound == "exact" else self.log_z(rng).error
