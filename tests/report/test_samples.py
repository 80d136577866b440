import base64
import io

import numpy as np
import pytest
from PIL import Image
from report_records import record

from genbench.report.site.samples import make_gallery
from genbench.report.tables import make_leaderboards
from genbench.store import Store


@pytest.fixture
def shop(tmp_path):
    return Store(tmp_path / "results")


def panels(store, *rows):
    (table,) = make_leaderboards(rows)
    found = make_gallery(store, table)
    return found, {panel.label: panel for panel in found.panels}


def with_samples(store, row, array, name="samples"):
    held = io.BytesIO()
    np.savez(held, **{name: array})
    return row.model_copy(update={"artifacts": {"samples": store.put(held.getvalue(), ".npz")}})


def unpacked(text, box):
    unit = np.frombuffer(base64.b64decode(text), "<u2").reshape(-1, 2) / 65_535
    return np.asarray(box[::2]) + unit * (np.asarray(box[1::2]) - np.asarray(box[::2]))


def pixels(panel):
    content = base64.b64decode(panel.png.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)))


def test_points_come_back_in_data_space_with_the_true_centres(shop):
    points = np.random.default_rng(0).normal(scale=0.3, size=(3000, 2))
    row = with_samples(shop, record(shop, "gan", "ring", 0), points)
    found, by_label = panels(shop, row)
    shown = unpacked(by_label["gan"].points, found.box)
    np.testing.assert_allclose(shown, points[:1000], atol=1e-4)
    centres = unpacked(found.centres, found.box)
    assert len(centres) == 8
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-4)
    assert by_label["gan"].about == "seed 0"
    assert by_label["held-out data"].points


def test_points_outside_the_view_or_not_finite_are_counted(shop):
    points = np.zeros((100, 2))
    points[:20] = 50.0
    points[20:25] = np.nan
    row = with_samples(shop, record(shop, "gan", "ring", 0), points)
    found, by_label = panels(shop, row)
    assert by_label["gan"].about == "seed 0, 25.0% outside the view"
    assert len(unpacked(by_label["gan"].points, found.box)) == 75


@pytest.mark.parametrize("kind", ["levels", "unit"])
def test_images_lie_on_a_sheet_in_grey_levels(shop, kind):
    levels = np.random.default_rng(0).integers(0, 17, (70, 1, 8, 8))
    given = levels.astype(np.uint8) if kind == "levels" else levels.astype(np.float32) / 16
    row = with_samples(shop, record(shop, "gan", "digits", 0), given)
    _, by_label = panels(shop, row)
    sheet = pixels(by_label["gan"])
    assert sheet.shape == by_label["gan"].size == (71, 71)
    expected = (levels[9, 0] / 16 * 255).round()
    np.testing.assert_array_equal(sheet[9:17, 9:17], expected)
    assert (sheet[8] == 127).all()


def test_colour_images_of_an_unknown_data_set(shop):
    images = np.random.default_rng(0).random((5, 3, 4, 4))
    row = with_samples(shop, record(shop, "gan", "ring", 0, with_samples=False), images)
    row = row.model_copy(update={"spec": row.spec.model_copy(update={"dataset": "not_here"})})
    found, by_label = panels(shop, row)
    assert pixels(by_label["gan"]).shape == (9, 9, 3)
    assert list(by_label) == ["gan"]
    assert found.centres == ""


@pytest.mark.parametrize(
    ("array", "name", "about"),
    [
        (np.zeros((5, 3, 2)), "samples", "samples of shape (3, 2) cannot be drawn"),
        (np.array(["x", "y"]), "samples", "the samples are not numbers"),
        (np.zeros((5, 2)), "other", "the samples cannot be read"),
    ],
)
def test_what_cannot_be_drawn_is_said(shop, array, name, about):
    row = with_samples(shop, record(shop, "gan", "ring", 0), array, name)
    _, by_label = panels(shop, row)
    assert by_label["gan"].about == about
    assert not by_label["gan"].points


def test_absent_and_broken_artifacts_are_said(shop):
    row = record(shop, "gan", "ring", 0, with_samples=False)
    assert panels(shop, row)[1]["gan"].about == "no samples were stored"
    gone = row.model_copy(update={"artifacts": {"samples": "sha256:" + "0" * 64 + ".npz"}})
    assert panels(shop, gone)[1]["gan"].about == "the samples are not beside these records"
    broken = row.model_copy(update={"artifacts": {"samples": shop.put(b"PK no zip", ".npz")}})
    assert panels(shop, broken)[1]["gan"].about == "the samples cannot be read"
    pickled = np.array([{"a": 1}], dtype=object)
    assert panels(shop, with_samples(shop, row, pickled))[1]["gan"].about == (
        "the samples cannot be read"
    )


def test_tokens_are_shown_as_text(shop):
    rows = np.array([[0, 1, 2, 7, 0]] * 20, dtype=np.float32)
    rows[1, 4] = np.nan
    rows[2, 0] = 9
    options = {"tokens": 8, "length": 5, "order": 2}
    row = with_samples(shop, record(shop, "gan", "markov_text", 0), rows)
    spec = row.spec.model_copy(update={"dataset_options": options})
    _, by_label = panels(shop, row.model_copy(update={"spec": spec}))
    lines = by_label["gan"].text.split("\n")
    assert lines[0] == "abcha"
    assert lines[1] == "abch\N{BLACK SQUARE}"
    assert lines[2] == "\N{BLACK SQUARE}bcha"
    assert len(lines) == 12
    assert by_label["gan"].about == "seed 0, 12 sequences"
    assert not by_label["gan"].points
    assert set(by_label["held-out data"].text) <= set("abcdefgh\n")
