"""What an evaluation returns: numbers by name, with all that is needed to know what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genbench.core.errors import nearest
from genbench.core.metric import METRICS
from genbench.evaluation.comparison import Side
from genbench.store import Measurement

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
    """

    rows: tuple[Measurement, ...]
    notes: tuple[str, ...]
    samples: Side
    reference: Side

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
        return {"metrics": metrics, "aliases": aliases, "notes": list(self.notes)}
