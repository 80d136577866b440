"""genbench doctor: is this machine fit, and what is where."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from genbench.cli import common


@click.command("doctor")
@common.data_options
@common.results
@common.as_json
def command(data_dir: Path | None, offline: bool, root: Path, as_json: bool) -> None:
    r"""Check versions, devices, data sets, folders and records; exit 1 if something is wrong.

    \b
    genbench doctor
    """
    rows = [*libraries(), device(), *data(data_dir, offline), cache(), records(root)]
    if as_json:
        common.print_json({"ok": all(row["ok"] for row in rows), "rows": rows})
    else:
        for row in rows:
            click.echo(f"{'ok  ' if row['ok'] else 'FAIL'} {row['what']}: {row['found']}")
    if not all(row["ok"] for row in rows):
        raise SystemExit(1)


def libraries() -> list[dict[str, Any]]:
    """Returns a row a library that genbench stands on."""
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
    from genbench.harness.environment import choose_device, environment

    found = environment(choose_device("auto"))
    return {
        "what": "device",
        "ok": True,
        "found": f"{found['device']}, {found['threads']} threads",
    }


def data(data_dir: Path | None, offline: bool) -> list[dict[str, Any]]:
    """Returns a row a data set: its splits' hashes, or why it cannot be had (a download counts)."""
    from genbench.core.dataset import DATASETS
    from genbench.core.errors import DataError

    rows = []
    for name, cls in DATASETS.all().items():
        try:
            found = ", ".join(
                f"{k} {v}" for k, v in cls(data_dir=data_dir, offline=offline).hashes.items()
            )
            rows.append({"what": f"data set {name}", "ok": True, "found": found})
        except DataError as error:
            rows.append({"what": f"data set {name}", "ok": False, "found": str(error)})
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

    store = Store(root)
    problems = store.problems()
    found = f"{sum(1 for _ in store.records())} in {root}" + (
        f"; {problems[0]}" if problems else ""
    )
    return {"what": "records", "ok": not problems, "found": found}
