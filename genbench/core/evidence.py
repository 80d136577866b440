"""What a claim may ask: cells that it reads, and what has been measured of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from genbench.core.effect import Values
from genbench.core.spec import Part


@dataclass(frozen=True)
class Run:
    """Cells that a claim reads: one model on one data set, so many seeds from the first on.

    They are the cells of any suite with the same settings, and with the same number of samples the
    same metrics are the same measurements, so nothing is trained or measured twice.

    Arguments:
        model: A registered model.
        dataset: A registered data set.
        metrics: The metrics that the claim reads.
        options: The model's options, where they are not the defaults.
        dataset_options: The data set's, likewise.
        metric_options: Those of metrics, by metric, likewise.
        seeds: How many seeds.
        first_seed: The first of them, which evidence sets to that of the claim (`Claim.first_seed`).
        steps: Rounds of training.
        quick_steps: Rounds of a quick pass; an eighth of `steps` if None.
        batch: Real examples in a minibatch.
        labelled: Training labels that a seed sees; all if None.
        samples: Generated points per seed that metrics compare.
        tuned: Whether all options that are not named are as tuned (`baselines/tuned.yaml`); `density` takes
            those chosen by likelihood.
        untuned: What a model that was not tuned yet has then: `refuse` says how to tune it, `default` takes
            its defaults.
    """

    model: str
    dataset: str
    metrics: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = 8
    steps: int = 4000
    batch: int = 256
    labelled: int | None = None
    samples: int = 10_000
    tuned: bool | Literal["density"] = False
    untuned: Literal["refuse", "default"] = "refuse"
    dataset_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    first_seed: int = 0
    quick_steps: int | None = None

    @property
    def parts(self) -> list[Part]:
        """The metrics with their options."""
        return [Part(name=m, options=dict(self.metric_options.get(m, {}))) for m in self.metrics]

    def __str__(self) -> str:
        return f"{_call(self.model, self.options)} on {self.data}"

    @property
    def title(self) -> str:
        """The model and the data set."""
        return f"{self.model} on {self.data}"

    @property
    def data(self) -> str:
        """The data set with its options."""
        return _call(self.dataset, self.dataset_options)


def _call(name: str, options: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{key}={value}" for key, value in sorted(options.items()))
    return f"{name}({inside})" if inside else name


class Evidence(Protocol):
    """What has been measured, as a claim's function sees it."""

    def scores(self, run: Run, column: str) -> Values:
        """Returns a column of a run's finished cells against held-out data, by seed."""
        ...

    def finished(self, run: Run) -> Sequence[int]:
        """Returns the seeds of a run that were trained to the end."""
        ...

    def measured(self, column: str) -> Values:
        """Returns a column of the claim's own experiment, by seed; empty before it was made.

        What diverged is infinite on the side that is worse; what does not exist, like the round of an event
        that never came, is left out.
        """
        ...
