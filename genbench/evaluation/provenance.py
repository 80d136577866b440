"""What numbers depend on in code that is not genbench's own, so that none is used or mixed after a change."""

from __future__ import annotations

import ast
import hashlib
import sys
from pathlib import Path

from genbench.core.declarations import module_of
from genbench.core.feature import Extractor

#: genbench's own extractors have a version and a digest of their weights in their protocols
OWN = "genbench.features."
#: by its id, code whose source was asked for, and the digits of that source then
_tags: dict[int, tuple[object, str]] = {}


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


def tag_code(thing: object) -> str:
    """Returns 8 digits of `hash_plugin`; "" where it gives none.

    They are of the source as it was when first asked for: a file that is edited while a program runs changes
    nothing of what the program has imported.
    """
    if id(thing) not in _tags:
        _tags[id(thing)] = thing, (hash_plugin(thing) or "")[:8]
    return _tags[id(thing)][1]


def tag_extractor(extractor: Extractor) -> str:
    """Returns `tag_code` of an extractor's class, or of the function that it calls; "" of a file."""
    inner = getattr(extractor, "inner", extractor)
    if getattr(inner, "by_content", False):
        return ""
    return tag_code(getattr(inner, "function", type(inner)))


def hash_plugin(thing: object) -> str | None:
    """Returns what `hash_sources` gives of a user's code, None for genbench's own, which has versions.

    Arguments:
        thing: A class, a function, or an object.
    """
    home = module_of(thing)
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
