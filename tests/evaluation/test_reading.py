"""Points that are many stay in files, and scores do not depend on how they were read."""

import math
from pathlib import Path

import numpy
import pytest
import torch

from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation import reading as home
from genbench.evaluation.comparison import Reference
from genbench.evaluation.reading import read_points
from genbench.evaluation.requests import find_spaces, make_requests
from genbench.evaluation.scoring import MetricCall, compute_scores, measure
from genbench.evaluation.sources import ReadOptions, open_points
from genbench.metrics.fid import fid
from genbench.points import arrays, memmap

RNG = numpy.random.default_rng(0)
SAMPLES = [
    name
    for name, entry in METRICS.all().items()
    if entry.view in ("points", "features", "events", "memory")
]
#: fewer points, where the number is an option
FEWER = {
    "wasserstein": {"points": 60},
    "mmd_test": {"points": 60, "permutations": 20},
    "fld": {"epochs": 5},  # each step of the fit enlarges what rounding makes of the features
    "ms_ssim": {"pairs": 40},
    "sliced_wasserstein": {"directions": 64},
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    for name, high in (("real", 1.0), ("fake", 0.9), ("train", 1.0)):
        numpy.save(f"{name}.npy", high * RNG.random((90, 1, 8, 8), dtype=numpy.float32))
        numpy.save(f"flat_{name}.npy", high * RNG.random((90, 7), dtype=numpy.float32))


def read(source, spaces, extractor, **given):
    options = ReadOptions(**given)
    return read_points(open_points(source, options), spaces, extractor, options)


def scored(batch, extractor, kind=""):
    requests = make_requests([Part(name=name, options=FEWER.get(name, {})) for name in SAMPLES])
    spaces = find_spaces(requests, extractor)
    real, fake, train = (
        read(f"{kind}{name}.npy", spaces, extractor, batch=batch)
        for name in ("real", "fake", "train")
    )
    reference, rng = Reference(real, train=train), Rng([0])
    rows = measure([reference.make_call(request, fake, rng) for request in requests])
    return {row.id: (row.value, row.stderr, row.reason) for row in rows}


def close(found, others):
    # a convolution of another batch has other last bits on some processors, and fits of densities add to that
    assert set(found) == set(others)
    for name, values in found.items():
        for value, other in zip(values, others[name], strict=True):
            assert value == other or value == pytest.approx(other, rel=1e-5, abs=1e-9), name


@pytest.mark.parametrize("features", ["identity", "random_conv"])
def test_scores_are_the_same_for_any_batch_and_in_two_runs(features):
    extractor = EXTRACTORS.get(features)()
    whole = scored(64, extractor)
    assert sum(value is not None for value, *_ in whole.values()) > 15
    assert scored(64, extractor) == whole
    for batch in (1, 7):
        close(scored(batch, extractor), whole)


def test_scores_are_the_same_from_files_that_are_read_by_blocks(monkeypatch):
    extractor = EXTRACTORS.get("identity")()
    whole = scored(64, extractor, "flat_")
    monkeypatch.setattr(memmap, "HELD", 1000)
    monkeypatch.setattr(home, "SHARE", 1 << 40)
    close(scored(7, extractor, "flat_"), whole)


def test_what_outgrows_its_share_goes_to_a_temporary_file_and_comes_back():
    extractor = EXTRACTORS.get("random_conv")()
    spaces = {"features", "events", "points"}
    held = read("real.npy", spaces, extractor)
    spilt = read("real.npy", spaces, extractor, memory=1 << 10, batch=13)
    for view, x in held.views.items():
        assert torch.equal(spilt.views[view], x), view
    address = spilt.views["features"].untyped_storage().data_ptr()
    assert address in memmap._MAPS
    assert spilt.views["points"].data_ptr() == spilt.views["events"].data_ptr()


def test_a_plain_array_stays_in_its_file_and_its_views_are_one():
    extractor = EXTRACTORS.get("identity")()
    found = read("flat_real.npy", {"features", "points"}, extractor)
    assert found.views["features"].data_ptr() == found.views["points"].data_ptr()
    assert found.views["points"].untyped_storage().data_ptr() in memmap._MAPS
    assert found.views["points"].shape == (90, 7)


@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_large_arrays_of_archives_are_streamed(monkeypatch, save, order):
    held = numpy.asarray(RNG.normal(size=(40, 3)), order=order)
    save("a.npz", samples=held)
    monkeypatch.setattr(arrays, "UNPACKED", 100)
    reader = arrays.open_array(Path("a.npz"))
    kind = arrays.StreamedArray if order == "C" else numpy.memmap  # columns cannot be read by rows
    assert isinstance(reader.array, kind)
    for rows in (range(40), range(3, 9), (1, 5, 39), range(2)):
        (chunk,) = reader.take(numpy.array(rows))
        numpy.testing.assert_array_equal(chunk.array, held[list(rows)])


def test_metrics_of_the_same_points_share_their_passes(monkeypatch):
    from genbench.points import pairwise

    passes, whole = [], pairwise.tiles

    def counted(x, y):
        passes.append((len(x), len(y)))
        return whole(x, y)

    monkeypatch.setattr(pairwise, "tiles", counted)
    real, fake = (torch.from_numpy(RNG.normal(size=(n, 5))) for n in (60, 50))

    def ask_of(*names):
        passes.clear()
        requests = make_requests([Part(name=name) for name in names])
        calls = [MetricCall(request, (real, fake), Rng([0])) for request in requests]
        return [scores for scores, _ in compute_scores(calls)], len(passes)

    names = ("prdc", "mmd", "energy_distance")
    apart = [ask_of(name) for name in names]
    joint, count = ask_of(*names)
    assert count == 4  # the median needs one of its own
    assert sum(each for _, each in apart) == 10
    assert joint == [scores for (scores,), _ in apart]


def test_fid_by_blocks_of_few_dimensions_is_that_of_the_whole(monkeypatch):
    real, fake = (
        torch.from_numpy(RNG.normal(size=(300, 6))),
        torch.from_numpy(RNG.normal(size=(5, 6))),
    )
    whole = fid(real, fake, rng=Rng([0]))
    monkeypatch.setattr(memmap, "HELD", 500)
    assert math.isclose(fid(real, fake, rng=Rng([0])), whole, rel_tol=1e-10)
