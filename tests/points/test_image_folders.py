"""Folders of images: what is read, what is refused, and that refusals name the file."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy
import pytest
from PIL import Image

from genbench.core.errors import DataError
from genbench.evaluation.sources import ReadOptions, open_points
from genbench.points.images import decode as decode_stored
from genbench.points.images import open_folder

RNG = numpy.random.default_rng(0)
BYTES = RNG.integers(0, 256, (6, 5, 3), dtype=numpy.uint8)


def save(path, mode="RGB", size=(5, 6)):
    image = Image.fromarray(BYTES).resize(size)
    image = Image.new(mode, size) if mode in ("I;16", "F") else image.convert(mode)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def read(folder, **how):
    """All pictures under a folder, as `evaluate` reads them."""
    points = open_points(folder, ReadOptions(**how))
    return numpy.concatenate([x.numpy() for x in points.batches(2)])


def decode(path):
    return decode_stored(path, str(path))[0]


def test_images_are_found_deeply_in_the_order_of_paths_and_scaled(tmp_path):
    for name in ("b.png", "a/x.png", "a/y.bmp", "c.ppm"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("none")
    found = open_folder(tmp_path)
    assert [Path(name).relative_to(tmp_path).as_posix() for name in found.names] == [
        "b.png",
        "c.ppm",
        "a/x.png",
        "a/y.bmp",
    ]
    assert found.notes() == ["1 files that are not images were left out"]
    assert read(tmp_path).shape == (4, 3, 6, 5)
    numpy.testing.assert_allclose(read(tmp_path)[2], numpy.moveaxis(BYTES, -1, 0) / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("mode", "suffix", "channels"),
    [
        ("1", "png", 1),
        ("L", "png", 1),
        ("LA", "png", 1),
        ("I;16", "png", 1),
        ("F", "tiff", 1),
        ("P", "png", 3),
        ("RGB", "webp", 3),
        ("RGBA", "png", 3),
        ("CMYK", "jpg", 3),
        ("YCbCr", "jpg", 3),
        ("LAB", "tiff", 3),
    ],
)
def test_every_usual_mode_becomes_grey_or_colour(tmp_path, mode, suffix, channels):
    path = tmp_path / f"a.{suffix}"
    pixels = decode(save(path, mode))
    assert pixels.shape == (channels, 6, 5)
    kinds = {"I;16": numpy.uint16, "F": numpy.float32}
    assert pixels.dtype == kinds.get(mode, numpy.uint8)


def test_sixteen_bits_keep_their_scale(tmp_path):
    values = numpy.array([[0, 65535], [32768, 1]], dtype=numpy.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    Image.fromarray(values).save(tmp_path / "b.png")
    numpy.testing.assert_allclose(read(tmp_path)[0, 0], values / 65535, rtol=1e-6)


def test_grey_is_repeated_where_colour_is_asked(tmp_path):
    save(tmp_path / "a.png", "L")
    save(tmp_path / "b.png", "L")
    pixels = read(tmp_path, channels=3)
    assert pixels.shape == (2, 3, 6, 5)
    assert (pixels[:, 0] == pixels[:, 2]).all()


def test_resizing_is_pillows_bicubic_on_floating_point(tmp_path):
    path = save(tmp_path / "a.png", "L", (9, 9))
    save(tmp_path / "b.png", "L", (3, 4))
    resized = read(tmp_path, size=(4, 3))
    whole = numpy.asarray(Image.open(path), dtype=numpy.float32) / 255
    want = Image.fromarray(whole).resize((3, 4), Image.Resampling.BICUBIC)
    numpy.testing.assert_allclose(resized[0, 0], numpy.asarray(want).clip(0, 1), atol=1e-7)


def test_a_loop_of_links_ends(tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "in/b.png")
    (tmp_path / "in/loop").symlink_to(tmp_path)
    assert len(open_folder(tmp_path)) == 2


def test_folders_that_a_system_hides_are_not_entered(tmp_path):
    folder = tmp_path / ".cache"  # which the user named
    kept = [save(folder / f"{name}.png") for name in "ab"]
    for hidden in (".ipynb_checkpoints", "@eaDir", "__MACOSX"):
        save(folder / "in" / hidden / "c.png")
    assert open_folder(folder).names == list(map(str, kept))


def truncated(path):
    path.write_bytes(save(path).read_bytes()[:60])


def bomb(path):
    """A PNG of 100,000 × 100,000 pixels in a few bytes."""
    save(path)
    whole = bytearray(path.read_bytes())
    whole[16:24] = (100_000).to_bytes(4, "big") * 2
    whole[29:33] = zlib.crc32(bytes(whole[12:29])).to_bytes(4, "big")
    path.write_bytes(bytes(whole))


def floats(path):
    Image.fromarray(numpy.array([[0.0, 7.0]], numpy.float32)).save(path)


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("z.png", lambda path: path.write_bytes(b""), "is not an image"),
        ("z.png", lambda path: path.write_text("hello"), "is not an image"),
        ("z.png", truncated, "cannot be read"),
        ("z.png", bomb, "pixels"),
        ("z.tiff", floats, "between 0 and 1"),
        ("z.png", lambda path: save(path, size=(7, 6)), r"needs 5x6 pixels .* got 7x6"),
        ("z.png", lambda path: path.symlink_to("nowhere.png"), "No such file"),
        ("z.png", lambda path: path.mkdir(), None),
    ],
)
def test_damage_is_one_sentence_that_names_the_file(tmp_path, name, make, said):
    save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    make(tmp_path / name)
    if said is None:  # a folder that is called like an image holds none
        assert len(open_folder(tmp_path)) == 2
        return
    with pytest.raises(DataError, match=said) as caught:
        read(tmp_path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_grey_and_colour_do_not_mix(tmp_path):
    save(tmp_path / "a.png", "L")
    save(tmp_path / "b.png")
    with pytest.raises(DataError, match=r"b\.png is in colour.*--channels 3"):
        read(tmp_path)
    assert read(tmp_path, channels=3).shape == (2, 3, 6, 5)


@pytest.mark.parametrize("names", [[], ["a.png"]])
def test_a_folder_without_two_images_is_refused(tmp_path, names):
    for name in names:
        save(tmp_path / name)
    with pytest.raises(DataError, match="at least two images"):
        open_folder(tmp_path)
