"""genbench show: all about one thing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from inspect import getdoc
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import carried, common
from genbench.core.names import built_in
from genbench.report.text import direction

if TYPE_CHECKING:
    from genbench.core.dataset import DataSpec

#: the keys of a name with its options, as suites have them
PART = {"name", "options"}


@click.command("show")
@click.argument(
    "name",
    shell_complete=common.complete(
        "model", "dataset", "metric", "extractor", "claim", "executor", "suite"
    ),
)
@common.config
@common.plugins
@common.results
@common.as_json
def command(
    name: str, config: Path | None, plugins: tuple[str, ...], root: Path, as_json: bool
) -> None:
    """Show a model, data set, metric or one of its columns, extractor, claim, executor, suite, or recorded
    cell (its id or first digits).

    \b
    genbench show wgan_gp
    genbench show modes_strict
    genbench show mode-collapse
    genbench show 3f9a -o results
    """
    common.load_plugins(plugins)
    about = find(name, config, root)
    if as_json:
        common.print_json(about)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    for key, value in about.items():
        table.add_row(f"[bold]{key}[/bold]", text(shorten(key, value)))
    Console().print(table)


def find(name: str, config: Path | None, root: Path) -> dict[str, Any]:
    """Returns what is known of a name, looked up among plugins, suites and cells."""
    from genbench.core.errors import UnknownName

    for kind, look_up in LOOKUPS.items():
        about = look_up(name) or look_up(name.replace("-", "_"))
        if about is not None:
            command = f"genbench claims {about['name']} -o {quote(str(root))} --no-run"
            verdict = {"verdict": carried.carry_plugins(command)} if kind == "claim" else {}
            return {"kind": kind, **about, **verdict}
    suites = common.suites(config)
    if name in suites:
        return {"kind": "suite", "name": name, **suites[name].model_dump(exclude_none=True)}
    from genbench.store import Store

    record = Store(root).find(name)
    if record is not None:
        return {"kind": "cell", **record.model_dump(by_alias=True, exclude={"curve"})}
    if re.fullmatch(r"(?=.*\d)[0-9a-f]{3,}", name):
        raise UnknownName(
            f"no cell of {root} has an id that begins with {name}; name another folder by -o"
        )
    raise no_such(name, suites)


def no_such(name: str, suites: Iterable[str]) -> Exception:
    """Returns the error for a name that nothing has: the nearest one, as lists show it, or those lists."""
    from genbench.core.errors import UnknownName, nearest

    kinds = [kind for kind in LOOKUPS if kind not in ("claim", "column")]
    names = {one for kind in kinds for one in built_in(kind)} | {*suites, *metric_of_column()}
    names |= {one.replace("_", "-") for one in built_in("claim")}
    near = nearest(name, names)
    if "did you mean" not in near:
        near = "; see: genbench list models (datasets, metrics, extractors, claims, suites)"
    return UnknownName(f"unknown name {name!r}{near}")


def of_model(name: str) -> dict[str, Any] | None:
    """Returns a model's abilities and options, and by data set its parameter count or its refusal."""
    from genbench.core.catalogue import describe
    from genbench.core.model import MODELS

    if name not in MODELS:
        return None
    cls = MODELS.get(name)
    counts = {dataset: parameters(name, spec) for dataset, spec in specs().items()}
    return {
        **describe(cls),
        "parameters": {dataset: n for dataset, n in counts.items() if isinstance(n, int)},
        "refuses": {dataset: why for dataset, why in counts.items() if isinstance(why, str)},
        "documentation": getdoc(cls),
    }


def specs() -> dict[str, DataSpec]:
    """Returns what is known of every data set before seeing it."""
    from genbench.core.dataset import DATASETS, open_named

    return {name: open_named(name).spec for name in DATASETS.all()}


def parameters(name: str, spec: DataSpec) -> int | str:
    """Returns the number of a model's trained weights on a data set, or why the model refuses it."""
    from genbench.core.guard import blamed
    from genbench.core.model import MODELS, build, parameter_count
    from genbench.core.rng import Rng

    with blamed(f"model {name!r}", MODELS.get(name)):
        return MODELS.get(name).refuses(spec) or parameter_count(build(name, spec, Rng([0])))


