"""How the seeds of a group are put into stacks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genbench.core.device import choose_device
from genbench.core.spec import CellSpec
from genbench.running.footprint import footprint, free_memory
from genbench.running.job import RunSettings, StackJob
from genbench.training.checkpoint import seeds_of

#: beyond this many seeds a stack of small networks is at the machine's rate already
MOST = 64
#: the share of the free memory that stacks may take, all workers together
SHARE = 0.6


@dataclass
class StackRequest:
    """Cells that differ in the seed alone and need the same thing done."""

    specs: list[CellSpec]
    rescore: bool = False
    #: of one round of one seed, from earlier records
    seconds: float | None = None
    #: the hashes of the data set's splits, where they were read
    points: Mapping[str, str] = field(default_factory=dict)


def make_stacks(
    requests: Sequence[StackRequest], settings: RunSettings, at_once: int | None
) -> list[StackJob]:
    """Returns the jobs of groups; side by side the longest expected come first.

    Stacks that a killed run left checkpoints of are put together again. The other seeds are cut into
    stacks of `at_once`, or else of as many as the memory holds, with these exceptions on CPU workers:
    networks whose layers loop over seeds gain nothing from a stack and go one seed a job, and groups too
    few for all workers are shared out between them.

    Arguments:
        requests: What there is to do.
        settings: What every job gets.
        at_once: Seeds per stack as the suite says, or None.
    """
    jobs: list[tuple[float, StackJob]] = []
    for request in requests:
        rest, stacks = _interrupted(request, settings)
        many, bytes_per_seed = _size(request, rest, settings, at_once, len(requests))
        stacks += [rest[at : at + many] for at in range(0, len(rest), many)]
        for specs in stacks:
            memory = None if bytes_per_seed is None else bytes_per_seed * len(specs)
            job = StackJob(
                specs=tuple(specs),
                settings=settings,
                rescore=request.rescore,
                points=request.points,
                memory=memory,
            )
            jobs.append((_expected(request, len(specs)), job))
    if settings.workers > 1:
        jobs.sort(key=lambda pair: -pair[0])
    return [job for _, job in jobs]


def _size(
    request: StackRequest,
    specs: Sequence[CellSpec],
    settings: RunSettings,
    at_once: int | None,
    requests: int,
) -> tuple[int, int | None]:
    """Returns how many seeds go into one stack, and the bytes of one where they were estimated."""
    if at_once is not None or len(specs) < 2:
        return at_once or 1, None
    device = choose_device(settings.device)
    free = SHARE * free_memory(device) / settings.workers
    most = min(MOST, len(specs))
    need = None if request.rescore else footprint(specs[0], settings, fits=free / most)
    if need is not None:
        most = max(1, min(most, int(free // max(need.bytes, 1))))
    if device.type == "cpu" and settings.workers > 1:
        if need is not None and need.loops:
            return 1, need.bytes
        most = min(most, math.ceil(len(specs) / math.ceil(settings.workers / requests)))
    # equal stacks: nine seeds of which eight fit are five and four
    even = math.ceil(len(specs) / math.ceil(len(specs) / most))
    return even, need.bytes if need else None


def _interrupted(
    request: StackRequest, settings: RunSettings
) -> tuple[list[CellSpec], list[list[CellSpec]]]:
    """Returns the cells that are in no checkpoint, and the stacks that are, as they were."""
    by_seed = {spec.seed: spec for spec in request.specs}
    stacks: list[list[CellSpec]] = []
    if settings.checkpoints is not None and not request.rescore:
        device = choose_device(settings.device).type
        name = f"{request.specs[0].group}-{device}-*.safetensors"
        for path in sorted(Path(settings.checkpoints).glob(name)):
            seeds = seeds_of(path)
            if seeds and len(set(seeds)) == len(seeds) and set(seeds) <= set(by_seed):
                stacks.append([by_seed.pop(seed) for seed in seeds])
    return list(by_seed.values()), stacks


def _expected(request: StackRequest, seeds: int) -> float:
    """Seconds that a job may take; what is not known comes first, before the known long ones."""
    if request.rescore:
        return 0.0
    budget = request.specs[0].budget
    if budget.seconds is not None:
        return budget.seconds
    if request.seconds is None:
        return math.inf
    rounds = budget.steps or (budget.examples or 0) / request.specs[0].batch
    return request.seconds * rounds * seeds
