"""Says why a verdict is open: what has not been measured, failed, or lies too near its bar."""

from __future__ import annotations

from collections.abc import Sequence

from genbench.core.effect import Effect
from genbench.statistics.contests import LEAST, all_failed, estimate
from genbench.statistics.decisions import is_flattered, seeds_are_alike

ALL_FAILED = (
    "all seeds failed, on both sides where two are compared, so that nothing says how bad that is"
)
BEYOND = (
    "values of 0 or less have no logarithm and count as the least that was measured, and seeds that failed "
    "have no value where no side is worse: nothing is decided that they could change"
)
FLATTERED = (
    "seeds that failed count as the worst that completed, and this value satisfies the bar: nothing is "
    "decided in their favour"
)
OPEN = "no interval, at the level that the parts and looks together leave it, lies beyond its bar"
NONE_COMPLETED = "all seeds were tried, and none has a value"
ALIKE = "seeds are all alike, and the measure's resolution is not declared"


def explain_open(judged: Sequence[Effect]) -> str:
    """Returns why nothing is decided of the parts that a verdict rests on."""
    if not judged:
        return "no part is judged"
    few = [effect for effect in judged if len(effect.values) < LEAST and not effect.exact]
    if all(not effect.values for effect in judged):
        return "nothing has been measured yet"
    if failed := [effect.name for effect in judged if all_failed(effect)]:
        return ALL_FAILED if len(failed) == len(judged) else f"{', '.join(failed)}: {ALL_FAILED}"
    if absent := [name for effect in judged for name in effect.waits_for]:
        return f"not measured yet: {', '.join(dict.fromkeys(absent))}"
    if few:
        bare = sum(not effect.values for effect in few)
        if bare == len(few):
            return f"{bare} of {len(judged)} parts have not been measured"
        return f"fewer than {LEAST} seeds have been measured"
    return _explain_near(judged)


def _explain_near(judged: Sequence[Effect]) -> str:
    """Why parts that have enough seeds are open."""
    if any(seeds_are_alike(effect, estimate(effect)) for effect in judged):
        return ALIKE
    if any(effect.beyond for effect in judged):
        return BEYOND
    flattered = [effect.name for effect in judged if is_flattered(effect)]
    if not flattered:
        return OPEN
    return FLATTERED if len(flattered) == len(judged) else f"{', '.join(flattered)}: {FLATTERED}"
