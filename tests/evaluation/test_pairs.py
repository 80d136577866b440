"""Models that translate are evaluated on the test sources in order, and judged fairly."""

import pytest
import torch
from small_suites import do, suite_of

from genbench.core.dataset import Dataset, DataSpec, open_named
from genbench.core.metric import METRICS, Metric
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.core.trained import Trained
from genbench.evaluation.evaluator import Evaluator, draw
from genbench.evaluation.requests import make_requests
from genbench.training.minibatches import prepare


@pytest.fixture(scope="module")
def film():
    return open_named("moving_digits")


def make(name, film, **options):
    rng = Rng([0, 1])
    return prepare(build(name, film.spec, rng, options), film, rng), rng


def score(film, model, rng, *metrics, **changes):
    requests = make_requests([Part(name=name) for name in metrics], samples=100)
    evaluator = Evaluator(film, requests, samples=100)
    fake = draw(model, film, evaluator.n, rng.fork("sample"))[0]
    rows = evaluator.score(fake, Trained(model, film), rng.only(0), **changes)
    return {row.id: row for row in rows}


def test_samples_are_translations_of_the_test_sources_in_order(film):
    model, rng = make("copy", film)
    x = draw(model, film, 40, rng)
    assert x.shape == (2, 40, 1, 16, 16)
    assert torch.equal(x[1], film.given.points("test")[:40, 1:])


def test_a_sampler_has_no_pairs_and_a_translator_has(film):
    model, rng = make("resample", film)
    rows = score(film, model, rng, "psnr", "answers_hit")
    assert rows["psnr"].reason == "resample has no translator"
    assert rows["answers_hit"].reason == "resample has no translator"
    rows = score(film, *make("copy", film), "psnr", "near_answer")
    assert rows["psnr"].value > 5
    assert rows["psnr"].floor is None
    assert rows["near_answer"].value < 0.05


def test_data_without_sources_have_no_pairs():
    ring = open_named("ring")
    rng = Rng([0])
    model = prepare(build("resample", ring.spec, rng), ring, rng)
    reason = score(ring, model, rng, "psnr")["psnr"].reason
    assert reason == "psnr needs sources that points are made from, ring has none"


def test_psnr_brings_fid_once():
    """The average answer wins PSNR, so that it is never measured alone."""
    names = [r.metric.name for r in make_requests([Part(name="psnr"), Part(name="ssim")])]
    assert names == ["psnr", "ssim", "fid"]
    asked = make_requests([Part(name="fid", options={}), Part(name="psnr")])
    assert [r.metric.name for r in asked] == ["fid", "psnr"]


def test_a_network_in_the_loss_judges_no_model(film, monkeypatch):
    """Metrics that look through it are null with the reason, all others are as before."""
    model, rng = make("copy", film)
    free = score(film, model, rng, "fid", "psnr")
    model.loss_networks = ("identity",)
    own = score(film, model, rng, "fid", "psnr")
    assert own["fid"].value is None
    assert "a part of the loss of copy, which it cannot judge" in own["fid"].reason
    assert own["psnr"].value == free["psnr"].value
    entry = METRICS.get("psnr")
    planted = Metric("psnr", entry.function, entry.view, entry.columns, networks=("identity",))
    monkeypatch.setattr(METRICS, "get", lambda name: planted)
    assert "looks through identity" in score(film, model, rng, "psnr")["psnr"].reason


class Likes(Dataset):
    """Digits made from digits, judged by their own data set's classifier."""

    def __init__(self):
        super().__init__()
        self.base = self.given = open_named("digits")
        self.name = "likes"
        self.spec = DataSpec("likes", (1, 8, 8), range=(0.0, 1.0), source=self.given.spec)

    def points(self, split):
        return self.given.points(split)


def test_the_base_s_classifier_judges():
    fid = make_requests([Part(name="fid")], samples=100)
    own, base = Evaluator(Likes(), fid, samples=100), Evaluator(Likes().base, fid, samples=100)
    assert own.features == base.features == Part(name="classifier")
    assert own.judged.name == "digits"


def test_a_suite_of_translators_runs_and_is_scored_again_from_its_samples(tmp_path):
    """Stored samples stay aligned with sources: a metric asked for later needs no training."""
    cells = [
        {
            "models": [
                {"name": "regression", "options": {"network": "mlp", "hidden": [16]}},
                "gan",
            ],
            "datasets": ["moving_digits"],
        }
    ]
    changes = {"cells": cells, "metrics": ["psnr"], "curve_metrics": ["psnr", "fid"]}
    _, first = do(suite_of(tmp_path, **changes), tmp_path / "results")
    records = {r.spec.model: r for r in first}
    ours = {m.id: m for m in records["regression"].metrics}
    assert ours["psnr"].value is not None
    assert ours["psnr"].n_fake == 100
    assert all(p.metrics["psnr"] is not None for p in records["regression"].curve)
    assert all(p.metrics["psnr"] is None for p in records["gan"].curve)
    assert "test sources" in records["regression"].data_hashes
    more = suite_of(tmp_path, **changes | {"metrics": ["psnr", "ssim"]})
    _, again = do(more, tmp_path / "results")
    rescored = {m.id: m for r in again if r.spec.model == "regression" for m in r.metrics}
    assert rescored["psnr"].value == ours["psnr"].value
    assert rescored["ssim"].value is not None
