"""What features depend on, so that what was kept of them is not used after a change."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from genbench.core.feature import Extractor

#: genbench's own extractors have a version and a digest of their weights in their protocols
OWN = "genbench.features."


def hash_extractor(extractor: Extractor) -> str | None:
    """Returns what stands for an extractor in the key of its features, or None if nothing can.

    That is the protocol, and for a user's class the source of its module and of all that it imports from
    its own folder. A user's function may do anything, so its features are never kept.
    """
    by_content = getattr(extractor, "by_content", None)
    if by_content is not None:
        return extractor.protocol if by_content else None
    home = type(extractor).__module__
    if home.startswith(OWN):
        return extractor.protocol
    sources = hash_sources(home)
    return None if sources is None else f"{extractor.protocol} {sources}"


def hash_sources(name: str) -> str | None:
    """Returns a hash of a module's file and of those of its folder that it imports; None without a file."""
    first = sys.modules.get(name)
    if first is None or _find_file(first) is None:
        return None
    whole, waiting, seen = hashlib.sha256(), [first], {first.__name__}
    while waiting:
        module = waiting.pop()
        file = _find_file(module)
        assert file is not None
        try:
            whole.update(file.read_bytes())
        except OSError:
            return None
        for other in sorted(_imports(module), key=lambda other: other.__name__):
            if other.__name__ not in seen:
                seen.add(other.__name__)
                waiting.append(other)
    return whole.hexdigest()


def _imports(module: ModuleType) -> Iterator[ModuleType]:
    """The modules of its own folder, or below, of which a module holds something."""
    file = _find_file(module)
    for value in vars(module).copy().values():
        name = value.__name__ if isinstance(value, ModuleType) else _home(value)
        other = sys.modules.get(name) if isinstance(name, str) else None
        place = None if other is None else _find_file(other)
        if other is None or place is None or file is None:
            continue
        if file.parent in place.parents:
            yield other


def _home(value: Any) -> Any:
    return getattr(value, "__module__", None)


def _find_file(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if isinstance(file, str) else None
