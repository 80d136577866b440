"""What a claim lays down: bars, runs, budgets, metrics and the experiment, and how two such terms differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from genbench.core.claim import Claim, Run
from genbench.core.errors import SpecError
from genbench.core.feature import EXTRACTORS
from genbench.evaluation.requests import make_requests
from genbench.running.claim_cells import find_choice, specs_of
from genbench.running.dependencies import list_exempted
from genbench.running.measured_noise import digest_errors, digest_rare
from genbench.running.planted import UNREADABLE, hash_parts
from genbench.running.planted_extremes import hash_extremes
from genbench.running.planted_intervals import hash_intervals
from genbench.running.same_terms import BY_RULE, drop_recent, has_content, is_part
from genbench.running.scale import Scale

ABSENT = "absent"


class NoEvidence:
    """Evidence of nothing, with which a claim's effects show their bars."""

    def scores(self, run: Run, column: str) -> Mapping[int, float]:
        """Returns nothing."""
        return {}

    def finished(self, run: Run) -> list[int]:
        """Returns nothing."""
        return []

    def measured(self, column: str) -> Mapping[int, float]:
        """Returns nothing."""
        return {}


def list_terms(claim: Claim) -> dict[str, Any]:
    """Returns what a claim lays down: judged parts with their bars, runs and the experiment, as JSON."""
    judged = [effect for effect in claim.function(NoEvidence()) if effect.judged]
    hashes = hash_parts(claim)
    made_of = hashes if len(hashes) == len(judged) else [UNREADABLE] * len(judged)
    extremes = hash_extremes(claim, len(judged))
    intervals = hash_intervals(claim, len(judged))
    unasked = list_exempted(claim, len(judged))
    parts = [
        {
            "effect": effect.name,
            "bar": float(effect.bar),
            "wanted": effect.wanted,
            **{name: value for name in BY_RULE if (value := getattr(effect, name))},
            "made_of": own,
            "made_of_extremes": far,
            "made_of_intervals": interval,
            "exempted": exempted,
        }
        for effect, own, far, interval, exempted in zip(
            judged, made_of, extremes, intervals, unasked, strict=True
        )
    ]
    terms: dict[str, Any] = {"parts": parts, "runs": {}}
    for run in claim.runs:
        name, k = str(run), 2
        while name in terms["runs"]:
            name, k = f"{run} #{k}", k + 1
        terms["runs"][name] = describe_run(run) | seeds_of(claim)
    if claim.experiment is not None:
        terms["experiment"] = {
            "options": _as_json(Scale().options(claim)),
            "seeds": claim.seeds,
            "version": claim.version,
            **seeds_of(claim),
        }
    return terms


def seeds_of(claim: Claim) -> dict[str, int]:
    """Returns what terms say of the seeds of a claim that does not begin with the first."""
    return {"first_seed": claim.first_seed} if claim.first_seed else {}


def describe_run(run: Run) -> dict[str, Any]:
    """Returns what a registration says of a run."""
    names = ("model", "dataset", "seeds", "steps", "batch", "labelled", "samples")
    about = {name: getattr(run, name) for name in names}
    about |= {"metrics": sorted(run.metrics), "options": _as_json(dict(run.options))}
    if run.dataset_options:
        about["dataset_options"] = _as_json(dict(run.dataset_options))
    if run.metric_options:
        about["metric_options"] = _as_json(dict(run.metric_options))
    about |= {"tuned": run.tuned, "tuned_options": _tuned_options(run)} if run.tuned else {}
    about |= {"resolved": _resolve(run), "measured": _resolve_metrics(run)}
    about |= {"errors": digest_errors(run), "rare": digest_rare(run)}
    return about | {"extractors": _list_extractors()}


def _resolve(run: Run) -> Any:
    """The versions and the defaults that decide a run beside what it names and what tuning chose."""
    try:
        spec = specs_of(replace(run, seeds=1))[0]
    except SpecError as error:
        return str(error)
    choice = find_choice(run) if run.tuned else None
    others = {*run.options, *(choice[0] if choice is not None else ())}
    defaults = {name: value for name, value in spec.options.items() if name not in others}
    of_data = {k: v for k, v in spec.dataset_options.items() if k not in run.dataset_options}
    return {
        "model_version": spec.model_version,
        "defaults": _as_json(defaults),
        "dataset_version": spec.dataset_version,
        "dataset_defaults": _as_json(of_data),
    }


def _resolve_metrics(run: Run) -> dict[str, Any]:
    """The versions and all options of what measures a run, by metric."""
    return {
        request.metric.name: {
            "version": request.metric.version,
            "options": _as_json(dict(request.options)),
        }
        for request in make_requests(run.parts, samples=run.samples)
    }


def _list_extractors() -> dict[str, int]:
    """The versions of what makes features, as no run of a claim names an extractor."""
    return {name: EXTRACTORS.get(name).version for name in ("classifier", "identity")}


def _tuned_options(run: Run) -> Any:
    """The options and the training that tuning chose for a run, or in words that there are none."""
    try:
        choice = find_choice(run)
    except SpecError as error:
        return str(error)
    if choice is None:
        return "not tuned yet"
    options, training = choice
    others = training.model_dump(exclude_defaults=True) if training is not None else {}
    return _as_json(options | others)


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _as_json(inner) for key, inner in sorted(value.items())}
    return [_as_json(v) for v in value] if isinstance(value, (list, tuple)) else value


