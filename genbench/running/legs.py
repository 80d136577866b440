"""Where a stack was trained that stopped and went on, perhaps on other machines, and what that took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from genbench.store.environment import environment, peak_memory
from genbench.store.machines import MACHINE
from genbench.training.checkpoint import Checkpoint
from genbench.training.trainer import Trainer

#: what of an environment a checkpoint carries along
CARRIED = (*MACHINE, "torch")


class Legs:
    """What each process that trained a stack ran on, and the most memory that one took.

    Seconds of training are those of all legs together. Where these ran on several machines the record's
    environment names all of them, so that its times are compared with those of no single one.

    Arguments:
        device: Where this process trains.
        workers: Jobs side by side.
    """

    def __init__(self, device: torch.device, workers: int = 1) -> None:
        here = environment(device, workers)
        self.device, self.here = device, {key: here[key] for key in CARRIED if key in here}
        self.machines, self.trained_here = [self.here], True
        self.memory: int | None = None

    def measure(self) -> int | None:
        """Takes up the most bytes that this process took so far; returns the most of all legs."""
        if self.trained_here:
            known = (m for m in (self.memory, peak_memory(self.device)) if m is not None)
            self.memory = max(known, default=None)
        return self.memory

    def carry(self, trainer: Trainer) -> dict[str, Any]:
        """Returns what a checkpoint is to carry along; what comes after training is no part of it."""
        if trainer.progress < 1:
            self.measure()
        return {"machines": self.machines, "memory": self.memory}

    def go_on(self, checkpoint: Checkpoint, trainer: Trainer) -> None:
        """Takes up the earlier legs of a trainer that was restored; one that has ended has no leg here."""
        before = checkpoint.carried.get("machines") or [self.here]
        self.memory, self.trained_here = checkpoint.carried.get("memory"), trainer.progress < 1
        new = self.trained_here and self.here not in before
        self.machines = [*before, self.here] if new else before

    def environment(self, here: Mapping[str, Any]) -> dict[str, Any]:
        """Returns an environment with the machines of all legs in place of this one."""
        parts: dict[str, list[Any]] = {}
        for part, value in ((p, v) for machine in self.machines for p, v in machine.items()):
            if value not in parts.setdefault(part, []):
                parts[part].append(value)
        one = {part: values[0] for part, values in parts.items() if len(values) == 1}
        several = {p: ", then ".join(map(str, v)) for p, v in parts.items() if len(v) > 1}
        return {**here, **one, **several}
