"""Checks names against the folders of built-in plugins, without importing torch or any of them."""

from __future__ import annotations

from pathlib import Path

from genbench.core.errors import unknown

FOLDERS = {
    "model": "models",
    "dataset": "datasets",
    "metric": "metrics",
    "extractor": "features",
    "claim": "claims",
    "executor": "executors",
}


def built_in(kind: str) -> list[str]:
    """Returns the names of the built-in plugins of a kind, sorted."""
    folder = Path(__file__).parent.parent / FOLDERS[kind]
    return sorted(p.stem for p in folder.rglob("*.py") if not p.stem.startswith("_"))


def check(kind: str, name: str) -> None:
    """Raises UnknownName with the nearest match, unless an installed plugin may bring the name."""
    from importlib.metadata import entry_points

    if name not in built_in(kind) and not entry_points(group="genbench.plugins"):
        raise unknown(kind, name, built_in(kind))
