"""What keeping freed memory gains (genbench/training/memory.py): processor time and page faults of a round.

Each row trains in processes of its own, with and without in turn, on one thread; the least processor
time of the repeats counts. Asked: 1.3 times as fast for three of the convolutional models (*). Run it on an
otherwise idle machine: python tests/speed/memory.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from genbench.training.memory import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
#: model, data set, seeds, minibatch, rounds; a * marks convolutional ones
ROWS = (
    ("pixelcnn*", "fashion_mnist", 1, 64, 8),
    ("dcgan*", "fashion_mnist", 1, 64, 40),
    ("resgan*", "fashion_mnist", 1, 64, 4),
    ("progan*", "fashion_mnist", 1, 64, 10),
    ("lapgan*", "fashion_mnist", 8, 64, 2),
    ("made", "fashion_mnist", 8, 64, 3),
    ("maf", "fashion_mnist", 2, 64, 10),
    ("gan", "ring", 32, 64, 200),
)
REPEATS, AIM, ENOUGH = 3, 1.3, 3

CODE = """
import resource, sys
from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training import memory
from genbench.training.trainer import Trainer
name, data = sys.argv[1:3]
seeds, batch, rounds, keep = map(int, sys.argv[3:])
if not keep:
    memory._libc = lambda: None
dataset, rng = DATASETS.get(data)(), Rng(range(seeds))
model = build(name, dataset.spec, rng.fork("init"))
train = lambda n: Trainer(model, dataset, Budget(steps=n), batch=batch, rng=rng).run()
train(2)
with memory.keep_memory():  # what the first round maps is no part of the others
    train(1)
    before = resource.getrusage(resource.RUSAGE_SELF)
    train(rounds)
    after = resource.getrusage(resource.RUSAGE_SELF)
spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(1e3 * spent / rounds, (after.ru_minflt - before.ru_minflt) / rounds)
"""


def measure(row: tuple[str, str, int, int, int], keep: bool) -> tuple[float, float]:
    """Returns the milliseconds and page faults a round of a fresh process."""
    name, data, *numbers = row
    own = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    command = [name.strip("*"), data, *map(str, numbers), str(int(keep))]
    done = subprocess.run(
        [sys.executable, "-c", CODE, *command],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=own | {"OMP_NUM_THREADS": "1"},
    )
    milliseconds, faults = done.stdout.split()
    return float(milliseconds), float(faults)


def main() -> int:
    """Prints the table; returns 1 if too few convolutional models gain what is asked."""
    print(
        f"{'a round of':<26}{'given back':>12}{'kept':>10}{'times as fast':>15}{'faults':>10}{'kept':>8}"
    )
    reached = 0
    for row in ROWS:
        ways: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        for _ in range(REPEATS):
            for keep, results in ways.items():
                results.append(measure(row, keep))
        (slow, many), (fast, few) = min(ways[False]), min(ways[True])
        reached += "*" in row[0] and slow >= AIM * fast
        name = f"{row[0]} × {row[2]}"
        print(
            f"{name:<26}{slow:>9.1f} ms{fast:>7.1f} ms{slow / fast:>15.2f}{many:>10,.0f}{few:>8,.0f}",
            flush=True,
        )
    print(f"{reached} of the models with * are {AIM} times as fast; {ENOUGH} are asked")
    return int(reached < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
