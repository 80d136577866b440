"""The classifier's features: accurate, the same everywhere, kept, and repaired."""

import json
import os
import re

import pytest
import torch
from torch import nn

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError
from genbench.core.files import cache_folder
from genbench.core.rng import Rng
from genbench.evaluation.validation import WithoutTest
from genbench.features import _cache, _network
from genbench.features.classifier import ClassifierFeatures

SHIPPED = _cache.SHIPPED
DIGITS = DATASETS.get("digits")()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A cache folder with a classifier trained once, and the global generator's state kept."""
    folder = tmp_path_factory.mktemp("cache")
    shipped, _cache.SHIPPED = _cache.SHIPPED, folder / "none"
    old = os.environ.get("GENBENCH_CACHE")
    os.environ["GENBENCH_CACHE"] = str(folder)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    trained = ClassifierFeatures(DIGITS)
    with torch.no_grad():
        trained.protocol  # noqa: B018 - trains, though the caller wants no gradients
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    yield folder, trained
    _cache.SHIPPED = shipped
    if old is None:
        del os.environ["GENBENCH_CACHE"]
    else:
        os.environ["GENBENCH_CACHE"] = old


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr("genbench.features.classifier.train", refuse)


def test_held_out_accuracy_is_high_and_told(kept):
    _, trained = kept
    right = trained.logits(DIGITS.points("test")).argmax(1) == DIGITS.labels("test")
    assert trained.accuracy == pytest.approx(right.double().mean().item())
    assert trained.accuracy >= 0.97
    assert re.fullmatch(
        r"classifier:digits@1 9[78]\.\d% [0-9a-f]{8}|classifier:digits@1 99.*", trained.protocol
    )


def test_features_are_the_penultimate_layer(kept):
    _, trained = kept
    x = DIGITS.points("test")
    features = trained.extract(x)
    assert features.shape == (500, 64)
    assert not features.requires_grad
    assert torch.equal(trained.extract(x.flatten(1)), features)
    torch.testing.assert_close(trained._trained[0].head(features).detach(), trained.logits(x))
    assert (features.std(dim=0) > 1e-3).sum() >= 32


def test_a_second_one_is_read_from_the_cache(kept, no_training):
    _, trained = kept
    again = ClassifierFeatures(DATASETS.get("digits")())
    assert again.protocol == trained.protocol
    x = DIGITS.points("test")
    assert torch.equal(again.extract(x), trained.extract(x))


@pytest.mark.parametrize("fault", ["cut", "swapped", "no facts", "bad facts", "other network"])
def test_a_broken_cache_is_made_anew(kept, fault, tmp_path, monkeypatch):
    folder, trained = kept
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    key = trained._key
    (tmp_path / "features").mkdir()
    names = [f"{key}.safetensors", f"{key}.json"]
    weights, facts = (bytearray((folder / "features" / name).read_bytes()) for name in names)
    if fault == "cut":
        weights = weights[:100]
    elif fault == "swapped":
        weights[-5] ^= 1
    elif fault == "no facts":
        facts = bytearray(b"[]")
    elif fault == "bad facts":
        facts = bytearray(json.dumps({"digest": json.loads(facts)["digest"]}).encode())
    for name, content in zip(names, (weights, facts), strict=True):
        (tmp_path / "features" / name).write_bytes(content)
    if fault == "other network":
        other = {"head.weight": torch.zeros(3, 3)}
        _cache.write(key, other, {"digest": _cache.digest(other), "accuracy": 1.0})
    monkeypatch.setattr("genbench.features.classifier.train", lambda *_: None)
    found = ClassifierFeatures(DIGITS)
    assert found.digest != trained.digest
    assert found.accuracy < 0.5
    assert _cache.read(key) is not None


@pytest.mark.parametrize("name", ["digits", "binary_digits"])
@pytest.mark.parametrize("view", [lambda d: d, WithoutTest], ids=["whole", "tuning"])
def test_shipped_ones_fit_their_data_and_come_first(
    name, view, tmp_path, monkeypatch, no_training
):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(_cache, "SHIPPED", SHIPPED)
    dataset = view(DATASETS.get(name)())
    found = ClassifierFeatures(dataset)
    weights, facts = _cache.read(found._key)
    assert facts["digest"] == found.digest == _cache.digest(weights)
    right = found.logits(dataset.points("test")).argmax(1) == dataset.labels("test")
    assert found.accuracy == pytest.approx(right.double().mean().item(), abs=0.005)
    _cache.write(found._key, {"head.weight": torch.zeros(3, 3)}, {"digest": "0", "accuracy": 0.0})
    assert ClassifierFeatures(dataset).digest == found.digest


def test_no_part_of_a_file_is_left_behind(kept):
    folder, _ = kept
    names = sorted(path.name for path in (folder / "features").iterdir())
    assert [name.rpartition(".")[2] for name in names] == ["json", "safetensors"]


def test_training_is_the_same_whatever_the_global_state(monkeypatch):
    monkeypatch.setattr(_network, "LEAST", 60)
    x, labels = DIGITS.points("train")[:200].float(), DIGITS.labels("train")[:200]
    digests = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        rng = Rng([0])
        network = _network.ClassifierNetwork((1, 8, 8), 10, rng.fork("init"))
        _network.train(network, x, labels, rng.fork("order"))
        digests.append(_cache.digest(network.state_dict()))
    assert digests[0] == digests[1]


def test_a_folder_that_cannot_be_written_costs_time_alone(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "file"))
    _cache.write("x", {"a": torch.zeros(1)}, {"digest": "0"})
    assert "cannot be kept" in caplog.text


def test_the_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("GENBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "genbench"


def test_data_without_labels_are_refused_with_advice():
    with pytest.raises(
        DataError, match=r"needs a data set with labels, got ring.*use the identity"
    ):
        ClassifierFeatures(DATASETS.get("ring")())
    with pytest.raises(DataError, match="got no data set; use the identity extractor"):
        ClassifierFeatures(None)


def test_points_of_another_shape_are_refused(kept):
    with pytest.raises(DataError, match=r"needs points of shape \(N, 1, 8, 8\), got \(3, 2\)"):
        kept[1].extract(torch.zeros(3, 2))


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ((1, 28, 28), nn.Conv2d),
        ((3, 32, 32), nn.Conv2d),
        ((1, 9, 17), nn.Conv2d),
        ((5,), nn.Linear),
    ],
)
def test_networks_fit_other_shapes(event, kind):
    network = _network.ClassifierNetwork(event, 4, Rng([0]))
    assert any(isinstance(layer, kind) for layer in network.body)
    assert network(torch.zeros(3, *event)).shape == (3, 4)


def test_facts_that_were_changed_are_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    weights = {"a": torch.zeros(1)}
    _cache.write("x", weights, {"digest": _cache.digest(weights), "accuracy": 0.25})
    assert _cache.read("x")[1] == {"digest": _cache.digest(weights), "accuracy": 0.25}
    path = tmp_path / "features" / "x.json"
    path.write_text(path.read_text().replace("0.25", "0.75"))
    assert _cache.read("x") is None
