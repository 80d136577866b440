"""genbench evaluate: score samples from anywhere against a reference."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import common

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genbench.core.dataset import Dataset
    from genbench.core.feature import Extractor
    from genbench.evaluation.sources import Points
    from genbench.store import Measurement

#: the least that --memory may be
LEAST = 64 << 20
#: torch-fidelity's key → ours, where the definitions are the same
ALIASES = {
    "inception_score_mean": ("inception_score", "value"),
    "inception_score_std": ("inception_score_std", "value"),
    "frechet_inception_distance": ("fid", "value"),
    "kernel_inception_distance_mean": ("kid_subsets", "value"),
    "kernel_inception_distance_std": ("kid_subsets_std", "value"),
    "precision": ("precision", "value"),
    "recall": ("recall", "value"),
}


@click.command("evaluate")
@click.argument("samples")
@click.option("-r", "--reference", help="Like SAMPLES; for a cell its data set's test split.")
@click.option(
    "--metrics", default="fid,kid,mmd,prdc", show_default=True, help="Names, separated by commas."
)
@click.option("--train", help="Training points, like SAMPLES, for metrics of memorisation.")
@click.option(
    "--features",
    help="An extractor's name, module:function or TorchScript file; default: what suits REFERENCE.",
)
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False),
    help="The extractor's weights, for inception_v3_compat.",
)
@click.option("--resize", metavar="WxH", help="Resize images of folders (bicubic, antialiased).")
@click.option("--channels", type=click.Choice(["1", "3"]), help="Read images as grey or colour.")
@click.option("--limit", type=click.IntRange(2), help="Take the first so many points of each.")
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True)
@click.option(
    "--memory",
    default="4GiB",
    show_default=True,
    help="The most that points and work on them may take; more goes to a temporary file.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="For subsampling."
)
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to look at, too."
)
@click.option("--no-cache", is_flag=True, help="Neither read nor keep the reference's features.")
@common.results
@common.data_options
@common.plugins
@common.as_json
def command(samples: str, reference: str | None, **given: Any) -> None:
    """Score SAMPLES against a reference.

    Each is a folder of images (searched deeply), a .npy file, an .npz file with one array or one
    named `samples`, of shape (N, D), (N, H, W) or (N, C, H, W) with pixels in [0, 1] or bytes, a split
    of a data set such as digits:test, a cell of the results folder, or module:callable, a
    generator of batches.

    \b
    genbench evaluate mine.npz --reference digits:test --metrics fid,kid --json
    genbench evaluate generated/ -r real/ --resize 32x32 --features random_conv --html page.html
    """
    common.load_plugins(given["plugins"])
    from genbench.core.spec import Part
    from genbench.evaluation.compare import compare, spaces_of
    from genbench.evaluation.reading import gather
    from genbench.evaluation.requests import ask
    from genbench.evaluation.sources import open_points

    asks = ask([Part(name=name) for name in metric_names(given["metrics"])])
    how = reading(given)
    fake = open_points(samples, how)
    real = open_points(reference or own_reference(fake), how)
    dataset = real.dataset or fake.dataset
    extractor = extractor_of(dataset, given)
    views = spaces_of(asks, extractor)
    how_much = {key: given[key] for key in ("batch", "limit")}
    how_much["memory"] = size_of(given["memory"])

    def read(points: Points, kept: bool) -> Any:
        cache = kept and not given["no_cache"]
        with progress(points, given["as_json"]) as watch:
            return gather(points, views, extractor, cache=cache, watch=watch, **how_much)

    truth, made = read(real, True), read(fake, False)
    seen = read(open_points(given["train"], how), True).views if given["train"] else None
    rows = compare(
        made.views,
        truth.views,
        asks,
        extractor=extractor,
        train=seen,
        dataset=real.dataset,
        seed=given["seed"],
        memory=how_much["memory"],
    )
    notes = [f"{points.label}: {points.note}" for points in (fake, real) if points.note]
    if given["html"]:
        from genbench.report.site.evaluation import write_page

        write_page(given["html"], rows, (fake.label, made.head), (real.label, truth.head), notes)
    if given["as_json"]:
        common.print_json(as_object(rows, notes))
    else:
        show(rows, notes)


def extractor_of(dataset: Dataset | None, given: dict[str, Any]) -> Extractor:
    """Returns the named extractor, or the one that suits a data set; raw numbers where there is none."""
    from genbench.evaluation.extractors import make
    from genbench.evaluation.requests import default_features

    name = given["features"] or (default_features(dataset) if dataset else "identity")
    weights = {"weights": given["weights"]} if given["weights"] else {}
    return make(name, dataset, weights)


def metric_names(text: str) -> list[str]:
    """Returns the names in a list separated by commas."""
    from genbench.core.errors import SpecError

    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise SpecError("--metrics needs at least one name, got none; try --metrics fid,kid")
    return names


def reading(given: dict[str, Any]) -> Any:
    """Returns how sources are opened, from the options."""
    from genbench.core.errors import SpecError
    from genbench.evaluation.sources import Reading

    size = None
    if given["resize"]:
        match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", given["resize"])
        if match is None:
            raise SpecError(f"--resize needs WIDTHxHEIGHT, got {given['resize']!r}; try 32x32")
        size = (int(match[2]), int(match[1]))
    channels = int(given["channels"]) if given["channels"] else None
    return Reading(given["root"], size, channels, given["data_dir"], given["offline"])


def own_reference(fake: Points) -> str:
    """Returns the test split of the samples' own data set."""
    from genbench.core.errors import SpecError

    if fake.dataset is None:
        raise SpecError(
            f"evaluate needs --reference for {fake.label}; give a folder, a file or digits:test"
        )
    return f"{fake.dataset.name}:test"


