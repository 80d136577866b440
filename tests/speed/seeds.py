"""What stacking seeds gains: rounds of seeds per second, beside a loop over seeds and two processes.

A round of one seed is one update of every player. Three tables. (1) Five families, stacks of 1 to 32
seeds on two threads; a loop over seeds is the stack of 1, and two processes have a thread each. (2) The
GAN against what anybody would write for one seed in plain torch, with the rate of its matrix products
beside the machine's. (3) DCGAN, whose convolutions gain nothing from a stack: what the planner does
with four seeds and two workers must be the best of the ways. Interleaved, medians; run it on an
otherwise idle machine: python tests/speed/seeds.py
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget, Suite
from genbench.running.job import RunSettings
from genbench.running.sorter import make_plan
from genbench.store import Store
from genbench.training.trainer import Trainer

FAMILIES = ("gan", "wgan_gp", "vae", "realnvp", "made")
STACKS = (1, 4, 8, 16, 32)
#: (minibatch, width, seeds): how many times the plain loop's rounds are aimed at. On a machine with a
#: faster core the plain loop gains more than the stack does, so only half of it must be reached
AIMS = {
    (256, 128, 16): 3.0,
    (256, 128, 32): 3.0,
    (64, 64, 8): 7.0,
    (64, 64, 32): 13.0,
}
#: the shape of the GAN that the aims were measured with
LAYERS, LATENT = 3, 2
#: seconds of one timing, timings of which the median is taken, and rounds that go before
LONG, REPEATS, WARM = 1.0, 5, 10
#: how far below the best way the planner's may lie: the noise of a timing
NOISE = 0.1


@dataclass(frozen=True)
class Stacked:
    """Our trainer on so many seeds at once."""

    model: str
    seeds: int
    batch: int = 256
    dataset: str = "ring"
    options: tuple[tuple[str, Any], ...] = ()

    def rounds(self) -> Callable[[], object]:
        """Returns what makes one round."""
        dataset, rng = DATASETS.get(self.dataset)(), Rng(range(self.seeds))
        model = build(self.model, dataset.spec, rng.fork("init"), dict(self.options))
        return Trainer(model, dataset, Budget(steps=10**9), batch=self.batch, rng=rng).round


@dataclass(frozen=True)
class Plain:
    """A GAN of one seed as anybody would write it: nn.Linear, torch.optim.Adam, one loss after the other."""

    batch: int
    width: int
    fused: bool = False
    seeds: int = 1

    def network(self, inputs: int, outputs: int, activation: nn.Module) -> nn.Sequential:
        sizes = [inputs, *[self.width] * LAYERS]
        hidden = [(nn.Linear(a, b), activation) for a, b in pairwise(sizes)]
        return nn.Sequential(
            *[part for pair in hidden for part in pair], nn.Linear(self.width, outputs)
        )

    def rounds(self) -> Callable[[], object]:
        """Returns what makes one round."""
        torch.manual_seed(0)
        generator = self.network(LATENT, 2, nn.ReLU())
        discriminator = self.network(2, 1, nn.LeakyReLU(0.2))
        how: dict[str, Any] = {"lr": 1e-3, "betas": (0.5, 0.999), "fused": self.fused or None}
        moves_g = torch.optim.Adam(generator.parameters(), **how)
        moves_d = torch.optim.Adam(discriminator.parameters(), **how)
        points = DATASETS.get("ring")().draw(10_000, Rng([0]))[0]
        loss = nn.BCEWithLogitsLoss()
        ones, zeros = torch.ones(self.batch, 1), torch.zeros(self.batch, 1)

        def judged(x: Tensor, label: Tensor) -> Tensor:
            return loss(discriminator(x), label)

        def step() -> None:
            real = points[torch.randint(len(points), (self.batch,))]
            fake = generator(torch.randn(self.batch, LATENT))
            moves_d.zero_grad()
            (judged(real, ones) + judged(fake.detach(), zeros)).backward()
            moves_d.step()
            moves_g.zero_grad()
            judged(generator(torch.randn(self.batch, LATENT)), ones).backward()
            moves_g.step()

        return step


Way = Stacked | Plain


def rate(way: Way) -> float:
    """Returns rounds of seeds per second of one process, in about LONG seconds."""
    step = way.rounds()
    for _ in range(WARM):
        step()
    if _together:
        _together[0].wait()
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < LONG:
        step()
        rounds += 1
    return way.seeds * rounds / (time.perf_counter() - began)


#: in a worker process: what lets both begin at the same moment
_together: list[Any] = []


def _begin(barrier: Any) -> None:
    torch.set_num_threads(1)
    _together.append(barrier)


class Two:
    """Two worker processes with a thread each."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(2, context, _begin, (context.Barrier(2),))

    def rate(self, way: Way) -> float:
        """Returns the rounds of seeds per second that both make together."""
        return sum(self.pool.map(rate, [way, way]))


