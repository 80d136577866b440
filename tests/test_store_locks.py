"""Files that several processes read, change and write lose nothing of what one of them writes."""

import subprocess
import sys

import pytest
from held_cells import held_file

from genbench.core.errors import WriteError
from genbench.core.files import write_bytes
from genbench.store import locks
from genbench.store.locks import changing

ADD = """
import sys, time
from pathlib import Path
from genbench.core.files import write_bytes
from genbench.store.locks import changing
path = Path(sys.argv[1])
for _ in range(10):
    with changing(path):
        text = path.read_text()
        time.sleep(0.005)
        write_bytes(path, f"{text}+".encode())
"""


def test_no_change_of_two_processes_is_lost(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    path = tmp_path / "file"
    path.write_text("")
    paths = [path, tmp_path / "link" / "file"]
    others = [subprocess.Popen([sys.executable, "-c", ADD, str(place)]) for place in paths]
    assert [other.wait() for other in others] == [0, 0]
    assert path.read_text() == "+" * 20


def test_whoever_waits_too_long_is_told_whom_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with (
        held_file(tmp_path / "file"),
        pytest.raises(WriteError, match=r"file: another process has had it in hand .*; end that"),
        changing(tmp_path / "file"),
    ):
        raise AssertionError("it is another's")
    with changing(tmp_path / "file"):
        write_bytes(tmp_path / "file", b"ours")


def test_where_no_lock_can_be_had_the_writer_says_what_is_wrong(tmp_path):
    (tmp_path / "file").write_text("in the way of a folder")
    path = tmp_path / "file" / "tuned.yaml"
    with pytest.raises(WriteError, match=f"cannot write {path}: "), changing(path):
        write_bytes(path, b"x")


def test_what_a_killed_writer_left_goes_and_that_of_other_files_stays(tmp_path):
    for name in (".file.x1.tmp", ".files.x1.tmp"):
        (tmp_path / name).write_text("half")
    with changing(tmp_path / "file"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".files.x1.tmp", ".lock"]
