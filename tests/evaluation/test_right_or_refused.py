"""Every way to hand pictures over: the right number, or one sentence; there is no third outcome."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import random_fields as f
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from genbench.api import evaluate
from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, GenbenchError, SpecError

REAL, FAKE, first, unit = f.REAL, f.FAKE, f.first, f.unit
DIGITS = DATASETS.get("digits")()
LEVELS = (DIGITS.points("validation") * 16).round()


@pytest.fixture(autouse=True, scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GENBENCH_CACHE", str(folder / "cache"))
        f.folder_of(REAL, "real")
        f.folder_of(FAKE, "fake")
        yield folder


def score(samples, reference="real", *, features="random_conv", metrics="fid", **options):
    result = evaluate(samples, reference, features=features, metrics=metrics, **options)
    return result[result.rows[0].id]


@pytest.fixture(scope="module")
def right(place):
    """The distance of bytes over 255, channels first, in random features and of pixels."""
    return {features: score(unit(FAKE), unit(REAL), features=features) for features in FEATURES}


FEATURES = ("random_conv", "identity")
#: name → (what makes SAMPLES, options); all of them are FAKE
RIGHT = {
    "folder": (lambda: "fake", {}),
    "nested folder": (
        lambda: [f.folder_of(FAKE[:25], "nested/a"), f.folder_of(FAKE[25:], "nested/b"), "nested"][
            2
        ],
        {},
    ),
    "npy, channels last": (lambda: f.npy(FAKE), {}),
    "npy, channels first": (lambda: f.npy(first(FAKE)), {}),
    "npy of floats": (lambda: f.npy(unit(FAKE)), {}),
    "npy of doubles": (lambda: f.npy(first(FAKE) / 255), {}),
    "npz": (lambda: f.npz(whatever=FAKE), {}),
    "compressed npz": (lambda: f.npz(save=numpy.savez_compressed, samples=FAKE, other=REAL), {}),
    "ADM's npz": (lambda: f.npz(arr_0=FAKE, arr_1=numpy.arange(50) % 3), {}),
    "EDM's npz": (lambda: f.npz(arr_0=FAKE), {}),
    "npz by key": (lambda: f.npz(a=REAL, b=FAKE) + ":b", {}),
    "shards": (lambda: f.shards_of(FAKE), {}),
    "pt": (lambda: f.saved(torch.save, torch.tensor(first(FAKE)), "mine.pt"), {}),
    "pt by key": (
        lambda: (
            f.saved(torch.save, {"x": torch.tensor(FAKE), "z": torch.rand(9, 9)}, "mine.pth")
            + ":x"
        ),
        {},
    ),
    "safetensors": (
        lambda: f.saved(
            save_file,
            {"images": torch.tensor(first(FAKE)), "labels": torch.arange(50)},
            "mine.safetensors",
        ),
        {},
    ),
    "zip": (lambda: f.zip_of(FAKE), {}),
    "StyleGAN's zip": (lambda: f.zip_of(FAKE, "style.zip", labels=True), {}),
    "tar": (lambda: f.tar_of(FAKE), {}),
    "tar.gz": (lambda: f.tar_of(FAKE, "mine.tar.gz"), {}),
    "WebDataset": (lambda: f.tar_of(FAKE, "web.tar", web=True), {}),
    "Hugging Face folder": (lambda: f.datasets_folder(FAKE), {}),
    "parquet of pictures": (lambda: f.parquet_of(FAKE), {}),
    "array": (lambda: FAKE, {}),
    "whole numbers of 64 bits": (lambda: FAKE.astype(numpy.int64), {}),
    "whole numbers of 32 bits, channels first": (lambda: first(FAKE).astype(numpy.int32), {}),
    "16 bits": (lambda: FAKE.astype(numpy.uint16) * 257, {}),
    "tensor": (lambda: torch.tensor(unit(FAKE)), {}),
    "tensor of bytes, channels last": (lambda: torch.tensor(FAKE), {}),
    "array and labels": (lambda: (FAKE, numpy.zeros(50, int)), {}),
    "function of batches": (lambda: f.batches(unit(FAKE)), {}),
    "function of batches, channels last": (lambda: f.batches(FAKE), {}),
    "function of one tensor": (lambda: lambda: torch.tensor(FAKE), {}),
    "function of one array": (lambda: lambda: unit(FAKE), {}),
    "generator": (lambda: f.batches(FAKE)(), {}),
    "list of batches": (lambda: list(f.batches(FAKE)()), {}),
    "data loader with labels": (lambda: f.loader(unit(FAKE)), {}),
    "data loader of bytes, channels last": (lambda: f.loader(FAKE), {}),
    "data set of torch": (lambda: f.loader(unit(FAKE)).dataset, {}),
    "pictures of Pillow": (lambda: [Image.fromarray(picture) for picture in FAKE], {}),
    "single pictures, channels first": (lambda: list(unit(FAKE)), {}),
    "single pictures, channels last": (lambda: iter(FAKE), {}),
    "pictures with labels": (lambda: [(Image.fromarray(picture), 3) for picture in FAKE], {}),
    "floats from -1 to 1, declared": (lambda: unit(FAKE) * 2 - 1, {"range": (-1, 1)}),
    "floats from -1 to 1 in batches": (lambda: f.batches(unit(FAKE) * 2 - 1), {"range": "-1,1"}),
    "floats from 0 to 255": (lambda: FAKE.astype(numpy.float32), {"range": {"samples": (0, 255)}}),
    "floats from 0 to 255, for all": (
        lambda: f.npy(FAKE.astype(numpy.float64)),
        {"range": "0,255"},
    ),
    "signed bytes": (
        lambda: (FAKE.astype(numpy.int16) - 128).astype(numpy.int8),
        {"range": ["samples=-128,127"]},
    ),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_the_same_pictures_have_the_same_distance(kind, right):
    make, options = RIGHT[kind]
    assert score(make(), **options) == pytest.approx(right["random_conv"], rel=1e-6, abs=1e-6)


def wide_png():
    folder = Path(f.folder_of(FAKE[:3], "wide"))
    for k, picture in enumerate(FAKE[..., 0]):
        Image.fromarray(picture.astype(numpy.uint16)).save(folder / f"{k:04d}.png")
    return "wide"


def deep_colour():
    """A PNG of 16 bits in each of three channels, which holds 8-bit values."""
    import struct
    import zlib

    def block(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    Path("deep").mkdir()
    for k, picture in enumerate(FAKE[:3]):
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in picture)
        head = struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0)
        blocks = block(b"IHDR", head) + block(b"IDAT", zlib.compress(rows)) + block(b"IEND", b"")
        Path("deep", f"{k}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + blocks)
    return "deep"


def pages():
    Path("pages").mkdir()
    stack = [Image.fromarray(picture) for picture in FAKE[:4]]
    for k in range(2):
        stack[0].save(f"pages/{k}.tiff", save_all=True, append_images=stack[1:])
    return "pages"


def dictionary():
    yield {"image": unit(FAKE), "label": 3}


AGAINST_DIGITS = {"reference": "digits:test", "features": "identity"}
#: name → (what makes SAMPLES, options, what is said)
REFUSED = {
    "floats from -1 to 1": (
        lambda: unit(FAKE) * 2 - 1,
        {},
        "between 0 and 1, got -1 to 1; .*--range -1,1",
    ),
    "the same in batches": (lambda: f.batches(unit(FAKE) * 2 - 1), {}, "--range -1,1"),
    "the same in a loader": (lambda: f.loader(unit(FAKE) * 2 - 1), {}, "--range -1,1"),
    "the same in a file": (
        lambda: f.npy(unit(FAKE) * 2 - 1),
        {},
        "mine.npy needs pixels .*--range -1,1",
    ),
    "the same, channels last": (lambda: FAKE / 127.5 - 1, {}, "--range -1,1"),
    "floats from 0 to 255": (lambda: FAKE.astype(float), {}, "--range 0,255"),
    "floats that overshoot": (lambda: unit(FAKE) * 1.1 - 0.05, {}, "overshoots: clip"),
    "standardised": (lambda: (unit(FAKE) - 0.45) / 0.22, {}, "standardised"),
    "divided by 255 twice": (lambda: unit(FAKE) / 255, {}, "divided by 255 twice"),
    "values beyond the declared range": (
        lambda: unit(FAKE) * 2 - 1,
        {"range": "0,255"},
        "between 0 and 255, got -1",
    ),
    "a range that is not theirs": (lambda: unit(FAKE), {"range": "-1,1"}, "not like the declared"),
    "another range that is not theirs": (
        lambda: unit(FAKE),
        {"range": "0,255"},
        "not like the declared",
    ),
    "8-bit values in 16 bits": (lambda: FAKE.astype(numpy.uint16), {}, "0 to 255 or 0 to 65535"),
    "8-bit values in 16-bit PNGs": (
        wide_png,
        {"reference": FAKE[..., 0]},
        "wide holds whole numbers|in colour",
    ),
    "16 bits in three channels": (deep_colour, {}, "Pillow drops 8"),
    "16 levels as bytes": (lambda: FAKE // 16, {}, "say which by --range 0,15 or 0,255"),
    "standardised, black near 0": (
        lambda: (unit(FAKE) - 0.13) / 0.31,
        {},
        "look standardised: undo it",
    ),
    "whole numbers below 0": (lambda: FAKE.astype(numpy.int64) - 128, {}, "--range -128,127"),
    "bytes as 0 to 1023": (lambda: FAKE.astype(numpy.int32) * 4, {}, "between 0 and 255"),
    "transparency": (lambda: numpy.concatenate([FAKE, FAKE[..., :1]], -1), {}, "transparency"),
    "single pictures of any size": (
        lambda: list(unit(FAKE)),
        {"channels": 3},
        "may be one picture or 3",
    ),
    "one picture": (lambda: FAKE[0], {"resize": "16x16"}, "one picture or 16 grey"),
    "single pictures of another size": (lambda: list(f.fields(9, 1, 32)), {}, "one picture or 32"),
    "flattened bytes beside floats": (
        lambda: FAKE.reshape(50, -1),
        {"reference": unit(REAL).reshape(60, -1)},
        "whole numbers up to 255.*--range samples=0,255",
    ),
    "flattened floats beside bytes": (
        lambda: unit(FAKE).reshape(50, -1),
        {"reference": REAL.reshape(60, -1)},
        "whole numbers up to 255.*--range reference=0,255",
    ),
    "flattened": (lambda: FAKE.reshape(50, -1), {}, "one shape"),
    "another size": (lambda: f.fields(50, 1, 32), {}, "one shape, got samples .*--resize 16x16"),
    "another size, in batches": (lambda: f.batches(f.fields(50, 1, 32)), {}, "--resize 16x16"),
    "portrait": (lambda: FAKE[:, :, :12], {"reference": REAL[:, :12]}, "one shape"),
    "grey": (lambda: FAKE[..., 0], {}, "--channels 3"),
    "pages": (pages, {}, "holds 4 pages"),
    "a dictionary": (lambda: dictionary, {}, "got a dictionary with image, label"),
    "a pair of pictures": (lambda: lambda: iter([(unit(FAKE), unit(FAKE))]), {}, "are no labels"),
    "a mask": (lambda: numpy.ma.masked_less(unit(FAKE), 0.1), {}, "under a mask"),
    "a sparse tensor": (lambda: torch.rand(5, 3).to_sparse(), {}, "dense"),
    "nothing": (lambda: "", {}, "needs a name, got ''"),
    "spaces": (lambda: "  ", {}, "needs a name"),
    "a data set without a split": (lambda: "digits", {}, "did you mean digits:test"),
    "a path of Windows": (lambda: r"C:\data\mine.npz", {}, "does not exist"),
    "a folder of Windows": (lambda: "C:/data/mine", {}, "does not exist"),
    "a file of one picture": (lambda: "fake/0000.png", {}, "one picture; give a folder"),
    "points resized": (
        lambda: FAKE.reshape(50, -1) / 255,
        {"resize": "8x8", "reference": unit(REAL).reshape(60, -1)},
        "--resize needs pictures",
    ),
    "range of a data set": (
        lambda: "digits:validation",
        {**AGAINST_DIGITS, "range": "0,16"},
        "--range is for points of your own",
    ),
    "range of points": (
        lambda: numpy.random.default_rng(0).normal(size=(9, 2)),
        {"reference": "ring:test", "range": "-1,1", "features": "identity"},
        "--range is for pixels",
    ),
    "digits from 0 to 16": (
        lambda: LEVELS,
        AGAINST_DIGITS,
        "--range 0,16",
    ),
    "digits from 0 to 16, flat": (
        lambda: LEVELS.flatten(1).numpy(),
        AGAINST_DIGITS,
        "--range 0,16",
    ),
    "digits as bytes from 0 to 16": (
        lambda: LEVELS.to(torch.uint8),
        AGAINST_DIGITS,
        "0,16 or 0,255",
    ),
    "bytes up to 128": (
        lambda: numpy.full((20, 1, 8, 8), 128, dtype=numpy.uint8),
        {"reference": REAL},
        "0 to 128 or 0 to 255; say which by --range 0,128 or 0,255",
    ),
    "an empty range": (lambda: FAKE, {"range": "1,1"}, "the lower one first"),
    "a range of words": (lambda: FAKE, {"range": "low"}, "LOW,HIGH"),
    "a range of no side": (lambda: FAKE, {"range": {"sample": (0, 1)}}, "did you mean 'samples'"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_may_be_wrong_is_refused_in_a_sentence(kind):
    make, options, said = REFUSED[kind]
    with pytest.raises(GenbenchError, match=said) as caught:
        score(make(), **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["array", "flat", "tensor", "function"])
def test_levels_of_a_data_set_count_where_they_are_declared(form):
    forms = {
        "array": LEVELS.numpy(),
        "flat": LEVELS.flatten(1).numpy(),
        "tensor": LEVELS.to(torch.uint8),
        "function": f.batches(LEVELS.numpy()),
    }
    want = score("digits:validation", "digits:test", features="identity")
    how = {"features": "identity", "range": "0,16"}
    assert score(forms[form], "digits:test", **how) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("kind", [numpy.uint8, bool, numpy.float32, numpy.int64])
def test_bits_are_bits_of_whatever_type(kind):
    bits = DATASETS.get("binary_digits")().points("validation").numpy()
    want = score("binary_digits:validation", "binary_digits:test", features="identity")
    found = score(bits.astype(kind), "binary_digits:test", features="identity")
    assert found == pytest.approx(want, rel=1e-6)
    found = score(f.batches(bits.astype(kind)), "binary_digits:test", features="identity")
    assert found == pytest.approx(want, rel=1e-6)


def test_bytes_on_both_sides_as_floats_are_what_they_are_as_bytes(right):
    sides = [x.astype(numpy.float32) for x in (FAKE, REAL)]
    with pytest.raises(DataError, match="--range 0,255"):
        score(*sides)
    assert score(*sides, range=(0, 255)) == pytest.approx(right["random_conv"], rel=1e-6)


def test_a_reference_may_come_picture_by_picture_too(right):
    want = pytest.approx(right["random_conv"], rel=1e-6)
    assert score(FAKE, list(REAL)) == want
    assert score(FAKE, f.loader(unit(REAL)).dataset) == want


def test_a_picture_alone_in_its_batch_is_no_grey_stack(right):
    assert score(f.batches(FAKE, 1), batch=1) == pytest.approx(right["random_conv"], rel=1e-6)


READERS = {
    "array": lambda x: x,
    "tensor": torch.as_tensor,
    "file": lambda x: f.npy(x, "drawn.npy"),
    "npz": lambda x: f.npz("drawn.npz", arr_0=x),
    "function": f.batches,
    "one call": lambda x: lambda: x,
    "loader": f.loader,
    "pt": lambda x: f.saved(torch.save, torch.as_tensor(x), "drawn.pt"),
}
DTYPES = {
    "uint8": (lambda x: x, None),
    "int16": (lambda x: x.astype(numpy.int16), None),
    "int64": (lambda x: x.astype(numpy.int64), None),
    "float32": (lambda x: (x / 255).astype(numpy.float32), None),
    "float64": (lambda x: x / 255, None),
    "float32 in -1..1": (lambda x: (x / 127.5 - 1).astype(numpy.float32), (-1, 1)),
    "float64 in 0..255": (lambda x: x.astype(numpy.float64), (0, 255)),
    "float32 in -0.5..0.5": (lambda x: (x / 255 - 0.5).astype(numpy.float32), (-0.5, 0.5)),
}


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    reader=st.sampled_from(sorted(READERS)),
    dtype=st.sampled_from(sorted(DTYPES)),
    layout=st.sampled_from(["last", "first"]),
    declare=st.booleans(),
    features=st.sampled_from(FEATURES),
)
def test_layout_type_range_and_reader_do_not_matter(
    reader, dtype, layout, declare, features, right
):
    convert, declared = DTYPES[dtype]
    x = convert(FAKE if layout == "last" else first(FAKE))
    options = {"range": {"samples": declared}} if declare and declared else {}
    if declared is not None and not declare:
        with pytest.raises(DataError, match="--range"):
            score(READERS[reader](x), features=features)
        return
    value = score(READERS[reader](x), features=features, **options)
    assert value == pytest.approx(right[features], rel=1e-6, abs=1e-6)


def test_unknown_sides_are_named():
    with pytest.raises(SpecError, match="no side 'x'"):
        score(FAKE, range="x=0,1")


def test_a_copy_is_scored_and_said_to_be_one():
    result = evaluate(FAKE, FAKE.copy(), features="random_conv", metrics="fid")
    assert result.fid == 0
    assert "the same points in the same order" in result.notes[0]
    assert not any("same order" in note for note in evaluate(FAKE[::-1], FAKE).notes)


@pytest.mark.parametrize("name", ["A.NPY", "A.NPZ", "A.NPZ:x", "A.SAFETENSORS", "A.PT"])
def test_suffixes_count_in_capitals_too(name, right):
    with open("A.NPY", "wb") as file:
        numpy.save(file, FAKE)
    with open("A.NPZ", "wb") as file:
        numpy.savez(file, x=FAKE)
    save_file({"x": torch.from_numpy(FAKE.copy())}, "A.SAFETENSORS")
    torch.save(torch.from_numpy(FAKE.copy()), "A.PT")
    assert score(name) == pytest.approx(right["random_conv"], rel=1e-6)
