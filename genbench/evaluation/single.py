"""One evaluation: a set of samples against a reference, whatever both are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.device import choose_device
from genbench.core.feature import Extractor
from genbench.core.metric import PAIRED
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.batches import ReadOptions, Source
from genbench.evaluation.comparison import Reference
from genbench.evaluation.extractors import default_features, make_extractor
from genbench.evaluation.floors import Spare, find_spare, measure_floors
from genbench.evaluation.pairing import (
    explain_lack,
    find_limit,
    match_rows,
    open_sources,
    refuse_other_counts,
)
from genbench.evaluation.requests import MetricRequest, find_spaces
from genbench.evaluation.result import Evaluation
from genbench.evaluation.scoring import MetricCall, measure
from genbench.evaluation.side import Side
from genbench.evaluation.sides import Reading, is_held_out, open_sides

#: below so many points a Frechet distance is mostly its bias: what endless samples would have, and what
#: real points have, stand beside it
SMALL = 10_000


@dataclass(frozen=True)
class Setup:
    """What is done to every set of samples; the fields are `evaluate`'s arguments, parsed.

    Arguments:
        requests: The metrics.
        options: How sources are opened and read.
        of_few: Metrics that are added where points are few.
        reference: What samples are compared with, or None.
        train: The training points, or None.
        source: What the samples were made from, or None.
        degrade: The known map from points to sources, or None for that of the data set.
        known_by: What that map is called, or "".
        features: The extractor, or None for what suits the data set.
        weights: The extractor's option of that name.
        device: Where features are extracted and compared.
        precision: In which networks compute.
        save_stats: Where the moments of the reference's features are written, or None.
        cache: Whether the reference's features are kept in the cache folder.
        named: The metrics that were named, which leaderboards of records show whatever they are.
        record_as: The data set that scores are recorded of, or None where they are not.
    """

    requests: Sequence[MetricRequest]
    options: ReadOptions
    of_few: Sequence[MetricRequest] = ()
    reference: Any = None
    train: Any = None
    source: Any = None
    degrade: Callable[[Tensor], Tensor] | None = None
    known_by: str = ""
    features: Part | None = None
    weights: str | Path | None = None
    device: str = "auto"
    precision: str = "float32"
    save_stats: Path | None = None
    cache: bool = True
    named: tuple[str, ...] = ()
    record_as: str | None = None

    def score(self, samples: Any) -> Evaluation:
        """Returns the scores of a set of samples.

        Raises:
            SpecError, DataError, UnknownName: As `evaluate` does.
        """
        opened = open_sides(
            *(samples, self.reference, self.train, self.options),
            alone=self.save_stats is not None,
        )
        opened, options = self._pair(opened)
        lack = explain_lack(opened) if self._needs_pairs and "source" not in opened else ""
        compared = (source for side, source in opened.items() if side != "source")
        dataset = next((source.dataset for source in compared if source.dataset), None)
        extractor = self._make_extractor(dataset)
        through_features = self.features is not None and extractor.protocol != "identity"
        reading = self._prepare(dataset, extractor, through_features, options)
        read, notes = reading.read(opened), reading.notes
        refuse_other_counts(read)
        notes += self._save(read.get("reference", read["samples"]))
        own = opened["samples"].loss_networks()
        fake, real = replace(read["samples"], loss_networks=own), read.get("reference")
        if real is None:
            return Evaluation((), tuple(notes), fake, fake, dataset)
        notes += [*find_doubts(read.values(), extractor), *find_copies(read)]
        reference = Reference(
            *(real, dataset, read.get("train")),
            memory=self.options.memory,
            through_features=through_features,
            sources=read.get("source"),
            classes=self._find_classes(opened["reference"], real.count),
            without_sources=lack,
            degrade=self.degrade or _find_map(opened.get("source")),
            known_by=self.known_by,
            changes=self._describe_changes(),
            in_any_order=True,
        )
        reference = self._name(reference, opened["reference"])
        calls = self._make_calls(reference, fake)
        if _are_few(real, fake):
            training = reading.read_training(opened["reference"], fake.count)
            spare = find_spare(reference, fake.count, reference.train or training)
            calls = _add_floors(calls, spare, notes)
        rows = tuple(measure(calls, lenient=True))
        asked = frozenset(r.metric.name for r in self.requests if not r.brought)
        options, source = opened["reference"].options, read.get("source")
        return Evaluation(
            rows, tuple(notes), fake, real, dataset, source=source, asked=asked, options=options
        )

    @property
    def _needs_pairs(self) -> bool:
        return any(request.metric.view in PAIRED for request in self.requests)

    def _pair(self, opened: Mapping[str, Source]) -> tuple[dict[str, Source], ReadOptions]:
        """The sides, with what samples were made from where that is known, and how they are read."""
        if self.source is None and not self._needs_pairs:
            return dict(opened), self.options
        limit = find_limit(opened, self.options.limit)
        options = replace(self.options, paired=True, limit=limit)
        sources = open_sources(self.source, opened, options)
        if sources is None:
            return dict(opened), self.options
        return match_rows({**opened, "source": sources}, limit), options

    def _find_classes(self, reference: Source, count: int) -> Tensor | None:
        """The classes of a data set's own points, in its own numbers, where rows belong together."""
        data = reference.dataset
        if data is None or not reference.split:
            return None
        labels = data.labels(reference.label.rpartition(":")[2])
        return None if labels is None else labels[:count]

    def _make_extractor(self, dataset: Dataset | None) -> Extractor:
        dataset = dataset and (dataset.base or dataset)  # whose classifier judges its cells too
        part = self.features or default_features(dataset)
        if self.weights:
            part = Part(name=part.name, options={**part.options, "weights": str(self.weights)})
        return make_extractor(part, dataset, device=self.device, precision=self.precision)

    def _prepare(
        self,
        dataset: Dataset | None,
        extractor: Extractor,
        through_features: bool,
        options: ReadOptions,
    ) -> Reading:
        spaces = find_spaces(self.requests, extractor, through_features=through_features)
        spaces |= {"features"} if self.save_stats is not None else set()
        return Reading(
            *(options, dataset, extractor, spaces),
            choose_device(self.device, mps=True),
            cache=self.cache,
            labelled=any(request.metric.view == "labelled" for request in self.requests),
            hashed=self.record_as is not None,
        )

    def _save(self, side: Side) -> list[str]:
        """Writes a side's moments where somebody wants them, and says so."""
        if self.save_stats is None:
            return []
        side.summarise().write(self.save_stats)
        return [
            f"{side.label}: mean and covariance of its features were written to {self.save_stats}"
        ]

    def _make_calls(self, reference: Reference, fake: Side) -> list[MetricCall]:
        more = self.of_few if _are_few(reference.real, fake) else ()
        rng = Rng([self.options.seed]).fork("evaluate")
        return [reference.make_call(request, fake, rng) for request in [*self.requests, *more]]

    def _describe_changes(self) -> tuple[str, ...]:
        """What is done to pictures before they are compared, as protocols say it."""
        size, channels = self.options.size, self.options.channels
        resized = [] if size is None else [f"resized to {size[1]}x{size[0]}"]
        return *resized, *([] if channels is None else [f"channels={channels}"])

    def _name(self, reference: Reference, source: Source) -> Reference:
        """A reference whose protocols are those of trained cells where it is theirs, and only there."""
        if self.record_as is None:
            return reference
        options, data = self.options, reference.dataset
        own = data is not None and data.name == self.record_as and is_held_out(source)
        if own and options.size is None and options.channels is None:
            whole = data is not None and len(data.points("test")) == reference.real.count
            if whole:  # not some, drawn at random
                return replace(reference, split="test")
        return replace(reference, tag=f"reference={reference.real.digest[:8]}")


