"""genbench evaluate: score samples from anywhere against a reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from genbench.cli import common


@click.command("evaluate")
@click.argument("samples", nargs=-1, required=True)
@click.option("-r", "--reference", help="Like SAMPLES; for a cell its data set's test split.")
@click.option(
    "--metrics",
    help="Names, separated by commas, with options: prdc:neighbours=3,kid:subsets=10:subset_size=50; "
    "all: every metric that needs no trained model; default: fid,kid,mmd,prdc, fid_infinity below 10,000 "
    "points, psnr,ssim with --source, and consistency with --degrade.",
)
@click.option("--train", help="Training points, like SAMPLES, for metrics of memorisation.")
@click.option(
    "--source",
    metavar="IN",
    help="What SAMPLES were made from, like SAMPLES, for metrics of pairs: files by name, else by order.",
)
@click.option(
    "--degrade",
    metavar="NAME",
    help="The data set whose known map leads from points to IN, for consistency, with its options: "
    "super_resolution:of=photographs,scale=4. A split that has sources, as REFERENCE or IN, brings its own.",
)
@click.option(
    "--features",
    help="An extractor's name, with options as in --metrics; or module:function, or a file by torch.export "
    "(.pt2) or TorchScript, all of which are code: run what you trust. Default: what suits REFERENCE.",
)
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False),
    help="The extractor's weights: for inception_v3_compat, dinov2, clip, vgg19, efficientnet_lite0.",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help="auto, cpu, cuda, cuda:N, or mps, which extracts alone.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "tf32", "bfloat16", "float16"]),
    default="float32",
    show_default=True,
    help="The precision in which the extractor's network computes.",
)
@click.option("--resize", metavar="WxH", help="Resize all pictures (bicubic, antialiased).")
@click.option(
    "--channels",
    type=click.Choice(["1", "3"]),
    help="3: read grey pictures as colour; 1: colour whose channels are alike as grey.",
)
@click.option(
    "--range",
    "ranges",
    multiple=True,
    metavar="LOW,HIGH",
    help="The range of pixel values where it is neither [0, 1] of floats nor 0 to 255 of bytes: -1,1 or "
    "0,16; of one side alone: samples=-1,1 (reference, train, source). May be repeated.",
)
@click.option(
    "--limit",
    type=click.IntRange(2),
    help="Use this many points of each: drawn at random where all can be read, otherwise the first.",
)
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
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page of scores and pictures.",
)
@click.option(
    "--save-stats",
    metavar="FILE.npz",
    type=click.Path(dir_okay=False),
    help="Write mean and covariance of REFERENCE's features (without one, of SAMPLES'), for later use "
    "as a reference.",
)
@click.option(
    "--record",
    metavar="NAME",
    help="Record the scores under this name, as those of a model from elsewhere; SAMPLES are then one or "
    "more, one for each seed, or a pattern in quotes.",
)
@click.option(
    "--as-dataset",
    metavar="NAME",
    help="The data set that the records belong to; default: REFERENCE's.",
)
@click.option("--no-cache", is_flag=True, help="Neither read nor keep the reference's features.")
@common.results
@common.data_options
@common.plugins
@common.as_json
def command(
    samples: tuple[str, ...],
    html: Path | None,
    no_cache: bool,
    channels: str | None,
    ranges: tuple[str, ...],
    root: Path,
    plugins: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Score SAMPLES against a reference.

    Each is a folder of images (searched deeply) or of shards; an archive of images (.zip, .tar); an
    array (.npy, .npz, FILE.npz:KEY, .pt, .safetensors) of shape (N, D), (N, H, W), (N, C, H, W) or
    (N, H, W, C) with pixels in [0, 1] or bytes; a table of points (.csv, .parquet); a saved Hugging Face
    data set; a split such as digits:test, with options of its data set as in
    super_resolution:of=fashion_mnist,scale=4:test; a cell of the results folder; or module:callable, a
    generator of batches. The reference may be statistics (an .npz of mu and sigma). A metric that cannot be
    computed is null with its reason; if none that was asked for can, the exit code is 2.

    \b
    genbench evaluate mine.npz --reference digits:test --metrics fid,kid --json
    genbench evaluate generated/ -r real/ --resize 32x32 --features random_conv --html page.html
    genbench evaluate mine.npy -r digits:test --metrics prdc:neighbours=3,mmd:kernel=rbf
    genbench evaluate seed0.npz seed1.npz -r digits:test --record mine
    genbench evaluate out/ -r truth/ --source in/ --metrics psnr,ssim
    genbench evaluate out/ -r truth/ --source in/ --metrics consistency \\
        --degrade super_resolution:of=photographs,scale=4
    genbench evaluate out.npy -r super_resolution:of=fashion_mnist,scale=4:test --metrics consistency
    """
    common.load_plugins(plugins)
    from genbench.api import evaluate
    from genbench.core.errors import SpecError

    if len(samples) > 1 and options["record"] is None:
        raise SpecError(
            f"evaluate scores one set of samples, got {len(samples)}; record several, one for each seed, "
            f"by --record NAME"
        )
    with progress(as_json) as watch:
        result = evaluate(
            samples[0] if len(samples) == 1 else list(samples),
            channels=int(channels) if channels else None,
            range=ranges or None,
            cache=not no_cache,
            results=root,
            progress=watch,
            **options,
        )
    result.refuse_nothing()
    if html is not None:
        from genbench.report.site.evaluation import write_page

        fake, real = result.samples, result.reference
        write_page(
            html,
            result.rows,
            (fake.label, fake.head),
            (real.label, real.head),
            result.notes,
            None if result.source is None else result.source.head,
        )
    if as_json:
        common.print_json(result.to_dict())
    else:
        click.echo(str(result))


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str, int, int | None], None]]:
    """Shows a bar on the terminal for everything that is read; yields what moves the bars."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    tasks: dict[str, Any] = {}
    with Progress(
        console=console, transient=True, disable=quiet or not console.is_terminal
    ) as bars:

        def move(label: str, count: int, total: int | None) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=count)

        yield move
