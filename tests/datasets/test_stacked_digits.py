"""A thousand modes: what they are made of, and how well the classifier sees them."""

import math

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng
from genbench.metrics.modes import modes

RNG = Rng([0])


@pytest.fixture(scope="module")
def stacked():
    return DATASETS.get("stacked_digits")()


@pytest.fixture(scope="module")
def digits():
    return DATASETS.get("digits")()


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_every_channel_is_a_digit_of_that_split(stacked, digits, split):
    x, numbers = stacked.points(split), stacked.modes(split)
    assert x.shape == (26_000, 3, 8, 8)
    known = {
        image.numpy().tobytes(): int(label)
        for image, label in zip(digits.points(split), digits.labels(split), strict=True)
    }
    for image, number in zip(x[:100], numbers[:100], strict=True):
        seen = [known[channel.contiguous().numpy().tobytes()] for channel in image]
        assert 100 * seen[0] + 10 * seen[1] + seen[2] == number


def test_the_stream_stacks_training_digits_afresh(stacked, digits):
    x = stacked.draw(200, Rng([0, 1]))
    assert x.shape == (2, 200, 3, 8, 8)
    known = {image.numpy().tobytes() for image in digits.points("train")}
    assert all(c.contiguous().numpy().tobytes() in known for c in x.flatten(0, 2))
    assert not torch.equal(x[0], x[1])
    assert torch.equal(x[1], stacked.draw(200, Rng([1]))[0])
    y = stacked.to_model(x, Rng([0, 1]))
    assert torch.equal(stacked.to_data(y), x)


def test_modes_are_equally_likely(stacked):
    """KL to uniform of the true modes is the bias (K-1)/2n, 0.0194 with its next term."""
    counts = torch.bincount(stacked.modes("test"), minlength=1000).double()
    share = counts[counts > 0] / counts.sum()
    assert float((share * (1000 * share).log()).sum()) == pytest.approx(0.0194, abs=0.002)


def test_the_metric_by_its_classifier(stacked):
    """Real stacks of unseen digits meet all modes; a collapsed generator costs the log of the rest."""
    n = 8000
    actual = modes(stacked.points("test").flatten(1), stacked.truth, rng=RNG, samples=n)
    assert (
        actual["modes"].value >= 990
    )  # exact samples leave out 1000 / e^8, the classifier some more
    assert actual["modes"].floor == pytest.approx(1000 * (1 - 0.999**n))
    assert actual["reverse_kl"].floor == pytest.approx(999 / (2 * n), rel=0.03)
    assert 0.05 < actual["reverse_kl"].value < 0.1
    assert abs(actual["reverse_kl_corrected"].value) < 0.04
    assert actual["high_quality"].value is None
    assert "classifier gives every sample a mode" in actual["high_quality"].reason
    assert actual["modes"].protocol["by"].startswith("classifier:digits@")
    right = stacked.mode_of(stacked.points("test")[:1000]) == stacked.modes("test")[:1000]
    assert right.double().mean() > 0.9

    one = stacked.points("test")[stacked.modes("test") == 123]
    collapsed = modes(one.flatten(1).repeat(10, 1), stacked.truth, rng=RNG, samples=26_000)
    assert collapsed["modes"].value <= 6
    assert collapsed["reverse_kl"].value == pytest.approx(math.log(1000), abs=1.0)
