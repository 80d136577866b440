"""Our stacks of seeds beside compiled JAX: rounds of seeds per second of the same GAN on ring.

The rival is what a user who wants many seeds of a small model writes in JAX (`_jax_gan.py`): vmap over
seeds, scan over rounds, one compiled program. Ours runs as it is, and with its losses compiled
(`genbench run --compile inductor`). All run in processes of their own, pinned to one core or to all, in
turn, and the median of the repeats counts. Then ours beside two busy loops, over the same without them.
Run it on an otherwise idle machine with the extra `peers`:
python tests/speed/compiled.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: (minibatch, width, seeds)
ROWS = ((64, 64, 8), (64, 64, 32), (256, 128, 1), (256, 128, 16))
SECONDS, REPEATS = 3.0, 3
HEADS = ("batch", "width", "seeds", "JAX", "ours", "compiled", "ours/JAX", "comp./JAX", "asked")
#: a loop that ends with the process that began it, however that ends
BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: sum(range(10_000))"
#: what is asked: of JAX's rate, and of the quiet rate beside busy neighbours
AIM, STEADY = 0.9, 0.6

OURS = """
import sys
from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.trainer import Trainer
batch, width, seeds = map(int, sys.argv[2:5])
dataset, rng = DATASETS.get("ring")(), Rng(range(seeds))
model = build("gan", dataset.spec, rng.fork("init"), {"hidden": (width,) * 3})
compiled = sys.argv[1] == "compiled"
trainer = Trainer(model, dataset, Budget(steps=20), batch=batch, rng=rng, compiled=compiled).run()
if compiled:
    assert not trainer.compiled.reasons, trainer.compiled.reasons
trainer.budget, trainer.step, trainer.seconds = Budget(seconds=float(sys.argv[5])), 0, 0.0
trainer.run()
print(seeds * trainer.step / trainer.seconds)
"""


def rate(code: list[str], row: tuple[int, int, int], cores: set[int]) -> float:
    """Returns the rounds of seeds per second of a fresh process on these cores."""
    environment = os.environ | {"OMP_NUM_THREADS": str(len(cores)), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, *code, *map(str, row), str(SECONDS)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    return float(done.stdout.split()[-1])


def compare(cores: set[int]) -> bool:
    """Prints ours beside JAX on these cores; returns whether an aim is missed."""
    ways = {
        "JAX": [str(ROOT / "tests/speed/_jax_gan.py")],
        "ours": ["-c", OURS, "plain"],
        "compiled": ["-c", OURS, "compiled"],
    }
    print(f"\n{len(cores)} core{'s' * (len(cores) > 1)}: rounds of seeds per second")
    print("".join(f"{word:>10}" for word in HEADS))
    missed = False
    for row in ROWS:
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(REPEATS):
            for name, code in ways.items():
                rates[name].append(rate(code, row, cores))
        jax, ours, compiled = (statistics.median(rates[name]) for name in ways)
        missed |= compiled < AIM * jax
        numbers = "".join(f"{x:>10.0f}" for x in (*row, jax, ours, compiled))
        print(f"{numbers}{ours / jax:>10.2f}{compiled / jax:>10.2f}{AIM:>10}", flush=True)
    return missed


def beside_neighbours(cores: set[int]) -> bool:
    """Prints what two busy loops leave of the rate; returns whether it is less than asked."""
    print("\nbeside two busy loops, all cores: share of the quiet rate")
    missed = False
    for row in ROWS[:2]:
        shares = []
        for _ in range(REPEATS):
            quiet = rate(["-c", OURS, "plain"], row, cores)
            loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in "ab"]
            try:
                shares.append(rate(["-c", OURS, "plain"], row, cores) / quiet)
            finally:
                for loop in loops:
                    loop.kill()
        share = statistics.median(shares)
        missed |= share < STEADY
        print(f"{row[0]:>6}{row[1]:>7}{row[2]:>7}{share:>8.2f}{STEADY:>7}", flush=True)
    return missed


def main() -> int:
    """Prints the tables; returns 1 if an aim is missed."""
    cores = os.sched_getaffinity(0)
    missed = compare({max(cores)})
    missed |= compare(cores)
    missed |= beside_neighbours(cores)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
