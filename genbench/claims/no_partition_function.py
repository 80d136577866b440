"""Gradients of minibatches against exact ones, where all states can be summed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from genbench.core.claim import Evidence, claim
from genbench.core.dataset import Dataset, DataSpec, open_named
from genbench.core.effect import Effect, log_ratio, map_values
from genbench.core.figure import Figure, Series
from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.experiments.training import train_players
from genbench.families.adversarial import Pair, cross_entropy, non_saturating
from genbench.families.variational import Autoencoder
from genbench.nn.boltzmann import BernoulliBoltzmann, binary_states
from genbench.nn.optim import adam

#: images of 3 x 3 bits, 14 of 512 words, and points a seed in a minibatch
SIDE, BATCH = 3, 100
HIDDEN = 8
#: how many Gibbs steps a gradient of the machine takes, and temperatures an estimate of its log Z
STEPS, TEMPERATURES = (1, 10), (100, 1000)
#: the trapezoid rule for expectations over one normal number: nodes on [-8, 8]
NODES = 4001
#: a squared bias of so much of the variance outweighs the noise once 100 minibatches are averaged,
#: a small part of any training
BAR = 0.01


def words() -> Tensor:
    """Returns all images, shape (1, 512, 1, 3, 3)."""
    return next(binary_states(SIDE**2, 1 << SIDE**2)).view(1, -1, 1, SIDE, SIDE).float()


def normal_grid(rng: Rng) -> tuple[Tensor, Tensor]:
    """Returns nodes (1, K, 1) and weights (K,) of the mean under a standard normal law."""
    nodes = torch.linspace(-8, 8, NODES, device=rng.device, dtype=torch.float64)
    weights = torch.softmax(-0.5 * nodes.square(), 0)
    return nodes.view(1, -1, 1).to(rng.dtype), weights.to(rng.dtype)


def gradient(loss: Tensor, module: nn.Module) -> Tensor:
    """Returns every seed's gradient as one row, float64, shape (S, P)."""
    parts = torch.autograd.grad(loss.sum(), [*module.parameters()])
    return torch.cat([part.flatten(1) for part in parts], dim=1).double()


def error(
    loss: Callable[[Rng], Tensor], exact: Tensor, module: nn.Module, draws: int, rng: Rng
) -> tuple[Tensor, Tensor]:
    """Returns the squared bias and the variance of a minibatch's gradient, summed over weights, (S,).

    From independent draws; the squared bias is estimated without bias, and so may come out below 0.
    """
    total, squares = torch.zeros_like(exact), torch.zeros_like(exact)
    for _ in range(draws):
        away = gradient(loss(rng), module) - exact
        total += away
        squares += away.square()
    mean = total / draws
    variance = (squares / draws - mean.square()).sum(1) * draws / (draws - 1)
    return mean.square().sum(1) - variance / draws, variance


def machine_rows(
    dataset: Dataset, law: Tensor, rounds: int, draws: int, rng: Rng
) -> dict[str, Tensor]:
    """Returns the errors of contrastive divergence, and of annealed estimates of log Z.

    The machine is trained by the exact gradient, so that no estimator has shaped it.
    """
    machine = BernoulliBoltzmann(SIDE**2, HIDDEN, rng.fork("machine"))
    states = words().flatten(2).to(rng.device).expand(len(rng), -1, -1)

    def exact_loss() -> Tensor:
        energy = machine.free_energy(states)
        return (law * energy).sum(-1) + (-energy).logsumexp(-1)

    def loss_of(steps: int) -> Callable[[Rng], Tensor]:
        def loss(noise: Rng) -> Tensor:
            v = dataset.draw(BATCH, noise).flatten(2)
            chain = machine.chain(v, steps, noise)
            return machine.free_energy(v).mean(-1) - machine.free_energy(chain).mean(-1)

        return loss

    own = Player("machine", machine, lambda *_: exact_loss(), adam(1e-2))
    train_players([own], lambda _: Batch(states), rounds, rng)
    exact, rows = gradient(exact_loss(), machine), {}
    rows["rbm_kl"] = exact_loss().detach() + (law * law.clamp_min(1e-30).log()).sum()
    for k in STEPS:
        squared, variance = error(loss_of(k), exact, machine, draws, rng.fork("cd", k))
        rows |= {f"cd_{k}_bias": squared / variance, f"cd_{k}_variance": variance}
        rows[f"cd_{k}_bias_exact"] = exact_bias(machine, states, law, k) / variance
    log_z = machine.enumerated_log_z()
    for count in TEMPERATURES:
        found = machine.annealed_log_z(rng.fork("ais", count), chains=100, temperatures=count)
        low, high = found.interval()
        rows[f"ais_{count}_error"] = (found.value - log_z).abs()
        rows[f"ais_{count}_covered"] = ((low <= log_z) & (log_z <= high)).double()
    return rows


