"""Classes beside points, from wherever they are read, for what is compared class by class."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import random_fields as f
import torch

from genbench.api import evaluate
from genbench.core.rng import Rng
from genbench.metrics.intra_fid import intra_fid
from genbench.points.labels import as_classes, name_by_folder

REAL, FAKE = f.REAL, f.FAKE
LABELS, OTHERS = numpy.arange(60) % 3, numpy.arange(50) % 3
NAMES = ("ape", "bee", "cow")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


def score(samples, reference, **options):
    result = evaluate(samples, reference, metrics="intra_fid", features="identity", **options)
    return result, result.intra_fid


def right(real=REAL, labels=LABELS, fake=FAKE, others=OTHERS):
    sides = [torch.from_numpy(f.unit(x)).flatten(1) for x in (real, fake)]
    classes = [torch.from_numpy(numpy.asarray(x)) for x in (labels, others)]
    return intra_fid(*sides, *classes, rng=Rng([0]))["intra_fid"].value


def by_class(pictures, labels, root, names):
    for k, name in enumerate(names):
        f.folder_of(pictures[labels == k], f"{root}/{name}")
    return root


def table(pictures):
    import pyarrow
    import pyarrow.parquet

    rows = {
        "x": f.unit(pictures).reshape(len(pictures), -1).tolist(),
        "label": [NAMES[k] for k in OTHERS],
    }
    pyarrow.parquet.write_table(pyarrow.table(rows), "names.parquet")
    return "names.parquet"


NUMBERED = {
    "ADM's npz": lambda: f.npz(arr_0=FAKE, arr_1=OTHERS),
    "safetensors": lambda: f.saved(
        torch.save, {"images": torch.tensor(FAKE), "labels": torch.from_numpy(OTHERS)}, "mine.pt"
    ),
    "StyleGAN's zip": lambda: f.zip_of(FAKE, labels=True),
    "WebDataset": lambda: f.tar_of(FAKE, web=True),
    "Hugging Face folder": lambda: f.datasets_folder(FAKE),
    "loader": lambda: f.loader(FAKE),
    "data set of torch": lambda: f.loader(FAKE).dataset,
    "array and labels": lambda: (FAKE, OTHERS),
    "folders 0, 1 and 2": lambda: by_class(FAKE, OTHERS, "numbers", "012"),
}


@pytest.mark.parametrize("kind", NUMBERED)
def test_classes_are_those_of_the_reader(kind):
    assert score(NUMBERED[kind](), (REAL, LABELS))[1] == pytest.approx(right(), rel=1e-6)


@pytest.mark.parametrize("kind", ["ADM's npz", "WebDataset", "Hugging Face folder"])
def test_classes_stay_with_their_points_under_a_limit(kind):
    # 30 of 50 in an order of their own, so that labels of the first 30 would be wrong
    order = Rng([0]).fork("limit").permutation(50)[0][:30].sort().values.numpy()
    reference = Rng([0]).fork("limit").permutation(60)[0][:30].sort().values.numpy()
    want = right(REAL[reference], LABELS[reference], FAKE[order], OTHERS[order])
    assert score(NUMBERED[kind](), (REAL, LABELS), limit=30)[1] == pytest.approx(want, rel=1e-6)


def test_a_stream_is_cut_with_its_classes():
    reference = Rng([0]).fork("limit").permutation(60)[0][:30].sort().values.numpy()
    want = right(REAL[reference], LABELS[reference], FAKE[:30], OTHERS[:30])
    assert score(f.loader(FAKE), (REAL, LABELS), limit=30)[1] == pytest.approx(want, rel=1e-6)


def test_folders_are_matched_by_name_and_not_by_number():
    by_class(REAL, LABELS, "real", NAMES)
    # without the first class the second one's number would be the first one's
    some = OTHERS != 0
    by_class(FAKE[some], OTHERS[some], "fake", NAMES)
    for file in Path("fake/ape").glob("*"):
        file.unlink()
    result, value = score("fake", "real")
    assert value is None
    assert "of 1 classes (0)" in result.metrics["intra_fid"].reason
    assert "classes by their number: 0 ape, 1 bee, 2 cow" in result.notes
    by_class(FAKE, OTHERS, "other", NAMES)
    assert score("other", "real")[1] == pytest.approx(right(), rel=1e-6)


def test_names_and_numbers_are_not_compared():
    by_class(REAL, LABELS, "real", NAMES)
    result, value = score(f.npz(arr_0=FAKE, arr_1=OTHERS), "real")
    assert value is None
    assert "real has names" in result.metrics["intra_fid"].reason
    assert "mine.npz has numbers" in result.metrics["intra_fid"].reason


def test_samples_of_classes_that_the_reference_has_not_are_said():
    result, value = score((FAKE, numpy.where(OTHERS == 2, 7, OTHERS)), (REAL, LABELS % 2))
    assert value is not None
    assert any("16 points of classes that the reference has not (7)" in n for n in result.notes)


def test_names_of_a_table_are_classes():
    reference = f.unit(REAL).reshape(60, -1)
    by_name = {0: "ape", 1: "bee", 2: "cow"}
    labels = numpy.array([by_name[k] for k in LABELS])
    assert score(table(FAKE), (reference, labels))[1] == pytest.approx(right(), rel=1e-6)


def test_numbers_beside_points_that_are_no_classes_are_none():
    pairs = [(picture, 0.5) for picture in f.unit(FAKE)]
    assert "has none" in score(pairs, (REAL, LABELS))[0].metrics["intra_fid"].reason
    triples = [(picture, int(k), 7) for picture, k in zip(f.unit(FAKE), OTHERS, strict=True)]
    assert "has none" in score(triples, (REAL, LABELS))[0].metrics["intra_fid"].reason


def test_what_a_class_may_be():
    assert as_classes(["0", "10", "2"]).tolist() == [0, 10, 2]
    assert as_classes(numpy.array(["a", "b"], dtype=object)).tolist() == ["a", "b"]
    assert as_classes(numpy.array([True, False])).tolist() == [1, 0]
    for none in (None, [0.5, 1.0], numpy.zeros((3, 2), int), []):
        assert as_classes(none if none is None or len(none) else numpy.array(none)) is None
    paths = [Path(x) for x in ("r/a/1.png", "r/b/c/2.png", "r/b/d/3.png")]
    assert name_by_folder(paths).tolist() == ["a", "b/c", "b/d"]
    assert name_by_folder([Path("r/1.png"), Path("r/b/2.png")]).tolist() == [".", "b"]
    assert name_by_folder(paths[:1] * 2) is None


def test_classes_do_not_depend_on_the_cache_of_features():
    by_class(REAL, LABELS, "real", NAMES)
    by_class(FAKE, OTHERS, "fake", NAMES)
    first, again = (
        evaluate("fake", "real", metrics="intra_fid", features="random_conv") for _ in range(2)
    )
    assert list(Path("cache/references").glob("*"))
    assert again.intra_fid == first.intra_fid > 0
