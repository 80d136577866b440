"""What is laid down before any score: a data set's quality, and the entrants for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from genbench.core.claim import Run
from genbench.core.dataset import DATASETS, open_named
from genbench.core.entrants import kind_of, make_runs, read_entrants
from genbench.core.errors import GenbenchError
from genbench.core.quality import Quality
from genbench.core.spec import CellSpec
from genbench.running.claim_cells import specs_of
from genbench.store.tuned_options import UnusableTuning


def find_quality(dataset: str) -> Quality | None:
    """Returns what a data set declares; None where it is not installed or declares nothing."""
    try:
        return DATASETS.get(dataset).quality if dataset in DATASETS else None
    except GenbenchError:
        return None


def find_listed(spec: CellSpec) -> frozenset[str]:
    """Returns the groups of the entrants for the data set of a cell; none where it is not installed."""
    return _find_listed(spec.dataset, json.dumps(spec.dataset_options, sort_keys=True))


def _find_groups(run: Run) -> Iterator[str]:
    with suppress(UnusableTuning):  # of whose options there can be no cells
        yield specs_of(run)[0].group


@lru_cache(maxsize=64)
def _find_listed(dataset: str, options: str) -> frozenset[str]:
    dataset_options = json.loads(options)
    try:
        kind = kind_of(open_named(dataset, offline=True, **dataset_options).spec)
        families = list(read_entrants().kinds[kind].families)
        runs = make_runs(kind, families, dataset, ("mmd",), dataset_options=dataset_options)
        return frozenset(group for run in runs.values() for group in _find_groups(run))
    except (
        Exception
    ):  # a data set or a model of another machine: the report goes on without the list
        return frozenset()
