"""Rounds of players' updates, for experiments that bring data of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from genbench.core.errors import ContractError
from genbench.core.model import Batch, Player
from genbench.core.rng import Rng


def play(
    players: Sequence[Player], batch: Callable[[float], Batch], rounds: int, rng: Rng
) -> None:
    """Lets players make their updates in turn, each on a minibatch of its own.

    Arguments:
        players: Without clipped gradients and running averages, which need what the harness has.
        batch: Draws a minibatch, given its `progress`, the share of rounds that is over.
        rounds: How many times every player makes its `steps` updates.
        rng: Draws the losses' own noise.
    """
    movers = [_Mover(player) for player in players]
    for i in range(rounds):
        for mover in movers:
            for _ in range(mover.player.steps):
                mover.move(batch(i / rounds), rng)


class _Mover:
    def __init__(self, player: Player) -> None:
        if player.clip is not None or player.average is not None:
            raise ContractError(
                f"an experiment's player {player.name!r} needs neither clip nor average; train it as a "
                "cell of a Run"
            )
        self.player, self.weights = player, [*player.module.parameters()]
        self.optimizer = player.optimizer(self.weights)
        self.rate = self.optimizer.param_groups[0]["lr"]

    def move(self, batch: Batch, rng: Rng) -> None:
        for weight in self.weights:
            weight.grad = None
        self.player.loss(batch, rng).sum().backward(inputs=self.weights)
        if self.player.schedule is not None:
            factor = self.player.schedule(batch.progress)
            self.optimizer.param_groups[0]["lr"] = self.rate * factor
        self.optimizer.step()
        if self.player.project is not None:
            with torch.no_grad():
                self.player.project()
