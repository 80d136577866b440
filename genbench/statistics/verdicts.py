"""Judges effects: supported, refuted, mixed or inconclusive, from intervals over seeds alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite

from genbench.core.claim import Outcome
from genbench.core.effect import Effect, match_effects
from genbench.statistics.contests import estimate
from genbench.statistics.decisions import (
    Read,
    decide,
    find_deciding_intervals,
    has_tried,
    say_tried,
    seeds_are_alike,
)
from genbench.statistics.intervals import Estimate
from genbench.statistics.looks import ALPHA, Looks
from genbench.statistics.open_parts import explain_open
from genbench.statistics.power import count_needed_seeds
from genbench.statistics.subsets import look_back

#: the version of the rule by which verdicts are made, which registrations name
RULE = "judge/7"

#: outcomes that contradict each other
OPPOSITES = {"supported", "refuted"}


@dataclass(frozen=True)
class VerdictPart:
    """One effect, its estimate at 95 %, and what it says at the level that Holm and the looks leave it.

    Arguments:
        effect: The effect.
        estimate: Over all seeds.
        outcome: What it says.
        decided_at: The number of seeds at which it was decided, or None.
        needed: How many seeds decide it four times in five, or None where no number would.
        planned: How many seeds were to be tried before anything is decided, where that is known.
        deciding: Of a part that is left open: the coverage of the interval by which it was judged last, and
            that interval.
    """

    effect: Effect
    estimate: Estimate
    outcome: Outcome
    decided_at: int | None = None
    needed: int | None = None
    planned: int | None = None
    deciding: tuple[float, Estimate] | None = None

    @property
    def seeds_so_far(self) -> str:
        """How many of the planned seeds were tried, e.g. "7 of 8 seeds so far", or "" where all were."""
        if self.planned is None or has_tried(self.effect, self.planned):
            return ""
        return say_tried([self.effect], self.planned)

    @property
    def seems_decided(self) -> bool:
        """Whether it is open, though its interval at 95 % lies beyond the bar."""
        low, high = self.estimate.low, self.estimate.high
        if self.deciding is None or low is None or high is None:
            return False
        return low > self.effect.bar or high < self.effect.bar

    @property
    def alike(self) -> bool:
        """Whether its seeds are all alike and it is not known how fine the measure is: no interval."""
        return seeds_are_alike(self.effect, self.estimate)


@dataclass(frozen=True)
class Verdict:
    """What the measurements say of a claim.

    Arguments:
        outcome: The verdict.
        parts: Every effect, those that are not judged too.
        because: The rule that gave it, as a sentence, with what each data set says where there are several.
    """

    outcome: Outcome
    parts: tuple[VerdictPart, ...]
    because: str

    @property
    def by_data(self) -> dict[str, Outcome]:
        """What the parts on each data set say together; empty where a claim is read on one alone.

        A data set none of whose parts can be judged is inconclusive.
        """
        rows: dict[str, list[VerdictPart]] = {part.effect.data: [] for part in self.parts}
        for part in self.judged:
            rows[part.effect.data].append(part)
        if len(rows) < 2 or not self.judged:
            return {}
        return {
            data: _whole([part.outcome for part in parts], [part.effect for part in parts])[0]
            for data, parts in rows.items()
        }

    @property
    def judged(self) -> list[VerdictPart]:
        """The parts that it rests on: those true by construction are no evidence."""
        return [part for part in self.parts if part.effect.judged and not _constructed(part)]

    @property
    def by_definition(self) -> list[VerdictPart]:
        """The parts that are true by construction."""
        return [part for part in self.parts if _constructed(part)]


def _constructed(part: VerdictPart) -> bool:
    return part.outcome == "by definition"


def judge(
    effects: Sequence[Effect],
    *,
    refutes: bool = True,
    looks: Looks | None = None,
    read: Read | None = None,
) -> Verdict:
    """Returns the verdict of several effects, the claim being that all of them hold.

    An effect is supported where its interval (`contests.estimate`) lies beyond the bar on the side that the
    claim asks for, refuted where it lies on the other side, else inconclusive, as it is while an entrant of
    a contest has not been measured. Intervals are wide enough for
    all judged effects together: Holm's steps, so that the chance of any wrong part is 5 % at most. All parts
    supported make a supported claim, all refuted a refuted one; both kinds a mixed one; whatever else is
    inconclusive. Where seeds may be added, the parts are judged at every look of the declared sequence
    with its first seeds, at the level that the look leaves, and what is decided stays. No part is judged at
    a look before all seeds of that look were tried, completed or failed: with fewer it would be another look.

    Arguments:
        effects: Those that are judged, and those shown beside them.
        refutes: Whether a part may be refuted; else it is left open, as after a quick pass, whose models
            have hardly been trained.
        looks: When it is judged; None for once, with all seeds.
        read: Reads the effects anew of the first seeds of a look, in the order of these.

    References:
        | A Simple Sequentially Rejective Multiple Test Procedure (Holm, 1979)
        | Multiple Testing in Group Sequential Trials Using Graphical Approaches (Maurer and Bretz, 2013)
    """
    judged = [effect for effect in effects if effect.judged and not _holds_by_definition(effect)]
    anew = read and partial(_read_some, read, effects, judged)
    decided = decide(judged, looks, anew)
    outcomes: list[Outcome] = [outcome for outcome, _ in decided]
    intervals = find_deciding_intervals(judged, outcomes, looks, anew)
    deciding = {id(e): interval for e, interval in zip(judged, intervals, strict=True)}
    spared = 0 if refutes else outcomes.count("refuted")
    if spared:
        outcomes = ["inconclusive" if one == "refuted" else one for one in outcomes]
    by_id: dict[int, tuple[Outcome, int | None]] = {
        id(e): (o, at) for e, o, (_, at) in zip(judged, outcomes, decided, strict=True)
    }
    planned = looks.first if looks is not None else None
    parts = tuple(
        replace(
            _make_part(e, by_id, partial(_share_error, outcomes, looks and looks.of(e.planned))),
            planned=e.planned or planned,
            deciding=deciding.get(id(e)),
        )
        for e in effects
    )
    outcome, because = _whole(outcomes, judged, planned)
    if not judged and any(part.outcome == "by definition" for part in parts):
        outcome, because = (
            "by definition",
            "all parts are true by construction, which is no evidence",
        )
    if spared:
        head = because if "supported" in outcomes else "nothing is supported"
        because = f"{head}; {spared} on the wrong side of the bar, which a quick pass leaves open"
    verdict = Verdict(outcome, parts, because)
    if not any(effect.values for effect in effects):
        return verdict
    places = ", ".join(f"{what} on {data}" for data, what in verdict.by_data.items())
    return replace(verdict, because=f"{because} ({places})") if places else verdict


def _read_some(
    read: Read, effects: Sequence[Effect], some: Sequence[Effect], count: int
) -> list[Effect]:
    """Those of the effects that are among some, as they were read of so many first seeds."""
    whole, chosen = look_back(effects, read, count), {id(effect) for effect in some}
    return [new for old, new in zip(effects, whole, strict=True) if id(old) in chosen]


def _share_error(outcomes: Sequence[Outcome], looks: Looks | None, outcome: Outcome) -> float:
    """The two-sided error that Holm's steps and the strictest look leave a part that says this."""
    parts = outcomes.count(outcome) if outcome == "inconclusive" else len(outcomes)
    alpha = ALPHA / parts
    if looks is None:
        return alpha
    return 1 - max(looks.level(look, alpha) for look in range(len(looks.counts)))


