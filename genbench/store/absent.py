"""Folders that have no records, and the one sentence on how to make some, and where others lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from genbench.core.errors import GenbenchError, StoreError
from genbench.store.documents import load_suites
from genbench.store.folder import Store
from genbench.store.suites import CLAIMS, suite_file
from genbench.store.trial import Trials
from genbench.store.tunings import Tunings

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
    inside = _find_results_around(Path(folder))
    if inside is not None:
        return StoreError(
            f"{folder} lies within a results folder; name that in its place: {inside}"
        )
    if Path(folder).is_dir():
        lack = f"holds no records of suite {suite!r}" if suite else "holds no records"
    else:
        lack = "is not a folder"
    text = f"{folder} {lack}; make records with: {run_command(folder, suite or 'demo')}"
    if Path(folder) != COMMITTED and any(COMMITTED.glob("*/*/*.json")):
        text += f"; or read the committed ones: {instead}"
    return StoreError(text)


def run_command(folder: Path | str, suite: str) -> str:
    """Returns what makes a suite's records in a folder."""
    words = f"genbench run {suite} -o {quote(str(folder))}"
    return words if suite == CLAIMS or _is_usual(suite) else f"{words} (with --config, its file)"


def has_content(folder: Path | str) -> bool:
    """Returns whether a folder has any file of records, or of trials of claims or of tuning, sound or not."""
    store = Store(folder)
    return bool(store.files()) or any(
        True for one in (Trials, Tunings) for _ in one(store.root).scan()
    )


def _is_usual(suite: str) -> bool:
    """Whether a suite is in the file that is read where none is named."""
    try:
        return suite in load_suites(suite_file())
    except GenbenchError:
        return False


def _find_results_around(folder: Path) -> Path | None:
    """The results folder in which a folder of a data set or a model lies, or None."""
    return next((place for place in [*folder.parents][:2] if any(_list_records(place))), None)


def _list_records(folder: Path) -> Iterator[Path]:
    pattern = "[0-9a-f]" * 16 + ".json"
    return folder.glob(f"*/*/{pattern}")