def rates(ways: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Returns the median rate of every way; they take turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, measure in ways.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


def machine() -> float:
    """Returns the GFLOP/s of a product of two 2048×2048 float32 matrices, the best of 20."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    best = 0.0
    for _ in range(20):
        began = time.perf_counter()
        torch.mm(a, b)
        best = max(best, 2 * 2048**3 / (time.perf_counter() - began) / 1e9)
    return best


def families(two: Two) -> None:
    """Prints what stacks of more seeds gain."""
    print("\n(1) rounds of seeds per second, minibatches of 256 (times a loop over seeds)")
    heads = [f"S={s}" for s in STACKS[1:]]
    print(f"{'model':<9}{'loop':>7}" + "".join(f"{head:>15}" for head in heads), end="")
    print(f"{'2 processes':>15}{'2 of S=16':>15}")
    for model in FAMILIES:
        ways: dict[str, Callable[[], float]] = {
            str(seeds): partial(rate, Stacked(model, seeds)) for seeds in STACKS
        }
        ways["two"] = partial(two.rate, Stacked(model, 1))
        ways["two stacks"] = partial(two.rate, Stacked(model, 16))
        found = rates(ways)
        loop = found.pop("1")
        cells = "".join(f"{f'{r:.0f} ({r / loop:.1f})':>15}" for r in found.values())
        print(f"{model:<9}{loop:>7.0f}{cells}", flush=True)


def against_plain(two: Two) -> bool:
    """Prints the GAN beside plain torch; returns whether half of an aim is missed."""
    print(
        f"\n(2) gan, {LAYERS} hidden layers, against one seed in plain torch: rounds of seeds per second"
    )
    print(
        f"{'batch':>5}{'width':>6}{'seeds':>6}{'ours':>8}{'plain':>8}{'fused':>8}{'2 procs':>9}"
        f"{'times plain':>13}{'aim':>8}{'times 2 procs':>15}{'GFLOP/s':>9}{'machine':>9}"
    )
    missed = False
    for (batch, width, seeds), aim in AIMS.items():
        ours = Stacked("gan", seeds, batch, options=(("hidden", (width,) * LAYERS),))
        plain, fused = Plain(batch, width), Plain(batch, width, fused=True)
        found = rates(
            {
                "ours": partial(rate, ours),
                "plain": partial(rate, plain),
                "fused": partial(rate, fused),
                "two": partial(two.rate, plain),
                "machine": machine,
            }
        )
        step = ours.rounds()
        with FlopCounterMode(display=False) as counter:
            step()
        products = counter.get_total_flops() / seeds * found["ours"] / 1e9
        ratio = found["ours"] / found["plain"]
        missed |= ratio < aim / 2
        print(
            f"{batch:>5}{width:>6}{seeds:>6}{found['ours']:>8.0f}{found['plain']:>8.0f}"
            f"{found['fused']:>8.0f}{found['two']:>9.0f}{ratio:>13.1f}{aim:>8.0f}"
            f"{found['ours'] / found['two']:>15.1f}{products:>9.0f}{found['machine']:>9.0f}",
            flush=True,
        )
    return missed


def planned(seeds: int) -> int:
    """Returns how many seeds of DCGAN the planner puts into a stack for two workers."""
    suite = Suite.model_validate(
        {
            "description": "DCGAN",
            "seeds": seeds,
            "batch": 64,
            "metrics": ["fid"],
            "cells": [{"models": ["dcgan"], "datasets": ["digits"]}],
        }
    )
    with TemporaryDirectory() as folder:
        settings = RunSettings(device="cpu", workers=2, metrics=tuple(suite.metrics))
        return len(make_plan(suite, Store(Path(folder)), settings).jobs[0].specs)


def convolutions(two: Two) -> bool:
    """Prints the ways to train four seeds of DCGAN; returns whether the planner's is not the best."""
    one, half, whole = (Stacked("dcgan", s, 64, "digits") for s in (1, 2, 4))
    found = rates(
        {
            "1 process, one seed after the other": partial(rate, one),
            "1 process, a stack of 4": partial(rate, whole),
            "2 processes, stacks of 2": partial(two.rate, half),
            "2 processes, one seed a job": partial(two.rate, one),
        }
    )
    chosen = {1: "2 processes, one seed a job", 2: "2 processes, stacks of 2"}[planned(4)]
    print("\n(3) dcgan on digits, minibatches of 64, four seeds: rounds of seeds per second")
    for way, value in found.items():
        print(
            f"{way:<38}{value:>7.1f}{'   the planner, for two workers' if way == chosen else ''}"
        )
    return found[chosen] < (1 - NOISE) * max(found.values())


def main() -> int:
    """Prints the tables; returns 1 if half of an aim is missed or the planner chose badly."""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    two = Two()
    families(two)
    missed = against_plain(two)
    missed |= convolutions(two)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
