"""Where trials come from: seeded random search, or Optuna's tree-structured Parzen estimator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from genbench.core.errors import SpecError
from genbench.core.model import MODELS
from genbench.core.search import (
    Choice,
    Dimension,
    LogUniform,
    Uniform,
    draw_share,
    round_within,
)
from genbench.core.spec import canonical
from genbench.running.tuning_rule import last_score
from genbench.store.tuning import TuningFile, TuningRule, TuningTrial

SAMPLERS = ("random", "tpe")


def propose(
    rule: TuningRule, file: TuningFile, members: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """Returns points of the search space by number of the trial; none where they are drawn at random.

    The points of a bracket depend on the rule and on the trials before the bracket alone, so that a run
    that was killed proposes the same again.
    """
    if rule.sampler == "random" or members == [0]:
        return {}
    return _propose_tpe(rule, [t for t in file.trials if t.k < members[0]], members)


def _propose_tpe(
    rule: TuningRule, before: Sequence[TuningTrial], members: Sequence[int]
) -> dict[int, dict[str, Any]]:
    optuna = import_optuna()
    space = dict(sorted(MODELS.get(rule.model).search.items()))
    distributions = {name: _distribution(optuna, one) for name, one in space.items()}
    seed = int(draw_share("tpe", rule.model, rule.dataset, members[0]) * 2**31)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=rule.bracket)
    )
    scored = [(t, last_score(rule, t, "samples")) for t in before if t.k > 0]
    worst = max((s for _, s in scored if math.isfinite(s)), default=0.0)
    for trial, value in scored:
        study.add_trial(
            optuna.trial.create_trial(
                params={name: _encode(one, _value(trial, name)) for name, one in space.items()},
                distributions=distributions,
                value=value if math.isfinite(value) else worst,
            )
        )
    points = {}
    for k in members:
        suggestion = study.ask(distributions)
        points[k] = {name: _decode(one, suggestion.params[name]) for name, one in space.items()}
    return points


def import_optuna() -> Any:
    """Returns Optuna, silenced.

    Raises:
        SpecError: If it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise SpecError(
            "--sampler tpe needs Optuna, which is not installed; pip install 'genbench[tune]', or "
            "take --sampler random"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _distribution(optuna: Any, dimension: Dimension) -> Any:
    if isinstance(dimension, Choice):
        return optuna.distributions.CategoricalDistribution(tuple(range(len(dimension.values))))
    assert isinstance(dimension, (Uniform, LogUniform))
    log = isinstance(dimension, LogUniform)
    return optuna.distributions.FloatDistribution(dimension.low, dimension.high, log=log)


def _value(trial: TuningTrial, name: str) -> Any:
    """What a trial has in a dimension."""
    first, _, rest = name.partition(".")
    if first != "training":
        return trial.options.get(name)
    if rest.startswith("rates."):
        return trial.training.get("rates", {}).get(rest.removeprefix("rates."))
    return trial.training.get(rest)


def _encode(dimension: Dimension, value: Any) -> Any:
    """A value as the sampler knows it: of a choice its place, found by what a file holds of it."""
    if isinstance(dimension, Choice):
        return [canonical(one) for one in dimension.values].index(canonical(value))
    return _round(dimension, value)


def _decode(dimension: Dimension, value: Any) -> Any:
    if isinstance(dimension, Choice):
        return dimension.values[value]
    return _round(dimension, value)


def _round(dimension: Dimension, value: float) -> float:
    assert isinstance(dimension, (Uniform, LogUniform))
    return round_within(value, dimension.low, dimension.high)
