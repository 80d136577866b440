"""Every generator against every discriminator, and the same networks as flows and belief networks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.claim import Evidence, claim
from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.effect import Effect, Values, map_values
from genbench.core.figure import Figure, Series
from genbench.core.model import Batch
from genbench.core.rng import Rng
from genbench.experiments.networks import DISCRIMINATORS, GENERATORS, UNITS
from genbench.experiments.training import (
    Discrepancy,
    draw_gaussian,
    draw_independent,
    draw_samples,
    train,
)
from genbench.families.adversarial import Pair, PairGame, cross_entropy, non_saturating
from genbench.nn.boltzmann import binary_states
from genbench.nn.coupling import Couplings
from genbench.nn.losses import normal_log_prob, r1
from genbench.nn.masked import MaskedMLP
from genbench.nn.optim import Adam, adam

#: the row's rule: four pairs of five reach the bar, and as many networks are no density
SHARE = 0.8
#: how far the logarithm of a density's total may be from 0; a coupling's on the grid is below a tenth of it
TOTAL = 0.05
#: the share of points at which a determinant may have the rarer sign; a bijection's has one sign alone
FOLD = 1e-3
#: the plane and the bits on which totals are computed
PLANE, BITS = DataSpec("plane", (1, 2, 1)), DataSpec("bits", (1, 3, 3), kind="binary")


PAIRS = tuple(itertools.product(GENERATORS, DISCRIMINATORS))


class AnyPair(PairGame):
    """Creates a non-saturating GAN with R1 of any two of the networks, by one recipe for all of them.

    References:
        | Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018), section 4.1
        | Progressive Growing of GANs (Karras et al., 2018), appendix A, for Adam and the average
    """

    taxonomy = "implicit/direct"

    def __init__(self, spec: DataSpec, rng: Rng, maker: str, judge: str) -> None:
        super().__init__(spec, rng, adam(2e-3, (0.0, 0.99)), average=0.98)
        self.pair = Pair(
            spec,
            64,
            (),
            rng,
            generator=GENERATORS[maker](64, spec, rng.fork("generator")),
            discriminator=DISCRIMINATORS[judge](spec, rng.fork("discriminator")),
            images=True,
        )

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake plus the penalty, shape (S,)."""
        penalty = r1(self.pair.discriminator, self.pair.inputs(batch.x), 1.0)
        return cross_entropy(*self.pair.both(batch, rng)) + penalty

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D(G(z)), shape (S,)."""
        return non_saturating(self.pair.judged(batch, rng))


def log_volume(flow: Callable[[Tensor], Tensor], points: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """Returns log of the integral of N(f(x)) |det f'(x)| over the plane, and how much f folds, (S,) each.

    Both are 0 of a flow; f folds as much as is the share of points with the determinant's rarer sign.
    By the area formula the integral is the mean number of points that f sends to a normal draw, 1 of a
    bijection. The grid is even in arsinh x, since untrained networks stretch little.
    """
    u = torch.linspace(-7.0, 7.0, points, device=rng.device)
    x = torch.cartesian_prod(u.sinh(), u.sinh()).expand(len(rng), -1, -1).clone().requires_grad_()
    z = flow(x).flatten(2)
    rows = [torch.autograd.grad(z[..., i].sum(), x, retain_graph=True)[0] for i in range(2)]
    det = torch.linalg.det(torch.stack(rows, -2).detach().double())
    cell = torch.cartesian_prod(u.cosh(), u.cosh()).prod(-1).double() * float(u[1] - u[0]) ** 2
    density = normal_log_prob(z.detach().double()).sum(-1).exp() * det.abs()
    turned, kept = (det < 0).double().mean(-1), (det > 0).double().mean(-1)
    return (density * cell).sum(-1).log(), torch.minimum(turned, kept)


def log_total(conditionals: Callable[[Tensor], Tensor], rng: Rng) -> Tensor:
    """Returns log of the sum of prod_d p(x_d | x) over all states, shape (S,): 0 if p is causal."""
    states = next(binary_states(BITS.size, 2**BITS.size))
    x = states.to(rng.device, rng.dtype).expand(len(rng), -1, -1)
    return log_likelihood(conditionals, x).detach().double().logsumexp(-1)


def log_likelihood(conditionals: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Returns sum_d log p(x_d | x) of bits given the logits that a network makes of them, (S, B)."""
    return -functional.softplus((1 - 2 * x) * conditionals(x).flatten(2)).sum(-1)


