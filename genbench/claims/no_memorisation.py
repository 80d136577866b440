"""Whether samples lie nearer to training points than held-out points do, and which gradients see them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from genbench.claims._cells import FASHION, digits
from genbench.core.claim import Evidence, claim
from genbench.core.dataset import DataSpec
from genbench.core.effect import Effect, compare_best, difference, map_values
from genbench.core.entrants import make_runs
from genbench.core.figure import Figure, strip
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

METRICS = ("c_t", "authenticity", "c2st")
GANS = make_runs("image", ["adversarial"], "digits", METRICS, only=("gan", "wgan_gp"))
LIKELIHOODS = make_runs(
    "image",
    ["variational", "flow", "fully visible", "Boltzmann machine"],
    "digits",
    METRICS,
    only=("vae", "realnvp", "made", "rbm"),
)
#: training points returned as they are, and with noise
COPIES = digits("resample", metrics=METRICS)
BLURRED = digits("kde", options={"points": 2000}, metrics=METRICS)
#: below this copying is sure (Meehan et al., 2020), as a z-score
SURE = -3.0
#: one deviation of the score between two samples of one distribution: less is no difference
SAME = 1.0
#: whose gradient is measured: each model's last player, which is the generator in a game
TRACED = ("gan", "wgan_gp", "vae", "realnvp", "made")


def gradient(name: str, x: Tensor, rng: Rng) -> Tensor:
    """Returns the gradient of a fresh model's last player at a minibatch, shape (S, weights)."""
    spec = DataSpec("grey", tuple(x.shape[2:]), range=(0.0, 1.0))
    player = build(name, spec, rng.fork("model")).players()[-1]
    loss = player.loss(Batch(x), rng.fork("loss"))
    weights = [*player.module.parameters()]
    # weights that are zero at first may keep others from any gradient
    parts = torch.autograd.grad(loss.sum(), weights, allow_unused=True, materialize_grads=True)
    return torch.cat([part.flatten(1) for part in parts], dim=1)


def experiment(rng: Rng, *, batch: int = 128) -> dict[str, list[float]]:
    """Returns the distance between gradients of the same weights and noise for two sets of images.

    It is over the sum of both norms: 0 where the images play no part, 1 for opposite gradients.
    """
    rows = {}
    x = rng.fork("images").uniform(2, batch, 1, 8, 8)
    for name in TRACED:
        one, other = (gradient(name, x[:, k], rng.fork(name)) for k in (0, 1))
        apart = (one - other).norm(dim=1) / (one.norm(dim=1) + other.norm(dim=1))
        rows[f"{name}_apart"] = apart.tolist()
    return rows


def figure(evidence: Evidence) -> Figure:
    """Draws C_T by family, and of training points themselves."""
    references = {"as they are": COPIES, "with noise": BLURRED}
    return strip(
        evidence,
        {"GANs": GANS, "likelihood": LIKELIHOODS, "training points": references},
        "c_t",
        "C_T, standard deviations",
        levels={"copying is sure": SURE, "as held-out points": 0.0},
        note="Left of the line at 0 samples are nearer to training points than held-out points are.",
    )


def judge_copying(evidence: Evidence) -> list[Effect]:
    """Returns the test of copies themselves, and of every GAN beside likelihood."""
    unit = "standard deviations"
    copied = evidence.scores(COPIES, "c_t")
    text = "C_T of copies of training points"
    parts = [Effect(text, copied, SURE, "below", unit, resolution=SAME)]
    below = {
        name: map_values(lambda v: min(v, 0.0), evidence.scores(run, "c_t"))
        for name, run in {**GANS, **LIKELIHOODS}.items()
    }
    others = {name: below[name] for name in LIKELIHOODS}
    for name, run in GANS.items():
        parts.append(Effect(f"C_T of {name}", evidence.scores(run, "c_t"), SURE, unit=unit))
        gap = compare_best({name: below[name]}, others, "higher")
        text = f"C_T below 0 of {name} less that of the best likelihood{gap.who}"
        parts.append(Effect(text, gap.values, -SAME, unit=unit, contest=gap, resolution=SAME))
    return parts


