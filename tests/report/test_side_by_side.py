"""Sheets of what was given, what models made of it, and the truth."""

import base64
import io
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from report_records import FAMILIES, record

from genbench.cli import main
from genbench.core.dataset import open_named
from genbench.core.errors import SpecError
from genbench.datasets.captioned_digits import spell
from genbench.report.site.evaluation import write_page
from genbench.report.site.samples import Panel, make_gallery, select_columns
from genbench.report.site.sheets import draw_pictures, read_images, read_lines
from genbench.report.tables import make_leaderboards
from genbench.running.job import RunSettings
from genbench.store import Store


@pytest.fixture(autouse=True)
def translators(monkeypatch):
    for name in ("copy", "nearest", "resample", "retrieval", "captioner"):
        monkeypatch.setitem(FAMILIES, name, ("reference", 0.5, 1))


def stored(store, model, dataset, array, **options):
    row = record(store, model, dataset, 0, with_samples=False, dataset_options=options)
    content = io.BytesIO()
    np.savez(content, samples=array)
    return row.model_copy(update={"artifacts": {"samples": store.put(content.getvalue(), ".npz")}})


def test_rows_are_test_sources_and_columns_inputs_models_and_the_truth(tmp_path):
    store, film = Store(tmp_path / "results"), open_named("moving_digits")
    truth, source = film.points("test")[:16].numpy(), film.given.points("test")[:16].numpy()
    rows = [
        stored(store, "copy", "moving_digits", source[:, 1:]),
        stored(store, "resample", "moving_digits", truth[::-1].copy()),
    ]
    (table,) = make_leaderboards(rows)
    gallery = make_gallery(store, table)
    panel = gallery.panels[0]
    assert panel.label == "side by side"
    assert panel.columns == ("input 1", "input 2", "copy", "truth")  # resample has no order
    assert [p.label for p in gallery.panels[1:]] == [
        "held-out data",
        *(g.label for g in table.groups),
    ]
    content = base64.b64decode(panel.png.removeprefix("data:image/png;base64,"))
    sheet = np.asarray(Image.open(io.BytesIO(content)))
    assert sheet.shape == (8 * 17 - 1, 4 * 17 - 1)
    third = sheet[2 * 17 : 2 * 17 + 16].reshape(16, -1)
    expected = [source[2, 0], source[2, 1], source[2, 1], truth[2, 0]]
    for k, image in enumerate(expected):
        assert np.array_equal(third[:, 17 * k : 17 * k + 16], np.round(image * 255))


def test_small_sources_are_enlarged(tmp_path):
    store, data = Store(tmp_path / "results"), open_named("super_resolution")
    truth = data.points("test")[:16].numpy()
    (table,) = make_leaderboards([stored(store, "nearest", "super_resolution", truth)])
    panel = make_gallery(store, table).panels[0]
    assert panel.columns == ("input", "nearest", "truth")
    assert panel.size == (3 * 9 - 1, 8 * 9 - 1)


def test_outputs_that_are_not_here_are_cut_out_of_the_picture_that_is_kept(tmp_path):
    store, data = Store(tmp_path / "results"), open_named("super_resolution")
    truth = data.points("test")[:64].numpy()
    row = stored(store, "nearest", "super_resolution", 1 - truth)
    store.write(row)
    board = make_leaderboards([row])
    draw_pictures(store, board, RunSettings(device="cpu"))
    gone = row.model_copy(update={"artifacts": {}})
    (table,) = make_leaderboards([gone])
    assert make_gallery(store, table).panels[0].columns == ("input", "truth")
    images = read_images(store, table.groups[0], data.spec.event)
    assert np.allclose(images.mean(1), 1 - truth[:, 0], atol=1 / 255)
    assert read_images(store, table.groups[0], (1, 9, 9)) is None
    panel = make_gallery(store, table, kept=partial(read_images, store)).panels[0]
    assert panel.columns == ("input", "nearest", "truth")


def test_where_no_truth_is_known_none_is_shown_as_such(tmp_path):
    store, data = Store(tmp_path / "results"), open_named("attribute")
    (table,) = make_leaderboards([stored(store, "copy", "attribute", data.points("test").numpy())])
    assert make_gallery(store, table).panels[0].columns == ("input", "copy", "any real one")


