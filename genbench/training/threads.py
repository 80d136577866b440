"""How many threads a round takes: one or all, whichever is measured to be faster, again and again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from genbench.nn.conv import BatchNorm, Conv2d, ConvTranspose2d

#: seconds that either number of threads is timed for: several time slices of a busy machine's scheduler
TRIAL = 0.06
#: seconds until both are timed anew, so that a neighbour's coming or going is noticed
AGAIN = 6.0


class ThreadChoice:
    """Chooses between one thread and all that torch may use, by the time of rounds.

    Small stacks run as well on one thread, and beside busy neighbours much better: two threads wait
    for each other after every kernel, and a neighbour makes either late. Both numbers are timed by
    their mean, the faster one is kept until they are timed anew. Weights do not depend on the choice:
    networks of products and pointwise functions have the same bits with any number of threads (a
    contract test says so), and where convolutions or batch normalisation sum over threads the number
    stays as it is.

    Arguments:
        model: What is trained.
    """

    def __init__(self, model: nn.Module) -> None:
        self.all = torch.get_num_threads()
        summing = (BatchNorm, Conv2d, ConvTranspose2d)
        self.free = self.all > 1 and not any(isinstance(m, summing) for m in model.modules())
        #: of either number of threads, rounds and their seconds since the last measurement began
        self.times: dict[int, list[float]] = {}
        self.chosen = 0
        self.until = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Runs a round with the number of threads that is due, and times it."""
        if not self.free:
            yield
            return
        began = time.perf_counter()
        if self.chosen and began > self.until:
            self.chosen, self.times = 0, {}
        count = self.chosen or self._next()
        if count != torch.get_num_threads():
            torch.set_num_threads(count)
        yield
        if not self.chosen:
            self.times.setdefault(count, []).append(time.perf_counter() - began)
            self._choose()

    def close(self) -> None:
        """Gives torch back its number of threads."""
        if self.free:
            torch.set_num_threads(self.all)

    def _next(self) -> int:
        """One thread until it had its time, then all: every change costs a round or two."""
        return self.all if sum(self.times.get(1, [])) > TRIAL else 1

    def _choose(self) -> None:
        """Keeps the faster number once both had their time, or all threads had half of it and lost by far.

        A first round, which wakes threads, does not count.
        """
        one, every = (self.times.get(count, [])[1:] for count in (1, self.all))
        if not one or not every:
            return
        ratio = (sum(every) / len(every)) / (sum(one) / len(one))
        if sum(every) > TRIAL or (ratio > 2 and sum(every) > TRIAL / 2):
            self.chosen = 1 if ratio > 1 else self.all
            self.until = time.perf_counter() + AGAIN