def list_beside(evidence: Evidence) -> list[Effect]:
    """Returns C_T of likelihood's samples, authenticity, and the nearest neighbours' test, none judged."""
    unit = "standard deviations"
    parts = [
        Effect(f"C_T of {name}", evidence.scores(run, "c_t"), SURE, unit=unit, judged=False)
        for name, run in LIKELIHOODS.items()
    ]
    blurred = evidence.scores(BLURRED, "c_t")
    text = "C_T of training points with noise"
    parts.append(Effect(text, blurred, SURE, "below", unit, judged=False))
    copies = evidence.scores(COPIES, "authenticity")
    for name, run in {**GANS, **LIKELIHOODS, "kde": BLURRED}.items():
        more = difference(evidence.scores(run, "authenticity"), copies)
        text = f"authenticity of {name} less that of copies"
        parts.append(Effect(text, more, 0.0, unit="share", judged=False))
    for name, run in {**GANS, **LIKELIHOODS, "kde": BLURRED, "copies": COPIES}.items():
        accuracy = evidence.scores(run, "c2st")
        text = f"share of {name} and held-out points that neighbours classify rightly"
        parts.append(Effect(text, accuracy, 0.5, "below", "share", judged=False))
    return parts


def read_cells(evidence: Evidence) -> list[Effect]:
    """Returns what is read of cells alone."""
    return [*judge_copying(evidence), *list_beside(evidence)]


@claim(
    "no_memorisation",
    statement="A GAN's generator is updated through the discriminator alone, never from data, and so "
    "memorises the training set no more than models trained by likelihood.",
    source="Goodfellow et al., 2014 (1406.2661), section 6",
    why="C_T asks whether samples are nearer to their nearest training point than held-out points are; "
    "what is above 0 is underfitting, not a virtue, and counts as 0 where families are compared. "
    "Copies of training points must be detected, or the test would be blind. Whether data enter the "
    "generator's gradient is tested with two sets of images.",
    runs=(*GANS.values(), *LIKELIHOODS.values(), COPIES, BLURRED),
    experiment=experiment,
    null_exemptions={
        "c_t": "copying is the question, which noise does not do; copies of training "
        "points are judged by it too",
    },
    literature=(
        "MNIST, annealed log-likelihood in nats of training and test points: GAN 620 and 627, VAE 1,273 "
        "and 991 (Wu et al., 2017, table 2, with 50 dimensions of noise).",
        "C_T below -3 shows copying (Meehan et al., 2020).",
        "Against: on a finite set the game's optimum is the training points themselves (Goodfellow et "
        "al., 2014, theorem 1, for the empirical distribution); the discriminator sees them.",
    ),
    threats=(
        "1,097 training points and some 350 passes over them; with fewer points or larger networks any "
        "family may copy.",
        "Samples far from all data, whose C_T is far above 0, cannot be seen to copy; and training points "
        "with noise of a kernel's width, listed beside, may pass too.",
        "C_T takes all of space as one cell: copying of a few points is outweighed by the rest.",
        "Distances are between features of a classifier of the same digits.",
        "That the gradient is free of data holds by construction, yet what the discriminator has learnt "
        "from them still steers it.",
    ),
    figure=figure,
    elsewhere=(replace(FASHION, effects=read_cells),),
    outsiders=dict.fromkeys(
        ("resample", "kde"), "training points returned, which must be detected"
    ),
)
def effects(evidence: Evidence) -> list[Effect]:
    """Tests of copying by family, and how much the gradient depends on data."""
    parts = []
    for name in TRACED:
        apart = evidence.measured(f"{name}_apart")
        text = f"{name}: part of the gradient that depends on the images"
        if name in GANS:
            parts.append(Effect(text, apart, 1e-6, "below", by_definition=True))
        else:
            parts.append(Effect(text, apart, 0.01, by_definition=True))
    return [*judge_copying(evidence), *parts, *list_beside(evidence)]
