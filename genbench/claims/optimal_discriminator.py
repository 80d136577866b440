"""Trains discriminators between known densities and compares them with the optimal one."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.effect import Effect, map_values
from genbench.core.figure import Figure, Series
from genbench.core.rng import Rng
from genbench.nn.mlp import MLP
from genbench.nn.optim import Adam

LOG4 = math.log(4)
#: (mean, deviation) of equally heavy normal components
Mixture = tuple[tuple[float, float], ...]
GAMES: dict[str, tuple[Mixture, Mixture]] = {
    "shifted": (((0.0, 1.0),), ((1.0, 1.0),)),
    "bimodal": (((-1.5, 0.6), (1.5, 0.6)), ((0.0, 1.5),)),
    "equal": (((0.0, 1.0),), ((0.0, 1.0),)),
}
#: where D is recorded for the figure
PLACES = [k / 4 for k in range(-12, 13)]


def log_density(mixture: Mixture, x: Tensor) -> Tensor:
    """Returns a mixture's log density at x, in x's shape."""
    parts = [
        -0.5 * ((x - m) / s).square() - math.log(s * math.sqrt(2 * math.pi)) for m, s in mixture
    ]
    return torch.stack(parts).logsumexp(0) - math.log(len(mixture))


def draw(mixture: Mixture, n: int, rng: Rng) -> Tensor:
    """Returns draws of a mixture, shape (S, n, 1)."""
    which = rng.integers(len(mixture), n, 1)
    mean, std = torch.tensor(mixture, device=rng.device, dtype=rng.dtype).unbind(-1)
    return mean[which] + std[which] * rng.normal(n, 1)


def value(p: Tensor, q: Tensor, logit: Tensor, width: float) -> Tensor:
    """Returns V = E_p log D + E_q log(1 - D) by a sum over a grid, shape (…), D = sigmoid(logit)."""
    return -((p * softplus(-logit) + q * softplus(logit)).sum(-1) * width)


def train_discriminators(
    game: tuple[Mixture, Mixture], steps: int, batch: int, rng: Rng
) -> Callable[[Tensor], Tensor]:
    """Returns the logits of S discriminators, each trained on fresh draws of both mixtures."""
    net = MLP(1, 1, (32, 32), rng.fork("init"), activation="tanh")
    optimizer = Adam(list(net.parameters()), lr=1e-2)
    data = rng.fork("data")
    for i in range(steps):
        real, fake = (draw(mixture, batch, data) for mixture in game)
        loss = softplus(-net(real)).mean((1, 2)) + softplus(net(fake)).mean((1, 2))
        net.zero_grad()
        loss.sum().backward()
        optimizer.param_groups[0]["lr"] = 5e-3 * (1 + math.cos(math.pi * i / steps))
        optimizer.step()
    return lambda x: net(x.expand(len(rng), -1).unsqueeze(-1)).squeeze(-1).detach().double()


def experiment(rng: Rng, *, steps: int = 2500, batch: int = 512) -> dict[str, list[float]]:
    """Trains a discriminator per game; returns errors against D*, values and Jensen-Shannon divergences.

    Integrals are sums over 4,001 points of [-8, 9], the error is over the middle 99 % of (p + q)/2.
    """
    grid = torch.linspace(-8, 9, 4001, dtype=torch.float64, device=rng.device)
    width = float(grid[1] - grid[0])
    columns: dict[str, Tensor] = {}
    for name, game in GAMES.items():
        log_p, log_q = (log_density(mixture, grid) for mixture in game)
        p, q = log_p.exp(), log_q.exp()
        logit = train_discriminators(game, steps, batch, rng.fork(name))(grid.to(rng.dtype))
        mass = ((p + q) / 2 * width).cumsum(0)
        support = (mass > 0.005) & (mass < 0.995)
        error = (torch.sigmoid(logit) - torch.sigmoid(log_p - log_q)).abs()
        best = value(p, q, log_p - log_q, width)
        columns[f"{name}_error"] = error[:, support].amax(1)
        columns[f"{name}_value"] = value(p, q, logit, width)
        columns[f"{name}_gap"] = best - columns[f"{name}_value"]
        columns[f"{name}_js"] = (columns[f"{name}_value"] + LOG4) / 2
        columns[f"{name}_js_true"] = ((best + LOG4) / 2).expand(len(rng))
        for x in PLACES:
            nearest = int((grid - x).abs().argmin())
            columns[f"{name}_at_{x:g}"] = torch.sigmoid(logit[:, nearest])
    return {name: row.tolist() for name, row in columns.items()}


def figure(evidence: Evidence) -> Figure:
    """Draws D and D* over the line."""
    x = torch.tensor(PLACES, dtype=torch.float64)
    series = []
    for name, (p, q) in GAMES.items():
        optimal = torch.sigmoid(log_density(p, x) - log_density(q, x)).tolist()
        values = [evidence.measured(f"{name}_at_{place:g}") for place in PLACES]
        series.append(Series(f"{name}: D", PLACES, values))
        series.append(Series(f"{name}: D*", PLACES, [{0: v} for v in optimal], law=True))
    return Figure("lines", "x", "probability of being real", series, levels={"1/2": 0.5})


@claim(
    "optimal_discriminator",
    statement="For a fixed generator the optimal discriminator is p_data / (p_data + p_g); at "
    "equilibrium it is 1/2 everywhere and the value is -log 4.",
    source="Goodfellow et al., 2014 (1406.2661), proposition 1 and theorem 1; tutorial exercise 7.1",
    why="With known densities the optimum is known at every point, so that what a small network "
    "reaches from samples alone can be compared with it; the Jensen-Shannon divergence that follows "
    "from its value is compared with the numerical one.",
    experiment=experiment,
    version=2,
    first_seed=NEW_SEEDS,
    scaled=("steps",),
    null_exemptions={
        "its experiment": "differences to values that are known in closed form",
    },
    literature=(
        "V(G, D*) = 2 JS(p_data, p_g) - log 4, with D* at every point (Goodfellow et al., 2014).",
    ),
    threats=(
        "Where hardly any point falls the network is free; the error is over the middle 99 % of the "
        "mass.",
        "One dimension: in many, samples do not determine the optimum.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Errors against D*, against -log 4 and against the numerical divergence, within tolerances."""
    of = evidence.measured
    text = "largest error of D against D*"
    parts = [Effect(f"{name}: {text}", of(f"{name}_error"), 0.05, "below") for name in GAMES]
    off = map_values(lambda v: abs(v + LOG4) / LOG4, of("equal_value"))
    parts.append(Effect("equal: value against -log 4, relative error", off, 0.02, "below"))
    for name in ("shifted", "bimodal"):
        js, true = of(f"{name}_js"), of(f"{name}_js_true")
        missed = {s: abs(v / true[s] - 1) for s, v in js.items()}
        text = f"{name}: JS divergence from D against the numerical one, relative error"
        parts.append(Effect(text, missed, 0.1, "below"))
    return parts
