"""The suite file and the commands that reproduce every row of a report."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS
from genbench.core.registry import list_plugin_words
from genbench.core.spec import Part
from genbench.evaluation.asked_before import Asked, find_asked
from genbench.evaluation.requests import looks_through
from genbench.report.groups import Group
from genbench.report.tables import Table
from genbench.store.validate import check_versions

FILE = "reproduce.yaml"
#: what a row is measured by of which nothing was measured, since all of its runs failed
ANY = Part(name="mmd")
#: points that are compared where no record says how many were
USUAL = 10_000

#: a metric with what it was asked by
Question = tuple[str, Asked]


@dataclass(frozen=True)
class Pass:
    """What one command trains and measures: metrics that were asked alike of the same seeds.

    Arguments:
        samples: The largest number of points compared.
        features: The extractor, or None for what suits the data set.
        seeds: The seeds.
        metrics: The metrics.
    """

    samples: int
    features: str | None
    seeds: tuple[int, ...]
    metrics: tuple[Part, ...]


@dataclass(frozen=True)
class Rerun:
    """How a row is made again: the same cells, and of each seed the measurements that were made of it.

    What was asked otherwise, of other numbers of points or of fewer seeds, is a suite of its own, since a
    suite has one number of points, one extractor and the same metrics for all of its seeds.

    Arguments:
        group: The row.
    """

    group: Group

    @cached_property
    def suites(self) -> dict[str, dict[str, Any]]:
        """The suites by name, in the order in which they are run."""
        first = name_of(self.group)
        return {
            first if k == 1 else f"{first}-{k}": make_suite(self.group, one, self.note)
            for k, one in enumerate(self.passes, 1)
        }

    @cached_property
    def passes(self) -> list[Pass]:
        """What is to be run: that of most seeds and points first, with all seeds that were not measured."""
        together: dict[tuple[int, str | None, frozenset[int]], list[Part]] = defaultdict(list)
        for (metric, asked), seeds in self.questions.items():
            features = self._choose_features(metric, asked, seeds)
            part = asked.to_part(metric)
            together[asked.samples, features, frozenset(seeds)].append(part)
        order = sorted(together, key=lambda k: (-len(k[2]), -k[0], k[1] or "", sorted(k[2])))
        whole = {record.spec.seed for record in self.group.records}
        idle = whole - {seed for seeds in self.questions.values() for seed in seeds}
        if not order:
            return [Pass(USUAL, None, tuple(sorted(whole)), (ANY,))]
        return [
            Pass(n, features, tuple(sorted(seeds | (set() if k else idle))), tuple(parts))
            for k, (n, features, seeds) in enumerate(order)
            for parts in (sorted(together[n, features, seeds], key=str),)
        ]

    @cached_property
    def questions(self) -> dict[Question, set[int]]:
        """The seeds of which each metric was measured, by what it was asked by."""
        questions: dict[Question, set[int]] = defaultdict(set)
        for record in self.group.records:
            for m in record.metrics:
                asked = find_asked(m) or Asked("{}", m.n_fake or USUAL)
                questions[m.metric, asked].add(record.spec.seed)
        return questions

    @cached_property
    def unknown(self) -> list[str]:
        """The metrics whose records do not tell what they were asked by."""
        rows = [m for record in self.group.records for m in record.metrics]
        return sorted({m.metric for m in rows if find_asked(m) is None})

    @cached_property
    def note(self) -> str:
        """What keeps it from giving the same numbers, as far as records tell; "" where nothing does."""
        remarks = [text for _, text in check_versions(self.group.first)]
        if self.group.external:
            remarks.append(
                "weights, reference and resizing are those of the protocols above the columns"
            )
        elif self.unknown:
            remarks.append(
                f"no record tells the options and numbers of points of {', '.join(self.unknown)}, "
                "which are the usual ones here"
            )
        return "; ".join(dict.fromkeys(remarks))

    def list_commands(self, folder: Path | None = None) -> list[str]:
        """Returns the commands, to be run in the folder of the suite file one after the other.

        Arguments:
            folder: Where the suite file is, from which files of plugins are named.
        """
        if self.group.external:
            return [shlex.join([*self._score_words(), *self._list_plugins(folder)])]
        spec = self.group.first.spec
        words = ["--bf16"] if spec.autocast else []
        words += ["--compile", spec.compiled] if spec.compiled else []
        words += self._list_plugins(folder)
        return [shlex.join(["genbench", "run", name, "-c", FILE, *words]) for name in self.suites]

    def _choose_features(self, metric: str, asked: Asked, seeds: set[int]) -> str | None:
        """The extractor of the suite in which a metric is asked, whose own it is if it looks through one.

        Others go where they start no suite of their own, above all where what is measured beside them is.
        """
        if _looks_through(metric):
            return asked.features
        beside = METRICS.get(metric).beside if metric in METRICS else ()
        rivals = [
            (name not in beside, other.features or "")
            for (name, other), theirs in self.questions.items()
            if other.samples == asked.samples
            and _looks_through(name)
            and (theirs == seeds or (name in beside and seeds <= theirs))
        ]
        return min(rivals)[1] or None if rivals else None

    def _score_words(self) -> list[str]:
        """The words that score samples from elsewhere, which only who has them can run."""
        spec = self.group.first.spec
        names = [_to_word(asked.to_part(metric)) for metric, asked in self.questions]
        words = ["genbench", "evaluate", f"{spec.model}/*", "--record", spec.model]
        words += ["--as-dataset", spec.dataset]
        if spec.dataset_options:
            options = ",".join(f"{k}={v}" for k, v in spec.dataset_options.items())
            words += ["--reference", f"{spec.dataset}:{options}:test"]
        words += ["--metrics", ",".join(sorted(names))] if names else []
        return [*words, *(["--features", self._extractor] if self._extractor else [])]

    @property
    def _extractor(self) -> str:
        """The extractor that protocols of samples from elsewhere begin with, where it is one of all."""
        rows = [m for record in self.group.records for m in record.metrics]
        heads = {re.split("[@:, ]", m.protocol)[0].replace("-", "_") for m in rows}
        named = [name for name in sorted(heads) if name in EXTRACTORS]
        return named[0] if len(named) == 1 else ""

    def _list_plugins(self, folder: Path | None) -> list[str]:
        spec = self.group.first.spec
        used = [("model", spec.model)] if not spec.external else []
        used += [("dataset", spec.dataset), *(("metric", name) for name, _ in self.questions)]
        used += [("extractor", a.features) for _, a in self.questions if a.features is not None]
        words = list_plugin_words(used)
        if folder is None:
            return words
        return [os.path.relpath(word, folder) if word.endswith(".py") else word for word in words]


def command_of(group: Group, folder: Path | None = None) -> str:
    """Returns what reproduces a row, as one line to be run in the folder of the suite file."""
    return " && ".join(Rerun(group).list_commands(folder))


def name_of(group: Group) -> str:
    """Returns the name of a row's suite, the first if it has several."""
    return f"row-{group.id}"