def compare_terms(
    before: Mapping[str, Any], now: Mapping[str, Any], ignored: Collection[str] = ()
) -> list[str]:
    """Returns what differs, field by field, e.g. "experiment.options.rounds: 800, now 1600".

    A part, a run or an experiment that one side alone has is one line; so is a metric of a run, whose
    options are none of their own.

    Arguments:
        before: The terms that were registered.
        now: Those of today; the wording of effects is of no account.
        ignored: Fields of parts that do not count (`list_ignored`).
    """
    parts = _pair_parts(before, now, ignored)
    sides = [own | _split(terms) for own, terms in zip(parts, (before, now), strict=True)]
    changes = []
    for name in {**sides[0], **sides[1]}:
        if name not in sides[0] or name not in sides[1]:
            changes.append(f"{name}: {'added' if name in sides[1] else 'left out'}")
            continue
        old, new = (side[name] for side in sides)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            new = drop_recent(new, old)
        changes += _compare_fields(name, old, new, ignored)
    return changes


def _compare_fields(name: str, old: Any, new: Any, ignored: Collection[str]) -> list[str]:
    """What differs in a part, a run or an experiment that both sides have."""
    was, is_now = (dict(_fields(side, ignored, name)) for side in (old, new))
    fields = [f for f in {**was, **is_now} if was.get(f, ABSENT) != is_now.get(f, ABSENT)]
    for derived in (".made_of_intervals", ".made_of_extremes", ".errors", ".rare"):
        if len(fields) > 1:  # of which that is no news
            fields = [field for field in fields if not field.endswith(derived)]
    wholes = _find_wholes(name, old, new)
    lines = []
    for field in fields:
        whole = next((w for w in wholes if field.startswith(f"{w}.")), None)
        if whole is None:
            lines.append(_say(field, was.get(field, ABSENT), is_now.get(field, ABSENT)))
        else:
            lines.append(wholes[whole])
    return list(dict.fromkeys(line for line in lines if line))


def _find_wholes(name: str, old: Any, new: Any) -> dict[str, str]:
    """What is said of a metric that one side of a run alone has, by the field that holds all of it.

    That is nothing where the run's own metrics say so already; else it was brought by another metric.
    """
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return {}
    named = set(old.get("metrics", ())) ^ set(new.get("metrics", ()))
    wholes = {f"{name}.{field}.{m}": "" for field in ("measured", "metric_options") for m in named}
    before, now = (side.get("measured", {}) for side in (old, new))
    for metric in (before.keys() ^ now.keys()) - named:
        whole = f"{name}.measured.{metric}"
        wholes[whole] = f"{whole}: {'added' if metric in now else 'left out'}"
    return wholes


def _say(field: str, old: Any, new: Any) -> str:
    part, _, name = field.rpartition(".")
    if name == "metrics" and ABSENT not in (old, new) and set(old) != set(new):
        exchanged = [[m for m in one if m not in other] for one, other in ((old, new), (new, old))]
        old, new = (", ".join(names) or "none" for names in exchanged)
    if name == "errors":
        return f"{part}: other measured errors of test set and extractor"
    if name == "rare":
        return f"{part}: other rare events of the family"
    if name == "made_of":
        return f"{part}: made of other numbers (columns, sides, direction or scale)"
    if name == "made_of_extremes":
        return f"{part}: makes something else of failed, absent, negative, tiny or large numbers"
    if name == "made_of_intervals":
        what = "test sets' noise, rare events, sides or pairs of seeds"
        return f"{part}: makes its interval of something else ({what})"
    return f"{field}: {old}, now {new}"


def _pair_parts(
    before: Mapping[str, Any], now: Mapping[str, Any], ignored: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parts of both by their places today: those that are the same, then the others in their order."""
    old, new = (list(terms.get("parts", ())) for terms in (before, now))
    places: dict[int, int] = {}

    def settle(fits: Callable[[int, int], bool]) -> None:
        for k in range(len(new)):
            free = (j for j in range(len(old)) if j not in places.values() and fits(j, k))
            if k not in places and (place := next(free, None)) is not None:
                places[k] = place

    settle(lambda j, k: j == k and is_part(old[j], new[k], ignored))
    settle(lambda j, k: has_content(old[j]) and is_part(old[j], new[k], ignored))
    settle(lambda j, k: True)
    left_out = [j for j in range(len(old)) if j not in places.values()]
    names = {j: f"{'former ' if j < len(new) else ''}part {j + 1}" for j in left_out}
    paired = {f"part {k + 1}": old[j] for k, j in sorted(places.items())}
    return (
        paired | {name: old[j] for j, name in names.items()},
        {f"part {k}": part for k, part in enumerate(new, 1)},
    )


def _split(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Terms but for parts by what they are of: a run, the experiment."""
    runs = {f"runs.{name}": run for name, run in terms.get("runs", {}).items()}
    others = {name: value for name, value in terms.items() if name not in ("parts", "runs")}
    return {**runs, **others}


def _fields(value: Any, ignored: Collection[str], name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key != "effect" and key not in ignored:
                yield from _fields(inner, ignored, f"{name}.{key}")
    else:
        yield name, value
