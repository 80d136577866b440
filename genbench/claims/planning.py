"""Planning by what a model of the world predicts: by its average, or by its draws."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, difference, map_values
from genbench.core.figure import Figure, Series
from genbench.core.rng import Rng
from genbench.experiments.multimodal_output import (
    STD,
    Answerer,
    answer,
    chance,
    train_by_adversary,
    train_by_squared_error,
)
from genbench.experiments.training import fail

#: how near to the goal is near, and what a whole step earns by itself
WIDTH, BONUS = 0.3, 0.1
#: places from which it is planned, and steps among which is chosen
PLACES, STEPS = 32, 41
#: draws that a model is asked for at once, and how often
DRAWS, TURNS = 64, 4
#: a regret, of a reward of 1 at the goal, that matters and one that does not
LARGE, SMALL = 0.2, 0.05
PLANNERS = {
    "squared": "squared error",
    "adversarial": "conditional GAN",
    "exact": "draws of the distribution",
    "gaussian": "Gaussian of the distribution's moments",
    "random": "steps at random",
}


def land(c: Tensor, a: Tensor, rng: Rng) -> Tensor:
    """Returns where steps a from places c land, (S, n, 1): at a fork, right by `chance`, else left."""
    sign = 2 * rng.bernoulli(chance(c)) - 1
    return sign * a * answer(c) + STD * rng.normal(*c.shape[1:])


def draw(n: int, rng: Rng) -> Tensor:
    """Returns places, steps and where they land side by side, shape (S, n, 3)."""
    c, a = rng.uniform(n, 1, low=-1.0, high=1.0), rng.uniform(n, 1)
    return torch.cat([c, a, land(c, a, rng)], dim=-1)


def goal(c: Tensor) -> Tensor:
    """Returns where the goal is: the mean of where a whole step lands."""
    return (2 * chance(c) - 1) * answer(c)


def reward(c: Tensor, a: Tensor, y: Tensor, variance: Tensor | float = 0.0) -> Tensor:
    r"""Returns what landing at y earns, or landing at normal points around it.

    .. math:: \frac{w}{\sqrt{w^2 + v}} \exp\left(-\frac{(y - g(c))^2}{2 (w^2 + v)}\right) + \beta a
    """
    wide = torch.as_tensor(WIDTH**2 + variance, dtype=y.dtype)
    return WIDTH / wide.sqrt() * torch.exp(-(y - goal(c)).square() / (2 * wide)) + BONUS * a


def expected_reward(c: Tensor, a: Tensor) -> Tensor:
    """Returns the mean reward of steps a from places c, exactly."""
    p, far = chance(c), a * answer(c)
    return p * reward(c, a, far, STD**2) + (1 - p) * reward(c, a, -far, STD**2)


def grid() -> tuple[Tensor, Tensor]:
    """Returns the places (PLACES, 1) and the steps (1, STEPS) that are tried, float64."""
    places = (torch.arange(PLACES, dtype=torch.float64) + 0.5) * (2 / PLACES) - 1
    return places.unsqueeze(1), torch.linspace(0, 1, STEPS, dtype=torch.float64).unsqueeze(0)


def regret_of(values: Tensor) -> Tensor:
    """Returns what the steps of greatest value lose on the best, (…, PLACES, STEPS) to (…, PLACES)."""
    c, a = grid()
    earned = expected_reward(c, a)
    chosen = earned.expand_as(values).gather(-1, values.argmax(-1, keepdim=True)).squeeze(-1)
    return earned.max(-1).values - chosen


def known_regrets() -> dict[str, Tensor]:
    """Returns the regrets that need no network, (PLACES,) each: of the mean, of a Gaussian, of chance."""
    c, a = grid()
    middle, far = a * goal(c), a * answer(c)
    variance = far.square() - middle.square() + STD**2
    earned = expected_reward(c, a)
    return {
        "mean": regret_of(reward(c, a, middle)),
        "gaussian": regret_of(reward(c, a, middle, variance)),
        "random": earned.max(-1).values - earned.mean(-1),
    }


@torch.no_grad()
def imagine(network: Answerer | None, turns: int, rng: Rng) -> Tensor:
    """Returns the values of all steps by a model's draws, or the distribution's for None, (S, PLACES, STEPS).

    Without turns the model's single answer counts.
    """
    c, a = grid()
    shape = (len(rng), PLACES, STEPS, DRAWS if turns else 1)
    places, steps = (x.unsqueeze(-1).expand(shape).reshape(len(rng), -1, 1) for x in (c, a))
    c, a = (x.to(rng.device, rng.dtype) for x in (places, steps))
    values = []
    for _ in range(max(turns, 1)):
        y = land(c, a, rng) if network is None else network(torch.cat([c, a], dim=-1), rng)
        values.append(reward(places, steps, y.double().cpu()).view(shape).mean(-1))
    return torch.stack(values).mean(0)


def experiment(rng: Rng, *, rounds: int = 4000) -> dict[str, list[float]]:
    """Returns the regrets of planners, by place and on average.

    The model by squared error gives one landing for a step, the others give as many draws as are asked for.
    The regret of a model whose landings are not finite is infinite.
    """
    networks = rng.fork("networks")
    models = {
        "squared": (train_by_squared_error(rounds, networks, draw, 2), 0),
        "adversarial": (train_by_adversary(rounds, networks, draw, 2), TURNS),
        "exact": (None, TURNS),
    }
    watch = rng.fork("watch")
    regrets = {}
    for name, (network, turns) in models.items():
        values = imagine(network, turns, watch.fork(name))
        regrets[name] = fail(regret_of(values), values, math.inf)
    regrets |= {name: row.expand(len(rng), -1) for name, row in known_regrets().items()}
    rows = {name: row.mean(-1).tolist() for name, row in regrets.items()}
    for name, row in regrets.items():
        rows |= {f"{name}_{i}": column.tolist() for i, column in enumerate(row.unbind(-1))}
    return rows


def figure(evidence: Evidence) -> Figure:
    """Draws regrets over the place from which it is planned."""
    places = grid()[0].flatten().tolist()

    def line(name: str, label: str, law: bool = False) -> Series:
        return Series(
            label, places, [evidence.measured(f"{name}_{i}") for i in range(PLACES)], law
        )

    lines = [line(name, PLANNERS[name]) for name in ("squared", "adversarial", "exact")]
    return Figure(
        "lines",
        "place, which sets the fork and the chances",
        "regret, of 1 at the goal",
        [line("mean", "the average: closed form", True), *lines],
        levels={"bar": LARGE},
        note="A step that lands left or right is planned as if it landed between.",
    )


@claim(
    "planning",
    statement="Planning needs a generative model: one trained by squared error plans through the middle of "
    "what may happen, where nothing ever is; draws of a conditional GAN do not.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 1, on simulating possible futures for "
    "planning, and on outputs with many right answers",
    why="A step lands right or left by a known chance, and the goal is where a whole step lands on average. "
    "Regret, what the best step earns in expectation less what the planned one does, has a closed form for "
    "every step, and so has the regret of planning by the average.",
    experiment=experiment,
    quick={"rounds": 500},
    scaled=("rounds",),
    null_exemptions={
        "its experiment": "regrets, 0 for the best choice, which is known",
    },
    literature=(
        "By construction: the least squared error is that of the average landing, which promises all of the "
        "reward for a step that never earns it; the exact distribution's regret is none.",
        "Lotter et al. (2015), figure 3 of the tutorial: predicted frames are blurred by squared error.",
    ),
    threats=(
        "The reward is made so that the average is a trap: with a reward that is linear in the landing, "
        "planning by the average is right.",
        "One step of one number; over many steps errors of a model add up, whatever its loss.",
        "A regression that gave a variance as well, a Gaussian, would lose next to nothing (listed beside, "
        "in closed form): the claim is about the squared error, not against all that is no GAN.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Regrets, and the check of the learnt average's against its closed form."""
    of = evidence.measured
    gap = map_values(abs, difference(of("squared"), of("mean")))
    judged = [
        Effect("squared error: regret", of("squared"), LARGE),
        Effect("conditional GAN: regret", of("adversarial"), SMALL, "below"),
        Effect("check: regret by squared error, distance to its closed form", gap, SMALL, "below"),
    ]
    beside = [
        Effect(f"{PLANNERS[name]}: regret", of(name), SMALL, "below", judged=False)
        for name in ("exact", "gaussian", "random")
    ]
    share = difference(of("squared"), of("random"))
    text = "squared error: regret less that of steps at random"
    return [*judged, *beside, Effect(text, share, judged=False)]
