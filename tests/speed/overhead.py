"""What the harness costs over a bare hand-written loop of the same stacked model, side by side.

The bare loop trains the same: minibatches, losses, gradient clipping, step sizes, optimiser kernel and
weights, and has nothing else: no budgets, players, running averages' bookkeeping, divergence marks or
listeners. Interleaved, medians of 9; run it on an otherwise idle machine: python tests/speed/overhead.py
"""

from __future__ import annotations

import statistics
import sys
import time

import torch

from genbench.core.dataset import DATASETS
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.harness.train import Trainer
from genbench.nn.optim import Adam

ROUNDS, REPEATS, BATCH, SEEDS, LIMIT = 300, 9, 128, 8, 0.05


def harness(name: str) -> float:
    """Returns the seconds of the harness's loop."""
    dataset, rng = DATASETS.get("ring")(), Rng(range(SEEDS))
    model = build(name, dataset.spec, rng)
    return Trainer(model, dataset, Budget(steps=ROUNDS), batch=BATCH, rng=rng).run().seconds


def bare(name: str) -> float:
    """Returns the seconds of a loop written out by hand for the same model."""
    dataset, rng = DATASETS.get("ring")(), Rng(range(SEEDS))
    model = build(name, dataset.spec, rng)
    data, noise = rng.fork("data"), rng.fork("train")
    players = model.players()
    weights = [list(player.module.parameters()) for player in players]
    optimizers = [p.optimizer(w) for p, w in zip(players, weights, strict=True)]
    rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    assert all(isinstance(optimizer, Adam) for optimizer in optimizers)
    began = time.perf_counter()
    for step in range(ROUNDS):
        for player, own, optimizer, rate in zip(players, weights, optimizers, rates, strict=True):
            for _ in range(player.steps):
                x = dataset.to_model(dataset.draw(BATCH, data))
                for w in own:
                    w.grad = None
                loss = player.loss(Batch(x, None, step / ROUNDS), noise)
                loss.sum().backward(inputs=own)
                if player.clip is not None:
                    clip(own, player.clip)
                if player.schedule is not None:
                    optimizer.param_groups[0]["lr"] = rate * player.schedule(step / ROUNDS)
                optimizer.step()
    return time.perf_counter() - began


def clip(weights: list[torch.nn.Parameter], largest: float) -> None:
    """Bounds every seed's gradient norm, as anybody would write it."""
    grads = [w.grad for w in weights if w.grad is not None]
    norm = torch.stack([g.flatten(1).norm(dim=1) for g in grads]).norm(dim=0)
    factor = (largest / (norm + 1e-12)).clamp(max=1.0)
    for g in grads:
        g.mul_(factor.view(-1, *(1 for _ in g.shape[1:])))


def main() -> int:
    """Prints the table; returns 1 if the harness costs more than LIMIT."""
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {SEEDS} seeds, batch {BATCH}"
    )
    worst = 0.0
    for name in ("gan", "vae", "realnvp"):
        harness(name), bare(name)
        pairs = []
        for repeat in range(REPEATS):
            if repeat % 2:
                ours, theirs = harness(name), bare(name)
            else:
                theirs, ours = bare(name), harness(name)
            pairs.append((ours, theirs))
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        worst = max(worst, ours / theirs - 1)
        each = 1000 * (ours - theirs) / ROUNDS
        more = ours / theirs - 1
        print(
            f"{name}: harness {ours:.2f} s, bare {theirs:.2f} s, {more:+.1%}, {each:+.3f} ms a round"
        )
    print(f"worst {worst:+.1%} (limit {LIMIT:.0%})")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
