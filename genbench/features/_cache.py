"""Where extractors that were trained or converted here are kept between runs."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from genbench.core.errors import StoreError
from genbench.core.files import cache_folder, read_file, write_bytes

LOG = logging.getLogger(__name__)
#: weights that genbench ships (`make classifiers`): processors train to different last bits, and features
#: of two networks do not compare
SHIPPED = Path(__file__).parent / "weights"


def digest(weights: Mapping[str, Tensor]) -> str:
    """Returns the sha256 of names, shapes and bytes, shortened to 16 hexadecimal digits."""
    whole = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        whole.update(f"{name}{tuple(tensor.shape)}".encode())
        whole.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return whole.hexdigest()[:16]


def read(name: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Returns the weights and the facts of a name, those that are shipped before those that are kept here.

    None where they are absent or broken.
    """
    return _read(*_paths(name, SHIPPED)) or _read(*_paths(name), sealed=True)


def _read(
    weights_path: Path, facts_path: Path, *, sealed: bool = False
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    try:
        weights = load(read_file(weights_path, None))
        facts = json.loads(read_file(facts_path))
        seal = facts.pop("seal", None)
        if facts["digest"] == digest(weights) and (not sealed or seal == _seal(facts)):
            return weights, facts
        LOG.warning("%s does not match its digest and is not used", weights_path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        LOG.warning("%s cannot be used: %s", weights_path, error)
    return None


def write(name: str, weights: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Keeps weights and facts under a name; where the folder cannot be written it says so in the log."""
    weights_path, facts_path = _paths(name)
    try:
        write_bytes(weights_path, save(dict(weights)))
        content = {**facts, "seal": _seal(facts)}
        write_bytes(facts_path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
    except StoreError as error:
        LOG.warning("%s cannot be kept, and will be made again: %s", weights_path, error)


def _seal(facts: Mapping[str, Any]) -> str:
    """A hash of facts, some of which stand in protocols."""
    return hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()[:16]


def path_of(name: str) -> Path:
    """Returns the file of the weights that are kept under a name."""
    return _paths(name)[0]


def _paths(name: str, root: Path | None = None) -> tuple[Path, Path]:
    root = root or cache_folder() / "features"
    return root / f"{name}.safetensors", root / f"{name}.json"
