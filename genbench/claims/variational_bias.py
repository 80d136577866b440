"""How the divergence from a known mixture and the bound's gap fall with data and capacity."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from genbench.claims._cells import toys
from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.dataset import DataSpec
from genbench.core.effect import Effect, Values, log_ratio
from genbench.core.figure import Figure, Series
from genbench.core.metric import METRICS
from genbench.core.model import Batch, Model, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.core.truth import Truth
from genbench.experiments.training import fail
from genbench.nn.optim import linear_decay
from genbench.training.trainer import Trainer

MIXTURES = ("ring", "grid")
#: a gap is that of the options with the best likelihood
BOUND = {name: toys("vae", name, metrics=("bound_gap",), tuned="density") for name in MIXTURES}
VAE = {name: toys("vae", name, metrics=("js_to_truth",), tuned=True) for name in MIXTURES}
GANS = {
    (gan, name): toys(gan, name, metrics=("js_to_truth",), tuned=True)
    for gan in ("gan", "wgan_gp")
    for name in MIXTURES
}
#: eight Gaussians on a ring, neighbours four deviations apart, of unit root mean square
STD = 0.25
RADIUS = math.sqrt(2 * (1 - STD**2))
#: training points, and the width of both hidden layers, which grow together
SIZES = ((100, 32), (1_000, 64), (10_000, 128))
#: the families: the game with the penalty that makes it converge, and the bound
MODELS = {"gan": "r1_gan", "vae": "vae"}
BATCH = 256
#: generated and exact points that divergences count, in so many cells an axis
POINTS, CELLS = 50_000, 30
#: points at which the bound is evaluated, and draws of the code that stand for the likelihood
PLACES, DRAWS = 500, 256
#: a hundredth of a nat for each of two coordinates
GAP = 0.02


def centres() -> Tensor:
    """Returns the components' means, float64, shape (8, 2)."""
    angle = torch.arange(8, dtype=torch.float64) * (math.pi / 4)
    return RADIUS * torch.stack([angle.cos(), angle.sin()], dim=-1)


def log_density(x: Tensor) -> Tensor:
    """Returns the mixture's log density at points (…, 2), shape (…)."""
    square = (x.unsqueeze(-2) - centres().to(x)).square().sum(-1) / STD**2
    return (-0.5 * square).logsumexp(-1) - math.log(8 * 2 * math.pi * STD**2)


def draw(n: int, rng: Rng) -> Tensor:
    """Returns points of the mixture, shape (S, n, 2)."""
    return centres().to(rng.device, rng.dtype)[rng.integers(8, n)] + STD * rng.normal(n, 2)


def train(family: str, width: int, points: Tensor, rounds: int, rng: Rng) -> Model:
    """Returns models of the registry trained on each seed's own points (S, n, 2).

    Step sizes fall linearly to zero for both families: constant ones leave a divergence that is the
    optimiser's.
    """
    spec = DataSpec("eight", (2,))
    model = build(MODELS[family], spec, rng, {"hidden": (width, width)})
    rows, own = rng.fork("rows"), torch.arange(len(rng), device=rng.device).unsqueeze(1)

    def batch(progress: float) -> Batch:
        return Batch(points[own, rows.integers(points.shape[1], BATCH)], progress=progress)

    players = [replace(player, schedule=linear_decay()) for player in model.players()]
    return Trainer(model, batch, Budget(steps=rounds), rng=rng, players=players).run().finish()


def divergence(fake: Tensor, rng: Rng) -> list[float]:
    """Returns the Jensen-Shannon divergences of points (S, n, 2) to the mixture, in nats.

    They are infinite where a point is not finite.
    """
    reach = RADIUS + 5 * STD
    truth = Truth(log_density, box=(-reach, reach))
    measure = METRICS.get("js_to_truth").function
    return [
        measure(one.cpu(), truth, rng=rng.only(k), cells=CELLS).value
        if bool(one.isfinite().all())
        else math.inf
        for k, one in enumerate(fake)
    ]


@torch.no_grad()
def measure_bounds(model: Any, rng: Rng) -> dict[str, list[float]]:
    """Returns by how much many draws raise the bound, and KL(truth || model) by them, in nats."""
    x = draw(PLACES, rng.fork("points"))
    many = model.autoencoder.bound(x, DRAWS, rng.fork("many")).double()
    one = torch.stack(
        [model.autoencoder.bound(x, 1, rng.fork("one", k)).double() for k in range(16)]
    ).mean(0)
    kl = (log_density(x.double()) - many).mean(1)
    rows = {"gap": (many - one).mean(1), "kl": kl}
    return {name: fail(row, row, math.inf).tolist() for name, row in rows.items()}


def experiment(rng: Rng, *, rounds: int = 4000) -> dict[str, list[float]]:
    """Returns divergences to the truth and the bound's gaps as training points and widths grow."""
    rows = {"floor": divergence(draw(POINTS, rng.fork("floor")), rng)}
    for n, width in SIZES:
        points = draw(n, rng.fork("points", n))
        for family in MODELS:
            model = train(family, width, points, rounds, rng.fork(family, n))
            with torch.no_grad():
                fake = model.sample(POINTS, rng.fork("sample", family, n))
            rows[f"{family}_js_{n}"] = divergence(fake, rng)
            if family == "vae":
                bounds = measure_bounds(model, rng.fork("bound", n))
                rows |= {f"vae_{name}_{n}": row for name, row in bounds.items()}
    return rows