def of_dataset(name: str) -> dict[str, Any] | None:
    """Returns what a data set declares, its options with their defaults, what is known and what decides."""
    from dataclasses import asdict

    from genbench.core.dataset import DATASETS, describe, open_named, resolve_options

    if name not in DATASETS:
        return None
    dataset = open_named(name)
    spec = asdict(dataset.spec)
    spec["values"] = spec.pop("kind")  # `kind` says that this is a data set
    if spec["source"] is None:
        spec["paired"] = None  # there is nothing to be paired with
    else:
        own = {key: value for key, value in spec["source"].items() if value is not None}
        spec["source"] = {key: value for key, value in own.items() if key != "paired"}
    quality, truth = dataset.quality, dataset.truth
    return {
        **describe(type(dataset)),
        "options": resolve_options(name, {}),
        **spec,
        "entropy_nats": truth.entropy if truth else None,
        "known": truth.known if truth else [],
        "decided_by": [] if quality is None else list(quality.primary),
        "to_be_passed": [] if quality is None else [part.column for part in quality.beside],
        "documentation": getdoc(type(dataset)),
    }


def of_metric(name: str) -> dict[str, Any] | None:
    """Returns what a metric measures, in which columns, with which options."""
    from dataclasses import asdict

    from genbench.core.metric import METRICS

    if name not in METRICS:
        return None
    entry = METRICS.get(name)
    return {
        "name": entry.name,
        "version": entry.version,
        "view": entry.view,
        "needs": list(entry.needs),
        "paper": entry.paper,
        "columns": {key: asdict(column) for key, column in entry.columns.items()},
        "options": entry.options,
        "documentation": getdoc(entry.function),
    }


def metric_of_column() -> dict[str, str]:
    """Returns the metric of every column: no two metrics have one of the same name."""
    from genbench.core.metric import METRICS

    return {column: entry.name for entry in METRICS.all().values() for column in entry.columns}


def of_column(name: str) -> dict[str, Any] | None:
    """Returns what a column of leaderboards means, and what is known of its metric."""
    metric = metric_of_column().get(name)
    if metric is None:
        return None
    about = of_metric(metric) or {}
    own = about.pop("columns")[name]
    facts = {key: own[key] for key in ("better", "unit", "ideal")} | {"beside": [*own["beside"]]}
    return {"name": name, "metric": about.pop("name"), "meaning": own["doc"], **facts, **about}


def of_extractor(name: str) -> dict[str, Any] | None:
    """Returns what an extractor does."""
    from genbench.core.feature import EXTRACTORS

    if name not in EXTRACTORS:
        return None
    cls = EXTRACTORS.get(name)
    return {"name": name, "version": cls.version, "documentation": getdoc(cls)}


def of_claim(name: str) -> dict[str, Any] | None:
    """Returns what a claim says, and what it is measured by."""
    from genbench.core.claim import CLAIMS

    if name not in CLAIMS:
        return None
    claim = CLAIMS.get(name)
    return {
        "name": claim.id,
        "statement": claim.statement,
        "source": claim.source,
        "why": claim.why,
        "version": claim.version,
        "cells": [str(run) for run in claim.all_runs],
        "experiment": getdoc(claim.experiment) if claim.experiment is not None else None,
        "effects": getdoc(claim.function),
        "literature": list(claim.literature),
        "threats": list(claim.threats),
    }


def of_executor(name: str) -> dict[str, Any] | None:
    """Returns what an executor does."""
    from genbench.running.executor import EXECUTORS

    if name not in EXECUTORS:
        return None
    return {"name": name, "documentation": getdoc(EXECUTORS.get(name))}


LOOKUPS = {
    "model": of_model,
    "dataset": of_dataset,
    "metric": of_metric,
    "extractor": of_extractor,
    "claim": of_claim,
    "executor": of_executor,
    "column": of_column,
}


def shorten(key: str, value: Any) -> Any:
    """Returns what a table shows of a value that JSON has in full."""
    if key == "refuses":
        return ", ".join(value)
    if key == "columns" and isinstance(value, dict):
        return {
            f"{name} {direction(own['better'])}".rstrip(): meaning(own)
            for name, own in value.items()
        }
    return value


def meaning(column: dict[str, Any]) -> str:
    """Returns what a column is, its unit, and what it must be read beside."""
    unit = f" ({column['unit']})" if column["unit"] else ""
    beside = f", read beside {', '.join(column['beside'])}" if column["beside"] else ""
    return f"{column['doc'] or '–'}{unit}{beside}"


def text(value: Any) -> str:
    """Returns a value as a table shows it, without markup; a line for every item of a dict or list."""
    from rich.markup import escape

    if isinstance(value, dict) and set(value) != PART:
        return escape("\n".join(f"{key}: {in_words(item)}" for key, item in value.items())) or "–"
    if isinstance(value, list):
        return escape("\n".join(map(in_words, value))) or "–"
    return escape(in_words(value))


def in_words(value: Any) -> str:
    """Returns a value in a line: parts as names with options, dicts as pairs, nothing as a dash."""
    from genbench.core.spec import Part

    if isinstance(value, dict) and set(value) == PART:
        return str(Part(**value))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {in_words(item)}" for key, item in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(map(in_words, value)) or "–"
    return str(value).strip() if value is not None else "–"
