import gzip
import hashlib
import struct
from pathlib import Path

import pytest
import torch

from genbench.core.errors import DataError
from genbench.datasets._idx import read_idx
from genbench.datasets._mnist import FILES, MNISTLike
from genbench.datasets.fashion_mnist import FashionMNIST
from genbench.datasets.mnist import MNIST


def idx(values):
    """The bytes of an IDX file of unsigned bytes, written as the format says."""
    header = bytes([0, 0, 8, values.dim()]) + struct.pack(f">{values.dim()}I", *values.shape)
    return header + bytes(values.flatten().tolist())


@pytest.fixture
def images():
    return torch.arange(2 * 3 * 4, dtype=torch.uint8).reshape(2, 3, 4) * 10


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_are_read_plain_and_gzipped(tmp_path, images, suffix):
    path = tmp_path / f"images{suffix}"
    path.write_bytes(gzip.compress(idx(images)) if suffix else idx(images))
    actual = read_idx(path)
    assert actual.dtype == torch.uint8
    assert torch.equal(actual, images)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "magic number .* got nothing"),
        (b"\x1f\x8b\x08\x00", "magic number .* got 1f 8b 08 00"),
        (bytes([0, 0, 13, 1]) + struct.pack(">If", 1, 0.5), "magic number .* got 00 00 0d 01"),
        (bytes([0, 0, 8, 3, 0, 0, 0, 2]), "needs 16 bytes of header, got 8"),
        (idx(torch.ones(2, 3, 4, dtype=torch.uint8))[:-1], "needs 24 values .* got 23"),
        (idx(torch.ones(2, 3, 4, dtype=torch.uint8)) + b"x", "needs 24 values .* got 25"),
        (idx(torch.ones(0, 3, 4, dtype=torch.uint8)), r"sizes \(0, 3, 4\) hold none"),
    ],
)
def test_idx_errors_name_the_file_and_what_is_wrong(tmp_path, content, says):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says) as raised:
        read_idx(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("damage", ["cut", "not gzip", "flipped"])
def test_a_damaged_gzip_file_is_named(tmp_path, images, damage):
    whole = gzip.compress(idx(images))
    content = {
        "cut": whole[:-9],
        "not gzip": idx(images),
        "flipped": whole[:-6] + b"\0" + whole[-5:],
    }
    path = tmp_path / "images.gz"
    path.write_bytes(content[damage])
    with pytest.raises(DataError, match="cannot be read as gzip") as raised:
        read_idx(path)
    assert str(path) in str(raised.value)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Sizes of a few images, no folder of the system, and a cache that is empty."""
    monkeypatch.setattr(MNISTLike, "sizes", {"train": 40, "test": 10})
    monkeypatch.setattr(MNISTLike, "held_out", 8)
    monkeypatch.setattr(MNIST, "digests", {})
    monkeypatch.setattr(FashionMNIST, "digests", {})
    monkeypatch.setattr(FashionMNIST, "system", tmp_path / "nowhere")
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


def write(folder, suffix=""):
    """Files in the true format; the pixels of image i are all i, its label is i mod 10."""
    folder.mkdir(parents=True)
    for (part, kind), name in FILES.items():
        number = torch.arange(MNISTLike.sizes[part], dtype=torch.uint8)
        pixels = number.view(-1, 1, 1).expand(-1, 28, 28)
        content = idx(pixels if kind == "images" else number % 10)
        (folder / f"{name}{suffix}").write_bytes(gzip.compress(content) if suffix else content)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("kind", "inside"),
    [
        *(
            (FashionMNIST, inside)
            for inside in (".", "fashion_mnist", "fashion-mnist", "FashionMNIST/raw")
        ),
        *((MNIST, inside) for inside in (".", "mnist", "MNIST/raw")),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_are_found_in_a_folder_and_split(tmp_path, kind, inside, suffix):
    write(tmp_path / "data" / inside, suffix)
    data = kind(data_dir=tmp_path / "data", offline=True)
    assert data.spec.name == kind.name
    assert data.points("train").shape == (32, 1, 28, 28)
    assert data.points("validation").shape == (8, 1, 28, 28)
    levels = torch.cat([data.points(split)[:, 0, 0, 0] * 255 for split in ("train", "validation")])
    assert sorted(levels.round().int().tolist()) == list(range(40))
    for split in ("train", "validation", "test"):
        assert torch.equal(
            (data.points(split)[:, 0, 5, 5] * 255).round().long() % 10, data.labels(split)
        )
    assert data.points("test")[:, 0, 0, 0].mul(255).round().tolist() == list(range(10))


@pytest.mark.usefixtures("small")
def test_the_cache_folder_is_searched(tmp_path):
    write(tmp_path / "cache" / "FashionMNIST" / "raw")
    assert len(FashionMNIST(offline=True).points("test")) == 10


@pytest.mark.usefixtures("small")
def test_offline_and_absent_is_one_sentence_with_all_three_ways(tmp_path):
    with pytest.raises(DataError) as raised:
        FashionMNIST(data_dir=tmp_path, offline=True).points("train")
    sentence = str(raised.value)
    for way in (
        "--data-dir",
        "dataset-fashion-mnist",
        "download",
        str(tmp_path / "cache"),
        "offline",
    ):
        assert way in sentence
    assert "\n" not in sentence


@pytest.mark.usefixtures("small")
def test_mnist_has_no_package_to_install(tmp_path):
    with pytest.raises(DataError) as raised:
        MNIST(data_dir=tmp_path, offline=True).points("train")
    sentence = str(raised.value)
    assert sentence.startswith("mnist needs its four IDX files, found none and downloads are off")
    assert "Debian" not in sentence
    assert "\n" not in sentence
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"):
        (raw / name).touch()
    lacks = "train-labels-idx1-ubyte, t10k-images-idx3-ubyte"
    with pytest.raises(DataError, match=f"found only 2 in {raw}, without {lacks}, and"):
        MNIST(data_dir=tmp_path, offline=True).points("train")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", [FashionMNIST, MNIST])
def test_torchvision_is_asked_for_the_set_by_its_class(tmp_path, monkeypatch, kind):
    from genbench.points.vision import torchvision

    def fetch(root, *, download):
        assert download
        write(Path(root) / kind.torchvision_class / "raw")

    monkeypatch.setattr(torchvision().datasets, kind.torchvision_class, fetch)
    assert len(kind().points("test")) == 10


@pytest.mark.usefixtures("small")
def test_a_download_that_fails_says_why(monkeypatch):
    def fail(self, root):
        return "the download failed (URLError: no route)"

    monkeypatch.setattr(MNISTLike, "_download", fail)
    with pytest.raises(DataError, match="no route"):
        FashionMNIST().points("train")


@pytest.mark.usefixtures("small")
def test_bytes_of_the_right_size_that_are_not_the_published_are_refused(tmp_path, monkeypatch):
    write(tmp_path / "data")
    content = (tmp_path / "data" / "t10k-images-idx3-ubyte").read_bytes()
    digests = {"t10k-images-idx3-ubyte": hashlib.sha256(content).hexdigest()}
    monkeypatch.setattr(MNIST, "digests", digests)
    assert len(MNIST(data_dir=tmp_path / "data", offline=True).points("test")) == 10
    (tmp_path / "data" / "t10k-images-idx3-ubyte").write_bytes(content[:-1] + b"\x07")
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte is not the published file"):
        MNIST(data_dir=tmp_path / "data", offline=True).points("test")


@pytest.mark.usefixtures("small")
def test_a_download_that_was_killed_is_made_anew(tmp_path, monkeypatch):
    from genbench.points.vision import torchvision

    raw = tmp_path / "cache" / "MNIST" / "raw"
    write(raw)
    cut = raw / "train-images-idx3-ubyte"
    cut.write_bytes(cut.read_bytes()[:1000])  # as a kill amid unpacking leaves it
    with pytest.raises(DataError, match="fetch the file again"):
        MNIST(offline=True).points("test")

    def fetch(root, *, download):
        write(Path(root) / "MNIST" / "raw")

    monkeypatch.setattr(torchvision().datasets, "MNIST", fetch)
    assert len(MNIST().points("train")) == 32
    assert len(MNIST(offline=True).points("train")) == 32
    assert sorted(p.name for p in raw.iterdir()) == sorted(FILES.values())


@pytest.mark.usefixtures("small")
def test_files_of_the_wrong_size_are_refused(tmp_path, monkeypatch):
    write(tmp_path / "data")
    monkeypatch.setattr(MNISTLike, "sizes", {"train": 41, "test": 10})
    with pytest.raises(DataError, match=r"needs \(41, 28, 28\) images .* got \(40, 28, 28\)"):
        FashionMNIST(data_dir=tmp_path / "data", offline=True).points("train")


@pytest.mark.skipif(
    not (FashionMNIST.system / "train-images-idx3-ubyte.gz").is_file(),
    reason="the Debian package dataset-fashion-mnist is not installed",
)
def test_the_true_files_have_the_published_sizes_and_pinned_splits():
    data = FashionMNIST(offline=True)
    sizes = {split: len(data.points(split)) for split in ("train", "validation", "test")}
    assert sizes == {"train": 55_000, "validation": 5_000, "test": 10_000}
    assert data.labels("test").bincount().tolist() == [1000] * 10
    both = data.labels("train").bincount() + data.labels("validation").bincount()
    assert both.tolist() == [6000] * 10
    assert data.hashes == {
        "train": "c9bd4fb782d4c525",
        "validation": "1aa164e6f3781655",
        "test": "0c0f08b9d95e81a9",
    }
