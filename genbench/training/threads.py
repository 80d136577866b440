"""How many threads training takes: one where a stack is small, else all that torch may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

#: products of a weight and a point in a pass over a stack below which a second thread gains nothing
SMALL = 1e8


@contextmanager
def limit_threads(model: nn.Module, batch: int) -> Iterator[None]:
    """Lets a small stack train on one thread; gives torch its number back, whatever happens.

    Two threads wait for each other after every kernel, and a busy neighbour makes either late: a small
    stack is as fast on one thread where the machine is quiet, and faster where it is not. The rule
    looks at shapes alone and not at the clock: sums split over threads differ in their last bits, so
    that a choice by measured times would give the same cell other weights in every run.

    Convolutions use a weight for many pixels and keep all threads, as do minibatches of unknown size.

    Arguments:
        model: A stack of seeds.
        batch: Points per seed in a minibatch; 0 where that is not known.
    """
    weights = list(model.parameters())
    work = batch * sum(w.numel() for w in weights)
    convolves = any(w.dim() > 3 for w in weights)  # the seed's axis, channels, a kernel's axes
    before = torch.get_num_threads()
    if 0 < work < SMALL and not convolves:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
