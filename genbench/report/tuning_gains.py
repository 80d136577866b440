"""How many choices of tuning are better on test points than the defaults, by data set and criterion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.tuned_scores import NO_VERDICT, UNCORRECTED, TunedScore

#: the verdicts that are counted, and what tables call all others
COUNTED = ("better", "not distinguished", "worse")
OTHERS = "not compared"
NOTE = (
    "What tuning chose beside the models' defaults, by scores on test points, at one budget; not compared: "
    "both were not run there, for five seeds or more."
)


def make_sheet(gains: Iterable[TunedScore]) -> Sheet:
    """Returns the table of verdicts, a row per data set and criterion, and who is worse."""
    by_row: dict[tuple[str, str], list[TunedScore]] = {}
    for gain in gains:
        by_row.setdefault((gain.dataset, gain.choice.column), []).append(gain)
    heads = [Heading("data set"), Heading("by")]
    heads += [Heading(name, align="right") for name in (*COUNTED, OTHERS)]
    rows = [[Entry(data), Entry(column), *_count(some)] for (data, column), some in by_row.items()]
    judged = sum(gain.gain not in NO_VERDICT for some in by_row.values() for gain in some)
    notes = [NOTE, UNCORRECTED.format(count=judged)]
    return Sheet(
        [*heads, Heading("worse, or with more failures")],
        rows,
        title="What tuning gained",
        notes=notes,
    )


def _count(gains: Sequence[TunedScore]) -> list[Entry]:
    verdicts = [gain.gain.partition(" but ")[0] for gain in gains]
    counts = Counter(name if name in COUNTED else OTHERS for name in verdicts)
    remarks = [
        f"{gain.model} {gain.gain}"
        for gain in gains
        if gain.gain.startswith("worse") or " but " in gain.gain
    ]
    numbers = [Entry(str(counts[name]), value=counts[name]) for name in (*COUNTED, OTHERS)]
    return [*numbers, Entry(", ".join(remarks))]