def figure(evidence: Evidence) -> Figure:
    """Draws divergences and the bound's gap as points and widths grow."""
    of, sizes = evidence.measured, [n for n, _ in SIZES]
    rows = {f"{family.upper()}: JS divergence": f"{family}_js" for family in MODELS}
    rows["VAE: gap of its bound"] = "vae_gap"
    series = [Series(name, sizes, [of(f"{key}_{n}") for n in sizes]) for name, key in rows.items()]
    series.append(Series("exact points: JS divergence", sizes, [of("floor")] * len(sizes)))
    about = f"Networks grow with the points, from {SIZES[0][1]} to {SIZES[-1][1]} units a layer."
    return Figure(
        "lines",
        "training points",
        "nats",
        series,
        log="xy",
        levels={"bar of the gap": GAP},
        note=about,
    )


@claim(
    "variational_bias",
    statement="VAEs maximise a bound that stays below the likelihood however many data there are; GANs "
    "come ever nearer to the data's distribution.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 2.7; answers on Quora",
    why="Mixtures of known density, on which the divergence to the truth is the same estimate for both "
    "families. The gap is what many draws of the code add to the bound, itself a bound of the gap from "
    "below. Training points and widths grow together; ring and grid give data without end, to models "
    "as tuned: by likelihood for the gap, by the divergence for what stands beside.",
    runs=tuple(BOUND.values()),
    beside=(*VAE.values(), *GANS.values()),
    experiment=experiment,
    # with eight, both steps of the GAN's divergence stayed open
    seeds=16,
    first_seed=NEW_SEEDS,
    version=2,
    quick={"rounds": 500},
    scaled=("rounds",),
    null_exemptions={
        "bound_gap": "a difference to the exact likelihood",
    },
    literature=(
        "The gap is real on MNIST: a bound of -93.38 nats where the likelihood is -88.40.",
        "Against: a Gaussian VAE recovers the data's distribution at its global optimum, on a manifold too "
        "(Dai and Wipf, 2019).",
        "Against: a VAE reaches 991 nats on MNIST where a GAN has 627 (Wu et al., 2017, table 2); GANs' "
        "distributions may have low support (Arora et al., 2017).",
        "The tutorial itself conjectures some VAEs to be consistent (section 2.7).",
    ),
    threats=(
        "A gap above 0 biases the optimum only where it differs between decoders, and a divergence that "
        "falls need not be small: which family is nearer to the truth is not part of the verdict, is "
        "listed beside, and may go the other way.",
        "10,000 points and a width of 128 are far from infinity; the rest is the optimiser's.",
        "The GAN is that with R1 and falling steps; the plain game does not settle (nash-oscillation).",
        "Divergences are between histograms: they do not see what is finer than a cell.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """The bound's gaps, how divergences fall, and how the two families stand at the end."""
    of = evidence.measured
    parts = []
    for name, run in BOUND.items():
        gap = evidence.scores(run, "bound_gap")
        parts.append(
            Effect(f"{name}, data without end: gap of the VAE's bound", gap, GAP, unit="nats")
        )
    last = SIZES[-1][0]
    text = f"{last:,} points: gap of the VAE's bound"
    parts.append(Effect(text, of(f"vae_gap_{last}"), GAP, unit="nats"))

    def fall(family: str, k: int) -> Values:
        return log_ratio(of(f"{family}_js_{SIZES[k][0]}"), of(f"{family}_js_{SIZES[k + 1][0]}"))

    for family in MODELS:
        for k in range(len(SIZES) - 1):
            text = (
                f"log JS divergence of the {family.upper()}, {SIZES[k][0]:,} points over "
                f"{SIZES[k + 1][0]:,}"
            )
            judged = family == "gan"
            parts.append(Effect(text, fall(family, k), math.log(1.1), judged=judged))
    ahead = log_ratio(of(f"vae_js_{last}"), of(f"gan_js_{last}"))
    text = f"{last:,} points: log JS divergence of the VAE over the GAN's"
    parts.append(Effect(text, ahead, 0.0, judged=False))
    for (gan, name), run in GANS.items():
        both = (evidence.scores(r, "js_to_truth") for r in (VAE[name], run))
        text = f"{name}, data without end: log JS divergence of the VAE over that of {gan}"
        parts.append(Effect(text, log_ratio(*both), 0.0, judged=False))
    for family in MODELS:
        over = log_ratio(of(f"{family}_js_{last}"), of("floor"))
        text = (
            f"{last:,} points: log JS divergence of the {family.upper()} over that of exact points"
        )
        parts.append(Effect(text, over, math.log(2), "below", judged=False))
    kl = of(f"vae_kl_{last}")
    text = f"{last:,} points: KL divergence of the truth from the VAE"
    return [*parts, Effect(text, kl, GAP, unit="nats", judged=False)]
