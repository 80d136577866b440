"""Points and models of planted quality, and what a metric makes of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from genbench.contracts.pictured import SIDE, coordinates, pictures, smaller
from genbench.contracts.rules import left_alone
from genbench.core.dataset import Dataset
from genbench.core.errors import GenbenchError
from genbench.core.feature import Extractor, Logits
from genbench.core.metric import METRICS, PAIRED, Metric, Score
from genbench.core.model import Density, Model
from genbench.core.rng import Rng
from genbench.core.streams import MixtureDataset
from genbench.core.trained import Trained
from genbench.core.truth import Described, Truth
from genbench.points.tokens import n_gram_law

N = 1200
#: points by which a metric shows whether it scores any
FEW = 64
#: options that keep a metric fast, for the metrics that have them
SMALL = {
    "seconds": 0.02,
    "largest": 64,
    "permutations": 100,
    "directions": 128,
    "epochs": 5,
    "side": 16,
}
ANGLES = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)


class Mixture(MixtureDataset):
    """Eight modes on a circle."""

    name = "mixture"
    centres = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=-1)
    std = 0.1
    entropy = 0.0


class Exact(Model, Density):
    """The true density, blurred by noise of a given width."""

    name = "exact"
    taxonomy = "reference"

    def __init__(self, dataset: Dataset, noise: float = 0.0) -> None:
        super().__init__(dataset.spec, Rng([0]))
        self.dataset, self.noise = dataset, noise

    def players(self) -> tuple[()]:
        """Returns none."""
        return ()

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns points of the mixture with noise, shape (S, n, 2)."""
        x = self.dataset.draw(n, rng)
        return self.dataset.to_model(x + self.noise * rng.normal(*x.shape[1:]))

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns their exact log density, shape (S, B)."""
        centres, std = Mixture.centres.to(x), math.hypot(Mixture.std, self.noise)
        square = (self.dataset.to_data(x).unsqueeze(-2) - centres).square().sum(-1) / std**2
        density = torch.logsumexp(-0.5 * square, -1) - math.log(8 * 2 * math.pi * std**2)
        return density - self.dataset.log_volume


DATA = Mixture()


def tokens(x: Any) -> Any:
    """Returns points of the plane as words of two letters of eight; other arrays stay as they are."""
    if x is None or x.shape[1:] != (2,) or not x.isfinite().all():
        return x
    return ((x + 2) * 2).floor().clamp(0, 7).long()


TEXT = Truth(n_grams=lambda n: n_gram_law(tokens(DATA.points("test")), n, 8))


def answers_of(source: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the eight modes, equally likely, as the right answers to any source."""
    modes = DATA.centres.to(source.device).expand(len(source), 8, 2)
    return modes, torch.full(modes.shape[:2], 1 / 8, device=source.device)


def degrade(x: Tensor) -> Tensor:
    """Returns what planted points are made from: their distance from the origin, shape (N, 1)."""
    return x.double().square().sum(-1, keepdim=True).sqrt()


def describe(x: Tensor) -> Tensor:
    """Returns the mode of points (N, 2), (N, 1), or -1 of those that are farther than four deviations."""
    away = torch.cdist(x.double(), DATA.centres.to(x.device))
    return away.argmin(1, keepdim=True).masked_fill(away.amin(1, keepdim=True) > 4 * DATA.std, -1)


