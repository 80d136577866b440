"""What seeds cost: training `gan` on `ring` with 8 stacked seeds against 1, side by side.

Interleaved, medians of 5; run it on an otherwise idle machine: python tests/speed/seeds.py
"""

from __future__ import annotations

import statistics
import sys

import torch

from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.harness.train import Trainer

ROUNDS, REPEATS, BATCH, LIMIT = 300, 5, 128, 3.0


def seconds(model: str, seeds: int) -> float:
    """Returns the seconds that ROUNDS rounds take with so many seeds in the stack."""
    dataset, rng = DATASETS.get("ring")(), Rng(range(seeds))
    made = build(model, dataset.spec, rng)
    return Trainer(made, dataset, Budget(steps=ROUNDS), batch=BATCH, rng=rng).run().seconds


def main() -> int:
    """Prints the table; returns 1 if eight seeds cost more than LIMIT times one."""
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, batch {BATCH}, {ROUNDS} rounds"
    )
    seconds("gan", 1)
    times: dict[int, list[float]] = {1: [], 8: []}
    for _ in range(REPEATS):
        for seeds in times:
            times[seeds].append(seconds("gan", seeds))
    one, eight = (statistics.median(times[seeds]) for seeds in (1, 8))
    print(
        f"gan on ring: 1 seed {one:.2f} s, 8 seeds {eight:.2f} s, ratio {eight / one:.2f} (limit {LIMIT})"
    )
    return int(eight / one > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
