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

    def of(self, evidence: Evidence) -> MovedEvidence:
        """Returns evidence in which runs stand for their counterparts there."""
        return MovedEvidence(evidence, self.move)

    def name(self, effects: Sequence[Effect]) -> list[Effect]:
        """Returns effects of moved runs under names that say where."""
        named = (replace(e, name=f"{e.name}, on {self.dataset}") for e in effects)
        return mark(list(named), self.dataset)


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


def mark(effects: Sequence[Effect], dataset: str) -> list[Effect]:
    """Returns effects that say on which data set they were measured."""
    return [replace(effect, data=dataset) for effect in effects]
