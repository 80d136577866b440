"""Records by the budget scale of the claims that they were made for."""

from __future__ import annotations

from collections.abc import Sequence

from genbench.core.spec import canonical
from genbench.store.record import Record


def select_scale(records: Sequence[Record], scale: str = "default") -> Sequence[Record]:
    """Returns the records of a scale.

    Arguments:
        records: All records.
        scale: "default": all but claims' cells at another budget that stand beside the same at the
            claims' own, with which they would compete as if they were other models; "all": every
            record; else one of the claims' scales (`Record.scale`) alone.
    """
    if scale == "all":
        return records
    if scale != "default":
        return [record for record in records if record.scale == scale]
    if not any(record.scale for record in records):
        return records
    specs = {record.group: record.spec for record in records}
    settings = {
        group: canonical(spec.model_dump(exclude={"budget", "seed"}, exclude_none=True))
        for group, spec in specs.items()
    }
    own = {settings[record.group] for record in records if record.scale is None}
    return [r for r in records if r.scale is None or settings[r.group] not in own]
