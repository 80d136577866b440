"""Judges effects: supported, refuted, mixed or inconclusive, from intervals over seeds alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from genbench.core.claim import Outcome
from genbench.core.effect import Effect, match_effects
from genbench.statistics.contests import LEAST, all_failed, estimate
from genbench.statistics.intervals import LEVEL, Estimate
from genbench.statistics.looks import ALPHA, Looks
from genbench.statistics.power import count_needed_seeds
from genbench.statistics.subsets import keep_seeds

#: the version of the rule by which verdicts are made, which registrations name
RULE = "judge/2"

ALL_FAILED = (
    "all seeds failed, on both sides where two are compared, so that nothing says how bad that is"
)
ALIKE = "seeds are all alike, and the measure's resolution is not declared"


@dataclass(frozen=True)
class VerdictPart:
    """One effect, its estimate at 95 %, and what it says at the level that Holm and the looks leave it.

    Arguments:
        effect: The effect.
        estimate: Over all seeds.
        outcome: What it says.
        decided_at: The number of seeds at which it was decided, or None.
        needed: How many seeds decide it four times in five, or None where no number would.
    """

    effect: Effect
    estimate: Estimate
    outcome: Outcome
    decided_at: int | None = None
    needed: int | None = None

    @property
    def alike(self) -> bool:
        """Whether its seeds are all alike and it is not known how fine the measure is: no interval."""
        return _are_alike(self.effect, self.estimate)


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


def _are_alike(effect: Effect, interval: Estimate) -> bool:
    """Whether its interval has no width, which says nothing of a value that is random."""
    return interval.low is not None and interval.low == interval.high and not effect.exact


def _constructed(part: VerdictPart) -> bool:
    return part.outcome == "by definition"


def judge(
    effects: Sequence[Effect], *, refutes: bool = True, looks: Looks | None = None
) -> Verdict:
    """Returns the verdict of several effects, the claim being that all of them hold.

    An effect is supported where its interval (`contests.estimate`) lies beyond the bar on the side that the
    claim asks for, refuted where it lies on the other side, else inconclusive, as it is while an entrant of
    a contest has not been measured. Intervals are wide enough for
    all judged effects together: Holm's steps, so that the chance of any wrong part is 5 % at most. All parts
    supported make a supported claim, all refuted a refuted one; both kinds a mixed one; whatever else is
    inconclusive. Where seeds may be added, the parts are judged at every look of the declared sequence
    with its first seeds, at the level that the look leaves, and what is decided stays.

    Arguments:
        effects: Those that are judged, and those shown beside them.
        refutes: Whether a part may be refuted; else it is left open, as after a quick pass, whose models
            have hardly been trained.
        looks: When it is judged; None for once, with all seeds.

    References:
        | A Simple Sequentially Rejective Multiple Test Procedure (Holm, 1979)
        | Multiple Testing in Group Sequential Trials Using Graphical Approaches (Maurer and Bretz, 2013)
    """
    judged = [effect for effect in effects if effect.judged and not _holds_by_definition(effect)]
    decided = decide(judged, looks)
    outcomes: list[Outcome] = [outcome for outcome, _ in decided]
    spared = 0 if refutes else outcomes.count("refuted")
    if spared:
        outcomes = ["inconclusive" if one == "refuted" else one for one in outcomes]
    by_id: dict[int, tuple[Outcome, int | None]] = {
        id(e): (o, at) for e, o, (_, at) in zip(judged, outcomes, decided, strict=True)
    }
    errors: dict[Outcome, float] = {
        outcome: _share_error(outcomes, outcome, looks) for outcome in set(outcomes)
    }
    parts = tuple(_make_part(e, by_id, errors) for e in effects)
    outcome, because = _whole(outcomes, judged)
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


def _share_error(outcomes: Sequence[Outcome], outcome: Outcome, looks: Looks | None) -> float:
    """The two-sided error that Holm's steps and the strictest look leave a part that says this."""
    parts = outcomes.count(outcome) if outcome == "inconclusive" else len(outcomes)
    alpha = ALPHA / parts
    if looks is None:
        return alpha
    return 1 - max(looks.level(look, alpha) for look in range(len(looks.counts)))


def _make_part(
    effect: Effect,
    decided: Mapping[int, tuple[Outcome, int | None]],
    errors: Mapping[Outcome, float],
) -> VerdictPart:
    if not effect.judged:
        return VerdictPart(effect, estimate(effect), "inconclusive")
    if id(effect) not in decided:
        return VerdictPart(effect, estimate(effect), "by definition")
    outcome, at = decided[id(effect)]
    needed = count_needed_seeds(effect, errors[outcome])
    return VerdictPart(effect, estimate(effect), outcome, at, needed)


