"""genbench baseline: accept scores that later states of the code are held against."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from genbench.cli import common


@click.group("baseline")
def command() -> None:
    """Baselines of `genbench check`: accepted scores, seed by seed, with who, when and on what.

    \b
    genbench baseline accept --suite ci --from results --to baselines/ci.json
    """


@command.command("accept")
@click.option("--suite", "suite_name", help="Only this suite's cells; without it, all records.")
@common.config
@common.plugins
@click.option(
    "--from",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
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
    "--with-failures", is_flag=True, help="Accept cells that failed; as many are no alarm later."
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
) -> None:
    """Write a baseline: every column with a direction, measured against held-out data.

    The file is made to be read in a diff and edited: `tolerances` says how much worse each column may
    get (null: not guarded) and is kept when scores are accepted anew, as is `level`. Where the scores
    are what they were, the file stays as it is.

    \b
    genbench baseline accept --suite ci --from results --to baselines/ci.json --note "faster sampler"
    """
    from genbench.cli.report import groups
    from genbench.core.errors import StoreError
    from genbench.core.files import write_bytes
    from genbench.report.gate.baseline import accept, load_baseline, to_text, updated
    from genbench.store import Store

    common.load_plugins(plugins)
    if not root.is_dir():
        make = f"genbench run {suite_name or 'ci'} -o {root}"
        raise StoreError(f"{root} is no folder; make records with: {make}")
    store = Store(root, groups=groups(suite_name, config) if suite_name else None)
    records, problems = store.load()
    if problems:
        raise StoreError(
            f"{problems[0]}; a baseline needs a sound folder: genbench validate {root}"
        )
    made = accept(
        records,
        suite=suite_name,
        by=by or os.environ.get("GIT_AUTHOR_NAME") or getpass.getuser(),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        note=note,
        with_failures=with_failures,
    )
    if path.exists():
        made = updated(load_baseline(path), made)
    content = to_text(made).encode()
    same = path.exists() and path.read_bytes() == content
    if not same:
        write_bytes(path, content)
    scores = sum(len(cell.scores) for cell in made.cells)
    told = "is as it was" if same else "written"
    click.echo(f"{path} {told}: {scores} scores of {len(made.cells)} groups of cells")
