"""Points from anywhere: every kind of source, and one helpful sentence for everything else."""

from __future__ import annotations

import sys
import warnings

import numpy
import pytest
import torch
from PIL import Image

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, GenbenchError, SpecError
from genbench.core.feature import EXTRACTORS
from genbench.core.spec import Part, parse_part
from genbench.evaluation.extractors import make_extractor
from genbench.evaluation.reading import read_points
from genbench.evaluation.sources import ReadOptions, open_points

RNG = numpy.random.default_rng(0)
IDENTITY = EXTRACTORS.get("identity")()
GENERATORS = """
import numpy, torch

def good():
    for i in range(3):
        yield numpy.full((4, 2), i, dtype="float32")

def images():
    yield torch.full((4, 3, 8, 8), 51, dtype=torch.uint8)

def nothing():
    return iter(())

def one():
    yield numpy.zeros((1, 2))

def nan():
    yield numpy.zeros((4, 2))
    yield numpy.array([[0.0, numpy.nan]])

def raises():
    yield numpy.zeros((4, 2))
    raise ValueError("planted\\non purpose")

def stops_at_once():
    raise KeyError("early")

def ragged():
    yield [[1.0, 2.0], [3.0]]

def words():
    yield ["a", "b"]

def flat():
    yield numpy.zeros(4)

def changing():
    yield numpy.zeros((4, 2))
    yield numpy.zeros((4, 3))

def endless():
    while True:
        yield torch.zeros(64, 1000)

def no_iterator():
    return 3

value = 3
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "gens.py").write_text(GENERATORS)
    yield
    sys.modules.pop("gens", None)


def read(source, spaces, extractor, *, cache=False, **given):
    options = ReadOptions(**given)
    return read_points(open_points(source, options), spaces, extractor, options, cache=cache)


def points_of(source, **given):
    return read(source, {"points"}, IDENTITY, **given).views["points"]


def make(text, dataset):
    return make_extractor(parse_part(text), dataset)


def test_arrays_folders_splits_and_generators_are_read(tmp_path):
    numpy.save("a.npy", RNG.normal(size=(5, 3)))
    numpy.savez("a.npz", samples=RNG.normal(size=(5, 3)), other=3)
    for i in range(3):
        Image.fromarray(RNG.integers(0, 256, (4, 4), dtype=numpy.uint8)).save(f"{i}.png")
    assert points_of("a.npy").shape == (5, 3)
    assert points_of("a.npz").shape == (5, 3)
    assert points_of(str(tmp_path)).shape == (3, 16)
    assert points_of("digits:validation").shape == (200, 64)
    assert points_of("gens:good").tolist() == [[i, i] for i in range(3) for _ in range(4)]
    assert points_of("gens:images").unique().item() == pytest.approx(0.2)


def test_batches_do_not_change_what_is_read_and_a_limit_ends_it():
    numpy.save("a.npy", RNG.normal(size=(50, 3)))
    whole = points_of("a.npy", batch=64)
    for batch in (1, 7):
        assert torch.equal(points_of("a.npy", batch=batch), whole)
    some = [points_of("a.npy", batch=batch, limit=12) for batch in (7, 64)]
    assert torch.equal(*some)
    assert (
        len({tuple(row) for row in some[0].tolist()} & {tuple(row) for row in whole.tolist()})
        == 12
    )
    assert not torch.equal(some[0], whole[:12])  # drawn at random, for files are often sorted
    assert len(points_of("gens:endless", limit=100)) == 100


def test_images_are_not_held_where_features_are_enough():
    found = read("digits:test", {"features"}, IDENTITY, batch=100)
    assert set(found.views) == {"features"}
    assert found.head.shape == (64, 1, 8, 8)
    assert found.count == 500


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere", "not a file, folder, split"),
        ("nowhere.npy", "nowhere.npy does not exist"),
        ("digits:tset", "digits has no split 'tset'; did you mean 'test'?"),
        ("digtis:test", "unknown data set 'digtis'; did you mean 'digits'?"),
        ("binary_digits:other", "has no split 'other'"),
        ("abcdef01", "not a file, folder, split"),
        ("nomodule:x", "nomodule cannot be imported: ModuleNotFoundError"),
        ("gens:god", "no callable 'god'; did you mean 'good'?"),
        ("gens:value", "no callable 'value'"),
        ("gens:nothing", "at least two points, got 0"),
        ("gens:one", "at least two points, got 1"),
        ("gens:nan", "batch 1 of gens:nan holds 1 numbers that are NaN"),
        ("gens:raises", r"gens:raises failed: ValueError: planted on purpose at .*gens\.py:\d+"),
        ("gens:stops_at_once", "gens:stops_at_once failed: KeyError"),
        ("gens:ragged", "batch 0 of gens:ragged needs to be an array of numbers"),
        ("gens:words", "batch 0 of gens:words needs numbers, got <U1"),
        ("gens:flat", r"batch 0 of gens:flat needs shape .* got \(4,\)"),
        ("gens:changing", r"points of one shape, got \(2,\) and then \(3,\)"),
        (
            "gens:no_iterator",
            "gens:no_iterator needs to return an array or what yields batches, got 3",
        ),
        ("gens:endless", r"more than --memory .* --limit"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(source, said):
    with pytest.raises(GenbenchError, match=said) as caught:
        points_of(source, memory=1 << 22)
    assert "\n" not in str(caught.value)


def test_a_module_that_raises_when_imported_is_one_sentence():
    with open("bad.py", "w") as file:
        file.write("raise RuntimeError('no')")
    with pytest.raises(SpecError, match="bad cannot be imported: RuntimeError: no"):
        points_of("bad:x")


class Counting:
    """An extractor that counts its calls."""

    protocol = "counting@1"

    def __init__(self):
        self.calls = 0

    def extract(self, x):
        self.calls += 1
        return x.flatten(1).float() * 2


def test_a_references_features_are_kept_by_content():
    numpy.save("a.npy", RNG.normal(size=(10, 3)))
    counting = Counting()
    first, again = (read("a.npy", {"features"}, counting, cache=True) for _ in range(2))
    assert counting.calls == 1
    assert torch.equal(first.views["features"], again.views["features"])
    numpy.save("a.npy", RNG.normal(size=(10, 3)))
    other = read("a.npy", {"features"}, counting, cache=True)
    assert counting.calls == 2
    assert not torch.equal(first.views["features"], other.views["features"])
    read("a.npy", {"features"}, counting)
    assert counting.calls == 3
    kept = [read("digits:test", {"features"}, counting, cache=True) for _ in range(2)]
    assert torch.equal(kept[0].head, kept[1].head)
    assert kept[1].count == 500
    digests = [open_points(name, ReadOptions()).digest() for name in ("a.npy", "digits:test")]
    assert None not in digests
    assert digests[0] != digests[1]


EXTRACTOR = """
import torch
def halves(x): return x.flatten(1)[:, :2] / 2
def wrong(x): return x
def nan(x): return x.flatten(1) * float("nan")
def raises(x): raise RuntimeError("no")
"""


def test_a_users_function_or_script_makes_features(tmp_path):
    (tmp_path / "feats.py").write_text(EXTRACTOR)
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(make("feats:halves", None).extract(x), x.flatten(1)[:, :2] / 2)
    digits = DATASETS.get("digits")()
    assert make("feats:halves", digits).extract(x.flatten(1)).shape == (4, 2)
    for name, said in (("wrong", "tensor"), ("nan", "NaN"), ("raises", "RuntimeError: no")):
        with pytest.raises(DataError, match=f"feats:{name} .*{said}"):
            make(f"feats:{name}", None).extract(x)
    with pytest.raises(SpecError, match="feats has no callable 'none'"):
        make("feats:none", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch warns of TorchScript itself
        torch.jit.trace(torch.nn.Flatten(), x).save("flat.pt")
    scripted = make("flat.pt", None)
    assert torch.equal(scripted.extract(x), x.flatten(1))
    assert scripted.protocol.startswith("flat.pt ")
    (tmp_path / "bad.pt").write_bytes(b"no")
    with pytest.raises(DataError, match=r"bad\.pt is not a TorchScript file"):
        make("bad.pt", None)
    with pytest.raises(DataError, match=r"none\.pt cannot be read"):
        make("none.pt", None)
    with pytest.raises(SpecError, match="extractor feats:halves takes no options"):
        make("feats:halves:scale=2", None)
    with pytest.raises(SpecError, match="random_conv has no option 'seed'"):
        make("random_conv:seed=3", None)
    sys.modules.pop("feats", None)


def test_text_names_a_plugin_with_options():
    plain = {"prdc": {}, "feats:halves": {}, "kid:subsets=10:subset_size=50": {}}
    plain["kid:subsets=10:subset_size=50"] = {"subsets": "10", "subset_size": "50"}
    for text, options in plain.items():
        part = parse_part(text)
        assert part == Part(name=text.split(":subsets")[0], options=options)
    weighty = parse_part("inception_v3_compat:weights=C:/a=b.pth")
    assert weighty.options == {"weights": "C:/a=b.pth"}
