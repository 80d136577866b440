"""What a claim's effects rest on: the columns of runs that each reads, found by hiding them in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from genbench.core.claim import Claim
from genbench.core.effect import Effect, Values, match_effects
from genbench.core.evidence import Evidence
from genbench.running.evidence import EXPERIMENT
from genbench.running.planted import RANGES, PlantedEvidence, Read

#: shares make no sense of several of the numbers that claims read, and these lie beyond them
SPAN = RANGES[1]


@dataclass(frozen=True)
class Dependence:
    """What one effect rests on.

    Arguments:
        effect: The effect, of made-up values.
        reads: The columns of runs.
        measured: Whether columns of the experiment, too.
    """

    effect: Effect
    reads: tuple[Read, ...]
    measured: bool

    @property
    def is_evidence(self) -> bool:
        """Whether a verdict rests on it."""
        return self.effect.judged and not self.effect.by_definition

    @property
    def compared(self) -> tuple[Read, ...]:
        """The columns by which it compares several runs."""
        return tuple(
            (run, column)
            for run, column in self.reads
            if any(also == column and other != run for other, also in self.reads)
        )


def find_dependences(claim: Claim) -> tuple[Dependence, ...]:
    """Returns what every effect of a claim rests on, whatever has been measured."""
    return _find_dependences(claim.function)


@lru_cache(maxsize=256)
def _find_dependences(
    function: Callable[[Evidence], Sequence[Effect]],
) -> tuple[Dependence, ...]:
    probe = PlantedEvidence(span=SPAN)
    effects = function(probe)
    scored = probe.scored
    fallen = function(PlantedEvidence(span=SPAN, falling=True))

    def change(
        hidden: Sequence[Read], *, experiment: bool = True, falling: bool = False
    ) -> list[bool]:
        less = PlantedEvidence(span=SPAN, hidden=hidden, experiment=experiment, falling=falling)
        return find_changed(fallen if falling else effects, function(less))

    # the least of several is another without one of them alone, which the order of values decides
    by_read = [
        [a or b for a, b in zip(change([read]), change([read], falling=True), strict=True)]
        for read in scored
    ]
    together = {
        place: change([read for read in scored if _place(read) == place])
        for place in dict.fromkeys(map(_place, scored))
    }
    measured = change((), experiment=False)
    dependences = []
    for i, effect in enumerate(effects):
        reads = [read for read, changed in zip(scored, by_read, strict=True) if changed[i]]
        seen = set(map(_place, reads))
        others = {place for place, changed in together.items() if changed[i]} - seen
        reads += [read for read in scored if _place(read) in others]
        dependences.append(Dependence(effect, tuple(reads), measured[i]))
    return tuple(dependences)


def _place(read: Read) -> tuple[str, str]:
    run, column = read
    return run.data, column


def list_judged_columns(claim: Claim) -> list[Read]:
    """Returns the columns of runs on which a claim's judged effects rest, each once."""
    reads: list[Read] = []
    for dependence in find_dependences(claim):
        if dependence.is_evidence:
            reads += [read for read in dependence.reads if read not in reads]
    return reads


def list_exempted(claim: Claim, count: int) -> list[list[str]]:
    """Returns, for each of so many judged effects, the columns that it reads and null rows are not asked of.

    Those of which no effect is known to rest on them are among each's, and so are all where effects cannot
    be read with made-up numbers.
    """
    exempt = {*claim.null_exemptions} - {EXPERIMENT}
    try:
        found = find_dependences(claim) if exempt else ()
    except (ArithmeticError, LookupError, ValueError):
        found = ()
    read = [({column for _, column in d.reads}, d.effect.judged) for d in found]
    unknown = exempt.difference(*(columns for columns, _ in read))
    judged = [columns for columns, own in read if own]
    if len(judged) != count:
        return [sorted(exempt)] * count
    return [sorted(exempt & columns | unknown) for columns in judged]


def find_changed(effects: Sequence[Effect], others: Sequence[Effect]) -> list[bool]:
    """Returns for every effect whether it is another among others, of evidence with less in it."""
    pairs = zip(effects, match_effects(effects, others), strict=True)
    return [place is None or _values(others[place]) != _values(effect) for effect, place in pairs]


def _values(effect: Effect) -> tuple[Values, Mapping[tuple[str, str], Values]]:
    """All that an effect's interval is made of."""
    return effect.values, effect.contest.pairs if effect.contest is not None else {}
