"""`evaluate` in Python: whatever holds the same numbers gives the same scores, and the result reads well."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path, PurePath

import numpy
import pandas
import pytest
import scipy.sparse
import torch
from PIL import Image

from genbench.api import evaluate
from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError, UnknownName
from genbench.core.spec import Part
from genbench.points.images import GREY

DIGITS = DATASETS.get("digits")()
FAKE = DIGITS.points("validation")
METRICS = "fid,kid:subset_size=50,mmd,prdc:neighbours=3"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    numpy.save("fake.npy", FAKE.numpy())


def values(samples, reference="digits:test", **given):
    options = {"metrics": METRICS, "features": "identity"} | given
    result = evaluate(samples, reference, **options)
    assert all(row.value is not None for row in result.rows)
    return {name: (row.value, row.stderr, row.protocol) for name, row in result.metrics.items()}


def batches():
    yield from FAKE.split(30)


FORMS = {
    "an array": lambda: FAKE.numpy(),
    "a read-only array": lambda: numpy.broadcast_to(FAKE.numpy()[None], (1, *FAKE.shape))[0],
    "a mapped array": lambda: numpy.load("fake.npy", mmap_mode="r"),
    "a tensor": lambda: FAKE,
    "a tensor with a gradient": lambda: FAKE.clone().requires_grad_(),
    "a path": lambda: Path("fake.npy"),
    "a function": lambda: batches,
    "a generator": batches,
    "a list of batches": lambda: list(FAKE.numpy()[k : k + 50] for k in range(0, len(FAKE), 50)),
    "a split": lambda: "digits:validation",
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_numbers_have_the_same_scores(form):
    assert values(FORMS[form]()) == values("fake.npy")


@pytest.mark.parametrize("form", ["an array", "a tensor", "a generator", "a split"])
def test_a_reference_may_come_from_anywhere_too(form):
    assert values("digits:test", FORMS[form]()) == values("digits:test", "fake.npy")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_tensor_may_lie_on_another_device():
    assert values(FAKE.cuda()) == values(FAKE)


def test_half_precision_and_bytes_are_read_as_from_files():
    small = FAKE.to(torch.bfloat16)
    assert values(small) == values(small.float())
    bytes_ = (FAKE * 255).round().to(torch.uint8)
    assert values(bytes_) == values(bytes_.float() / 255)
    assert values(bytes_.squeeze(1)) == values(bytes_)


def test_metrics_are_named_as_text_as_parts_or_as_in_a_suite():
    named = [
        "fid",
        Part(name="kid", options={"subset_size": 50}),
        {"name": "mmd"},
        "prdc:neighbours=3",
    ]
    assert values(FAKE, metrics=named) == values(FAKE)
    assert values(FAKE, metrics=METRICS.split(",")) == values(FAKE)


def test_features_are_named_as_text_as_a_part_or_as_in_a_suite(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    Path("own_features.py").write_text("def halves(x): return x.flatten(1) / 2\n")
    found = [
        evaluate(FAKE, "digits:test", metrics="fid", features=features).fid
        for features in ("own_features:halves", Part(name="own_features:halves"))
    ]
    assert found[0] == found[1] == pytest.approx(values(FAKE)["fid"][0] / 4, rel=1e-6)
    assert values(FAKE, features={"name": "random-conv"}) == values(FAKE, features="random_conv")


def test_samples_of_a_data_set_are_compared_with_its_test_split():
    assert values("digits:validation", None) == values("digits:validation", "digits:test")
    with pytest.raises(SpecError, match="needs --reference for samples"):
        evaluate(FAKE)


def test_a_result_is_read_by_attribute_by_key_and_as_json():
    result = evaluate(FAKE, "digits:test", metrics="fid,prdc,nll", features="identity")
    assert result.fid == result["fid"] == result.metrics["fid"].value
    assert result.nll is None
    assert result.metrics["nll"].reason == "nll needs a model, got samples alone"
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    assert result.to_dict()["aliases"] == {}  # of pixels torch-fidelity has no number
    assert (result.samples.count, result.reference.label) == (200, "digits:test")
    with pytest.raises(AttributeError, match="no 'fidd' was measured; did you mean 'fid'"):
        _ = result.fidd
    with pytest.raises(KeyError, match="did you mean 'fid'"):
        _ = result["fidd"]
    assert copy.copy(result).fid == result.fid
    assert pickle.loads(pickle.dumps(result.rows)) == result.rows


def test_a_result_shows_itself_and_nothing_of_it_is_taken_for_markup():
    def hostile():
        yield from FAKE.split(100)

    hostile.__qualname__ = "<script>alert(1)</script>"
    result = evaluate(hostile, "digits:test", metrics="fid,nll", features="identity")
    result = type(result)(result.rows, (f"{result.samples.label}: a note",), *_sides(result))
    assert "fid" in str(result)
    assert "– nll, bits_per_dim, nats_per_token: nll needs a model" in str(result)
    assert max(map(len, str(result).splitlines())) <= 80
    page = result._repr_html_()
    assert page.startswith("<table>")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def _sides(result):
    return result.samples, result.reference


def test_progress_tells_what_is_read():
    told = []
    evaluate(batches, FAKE, metrics="mmd", limit=100, progress=lambda *where: told.append(where))
    assert told[-1] == ("batches", 100, 100)
    assert ("reference", 100, 100) in told


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"metrics": []}, SpecError, "at least one name"),
        ({"metrics": "fidd"}, UnknownName, "did you mean 'fid'"),
        ({"memory": 1024}, SpecError, "at least 64MiB"),
        ({"resize": "32"}, SpecError, "WIDTHxHEIGHT"),
        ({"resize": (32, 32)}, SpecError, "WIDTHxHEIGHT"),
        ({"metrics": 5}, SpecError, "names such as fid,kid, got 5"),
        ({"metrics": [5]}, SpecError, "needs a name, perhaps with options"),
        ({"features": print}, SpecError, "needs a name, perhaps with options"),
        ({"degrade": 4}, SpecError, "a data set's name, or in Python a function"),
        ({"batch": 0}, SpecError, "--batch needs a whole number of at least 1, got 0"),
        ({"batch": 2.5}, SpecError, "--batch needs a whole number"),
        ({"limit": 1}, SpecError, "--limit needs a whole number of at least 2, got 1"),
        ({"limit": "100"}, SpecError, "--limit needs a whole number"),
        ({"seed": -1}, SpecError, "--seed needs a whole number of at least 0"),
        ({"memory": 1e10}, SpecError, "--memory needs a whole number"),
        ({"precision": torch.float16}, SpecError, "--precision has no torch.float16"),
        ({"record": 5}, SpecError, "--record needs a name of letters"),
        ({"reference": [1.0, 2.0]}, DataError, "batch 0 of reference needs shape"),
        ({"reference": 3}, DataError, "reference needs an array, a path, a split.*, got 3$"),
        ({"reference": {"x": FAKE}}, DataError, "a dictionary with x; give one of its arrays"),
    ],
)
def test_what_cannot_be_is_one_sentence(given, error, said):
    with pytest.raises(error, match=said) as caught:
        evaluate(FAKE, **{"reference": "digits:test"} | given)
    assert "\n" not in str(caught.value)


def test_a_device_and_numbers_may_be_of_torch_s_and_numpy_s_types():
    how = {"device": torch.device("cpu"), "batch": numpy.int64(64), "limit": numpy.int32(50)}
    plain = values("fake.npy", limit=50, metrics="fid")
    assert values("fake.npy", metrics="fid", **how) == plain


def test_text_is_compared_with_what_is_known_of_it():
    text = DATASETS.get("markov_text")()
    result = evaluate(
        text.points("validation")[:500], "markov_text:test", metrics="n_gram_divergence,fid"
    )
    split = evaluate("markov_text:validation", metrics="n_gram_divergence", limit=500)
    assert result.metrics["fid"].reason == "fid compares numbers, markov_text holds tokens"
    assert result.n_gram_js_2 == split.n_gram_js_2 is not None


COLOURS = (torch.arange(3 * 40 * 64).reshape(40, 8, 8, 3) * 37 % 251).to(torch.uint8).numpy()


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "CMYK", "YCbCr", "HSV", "LA", "RGBA"])
def test_pictures_of_pillow_have_the_scores_of_their_files(mode):
    """A palette's numbers, hues or inks were taken for red, green and blue."""
    pictures = [Image.fromarray(pixels).convert(mode) for pixels in COLOURS]
    real = [picture.convert("RGB" if mode not in GREY else "L") for picture in pictures]
    if mode == "P":
        pictures = [p.convert("RGB").quantize(16) for p in pictures]
    suffix = {"CMYK": "tif", "YCbCr": "tif"}.get(mode, "png")
    Path("files").mkdir()
    for k, picture in enumerate(pictures):
        kept = picture.convert("RGB") if mode == "HSV" else picture
        kept.save(f"files/{k:02}.{suffix}")
    how = {"metrics": "fid", "features": "identity"}
    whole = evaluate(pictures, real, **how).fid
    assert whole == evaluate("files", real, **how).fid
    assert evaluate(iter(pictures), real, **how).fid == whole
    assert whole is not None


