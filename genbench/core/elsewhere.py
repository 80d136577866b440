"""Claims that are read on a second data set: the same effects of the same runs there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from genbench.core.effect import Effect, Values
from genbench.core.evidence import Evidence, Run


@dataclass(frozen=True)
class Elsewhere:
    """A second data set on which a claim is read.

    Arguments:
        dataset: Its registered name.
        move: Maps a run of the claim to the run in its place there.
        effects: What is read there, where that is not all of the claim: parts of an experiment say nothing
            of another data set.
    """

    dataset: str
    move: Callable[[Run], Run]
    effects: Callable[[Evidence], Sequence[Effect]] | None = None

    def read(
        self, function: Callable[[Evidence], Sequence[Effect]], evidence: Evidence
    ) -> list[Effect]:
        """Returns the effects of moved runs, under names that say where."""
        return [
            replace(effect, name=f"{effect.name}, on {self.dataset}", data=self.dataset)
            for effect in function(MovedEvidence(evidence, self.move))
        ]


@dataclass(frozen=True)
class MovedEvidence:
    """Evidence in which every run stands for its counterpart on another data set."""

    evidence: Evidence
    move: Callable[[Run], Run]

    def scores(self, run: Run, column: str) -> Values:
        """Returns a column of the counterpart's finished cells."""
        return self.evidence.scores(self.move(run), column)

    def finished(self, run: Run) -> Sequence[int]:
        """Returns the seeds of the counterpart that were trained to the end."""
        return self.evidence.finished(self.move(run))

    def measured(self, column: str) -> Mapping[int, float]:
        """Returns nothing: an experiment has its own data."""
        return {}


def read_at_home(
    function: Callable[[Evidence], Sequence[Effect]], home: str, evidence: Evidence
) -> list[Effect]:
    """Returns a claim's effects, marked as measured on its own data set."""
    return [replace(effect, data=home) for effect in function(evidence)]
