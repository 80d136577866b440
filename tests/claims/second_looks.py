"""Second looks at verdicts that go against a claim: the same experiments by other means.

    python tests/claims/second_looks.py arithmetic [--seeds 8] [--rounds 3000]
    python tests/claims/second_looks.py stability [--seeds 8] [--rounds 3000]

`arithmetic` takes other GANs than the claim's own to latent arithmetic. `stability` trains restricted
Boltzmann machines without what tames them by default: clipped gradients, falling steps, averaged weights.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest import mock

from genbench.claims import latent_arithmetic, training_stability
from genbench.core.dataset import DATASETS
from genbench.core.model import Player
from genbench.core.rng import Rng

#: beside the claim's own GAN, with codes as long
GANS = ("r1_gan", "wgan_gp", "hinge_sn", "gan")


def arithmetic(rng: Rng, rounds: int) -> None:
    """Prints the share of tasks that sums solve, beside that of random steps."""
    dataset = DATASETS.get("digits")()
    with mock.patch.dict(latent_arithmetic.MODELS, {name: {"latent": 16} for name in GANS}):
        for name in (*GANS, "vae"):
            space, _ = latent_arithmetic.trained(name, dataset, rounds, rng.fork(name))
            found = latent_arithmetic.columns_of(space, dataset, 2000, 1000, rng.fork(name, "t"))
            for attribute in latent_arithmetic.ATTRIBUTES:
                shares = [
                    told(found[f"samples_{attribute}_{step}"].tolist())
                    for step in ("sum", "random")
                ]
                print(f"{name:10s} {attribute:14s} sums {shares[0]}  random steps {shares[1]}")


def untamed(player: Player) -> Player:
    """Leaves a player its loss and its optimiser alone."""
    return replace(player, clip=None, schedule=None, average=None)


def stability(rng: Rng, rounds: int) -> None:
    """Prints how many runs of a setting end beyond the claim's marks, as they are and untamed."""
    plain = training_stability.optimised
    for title, change in (("as it is", plain), ("untamed", tamed_off(plain))):
        with mock.patch.object(training_stability, "optimised", change):
            found = training_stability.experiment(rng, rounds=rounds, families=("rbm",))
        evidence: Any = SimpleNamespace(
            measured=lambda name, held=found: dict(enumerate(held[name]))
        )
        kinds = training_stability.failures(evidence, "rbm")
        size = len(training_stability.GRID) * len(found["rbm_constant"])
        counts = ", ".join(f"{name} {sum(s.values()) / len(s):.3f}" for name, s in kinds.items())
        print(f"rbm {title}: shares of {size} runs that failed: {counts}")
        for place in training_stability.GRID:
            last = found[f"{training_stability.column('rbm', *place)}_last"]
            print(f"  step size x {place[0]:g}, first decay {place[1]}: squared MMD {told(last)}")


def tamed_off(change):
    return lambda player, **given: untamed(change(player, **given))


def told(values: list[float]) -> str:
    """Mean and standard error of what is a number."""
    found = [value for value in values if math.isfinite(value)]
    if len(found) < 2:
        return f"of {len(found)} numbers"
    return f"{statistics.fmean(found):.3g} ± {statistics.stdev(found) / len(found) ** 0.5:.2g}"


def main() -> int:
    """Prints a second look."""
    looks = {"arithmetic": arithmetic, "stability": stability}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("look", choices=looks)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3000)
    given = parser.parse_args()
    looks[given.look](Rng(range(given.seeds)), given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
