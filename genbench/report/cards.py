"""Claims as cards: a verdict, all that it rests on, and what it hangs on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from genbench.core.claim import Claim, Outcome, Run, find
from genbench.core.effect import Effect
from genbench.core.figure import Figure
from genbench.running.evidence import SCALES, ClaimEvidence, Scale
from genbench.statistics.intervals import Estimate, mean_interval
from genbench.statistics.verdicts import Part, Verdict, judge, left_out, matched
from genbench.store import Record, Store

#: which scale a card is of, where it was not asked for: the first that has measurements
ORDER = ("default", "double", "half", "quick")


@dataclass
class Noted:
    """Evidence that notes what is asked of it."""

    held: ClaimEvidence
    scored: list[tuple[Run, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def scores(self, run: Run, column: str) -> Mapping[int, float]:
        """Returns a column of a run's cells."""
        if (run, column) not in self.scored:
            self.scored.append((run, column))
        return self.held.scores(run, column)

    def finished(self, run: Run) -> Sequence[int]:
        """Returns the seeds of a run that were trained to the end."""
        return self.held.finished(run)

    def measured(self, column: str) -> Mapping[int, float]:
        """Returns a column of the experiment."""
        if column not in self.asked:
            self.asked.append(column)
        return self.held.measured(column)


@dataclass(frozen=True)
class Setting:
    """The verdict with one thing changed.

    Arguments:
        kind: What is changed: "budget" or "metric".
        name: To what.
        verdict: The verdict then, or None where nothing has been measured so.
        missing: Whether seeds are still missing.
        command: What runs it.
        own: The verdict of the card.
    """

    kind: str
    name: str
    verdict: Verdict | None
    missing: bool
    command: str
    own: Verdict

    @property
    def turned(self) -> list[tuple[Part, Outcome]]:
        """The measured parts that say something else than on the card, with what they say there."""
        pairs = matched(self.verdict.judged, self.own.judged) if self.verdict is not None else []
        return [
            (now, own.outcome)
            for now, own in pairs
            if now.effect.values and now.outcome != own.outcome
        ]

    @property
    def shown(self) -> Part | None:
        """The first part that turned; where none did, the first judged effect."""
        if self.turned:
            return self.turned[0][0]
        return _lead(self.verdict) if self.verdict is not None else None

    @property
    def said(self) -> str:
        """The verdict as people read it."""
        return said_of(self.verdict, self.missing) if self.verdict is not None else "not run"


@dataclass(frozen=True)
class Read:
    """Cells that a claim reads: a run with its records and the columns asked of it."""

    run: Run
    seeds: int
    records: tuple[Record, ...]
    columns: Mapping[str, Estimate]

    @property
    def status(self) -> str:
        """How the cells ended, e.g. "7 ok, 1 diverged"."""
        counts = Counter(record.status for record in self.records)
        counts["not run"] += self.seeds - len(self.records)
        return ", ".join(f"{n} {status}" for status, n in counts.items() if n > 0)


