"""What is not there: the records of a folder, how to make some, and claims whose plugins nobody named."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from genbench.core.claim import CLAIMS
from genbench.core.errors import GenbenchError, StoreError
from genbench.core.registry import load_entry_points
from genbench.store.folder import Store
from genbench.store.registrations import read_registrations
from genbench.store.trial import Trials, claim_id, list_trials

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


def list_absent_claims(store: Store) -> list[str]:
    """Returns a sentence for every claim of which a folder holds something, and which is not installed.

    That is an experiment, or cells of models on data sets that a registration known here names.
    """
    load_entry_points()
    known = {claim_id(name) for name in CLAIMS.names()}
    tried = {path.stem.rpartition("-")[0] for path in list_trials(Trials(store.root).root)[0]}
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
