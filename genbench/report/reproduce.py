"""The suite file that reproduces every row of a report."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from genbench.report.groups import Group
from genbench.report.tables import Table

FILE = "reproduce.yaml"


def command_of(group: Group) -> str:
    """Returns the command that reproduces a row, to be run in the folder of the suite file.

    Of samples from elsewhere it is the one that scores them, which only who has them can run.
    """
    spec = group.first.spec
    if spec.external:
        words = ["genbench", "evaluate", f"{spec.model}/*", "--record", spec.model]
        return shlex.join([*words, "--as-dataset", spec.dataset])
    words = ["genbench", "run", name_of(group), "-c", FILE]
    words += ["--bf16"] if spec.autocast else []
    return shlex.join([*words, "--compile", spec.compiled] if spec.compiled else words)


def name_of(group: Group) -> str:
    """Returns the name of a row's suite."""
    return f"row-{group.id}"


def make_suite_file(tables: Sequence[Table]) -> str:
    """Returns a suite file in which every row is a suite of its own."""
    import yaml

    trained = [group for table in tables for group in table.groups if not group.external]
    groups = {name_of(group): group for group in trained}
    suites = {key: make_suite(group) for key, group in sorted(groups.items())}
    return yaml.safe_dump({"schema": 1, "suites": suites}, sort_keys=False, width=110)


def make_suite(group: Group) -> dict[str, Any]:
    """Returns a row as a suite: the same cells, and the metrics that were measured."""
    spec = group.first.spec
    metrics = sorted({m.metric for record in group.records for m in record.metrics})
    cells: dict[str, Any] = {
        "models": [{"name": spec.model, "options": spec.options}],
        "datasets": [{"name": spec.dataset, "options": spec.dataset_options}],
    }
    if spec.labelled is not None:
        cells["labelled"] = spec.labelled
    if spec.training is not None:
        cells["training"] = spec.training.model_dump(exclude_none=True)
    return {
        "description": f"{spec.model} on {spec.dataset}",
        "seeds": sorted({record.spec.seed for record in group.records}),
        "budget": spec.budget.model_dump(exclude_none=True),
        "batch": spec.batch,
        "precision": spec.precision,
        "metrics": metrics or ["mmd"],
        "cells": [cells],
    }
