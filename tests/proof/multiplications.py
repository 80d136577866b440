"""Counts the rounds of one level that cost as many multiplications as staged training.

Prints what `genbench/claims/staged_generation.py` takes as the rounds of models that generate at once.
Usage: python tests/proof/multiplications.py [DATASET ...]
"""

from __future__ import annotations

import sys
from contextlib import nullcontext

from torch.utils.flop_counter import FlopCounterMode

from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.experiments.training import train

#: rounds of the staged model in the claim, those that are counted (all stages divide them), options of both
ROUNDS, COUNTED, BATCH, WIDTH = 2500, 60, 4, 16


class NoModules(nullcontext[None]):
    """Stands for the counter's tracker of modules, all operations being the whole model's."""

    parents = frozenset({"Global"})


def count_multiplications(model: str, dataset: str, **options: int) -> float:
    """Returns the floating-point operations of a round, the mean over a whole training of few rounds."""
    data, rng = DATASETS.get(dataset)(), Rng([0])
    built = build(model, data.spec, rng.fork("model"), {"width": WIDTH, **options})
    counter = FlopCounterMode(display=False)
    # its hooks on modules cannot be in the way of a gradient penalty's own backward pass
    counter.mod_tracker = NoModules()
    with counter:
        train(built, data, COUNTED, rng, batch=BATCH)
    return counter.get_total_flops() / COUNTED


def main() -> None:
    """Prints a line per data set and model."""
    for dataset in sys.argv[1:] or ["digits", "fashion_mnist"]:
        for model in ("lapgan", "progan"):
            staged = count_multiplications(model, dataset)
            at_once = count_multiplications(model, dataset, levels=1)
            print(f"{dataset} {model}: {round(ROUNDS * staged / at_once)} rounds at once")


if __name__ == "__main__":
    main()
