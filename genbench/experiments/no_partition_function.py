"""Gradients of minibatches and exact ones, where all states can be summed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from genbench.core.dataset import Dataset, DataSpec, open_named
from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.experiments.training import train_players
from genbench.families.adversarial import Pair, cross_entropy, non_saturating
from genbench.families.variational import Autoencoder
from genbench.nn.boltzmann import BernoulliBoltzmann, binary_states
from genbench.nn.optim import adam

#: images of 3 x 3 bits, 14 of 512 words, and points per seed in a minibatch
SIDE, BATCH = 3, 100


HIDDEN = 8


#: how many Gibbs steps a gradient of the machine takes, and temperatures an estimate of its log Z
STEPS, TEMPERATURES = (1, 10), (100, 1000)


#: the trapezoid rule for expectations over one normal number: nodes on [-8, 8]
NODES = 4001


def words() -> Tensor:
    """Returns all images, shape (1, 512, 1, 3, 3)."""
    return next(binary_states(SIDE**2, 1 << SIDE**2)).view(1, -1, 1, SIDE, SIDE).float()


def normal_grid(rng: Rng) -> tuple[Tensor, Tensor]:
    """Returns nodes (1, K, 1) and weights (K,) of the mean under a standard normal distribution."""
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
    dataset: Dataset, masses: Tensor, rounds: int, draws: int, rng: Rng
) -> dict[str, Tensor]:
    """Returns the errors of contrastive divergence, and of annealed estimates of log Z.

    The machine is trained by the exact gradient, so that no estimator has shaped it.
    """
    machine = BernoulliBoltzmann(SIDE**2, HIDDEN, rng.fork("machine"))
    states = words().flatten(2).to(rng.device).expand(len(rng), -1, -1)

    def exact_loss() -> Tensor:
        energy = machine.free_energy(states)
        return (masses * energy).sum(-1) + (-energy).logsumexp(-1)

    def loss_of(steps: int) -> Callable[[Rng], Tensor]:
        def loss(noise: Rng) -> Tensor:
            v = dataset.draw(BATCH, noise).flatten(2)
            chain = machine.chain(v, steps, noise)
            return machine.free_energy(v).mean(-1) - machine.free_energy(chain).mean(-1)

        return loss

    own = Player("machine", machine, lambda *_: exact_loss(), adam(1e-2))
    train_players([own], lambda _: Batch(states), rounds, rng)
    exact, rows = gradient(exact_loss(), machine), {}
    rows["rbm_kl"] = exact_loss().detach() + (masses * masses.clamp_min(1e-30).log()).sum()
    for k in STEPS:
        squared, variance = error(loss_of(k), exact, machine, draws, rng.fork("cd", k))
        rows |= {f"cd_{k}_bias": squared / variance, f"cd_{k}_variance": variance}
        rows[f"cd_{k}_bias_exact"] = exact_bias(machine, states, masses, k) / variance
    log_z = machine.enumerated_log_z()
    for count in TEMPERATURES:
        estimate = machine.annealed_log_z(rng.fork("ais", count), chains=100, temperatures=count)
        low, high = estimate.interval()
        rows[f"ais_{count}_error"] = (estimate.value - log_z).abs()
        rows[f"ais_{count}_covered"] = ((low <= log_z) & (log_z <= high)).double()
    return rows


def exact_bias(machine: BernoulliBoltzmann, states: Tensor, masses: Tensor, steps: int) -> Tensor:
    """Returns the squared bias of contrastive divergence by the chain's transition matrix, (S,)."""
    with torch.no_grad():
        hidden = next(binary_states(machine.hidden, 1 << machine.hidden)).to(states)
        there = log_bits(machine.hidden_input(states), hidden).exp()
        pull = hidden @ machine.weight.mT + machine.base_logit + machine.visible_bias
        back = log_bits(pull, states[0]).exp()
        moved = masses.double().expand(len(states), 1, -1)
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
    dataset: Dataset, masses: Tensor, rounds: int, draws: int, rng: Rng
) -> dict[str, Tensor]:
    """Returns the errors of both players' gradients in a GAN whose noise is one normal number."""
    spec = DataSpec("grey", (1, SIDE, SIDE), range=(0.0, 1.0))
    pair = Pair(spec, 1, (32, 32), rng, activation="tanh")

    def batch(noise: Rng) -> Batch:
        return Batch(dataset.draw(BATCH, noise))

    def discriminate(real: Batch, noise: Rng) -> Tensor:
        return cross_entropy(*pair.both(real, noise))

    def generate(real: Batch, noise: Rng) -> Tensor:
        return non_saturating(pair.fake_logits(real, noise))

    optimizer, data = adam(1e-3, (0.5, 0.999)), rng.fork("data")
    players = [
        Player("discriminator", pair.discriminator, discriminate, optimizer),
        Player("generator", pair.generator, generate, optimizer),
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
            real = (masses * softplus(-pair.logits(images))).sum(-1)
            whole = real + (weights * softplus(fake)).sum(-1)
        exact, loss = gradient(whole, player.module), player.loss
        stream = rng.fork("measure", player.name)
        squared, variance = error(
            lambda noise, loss=loss: loss(batch(noise), noise), exact, player.module, draws, stream
        )
        rows |= {f"{player.name}_bias": squared / variance, f"{player.name}_variance": variance}
    return rows


def bound_rows(
    dataset: Dataset, masses: Tensor, rounds: int, draws: int, rng: Rng
) -> dict[str, Tensor]:
    """Returns the error of the bound's gradient in a VAE whose code is one normal number."""
    net = Autoencoder(dataset.spec, 1, (32,), rng)

    def loss(real: Batch, noise: Rng) -> Tensor:
        return -net.elbo(real.x, noise.normal(real.x.shape[1], 1)).mean(-1)

    data = rng.fork("data")
    player = Player("autoencoder", net, loss, adam(2e-3))
    train_players([player], lambda _: Batch(dataset.draw(BATCH, data)), rounds, rng)
    nodes, weights = normal_grid(rng)
    chosen = masses > 0
    images = words()[:, chosen].to(rng.device).expand(len(rng), -1, -1, -1, -1)
    exact: Tensor | float = 0.0
    for k, mass in enumerate(masses[chosen].tolist()):
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
    masses = dataset.truth.log_prob(words()[0]).exp().to(rng.device)
    rows: dict[str, Tensor] = {}
    for make in (machine_rows, game_rows, bound_rows):
        rows |= make(dataset, masses, rounds, draws, rng.fork(make.__name__))
    return {name: row.tolist() for name, row in rows.items()}
