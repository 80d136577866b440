"""What judged effects leave open: null rows, test sets, rare events, tuned rows beside untuned ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genbench.core.catalogue import family_of
from genbench.core.claim import Claim, Run
from genbench.core.effect import Effect, match_effects, noise_of
from genbench.core.errors import SpecError
from genbench.core.model import MODELS
from genbench.running.claim_cells import find_choice, find_metric
from genbench.running.dependencies import find_dependences, list_judged_columns
from genbench.running.evidence import EXPERIMENT
from genbench.running.measured_noise import find_rare_sides, has_test_set
from genbench.running.null_gates import UNMEASURED, Place
from genbench.statistics.null_rows import Gate


def find_unchecked(claim: Claim, gates: Mapping[Place, Gate]) -> list[str]:
    """Returns which columns a claim judges though no null row could show that noise passes, and why.

    Those that the claim exempts, with a reason of its own, are left out.
    """
    phrases: dict[str, None] = {}
    for run, column in list_judged_columns(claim):
        gate = gates.get((run.data, column))
        if gate is None or column in claim.null_exemptions or gate.why == UNMEASURED:
            continue
        if not (gate.closed or gate.checked):
            phrases[f"{column} on {run.data}: {gate.reason}"] = None
    own = any(d.measured and d.is_evidence for d in find_dependences(claim))
    if own and EXPERIMENT not in claim.null_exemptions:
        phrases[f"what {EXPERIMENT} measures: null rows take no part in it"] = None
    return list(phrases)


def find_without_test_set(claim: Claim, effects: Sequence[Effect]) -> list[str]:
    """Returns the judged effects between models whose interval leaves out what test set and extractor do.

    Arguments:
        claim: The claim.
        effects: Its effects, of what was measured.
    """
    dependences = find_dependences(claim)
    places = match_effects([dependence.effect for dependence in dependences], effects)
    names = []
    for dependence, place in zip(dependences, places, strict=True):
        effect = effects[place] if place is not None else None
        by_test_points = any(
            has_test_set(find_metric(*read), read[1]) for read in dependence.compared
        )
        if effect is None or not (effect.judged and effect.values and by_test_points):
            continue
        if not noise_of(effect.values):
            names.append(effect.name)
    return names


def list_rare_events(claim: Claim) -> list[str]:
    """Returns for which rare events the intervals of judged effects leave room, by column and data set."""
    rows: dict[str, dict[str, None]] = {}
    for run, column in list_judged_columns(claim):
        for events, side in find_rare_sides(run, column):
            far = f"{'above' if side > 0 else 'below'} their like by {events.plain:.3g}"
            text = f"{family_of(run.model)}, {events.events} of {events.runs} runs {far}"
            rows.setdefault(f"{column} on {run.data}", {})[text] = None
    return [f"{where}: {'; '.join(texts)}" for where, texts in rows.items()]


def find_unequal_tuning(claim: Claim) -> list[str]:
    """Returns which models are judged by their defaults beside tuned ones, as phrases by data set."""
    phrases: dict[str, None] = {}
    for dependence in find_dependences(claim):
        if not dependence.is_evidence:
            continue
        by_data: dict[str, dict[bool, dict[str, None]]] = {}
        for run, _ in dependence.compared:
            if MODELS.get(run.model).search:
                sides = by_data.setdefault(run.data, {True: {}, False: {}})
                sides[is_tuned(run)][run.model] = None
        for data, sides in by_data.items():
            if sides[True] and sides[False]:
                phrase = (
                    f"{', '.join(sides[False])} beside tuned {', '.join(sides[True])} on {data}"
                )
                phrases[phrase] = None
    return list(phrases)


def is_tuned(run: Run) -> bool:
    """Returns whether a run has the options that a search chose, if only its defaults."""
    try:
        return bool(run.tuned) and find_choice(run) is not None
    except SpecError:  # of another version
        return False
