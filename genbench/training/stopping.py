"""Early stopping: the weights of the least validation loss, each seed its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Model, Player
from genbench.core.rng import Rng
from genbench.core.spec import Training

#: validation points that a look sees at most, and how many of them at once
POINTS, AT_ONCE = 1000, 250


class Stopping:
    """Looks at the validation loss at equal shares of the budget and keeps each seed's best weights.

    Training goes on to the end of the budget, so that it costs the same whatever is kept. Every look
    uses the same points and the same noise, at the end of all schedules (`progress` 1).

    Arguments:
        player: The only player of a model, whose loss is an objective: what it is on validation points
            says how good the model is.
        dataset: Has the validation split.
        rng: The stack's.
        looks: How many.
    """

    def __init__(self, player: Player, dataset: Dataset, rng: Rng, looks: int) -> None:
        self.player, self.dataset, self.rng, self.looks = player, dataset, rng, looks
        self.done = 0
        self.loss = torch.full((len(rng),), torch.inf, device=rng.device, dtype=rng.dtype)
        self.best: dict[str, Tensor] = {}

    def look(self, progress: float, averaged: Callable[[], AbstractContextManager[Model]]) -> None:
        """Looks if it is time; keeps the weights of the seeds whose loss is the least so far.

        Arguments:
            progress: The share of the budget that is spent.
            averaged: Gives the model as it is now, running averages in place of weights.
        """
        due = int(progress * self.looks + 1e-9)
        if due <= self.done:
            return
        self.done = due
        with averaged() as model, torch.no_grad():
            loss = self.measure()
            better = loss < self.loss  # false where it is not a number
            self.loss = torch.where(better, loss, self.loss)
            before = self._best(model)
            self.best = {
                key: torch.where(
                    better.view(-1, *(1 for _ in value.shape[1:])), value, before[key]
                )
                for key, value in self._own(model).items()
            }

    def measure(self) -> Tensor:
        """Returns the mean loss over validation points, shape (S,)."""
        x, labels = self.dataset.points("validation")[:POINTS], self.dataset.labels("validation")
        x = x.to(self.rng.device, self.rng.dtype if x.is_floating_point() else x.dtype)
        once = self.rng.for_seeds([0]).fork("stopping-data")
        noise, seeds = self.rng.fork("stopping"), len(self.rng)
        total, count = torch.zeros_like(self.loss), 0
        for at in range(0, len(x), AT_ONCE):
            part = self.dataset.to_model(x[at : at + AT_ONCE].unsqueeze(0), once)
            some = None
            if labels is not None:
                some = labels[at : at + AT_ONCE].to(part.device).expand(seeds, -1)
            source = self._sources(slice(at, at + AT_ONCE), len(x))
            batch = Batch(part.expand(seeds, *part.shape[1:]), some, 1.0, source)
            total += self.player.loss(batch, noise) * part.shape[1]
            count += part.shape[1]
        return total / count

    def _sources(self, rows: slice, count: int) -> Tensor | None:
        """The sources of some validation points; where training is unpaired, those of other points."""
        source_data = self.dataset.given
        if source_data is None:
            return None
        source = source_data.points("validation")[:count]
        if not self.dataset.paired:
            source = source.roll(count // 2, 0)
        source = source[rows].to(self.rng.device)
        if source.is_floating_point():
            source = source.to(self.rng.dtype)
        y = source_data.to_model(source.unsqueeze(0))
        return y.expand(len(self.rng), *y.shape[1:])

    def pairs(self, model: Model) -> list[tuple[list[Any], list[Tensor]]]:
        """Returns the model's tensors and the best in their place."""
        own, best = self._own(model), self._best(model)
        return [(list(own.values()), [best[key] for key in own])]

    def state(self, model: Model) -> dict[str, Tensor]:
        """Returns what a checkpoint holds."""
        best = {f"best.{key}": value for key, value in self._best(model).items()}
        return best | {"best-loss": self.loss, "best-looks": torch.tensor(self.done)}

    def restore(self, model: Model, tensors: dict[str, Tensor]) -> None:
        """Takes up a state of `state`."""
        self.best = {key: tensors[f"best.{key}"].clone() for key in self._own(model)}
        self.loss, self.done = tensors["best-loss"].clone(), int(tensors["best-looks"])

    def _best(self, model: Model) -> dict[str, Tensor]:
        """The best weights; before any look those of now."""
        return self.best or {key: value.clone() for key, value in self._own(model).items()}

    def _own(self, model: Model) -> dict[str, Tensor]:
        """Weights and buffers that each seed has of its own."""
        state = model.state_dict().items()
        return {key: x for key, x in state if x.shape[:1] == (len(self.rng),)}


def make_stopping(
    training: Training | None, players: Sequence[Player], dataset: Dataset | None, rng: Rng
) -> Stopping | None:
    """Returns the early stopping that a cell asks for, or None.

    Raises:
        SpecError: As `check_stopping` does, or if the data have no validation split.
    """
    if training is None or training.stopping is None or not players:
        return None
    check_stopping(players)
    if dataset is None or not len(dataset.points("validation")):
        raise SpecError("training.stopping needs a data set with a validation split; leave it out")
    return Stopping(players[0], dataset, rng, training.stopping)


def check_stopping(players: Sequence[Player]) -> None:
    """Refuses early stopping of players whose losses do not say how good samples are.

    Raises:
        SpecError: If there are several, or one whose loss is no objective.
    """
    if len(players) > 1:
        names = ", ".join(player.name for player in players)
        raise SpecError(
            f"training.stopping needs a model of one player, got {names}; leave it out"
        )
    if players and not players[0].objective:
        raise SpecError(
            f"training.stopping needs a loss that says how good the model is, that of {players[0].name} "
            f"means something by its gradient alone; leave it out"
        )
