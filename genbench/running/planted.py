"""Made-up evidence, which tells what a claim makes of what it reads, whatever it calls that."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genbench.core.claim import Claim, Run
from genbench.core.effect import Effect, Scores
from genbench.core.spec import canonical
from genbench.running.evidence import run_key

#: made-up numbers lie between these; the second where shares, which the first might be, make no sense
RANGES = ((0.05, 0.95), (1.5, 9.5))
SEEDS = 8
#: digits of a result that count, so that another machine's rounding does not
DIGITS = 6
#: what a part is made of where no made-up numbers can be read
UNREADABLE = "cannot be read with made-up numbers"


#: a column of a run
Read = tuple[Run, str]


@dataclass
class PlantedEvidence:
    """Evidence whose numbers are hashes of what they stand for: run, column and seed.

    Runs are told apart by model, data set and their place among those of the same two, so that other
    steps or options of a run, of which a registration says more itself, leave its numbers as they are.

    Arguments:
        runs: All of a claim's; others are told apart by all that they are.
        span: Between which the numbers lie.
        having: Which of the runs have numbers; all if None.
        experiment: Whether the experiment has.
        hidden: Columns of runs that have none.
        falling: Whether numbers lie as far from the span's upper end as they would from its lower one.
        scored: Columns of runs in the order in which they were asked for.
        columns: The experiment's columns that were asked for.
    """

    runs: Sequence[Run] = ()
    span: tuple[float, float] = RANGES[0]
    having: Sequence[Run] | None = None
    experiment: bool = True
    hidden: Sequence[Read] = ()
    falling: bool = False
    scored: list[Read] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)

    def scores(self, run: Run, column: str) -> Scores:
        """Returns numbers of a run's column."""
        if (run, column) not in self.scored:
            self.scored.append((run, column))
        shown = self._has(run) and (run, column) not in self.hidden
        own = self._number(self._name(run), column) if shown else {}
        return Scores(own, independent=run.labelled is None)

    def finished(self, run: Run) -> list[int]:
        """Returns all seeds."""
        return list(range(SEEDS)) if self._has(run) else []

    def measured(self, column: str) -> dict[int, float]:
        """Returns numbers of the experiment's column."""
        self.columns.append(column)
        return self._number("its experiment", column) if self.experiment else {}

    def _has(self, run: Run) -> bool:
        return self.having is None or run in self.having

    def _name(self, run: Run) -> str:
        alike = [one for one in self.runs if one.title == run.title]
        return f"{run.title} {alike.index(run)}" if run in alike else run_key(run)

    def _number(self, *about: str) -> dict[int, float]:
        low, high = reversed(self.span) if self.falling else self.span
        values = {}
        for seed in range(SEEDS):
            digest = hashlib.sha256(canonical([*about, seed]).encode()).digest()
            values[seed] = low + (high - low) * int.from_bytes(digest[:6], "big") / 2**48
        return values


def read_planted(claim: Claim, evidence: PlantedEvidence) -> list[Effect] | None:
    """Returns a claim's judged effects of made-up numbers, None where it makes nothing of such numbers."""
    try:
        return [effect for effect in claim.function(evidence) if effect.judged]
    except (ArithmeticError, LookupError, ValueError):
        return None


def hash_parts(claim: Claim) -> list[str]:
    """Returns, for each judged part, 12 digits of a hash of what it makes of made-up numbers.

    They are the same where a part reads the same columns, sides, direction and scale; with another metric,
    without a rival or with a ratio in place of a difference they are not. Wording is of no account.
    """
    some = [read_planted(claim, PlantedEvidence(claim.runs, span)) for span in RANGES]
    read = [effects for effects in some if effects is not None]
    return [_hash(effects) for effects in zip(*read, strict=True)] if read else []


def _hash(effects: Sequence[Effect]) -> str:
    made = []
    for effect in effects:
        made.append([_round(effect.values)])
        if effect.contest is not None:
            made += [sorted(map(_round, side.values())) for side in effect.contest.sides]
    return hashlib.sha256(canonical(made).encode()).hexdigest()[:12]


def _round(values: Mapping[int, float]) -> list[str]:
    """Values as text, without those that have no logarithm, which rules may count as they please."""
    lost = {seed for seed, _ in getattr(values, "beyond", ())}
    some = [(s, v) for s, v in sorted(values.items()) if s not in lost and math.isfinite(v)]
    return [f"{seed} {value:.{DIGITS}g}" for seed, value in some]
