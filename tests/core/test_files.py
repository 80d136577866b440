import os
import stat
from pathlib import Path

import pytest

from genbench.core.errors import WriteError
from genbench.core.files import cache_folder, list_folder, make_folder, read_file, write_bytes


def test_only_regular_files_are_read(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    assert read_file(tmp_path / "a") == read_file(tmp_path / "link") == b"abc"
    for name in ("pipe", "zero", "."):
        with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
            read_file(tmp_path / name)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "big").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(OSError, match="larger than 64 MiB"):
        read_file(tmp_path / "big")
    (tmp_path / "even").write_bytes(b"x" * 10)
    assert len(read_file(tmp_path / "even", 10)) == 10
    with pytest.raises(OSError, match="larger"):
        read_file(tmp_path / "even", 9)


def test_nothing_is_written_through_a_link_or_over_a_device(tmp_path):
    target = tmp_path / "mine"
    target.write_bytes(b"old")
    (tmp_path / "link").symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("link", "it is a link to"), ("pipe", "not a regular file")):
        with pytest.raises(WriteError, match=why):
            write_bytes(tmp_path / name, b"new")
    with pytest.raises(WriteError, match="not a regular file"):
        write_bytes(Path("/dev/full"), b"new")
    assert target.read_bytes() == b"old"
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "mine", "pipe"]


def test_a_file_keeps_its_mode_and_a_new_one_follows_the_umask(tmp_path):
    write_bytes(tmp_path / "a", b"1")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~current_umask()
    (tmp_path / "a").chmod(0o640)
    write_bytes(tmp_path / "a", b"2")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_folders_in_a_shared_folder_are_shared(tmp_path):
    (tmp_path / "own").mkdir(mode=0o755)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o2775)
    make_folder(tmp_path / "own" / "a" / "b")
    make_folder(tmp_path / "shared" / "a" / "b")
    assert not (tmp_path / "own" / "a" / "b").stat().st_mode & stat.S_IWGRP
    assert (tmp_path / "shared" / "a" / "b").stat().st_mode & stat.S_IWGRP


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path, monkeypatch):
    assert list_folder(tmp_path / "none") == []

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(PermissionError):
        list_folder(tmp_path)


def test_a_user_without_a_home_has_a_cache(monkeypatch):
    for name in ("GENBENCH_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    assert cache_folder().name == f"genbench-{os.getuid()}"
