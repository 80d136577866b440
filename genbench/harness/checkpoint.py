"""Checkpoints of a stack in training: one safetensors file, plain values in its header."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from genbench.core.files import write_bytes
from genbench.harness.train import Trainer


class Checkpoint:
    """Saves a trainer every so many seconds and brings it back after a kill.

    Arguments:
        path: The file; its folder is made when needed.
        every: Seconds between saves.
    """

    def __init__(self, path: Path, every: float) -> None:
        self.path, self.every = path, every
        self.last = time.monotonic()

    def __call__(self, trainer: Trainer) -> None:
        """Saves if it is time."""
        if time.monotonic() - self.last >= self.every:
            self.save(trainer)
            self.last = time.monotonic()

    def save(self, trainer: Trainer) -> None:
        """Writes the trainer's state atomically."""
        tensors, plain = trainer.state()
        held = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        write_bytes(self.path, save(held, {"plain": json.dumps(plain)}))

    def restore(self, trainer: Trainer) -> bool:
        """Brings a fresh trainer to the saved state; returns whether there was a usable one.

        A file that is damaged or of another layout is removed, and training starts afresh.
        """
        if not self.path.is_file():
            return False
        try:
            with safe_open(self.path, framework="pt") as file:
                plain = json.loads((file.metadata() or {})["plain"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            expected = {key: value.shape for key, value in trainer.state()[0].items()}
            if {key: value.shape for key, value in tensors.items()} != expected:
                raise ValueError("another layout")
        except (SafetensorError, OSError, ValueError, KeyError, TypeError):
            self.remove()
            return False
        return self._take_up(trainer, tensors, plain)

    def _take_up(self, trainer: Trainer, tensors: dict[str, Tensor], plain: Any) -> bool:
        """Restores all of a state, or where it does not fit nothing of it."""
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
        self.path.unlink(missing_ok=True)