def test_a_picture_that_is_seen_through_is_refused():
    clear = [Image.new("RGBA", (8, 8), (9, 9, 9, k)) for k in range(20)]
    with pytest.raises(DataError, match=r"batch 0 of samples has transparency.*convert\('RGB'\)"):
        evaluate(clear, "digits:test", metrics="fid")


RING = DATASETS.get("ring")().points("validation")[:400].double().numpy()
PLANE = DATASETS.get("ring")().points("test")[:500]
TABLE = pandas.DataFrame(RING, columns=["x", "y"])


@pytest.mark.parametrize(
    "form",
    [
        lambda: [TABLE[:200], TABLE[200:]],
        lambda: iter([TABLE[:200].assign(label=0), TABLE[200:].assign(label=1)]),
        lambda: lambda: TABLE.assign(label=1),
        lambda: [TABLE.astype("Float64")],
    ],
)
def test_tables_that_come_in_batches_are_read_as_one(form):
    how = {"metrics": "mmd", "features": "identity"}
    assert evaluate(form(), PLANE, **how).mmd == evaluate(TABLE, PLANE, **how).mmd


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: [TABLE[:200], TABLE[["y", "x"]]], "batch 1 of samples needs the columns .* x, y"),
        (lambda: [TABLE.reset_index()[["index", "x"]]], "column 'index' of the rows' numbers"),
        (lambda: (RING, RING), "a tuple of 2, of which the others are no labels"),
        (lambda: lambda: (RING, RING), "a tuple of 2, .*or batches as a list"),
        (lambda: lambda: None, "needs to return an array or what yields batches, got None"),
        (lambda: scipy.sparse.csr_matrix(RING), r"call .toarray\(\) first"),
    ],
)
def test_what_cannot_be_points_of_the_plane_is_refused(given, said):
    with pytest.raises(DataError, match=said):
        evaluate(given(), "ring:test", metrics="mmd")


