"""What cells that were trained again to other bits are to be measured by once more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from genbench.core.spec import Part
from genbench.evaluation.asked_before import find_asked
from genbench.running.job import StackJob
from genbench.store import Measurement, Record


def make_again(job: StackJob, record: Record, owed: Sequence[Measurement]) -> list[StackJob]:
    """Returns jobs that measure a cell by what its earlier record was measured by, as far as that is known.

    Arguments:
        job: What trained the cell.
        record: Of the cell, with the new weights and samples.
        owed: What the earlier record has and the new one has not.
    """
    together: dict[tuple[int, str | None], dict[str, Part]] = defaultdict(dict)
    for measurement in owed:
        asked = find_asked(measurement)
        if asked is not None:
            part = asked.to_part(measurement.metric)
            together[asked.samples, asked.features][str(part)] = part
    jobs = []
    for (samples, features), parts in together.items():
        settings = replace(
            job.settings,
            metrics=tuple(parts.values()),
            samples=samples,
            features=None if features is None else Part(name=features),
        )
        jobs.append(StackJob(specs=(record.spec,), settings=settings, rescore=True))
    return jobs


def are_same(record: Record, before: Record) -> bool:
    """Returns whether two records are of the same weights and, where as many were drawn, samples."""
    counts = [max((m.n_fake or 0 for m in r.metrics), default=0) for r in (record, before)]
    kinds = ("weights", "samples") if counts[0] == counts[1] else ("weights",)
    one, other = record.artifacts, before.artifacts
    return all(one.get(kind) is not None and one.get(kind) == other.get(kind) for kind in kinds)
