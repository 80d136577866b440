"""What an evaluation returns: numbers by name, with all that is needed to know what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError, nearest
from genbench.core.metric import METRICS
from genbench.core.version import __version__
from genbench.evaluation.side import Side
from genbench.store import Measurement, Record

#: the numbers of points in a protocol
COUNTS = re.compile(r"n=(\d+|\?)/(\d+|\?)")
#: the fields of a measurement that the JSON object holds
FIELDS = (
    "value",
    "stderr",
    "floor",
    "protocol",
    "n_real",
    "n_fake",
    "unit",
    "kind",
    "reason",
    "seconds",
)


@dataclass(frozen=True)
class Evaluation:
    """The scores of samples against a reference; `result.fid` and `result["fid"]` are numbers, or None.

    Arguments:
        rows: The measurements, in the order in which the metrics were named.
        notes: Sentences about what was read.
        samples: The generated points as they were compared.
        reference: The real ones.
        dataset: The data set that they belong to, or None.
        records: Where scores were recorded, the records, one a seed; the rows are then means.
        source: What the points were made from, or None.
        asked: The metrics that were asked for; others stand beside them.
        options: Those of the data set of the reference, all that decide its points.
    """

    rows: tuple[Measurement, ...]
    notes: tuple[str, ...]
    samples: Side
    reference: Side
    dataset: Dataset | None = None
    records: tuple[Record, ...] = ()
    source: Side | None = None
    asked: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)

    def refuse_nothing(self, of: str = "") -> None:
        """Refuses an evaluation in which nothing that was asked for has a number.

        Raises:
            DataError: With the reasons.
        """
        rows = [row for row in self.rows if row.metric in self.asked]
        if not rows or any(row.value is not None for row in rows):
            return
        reasons = dict.fromkeys(f"{row.metric}: {row.reason}" for row in rows)
        raise DataError(f"no metric{of} could be computed: {'; '.join(reasons)}")

    @property
    def metrics(self) -> dict[str, Measurement]:
        """The measurements by column: value, standard error, protocol, reason and more."""
        return {row.id: row for row in self.rows}

    def __getitem__(self, column: str) -> float | None:
        metrics = self.metrics
        if column not in metrics:
            raise KeyError(f"no {column!r} was measured{nearest(column, metrics)}")
        return metrics[column].value

    def __getattr__(self, name: str) -> float | None:
        if name.startswith("_") or name not in self.metrics:
            columns = () if name.startswith("_") else self.metrics
            raise AttributeError(f"no {name!r} was measured{nearest(name, columns)}")
        return self[name]

    @property
    def citations(self) -> dict[str, str]:
        """What to write beside the number of each column that has one: how it was measured."""
        return {row.id: cite(row, self) for row in self.rows if row.value is not None}

    def to_dict(self) -> dict[str, Any]:
        """Returns what `genbench evaluate --json` prints: metrics by column, torch-fidelity's keys, notes."""
        metrics = {
            row.id: {**{key: getattr(row, key) for key in FIELDS}, "direction": row.better}
            for row in self.rows
        }
        aliases = {
            alias.key: row.value
            for row in self.rows
            if (alias := METRICS.get(row.metric).columns[row.id].alias) is not None
            and alias.fits(row.protocol)
        }
        whole = {"metrics": metrics, "aliases": aliases, "notes": list(self.notes)}
        whole["citations"] = self.citations
        return {**whole, "cells": [r.cell for r in self.records]} if self.records else whole


def cite(row: Measurement, result: Evaluation) -> str:
    """Returns a measurement's protocol in words fit for print, e.g. "identity, n = 1,000/900, test"."""
    parts = []
    for part in row.protocol.split(", "):
        counts = COUNTS.fullmatch(part)
        if counts is None:
            parts.append(part)
            continue
        numbers = [f"{int(n):,}" if n.isdigit() else n for n in counts.groups()]
        parts.append(f"n = {'/'.join(numbers)}")
    against = result.reference.label
    extractor = result.reference.extractor()
    digest = str(getattr(extractor, "digest", ""))
    weights = [f"weights sha256 {digest[:8]}"] if digest and digest[:8] not in row.protocol else []
    uses = weights if row.protocol.startswith(extractor.protocol) else []
    return ", ".join(
        [*filter(None, parts), f"against {against}", *uses, f"genbench {__version__}"]
    )
