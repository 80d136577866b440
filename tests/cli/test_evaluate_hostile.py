"""What careless and hostile users give `genbench evaluate`: one helpful sentence, exit 2, no file left.

`REFUSED` and `LEGAL` are the written list; below are properties over files and arrays at random.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import sys
import zipfile
import zlib
from pathlib import Path

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from genbench.cli import main

RNG = numpy.random.default_rng(0)
POINTS = RNG.normal(size=(12, 3)).astype("float32")
PIXELS = RNG.integers(0, 256, (6, 8, 8), dtype=numpy.uint8)
CALLABLES = """
import sys
import numpy, torch

GOOD = numpy.linspace(0, 1, 36).reshape(12, 3)
def good(): yield GOOD
def images(): yield torch.full((6, 3, 8, 8), 51, dtype=torch.uint8)
def nothing(): return iter(())
def one_point(): yield GOOD[:1]
def nan(): yield GOOD; yield GOOD * numpy.nan
def infinite(): yield GOOD / 0.0 if False else numpy.full((4, 3), numpy.inf)
def raises(): yield GOOD; raise ValueError("planted\\non purpose")
def raises_at_once(): raise KeyError("early")
def leaves(): sys.exit(0)
def leaves_later(): yield GOOD; sys.exit(0)
def words(): yield ["a", "b"]
def ragged(): yield [[1.0, 2.0], [3.0]]
def nones(): yield None
def a_dictionary(): yield {"x": GOOD}
def complex_numbers(): yield GOOD + 1j
def flat(): yield numpy.zeros(4)
def number(): yield 3.0
def changing(): yield GOOD; yield GOOD[:, :2]
def no_iterator(): return 3
def needs_arguments(n): yield GOOD
def endless():
    while True: yield torch.zeros(16, 2**18)
def wide(): yield torch.zeros(16, 2**18)
value = 3

def halves(x): return x / 2
def wrong_shape(x): return x.unsqueeze(1)
def wrong_count(x): return x[:1]
def no_tensor(x): return "features"
def nan_features(x): return x * float("nan")
def broken(x): raise RuntimeError("planted")
"""


class Detonator:
    """Leaves a file behind if it is ever unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("DETONATED"),))


def folder_of(name, *images, suffix="png"):
    """A folder of images."""
    Path(name).mkdir()
    for k, image in enumerate(images):
        if not isinstance(image, Image.Image):
            image = Image.fromarray(image)
        image.save(Path(name, f"{k}.{suffix}"))
    return name


def with_file(content, name="z.png"):
    """A maker of a folder of two good images and a file of this content, or that a function makes."""

    def make():
        folder_of("mine", *PIXELS[:2])
        path = Path("mine", name)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content)
        return "mine"

    return make


def array(values, name="mine.npy"):
    def make():
        numpy.save(name, values)
        return name

    return make


def content(data, name):
    def make():
        Path(name).write_bytes(data() if callable(data) else data)
        return name

    return make


def archive(name="mine.npz", **held):
    def make():
        numpy.savez(name, **held)
        return name

    return make


def link(target, name):
    def make():
        Path(name).symlink_to(target)
        return name

    return make


def pipe(name):
    def make():
        os.mkfifo(name)
        return name

    return make


def npz_bytes():
    held = io.BytesIO()
    numpy.savez_compressed(held, samples=POINTS)
    return held.getvalue()


def png_bytes():
    held = io.BytesIO()
    Image.fromarray(PIXELS[0]).save(held, "png")
    return held.getvalue()


def png_bomb():
    """A PNG of 100,000 x 100,000 pixels in a few bytes."""
    whole = bytearray(png_bytes())
    whole[16:24] = (100_000).to_bytes(4, "big") * 2
    whole[29:33] = zlib.crc32(bytes(whole[12:29])).to_bytes(4, "big")
    return bytes(whole)


def zip_bomb():
    """Five entries of 4 GiB each, if one believes the header."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for k in range(5):
            made.writestr(f"samples{k}.npy", b"x")
    whole = held.getvalue()
    for at in (k for k in range(len(whole)) if whole[k : k + 4] == b"PK\x01\x02"):
        whole = whole[: at + 24] + (0xFFFFFFFE).to_bytes(4, "little") + whole[at + 28 :]
    return whole


def boastful_npy():
    """A header of 64 GB before 64 bytes."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 8), }\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64


