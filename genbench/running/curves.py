"""What a stack tells of itself while it trains: its learning curve, and its last score."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genbench.core.dataset import Dataset
from genbench.core.metric import PAIRED
from genbench.core.model import Model, Translator
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.evaluation.evaluator import Evaluator, draw
from genbench.evaluation.requests import make_requests
from genbench.running.job import RunSettings
from genbench.store import CurvePoint
from genbench.store.record import finite
from genbench.training.trainer import Point, Probe, Trainer


def last_score(points: Sequence[Point]) -> tuple[str, float] | None:
    """Returns the mean over seeds of the newest number on the learning curve; a loss where no score is."""
    if not points:
        return None
    for values in (points[-1].metrics, points[-1].losses):
        for name, by_seed in values.items():
            numbers = [v for v in by_seed if v is not None and math.isfinite(v)]
            if numbers:
                return name, math.fsum(numbers) / len(numbers)
    return None


def make_probe(dataset: Dataset, settings: RunSettings, rng: Rng) -> Probe | None:
    """Returns a probe that puts cheap metrics on the learning curve, or None without any."""
    if not settings.curve_metrics:
        return None
    n = settings.curve_samples
    requests = [
        a for a in make_requests(settings.curve_metrics, samples=n) if a.metric.view != "model"
    ]
    evaluator = Evaluator(dataset, requests, samples=n, features=settings.features)

    def probe(model: Model) -> dict[str, list[float | None]]:
        fakes = draw(model, dataset, evaluator.n, rng.fork("curve"))
        curves: dict[str, list[float | None]] = {}
        pairs = isinstance(model, Translator)  # of others no sample belongs to a source
        whole = Trained(model, dataset)  # of all seeds: it says what the loss looks through
        usual = [r for r in requests if pairs or r.metric.view not in PAIRED]
        for k, fake in enumerate(fakes):
            usable = bool(fake.isfinite().all())
            one = rng.only(k)
            rows = (
                evaluator.score(fake, whole, one, requests=usual, beside=False) if usable else []
            )
            values = {m.id: m.value for m in rows}
            for column in (c for request in requests for c in request.metric.columns):
                curves.setdefault(column, []).append(values.get(column))
        return curves

    return probe


def list_curve(trainer: Trainer, k: int) -> list[CurvePoint]:
    """Returns the learning curve of a stack's k-th seed."""
    return [
        CurvePoint(
            step=point.step,
            seconds=point.seconds,
            losses={name: finite(values[k]) for name, values in point.losses.items()},
            metrics={name: values[k] for name, values in point.metrics.items()},
        )
        for point in trainer.points
    ]
