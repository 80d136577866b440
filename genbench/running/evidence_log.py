"""Evidence of claims that notes what was asked of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genbench.core.claim import Run
from genbench.core.effect import Values
from genbench.core.evidence import Evidence
from genbench.running.evidence import ClaimEvidence
from genbench.statistics.subsets import keep_values


@dataclass
class EvidenceLog:
    """Evidence that notes what is asked of it."""

    evidence: ClaimEvidence
    scored: list[tuple[Run, str]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)

    def scores(self, run: Run, column: str) -> Mapping[int, float]:
        """Returns a column of a run's cells."""
        if (run, column) not in self.scored:
            self.scored.append((run, column))
        return self.evidence.scores(run, column)

    def finished(self, run: Run) -> Sequence[int]:
        """Returns the seeds of a run that were trained to the end."""
        return self.evidence.finished(run)

    def measured(self, column: str) -> Mapping[int, float]:
        """Returns a column of the experiment."""
        if column not in self.columns:
            self.columns.append(column)
        return self.evidence.measured(column)


@dataclass(frozen=True)
class FirstSeeds:
    """Evidence as it was when only so many first seeds were there.

    Arguments:
        evidence: All of it.
        count: The seeds.
    """

    evidence: Evidence
    count: int

    def scores(self, run: Run, column: str) -> Values:
        """Returns a column of a run's cells."""
        return keep_values(self.evidence.scores(run, column), range(self.count))

    def finished(self, run: Run) -> Sequence[int]:
        """Returns the seeds of a run that were trained to the end."""
        return [seed for seed in self.evidence.finished(run) if seed < self.count]

    def measured(self, column: str) -> Values:
        """Returns a column of the experiment."""
        return keep_values(self.evidence.measured(column), range(self.count))


@dataclass
class CompletedSeeds:
    """Evidence without the seeds that failed, for figures, where they have no place."""

    evidence: EvidenceLog

    def scores(self, run: Run, column: str) -> Mapping[int, float]:
        """Returns a column of a run's completed cells."""
        return _complete(self.evidence.scores(run, column))

    def finished(self, run: Run) -> Sequence[int]:
        """Returns the seeds of a run that were trained to the end."""
        return self.evidence.finished(run)

    def measured(self, column: str) -> Mapping[int, float]:
        """Returns a column of the experiment, of seeds that did not diverge."""
        return _complete(self.evidence.measured(column))


def _complete(values: Mapping[int, float]) -> dict[int, float]:
    return {seed: value for seed, value in values.items() if math.isfinite(value)}
