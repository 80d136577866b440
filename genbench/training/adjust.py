"""Players that train otherwise than their model says: step sizes, pace, decay, averages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from torch import nn

from genbench.core.errors import SpecError, nearest
from genbench.core.model import Optimizer, Player
from genbench.core.spec import Training

#: the factor on the step size by the share of the budget that is spent
DECAYS: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "linear": lambda progress: 1.0 - min(progress, 1.0),
    "cosine": lambda progress: 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0))),
}


def adjust_players(players: Iterable[Player], training: Training | None) -> list[Player]:
    """Returns players as a cell's `training` changes them.

    Raises:
        SpecError: For a player that the model does not have, or a share between other than two.
    """
    players = list(players)
    if training is None or not players:
        return players
    names = [player.name for player in players]
    for name in training.rates or {}:
        if name not in names:
            raise SpecError(f"training.rates has no player {name!r}{nearest(name, names)}")
    if training.share is not None:
        players = _share(players, training.share)
    return [_adjust(player, training) for player in players]


def count_updates(steps: float, done: int) -> int:
    """Returns how many updates a player makes in a round after `done` others."""
    return (
        steps
        if isinstance(steps, int)
        else math.floor((done + 1) * steps) - math.floor(done * steps)
    )


def _share(players: list[Player], share: float) -> list[Player]:
    """Both players' updates are as many as before, so that a round costs the same."""
    if len(players) != 2:
        names = ", ".join(player.name for player in players)
        raise SpecError(f"training.share needs two players, got {names}; leave it out")
    total = sum(player.steps for player in players)
    first, second = players
    return [replace(first, steps=share * total), replace(second, steps=(1 - share) * total)]


def _adjust(player: Player, training: Training) -> Player:
    factor = (training.rates or {}).get(player.name)
    if factor is not None:
        player = replace(player, optimizer=_scaled(player.optimizer, factor))
    if training.decay is not None:
        player = replace(player, schedule=DECAYS[training.decay])
    if training.average is not None:
        player = replace(player, average=training.average or None)
    return player


def _scaled(
    make: Callable[[Iterable[nn.Parameter]], Optimizer], factor: float
) -> Callable[[Iterable[nn.Parameter]], Optimizer]:
    def made(weights: Iterable[nn.Parameter]) -> Optimizer:
        optimizer = make(weights)
        for group in optimizer.param_groups:
            group["lr"] *= factor
        return optimizer

    return made
