"""What an installed model says of itself: its paper, its abilities, how it differs."""

from __future__ import annotations

import inspect
from typing import Any

from genbench.core.catalogue import describe
from genbench.core.model import MODELS


def describe_model(name: str) -> dict[str, Any] | None:
    """Returns `core.catalogue.describe` with `references` and `differences` of the docstring.

    None where this installation lacks the model, or where its plugin is broken: the report goes on.
    """
    try:
        cls = MODELS.get(name)
        described = describe(cls)
    except Exception:  # a plugin of another machine, or one that cannot be imported
        return None
    blocks = [" ".join(block.split()) for block in (inspect.getdoc(cls) or "").split("\n\n")]
    differences = [b.removeprefix("Differences:").strip() for b in blocks if _is(b, "Differences")]
    cited = [b.removeprefix("References:") for b in blocks if _is(b, "References")]
    references = [part.strip() for block in cited for part in block.split("|") if part.strip()]
    return {**described, "differences": " ".join(differences), "references": references}


def _is(block: str, heading: str) -> bool:
    return block.startswith(f"{heading}:")
