"""How long the Gibbs chain of a small Boltzmann machine takes to mix, exactly."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.nn.boltzmann import BernoulliBoltzmann, binary_states

#: the total variation between a chain's distribution and its machine's that counts as mixed, as is usual
MIXED = 0.25
#: squarings of the transition matrix: chains are followed for 2^20 steps
SQUARINGS = 20


def transition(machine: BernoulliBoltzmann) -> tuple[Tensor, Tensor]:
    """Returns a chain's transition matrix over hidden words, (S, W, W), and stationary distribution, (S, W).

    The chain of hidden words forgets at the rate at which that of visible ones does: their matrices
    are the two products of the same two factors.
    """
    hidden = next(binary_states(machine.hidden, 1 << machine.hidden)).double()
    visible = next(binary_states(machine.visible, 1 << machine.visible)).double()
    weight = machine.weight.detach().double()
    above, below = (
        machine.hidden_bias.double(),
        (machine.base_logit + machine.visible_bias).double(),
    )
    to_visible = _log_bits(hidden @ weight.mT + below, visible)
    to_hidden = _log_bits(visible @ weight + above, hidden)
    joint = hidden @ weight.mT + below
    log_mass = hidden @ above.mT + torch.nn.functional.softplus(joint).sum(-1, keepdim=True)
    return to_visible.exp() @ to_hidden.exp(), torch.softmax(log_mass.squeeze(-1), -1).detach()


def _log_bits(logits: Tensor, bits: Tensor) -> Tensor:
    soft = torch.nn.functional.softplus(logits).sum(-1, keepdim=True)
    return (logits @ bits.T - soft).detach()


def mixing_time(matrix: Tensor, stationary: Tensor) -> Tensor:
    """Returns the least number of steps after which every start is within `MIXED` of stationary, (S,).

    By repeated squaring and bisection on the powers, exact; 2^20 where even those do not suffice.
    """

    def far(power: Tensor) -> Tensor:
        return 0.5 * (power - stationary.unsqueeze(1)).abs().sum(-1).amax(-1) > MIXED

    powers = [matrix]
    for _ in range(SQUARINGS - 1):
        powers.append(powers[-1] @ powers[-1])
    steps = torch.zeros(len(stationary), dtype=torch.float64)
    reached = torch.eye(stationary.shape[1], dtype=matrix.dtype).expand_as(matrix)
    for k in reversed(range(SQUARINGS)):
        longer = reached @ powers[k]
        ahead = far(longer)
        reached = torch.where(ahead.view(-1, 1, 1), longer, reached)
        steps += ahead * 2.0**k
    return steps + 1
