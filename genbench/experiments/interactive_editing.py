"""Digits on which a few pixels are scribbled: painted over, completed, or searched for among a GAN's."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import DATASETS, Dataset
from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.experiments.training import fail, train
from genbench.nn.inpainting import fit_codes

GAN, INPAINTER = "r1_gan", "rbm"
BATCH = 128
#: pixels of a scribble, of 64, and what another pixel of the old picture weighs in the search
PIXELS, REST = 8, 0.02
#: starts of a search, and points of a call
RESTARTS, ROWS = 2, 100


def scribble(dataset: Dataset, n: int, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
    """Returns pictures to be changed, wanted ones, and where the user paints, (S, n, *event) each.

    Both are training digits; the pixels painted are those in which the two differ most, as the wanted
    picture has them.
    """
    digits = dataset.points("train").to(rng.device)
    old, goal = (digits[rng.integers(len(digits), n)] for _ in range(2))
    gap = (old - goal).abs().flatten(2)
    order = gap.topk(PIXELS, dim=-1).indices
    painted = torch.zeros_like(gap, dtype=torch.bool).scatter_(-1, order, True)
    return old, goal, painted.view_as(old)


def search(model: Any, dataset: Dataset, target: Tensor, painted: Tensor, rng: Rng) -> Tensor:
    """Returns the GAN's pictures nearest to targets, the painted pixels before all others (iGAN)."""
    weights = torch.where(painted, 1.0, REST).to(target)
    codes = [
        fit_codes(model.pair.decode, model.pair.latent, x, w, rng, restarts=RESTARTS)
        for x, w in zip(target.split(ROWS, 1), weights.split(ROWS, 1), strict=True)
    ]
    with torch.no_grad():
        return dataset.to_data(model.pair.decode(torch.cat(codes, 1)))


@torch.no_grad()
def complete(model: Any, dataset: Dataset, target: Tensor, painted: Tensor, rng: Rng) -> Tensor:
    """Returns completions of the painted pixels alone."""
    visible = torch.where(painted, target, torch.zeros_like(target))
    return dataset.to_data(model.inpaint(visible, painted, rng))


def measure(
    dataset: Dataset, edits: Tensor, painted: Tensor, old: Tensor, goal: Tensor, rng: Rng
) -> dict[str, list[float]]:
    """Returns root mean squares, of errors where it is painted and changes elsewhere, and FID.

    All are infinite for pictures that are not finite.
    """
    extractor: Any = EXTRACTORS.get("classifier")(dataset)
    fid: Any = METRICS.get("fid").function
    real = extractor.extract(dataset.points("test"))

    def error(to: Tensor, where: Tensor) -> list[float]:
        square = (edits - to).square() * where
        root = (square.flatten(1).sum(1) / where.flatten(1).sum(1)).sqrt()
        return fail(root, edits, math.inf).tolist()

    return {
        "rmse": error(goal, painted),
        "change": error(old, ~painted),
        "fid": [
            fid(real, extractor.extract(one.cpu()), rng=rng.only(k))
            if bool(one.isfinite().all())
            else math.inf
            for k, one in enumerate(edits)
        ],
    }


def experiment(
    rng: Rng, *, rounds: int = 3000, inpainter_rounds: int = 2000, edits: int = 500
) -> dict[str, list[float]]:
    """Returns, by how a picture is edited, what `measure` does; `old` are the pictures before."""
    dataset = DATASETS.get("digits")()
    old, goal, painted = scribble(dataset, edits, rng.fork("scribble"))
    over = torch.where(painted, goal, old)
    target = dataset.to_model(over)
    pictures = {"old": old, "painted": over}
    for name, change, many in (
        (GAN, search, rounds),
        (INPAINTER, complete, inpainter_rounds),
    ):
        own = rng.fork(name)
        trainer = train(build(name, dataset.spec, own), dataset, many, own, batch=BATCH)
        with trainer.averaged() as model:
            pictures[name] = change(model, dataset, target, painted, own.fork("edit"))
    return {
        f"{name}_{key}": row
        for name, x in pictures.items()
        for key, row in measure(dataset, x, painted, old, goal, rng).items()
    }
