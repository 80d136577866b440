"""What `genbench tune` prints. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from genbench.cli import common
from genbench.running.suites import RunResult
from genbench.running.tuning_cost import Estimate
from genbench.store.tuning import TuningResult


def show_costs(estimates: Sequence[Estimate], workers: int, as_json: bool) -> None:
    """Prints what tuning will cost, by model and data set and in all."""
    rows = [
        {
            "model": e.rule.model,
            "dataset": e.rule.dataset,
            "trials": e.trials,
            "seconds_per_trial": round(e.full, 1),
            "seconds_per_score": round(e.scoring, 1),
            "core_seconds": round(e.seconds, 1),
            "source": e.source,
        }
        for e in estimates
    ]
    if as_json:
        common.print_json(rows)
        return
    for row in rows:
        click.echo(
            f"{row['model']:<16} {row['dataset']:<14} {row['trials']:>3} trials  "
            f"{row['seconds_per_trial']:>7.1f} s a trial  {row['core_seconds'] / 60:>7.1f} min left  "
            f"(known from {row['source']})"
        )
    total = sum(e.seconds for e in estimates) / 3600
    by_data: dict[str, float] = {}
    for e in estimates:
        by_data[e.rule.dataset] = by_data.get(e.rule.dataset, 0.0) + e.seconds / 3600
    parts = ", ".join(f"{name} {hours:.1f}" for name, hours in by_data.items())
    click.echo(
        f"{total:.1f} core-hours left ({parts}); with -j {workers} about {total / workers:.1f} h"
    )


def rows(result: RunResult) -> list[dict[str, Any]]:
    """Returns the documented JSON objects of new rungs of trials."""
    return [
        {
            "model": r.rule.model,
            "dataset": r.rule.dataset,
            "trial": r.trial.k,
            "hash": r.trial.hash,
            "rung": r.rule.rungs[r.rung],
            "scores": r.trial.rungs[-1].scores if r.trial.rungs else {},
            "failures": r.failures,
            "file": f"tuning/{r.rule.file}",
        }
        for r in result.results
        if isinstance(r, TuningResult)
    ]
