"""genbench validate: is a results folder what it should be."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common

SHOWN = 50


@click.command("validate")
@click.argument(
    "root",
    metavar="[RESULTS]",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
)
@common.plugins
@common.as_json
def command(root: Path, plugins: tuple[str, ...], as_json: bool) -> None:
    """Check every record and artifact of a results folder; exit 1 if something is wrong.

    Wrong are damaged or hand-made records, names and places that do not fit, duplicates, and artifacts
    that do not hash to their name. Older versions and foreign files are told of, no more.

    \b
    genbench validate results
    genbench validate results --json
    """
    from dataclasses import asdict

    from genbench.core.errors import StoreError
    from genbench.store import Store
    from genbench.store.validate import validate

    common.load_plugins(plugins)
    if not root.is_dir():
        raise StoreError(f"{root} is no folder; make records with: genbench run demo -o {root}")
    sound, found = validate(Store(root))
    bad = [finding for finding in found if finding.bad]
    if as_json:
        rows = [{**asdict(finding), "bad": finding.bad} for finding in found]
        common.print_json({"ok": not bad, "records": sound, "findings": rows})
    else:
        for finding in found[:SHOWN]:
            click.echo(
                f"{'WRONG' if finding.bad else 'note ':<5} {finding.kind:<9} {_told(finding)}"
            )
        if len(found) > SHOWN:
            click.echo(f"… and {len(found) - SHOWN} more; --json has them all")
        click.echo(f"{sound} sound records in {root}, {len(bad)} things wrong")
    if bad:
        raise SystemExit(1)


def _told(finding: object) -> str:
    path, problem = getattr(finding, "path", ""), getattr(finding, "problem", "")
    return problem if problem.startswith(path) else f"{path}: {problem}"
