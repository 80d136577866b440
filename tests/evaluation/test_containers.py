"""Tables, statistics and archives: what they hold is read, and what they hide does no harm."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy
import pytest
import random_fields as f
import torch
from safetensors.torch import save_file

from genbench.api import evaluate
from genbench.core.errors import DataError, GenbenchError
from genbench.evaluation.sources import ReadOptions, open_source
from genbench.points import arrays
from genbench.points.moments import Moments

REAL, FAKE = f.REAL, f.FAKE
RNG = numpy.random.default_rng(0)
POINTS, OTHERS = RNG.normal(size=(60, 4)), 1.1 * RNG.normal(size=(50, 4))


class Detonator:
    """Leaves a file behind if it is ever unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("DETONATED"),))


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    yield
    assert not Path("DETONATED").exists()


def score(samples, reference=POINTS, **options):
    return evaluate(samples, reference, **{"metrics": "fid", "features": "identity"} | options)


# points in tables


def parquet(columns, name="mine.parquet"):
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), name, row_group_size=20)
    return name


COLUMNS = {f"x{k}": OTHERS[:, k] for k in range(4)}
TABLES = {
    "csv": lambda: f.csv_of(OTHERS),
    "csv with a head": lambda: f.csv_of(OTHERS, head="abcd"),
    "semicolons": lambda: f.csv_of(OTHERS, between=";"),
    "tabs": lambda: f.csv_of(OTHERS, "mine.tsv", between="\t"),
    "csv with labels": lambda: f.csv_of(
        numpy.c_[OTHERS, numpy.arange(50) % 2], head=[*"abcd", "label"]
    ),
    "parquet": lambda: parquet(COLUMNS),
    "parquet with labels": lambda: parquet({"label": numpy.arange(50), **COLUMNS}),
    "parquet of lists": lambda: parquet({"x": list(OTHERS)}),
    "npy": lambda: f.npy(OTHERS),
    "pt": lambda: f.saved(torch.save, {"samples": torch.tensor(OTHERS)}, "mine.pt"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_points_are_those_of_the_table(kind):
    assert score(TABLES[kind]()).fid == pytest.approx(score(OTHERS).fid, rel=1e-12)


def test_labels_that_are_set_aside_are_said():
    for kind in ("csv with labels", "parquet with labels"):
        (note,) = [note for note in score(TABLES[kind]()).notes if "set aside" in note]
        assert note.count("mine") == 1


def test_classes_are_read_beside_pictures():
    want = [k % 3 for k in range(50)]
    makers = (
        lambda: f.zip_of(FAKE, labels=True),
        lambda: f.tar_of(FAKE, web=True),
        lambda: f.datasets_folder(FAKE),
        lambda: f.npz(arr_0=FAKE, arr_1=numpy.array(want)),
    )
    for make in makers:
        reader = open_source(make(), ReadOptions()).content
        chunks = reader.take(numpy.arange(50))
        assert numpy.concatenate([chunk.labels for chunk in chunks]).tolist() == want


# statistics in place of points


def test_statistics_serve_metrics_that_need_no_more():
    features = "random_conv"
    direct = score(FAKE, REAL, features=features, metrics="fid,kid")
    first = score(FAKE, REAL, features=features, save_stats="stats.npz")
    assert first.fid == direct.fid
    again = score(FAKE, "stats.npz", features=features, metrics="fid,kid,prdc")
    assert again.fid == pytest.approx(direct.fid, rel=1e-9)
    assert again.metrics["fid"].protocol == "random_conv@1, n=60/50, statistics of stats.npz"
    assert again.kid is None
    assert (
        again.metrics["kid"].reason
        == "kid needs points, stats.npz holds a mean and a covariance alone"
    )
    other = score(FAKE, "stats.npz", metrics="fid")
    assert other.fid is None
    assert "statistics of random_conv@1, not of identity" in other.metrics["fid"].reason


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_statistics_in_files_of_tensors_are_no_points(suffix):
    x, y = (numpy.random.default_rng(k).normal(size=(40, 3)) for k in range(2))
    tensors = {"mu": torch.from_numpy(y.mean(0)), "sigma": torch.from_numpy(numpy.cov(y.T))}
    path = f"moments{suffix}"
    (torch.save if suffix == ".pt" else save_file)(tensors, path)
    assert score(x, path, metrics="fid").fid == pytest.approx(score(x, y, metrics="fid").fid)


def test_a_sigma_that_no_points_can_have_is_refused():
    numpy.savez("impossible.npz", mu=numpy.zeros(2), sigma=numpy.array([[1, 1.2], [1.2, 1]]))
    with pytest.raises(DataError, match="negative eigenvalues"):
        score(numpy.random.default_rng(0).normal(size=(40, 2)), "impossible.npz", metrics="fid")
    numpy.savez("half.npz", sigma=numpy.eye(2))
    with pytest.raises(DataError, match="needs both mu and sigma"):
        score(numpy.random.default_rng(0).normal(size=(40, 2)), "half.npz", metrics="fid")
    few = numpy.random.default_rng(0).normal(size=(3, 20)).astype(numpy.float32)
    numpy.savez("few.npz", mu=few.mean(0), sigma=numpy.cov(few.T).astype(numpy.float32))
    assert score(few, "few.npz", metrics="fid").fid == pytest.approx(0, abs=1e-4)


def test_statistics_of_samples_alone_are_saved_without_a_reference():
    assert score(REAL, None, features="random_conv", save_stats="stats.npz").rows == ()
    with numpy.load("stats.npz") as archive:
        assert archive["mu"].shape == (448,)
        assert archive["sigma"].shape == (448, 448)
        assert int(archive["count"]) == 60
    found = score(FAKE, "stats.npz", features="random_conv").fid
    assert found == pytest.approx(score(FAKE, REAL, features="random_conv").fid, rel=1e-9)
    both = score("stats.npz", "stats.npz", features="random_conv").fid
    assert both == pytest.approx(0, abs=1e-9)


def test_statistics_of_other_tools_are_taken_and_doubted_aloud():
    flat = f.unit(REAL).reshape(60, -1).astype(numpy.float64)
    f.npz("theirs.npz", mu=flat.mean(0), sigma=numpy.cov(flat, rowvar=False))
    result = score(f.unit(FAKE), "theirs.npz")
    assert result.fid == pytest.approx(score(FAKE, REAL).fid, rel=1e-6)
    assert any("do not say of which features" in note for note in result.notes)
    assert result.metrics["fid"].protocol.startswith("identity, n=?/50, statistics of theirs.npz")


def test_statistics_beside_points_are_for_inception_alone():
    mean, sigma = numpy.zeros(2048), numpy.eye(2048)
    name = f.npz("adm.npz", arr_0=REAL, mu=mean, sigma=sigma, mu_s=mean[:3], sigma_s=sigma[:3, :3])
    found = score(FAKE, name, metrics="fid,kid")
    assert found.fid == pytest.approx(score(FAKE, REAL).fid, rel=1e-9)
    assert found.kid == pytest.approx(score(FAKE, REAL, metrics="kid").kid, rel=1e-9)


def test_only_statistics_of_the_right_size_count():
    f.npz("theirs.npz", mu=numpy.zeros(2048), sigma=numpy.eye(2048))
    result = score(FAKE, "theirs.npz")
    assert result.fid is None
    assert "features of one size, got 2048 and 768" in result.metrics["fid"].reason


def test_moments_are_those_of_the_points():
    x = torch.tensor(POINTS)
    moments = Moments.of(x, "identity", "x")
    torch.testing.assert_close(moments.mean, x.mean(0))
    torch.testing.assert_close(moments.covariance, torch.cov(x.T))


# archives that nobody has to trust


def tar_with(*members, name="mine.tar"):
    with tarfile.open(name, "w") as archive:
        for member, content in members:
            member = tarfile.TarInfo(member) if isinstance(member, str) else member
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return name


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def zip_with(*members, name="mine.zip"):
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return name


def zip_that_boasts():
    zip_with(*[(f"{k}.png", b"x") for k in range(5)])
    whole = Path("mine.zip").read_bytes()
    for at in (k for k in range(len(whole)) if whole[k : k + 4] == b"PK\x01\x02"):
        whole = whole[: at + 24] + (0xFFFFFFFE).to_bytes(4, "little") + whole[at + 28 :]
    Path("mine.zip").write_bytes(whole)
    return "mine.zip"


def tar_that_boasts():
    """A header of 100 GiB in a compressed tar of a few bytes."""
    member = tarfile.TarInfo("a.png")
    member.size = 100 << 30
    Path("mine.tar.gz").write_bytes(gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(10240)))
    return "mine.tar.gz"


def web_of_pairs():
    files = [(f"{k}.{kind}.png", f.content_of(FAKE[k])) for k in range(3) for kind in "ab"]
    return tar_with(*files)


def expanded():
    torch.save(torch.zeros(1).expand(1 << 40, 4), "mine.pt")
    return "mine.pt"


def outside():
    f.datasets_folder(FAKE)
    state = {"_data_files": [{"filename": "../../secret.arrow"}]}
    Path("hub/state.json").write_text(json.dumps(state))
    return "hub"


def by_path():
    rows = [{"bytes": None, "path": "/etc/passwd"}] * 5
    return parquet({"image": rows})


def written(content, name):
    Path(name).write_bytes(content)
    return name


def two_splits():
    Path("hub").mkdir()
    Path("hub/dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    for split in ("train", "test"):
        Path("hub", split).mkdir()
    return "hub"


PNG = f.content_of(FAKE[0])
HOSTILE = {
    "zip bomb": (zip_that_boasts, "unpacks to 20.0 GiB"),
    "tar bomb": (tar_that_boasts, "mine.tar.gz unpacks to more than 4 GiB"),
    "zip that climbs": (lambda: zip_with(("../a.png", PNG), ("b.png", PNG)), "outside itself, '../a.png'"),
    "zip from the root": (lambda: zip_with(("/etc/a.png", PNG), ("b.png", PNG)), "outside itself"),
    "zip of Windows": (lambda: zip_with(("C:\\a.png", PNG), ("b.png", PNG)), "outside itself"),
    "tar that climbs": (lambda: tar_with(("a/../../b.png", PNG), ("c.png", PNG)), "outside itself"),
    "tar of links": (
        lambda: tar_with(link("a.png", "/etc/passwd"), link("b.png", "c", tarfile.LNKTYPE), ("c.png", PNG)),
        "at least two images.*got 1 and 2",
    ),
    "tar of a device": (lambda: tar_with(link("a.png", "", tarfile.CHRTYPE)), "at least two images"),
    "zip of damage": (lambda: zip_with(("a.png", PNG), ("b.png", PNG[:60])), "mine.zip/b.png"),
    "zip of text": (lambda: zip_with(("a.png", b"no"), ("b.png", b"no")), "mine.zip/a.png is not an image"),
    "no zip": (lambda: written(b"PK\x03\x04no", "mine.zip"), "not an archive"),
    "no tar": (lambda: written(b"no" * 600, "mine.tar"), "not an archive"),
    "cut tar": (lambda: written(Path(f.tar_of(FAKE)).read_bytes()[:5000], "mine.tar"), "cut after 3 files"),
    "empty zip": (lambda: zip_with(), "at least two images"),
    "two kinds in a WebDataset": (web_of_pairs, "several pictures of 0"),
    "pickled pt": (lambda: f.saved(torch.save, Detonator(), "mine.pt"), "holds more than tensors"),
    "pickled in a mapping": (
        lambda: f.saved(torch.save, {"samples": torch.rand(4, 2), "x": Detonator()}, "mine.pt"),
        "holds more than tensors",
    ),
    "a pickle": (lambda: written(pickle.dumps(Detonator()), "mine.pt"), "mine.pt (holds more|is dam)"),
    "a list in a pt": (lambda: f.saved(torch.save, [torch.rand(4)], "mine.pt"), "one tensor.*list"),
    "a tensor of nothing": (expanded, "repeats what it stores"),
    "two tensors": (
        lambda: f.saved(torch.save, {"a": torch.rand(4, 4), "b": torch.rand(4, 4)}, "mine.pt"),
        "mine.pt:a",
    ),
    "no safetensors": (lambda: written(b"no", "mine.safetensors"), "mine.safetensors is damaged"),
    "no parquet": (lambda: written(b"no" * 90, "mine.parquet"), "not a Parquet file"),
    "words in a table": (lambda: f.csv_of(OTHERS[:0], head=["a", "b"]) , "mine.csv"),
    "text in a table": (lambda: written(b"a,b\n1,x\n2,y\n", "mine.csv"), "column 'b'"),
    "empty places": (lambda: written(b"a,b\n1,2\n2,\n3,4\n", "mine.csv"), "1 numbers that are NaN"),
    "an index": (lambda: written(b",a\n0,1.5\n1,2.5\n", "mine.csv"), "index=False"),
    "ragged": (lambda: written(b"1,2\n3,4,5\n", "mine.csv"), "mine.csv is damaged"),
    "a table of paths": (by_path, "names a file in place of holding"),
    "a state that climbs": (outside, "names a file outside the folder"),
    "several splits": (two_splits, "several splits, test, train; give one: hub/test"),
    "statistics of no shape": (lambda: f.npz(mu=numpy.zeros(3), sigma=numpy.zeros((2, 2))), "sigma"),
    "statistics of NaN": (lambda: f.npz(mu=numpy.zeros(2), sigma=numpy.full((2, 2), numpy.nan)), "NaN"),
    "a key that is not there": (lambda: f.npz(a=OTHERS) + ":b", "no array 'b'"),
    "two pictures alike": (lambda: f.npz(arr_0=FAKE, arr_1=FAKE), "needs one array"),
    "many arrays": (lambda: f.npz(train=FAKE, test=FAKE), "mine.npz:t"),
    "shards of two kinds": (
        lambda: [Path("s").mkdir(), f.npy(OTHERS, "s/a.npy"), f.npz("s/b.npz", x=OTHERS), "s"][-1],
        "several kinds, .npy, .npz",
    ),
    "shards of two shapes": (
        lambda: [Path("s").mkdir(), f.npy(OTHERS, "s/a.npy"), f.npy(OTHERS[:, :2], "s/b.npy"), "s"][-1],
        "one shape",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_containers_are_refused_in_a_sentence(kind):
    make, said = HOSTILE[kind]
    samples = make()
    before = sorted(Path().rglob("*"))
    with pytest.raises(GenbenchError, match=said) as caught:
        score(samples, POINTS if "mine" not in said and "one shape" not in said else OTHERS)
    assert "\n" not in str(caught.value)
    assert sorted(Path().rglob("*")) == before


def test_an_archive_of_any_size_is_streamed(monkeypatch):
    monkeypatch.setattr(arrays, "UNPACKED", 1 << 16)
    whole = numpy.repeat(FAKE, 400, axis=0)  # 15 MB
    f.npz("mine.npz", save=numpy.savez_compressed, arr_0=whole, arr_1=numpy.zeros(len(whole)))
    reader = open_source("mine.npz", ReadOptions()).content
    assert isinstance(reader.array, arrays.StreamedArray)
    tracemalloc.start()
    total = 0
    for at in range(0, len(reader), 256):
        total += int(reader.take(numpy.arange(at, min(at + 256, len(reader))))[0].array.sum())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 400 * int(FAKE.sum())
    assert peak < 4 << 20


def test_damage_in_a_streamed_archive_is_found(monkeypatch):
    monkeypatch.setattr(arrays, "UNPACKED", 1 << 10)
    f.npz("mine.npz", samples=POINTS)
    whole = bytearray(Path("mine.npz").read_bytes())
    whole[700] ^= 0xFF
    Path("mine.npz").write_bytes(whole)
    with pytest.raises(GenbenchError, match=r"mine\.npz is damaged"):
        score("mine.npz")