def test_a_function_may_return_points_with_their_labels():
    paired = evaluate(lambda: (RING, numpy.zeros(400)), PLANE, metrics="mmd")
    assert paired.mmd == evaluate(RING, PLANE, metrics="mmd").mmd


def test_a_function_that_needs_arguments_is_to_blame_itself():
    with pytest.raises(DataError, match="missing 1 required positional argument: 'n'") as caught:
        evaluate(lambda n: RING[:n], "ring:test", metrics="mmd")
    assert "streams.py" not in str(caught.value)


def test_squares_may_be_pictures_or_batches():
    """Rows of pictures were taken for points."""
    pictures = list(FAKE[:, 0])
    with pytest.raises(DataError, match="8x8, which may be pictures or batches of 8 points"):
        evaluate(pictures, list(DIGITS.points("test")[:, 0]), metrics="fid")
    rows = FAKE[:48].flatten(1)[:, :8]
    whole = evaluate(rows, rows.flip(0), metrics="mmd").mmd
    assert evaluate(list(rows.split(8)), rows.flip(0), metrics="mmd").mmd == whole


class Endless:
    """Like a data set of torch, which knows its length and never says that there is no more."""

    def __len__(self):
        return len(FAKE)

    def __getitem__(self, k):
        return FAKE[k % len(FAKE)], 0


def test_a_data_set_is_read_once():
    assert evaluate(Endless(), "digits:test", metrics="fid", limit=500).samples.count == 200
    assert values(Endless()) == values(FAKE)


class Place:
    def __fspath__(self):
        return "fake.npy"


@pytest.mark.parametrize("path", [b"fake.npy", PurePath("fake.npy"), Place()])
def test_a_path_is_any_object_that_stands_for_one(path):
    assert values(path) == values("fake.npy")


@pytest.mark.parametrize("name", ["results", "data_dir", "save_stats"])
def test_a_path_is_nothing_else(name):
    with pytest.raises(SpecError, match="needs a path, got 5"):
        evaluate(FAKE, "digits:test", **{name: 5})
