"""Every generator against every discriminator, and generators where densities have their networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.experiments.networks import DISCRIMINATORS, GENERATORS, UNITS
from genbench.experiments.training import (
    Discrepancy,
    draw_gaussian,
    draw_independent,
    draw_samples,
    train,
    train_players,
)
from genbench.families.adversarial import Pair, PairGame, cross_entropy, non_saturating
from genbench.nn.boltzmann import binary_states
from genbench.nn.coupling import Couplings
from genbench.nn.losses import normal_log_prob, r1
from genbench.nn.masked import MaskedMLP
from genbench.nn.optim import adam

#: the plane and the bits on which totals are computed
PLANE, BITS = DataSpec("plane", (1, 2, 1)), DataSpec("bits", (1, 3, 3), kind="binary")


PAIRS = tuple(itertools.product(GENERATORS, DISCRIMINATORS))


class AnyPair(PairGame):
    """Creates a non-saturating GAN with R1 of any two of the networks, by the same recipe for all.

    References:
        | Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018), section 4.1
        | Progressive Growing of GANs (Karras et al., 2018), appendix A, for Adam and the average
    """

    taxonomy = "implicit/direct"

    def __init__(self, spec: DataSpec, rng: Rng, generator: str, discriminator: str) -> None:
        super().__init__(spec, rng, adam(2e-3, (0.0, 0.99)), average=0.98)
        self.pair = Pair(
            spec,
            64,
            (),
            rng,
            generator=GENERATORS[generator](64, spec, rng.fork("generator")),
            discriminator=DISCRIMINATORS[discriminator](spec, rng.fork("discriminator")),
            images=True,
        )

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake plus the penalty, shape (S,)."""
        penalty = r1(self.pair.discriminator, self.pair.inputs(batch.x), 1.0)
        return cross_entropy(*self.pair.both(batch, rng)) + penalty

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D(G(z)), shape (S,)."""
        return non_saturating(self.pair.fake_logits(batch, rng))


def log_volume(flow: Callable[[Tensor], Tensor], points: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """Returns log of the integral of N(f(x)) |det f'(x)| over the plane, and how much f folds, (S,) each.

    Both are 0 for a flow; how much f folds is the share of points with the determinant's rarer sign.
    By the area formula the integral is the mean number of points that f maps to a normal draw, 1 for a
    bijection. The grid is even in arsinh x, since untrained networks stretch little.
    """
    u = torch.linspace(-7.0, 7.0, points, device=rng.device)
    x = torch.cartesian_prod(u.sinh(), u.sinh()).expand(len(rng), -1, -1).clone().requires_grad_()
    z = flow(x).flatten(2)
    rows = [torch.autograd.grad(z[..., i].sum(), x, retain_graph=True)[0] for i in range(2)]
    det = torch.linalg.det(torch.stack(rows, -2).detach().double())
    cell = torch.cartesian_prod(u.cosh(), u.cosh()).prod(-1).double() * float(u[1] - u[0]) ** 2
    density = normal_log_prob(z.detach().double()).sum(-1).exp() * det.abs()
    shares = (det < 0).double().mean(-1), (det > 0).double().mean(-1)
    return (density * cell).sum(-1).log(), torch.minimum(*shares)


def log_total(conditionals: Callable[[Tensor], Tensor], rng: Rng) -> Tensor:
    """Returns log of the sum of prod_d p(x_d | x) over all states, shape (S,): 0 if p is causal."""
    states = next(binary_states(BITS.size, 2**BITS.size))
    x = states.to(rng.device, rng.dtype).expand(len(rng), -1, -1)
    return log_likelihood(conditionals, x).detach().double().logsumexp(-1)


def log_likelihood(conditionals: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Returns sum_d log p(x_d | x) of bits under the logits that a network computes from them, (S, B)."""
    return -functional.softplus((1 - 2 * x) * conditionals(x).flatten(2)).sum(-1)


def fit(network: nn.Module, steps: int, rng: Rng) -> nn.Module:
    """Trains logits of bits given themselves by what would be their likelihood, on fair coins."""

    def loss(batch: Batch, noise: Rng) -> Tensor:
        return -log_likelihood(network, batch.x).mean(-1)

    def coins(progress: float) -> Batch:
        return Batch((rng.uniform(64, BITS.size) < 0.5).float())

    train_players([Player("bits", network, loss, adam(1e-2))], coins, steps, rng)
    return network


def measure_densities(steps: int, points: int, rng: Rng) -> dict[str, Tensor]:
    """Returns log totals of generators as flows and as belief networks, and of true ones, (S,) each."""
    coupled = Couplings(2, 4, (UNITS,), rng.fork("coupled"), mixing="rotation")
    for i, p in enumerate(coupled.parameters()):
        p.data += 0.05 * rng.fork("moved", i).normal(*p.shape[1:])
    causal = fit(MaskedMLP(BITS.size, 1, (UNITS,), rng.fork("causal")), steps, rng.fork("coins"))
    rows = {"visible_masked": log_total(causal, rng)}
    total, folds = log_volume(lambda x: coupled(x)[0], points, rng)
    rows |= {"flow_coupling": total, "folds_coupling": folds}
    for name, make in GENERATORS.items():
        flow = make(2, PLANE, rng.fork("flow", name))
        rows[f"flow_{name}"], rows[f"folds_{name}"] = log_volume(flow, points, rng)
        visible = fit(make(BITS.size, BITS, rng.fork("bits", name)), steps, rng.fork("coins"))
        rows[f"visible_{name}"] = log_total(visible, rng)
    return rows


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
    for generator, discriminator in PAIRS:
        draws = rng.fork(generator, discriminator)
        pair = AnyPair(digits.spec, draws, generator, discriminator)
        trainer = train(pair, digits, rounds, draws, batch=batch)
        fake = draw_samples(trainer, digits, 500, draws.fork("sample"))
        columns[f"{generator}_{discriminator}"] = distance(fake)
    columns |= measure_densities(fits, points, rng.fork("densities"))
    return {name: row.tolist() for name, row in columns.items()}
