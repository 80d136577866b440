"""What is not there: records of a folder, how to make some, and claims whose plugins nobody named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from genbench.core.claim import CLAIMS
from genbench.core.errors import GenbenchError, StoreError
from genbench.core.registry import load_entry_points
from genbench.store.documents import load_suites
from genbench.store.folder import Store
from genbench.store.registrations import read_registrations
from genbench.store.suites import CLAIMS as CLAIMS_SUITE
from genbench.store.suites import suite_file
from genbench.store.trial import Trials, claim_id, list_trials
from genbench.store.tunings import Tunings

#: where a clone of this repository has its records
COMMITTED = Path("results")


def no_records(
    folder: Path | str, suite: str | None = None, *, instead: str = f"-o {COMMITTED}"
) -> StoreError:
    """Returns the error for a folder without records, that is not there, or of which nothing can be read.

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
    if unread := Store(folder).unread():
        return StoreError(f"{unread[0]}; let this user read it, or name another folder")
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
    return (
        words
        if suite == CLAIMS_SUITE or _is_usual(suite)
        else f"{words} (with --config, its file)"
    )


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
    around = [*folder.resolve().parents][:2]
    place = next((place for place in around if any(_list_records(place))), None)
    return None if place is None else Path(os.path.relpath(place))


def _list_records(folder: Path) -> Iterator[Path]:
    pattern = "[0-9a-f]" * 16 + ".json"
    return folder.glob(f"*/*/{pattern}")


def list_absent_claims(store: Store) -> list[str]:
    """Returns a sentence for every claim of which a folder holds something, and which is not installed.

    That is an experiment, or cells of models on data sets that a registration known here names.
    """
    load_entry_points()
    known = {claim_id(name) for name in CLAIMS.names()}
    tried = {path.stem.rpartition("-")[0] for path in list_trials(Trials(store.root).root)[0]} - {
        ""
    }
    try:
        registered = read_registrations().claims
    except GenbenchError:  # of which whoever needs it says what is wrong
        registered = {}
    tried |= {
        claim
        for claim, history in registered.items()
        for one in history
        for run in one.terms.get("runs", {}).values()
        if run.get("model") and run.get("dataset") and store.has(run["dataset"], run["model"])
    }
    return [
        f"claim {name!r} is not installed; name its file by --plugin"
        for name in sorted(tried - known)
    ]
