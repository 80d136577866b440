"""The command line: parses, calls, prints. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from genbench.core.errors import GenbenchError, nearest
from genbench.core.version import __version__

#: verb → (module that defines `command`, what it does)
VERBS = {
    "run": ("genbench.cli.run", "Train and score a suite; do only what is missing."),
    "tune": ("genbench.cli.tune", "Search models' options, the same trials for each."),
    "evaluate": ("genbench.cli.evaluate", "Score samples from anywhere against a reference."),
    "report": ("genbench.cli.report", "Turn records into a leaderboard and a web page."),
    "leaderboard": ("genbench.cli.leaderboard", "Write the public table of a results folder."),
    "check": ("genbench.cli.check", "Compare results with a baseline: has anything got worse?"),
    "baseline": ("genbench.cli.baseline", "Accept scores as a baseline for check."),
    "claims": ("genbench.cli.claims", "Say what the measurements say of the literature's claims."),
    "validate": ("genbench.cli.validate", "Check the records and artifacts of a results folder."),
    "merge": ("genbench.cli.merge", "Unite results folders, and show where they disagree."),
    "export": ("genbench.cli.export", "Write measurements to a CSV or Parquet file."),
    "list": (
        "genbench.cli.browse",
        "List models, datasets, metrics, extractors, claims or suites.",
    ),
    "show": ("genbench.cli.show", "Show all about one plugin, suite or recorded cell."),
    "test-plugin": ("genbench.cli.test_plugin", "Check that a plugin keeps its kind's contract."),
    "fetch": ("genbench.cli.fetch", "Download a data set or an extractor's weights, checked."),
    "doctor": ("genbench.cli.doctor", "Check this machine: versions, devices, data, folders."),
}


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
def cli() -> None:
    """Compare families of deep generative models on one harness: GANs, VAEs, flows,
    autoregressive models, Boltzmann machines and Markov chains.

    \b
    genbench run demo                            six families, two data sets, eight seeds
    genbench report                              the leaderboard and a web page
    genbench evaluate mine.npz -r digits:test    score your own samples

    Exit codes: 0 ok, 1 the check failed, 2 usage or bad input, 3 some runs failed,
    4 not comparable.
    """


def main(args: Sequence[str] | None = None) -> Any:
    """Runs the command line; errors of genbench are one sentence on stderr and exit code 2."""
    try:
        return cli.main(args=args, prog_name="genbench")
    except GenbenchError as error:
        # what users call their files may have line breaks
        click.echo(f"genbench: {' '.join(str(error).splitlines())}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
