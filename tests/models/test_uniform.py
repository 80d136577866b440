"""Uniform noise is what mode counts are read against."""

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.metrics.modes import modes
from genbench.training.minibatches import training_set


def fitted(data):
    dataset, rng = DATASETS.get(data)(), Rng([0, 1, 2, 3])
    model = build("uniform", dataset.spec, rng)
    model.prepare(training_set(dataset, type(model), rng), rng.fork("prepare"))
    return dataset, model, rng


def test_noise_covers_most_of_the_grid_and_the_strict_count_exposes_it():
    dataset, model, rng = fitted("grid")
    samples = dataset.to_data(model.sample(2500, rng.fork("sample")))
    scores = [modes(fake, dataset.truth, rng=rng) for fake in samples]
    covered = torch.tensor([score["modes"].value for score in scores])
    good = torch.tensor([score["high_quality"].value for score in scores])
    assert covered.mean() == pytest.approx(20.6, abs=2)
    assert good.mean() == pytest.approx(0.0174, abs=0.004)
    assert all(score["modes_strict"].value == 0 for score in scores)


def test_the_box_holds_the_data_and_its_range_where_there_is_one():
    dataset, model, rng = fitted("digits")
    assert (model.low == 0).all()
    assert (model.width == 1).all()
    assert (
        model.log_prob(
            dataset.to_model(dataset.points("test"))[None].expand(4, -1, -1, -1, -1), rng
        )
        .eq(0)
        .all()
    )
    dataset, model, rng = fitted("ring")
    inside = model.log_prob(dataset.to_model(dataset.points("test"))[None].expand(4, -1, -1), rng)
    assert inside.isfinite().all()
