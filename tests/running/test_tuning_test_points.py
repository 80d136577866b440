"""No trial depends on a test point: scores are the same to the bit whatever the test split holds."""

from __future__ import annotations

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.spec import Budget, Criteria, Part, Tuning
from genbench.datasets.fashion_mnist import FashionMNIST
from genbench.running.suites import RunOptions
from genbench.running.tuning import make_campaign, run_tuning
from genbench.running.tuning_job import _SCORERS
from genbench.store.tunings import Tunings

PLAN = Tuning(
    budget=Budget(steps=4), batch=8, criteria=Criteria(samples=Part(name="mmd")), samples=40
)
SMALL = {"srresnet": {"blocks": 1, "width": 8}, "pix2pix": {"network": "mlp"}}
needs_fashion = pytest.mark.skipif(
    not (FashionMNIST.system / "train-images-idx3-ubyte.gz").is_file(),
    reason="the Debian package dataset-fashion-mnist is not installed",
)
FASHION = {"of": "fashion_mnist"}
CASES = [
    ("digits", {}, "vae", "mmd"),
    ("super_resolution", {}, "srresnet", "mmd"),
    ("super_resolution", {}, "srresnet", "psnr"),
    ("edges", {}, "pix2pix", "psnr"),
    ("holes", {}, "pix2pix", "psnr"),
    pytest.param("fashion_mnist", {}, "vae", "mmd", marks=needs_fashion),
    pytest.param(
        "super_resolution",
        {**FASHION, "scale": 4},
        "srresnet",
        "psnr",
        marks=[needs_fashion, pytest.mark.slow],
    ),
    pytest.param("fashion_mnist", {}, "vae", "fid", marks=[needs_fashion, pytest.mark.slow]),
    pytest.param("super_resolution", {}, "srresnet", "fid", marks=pytest.mark.slow),
]


def trial_scores(root, dataset, options, model, criterion):
    """What the default of a model scores at every rung, by a scorer of its own."""
    _SCORERS.clear()
    change = {
        "dataset": dataset,
        "options": options,
        "criteria": Criteria(samples=Part(name=criterion)),
        "base": {name: own for name, own in SMALL.items() if name == model},
    }
    campaign = make_campaign({"plan": PLAN.model_copy(update=change)}, models=[model], trials=1)
    result = run_tuning(campaign, RunOptions(root=root, device="cpu"))
    assert not result.failed
    (file,) = Tunings(root).files()
    scores = [rung.scores for rung in file.trials[0].rungs]
    assert all(value is not None for by in scores[-1].values() for value in by.values())
    return scores, file.floors


def replace_test_split(monkeypatch, name):
    """Replaces the test images of a data set by noise and their labels by zeros; returns a list of loads."""
    cls, loads = DATASETS.get(name), []
    load = cls.load

    def load_with_noise(self):
        loads.append(name)
        splits = load(self)
        pixels, labels = splits["test"]
        noise = torch.randint(
            0, self.levels, pixels.shape, generator=torch.Generator().manual_seed(1)
        ).to(pixels)
        assert not torch.equal(noise, pixels)
        return {**splits, "test": (noise, torch.zeros_like(labels))}

    monkeypatch.setattr(cls, "load", load_with_noise)
    return loads


@pytest.mark.parametrize(("dataset", "options", "model", "criterion"), CASES, ids=str)
def test_scores_are_the_same_whatever_the_test_split_holds(
    tmp_path, monkeypatch, dataset, options, model, criterion
):
    """Points, labels, sources (`given`) and images behind pairs (`base`) come from the replaced data set."""
    case = dataset, options, model, criterion
    before = trial_scores(tmp_path / "a", *case)
    source = dataset if dataset in ("digits", "fashion_mnist") else options.get("of", "digits")
    loads = replace_test_split(monkeypatch, source)
    after = trial_scores(tmp_path / "b", *case)
    assert loads, "the trials never opened the data set whose test split was replaced"
    assert after == before


@pytest.mark.parametrize(
    ("dataset", "model"), [("digits", "vae"), ("super_resolution", "srresnet")]
)
def test_a_leak_of_the_test_split_would_move_the_scores(tmp_path, monkeypatch, dataset, model):
    """The check above has teeth: where `test` is not turned into `validation`, noise moves the scores."""
    monkeypatch.setattr("genbench.evaluation.validation._seen", lambda split: "test")
    before = trial_scores(tmp_path / "a", dataset, {}, model, "mmd")
    replace_test_split(monkeypatch, "digits")
    assert trial_scores(tmp_path / "b", dataset, {}, model, "mmd") != before