def fitted(network: nn.Module, steps: int, rng: Rng) -> nn.Module:
    """Trains logits of bits given themselves by what would be their likelihood, on fair coins."""
    optimizer = Adam(list(network.parameters()), lr=1e-2)
    for _ in range(steps):
        x = (rng.uniform(64, BITS.size) < 0.5).float()
        loss = -log_likelihood(network, x).mean(-1)
        network.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return network


def densities(steps: int, points: int, rng: Rng) -> dict[str, Tensor]:
    """Returns totals of the generators as flows and as belief networks, and of true ones, (S,) each."""
    coupled = Couplings(2, 4, (UNITS,), rng.fork("coupled"), mixing="rotation")
    for i, p in enumerate(coupled.parameters()):
        p.data += 0.05 * rng.fork("moved", i).normal(*p.shape[1:])
    causal = fitted(
        MaskedMLP(BITS.size, 1, (UNITS,), rng.fork("causal")), steps, rng.fork("coins")
    )
    found = {"visible_masked": log_total(causal, rng)}
    total, folds = log_volume(lambda x: coupled(x)[0], points, rng)
    found |= {"flow_coupling": total, "folds_coupling": folds}
    for name, make in GENERATORS.items():
        flow = make(2, PLANE, rng.fork("flow", name))
        found[f"flow_{name}"], found[f"folds_{name}"] = log_volume(flow, points, rng)
        visible = fitted(make(BITS.size, BITS, rng.fork("bits", name)), steps, rng.fork("coins"))
        found[f"visible_{name}"] = log_total(visible, rng)
    return found


def experiment(
    rng: Rng, *, rounds: int = 1600, batch: int = 32, fits: int = 200, points: int = 241
) -> dict[str, list[float]]:
    """Returns squared MMDs of all pairs' and of Gaussians' digits, and log totals of would-be densities."""
    digits = DATASETS.get("digits")()
    distance = Discrepancy(digits.points("test"))
    columns = {
        "independent": distance(draw_independent(digits, 500, rng.fork("independent"))),
        "gaussian": distance(draw_gaussian(digits, 500, rng.fork("gaussian"))),
    }
    for maker, judge in PAIRS:
        draws = rng.fork(maker, judge)
        pair = AnyPair(digits.spec, draws, maker, judge)
        trainer = train(pair, digits, rounds, draws, batch=batch)
        fake = draw_samples(trainer, digits, 500, draws.fork("sample"))
        columns[f"{maker}_{judge}"] = distance(fake)
    columns |= densities(fits, points, rng.fork("densities"))
    return {name: row.tolist() for name, row in columns.items()}


def share(
    rows: Mapping[str, Values], holds: Callable[[float, int], bool], seeds: Values
) -> Values:
    """Returns for each seed the share of rows that hold; a row without a number does not."""
    return {
        seed: sum(seed in row and holds(row[seed], seed) for row in rows.values()) / len(rows)
        for seed in seeds
    }


def figure(evidence: Evidence) -> Figure:
    """Draws the distance of every pair's digits."""
    series = [
        Series(
            f"generator: {maker}",
            [f"{maker} against {judge}" for judge in DISCRIMINATORS],
            [evidence.measured(f"{maker}_{judge}") for judge in DISCRIMINATORS],
        )
        for maker in GENERATORS
    ]
    rows = {"independent pixels": "independent", "a Gaussian": "gaussian"}
    series.append(Series("reference", list(rows), [evidence.measured(c) for c in rows.values()]))
    about = (
        "A pair is read as generator against discriminator; left of independent pixels it learnt."
    )
    return Figure("strip", "", "squared MMD to held-out digits", series, log="y", note=about)


