"""genbench pictures: small pictures of samples, to be kept beside the records."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common


@click.command("pictures")
@click.option("-d", "--dataset", "datasets", multiple=True, help="Only this data set's rows.")
@click.option("-m", "--model", "models", multiple=True, help="Only this model's rows.")
@click.option(
    "--at-most",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Train no row again whose recorded training took longer.",
)
@click.option("--force", is_flag=True, help="Draw rows anew that have a picture.")
@common.device
@common.data_options
@common.plugins
@common.results
@common.ignore_damaged
@common.as_json
def command(
    datasets: tuple[str, ...],
    models: tuple[str, ...],
    at_most: float | None,
    force: bool,
    device: str,
    data_dir: Path | None,
    offline: bool,
    plugins: tuple[str, ...],
    root: Path,
    ignore_damaged: bool,
    as_json: bool,
) -> None:
    """Draw a picture of every row of a results folder: a sheet of images, a scatter, lines of text.

    They are 10 kB at most and lie in DIRECTORY/pictures, so that pages show samples where none are
    stored. Rows whose samples are not here are trained again, one seed. Exit code 3: some could not be,
    or files could not be read.

    \b
    genbench pictures -o results --at-most 60
    genbench pictures -o results -d ring -m gan --force
    """
    from genbench.core.errors import unknown
    from genbench.report.leaderboard import load_leaderboard
    from genbench.report.site.sheets import Drawing, draw_pictures
    from genbench.running.job import RunSettings

    common.load_plugins(plugins)
    board = load_leaderboard(root, curves=False)
    tables = board.tables
    inventory = {g.model for t in tables for g in t.groups}, {t.dataset for t in tables}
    for kind, selection, names in zip(
        ("recorded model", "data set"), (models, datasets), inventory, strict=True
    ):
        for name in selection:
            if name not in names:
                raise unknown(kind, name, names)
    chosen = [t for t in tables if not datasets or t.dataset in datasets]
    chosen = [t.keep(lambda g: not models or g.model in models) for t in chosen]
    settings = RunSettings(device=device, data_dir=data_dir, offline=offline, curve=0)

    def tell(drawing: Drawing) -> None:
        if not as_json and drawing.remark != "has one":
            spec = drawing.group.first.spec
            click.echo(f"{spec.dataset} {drawing.group.label}: {drawing.remark}")

    from genbench.store import Store

    drawings = draw_pictures(
        Store(root), chosen, settings, again=force, at_most=at_most, tell=tell
    )
    lacking = [d for d in drawings if d.path is None]
    new = sum(d.new for d in drawings)
    if as_json:
        rows = [
            {"dataset": d.group.first.spec.dataset, "row": d.group.label, "said": d.remark}
            | {"path": d.path and str(d.path), "new": d.new}
            for d in drawings
        ]
        common.print_json({"pictures": rows})
    else:
        with_one = len(drawings) - len(lacking)
        click.echo(f"{new} drawn; {with_one} of {len(drawings)} rows have a picture in {root}")
    common.tell_unread(board.problems, ignore=ignore_damaged)
    if any(d.failed for d in drawings):
        raise SystemExit(3)
