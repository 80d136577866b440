"""Made-up evidence, which tells what a claim makes of what it reads, whatever it calls that."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from genbench.core.claim import Claim, Run
from genbench.core.effect import Effect, Noise, Scores, Values
from genbench.core.rare import RareEvent
from genbench.core.spec import canonical
from genbench.running.claim_cells import run_key

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
        noise = self._make_noise(str(self.span), self._name(run), column)
        rare = make_rare(str(self.span), self._name(run), column)
        return Scores(own, noise, independent=run.labelled is None, origin=run, rare=rare)

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

    def _make_noise(self, *about: str) -> Noise:
        """Noise of test sets: of two rows the larger counts, so that its size says whose it is."""
        plain, log, *_ = list_shares("noise", *about)
        return Noise(plain, log)

    def _number(self, *about: str) -> dict[int, float]:
        low, high = reversed(self.span) if self.falling else self.span
        return {seed: low + (high - low) * list_shares(*about, seed)[0] for seed in range(SEEDS)}


def make_rare(*about: str) -> list[RareEvent]:
    """Made-up rare events to both sides, whose sizes say whose they are."""
    shares = [list_shares("rare", side, *about) for side in (-1, 1)]
    return [RareEvent(0.01, s[0], s[1], side) for side, s in zip((-1, 1), shares, strict=True)]


@lru_cache(maxsize=100_000)
def list_shares(*about: str | int) -> tuple[float, ...]:
    """Returns four numbers from 0 to 1 that stand for something."""
    digest = hashlib.sha256(canonical(about).encode()).digest()
    return tuple(int.from_bytes(digest[k : k + 6], "big") / 2**48 for k in (0, 6, 12, 18))


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
    parts = zip(*read, strict=True)
    return [
        hash_text([row for effect in part for row in list_rows(effect, _write_certain)])
        for part in parts
    ]


def list_rows(effect: Effect, write: Callable[[Values], list[str]]) -> list[list[list[str]]]:
    """Returns an effect's values, and the rows of both sides of its contest, as text."""
    sides = effect.contest.sides if effect.contest is not None else ()
    return [[write(effect.values)], *(sorted(map(write, side.values())) for side in sides)]


def write_values(values: Values) -> list[str]:
    """Returns values as text, by seed."""
    return [f"{seed} {value:.{DIGITS}g}" for seed, value in sorted(values.items())]


def hash_text(content: Any) -> str:
    """Returns 12 digits of the sha256 of something that JSON can write."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:12]


def _write_certain(values: Values) -> list[str]:
    """Values as text, without those that have no logarithm, which rules may count as they please."""
    lost = {seed for seed, _ in getattr(values, "beyond", ())}
    return write_values({s: v for s, v in values.items() if s not in lost and math.isfinite(v)})
