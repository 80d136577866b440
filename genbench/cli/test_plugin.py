"""genbench test-plugin: does somebody's plugin keep the contract of its kind."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genbench.cli import common

if TYPE_CHECKING:
    from genbench.contracts.check import RuleResult

WIDTH = 79
MARKS = {"kept": "ok", "broken": "BROKEN", "not checked": "?", "not applicable": "-"}
INDENT = " " * 9


@click.command("test-plugin")
@click.argument(
    "plugin",
    metavar="PATH_MODULE_OR_NAME",
    shell_complete=common.complete("model", "dataset", "metric", "extractor", "executor"),
)
@common.plugins
@common.data_dir
@common.as_json
def command(plugin: str, plugins: tuple[str, ...], data_dir: Path | None, as_json: bool) -> None:
    """Check every plugin that a file or a module registers, or a registered one, against its contract.

    Prints each rule, and where one is broken how, and what to do. Models are checked small, and on
    small data sets of every kind that they take. Exits with 1 if a rule is broken, with 2 if the
    plugin cannot be loaded.

    \b
    genbench test-plugin my_model.py
    genbench test-plugin realnvp --json
    """
    from dataclasses import asdict

    from genbench.contracts.check import check_plugin, find_plugins

    common.load_plugins(plugins)
    results: list[RuleResult] = []
    for kind, name in find_plugins(plugin):
        if not as_json:
            click.echo(f"{kind} {name}")
        for result in check_plugin(kind, name, data_dir=data_dir):
            results.append(result)
            if not as_json and result.status != "not applicable":
                click.echo("\n".join(lines_of(result)))
    broken = any(result.status == "broken" for result in results)
    if as_json:
        rules = [asdict(result) for result in results]
        common.print_json({"ok": not broken, "rules": rules})
    else:
        click.echo("\n".join(textwrap.wrap(conclusion(results), WIDTH)))
    if broken:
        raise SystemExit(1)


def lines_of(result: RuleResult) -> Iterable[str]:
    """Returns what is printed of a finding: a mark, the rule, where it was checked, how it is broken."""
    cases = f" ({', '.join(result.cases)})" if result.cases else ""
    mark = f"  {MARKS[result.status]:<7}"
    yield from textwrap.wrap(
        result.rule + cases, WIDTH, initial_indent=mark, subsequent_indent=INDENT
    )
    if result.reason is not None:
        for text in (result.sentence, result.reason):
            indent = INDENT + "  "
            yield from textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def conclusion(results: list[RuleResult]) -> str:
    """Returns the sentence that ends the report."""
    counts = dict.fromkeys(MARKS, 0)
    for result in results:
        counts[result.status] += 1
    applied = counts["kept"] + counts["broken"] + counts["not checked"]
    names = " and ".join(dict.fromkeys(f"{f.kind} {f.plugin}" for f in results))
    text = f"{names}: {counts['kept']} of {applied} rules kept"
    if counts["broken"]:
        text += f", {counts['broken']} broken"
    doubts = sum(f.status == "not checked" and f.reason is not None for f in results)
    if counts["not checked"] > doubts:
        text += f", {counts['not checked'] - doubts} not checked because of that"
    if doubts:
        text += f", {doubts} not checked for the reason given"
    if counts["not applicable"]:
        text += f"; {counts['not applicable']} do not apply"
    return f"{text}."