def exact_bias(machine: BernoulliBoltzmann, states: Tensor, law: Tensor, steps: int) -> Tensor:
    """Returns the squared bias of contrastive divergence by the chain's transition matrix, (S,)."""
    with torch.no_grad():
        hidden = next(binary_states(machine.hidden, 1 << machine.hidden)).to(states)
        there = log_bits(machine.hidden_input(states), hidden).exp()
        pull = hidden @ machine.weight.mT + machine.base_logit + machine.visible_bias
        back = log_bits(pull, states[0]).exp()
        moved = law.double().expand(len(states), 1, -1)
        for _ in range(steps):
            moved = moved @ there @ back
        model = torch.softmax(-machine.free_energy(states).double(), -1)
        away = model - moved.squeeze(1)
    return gradient((away * machine.free_energy(states)).sum(-1), machine).square().sum(1)


def log_bits(logits: Tensor, bits: Tensor) -> Tensor:
    """Returns log probabilities of words (W, D) given logits (S, B, D), float64, shape (S, B, W)."""
    logits = logits.double()
    return logits @ bits.double().T - nn.functional.softplus(logits).sum(-1, keepdim=True)


def game_rows(
    dataset: Dataset, law: Tensor, rounds: int, draws: int, rng: Rng
) -> dict[str, Tensor]:
    """Returns the errors of both players' gradients in a GAN whose noise is one normal number."""
    spec = DataSpec("grey", (1, SIDE, SIDE), range=(0.0, 1.0))
    pair = Pair(spec, 1, (32, 32), rng, activation="tanh")

    def batch(noise: Rng) -> Batch:
        return Batch(dataset.draw(BATCH, noise))

    def judge(given: Batch, noise: Rng) -> Tensor:
        return cross_entropy(*pair.both(given, noise))

    def generate(given: Batch, noise: Rng) -> Tensor:
        return non_saturating(pair.judged(given, noise))

    maker, data = adam(1e-3, (0.5, 0.999)), rng.fork("data")
    players = [
        Player("discriminator", pair.discriminator, judge, maker),
        Player("generator", pair.generator, generate, maker),
    ]
    train_players(players, lambda _: batch(data), rounds, rng)
    nodes, weights = normal_grid(rng)
    softplus, rows = nn.functional.softplus, {}
    images = words().to(rng.device).expand(len(rng), -1, -1, -1, -1)
    for player in players:
        fake = pair.logits(pair.decode(nodes.expand(len(rng), -1, -1)))
        if player.name == "generator":
            whole = (weights * softplus(-fake)).sum(-1)
        else:
            real = (law * softplus(-pair.logits(images))).sum(-1)
            whole = real + (weights * softplus(fake)).sum(-1)
        exact, loss = gradient(whole, player.module), player.loss
        stream = rng.fork("measure", player.name)
        squared, variance = error(
            lambda noise, loss=loss: loss(batch(noise), noise), exact, player.module, draws, stream
        )
        rows |= {f"{player.name}_bias": squared / variance, f"{player.name}_variance": variance}
    return rows


def bound_rows(
    dataset: Dataset, law: Tensor, rounds: int, draws: int, rng: Rng
) -> dict[str, Tensor]:
    """Returns the error of the bound's gradient in a VAE whose code is one normal number."""
    net = Autoencoder(dataset.spec, 1, (32,), rng)

    def loss(given: Batch, noise: Rng) -> Tensor:
        return -net.elbo(given.x, noise.normal(given.x.shape[1], 1)).mean(-1)

    data = rng.fork("data")
    player = Player("autoencoder", net, loss, adam(2e-3))
    train_players([player], lambda _: Batch(dataset.draw(BATCH, data)), rounds, rng)
    nodes, weights = normal_grid(rng)
    chosen = law > 0
    images = words()[:, chosen].to(rng.device).expand(len(rng), -1, -1, -1, -1)
    exact: Tensor | float = 0.0
    for k, mass in enumerate(law[chosen].tolist()):
        x = images[:, k : k + 1].expand(-1, NODES, -1, -1, -1)
        bound = net.elbo(x, nodes.expand(len(rng), -1, -1))
        exact = exact + mass * gradient(-(weights * bound).sum(-1), net)
    assert isinstance(exact, Tensor)
    squared, variance = error(
        lambda noise: loss(Batch(dataset.draw(BATCH, noise)), noise),
        exact,
        net,
        draws,
        rng.fork("measure"),
    )
    return {"vae_bias": squared / variance, "vae_variance": variance}


