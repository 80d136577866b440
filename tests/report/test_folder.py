import json

import pytest
from report_records import record

from genbench.report.leaderboard import read_leaderboard
from genbench.report.site.build import write_report
from genbench.report.site.folder import LIST, write_folder
from genbench.store import Store


def names(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {LIST}


def test_what_is_no_longer_meant_goes_and_nothing_else(tmp_path):
    write_folder(tmp_path, {"a.html": b"a", "b.html": b"b", "pictures/p.png": b"p"})
    (tmp_path / "mine.html").write_text("mine")
    (tmp_path / "pictures" / "mine.png").write_text("mine")
    write_folder(tmp_path, {"a.html": b"new"})
    assert names(tmp_path) == {"a.html", "mine.html", "pictures/mine.png"}
    assert (tmp_path / "a.html").read_text() == "new"


def test_a_file_that_was_changed_is_kept(tmp_path):
    write_folder(tmp_path, {"a.html": b"a", "b.html": b"b"})
    (tmp_path / "b.html").write_text("edited by hand")
    write_folder(tmp_path, {"a.html": b"a"})
    assert names(tmp_path) == {"a.html", "b.html"}


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "\xff"])
def test_a_list_that_cannot_be_read_removes_nothing(tmp_path, text):
    write_folder(tmp_path, {"a.html": b"a"})
    (tmp_path / LIST).write_text(text, encoding="latin-1")
    write_folder(tmp_path, {"b.html": b"b"})
    assert names(tmp_path) == {"a.html", "b.html"}


def test_a_list_never_leads_out_of_the_folder(tmp_path):
    out, outside = tmp_path / "out", tmp_path / "outside.html"
    write_folder(out, {"a.html": b"a"})
    outside.write_bytes(b"a")
    (out / "link.html").symlink_to(outside)
    (out / "folder").symlink_to(tmp_path)
    digest = json.loads((out / LIST).read_text())["a.html"]
    wild = ["../outside.html", str(outside), "link.html", "folder/outside.html", "..", "."]
    (out / LIST).write_text(json.dumps(dict.fromkeys(wild, digest) | {"a.html": 3}))
    write_folder(out, {"b.html": b"b"})
    assert outside.read_bytes() == b"a"
    assert (out / "link.html").is_symlink()
    assert (out / "a.html").is_file()


def test_an_interrupted_writing_forgets_nothing(tmp_path, monkeypatch):
    write_folder(tmp_path, {"a.html": b"a"})
    (tmp_path / "c.html").mkdir()
    with pytest.raises(Exception, match=r"c\.html"):
        write_folder(tmp_path, {"b.html": b"b", "c.html": b"c"})
    (tmp_path / "c.html").rmdir()
    write_folder(tmp_path, {"d.html": b"d"})
    assert names(tmp_path) == {"d.html"}


def test_a_report_leaves_no_page_of_an_older_one(tmp_path):
    store = Store(tmp_path / "old")
    for model in ("gan", "vae"):
        store.write(record(store, model, "ring", 0))
    folder = write_report(read_leaderboard(store), tmp_path / "report").parent
    assert (folder / "model-vae.html").is_file()
    (folder / "notes.html").write_text("mine")
    store = Store(tmp_path / "new")
    store.write(record(store, "gan", "grid", 0))
    write_report(read_leaderboard(store), folder)
    found = names(folder)
    assert {"model-gan.html", "data-grid.html", "notes.html"} <= found
    assert not {"model-vae.html", "data-ring.html"} & found
    text = (folder / "index.html").read_text()
    assert "data-ring" not in text
