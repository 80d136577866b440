"""Randomness, one generator per seed, forked by purpose; nothing here touches a global generator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from genbench.core.errors import SpecError


class Rng:
    """Creates streams of random tensors whose leading axis is the seed.

    Row k of a draw depends on seed k, the path of forks and the draws made before it, and on nothing
    else: not on the other seeds of the stack and not on torch's global generator.

    Arguments:
        seeds: The S seeds, in the order of the tensors' leading axis.
        device: Where draws land. Streams differ between device types, as torch's generators do.
        dtype: The floating point type of `normal` and `uniform`.
        path: The purposes forked so far; leave it to `fork`.

    Example:
        >>> rng = Rng([0, 1])
        >>> rng.fork("data").normal(3).shape
        torch.Size([2, 3])
    """

    def __init__(
        self,
        seeds: Sequence[int],
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        path: tuple[str, ...] = (),
    ) -> None:
        if not seeds:
            raise SpecError("Rng needs at least one seed, got none; pass e.g. seeds=[0]")
        self.seeds = tuple(int(seed) for seed in seeds)
        self.device = torch.device(device)
        self.dtype = dtype
        self.path = path
        self._generators: list[torch.Generator] | None = None

    def __len__(self) -> int:
        return len(self.seeds)

    def __repr__(self) -> str:
        return f"Rng(seeds={list(self.seeds)}, path={'/'.join(self.path) or '-'})"

    @property
    def generators(self) -> list[torch.Generator]:
        """The S generators, seeded on first use from (seed, path)."""
        if self._generators is None:
            self._generators = [self._generator(seed) for seed in self.seeds]
        return self._generators

    def fork(self, *purpose: str | int) -> Rng:
        """Returns fresh streams for a purpose; `self` does not move, so forks commute with draws."""
        path = (*self.path, *(str(part) for part in purpose))
        return type(self)(self.seeds, device=self.device, dtype=self.dtype, path=path)

    def only(self, k: int) -> Rng:
        """Returns the stream of the k-th seed alone, as it was at the start of this path."""
        return type(self)([self.seeds[k]], device=self.device, dtype=self.dtype, path=self.path)

    def for_seeds(self, seeds: Sequence[int]) -> Rng:
        """Returns streams of other seeds before any fork, on the same device and of the same type."""
        return type(self)(seeds, device=self.device, dtype=self.dtype)

    def to(self, device: torch.device | str) -> Rng:
        """Returns the streams of this path, at their start, on another device."""
        return type(self)(self.seeds, device=device, dtype=self.dtype, path=self.path)

    def normal(self, *shape: int) -> Tensor:
        """Returns standard normal draws, shape (S, *shape)."""
        return self._fill(shape, self.dtype, lambda row, g: row.normal_(generator=g))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Returns uniform draws on [low, high), shape (S, *shape)."""
        return self._fill(shape, self.dtype, lambda row, g: row.uniform_(low, high, generator=g))

    def integers(self, high: int, *shape: int) -> Tensor:
        """Returns uniform integers in {0, …, high-1}, shape (S, *shape), int64."""
        return self._fill(shape, torch.int64, lambda row, g: row.random_(0, high, generator=g))

    def permutation(self, n: int) -> Tensor:
        """Returns one random order of 0 … n-1 per seed, shape (S, n), int64."""
        return torch.stack(
            [torch.randperm(n, generator=g, device=self.device) for g in self.generators]
        )

    def bernoulli(self, p: Tensor) -> Tensor:
        """Returns draws of {0, 1} with probabilities p, shape (S, …), in p's type."""
        return (self.uniform(*p.shape[1:]) < p).to(p.dtype)

    def state(self) -> Tensor:
        """Returns the generators' states, shape (S, bytes), uint8, for a checkpoint."""
        return torch.stack([g.get_state() for g in self.generators])

    def restore(self, state: Tensor) -> None:
        """Sets the generators to a state taken by `state`."""
        for g, row in zip(self.generators, state, strict=True):
            g.set_state(row.clone())

    def _generator(self, seed: int) -> torch.Generator:
        digest = hashlib.sha256("/".join((str(seed), *self.path)).encode()).digest()
        return torch.Generator(self.device).manual_seed(int.from_bytes(digest[:8], "little") >> 1)

    def _fill(
        self,
        shape: tuple[int, ...],
        dtype: torch.dtype,
        draw: Callable[[Tensor, torch.Generator], Tensor],
    ) -> Tensor:
        out = torch.empty((len(self.seeds), *shape), dtype=dtype, device=self.device)
        for row, generator in _rows(out, self.generators):
            draw(row, generator)
        return out


def _rows(
    out: Tensor, generators: list[torch.Generator]
) -> Iterator[tuple[Tensor, torch.Generator]]:
    return zip(out.unbind(0), generators, strict=True)
