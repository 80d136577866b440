"""What compiling would gain models that convolve: rounds by Inductor's programs over rounds as they are.

Inductor chooses layouts (channels last where it pays) and fuses activations into what surrounds them, the
two ways to speed up a convolution that change no model. Each way runs in a process of its own, on one
thread, in turn; the least processor time of the repeats counts. A player whose program is not its loss to
1e-3 is named and trains as always. Run it on an otherwise idle machine: python tests/speed/convolutions.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: model and rounds, on Fashion-MNIST, one seed, minibatches of 64
ROWS = (("pixelcnn", 8), ("dcgan", 40), ("resgan", 4), ("lapgan", 16))
REPEATS, AIM, ENOUGH = 3, 1.3, 3

CODE = """
import sys, time
import torch
from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.inductor import CompiledLosses
from genbench.training.trainer import Trainer
torch.set_num_threads(1)
name, rounds, compiled = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "compiled"
dataset, rng = DATASETS.get("fashion_mnist")(), Rng([0])
trainer = Trainer(build(name, dataset.spec, rng), dataset, Budget(steps=2), batch=64, rng=rng)
class Everything(CompiledLosses):
    def check(self, state):
        pass
trainer.compiled = Everything(trainer.model) if compiled else None
trainer.run()
trainer.budget, trainer.step = Budget(steps=rounds), 0
began = time.process_time()
trainer.run()
print("" if trainer.compiled is None else trainer.compiled.describe())
print(1e3 * (time.process_time() - began) / rounds)
"""


def measure(name: str, rounds: int, way: str) -> tuple[float, str]:
    """Returns the milliseconds a round of a fresh process, and which losses were compiled."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, name, str(rounds), way],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    about, milliseconds = done.stdout.splitlines()[-2:]
    return float(milliseconds), about


def main() -> int:
    """Prints the table; returns 1 if fewer models than asked gain what is asked."""
    print(
        f"{'a round of':<12}{'as it is':>12}{'compiled':>12}{'times as fast':>15}  what is compiled"
    )
    fast = 0
    for name, rounds in ROWS:
        best, about = {"plain": float("inf"), "compiled": float("inf")}, ""
        for _ in range(REPEATS):
            for way in best:
                spent, said = measure(name, rounds, way)
                best[way], about = min(best[way], spent), said or about
        gain = best["plain"] / best["compiled"]
        fast += gain >= AIM
        print(
            f"{name:<12}{best['plain']:>9.1f} ms{best['compiled']:>9.1f} ms{gain:>15.2f}  {about}",
            flush=True,
        )
    print(f"{fast} models are {AIM} times as fast; {ENOUGH} are asked")
    return int(fast < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
