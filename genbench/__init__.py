"""genbench: which family of deep generative model to use, and why, settled by measurement."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from genbench.core.version import __version__

#: where public names live; `claims` is both the folder of claims and, called, what they say
_HOMES = {
    "Autoregressive": "genbench.core.model",
    "Batch": "genbench.core.model",
    "Classifier": "genbench.core.model",
    "Claim": "genbench.core.claim",
    "Conditional": "genbench.core.model",
    "Dataset": "genbench.core.dataset",
    "DataSpec": "genbench.core.dataset",
    "Density": "genbench.core.model",
    "Encoder": "genbench.core.model",
    "Executor": "genbench.running.executor",
    "GenbenchError": "genbench.core.errors",
    "Inpainter": "genbench.core.model",
    "MarkovChain": "genbench.core.model",
    "Model": "genbench.core.model",
    "Player": "genbench.core.model",
    "Reconstructor": "genbench.core.model",
    "Rng": "genbench.core.rng",
    "Score": "genbench.core.metric",
    "Truth": "genbench.core.truth",
    "claim": "genbench.core.claim",
    "dataset": "genbench.core.dataset",
    "executor": "genbench.running.executor",
    "extractor": "genbench.core.feature",
    "metric": "genbench.core.metric",
    "model": "genbench.core.model",
    **dict.fromkeys(
        ("check", "evaluate", "leaderboard", "results", "run", "samples", "train"), "genbench.api"
    ),
}

__all__ = [*sorted(_HOMES), "__version__", "claims"]

if TYPE_CHECKING:
    from genbench.api import check, evaluate, leaderboard, results, run, samples, train
    from genbench.core.claim import Claim, claim
    from genbench.core.dataset import Dataset, DataSpec, dataset
    from genbench.core.errors import GenbenchError
    from genbench.core.feature import extractor
    from genbench.core.metric import Score, metric
    from genbench.core.model import (
        Autoregressive,
        Batch,
        Classifier,
        Conditional,
        Density,
        Encoder,
        Inpainter,
        MarkovChain,
        Model,
        Player,
        Reconstructor,
        model,
    )
    from genbench.core.rng import Rng
    from genbench.core.truth import Truth
    from genbench.running.executor import Executor, executor


def __getattr__(name: str) -> Any:
    """Resolves a public name on first use, so that `import genbench` does not import torch."""
    if name == "claims":
        return importlib.import_module("genbench.claims")
    if name not in _HOMES:
        raise AttributeError(f"module 'genbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
