"""genbench check: has anything become worse than the baseline."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common
from genbench.core.files import RUNS


@click.command("check")
@click.option(
    "--baseline",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("baselines/ci.json"),
    show_default=True,
    help="The accepted scores; `genbench baseline accept` writes them.",
)
@click.option(
    "--candidate",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(RUNS),
    show_default=True,
    help="The results folder that is judged.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "junit"]),
    default="table",
    callback=common.require_one_form,
    show_default=True,
    help="For a terminal, a pull request's comment, or a CI server.",
)
@click.option(
    "--across-machines",
    is_flag=True,
    help="Compare times also where they were measured on different machines.",
)
@click.option("--all", "everything", is_flag=True, help="Show rows that pass, too.")
@common.wide
@common.as_json
def command(
    path: Path,
    root: Path,
    form: str,
    across_machines: bool,
    everything: bool,
    wide: bool,
    as_json: bool,
) -> None:
    """Compare a results folder with a baseline; nothing is trained or changed.

    A score is a regression if its mean over seeds is worse by more than the baseline's tolerance and
    a one-sided test, corrected for all scores together, says that this is not chance. Cells that
    failed, are missing, or differ in protocol, version, sample count or data fail in their own words.

    \b
    genbench run ci && genbench check
    genbench check --baseline baselines/ci.json --candidate candidate
    genbench check --format markdown > comment.md
    genbench check --format junit > junit.xml

    \b
    Exit codes: 0 nothing worse, 1 a regression, 2 no baseline or no results,
    3 runs failed or are missing, 4 not comparable, or nothing could be tested.
    """
    from genbench.report.gate import text
    from genbench.report.gate.check import check_results

    result = check_results(root, path, across_machines=across_machines)
    if as_json:
        common.print_json(result.to_dict())
    elif form == "table":
        text.print_result(common.make_console(wide), result, everything=everything)
    else:
        write = text.to_markdown if form == "markdown" else text.to_junit
        click.echo(write(result), nl=False)
    raise SystemExit(result.exit_code)
