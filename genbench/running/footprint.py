"""How much memory a seed of a stack needs, and how much there is."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.core.model import Model, build
from genbench.core.registry import load_plugin
from genbench.core.rng import Rng
from genbench.core.spec import CellSpec
from genbench.nn.conv import Conv2d, ConvTranspose2d
from genbench.running.build import open_dataset, prepare_model
from genbench.running.child_processes import end_with_parent, signals_held
from genbench.running.interrupts import deadline, is_of_user
from genbench.running.job import RunSettings
from genbench.training.minibatches import Minibatches

#: points per seed in the trial step; activations are scaled from it to the batch
TRIAL = 8
#: seconds after which a trial step is given up
PATIENCE = 120.0
#: activations an entry of a point, and a point, that models hardly exceed; where even so many fit, a
#: trial step is not worth its time
MANY, LEAST = 1000, 16_000


@dataclass(frozen=True)
class Footprint:
    """What one seed of a stack needs: bytes, and whether its layers go through seeds one by one."""

    bytes: int
    loops: bool


def footprint(spec: CellSpec, settings: RunSettings, fits: float) -> Footprint | None:
    """Returns what one seed of a cell needs; None where that cannot be found out.

    Weights are counted from the model. What the backward pass keeps is guessed, on the large side, from
    the size of a batch, and measured in a trial step of a process of its own only where the guess is over
    `fits` bytes; what goes wrong there the job itself will report.
    """
    try:
        with deadline(settings.timeout):
            dataset = open_dataset(spec, settings)
            model = build(spec.model, dataset.spec, Rng([0]), dict(spec.options))
    except BaseException as error:  # whatever a user's code raises, the job itself will report
        if is_of_user(error):
            raise
        return None
    wide = 2 if spec.precision == "float64" else 1
    event = math.prod(dataset.spec.event)
    # weights, gradients, two moments and an average; samples and a copy of them
    fixed = 5 * sum(p.numel() * p.element_size() for p in model.parameters())
    fixed += 2 * 4 * settings.samples * event
    loops = any(isinstance(part, (Conv2d, ConvTranspose2d)) for part in model.modules())
    activations = 4 * spec.batch * max(event * MANY, LEAST)
    if wide * (fixed + activations) > fits:
        measured = _trial(spec, settings)
        activations = activations if measured is None else measured
    return Footprint(wide * (fixed + activations), loops)


_TRIALS: dict[str, int | None] = {}


def _trial(spec: CellSpec, settings: RunSettings) -> int | None:
    """Bytes that a batch of one seed keeps for the backward pass, measured in another process."""
    if spec.group not in _TRIALS:
        context = multiprocessing.get_context("spawn")
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_measure, args=(theirs, spec, settings), daemon=True)
        with signals_held():
            process.start()
        theirs.close()
        try:
            _TRIALS[spec.group] = mine.recv() if mine.poll(PATIENCE) else None
        except EOFError:
            _TRIALS[spec.group] = None
        finally:
            process.kill()
            process.join()
    return _TRIALS[spec.group]


def _measure(answer: Connection, spec: CellSpec, settings: RunSettings) -> None:
    end_with_parent()
    try:
        for plugin in settings.plugins:
            load_plugin(plugin)
        answer.send(kept_bytes(spec, settings))
    except (
        Exception,
        SystemExit,
    ):  # the job itself will fail with the same, and say so in its record
        answer.send(None)


def kept_bytes(spec: CellSpec, settings: RunSettings) -> int:
    """Returns the bytes that one seed's batch keeps for the backward passes of all its players."""
    dataset, rng = open_dataset(spec, settings), Rng([0])
    points = min(TRIAL, spec.batch)
    model = prepare_model(spec, dataset, rng)
    minibatches = Minibatches(dataset, rng.fork("data"), points)
    most = 0
    for player in model.players():
        with _saved_bytes(model) as saved:
            player.loss(minibatches(), rng.fork("train"))
        most = max(most, saved[0])
    return most * spec.batch // points


@contextmanager
def _saved_bytes(model: Model) -> Iterator[list[int]]:
    """Counts the bytes that autograd keeps for the backward pass, weights excluded."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    tensors: list[Tensor] = []  # so that no storage is freed and its place counted twice
    total = [0]

    def pack(tensor: Tensor) -> Tensor:
        where = tensor.untyped_storage().data_ptr()
        if where not in weights:
            weights.add(where)
            tensors.append(tensor)
            total[0] += tensor.untyped_storage().nbytes()
        return tensor

    hooks: Callable[..., Any] = torch.autograd.graph.saved_tensors_hooks
    with hooks(pack, lambda tensor: tensor):
        yield total


def free_memory(device: torch.device) -> int:
    """Returns the bytes that can still be had on a device, within the limit of a container."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = [8 << 30]
    try:
        lines = Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()
        free = [1024 * int(lines[0])]
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        free += [] if limit == "max" else [max(int(limit) - used, 0)]
    except (OSError, IndexError, ValueError):
        pass
    return min(free)
