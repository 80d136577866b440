"""Extractors in suites are what they are in `evaluate`: a name with options, a function, a file."""

from __future__ import annotations

import re
import sys
import warnings

import pytest
import torch
from small_suites import do, suite_of

from genbench.core.errors import DataError, SpecError, UnknownName
from genbench.core.spec import Part
from genbench.store import Store


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "suite_feats.py").write_text("def halves(x): return x.flatten(1) / 2\n")
    yield
    sys.modules.pop("suite_feats", None)


def fid(root):
    rows = [m for record in Store(root).records() for m in record.metrics if m.id == "fid"]
    return [(m.value, m.protocol) for m in rows if m.split == "test"]


def save_script(name, factor):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch warns of TorchScript itself
        torch.jit.trace(lambda x: x.flatten(1) * factor, torch.ones(3, 2)).save(name)


def test_a_suite_takes_a_function_and_a_file_as_extractor(tmp_path, monkeypatch):
    save_script("half.pt", 0.5)
    roots = {}
    for name, features in (
        ("plain", "identity"),
        ("function", "suite_feats:halves"),
        ("file", {"name": "half.pt"}),
    ):
        suite, roots[name] = suite_of(tmp_path, features=features, seeds=1), tmp_path / name
        do(suite, roots[name])
        assert do(suite, roots[name])[1] == []
    ((plain, _),) = fid(roots["plain"])
    ((value, protocol),) = fid(roots["function"])
    assert value == pytest.approx(plain / 4, rel=1e-5)
    assert re.fullmatch(r"suite_feats:halves code=[0-9a-f]{8}, n=100/100", protocol)
    ((scripted, protocol),) = fid(roots["file"])
    assert scripted == value
    assert protocol.startswith("half.pt ")
    save_script("half.pt", 0.25)  # another file of that name is another extractor, in another run
    monkeypatch.setattr("genbench.running.build._EVALUATORS", {})
    do(suite_of(tmp_path, features={"name": "half.pt"}, seeds=1), roots["file"])
    assert [value for value, _ in fid(roots["file"])][-1] == pytest.approx(plain / 16, rel=1e-5)


def test_a_suite_names_options_as_text_or_as_a_mapping(tmp_path):
    text = suite_of(tmp_path, features="inception_v3_compat:weights=w.pth").features
    options = {"weights": "w.pth"}
    assert text == Part(name="inception_v3_compat", options=options)
    assert suite_of(tmp_path, features={"name": text.name, "options": options}).features == text
    assert suite_of(tmp_path).features is None


@pytest.mark.parametrize(
    ("features", "error", "said"),
    [
        ("identty", UnknownName, "did you mean 'identity'"),
        ("identity:seed=3", SpecError, "extractor identity has no option 'seed'"),
        ("suite_feats:thirds", SpecError, "suite_feats has no callable 'thirds'"),
        ("gone.pt", DataError, "gone.pt cannot be read"),
    ],
)
def test_an_extractor_that_cannot_be_is_refused_before_anything_is_trained(
    tmp_path, features, error, said
):
    with pytest.raises(error, match=said):
        do(suite_of(tmp_path, features=features), tmp_path / "r")
    assert list(Store(tmp_path / "r").records()) == []
