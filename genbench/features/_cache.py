"""Where trained extractors are kept between runs."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

LOG = logging.getLogger(__name__)


def folder() -> Path:
    """Returns $GENBENCH_CACHE, else $XDG_CACHE_HOME/genbench, else ~/.cache/genbench."""
    if own := os.environ.get("GENBENCH_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genbench"


def digest(weights: Mapping[str, Tensor]) -> str:
    """Returns the sha256 of names, shapes and bytes, shortened to 16 hexadecimal digits."""
    found = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        found.update(f"{name}{tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def read(name: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Returns the weights and the facts kept under a name, or None where they are absent or broken."""
    weights_path, facts_path = _paths(name)
    try:
        weights = load(weights_path.read_bytes())
        facts = json.loads(facts_path.read_text())
        if facts["digest"] == digest(weights):
            return weights, facts
        LOG.warning("%s does not match its digest and is made anew", weights_path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        LOG.warning("%s cannot be used and is made anew: %s", weights_path, error)
    return None


def write(name: str, weights: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Keeps weights and facts under a name; where the folder cannot be written it says so in the log."""
    weights_path, facts_path = _paths(name)
    try:
        _replace(weights_path, save(dict(weights)))
        _replace(facts_path, (json.dumps(facts, indent=1, sort_keys=True) + "\n").encode())
    except OSError as error:
        LOG.warning("%s cannot be kept, and will be trained again: %s", weights_path, error)


def _paths(name: str) -> tuple[Path, Path]:
    root = folder() / "features"
    return root / f"{name}.safetensors", root / f"{name}.json"


def _replace(path: Path, content: bytes) -> None:
    """Writes a file so that readers see the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