@claim(
    "any_generator",
    statement="Any differentiable generator and discriminator can be trained against each other; "
    "flows and fully visible belief networks take networks of a prescribed form alone.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 2.7; Goodfellow et al., 2014",
    why="Perceptrons, convolutions, residual and recurrent networks in all sixteen pairs learn digits by "
    "one recipe that is tuned for none of them. A pair has learnt where its samples are nearer to "
    "held-out digits than pixels drawn apart from one another, each of its own mean and variance; a "
    "Gaussian with all covariances stands beside. The same four generators are then put where a flow "
    "and a belief network have theirs. A density's total is 1: for a map f it is the integral of "
    "N(f(x)) |det f'(x)|, by the area formula the mean number of preimages, 1 of a bijection, "
    "whose determinant moreover has one sign; for logits of nine bits it is the sum over all 512 states. "
    "The networks of both are as drawn, those of bits also trained on fair coins, where what looks like "
    "their likelihood grows up to a total of 512.",
    experiment=experiment,
    quick={"rounds": 100, "points": 121},
    scaled=("rounds",),
    literature=(
        "The design of the generator has very few restrictions, against those of Boltzmann machines and of "
        "nonlinear ICA, which needs an invertible generator and z of x's dimension (tutorial, 2.7).",
        "Against: without a penalty, instance noise or consensus even the Dirac-GAN circles (Mescheder et "
        "al., 2018), so that what can be trained rests on more than differentiability.",
    ),
    threats=(
        "Small networks, images of 8 x 8 pixels and 1,600 rounds: slow pairs are cut short, and after half "
        "as many rounds the first part is refuted (.625 of the pairs).",
        "R1 and the generator's average are part of the recipe; without them fewer pairs may train.",
        "Inside a coupling or under a mask any network may stand, so that the restriction is on the whole "
        "and not on its parts.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Shares of pairs that reach the bar, and of networks that are no density."""
    pairs = {f"{a}_{b}": evidence.measured(f"{a}_{b}") for a, b in PAIRS}
    found = []
    for name, text in (("independent", "independent pixels"), ("gaussian", "a Gaussian")):
        bar = evidence.measured(name)
        reached = share(pairs, lambda v, seed, bar=bar: v < bar[seed], bar)
        judged = name == "independent"
        effect = f"pairs of networks whose samples are nearer to digits than {text}"
        found.append(Effect(effect, reached, SHARE, unit="share", judged=judged))
    whole = {"flow": "a flow", "visible": "a belief network"}
    controls = {"flow": "flow_coupling", "visible": "visible_masked"}
    for kind, text in whole.items():
        rows = {name: evidence.measured(f"{kind}_{name}") for name in GENERATORS}
        control = evidence.measured(controls[kind])
        if kind == "flow":
            rows = {name: folded(evidence, name) for name in GENERATORS}
        refused = share(rows, lambda v, _: abs(v) > TOTAL, control)
        effect = f"generators that are no density in the place of {text}'s network"
        found.append(Effect(effect, refused, SHARE, unit="share"))
        off = map_values(abs, control)
        name = f"{text} as it is: |log total|"
        found.append(Effect(name, off, TOTAL, "below", "nats", judged=False))
    return found


def folded(evidence: Evidence, name: str) -> dict[int, float]:
    """Returns the log totals of a map in a flow's place, infinite where it folds the plane."""
    folds = evidence.measured(f"folds_{name}")
    return {
        seed: math.inf if folds.get(seed, 0.0) > FOLD else total
        for seed, total in evidence.measured(f"flow_{name}").items()
    }
