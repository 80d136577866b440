"""genbench evaluate: score samples from anywhere against a reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import common

if TYPE_CHECKING:
    from torch import Tensor

    from genbench.core.dataset import Dataset
    from genbench.store import Measurement

#: torch-fidelity's key → ours, where the definitions are the same
ALIASES = {
    "frechet_inception_distance": ("fid", "value"),
    "kernel_inception_distance_mean": ("kid_subsets", "value"),
    "kernel_inception_distance_std": ("kid_subsets", "stderr"),
    "precision": ("precision", "value"),
    "recall": ("recall", "value"),
}


@click.command("evaluate")
@click.argument("samples")
@click.option("-r", "--reference", required=True, help="Like SAMPLES: a file or a data set split.")
@click.option(
    "--metrics", default="fid,kid,mmd,prdc", show_default=True, help="Names, separated by commas."
)
@click.option("--features", default=None, help="The extractor; default: what suits the reference.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="For subsampling."
)
@common.data_options
@common.plugins
@common.as_json
def command(
    samples: str,
    reference: str,
    metrics: str,
    features: str | None,
    seed: int,
    data_dir: Path | None,
    offline: bool,
    plugins: tuple[str, ...],
    as_json: bool,
) -> None:
    r"""Score SAMPLES against a reference.

    Both are a .npy file, an .npz file with one array or one named `samples`, of shape (N, D) or
    (N, C, H, W), or a split of a registered data set such as digits:test.

    \b
    genbench evaluate mine.npz --reference digits:test --metrics fid,kid --json
    """
    common.load_plugins(plugins)
    names = [name.strip() for name in metrics.split(",") if name.strip()]
    from genbench.core.errors import SpecError
    from genbench.core.feature import EXTRACTORS
    from genbench.core.spec import Part
    from genbench.harness.evaluate import ask, compare_arrays, default_features

    if not names:
        raise SpecError("--metrics needs at least one name, got none; try --metrics fid,kid")
    asks = ask([Part(name=name) for name in names])
    extractor_class = EXTRACTORS.get(features) if features else None
    fake, _ = load_points(samples, data_dir, offline)
    real, dataset = load_points(reference, data_dir, offline)
    if extractor_class is None:
        extractor_class = EXTRACTORS.get(default_features(dataset) if dataset else "identity")
    rows = compare_arrays(fake, real, asks, extractor=extractor_class(dataset), seed=seed)
    if as_json:
        common.print_json(as_object(rows))
    else:
        show(rows)


def load_points(
    source: str, data_dir: Path | None, offline: bool
) -> tuple[Tensor, Dataset | None]:
    """Returns the points that a SAMPLES argument names, and their data set if it has one."""
    import torch

    from genbench.core.arrays import read_array
    from genbench.core.dataset import DATASETS, SPLITS
    from genbench.core.errors import DataError

    name, _, split = source.partition(":")
    if split and not Path(source).exists():
        dataset = DATASETS.get(name)(data_dir=data_dir, offline=offline)
        if split not in SPLITS:
            raise DataError(f"{name} has no split {split!r}; take one of {', '.join(SPLITS)}")
        return dataset.points(split), dataset
    return torch.from_numpy(read_array(Path(source))), None


def as_object(rows: list[Measurement]) -> dict[str, Any]:
    """Returns the documented JSON object: metrics by id, and torch-fidelity's names."""
    keep = ("value", "stderr", "protocol", "n_real", "n_fake", "unit", "kind", "reason", "seconds")
    metrics = {
        row.id: {**{key: getattr(row, key) for key in keep}, "direction": row.better}
        for row in rows
    }
    aliases = {
        theirs: metrics[ours][part] for theirs, (ours, part) in ALIASES.items() if ours in metrics
    }
    return {"metrics": metrics, "aliases": aliases}


def show(rows: list[Measurement]) -> None:
    """Prints a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("metric", "value", "better", "protocol", box=None, pad_edge=False)
    for row in rows:
        spread = f" ± {row.stderr:.2g}" if row.stderr is not None else ""
        value = f"{row.value:.6g}{spread}" if row.value is not None else f"– ({row.reason})"
        table.add_row(row.id, value, row.better, row.protocol)
    Console().print(table)
