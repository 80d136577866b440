"""With which seeds all that an effect reads was tried: nothing is decided before its seeds are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from genbench.core.claim import Claim
from genbench.core.effect import Effect, match_effects
from genbench.core.evidence import Run
from genbench.running.claim_cells import keys_of, list_seeds
from genbench.running.dependencies import Dependence, find_dependences
from genbench.running.evidence import ClaimEvidence
from genbench.running.scale import Scale


def mark_tried(
    evidence: ClaimEvidence, rows: Mapping[str, Sequence[Effect]]
) -> dict[str, list[Effect]]:
    """Returns effects that know with which seeds all that they read was tried, completed or failed.

    Arguments:
        evidence: What they were made of.
        rows: A claim's effects under "", or those by another metric under its name, which take all that
            there is of their data set to be read.
    """
    scale, claim = evidence.scale, evidence.claim
    whole = frozenset(range(scale.count(scale.looks(claim).first)))
    measured = any(effect.values for effects in rows.values() for effect in effects)
    sizes = [*(run.seeds for run in claim.all_runs), *([claim.seeds] if claim.experiment else [])]
    if not measured or not (evidence.missing() or _plans_fewer(evidence, sizes)):
        return {n: [replace(e, tried=whole) for e in effects] for n, effects in rows.items()}
    return {
        name: [
            _mark(evidence, effect, own, whole)
            for effect, own in _match(claim, effects, everything=bool(name))
        ]
        for name, effects in rows.items()
    }


def _mark(
    evidence: ClaimEvidence, effect: Effect, own: Dependence | None, whole: frozenset[int]
) -> Effect:
    """An effect with the seeds that it was tried with, and how many it plans where that is fewer."""
    claim, untried = evidence.claim, _find_untried(evidence, effect, own)
    runs = _list_alike(claim, effect) if own is None else [run for run, _ in own.reads]
    sizes = [run.seeds for run in runs]
    if claim.experiment is not None and (own is None or own.measured):
        sizes.append(claim.seeds)
    if not _plans_fewer(evidence, sizes):
        return replace(effect, tried=whole - untried)
    planned, count = (
        Scale(evidence.scale.budget).count(min(sizes)),
        evidence.scale.count(min(sizes)),
    )
    if own is None:  # of whichever runs it reads, those have its seeds
        count = max(count, max(effect.values, default=-1) + 1)
    return replace(effect, tried=frozenset(range(count)) - untried, planned=planned)


def _list_alike(claim: Claim, effect: Effect) -> list[Run]:
    """The runs that an effect may read, where nothing tells which."""
    return [run for run in claim.runs if effect.data in ("", run.dataset)]


def _plans_fewer(evidence: ClaimEvidence, sizes: Sequence[int]) -> bool:
    """Whether one of several numbers of seeds is fewer than the claim plans elsewhere."""
    scale = Scale(evidence.scale.budget)
    first = scale.looks(evidence.claim).first
    return any(scale.count(size) < first for size in sizes)


def find_tried(
    evidence: ClaimEvidence, run: Run, columns: Sequence[str] | None = None
) -> set[int]:
    """Returns the seeds of a run that did not complete, or were measured by some columns, all by default."""
    first, keys = evidence.claim.first_seed, keys_of(run)
    seeds = set(evidence.finished(run)) if columns is None else set[int]()
    for record in evidence.records(run):
        measured = {m.id for m in record.metrics if m.split == "test" and m.key in keys}
        if record.status != "ok" or (columns is not None and measured.issuperset(columns)):
            seeds.add(record.spec.seed - first)
    return seeds


def _match(
    claim: Claim, effects: Sequence[Effect], everything: bool
) -> list[tuple[Effect, Dependence | None]]:
    """A claim's effects with what each rests on; None where that is everything, or cannot be traced."""
    try:
        dependences = () if everything else find_dependences(claim)
    except (ArithmeticError, LookupError, ValueError):
        dependences = ()
    places = match_effects(effects, [one.effect for one in dependences])
    return [
        (effect, None if place is None else dependences[place])
        for effect, place in zip(effects, places, strict=True)
    ]


def _find_untried(evidence: ClaimEvidence, effect: Effect, own: Dependence | None) -> set[int]:
    """The seeds with which something that an effect reads was not tried."""
    claim, seeds = evidence.claim, set[int]()
    reads: list[tuple[Run, list[str] | None]] = []
    if own is None:
        reads += [(run, None) for run in _list_alike(claim, effect)]
    else:
        reads += [(run, [column]) for run, column in own.reads]
    for run, columns in reads:
        numbers = list_seeds(evidence.scale.run(run, claim.first_seed))
        planned = {seed - claim.first_seed for seed in numbers}
        seeds |= planned - find_tried(evidence, run, columns)
    if claim.experiment is not None and (own is None or own.measured):
        seeds |= {seed - claim.first_seed for seed in evidence.untried()}
    return seeds
