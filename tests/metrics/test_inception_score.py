"""The inception score against torch-fidelity's own, and at its ends."""

import math
import warnings

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import SpecError
from genbench.core.feature import EXTRACTORS, Logits
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.evaluator import Evaluator
from genbench.evaluation.requests import make_requests
from genbench.metrics.inception_score import inception_score
from genbench.points.vision import torchvision

RNG = Rng([0])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("n", "classes", "splits"), [(1000, 10, 10), (503, 7, 10), (90, 100, 3)])
def test_agrees_with_torch_fidelity(n, classes, splits):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchvision()
        from torch_fidelity.metric_isc import isc_features_to_metric
    logits = 3 * draws(n, classes)
    peer = isc_features_to_metric(logits, splits=splits, shuffle=True, rng_seed=2020)
    found = inception_score(logits, logits, rng=RNG, splits=splits)
    for column, theirs in (("inception_score", "mean"), ("inception_score_std", "std")):
        assert found[column].value == pytest.approx(peer[f"inception_score_{theirs}"], rel=1e-10)
    assert found["inception_score"].floor == found["inception_score"].value


def score(real, fake, **options):
    return inception_score(real, fake, rng=RNG, **options)["inception_score"]


def test_it_runs_from_one_to_the_number_of_classes():
    sure = 100 * torch.eye(8, dtype=torch.float64).repeat(50, 1)
    one = score(sure, sure, splits=1)
    assert one.value == pytest.approx(8)
    assert one.stderr is None
    assert score(sure, torch.zeros(40, 8)).value == pytest.approx(1)
    assert score(sure, sure[:1].repeat(40, 1)).value == pytest.approx(1)
    shares = torch.tensor([0] * 30 + [1] * 10)
    uneven = score(sure, sure[shares], splits=1)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert uneven.value == pytest.approx(math.exp(entropy))


def test_only_extractors_with_logits_are_asked():
    assert issubclass(EXTRACTORS.get("classifier"), Logits)
    ring = DATASETS.get("ring")()
    row, spread = Evaluator(ring, make_requests([Part(name="inception_score")]), samples=50).score(
        ring.points("train")[:50], None, RNG
    )
    assert row.value is None
    assert row.reason == spread.reason == "the extractor identity has no class logits"


def test_the_evaluator_hands_over_logits_and_images():
    digits = DATASETS.get("digits")()
    requests = make_requests(
        [Part(name=name) for name in ("inception_score", "sharpness", "ms_ssim")]
    )
    evaluator = Evaluator(digits, requests, samples=150)
    rows = {row.id: row for row in evaluator.score(digits.points("train")[:150], None, RNG)}
    found = rows["inception_score"]
    direct = score(
        *(evaluator.extractor.logits(digits.points(s)[:150]) for s in ("test", "train"))
    )
    assert found.value == pytest.approx(direct.value, rel=1e-6)
    assert found.protocol.startswith("classifier:digits@1 ")
    assert found.n_real == found.n_fake == 150
    assert 5 < found.value < 10
    assert rows["sharpness"].value == pytest.approx(1, abs=0.1)
    assert rows["sharpness"].protocol.startswith("n=150/150")
    assert rows["ms_ssim"].floor == pytest.approx(rows["ms_ssim"].value, abs=0.05)


def test_splits_of_one_point_are_no_score():
    """Of seven sure points of seven classes ten splits would say 1, the score of a single class."""
    sure = 20 * torch.eye(7)
    found = inception_score(sure, sure, rng=RNG)
    assert {score.value for score in found.values()} == {None}
    assert found["inception_score"].reason == (
        "7 points make no 10 splits of two or more; take fewer splits"
    )
    assert inception_score(sure, sure, rng=RNG, splits=1)["inception_score"].value > 6.9
    assert inception_score(sure, sure[:1].repeat(30, 1), rng=RNG)["inception_score"].floor is None


def test_splits_are_checked():
    with pytest.raises(SpecError, match="'splits' needs a whole number of 1 or more, got 0"):
        inception_score(draws(9, 2), draws(9, 2), rng=RNG, splits=0)