def text_in_archive():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr("samples", "text")
    return held.getvalue()


def npy_bytes():
    held = io.BytesIO()
    numpy.save(held, POINTS)
    return held.getvalue()


OBJECTS = numpy.array([[Detonator(), 1], [2, 3]], dtype=object)
WITH_NAN = numpy.where(numpy.arange(36).reshape(12, 3) == 7, numpy.nan, POINTS)
RECORDS = numpy.zeros(4, dtype=[("a", "f4"), ("b", "f4")])
BIG = Image.new("L", (9, 8))
#: name → (what makes SAMPLES or is its name, more arguments, what is said)
REFUSED = {
    # arrays
    "missing file": ("nowhere.npy", [], "nowhere.npy does not exist"),
    "missing folder": ("nowhere", [], "nowhere is not a file, folder, split"),
    "no points": (array(POINTS[:0]), [], r"mine.npy is empty, shape (0, 3)"),
    "no features": (array(POINTS[:, :0]), [], "mine.npy is empty, shape (12, 0)"),
    "one point": (array(POINTS[:1]), [], "mine.npy needs at least two points, got 1"),
    "one axis": (array(POINTS[0]), [], "mine.npy needs shape (N, D)"),
    "no axis": (array(numpy.float64(3)), [], "mine.npy needs shape (N, D)"),
    "five axes": (array(numpy.zeros((4, 1, 1, 2, 2))), [], "mine.npy needs shape (N, D)"),
    "NaN": (array(WITH_NAN), [], "mine.npy holds 1 numbers that are NaN or infinite"),
    "infinity": (array(POINTS + numpy.inf), [], "mine.npy holds 36 numbers that are NaN"),
    "words": (array(numpy.array([["a", "b"]] * 3)), [], "mine.npy needs numbers, got <U1"),
    "complex numbers": (array(POINTS + 1j), [], "mine.npy needs numbers, got complex"),
    "records": (array(RECORDS), [], "mine.npy needs numbers"),
    "dates": (array(POINTS.astype("datetime64[s]")), [], "mine.npy needs numbers"),
    "pickled npy": (array(OBJECTS), [], "mine.npy holds pickled objects, which are never loaded"),
    "pickled npz": (archive(samples=OBJECTS), [], "mine.npz holds pickled objects"),
    "a pickle as npy": (
        content(lambda: pickle.dumps(Detonator()), "mine.npy"),
        [],
        "mine.npy is damaged",
    ),
    "a pickle as npz": (
        content(lambda: pickle.dumps(Detonator()), "mine.npz"),
        [],
        "mine.npz is damaged",
    ),
    "empty file": (content(b"", "mine.npy"), [], "mine.npy is damaged or not an array file"),
    "truncated npy": (content(npy_bytes()[:-9], "mine.npy"), [], "mine.npy is damaged"),
    "truncated npz": (content(npz_bytes()[:-30], "mine.npz"), [], "mine.npz is damaged"),
    "cut in the header": (content(npy_bytes()[:20], "mine.npy"), [], "mine.npy is damaged"),
    "text as npy": (content(b"1,2\n3,4\n", "mine.npy"), [], "mine.npy is damaged"),
    "npz as npy": (content(npz_bytes(), "mine.npy"), [], "mine.npy is damaged"),
    "npy as npz": (content(npy_bytes(), "mine.npz"), [], "mine.npz is damaged"),
    "text": (content(b"1,2\n", "mine.txt"), [], "mine.txt needs to be a .npy or .npz file"),
    "a row of text": (content(b"1,2,3\n", "mine.csv"), [], "mine.csv needs at least two points"),
    "two arrays": (archive(a=POINTS, b=POINTS), [], "mine.npz needs one array or one named"),
    "no array": (archive(), [], "mine.npz needs one array or one named 'samples', got none"),
    "text in an archive": (content(text_in_archive, "mine.npz"), [], "mine.npz is damaged"),
    "zip bomb": (content(zip_bomb, "mine.npz"), [], "mine.npz unpacks to 20.0 GiB"),
    "boastful header": (content(boastful_npy(), "mine.npy"), [], "mine.npy is damaged"),
    "folder called npy": (lambda: (Path("mine.npy").mkdir(), "mine.npy")[1], [], "mine.npy needs"),
    "links in a circle": (link("mine.npy", "mine.npy"), [], "mine.npy does not exist"),
    "link to nothing": (link("gone.npy", "mine.npy"), [], "mine.npy does not exist"),
    "unreadable array": (link("/proc/self/mem", "mine.npy"), [], "mine.npy"),
    "pipe": (pipe("mine.npy"), [], "mine.npy is not a regular file"),
    "other features": (array(POINTS[:, :2]), [], "needs points of one shape, got samples (12, 2)"),
    # folders
    "empty folder": (lambda: folder_of("mine"), [], "mine needs at least two images"),
    "folder of text": (
        lambda: (folder_of("mine"), Path("mine/a.txt").write_text("a"), "mine")[2],
        [],
        "got 0 and 1 other files",
    ),
    "one image": (lambda: folder_of("mine", PIXELS[0]), [], "mine needs at least two images"),
    "empty image": (with_file(b""), [], "mine/z.png is not an image that Pillow can read"),
    "text as image": (with_file(b"hello"), [], "mine/z.png is not an image that Pillow can read"),
    "corrupt image": (
        with_file(png_bytes()[:40] + b"xxxx" + png_bytes()[44:]),
        [],
        "mine/z.png is not an image that Pillow",
    ),
    "truncated image": (with_file(png_bytes()[:60]), [], "mine/z.png cannot be read"),
    "pixel bomb": (with_file(png_bomb()), [], "mine/z.png"),
    "mixed sizes": (with_file(lambda p: BIG.save(p)), [], "mine/z.png needs 8x8 pixels"),
    "grey, then colour": (
        with_file(lambda p: Image.new("RGB", (8, 8)).save(p)),
        [],
        "mine/z.png is in colour, the images before it are grey; read all as colour with --chann",
    ),
    "dangling image": (with_file(lambda p: p.symlink_to("gone.png")), [], "mine/z.png"),
    "unreadable image": (with_file(lambda p: p.symlink_to("/proc/self/mem")), [], "mine/z.png"),
    "pipe among images": (with_file(os.mkfifo), [], "mine/z.png is not a regular file"),
    "floats beyond 1": (
        with_file(
            lambda p: Image.fromarray(numpy.full((8, 8), 7, numpy.float32)).save(p), "z.tiff"
        ),
        [],
        "mine/z.tiff needs pixels between 0 and 1",
    ),
    "pictures against points": (
        lambda: folder_of("mine", *PIXELS),
        [],
        "needs points of one shape",
    ),
    "points for a network of pictures": (
        array(POINTS),
        ["--features", "random_conv"],
        "random_conv needs images (N, 1 or 3, H, W), got (12, 3)",
    ),
    # callables
    "no such module": ("no_module:x", [], "no_module cannot be imported: ModuleNotFoundError"),
    "no such callable": ("gens:god", [], "gens has no callable 'god'; did you mean 'good'?"),
    "no callable": ("gens:value", [], "gens has no callable 'value'"),
    "yields nothing": ("gens:nothing", [], "gens:nothing needs at least two points, got 0"),
    "yields one point": ("gens:one_point", [], "gens:one_point needs at least two points, got 1"),
    "yields NaN": ("gens:nan", [], "batch 1 of gens:nan holds 36 numbers that are NaN"),
    "yields infinity": ("gens:infinite", [], "batch 0 of gens:infinite holds 12 numbers"),
    "raises": ("gens:raises", [], "gens:raises failed: ValueError: planted on purpose at "),
    "raises at once": ("gens:raises_at_once", [], "gens:raises_at_once failed: KeyError"),
    "leaves the process": ("gens:leaves", [], "gens:leaves failed: SystemExit"),
    "leaves it later": ("gens:leaves_later", [], "gens:leaves_later failed: SystemExit"),
    "yields words": ("gens:words", [], "batch 0 of gens:words needs numbers, got <U1"),
    "yields ragged lists": ("gens:ragged", [], "batch 0 of gens:ragged needs to be an array"),
    "yields None": ("gens:nones", [], "batch 0 of gens:nones needs numbers, got object"),
    "yields a dictionary": (
        "gens:a_dictionary",
        [],
        "batch 0 of gens:a_dictionary needs numbers",
    ),
    "yields complex": ("gens:complex_numbers", [], "batch 0 of gens:complex_numbers needs"),
    "yields one axis": ("gens:flat", [], "batch 0 of gens:flat needs shape (N, D)"),
    "yields a number": ("gens:number", [], "batch 0 of gens:number needs shape (N, D)"),
    "changes shape": ("gens:changing", [], "gens:changing needs points of one shape"),
    "no iterator": (
        "gens:no_iterator",
        [],
        "gens:no_iterator needs to return an array or what yields batches, got 3",
    ),
    "needs arguments": ("gens:needs_arguments", [], "gens:needs_arguments failed: TypeError"),
    "has no end": (
        "gens:endless",
        ["-r", "gens:wide", "--memory", "64MiB"],
        "gens:endless needs more than --memory",
    ),
    # splits and cells
    "no such split": ("ring:tset", [], "ring has no split 'tset'; did you mean 'test'?"),
    "no such data set": ("rign:test", [], "unknown data set 'rign'; did you mean 'ring'?"),
    "no such cell": ("0123456789ab", [], "0123456789ab is not a file, folder, split"),
    # the other side
    "no reference": (array(POINTS), ["-r", "gone.npy"], "gone.npy does not exist"),
    "bad reference": (array(WITH_NAN), ["-r", "mine.npy"], "mine.npy holds 1 numbers"),
    "no training points": (array(POINTS), ["--train", "gone.npy"], "gone.npy does not exist"),
    # extractors
    "no such extractor": ("good.npy", ["--features", "identty"], "did you mean 'identity'?"),
    "features of other shape": (
        "good.npy",
        ["--features", "gens:wrong_shape"],
        "to return a tens",
    ),
    "too few features": (
        "good.npy",
        ["--features", "gens:wrong_count"],
        "to return a tensor (12,",
    ),
    "features that are none": ("good.npy", ["--features", "gens:no_tensor"], "got str"),
    "NaN features": ("good.npy", ["--features", "gens:nan_features"], "features that are NaN"),
    "features that fail": ("good.npy", ["--features", "gens:broken"], "RuntimeError: planted"),
    "no TorchScript": ("good.npy", ["--features", "bad.pt"], "bad.pt is not a TorchScript file"),
    "weights too many": ("good.npy", ["--weights", "bad.pt"], "has no option 'weights'"),
    "no labels": ("good.npy", ["--features", "classifier"], "needs a data set with labels"),
    # metrics and options
    "no such metric": (
        "good.npy",
        ["--metrics", "fidd"],
        "unknown metric 'fidd'; did you mean 'fid'?",
    ),
    "no metric": ("good.npy", ["--metrics", " ,"], "--metrics needs at least one name"),
    "no such option": (
        "good.npy",
        ["--metrics", "prdc:neighbors=3"],
        "metric prdc has no option 'neighbors'; did you mean 'neighbours'?",
    ),
    "an option of another type": (
        "good.npy",
        ["--metrics", "fid,prdc:neighbours=three"],
        "metric prdc option 'neighbours' needs a whole number of 1 or more, got 'three'",
    ),
    "two answers to one question": (
        "good.npy",
        ["--metrics", "prdc:neighbours=3,prdc"],
        "metric prdc is named twice with other options",
    ),
    "an extractor without that option": (
        "good.npy",
        ["--features", "identity:seed=3"],
        "extractor identity has no option 'seed'",
    ),
    "options of a function": (
        "good.npy",
        ["--features", "gens:halves:seed=3"],
        "extractor gens:halves takes no options",
    ),
    "resized to nothing": ("good.npy", ["--resize", "0x8"], "--resize needs WIDTHxHEIGHT"),
    "memory of words": ("good.npy", ["--memory", "lots"], "--memory needs a size"),
    "no memory": ("good.npy", ["--memory", "1KiB"], "--memory needs at least 64MiB"),
}


