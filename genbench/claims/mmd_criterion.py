"""The maximum mean discrepancy of GANs in training, and what it says of their quality."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbench.core.claim import Evidence, claim
from genbench.core.dataset import DATASETS, Dataset
from genbench.core.effect import Effect
from genbench.core.feature import EXTRACTORS
from genbench.core.figure import Figure, Series
from genbench.core.metric import METRICS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.experiments.training import draw_samples, train
from genbench.training.trainer import Trainer

#: by data set, what says how good samples are, and knows nothing of the discrepancy
QUALITY = {"ring": "js_to_truth", "grid": "js_to_truth", "digits": "fid"}
#: samples that are measured at a mark, and held-out points that the discrepancy compares them with
SAMPLES, HELD_OUT = 2000, 1000
#: at first everything falls and so correlates; ranks are compared again from this share of training on
LATE = 0.2
#: with less, ranks do not share even a tenth of their variance
RANK = 0.3
#: a tenth worse, as for other distances
WORSE = math.log(1.1)

Measure = Callable[[Tensor, Rng], float]


def spearman(a: Tensor, b: Tensor) -> Tensor:
    """Returns rank correlations of rows without ties, shapes (S, T), (S, T) to (S,)."""
    ranks = [x.argsort(1).argsort(1).double() for x in (a, b)]
    x, y = (r - r.mean(1, keepdim=True) for r in ranks)
    correlations = (x * y).sum(1) / (x.square().sum(1) * y.square().sum(1)).sqrt()
    return torch.where((a + b).isfinite().all(1), correlations, math.nan)


def discrepancy(dataset: Dataset) -> Measure:
    """Returns what measures the squared MMD of samples to validation points, in data space."""
    real = dataset.points("validation")[:HELD_OUT].flatten(1)
    return lambda fake, rng: float(
        METRICS.get("mmd").function(real, fake.flatten(1), rng=rng).value
    )


def quality(dataset: Dataset, name: str) -> Measure:
    """Returns what measures samples by the truth, or by test points in features of a classifier."""
    function = METRICS.get(name).function
    if name != "fid":
        return lambda fake, rng: float(function(fake, dataset.truth, rng=rng).value)
    extract = EXTRACTORS.get("classifier")(dataset).extract
    real = extract(dataset.points("test"))
    return lambda fake, rng: float(function(real, extract(fake), rng=rng))


def train_and_measure(name: str, steps: int, points: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """Trains GANs; returns their discrepancies and qualities at equal steps, shapes (S, points)."""
    dataset = DATASETS.get(name)()
    model = build("gan", dataset.spec, rng)
    measures = {"mmd": discrepancy(dataset), "quality": quality(dataset, QUALITY[name])}
    rows: dict[str, list[list[float]]] = {key: [] for key in measures}
    marks = [round(steps * (i + 1) / points) for i in range(points)]

    def watch(trainer: Trainer) -> None:
        if trainer.step not in marks:
            return
        for key, measure in measures.items():
            draws = rng.fork(key, trainer.step)
            values = []
            for k, fake in enumerate(draw_samples(trainer, dataset, SAMPLES, draws)):
                finite = bool(fake.isfinite().all())
                values.append(measure(fake, draws.only(k)) if finite else math.nan)
            rows[key].append(values)

    train(model, dataset, steps, rng, batch=128, listener=watch)
    watched, true = (torch.tensor(row, dtype=torch.float64).T for row in rows.values())
    return watched, true


def summarise(watched: Tensor, true: Tensor) -> dict[str, Tensor]:
    """Returns what a discrepancy says of a quality, lower being better, both (S, T), by seed.

    Rank correlations over all points and over later ones; the log of the quality where the discrepancy
    is least over that of the last point, and over that of the best; and where that is, as a share.
    """
    late = round(LATE * watched.shape[1])
    chosen = watched.nan_to_num(math.inf, math.inf).argmin(1, keepdim=True)
    at = true.gather(1, chosen).squeeze(1)
    return {
        "rank": spearman(watched, true),
        "late_rank": spearman(watched[:, late:], true[:, late:]),
        "over_last": (at / true[:, -1]).log(),
        "over_best": (at / true.nan_to_num(math.inf).amin(1)).log(),
        "chosen": (chosen.squeeze(1) + 1) / watched.shape[1],
    }


def experiment(rng: Rng, *, steps: int = 3000, points: int = 30) -> dict[str, list[float]]:
    """Trains GANs on every data set and returns the columns of `summarise`, by data set."""
    columns: dict[str, list[float]] = {}
    for name in QUALITY:
        rows = summarise(*train_and_measure(name, steps, points, rng.fork(name)))
        columns |= {f"{name}_{key}": row.tolist() for key, row in rows.items()}
    return columns


def figure(evidence: Evidence) -> Figure:
    """Draws rank correlations in training, whole and without the first fifth."""
    rows = {f"{name}, {measure}": name for name, measure in QUALITY.items()}
    return Figure(
        "strip",
        "",
        "rank correlation of MMD and quality in training",
        [
            Series(text, list(rows), [evidence.measured(f"{n}_{key}") for n in rows.values()])
            for text, key in (
                ("all of training", "rank"),
                ("without the first fifth", "late_rank"),
            )
        ],
        levels={"none": 0.0, "bar": RANK},
        note="The measure of quality is named after the data set.",
    )


@claim(
    "mmd_criterion",
    statement="The maximum mean discrepancy serves to evaluate GANs and to stop their training.",
    source="Sutherland et al., 2017, and introductions to GANs that follow it",
    why="The discrepancy to validation points is compared with a measure that is independent of it: the "
    "divergence from a known distribution, or the Frechet distance to test points in features of a "
    "classifier, on other samples. Since both fall at first, their ranks are compared again without the "
    "first fifth. The point that it chooses is compared with the last, which one has without a criterion.",
    experiment=experiment,
    quick={"steps": 375, "points": 15},
    scaled=("steps",),
    literature=(
        "With a kernel as wide as the median distance the test loses power where modes are narrow and "
        "stretched; a kernel chosen for power keeps it (Sutherland et al., 2017, blobs).",
        "The kernel distance of Inception features has an unbiased estimate, unlike the Frechet one "
        "(Binkowski et al., 2018).",
    ),
    threats=(
        "The kernel's widths are fixed multiples of the median distance, not chosen for power.",
        "Near the end points differ by less than the error of their estimates, which lowers correlations.",
        "Digits have 200 validation points; the distance in features has faults of its own.",
        "On curves that only fall, any choice near the end is as good as the last.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Rank correlations, and the quality where the discrepancy is least, by data set."""
    parts = []
    for name, measure in QUALITY.items():
        about = f"{name}: rank correlation of MMD and {measure} in training"
        parts.append(Effect(about, evidence.measured(f"{name}_rank"), RANK))
        late = f"{about}, without the first fifth"
        parts.append(Effect(late, evidence.measured(f"{name}_late_rank"), RANK))
        at = f"{name}: log {measure} where MMD is least over that"
        parts.append(
            Effect(
                f"{at} of the last step", evidence.measured(f"{name}_over_last"), WORSE, "below"
            )
        )
        best = evidence.measured(f"{name}_over_best")
        parts.append(Effect(f"{at} of the best step", best, WORSE, "below", judged=False))
        share = evidence.measured(f"{name}_chosen")
        parts.append(Effect(f"{name}: share of training over there", share, 0.5, judged=False))
    return parts
