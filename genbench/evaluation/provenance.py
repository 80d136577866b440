"""What features depend on, so that what was kept of them is not used after a change."""

from __future__ import annotations

import ast
import hashlib
import sys
from pathlib import Path

from genbench.core.feature import Extractor

#: genbench's own extractors have a version and a digest of their weights in their protocols
OWN = "genbench.features."


def hash_extractor(extractor: Extractor) -> str | None:
    """Returns what stands for an extractor in the key of its features, or None if nothing can.

    That is the protocol, and for a user's class the source of its module and of all that it imports from
    its own folder. A user's function may do anything, so its features are never kept.
    """
    inner = getattr(extractor, "inner", extractor)  # which a device and a precision wrap
    by_content = getattr(inner, "by_content", None)
    if by_content is not None:
        return extractor.protocol if by_content else None
    home = type(inner).__module__
    if home.startswith(OWN):
        return extractor.protocol
    sources = hash_sources(home)
    return None if sources is None else f"{extractor.protocol} {sources}"


def hash_plugin(thing: type) -> str | None:
    """Returns what `hash_sources` gives of a user's class, None for genbench's own, which have versions."""
    home = thing.__module__
    return None if home.startswith("genbench.") else hash_sources(home)


def hash_sources(name: str) -> str | None:
    """Returns a hash of a module's file and of those of its folder that it imports; None without a file."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if not isinstance(file, str):
        return None
    first = Path(file).resolve()
    whole, queue, files = hashlib.sha256(), [first], {first}
    while queue:
        try:
            content = queue.pop().read_bytes()
            imported = sorted(_find_imports(ast.parse(content), first.parent) - files)
        except (OSError, SyntaxError, ValueError):
            return None
        whole.update(content)
        files.update(imported)
        queue += imported
    return whole.hexdigest()


def _find_imports(tree: ast.AST, folder: Path) -> set[Path]:
    """The files of a folder, and below, that a module imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = node.module or ""
            names |= {home, *(f"{home}.{alias.name}" for alias in node.names)}
    places = [folder.joinpath(*name.strip(".").split(".")) for name in names if name.strip(".")]
    files = [
        file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")
    ]
    return {file.resolve() for file in files if file.is_file()}
