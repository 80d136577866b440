"""How the seeds of a group are put into stacks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genbench.core.spec import CellSpec
from genbench.running.environment import choose_device
from genbench.running.footprint import footprint, free_memory
from genbench.running.job import Job, Setting
from genbench.training.checkpoint import seeds_of

#: beyond this many seeds a stack of small networks is at the machine's rate already
MOST = 64
#: the share of the free memory that stacks may take, all workers together
SHARE = 0.6


@dataclass
class Group:
    """Cells that differ in the seed alone and need the same thing done."""

    specs: list[CellSpec]
    rescore: bool = False
    #: of one round of one seed, from earlier records
    seconds: float | None = None


def stack(groups: Sequence[Group], setting: Setting, at_once: int | None) -> list[Job]:
    """Returns the jobs of groups; side by side the longest expected come first.

    Stacks that a killed run left checkpoints of are put together again. The other seeds are cut into
    stacks of `at_once`, or else of as many as the memory holds, with these exceptions on CPU workers:
    networks whose layers loop over seeds gain nothing from a stack and go one seed a job, and groups too
    few for all workers are shared out between them.

    Arguments:
        groups: What there is to do.
        setting: Given to every job.
        at_once: Seeds a stack as the suite says, or None.
    """
    waiting = len(groups)
    jobs: list[tuple[float, Job]] = []
    for group in groups:
        left, stacks = _interrupted(group, setting)
        many, bytes_a_seed = _size(group, left, setting, at_once, waiting)
        stacks += [left[at : at + many] for at in range(0, len(left), many)]
        for specs in stacks:
            memory = None if bytes_a_seed is None else bytes_a_seed * len(specs)
            job = Job(tuple(specs), setting, rescore=group.rescore, memory=memory)
            jobs.append((_expected(group, len(specs)), job))
    if setting.workers > 1:
        jobs.sort(key=lambda pair: -pair[0])
    return [job for _, job in jobs]


def _size(
    group: Group, left: Sequence[CellSpec], setting: Setting, at_once: int | None, groups: int
) -> tuple[int, int | None]:
    """Returns how many seeds go into one stack, and the bytes of one where they were estimated."""
    if at_once is not None or len(left) < 2:
        return at_once or 1, None
    device = choose_device(setting.device)
    free = SHARE * free_memory(device) / setting.workers
    most = min(MOST, len(left))
    need = None if group.rescore else footprint(left[0], setting, fits=free / most)
    if need is not None:
        most = max(1, min(most, int(free // max(need.bytes, 1))))
    if device.type == "cpu" and setting.workers > 1:
        if need is not None and need.loops:
            return 1, need.bytes
        most = min(most, math.ceil(len(left) / math.ceil(setting.workers / groups)))
    # equal stacks: nine seeds of which eight fit are five and four
    even = math.ceil(len(left) / math.ceil(len(left) / most))
    return even, need.bytes if need else None


def _interrupted(group: Group, setting: Setting) -> tuple[list[CellSpec], list[list[CellSpec]]]:
    """Returns the cells that are in no checkpoint, and the stacks that are, as they were."""
    by_seed = {spec.seed: spec for spec in group.specs}
    stacks: list[list[CellSpec]] = []
    if setting.checkpoints is not None and not group.rescore:
        device = choose_device(setting.device).type
        name = f"{group.specs[0].group}-{device}-*.safetensors"
        for path in sorted(Path(setting.checkpoints).glob(name)):
            seeds = seeds_of(path)
            if seeds and len(set(seeds)) == len(seeds) and set(seeds) <= set(by_seed):
                stacks.append([by_seed.pop(seed) for seed in seeds])
    return list(by_seed.values()), stacks


def _expected(group: Group, seeds: int) -> float:
    """Seconds that a job may take; what is not known comes first, before the known long ones."""
    if group.rescore:
        return 0.0
    budget = group.specs[0].budget
    if budget.seconds is not None:
        return budget.seconds
    if group.seconds is None:
        return math.inf
    rounds = budget.steps or (budget.examples or 0) / group.specs[0].batch
    return group.seconds * rounds * seeds
