"""Checkpoints of a stack in training: one safetensors file, plain values in its header."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from genbench.core.files import discard, write_bytes
from genbench.training.trainer import Trainer


class Checkpoint:
    """Saves a trainer every so many seconds and restores it after a kill.

    Arguments:
        path: The file; its folder is created when needed.
        every: Seconds between saves.
        seeds: Those of the stack, so that a later run can form the same stack.
        source: What stands for code and data beside the layout; a file of another source is not usable.
        carry: Says at every save what else is to be kept; `carried` has it after `restore`.
    """

    def __init__(
        self,
        path: Path,
        every: float,
        seeds: Sequence[int] = (),
        source: str = "",
        carry: Callable[[Trainer], dict[str, Any]] = lambda trainer: {},
    ) -> None:
        self.path, self.every, self.seeds, self.source = path, every, list(seeds), source
        self.carry, self.carried = carry, {}
        self.last = time.monotonic()

    def __call__(self, trainer: Trainer, *, now: bool = False) -> None:
        """Saves if it is time, or now."""
        if now or time.monotonic() - self.last >= self.every:
            self.save(trainer)
            self.last = time.monotonic()

    def save(self, trainer: Trainer) -> None:
        """Writes the trainer's state atomically."""
        tensors, plain = trainer.state()
        tensors = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        text = json.dumps(plain)
        header = {"plain": text, "seeds": json.dumps(self.seeds), "sha256": digest(tensors, text)}
        header |= {"source": self.source, "carried": json.dumps(self.carry(trainer))}
        write_bytes(self.path, save(tensors, header))

    def restore(self, trainer: Trainer) -> bool:
        """Brings a fresh trainer to the saved state; returns whether there was a usable one.

        A file that is damaged, or of another layout or source, is removed, and training starts afresh.
        """
        if not self.path.is_file():
            return False
        try:
            with safe_open(self.path, framework="pt") as file:
                header = file.metadata() or {}
                plain = json.loads(header["plain"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            if digest(tensors, header["plain"]) != header["sha256"]:
                raise ValueError("damaged")
            if header.get("source", self.source) != self.source:  # older files have none
                raise ValueError("another source")
            expected = {key: value.shape for key, value in trainer.state()[0].items()}
            if {key: value.shape for key, value in tensors.items()} != expected:
                raise ValueError("another layout")
            self.carried = dict(json.loads(header.get("carried", "{}")))
        except (SafetensorError, OSError, ValueError, KeyError, TypeError):
            self.remove()
            return False
        return self._take_up(trainer, tensors, plain)

    def _take_up(self, trainer: Trainer, tensors: dict[str, Tensor], plain: Any) -> bool:
        """Restores all of a state, or none of it where it does not fit."""
        fresh, start = trainer.state()
        fresh = {key: value.detach().clone() for key, value in fresh.items()}
        device = trainer.device
        moved = {k: v if k.startswith("rng.") else v.to(device) for k, v in tensors.items()}
        try:
            trainer.restore(moved, plain)
        except (KeyError, TypeError, ValueError, RuntimeError):
            trainer.restore(fresh, start)
            self.remove()
            return False
        return True

    def remove(self) -> None:
        """Deletes the file, if there."""
        discard(self.path)


def seeds_of(path: Path) -> list[int]:
    """Returns the seeds of a checkpoint's stack; none if it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return [int(seed) for seed in json.loads((file.metadata() or {})["seeds"])]
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return []


def digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """Returns the sha256 of a state: names, types, shapes and bytes of its tensors, and a text."""
    checksum = hashlib.sha256(text.encode())
    for key in sorted(tensors):
        # a copy, since a tensor of one number passes for contiguous with any strides
        tensor = tensors[key].clone(memory_format=torch.contiguous_format)
        checksum.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        checksum.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return checksum.hexdigest()
