"""Gates of claims: which of the columns that they read null rows pass, and which effects rest on those."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from genbench.core.catalogue import is_null
from genbench.core.dataset import resolve_options, version_of
from genbench.core.effect import Effect, Values
from genbench.core.evidence import Evidence, Run
from genbench.core.metric import METRICS, PAIRED, Column
from genbench.running.claim_cells import keys_of
from genbench.running.dependencies import find_changed
from genbench.running.evidence import ClaimEvidence
from genbench.running.evidence_log import EvidenceLog, FirstSeeds
from genbench.running.scale import Scale
from genbench.running.tried_seeds import mark_tried
from genbench.statistics.null_rows import Bar, Gate, check_nulls, make_bar
from genbench.statistics.verdicts import Verdict, judge
from genbench.store import Measurement, Record, Store
from genbench.store.measurement_error import read_measurement_errors

#: views of metrics that see points through an extractor
BY_FEATURES = ("features", "judged", "labelled", "logits", "memory")
#: views of abilities that null rows lack; claims on pairs compare with trivial translators themselves
ABILITIES = ("model", *PAIRED)
#: why there is no gate of what nobody has measured or a claim exempts, and no bar beside a floor of 0
UNMEASURED = "nothing has been measured yet"
EXEMPT = "the claim says why no null row need be worse by it"
UNSURE = "real points score 0 or less, by an error that is not known"
#: a data set with its options, and a column
Place = tuple[str, str]
#: reads lists of effects, by name
Reader = Callable[[Evidence], Mapping[str, Sequence[Effect]]]


@dataclass
class NullRows:
    """The null rows of a results folder, each data set's read once.

    Arguments:
        store: The folder.
    """

    store: Store
    _records: dict[str, list[Record]] = field(default_factory=dict)

    def gate(self, evidence: ClaimEvidence, run: Run, column: str) -> Gate:
        """Returns what null rows make of a column of a run, asked by the run's metrics and samples.

        They take no part in what the claim exempts, whichever of them the folder has.
        """
        if column in evidence.claim.null_exemptions:
            return Gate({}, 0, None, why=EXEMPT)
        keys, own = keys_of(run), resolve_options(run.dataset, run.dataset_options)
        data = version_of(run.dataset, own), own
        rows: dict[str, list[float]] = defaultdict(list)
        measurements = [m for r in evidence.records(run) for m in _measurements(r, column, keys)]
        for record in self._of(run.dataset):
            if (record.spec.dataset_version, record.spec.dataset_options) == data:
                for m in _measurements(record, column, keys):
                    measurements.append(m)
                    rows[record.spec.model] += [] if m.value is None else [m.value]
        if not measurements:
            return Gate({}, 0, None, why=UNMEASURED)
        metric = METRICS.get(measurements[0].metric)
        if metric.view in ABILITIES:
            why = "" if any(rows.values()) else "null rows lack what it is measured of"
            return Gate({}, len(rows), None, why=why)
        meaning = metric.columns[column]
        bar = _find_bar(run, meaning, column, measurements)
        measured = any(m.floor is not None for m in measurements)
        distance = meaning.better == "lower" and meaning.ideal == 0.0
        why = UNSURE if bar is None and distance and measured else ""
        return replace(check_nulls(rows, bar), why=why)

    def _of(self, dataset: str) -> list[Record]:
        if dataset not in self._records:
            models = [name for name in self.store.models(dataset) if is_null(name)]
            records = [r for name in models for r in self.store.of(dataset, name)]
            newest: dict[str, int] = defaultdict(int)
            for record in records:
                name = record.spec.model
                newest[name] = max(newest[name], record.spec.model_version)
            self._records[dataset] = [
                r
                for r in records
                if r.status == "ok" and r.spec.model_version == newest[r.spec.model]
            ]
        return self._records[dataset]


def _find_bar(
    run: Run, meaning: Column, column: str, measurements: Sequence[Measurement]
) -> Bar | None:
    """From where on scores of a column count as good, by the floors that measurements of it tell."""
    floors = [m.floor for m in measurements if m.floor is not None]
    counts = [m.n_fake for m in measurements if m.n_fake is not None]
    return make_bar(
        meaning.better,
        meaning.ideal,
        fmean(floors) if floors else None,
        meaning.unit,
        error=read_measurement_errors().floor_error(run.dataset, column),
        points=min(counts, default=None),
    )


@dataclass(frozen=True)
class MaskedEvidence:
    """Evidence in which some columns have no values.

    Arguments:
        evidence: The evidence.
        hidden: The columns, by data set.
    """

    evidence: Evidence
    hidden: frozenset[Place]

    def scores(self, run: Run, column: str) -> Values:
        """Returns a column of a run's cells, or nothing if it is hidden."""
        if (run.data, column) in self.hidden:
            return {}
        return self.evidence.scores(run, column)

    def finished(self, run: Run) -> Sequence[int]:
        """Returns the seeds of a run that were trained to the end."""
        return self.evidence.finished(run)

    def measured(self, column: str) -> Values:
        """Returns a column of the experiment."""
        return self.evidence.measured(column)


