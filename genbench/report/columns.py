"""Columns and cells: which numbers may stand under one heading, and what one cell holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from genbench.report.text import direction, plus_minus
from genbench.statistics.intervals import Estimate, mean_interval
from genbench.store import Measurement

HEADLINES = (
    *("fid", "mmd", "modes", "high_quality", "precision", "recall", "nll", "bits_per_dim"),
    *("nats_per_token", "n_gram_js_2", "n_gram_js_4"),
    "latency_1_p50_ms",
)


@dataclass(frozen=True, order=True)
class Column:
    """What two numbers must share to stand in one column.

    A bound never stands beside an exact value or an estimate, nor one protocol beside another.
    """

    id: str
    protocol: str
    split: str
    kind: str
    version: int
    better: Literal["lower", "higher", "none"] = "none"
    unit: str = ""

    @classmethod
    def of(cls, m: Measurement) -> Column:
        """Returns the column of a measurement."""
        return cls(m.id, m.protocol, m.split, m.kind, m.version, m.better, m.unit)

    @property
    def heading(self) -> str:
        """The id and an arrow that says which way is better, e.g. "fid ↓"."""
        return f"{self.id} {direction(self.better)}".rstrip()

    @property
    def about(self) -> str:
        """The protocol and whatever else sets the column apart, e.g. "n=500/500 · test"."""
        parts = [self.protocol, self.unit, self.split, "" if self.kind == "exact" else self.kind]
        parts.append(f"version {self.version}" if self.version != 1 else "")
        return " · ".join(part for part in parts if part)

    @property
    def headline(self) -> bool:
        """Whether the column belongs to the compact table: a headline id against held-out data.

        A Frechet distance of the points themselves compares two moments alone, so it does not.
        """
        blind = self.id == "fid" and self.protocol.startswith("identity")
        return self.id in HEADLINES and self.split == "test" and not blind

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts headlines first, in their order, then the rest by name, test before train."""
        place = HEADLINES.index(self.id) if self.id in HEADLINES else len(HEADLINES)
        split = self.split != "test"
        return (split and place < len(HEADLINES), place, self.id, split, self)


@dataclass(frozen=True)
class Cell:
    """One group's numbers in one column.

    Arguments:
        values: One value a seed.
        floor: The mean over seeds of the real-against-real floor, or None.
        reasons: Why seeds have no value.
        rank: The best rank among the table's models that the data leave open; None for reference
            rows, rows of fewer than five seeds and columns without a direction.
        last: With it, the worst rank that they leave open.
        best: Whether the mean is the best of the table's models.
    """

    values: Mapping[int, float]
    floor: float | None = None
    reasons: tuple[str, ...] = ()
    rank: int | None = None
    last: int | None = None
    best: bool = False

    @cached_property
    def estimate(self) -> Estimate:
        """The mean over seeds with its 95 % interval."""
        return mean_interval(list(self.values.values()))

    @property
    def text(self) -> str:
        """The mean ± half the width of the interval; "–" without a value."""
        return plus_minus(self.estimate)
