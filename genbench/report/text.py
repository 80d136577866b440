"""Numbers as text: mean ± half-interval, ranks, budgets, amounts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from genbench.core.rounding import three_digits
from genbench.core.spec import Budget, NoBudget
from genbench.statistics.intervals import Estimate

ARROWS = {"lower": "↓", "higher": "↑", "none": ""}
MISSING = "–"
RANKS = (
    "#k, or #j–k: the ranks that are possible given the seeds. A model is better than another where the "
    "paired t test over common seeds says so at 5 %, Holm-corrected for all pairs of the column; j is one "
    "more than the number of models that are better, k leaves out those that are worse. Models of fewer "
    "than five seeds are not ranked. Intervals and tests hold what another test set or extractor would "
    "change, where that was measured."
)


def direction(better: str) -> str:
    """Returns an arrow for the better direction, or nothing."""
    return ARROWS.get(better, "")


def budget_text(budget: Budget) -> str:
    """Returns a budget in words, e.g. "4,000 steps"."""
    if isinstance(budget, NoBudget):
        return "none: samples from elsewhere"
    amounts = budget.model_dump(exclude_none=True).items()
    return ", ".join(f"{value:,} {unit}" for unit, value in amounts)


def number(value: float | None) -> str:
    """Returns a number to three significant digits, e.g. "0.0123" or "12,300"."""
    return MISSING if value is None else three_digits(value)


def plus_minus(estimate: Estimate) -> str:
    """Returns "mean ± half" to two digits of the half; the mean alone where there is no interval.

    Where the mean ± half would leave the range of what is possible, it is "mean [low, high]".
    """
    mean, half = estimate.mean, estimate.half
    if mean is None:
        return MISSING
    if half is None:
        return f"{mean:.4g}"
    if estimate.lopsided:
        return f"{number(mean)} [{number(estimate.low)}, {number(estimate.high)}]"
    size = max(abs(mean), half)
    power = math.floor(math.log10(size)) if size else 0
    if power >= 5 or power < -4:
        body = plus_minus(_scaled(estimate, 10.0**-power))
        return f"({body})e{power:+03d}"
    if half == 0:
        return f"{mean:.4g} ± 0"
    digits = min(8, max(0, 1 - math.floor(math.log10(half))))
    return f"{mean:.{digits}f} ± {half:.{digits}f}"


def interval(estimate: Estimate) -> str:
    """Returns "mean [low, high]", or says why there is no interval."""
    if estimate.mean is None:
        return MISSING
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:.4g} (one seed, no interval)"
    return f"{estimate.mean:.4g} [{estimate.low:.4g}, {estimate.high:.4g}]"


def quantity(value: float, unit: str) -> str:
    """Returns an amount with a decimal prefix, e.g. "1.2 GB"."""
    for prefix in ("", "k", "M", "G"):
        if abs(value) < 1000:
            return f"{value:.3g} {prefix}{unit}"
        value /= 1000
    return f"{value:.3g} T{unit}"


def rank_text(rank: int | None, last: int | None) -> str:
    """Returns "#2", "#1–4" where several ranks are possible, or nothing."""
    if rank is None:
        return ""
    return f"#{rank}" if last in (rank, None) else f"#{rank}–{last}"


def count_range(counts: list[int]) -> str:
    """Returns the least and the most of some counts, e.g. "8" or "6–8"; "0" without any."""
    return "–".join(str(n) for n in sorted({min(counts), max(counts)})) if counts else "0"


def counted(n: int, noun: str, one: str = "", many: str = "") -> str:
    """Returns a number with its noun, and with what the number changes behind it, e.g. "1 row was".

    Arguments:
        n: The number.
        noun: The noun in the singular, whose plural ends in -s.
        one: What follows of one, such as "was".
        many: What follows of none or several.
    """
    return f"{n} {noun}{'' if n == 1 else 's'} {one if n == 1 else many}".rstrip()


def _scaled(e: Estimate, factor: float) -> Estimate:
    mean, low, high = (None if v is None else v * factor for v in (e.mean, e.low, e.high))
    return Estimate(e.n, mean, low, high, e.method, e.scale)


def name_rows(rows: Mapping[str, Sequence[str]]) -> str:
    """Returns the rows of a note by the detail that they share, e.g. "gan, vae – load average 3"."""
    return "; ".join(
        f"{', '.join(labels)}{f' – {detail}' if detail else ''}" for detail, labels in rows.items()
    )
