"""What a check against a baseline gives: a row per score, and whether the whole passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from genbench.core.rounding import three_digits
from genbench.report.gate.baseline import Baseline
from genbench.report.sheet import Emphasis, Entry, Heading, Sheet, to_html
from genbench.report.text import MISSING, number

GateVerdict = Literal[
    "ok",
    "regression",
    "failed",
    "missing",
    "not comparable",
    "not compared",
    "too few seeds",
]
BAD: tuple[GateVerdict, ...] = ("regression", "failed", "missing", "not comparable")
HEADS = ("data set", "model", "column", "baseline", "now", "worse by", "allowed", "p", "verdict")
EMPHASIS: dict[GateVerdict, Emphasis] = {
    "ok": "good",
    "not compared": "faint",
    "too few seeds": "doubtful",
}


@dataclass(frozen=True)
class GateRow:
    """What the gate says of one column of one cell, or (without a column) of the cell itself.

    Arguments:
        dataset: The data set.
        model: The model; with the options that set it apart from a namesake in the baseline.
        column: The column's id, or None.
        protocol: The column's protocol.
        verdict: `ok`, or why not.
        why: The verdict in words.
        baseline: The baseline's mean over seeds.
        candidate: The candidate's mean.
        n: The numbers of seeds of both.
        worse: By how much the candidate's mean is worse (of times: the ratio, above 1 if worse).
        tolerance: How much is allowed, in the same terms.
        p: The one-sided p of the test, corrected by Holm over the whole gate; None without a test.
        p_better: The same of the test that the candidate is better.
        better: Whether it is, by more than is allowed the other way, beyond chance.
        timed: Whether `worse` and `tolerance` are ratios.
    """

    dataset: str
    model: str
    column: str | None
    protocol: str
    verdict: GateVerdict
    why: str = ""
    baseline: float | None = None
    candidate: float | None = None
    n: tuple[int, int] = (0, 0)
    worse: float | None = None
    tolerance: float | None = None
    p: float | None = None
    p_better: float | None = None
    better: bool = False
    timed: bool = False

    @property
    def bad(self) -> bool:
        """Whether the row fails the gate."""
        return self.verdict in BAD

    @property
    def cells(self) -> list[str]:
        """The row's texts but for its verdict, in the order of the heads."""
        n = f" (n={self.n[0]})", f" (n={self.n[1]})"
        return [
            *(self.dataset, self.model, self.column or "all"),
            number(self.baseline) + (n[0] if self.baseline is not None else ""),
            number(self.candidate) + (n[1] if self.candidate is not None else ""),
            self._amount(self.worse),
            self._amount(self.tolerance),
            MISSING if self.p is None else f"{self.p:.2g}",
        ]

    def _amount(self, value: float | None) -> str:
        return f"× {value:.3g}" if self.timed and value is not None else number(value)


