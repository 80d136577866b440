"""The version of data that are made of other data."""

import pytest

from genbench.core.dataset import DATASETS, version_of
from genbench.core.spec import Budget, Cells, Part, Suite
from genbench.running.cells import cell_specs
from genbench.store.tuned import find_outdated, read_tuned

OF_DIGITS = [
    ("super_resolution", {"of": "digits"}),
    ("edges", {"of": "digits", "coarse": 2}),
    ("holes", {"of": "digits"}),
]


@pytest.mark.parametrize(("name", "options"), OF_DIGITS)
def test_a_new_version_of_the_data_that_others_are_made_of_is_a_new_version_of_them(
    name, options, monkeypatch
):
    before = version_of(name, options)
    other = version_of(name, options | {"of": "fashion_mnist"})
    monkeypatch.setattr(DATASETS.get("digits"), "version", 4)
    assert version_of(name, options) == before + 3
    assert version_of(name, options | {"of": "fashion_mnist"}) == other
    assert version_of("ring", {}) == DATASETS.get("ring").version


def cell():
    data = Part(name="super_resolution", options={})
    cells = Cells(models=[Part(name="bicubic", options={})], datasets=[data])
    suite = Suite(
        description="", seeds=1, metrics=["psnr"], budget=Budget(steps=1), batch=8, cells=[cells]
    )
    return cell_specs(suite, cells, cells.models[0], data, autocast=False)[0]


def test_cells_of_the_older_data_are_not_taken_for_those_of_the_new(monkeypatch):
    old = cell()
    monkeypatch.setattr(DATASETS.get("digits"), "version", 2)
    assert (old.dataset_version, cell().dataset_version) == (1, 2)
    assert old.cell != cell().cell


def test_options_that_were_tuned_on_the_older_data_are_out_of_date(monkeypatch):
    entry = next(e for e in read_tuned().entries if e.dataset == "super_resolution")
    assert find_outdated(entry) is None
    monkeypatch.setattr(DATASETS.get(entry.dataset_options["of"]), "version", 2)
    assert find_outdated(entry) == "version 1 of super_resolution, which is at version 2"
