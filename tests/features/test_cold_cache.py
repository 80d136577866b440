"""The classifier is trained on first use, and that may be while a model is being evaluated."""

import torch

from genbench.core.dataset import DATASETS
from genbench.core.feature import EXTRACTORS
from genbench.features import _cache


def test_it_is_trained_where_gradients_are_off(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(_cache, "SHIPPED", tmp_path / "none")
    digits = DATASETS.get("digits")()
    with torch.no_grad():
        made = EXTRACTORS.get("classifier")(digits)
        features = made.extract(digits.points("test"))
    assert features.shape == (500, 64)
    assert made.accuracy > 0.95