@dataclass(frozen=True)
class GateResult:
    """All rows of a check, in the baseline's order; notebooks show those that fail.

    Arguments:
        baseline: What the records were compared with.
        rows: One per column of a cell, and one for every cell that failed, is missing or differs.
        remarks: Sentences about the whole.
        sees: The shift, in standard deviations over seeds, that a single row shows half the time.
        unread: How many files and folders of records could not be read.
    """

    baseline: Baseline
    rows: tuple[GateRow, ...]
    remarks: tuple[str, ...] = ()
    sees: float | None = None
    unread: int = 0

    def __repr__(self) -> str:
        return f"genbench check: {self.title}: {self.summary}"

    @property
    def better(self) -> list[GateRow]:
        """The rows that are better than they were, each with the p of that test."""
        return [replace(row, p=row.p_better) for row in self.rows if row.better]

    @property
    def tested(self) -> int:
        """How many rows were tested."""
        return sum(row.p is not None for row in self.rows)

    @property
    def ok(self) -> bool:
        """Whether nothing fails and something was tested."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0 ok, 1 a regression, 3 failed, missing or unreadable cells, 4 what cannot be compared."""
        verdicts = {row.verdict for row in self.rows}
        if "regression" in verdicts:
            return 1
        if verdicts & {"failed", "missing"} or self.unread:
            return 3
        return 4 if "not comparable" in verdicts or not self.tested else 0

    @property
    def title(self) -> str:
        """Whether it passed, in a word."""
        return "passed" if self.ok else "failed"

    @property
    def summary(self) -> str:
        """The result in a line, e.g. "1 regression, 2 missing; 120 scores tested"."""
        counts = Counter(row.verdict for row in self.rows if row.bad)
        bad = ", ".join(
            [f"{counts[v]} {_plural(v, counts[v])}" for v in BAD if v in counts]
            + [f"{self.unread} of the files or folders not read"] * bool(self.unread)
        )
        if not bad and not self.tested:
            return f"nothing could be tested: {self._hindrance}"
        more = f", {len(self.better)} of them better than they were" if self.better else ""
        return f"{bad or 'nothing worse'}; {self.tested} scores tested{more}"

    @property
    def _hindrance(self) -> str:
        """Why no score was tested, where nothing is worse."""
        guarded = [score.id for cell in self.baseline.cells for score in cell.scores]
        if not guarded:
            return "the baseline guards no score"
        if all(self.baseline.tolerances[id] is None for id in guarded):
            return (
                "every tolerance of the baseline is null; let it say how much worse a score may be"
            )
        counts = Counter(row.verdict for row in self.rows if row.verdict != "ok")
        return (
            ", ".join(f"{n} scores {verdict}" for verdict, n in counts.items())
            or "no score is left"
        )

    @property
    def notes(self) -> list[str]:
        """What a reader must know beside the rows, one sentence each."""
        accepted, measured = self.baseline.accepted, self.baseline.measured
        suite = f" of suite {self.baseline.suite}" if self.baseline.suite else ""
        commits = ", ".join(measured.commits) or "an unknown commit"
        notes = [
            f"baseline{suite} accepted by {accepted.by} on {accepted.when}, measured at {commits}"
        ]
        if self.sees is not None:
            level = three_digits(100 * self.baseline.level)
            notes.append(
                f"a false alarm of the whole gate has a chance of {level} % at most; one "
                f"score that is worse by {self.sees:.1f} standard deviations over seeds is caught half "
                "the time"
            )
        return [*notes, *self.remarks]

    def to_sheet(self, rows: Iterable[GateRow] | None = None) -> Sheet:
        """Returns rows as a sheet: those given, or those that fail."""
        heads = [Heading(h, align="right" if 3 <= i < 8 else "left") for i, h in enumerate(HEADS)]
        entries = [
            [*map(Entry, row.cells), Entry(row.verdict, _emphasis(row), _reason(row))]
            for row in (self.rows if rows is None else rows)
            if rows is not None or row.bad
        ]
        return Sheet(heads, entries, title=f"genbench check: {self.title}", notes=[self.summary])

    def to_lines(self, rows: Iterable[GateRow]) -> Sheet:
        """Returns compared scores as a sheet of one line per score that fits a terminal, failures first."""
        heads = ["score", "baseline → now", "worse (allowed)", "p"]
        lines = []
        for row in sorted(rows, key=lambda row: not row.bad):
            *_, worse, allowed, p = row.cells
            score = f"{'✗' if row.bad else '✓'} {row.dataset} · {row.model} · {row.column}"
            moved = f"{number(row.baseline)} → {number(row.candidate)}"
            texts = [moved, f"{worse} ({allowed.removeprefix('× ')})", p]
            lines.append([Entry(score, _emphasis(row)), *map(Entry, texts)])
        return Sheet(
            [Heading(h, align="right" if i else "left") for i, h in enumerate(heads)], lines
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns {ok, exit_code, summary, notes, rows}; a row has the fields of `GateRow` and `bad`."""
        return {
            "ok": self.ok,
            "exit_code": self.exit_code,
            "summary": self.summary,
            "notes": self.notes,
            "rows": [{**asdict(row), "bad": row.bad} for row in self.rows],
        }

    def _repr_html_(self) -> str:
        return to_html(self.to_sheet())


def _emphasis(row: GateRow) -> Emphasis:
    return EMPHASIS.get(row.verdict, "bad")


def _reason(row: GateRow) -> str:
    return f": {row.why}" if row.why else ""


def _plural(verdict: str, n: int) -> str:
    return f"{verdict}s" if verdict == "regression" and n != 1 else verdict