def test_what_is_made_from_words_has_them_beside(tmp_path):
    store, data = Store(tmp_path / "results"), open_named("captioned_digits")
    truth = data.points("test")[:16].numpy()
    (table,) = make_leaderboards([stored(store, "retrieval", "captioned_digits", truth)])
    panel = make_gallery(store, table).panels[0]
    assert panel.columns == ("retrieval", "truth")
    assert panel.inputs == tuple(spell(words) for words in data.given.points("test")[:8])
    assert panel.size == (2 * 17 - 1, 8 * 17 - 1)


def test_words_that_are_made_from_images_stand_beside_them(tmp_path):
    store, data = Store(tmp_path / "results"), open_named("captioned_digits", to="text")
    truth = data.points("test")[:16]
    row = stored(store, "captioner", "captioned_digits", truth.numpy(), to="text")
    store.write(row)
    board = make_leaderboards([row])
    lines = tuple(spell(words) for words in truth[:8])
    panel = make_gallery(store, board[0]).panels[0]
    assert panel.columns == ("input",)
    assert panel.outputs == (("captioner", lines), ("truth", lines))
    # of what is not here the lines of the kept picture are shown
    draw_pictures(store, board, RunSettings(device="cpu"))
    (table,) = make_leaderboards([row.model_copy(update={"artifacts": {}})])
    assert make_gallery(store, table).panels[0].outputs == (("truth", lines),)
    written = partial(read_lines, store)
    assert make_gallery(store, table, written=written).panels[0].outputs == panel.outputs


def test_a_claim_shows_the_columns_of_its_rows_alone():
    sheet = np.arange(3 * 5 * 17, dtype=np.uint8).reshape(5, 51)
    images = [sheet[:, k : k + 12] for k in (0, 13, 26, 39)]
    content = io.BytesIO()
    Image.fromarray(sheet).save(content, "PNG")
    panel = Panel(
        "side by side", "", columns=("input", "a", "b", "truth"), outputs=(("c", ("x",)),)
    )
    chosen = select_columns(panel, content.getvalue(), {"b"})
    assert chosen.columns == ("input", "b", "truth")
    assert chosen.outputs == ()
    body = base64.b64decode(chosen.png.partition(",")[2])
    ours = np.asarray(Image.open(io.BytesIO(body)))
    assert ours.shape == (5, 38)
    for k, image in enumerate((images[0], images[2], images[3])):
        assert np.array_equal(ours[:, 13 * k : 13 * k + 12], image)
    assert select_columns(panel, content.getvalue(), {"d"}) is None
    assert select_columns(panel, content.getvalue(), {"c"}).outputs == (("c", ("x",)),)


def test_the_page_of_an_evaluation_shows_inputs_outputs_and_truth(tmp_path):
    x = torch.rand(9, 1, 6, 6)
    write_page(tmp_path / "page.html", (), ("ours", x), ("theirs", x), source=x[:, :, ::2, ::2])
    page = (tmp_path / "page.html").read_text()
    assert "columns: input, output, truth" in page
    write_page(tmp_path / "page.html", (), ("ours", x), ("theirs", x))
    assert "columns: input" not in (tmp_path / "page.html").read_text()


def test_evaluate_hands_sources_to_its_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in", "out", "truth"):
        np.save(f"{name}.npy", np.random.default_rng(0).random((9, 6, 6)))
    words = ["evaluate", "out.npy", "-r", "truth.npy", "--source", "in.npy", "--html", "page.html"]
    with pytest.raises(SystemExit) as end:
        main([*words, "--metrics", "psnr", "--features", "identity"])
    assert end.value.code == 0
    assert "columns: input, output, truth" in (tmp_path / "page.html").read_text()


def test_seconds_that_are_none_are_refused_before_any_row(tmp_path):
    """Nothing is more than `nan`, so that every row would have been trained again."""
    with pytest.raises(SpecError, match="at_most needs seconds of 0 or more, got nan"):
        draw_pictures(Store(tmp_path), [], RunSettings(), at_most=float("nan"))
