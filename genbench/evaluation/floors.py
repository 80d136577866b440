"""What a perfect model would score: metrics between disjoint sets of real points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from genbench.core.metric import Score
from genbench.core.rng import Rng
from genbench.evaluation.comparison import Reference, Side
from genbench.evaluation.requests import MetricRequest
from genbench.evaluation.scoring import compute_scores

#: what a memory metric has of real points it knows itself, and spare ones may be of training; metrics
#: of models look at no samples
WITHOUT = ("model", "memory")


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


def find_spare(against: Reference, count: int, *, held_out: bool) -> Spare | None:
    """Returns the real points that a reference can best be compared with, or None where it is too small.

    Points of the data set's training split, or those that the user named, do if the reference is held
    out; else the reference is cut into random halves, whose floors are those of fewer points.

    Arguments:
        against: The reference.
        count: The number of samples.
        held_out: Whether the reference is the test split of its data set.
    """
    rng = Rng([0]).fork("floor")
    train = against.train
    if train is None and held_out and against.dataset is not None:
        data = against.dataset
        split = "validation" if data.stream else "train"
        labels = data.labels(split)
        train = Side.of(data.points(split), against.real.extractor, labels)
    if train is not None and train.count >= 2:
        rows = rng.fork("train").permutation(train.count)[0][:count]
        return Spare(against, train.take(rows), "training points")
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
