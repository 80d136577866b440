"""What is laid down before any score: a data set's quality, and the entrants for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from genbench.core.claim import Run
from genbench.core.dataset import DATASETS, open_named
from genbench.core.entrants import kind_of, make_runs, read_entrants
from genbench.core.errors import GenbenchError
from genbench.core.quality import Quality
from genbench.report.groups import Group
from genbench.running.claim_cells import specs_of

#: the rounds and the minibatch of a row
Setting = tuple[int, int]


def find_quality(dataset: str) -> Quality | None:
    """Returns what a data set declares; None where it is not installed or declares nothing."""
    try:
        return DATASETS.get(dataset).quality if dataset in DATASETS else None
    except GenbenchError:
        return None


def find_listed(groups: Sequence[Group]) -> frozenset[str]:
    """Returns the ids of the entrants' rows among those of a data set; none where it is not installed.

    An entrant has the options that the list gives it, as tuned where they were. Its row is that of the rounds
    and the minibatch that the list gives it alone; else of those that most entrants have on these data.
    """
    runs = _list_runs(groups[0])
    rows = {name: _find_rows(run, groups) for name, run in runs.items()}
    alike = Counter((run.steps, run.batch) for run in runs.values())
    usual = Counter(setting for own in rows.values() for setting in own)

    def rank(name: str, setting: Setting) -> tuple[bool, int, bool, int]:
        laid_down = setting == (runs[name].steps, runs[name].batch)
        alone = laid_down and alike[setting] < max(alike.values())
        return alone, usual[setting], laid_down, len(rows[name][setting].records)

    chosen = {name: max(own, key=lambda at: rank(name, at)) for name, own in rows.items() if own}
    return frozenset(rows[name][setting].id for name, setting in chosen.items())


def _list_runs(group: Group) -> dict[str, Run]:
    """The runs of all entrants for the data set of a row, by model."""
    spec = group.first.spec
    try:
        kind = kind_of(open_named(spec.dataset, offline=True, **spec.dataset_options).spec)
        families = list(read_entrants().kinds[kind].families)
        own = dict(spec.dataset_options)
        return make_runs(kind, families, spec.dataset, ("mmd",), dataset_options=own)
    except Exception:  # a data set of another machine: the report goes on without the list
        return {}


def _find_rows(run: Run, groups: Sequence[Group]) -> dict[Setting, Group]:
    """The rows that are an entrant's at their own rounds and minibatch, by these."""
    rows = {}
    for group in groups:
        spec = group.first.spec
        if spec.model != run.model or spec.budget.steps is None:
            continue
        setting = spec.budget.steps, spec.batch
        if group.id == _find_group(replace(run, steps=setting[0], batch=setting[1])):
            rows[setting] = group
    return rows


def _find_group(run: Run) -> str | None:
    """The group of a run's cells; None where its options may not be taken, so that there are none."""
    with suppress(GenbenchError):
        return specs_of(run)[0].group
    return None
