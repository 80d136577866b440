"""genbench doctor: is this machine fit, and what is where."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from genbench.cli import common


@click.command("doctor")
@click.option(
    "--metrics",
    is_flag=False,
    flag_value="all",
    help="Put metrics (all, or as in `evaluate --metrics`) to the test on data made worse.",
)
@common.data_options
@common.plugins
@common.results
@common.as_json
def command(
    metrics: str | None,
    data_dir: Path | None,
    offline: bool,  # the doctor never downloads
    plugins: tuple[str, ...],
    root: Path,
    as_json: bool,
) -> None:
    """Check versions, devices, data sets, folders and records; exit 1 if something is wrong.

    Nothing is downloaded; data sets that are not on this machine are noted.

    With --metrics, check the metrics instead: real points against real ones, then with noise, a shift,
    or fewer modes; of pairs also with blur and outputs of other sources. A metric that sees none of
    these harms as worse fails.

    \b
    genbench doctor
    genbench doctor --metrics fid,prdc
    """
    common.load_plugins(plugins)
    if metrics is not None:
        examine(metrics, as_json)
        return
    rows = [*libraries(), device(), *data(data_dir), cache(), records(root)]
    if as_json:
        common.print_json({"ok": all(row["ok"] for row in rows), "rows": rows})
    else:
        for row in rows:
            mark = "note" if row.get("absent") else "ok  " if row["ok"] else "FAIL"
            click.echo(f"{mark} {row['what']}: {row['found']}")
    if not all(row["ok"] for row in rows):
        raise SystemExit(1)


def examine(metrics: str, as_json: bool) -> None:
    """Prints how every column answers to data made worse; exit 1 if one sees no harm."""
    from dataclasses import asdict

    from rich.console import Console
    from rich.progress import track

    from genbench.evaluation.evaluate import request_metrics
    from genbench.evaluation.selftest import find_verdicts, ladders

    requests = None if metrics == "all" else request_metrics(metrics)
    errors = Console(stderr=True)
    steps = track(
        ladders(requests), "metrics put to the test", console=errors, transient=True,
        disable=as_json or not errors.is_terminal,
    )  # fmt: skip
    rows = list(steps)
    verdicts = find_verdicts(rows)
    ok = not any(is_failure(verdict) for verdict in verdicts.values())
    if as_json:
        common.print_json({"ok": ok, "verdicts": verdicts, "rows": [asdict(row) for row in rows]})
    else:
        Console().print(ladder_table(rows))
        for column, verdict in verdicts.items():
            click.echo(f"{'FAIL' if is_failure(verdict) else 'ok  '} {column}: {verdict}")
    if not ok:
        raise SystemExit(1)


def is_failure(verdict: str) -> bool:
    """Tells whether a verdict is a failure."""
    return verdict.startswith("FAIL")


def ladder_table(ladders: list[Any]) -> Any:
    """Returns a row per column and data set: its floor, and its values up each ladder."""
    from rich.table import Table

    every = ("noise", "shift", "collapse", "blur", "swap", "fewer")
    hows = [how for how in every if any(entry.how == how for entry in ladders)]
    table = Table("column", "data", "± s.d.", *hows, box=None, pad_edge=False)
    places = dict.fromkeys((entry.column, entry.dataset) for entry in ladders)
    rows = {(entry.column, entry.dataset, entry.how): entry for entry in ladders}
    for column, dataset in sorted(places):
        cells = [rows.get((column, dataset, how)) for how in hows]
        values = ["" if cell is None else climb(cell) for cell in cells]
        if any(cell is not None and cell.values[-1] is not None for cell in cells):
            spread = next(cell.spread for cell in cells if cell is not None)
            table.add_row(column, dataset, f"{spread:.2g}", *values)
    table.caption = "↓ worse than among fresh real points by more than three spreads, ? better"
    return table


def climb(cell: Any) -> str:
    """Returns a ladder's first and last value, and whether the last is worse."""
    ends = ["–" if v is None else f"{v:.3g}" for v in (cell.values[0], cell.values[-1])]
    return " → ".join(ends) + {1: " ↓", 0: "", -1: " ?"}[cell.moved]


def libraries() -> list[dict[str, Any]]:
    """Returns a row per library that genbench stands on."""
    from importlib.metadata import PackageNotFoundError, version

    rows = []
    for name in ("torch", "torchvision", "numpy", "scipy", "scikit-learn", "torch-fidelity"):
        try:
            rows.append({"what": name, "ok": True, "found": version(name)})
        except PackageNotFoundError:
            rows.append({"what": name, "ok": False, "found": f"missing; pip install {name}"})
    return rows


def device() -> dict[str, Any]:
    """Returns what `--device auto` would take."""
    from genbench.core.device import choose_device
    from genbench.store.environment import environment

    machine = environment(choose_device("auto"))
    text = f"{machine['device']}, {machine['threads']} threads"
    return {"what": "device", "ok": True, "found": text}


def data(data_dir: Path | None) -> list[dict[str, Any]]:
    """Returns a row per data set: its splits' hashes, or why it cannot be had; nothing is downloaded.

    One whose files are not on this machine is absent, which is not wrong.
    """
    from genbench.core.dataset import DATASETS
    from genbench.core.errors import AbsentData, DataError

    rows = []
    for name, cls in DATASETS.all().items():
        row: dict[str, Any] = {"what": f"data set {name}", "ok": True}
        try:
            hashes = cls(data_dir=data_dir, offline=True).hashes
            row["found"] = ", ".join(f"{split} {digest}" for split, digest in hashes.items())
        except AbsentData as error:
            row |= {"absent": True, "found": str(error)}
        except DataError as error:
            row |= {"ok": False, "found": str(error)}
        rows.append(row)
    return rows


def cache() -> dict[str, Any]:
    """Returns whether the cache folder can be written."""
    from genbench.core.files import cache_folder

    folder = cache_folder()
    parent = next(p for p in (folder, *folder.parents) if p.exists())
    return {"what": "cache folder", "ok": os.access(parent, os.W_OK), "found": str(folder)}


def records(root: Path) -> dict[str, Any]:
    """Returns how many records there are, and whether all are sound."""
    from genbench.store import Store

    sound, problems = Store(root).load()
    text = f"{len(sound)} in {root}" + (f"; {problems[0]}" if problems else "")
    return {"what": "records", "ok": not problems, "found": text}
