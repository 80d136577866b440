"""What tuning plans and commands name: which models are tuned, and why others, data or criteria cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genbench.core import options
from genbench.core.dataset import DATASETS, Dataset, DataSpec, open_named, resolve_options
from genbench.core.errors import AbsentData, DataError, SpecError
from genbench.core.feature import EXTRACTORS, Logits
from genbench.core.guard import blamed
from genbench.core.metric import METRICS, Metric, View, find
from genbench.core.model import ABILITIES, MODELS, Density, build
from genbench.core.rng import Rng
from genbench.core.search import list_values, split_point
from genbench.core.spec import Part, Training, Tuning, canonical
from genbench.evaluation.requests import make_requests
from genbench.evaluation.validation import ValidationScorer, WithoutTest
from genbench.store.tuning import TuningRule
from genbench.training.adjust import adjust_players
from genbench.training.stopping import check_stopping

#: views of which data alone cannot tell whether they can be had, and what is asked of the data instead
UNTRAINED: dict[View, View] = {"model": "truth", "logits": "features"}

#: fewer validation points are tried before the first trial: not every metric can do with them
FEW = 100


def tuned_models(dataset: str, plan: Tuning, models: Sequence[str] = ()) -> Iterator[str]:
    """Yields the models that are tuned on a data set: those that are trained and can do the data.

    Raises:
        UnknownName: For a model that no registry knows.
    """
    for name in models or plan.models or MODELS.names():
        if find_obstacle(name, dataset, plan) is None:
            yield name


def find_obstacle(model: str, dataset: str, plan: Tuning) -> str | None:
    """Returns why a model cannot be tuned on a data set by a plan, or None.

    Raises:
        UnknownName: For a model or a metric that no registry knows.
    """
    cls: Any = DATASETS.get(dataset)
    refusal = MODELS.get(model).refuses(cls(**resolve_options(dataset, plan.options)).spec)
    if refusal is None and not MODELS.get(model).search:
        trained = MODELS.get(model).taxonomy != "reference"
        return "it has no search space" + ("; declare search in its file" if trained else "")
    return refusal or _find_missing_ability(MODELS.get(model), plan)


def _find_missing_ability(model: type, plan: Tuning) -> str | None:
    """What a criterion asks of a model that it cannot do, or None."""
    parts = [plan.criteria.samples]
    if plan.criteria.density is not None and issubclass(model, Density):
        parts.append(plan.criteria.density)
    for part in parts:
        for need in find([part.name])[0].needs:
            if need in ABILITIES and not issubclass(model, ABILITIES[need]):
                return f"it has no {need}, which the criterion {part.name} measures"
    return None


def refuse_idle(
    plans: Mapping[str, Tuning], models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> None:
    """Refuses what is named and would be dropped: a model that cannot be tuned, data that none is tuned on.

    A model of a plan's own list must be tuned by that plan, one that a command names by any.

    Arguments:
        plans: By name, how data sets are tuned.
        models: Those that a command names; they are tuned in place of the plans' own.
        datasets: Plans or data sets that a command names.

    Raises:
        UnknownName: For a model that no registry knows.
        SpecError: With every refused model and its reason.
    """
    for name, plan in plans.items():
        _check_base(name, plan)
        if not (models or plan.models or any(tuned_models(plan.dataset or name, plan))):
            raise SpecError(
                f"no model can be tuned by the plan {name}; take other criteria or data"
            )
    refused = _find_refused(plans, models)
    if models:
        able = {m for m in models if any((m, name) not in refused for name in plans)}
        named = {n for n in plans if {n, plans[n].dataset or n}.intersection(datasets)}
        named = {n for n in named if all((m, n) in refused for m in models)}
        refused = {(m, n): why for (m, n), why in refused.items() if m not in able or n in named}
    if refused:
        raise SpecError("; ".join(_describe(refused)) + "; leave out what cannot be tuned")


def _find_refused(
    plans: Mapping[str, Tuning], models: Sequence[str]
) -> dict[tuple[str, str], str]:
    """By model and plan, why a model that is named cannot be tuned."""
    return {
        (model, name): reason
        for name, plan in plans.items()
        for model in models or plan.models
        if (reason := find_obstacle(model, plan.dataset or name, plan)) is not None
    }


def _check_base(name: str, plan: Tuning) -> None:
    """Refuses options of a model that is not there, that the plan does not list, or that cannot be tuned.

    A plan that lists no models may share its options with those of other data, whose models it refuses.
    """
    for model in plan.base:
        MODELS.get(model)
        if not MODELS.get(model).search:
            raise SpecError(
                f"the plan {name} has options for {model} under base, which has no search space and is not "
                f"tuned; take them out"
            )
        searched = sorted(MODELS.get(model).search.keys() & plan.base[model].keys())
        if searched:
            raise SpecError(
                f"the plan {name} has {', '.join(searched)} for {model} under base, which its trials search; "
                f"take it out there, or out of the model's search"
            )
        if plan.models and model not in plan.models:
            raise SpecError(
                f"the plan {name} has options for {model} under base, and does not list it under models; "
                f"add it there, or take the options out"
            )


def _describe(refused: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """A clause per model and reason, with the plans that it is the reason of."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for (model, name), reason in refused.items():
        by_reason.setdefault((model, reason), []).append(name)
    for (model, reason), names in by_reason.items():
        yield f"{model} cannot be tuned on {', '.join(names)}: {reason}"


