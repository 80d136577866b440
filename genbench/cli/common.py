"""Options that several verbs share, and how they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from genbench.core.spec import Suite

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
plugins = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="PATH_OR_MODULE",
    help="Import a plugin file or module first; may be repeated.",
)
config = click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The suite file; default: benchmarks.yaml here, else the one that genbench ships.",
)
results = click.option(
    "-o",
    "--output",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="The results folder.",
)
budget_scale = click.option(
    "--budget-scale",
    type=click.Choice(["quick", "half", "default", "double"]),
    default="default",
    show_default=True,
    help="How long claims' cells train; quick: an eighth of the rounds, six seeds.",
)


data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="GENBENCH_DATA",
    help="A folder with data sets' files.",
)


def data_options(function: F) -> F:
    """Adds --data-dir and --offline."""
    return click.option(
        "--offline", is_flag=True, envvar="GENBENCH_OFFLINE", help="Never download anything."
    )(data_dir(function))


def load_plugins(plugins: tuple[str, ...]) -> None:
    """Imports the plugins named on the command line."""
    from genbench.core.registry import load_plugin

    for plugin in plugins:
        load_plugin(plugin)


def suites(config: Path | None) -> dict[str, Suite]:
    """Reads the suites from the named file, ./benchmarks.yaml, or the one shipped with genbench."""
    from genbench.store.documents import load_suites

    return load_suites(suite_file(config))


def suite_file(config: Path | None) -> Path:
    """Returns which suite file is meant."""
    if config is not None:
        return config
    import genbench

    package = Path(genbench.__file__).parent
    candidates = [Path("benchmarks.yaml"), package / "benchmarks.yaml"]
    return next((p for p in candidates if p.is_file()), package.parent / "benchmarks.yaml")


def print_json(value: Any) -> None:
    """Prints JSON with a fixed layout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
