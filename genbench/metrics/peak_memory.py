"""How much memory sampling takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from genbench.core.allowed import Count
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.trained import Trained

COLUMN = Column(
    "lower", "MiB", None, "the most that weights and tensors take while drawing a batch"
)


@metric("peak_memory", view="model", columns={"peak_memory": COLUMN})
def peak_memory(trained: Trained, test: Tensor, *, rng: Rng, batch: Count = 1024) -> Score:
    """Returns the most bytes that live tensors hold at once while one seed's model draws a batch.

    Every tensor that an operator returns is counted from its making to its freeing, weights and buffers
    from the start. It is the same number in every run and on every machine, unlike a process's size,
    but leaves out what kernels and the allocator hold inside.

    Arguments:
        trained: A model of one seed and its data set.
        test: Not used.
        rng: Draws the samples.
        batch: How many samples are drawn at once.

    Returns:
        MiB, lower is better.
    """
    stream = rng.fork("memory")
    with torch.no_grad(), _Meter([*trained.model.parameters(), *trained.model.buffers()]) as meter:
        trained.sample(batch, stream)
    return Score(meter.peak / 2**20, protocol={"counts": "tensors"})


class _Meter(TorchDispatchMode):
    """Counts the bytes of live storages while it is entered."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        self.live: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0
        self._add(tensors)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        self._add(leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor))
        return out

    def _add(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            storage = tensor.untyped_storage()
            ref = StorageWeakRef(storage)
            self.live[ref.cdata] = ref, storage.nbytes()
        self.live = {key: item for key, item in self.live.items() if not item[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self.live.values()))
