import io
import tarfile

import pytest
import torch

from genbench.core.errors import DataError
from genbench.datasets.cifar10 import ARCHIVE, CIFAR10, DIGESTS, FOLDER, PARTS, RECORD, unpack

NAMES = [name for names in PARTS.values() for name in names]


@pytest.fixture
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(CIFAR10, "batch", 8)
    monkeypatch.setattr(CIFAR10, "held_out", 10)
    monkeypatch.setattr(CIFAR10, "digests", {})
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


def records(first):
    """Eight records in the true format: image i is i in red, i + 1 in green, rows in blue."""
    out = bytearray()
    for i in range(first, first + 8):
        blue = bytes(row for row in range(32) for _ in range(32))
        out += bytes([i % 10]) + bytes([i]) * 1024 + bytes([i + 1]) * 1024 + blue
    return bytes(out)


def write(folder):
    folder.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        (folder / name).write_bytes(records(8 * number))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("inside", [".", "cifar10", FOLDER])
def test_the_binary_files_are_read_and_split(tmp_path, inside):
    write(tmp_path / "data" / inside)
    data = CIFAR10(data_dir=tmp_path / "data", offline=True)
    sizes = {split: len(data.points(split)) for split in ("train", "validation", "test")}
    assert sizes == {"train": 30, "validation": 10, "test": 8}
    x = data.points("test")
    assert x.shape == (8, 3, 32, 32)
    torch.testing.assert_close(x[:, 0, 5, 7] * 255, torch.arange(40, 48.0))
    torch.testing.assert_close(x[:, 1, 31, 0] * 255, torch.arange(41, 49.0))
    torch.testing.assert_close(x[3, 2, :, 9] * 255, torch.arange(32.0))
    assert data.labels("test").tolist() == [i % 10 for i in range(40, 48)]
    seen = torch.cat([data.points(split)[:, 0, 0, 0] * 255 for split in ("train", "validation")])
    assert sorted(seen.round().int().tolist()) == list(range(40))


@pytest.mark.usefixtures("small")
def test_offline_and_absent_is_one_sentence(tmp_path):
    with pytest.raises(DataError) as raised:
        CIFAR10(data_dir=tmp_path, offline=True).points("train")
    sentence = str(raised.value)
    assert "cifar10 needs the six .bin files of its binary version, found none" in sentence
    for way in ("--data-dir", ARCHIVE, str(tmp_path / "cache"), "offline"):
        assert way in sentence
    assert "\n" not in sentence
    for name in sorted(DIGESTS)[:5]:
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"found only 5 in .*, without test_batch.bin, and"):
        CIFAR10(data_dir=tmp_path, offline=True).points("train")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (records(0)[:-1], f"needs 8 records of {RECORD} bytes, got {8 * RECORD - 1} bytes"),
        (b"\x0a" + records(0)[1:], "needs labels below 10, got 10"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, says):
    write(tmp_path / "data")
    (tmp_path / "data" / "data_batch_3.bin").write_bytes(content)
    with pytest.raises(DataError, match=says) as raised:
        CIFAR10(data_dir=tmp_path / "data").points("train")
    assert "data_batch_3.bin" in str(raised.value)


def archive(path, names):
    with tarfile.open(path, "w:gz") as held:
        for number, name in enumerate(names):
            content = records(8 * number)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            held.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo(f"{FOLDER}/data_batch_1.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        held.addfile(link)


@pytest.mark.usefixtures("small")
def test_a_download_is_checked_unpacked_and_kept(tmp_path, monkeypatch):
    from genbench.points.vision import torchvision

    utils = torchvision().datasets.utils

    def fetch(address, root, name, md5):
        assert address.endswith(name)
        assert md5 == "c32a1d4ab5d03f1284b67883e8d87530"
        archive(f"{root}/{name}", [f"{FOLDER}/{each}" for each in NAMES])

    monkeypatch.setattr(utils, "download_url", fetch)
    data = CIFAR10()
    assert len(data.points("test")) == 8
    kept = tmp_path / "cache"
    assert sorted(p.name for p in kept.iterdir()) == [FOLDER]
    assert len(CIFAR10(offline=True).points("train")) == 30


@pytest.mark.usefixtures("small")
def test_a_download_that_fails_says_why(monkeypatch):
    from genbench.points.vision import torchvision

    def fail(*_):
        raise RuntimeError("File not found or corrupted.")

    monkeypatch.setattr(torchvision().datasets.utils, "download_url", fail)
    with pytest.raises(DataError, match=r"the download failed \(RuntimeError: File not found"):
        CIFAR10().points("train")


def test_an_archive_writes_nothing_outside_the_folder(tmp_path):
    archive(tmp_path / "a.tar.gz", ["../../data_batch_1.bin", "/readme.html", "x/test_batch.bin"])
    unpack(tmp_path / "a.tar.gz", tmp_path / "in" / "here")
    actual = sorted(p.name for p in tmp_path.rglob("*") if p.is_file())
    assert actual == ["a.tar.gz", "data_batch_1.bin", "test_batch.bin"]
    assert (tmp_path / "in" / "here" / "test_batch.bin").read_bytes() == records(16)
    assert not (tmp_path / "in" / "here" / "data_batch_1.bin").is_symlink()
