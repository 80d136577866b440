"""Which searches count as equal tuning: a plan's whole search, the same for every model of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from genbench.core.errors import SpecError, StoreError
from genbench.core.model import MODELS
from genbench.core.spec import Tuning
from genbench.running.tuning_choice import make_entry
from genbench.running.tuning_rule import (
    brackets,
    choose_plans,
    find_changed,
    find_failed,
    frontier,
    make_rule,
)
from genbench.store.equal_tuning import Inequality, find_inequalities
from genbench.store.locks import changing
from genbench.store.tuned import TunedEntry, data_of, key_of, merge_entries, write_tuned
from genbench.store.tuning import TuningFile, TuningRule
from genbench.store.tunings import Tunings


@dataclass(frozen=True)
class Refusal:
    """A search that is not accepted, or a named model without one.

    Arguments:
        model: The model.
        problem: What is wrong and what to type, as a sentence.
        foreign: Whether it is of data that no plan is about, so that nobody asked for it.
    """

    model: str
    problem: str
    foreign: bool = False


@dataclass(frozen=True)
class Acceptance:
    """What the searches of a results folder give.

    Arguments:
        entries: The best options of every search that is accepted.
        refusals: The others.
    """

    entries: tuple[TunedEntry, ...]
    refusals: tuple[Refusal, ...]


def accept_tuning(
    root: Path,
    to: Path,
    plans: Mapping[str, Tuning],
    *,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    sampler: str = "random",
    write: bool = True,
) -> Acceptance:
    """Writes the best options of all searches that followed their plans to the end to a file.

    Refused are searches that are not finished or have trials that failed, that have another number of
    trials or another rule than their plan, whose number, sampler or rule is not that of other models of the
    data set in the file, or that share a place in the file with another plan's.

    Arguments:
        root: The results folder.
        to: The file of tuned options, whose other entries stay.
        plans: By name, how a data set is tuned.
        models: Only these, if any are named.
        datasets: Only these plans, if any are named, by their own names or their data sets'.
        sampler: Where trials came from, `random` or `tpe`.
        write: Whether the file is written.

    Raises:
        UnknownName: For a data set without a plan.
        SpecError: If there is nothing to accept or to refuse.
        StoreError: If a file of trials cannot be used.
    """
    chosen = choose_plans(plans, datasets)
    entries: list[TunedEntry] = []
    refusals: list[tuple[TuningRule, str]] = []
    files = _read_files(root)
    for file in files:
        rule = file.rule
        wanted = not datasets or _find_plans(rule, chosen)
        if not wanted or (models and rule.model not in models):
            continue
        entry = (
            make_entry(file) if (problem := find_problem(file, chosen, sampler)) is None else None
        )
        if entry is not None:
            entries.append(entry)
        else:
            refusals.append((rule, problem or _explain_unscored(file)))
    done = {(entry.model, data_of(entry)) for entry in entries}
    left = [
        Refusal(r.model, text, foreign=r.model in MODELS and not _find_plans(r, chosen))
        for r, text in refusals
        if (r.model, data_of(r)) not in done
    ]
    single, double = _split_double(entries)
    equal, unequal = _write_equal(to, single, root) if write else _split_unequal(to, single)
    tried = {*(entry.model for entry in entries), *(one.model for one in left)}
    absent = [Refusal(name, _absent(name, root)) for name in models if name not in tried]
    if not (entries or left or (files and absent)):
        raise SpecError(
            f"{root}/tuning has no finished trials; make some with: genbench tune -o {quote(str(root))}"
        )
    return Acceptance(tuple(equal), (*left, *double, *unequal, *absent))


def find_problem(
    file: TuningFile, plans: Mapping[str, Tuning], sampler: str = "random"
) -> str | None:
    """Returns why a search is not that of a plan, as a sentence with what to type; None if it is.

    Arguments:
        file: The trials.
        plans: By name, how a data set is tuned.
        sampler: Where trials should have come from.
    """
    rule = file.rule
    if rule.model not in MODELS:
        return f"{_name(rule)}: the model is not installed; name its file by --plugin"
    own = _find_plans(rule, plans)
    if not own:
        return f"{_name(rule)}: the suite file has no plan for it under tuning; name another by --config"
    planned = {
        name: make_rule(rule.model, rule.dataset, plan, sampler) for name, plan in own.items()
    }
    name = next((name for name, other in planned.items() if other.file == rule.file), None)
    if name is not None:
        return find_changed(file) or _find_shortfall(file, name, own[name].trials)
    name, other = min(planned.items(), key=lambda pair: len(_differences(rule, pair[1])))
    differences = _differences(rule, other)
    if differences == ["sampler"]:
        return (
            f"{_name(rule)}: its trials come from the sampler {rule.sampler}, not {sampler}; "
            f"add: --sampler {rule.sampler}"
        )
    return (
        f"{_name(rule)}: tuned by another rule than the plan {name} ({', '.join(differences)} "
        f"{'differs' if len(differences) == 1 else 'differ'}); type: {_command(rule.model, name, sampler)}"
    )


def _find_shortfall(file: TuningFile, plan: str, trials: int) -> str | None:
    """Why a search by a plan's rule is longer or shorter than the plan, or None."""
    rule, found = file.rule, file.by_number
    command = _command(rule.model, plan, rule.sampler)
    if len(found) > trials:
        return (
            f"{_name(rule)}: {len(found)} trials, where the plan {plan} gives every model {trials}; raise "
            f"`trials` there and type: genbench tune -d {plan}"
        )
    if any(frontier(rule, found, members)[1] for members in brackets(rule, trials)):
        return (
            f"{_name(rule)}: its search has not ended ({len(found)} of {trials} trials begun); "
            f"type: {command}"
        )
    if failed := find_failed(file):
        return (
            f"{failed}; what fails each time, take out of what the model's search allows; else type: "
            f"{command} --retry-failed"
        )
    return None


