"""A point mass that is steered as an expert steers it, by cloning and by an adversary."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.experiments.training import fail, train_players
from genbench.families.adversarial import cross_entropy, non_saturating
from genbench.nn.losses import r1
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam

#: maps states (S, B, 4) to pushes (S, B, 2)
Policy = Callable[[Tensor], Tensor]
#: a step in seconds, steps of a trajectory, and the deviation of what else pushes the mass
STEP, LENGTH, NOISE = 0.25, 20, 0.05
#: what a second costs by the squares of place, speed and push, and how starts are spread
COSTS, SPREAD = (1.0, 0.1, 0.1), (1.0, 0.5)
#: trajectories that are shown
SHOWN = (1, 4, 16)
#: trajectories of a minibatch, and those by which a policy is judged
BATCH, JUDGED = 16, 4000
HIDDEN, CRITIC, PENALTY = (32, 32), (64, 64), 0.1


@dataclass(frozen=True)
class Mass:
    """A mass in the plane: x' = A x + B u + noise, and its cost x Q x + u R u, float64.

    States are two places and two speeds.
    """

    a: Tensor
    b: Tensor
    q: Tensor
    r: Tensor
    #: covariances of the start and of the noise
    start: Tensor
    noise: Tensor

    @classmethod
    def create(cls) -> Mass:
        """Returns the mass of this module's constants."""
        eye, zero = torch.eye(2, dtype=torch.float64), torch.zeros(2, 2, dtype=torch.float64)

        def diagonal(place: float, speed: float) -> Tensor:
            return torch.block_diag(place * eye, speed * eye)

        a = torch.cat([torch.cat([eye, STEP * eye], 1), torch.cat([zero, eye], 1)])
        b = torch.cat([STEP**2 / 2 * eye, STEP * eye])
        place, speed, push = COSTS
        start, noise = diagonal(SPREAD[0] ** 2, SPREAD[1] ** 2), diagonal(0.0, NOISE**2)
        return cls(a, b, STEP * diagonal(place, speed), STEP * push * eye, start, noise)

    def best_gain(self) -> Tensor:
        """Returns K of the optimum u = -K x over an endless time, (2, 4), by Riccati's recursion."""
        p = self.q
        for _ in range(1000):
            gain = self._gain(p)
            p = self.q + self.a.T @ p @ (self.a - self.b @ gain)
        return self._gain(p)

    def _gain(self, p: Tensor) -> Tensor:
        return torch.linalg.solve(self.r + self.b.T @ p @ self.b, self.b.T @ p @ self.a)

    def expected_cost(self, gain: Tensor) -> float:
        """Returns the mean cost of a trajectory under u = -K x, in closed form."""
        closed, total, second = self.a - self.b @ gain, 0.0, self.start
        weight = self.q + gain.T @ self.r @ gain
        for _ in range(LENGTH):
            total += float((weight * second).sum())
            second = closed @ second @ closed.T + self.noise
        return total

    def roll_out(self, policy: Policy, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns states and pushes of n trajectories per seed, (S, n, LENGTH, 4) and (S, n, LENGTH, 2)."""
        a, b = (x.T.to(rng.device, rng.dtype) for x in (self.a, self.b))
        spread, jolt = (
            x.diagonal().sqrt().to(rng.device, rng.dtype) for x in (self.start, self.noise)
        )
        x, jolts = spread * rng.normal(n, 4), jolt * rng.normal(n, LENGTH, 4)
        states, pushes = [], []
        for t in range(LENGTH):
            u = policy(x)
            states.append(x)
            pushes.append(u)
            x = x @ a + u @ b + jolts[:, :, t]
        return torch.stack(states, 2), torch.stack(pushes, 2)

    def costs(self, states: Tensor, pushes: Tensor) -> Tensor:
        """Returns the mean cost of trajectories, float64, shape (S,); infinite where they are not finite."""
        x, u = states.double(), pushes.double()
        q, r = self.q.diagonal().to(x.device), self.r.diagonal().to(u.device)
        step_costs = (x.square() * q).sum(-1) + (u.square() * r).sum(-1)
        return fail(step_costs.sum(-1).mean(-1), step_costs, math.inf)


def linear(gain: Tensor) -> Policy:
    """Returns the policy u = -K x of a gain (2, 4) or (S, 2, 4)."""
    return lambda x: -x @ gain.mT.to(x)


def clone(pairs: Tensor, rounds: int, rng: Rng) -> MLP:
    """Returns policies trained to give the expert's pushes, by squared error on pairs (S, N, 6)."""
    policy, data = MLP(4, 2, HIDDEN, rng.fork("policy"), activation="tanh"), rng.fork("data")

    def loss(batch: Batch, noise: Rng) -> Tensor:
        return (policy(batch.x[..., :4]) - batch.x[..., 4:]).square().mean((1, 2))

    player = Player("clone", policy, loss, adam(1e-3))
    train_players([player], lambda _: Batch(pick(pairs, data)), rounds, rng)
    return policy


def imitate(mass: Mass, pairs: Tensor, rounds: int, rng: Rng) -> MLP:
    """Returns the same policies trained until a critic cannot tell their states and pushes from pairs.

    They act in the world themselves, and are given the gradient through its law of motion, where Ho and
    Ermon (2016) estimate it from rewards.
    """
    policy, data = MLP(4, 2, HIDDEN, rng.fork("policy"), activation="tanh"), rng.fork("data")
    critic = MLP(6, 1, CRITIC, rng.fork("critic"), activation="leaky_relu")

    def act(noise: Rng) -> Tensor:
        states, pushes = mass.roll_out(policy, BATCH, noise)
        return torch.cat([states, pushes], -1).flatten(1, 2)

    def discriminate(batch: Batch, noise: Rng) -> Tensor:
        with torch.no_grad():
            own = act(noise)
        loss = cross_entropy(critic(batch.x).squeeze(-1), critic(own).squeeze(-1))
        return loss + r1(critic, batch.x, PENALTY)

    def pretend(batch: Batch, noise: Rng) -> Tensor:
        return non_saturating(critic(act(noise)).squeeze(-1))

    optimizer = adam(1e-3, (0.5, 0.999))
    players = (
        Player("critic", critic, discriminate, optimizer),
        Player("policy", policy, pretend, optimizer, clip=1.0),
    )
    train_players(players, lambda _: Batch(pick(pairs, data)), rounds, rng)
    return policy


def pick(pairs: Tensor, rng: Rng) -> Tensor:
    """Returns as many pairs as a minibatch's trajectories have, with replacement, (S, BATCH LENGTH, 6)."""
    rows = rng.integers(pairs.shape[1], BATCH * LENGTH)
    return torch.stack([own[row] for own, row in zip(pairs, rows, strict=True)])


def fit_line(pairs: Tensor) -> Tensor:
    """Returns the gains of least squares on pairs (S, N, 6), (S, 2, 4): a clone that knows the form."""
    x, u = pairs[..., :4].double(), pairs[..., 4:].double()
    return -(torch.linalg.pinv(x) @ u).mT


@torch.no_grad()
def measure_cost(mass: Mass, policy: Policy, rng: Rng) -> Tensor:
    """Returns the mean cost of a policy's own trajectories, the same starts and jolts for all, (S,)."""
    return mass.costs(*mass.roll_out(policy, JUDGED, rng.fork("judge")))


def experiment(
    rng: Rng, *, rounds: int = 2000, shown: tuple[int, ...] = SHOWN
) -> dict[str, list[float]]:
    """Returns costs of the optimum, of its closed form, of no push, and by trajectories of imitators."""
    mass = Mass.create()
    gain = mass.best_gain()
    with torch.no_grad():
        states, pushes = mass.roll_out(linear(gain), max(shown), rng.fork("expert"))
    columns = {
        "optimum": measure_cost(mass, linear(gain), rng),
        "still": measure_cost(mass, linear(torch.zeros_like(gain)), rng),
    }
    for n in shown:
        pairs, own = torch.cat([states, pushes], -1)[:, :n].flatten(1, 2), rng.fork(n)
        columns[f"clone_{n}"] = measure_cost(mass, clone(pairs, rounds, own), rng)
        columns[f"adversarial_{n}"] = measure_cost(mass, imitate(mass, pairs, rounds, own), rng)
        columns[f"line_{n}"] = measure_cost(mass, linear(fit_line(pairs)), rng)
    rows = {name: column.tolist() for name, column in columns.items()}
    return {**rows, "closed": [mass.expected_cost(gain)] * len(rng)}