def _find_map(source: Source | None) -> Callable[[Tensor], Tensor] | None:
    """The map from points to sources where those are a data set's."""
    whole = None if source is None else source.whole
    return None if whole is None or whole.truth is None else whole.truth.degrade


def _are_few(real: Side, fake: Side) -> bool:
    return min(real.count, fake.count) < SMALL and real.has_points and fake.has_points


def _add_floors(
    calls: list[MetricCall], spare: Spare | None, notes: list[str]
) -> list[MetricCall]:
    """Calls with the scores of real points in place of samples, and a note of which they are."""
    if spare is None:
        return calls
    requests = [call.request for call in calls]
    floors = measure_floors(spare.reference, spare.points, requests, lenient=True)
    notes += [spare.note] if floors else []
    return [
        replace(call, facts=replace(call.facts, floors=floors.get(call.request.key, {})))
        for call in calls
    ]


def find_doubts(sides: Iterable[Side], extractor: Extractor) -> list[str]:
    """Returns sentences about statistics of files that do not say what they are of."""
    notes = []
    for side in sides:
        moments = side.moments
        if moments is None or not moments.label:
            continue
        if moments.features is None:
            notes.append(
                f"{side.label}: its statistics do not say of which features they are; they were taken "
                f"for those of {extractor.protocol}"
            )
        if side.has_points:
            notes.append(f"{side.label}: its mu and sigma were used where a metric needs no more")
    return notes


def find_copies(sides: Mapping[str, Side]) -> list[str]:
    """Returns a sentence for each side of real points that holds the samples themselves."""
    fake = sides["samples"]
    return [
        f"{fake.label} and the {side} hold the same points in the same order; scores are those of a copy"
        for side, real in sides.items()
        if side in ("reference", "train") and _are_alike(fake, real)
    ]


def _are_alike(one: Side, other: Side) -> bool:
    shared = one.views.keys() & other.views.keys()
    pairs = [(one.head, other.head), *((one.views[space], other.views[space]) for space in shared)]
    return bool(shared) and all(
        x.shape == y.shape and x.dtype == y.dtype and torch.equal(x, y) for x, y in pairs
    )
