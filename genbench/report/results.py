"""All measurements of a results folder as one frame, and the same as a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from genbench.core.asked import as_path
from genbench.core.errors import StoreError, unknown
from genbench.core.files import RUNS
from genbench.store import Store
from genbench.store.absent import no_records
from genbench.store.frame import check_format, make_frame, write_frame
from genbench.store.scales import select_scale
from genbench.store.validate import find_damaged_trials

if TYPE_CHECKING:
    import pandas


def results(
    folder: Path | str = RUNS,
    *,
    suite: str | None = None,
    model: str | Iterable[str] | None = None,
    dataset: str | Iterable[str] | None = None,
    scale: str = "default",
    config: Path | None = None,
) -> pandas.DataFrame:
    """Returns the measurements of a results folder, one row per (cell, column, split).

    Columns hold all that decides what a number may be averaged with: model, data set, their options and
    versions, budget, batch, labels, precision, scale, metric and protocol. Rows of one `group` differ in
    their seed alone. What could not be read is warned of.

    Arguments:
        folder: The results folder.
        suite: Keep the cells of this suite alone, whatever their seeds.
        model: Keep a model, or several.
        dataset: Keep a data set, or several.
        scale: "default": leave out claims' cells at another budget that stand beside the same at the
            claims' own; "all": keep every record; "quick", "half", "double": keep that scale alone.
        config: The suite file; by default benchmarks.yaml here, else the one that genbench ships.

    Raises:
        UnknownName: If there is no such suite, or no record of a model or a data set.
        StoreError: If the folder holds no records, or none of the suite.
    """
    models, datasets, folder = _names(model), _names(dataset), as_path(folder)
    read, problems = Store(folder, groups=_groups(suite, config)).load(curves=False)
    if not read and not problems:
        raise no_records(folder, suite)
    _refuse_absent("model", models, {record.spec.model for record in read})
    _refuse_absent("dataset", datasets, {record.spec.dataset for record in read})
    for problem in problems:
        warnings.warn(f"not read: {problem}", stacklevel=2)
    records = [
        record
        for record in select_scale(read, scale)
        if (models is None or record.spec.model in models)
        and (datasets is None or record.spec.dataset in datasets)
    ]
    return make_frame(records)


def export_results(folder: Path | str, path: Path) -> tuple[int, list[str]]:
    """Writes all measurements, of every scale, to a .csv or .parquet file.

    Returns:
        How many there are, and a sentence for every file and folder that could not be read, trials too.

    Raises:
        SpecError: For another ending, or where Parquet's library is missing.
        StoreError: If there are no records.
        WriteError: If the file cannot be written.
    """
    check_format(path)
    records, problems = Store(folder).load(curves=False)
    problems += find_damaged_trials(Path(folder))
    frame = make_frame(records)
    if frame.empty:
        raise StoreError(problems[0]) if problems else no_records(folder)
    write_frame(frame, path)
    return len(frame), problems


def _groups(suite: str | None, config: Path | None) -> set[str] | None:
    if suite is None:
        return None
    from genbench.running.cells import groups_of
    from genbench.store.suites import find_suite

    return groups_of(find_suite(suite, config))


def _refuse_absent(kind: str, wanted: set[str] | None, recorded: set[str]) -> None:
    for name in sorted((wanted or set()) - recorded) if recorded else ():
        raise unknown(f"{kind} with records", name, recorded)


def _names(names: str | Iterable[str] | None) -> set[str] | None:
    return {names} if isinstance(names, str) else None if names is None else set(names)
