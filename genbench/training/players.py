"""A player in training: its weights, its optimiser, its running average."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from genbench.core.errors import ContractError
from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.nn.optim import ELEMENTWISE, clip_by_seed


class PlayerState:
    """A player in training: its weights, its optimiser, its running average."""

    def __init__(self, player: Player, seeds: int) -> None:
        self.player, self.seeds = player, seeds
        self.weights = [p for p in player.module.parameters() if p.requires_grad]
        for name, p in player.module.named_parameters():
            if p.shape[:1] != (seeds,):
                raise ContractError(
                    f"player {player.name!r} needs weights with the {seeds} seeds as leading axis, got "
                    f"{tuple(p.shape)} for {name}; draw them from the rng of __init__"
                )
        self.optimizer = player.optimizer(self.weights)
        if type(self.optimizer) not in ELEMENTWISE:
            raise ContractError(
                f"player {player.name!r} needs an elementwise optimiser, got "
                f"{type(self.optimizer).__name__}; seeds of a stack would mix, take one of "
                f"{', '.join(cls.__name__ for cls in ELEMENTWISE)} from genbench.nn.optim"
            )
        self.rate = [group["lr"] for group in self.optimizer.param_groups]
        averaged = self.weights if player.average is not None else []
        self.average = [w.detach().clone() for w in averaged]
        self.updates = 0

    @property
    def settled(self) -> bool:
        """Whether the running average's decay, if there is one, has reached its largest value."""
        average = self.player.average
        return average is None or (1 + self.updates) / (10 + self.updates) >= average

    def differentiate(
        self, batch: Batch, noise: Rng, precision: AbstractContextManager[Any] | None = None
    ) -> Tensor:
        """Returns the loss, shape (S,), and leaves the gradients of its sum in the weights' `.grad`.

        Arguments:
            batch: The minibatch.
            noise: What the loss draws from.
            precision: In which the loss is computed; None takes that of the weights.

        Raises:
            ContractError: If there is not one loss per seed.
        """
        with precision or nullcontext():
            loss = self.player.loss(batch, noise)
        if loss.shape != (self.seeds,):
            raise ContractError(
                f"the loss of player {self.player.name!r} needs shape ({self.seeds},), one value per seed, "
                f"got {tuple(loss.shape)}; average over the minibatch only"
            )
        for w in self.weights:
            w.grad = None
        loss.sum().backward(inputs=self.weights)
        return loss

    def move(self, progress: float) -> None:
        """Makes one update by the gradients that the weights hold."""
        if self.player.clip is not None:
            clip_by_seed(self.weights, self.player.clip)
        if self.player.schedule is not None:
            factor = self.player.schedule(progress)
            for group, rate in zip(self.optimizer.param_groups, self.rate, strict=True):
                group["lr"] = rate * factor
        self.optimizer.step()
        self.updates += 1
        with torch.no_grad():
            if self.player.project is not None:
                self.player.project()
            if self.player.average is not None:
                decay = min(self.player.average, (1 + self.updates) / (10 + self.updates))
                torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], 1 - decay)
