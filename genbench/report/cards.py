"""Claims as cards: a verdict, all that it rests on, and what changes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from shlex import join

from genbench.core.claim import Claim, Outcome, find
from genbench.core.effect import Effect
from genbench.core.figure import Figure
from genbench.core.files import RUNS
from genbench.core.registry import list_plugin_words
from genbench.report.caveats import (
    find_unchecked,
    find_unequal_tuning,
    find_without_test_set,
    list_rare_events,
)
from genbench.report.cells import estimate_column
from genbench.report.fairness import EntrantTerms, ReadCells, compare_terms, read_passes
from genbench.report.variations import Variation, describe_verdict, lead_part
from genbench.running.claim_cells import find_companions, keys_of
from genbench.running.evidence import ClaimEvidence, widen_scale
from genbench.running.evidence_log import CompletedSeeds
from genbench.running.null_gates import GatedEffects, NullRows, read_effects
from genbench.running.registration import Standing, find_standing
from genbench.running.scale import SCALES, Scale
from genbench.statistics.leave_one_out import leave_one_out
from genbench.statistics.looks import Looks
from genbench.statistics.null_rows import Gate
from genbench.statistics.open_parts import NONE_COMPLETED
from genbench.statistics.verdicts import Verdict, VerdictPart
from genbench.store import Store
from genbench.store.cached import CachedStore
from genbench.store.registration_history import read_history
from genbench.store.registrations import read_registrations

#: which scale a card is of, where none is asked for: the first that has measurements
ORDER = ("default", "double", "half", "quick")


@dataclass
class Card:
    """A claim beside what a results folder holds of it; all is worked out when asked for.

    Arguments:
        claim: The claim.
        store: The folder.
        scale: How thorough the pass was.
        folder: The same as commands name it.
        nulls: The folder's null rows, where they were read before.
    """

    claim: Claim
    store: Store
    scale: Scale = field(default_factory=Scale)
    folder: Path = Path(RUNS)
    nulls: NullRows | None = None

    def __repr__(self) -> str:
        return f"Card({self.claim.id!r}, {self.verdict_text!r})"

    @cached_property
    def evidence(self) -> ClaimEvidence:
        """The evidence."""
        return ClaimEvidence(self.claim, self.store, self.scale)

    @cached_property
    def gated_effects(self) -> GatedEffects:
        """The effects through the gates of null rows, with what they read."""
        return read_effects(
            lambda log: {"": self.claim.function(log)}, self.evidence, self._null_rows
        )

    @property
    def gates(self) -> Mapping[tuple[str, str], Gate]:
        """What null rows make of the columns that its effects read, by data set and column."""
        return self.gated_effects.gates

    @property
    def withheld(self) -> list[str]:
        """Which columns are not judged on which data set, and why, as sentences."""
        return [
            f"{column} on {dataset} is not judged: {gate.reason}"
            for (dataset, column), gate in self.gates.items()
            if gate.closed
        ]

    @property
    def unchecked(self) -> list[str]:
        """Which columns are judged and were not checked against null rows, and why, as phrases."""
        return find_unchecked(self.claim, self.gates)

    @property
    def without_test_set(self) -> list[str]:
        """The judged parts between models whose interval leaves out what test set and extractor do."""
        return find_without_test_set(self.claim, self.effects)

    @property
    def rare_events(self) -> list[str]:
        """For which rare events of families its intervals leave room, as phrases."""
        return list_rare_events(self.claim)

    @property
    def tuned_unequally(self) -> list[str]:
        """Which models are judged by their defaults beside tuned ones, as phrases."""
        return find_unequal_tuning(self.claim)

    @property
    def effects(self) -> Sequence[Effect]:
        """The claim's effects."""
        return self.gated_effects.rows[""]

    @property
    def refutes(self) -> bool:
        """Whether the pass trains long enough to refute anything."""
        return self.scale.refutes

    @cached_property
    def verdict(self) -> Verdict:
        """What the measurements say."""
        verdict = self.gated_effects.judge("", self.scale)
        if self.known or self.missing or (not self.claim.all_runs and not self.claim.experiment):
            return verdict
        return replace(verdict, because=NONE_COMPLETED)

    @property
    def looks(self) -> Looks:
        """The numbers of seeds at which it is judged."""
        return self.scale.looks(self.claim)

    @cached_property
    def standing(self) -> Standing:
        """Whether it was registered before it was scored."""
        return find_standing(self.claim, self.store, read_registrations(), read_history())

    @property
    def exploratory(self) -> bool:
        """Whether anything has been measured that was not registered before."""
        return self.known and self.standing.exploratory

    @property
    def forecast(self) -> str | None:
        """When it was registered and why a first score will be exploratory all the same; else None."""
        return None if self.known else self.standing.foretell(self.claim.id)

    @property
    def lead(self) -> VerdictPart | None:
        """The first judged effect."""
        return lead_part(self.verdict)

    @property
    def known(self) -> bool:
        """Whether anything has been measured."""
        return any(effect.values for effect in self.effects)

    @property
    def kind(self) -> str:
        """The verdict, or that there is nothing to make one of."""
        return describe_verdict(self.verdict, missing=False)

    @property
    def verdict_text(self) -> str:
        """The verdict as people read it, and whether it is exploratory."""
        text = describe_verdict(self.verdict, self.provisional, self.waiting)
        return f"{text}, exploratory" if self.exploratory else text

    @cached_property
    def waiting(self) -> frozenset[str]:
        """The data sets that lack cells, where another on which it is read has all of its own."""
        away = {place.dataset for place in self.claim.elsewhere}
        lacking = {
            str(run): run.dataset
            for run in self.claim.all_runs
            if str(run) in self.missing and run.dataset in away
        }
        own = self.known and lacking.keys() == self.missing.keys()
        return frozenset(lacking.values()) if own else frozenset()

    @cached_property
    def missing(self) -> dict[str, list[int]]:
        """By run, the seeds that are still to be trained or measured."""
        return self.evidence.missing()

    @property
    def provisional(self) -> bool:
        """Whether seeds are missing, or fewer were asked for than are planned."""
        return bool(self.missing) or (self.scale.seeds or self.looks.first) < self.looks.first

    @cached_property
    def without_seed(self) -> dict[int, Outcome]:
        """By seed, the verdict without it."""
        return leave_one_out(self.effects, refutes=self.refutes, looks=self.looks)

    @cached_property
    def budgets(self) -> list[Variation]:
        """The verdict at every scale that makes a difference to what is run."""
        return [self._at(name) for name in SCALES if self._differs(name)]

    @cached_property
    def metrics(self) -> list[Variation]:
        """The verdict with every other metric that the claim names."""
        if self.claim.by_metric is None:
            return []
        others = read_effects(self.claim.by_metric, self.evidence, self._null_rows)
        verdicts = {
            name: others.judge(name, self.scale) if any(e.values for e in effects) else None
            for name, effects in others.rows.items()
        }
        about = (self.provisional, self.command, self.verdict)
        return [Variation("metric", name, verdict, *about) for name, verdict in verdicts.items()]

    @property
    def changes(self) -> list[str]:
        """What changes the verdict, e.g. "mixed by kid"; nothing where it withstands everything."""
        own = self.verdict.outcome
        changes = [
            f"{row.verdict.outcome} {'by' if row.kind == 'metric' else 'at budget'} {row.name}"
            for row in (*self.metrics, *self.budgets)
            if row.verdict is not None and row.verdict.outcome != own
        ]
        seeds: dict[str, list[int]] = defaultdict(list)
        for seed, other in self.without_seed.items():
            if other != own:
                seeds[other].append(seed)
        for other, which in seeds.items():
            one = f"seed {which[0]}" if len(which) == 1 else f"any one of {len(which)} seeds"
            changes.append(f"{other} without {one}")
        return changes

    @cached_property
    def figure(self) -> Figure | None:
        """The claim's own figure, or None where it declares none."""
        if self.claim.figure is None:
            return None
        return self.claim.figure(CompletedSeeds(self.gated_effects.log))

    @cached_property
    def figures_elsewhere(self) -> dict[str, Figure]:
        """The same figure of every other data set on which the claim is read."""
        if self.claim.figure is None:
            return {}
        seeds = CompletedSeeds(self.gated_effects.log)
        return {
            place.dataset: self.claim.figure(place.of(seeds)) for place in self.claim.elsewhere
        }

    @cached_property
    def cells(self) -> list[ReadCells]:
        """What was read of cells, by run, and the columns beside which that must be read."""
        _ = self.figure, self.figures_elsewhere
        scored = self.gated_effects.log.scored
        cells = []
        for run in self.claim.all_runs:
            read = [c for r, c in scored if r == run]
            names = [*read, *(other for c in read for other in find_companions(run, c))]
            columns = {c: self.evidence.scores(run, c) for c in dict.fromkeys(names)}
            records, keys = tuple(self.evidence.records(run)), keys_of(run)
            rows = {
                c: estimate_column([*values.values()], c, records, keys)
                for c, values in columns.items()
            }
            cells.append(ReadCells(run, self.scale.run(run).seeds, records, rows))
        return cells

    @cached_property
    def terms(self) -> list[EntrantTerms]:
        """What every run of cells was given, and its first column read at equal amounts of training."""
        others = [Scale(name) for name in SCALES if name != self.scale.budget]
        passes = [ClaimEvidence(self.claim, self.store, scale) for scale in others]
        return compare_terms(self.cells, [read_passes(read.run, passes) for read in self.cells])

    @property
    def command(self) -> str:
        """What runs all that the claim needs, with the plugins that were named."""
        words = ["genbench", "run", "claims", "--claim", self.claim.id, *self.scale.words]
        words += list_plugin_words([("claim", self.claim.name)])
        return join([*words, *([] if self.folder == Path(RUNS) else ["-o", str(self.folder)])])

    @property
    def _null_rows(self) -> NullRows:
        self.nulls = self.nulls or NullRows(self.store)
        return self.nulls

    def _differs(self, name: str) -> bool:
        if self.claim.runs or name in ("default", self.scale.budget):
            return True
        return bool(self.claim.quick if name == "quick" else self.claim.scaled)

    def _at(self, name: str) -> Variation:
        other = self
        if name != self.scale.budget:
            seeds = self.scale.seeds or self.looks.first
            # seeds that looks added here were not planned there
            fewer = seeds if seeds < self.looks.first else None
            scale = widen_scale(self.claim, self.store, Scale(name, fewer))
            other = Card(self.claim, self.store, scale, self.folder, self.nulls)
        verdict = other.verdict if other.known or other is self else None
        return Variation("budget", name, verdict, other.provisional, other.command, self.verdict)


def make_cards(
    store: Store,
    names: Sequence[str] = (),
    scale: Scale | None = None,
    folder: Path = Path(RUNS),
) -> list[Card]:
    """Returns a card per claim, in the order of ids.

    Arguments:
        store: The results folder.
        names: Claims; all of them without any.
        scale: How thorough a pass is meant; without it, for every claim the first of default, double,
            half and quick that has measurements.
        folder: The same as commands are to name it.
    """
    store = store if isinstance(store, CachedStore) else CachedStore(store.root)
    cards, nulls = [], NullRows(store)
    for claim in find(names).values():
        scales = [scale] if scale is not None else [Scale(name) for name in ORDER]
        scales = [widen_scale(claim, store, candidate) for candidate in scales]
        candidates = [Card(claim, store, candidate, folder, nulls) for candidate in scales]
        cards.append(next((card for card in candidates if card.known), candidates[0]))
    return cards