@dataclass
class Card:
    """A claim beside what a results folder holds of it; all is worked out when asked for.

    Arguments:
        claim: The claim.
        store: The folder.
        scale: How thorough the pass was.
        named: The folder as commands name it.
    """

    claim: Claim
    store: Store
    scale: Scale = field(default_factory=Scale)
    named: Path = Path("results")

    @cached_property
    def held(self) -> ClaimEvidence:
        """The evidence."""
        return ClaimEvidence(self.claim, self.store, self.scale)

    @cached_property
    def noted(self) -> tuple[Noted, list[Effect]]:
        """The effects, and the evidence with what they asked for."""
        noted = Noted(self.held)
        return noted, list(self.claim.function(noted))

    @property
    def effects(self) -> list[Effect]:
        """The claim's effects."""
        return self.noted[1]

    @property
    def refutes(self) -> bool:
        """Whether the pass trains long enough to refute anything."""
        return self.scale.budget != "quick"

    @cached_property
    def verdict(self) -> Verdict:
        """What the measurements say."""
        return judge(self.effects, refutes=self.refutes)

    @property
    def lead(self) -> Part | None:
        """The first judged effect."""
        return _lead(self.verdict)

    @property
    def known(self) -> bool:
        """Whether anything has been measured."""
        return any(effect.values for effect in self.effects)

    @property
    def kind(self) -> str:
        """The verdict, or that there is nothing to make one of."""
        return said_of(self.verdict, missing=False)

    @property
    def said(self) -> str:
        """The verdict as people read it."""
        return said_of(self.verdict, bool(self.missing))

    @cached_property
    def missing(self) -> dict[str, list[int]]:
        """By run, the seeds that are still to be trained or measured."""
        return self.held.missing()

    @cached_property
    def without_seed(self) -> dict[int, Outcome]:
        """By seed, the verdict without it."""
        return left_out(self.effects, refutes=self.refutes)

    @cached_property
    def budgets(self) -> list[Setting]:
        """The verdict at every scale that makes a difference to what is run."""
        return [self._at(name) for name in SCALES if self._differs(name)]

    @cached_property
    def metrics(self) -> list[Setting]:
        """The verdict with every other metric that the claim names."""
        rows = self.claim.by_metric(self.held) if self.claim.by_metric is not None else {}
        verdicts = {name: _judged(effects, self.refutes) for name, effects in rows.items()}
        about = (bool(self.missing), self.command, self.verdict)
        return [Setting("metric", name, verdict, *about) for name, verdict in verdicts.items()]

    @property
    def turns(self) -> list[str]:
        """What turns the verdict, e.g. "mixed by kid"; nothing where it stands all changes."""
        said = self.verdict.outcome
        found = [
            f"{row.verdict.outcome} {'by' if row.kind == 'metric' else 'at budget'} {row.name}"
            for row in (*self.metrics, *self.budgets)
            if row.verdict is not None and row.verdict.outcome != said
        ]
        seeds: dict[str, list[int]] = defaultdict(list)
        for seed, other in self.without_seed.items():
            if other != said:
                seeds[other].append(seed)
        for other, which in seeds.items():
            one = f"seed {which[0]}" if len(which) == 1 else f"any one of {len(which)} seeds"
            found.append(f"{other} without {one}")
        return found

    @cached_property
    def figure(self) -> Figure | None:
        """The claim's own figure, or None where it declares none."""
        return self.claim.figure(self.noted[0]) if self.claim.figure is not None else None

    @cached_property
    def cells(self) -> list[Read]:
        """What was read of cells, by run."""
        _ = self.figure
        scored = self.noted[0].scored
        found = []
        for run in self.claim.runs:
            columns = {c: self.held.scores(run, c) for r, c in scored if r == run}
            rows = {c: mean_interval(list(values.values())) for c, values in columns.items()}
            seeds = self.scale.run(run).seeds
            found.append(Read(run, seeds, tuple(self.held.records(run)), rows))
        return found

    @cached_property
    def columns(self) -> dict[str, Estimate]:
        """What was read of the claim's own experiment for its effects, by column."""
        asked = Noted(self.held)
        self.claim.function(asked)
        return {c: mean_interval(list(self.held.measured(c).values())) for c in asked.asked}

    @property
    def command(self) -> str:
        """What runs all that the claim needs."""
        words = ["genbench run claims --claim", self.claim.id, *self.scale.words]
        words += [] if self.named == Path("results") else ["-o", str(self.named)]
        return " ".join(words)

    def _differs(self, name: str) -> bool:
        if self.claim.runs or name in ("default", self.scale.budget):
            return True
        return bool(self.claim.quick if name == "quick" else self.claim.scaled)

    def _at(self, name: str) -> Setting:
        other = self
        if name != self.scale.budget:
            other = Card(self.claim, self.store, Scale(name, self.scale.seeds), self.named)
        verdict = other.verdict if other.known or other is self else None
        return Setting("budget", name, verdict, bool(other.missing), other.command, self.verdict)


def cards(
    store: Store,
    names: Sequence[str] = (),
    scale: Scale | None = None,
    named: Path = Path("results"),
) -> list[Card]:
    """Returns a card a claim, in the order of ids.

    Arguments:
        store: The results folder.
        names: Claims; all of them without any.
        scale: How thorough a pass is meant; without it, for every claim the first of default, double,
            half and quick that has measurements.
        named: The folder as commands are to name it.
    """
    found = []
    for claim in find(names).values():
        scales = [scale] if scale is not None else [Scale(name) for name in ORDER]
        tried = [Card(claim, store, each, named) for each in scales]
        found.append(next((card for card in tried if card.known), tried[0]))
    return found


def said_of(verdict: Verdict, missing: bool) -> str:
    """Returns a verdict, with "so far" while cells are missing, or that there is none to be had yet."""
    if not any(part.effect.values for part in verdict.parts):
        return "not measured"
    return f"{verdict.outcome} so far" if missing else verdict.outcome


def by_verdict(found: Sequence[Card]) -> list[tuple[str, list[Card]]]:
    """Returns claims by verdict, those without measurements last."""
    kinds = ("supported", "refuted", "mixed", "inconclusive", "not measured")
    return [(kind, held) for kind in kinds if (held := [c for c in found if c.kind == kind])]


def _judged(effects: Sequence[Effect], refutes: bool) -> Verdict | None:
    known = any(effect.values for effect in effects)
    return judge(effects, refutes=refutes) if known else None


def _lead(verdict: Verdict) -> Part | None:
    return next(iter(verdict.judged), None)
