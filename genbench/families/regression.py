"""Models of one network that is trained by regression."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.nn.optim import adam, linear_decay


def regression(
    name: str,
    network: nn.Module,
    loss: Callable[[Batch, Rng], Tensor],
    *,
    lr: float,
    average: float | None,
) -> tuple[Player, ...]:
    """Returns the one player of a regression: Adam, its step size falling linearly to zero."""
    return (Player(name, network, loss, adam(lr), schedule=linear_decay(), average=average),)
