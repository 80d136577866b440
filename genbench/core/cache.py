"""Where genbench keeps what can be made again: trained extractors, downloads."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Returns $GENBENCH_CACHE, else $XDG_CACHE_HOME/genbench, else ~/.cache/genbench."""
    if own := os.environ.get("GENBENCH_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "genbench"
