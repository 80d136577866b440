"""genbench validate: is a results folder what it should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genbench.cli import carried, common
from genbench.core.errors import in_a_line
from genbench.core.files import RUNS

if TYPE_CHECKING:
    from genbench.store.validate import Problem

#: problems that are printed
MOST = 50


@click.command("validate")
@click.argument(
    "root",
    metavar="[RESULTS]",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(RUNS),
)
@click.option(
    "--migrate",
    is_flag=True,
    help="First write records of older forms as today's, a line per field (those of genbench.record/1 had no "
    "seal), and seal registrations of that time beside the folder; only of what you trust.",
)
@click.option(
    "--tuned",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check this file of tuned options by the folder's trials; default: baselines/tuned.yaml "
    "beside results, or what is accepted of another folder.",
)
@common.plugins
@common.as_json
def command(
    root: Path, migrate: bool, tuned: Path | None, plugins: tuple[str, ...], as_json: bool
) -> None:
    """Check every record and artifact of a results folder; exit 1 if there are problems.

    Problems are damaged or hand-made records, names and places that do not fit, duplicates, artifacts that
    do not hash to their name, folders that cannot be read, trials of tuning that do not have the options of
    their hash, tuned options that their trials do not give or that rest on unequal searches, and, in
    baselines/registrations.json beside the folder, registrations that are not as they were sealed, or not as
    git has them. Older versions and foreign files are only mentioned. A seal shows damage and slips; it is
    no signature, for whoever can write a record can seal it.

    \b
    genbench validate
    genbench validate results --json
    """
    from dataclasses import asdict

    common.load_plugins(plugins)
    if migrate:
        renew_older(root)
    sound, problems = find_problems(root, tuned)
    bad = [problem for problem in problems if problem.bad]
    if as_json:
        rows = [{**asdict(problem), "bad": problem.bad} for problem in problems]
        common.print_json({"ok": not bad, "records": sound, "findings": rows})
    else:
        for problem in problems[:MOST]:
            path, text = problem.path, problem.problem
            text = carried.carry(text if text.startswith(path) else f"{path}: {text}")
            kind = f"{'WRONG' if problem.bad else 'note ':<5} {problem.kind:<9}"
            click.echo(f"{kind} {in_a_line(text)}")
        if len(problems) > MOST:
            click.echo(f"… and {len(problems) - MOST} more; --json has them all")
        count = f"{len(bad)} problem{'' if len(bad) == 1 else 's'}"
        click.echo(f"{sound} sound records in {root}, {count}")
    if bad:
        raise SystemExit(1)


def renew_older(root: Path) -> None:
    """Writes records of older forms as today's and seals registrations beside them that had no seal."""
    from genbench.store import Store
    from genbench.store.registration_check import find_registrations_file
    from genbench.store.registrations import seal_registrations

    click.echo(f"{Store(root).migrate()} records of older forms were written anew", err=True)
    file = find_registrations_file(root)
    if file is not None and (count := seal_registrations(file)):
        click.echo(f"{file}: {count} registrations were sealed", err=True)


def find_problems(root: Path, tuned: Path | None) -> tuple[int, list[Problem]]:
    """Returns the number of sound records and what is wrong with a folder and the files that go with it."""
    from genbench.running.trials_check import check_trials
    from genbench.running.tuning_check import check_tuned, find_tuned_file
    from genbench.store.registration_check import check_registrations, find_registrations_file
    from genbench.store.validate import sort_problems, validate_results

    sound, problems = validate_results(root)
    problems += check_trials(root)
    if options := tuned or find_tuned_file(root):
        problems += check_tuned(root, options)
    if registrations := find_registrations_file(root):
        problems += check_registrations(registrations)
    return sound, sort_problems(problems)
