"""Sheets of what was given, what models made of it, and the truth."""

import base64
import io
from functools import partial

import numpy as np
import pytest
from PIL import Image
from report_records import FAMILIES, record

from genbench.core.dataset import open_named
from genbench.report.site.samples import make_gallery
from genbench.report.site.sheets import draw_pictures, read_images
from genbench.report.tables import make_leaderboards
from genbench.running.job import RunSettings
from genbench.store import Store


@pytest.fixture(autouse=True)
def translators(monkeypatch):
    for name in ("copy", "nearest", "resample"):
        monkeypatch.setitem(FAMILIES, name, ("reference", 0.5, 1))


def stored(store, model, dataset, array):
    row = record(store, model, dataset, 0, with_samples=False)
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
