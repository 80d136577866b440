"""What `genbench tune` prints. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from genbench.cli import carried, common
from genbench.report import tuned_scores, tuning_costs
from genbench.report.sheet import Entry, Heading, Sheet, print_sheet
from genbench.report.tuning import read_searches, require
from genbench.report.tuning_readme import update_readme
from genbench.report.tuning_sheet import make_sheet, to_rows
from genbench.running.run_result import RunResult
from genbench.running.tuning_acceptance import accept_tuning
from genbench.running.tuning_cost import CostEstimate
from genbench.store import Store
from genbench.store.documents import load_tuning
from genbench.store.suites import suite_file
from genbench.store.tuned import FILE, TunedEntry, data_of, is_taken, read_all_tuned, read_tuned
from genbench.store.tuning import TuningResult, describe_data
from genbench.store.tunings import Tunings


def show_costs(estimates: Sequence[CostEstimate], workers: int, as_json: bool) -> None:
    """Prints what tuning will cost, by model and data set and in all."""
    rows = [
        {
            "model": e.rule.model,
            "dataset": e.rule.dataset,
            "dataset_options": e.rule.dataset_options,
            "trials": e.trials,
            "seconds_per_trial": None if e.full is None else round(e.full, 1),
            "seconds_per_score": round(e.scoring, 1),
            "core_seconds": None if e.seconds is None else round(e.seconds, 1),
            "source": e.source,
        }
        for e in estimates
    ]
    if as_json:
        common.print_json(rows)
        return
    console = Console()
    print_sheet(console, _list_costs(estimates), fold=True)
    console.print(_sum_costs(estimates, workers), highlight=False)


def _list_costs(estimates: Sequence[CostEstimate]) -> Sheet:
    """What tuning costs, a row each."""
    heads = [Heading("model"), Heading("data set"), Heading("trials", align="right")]
    heads += [Heading("s a trial", align="right"), Heading("min left", align="right")]
    rows = [
        (
            *(e.rule.model, e.rule.data, str(e.trials)),
            "unknown" if e.full is None else f"{e.full:.1f}",
            "unknown" if e.seconds is None else f"{e.seconds / 60:.1f}",
            e.source,
        )
        for e in estimates
    ]
    return Sheet([*heads, Heading("known from")], [[Entry(text) for text in row] for row in rows])


def _sum_costs(estimates: Sequence[CostEstimate], workers: int) -> str:
    """The sum of all searches whose cost is known, and how many others there are."""
    by_data: dict[str, float] = {}
    for e in estimates:
        if e.seconds is not None:
            by_data[e.rule.data] = by_data.get(e.rule.data, 0.0) + e.seconds / 3600
    unknown = sum(e.seconds is None for e in estimates)
    begin = carried.carry("genbench tune --trials 1")
    hint = f"unknown before a trial of theirs was recorded: {begin}"
    if not by_data:
        return f"what {unknown} of {unknown} searches take is {hint}"
    total = sum(by_data.values())
    parts = ", ".join(f"{name} {hours:.1f}" for name, hours in by_data.items())
    text = (
        f"{total:.1f} core-hours left ({parts}); with -j {workers} about {total / workers:.1f} h"
    )
    if not unknown:
        return text
    return f"{text}; without {unknown} of {len(estimates)} searches, whose cost is {hint}"


def accept(root: Path, to: Path, config: Path | None, as_json: bool, **what: Any) -> int:
    """Writes the best options to a file, and prints what was chosen and what was refused.

    Arguments:
        root: The results folder.
        to: The file.
        config: The suite file, whose plans searches must have followed.
        as_json: Whether the entries are printed as JSON.
        what: As in `accept_tuning`; without `write` the file stays as it is.

    Returns:
        The exit code: 1 where nothing was accepted, or not all that was named by --model and has a plan.
    """
    result = accept_tuning(root, to, load_tuning(suite_file(config)), **what)
    if as_json:
        common.print_json([entry.model_dump(mode="json") for entry in result.entries])
    else:
        _print_entries(result.entries, to, written=what["write"])
    for refusal in result.refusals:
        outcome = "left out" if refusal.foreign else "refused"
        click.echo(f"{outcome}: {carried.carry(refusal.problem)}", err=True)
    failed = any(what["models"] and not refusal.foreign for refusal in result.refusals)
    return int(failed or (bool(result.refusals) and not result.entries))


def _print_entries(entries: Sequence[TunedEntry], to: Path, *, written: bool) -> None:
    heads = [Heading(head) for head in ("model", "data set", "chosen by")]
    heads += [Heading(head, align="right") for head in ("best", "default", "trial")]
    rows = [
        (
            *(
                entry.model,
                describe_data(entry),
                f"{name}: {choice.column}",
                f"{choice.validation:.4g}",
            ),
            "none" if choice.default is None else f"{choice.default:.4g}",
            f"{choice.trial}/{entry.trials}",
        )
        for entry in entries
        for name, choice in entry.choices.items()
    ]
    if rows:
        lines = [[Entry(text) for text in row] for row in rows]
        print_sheet(Console(), Sheet(heads, lines), fold=True)
    if entries and written:
        click.echo(f"written: {to}   {_tell_use(to)}")
        for line in _list_hidden(entries) if is_taken(to) else ():
            click.echo(line)
    elif entries:
        click.echo(f"would be written: {to}   nothing was changed")


def _tell_use(to: Path) -> str:
    """How suites come to take a file's options."""
    use = "suites take it by: tuned: true; genbench run by: --tuned-by samples"
    return use if is_taken(to) else f"copy it to {FILE} of a working folder, and there {use}"


