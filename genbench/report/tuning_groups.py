"""Searches that compare: files of trials by all of their rules but the model, a file per model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genbench.core.spec import canonical
from genbench.store.tuning import TuningFile, TuningRule

#: fields of a rule that belong to the model, and may differ among models that are compared
OWN = {"model", "model_version", "base", "space", "criteria"}
#: fields that headings name anyway
NAMED = {"dataset", "dataset_options", "budget", "batch", "sampler"}
EARLIER = "earlier versions or search spaces"


@dataclass(frozen=True)
class Group:
    """Files that compare by a criterion.

    Arguments:
        criterion: What chooses: `samples` or `density`.
        files: The files, a model each.
        about: In what the group differs from another on the same data, at the same budget; or "".
    """

    criterion: str
    files: tuple[TuningFile, ...]
    about: str = ""

    @property
    def rule(self) -> TuningRule:
        """The rule of its first model."""
        return self.files[0].rule


def group_by_rule(files: Iterable[TuningFile]) -> list[Group]:
    """Returns files in groups of one rule, by criterion.

    The version of the halving is a term of searches by several criteria alone, as for equal tuning
    (`TuningRule.shared`); the others stand with the last of them. Of several files of one model in a
    group the last version stands with the others; earlier ones, or those of another search space or other
    fixed options, have a group of their own.
    """
    groups: dict[tuple[str, str], list[TuningFile]] = {}
    terms: dict[tuple[str, str], Mapping[str, Any]] = {}
    files = list(files)
    versions = _find_versions(files)
    for file in files:
        for name in file.rule.criteria:
            own = _terms(file.rule, name)
            own["version"] = file.rule.shared.version or versions.get(
                (name, _describe_unversioned(own)), 0
            )
            key = name, canonical(own)
            terms[key] = own
            groups.setdefault(key, []).append(file)
    return [
        Group(
            key[0], tuple(part), ", ".join(filter(None, [_about(key, terms), EARLIER * (n > 0)]))
        )
        for key, some in groups.items()
        for n, part in enumerate(_split_namesakes(some))
    ]


def _terms(rule: TuningRule, criterion: str) -> dict[str, Any]:
    """All of a rule that models which are compared have in common."""
    return rule.model_dump(mode="json", exclude=OWN) | {
        "criterion": rule.criteria[criterion].model_dump(mode="json")
    }


def _find_versions(files: Iterable[TuningFile]) -> dict[tuple[str, str], int]:
    """The last version of the halving by several criteria, by criterion and all other terms."""
    last: dict[tuple[str, str], int] = {}
    for rule in (file.rule for file in files):
        if (version := rule.shared.version) is not None:
            for name in rule.criteria:
                place = name, _describe_unversioned(_terms(rule, name))
                last[place] = max(version, last.get(place, 0))
    return last


def _describe_unversioned(terms: Mapping[str, Any]) -> str:
    return canonical({name: value for name, value in terms.items() if name != "version"})


def _about(key: tuple[str, str], terms: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    """The fields that no heading names and that differ from other groups under the same heading."""
    own = terms[key]
    rivals = [
        other
        for (name, _), other in terms.items()
        if name == key[0]
        and all(other[field] == own[field] for field in NAMED)
        and other["criterion"]["column"] == own["criterion"]["column"]
    ]
    fields = [f for f in own if any(other[f] != own[f] for other in rivals)]
    return ", ".join(f"{field.replace('_', ' ')} {_say(own[field])}" for field in fields)


def _say(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={part}" for key, part in value.items() if part not in ({}, None))
    return str(value)


def _split_namesakes(files: Sequence[TuningFile]) -> list[list[TuningFile]]:
    """Files with one of each model first, the last version and the last begun of it."""
    parts: dict[int, list[TuningFile]] = {}
    counts: Counter[str] = Counter()
    for file in sorted(files, key=lambda f: (f.rule.model_version, f.started), reverse=True):
        parts.setdefault(counts[file.rule.model], []).append(file)
        counts[file.rule.model] += 1
    return [sorted(part, key=lambda f: f.rule.model) for part in parts.values()]
