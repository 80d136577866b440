"""What a sample of a Markov chain costs beside one pass of a generator."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from genbench.claims._cells import FASHION, digits
from genbench.core.claim import Evidence, claim
from genbench.core.dataset import open_named
from genbench.core.effect import Effect, difference, log_ratio, map_values
from genbench.core.figure import Figure, Series
from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.experiments.mixing import mixing_time, transition
from genbench.experiments.training import train_players
from genbench.nn.boltzmann import BernoulliBoltzmann, binary_states
from genbench.nn.optim import adam

METRICS = ("effective_sample_cost", "fid")
GAN = digits("gan", metrics=METRICS)
CHAINS = {name: digits(name, metrics=METRICS) for name in ("rbm", "gsn")}
#: fewer steps than this are few: an implementation may win them back elsewhere
MANY = 10.0
#: images of 3 x 3 bits and a machine whose chain, seen at its hidden units, has 256 states
SIDE, HIDDEN = 3, 8
#: after how many rounds it is first measured
EARLY = 100


def experiment(rng: Rng, *, rounds: int = 4000) -> dict[str, list[float]]:
    """Returns exact mixing times and divergences of a small machine after rounds of exact training."""
    dataset = open_named("bars_and_stripes", size=SIDE)
    assert dataset.truth is not None
    assert dataset.truth.log_prob is not None
    states = next(binary_states(SIDE**2, 1 << SIDE**2)).to(rng.dtype)
    truth = dataset.truth.log_prob(states.view(-1, 1, SIDE, SIDE)).exp()
    machine = BernoulliBoltzmann(SIDE**2, HIDDEN, rng.fork("machine"))
    every = states.expand(len(rng), -1, -1)

    def loss(batch: Batch, noise: Rng) -> Tensor:
        energy = machine.free_energy(batch.x)
        return (truth * energy).sum(-1) + (-energy).logsumexp(-1)

    rows: dict[str, list[float]] = {}
    player = Player("machine", machine, loss, adam(1e-2))
    for name, more in (("early", EARLY), ("late", max(1, rounds - EARLY))):
        train_players([player], lambda _: Batch(every), more, rng)
        divergence = loss(Batch(every), rng).detach() + torch.special.xlogy(truth, truth).sum()
        rows[f"mixing_{name}"] = mixing_time(*transition(machine)).tolist()
        rows[f"kl_{name}"] = divergence.tolist()
    return rows


def figure(evidence: Evidence) -> Figure:
    """Draws the distance of samples against what an independent one costs."""
    return Figure(
        "scatter",
        "time of an independent sample, ms",
        "fid, lower is better",
        [
            Series(
                name,
                [evidence.scores(run, "effective_sample_ms")],
                [evidence.scores(run, "fid")],
            )
            for name, run in {"gan": GAN, **CHAINS}.items()
        ],
        log="xy",
        note="Farther left is cheaper, farther down is better.",
    )


def compare_chains(evidence: Evidence) -> list[Effect]:
    """Returns steps and time of a sample by each chain, and both distances."""
    parts = []
    cost, fid = (evidence.scores(GAN, name) for name in ("effective_sample_ms", "fid"))
    for name, run in CHAINS.items():
        steps = evidence.scores(run, "effective_sample_steps")
        parts.append(Effect(f"{name}: steps for an independent sample", steps, MANY, unit="steps"))
        # another implementation may win a factor of two
        slower = log_ratio(evidence.scores(run, "effective_sample_ms"), cost)
        text = f"log time of an independent sample, {name} over the GAN"
        parts.append(Effect(text, slower, math.log(2)))
        worse = log_ratio(fid, evidence.scores(run, "fid"))
        parts.append(Effect(f"log FID, the GAN's over {name}'s", worse, math.log(1.1), "below"))
    steps = evidence.scores(GAN, "effective_sample_steps")
    text = "gan: steps for an independent sample"
    parts.append(Effect(text, steps, 1.5, "below", "steps", by_definition=True))
    return parts


@claim(
    "one_pass_vs_chain",
    statement="Boltzmann machines and generative stochastic networks need many steps of a Markov chain "
    "for an independent sample of no better quality; a GAN needs one pass and less time.",
    source="Goodfellow et al., 2014 (1406.2661), sections 2 and 6; tutorial (1701.00160), sections 2.3.3 "
    "and 2.7",
    why="On digits a chain of each trained model is run and its autocorrelation time taken, so that steps "
    "and milliseconds are those of an effectively independent sample; the GAN's samples are independent "
    "already. The distances of both are listed beside the costs, since a chain that mixes fast because "
    "it has learnt nothing would be cheap. A machine small enough to be summed shows how long mixing "
    "takes exactly.",
    runs=(GAN, *CHAINS.values()),
    experiment=experiment,
    quick={"rounds": 500},
    scaled=("rounds",),
    null_exemptions={
        "effective_sample_ms": "a time",
        "effective_sample_steps": "a count of steps",
        "its experiment": "a mixing time, worked out exactly",
    },
    literature=(
        "Learning by persistent chains is brittle and relies on mixing (work on deep tempering).",
        "Against: cost alone; a chain's model may be as good, which exact probabilities of small "
        "machines can separate from mixing.",
    ),
    threats=(
        "Chains run for 1,000 steps: where that is too short the time is a lower bound, and the "
        "ratio with it.",
        "Times are of the machine that measured, 64 chains or samples side by side; wider networks take "
        "longer per step, not more steps.",
        "The GSN's corruption sets its speed: more of it mixes faster and blurs.",
        "The small machine is trained by the exact gradient; training by chains may shape it differently.",
    ),
    figure=figure,
    elsewhere=(replace(FASHION, effects=compare_chains),),
)
def effects(evidence: Evidence) -> list[Effect]:
    """Steps and time of a sample by each chain, both distances, and exact mixing times."""
    parts = compare_chains(evidence)
    early, late = (
        map_values(math.log10, evidence.measured(f"mixing_{name}")) for name in ("early", "late")
    )
    text = "machine of 8 units, trained: exact mixing time"
    parts.append(Effect(text, late, math.log10(MANY), unit="powers of ten"))
    text = "the same less that after its first hundred rounds"
    grown = difference(late, early)
    parts.append(Effect(text, grown, 0.0, unit="powers of ten", judged=False))
    text = "machine of 8 units, trained: divergence from its data"
    kl = evidence.measured("kl_late")
    return [*parts, Effect(text, kl, 0.1, "below", "nats", judged=False)]
