"""The best trials of a search, as an entry of the file of tuned options."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from genbench.core import options
from genbench.core.model import MODELS
from genbench.running.tuning_rule import find_finalists, score, specs_of_trial
from genbench.store.tuned import TunedChoice, TunedEntry
from genbench.store.tuning import TuningFile, TuningTrial


def make_entry(file: TuningFile) -> TunedEntry | None:
    """Returns the best trial by each criterion; None before any has reached the whole budget."""
    rule = file.rule
    choices = dict(_choices(file))
    if not choices:
        return None
    return TunedEntry(
        model=rule.model,
        model_version=rule.model_version,
        dataset=rule.dataset,
        dataset_version=rule.dataset_version,
        dataset_options=rule.dataset_options,
        budget=rule.budget.model_dump(exclude_none=True),
        batch=rule.batch,
        trials=len(file.trials),
        sampler=rule.sampler,
        rule=rule.shared,
        trials_file=rule.file,
        trials_hash=file.seal,
        choices=choices,
    )


def _choices(file: TuningFile) -> Iterator[tuple[str, TunedChoice]]:
    rule, last = file.rule, len(file.rule.rungs) - 1
    for name, criterion in rule.criteria.items():
        finalists = find_finalists(rule, file.by_number, name)
        trials = [trial for trial in file.trials if trial.k in finalists]
        scored = [(score(rule, trial, name, last), trial.k, trial) for trial in trials]
        finished = [row for row in scored if math.isfinite(row[0])]
        if not finished:
            continue
        value, k, trial = min(finished, key=lambda row: row[:2])
        default = next((v for v, number, _ in finished if number == 0), None)
        sign = 1.0 if criterion.better == "lower" else -1.0
        digits = _decimals([value, *([] if default is None else [default])])
        yield (
            name,
            TunedChoice(
                column=criterion.column,
                trial=k,
                hash=trial.hash,
                options=_searched(file, trial),
                training=trial.training,
                validation=round(sign * value, digits),
                default=None if default is None else round(sign * default, digits),
                gain=None if default is None else round(default - value, digits),
            ),
        )


def _decimals(scores: Sequence[float]) -> int:
    """Six decimals, or as many as leave the smallest score four digits."""
    sizes = [abs(score) for score in scores if score]
    return max([6, *(3 - math.floor(math.log10(size)) for size in sizes)])


def _searched(file: TuningFile, trial: TuningTrial) -> dict[str, Any]:
    """The options that were searched, with their values even where these are the model's defaults."""
    rule = file.rule
    spec = specs_of_trial(rule, trial)[0]
    own = options.defaults(MODELS.get(rule.model))
    names = [name for name in rule.space if name in own]
    return {name: _plain(spec.options[name]) for name in sorted({*names, *rule.base})}


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value
