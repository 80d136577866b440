"""The one sentence about a folder that has no records: how to make some, and where others lie."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from genbench.core.errors import StoreError

#: where a clone of this repository has its records
COMMITTED = Path("results")


def no_records(
    folder: Path | str, suite: str | None = None, *, instead: str = f"-o {COMMITTED}"
) -> StoreError:
    """Returns the error for a folder without records, or that is not there.

    Arguments:
        folder: The folder.
        suite: The suite whose records are missed; None: any records.
        instead: What to type for the committed records, where there are any.
    """
    if Path(folder).is_dir():
        lack = f"holds no records of suite {suite!r}" if suite else "holds no records"
    else:
        lack = "is not a folder"
    text = f"{folder} {lack}; make records with: genbench run {suite or 'demo'} -o {quote(str(folder))}"
    if Path(folder) != COMMITTED and any(COMMITTED.glob("*/*/*.json")):
        text += f"; or read the committed ones: {instead}"
    return StoreError(text)
