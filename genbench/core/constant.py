"""Tensors that never change, such as a data set's centres, on every device where they are used."""

from __future__ import annotations

import torch
from torch import Tensor


class Constant:
    """A tensor that is copied to a device once, since each copy from the host waits for the device.

    Arguments:
        x: The tensor, which nobody may write into.

    Example:
        >>> Constant(torch.ones(2)).like(torch.zeros(1, dtype=torch.float64))
        tensor([1., 1.], dtype=torch.float64)
    """

    def __init__(self, x: Tensor) -> None:
        self.x = x
        self._copies: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    def on(self, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
        """Returns the tensor on a device, in a type or else in its own."""
        key = device, dtype or self.x.dtype
        if key not in self._copies:
            self._copies[key] = self.x.to(*key)
        return self._copies[key]

    def like(self, x: Tensor) -> Tensor:
        """Returns the tensor on the device and in the type of another."""
        return self.on(x.device, x.dtype)
