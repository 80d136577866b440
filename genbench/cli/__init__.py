"""The command line: parses, calls, prints. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import sysconfig
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import genbench
from genbench.cli.carried import carry_plugins
from genbench.cli.streams import careful_output
from genbench.core.errors import GenbenchError, nearest, text_of
from genbench.core.version import __version__

#: verb → (module that defines `command`, what it does)
VERBS = {
    "run": ("genbench.cli.run", "Train and score a suite; do only what is missing."),
    "tune": ("genbench.cli.tune", "Search models' options, the same number of trials for each."),
    "evaluate": ("genbench.cli.evaluate", "Score samples from anywhere against a reference."),
    "report": ("genbench.cli.report", "Turn records into a leaderboard and a web page."),
    "leaderboard": (
        "genbench.cli.leaderboard",
        "Print or write the ranked tables of a results folder.",
    ),
    "pictures": ("genbench.cli.pictures", "Draw small pictures of samples beside the records."),
    "check": ("genbench.cli.check", "Compare results with a baseline: has anything got worse?"),
    "baseline": ("genbench.cli.baseline", "Accept scores as a baseline for check."),
    "claims": ("genbench.cli.claims", "Show the verdicts on claims from the literature."),
    "validate": ("genbench.cli.validate", "Check the records and artifacts of a results folder."),
    "merge": ("genbench.cli.merge", "Merge results folders, and show where they disagree."),
    "export": ("genbench.cli.export", "Write measurements to a CSV or Parquet file."),
    "list": (
        "genbench.cli.browse",
        "List models, datasets, metrics, extractors, claims, suites or sources.",
    ),
    "show": ("genbench.cli.show", "Show all about one plugin, suite or recorded cell."),
    "test-plugin": (
        "genbench.cli.test_plugin",
        "Check a plugin against the contract of its kind.",
    ),
    "fetch": ("genbench.cli.fetch", "Download a data set or an extractor's weights, checked."),
    "doctor": ("genbench.cli.doctor", "Check this machine: versions, devices, data, folders."),
}


#: the exit code of errors that nobody expected, sysexits' EX_SOFTWARE
UNEXPECTED = 70
#: signs of a path that a message shows
LONG = 120
#: the variable by which worker processes know too
DEBUG = "GENBENCH_DEBUG"


class Verbs(click.Group):
    """A group whose commands are imported when they are called, and whose errors are sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the verbs in the order of use."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports and returns a verb."""
        if cmd_name not in VERBS:
            return None
        return importlib.import_module(VERBS[cmd_name][0]).command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Adds the nearest verb to the error for an unknown one."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"no such verb {args[0]!r}{nearest(args[0], VERBS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="genbench")
@click.option("--debug", is_flag=True, help="Print the whole traceback of an error.")
def cli(debug: bool) -> None:
    """Compare families of deep generative models on one harness: GANs, VAEs, flows,
    autoregressive models, Boltzmann machines, Markov chains and diffusion models.

    \b
    genbench run demo                            six families, eight seeds
    genbench report                              leaderboard and web page
    genbench leaderboard -o results -d digits    what a clone has recorded
    genbench evaluate mine.npz -r digits:test    score your own samples

    Exit codes: 0 ok, 1 the check failed, 2 usage or bad input, 3 some runs failed (one that diverged is
    a result), or files could not be read, 4 not comparable, 70 an error of genbench's own, 130 stopped.
    """
    if debug:
        os.environ[DEBUG] = "1"


def main(args: Sequence[str] | None = None) -> Any:
    """Runs the command line; whatever goes wrong is one sentence on stderr and an exit code.

    Errors of genbench are 2. An error that nobody expected is 70, never the 1 of a check that failed.
    """
    with careful_output() as out:
        try:
            code = run_verb(args)
        except BaseException as error:
            code = explain(error)
        out.flush()
        if out.failure and not code:
            click.echo(f"genbench: cannot write to the standard output: {out.failure}", err=True)
            code = 2
    sys.exit(code)


def run_verb(args: Sequence[str] | None) -> int:
    """Runs a verb; returns its exit code.

    Raises:
        BaseException: Whatever it raises, but for what click says itself.
    """
    try:
        code = cli.main(args=args, prog_name="genbench", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("genbench: stopped", err=True)
        return 130
    return code if isinstance(code, int) else 0


def explain(error: BaseException) -> int:
    """Says in one sentence why a verb ended; returns the exit code."""
    if isinstance(error, SystemExit) and not is_foreign(error):
        return error.code if isinstance(error.code, int) else bool(error.code)
    if DEBUG in os.environ and not isinstance(error, SystemExit):
        traceback.print_exception(error)
    # what users call their files may have line breaks
    text = " ".join(text_of(error).split())
    if isinstance(error, GenbenchError):
        click.echo(f"genbench: {carry_plugins(text)}", err=True)
        return 2
    if is_foreign(error):
        what = f"{type(error).__name__}: {text[:300]}".rstrip(": ")
        click.echo(f"genbench: a plugin failed at {place(error)}: {what}; repair it", err=True)
        return 2
    if isinstance(error, MemoryError):
        click.echo(
            f"genbench: the memory ran out ({place(error)}); free some, or do less", err=True
        )
        return 2
    if isinstance(error, OSError) and error.filename and error.errno != errno.ENOENT:
        # the system refuses a path that somebody named; what is lacking of genbench's own is no such thing
        name = " ".join(str(error.filename).split())
        name = name if len(name) <= LONG else f"{name[:LONG]}…"
        click.echo(f"genbench: cannot use {name}: {error.strerror}; name another", err=True)
        return 2
    click.echo(
        f"genbench: an error that nobody expected, {type(error).__name__} at {place(error)}: "
        f"{text[:300]}; please report it with what `genbench --debug` prints",
        err=True,
    )
    return UNEXPECTED


def is_foreign(error: BaseException) -> bool:
    """Returns whether an exception was raised by a user's file: neither genbench's nor a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    libraries = (
        sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")
    )
    homes = [str(Path(genbench.__file__).parent), *libraries]
    own = tuple(f"{home}{os.sep}" for home in homes)
    return (
        bool(frames)
        and Path(frames[-1].filename).is_file()
        and not frames[-1].filename.startswith(own)
    )


def place(error: BaseException) -> str:
    """Returns the file and the line where an exception was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return (
        f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    )
