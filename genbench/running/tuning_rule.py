"""From a data set's tuning plan to rules, trials and the halving that decides who goes on."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from genbench.core import options
from genbench.core.dataset import DATASETS, resolve_options, version_of
from genbench.core.errors import GenbenchError, SpecError, unknown
from genbench.core.metric import METRICS, find
from genbench.core.model import MODELS, Density
from genbench.core.registry import Registry
from genbench.core.search import describe_space, draw_point, split_point
from genbench.core.spec import CellSpec, Part, Training, Tuning, canonical
from genbench.evaluation.extractors import resolve_features
from genbench.evaluation.provenance import tag_code
from genbench.store.tuning import DRAWN, Criterion, TuningFile, TuningRule, TuningTrial

#: seeds of trials lie above it, so that no cell of a suite has one of them
FIRST_SEED = 1_000_000


def make_rule(model: str, dataset: str, plan: Tuning, sampler: str) -> TuningRule:
    """Returns what all trials of a model on a data set have in common.

    Raises:
        SpecError, UnknownName: For options, metrics or an extractor that are not there, or a criterion
            that is no single column or not of its kind.
    """
    model_class = MODELS.get(model)
    criteria = {"samples": _criterion(plan.criteria.samples)}
    density = None if plan.criteria.density is None else _criterion(plan.criteria.density)
    if density is not None and "density" not in METRICS.get(density.metric).needs:
        raise SpecError(
            f"the criterion density needs a metric of densities, such as nll, got {density.column}, which "
            f"looks at samples; name it as samples"
        )
    if density is not None and issubclass(model_class, Density):
        criteria["density"] = density
    base = plan.base.get(model, {})
    own = resolve_options(dataset, plan.options)
    options.resolve(model_class, base, who=f"model {model}")
    return TuningRule(
        version=2 if len(criteria) > 1 else 1,
        model=model,
        model_version=model_class.version,
        dataset=dataset,
        dataset_version=version_of(dataset, own),
        dataset_options=own,
        base=base,
        space=describe_space(model_class.search),
        sampler=sampler,
        budget=plan.budget,
        batch=plan.batch,
        criteria=criteria,
        samples=plan.samples,
        features=None if plan.features is None else str(resolve_features(plan.features)),
        seeds=plan.seeds,
        bracket=plan.bracket,
        rungs=plan.rungs,
        keep=plan.keep,
    )


def _criterion(part: Part) -> Criterion:
    metric = find([part.name])[0]
    if part.name not in metric.columns and len(metric.columns) > 1:
        able = [name for name, column in metric.columns.items() if column.better != "none"]
        raise SpecError(
            f"{part.name} has several columns, one of which chooses; name it as the criterion: "
            f"{', '.join(able)}"
        )
    column = part.name if part.name in metric.columns else next(iter(metric.columns))
    better = metric.columns[column].better
    if better == "none":
        raise SpecError(
            f"{column} has no better direction, so it cannot choose; take another column"
        )
    chosen = options.resolve(metric.function, part.options, who=f"metric {metric.name}")
    chosen.pop("rng", None)
    return Criterion(
        column=column, metric=metric.name, version=metric.version, options=chosen, better=better
    )


def make_trial(rule: TuningRule, k: int, point: Mapping[str, Any] | None = None) -> TuningTrial:
    """Returns trial k of a rule: the model's default, or a point of its search space.

    Arguments:
        rule: The rule.
        k: The trial's number; 0 is the default.
        point: The point; None draws the one that model, data set and number decide.
    """
    space = MODELS.get(rule.model).search
    if k == 0:
        point = {}
    elif point is None:
        point = draw_point(space, "trial", rule.model, rule.dataset, k)
    chosen, training = split_point(point)
    trial = TuningTrial(k=k, hash="", options=chosen, training=training, seeds=_seeds(rule, k))
    return trial.model_copy(update={"hash": specs_of_trial(rule, trial)[0].group})


def find_changed(file: TuningFile) -> str | None:
    """Returns, as a sentence, that trials are not of the options and defaults of the model now, or None."""
    rule = file.rule
    place = f"{rule.model} on {rule.dataset} (tuning/{rule.file})"
    try:
        changed = sorted({t.k for t in file.trials if not _is_own(rule, t)} | _find_doubled(file))
    except SpecError as error:
        return (
            f"{place}: trials were made with other options than version {rule.model_version} of {rule.model} "
            f"has now ({error}); give them back, or raise its version"
        )
    if not changed:
        return _find_other_sources(file, place)
    return (
        f"{place}: {len(changed)} of {len(file.trials)} trials "
        f"(first trial {changed[0]}) were made with other defaults than version {rule.model_version} of "
        f"{rule.model} has now, or were edited; raise its version, so that all of its trials have the same, "
        f"or delete the file"
    )


def list_sources(rule: TuningRule) -> dict[str, str]:
    """Returns digits of the source of what trials are made and scored by and is a user's, by what it is.

    Nothing is said of what is not installed.
    """
    metrics = sorted({criterion.metric for criterion in rule.criteria.values()})
    used: list[tuple[Registry[Any], str]] = [(MODELS, rule.model), (DATASETS, rule.dataset)]
    codes = {}
    for registry, name in [*used, *((METRICS, name) for name in metrics)]:
        with suppress(GenbenchError):
            thing = registry.get(name)
            codes[f"{registry.kind} {name}"] = tag_code(getattr(thing, "function", thing))
    return {what: code for what, code in codes.items() if code}


def _find_other_sources(file: TuningFile, place: str) -> str | None:
    """As a sentence, that trials were made with another source of a plugin than its file has now, or None."""
    now = list_sources(file.rule)
    before = [row for where in file.environments for row in where.get("sources", {}).items()]
    changed = sorted({what for what, code in before if now.get(what, code) != code})
    if not changed:
        return None
    return (
        f"{place}: trials were made with another source of {' and of '.join(changed)} than there is now; "
        "give it back, raise its version, so that all of its trials have the same, or delete the file"
    )


def _is_own(rule: TuningRule, trial: TuningTrial) -> bool:
    """Whether a trial's options hash to its hash, and are those, with the seeds, that its number has.

    A point that another search space drew, or Optuna proposed, cannot be drawn again.
    """
    if specs_of_trial(rule, trial)[0].group != trial.hash or trial.seeds != _seeds(rule, trial.k):
        return False
    space = describe_space(MODELS.get(rule.model).search)
    redrawn = rule.sampler == DRAWN and canonical(space) == canonical(rule.space)
    return not (redrawn or trial.k == 0) or make_trial(rule, trial.k).hash == trial.hash


def _find_doubled(file: TuningFile) -> set[int]:
    """The numbers that several trials of a file have."""
    return {k for k, many in Counter(trial.k for trial in file.trials).items() if many > 1}


def find_failed(file: TuningFile) -> str | None:
    """Returns, as the beginning of a sentence, that trials of a file failed, or None.

    A model that diverges has been tried, and is scored as the worst; what was stopped by a time limit, by
    the machine's memory or by an error has not.
    """
    failed = [trial for trial in file.trials if trial.failures]
    if not failed:
        return None
    rule, first = file.rule, failed[0]
    reason = next(iter(first.failures.values()))
    return (
        f"{rule.model} on {rule.dataset} (tuning/{rule.file}): {len(failed)} of {len(file.trials)} trials "
        f"failed (trial {first.k}: {reason}), and of lost trials only those that diverged count"
    )


def specs_of_trial(rule: TuningRule, trial: TuningTrial) -> list[CellSpec]:
    """Returns the cells of a trial, one per seed, as a suite would have them."""
    model = MODELS.get(rule.model)
    chosen = {**rule.base, **trial.options}
    return [
        CellSpec(
            model=rule.model,
            model_version=rule.model_version,
            options=options.resolve(model, chosen, who=f"model {rule.model}"),
            dataset=rule.dataset,
            dataset_version=rule.dataset_version,
            dataset_options=rule.dataset_options,
            budget=rule.budget,
            batch=rule.batch,
            training=Training(**trial.training) if trial.training else None,
            seed=seed,
        )
        for seed in trial.seeds
    ]


def _seeds(rule: TuningRule, k: int) -> list[int]:
    """Seeds of a trial's own, above those of suites."""
    text = f"{rule.model}/{rule.dataset}/{k}"
    first = int(hashlib.sha256(text.encode()).hexdigest()[:7], 16)
    return [FIRST_SEED + first + j for j in range(rule.seeds)]


