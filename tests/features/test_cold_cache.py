"""The classifier is trained on first use, and that may be while a model is being evaluated."""

import torch

from genbench.core.dataset import DATASETS
from genbench.core.feature import EXTRACTORS


def test_it_is_trained_where_gradients_are_off(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    digits = DATASETS.get("digits")()
    with torch.no_grad():
        made = EXTRACTORS.get("classifier")(digits)
        features = made.extract(digits.points("test"))
    assert features.shape == (500, 64)
    assert made.accuracy > 0.95