def experiment(rng: Rng, *, rounds: int = 1500, draws: int = 2000) -> dict[str, list[float]]:
    """Returns squared biases over variances of gradients, and the errors of estimates of log Z."""
    dataset = open_named("bars_and_stripes", size=SIDE)
    assert dataset.truth is not None
    assert dataset.truth.log_prob is not None
    law = dataset.truth.log_prob(words()[0]).exp().to(rng.device)
    rows: dict[str, Tensor] = {}
    for make in (machine_rows, game_rows, bound_rows):
        rows |= make(dataset, law, rounds, draws, rng.fork(make.__name__))
    return {name: row.tolist() for name, row in rows.items()}


def figure(evidence: Evidence) -> Figure:
    """Draws the squared bias of every gradient."""
    kinds = {
        "Boltzmann machine": {f"CD-{k}": f"cd_{k}" for k in STEPS},
        "GAN": {name: name for name in ("discriminator", "generator")},
        "VAE": {"VAE, bound": "vae"},
    }
    return Figure(
        "strip",
        "",
        f"squared bias over the variance, minibatches of {BATCH}",
        [
            Series(kind, list(rows), [evidence.measured(f"{key}_bias") for key in rows.values()])
            for kind, rows in kinds.items()
        ],
        levels={"bar": BAR},
        note="Estimates without bias, which may come out below 0.",
    )


@claim(
    "no_partition_function",
    statement="Boltzmann machines need a partition function, whose gradient Markov chains estimate with "
    "a bias; the gradients of GANs and VAEs need neither.",
    source="Goodfellow et al., 2014 (1406.2661), sections 2 and 6; tutorial (1701.00160), sections 2.3.3 "
    "and 2.7",
    why="On images of 3 x 3 bits the exact gradient is a sum: over all words for the machine, over all "
    "images and a grid of noise for a GAN with one noise number and a VAE with one code number. "
    "Minibatches' gradients are held against it, all by the same estimator, at trained weights. Any "
    "bias of contrastive divergence speaks for the claim, since averaging removes none of it; a GAN "
    "or a VAE must show less than a hundredth of one minibatch's variance.",
    experiment=experiment,
    quick={"rounds": 200, "draws": 400},
    scaled=("rounds",),
    literature=(
        "Contrastive divergence, persistent or not, may lower the likelihood steadily, which the "
        "reconstruction error does not show (Fischer and Igel, 2010).",
        "Deep Boltzmann machines take 20,000 to 200,000 annealed temperatures for log Z to within .1 "
        "to .5 nats (README of yell/boltzmann-machines).",
        "Against: without a partition function there is no likelihood either, and to estimate one for "
        "a GAN costs more: a gap of 10 nats on MNIST where a VAE's is 1.5 (Wu et al., 2017, table 2).",
    ),
    threats=(
        "A machine of 8 hidden units mixes well; larger ones have more bias, which cannot be summed.",
        "A VAE's gradient is unbiased for its bound, not for the likelihood; see variational-bias.",
        "A GAN's gradients are unbiased each given the other player, which says nothing of where the "
        "game goes.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Squared biases over variances, and beside them closed forms and errors of log Z."""
    unit = "of the variance"

    def biased(name: str, key: str, *, judged: bool) -> Effect:
        text = f"squared bias of {name}'s gradient, minibatches of {BATCH}"
        return Effect(text, evidence.measured(f"{key}_bias"), 0.0, unit=unit, judged=judged)

    found = [biased("CD-1", "cd_1", judged=True)]
    for who in ("discriminator", "generator", "vae"):
        text = f"squared bias of the {who}'s gradient, minibatches of {BATCH}"
        found.append(Effect(text, evidence.measured(f"{who}_bias"), BAR, "below", unit))
    found.append(biased("CD-10", "cd_10", judged=False))
    for k in STEPS:
        text = f"the same of CD-{k} by its transition matrix"
        exact = evidence.measured(f"cd_{k}_bias_exact")
        found.append(Effect(text, exact, 0.0, unit=unit, judged=False))
    grown = log_ratio(evidence.measured("cd_10_variance"), evidence.measured("cd_1_variance"))
    found.append(Effect("log variance of CD-10's gradient over CD-1's", grown, judged=False))
    for count in TEMPERATURES:
        missed = evidence.measured(f"ais_{count}_error")
        text = f"error of log Z by {count} annealed temperatures"
        found.append(Effect(text, missed, 0.1, "below", "nats", judged=False))
        outside = map_values(lambda v: 1 - v, evidence.measured(f"ais_{count}_covered"))
        text = f"share of its 95 % intervals that miss log Z, {count} temperatures"
        found.append(Effect(text, outside, 0.05, "below", "share", judged=False))
    return found
