"""Rows of leaderboards: the records of a model that differ in their seed alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from genbench.core.dataset import DATASETS
from genbench.core.model import MODELS
from genbench.core.options import defaults
from genbench.core.registry import Registry
from genbench.core.spec import CellSpec
from genbench.report.text import budget_text
from genbench.store import Record
from genbench.store.frame import describe_settings
from genbench.store.tuned import choices_of, options_kept

REFERENCE = "reference"
#: the setting that stands for all options and ways of training that tuning chose
TUNED = "tuned"
#: the names of two costs, with their units
TRAINING, MEMORY = "training, s per seed", "peak memory, MB"


@dataclass(frozen=True)
class Group:
    """A row: the records that differ in their seed alone."""

    id: str
    label: str
    records: tuple[Record, ...] = field(repr=False)

    @property
    def first(self) -> Record:
        """The record of the lowest seed."""
        return self.records[0]

    @property
    def model(self) -> str:
        """The model's name."""
        return self.first.spec.model

    @property
    def taxonomy(self) -> str:
        """The model's place in the taxonomy of generative models, or "unknown"."""
        return next((r.taxonomy for r in self.records if r.taxonomy), "unknown")

    @property
    def family(self) -> str:
        """The model's family, e.g. "adversarial"."""
        from genbench.core.catalogue import family_of

        recorded = next((r.family for r in self.records if r.family), "")
        return family_of(self.model, self.taxonomy, recorded)

    @property
    def reference(self) -> bool:
        """Whether the row is a yardstick and no contestant."""
        return self.taxonomy == REFERENCE

    @property
    def null(self) -> bool:
        """Whether the row's model has learned no more than the data's extent or first moments."""
        from genbench.core.catalogue import is_null

        return self.reference and is_null(self.model)

    @property
    def external(self) -> bool:
        """Whether the samples come from elsewhere, so that nothing was trained."""
        return self.first.spec.external

    @cached_property
    def tuned(self) -> bool | None:
        """Whether a search chose its options, were they the defaults; None of samples from elsewhere."""
        spec = self.first.spec
        if self.external:
            return None
        return bool(choices_of(spec, defaults=True) or choices_of(spec, overridden=True))

    @cached_property
    def ok(self) -> tuple[Record, ...]:
        """The records of completed runs, which alone give numbers."""
        return tuple(r for r in self.records if r.status == "ok")

    @cached_property
    def tried(self) -> tuple[Record, ...]:
        """The records of runs that were begun: none where the model refuses the data."""
        return tuple(r for r in self.records if r.status != "skipped")

    @cached_property
    def failed(self) -> tuple[int, ...]:
        """The seeds that diverged or failed, which count as the worst where rows are compared."""
        return tuple(r.spec.seed for r in self.tried if r.status != "ok")

    @property
    def parameters(self) -> int | None:
        """The trained numbers of one seed, or None where no record has them."""
        return next((r.parameters for r in self.records if r.parameters is not None), None)

    @property
    def costs(self) -> dict[str, str]:
        """What the numbers cost, one unit per name: parameters, budget.

        Time and memory of training are of seeds that have a score, which a table knows (`Table.costs`).
        """
        spec, parameters = self.first.spec, self.parameters
        return {
            "ok": f"{len(self.ok)}/{len(self.tried)}" if self.tried else "refused",
            "parameters": "–" if parameters is None else f"{parameters:,}",
            "budget": budget_text(spec.budget)
            + ("" if self.external else f", batch {spec.batch}"),
            "taxonomy": self.taxonomy,
        }

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides a row beside its model: options, budget, batch, labels, precision, versions."""
        return describe_settings(self.first)


def make_labels(members: Mapping[str, list[Record]]) -> dict[str, str]:
    """Names every group by its model and by the settings that tell it from its namesakes.

    Tuned options are many and have uneven values: "tuned by fid" stands for all of them, or all but one that
    is named, and options that are the model's defaults go without saying beside it.
    """
    settings = {id: _settings(rows[0]) for id, rows in members.items()}
    labels = {}
    for id, rows in members.items():
        spec = rows[0].spec
        external = ["external"] if spec.external else []
        namesakes = [
            settings[i] for i, other in members.items() if other[0].spec.model == spec.model
        ]
        usual = _usual(MODELS, spec.model) if any(TUNED in other for other in namesakes) else {}
        differing = [
            f"{key} {value}" if key == TUNED else f"{key}={value}"
            for key, value in settings[id].items()
            if _is_named(key, value)
            or (usual.get(key) != value and any(other.get(key) != value for other in namesakes))
        ]
        about = ", ".join([*external, *differing])
        labels[id] = f"{spec.model} ({about})" if about else spec.model
    shared = Counter(labels.values())
    return {id: f"{t} [{id[:6]}]" if shared[t] > 1 else t for id, t in labels.items()}


def name_options(spec: CellSpec) -> str:
    """The options of a data set that are not its defaults; all of one that is not installed."""
    usual = _usual(DATASETS, spec.dataset)
    own = {key: json.dumps(value) for key, value in sorted(spec.dataset_options.items())}
    return ", ".join(f"{key}={value}" for key, value in own.items() if usual.get(key) != value)


def _usual(registry: Registry[Any], name: str) -> dict[str, str]:
    """The options that a model or a data set has by default, as settings; none if it is not installed."""
    if name not in registry:
        return {}
    return {key: json.dumps(value) for key, value in defaults(registry.get(name)).items()}


def _is_named(key: str, value: str) -> bool:
    """Whether a setting is named even where no namesake differs: hidden labels, tuned options."""
    return key == TUNED or (key == "labelled" and value != "all")


def _settings(record: Record) -> dict[str, str]:
    spec = record.spec
    choices = choices_of(spec) or choices_of(spec, overridden=True)
    tuned = {name for choice in choices for name in options_kept(spec, choice)}
    options = sorted(item for item in spec.options.items() if item[0] not in tuned)
    settings = {key: json.dumps(value) for key, value in options}
    settings["budget"] = budget_text(spec.budget)
    settings |= {"batch": str(spec.batch), "precision": spec.precision}
    if choices:
        settings[TUNED] = "by " + " and ".join(dict.fromkeys(choice.column for choice in choices))
    elif spec.training is not None:
        training = spec.training.model_dump(exclude_none=True)
        settings |= {f"training.{key}": json.dumps(value) for key, value in training.items()}
    settings["labelled"] = "all" if spec.labelled is None else str(spec.labelled)
    settings |= {"autocast": spec.autocast or "off", "compiled": spec.compiled or "no"}
    return settings | {"version": str(spec.model_version)}
