"""Whether trials of tuning have the options that their hashes name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from genbench.core.errors import GenbenchError
from genbench.running.tuning_rule import find_changed
from genbench.store.tuned import find_outdated
from genbench.store.tuning import TuningFile
from genbench.store.tunings import Tunings
from genbench.store.validate import Problem


def check_trials(root: Path) -> list[Problem]:
    """Returns which files of trials have trials whose options do not hash to their hash.

    Files of other versions of a model or a data set, or of one that is not installed, are only mentioned:
    today's defaults are not theirs.

    Arguments:
        root: The results folder.
    """
    return [
        Problem(kind, str(path), text)
        for path, file, _ in Tunings(root).scan()
        if file is not None
        for kind, text in _find_fault(file)
    ]


def _find_fault(file: TuningFile) -> Iterator[tuple[str, str]]:
    """What is to be said of a file, with the kind of problem that it is."""
    try:
        outdated = find_outdated(file.rule)
        changed = None if outdated else find_changed(file)
    except GenbenchError as error:
        yield "record", f"its trials cannot be made anew to compare their hashes: {error}"
        return
    if outdated:
        kind = "unknown" if outdated.endswith("not installed") else "stale"
        yield kind, f"tuned at {outdated}"
    if changed:
        yield "record", changed
