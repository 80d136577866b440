"""Options that several verbs share, and how they print."""

from __future__ import annotations

import gc
import importlib
import json
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from genbench.cli.streams import json_alone
from genbench.core.errors import SpecError, WriteError, in_a_line
from genbench.core.files import RUNS
from genbench.core.names import built_in
from genbench.core.registry import forget_named_plugins

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.core.spec import Suite

#: of a parameter's names, those that begin as what was typed
Completion = Callable[[click.Context, click.Parameter, str], list[str]]
F = TypeVar("F", bound=Callable[..., Any])

#: files that could not be read that are named one by one
MOST = 20

#: columns of a terminal that breaks no line
ENDLESS = 10_000

#: where the context of a verb keeps the standard output that is for JSON alone, and the form asked for
ALONE, FORM = "genbench.json", "genbench.form"


def complete(*kinds: str) -> Completion:
    """Returns what completes the names of built-in plugins of some kinds, and of suites, in a shell."""

    def names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        candidates = {name for kind in kinds if kind != "suite" for name in built_in(kind)}
        candidates |= set(suites(context.params.get("config"))) if "suite" in kinds else set()
        candidates |= (
            {name.replace("_", "-") for name in built_in("claim")} if "claim" in kinds else set()
        )
        return sorted(name for name in candidates if name.startswith(incomplete))

    return names


def _keep_for_json(context: click.Context, parameter: click.Parameter, value: bool) -> bool:
    if value:
        require_one_form(context, parameter, "json")
        context.meta[ALONE] = context.with_resource(json_alone())
    return value


def require_one_form(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Returns the form that --format or --json asks for, which cannot be two.

    Raises:
        SpecError: If the other option asked for another form.
    """
    if context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE:
        context.meta.setdefault(FORM, []).append(parameter.opts[-1])
        if len(set(context.meta[FORM])) > 1:
            raise SpecError("one of --format and --json is needed, got both; leave one out")
    return value


def list_given_options() -> dict[str, str]:
    """Returns the options that were given to this verb on the command line, by their parameters' names."""
    context = click.get_current_context()
    return {
        parameter.name: parameter.opts[-1]
        for parameter in context.command.params
        if parameter.name
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    }


def refuse_unused(verb: str, used: Container[str], hint: str = "") -> None:
    """Refuses options that a way of using a verb would leave unused.

    Arguments:
        verb: The verb with the option that decides what it does.
        used: Names of the parameters that it uses.
        hint: What follows the sentence.

    Raises:
        SpecError: Naming the options.
    """
    unused = [option for name, option in list_given_options().items() if name not in used]
    if unused:
        raise SpecError(f"{verb} takes no {' and no '.join(unused)}; leave it out{hint}")


def refuse_form(verb: str) -> None:
    """Refuses --format and --wide where files are written and no table is printed.

    Raises:
        SpecError: As `refuse_unused` does.
    """
    names = {parameter.name for parameter in click.get_current_context().command.params}
    refuse_unused(verb, names - {"form", "wide"}, ", since no table is printed")


as_json = click.option(
    "--json", "as_json", is_flag=True, callback=_keep_for_json, help="Print JSON for machines."
)
wide = click.option(
    "--wide",
    is_flag=True,
    help="Leave nothing out: every column, lines as long as they must be, whatever the terminal's width.",
)
form = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv"]),
    default="table",
    show_default=True,
    callback=require_one_form,
    help="For a terminal, a document, or a spreadsheet, which leaves nothing out.",
)
ignore_damaged = click.option(
    "--ignore-damaged",
    is_flag=True,
    help="Exit 0 although files could not be read; they are named all the same.",
)
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
    default=Path(RUNS),
    show_default=True,
    help="The results folder.",
)
models = click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    shell_complete=complete("model"),
    help="Only this model; may be repeated.",
)
datasets = click.option(
    "-d",
    "--dataset",
    "datasets",
    multiple=True,
    shell_complete=complete("dataset"),
    help="Only this data set; may be repeated.",
)
suite = click.argument(
    "suite", metavar="[SUITE]", required=False, shell_complete=complete("suite")
)
budget_scale = click.option(
    "--budget-scale",
    type=click.Choice(["quick", "half", "default", "double"]),
    default="default",
    show_default=True,
    help="How long claims' cells train; quick: an eighth of the rounds or fewer, six seeds.",
)


device = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."
)
executor = click.option(
    "--executor",
    metavar=f"[{'|'.join(built_in('executor'))}|NAME][:OPTION=VALUE]",
    default="inline",
    show_default=True,
    help="Where jobs run; plugins may add others.",
)
jobs = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Jobs side by side; inline runs one at a time.",
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


def load_plugins(plugins: tuple[str, ...], timeout: float | None = None) -> None:
    """Imports the plugins named on the command line.

    Raises:
        SpecError: If one cannot be imported, or not in so many seconds, or registers nothing.
    """
    forget_named_plugins()
    if not plugins:
        return
    from genbench.core.names import FOLDERS
    from genbench.core.registry import brings_plugins, list_registered, load_plugin
    from genbench.running.interrupts import OutOfTime, deadline

    if timeout is not None:  # libraries are not the plugin's, and cannot be imported by halves
        importlib.import_module("genbench.api")
    for plugin in plugins:
        before = list_registered()
        try:
            with deadline(timeout):
                home = load_plugin(plugin)
        except OutOfTime as late:
            raise SpecError(f"--plugin {plugin} could not be imported: {late}") from None
        if not brings_plugins(home, before):
            raise SpecError(
                f"--plugin {plugin} needs to register a plugin, got none; decorate it with one of "
                f"{', '.join(f'@{kind}' for kind in FOLDERS)}"
            )


def suites(config: Path | None) -> dict[str, Suite]:
    """Reads the suites from the named file, ./benchmarks.yaml, or the one shipped with genbench."""
    from genbench.store.documents import load_suites
    from genbench.store.suites import suite_file

    return load_suites(suite_file(config))


def print_json(value: Any) -> None:
    """Prints JSON with a fixed layout, null for numbers that it lacks, and nothing else on standard output.

    Raises:
        WriteError: If the standard output does not take it.
    """
    from genbench.report.site.templating import finite

    value = finite(value)
    out = click.get_current_context().meta[ALONE]
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode(getattr(out, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, default=str)
    out.write(f"{text}\n")
    out.flush()
    if out.failure:
        raise WriteError(f"cannot write to the standard output: {out.failure}")


def settle() -> None:
    """Keeps the search for cycles from going through all that has been read, time and again."""
    gc.freeze()


def make_console(wide: bool = False) -> Console:
    """Returns what prints on the standard output, as wide as the terminal or as wide as it takes."""
    from rich.console import Console

    return Console(width=ENDLESS if wide else None)


def tell_unread(problems: Sequence[str], *, ignore: bool) -> None:
    """Names files that could not be read, and ends with exit code 3 unless they are to be ignored."""
    for problem in problems[:MOST]:
        click.echo(f"not read: {in_a_line(problem)}", err=True)
    if len(problems) > MOST:
        click.echo(f"not read: {len(problems) - MOST} more; see: genbench validate", err=True)
    if problems and not ignore:
        raise SystemExit(3)
