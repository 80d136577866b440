"""How the mixing time of a Boltzmann machine's chain grows with the number of dimensions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, Values, difference, map_values
from genbench.core.figure import Figure, Series
from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.experiments.mixing import MIXED, mixing_time, transition
from genbench.experiments.training import train_players
from genbench.nn.boltzmann import BernoulliBoltzmann, binary_states
from genbench.nn.optim import adam, linear_decay

#: bits of a word; all words of the longest are enumerated
DIMENSIONS = (4, 8, 12, 16)
#: the chance with which each bit of a word, all of them 0 or all of them 1, is turned over
FLIP = 0.1
#: hidden units of the trained machines
HIDDEN = 4


def draw_words(size: int, n: int, rng: Rng) -> Tensor:
    """Returns n words of bits per seed, (S, n, size): of 0 or of 1, each bit turned over with `FLIP`."""
    kind = rng.integers(2, n, 1)
    return (kind != (rng.uniform(n, size) < FLIP)).to(rng.dtype)


def log_probability(words: Tensor) -> Tensor:
    """Returns the log probability of words (…, size), shape (…), float64."""
    ones, size = words.double().sum(-1), words.shape[-1]
    high, low = math.log(1 - FLIP), math.log(FLIP)
    return torch.logaddexp(
        ones * high + (size - ones) * low, ones * low + (size - ones) * high
    ) - math.log(2)


def make_exact_machine(size: int) -> BernoulliBoltzmann:
    """Returns the machine of one hidden unit, the kind, whose distribution is that of the words."""
    machine = BernoulliBoltzmann(size, 1, Rng([0])).double()
    logit = math.log((1 - FLIP) / FLIP)
    with torch.no_grad():
        machine.weight.fill_(2 * logit)
        machine.visible_bias.fill_(-logit)
        machine.hidden_bias.fill_(-size * logit)
    return machine


def find_mixing_time(size: int) -> int:
    r"""Returns the mixing time of that machine in closed form.

    Its hidden unit turns over with probability f, summed over the number of ones; after t steps the distance
    from even chances is |1 - 2 f|^t / 2.
    """
    logit = math.log((1 - FLIP) / FLIP)
    turned = 0.0
    for ones in range(size + 1):
        chance = math.comb(size, ones) * (1 - FLIP) ** ones * FLIP ** (size - ones)
        turned += chance / (1 + math.exp(2 * logit * (ones - size / 2)))
    rate = math.log(abs(1 - 2 * turned))
    return max(1, math.ceil(math.log(2 * MIXED) / rate - 1e-9))


def train_machine(size: int, rounds: int, rng: Rng) -> tuple[BernoulliBoltzmann, Tensor]:
    """Trains machines by the exact gradient of the likelihood; returns them, and divergences from the words.

    The normaliser is a sum over the hidden words, the divergence KL(words || machine) one over all visible.
    """
    machine = BernoulliBoltzmann(size, HIDDEN, rng.fork("machine"), scale=0.1).to(rng.device)
    states = next(binary_states(HIDDEN, 1 << HIDDEN)).to(rng.dtype).to(rng.device)
    data = rng.fork("words")

    def log_z() -> Tensor:
        terms = (states * machine.hidden_bias).sum(-1)
        return (terms + machine.log_integral(states @ machine.weight.mT)).logsumexp(-1)

    def loss(batch: Batch, noise: Rng) -> Tensor:
        return machine.free_energy(batch.x).mean(-1) + log_z()

    player = Player("machine", machine, loss, adam(3e-2), schedule=linear_decay(0.0))
    train_players([player], lambda _: Batch(draw_words(size, 256, data)), rounds, rng)
    words = next(binary_states(size, 1 << size)).to(rng.dtype).to(rng.device)
    with torch.no_grad():
        parts = words.expand(len(rng), -1, -1).split(1 << 12, 1)
        model = torch.cat([machine.log_weight(part) for part in parts], 1) - log_z().unsqueeze(-1)
    truth = log_probability(words)
    return machine, (truth.exp() * (truth - model.double())).sum(-1)


def experiment(rng: Rng, *, rounds: int = 2000) -> dict[str, list[float]]:
    """Returns exact mixing times of trained machines, their divergences, and those of the known machine."""
    columns: dict[str, list[float]] = {}
    for size in DIMENSIONS:
        machine, divergence = train_machine(size, rounds, rng.fork(size))
        columns[f"steps_{size}"] = mixing_time(*transition(machine)).tolist()
        columns[f"kl_{size}"] = divergence.tolist()
        time = mixing_time(*transition(make_exact_machine(size))).tolist()
        columns[f"known_{size}"] = time * len(rng)
    return columns


def figure(evidence: Evidence) -> Figure:
    """Draws mixing times over the dimensions."""
    places = list(DIMENSIONS)
    return Figure(
        "lines",
        "dimensions",
        "steps of the chain until it has mixed",
        [
            Series("trained machines", places, [evidence.measured(f"steps_{d}") for d in places]),
            Series(
                "data's machine, exact",
                places,
                [{0: float(find_mixing_time(d))} for d in places],
                law=True,
            ),
        ],
        log="y",
        levels={"one pass of a GAN": 1.0},
        note="On a logarithmic axis a straight line grows by a constant factor with every dimension.",
    )


@claim(
    "mixing_growth",
    statement="The time in which a Boltzmann machine's Markov chain mixes grows faster than the square of "
    "the dimensions; a GAN's sample takes one pass.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 2.3, on Markov chains in high dimensions",
    why="Words of 4 to 16 bits are all 0 or all 1, but for a tenth of the bits: the chance to cross from "
    "one kind to the other is known, and a machine of one hidden unit has exactly their distribution. "
    "Machines of four units are trained on them by the exact gradient; their mixing times are exact, by "
    "powers of the transition matrix.",
    experiment=experiment,
    quick={"rounds": 250},
    scaled=("rounds",),
    null_exemptions={
        "its experiment": "numbers of steps",
    },
    literature=(
        "Learning by persistent chains is brittle and relies on mixing (work on deep tempering).",
        "The machine of the data crosses with a chance that falls as (4 e (1 - e))^(D/2), here 0.6^D, so "
        "that its mixing time grows exponentially (by construction).",
    ),
    threats=(
        "Two kinds far apart are the hard case; on data of one kind a chain may mix at any dimension.",
        "Block Gibbs steps alone: tempered chains cross sooner.",
        "Up to 16 bits, since all words are summed.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Growth of the mixing time beyond the square of the dimensions; the known machine and fits beside."""
    of, first, last = evidence.measured, DIMENSIONS[0], DIMENSIONS[-1]

    def grow(column: str) -> Values:
        ends = (map_values(math.log10, of(f"{column}_{d}")) for d in (last, first))
        return difference(*ends)

    unit = "powers of ten"
    text = f"mixing time at {last} dimensions over that at {first}"
    square = 2 * math.log10(last / first)
    parts = [
        Effect(f"trained machines: {text}", grow("steps"), square, unit=unit),
        Effect(f"machine of the data: {text}", grow("known"), square, unit=unit, judged=False),
    ]
    for size in DIMENSIONS:
        time = find_mixing_time(size)
        off = map_values(lambda v, time=time: abs(v - time), of(f"known_{size}"))
        text = f"{size} dimensions: error of the known machine's time against its closed form"
        parts.append(Effect(text, off, 0.5, "below", "steps", exact=True, judged=False))
        text = f"{size} dimensions: divergence of trained machines from the data"
        parts.append(Effect(text, of(f"kl_{size}"), 0.1, "below", "nats", judged=False))
    return parts