def _list_hidden(entries: Sequence[TunedEntry]) -> Iterator[str]:
    """Which models have no options any more on data sets whose own entries stand in place of shipped ones."""
    taken = read_tuned().entries
    for data in dict.fromkeys(map(data_of, entries)):
        own = {entry.model for entry in taken if data_of(entry) == data}
        shipped = {entry.model for entry in read_all_tuned() if data_of(entry) == data}
        if hidden := sorted(shipped - own):
            yield (
                f"on {data[0]} it stands in place of all that genbench ships; not tuned there now: "
                f"{', '.join(hidden)}"
            )


def show_curves(
    root: Path,
    models: Sequence[str],
    datasets: Sequence[str],
    document: Path | None,
    as_json: bool,
) -> None:
    """Prints the expected best after so many trials, or rewrites the tables of tuning in a document."""
    searches = require(read_searches(root, models, datasets), root, models, datasets)
    if document is not None:
        changed = update_readme(document, searches, Store(root))
        click.echo(f"{document}: {'rewritten' if changed else 'is current'}", err=as_json)
    if as_json:
        common.print_json(to_rows(searches))
    elif document is None:
        console = Console()
        gains = tuned_scores.read_tuned_scores(Store(root), models, datasets)
        for dataset in dict.fromkeys(gain.dataset for gain in gains):
            sheet = tuned_scores.make_sheet(gains, dataset)
            console.print(Text(sheet.title, style="bold"))
            print_sheet(console, sheet, keys=2)
        for search in searches:
            console.print(Text(search.heading, style="bold"))
            print_sheet(console, make_sheet(search))
        unused = tuned_scores.describe_unused(Store(root), models, datasets)
        for note in [*dict.fromkeys(search.note for search in searches), *unused]:
            console.print(Text(note, style="dim"))
        print_sheet(console, tuning_costs.make_sheet(tuning_costs.sum_costs(searches)))
    problems = [problem for _, _, problem in Tunings(root).scan() if problem]
    common.tell_unread(problems, ignore=False)


def tell_failed(result: RunResult) -> int:
    """Names on stderr the searches of which trials failed before; returns the exit code, 3 if any did."""
    for problem in result.failed_before:
        click.echo(f"failed before: {problem}; try again with --retry-failed", err=True)
    return 3 if result.failed_before else 0


def rows(result: RunResult) -> list[dict[str, Any]]:
    """Returns the documented JSON objects of new rungs of trials."""
    return [
        {
            "model": r.rule.model,
            "dataset": r.rule.dataset,
            "dataset_options": r.rule.dataset_options,
            "trial": r.trial.k,
            "hash": r.trial.hash,
            "rung": r.rule.rungs[r.rung],
            "scores": r.trial.rungs[-1].scores if r.trial.rungs else {},
            "failures": r.failures,
            "reasons": r.unscored,
            "file": f"tuning/{r.rule.file}",
        }
        for r in result.results
        if isinstance(r, TuningResult)
    ]
