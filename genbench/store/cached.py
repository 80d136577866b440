"""A results folder whose records are read once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from genbench.core.spec import CellSpec
from genbench.store.folder import Store
from genbench.store.record import Record


class CachedStore(Store):
    """A results folder that keeps the records that were read of it, for as long as nothing is written.

    Arguments:
        root: The folder.
        records: Those that have been read already; others are read on demand.
    """

    def __init__(self, root: Path, records: Iterable[Record] = ()) -> None:
        super().__init__(root)
        self._by_cell = {record.cell: record for record in records}

    def read(self, spec: CellSpec) -> Record | None:
        """Returns a cell's record, or None."""
        record = self._by_cell.get(spec.cell)
        if record is None and (record := super().read(spec)) is not None:
            self._by_cell[spec.cell] = record
        return record

    def _at(self, path: Path) -> Record | None:
        record = self._by_cell.get(path.stem)
        return record if record is not None else super()._at(path)
