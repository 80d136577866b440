"""Numbers and tables as text: mean ± half-interval, Markdown, CSV."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from genbench.core.spec import Budget
from genbench.statistics.intervals import Estimate

if TYPE_CHECKING:
    import pandas

    from genbench.report.tables import Table

ARROWS = {"lower": "↓", "higher": "↑", "none": ""}
MISSING = "–"
RANKS = (
    "#k, or #j–k: the ranks that the seeds leave open. One is better than another where the paired t "
    "test over common seeds says so at 5 %, Holm-corrected for all pairs of the column; j is one more "
    "than the models that are better, k leaves out those that are worse. Fewer than five seeds give "
    "no rank."
)
CSV_COLUMNS = (
    *("dataset", "model", "group", "taxonomy", "id", "protocol", "split", "kind", "version"),
    *("better", "unit", "mean", "low", "high", "n", "floor", "rank", "rank_last", "best"),
    *("reason", "ok", "cells", "parameters", "train_seconds", "seeds_sharing"),
)


def direction(better: str) -> str:
    """Returns an arrow for the better direction, or nothing."""
    return ARROWS.get(better, "")


def budget_text(budget: Budget) -> str:
    """Returns a budget in words, e.g. "4,000 steps"."""
    given = budget.model_dump(exclude_none=True).items()
    return ", ".join(f"{value:,} {unit}" for unit, value in given)


def number(value: float | None) -> str:
    """Returns a number to three significant digits."""
    return MISSING if value is None else f"{value:.3g}"


def plus_minus(estimate: Estimate) -> str:
    """Returns "mean ± half" to two digits of the half; the mean alone where there is no interval."""
    mean, half = estimate.mean, estimate.half
    if mean is None:
        return MISSING
    if half is None:
        return f"{mean:.4g}"
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


def tidy(tables: Iterable[Table]) -> pandas.DataFrame:
    """Returns all leaderboards as one frame, one row a (data set, group, column)."""
    import pandas

    rows = []
    for table in tables:
        for group in table.groups:
            used = [r.used for r in group.ok]
            cost = (
                len(group.ok),
                len(group.records),
                next((r.parameters for r in group.records if r.parameters is not None), None),
                sum(u.seconds for u in used) / len(used) if used else None,
                max((u.seeds_sharing for u in used), default=None),
            )
            head = (table.name, group.label, group.id, group.taxonomy)
            for c in table.columns:
                cell = table.cell(group, c)
                e = cell.estimate
                about = (c.id, c.protocol, c.split, c.kind, c.version, c.better, c.unit)
                numbers = (e.mean, e.low, e.high, e.n, cell.floor, cell.rank, cell.last, cell.best)
                rows.append((*head, *about, *numbers, "; ".join(cell.reasons), *cost))
            if not table.columns:
                rows.append((*head, *[None] * 16, *cost))
    frame = pandas.DataFrame(rows, columns=list(CSV_COLUMNS))
    whole = ["version", "n", "rank", "rank_last", "parameters", "seeds_sharing"]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def csv(tables: Iterable[Table]) -> str:
    """Returns the tidy frame as CSV."""
    return tidy(tables).to_csv(index=False, lineterminator="\n")


def markdown(tables: Iterable[Table], *, title: str) -> str:
    """Returns the leaderboards in Markdown, the protocols in the column heads."""
    parts = [f"# {plain(title)}", ""]
    parts.append(
        "Mean ± half the 95 % interval over seeds (bootstrap-t). **Bold**: best mean of the "
        f"column; *reference* rows do not compete. {RANKS}"
    )
    for table in tables:
        parts += ["", f"## {plain(table.name)}", "", *_markdown_table(table)]
    return "\n".join(parts) + "\n"


def _markdown_table(table: Table) -> list[str]:
    costs = list(table.groups[0].costs)
    heads = [f"{plain(c.heading)}<br>{plain(c.about)}" for c in table.columns]
    lines = [line(["model", *heads, *costs]), line(["---"] * (1 + len(heads) + len(costs)))]
    for group in table.groups:
        name = plain(group.label)
        row = [f"*{name}* (reference)" if group.reference else name]
        for column in table.columns:
            cell = table.cell(group, column)
            few = ", too few" if cell.values and cell.estimate.too_few else ""
            text = f"**{cell.text}**" if cell.best else cell.text
            row.append(f"{text} {rank_text(cell.rank, cell.last)} (n={cell.estimate.n}{few})")
        lines.append(line([*row, *[plain(v) for v in group.costs.values()]]))
    floors = [number(table.floor(column)) for column in table.columns]
    return [*lines, line(["*floor: real against real*", *floors, *[""] * len(costs)])]


def rank_text(rank: int | None, last: int | None) -> str:
    """Returns "#2", "#1–4" where the data leave several ranks open, or nothing."""
    if rank is None:
        return ""
    return f"#{rank}" if last in (rank, None) else f"#{rank}–{last}"


def line(values: list[str]) -> str:
    """Returns a row of a Markdown table."""
    return "| " + " | ".join(" ".join(value.split()) for value in values) + " |"


def plain(text: str) -> str:
    """Returns text that Markdown shows as it is: no tags, no table cells, no markup."""
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\\", "\\\\"), ("|", "\\|")):
        text = text.replace(sign, safe)
    for sign in "*`[]_":
        text = text.replace(sign, "\\" + sign)
    return text


def _scaled(e: Estimate, factor: float) -> Estimate:
    mean, low, high = (None if v is None else v * factor for v in (e.mean, e.low, e.high))
    return Estimate(e.n, mean, low, high, e.method)