def check_space(model: str) -> None:
    """Refuses a search space with options that the model does not have, or values that they do not take.

    Raises:
        SpecError: For the first such value, naming the option.
    """
    cls = MODELS.get(model)
    for name, dimension in cls.search.items():
        for value in list_values(dimension):
            try:
                options.resolve(cls, split_point({name: value})[0], who=f"model {model}")
            except SpecError as error:
                raise SpecError(f"{error}; correct the model's search in its file") from None


def check_data(rules: Iterable[TuningRule], data_dir: Path | None = None) -> None:
    """Refuses data without a validation split, and criteria that cannot be measured on theirs.

    Data whose files are not here are left to the jobs, which fetch them.

    Arguments:
        rules: The rules.
        data_dir: A folder with data sets' files.

    Raises:
        DataError: For data without a validation split, or whose files cannot be used.
        SpecError: For a criterion that their truth, or so few validation points, do not give, and for a
            search space with players that a model does not have there.
    """
    by_data: dict[str, list[TuningRule]] = {}
    for rule in rules:
        key = canonical([rule.dataset, rule.dataset_options, rule.samples])
        by_data.setdefault(key, []).append(rule)
    for alike in by_data.values():
        data = _open_here(alike[0], data_dir)
        if data is not None:
            _check_criteria(alike, WithoutTest(data))
            for rule in alike:
                _check_players(rule, data.spec)


def _open_here(rule: TuningRule, data_dir: Path | None) -> Dataset | None:
    """A rule's data set, or None where its files are not here."""
    try:
        with blamed(f"data set {rule.dataset!r}", DATASETS.get(rule.dataset)):
            where = {"data_dir": data_dir, "offline": True}
            data = open_named(rule.dataset, **where, **rule.dataset_options)
            data.points("validation")
    except AbsentData:
        return None
    return data


def _check_criteria(rules: Sequence[TuningRule], data: WithoutTest) -> None:
    """Refuses the criteria of rules of the same data that cannot be measured there."""
    name = rules[0].dataset
    scorer = ValidationScorer(data, [], samples=rules[0].samples)
    for metric, column in sorted(
        {(c.metric, c.column) for r in rules for c in r.criteria.values()}
    ):
        criterion = METRICS.get(metric)
        reason = scorer.reference.find_obstacle(_ask_of_data_alone(criterion))
        if criterion.view == "logits" and not issubclass(
            EXTRACTORS.get(scorer.features.name), Logits
        ):
            reason = f"the extractor {scorer.features.name} has no class logits"
        if reason is not None:
            raise SpecError(f"{column} cannot choose on {name}: {reason}; take another criterion")
    if len(data.points("validation")) < FEW:
        _try_few(rules, data)


def _check_players(rule: TuningRule, spec: DataSpec) -> None:
    """Refuses a model that cannot be built, and a search whose rates, shares or stopping do not fit it."""
    space = MODELS.get(rule.model).search
    fields = [split_point({name: one.at(0.5)})[1] for name, one in space.items()]
    players = build(rule.model, spec, Rng([0]), rule.base).players()
    for field in fields:
        if not {"rates", "share", "stopping"} & field.keys():
            continue
        try:
            adjust_players(players, Training(**field))
            if "stopping" in field:
                check_stopping(players)
        except SpecError as error:
            raise SpecError(
                f"model {rule.model} on {rule.dataset}: {error}; correct the model's search in its file"
            ) from None


def _try_few(rules: Sequence[TuningRule], data: WithoutTest) -> None:
    """Refuses the criteria of rules that so few validation points cannot give: training points are scored."""
    asked = {
        (c.metric, canonical(c.options), r.features): (c, r)
        for r in rules
        for c in r.criteria.values()
    }
    for criterion, rule in asked.values():
        parts = [Part(name=criterion.metric, options=criterion.options)]
        features = Part(name=rule.features) if rule.features else None
        requests = make_requests(parts, samples=rule.samples, features=features)
        try:
            _ = ValidationScorer(data, requests, samples=rule.samples, features=features).floors
        except DataError as error:
            raise SpecError(
                f"{criterion.column} cannot choose on {rule.dataset} by its validation split: {error}"
            ) from None


def _ask_of_data_alone(metric: Metric) -> Metric:
    """A metric without what it asks of a model or an extractor, so that what it asks of data is left."""
    needs = tuple(need for need in metric.needs if need not in ABILITIES)
    return replace(metric, needs=needs, view=UNTRAINED.get(metric.view, metric.view))
