"""Cells that were scored as a claim asks for them, but for defaults that are others today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from genbench.core.claim import Claim, Run
from genbench.core.errors import GenbenchError
from genbench.core.files import read_file
from genbench.core.model import MODELS
from genbench.core.spec import CellSpec, canonical
from genbench.running.claim_cells import CURVE, find_choice, keys_of, specs_of
from genbench.running.scale import SCALES, Scale
from genbench.store import Store
from genbench.store.moments import earliest, moment
from genbench.store.registrations import Registration, Registrations
from genbench.store.tuned import choices_of

#: all that decides a cell's weights but the seed, the model's version and its options
FIELDS = tuple({*CellSpec.model_fields} - {"seed", "model_version", "options"})


@dataclass(frozen=True)
class OtherDefaults:
    """A run that had been scored with other defaults.

    Arguments:
        run: The run.
        scored: When that was begun.
        options: By name, the value then and today.
    """

    run: Run
    scored: str
    options: Mapping[str, tuple[Any, Any]]

    @property
    def words(self) -> str:
        """E.g. "lr=0.001 (now 0.01)"."""
        return ", ".join(f"{k}={old} (now {new})" for k, (old, new) in self.options.items())


@dataclass(frozen=True)
class Glimpse:
    """What is needed of a record to know for which run it was made."""

    spec: CellSpec
    begun: str
    curve: int
    keys: frozenset[str]


def find_other_defaults(
    claim: Claim, history: Sequence[Registration], store: Store, registrations: Registrations
) -> Iterator[OtherDefaults]:
    """Yields the runs of a claim of which the folder has older cells that differ in defaults alone.

    Registrations used to hold the options that a claim names, and none of the defaults; that a default was
    changed after the first score is known by the records, which hold all options. Cells that another run may
    have asked for by naming those options are left out.

    Arguments:
        claim: The claim.
        history: Its registrations.
        store: The results folder.
        registrations: All, which name options.
    """
    runs = [run for one in history for run in one.terms.get("runs", {}).values()]
    vague = {(run.get("model"), run.get("dataset")) for run in runs if "resolved" not in run}
    for run in claim.runs:
        title = run.model, run.dataset
        if title in vague and MODELS.get(run.model).taxonomy != "reference":
            named = list_named_options(registrations, *title)
            at_scales = _find_of_run(claim, run, store, named)
            yield from sorted(at_scales, key=lambda one: moment(one.scored))[:1]


def list_named_options(
    registrations: Registrations, model: str, dataset: str
) -> list[Mapping[str, Any]]:
    """Returns the options that registered runs of a model on a data set name, those of any claim."""
    runs = [
        run
        for history in registrations.claims.values()
        for one in history
        for run in one.terms.get("runs", {}).values()
    ]
    alike = [run for run in runs if (run.get("model"), run.get("dataset")) == (model, dataset)]
    return [run.get("options", {}) for run in alike]


def _find_of_run(
    claim: Claim, run: Run, store: Store, named: Sequence[Mapping[str, Any]]
) -> Iterator[OtherDefaults]:
    records = _read_folder(store, run)
    keys = frozenset(keys_of(run)) if records else frozenset()
    for scale in (Scale(name) for name in SCALES) if records else ():
        try:
            specs = specs_of(scale.run(run, claim.first_seed))
        except GenbenchError:
            return
        names, seeds = _list_chosen(run), {spec.seed for spec in specs}
        for one in records:
            as_asked = one.curve == CURVE and one.spec.seed in seeds and keys <= one.keys
            if not (as_asked and one.begun):
                continue
            options = _find_changed(one.spec, specs[0], names)
            if not options or _are_named(options, named) or choices_of(one.spec):
                continue
            cells = {spec.cell for spec in specs}
            first = earliest(other.begun for other in records if other.spec.cell in cells)
            if first is None or moment(one.begun) < moment(first):
                yield OtherDefaults(run, one.begun, options)
                break


def _read_folder(store: Store, run: Run) -> tuple[Glimpse, ...]:
    folder = store.root / run.dataset / run.model
    if not store.has(run.dataset, run.model):
        return ()
    return _read(folder.resolve(), folder.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _read(folder: Path, stamp: int) -> tuple[Glimpse, ...]:
    rows = (_skim(path) for path in sorted(folder.glob("*.json")))
    return tuple(row for row in rows if row is not None)


def _skim(path: Path) -> Glimpse | None:
    """What is needed of a record, which is not read whole: there are many of them."""
    try:
        raw = from_json(read_file(path))
        keys = frozenset(str(row.get("key")) for row in raw["metrics"])
        begun = raw.get("first_started") or raw["started"]
        return Glimpse(CellSpec.model_validate(raw["spec"]), begun, len(raw["curve"]), keys)
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None


def _list_chosen(run: Run) -> set[str]:
    """The options of a run that somebody chose: those that it names, and those that tuning did."""
    choice = find_choice(run) if run.tuned else None
    return {*run.options, *(choice[0] if choice is not None else ())}


def _find_changed(
    then: CellSpec, now: CellSpec, names: Iterable[str]
) -> dict[str, tuple[Any, Any]]:
    """The defaults in which a cell differs from one of today; none where anything else does."""
    if any(getattr(then, name) != getattr(now, name) for name in FIELDS):
        return {}
    old, new = (
        {name: canonical(value) for name, value in one.options.items()} for one in (then, now)
    )
    if any(old.get(name) != new.get(name) for name in names):
        return {}
    return {
        name: (then.options[name], now.options[name])
        for name in old
        if name in new and old[name] != new[name]
    }


def _are_named(changed: Mapping[str, tuple[Any, Any]], named: Sequence[Mapping[str, Any]]) -> bool:
    """Whether some run names the options by which a cell differs, with their values."""
    return any(
        all(
            name in own and canonical(own[name]) == canonical(old)
            for name, (old, _) in changed.items()
        )
        for own in named
    )
