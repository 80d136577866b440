"""What an independent sample costs, where samples of a chain depend on one another."""

from __future__ import annotations

import statistics
import time
from typing import Annotated

import torch
from torch import Tensor

from genbench.core.allowed import Several, whole
from genbench.core.metric import Column, Score, metric
from genbench.core.model import MarkovChain, Model
from genbench.core.rng import Rng
from genbench.core.tolerance import USUAL
from genbench.core.trained import Trained
from genbench.metrics._chain import autocorrelation_time
from genbench.metrics._clock import call_seconds, finish

STUCK = "the chain does not move"
COLUMNS = {
    "autocorrelation_time": Column(
        "lower",
        "steps",
        1.0,
        "of the chain's slowest direction",
        tolerance=USUAL,
        worst_if=(STUCK,),
    ),
    "effective_sample_ms": Column(
        "lower", "ms", None, "time for one effectively independent sample", worst_if=(STUCK,)
    ),
    "effective_sample_steps": Column(
        "lower",
        "steps",
        1.0,
        "network evaluations for the same",
        tolerance=USUAL,
        worst_if=(STUCK,),
    ),
}


@metric("effective_sample_cost", view="model", columns=COLUMNS, paper="Sokal, 1997")
def effective_sample_cost(
    trained: Trained,
    test: Tensor,
    *,
    rng: Rng,
    chains: Several = 64,
    steps: Annotated[int, whole(20)] = 1000,
) -> dict[str, Score]:
    r"""Returns the integrated autocorrelation time of a chain and what an independent sample costs.

    .. math:: \tau = 1 + 2 \sum_{t \ge 1} \rho(t)

    of the slowest of the samples' first four principal components. Means and variances are those of all
    chains together, so chains stuck in different modes show as a long time. N steps are worth N / tau
    independent samples, so one costs tau steps; a model that draws independently has tau = 1 and pays
    its own sequential evaluations.

    References:
        | Monte Carlo Methods in Statistical Mechanics (Sokal, 1997), section 3, for the window 5 tau

    Arguments:
        trained: A model of one seed and its data set.
        test: Not used.
        rng: Draws chains and samples.
        chains: How many chains run side by side, from the model's own samples; the batch that is timed.
        steps: How many steps they run.

    Returns:
        Steps, milliseconds a sample and evaluations a sample, lower is better; bounds from below where
        the chain has not forgotten its start within half of the steps. A chain that never moves is null.
    """
    model = trained.model
    if not isinstance(model, MarkovChain):
        times = call_seconds(trained.sample, chains, rng.fork("independent"))
        cost = 1e3 * statistics.median(times) / chains
        values = (1.0, cost, float(model.sequential_steps()))
        return {name: Score(v, kind="estimate") for name, v in zip(COLUMNS, values, strict=True)}
    states, seconds = _run(model, chains, steps, rng)
    tau, whole = autocorrelation_time(states)
    if tau is None:
        return {name: Score(None, reason=STUCK) for name in COLUMNS}
    kind = "estimate" if whole else "bound"
    values = (tau, 1e3 * tau * seconds / chains, tau)
    return {name: Score(v, kind=kind) for name, v in zip(COLUMNS, values, strict=True)}


@torch.no_grad()
def _run(model: Model, chains: int, steps: int, rng: Rng) -> tuple[Tensor, float]:
    """The chains' states, shape (steps, chains, D), and the median seconds of a step of all."""
    assert isinstance(model, MarkovChain)
    x = model.sample(chains, rng.fork("start"))
    moves, states, times = rng.fork("moves"), [], []
    for _ in range(steps):
        finish(rng.device)
        start = time.perf_counter()
        x = model.chain_step(x, moves)
        finish(rng.device)
        times.append(time.perf_counter() - start)
        states.append(x[0].flatten(1).float().cpu())
    return torch.stack(states), statistics.median(times)
