"""genbench fetch: download what later runs need, once."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common


@click.command("fetch")
@click.argument("name", shell_complete=common.complete("dataset", "extractor"))
@common.data_options
@common.plugins
def command(name: str, data_dir: Path | None, offline: bool, plugins: tuple[str, ...]) -> None:
    """Download a data set's files or an extractor's weights, checked by their published digests.

    \b
    genbench fetch inception_v3_compat
    genbench fetch cifar10 --data-dir ~/data
    """
    common.load_plugins(plugins)
    from genbench.core.dataset import DATASETS, SPLITS, open_named
    from genbench.core.errors import unknown
    from genbench.core.feature import EXTRACTORS

    key = name.replace("-", "_")
    if key in DATASETS:
        dataset = open_named(key, data_dir=data_dir, offline=offline)
        sizes = {split: len(dataset.points(split)) for split in SPLITS}
        click.echo(f"{key}: " + ", ".join(f"{n:,} {split}" for split, n in sizes.items()))
    elif key in EXTRACTORS:
        click.echo(f"{key}: {EXTRACTORS.get(key).fetch(offline=offline)}")
    else:
        raise unknown("data set or extractor", name, {*DATASETS.names(), *EXTRACTORS.names()})
