"""genbench claims: what the measurements say of every claim, and what is still to be run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import common

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.harness.claims import Scale

COLOURS = {"supported": "green", "refuted": "red", "mixed": "yellow", "inconclusive": "dim"}
budget_scale = click.option(
    "--budget-scale",
    type=click.Choice(["quick", "half", "default", "double"]),
    default="default",
    show_default=True,
    help="How long claims' cells train; quick: an eighth of the rounds, six seeds.",
)


@click.command("claims")
@click.argument("names", metavar="[ID]...", nargs=-1)
@budget_scale
@click.option("--seeds", type=click.IntRange(1, 10_000), help="How many seeds, from 0 on.")
@common.plugins
@common.results
@common.as_json
def command(
    names: tuple[str, ...],
    budget_scale: str,
    seeds: int | None,
    plugins: tuple[str, ...],
    root: Path,
    as_json: bool,
) -> None:
    r"""Show the verdicts on claims from the literature; with ID, all about those.

    Verdicts are computed from the records in the results folder; nothing is trained.

    \b
    genbench claims
    genbench claims nash-oscillation --json
    """
    common.load_plugins(plugins)
    from rich.console import Console

    from genbench.core.claim import find
    from genbench.harness.claims import Scale

    scale = Scale(budget_scale, seeds)
    rows = [row_of(made, root, scale) for made in find(names).values()]
    if as_json:
        common.print_json(rows)
        return
    console = Console()
    if names:
        for row in rows:
            card(console, row)
    else:
        table(console, rows, scale)


def row_of(made: Any, root: Path, scale: Scale) -> dict[str, Any]:
    """Returns the documented JSON object of a claim."""
    from genbench.harness.claims import Held
    from genbench.report.judge import judge, left_out
    from genbench.store import Store

    held = Held(made, Store(root), scale)
    effects = held.effects()
    verdict = judge(effects)
    missing = held.missing()
    return {
        "id": made.id,
        "verdict": verdict.outcome,
        "provisional": bool(missing),
        "because": verdict.because,
        "statement": made.statement,
        "source": made.source,
        "why": made.why,
        "budget_scale": scale.budget,
        "parts": [part_row(part) for part in verdict.parts],
        "without_seed": {str(seed): said for seed, said in left_out(effects).items()},
        "cells": [str(run) for run in made.runs],
        "failed": held.failed(),
        "missing": missing,
        "command": command_for(made.id, root, scale) if missing else None,
        "literature": list(made.literature),
        "threats": list(made.threats),
    }


def part_row(part: Any) -> dict[str, Any]:
    """Returns the JSON object of one effect; interval and mean are of 95 %, over seeds."""
    found = part.estimate
    return {
        "effect": part.effect.name,
        "outcome": part.outcome if part.effect.judged else None,
        "judged": part.effect.judged,
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "method": found.method,
        "wanted": part.effect.wanted,
        "bar": part.effect.bar,
        "unit": part.effect.unit,
        "seeds": len(part.effect.values),
        "values": {str(seed): value for seed, value in part.effect.values.items()},
    }


def command_for(name: str, root: Path, scale: Scale) -> str:
    """Returns the command that runs what a claim still needs."""
    words = ["genbench run claims --claim", name]
    words += [] if scale.budget == "default" else ["--budget-scale", scale.budget]
    words += [] if scale.seeds is None else ["--seeds", str(scale.seeds)]
    words += [] if root == Path("results") else ["-o", str(root)]
    return " ".join(words)


def table(console: Console, rows: list[dict[str, Any]], scale: Scale) -> None:
    """Prints a row a claim, with its first effect, and what is missing."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    for head in ("claim", "verdict", "parts", "first effect", "mean [95 %]", "holds if", "seeds"):
        shown.add_column(head, overflow="fold")
    for row in rows:
        judged = [part for part in row["parts"] if part["judged"]]
        heads = [row["id"], coloured(row), tally(judged)]
        shown.add_row(*heads, *(cells(judged[0]) if judged else []))
    console.print(shown)
    lacking = [row for row in rows if row["missing"]]
    for row in lacking:
        count = sum(map(len, row["missing"].values()))
        console.print(f"{row['id']}: {count} cells to run: {row['command']}", highlight=False)
    console.print(
        f"budget scale: {scale.budget}; verdicts from intervals over seeds, by Holm over parts",
        highlight=False,
    )


def coloured(row: dict[str, Any]) -> str:
    """Returns the verdict in its colour, with "so far" while cells are missing."""
    colour, so_far = COLOURS[row["verdict"]], " so far" if row["provisional"] else ""
    return f"[{colour}]{row['verdict']}{so_far}[/{colour}]"


def steadiness(row: dict[str, Any]) -> str:
    """Returns what becomes of the verdict when any one seed is left out."""
    others = {seed: v for seed, v in row["without_seed"].items() if v != row["verdict"]}
    if not others:
        return "the same without any one seed"
    return ", ".join(f"{verdict} without seed {seed}" for seed, verdict in others.items())


def tally(judged: list[dict[str, Any]]) -> str:
    """Returns how many parts are supported and refuted, of how many, e.g. "2+ 1- of 4"."""
    said = [part["outcome"] for part in judged]
    return f"{said.count('supported')}+ {said.count('refuted')}- of {len(said)}"


def card(console: Console, row: dict[str, Any]) -> None:
    """Prints all about a claim."""
    from rich.markup import escape
    from rich.table import Table

    console.print(f"[bold]{row['id']}[/bold]  {coloured(row)}", end="  ")
    console.print(escape(f"({row['because']})"), highlight=False)
    for text in (row["statement"], f"Source: {row['source']}", f"Why so: {row['why']}"):
        console.print(escape(text), highlight=False)
    shown = Table(box=None, pad_edge=False)
    for head in ("effect", "mean [95 %]", "holds if", "seeds", "says"):
        shown.add_column(head, overflow="fold")
    for part in row["parts"]:
        shown.add_row(*cells(part), part["outcome"] or "shown beside")
    console.print(shown)
    if row["without_seed"]:
        console.print(f"Verdict: {steadiness(row)}", highlight=False)
    lists = {"Cells": row["cells"], "Literature": row["literature"], "Threats": row["threats"]}
    lists["Ended badly"] = [f"{name}: {count} seeds" for name, count in row["failed"].items()]
    lists["Missing"] = [f"{name}: {len(seeds)} seeds" for name, seeds in row["missing"].items()]
    for head, texts in lists.items():
        for text in texts:
            console.print(escape(f"{head}: {text}"), highlight=False)
    if row["command"]:
        console.print(f"Run it: {row['command']}", highlight=False)
    console.print()


def cells(part: dict[str, Any]) -> list[str]:
    """Returns an effect's name, numbers, bar and seeds as a table shows them."""
    from rich.markup import escape

    numbers = "–"
    if part["mean"] is not None:
        numbers = f"{part['mean']:.3g}"
        if part["low"] is not None:
            numbers += f" [{part['low']:.3g}, {part['high']:.3g}]"
    sign = ">" if part["wanted"] == "above" else "<"
    bar = f"{sign} {part['bar']:.3g} {part['unit']}".rstrip()
    return [escape(part["effect"]), escape(numbers), bar, str(part["seeds"])]
