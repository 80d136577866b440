"""What compiling losses gains: rounds by Inductor's programs beside rounds as they are, family by family.

Models that convolve (*) are compiled here too, which `--compile inductor` leaves alone: Inductor chooses
layouts (channels last where that pays) and fuses activations into what surrounds them, the two ways to speed
up a convolution that change no model. Asked of those: 1.3 times as fast for three. Each way runs in a
process of its own, on one thread, in turn; the least processor time of the repeats counts. A player whose
program is not its loss is named and trains as always. Run it on an otherwise idle machine:
python tests/speed/programs.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: model, data set, seeds, minibatch, rounds
ROWS = (
    ("gan", "ring", 8, 64, 500),
    ("wgan_gp", "ring", 8, 64, 100),
    ("vae", "digits", 8, 64, 200),
    ("realnvp", "ring", 8, 64, 100),
    ("maf", "digits", 8, 64, 50),
    ("ddpm", "ring", 8, 64, 200),
    ("gmmn", "digits", 8, 64, 100),
    ("rbm", "digits", 8, 64, 100),
    ("pixelcnn*", "fashion_mnist", 1, 64, 8),
    ("dcgan*", "fashion_mnist", 1, 64, 40),
    ("resgan*", "fashion_mnist", 1, 64, 4),
    ("lapgan*", "fashion_mnist", 1, 64, 16),
)
REPEATS, AIM, ENOUGH = 3, 1.3, 3

CODE = """
import sys, time
import torch
from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.inductor import CompiledLosses
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer
torch.set_num_threads(1)
name, data, way = sys.argv[1], sys.argv[2], sys.argv[6]
seeds, batch, rounds = map(int, sys.argv[3:6])
dataset, rng = DATASETS.get(data)(), Rng(range(seeds))
model = prepare(build(name, dataset.spec, rng), dataset, rng)
trainer = Trainer(model, dataset, Budget(steps=2), batch=batch, rng=rng)
class Everything(CompiledLosses):
    def check(self, state):
        pass
began = time.process_time()
trainer.compiled = Everything(trainer.model) if way == "compiled" else None
trainer.run()
first = time.process_time() - began
trainer.budget, trainer.step = Budget(steps=rounds), 0
began = time.process_time()
trainer.run()
print("" if trainer.compiled is None else trainer.compiled.describe())
print(1e3 * (time.process_time() - began) / rounds, first)
"""


def measure(row: tuple[str, str, int, int, int], way: str) -> tuple[float, float, str]:
    """Returns the milliseconds a round of a fresh process, its first seconds, and what is compiled."""
    name, *others = row
    words = [name.rstrip("*"), *map(str, others), way]
    with tempfile.TemporaryDirectory() as cache:  # so that every process compiles
        done = subprocess.run(
            [sys.executable, "-c", CODE, *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env=os.environ | {"TORCHINDUCTOR_CACHE_DIR": cache},
        )
    about, numbers = done.stdout.splitlines()[-2:]
    milliseconds, first = map(float, numbers.split())
    return milliseconds, first, about


def main() -> int:
    """Prints the table; returns 1 if fewer models that convolve gain what is asked."""
    print(
        f"{'a round of':<15}{'as it is':>12}{'compiled':>12}{'times as fast':>15}{'first, s':>10}"
    )
    fast = 0
    for row in ROWS:
        rounds: dict[str, list[float]] = {"plain": [], "compiled": []}
        first, about = 0.0, ""
        for _ in range(REPEATS):
            for way, values in rounds.items():
                milliseconds, seconds, said = measure(row, way)
                values.append(milliseconds)
                first, about = max(first, seconds), said or about
        plain, compiled = (min(values) for values in rounds.values())
        fast += row[0].endswith("*") and plain / compiled >= AIM
        label, gain = f"{row[0]} × {row[2]}", plain / compiled
        print(
            f"{label:<15}{plain:>9.1f} ms{compiled:>9.1f} ms{gain:>15.2f}{first:>10.1f}",
            flush=True,
        )
        if "not " in about:
            print(f"  {about}", flush=True)
    print(f"{fast} models with * are {AIM} times as fast; {ENOUGH} are asked")
    return int(fast < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