def _split_double(entries: Sequence[TunedEntry]) -> tuple[list[TunedEntry], list[Refusal]]:
    """The entries that are alone at their place in the file, and the refusals of those that share one."""
    places = Counter(map(key_of, entries))
    refusals = [
        Refusal(
            entry.model,
            f"{entry.model} on {entry.dataset}: searches of several plans have the same budget and "
            f"minibatch, and the file has room for one; name a plan of its own name by -d PLAN, or a suite "
            f"file with one of them by --config",
        )
        for entry in {key_of(entry): entry for entry in entries}.values()
        if places[key_of(entry)] > 1
    ]
    return [entry for entry in entries if places[key_of(entry)] == 1], refusals


def _write_equal(
    to: Path, entries: Sequence[TunedEntry], root: Path
) -> tuple[list[TunedEntry], list[Refusal]]:
    """Writes the entries that were tuned like their rivals in the file; returns them, and the refusals.

    Others who accept into the file wait, so that no entry of theirs is overwritten or unlike these.
    """
    if not entries:
        return [], []
    with changing(to):
        equal, unequal = _split_unequal(to, entries)
        if equal:
            write_tuned(to, equal, root / "tuning")
    return equal, unequal


def _split_unequal(
    to: Path, entries: Sequence[TunedEntry]
) -> tuple[list[TunedEntry], list[Refusal]]:
    """The entries that were tuned like their rivals in the file, and the others' refusals."""
    refusals = {
        key_of(entry): Refusal(entry.model, _explain_unequal(entry, unequal, to))
        for unequal in find_inequalities(merge_entries(to, entries))
        for entry in unequal.entries
    }
    equal = [entry for entry in entries if key_of(entry) not in refusals]
    return equal, [refusals[key_of(entry)] for entry in entries if key_of(entry) in refusals]


def _read_files(root: Path) -> list[TuningFile]:
    scanned = list(Tunings(root).scan())
    problems = [problem for _, file, problem in scanned if file is None]
    if problems:
        raise StoreError(
            f"{problems[0]}; the best of all trials needs a sound folder: genbench tune makes its trials "
            "anew (what lies there is set aside), or take the file out"
        )
    return [file for _, file, _ in scanned if file is not None]


def _find_plans(rule: TuningRule, plans: Mapping[str, Tuning]) -> dict[str, Tuning]:
    """The plans that tune a rule's model on the same data."""
    by_data = {name: p for name, p in plans.items() if (p.dataset or name) == rule.dataset}
    if rule.model not in MODELS:
        return by_data
    return {
        name: plan
        for name, plan in by_data.items()
        if data_of(make_rule(rule.model, rule.dataset, plan, "random")) == data_of(rule)
    }


def _differences(rule: TuningRule, other: TuningRule) -> list[str]:
    ours, theirs = (one.model_dump(mode="json") for one in (rule, other))
    return [field for field in ours if ours[field] != theirs[field]]


def _name(rule: TuningRule) -> str:
    return f"{rule.model} on {rule.dataset} (tuning/{rule.file})"


def _explain_unequal(entry: TunedEntry, unequal: Inequality, to: Path) -> str:
    several = {"budget", "batch"} & set(unequal.terms)
    one = ", or those of one plan alone by -d PLAN" if several else ""
    return (
        f"{entry.model} on {entry.dataset}: {unequal.describe(entry)}, where {to} has another value of "
        f"{', '.join(unequal.terms)} for other models of that data set; tune all of them alike and accept "
        f"them together: genbench tune --accept -d {entry.dataset}{one}; or delete the others' entries of "
        f"{entry.dataset} from {to}"
    )


def _explain_unscored(file: TuningFile) -> str:
    rule = file.rule
    reasons = Counter(
        why for t in file.trials for rung in t.rungs for why in rung.reasons.values()
    ).most_common(1)
    because = f" ({reasons[0][0]})" if reasons else ""
    return (
        f"{_name(rule)}: no trial was scored to the end{because}, so that there is nothing to choose; name "
        f"the model in cells without tuned, or change what its search allows and type: "
        f"{_command(rule.model, rule.dataset, rule.sampler)}"
    )


def _command(model: str, plan: str, sampler: str) -> str:
    return f"genbench tune -m {model} -d {plan}" + (
        "" if sampler == "random" else f" --sampler {sampler}"
    )


def _absent(model: str, root: Path) -> str:
    return f"{model}: {root}/tuning has no trials of it; type: genbench tune -m {model} -o {quote(str(root))}"