@dataclass(frozen=True)
class GatedEffects:
    """A claim's effects by a name each list has, not judged where they rest on what null rows pass.

    They know with which seeds they were tried.

    Arguments:
        rows: The effects.
        log: The evidence, with what was read of it.
        gates: What null rows make of every column that was read.
        function: What reads them.
    """

    rows: Mapping[str, Sequence[Effect]]
    log: EvidenceLog
    gates: Mapping[Place, Gate]
    function: Reader

    def judge(self, name: str, scale: Scale) -> Verdict:
        """Returns the verdict of a list of effects: every look at a scale reads its own first seeds."""

        def read(count: int) -> Sequence[Effect]:
            return self.function(FirstSeeds(self.log.evidence, count))[name]

        looks = scale.looks(self.log.evidence.claim)
        return judge(self.rows[name], refutes=scale.refutes, looks=looks, read=read)


def read_effects(
    function: Reader,
    evidence: ClaimEvidence,
    nulls: NullRows,
) -> GatedEffects:
    """Returns what a function reads of a claim's evidence, through the gates."""
    log = EvidenceLog(evidence)
    rows = function(log)
    gates = find_gates(evidence, log.scored, nulls)
    hidden = frozenset(place for place, gate in gates.items() if gate.closed)
    if hidden:
        others = function(MaskedEvidence(evidence, hidden))
        rows = {name: withhold(effects, others[name]) for name, effects in rows.items()}
    return GatedEffects(mark_tried(evidence, rows), log, gates, function)


def find_gates(
    evidence: ClaimEvidence, scored: Sequence[tuple[Run, str]], nulls: NullRows
) -> dict[Place, Gate]:
    """Returns the gate of every column that was read, by data set; of several runs the first checked.

    Arguments:
        evidence: The claim's.
        scored: The runs and the columns that were read of them.
        nulls: The same folder's.
    """
    gates: dict[Place, Gate] = {}
    for run, column in scored:
        place = run.data, column
        if place not in gates or not (gates[place].closed or gates[place].checked):
            gates[place] = nulls.gate(evidence, run, column)
    for place, names in _find_extractors(evidence, scored).items():
        if len(names) > 1:
            gates[place] = replace(gates[place], extractors=tuple(sorted(names)))
    return gates


def _find_extractors(
    evidence: ClaimEvidence, scored: Sequence[tuple[Run, str]]
) -> dict[Place, set[str]]:
    """By column on a data set, the networks whose features its scores rest on."""
    names: dict[Place, set[str]] = defaultdict(set)
    for run, column in scored:
        keys = keys_of(run)
        for record in evidence.records(run):
            for m in _measurements(record, column, keys):
                if m.value is not None and METRICS.get(m.metric).view in BY_FEATURES:
                    names[run.data, column].add(m.protocol.partition(", n=")[0])
    return names


def withhold(effects: Sequence[Effect], masked: Sequence[Effect]) -> list[Effect]:
    """Returns effects of which those are not judged that would be others without the hidden columns.

    Arguments:
        effects: Of all the evidence.
        masked: The same where null rows' columns are hidden.
    """
    changed = find_changed(effects, masked)
    return [
        replace(effect, judged=False) if other else effect
        for effect, other in zip(effects, changed, strict=True)
    ]


def _measurements(record: Record, column: str, keys: set[str]) -> list[Measurement]:
    return [m for m in record.metrics if (m.id, m.split) == (column, "test") and m.key in keys]