def size_of(text: str) -> int:
    """Returns the bytes of a size such as 512MiB or 4GiB."""
    from genbench.core.errors import SpecError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])i?B?", text.strip(), re.IGNORECASE)
    if match is None or not float(match[1]):
        raise SpecError(f"--memory needs a size such as 512MiB or 4GiB, got {text!r}")
    size = int(float(match[1]) * 1024 ** ("KMGT".index(match[2].upper()) + 1))
    if size < LEAST:
        raise SpecError(
            f"--memory needs at least {LEAST >> 20}MiB, which blocks of points take, got {text!r}; "
            f"compare fewer points by --limit"
        )
    return size


@contextmanager
def progress(points: Points, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Shows a bar on the terminal while points are read; yields what is to be told of their number."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task(points.label, total=points.count)
        yield lambda done: bar.update(task, completed=done)


def as_object(rows: list[Measurement], notes: list[str]) -> dict[str, Any]:
    """Returns the documented JSON object: metrics by id, torch-fidelity's names, and notes."""
    keep = ("value", "stderr", "protocol", "n_real", "n_fake", "unit", "kind", "reason", "seconds")
    metrics = {
        row.id: {**{key: getattr(row, key) for key in keep}, "direction": row.better}
        for row in rows
    }
    aliases = {
        theirs: metrics[ours][part] for theirs, (ours, part) in ALIASES.items() if ours in metrics
    }
    return {"metrics": metrics, "aliases": aliases, "notes": notes}


def show(rows: list[Measurement], notes: list[str]) -> None:
    """Prints a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("metric", "value", "better", "protocol", box=None, pad_edge=False)
    for row in rows:
        spread = f" ± {row.stderr:.2g}" if row.stderr is not None else ""
        value = f"{row.value:.6g}{spread}" if row.value is not None else f"– ({row.reason})"
        table.add_row(row.id, value, row.better, row.protocol)
    console = Console()
    console.print(table)
    for note in notes:
        console.print(note, highlight=False, markup=False)