def _make_part(
    effect: Effect,
    decided: Mapping[int, tuple[Outcome, int | None]],
    error_of: Callable[[Outcome], float],
) -> VerdictPart:
    if not effect.judged:
        return VerdictPart(effect, estimate(effect), "inconclusive")
    if id(effect) not in decided:
        return VerdictPart(effect, estimate(effect), "by definition")
    outcome, at = decided[id(effect)]
    interval = estimate(effect)
    alike = outcome == "inconclusive" and seeds_are_alike(effect, interval)
    needed = None if alike else count_needed_seeds(effect, error_of(outcome))
    return VerdictPart(effect, interval, outcome, at, needed)


def _holds_by_definition(effect: Effect) -> bool:
    """Whether it is true by construction, and no measurement says that the construction is broken."""
    if not effect.by_definition or not effect.values:
        return False
    sign = 1 if effect.wanted == "above" else -1
    values = effect.values.values()
    return all(isfinite(value) and sign * (value - effect.bar) > 0 for value in values)


def _whole(
    outcomes: Sequence[Outcome], judged: Sequence[Effect], planned: int | None = None
) -> tuple[Outcome, str]:
    """The verdict of parts, and the rule that gave it."""
    kinds = set(outcomes)
    early = [e for e in judged if planned and not has_tried(e, e.planned or planned)]
    early = [effect for effect in early if effect.values and not effect.waits_for]
    asked = max((e.planned or planned or 0 for e in early), default=0)
    short = say_tried(early, asked) if early else ""
    if not outcomes or kinds == {"inconclusive"}:
        why = explain_open(judged)
        return "inconclusive", f"{short}, and nothing is decided before" if short else why
    if len(kinds) == 1:
        many = f"all {len(outcomes)} parts are" if len(outcomes) > 1 else "its one part is"
        return outcomes[0], f"{many} {outcomes[0]}"
    counts = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in sorted(kinds))
    both = {"supported", "refuted"} <= kinds
    because = f"parts: {counts}" + (f"; {short}" if short else "")
    return "mixed" if both else "inconclusive", because


def match_parts(
    ours: Sequence[VerdictPart], theirs: Sequence[VerdictPart]
) -> list[tuple[VerdictPart, VerdictPart]]:
    """Returns a claim's parts beside those that it has elsewhere."""
    places = match_effects([part.effect for part in ours], [part.effect for part in theirs])
    pairs = zip(ours, places, strict=True)
    return [(part, theirs[place]) for part, place in pairs if place is not None]


def find_turned(ours: Verdict, theirs: Verdict) -> list[tuple[VerdictPart, VerdictPart]]:
    """Returns the parts that one verdict supports, or has by definition, and the other refutes."""
    pairs = match_parts(ours.parts, theirs.parts)
    opposite = (OPPOSITES, {"by definition", "refuted"})
    return [
        pair
        for pair in pairs
        if all(part.effect.judged for part in pair) and {part.outcome for part in pair} in opposite
    ]
