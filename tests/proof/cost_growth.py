"""By which power of a point's coordinates a round of training takes longer, from records of results/.

    python tests/proof/cost_growth.py

The median over models that have records on digits (64 coordinates) and on Fashion-MNIST
(784), in seconds of a real example; `genbench.running.cell_costs.GROWTH` is rounded from it.
"""

import math
from pathlib import Path
from statistics import fmean, median

from genbench.core.model import MODELS
from genbench.running.cell_costs import GROWTH
from genbench.store import Store

STORE = Store(Path(__file__).parents[2] / "results")


def seconds(dataset, model):
    """Seconds of a seed and example, or None without records."""
    ok = [r for r in STORE.of(dataset, model) if r.status == "ok" and r.used.steps]
    times = [r.used.seconds / r.used.seeds_sharing / r.used.steps / r.spec.batch for r in ok]
    return fmean(times) if times else None


def main():
    powers = {}
    for model in MODELS.names():
        small, large = (seconds(dataset, model) for dataset in ("digits", "fashion_mnist"))
        if small and large:
            powers[model] = math.log(large / small) / math.log(784 / 64)
    for model, power in sorted(powers.items(), key=lambda item: item[1]):
        print(f"{model:14} {power:.2f}")
    print(f"median of {len(powers)}: {median(powers.values()):.2f}; in use: {GROWTH}")


if __name__ == "__main__":
    main()
