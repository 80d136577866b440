"""Pairs in files as people keep them: numbered without zeros, in other types, as words, with a wrong map."""

import zipfile
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image
from torch.nn import functional

from genbench.api import evaluate
from genbench.cli import main
from genbench.core.dataset import open_named
from genbench.core.errors import DataError
from genbench.store import Store

N = 12
RNG = numpy.random.default_rng(0)
TRUTH = RNG.integers(0, 256, (N, 1, 12, 12), dtype=numpy.uint8)
OUT = numpy.clip(TRUTH.astype(int) + RNG.integers(-20, 20, TRUTH.shape), 0, 255).astype("uint8")
IN = (
    functional.avg_pool2d(torch.from_numpy(TRUTH).float(), 2)
    .round()
    .to(torch.uint8)
    .numpy()
    .copy()
)
WHOLE = {"metrics": "psnr", "features": "identity"}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def right():
    return pytest.approx(evaluate(OUT, TRUTH, source=IN, **WHOLE).psnr, abs=1e-9)


def save_folder(name, images):
    Path(name).mkdir()
    for k, x in enumerate(images):
        Image.fromarray(x[0]).save(Path(name, f"{k}.png"))
    return name


def save_zip(name, images):
    folder = save_folder(f"{name} files", images)
    with zipfile.ZipFile(f"{name}.zip", "w") as archive:
        for path in Path(folder).iterdir():
            archive.write(path, path.name)
    return f"{name}.zip"


def save_shards(name, images):
    Path(name).mkdir()
    for k in range(len(images)):
        numpy.save(Path(name, f"part-{k}.npy"), images[k : k + 1])
    return name


def save_array(name, images):
    numpy.save(f"{name}.npy", images)
    return f"{name}.npy"


KINDS = (save_folder, save_zip, save_shards, save_array)


@pytest.mark.parametrize("mine", KINDS)
@pytest.mark.parametrize("theirs", KINDS)
def test_numbered_files_belong_to_rows_by_their_numbers(mine, theirs, right):
    """10.png comes after 9.png beside an array, whose rows have no names."""
    given = save_array("in", IN)
    result = evaluate(mine("out", OUT), theirs("truth", TRUTH), source=given, **WHOLE)
    assert result.psnr == right
    by_order = any(save in (save_folder, save_zip) for save in (mine, theirs))
    said = any("matched by their order, 0 first and 11 last" in note for note in result.notes)
    assert said == by_order


@pytest.mark.parametrize("deep", [False, True])
def test_an_archive_s_own_folder_is_no_part_of_a_name(deep, right):
    names = {}
    for name, images in {"out": OUT, "truth": TRUTH, "in": IN}.items():
        folder = save_folder(f"{name} files", images)
        names[name] = f"{name}.zip"
        with zipfile.ZipFile(names[name], "w") as archive:
            for path in Path(folder).iterdir():
                archive.write(path, f"{name}/all/{path.name}" if deep else f"{name}/{path.name}")
    assert evaluate(names["out"], names["truth"], source=names["in"], **WHOLE).psnr == right
    assert evaluate("out files", names["truth"], source=names["in"], **WHOLE).psnr == right


def test_files_that_are_named_otherwise_are_told_so():
    for name, images in {"truth": TRUTH, "in": IN}.items():
        save_folder(name, images)
    Path("out").mkdir()
    for k, x in enumerate(OUT):
        Image.fromarray(x[0]).save(f"out/{k}_fake_B.png")
    with pytest.raises(
        DataError, match="none in common: 0 and 0_fake_B are the first; name a sample"
    ):
        evaluate("out", "truth", source="in", **WHOLE)


def test_numbered_files_belong_to_a_split_s_rows():
    data = open_named("super_resolution")
    x = (data.points("test")[:30] * 255).round().to(torch.uint8).numpy()
    out = save_folder("out", x)
    result = evaluate(out, "super_resolution:test", metrics="psnr,consistency", limit=30)
    assert result.psnr > 40
    assert result.consistency < 0.02


def test_a_limit_leaves_out_what_lies_behind_it():
    """As many of the first as are asked for, of sides that hold more than others."""
    data = open_named("super_resolution")
    x = data.points("test")
    some = evaluate(x[:40], "super_resolution:test", limit=40, metrics="consistency")
    assert some.consistency == 0
    with pytest.raises(DataError, match="pairs need a sample and a true point"):
        evaluate(OUT[:5], TRUTH, source=IN, limit=6, **WHOLE)


def test_captions_in_files_are_scored_as_those_of_the_split():
    data = open_named("captioned_digits", to="text")
    words = data.points("test")
    where, options = "captioned_digits:to=text:test", {"metrics": "caption_accuracy"}
    for kind in (torch.int64, torch.uint8, torch.float32):
        result = evaluate(save_array("words", words.to(kind).numpy()), where, **options)
        assert result.caption_accuracy == 1
    for wrong in (words - 1, words + 20, words + 0.5):
        with pytest.raises(DataError, match="needs tokens, whole numbers from 0 to 22"):
            evaluate(wrong.numpy(), where, **options)
    other = words.clone()
    other[:, 2] = words[:, 1]  # of another place, which says nothing
    assert evaluate(other.numpy(), where, **options).caption_accuracy == 0


