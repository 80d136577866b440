"""What a perfect model would score: metrics between disjoint sets of real points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from genbench.core.metric import PAIRED, Score
from genbench.core.rng import Rng
from genbench.evaluation.comparison import Reference
from genbench.evaluation.requests import MetricRequest
from genbench.evaluation.scoring import compute_scores
from genbench.evaluation.side import Side

#: what a memory metric has of real points it knows itself, and spare ones may be of training; metrics
#: of models look at no samples
WITHOUT = ("model", "memory", *PAIRED)


@dataclass(frozen=True)
class Spare:
    """Real points to compare with a reference in place of samples.

    Arguments:
        reference: What they are compared with.
        points: As many as there are samples, or fewer.
        origin: Where they come from, in words.
    """

    reference: Reference
    points: Side
    origin: str

    @property
    def note(self) -> str:
        """What a reader must know of the floors."""
        counts = f"{self.reference.real.count}/{self.points.count}"
        return f"floors compare the reference with {self.origin}, n={counts}"


def find_spare(against: Reference, count: int, training: Side | None) -> Spare | None:
    """Returns the real points that a reference can best be compared with, or None where it is too small.

    Those that are not in it do, where there are some; else the reference is cut into random halves,
    whose floors are those of fewer points.

    Arguments:
        against: The reference.
        count: The number of samples.
        training: Real points that are not in the reference, or None.
    """
    rng = Rng([0]).fork("floor")
    if training is not None and training.has_points and training.count >= 2:
        rows = rng.fork("train").permutation(training.count)[0][:count]
        return Spare(against, training.take(rows), "training points")
    half = against.real.count // 2
    if half < 2:
        return None
    order = rng.fork("halves").permutation(against.real.count)[0]
    first, second = order[:half], order[half : half + min(half, count)]
    reference = replace(against, real=against.real.take(first))
    return Spare(reference, against.real.take(second), "its other half, at random")


def measure_floors(
    reference: Reference, spare: Side, requests: Sequence[MetricRequest], *, lenient: bool = False
) -> dict[str, dict[str, Score]]:
    """Returns the scores of spare real points by the requests' keys, of metrics that compare points.

    Arguments:
        reference: What they are compared with.
        spare: Real points that are not in it.
        requests: The metrics.
        lenient: Whether a metric that refuses its points has no floor; if not, it raises.
    """
    stream = Rng([0]).fork("floor")
    chosen = [
        request
        for request in requests
        if request.metric.view not in WITHOUT and reference.find_obstacle(request.metric) is None
    ]
    calls = [reference.make_call(request, spare, stream) for request in chosen]
    results = compute_scores(calls, lenient=lenient)
    return {r.key: scores for r, (scores, _) in zip(chosen, results, strict=True)}