def brackets(rule: TuningRule, trials: int) -> list[list[int]]:
    """Returns the numbers of trials that are halved among themselves; the default stands alone.

    Raises:
        SpecError: If the last bracket would not be full: more trials would change who survives in it.
    """
    rest, size = trials - 1, rule.bracket
    if rest % size:
        near = 1 + size * (rest // size)
        raise SpecError(
            f"--trials, or trials of a plan, needs the default and whole brackets of {size}, got {trials}; "
            f"take {near} or {near + size}"
        )
    return [[0], *([*range(at, at + size)] for at in range(1, trials, size))]


def is_finished(file: TuningFile) -> bool:
    """Returns whether a search has ended: its default and whole brackets of trials went as far as they go."""
    found = file.by_number
    count = max(found, default=0) + 1
    if (count - 1) % file.rule.bracket:
        return False
    return not any(frontier(file.rule, found, some)[1] for some in brackets(file.rule, count))


def pending(
    rule: TuningRule, trials: Mapping[int, TuningTrial], members: Sequence[int]
) -> list[tuple[int, int]]:
    """Returns the trials of a bracket that are to be trained next, each with its rung."""
    rung, alive = frontier(rule, trials, members)
    return [(k, rung) for k in alive if k not in trials or not trials[k].complete(rung)]


def frontier(
    rule: TuningRule, trials: Mapping[int, TuningTrial], members: Sequence[int]
) -> tuple[int, list[int]]:
    """Returns the rung that a bracket is at, and the trials that go on to it; none when it is over.

    A rung is decided when all that go on to it are scored there.
    """
    alive = [*members]
    for rung in range(len(rule.rungs)):
        if any(k not in trials or not trials[k].complete(rung) for k in alive):
            return rung, alive
        alive = survivors(rule, [trials[k] for k in alive], rung)
    return len(rule.rungs), []


def survivors(rule: TuningRule, trials: Sequence[TuningTrial], rung: int) -> list[int]:
    """Returns the numbers of the trials that go on from a rung: the best `keep`, rounded up.

    Where there are several criteria they choose in turn, the best that is not yet chosen each time, so
    that as many go on whatever the criteria; but to the last rung each sends its own, since turns would end
    with the first's alone. What diverged or failed comes last; ties go by number.
    """
    many = math.ceil(rule.keep * len(trials))
    orders = [_sort(rule, trials, name, rung) for name in rule.criteria]
    if _is_last_choice(rule, rung):
        return sorted({k for order in orders for k in order[:many]})
    chosen: list[int] = []
    while len(chosen) < many:
        for order in orders:
            best = next((k for k in order if k not in chosen), None)
            if best is not None and len(chosen) < many:
                chosen.append(best)
    return sorted(chosen)


def _is_last_choice(rule: TuningRule, rung: int) -> bool:
    """Whether a rung's survivors train for the whole budget, each criterion's own."""
    return rule.version > 1 and 0 <= rung == len(rule.rungs) - 2


def _sort(rule: TuningRule, trials: Sequence[TuningTrial], name: str, rung: int) -> list[int]:
    """The numbers of trials, the best by a criterion first."""
    return [t.k for t in sorted(trials, key=lambda t: (score(rule, t, name, rung), t.k))]


def find_finalists(rule: TuningRule, trials: Mapping[int, TuningTrial], name: str) -> set[int]:
    """Returns the trials whose scores at the whole budget count for a criterion: those that it sent there.

    So each criterion chooses among as many, whatever others sent.
    """
    whole = len(rule.rungs) - 1
    return {k for k, rung in find_last_rungs(rule, trials, name).items() if rung == whole}


def find_last_rungs(
    rule: TuningRule, trials: Mapping[int, TuningTrial], name: str
) -> dict[int, int]:
    """Returns the last rung to which a criterion sends each trial, by number; the default goes to the end.

    Another may have been scored at further rungs: by another criterion, or in place of one that had failed
    and was better when it was tried again. These do not count, so that a search with a failure that was
    mended chooses as one without it.
    """
    whole = len(rule.rungs) - 1
    last_rungs = {0: whole}
    for at in range(1, max(trials, default=0) + 1, rule.bracket):
        alive = [k for k in range(at, at + rule.bracket) if k in trials]
        last_rungs |= dict.fromkeys(alive, 0)
        for rung in range(whole):
            some = [trials[k] for k in alive]
            if _is_last_choice(rule, rung):
                alive = _sort(rule, some, name, rung)[: math.ceil(rule.keep * len(alive))]
            else:
                alive = survivors(rule, some, rung)
            last_rungs |= dict.fromkeys(alive, rung + 1)
    return last_rungs


def score(rule: TuningRule, trial: TuningTrial, criterion: str, rung: int) -> float:
    """Returns a trial's mean over seeds at a rung, the lower the better; infinite where a seed has none."""
    if trial.failures or rung >= len(trial.rungs):
        return math.inf
    by_seed = trial.rungs[rung].scores.get(criterion, {})
    values = [by_seed.get(seed) for seed in trial.seeds]
    numbers = [v for v in values if v is not None and math.isfinite(v)]
    if len(numbers) < len(values):
        return math.inf
    sign = 1.0 if rule.criteria[criterion].better == "lower" else -1.0
    return sign * math.fsum(numbers) / len(numbers)


def counted_scores(
    rule: TuningRule, trials: Mapping[int, TuningTrial], name: str
) -> dict[int, float]:
    """Returns each trial's score at the last rung to which a criterion sent it, by number."""
    last_rungs = find_last_rungs(rule, trials, name)
    return {
        k: score(rule, trial, name, min(max(len(trial.rungs) - 1, 0), last_rungs[k]))
        for k, trial in trials.items()
    }


def last_score(rule: TuningRule, trial: TuningTrial, criterion: str) -> float:
    """Returns a trial's score at the last rung that it reached."""
    return score(rule, trial, criterion, max(len(trial.rungs) - 1, 0))


def choose_plans(plans: Mapping[str, Tuning], datasets: Sequence[str]) -> dict[str, Tuning]:
    """Returns the plans that are named, by their own names or their data sets'; all without names.

    Raises:
        UnknownName: For a data set without a plan.
    """
    names = {name: {name, plan.dataset or name} for name, plan in plans.items()}
    for name in datasets:
        if not any(name in own for own in names.values()):
            raise unknown("tuning plan for data set", name, set().union(*names.values()))
    return {
        name: plan
        for name, plan in plans.items()
        if not datasets or names[name].intersection(datasets)
    }
