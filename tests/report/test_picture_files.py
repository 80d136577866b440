"""Small pictures that are kept beside the records: drawn of stored samples, or of a seed trained again."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from report_records import record

from genbench.api import train
from genbench.core.dataset import open_named
from genbench.core.errors import DataError
from genbench.report.leaderboard import read_leaderboard
from genbench.report.site import sheets
from genbench.report.site.build import write_report
from genbench.report.tables import make_leaderboards
from genbench.running.job import RunSettings
from genbench.store import Store


@pytest.fixture
def shop(tmp_path):
    return Store(tmp_path / "results")


def draw(store, **how):
    tables = make_leaderboards(store.records())
    return sheets.draw_pictures(store, tables, RunSettings(device="cpu", curve=0), **how)


def test_stored_samples_become_small_files_that_stand_in_where_they_are_gone(shop, tmp_path):
    for model, dataset in (("gan", "digits"), ("vae", "ring")):
        shop.write(record(shop, model, dataset, 0))
    drawings = draw(shop)
    assert [d.path.suffix for d in drawings] == [".webp", ".png"]
    assert all(d.new and d.path.stat().st_size <= sheets.MOST for d in drawings)
    assert [d.new for d in draw(shop)] == [False, False]
    for path in (shop.root / ".artifacts").iterdir():
        path.unlink()
    assert shop.problems() == []
    page = write_report(read_leaderboard(shop), tmp_path / "out")
    for name, label in (("digits", "gan"), ("ring", "vae")):
        text = (page.parent / f"data-{name}.html").read_text()
        assert f'alt="Samples of {label}, seed 0"' in text
        assert "No samples of" not in text
    assert {p.suffix for p in (page.parent / "pictures").iterdir()} >= {".webp", ".png"}


def test_a_row_without_samples_is_trained_again_to_the_same_model(shop):
    made = train("gaussian", "ring", seeds=1, steps=2, device="cpu")
    shop.write(made.records[0])
    (drawing,) = draw(shop)
    assert drawing.remark.startswith("trained again in")
    data = open_named("ring")
    again = sheets.make_picture(made.sample(sheets.POINTS)[0].numpy(), data)
    assert drawing.path.read_bytes() == again[0]
    assert drawing.path.name == f"{made.records[0].group}-0.png"


def test_what_takes_too_long_or_is_not_here_is_said_and_left(shop):
    shop.write(record(shop, "gan", "digits", 0, with_samples=False))
    assert draw(shop, at_most=1.0)[0].remark.endswith("more than --at-most")
    assert not (shop.root / sheets.FOLDER).exists()


def test_a_picture_that_cannot_be_drawn_anew_stays_and_counts(shop, genbench):
    shop.write(record(shop, "gan", "ring", 0))
    assert draw(shop)[0].new
    for path in (shop.root / ".artifacts").iterdir():
        path.unlink()
    (drawing,) = draw(shop, again=True, at_most=1.0)
    assert drawing.remark.endswith("more than --at-most")
    assert (drawing.path.exists(), drawing.new, drawing.failed) == (True, False, False)


def test_rows_of_a_data_set_that_is_not_here_could_not_be_drawn(shop, genbench, monkeypatch):
    shop.write(record(shop, "gan", "ring", 0))
    monkeypatch.setattr(sheets.samples, "dataset_of", lambda table: None)
    (drawing,) = draw(shop)
    assert (drawing.failed, "--plugin" in drawing.remark) == (True, True)
    assert genbench("pictures", "-o", shop.root, "--device", "cpu")[0] == 3


def test_sheets_get_smaller_until_they_fit():
    noise = np.random.default_rng(0).random((100, 3, 32, 32)).astype(np.float32)
    content, suffix = sheets.make_picture(noise, open_named("digits"))
    assert suffix == ".webp"
    assert len(content) <= sheets.MOST
    with Image.open(io.BytesIO(content)) as image:
        assert image.size[0] == image.size[1] >= 4 * 33 - 1


def test_a_scatter_shows_the_points_where_they_are():
    data = open_named("ring")
    content, suffix = sheets.make_picture(np.array([[0.0, 0.0]] * 3), data)
    assert suffix == ".png"
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (sheets.SIDE, sheets.SIDE)
        alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
    middle = sheets.SIDE // 2
    assert alpha[middle, middle] == 255
    assert alpha[2, 2] == 0
    with pytest.raises(DataError, match="pictures needs images"):
        sheets.make_picture(np.zeros((5, 3, 2)), data)


def test_text_is_kept_as_text():
    data = open_named("markov_text")
    content, suffix = sheets.make_picture(np.zeros((20, 16), dtype=np.int64), data)
    assert suffix == ".txt"
    assert content.decode() == ("a" * 16 + "\n") * 12


def test_the_verb_draws_says_and_refuses(shop, genbench):
    shop.write(record(shop, "gan", "ring", 0))
    call = ["pictures", "-o", shop.root, "--device", "cpu"]
    code, out, _ = genbench(*call, "-d", "ring")
    assert code == 0
    assert "ring gan: from stored samples" in out
    assert "1 drawn; 1 of 1 rows have a picture" in out
    (row,) = json.loads(genbench(*call, "--json")[1])["pictures"]
    assert (row["dataset"], row["new"]) == ("ring", False)
    code, _, err = genbench(*call, "-d", "rang")
    assert (code, "unknown data set" in err) == (2, True)


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        b"",
        b"GIF89a" + bytes(20),
        b"<svg onload='alert(1)'></svg>",
        b"x" * (sheets.LARGEST + 1),
    ],
    ids=["eps", "empty", "gif", "svg", "large"],
)
def test_a_file_that_is_no_small_picture_is_said_and_not_shown(shop, tmp_path, content):
    shop.write(record(shop, "vae", "ring", 0, with_samples=False))
    (group,) = (g for t in make_leaderboards(shop.records()) for g in t.groups)
    path = shop.root / "pictures" / "ring" / "vae" / f"{group.id}-0.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    panel = sheets.read_picture(path, "vae")
    assert (panel.png, panel.about) == ("", "its picture cannot be read")


def test_a_folder_of_pictures_that_cannot_be_read_is_said(shop, tmp_path):
    shop.write(record(shop, "vae", "ring", 0, with_samples=False))
    folder = shop.root / "pictures" / "ring" / "vae"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(folder)
    (drawing,) = draw(shop)
    assert drawing.failed
    assert "cannot be read" in drawing.remark
    page = write_report(read_leaderboard(shop), tmp_path / "out")
    assert "cannot be read" in (page.parent / "data-ring.html").read_text()