#: name → (more arguments, the metric that cannot be computed, its reason)
NULL = {
    "a reference of one point": (
        ["-r", "constant.npy", "--metrics", "fid,mmd"],
        "mmd",
        "mmd needs real points of which most differ",
    ),
    "too few for neighbours": (["--limit", "4", "--metrics", "prdc,fid"], "recall", "more than 5"),
    "no training points": (["--metrics", "c_t,fid"], "c_t", "name them by --train"),
    "no logits": (["--metrics", "inception_score,fid"], "inception_score", "has no class logits"),
}


def stacked(mode, suffix="png"):
    def make():
        images = [Image.fromarray(x).convert("RGB").convert(mode) for x in PIXELS]
        return folder_of("mine", *images, suffix=suffix)

    return make


def sixteen_bits():
    """The same grey levels in 16 bits, so that v/65535 is what v/255 is in 8."""
    folder_of("eight", *PIXELS)
    return folder_of("mine", *(x.astype(numpy.uint16) * 257 for x in PIXELS))


def animations():
    """Two frames each, the first one grey in a palette, which is colour."""
    Path("mine").mkdir()
    for k, pixels in enumerate(PIXELS):
        first, second = Image.fromarray(pixels), Image.fromarray(255 - pixels)
        first.save(f"mine/{k}.gif", save_all=True, append_images=[second])
    return "mine"


