"""Networks that are used and not trained: they follow a model's device, and are no part of its weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Frozen(nn.Module):
    """Creates a copy of a trained network that serves all seeds at once.

    Its weights are buffers that are not stored: they move to the model's device, count as no parameter
    and belong to no player, while gradients pass through to what it is given. The network itself stays as
    it is.

    Arguments:
        network: Maps points (N, *event), each on its own, to a tensor with N rows. It is called as in
            evaluation, whatever the mode of the model.
        extractor: The name of the registered extractor whose network it is, where it is one's.

    Example:
        >>> Frozen(nn.Linear(3, 2))(torch.zeros(4, 5, 3)).shape
        torch.Size([4, 5, 2])
    """

    def __init__(self, network: nn.Module, *, extractor: str | None = None) -> None:
        super().__init__()
        self.extractor = extractor
        self._network = [network.eval()]  # in a list, so that it is no submodule
        self._names: dict[str, str] = {}
        for name, value in [*network.named_parameters(), *network.named_buffers()]:
            self._names[name] = name.replace(".", "__")
            self.register_buffer(self._names[name], value.detach().clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps points (S, B, *event) to (S, B, …)."""
        state = {name: getattr(self, own) for name, own in self._names.items()}
        y: Any = torch.func.functional_call(self._network[0], state, (x.flatten(0, 1),))
        return y.unflatten(0, x.shape[:2])
