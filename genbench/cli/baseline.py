"""genbench baseline: accept scores that later states of the code are compared with."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common
from genbench.core.files import RUNS


@click.group("baseline")
def command() -> None:
    """Baselines of `genbench check`: accepted scores, seed by seed, with who, when and on what.

    \b
    genbench baseline accept --suite ci --from candidate --to baselines/ci.json
    """


@command.command("accept")
@click.option("--suite", "suite_name", help="Only this suite's cells; without it, all records.")
@common.config
@common.plugins
@click.option(
    "--from",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(RUNS),
    show_default=True,
    help="The results folder.",
)
@click.option(
    "--to",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("baselines/ci.json"),
    show_default=True,
    help="The baseline's file.",
)
@click.option("--by", help="Who accepts; default: $GIT_AUTHOR_NAME, else the user's name.")
@click.option("--note", default="", help="Why, in a sentence.")
@click.option(
    "--with-failures", is_flag=True, help="Accept cells that failed; that many are no alarm later."
)
@click.option(
    "--times",
    is_flag=True,
    help="Guard absolute times too; only on a machine that runs nothing else.",
)
def accept_command(
    suite_name: str | None,
    config: Path | None,
    plugins: tuple[str, ...],
    root: Path,
    path: Path,
    by: str | None,
    note: str,
    with_failures: bool,
    times: bool,
) -> None:
    """Write a baseline: every column with a direction, measured against held-out data.

    The file is made to be read in a diff and edited: `tolerances` says how much worse each column may
    get (null: not guarded) and is kept when scores are accepted anew, as is `level`. Where the scores
    are what they were, the file stays as it is. With --suite, records of all its cells are needed.

    \b
    genbench baseline accept --suite ci --from candidate --to baselines/ci.json --note "faster sampler"
    """
    from genbench.report.gate.accept import accept_results
    from genbench.report.gate.baseline import guarded_cells
    from genbench.statistics.intervals import ENOUGH

    common.load_plugins(plugins)
    before = guarded_cells(path)
    baseline, changed = accept_results(
        root,
        path,
        suite=suite_name,
        config=config,
        by=by,
        note=note,
        with_failures=with_failures,
        times=times,
    )
    scores = sum(len(cell.scores) for cell in baseline.cells)
    state = "written" if changed else "is unchanged"
    click.echo(f"{path} {state}: {scores} scores of {len(baseline.cells)} groups of cells")
    dropped = [words for group, words in before.items() if group not in baseline.groups]
    if dropped:
        click.echo(
            f"no longer guarded, of what the file guarded: {len(dropped)} groups, first {dropped[0]}"
        )
    few = sum(score.n < ENOUGH for cell in baseline.cells for score in cell.scores)
    if few:
        click.echo(f"never tested: {few} of the scores, which have fewer than {ENOUGH} seeds")
