"""Runs and experiments that a later registration put others in the place of, once they had been scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from genbench.core.claim import Claim, Run
from genbench.core.errors import GenbenchError
from genbench.core.spec import CellSpec
from genbench.running.claim_cells import specs_of
from genbench.running.laid_down import Clock, Late
from genbench.running.same_terms import differing
from genbench.running.scale import SCALES, Scale
from genbench.store import Store
from genbench.store.moments import earliest, moment
from genbench.store.registrations import Registration
from genbench.store.trial import Trials

#: whether a change of a field to a value is declared to be one of all claims alike: (field, value, date)
Allows = Callable[[str, Any, str], bool]
#: what a run is for; other metrics of the same cells are no other run
IN_PLACE = ("model", "dataset", "dataset_options")
#: of a registration, but not of a run
DERIVED = ("tuned_options", "resolved", "measured", "errors", "rare", "extractors")
#: what measures cells, which are the same by any metric
MEASURING = ("metrics", "measured", "errors", "rare", "extractors")
#: by which some options are no defaults
CHOOSING = ("options", "dataset_options", "tuned", "tuned_options")


def find_replaced(
    claim: Claim, history: Sequence[Registration], store: Store, allows: Allows, clock: Clock
) -> Iterator[Late]:
    """Yields what took the place of something that had been scored by then, so that the scores may be why.

    A run has the place of one of the same model and data set in the registration before. What changes for
    all claims alike on declared grounds is no such replacement, nor is one by the same cells or by seeds
    that had not been tried; nor does one count any longer once all is tested anew by such seeds.

    Arguments:
        claim: The claim.
        history: Its registrations, oldest first.
        store: Where scores are.
        allows: Whether a change is declared.
        clock: When a file was scored.
    """
    for before, after in pairwise(_since_new_seeds(history)):
        old, new = (one.terms.get("runs", {}) for one in (before, after))
        for name, run in old.items():
            if any(not differing(run, other, MEASURING) for other in new.values()):
                continue
            others = [o for o in new.values() if not differing(_place(run), _place(o))]
            changes = [_list_changes(run, other) for other in others]
            if not changes or any(
                _has_new_seeds(run, other)
                or all(allows(field, other.get(field), after.date) for field in fields)
                for fields, other in zip(changes, others, strict=True)
            ):
                continue
            scored = _find_first_score(run, store, clock)
            if scored is not None and moment(scored) < moment(after.date):
                nearest = min(others, key=lambda other: len(differing(run, other)))
                yield Late(after.date, scored, f"{name} with {_was(run, nearest)}")
        yield from _find_replaced_experiment(claim, before, after, store, clock)


def _since_new_seeds(history: Sequence[Registration]) -> Sequence[Registration]:
    """The registrations from the last one on by which all is tested anew by new seeds."""
    starts = [k for k, (a, b) in enumerate(pairwise(history), 1) if _is_anew(a.terms, b.terms)]
    return history[max(starts, default=0) :]


def _is_anew(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether no seed of later terms can have been reached by a look at the earlier ones."""
    old, new = (
        [*terms.get("runs", {}).values(), *filter(None, [terms.get("experiment")])]
        for terms in (before, after)
    )
    return bool(old and new) and all(_has_new_seeds(a, b) for a in old for b in new)


def _list_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """The fields of runs that differ; which defaults are left follows from what is named or tuned."""
    fields = differing(old, new, MEASURING)
    before, after = (one.get("resolved") for one in (old, new))
    if fields.isdisjoint(CHOOSING) or "resolved" not in fields:
        return fields
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        own, other = (one["defaults"] | one["dataset_defaults"] for one in (before, after))
        versions = differing(before, after, ("defaults", "dataset_defaults"))
        if versions or any(own[name] != other[name] for name in own if name in other):
            return fields
    return fields - {"resolved"}


def _find_replaced_experiment(
    claim: Claim, before: Registration, after: Registration, store: Store, clock: Clock
) -> Iterator[Late]:
    old, new = (one.terms.get("experiment") for one in (before, after))
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return
    if not differing(old, new, ("seeds",)) or _has_new_seeds(old, new):
        return
    options = dict(old.get("options", {}))
    trials, version = Trials(store.root), int(old.get("version", 1))
    trial = trials.read_of(claim.name, version, options)
    if trial is None or not trial.started:
        return
    scored = clock(trials.path_of(claim.name, version, options), trial.started)
    if moment(scored) < moment(after.date):
        yield Late(after.date, scored, f"its experiment with {_was(old, new)}")


def _find_first_score(about: Mapping[str, Any], store: Store, clock: Clock) -> str | None:
    """Returns when the first cell of a registered run was begun, at any budget, or None without any.

    Arguments:
        about: What the registration says of the run; with options that are no longer there, it has no cells.
        store: Where cells are.
        clock: When a file was scored.
    """
    fields: dict[str, Any] = {name: value for name, value in about.items() if name not in DERIVED}
    run = Run(**(fields | {"metrics": tuple(about["metrics"]), "untuned": "default"}))
    times: list[str] = []
    for scale in map(Scale, SCALES if store.has(run.dataset, run.model) else ()):
        try:
            specs = specs_of(scale.run(run, run.first_seed))
        except GenbenchError:
            return None
        records = [store.read(_as_registered(spec, about)) for spec in specs]
        times += [clock(store.path(r.spec), r.begun) for r in records if r is not None]
    return earliest(times)


def _as_registered(spec: CellSpec, about: Mapping[str, Any]) -> CellSpec:
    """A cell with the defaults and versions that a registration holds, where it does."""
    resolved, tuned = about.get("resolved"), about.get("tuned_options")
    if not isinstance(resolved, Mapping):
        return spec
    named = {*about.get("options", {}), *(tuned if isinstance(tuned, Mapping) else ())}
    options = {name: value for name, value in spec.options.items() if name in named}
    of_data = about.get("dataset_options", {})
    own = {name: value for name, value in spec.dataset_options.items() if name in of_data}
    changes = {
        "model_version": resolved["model_version"],
        "dataset_version": resolved["dataset_version"],
        "options": options | resolved["defaults"],
        "dataset_options": own | resolved["dataset_defaults"],
    }
    return spec.model_copy(update=changes)


def _has_new_seeds(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether no look at the old one can have reached the seeds of the new one."""
    return int(new.get("first_seed", 0)) > int(old.get("first_seed", 0))


def _was(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What was otherwise, e.g. "steps=400"; of options those that were."""
    words = []
    for field in sorted(_list_changes(old, new) - {"seeds"}):
        one, other = old.get(field), new.get(field)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            words.append(_was(one, other))
        else:
            words.append(f"{field}={one}")
    return ", ".join(words)


def _place(run: Mapping[str, Any]) -> dict[str, Any]:
    return {name: run.get(name) for name in IN_PLACE}
