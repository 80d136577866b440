"""Claims: sentences from the literature, the runs or the experiment they need, and their effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from genbench.core import options
from genbench.core.effect import Effect, Values
from genbench.core.errors import ContractError
from genbench.core.registry import Registry

if TYPE_CHECKING:
    from genbench.core.figure import Figure
    from genbench.core.rng import Rng

Outcome = Literal["supported", "refuted", "mixed", "inconclusive"]


@dataclass(frozen=True)
class Run:
    """Cells that a claim reads: one model on one data set, seeds 0 to `seeds` - 1.

    They are the cells of any suite with the same settings, and asked with the same number of samples
    the same metrics are the same measurements, so nothing is trained or measured twice.

    Arguments:
        model: A registered model.
        dataset: A registered data set.
        metrics: The metrics, with their default options, that the claim reads.
        options: The model's options, where they are not the defaults.
        seeds: How many seeds.
        steps: Rounds of training.
        batch: Real examples in a minibatch.
        labelled: Training labels that a seed sees; all if None.
        samples: Generated points a seed that metrics compare.
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

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value}" for key, value in sorted(self.options.items()))
        return f"{self.model}({inside}) on {self.dataset}" if inside else self.title

    @property
    def title(self) -> str:
        """The model and the data set."""
        return f"{self.model} on {self.dataset}"


class Evidence(Protocol):
    """What has been measured, as a claim's function sees it."""

    def scores(self, run: Run, column: str) -> Values:
        """Returns a column of a run's finished cells against held-out data, by seed."""
        ...

    def finished(self, run: Run) -> Sequence[int]:
        """Returns the seeds of a run that were trained to the end."""
        ...

    def measured(self, column: str) -> Values:
        """Returns a column of the claim's own experiment, by seed; empty before it was made."""
        ...


#: maps (rng, **options) to columns of one value a seed, in the order of the rng's seeds
Experiment = Callable[..., Mapping[str, Sequence[float]]]


@dataclass(frozen=True)
class Claim:
    """A registered claim.

    Arguments:
        name: The registered name, its file's name.
        function: Maps an Evidence to effects; the engine judges them, and no verdict is typed in.
        statement: The claim as one sentence.
        source: Who says so.
        why: Why it is tested the way it is.
        runs: Cells that it reads.
        experiment: What it measures itself, where cells of models and data sets do not do.
        seeds: How many seeds the experiment takes.
        quick: Options of the experiment for a quick pass.
        scaled: Options of the experiment that half or twice the budget multiplies.
        timed: Whether the experiment measures times, so that nothing may run beside it.
        literature: What others found, each with its source.
        threats: What may make the verdict wrong.
        figure: The plot that shows it, of the same evidence; without it the effects alone are drawn.
        by_metric: The effects with another metric in place of the claim's own, by its name; the
            verdict that each would give stands beside.
        notes: By verdict, what a second look found where that verdict goes against the claim or
            against what others found.
        version: Raised whenever a change may move what the experiment gives.
    """

    name: str
    function: Callable[[Evidence], Sequence[Effect]]
    statement: str
    source: str
    why: str
    runs: tuple[Run, ...] = ()
    experiment: Experiment | None = None
    seeds: int = 8
    quick: Mapping[str, Any] = field(default_factory=dict)
    scaled: tuple[str, ...] = ()
    timed: bool = False
    literature: tuple[str, ...] = ()
    threats: tuple[str, ...] = ()
    figure: Callable[[Evidence], Figure] | None = None
    by_metric: Callable[[Evidence], Mapping[str, Sequence[Effect]]] | None = None
    notes: Mapping[Outcome, str] = field(default_factory=dict)
    version: int = 1

    @property
    def id(self) -> str:
        """The name as people read it, with hyphens."""
        return self.name.replace("_", "-")

    def measure(self, rng: Rng, **given: Any) -> dict[str, dict[int, float]]:
        """Makes the experiment; returns its columns, one value a seed.

        Raises:
            ContractError: If a column has not one value a seed.
        """
        if self.experiment is None:
            raise ContractError(
                f"claim {self.id} needs an experiment to be measured, has runs alone"
            )
        chosen = options.resolve(self.experiment, given, who=f"claim {self.id}")
        columns = self.experiment(rng, **chosen)
        for column, values in columns.items():
            if len(values) != len(rng):
                raise ContractError(
                    f"claim {self.id} needs one value a seed in {column!r}, "
                    f"got {len(values)} for {len(rng)} seeds"
                )
        return {
            column: dict(zip(rng.seeds, map(float, values), strict=True))
            for column, values in columns.items()
        }


CLAIMS: Registry[Claim] = Registry("claim", "genbench.claims")


def claim(
    name: str, **about: Any
) -> Callable[[Callable[[Evidence], Sequence[Effect]]], Callable[[Evidence], Sequence[Effect]]]:
    """Returns a decorator that registers what yields a claim's effects.

    Arguments:
        name: The file's name; hyphens take the underscores' place in `genbench claims`.
        about: The fields of `Claim`.
    """

    def register(
        function: Callable[[Evidence], Sequence[Effect]],
    ) -> Callable[[Evidence], Sequence[Effect]]:
        CLAIMS.add(name, Claim(name, function, **about))
        return function

    return register


def find(names: Sequence[str] = ()) -> dict[str, Claim]:
    """Returns claims by id (hyphens or underscores), all of them if none is named.

    Raises:
        UnknownName: With the nearest match.
    """
    chosen = [name.replace("-", "_") for name in names] or CLAIMS.names()
    return {made.id: made for made in map(CLAIMS.get, chosen)}
