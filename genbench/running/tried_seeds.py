"""With which seeds all that an effect reads was tried: nothing is decided before its seeds are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from genbench.core.claim import Claim
from genbench.core.effect import Effect, match_effects
from genbench.core.evidence import Evidence, Run
from genbench.running.dependencies import Dependence, find_dependences, trace_effects
from genbench.running.evidence import ClaimEvidence, keys_of, list_seeds


def mark_tried(
    evidence: ClaimEvidence, rows: Mapping[str, Sequence[Effect]]
) -> dict[str, list[Effect]]:
    """Returns effects that know with which seeds all that they read was tried, completed or failed.

    Arguments:
        evidence: What they were made of.
        rows: A claim's effects under "", or those by another metric under its name.
    """
    scale, claim = evidence.scale, evidence.claim
    whole = frozenset(range(scale.count(scale.looks(claim).first)))
    measured = any(effect.values for effects in rows.values() for effect in effects)
    if not measured or not evidence.missing():
        return {n: [replace(e, tried=whole) for e in effects] for n, effects in rows.items()}
    return {
        name: [
            replace(effect, tried=whole - _find_untried(evidence, own))
            for effect, own in zip(effects, _match(claim, name, effects), strict=True)
        ]
        for name, effects in rows.items()
    }


def find_tried(evidence: ClaimEvidence, run: Run, columns: Sequence[str]) -> set[int]:
    """Returns the seeds of a run that did not complete, or were measured by some columns."""
    keys, seeds = keys_of(run), set()
    for record in evidence.records(run):
        measured = {m.id for m in record.metrics if m.split == "test" and m.key in keys}
        if record.status != "ok" or measured.issuperset(columns):
            seeds.add(record.spec.seed - evidence.claim.first_seed)
    return seeds


def _match(claim: Claim, name: str, effects: Sequence[Effect]) -> list[Dependence | None]:
    """What each effect rests on; None where made-up numbers do not tell."""
    try:
        found = _trace_metric(claim.by_metric, name) if name and claim.by_metric else None
        found = find_dependences(claim) if found is None else found
    except (ArithmeticError, LookupError, ValueError):
        return [None] * len(effects)
    places = match_effects(effects, [one.effect for one in found])
    return [None if place is None else found[place] for place in places]


@lru_cache(maxsize=256)
def _trace_metric(
    by_metric: Callable[[Evidence], Mapping[str, Sequence[Effect]]], name: str
) -> tuple[Dependence, ...]:
    return trace_effects(lambda evidence: by_metric(evidence)[name])


def _find_untried(evidence: ClaimEvidence, own: Dependence | None) -> set[int]:
    """The seeds with which something that an effect reads was not tried; all that is, where None."""
    claim, untried = evidence.claim, set[int]()
    columns: dict[int, list[str]] = {}
    runs = list(claim.runs) if own is None else [run for run, _ in own.reads]
    for run, column in own.reads if own is not None else ():
        columns.setdefault(runs.index(run), []).append(column)
    for place, run in enumerate(runs):
        if own is None or place in columns:
            seeds = list_seeds(evidence.scale.run(run, claim.first_seed))
            tried = find_tried(evidence, run, columns.get(place, ()))
            untried |= {seed - claim.first_seed for seed in seeds} - tried
    if claim.experiment is not None and (own is None or own.measured):
        untried |= {seed - claim.first_seed for seed in evidence.untried()}
    return untried
