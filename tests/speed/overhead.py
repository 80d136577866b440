"""What the harness costs over a bare hand-written loop of the same stacked model, side by side.

The bare loop trains the same: minibatches, losses, gradient clipping, step sizes, optimiser kernel and
weights, and has nothing else: no budgets, players, running averages' bookkeeping, divergence marks or
listeners. Interleaved, medians of paired ratios; run it on an otherwise idle machine:
python tests/speed/overhead.py
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
from genbench.nn.optim import Adam
from genbench.training.trainer import Trainer

ROUNDS, REPEATS, BATCH, SEEDS, LIMIT = 200, 12, 128, 8, 0.03


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
        harness(name)
        bare(name)
        ours, control = [], []
        for repeat in range(REPEATS):
            # the order turns, so that a drift of the machine favours nobody
            runs = [harness, bare, bare] if repeat % 2 else [bare, bare, harness]
            times = [run(name) for run in runs]
            first, middle, last = times if repeat % 2 else times[::-1]
            ours.append(first / ((middle + last) / 2) - 1)
            control.append(middle / last - 1)
        more, floor = statistics.median(ours), statistics.median(abs(c) for c in control)
        worst = max(worst, more)
        print(f"{name}: harness {more:+.1%} over bare; bare against bare differs by {floor:.1%}")
    print(f"worst {worst:+.1%} (limit {LIMIT:.0%})")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
