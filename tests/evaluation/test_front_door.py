"""`evaluate` in Python: whatever holds the same numbers gives the same scores, and the result reads well."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import numpy
import pytest
import torch

from genbench.api import evaluate
from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError, UnknownName
from genbench.core.spec import Part

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
