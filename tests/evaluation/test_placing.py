"""Devices, precisions, exported programs, floors and labels of `evaluate`."""

from __future__ import annotations

import importlib
import warnings
import zipfile

import numpy
import pytest
import torch

import genbench
from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError
from genbench.core.feature import Extractor, Logits
from genbench.core.spec import parse_part
from genbench.evaluation.extractors import make_extractor
from genbench.evaluation.placing import place_extractor
from genbench.evaluation.provenance import hash_extractor
from genbench.metrics.fid import fid
from genbench.metrics.intra_fid import intra_fid

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU is here")
#: which metrics a GPU is compared by
METRICS = "fd,kid,mmd,prdc,cmmd,vendi,mind,realism,alpha_precision,sliced_wasserstein"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


def images(n, seed=0, side=8):
    rng = numpy.random.default_rng(seed)
    return rng.random((n, 3, side, side), dtype=numpy.float32)


def test_a_precision_stands_in_the_protocol_and_moves_the_numbers_a_little():
    x = torch.from_numpy(images(6))
    plain = make_extractor(parse_part("random_conv"), None)
    half = make_extractor(parse_part("random_conv"), None, precision="bfloat16")
    assert plain.protocol == "random_conv@1"
    assert half.protocol == "random_conv@1 bfloat16"
    features = plain.extract(x), half.extract(x)
    assert features[1].dtype == torch.float32
    assert not torch.equal(*features)
    torch.testing.assert_close(*features, rtol=0.05, atol=0.05)
    assert make_extractor(parse_part("random_conv"), None, device="cpu").protocol == plain.protocol
    result = genbench.evaluate(
        images(40), images(40, 1), metrics="fd", features="random_conv", precision="bfloat16"
    )
    assert "random_conv@1 bfloat16, n=40/40" in result.metrics["fd"].protocol


class Halves(Extractor, Logits):
    protocol = "halves"

    def extract(self, x):
        return x[:, :2]

    def logits(self, x):
        return x[:, 2:]


def test_what_does_not_compute_has_no_precision_and_logits_stay():
    identity = make_extractor(parse_part("identity"), None, precision="bfloat16")
    assert identity.protocol == "identity"
    placed = place_extractor(Halves(), torch.device("cpu"), "tf32")
    x = torch.ones(5, 4)
    assert torch.equal(placed.extract(x), x[:, :2])
    assert torch.equal(placed.logits(x), x[:, 2:])
    assert placed.protocol == "halves tf32"
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"device": "gpu"}, "--device needs auto, cpu, cuda, cuda:N or mps, got 'gpu'"),
        ({"device": "cuda:99"}, "--device cuda:99 needs a CUDA GPU"),
        ({"precision": "float8"}, "--precision has no 'float8'"),
    ],
)
def test_other_devices_and_precisions_are_refused(options, says):
    with pytest.raises(SpecError, match=says):
        genbench.evaluate(images(9), images(9, 1), metrics="fd", features="random_conv", **options)


@CUDA
@pytest.mark.parametrize("features", ["identity", "random_conv", "efficientnet_lite0"])
def test_the_gpu_agrees_with_the_cpu(features):
    pytest.importorskip("timm", reason="pip install 'genbench[features]'")
    real, fake = images(300, side=16), 0.9 * images(300, 1, side=16)
    rows = [
        genbench.evaluate(fake, real, metrics=METRICS, features=features, device=d, cache=False)
        for d in ("cpu", "cuda")
    ]
    for name, row in rows[0].metrics.items():
        scale = max(abs(row.value), 1e-3)
        assert abs(rows[1].metrics[name].value - row.value) <= 1e-3 * scale, name


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3 * 64, 5)

    def forward(self, x):
        return self.linear(x.flatten(1)) + torch.arange(5)


def export(path, network=None, batch=torch.export.Dim.DYNAMIC):
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        network = network or Small()
        program = torch.export.export(
            network.eval(), (torch.zeros(2, 3, 8, 8),), dynamic_shapes=({0: batch},)
        )
        torch.export.save(program, path)
    return network


def test_an_exported_program_is_an_extractor(tmp_path):
    network = export(tmp_path / "own.pt2")
    real, fake = images(60), images(50, 1)
    result = genbench.evaluate(fake, real, metrics="fd", features="own.pt2", batch=32)
    with torch.no_grad():
        want = [network(torch.from_numpy(x)) for x in (real, fake)]
    assert result.fd == pytest.approx(fid(*want, rng=None), rel=1e-5)
    digest = result.metrics["fd"].protocol.split(",")[0]
    assert digest.startswith("own.pt2 ")
    assert len(digest.split()[1]) == 8


def test_programs_of_a_fixed_batch_and_other_files_are_one_sentence(tmp_path):
    export(tmp_path / "fixed.pt2", batch=None)
    with pytest.raises(DataError, match=r"fixed\.pt2 \w+ failed on points \(9, 3, 8, 8\)"):
        genbench.evaluate(images(9), images(9, 1), metrics="fd", features="fixed.pt2")
    (tmp_path / "text.pt2").write_text("no archive")
    with pytest.raises(DataError, match=r"text\.pt2 is not a file of torch.export"):
        genbench.evaluate(images(9), images(9, 1), metrics="fd", features="text.pt2")


