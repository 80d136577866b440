"""Extractors that need no labels: random convolutions, and Inception with weights of a file."""

from __future__ import annotations

import pickle

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError
from genbench.core.feature import EXTRACTORS, Logits
from genbench.points.vision import torchvision

DIGITS = DATASETS.get("digits")()


def test_random_features_are_the_same_in_any_batch_and_process():
    x = DIGITS.points("test")[:20]
    found = EXTRACTORS.get("random_conv")(DIGITS)
    whole = found.extract(x)
    assert whole.shape == (20, 448)
    assert found.protocol == "random_conv@1"
    torch.testing.assert_close(torch.cat([found.extract(p) for p in x.split(3)]), whole)
    torch.testing.assert_close(EXTRACTORS.get("random_conv")(DIGITS).extract(x.flatten(1)), whole)
    # a fixed seed, so the value itself is part of the protocol
    assert whole.double().mean().item() == pytest.approx(RANDOM_MEAN, rel=1e-4)


#: the mean of the features of the first 20 test digits
RANDOM_MEAN = 0.367125


def test_random_features_tell_noise_from_digits():
    x = DIGITS.points("test")
    found = EXTRACTORS.get("random_conv")(DIGITS)
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(0))
    real, other, fake = (found.extract(part).mean(0) for part in (x[:250], x[250:], noise[:250]))
    assert (real - fake).norm() > 5 * (real - other).norm()


def test_random_features_need_images():
    with pytest.raises(DataError, match="random_conv needs images"):
        EXTRACTORS.get("random_conv")(DATASETS.get("ring")())
    with pytest.raises(DataError, match=r"got \(4, 2\)"):
        EXTRACTORS.get("random_conv")().extract(torch.zeros(4, 2))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights in the true format; random running variances keep activations in range."""
    torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Empty(FeatureExtractorInceptionV3):
        def load_state_dict(self, *args, **kwargs):
            return None

    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save({}, path)
    torch.manual_seed(0)
    network = Empty("x", ["2048"], str(path))
    torch.save(network.state_dict(), path)
    return path


def test_inception_gives_torch_fidelitys_own_features(weights):
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    pixels = torch.randint(0, 256, (3, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    theirs = FeatureExtractorInceptionV3("x", ["2048", "logits_unbiased"], str(weights))
    want = theirs(pixels.to(torch.uint8))
    ours = EXTRACTORS.get("inception_v3_compat")(weights=str(weights))
    assert isinstance(ours, Logits)
    given = pixels / 255
    torch.testing.assert_close(ours.extract(given), want[0])
    torch.testing.assert_close(ours.logits(given), want[1])
    assert not torch.equal(ours.extract(given[:2].flip(0)), want[0][:2])
    assert ours.protocol.startswith("inception-v3-compat weights ")


def test_inception_without_weights_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cls = EXTRACTORS.get("inception_v3_compat")
    with pytest.raises(DataError, match="genbench fetch inception_v3_compat"):
        cls()
    with pytest.raises(DataError, match="without --offline"):
        cls.fetch(offline=True)


class Detonator:
    """Says so if it is ever unpickled."""

    fired = False

    def __reduce__(self):
        return (_fire, ())


def _fire():
    Detonator.fired = True


@pytest.mark.parametrize("content", [{"a": torch.zeros(2)}, [1, 2], Detonator()])
def test_files_of_other_things_are_refused_and_never_unpickled(tmp_path, content):
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    x = torch.zeros(2, 1, 8, 8)
    with pytest.raises(DataError, match="weights"):
        EXTRACTORS.get("inception_v3_compat")(weights=str(path)).extract(x)
    path.write_bytes(pickle.dumps(Detonator()))
    with pytest.raises(DataError, match="holds no plain weights"):
        EXTRACTORS.get("inception_v3_compat")(weights=str(path)).extract(x)
    assert not Detonator.fired