def make_suite_file(tables: Sequence[Table]) -> str:
    """Returns a suite file in which every row is a suite of its own, or several."""
    import yaml

    trained = [group for table in tables for group in table.groups if not group.external]
    suites = [item for group in trained for item in Rerun(group).suites.items()]
    whole = {"schema": 1, "suites": dict(sorted(suites))}
    return yaml.safe_dump(whole, sort_keys=False, width=110)


def make_suite(group: Group, one: Pass, note: str = "") -> dict[str, Any]:
    """Returns what is run of a row as a suite: the same cells, and metrics as they were asked."""
    spec = group.first.spec
    cells: dict[str, Any] = {
        "models": [{"name": spec.model, "options": spec.options}],
        "datasets": [{"name": spec.dataset, "options": spec.dataset_options}],
    }
    if spec.labelled is not None:
        cells["labelled"] = spec.labelled
    if spec.training is not None:
        cells["training"] = spec.training.model_dump(exclude_none=True)
    suite = {
        "description": f"{spec.model} on {spec.dataset}{f'; {note}' if note else ''}",
        "seeds": list(one.seeds),
        "budget": spec.budget.model_dump(exclude_none=True),
        "batch": spec.batch,
        "precision": spec.precision,
        "metrics": [p.model_dump() if p.options else p.name for p in one.metrics],
        "samples": one.samples,
    }
    suite |= {"features": one.features} if one.features else {}
    # nothing is shared with other suites, for which YAML would write aliases
    return json.loads(json.dumps(suite | {"cells": [cells]}))


def _looks_through(metric: str) -> bool:
    """Whether a metric's number depends on the extractor; that of one that is not installed does not."""
    return metric in METRICS and looks_through(METRICS.get(metric))


def _to_word(part: Part) -> str:
    """A metric as `evaluate` names it."""
    return ":".join([part.name, *(f"{key}={value}" for key, value in part.options.items())])