class Detonator:
    fired = False

    def __reduce__(self):
        return (_fire, ())


def _fire():
    Detonator.fired = True


@pytest.mark.parametrize("part", ["data/sample_inputs/model.pt", "data/constants/opaque_obj_0"])
def test_nothing_in_an_exported_program_is_unpickled(tmp_path, part):
    export(tmp_path / "own.pt2")
    torch.save(Detonator(), tmp_path / "bomb")
    with zipfile.ZipFile(tmp_path / "own.pt2") as source:
        parts = {name: source.read(name) for name in source.namelist()}
    root = next(iter(parts)).partition("/")[0]
    parts[f"{root}/{part}"] = (tmp_path / "bomb").read_bytes()
    with zipfile.ZipFile(tmp_path / "evil.pt2", "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    with pytest.raises(DataError, match=r"evil\.pt2"):
        make_extractor(parse_part("evil.pt2"), None)
    assert not Detonator.fired


def test_few_points_stand_beside_floors_and_the_distance_of_endless_ones():
    rng = numpy.random.default_rng(0)
    real, fake = rng.normal(size=(400, 3)), rng.normal(size=(300, 3)) + 0.5
    result = genbench.evaluate(fake, real)
    assert result.fid_infinity == pytest.approx(0.75, abs=0.4)
    row = result.metrics["fid"]
    assert 0 < row.floor < row.value / 5
    assert result.metrics["precision"].floor > 0.9
    assert result.to_dict()["metrics"]["fid"]["floor"] == row.floor
    assert result.notes == (
        "floors compare the reference with its other half, at random, n=200/200",
    )
    line = next(line for line in str(result).splitlines() if " fid " in line)
    assert f" {row.floor:.4g} " in line
    # metrics that are named are what was asked for, no more
    assert list(genbench.evaluate(fake, real, metrics="fd").metrics) == ["fd"]


def test_floors_are_of_training_points_where_there_are_some():
    rng = numpy.random.default_rng(0)
    real, fake, train = (rng.normal(size=(n, 3)) + s for n, s in ((200, 0), (150, 1), (500, 0)))
    result = genbench.evaluate(fake, real, train=train, metrics="fd")
    assert result.notes == ("floors compare the reference with training points, n=200/150",)
    own = genbench.evaluate(0.9 * fake[:, :2], "ring:test", metrics="fd", limit=150)
    assert own.notes == (
        "ring:test: the first 150 of 20000 exact draws were taken",
        "floors compare the reference with training points, n=150/150",
    )


def test_a_reference_of_training_points_is_not_compared_with_itself():
    digits = DATASETS.get("digits")()
    fake = digits.points("test")[:300].numpy()
    result = genbench.evaluate(fake, "digits:train", metrics="fd", features="identity")
    assert result.metrics["fd"].floor > 0
    assert "its other half" in result.notes[0]


def test_classes_are_compared_where_both_sides_have_labels():
    digits = DATASETS.get("digits")()
    result = genbench.evaluate(
        "digits:train", "digits:test", metrics="intra_fid", features="identity"
    )
    sides = [
        (digits.points(split).flatten(1), digits.labels(split)) for split in ("test", "train")
    ]
    (real, labels), (fake, fake_labels) = sides
    want = intra_fid(real, fake, labels, fake_labels, rng=None)
    assert result.intra_fid == pytest.approx(want["intra_fid"].value)
    assert result.intra_fid_worst == pytest.approx(want["intra_fid_worst"].value)
    without = genbench.evaluate(
        fake.numpy().reshape(-1, 1, 8, 8),
        "digits:test",
        metrics="intra_fid",
        features="identity",
    )
    assert without.intra_fid is None
    assert "needs labels of both sides, samples has none" in without.metrics["intra_fid"].reason


def test_floors_are_of_real_points_that_were_read_as_the_reference_was():
    """Resized, where the reference was: training points of another size would be compared otherwise."""
    fake = DATASETS.get("digits")().points("validation")[:60]
    how = {"metrics": "fd", "features": "random_conv", "limit": 60}
    same = genbench.evaluate(fake.numpy(), "digits:test", **how)
    large = genbench.evaluate(fake.numpy(), "digits:test", resize="16x16", **how)
    assert same.notes[-1] == "floors compare the reference with training points, n=60/60"
    assert 0 < large.metrics["fd"].floor != same.metrics["fd"].floor > 0


def test_what_stands_for_a_users_extractor_is_its_source_on_any_device(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "own_extractor.py"
    code = "from genbench.core.feature import Extractor\nclass Own(Extractor):\n    protocol = 'own'\n"
    file.write_text(code + "    def extract(self, x):\n        return x.flatten(1)\n")
    own = importlib.import_module("own_extractor").Own()
    placed = place_extractor(own, torch.device("cpu"), "bfloat16")
    before = hash_extractor(placed), hash_extractor(own)
    assert before[0] != before[1]  # the precision moves numbers
    file.write_text(code + "    def extract(self, x):\n        return 2 * x.flatten(1)\n")
    assert hash_extractor(placed) not in before