def looping_folder():
    folder_of("mine", *PIXELS)
    Path("mine/in").mkdir()
    Path("mine/in/loop").symlink_to(Path("mine").resolve())
    return "mine"


#: name → (what makes SAMPLES, the reference or None for the samples themselves, the FID or None for any)
LEGAL = {
    "identical sets": (array(POINTS), None, 0.0),
    "constant points": (array(numpy.ones((6, 3))), "constant.npy", 0.0),
    "constant images": (lambda: folder_of("mine", *[0 * PIXELS[0]] * 6), None, 0.0),
    "whole numbers": (array(numpy.arange(36).reshape(12, 3)), None, 0.0),
    "booleans": (array(POINTS > 0), "good.npy", None),
    "half precision": (array(POINTS.astype("float16")), "good.npy", None),
    "big endian": (array(POINTS.astype(">f8")), "good.npy", 0.0),
    "columns first": (array(numpy.asfortranarray(POINTS)), "good.npy", 0.0),
    "bytes of images": (array(PIXELS[:, None]), "eight", 0.0),
    "channels last": (array(PIXELS[..., None]), "eight", 0.0),
    "compressed archive": (content(npz_bytes, "mine.npz"), "good.npy", 0.0),
    "one bit": (stacked("1"), None, 0.0),
    "grey and transparent": (stacked("LA"), "eight", 0.0),
    "palette": (stacked("P"), None, 0.0),
    "transparent": (stacked("RGBA"), None, 0.0),
    "CMYK": (stacked("CMYK", "jpg"), None, 0.0),
    "CMYK as Pillow converts it": (stacked("CMYK", "tiff"), "colour", 0.0),
    "16 bits over 65,535": (sixteen_bits, "eight", 0.0),
    "animation's first frame": (animations, "repeated", 0.0),
    "folder that links to itself": (looping_folder, "eight", 0.0),
    "bytes of a callable over 255": ("gens:images", None, 0.0),
    "a user's features": ("gens:good", "good.npy", None),
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    numpy.save("good.npy", POINTS)
    numpy.save("constant.npy", numpy.ones((6, 3)))
    Path("gens.py").write_text(CALLABLES)
    Path("bad.pt").write_bytes(b"no")
    yield
    sys.modules.pop("gens", None)


def evaluate(*args):
    """Returns (exit code, stdout, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["evaluate", *map(str, args)])
        except SystemExit as end:
            return end.code or 0, out.getvalue(), err.getvalue()
    raise AssertionError("the verb did not end")


def refused_in_one_sentence(code, out, err):
    assert code == 2, err
    assert out == ""
    assert err.startswith("genbench: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_the_list_is_long_enough():
    assert len(REFUSED) >= 60
    assert len(REFUSED) + len(LEGAL) >= 80


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_in_one_sentence_and_leaves_no_file(case):
    samples, more, said = REFUSED[case]
    samples = samples() if callable(samples) else samples
    before = sorted(Path().rglob("*"))
    reference = [] if "-r" in more else ["-r", "good.npy"]
    chosen = [] if "--metrics" in more else ["--metrics", "fid"]
    told = evaluate(samples, *reference, *chosen, *more, "--json", "--html", "page.html")
    refused_in_one_sentence(*told)
    assert said in told[2]
    left = [path for path in sorted(Path().rglob("*")) if "__pycache__" not in path.parts]
    assert left == before


@pytest.mark.parametrize("case", NULL)
def test_a_metric_that_cannot_be_computed_is_null_with_its_reason_beside_the_others(case):
    more, column, said = NULL[case]
    reference = [] if "-r" in more else ["-r", "good.npy"]
    code, out, err = evaluate("good.npy", *reference, *more, "--json")
    assert code == 0, err
    rows = json.loads(out)["metrics"]
    assert rows[column]["value"] is None
    assert said in rows[column]["reason"]
    assert rows["fid"]["value"] is not None


@pytest.mark.parametrize("case", LEGAL)
def test_what_is_legal_is_read_by_the_stated_rule(case):
    samples, reference, exact = LEGAL[case]
    samples = samples() if callable(samples) else samples
    if reference == "eight" and not Path("eight").exists():
        folder_of("eight", *PIXELS)
    if reference == "colour":
        made = [Image.fromarray(x).convert("RGB").convert("CMYK").convert("RGB") for x in PIXELS]
        folder_of("colour", *made)
    if reference == "repeated":
        folder_of("repeated", *(Image.fromarray(x).convert("RGB") for x in PIXELS))
    code, out, err = evaluate(
        samples, "-r", reference or samples, "--metrics", "fid", "--features", "identity", "--json"
    )
    assert code == 0, err
    value = json.loads(out)["metrics"]["fid"]["value"]
    assert value >= 0
    if exact is not None:
        assert value == pytest.approx(exact, abs=1e-9)


def told_or_refused(*args):
    """A number or a reason for every column, or one sentence."""
    code, out, err = evaluate(*args, "--json")
    if code:
        refused_in_one_sentence(code, out, err)
        return
    for row in json.loads(out)["metrics"].values():
        assert (row["value"] is None) == bool(row["reason"])


at_random = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
KINDS = st.sampled_from(["float64", "float32", "float16", "int64", "uint8", "bool", "complex64"])


@at_random
@given(
    KINDS.flatmap(lambda kind: arrays(kind, array_shapes(min_dims=0, max_dims=5, max_side=7))),
    st.sampled_from(["fid", "kid", "prdc", "mmd", "energy_distance", "sharpness"]),
)
def test_no_array_whatever_breaks_it(held, metric):
    numpy.save("random.npy", held)
    told_or_refused("random.npy", "-r", "random.npy", "--metrics", metric)
    told_or_refused("random.npy", "-r", "good.npy", "--metrics", metric)


SEEDS = {"npy": npy_bytes(), "npz": npz_bytes(), "png": png_bytes()}


@at_random
@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4),
    st.integers(0, 10**6) | st.none(),
)
def test_no_damage_to_a_file_breaks_it(kind, changes, length):
    broken = bytearray(SEEDS[kind])
    for at, value in changes:
        broken[at % len(broken)] = value
    broken = broken[: None if length is None else length % len(broken)]
    Path("files").mkdir(exist_ok=True)
    for k in range(2):
        Image.fromarray(PIXELS[k]).save(f"files/{k}.png")
    path = Path("files/z.png") if kind == "png" else Path(f"damaged.{kind}")
    path.write_bytes(broken)
    samples = "files" if kind == "png" else path
    told_or_refused(samples, "-r", samples, "--metrics", "fid")


@at_random
@given(st.text(max_size=12), st.sampled_from(["--resize", "--memory", "--metrics", "--features"]))
def test_no_text_for_an_option_breaks_it(text, option):
    if "\0" in text or text.startswith("-"):
        return
    told_or_refused("good.npy", "-r", "good.npy", f"{option}={text}")


@at_random
@given(st.text(min_size=1, max_size=20))
def test_no_name_for_samples_breaks_it(name):
    if "\0" in name or name.startswith("-"):
        return
    told_or_refused(name, "-r", "good.npy", "--metrics", "fid")
