"""All pairs of points, gone through once for everything that looks at them."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from genbench.core.guard import ChangedInput
from genbench.points import memmap

#: points a side that are converted to float64 at once, unless there are so many coordinates that
#: they would take more than `memmap.HELD`
BLOCK = 2048
#: rows of a tile; in float64 a tile is 1 MiB, which stays in a core's cache
STRIP = 64
#: from so many coordinates on the product decides, which likes more rows
MANY, TALL = 512, 256
#: bytes of a set that is converted whole
WHOLE = 2**25

T = TypeVar("T")


class Cloud:
    """Points (N, D) as float64, less a centre, converted a block at a time.

    Arguments:
        x: Points, shape (N, D), of any type; perhaps mapped from a file.
        origin: The set whose mean is the centre; None takes these points' own.
        chosen: The rows of x that are meant, (N,), or None for all.
    """

    def __init__(
        self, x: Tensor, origin: Cloud | None = None, chosen: Tensor | None = None
    ) -> None:
        self.x, self.origin, self.chosen = x, origin, chosen

    def __len__(self) -> int:
        return len(self.x) if self.chosen is None else len(self.chosen)

    @property
    def size(self) -> int:
        """The number of coordinates, D."""
        return self.x.shape[1]

    @cached_property
    def centre(self) -> Tensor:
        """The mean of the first set, shape (D,)."""
        return memmap.mean(self.x) if self.origin is None else self.origin.centre

    def rows(self, start: int, stop: int) -> Tensor:
        """Returns centred points, float64, shape (B, D)."""
        if self.chosen is not None:
            return memmap.take(self.x, self.chosen[start:stop]).sub_(self.centre)
        part = memmap.rows(self.x, start, stop)
        return part - self.centre if part.dtype == self.x.dtype else part.sub_(self.centre)

    def blocks(self) -> Iterator[Tensor]:
        """Yields all centred points."""
        step = memmap.height(self.x)
        for start in range(0, len(self), step):
            yield self.rows(start, start + step)

    @cached_property
    def norms(self) -> Tensor:
        """The squared length of each centred point, shape (N,)."""
        return memmap.joined(
            self.blocks(), len(self), lambda part: torch.linalg.vecdot(part, part)
        )

    def left(self, start: int, stop: int, into: Tensor | None = None) -> Tensor:
        """Returns (B, D + 2) whose product with a `right` is the squared distance.

        Arguments:
            start: The first row.
            stop: The row after the last.
            into: A buffer of at least so many rows, which is used unless all is held already.
        """
        if self._whole is not None:
            return self._whole[0][start:stop]
        return _as_left(*self._factor(start, stop, into))

    def right(self, start: int, stop: int, into: Tensor | None = None) -> Tensor:
        """Returns (B, D + 2), the other factor."""
        if self._whole is not None:
            return self._whole[1][start:stop]
        return _as_right(*self._factor(start, stop, into))

    def _factor(self, start: int, stop: int, into: Tensor | None) -> tuple[Tensor, Tensor]:
        """Rows with room for two more columns, and their squared lengths."""
        stop = min(stop, len(self))
        if into is None:
            into = self.centre.new_empty(stop - start, self.size + 2)
        out = into[: stop - start]
        x = out[:, :-2]
        if self.chosen is not None:
            x.copy_(memmap.take(self.x, self.chosen[start:stop]))
        else:
            memmap.copy(self.x, start, x)
        x -= self.centre
        return out, torch.linalg.vecdot(x, x)

    @cached_property
    def _whole(self) -> tuple[Tensor, Tensor] | None:
        if 8 * len(self) * (self.size + 2) > WHOLE:
            return None
        rows, squares = self._factor(0, len(self), None)
        return _as_left(rows.clone(), squares), _as_right(rows, squares)


def _as_left(out: Tensor, squares: Tensor) -> Tensor:
    out[:, :-2] *= -2
    out[:, -2], out[:, -1] = squares, 1
    return out


def _as_right(out: Tensor, squares: Tensor) -> Tensor:
    out[:, -2], out[:, -1] = 1, squares
    return out


def clouds(*sets: Tensor) -> tuple[Cloud, ...]:
    """Returns sets of points as clouds around the mean of the first one."""
    first = Cloud(sets[0])
    return (first, *(Cloud(x, first) for x in sets[1:]))


def tiles(x: Cloud, y: Cloud) -> Iterator[tuple[int, int, Tensor]]:
    """Yields (row, column, squared distances) of all pairs; the next tile overwrites the last.

    Of one set with itself there are a square on the diagonal, where row and column are equal, and
    what lies above it, so that tiles off the diagonal stand for two. Distances of 0 come out as
    rounding makes them, perhaps below 0.
    """
    block = min(BLOCK, max(STRIP, memmap.HELD // (8 * (x.size + 2))))
    high = STRIP if x.size < MANY else TALL
    kind = {"dtype": torch.float64, "device": x.x.device}
    buffer = torch.empty(high * block, **kind)
    # made once: blocks that come and go leave the heap in pieces
    rows, columns = (torch.empty(min(block, len(z)), z.size + 2, **kind) for z in (x, y))
    for top in range(0, len(x), block):
        high_factor = x.left(top, top + block, rows)
        for start in range(top if x is y else 0, len(y), block):
            wide_factor = y.right(start, start + block, columns)
            for at in range(0, len(high_factor), high):
                strip = high_factor[at : at + high]
                cuts = [0, len(wide_factor)]
                if x is y and top == start:
                    cuts = [at, at + len(strip), len(wide_factor)]
                for low, end in itertools.pairwise(cuts):
                    if end > low:
                        tile = buffer[: len(strip) * (end - low)].view(len(strip), end - low)
                        torch.mm(strip, wide_factor[low:end].T, out=tile)
                        yield top + at, start + low, tile


@dataclass(frozen=True)
class Look:
    """A wish to see the squared distances of all pairs of two sets.

    Arguments:
        x: The rows.
        y: The columns; the same cloud as x for pairs within a set, each pair then seen once.
        see: Called with (row, column, tile) as `tiles` yields them; it leaves the tile as it is.
    """

    x: Cloud
    y: Cloud
    see: Callable[[int, int, Tensor], None]

    @property
    def pairs(self) -> float:
        """How many pairs there are."""
        return len(self.x) * len(self.y) / (2 if self.x is self.y else 1)


#: what asks for looks, one after the other, and returns a result
Steps = Generator[Sequence[Look], None, T]


def together(steps: Sequence[Steps[T]], names: Sequence[str] = ()) -> list[tuple[T, float]]:
    """Runs what looks at pairs of points so that each pass over pairs serves all that wait for it.

    The pass that lets somebody go on soonest comes first.

    Arguments:
        steps: What asks for looks.
        names: What each is called in errors.

    Returns:
        What each returns, and its seconds: its own, and its share of the passes it saw.

    Raises:
        ChangedInput: If one writes into a tile of distances, which others are to see.
    """
    results: dict[int, T] = {}
    wishes: dict[int, list[Look]] = {}
    spent = [0.0] * len(steps)

    def go_on(k: int) -> None:
        began = time.perf_counter()
        try:
            wishes[k] = []
            while not wishes[k]:
                wishes[k] = list(next(steps[k]))
        except StopIteration as end:
            wishes.pop(k, None)
            results[k] = end.value
        spent[k] += time.perf_counter() - began

    for k in range(len(steps)):
        go_on(k)
    while wishes:
        nearest = min(wishes.values(), key=lambda looks: sum(look.pairs for look in looks))
        chosen = min(nearest, key=lambda look: look.pairs)
        sees = [
            (k, look)
            for k, looks in wishes.items()
            for look in looks
            if look.x is chosen.x and look.y is chosen.y
        ]
        _pass(chosen, sees, spent, names)
        for k, look in sees:
            wishes[k].remove(look)
            if not wishes[k]:
                go_on(k)
    return [(results[k], spent[k]) for k in range(len(steps))]


def _pass(
    chosen: Look, sees: Sequence[tuple[int, Look]], spent: list[float], names: Sequence[str]
) -> None:
    began, looking = time.perf_counter(), 0.0
    for row, column, tile in tiles(chosen.x, chosen.y):
        for k, look in sees:
            start, version = time.perf_counter(), tile._version
            look.see(row, column, tile)
            if tile._version != version:
                who = names[k] if names else "a metric of pairs"
                raise ChangedInput(
                    f"{who} needs to leave tiles of distances as they are, but wrote into one; "
                    f"let it work on a copy, tile.clone()"
                )
            seconds = time.perf_counter() - start
            spent[k] += seconds
            looking += seconds
    for k, _ in sees:
        spent[k] += (time.perf_counter() - began - looking) / len(sees)


def pairwise(function: Callable[..., Steps[T]]) -> Callable[..., T]:
    """Turns a function of clouds that yields looks into one of tensors, which runs alone.

    The function itself stays at hand as `steps`, so that several can be run `together`.
    """

    @functools.wraps(function)
    def alone(*sets: Tensor, **options: Any) -> T:
        return together([function(*clouds(*sets), **options)])[0][0]

    alone.steps = function  # type: ignore[attr-defined]
    return alone
