"""Where suites are read from, and one suite by its name."""

from __future__ import annotations

from pathlib import Path

from genbench.core.errors import unknown
from genbench.core.spec import Suite
from genbench.core.version import PACKAGE
from genbench.store.documents import list_shipped, load_suites

FILE = "benchmarks.yaml"
#: what stands for all that claims need, in the place of a suite
CLAIMS = "claims"


def suite_file(config: Path | None = None) -> Path:
    """Returns the suite file: the one that is named, ./benchmarks.yaml, or the one of genbench."""
    if config is not None:
        return config
    return next(iter(list_shipped(FILE)), PACKAGE.parent / FILE)


def find_suite(name: str, config: Path | None = None) -> Suite:
    """Returns a suite by its name.

    Raises:
        UnknownName: If there is none, with the nearest match.
        SpecError: If the file is not a suite file.
    """
    suites = load_suites(suite_file(config))
    if name not in suites:
        raise unknown("suite", name, suites)
    return suites[name]