def _holds_by_definition(effect: Effect) -> bool:
    """Whether it is true by construction, and no measurement says that the construction is broken."""
    if not effect.by_definition or not effect.values:
        return False
    sign = 1 if effect.wanted == "above" else -1
    return all(sign * (value - effect.bar) > 0 for value in effect.values.values())


def decide(
    effects: Sequence[Effect], looks: Looks | None = None
) -> list[tuple[Outcome, int | None]]:
    """Returns what every effect says after all looks, and at how many seeds that was decided."""
    outcomes: list[Outcome] = ["inconclusive"] * len(effects)
    at: list[int | None] = [None] * len(effects)
    for look, count in enumerate(looks.counts if looks is not None else (None,)):
        missing = [
            e
            for e, o in zip(effects, outcomes, strict=True)
            if o == "inconclusive" and count is not None and _seeds(e) < count
        ]
        if look and missing:
            break
        level_of = (lambda alpha: 1 - alpha) if looks is None else partial(looks.level, look)
        parts = [e if count is None else keep_seeds(e, range(count)) for e in effects]
        now = holm_outcomes(parts, level_of, outcomes)
        for k, (old, new) in enumerate(zip(outcomes, now, strict=True)):
            if new != old:
                at[k] = min(count or _seeds(effects[k]), _seeds(effects[k]))
        outcomes = now
    return list(zip(outcomes, at, strict=True))


def _seeds(effect: Effect) -> int:
    return max(effect.values, default=-1) + 1


def _whole(outcomes: Sequence[Outcome], judged: Sequence[Effect]) -> tuple[Outcome, str]:
    """The verdict of parts, and the rule that gave it."""
    kinds = set(outcomes)
    if not outcomes or kinds == {"inconclusive"}:
        return "inconclusive", _why_open(judged)
    if len(kinds) == 1:
        many = f"all {len(outcomes)} parts are" if len(outcomes) > 1 else "its one part is"
        return outcomes[0], f"{many} {outcomes[0]}"
    counts = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in sorted(kinds))
    both = {"supported", "refuted"} <= kinds
    return "mixed" if both else "inconclusive", f"parts: {counts}"


def match_parts(
    ours: Sequence[VerdictPart], theirs: Sequence[VerdictPart]
) -> list[tuple[VerdictPart, VerdictPart]]:
    """Returns a claim's parts beside those that it has elsewhere."""
    places = match_effects([part.effect for part in ours], [part.effect for part in theirs])
    pairs = zip(ours, places, strict=True)
    return [(part, theirs[place]) for part, place in pairs if place is not None]


def holm_outcomes(
    effects: Sequence[Effect],
    level_of: Callable[[float], float] = lambda alpha: 1 - alpha,
    before: Sequence[Outcome] | None = None,
) -> list[Outcome]:
    """Returns what every effect says: as parts are decided, the others' intervals may be narrower.

    Arguments:
        effects: The parts.
        level_of: Maps the error that a part may make to the coverage of its interval.
        before: What was decided at earlier looks, and stays.
    """
    outcomes: list[Outcome] = ["inconclusive"] * len(effects)
    outcomes = list(before) if before is not None else outcomes
    while open_ := [k for k, outcome in enumerate(outcomes) if outcome == "inconclusive"]:
        level = level_of(ALPHA / len(open_))
        decided: dict[int, Outcome] = {k: outcome_of(effects[k], level) for k in open_}
        if set(decided.values()) == {"inconclusive"}:
            break
        for k, outcome in decided.items():
            outcomes[k] = outcome
    return outcomes


def outcome_of(effect: Effect, level: float = LEVEL) -> Outcome:
    """Returns what one effect says by itself at a level."""
    few = len(effect.values) < LEAST and not (effect.exact and effect.values)
    if few or effect.waits_for:
        return "inconclusive"
    interval = estimate(effect, level)
    if interval.low is None or interval.high is None or _are_alike(effect, interval):
        return "inconclusive"
    if interval.low > effect.bar:
        return "supported" if effect.wanted == "above" else "refuted"
    if interval.high < effect.bar:
        return "refuted" if effect.wanted == "above" else "supported"
    return "inconclusive"


def _why_open(judged: Sequence[Effect]) -> str:
    if not judged:
        return "no part is judged"
    few = [effect for effect in judged if len(effect.values) < LEAST and not effect.exact]
    if all(not effect.values for effect in judged):
        return "nothing has been measured yet"
    if any(map(all_failed, judged)):
        return ALL_FAILED
    if absent := [name for effect in judged for name in effect.waits_for]:
        return f"not measured yet: {', '.join(dict.fromkeys(absent))}"
    if few:
        return f"fewer than {LEAST} seeds have been measured"
    if any(_are_alike(effect, estimate(effect)) for effect in judged):
        return ALIKE
    return "every interval holds its bar"
