"""Judges effects: supported, refuted, mixed or inconclusive, from intervals over seeds alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from genbench.core.claim import Outcome
from genbench.core.effect import Contest, Effect, Values
from genbench.statistics.intervals import LEVEL, Estimate, mean_interval

#: fewer seeds than this decide nothing: no rank test of five reaches 5 %
LEAST = 6


@dataclass(frozen=True)
class VerdictPart:
    """One effect, its estimate at 95 %, and what it says at the level that Holm leaves it."""

    effect: Effect
    estimate: Estimate
    outcome: Outcome


@dataclass(frozen=True)
class Verdict:
    """What the measurements say of a claim.

    Arguments:
        outcome: The verdict.
        parts: Every effect, those that are not judged too.
        because: The rule that gave it, as a sentence.
    """

    outcome: Outcome
    parts: tuple[VerdictPart, ...]
    because: str

    @property
    def judged(self) -> list[VerdictPart]:
        """The parts that it rests on."""
        return [part for part in self.parts if part.effect.judged]


def judge(effects: Sequence[Effect], *, refutes: bool = True) -> Verdict:
    """Returns the verdict of several effects, the claim being that all of them hold.

    An effect is supported where its interval lies beyond the bar on the side that the claim asks for, refuted
    where it lies on the other side, else inconclusive. Intervals are bootstrap-t intervals of the mean over
    seeds, wide enough for all judged effects together: Holm's steps, so that the chance of any wrong
    part is 5 % at most. All parts supported make a supported claim, all refuted a refuted one; both
    kinds a mixed one; whatever else is inconclusive.

    Arguments:
        effects: Those that are judged, and those shown beside them.
        refutes: Whether a part may be refuted; else it is left open, as after a quick pass, whose models
            have hardly been trained.

    References:
        | A Simple Sequentially Rejective Multiple Test Procedure (Holm, 1979)
    """
    judged = [effect for effect in effects if effect.judged]
    outcomes: list[Outcome] = holm_outcomes(judged)
    spared = 0 if refutes else outcomes.count("refuted")
    if spared:
        outcomes = ["inconclusive" if one == "refuted" else one for one in outcomes]
    outcome_by_id = dict(zip(map(id, judged), outcomes, strict=True))
    parts = tuple(
        VerdictPart(e, estimate(e), outcome_by_id.get(id(e), "inconclusive")) for e in effects
    )
    outcome, because = _whole(outcomes, judged)
    if spared:
        head = because if "supported" in outcomes else "nothing is supported"
        because = f"{head}; {spared} on the wrong side of the bar, which a quick pass leaves open"
    return Verdict(outcome, parts, because)


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
    """Returns a claim's parts beside those that it has elsewhere.

    Pairs are by place, as names may tell who is the best; by name where a claim has others elsewhere.
    """
    if len(ours) == len(theirs):
        return list(zip(ours, theirs, strict=True))
    named = {part.effect.name: part for part in theirs}
    return [(part, named[part.effect.name]) for part in ours if part.effect.name in named]


def leave_one_out(effects: Sequence[Effect], *, refutes: bool = True) -> dict[int, Outcome]:
    """Returns, by seed, the verdict without that seed: one that depends on a single seed is shown so.

    Nothing is returned where too few would be left to decide anything.
    """
    seeds = sorted({seed for effect in effects if effect.judged for seed in effect.values})
    if len(seeds) <= LEAST:
        return {}
    return {
        seed: judge([_without(seed, effect) for effect in effects], refutes=refutes).outcome
        for seed in seeds
    }


def _without(seed: int, effect: Effect) -> Effect:
    def rest(values: Values) -> dict[int, float]:
        return {s: v for s, v in values.items() if s != seed}

    contest = effect.contest
    if contest is not None:
        pairs = {pair: rest(values) for pair, values in contest.pairs.items()}
        contest = replace(contest, pairs=pairs)
    return replace(effect, values=rest(effect.values), contest=contest)


def holm_outcomes(effects: Sequence[Effect]) -> list[Outcome]:
    """Returns what every effect says: as parts are decided, the others' intervals may be narrower."""
    outcomes: list[Outcome] = ["inconclusive"] * len(effects)
    while open_ := [k for k, outcome in enumerate(outcomes) if outcome == "inconclusive"]:
        level = 1 - (1 - LEVEL) / len(open_)
        decided: dict[int, Outcome] = {k: outcome_of(effects[k], level) for k in open_}
        if set(decided.values()) == {"inconclusive"}:
            break
        for k, outcome in decided.items():
            outcomes[k] = outcome
    return outcomes


def outcome_of(effect: Effect, level: float = LEVEL) -> Outcome:
    """Returns what one effect says by itself at a level."""
    if len(effect.values) < LEAST and not (effect.exact and effect.values):
        return "inconclusive"
    interval = estimate(effect, level)
    if interval.low is None or interval.high is None:
        return "inconclusive"
    if interval.low > effect.bar:
        return "supported" if effect.wanted == "above" else "refuted"
    if interval.high < effect.bar:
        return "refuted" if effect.wanted == "above" else "supported"
    return "inconclusive"


def estimate(effect: Effect, level: float = LEVEL) -> Estimate:
    """Returns an effect's mean over seeds with its interval; an exact one is its own interval."""
    own = mean_interval(list(effect.values.values()), level=level)
    if effect.contest is not None and own.low is not None:
        return _contested(effect.contest, own, level)
    if effect.exact and own.mean is not None and own.low is None:
        return Estimate(own.n, own.mean, own.mean, own.mean, "constant")
    return own


def _contested(contest: Contest, own: Estimate, level: float) -> Estimate:
    """The interval of the best of ours less the best of theirs, both chosen by the same data.

    Whoever our best is, the least of its lower ends against all of theirs lies below the truth, since
    one of them is their true best; as our best was chosen among several, its ends are Bonferroni's for
    so many. The upper end is the same from their side.
    """
    ours, theirs = ({pair[k] for pair in contest.pairs} for k in (0, 1))

    def end(pairs: list[tuple[str, str]], choices: int, which: str) -> float | None:
        rows = [list(contest.pairs[pair].values()) for pair in pairs]
        if any(len(row) < LEAST for row in rows):
            return None
        intervals = [mean_interval(row, level=1 - (1 - level) / choices) for row in rows]
        ends = [value for e in intervals if (value := getattr(e, which)) is not None]
        return (min if which == "low" else max)(ends)

    low = end([(contest.ours, b) for b in sorted(theirs)], len(ours), "low")
    high = end([(a, contest.theirs) for a in sorted(ours)], len(theirs), "high")
    return Estimate(own.n, own.mean, low, high, own.method)


def _why_open(judged: Sequence[Effect]) -> str:
    if not judged:
        return "no part is judged"
    few = [effect for effect in judged if len(effect.values) < LEAST and not effect.exact]
    if all(not effect.values for effect in judged):
        return "nothing has been measured yet"
    if few:
        return f"fewer than {LEAST} seeds have been measured"
    return "every interval holds its bar"