def test_a_rounding_beyond_the_range_is_no_other_score(right):
    for kind, edges in ((numpy.float32, (0, 1)), (numpy.float64, (-1, 1))):
        low, high = edges
        x = (OUT / 255 * (high - low) + low).astype(kind)
        x[0, 0, 0, :2] = [high + 5e-6, low - 5e-6]
        y = OUT.copy()
        y[0, 0, 0, :2] = [255, 0]
        how = {"samples": edges} if low else None
        found = evaluate(x, TRUTH, source=IN, range=how, **WHOLE)
        assert found.psnr == pytest.approx(evaluate(y, TRUTH, source=IN, **WHOLE).psnr, abs=1e-4)


def test_a_wrong_map_is_refused_and_the_right_one_named(capsys):
    """Each has a name in the protocol, so that scores by two maps do not share a column."""

    def box(x):
        return (functional.avg_pool2d(x, 2) * 255).round() / 255

    known = {"source": IN, "metrics": "consistency", "features": "identity"}
    result = evaluate(OUT, TRUTH, degrade=box, **known)
    assert "map=" in result.metrics["consistency"].protocol
    assert "box" in result.metrics["consistency"].protocol
    wrong = {
        "another kernel": lambda x: x[:, :, ::2, ::2],
        "bytes": lambda x: (functional.avg_pool2d(x, 2) * 255).round().to(torch.uint8),
        "rows of others": lambda x: box(x).flip(0),
    }
    for degrade in wrong.values():
        found = evaluate(OUT, TRUTH, degrade=degrade, **known).metrics["consistency"]
        assert found.value is None
        assert "needs the map by which the sources were made" in found.reason
    folders = [save_folder(n, x) for n, x in (("out", OUT), ("truth", TRUTH), ("in", IN))]
    words = ["evaluate", folders[0], "-r", folders[1], "--source", folders[2]]
    kernel = "super_resolution:of=photographs,scale=2,kernel=bicubic"
    with pytest.raises(SystemExit) as stop:
        main([*words, "--metrics", "consistency", "--degrade", kernel])
    assert stop.value.code == 2
    assert "makes others of the true points" in capsys.readouterr().err


def test_sources_of_few_levels_may_be_rounded():
    """Half a level is what rounding leaves: of 17 levels more than of 256."""
    levels = RNG.integers(0, 17, (N, 1, 4, 4)) / 16
    truth = numpy.repeat(numpy.repeat(levels, 2, 2), 2, 3)
    truth[:, :, ::2] = numpy.clip(truth[:, :, ::2] + 1 / 16, 0, 1)
    given = (functional.avg_pool2d(torch.from_numpy(truth), 2) * 16).round() / 16
    known = {"metrics": "consistency", "features": "identity"}
    result = evaluate(
        truth, truth, source=given, degrade=lambda x: functional.avg_pool2d(x, 2), **known
    )
    assert 0 < result.consistency < 1 / 32
    assert result.metrics["consistency"].floor == pytest.approx(result.consistency)


@pytest.mark.parametrize("kind", [torch.float16, torch.float32, torch.float64])
def test_a_true_point_is_consistent_in_every_type(kind):
    data = open_named("super_resolution", scale=4)
    x = ((data.points("test").double() * 16).round() / 16).to(kind)
    where = "super_resolution:scale=4:test"
    assert evaluate(x, where, metrics="consistency", features="identity").consistency == 0


def test_what_is_done_to_pictures_is_a_part_of_the_protocol():
    plain = evaluate(OUT, TRUTH, metrics="mmd", features="identity")
    resized = evaluate(OUT, TRUTH, metrics="mmd", features="identity", resize="6x8")
    colour = evaluate(OUT, TRUTH, metrics="mmd", features="identity", channels=3)
    assert "resized" not in plain.metrics["mmd"].protocol
    assert "resized to 6x8" in resized.metrics["mmd"].protocol
    assert "channels=3" in colour.metrics["mmd"].protocol


def test_picture_files_of_zeros_and_ones_are_asked_about():
    """A file has a mode for bits; bytes of 0 and 1 are all but black unless somebody says otherwise."""
    dark = save_folder("dark", TRUTH % 2)
    with pytest.raises(
        DataError, match=r"0 to 1 or 0 to 255; say which by --range samples=0,1 or"
    ):
        evaluate(dark, TRUTH, metrics="mmd", features="identity")
    bits = evaluate(dark, TRUTH, metrics="mmd", features="identity", range=["samples=0,1"])
    array = evaluate(TRUTH % 2, TRUTH, metrics="mmd", features="identity")
    assert bits.mmd == pytest.approx(array.mmd)


@pytest.mark.slow
def test_a_cell_of_fewer_points_than_its_split_is_scored_by_the_first_pairs():
    """A translator's cell holds what was made of the first test sources."""
    words = "run -m captioner -d captioned_digits:to=text --seeds 1 --steps 20 --metrics caption_accuracy"
    with pytest.raises(SystemExit):
        main([*words.split(), "-o", "runs"])
    (record,) = Store(Path("runs")).records()
    result = evaluate(record.cell, metrics="caption_accuracy", results="runs")
    (measured,) = (m for m in record.metrics if m.id == "caption_accuracy")
    assert result.caption_accuracy == pytest.approx(measured.value)
    assert any("first 2500 pairs" in note for note in result.notes)
    other = evaluate(
        record.cell,
        "captioned_digits:to=text:validation",
        metrics="caption_accuracy,nll",
        results="runs",
    )
    assert "leave the reference out" in other.metrics["caption_accuracy"].reason