DESCRIBED = Described(("mode",), describe, lambda source, x: describe(x))
PAIRS = Truth(answers=answers_of, degrade=degrade, described=DESCRIBED)
#: the same of images, of which one half is hidden
PICTURED = Truth(
    answers=lambda source: (pictures(answers_of(source)[0]), answers_of(source)[1]),
    degrade=smaller,
    hidden=(torch.arange(SIDE) >= SIDE // 2).expand(1, SIDE, SIDE),
    described=replace(
        DESCRIBED,
        read=lambda x: describe(coordinates(x)),
        wanted=lambda source, x: describe(coordinates(x)),
    ),
)
#: views of points in their own shape, so that there are metrics of images alone
SHAPED = ("events", *PAIRED)


def draw(n: int, seed: int, modes: int = 8, noise: float = 0.0) -> Tensor:
    """Returns points of some of the modes, with noise, shape (n, 2)."""
    rng = Rng([seed])
    centres = DATA.centres[:modes].float()
    x = centres[rng.integers(modes, n)[0]] + DATA.std * rng.normal(n, 2)[0]
    return x + noise * rng.fork("noise").normal(n, 2)[0]


def log_odds(x: Any) -> Any:
    """Returns log odds of the eight modes; arrays that are no points of the plane stay as they are."""
    if x is None or x.shape[1:] != (2,):
        return x
    away = x.double().unsqueeze(1) - DATA.centres.to(x.device)
    return -away.square().sum(-1) / (2 * DATA.std**2)


class ModeClassifier(Extractor, Logits):
    """Knows the eight modes; its features are the points themselves."""

    @property
    def protocol(self) -> str:
        """Says that it is planted."""
        return "planted"

    def extract(self, x: Tensor) -> Tensor:
        """Returns the points."""
        return coordinates(x).double().flatten(1)

    def logits(self, x: Tensor) -> Tensor:
        """Returns log odds of the modes, (N, 8)."""
        return log_odds(coordinates(x))


def _nearest_mode(x: Any) -> Any:
    """Returns the number of the mode nearest to each point; of other arrays, one class."""
    if x is None or x.shape[1:] != (2,) or not len(x):
        return torch.zeros(0 if x is None else len(x), dtype=torch.int64)
    return torch.cdist(x.double(), DATA.centres.to(x.device)).argmin(1)


def small_options(entry: Metric, *, whole: bool) -> dict[str, Any]:
    """Returns options that keep a metric fast: a quarter of the points, unless all are to count."""
    chosen = {key: value for key, value in SMALL.items() if key in entry.options}
    if "points" in entry.options:
        # of a metric that is given the training set too, a quarter of what it is given
        most = N if entry.view == "memory" else entry.options["points"]
        chosen["points"] = N if whole else most // 4
    return chosen


def sees_images(entry: Metric) -> bool:
    """Returns whether a metric is to be given points as images, since it scores none of them as they are."""
    return entry.view in SHAPED and _scores_no_points(entry.name, entry.function)


@functools.cache
def _scores_no_points(name: str, function: Callable[..., Any]) -> bool:
    entry = METRICS.get(name)
    try:
        scores = measure(entry, draw(FEW, 2), real=draw(FEW, 1), images=False)
    except GenbenchError:  # as if it gave a reason
        return True
    except Exception:  # which the rules will see
        return False
    return bool(scores) and all(score.value is None for score in scores.values())


def measure(
    entry: Metric,
    fake: Tensor | None = None,
    *,
    real: Tensor | None = None,
    noise: float = 0.0,
    seed: int = 5,
    whole: bool = False,
    images: bool | None = None,
) -> dict[str, Score]:
    """Returns all columns of a metric as Scores, whatever its view.

    Arguments:
        entry: The metric.
        fake: Generated points, shape (M, 2).
        real: Real points; N points of all modes if None, and where rows belong together those that noise
            makes fake ones of.
        noise: The width of the noise of the model that metrics of models see.
        seed: Of the metric's rng.
        whole: Whether every point is to count, of metrics that take a part of them.
        images: Whether points are given as images; None where the metric scores nothing else.

    Raises:
        ChangedInput: If it writes into what it is given.
    """
    images = sees_images(entry) if images is None else images
    together = entry.view in PAIRED and "answers" not in entry.needs
    real = draw(N, 2 if together else 1) if real is None else real
    # a model's stream lies where the model does, all others on the CPU, as in an evaluation
    rng = Rng([seed], device=real.device if entry.view == "model" else "cpu")
    labels = {key: _nearest_mode(x) for key, x in (("real", real), ("fake", fake))}
    truth, map_back = (PICTURED, smaller) if images else (PAIRS, degrade)
    if images:
        real, fake = pictures(real), None if fake is None else pictures(fake)
    arguments: tuple[Any, ...] = {
        "points": (real, fake),
        "features": (real, fake),
        "events": (real, fake),
        "logits": (log_odds(real), log_odds(fake)),
        "labelled": (real, fake, labels["real"], labels["fake"]),
        "memory": (draw(N, 3).to(real.device), real, fake),
        "truth": (tokens(fake), TEXT) if "n_grams" in entry.needs else (fake, DATA.truth),
        "pairs": (map_back(real), real, fake, truth),
        "judged": (real.clone(), real, fake, labels["real"], ModeClassifier()),
        "model": (Trained(Exact(DATA, noise), DATA), real),
    }[entry.view]
    # what a stand-in for a device holds has no checksum
    watched = arguments if real.device.type == "cpu" else ()
    with left_alone(entry.name, *watched):
        result = entry.function(*arguments, rng=rng, **small_options(entry, whole=whole))
    if not isinstance(result, dict):
        result = {entry.name: result}
    return {k: v if isinstance(v, Score) else Score(float(v)) for k, v in result.items()}
